//! What units and arbiter say to each other (PROTOCOL.md, section 2).

use super::{MessageKind, Session};
use crate::ids::{BootId, Lsn, Slot, Term};

/// Where a config stands in the role's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The term in which its last change was made or taken over.
    pub term: Term,
    /// Its last change.
    pub lsn: Lsn,
}

/// What the eligibility register holds when it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eligible {
    /// The session whose Standby may take over statefully.
    pub session: Session,
    /// That Standby's slot.
    pub slot: Slot,
    /// The change up to which it must have applied.
    pub lsn: Lsn,
}

/// With what config a unit is to take a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// With what it holds as that session's Standby, at that LSN or later.
    Stateful {
        /// The register's session.
        session: Session,
        /// The register's LSN.
        lsn: Lsn,
    },
    /// With its startup store.
    Cold,
    /// With the running config that it kept.
    Resume,
    /// With the replica that outlived its session, or the config with which it acted before
    /// another unit did.
    Stale {
        /// Its stamp as the unit said it; a newer one serves as well.
        stamp: Stamp,
    },
}

/// What a unit says of its configs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// Stamp of its startup store; zero for the factory default.
    pub startup: Stamp,
    /// Stamp of the config with which it acts or acted in this boot.
    pub running: Option<Stamp>,
    /// Stamp of the replica with which it may take over; none if it declared itself not ready.
    pub replica: Option<Stamp>,
}

/// A Hello: a message of its own, or in a Decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hello {
    /// Its number; grows within the boot, from 1.
    pub k: u64,
    /// The highest term that the unit has seen.
    pub highest: Term,
    /// The latest generation of the arbiter's state that the unit has seen in this boot.
    pub generation: u64,
    /// The latest Ask that the unit heard in this boot; 0: none.
    pub asked: Term,
    /// What the unit says.
    pub said: Said,
}

/// A unit to the arbiter. The sender's slot stands in the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToArbiter {
    /// The unit is there; repeated, and sent at once when it says something else.
    Hello {
        /// Its boot.
        boot: BootId,
        /// What it says.
        hello: Hello,
    },
    /// Accepts an offer, or asks for the lease once more; until the Grant with the same n.
    Renew {
        /// The unit's boot.
        boot: BootId,
        /// The term.
        term: Term,
        /// Number of this request within the term.
        n: u64,
        /// The last LSN.
        lsn: Lsn,
        /// The latest generation of the arbiter's state that the unit has seen in this boot.
        generation: u64,
    },
    /// Refuses an offer.
    Decline {
        /// The unit's boot.
        boot: BootId,
        /// The term.
        term: Term,
        /// By which the arbiter goes on.
        hello: Hello,
    },
    /// The Active writes the register; until the Confirm with the same counter.
    SetRegister {
        /// The Active's term.
        term: Term,
        /// Counter of the write; grows within the term.
        counter: u32,
        /// What is written.
        value: Option<Eligible>,
    },
    /// The Active gives its lease back.
    Release {
        /// Its term.
        term: Term,
        /// Its last LSN.
        lsn: Lsn,
    },
}

/// The arbiter to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToUnit {
    /// Offers a term; until Renew or Decline of it, for `takeover_wait`.
    Offer {
        /// The boot that is meant.
        boot: BootId,
        /// The term.
        term: Term,
        /// With what config.
        origin: Origin,
        /// The LSN beyond which such a config is off the line: a unit whose config goes on
        /// declines. None: there is no such LSN.
        bound: Option<Lsn>,
        /// Number of the Hello by which a startup store is offered: a unit that says something else
        /// since declines. 0: it is no store that is offered, or no Hello of this boot came.
        hello: u64,
        /// The generation of the arbiter's state.
        generation: u64,
    },
    /// Answers the Renew with the same n.
    Grant {
        /// The boot that is meant.
        boot: BootId,
        /// The term.
        term: Term,
        /// The n of the Renew.
        n: u64,
        /// The generation of the arbiter's state.
        generation: u64,
    },
    /// The register's counter.
    Confirm {
        /// The term.
        term: Term,
        /// The stored counter.
        counter: u32,
        /// The generation of the arbiter's state.
        generation: u64,
    },
    /// Answers a Hello of which an arbiter that knows too little cannot say when it was sent.
    Ask {
        /// The boot that is meant.
        boot: BootId,
        /// What the next Hello is to echo: a term that is never offered.
        asked: Term,
    },
}

impl ToArbiter {
    /// The message's kind.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Hello { .. } => MessageKind::Hello,
            Self::Renew { .. } => MessageKind::Renew,
            Self::Decline { .. } => MessageKind::Decline,
            Self::SetRegister { .. } => MessageKind::SetRegister,
            Self::Release { .. } => MessageKind::Release,
        }
    }
}

impl ToUnit {
    /// The generation of the arbiter's state that said it; an Ask tells of none.
    pub const fn generation(&self) -> u64 {
        match self {
            Self::Ask { .. } => 0,
            Self::Offer { generation, .. }
            | Self::Grant { generation, .. }
            | Self::Confirm { generation, .. } => *generation,
        }
    }

    /// The message's kind.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Offer { .. } => MessageKind::Offer,
            Self::Grant { .. } => MessageKind::Grant,
            Self::Confirm { .. } => MessageKind::Confirm,
            Self::Ask { .. } => MessageKind::Ask,
        }
    }
}
