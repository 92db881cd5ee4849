//! The Standby: joining, negotiation, the shadow, lines (PROTOCOL.md, 10.2, Joining).
//!
//! ```text
//! Joining -Proceed-> Ready -Dump-> Dump -whole-> Pairing -Paired-> Diffed -Compatible-> Config
//!                      | same image: Compatible -----------------------------------------^  | whole
//!                      | dump at hand: Ready + Diff ------------------> Diffed              v
//!    Held <-Incompatible-+         Synced <-BulkAccept- Shadow <-executed, verified (284)---+
//!                                                         | BulkReject: Joining (n + 1), Rpr, Held
//! ```
//! Source: seed, steps 202-290 (Fig. 3A), 374-380 (Fig. 3C), Fig. 4.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::env::{PairingKey, Side};
use super::file::{Incoming, Outgoing, Taken};
use super::input::Timer;
use super::output::{Event, Output};
use super::own::{Cx, Own, Write, is_of};
use super::replica::{Pairing, Receiver, Running};
use super::store::{Record, Store};
use crate::base::{Digest, ImageDigest, Lsn, Shared, Slot};
use crate::message::{
    Bytes, Chunk, DumpAtHand, FileId, FileKind, HeldBy, LeaveWhy, Message, Mismatch, OnMismatch,
    Redundancy, SaveResult, Session, Stamp, Verdict,
};
use crate::planted::Defect;

/// The timers that a Standby in session has running.
const IN_SESSION: [Timer; 4] = [
    Timer::Resend,
    Timer::Watchdog,
    Timer::Keepalive,
    Timer::Stable,
];

/// A unit without a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standby {
    /// Its session; none: it is joining.
    pub seat: Option<Box<Seat>>,
    /// What it holds of an Active, swapped in whole.
    pub replica: Option<Replica>,
    /// The config of a former Active, kept to tell what was lost.
    pub former: Option<Running>,
}

/// A Standby's place in a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The session.
    pub session: Session,
    /// The Active's slot.
    pub active: Slot,
    /// The Active's image.
    pub image: ImageDigest,
    /// The pairing; none for equal images, or while it is not computed.
    pub pairing: Option<PairingKey>,
    /// How far it is.
    pub phase: Phase,
    /// What the Active says of the pair: the register's counter, whether it holds this session, mode.
    pub told: (u32, HeldBy, Redundancy),
    /// A config that comes to be saved.
    pub saving: Option<SaveHeader>,
    /// Its chunks.
    pub saving_file: Option<Incoming>,
    /// The last save's number and result.
    pub saved: Option<(u32, SaveResult)>,
}

/// How far a Standby's session is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
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
    /// The shadow is the replica; lines are applied.
    Synced {
        /// Lines that came early.
        kept: BTreeMap<Lsn, Body>,
        /// The h that is to be answered once it is applied.
        hot: Option<Lsn>,
    },
    /// STANDBY COLD, in session.
    Rpr,
    /// Held in INITIALIZATION, or incompatible.
    Held,
}

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

/// What `Save` announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaveHeader {
    /// Its number.
    pub save: u32,
    /// The config's place in history.
    pub stamp: Stamp,
    /// Bytes of the file.
    pub size: u64,
    /// Where the listing begins.
    pub listing_at: u64,
    /// Where the origin begins.
    pub origin_at: u64,
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

/// A line's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Body {
    /// Difference of the wire config.
    pub difference: Bytes,
    /// What to do if it does not execute.
    pub on_mismatch: OnMismatch,
    /// Changes of MCL and complements.
    pub listing: Bytes,
}

/// What a Standby holds of an Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    /// The session that it is of.
    pub session: Session,
    /// The last change applied.
    pub applied: Lsn,
    /// W and S.
    pub receiver: Receiver,
    /// Whether it may take over; it says no by itself before it answers a line that failed.
    pub readiness: Readiness,
}

/// Whether a replica may take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// It may.
    Ready,
    /// It declared itself not ready.
    Declared,
}

