//! The methods that are compared: each a closure from a person's history to a ranking.

use std::path::Path;
use std::time::Instant;

use nearfield::{
    Catalog, Entry, Event, Index, Interaction, ItemSet, Kind, Ordinal, Recommender, Request,
    Result, Scored,
};

use crate::archive::open;

/// An item of a history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    pub item: Ordinal,
    /// The weight that is folded in.
    pub weight: f64,
    /// Milliseconds since 1970, in a log with times.
    pub at_ms: Option<i64>,
}

/// What a method answers for one person.
pub struct Answer {
    /// Best first, without the history.
    pub ranked: Vec<Ordinal>,
    /// How long the ranking took: from a history that is recorded to a list.
    pub ms: f64,
}

type Ask<'a> = Box<dyn FnMut(&[Known]) -> Result<Answer> + 'a>;

/// A way to recommend.
pub struct Method<'a> {
    pub name: String,
    /// What it does, in a sentence for the report.
    pub about: String,
    /// How many items it is asked for.
    pub depth: usize,
    ask: Ask<'a>,
}

impl<'a> Method<'a> {
    pub fn new(
        name: impl Into<String>,
        about: impl Into<String>,
        depth: usize,
        ask: impl FnMut(&[Known]) -> Result<Answer> + 'a,
    ) -> Self {
        Self { name: name.into(), about: about.into(), depth, ask: Box::new(ask) }
    }

    /// What `recommend` gives for a request, as an app would ask it.
    pub fn requested(
        archive: &Path,
        name: impl Into<String>,
        about: impl Into<String>,
        request: Request,
    ) -> Result<Self> {
        let mut recommender = Recommender::new(open(archive)?);
        Ok(Self::new(name, about, request.k, move |history| {
            record_history(&mut recommender, history)?;
            timed(|| recommended(&mut recommender, &request))
        }))
    }

    pub fn ask(&mut self, history: &[Known]) -> Result<Answer> {
        (self.ask)(history)
    }
}

/// Runs what makes a ranking, and notes how long it took.
pub fn timed(rank: impl FnOnce() -> Result<Vec<Ordinal>>) -> Result<Answer> {
    let start = Instant::now();
    let ranked = rank()?;
    Ok(Answer { ranked, ms: start.elapsed().as_secs_f64() * 1e3 })
}

/// Makes a history the profile of a recommender: ratings, in the order given.
pub fn record_history(recommender: &mut Recommender, history: &[Known]) -> Result<()> {
    recommender.clear_profile();
    for (sequence, known) in (0..).zip(history) {
        let interaction = Interaction {
            weight: Some(known.weight),
            ..Interaction::new(recommender.index().id(known.item)?, Kind::Rating)
        };
        recommender.record(Entry {
            device: "eval".into(),
            sequence,
            at_ms: known.at_ms.unwrap_or(0) as f64,
            event: Event::Interaction(interaction),
        })?;
    }
    Ok(())
}

/// What `recommend` gives for the profile as it is.
pub fn recommended(recommender: &mut Recommender, request: &Request) -> Result<Vec<Ordinal>> {
    let slate = recommender.recommend(request)?;
    Ok(slate.items.iter().map(|item| item.ordinal).collect())
}

/// The archive itself.
pub const FOLD_IN: &str = "fold-in";

/// `recommend` as an app would call it that asks for nothing but `k` items.
pub fn fold_in(archive: &Path, k: usize) -> Result<Method<'static>> {
    let about = "The archive as an app asks it: the history is folded in, and what fits the \
                 resulting vector best comes back, with whatever else the archive carries: weights \
                 between items, and popularity where little is known.";
    Method::requested(archive, FOLD_IN, about, Request { k, ..Request::default() })
}

/// The folded-in vector without anything else. `None` where the archive has nothing else.
pub fn vector_alone<'a>(
    archive: &Path,
    decoded: &'a [f64],
    k: usize,
) -> Result<Option<Method<'a>>> {
    let mut recommender = Recommender::new(open(archive)?);
    let index = recommender.index();
    if index.neighbours().is_none() && !Catalog::new(index).has_prior() {
        return Ok(None);
    }
    let dim = index.dim();
    let about = "The folded-in vector and nothing else: without the archive's weights between \
                 items, and without its popularity.";
    Ok(Some(Method::new("vector alone", about, k, move |history| {
        record_history(&mut recommender, history)?;
        timed(|| {
            let Some(taste) = recommender.taste(&Request::default())? else {
                return Ok(Vec::new());
            };
            let rows = decoded.chunks_exact(dim.max(1));
            let vector = taste.vector();
            let dot = |row: &[f64]| vector.iter().zip(row).map(|(u, x)| u * x).sum();
            Ok(best_outside(history, rows.map(dot), k))
        })
    })))
}

