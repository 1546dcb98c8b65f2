//! The tuning step: how many bits a code gets, how far prefixes are off, how many lists to probe.
//!
//! All of it is measured on what was built, with a sample of the catalog's own items as queries
//! (each left out of its own answer) against exact search over the vectors before coding. So
//! nobody has to know these numbers, and none of them is a guess about somebody's data.

use rayon::prelude::*;

use super::encode::{Encoded, Space};
use super::{BuildOptions, exact, untitled};
use crate::error::Result;
use crate::format::{Lists, Probes};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::{AlignedBytes, Index};
use crate::metric::Metric;
use crate::rng::SeededRng;
use crate::search::{Effort, Query, Searcher};

/// Queries of the sample. A share of 0.95 measured over the 10 neighbours of 500 queries has a
/// standard error of 0.003 at least.
const QUERIES: usize = 500;
/// The stream of the archive's seed that they are drawn from.
const QUERIES_STREAM: u64 = 3;
/// The neighbours that recall is measured on.
const K: usize = 10;
/// How deep lists are measured: filters and long answers reach that far.
const DEPTHS: [usize; 5] = [K, 20, 100, 300, 1000];
/// For which shares of the neighbours numbers of lists are kept.
const SHARES: [f32; 16] = [
    0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999,
];
/// The share of the best items that the margin keeps.
const KEPT: f64 = 0.999;
/// Items by the scores of their prefixes among which the best are looked for.
const CANDIDATES: usize = 1000;
/// Numbers of spreads that a list may be given ahead when lists are chosen: its best items lie
/// above its centroid, the more so the wider it is, and under inner product lists of long vectors are
/// wide.
const OPTIMISM: [f32; 6] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0];
/// The share of the best items within the reach of their lists.
const KEPT_BY_REACH: f64 = 0.99;
/// What part of the nearest items that lists may lose is lost because lists are left out again:
/// tried for each share.
const LOST_TO_REACH: [f64; 4] = [0.0, 0.25, 0.5, 0.75];
/// A reach that leaves out no list.
const NO_REACH: f32 = 1e18;
/// A margin that keeps every item of a small catalog.
const EVERYTHING: (f32, f32) = (1e18, 1e18);
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
    let mut queries: Vec<u32> = (0..QUERIES).map(|_| rng.below(space.len()) as u32).collect();
    queries.sort_unstable();
    queries.dedup();
    let deepest = DEPTHS[DEPTHS.len() - 1].min(space.len() / 4);
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
                sample.measure_lists(&mut encoded.lists);
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
        // The difference of two errors spreads sqrt 2 times as wide; 2.65 of that keep 0.996 of
        // the items at the very edge, and more of all others.
        let apart = quantile(&mut errors, 0.5, f64::total_cmp).unwrap_or(0.0);
        let filtered = 2.65 * std::f64::consts::SQRT_2 * apart;
        (margin as f32, filtered.max(margin) as f32)
    }

    /// Recall of a search of all lists.
    fn code_recall(&self) -> f32 {
        let shares = self.each(|searcher, i, query| {
            let mut allowed = ItemSet::full(self.index.len());
            allowed.remove(Ordinal(self.queries[i]));
            let found = searcher.search(&self.index, &query, K, &allowed, Effort::Exhaustive);
            let truth = &self.truth[i][..K.min(self.truth[i].len())];
            let hits = truth.iter().filter(|t| found.iter().any(|f| f.ordinal == t.ordinal));
            hits.count() as f64 / truth.len().max(1) as f64
        });
        (shares.iter().sum::<f64>() / shares.len().max(1) as f64) as f32
    }

    /// How lists are best chosen, how many of them hold which share of the nearest items, and how
    /// far items reach.
    fn measure_lists(&self, lists: &mut Lists) {
        let per_query = self.each(|searcher, i, query| {
            let promises = searcher.promises(&self.index, &query, &OPTIMISM);
            let sorted: Vec<Vec<f32>> = promises
                .iter()
                .map(|promises| {
                    let mut sorted = promises.clone();
                    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
                    sorted
                })
                .collect();
            let near = self.truth[i].iter().enumerate().map(|(depth, item)| {
                let list = self.index.list_of(item.ordinal);
                let ranks = std::array::from_fn(|o| {
                    sorted[o].partition_point(|p| *p > promises[o][list]) as u32
                });
                let reach = if depth < K { self.reach(&query, item.ordinal, list) } else { 0.0 };
                Near { query: i, depth, list, ranks, reach }
            });
            near.collect::<Vec<_>>()
        });
        let near = per_query.concat();
        let n_lists = |share: f32, o: usize| {
            let ranks = near.iter().filter(|n| n.depth < K).map(|n| n.ranks[o]);
            let mut ranks: Vec<u32> = ranks.collect();
            quantile(&mut ranks, f64::from(share), u32::cmp).unwrap_or(0)
        };
        let share = (lists.recall / lists.code_recall).min(0.99);
        let best = (0..OPTIMISM.len()).min_by_key(|o| n_lists(share, *o)).unwrap_or(0);
        lists.optimism = OPTIMISM[best];
        let needs: Vec<Needs> = self.each(|searcher, i, query| {
            Needs::measure(searcher, &self.index, &query, self.queries[i], best)
        });
        for depth in 0..DEPTHS.len() {
            self.measure_probes(depth, best, &near, &needs, lists);
        }
        let mut reaches: Vec<f64> = near.iter().filter(|n| n.depth < K).map(|n| n.reach).collect();
        let reach = quantile(&mut reaches, KEPT_BY_REACH, f64::total_cmp).unwrap_or(0.0);
        lists.reach = reach.max(0.0) as f32;
    }

    /// Which lists hold which share of the nearest items at least cost, for one of [`DEPTHS`]: some of the rest is
    /// lost to the lists that are not chosen, and some to those that are left out again because an
    /// item in them would have to lie too far above their centroid. The split that leaves least to
    /// be scanned wins.
    fn measure_probes(
        &self,
        depth: usize,
        optimism: usize,
        near: &[Near],
        needs: &[Needs],
        lists: &mut Lists,
    ) {
        let items: Vec<(u32, f32)> = near
            .iter()
            .filter(|n| n.depth < DEPTHS[depth])
            .map(|n| (n.ranks[optimism], needs[n.query].of_list(n.list, depth)))
            .collect();
        for share in SHARES {
            let lost = 1.0 - f64::from(share);
            let trials = LOST_TO_REACH.map(|part| {
                let mut reaches: Vec<f32> = items.iter().map(|item| item.1).collect();
                let most = quantile(&mut reaches, 1.0 - part * lost, f32::total_cmp);
                let reach = if part == 0.0 { NO_REACH } else { most.unwrap_or(0.0).max(0.0) };
                // Of all items, so many must be in lists that are neither too far down nor left out.
                let mut ranks: Vec<u32> = items
                    .iter()
                    .map(|item| if item.1 <= reach { item.0 } else { u32::MAX })
                    .collect();
                let rank = quantile(&mut ranks, f64::from(share), u32::cmp).unwrap_or(0);
                let n_lists = rank.saturating_add(1).min(self.index.lists().len() as u32);
                let scanned: u64 = needs.iter().map(|n| n.scanned(n_lists, reach, depth)).sum();
                (scanned, Probes { k: DEPTHS[depth] as u32, share, n_lists, reach })
            });
            let best = trials.into_iter().min_by_key(|(scanned, _)| *scanned);
            lists.probes.extend(best.map(|(_, probes)| probes));
        }
    }

    /// How many spreads of its list an item lies above its centroid, towards a query.
    fn reach(&self, query: &Query, item: Ordinal, list: usize) -> f64 {
        let row = self.space.row(item.index());
        let x: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let mut c = vec![0.0; x.len()];
        self.index.decode_centroid(list, &mut c);
        let spread = f64::from(self.index.lists().spread(list)).max(f64::MIN_POSITIVE);
        if self.space.metric != Metric::Euclidean {
            return (query.dot(&x) - query.dot(&c)) / (query.length() * spread);
        }
        let pairs = || query.vector().iter().zip(&x).zip(&c);
        let along: f64 = pairs().map(|((q, x), c)| (q - c) * (x - c)).sum();
        let own: f64 = pairs().map(|((_, x), c)| (x - c) * (x - c)).sum();
        let away: f64 = pairs().map(|((q, _), c)| (q - c) * (q - c)).sum();
        let above = 2.0 * along - own + x.len() as f64 * spread * spread;
        above / (2.0 * away.sqrt() * spread).max(f64::MIN_POSITIVE)
    }
}

