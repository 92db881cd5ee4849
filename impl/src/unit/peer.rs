//! The Active's peer: who is offered a session, who has one, and how far it is (PROTOCOL.md, 10.2,
//! The Active's peer).
//!
//! ```text
//! offered -Ready-> Dump | Diff -whole-> Pairing -Paired-> Config -register none-> Bulk
//!                    | same image --------------------------^            | BulkDone
//!  Hot <-Confirm- Setting <- HotAcked <-HotAck- HotSent <- Cold <--------+-> Rejected
//! ```

mod negotiation;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::active::Active;
use super::env::PairingKey;
use super::file::{Incoming, Outgoing};
use super::input::Timer;
use super::journal::JournalEntry;
use super::output::{Event, Refusal};
use super::saving::Saving;
use super::sender::Sender;
use super::state::{Context, UnitState, is_of};
use crate::digest::{Digest, ImageDigest, Shared};
use crate::ids::{Lsn, Slot};
use crate::message::{
    Bounds, Engine, FileId, HeldBy, JoinCall, LeaveWhy, Message, RejectWhy, Round, Session, Stamp,
    Unreadable, Verdict,
};
use crate::planted::Defect;
use crate::policy::SyncPhase;

pub use negotiation::Negotiation;

/// The Standby, or whoever asks to be it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// A session that was offered and not taken yet.
    pub offered: Option<Offered>,
    /// The session.
    pub current: Option<Box<ActiveSession>>,
    /// A session that was left and whose Standby has not said so.
    pub leaving: Option<Leaving>,
    /// The newest round whose session is over.
    pub ended: Option<Round>,
    /// Where the config stands with which the Standby would take over, as far as is known.
    pub replica: Option<Stamp>,
    /// Image and engine of the last session's Standby.
    pub software: Option<(ImageDigest, Engine)>,
}

/// An offered session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offered {
    /// The session.
    pub session: Session,
    /// The slot that asked.
    pub slot: Slot,
    /// Its image.
    pub image: ImageDigest,
    /// Its engine.
    pub engine: Engine,
    /// What it takes at most.
    pub bounds: Bounds,
    /// The wire version.
    pub wire: u16,
}

/// A session that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaving {
    /// The session.
    pub session: Session,
    /// Its Standby's slot.
    pub slot: Slot,
    /// Why it was left.
    pub why: LeaveWhy,
}

/// A session, at the Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActiveSession {
    /// The session.
    pub session: Session,
    /// The Standby's slot.
    pub slot: Slot,
    /// Its image.
    pub image: ImageDigest,
    /// Its engine.
    pub engine: Engine,
    /// What it takes at most.
    pub bounds: Bounds,
    /// The wire version.
    pub wire: u16,
    /// The pairing; none for equal images, or while it is not computed.
    pub pairing: Option<PairingKey>,
    /// How far it is.
    pub phase: ActivePhase,
    /// The translation, from the snapshot on.
    pub sender: Option<Sender>,
    /// The changes after what is applied.
    pub journal: BTreeMap<Lsn, JournalEntry>,
    /// The last line that was sent.
    pub sent_to: Lsn,
    /// The last change that the Standby has.
    pub acked: Lsn,
    /// Wire digest at that change.
    pub acked_digest: Digest,
    /// The h of section 2.
    pub h: Lsn,
    /// Lines that the Standby holds out, as it said last.
    pub held_out: BTreeSet<Shared<str>>,
    /// How many it holds out beside those that it named.
    pub held_further: u32,
    /// Saves asked for in this session.
    pub saves: u32,
    /// Its end counts no more: it was hot for `stable_time`, or it is counted already.
    pub counted: bool,
}

/// How far a session is, at the Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivePhase {
    /// The dump goes out, the diff comes back.
    Dump(Negotiation),
    /// The diff comes.
    Diff(Option<Incoming>),
    /// The driver makes dispositions.
    Pairing,
    /// Compatible; the register is not known to be clear yet.
    Config,
    /// The snapshot goes out.
    Bulk(Bulk),
    /// Lines go out; the Standby is not asked to be hot yet.
    Cold,
    /// `Hot` was sent; prompts are held from here.
    HotSent,
    /// `HotAck` came.
    HotAcked,
    /// The register is being written.
    Setting,
    /// The register is confirmed.
    Hot,
    /// The shadow was refused.
    Rejected {
        /// The snapshot's LSN.
        lsn: Lsn,
        /// What the Standby does instead.
        verdict: Verdict,
        /// What speaks against it.
        why: RejectWhy,
    },
    /// Incompatible.
    Held,
}

