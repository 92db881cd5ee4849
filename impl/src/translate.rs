//! The ladder of configs between A, W and S: edits in; edits, listing and provenance out.
//!
//! Translation is a function of whole configs. Bulk is its evaluation from nothing (seed, Figs. 3A
//! and 3C), a line its increment (Fig. 4). It knows nothing of sessions or messages.

mod ladder;
pub mod listing;
mod lowering;
mod raising;
mod stage;
mod touched;

pub use listing::{ListKey, Listed, Listing, ListingChange, ListingError};
pub use lowering::{Explained, ListedCause, Lowered, Lowering, WayOfLine};
pub use raising::{Mismatch, Raised, Raising, ReadError, Refuses};

use crate::policy;
use crate::transform::Cause;

/// As what policy rules ask about a cause.
pub const fn policy_cause(cause: &Cause) -> policy::Cause {
    match cause {
        Cause::NoTransform | Cause::EmptyMode => policy::Cause::NoTransform,
        Cause::Value { .. }
        | Cause::Alone { .. }
        | Cause::Conflict
        | Cause::Taken
        | Cause::Pending
        | Cause::Resolves => policy::Cause::GuardedValue,
        Cause::Unverified => policy::Cause::Verification,
        Cause::Peer(_) => policy::Cause::Prc,
        Cause::Bound => policy::Cause::Limit,
    }
}

#[cfg(test)]
mod tests;
