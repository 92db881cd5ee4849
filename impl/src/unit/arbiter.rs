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
mod input;
mod lease;
mod lost;
mod offer;
mod output;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::limits::Limits;
use crate::ids::{BootId, Lsn, Slot, Term};
use crate::message::{Eligible, Hello, Said, Stamp, ToArbiter, ToUnit};
use crate::planted::{Defect, Planted};

pub use choice::Memory;
pub use input::{ArbiterInput, ArbiterTimer};
pub use lease::{Lease, LeaseHolder};
pub use lost::{Found, Lost};
pub use offer::Offer;
pub use output::{ArbiterEvent, ArbiterOutput};

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
    /// What a Hello is to echo that counts as heard since: a term that it never offers.
    pub asked: Option<Term>,
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
            self.found = Some(Found::again(self.found, last, self.term));
            self.ask();
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
                    // A boot that came since was offered nothing.
                    let offered = self.known.get_mut(&offer.slot);
                    if let Some(known) = offered.filter(|known| known.boot == offer.boot) {
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
                let unheard = taken && !self.heard.contains(&from);
                if let Some(asked) = self.asked.filter(|asked| unheard && hello.asked < *asked) {
                    let message = ToUnit::Ask { boot, asked };
                    out.push(ArbiterOutput::Send { to: from, message });
                }
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
}
