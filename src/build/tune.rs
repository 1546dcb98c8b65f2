//! The tuning step: how many bits a code gets, how far prefixes are off, which lists and blocks to
//! look at.
//!
//! All of it is measured on what was built, with a sample of the catalog's own items as queries
//! (each left out of its own answer) against exact search over the vectors before coding. So
//! nobody has to know these numbers, and none of them is a guess about somebody's data.

use rayon::prelude::*;

use super::encode::Encoded;
use super::space::Space;
use super::{BuildOptions, exact, untitled};
use crate::error::Result;
use crate::format::{Level, Lists, NO_REACH, Probes};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::kernel::code::BLOCK;
use crate::load::{AlignedBytes, Index};
use crate::metric::Metric;
use crate::rng::SeededRng;
use crate::search::{Effort, Lines, Query, Searcher};

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
const SHARES: [f32; 24] = [
    0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.965, 0.97, 0.975, 0.98, 0.9825, 0.985,
    0.9875, 0.99, 0.992, 0.994, 0.995, 0.996, 0.997, 0.998, 0.999,
];
/// The share of the best items that the margin keeps.
const KEPT: f64 = 0.999;
/// Items by the scores of their prefixes among which the best are looked for.
const CANDIDATES: usize = 1000;
/// Numbers of spreads that a list or a block may be given ahead when they are chosen: its best items
/// lie above its centroid, the more so the wider it is, and under inner product those of long vectors
/// are wide.
const OPTIMISM: [f32; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0];
/// The share of the best items within the reach of their lists and blocks.
const KEPT_BY_REACH: f64 = 0.99;
/// The share of the nearest items that a search of everything keeps when it leaves out blocks by their radius:
/// half of what the margin may lose is lost here. (Queries that no item is near ask for less of a radius.)
const KEPT_BY_RADIUS: f64 = 0.9995;
/// What part of the nearest items that may be lost is lost to lists that are not chosen: tried for each
/// share;
const LOST_TO_LISTS: [f64; 3] = [0.1, 0.25, 0.5];
/// and what part because blocks are left out again.
const LOST_TO_REACH: [f64; 4] = [0.0, 0.15, 0.3, 0.5];
/// What choosing among 32 blocks costs, in the time that scanning one takes.
const COST_OF_CHOICE: f64 = 1.5;
/// Blocks of each query whose promises are kept, the most promising first, to count what is scanned.
const RANKED: usize = 16384;
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
            let truth = &self.truth[i][..K.min(self.truth[i].len())];
            let hits = truth.iter().filter(|t| found.iter().any(|f| f.ordinal == t.ordinal));
            hits.count() as f64 / truth.len().max(1) as f64
        });
        (shares.iter().sum::<f64>() / shares.len().max(1) as f64) as f32
    }

    /// How lists and blocks are best chosen, how many of them hold which share of the nearest items, and
    /// how far items reach.
    fn measure_lists(&self, lists: &mut Lists, blocks: &mut Level) {
        let measured = self.each(|searcher, i, query| self.near(searcher, i, &query));
        let near: Vec<Near> = measured.concat();
        let best: Vec<&Near> = near.iter().filter(|n| n.depth < K).collect();
        let share = (lists.recall / lists.code_recall).min(0.99);
        let optimism = |rank: &dyn Fn(&Near, usize) -> u32| {
            let needed = |o: usize| {
                let mut ranks: Vec<u32> = best.iter().map(|n| rank(n, o)).collect();
                quantile(&mut ranks, f64::from(share), u32::cmp).unwrap_or(0)
            };
            (0..OPTIMISM.len()).min_by_key(|o| needed(*o)).unwrap_or(0)
        };
        let (of_lists, of_blocks) =
            (optimism(&|n, o| n.list_ranks[o]), optimism(&|n, o| n.block_ranks[o]));
        (lists.level.optimism, blocks.optimism) = (OPTIMISM[of_lists], OPTIMISM[of_blocks]);
        let needs: Vec<Needs> = self.each(|searcher, i, query| {
            Needs::measure(searcher, &self.index, &query, self.queries[i], of_blocks)
        });
        lists.radius_share = 0.0;
        for (depth, deep) in DEPTHS.iter().enumerate() {
            let items: Vec<Place> = near
                .iter()
                .filter(|n| n.depth < *deep)
                .map(|n| Place {
                    list_rank: n.list_ranks[of_lists],
                    block_rank: n.block_ranks[of_blocks],
                    need: Needs::need(needs[n.query].kth[depth], n.line),
                })
                .collect();
            for share in SHARES {
                lists.probes.extend(self.probes(depth, share, &items, &needs));
            }
            let of_radius = |n: &Near| Needs::need(needs[n.query].kth[depth], n.limit);
            let nearest = near.iter().filter(|n| n.depth < *deep);
            let mut shares: Vec<f32> = nearest.map(of_radius).collect();
            let share = quantile(&mut shares, KEPT_BY_RADIUS, f32::total_cmp).unwrap_or(1.0);
            lists.radius_share = lists.radius_share.max(share);
        }
        lists.radius_share = lists.radius_share.min(1.0);
        let reach = |of: &dyn Fn(&Near) -> f64| {
            let mut reaches: Vec<f64> = best.iter().map(|n| of(n)).collect();
            quantile(&mut reaches, KEPT_BY_REACH, f64::total_cmp).unwrap_or(0.0).max(0.0) as f32
        };
        (lists.level.reach, blocks.reach) = (reach(&|n| n.reaches.0), reach(&|n| n.reaches.1));
    }

    /// Where the nearest items of a query of the sample lie.
    fn near(&self, searcher: &mut Searcher, i: usize, query: &Query) -> Vec<Near> {
        let [lists, blocks, limits] = searcher.promises(&self.index, query);
        let ranked = |lines: &Lines| -> Vec<Vec<f32>> {
            let sorted = |o: f32| {
                let mut promises: Vec<f32> =
                    lines.iter().map(|line| line.0 + o * line.1).collect();
                promises.sort_unstable_by(|a, b| b.total_cmp(a));
                promises
            };
            OPTIMISM.map(sorted).to_vec()
        };
        let (sorted_lists, sorted_blocks) = (ranked(&lists), ranked(&blocks));
        let ranks = |sorted: &[Vec<f32>], line: (f32, f32)| {
            std::array::from_fn(|o| {
                let own = line.0 + OPTIMISM[o] * line.1;
                sorted[o].partition_point(|promise| *promise > own) as u32
            })
        };
        let place = |(depth, item): (usize, &Scored)| {
            let block = item.ordinal.index() / BLOCK;
            let list = self.index.lists().of_block(block);
            let reaches = if depth < K { self.reaches(query, item.ordinal) } else { (0.0, 0.0) };
            Near {
                query: i,
                depth,
                list_ranks: ranks(&sorted_lists, lists[list]),
                block_ranks: ranks(&sorted_blocks, blocks[block]),
                line: blocks[block],
                limit: limits[block],
                reaches,
            }
        };
        self.truth[i].iter().enumerate().map(place).collect()
    }

    /// Which lists and blocks hold a share of the nearest items at least cost, for one of [`DEPTHS`]:
    /// some of the rest is lost to the lists that are not chosen, some to the blocks that are not, and
    /// some to those that are left out again because an item in them would have to lie too far above
    /// their centroid. The split that leaves least to be scanned wins.
    fn probes(
        &self,
        depth: usize,
        share: f32,
        items: &[Place],
        needs: &[Needs],
    ) -> Option<Probes> {
        let lost = 1.0 - f64::from(share);
        let (n_lists, n_blocks) = (self.space.n_lists(), self.space.len().div_ceil(BLOCK));
        // Centroids of blocks are scanned and compared 32 at a time.
        let a_list = f64::from(self.space.lists.blocks_a_list) / BLOCK as f64;
        let choosing = |lists: u32| {
            let groups = (f64::from(lists) * a_list.max(1.0)).min(n_blocks.div_ceil(BLOCK) as f64);
            groups * COST_OF_CHOICE
        };
        let mut trials = Vec::new();
        for (to_lists, to_reach) in
            LOST_TO_LISTS.iter().flat_map(|l| LOST_TO_REACH.map(|r| (*l, r)))
        {
            let mut ranks: Vec<u32> = items.iter().map(|item| item.list_rank).collect();
            let list_rank = quantile(&mut ranks, 1.0 - to_lists * lost, u32::cmp).unwrap_or(0);
            let mut reaches: Vec<f32> = items.iter().map(|item| item.need).collect();
            let most = quantile(&mut reaches, 1.0 - to_reach * lost, f32::total_cmp);
            let reach = if to_reach == 0.0 { NO_REACH } else { most.unwrap_or(0.0).max(0.0) };
            // Of all items, so many must be in blocks that are neither too far down nor left out, nor in
            // lists that are not chosen.
            let is_kept = |item: &Place| item.list_rank <= list_rank && item.need <= reach;
            let mut ranks: Vec<u32> =
                items.iter().map(|i| if is_kept(i) { i.block_rank } else { u32::MAX }).collect();
            let rank = quantile(&mut ranks, f64::from(share), u32::cmp).unwrap_or(0);
            let probes = Probes {
                k: DEPTHS[depth] as u32,
                share,
                n_lists: list_rank.saturating_add(1).min(n_lists as u32),
                n_blocks: rank.saturating_add(1).min(n_blocks as u32),
                reach,
            };
            let scanned: u64 =
                needs.par_iter().map(|n| n.scanned(probes.n_blocks, reach, depth)).sum();
            let scanned = scanned as f64 / needs.len().max(1) as f64;
            trials.push((scanned + choosing(probes.n_lists), probes));
        }
        let best = trials.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, probes)| probes)
    }

    /// How many spreads an item lies above the centroids of its list and of its block, towards a query.
    fn reaches(&self, query: &Query, item: Ordinal) -> (f64, f64) {
        let row = self.space.row(item.index());
        let x: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let block = item.index() / BLOCK;
        let list = self.index.lists().of_block(block);
        let mut centroid = vec![0.0; x.len()];
        self.index.decode_centroid(list, &mut centroid);
        let of_list = self.reach(query, &x, &centroid, self.index.lists().spread(list));
        self.index.add_block_residual(block, &mut centroid);
        let of_block = self.reach(query, &x, &centroid, self.index.blocks().spread(block));
        (of_list, of_block)
    }

    fn reach(&self, query: &Query, x: &[f64], c: &[f64], spread: f32) -> f64 {
        let spread = f64::from(spread).max(f64::MIN_POSITIVE);
        if self.space.metric != Metric::Euclidean {
            return (query.dot(x) - query.dot(c)) / (query.length() * spread);
        }
        let pairs = || query.vector().iter().zip(x).zip(c);
        let along: f64 = pairs().map(|((q, x), c)| (q - c) * (x - c)).sum();
        let own: f64 = pairs().map(|((_, x), c)| (x - c) * (x - c)).sum();
        let away: f64 = pairs().map(|((q, _), c)| (q - c) * (q - c)).sum();
        let above = 2.0 * along - own + x.len() as f64 * spread * spread;
        above / (2.0 * away.sqrt() * spread).max(f64::MIN_POSITIVE)
    }
}

