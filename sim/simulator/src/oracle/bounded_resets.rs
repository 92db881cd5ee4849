//! BoundedResets: ordered resets between two of {operator action, stable_time hot} are at most
//! `max_resets`, across switchovers. A reset counts as of its order. One that was cut off before
//! its count was durable was a crash.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{Slot, WriteId};
use skewsync::message::{LeaveWhy, Message, Session, Verdict};
use skewsync::unit::{Boot, Event as Told, Input, Limits, Record, Request, Timer};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct BoundedResets {
    resets: u32,
    /// Sessions in which a reset is ordered that is not carried out yet.
    ordered: BTreeSet<Session>,
    /// Sessions in which one was ordered before the count began anew.
    late: BTreeSet<Session>,
    /// What each unit counts of the resets in `resets`, and has not on its disk yet.
    unwritten: BTreeMap<(Slot, WriteId), u32>,
    failed: BTreeSet<Slot>,
    step: Step,
    checked: u64,
}

/// What the step at hand tells of a reset that a Standby carries out.
#[derive(Debug, Default)]
struct Step {
    /// It carries out one that counts.
    counted: bool,
    /// The session that ends.
    session: Option<Session>,
    /// The counts that it begins to write.
    counts: Vec<(WriteId, u32)>,
}

impl BoundedResets {
    fn begins_anew(&mut self) {
        self.resets = 0;
        self.late.append(&mut self.ordered);
        self.unwritten.clear();
    }

    /// Counts a reset that a Standby carries out.
    fn carries_out(&mut self, slot: Slot, limits: &Limits) -> Result<(), Violation> {
        let step = std::mem::take(&mut self.step);
        if !step.counted {
            return Ok(());
        }
        if let Some(session) = step.session {
            self.ordered.remove(&session);
            if self.late.remove(&session) {
                return Ok(());
            }
        }
        self.resets += 1;
        self.checked += 1;
        let counts = step.counts.into_iter();
        self.unwritten.extend(counts.map(|(write, count)| ((slot, write), count)));
        let most = limits.max_resets;
        if self.resets > most {
            let evidence = Evidence::Resets { resets: self.resets, most };
            return broken(Property::BoundedResets, evidence);
        }
        Ok(())
    }

    fn starts(&mut self, slot: Slot, boot: &Boot) {
        // The power went before the count was written.
        let of_slot = |of: &(Slot, WriteId)| of.0 == slot;
        let lost = |(of, count): (&(Slot, WriteId), &u32)| of_slot(of) && *count > boot.resets;
        let lost = self.unwritten.iter().filter(|each| lost(*each)).count();
        self.unwritten.retain(|of, _| !of_slot(of));
        self.resets = self.resets.saturating_sub(lost as u32);
        // A disk that is lost, or refused the count, counts on from what it has; it may also hold a
        // count that was forgotten elsewhere since.
        if self.failed.remove(&slot) || boot.lost_disk {
            self.resets = self.resets.min(boot.resets);
        }
    }
}

/// The session that a message orders its Standby to reset in.
const fn resets(message: &Message) -> Option<Session> {
    match message {
        Message::Leave {
            session,
            why: LeaveWhy::DigestMismatch | LeaveWhy::PrcMismatch | LeaveWhy::Stuck,
        }
        | Message::BulkReject { session, verdict: Verdict::Reset, .. } => Some(*session),
        _ => None,
    }
}

/// Whether ordered resets count from 0 as of this input.
const fn forgets(input: &Input) -> bool {
    matches!(
        input,
        Input::Timer(Timer::Stable)
            | Input::Operator { request: Request::RetrySso | Request::ResetPeer, .. }
    )
}

impl Observer for BoundedResets {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Took { input, .. } => {
                self.step = Step::default();
                if forgets(input) {
                    self.begins_anew();
                }
            }
            // Whatever becomes of the message: it is counted at the Active.
            What::Sends { message, .. } => {
                self.ordered.extend(resets(message).filter(|of| !self.late.contains(of)));
            }
            What::Says { event: Told::Reset { counted: true }, .. } => self.step.counted = true,
            What::Says { event: Told::SessionEnded { session, .. }, .. } => {
                self.step.session.get_or_insert(*session);
            }
            What::WriteBegan { write, record: Record::Resets(count), .. } => {
                self.step.counts.push((write, *count));
            }
            What::Stepped => return self.carries_out(slot, &history.limits),
            What::WriteEnded { write, durable } => {
                self.unwritten.remove(&(slot, write));
                if !durable {
                    self.failed.insert(slot);
                }
            }
            What::Started { boot } => self.starts(slot, boot),
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::BoundedResets, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::{CommandId, Lsn};
    use skewsync::message::{Address, RejectWhy};
    use skewsync::unit::Output;

    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{SESSION, Stage, boot, idle, stamp};

