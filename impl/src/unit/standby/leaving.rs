//! How a session ends for a Standby, and whether its replica outlives it (PROTOCOL.md, 10.2).

use super::super::output::Event;
use super::super::state::{Context, UnitState};
use super::{Standby, StandbyPhase, StandbySession};
use crate::message::{LeaveWhy, RejectWhy, Verdict};
use crate::planted::Defect;

/// Whether a replica outlives its session: until the next swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::unit) enum KeepReplica {
    Yes,
    No,
}

impl Standby {
    /// The Active ends the session. Whether the replica stays.
    pub(super) fn on_leave(
        own: &mut UnitState,
        why: LeaveWhy,
        cx: &mut Context<'_, '_>,
    ) -> KeepReplica {
        if counted(why) {
            own.count_reset(cx);
        }
        cx.event(Event::Reset { counted: counted(why) });
        if why.keeps_replica() || cx.env.planted(Defect::RejectedActs) {
            KeepReplica::Yes
        } else {
            KeepReplica::No
        }
    }

    /// The Active has judged: the shadow is dropped; by policy the replica is, too.
    pub(super) fn on_bulk_reject(
        &mut self,
        seat: &mut StandbySession,
        own: &mut UnitState,
        (verdict, why): (Verdict, RejectWhy),
        cx: &mut Context<'_, '_>,
    ) -> Option<(LeaveWhy, KeepReplica)> {
        if why == RejectWhy::Policy && !cx.env.planted(Defect::RejectedActs) {
            self.drop_replica();
        }
        match verdict {
            Verdict::Reset => {
                own.count_reset(cx);
                cx.event(Event::Reset { counted: true });
                return Some((LeaveWhy::PrcMismatch, KeepReplica::No));
            }
            Verdict::Rpr => seat.phase = StandbyPhase::Rpr,
            Verdict::Simplex => seat.phase = StandbyPhase::Held,
        }
        None
    }
}

/// Whether a reset for this reason counts as ordered.
const fn counted(why: LeaveWhy) -> bool {
    matches!(why, LeaveWhy::DigestMismatch | LeaveWhy::PrcMismatch | LeaveWhy::Stuck)
}