/// What the blocks promise one query, and what of it a search would scan.
struct Needs {
    /// What each block promises at its centroid, and how much more a spread above it: the most promising
    /// first, [`RANKED`] of them.
    by_rank: Lines,
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
        let [_, mut by_rank, _] = searcher.promises(index, query);
        let promise = |line: &(f32, f32)| line.0 + OPTIMISM[optimism] * line.1;
        by_rank.sort_by(|a, b| promise(b).total_cmp(&promise(a)));
        by_rank.truncate(RANKED);
        Self { by_rank, kth }
    }

    /// How many spreads above its centroid, or radii, an item of a block would have to lie to be among the
    /// nearest.
    fn need(kth: f64, (at_centroid, above): (f32, f32)) -> f32 {
        let above = f64::from(above).max(f64::MIN_POSITIVE);
        ((kth - f64::from(at_centroid)) / above).min(f64::from(NO_REACH)) as f32
    }

    /// How many blocks are scanned.
    fn scanned(&self, n_blocks: u32, reach: f32, depth: usize) -> u64 {
        let chosen = &self.by_rank[..(n_blocks as usize).min(self.by_rank.len())];
        let taken = chosen.iter().filter(|line| Self::need(self.kth[depth], **line) < reach);
        (taken.count() + n_blocks as usize - chosen.len()) as u64
    }
}