impl Standby {
    /// Begins a round of joining.
    pub(super) fn join(
        own: &mut Own,
        replica: Option<Replica>,
        former: Option<Running>,
        cx: &mut Cx<'_, '_>,
    ) -> Self {
        own.n.0 += 1;
        own.send_join(cx);
        Self {
            seat: None,
            replica,
            former,
        }
    }

    /// Takes the offered session: the replica of any other is dropped.
    pub(super) fn take_seat(
        own: &mut Own,
        offer: &Proceed,
        former: Option<Running>,
        cx: &mut Cx<'_, '_>,
    ) -> Self {
        assert!(
            own.waits_for(offer.session),
            "the session answers the round of joining"
        );
        own.see(offer.session.term, cx);
        let key = PairingKey {
            side: Side::Standby,
            own: cx.env.software.digest(),
            peer: offer.image,
            received: offer.dump,
        };
        let at_hand = match (cx.env.pairings)(&key).filter(|_| own.paired.contains(&key)) {
            Some(Pairing::Standby { diff, .. }) => Some(diff.clone()),
            Some(Pairing::Active(_)) | None => None,
        };
        let same = offer.image == cx.env.software.digest();
        let have = match (same, &at_hand) {
            (true, _) => DumpAtHand::SameImage,
            (false, Some(_)) => DumpAtHand::AtHand,
            (false, None) => DumpAtHand::Needed,
        };
        let ready = Phase::Ready {
            have,
            size: offer.dump_size,
            dump: offer.dump,
        };
        let mut seat = Seat {
            session: offer.session,
            active: offer.from,
            image: offer.image,
            pairing: None,
            phase: ready,
            told: (0, HeldBy::Nobody, Redundancy::Sso),
            saving: None,
            saving_file: None,
            saved: None,
        };
        cx.cancel(&[Timer::Join]);
        cx.send(
            offer.from,
            Message::Ready {
                session: offer.session,
                have,
            },
        );
        for timer in [Timer::Resend, Timer::Watchdog, Timer::Keepalive] {
            cx.set(timer);
        }
        if let (false, Some(diff)) = (same, at_hand) {
            seat.pairing = Some(key);
            seat.send_diff(diff, true, cx);
        }
        cx.event(Event::SessionBegan(offer.session));
        Self {
            seat: Some(Box::new(seat)),
            replica: None,
            former,
        }
    }

    /// The session ends; a new round of joining begins.
    pub(super) fn rejoin(
        self,
        own: &mut Own,
        why: LeaveWhy,
        keep: KeepReplica,
        cx: &mut Cx<'_, '_>,
    ) -> Self {
        cx.cancel(&IN_SESSION);
        if let Some(seat) = &self.seat {
            cx.event(Event::SessionEnded {
                session: seat.session,
                why,
            });
        }
        let replica = self.replica.filter(|_| keep == KeepReplica::Yes);
        Self::join(own, replica, self.former, cx)
    }

