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
use super::request::Request;
use super::terms::Terms;
use crate::catalog::{Catalog, Scope};
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::sort_best_first;
use crate::search::{Query, Searcher};
use crate::taste::{Interest, NeighbourScores, Past, Share, Taste};

/// What popularity counts for somebody of whom nothing is known, in units of the taste score, which
/// is about 1 for what a person is sure to like. It is multiplied by what is unknown of the taste
/// (`Recommender::doubt`), so that one crosses into the other.
///
/// Chosen on the validation users of MovieLens 100K (tests/protocol.md), powers 0 to 12 and weights
/// from 0.05 to 0.8. Against taste alone, `recall_at_20` of histories of 1, 2, 3, 5, 10 and 20 items
/// goes from 0.217, 0.263, 0.292, 0.332, 0.370, 0.392 to 0.257, 0.283, 0.307, 0.340, 0.373, 0.394,
/// and stays at 0.408 for whole histories. Without a power a quarter is known of whole histories,
/// and popularity would cost them 0.003; a weight of 0.4 does less even for the first item.
const PRIOR_WEIGHT: f64 = 0.2;

/// What a slate is made for and with.
pub(super) struct Maker<'a> {
    pub(super) index: &'a Index,
    pub(super) past: &'a Past<'a>,
    pub(super) taste: Option<&'a Taste>,
    /// The interests to search for; empty where one taste is searched with.
    pub(super) interests: &'a [Interest],
    /// The interest that the slate is a row of: what it is made by then, in place of the taste.
    pub(super) row: Option<&'a Interest>,
    pub(super) prior: Option<&'a Prior>,
    /// How much of [`PRIOR_WEIGHT`] counts, 1 for somebody of whom nothing is known.
    pub(super) doubt: f64,
    pub(super) searcher: &'a mut Searcher,
    pub(super) neighbours: &'a mut NeighbourScores,
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
    /// Which interest found an item.
    pub(super) interest_of: Vec<Option<usize>>,
}

