//! The holder of a term without a lease: its config is fixed, and it asks until it acts or a newer
//! Active does (PROTOCOL.md, 10.2, Offers and Lease).
//!
//! ```text
//!   Offer accepted: stateful (S), cold (the store), resume (its own config)
//!        |                                           LeaseLapsed: kept as it was
//!        v        Grant of an own Renew                       |
//!     Holder -----------------------------> Active -----------+---> Holder, kept
//!        |  timer Renew: asks on               | drained or forced: Release
//!        | Proceed of a newer term             v
//!        v                                  Holder, released: takes no Grant, says Release again
//!     Standby <-------------------------------+ Proceed of a newer term
//! ```
//! Source: ours; the seed has no lease. Its switchover is step 452.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Part;
use super::active::Active;
use super::input::{Command, Timer};
use super::output::{Event, Outcome, Refusal};
use super::own::{Cx, Own, echoes};
use super::replica::{Running, listed};
use super::standby::{Proceed, Readiness, Standby};
use crate::base::{Lsn, Shared, Slot, Term};
use crate::message::{Message, Origin, Stamp, ToArbiter, ToUnit};
use crate::planted::Defect;
use crate::translate::listing::Listing;

/// A unit that accepted a term, or had it, and does not act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The term.
    pub term: Term,
    /// Its latest Renew.
    pub n_renew: u64,
    /// The latest Renew that was granted.
    pub granted: u64,
    /// Where its config came from.
    pub origin: Origin,
    /// The config.
    pub config: Running,
    /// Its last LSN.
    pub lsn: Lsn,
    /// What is known to be missing in it.
    pub listed: Vec<Shared<str>>,
    /// The Active that it was in this very term.
    pub kept: Option<Box<Active>>,
    /// Whether it gave the lease back: it sends no Renew of this term, and takes no Grant.
    pub lease: Wish,
    /// Commands that wait for the role to come back or to be gone.
    pub queue: VecDeque<Command>,
}

/// What a holder wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// The lease.
    Lease,
    /// To be rid of it.
    Released,
}

impl Holder {
    /// The running config's stamp, if the unit has acted with one or took one over.
    pub(super) fn running(&self) -> Option<Stamp> {
        let running = self.kept.is_some() || self.origin != Origin::Cold;
        running.then_some(Stamp {
            term: self.term,
            lsn: self.lsn,
        })
    }

    /// Says Renew again, or Release.
    pub(super) fn ask(&self, own: &Own, cx: &mut Cx<'_, '_>) {
        let (boot, term, n, lsn) = (own.boot, self.term, self.n_renew, self.lsn);
        cx.tell(match self.lease {
            Wish::Lease => ToArbiter::Renew { boot, term, n, lsn },
            Wish::Released => ToArbiter::Release { term, lsn },
        });
    }

    /// A timer of a holder.
    pub(super) fn on_timer(&mut self, own: &Own, timer: Timer, cx: &mut Cx<'_, '_>) {
        match timer {
            Timer::Renew => {
                if self.lease == Wish::Lease {
                    self.n_renew += 1;
                }
                self.ask(own, cx);
                cx.set(Timer::Renew);
            }
            Timer::Join => own.send_join(cx),
            // Timers of other parts, that were due when the part changed.
            Timer::Hello
            | Timer::Register
            | Timer::Resend
            | Timer::Watchdog
            | Timer::Keepalive
            | Timer::Ack
            | Timer::Deadline
            | Timer::Drain
            | Timer::Save
            | Timer::Backoff
            | Timer::Stable
            | Timer::Pace => {}
        }
    }

    /// A message from a unit: only a Proceed of a newer term counts.
    pub(super) fn on_message(
        self,
        own: &mut Own,
        from: Slot,
        message: &Message,
        cx: &mut Cx<'_, '_>,
    ) -> Part {
        match Proceed::of(from, message) {
            Some(offer) if offer.session.term > self.term => {
                cx.cancel(&[Timer::Renew]);
                refuse_moved(self.queue, cx);
                superseded(own, self.config, &offer, cx)
            }
            Some(_) | None => {
                cx.ignore(message.kind());
                Part::Holder(self)
            }
        }
    }

    /// A Grant of this unit's boot.
    pub(super) fn on_grant(self, own: &mut Own, term: Term, n: u64, cx: &mut Cx<'_, '_>) -> Part {
        let echoes = echoes(self.granted, n, self.n_renew, cx);
        if term != self.term || !echoes || self.lease == Wish::Released {
            cx.ignore(crate::message::Kind::Grant);
            return Part::Holder(self);
        }
        cx.out.push(super::Output::Lease { term, n });
        cx.cancel(&[Timer::Join]);
        let Self {
            kept,
            origin,
            config,
            lsn,
            listed,
            queue,
            n_renew,
            ..
        } = self;
        let mut active = match kept {
            Some(mut kept) => {
                kept.granted = n;
                kept.n_renew = n_renew;
                kept.arm(cx);
                kept
            }
            None => {
                let stamp = Stamp { term, lsn };
                let says = !cx.env.planted(Defect::TakeoverUnlisted);
                cx.event(Event::Acts {
                    stamp,
                    origin,
                    listed: if says { listed } else { Vec::new() },
                });
                Box::new(Active::new(term, n_renew, n, lsn, config, own.resets))
            }
        };
        active.queue = queue;
        active.settle(own, cx)
    }

    /// A command.
    pub(super) fn on_command(&mut self, command: Command, cx: &mut Cx<'_, '_>) {
        match self.lease {
            Wish::Released => enqueue(&mut self.queue, command, cx),
            Wish::Lease => cx.answer(command.id, Outcome::Refused(Refusal::NotActive)),
        }
    }
}