    /// A message from a unit.
    pub(super) fn on_message(
        mut self,
        own: &mut Own,
        from: Slot,
        message: Message,
        cx: &mut Cx<'_, '_>,
    ) -> Self {
        if let Some(offer) = Proceed::of(from, &message) {
            if self.seat.is_none() && own.waits_for(offer.session) {
                return Self::take_seat(own, &offer, self.former, cx);
            }
            cx.ignore(message.kind());
            return self;
        }
        let Some(mut seat) = self.seat.take() else {
            cx.ignore(message.kind());
            return self;
        };
        if !seat.accepts(&message, cx) {
            cx.ignore(message.kind());
            self.seat = Some(seat);
            return self;
        }
        cx.set(Timer::Watchdog);
        // What is in order has been applied already: this finds nothing unless a defect is planted.
        self.apply_kept(&mut seat, cx);
        match message {
            Message::Leave { session, why } => {
                cx.send(from, Message::Left { session });
                if counted(why) {
                    own.count_reset(cx);
                }
                cx.event(Event::Reset {
                    counted: counted(why),
                });
                self.seat = Some(seat);
                return self.rejoin(own, why, KeepReplica::No, cx);
            }
            Message::BulkAccept { lsn, .. } => self.swap(&mut seat, lsn, cx),
            Message::BulkReject { lsn, verdict, .. } => {
                let judged = matches!(&seat.phase, Phase::Shadow(shadow) if shadow.lsn == lsn);
                match verdict {
                    _ if !judged => cx.ignore(crate::message::Kind::BulkReject),
                    Verdict::Reset => {
                        own.count_reset(cx);
                        cx.event(Event::Reset { counted: true });
                        self.seat = Some(seat);
                        return self.rejoin(own, LeaveWhy::PrcMismatch, KeepReplica::No, cx);
                    }
                    Verdict::Rpr => seat.phase = Phase::Rpr,
                    Verdict::Simplex => seat.phase = Phase::Held,
                }
            }
            Message::Line {
                lsn,
                difference,
                on_mismatch,
                listing,
                ..
            } => {
                let body = Body {
                    difference,
                    on_mismatch,
                    listing,
                };
                self.on_line(&mut seat, lsn, body, cx);
            }
            Message::Hot { lsn, .. } => self.on_hot(&mut seat, lsn, cx),
            Message::Keepalive {
                held,
                counter,
                mode,
                ..
            } => {
                seat.on_keepalive(counter, held, mode, cx);
            }
            other => {
                if seat.on_negotiation(other, own, cx) == After::Rejoin {
                    self.seat = Some(seat);
                    return self.rejoin(own, LeaveWhy::Incompatible, KeepReplica::No, cx);
                }
                if let Phase::Shadow(Shadow { lsn, .. }) = seat.phase
                    && cx.env.planted(Defect::SwapBeforeAccept)
                {
                    self.swap(&mut seat, lsn, cx);
                }
            }
        }
        self.seat = Some(seat);
        self
    }

