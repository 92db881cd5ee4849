//! What a search walks: the parties with the network and the budgets of faults beside them, and the
//! reductions.

mod budgets;
mod canonical;
mod goal;
mod presets;
mod timers;
mod transition;

use crate::action::{Action, Durability, Timer};
use crate::effects::Meaning;
use crate::property::{History, Property, Situation};
use crate::state::{
    Arbiter, Cfg, Flight, Keeps, Msg, Phase, Rejection, Role, Session, Slot, Stamp, StandbyPhase,
    State, To,
};
use crate::step::{Env, Rule};

pub use budgets::Budgets;
pub use presets::{Preset, pinned, plain, presets};

/// The whole of a search: rules, budgets, and what of the properties is switched off.
#[derive(Clone, Copy, Debug)]
pub struct Scope<E> {
    /// The rules and effects.
    pub env: Env<E>,
    /// The budgets at the start.
    pub budgets: Budgets,
    /// How many of the budgets but that of commands may be used in one run, all told.
    pub most: u16,
    /// A state is walked once, after as few of them as lead to it; each may be used as often as
    /// `most` says. What a state with more of them left can do, one with fewer can do no more than
    /// that, and where the pair comes to without them does not depend on how many are left.
    pub layered: bool,
    /// Rounds of joining, renewals and writes of the register are numbered anew in each state.
    pub renames: bool,
    /// The commands, in the order in which they are entered.
    pub script: [u16; 4],
    /// Ordered resets before the pair comes up in rpr.
    pub max_resets: u16,
    /// The one safety property that is asked; all of them without.
    pub asks: Option<Property>,
    /// NoAckedLoss knows its excuse (16: the register's holder out of the arbiter's reach).
    pub excuses: bool,
    /// NoSplitAck counts `async` commands too (13: it must not).
    pub async_counts: bool,
    /// Commands are `async`.
    pub durability: Durability,
    /// A Standby that joins has the Active's dump from an earlier session.
    pub at_hand: bool,
    /// Messages that nobody can ever accept leave at once.
    pub purge: bool,
    /// A Join of a round that is over, and a Hello that says what is no longer so, can come as late
    /// as any message. (Without: they leave when their sender goes on; a late one is a held one.)
    pub overtaken: bool,
    /// A unit's timers wait until none of its own messages is in flight. (Without: all but Renew
    /// and, while one is in flight, Hello, of which each firing is a message of its own.)
    pub patient: bool,
    /// What the unit in slot 0 has in its startup store.
    pub booted: Cfg,
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
    /// From there, after these.
    After(&'static [Lead]),
}

/// One step on the way to where a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// An input; no budget pays for it.
    Acts(Action),
    /// The arbiter's state is kept aside.
    Keeps,
    /// These, one after the other.
    All(&'static [Self]),
    /// The arbiter starts with the state that was kept aside.
    GoesBack,
    /// The one message in flight is held back.
    Held,
    /// All messages in flight are lost.
    AllLost,
    /// All messages in flight arrive, and what is sent upon them.
    AllArrive,
}

/// A save that is on its way to the Standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Saving {
    /// Of which session.
    pub session: Session,
    /// Who receives it.
    pub to: Slot,
    /// The last change in it.
    pub stamp: Stamp,
    /// The config, as it becomes there.
    pub cfg: Cfg,
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
    /// A save on its way.
    pub saving: Option<Saving>,
    /// An earlier state of the arbiter, that may come back.
    pub older: Option<Box<Arbiter>>,
    /// The latest Renew of the holder's term that the arbiter received.
    pub renewed: u16,
    /// What is left of the budgets.
    pub left: Budgets,
    /// What the properties remember.
    pub watch: History,
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
    /// The arbiter's state is kept aside.
    Keeps,
    /// The arbiter starts with the state that was kept aside.
    GoesBack,
    /// A party's input that costs: a fault, or an operator's action.
    Costs(Action),
}

impl Move {
    /// Whether it is neither a fault nor an operator's action nor a budgeted event.
    pub const fn is_free(&self) -> bool {
        matches!(self, Self::Does(_))
    }

