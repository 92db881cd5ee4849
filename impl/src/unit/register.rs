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
    counter: u32,
    /// What it wrote; at first what the acceptance of the term wrote: none.
    value: Option<Eligible>,
    written: Written,
}

/// Whether the arbiter confirmed a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Written {
    Sent,
    Confirmed,
}

impl Register {
    /// A register that is known to hold this, by a write of this counter.
    pub const fn confirmed(counter: u32, value: Option<Eligible>) -> Self {
        Self { counter, value, written: Written::Confirmed }
    }

    /// Begins a write; it counts when its Confirm comes.
    const fn write(&mut self, value: Option<Eligible>) {
        *self = Self { counter: self.counter + 1, value, written: Written::Sent };
    }

    /// The arbiter confirms the write of this counter. Whether it is the one that is waited for.
    fn confirm(&mut self, counter: u32, cx: &Context<'_, '_>) -> bool {
        let latest = counter == self.counter || cx.env.planted(Defect::ConfirmOfAnother);
        if !latest || !self.is_open() {
            return false;
        }
        self.written = Written::Confirmed;
        debug_assert!(self.counter > 0, "what is confirmed was written");
        true
    }

    /// Counter of the latest write.
    pub const fn counter(&self) -> u32 {
        self.counter
    }

    /// What the latest write wrote.
    pub const fn value(&self) -> Option<Eligible> {
        self.value
    }

    /// Whether the latest write is not confirmed.
    pub fn is_open(&self) -> bool {
        self.written == Written::Sent
    }

    /// Whether it is confirmed to hold nothing.
    pub fn is_clear(&self) -> bool {
        self.value.is_none() && !self.is_open()
    }

    /// Whether a write of none is not confirmed.
    pub fn is_clearing(&self) -> bool {
        self.value.is_none() && self.is_open()
    }

    /// Whether it is confirmed to name a session.
    pub fn is_set(&self) -> bool {
        self.value.is_some() && !self.is_open()
    }
}

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
        let Register { counter, value, .. } = self.register;
        cx.tell(ToArbiter::SetRegister { term: self.term, counter, value });
        cx.set(Timer::Register);
    }

    /// The arbiter names a counter: only the latest write's counts.
    pub(super) fn on_confirm(&mut self, counter: u32, cx: &mut Context<'_, '_>) {
        if !self.register.confirm(counter, cx) {
            return cx.ignore(crate::message::MessageKind::Confirm);
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
        if current.phase == ActivePhase::HotAcked && acked >= self.prompts.unreplicated() {
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
