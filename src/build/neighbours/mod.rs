//! The side table: which items speak for which others, learned from a log of interactions.
//!
//! Factors describe what many items have in common. In a sparse log with a long tail that is not
//! enough: what decides there are single pairs of items, of which factors know nothing. So an
//! archive may carry weights between items beside the factors, and scores are the sum of both.

mod ease;
mod inverse;
mod sparse;

pub use ease::{DenseWeights, MAX_EASE_ITEMS, ease};
pub use sparse::{SparseWeights, item_knn, top_m};

#[cfg(test)]
mod tests;
