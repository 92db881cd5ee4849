//! Available: arbiter up and a register set, within T of the Active's death a unit acts. Checked
//! as: with nothing wrong for T, a unit acts; and an arbiter that hears a unit while nobody holds a
//! lease offers the role (PROTOCOL.md, section 2, Who is offered a term).

use skewsync::ids::Slot;
use skewsync::message::ToArbiter;
use skewsync::unit::{ArbiterInput, Limits};
use skewsync_model::property::Property;

use super::{broken, starts};
use crate::history::{Arbiter, Fact, History, Observer, Unit, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct Available {
    well_since: u64,
    /// Since when the arbiter hears somebody while nobody has a lease or an offer.
    heard_since: Option<u64>,
    /// The Hello that the arbiter takes in the step at hand.
    hello: Option<(Slot, u64)>,
    checked: u64,
}

/// How long an arbiter may hear a unit without offering: the gathering, and a Hello more to say so.
const fn offers_within_us(limits: &Limits) -> u64 {
    1_000 * (limits.gather_ms + limits.hello_ms)
}

/// The lease, two offers, and the rounds between them.
fn bound_us(limits: &Limits) -> u64 {
    let offers = 2 * limits.takeover_wait_ms + limits.gather_ms + limits.hello_ms;
    1_000 * (limits.arbiter_lease_ms() + offers + 3 * limits.renew_ms + limits.resend_ms)
}

/// Whether everything runs, and nobody acts.
fn nobody_acts(history: &History) -> bool {
    let runs = |unit: &Unit| unit.machine.is_some() && !unit.suspended;
    let all = history.arbiter.is_some() && history.units.iter().all(runs);
    all && history.acting().next().is_none()
}

impl Available {
    fn takes(&mut self, input: &ArbiterInput) {
        self.hello = match input {
            ArbiterInput::Message { from, message: ToArbiter::Hello { hello, .. } } => {
                Some((*from, hello.k))
            }
            _ => None,
        };
        if starts(input) {
            self.heard_since = None;
        }
    }

    /// A step of the arbiter: if it hears somebody, it offers in time.
    fn offers(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let waits = |arbiter: &&Arbiter| !(arbiter.lease_runs || arbiter.offers || arbiter.silent);
        let Some(arbiter) = history.arbiter.as_ref().filter(waits) else {
            self.heard_since = None;
            return Ok(());
        };
        // A late Hello is not taken: it says nothing of who is there.
        let hears = self.hello.is_some_and(|(from, k)| arbiter.heard.get(&from) == Some(&k));
        let since = match self.heard_since {
            Some(since) => since,
            None if hears => *self.heard_since.insert(fact.at_us),
            None => return Ok(()),
        };
        self.checked += 1;
        let us = fact.at_us - since;
        if us > offers_within_us(&history.limits) {
            return broken(Property::Available, Evidence::OffersNothing { ms: us / 1_000 });
        }
        Ok(())
    }
}

impl Observer for Available {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match fact.what {
            What::ArbiterTook { input, .. } => self.takes(input),
            What::ArbiterStepped => self.offers(fact, history)?,
            What::Ended { boot: None, .. } => self.heard_since = None,
            _ => {}
        }
        if !fact.what.is_whole() {
            return Ok(());
        }
        let parted = history.units.iter().any(|unit| unit.parted.event == fact.event);
        if parted || !nobody_acts(history) {
            self.well_since = fact.at_us;
            return Ok(());
        }
        self.checked += 1;
        let us = fact.at_us - self.well_since;
        if us > bound_us(&history.limits) {
            return broken(Property::Available, Evidence::NobodyActs { ms: us / 1_000 });
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Available, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, active, broken_property, idle};

    fn after_long(prepare: impl Fn(&mut Stage)) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut Available::default());
        prepare(&mut stage);
        stage.at_us = bound_us(&stage.limits) + 1;
        let unit = idle(Slot(1), "6.2");
        broken_property(stage.does(oracle, unit, &[]))
    }

    #[test]
    fn nobody_acting_while_nothing_is_wrong_breaks_it() {
        assert_eq!(after_long(|_| {}), Some(Property::Available));
    }

    #[test]
    fn a_unit_that_acts_a_cut_or_an_arbiter_that_is_away_breaks_nothing() {
        let acting = |stage: &mut Stage| {
            stage.units[0] = Some(active(Slot(0), 1, 0, "6.2", ""));
            stage.lease_end[0] = Some(u64::MAX);
        };
        assert_eq!(after_long(acting), None);
        assert_eq!(after_long(Stage::part), None);
        assert_eq!(after_long(|stage| stage.arbiter = None), None);
    }
}
