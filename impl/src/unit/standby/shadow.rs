//! The snapshot executed beside the running config, verified, and swapped in whole (284).

use alloc::collections::BTreeMap;

use super::super::file::Incoming;
use super::super::file::receive;
use super::super::output::Event;
use super::super::own::Cx;
use super::super::replica::Receiver;
use super::seat::After;
use super::{Body, Phase, Readiness, Replica, Seat, Standby};
use crate::base::{Digest, Lsn, Shared};
use crate::message::{Chunk, Message, Mismatch};

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
    /// What did not execute.
    pub mismatches: Shared<[Mismatch]>,
    /// Lines that came before the swap.
    pub kept: BTreeMap<Lsn, Body>,
}

impl Standby {
    /// The Active has judged: the shadow becomes the replica, whole.
    pub(super) fn swap(&mut self, seat: &mut Seat, lsn: Lsn, cx: &mut Cx<'_, '_>) {
        let Phase::Shadow(shadow) = &seat.phase else {
            return;
        };
        if shadow.lsn != lsn {
            return;
        }
        let Shadow { receiver, kept, .. } = shadow.clone();
        let readiness = Readiness::Ready;
        self.replica = Some(Replica {
            session: seat.session,
            applied: lsn,
            heard: lsn,
            receiver,
            readiness,
        });
        if let (Some(former), Some(replica)) = (self.former.take(), &self.replica) {
            let lines = former.config.lines_missing_in(&replica.receiver.running());
            if !lines.is_empty() {
                cx.event(Event::LostAtSwitchover { lines });
            }
        }
        seat.phase = Phase::Synced { kept, hot: None };
        self.apply_kept(seat, cx);
    }
}

impl Seat {
    pub(super) fn on_config(&mut self, announced: Snapshot, cx: &mut Cx<'_, '_>) -> After {
        if let Phase::Config {
            header: header @ None,
            ..
        } = &mut self.phase
        {
            if announced.size > cx.env.limits.max_file || announced.listing_at > announced.size {
                cx.event(Event::FileConflict { from: self.active });
                return After::Stay;
            }
            *header = Some(announced);
        }
        self.execute(cx)
    }

    pub(super) fn on_config_chunk(&mut self, chunk: &Chunk, cx: &mut Cx<'_, '_>) -> After {
        let Phase::Config { header, file } = &mut self.phase else {
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
    pub(super) fn execute(&mut self, cx: &mut Cx<'_, '_>) -> After {
        let Phase::Config {
            header: Some(header),
            file: Some(file),
        } = &self.phase
        else {
            return After::Stay;
        };
        let Some(bytes) = file.whole() else {
            return After::Stay;
        };
        if (file.file.ordinal, bytes.digest()) != (header.lsn.0, header.digest) {
            return After::Rejoin;
        }
        let of = Receiver::of(cx.env, self.pairing.as_ref(), &bytes, header.listing_at);
        let Some((receiver, mut mismatches)) = of else {
            return After::Rejoin;
        };
        mismatches.truncate(cx.env.limits.max_mismatches as usize);
        let mismatches = Shared::new(mismatches);
        let shadow = Shadow {
            lsn: header.lsn,
            receiver,
            mismatches,
            kept: BTreeMap::new(),
        };
        self.phase = Phase::Shadow(shadow);
        self.send_bulk_done(cx);
        After::Stay
    }

    pub(super) fn send_bulk_done(&self, cx: &mut Cx<'_, '_>) {
        let Phase::Shadow(shadow) = &self.phase else {
            return;
        };
        let digest = shadow.receiver.digest(cx.env);
        let (lsn, mismatches) = (shadow.lsn, shadow.mismatches.clone());
        let done = Message::BulkDone {
            session: self.session,
            lsn,
            mismatches,
            digest,
        };
        cx.send(self.active, done);
    }
}
