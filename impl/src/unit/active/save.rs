//! `save`, at the Active: the running config goes into both units' startup stores (PROTOCOL.md,
//! section 5).

use super::super::input::Timer;
use super::super::peer::ActivePhase;
use super::super::saving::{PeerSave, Saving};
use super::super::sender::Sender;
use super::super::state::{Context, UnitState, Write};
use super::super::store::{Record, Store};
use super::Active;
use crate::digest::Shared;
use crate::ids::CommandId;
use crate::message::{Redundancy, SaveResult, Session, Stamp};
use crate::translate::Listing;

impl Active {
    /// An operator saves.
    pub(super) fn on_save(&mut self, own: &mut UnitState, id: CommandId, cx: &mut Context<'_, '_>) {
        if self.saves() || self.drains() {
            return Self::refuse_busy(id, cx);
        }
        let stamp = Stamp { term: self.term, lsn: self.last };
        let origin = self.config.text();
        let store = Store {
            text: origin.clone(),
            stamp,
            listing: Shared::new(Listing::default().keep(&self.config.kept).encode()),
            origin: Shared::new(origin.as_bytes().to_vec()),
        };
        own.persist(Write::OwnSave(store.clone()), Record::Store(store), cx);
        let peer = self.peer_save(stamp, cx);
        self.saving = Some(Saving::begin(id, peer, cx));
        cx.set(Timer::Save);
        cx.set(Timer::Resend);
    }

    fn peer_save(&mut self, stamp: Stamp, cx: &Context<'_, '_>) -> Option<PeerSave> {
        if self.mode.redundancy() == Redundancy::Simplex {
            return None;
        }
        let current = self.peer.current_mut().filter(|current| match current.phase() {
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
        let made = || Sender::new(cx.env, current.pairing(), &self.config, stamp);
        let sender = current.sender().cloned().or_else(made)?;
        Some(PeerSave::new(current, &sender, &self.config.text(), stamp, cx))
    }

    /// The own store is durable, or is not.
    pub(in crate::unit) fn on_own_save(&mut self, result: SaveResult, cx: &mut Context<'_, '_>) {
        if let Some(saving) = &mut self.saving {
            saving.note_own(result);
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
        if let Some(saving) = &mut self.saving {
            saving.note_peer(session, save, result);
        }
        self.end_save(cx);
    }

    /// The other unit did not say.
    pub(super) fn on_save_timeout(&mut self, cx: &mut Context<'_, '_>) {
        self.give_up_save(cx);
        if let Some(saving) = &mut self.saving {
            saving.give_up_own();
        }
        self.end_save(cx);
    }

    /// The session ended: the other unit will not say.
    pub(super) fn give_up_save(&mut self, cx: &mut Context<'_, '_>) {
        if let Some(saving) = &mut self.saving {
            saving.give_up_peer();
        }
        self.end_save(cx);
    }

    fn end_save(&mut self, cx: &mut Context<'_, '_>) {
        if let Some(saving) = self.saving.take_if(|saving| saving.is_done()) {
            cx.cancel(&[Timer::Save]);
            saving.end(cx);
        }
    }
}
