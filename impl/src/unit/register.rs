//! The eligibility register, at the Active: how a pair reaches hot (PROTOCOL.md, section 2).

use super::active::Active;
use super::input::Timer;
use super::output::Event;
use super::peer::ActivePhase;
use super::state::Context;
use crate::ids::Lsn;
use crate::message::{Eligible, Message, ToArbiter};
use crate::planted::Defect;

/// The eligibility register, as its only writer knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// Counter of the latest write.
    pub counter: u32,
    /// What it wrote; at first what the acceptance of the term wrote: none.
    pub value: Option<Eligible>,
    /// Whether the arbiter confirmed it.
    pub written: Written,
}

/// Whether the arbiter confirmed a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Written {
    /// Not yet.
    Sent,
    /// It did.
    Confirmed,
}

impl Active {
    /// Writes the register; the write counts when its Confirm comes.
    pub(super) fn write_register(&mut self, value: Option<Eligible>, cx: &mut Context<'_, '_>) {
        let counter = self.register.counter + 1;
        self.register = Register { counter, value, written: Written::Sent };
        self.send_register(cx);
        if self.is_clearing() && !self.prompts.is_empty() {
            cx.set(Timer::Prompt);
        }
    }

    pub(super) fn send_register(&self, cx: &mut Context<'_, '_>) {
        let Register { counter, value, .. } = self.register;
        cx.tell(ToArbiter::SetRegister { term: self.term, counter, value });
        cx.set(Timer::Register);
    }

    /// The arbiter names a counter: only the latest write's counts.
    pub(super) fn on_confirm(&mut self, counter: u32, cx: &mut Context<'_, '_>) {
        let latest = counter == self.register.counter || cx.env.planted(Defect::ConfirmOfAnother);
        if !latest || self.register.written == Written::Confirmed {
            cx.ignore(crate::message::MessageKind::Confirm);
            return;
        }
        self.register.written = Written::Confirmed;
        cx.cancel(&[Timer::Register, Timer::Prompt]);
        match self.register.value {
            None => self.return_local(cx),
            Some(_) => self.on_eligible(cx),
        }
    }

    /// Whether a write of none is not confirmed.
    pub(super) fn is_clearing(&self) -> bool {
        self.register.value.is_none() && self.register.written == Written::Sent
    }

    /// The Standby says that h is applied.
    pub(super) fn on_hot_ack(&mut self, h: Lsn) {
        if let Some(current) = &mut self.peer.current
            && current.phase == ActivePhase::HotSent
            && current.h == h
        {
            current.phase = ActivePhase::HotAcked;
        }
    }

    /// Does what the step made possible: the snapshot, Hot, the register, prompts, the drain.
    pub(super) fn progress(&mut self, cx: &mut Context<'_, '_>) {
        self.begin_bulk(cx);
        let last = self.last;
        let Some(current) = &mut self.peer.current else {
            return;
        };
        let (session, slot, acked) = (current.session, current.slot, current.acked);
        let outstanding = last.0 - acked.0;
        let near = outstanding <= u64::from(cx.env.limits.hot_window);
        if current.phase == ActivePhase::Cold && acked >= current.h && near {
            cx.send(slot, Message::Hot { session, lsn: current.h });
            current.phase = ActivePhase::HotSent;
            if cx.env.planted(Defect::HotWithoutAck) {
                current.phase = ActivePhase::HotAcked;
            }
        }
        if current.phase == ActivePhase::HotAcked && acked >= self.unreplicated {
            current.phase = ActivePhase::Setting;
            self.write_register(Some(Eligible { session, slot, lsn: acked }), cx);
        }
        if self.is_hot() || self.peer.phase() == Some(&ActivePhase::Hot) {
            self.return_replicated(acked, cx);
            self.progress_drain(cx);
        }
    }

    /// The register names the session: the pair is hot.
    pub(super) fn on_eligible(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        if current.phase == ActivePhase::Setting {
            current.phase = ActivePhase::Hot;
            let counts = !cx.env.planted(Defect::ListedUncounted);
            let listed = if counts { current.listed(cx) } else { 0 };
            cx.event(Event::Hot { listed });
            cx.cancel(&[Timer::Deadline, Timer::Backoff]);
            cx.set(Timer::Stable);
            self.send_keepalive(cx);
        }
        self.progress(cx);
    }
}
