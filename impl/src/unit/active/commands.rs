//! Commands, at the Active: translated, executed and numbered in one step, or refused whole
//! (PROTOCOL.md, sections 2 and 5).
//!
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::vec::Vec;

use super::super::breach::{Breach, dropped, hindering, of_stuck};
use super::super::input::{Command, Durability};
use super::super::output::{Copies, Event, LocalWhy, Outcome, Refusal};
use super::super::prompts::{Prompt, PromptKind};
use super::super::running::{Edits, Executed};
use super::super::sender::WireChange;
use super::super::state::Context;
use super::Active;
use crate::digest::Shared;
use crate::ids::Lsn;
use crate::message::{LeaveWhy, Redundancy, Stamp};
use crate::planted::Defect;
use crate::policy::{Action, SyncPhase};
use crate::translate::complement::ByWords;

impl Active {
    /// A command: executed, or it waits behind others.
    pub(in crate::unit) fn on_command(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        if self.queue.is_empty() && self.executes(cx) {
            return self.execute(command, cx);
        }
        self.queue.push(command, cx);
    }

    /// Translated, executed and numbered in one step, or refused and nothing left.
    pub(super) fn execute(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        if command.text.len() > cx.env.limits.max_batch as usize {
            return cx.answer(command.id, Outcome::Refused(Refusal::TooLarge));
        }
        let (after, edits) = match self.config.execute(cx.env.software, &command.text) {
            Err(mismatch) => {
                #[cfg(feature = "planted")]
                self.keep_half(&command.text, cx);
                return cx.answer(command.id, Outcome::Refused(Refusal::Line(mismatch)));
            }
            Ok(Executed::Unchanged) => return self.on_unchanged(&command, cx),
            Ok(Executed::Changed(after, edits)) => (after, edits),
        };
        let step = self.translate(&edits, cx);
        let stuck = step.as_ref().map(|step| &*step.stuck).unwrap_or_default();
        let action = of_stuck(SyncPhase::Line, stuck, cx);
        // A pair that is in a lesser mode already falls no further for it.
        let action = match action {
            Some(Action::ResetStandby | Action::Degrade) if self.mode.is_lesser() => None,
            Some(Action::Simplex) if self.mode.redundancy() == Redundancy::Simplex => None,
            other => other,
        };
        if action == Some(Action::Refuse) {
            let line = stuck.first().map_or_else(|| Shared::text(""), |each| each.line.clone());
            return cx.answer(command.id, Outcome::Refused(Refusal::Policy { line }));
        }
        let hindering = hindering(stuck, cx);
        self.mode.add_hindering(&hindering);
        let listed = dropped(stuck);
        self.last = Lsn(self.last.0 + 1);
        self.config = after;
        if !edits.discarded.is_empty() {
            let lost = edits.discarded.values().flat_map(|complement| &complement.lost);
            cx.event(Event::Discarded { lines: lost.map(ByWords::placed).collect() });
        }
        let fits = step.as_ref().is_none_or(|step| self.fits(step));
        let full = step.is_some_and(|step| self.journal(step, fits, cx));
        self.answer_change(&command, listed, cx);
        if !fits {
            self.exceed(SyncPhase::Line, LeaveWhy::Bound, cx);
            self.leave(LeaveWhy::Bound, cx);
        } else if full {
            self.leave(LeaveWhy::JournalFull, cx);
        } else if let Some(action) = action {
            let (phase, why, by) = (SyncPhase::Line, LeaveWhy::Stuck, Some(hindering));
            self.leave_by(action, Breach::Lines { phase, why, by }, cx);
        }
    }

    /// What the change is on the wire, if a translation is kept.
    fn translate(&self, edits: &Edits, cx: &Context<'_, '_>) -> Option<WireChange> {
        let current = self.peer.current()?;
        let stamp = Stamp { term: self.term, lsn: Lsn(self.last.0 + 1) };
        let sender = current.sender()?;
        sender.edit(cx.env, current.pairing(), edits, stamp)
    }

    /// Whether the Standby takes a change: its Line, and the listing after it.
    fn fits(&self, step: &WireChange) -> bool {
        self.peer.current().is_none_or(|current| {
            let bytes = step.difference.len() + step.listing.len();
            current.is_rejected()
                || bytes <= current.bounds().line as usize && step.sender.fits(current.bounds())
        })
    }

    fn answer_change(
        &mut self,
        command: &Command,
        listed: Vec<Shared<str>>,
        cx: &mut Context<'_, '_>,
    ) {
        let (term, lsn) = (self.term, self.last);
        if self.waits(command.durability) {
            let prompt = Prompt { id: command.id, change: PromptKind::Made { listed } };
            return self.hold(lsn, prompt, cx);
        }
        let why = match command.durability {
            Durability::Async => LocalWhy::Async,
            Durability::Acked => {
                self.prompts.note_local(lsn);
                self.local_why()
            }
        };
        let place = Copies::Local(why);
        cx.answer(command.id, Outcome::Done { term, lsn, place, listed });
    }

    /// The words stood there already: under `acked` the answer waits as the last LSN does.
    fn on_unchanged(&mut self, command: &Command, cx: &mut Context<'_, '_>) {
        if self.waits(command.durability) {
            let prompt = Prompt { id: command.id, change: PromptKind::Nothing };
            self.hold(self.last, prompt, cx);
            return;
        }
        let why = match command.durability {
            Durability::Async => LocalWhy::Async,
            Durability::Acked => self.local_why(),
        };
        cx.answer(command.id, Outcome::Unchanged { place: Copies::Local(why) });
    }

    /// Why an `acked` change is here only.
    pub(super) fn local_why(&self) -> LocalWhy {
        match self.peer.replica() {
            Some(from) => LocalWhy::ReSyncing { from },
            None => LocalWhy::NoHotStandby,
        }
    }

    /// Whether a command is executed now: there is no drain, and there is room: while the pair is
    /// hot, or about to be, the Standby is not further behind than the window, and no more prompts
    /// are held than may be.
    pub(super) fn executes(&self, cx: &Context<'_, '_>) -> bool {
        let limits = cx.env.limits;
        let far = self.peer.current().is_some_and(|current| {
            let outstanding = self.last.0 - current.acked().0;
            current.phase().holds_prompts() && outstanding >= u64::from(limits.hot_window)
        });
        let counts = !cx.env.planted(Defect::PromptsUncounted);
        let many = counts && self.held() >= limits.max_prompts as usize;
        self.drain.is_none() && !far && !many
    }

    /// Whether the prompt of an executed command waits.
    pub(super) fn waits(&self, durability: Durability) -> bool {
        durability == Durability::Acked && self.holds_prompts()
    }
}
