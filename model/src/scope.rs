//! What a search walks: the parties with the network and the budgets of faults beside them, the
//! reductions, and the scopes that have names.

use crate::action::{Action, ArbiterTimer, Durability, Timer};
use crate::effects::{Effects, Table};
use crate::property::{Property, Situation, Watch, observe};
use crate::state::{Flight, Msg, Part, Phase, Session, Slot, State, To};
use crate::step::{Env, Rule, step};

/// How often what may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budgets {
    /// Commands entered.
    pub commands: u8,
    /// Crashes of a unit.
    pub crashes: u8,
    /// Messages lost.
    pub losses: u8,
    /// Messages delivered twice.
    pub duplicates: u8,
    /// Messages held back, beyond what the reductions would drop.
    pub holds: u8,
    /// Leases that run out in the middle.
    pub lapses: u8,
    /// Sessions given up while the other side is there.
    pub give_ups: u8,
    /// Timers of the arbiter that fire while an answer is under way.
    pub early: u8,
    /// Renewals beyond those that a lease needs.
    pub renewals: u8,
    /// Planned switchovers.
    pub planned: u8,
    /// Forced switchovers.
    pub forced: u8,
    /// Saves.
    pub saves: u8,
    /// A Standby that declares itself not ready.
    pub declares: u8,
}

/// The whole of a search: rules, budgets, and what of the properties is switched off.
#[derive(Clone, Copy, Debug)]
pub struct Scope<E> {
    /// The rules and effects.
    pub env: Env<E>,
    /// The budgets at the start.
    pub budgets: Budgets,
    /// NoAckedLoss knows its excuse (16: the register's holder out of the arbiter's reach).
    pub excuses: bool,
    /// NoSplitAck counts `async` commands too (13: it must not).
    pub async_counts: bool,
    /// Commands are `async`.
    pub durability: Durability,
    /// Messages that nobody can ever accept leave at once.
    pub purge: bool,
    /// A unit's timers wait until none of its own messages is in flight.
    pub patient: bool,
    /// Where the search begins.
    pub begin: Begin,
}

/// Where a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Two units that were never started.
    Cold,
    /// A pair that is hot, nothing in flight.
    Hot,
}

/// A state of the search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounded {
    /// The parties.
    pub state: State,
    /// Messages in flight: a set; what is sent again while it is in flight is absorbed.
    pub net: Vec<Flight>,
    /// A message held back.
    pub held: Option<Flight>,
    /// The latest Renew of the holder's term that the arbiter received.
    pub renewed: u16,
    /// What is left of the budgets.
    pub left: Budgets,
    /// What the properties remember.
    pub watch: Watch,
    /// The property that failed on the way here.
    pub bad: Option<Property>,
}

/// What the search may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// A party's input, free of charge.
    Does(Action),
    /// A message arrives and stays in flight.
    Duplicates(Flight),
    /// A message is lost.
    Loses(Flight),
    /// A message is held back.
    Holds(Flight),
    /// The held message arrives.
    Releases,
    /// A party's input that costs: a fault, or an operator's action.
    Costs(Action),
}

impl Move {
    /// Whether it is neither a fault nor an operator's action nor a budgeted event.
    pub const fn is_free(&self) -> bool {
        matches!(self, Self::Does(_))
    }
}

impl<E: Effects + Clone> Scope<E> {
    /// The state at which a search begins.
    pub fn start(&self) -> Bounded {
        let cold = self.cold();
        match self.begin {
            Begin::Cold => cold,
            Begin::Hot => self.hot(cold),
        }
    }

