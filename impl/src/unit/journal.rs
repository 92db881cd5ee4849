//! The journal, at the Active: changes that the Standby lacks, as lines in a window (PROTOCOL.md,
//! sections 2 and 5).
//!
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::vec::Vec;

use super::active::Active;
use super::breach::{Breach, of_cause, of_refused};
use super::peer::{ActivePhase, ActiveSession};
use super::sender::{StuckLine, WireChange};
use super::state::Context;
use crate::digest::Digest;
use crate::ids::Lsn;
use crate::message::{Bytes, LeaveWhy, Message, Mismatch, OnMismatch, Stamp};
use crate::policy::{Cause, SyncPhase};

/// A change in the journal: computed once, when the command executes; sent as often as needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalEntry {
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
    /// Enters the change into the journal and sends what the window admits; true on overflow.
    pub(super) fn journal(
        &mut self,
        step: WireChange,
        fits: bool,
        cx: &mut Context<'_, '_>,
    ) -> bool {
        let stays = of_cause(SyncPhase::Line, Cause::Prc, cx).stays();
        let on_mismatch = if stays { OnMismatch::List } else { OnMismatch::LeaveHot };
        let Some(current) = &mut self.peer.current else {
            return false;
        };
        let WireChange { sender, difference, listing, .. } = step;
        let entry = JournalEntry { difference, listing, digest: sender.digest(), on_mismatch };
        current.sender = Some(sender);
        if matches!(current.phase, ActivePhase::Rejected { .. }) {
            self.note_hindrance(cx);
            return false;
        }
        current.journal.insert(self.last, entry);
        if current.phase.sends_lines() && fits {
            current.send_lines(cx);
        }
        current.journal.len() > cx.env.limits.max_journal as usize
    }

    /// The Standby has applied up to `lsn`.
    pub(super) fn on_applied(
        &mut self,
        lsn: Lsn,
        digest: Digest,
        held: Option<(&[Mismatch], u32)>,
        cx: &mut Context<'_, '_>,
    ) {
        let (last, phase) = (self.last, SyncPhase::Line);
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
            let action = of_cause(phase, Cause::Verification, cx);
            if !action.stays() {
                let breach = Breach::Lines { phase, why: LeaveWhy::DigestMismatch, by: None };
                return self.leave_by(action, breach, cx);
            }
        }
        let severe = of_refused(phase, &new, more, cx);
        if held.is_some() {
            current.held_out = mismatches.iter().map(|each| each.line.clone()).collect();
            current.held_further = further;
        }
        current.acked = lsn;
        self.peer.replica = Some(Stamp { term: self.term, lsn });
        current.acked_digest = expected;
        current.journal = current.journal.split_off(&Lsn(lsn.0 + 1));
        current.send_lines(cx);
        if let Some(action) = severe {
            let breach = Breach::Lines { phase, why: LeaveWhy::PrcMismatch, by: None };
            self.leave_by(action, breach, cx);
        }
    }
}

impl ActiveSession {
    /// How many lines the Standby does not hold: those that are stuck, and those that it refused.
    pub(super) fn listed(&self, cx: &Context<'_, '_>) -> u32 {
        (self.held_out.len() + self.stuck(cx).len()) as u32 + self.held_further
    }

    /// The lines of the Active's config that cannot go.
    pub(super) fn stuck(&self, cx: &Context<'_, '_>) -> Vec<StuckLine> {
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

    fn send_line(&self, lsn: Lsn, entry: &JournalEntry, cx: &mut Context<'_, '_>) {
        let JournalEntry { difference, listing, on_mismatch, .. } = entry.clone();
        let session = self.session;
        let line = Message::Line { session, lsn, difference, on_mismatch, listing };
        cx.send(self.slot, line);
    }
}
