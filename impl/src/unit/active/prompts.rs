//! How prompts of `acked` commands are held and return (PROTOCOL.md, sections 2 and 5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::input::Timer;
use super::super::output::{Copies, Outcome};
use super::super::prompts::{Prompt, PromptKind};
use super::super::state::Context;
use super::Active;
use crate::ids::Lsn;
use crate::message::LeaveWhy;

impl Active {
    pub(super) fn hold(&mut self, lsn: Lsn, prompt: Prompt, cx: &mut Context<'_, '_>) {
        let first = self.prompts.hold(lsn, prompt);
        if self.is_clearing() {
            if first {
                cx.set(Timer::Prompt);
            }
        } else if !self.prompts.is_marked() {
            self.mark_prompts(cx);
        }
    }

    /// Arms the timer Ack for what the Standby keeps waiting now: prompts, and commands for room.
    pub(super) fn mark_prompts(&mut self, cx: &mut Context<'_, '_>) {
        let queued = if self.waits_for_room() { self.queue.len() } else { 0 };
        if !self.awaits_standby() {
            self.prompts.unmark();
        } else if self.prompts.mark(queued) {
            cx.set(Timer::Ack);
        }
    }

    /// Whether commands wait for room.
    pub(super) fn waits_for_room(&self) -> bool {
        self.drain.is_none() && !self.queue.is_empty()
    }

    /// Half of `ack_timeout`: what waited then and waits still has waited long enough.
    pub(super) fn on_ack_timeout(&mut self, cx: &mut Context<'_, '_>) {
        let Some(overdue) = self.prompts.take_overdue(self.waits_for_room()) else {
            return;
        };
        if overdue && self.awaits_standby() {
            self.leave(LeaveWhy::AckTimeout, cx);
        } else {
            self.mark_prompts(cx);
        }
    }

    /// The Confirm of a clear did not come, though the lease goes on: the register may still be
    /// set, so that nothing else may be said of what waits for it.
    pub(super) fn on_prompt_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if self.is_clearing() {
            self.return_unknown(cx);
        }
    }

    /// Nobody knows where the changes are that prompts wait for.
    pub(super) fn return_unknown(&mut self, cx: &mut Context<'_, '_>) {
        for prompt in self.prompts.take_all().into_values().flatten() {
            cx.answer(prompt.id, Outcome::Unknown);
        }
    }

    /// Prompts up to `acked` are in two memories.
    pub(super) fn return_replicated(&mut self, acked: Lsn, cx: &mut Context<'_, '_>) {
        let done = self.prompts.take_up_to(acked);
        self.answer_held(done, Copies::Replicated, cx);
        let over = self.prompts.is_empty() && !self.waits_for_room();
        if over && self.prompts.unmark() {
            cx.cancel(&[Timer::Ack]);
        }
    }

    /// No Standby is eligible, and the arbiter knows: prompts return `local`.
    pub(super) fn return_local(&mut self, cx: &mut Context<'_, '_>) {
        let held = self.prompts.take_all();
        if let Some((lsn, _)) = held.last_key_value() {
            self.prompts.note_local(self.prompts.unreplicated().max(*lsn));
        }
        self.answer_held(held, Copies::Local(self.local_why()), cx);
        if self.prompts.unmark() {
            cx.cancel(&[Timer::Ack]);
        }
    }

    fn answer_held(
        &self,
        held: BTreeMap<Lsn, Vec<Prompt>>,
        place: Copies,
        cx: &mut Context<'_, '_>,
    ) {
        let term = self.term;
        for (lsn, prompts) in held {
            for Prompt { id, change } in prompts {
                let outcome = match change {
                    PromptKind::Made { listed } => Outcome::Done { term, lsn, place, listed },
                    PromptKind::Nothing => Outcome::Unchanged { place },
                };
                cx.answer(id, outcome);
            }
        }
    }
}
