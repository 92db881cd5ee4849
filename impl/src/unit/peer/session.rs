//! A session, at the Active: how far it is, what its Standby holds, and what goes out in it.
//! Its phases are `phase`'s.

use alloc::vec::Vec;

use super::super::env::PairingKey;
use super::super::file::{Incoming, Outgoing};
use super::super::journal::{Journal, JournalEntry};
use super::super::limits::Verify;
use super::super::pairing::Pairing;
use super::super::sender::{Sender, StuckLine};
use super::super::state::Context;
use super::{ActivePhase, Bulk, Negotiation, Offered};
use crate::digest::ImageDigest;
use crate::ids::{Lsn, Slot};
use crate::message::{
    Bounds, Chunk, Compatibility, Engine, FileId, Message, Missing, RejectWhy, Session, Verdict,
};

/// A session, at the Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActiveSession {
    /// With whom, as it was offered.
    with: Offered,
    /// The pairing; none for equal images, or while it is not computed.
    pairing: Option<PairingKey>,
    phase: ActivePhase,
    /// The translation, from the snapshot on.
    sender: Option<Sender>,
    journal: Journal,
    /// The h of section 2.
    h: Lsn,
    /// What the Standby lacks beside what is stuck here, as it said last.
    missing: Missing,
    /// Saves asked for in this session.
    saves: u32,
    /// Its end counts no more: it was hot for `stable_time`, or it is counted already.
    counted: bool,
}

impl ActiveSession {
    /// The session that a Standby takes.
    pub(super) fn new(with: Offered, phase: ActivePhase) -> Self {
        Self {
            with,
            pairing: None,
            phase,
            sender: None,
            journal: Journal::default(),
            h: Lsn(0),
            missing: Missing::default(),
            saves: 0,
            counted: false,
        }
    }

    /// It goes on to the next phase.
    pub(in crate::unit) fn enter(&mut self, phase: ActivePhase) {
        debug_assert!(self.phase.leads_to(&phase), "one phase leads to the next");
        self.phase = phase;
        debug_assert!(
            !self.phase.sends_lines() || self.sender.is_some(),
            "lines are translated from the snapshot on"
        );
    }

    /// The diff has come whole.
    pub(in crate::unit) fn pair(&mut self, key: PairingKey) {
        debug_assert!(self.pairing.is_none(), "images are paired once in a session");
        self.pairing = Some(key);
        self.enter(ActivePhase::Pairing);
    }

    /// The snapshot goes out, in this translation; the journal begins after it.
    pub(in crate::unit) fn begin_bulk(&mut self, sender: Sender, bulk: Bulk) {
        assert!(self.journal.is_empty(), "the journal begins after the snapshot");
        self.journal = Journal::after(bulk.lsn, bulk.digest);
        self.sender = Some(sender);
        self.enter(ActivePhase::Bulk(bulk));
    }

    /// The shadow is accepted, but for what the Standby lacks: lines go out.
    pub(in crate::unit) fn accept(&mut self, missing: Missing, h: Lsn) {
        self.note_missing(missing);
        debug_assert!(h >= self.journal.acked(), "h is no less than the snapshot");
        self.h = h;
        self.enter(ActivePhase::Cold);
    }

    /// The shadow is refused.
    pub(in crate::unit) fn reject(&mut self, lsn: Lsn, verdict: Verdict, why: RejectWhy) {
        self.enter(ActivePhase::Rejected { lsn, verdict, why });
        self.journal.clear();
        debug_assert!(self.journal.is_empty(), "no line goes out");
    }

    /// A change was executed; it is a line of this translation. One that was refused, or cannot be
    /// sent, is none.
    pub(in crate::unit) fn append(&mut self, lsn: Lsn, sender: Sender, entry: JournalEntry) {
        debug_assert!(self.sender.is_some(), "lines are translated from the snapshot on");
        self.sender = Some(sender);
        if !self.is_rejected() {
            self.journal.append(lsn, entry);
        }
    }

    /// The Standby has all up to this change.
    pub(in crate::unit) fn acknowledge(&mut self, lsn: Lsn) {
        debug_assert!(self.phase.sends_lines(), "what it has was sent");
        self.journal.acknowledge(lsn);
    }

