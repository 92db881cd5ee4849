//! SingleActive: in true time no two units have Active effects at the same instant; granted terms
//! strictly increase, each to one (unit, boot). What a unit takes after its lease's end it would
//! answer as Active: the lease's end comes before any other input (PROTOCOL.md, section 2, Lease).

use std::collections::BTreeMap;

use skewsync::ids::{BootId, Slot, Term};
use skewsync::unit::{Event as Told, Input};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, Unit, What};
use crate::observe::{Evidence, Fate, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct SingleActive {
    terms: BTreeMap<Term, (Slot, BootId)>,
    checked: u64,
}

/// A unit that acts takes nothing but its lease's end once the lease is over.
fn lease_first(slot: Slot, unit: &Unit, input: &Input, fact: &Fact<'_>) -> Result<(), Violation> {
    let over = unit.lease_end_us.filter(|end| *end <= fact.at_us);
    match over {
        Some(end) if unit.acting().is_some() && *input != Input::LeaseLapsed => {
            let ms = (fact.at_us - end) / 1_000;
            broken(Property::SingleActive, Evidence::ActsBeyondLease { slot, ms })
        }
        Some(_) | None => Ok(()),
    }
}

impl SingleActive {
    /// A unit acts in a term: no other did, and none in a later one.
    fn acts(&mut self, term: Term, slot: Slot, boot: BootId) -> Result<(), Violation> {
        let greatest = self.terms.last_key_value().map(|(term, _)| *term);
        let evidence = match (self.terms.get(&term), greatest) {
            (Some(of), _) if *of != (slot, boot) => Evidence::TermOfTwo { term },
            (None, Some(after)) if after > term => Evidence::TermBehind { term, after },
            (Some(_) | None, _) => {
                self.terms.insert(term, (slot, boot));
                return Ok(());
            }
        };
        broken(Property::SingleActive, evidence)
    }
}

impl Observer for SingleActive {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let at = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)));
        let Some((slot, unit)) = at else {
            return Ok(());
        };
        match fact.what {
            What::Took { input, .. } => lease_first(slot, unit, input, fact),
            What::Says { event: Told::Acts { stamp, .. }, fate: Fate::Done } => match unit.boot {
                Some(boot) if unit.acts_at(fact.at_us) => self.acts(stamp.term, slot, boot),
                Some(_) | None => Ok(()),
            },
            What::Stepped => {
                self.checked += 1;
                if history.acting().count() > 1 {
                    return broken(Property::SingleActive, Evidence::BothAct);
                }
                Ok(())
            }
            _ => Ok(()),
        }
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
