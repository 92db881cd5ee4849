//! The ladder of configs between A, W and S: edits in; edits, listing and provenance out.
//!
//! Translation is a function of whole configs. Bulk is its evaluation from nothing (seed, Figs. 3A
//! and 3C), a line its increment (Fig. 4). It knows nothing of sessions or messages.

pub mod complement;
mod keeping;
mod ladder;
pub mod listing;
mod lowering;
mod raising;
mod restore;
mod stage;
mod touched;

pub use listing::{ListKey, Listed, Listing, ListingChange, ListingError};
pub use lowering::{Explained, LineDisposition, ListedCause, Lowered, Lowering};
pub use raising::{NotRaised, Raised, Raising, ReadError, Refuses};
#[cfg(test)]
pub(crate) use touched::Touched;

use crate::policy;
use crate::transform::StuckCause;

/// As what policy rules ask about a cause; none: it is no fault, and they are not asked.
pub const fn policy_cause(cause: &StuckCause) -> Option<policy::Cause> {
    Some(match cause {
        StuckCause::Dropped => return None,
        StuckCause::NoTransform | StuckCause::EmptyMode => policy::Cause::NoTransform,
        StuckCause::Value { .. }
        | StuckCause::Alone { .. }
        | StuckCause::Conflict
        | StuckCause::Taken
        | StuckCause::Pending
        | StuckCause::Unverified
        | StuckCause::Refused { .. }
        | StuckCause::Resolves => policy::Cause::GuardedValue,
        StuckCause::Peer(_) => policy::Cause::Prc,
        StuckCause::Bound => policy::Cause::Limit,
    })
}

#[cfg(test)]
mod tests;
