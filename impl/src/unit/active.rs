//! The Active: its term, its prompts, and what reaches it (PROTOCOL.md, 10.2).
//!
//! It is made of a peer with its session, of a register, prompts, a mode, a queue, a drain and a
//! save, each a type of its own that knows nothing of an Active. Here and in the files below they
//! act together, by message, timer and request.
//!
//! ```text
//!   prompt of an acked command:
//!     phase below HotSent, register confirmed none ---> done local (unreplicated := LSN)
//!     HotSent .. Setting, or none unconfirmed --------> held
//!     Hot ------------------------------------------> held until Applied >= LSN: done replicated
//!     held, and the session is left: SetRegister none -Confirm-> done local
//!                                                     -timer Prompt-> unknown
//!     LeaseLapsed, Proceed of a newer term ----------> unknown; part Holder, Standby
//! ```
//! Source: seed, Fig. 4 (steps 400-450); prompts, the register and the lease are ours.

mod bulk;
mod commands;
mod ending;
mod lesser;
mod lines;
mod negotiation;
mod peer;
#[cfg(feature = "planted")]
mod planted;
mod prompts;
mod register;
mod save;
mod switchover;
#[cfg(any(test, feature = "faults"))]
mod testing;

use alloc::boxed::Box;

use super::drain::Drain;
use super::input::{Request, Timer};
use super::mode::Mode;
use super::output::{Outcome, Refusal};
use super::peer::{ActivePhase, Peer};
use super::prompts::Prompts;
use super::queue::Queue;
use super::register::Register;
use super::running::Running;
use super::saving::Saving;
use super::standby::Proceed;
use super::state::{Context, UnitState, echoes};
use super::{Output, Role};
use crate::ids::{CommandId, Lsn, Slot, Term};
use crate::message::{LeaveWhy, Message, Stamp, ToArbiter, ToUnit};

/// A unit that acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Active {
    /// Its term.
    term: Term,
    /// Its latest Renew.
    n_renew: u64,
    /// The latest Renew that was granted.
    granted: u64,
    /// The last LSN.
    last: Lsn,
    /// The running config, at `last`.
    config: Running,
    /// The eligibility register, as far as the Active knows it.
    register: Register,
    /// The Standby, or whoever asks to be it.
    peer: Peer,
    /// Prompts that are held.
    prompts: Prompts,
    /// A planned switchover under way.
    drain: Option<Drain>,
    /// Commands that wait for the end of the drain, or for room.
    queue: Queue,
    /// A save under way.
    saving: Option<Saving>,
    /// The mode that policy and limits allow, and what was counted for it.
    mode: Mode,
    /// Whether the role is to be given back at the end of this step.
    releasing: Releasing,
}

/// Whether the role is to be given back at the end of this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Releasing {
    /// It stays.
    No,
    /// It goes.
    Yes,
}

impl Active {
    /// An Active that begins: no peer, the register as the acceptance left it.
    pub fn new(
        term: Term,
        n_renew: u64,
        granted: u64,
        last: Lsn,
        config: Running,
        resets: u32,
    ) -> Self {
        Self {
            term,
            n_renew,
            granted,
            last,
            config,
            register: Register::confirmed(0, None),
            peer: Peer::default(),
            prompts: Prompts::default(),
            drain: None,
            queue: Queue::default(),
            saving: None,
            mode: Mode::new(resets),
            releasing: Releasing::No,
        }
    }

    /// It acts again in its term: its lease was granted anew.
    pub(super) fn resume(&mut self, (n_renew, granted): (u64, u64), cx: &mut Context<'_, '_>) {
        assert!(n_renew >= self.n_renew, "it has asked on meanwhile");
        assert!(self.prompts.is_empty(), "its prompts returned when it fell silent");
        (self.n_renew, self.granted) = (n_renew, granted);
        self.arm(cx);
    }

