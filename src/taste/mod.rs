//! What a person likes: a log of what they did, and the user vector it amounts to.

mod cholesky;
mod cold;
mod convention;
mod decay;
mod fold;
mod history;
mod interests;
mod labels;
mod profile;
mod reduce;
mod summary;
mod ward;
mod wire;

pub use cold::ColdStart;
pub use decay::{TasteOptions, Window, default_half_life_days};
pub use fold::{Share, Taste};
pub use history::Past;
pub use interests::{Interest, interests};
pub use labels::{Label, LabelValue};
pub use profile::{Entry, Event, Interaction, Profile, Selector};
pub use reduce::HistoryItem;
pub use summary::{Axis, SummaryColumns, TasteSummary, summary};
#[cfg(all(target_arch = "wasm32", feature = "wasm"))]
pub(crate) use wire::FlatEvent;
