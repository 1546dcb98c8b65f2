//! Greedy maximum a posteriori inference for a determinantal point process (Chen, Zhang and Zhou,
//! "Fast Greedy MAP Inference for Determinantal Point Process to Improve Recommendation
//! Diversity", NeurIPS 2018).
//!
//! The probability of a list is proportional to the determinant of `L = diag(q) S diag(q)` on its
//! items: qualities on the diagonal, likeness beside it. Adding item `i` multiplies the
//! determinant by `q_i^2 r_i`, where `r_i` is what is left of `S_ii` once the chosen items are
//! projected out. `r` follows from the Cholesky factor of `S` on the list, which grows by one row
//! an item: `n * window` multiplications instead of a factorisation for each candidate.
//!
//! Likeness is `(1 + cosine) / 2`, as in section 5 of the paper: with bare cosines an *opposite*
//! item would be as redundant as an equal one. A millionth of the identity is mixed in, so that
//! the matrix is definite at any length of the list, duplicates included, and the greedy walk
//! never has to stop short as the published one does.

/// Share of the identity in the similarity matrix. Large against rounding (the rotations below
/// divide by no less than its square root), small against any difference that matters.
const RIDGE: f64 = 1e-6;

/// The unexplained part of each candidate, given the items of the window.
#[derive(Default)]
pub(super) struct Dpp {
    n: usize,
    most_rows: usize,
    /// Items of the window, oldest first, with the number of their row.
    items: Vec<(usize, usize)>,
    /// Rows `c_t` of the factor, extended to all candidates: on the items of the window they are
    /// its Cholesky factor, and `r_j = 1 - sum over t of c_t[j]^2`.
    rows: Vec<f64>,
    residual: Vec<f64>,
}

impl Dpp {
    /// For `n` candidates, each compared with the last `most_rows` items.
    pub(super) fn reset(&mut self, n: usize, most_rows: usize) {
        (self.n, self.most_rows) = (n, most_rows);
        self.items.clear();
        self.rows.clear();
        self.residual.clear();
        self.residual.resize(n, 1.0);
    }

    /// `r_i`, above 0 and at most 1.
    pub(super) fn residual(&self, i: usize) -> f64 {
        // Rounding is far below the ridge; the bound keeps logarithms defined all the same.
        self.residual[i].max(RIDGE * RIDGE)
    }

    /// Adds an item by its cosines to all candidates; the oldest leaves a full window.
    pub(super) fn add(&mut self, item: usize, cosines: &[f64]) {
        if self.most_rows == 0 {
            return;
        }
        let n = self.n;
        let slot = if self.items.len() == self.most_rows {
            self.drop_oldest()
        } else {
            self.rows.resize((self.items.len() + 1) * n, 0.0);
            self.items.len()
        };
        let (before, rest) = self.rows.split_at_mut(slot * n);
        let (row, behind) = rest.split_at_mut(n);
        for (c, &cosine) in row.iter_mut().zip(cosines) {
            *c = (1.0 - RIDGE) * (0.5 + 0.5 * cosine);
        }
        row[item] = 1.0;
        for &(_, other) in &self.items {
            let other = match other.checked_sub(slot + 1) {
                None => &before[other * n..(other + 1) * n],
                Some(at) => &behind[at * n..(at + 1) * n],
            };
            let factor = other[item];
            for (c, &o) in row.iter_mut().zip(other) {
                *c -= factor * o;
            }
        }
        let diagonal = self.residual[item].max(RIDGE * RIDGE).sqrt();
        for (c, residual) in row.iter_mut().zip(&mut self.residual) {
            *c /= diagonal;
            *residual -= *c * *c;
        }
        self.items.push((item, slot));
    }

    /// Takes the oldest item out of the factor by plane rotations, and gives its row free.
    ///
    /// Each rotation mixes the row that leaves with one that stays, so that the leaving row
    /// becomes 0 on that row's item. In the end it is 0 on the whole window: the others are the
    /// factor of what stays, and what it still holds of the candidates is theirs again.
    fn drop_oldest(&mut self) -> usize {
        let n = self.n;
        let (_, leaving) = self.items.remove(0);
        for &(item, slot) in &self.items {
            let (low, high) = (leaving.min(slot), leaving.max(slot));
            let (front, back) = self.rows.split_at_mut(high * n);
            let (low_row, high_row) = (&mut front[low * n..(low + 1) * n], &mut back[..n]);
            let (out, stay) =
                if leaving < slot { (low_row, high_row) } else { (high_row, low_row) };
            let length = (stay[item] * stay[item] + out[item] * out[item]).sqrt();
            let (cos, sin) = (stay[item] / length, out[item] / length);
            for (out, stay) in out.iter_mut().zip(stay) {
                let (o, s) = (*out, *stay);
                *stay = cos * s + sin * o;
                *out = cos * o - sin * s;
            }
        }
        let out = &self.rows[leaving * n..(leaving + 1) * n];
        for (residual, &c) in self.residual.iter_mut().zip(out) {
            *residual += c * c;
        }
        leaving
    }
}
