//! The sections' types. Each section is one rkyv archive of flat data: vectors of fixed-width
//! numbers and plain structs of them, nothing that needs a walk to validate.

use rkyv::{Archive, Serialize};

/// What a section holds. The codes are also the order in which sections lie, so that a loader
/// that streams can answer as early as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum SectionKind {
    /// [`Ids`].
    Ids = 1,
    /// [`Model`].
    Model = 2,
    /// [`Lists`].
    Lists = 3,
    /// [`Level`] of the blocks.
    Blocks = 4,
    /// [`Columns`].
    Columns = 5,
    /// [`Codes`].
    Codes = 6,
    /// [`Refining`].
    Refining = 7,
    /// [`Neighbours`].
    Neighbours = 8,
    /// [`Titles`].
    Titles = 9,
    /// [`Texts`].
    Texts = 10,
}

impl SectionKind {
    /// All kinds, in the order in which they lie. Every archive has each exactly once.
    pub const ALL: [Self; 10] = [
        Self::Ids,
        Self::Model,
        Self::Lists,
        Self::Blocks,
        Self::Columns,
        Self::Codes,
        Self::Refining,
        Self::Neighbours,
        Self::Titles,
        Self::Texts,
    ];

    /// The name used in errors and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Model => "model",
            Self::Lists => "lists",
            Self::Blocks => "blocks",
            Self::Columns => "columns",
            Self::Codes => "codes",
            Self::Refining => "refining",
            Self::Neighbours => "neighbours",
            Self::Titles => "titles",
            Self::Texts => "texts",
        }
    }
}

/// The caller's ids, and the way from an id to its ordinal.
#[derive(Archive, Serialize, Debug)]
pub struct Ids {
    /// `n + 1` positions in `bytes`: id `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    pub offsets: Vec<u32>,
    /// All ordinals, in the byte order of their ids: an id is found by binary search.
    pub by_id: Vec<u32>,
    /// The ids, UTF-8, one after the other.
    pub bytes: Vec<u8>,
}

/// How a producer's model turns a history into a user vector: see `taste::convention` for the
/// equations of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fold {
    /// Ridge regression on plain embeddings: an approximation, and named as one.
    Ridge = 1,
    /// The Python package implicit: exact for its factor models.
    Implicit = 2,
    /// Spark MLlib's ALS with `implicitPrefs`: exact for its factor models.
    SparkImplicit = 3,
    /// Spark MLlib's ALS on explicit ratings: exact for its factor models.
    SparkExplicit = 4,
    /// The iALS and iALS++ of Google Research: exact for their factor models.
    Ials = 5,
}

impl Fold {
    /// All conventions, in the order of their codes.
    pub const ALL: [Self; 5] =
        [Self::Ridge, Self::Implicit, Self::SparkImplicit, Self::SparkExplicit, Self::Ials];

    /// The convention with this code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|fold| *fold as u32 == code)
    }

    /// The convention with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fold| fold.as_str() == name)
    }

    /// The name used on the command line and in JavaScript.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Implicit => "implicit",
            Self::SparkImplicit => "spark-implicit",
            Self::SparkExplicit => "spark-explicit",
            Self::Ials => "ials",
        }
    }
}

/// What is known of the vectors as a whole.
#[derive(Archive, Serialize, Debug)]
pub struct Model {
    /// What an interaction's weight is multiplied by; of [`Fold::Ials`], the weight of items that
    /// nothing was done with.
    pub alpha: f64,
    /// Regularisation of the fold-in.
    pub lambda: f64,
    /// Exponent of the regularisation of [`Fold::Ials`], `lambda (n + alpha n_items)^nu`; 1 and
    /// without effect in other conventions.
    pub nu: f64,
    /// Code of the [`Metric`](crate::Metric).
    pub metric: u32,
    /// Code of the [`Fold`].
    pub fold: u32,
    /// Bits per dimension of an item's code, 5 to 8.
    pub code_bits: u32,
    /// Base of the 16-bit scales.
    pub scale_base: u32,
    /// Base of the 16-bit squared norms.
    pub norm_base: u32,
    /// Index of the column that serves as popularity prior, or [`FIELD_NONE`].
    pub prior_field: u32,
    /// The rotation's signs (see `kernel::rotation`).
    pub signs: Vec<u8>,
    /// Named defaults of requests, as JSON in UTF-8; empty where there are none. Read when a
    /// request names one.
    pub scenarios: Vec<u8>,
    /// `dim` components, rotated: what was taken from every list's centroid before coding.
    pub centre: Vec<f64>,
    /// Upper triangle by rows of the sum of x xT over the decoded vectors, `dim (dim + 1) / 2`.
    pub gram: Vec<f64>,
}

/// Stands where an index of a field or a position is absent.
pub const FIELD_NONE: u32 = u32::MAX;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FieldKind {
    /// True or false.
    Flag = 1,
    /// One of a set of strings.
    Category = 2,
    /// A 64-bit whole number.
    Integer = 3,
    /// A 64-bit float.
    Real = 4,
    /// Days since 1970-01-01.
    Date = 5,
    /// A set of strings.
    Tags = 6,
    /// Free text: comes back on cards, is not compared.
    Text = 7,
}

