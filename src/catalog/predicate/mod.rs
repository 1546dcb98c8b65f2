//! One small language for everything that is said about items; `LANGUAGE.md` is its page.
//!
//! A program goes from text or JSON (`text`, `json`, both over the tokens of `lex`) to a tree
//! ([`Expr`]), which is tied to no archive and can be written back (`write`); from there, with an
//! archive, parameters, a moment and a history ([`Scope`]), to a program over columns (`compile`,
//! `bounds`, `history`); and that to a bitmap or to numbers (`run`). All types are checked in the
//! second step; the third has no errors but damaged archives.

mod bounds;
mod compile;
mod decimal;
mod expr;
mod history;
mod json;
pub(super) mod lex;
mod node;
mod run;
mod text;
mod write;

pub use expr::Expr;
pub(crate) use expr::expected_name;
pub use history::{Deed, History};
pub(super) use json::member;

use self::compile::Compiler;
use self::node::{Node, Number};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;

/// Deepest nesting of a program.
const MAX_DEPTH: usize = 64;

/// What a program may refer to beside the columns. The default is nothing.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Parameters: a JSON object of literals and lists of them.
    pub params: Option<&'a str>,
    /// The moment that ages and durations are counted from: milliseconds since 1970.
    pub now_ms: Option<i64>,
    /// The person's history.
    pub history: Option<&'a dyn History>,
}

/// A compiled condition: which items it is true of. It holds the codes and bounds of one archive,
/// and what history and moment were when it was compiled.
#[derive(Clone, Debug)]
pub struct Predicate {
    root: Node,
    uses_history: bool,
    holds: (i64, i64),
}

/// A compiled number of every item: a boost, a measure.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
/// use nearfield::{AlignedBytes, Catalog, Expr, Formula, Index, Scope};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let catalog = Catalog::new(&index);
/// let boost = Expr::read(r#"1 + 0.5 * (genres has "jazz")"#)?;
/// let boosts = Formula::compile(catalog, &boost, &Scope::default())?.values(catalog)?;
/// assert!(boosts.iter().all(|x| *x == 1.0 || *x == 1.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Formula {
    root: Number,
}

/// Compiles with what `scope` holds, as `what` says; errors about parameters name those.
fn compile<T>(
    catalog: Catalog<'_>,
    scope: &Scope<'_>,
    what: impl FnOnce(&mut Compiler<'_>) -> Result<T>,
) -> Result<T> {
    let compiled = (|| {
        let params = match scope.params {
            Some(text) => json::params(text, expr::MAX_JSON)?,
            None => Vec::new(),
        };
        what(&mut Compiler {
            catalog,
            params: &params,
            now_ms: scope.now_ms,
            history: scope.history,
            uses_history: false,
            holds: (i64::MIN, i64::MAX),
        })
    })();
    compiled.map_err(|error| match error {
        Error::Filter { position, expected, found } if position >= json::PARAMS => {
            Error::arg("params", expected, found)
        }
        other => other,
    })
}

impl Predicate {
    /// Compiles a condition for an archive.
    ///
    /// # Errors
    /// [`Error::Filter`] for a type error, an unknown column, function or parameter, with its
    /// position, what was expected there (the nearest name, if one is near) and what was found;
    /// for `age` without a moment and history predicates without a history.
    /// [`Error::Arg`] for parameters that are no such object.
    pub fn compile(catalog: Catalog<'_>, expr: &Expr, scope: &Scope<'_>) -> Result<Self> {
        compile(catalog, scope, |compiler| {
            let root = compiler.condition(expr)?;
            Ok(Self { root, uses_history: compiler.uses_history, holds: compiler.holds })
        })
    }

    /// The items for which the condition is true. Cost: items times operations, 32 items at a
    /// time; a conjunction's later tests cost only what its cheaper ones left.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub fn select(&self, catalog: Catalog<'_>) -> Result<ItemSet> {
        run::select(catalog, &self.root)
    }

    /// Whether it asks for the person's history.
    #[must_use]
    pub const fn uses_history(&self) -> bool {
        self.uses_history
    }

    /// The moments for which compiling it again would give the same, with history unchanged: from
    /// the first up to, and not with, the second.
    #[must_use]
    pub const fn holds_for(&self) -> (i64, i64) {
        self.holds
    }
}

impl Formula {
    /// Compiles a number for an archive. A condition counts as 1 where it is true, else 0.
    ///
    /// # Errors
    /// As [`Predicate::compile`].
    pub fn compile(catalog: Catalog<'_>, expr: &Expr, scope: &Scope<'_>) -> Result<Self> {
        compile(catalog, scope, |compiler| Ok(Self { root: compiler.number(expr)? }))
    }

    /// The number of each item, by ordinal; NaN where the item has none, otherwise finite.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub fn values(&self, catalog: Catalog<'_>) -> Result<Vec<f64>> {
        run::values(catalog, &self.root)
    }

    /// The numbers of some items, in their order, as [`Formula::values`] gives them. Cost: 32
    /// times the operations for each of them, so a thousand items cost what 32,000 do there.
    ///
    /// # Errors
    /// As [`Formula::values`].
    pub fn values_of(&self, catalog: Catalog<'_>, items: &[Ordinal]) -> Result<Vec<f64>> {
        items.iter().map(|item| run::value(catalog, &self.root, *item)).collect()
    }
}
