//! From candidates with scores to the places of a slate.
//!
//! What a request says by names (items, conditions, columns) becomes what composition works with
//! (candidates, members, classes); the places that explore are drawn; and what composition says of
//! its order is said in names again.

mod resolved;

use self::resolved::Resolved;
use super::answer::{Passed, Step, Unmet};
use super::cache::Cache;
use super::compose::{self, Composition, Reason, Why};
use super::draw::{Drawn, draw};
use super::make::{Candidates, Maker};
use super::request::Request;
use crate::catalog::{Catalog, Scope};
use crate::error::{Result, quoted};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;

/// Shares of a list are numbers of items but for rounding: 0.07 of 100 is 7, and not the 8 that
/// the product of the nearest binary numbers would be rounded up to.
const ROUNDING: f64 = 1e-9;

/// A request's rules in terms of this archive's items.
pub(super) struct Arrangement<'a> {
    index: &'a Index,
    request: &'a Request,
    /// Of each quota the members, and how many of them there must be at least and at most. Those
    /// of the request first, then the pools that ask for a number.
    quotas: Vec<Group>,
    /// Items with a place: of those that qualify.
    pins: Vec<(Ordinal, usize)>,
    /// Members of each pool that has places.
    pools: Vec<(&'a str, Vec<Ordinal>, &'a [usize])>,
    before: Vec<Ordinal>,
    unmet: Vec<Unmet>,
    warnings: Vec<String>,
}

struct Group {
    /// What it is in [`Unmet`].
    what: &'static str,
    name: String,
    members: ItemSet,
    least: usize,
    most: usize,
}

/// An order, with everything that is to be said of it. Places are positions of candidates.
#[derive(Default)]
pub(super) struct Arranged {
    pub(super) places: Vec<usize>,
    pub(super) propensities: Vec<Option<f64>>,
    pub(super) policy: Option<String>,
    pub(super) explored: Vec<Scored>,
    pub(super) trace: Vec<Step>,
    pub(super) unmet: Vec<Unmet>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Arrangement<'a> {
    /// Resolves names. What does not exist or does not qualify is told in the answer.
    pub(super) fn resolve(
        index: &'a Index,
        request: &'a Request,
        allowed: &ItemSet,
        scope: &Scope<'_>,
        cache: &mut Cache,
    ) -> Result<Self> {
        let catalog = Catalog::new(index);
        let (mut unmet, mut warnings) = (Vec::new(), Vec::new());
        let mut before: Vec<Ordinal> = Vec::new();
        for id in &request.after {
            before.extend(index.ordinal(id)?.filter(|item| !before.contains(item)));
        }
        let mut quotas = Vec::new();
        for (i, quota) in request.quotas.iter().enumerate() {
            let members = cache.select(catalog, &quota.where_, scope);
            let members = members.map_err(|e| e.within(&format!("quotas[{i}]")))?.clone();
            // Earlier pages count: shares are of all that was shown so far and is shown now. What
            // is left to chance keeps the most and owes nothing to the least.
            let n = before.len() + request.k;
            let n_slots = request.explore.as_ref().map_or(0, |e| e.slots.len());
            let most = (quota.most * n as f64 + ROUNDING).floor() as usize;
            let least = (quota.least * (n - n_slots) as f64 - ROUNDING).ceil() as usize;
            let (what, name) = ("quota", quota.name.clone());
            quotas.push(Group { what, name, members, least: least.min(most), most });
        }
        let mut pins = Vec::new();
        for pin in &request.pins {
            match index.ordinal(&pin.item)? {
                Some(item) if allowed.contains(item) => pins.push((item, pin.position)),
                _ => unmet.push(Unmet { what: "pin", name: pin.item.clone(), missing: 1 }),
            }
        }
        let mut pools = Vec::new();
        for pool in &request.pools {
            let mut members = Vec::new();
            for id in &pool.items {
                match index.ordinal(id)? {
                    Some(item) if allowed.contains(item) => members.push(item),
                    Some(_) => {}
                    None => warnings.push(format!(
                        "pools, {}: the archive has no item {}",
                        quoted(&pool.name),
                        quoted(id)
                    )),
                }
            }
            if pool.least > 0 {
                let mut set = ItemSet::empty(index.len());
                members.iter().for_each(|item| set.insert(*item));
                let (what, name) = ("pool", pool.name.clone());
                let (least, most) = (pool.least, usize::MAX);
                quotas.push(Group { what, name, members: set, least, most });
            }
            if !pool.positions.is_empty() {
                pools.push((pool.name.as_str(), members, &pool.positions[..]));
            }
        }
        Ok(Self { index, request, quotas, pins, pools, before, unmet, warnings })
    }

