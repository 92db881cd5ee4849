//! Commands and line-by-line sync, at the Active (PROTOCOL.md, sections 2 and 5).
//!
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::vec::Vec;

use super::active::{AckMark, Active, Change, Prompt};
use super::bulk::{dropped, severest};
use super::input::{Command, Timer};
use super::output::{Event, LocalWhy, Outcome, Place, Refusal};
use super::peer::{ActiveSession, Phase};
use super::replica::{Edits, Executed, Step, Stuck};
use super::state::Context;
use crate::digest::{Digest, Shared};
use crate::ids::Lsn;
use crate::message::{Bytes, Eligible, LeaveWhy, Message, Mismatch, OnMismatch, Redundancy, Stamp};
use crate::planted::Defect;
use crate::policy::{self, Action, Cause, Question};

/// A change in the journal: computed once, when the command executes; sent as often as needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Difference of the wire config.
    pub difference: Bytes,
    /// Changes of MCL and complements.
    pub listing: Bytes,
    /// Wire digest after it.
    pub digest: Digest,
    /// What the Standby does if it does not execute.
    pub on_mismatch: OnMismatch,
}

impl Active {
    /// A command: executed, or it waits behind others.
    pub(super) fn on_command(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        if self.queue.is_empty() && self.executes(cx) {
            return self.execute(command, cx);
        }
        super::holder::enqueue(&mut self.queue, command, cx);
    }

    /// Translated, executed and numbered in one step, or refused and nothing left.
    pub(super) fn execute(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        if command.text.len() > cx.env.limits.max_batch as usize {
            return cx.answer(command.id, Outcome::Refused(Refusal::TooLarge));
        }
        let (after, edits) = match self.config.execute(cx.env.software, &command.text) {
            Err(mismatch) => {
                if cx.env.planted(Defect::RefusedHalf) {
                    self.keep_half(&command.text, cx);
                }
                return cx.answer(command.id, Outcome::Refused(Refusal::Line(mismatch)));
            }
            Ok(Executed::Unchanged) => return self.on_unchanged(&command, cx),
            Ok(Executed::Changed(after, edits)) => (after, edits),
        };
        let step = self.translate(&edits, cx);
        let stuck = step.as_ref().map(|step| &*step.stuck).unwrap_or_default();
        let action = severest(policy::Phase::Line, stuck, cx);
        // A pair that is in a lesser mode already falls no further for it.
        let action = match action {
            Some(Action::ResetStandby | Action::Degrade) if self.mode != Redundancy::Sso => None,
            Some(Action::Simplex) if self.mode == Redundancy::Simplex => None,
            other => other,
        };
        if action == Some(Action::Refuse) {
            let line = stuck.first().map_or_else(|| Shared::text(""), |each| each.line.clone());
            return cx.answer(command.id, Outcome::Refused(Refusal::Policy { line }));
        }
        let hindering = Self::hindering(stuck, cx);
        if let Some(hindrance) = &mut self.hindrance {
            hindrance.lines.extend(hindering.lines.iter().cloned());
        }
        let listed = dropped(stuck);
        self.last = Lsn(self.last.0 + 1);
        self.config = after;
        let fits = step.as_ref().is_none_or(|step| self.fits(step));
        let full = step.is_some_and(|step| self.journal(step, fits, cx));
        self.answer_change(&command, listed, cx);
        match action {
            _ if !fits => {
                self.bound(policy::Phase::Line, cx);
                self.leave(LeaveWhy::Bound, cx);
            }
            _ if full => self.leave(LeaveWhy::JournalFull, cx),
            None => {}
            Some(Action::ResetStandby) => {
                // A restart cannot cure it: one reset, and the pair comes up in rpr.
                let why = self.reset_why(LeaveWhy::Stuck, cx);
                self.fall(Redundancy::Rpr, LeaveWhy::Stuck, Some(hindering));
                self.leave(why, cx);
            }
            Some(action) => {
                self.ends_by(action, LeaveWhy::Stuck, cx);
                if !action.stays() {
                    self.hindrance = Some(hindering);
                }
            }
        }
    }

    /// Planted: the lines before the one that is refused stay.
    fn keep_half(&mut self, text: &str, cx: &Context<'_, '_>) {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut halves = ends.rev().filter_map(|end| {
            let half = self.config.execute(cx.env.software, &text[..end]);
            match half.ok()? {
                Executed::Changed(after, _) => Some(after),
                Executed::Unchanged => None,
            }
        });
        if let Some(after) = halves.next() {
            self.config = after;
        }
    }

    /// What the change is on the wire, if a translation is kept.
    fn translate(&self, edits: &Edits, cx: &Context<'_, '_>) -> Option<Step> {
        let current = self.peer.current.as_ref()?;
        let stamp = Stamp { term: self.term, lsn: Lsn(self.last.0 + 1) };
        let sender = current.sender.as_ref()?;
        sender.edit(cx.env, current.pairing.as_ref(), edits, stamp)
    }

