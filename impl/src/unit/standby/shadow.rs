//! The snapshot executed beside the running config, verified, and swapped in whole (284).

use alloc::collections::BTreeMap;

use super::super::file::Incoming;
use super::super::file::receive;
use super::super::output::Event;
use super::super::receiver::Receiver;
use super::super::state::Context;
use super::lines::missing;
use super::session::After;
use super::{At, LineBody, Readiness, Replica, Standby, StandbyPhase, StandbySession};
use crate::digest::Digest;
use crate::ids::Lsn;
use crate::message::{Chunk, Message, Missing, Payload, Unreadable};
use crate::planted::Defect;

/// What `Config` announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot {
    /// The snapshot's LSN.
    pub lsn: Lsn,
    /// Bytes of the file.
    pub size: u64,
    /// Where the listing begins.
    pub listing_at: u64,
    /// The file's digest.
    pub digest: Digest,
}

/// A config executed beside the running one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shadow {
    /// The snapshot's LSN.
    pub lsn: Lsn,
    /// The translation.
    pub receiver: Receiver,
    /// What the unit lacks.
    pub missing: Missing,
    /// Lines that came before the swap.
    pub kept: BTreeMap<Lsn, LineBody>,
}

impl Standby {
    /// The Active has judged: the shadow becomes the replica, whole.
    pub(super) fn swap(&mut self, seat: &mut StandbySession, lsn: Lsn, cx: &mut Context<'_, '_>) {
        let StandbyPhase::Shadow(shadow) = &seat.phase else {
            return;
        };
        if shadow.lsn != lsn {
            return;
        }
        let Shadow { receiver, kept, .. } = shadow.clone();
        let readiness = Readiness::Ready;
        self.replica =
            Some(Replica { session: seat.session, applied: lsn, heard: lsn, receiver, readiness });
        if let (Some(former), Some(replica)) = (self.former.take(), &self.replica) {
            let lines = former.config.lines_missing_in(&replica.receiver.running(cx.env));
            if !lines.is_empty() {
                cx.event(Event::LostAtSwitchover { lines });
            }
        }
        seat.phase = StandbyPhase::Synced { kept, hot: None };
        self.apply_kept(seat, cx);
    }
}

impl StandbySession {
    pub(super) fn on_config(&mut self, announced: Snapshot, cx: &mut Context<'_, '_>) -> After {
        if let StandbyPhase::Config { header: header @ None, .. } = &mut self.phase {
            if announced.size > cx.env.limits.max_file || announced.listing_at > announced.size {
                cx.event(Event::FileConflict { from: self.active });
                return After::Stay;
            }
            *header = Some(announced);
        }
        self.execute(cx)
    }

    pub(super) fn on_config_chunk(&mut self, chunk: &Chunk, cx: &mut Context<'_, '_>) -> After {
        let StandbyPhase::Config { header, file } = &mut self.phase else {
            return After::Stay;
        };
        if header.is_some_and(|header| header.lsn.0 != chunk.file.ordinal) {
            return After::Stay;
        }
        let file = file.get_or_insert_with(|| Incoming::new(chunk.file, chunk.size, chunk.digest));
        if file.file == chunk.file {
            receive(file, chunk, self.session, self.active, cx);
        }
        self.execute(cx)
    }

    /// Executes the snapshot into the shadow once it is whole, and verifies it (284).
    pub(super) fn execute(&mut self, cx: &mut Context<'_, '_>) -> After {
        let StandbyPhase::Config { header: Some(header), file: Some(file) } = &self.phase else {
            return After::Stay;
        };
        let Some(bytes) = file.whole() else {
            return After::Stay;
        };
        let lsn = header.lsn;
        let read = if (file.file.ordinal, bytes.digest()) == (lsn.0, header.digest) {
            Receiver::from_file(cx.env, self.pairing.as_ref(), &bytes, header.listing_at)
        } else {
            Err(Unreadable::here(Payload::Snapshot, Some(0)))
        };
        let (receiver, mismatches) = match read {
            Ok(read) => read,
            Err(_) if cx.env.planted(Defect::UnreadableRejoins) => return After::Rejoin,
            Err(why) => {
                self.cannot_read(lsn, At::Snapshot, why, cx);
                return After::Stay;
            }
        };
        let missing = missing(mismatches, &receiver, self.bounds, cx);
        let shadow = Shadow { lsn, receiver, missing, kept: BTreeMap::new() };
        self.phase = StandbyPhase::Shadow(shadow);
        self.send_bulk_done(cx);
        After::Stay
    }

    /// Says that something does not decode, until it is answered. What was applied stays, and may
    /// take over.
    pub(super) fn cannot_read(
        &mut self,
        lsn: Lsn,
        at: At,
        why: Unreadable,
        cx: &mut Context<'_, '_>,
    ) {
        self.phase = StandbyPhase::Unread { lsn, at, why };
        cx.event(Event::Unreadable(why));
        self.send_unreadable(cx);
    }

    pub(super) fn send_unreadable(&self, cx: &mut Context<'_, '_>) {
        if let StandbyPhase::Unread { lsn, why, .. } = self.phase {
            let session = self.session;
            cx.send(self.active, Message::Unreadable { session, lsn, why });
        }
    }

    pub(super) fn send_bulk_done(&self, cx: &mut Context<'_, '_>) {
        let StandbyPhase::Shadow(shadow) = &self.phase else {
            return;
        };
        let digest = shadow.receiver.digest(cx.env);
        let (session, lsn, missing) = (self.session, shadow.lsn, shadow.missing.clone());
        cx.send(self.active, Message::BulkDone { session, lsn, missing, digest });
    }
}