    /// The Standby says what it lacks.
    pub(in crate::unit) fn note_missing(&mut self, missing: Missing) {
        self.missing = missing;
    }

    /// One more save: its number.
    pub(in crate::unit) const fn next_save(&mut self) -> u32 {
        self.saves += 1;
        self.saves
    }

    /// Its end counts no more. Whether it did.
    pub(in crate::unit) const fn count(&mut self) -> bool {
        !core::mem::replace(&mut self.counted, true)
    }

    /// Sends the lines that the window admits.
    pub(in crate::unit) fn send_lines(&mut self, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, .. } = self.with;
        for (lsn, entry) in self.journal.send_next(cx.env.limits.line_window) {
            send_line((session, slot), lsn, entry, cx);
        }
    }

    /// Sends again the lines that are outstanding.
    fn resend_lines(&self, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, .. } = self.with;
        for (lsn, entry) in self.journal.outstanding() {
            send_line((session, slot), lsn, entry, cx);
        }
    }

    /// Sends chunks of a file.
    pub(in crate::unit) fn send_chunks(&self, chunks: Vec<Chunk>, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, .. } = self.with;
        for chunk in chunks {
            cx.send(slot, Message::Chunk { session, chunk });
        }
    }

    /// Sends the dump, if it goes out.
    pub(in crate::unit) fn send_dump(&mut self, cx: &mut Context<'_, '_>) {
        if let ActivePhase::Dump(Negotiation { dump, .. }) = &mut self.phase {
            let chunks = dump.next(cx.env.limits);
            self.send_chunks(chunks, cx);
        }
    }

    /// Announces the snapshot, and sends what the window admits of it.
    pub(in crate::unit) fn send_snapshot(&mut self, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, .. } = self.with;
        if let ActivePhase::Bulk(bulk) = &mut self.phase {
            bulk.announce(session, slot, cx);
            let chunks = bulk.file.next(cx.env.limits);
            self.send_chunks(chunks, cx);
        }
    }

    /// Sends again what was not answered.
    pub(in crate::unit) fn resend(&mut self, cx: &mut Context<'_, '_>) {
        let Offered { session, slot, .. } = self.with;
        match &mut self.phase {
            ActivePhase::Dump(Negotiation { dump, .. }) => {
                let chunks = dump.again(cx.env.limits);
                self.send_chunks(chunks, cx);
            }
            ActivePhase::Config => cx.send(slot, self.verdict(cx)),
            ActivePhase::Bulk(bulk) => {
                bulk.announce(session, slot, cx);
                let chunks = bulk.file.again(cx.env.limits);
                self.send_chunks(chunks, cx);
            }
            ActivePhase::HotSent => {
                cx.send(slot, Message::Hot { session, lsn: self.h });
                self.resend_lines(cx);
            }
            ActivePhase::Cold | ActivePhase::HotAcked | ActivePhase::Setting | ActivePhase::Hot => {
                self.resend_lines(cx);
            }
            // The Standby asks, or the driver is at it.
            ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Rejected { .. }
            | ActivePhase::Held => {}
        }
    }

    /// The file that goes out under this id, but for a save.
    pub(in crate::unit) fn outgoing(&mut self, id: FileId) -> Option<&mut Outgoing> {
        let file = match &mut self.phase {
            ActivePhase::Dump(Negotiation { dump, .. }) => dump,
            ActivePhase::Bulk(bulk) => &mut bulk.file,
            ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Config
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. }
            | ActivePhase::Held => return None,
        };
        (file.file == id).then_some(file)
    }

    /// The diff that comes in, while it does.
    pub(in crate::unit) const fn diff(&mut self) -> Option<&mut Option<Incoming>> {
        match &mut self.phase {
            ActivePhase::Dump(Negotiation { diff, .. }) | ActivePhase::Diff(diff) => Some(diff),
            // The driver is at it, or the Standby has its answer.
            ActivePhase::Pairing
            | ActivePhase::Config
            | ActivePhase::Bulk(_)
            | ActivePhase::Held
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. } => None,
        }
    }

    /// With whom it is, as it was offered.
    pub const fn with(&self) -> Offered {
        self.with
    }

    /// The session.
    pub const fn session(&self) -> Session {
        self.with.session
    }

    /// The Standby's slot.
    pub const fn slot(&self) -> Slot {
        self.with.slot
    }

    /// The Standby's image.
    pub const fn image(&self) -> ImageDigest {
        self.with.image
    }

    /// The Standby's engine.
    pub(in crate::unit) const fn engine(&self) -> Engine {
        self.with.engine
    }

    /// What the Standby takes at most.
    pub(in crate::unit) const fn bounds(&self) -> Bounds {
        self.with.bounds
    }

    /// The pairing; none for equal images, or while it is not computed.
    pub(in crate::unit) const fn pairing(&self) -> Option<&PairingKey> {
        self.pairing.as_ref()
    }

    /// How far it is.
    pub const fn phase(&self) -> &ActivePhase {
        &self.phase
    }

    /// The translation, from the snapshot on.
    pub const fn sender(&self) -> Option<&Sender> {
        self.sender.as_ref()
    }

    /// The changes after what is applied.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The last change that the Standby has.
    pub const fn acked(&self) -> Lsn {
        self.journal.acked()
    }

    /// The h of section 2.
    pub const fn h(&self) -> Lsn {
        self.h
    }

    /// What the Standby lacks beside what is stuck here, as it said last.
    pub const fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Whether its end counts no more.
    pub const fn is_counted(&self) -> bool {
        self.counted
    }

    /// Whether the shadow was refused.
    pub(in crate::unit) const fn is_rejected(&self) -> bool {
        matches!(self.phase, ActivePhase::Rejected { .. })
    }

    /// How many lines the Standby does not hold: those that are stuck here, and those that it told.
    pub(in crate::unit) fn listed(&self) -> u32 {
        let stuck = self.sender.as_ref().map_or(0, Sender::stuck_len);
        stuck as u32 + self.missing.count()
    }

    /// The lines of the Active's config that cannot go.
    pub(in crate::unit) fn stuck(&self, cx: &Context<'_, '_>) -> Vec<StuckLine> {
        let sender = self.sender.as_ref();
        sender.map(|sender| sender.stuck(cx.env)).unwrap_or_default()
    }

    /// Whether the images can be synchronised, as the Standby is told: of the same image, and of a
    /// pairing that could not be made, too.
    pub(in crate::unit) fn verdict(&self, cx: &Context<'_, '_>) -> Message {
        let session = self.session();
        let made = match &self.pairing {
            None if self.phase == ActivePhase::Held => None,
            None => Some((Compatibility::Comp, Compatibility::Comp, 0)),
            Some(key) => (cx.env.pairings)(key).and_then(Pairing::verdict),
        };
        match made {
            Some((compatibility, strict, _))
                if cx.env.limits.verify == Verify::Configured
                    || strict != Compatibility::Incomp =>
            {
                Message::Compatible { session, compatibility }
            }
            Some((_, _, stuck)) => Message::Incompatible { session, stuck },
            None => Message::Incompatible { session, stuck: 0 },
        }
    }
}

#[cfg(any(test, feature = "faults"))]
impl ActiveSession {
    /// A session that is hot at this LSN, for tests: nothing is outstanding, nothing was told.
    pub fn hot(with: Offered, pairing: Option<PairingKey>, sender: Sender, lsn: Lsn) -> Self {
        Self {
            pairing,
            sender: Some(sender),
            journal: Journal::after(lsn, crate::digest::Digest::default()),
            h: lsn,
            ..Self::new(with, ActivePhase::Hot)
        }
    }

    /// The Standby said that it lacks this, for tests.
    pub fn put_missing(&mut self, missing: Missing) {
        self.missing = missing;
    }

    /// Puts it into a phase, whatever led there, for tests.
    pub fn put(&mut self, phase: ActivePhase, h: Lsn) {
        self.phase = phase;
        self.h = h;
    }
}

fn send_line(
    (session, slot): (Session, Slot),
    lsn: Lsn,
    entry: &JournalEntry,
    cx: &mut Context<'_, '_>,
) {
    let JournalEntry { difference, listing, on_mismatch, .. } = entry.clone();
    cx.send(slot, Message::Line { session, lsn, difference, on_mismatch, listing });
}
