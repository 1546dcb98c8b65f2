//! What a recommendation is asked for.
//!
//! One type says everything that a request may say, natively, in JavaScript and in the scenarios
//! of an archive. Its members have one-word names, so that they are the same everywhere. Ranges
//! are checked where a request is read, and again where it is used ([`Request::check`]), since a
//! native program may fill in the members itself.

mod read;

pub(super) use self::read::MEMBERS;
use crate::error::{Error, Number, Result, quoted};
use crate::kind::Kind;
use crate::search::Effort;
use crate::slate::Limits;
use crate::taste::{TasteOptions, Window};

/// Most items of one answer.
pub(super) const MAX_K: usize = 10_000;
/// Most candidates that a slate is composed from.
const MAX_CANDIDATES: usize = 10_000;
/// Most interests that are searched for at once.
const MAX_INTERESTS: usize = 8;

/// A request for recommendations. The default asks for the best ten by taste, without anything
/// else: what scenarios and callers add is all there is to see in an answer.
///
/// ```
/// use nearfield::{Request, Scenarios};
///
/// let request = Request::from_json(
///     r#"{"k": 20, "where": "year >= 1990", "diversity": {"strength": 0.3}, "caps": {"label": 2}}"#,
///     &Scenarios::default(),
/// )?;
/// assert_eq!(request.k, 20);
/// assert_eq!(request.caps[0].most, 2);
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Number of items asked for, 1 to 10,000. JSON: `k`. Default: 10.
    pub k: usize,
    /// Which items may come back: a condition, in either spelling of the language. JSON: `where`.
    pub where_: Option<String>,
    /// Parameters of the conditions of this request: a JSON object. JSON: `params`.
    pub params: Option<String>,
    /// The moment that the answer is for: milliseconds since 1970. Without it nothing decays, and
    /// conditions about ages are refused. JSON: `now`.
    pub now_ms: Option<i64>,
    /// Ids that must not come back. JSON: `exclude`.
    pub exclude: Vec<String>,
    /// How much of the archive to look at. JSON: `recall`, a number or `"exhaustive"`.
    pub effort: Effort,
    /// Whether items that the person knows may come back. JSON: `seen`, `"include"` or `"exclude"`.
    /// Default: no.
    pub include_seen: bool,
    /// How many reasons each item carries, 0 to 1,000. JSON: `explain`. Default: 0.
    pub explain: usize,
    /// Seed of everything that is drawn. JSON: `seed`, 0 to 2^53. Default: 0.
    pub seed: u64,
    /// What is known of the situation: key-value pairs, sorted by key. JSON: `context`, an object.
    pub context: Vec<(String, String)>,
    /// How much interactions count less whose context differs from the request's: 0 not at all, 1
    /// leaves them out. JSON: `focus`. Default: 0.
    pub focus: f64,
    /// Windows of time that taste is made of. JSON: `windows`, a list of `{"name", "days",
    /// "weight"}`. Default: all of the past.
    pub windows: Vec<Window>,
    /// Half-lives in days, instead of each kind's own. JSON: `halflives`, an object of kinds; null
    /// means that they do not fade.
    pub half_lives: Vec<(Kind, Option<f64>)>,
    /// How many interests of the person to search for. JSON: `interests`, 0 to 8 or `"auto"`.
    /// Default: 0, one taste for everything.
    pub interests: Interests,
    /// Columns of tags and categories that interests are named by. JSON: `labels`. Default: none.
    pub labels: Vec<String>,
    /// Weight of the taste term. JSON: `weights.taste`. Default: 1.
    pub taste_weight: f64,
    /// Weight of the popularity prior, a term from 0 to 1, for somebody whose taste is known. JSON:
    /// `weights.prior`. Default: 0.
    pub prior_weight: f64,
    /// What newness is worth. JSON: `freshness`. Default: nothing.
    pub freshness: Option<Freshness>,
    /// What is added for items of which a condition is true, or by a formula: what one wants to
    /// push, and business objectives. JSON: `boosts`.
    pub boosts: Vec<Boost>,
    /// The least relevance, 0 to 1: an item's score between the lowest and highest of the
    /// candidates. JSON: `floor`. Default: 0.
    pub floor: f64,
    /// How unlike each other the items are to be. JSON: `diversity`.
    pub diversity: Option<Diversity>,
    /// Which mix of values the items are to have. JSON: `calibration`.
    pub calibration: Option<Calibration>,
    /// Most items with the same value. JSON: `caps`, an object: `{"artist": 2}`.
    pub caps: Vec<Cap>,
    /// Least and most shares of items of which a condition is true. JSON: `quotas`.
    pub quotas: Vec<Quota>,
    /// Items with a fixed place. JSON: `pins`.
    pub pins: Vec<Pin>,
    /// Hand-picked items of which some are to come back, in the person's order. JSON: `pools`.
    pub pools: Vec<Pool>,
    /// Lets items that were shown lately stand back. JSON: `rotation`.
    pub rotation: Option<Rotation>,
    /// Places that are left to chance, so that something is learned. JSON: `explore`.
    pub explore: Option<Explore>,
    /// Number of candidates that a slate is made from where more than taste decides, up to 10,000.
    /// JSON: `candidates`. Default: ten times `k`, at least 200.
    pub candidates: Option<usize>,
    /// Ids that earlier pages of the same slate showed: they do not come again, and caps and
    /// diversity take them into account. JSON: `after`.
    pub after: Vec<String>,
    /// Whether each item carries the parts of its score. JSON: `parts`. Default: no.
    pub parts: bool,
    /// Whether the answer says why better-scored items were passed over. JSON: `trace`. Default: no.
    pub trace: bool,
}