/// A command waits, if there is room.
pub(super) fn enqueue(queue: &mut VecDeque<Command>, command: Command, cx: &mut Cx<'_, '_>) {
    let bounded = !cx.env.planted(Defect::QueueUnbounded);
    if queue.len() < cx.env.limits.max_queue as usize || !bounded {
        queue.push_back(command);
    } else {
        cx.answer(command.id, Outcome::Refused(Refusal::QueueFull));
    }
}

/// The role is elsewhere: nothing of what waited was executed.
pub(super) fn refuse_moved(queue: VecDeque<Command>, cx: &mut Cx<'_, '_>) {
    if cx.env.planted(Defect::MovedUnanswered) {
        return;
    }
    for command in queue {
        cx.answer(command.id, Outcome::Refused(Refusal::Moved));
    }
}

/// A newer Active acts: this unit becomes its Standby, and keeps its config to tell what was lost.
pub(super) fn superseded(
    own: &mut Own,
    config: Running,
    offer: &Proceed,
    cx: &mut Cx<'_, '_>,
) -> Part {
    cx.event(Event::Superseded {
        term: offer.session.term,
    });
    cx.event(Event::Reset { counted: false });
    if own.waits_for(offer.session) {
        return Part::Standby(Standby::take_seat(own, offer, Some(config), cx));
    }
    if offer.session.term > own.highest {
        own.see(offer.session.term, cx);
    }
    Part::Standby(Standby::join(own, None, Some(config), cx))
}

/// An Offer of this unit's boot, to a unit that does not act.
pub(super) fn on_offer(
    own: &mut Own,
    part: Part,
    term: Term,
    (origin, bound, hello): (Origin, Option<Lsn>, u64),
    cx: &mut Cx<'_, '_>,
) -> Part {
    if let Part::Holder(holder) = &part
        && holder.term == term
    {
        holder.ask(own, cx);
        return part;
    }
    if term <= own.highest {
        own.decline(term, part.says(own), cx);
        return part;
    }
    own.see(term, cx);
    let within = |lsn: Lsn| bound.is_none_or(|bound| lsn <= bound);
    // By an older Hello the arbiter did not know what this unit has by now.
    let said = origin != Origin::Cold || hello >= own.said_since;
    let taken = taken_over(own, &part, origin, cx);
    let Some((config, lsn, listed)) = taken.filter(|(_, lsn, _)| said && within(*lsn)) else {
        cx.event(Event::Declined { term });
        own.decline(term, part.says(own), cx);
        return part;
    };
    let queue = match part {
        Part::Holder(holder) => holder.queue,
        Part::Standby(_) => {
            cx.cancel(&[
                Timer::Resend,
                Timer::Watchdog,
                Timer::Keepalive,
                Timer::Stable,
            ]);
            own.n.0 += 1;
            cx.set(Timer::Join);
            VecDeque::new()
        }
        Part::Active(_) => unreachable!("an Active is offered nothing"),
    };
    let holder = Holder {
        term,
        n_renew: 1,
        granted: 0,
        origin,
        config,
        lsn,
        listed,
        kept: None,
        lease: Wish::Lease,
        queue,
    };
    holder.ask(own, cx);
    cx.set(Timer::Renew);
    Part::Holder(holder)
}

/// The config with which the unit can take over, its LSN, and what is known to be missing in it.
fn taken_over(
    own: &Own,
    part: &Part,
    origin: Origin,
    cx: &mut Cx<'_, '_>,
) -> Option<(Running, Lsn, Vec<Shared<str>>)> {
    match (origin, part) {
        (Origin::Stateful { session, lsn }, Part::Standby(standby)) => {
            let replica = standby.replica.as_ref()?;
            let can = replica.session == session
                && replica.applied >= lsn
                && replica.readiness == Readiness::Ready;
            let taken = || {
                let receiver = &replica.receiver;
                let missing = listed(&receiver.missing(cx.env));
                (receiver.running(), replica.applied, missing)
            };
            can.then(taken)
        }
        (Origin::Stateful { .. }, Part::Holder(_)) => None,
        (Origin::Cold, Part::Standby(_) | Part::Holder(_)) => {
            let store = &own.store;
            let config = Running::boot(cx.env.software, &store.text);
            // What the disk holds was checked by its digest; another version's listing may be read by none.
            let missing = Listing::decode(&store.listing).map(|listing| listed(&listing));
            if missing.is_err() {
                cx.event(Event::ListingUnread);
            }
            Some((config, store.stamp.lsn, missing.unwrap_or_default()))
        }
        (Origin::Resume, Part::Holder(holder)) => {
            holder.running()?;
            let config = if cx.env.planted(Defect::ResumeFromStartup) {
                Running::boot(cx.env.software, &own.store.text)
            } else {
                holder.config.clone()
            };
            Some((config, holder.lsn, holder.listed.clone()))
        }
        (Origin::Resume, Part::Standby(_)) => None,
        (_, Part::Active(_)) => None,
    }
}

/// What the arbiter says, to a unit that is not the Active.
pub(super) fn on_arbiter(own: &mut Own, part: Part, message: ToUnit, cx: &mut Cx<'_, '_>) -> Part {
    match (message, part) {
        (
            ToUnit::Offer {
                boot,
                term,
                origin,
                bound,
                hello,
            },
            part,
        ) if boot == own.boot => on_offer(own, part, term, (origin, bound, hello), cx),
        (ToUnit::Grant { boot, term, n }, Part::Holder(holder)) if boot == own.boot => {
            holder.on_grant(own, term, n, cx)
        }
        // Another boot's, or an answer to what this unit no longer asks.
        (ToUnit::Offer { .. } | ToUnit::Grant { .. } | ToUnit::Confirm { .. }, part) => {
            cx.ignore(message.kind());
            part
        }
    }
}
