//! A config that the Active has the Standby save.

use super::super::file::Incoming;
use super::super::file::receive;
use super::super::output::Event;
use super::super::receiver::Receiver;
use super::super::state::{Context, UnitState, Write};
use super::super::store::{Record, Store};
use super::{Standby, StandbySession};
use crate::digest::{Digest, Shared};
use crate::message::{Chunk, Message, SaveResult, Session, Stamp};

/// What `Save` announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaveHeader {
    /// The save's number in the session.
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

impl Standby {
    /// A store that the Active asked for is durable, or is not.
    pub(in crate::unit) fn on_saved(
        &mut self,
        session: Session,
        save: u32,
        result: SaveResult,
        cx: &mut Context<'_, '_>,
    ) {
        if let Some(seat) = self.seat.as_mut().filter(|seat| seat.session == session) {
            seat.saved = Some((save, result));
            cx.send(seat.active, Message::Saved { session, save, result });
        }
    }
}

impl StandbySession {
    pub(super) fn on_save(
        &mut self,
        header: SaveHeader,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) {
        if let Some((save, result)) = self.saved.filter(|(save, _)| *save >= header.save) {
            if save == header.save {
                cx.send(self.active, Message::Saved { session: self.session, save, result });
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

    pub(super) fn on_save_chunk(
        &mut self,
        chunk: &Chunk,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) {
        let newer = self.saving_file.as_ref().is_none_or(|file| file.file < chunk.file);
        if newer {
            let file = Incoming::new(chunk.file, chunk.size, chunk.digest);
            self.saving_file = Some(file);
        }
        let (session, active) = (self.session, self.active);
        if let Some(file) = self.saving_file.as_mut().filter(|file| file.file == chunk.file) {
            receive(file, chunk, session, active, cx);
        }
        self.store(own, cx);
    }

    /// Writes the store once what is to be saved is whole.
    pub(super) fn store(&mut self, own: &mut UnitState, cx: &mut Context<'_, '_>) {
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
        let origin_at = header.origin_at as usize;
        let config = &bytes[..origin_at];
        let read = Receiver::from_file(cx.env, self.pairing.as_ref(), config, header.listing_at);
        let receiver = match read {
            Ok((receiver, _)) => receiver,
            Err(why) => {
                cx.event(Event::Unreadable(why));
                let (save, result) = (header.save, SaveResult::Unreadable);
                self.saved = Some((save, result));
                let saved = Message::Saved { session, save, result };
                return cx.send(self.active, saved);
            }
        };
        let store = Store {
            text: receiver.running(cx.env).text(),
            stamp: header.stamp,
            listing: Shared::new(receiver.missing(cx.env).encode()),
            origin: Shared::new(bytes[origin_at..].to_vec()),
        };
        let write = Write::PeerSave { store: store.clone(), session, save: header.save };
        own.persist(write, Record::Store(store), cx);
    }
}
