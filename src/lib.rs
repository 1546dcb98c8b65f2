//! An on-device recommender: one compact archive, opened without parsing, answered locally.
//!
//! A catalog is built once into an *archive* (feature `build`, or the `nearfield` command). A
//! page, a worker, Node or a native program opens it and from then on answers on the device:
//! "more like this" ([`Recommender::similar`]), "for you" ([`Recommender::recommend`]), "because
//! you liked" ([`Slate::because`]), with exclusions inside the search. The person's history, a
//! [`Profile`], never leaves the device.
//!
//! ```
//! use nearfield::{AlignedBytes, Index, Limits, Recommender, Target};
//!
//! let bytes = std::fs::read("tests/fixtures/small-v1.nf")?;
//! let mut nf = Recommender::new(Index::open(AlignedBytes::copy_of(&bytes)?)?);
//! let limits = Limits { k: 3, where_: Some(r#"genres has "jazz""#), ..Limits::default() };
//! for item in nf.similar(Target::Item("17"), &limits)?.items {
//!     println!("{} {:.3}", nf.index().id(item.ordinal)?, item.score);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! None is on by default: the core opens archives and answers. `build` adds the builder, `mmap`
//! opening by memory map, `store` keeping a profile in a file, `cli` the command, `wasm` the
//! surface for JavaScript.
//!
//! # Words
//! An *item* can be recommended; its [`Ordinal`] is its position in one archive. *Score*: higher
//! is better, always. *Decoded vector*: what an item's code stands for; all scores are defined by
//! it. *Fold-in*: computing a user vector from a history while item vectors stay fixed.

// Who works on the crate reads the same pages with `--document-private-items`.
#![allow(rustdoc::private_intra_doc_links)]

#[cfg(feature = "build")]
pub mod build;
mod catalog;
mod date;
mod edit_distance;
mod error;
pub mod eval;
mod folding;
mod format;
mod ids;
mod item_set;
mod kernel;
mod kind;
mod load;
mod metric;
mod ordering;
mod rng;
mod search;
mod slate;
mod taste;
#[cfg(all(target_arch = "wasm32", feature = "wasm"))]
pub mod wasm;

pub use catalog::{
    Catalog, Column, ColumnBytes, Deed, Expr, Formula, History, Predicate, Scope, TitleMatch,
    Value,
};
pub use date::{format_days, parse_days};
pub use error::{Error, ErrorCode, Result};
pub use folding::fold_title;
pub use format::{ALIGNMENT, FORMAT_VERSION, FieldKind, Fold, NeighboursKind, OLDEST_READABLE};
pub use ids::{Ordinal, Scored};
pub use item_set::ItemSet;
pub use kernel::Backend;
pub use kind::Kind;
pub use load::{AlignedBytes, Index, Lists, Neighbours, NeighboursRow};
pub use metric::Metric;
pub use rng::SeededRng;
pub use search::{Effort, Query, Searcher};
pub use slate::{
    Basis, Boost, Calibration, Cap, Diversity, DiversityMethod, Explore, ExploreMethod, Freshness,
    Interests, Limits, Mix, Parts, Passed, Pin, Pool, Quota, Recommender, Request, Rotation,
    Scenarios, Slate, Step, Target, Unmet,
};
pub use slate::{bandit, compose, explore};
pub use taste::{
    Axis, ColdStart, Entry, Event, HistoryItem, Interaction, Interest, Label, LabelValue,
    NeighbourScores, Past, Placed, Profile, Selector, Share, Shown, SummaryColumns, Taste,
    TasteOptions, TasteSummary, Window, default_half_life_days, interests, neighbour_shares,
    presence, summary,
};
#[cfg(all(feature = "store", not(target_arch = "wasm32")))]
pub use taste::{ProfileStore, Recovered};

// Unit tests run in a browser too: the same tests, compiled to WebAssembly.
#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
