//! What a Standby holds of an Active, and the lines applied to it in order (Fig. 4).

use super::super::own::Cx;
use super::super::replica::Receiver;
use super::{Phase, Seat, Standby};
use crate::base::{Lsn, Shared};
use crate::message::{Bytes, Message, Mismatch, OnMismatch, Session, Stamp};
use crate::planted::Defect;

/// A line's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Body {
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
        Stamp {
            term: self.session.term,
            lsn: self.applied,
        }
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
    pub(super) fn on_line(&mut self, seat: &mut Seat, lsn: Lsn, body: Body, cx: &mut Cx<'_, '_>) {
        let window = u64::from(cx.env.limits.line_window);
        match &mut seat.phase {
            Phase::Synced { kept, .. } => {
                let Some(replica) = &self.replica else { return };
                if lsn <= replica.applied {
                    let none = Shared::new(alloc::vec![]);
                    seat.send_applied(replica, none, cx);
                } else if lsn.0 <= replica.applied.0 + window {
                    if cx.env.planted(Defect::AckBeforeApply) && lsn.0 == replica.applied.0 + 1 {
                        let mut ahead = replica.clone();
                        let (difference, listing) = (&body.difference, &body.listing);
                        let pairing = seat.pairing;
                        ahead
                            .receiver
                            .apply(cx.env, pairing.as_ref(), difference, listing);
                        ahead.applied = lsn;
                        kept.insert(lsn, body);
                        seat.send_applied(&ahead, Shared::new(alloc::vec![]), cx);
                        return;
                    }
                    kept.insert(lsn, body);
                    self.apply_kept(seat, cx);
                }
            }
            Phase::Shadow(shadow) => {
                if cx.env.planted(Defect::LineBeforeAccept) && lsn.0 == shadow.lsn.0 + 1 {
                    let pairing = seat.pairing;
                    let listing = &body.listing;
                    shadow
                        .receiver
                        .apply(cx.env, pairing.as_ref(), &body.difference, listing);
                    let digest = shadow.receiver.digest(cx.env);
                    let (session, mismatches) = (seat.session, Shared::new(alloc::vec![]));
                    cx.send(
                        seat.active,
                        Message::Applied {
                            session,
                            lsn,
                            digest,
                            mismatches,
                        },
                    );
                } else if lsn > shadow.lsn && lsn.0 <= shadow.lsn.0 + window {
                    shadow.kept.insert(lsn, body);
                }
            }
            // A line before the snapshot is executed is dropped: the Active sends it again.
            Phase::Ready { .. }
            | Phase::Dump(_)
            | Phase::Pairing
            | Phase::Diffed { .. }
            | Phase::Config { .. }
            | Phase::Rpr
            | Phase::Held => {}
        }
    }

    /// Applies, in order, what of the kept lines can be applied.
    pub(super) fn apply_kept(&mut self, seat: &mut Seat, cx: &mut Cx<'_, '_>) {
        let Some(replica) = &mut self.replica else {
            return;
        };
        let Phase::Synced { kept, hot } = &mut seat.phase else {
            return;
        };
        let pairing = seat.pairing;
        let mut answers = alloc::vec![];
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
            let failed = receiver.apply(cx.env, pairing.as_ref(), &body.difference, &body.listing);
            replica.applied = lsn;
            if !failed.is_empty() && body.on_mismatch == OnMismatch::LeaveHot {
                replica.readiness = Readiness::Declared;
            }
            let mismatches: Shared<[Mismatch]> = Shared::new(failed);
            let (session, digest) = (seat.session, replica.receiver.digest(cx.env));
            answers.push(Message::Applied {
                session,
                lsn,
                digest,
                mismatches,
            });
        }
        if let Some(lsn) = hot.filter(|h| *h <= replica.applied) {
            *hot = None;
            answers.push(Message::HotAck {
                session: seat.session,
                lsn,
            });
        }
        for answer in answers {
            cx.send(seat.active, answer);
        }
    }

    pub(super) fn on_hot(&mut self, seat: &mut Seat, h: Lsn, cx: &mut Cx<'_, '_>) {
        let Some(replica) = &self.replica else { return };
        if let Phase::Synced { hot, .. } = &mut seat.phase {
            if replica.applied >= h {
                cx.send(
                    seat.active,
                    Message::HotAck {
                        session: seat.session,
                        lsn: h,
                    },
                );
            } else {
                *hot = Some(h);
            }
        }
    }
}

impl Seat {
    pub(super) fn send_applied(
        &self,
        replica: &Replica,
        mismatches: Shared<[Mismatch]>,
        cx: &mut Cx<'_, '_>,
    ) {
        let (session, lsn) = (self.session, replica.applied);
        let digest = replica.receiver.digest(cx.env);
        cx.send(
            self.active,
            Message::Applied {
                session,
                lsn,
                digest,
                mismatches,
            },
        );
    }
}
