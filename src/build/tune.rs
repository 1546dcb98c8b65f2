//! The tuning step: how many bits a code gets, how far prefixes are off, and (in [`probing`]) which
//! lists and blocks to look at.
//!
//! All of it is measured on what was built, with a sample of the catalog's own items as queries
//! (each left out of its own answer) against exact search over the vectors before coding. So
//! nobody has to know these numbers, and none of them is a guess about somebody's data.

mod probing;

use std::collections::HashSet;

use rayon::prelude::*;

use probing::DEEPEST;

use super::encode::Encoded;
use super::space::Space;
use super::{BuildOptions, exact, untitled};
use crate::error::Result;
use crate::format::NO_REACH;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::{AlignedBytes, Index};
use crate::metric::Metric;
use crate::rng::SeededRng;
use crate::search::{Effort, Query, Searcher};

/// Queries of the sample: as many within these bounds as make so many comparisons with items. A share of 0.95
/// measured over the 10 neighbours of 500 queries has a standard error of 0.003 at least, and of the rare items that
/// lie far from their centroids few are among those.
const QUERIES: std::ops::RangeInclusive<usize> = 500..=2000;
const COMPARISONS: usize = 1_000_000_000;
/// The stream of the archive's seed that they are drawn from.
const QUERIES_STREAM: u64 = 3;
/// The neighbours that recall is measured on.
const K: usize = 10;
/// The share of the best items that the margin keeps.
const KEPT: f64 = 0.999;
/// Items by the scores of their prefixes among which the best are looked for.
const CANDIDATES: usize = 1000;
/// A margin that keeps every item of a small catalog.
const EVERYTHING: (f32, f32) = (NO_REACH, NO_REACH);
/// Catalogs below this are scanned to the last bit; there is nothing to measure.
const FEW: usize = 200;
/// What the codes may cost of the asked-for recall's gap: the rest is left to the lists.
const SHARE_OF_CODES: f32 = 0.6;

/// Codes, and lists with all that was measured.
pub(super) fn tuned(space: &Space, options: &BuildOptions) -> Result<(Encoded, u32)> {
    if space.len() <= FEW {
        let bits = options.bits.unwrap_or(8);
        let mut encoded = space.encode(bits);
        encoded.lists.recall = options.recall;
        (encoded.lists.margin, encoded.lists.filtered_margin) = EVERYTHING;
        return Ok((encoded, bits));
    }
    let mut rng = SeededRng::new(options.seed, QUERIES_STREAM);
    let n_queries = (COMPARISONS / space.len()).clamp(*QUERIES.start(), *QUERIES.end());
    let mut queries: Vec<u32> = (0..n_queries).map(|_| rng.below(space.len()) as u32).collect();
    let mut drawn = HashSet::new();
    queries.retain(|query| drawn.insert(*query));
    let deepest = DEEPEST.min(space.len() / 4);
    let truth = exact::neighbours(space, &queries, deepest);

    let wanted = 1.0 - SHARE_OF_CODES * (1.0 - options.recall);
    let trials = options.bits.map_or(6..=8, |bits| bits..=bits);
    let most = *trials.end();
    for bits in trials {
        let mut encoded = space.encode(bits);
        encoded.lists.recall = options.recall;
        (encoded.lists.margin, encoded.lists.filtered_margin) = EVERYTHING;
        let mut sample = Sample {
            index: open(space, &encoded, bits, options)?,
            space,
            queries: &queries,
            truth: &truth,
        };
        (encoded.lists.margin, encoded.lists.filtered_margin) = sample.margins();
        sample.index = open(space, &encoded, bits, options)?;
        encoded.lists.code_recall = sample.code_recall();
        if encoded.lists.code_recall >= wanted || bits == most {
            if space.n_lists() > 1 {
                sample.measure_lists(&mut encoded.lists, &mut encoded.blocks);
            }
            return Ok((encoded, bits));
        }
    }
    unreachable!("the last number of bits is always taken")
}

/// The archive so far, without ids, columns and texts.
fn open(space: &Space, encoded: &Encoded, bits: u32, options: &BuildOptions) -> Result<Index> {
    let bytes = untitled(space, encoded, bits, options)?;
    Index::open(AlignedBytes::copy_of(&bytes)?)
}

