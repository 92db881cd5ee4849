//! What the Active's peer says, and how a session with it is left (PROTOCOL.md, 10.2, The Active's
//! peer).

use super::super::input::Timer;
use super::super::output::{Event, Refusal};
use super::super::peer::{ActivePhase, Leaving};
use super::super::saving::Saving;
use super::super::sender::Sender;
use super::super::state::{Context, UnitState, is_of};
use super::Active;
use crate::digest::Digest;
use crate::ids::{Lsn, Slot};
use crate::message::{
    Engine, FileId, HeldBy, LeaveWhy, Message, MessageKind, Ranges, Session, Unreadable,
};
use crate::planted::Defect;
use crate::policy::SyncPhase;

impl Active {
    /// A message from a unit, but for Proceed.
    pub(super) fn on_peer(
        &mut self,
        own: &mut UnitState,
        from: Slot,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) {
        let opens_or_ends =
            matches!(message, Message::Join(_) | Message::Ready { .. } | Message::Left { .. });
        if !opens_or_ends {
            if !self.is_current(&message, cx) {
                return cx.ignore(message.kind());
            }
            cx.set(Timer::Watchdog);
        }
        match message {
            Message::Join(call) => self.on_join(own, from, &call, cx),
            Message::Ready { session, have, replica } => self.on_ready(session, have, replica, cx),
            Message::Left { session } => self.on_left(session, cx),
            Message::Have { file, ranges, .. } => self.on_have(file, ranges, cx),
            Message::Chunk { chunk, .. } => self.on_diff_chunk(own, &chunk, cx),
            Message::BulkDone { lsn, missing, digest, .. } => {
                self.on_bulk_done(lsn, &missing, digest, cx);
            }
            Message::Applied { lsn, digest, missing, .. } => {
                self.on_applied(lsn, digest, &missing, cx);
            }
            Message::Keepalive { lsn, digest, .. } => {
                let says = lsn > Lsn(0) || digest != Digest::default();
                if says {
                    self.on_alive(lsn, digest, cx);
                }
            }
            Message::HotAck { lsn, .. } => self.on_hot_ack(lsn),
            Message::Saved { session, save, result } => self.on_saved(session, save, result, cx),
            Message::Unreadable { lsn, why, .. } => self.on_unreadable(lsn, why, cx),
            Message::Down { why, .. } => self.on_down(why, cx),
            // What an Active says, or the arbiter, no Standby says.
            Message::Proceed { .. }
            | Message::Compatible { .. }
            | Message::Incompatible { .. }
            | Message::Config { .. }
            | Message::BulkAccept { .. }
            | Message::BulkReject { .. }
            | Message::Line { .. }
            | Message::Hot { .. }
            | Message::Leave { .. }
            | Message::Save { .. }
            | Message::ToArbiter(_)
            | Message::ToUnit(_) => cx.ignore(message.kind()),
        }
    }

    /// The Standby has left the session that was ended.
    fn on_left(&mut self, session: Session, cx: &mut Context<'_, '_>) {
        if !self.peer.left(session) {
            cx.ignore(MessageKind::Left);
        }
    }

    /// The Standby is held: it cannot be this Active's Standby.
    fn on_down(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        current.enter(ActivePhase::Held);
        cx.cancel(&[Timer::Deadline]);
        if matches!(why, LeaveWhy::Unreadable | LeaveWhy::Bound) {
            let (own, peer) = (Engine::OURS, current.engine());
            cx.event(Event::Degraded { why, own, peer });
        }
    }

    fn is_current(&self, message: &Message, cx: &Context<'_, '_>) -> bool {
        self.peer.current().is_some_and(|current| is_of(current.session(), message, cx))
    }

    fn on_have(&mut self, id: FileId, ranges: Ranges, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        let saved = self.saving.as_mut().and_then(Saving::outgoing).filter(|file| file.file == id);
        let Some(file) = current.outgoing(id).or(saved) else {
            return;
        };
        file.on_have(ranges);
        let chunks = file.next(cx.env.limits);
        current.send_chunks(chunks, cx);
    }

