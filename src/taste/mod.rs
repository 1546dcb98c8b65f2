//! What a person likes: a log of what they did, and the user vector it amounts to.

mod fold;
mod history;
mod neighbours;
mod profile;
mod wire;

pub use fold::{Share, Taste};
pub use history::Past;
pub use neighbours::{NeighbourScores, neighbour_shares, presence};
pub use profile::{Entry, Event, Interaction, Profile, Selector};
#[cfg(all(target_arch = "wasm32", feature = "wasm"))]
pub(crate) use wire::FlatEvent;
