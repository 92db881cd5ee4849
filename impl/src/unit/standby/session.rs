//! A Standby's place in a session: negotiation, keepalive, what is sent again.

use alloc::collections::BTreeMap;

use super::super::env::{PairingKey, PairingSide};
use super::super::file::{Incoming, Outgoing};
use super::super::file::{receive, send_have};
use super::super::input::Timer;
use super::super::output::{Event, Output};
use super::super::state::{Context, UnitState, is_of};
use super::{LineBody, Replica, SaveHeader, Shadow, Snapshot};
use crate::digest::{Digest, ImageDigest};
use crate::ids::{Lsn, Slot};
use crate::message::{
    Bounds, Bytes, Chunk, DumpAtHand, Engine, FileId, FileKind, HeldBy, LeaveWhy, Message,
    Redundancy, SaveResult, Session, Stamp, Unreadable,
};

/// A Standby's place in a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StandbySession {
    /// The session.
    pub session: Session,
    /// The Active's slot.
    pub active: Slot,
    /// The Active's image.
    pub image: ImageDigest,
    /// The Active's engine.
    pub engine: Engine,
    /// What the Active takes at most.
    pub bounds: Bounds,
    /// The pairing; none for equal images, or while it is not computed.
    pub pairing: Option<PairingKey>,
    /// How far it is.
    pub phase: StandbyPhase,
    /// What the Active says of the pair: the register's counter, whether it holds this session,
    /// mode.
    pub told: (u32, HeldBy, Redundancy),
    /// A config that comes to be saved.
    pub saving: Option<SaveHeader>,
    /// Its chunks.
    pub saving_file: Option<Incoming>,
    /// The last save's number and result.
    pub saved: Option<(u32, SaveResult)>,
    /// Where the config stood with which the unit would have taken over when the session began.
    pub replica: Option<Stamp>,
}

/// How far a Standby's session is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandbyPhase {
    /// The offer was taken.
    Ready {
        /// Whether the dump is needed.
        have: DumpAtHand,
        /// Bytes of the dump.
        size: u64,
        /// Its digest.
        dump: Digest,
    },
    /// The dump comes into the CDFS.
    Dump(Incoming),
    /// The driver diffs.
    Pairing,
    /// The diff was sent.
    Diffed {
        /// The diff.
        diff: Outgoing,
        /// `Ready` is said again with it, since the Active may not have it.
        at_hand: bool,
    },
    /// The running config comes into the RCSF.
    Config {
        /// What was announced.
        header: Option<Snapshot>,
        /// What came.
        file: Option<Incoming>,
    },
    /// Executed and verified; the Active judges.
    Shadow(Shadow),
    /// Something does not decode; the Active says what becomes of the session.
    Unread {
        /// The snapshot's LSN, or the Line's.
        lsn: Lsn,
        /// Which of the two.
        at: At,
        /// What does not decode.
        why: Unreadable,
    },
    /// The shadow is the replica; lines are applied.
    Synced {
        /// Lines that came early.
        kept: BTreeMap<Lsn, LineBody>,
        /// The h that is to be answered once it is applied.
        hot: Option<Lsn>,
    },
    /// STANDBY COLD, in session.
    Rpr,
    /// Held in INITIALIZATION, or incompatible.
    Held,
}

/// Where something was met that does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// In the snapshot.
    Snapshot,
    /// In a Line.
    Line,
}

/// What becomes of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Stay,
    Rejoin,
}

/// An offered session.
pub(in crate::unit) struct Proceed {
    pub(in crate::unit) from: Slot,
    pub(in crate::unit) session: Session,
    pub(in crate::unit) image: ImageDigest,
    pub(in crate::unit) dump_size: u64,
    pub(in crate::unit) dump: Digest,
    pub(in crate::unit) resets: u32,
    pub(in crate::unit) engine: Engine,
    pub(in crate::unit) bounds: Bounds,
}

impl Proceed {
    /// The offer, if the message is one.
    pub(in crate::unit) fn from_message(from: Slot, message: &Message) -> Option<Self> {
        let Message::Proceed { session, image, dump_size, dump, resets, engine, bounds, .. } =
            *message
        else {
            return None;
        };
        Some(Self { from, session, image, dump_size, dump, resets, engine, bounds })
    }
}

impl StandbySession {
    /// Whether the message is of this session.
    pub(super) fn accepts(&self, message: &Message, cx: &Context<'_, '_>) -> bool {
        is_of(self.session, message, cx)
    }

