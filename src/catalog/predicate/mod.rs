//! The `where` language.
//!
//! ```text
//! expression = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | test
//! test       = FIELD ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) literal
//!            | FIELD "between" literal "and" literal          both ends included
//!            | FIELD [ "not" ] "in" list
//!            | FIELD "has" ( literal | "any" list | "all" list )
//!            | "exists" "(" FIELD ")"
//!            | FIELD                                          a flag that is true
//! list       = "[" [ literal { "," literal } ] "]"
//! literal    = STRING | NUMBER | "true" | "false"
//! ```
//!
//! Names are letters, digits, `_`, or anything between backquotes; strings stand between double
//! quotes with JSON's escapes; a date is a string `"1999-12-31"`. A test of an item that has no
//! value is false (and `not` of it true): there is no third truth value.
//!
//! The language is total: no loops, no recursion, no regular expressions, and limits on length
//! and depth, so every expression ends, in time proportional to items times tests. Types are
//! checked when an expression is compiled; running it has no errors but damaged archives.

mod compile;
mod parse;
mod run;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::item_set::ItemSet;

/// A compiled `where` expression. It holds the codes and bounds of one archive.
#[derive(Clone, Debug)]
pub struct Predicate {
    root: Node,
}

/// A test or a combination of tests; `field` is the index of a column.
#[derive(Clone, Debug)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// The raw value lies in `low..=high`; none does if `low > high`.
    Range {
        field: usize,
        low: u64,
        high: u64,
    },
    /// The f64 lies within these bounds.
    Float {
        field: usize,
        low: f64,
        high: f64,
        low_open: bool,
        high_open: bool,
    },
    /// The category, or one of the tags, is one of these codes.
    Codes {
        field: usize,
        accept: Vec<bool>,
    },
    Flag {
        field: usize,
        is: bool,
    },
    Exists {
        field: usize,
    },
}

impl Predicate {
    /// Compiles an expression for an archive.
    ///
    /// # Errors
    /// [`Error::Filter`](crate::Error::Filter) with the position of the first wrong character,
    /// what was expected there and what was found.
    pub fn compile(catalog: Catalog<'_>, expression: &str) -> Result<Self> {
        Ok(Self { root: compile::compile(catalog, &parse::parse(expression)?)? })
    }

    /// The items for which the expression is true.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for damaged columns.
    pub fn select(&self, catalog: Catalog<'_>) -> Result<ItemSet> {
        run::select(catalog, &self.root)
    }
}
