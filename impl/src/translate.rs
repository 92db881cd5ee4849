//! The ladder of configs between A, W and S: edits in; edits, listing and provenance out.
//!
//! Translation is a function of whole configs. Bulk is its evaluation from nothing (seed, Figs. 3A and
//! 3C), a line its increment (Fig. 4). It knows nothing of sessions or messages.

mod ladder;
pub mod listing;
mod lowering;
mod raising;
mod stage;
mod touched;

pub use listing::{ListKey, Listed, Listing, ListingChange};
pub use lowering::{Explained, ListedCause, Lowered, Lowering, WayOfLine};
pub use raising::{Mismatch, Raised, Raising, ReadError, Refuses};

#[cfg(test)]
mod tests;