    /// Commands that came before it acts wait in it.
    pub(super) fn take_queue(&mut self, queue: Queue) {
        assert!(self.queue.is_empty(), "none has come to it");
        self.queue = queue;
    }

    /// Arms what an Active that acts again needs.
    fn arm(&mut self, cx: &mut Context<'_, '_>) {
        cx.set(Timer::Resend);
        if self.peer.current().is_some() {
            for timer in [Timer::Watchdog, Timer::Keepalive, Timer::Deadline] {
                cx.set(timer);
            }
        }
        if self.register.is_open() {
            cx.set(Timer::Register);
        }
        if self.mode.is_pausing() {
            cx.set(Timer::Pace);
        }
        if self.peer.is_hot() {
            cx.set(Timer::Stable);
        }
        if self.mode.is_freed() {
            cx.set(Timer::Backoff);
        }
        self.mark_prompts(cx);
    }

    /// A message from a unit.
    pub(super) fn on_message(
        mut self: Box<Self>,
        own: &mut UnitState,
        from: Slot,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        if let Some(offer) = Proceed::from_message(from, &message) {
            if offer.session.term > self.term {
                return self.stop(own, &offer, cx);
            }
            cx.ignore(message.kind());
            return Role::Active(self);
        }
        self.on_peer(own, from, message, cx);
        self.settle(own, cx)
    }