    /// The Active has judged: the shadow becomes the replica, whole.
    fn swap(&mut self, seat: &mut Seat, lsn: Lsn, cx: &mut Cx<'_, '_>) {
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
            receiver,
            readiness,
        });
        if let (Some(former), Some(replica)) = (self.former.take(), &self.replica) {
            let lines = former.lines_missing_in(&replica.receiver.running());
            if !lines.is_empty() {
                cx.event(Event::LostAtSwitchover { lines });
            }
        }
        seat.phase = Phase::Synced { kept, hot: None };
        self.apply_kept(seat, cx);
    }

    fn on_line(&mut self, seat: &mut Seat, lsn: Lsn, body: Body, cx: &mut Cx<'_, '_>) {
        let window = u64::from(cx.env.limits.line_window);
        match &mut seat.phase {
            Phase::Synced { kept, .. } => {
                let Some(replica) = &self.replica else { return };
                if lsn <= replica.applied {
                    let none = Shared::new(alloc::vec![]);
                    seat.send_applied(replica, none, cx);
                } else if lsn.0 <= replica.applied.0 + window {
                    if cx.env.planted(Defect::AckBeforeApply) && lsn.0 == replica.applied.0 + 1 {
                        let mut ahead = replica.clone();
                        let (difference, listing) = (&body.difference, &body.listing);
                        let pairing = seat.pairing;
                        ahead
                            .receiver
                            .apply(cx.env, pairing.as_ref(), difference, listing);
                        ahead.applied = lsn;
                        kept.insert(lsn, body);
                        seat.send_applied(&ahead, Shared::new(alloc::vec![]), cx);
                        return;
                    }
                    kept.insert(lsn, body);
                    self.apply_kept(seat, cx);
                }
            }
            Phase::Shadow(shadow) => {
                if cx.env.planted(Defect::LineBeforeAccept) && lsn.0 == shadow.lsn.0 + 1 {
                    let pairing = seat.pairing;
                    let listing = &body.listing;
                    shadow
                        .receiver
                        .apply(cx.env, pairing.as_ref(), &body.difference, listing);
                    let digest = shadow.receiver.digest(cx.env);
                    let (session, mismatches) = (seat.session, Shared::new(alloc::vec![]));
                    cx.send(
                        seat.active,
                        Message::Applied {
                            session,
                            lsn,
                            digest,
                            mismatches,
                        },
                    );
                } else if lsn > shadow.lsn && lsn.0 <= shadow.lsn.0 + window {
                    shadow.kept.insert(lsn, body);
                }
            }
            // A line before the snapshot is executed is dropped: the Active sends it again.
            Phase::Ready { .. }
            | Phase::Dump(_)
            | Phase::Pairing
            | Phase::Diffed { .. }
            | Phase::Config { .. }
            | Phase::Rpr
            | Phase::Held => {}
        }
    }

    /// Applies, in order, what of the kept lines can be applied.
    fn apply_kept(&mut self, seat: &mut Seat, cx: &mut Cx<'_, '_>) {
        let Some(replica) = &mut self.replica else {
            return;
        };
        let Phase::Synced { kept, hot } = &mut seat.phase else {
            return;
        };
        let pairing = seat.pairing;
        let mut answers = alloc::vec![];
        while let Some(entry) = kept.first_entry() {
            let lsn = *entry.key();
            if lsn.0 > replica.applied.0 + 1 && !cx.env.planted(Defect::GapAccepted) {
                break;
            }
            let body = entry.remove();
            if lsn <= replica.applied {
                continue;
            }
            let receiver = &mut replica.receiver;
            let failed = receiver.apply(cx.env, pairing.as_ref(), &body.difference, &body.listing);
            replica.applied = lsn;
            if !failed.is_empty() && body.on_mismatch == OnMismatch::LeaveHot {
                replica.readiness = Readiness::Declared;
            }
            let mismatches: Shared<[Mismatch]> = Shared::new(failed);
            let (session, digest) = (seat.session, replica.receiver.digest(cx.env));
            answers.push(Message::Applied {
                session,
                lsn,
                digest,
                mismatches,
            });
        }
        if let Some(lsn) = hot.filter(|h| *h <= replica.applied) {
            *hot = None;
            answers.push(Message::HotAck {
                session: seat.session,
                lsn,
            });
        }
        for answer in answers {
            cx.send(seat.active, answer);
        }
    }

    fn on_hot(&mut self, seat: &mut Seat, h: Lsn, cx: &mut Cx<'_, '_>) {
        let Some(replica) = &self.replica else { return };
        if let Phase::Synced { hot, .. } = &mut seat.phase {
            if replica.applied >= h {
                cx.send(
                    seat.active,
                    Message::HotAck {
                        session: seat.session,
                        lsn: h,
                    },
                );
            } else {
                *hot = Some(h);
            }
        }
    }

    /// A timer of a unit without a role.
    pub(super) fn on_timer(mut self, own: &mut Own, timer: Timer, cx: &mut Cx<'_, '_>) -> Self {
        let Some(seat) = &mut self.seat else {
            if timer == Timer::Join {
                own.send_join(cx);
            }
            return self;
        };
        match timer {
            Timer::Resend => {
                seat.resend(cx);
                cx.rearm_resend();
            }
            Timer::Watchdog => {
                return self.rejoin(own, LeaveWhy::Watchdog, KeepReplica::Yes, cx);
            }
            Timer::Keepalive => {
                seat.send_keepalive(self.replica.as_ref(), cx);
                cx.set(Timer::Keepalive);
            }
            Timer::Stable => own.forget_resets(cx),
            // Timers of other parts, that were due when the part changed.
            Timer::Hello
            | Timer::Join
            | Timer::Renew
            | Timer::Register
            | Timer::Ack
            | Timer::Deadline
            | Timer::Drain
            | Timer::Save
            | Timer::Backoff => {}
        }
        self
    }

    /// The driver has diffed.
    pub(super) fn on_paired(mut self, own: &mut Own, key: PairingKey, cx: &mut Cx<'_, '_>) -> Self {
        let Some(seat) = &mut self.seat else {
            return self;
        };
        if seat.phase != Phase::Pairing || seat.pairing != Some(key) {
            return self;
        }
        match (cx.env.pairings)(&key) {
            Some(Pairing::Standby { diff, .. }) => {
                own.remember(key);
                seat.send_diff(diff.clone(), false, cx);
            }
            Some(Pairing::Active(_)) | None => {
                let (session, why) = (seat.session, LeaveWhy::Incompatible);
                cx.send(seat.active, Message::Down { session, why });
                seat.phase = Phase::Held;
            }
        }
        self
    }

    /// A store that the Active asked for is durable, or is not.
    pub(super) fn on_saved(
        &mut self,
        session: Session,
        save: u32,
        result: SaveResult,
        cx: &mut Cx<'_, '_>,
    ) {
        if let Some(seat) = self.seat.as_mut().filter(|seat| seat.session == session) {
            seat.saved = Some((save, result));
            cx.send(
                seat.active,
                Message::Saved {
                    session,
                    save,
                    result,
                },
            );
        }
    }
}

