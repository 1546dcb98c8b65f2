//! From tables to archive bytes. Native only: nothing here is compiled for wasm32.
//!
//! The same input gives the same bytes, at any number of threads and on any CPU: work is cut into
//! chunks of fixed size, and what is summed over chunks is summed in their order.

mod columns;
pub mod embed;
mod encode;
mod exact;
mod exchange;
pub mod input;
pub mod interactions;
mod kmeans;
pub mod neighbours;
mod partition;
mod rows;
mod shells;
mod space;
mod titles;
mod tune;
mod write;

use std::collections::HashMap;

use self::neighbours::{NeighboursOptions, NeighboursReport};
use crate::error::{Error, Result};
use crate::format::{FIELD_NONE, Fold, Ids, MAX_ITEMS, MAX_NU, Model, Neighbours};
use crate::kernel::code::{CODE_BITS, MAX_DIM};
use crate::metric::Metric;

/// The items of a catalog: their ids, and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The caller's ids: unique, not empty, at most 1024 bytes.
    pub ids: Vec<String>,
    /// Named columns, each with one value an item.
    pub columns: Vec<NamedColumn>,
}

/// One column of a [`Table`].
#[derive(Clone, Debug)]
pub struct NamedColumn {
    /// Its name: unique, not empty.
    pub name: String,
    /// Its values.
    pub values: ColumnValues,
}

/// The values of one column, in the order of the ids; `None` where an item has none.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// True or false.
    Flag(Vec<Option<bool>>),
    /// One of a set of strings.
    Category(Vec<Option<String>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Finite numbers.
    Real(Vec<Option<f64>>),
    /// Days since 1970-01-01.
    Date(Vec<Option<i64>>),
    /// Sets of strings.
    Tags(Vec<Option<Vec<String>>>),
    /// Free text.
    Text(Vec<Option<String>>),
}

impl Table {
    /// The same items in another order: item `order[i]` comes to place `i`.
    fn in_order(&self, order: &[u32]) -> Self {
        fn pick<T: Clone>(values: &[T], order: &[u32]) -> Vec<T> {
            order.iter().map(|i| values[*i as usize].clone()).collect()
        }
        let column = |c: &NamedColumn| NamedColumn {
            name: c.name.clone(),
            values: match &c.values {
                ColumnValues::Flag(v) => ColumnValues::Flag(pick(v, order)),
                ColumnValues::Category(v) => ColumnValues::Category(pick(v, order)),
                ColumnValues::Integer(v) => ColumnValues::Integer(pick(v, order)),
                ColumnValues::Real(v) => ColumnValues::Real(pick(v, order)),
                ColumnValues::Date(v) => ColumnValues::Date(pick(v, order)),
                ColumnValues::Tags(v) => ColumnValues::Tags(pick(v, order)),
                ColumnValues::Text(v) => ColumnValues::Text(pick(v, order)),
            },
        };
        Self { ids: pick(&self.ids, order), columns: self.columns.iter().map(column).collect() }
    }
}

impl ColumnValues {
    /// Number of values, missing ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Flag(v) => v.len(),
            Self::Category(v) | Self::Text(v) => v.len(),
            Self::Integer(v) | Self::Date(v) => v.len(),
            Self::Real(v) => v.len(),
            Self::Tags(v) => v.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The items' vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// Number of components, 1 to 4096.
    pub dim: usize,
    /// One row of `dim` components an item, in the order of the ids.
    pub values: Vec<f32>,
}

/// How an archive is to be built.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// How queries and items are compared.
    pub metric: Metric,
    /// How the vectors' producer turns a history into a user vector.
    pub fold: Fold,
    /// Fold-in: interaction weight to confidence (for [`Fold::Ials`] the weight of unobserved
    /// items); positive.
    pub alpha: f64,
    /// Fold-in: regularisation; not negative.
    pub lambda: f64,
    /// Fold-in by [`Fold::Ials`]: exponent of the regularisation, 0 to 4; 1 for the others.
    pub nu: f64,
    /// Seed of the rotation, the lists and the sample that the archive is tuned on.
    pub seed: u64,
    /// The share of the exact answer that searches are to find unless they ask otherwise.
    pub recall: f32,
    /// Bits per dimension, 5 to 8; unless given, the fewest from 6 that reach `recall`.
    pub bits: Option<u32>,
    /// Least number of inverted lists; unless given, it follows from the number of items.
    pub lists: Option<usize>,
    /// The column that titles are looked up in.
    pub title: Option<String>,
    /// The numeric column that orders answers for people of whom nothing is known.
    pub prior: Option<String>,
    /// Named defaults of requests, as a JSON object: see [`crate::Scenarios`], which the caller has
    /// read them with.
    pub scenarios: Option<String>,
    /// What weights between items are to be made from; without it, the archive carries none.
    pub neighbours: Option<NeighboursOptions>,
}

