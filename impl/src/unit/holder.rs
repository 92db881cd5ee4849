//! The holder of a term without a lease: its config is fixed, and it asks until it acts or a newer
//! Active does (PROTOCOL.md, 10.2, Offers and Lease).
//!
//! ```text
//!   Offer accepted: stateful (S), cold (the store), resume (its own config)
//!        |                                              LeaseLapsed: suspended
//!        v        Grant of an own Renew                       |
//!     Holder -----------------------------> Active -----------+---> Holder, suspended
//!        |  timer Renew: asks on               | drained or forced: Release
//!        | Proceed of a newer term             v
//!        v                                  Holder, released: takes no Grant, says Release again
//!     Standby <-------------------------------+ Proceed of a newer term
//! ```
//! Source: ours; the seed has no lease. Its switchover is step 452.

mod takeover;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Role;
use super::active::Active;
use super::input::{Command, Timer};
use super::output::{Event, Outcome, Refusal};
use super::queue::Queue;
use super::running::Running;
use super::standby::{Former, Proceed, Readiness, Standby};
use super::state::{Context, UnitState, echoes};
use crate::digest::Shared;
use crate::ids::{Lsn, Slot, Term};
use crate::message::{Message, Origin, Stamp, ToArbiter, ToUnit};
use crate::planted::Defect;

/// A unit that accepted a term, or had it, and does not act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The term.
    pub term: Term,
    /// Its latest Renew.
    pub n_renew: u64,
    /// The latest Renew that was granted.
    pub granted: u64,
    /// A Grant of this Renew came while the term was being written: the unit acts once that is
    /// done.
    pub waits: Option<u64>,
    /// Where its config came from.
    pub origin: Origin,
    /// The config.
    pub config: Running,
    /// Its last LSN.
    pub lsn: Lsn,
    /// What is known to be missing in it.
    pub listed: Vec<Shared<str>>,
    /// Where its config stood if it outlived its session: what came after it is missing.
    pub gap: Option<Gap>,
    /// The Active that it was in this very term.
    pub suspended: Option<Box<Active>>,
    /// Whether it gave the lease back: it sends no Renew of this term, and takes no Grant.
    pub lease: LeaseWait,
    /// Commands that wait for the role to come back or to be gone. They wait under timer Queue.
    pub queue: Queue,
    /// Whether commands wait here.
    pub queueing: Queueing,
}

/// Whether commands wait at a unit that released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queueing {
    /// They wait.
    Open,
    /// Timer Queue has fired: they are refused at once, until the role changes.
    Closed,
}

/// What a config lacks that outlived its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// Its last change: what was executed after it in this term is missing.
    pub after: Stamp,
    /// The greatest LSN of that term that the unit heard of: so much is missing at least.
    pub heard: Lsn,
}

/// What a holder wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseWait {
    /// The lease.
    Lease,
    /// To be rid of it.
    Released,
}

impl Holder {
    /// The running config's stamp, if the unit has acted with one or took one over.
    pub(super) fn running(&self) -> Option<Stamp> {
        let running = self.suspended.is_some() || self.origin != Origin::Cold;
        running.then_some(Stamp { term: self.term, lsn: self.lsn })
    }

    /// Says Renew again, or Release.
    pub(super) fn ask(&self, own: &UnitState, cx: &mut Context<'_, '_>) {
        let (boot, term, n, lsn) = (own.boot, self.term, self.n_renew, self.lsn);
        cx.tell(match self.lease {
            LeaseWait::Lease => ToArbiter::Renew { boot, term, n, lsn, generation: own.generation },
            LeaseWait::Released => ToArbiter::Release { term, lsn },
        });
    }

    /// A timer of a holder.
    pub(super) fn on_timer(&mut self, own: &UnitState, timer: Timer, cx: &mut Context<'_, '_>) {
        match timer {
            Timer::Renew => {
                if self.lease == LeaseWait::Lease {
                    self.n_renew += 1;
                }
                self.ask(own, cx);
                cx.set(Timer::Renew);
            }
            Timer::Join => own.send_join(cx),
            Timer::Queue => self.on_queue_timeout(cx),
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
            | Timer::Prompt
            | Timer::Pace => {}
        }
    }

