//! The state machines (PROTOCOL.md, section 10): a unit, and the arbiter.
//!
//! A step is one input. A machine knows no clock, no disk, no bytes on a link: the driver performs
//! all outputs of a step, in order, before the next one.
//!
//! ```text
//!              Offer accepted             Grant
//!   Standby ------------------> Holder ----------> Active
//!      ^                        |   ^               |  |
//!      | Proceed, newer term    |   +---------------+  |
//!      +------------------------+   lapse, Release     |
//!      +-----------------------------------------------+ Proceed, newer term
//! ```

pub mod active;
pub mod arbiter;
mod breach;
mod drain;
pub mod env;
#[cfg(any(test, feature = "faults"))]
mod faults;
pub mod file;
pub mod holder;
pub mod input;
pub mod journal;
pub mod limits;
pub mod mode;
pub mod output;
pub mod pairing;
pub mod peer;
pub mod prompts;
pub mod queue;
pub mod receiver;
pub mod register;
pub mod rf_state;
pub mod running;
mod saving;
pub mod sender;
pub mod software;
pub mod standby;
mod state;
pub mod store;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use active::Active;
pub use arbiter::{Arbiter, ArbiterEvent, ArbiterInput, ArbiterOutput, ArbiterTimer};
pub use env::{Env, PairingKey, PairingSide};
pub use holder::Holder;
pub use input::{Boot, Command, Durability, Input, Request, Timer};
pub use limits::{Limits, TooSmall, Verify};
pub use mode::Mode;
pub use output::{Copies, Event, LocalWhy, Outcome, Output, Refusal};
pub use pairing::Pairing;
pub use rf_state::RfState;
pub use running::Running;
pub use software::Software;
pub use standby::Standby;
pub use state::{UnitState, Write};
pub use store::{Record, Store};

use crate::ids::{Lsn, Slot, WriteId};
use crate::message::{Address, Message, Said, SaveResult, Stamp, ToUnit};
use state::Context;

/// One unit of the chassis.
///
/// ```
/// use skewsync::ids::{BootId, Slot, Term};
/// use skewsync::image::bundled;
/// use skewsync::planted::Planted;
/// use skewsync::policy::Policy;
/// use skewsync::unit::{Boot, Env, Input, Limits, Output, Software, Timer, Unit, env};
///
/// let software = Software::new(bundled::image("6.2").expect("a bundled release"))?;
/// let env = Env {
///     software: &software,
///     pairings: &|_| None,
///     limits: &Limits::DEFAULT,
///     policy: &Policy::default(),
///     refuses: &env::takes_all,
///     planted: Planted::NONE,
/// };
/// let (boot, highest) = (BootId(1), Term(0));
/// let (lost_disk, damaged) = (false, false);
/// let boot = Boot { boot, lost_disk, highest, resets: 0, damaged, store: None };
/// let mut out = Vec::new();
/// let mut unit = Unit::start(&env, Slot(0), &boot, &mut out);
/// unit.step(&env, Input::Timer(Timer::Join), &mut out);
/// assert!(out.contains(&Output::SetTimer(Timer::Join)), "it asks on for a session");
/// # Ok::<(), skewsync::disposition::PairError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// What it is whatever its part.
    pub own: UnitState,
    /// Its part.
    pub part: Role,
}

/// What a unit does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It has no role.
    Standby(Standby),
    /// It has a role and no lease.
    Holder(Holder),
    /// It acts.
    Active(Box<Active>),
}

impl Unit {
    /// A unit that starts: what its disk held, and its boot id, which is durable already.
    pub fn start(env: &Env<'_>, slot: Slot, boot: &Boot, out: &mut Vec<Output>) -> Self {
        assert!(slot.0 < env.limits.units, "the slot is one of the chassis");
        let mut own = UnitState::new(slot, boot);
        let mut cx = Context { env, out };
        if boot.damaged {
            cx.event(Event::StoreDamaged);
        }
        own.send_hello(own.says(None, None), &mut cx);
        let standby = Standby::join(&mut own, None, None, &mut cx);
        assert_eq!(own.n.0, 1, "the first round of joining");
        assert_eq!(own.hello_k, own.said_since, "the first Hello");
        Self { own, part: Role::Standby(standby) }
    }

