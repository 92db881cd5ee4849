//! Prompts of `acked` commands, at the Active: held until the Standby has the change, or until the
//! arbiter knows that no Standby is eligible (PROTOCOL.md, sections 2 and 5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound::{Excluded, Included};

use crate::digest::Shared;
use crate::ids::{CommandId, Lsn};
use crate::message::Unraised;

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

/// The prompts that are held, and how long the Standby keeps them and others waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prompts {
    /// By the LSN that they wait for.
    held: BTreeMap<Lsn, Vec<Prompt>>,
    /// What the Standby kept waiting when the timer Ack was armed; none: it does not run.
    ack_mark: Option<AckMark>,
    /// The last LSN of an `acked` command that returned `local`.
    unreplicated: Lsn,
}

/// What waited when the timer Ack was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct AckMark {
    /// The newest LSN that a prompt waited for.
    held: Option<Lsn>,
    /// How many of the commands that waited for room still do.
    queued: usize,
}

impl From<BTreeMap<Lsn, Vec<Prompt>>> for Prompts {
    fn from(held: BTreeMap<Lsn, Vec<Prompt>>) -> Self {
        Self { held, ..Self::default() }
    }
}

impl Prompts {
    /// Holds a prompt until the Standby has this LSN. Whether it is the first.
    pub(super) fn hold(&mut self, lsn: Lsn, prompt: Prompt) -> bool {
        let first = self.held.is_empty();
        self.held.entry(lsn).or_default().push(prompt);
        debug_assert!(!self.held.is_empty(), "it is held");
        first
    }

    /// Takes the prompts that wait for no more than this LSN.
    pub(super) fn take_up_to(&mut self, lsn: Lsn) -> BTreeMap<Lsn, Vec<Prompt>> {
        let later = self.held.split_off(&Lsn(lsn.0 + 1));
        let taken = core::mem::replace(&mut self.held, later);
        debug_assert!(self.held.keys().all(|held| *held > lsn), "the rest waits for more");
        taken
    }

    /// The Standby does not raise these lines, which it did not say before: a part of the changes
    /// after `from` and up to `to`.
    pub(super) fn note_unraised(&mut self, from: Lsn, to: Lsn, lines: &[Unraised]) {
        debug_assert!(from <= to, "what it says first is of an older change");
        for prompt in self.held.range_mut((Excluded(from), Included(to))).flat_map(|(_, held)| held)
        {
            if let PromptKind::Made { listed } = &mut prompt.change {
                listed.extend(lines.iter().map(|each| each.line.clone()));
            }
        }
    }

    /// Takes all prompts.
    pub(super) fn take_all(&mut self) -> BTreeMap<Lsn, Vec<Prompt>> {
        core::mem::take(&mut self.held)
    }

    /// An `acked` command of this LSN returns `local`.
    pub(super) fn note_local(&mut self, lsn: Lsn) {
        debug_assert!(lsn >= self.unreplicated, "LSNs grow");
        self.unreplicated = lsn;
    }

    /// Notes what waits while the timer Ack runs: the prompts, and this many commands for room.
    /// Whether anything does.
    pub(super) fn mark(&mut self, queued: usize) -> bool {
        let held = self.held.last_key_value().map(|(lsn, _)| *lsn);
        let waits = held.is_some() || queued > 0;
        self.ack_mark = waits.then_some(AckMark { held, queued });
        debug_assert_eq!(self.is_marked(), waits, "a mark is of what waits");
        waits
    }

    /// The timer Ack does not run any more. Whether it did.
    pub(super) const fn unmark(&mut self) -> bool {
        self.ack_mark.take().is_some()
    }

    /// Whether the timer Ack has run for what still waits, prompts or commands for room; none: it
    /// does not run.
    pub(super) fn take_overdue(&mut self, waits_for_room: bool) -> Option<bool> {
        let mark = self.ack_mark.take()?;
        let oldest = self.held.first_key_value().map(|(lsn, _)| *lsn);
        let held = oldest.is_some_and(|oldest| Some(oldest) <= mark.held);
        Some(held || (waits_for_room && mark.queued > 0))
    }

    /// A command that waited for room is executed.
    pub(super) const fn one_less_queued(&mut self) {
        if let Some(mark) = &mut self.ack_mark {
            mark.queued = mark.queued.saturating_sub(1);
        }
    }

    /// The prompts that are held, by the LSN that they wait for.
    pub const fn held(&self) -> &BTreeMap<Lsn, Vec<Prompt>> {
        &self.held
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// How many are held.
    pub fn count(&self) -> usize {
        self.held.values().map(Vec::len).sum()
    }

    /// The last LSN of an `acked` command that returned `local`.
    pub const fn unreplicated(&self) -> Lsn {
        self.unreplicated
    }

    /// Whether the timer Ack runs.
    pub(super) const fn is_marked(&self) -> bool {
        self.ack_mark.is_some()
    }
}