    /// The first hot and quiet state on the way without faults and with all rules in force.
    fn hot(&self, cold: Bounded) -> Bounded {
        let mut calm = self.clone();
        calm.env.without = None;
        calm.budgets = Budgets::default();
        let mut seen = std::collections::BTreeSet::new();
        let left = Budgets::default();
        let mut open = std::collections::VecDeque::from([Bounded { left, ..cold }]);
        while let Some(state) = open.pop_front() {
            if state.net.is_empty() && crate::property::converged(&state) {
                return Bounded {
                    left: self.budgets,
                    ..state
                };
            }
            let mut moves = Vec::new();
            calm.moves(&state, &mut moves);
            for next in moves {
                if let Some(after) = calm.after(&state, &next, &mut |_| {})
                    && seen.insert(after.clone())
                {
                    open.push_back(after);
                }
            }
        }
        unreachable!("without faults the pair becomes hot: a test says so")
    }

    fn cold(&self) -> Bounded {
        Bounded {
            state: State::cold(),
            net: Vec::new(),
            held: None,
            renewed: 0,
            left: self.budgets,
            watch: Watch::default(),
            bad: None,
        }
    }

    /// All moves from `state`, in a fixed order.
    pub fn moves(&self, state: &Bounded, out: &mut Vec<Move>) {
        if state.bad.is_some() {
            return;
        }
        for flight in &state.net {
            let down = matches!(flight.to, To::Unit(slot)
                if state.state.units[usize::from(slot)].part == Part::Down);
            if !down {
                out.push(Move::Does(Action::Deliver(*flight)));
                if state.left.duplicates > 0 {
                    out.push(Move::Duplicates(*flight));
                }
            }
            if state.left.losses > 0 {
                out.push(Move::Loses(*flight));
            }
            if state.left.holds > 0 && state.held.is_none() {
                out.push(Move::Holds(*flight));
            }
        }
        if state.held.is_some() {
            out.push(Move::Releases);
        }
        for slot in 0..2 {
            self.unit_moves(state, slot, out);
        }
        self.arbiter_moves(state, out);
    }

    fn unit_moves(&self, state: &Bounded, slot: Slot, out: &mut Vec<Move>) {
        let unit = &state.state.units[usize::from(slot)];
        if unit.part == Part::Down {
            return out.push(Move::Does(Action::Boot(slot)));
        }
        if state.left.crashes > 0 {
            out.push(Move::Costs(Action::Crash(slot)));
        }
        let mine = |flight: &&Flight| flight.from == slot && flight.msg.is_from_unit();
        let quiet = !self.patient || !state.net.iter().any(|flight| mine(&flight));
        if quiet {
            for timer in [
                Timer::Hello,
                Timer::Join,
                Timer::Renew,
                Timer::Register,
                Timer::Resend,
            ] {
                if self.is_due(state, slot, timer) {
                    out.push(Move::Does(Action::Timer(slot, timer)));
                }
            }
        }
        match &unit.part {
            Part::Active(active) => {
                let id = (self.budgets.commands - state.left.commands).into();
                if state.left.commands > 0 {
                    out.push(Move::Costs(Action::Command(slot, id, self.durability)));
                }
                let costs = [
                    (state.left.planned, Action::Switchover(slot)),
                    (state.left.forced, Action::Forced(slot)),
                    (state.left.saves, Action::Saved(slot)),
                    (state.left.lapses, Action::LeaseLapsed(slot)),
                    (state.left.renewals, Action::Timer(slot, Timer::Renew)),
                ];
                out.extend(
                    costs
                        .into_iter()
                        .filter(|(left, _)| *left > 0)
                        .map(|(_, a)| Move::Costs(a)),
                );
                if active
                    .current
                    .as_ref()
                    .is_some_and(|c| c.phase == Phase::Pairing)
                {
                    out.push(Move::Does(Action::Paired(slot)));
                }
                if let Some(current) = &active.current {
                    self.give_up(state, slot, current.session, out);
                }
            }
            Part::Standby(standby) => {
                if let Some((session, phase)) = &standby.seat {
                    if *phase == crate::state::StandbyPhase::Pairing {
                        out.push(Move::Does(Action::Paired(slot)));
                    }
                    self.give_up(state, slot, *session, out);
                }
                if state.left.declares > 0 && standby.replica.is_some_and(|r| !r.declared) {
                    out.push(Move::Costs(Action::Declares(slot)));
                }
            }
            Part::Down | Part::Holder(_) => {}
        }
    }

