//! From candidates with scores to the places of a slate.
//!
//! What a request says by names (items, conditions, columns) becomes what composition works with
//! (candidates, members, classes); the places that explore are drawn; and what composition says of
//! its order is said in names again.

use super::answer::{Passed, Step, Unmet};
use super::cache::Cache;
use super::compose::{self, Composer, Composition, Reason, Rules, Values, Why, staleness};
use super::draw::{Drawn, draw};
use super::make::{Candidates, Maker};
use super::mixes::wanted_mix;
use super::request::{DiversityMethod, Request};
use crate::catalog::{Catalog, Scope};
use crate::error::{Error, Result, quoted};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::taste::Interest;

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

/// The rules in terms of candidates.
struct Resolved {
    k: usize,
    vectors: Vec<f64>,
    caps: Vec<FlatValues>,
    quotas: Vec<Members>,
    pins: Vec<compose::Pin>,
    pools: Vec<(Vec<bool>, Vec<usize>)>,
    before: Vec<usize>,
    staleness: Vec<f64>,
    /// Classes of the candidates and the wanted mix.
    mix: Option<(FlatValues, Vec<f64>)>,
    warnings: Vec<String>,
}

struct Members {
    what: &'static str,
    name: String,
    of: Vec<bool>,
    least: usize,
    most: usize,
}

/// Values of all candidates, one after the other.
#[derive(Default)]
pub(super) struct FlatValues {
    starts: Vec<u32>,
    codes: Vec<u32>,
}

impl FlatValues {
    fn values(&self) -> Values<'_> {
        Values { starts: &self.starts, codes: &self.codes }
    }

    /// The values of one candidate.
    pub(super) fn of(&self, candidate: usize) -> &[u32] {
        self.values().of(candidate)
    }

    /// The classes that items have in a column, as `code` names them.
    fn collect(
        index: &Index,
        field: &str,
        candidates: &Candidates,
        mut code: impl FnMut(u64) -> u32,
    ) -> Result<Self> {
        let column = Catalog::new(index).column(field)?;
        let mut flat = Self { starts: vec![0], codes: Vec::new() };
        let mut classes = Vec::new();
        for item in &candidates.items {
            classes.clear();
            column.classes(item.ordinal, &mut classes)?;
            flat.codes.extend(classes.iter().map(|class| code(*class)));
            flat.starts.push(flat.codes.len() as u32);
        }
        Ok(flat)
    }
}

impl Resolved {
    fn of(
        a: &Arrangement<'_>,
        maker: &Maker<'_>,
        candidates: &Candidates,
        slots: &[usize],
    ) -> Result<Self> {
        let (index, request) = (a.index, a.request);
        let catalog = Catalog::new(index);
        let mut warnings = Vec::new();
        let n = candidates.items.len();
        let is_diverse = request.diversity.is_some_and(|d| d.strength > 0.0);
        let mut vectors = Vec::new();
        if is_diverse {
            vectors = vec![0.0; n * index.dim()];
            let rows = vectors.chunks_exact_mut(index.dim());
            for (row, item) in rows.zip(&candidates.items) {
                index.decode(item.ordinal, row);
            }
        }
        let mut caps = Vec::new();
        for cap in &request.caps {
            let column = catalog.column(&cap.field)?;
            column.check_classes("caps")?;
            // Whole numbers and dates may be far apart: classes are numbered as they come.
            let mut known: Vec<u64> = Vec::new();
            let code = |class: u64| match known.iter().position(|k| *k == class) {
                Some(code) => code as u32,
                None => {
                    known.push(class);
                    known.len() as u32 - 1
                }
            };
            caps.push(FlatValues::collect(index, &cap.field, candidates, code)?);
        }
        let is_in = |set: &ItemSet| {
            candidates.items.iter().map(|item| set.contains(item.ordinal)).collect::<Vec<bool>>()
        };
        let mut quotas: Vec<Members> = (a.quotas.iter())
            .map(|q| Members {
                what: q.what,
                name: q.name.clone(),
                of: is_in(&q.members),
                least: q.least,
                most: q.most,
            })
            .collect();
        if maker.row.is_none() {
            // What the request itself asks for comes first.
            let k = request.k - slots.len();
            let asked = quotas.iter().fold(0, |sum: usize, q| sum.saturating_add(q.least));
            let left = (a.before.len() + k).saturating_sub(asked).min(k);
            quotas.extend(fair_shares(maker.interests, candidates, left));
        }
        let find = |item: Ordinal| candidates.items.iter().position(|c| c.ordinal == item);
        let mut pins = Vec::new();
        for (item, position) in &a.pins {
            let position = behind_slots(*position, slots);
            if let Some(candidate) = find(*item) {
                pins.push(compose::Pin { candidate, position });
            }
        }
        let mut pools = Vec::new();
        for (_, members, positions) in &a.pools {
            let mut is_member = vec![false; n];
            members.iter().filter_map(|item| find(*item)).for_each(|i| is_member[i] = true);
            let positions = positions.iter().map(|p| behind_slots(*p, slots)).collect();
            pools.push((is_member, positions));
        }
        let mix = match &request.calibration {
            Some(calibration) if calibration.strength > 0.0 => {
                let column = catalog.column(&calibration.field)?;
                column.check_classes("calibration.field")?;
                match wanted_mix(maker, calibration)? {
                    Some(mix) => {
                        let place = |class: u64| {
                            let place = mix.iter().position(|(c, _)| *c == class);
                            place.map_or(u32::MAX, |p| p as u32)
                        };
                        let field = &calibration.field;
                        let classes = FlatValues::collect(index, field, candidates, place)?;
                        Some((classes, mix.iter().map(|(_, share)| *share).collect()))
                    }
                    None => {
                        warnings.push("calibration: no mix is known of this person yet".into());
                        None
                    }
                }
            }
            _ => None,
        };
        Ok(Self {
            k: request.k - slots.len(),
            vectors,
            caps,
            quotas,
            pins,
            pools,
            before: a.before.iter().filter_map(|item| find(*item)).collect(),
            staleness: staleness_of(maker, candidates)?,
            mix,
            warnings,
        })
    }

