//! The reasons behind an order, for machines: plain numbers and names.

use super::ledger::{Ledger, State};
use super::value::Objective;
use crate::ids::Scored;

/// Why an item has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It had the highest value of all that were allowed.
    Value,
    /// It is pinned: position in [`Rules::pins`](super::Rules::pins).
    Pin(usize),
    /// The place belongs to this pool.
    Pool(usize),
}

impl Reason {
    /// The name in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Pin(_) => "pin",
            Self::Pool(_) => "pool",
        }
    }

    /// Which pin or pool.
    #[must_use]
    pub const fn rule(self) -> Option<usize> {
        match self {
            Self::Value => None,
            Self::Pin(i) | Self::Pool(i) => Some(i),
        }
    }
}

/// Why an item was passed over, or held back. Numbers are positions in the rules' lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// Below the relevance floor.
    Floor,
    /// A value of it came as often as this cap allows.
    Cap(usize),
    /// This quota has its most.
    Quota(usize),
    /// The places left are needed by this quota, which it does not belong to.
    QuotaReserve(usize),
    /// It is kept for a position of this pool.
    PoolReserve(usize),
    /// The position belongs to this pool, which it does not belong to.
    Pool(usize),
    /// The position belongs to this pin.
    Pin(usize),
    /// It is pinned to a position of its own.
    Pinned,
    /// An earlier page showed it.
    Shown,
    /// It is not ranked: there for pins and pools alone.
    Unranked,
    /// It is too much like what stands before it.
    Similar {
        /// The most similar item of the window.
        to: usize,
        /// Its cosine.
        similarity: f64,
    },
    /// It would take the list farther from the wanted mix.
    Calibration,
    /// It was shown lately.
    Rotation,
}

impl Why {
    /// The name in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Cap(_) => "cap",
            Self::Quota(_) => "quota",
            Self::QuotaReserve(_) => "quotaReserve",
            Self::PoolReserve(_) => "poolReserve",
            Self::Pool(_) => "pool",
            Self::Pin(_) => "pin",
            Self::Pinned => "pinned",
            Self::Shown => "shown",
            Self::Unranked => "unranked",
            Self::Similar { .. } => "similar",
            Self::Calibration => "calibration",
            Self::Rotation => "rotation",
        }
    }

    /// Which cap, quota, pool or pin.
    #[must_use]
    pub const fn rule(self) -> Option<usize> {
        match self {
            Self::Cap(i)
            | Self::Quota(i)
            | Self::QuotaReserve(i)
            | Self::PoolReserve(i)
            | Self::Pool(i)
            | Self::Pin(i) => Some(i),
            _ => None,
        }
    }

    /// One bit a kind.
    const fn bit(self) -> u16 {
        1 << match self {
            Self::Floor => 0,
            Self::Cap(_) => 1,
            Self::Quota(_) => 2,
            Self::QuotaReserve(_) => 3,
            Self::PoolReserve(_) => 4,
            Self::Pool(_) => 5,
            Self::Pin(_) => 6,
            Self::Pinned => 7,
            Self::Shown => 8,
            Self::Unranked => 9,
            Self::Similar { .. } => 10,
            Self::Calibration => 11,
            Self::Rotation => 12,
        }
    }
}

/// One place of the list, and whom it was not given to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The place, from 0.
    pub position: usize,
    /// Who has it.
    pub candidate: usize,
    /// Why.
    pub reason: Reason,
    /// Ranked candidates of better score that were passed over here for a kind of reason that no
    /// earlier step gave for them. The last entry that names a candidate says why it is missing.
    pub passed: Vec<Passed>,
}

/// A candidate that was passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passed {
    /// Who.
    pub candidate: usize,
    /// Why.
    pub why: Why,
}

/// Writes the steps down.
pub(super) struct Tracer<'a> {
    items: &'a [Scored],
    n_ranked: usize,
    /// For each candidate the kinds of reason that were given: no step repeats them, so that a
    /// trace grows with the candidates and not with their number times that of places.
    given: Vec<u16>,
    pub(super) steps: Vec<Step>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(items: &'a [Scored], n_ranked: usize) -> Self {
        Self { items, n_ranked, given: vec![0; n_ranked], steps: Vec::new() }
    }

    /// Notes that `chosen` is about to get the next place.
    pub(super) fn note(
        &mut self,
        chosen: usize,
        reason: Reason,
        ledger: &Ledger<'_>,
        objective: &mut Objective,
    ) {
        let score = self.items[chosen].score;
        let mut passed = Vec::new();
        for (candidate, given) in self.given.iter_mut().enumerate().take(self.n_ranked) {
            let is_placed = ledger.state(candidate) == State::Placed;
            if candidate == chosen || is_placed || self.items[candidate].score <= score {
                continue;
            }
            let pool = match reason {
                Reason::Pool(pool) => Some(pool),
                _ => None,
            };
            let why = match (ledger.refusal(candidate, pool), reason) {
                // What a pin's position means for others says nothing of them.
                (None | Some(Why::QuotaReserve(_) | Why::PoolReserve(_)), Reason::Pin(pin)) => {
                    Why::Pin(pin)
                }
                (Some(why), _) => why,
                (None, _) => objective.why(candidate, chosen),
            };
            if *given & why.bit() == 0 {
                *given |= why.bit();
                passed.push(Passed { candidate, why });
            }
        }
        let position = self.steps.len();
        self.steps.push(Step { position, candidate: chosen, reason, passed });
    }
}
