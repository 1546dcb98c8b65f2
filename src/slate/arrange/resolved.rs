//! A request's rules in terms of candidates, as composition works with them.

use super::Arrangement;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::slate::compose::{self, Composer, Composition, Rules, Values, staleness};
use crate::slate::make::{Candidates, Maker};
use crate::slate::mixes::wanted_mix;
use crate::slate::request::DiversityMethod;
use crate::taste::{Interest, decoded};

/// The rules in terms of candidates.
pub(super) struct Resolved {
    pub(super) k: usize,
    pub(super) vectors: Vec<f64>,
    pub(super) caps: Vec<FlatValues>,
    pub(super) quotas: Vec<Quota>,
    pub(super) pins: Vec<compose::Pin>,
    pub(super) pools: Vec<(Vec<bool>, Vec<usize>)>,
    pub(super) before: Vec<usize>,
    pub(super) staleness: Vec<f64>,
    /// Classes of the candidates and the wanted mix.
    pub(super) mix: Option<(FlatValues, Vec<f64>)>,
    pub(super) warnings: Vec<String>,
}

pub(super) struct Quota {
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) of: Vec<bool>,
    pub(super) least: usize,
    pub(super) most: usize,
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
    pub(super) fn of(
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
            vectors = decoded(index, candidates.items.iter().map(|item| item.ordinal));
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
        let mut quotas: Vec<Quota> = (a.quotas.iter())
            .map(|q| Quota {
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

    pub(super) fn compose(
        &mut self,
        a: &Arrangement<'_>,
        candidates: &Candidates,
    ) -> Result<Composition> {
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
    pub(super) fn may_follow(
        &self,
        a: &Arrangement<'_>,
        placed: &[usize],
        candidate: usize,
    ) -> bool {
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
fn fair_shares(interests: &[Interest], candidates: &Candidates, k: usize) -> Vec<Quota> {
    let total: f64 = interests.iter().map(|i| i.importance).sum();
    let share = |(i, interest): (usize, &Interest)| {
        let of: Vec<bool> = candidates.interest_of.iter().map(|found| *found == Some(i)).collect();
        let earned = (k as f64 * interest.importance / total).floor() as usize;
        let n_there = of[..candidates.n_ranked].iter().filter(|is| **is).count();
        let (what, name, least) = ("quota", format!("interest {i}"), earned.min(n_there));
        Quota { what, name, of, least, most: usize::MAX }
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