    /// A session that the other side does not share is given up; another costs.
    fn give_up(&self, state: &Bounded, slot: Slot, session: Session, out: &mut Vec<Move>) {
        let shared = match &state.state.units[usize::from(1 - slot)].part {
            Part::Down | Part::Holder(_) => false,
            Part::Standby(standby) => {
                let joins = state
                    .net
                    .iter()
                    .any(|flight| flight.msg.is_session(session));
                standby.seat.as_ref().is_some_and(|(of, _)| *of == session) || joins
            }
            Part::Active(active) => {
                let of = |s: &Option<Session>| *s == Some(session);
                of(&active.offered)
                    || of(&active.leaving)
                    || of(&active.current.as_ref().map(|c| c.session))
            }
        };
        let action = Action::Timer(slot, Timer::GiveUp);
        if !shared {
            out.push(Move::Does(action));
        } else if state.left.give_ups > 0 {
            out.push(Move::Costs(action));
        }
    }

    /// Whether a timer does something that is not known or under way already.
    fn is_due(&self, state: &Bounded, slot: Slot, timer: Timer) -> bool {
        let arbiter = &state.state.arbiter;
        let unit = &state.state.units[usize::from(slot)];
        let other = &state.state.units[usize::from(1 - slot)].part;
        match (timer, &unit.part) {
            (Timer::Hello, _) => {
                let known = arbiter.known[usize::from(slot)];
                known.is_none_or(|known| {
                    let running = match &unit.part {
                        Part::Holder(h) => h.runs.then_some((h.term, h.lsn)),
                        Part::Active(a) => Some((a.term, a.last)),
                        Part::Down | Part::Standby(_) => None,
                    };
                    let said = known.running.map(|stamp| (stamp.term, stamp.lsn));
                    let active = matches!(unit.part, Part::Active(_));
                    known.boot != unit.boot
                        || known.startup != unit.startup.0
                        || (said != running && !active)
                })
            }
            (Timer::Join, Part::Standby(standby)) => {
                standby.seat.is_none() && matches!(other, Part::Active(_))
            }
            (Timer::Join, Part::Holder(_)) => matches!(other, Part::Active(_)),
            (Timer::Renew, Part::Holder(holder)) => {
                let granted = state.net.iter().any(|flight| {
                    flight.to == To::Unit(slot) && matches!(flight.msg, Msg::Grant { .. })
                });
                let heard = arbiter.offer.is_some_and(|offer| offer.term == holder.term)
                    || arbiter
                        .holder
                        .is_some_and(|h| h.term == holder.term && h.running);
                !granted && heard
            }
            (Timer::Register, Part::Active(active)) => {
                let confirmed = state.net.iter().any(|flight| {
                    flight.to == To::Unit(slot) && matches!(flight.msg, Msg::Confirm { .. })
                });
                active.register.open && !confirmed
            }
            (Timer::Resend, Part::Active(active)) => {
                let owes = active
                    .current
                    .as_ref()
                    .is_some_and(|current| match current.phase {
                        Phase::Dump | Phase::Config | Phase::Bulk(_) | Phase::HotSent => true,
                        Phase::Cold | Phase::HotAcked | Phase::Setting | Phase::Hot => {
                            !current.journal.is_empty()
                        }
                        Phase::Diff | Phase::Pairing | Phase::Rejected(..) | Phase::Held => false,
                    });
                let answers = state.net.iter().any(|flight| flight.to == To::Unit(slot));
                let hears = matches!(other, Part::Standby(_));
                hears && !answers && (owes || active.offered.is_some() || active.leaving.is_some())
            }
            (Timer::Resend, Part::Standby(standby)) => {
                let answers = state.net.iter().any(|flight| flight.to == To::Unit(slot));
                standby.seat.is_some() && !answers && matches!(other, Part::Active(_))
            }
            _ => false,
        }
    }