    fn compose(&mut self, a: &Arrangement<'_>, candidates: &Candidates) -> Result<Composition> {
        let request = a.request;
        if self.k == 0 {
            return Ok(Composition::default());
        }
        let all = compose::Candidates {
            items: &candidates.items,
            n_ranked: candidates.n_ranked,
            vectors: &self.vectors,
            dim: a.index.dim(),
        };
        let caps: Vec<compose::Cap<'_>> = (request.caps.iter().zip(&self.caps))
            .map(|(cap, values)| compose::Cap {
                name: &cap.field,
                most: cap.most,
                values: values.values(),
            })
            .collect();
        let quotas: Vec<compose::Quota<'_>> = (self.quotas.iter())
            .map(|q| compose::Quota {
                name: &q.name,
                members: &q.of,
                least: q.least,
                most: q.most,
            })
            .collect();
        let pools: Vec<compose::Pool<'_>> = (a.pools.iter().zip(&self.pools))
            .map(|((name, ..), (members, positions))| compose::Pool { name, members, positions })
            .collect();
        let diversity = match request.diversity {
            Some(d) if d.strength > 0.0 => match d.method {
                DiversityMethod::Mmr => compose::Diversity::Mmr { lambda: 1.0 - d.strength },
                DiversityMethod::Dpp => compose::Diversity::Dpp { strength: d.strength },
            },
            _ => compose::Diversity::None,
        };
        let strength = request.calibration.as_ref().map_or(0.0, |c| c.strength);
        let rules = Rules {
            k: self.k,
            floor: request.floor,
            diversity,
            calibration: self.mix.as_ref().map(|(classes, target)| compose::Calibration {
                classes: classes.values(),
                target,
                strength,
            }),
            caps: &caps,
            quotas: &quotas,
            pins: &self.pins,
            pools: &pools,
            rotation: request.rotation.map(|rotation| compose::Rotation {
                rate: rotation.rate,
                staleness: &self.staleness,
            }),
            before: &self.before,
            trace: request.trace,
            ..Rules::default()
        };
        Composer::default().compose(&all, &rules)
    }

    /// Whether what is left to chance may be this candidate, next to what is `placed` and what
    /// earlier pages showed: what caps and quotas let come, and the floor.
    fn may_follow(&self, a: &Arrangement<'_>, placed: &[usize], candidate: usize) -> bool {
        let count = |is: &dyn Fn(usize) -> bool| {
            self.before.iter().chain(placed).filter(|other| is(**other)).count()
        };
        !placed.contains(&candidate)
            && a.request.caps.iter().zip(&self.caps).all(|(cap, values)| {
                let held = |value: &u32| count(&|other| values.of(other).contains(value));
                values.of(candidate).iter().all(|value| held(value) < cap.most)
            })
            && self.quotas.iter().filter(|quota| quota.of[candidate]).all(|quota| {
                quota.most == usize::MAX || count(&|other| quota.of[other]) < quota.most
            })
    }
}

/// Each interest's share of the slate: a quota of as many places as its importance earns, rounded
/// down, so that no interest crowds out the others and scores decide the rest.
fn fair_shares(interests: &[Interest], candidates: &Candidates, k: usize) -> Vec<Members> {
    let total: f64 = interests.iter().map(|i| i.importance).sum();
    let share = |(i, interest): (usize, &Interest)| {
        let of: Vec<bool> = candidates.interest_of.iter().map(|found| *found == Some(i)).collect();
        let earned = (k as f64 * interest.importance / total).floor() as usize;
        let n_there = of[..candidates.n_ranked].iter().filter(|is| **is).count();
        let (what, name, least) = ("quota", format!("interest {i}"), earned.min(n_there));
        Members { what, name, of, least, most: usize::MAX }
    };
    interests.iter().enumerate().map(share).collect()
}

/// Where a place lies among those that are not left to chance.
fn behind_slots(position: usize, slots: &[usize]) -> usize {
    position - slots.iter().filter(|slot| **slot < position).count()
}

/// How lately each candidate was shown; empty where the request does not rotate.
fn staleness_of(maker: &Maker<'_>, candidates: &Candidates) -> Result<Vec<f64>> {
    let Some(rotation) = maker.request.rotation else { return Ok(Vec::new()) };
    let Some(now_ms) = maker.request.now_ms else {
        return Err(Error::arg("now", "a moment, since rotation is asked for", "nothing"));
    };
    let time_ms = (rotation.hours * 3_600_000.0) as i64;
    let mut fresh = vec![0.0f64; candidates.items.len()];
    for (at_ms, _, placed) in maker.past.shown() {
        let staleness = staleness(now_ms.saturating_sub(at_ms), time_ms);
        if staleness > 0.0
            && let Some(item) = maker.index.ordinal(&placed.item)?
            && let Some(at) = candidates.items.iter().position(|c| c.ordinal == item)
        {
            fresh[at] = fresh[at].max(staleness);
        }
    }
    Ok(fresh)
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
