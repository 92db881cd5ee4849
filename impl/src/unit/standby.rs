//! The Standby: joining, negotiation, the shadow, lines (PROTOCOL.md, 10.2, Joining).
//!
//! ```text
//! Joining -Proceed-> Ready -Dump-> Dump -whole-> Pairing -Paired-> Diffed -Compatible-> Config
//!                      | same image: Compatible -----------------------------------------^  |whole
//!                      | dump at hand: Ready + Diff ------------------> Diffed              v
//!    Held <-Incompatible-+         Synced <-BulkAccept- Shadow <-executed, verified (284)---+
//!                                                         | BulkReject: Joining (n + 1), Rpr, Held
//! ```

mod leaving;
mod lines;
#[cfg(feature = "planted")]
mod planted;
mod save;
mod session;
mod shadow;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::env::{PairingKey, PairingSide};
use super::input::Timer;
use super::output::Event;
use super::pairing::Pairing;
use super::running::Running;
use super::state::{Context, UnitState};
use crate::digest::Shared;
use crate::ids::{Lsn, Slot, Term};
use crate::message::{
    DumpAtHand, HeldBy, LeaveWhy, Message, Payload, Redundancy, Stamp, Unreadable,
};
use crate::planted::Defect;
use leaving::KeepReplica;
use session::After;

pub use lines::{LineBody, Readiness, Replica};
pub use save::SaveHeader;
pub(super) use session::Proceed;
pub use session::{At, StandbyPhase, StandbySession};
pub use shadow::{Shadow, Snapshot};

/// The timers that a Standby in session has running.
const IN_SESSION: [Timer; 4] = [Timer::Resend, Timer::Watchdog, Timer::Keepalive, Timer::Stable];

/// A unit without a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standby {
    /// Its session; none: it is joining.
    pub seat: Option<Box<StandbySession>>,
    /// What it holds of an Active, swapped in whole.
    pub replica: Option<Replica>,
    /// The config with which it held the role before another unit did: the replica until the next
    /// swap, and what is compared then to tell what was lost.
    pub former: Option<Former>,
}

/// The config of a unit that held a role before another one did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Former {
    /// Its term and last LSN.
    pub stamp: Stamp,
    /// The config.
    pub config: Running,
    /// What is known to be missing in it.
    pub listed: Vec<Shared<str>>,
    /// Whether it may be taken over with; else it only tells what was lost.
    pub readiness: Readiness,
}

impl Standby {
    /// Where the config stands with which the unit would take over; none if there is no such
    /// config, or it declared itself not ready.
    pub fn replica_stamp(&self) -> Option<Stamp> {
        let ready = |readiness| readiness == Readiness::Ready;
        let replica = self.replica.as_ref();
        let received = replica.map(|replica| (replica.stamp(), replica.readiness));
        let former = || self.former.as_ref().map(|former| (former.stamp, former.readiness));
        let held = received.or_else(former);
        held.filter(|(_, readiness)| ready(*readiness)).map(|(stamp, _)| stamp)
    }

    /// Whether the replica is of the session that the unit is in, and so goes on.
    pub(super) fn is_in_step(&self) -> bool {
        let session = self.replica.as_ref().map(|replica| replica.session);
        session.is_some() && session == self.seat.as_ref().map(|seat| seat.session)
    }

    /// What the unit would take over with is not to be taken over with any more.
    fn drop_replica(&mut self) {
        self.replica = None;
        if let Some(former) = &mut self.former {
            former.readiness = Readiness::Declared;
        }
    }

    /// The Active spoke of a change: what the replica lacks reaches so far at least.
    fn hear(&mut self, term: Term, lsn: Lsn) {
        if let Some(replica) = self.replica.as_mut().filter(|replica| replica.session.term == term)
        {
            replica.heard = replica.heard.max(lsn);
        }
    }

    /// Begins a round of joining.
    pub(super) fn join(
        own: &mut UnitState,
        replica: Option<Replica>,
        former: Option<Former>,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        own.n.0 += 1;
        own.send_join(cx);
        Self { seat: None, replica, former }
    }