/// One of the nearest items of a query.
#[derive(Clone)]
struct Near {
    /// Position of the query in the sample.
    query: usize,
    /// How many are nearer.
    depth: usize,
    /// The places of its list and of its block among all, for each entry of [`OPTIMISM`].
    list_ranks: [u32; OPTIMISM.len()],
    block_ranks: [u32; OPTIMISM.len()],
    /// What its block promises.
    line: (f32, f32),
    /// What its block's radius allows.
    limit: (f32, f32),
    /// How far it lies above the centroids of its list and its block.
    reaches: (f64, f64),
}

/// What must hold to find an item: its list and its block are chosen, and the block is not left out.
struct Place {
    list_rank: u32,
    block_rank: u32,
    /// Spreads above the block's centroid.
    need: f32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{Embeddings, Table, build};

    /// What was measured leaves out something; what was not measured leaves out nothing.
    #[test]
    fn shares_of_radii_are_measured_where_there_are_lists() {
        let mut rng = SeededRng::new(8, 0);
        for (n, metric) in
            [(6000, Metric::Cosine), (6000, Metric::Euclidean), (6000, Metric::InnerProduct)]
                .into_iter()
                .chain([(300, Metric::Cosine), (100, Metric::Cosine)])
        {
            let ids = (0..n).map(|i| i.to_string()).collect();
            let table = Table { ids, columns: Vec::new() };
            let centers: Vec<f64> = (0..20 * 16).map(|_| rng.normal()).collect();
            let values = (0..n * 16)
                .map(|i| (centers[i / 16 % 20 * 16 + i % 16] + 0.5 * rng.normal()) as f32)
                .collect();
            let options = BuildOptions { metric, ..BuildOptions::default() };
            let built = build(&table, &Embeddings { dim: 16, values }, &options).unwrap();
            let index = Index::open(AlignedBytes::copy_of(&built.bytes).unwrap()).unwrap();
            let (share, has_lists) = (index.lists().radius_share, index.lists().len() > 1);
            assert_eq!(has_lists, n > 1000);
            match has_lists {
                true => assert!(0.2 < share && share < 1.0, "{metric:?}: {share}"),
                false => assert_eq!(share, 1.0),
            }
        }
    }
}