/// How many interests to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interests {
    /// As many as the history has.
    Auto,
    /// At most so many; 0 is one taste for everything.
    Most(usize),
}

/// What newness is worth: `weight * 2^(-age / days)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    /// The column of dates. JSON: `field`.
    pub field: String,
    /// The age, in days, at which half of the worth is gone; positive. JSON: `days`.
    pub days: f64,
    /// The worth of an item of today. JSON: `weight`.
    pub weight: f64,
}

/// An addend of the score: `weight` times a condition (1 or 0) or a formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Boost {
    /// The name of its part. JSON: `name`. Default: its program.
    pub name: String,
    /// A condition or a formula. JSON: `where` or `value`.
    pub program: String,
    /// Whether it is a condition.
    pub is_condition: bool,
    /// What it is multiplied by. JSON: `weight`.
    pub weight: f64,
}

/// How unlike each other the items are to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diversity {
    /// By what rule. JSON: `method`, `"mmr"` or `"dpp"`. Default: mmr.
    pub method: DiversityMethod,
    /// From 0, where scores alone decide, to 1. JSON: `strength`.
    pub strength: f64,
}

/// A rule for diversity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiversityMethod {
    /// Maximal marginal relevance.
    Mmr,
    /// The greedy mode of a determinantal point process.
    Dpp,
}

/// Which mix of values the items are to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The column: categories, tags, flags, whole numbers or dates. A given mix names values of the
    /// first three; a bandit takes flags, or categories of at most 64 values. JSON: `field`.
    pub field: String,
    /// From 0, where scores alone decide, to 1, where the mix alone does. JSON: `strength`.
    pub strength: f64,
    /// The mix. JSON: `target`: `"history"`, `"bandit"` or an object of shares. Default: the history.
    pub target: Mix,
}

/// Where the mix of a calibration comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Mix {
    /// From the person's history: how much of what they liked has each value.
    History,
    /// From a contextual bandit, which learns from answers to earlier slates what is wanted in
    /// this [`Request::context`]. See [`crate::bandit`].
    Bandit,
    /// From the caller: values with shares, in any unit.
    Given(Vec<(String, f64)>),
}

/// Most items with the same value of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    /// The column of categories, tags, flags, whole numbers or dates.
    pub field: String,
    /// How many items of one value, at least 1.
    pub most: usize,
}

/// Least and most shares of items of which a condition is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// The name in traces and shortfalls. JSON: `name`. Default: its condition.
    pub name: String,
    /// The condition. JSON: `where`.
    pub where_: String,
    /// The least share of the slate, 0 to 1, rounded up to items. JSON: `least`. Default: 0.
    pub least: f64,
    /// The greatest share of the slate, 0 to 1, rounded down to items. JSON: `most`. Default: 1.
    pub most: f64,
}

