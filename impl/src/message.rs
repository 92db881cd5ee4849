//! The protocol's messages as types (PROTOCOL.md, sections 2 and 3). What they mean is the
//! machines' affair (`unit`), how they look as bytes is `wire`'s.

mod arbiter;
mod file;
mod session;

pub use arbiter::{Eligible, Hello, Origin, Said, Stamp, ToArbiter, ToUnit};
pub use file::{Chunk, FileId, FileKind, Ranges};
pub use session::{
    Bounds, Compatibility, DumpAtHand, Engine, HeldBy, JoinCall, LeaveWhy, Mismatch, Missing,
    OnMismatch, Payload, Prc, Redundancy, RejectWhy, SaveResult, Session, Unraised, Unreadable,
    Verdict, WireVersions,
};

use crate::digest::{Digest, ImageDigest, Shared};

use crate::ids::{Attempt, BootId, Lsn, Slot, Term};

/// Immutable bytes, compared by digest.
pub type Bytes = Shared<[u8]>;

/// Who sends or receives: the arbiter, or whatever boot of a unit is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// The arbiter of the chassis.
    Arbiter,
    /// The unit in this slot.
    Unit(Slot),
}

/// A message of the protocol. Every one between units but `Join` carries its session whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Standby: asks for a session. Layout frozen for ever. Source: ours, section 3.
    Join(JoinCall),
    /// Active: offers the session that answers a Join. Source: seed, steps 202-206.
    Proceed {
        /// The offered session; its attempt is the n of the Join.
        session: Session,
        /// The wire version of all that follows.
        wire: u16,
        /// The Active's image.
        image: ImageDigest,
        /// Bytes of the Active's CLI dump.
        dump_size: u64,
        /// Digest of the Active's CLI dump.
        dump: Digest,
        /// Ordered resets, as the Active counts them.
        resets: u32,
        /// The Active's engine.
        engine: Engine,
        /// What the Active takes at most.
        bounds: Bounds,
    },
    /// Receiver of a file: what of it has come. The newest counts.
    Have {
        /// The session.
        session: Session,
        /// The file.
        file: FileId,
        /// Bytes received.
        ranges: Ranges,
    },
    /// Standby: takes the offered session; the CDFS exists. Source: seed, step 256.
    Ready {
        /// The session.
        session: Session,
        /// Whether the Active's dump need not be sent.
        have: DumpAtHand,
        /// Where the config stands with which the Standby would take over now.
        replica: Option<Stamp>,
    },
    /// A piece of a file: Active's dump (208/258), Standby's diff (260-264), running config
    /// (216-234), or what is to be saved.
    Chunk {
        /// The session.
        session: Session,
        /// The piece.
        chunk: Chunk,
    },
    /// Active: the images can be synchronised. Source: seed, step 212.
    Compatible {
        /// The session.
        session: Session,
        /// The verdict that operators know.
        compatibility: Compatibility,
    },
    /// Active: they cannot. Answered by `Down`. Source: seed, step 212.
    Incompatible {
        /// The session.
        session: Session,
        /// Diff entries without transform or don't-care entry.
        stuck: u32,
    },
    /// Active: a snapshot is coming (the RCSF). Source: seed, steps 214 and 266.
    Config {
        /// The session.
        session: Session,
        /// The snapshot's LSN.
        lsn: Lsn,
        /// Bytes of the file.
        size: u64,
        /// Where in the file the wire config ends and the listing (MCL, complements) begins.
        listing_at: u64,
        /// Digest of the file's bytes.
        digest: Digest,
    },
    /// Standby: executed into the shadow, verified. Source: seed, steps 374-380 and 284.
    BulkDone {
        /// The session.
        session: Session,
        /// The snapshot's LSN.
        lsn: Lsn,
        /// What of the snapshot the Standby lacks.
        missing: Missing,
        /// Wire digest computed from the executed shadow.
        digest: Digest,
    },
    /// Active: the shadow may be swapped in.
    BulkAccept {
        /// The session.
        session: Session,
        /// The snapshot's LSN.
        lsn: Lsn,
        /// How many lines stay listed.
        listed: u32,
    },
    /// Active: the shadow is to be dropped.
    BulkReject {
        /// The session.
        session: Session,
        /// The snapshot's LSN.
        lsn: Lsn,
        /// What the Standby does instead.
        verdict: Verdict,
        /// What speaks against it.
        why: RejectWhy,
    },
    /// Active: one change. Source: seed, Fig. 4.
    Line {
        /// The session.
        session: Session,
        /// The change's number.
        lsn: Lsn,
        /// Difference of the wire config; empty is legal.
        difference: Bytes,
        /// What the Standby does if the parser's return code is not of the success class.
        on_mismatch: OnMismatch,
        /// Changes of MCL and complements.
        listing: Bytes,
    },
    /// Standby: all changes up to `lsn` are applied; cumulative.
    Applied {
        /// The session.
        session: Session,
        /// The last change applied.
        lsn: Lsn,
        /// Wire digest after it, computed from S.
        digest: Digest,
        /// What it lacks of all up to that one.
        missing: Missing,
    },
    /// Active: the Standby is to be hot once it has applied `lsn`.
    Hot {
        /// The session.
        session: Session,
        /// The h of section 2.
        lsn: Lsn,
    },
    /// Standby: `lsn` is applied.
    HotAck {
        /// The session.
        session: Session,
        /// The h that is answered.
        lsn: Lsn,
    },
    /// Standby: the snapshot, or the Line, of this LSN does not decode; until BulkReject or Leave.
    Unreadable {
        /// The session.
        session: Session,
        /// The snapshot's LSN, or the Line's.
        lsn: Lsn,
        /// What does not decode.
        why: Unreadable,
    },
    /// Active: the session ends.
    Leave {
        /// The session.
        session: Session,
        /// The reason.
        why: LeaveWhy,
    },
    /// Answer to `Leave`.
    Left {
        /// The session.
        session: Session,
    },
    /// Active: a config to be saved as the Standby's startup store is coming.
    Save {
        /// The session.
        session: Session,
        /// Number of this save within the session.
        save: u32,
        /// Term and LSN of the config.
        stamp: Stamp,
        /// Bytes of the file: wire config, then listing, then origin.
        size: u64,
        /// Where the listing begins.
        listing_at: u64,
        /// Where the origin begins.
        origin_at: u64,
        /// Digest of the file's bytes.
        digest: Digest,
    },
    /// Standby: the save's result.
    Saved {
        /// The session.
        session: Session,
        /// Number of the save.
        save: u32,
        /// Its result.
        result: SaveResult,
    },
    /// Both, always: the session is alive.
    Keepalive {
        /// The session.
        session: Session,
        /// Active: the last LSN. Standby: the last applied.
        lsn: Lsn,
        /// Wire digest at that LSN.
        digest: Digest,
        /// Mode of redundancy.
        mode: Redundancy,
        /// Whether the arbiter's register holds this session, as far as the sender knows.
        held: HeldBy,
        /// Counter of the register; an older one is ignored.
        counter: u32,
    },
    /// Standby: it is held; answer to `Incompatible`, and to a dump that does not decode.
    Down {
        /// The session.
        session: Session,
        /// The reason.
        why: LeaveWhy,
    },
    /// A unit to the arbiter.
    ToArbiter(ToArbiter),
    /// The arbiter to a unit.
    ToUnit(ToUnit),
}