    /// Whether a budget but that of commands pays for it.
    const fn strikes(&self) -> bool {
        match self {
            Self::Does(_) | Self::Releases | Self::Costs(Action::Command(..)) => false,
            Self::Duplicates(_)
            | Self::Loses(_)
            | Self::Holds(_)
            | Self::Keeps
            | Self::GoesBack
            | Self::Costs(_) => true,
        }
    }
}

impl<E: Meaning + Clone> Scope<E> {
    /// The state at which a search begins.
    ///
    /// # Panics
    /// If the protocol does not allow what leads there.
    pub fn start(&self) -> Bounded {
        let cold = self.cold();
        let leads = match self.begin {
            Begin::Cold => return cold,
            Begin::Hot => &[],
            Begin::After(leads) => leads,
        };
        let mut state = self.hot(cold);
        self.lead(leads, &mut state);
        state
    }

    fn lead(&self, leads: &[Lead], state: &mut Bounded) {
        for lead in leads {
            match *lead {
                Lead::All(leads) => self.lead(leads, state),
                Lead::Keeps => state.older = Some(Box::new(state.state.arbiter.clone())),
                Lead::GoesBack => {
                    let left = state.left;
                    state.left.older += 1;
                    *state = Bounded { left, ..self.led(state, Move::GoesBack) };
                }
                Lead::Held => {
                    assert_eq!(state.net.len(), 1, "one message is in flight");
                    state.held = state.net.pop();
                }
                Lead::AllLost => state.net.clear(),
                Lead::Acts(action) => *state = self.led(state, Move::Does(action)),
                Lead::AllArrive => {
                    while let Some(flight) = state.net.first().copied() {
                        *state = self.led(state, Move::Does(Action::Deliver(flight)));
                    }
                }
            }
        }
    }

    fn led(&self, state: &Bounded, next: Move) -> Bounded {
        self.after(state, &next, &mut |_| {}).expect("a lead is allowed where it stands")
    }

