//! The protocol's phases, as the table of faults names its columns.

use serde::{Deserialize, Serialize};
use skewsync::ids::Slot;
use skewsync::unit::peer::ActivePhase as Of;
use skewsync::unit::{Active, Role};
use strum::{EnumCount, EnumIter, IntoStaticStr};

use crate::observe::ClusterView;

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

    /// The phase of a scene.
    pub fn of(scene: &dyn ClusterView) -> Self {
        let acting = [Slot(0), Slot(1)].into_iter().find_map(|slot| active(scene, slot));
        let Some(active) = acting else {
            return Self::Vacant;
        };
        if active.drain.is_some() {
            return Self::Drain;
        }
        let Some(current) = &active.peer.current else {
            return Self::Joining;
        };
        match &current.phase {
            Of::Dump(_) | Of::Diff(_) | Of::Pairing => Self::Negotiation,
            Of::Config | Of::Bulk(_) => Self::Bulk,
            Of::Cold => Self::Cold,
            Of::HotSent | Of::HotAcked | Of::Setting => Self::Settling,
            Of::Hot => Self::Hot,
            Of::Rejected { .. } | Of::Held => Self::Degraded,
        }
    }
}

/// The Active in a slot, if a unit acts there.
pub fn active(scene: &dyn ClusterView, slot: Slot) -> Option<&Active> {
    match &scene.unit(slot)?.part {
        Role::Active(active) => Some(active),
        Role::Standby(_) | Role::Holder(_) => None,
    }
}
