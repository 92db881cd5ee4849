//! Answers: every command gets one outcome within its bound, in every phase and under every fault.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::base::{CommandId, Slot};
use skewsync::unit::{Input, Limits, Output};

use super::broken;
use crate::tap::{Event, Fate, Observer, Scene, Seen, Violation};

const NAME: &str = "Answers";

/// See the module.
#[derive(Debug, Default)]
pub struct Answers {
    waiting: BTreeMap<CommandId, (Slot, u64)>,
    answered: BTreeSet<CommandId>,
    checked: u64,
}

/// How long a command may wait: the role may be lost and offered back while it does, and links may be
/// down for as long as a plan's faults last.
const fn bound_us(limits: &Limits) -> u64 {
    let save = limits.save_timeout_ms + limits.drain_timeout_ms;
    let role = 2 * (limits.lease_ms + limits.takeover_wait_ms + limits.ack_timeout_ms);
    1_000 * (save + role + 30_000)
}

impl Observer for Answers {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        match seen.event {
            Event::Unit {
                slot,
                input,
                outputs,
                fates,
                ..
            } => {
                if let Input::Command(skewsync::unit::Command { id, .. })
                | Input::Operator { id, .. } = input
                {
                    self.waiting.insert(*id, (slot, seen.at_us));
                }
                for (output, fate) in outputs.iter().zip(fates) {
                    let Output::Answer { id, .. } = output else {
                        continue;
                    };
                    // What was dropped after the lease's end the terminal takes for `unknown`.
                    self.waiting.remove(id);
                    if *fate == Fate::Done && !self.answered.insert(*id) {
                        return broken(NAME, format!("command {id} was answered twice"));
                    }
                    self.checked += 1;
                }
            }
            // The terminal's connection is gone with the process.
            Event::Ended { slot, .. } => self.waiting.retain(|_, (at, _)| *at != slot),
            _ => {}
        }
        let bound = bound_us(scene.limits());
        match self
            .waiting
            .iter()
            .find(|(_, (_, since))| seen.at_us - since > bound)
        {
            Some((id, (slot, _))) => broken(
                NAME,
                format!("command {id} at slot {slot} got no outcome in its bound"),
            ),
            None => Ok(()),
        }
    }

    fn end(&mut self, _: &dyn Scene) -> Result<(), Violation> {
        match self.waiting.first_key_value() {
            Some((id, (slot, _))) => broken(
                NAME,
                format!("command {id} at slot {slot} has no outcome at the end"),
            ),
            None => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::stage::{Stage, active, answer, broken_property, command};

    fn asked(answers: &[Output]) -> (Stage, Answers, Option<&'static str>) {
        let (mut stage, mut oracle) = (Stage::new(), Answers::default());
        let unit = active(Slot(0), 1, 0, "6.2", "");
        let found = stage.step(&mut oracle, unit, &command(1), answers);
        (stage, oracle, broken_property(found))
    }

    fn unknown() -> Output {
        answer(1, skewsync::unit::Outcome::Unknown)
    }

    #[test]
    fn a_command_without_an_outcome_breaks_it_at_its_bound_and_at_the_end() {
        let (mut stage, mut oracle, found) = asked(&[]);
        assert_eq!(found, None);
        assert_eq!(broken_property(oracle.end(&stage)), Some(NAME));
        stage.at_us = bound_us(&stage.limits) + 1;
        let unit = active(Slot(0), 1, 0, "6.2", "");
        assert_eq!(
            broken_property(stage.does(&mut oracle, unit, &[])),
            Some(NAME)
        );
    }

    #[test]
    fn two_outcomes_of_one_command_break_it() {
        assert_eq!(asked(&[unknown(), unknown()]).2, Some(NAME));
    }

    #[test]
    fn one_outcome_breaks_nothing() {
        let (stage, mut oracle, found) = asked(&[unknown()]);
        assert_eq!((found, oracle.end(&stage)), (None, Ok(())));
    }
}
