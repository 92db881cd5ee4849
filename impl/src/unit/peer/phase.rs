//! The phases of a session, at the Active, and what is on its way in them.
//!
//! ```text
//! Dump | Diff -whole-> Pairing -Paired-> Config -register none-> Bulk
//!                         | incompatible   ^ same image           | BulkDone
//!                         v                                       +-> Rejected
//!                        Held                                     v
//!  Hot <-Confirm- Setting <- HotAcked <-HotAck- HotSent <-------- Cold
//! ```
//! From every phase it may be Held: the Standby says so.

use super::super::file::{Incoming, Outgoing};
use super::super::state::Context;
use crate::digest::Digest;
use crate::ids::{Lsn, Slot};
use crate::message::{Message, RejectWhy, Session, Verdict};

/// How far a session is, at the Active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivePhase {
    /// The dump goes out, the diff comes back.
    Dump(Negotiation),
    /// The diff comes.
    Diff(Option<Incoming>),
    /// The driver makes dispositions.
    Pairing,
    /// Compatible; the register is not known to be clear yet.
    Config,
    /// The snapshot goes out.
    Bulk(Bulk),
    /// Lines go out; the Standby is not asked to be hot yet.
    Cold,
    /// `Hot` was sent; prompts are held from here.
    HotSent,
    /// `HotAck` came.
    HotAcked,
    /// The register is being written.
    Setting,
    /// The register is confirmed.
    Hot,
    /// The shadow was refused.
    Rejected {
        /// The snapshot's LSN.
        lsn: Lsn,
        /// What the Standby does instead.
        verdict: Verdict,
        /// What speaks against it.
        why: RejectWhy,
    },
    /// Incompatible.
    Held,
}

/// The dump on its way out, the diff on its way in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Negotiation {
    /// The dump.
    pub dump: Outgoing,
    /// What of the diff came.
    pub diff: Option<Incoming>,
}

/// The snapshot on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bulk {
    /// The snapshot's LSN.
    pub lsn: Lsn,
    /// The file.
    pub file: Outgoing,
    /// Where in it the listing begins.
    pub listing_at: u64,
    /// The wire digest.
    pub digest: Digest,
    /// Nothing is in it, since nothing of it will be swapped in: the pair is in a lesser mode.
    pub empty: bool,
}

impl ActivePhase {
    /// Whether prompts of `acked` commands are held.
    pub const fn holds_prompts(&self) -> bool {
        matches!(self, Self::HotSent | Self::HotAcked | Self::Setting | Self::Hot)
    }

    /// Whether lines go out.
    pub const fn sends_lines(&self) -> bool {
        matches!(self, Self::Cold | Self::HotSent | Self::HotAcked | Self::Setting | Self::Hot)
    }

    /// Whether the Standby may still be waiting for Compatible.
    pub(in crate::unit) const fn awaits_snapshot(&self) -> bool {
        matches!(self, Self::Config | Self::Bulk(_))
    }

    pub(super) const fn leads_to(&self, to: &Self) -> bool {
        matches!(
            (self, to),
            (Self::Dump(_) | Self::Diff(_), Self::Pairing)
                | (Self::Pairing, Self::Config)
                | (Self::Config, Self::Bulk(_))
                | (Self::Bulk(_), Self::Cold | Self::Rejected { .. })
                | (Self::Cold, Self::HotSent)
                | (Self::HotSent, Self::HotAcked)
                | (Self::HotAcked, Self::Setting)
                | (Self::Setting, Self::Hot)
        ) || matches!(to, Self::Held)
    }
}

impl Bulk {
    /// Announces the snapshot.
    pub(super) fn announce(&self, session: Session, slot: Slot, cx: &mut Context<'_, '_>) {
        let (lsn, listing_at) = (self.lsn, self.listing_at);
        let (size, digest) = (self.file.bytes.len() as u64, self.file.bytes.digest());
        cx.send(slot, Message::Config { session, lsn, size, listing_at, digest });
    }
}
