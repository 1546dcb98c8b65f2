//! Which items lie in one block, and which blocks in one list.
//!
//! Every block has a centroid of its own, which its items' codes are residuals to and by which a search
//! decides whether to look at it. So the 32 items of a block should lie close together.
//!
//! k-means gives clusters of a few blocks, which are filled up to whole ones. A cluster is divided by cutting
//! it in two again and again, each time where a line through two centroids (2-means) is divided into whole
//! blocks; then items of all blocks change places ([`super::exchange`]). The same divides all blocks, by their
//! means, into lists.

use rayon::prelude::*;

use super::exchange::exchange;
use super::kmeans::{Clusters, cluster};
use super::rows::{Rows, distance, dot, members};
use crate::kernel::code::BLOCK;
use crate::rng::SeededRng;

/// Items of a cluster that is cut into blocks, about: both are tried. k-means follows the data more closely than
/// cutting does, but of smaller clusters more items must leave theirs to make whole blocks. (Against 128, with 64
/// items lie 1 % nearer to the centroids of blocks, squared, on films and on a million words, and 3 % farther on
/// `clustered-v1`; with 512, 3 % farther on films, 1 % on GloVe-100, and as near on `clustered-v1`.)
const ITEMS_A_CLUSTER: [usize; 2] = [64, 128];
/// Steps of the power iteration that finds the first direction to cut along.
const POWER_STEPS: usize = 4;
/// Times that a cut's two centroids are made anew.
const CUT_STEPS: usize = 6;

/// The order of vectors in which every 32 are a block, and so many blocks a list.
pub(super) fn in_order(rows: &Rows<'_>, blocks_a_list: usize, rng: &mut SeededRng) -> Vec<u32> {
    let tried = ITEMS_A_CLUSTER.map(|items| {
        let order = blocks_of_clusters(rows, rows.len().div_ceil(items).max(1), rng);
        (rows.residual(&order, BLOCK), order)
    });
    let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let (_, order) = best.unwrap_or_default();
    in_lists(rows, &order, blocks_a_list)
}

/// The order of vectors in which every 32 are a block.
fn blocks_of_clusters(rows: &Rows<'_>, n_clusters: usize, rng: &mut SeededRng) -> Vec<u32> {
    let clusters = cluster(rows, n_clusters, rng);
    let mut order: Vec<u32> = whole_blocks(rows, &clusters)
        .into_par_iter()
        .flat_map_iter(|cluster| in_blocks(rows, cluster))
        .collect();
    exchange(rows, &mut order, BLOCK);
    order
}

/// The members of each cluster, so many that each consists of whole blocks; only the last one's last
/// block may have fewer items.
///
/// Lists that lack least to a whole block take the items that others have left over, each those of
/// the nearest such list, the items that lose least by it.
fn whole_blocks(rows: &Rows<'_>, clusters: &Clusters) -> Vec<Vec<u32>> {
    let centroids = Rows { values: &clusters.centroids, dim: rows.dim };
    let n_lists = centroids.len();
    let mut members = members(&clusters.assigned, n_lists);
    let left_over = |list: usize| (members[list].len() % BLOCK) as i32;
    let total: i32 = (0..n_lists).map(left_over).sum();
    let (n_whole, rest) = ((total as usize) / BLOCK, total % BLOCK as i32);
    // How many items each list takes, or gives where it is negative. As many lists are filled up as
    // whole blocks can be made of what is left over; one more keeps the rest, and becomes the last.
    let mut needs: Vec<i32> = (0..n_lists).map(|list| -left_over(list)).collect();
    let mut fullest: Vec<usize> = (0..n_lists).collect();
    fullest.sort_by_key(|list| (needs[*list], *list));
    fullest[..n_whole].iter().for_each(|list| needs[*list] += BLOCK as i32);
    let last = fullest.get(n_whole).copied();
    if let Some(last) = last {
        needs[last] += rest;
    }

    let centroid = |list: usize| centroids.row(list as u32);
    for giver in 0..n_lists {
        let mut takers: Vec<(f32, usize)> = (0..n_lists)
            .filter(|taker| needs[giver] < 0 && needs[*taker] > 0)
            .map(|taker| (distance(centroid(giver), centroid(taker)), taker))
            .collect();
        takers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, taker) in takers {
            let n = needs[taker].min(-needs[giver]);
            if n == 0 {
                break;
            }
            let loss = |i: u32| {
                distance(rows.row(i), centroid(taker)) - distance(rows.row(i), centroid(giver))
            };
            let mut by_loss: Vec<(f32, u32)> =
                members[giver].iter().map(|i| (loss(*i), *i)).collect();
            by_loss.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let (moving, staying) = by_loss.split_at(n as usize);
            members[giver] = staying.iter().map(|(_, i)| *i).collect();
            members[taker].extend(moving.iter().map(|(_, i)| *i));
            needs[giver] += n;
            needs[taker] -= n;
        }
    }
    if let Some(last) = last {
        let list = members.remove(last);
        members.push(list);
    }
    members.retain(|list| !list.is_empty());
    if members.is_empty() {
        members.push(Vec::new());
    }
    members
}

