//! Sparse rows, and their products with dense ones.

use rayon::prelude::*;

use super::dense::Rows;

/// Compressed sparse rows.
pub(super) struct Csr {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    n_columns: usize,
}

impl Csr {
    pub(super) fn new(n_columns: usize) -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), n_columns }
    }

    /// Appends a row: columns ascending.
    pub(super) fn push_row(&mut self, row: &[(u32, f64)]) {
        self.columns.extend(row.iter().map(|(column, _)| column));
        self.values.extend(row.iter().map(|(_, x)| *x as f32));
        self.starts.push(self.columns.len());
    }

    /// Gives a row other values at the same columns.
    pub(super) fn set_row(&mut self, i: usize, row: &[(u32, f64)]) {
        let run = self.starts[i]..self.starts[i + 1];
        debug_assert_eq!(run.len(), row.len());
        self.values[run].iter_mut().zip(row).for_each(|(value, (_, x))| *value = *x as f32);
    }

    pub(super) fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let run = self.starts[i]..self.starts[i + 1];
        let values = self.values[run.clone()].iter().map(|x| f64::from(*x));
        self.columns[run].iter().copied().zip(values)
    }

    /// The same matrix by columns.
    pub(super) fn transposed(&self) -> Self {
        let mut starts = vec![0; self.n_columns + 1];
        for column in &self.columns {
            starts[*column as usize + 1] += 1;
        }
        for i in 0..self.n_columns {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut columns = vec![0; self.columns.len()];
        let mut values = vec![0.0; self.values.len()];
        for i in 0..self.n_rows() {
            for at in self.starts[i]..self.starts[i + 1] {
                let to = &mut next[self.columns[at] as usize];
                columns[*to] = i as u32;
                values[*to] = self.values[at];
                *to += 1;
            }
        }
        Self { starts, columns, values, n_columns: self.n_rows() }
    }

    /// The product with a dense matrix that has one row a column of this one. Each row of the
    /// result is one sum in the order of the columns, whoever computes it.
    pub(super) fn times(&self, dense: &Rows) -> Rows {
        let mut product = Rows::zeros(self.n_rows(), dense.width());
        product.par_rows_mut().enumerate().for_each(|(i, sum)| {
            for (column, x) in self.row(i) {
                for (s, d) in sum.iter_mut().zip(dense.row(column as usize)) {
                    *s += x * d;
                }
            }
        });
        product
    }
}
