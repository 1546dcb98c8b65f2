//! Composition: from scored candidates to the order they are shown in.
//!
//! Search and score terms say how good each item is; a good *list* is more. Composition fills one
//! place after the other, and no rule ever changes a score. For each place, in this order:
//!
//! 1. **Appointments.** A place that is pinned goes to its item; one that belongs to a pool goes
//!    to the pool's member of highest value.
//! 2. **Who may.** Out are: items of earlier pages; items below the relevance floor; values that
//!    their cap has used up and groups that have the most of their quota; members that a pool's
//!    positions still need; and, once the places left are as many as quotas lack, everyone who
//!    helps none of them.
//! 3. **Who wins.** Of the rest, the highest value:
//!
//!    `value = (1 - c) * (relevance - likeness) - c * distance`
//!
//!    with `c` the strength of calibration; `relevance` the score brought to 0 to 1 over the
//!    ranked candidates, less what rotation takes; `relevance` and `likeness` weighed as
//!    [`Diversity`] says; and `distance` the Kullback-Leibler divergence of the wanted mix from
//!    that of the list with this item. Each part by itself is the published method: without
//!    calibration MMR or greedy DPP, without diversity Steck's. Equal values go by relevance,
//!    then by the order of the candidates.
//!
//! A rule that cannot be kept is never dropped in silence: a list that falls short says what held
//! how many candidates back ([`Shortfall`]), and [`Composition::unmet`] names pins, pools and
//! quotas that went unserved. Quotas give way to caps: where caps leave a quota no member, its
//! places go to others.

mod calibrate;
mod dpp;
mod ledger;
mod mmr;
mod rotate;
mod rules;
mod space;
mod trace;
mod value;

pub use self::rotate::staleness;
pub use self::rules::{
    Calibration, Candidates, Cap, Diversity, Pin, Pool, Quota, Rotation, Rules, Values,
};
pub use self::trace::{Passed, Reason, Step, Why};

use self::ledger::{Ledger, State};
use self::trace::Tracer;
use self::value::Objective;
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::ordering::sort_best_first;

/// A composed list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Composition {
    /// The list, first place first: `k` items unless [`Composition::shortfall`] says why not.
    pub order: Vec<Chosen>,
    /// Pins, pools and quotas that could not be served in full.
    pub unmet: Vec<Unmet>,
    /// Why the list is shorter than `k`.
    pub shortfall: Option<Shortfall>,
    /// One step for each place, where [`Rules::trace`] asked for it.
    pub trace: Vec<Step>,
}

/// One place of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Who has it.
    pub candidate: usize,
    /// Why.
    pub reason: Reason,
}

/// Something that was asked for and could not be done. Numbers are positions in the rules' lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The pinned item was on an earlier page, and does not come again.
    Pin(usize),
    /// The pool had no member left for `missing` of its positions, which went to others.
    Pool {
        /// Which.
        pool: usize,
        /// Positions without a member.
        missing: usize,
    },
    /// The quota lacks `missing` items.
    Quota {
        /// Which.
        quota: usize,
        /// Items below its least.
        missing: usize,
    },
}

/// Why a list is shorter than was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortfall {
    /// Number of places that stayed empty.
    pub missing: usize,
    /// What held ranked candidates back (floor, caps, quotas, earlier pages), with their number,
    /// most first. Empty where there were simply too few candidates.
    pub held_back: Vec<(Why, usize)>,
}

/// Composes lists; its memory serves one after the other.
///
/// ```
/// use nearfield::compose::{Candidates, Cap, Composer, Rules, Values};
/// use nearfield::{Ordinal, Scored};
///
/// let items = [(4, 0.9), (8, 0.8), (1, 0.7), (6, 0.2)];
/// let items = items.map(|(item, score)| Scored { ordinal: Ordinal(item), score });
/// let candidates = Candidates { items: &items, n_ranked: 4, ..Candidates::default() };
/// // The first three are by one artist; the last is by another.
/// let artists = Values { starts: &[0, 1, 2, 3, 4], codes: &[7, 7, 7, 5] };
/// let caps = [Cap { name: "artist", most: 2, values: artists }];
/// let rules = Rules { k: 3, caps: &caps, ..Rules::default() };
/// let list = Composer::default().compose(&candidates, &rules)?;
/// assert_eq!(list.order.iter().map(|c| c.candidate).collect::<Vec<_>>(), [0, 1, 3]);
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Default)]
pub struct Composer {
    objective: Objective,
}

/// A position that is given away beforehand.
#[derive(Clone, Copy)]
struct Appointment {
    position: usize,
    reason: Reason,
}