/// Whether a replica outlives its session: until a Proceed is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeepReplica {
    Yes,
    No,
}

/// What becomes of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Stay,
    Rejoin,
}

/// Whether a reset for this reason counts as ordered.
pub(super) const fn counted(why: LeaveWhy) -> bool {
    matches!(
        why,
        LeaveWhy::DigestMismatch | LeaveWhy::PrcMismatch | LeaveWhy::Stuck
    )
}

/// An offered session.
pub(super) struct Proceed {
    pub(super) from: Slot,
    pub(super) session: Session,
    pub(super) image: ImageDigest,
    pub(super) dump_size: u64,
    pub(super) dump: Digest,
}

impl Proceed {
    /// The offer, if the message is one.
    pub(super) fn of(from: Slot, message: &Message) -> Option<Self> {
        let Message::Proceed {
            session,
            image,
            dump_size,
            dump,
            ..
        } = *message
        else {
            return None;
        };
        Some(Self {
            from,
            session,
            image,
            dump_size,
            dump,
        })
    }
}

impl Seat {
    /// Whether the message is of this session.
    fn accepts(&self, message: &Message, cx: &Cx<'_, '_>) -> bool {
        is_of(self.session, message, cx)
    }

    fn on_negotiation(&mut self, message: Message, own: &mut Own, cx: &mut Cx<'_, '_>) -> After {
        match message {
            Message::Chunk { chunk, .. } => return self.on_chunk(&chunk, own, cx),
            Message::Config {
                lsn,
                size,
                listing_at,
                digest,
                ..
            } => {
                let header = Snapshot {
                    lsn,
                    size,
                    listing_at,
                    digest,
                };
                return self.on_config(header, cx);
            }
            Message::Save {
                save,
                stamp,
                size,
                listing_at,
                origin_at,
                digest,
                ..
            } => {
                let header = SaveHeader {
                    save,
                    stamp,
                    size,
                    listing_at,
                    origin_at,
                    digest,
                };
                self.on_save(header, own, cx);
            }
            Message::Have { file, ranges, .. } => {
                if let Phase::Diffed { diff, .. } = &mut self.phase
                    && diff.file == file
                {
                    diff.on_have(ranges);
                    for chunk in diff.next(cx.env.limits) {
                        cx.send(
                            self.active,
                            Message::Chunk {
                                session: self.session,
                                chunk,
                            },
                        );
                    }
                }
            }
            Message::Compatible { .. } => {
                let waits = matches!(
                    self.phase,
                    Phase::Ready {
                        have: DumpAtHand::SameImage,
                        ..
                    } | Phase::Diffed { .. }
                );
                if waits {
                    self.phase = Phase::Config {
                        header: None,
                        file: None,
                    };
                }
            }
            Message::Incompatible { session, .. } => {
                let waits = matches!(self.phase, Phase::Ready { .. } | Phase::Diffed { .. });
                if waits || self.phase == Phase::Held {
                    cx.send(
                        self.active,
                        Message::Down {
                            session,
                            why: LeaveWhy::Incompatible,
                        },
                    );
                    self.phase = Phase::Held;
                }
            }
            other => cx.ignore(other.kind()),
        }
        After::Stay
    }

    fn on_chunk(&mut self, chunk: &Chunk, own: &mut Own, cx: &mut Cx<'_, '_>) -> After {
        if chunk.size > cx.env.limits.max_file {
            cx.event(Event::FileConflict { from: self.active });
            return After::Stay;
        }
        match chunk.file.kind {
            FileKind::Dump => self.on_dump_chunk(chunk, own, cx),
            FileKind::Config => return self.on_config_chunk(chunk, cx),
            FileKind::Save => self.on_save_chunk(chunk, own, cx),
            FileKind::Diff => cx.ignore(crate::message::Kind::Diff),
        }
        After::Stay
    }

