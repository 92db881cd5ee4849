//! Available: arbiter up and a register set, within T of the Active's death a unit acts. Checked
//! as: with nothing wrong for T, a unit acts; and an arbiter that hears a unit while nobody holds a
//! lease offers the role (PROTOCOL.md, section 2, Who is offered a term).

use skewsync::ids::Slot;
use skewsync::message::ToArbiter;
use skewsync::unit::{Arbiter, ArbiterInput, Limits, Role};
use skewsync_model::property::Property;

use super::{broken, parts_from_arbiter, starts};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct Available {
    well_since: u64,
    /// Since when the arbiter hears somebody while nobody has a lease or an offer.
    heard_since: Option<u64>,
    checked: u64,
}

/// How long an arbiter may hear a unit without offering: the gathering, and a Hello more to say so.
const fn offers_within_us(limits: &Limits) -> u64 {
    1_000 * (limits.gather_ms + limits.hello_ms)
}

impl Available {
    fn offers(
        &mut self,
        input: &ArbiterInput,
        arbiter: &Arbiter,
        seen: &Observed<'_>,
        limits: &Limits,
    ) -> Result<(), Violation> {
        // A late Hello is not taken: it says nothing of who is there.
        let hears = match input {
            ArbiterInput::Message { from, message: ToArbiter::Hello { hello, .. } } => {
                let known = arbiter.known.get(from);
                known.is_some_and(|known| known.said.is_some() && known.hello == hello.k)
            }
            _ => false,
        };
        if arbiter.runs() || arbiter.offer.is_some() || arbiter.silent || starts(input) {
            self.heard_since = None;
            return Ok(());
        }
        let since = match self.heard_since {
            Some(since) => since,
            None if hears => *self.heard_since.insert(seen.at_us),
            None => return Ok(()),
        };
        self.checked += 1;
        let us = seen.at_us - since;
        if us > offers_within_us(limits) {
            let what =
                format!("the arbiter hears a unit for {} ms, and offers nothing", us / 1_000);
            return broken(Property::Available, what);
        }
        Ok(())
    }
}

/// The lease, two offers, and the rounds between them.
fn bound_us(limits: &Limits) -> u64 {
    let offers = 2 * limits.takeover_wait_ms + limits.gather_ms + limits.hello_ms;
    1_000 * (limits.arbiter_lease_ms() + offers + 3 * limits.renew_ms + limits.resend_ms)
}

impl Observer for Available {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Arbiter { input, arbiter, .. } => {
                self.offers(input, arbiter, seen, scene.limits())?;
            }
            Event::ArbiterEnded => self.heard_since = None,
            _ => {}
        }
        let acts = |slot: Slot| match scene.unit(slot).map(|unit| &unit.part) {
            Some(Role::Active(_)) => scene.lease_end(slot).is_some_and(|end| end > seen.at_us),
            _ => false,
        };
        let whole = scene.unit(Slot(0)).is_some()
            && scene.unit(Slot(1)).is_some()
            && scene.arbiter().is_some()
            && !scene.paused(Slot(0))
            && !scene.paused(Slot(1));
        let parted = [Slot(0), Slot(1)].map(|slot| parts_from_arbiter(&seen.event, scene, slot));
        if parted != [false; 2] || !whole || acts(Slot(0)) || acts(Slot(1)) {
            self.well_since = seen.at_us;
            return Ok(());
        }
        self.checked += 1;
        if seen.at_us - self.well_since > bound_us(scene.limits()) {
            let ms = (seen.at_us - self.well_since) / 1_000;
            return broken(
                Property::Available,
                format!("nobody acts for {ms} ms, and nothing is wrong"),
            );
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
        assert_eq!(after_long(|stage| stage.whole = false), None);
        assert_eq!(after_long(|stage| stage.arbiter = None), None);
    }
}
