//! NoAckedLoss: what was returned `replicated` is in the config with which the next unit acts
//! statefully; and if the register's holder neither restarted, declined, nor was out of the
//! arbiter's reach for `takeover_wait`, it is offered the role and takes it.

use std::collections::BTreeMap;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Eligible, Message, Origin, ToArbiter};
use skewsync::unit::standby::Readiness;
use skewsync::unit::{
    ArbiterEvent, ArbiterInput, ArbiterOutput, Event as Told, Output, Role, Standby, Unit,
};
use skewsync_model::property::Property;

use super::{broken, parts_from_arbiter, replicated, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoAckedLoss {
    replicated: BTreeMap<Term, Lsn>,
    /// Since when each unit and the arbiter reach each other.
    well_since: [u64; 2],
    declined: Option<Slot>,
    /// Whether each unit's replica has declared itself not ready, and whether it did so because it
    /// could not read a Line: that is no excuse.
    declares: [(bool, bool); 2],
    checked: u64,
}

impl NoAckedLoss {
    /// A stateful takeover: everything that was replicated in the terms up to the session's.
    fn takes_over(&mut self, of: Term, lsn: Lsn) -> Result<(), Violation> {
        self.checked += 1;
        let lost = self.replicated.range(..=of).find(|(_, replicated)| **replicated > lsn);
        match lost {
            Some((term, replicated)) => broken(
                Property::NoAckedLoss,
                format!("LSN {replicated} of term {term} was replicated, and {lsn} is taken over"),
            ),
            None => Ok(()),
        }
    }

    /// The register's holder was passed over: only if something is the matter with it.
    fn passed_over(
        &self,
        eligible: &Eligible,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        let there = scene.boot(eligible.slot) == Some(eligible.session.standby);
        let well_since = self.well_since[usize::from(eligible.slot.0)];
        let quiet = seen.at_us - well_since > 2_000 * scene.limits().takeover_wait_ms;
        let reached = quiet && !scene.paused(eligible.slot);
        if there && reached && self.declined != Some(eligible.slot) {
            return broken(
                Property::NoAckedLoss,
                format!("slot {} was passed over, and it was there all along", eligible.slot),
            );
        }
        Ok(())
    }
}

fn is_declared(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Standby(Standby { replica: Some(replica), .. })
        if replica.readiness == Readiness::Declared)
}

fn says_unreadable(outputs: &[Output]) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Send { message: Message::Unreadable { .. }, .. }))
}

impl Observer for NoAckedLoss {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        for (slot, well_since) in [Slot(0), Slot(1)].into_iter().zip(&mut self.well_since) {
            if parts_from_arbiter(&seen.event, scene, slot) {
                *well_since = seen.at_us;
            }
        }
        if let Event::Arbiter { input, outputs, .. } = seen.event {
            if let ArbiterInput::Message { from, message: ToArbiter::Decline { .. } } = input {
                let (declared, unread) = self.declares[usize::from(from.0)];
                if !(declared && unread) {
                    self.declined = Some(*from);
                }
            }
            for output in outputs {
                match output {
                    ArbiterOutput::Event(ArbiterEvent::PassedOver(eligible)) => {
                        self.passed_over(eligible, seen, scene)?;
                    }
                    ArbiterOutput::Event(ArbiterEvent::Accepted(_)) => self.declined = None,
                    _ => {}
                }
            }
        }
        if let Event::Unit { slot, outputs, unit, .. } = seen.event {
            let declares = &mut self.declares[usize::from(slot.0)];
            let declared = is_declared(unit);
            if declared && !declares.0 {
                declares.1 = says_unreadable(outputs);
            }
            declares.0 = declared;
        }
        for (term, lsn) in replicated(&seen.event) {
            let most = self.replicated.entry(term).or_insert(lsn);
            *most = lsn.max(*most);
        }
        for event in told(&seen.event) {
            let Told::Acts { stamp, origin, .. } = event else {
                continue;
            };
            if let Origin::Stateful { session, lsn } = origin {
                if stamp.lsn < *lsn {
                    let what = format!("{} is taken over, and the register said {lsn}", stamp.lsn);
                    return broken(Property::NoAckedLoss, what);
                }
                self.takes_over(session.term, stamp.lsn)?;
            } else {
                // A lawful loss is past: what goes on from here is the config that was taken up.
                self.replicated.retain(|_, lsn| *lsn <= stamp.lsn);
            }
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
                k: 2,
                highest: Term(2),
                said: skewsync::message::Said::default(),
            },
        };
        assert_eq!(play(long, Some((Slot(1), declines))), None);
    }
}