/// The kinds of messages, as faults, counters and tables name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its message, or as its file")]
pub enum MessageKind {
    Join,
    Proceed,
    Have,
    Ready,
    Dump,
    Diff,
    Compatible,
    Incompatible,
    Config,
    ConfigChunk,
    BulkDone,
    BulkAccept,
    BulkReject,
    Line,
    Applied,
    Hot,
    HotAck,
    Leave,
    Left,
    Save,
    SaveChunk,
    Saved,
    Keepalive,
    Down,
    Hello,
    Renew,
    Decline,
    SetRegister,
    Release,
    Offer,
    Grant,
    Confirm,
    Unreadable,
    Ask,
}

impl Message {
    /// The message's kind.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Join(_) => MessageKind::Join,
            Self::Proceed { .. } => MessageKind::Proceed,
            Self::Have { .. } => MessageKind::Have,
            Self::Ready { .. } => MessageKind::Ready,
            Self::Chunk { chunk, .. } => match chunk.file.kind {
                FileKind::Dump => MessageKind::Dump,
                FileKind::Diff => MessageKind::Diff,
                FileKind::Config => MessageKind::ConfigChunk,
                FileKind::Save => MessageKind::SaveChunk,
            },
            Self::Compatible { .. } => MessageKind::Compatible,
            Self::Incompatible { .. } => MessageKind::Incompatible,
            Self::Config { .. } => MessageKind::Config,
            Self::BulkDone { .. } => MessageKind::BulkDone,
            Self::BulkAccept { .. } => MessageKind::BulkAccept,
            Self::BulkReject { .. } => MessageKind::BulkReject,
            Self::Line { .. } => MessageKind::Line,
            Self::Applied { .. } => MessageKind::Applied,
            Self::Hot { .. } => MessageKind::Hot,
            Self::HotAck { .. } => MessageKind::HotAck,
            Self::Unreadable { .. } => MessageKind::Unreadable,
            Self::Leave { .. } => MessageKind::Leave,
            Self::Left { .. } => MessageKind::Left,
            Self::Save { .. } => MessageKind::Save,
            Self::Saved { .. } => MessageKind::Saved,
            Self::Keepalive { .. } => MessageKind::Keepalive,
            Self::Down { .. } => MessageKind::Down,
            Self::ToArbiter(message) => message.kind(),
            Self::ToUnit(message) => message.kind(),
        }
    }

    /// The session that the message carries: none for `Join` and the arbiter's messages.
    pub const fn session(&self) -> Option<Session> {
        match self {
            Self::Join(_) | Self::ToArbiter(_) | Self::ToUnit(_) => None,
            Self::Proceed { session, .. }
            | Self::Have { session, .. }
            | Self::Ready { session, .. }
            | Self::Chunk { session, .. }
            | Self::Compatible { session, .. }
            | Self::Incompatible { session, .. }
            | Self::Config { session, .. }
            | Self::BulkDone { session, .. }
            | Self::BulkAccept { session, .. }
            | Self::BulkReject { session, .. }
            | Self::Line { session, .. }
            | Self::Applied { session, .. }
            | Self::Hot { session, .. }
            | Self::HotAck { session, .. }
            | Self::Unreadable { session, .. }
            | Self::Leave { session, .. }
            | Self::Left { session }
            | Self::Save { session, .. }
            | Self::Saved { session, .. }
            | Self::Keepalive { session, .. }
            | Self::Down { session, .. } => Some(*session),
        }
    }
}

/// One round of joining, as the Active remembers it: newer compares greater within one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round {
    /// The Standby's boot.
    pub boot: BootId,
    /// The n of its Join.
    pub n: Attempt,
}

impl Session {
    /// The Standby's round of joining that this session answers.
    pub const fn round(&self) -> Round {
        Round { boot: self.standby, n: self.attempt }
    }
}

/// The session's four numbers, for those who make one.
impl From<(Term, BootId, Round)> for Session {
    fn from((term, active, round): (Term, BootId, Round)) -> Self {
        Self { term, active, standby: round.boot, attempt: round.n }
    }
}
