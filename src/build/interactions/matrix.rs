//! A log as a matrix of users by items.

/// Who interacted with what: a sparse binary matrix by rows. Rows are users, columns items, in an
/// order that the caller chose; a row's columns ascend and come once each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InteractionMatrix {
    n_items: usize,
    starts: Vec<usize>,
    columns: Vec<u32>,
}

impl InteractionMatrix {
    /// A matrix from each row's columns, in any order; ones that come again count once. Every
    /// column is below `n_items`.
    #[must_use]
    pub fn new(n_items: usize, rows: Vec<Vec<u32>>) -> Self {
        let mut starts = vec![0];
        let mut columns = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for mut row in rows {
            row.sort_unstable();
            row.dedup();
            columns.extend(row);
            starts.push(columns.len());
        }
        Self { n_items, starts, columns }
    }

    /// Number of rows.
    #[must_use]
    pub fn n_users(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of columns.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// Number of ones.
    #[must_use]
    pub fn n_ones(&self) -> usize {
        self.columns.len()
    }

    /// The columns of a row, ascending. `user` is below [`InteractionMatrix::n_users`].
    #[must_use]
    pub fn row(&self, user: usize) -> &[u32] {
        &self.columns[self.starts[user]..self.starts[user + 1]]
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> + '_ {
        self.starts.windows(2).map(|w| &self.columns[w[0]..w[1]])
    }

    /// The matrix of these rows alone, in this order.
    #[must_use]
    pub fn of_users(&self, users: &[usize]) -> Self {
        let rows = users.iter().map(|user| self.row(*user).to_vec()).collect();
        Self::new(self.n_items, rows)
    }

    /// Items by users: who interacted with each item.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.n_items + 1];
        self.columns.iter().for_each(|column| starts[*column as usize + 1] += 1);
        for i in 0..self.n_items {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut columns = vec![0; self.columns.len()];
        for (user, row) in (0..).zip(self.rows()) {
            for column in row {
                let at = &mut next[*column as usize];
                columns[*at] = user;
                *at += 1;
            }
        }
        Self { n_items: self.n_users(), starts, columns }
    }
}