    fn arbiter_moves(&self, state: &Bounded, out: &mut Vec<Move>) {
        let arbiter = &state.state.arbiter;
        if arbiter.gathering {
            let hello = state
                .net
                .iter()
                .any(|flight| matches!(flight.msg, Msg::Hello { .. }));
            let action = Action::Arbiter(ArbiterTimer::Gather);
            if !hello && arbiter.known.iter().any(Option::is_some) {
                out.push(Move::Does(action));
            } else if state.left.early > 0 {
                out.push(Move::Costs(action));
            }
        }
        if let Some(offer) = arbiter.offer {
            let unit = &state.state.units[usize::from(offer.slot)];
            let reached = unit.part != Part::Down && unit.boot == offer.boot;
            let under_way = state
                .net
                .iter()
                .any(|flight| flight.msg.is_term(offer.term));
            let wait = Action::Arbiter(ArbiterTimer::TakeoverWait);
            if !reached {
                out.push(Move::Does(wait));
            } else if state.left.early > 0 {
                out.push(Move::Costs(wait));
            }
            if reached && !under_way {
                out.push(Move::Does(Action::Arbiter(ArbiterTimer::Resend)));
            }
        }
        if let Some(holder) = arbiter.holder.filter(|holder| holder.running) {
            let unit = &state.state.units[usize::from(holder.slot)];
            let action = Action::Arbiter(ArbiterTimer::Lease);
            match &unit.part {
                // In true time the lease of a unit ends before the arbiter's, if it counts from a
                // Renew that the arbiter has received.
                Part::Active(active)
                    if unit.boot == holder.boot
                        && active.term == holder.term
                        && active.granted <= state.renewed => {}
                Part::Holder(held) if held.term == holder.term && held.kept.is_none() => {
                    if state.left.lapses > 0 {
                        out.push(Move::Costs(action));
                    }
                }
                Part::Active(_) | Part::Holder(_) | Part::Standby(_) | Part::Down => {
                    out.push(Move::Does(action));
                }
            }
        }
    }

    /// The state after a move, and what it met.
    pub fn after(
        &self,
        state: &Bounded,
        next: &Move,
        met: &mut impl FnMut(Situation),
    ) -> Option<Bounded> {
        let mut after = state.clone();
        let without = |net: &mut Vec<Flight>, flight: &Flight| net.retain(|other| other != flight);
        let action = match next {
            Move::Loses(flight) => {
                after.left.losses -= 1;
                without(&mut after.net, flight);
                return Some(after);
            }
            Move::Holds(flight) => {
                after.left.holds -= 1;
                without(&mut after.net, flight);
                after.held = Some(*flight);
                return Some(after);
            }
            Move::Duplicates(flight) => {
                after.left.duplicates -= 1;
                Action::Deliver(*flight)
            }
            Move::Releases => Action::Deliver(after.held.take()?),
            Move::Does(action) => {
                if let Action::Deliver(flight) = action {
                    without(&mut after.net, flight);
                }
                *action
            }
            Move::Costs(action) => {
                self.pay(&mut after.left, action)?;
                *action
            }
        };
        self.perform(state, after, action, met)
    }

    fn pay(&self, left: &mut Budgets, action: &Action) -> Option<()> {
        let budget = match action {
            Action::Crash(_) => &mut left.crashes,
            Action::Command(..) => &mut left.commands,
            Action::Switchover(_) => &mut left.planned,
            Action::Forced(_) => &mut left.forced,
            Action::Saved(_) => &mut left.saves,
            Action::LeaseLapsed(_) | Action::Arbiter(ArbiterTimer::Lease) => &mut left.lapses,
            Action::Timer(_, Timer::Renew) => &mut left.renewals,
            Action::Timer(_, Timer::GiveUp) => &mut left.give_ups,
            Action::Arbiter(_) => &mut left.early,
            Action::Declares(_) => &mut left.declares,
            Action::Boot(_)
            | Action::Deliver(_)
            | Action::Timer(..)
            | Action::ArbiterRecovered
            | Action::Paired(_)
            | Action::AtHand(_)
            | Action::Rejects(..)
            | Action::Disagrees(..)
            | Action::Incompatible(_)
            | Action::DrainOver(_)
            | Action::Stored(..) => return None,
        };
        *budget = budget.checked_sub(1)?;
        Some(())
    }

