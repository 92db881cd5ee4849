//! Lines, at the Active: a change goes into the journal, and the Standby says how far it is
//! (PROTOCOL.md, sections 2 and 5).
//!
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::vec::Vec;

use super::super::breach::{Breach, of_cause, of_refused};
use super::super::journal::JournalEntry;
use super::super::sender::WireChange;
use super::super::state::Context;
use super::Active;
use crate::digest::Digest;
use crate::ids::Lsn;
use crate::message::{LeaveWhy, Mismatch, OnMismatch, Stamp};
use crate::policy::{Cause, SyncPhase};

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
        let Some(current) = self.peer.current_mut() else {
            return false;
        };
        let WireChange { sender, difference, listing, .. } = step;
        let entry = JournalEntry { difference, listing, digest: sender.digest(), on_mismatch };
        current.append(self.last, sender, entry);
        if current.is_rejected() {
            self.note_hindrance(cx);
            return false;
        }
        if current.phase().sends_lines() && fits {
            current.send_lines(cx);
        }
        current.journal().len() > cx.env.limits.max_journal as usize
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
        let Some(current) = self.peer.current() else {
            return;
        };
        if !current.phase().sends_lines() || lsn < current.acked() || lsn > last {
            return;
        }
        let expected = current.journal().digest_at(lsn);
        let (mismatches, further) = held.unwrap_or_default();
        let is_new = |each: &&Mismatch| !current.held_out().contains(&each.line);
        let new: Vec<Mismatch> = mismatches.iter().filter(is_new).cloned().collect();
        let more = further > current.held_further();
        if expected != digest && new.is_empty() && !more {
            let action = of_cause(phase, Cause::Verification, cx);
            if !action.stays() {
                let breach = Breach::Lines { phase, why: LeaveWhy::DigestMismatch, by: None };
                return self.leave_by(action, breach, cx);
            }
        }
        let severe = of_refused(phase, &new, more, cx);
        self.peer.note_replica(Stamp { term: self.term, lsn });
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        if held.is_some() {
            current.note_held_out(mismatches, further);
        }
        current.acknowledge(lsn);
        current.send_lines(cx);
        if let Some(action) = severe {
            let breach = Breach::Lines { phase, why: LeaveWhy::PrcMismatch, by: None };
            self.leave_by(action, breach, cx);
        }
    }
}