    /// The role neither came back nor went: what waits is refused, and so is what comes from now
    /// on.
    fn on_queue_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if self.queue.is_empty() {
            return;
        }
        if self.lease == LeaseWait::Released {
            self.queueing = Queueing::Closed;
        }
        let queue = if cx.env.planted(Defect::RefusedThenExecuted) {
            self.queue.clone()
        } else {
            self.queue.take()
        };
        queue.refuse(&Refusal::NotActive, cx);
    }

    /// A message from a unit: only a Proceed of a newer term counts.
    pub(super) fn on_message(
        self,
        own: &mut UnitState,
        from: Slot,
        message: &Message,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        match Proceed::from_message(from, message) {
            Some(offer) if offer.session.term > self.term => {
                cx.cancel(&[Timer::Renew, Timer::Queue]);
                // What it never ran is its startup store.
                let former = self.running().map(|stamp| Former {
                    stamp,
                    readiness: Readiness::Ready,
                    config: self.config,
                    listed: self.listed,
                });
                self.queue.refuse_moved(cx);
                superseded(own, former, &offer, cx)
            }
            Some(_) | None => {
                cx.ignore(message.kind());
                Role::Holder(self)
            }
        }
    }

    /// A Grant of this unit's boot.
    pub(super) fn on_grant(
        mut self,
        own: &mut UnitState,
        term: Term,
        n: u64,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        let echoes = echoes(self.granted, n, self.n_renew, cx);
        if term != self.term || !echoes || self.lease == LeaseWait::Released {
            cx.ignore(crate::message::MessageKind::Grant);
            return Role::Holder(self);
        }
        if own.is_writing_highest() && !cx.env.planted(Defect::ActsUnwritten) {
            self.waits = Some(n);
            return Role::Holder(self);
        }
        if own.durable < term {
            cx.event(Event::TermUnwritten { term });
        }
        cx.out.push(super::Output::Lease { term, n });
        cx.cancel(&[Timer::Join, Timer::Queue]);
        let Self { suspended, origin, config, lsn, listed, gap, queue, n_renew, .. } = self;
        let mut active = match suspended {
            Some(mut suspended) => {
                suspended.resume((n_renew, n), cx);
                suspended
            }
            None => {
                let stamp = Stamp { term, lsn };
                let says = !cx.env.planted(Defect::TakeoverUnlisted);
                cx.event(Event::Acts {
                    stamp,
                    origin,
                    listed: if says { listed } else { Vec::new() },
                    gap,
                });
                Box::new(Active::new(term, n_renew, n, lsn, config, own.resets))
            }
        };
        active.take_queue(queue);
        active.settle(own, cx)
    }

    /// The term is on the disk, or cannot be: a Grant that came meanwhile counts.
    pub(super) fn on_term_written(mut self, own: &mut UnitState, cx: &mut Context<'_, '_>) -> Role {
        if own.is_writing_highest() {
            return Role::Holder(self);
        }
        match self.waits.take() {
            Some(n) => {
                let term = self.term;
                self.on_grant(own, term, n, cx)
            }
            None => Role::Holder(self),
        }
    }

    /// A command.
    pub(super) fn on_command(&mut self, command: Command, cx: &mut Context<'_, '_>) {
        match (self.lease, self.queueing) {
            (LeaseWait::Released, Queueing::Open) => {
                let first = self.queue.is_empty();
                self.queue.push(command, cx);
                if first {
                    self.arm_queue(cx);
                }
            }
            (LeaseWait::Released, Queueing::Closed)
            | (LeaseWait::Lease, Queueing::Open | Queueing::Closed) => {
                cx.answer(command.id, Outcome::Refused(Refusal::NotActive));
            }
        }
    }

    /// Timer Queue runs from when the first command waits.
    pub(super) fn arm_queue(&self, cx: &mut Context<'_, '_>) {
        if !self.queue.is_empty() && !cx.env.planted(Defect::QueueWithoutDeadline) {
            cx.set(Timer::Queue);
        }
    }
}

/// A newer Active acts: this unit becomes its Standby. Its config is its replica until the next
/// swap.
pub(super) fn superseded(
    own: &mut UnitState,
    mut former: Option<Former>,
    offer: &Proceed,
    cx: &mut Context<'_, '_>,
) -> Role {
    if let Some(former) = &mut former
        && cx.env.planted(Defect::SupersededForgets)
    {
        former.readiness = Readiness::Declared;
    }
    cx.event(Event::Superseded { term: offer.session.term });
    cx.event(Event::Reset { counted: false });
    if own.waits_for(offer.session) {
        let standby = Standby { seat: None, replica: None, former };
        return Role::Standby(standby.take_seat(own, offer, cx));
    }
    if offer.session.term > own.highest {
        own.see(offer.session.term, cx);
    }
    Role::Standby(Standby::join(own, None, former, cx))
}

/// What the arbiter says, to a unit that is not the Active.
pub(super) fn on_arbiter(
    own: &mut UnitState,
    part: Role,
    message: ToUnit,
    cx: &mut Context<'_, '_>,
) -> Role {
    match (message, part) {
        (ToUnit::Offer { boot, term, origin, bound, hello, .. }, part) if boot == own.boot => {
            takeover::on_offer(own, part, term, (origin, bound, hello), cx)
        }
        (ToUnit::Grant { boot, term, n, .. }, Role::Holder(holder)) if boot == own.boot => {
            holder.on_grant(own, term, n, cx)
        }
        // Another boot's, or an answer to what this unit no longer asks.
        (
            ToUnit::Offer { .. }
            | ToUnit::Grant { .. }
            | ToUnit::Confirm { .. }
            | ToUnit::Ask { .. },
            part,
        ) => {
            cx.ignore(message.kind());
            part
        }
    }
}