    fn perform(
        &self,
        before: &Bounded,
        mut after: Bounded,
        action: Action,
        met: &mut impl FnMut(Situation),
    ) -> Option<Bounded> {
        let mut made = step(&self.env, &before.state, &action)?;
        if let Action::Deliver(Flight { to, msg, .. }) = action {
            match (to, msg) {
                (To::Arbiter, Msg::Renew { term, n, .. })
                    if made
                        .state
                        .arbiter
                        .holder
                        .is_some_and(|h| h.term == term && h.running) =>
                {
                    let first = before.state.arbiter.holder.map(|h| h.term) != Some(term);
                    after.renewed = if first { n } else { after.renewed.max(n) };
                }
                (To::Unit(slot), Msg::Grant { term, .. }) => {
                    let arbiter = &made.state.arbiter;
                    let runs = arbiter.holder.is_some_and(|h| h.term == term && h.running);
                    let acts = matches!(made.state.units[usize::from(slot)].part, Part::Active(_));
                    let acted =
                        matches!(before.state.units[usize::from(slot)].part, Part::Active(_));
                    // The Grant of a lease that is over arrives spent.
                    if !runs && acts && !acted {
                        let lapse = Action::LeaseLapsed(slot);
                        let lapsed = step(&self.env, &made.state, &lapse)?;
                        made.state = lapsed.state;
                        if let Part::Holder(holder) = &mut made.state.units[usize::from(slot)].part
                        {
                            holder.runs = holder.runs && self.was_running(before, slot);
                            holder.kept = None;
                        }
                    }
                }
                _ => {}
            }
        }
        let mut watch = after.watch.clone();
        after.bad = observe(self, before, &action, &made, &mut watch, met);
        after.watch = watch;
        for flight in made.sent {
            if let Err(at) = after.net.binary_search(&flight) {
                after.net.insert(at, flight);
            }
        }
        after.state = made.state;
        if self.purge {
            let state = &after.state;
            let keeps = self.env.keeps(Rule::JoinCarriesRound);
            after.net.retain(|flight| can_arrive(state, flight, keeps));
        }
        Some(after)
    }

    /// A holder that never acted keeps what its acceptance gave it.
    fn was_running(&self, before: &Bounded, slot: Slot) -> bool {
        match &before.state.units[usize::from(slot)].part {
            Part::Holder(holder) => holder.runs,
            Part::Down | Part::Standby(_) | Part::Active(_) => true,
        }
    }
}

