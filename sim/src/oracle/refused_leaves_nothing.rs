//! RefusedLeavesNothing: a refused command changes no config and takes no LSN.

use std::collections::BTreeMap;

use skewsync::digest::Digest;

use skewsync::ids::{Lsn, Slot};
use skewsync::unit::{Input, Outcome, Output, Role, Unit};
use skewsync_model::property::Property;

use super::{broken, performed};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct RefusedLeavesNothing {
    before: BTreeMap<Slot, (Lsn, Digest)>,
    checked: u64,
}

fn held(unit: &Unit) -> Option<(Lsn, Digest)> {
    match &unit.part {
        Role::Active(active) => Some((active.last, active.config.digest())),
        Role::Standby(_) | Role::Holder(_) => None,
    }
}

impl Observer for RefusedLeavesNothing {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        if let Event::Ended { slot, .. } = seen.event {
            self.before.remove(&slot);
        }
        let Event::Unit { slot, input, unit, .. } = seen.event else {
            return Ok(());
        };
        let after = held(unit);
        if let Input::Command(command) = input {
            let refused = performed(&seen.event).any(|output| {
                matches!(output, Output::Answer { id, outcome: Outcome::Refused(_) }
                    if *id == command.id)
            });
            if refused {
                self.checked += 1;
                if self.before.get(&slot).copied() != after {
                    let id = command.id;
                    return broken(
                        Property::RefusedLeavesNothing,
                        format!("command {id} was refused and changed slot {slot}"),
                    );
                }
            }
        }
        match after {
            Some(held) => self.before.insert(slot, held),
            None => self.before.remove(&slot),
        };
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::RefusedLeavesNothing, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit::Refusal;

    use super::*;
    use crate::oracle::testing::{Stage, active, answer, broken_property, command};

    fn refused(last: u64, text: &str) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut RefusedLeavesNothing::default());
        let before = active(Slot(0), 1, 3, "6.2", "hostname r1\n");
        stage.does(oracle, before, &[]).unwrap();
        let after = active(Slot(0), 1, last, "6.2", text);
        let refused = answer(1, Outcome::Refused(Refusal::TooLarge));
        broken_property(stage.step(oracle, after, &command(1), &[refused]))
    }

    #[test]
    fn a_refused_command_that_changes_something_breaks_it() {
        assert_eq!(refused(3, "hostname r2\n"), Some(Property::RefusedLeavesNothing));
        assert_eq!(refused(4, "hostname r1\n"), Some(Property::RefusedLeavesNothing));
    }

    #[test]
    fn a_refused_command_that_changes_nothing_breaks_nothing() {
        assert_eq!(refused(3, "hostname r1\n"), None);
    }
}
