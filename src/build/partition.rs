//! Which items lie in one block, and which blocks in one list.
//!
//! Every block has a centroid of its own, which its items' codes are residuals to and by which a search
//! decides whether to look at it. So the 32 items of a block should lie close together.
//!
//! A cluster is divided by cutting it in two again and again, each time where a line through two centroids
//! (2-means) is divided into whole blocks; then items of two blocks change places as long as that
//! brings them nearer to their centroids, in sum: k-means with clusters of one size. The same divides all
//! blocks, by their means, into lists.

use super::kmeans::Clusters;
use crate::kernel::code::BLOCK;

/// Steps of the power iteration that finds the first direction to cut along.
const POWER_STEPS: usize = 4;
/// Times that a cut's two centroids are made anew.
const CUT_STEPS: usize = 6;
/// Times that all centroids are made anew, with changes of place in between.
const ROUNDS: usize = 4;
/// Rounds of changes under the same centroids.
const PASSES: usize = 3;
/// Blocks or lists whose members change places with each other, at most. They lie in the order of the
/// cuts, so those that change nothing with each other are seldom near.
const MOST_UNITS: usize = 64;
/// Units that a member would like best, which are asked for a change.
const ASKED: usize = 4;

/// The members of each cluster, so many that each consists of whole blocks; only the last one's last
/// block may have fewer items.
///
/// Lists that lack least to a whole block take the items that others have left over, each those of
/// the nearest such list, the items that lose least by it.
pub(super) fn whole_blocks(rows: &[f32], dim: usize, clusters: &Clusters) -> Vec<Vec<u32>> {
    let n_lists = clusters.centroids.len() / dim;
    let mut members = vec![Vec::new(); n_lists];
    for (i, list) in clusters.assigned.iter().enumerate() {
        members[*list as usize].push(i as u32);
    }
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

    let centroid = |list: usize| &clusters.centroids[list * dim..(list + 1) * dim];
    let row = |i: u32| &rows[i as usize * dim..(i as usize + 1) * dim];
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
            let loss =
                |i: u32| distance(row(i), centroid(taker)) - distance(row(i), centroid(giver));
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

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Sums that run beside each other: lanes for the compiler to fill.
const LANES: usize = 8;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += a[j] * b[j];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// The items of one list in the order of its blocks.
pub(super) fn in_blocks(rows: &[f32], dim: usize, mut list: Vec<u32>) -> Vec<u32> {
    // The order that items come in must not matter to those who read them by rows.
    list.sort_unstable();
    let own: Vec<f32> = list
        .iter()
        .flat_map(|i| &rows[*i as usize * dim..(*i as usize + 1) * dim])
        .copied()
        .collect();
    let list_rows = Rows { values: &own, dim };
    let mut order: Vec<u32> = (0..list.len() as u32).collect();
    list_rows.cut(&mut order, BLOCK);
    order.chunks_mut(MOST_UNITS * BLOCK).for_each(|part| list_rows.exchange(part, BLOCK));
    // Items that are read one after the other lie one after the other.
    order.chunks_mut(BLOCK).for_each(<[u32]>::sort_unstable);
    order.iter().map(|i| list[*i as usize]).collect()
}

/// Blocks in lists of so many, near ones together, and in each list near each other: the items' new order.
/// The last block, which alone may have fewer items, stays the last.
pub(super) fn in_lists(rows: &[f32], dim: usize, order: &[u32], blocks_a_list: usize) -> Vec<u32> {
    let (whole, rest) = order.as_chunks::<BLOCK>();
    let all = Rows { values: rows, dim };
    let means: Vec<f32> = whole.iter().flat_map(|block| all.mean(block)).collect();
    let blocks = Rows { values: &means, dim };
    let mut by_list: Vec<u32> = (0..whole.len() as u32).collect();
    blocks.cut(&mut by_list, blocks_a_list);
    if blocks_a_list < whole.len() {
        let exchanged = MOST_UNITS * blocks_a_list;
        by_list.chunks_mut(exchanged).for_each(|part| blocks.exchange(part, blocks_a_list));
    }
    by_list.chunks_mut(blocks_a_list).for_each(|list| blocks.cut(list, 1));
    let items = by_list.iter().flat_map(|block| whole[*block as usize]);
    items.chain(rest.iter().copied()).collect()
}

/// Some vectors: of items, or the means of blocks.
struct Rows<'a> {
    values: &'a [f32],
    dim: usize,
}

impl Rows<'_> {
    fn row(&self, i: u32) -> &[f32] {
        &self.values[i as usize * self.dim..(i as usize + 1) * self.dim]
    }

    fn mean(&self, items: &[u32]) -> Vec<f32> {
        let mut mean = vec![0.0f32; self.dim];
        for i in items {
            mean.iter_mut().zip(self.row(*i)).for_each(|(m, x)| *m += x);
        }
        mean.iter_mut().for_each(|m| *m /= items.len().max(1) as f32);
        mean
    }

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

    /// Lets members of two units change places as long as that brings them nearer to their centroids, in
    /// sum.
    fn exchange(&self, items: &mut [u32], unit: usize) {
        let before = items.to_vec();
        // By their positions before.
        let mut places = Places {
            order: (0..items.len() as u32).collect(),
            at: (0..items.len()).map(|position| position / unit).collect(),
            unit,
        };
        for _ in 0..ROUNDS {
            let centroids: Vec<Vec<f32>> = items.chunks(unit).map(|b| self.mean(b)).collect();
            let costs = self.costs(&before, &centroids);
            if !places.exchange_under(&costs) {
                break;
            }
            items
                .iter_mut()
                .zip(&places.order)
                .for_each(|(to, from)| *to = before[*from as usize]);
        }
    }

    /// The squared distance of each item from each centroid, less its own squared length.
    fn costs(&self, items: &[u32], centroids: &[Vec<f32>]) -> Vec<f32> {
        let squared: Vec<f32> = centroids.iter().map(|c| dot(c, c)).collect();
        let mut costs = Vec::with_capacity(items.len() * centroids.len());
        for i in items {
            let pairs = centroids.iter().zip(&squared);
            costs.extend(pairs.map(|(c, squared)| squared - 2.0 * dot(self.row(*i), c)));
        }
        costs
    }
}