/// The snapshot on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bulk {
    /// The snapshot's LSN.
    pub lsn: Lsn,
    /// The file.
    pub file: Outgoing,
    /// Where in it the listing begins.
    pub listing_at: u64,
    /// The wire digest.
    pub digest: Digest,
    /// Nothing is in it, since nothing of it will be swapped in: the pair is in a lesser mode.
    pub empty: bool,
}

impl ActivePhase {
    /// Whether prompts of `acked` commands are held.
    pub const fn holds_prompts(&self) -> bool {
        matches!(self, Self::HotSent | Self::HotAcked | Self::Setting | Self::Hot)
    }

    /// Whether lines go out.
    pub const fn sends_lines(&self) -> bool {
        matches!(self, Self::Cold | Self::HotSent | Self::HotAcked | Self::Setting | Self::Hot)
    }
}

impl Peer {
    /// The session's phase.
    pub fn phase(&self) -> Option<&ActivePhase> {
        self.current.as_ref().map(|current| &current.phase)
    }

    /// Whether a round is newer than all that are known. Boots grow, across a lost disk too: an
    /// older boot's Join that was held back is no reason to turn away from the present one.
    fn is_newer(&self, call: &JoinCall) -> bool {
        let round = Round { boot: call.boot, n: call.n };
        let known = [
            self.offered.map(|offered| offered.session.round()),
            self.current.as_ref().map(|current| current.session.round()),
            self.ended,
        ];
        known.into_iter().flatten().all(|seen| seen < round)
    }
}

impl Active {
    /// A message from a unit, but for Proceed.
    pub(super) fn on_peer(
        &mut self,
        own: &mut UnitState,
        from: Slot,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) {
        let opens_or_ends =
            matches!(message, Message::Join(_) | Message::Ready { .. } | Message::Left { .. });
        if !opens_or_ends {
            if !self.is_current(&message, cx) {
                return cx.ignore(message.kind());
            }
            cx.set(Timer::Watchdog);
        }
        match message {
            Message::Join(call) => self.on_join(own, from, &call, cx),
            Message::Ready { session, have, replica } => self.on_ready(session, have, replica, cx),
            Message::Left { session } => self.on_left(session, cx),
            Message::Have { file, ranges, .. } => self.on_have(file, ranges, cx),
            Message::Chunk { chunk, .. } => self.on_diff_chunk(own, &chunk, cx),
            Message::BulkDone { lsn, mismatches, further, digest, .. } => {
                self.on_bulk_done(lsn, (&mismatches, further), digest, cx);
            }
            Message::Applied { lsn, digest, mismatches, further, .. } => {
                self.on_applied(lsn, digest, Some((&mismatches, further)), cx);
            }
            Message::Keepalive { lsn, digest, .. } => {
                let says = lsn > Lsn(0) || digest != Digest::default();
                if says && self.peer.phase().is_some_and(ActivePhase::sends_lines) {
                    self.on_applied(lsn, digest, None, cx);
                }
            }
            Message::HotAck { lsn, .. } => self.on_hot_ack(lsn),
            Message::Saved { session, save, result } => self.on_saved(session, save, result, cx),
            Message::Unreadable { lsn, why, .. } => self.on_unreadable(lsn, why, cx),
            Message::Down { why, .. } => self.on_down(why, cx),
            // What an Active says, or the arbiter, no Standby says.
            Message::Proceed { .. }
            | Message::Compatible { .. }
            | Message::Incompatible { .. }
            | Message::Config { .. }
            | Message::BulkAccept { .. }
            | Message::BulkReject { .. }
            | Message::Line { .. }
            | Message::Hot { .. }
            | Message::Leave { .. }
            | Message::Save { .. }
            | Message::ToArbiter(_)
            | Message::ToUnit(_) => cx.ignore(message.kind()),
        }
    }

    /// The Standby has left the session that was ended.
    fn on_left(&mut self, session: Session, cx: &mut Context<'_, '_>) {
        match self.peer.leaving {
            Some(leaving) if leaving.session == session => self.peer.leaving = None,
            Some(_) | None => cx.ignore(crate::message::MessageKind::Left),
        }
    }

