//! From a person and a request to a slate: gather candidates, add up their score terms, bring them
//! to order.
//!
//! ```text
//! allowed items -> candidates (gather) -> parts and scores (terms)
//!     -> an order (arrange, compose) -> places left to chance (explore) -> reasons
//! ```
//!
//! A request that asks for nothing but taste takes the short way: its answer is the search's.

use super::answer::{Basis, Parts, Slate};
use super::arrange::Arrangement;
use super::cache::Cache;
use super::gather::Gathered;
use super::prior::Prior;
use super::request::{Interests, Request};
use super::terms::Terms;
use crate::catalog::{Catalog, Scope};
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::sort_best_first;
use crate::search::{Query, Searcher};
use crate::taste::{Interest, Past, Taste};

/// What popularity counts for somebody of whom nothing is known, in units of the taste score, which
/// is about 1 for what a person is sure to like. It shrinks with the uncertainty of the taste, so
/// that one crosses into the other.
const PRIOR_WEIGHT: f64 = 0.2;

/// What a slate is made for and with.
pub(super) struct Maker<'a> {
    pub(super) index: &'a Index,
    pub(super) past: &'a Past<'a>,
    pub(super) taste: Option<&'a Taste>,
    pub(super) prior: Option<&'a Prior>,
    pub(super) searcher: &'a mut Searcher,
    pub(super) cache: &'a mut Cache,
    pub(super) request: &'a Request,
    /// The items that may come back.
    pub(super) allowed: &'a ItemSet,
}

/// Candidates with their scores.
pub(super) struct Candidates {
    /// The first `n_ranked` compete, best first; the others are there for pins, pools and as
    /// items of earlier pages.
    pub(super) items: Vec<Scored>,
    pub(super) n_ranked: usize,
    /// One row an item.
    pub(super) parts: Parts,
    /// Which interest found an item, of `interests`.
    pub(super) interest_of: Vec<Option<usize>>,
    pub(super) interests: Vec<Interest>,
}

impl<'a> Maker<'a> {
    /// The slate. `given` are the items to bring to order, where the request is about no others.
    pub(super) fn make(mut self, given: Option<&[Ordinal]>, warnings: Vec<String>) -> Result<Slate> {
        let (index, request, past) = (self.index, self.request, self.past);
        let params = request.params.as_deref();
        let scope = Scope { params, now_ms: request.now_ms, history: Some(past) };
        let query = match self.taste {
            Some(taste) if request.taste_weight != 0.0 => {
                let scaled = taste.vector().iter().map(|x| request.taste_weight * x);
                Some(Query::taste(scaled.collect())?)
            }
            _ => None,
        };
        let doubt = self.taste.map_or(1.0, |taste| taste.doubt(index));
        let prior_weight = request.prior_weight + PRIOR_WEIGHT * doubt;
        let catalog = Catalog::new(index);
        let terms = Terms::new(catalog, request, self.prior, prior_weight, &scope, self.cache)?;
        let arrangement = Arrangement::resolve(index, request, &scope, self.cache)?;
        let candidates = match &query {
            Some(query) if terms.are_none() && !request.is_composed() && given.is_none() => {
                self.best_by_taste(query)
            }
            query => self.candidates(query.as_ref(), &terms, &arrangement, given)?,
        };
        let arranged = arrangement.arrange(&self, &candidates)?;

        let items: Vec<Scored> = arranged.places.iter().map(|i| candidates.items[*i]).collect();
        let because = match self.taste {
            Some(taste) if request.explain > 0 => {
                let explain = |i: &Scored| taste.because(index, i.ordinal, request.explain);
                items.iter().map(explain).collect()
            }
            _ => Vec::new(),
        };
        let chosen = arranged.places.iter().copied();
        let interest_of = match candidates.interests.is_empty() {
            true => Vec::new(),
            false => chosen.clone().map(|i| candidates.interest_of[i]).collect(),
        };
        Ok(Slate {
            n_qualifying: self.allowed.count(),
            basis: if self.taste.is_some() { Basis::Taste } else { Basis::Prior },
            approximate: query.is_some() && !index.is_refined(),
            because,
            parts: request.parts.then(|| candidates.parts.rows(chosen)),
            propensities: arranged.propensities,
            policy: arranged.policy,
            explored: arranged.explored,
            interest_of,
            interests: candidates.interests,
            trace: arranged.trace,
            unmet: arranged.unmet,
            items,
            warnings: [warnings, arranged.warnings].concat(),
        })
    }

