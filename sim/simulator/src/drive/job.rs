//! What the driver wants of whoever runs it: to be told of something later, or something done to a
//! node.

use std::hash::{Hash, Hasher};

use skewsync::ids::{Slot, WriteId};
use skewsync::message::Address;
use skewsync::unit::PairingKey;

use super::Degradation;
use crate::world::link::{Barrier, Packet};

/// What the driver wants to be told of after a while.
#[derive(Clone, Debug)]
pub enum Job {
    /// A packet arrives.
    Deliver(Packet),
    /// A write is durable, or failed.
    Written {
        /// Where.
        slot: Slot,
        /// In which life of the unit it was begun.
        life: u64,
        /// Which.
        write: WriteId,
        /// Whether the disk took it.
        durable: bool,
    },
    /// A pairing is computed.
    Paired {
        /// Where.
        slot: Slot,
        /// In which life of the unit it was asked for.
        life: u64,
        /// Which.
        key: PairingKey,
    },
    /// An event of the plan is due.
    Due {
        /// Its index among the plan's events.
        index: usize,
        /// Its name.
        name: u64,
    },
    /// A unit starts again.
    Restart {
        /// Where.
        slot: Slot,
        /// The life that ended.
        life: u64,
    },
    /// The arbiter starts again.
    RestartArbiter,
    /// A unit runs on.
    Resume {
        /// Where.
        slot: Slot,
        /// Which suspension.
        pause: u64,
    },
    /// Links are whole again.
    Heal(Vec<(Address, Address)>, Barrier),
    /// A link is clogged, as one of several in turn.
    Clog(Address, Address, Barrier),
    /// A link is free again.
    Unclog(Address, Address, Barrier),
    /// A disk takes writes again.
    DiskServes(Slot),
    /// The power goes in the middle of a write.
    Tear {
        /// Where.
        slot: Slot,
        /// In which life of the unit it was begun.
        life: u64,
        /// Which.
        write: WriteId,
        /// How many of its bytes were written.
        bytes: u32,
        /// After how long the unit starts again.
        down_ms: u64,
    },
    /// A degradation of a unit ends.
    EndDegradation {
        /// Where.
        slot: Slot,
        /// What.
        degradation: Degradation,
        /// Its number among all of the run.
        number: u64,
    },
    /// The liveness phase begins.
    FaultsStopped,
}

impl Job {
    /// Writes what tells this job from all others that may be due at its instant. Counters of the
    /// run are no part of it: they count what another plan may not hold.
    pub(crate) fn name(&self, to: &mut impl Hasher) {
        std::mem::discriminant(self).hash(to);
        match self {
            Self::Deliver(packet) => (packet.id, packet.copy).hash(to),
            Self::Written { slot, write, .. } | Self::Tear { slot, write, .. } => {
                (slot, write).hash(to);
            }
            Self::Paired { slot, key, .. } => (slot, key).hash(to),
            Self::Due { name, .. } => name.hash(to),
            Self::Restart { slot, .. } | Self::Resume { slot, .. } | Self::DiskServes(slot) => {
                slot.hash(to);
            }
            Self::Heal(links, _) => links.hash(to),
            Self::Clog(from, towards, _) | Self::Unclog(from, towards, _) => {
                (from, towards).hash(to);
            }
            Self::EndDegradation { slot, degradation, .. } => (slot, degradation).hash(to),
            Self::RestartArbiter | Self::FaultsStopped => {}
        }
    }
}

/// What the driver wants done to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// End its process.
    Kill(Address),
    /// Start it.
    Restart(Address),
    /// Suspend it.
    Pause(Address),
    /// Let it run on.
    Resume(Address),
    /// Send bytes over the world's own sockets.
    Socket {
        /// The sender.
        from: Address,
        /// The receiver.
        to: Address,
        /// The frame, with its number before it.
        bytes: Vec<u8>,
    },
    /// Clog a link of the world's own sockets, or free it.
    SocketClog(Address, Address, bool),
    /// Lose nothing more on the world's own sockets.
    SocketsQuiet,
}
