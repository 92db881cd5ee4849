//! The protocol's phases, as the table of faults names its columns.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, IntoStaticStr};

use crate::history::{ActivePhase, History};

/// How far the pair is, as seen from true time.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumCount,
    EnumIter,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nobody acts.
    Vacant,
    /// A unit acts, and the other has no session.
    Joining,
    /// Dump, diff and dispositions.
    Negotiation,
    /// The running config is sent, executed and judged.
    Bulk,
    /// Lines are caught up.
    Cold,
    /// From `Hot` to the register's confirmation.
    Settling,
    /// The register is confirmed.
    Hot,
    /// A planned switchover drains.
    Drain,
    /// rpr, or held.
    Degraded,
}

impl Phase {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The phase that a history has come to.
    pub fn from_history(history: &History) -> Self {
        let Some((_, acting)) = history.active() else {
            return Self::Vacant;
        };
        if acting.drains {
            return Self::Drain;
        }
        let Some(session) = &acting.session else {
            return Self::Joining;
        };
        match session.phase {
            ActivePhase::Dump | ActivePhase::Diff | ActivePhase::Pairing => Self::Negotiation,
            ActivePhase::Config | ActivePhase::Bulk => Self::Bulk,
            ActivePhase::Cold => Self::Cold,
            ActivePhase::HotSent | ActivePhase::HotAcked | ActivePhase::Setting => Self::Settling,
            ActivePhase::Hot => Self::Hot,
            ActivePhase::Rejected(_) | ActivePhase::Held => Self::Degraded,
        }
    }
}