    /// One step: one input, and what comes of it.
    pub fn step(&mut self, env: &Env<'_>, input: Input, out: &mut Vec<Output>) {
        let mut cx = Context { env, out };
        let highest = self.own.highest;
        let said = self.part.says(&self.own);
        let at_once = self.part.at_once(&self.own);
        let placeholder = Role::Standby(Standby { seat: None, replica: None, former: None });
        let part = core::mem::replace(&mut self.part, placeholder);
        self.part = Self::next(&mut self.own, part, input, &mut cx);
        let says = self.part.says(&self.own);
        if self.part.at_once(&self.own) != at_once {
            self.own.send_hello(says, &mut cx);
            self.own.said_since = self.own.hello_k;
        } else if says.replica != said.replica {
            // The next Hello says it.
            self.own.said_since = self.own.hello_k + 1;
        }
        assert!(self.own.highest >= highest, "the highest term grows");
        if let Some(term) = self.term() {
            assert!(term <= self.own.highest, "a role's term was seen");
        }
    }

    /// The term in which the unit holds a role.
    pub fn term(&self) -> Option<crate::ids::Term> {
        match &self.part {
            Role::Standby(_) => None,
            Role::Holder(holder) => Some(holder.term),
            Role::Active(active) => Some(active.term()),
        }
    }

    /// The stamp that the unit's Hello gives its running config.
    pub fn running_stamp(&self) -> Option<Stamp> {
        self.part.running()
    }

    /// The stamp of the config with which the unit would take over as a Standby.
    pub fn replica_stamp(&self) -> Option<Stamp> {
        self.part.replica()
    }

    fn next(own: &mut UnitState, part: Role, input: Input, cx: &mut Context<'_, '_>) -> Role {
        match (part, input) {
            (part, Input::Message { from, message }) => {
                Self::on_message(own, part, from, message, cx)
            }
            (part, Input::Timer(Timer::Hello)) => {
                own.write_highest_again(cx);
                own.send_hello(part.says(own), cx);
                part
            }
            (part, Input::Persisted(write)) => Self::on_written(own, part, write, true, cx),
            (part, Input::PersistFailed(write)) => Self::on_written(own, part, write, false, cx),
            (Role::Standby(standby), Input::Timer(timer)) => {
                Role::Standby(standby.on_timer(own, timer, cx))
            }
            (Role::Holder(mut holder), Input::Timer(timer)) => {
                holder.on_timer(own, timer, cx);
                Role::Holder(holder)
            }
            (Role::Active(active), Input::Timer(timer)) => active.on_timer(own, timer, cx),
            (Role::Holder(mut holder), Input::Command(command)) => {
                holder.on_command(command, cx);
                Role::Holder(holder)
            }
            (Role::Active(mut active), Input::Command(command)) => {
                active.on_command(command, cx);
                active.settle(own, cx)
            }
            (part @ Role::Standby(_), Input::Command(Command { id, .. }))
            | (part @ (Role::Standby(_) | Role::Holder(_)), Input::Operator { id, .. }) => {
                cx.answer(id, Outcome::Refused(Refusal::NotActive));
                part
            }
            (Role::Active(active), Input::Operator { id, request }) => {
                active.on_operator(own, id, request, cx)
            }
            (Role::Active(active), Input::LeaseLapsed) => active.lapse(own, cx),
            (Role::Standby(standby), Input::Paired(key)) => {
                Role::Standby(standby.on_paired(own, key, cx))
            }
            (Role::Active(mut active), Input::Paired(key)) => {
                active.on_paired(own, key, cx);
                active.settle(own, cx)
            }
            // A holder has no session; a lease that nobody acts on may end.
            (part @ Role::Holder(_), Input::Paired(_) | Input::LeaseLapsed)
            | (part @ Role::Standby(_), Input::LeaseLapsed) => part,
        }
    }

