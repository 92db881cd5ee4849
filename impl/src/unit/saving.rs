//! `save`, at the Active: the running config into both units' startup stores (PROTOCOL.md, section
//! 5).

use super::file::Outgoing;
use super::output::Outcome;
use super::peer::ActiveSession;
use super::sender::Sender;
use super::state::Context;
use crate::digest::{Digest, Shared};
use crate::ids::{CommandId, Slot};
use crate::message::{FileId, FileKind, Message, SaveResult, Session, Stamp};

/// A save under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Saving {
    /// The operator's request.
    id: CommandId,
    /// What became of it here.
    own: Option<SaveResult>,
    /// The other unit's part, if one is in session.
    peer: Option<PeerSave>,
}

/// The other unit's part of a save.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PeerSave {
    /// The session.
    session: Session,
    /// The Standby's slot.
    slot: Slot,
    /// Where the config stands in history.
    stamp: Stamp,
    /// The file.
    file: Outgoing,
    /// Where its listing begins.
    listing_at: u64,
    /// Where its origin begins.
    origin_at: u64,
    /// What became of it there.
    result: Option<SaveResult>,
}

impl Saving {
    /// The own store is being written; the other unit's file goes out, if it is to have one.
    pub(super) fn begin(id: CommandId, peer: Option<PeerSave>, cx: &mut Context<'_, '_>) -> Self {
        let mut saving = Self { id, own: None, peer };
        if let Some(peer) = saving.open() {
            peer.announce(cx);
            peer.send_next(cx);
        }
        debug_assert!(!saving.is_done(), "the own store is not durable yet");
        saving
    }

    /// What became of it here.
    pub(super) const fn note_own(&mut self, result: SaveResult) {
        self.own = Some(result);
    }

    /// What became of it there, if it is this save of this session.
    pub(super) fn note_peer(&mut self, session: Session, save: u32, result: SaveResult) {
        let is_it = |peer: &&mut PeerSave| peer.session == session && peer.ordinal() == save;
        if let Some(peer) = self.peer.as_mut().filter(is_it) {
            peer.result = Some(result);
        }
    }

    /// The own disk did not say in time.
    pub(super) fn give_up_own(&mut self) {
        self.own.get_or_insert(SaveResult::NoAnswer);
    }

    /// The other unit will not say.
    pub(super) fn give_up_peer(&mut self) {
        if let Some(peer) = &mut self.peer {
            peer.result.get_or_insert(SaveResult::NoAnswer);
        }
        debug_assert!(self.open().is_none(), "nothing goes out any more");
    }

    /// Whether nothing is waited for any more.
    pub(super) fn is_done(&self) -> bool {
        self.own.is_some() && self.peer.as_ref().is_none_or(|peer| peer.result.is_some())
    }

    /// All is known: the operator is told.
    pub(super) fn end(self, cx: &mut Context<'_, '_>) {
        debug_assert!(self.is_done(), "both results are known");
        let peer = self.peer.and_then(|peer| peer.result);
        let own = self.own.unwrap_or(SaveResult::NoAnswer);
        cx.answer(self.id, Outcome::Saved { own, peer });
    }

    /// The role ends before all is known.
    pub(super) fn give_up(self, cx: &mut Context<'_, '_>) {
        cx.answer(self.id, Outcome::Unknown);
    }

    /// The other unit's file, if it goes out.
    pub(super) fn outgoing(&mut self) -> Option<&mut Outgoing> {
        self.peer.as_mut().map(|peer| &mut peer.file)
    }

    /// Sends again what was not answered.
    pub(super) fn resend(&mut self, cx: &mut Context<'_, '_>) {
        if let Some(peer) = self.open() {
            peer.announce(cx);
            for chunk in peer.file.again(cx.env.limits) {
                cx.send(peer.slot, Message::Chunk { session: peer.session, chunk });
            }
        }
    }

    /// The other unit's file, and where in it the listing begins.
    #[cfg(any(test, feature = "faults"))]
    pub(super) fn file(&self) -> Option<(crate::message::Bytes, u64)> {
        let peer = self.peer.as_ref()?;
        Some((peer.file.bytes.clone(), peer.listing_at))
    }

    /// The other unit's part, while its result is not known.
    fn open(&mut self) -> Option<&mut PeerSave> {
        self.peer.as_mut().filter(|peer| peer.result.is_none())
    }
}

impl PeerSave {
    /// The next save of a session: the config as the Standby reads it, and after it the text from
    /// which it comes.
    pub(super) fn new(
        current: &mut ActiveSession,
        sender: &Sender,
        origin: &str,
        stamp: Stamp,
        cx: &Context<'_, '_>,
    ) -> Self {
        let (config, listing_at) = sender.file(cx.env.planted);
        let origin_at = config.len() as u64;
        let mut bytes = config.to_vec();
        bytes.extend_from_slice(origin.as_bytes());
        let bounds = current.bounds();
        let fits = bytes.len() as u64 <= bounds.file && sender.fits(bounds);
        let id = FileId { kind: FileKind::Save, ordinal: current.next_save().into() };
        debug_assert!(listing_at <= origin_at, "the listing is of the config");
        Self {
            session: current.session(),
            slot: current.slot(),
            stamp,
            file: Outgoing::new(id, Shared::new(bytes)),
            listing_at,
            origin_at,
            result: (!fits).then_some(SaveResult::TooLarge),
        }
    }

    /// The number of the save in its session.
    const fn ordinal(&self) -> u32 {
        self.file.file.ordinal as u32
    }

    fn announce(&self, cx: &mut Context<'_, '_>) {
        let (session, stamp, save) = (self.session, self.stamp, self.ordinal());
        let digest: Digest = self.file.bytes.digest();
        let size = self.file.bytes.len() as u64;
        let (listing_at, origin_at) = (self.listing_at, self.origin_at);
        let message = Message::Save { session, save, stamp, size, listing_at, origin_at, digest };
        cx.send(self.slot, message);
    }

    /// Sends what the window admits.
    fn send_next(&mut self, cx: &mut Context<'_, '_>) {
        for chunk in self.file.next(cx.env.limits) {
            cx.send(self.slot, Message::Chunk { session: self.session, chunk });
        }
    }
}