impl Default for BuildOptions {
    /// Cosine and ridge regression: what plain embeddings want.
    fn default() -> Self {
        Self {
            metric: Metric::Cosine,
            fold: Fold::Ridge,
            alpha: 1.0,
            lambda: 1.0,
            nu: 1.0,
            seed: 0,
            recall: 0.98,
            bits: None,
            lists: None,
            title: None,
            prior: None,
            scenarios: None,
            neighbours: None,
        }
    }
}

/// What [`build`] made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The archive.
    pub bytes: Vec<u8>,
    /// What there is to say about it.
    pub report: BuildReport,
}

/// Figures of one build.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildReport {
    /// Number of items.
    pub n_items: usize,
    /// Number of vector components.
    pub dim: usize,
    /// Name and length in bytes of each section.
    pub sections: Vec<(&'static str, u64)>,
    /// Root mean square over the items of `|x - decoded x| / |x|`.
    pub relative_error: f64,
    /// Bits per dimension of an item's code.
    pub code_bits: u32,
    /// Number of inverted lists.
    pub n_lists: usize,
    /// Share of the exact 10 nearest that a search of all blocks finds; measured on a sample.
    pub code_recall: f32,
    /// What was measured for the weights between items, where there was a log to make them from.
    pub neighbours: Option<NeighboursReport>,
}

/// Builds an archive.
///
/// ```
/// use nearfield::build::{BuildOptions, Embeddings, Table, build};
/// use nearfield::{AlignedBytes, Index};
///
/// let table = Table { ids: vec!["a".into(), "b".into()], columns: vec![] };
/// let vectors = Embeddings { dim: 2, values: vec![1.0, 0.0, 0.0, 1.0] };
/// let built = build(&table, &vectors, &BuildOptions::default())?;
/// let index = Index::open(AlignedBytes::copy_of(&built.bytes)?)?;
/// assert_eq!(index.len(), 2);
/// # Ok::<(), nearfield::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] naming the item or column that is wrong: ids that repeat or are empty, rows
/// that are not finite (or zero, under cosine), columns of another length, sections over 2 GiB.
pub fn build(table: &Table, vectors: &Embeddings, options: &BuildOptions) -> Result<Built> {
    check(table, vectors, options)?;
    let field = |name: &Option<String>, place: &str| match name {
        None => Ok(FIELD_NONE),
        Some(name) => match table.columns.iter().position(|c| c.name == *name) {
            Some(i) => Ok(i as u32),
            None => Err(Error::input(place, "the name of a column", format_args!("{name:?}"))),
        },
    };
    let (title_field, prior_field) =
        (field(&options.title, "title")?, field(&options.prior, "prior")?);
    if let Some(prior) = table.columns.get(prior_field as usize)
        && !matches!(prior.values, ColumnValues::Integer(_) | ColumnValues::Real(_))
    {
        return Err(Error::input(
            "prior",
            "an integer or real column",
            format_args!("{:?}", prior.name),
        ));
    }
    let space = space::Space::new(vectors, options)?;
    let (encoded, bits) = tune::tuned(&space, options)?;
    // Everything that is known of an item lies where its code does.
    let table = &table.in_order(&space.order);
    let columns = columns::columns(table)?;
    let (n_lists, code_recall) = (space.n_lists(), encoded.lists.code_recall);
    let relative_error = encoded.relative_error;
    let (neighbours, neighbours_report) = match &options.neighbours {
        None => (Neighbours::none(), None),
        Some(wanted) => {
            let bytes = untitled(&space, &encoded, bits, options)?;
            let (section, report) = neighbours::tuned(&bytes, &table.ids, wanted, options)?;
            (section, Some(report))
        }
    };
    let written = write::write(
        space.len(),
        space.dim,
        &write::Sections {
            ids: ids(&table.ids)?,
            model: model(&space, &encoded, bits, prior_field, options),
            lists: encoded.lists,
            blocks: encoded.blocks,
            columns: columns.columns,
            codes: encoded.codes,
            refining: encoded.refining,
            neighbours,
            titles: titles::titles(table, title_field)?,
            texts: columns.texts,
        },
    )?;
    let report = BuildReport {
        n_items: space.len(),
        dim: space.dim,
        sections: written.sections,
        relative_error,
        code_bits: bits,
        n_lists,
        code_recall,
        neighbours: neighbours_report,
    };
    Ok(Built { bytes: written.bytes, report })
}

fn model(
    space: &space::Space,
    encoded: &encode::Encoded,
    bits: u32,
    prior_field: u32,
    options: &BuildOptions,
) -> Model {
    Model {
        alpha: options.alpha,
        lambda: options.lambda,
        nu: options.nu,
        metric: options.metric as u32,
        fold: options.fold as u32,
        code_bits: bits,
        scale_base: encoded.scale_base,
        norm_base: encoded.norm_base,
        prior_field,
        signs: space.signs.clone(),
        scenarios: options.scenarios.clone().unwrap_or_default().into_bytes(),
        centre: space.centre.clone(),
        gram: encoded.gram.clone(),
    }
}

