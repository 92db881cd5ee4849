//! The offer of a term: how it is made, and how it ends without a lease (PROTOCOL.md, section 2).
//! Who is offered it is `choice`'s.

use alloc::vec::Vec;

use super::{Arbiter, ArbiterEvent, ArbiterOutput, ArbiterTimer};
use crate::ids::{BootId, Lsn, Slot, Term};
use crate::message::{Hello, Origin, ToUnit};
use crate::planted::Planted;
use crate::unit::Limits;

/// An offer that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The offered term.
    pub term: Term,
    /// The slot that is offered the role.
    pub slot: Slot,
    /// To which boot.
    pub boot: BootId,
    /// With what config.
    pub origin: Origin,
    /// The LSN beyond which such a config is off the line; none: there is no such LSN.
    pub bound: Option<Lsn>,
    /// Number of the Hello by which a startup store is offered; else 0.
    pub hello: u64,
    /// The term of the offered config's stamp, if the arbiter lost its state before; else 0.
    pub held: Term,
}

impl Arbiter {
    pub(super) fn offer(
        &mut self,
        limits: &Limits,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        assert!(!self.runs(), "offers wait for the lease's end");
        assert!(self.offer.is_none(), "one offer at a time");
        let Some((candidate, off_line)) = self.candidate(planted) else {
            return;
        };
        if let Some(stamp) = off_line {
            out.push(ArbiterOutput::Event(ArbiterEvent::OffTheLine { stamp }));
        }
        if self.is_line_unknown(candidate, limits, planted) {
            out.push(ArbiterOutput::Event(ArbiterEvent::LineUnknown));
        }
        self.term = Term(self.term.0 + 1);
        let offer = Offer { term: self.term, ..candidate };
        self.offer = Some(offer);
        self.generation += 1;
        out.push(ArbiterOutput::Event(ArbiterEvent::Offered(offer)));
        self.send_offer(offer, out);
        out.push(ArbiterOutput::SetTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
    }

    pub(super) fn send_offer(&self, offer: Offer, out: &mut Vec<ArbiterOutput>) {
        let Offer { term, slot, boot, origin, bound, hello, held: _ } = offer;
        let message =
            ToUnit::Offer { boot, term, origin, bound, hello, generation: self.generation };
        out.push(ArbiterOutput::Send { to: slot, message });
    }

    /// The open offer is declined; what its unit says of itself counts at once.
    pub(super) fn on_decline(
        &mut self,
        by: (Slot, BootId, Term),
        hello: Hello,
        out: &mut Vec<ArbiterOutput>,
    ) {
        let Some(offer) = self.open_offer(by) else {
            return;
        };
        self.offer = None;
        self.hear(offer.slot, offer.boot, hello);
        self.clear_offered(offer, out);
        // What has changed elsewhere meanwhile comes in, too.
        self.gather(out);
    }

    /// An offer was declined, or stood long enough: clears what it was made by.
    pub(super) fn clear_offered(&mut self, offer: Offer, out: &mut Vec<ArbiterOutput>) {
        if matches!(offer.origin, Origin::Stateful { .. })
            && let Some(eligible) = self.register.take()
        {
            out.push(ArbiterOutput::Event(ArbiterEvent::PassedOver(eligible)));
        }
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Resend));
    }

    /// The offer that stands, if it is of this unit and term.
    pub(super) fn open_offer(&self, by: (Slot, BootId, Term)) -> Option<Offer> {
        self.offer.filter(|offer| (offer.slot, offer.boot, offer.term) == by)
    }
}
