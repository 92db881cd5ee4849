//! PlannedLosesNothing: a planned switchover loses no command that the Active executed, unless
//! before the successor acts the former Active has failed and the successor has failed or declined:
//! restarted, or, as in NoAckedLoss, out of the arbiter's reach.

use std::collections::BTreeSet;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Message, Origin, ToArbiter};
use skewsync::unit::{Event as Told, Input, Output, Request};
use skewsync_model::property::Property;

use super::line_unknown::LineUnknown;
use super::{begins, broken, parts_from_arbiter, performed, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct PlannedLosesNothing {
    released: Option<(Slot, Term, Lsn)>,
    last: Term,
    /// Units that restarted since, and a successor that declined.
    failed: BTreeSet<Slot>,
    /// Units whom the arbiter may not have reached since: they cannot be offered the role.
    unreached: BTreeSet<Slot>,
    line_unknown: LineUnknown,
    checked: u64,
}

impl PlannedLosesNothing {
    /// Whether a unit that could have taken the role without a loss was not there to take it.
    fn is_missing(&self, from: Slot) -> bool {
        let gone = |slot: Slot| self.failed.contains(&slot) || self.unreached.contains(&slot);
        gone(from) && gone(Slot(1 - from.0))
    }
}

/// The unit that the register names, if that very boot of it is over.
fn gone_already(scene: &dyn ClusterView) -> BTreeSet<Slot> {
    let register = scene.arbiter().and_then(|arbiter| arbiter.register);
    let gone = register.filter(|of| scene.boot(of.slot) != Some(of.session.standby));
    gone.map(|of| of.slot).into_iter().collect()
}

impl Observer for PlannedLosesNothing {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        if let Event::Ended { slot, .. } = seen.event {
            self.failed.insert(slot);
        }
        for slot in [Slot(0), Slot(1)] {
            if parts_from_arbiter(&seen.event, scene, slot) {
                self.unreached.insert(slot);
            }
        }
        self.line_unknown.see(&seen.event, scene);
        let Event::Unit { slot, input, .. } = seen.event else {
            return Ok(());
        };
        let forced = matches!(input, Input::Operator { request: Request::ForcedSwitchover, .. });
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
                self.failed = gone_already(scene);
                self.unreached.clear();
            }
        }
        for event in told(&seen.event) {
            // A decline excuses the successor alone: the former Active has it still.
            let former = self.released.map(|(from, ..)| from);
            if matches!(event, Told::Declined { .. }) && former != Some(slot) {
                self.failed.insert(slot);
            }
            let Told::Acts { stamp, origin, .. } = event else {
                continue;
            };
            let Some((from, term, lsn)) = self.released.take() else {
                continue;
            };
            self.checked += 1;
            let loses = stamp.lsn < lsn || *origin == Origin::Cold;
            let excused = self.is_missing(from) || self.line_unknown.excuses(slot);
            if loses && !excused {
                return broken(
                    Property::PlannedLosesNothing,
                    format!(
                        "term {term} was released at LSN {lsn}; slot {slot} acts {} from LSN {}",
                        begins(origin),
                        stamp.lsn
                    ),
                );
            }
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::PlannedLosesNothing, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::BootId;
    use skewsync::message::Address;

    use super::*;
    use crate::oracle::testing::{Stage, active, acts, broken_property, holder, stamp, stateful};

    /// A successor acts from `lsn` after the role was released at LSN 5, and these units went in
    /// between.
    fn released_at_5(lsn: u64, origin: Origin, went: &[u8]) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut PlannedLosesNothing::default());
        let release = Output::Send {
            to: Address::Arbiter,
            message: Message::ToArbiter(ToArbiter::Release { term: Term(1), lsn: Lsn(5) }),
        };
        let former = holder(Slot(0), 1, Origin::Resume, 5);
        stage.does(oracle, former, &[release]).unwrap();
        for slot in went {
            let ended = Event::Ended { slot: Slot(*slot), boot: BootId(1), lost: 0 };
            stage.show(oracle, ended).unwrap();
        }
        let next = active(Slot(1), 2, lsn, "6.2", "");
        broken_property(stage.does(oracle, next, &[acts(stamp(2, lsn), origin, &[])]))
    }

    #[test]
    fn a_successor_without_what_was_executed_breaks_it() {
        assert_eq!(released_at_5(4, stateful(4), &[]), Some(Property::PlannedLosesNothing));
        assert_eq!(released_at_5(5, Origin::Cold, &[]), Some(Property::PlannedLosesNothing));
        // One of them has it still.
        assert_eq!(released_at_5(5, Origin::Cold, &[0]), Some(Property::PlannedLosesNothing));
        assert_eq!(released_at_5(4, Origin::Cold, &[1]), Some(Property::PlannedLosesNothing));
    }

    #[test]
    fn a_whole_successor_or_one_after_both_failed_breaks_nothing() {
        assert_eq!(released_at_5(5, stateful(5), &[]), None);
        assert_eq!(released_at_5(4, Origin::Cold, &[0, 1]), None);
    }

    /// A successor acts without what was released, after what the test did to the stage.
    fn loses_after(prepare: impl Fn(&mut Stage), heard: &[Output]) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut PlannedLosesNothing::default());
        let release = ToArbiter::Release { term: Term(1), lsn: Lsn(5) };
        let release = Output::Send { to: Address::Arbiter, message: Message::ToArbiter(release) };
        let former = holder(Slot(0), 1, Origin::Resume, 5);
        prepare(&mut stage);
        stage.does(oracle, former.clone(), &[release]).unwrap();
        stage.does(oracle, former, heard).unwrap();
        let next = active(Slot(1), 2, 4, "6.2", "");
        let says = acts(stamp(2, 4), Origin::Cold, &[]);
        broken_property(stage.does(oracle, next, &[says]))
    }

    #[test]
    fn units_out_of_the_arbiters_reach_break_nothing() {
        assert_eq!(loses_after(|stage| stage.whole = false, &[]), None);
        assert_eq!(loses_after(|stage| stage.paused = [true; 2], &[]), None);
        let one = |stage: &mut Stage| stage.paused = [false, true];
        assert_eq!(loses_after(one, &[]), Some(Property::PlannedLosesNothing), "the other had it");
    }

    #[test]
    fn a_decline_of_the_former_active_excuses_nothing() {
        let declines = Output::Event(Told::Declined { term: Term(2) });
        let one = |stage: &mut Stage| stage.paused = [false, true];
        assert_eq!(loses_after(one, &[declines]), Some(Property::PlannedLosesNothing));
    }
}
