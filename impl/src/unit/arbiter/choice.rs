//! What the arbiter offers, to whom, and what of the units' configs is on the line of history.

use alloc::vec::Vec;

use super::{Accepted, Arbiter, KnownUnit, Offer};
use crate::ids::{Lsn, Slot, Term};
use crate::message::{Eligible, Origin, Said, Stamp};
use crate::planted::{Defect, Planted};

impl Arbiter {
    /// What is offered next, and to whom; the term is the last one. With the stamp of a store off
    /// the line.
    pub(super) fn candidate(&self, planted: Planted) -> Option<(Offer, Option<Stamp>)> {
        let offer = |slot, boot, origin| Offer {
            term: self.term,
            slot,
            boot,
            origin,
            bound: None,
            hello: 0,
            held: Term(0),
        };
        if let Some(Eligible { session, slot, lsn }) = self.register {
            let origin = Origin::Stateful { session, lsn };
            return Some((offer(slot, session.standby, origin), None));
        }
        let mut known: Vec<(Slot, Said)> =
            self.known.iter().filter_map(|(slot, known)| Some((*slot, known.said?))).collect();
        if planted.is(Defect::NoOfferOnRejoin) {
            let last = self.holder.map(|holder| holder.slot);
            known.retain(|(slot, _)| Some(*slot) != last);
        }
        let on_line = |stamp: Stamp, memory: Memory| {
            let planted = planted.is(Defect::OffLineOffered) && memory != Memory::Replica
                || planted.is(Defect::OffLineReplica) && memory == Memory::Replica;
            planted || self.on_line(stamp, memory)
        };
        let mut best = None;
        for (slot, unit) in &known {
            let said = [
                (unit.running, Memory::Running),
                (unit.replica, Memory::Replica),
                (Some(unit.startup), Memory::Startup),
            ];
            for (stamp, memory) in said {
                if let Some(stamp) = stamp.filter(|stamp| on_line(*stamp, memory)) {
                    best = best.max(Some(rank(stamp, memory, *slot)));
                }
            }
        }
        // Of a store off the line nothing is asked.
        let bound = best.and_then(|(term, ..)| self.bound(term));
        let mut off_line = None;
        if best.is_none() {
            let off = known.iter().map(|(slot, unit)| rank(unit.startup, Memory::Startup, *slot));
            best = off.max();
            off_line = best.map(|(term, _, lsn, ..)| Stamp { term, lsn });
        }
        let (term, _, lsn, memory, core::cmp::Reverse(slot)) = best?;
        let KnownUnit { boot, hello, .. } = self.known[&slot];
        let (origin, hello) = match memory {
            Memory::Running => (Origin::Resume, 0),
            Memory::Replica => {
                let stamp = Stamp { term, lsn };
                (Origin::Stale { stamp }, 0)
            }
            Memory::Startup => (Origin::Cold, hello),
        };
        let held = self.lost.map_or(Term(0), |_| term);
        let offer = Offer { bound, hello, held, ..offer(slot, boot, origin) };
        Some((offer, off_line))
    }

    /// The LSN beyond which what was held in a term is off the line: a unit may have gone on since
    /// its Hello.
    fn bound(&self, held: Term) -> Option<Lsn> {
        let later = self.line.iter().filter(|accepted| accepted.term > held);
        later.map(|accepted| accepted.from).min()
    }

    /// Whether no later term was taken over from before this stamp, as far as is known. While
    /// nothing is known of the line, what is of the latest term that a unit has seen is on it.
    pub fn on_line(&self, stamp: Stamp, memory: Memory) -> bool {
        if let Some(lost) = self.lost {
            return stamp.term == lost.seen;
        }
        let mut later = self.line.iter().filter(|later| later.term > stamp.term);
        let warm = memory != Memory::Startup;
        stamp.term >= self.floor
            && !(warm && self.cold > stamp.term)
            && later.all(|later| later.from >= stamp.lsn)
    }

    /// A term was taken over at an LSN. Of the entries that count the least LSN decides: an earlier
    /// one that is no less says nothing more. Of the two oldest beyond `most` one is left that says
    /// at least as much as both.
    pub(super) fn enter(&mut self, accepted: Accepted, most: usize) {
        self.line.retain(|earlier| earlier.from < accepted.from);
        self.line.push(accepted);
        while self.line.len() > most {
            let oldest = self.line.remove(0);
            if let Some(next) = self.line.first_mut() {
                next.from = oldest.from;
            }
        }
    }
}

/// Where a unit holds a config, in the order in which equal stamps are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Memory {
    /// On its disk.
    Startup,
    /// Beside what it runs.
    Replica,
    /// It ran it last.
    Running,
}

/// The order among configs on the line: term; running; LSN; replica before startup; lower slot.
///
/// What is known of a running config is its last Renew. It has gone on since, and everything else
/// of its term is a prefix of it.
type Rank = (Term, bool, Lsn, Memory, core::cmp::Reverse<Slot>);

const fn rank(stamp: Stamp, memory: Memory, slot: Slot) -> Rank {
    let running = matches!(memory, Memory::Running);
    (stamp.term, running, stamp.lsn, memory, core::cmp::Reverse(slot))
}
