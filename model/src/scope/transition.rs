//! What a move makes of a state.

use super::{Bounded, Budgets, Move, Saving, Scope};
use crate::action::{Action, ArbiterTimer, Timer};
use crate::effects::Meaning;
use crate::property::{Situation, observe};
use crate::reduction::{Uses, can_arrive, is_of_use};
use crate::state::{Flight, Msg, Phase, Rejection, Role, Slot, Stamp, StandbyPhase, State, To};
use crate::step::{Answer, Rule, Step, step};

impl<E: Meaning + Clone> Scope<E> {
    /// The state after a move, and what it met.
    pub fn after(
        &self,
        state: &Bounded,
        next: &Move,
        met: &mut impl FnMut(Situation),
    ) -> Option<Bounded> {
        let without = |net: &mut Vec<Flight>, flight: &Flight| net.retain(|other| other != flight);
        // The parties are those that the step makes.
        let mut after = Bounded {
            state: State::cold(),
            net: state.net.clone(),
            watch: state.watch.clone(),
            older: state.older.clone(),
            ..*state
        };
        let action = match next {
            Move::Loses(flight) => {
                after.state = state.state.clone();
                after.left.losses -= 1;
                self.settle_accounts(&mut after.left);
                without(&mut after.net, flight);
                return Some(after);
            }
            Move::Holds(flight) => {
                after.state = state.state.clone();
                after.left.holds -= 1;
                self.settle_accounts(&mut after.left);
                without(&mut after.net, flight);
                after.held = Some(*flight);
                return Some(after);
            }
            Move::Duplicates(flight) => {
                after.left.duplicates -= 1;
                self.arrival(state, *flight)
            }
            Move::Keeps => {
                after.state = state.state.clone();
                after.left.older -= 1;
                self.settle_accounts(&mut after.left);
                after.older = Some(Box::new(state.state.arbiter.clone()));
                return Some(after);
            }
            Move::GoesBack => return self.goes_back(state, after, met),
            Move::Releases => self.arrival(state, after.held.take()?),
            Move::Does(action) => *action,
            Move::Costs(action) => {
                pay(&mut after.left, action)?;
                *action
            }
        };
        match (next, action) {
            (
                Move::Does(_) | Move::Costs(_),
                Action::Deliver(flight)
                | Action::AtHand(flight)
                | Action::Rejects(flight, ..)
                | Action::Disagrees(flight, _)
                | Action::Unread(flight),
            ) => without(&mut after.net, &flight),
            (_, Action::ArbiterRecovered(_) | Action::ArbiterLost) => {
                after.net.retain(|flight| flight.to != To::Arbiter);
            }
            (_, Action::Stored(..)) => after.saving = None,
            _ => {}
        }
        self.settle_accounts(&mut after.left);
        self.perform(state, after, action, met)
    }

    /// The arbiter starts with an earlier state, and its world tells what terms it has used.
    fn goes_back(
        &self,
        state: &Bounded,
        mut after: Bounded,
        met: &mut impl FnMut(Situation),
    ) -> Option<Bounded> {
        let older = *after.older.take()?;
        after.left.older -= 1;
        self.settle_accounts(&mut after.left);
        // The Grant of a lease that is over is spent, whatever the older state says.
        after.net.retain(|flight| match flight.msg {
            Msg::Grant { term, .. } => holds(&state.state, term),
            _ => flight.to != To::Arbiter,
        });
        let mut back = state.state.clone();
        back.arbiter = older;
        after.watch.stray(&state.state.arbiter);
        let action = Action::ArbiterRecovered(state.state.arbiter.term);
        let made = step(&self.env, &back, &action)?;
        after.bad = observe(self, state, &action, &made, &mut after.watch, met);
        after.state = made.state;
        if self.purge {
            self.purge(&mut after);
        }
        Some(after)
    }

    /// Where no more may be used in this run, what is left of the budgets is none.
    fn settle_accounts(&self, left: &mut Budgets) {
        if self.budgets.all() - left.all() >= self.most {
            *left = Budgets { commands: left.commands, ..Budgets::default() };
        }
    }