/// An item with a fixed place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its id. JSON: `item`.
    pub item: String,
    /// Its place, from 0. JSON: `position`.
    pub position: usize,
}

/// Hand-picked items of which some are to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The name in traces and shortfalls. JSON: `name`.
    pub name: String,
    /// The ids. JSON: `items`.
    pub items: Vec<String>,
    /// The places that belong to them, from 0; the best of them for this person first. JSON:
    /// `positions`. Default: none.
    pub positions: Vec<usize>,
    /// How many of them are to come back at least, wherever they stand. JSON: `least`. Default: 0.
    pub least: usize,
}

/// Lets items that were shown lately stand back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    /// The share of its relevance, 0 to 1, that an item loses by being shown. JSON: `rate`.
    pub rate: f64,
    /// After how many hours it has it back, positive. JSON: `hours`.
    pub hours: f64,
}

/// Places that are left to chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Explore {
    /// The places, from 0, each once. JSON: `slots`.
    pub slots: Vec<usize>,
    /// How they are drawn. JSON: `method`, `"softmax"` or `"thompson"`. Default: softmax.
    pub method: ExploreMethod,
    /// Softmax: the difference of relevance that makes one item e times as probable as another;
    /// Thompson: standard deviations of the posterior. Positive. JSON: `temperature`. Default: 0.1,
    /// and 1 for Thompson.
    pub temperature: f64,
    /// How many candidates are drawn from, 2 to 1,000. JSON: `candidates`. Default: 50.
    pub candidates: usize,
}

/// How a place is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExploreMethod {
    /// By the softmax of relevance, without replacement: propensities are exact.
    Softmax,
    /// The best of a draw from the posterior of the taste: propensities are estimated.
    Thompson,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            k: 10,
            where_: None,
            params: None,
            now_ms: None,
            exclude: Vec::new(),
            effort: Effort::Usual,
            include_seen: false,
            explain: 0,
            seed: 0,
            context: Vec::new(),
            focus: 0.0,
            windows: vec![Window::all()],
            half_lives: Vec::new(),
            interests: Interests::Most(0),
            labels: Vec::new(),
            taste_weight: 1.0,
            prior_weight: 0.0,
            freshness: None,
            boosts: Vec::new(),
            floor: 0.0,
            diversity: None,
            calibration: None,
            caps: Vec::new(),
            quotas: Vec::new(),
            pins: Vec::new(),
            pools: Vec::new(),
            rotation: None,
            explore: None,
            candidates: None,
            after: Vec::new(),
            parts: false,
            trace: false,
        }
    }
}

const DAY_MS: f64 = 86_400_000.0;

/// A number that weighs something, either way.
const WEIGHTS: f64 = 1e6;
/// The longest time in days that anything may refer to: a thousand years.
const MAX_DAYS: f64 = 365_250.0;

