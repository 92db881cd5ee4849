//! PlannedLosesNothing: a planned switchover loses no command that the Active executed, unless both units
//! fail before the successor acts, or the former Active restarts and the successor has declined or failed,
//! or, as in NoAckedLoss, the arbiter does not reach them.

use std::collections::BTreeSet;

use skewsync::base::{Lsn, Slot, Term};
use skewsync::message::{Message, Origin, ToArbiter};
use skewsync::unit::{Event as Told, Input, Output, Request};

use super::{broken, is_trouble, performed, told};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "PlannedLosesNothing";

/// See the module.
#[derive(Debug, Default)]
pub struct PlannedLosesNothing {
    released: Option<(Slot, Term, Lsn)>,
    last: Term,
    ended: BTreeSet<Slot>,
    unreached: bool,
    checked: u64,
}

impl Observer for PlannedLosesNothing {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        if let Event::Ended { slot, .. } = seen.event {
            self.ended.insert(slot);
        }
        // Whoever is out of the arbiter's reach for `takeover_wait` cannot be offered the role back.
        self.unreached |= !scene.whole() || is_trouble(&seen.event);
        let Event::Unit { slot, input, .. } = seen.event else {
            return Ok(());
        };
        let forced = matches!(
            input,
            Input::Operator {
                request: Request::ForcedSwitchover,
                ..
            }
        );
        for output in performed(&seen.event) {
            if let Output::Send {
                message: Message::ToArbiter(ToArbiter::Release { term, lsn }),
                ..
            } = output
                && *term > self.last
            {
                // A forced one does not wait for the Standby: what is not applied may be lost.
                self.released = (!forced).then_some((slot, *term, *lsn));
                self.last = *term;
                self.ended.clear();
                self.unreached = false;
            }
        }
        for event in told(&seen.event) {
            let Told::Acts { stamp, origin, .. } = event else {
                continue;
            };
            let Some((from, term, lsn)) = self.released.take() else {
                continue;
            };
            self.checked += 1;
            let excused = self.ended.contains(&from) || self.unreached;
            let loses = stamp.lsn < lsn || *origin == Origin::Cold;
            if loses && !excused {
                return broken(
                    NAME,
                    format!(
                        "term {term} was released at LSN {lsn}; slot {slot} acts from {} ({origin:?})",
                        stamp.lsn
                    ),
                );
            }
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::message::Address;

    use super::*;
    use crate::oracle::stage::{Stage, active, acts, broken_property, holder, stamp, stateful};

    fn released_at_5(lsn: u64, origin: Origin, whole: bool) -> Option<&'static str> {
        let (mut stage, oracle) = (Stage::new(), &mut PlannedLosesNothing::default());
        let release = Output::Send {
            to: Address::Arbiter,
            message: Message::ToArbiter(ToArbiter::Release {
                term: Term(1),
                lsn: Lsn(5),
            }),
        };
        let former = holder(Slot(0), 1, Origin::Resume, 5);
        stage.does(oracle, former, &[release]).unwrap();
        stage.whole = whole;
        let next = active(Slot(1), 2, lsn, "6.2", "");
        broken_property(stage.does(oracle, next, &[acts(stamp(2, lsn), origin, &[])]))
    }

    #[test]
    fn a_successor_without_what_was_executed_breaks_it() {
        assert_eq!(released_at_5(4, stateful(4), true), Some(NAME));
        assert_eq!(released_at_5(5, Origin::Cold, true), Some(NAME));
    }

    #[test]
    fn a_whole_successor_or_one_out_of_reach_breaks_nothing() {
        assert_eq!(released_at_5(5, stateful(5), true), None);
        assert_eq!(released_at_5(4, stateful(4), false), None);
    }
}
