//! Answers: every command gets one outcome within its bound, in every phase and under every fault.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{CommandId, Slot};
use skewsync::message::{Message, ToArbiter};
use skewsync::unit::{Command, Input, Limits, Request};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, Role, Unit, What};
use crate::observe::{Evidence, Fate, Unanswered, Violation, Wait};

/// What comes due at the end of a bound comes by then.
const SLACK_US: u64 = 20_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Answers {
    waiting: BTreeMap<CommandId, Waiting>,
    answered: BTreeSet<CommandId>,
    /// What is entered in the step at hand.
    entered: Option<CommandId>,
    /// The step at hand gives the role back.
    releases: bool,
    /// Of units whose clock was set back.
    clocks: BTreeMap<Slot, Clock>,
    checked: u64,
}

/// A unit's clock.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// What it showed last.
    now_us: u64,
    /// By how much it was set back last, and what it showed then.
    back: Option<(u64, u64)>,
}

impl Clock {
    /// Shows this now.
    const fn show(&mut self, now_us: u64) {
        if now_us < self.now_us {
            self.back = Some((self.now_us - now_us, now_us));
        }
        self.now_us = now_us;
    }

    /// By how much longer a wait may last that begins now: a timer that was armed before the clock
    /// was set back fires by so much later.
    fn longer_us(self, bound_us: u64) -> u64 {
        let is_near = |(by_us, at_us): &(u64, u64)| self.now_us < at_us + by_us + bound_us;
        self.back.filter(is_near).map_or(0, |(by_us, _)| by_us)
    }
}

/// What was entered and has no outcome.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    slot: Slot,
    /// For what it waits.
    wait: Wait,
    /// Since when it does, on the unit's clock.
    since_us: u64,
    /// By how much longer it may: a timer that it hangs on was armed before the clock was set back.
    longer_us: u64,
}

/// How long a wait may last.
const fn bound_us(wait: Wait, limits: &Limits) -> u64 {
    let ms = match wait {
        Wait::Held | Wait::Room => limits.ack_timeout_ms + limits.prompt_wait_ms,
        Wait::Drain | Wait::Switchover => limits.drain_timeout_ms,
        Wait::Release => limits.queue_timeout_ms,
        Wait::Request => limits.save_timeout_ms,
    };
    1_000 * ms + SLACK_US
}

/// A command at a slot has no outcome.
fn unanswered(command: CommandId, slot: Slot, how: Unanswered) -> Result<(), Violation> {
    broken(Property::Answers, Evidence::Unanswered { command, slot, how })
}

impl Answers {
    /// What is entered waits for an outcome.
    fn enters(&mut self, slot: Slot, unit: &Unit, input: &Input, limits: &Limits) {
        (self.entered, self.releases) = (None, false);
        let (id, wait) = match input {
            Input::Command(Command { id, .. }) => (*id, Wait::Held),
            Input::Operator { id, request: Request::Switchover } => (*id, Wait::Switchover),
            Input::Operator { id, .. } => (*id, Wait::Request),
            _ => return,
        };
        self.entered = Some(id);
        let clock = self.clocks.get(&slot);
        let longer_us = clock.map_or(0, |clock| clock.longer_us(bound_us(wait, limits)));
        self.waiting.insert(id, Waiting { slot, wait, since_us: unit.counted_us, longer_us });
    }

    /// An outcome: the only one.
    fn answers(&mut self, id: CommandId, fate: Fate) -> Result<(), Violation> {
        self.waiting.remove(&id);
        if fate != Fate::Cut && !self.answered.insert(id) {
            return broken(Property::Answers, Evidence::AnsweredTwice { command: id });
        }
        self.checked += 1;
        Ok(())
    }

    /// For what each command of a unit waits now. Nothing waits beyond the end of a lease, but at a
    /// unit that released.
    fn sort(&mut self, slot: Slot, unit: &Unit, limits: &Limits) -> Result<(), Violation> {
        let of_unit = |(_, waiting): &(&CommandId, &mut Waiting)| waiting.slot == slot;
        let drains = |waiting: &Waiting| waiting.slot == slot && waiting.wait == Wait::Switchover;
        let drains = self.waiting.values().any(drains);
        let queue = match unit.role() {
            Some(Role::Standby(_)) | None => None,
            Some(Role::Holder(holding)) => Some((&holding.queue, Wait::Release)),
            Some(Role::Active(acting)) if drains => Some((&acting.queue, Wait::Drain)),
            Some(Role::Active(acting)) => Some((&acting.queue, Wait::Room)),
        };
        let acts = unit.acting().is_some();
        for (id, waiting) in self.waiting.iter_mut().filter(of_unit) {
            let queued = || queue.is_some_and(|(queue, _)| queue.contains(id));
            let request = matches!(waiting.wait, Wait::Switchover | Wait::Request);
            let released = || self.releases || self.entered == Some(*id);
            let wait = match queue {
                _ if request && acts => waiting.wait,
                Some((_, wait)) if acts && queued() => wait,
                _ if acts => Wait::Held,
                Some((_, wait)) if queued() && (waiting.wait == wait || released()) => wait,
                Some(_) | None => return unanswered(*id, slot, Unanswered::RoleLost),
            };
            if wait != waiting.wait {
                let clock = self.clocks.get(&slot);
                let longer_us = clock.map_or(0, |clock| clock.longer_us(bound_us(wait, limits)));
                *waiting = Waiting { slot, wait, since_us: unit.counted_us, longer_us };
            }
        }
        Ok(())
    }

