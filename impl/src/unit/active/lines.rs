//! Lines, at the Active: a change goes into the journal, and the Standby says how far it is
//! (PROTOCOL.md, sections 2 and 5).
//!
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::breach::{Breach, of_cause, of_refused, of_unraised};
use super::super::journal::JournalEntry;
use super::super::sender::WireChange;
use super::super::state::Context;
use super::Active;
use crate::digest::Digest;
use crate::ids::Lsn;
use crate::message::{LeaveWhy, Mismatch, Missing, OnMismatch, Stamp, Unraised};
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

    /// The Standby has applied up to `lsn`, and lacks this of it.
    pub(super) fn on_applied(
        &mut self,
        lsn: Lsn,
        digest: Digest,
        missing: &Missing,
        cx: &mut Context<'_, '_>,
    ) {
        let (last, phase) = (self.last, SyncPhase::Line);
        let Some(current) = self.peer.current() else {
            return;
        };
        let acked = current.acked();
        if !current.phase().sends_lines() || lsn < acked || lsn > last {
            return;
        }
        let before = current.missing();
        let known: BTreeSet<&str> = before.mismatches.iter().map(|each| &*each.line).collect();
        let refused = missing.mismatches.iter().filter(|each| !known.contains(&*each.line));
        let refused: Vec<Mismatch> = refused.cloned().collect();
        // One that waited, and contradicts another line now, is new.
        let known: BTreeSet<&Unraised> = before.unraised.iter().collect();
        let unraised = missing.unraised.iter().filter(|each| !known.contains(each));
        let unraised: Vec<Unraised> = unraised.cloned().collect();
        let more = missing.further > before.further;
        let differs = current.journal().digest_at(lsn) != digest;
        if differs && refused.is_empty() && !more && self.leave_differing(cx) {
            return;
        }
        let incurable = of_unraised(phase, &unraised, cx);
        let severe = incurable.max(of_refused(phase, &refused, more, cx));
        self.peer.note_replica(Stamp { term: self.term, lsn });
        self.prompts.note_unraised(acked, lsn, &unraised);
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        current.note_missing(missing.clone());
        current.acknowledge(lsn);
        current.send_lines(cx);
        if let Some(action) = severe {
            let cannot_go = incurable == severe;
            let why = if cannot_go { LeaveWhy::Stuck } else { LeaveWhy::PrcMismatch };
            self.leave_by(action, Breach::Lines { phase, why, by: None }, cx);
        }
    }

    /// The Standby lives, and has this digest of what it has applied. What it lacks it says in its
    /// answer to a Line: nothing is acknowledged by this.
    pub(super) fn on_alive(&mut self, lsn: Lsn, digest: Digest, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current() else {
            return;
        };
        if !current.phase().sends_lines() || lsn != current.acked() {
            return;
        }
        if current.journal().digest_at(lsn) != digest && self.leave_differing(cx) {
            return;
        }
        self.peer.note_replica(Stamp { term: self.term, lsn });
    }

    /// What the Standby holds is not what was sent: whether the session is left for it.
    fn leave_differing(&mut self, cx: &mut Context<'_, '_>) -> bool {
        let phase = SyncPhase::Line;
        let action = of_cause(phase, Cause::Verification, cx);
        if !action.stays() {
            let breach = Breach::Lines { phase, why: LeaveWhy::DigestMismatch, by: None };
            self.leave_by(action, breach, cx);
        }
        !action.stays()
    }
}