impl Request {
    /// Refuses what no request may say, for requests that were not read from JSON.
    ///
    /// # Errors
    /// [`Error::Arg`] that names the member.
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_K).contains(&self.k) {
            return Err(Error::arg("k", format!("a whole number from 1 to {MAX_K}"), self.k));
        }
        let shares = [("floor", self.floor), ("focus", self.focus)];
        let strengths = [
            ("diversity.strength", self.diversity.map_or(0.0, |d| d.strength)),
            ("calibration.strength", self.calibration.as_ref().map_or(0.0, |c| c.strength)),
            ("rotation.rate", self.rotation.map_or(0.0, |r| r.rate)),
        ];
        for (path, x) in shares.into_iter().chain(strengths) {
            if !(0.0..=1.0).contains(&x) {
                return Err(Error::arg(path, "a number from 0 to 1", Number(x)));
            }
        }
        let weights = [("weights.taste", self.taste_weight), ("weights.prior", self.prior_weight)];
        let boosts = self.boosts.iter().map(|b| ("boosts", b.weight));
        let freshness = self.freshness.iter().map(|f| ("freshness.weight", f.weight));
        for (path, x) in weights.into_iter().chain(boosts).chain(freshness) {
            if !(x.abs() <= WEIGHTS) {
                return Err(Error::arg(path, "a number within ±1e6", Number(x)));
            }
        }
        let days = self.freshness.iter().map(|f| ("freshness.days", f.days));
        let hours = self.rotation.iter().map(|r| ("rotation.hours", r.hours / 24.0));
        let temperatures = self.explore.iter().map(|e| ("explore.temperature", e.temperature));
        for (path, x) in days.chain(hours).chain(temperatures) {
            if !(x > 0.0 && x <= WEIGHTS) {
                return Err(Error::arg(path, "a positive number up to 1e6", Number(x)));
            }
        }
        for quota in &self.quotas {
            if !(0.0 <= quota.least && quota.least <= quota.most && quota.most <= 1.0) {
                let expected = "shares with 0 <= least <= most <= 1";
                let found = format!("least {}, most {}", Number(quota.least), Number(quota.most));
                let path = format!("quotas, {}", quoted(&quota.name));
                return Err(Error::arg(path, expected, found));
            }
        }
        if self.caps.iter().any(|cap| cap.most == 0) {
            return Err(Error::arg("caps", "at least 1 for each field", 0));
        }
        if let Some(candidates) = self.candidates.filter(|n| !(1..=MAX_CANDIDATES).contains(n)) {
            let expected = format!("a whole number from 1 to {MAX_CANDIDATES}");
            return Err(Error::arg("candidates", expected, candidates));
        }
        Ok(())
    }

    /// Refuses places that the list does not have, or that are given away twice. Asked where a
    /// request is used and not where it is read: a scenario may leave `k` to its callers.
    ///
    /// # Errors
    /// [`Error::Arg`] that names the member.
    pub(super) fn check_places(&self) -> Result<()> {
        let mut is_taken = vec![false; self.k];
        let mut take = |place: usize, path: &dyn Fn() -> String| match is_taken.get_mut(place) {
            Some(is_taken) if !*is_taken => {
                *is_taken = true;
                Ok(())
            }
            Some(_) => Err(Error::arg(path(), "a place that nothing else has", place)),
            None => Err(Error::arg(path(), format!("a place below k, {}", self.k), place)),
        };
        for slot in self.explore.iter().flat_map(|explore| &explore.slots) {
            take(*slot, &|| "explore.slots".into())?;
        }
        for (i, pin) in self.pins.iter().enumerate() {
            take(pin.position, &|| format!("pins[{i}].position"))?;
            if self.pins[..i].iter().any(|other| other.item == pin.item) {
                let path = format!("pins[{i}].item");
                return Err(Error::arg(path, "an item that is pinned once", quoted(&pin.item)));
            }
        }
        for (i, pool) in self.pools.iter().enumerate() {
            for place in &pool.positions {
                take(*place, &|| format!("pools[{i}].positions"))?;
            }
        }
        Ok(())
    }

    /// The part that says which items may come back.
    pub(crate) fn limits(&self) -> Limits<'_> {
        Limits {
            k: self.k,
            where_: self.where_.as_deref(),
            params: self.params.as_deref(),
            now_ms: self.now_ms,
            exclude: &self.exclude,
            effort: self.effort,
        }
    }

    /// The part that says what of the past counts.
    pub(super) fn taste_options(&self) -> TasteOptions {
        TasteOptions {
            now_ms: self.now_ms,
            half_lives: self.half_lives.clone(),
            windows: self.windows.clone(),
            context: self.context.clone(),
            context_strength: self.focus,
        }
    }

    /// Whether the order of the answer is more than that of scores.
    pub(super) fn is_composed(&self) -> bool {
        self.floor > 0.0
            || self.diversity.is_some_and(|d| d.strength > 0.0)
            || self.calibration.as_ref().is_some_and(|c| c.strength > 0.0)
            || !self.caps.is_empty()
            || !self.quotas.is_empty()
            || !self.pins.is_empty()
            || !self.pools.is_empty()
            || self.rotation.is_some_and(|r| r.rate > 0.0)
            || self.explore.is_some()
            || self.interests != Interests::Most(0)
            || self.trace
    }

    /// How many candidates the slate is made from.
    pub(super) fn n_candidates(&self) -> usize {
        self.candidates.unwrap_or((10 * self.k).clamp(200, MAX_CANDIDATES)).max(self.k)
    }
}
