//! From a request to the list that is shown.
//!
//! A [`Recommender`] owns an opened archive, a person's profile and the working memory between
//! them; the command line, the WebAssembly surface and native programs all go through it.

mod answer;
mod arrange;
pub mod bandit;
mod cache;
pub mod compose;
mod draw;
pub mod explore;
mod gather;
mod make;
mod mixes;
mod person;
mod prior;
mod request;
mod scenario;
mod terms;

pub use self::answer::{Basis, Parts, Passed, Slate, Step, Unmet};
pub use self::request::{
    Boost, Calibration, Cap, Diversity, DiversityMethod, Explore, ExploreMethod, Freshness,
    Interests, Mix, Pin, Pool, Quota, Request, Rotation,
};
pub use self::scenario::Scenarios;

use self::cache::Cache;
use self::person::Known;
use self::prior::Prior;
use self::request::MAX_K;
use crate::catalog::{Catalog, Expr, Predicate, Scope};
use crate::error::{Error, Result, quoted};
use crate::ids::Scored;
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::search::{Effort, Query, Searcher};
use crate::taste::{
    ColdStart, Entry, Event, NeighbourScores, PairDistances, Profile, Reading, Selector, Taste,
};

/// Which items may come back, and how many.
#[derive(Clone, Debug)]
pub struct Limits<'a> {
    /// Number of items asked for, 1 to 10,000.
    pub k: usize,
    /// Which items may come back: a condition, in either spelling of the language ([`Expr`]).
    pub where_: Option<&'a str>,
    /// Parameters of the condition: a JSON object of literals and lists of them.
    pub params: Option<&'a str>,
    /// The moment that the condition's ages and durations are counted from: milliseconds since
    /// 1970. A condition that has none needs none.
    pub now_ms: Option<i64>,
    /// Ids that must not come back.
    pub exclude: &'a [String],
    /// How much of the archive to look at.
    pub effort: Effort,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self {
            k: 10,
            where_: None,
            params: None,
            now_ms: None,
            exclude: &[],
            effort: Effort::Usual,
        }
    }
}

/// What "more like this" starts from.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// An item of the catalog. It does not come back itself.
    Item(&'a str),
    /// A vector in the space of the builder's input.
    Vector(&'a [f32]),
}

/// An archive, a person, and the answers for them.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
/// use nearfield::{AlignedBytes, Entry, Event, Index, Interaction, Kind, Recommender, Request};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let mut nf = Recommender::new(index);
/// let like = Interaction::new("17", Kind::Like);
/// nf.record(Entry {
///     device: "phone".into(), sequence: 0, at_ms: 1.7e12, event: Event::Interaction(like),
/// })?;
/// let slate = nf.recommend(&Request { k: 3, explain: 1, ..Request::default() })?;
/// assert_eq!(slate.items.len(), 3);
/// assert_eq!(nf.index().id(slate.because[0][0].item)?, "17");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Recommender {
    index: Index,
    profile: Profile,
    searcher: Searcher,
    /// The items that the last request allowed; its memory serves the next.
    allowed: ItemSet,
    /// What this archive makes of the profile; told of each change of it.
    reading: Reading,
    /// What was last made of the profile as it stands.
    known: Option<Known>,
    /// What was folded in before the profile changed: the next fold-in takes over from it.
    folded_before: Option<Taste>,
    /// Distances between the items of the history that interests were last found in.
    distances: PairDistances,
    /// The archive's prior, once a request has asked for it; `None` inside where it has none.
    prior: Option<Option<Prior>>,
    /// What is believed before anything is known, once a request has asked for it.
    cold_start: Option<ColdStart>,
    /// Scenarios that the caller gave.
    scenarios: Scenarios,
    /// Sums of weights between items, for the last history.
    neighbours: NeighbourScores,
    cache: Cache,
}

impl Recommender {
    /// For an archive and an empty profile.
    #[must_use]
    pub fn new(index: Index) -> Self {
        Self {
            index,
            profile: Profile::default(),
            searcher: Searcher::new(),
            allowed: ItemSet::default(),
            reading: Reading::default(),
            known: None,
            folded_before: None,
            distances: PairDistances::default(),
            prior: None,
            cold_start: None,
            scenarios: Scenarios::default(),
            neighbours: NeighbourScores::default(),
            cache: Cache::default(),
        }
    }

    /// The archive.
    #[must_use]
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// Takes notice that the first `arrived` bytes of the archive are in its buffer now.
    ///
    /// # Errors
    /// As [`Index::arrive`].
    pub fn arrive(&mut self, arrived: usize) -> Result<()> {
        // What was folded in from prefixes is folded in again from whole codes.
        self.known = None;
        self.folded_before = None;
        self.distances = PairDistances::default();
        self.cold_start = None;
        self.index.arrive(arrived)
    }

