//! The arbiter: grants one role for a time, and keeps who may take it over (PROTOCOL.md, 10.1).
//!
//! ```text
//!            Hello, Gather                Renew                     lease over, Release
//!   waiting ---------------> offer open ---------> held (lease) ------------------------+
//!      ^                        |  Decline, TakeoverWait                                 |
//!      +------------------------+<-------------------------------------------------------+
//! ```
//! All of its state is durable; a crash loses its timers only. It knows units by slot and boot.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::limits::Limits;
use crate::base::{BootId, Lsn, Slot, Term};
use crate::message::{Eligible, Hello, Message, Origin, Said, Stamp, ToArbiter, ToUnit};
use crate::planted::{Defect, Planted};

/// The arbiter of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arbiter {
    /// The term last used by an offer.
    pub term: Term,
    /// The offer that nobody has accepted yet.
    pub offer: Option<Offer>,
    /// Who accepted the latest term that was accepted.
    pub holder: Option<Holder>,
    /// Who may take over statefully.
    pub register: Option<Eligible>,
    /// Counter of the register's latest write in the holder's term.
    pub counter: u32,
    /// Where each accepted term came from, in order.
    pub line: Vec<Accepted>,
    /// What is known of each unit that was ever heard.
    pub known: BTreeMap<Slot, Known>,
    /// Whether the timer Gather runs; not durable.
    pub gathering: bool,
}

/// An offer that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The offered term.
    pub term: Term,
    /// To whom.
    pub slot: Slot,
    /// To which boot.
    pub boot: BootId,
    /// With what config.
    pub origin: Origin,
    /// The LSN beyond which such a config is off the line; none: there is no such LSN.
    pub bound: Option<Lsn>,
    /// Number of the Hello by which a startup store is offered; else 0.
    pub hello: u64,
}

/// Who accepted a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
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
    /// The LSN that its first Renew carried; none: the startup store.
    pub from: Option<Lsn>,
}

