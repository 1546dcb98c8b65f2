//! Which lists and blocks a search looks at, and which it leaves out again: measured on the sample of the
//! tuning step.

use rayon::prelude::*;

use super::{K, Sample, quantile};
use crate::format::{Level, Lists, NO_REACH, Probes};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::kernel::code::BLOCK;
use crate::metric::Metric;
use crate::search::{Lines, Query, Searcher};

/// How deep lists are measured: filters and long answers reach that far.
const DEPTHS: [usize; 5] = [K, 20, 100, 300, DEEPEST];
pub(super) const DEEPEST: usize = 1000;
/// Queries of the sample by which costs are counted: means, which the rest of it, drawn for the sake of rare items,
/// would change little.
const COUNTED: usize = 500;
/// Nearest items that are measured at one depth, at most: of fewer queries at the greater ones.
const NEAREST: usize = 200_000;
/// For which shares of the neighbours numbers of lists are kept.
const SHARES: [f32; 24] = [
    0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.965, 0.97, 0.975, 0.98, 0.9825, 0.985,
    0.9875, 0.99, 0.992, 0.994, 0.995, 0.996, 0.997, 0.998, 0.999,
];
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

impl Sample<'_> {
    /// How lists and blocks are best chosen, how many of them hold which share of the nearest items, and
    /// how far items reach.
    pub(super) fn measure_lists(&self, lists: &mut Lists, blocks: &mut Level) {
        let share = (lists.recall / lists.code_recall).min(0.99);
        (lists.level.optimism, blocks.optimism) = self.optimism(f64::from(share));
        let measured = self.each(|searcher, i, query| {
            self.near(searcher, i, &query, lists.level.optimism, blocks.optimism)
        });
        let (near, needs): (Vec<Vec<Near>>, Vec<Needs>) = measured.into_iter().unzip();
        let near: Vec<Near> = near.concat();
        let best: Vec<&Near> = near.iter().filter(|n| n.depth < K).collect();
        lists.radius_share = 0.0;
        for (depth, deep) in DEPTHS.iter().enumerate() {
            let is_needed = |n: &&Near| {
                n.depth < *deep && is_asked(n.query, *deep) && n.score > needs[n.query].next[depth]
            };
            let nearest = || near.iter().filter(is_needed);
            let items: Vec<Place> = nearest()
                .map(|n| Place {
                    list_rank: n.list_rank,
                    block_rank: n.block_rank,
                    need: Needs::need(needs[n.query].kth[depth], n.line),
                })
                .collect();
            for share in SHARES {
                lists.probes.extend(self.probes(depth, share, &items, &needs));
            }
            let of_radius = |n: &Near| Needs::need(needs[n.query].kth[depth], n.limit);
            let mut shares: Vec<f32> = nearest().map(of_radius).collect();
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

    /// Under which optimism the lists, and the blocks, of this share of the best items come earliest.
    fn optimism(&self, share: f64) -> (f32, f32) {
        let measured = self.each(|searcher, i, query| {
            if i >= COUNTED {
                return Vec::new();
            }
            let [lists, blocks, _] = searcher.promises(&self.index, &query);
            let places = |optimism| {
                let (by_list, by_block) =
                    (Ranking::new(&lists, optimism), Ranking::new(&blocks, optimism));
                let place = |item: &Scored| {
                    let (list, block) = self.place_of(item.ordinal);
                    (by_list.rank(lists[list]), by_block.rank(blocks[block]))
                };
                self.truth[i].iter().take(K).map(place).collect::<Vec<_>>()
            };
            OPTIMISM.map(places).to_vec()
        });
        let best = |rank: fn(&(u32, u32)) -> u32| {
            let needed = |o: &usize| {
                let of_query = measured.iter().filter_map(|places| places.get(*o));
                let mut ranks: Vec<u32> = of_query.flatten().map(rank).collect();
                quantile(&mut ranks, share, u32::cmp).unwrap_or(0)
            };
            OPTIMISM[(0..OPTIMISM.len()).min_by_key(needed).unwrap_or(0)]
        };
        (best(|(list, _)| *list), best(|(_, block)| *block))
    }

    /// The list and the block of an item.
    fn place_of(&self, item: Ordinal) -> (usize, usize) {
        let block = item.index() / BLOCK;
        (self.index.lists().of_block(block), block)
    }

    /// Where the nearest items of a query of the sample lie, and what blocks promise it.
    fn near(
        &self,
        searcher: &mut Searcher,
        i: usize,
        query: &Query,
        of_lists: f32,
        of_blocks: f32,
    ) -> (Vec<Near>, Needs) {
        let [lists, blocks, limits] = searcher.promises(&self.index, query);
        let (by_list, by_block) =
            (Ranking::new(&lists, of_lists), Ranking::new(&blocks, of_blocks));
        let place = |(depth, item): (usize, &Scored)| {
            let (list, block) = self.place_of(item.ordinal);
            let reaches = if depth < K { self.reaches(query, item.ordinal) } else { (0.0, 0.0) };
            Near {
                query: i,
                depth,
                score: item.score,
                list_rank: by_list.rank(lists[list]),
                block_rank: by_block.rank(blocks[block]),
                line: blocks[block],
                limit: limits[block],
                reaches,
            }
        };
        let deepest = DEPTHS.into_iter().rfind(|deep| is_asked(i, *deep)).unwrap_or(K);
        let near = self.truth[i].iter().take(deepest).enumerate().map(place).collect();

        let mut allowed = ItemSet::full(self.index.len());
        allowed.remove(Ordinal(self.queries[i]));
        let mut found = searcher.candidates(&self.index, query, &allowed, DEEPEST);
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let kth = DEPTHS.map(|depth| found[..depth.min(found.len())].last().map_or(0.0, |f| f.0));
        let mut by_rank = if i < COUNTED { blocks } else { Vec::new() };
        by_rank.sort_by(|a, b| promised(*b, of_blocks).total_cmp(&promised(*a, of_blocks)));
        by_rank.truncate(RANKED);
        let beyond =
            |depth: usize| self.truth[i].get(depth).map_or(f64::NEG_INFINITY, |n| n.score);
        (near, Needs { by_rank, kth, next: DEPTHS.map(beyond) })
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
            let counted = &needs[..needs.len().min(COUNTED)];
            let scanned: u64 =
                counted.par_iter().map(|n| n.scanned(probes.n_blocks, reach, depth)).sum();
            let scanned = scanned as f64 / counted.len().max(1) as f64;
            trials.push((scanned + choosing(probes.n_lists), probes));
        }
        let best = trials.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, probes)| probes)
    }

    /// How many spreads an item lies above the centroids of its list and of its block, towards a query.
    fn reaches(&self, query: &Query, item: Ordinal) -> (f64, f64) {
        let row = self.space.row(item.index());
        let x: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let (list, block) = self.place_of(item);
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

/// Whether a query of the sample is one of those that are measured at a depth.
fn is_asked(query: usize, depth: usize) -> bool {
    (query + 1) * depth <= NEAREST
}

/// What a centroid promises under an optimism: see [`Searcher::promises`].
fn promised((at_centroid, above): (f32, f32), optimism: f32) -> f32 {
    at_centroid + optimism * above
}

/// What all lists, or all blocks, promise a query, the most first.
struct Ranking {
    optimism: f32,
    promises: Vec<f32>,
}

impl Ranking {
    fn new(lines: &Lines, optimism: f32) -> Self {
        let mut promises: Vec<f32> = lines.iter().map(|line| promised(*line, optimism)).collect();
        promises.sort_unstable_by(|a, b| b.total_cmp(a));
        Self { optimism, promises }
    }

    /// How many promise more than this one.
    fn rank(&self, line: (f32, f32)) -> u32 {
        let own = promised(line, self.optimism);
        self.promises.partition_point(|promise| *promise > own) as u32
    }
}

/// What the blocks promise one query, and what of it a search would scan.
struct Needs {
    /// What each block promises at its centroid, and how much more a spread above it: the most promising
    /// first, [`RANKED`] of them; none but for the queries that are [`COUNTED`].
    by_rank: Lines,
    /// The last of the nearest, for each of [`DEPTHS`], as a search sees it: by scores of prefixes.
    kth: [f64; DEPTHS.len()],
    /// The score of the next after them. Which of several with that score is found does not matter: copies of
    /// one item, say, of which a block cannot hold more than 32.
    next: [f64; DEPTHS.len()],
}

impl Needs {
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
    /// Its score.
    score: f64,
    /// The places of its list and of its block among all.
    list_rank: u32,
    block_rank: u32,
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
    use crate::build::{BuildOptions, Embeddings, Table, build};
    use crate::load::{AlignedBytes, Index};
    use crate::metric::Metric;
    use crate::rng::SeededRng;

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
