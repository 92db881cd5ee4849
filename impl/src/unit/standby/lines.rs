//! What a Standby holds of an Active, and the lines applied to it in order (Fig. 4).

use alloc::vec::Vec;

use super::super::receiver::Receiver;
use super::super::state::Context;
use super::{At, Standby, StandbyPhase, StandbySession};
use crate::digest::Shared;
use crate::ids::Lsn;
use crate::message::{
    Bounds, Bytes, Message, Mismatch, Missing, OnMismatch, Session, Stamp, Unraised,
};
use crate::planted::Defect;

/// A line's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineBody {
    /// Difference of the wire config.
    pub difference: Bytes,
    /// What to do if it does not execute.
    pub on_mismatch: OnMismatch,
    /// Changes of MCL and complements.
    pub listing: Bytes,
}

/// What a Standby holds of an Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    /// The session that it is of.
    pub session: Session,
    /// The last change applied.
    pub applied: Lsn,
    /// The greatest LSN of its term that the unit has heard of.
    pub heard: Lsn,
    /// W and S.
    pub receiver: Receiver,
    /// Whether it may take over; it says no by itself before it answers a line that failed.
    pub readiness: Readiness,
}

impl Replica {
    /// Where it stands in the role's history.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.session.term, lsn: self.applied }
    }
}

/// Whether a replica may take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// It may.
    Ready,
    /// It declared itself not ready.
    Declared,
}

impl Standby {
    pub(super) fn on_line(
        &mut self,
        seat: &mut StandbySession,
        lsn: Lsn,
        body: LineBody,
        cx: &mut Context<'_, '_>,
    ) {
        #[cfg(feature = "planted")]
        if self.takes_line_early(seat, lsn, &body, cx) {
            return;
        }
        let window = u64::from(cx.env.limits.line_window);
        match &mut seat.phase {
            StandbyPhase::Synced { kept, .. } => {
                let Some(replica) = &self.replica else { return };
                if lsn <= replica.applied {
                    let applied = applied(seat.session, seat.bounds, replica, Vec::new(), cx);
                    cx.send(seat.active, applied);
                } else if lsn.0 <= replica.applied.0 + window {
                    kept.insert(lsn, body);
                    self.apply_kept(seat, cx);
                }
            }
            StandbyPhase::Shadow(shadow) => {
                if lsn > shadow.lsn && lsn.0 <= shadow.lsn.0 + window {
                    shadow.kept.insert(lsn, body);
                }
            }
            // A line before the snapshot is executed is dropped: the Active sends it again.
            StandbyPhase::Ready { .. }
            | StandbyPhase::Dump(_)
            | StandbyPhase::Pairing
            | StandbyPhase::Diffed { .. }
            | StandbyPhase::Config { .. }
            | StandbyPhase::Unread { .. }
            | StandbyPhase::Rpr
            | StandbyPhase::Held => {}
        }
    }

    /// Applies, in order, what of the kept lines can be applied; one that does not decode ends it.
    pub(super) fn apply_kept(&mut self, seat: &mut StandbySession, cx: &mut Context<'_, '_>) {
        let Some(replica) = &mut self.replica else {
            return;
        };
        let (session, bounds) = (seat.session, seat.bounds);
        let StandbyPhase::Synced { kept, hot } = &mut seat.phase else {
            return;
        };
        let pairing = seat.pairing;
        let mut unread = None;
        while let Some(entry) = kept.first_entry() {
            let lsn = *entry.key();
            if lsn.0 > replica.applied.0 + 1 && !cx.env.planted(Defect::GapAccepted) {
                break;
            }
            let body = entry.remove();
            if lsn <= replica.applied {
                continue;
            }
            let receiver = &mut replica.receiver;
            let read = receiver.apply(cx.env, pairing.as_ref(), &body.difference, &body.listing);
            let failed = match read {
                Ok(failed) => failed,
                Err(why) => {
                    unread = Some((lsn, why));
                    break;
                }
            };
            replica.applied = lsn;
            if !failed.is_empty() && body.on_mismatch == OnMismatch::LeaveHot {
                replica.readiness = Readiness::Declared;
            }
            let answer = applied(session, bounds, replica, failed, cx);
            cx.send(seat.active, answer);
        }
        if let Some((lsn, why)) = unread {
            if cx.env.planted(Defect::UnreadableLineDeclares) {
                replica.readiness = Readiness::Declared;
            }
            return seat.cannot_read(lsn, At::Line, why, cx);
        }
        if let Some(lsn) = hot.filter(|h| *h <= replica.applied) {
            *hot = None;
            cx.send(seat.active, Message::HotAck { session, lsn });
        }
    }

    pub(super) fn on_hot(&mut self, seat: &mut StandbySession, h: Lsn, cx: &mut Context<'_, '_>) {
        let Some(replica) = &self.replica else { return };
        if let StandbyPhase::Synced { hot, .. } = &mut seat.phase {
            if replica.applied >= h {
                cx.send(seat.active, Message::HotAck { session: seat.session, lsn: h });
            } else {
                *hot = Some(h);
            }
        }
    }
}

/// What a Standby has applied, and what it lacks of it: `failed` of the last change, what is held
/// out, and what is not raised.
pub(super) fn applied(
    session: Session,
    bounds: Bounds,
    replica: &Replica,
    failed: Vec<Mismatch>,
    cx: &Context<'_, '_>,
) -> Message {
    let mut mismatches = failed;
    for held in replica.receiver.held_out(cx.env) {
        if !mismatches.contains(&held) {
            mismatches.push(held);
        }
    }
    Message::Applied {
        session,
        lsn: replica.applied,
        digest: replica.receiver.digest(cx.env),
        missing: missing(mismatches, &replica.receiver, bounds, cx),
    }
}

/// What a Standby lacks: as many lines as one answer names, and how many there are beside.
pub(super) fn missing(
    mut mismatches: Vec<Mismatch>,
    receiver: &Receiver,
    bounds: Bounds,
    cx: &Context<'_, '_>,
) -> Missing {
    let limits = cx.env.limits;
    let mut unraised = receiver.unraised(cx.env);
    let all = mismatches.len() + unraised.len();
    mismatches.truncate(limits.max_mismatches.min(bounds.mismatches) as usize);
    unraised.truncate(limits.max_listed.min(bounds.listed) as usize);
    let mut room = u64::from(limits.max_line.min(bounds.line));
    let fits = |each: &&Unraised| {
        let fits = each.size() <= room;
        room = room.saturating_sub(each.size());
        fits
    };
    let named = unraised.iter().take_while(fits).count();
    unraised.truncate(named);
    let further = (all - mismatches.len() - unraised.len()) as u32;
    Missing { mismatches: Shared::new(mismatches), unraised: Shared::new(unraised), further }
}
