//! Maximal marginal relevance: the most similar item of the window.

/// For each candidate its highest cosine to the last items.
#[derive(Default)]
pub(super) struct Mmr {
    /// A ring of rows of cosines, one for each item of the window.
    rows: Vec<f64>,
    n: usize,
    most_rows: usize,
    n_added: usize,
    nearest: Vec<f64>,
}

impl Mmr {
    /// For `n` candidates, each compared with the last `most_rows` items.
    pub(super) fn reset(&mut self, n: usize, most_rows: usize) {
        (self.n, self.most_rows, self.n_added) = (n, most_rows, 0);
        self.rows.clear();
        self.nearest.clear();
        self.nearest.resize(n, 0.0);
    }

    /// The highest cosine; 0 where there is nothing to compare with.
    pub(super) fn nearest(&self, i: usize) -> f64 {
        self.nearest[i]
    }

    /// Adds an item by its cosines to all candidates; the oldest leaves a full window.
    pub(super) fn add(&mut self, cosines: &[f64]) {
        if self.most_rows == 0 {
            return;
        }
        let is_full = self.n_added >= self.most_rows;
        if is_full {
            let at = self.n_added % self.most_rows * self.n;
            self.rows[at..at + self.n].copy_from_slice(cosines);
        } else {
            self.rows.extend_from_slice(cosines);
        }
        if is_full || self.n_added == 0 {
            self.nearest.fill(f64::NEG_INFINITY);
            for row in self.rows.chunks_exact(self.n.max(1)) {
                raise(&mut self.nearest, row);
            }
        } else {
            raise(&mut self.nearest, cosines);
        }
        self.n_added += 1;
    }
}

fn raise(nearest: &mut [f64], row: &[f64]) {
    for (nearest, &cosine) in nearest.iter_mut().zip(row) {
        *nearest = if cosine > *nearest { cosine } else { *nearest };
    }
}