    /// The Standby is held: it cannot be this Active's Standby.
    fn on_down(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        current.phase = ActivePhase::Held;
        cx.cancel(&[Timer::Deadline]);
        if matches!(why, LeaveWhy::Unreadable | LeaveWhy::Bound) {
            let (own, peer) = (Engine::OURS, current.engine);
            cx.event(Event::Degraded { why, own, peer });
        }
    }

    fn is_current(&self, message: &Message, cx: &Context<'_, '_>) -> bool {
        let current = self.peer.current.as_ref();
        current.is_some_and(|current| is_of(current.session, message, cx))
    }

    fn on_have(&mut self, id: FileId, ranges: crate::message::Ranges, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        let (session, slot) = (current.session, current.slot);
        let saving = self.saving.as_mut().and_then(Saving::outgoing);
        let file = match &mut current.phase {
            ActivePhase::Dump(Negotiation { dump, .. }) if dump.file == id => Some(dump),
            ActivePhase::Bulk(bulk) if bulk.file.file == id => Some(&mut bulk.file),
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
            | ActivePhase::Held => saving.filter(|file| file.file == id),
        };
        let Some(file) = file else {
            return;
        };
        file.on_have(ranges);
        for chunk in file.next(cx.env.limits) {
            cx.send(slot, Message::Chunk { session, chunk });
        }
    }

    /// What was not answered is sent again.
    pub(super) fn on_resend_timeout(&mut self, _own: &UnitState, cx: &mut Context<'_, '_>) {
        if let Some(offered) = self.peer.offered {
            Self::send_proceed(offered, self.mode.resets(), cx);
        }
        if let Some(Leaving { session, slot, why }) = self.peer.leaving {
            cx.send(slot, Message::Leave { session, why });
        }
        self.resend_phase(cx);
        if let Some(saving) = &mut self.saving {
            saving.resend(cx);
        }
        cx.rearm_resend();
    }

    fn resend_phase(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        let (session, slot) = (current.session, current.slot);
        match &mut current.phase {
            ActivePhase::Dump(Negotiation { dump, .. }) => {
                for chunk in dump.again(cx.env.limits) {
                    cx.send(slot, Message::Chunk { session, chunk });
                }
            }
            ActivePhase::Config => cx.send(slot, current.verdict(cx)),
            ActivePhase::Bulk(bulk) => {
                bulk.announce(session, slot, cx);
                for chunk in bulk.file.again(cx.env.limits) {
                    cx.send(slot, Message::Chunk { session, chunk });
                }
            }
            ActivePhase::HotSent => {
                cx.send(slot, Message::Hot { session, lsn: current.h });
                current.resend_lines(cx);
            }
            ActivePhase::Cold | ActivePhase::HotAcked | ActivePhase::Setting | ActivePhase::Hot => {
                current.resend_lines(cx);
            }
            // The Standby asks, or the driver is at it.
            ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Rejected { .. }
            | ActivePhase::Held => {}
        }
    }

    /// Says that the session is alive, and what the pair is.
    pub(super) fn send_keepalive(&self, cx: &mut Context<'_, '_>) {
        let Some(current) = &self.peer.current else {
            return;
        };
        let digest = current.sender.as_ref().map_or(Digest::default(), Sender::digest);
        let held = if self.is_hot() { HeldBy::Register } else { HeldBy::Nobody };
        let (session, lsn) = (current.session, self.last);
        let (mode, counter) = (self.mode.redundancy(), self.register.counter());
        let alive = Message::Keepalive { session, lsn, digest, mode, held, counter };
        cx.send(current.slot, alive);
    }

    /// Leaves the session, clearing the register if it names it or may come to name it.
    pub(super) fn leave(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = &self.peer.current else {
            return;
        };
        let (session, slot) = (current.session, current.slot);
        if !why.keeps_replica() || why == LeaveWhy::Watchdog {
            // It is dropped, or nobody knows whether the unit is there.
            self.peer.replica = None;
        }
        if !matches!(why, LeaveWhy::Operator | LeaveWhy::Retry) {
            self.count_attempt(why, cx);
        }
        self.end_current(why, cx);
        cx.send(slot, Message::Leave { session, why });
        self.peer.leaving = Some(Leaving { session, slot, why });
        cx.set(Timer::Resend);
        self.clear_register(cx);
        self.end_drain(Refusal::LeftHot, cx);
    }

