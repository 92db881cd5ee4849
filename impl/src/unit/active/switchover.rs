//! Planned and forced switchover, at the Active (PROTOCOL.md, section 6).

use super::super::drain::Drain;
use super::super::input::Timer;
use super::super::output::{Outcome, Refusal};
use super::super::state::Context;
use super::{Active, Releasing};
use crate::ids::CommandId;
use crate::message::Eligible;
use crate::planted::Defect;

impl Active {
    /// An operator asks for a planned switchover. Refused unless the Standby is eligible.
    pub(super) fn on_switchover(&mut self, id: CommandId, cx: &mut Context<'_, '_>) {
        if self.drains() || self.saves() {
            return Self::refuse_busy(id, cx);
        }
        if !self.is_hot() {
            return cx.answer(id, Outcome::Refused(Refusal::NotEligible));
        }
        self.drain = Some(Drain::new(id));
        cx.set(Timer::Drain);
        self.progress(cx);
    }

    /// An operator asks for a switchover without a drain: what is not answered is `unknown`.
    pub(super) fn on_forced(&mut self, id: CommandId, cx: &mut Context<'_, '_>) {
        if !self.is_hot() {
            return cx.answer(id, Outcome::Refused(Refusal::NotEligible));
        }
        cx.answer(id, Outcome::Released);
        self.releasing = Releasing::Yes;
    }

    /// Whether the register is confirmed for the session that is hot.
    pub(in crate::unit) fn is_hot(&self) -> bool {
        self.peer.is_hot() && self.register.is_set()
    }

    /// Releases the role once all prompts have returned and the register says (session, last).
    pub(super) fn progress_drain(&mut self, cx: &mut Context<'_, '_>) {
        let hot = self.peer.is_hot();
        let last = self.last;
        let Some(current) = self.peer.current() else {
            return;
        };
        let Some(drain) = &mut self.drain else { return };
        if cx.env.planted(Defect::DrainUnawaited) {
            self.releasing = Releasing::Yes;
            return;
        }
        if !hot || current.acked() < last || !self.prompts.is_empty() {
            return;
        }
        let said = self.register.value().is_some_and(|eligible| eligible.lsn == last);
        match (said, self.register.is_open()) {
            (true, false) => self.releasing = Releasing::Yes,
            (true | false, true) => {}
            (false, false) => {
                drain.write_second();
                let (session, slot) = (current.session(), current.slot());
                self.write_register(Some(Eligible { session, slot, lsn: last }), cx);
            }
        }
    }

    /// The drain took too long: nothing was released.
    pub(super) fn on_drain_timeout(&mut self, cx: &mut Context<'_, '_>) {
        self.end_drain(Refusal::DrainTimeout, cx);
    }

    /// The drain ends without a switchover: what waited is executed at the end of the step.
    pub(super) fn end_drain(&mut self, why: Refusal, cx: &mut Context<'_, '_>) {
        let Some(drain) = self.drain.take() else {
            return;
        };
        cx.cancel(&[Timer::Drain]);
        drain.end(Outcome::Refused(why), cx);
    }
}
