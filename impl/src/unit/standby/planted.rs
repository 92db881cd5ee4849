//! Planted defects of a Standby that are more than a condition.

use alloc::vec::Vec;

use super::super::state::Context;
use super::lines::applied;
use super::{LineBody, Standby, StandbyPhase, StandbySession};
use crate::ids::Lsn;
use crate::message::{Message, Missing};
use crate::planted::Defect;

impl Standby {
    /// Takes a line before its time, if that is planted; whether it did.
    pub(super) fn takes_line_early(
        &self,
        seat: &mut StandbySession,
        lsn: Lsn,
        body: &LineBody,
        cx: &mut Context<'_, '_>,
    ) -> bool {
        if cx.env.planted(Defect::AckBeforeApply) {
            return self.acknowledges_early(seat, lsn, body, cx);
        }
        cx.env.planted(Defect::LineBeforeAccept) && applies_early(seat, lsn, body, cx)
    }

    /// The next line is answered when it comes, and applied at the next input.
    fn acknowledges_early(
        &self,
        seat: &mut StandbySession,
        lsn: Lsn,
        body: &LineBody,
        cx: &mut Context<'_, '_>,
    ) -> bool {
        let (StandbyPhase::Synced { kept, .. }, Some(replica)) = (&mut seat.phase, &self.replica)
        else {
            return false;
        };
        if lsn.0 != replica.applied.0 + 1 {
            return false;
        }
        let mut ahead = replica.clone();
        let (difference, listing) = (&body.difference, &body.listing);
        let read = ahead.receiver.apply(cx.env, seat.pairing.as_ref(), difference, listing);
        kept.insert(lsn, body.clone());
        if read.is_ok() {
            ahead.applied = lsn;
            let applied = applied(seat.session, seat.bounds, &ahead, Vec::new(), cx);
            cx.send(seat.active, applied);
        }
        true
    }
}

/// The first line after the snapshot is applied to the shadow.
fn applies_early(
    seat: &mut StandbySession,
    lsn: Lsn,
    body: &LineBody,
    cx: &mut Context<'_, '_>,
) -> bool {
    let StandbyPhase::Shadow(shadow) = &mut seat.phase else {
        return false;
    };
    if lsn.0 != shadow.lsn.0 + 1 {
        return false;
    }
    let (difference, listing) = (&body.difference, &body.listing);
    let read = shadow.receiver.apply(cx.env, seat.pairing.as_ref(), difference, listing);
    if read.is_ok() {
        let digest = shadow.receiver.digest(cx.env);
        let (session, missing) = (seat.session, Missing::default());
        let applied = Message::Applied { session, lsn, digest, missing };
        cx.send(seat.active, applied);
    }
    true
}
