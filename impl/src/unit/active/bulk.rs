//! Bulk sync, at the Active: the snapshot, and its judgement (PROTOCOL.md, section 4).
//!
//! Source: seed, steps 214-290 (Fig. 3A).

use alloc::vec::Vec;

use super::super::breach::{Breach, of_cause, of_refused, of_stuck, of_unraised};
use super::super::file::Outgoing;
use super::super::input::Timer;
use super::super::mode::Hindrance;
use super::super::peer::{ActivePhase, Bulk};
use super::super::sender::{Sender, StuckLine};
use super::super::state::Context;
use super::Active;
use crate::digest::{Digest, Shared};
use crate::ids::Lsn;
use crate::message::{
    FileId, FileKind, LeaveWhy, Message, MessageKind, Missing, Redundancy, RejectWhy, Stamp,
    Verdict,
};
use crate::policy::{Cause, SyncPhase};

impl Active {
    /// Takes the snapshot, once the register is confirmed to hold nothing.
    pub(super) fn begin_bulk(&mut self, cx: &mut Context<'_, '_>) {
        let clear = self.register.is_clear();
        let Some(current) = self.peer.current() else {
            return;
        };
        if !clear || *current.phase() != ActivePhase::Config {
            return;
        }
        let stamp = Stamp { term: self.term, lsn: self.last };
        let Some(sender) = Sender::new(cx.env, current.pairing(), &self.config, stamp) else {
            return self.leave(LeaveWhy::Incompatible, cx);
        };
        let bounds = current.bounds();
        let (bytes, listing_at) = sender.file(cx.env.planted);
        let fits = sender.fits(bounds) && bytes.len() as u64 <= bounds.file;
        if !fits && !self.mode.is_lesser() {
            self.exceed(SyncPhase::Bulk, LeaveWhy::Bound, cx);
        }
        let empty = self.mode.is_lesser();
        let (bytes, listing_at) =
            if empty { (Shared::new(Vec::new()), 0) } else { (bytes, listing_at) };
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        let (lsn, digest) = (self.last, sender.digest());
        let id = FileId { kind: FileKind::Config, ordinal: lsn.0 };
        let file = Outgoing::new(id, bytes);
        current.begin_bulk(sender, Bulk { lsn, file, listing_at, digest, empty });
        current.send_snapshot(cx);
        cx.set(Timer::Deadline);
    }

    /// The Standby has executed the snapshot: it is judged before anything is swapped.
    pub(super) fn on_bulk_done(
        &mut self,
        lsn: Lsn,
        missing: &Missing,
        digest: Digest,
        cx: &mut Context<'_, '_>,
    ) {
        let Some(current) = self.peer.current() else {
            return;
        };
        let (session, slot) = (current.session(), current.slot());
        let (expected, empty) = match current.phase() {
            ActivePhase::Bulk(bulk) if bulk.lsn == lsn => (bulk.digest, bulk.empty),
            &ActivePhase::Rejected { lsn: judged, verdict, why } if judged == lsn => {
                return cx.send(slot, Message::BulkReject { session, lsn, verdict, why });
            }
            phase if phase.sends_lines() => {
                let listed = current.listed();
                return cx.send(slot, Message::BulkAccept { session, lsn, listed });
            }
            ActivePhase::Dump(_)
            | ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Config
            | ActivePhase::Bulk(_)
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. }
            | ActivePhase::Held => {
                return cx.ignore(MessageKind::BulkDone);
            }
        };
        let stuck = current.stuck(cx);
        let judged = if empty || self.mode.is_lesser() {
            Some(self.lesser_verdict())
        } else {
            self.judge(&stuck, missing, digest == expected, cx)
        };
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        match judged {
            None => {
                current.accept(missing.clone(), self.last);
                let listed = current.listed();
                cx.send(slot, Message::BulkAccept { session, lsn, listed });
                cx.set(Timer::Deadline);
                current.send_lines(cx);
            }
            Some(verdict) => {
                self.reject(lsn, verdict, cx);
                if verdict != Verdict::Reset {
                    self.tell_degraded(cx);
                }
            }
        }
        self.progress(cx);
    }

    /// The shadow is to be dropped; and the replica, if policy is the reason.
    pub(super) fn reject(&mut self, lsn: Lsn, verdict: Verdict, cx: &mut Context<'_, '_>) {
        let why = if verdict != Verdict::Simplex && self.mode.why().keeps_replica() {
            RejectWhy::Limit
        } else {
            self.peer.forget_replica();
            RejectWhy::Policy
        };
        let Some(current) = self.peer.current_mut() else {
            return;
        };
        current.reject(lsn, verdict, why);
        cx.cancel(&[Timer::Deadline]);
        let session = current.session();
        cx.send(current.slot(), Message::BulkReject { session, lsn, verdict, why });
        self.note_hindrance(cx);
    }

    /// What a Standby does in the lesser mode of its pair.
    pub(super) const fn lesser_verdict(&self) -> Verdict {
        match self.mode.redundancy() {
            Redundancy::Simplex => Verdict::Simplex,
            Redundancy::Sso | Redundancy::Rpr => Verdict::Rpr,
        }
    }

    /// What becomes of a bulk: none if it may be swapped in.
    fn judge(
        &mut self,
        stuck: &[StuckLine],
        missing: &Missing,
        same: bool,
        cx: &Context<'_, '_>,
    ) -> Option<Verdict> {
        let phase = SyncPhase::Bulk;
        let Missing { mismatches, unraised, further } = missing;
        let here = of_stuck(phase, stuck, cx);
        let incurable = here.max(of_unraised(phase, unraised, cx));
        let mut curable = of_refused(phase, mismatches, *further > 0, cx);
        if !same && mismatches.is_empty() {
            curable = curable.max(Some(of_cause(phase, Cause::Verification, cx)));
        }
        let action = incurable.max(curable)?;
        // What the Standby cannot raise is not seen from here in a lesser mode.
        let by = (here == Some(action)).then(Hindrance::default);
        let why = if incurable == Some(action) {
            LeaveWhy::Stuck
        } else if mismatches.is_empty() && *further == 0 {
            LeaveWhy::DigestMismatch
        } else {
            LeaveWhy::PrcMismatch
        };
        self.mode
            .enforce(action, Breach::Lines { phase, why, by }, cx)
            .map(|enforced| enforced.verdict)
    }
}