    /// `after` is the state but for the parties, which `action` makes.
    pub(super) fn perform(
        &self,
        before: &Bounded,
        mut after: Bounded,
        action: Action,
        met: &mut impl FnMut(Situation),
    ) -> Option<Bounded> {
        let (action, mut made) = self.make(before, action)?;
        if let Action::Deliver(Flight { to, msg, .. }) = action {
            match (to, msg) {
                (To::Arbiter, Msg::Renew { term, n, .. }) if holds(&made.state, term) => {
                    let first = before.state.arbiter.holder.map(|h| h.term) != Some(term);
                    after.renewed = if first { n } else { after.renewed.max(n) };
                }
                (To::Unit(slot), Msg::Grant { term, .. }) if !holds(&made.state, term) => {
                    self.spend(before, slot, &mut made)?;
                }
                _ => {}
            }
        }
        if let Action::Saved(slot) = action {
            after.saving = self.save(&made.state, slot).or(after.saving);
        }
        after.bad = observe(self, before, &action, &made, &mut after.watch, met);
        for flight in made.sent {
            if let Err(at) = after.net.binary_search(&flight) {
                after.net.insert(at, flight);
            }
        }
        after.state = made.state;
        if self.purge {
            self.purge(&mut after);
        }
        Some(after)
    }

    /// The step of an action; what policy or a driver would decide is a delivery where it has no
    /// say. A line that fails at the peer makes the Standby declare itself in it.
    fn make(&self, before: &Bounded, action: Action) -> Option<(Action, Step)> {
        if let Some(made) = step(&self.env, &before.state, &action) {
            let made = match action {
                Action::Deliver(
                    flight @ Flight {
                        to: To::Unit(slot),
                        msg: Msg::Line { .. } | Msg::BulkAccept { .. },
                        ..
                    },
                ) if self.fails(before, slot, &made) => {
                    step(&self.env, &before.state, &Action::Fails(flight))?
                }
                _ => made,
            };
            return Some((action, made));
        }
        let Action::AtHand(flight) = action else {
            return None;
        };
        let delivered = Action::Deliver(flight);
        let made = step(&self.env, &before.state, &delivered)?;
        Some((delivered, made))
    }

    /// Whether a Standby has executed a line in this step that makes it declare itself.
    fn fails(&self, before: &Bounded, slot: Slot, made: &Step) -> bool {
        let at = usize::from(slot);
        let Role::Standby(standby) = &made.state.units[at].part else {
            return false;
        };
        let Some(replica) = standby.replica.filter(|replica| !replica.declared) else {
            return false;
        };
        let from = match &before.state.units[at].part {
            Role::Standby(was) => match (&was.seat, was.replica) {
                (Some((_, StandbyPhase::Shadow(shadow, _))), _) => shadow.lsn,
                (_, Some(was)) if was.session == replica.session => was.applied,
                (_, Some(_) | None) => return false,
            },
            Role::Down | Role::Holder(_) | Role::Active(_) => return false,
        };
        let term = replica.term;
        let mut commands = before.watch.commands(term, from, replica.applied);
        commands.any(|id| self.env.effects.declares(slot, id))
    }

    /// The Grant of a lease that is over arrives spent.
    fn spend(&self, before: &Bounded, slot: Slot, made: &mut Step) -> Option<()> {
        let at = usize::from(slot);
        let acts = matches!(made.state.units[at].part, Role::Active(_));
        let acted = matches!(before.state.units[at].part, Role::Active(_));
        if !acts || acted {
            return Some(());
        }
        let lapsed = step(&self.env, &made.state, &Action::LeaseLapsed(slot))?;
        made.state = lapsed.state;
        // Its driver drops what it would tell and send as an Active, and tells that nothing is
        // known.
        made.sent = lapsed.sent;
        for answer in &mut made.answers {
            *answer = match *answer {
                Answer::Replicated { lsn } | Answer::Local { lsn, .. } => Answer::Unknown { lsn },
                Answer::Unchanged => Answer::Unknown { lsn: 0 },
                Answer::Refused | Answer::Unknown { .. } => *answer,
            };
        }
        made.answers.extend(lapsed.answers);
        if let Role::Holder(holder) = &mut made.state.units[at].part {
            // A holder that never acted keeps what its acceptance gave it.
            holder.runs = holder.runs
                && match &before.state.units[at].part {
                    Role::Holder(holder) => holder.runs,
                    Role::Down | Role::Standby(_) | Role::Active(_) => true,
                };
            holder.suspended = None;
        }
        // It never acted: nothing of it was said.
        let (unit, was) = (&mut made.state.units[at], &before.state.units[at]);
        (unit.k, unit.since) = (was.k, was.since);
        let says = |flight: &Flight| matches!(flight.msg, Msg::Hello { .. });
        made.sent.retain(|flight| !says(flight));
        Some(())
    }

