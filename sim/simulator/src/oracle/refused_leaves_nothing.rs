//! RefusedLeavesNothing: a refused command changes no config and takes no LSN.

use skewsync::digest::Digest;

use skewsync::ids::{CommandId, Lsn, Slot};
use skewsync::unit::{Input, Outcome};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};

/// What a unit acts with, if it acts.
type Held = Option<(Lsn, Digest)>;

/// See the module.
#[derive(Debug, Default)]
pub struct RefusedLeavesNothing {
    /// The command that a unit takes, and what it acted with before.
    at_hand: Option<(CommandId, Held)>,
    checked: u64,
}

fn held(slot: Slot, history: &History) -> Held {
    history.acting_in(slot).map(|acting| (acting.last, acting.config.digest()))
}

impl Observer for RefusedLeavesNothing {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Took { input, .. } => {
                self.at_hand = match input {
                    Input::Command(command) => Some((command.id, held(slot, history))),
                    _ => None,
                };
            }
            What::Answered { command, outcome: Outcome::Refused(_), fate: Fate::Done } => {
                if let Some((_, before)) = self.at_hand.take_if(|(id, _)| *id == command) {
                    self.checked += 1;
                    if before != held(slot, history) {
                        let evidence = Evidence::RefusedChanges { command, slot };
                        return broken(Property::RefusedLeavesNothing, evidence);
                    }
                }
            }
            _ => {}
        }
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