impl Maker<'_> {
    /// The slate. `given` are the items to bring to order, where the request is about no others.
    pub(super) fn make(
        mut self,
        given: Option<&[Ordinal]>,
        warnings: Vec<String>,
    ) -> Result<Slate> {
        let (index, request, past) = (self.index, self.request, self.past);
        let params = request.params.as_deref();
        let scope = Scope { params, now_ms: request.now_ms, history: Some(past) };
        let vector = match (self.row, self.taste) {
            (Some(interest), _) => Some(&interest.vector[..]),
            (None, taste) => taste.map(Taste::vector),
        };
        let query = match vector {
            Some(vector) if request.taste_weight != 0.0 => {
                Some(Query::taste(vector.iter().map(|x| request.taste_weight * x).collect())?)
            }
            _ => None,
        };
        let weights = index.neighbours().filter(|_| query.is_some());
        if let (Some(weights), Some(taste)) = (&weights, self.taste) {
            let row = self.row;
            let presences = taste
                .presences()
                .filter(|(item, _)| row.is_none_or(|interest| interest.members.contains(item)));
            self.neighbours.score(weights, presences)?;
        }
        let beta = weights.map_or(0.0, |weights| weights.beta() * request.taste_weight);
        let catalog = Catalog::new(index);
        let prior_weight = request.prior_weight + PRIOR_WEIGHT * self.doubt;
        let terms = Terms::new(catalog, request, self.prior, prior_weight, &scope, self.cache)?;
        let arrangement = Arrangement::resolve(index, request, self.allowed, &scope, self.cache)?;
        let is_taste_alone = beta == 0.0 && terms.are_none() && !request.is_composed();
        let candidates = match (&query, given) {
            // The short way: what the search finds is the answer.
            (Some(query), None) if is_taste_alone => {
                Candidates::by_taste(self.search(query, request.k, self.allowed))
            }
            _ => {
                let mut gathered = Gathered::new(index);
                match given {
                    Some(given) => gathered.add(given.iter().copied()),
                    None => {
                        if beta != 0.0 {
                            let n = request.n_candidates();
                            gathered.add(self.neighbours.best(self.allowed, n));
                        }
                        self.gather(&mut gathered, query.as_ref(), &terms, &arrangement)?;
                    }
                }
                let taste = query.as_ref().map(|query| (query, beta));
                self.rate(&gathered, taste, &terms, &arrangement, given.is_some())?
            }
        };
        let arranged = arrangement.arrange(&self, &candidates)?;

        let items: Vec<Scored> = arranged.places.iter().map(|i| candidates.items[*i]).collect();
        let because = match self.taste {
            Some(taste) if request.explain > 0 => {
                let explain = |i: &Scored| self.because(taste, i.ordinal);
                items.iter().map(explain).collect()
            }
            _ => Vec::new(),
        };
        let chosen = arranged.places.iter().copied();
        let interest_of = match (self.row, self.interests.is_empty()) {
            (Some(_), _) => vec![Some(0); items.len()],
            (None, true) => Vec::new(),
            (None, false) => chosen.clone().map(|i| candidates.interest_of[i]).collect(),
        };
        let basis = if self.taste.is_some() { Basis::Taste } else { Basis::Prior };
        Ok(Slate {
            approximate: query.is_some() && !index.is_refined(),
            because,
            parts: request.parts.then(|| candidates.parts.rows(chosen)),
            propensities: arranged.propensities,
            policy: arranged.policy,
            explored: arranged.explored,
            interest_of,
            interests: self.interests.to_vec(),
            trace: arranged.trace,
            unmet: arranged.unmet,
            warnings: [warnings, arranged.warnings].concat(),
            ..Slate::of(items, self.allowed.count(), basis)
        })
    }

    fn search(&mut self, query: &Query, n: usize, within: &ItemSet) -> Vec<Scored> {
        self.searcher.search(self.index, query, n, within, self.request.effort).to_vec()
    }

    /// The reasons of an item's taste part, which the request's weight is a part of.
    fn because(&self, taste: &Taste, item: Ordinal) -> Vec<Share> {
        let n = self.request.explain;
        let mut shares = match self.row {
            None => taste.because(self.index, item, n),
            // Of a row, those of its interest.
            Some(interest) => {
                let mut shares = taste.because(self.index, item, usize::MAX);
                shares.retain(|share| interest.members.contains(&share.item));
                shares.truncate(n);
                shares
            }
        };
        for share in &mut shares {
            share.share *= self.request.taste_weight;
        }
        shares
    }

    /// Adds candidates by taste, by interests, and by whatever else lifts an item.
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
        if let Some(query) = query {
            gathered.add(self.search(query, n, allowed).iter().map(|s| s.ordinal));
        }
        if !self.interests.is_empty() && self.row.is_none() {
            let queries = (self.interests.iter())
                .map(|interest| Query::taste(interest.vector.clone()))
                .collect::<Result<Vec<Query>>>()?;
            let n = (n / queries.len()).max(self.request.k);
            let found = |i: usize, found: &[Scored]| gathered.add_interest(i, found);
            self.searcher.search_many(index, &queries, n, allowed, effort, found);
        }
        if let Some(prior) = self.prior.filter(|_| terms.have_prior() || query.is_none()) {
            gathered.add(match terms.lower_the_popular() {
                true => prior.least(catalog, allowed, n)?,
                false => prior.best(catalog, allowed, n)?,
            });
        }
        // Parts of the items of which some are wanted: the best of them by taste, or else by
        // popularity.
        let lifted = terms.lifted().map(|(set, is_inside)| (set, is_inside, n));
        let wanted = arrangement.wanted().map(|(set, n)| (set, true, n));
        for (set, is_inside, n) in lifted.chain(wanted) {
            let mut within = set.clone();
            if !is_inside {
                within.invert();
            }
            within.intersect(allowed);
            if let Some(query) = query {
                gathered.add(self.search(query, n, &within).iter().map(|s| s.ordinal));
            } else if let Some(prior) = self.prior {
                gathered.add(prior.best(catalog, &within, n)?);
            } else {
                gathered.add(within.iter().take(n));
            }
        }
        gathered.add(terms.leaders(allowed, n)?);
        gathered.fill(allowed, n);
        Ok(())
    }

    /// Scores what was gathered, and keeps the best of it.
    fn rate(
        &mut self,
        gathered: &Gathered,
        taste: Option<(&Query, f64)>,
        terms: &Terms<'_>,
        arrangement: &Arrangement<'_>,
        keeps_all: bool,
    ) -> Result<Candidates> {
        let mut items = gathered.items();
        let mut interest_of = gathered.interest_of(&items);
        let n_free = items.len();
        items.extend(arrangement.named(|item| gathered.contains(item)));
        interest_of.resize(items.len(), None);

        let taste = taste.map(|(query, beta)| {
            let mut scores = self.searcher.score(self.index, query, &items);
            for (score, item) in scores.iter_mut().zip(&items) {
                *score += beta * self.neighbours.of(*item);
            }
            scores
        });
        let parts = terms.parts(&items, taste.as_deref())?;
        // Positions are in the order of ordinals, so ties fall as they do everywhere.
        let mut order: Vec<Scored> = (0..n_free)
            .map(|i| Scored { ordinal: Ordinal(i as u32), score: parts.score(i) })
            .collect();
        sort_best_first(&mut order);
        let order: Vec<usize> = order.iter().map(|s| s.ordinal.index()).collect();
        let n = if keeps_all { n_free } else { self.request.n_candidates().min(n_free) };
        let mut kept = order[..n].to_vec();
        arrangement.keep_needed(&items, &order[n..], &mut kept);
        let n_ranked = kept.len();
        // Behind those that compete: items that have a place of their own, or had one before.
        let is_kept = |i: &usize| kept[..n_ranked].contains(i);
        let placed: Vec<usize> = (0..items.len())
            .filter(|i| (*i >= n_free || arrangement.is_named(items[*i])) && !is_kept(i))
            .collect();
        kept.extend(placed);
        Ok(Candidates {
            items: kept
                .iter()
                .map(|i| Scored { ordinal: items[*i], score: parts.score(*i) })
                .collect(),
            n_ranked,
            parts: parts.rows(kept.iter().copied()),
            interest_of: kept.iter().map(|i| interest_of[*i]).collect(),
        })
    }
}

impl Candidates {
    /// Those of a search, whose scores are all there is.
    fn by_taste(found: Vec<Scored>) -> Self {
        let values = found.iter().map(|s| s.score).collect();
        Self {
            n_ranked: found.len(),
            items: found,
            parts: Parts { names: vec!["taste".into()], values },
            interest_of: Vec::new(),
        }
    }
}
