//! What may be due in a run: its rank, and its name.

use std::hash::Hash;
use std::sync::Arc;

use skewsync::message::Address;

use super::agenda::{Item, Rank};
use crate::drive::Job;
use crate::hash::StableHasher;

/// Something that is due.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// A process begins.
    Start(Address),
    /// A machine does what is due in its place.
    Work(Address),
    /// Bytes came over the world's own sockets: their number among all, and they.
    Socket(u64, Arc<[u8]>),
    /// Something that the driver wanted to be told of.
    Job(Job),
    /// The run is judged.
    Judge,
}

impl Item for Due {
    fn rank(&self) -> Rank {
        match self {
            Self::Start(_) => Rank::Start,
            Self::Job(Job::FaultsStopped) => Rank::FaultsStopped,
            Self::Work(_) | Self::Socket(..) | Self::Job(_) => Rank::Common,
            Self::Judge => Rank::Judge,
        }
    }

    fn name(&self, to: &mut StableHasher) {
        std::mem::discriminant(self).hash(to);
        match self {
            Self::Start(place) | Self::Work(place) => place.hash(to),
            Self::Socket(number, _) => number.hash(to),
            Self::Job(job) => job.name(to),
            Self::Judge => {}
        }
    }
}