/// The items of one cluster in the order of its blocks.
fn in_blocks(rows: &Rows<'_>, mut cluster: Vec<u32>) -> Vec<u32> {
    // The order that items come in must not matter.
    cluster.sort_unstable();
    rows.cut(&mut cluster, BLOCK);
    cluster
}

/// Blocks in lists of so many, near ones together, and in each list near each other: the items' new order.
/// The last block, which alone may have fewer items, stays the last.
fn in_lists(rows: &Rows<'_>, order: &[u32], blocks_a_list: usize) -> Vec<u32> {
    let (whole, rest) = order.as_chunks::<BLOCK>();
    let means: Vec<f32> = whole.iter().flat_map(|block| rows.mean(block)).collect();
    let blocks = Rows { values: &means, dim: rows.dim };
    let mut by_list: Vec<u32> = (0..whole.len() as u32).collect();
    blocks.cut(&mut by_list, blocks_a_list);
    exchange(&blocks, &mut by_list, blocks_a_list);
    by_list.chunks_mut(blocks_a_list).for_each(|list| blocks.cut(list, 1));
    let items = by_list.iter().flat_map(|block| whole[*block as usize]);
    items.chain(rest.iter().copied()).collect()
}

impl Rows<'_> {
    /// Cuts items in two halves of whole units, and these again, down to single units.
    fn cut(&self, items: &mut [u32], unit: usize) {
        let n = items.len().div_ceil(unit);
        if n <= 1 {
            return;
        }
        let half = n / 2 * unit;
        let mut direction = self.widest(items);
        for _ in 0..CUT_STEPS {
            self.sort_along(items, &direction);
            let (low, high) = (self.mean(&items[..half]), self.mean(&items[half..]));
            let next: Vec<f32> = high.iter().zip(&low).map(|(h, l)| h - l).collect();
            if next == direction {
                break;
            }
            direction = next;
        }
        let (low, high) = items.split_at_mut(half);
        self.cut(low, unit);
        self.cut(high, unit);
    }

    /// About the direction in which items are spread widest, by power iteration.
    fn widest(&self, items: &[u32]) -> Vec<f32> {
        let mean = self.mean(items);
        let from_mean = |i: u32| distance(self.row(i), &mean);
        let farthest = items
            .iter()
            .copied()
            .max_by(|a, b| from_mean(*a).total_cmp(&from_mean(*b)).then(b.cmp(a)));
        let mut direction: Vec<f32> = match farthest {
            Some(i) => self.row(i).iter().zip(&mean).map(|(x, m)| x - m).collect(),
            None => return mean,
        };
        for _ in 0..POWER_STEPS {
            let length = dot(&direction, &direction).sqrt();
            if !(length > 0.0) {
                break;
            }
            direction.iter_mut().for_each(|x| *x /= length);
            let at_mean = dot(&mean, &direction);
            let mut next = vec![0.0f32; self.dim];
            for i in items {
                let along = dot(self.row(*i), &direction) - at_mean;
                let residual = self.row(*i).iter().zip(&mean);
                next.iter_mut().zip(residual).for_each(|(n, (x, m))| *n += along * (x - m));
            }
            direction = next;
        }
        direction
    }

    fn sort_along(&self, items: &mut [u32], direction: &[f32]) {
        let mut keyed: Vec<(f32, u32)> =
            items.iter().map(|i| (dot(self.row(*i), direction), *i)).collect();
        keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        items.iter_mut().zip(keyed).for_each(|(to, (_, i))| *to = i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::synthetic::Generator;

    #[test]
    fn lists_are_whole_blocks_and_hold_every_item_once() {
        let dim = 8;
        for (n, n_lists) in [(0, 1), (1, 1), (31, 2), (32, 2), (1000, 7), (1024, 40), (5003, 20)] {
            let values = Generator::ClusteredV1.base(n, dim, 3);
            let rows = Rows { values: &values, dim };
            let clusters = match n {
                0 => Clusters { centroids: vec![0.0; dim], assigned: Vec::new() },
                _ => cluster(&rows, n_lists.min(n), &mut SeededRng::new(5, 0)),
            };
            let lists = whole_blocks(&rows, &clusters);
            let (last, others) = lists.split_last().unwrap();
            assert!(others.iter().all(|list| list.len() % BLOCK == 0 && !list.is_empty()));
            assert_eq!(last.len() % BLOCK, n % BLOCK);
            let mut items = lists.concat();
            items.sort_unstable();
            assert_eq!(items, (0..n as u32).collect::<Vec<_>>(), "{n} items in {n_lists} lists");
        }
    }

    #[test]
    fn lists_hold_blocks_that_lie_near_each_other() {
        let dim = 8;
        for (n, blocks_a_list) in [(0, 4), (20, 1), (64, 2), (5000, 4), (5000, 32), (5000, 256)] {
            let values = Generator::ClusteredV1.base(n, dim, 3);
            let rows = Rows { values: &values, dim };
            let order = in_blocks(&rows, (0..n as u32).collect());
            let lists = in_lists(&rows, &order, blocks_a_list);
            // The same blocks in another order, the last one last.
            let sorted = |order: &[u32]| {
                let mut blocks: Vec<Vec<u32>> = order.chunks(BLOCK).map(<[u32]>::to_vec).collect();
                let last = blocks.pop();
                blocks.sort();
                (blocks, last.filter(|last| last.len() < BLOCK))
            };
            if n % BLOCK > 0 {
                assert_eq!(sorted(&lists), sorted(&order), "{n} {blocks_a_list}");
            }
            let spread = |order: &[u32]| {
                let of_list = |list: &[u32]| {
                    let mean = rows.mean(list);
                    list.iter().map(|i| distance(rows.row(*i), &mean)).sum::<f32>()
                };
                order.chunks(blocks_a_list * BLOCK).map(of_list).sum::<f32>()
            };
            if n == 5000 && blocks_a_list < 256 {
                let by_chance: Vec<u32> = (0..n as u32).collect();
                assert!(spread(&lists) < 0.9 * spread(&by_chance), "{blocks_a_list}");
            }
        }
    }

    #[test]
    fn blocks_lie_close_together() {
        let (n, dim) = (1500, 16);
        let values = Generator::ClusteredV1.base(n, dim, 7);
        let rows = Rows { values: &values, dim };
        let by_chance: Vec<u32> = (0..n as u32).collect();
        let cut = in_blocks(&rows, by_chance.clone());
        let order = in_order(&rows, 1024, &mut SeededRng::new(5, 0));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, by_chance);
        let (chance, cut_once) = (rows.residual(&by_chance, BLOCK), rows.residual(&cut, BLOCK));
        let all_steps = rows.residual(&order, BLOCK);
        assert!(cut_once < 0.7 * chance, "{cut_once} of {chance}");
        assert!(all_steps < 0.95 * cut_once, "{all_steps} of {cut_once}");
        // Whatever order the items come in, a cut is the same.
        assert_eq!(in_blocks(&rows, (0..n as u32).rev().collect()), cut);
        // Nothing tells equal vectors apart.
        let rows = Rows { values: &vec![1.0; n * dim], dim };
        assert_eq!(in_blocks(&rows, (0..100).rev().collect()), by_chance[..100]);
    }
}
