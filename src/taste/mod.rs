//! What a person likes: a log of what they did, and the user vector it amounts to.

mod cholesky;
mod cold;
mod convention;
mod decay;
mod decode;
mod fold;
mod history;
mod interests;
mod labels;
mod neighbours;
mod profile;
mod reduce;
mod selector;
#[cfg(all(feature = "store", not(target_arch = "wasm32")))]
mod store;
mod summary;
mod ward;
mod wire;

pub use cold::ColdStart;
pub use decay::{TasteOptions, Window, default_half_life_days};
pub(crate) use decode::decoded;
pub use fold::{Share, Taste};
pub use history::Past;
pub(crate) use history::Reading;
pub use interests::{Interest, interests};
pub(crate) use interests::{PairDistances, interests_by};
pub use labels::{Label, LabelValue};
pub use neighbours::{NeighbourScores, neighbour_shares, presence};
pub use profile::{Entry, Event, Interaction, Placed, Profile, Shown};
pub use reduce::HistoryItem;
pub use selector::Selector;
#[cfg(all(feature = "store", not(target_arch = "wasm32")))]
pub use store::{ProfileStore, Recovered};
pub use summary::{Axis, SummaryColumns, TasteSummary, summary};
#[cfg(all(target_arch = "wasm32", feature = "wasm"))]
pub(crate) use wire::FlatEvent;
