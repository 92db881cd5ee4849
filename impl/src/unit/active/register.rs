//! How a pair reaches hot: the Active writes the eligibility register, and does what a step made
//! possible (PROTOCOL.md, section 2).

use super::super::input::Timer;
use super::super::output::Event;
use super::super::peer::ActivePhase;
use super::super::state::Context;
use super::Active;
use crate::ids::Lsn;
use crate::message::{Eligible, Message, MessageKind, ToArbiter};
use crate::planted::Defect;

impl Active {
    /// Writes the register; the write counts when its Confirm comes.
    pub(super) fn write_register(&mut self, value: Option<Eligible>, cx: &mut Context<'_, '_>) {
        self.register.write(value);
        self.send_register(cx);
        if self.is_clearing() && !self.prompts.is_empty() {
            cx.set(Timer::Prompt);
        }
    }

    pub(super) fn send_register(&self, cx: &mut Context<'_, '_>) {
        let (counter, value) = (self.register.counter(), self.register.value());
        cx.tell(ToArbiter::SetRegister { term: self.term, counter, value });
        cx.set(Timer::Register);
    }

    /// The arbiter names a counter: only the latest write's counts.
    pub(super) fn on_confirm(&mut self, counter: u32, cx: &mut Context<'_, '_>) {
        if !self.register.confirm(counter, cx) {
            return cx.ignore(MessageKind::Confirm);
        }
        cx.cancel(&[Timer::Register, Timer::Prompt]);
        match self.register.value() {
            None => self.return_local(cx),
            Some(_) => self.on_eligible(cx),
        }
    }

    /// Whether a write of none is not confirmed.
    pub(super) fn is_clearing(&self) -> bool {
        self.register.is_clearing()
    }

    /// The Standby says that h is applied.
    pub(super) fn on_hot_ack(&mut self, h: Lsn) {
        if let Some(current) = self.peer.current_mut()
            && *current.phase() == ActivePhase::HotSent
            && current.h() == h
        {
            current.enter(ActivePhase::HotAcked);
        }
    }

    /// Does what the step made possible: the snapshot, Hot, the register, prompts, the drain.
    pub(super) fn progress(&mut self, cx: &mut Context<'_, '_>) {
        self.begin_bulk(cx);
        let last = self.last;
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        let (session, slot, acked) = (current.session(), current.slot(), current.acked());
        let outstanding = last.0 - acked.0;
        let near = outstanding <= u64::from(cx.env.limits.hot_window);
        if *current.phase() == ActivePhase::Cold && acked >= current.h() && near {
            cx.send(slot, Message::Hot { session, lsn: current.h() });
            current.enter(ActivePhase::HotSent);
            if cx.env.planted(Defect::HotWithoutAck) {
                current.enter(ActivePhase::HotAcked);
            }
        }
        if *current.phase() == ActivePhase::HotAcked && acked >= self.prompts.unreplicated() {
            current.enter(ActivePhase::Setting);
            self.write_register(Some(Eligible { session, slot, lsn: acked }), cx);
        }
        if self.peer.is_hot() {
            self.return_replicated(acked, cx);
            self.progress_drain(cx);
        }
    }

    /// The register names the session: the pair is hot.
    pub(super) fn on_eligible(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        if *current.phase() == ActivePhase::Setting {
            current.enter(ActivePhase::Hot);
            let counts = !cx.env.planted(Defect::ListedUncounted);
            let listed = if counts { current.listed() } else { 0 };
            cx.event(Event::Hot { listed });
            cx.cancel(&[Timer::Deadline, Timer::Backoff]);
            cx.set(Timer::Stable);
            self.send_keepalive(cx);
        }
        self.progress(cx);
    }
}
