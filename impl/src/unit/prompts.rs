//! Prompts of `acked` commands, at the Active: held until the Standby has the change, or until the
//! arbiter knows that no Standby is eligible (PROTOCOL.md, sections 2 and 5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::active::Active;
use super::input::Timer;
use super::output::{Copies, Outcome};
use super::state::Context;
use crate::digest::Shared;
use crate::ids::{CommandId, Lsn};
use crate::message::LeaveWhy;

/// A command that waits for the Standby.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prompt {
    /// The command.
    pub id: CommandId,
    /// How it was executed.
    pub change: PromptKind,
}

/// What a command that waits did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromptKind {
    /// It made the LSN that it waits for.
    Made {
        /// The part that is not on the Standby.
        listed: Vec<Shared<str>>,
    },
    /// Its words stood in the config already.
    Nothing,
}

/// What waited when the timer Ack was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckMark {
    /// The newest LSN that a prompt waited for.
    pub held: Option<Lsn>,
    /// How many of the commands that waited for room still do.
    pub queued: usize,
}

impl Active {
    pub(super) fn hold(&mut self, lsn: Lsn, prompt: Prompt, cx: &mut Context<'_, '_>) {
        let first = self.prompts.is_empty();
        self.prompts.entry(lsn).or_default().push(prompt);
        if self.is_clearing() {
            if first {
                cx.set(Timer::Prompt);
            }
        } else if self.ack_mark.is_none() {
            self.mark_prompts(cx);
        }
    }

    /// Arms the timer Ack for what the Standby keeps waiting now: prompts, and commands for room.
    pub(super) fn mark_prompts(&mut self, cx: &mut Context<'_, '_>) {
        let held = self.prompts.last_key_value().map(|(lsn, _)| *lsn);
        let queued = if self.waits_for_room() { self.queue.len() } else { 0 };
        let waits = self.awaits_standby() && (held.is_some() || queued > 0);
        self.ack_mark = waits.then_some(AckMark { held, queued });
        if waits {
            cx.set(Timer::Ack);
        }
    }

    /// Whether commands wait for room.
    pub(super) fn waits_for_room(&self) -> bool {
        self.drain.is_none() && !self.queue.is_empty()
    }

    /// Half of `ack_timeout`: what waited then and waits still has waited long enough.
    pub(super) fn on_ack_timeout(&mut self, cx: &mut Context<'_, '_>) {
        let Some(mark) = self.ack_mark.take() else {
            return;
        };
        let oldest = self.prompts.first_key_value().map(|(lsn, _)| *lsn);
        let held = oldest.is_some_and(|oldest| Some(oldest) <= mark.held);
        let queued = self.waits_for_room() && mark.queued > 0;
        if self.awaits_standby() && (held || queued) {
            self.leave(LeaveWhy::AckTimeout, cx);
        } else {
            self.mark_prompts(cx);
        }
    }

    /// The Confirm of a clear did not come, though the lease goes on: the register may still be
    /// set, so that nothing else may be said of what waits for it.
    pub(super) fn on_prompt_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if !self.is_clearing() {
            return;
        }
        for prompt in core::mem::take(&mut self.prompts).into_values().flatten() {
            cx.answer(prompt.id, Outcome::Unknown);
        }
    }

    /// Prompts up to `acked` are in two memories.
    pub(super) fn return_replicated(&mut self, acked: Lsn, cx: &mut Context<'_, '_>) {
        let later = self.prompts.split_off(&Lsn(acked.0 + 1));
        let done = core::mem::replace(&mut self.prompts, later);
        self.answer_held(done, Copies::Replicated, cx);
        let over = self.prompts.is_empty() && !self.waits_for_room();
        if over && self.ack_mark.take().is_some() {
            cx.cancel(&[Timer::Ack]);
        }
    }

    /// No Standby is eligible, and the arbiter knows: prompts return `local`.
    pub(super) fn return_local(&mut self, cx: &mut Context<'_, '_>) {
        let held = core::mem::take(&mut self.prompts);
        if let Some((lsn, _)) = held.last_key_value() {
            self.unreplicated = self.unreplicated.max(*lsn);
        }
        self.answer_held(held, Copies::Local(self.local_why()), cx);
        if self.ack_mark.take().is_some() {
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