    fn on_dump_chunk(&mut self, chunk: &Chunk, own: &Own, cx: &mut Cx<'_, '_>) {
        if let Phase::Ready {
            have: DumpAtHand::Needed,
            size,
            dump,
        } = self.phase
        {
            self.phase = Phase::Dump(Incoming::new(chunk.file, size, dump));
        }
        let Phase::Dump(file) = &mut self.phase else {
            return;
        };
        let Some(bytes) = receive(file, chunk, self.session, self.active, cx) else {
            return;
        };
        let key = PairingKey {
            side: Side::Standby,
            own: cx.env.software.digest(),
            peer: self.image,
            received: bytes.digest(),
        };
        assert!(
            !own.paired.contains(&key),
            "a dump at hand is not received again"
        );
        self.pairing = Some(key);
        self.phase = Phase::Pairing;
        cx.out.push(Output::Pair { key, bytes });
    }

    fn send_diff(&mut self, bytes: Bytes, at_hand: bool, cx: &mut Cx<'_, '_>) {
        let mut diff = Outgoing::new(
            FileId {
                kind: FileKind::Diff,
                ordinal: 0,
            },
            bytes,
        );
        for chunk in diff.next(cx.env.limits) {
            cx.send(
                self.active,
                Message::Chunk {
                    session: self.session,
                    chunk,
                },
            );
        }
        self.phase = Phase::Diffed { diff, at_hand };
    }