/// What is measured: the archive so far, the vectors before coding, and queries (ordinals, in the order in which
/// they were drawn) with the items nearest to each.
struct Sample<'a> {
    index: Index,
    space: &'a Space,
    queries: &'a [u32],
    truth: &'a [Vec<Scored>],
}

/// The value that this share of all values does not exceed.
fn quantile<T: Copy>(
    values: &mut [T],
    share: f64,
    compare: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    let at = ((values.len() as f64 * share).ceil() as usize).max(1) - 1;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, compare).1)
}

impl Sample<'_> {
    fn query(&self, i: usize) -> Result<Query> {
        let row = self.space.row(self.queries[i] as usize);
        Query::rotated(row.iter().map(|x| f64::from(*x)).collect(), self.space.metric)
    }

    /// One value for each query, in their order.
    fn each<T: Send>(&self, measure: impl Fn(&mut Searcher, usize, Query) -> T + Sync) -> Vec<T> {
        (0..self.queries.len())
            .into_par_iter()
            .filter_map(|i| self.query(i).ok().map(|query| (i, query)))
            .map_init(Searcher::new, |searcher, (i, query)| measure(searcher, i, query))
            .collect()
    }

    /// How far below the `K`-th best prefix score the best items' prefix scores lie; and how far
    /// apart the errors of two prefixes may be, which is as much wherever a filter makes one look.
    fn margins(&self) -> (f32, f32) {
        let measured = self.each(|searcher, i, query| {
            let mut allowed = ItemSet::full(self.index.len());
            allowed.remove(Ordinal(self.queries[i]));
            let mut found = searcher.candidates(&self.index, &query, &allowed, CANDIDATES);
            found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            let length = query.length().max(f64::MIN_POSITIVE);
            let Some(kth) = found.get(K - 1).map(|f| f.0) else { return (Vec::new(), 0.0) };
            // Both scores in the unit of the scan.
            let unit = |score: f64| match self.space.metric {
                Metric::Euclidean => query.dot(query.vector()) - score * score,
                _ => score,
            };
            let squared: f64 = found
                .iter()
                .map(|(prefix, score)| (prefix - unit(*score)) * (prefix - unit(*score)))
                .sum();
            let error = (squared / found.len() as f64).sqrt() / length;
            found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
            let best = found.iter().take(K);
            (best.map(|(prefix, _)| ((kth - prefix) / length).max(0.0)).collect(), error)
        });
        let (deficits, mut errors): (Vec<Vec<f64>>, Vec<f64>) = measured.into_iter().unzip();
        let mut deficits: Vec<f64> = deficits.concat();
        let margin = quantile(&mut deficits, KEPT, f64::total_cmp).unwrap_or(0.0);
        // The difference of two errors spreads sqrt 2 times as wide. Where thousands of items lie at one
        // distance, the best prefixes among them are those with the largest errors: four of that.
        let apart = quantile(&mut errors, 0.5, f64::total_cmp).unwrap_or(0.0);
        let filtered = 4.0 * std::f64::consts::SQRT_2 * apart;
        (margin as f32, filtered.max(margin) as f32)
    }

    /// Recall of a search of all blocks.
    fn code_recall(&self) -> f32 {
        let shares = self.each(|searcher, i, query| {
            let mut allowed = ItemSet::full(self.index.len());
            allowed.remove(Ordinal(self.queries[i]));
            let found = searcher.search(&self.index, &query, K, &allowed, Effort::Exhaustive);
            let truth = &self.truth[i];
            let k = K.min(truth.len());
            // What ties with the last of them is as good.
            let kth = truth[..k].last().map_or(f64::INFINITY, |last| last.score);
            let as_good: HashSet<Ordinal> =
                truth.iter().take_while(|t| t.score >= kth).map(|t| t.ordinal).collect();
            let hits = found.iter().filter(|f| as_good.contains(&f.ordinal));
            hits.count() as f64 / k.max(1) as f64
        });
        (shares.iter().sum::<f64>() / shares.len().max(1) as f64) as f32
    }
}
