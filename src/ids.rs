//! Names of items: the caller's own, and the position inside one archive.

/// An item's position in one archive, dense from 0.
///
/// It is the storage position and changes whenever the archive is built again, so it is never
/// written to a profile, a log or any other file: those hold the caller's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(pub u32);

impl Ordinal {
    /// The position as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An item with its score. Higher scores are better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The item.
    pub ordinal: Ordinal,
    /// Its score, in the unit of the archive's [`Metric`](crate::Metric); always finite.
    pub score: f64,
}

impl Scored {
    /// The one order of results: higher score first, equal scores by ordinal.
    #[inline]
    #[must_use]
    pub fn cmp_best_first(&self, other: &Self) -> std::cmp::Ordering {
        other.score.total_cmp(&self.score).then(self.ordinal.cmp(&other.ordinal))
    }
}
