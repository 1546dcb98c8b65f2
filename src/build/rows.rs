//! Vectors by rows, and what the steps that divide them have in common.

use rayon::prelude::*;

/// Sums that run beside each other: lanes for the compiler to fill.
const LANES: usize = 8;

/// Some vectors: of items, centroids, or means of blocks.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) dim: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    pub(super) fn row(&self, i: u32) -> &'a [f32] {
        &self.values[i as usize * self.dim..(i as usize + 1) * self.dim]
    }

    /// Some of the rows, one after the other.
    pub(super) fn gather(&self, of: &[u32]) -> Vec<f32> {
        of.iter().flat_map(|i| self.row(*i)).copied().collect()
    }

    pub(super) fn mean(&self, of: &[u32]) -> Vec<f32> {
        let mut mean = vec![0.0f32; self.dim];
        for i in of {
            mean.iter_mut().zip(self.row(*i)).for_each(|(m, x)| *m += x);
        }
        mean.iter_mut().for_each(|m| *m /= of.len().max(1) as f32);
        mean
    }

    /// The `n` rows nearest to a vector, in no order.
    pub(super) fn nearest(
        &self,
        to: &[f32],
        among: impl Iterator<Item = u32>,
        n: usize,
    ) -> Vec<u32> {
        let mut keyed: Vec<(f32, u32)> = among.map(|i| (distance(to, self.row(i)), i)).collect();
        if n < keyed.len() {
            let compare = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            keyed.select_nth_unstable_by(n, compare);
            keyed.truncate(n);
        }
        keyed.into_iter().map(|(_, i)| i).collect()
    }

    /// The mean squared distance of rows from the mean of their unit, of which every so many of an order are one.
    pub(super) fn residual(&self, order: &[u32], unit: usize) -> f64 {
        let of_unit = |members: &[u32]| {
            let mean = self.mean(members);
            members.iter().map(|i| f64::from(distance(self.row(*i), &mean))).sum::<f64>()
        };
        // By units, summed in their order.
        let sums: Vec<f64> = order.par_chunks(unit).map(of_unit).collect();
        sums.iter().sum::<f64>() / order.len().max(1) as f64
    }
}

/// The squared distance of two vectors.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    sum_of_pairs(a, b, |x, y| (x - y) * (x - y))
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_of_pairs(a, b, |x, y| x * y)
}

#[inline(always)]
fn sum_of_pairs(a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += of(a[j], b[j]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| of(*x, *y)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Who is in each of `n` divisions, given the division of each.
pub(super) fn members(assigned: &[u32], n: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); n];
    for (i, division) in assigned.iter().enumerate() {
        members[*division as usize].push(i as u32);
    }
    members
}
