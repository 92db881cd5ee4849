//! PlannedLosesNothing: a planned switchover loses no command that the Active executed, unless
//! before the successor acts the former Active has failed and the successor has failed or declined:
//! restarted, or, as in NoAckedLoss, out of the arbiter's reach.

use std::collections::BTreeSet;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Message, Origin, Stamp, ToArbiter};
use skewsync::unit::{Event as Told, Input, Request};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct PlannedLosesNothing {
    released: Option<Released>,
    last: Term,
    /// The step at hand is of a forced switchover.
    forced: bool,
    /// Units that restarted since, and a successor that declined.
    failed: BTreeSet<Slot>,
    checked: u64,
}

/// A planned switchover, up to where a unit acts.
#[derive(Clone, Copy, Debug)]
struct Released {
    from: Slot,
    term: Term,
    lsn: Lsn,
    /// The number of the event.
    event: u64,
}

impl PlannedLosesNothing {
    /// Whether no unit that could have taken the role without a loss was there to take it: each has
    /// failed, or the arbiter may not have reached it since.
    fn is_missing(&self, released: Released, history: &History) -> bool {
        let mut units = history.slots();
        units.all(|(slot, unit)| self.failed.contains(&slot) || unit.parted.event > released.event)
    }

    fn acts(
        &mut self,
        slot: Slot,
        (stamp, origin): (Stamp, &Origin),
        history: &History,
    ) -> Result<(), Violation> {
        let Some(released) = self.released.take() else {
            return Ok(());
        };
        self.checked += 1;
        let Released { term, lsn, .. } = released;
        let loses = stamp.lsn < lsn || *origin == Origin::Cold;
        let excused = self.is_missing(released, history) || history.line.excuses(slot);
        if loses && !excused {
            let (released, origin) = (Stamp { term, lsn }, *origin);
            let evidence = Evidence::ReleasedLost { released, slot, origin, from: stamp };
            return broken(Property::PlannedLosesNothing, evidence);
        }
        Ok(())
    }
}

/// The unit that the register names, if that very boot of it is over.
fn gone_already(history: &History) -> Option<Slot> {
    let register = history.arbiter.as_ref().and(history.register);
    let gone = register.filter(|of| history.boot(of.slot) != Some(of.session.standby));
    gone.map(|of| of.slot)
}

impl Observer for PlannedLosesNothing {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Ended { .. } => {
                self.failed.insert(slot);
            }
            What::Took { input, .. } => {
                let forced = Request::ForcedSwitchover;
                self.forced =
                    matches!(input, Input::Operator { request, .. } if *request == forced);
            }
            What::Sends {
                message: Message::ToArbiter(ToArbiter::Release { term, lsn }),
                fate: Fate::Done,
                ..
            } if *term > self.last => {
                // A forced one does not wait for the Standby: what is not applied may be lost.
                let released = Released { from: slot, term: *term, lsn: *lsn, event: fact.event };
                self.released = (!self.forced).then_some(released);
                self.last = *term;
                self.failed = gone_already(history).into_iter().collect();
            }
            // A decline excuses the successor alone: the former Active has it still.
            What::Says { event: Told::Declined { .. }, .. }
                if self.released.is_none_or(|released| released.from != slot) =>
            {
                self.failed.insert(slot);
            }
            What::Says { event: Told::Acts { stamp, origin, .. }, .. } => {
                return self.acts(slot, (*stamp, origin), history);
            }
            _ => {}
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
    use skewsync::unit::Output;

    use super::*;
    use crate::observe::Event;
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
        assert_eq!(loses_after(Stage::part, &[]), None);
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
