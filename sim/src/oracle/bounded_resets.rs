//! BoundedResets: ordered resets between two of {operator action, stable_time hot} are at most
//! `max_resets`, across switchovers.

use std::collections::BTreeSet;

use skewsync::base::Slot;
use skewsync::message::Session;
use skewsync::unit::{Event as Told, Input, Request, Timer};

use super::{broken, told};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "BoundedResets";

/// See the module.
#[derive(Debug, Default)]
pub struct BoundedResets {
    resets: u32,
    failed: BTreeSet<Slot>,
    /// The session that the last request of an operator ended: what was ordered in it was ordered before.
    ended: Option<Session>,
    checked: u64,
}

impl Observer for BoundedResets {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        let ended = |event: &Told| match event {
            Told::SessionEnded { session, .. } => Some(*session),
            _ => None,
        };
        if let Event::Unit { input, .. } = seen.event {
            let forgets = matches!(
                input,
                Input::Timer(Timer::Stable)
                    | Input::Operator {
                        request: Request::RetrySso | Request::ResetPeer,
                        ..
                    }
            );
            if forgets {
                self.resets = 0;
            }
            if let Input::Operator { .. } = input
                && let Some(session) = told(&seen.event).find_map(ended)
            {
                self.ended = Some(session);
            }
        }
        match seen.event {
            Event::Written {
                slot,
                durable: false,
                ..
            } => {
                self.failed.insert(slot);
            }
            // A disk that is lost, or refused the count, counts on from what it has; it may also hold a count that was
            // forgotten elsewhere since.
            Event::Started { slot, boot, .. } if boot.lost_disk || self.failed.remove(&slot) => {
                self.resets = self.resets.min(boot.resets);
            }
            _ => {}
        }
        let late = self.ended.is_some() && told(&seen.event).find_map(ended) == self.ended;
        for event in told(&seen.event) {
            if !late && matches!(event, Told::Reset { counted: true }) {
                self.resets += 1;
                self.checked += 1;
            }
        }
        let most = scene.limits().max_resets;
        if self.resets > most {
            return broken(
                NAME,
                format!("{} ordered resets, and the bound is {most}", self.resets),
            );
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::base::CommandId;
    use skewsync::message::LeaveWhy;
    use skewsync::unit::Output;

    use super::*;
    use crate::oracle::stage::{SESSION, Stage, boot, idle, stamp};

    fn resets(times: u32, operator_after: Option<u32>) -> Option<&'static str> {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
        for time in 0..times {
            let reset = Output::Event(Told::Reset { counted: true });
            if let Err(violation) = stage.does(oracle, idle(Slot(1), "6.2"), &[reset]) {
                return Some(violation.property);
            }
            if operator_after == Some(time) {
                let (id, request) = (CommandId(1), Request::RetrySso);
                let asks = Input::Operator { id, request };
                stage
                    .step(oracle, idle(Slot(0), "6.2"), &asks, &[])
                    .unwrap();
            }
        }
        None
    }

    #[test]
    fn a_reset_beyond_the_bound_breaks_it() {
        let most = skewsync::unit::Limits::DEFAULT.max_resets;
        assert_eq!(resets(most + 1, None), Some(NAME));
        assert_eq!(resets(most, None), None);
    }

    #[test]
    fn an_operator_begins_the_count_anew() {
        let most = skewsync::unit::Limits::DEFAULT.max_resets;
        assert_eq!(resets(most + 1, Some(0)), None);
    }

    #[test]
    fn a_count_that_an_older_disk_holds_is_not_counted_again() {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
        let (slot, write, durable) = (Slot(1), skewsync::base::WriteId(1), false);
        let failed = Event::Written {
            slot,
            write,
            durable,
        };
        stage.show(oracle, failed).unwrap();
        let mut boot = boot(stamp(0, 0));
        boot.resets = stage.limits.max_resets + 1;
        stage.starts(oracle, slot, &boot).unwrap();
        assert_eq!(oracle.resets, 0);
    }

    #[test]
    fn what_was_ordered_before_an_operator_asked_is_not_counted_after_it() {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
        let ends = |why| {
            Output::Event(Told::SessionEnded {
                session: SESSION,
                why,
            })
        };
        let (id, request) = (CommandId(1), Request::RetrySso);
        let asks = Input::Operator { id, request };
        let ended = [ends(LeaveWhy::Operator)];
        stage
            .step(oracle, idle(Slot(0), "6.2"), &asks, &ended)
            .unwrap();
        let reset = Output::Event(Told::Reset { counted: true });
        let late = [reset.clone(), ends(LeaveWhy::PrcMismatch)];
        stage.does(oracle, idle(Slot(1), "6.2"), &late).unwrap();
        assert_eq!(oracle.resets, 0);
        stage.does(oracle, idle(Slot(1), "6.2"), &[reset]).unwrap();
        assert_eq!(oracle.resets, 1);
    }
}
