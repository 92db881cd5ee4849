//! From a Join to a computed pairing, at the Active (202-212).

use alloc::boxed::Box;

use super::super::active::Active;
use super::super::env::{PairingKey, PairingSide};
use super::super::file::receive;
use super::super::file::{Incoming, Outgoing};
use super::super::input::Timer;
use super::super::limits::Verify;
use super::super::output::{Event, Output, Refusal};
use super::super::pairing::Pairing;
use super::super::state::{Context, UnitState};
use super::{ActivePhase, ActiveSession, Offered};
use crate::ids::Slot;
use crate::message::{
    Chunk, Compatibility, DumpAtHand, Engine, FileId, FileKind, JoinCall, LeaveWhy, Message,
    Payload, Redundancy, Round, Session, Stamp, Unreadable, WireVersions,
};
use crate::planted::Defect;

/// The dump on its way out, the diff on its way in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Negotiation {
    /// The dump.
    pub dump: Outgoing,
    /// What of the diff came.
    pub diff: Option<Incoming>,
}

impl Active {
    pub(super) fn on_join(
        &mut self,
        own: &UnitState,
        from: Slot,
        call: &JoinCall,
        cx: &mut Context<'_, '_>,
    ) {
        let round = Round { boot: call.boot, n: call.n };
        let current = self.peer.current.as_ref().filter(|current| current.session.round() == round);
        let known = match (self.peer.offered, current) {
            (Some(offered), _) if offered.session.round() == round => Some(offered),
            (_, Some(current)) => {
                let ActiveSession { session, slot, image, engine, bounds, wire, .. } = **current;
                Some(Offered { session, slot, image, engine, bounds, wire })
            }
            (_, None) => None,
        };
        if let Some(offered) = known {
            return Self::send_proceed(offered, self.mode.resets(), cx);
        }
        if !self.peer.is_newer(call) {
            return cx.ignore(crate::message::MessageKind::Join);
        }
        let current = self.peer.current.as_ref().map(|current| current.session.round());
        let latest = current.or(self.peer.ended).map(|round| round.boot);
        let restarted = latest.is_some_and(|boot| boot != call.boot);
        if restarted {
            // What it could have taken over with is gone.
            self.peer.replica = None;
        }
        let Some(wire) = WireVersions::OURS.common(call.wire) else {
            return cx.ignore(crate::message::MessageKind::Join);
        };
        let other = self.peer.software;
        if other.is_some_and(|other| other != (call.image, call.engine)) {
            self.mode.begin_anew();
        } else if self.mode.redundancy() == Redundancy::Simplex {
            return cx.ignore(crate::message::MessageKind::Join);
        } else if restarted {
            self.mode.try_once_more(cx.env.limits.max_attempts);
        } else {
            // Its Standby has left the session.
            self.count_attempt(LeaveWhy::Over, cx);
        }
        if self.mode.is_pausing() && !cx.env.planted(Defect::AttemptsUnpaced) {
            return cx.ignore(crate::message::MessageKind::Join);
        }
        self.mode.learn_resets(call.resets);
        let session = Session::from((self.term, own.boot, round));
        let offered = Offered {
            session,
            slot: from,
            image: call.image,
            engine: call.engine,
            bounds: call.bounds,
            wire,
        };
        self.peer.offered = Some(offered);
        Self::send_proceed(offered, self.mode.resets(), cx);
        cx.set(Timer::Resend);
    }

