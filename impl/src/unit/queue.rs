//! Commands that wait: for the end of a drain, for room, or for a role that is handed back
//! (PROTOCOL.md, sections 5 and 6).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::input::Command;
use super::output::{Outcome, Refusal};
use super::state::Context;
use crate::planted::Defect;

/// Commands in the order in which they came; at most `max_queue`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    waits: VecDeque<Command>,
}

impl From<Vec<Command>> for Queue {
    fn from(waits: Vec<Command>) -> Self {
        Self { waits: waits.into() }
    }
}

impl Queue {
    /// A command waits, if there is room.
    pub(super) fn push(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        let most = cx.env.limits.max_queue as usize;
        let bounded = !cx.env.planted(Defect::QueueUnbounded);
        if self.waits.len() >= most && bounded {
            return cx.answer(command.id, Outcome::Refused(Refusal::QueueFull));
        }
        self.waits.push_back(command);
        debug_assert!(!self.is_empty(), "it waits");
        debug_assert!(self.waits.len() <= most || !bounded, "what waits is bounded");
    }

    /// Takes the command that has waited longest.
    pub(super) fn pop(&mut self) -> Option<Command> {
        self.waits.pop_front()
    }

    /// Takes all that waits.
    pub(super) fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Nothing of what waited was executed.
    pub(super) fn refuse(self, why: &Refusal, cx: &mut Context<'_, '_>) {
        for command in self.waits {
            cx.answer(command.id, Outcome::Refused(why.clone()));
        }
    }

    /// The role is elsewhere.
    pub(super) fn refuse_moved(self, cx: &mut Context<'_, '_>) {
        if !cx.env.planted(Defect::MovedUnanswered) {
            self.refuse(&Refusal::Moved, cx);
        }
    }

    /// What waits, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Command> {
        self.waits.iter()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }
}