    /// Whether the Standby takes a change: its Line, and the listing after it.
    fn fits(&self, step: &Step) -> bool {
        self.peer.current.as_ref().is_none_or(|current| {
            let bytes = step.difference.len() + step.listing.len();
            matches!(current.phase, Phase::Rejected { .. })
                || bytes <= current.bounds.line as usize && step.sender.fits(current.bounds)
        })
    }

    /// Enters the change into the journal and sends what the window admits; true on overflow.
    fn journal(&mut self, step: Step, fits: bool, cx: &mut Context<'_, '_>) -> bool {
        let question = Question::of(policy::Phase::Line, Cause::Prc);
        let stays = cx.env.policy.action(question).stays();
        let on_mismatch = if stays { OnMismatch::List } else { OnMismatch::LeaveHot };
        let Some(current) = &mut self.peer.current else {
            return false;
        };
        let Step { sender, difference, listing, .. } = step;
        let entry = Entry { difference, listing, digest: sender.digest(), on_mismatch };
        current.sender = Some(sender);
        if matches!(current.phase, Phase::Rejected { .. }) {
            self.note_hindrance(cx);
            return false;
        }
        current.journal.insert(self.last, entry);
        if current.phase.sends_lines() && fits {
            current.send_lines(cx);
        }
        current.journal.len() > cx.env.limits.max_journal as usize
    }

    fn answer_change(
        &mut self,
        command: &Command,
        listed: Vec<Shared<str>>,
        cx: &mut Context<'_, '_>,
    ) {
        let (term, lsn) = (self.term, self.last);
        if self.waits(command.durability) {
            let prompt = Prompt { id: command.id, change: Change::Made { listed } };
            return self.hold(lsn, prompt, cx);
        }
        let why = match command.durability {
            super::Durability::Async => LocalWhy::Async,
            super::Durability::Acked => {
                self.unreplicated = lsn;
                self.local_why()
            }
        };
        let place = Place::Local(why);
        cx.answer(command.id, Outcome::Done { term, lsn, place, listed });
    }

    /// The words stood there already: under `acked` the answer waits as the last LSN does.
    fn on_unchanged(&mut self, command: &Command, cx: &mut Context<'_, '_>) {
        if self.waits(command.durability) {
            let prompt = Prompt { id: command.id, change: Change::Nothing };
            self.hold(self.last, prompt, cx);
            return;
        }
        let why = match command.durability {
            super::Durability::Async => LocalWhy::Async,
            super::Durability::Acked => self.local_why(),
        };
        cx.answer(command.id, Outcome::Unchanged { place: Place::Local(why) });
    }

    /// Why an `acked` change is here only.
    fn local_why(&self) -> LocalWhy {
        match self.peer.replica {
            Some(from) => LocalWhy::ReSyncing { from },
            None => LocalWhy::NoHotStandby,
        }
    }