    /// The Save that goes to the peer of a unit that saves.
    fn save(&self, state: &State, slot: Slot) -> Option<Saving> {
        let Role::Active(active) = &state.units[usize::from(slot)].part else {
            return None;
        };
        let current = active.current.as_ref()?;
        let serves = match current.phase {
            Phase::Bulk(_) | Phase::Rejected(_, Rejection::Rpr, _) => true,
            phase => phase.sends_lines(),
        };
        serves.then(|| Saving {
            session: current.session,
            to: 1 - slot,
            stamp: Stamp { term: active.term, lsn: active.last },
            cfg: self.env.effects.becomes(slot, active.cfg),
        })
    }

    fn purge(&self, after: &mut Bounded) {
        assert!(after.net.len() <= 64, "a network of few messages");
        let mut keeps = 0u64;
        for (at, flight) in after.net.iter().enumerate() {
            let stays = self.is_of_use(after, flight);
            keeps |= u64::from(stays) << at;
        }
        after.net.retain(|_| {
            let stays = keeps & 1 == 1;
            keeps >>= 1;
            stays
        });
        let state = &after.state;
        after.saving = after.saving.filter(|saving| {
            let unit = &state.units[usize::from(saving.to)];
            let waits = saving.session.standby == unit.boot && saving.session.attempt >= unit.n;
            waits || !self.env.keeps(Rule::SaveOfSession)
        });
    }
}

impl<E> Scope<E> {
    /// Whether a message in flight can still make a difference. With a rule taken away on which
    /// that rests all do but those that its absence cannot revive.
    pub fn is_of_use(&self, state: &Bounded, flight: &Flight) -> bool {
        let of_arbiter = |rule| {
            matches!(
                rule,
                Rule::ColdNamesHello
                    | Rule::HelloOfItsTerm
                    | Rule::HolderIsKnown
                    | Rule::HolderSaysWhatItRuns
                    | Rule::OffersBound
                    | Rule::ReplicaOnLine
                    | Rule::ReplicaWarm
                    | Rule::RunningFirst
                    | Rule::StaleOffered
                    | Rule::WritesSayWhatRuns
            )
        };
        let others = |rule: Rule| of_arbiter(rule) || rule.leaves_numbers();
        if !self.env.without.is_none_or(others) {
            let rounds =
                self.env.keeps(Rule::JoinCarriesRound) && self.env.keeps(Rule::SessionNamedOnce);
            return can_arrive(&state.state, flight, rounds);
        }
        let uses = Uses { disagrees: self.budgets.disagrees > 0, overtaken: self.overtaken };
        is_of_use(state, flight, uses)
    }
}

/// Whether the lease of a term runs.
fn holds(state: &State, term: u16) -> bool {
    let holder = state.arbiter.holder;
    holder.is_some_and(|holder| holder.term == term && holder.running)
}

fn pay(left: &mut Budgets, action: &Action) -> Option<()> {
    let budget = match action {
        Action::Crash(_) => &mut left.crashes,
        Action::Command(..) => &mut left.commands,
        Action::Switchover(_) => &mut left.planned,
        Action::Forced(_) => &mut left.forced,
        Action::Saved(_) => &mut left.saves,
        Action::LeaseLapsed(_) | Action::Arbiter(ArbiterTimer::Lease) => &mut left.lapses,
        Action::Timer(_, Timer::Renew) => &mut left.renewals,
        Action::Timer(_, Timer::GiveUp) => &mut left.give_ups,
        Action::Timer(_, Timer::Queue | Timer::Prompt) => &mut left.waits,
        Action::Arbiter(_) => &mut left.early,
        Action::Declares(_) => &mut left.declares,
        Action::ArbiterRecovered(_) => &mut left.arbiter,
        Action::ArbiterLost => &mut left.forgets,
        Action::DiskLost(_) => &mut left.disks,
        Action::DrainOver(_) => &mut left.drains,
        Action::Rejects(..) => &mut left.rejects,
        Action::Disagrees(..) => &mut left.disagrees,
        Action::Unread(_) => &mut left.garbles,
        Action::Retry(_) => &mut left.retries,
        Action::Boot(_)
        | Action::Deliver(_)
        | Action::Timer(..)
        | Action::Paired(_)
        | Action::AtHand(_)
        | Action::Incompatible(_)
        | Action::Leaves(_)
        | Action::Fails(_)
        | Action::Again(..)
        | Action::Stored(..) => return None,
    };
    *budget = budget.checked_sub(1)?;
    Some(())
}