    /// Whether the Active's judgement of the snapshot of this LSN is waited for.
    pub(super) fn waits_for_judgement(&self, lsn: Lsn) -> bool {
        match &self.phase {
            StandbyPhase::Shadow(shadow) => shadow.lsn == lsn,
            StandbyPhase::Unread { lsn: unread, at: At::Snapshot, .. } => *unread == lsn,
            StandbyPhase::Unread { at: At::Line, .. }
            | StandbyPhase::Ready { .. }
            | StandbyPhase::Dump(_)
            | StandbyPhase::Pairing
            | StandbyPhase::Diffed { .. }
            | StandbyPhase::Config { .. }
            | StandbyPhase::Synced { .. }
            | StandbyPhase::Rpr
            | StandbyPhase::Held => false,
        }
    }

    pub(super) fn on_negotiation(
        &mut self,
        message: Message,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) -> After {
        match message {
            Message::Chunk { chunk, .. } => return self.on_chunk(&chunk, own, cx),
            Message::Config { lsn, size, listing_at, digest, .. } => {
                let header = Snapshot { lsn, size, listing_at, digest };
                return self.on_config(header, cx);
            }
            Message::Save { save, stamp, size, listing_at, origin_at, digest, .. } => {
                let header = SaveHeader { save, stamp, size, listing_at, origin_at, digest };
                self.on_save(header, own, cx);
            }
            Message::Have { file, ranges, .. } => {
                if let StandbyPhase::Diffed { diff, .. } = &mut self.phase
                    && diff.file == file
                {
                    diff.on_have(ranges);
                    for chunk in diff.next(cx.env.limits) {
                        cx.send(self.active, Message::Chunk { session: self.session, chunk });
                    }
                }
            }
            Message::Compatible { .. } => {
                let waits = matches!(
                    self.phase,
                    StandbyPhase::Ready { have: DumpAtHand::SameImage, .. }
                        | StandbyPhase::Diffed { .. }
                );
                if waits {
                    self.phase = StandbyPhase::Config { header: None, file: None };
                }
            }
            Message::Incompatible { session, .. } => {
                let waits =
                    matches!(self.phase, StandbyPhase::Ready { .. } | StandbyPhase::Diffed { .. });
                if waits || self.phase == StandbyPhase::Held {
                    cx.send(self.active, Message::Down { session, why: LeaveWhy::Incompatible });
                    self.phase = StandbyPhase::Held;
                }
            }
            // A session that began takes no Proceed; what judges and follows the snapshot is taken
            // before; the rest a Standby says, or the arbiter, no Active says.
            Message::Join(_)
            | Message::Proceed { .. }
            | Message::Ready { .. }
            | Message::BulkDone { .. }
            | Message::BulkAccept { .. }
            | Message::BulkReject { .. }
            | Message::Line { .. }
            | Message::Applied { .. }
            | Message::Hot { .. }
            | Message::HotAck { .. }
            | Message::Unreadable { .. }
            | Message::Leave { .. }
            | Message::Left { .. }
            | Message::Saved { .. }
            | Message::Keepalive { .. }
            | Message::Down { .. }
            | Message::ToArbiter(_)
            | Message::ToUnit(_) => cx.ignore(message.kind()),
        }
        After::Stay
    }

    pub(super) fn on_chunk(
        &mut self,
        chunk: &Chunk,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) -> After {
        if chunk.size > cx.env.limits.max_file {
            cx.event(Event::FileConflict { from: self.active });
            return After::Stay;
        }
        match chunk.file.kind {
            FileKind::Dump => self.on_dump_chunk(chunk, own, cx),
            FileKind::Config => return self.on_config_chunk(chunk, cx),
            FileKind::Save => self.on_save_chunk(chunk, own, cx),
            FileKind::Diff => cx.ignore(crate::message::MessageKind::Diff),
        }
        After::Stay
    }

