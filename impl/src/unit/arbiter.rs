//! The arbiter: grants one role for a time, and keeps who may take it over (PROTOCOL.md, 10.1).
//!
//! ```text
//!            Hello, Gather                Renew                     lease over, Release
//!   waiting ---------------> offer open ---------> held (lease) ------------------------+
//!      ^                        |  Decline, TakeoverWait                                 |
//!      +------------------------+<-------------------------------------------------------+
//! ```
//! All of its state is durable; a crash loses its timers only. It knows units by slot and boot.
//! Where its disk loses the state, or goes back to an older one, it waits for whoever may hold a
//! lease that it does not know of.

mod choice;
mod lost;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::limits::Limits;
use crate::ids::{BootId, Lsn, Slot, Term};
use crate::message::{Eligible, Hello, Message, Origin, Said, Stamp, ToArbiter, ToUnit};
use crate::planted::{Defect, Planted};

pub use choice::Memory;
pub use lost::{Found, Lost};

/// The arbiter of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arbiter {
    /// The term last used by an offer.
    pub term: Term,
    /// The offer that nobody has accepted yet.
    pub offer: Option<Offer>,
    /// Who accepted the latest term that was accepted.
    pub holder: Option<LeaseHolder>,
    /// Who may take over statefully.
    pub register: Option<Eligible>,
    /// Counter of the register's latest write in the holder's term.
    pub counter: u32,
    /// The last term that was accepted with a startup store; 0: none.
    pub cold: Term,
    /// Where the other accepted terms came from, as far as it counts, in order: their LSNs grow. At
    /// most `max_accepted`.
    pub line: Vec<Accepted>,
    /// What was held in an earlier term is off the line; 0: nothing is for that.
    pub floor: Term,
    /// What it goes by since its state was lost, until a unit accepts.
    pub lost: Option<Lost>,
    /// What it goes by since it started with a state that may be an older one, until a unit
    /// accepts.
    pub found: Option<Found>,
    /// The units that it heard since, and that know a term of before.
    pub heard: BTreeSet<Slot>,
    /// Timer Lease runs for whoever may hold a lease that it does not know of: nothing is granted,
    /// and nothing offered.
    pub silent: bool,
    /// Counts the durable changes that it told of, over all its starts.
    pub generation: u64,
    /// What is known of each unit that was ever heard.
    pub known: BTreeMap<Slot, KnownUnit>,
    /// Whether the timer Gather runs; not durable.
    pub gathering: bool,
}

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

/// Where an accepted term came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Accepted {
    /// The term.
    pub term: Term,
    /// The LSN that its first Renew carried.
    pub from: Lsn,
}

/// What is known of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownUnit {
    /// Its boot.
    pub boot: BootId,
    /// Number of the latest Hello of this boot; 0: none came.
    pub hello: u64,
    /// What it said. None: it was forgotten, and the number was not, so that nothing older is
    /// taken again.
    pub said: Option<Said>,
}

/// What goes into the arbiter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterInput {
    /// It starts with the state that its disk has; no timer runs.
    Recovered {
        /// A term no less than any that it ever used, from its world: a clock in its upper bits.
        term: Term,
    },
    /// It starts, and its disk has no state.
    StateLost {
        /// As at `Recovered`.
        term: Term,
        /// A generation no less than any that it ever told, from its world.
        generation: u64,
    },
    /// A message came.
    Message {
        /// From that slot.
        from: Slot,
        /// The message.
        message: ToArbiter,
    },
    /// A timer is due.
    Timer(ArbiterTimer),
}

/// The arbiter's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterTimer {
    /// Hellos were gathered.
    Gather,
    /// The offer stood long enough.
    TakeoverWait,
    /// The lease is over.
    Lease,
    /// The offer is sent again.
    Resend,
}

impl ArbiterTimer {
    /// How long the timer runs.
    ///
    /// # Units
    /// Milliseconds of the arbiter's clock.
    pub fn length_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Gather => limits.gather_ms,
            Self::TakeoverWait => limits.takeover_wait_ms,
            Self::Lease => limits.arbiter_lease_ms(),
            Self::Resend => limits.resend_ms,
        }
    }
}

/// What comes out of the arbiter. Its state is durable before the first of a step's outputs is
/// performed: that is the driver's part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterOutput {
    /// Send a message.
    Send {
        /// To that slot.
        to: Slot,
        /// The message.
        message: ToUnit,
    },
    /// Arm a timer, anew if it runs already.
    SetTimer(ArbiterTimer),
    /// Stop a timer.
    CancelTimer(ArbiterTimer),
    /// Something happened.
    Event(ArbiterEvent),
}

impl ArbiterOutput {
    /// The output as a message of the protocol, if it is one.
    pub fn as_message(&self) -> Option<(Slot, Message)> {
        match self {
            Self::Send { to, message } => Some((*to, Message::ToUnit(*message))),
            Self::SetTimer(_) | Self::CancelTimer(_) | Self::Event(_) => None,
        }
    }
}

