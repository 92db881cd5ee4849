//! How an Active ends: its lease lapses, it gives its role back, or a newer one acts (PROTOCOL.md,
//! sections 1 and 6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::Role;
use super::super::holder::{Holder, LeaseWait, Queueing, superseded};
use super::super::input::Timer;
use super::super::output::{Event, Outcome, Refusal};
use super::super::queue::Queue;
use super::super::standby::{Former, Proceed, Readiness};
use super::super::state::{Context, UnitState};
use super::{Active, Releasing};
use crate::message::{Origin, Stamp};
use crate::planted::Defect;

/// The timers of an Active that have to do with its peer and its prompts.
const OF_THE_PEER: [Timer; 12] = [
    Timer::Resend,
    Timer::Register,
    Timer::Watchdog,
    Timer::Keepalive,
    Timer::Ack,
    Timer::Deadline,
    Timer::Drain,
    Timer::Save,
    Timer::Backoff,
    Timer::Stable,
    Timer::Prompt,
    Timer::Pace,
];

impl Active {
    /// The lease is over: prompts are `unknown`, the drain ends, what waits is refused. Nothing of
    /// it was executed, and who knows when the unit acts again.
    pub(in crate::unit) fn lapse(
        mut self: Box<Self>,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        cx.event(Event::Lapsed { term: self.term });
        let mut queue = self.fall_silent(cx);
        if !cx.env.planted(Defect::LapseKeepsQueue) {
            queue.take().refuse(&Refusal::NotActive, cx);
        }
        own.n.0 += 1;
        cx.set(Timer::Join);
        cx.set(Timer::Renew);
        Role::Holder(Holder {
            term: self.term,
            n_renew: self.n_renew,
            granted: self.granted,
            waits: None,
            origin: Origin::Resume,
            config: self.config.clone(),
            lsn: self.last,
            listed: Vec::new(),
            gap: None,
            suspended: Some(self),
            lease: LeaseWait::Lease,
            queue,
            queueing: Queueing::Open,
        })
    }

    /// Gives the role back: executes nothing more.
    pub(super) fn release(
        mut self: Box<Self>,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        self.releasing = Releasing::No;
        if let Some(drain) = self.drain.take() {
            drain.end(Outcome::Released, cx);
        }
        let queue = self.fall_silent(cx);
        own.n.0 += 1;
        let holder = Holder {
            term: self.term,
            n_renew: self.n_renew,
            granted: self.granted,
            waits: None,
            origin: Origin::Resume,
            config: self.config,
            lsn: self.last,
            listed: Vec::new(),
            gap: None,
            suspended: None,
            lease: LeaseWait::Released,
            queue,
            queueing: Queueing::Open,
        };
        holder.ask(own, cx);
        holder.arm_queue(cx);
        cx.set(Timer::Renew);
        cx.set(Timer::Join);
        Role::Holder(holder)
    }

    /// A newer Active acts.
    pub(super) fn stop(
        mut self: Box<Self>,
        own: &mut UnitState,
        offer: &Proceed,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        let queue = self.fall_silent(cx);
        cx.cancel(&[Timer::Renew]);
        queue.refuse_moved(cx);
        let former = Former {
            stamp: Stamp { term: self.term, lsn: self.last },
            config: self.config,
            listed: Vec::new(),
            readiness: Readiness::Ready,
        };
        superseded(own, Some(former), offer, cx)
    }

    /// Stops what only an Active does; prompts return `unknown`. Returns the commands that wait.
    fn fall_silent(&mut self, cx: &mut Context<'_, '_>) -> Queue {
        cx.cancel(&OF_THE_PEER);
        self.return_unknown(cx);
        self.prompts.unmark();
        if let Some(saving) = self.saving.take() {
            saving.give_up(cx);
        }
        if let Some(drain) = self.drain.take() {
            drain.end(Outcome::Unknown, cx);
        }
        self.queue.take()
    }
}