/// How far above their centroid the items of each list would have to lie, in spreads, to belong to
/// the nearest of one query.
struct Needs {
    /// What each list promises at its centroid, and how much more a spread above it.
    lines: Vec<(f32, f32)>,
    /// The same with the lists' sizes, the most promising list first.
    by_rank: Vec<(f32, f32, u32)>,
    /// The last of the nearest, for each of [`DEPTHS`], as a search sees it: by scores of prefixes.
    kth: [f64; DEPTHS.len()],
}

impl Needs {
    fn measure(
        searcher: &mut Searcher,
        index: &Index,
        query: &Query,
        own: u32,
        optimism: usize,
    ) -> Self {
        let mut allowed = ItemSet::full(index.len());
        allowed.remove(Ordinal(own));
        let deepest = DEPTHS[DEPTHS.len() - 1];
        let mut found = searcher.candidates(index, query, &allowed, deepest);
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let kth = DEPTHS.map(|depth| found[..depth.min(found.len())].last().map_or(0.0, |f| f.0));
        let promises = searcher.promises(index, query, &[0.0, 1.0, OPTIMISM[optimism]]);
        // Promises are linear in the number of spreads.
        let lines: Vec<(f32, f32)> =
            promises[0].iter().zip(&promises[1]).map(|(zero, one)| (*zero, one - zero)).collect();
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|a, b| promises[2][*b].total_cmp(&promises[2][*a]));
        let size = |list: usize| index.lists().range(list).len() as u32;
        let ranked = |list: &usize| (lines[*list].0, lines[*list].1, size(*list));
        let by_rank = order.iter().map(ranked).collect();
        Self { lines, by_rank, kth }
    }

    fn of_list(&self, list: usize, depth: usize) -> f32 {
        let (at_centroid, above) = self.lines[list];
        Self::need(self.kth[depth], at_centroid, above)
    }

    fn need(kth: f64, at_centroid: f32, above: f32) -> f32 {
        let above = f64::from(above).max(f64::MIN_POSITIVE);
        ((kth - f64::from(at_centroid)) / above).min(f64::from(NO_REACH)) as f32
    }

    /// How many items are scanned.
    fn scanned(&self, n_lists: u32, reach: f32, depth: usize) -> u64 {
        let chosen = self.by_rank.iter().take(n_lists as usize);
        let kth = self.kth[depth];
        chosen
            .filter(|(at_centroid, above, _)| Self::need(kth, *at_centroid, *above) < reach)
            .map(|(_, _, size)| u64::from(*size))
            .sum()
    }
}

/// One of the nearest items of a query.
#[derive(Clone)]
struct Near {
    /// Position of the query in the sample.
    query: usize,
    list: usize,
    /// How many are nearer.
    depth: usize,
    /// The place of its list among all, for each entry of [`OPTIMISM`].
    ranks: [u32; OPTIMISM.len()],
    reach: f64,
}