    /// Takes the offered session; the replica stays until the next swap.
    pub(super) fn take_seat(
        mut self,
        own: &mut UnitState,
        offer: &Proceed,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        assert!(own.waits_for(offer.session), "the session answers the round of joining");
        own.see(offer.session.term, cx);
        own.learn_resets(offer.resets, cx);
        let key = PairingKey {
            side: PairingSide::Standby,
            own: cx.env.software.digest(),
            peer: offer.image,
            received: offer.dump,
        };
        let at_hand = match (cx.env.pairings)(&key).filter(|_| own.paired.contains(&key)) {
            Some(Pairing::Standby { diff, .. }) => Some(diff.clone()),
            Some(Pairing::Active(_)) | None => None,
        };
        let same = offer.image == cx.env.software.digest();
        let have = match (same, &at_hand) {
            (true, _) => DumpAtHand::SameImage,
            (false, Some(_)) => DumpAtHand::AtHand,
            (false, None) => DumpAtHand::Needed,
        };
        let ready = StandbyPhase::Ready { have, size: offer.dump_size, dump: offer.dump };
        let mut seat = StandbySession {
            session: offer.session,
            active: offer.from,
            image: offer.image,
            engine: offer.engine,
            bounds: offer.bounds,
            pairing: None,
            phase: ready,
            told: (0, HeldBy::Nobody, Redundancy::Sso),
            saving: None,
            saving_file: None,
            saved: None,
            replica: None,
        };
        if cx.env.planted(Defect::ReplicaDropped) {
            self.replica = None;
        }
        seat.replica = self.replica_stamp();
        cx.cancel(&[Timer::Join]);
        seat.send_ready(have, cx);
        for timer in [Timer::Resend, Timer::Watchdog, Timer::Keepalive] {
            cx.set(timer);
        }
        if let (false, Some(diff)) = (same, at_hand) {
            seat.pairing = Some(key);
            seat.send_diff(diff, true, cx);
        }
        cx.event(Event::SessionBegan(offer.session));
        self.seat = Some(Box::new(seat));
        self
    }

    /// The session ends; a new round of joining begins.
    pub(super) fn rejoin(
        mut self,
        own: &mut UnitState,
        why: LeaveWhy,
        keep: KeepReplica,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        cx.cancel(&IN_SESSION);
        if let Some(seat) = &self.seat {
            cx.event(Event::SessionEnded { session: seat.session, why });
        }
        if keep == KeepReplica::No {
            self.drop_replica();
        }
        Self::join(own, self.replica, self.former, cx)
    }

    /// A message from a unit.
    pub(super) fn on_message(
        mut self,
        own: &mut UnitState,
        from: Slot,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        if let Some(offer) = Proceed::from_message(from, &message) {
            if self.seat.is_none() && own.waits_for(offer.session) {
                return self.take_seat(own, &offer, cx);
            }
            cx.ignore(message.kind());
            return self;
        }
        let Some(mut seat) = self.seat.take() else {
            cx.ignore(message.kind());
            return self;
        };
        if !seat.accepts(&message, cx) {
            cx.ignore(message.kind());
            self.seat = Some(seat);
            return self;
        }
        cx.set(Timer::Watchdog);
        if cx.env.planted(Defect::AckBeforeApply) {
            // What was acknowledged at its arrival is applied now.
            self.apply_kept(&mut seat, cx);
        }
        let rejoins = self.on_session_message(&mut seat, own, from, message, cx);
        self.seat = Some(seat);
        match rejoins {
            Some((why, keep)) => self.rejoin(own, why, keep, cx),
            None => self,
        }
    }