    fn on_config(&mut self, announced: Snapshot, cx: &mut Cx<'_, '_>) -> After {
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

    fn on_config_chunk(&mut self, chunk: &Chunk, cx: &mut Cx<'_, '_>) -> After {
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
    fn execute(&mut self, cx: &mut Cx<'_, '_>) -> After {
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

    fn send_bulk_done(&self, cx: &mut Cx<'_, '_>) {
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

    fn send_applied(&self, replica: &Replica, mismatches: Shared<[Mismatch]>, cx: &mut Cx<'_, '_>) {
        let (session, lsn) = (self.session, replica.applied);
        let digest = replica.receiver.digest(cx.env);
        cx.send(
            self.active,
            Message::Applied {
                session,
                lsn,
                digest,
                mismatches,
            },
        );
    }

    fn on_keepalive(&mut self, counter: u32, held: HeldBy, mode: Redundancy, cx: &mut Cx<'_, '_>) {
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

    fn send_keepalive(&self, replica: Option<&Replica>, cx: &mut Cx<'_, '_>) {
        let synced = replica.filter(|replica| {
            replica.session == self.session && matches!(self.phase, Phase::Synced { .. })
        });
        let (counter, held, mode) = self.told;
        let lsn = synced.map_or(Lsn(0), |replica| replica.applied);
        let digest = synced.map_or(Digest::default(), |replica| replica.receiver.digest(cx.env));
        let session = self.session;
        let alive = Message::Keepalive {
            session,
            lsn,
            digest,
            mode,
            held,
            counter,
        };
        cx.send(self.active, alive);
    }

    fn resend(&mut self, cx: &mut Cx<'_, '_>) {
        let (session, active) = (self.session, self.active);
        match &mut self.phase {
            Phase::Ready { have, .. } => {
                cx.send(
                    active,
                    Message::Ready {
                        session,
                        have: *have,
                    },
                );
            }
            Phase::Diffed { diff, at_hand } => {
                if *at_hand {
                    cx.send(
                        active,
                        Message::Ready {
                            session,
                            have: DumpAtHand::AtHand,
                        },
                    );
                }
                for chunk in diff.again(cx.env.limits) {
                    cx.send(active, Message::Chunk { session, chunk });
                }
            }
            Phase::Dump(file) => send_have(file, session, active, cx),
            Phase::Config { header, file } => {
                if let Some(header) = header {
                    let id = FileId {
                        kind: FileKind::Config,
                        ordinal: header.lsn.0,
                    };
                    let ranges = file.as_ref().map(|file| file.received.clone());
                    let ranges = ranges.unwrap_or_default();
                    cx.send(
                        active,
                        Message::Have {
                            session,
                            file: id,
                            ranges,
                        },
                    );
                }
            }
            Phase::Shadow(_) => self.send_bulk_done(cx),
            // Applied goes with each Line and Keepalive; nothing else is owed.
            Phase::Pairing | Phase::Synced { .. } | Phase::Rpr | Phase::Held => {}
        }
    }

    fn on_save(&mut self, header: SaveHeader, own: &mut Own, cx: &mut Cx<'_, '_>) {
        if let Some((save, result)) = self.saved.filter(|(save, _)| *save >= header.save) {
            if save == header.save {
                cx.send(
                    self.active,
                    Message::Saved {
                        session: self.session,
                        save,
                        result,
                    },
                );
            }
            return;
        }
        let bounded = header.size <= cx.env.limits.max_file
            && header.listing_at <= header.origin_at
            && header.origin_at <= header.size;
        if bounded && self.saving.is_none_or(|saving| saving.save < header.save) {
            self.saving = Some(header);
        }
        self.store(own, cx);
    }

    fn on_save_chunk(&mut self, chunk: &Chunk, own: &mut Own, cx: &mut Cx<'_, '_>) {
        let newer = self
            .saving_file
            .as_ref()
            .is_none_or(|file| file.file < chunk.file);
        if newer {
            let file = Incoming::new(chunk.file, chunk.size, chunk.digest);
            self.saving_file = Some(file);
        }
        let (session, active) = (self.session, self.active);
        if let Some(file) = self
            .saving_file
            .as_mut()
            .filter(|file| file.file == chunk.file)
        {
            receive(file, chunk, session, active, cx);
        }
        self.store(own, cx);
    }

    /// Writes the store once what is to be saved is whole.
    fn store(&mut self, own: &mut Own, cx: &mut Cx<'_, '_>) {
        let (Some(header), Some(file)) = (self.saving, &self.saving_file) else {
            return;
        };
        let Some(bytes) = file.whole() else { return };
        if (file.file.ordinal, bytes.digest()) != (u64::from(header.save), header.digest) {
            return;
        }
        let session = self.session;
        let under_way = own.writes.values().any(|write| {
            matches!(write, Write::PeerSave { session: s, save, .. }
                if (*s, *save) == (session, header.save))
        });
        let done = self.saved.is_some_and(|(save, _)| save >= header.save);
        if under_way || done {
            return;
        }
        let (listing_at, origin_at) = (header.listing_at as usize, header.origin_at as usize);
        let config = &bytes[..origin_at];
        let of = Receiver::of(cx.env, self.pairing.as_ref(), config, header.listing_at);
        let Some((receiver, _)) = of else {
            self.saved = Some((header.save, SaveResult::Translation));
            let result = SaveResult::Translation;
            cx.send(
                self.active,
                Message::Saved {
                    session,
                    save: header.save,
                    result,
                },
            );
            return;
        };
        let store = Store {
            text: receiver.running().text(),
            stamp: header.stamp,
            listing: Shared::new(bytes[listing_at..origin_at].to_vec()),
            origin: Shared::new(bytes[origin_at..].to_vec()),
        };
        let write = Write::PeerSave {
            store: store.clone(),
            session,
            save: header.save,
        };
        own.persist(write, Record::Store(store), cx);
    }
}

/// Takes a chunk, says what came when it is time, and returns the file when it is whole.
pub(super) fn receive(
    file: &mut Incoming,
    chunk: &Chunk,
    session: Session,
    from: Slot,
    cx: &mut Cx<'_, '_>,
) -> Option<Bytes> {
    match file.take(chunk) {
        Taken::Whole(bytes) => Some(bytes),
        Taken::Conflict => {
            cx.event(Event::FileConflict { from });
            None
        }
        Taken::Kept => {
            if file.names_now(cx.env.limits) {
                send_have(file, session, from, cx);
            }
            None
        }
    }
}

fn send_have(file: &Incoming, session: Session, to: Slot, cx: &mut Cx<'_, '_>) {
    let ranges = file.received.clone();
    cx.send(
        to,
        Message::Have {
            session,
            file: file.file,
            ranges,
        },
    );
}