    /// The columns.
    #[must_use]
    pub const fn catalog(&self) -> Catalog<'_> {
        Catalog::new(&self.index)
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Adds an entry to the profile; the next answer knows it. `Ok(false)` where it was there.
    ///
    /// # Errors
    /// As [`Profile::append`]; [`Error::Filter`] too for an exclusion by a condition that does not
    /// compile for this archive.
    pub fn record(&mut self, entry: Entry) -> Result<bool> {
        if let Event::Exclude { selector: Selector { where_: Some(program), .. }, .. } =
            &entry.event
        {
            Predicate::compile(self.catalog(), &Expr::read(program)?, &Scope::default())?;
        }
        let is_word = matches!(entry.event, Event::Exclude { .. } | Event::Include { .. });
        let Some(place) = self.profile.insert(entry)? else { return Ok(false) };
        self.reading.forget_from(place);
        // Interactions, which come often, leave the exclusions as they are, and never take the
        // place of a word about them.
        if is_word {
            self.reading.forget_exclusions();
        }
        self.profile_changed();
        Ok(true)
    }

    /// Forgets the person.
    pub fn clear_profile(&mut self) {
        self.profile = Profile::default();
        self.reading = Reading::default();
        self.profile_changed();
        self.folded_before = None;
    }

    /// Drops from the profile what is older than a maximum age; see [`Profile::compact`]. Returns
    /// how many entries were dropped.
    pub fn compact_profile(&mut self, now_ms: i64, max_age_ms: u64) -> usize {
        let n_dropped = self.profile.compact(now_ms, max_age_ms);
        // The words that count are the same; entries stand elsewhere.
        self.reading.forget_from(0);
        self.profile_changed();
        n_dropped
    }

    fn profile_changed(&mut self) {
        self.forget_known();
        self.cache.profile_changed();
    }

    /// The items nearest to an item or a vector.
    ///
    /// # Errors
    /// [`Error::Arg`] for an unknown item, a vector or `k` that does not fit, [`Error::Filter`]
    /// for a `where` that does not compile.
    pub fn similar(&mut self, target: Target<'_>, limits: &Limits<'_>) -> Result<Slate> {
        let (mut allowed, warnings) = self.allowed(limits)?;
        let query = match target {
            Target::Vector(vector) => Query::new(&self.index, vector)?,
            Target::Item(id) => {
                let item = self.index.ordinal(id)?.ok_or_else(|| {
                    Error::arg("id", "the id of an item of this archive", quoted(id))
                })?;
                allowed.remove(item);
                Query::item(&self.index, item)?
            }
        };
        let items =
            self.searcher.search(&self.index, &query, limits.k, &allowed, limits.effort).to_vec();
        let n_qualifying = allowed.count();
        self.allowed = allowed;
        let approximate = !self.index.is_refined();
        Ok(Slate { approximate, warnings, ..Slate::of(items, n_qualifying, Basis::Similarity) })
    }

    /// Items by title, of those that the limits allow; see [`Catalog::find`]. Scores are minus the
    /// number of typing errors, and [`Slate::n_qualifying`] is the number of items found.
    ///
    /// # Errors
    /// As [`Catalog::find`] and [`Recommender::similar`].
    pub fn find(&mut self, text: &str, limits: &Limits<'_>) -> Result<Slate> {
        let (allowed, warnings) = self.allowed(limits)?;
        let found = self.catalog().find(text, limits.k, &allowed)?;
        let items: Vec<Scored> = found
            .iter()
            .map(|m| Scored { ordinal: m.item, score: 0.0 - f64::from(m.n_errors) })
            .collect();
        let n_qualifying = items.len();
        Ok(Slate { warnings, ..Slate::of(items, n_qualifying, Basis::Title) })
    }

    /// The items for which the condition of `limits` is true, with this person's history; all of
    /// them without a condition. Its `k` and `exclude` say nothing here.
    ///
    /// Cost: nothing where the same was asked lately, with the same parameters, no change of the
    /// profile that the condition could see, and a moment that makes no difference to it; else see
    /// [`Predicate::select`].
    ///
    /// # Errors
    /// As [`Expr::read`] and [`Predicate::compile`].
    pub fn select(&mut self, limits: &Limits<'_>) -> Result<ItemSet> {
        let mut set = ItemSet::default();
        self.select_into(limits, &mut set)?;
        Ok(set)
    }

    fn select_into(&mut self, limits: &Limits<'_>, set: &mut ItemSet) -> Result<()> {
        let Some(program) = limits.where_ else {
            set.refill(self.index.len());
            return Ok(());
        };
        let past = self.reading.past(&self.profile, &self.index)?;
        let Limits { params, now_ms, .. } = *limits;
        let scope = Scope { params, now_ms, history: Some(&past) };
        set.copy_from(self.cache.select(Catalog::new(&self.index), program, &scope)?);
        Ok(())
    }

    /// The items that the limits allow.
    ///
    /// The set's memory is that of the last request; callers give it back when they are done.
    fn allowed(&mut self, limits: &Limits<'_>) -> Result<(ItemSet, Vec<String>)> {
        check_k(limits.k)?;
        let mut allowed = std::mem::take(&mut self.allowed);
        self.select_into(limits, &mut allowed)?;
        let mut warnings = Vec::new();
        for id in limits.exclude {
            match self.index.ordinal(id)? {
                Some(item) => allowed.remove(item),
                None => warnings.push(format!("exclude: the archive has no item {}", quoted(id))),
            }
        }
        Ok((allowed, warnings))
    }
}

fn check_k(k: usize) -> Result<()> {
    if (1..=MAX_K).contains(&k) {
        return Ok(());
    }
    Err(Error::arg("k", format!("a whole number from 1 to {MAX_K}"), k))
}
