//! How a query and an item are compared.

/// The relation between a query vector and an item vector that `search` ranks by.
///
/// Scores are always "higher is better". Ties are broken by ordinal, so an answer is a function
/// of the archive and the request alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Metric {
    /// Score = q . x. For factor models (ALS and its kin), where a norm carries popularity.
    InnerProduct = 1,
    /// Score = q . x / (|q| |x|), from -1 to 1. Items are stored with length 1.
    Cosine = 2,
    /// Score = -|q - x|, at most 0.
    Euclidean = 3,
}

impl Metric {
    /// All metrics, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::InnerProduct, Self::Cosine, Self::Euclidean];

    /// The metric with this code in an archive.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|m| *m as u32 == code)
    }

    /// The name used on the command line and in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InnerProduct => "inner-product",
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
        }
    }
}