impl FieldKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Flag,
        Self::Category,
        Self::Integer,
        Self::Real,
        Self::Date,
        Self::Tags,
        Self::Text,
    ];

    /// The kind with this code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|k| *k as u32 == code)
    }

    /// The name used in schemas and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Category => "category",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Date => "date",
            Self::Tags => "tags",
            Self::Text => "text",
        }
    }
}

/// Where one column's arrays lie. Positions are byte offsets into the `data` of [`Columns`] (of
/// [`Texts`] for the values of a text); arrays there are little-endian and packed.
#[derive(Archive, Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Smallest value of an integer, date or scaled real; values are stored as differences to it.
    pub base: i64,
    /// Largest value of an integer, date or scaled real; for display only.
    pub top: i64,
    /// Code of the [`FieldKind`].
    pub kind: u32,
    /// Position and length of the name in [`Columns::names`].
    pub name_start: u32,
    /// See `name_start`.
    pub name_len: u32,
    /// Bytes per value: 1, 2, 4 or 8; 0 for flags and texts.
    pub width: u32,
    /// Decimal digits of a real that is stored as a scaled integer, 0 to 9; [`FIELD_NONE`] for one
    /// stored as f64.
    pub digits: u32,
    /// Number of items without a value.
    pub n_null: u32,
    /// Position of the bitmap of present values, `ceil(n / 8)` bytes; [`FIELD_NONE`] if all are.
    pub present_start: u32,
    /// Position of the values. Flag: a bitmap. Category: codes. Numbers: differences. Tags: codes
    /// of all items, one after the other. Text: UTF-8 bytes.
    pub values_start: u32,
    /// Number of values (tags: of all items together; text: of bytes).
    pub values_len: u32,
    /// Position of the `n + 1` u32 starts of a tag set's or text's values; [`FIELD_NONE`] for
    /// others. A text's starts lie in [`Texts`].
    pub starts_start: u32,
    /// Number of strings in the dictionary of a category or tag set; 0 for others.
    pub n_distinct: u32,
    /// Position of the dictionary: `n_distinct + 1` u32 starts, then the strings in byte order.
    pub dictionary_start: u32,
    /// Bytes of the dictionary's strings.
    pub dictionary_bytes: u32,
}

/// The typed columns.
#[derive(Archive, Serialize, Debug)]
pub struct Columns {
    /// One entry a column.
    pub fields: Vec<Field>,
    /// The columns' names, one after the other.
    pub names: Vec<u8>,
    /// The columns' arrays.
    pub data: Vec<u8>,
}

/// The centroids of one level, lists or blocks, and what a search needs to choose among them.
#[derive(Archive, Serialize, Clone, Debug, Default)]
pub struct Level {
    /// Codes of the centroids, in blocks of 32 (see `kernel::code`): of lists 7 bits, as residuals to
    /// [`Model::centre`]; of blocks 4 bits, as residuals to their list's. First, since rkyv aligns only
    /// the first byte array of a section, and this one is read by SIMD.
    pub codes: Vec<u8>,
    /// One 16-bit scale a centroid, padded to whole blocks, as the two below.
    pub scales: Vec<u16>,
    /// Euclidean archives: one 16-bit squared norm of the decoded centroid each; else empty.
    pub norms: Vec<u16>,
    /// How far its items lie from a centroid along one direction (root mean square), 16 bits each.
    pub spreads: Vec<u16>,
    /// Base of `scales`.
    pub scale_base: u32,
    /// Base of `norms`.
    pub norm_base: u32,
    /// Base of `spreads`.
    pub spread_base: u32,
    /// How many spreads above its centroid's score the best items lie. Measured.
    pub reach: f32,
    /// How many spreads are added to a centroid's score when lists or blocks are chosen. Measured.
    pub optimism: f32,
}

/// The lists that the items lie in, one after the other: runs of blocks. A small catalog has one.
/// (Of the blocks, a section holds no more than their [`Level`].)
#[derive(Archive, Serialize, Clone, Debug)]
pub struct Lists {
    /// Their centroids.
    pub level: Level,
    /// What a search looks at.
    pub probes: Vec<Probes>,
    /// Blocks of each list, a power of two: list `l` holds this many from block `l` times that on, as
    /// far as there are blocks.
    pub blocks_a_list: u32,
    /// The share of the true 10 nearest that a search is to find unless it says otherwise.
    pub recall: f32,
    /// The share that a search of all blocks finds: what the codes cost. Measured.
    pub code_recall: f32,
    /// How far below the `k`-th best prefix score an item may lie and still belong to the best
    /// `k`, for a query of length 1. Measured.
    pub margin: f32,
    /// The same where a filter may leave no item near the query, and many at about one distance.
    pub filtered_margin: f32,
    /// How far beyond a block's centroid, towards a query, an item must be thought of as lying so that hardly
    /// one of the nearest is missed: a share of the block's radius, 0 to 1. Measured; 1 where it was not.
    pub radius_share: f32,
}