impl Composer {
    /// Composes a list.
    ///
    /// Cost, for `n` candidates: by score alone the sort of them; with diversity
    /// `k * n * (dim + window)` multiplications, with calibration `k * n` times the number of an
    /// item's classes, caps and quotas linear in their values. A trace adds `k * n` looks.
    ///
    /// # Errors
    /// [`Error::Arg`](crate::Error::Arg) for a `k` outside 1 to 10,000, weights outside 0 to 1 or
    /// not numbers, data that does not fit the number of candidates, quotas that contradict each
    /// other, and positions outside the list or given away twice.
    pub fn compose(
        &mut self,
        candidates: &Candidates<'_>,
        rules: &Rules<'_>,
    ) -> Result<Composition> {
        rules::check(candidates, rules)?;
        let objective = &mut self.objective;
        objective.reset(candidates, rules)?;
        let mut ledger = Ledger::new(candidates, rules, objective.relevance());
        objective.add_earlier(rules.before);
        let mut tracer = rules.trace.then(|| Tracer::new(candidates.items, candidates.n_ranked));
        let mut list = Composition::default();
        let mut appointments = appointments(rules);
        let mut n_kept = 0;
        let mut empty_slots = vec![0; rules.pools.len()];

        while list.order.len() < rules.k {
            let position = list.order.len();
            let due = appointments.get(n_kept).filter(|a| a.position <= position).copied();
            let (chosen, reason) = match due.map(|a| a.reason) {
                Some(Reason::Pin(pin)) => {
                    let candidate = rules.pins[pin].candidate;
                    let is_there = ledger.state(candidate) == State::Pinned;
                    (is_there.then_some(candidate), Reason::Pin(pin))
                }
                Some(Reason::Pool(pool)) => {
                    ledger.begin_slot(pool);
                    (best(objective, &ledger, Some(pool)), Reason::Pool(pool))
                }
                Some(Reason::Value) | None => {
                    let n_free = (rules.k + n_kept).saturating_sub(position + appointments.len());
                    ledger.prepare(n_free);
                    let mut chosen = best(objective, &ledger, None);
                    if chosen.is_none() && ledger.relax() {
                        chosen = best(objective, &ledger, None);
                    }
                    (chosen, Reason::Value)
                }
            };
            n_kept += usize::from(due.is_some());
            match (chosen, reason) {
                (Some(candidate), _) => {
                    if let Some(tracer) = &mut tracer {
                        tracer.note(candidate, reason, &ledger, objective);
                    }
                    ledger.place(candidate);
                    list.order.push(Chosen { candidate, reason });
                    if list.order.len() < rules.k {
                        objective.add(candidate);
                    }
                }
                // The place goes to others in the next round.
                (None, Reason::Pin(pin)) => list.unmet.push(Unmet::Pin(pin)),
                (None, Reason::Pool(pool)) => empty_slots[pool] += 1,
                // Nobody is left but who has an appointment: those move up.
                (None, Reason::Value) => match appointments.get_mut(n_kept) {
                    Some(next) => next.position = position,
                    None => break,
                },
            }
        }

        let pools = empty_slots.into_iter().enumerate().filter(|&(_, missing)| missing > 0);
        list.unmet.extend(pools.map(|(pool, missing)| Unmet::Pool { pool, missing }));
        let quotas = (0..rules.quotas.len()).map(|quota| (quota, ledger.lacks(quota)));
        let quotas = quotas.filter(|&(_, missing)| missing > 0);
        list.unmet.extend(quotas.map(|(quota, missing)| Unmet::Quota { quota, missing }));
        let missing = rules.k - list.order.len();
        if missing > 0 {
            let held_back = held_back(&ledger, candidates.n_ranked);
            list.shortfall = Some(Shortfall { missing, held_back });
        }
        list.trace = tracer.map(|t| t.steps).unwrap_or_default();
        Ok(list)
    }
}

/// The winner of the next place, which belongs to `pool` if to any.
fn best(objective: &mut Objective, ledger: &Ledger<'_>, pool: Option<usize>) -> Option<usize> {
    let is_allowed = |i| ledger.refusal(i, pool).is_none();
    objective.best(&is_allowed, &|i| ledger.is_gone(i))
}

/// Pins and positions of pools, first position first.
fn appointments(rules: &Rules<'_>) -> Vec<Appointment> {
    let mut all = Vec::new();
    for (i, pin) in rules.pins.iter().enumerate() {
        all.push(Appointment { position: pin.position, reason: Reason::Pin(i) });
    }
    for (i, pool) in rules.pools.iter().enumerate() {
        let positions = pool.positions.iter();
        all.extend(positions.map(|&position| Appointment { position, reason: Reason::Pool(i) }));
    }
    let key = |(i, a): (usize, &Appointment)| {
        let score = -(a.position as f64);
        Scored { ordinal: Ordinal(i as u32), score }
    };
    let mut order: Vec<Scored> = all.iter().enumerate().map(key).collect();
    sort_best_first(&mut order);
    order.iter().map(|s| all[s.ordinal.index()]).collect()
}

/// What keeps ranked candidates out of a list that is too short, most first.
fn held_back(ledger: &Ledger<'_>, n_ranked: usize) -> Vec<(Why, usize)> {
    let mut counts: Vec<(Why, usize)> = Vec::new();
    for i in (0..n_ranked).filter(|&i| ledger.state(i) != State::Placed) {
        let Some(why) = ledger.refusal(i, None) else { continue };
        match counts.iter_mut().find(|(known, _)| *known == why) {
            Some((_, n)) => *n += 1,
            None => counts.push((why, 1)),
        }
    }
    // Few kinds: insertion.
    for i in 1..counts.len() {
        let mut at = i;
        while at > 0 && counts[at - 1].1 < counts[at].1 {
            counts.swap(at - 1, at);
            at -= 1;
        }
    }
    counts
}
