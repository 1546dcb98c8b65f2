//! What is known of the items beside their vectors: typed columns, the `where` language over
//! them, cards, counts and title lookup.

mod classes;
mod column;
mod json;
mod predicate;
mod title;

pub use column::{Column, ColumnBytes, Value};
pub use predicate::{Deed, Expr, Formula, History, Predicate, Scope};
pub use title::TitleMatch;

pub(crate) use self::json::{Json, Members};
pub(crate) use self::predicate::expected_name;
pub(crate) use crate::format::FieldKind;

use crate::error::{Error, Result, quoted};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::load::Index;

/// The columns of an archive.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
/// use nearfield::{AlignedBytes, Catalog, Index};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let catalog = Catalog::new(&index);
/// let jazz = catalog.select(r#"genres has "jazz" and year between 1960 and 1975"#)?;
/// let genres = catalog.column("genres")?;
/// for item in jazz.iter() {
///     assert!(genres.value(item)?.to_string().contains("jazz"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    index: &'a Index,
}

impl<'a> Catalog<'a> {
    /// The columns of this archive.
    #[must_use]
    pub const fn new(index: &'a Index) -> Self {
        Self { index }
    }

    /// All columns, in the order of the archive.
    pub fn columns(self) -> impl Iterator<Item = Column<'a>> {
        self.index.fields().iter().map(move |field| Column::new(self.index, field))
    }

    /// The column with this name.
    ///
    /// # Errors
    /// [`Error::Arg`] naming the nearest column where there is none of this name.
    pub fn column(self, name: &str) -> Result<Column<'a>> {
        self.columns()
            .find(|c| c.name() == name)
            .ok_or_else(|| Error::arg("field", self.expected_name(name), quoted(name)))
    }

    /// What an unknown name should have been: the nearest one, or the list of all.
    fn expected_name(self, name: &str) -> String {
        let names: Vec<&str> = self.columns().map(Column::name).collect();
        predicate::expected_name("a column's name", name, &names)
    }

    /// The column with this index, which is one of the archive's.
    fn nth(self, field: usize) -> Column<'a> {
        Column::new(self.index, &self.index.fields()[field])
    }

    /// The items for which a condition about columns alone is true: see [`Predicate`] for one that
    /// has parameters, ages or a history.
    ///
    /// # Errors
    /// As [`Expr::read`] and [`Predicate::compile`]; [`Error::Corrupt`] for damaged columns.
    pub fn select(self, program: &str) -> Result<ItemSet> {
        Predicate::compile(self, &Expr::read(program)?, &Scope::default())?.select(self)
    }

    /// How many of `items` have each value of a category, tag set or flag: the `limit` most
    /// frequent, most frequent first, equal counts by value. Cost: the items and their tags, and
    /// the different values; of those, what comes back.
    ///
    /// # Errors
    /// [`Error::Arg`] for an unknown column or one of another kind, [`Error::Corrupt`] for damaged
    /// columns.
    pub fn facets(
        self,
        column: &str,
        items: &ItemSet,
        limit: usize,
    ) -> Result<Vec<(&'a str, usize)>> {
        self.column(column)?.count_values(items, limit)
    }

    /// The item's popularity prior, where the archive has one: the value of a numeric column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub fn prior(self, item: Ordinal) -> Result<Option<f64>> {
        let Some(field) = self.index.prior_field() else { return Ok(None) };
        Ok(self.nth(field).value(item)?.as_number())
    }

    /// Whether the archive has a popularity prior.
    #[must_use]
    pub fn has_prior(self) -> bool {
        self.index.prior_field().is_some()
    }

    /// The item's title, where the archive has titles.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub fn title(self, item: Ordinal) -> Result<Option<&'a str>> {
        let Some(field) = self.index.title_field()? else { return Ok(None) };
        Ok(match self.nth(field).value(item)? {
            Value::Text(title) | Value::Category(title) => Some(title),
            _ => None,
        })
    }

    /// Those of the `allowed` items whose title, or a later word of it, begins with `text`, small
    /// typing errors allowed (one from 4 characters on, two from 8): fewer errors first, then titles
    /// that are the text and no more, then titles that begin with it before later words, then higher
    /// prior (without priors: shorter titles), then ordinals. At most `k`.
    ///
    /// Titles with errors are looked for where fewer than `k` have none. `text` must be decomposed
    /// (NFKD) and in lower case; see [`crate::fold_title`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the archive has no titles, [`Error::Corrupt`] for a damaged
    /// lookup.
    pub fn find(self, text: &str, k: usize, allowed: &ItemSet) -> Result<Vec<TitleMatch>> {
        title::find(self, text, k, allowed)
    }
}
