//! The lease: who has it, and what only its holder may say (PROTOCOL.md, section 2).

use alloc::vec::Vec;

use super::{Accepted, Arbiter, ArbiterEvent, ArbiterOutput, ArbiterTimer, KnownUnit, Offer};
use crate::ids::{BootId, Lsn, Slot, Term};
use crate::message::{Eligible, Origin, Stamp, ToUnit};
use crate::planted::Planted;
use crate::unit::Limits;

/// Who accepted a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseHolder {
    /// The unit.
    pub slot: Slot,
    /// Its boot.
    pub boot: BootId,
    /// The term.
    pub term: Term,
    /// Its lease.
    pub lease: Lease,
}

/// Whether a unit may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lease {
    /// It may.
    Running,
    /// It does not.
    Over,
}

impl Arbiter {
    /// A Renew accepts the open offer that it answers; the holder's is granted.
    pub(super) fn on_renew(
        &mut self,
        limits: &Limits,
        by: (Slot, BootId, Term),
        n: u64,
        lsn: Lsn,
        out: &mut Vec<ArbiterOutput>,
    ) {
        if let Some(offer) = self.open_offer(by) {
            self.accept(limits, offer, lsn, out);
        }
        let (from, boot, term) = by;
        let is_holder = self.holder.is_some_and(|holder| {
            (holder.slot, holder.boot, holder.term) == by && holder.lease == Lease::Running
        });
        if is_holder {
            self.note_running(from, Stamp { term, lsn });
            let message = ToUnit::Grant { boot, term, n, generation: self.generation };
            out.push(ArbiterOutput::Send { to: from, message });
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Lease));
        }
    }

    /// The open offer is answered by its unit's Renew.
    fn accept(&mut self, limits: &Limits, offer: Offer, lsn: Lsn, out: &mut Vec<ArbiterOutput>) {
        let Offer { slot, boot, term, .. } = offer;
        let holder = LeaseHolder { slot, boot, term, lease: Lease::Running };
        assert!(
            self.cold < term && self.line.last().is_none_or(|last| last.term < term),
            "terms are accepted in order"
        );
        self.holder = Some(holder);
        self.offer = None;
        if let Some(said) = self.known.get_mut(&slot).and_then(|known| known.said.as_mut()) {
            // What it took over with is its running config now.
            said.replica = None;
        }
        self.register = None;
        self.counter = 0;
        self.found = None;
        self.asked = None;
        self.heard.clear();
        if let Some(lost) = self.lost.take() {
            self.floor = lost.seen.min(offer.held);
        }
        if offer.origin == Origin::Cold {
            self.cold = term;
        } else {
            self.enter(Accepted { term, from: lsn }, limits.max_accepted as usize);
        }
        self.generation += 1;
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Resend));
        out.push(ArbiterOutput::Event(ArbiterEvent::Accepted(holder)));
    }

    /// The holder writes the register; `counts`: no later write has come.
    pub(super) fn on_set_register(
        &mut self,
        from: Slot,
        term: Term,
        (counter, value): (u32, Option<Eligible>),
        counts: bool,
        out: &mut Vec<ArbiterOutput>,
    ) {
        assert!(self.holds(from, term), "only the holder writes it");
        if counts {
            self.register = value;
            self.counter = counter;
            self.generation += 1;
            if let Some(Eligible { lsn, .. }) = value {
                self.note_running(from, Stamp { term, lsn });
            }
        }
        let (counter, generation) = (self.counter, self.generation);
        let message = ToUnit::Confirm { term, counter, generation };
        out.push(ArbiterOutput::Send { to: from, message });
    }

    /// The holder's own messages say what it runs: its last Hello may be older than its term or
    /// never have come, and its Release may come after its lease is over.
    pub(super) fn note_running(&mut self, slot: Slot, stamp: Stamp) {
        let Some(LeaseHolder { boot, term: held, .. }) = self.holder else {
            return;
        };
        let cold = self.cold == held;
        let unheard = KnownUnit { boot, hello: 0, said: None };
        let known = self.known.entry(slot).or_insert(unheard);
        if known.boot < boot {
            *known = unheard;
        }
        if known.boot == boot {
            let said = known.said.get_or_insert_default();
            if !cold || stamp.lsn > said.startup.lsn {
                said.running = said.running.max(Some(stamp));
            }
        }
    }

    pub(super) fn end_lease(
        &mut self,
        limits: &Limits,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        let Some(holder) = self.holder.as_mut().filter(|holder| holder.lease == Lease::Running)
        else {
            return;
        };
        holder.lease = Lease::Over;
        out.push(ArbiterOutput::Event(ArbiterEvent::LeaseOver(*holder)));
        self.go_on(limits, planted, out);
    }

    /// Nobody holds a lease any more.
    pub(super) fn go_on(
        &mut self,
        limits: &Limits,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        if self.register.is_some() {
            self.offer(limits, planted, out);
        } else {
            self.gather(out);
        }
    }

    pub(super) fn holds(&self, from: Slot, term: Term) -> bool {
        self.holder.is_some_and(|holder| {
            holder.slot == from && holder.term == term && holder.lease == Lease::Running
        })
    }
}