/// What is known of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
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
    /// It recovered with its state; no timer runs.
    Recovered,
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
    Accepted(Holder),
    /// A lease is over.
    LeaseOver(Holder),
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
            ArbiterInput::Recovered => self.on_recovered(out),
            ArbiterInput::Timer(timer) => self.on_timer(timer, planted, out),
            ArbiterInput::Message { from, message } => {
                assert!(
                    from.0 < limits.units,
                    "a message comes from a slot of the chassis"
                );
                self.on_message(from, message, planted, out);
            }
        }
        assert!(self.term >= before, "terms grow");
        assert!(
            self.offer.is_none() || !self.runs(),
            "no offer stands beside a running lease"
        );
    }

    /// Whether a lease runs.
    pub fn runs(&self) -> bool {
        self.holder
            .is_some_and(|holder| holder.lease == Lease::Running)
    }

    fn on_recovered(&mut self, out: &mut Vec<ArbiterOutput>) {
        self.gathering = false;
        if self.runs() {
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Lease));
        } else if self.offer.is_some() {
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::TakeoverWait));
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
        } else {
            self.gather(out);
        }
    }

    /// Arms the timer Gather if it does not run.
    fn gather(&mut self, out: &mut Vec<ArbiterOutput>) {
        if !self.gathering {
            self.gathering = true;
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Gather));
        }
    }

    fn on_timer(&mut self, timer: ArbiterTimer, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        match timer {
            ArbiterTimer::Gather => {
                self.gathering = false;
                if !self.runs() && self.offer.is_none() {
                    self.offer(planted, out);
                }
            }
            ArbiterTimer::TakeoverWait => {
                if let Some(offer) = self.offer.take() {
                    if let Some(known) = self.known.get_mut(&offer.slot) {
                        known.said = None;
                    }
                    self.clear_offered(offer, out);
                    self.offer(planted, out);
                }
            }
            ArbiterTimer::Lease => self.end_lease(planted, out),
            ArbiterTimer::Resend => {
                if let Some(offer) = self.offer {
                    Self::send_offer(offer, out);
                    out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
                }
            }
        }
    }

    fn on_message(
        &mut self,
        from: Slot,
        message: ToArbiter,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        match message {
            ToArbiter::Hello { boot, hello } => {
                let taken = self.hear(from, boot, hello);
                if taken && !self.runs() && self.offer.is_none() {
                    self.gather(out);
                }
            }
            ToArbiter::Renew { boot, term, n, lsn } => {
                let open = self
                    .offer
                    .filter(|offer| (offer.slot, offer.boot, offer.term) == (from, boot, term));
                if let Some(offer) = open {
                    self.accept(offer, lsn, out);
                }
                let holds = self.holder.is_some_and(|holder| {
                    (holder.slot, holder.boot, holder.term) == (from, boot, term)
                        && holder.lease == Lease::Running
                });
                if holds {
                    self.note_running(from, Stamp { term, lsn });
                    let message = ToUnit::Grant { boot, term, n };
                    out.push(ArbiterOutput::Send { to: from, message });
                    out.push(ArbiterOutput::SetTimer(ArbiterTimer::Lease));
                }
            }
            ToArbiter::Decline { boot, term, hello } => {
                let open = self
                    .offer
                    .filter(|offer| (offer.slot, offer.boot, offer.term) == (from, boot, term));
                if let Some(offer) = open {
                    self.offer = None;
                    self.hear(from, boot, hello);
                    self.clear_offered(offer, out);
                    // What has changed elsewhere meanwhile comes in, too.
                    self.gather(out);
                }
            }
            ToArbiter::SetRegister {
                term,
                counter,
                value,
            } => {
                if self.holds(from, term) {
                    if counter > self.counter || planted.is(Defect::CounterIgnored) {
                        self.register = value;
                        self.counter = counter;
                        if let Some(Eligible { lsn, .. }) = value {
                            self.note_running(from, Stamp { term, lsn });
                        }
                    }
                    let message = ToUnit::Confirm {
                        term,
                        counter: self.counter,
                    };
                    out.push(ArbiterOutput::Send { to: from, message });
                }
            }
            ToArbiter::Release { term, lsn } => {
                if self.holds(from, term) {
                    self.note_running(from, Stamp { term, lsn });
                    out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Lease));
                    self.end_lease(planted, out);
                }
            }
        }
    }

    /// A Hello is taken if it is newer than the last of its slot, and than the acceptance of the
    /// term that its unit is known to run: a late one says what is no longer so. Whether it was.
    fn hear(&mut self, from: Slot, boot: BootId, hello: Hello) -> bool {
        let Hello { k, highest, said } = hello;
        let known = self.known.get(&from);
        if known.is_some_and(|known| (boot, k) <= (known.boot, known.hello)) {
            return false;
        }
        let same = known.filter(|known| known.boot == boot);
        let runs = same.and_then(|known| known.said?.running);
        if runs.is_some_and(|runs| runs.term > highest) {
            return false;
        }
        let known = Known {
            boot,
            hello: k,
            said: Some(said),
        };
        self.known.insert(from, known);
        self.term = self.term.max(highest);
        true
    }

    /// The open offer is answered by its unit's Renew.
    fn accept(&mut self, offer: Offer, lsn: Lsn, out: &mut Vec<ArbiterOutput>) {
        let Offer {
            slot, boot, term, ..
        } = offer;
        let holder = Holder {
            slot,
            boot,
            term,
            lease: Lease::Running,
        };
        let from_lsn = (offer.origin != Origin::Cold).then_some(lsn);
        assert!(
            self.line.last().is_none_or(|last| last.term < term),
            "terms are accepted in order"
        );
        self.holder = Some(holder);
        self.offer = None;
        if let Some(said) = self.known.get_mut(&slot).and_then(|of| of.said.as_mut()) {
            // What it took over with is its running config now.
            said.replica = None;
        }
        self.register = None;
        self.counter = 0;
        self.line.push(Accepted {
            term,
            from: from_lsn,
        });
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Resend));
        out.push(ArbiterOutput::Event(ArbiterEvent::Accepted(holder)));
    }

    /// The holder's own messages say what it runs: its last Hello may be older than its term or never have
    /// come, and its Release may come after its lease is over.
    fn note_running(&mut self, slot: Slot, stamp: Stamp) {
        let cold = self.line.last().is_some_and(|last| last.from.is_none());
        let Some(Holder { boot, .. }) = self.holder else {
            return;
        };
        let unheard = Known {
            boot,
            hello: 0,
            said: None,
        };
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

    fn end_lease(&mut self, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        let Some(holder) = self
            .holder
            .as_mut()
            .filter(|holder| holder.lease == Lease::Running)
        else {
            return;
        };
        holder.lease = Lease::Over;
        out.push(ArbiterOutput::Event(ArbiterEvent::LeaseOver(*holder)));
        if self.register.is_some() {
            self.offer(planted, out);
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

    fn offer(&mut self, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        assert!(!self.runs(), "offers wait for the lease's end");
        assert!(self.offer.is_none(), "one offer at a time");
        let Some((candidate, off_line)) = self.candidate(planted) else {
            return;
        };
        if let Some(stamp) = off_line {
            out.push(ArbiterOutput::Event(ArbiterEvent::OffTheLine { stamp }));
        }
        self.term = Term(self.term.0 + 1);
        let offer = Offer {
            term: self.term,
            ..candidate
        };
        self.offer = Some(offer);
        out.push(ArbiterOutput::Event(ArbiterEvent::Offered(offer)));
        Self::send_offer(offer, out);
        out.push(ArbiterOutput::SetTimer(ArbiterTimer::TakeoverWait));
        out.push(ArbiterOutput::SetTimer(ArbiterTimer::Resend));
    }

    fn send_offer(offer: Offer, out: &mut Vec<ArbiterOutput>) {
        let Offer {
            term,
            slot,
            boot,
            origin,
            bound,
            hello,
        } = offer;
        let message = ToUnit::Offer {
            boot,
            term,
            origin,
            bound,
            hello,
        };
        out.push(ArbiterOutput::Send { to: slot, message });
    }

    /// What is offered next, and to whom; the term is the last one. With the stamp of a store off
    /// the line.
    fn candidate(&self, planted: Planted) -> Option<(Offer, Option<Stamp>)> {
        let offer = |slot, boot, origin| Offer {
            term: self.term,
            slot,
            boot,
            origin,
            bound: None,
            hello: 0,
        };
        if let Some(Eligible { session, slot, lsn }) = self.register {
            let origin = Origin::Stateful { session, lsn };
            return Some((offer(slot, session.standby, origin), None));
        }
        let mut known: Vec<(Slot, Said)> = self
            .known
            .iter()
            .filter_map(|(slot, known)| Some((*slot, known.said?)))
            .collect();
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
            let off = known
                .iter()
                .map(|(slot, unit)| rank(unit.startup, Memory::Startup, *slot));
            best = off.max();
            off_line = best.map(|(term, _, lsn, ..)| Stamp { term, lsn });
        }
        let (term, _, lsn, memory, core::cmp::Reverse(slot)) = best?;
        let Known { boot, hello, .. } = self.known[&slot];
        let (origin, hello) = match memory {
            Memory::Running => (Origin::Resume, 0),
            Memory::Replica => {
                let stamp = Stamp { term, lsn };
                (Origin::Stale { stamp }, 0)
            }
            Memory::Startup => (Origin::Cold, hello),
        };
        let offer = Offer {
            bound,
            hello,
            ..offer(slot, boot, origin)
        };
        Some((offer, off_line))
    }

    /// The LSN beyond which what was held in a term is off the line: a unit may have gone on since its Hello.
    fn bound(&self, held: Term) -> Option<Lsn> {
        let later = self.line.iter().filter(|accepted| accepted.term > held);
        later.filter_map(|accepted| accepted.from).min()
    }

    /// Whether no later term was taken over from before this stamp.
    pub fn on_line(&self, stamp: Stamp, memory: Memory) -> bool {
        let later = self
            .line
            .iter()
            .filter(|accepted| accepted.term > stamp.term);
        later.into_iter().all(|accepted| match accepted.from {
            Some(lsn) => lsn >= stamp.lsn,
            None => memory == Memory::Startup,
        })
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
    (
        stamp.term,
        running,
        stamp.lsn,
        memory,
        core::cmp::Reverse(slot),
    )
}