    fn on_message(
        own: &mut UnitState,
        part: Role,
        from: Address,
        message: Message,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        if let (Address::Arbiter, Message::ToUnit(told)) = (from, &message) {
            own.generation = own.generation.max(told.generation());
        }
        match (part, from, message) {
            (part, Address::Arbiter, Message::ToUnit(ToUnit::Ask { boot, asked }))
                if boot == own.boot && asked > own.asked =>
            {
                own.asked = asked;
                own.send_hello(part.says(own), cx);
                part
            }
            (Role::Active(active), Address::Arbiter, Message::ToUnit(message)) => {
                active.on_arbiter(own, message, cx)
            }
            (part, Address::Arbiter, Message::ToUnit(message)) => {
                holder::on_arbiter(own, part, message, cx)
            }
            (Role::Standby(standby), Address::Unit(from), message) => {
                Role::Standby(standby.on_message(own, from, message, cx))
            }
            (Role::Holder(holder), Address::Unit(from), message) => {
                holder.on_message(own, from, &message, cx)
            }
            (Role::Active(active), Address::Unit(from), message) => {
                active.on_message(own, from, message, cx)
            }
            // The arbiter says only what is the arbiter's to say.
            (part, Address::Arbiter, message) => {
                cx.ignore(message.kind());
                part
            }
        }
    }

    fn on_written(
        own: &mut UnitState,
        mut part: Role,
        id: WriteId,
        durable: bool,
        cx: &mut Context<'_, '_>,
    ) -> Role {
        let Some(write) = own.writes.remove(&id) else {
            return part;
        };
        if !durable {
            cx.event(Event::DiskFailed(id));
        }
        let result = if durable { SaveResult::Ok } else { SaveResult::Disk };
        match write {
            Write::Highest(term) => {
                if durable {
                    own.durable = own.durable.max(term);
                }
                if let Role::Holder(holder) = part {
                    return holder.on_term_written(own, cx);
                }
            }
            Write::Resets => {}
            Write::OwnSave(store) => {
                if durable {
                    own.store = store;
                }
                if let Role::Active(active) = &mut part {
                    active.on_own_save(result, cx);
                }
            }
            Write::PeerSave { store, session, save } => {
                if durable {
                    own.store = store;
                }
                if let Role::Standby(standby) = &mut part {
                    standby.on_saved(session, save, result, cx);
                }
            }
        }
        part
    }
}

impl Role {
    /// What the unit says of its configs.
    fn says(&self, own: &UnitState) -> Said {
        own.says(self.running(), self.replica())
    }

    /// What is said at once when it is another: all but the LSN of what runs, which Renew says, and
    /// that of a replica that is kept in step.
    fn at_once(&self, own: &UnitState) -> Said {
        let mut said = self.says(own);
        let in_step = matches!(self, Self::Standby(standby) if standby.is_in_step());
        let unsaid = [(&mut said.running, true), (&mut said.replica, in_step)];
        for (stamp, unsaid) in unsaid {
            if let Some(stamp) = stamp.as_mut().filter(|_| unsaid) {
                stamp.lsn = Lsn(0);
            }
        }
        said
    }

    /// The stamp of the config with which the unit would take over as a Standby.
    fn replica(&self) -> Option<Stamp> {
        match self {
            Self::Standby(standby) => standby.replica_stamp(),
            Self::Holder(_) | Self::Active(_) => None,
        }
    }

    /// The stamp of the config with which the unit acts, acted or was to act in this boot.
    fn running(&self) -> Option<Stamp> {
        match self {
            Self::Standby(_) => None,
            Self::Holder(holder) => holder.running(),
            Self::Active(active) => Some(active.stamp()),
        }
    }
}