    /// The short way: what the search finds is the answer.
    fn best_by_taste(&mut self, query: &Query) -> Candidates {
        let (index, request) = (self.index, self.request);
        let found = self.searcher.search(index, query, request.k, self.allowed, request.effort);
        Candidates {
            items: found.to_vec(),
            n_ranked: found.len(),
            parts: Parts {
                names: vec!["taste".into()],
                values: found.iter().map(|s| s.score).collect(),
            },
            interest_of: Vec::new(),
            interests: Vec::new(),
        }
    }

    fn candidates(
        &mut self,
        query: Option<&Query>,
        terms: &Terms<'_>,
        arrangement: &Arrangement<'_>,
        given: Option<&[Ordinal]>,
    ) -> Result<Candidates> {
        let n = self.request.n_candidates();
        let mut gathered = Gathered::new(self.index);
        let mut interests = Vec::new();
        match given {
            Some(given) => gathered.add(given.iter().copied()),
            None => {
                if query.is_some() {
                    interests = self.gather_interests(&mut gathered, n)?;
                }
                self.gather(&mut gathered, query, terms, arrangement)?;
            }
        }
        let mut items = gathered.items();
        let mut interest_of = gathered.interest_of(&items);
        let n_free = items.len();
        items.extend(arrangement.named().filter(|item| !gathered.contains(*item)));
        interest_of.resize(items.len(), None);

        let taste = query.map(|query| self.searcher.score(self.index, query, &items));
        let parts = terms.parts(&items, taste.as_deref())?;
        // Positions are in the order of ordinals, so ties fall as they do everywhere.
        let mut order: Vec<Scored> = (0..n_free)
            .map(|i| Scored { ordinal: Ordinal(i as u32), score: parts.score(i) })
            .collect();
        sort_best_first(&mut order);
        let order: Vec<usize> = order.iter().map(|s| s.ordinal.index()).collect();
        let n = if given.is_some() { n_free } else { n.min(n_free) };
        let mut kept = order[..n].to_vec();
        arrangement.keep_needed(&items, &order[n..], &mut kept);
        let n_ranked = kept.len();
        kept.extend(n_free..items.len());
        Ok(Candidates {
            items: kept
                .iter()
                .map(|i| Scored { ordinal: items[*i], score: parts.score(*i) })
                .collect(),
            n_ranked,
            parts: parts.rows(kept.iter().copied()),
            interest_of: kept.iter().map(|i| interest_of[*i]).collect(),
            interests,
        })
    }

    /// Searches for each of the person's interests.
    fn gather_interests(&mut self, gathered: &mut Gathered, n: usize) -> Result<Vec<Interest>> {
        let (index, request) = (self.index, self.request);
        let most = match request.interests {
            Interests::Most(0) => return Ok(Vec::new()),
            Interests::Most(most) => Some(most),
            Interests::Auto => None,
        };
        let Some(taste) = self.taste else { return Ok(Vec::new()) };
        let interests = taste.interests(index, most)?;
        let queries: Vec<Query> =
            interests.iter().map(|i| Query::taste(i.vector.clone())).collect::<Result<_>>()?;
        let n = (n / queries.len().max(1)).max(request.k);
        let found = |i: usize, found: &[Scored]| gathered.add_interest(i, found);
        self.searcher.search_many(index, &queries, n, self.allowed, request.effort, found);
        Ok(interests)
    }

    /// Candidates by taste, and by whatever else lifts an item.
    fn gather(
        &mut self,
        gathered: &mut Gathered,
        query: Option<&Query>,
        terms: &Terms<'_>,
        arrangement: &Arrangement<'_>,
    ) -> Result<()> {
        let (index, allowed, effort) = (self.index, self.allowed, self.request.effort);
        let n = self.request.n_candidates();
        let catalog = Catalog::new(index);
        // The best of a part of the items: by taste, or else by popularity.
        let mut best = |within: &ItemSet, n: usize, gathered: &mut Gathered| -> Result<()> {
            if let Some(query) = query {
                let found = self.searcher.search(index, query, n, within, effort);
                gathered.add(found.iter().map(|s| s.ordinal));
            } else if let Some(prior) = self.prior {
                gathered.add(prior.best(catalog, within, n)?);
            }
            Ok(())
        };
        best(allowed, n, gathered)?;
        let lifted = terms.lifted().map(|set| (set, n));
        for (set, n) in lifted.chain(arrangement.wanted()) {
            let mut within = set.clone();
            within.intersect(allowed);
            best(&within, n, gathered)?;
        }
        if let (Some(prior), true) = (self.prior, query.is_some() && terms.have_prior()) {
            gathered.add(prior.best(catalog, allowed, n)?);
        }
        gathered.add(terms.leaders(allowed, n)?);
        gathered.fill(allowed, n);
        Ok(())
    }
}
