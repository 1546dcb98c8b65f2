//! Greedy maximum a posteriori inference for a determinantal point process (Chen, Zhang and Zhou,
//! "Fast Greedy MAP Inference for Determinantal Point Process to Improve Recommendation
//! Diversity", NeurIPS 2018).
//!
//! The probability of a list is proportional to the determinant of `L = diag(q) S diag(q)` on its
//! items: qualities on the diagonal, likeness beside it. Adding item `i` multiplies the
//! determinant by `q_i^2 r_i`, where `r_i` is what is left of `S_ii` once the chosen items are
//! projected out. `r` follows from the Cholesky factor of `S` on the list, which grows by one row
//! an item: `dim + window` multiplications for a candidate and step, not a factorisation.
//!
//! `r_i` never grows while items are added, so what it was some steps ago bounds it from above,
//! and a candidate is compared with the next item only while its bound could win (lazy greedy,
//! Minoux 1978). The answer is the same, number by number.
//!
//! Likeness is `(1 + cosine) / 2`, as in section 5 of the paper: with bare cosines an *opposite*
//! item would be as redundant as an equal one. A millionth of the identity is mixed in, so that
//! the matrix is definite at any length of the list, duplicates included, and the greedy walk
//! never has to stop short as the published one does.

use super::space::{Space, dot};
use crate::kernel::LANES;

/// Share of the identity in the similarity matrix. Large against rounding (the rotations below
/// divide by no less than its square root), small against any difference that matters.
const RIDGE: f64 = 1e-6;

/// The unexplained part of each candidate, given the items of the window.
#[derive(Default)]
pub(super) struct Dpp {
    window: usize,
    /// Length of a row: `window`, padded with zeros.
    stride: usize,
    /// Items of the window, oldest first.
    items: Vec<usize>,
    /// For each candidate how many of `items` it was compared with; [`CHOSEN`] for those in the
    /// list.
    n_seen: Vec<usize>,
    /// Candidate by candidate a row `c` of `window` numbers: the factor's row where the candidate
    /// is an item of the window, and what it would be for the others. Numbers that are not known
    /// yet are 0.
    rows: Vec<f64>,
    /// `1 - sum of c^2`.
    residual: Vec<f64>,
}

const CHOSEN: usize = usize::MAX;

impl Dpp {
    /// For `n` candidates, each compared with the last `window` items.
    pub(super) fn reset(&mut self, n: usize, window: usize) {
        self.window = window;
        self.stride = window.next_multiple_of(LANES);
        self.items.clear();
        self.n_seen.clear();
        self.n_seen.resize(n, 0);
        self.rows.clear();
        self.rows.resize(n * self.stride, 0.0);
        self.residual.clear();
        self.residual.resize(n, 1.0);
    }

    /// `r_i`, or more where items are new; above 0 and at most 1.
    #[inline]
    pub(super) fn residual(&self, i: usize) -> f64 {
        // Rounding is far below the ridge; the bound keeps logarithms defined all the same.
        self.residual[i].max(RIDGE * RIDGE)
    }

    #[inline]
    fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.stride..(i + 1) * self.stride]
    }

    /// Compares a candidate with the first item that is new to it; false where none is.
    #[inline(never)]
    pub(super) fn compare(&mut self, i: usize, space: &Space) -> bool {
        let t = self.n_seen[i];
        let Some(&item) = self.items.get(t) else { return false };
        let likeness = (1.0 - RIDGE) * (0.5 + 0.5 * space.cosine(i, item));
        let of_item = self.row(item);
        // Zeros in the candidate's row from `t` on leave out what is behind.
        let end = (t + 1).next_multiple_of(LANES);
        let c = (likeness - dot(&self.row(i)[..end], &of_item[..end])) / of_item[t];
        self.rows[i * self.stride + t] = c;
        self.residual[i] -= c * c;
        self.n_seen[i] = t + 1;
        true
    }

    /// Adds an item; the oldest leaves a full window.
    pub(super) fn add(&mut self, item: usize, space: &Space) {
        if self.window == 0 || self.n_seen[item] == CHOSEN {
            return;
        }
        if self.items.len() == self.window {
            self.drop_oldest(space);
        }
        while self.compare(item, space) {}
        self.rows[item * self.stride + self.items.len()] = self.residual(item).sqrt();
        self.n_seen[item] = CHOSEN;
        self.items.push(item);
    }

    /// Takes the oldest item out of the factor by plane rotations.
    ///
    /// Its column, the first, is mixed with each other in turn, so that it becomes 0 on the item
    /// of that column. In the end it is 0 on the whole window: the other columns are the factor of
    /// what stays, and what the first still holds of a candidate is unexplained again.
    fn drop_oldest(&mut self, space: &Space) {
        for i in 0..self.n_seen.len() {
            while self.compare(i, space) {}
        }
        let mut rotations: Vec<(f64, f64)> = Vec::with_capacity(self.window);
        for t in 1..self.window {
            let row = self.row(self.items[t]);
            let out = leave(row, &rotations);
            let length = (row[t] * row[t] + out * out).sqrt();
            rotations.push((row[t] / length, out / length));
        }
        for (row, residual) in self.rows.chunks_exact_mut(self.stride).zip(&mut self.residual) {
            let mut out = row[0];
            for (t, &(cos, sin)) in rotations.iter().enumerate() {
                let stay = row[t + 1];
                row[t] = cos * stay + sin * out;
                out = cos * out - sin * stay;
            }
            row[self.window - 1] = 0.0;
            *residual += out * out;
        }
        self.items.remove(0);
        for n_seen in self.n_seen.iter_mut().filter(|n| **n != CHOSEN) {
            *n_seen -= 1;
        }
    }
}

/// What rotations leave of a row's first number.
fn leave(row: &[f64], rotations: &[(f64, f64)]) -> f64 {
    let rest = row[1..].iter().zip(rotations);
    rest.fold(row[0], |out, (stay, (cos, sin))| cos * out - sin * stay)
}