    /// The stamp of what runs.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.term, lsn: self.last }
    }

    /// What the arbiter says.
    pub(super) fn on_arbiter(
        mut self: Box<Self>,
        own: &mut UnitState,
        message: ToUnit,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        match message {
            ToUnit::Grant { boot, term, n, .. } if boot == own.boot && term == self.term => {
                if echoes(self.granted, n, self.n_renew, cx) {
                    self.granted = n;
                    cx.out.push(Output::Lease { term, n });
                }
            }
            ToUnit::Confirm { term, counter, .. } if term == self.term => {
                self.on_confirm(counter, cx);
            }
            ToUnit::Offer { boot, term, .. } if boot == own.boot && term != self.term => {
                // Only a Proceed of a newer term makes an Active stop; its driver ends its lease.
                if term > own.highest {
                    own.see(term, cx);
                }
                own.decline(term, own.says(Some(self.stamp()), None), cx);
            }
            ToUnit::Offer { .. }
            | ToUnit::Grant { .. }
            | ToUnit::Confirm { .. }
            | ToUnit::Ask { .. } => {
                cx.ignore(message.kind());
            }
        }
        self.settle(own, cx)
    }

    /// A timer.
    pub(super) fn on_timer(
        mut self: Box<Self>,
        own: &mut UnitState,
        timer: Timer,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        match timer {
            Timer::Renew => {
                self.n_renew += 1;
                let (boot, term, n, lsn) = (own.boot, self.term, self.n_renew, self.last);
                cx.tell(ToArbiter::Renew { boot, term, n, lsn, generation: own.generation });
                cx.set(Timer::Renew);
            }
            Timer::Register => {
                if self.register.is_open() {
                    self.send_register(cx);
                }
            }
            Timer::Resend => self.on_resend_timeout(cx),
            Timer::Watchdog => self.leave(LeaveWhy::Watchdog, cx),
            Timer::Deadline => self.on_deadline_timeout(cx),
            Timer::Keepalive => {
                self.send_keepalive(cx);
                cx.set(Timer::Keepalive);
            }
            Timer::Ack => self.on_ack_timeout(cx),
            Timer::Drain => self.on_drain_timeout(cx),
            Timer::Save => self.on_save_timeout(cx),
            Timer::Backoff => self.on_backoff_timeout(cx),
            Timer::Pace => self.on_pace_timeout(cx),
            Timer::Prompt => self.on_prompt_timeout(cx),
            Timer::Stable => {
                self.forgive_resets(own, cx);
                self.forgive_attempts();
            }
            // Timers of other parts, that were due when the part changed.
            Timer::Hello | Timer::Join | Timer::Queue => {}
        }
        self.settle(own, cx)
    }

    /// Ordered resets count from 0 again; Proceed tells it.
    fn forgive_resets(&mut self, own: &mut UnitState, cx: &mut Context<'_, '_>) {
        self.mode.forgive_resets();
        own.forget_resets(cx);
    }

    /// An operator asks for something else than a change.
    pub(super) fn on_operator(
        mut self: Box<Self>,
        own: &mut UnitState,
        id: CommandId,
        request: Request,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        match request {
            Request::Switchover => self.on_switchover(id, cx),
            Request::ForcedSwitchover => self.on_forced(id, cx),
            Request::Save => self.on_save(own, id, cx),
            Request::RetrySso => {
                self.forgive_resets(own, cx);
                self.mode.forgive_attempts();
                self.mode.end_pause();
                cx.cancel(&[Timer::Pace]);
                self.retry(cx);
                cx.answer(id, Outcome::Taken);
            }
            Request::ResetPeer => {
                self.leave(LeaveWhy::Operator, cx);
                cx.answer(id, Outcome::Taken);
            }
        }
        self.settle(own, cx)
    }

    /// The end of every step of an Active: what the step made possible is done, and the role goes
    /// if it was given back.
    pub(super) fn settle(
        mut self: Box<Self>,
        own: &mut UnitState,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        self.progress(cx);
        while self.executes(cx)
            && let Some(command) = self.queue.pop()
        {
            self.prompts.one_less_queued();
            self.execute(command, cx);
            self.progress(cx);
        }
        if self.waits_for_room() && !self.prompts.is_marked() {
            self.mark_prompts(cx);
        }
        assert!(self.register.counter() > 0 || self.register.value().is_none(), "first write is 1");
        match self.releasing {
            Releasing::No => Role::Active(self),
            Releasing::Yes => self.release(own, cx),
        }
    }

    /// Whether the Standby of a pair that is hot, or about to be, is waited for.
    pub(super) fn awaits_standby(&self) -> bool {
        self.peer.phase().is_some_and(ActivePhase::holds_prompts)
    }

    /// Whether an `acked` command's prompt is held.
    pub(super) fn holds_prompts(&self) -> bool {
        self.is_clearing() || self.awaits_standby()
    }

    /// Its term.
    pub const fn term(&self) -> Term {
        self.term
    }

    /// Its latest Renew, and the latest one that was granted.
    pub const fn renewals(&self) -> (u64, u64) {
        (self.n_renew, self.granted)
    }

    /// The last LSN.
    pub const fn last(&self) -> Lsn {
        self.last
    }

    /// The running config, at `last`.
    pub const fn config(&self) -> &Running {
        &self.config
    }

    /// The eligibility register, as far as the Active knows it.
    pub const fn register(&self) -> &Register {
        &self.register
    }

    /// The Standby, or whoever asks to be it.
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Prompts that are held.
    pub const fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Commands that wait for the end of the drain, or for room.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The mode that policy and limits allow, and what was counted for it.
    pub const fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The file of a save under way, if one goes to the other unit, and where its listing begins.
    #[cfg(any(test, feature = "faults"))]
    pub(super) fn saved_file(&self) -> Option<(crate::message::Bytes, u64)> {
        self.saving.as_ref()?.file()
    }

    /// Whether a planned switchover is under way.
    pub const fn drains(&self) -> bool {
        self.drain.is_some()
    }

    /// Whether a save is under way.
    pub const fn saves(&self) -> bool {
        self.saving.is_some()
    }

    /// How many prompts are held.
    pub fn held(&self) -> usize {
        self.prompts.count()
    }

    /// The refusal of a request that another one stands in the way of.
    pub(super) fn refuse_busy(id: CommandId, cx: &mut Context<'_, '_>) {
        cx.answer(id, Outcome::Refused(Refusal::Busy));
    }
}