    /// Items that have a place of their own, or had one on an earlier page, and are not among
    /// the candidates; each once.
    pub(super) fn named(&self, is_candidate: impl Fn(Ordinal) -> bool) -> Vec<Ordinal> {
        let mut named: Vec<Ordinal> = Vec::new();
        for item in self.all_named() {
            if !is_candidate(item) && !named.contains(&item) {
                named.push(item);
            }
        }
        named
    }

    /// Whether an item has a place of its own, or had one on an earlier page.
    pub(super) fn is_named(&self, item: Ordinal) -> bool {
        self.all_named().any(|named| named == item)
    }

    fn all_named(&self) -> impl Iterator<Item = Ordinal> {
        let pins = self.pins.iter().map(|(item, _)| *item);
        let pools = self.pools.iter().flat_map(|(_, members, _)| members.iter().copied());
        pins.chain(pools).chain(self.before.iter().copied())
    }

    /// Sets of items of which some must come back, with the number of candidates wanted of each.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (&ItemSet, usize)> {
        self.quotas.iter().filter(|q| q.least > 0).map(|q| (&q.members, 2 * q.least))
    }

    /// Moves to `kept`, of candidates that score too low to be kept, as many as quotas lack.
    pub(super) fn keep_needed(&self, items: &[Ordinal], rest: &[usize], kept: &mut Vec<usize>) {
        for quota in &self.quotas {
            let is_member = |i: &usize| quota.members.contains(items[*i]);
            let n_kept = kept.iter().filter(|i| is_member(i)).count();
            let lacking = (2 * quota.least).saturating_sub(n_kept);
            let found = rest.iter().filter(|i| is_member(i) && !kept.contains(i));
            let found: Vec<usize> = found.take(lacking).copied().collect();
            kept.extend(found);
        }
    }

    /// Brings the candidates to order.
    pub(super) fn arrange(
        mut self,
        maker: &Maker<'_>,
        candidates: &Candidates,
    ) -> Result<Arranged> {
        let request = self.request;
        if !request.is_composed() {
            let n = candidates.n_ranked.min(request.k);
            return Ok(Arranged { places: (0..n).collect(), ..Arranged::default() });
        }
        let slots: &[usize] = request.explore.as_ref().map_or(&[], |e| &e.slots);
        let mut resolved = Resolved::of(&self, maker, candidates, slots)?;
        let composed = resolved.compose(&self, candidates)?;
        let mut arranged = self.in_names(&resolved, candidates, &composed);
        arranged.warnings = std::mem::take(&mut self.warnings);
        arranged.warnings.append(&mut resolved.warnings);
        arranged.unmet.splice(0..0, std::mem::take(&mut self.unmet));
        let fixed: Vec<usize> = composed.order.iter().map(|c| c.candidate).collect();
        let Some(explore) = &request.explore else {
            arranged.places = fixed;
            return Ok(arranged);
        };
        let may_follow = |placed: &[usize], i: usize| resolved.may_follow(&self, placed, i);
        let drawn = draw(explore, maker, candidates, &fixed, &may_follow)?;
        if drawn.items.len() < slots.len() {
            let missing = candidates.n_ranked.saturating_sub(fixed.len() + drawn.items.len());
            let held_back = Unmet { what: "k", name: "explore".into(), missing };
            arranged.unmet.extend((missing > 0).then_some(held_back));
        }
        merge(fixed, &drawn, slots, &mut arranged);
        Ok(arranged)
    }

    /// What composition says of its order, by items and names.
    fn in_names(
        &self,
        resolved: &Resolved,
        candidates: &Candidates,
        composed: &Composition,
    ) -> Arranged {
        let item = |candidate: usize| candidates.items[candidate].ordinal;
        let pool = |i: usize| self.pools[i].0.to_owned();
        let quota = |i: usize| resolved.quotas[i].name.clone();
        let id = |o: Ordinal| self.index.id(o).unwrap_or_default().to_owned();
        let pin = |i: usize| id(self.pins[i].0);
        let rule = |why: Why| match why {
            Why::Cap(i) => Some(self.request.caps[i].field.clone()),
            Why::Quota(i) | Why::QuotaReserve(i) => Some(quota(i)),
            Why::Pool(i) | Why::PoolReserve(i) => Some(pool(i)),
            Why::Pin(i) => Some(pin(i)),
            _ => None,
        };
        let passed = |p: &compose::Passed| Passed {
            item: item(p.candidate),
            why: p.why.as_str(),
            rule: rule(p.why),
            similar: match p.why {
                Why::Similar { to, similarity } => Some((item(to), similarity)),
                _ => None,
            },
        };
        let step = |step: &compose::Step| Step {
            position: step.position,
            item: item(step.candidate),
            reason: step.reason.as_str(),
            rule: match step.reason {
                Reason::Value => None,
                Reason::Pin(i) => Some(pin(i)),
                Reason::Pool(i) => Some(pool(i)),
            },
            passed: step.passed.iter().map(passed).collect(),
        };
        let missed = |unmet: &compose::Unmet| match *unmet {
            compose::Unmet::Pin(i) => Unmet { what: "pin", name: pin(i), missing: 1 },
            compose::Unmet::Pool { pool: i, missing } => {
                Unmet { what: "pool", name: pool(i), missing }
            }
            compose::Unmet::Quota { quota: i, missing } => {
                Unmet { what: resolved.quotas[i].what, name: quota(i), missing }
            }
        };
        let mut unmet: Vec<Unmet> = composed.unmet.iter().map(missed).collect();
        for (why, missing) in composed.shortfall.iter().flat_map(|s| &s.held_back) {
            let name = match rule(*why) {
                Some(rule) => format!("{} {rule}", why.as_str()),
                None => why.as_str().into(),
            };
            unmet.push(Unmet { what: "k", name, missing: *missing });
        }
        Arranged { trace: composed.trace.iter().map(step).collect(), unmet, ..Arranged::default() }
    }
}