/// Whether anybody can ever accept the message: boots, rounds and terms only grow.
fn can_arrive(state: &State, flight: &Flight, rounds: bool) -> bool {
    let To::Unit(slot) = flight.to else {
        let over = |term: u16| state.arbiter.holder.is_some_and(|h| h.term > term);
        return match flight.msg {
            Msg::Renew { term, .. } | Msg::Decline { term, .. } => {
                !over(term) && term == state.arbiter.term
            }
            Msg::SetRegister { term, .. } | Msg::Release { term, .. } => state
                .arbiter
                .holder
                .is_some_and(|h| h.term == term && h.running),
            Msg::Hello { boot, .. } => state.units[usize::from(flight.from)].boot == boot,
            _ => true,
        };
    };
    let unit = &state.units[usize::from(slot)];
    match flight.msg {
        Msg::Offer { boot, .. } | Msg::Grant { boot, .. } => boot == unit.boot,
        Msg::Confirm { term, .. } => match &unit.part {
            Part::Active(active) => active.term == term,
            Part::Holder(holder) => holder.kept.is_some() && holder.term == term,
            Part::Down | Part::Standby(_) => false,
        },
        Msg::Join { boot, .. } => boot == state.units[usize::from(flight.from)].boot,
        Msg::Ready { session, .. }
        | Msg::Diff { session }
        | Msg::BulkDone { session, .. }
        | Msg::Applied { session, .. }
        | Msg::HotAck { session, .. }
        | Msg::Left { session }
        | Msg::Down { session } => session.active == unit.boot && session.term >= unit.highest,
        Msg::Proceed { session }
        | Msg::Dump { session }
        | Msg::Compatible { session }
        | Msg::Incompatible { session }
        | Msg::Config { session, .. }
        | Msg::Chunk { session, .. }
        | Msg::BulkAccept { session, .. }
        | Msg::BulkReject { session, .. }
        | Msg::Line { session, .. }
        | Msg::Hot { session, .. }
        | Msg::Leave { session } => {
            session.standby == unit.boot && (!rounds || session.attempt >= unit.n)
        }
        _ => true,
    }
}

impl Msg {
    /// Whether a unit sends it.
    const fn is_from_unit(&self) -> bool {
        !matches!(
            self,
            Self::Offer { .. } | Self::Grant { .. } | Self::Confirm { .. }
        )
    }

    /// Whether it offers, accepts, grants or declines this term.
    fn is_term(&self, of: u16) -> bool {
        match self {
            Self::Offer { term, .. }
            | Self::Grant { term, .. }
            | Self::Renew { term, .. }
            | Self::Decline { term, .. } => *term == of,
            _ => false,
        }
    }

    /// Whether it offers this session.
    fn is_session(&self, of: Session) -> bool {
        matches!(self, Self::Proceed { session } | Self::Ready { session, .. } if *session == of)
    }
}

/// All rules, no faults, equal images.
pub fn plain() -> Scope<Table> {
    Scope {
        env: Env {
            effects: Table::default(),
            chunks: 1,
            same_image: true,
            hot_window: 2,
            line_window: 4,
            without: None,
        },
        budgets: Budgets::default(),
        excuses: true,
        async_counts: false,
        durability: Durability::Acked,
        purge: true,
        patient: true,
        begin: Begin::Cold,
    }
}

/// The scopes that have names, with what they are for.
pub fn named() -> Vec<(&'static str, Scope<Table>)> {
    let with = |budgets: Budgets| Scope { budgets, ..plain() };
    let hot = |budgets: Budgets| Scope {
        budgets,
        begin: Begin::Hot,
        ..plain()
    };
    let base = Budgets {
        commands: 1,
        ..Budgets::default()
    };
    let mut dumped = with(Budgets {
        commands: 1,
        crashes: 1,
        ..Budgets::default()
    });
    dumped.env.same_image = false;
    dumped.env.chunks = 2;
    vec![
        ("crash", with(Budgets { crashes: 1, ..base })),
        ("dump", dumped),
        ("pinned", pinned()),
        (
            "switchovers",
            hot(Budgets {
                planned: 1,
                forced: 1,
                crashes: 1,
                losses: 1,
                lapses: 1,
                ..base
            }),
        ),
        (
            "faults",
            hot(Budgets {
                commands: 2,
                crashes: 1,
                losses: 1,
                duplicates: 1,
                holds: 1,
                lapses: 1,
                give_ups: 1,
                ..base
            }),
        ),
    ]
}

/// The scope that the tests pin: a planned switchover and a lease that runs out, from hot.
pub fn pinned() -> Scope<Table> {
    let budgets = Budgets {
        commands: 1,
        lapses: 1,
        planned: 1,
        ..Budgets::default()
    };
    Scope {
        budgets,
        begin: Begin::Hot,
        ..plain()
    }
}