/// What the arbiter tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterEvent {
    /// A term was offered.
    Offered(Offer),
    /// The offered store is off the line: no other unit is in reach.
    OffTheLine {
        /// The store's stamp.
        stamp: Stamp,
    },
    /// The unit that the register named did not take over: its config was passed over.
    PassedOver(Eligible),
    /// An offer was accepted.
    Accepted(LeaseHolder),
    /// A lease is over.
    LeaseOver(LeaseHolder),
    /// Its state was lost: it is silent for a lease.
    Lost,
    /// A unit has seen a later generation than its state has: that counts as lost.
    Older {
        /// The state's generation.
        had: u64,
        /// What the unit has seen.
        seen: u64,
    },
    /// The Offer that follows is made with the line unknown: what was taken over since the offered
    /// config was written may be missing, and what was left behind may come back.
    LineUnknown,
}

impl Arbiter {
    /// An arbiter that has granted nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// One step.
    pub fn step(
        &mut self,
        limits: &Limits,
        planted: Planted,
        input: ArbiterInput,
        out: &mut Vec<ArbiterOutput>,
    ) {
        let before = self.term;
        match input {
            ArbiterInput::Recovered { term } => {
                let last = self.term;
                self.term = last.max(term);
                self.on_recovered(limits, last, planted, out);
            }
            ArbiterInput::StateLost { term, generation } => {
                if planted.is(Defect::TermsFromHellos) {
                    self.lose(generation, planted, out);
                    self.term = Term(0);
                    return;
                }
                self.term = self.term.max(term);
                self.lose(generation, planted, out);
            }
            ArbiterInput::Timer(timer) => self.on_timer(limits, timer, planted, out),
            ArbiterInput::Message { from, message } => {
                assert!(from.0 < limits.units, "a message comes from a slot of the chassis");
                self.on_message(limits, (from, message), planted, out);
            }
        }
        assert!(self.term >= before, "terms grow");
        assert!(self.offer.is_none() || !self.runs(), "no offer stands beside a running lease");
    }

    /// Whether a lease runs.
    pub fn runs(&self) -> bool {
        self.holder.is_some_and(|holder| holder.lease == Lease::Running)
    }

    /// The term last used by an offer, and the generation that it told last: what its world is to
    /// know, should its state be lost.
    pub const fn used(&self) -> (Term, u64) {
        (self.term, self.generation)
    }

