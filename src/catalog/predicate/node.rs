//! A compiled program: tests and numbers over the columns of one archive, with every name, string
//! and history predicate resolved.

use crate::ids::Ordinal;
use crate::item_set::ItemSet;

/// Something that is true or false of an item. `field` is the index of a column.
#[derive(Clone, Debug)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Const(bool),
    /// The item has a value.
    Exists(usize),
    /// The flag is there and set, or is there and not set.
    Flag(usize, bool),
    /// The raw value lies in `low..=high`, where `low <= high`, and is there.
    Range {
        field: usize,
        low: u64,
        high: u64,
    },
    /// One of the tags has a code in `low..=high`, where `low <= high`.
    Tags {
        field: usize,
        low: u64,
        high: u64,
    },
    /// The category, or one of the tags, is one of these codes. The table has an entry for every
    /// code.
    Codes(usize, Vec<bool>),
    /// Both numbers are there and compare so.
    Compare(Comparison, Number, Number),
    /// The item is one of these: what history predicates come to.
    Set(ItemSet),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same with the sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            other => other,
        }
    }
}

/// A number of an item, or nothing.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Const(f64),
    /// A numeric column; a date as its day.
    Field(usize),
    /// 1 where a test is true, else 0.
    Flag(Box<Node>),
    /// For these items, ascending, and 0 for all others.
    Counts(Vec<(Ordinal, f64)>),
    /// From left to right.
    Sum(Vec<Number>),
    Product(Vec<Number>),
    Difference(Box<Number>, Box<Number>),
    Quotient(Box<Number>, Box<Number>),
}

impl Node {
    /// A test that nothing passes.
    pub(super) const NONE: Self = Self::Const(false);

    /// What testing an item costs, in classes.
    fn cost(&self) -> u8 {
        match self {
            Self::Const(_) | Self::Exists(_) | Self::Flag(..) | Self::Set(_) => 0,
            Self::Range { .. } => 1,
            Self::Codes(..) => 2,
            Self::Tags { .. } => 3,
            Self::Compare(..) => 4,
            Self::Not(part) => part.cost(),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
        }
    }

    /// Adds a part to those of `and` or `or`, where tests that cost less stand first: later ones
    /// only look at the items that are left.
    pub(super) fn add_to(self, parts: &mut Vec<Self>) {
        let cost = self.cost();
        parts.insert(parts.partition_point(|part| part.cost() <= cost), self);
    }
}