    fn hold(&mut self, lsn: Lsn, prompt: Prompt, cx: &mut Context<'_, '_>) {
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

    /// The Standby has applied up to `lsn`.
    pub(super) fn on_applied(
        &mut self,
        lsn: Lsn,
        digest: Digest,
        held: Option<(&[Mismatch], u32)>,
        cx: &mut Context<'_, '_>,
    ) {
        let last = self.last;
        let Some(current) = &mut self.peer.current else {
            return;
        };
        if !current.phase.sends_lines() || lsn < current.acked || lsn > last {
            return;
        }
        let expected = match current.journal.get(&lsn) {
            Some(entry) => entry.digest,
            None => current.acked_digest,
        };
        let (mismatches, further) = held.unwrap_or_default();
        let is_new = |each: &&Mismatch| !current.held_out.contains(&each.line);
        let new: Vec<Mismatch> = mismatches.iter().filter(is_new).cloned().collect();
        let more = further > current.held_further;
        if expected != digest && new.is_empty() && !more {
            let question = Question::of(policy::Phase::Line, Cause::Verification);
            let action = cx.env.policy.action(question);
            if !action.stays() {
                return self.ends_by(action, LeaveWhy::DigestMismatch, cx);
            }
        }
        let mut severe = None;
        if more {
            let question = Question::of(policy::Phase::Line, Cause::Prc);
            severe = Some(cx.env.policy.action(question));
        }
        if held.is_some() {
            current.held_out = mismatches.iter().map(|each| each.line.clone()).collect();
            current.held_further = further;
        }
        for each in &new {
            let (component, form) = (Some(&*each.component), Some(&*each.form));
            let phase = policy::Phase::Line;
            let question = Question { phase, cause: Cause::Prc, component, form };
            severe = severe.max(Some(cx.env.policy.action(question)));
        }
        current.acked = lsn;
        self.peer.replica = Some(Stamp { term: self.term, lsn });
        current.acked_digest = expected;
        current.journal = current.journal.split_off(&Lsn(lsn.0 + 1));
        current.send_lines(cx);
        if let Some(action) = severe {
            self.ends_by(action, LeaveWhy::PrcMismatch, cx);
        }
    }

    /// The Standby says that h is applied.
    pub(super) fn on_hot_ack(&mut self, h: Lsn) {
        if let Some(current) = &mut self.peer.current
            && current.phase == Phase::HotSent
            && current.h == h
        {
            current.phase = Phase::HotAcked;
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
        if current.phase == Phase::Cold && acked >= current.h && near {
            cx.send(slot, Message::Hot { session, lsn: current.h });
            current.phase = Phase::HotSent;
            if cx.env.planted(Defect::HotWithoutAck) {
                current.phase = Phase::HotAcked;
            }
        }
        if current.phase == Phase::HotAcked && acked >= self.unreplicated {
            current.phase = Phase::Setting;
            self.write_register(Some(Eligible { session, slot, lsn: acked }), cx);
        }
        if self.is_hot() || self.peer.phase() == Some(&Phase::Hot) {
            self.return_replicated(acked, cx);
            self.progress_drain(cx);
        }
    }

    /// The register names the session: the pair is hot.
    pub(super) fn on_eligible(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        if current.phase == Phase::Setting {
            current.phase = Phase::Hot;
            let counts = !cx.env.planted(Defect::ListedUncounted);
            let listed = if counts { current.listed(cx) } else { 0 };
            cx.event(Event::Hot { listed });
            cx.cancel(&[Timer::Deadline, Timer::Backoff]);
            cx.set(Timer::Stable);
            self.send_keepalive(cx);
        }
        self.progress(cx);
    }

    /// Prompts up to `acked` are in two memories.
    fn return_replicated(&mut self, acked: Lsn, cx: &mut Context<'_, '_>) {
        let later = self.prompts.split_off(&Lsn(acked.0 + 1));
        let done = core::mem::replace(&mut self.prompts, later);
        self.answer_held(done, Place::Replicated, cx);
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
        self.answer_held(held, Place::Local(self.local_why()), cx);
        if self.ack_mark.take().is_some() {
            cx.cancel(&[Timer::Ack]);
        }
    }

    fn answer_held(
        &self,
        held: alloc::collections::BTreeMap<Lsn, Vec<Prompt>>,
        place: Place,
        cx: &mut Context<'_, '_>,
    ) {
        let term = self.term;
        for (lsn, prompts) in held {
            for Prompt { id, change } in prompts {
                let outcome = match change {
                    Change::Made { listed } => Outcome::Done { term, lsn, place, listed },
                    Change::Nothing => Outcome::Unchanged { place },
                };
                cx.answer(id, outcome);
            }
        }
    }
}

impl ActiveSession {
    /// How many lines the Standby does not hold: those that are stuck, and those that it refused.
    pub(super) fn listed(&self, cx: &Context<'_, '_>) -> u32 {
        (self.held_out.len() + self.stuck(cx).len()) as u32 + self.held_further
    }

    /// The lines of the Active's config that cannot go.
    pub(super) fn stuck(&self, cx: &Context<'_, '_>) -> Vec<Stuck> {
        let sender = self.sender.as_ref();
        let stuck = sender.map(|sender| sender.stuck(cx.env, self.pairing.as_ref()));
        stuck.unwrap_or_default()
    }

    /// Sends the lines that the window admits.
    pub(super) fn send_lines(&mut self, cx: &mut Context<'_, '_>) {
        let edge = Lsn(self.acked.0 + u64::from(cx.env.limits.line_window));
        let from = Lsn(self.sent_to.max(self.acked).0 + 1);
        if from <= edge {
            for (lsn, entry) in self.journal.range(from..=edge) {
                self.send_line(*lsn, entry, cx);
                self.sent_to = self.sent_to.max(*lsn);
            }
        }
    }

    /// Sends again the lines that are outstanding.
    pub(super) fn resend_lines(&self, cx: &mut Context<'_, '_>) {
        let first = Lsn(self.acked.0 + 1);
        if first <= self.sent_to {
            for (lsn, entry) in self.journal.range(first..=self.sent_to) {
                self.send_line(*lsn, entry, cx);
            }
        }
    }

    fn send_line(&self, lsn: Lsn, entry: &Entry, cx: &mut Context<'_, '_>) {
        let Entry { difference, listing, on_mismatch, .. } = entry.clone();
        let session = self.session;
        let line = Message::Line { session, lsn, difference, on_mismatch, listing };
        cx.send(self.slot, line);
    }
}