/// Who is where, in units of one size (but for the last).
struct Places {
    /// Who is in the first unit, in the second, and so on.
    order: Vec<u32>,
    /// The unit of each.
    at: Vec<usize>,
    unit: usize,
}

impl Places {
    /// Changes of place under given costs (by members, then by units). Returns whether there were any.
    fn exchange_under(&mut self, costs: &[f32]) -> bool {
        let Self { order, at, unit } = self;
        let n_units = order.len().div_ceil(*unit);
        let members_of = |i: usize, n: usize| i * *unit..((i + 1) * *unit).min(n);
        let cost = |i: u32, unit: usize| costs[i as usize * n_units + unit];
        let mut any = false;
        for _ in 0..PASSES {
            // Those who would gain most are asked first.
            let mut gains: Vec<(f32, u32)> = (0..order.len() as u32)
                .map(|i| {
                    let own = cost(i, at[i as usize]);
                    let best = (0..n_units).map(|block| cost(i, block)).fold(own, f32::min);
                    (own - best, i)
                })
                .filter(|(gain, _)| *gain > 0.0)
                .collect();
            gains.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut changed = vec![false; order.len()];
            let mut wishes: Vec<(f32, usize)> = Vec::with_capacity(n_units);
            let mut n_changes = 0;
            for (_, i) in gains {
                if changed[i as usize] {
                    continue;
                }
                let own = at[i as usize];
                wishes.clear();
                wishes.extend(
                    (0..n_units)
                        .map(|block| (cost(i, own) - cost(i, block), block))
                        .filter(|(gain, _)| *gain > 0.0),
                );
                wishes.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                for (gain, block) in wishes.iter().copied().take(ASKED) {
                    let members = members_of(block, order.len());
                    let other = members
                        .filter(|p| !changed[order[*p] as usize])
                        .map(|p| (cost(order[p], block) - cost(order[p], own), p))
                        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
                    // A little more than rounding.
                    if let Some((others_gain, p)) = other
                        && gain + others_gain > 1e-6 * gain.abs().max(others_gain.abs())
                    {
                        let own_unit = members_of(own, order.len());
                        let other = order[p];
                        if let Some(q) = own_unit.into_iter().find(|q| order[*q] == i) {
                            order.swap(p, q);
                            (at[i as usize], at[other as usize]) = (block, own);
                            (changed[i as usize], changed[other as usize]) = (true, true);
                            n_changes += 1;
                        }
                        break;
                    }
                }
            }
            any |= n_changes > 0;
            if n_changes == 0 {
                break;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::kmeans::cluster;
    use super::*;
    use crate::eval::synthetic::Generator;
    use crate::rng::SeededRng;

    #[test]
    fn lists_are_whole_blocks_and_hold_every_item_once() {
        let dim = 8;
        for (n, n_lists) in [(0, 1), (1, 1), (31, 2), (32, 2), (1000, 7), (1024, 40), (5003, 20)] {
            let values = Generator::ClusteredV1.base(n, dim, 3);
            let clusters = match n {
                0 => Clusters { centroids: vec![0.0; dim], assigned: Vec::new() },
                _ => cluster(&values, dim, n_lists.min(n), &mut SeededRng::new(5, 0)),
            };
            let lists = whole_blocks(&values, dim, &clusters);
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
            let order = in_blocks(&values, dim, (0..n as u32).collect());
            let lists = in_lists(&values, dim, &order, blocks_a_list);
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
                let rows = Rows { values: &values, dim };
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

    /// Mean squared distance from the mean of the block.
    fn residual(rows: &Rows<'_>, order: &[u32]) -> f32 {
        let of_block = |block: &[u32]| {
            let mean = rows.mean(block);
            block.iter().map(|i| distance(rows.row(*i), &mean)).sum::<f32>()
        };
        order.chunks(BLOCK).map(of_block).sum::<f32>() / order.len() as f32
    }

    #[test]
    fn blocks_lie_close_together() {
        let (n, dim) = (1500, 16);
        let values = Generator::ClusteredV1.base(n, dim, 7);
        let rows = Rows { values: &values, dim };
        let by_chance: Vec<u32> = (0..n as u32).collect();
        let mut cut = by_chance.clone();
        rows.cut(&mut cut, BLOCK);
        let order = in_blocks(&values, dim, by_chance.clone());
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, by_chance);
        let (by_chance, cut) = (residual(&rows, &by_chance), residual(&rows, &cut));
        let exchanged = residual(&rows, &order);
        assert!(cut < 0.7 * by_chance, "{cut} of {by_chance}");
        assert!(exchanged < 0.97 * cut, "{exchanged} of {cut}");
        // Whatever order the items come in, blocks are the same.
        let mut reversed: Vec<u32> = (0..n as u32).rev().collect();
        assert_eq!(in_blocks(&values, dim, reversed.clone()), order);
        // Nothing tells equal vectors apart.
        reversed.truncate(100);
        let equal = in_blocks(&vec![1.0; n * dim], dim, reversed.clone());
        reversed.sort_unstable();
        assert_eq!(equal, reversed);
    }
}