    /// The session is over; its journal goes with it.
    fn end_current(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current.take() else {
            return;
        };
        let session = current.session;
        self.peer.ended = self.peer.ended.max(Some(session.round()));
        cx.cancel(&[Timer::Watchdog, Timer::Keepalive, Timer::Ack, Timer::Deadline, Timer::Stable]);
        self.prompts.unmark();
        cx.event(Event::SessionEnded { session, why });
        self.give_up_save(cx);
    }

    /// Clears the register unless it is clear; prompts stay held until that is confirmed.
    fn clear_register(&mut self, cx: &mut Context<'_, '_>) {
        if self.register.value().is_some() && !cx.env.planted(Defect::RegisterNotCleared) {
            self.write_register(None, cx);
        } else if !self.holds_prompts() {
            self.return_local(cx);
        }
    }

    /// The phase took too long.
    pub(super) fn on_deadline_timeout(&mut self, cx: &mut Context<'_, '_>) {
        let waits = match self.peer.phase() {
            Some(ActivePhase::Hot | ActivePhase::Rejected { .. } | ActivePhase::Held) | None => {
                false
            }
            // Only the arbiter is waited for.
            Some(ActivePhase::Config | ActivePhase::Setting) => !self.register.is_open(),
            Some(
                ActivePhase::Dump(_)
                | ActivePhase::Diff(_)
                | ActivePhase::Pairing
                | ActivePhase::Bulk(_)
                | ActivePhase::Cold
                | ActivePhase::HotSent
                | ActivePhase::HotAcked,
            ) => true,
        };
        if waits {
            let lines = self.peer.phase().is_some_and(ActivePhase::sends_lines);
            let phase = if lines { SyncPhase::Line } else { SyncPhase::Bulk };
            self.exceed(phase, LeaveWhy::Deadline, cx);
            self.leave(LeaveWhy::Deadline, cx);
        }
    }

    /// The Standby cannot read the snapshot, or a Line.
    fn on_unreadable(&mut self, lsn: Lsn, why: Unreadable, cx: &mut Context<'_, '_>) {
        let Some(current) = &self.peer.current else {
            return;
        };
        match &current.phase {
            ActivePhase::Bulk(bulk) if bulk.lsn == lsn => {
                cx.event(Event::Unreadable(why));
                self.count_attempt(LeaveWhy::Unreadable, cx);
                if !self.mode.is_lesser() {
                    self.leave(LeaveWhy::Unreadable, cx);
                } else {
                    self.mode.end_pause();
                    cx.cancel(&[Timer::Pace]);
                    self.reject(lsn, self.lesser_verdict(), cx);
                }
            }
            ActivePhase::Rejected { lsn: judged, verdict, why } if *judged == lsn => {
                let (session, slot) = (current.session, current.slot);
                let reject = Message::BulkReject { session, lsn, verdict: *verdict, why: *why };
                cx.send(slot, reject);
            }
            phase if phase.sends_lines() && lsn > current.acked => {
                cx.event(Event::Unreadable(why));
                self.leave(LeaveWhy::Unreadable, cx);
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
                cx.ignore(crate::message::MessageKind::Unreadable);
            }
        }
    }
}

impl ActiveSession {
    fn new(offered: Offered, phase: ActivePhase) -> Self {
        let Offered { session, slot, image, engine, bounds, wire } = offered;
        Self {
            session,
            slot,
            image,
            engine,
            bounds,
            wire,
            pairing: None,
            phase,
            sender: None,
            journal: BTreeMap::new(),
            sent_to: Lsn(0),
            acked: Lsn(0),
            acked_digest: Digest::default(),
            h: Lsn(0),
            held_out: BTreeSet::new(),
            held_further: 0,
            saves: 0,
            counted: false,
        }
    }
}

impl Bulk {
    /// Announces the snapshot.
    pub(super) fn announce(&self, session: Session, slot: Slot, cx: &mut Context<'_, '_>) {
        let (lsn, listing_at) = (self.lsn, self.listing_at);
        let (size, digest) = (self.file.bytes.len() as u64, self.file.bytes.digest());
        cx.send(slot, Message::Config { session, lsn, size, listing_at, digest });
    }
}
