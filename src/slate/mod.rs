//! From a request to the list that is shown.
//!
//! A [`Recommender`] owns an opened archive, a person's profile and the working memory between
//! them; the command line, the WebAssembly surface and native programs all go through it.

mod cache;

use self::cache::Cache;
use crate::catalog::{Catalog, Expr, Predicate, Scope};
use crate::error::{Error, Result, quoted};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::{select_best, sort_best_first};
use crate::search::{Effort, Query, Searcher};
use crate::taste::{Entry, Event, Past, Profile, Selector, Share, Taste, TasteOptions};

/// Most items of one answer.
const MAX_K: usize = 10_000;

/// What the scores of a slate mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Inner product with the person's user vector.
    Taste,
    /// Popularity: nothing is known of the person's taste.
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

/// An answer: items with scores, best first, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Slate {
    /// At most `k` items; exactly `min(k, n_qualifying)`.
    pub items: Vec<Scored>,
    /// Number of items that were allowed: `where` true and not excluded.
    pub n_qualifying: usize,
    /// What the scores mean.
    pub basis: Basis,
    /// Whether the answer comes from prefixes of codes, since the rest has not arrived yet.
    pub approximate: bool,
    /// For each item the largest parts of its taste score, where they were asked for.
    pub because: Vec<Vec<Share>>,
    /// Things the caller should know: excluded ids that the archive does not have.
    pub warnings: Vec<String>,
}

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
/// use nearfield::{AlignedBytes, Entry, Event, Index, Interaction, Kind, Limits, Recommender};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let mut nf = Recommender::new(index);
/// let like = Interaction {
///     item: "17".into(), kind: Kind::Like, weight: None, source: None, taste: true,
///     context: Vec::new(),
/// };
/// nf.record(Entry {
///     device: "phone".into(), sequence: 0, at_ms: 1.7e12, event: Event::Interaction(like),
/// })?;
/// let slate = nf.recommend(&Limits { k: 3, ..Limits::default() }, true, 1)?;
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
    /// The fold-in of the profile as it stands; made anew after each change.
    taste: Option<Option<Taste>>,
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
            taste: None,
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
        self.taste = None;
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
        let is_new = self.profile.append(entry)?;
        if is_new {
            self.profile_changed();
        }
        Ok(is_new)
    }

    /// Forgets the person.
    pub fn clear_profile(&mut self) {
        self.profile = Profile::default();
        self.profile_changed();
    }

    fn profile_changed(&mut self) {
        self.taste = None;
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
        Ok(Slate {
            items,
            n_qualifying,
            basis: Basis::Similarity,
            approximate: !self.index.is_refined(),
            because: Vec::new(),
            warnings,
        })
    }

    /// What this person may like, best first. Items they know are left out unless `include_seen`
    /// is asked for; `explain` parts of each score come back in [`Slate::because`].
    ///
    /// Where nothing is known of their taste, the archive's popularity prior orders the answer
    /// ([`Basis::Prior`]; items without a prior come last, and all have score 0 without any).
    ///
    /// # Errors
    /// As [`Recommender::similar`], and [`Error::Engine`] where the fold-in fails.
    pub fn recommend(
        &mut self,
        limits: &Limits<'_>,
        exclude_seen: bool,
        explain: usize,
    ) -> Result<Slate> {
        let (mut allowed, warnings) = self.allowed(limits)?;
        if exclude_seen {
            for id in Past::of(&self.profile, &self.index)?.seen() {
                if let Some(item) = self.index.ordinal(id)? {
                    allowed.remove(item);
                }
            }
        }
        self.fold_in()?;
        let taste = self.taste.as_ref().and_then(Option::as_ref);
        let (items, basis) = match taste {
            Some(taste) => {
                let query = Query::taste(taste.vector().to_vec())?;
                let found =
                    self.searcher.search(&self.index, &query, limits.k, &allowed, limits.effort);
                (found.to_vec(), Basis::Taste)
            }
            None => (by_prior(self.catalog(), &allowed, limits.k)?, Basis::Prior),
        };
        let because = match taste {
            Some(taste) if explain > 0 => {
                items.iter().map(|i| taste.because(&self.index, i.ordinal, explain)).collect()
            }
            _ => Vec::new(),
        };
        let approximate = basis == Basis::Taste && !self.index.is_refined();
        let n_qualifying = allowed.count();
        self.allowed = allowed;
        Ok(Slate { items, n_qualifying, basis, approximate, because, warnings })
    }

    /// The fold-in of the profile as it stands: what [`Recommender::recommend`] asks the archive
    /// with. `None` where nothing is known of the person's taste.
    ///
    /// # Errors
    /// As [`Taste::fold_in`].
    pub fn taste(&mut self) -> Result<Option<&Taste>> {
        self.fold_in()?;
        Ok(self.taste.as_ref().and_then(Option::as_ref))
    }

    /// Folds the profile in, where that was not done since its last change.
    fn fold_in(&mut self) -> Result<()> {
        if self.taste.is_none() {
            let past = Past::of(&self.profile, &self.index)?;
            self.taste = Some(Taste::fold_in(&self.index, &past, &TasteOptions::default())?);
        }
        Ok(())
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
        let (because, basis) = (Vec::new(), Basis::Title);
        Ok(Slate { items, n_qualifying, basis, approximate: false, because, warnings })
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
            set.reset(self.index.len());
            set.fill();
            return Ok(());
        };
        let past = Past::of(&self.profile, &self.index)?;
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

/// The allowed items by popularity. An item without one comes behind all that have one.
fn by_prior(catalog: Catalog<'_>, allowed: &ItemSet, k: usize) -> Result<Vec<Scored>> {
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for ordinal in allowed.iter() {
        match catalog.prior(ordinal)? {
            Some(score) => known.push(Scored { ordinal, score }),
            None if unknown.len() < k => unknown.push(ordinal),
            None => {}
        }
    }
    if known.len() > k {
        select_best(&mut known, k);
        known.truncate(k);
    }
    sort_best_first(&mut known);
    let lowest = known.last().map_or(0.0, |s| s.score.min(0.0));
    let rest = unknown.into_iter().take(k - known.len());
    known.extend(rest.map(|ordinal: Ordinal| Scored { ordinal, score: lowest }));
    Ok(known)
}