    const ASKS: Input = Input::Operator { id: CommandId(1), request: Request::RetrySso };

    fn resets(times: u32, operator_after: Option<u32>) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
        for time in 0..times {
            let reset = Output::Event(Told::Reset { counted: true });
            if let Err(violation) = stage.does(oracle, idle(Slot(1), "6.2"), &[reset]) {
                return Some(violation.property);
            }
            if operator_after == Some(time) {
                stage.step(oracle, idle(Slot(0), "6.2"), &ASKS, &[]).unwrap();
            }
        }
        None
    }

    #[test]
    fn a_reset_beyond_the_bound_breaks_it() {
        let most = Limits::DEFAULT.max_resets;
        assert_eq!(resets(most + 1, None), Some(Property::BoundedResets));
        assert_eq!(resets(most, None), None);
    }

    #[test]
    fn an_operator_begins_the_count_anew() {
        let most = Limits::DEFAULT.max_resets;
        assert_eq!(resets(most + 1, Some(0)), None);
    }

    #[test]
    fn a_count_that_an_older_disk_holds_is_not_counted_again() {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
        let (slot, write, durable) = (Slot(1), WriteId(1), false);
        let failed = Event::Written { slot, write, durable };
        stage.show(oracle, failed).unwrap();
        let mut boot = boot(stamp(0, 0));
        boot.resets = stage.limits.max_resets + 1;
        stage.starts(oracle, slot, &boot).unwrap();
        assert_eq!(oracle.resets, 0);
    }

    /// What a Standby does that is told to reset in the session: the count is written.
    fn carried_out(count: u32) -> [Output; 3] {
        let (session, why) = (SESSION, LeaveWhy::PrcMismatch);
        [
            Output::Persist { write: WriteId(u64::from(count)), record: Record::Resets(count) },
            Output::Event(Told::Reset { counted: true }),
            Output::Event(Told::SessionEnded { session, why }),
        ]
    }

    #[test]
    fn what_was_ordered_before_an_operator_asked_is_not_counted_after_it() {
        let session = SESSION;
        let orders = [
            Message::Leave { session, why: LeaveWhy::PrcMismatch },
            Message::BulkReject {
                session,
                lsn: Lsn(0),
                verdict: Verdict::Reset,
                why: RejectWhy::Policy,
            },
        ];
        for message in orders {
            let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
            let to = Address::Unit(Slot(1));
            let order = [Output::Send { to, message }];
            let active = idle(Slot(0), "6.2");
            stage.does(oracle, active.clone(), &order).unwrap();
            stage.step(oracle, active.clone(), &ASKS, &[]).unwrap();
            // It is sent again until it is answered.
            stage.does(oracle, active.clone(), &order).unwrap();
            let standby = idle(Slot(1), "6.2");
            let late = carried_out(1);
            stage.does(oracle, standby.clone(), &late).unwrap();
            assert_eq!(oracle.resets, 0);
            stage.does(oracle, active, &order).unwrap();
            stage.does(oracle, standby, &late).unwrap();
            assert_eq!(oracle.resets, 1, "ordered after it");
        }
    }

    #[test]
    fn a_reset_whose_count_went_with_the_power_was_a_crash() {
        for (written, held, counts) in [(false, 0, 0), (false, 1, 1), (true, 1, 1), (true, 0, 1)] {
            let (mut stage, oracle) = (Stage::new(), &mut BoundedResets::default());
            let (slot, write, durable) = (Slot(1), WriteId(1), true);
            let standby = idle(slot, "6.2");
            stage.does(oracle, standby, &carried_out(1)).unwrap();
            if written {
                let ends = Event::Written { slot, write, durable };
                stage.show(oracle, ends).unwrap();
            }
            let mut boot = boot(stamp(0, 0));
            boot.resets = held;
            stage.starts(oracle, slot, &boot).unwrap();
            assert_eq!(oracle.resets, counts, "written: {written}, held: {held}");
        }
    }
}
