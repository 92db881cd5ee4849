//! SingleActive: in true time no two units have Active effects at the same instant; granted terms
//! strictly increase, each to one (unit, boot). What a unit takes after its lease's end it would
//! answer as Active: the lease's end comes before any other input (PROTOCOL.md, section 2, Lease).

use std::collections::BTreeMap;

use skewsync::ids::{BootId, Slot, Term};
use skewsync::unit::{Event as Told, Input, Output, Role, Unit};
use skewsync_model::property::Property;

use crate::observe::{ClusterView, Event, Fate, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct SingleActive {
    terms: BTreeMap<Term, (Slot, BootId)>,
    /// When the lease of each unit that acts ends, as of its last step.
    ends: BTreeMap<Slot, u64>,
    checked: u64,
}

impl SingleActive {
    fn check(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        self.checked += 1;
        let acting = [Slot(0), Slot(1)].into_iter().filter(|slot| {
            let acts = scene.unit(*slot).is_some_and(|unit| matches!(unit.part, Role::Active(_)));
            acts && scene.lease_end(*slot).is_some_and(|end| end > seen.at_us)
        });
        if acting.count() > 1 {
            return Err(Violation {
                property: Property::SingleActive,
                what: "both units act within their leases at the same instant".into(),
            });
        }
        Ok(())
    }

    fn acts(&mut self, term: Term, slot: Slot, scene: &dyn ClusterView) -> Result<(), Violation> {
        let Some(boot) = scene.boot(slot) else {
            return Ok(());
        };
        let greatest = self.terms.last_key_value().map(|(term, _)| *term);
        let violation = |what: String| Err(Violation { property: Property::SingleActive, what });
        match self.terms.get(&term) {
            Some(of) if *of != (slot, boot) => {
                violation(format!("term {term} was granted to two units or boots"))
            }
            None if greatest.is_some_and(|greatest| greatest > term) => {
                violation(format!("term {term} is acted in after term {greatest:?}"))
            }
            Some(_) | None => {
                self.terms.insert(term, (slot, boot));
                Ok(())
            }
        }
    }
}

impl SingleActive {
    /// A step of a unit that acted: within its lease, or it is told of the lease's end.
    fn lease_first(
        &mut self,
        slot: Slot,
        input: &Input,
        unit: &Unit,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        let end = self.ends.remove(&slot);
        if matches!(unit.part, Role::Active(_))
            && let Some(end) = scene.lease_end(slot)
        {
            self.ends.insert(slot, end);
        }
        match end {
            Some(end) if end <= seen.at_us && *input != Input::LeaseLapsed => Err(Violation {
                property: Property::SingleActive,
                what: format!(
                    "slot {slot} acted, and takes something else {} ms after its lease's end than \
                     this end",
                    (seen.at_us - end) / 1_000
                ),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Observer for SingleActive {
    fn before(&mut self, slot: Slot, _: &Input, scene: &dyn ClusterView) {
        // The rate of a clock may have changed since the last step, and with it when the lease
        // ends.
        if let (Some(known), Some(end)) = (self.ends.get_mut(&slot), scene.lease_end(slot)) {
            *known = end;
        }
    }

    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        if let Event::Ended { slot, .. } = seen.event {
            self.ends.remove(&slot);
        }
        let Event::Unit { slot, input, outputs, fates, unit, .. } = seen.event else {
            return Ok(());
        };
        self.lease_first(slot, input, unit, seen, scene)?;
        for (output, fate) in outputs.iter().zip(fates) {
            if let Output::Event(Told::Acts { stamp, .. }) = output
                && *fate == Fate::Done
                && scene.lease_end(slot).is_some_and(|end| end > seen.at_us)
            {
                let term = scene.unit(slot).and_then(|unit| unit.term()).unwrap_or(stamp.term);
                self.acts(term, slot, scene)?;
            }
        }
        self.check(seen, scene)
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::SingleActive, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Stage, active, acts, broken_property, stamp};

    #[test]
    fn two_units_within_their_leases_break_it() {
        let (mut stage, oracle) = (Stage::new(), &mut SingleActive::default());
        stage.lease_end = [Some(10), Some(10)];
        let one = active(Slot(0), 1, 0, "6.2", "");
        assert_eq!(stage.does(oracle, one, &[]), Ok(()));
        let other = active(Slot(1), 2, 0, "6.2", "");
        assert_eq!(broken_property(stage.does(oracle, other, &[])), Some(Property::SingleActive));
    }

    #[test]
    fn a_former_active_whose_lease_is_over_breaks_nothing() {
        let (mut stage, oracle) = (Stage::new(), &mut SingleActive::default());
        stage.lease_end = [Some(10), Some(20)];
        stage.units[0] = Some(active(Slot(0), 1, 0, "6.2", ""));
        stage.at_us = 15;
        let other = active(Slot(1), 2, 0, "6.2", "");
        assert_eq!(stage.does(oracle, other, &[]), Ok(()));
    }

    #[test]
    fn a_term_that_another_unit_had_or_that_is_past_breaks_it() {
        for past in [2, 1] {
            let (mut stage, oracle) = (Stage::new(), &mut SingleActive::default());
            stage.lease_end = [Some(10), Some(10)];
            let cold = skewsync::message::Origin::Cold;
            let one = active(Slot(0), 2, 0, "6.2", "");
            assert_eq!(stage.does(oracle, one, &[acts(stamp(2, 0), cold, &[])]), Ok(()));
            stage.units[0] = None;
            let other = active(Slot(1), past, 0, "6.2", "");
            let found = stage.does(oracle, other, &[acts(stamp(past, 0), cold, &[])]);
            assert_eq!(broken_property(found), Some(Property::SingleActive));
        }
    }
}
