//! `save`, at the Active: the running config into both units' startup stores (PROTOCOL.md, section
//! 5).

use super::active::Active;
use super::file::Outgoing;
use super::input::Timer;
use super::output::Outcome;
use super::peer::ActivePhase;
use super::sender::Sender;
use super::state::{Context, UnitState, Write};
use super::store::{Record, Store};
use crate::digest::{Digest, Shared};
use crate::ids::{CommandId, Slot};
use crate::message::{FileId, FileKind, Message, Redundancy, SaveResult, Session, Stamp};

/// A save under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Saving {
    /// The operator's request.
    pub id: CommandId,
    /// What became of it here.
    pub own: Option<SaveResult>,
    /// The other unit's part, if one is in session.
    pub peer: Option<PeerSave>,
}

/// The other unit's part of a save.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerSave {
    /// The session.
    pub session: Session,
    /// The Standby's slot.
    pub slot: Slot,
    /// Where the config stands in history.
    pub stamp: Stamp,
    /// The file.
    pub file: Outgoing,
    /// Where its listing begins.
    pub listing_at: u64,
    /// Where its origin begins.
    pub origin_at: u64,
    /// What became of it there.
    pub result: Option<SaveResult>,
}

impl Active {
    /// An operator saves.
    pub(super) fn on_save(&mut self, own: &mut UnitState, id: CommandId, cx: &mut Context<'_, '_>) {
        if self.saving.is_some() || self.drain.is_some() {
            return Self::refuse_busy(id, cx);
        }
        let stamp = Stamp { term: self.term, lsn: self.last };
        let origin = self.config.text();
        let store = Store {
            text: origin.clone(),
            stamp,
            listing: Shared::new(alloc::vec![]),
            origin: Shared::new(origin.as_bytes().to_vec()),
        };
        own.persist(Write::OwnSave(store.clone()), Record::Store(store), cx);
        let peer = self.peer_save(stamp, cx);
        if let Some(save) = peer.as_ref().filter(|save| save.result.is_none()) {
            save.announce(cx);
        }
        let mut saving = Saving { id, own: None, peer };
        saving.send_next(cx);
        self.saving = Some(saving);
        cx.set(Timer::Save);
        cx.set(Timer::Resend);
    }

    fn peer_save(&mut self, stamp: Stamp, cx: &Context<'_, '_>) -> Option<PeerSave> {
        if self.mode.redundancy() == Redundancy::Simplex {
            return None;
        }
        let current = self.peer.current.as_mut().filter(|current| match current.phase {
            ActivePhase::Dump(_)
            | ActivePhase::Diff(_)
            | ActivePhase::Pairing
            | ActivePhase::Held => false,
            ActivePhase::Config
            | ActivePhase::Bulk(_)
            | ActivePhase::Cold
            | ActivePhase::HotSent
            | ActivePhase::HotAcked
            | ActivePhase::Setting
            | ActivePhase::Hot
            | ActivePhase::Rejected { .. } => true,
        })?;
        let made = || Sender::new(cx.env, current.pairing.as_ref(), &self.config, stamp);
        let sender = current.sender.clone().or_else(made)?;
        current.saves += 1;
        let (config, listing_at) = sender.file(cx.env.planted);
        let origin_at = config.len() as u64;
        let mut bytes = config.to_vec();
        bytes.extend_from_slice(self.config.text().as_bytes());
        let id = FileId { kind: FileKind::Save, ordinal: u64::from(current.saves) };
        let fits = bytes.len() as u64 <= current.bounds.file && sender.fits(current.bounds);
        let file = Outgoing::new(id, Shared::new(bytes));
        let (session, slot) = (current.session, current.slot);
        Some(PeerSave {
            session,
            slot,
            stamp,
            file,
            listing_at,
            origin_at,
            result: (!fits).then_some(SaveResult::TooLarge),
        })
    }

    /// The own store is durable, or is not.
    pub(super) fn on_own_save(&mut self, result: SaveResult, cx: &mut Context<'_, '_>) {
        if let Some(saving) = &mut self.saving {
            saving.own = Some(result);
        }
        self.end_save(cx);
    }

    /// The other unit's result.
    pub(super) fn on_saved(
        &mut self,
        session: Session,
        save: u32,
        result: SaveResult,
        cx: &mut Context<'_, '_>,
    ) {
        let peer = self.saving.as_mut().and_then(|saving| saving.peer.as_mut());
        if let Some(peer) =
            peer.filter(|peer| peer.session == session && peer.file.file.ordinal == u64::from(save))
        {
            peer.result = Some(result);
        }
        self.end_save(cx);
    }

    /// The other unit did not say.
    pub(super) fn on_save_timeout(&mut self, cx: &mut Context<'_, '_>) {
        self.give_up_save(cx);
        if let Some(saving) = &mut self.saving {
            saving.own.get_or_insert(SaveResult::NoAnswer);
        }
        self.end_save(cx);
    }

    /// The session ended: the other unit will not say.
    pub(super) fn give_up_save(&mut self, cx: &mut Context<'_, '_>) {
        if let Some(peer) = self.saving.as_mut().and_then(|saving| saving.peer.as_mut()) {
            peer.result.get_or_insert(SaveResult::NoAnswer);
        }
        self.end_save(cx);
    }

    fn end_save(&mut self, cx: &mut Context<'_, '_>) {
        let Some(saving) = &self.saving else { return };
        let peer = saving.peer.as_ref().map(|peer| peer.result);
        if let (Some(own), None | Some(Some(_))) = (saving.own, peer) {
            cx.cancel(&[Timer::Save]);
            cx.answer(saving.id, Outcome::Saved { own, peer: peer.flatten() });
            self.saving = None;
        }
    }
}

impl PeerSave {
    /// Announces the file.
    pub(super) fn announce(&self, cx: &mut Context<'_, '_>) {
        let (session, stamp) = (self.session, self.stamp);
        let digest: Digest = self.file.bytes.digest();
        let size = self.file.bytes.len() as u64;
        let save = self.file.file.ordinal as u32;
        let (listing_at, origin_at) = (self.listing_at, self.origin_at);
        let message = Message::Save { session, save, stamp, size, listing_at, origin_at, digest };
        cx.send(self.slot, message);
    }
}

impl Saving {
    /// Sends what the window admits.
    pub(super) fn send_next(&mut self, cx: &mut Context<'_, '_>) {
        let Some(peer) = self.peer.as_mut().filter(|peer| peer.result.is_none()) else {
            return;
        };
        for chunk in peer.file.next(cx.env.limits) {
            cx.send(peer.slot, Message::Chunk { session: peer.session, chunk });
        }
    }

    /// Sends again what was not answered.
    pub(super) fn resend(&mut self, cx: &mut Context<'_, '_>) {
        let Some(peer) = self.peer.as_mut().filter(|peer| peer.result.is_none()) else {
            return;
        };
        peer.announce(cx);
        for chunk in peer.file.again(cx.env.limits) {
            cx.send(peer.slot, Message::Chunk { session: peer.session, chunk });
        }
    }
}
