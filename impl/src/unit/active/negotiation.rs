//! From a Join to a computed pairing, at the Active (202-212).

use super::super::env::{PairingKey, PairingSide};
use super::super::file::{Incoming, Outgoing, receive};
use super::super::input::Timer;
use super::super::output::{Event, Output, Refusal};
use super::super::peer::{ActivePhase, Negotiation, Offered};
use super::super::state::{Context, UnitState};
use super::Active;
use crate::ids::Slot;
use crate::message::{
    Chunk, DumpAtHand, Engine, FileId, FileKind, JoinCall, LeaveWhy, Message, MessageKind, Payload,
    Redundancy, Round, Session, Stamp, Unreadable, WireVersions,
};
use crate::planted::Defect;

impl Active {
    pub(super) fn on_join(
        &mut self,
        own: &UnitState,
        from: Slot,
        call: &JoinCall,
        cx: &mut Context<'_, '_>,
    ) {
        let round = Round { boot: call.boot, n: call.n };
        if let Some(offered) = self.peer.known(round) {
            return Self::send_proceed(offered, self.mode.resets(), cx);
        }
        if !self.peer.is_newer(round) {
            return cx.ignore(MessageKind::Join);
        }
        let restarted = self.peer.latest_boot().is_some_and(|boot| boot != call.boot);
        if restarted {
            // What it could have taken over with is gone.
            self.peer.forget_replica();
        }
        let Some(wire) = WireVersions::OURS.common(call.wire) else {
            return cx.ignore(MessageKind::Join);
        };
        let other = self.peer.software();
        if other.is_some_and(|other| other != (call.image, call.engine)) {
            self.mode.begin_anew();
        } else if self.mode.redundancy() == Redundancy::Simplex {
            return cx.ignore(MessageKind::Join);
        } else if restarted {
            self.mode.try_once_more(cx.env.limits.max_attempts);
        } else {
            // Its Standby has left the session.
            self.count_attempt(LeaveWhy::Over, cx);
        }
        if self.mode.is_pausing() && !cx.env.planted(Defect::AttemptsUnpaced) {
            return cx.ignore(MessageKind::Join);
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
        self.peer.offer(offered);
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
        if let Some(current) = self.peer.current_mut().filter(|c| c.session() == session) {
            cx.set(Timer::Watchdog);
            if current.phase().awaits_snapshot() {
                cx.send(current.slot(), current.verdict(cx));
            }
            return current.resend(cx);
        }
        if self.peer.offered().is_none_or(|offered| offered.session != session) {
            return cx.ignore(MessageKind::Ready);
        }
        self.end_current(LeaveWhy::Over, cx);
        self.mode.end_pause();
        cx.cancel(&[Timer::Pace]);
        let dump = || {
            let id = FileId { kind: FileKind::Dump, ordinal: 0 };
            Outgoing::new(id, cx.env.software.dump().clone())
        };
        let phase = match have {
            DumpAtHand::SameImage => ActivePhase::Config,
            DumpAtHand::AtHand => ActivePhase::Diff(None),
            DumpAtHand::Needed => ActivePhase::Dump(Negotiation { dump: dump(), diff: None }),
        };
        self.peer.begin(phase, replica);
        cx.event(Event::SessionBegan(session));
        for timer in [Timer::Watchdog, Timer::Keepalive, Timer::Deadline, Timer::Resend] {
            cx.set(timer);
        }
        self.clear_register(cx);
        self.end_drain(Refusal::LeftHot, cx);
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        match have {
            DumpAtHand::SameImage => cx.send(current.slot(), current.verdict(cx)),
            DumpAtHand::Needed => current.send_dump(cx),
            DumpAtHand::AtHand => {}
        }
    }

    pub(super) fn on_diff_chunk(
        &mut self,
        own: &mut UnitState,
        chunk: &Chunk,
        cx: &mut Context<'_, '_>,
    ) {
        if chunk.file.kind != FileKind::Diff || chunk.size > cx.env.limits.max_file {
            return cx.ignore(MessageKind::Diff);
        }
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        let (session, slot, peer) = (current.session(), current.slot(), current.image());
        if current.phase().awaits_snapshot() || *current.phase() == ActivePhase::Held {
            // The answer to the diff was lost.
            return cx.send(slot, current.verdict(cx));
        }
        let Some(diff) = current.diff() else {
            return;
        };
        let file = diff.get_or_insert_with(|| Incoming::new(chunk.file, chunk.size, chunk.digest));
        let Some(bytes) = receive(file, chunk, session, slot, cx) else {
            return;
        };
        let key = PairingKey {
            side: PairingSide::Active,
            own: cx.env.software.digest(),
            peer,
            received: bytes.digest(),
        };
        current.pair(key);
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
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        if *current.phase() != ActivePhase::Pairing || current.pairing() != Some(&key) {
            return;
        }
        let slot = current.slot();
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
            current.enter(ActivePhase::Config);
        } else {
            current.enter(ActivePhase::Held);
            cx.cancel(&[Timer::Deadline]);
        }
        cx.send(slot, verdict);
    }
}