    /// What was not answered is sent again.
    pub(super) fn on_resend_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if let Some(offered) = self.peer.offered() {
            Self::send_proceed(offered, self.mode.resets(), cx);
        }
        if let Some(Leaving { session, slot, why }) = self.peer.leaving() {
            cx.send(slot, Message::Leave { session, why });
        }
        if let Some(current) = self.peer.current_mut() {
            current.resend(cx);
        }
        if let Some(saving) = &mut self.saving {
            saving.resend(cx);
        }
        cx.rearm_resend();
    }

    /// Says that the session is alive, and what the pair is.
    pub(super) fn send_keepalive(&self, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current() else {
            return;
        };
        let digest = current.sender().map_or(Digest::default(), Sender::digest);
        let held = if self.is_hot() { HeldBy::Register } else { HeldBy::Nobody };
        let (session, lsn) = (current.session(), self.last);
        let (mode, counter) = (self.mode.redundancy(), self.register.counter());
        let alive = Message::Keepalive { session, lsn, digest, mode, held, counter };
        cx.send(current.slot(), alive);
    }

    /// Leaves the session, clearing the register if it names it or may come to name it.
    pub(super) fn leave(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current() else {
            return;
        };
        let (session, slot) = (current.session(), current.slot());
        if !why.keeps_replica() || why == LeaveWhy::Watchdog {
            // It is dropped, or nobody knows whether the unit is there.
            self.peer.forget_replica();
        }
        if !matches!(why, LeaveWhy::Operator | LeaveWhy::Retry) {
            self.count_attempt(why, cx);
        }
        self.end_current(why, cx);
        cx.send(slot, Message::Leave { session, why });
        self.peer.leave(Leaving { session, slot, why });
        cx.set(Timer::Resend);
        self.clear_register(cx);
        self.end_drain(Refusal::LeftHot, cx);
    }

    /// The session is over; its journal goes with it.
    pub(super) fn end_current(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(session) = self.peer.end() else {
            return;
        };
        cx.cancel(&[Timer::Watchdog, Timer::Keepalive, Timer::Ack, Timer::Deadline, Timer::Stable]);
        self.prompts.unmark();
        cx.event(Event::SessionEnded { session, why });
        self.give_up_save(cx);
    }

    /// Clears the register unless it is clear; prompts stay held until that is confirmed.
    pub(super) fn clear_register(&mut self, cx: &mut Context<'_, '_>) {
        if self.register.value().is_some() && !cx.env.planted(Defect::RegisterNotCleared) {
            self.write_register(None, cx);
        } else if !self.holds_prompts() {
            self.return_local(cx);
        }
    }

    /// The phase took too long.
    pub(super) fn on_deadline_timeout(&mut self, cx: &mut Context<'_, '_>) {
        let waits = match self.peer.phase() {
            Some(ActivePhase::Hot | ActivePhase::Rejected { .. } | ActivePhase::Held) | None => {
                false
            }
            // Only the arbiter is waited for.
            Some(ActivePhase::Config | ActivePhase::Setting) => !self.register.is_open(),
            Some(
                ActivePhase::Dump(_)
                | ActivePhase::Diff(_)
                | ActivePhase::Pairing
                | ActivePhase::Bulk(_)
                | ActivePhase::Cold
                | ActivePhase::HotSent
                | ActivePhase::HotAcked,
            ) => true,
        };
        if waits {
            let lines = self.peer.phase().is_some_and(ActivePhase::sends_lines);
            let phase = if lines { SyncPhase::Line } else { SyncPhase::Bulk };
            self.exceed(phase, LeaveWhy::Deadline, cx);
            self.leave(LeaveWhy::Deadline, cx);
        }
    }

    /// The Standby cannot read the snapshot, or a Line.
    fn on_unreadable(&mut self, lsn: Lsn, why: Unreadable, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current() else {
            return;
        };
        match current.phase() {
            ActivePhase::Bulk(bulk) if bulk.lsn == lsn => {
                cx.event(Event::Unreadable(why));
                self.count_attempt(LeaveWhy::Unreadable, cx);
                if !self.mode.is_lesser() {
                    self.leave(LeaveWhy::Unreadable, cx);
                } else {
                    self.mode.end_pause();
                    cx.cancel(&[Timer::Pace]);
                    self.reject(lsn, self.lesser_verdict(), cx);
                }
            }
            &ActivePhase::Rejected { lsn: judged, verdict, why } if judged == lsn => {
                let session = current.session();
                cx.send(current.slot(), Message::BulkReject { session, lsn, verdict, why });
            }
            phase if phase.sends_lines() && lsn > current.acked() => {
                cx.event(Event::Unreadable(why));
                self.leave(LeaveWhy::Unreadable, cx);
            }
            ActivePhase::Dump(_)
            | ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Config
            | ActivePhase::Bulk(_)
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. }
            | ActivePhase::Held => {
                cx.ignore(MessageKind::Unreadable);
            }
        }
    }
}