    /// The first hot and quiet state on the way without faults and with all rules in force.
    fn hot(&self, cold: Bounded) -> Bounded {
        let mut calm = self.clone();
        calm.env.without = None;
        calm.layered = false;
        calm.budgets = Budgets::default();
        let mut seen = std::collections::BTreeSet::new();
        let left = Budgets::default();
        let mut open = std::collections::VecDeque::from([Bounded { left, ..cold }]);
        while let Some(state) = open.pop_front() {
            if state.net.is_empty() && calm.is_hot(&state) {
                return Bounded { left: self.left(), ..state };
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
        let mut state = State::cold();
        state.units[0].startup.1 = self.booted;
        Bounded {
            state,
            net: Vec::new(),
            held: None,
            saving: None,
            older: None,
            renewed: 0,
            left: self.left(),
            watch: History::default(),
            bad: None,
        }
    }

    /// The budgets that a state counts.
    fn left(&self) -> Budgets {
        if self.layered {
            Budgets { commands: self.budgets.commands, ..Budgets::default() }
        } else {
            self.budgets
        }
    }

    /// What one more fault or operator's action makes of a state of a layered search, with its
    /// number.
    pub fn strikes(
        &self,
        state: &Bounded,
        met: &mut impl FnMut(Situation),
        each: &mut impl FnMut(usize, Bounded),
    ) {
        let armed = self.armed(state);
        let mut moves = Vec::new();
        self.moves(&armed, &mut moves);
        for (ordinal, next) in moves.iter().enumerate().filter(|(_, next)| next.strikes()) {
            if let Some(after) = self.after(&armed, next, met) {
                let left = state.left;
                each(ordinal, Bounded { left, ..after });
            }
        }
    }

    /// The state with all budgets but that of commands.
    pub(crate) fn armed(&self, state: &Bounded) -> Bounded {
        let left = Budgets { commands: 0, ..self.budgets };
        Bounded { left, ..state.clone() }
    }

    /// All moves from `state`, in a fixed order; of a layered search those without faults.
    pub fn moves(&self, state: &Bounded, out: &mut Vec<Move>) {
        if state.bad.is_some() {
            return;
        }
        for flight in &state.net {
            self.flight_moves(state, *flight, out);
        }
        if state.held.is_some() {
            out.push(Move::Releases);
        }
        if let Some(saving) = state.saving
            && self.can_store(state, saving)
        {
            let Saving { to, stamp, cfg, .. } = saving;
            out.push(Move::Does(Action::Stored(to, stamp, cfg)));
        }
        for slot in 0..2 {
            self.unit_moves(state, slot, out);
        }
        self.arbiter_moves(state, out);
        if state.left.arbiter > 0 {
            out.push(Move::Costs(Action::ArbiterRecovered(0)));
        }
        if state.left.forgets > 0 {
            out.push(Move::Costs(Action::ArbiterLost));
        }
        if state.left.older > 0 {
            out.push(match state.older {
                None => Move::Keeps,
                Some(_) => Move::GoesBack,
            });
        }
    }

    fn flight_moves(&self, state: &Bounded, flight: Flight, out: &mut Vec<Move>) {
        let down = matches!(flight.to, To::Unit(slot)
            if state.state.units[usize::from(slot)].part == Role::Down);
        if !down {
            out.push(Move::Does(self.arrival(state, flight)));
            if state.left.duplicates > 0 {
                out.push(Move::Duplicates(flight));
            }
            if state.left.rejects > 0 && matches!(flight.msg, Msg::BulkDone { .. }) {
                let resets = state.state.active().map_or(0, |(_, active)| active.resets);
                if resets < self.max_resets {
                    let reset = Action::Rejects(flight, Rejection::Reset, Keeps::Nothing);
                    out.push(Move::Costs(reset));
                }
                for keeps in [Keeps::Nothing, Keeps::Replica] {
                    out.push(Move::Costs(Action::Rejects(flight, Rejection::Rpr, keeps)));
                }
            }
            let payload =
                matches!(flight.msg, Msg::Config { .. } | Msg::Chunk { .. } | Msg::Line { .. });
            if state.left.garbles > 0 && payload {
                out.push(Move::Costs(Action::Unread(flight)));
            }
            if state.left.disagrees > 0 && matches!(flight.msg, Msg::Applied { .. }) {
                out.push(Move::Costs(Action::Disagrees(flight, false)));
            }
        }
        if state.left.losses > 0 {
            out.push(Move::Loses(flight));
        }
        if state.left.holds > 0 && state.held.is_none() {
            out.push(Move::Holds(flight));
        }
    }

    /// What the arrival of a message is, by what the receiver's policy and driver make of it.
    fn arrival(&self, state: &Bounded, flight: Flight) -> Action {
        let delivered = Action::Deliver(flight);
        let To::Unit(slot) = flight.to else {
            return delivered;
        };
        if self.at_hand && matches!(flight.msg, Msg::Proceed { .. }) {
            return Action::AtHand(flight);
        }
        let Role::Active(active) = &state.state.units[usize::from(slot)].part else {
            return delivered;
        };
        let Some(current) = &active.current else {
            return delivered;
        };
        match (flight.msg, current.phase) {
            (Msg::BulkDone { session, lsn, .. }, Phase::Bulk(snapshot))
                if session == current.session && lsn == snapshot.lsn =>
            {
                let taken = self.env.effects.take(1 - slot, snapshot.cfg);
                match self.env.effects.judges(taken) {
                    None => delivered,
                    Some(Rejection::Reset) if active.resets >= self.max_resets => {
                        Action::Rejects(flight, Rejection::Rpr, Keeps::Nothing)
                    }
                    Some(rejection) => Action::Rejects(flight, rejection, Keeps::Nothing),
                }
            }
            (Msg::Applied { session, lsn, .. }, _) if session == current.session => {
                let failed = |id| self.env.effects.declares(1 - slot, id);
                match state.watch.commands(session.term, current.acked, lsn).any(failed) {
                    true => Action::Disagrees(flight, true),
                    false => delivered,
                }
            }
            _ => delivered,
        }
    }

    fn can_store(&self, state: &Bounded, saving: Saving) -> bool {
        let part = &state.state.units[usize::from(saving.to)].part;
        if !self.env.keeps(Rule::SaveOfSession) {
            return *part != Role::Down;
        }
        matches!(part, Role::Standby(standby)
            if standby.seat.as_ref().is_some_and(|(seated, _)| *seated == saving.session))
    }

    fn unit_moves(&self, state: &Bounded, slot: Slot, out: &mut Vec<Move>) {
        let unit = &state.state.units[usize::from(slot)];
        if unit.part == Role::Down {
            if state.left.disks > 0 {
                out.push(Move::Costs(Action::DiskLost(slot)));
            }
            return out.push(Move::Does(Action::Boot(slot)));
        }
        if state.left.crashes > 0 {
            out.push(Move::Costs(Action::Crash(slot)));
        }
        let mine = |flight: &&Flight| flight.from == slot && flight.msg.is_from_unit();
        let speaks = state.net.iter().any(|flight| mine(&flight));
        let hello = |flight: &Flight| matches!(flight.msg, Msg::Hello { .. });
        let greets = state.net.iter().any(|flight| mine(&flight) && hello(flight));
        for timer in [
            Timer::Hello,
            Timer::Join,
            Timer::Renew,
            Timer::Register,
            Timer::Resend,
            Timer::Pace,
            Timer::Stable,
        ] {
            let waits = match timer {
                Timer::Renew => speaks,
                Timer::Hello => greets || speaks && self.patient,
                Timer::Join
                | Timer::Register
                | Timer::Resend
                | Timer::GiveUp
                | Timer::Queue
                | Timer::Prompt
                | Timer::Pace
                | Timer::Stable => speaks && self.patient,
            };
            if !waits && self.is_due(state, slot, timer) {
                out.push(Move::Does(Action::Timer(slot, timer)));
            }
        }
        match &unit.part {
            Role::Active(active) => self.active_moves(state, slot, active, out),
            Role::Standby(standby) => {
                if let Some((session, phase)) = &standby.seat {
                    if *phase == StandbyPhase::Pairing {
                        out.push(Move::Does(Action::Paired(slot)));
                    }
                    self.give_up(state, slot, *session, out);
                }
                if state.left.declares > 0 && standby.replica.is_some_and(|r| !r.declared) {
                    out.push(Move::Costs(Action::Declares(slot)));
                }
            }
            Role::Holder(holder) => {
                if holder.released {
                    self.command_moves(state, slot, out);
                }
                if state.left.waits > 0 && holder.timed {
                    out.push(Move::Costs(Action::Timer(slot, Timer::Queue)));
                }
            }
            Role::Down => {}
        }
    }

    fn command_moves(&self, state: &Bounded, slot: Slot, out: &mut Vec<Move>) {
        let left = &state.left;
        if left.commands > 0 {
            let id = self.script[usize::from(self.budgets.commands - left.commands)];
            out.push(Move::Costs(Action::Command(slot, id, self.durability)));
        }
    }

    fn active_moves(
        &self,
        state: &Bounded,
        slot: Slot,
        active: &crate::state::Active,
        out: &mut Vec<Move>,
    ) {
        let left = &state.left;
        self.command_moves(state, slot, out);
        let costs = [
            (left.planned, Action::Switchover(slot)),
            (left.forced, Action::Forced(slot)),
            (left.saves, Action::Saved(slot)),
            (left.lapses, Action::LeaseLapsed(slot)),
            (left.renewals, Action::Timer(slot, Timer::Renew)),
            (left.drains, Action::DrainOver(slot)),
            (left.waits, Action::Timer(slot, Timer::Prompt)),
            (left.retries, Action::Retry(slot)),
        ];
        let costs = costs.into_iter().filter(|(left, _)| *left > 0);
        out.extend(costs.map(|(_, action)| Move::Costs(action)));
        // Its lease is over: an arbiter that does not know of it renews it no more.
        if state.state.arbiter.silent && left.lapses == 0 {
            out.push(Move::Does(Action::LeaseLapsed(slot)));
        }
        let Some(current) = &active.current else {
            return;
        };
        match current.phase {
            Phase::Pairing => out.push(Move::Does(Action::Paired(slot))),
            // The last line that policy rejected is gone: sso is tried again.
            Phase::Rejected(_, Rejection::Rpr | Rejection::Simplex, _)
                if self.judges(slot, active).is_none() && !self.is_used_up(active) =>
            {
                return out.push(Move::Does(Action::Again(slot, Keeps::Replica)));
            }
            _ => {}
        }
        self.give_up(state, slot, current.session, out);
    }
}