    pub(super) fn send_proceed(offered: Offered, resets: u32, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, wire, .. } = offered;
        let dump = cx.env.software.dump();
        let (dump_size, dump) = (dump.len() as u64, dump.digest());
        let image = cx.env.software.digest();
        cx.send(
            slot,
            Message::Proceed {
                session,
                wire,
                image,
                dump_size,
                dump,
                resets,
                engine: Engine::OURS,
                bounds: cx.env.limits.bounds(),
            },
        );
    }

    /// The offered session is taken: the former one is over, and the register is cleared first.
    pub(super) fn on_ready(
        &mut self,
        session: Session,
        have: DumpAtHand,
        replica: Option<Stamp>,
        cx: &mut Context<'_, '_>,
    ) {
        if let Some(current) = self.peer.current.as_ref().filter(|c| c.session == session) {
            let (slot, compatible) = (current.slot, self.is_compatible());
            cx.set(Timer::Watchdog);
            if compatible {
                cx.send(slot, current.verdict(cx));
            }
            return self.resend_phase(cx);
        }
        let Some(offered) = self.peer.offered.filter(|offered| offered.session == session) else {
            return cx.ignore(crate::message::MessageKind::Ready);
        };
        self.end_current(LeaveWhy::Over, cx);
        self.peer.offered = None;
        self.peer.leaving = None;
        self.peer.replica = replica;
        self.peer.software = Some((offered.image, offered.engine));
        self.mode.end_pause();
        cx.cancel(&[Timer::Pace]);
        let dump = || {
            Outgoing::new(
                FileId { kind: FileKind::Dump, ordinal: 0 },
                cx.env.software.dump().clone(),
            )
        };
        let phase = match have {
            DumpAtHand::SameImage => ActivePhase::Config,
            DumpAtHand::AtHand => ActivePhase::Diff(None),
            DumpAtHand::Needed => ActivePhase::Dump(Negotiation { dump: dump(), diff: None }),
        };
        let slot = offered.slot;
        self.peer.current = Some(Box::new(ActiveSession::new(offered, phase)));
        cx.event(Event::SessionBegan(session));
        for timer in [Timer::Watchdog, Timer::Keepalive, Timer::Deadline, Timer::Resend] {
            cx.set(timer);
        }
        self.clear_register(cx);
        self.end_drain(Refusal::LeftHot, cx);
        match have {
            DumpAtHand::SameImage => {
                if let Some(current) = &self.peer.current {
                    cx.send(slot, current.verdict(cx));
                }
            }
            DumpAtHand::Needed => {
                if let Some(current) = &mut self.peer.current
                    && let ActivePhase::Dump(Negotiation { dump, .. }) = &mut current.phase
                {
                    for chunk in dump.next(cx.env.limits) {
                        cx.send(slot, Message::Chunk { session, chunk });
                    }
                }
            }
            DumpAtHand::AtHand => {}
        }
    }

    /// Whether the Standby may still be waiting for Compatible.
    pub(super) fn is_compatible(&self) -> bool {
        matches!(self.peer.phase(), Some(ActivePhase::Config | ActivePhase::Bulk(_)))
    }

    pub(super) fn on_diff_chunk(
        &mut self,
        own: &mut UnitState,
        chunk: &Chunk,
        cx: &mut Context<'_, '_>,
    ) {
        if chunk.file.kind != FileKind::Diff || chunk.size > cx.env.limits.max_file {
            return cx.ignore(crate::message::MessageKind::Diff);
        }
        let compatible = self.is_compatible();
        let Some(current) = &mut self.peer.current else {
            return;
        };
        let (session, slot) = (current.session, current.slot);
        if compatible || current.phase == ActivePhase::Held {
            // The answer to the diff was lost.
            return cx.send(slot, current.verdict(cx));
        }
        let diff = match &mut current.phase {
            ActivePhase::Dump(Negotiation { diff, .. }) | ActivePhase::Diff(diff) => diff,
            // The driver is at it, or the Standby has its answer.
            ActivePhase::Pairing
            | ActivePhase::Config
            | ActivePhase::Bulk(_)
            | ActivePhase::Held
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. } => return,
        };
        let file = diff.get_or_insert_with(|| Incoming::new(chunk.file, chunk.size, chunk.digest));
        let Some(bytes) = receive(file, chunk, session, slot, cx) else {
            return;
        };
        let key = PairingKey {
            side: PairingSide::Active,
            own: cx.env.software.digest(),
            peer: current.image,
            received: bytes.digest(),
        };
        current.pairing = Some(key);
        current.phase = ActivePhase::Pairing;
        if own.paired.contains(&key) {
            self.on_paired(own, key, cx);
        } else {
            cx.out.push(Output::Pair { key, bytes });
        }
    }

    /// The driver has made dispositions.
    pub(in crate::unit) fn on_paired(
        &mut self,
        own: &mut UnitState,
        key: PairingKey,
        cx: &mut Context<'_, '_>,
    ) {
        let used_up = self.mode.is_used_up(cx);
        let Some(current) = &mut self.peer.current else {
            return;
        };
        if current.phase != ActivePhase::Pairing || current.pairing != Some(key) {
            return;
        }
        let slot = current.slot;
        let verdict = current.verdict(cx);
        let made = (cx.env.pairings)(&key).is_some_and(|pairing| pairing.verdict().is_some());
        if made {
            own.remember(key);
        } else {
            cx.event(Event::Unreadable(Unreadable::here(Payload::Diff, None)));
            if !used_up {
                return self.leave(LeaveWhy::Unreadable, cx);
            }
        }
        if let Message::Compatible { .. } = verdict {
            current.phase = ActivePhase::Config;
        } else {
            current.phase = ActivePhase::Held;
            cx.cancel(&[Timer::Deadline]);
        }
        cx.send(slot, verdict);
    }
}

impl ActiveSession {
    /// Whether the images can be synchronised, as the Standby is told: of the same image, and of a
    /// pairing that could not be made, too.
    pub(super) fn verdict(&self, cx: &Context<'_, '_>) -> Message {
        let session = self.session;
        let made = match &self.pairing {
            None if self.phase == ActivePhase::Held => None,
            None => Some((Compatibility::Comp, Compatibility::Comp, 0)),
            Some(key) => (cx.env.pairings)(key).and_then(Pairing::verdict),
        };
        match made {
            Some((compatibility, strict, _))
                if cx.env.limits.verify == Verify::Configured
                    || strict != Compatibility::Incomp =>
            {
                Message::Compatible { session, compatibility }
            }
            Some((_, _, stuck)) => Message::Incompatible { session, stuck },
            None => Message::Incompatible { session, stuck: 0 },
        }
    }
}