    /// A message of the session. Why it ends, if it does, and whether the replica stays.
    fn on_session_message(
        &mut self,
        seat: &mut StandbySession,
        own: &mut UnitState,
        from: Slot,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) -> Option<(LeaveWhy, KeepReplica)> {
        match message {
            Message::Leave { session, why } => {
                cx.send(from, Message::Left { session });
                return Some((why, Self::on_leave(own, why, cx)));
            }
            Message::BulkAccept { lsn, .. } => self.swap(seat, lsn, cx),
            Message::BulkReject { lsn, verdict, why, .. } => {
                if !seat.waits_for_judgement(lsn) {
                    cx.ignore(crate::message::MessageKind::BulkReject);
                    return None;
                }
                return self.on_bulk_reject(seat, own, (verdict, why), cx);
            }
            Message::Line { lsn, difference, on_mismatch, listing, .. } => {
                self.hear(seat.session.term, lsn);
                let body = LineBody { difference, on_mismatch, listing };
                self.on_line(seat, lsn, body, cx);
            }
            Message::Hot { lsn, .. } => self.on_hot(seat, lsn, cx),
            Message::Keepalive { lsn, held, counter, mode, .. } => {
                self.hear(seat.session.term, lsn);
                seat.on_keepalive(counter, held, mode, cx);
            }
            Message::Join(_)
            | Message::Proceed { .. }
            | Message::Have { .. }
            | Message::Ready { .. }
            | Message::Chunk { .. }
            | Message::Compatible { .. }
            | Message::Incompatible { .. }
            | Message::Config { .. }
            | Message::BulkDone { .. }
            | Message::Applied { .. }
            | Message::HotAck { .. }
            | Message::Unreadable { .. }
            | Message::Left { .. }
            | Message::Save { .. }
            | Message::Saved { .. }
            | Message::Down { .. }
            | Message::ToArbiter(_)
            | Message::ToUnit(_) => return self.on_negotiation(seat, own, message, cx),
        }
        None
    }

    fn on_negotiation(
        &mut self,
        seat: &mut StandbySession,
        own: &mut UnitState,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) -> Option<(LeaveWhy, KeepReplica)> {
        if let Message::Config { lsn, .. } = message {
            self.hear(seat.session.term, lsn);
        }
        if seat.on_negotiation(message, own, cx) == After::Rejoin {
            return Some((LeaveWhy::Incompatible, KeepReplica::Yes));
        }
        if let StandbyPhase::Shadow(Shadow { lsn, .. }) = seat.phase
            && cx.env.planted(Defect::SwapBeforeAccept)
        {
            self.swap(seat, lsn, cx);
        }
        None
    }

    /// A timer of a unit without a role.
    pub(super) fn on_timer(
        mut self,
        own: &mut UnitState,
        timer: Timer,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        let Some(seat) = &mut self.seat else {
            if timer == Timer::Join {
                own.send_join(cx);
            }
            return self;
        };
        match timer {
            Timer::Resend => {
                seat.resend(cx);
                cx.rearm_resend();
            }
            Timer::Watchdog if cx.env.planted(Defect::WatchdogIgnored) => {}
            Timer::Watchdog => {
                return self.rejoin(own, LeaveWhy::Watchdog, KeepReplica::Yes, cx);
            }
            Timer::Keepalive => {
                seat.send_keepalive(self.replica.as_ref(), cx);
                cx.set(Timer::Keepalive);
            }
            Timer::Stable => own.forget_resets(cx),
            // Timers of other parts, that were due when the part changed.
            Timer::Hello
            | Timer::Join
            | Timer::Renew
            | Timer::Register
            | Timer::Ack
            | Timer::Deadline
            | Timer::Drain
            | Timer::Save
            | Timer::Backoff
            | Timer::Queue
            | Timer::Prompt
            | Timer::Pace => {}
        }
        self
    }

    /// The driver has diffed.
    pub(super) fn on_paired(
        mut self,
        own: &mut UnitState,
        key: PairingKey,
        cx: &mut Context<'_, '_>,
    ) -> Self {
        let Some(seat) = &mut self.seat else {
            return self;
        };
        if seat.phase != StandbyPhase::Pairing || seat.pairing != Some(key) {
            return self;
        }
        match (cx.env.pairings)(&key) {
            Some(Pairing::Standby { diff, .. }) => {
                own.remember(key);
                seat.send_diff(diff.clone(), false, cx);
            }
            Some(Pairing::Active(_)) | None => {
                cx.event(Event::Unreadable(Unreadable::here(Payload::Dump, None)));
                seat.hold(LeaveWhy::Unreadable, cx);
            }
        }
        self
    }
}