/// One measurement of the builder: what a search looks at to find this share of the nearest items.
#[derive(Archive, Serialize, Clone, Copy, Debug, PartialEq)]
pub struct Probes {
    /// Number of nearest items.
    pub k: u32,
    /// The share of them, 0 to 1, that lies in what is looked at.
    pub share: f32,
    /// Number of lists: those that promise most.
    pub n_lists: u32,
    /// Number of their blocks: those that promise most.
    pub n_blocks: u32,
    /// Of these, blocks are left out whose items would have to lie more than so many spreads above
    /// their centroid's score to belong to the nearest: none at [`NO_REACH`].
    pub reach: f32,
}

/// A reach that leaves out nothing: the largest there is.
pub const NO_REACH: f32 = 1e18;

/// What every search reads of the items' vectors.
#[derive(Archive, Serialize, Clone, Debug)]
pub struct Codes {
    /// Prefixes, 4 bits a dimension: blocks of 32 items (see `kernel::code`). First, since rkyv
    /// aligns only the first byte array of a section, and this one is read by SIMD.
    pub prefixes: Vec<u8>,
    /// One 16-bit scale an item, padded to whole blocks.
    pub scales: Vec<u16>,
    /// Euclidean archives: one 16-bit squared norm of the decoded vector an item, padded to whole
    /// blocks; empty for other metrics.
    pub norms: Vec<u16>,
    /// For every block, the largest scale of every fourth item: of items 0, 4, 8 and so on, of 1, 5, 9 and so
    /// on, and the same of 2 and 3.
    pub largest_scales: Vec<u16>,
    /// In the same way the least norms; empty as `norms` are.
    pub least_norms: Vec<u16>,
    /// How far from the centroid of their block its prefixes lie at most, 16 bits a block, under the base of
    /// scales and in units of 8,192; padded to whole groups of 32 blocks.
    pub radii: Vec<u16>,
}

/// The rest of the items' codes, read for the best of a scan.
#[derive(Archive, Serialize, Clone, Debug)]
pub struct Refining {
    /// The low bits of each dimension, item by item (see `kernel::code`).
    pub bits: Vec<u8>,
}

/// How the weights between items were trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NeighboursKind {
    /// EASE (Steck 2019).
    Ease = 1,
    /// The cosine of the items' columns, with shrinkage.
    ItemKnn = 2,
}

impl NeighboursKind {
    /// The kind with this code.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Ease),
            2 => Some(Self::ItemKnn),
            _ => None,
        }
    }

    /// The name used on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ease => "ease",
            Self::ItemKnn => "item-knn",
        }
    }
}

/// Weights between items, for those who fold in a history: what each of its items says for others.
/// Empty vectors where the archive carries none.
#[derive(Archive, Serialize, Clone, Debug)]
pub struct Neighbours {
    /// What the sum of weights is multiplied by before it is added to a taste score; 0 without any.
    pub beta: f64,
    /// EASE's lambda or item-kNN's shrinkage: a record of how they were trained.
    pub regularisation: f64,
    /// Code of the [`NeighboursKind`]; 0 without any.
    pub kind: u32,
    /// Weights kept of each target when they were chosen: a record too.
    pub m: u32,
    /// Bytes of a target: 2, 3 or 4; 0 without any.
    pub width: u32,
    /// Base of `scales`.
    pub scale_base: u32,
    /// `n + 1` positions: what item `j` says lies at `starts[j]..starts[j + 1]` of the two below.
    pub starts: Vec<u32>,
    /// Ordinals, `width` little-endian bytes each, ascending within an item.
    pub targets: Vec<u8>,
    /// Weights, in units of their item's scale.
    pub weights: Vec<i8>,
    /// One 16-bit scale an item.
    pub scales: Vec<u16>,
}

impl Neighbours {
    /// What an archive without weights between items carries.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            beta: 0.0,
            regularisation: 0.0,
            kind: 0,
            m: 0,
            width: 0,
            scale_base: 1,
            starts: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            scales: Vec::new(),
        }
    }
}

/// What title lookup needs. Empty vectors where the catalog has no titles.
#[derive(Archive, Serialize, Debug)]
pub struct Titles {
    /// `n + 1` positions in `bytes`: the normalised title of each item.
    pub starts: Vec<u32>,
    /// Positions in `bytes` where a word begins, in the byte order of the title from there on.
    pub words: Vec<u32>,
    /// The normalised titles, UTF-8, one after the other.
    pub bytes: Vec<u8>,
    /// Index of the column the titles were made from, or [`FIELD_NONE`].
    pub field: u32,
}

/// The texts of cards, fetched last and needed by no ranking.
#[derive(Archive, Serialize, Debug)]
pub struct Texts {
    /// Starts and bytes of the text columns, at the positions their [`Field`]s give.
    pub data: Vec<u8>,
}