    /// Nothing waits for longer than it may, on its unit's clock.
    fn in_time(&self, history: &History) -> Result<(), Violation> {
        let is_late = |(_, waiting): &(&CommandId, &Waiting)| {
            let now_us = history.unit(waiting.slot).map_or(0, |unit| unit.counted_us);
            let bound_us = bound_us(waiting.wait, &history.limits) + waiting.longer_us;
            now_us.saturating_sub(waiting.since_us) > bound_us
        };
        match self.waiting.iter().find(is_late) {
            Some((id, Waiting { slot, wait, .. })) => {
                unanswered(*id, *slot, Unanswered::InBound(*wait))
            }
            None => Ok(()),
        }
    }
}

impl Observer for Answers {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let at = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)));
        if let Some((slot, unit)) = at {
            self.clocks.entry(slot).or_default().show(unit.counted_us);
            match fact.what {
                What::Took { input, .. } => self.enters(slot, unit, input, &history.limits),
                What::Answered { command, fate, .. } => self.answers(command, fate)?,
                What::Sends { message: Message::ToArbiter(ToArbiter::Release { .. }), .. } => {
                    self.releases = true;
                }
                What::Stepped => self.sort(slot, unit, &history.limits)?,
                // The terminal's connection is gone with the process.
                What::Ended { .. } => self.waiting.retain(|_, waiting| waiting.slot != slot),
                _ => {}
            }
        }
        if fact.what.is_whole() { self.in_time(history) } else { Ok(()) }
    }

    fn end(&mut self, _: &History) -> Result<(), Violation> {
        match self.waiting.first_key_value() {
            Some((id, Waiting { slot, .. })) => unanswered(*id, *slot, Unanswered::AtEnd),
            None => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Answers, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::message::{Address, Origin};
    use skewsync::unit::prompts::{Prompt, PromptKind};
    use skewsync::unit::{Outcome, Output, Refusal, Role, Unit};

    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{Stage, active, answer, broken_property, command, holder};
    use crate::plan::FaultKind;

    fn acting() -> Unit {
        active(Slot(0), 1, 0, "6.2", "")
    }

    fn asked(answers: &[Output]) -> (Stage, Answers, Option<Property>) {
        let (mut stage, mut oracle) = (Stage::new(), Answers::default());
        let found = stage.step(&mut oracle, acting(), &command(1), answers);
        (stage, oracle, broken_property(found))
    }

    fn unknown() -> Output {
        answer(1, Outcome::Unknown)
    }

    /// The unit with command 1 in its queue.
    fn queueing(mut unit: Unit) -> Unit {
        let Input::Command(command) = command(1) else {
            unreachable!("a command");
        };
        match &mut unit.part {
            Role::Holder(holder) => holder.queue = vec![command].into(),
            Role::Active(active) => active.put_queue(vec![command].into()),
            Role::Standby(_) => unreachable!("it has no queue"),
        }
        unit
    }

    fn released() -> Unit {
        queueing(holder(Slot(0), 1, Origin::Resume, 0))
    }

    fn release() -> Output {
        let (term, lsn) = (skewsync::ids::Term(1), skewsync::ids::Lsn(0));
        Output::Send {
            to: Address::Arbiter,
            message: Message::ToArbiter(ToArbiter::Release { term, lsn }),
        }
    }

    /// What is found as long after the latest event, and a little later.
    fn at_bound(stage: &mut Stage, oracle: &mut Answers, unit: &Unit, wait: Wait) -> [bool; 2] {
        let within = stage.at_us + bound_us(wait, &stage.limits);
        [within, within + 1].map(|at_us| {
            stage.at_us = at_us;
            let found = stage.does(oracle, unit.clone(), &[]);
            broken_property(found) == Some(Property::Answers)
        })
    }

    #[test]
    fn a_command_without_an_outcome_breaks_it_at_its_bound_and_at_the_end() {
        let (mut stage, mut oracle, found) = asked(&[]);
        assert_eq!(found, None);
        assert_eq!(broken_property(oracle.end(stage.history())), Some(Property::Answers));
        let mut unit = acting();
        if let Role::Active(active) = &mut unit.part {
            let (id, change) = (CommandId(1), PromptKind::Nothing);
            let held = [(skewsync::ids::Lsn(0), vec![Prompt { id, change }])];
            active.put_prompts(BTreeMap::from(held).into());
        }
        let found = at_bound(&mut stage, &mut oracle, &unit, Wait::Held);
        assert_eq!(found, [false, true]);
    }

    #[test]
    fn each_wait_has_its_own_bound() {
        let (mut stage, mut oracle) = (Stage::new(), Answers::default());
        let waits = queueing(acting());
        assert_eq!(stage.step(&mut oracle, waits.clone(), &command(1), &[]), Ok(()));
        let found = at_bound(&mut stage, &mut oracle, &waits, Wait::Room);
        assert_eq!(found, [false, true]);
        let (mut stage, mut oracle) = (Stage::new(), Answers::default());
        let switchover = Input::Operator { id: CommandId(2), request: Request::Switchover };
        assert_eq!(stage.step(&mut oracle, acting(), &switchover, &[]), Ok(()));
        stage.at_us += 1_000;
        assert_eq!(stage.step(&mut oracle, waits, &command(1), &[]), Ok(()));
        stage.at_us += bound_us(Wait::Drain, &stage.limits) - 1_000;
        let answers = [answer(2, Outcome::Released), release()];
        assert_eq!(stage.does(&mut oracle, released(), &answers), Ok(()));
        let found = at_bound(&mut stage, &mut oracle, &released(), Wait::Release);
        assert_eq!(found, [false, true]);
    }

    #[test]
    fn what_waits_beyond_the_end_of_a_lease_breaks_it_unless_the_role_was_released() {
        let (mut stage, mut oracle, _) = asked(&[]);
        let found = stage.step(&mut oracle, released(), &Input::LeaseLapsed, &[]);
        assert_eq!(broken_property(found), Some(Property::Answers));
        let (mut stage, mut oracle, _) = asked(&[]);
        let refused = [answer(1, Outcome::Refused(Refusal::NotActive))];
        let found = stage.step(&mut oracle, released(), &Input::LeaseLapsed, &refused);
        assert_eq!(found, Ok(()));
        let (mut stage, mut oracle, _) = asked(&[]);
        let found = stage.does(&mut oracle, released(), &[release()]);
        assert_eq!(found, Ok(()));
        let mut stage = Stage::new();
        let mut oracle = Answers::default();
        let found = stage.step(&mut oracle, released(), &command(1), &[]);
        assert_eq!(found, Ok(()), "it is entered at a unit that released");
    }

    #[test]
    fn a_suspended_unit_and_a_clock_that_is_set_back_hold_no_bound() {
        let bound = |stage: &Stage| bound_us(Wait::Held, &stage.limits);
        let (mut stage, mut oracle, _) = asked(&[]);
        stage.paused[0] = true;
        assert_eq!(stage.does(&mut oracle, acting(), &[]), Ok(()));
        // Until it runs on.
        stage.at_us = 3 * bound(&stage);
        stage.paused[0] = false;
        assert_eq!(stage.does(&mut oracle, acting(), &[]), Ok(()));
        stage.at_us += bound(&stage);
        assert_eq!(stage.does(&mut oracle, acting(), &[]), Ok(()));
        let (slot, by_ms) = (0, -500);
        let fault = crate::plan::Fault {
            at: crate::plan::Anchor::Instant(1),
            kind: FaultKind::ClockStep { slot, by_ms },
        };
        let (kind, effect, of) = (fault.name(), true, Some(&fault));
        let event = Event::Fault { kind, effect, of };
        assert_eq!(stage.show(&mut oracle, event), Ok(()));
        stage.at_us += 500_000;
        assert_eq!(stage.does(&mut oracle, acting(), &[]), Ok(()));
        stage.at_us += 1;
        let found = stage.does(&mut oracle, acting(), &[]);
        assert_eq!(broken_property(found), Some(Property::Answers));
    }

    #[test]
    fn two_outcomes_of_one_command_break_it() {
        assert_eq!(asked(&[unknown(), unknown()]).2, Some(Property::Answers));
    }

    #[test]
    fn one_outcome_breaks_nothing() {
        let (stage, mut oracle, found) = asked(&[unknown()]);
        assert_eq!((found, oracle.end(stage.history())), (None, Ok(())));
    }
}