    fn on_recovered(
        &mut self,
        limits: &Limits,
        last: Term,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        self.gathering = false;
        if limits.arbiter_may_go_back && !planted.is(Defect::OlderStateTrusted) {
            // It says nothing of who may act now, nor of what became of an offer.
            self.silent = true;
            self.offer = None;
            let began = self.term;
            self.found = Some(Found { last, began });
            self.heard.clear();
            for known in self.known.values_mut() {
                known.said = None;
            }
        }
        if self.runs() || self.silent {
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Lease));
        } else if self.offer.is_some() {
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::TakeoverWait));
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
        } else {
            self.gather(out);
        }
    }

    /// Whether nobody holds a lease or is offered one, as far as is known, and somebody may be.
    fn waits(&self) -> bool {
        !self.runs() && self.offer.is_none() && !self.silent
    }

    /// Arms the timer Gather if it does not run.
    fn gather(&mut self, out: &mut Vec<ArbiterOutput>) {
        if !self.gathering {
            self.gathering = true;
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Gather));
        }
    }

    fn on_timer(
        &mut self,
        limits: &Limits,
        timer: ArbiterTimer,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        match timer {
            ArbiterTimer::Gather => {
                self.gathering = false;
                if self.waits() {
                    self.offer(limits, planted, out);
                }
            }
            ArbiterTimer::TakeoverWait => {
                if let Some(offer) = self.offer.take() {
                    if let Some(known) = self.known.get_mut(&offer.slot) {
                        known.said = None;
                    }
                    self.clear_offered(offer, out);
                    self.offer(limits, planted, out);
                }
            }
            ArbiterTimer::Lease => {
                let silent = core::mem::take(&mut self.silent);
                if silent && !self.runs() {
                    self.go_on(limits, planted, out);
                } else {
                    self.end_lease(limits, planted, out);
                }
            }
            ArbiterTimer::Resend => {
                if let Some(offer) = self.offer {
                    self.send_offer(offer, out);
                    out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
                }
            }
        }
    }

    fn on_message(
        &mut self,
        limits: &Limits,
        (from, message): (Slot, ToArbiter),
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        match message {
            ToArbiter::Hello { boot, hello } => {
                self.is_older(hello.generation, planted, out);
                self.note_later(&hello, planted, out);
                let taken = self.hear(from, boot, hello);
                if taken && self.waits() {
                    self.gather(out);
                }
            }
            ToArbiter::Renew { generation, .. } if self.is_older(generation, planted, out) => {}
            ToArbiter::Renew { .. } | ToArbiter::SetRegister { .. } | ToArbiter::Release { .. }
                if self.silent => {}
            ToArbiter::Renew { boot, term, n, lsn, .. } => {
                self.on_renew(limits, (from, boot, term), n, lsn, out);
            }
            ToArbiter::Decline { boot, term, hello } => {
                if self.is_older(hello.generation, planted, out) {
                    self.hear(from, boot, hello);
                }
                self.on_decline((from, boot, term), hello, out);
            }
            ToArbiter::SetRegister { term, counter, value } => {
                if self.holds(from, term) {
                    let counts = counter > self.counter || planted.is(Defect::CounterIgnored);
                    self.on_set_register(from, term, (counter, value), counts, out);
                }
            }
            ToArbiter::Release { term, lsn } => {
                if self.holds(from, term) {
                    self.note_running(from, Stamp { term, lsn });
                    out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Lease));
                    self.end_lease(limits, planted, out);
                }
            }
        }
    }

    /// A Renew accepts the open offer that it answers; the holder's is granted.
    fn on_renew(
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

    /// The open offer is declined; what its unit says of itself counts at once.
    fn on_decline(&mut self, by: (Slot, BootId, Term), hello: Hello, out: &mut Vec<ArbiterOutput>) {
        let Some(offer) = self.open_offer(by) else {
            return;
        };
        self.offer = None;
        self.hear(offer.slot, offer.boot, hello);
        self.clear_offered(offer, out);
        // What has changed elsewhere meanwhile comes in, too.
        self.gather(out);
    }

    /// The holder writes the register; `counts`: no later write has come.
    fn on_set_register(
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

    /// The offer that stands, if it is of this unit and term.
    fn open_offer(&self, by: (Slot, BootId, Term)) -> Option<Offer> {
        self.offer.filter(|offer| (offer.slot, offer.boot, offer.term) == by)
    }

    /// A Hello is taken if it is newer than the last of its slot, and than the acceptance of the
    /// term that its unit is known to run: a late one says what is no longer so. Whether it was.
    fn hear(&mut self, from: Slot, boot: BootId, hello: Hello) -> bool {
        let Hello { k, highest, said, .. } = hello;
        let known = self.known.get(&from);
        if known.is_some_and(|known| (boot, k) <= (known.boot, known.hello)) {
            return false;
        }
        let same = known.filter(|known| known.boot == boot);
        let runs = same.and_then(|known| known.said?.running);
        if runs.is_some_and(|runs| runs.term > highest) {
            return false;
        }
        let known = KnownUnit { boot, hello: k, said: Some(said) };
        self.known.insert(from, known);
        self.term = self.term.max(highest);
        self.note_heard(from, &hello);
        true
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

    /// The holder's own messages say what it runs: its last Hello may be older than its term or
    /// never have come, and its Release may come after its lease is over.
    fn note_running(&mut self, slot: Slot, stamp: Stamp) {
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

    fn holds(&self, from: Slot, term: Term) -> bool {
        self.holder.is_some_and(|holder| {
            holder.slot == from && holder.term == term && holder.lease == Lease::Running
        })
    }

    fn end_lease(&mut self, limits: &Limits, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        let Some(holder) = self.holder.as_mut().filter(|holder| holder.lease == Lease::Running)
        else {
            return;
        };
        holder.lease = Lease::Over;
        out.push(ArbiterOutput::Event(ArbiterEvent::LeaseOver(*holder)));
        self.go_on(limits, planted, out);
    }

    /// Nobody holds a lease any more.
    fn go_on(&mut self, limits: &Limits, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        if self.register.is_some() {
            self.offer(limits, planted, out);
        } else {
            self.gather(out);
        }
    }

    /// An offer was declined, or stood long enough: clears what it was made by.
    fn clear_offered(&mut self, offer: Offer, out: &mut Vec<ArbiterOutput>) {
        if matches!(offer.origin, Origin::Stateful { .. })
            && let Some(eligible) = self.register.take()
        {
            out.push(ArbiterOutput::Event(ArbiterEvent::PassedOver(eligible)));
        }
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Resend));
    }

    fn offer(&mut self, limits: &Limits, planted: Planted, out: &mut Vec<ArbiterOutput>) {
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

    fn send_offer(&self, offer: Offer, out: &mut Vec<ArbiterOutput>) {
        let Offer { term, slot, boot, origin, bound, hello, held: _ } = offer;
        let message =
            ToUnit::Offer { boot, term, origin, bound, hello, generation: self.generation };
        out.push(ArbiterOutput::Send { to: slot, message });
    }
}