/// An archive of codes and nothing else, for measuring them. Its ids are empty.
fn untitled(
    space: &space::Space,
    encoded: &encode::Encoded,
    bits: u32,
    options: &BuildOptions,
) -> Result<Vec<u8>> {
    let n = space.len();
    let nameless = Ids { offsets: vec![0; n + 1], by_id: vec![0; n], bytes: Vec::new() };
    let columns = columns::columns(&Table::default())?;
    let sections = write::Sections {
        ids: nameless,
        model: model(space, encoded, bits, FIELD_NONE, options),
        lists: encoded.lists.clone(),
        blocks: encoded.blocks.clone(),
        columns: columns.columns,
        codes: encoded.codes.clone(),
        refining: encoded.refining.clone(),
        neighbours: Neighbours::none(),
        titles: titles::titles(&Table::default(), FIELD_NONE)?,
        texts: columns.texts,
    };
    Ok(write::write(n, space.dim, &sections)?.bytes)
}

fn check(table: &Table, vectors: &Embeddings, options: &BuildOptions) -> Result<()> {
    let n = table.ids.len();
    if n > MAX_ITEMS as usize {
        return Err(Error::input("items", format!("at most {MAX_ITEMS}"), n));
    }
    if !(1..=MAX_DIM).contains(&vectors.dim) {
        return Err(Error::input("vectors", format!("1 to {MAX_DIM} components"), vectors.dim));
    }
    if vectors.values.len() != n * vectors.dim {
        let expected = format!("{n} rows of {}", vectors.dim);
        return Err(Error::input(
            "vectors",
            expected,
            format!("{} numbers", vectors.values.len()),
        ));
    }
    if !(options.alpha > 0.0 && options.alpha <= 1e9) {
        return Err(Error::input("alpha", "a number above 0, at most 1e9", options.alpha));
    }
    if !(options.lambda >= 0.0 && options.lambda <= 1e9) {
        return Err(Error::input("lambda", "a number from 0 to 1e9", options.lambda));
    }
    if !(0.0..=MAX_NU).contains(&options.nu) {
        return Err(Error::input("nu", format!("a number from 0 to {MAX_NU}"), options.nu));
    }
    if options.fold != Fold::Ials && options.nu != 1.0 {
        let expected = "1, unless the fold-in is ials: no other convention has an exponent";
        return Err(Error::input("nu", expected, options.nu));
    }
    if let Some(bits) = options.bits
        && !CODE_BITS.contains(&bits)
    {
        return Err(Error::input("bits", "5 to 8", bits));
    }
    if !(0.5..1.0).contains(&options.recall) {
        return Err(Error::input("recall", "a share from 0.5 to below 1", options.recall));
    }
    if options.lists == Some(0) {
        return Err(Error::input("lists", "at least 1", 0));
    }
    let mut first = HashMap::with_capacity(n);
    for (i, id) in table.ids.iter().enumerate() {
        if id.is_empty() || id.len() > 1024 {
            let place = format!("item {i}: id");
            return Err(Error::input(place, "1 to 1024 bytes", format!("{} bytes", id.len())));
        }
        if let Some(before) = first.insert(id, i) {
            let place = format!("item {i}: id");
            return Err(Error::input(
                place,
                "an id of its own",
                format!("{id:?}, as item {before}"),
            ));
        }
    }
    let mut names = HashMap::new();
    for column in &table.columns {
        let place = format!("column {:?}", column.name);
        if column.name.is_empty() || column.name.len() > 1024 {
            return Err(Error::input(place, "a name of 1 to 1024 bytes", column.name.len()));
        }
        if column.values.len() != n {
            return Err(Error::input(place, format!("{n} values"), column.values.len()));
        }
        if names.insert(&column.name, ()).is_some() {
            return Err(Error::input(place, "a name of its own", "a second column of this name"));
        }
    }
    Ok(())
}

fn ids(ids: &[String]) -> Result<Ids> {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for id in ids {
        bytes.extend_from_slice(id.as_bytes());
        offsets.push(position(bytes.len(), "ids")?);
    }
    let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
    by_id.sort_unstable_by_key(|i| &ids[*i as usize]);
    Ok(Ids { offsets, by_id, bytes })
}

/// A position inside a section, which rkyv's 32-bit offsets limit to 2 GiB.
fn position(at: usize, section: &'static str) -> Result<u32> {
    match i32::try_from(at) {
        Ok(at) => Ok(at as u32),
        Err(_) => Err(Error::input(
            format!("section {section}"),
            "less than 2 GiB: leave columns out, or split the catalog",
            format!("{at} bytes"),
        )),
    }
}