/// The decoded vectors of all items, by rows.
pub fn decode_all(index: &Index) -> Vec<f64> {
    let mut decoded = vec![0.0; index.len() * index.dim()];
    for (i, row) in (0..).zip(decoded.chunks_exact_mut(index.dim().max(1))) {
        index.decode(Ordinal(i), row);
    }
    decoded
}

/// What a vector database gives: the neighbours of the average of what was liked.
pub fn mean_vector(decoded: &[f64], dim: usize, k: usize) -> Method<'_> {
    let about = "The mean of the history's vectors, compared with all others by inner product: \
                 what the same vectors give in a vector database.";
    Method::new("mean vector", about, k, move |history| {
        timed(|| Ok(by_mean_vector(decoded, dim, history, k)))
    })
}

/// The best `k` items outside the history by inner product with the mean of its vectors.
pub fn by_mean_vector(decoded: &[f64], dim: usize, history: &[Known], k: usize) -> Vec<Ordinal> {
    let mut mean = vec![0.0; dim];
    for known in history {
        let row = &decoded[known.item.index() * dim..][..dim];
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / history.len() as f64);
    }
    let rows = decoded.chunks_exact(dim.max(1));
    best_outside(history, rows.map(|row| mean.iter().zip(row).map(|(m, x)| m * x).sum()), k)
}

/// The `k` items with the highest scores, of those that are not in the history; equal scores by
/// ordinal. `scores` has one for each item of the archive.
pub fn best_outside(
    history: &[Known],
    scores: impl ExactSizeIterator<Item = f64>,
    k: usize,
) -> Vec<Ordinal> {
    let mut allowed = ItemSet::full(scores.len());
    history.iter().for_each(|known| allowed.remove(known.item));
    let mut scored: Vec<Scored> = (0..)
        .zip(scores)
        .map(|(i, score)| Scored { ordinal: Ordinal(i), score })
        .filter(|s| allowed.contains(s.ordinal))
        .collect();
    if scored.len() > k {
        scored.select_nth_unstable_by(k, Scored::cmp_best_first);
        scored.truncate(k);
    }
    scored.sort_unstable_by(Scored::cmp_best_first);
    scored.iter().map(|s| s.ordinal).collect()
}

/// The same for everybody: by how many people of the training log like an item.
pub fn popularity(n_users_of: &[usize], k: usize) -> Method<'static> {
    let scores: Vec<f64> = n_users_of.iter().map(|n| *n as f64).collect();
    let about = "What most people of the training log like, less what is known already: the same \
                 for everybody.";
    by_order("popularity", about, scores, k)
}

/// The same for everybody: by the archive's prior. `None` where it has none.
pub fn prior(index: &Index, k: usize) -> Result<Option<Method<'static>>> {
    let catalog = Catalog::new(index);
    if !catalog.has_prior() {
        return Ok(None);
    }
    let score = |i| Ok(catalog.prior(Ordinal(i))?.unwrap_or(f64::NEG_INFINITY));
    let scores = (0..index.len() as u32).map(score).collect::<Result<Vec<f64>>>()?;
    let about = "By the archive's own popularity prior, less what is known already: the same for \
                 everybody.";
    Ok(Some(by_order("popularity", about, scores, k)))
}

/// A method whose order of the items is the same for all.
fn by_order(name: &str, about: &str, scores: Vec<f64>, k: usize) -> Method<'static> {
    let n_items = scores.len();
    let order = best_outside(&[], scores.into_iter(), n_items);
    Method::new(name, about, k, move |history| {
        let mut allowed = ItemSet::full(n_items);
        history.iter().for_each(|known| allowed.remove(known.item));
        timed(|| Ok(order.iter().copied().filter(|i| allowed.contains(*i)).take(k).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(item: u32) -> Known {
        Known { item: Ordinal(item), weight: 1.0, at_ms: None }
    }

    #[test]
    fn the_best_come_first_and_none_is_known() {
        let scores = [1.0, 5.0, 3.0, 5.0, 4.0];
        let best = |history: &[Known], k| best_outside(history, scores.into_iter(), k);
        assert_eq!(best(&[], 3), [1, 3, 4].map(Ordinal));
        assert_eq!(best(&[known(1), known(4)], 9), [3, 2, 0].map(Ordinal));
        let mut popular = by_order("popularity", "", scores.to_vec(), 2);
        assert_eq!(popular.ask(&[known(3)]).unwrap().ranked, [1, 4].map(Ordinal));
    }

    #[test]
    fn the_mean_vector_is_a_mean() {
        let decoded = [1.0, 0.0, 0.0, 1.0, 2.0, 1.0, -1.0, 5.0];
        // (1, 0) and (0, 1) have the mean (1/2, 1/2): scores 3/2 and 2.
        let found = by_mean_vector(&decoded, 2, &[known(0), known(1)], 5);
        assert_eq!(found, [3, 2].map(Ordinal));
    }
}
