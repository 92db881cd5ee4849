//! The states that a unit shows, by the names of CISCO-RF-MIB (PROTOCOL.md, section 3).

use core::fmt;

use super::active::Active;
use super::peer;
use super::standby::{At, StandbyPhase};
use super::{Role, Unit};
use crate::message::{HeldBy, Redundancy, Stamp, Verdict};

/// A state as operators know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RfState {
    /// Nothing is known of the unit.
    Unknown,
    /// It is away.
    Disabled,
    /// It asks for a session.
    Initialization,
    /// The images are compared.
    Negotiation,
    /// rpr.
    StandbyCold,
    /// The running config comes.
    StandbyColdConfig,
    /// It is executed into the shadow and verified.
    StandbyColdFilesys,
    /// Lines are applied; not hot yet.
    StandbyColdBulk,
    /// It may take over statefully.
    StandbyHot,
    /// It acts.
    Active,
    /// It acts, and hands over.
    ActiveDrain,
}

impl RfState {
    /// The name, as operators know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Disabled => "DISABLED",
            Self::Initialization => "INITIALIZATION",
            Self::Negotiation => "NEGOTIATION",
            Self::StandbyCold => "STANDBY COLD",
            Self::StandbyColdConfig => "STANDBY COLD-CONFIG",
            Self::StandbyColdFilesys => "STANDBY COLD-FILESYS",
            Self::StandbyColdBulk => "STANDBY COLD-BULK",
            Self::StandbyHot => "STANDBY HOT",
            Self::Active => "ACTIVE",
            Self::ActiveDrain => "ACTIVE-DRAIN",
        }
    }

    /// The number shown: the MIB's value less 1.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Disabled => 1,
            Self::Initialization => 2,
            Self::Negotiation => 3,
            Self::StandbyCold => 4,
            Self::StandbyColdConfig => 5,
            Self::StandbyColdFilesys => 6,
            Self::StandbyColdBulk => 7,
            Self::StandbyHot => 8,
            Self::Active => 13,
            Self::ActiveDrain => 10,
        }
    }
}

/// What a Standby that is not hot would take over with, beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaShown {
    /// Where the config stands.
    pub stamp: Stamp,
    /// How many changes of its term it lacks, as far as the unit heard of them.
    pub behind: u64,
}

impl fmt::Display for ReplicaShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stamp, behind } = self;
        write!(f, "replica of LSN {}, {behind} behind", stamp.lsn)
    }
}

impl Unit {
    /// What the unit would take over with beside what it shows; none of one that is hot, that acts
    /// or is to act, or that has nothing but its startup store.
    pub fn replica_shown(&self) -> Option<ReplicaShown> {
        let Role::Standby(standby) = &self.part else {
            return None;
        };
        let stamp = standby.replica_stamp()?;
        let heard = standby.replica.as_ref().map_or(stamp.lsn, |replica| replica.heard);
        let shown = ReplicaShown { stamp, behind: heard.0.saturating_sub(stamp.lsn.0) };
        (self.rf_state() != RfState::StandbyHot).then_some(shown)
    }

    /// What the unit shows of itself.
    pub fn rf_state(&self) -> RfState {
        match &self.part {
            Role::Holder(_) => RfState::Initialization,
            Role::Active(active) if active.drains() => RfState::ActiveDrain,
            Role::Active(_) => RfState::Active,
            Role::Standby(standby) => {
                let Some(seat) = &standby.seat else {
                    return RfState::Initialization;
                };
                match &seat.phase {
                    StandbyPhase::Held => RfState::Initialization,
                    StandbyPhase::Ready { .. }
                    | StandbyPhase::Dump(_)
                    | StandbyPhase::Pairing
                    | StandbyPhase::Diffed { .. } => RfState::Negotiation,
                    StandbyPhase::Config { .. } => RfState::StandbyColdConfig,
                    StandbyPhase::Shadow(_) | StandbyPhase::Unread { at: At::Snapshot, .. } => {
                        RfState::StandbyColdFilesys
                    }
                    StandbyPhase::Rpr => RfState::StandbyCold,
                    StandbyPhase::Synced { .. } | StandbyPhase::Unread { at: At::Line, .. } => {
                        match seat.told.1 {
                            HeldBy::Register => RfState::StandbyHot,
                            HeldBy::Nobody => RfState::StandbyColdBulk,
                        }
                    }
                }
            }
        }
    }
}

impl Active {
    /// What the Active shows of its peer.
    pub fn peer_rf_state(&self) -> RfState {
        match self.peer().phase() {
            None if self.peer().offered().is_some() => RfState::Initialization,
            None => RfState::Disabled,
            Some(phase) => match phase {
                peer::ActivePhase::Dump(_)
                | peer::ActivePhase::Diff(_)
                | peer::ActivePhase::Pairing => RfState::Negotiation,
                peer::ActivePhase::Config | peer::ActivePhase::Bulk(_) => {
                    RfState::StandbyColdConfig
                }
                peer::ActivePhase::Cold
                | peer::ActivePhase::HotSent
                | peer::ActivePhase::HotAcked
                | peer::ActivePhase::Setting => RfState::StandbyColdBulk,
                peer::ActivePhase::Hot => RfState::StandbyHot,
                peer::ActivePhase::Rejected { verdict: Verdict::Rpr, .. } => RfState::StandbyCold,
                peer::ActivePhase::Rejected { .. } | peer::ActivePhase::Held => {
                    RfState::Initialization
                }
            },
        }
    }

    /// The mode of redundancy that the pair is in.
    pub fn redundancy(&self) -> Redundancy {
        match self.peer().phase() {
            None | Some(peer::ActivePhase::Held) => Redundancy::Simplex,
            Some(peer::ActivePhase::Hot) => Redundancy::Sso,
            Some(_) => match self.mode().redundancy() {
                Redundancy::Sso => Redundancy::Rpr,
                lesser => lesser,
            },
        }
    }
}
