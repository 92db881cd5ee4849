//! The Active's peer: who is offered a session, who has one, and who has left one (PROTOCOL.md,
//! 10.2, The Active's peer).
//!
//! ```text
//!   Join -> offered -Ready-> current -Leave-> leaving -Left-> gone
//! ```

mod phase;
mod session;

use alloc::boxed::Box;

use crate::digest::ImageDigest;
use crate::ids::{BootId, Slot};
use crate::message::{Bounds, Engine, LeaveWhy, Round, Session, Stamp};

pub use phase::{ActivePhase, Bulk, Negotiation};
pub use session::ActiveSession;

/// The Standby, or whoever asks to be it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// A session that was offered and not taken yet.
    offered: Option<Offered>,
    current: Option<Box<ActiveSession>>,
    /// A session that was left and whose Standby has not said so.
    leaving: Option<Leaving>,
    /// The newest round whose session is over.
    ended: Option<Round>,
    /// Where the config stands with which the Standby would take over, as far as is known.
    replica: Option<Stamp>,
    /// Image and engine of the last session's Standby.
    software: Option<(ImageDigest, Engine)>,
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

impl Peer {
    /// Offers a session of a round that is newer than all that are known.
    pub(super) fn offer(&mut self, offered: Offered) {
        debug_assert!(self.is_newer(offered.session.round()), "only a newer round is offered one");
        self.offered = Some(offered);
        debug_assert!(self.known(offered.session.round()).is_some(), "the next Join is answered");
    }

    /// The offered session is taken: it is the current one. `replica`: where the config stands
    /// with which its Standby would take over.
    pub(super) fn begin(&mut self, phase: ActivePhase, replica: Option<Stamp>) {
        debug_assert!(self.current.is_none(), "the former session is over");
        let Some(offered) = self.offered.take() else {
            return debug_assert!(false, "a session is offered before it is taken");
        };
        self.leaving = None;
        self.replica = replica;
        self.software = Some((offered.image, offered.engine));
        self.current = Some(Box::new(ActiveSession::new(offered, phase)));
    }

    /// The session is over; its journal goes with it.
    pub(super) fn end(&mut self) -> Option<Session> {
        let session = self.current.take()?.session();
        self.ended = self.ended.max(Some(session.round()));
        debug_assert!(!self.is_newer(session.round()), "what is over does not come back");
        Some(session)
    }

    /// A session that is over is left until its Standby says so.
    pub(super) fn leave(&mut self, leaving: Leaving) {
        debug_assert!(self.current.is_none(), "it is over");
        debug_assert!(self.ended.is_some(), "its round is known");
        self.leaving = Some(leaving);
    }

    /// The Standby has left this session. Whether it is the one that was left.
    pub(super) fn left(&mut self, session: Session) -> bool {
        self.leaving.take_if(|leaving| leaving.session == session).is_some()
    }

    /// What the Standby could take over with is gone, or nobody knows.
    pub(super) const fn forget_replica(&mut self) {
        self.replica = None;
    }

    /// The Standby would take over with this.
    pub(super) fn note_replica(&mut self, stamp: Stamp) {
        debug_assert!(self.current.is_some(), "it says so in a session");
        self.replica = Some(stamp);
    }

    /// The session.
    pub(super) fn current_mut(&mut self) -> Option<&mut ActiveSession> {
        self.current.as_deref_mut()
    }

    /// The session.
    pub fn current(&self) -> Option<&ActiveSession> {
        self.current.as_deref()
    }

    /// The session's phase.
    pub fn phase(&self) -> Option<&ActivePhase> {
        self.current().map(ActiveSession::phase)
    }

    /// Whether it is hot, as far as the Active has learnt of it from the arbiter.
    pub(super) fn is_hot(&self) -> bool {
        self.phase() == Some(&ActivePhase::Hot)
    }

    /// A session that was offered and not taken yet.
    pub const fn offered(&self) -> Option<Offered> {
        self.offered
    }

    /// A session that was left and whose Standby has not said so.
    pub const fn leaving(&self) -> Option<Leaving> {
        self.leaving
    }

    /// The newest round whose session is over.
    pub const fn ended(&self) -> Option<Round> {
        self.ended
    }

    /// Where the config stands with which the Standby would take over, as far as is known.
    pub(super) const fn replica(&self) -> Option<Stamp> {
        self.replica
    }

    /// Image and engine of the last session's Standby.
    pub(super) const fn software(&self) -> Option<(ImageDigest, Engine)> {
        self.software
    }

    /// The session of a round, if it is offered or taken.
    pub(super) fn known(&self, round: Round) -> Option<Offered> {
        let taken = self.current().map(ActiveSession::with);
        let known = [self.offered, taken];
        known.into_iter().flatten().find(|known| known.session.round() == round)
    }

    /// The boot of the latest session's Standby.
    pub(super) fn latest_boot(&self) -> Option<BootId> {
        let current = self.current().map(|current| current.session().round());
        current.or(self.ended).map(|round| round.boot)
    }

    /// Whether a round is newer than all that are known. Boots grow, across a lost disk too: an
    /// older boot's Join that was held back is no reason to turn away from the present one.
    pub(super) fn is_newer(&self, round: Round) -> bool {
        let known = [
            self.offered.map(|offered| offered.session.round()),
            self.current().map(|current| current.session().round()),
            self.ended,
        ];
        known.into_iter().flatten().all(|seen| seen < round)
    }
}

#[cfg(any(test, feature = "faults"))]
impl Peer {
    /// Puts a session in the place of the current one, for tests.
    pub fn put(&mut self, session: ActiveSession) {
        self.current = Some(Box::new(session));
    }
}