/// Puts what was drawn into its places, between what was not.
fn merge(fixed: Vec<usize>, drawn: &Drawn, slots: &[usize], arranged: &mut Arranged) {
    let mut fixed = fixed.into_iter();
    let mut drawn_items = drawn.items.iter();
    loop {
        let is_slot = slots.contains(&arranged.places.len());
        let next = match is_slot {
            true => {
                let drawn = drawn_items.next().map(|(i, p)| (*i, *p));
                drawn.or_else(|| fixed.next().map(|i| (i, None)))
            }
            false => fixed.next().map(|i| (i, None)),
        };
        // Behind the end of what is fixed, draws follow directly.
        let next = next.or_else(|| drawn_items.next().map(|(i, p)| (*i, *p)));
        let Some((candidate, propensity)) = next else { break };
        arranged.places.push(candidate);
        arranged.propensities.push(propensity);
    }
    arranged.policy = Some(drawn.policy.clone());
    arranged.explored.clone_from(&drawn.set);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_takes_its_slots_and_nobody_elses_place() {
        let places = |fixed: &[usize], items: &[(usize, Option<f64>)], slots: &[usize]| {
            let drawn = Drawn { items: items.to_vec(), policy: "p".into(), set: Vec::new() };
            let mut arranged = Arranged::default();
            merge(fixed.to_vec(), &drawn, slots, &mut arranged);
            assert_eq!(arranged.places.len(), arranged.propensities.len());
            arranged.places
        };
        let drawn = [(8, Some(0.5)), (9, Some(0.25))];
        assert_eq!(places(&[1, 2, 3], &drawn, &[1, 3]), [1, 8, 2, 9, 3]);
        assert_eq!(places(&[1, 2, 3], &drawn, &[0, 1]), [8, 9, 1, 2, 3]);
        // Too few were drawn: what is fixed moves up. Too few are fixed: draws follow directly.
        assert_eq!(places(&[1, 2, 3], &drawn[..1], &[0, 1]), [8, 1, 2, 3]);
        assert_eq!(places(&[1], &drawn, &[1, 4]), [1, 8, 9]);
    }
}
