//! What a person likes: a log of what they did, and the user vector it amounts to.

mod fold;
mod history;
mod profile;
mod selector;
#[cfg(all(feature = "store", not(target_arch = "wasm32")))]
mod store;
mod wire;

pub use fold::{Share, Taste};
pub use history::{Exclusions, Past};
pub use profile::{Entry, Event, Interaction, Placed, Profile, Shown};
pub use selector::Selector;
#[cfg(all(feature = "store", not(target_arch = "wasm32")))]
pub use store::{ProfileStore, Recovered};
#[cfg(all(target_arch = "wasm32", feature = "wasm"))]
pub(crate) use wire::FlatEvent;