    pub(super) fn on_dump_chunk(
        &mut self,
        chunk: &Chunk,
        own: &UnitState,
        cx: &mut Context<'_, '_>,
    ) {
        if let StandbyPhase::Ready { have: DumpAtHand::Needed, size, dump } = self.phase {
            self.phase = StandbyPhase::Dump(Incoming::new(chunk.file, size, dump));
        }
        let StandbyPhase::Dump(file) = &mut self.phase else {
            return;
        };
        let Some(bytes) = receive(file, chunk, self.session, self.active, cx) else {
            return;
        };
        let key = PairingKey {
            side: PairingSide::Standby,
            own: cx.env.software.digest(),
            peer: self.image,
            received: bytes.digest(),
        };
        assert!(!own.paired.contains(&key), "a dump at hand is not received again");
        self.pairing = Some(key);
        self.phase = StandbyPhase::Pairing;
        cx.out.push(Output::Pair { key, bytes });
    }

    pub(super) fn send_diff(&mut self, bytes: Bytes, at_hand: bool, cx: &mut Context<'_, '_>) {
        if bytes.len() as u64 > self.bounds.file {
            return self.hold(LeaveWhy::Bound, cx);
        }
        let mut diff = Outgoing::new(FileId { kind: FileKind::Diff, ordinal: 0 }, bytes);
        for chunk in diff.next(cx.env.limits) {
            cx.send(self.active, Message::Chunk { session: self.session, chunk });
        }
        self.phase = StandbyPhase::Diffed { diff, at_hand };
    }

    /// The unit cannot be this Active's Standby: it says so.
    pub(super) fn hold(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let session = self.session;
        cx.event(Event::Degraded { why, own: Engine::OURS, peer: self.engine });
        cx.send(self.active, Message::Down { session, why });
        self.phase = StandbyPhase::Held;
    }

    pub(super) fn on_keepalive(
        &mut self,
        counter: u32,
        held: HeldBy,
        mode: Redundancy,
        cx: &mut Context<'_, '_>,
    ) {
        if counter < self.told.0 {
            return;
        }
        if (self.told.1, held) == (HeldBy::Nobody, HeldBy::Register) {
            cx.set(Timer::Stable);
        } else if (self.told.1, held) == (HeldBy::Register, HeldBy::Nobody) {
            cx.cancel(&[Timer::Stable]);
        }
        self.told = (counter, held, mode);
    }

    pub(super) fn send_keepalive(&self, replica: Option<&Replica>, cx: &mut Context<'_, '_>) {
        let synced = replica.filter(|replica| {
            replica.session == self.session && matches!(self.phase, StandbyPhase::Synced { .. })
        });
        let (counter, held, mode) = self.told;
        let lsn = synced.map_or(Lsn(0), |replica| replica.applied);
        let digest = synced.map_or(Digest::default(), |replica| replica.receiver.digest(cx.env));
        let session = self.session;
        let alive = Message::Keepalive { session, lsn, digest, mode, held, counter };
        cx.send(self.active, alive);
    }

    /// Takes the offered session, and says what a takeover now would start from.
    pub(super) fn send_ready(&self, have: DumpAtHand, cx: &mut Context<'_, '_>) {
        let (session, replica) = (self.session, self.replica);
        let ready = Message::Ready { session, have, replica };
        cx.send(self.active, ready);
    }

    pub(super) fn resend(&mut self, cx: &mut Context<'_, '_>) {
        let (session, active) = (self.session, self.active);
        match &mut self.phase {
            StandbyPhase::Ready { have, .. } => {
                let have = *have;
                self.send_ready(have, cx);
            }
            StandbyPhase::Diffed { diff, at_hand } => {
                let (at_hand, chunks) = (*at_hand, diff.again(cx.env.limits));
                if at_hand {
                    self.send_ready(DumpAtHand::AtHand, cx);
                }
                for chunk in chunks {
                    cx.send(active, Message::Chunk { session, chunk });
                }
            }
            StandbyPhase::Dump(file) => send_have(file, session, active, cx),
            StandbyPhase::Config { header, file } => {
                if let Some(header) = header {
                    let id = FileId { kind: FileKind::Config, ordinal: header.lsn.0 };
                    let ranges = file.as_ref().map(|file| file.received.clone());
                    let ranges = ranges.unwrap_or_default();
                    cx.send(active, Message::Have { session, file: id, ranges });
                }
            }
            StandbyPhase::Shadow(_) => self.send_bulk_done(cx),
            StandbyPhase::Unread { .. } => self.send_unreadable(cx),
            // Applied goes with each Line and Keepalive; nothing else is owed.
            StandbyPhase::Pairing
            | StandbyPhase::Synced { .. }
            | StandbyPhase::Rpr
            | StandbyPhase::Held => {}
        }
    }
}
