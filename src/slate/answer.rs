//! What an answer is made of.

use crate::ids::{Ordinal, Scored};
use crate::taste::{Interest, Share};

/// What the scores of a slate mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// What is known of the person's taste, and what the request adds to it.
    Taste,
    /// Popularity, and what the request adds to it: nothing is known of the person's taste.
    Prior,
    /// Similarity to the query, in the archive's metric.
    Similarity,
    /// Minus the number of typing errors.
    Title,
}

impl Basis {
    /// The name in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taste => "taste",
            Self::Prior => "prior",
            Self::Similarity => "similarity",
            Self::Title => "title",
        }
    }
}

/// The parts that scores are made of: for each item one number for each name, which add up to the
/// item's score in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// What the parts are: `taste`, `prior`, `freshness`, and the names of boosts.
    pub names: Vec<String>,
    /// One row an item, one number a name.
    pub values: Vec<f64>,
}

/// An answer: items with scores, in their order, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Slate {
    /// At most `k` items. Where nothing but scores decides they are `min(k, n_qualifying)`, best
    /// first: the best by taste as a search finds them; with other terms the best of each term's
    /// own best, [`Request::candidates`](super::Request::candidates) of them. Composition changes
    /// order and choice, never scores.
    pub items: Vec<Scored>,
    /// Number of items that were allowed: `where` true and not excluded.
    pub n_qualifying: usize,
    /// What the scores mean.
    pub basis: Basis,
    /// Whether the answer comes from prefixes of codes, since the rest has not arrived yet.
    pub approximate: bool,
    /// For each item the largest parts of its taste score, where they were asked for.
    pub because: Vec<Vec<Share>>,
    /// The parts of the scores, where they were asked for.
    pub parts: Option<Parts>,
    /// For each item the probability with which it came to its place given what stands before it,
    /// where that place was left to chance; empty where none was.
    pub propensities: Vec<Option<f64>>,
    /// The policy that places left to chance were filled by, with all that it depends on.
    pub policy: Option<String>,
    /// The candidates that those places were drawn from, in the order of their scores.
    pub explored: Vec<Scored>,
    /// For each item the interest of the person that found it, as a position in
    /// [`Slate::interests`]; empty where interests were not asked for.
    pub interest_of: Vec<Option<usize>>,
    /// The interests that were searched for, the most important first.
    pub interests: Vec<Interest>,
    /// How each place came to its item, where that was asked for.
    pub trace: Vec<Step>,
    /// What was asked for and could not be done: pins, pools and least quotas, and why the list is
    /// shorter than it could have been.
    pub unmet: Vec<Unmet>,
    /// Things the caller should know: excluded ids that the archive does not have.
    pub warnings: Vec<String>,
}

impl Slate {
    /// Items and what their scores mean, with nothing else to be said.
    pub(super) fn of(items: Vec<Scored>, n_qualifying: usize, basis: Basis) -> Self {
        Self {
            items,
            n_qualifying,
            basis,
            approximate: false,
            because: Vec::new(),
            parts: None,
            propensities: Vec::new(),
            policy: None,
            explored: Vec::new(),
            interest_of: Vec::new(),
            interests: Vec::new(),
            trace: Vec::new(),
            unmet: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// How a place came to its item.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The place, from 0, among those that are not left to chance.
    pub position: usize,
    /// Who has it.
    pub item: Ordinal,
    /// Why: `value`, `pin` or `pool`.
    pub reason: &'static str,
    /// Which pin or pool.
    pub rule: Option<String>,
    /// Candidates of better score that were passed over, each kind of reason once.
    pub passed: Vec<Passed>,
}

/// A candidate that was passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Who.
    pub item: Ordinal,
    /// Why: see [`compose::Why`](super::compose::Why).
    pub why: &'static str,
    /// Which cap, quota, pool or pin.
    pub rule: Option<String>,
    /// What it is too much like, and its cosine.
    pub similar: Option<(Ordinal, f64)>,
}

/// Something that was asked for and could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What: `pin`, `pool`, `quota`, or `k`, the length of the list.
    pub what: &'static str,
    /// Its name; of `k`, what held candidates back: `floor`, `cap`, `quota` and so on.
    pub name: String,
    /// How many items are missing; of `k`, how many candidates were held back.
    pub missing: usize,
}
