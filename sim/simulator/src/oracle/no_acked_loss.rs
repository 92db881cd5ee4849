//! NoAckedLoss: what was returned `replicated` is in the config with which the next unit acts
//! statefully; and if the register's holder neither restarted, declined, nor was out of the
//! arbiter's reach for `takeover_wait`, it is offered the role and takes it.

use std::collections::BTreeMap;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Eligible, Message, Origin, Stamp, ToArbiter};
use skewsync::unit::{ArbiterEvent, ArbiterInput, Event as Told};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, Unit, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoAckedLoss {
    declined: Option<Slot>,
    /// The units whose replica has declared itself not ready, and whether it did so because it
    /// could not read a Line: that is no excuse.
    declared: BTreeMap<Slot, bool>,
    checked: u64,
}

impl NoAckedLoss {
    /// A stateful takeover: everything that was replicated in the terms up to the session's.
    fn takes_over(&mut self, of: Term, lsn: Lsn, history: &History) -> Result<(), Violation> {
        self.checked += 1;
        let lost = history.promised.range(..=of).find(|(_, replicated)| **replicated > lsn);
        match lost {
            Some((&term, &replicated)) => {
                let change = Stamp { term, lsn: replicated };
                broken(Property::NoAckedLoss, Evidence::ReplicatedLost { change, taken: lsn })
            }
            None => Ok(()),
        }
    }

    /// The register's holder was passed over: only if something is the matter with it.
    fn passed_over(&self, eligible: &Eligible, history: &History) -> Result<(), Violation> {
        let slot = eligible.slot;
        let there = history.boot(slot) == Some(eligible.session.standby);
        let quiet = history.in_reach_us(slot) > 2_000 * history.limits.takeover_wait_ms;
        let reached = quiet && history.unit(slot).is_some_and(|unit| !unit.suspended);
        if there && reached && self.declined != Some(slot) {
            return broken(Property::NoAckedLoss, Evidence::PassedOver { slot });
        }
        Ok(())
    }
}

fn is_declared(slot: Slot, history: &History) -> bool {
    let replica = history.unit(slot).and_then(Unit::waiting).and_then(|it| it.replica.as_ref());
    replica.is_some_and(|replica| !replica.ready)
}

impl Observer for NoAckedLoss {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match (fact.what, fact.slot()) {
            (What::ArbiterTook { input, .. }, _) => {
                if let ArbiterInput::Message { from, message: ToArbiter::Decline { .. } } = input
                    && self.declared.get(from) != Some(&true)
                {
                    self.declined = Some(*from);
                }
            }
            (What::ArbiterSays { event: ArbiterEvent::PassedOver(eligible) }, _) => {
                return self.passed_over(eligible, history);
            }
            (What::ArbiterSays { event: ArbiterEvent::Accepted(_) }, _) => self.declined = None,
            (What::Sends { message: Message::Unreadable { .. }, .. }, Some(slot))
                if is_declared(slot, history) =>
            {
                self.declared.entry(slot).or_insert(true);
            }
            (What::Stepped, Some(slot)) => {
                if is_declared(slot, history) {
                    self.declared.entry(slot).or_insert(false);
                } else {
                    self.declared.remove(&slot);
                }
            }
            (What::Says { event: Told::Acts { stamp, origin, .. }, .. }, _) => {
                let Origin::Stateful { session, lsn } = origin else {
                    return Ok(());
                };
                if stamp.lsn < *lsn {
                    let evidence = Evidence::TakenBelowRegister { taken: stamp.lsn, said: *lsn };
                    return broken(Property::NoAckedLoss, evidence);
                }
                return self.takes_over(session.term, stamp.lsn, history);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::NoAckedLoss, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit::{Copies, Outcome};

    use super::*;
    use crate::oracle::testing::{
        Stage, active, acts, answer, broken_property, eligible, stamp, stateful,
    };

    fn taken_over_at(lsn: u64, register: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoAckedLoss::default());
        let (term, place, listed) = (Term(1), Copies::Replicated, Vec::new());
        let done = Outcome::Done { term, lsn: Lsn(5), place, listed };
        let one = active(Slot(0), 1, 5, "6.2", "");
        stage.does(oracle, one, &[answer(1, done)]).unwrap();
        let other = active(Slot(1), 2, lsn, "6.2", "");
        let says = acts(stamp(2, lsn), stateful(register), &[]);
        broken_property(stage.does(oracle, other, &[says]))
    }

    #[test]
    fn a_successor_short_of_what_was_replicated_breaks_it() {
        assert_eq!(taken_over_at(4, 3), Some(Property::NoAckedLoss));
        assert_eq!(taken_over_at(5, 6), Some(Property::NoAckedLoss));
        assert_eq!(taken_over_at(5, 3), None);
    }

    #[test]
    fn passing_over_a_standby_that_was_there_breaks_it() {
        let passed = [ArbiterEvent::PassedOver(eligible(5))];
        let play = |at_us: u64, heard: Option<(Slot, ToArbiter)>| {
            let (mut stage, oracle) = (Stage::new(), &mut NoAckedLoss::default());
            stage.at_us = at_us;
            broken_property(stage.arbiter_says(oracle, None, heard, &passed))
        };
        let long = 3_000 * skewsync::unit::Limits::DEFAULT.takeover_wait_ms;
        assert_eq!(play(long, None), Some(Property::NoAckedLoss));
        assert_eq!(play(10, None), None);
        let boot = skewsync::ids::BootId(1);
        let declines = ToArbiter::Decline {
            boot,
            term: Term(2),
            hello: skewsync::message::Hello {
                generation: 0,
                asked: Term(0),
                k: 2,
                highest: Term(2),
                said: skewsync::message::Said::default(),
            },
        };
        assert_eq!(play(long, Some((Slot(1), declines))), None);
    }
}
