//! One step: the machines of PROTOCOL.md, section 10.

mod active;
mod arbiter;
mod holder;
mod queue;
mod standby;

use crate::action::{Action, Durability, Timer};
use crate::effects::Effects;
use crate::state::{
    Cfg, Change, Eligible, Flight, Hello, Msg, Replica, Role, Said, Slot, Stamp, State, Term, To,
    Unit,
};

pub use arbiter::{is_on_line, is_warm, knows_on_line, says_line_unknown};
pub use standby::whole;

/// A rule of the protocol that can be taken away, to see its property fail
/// (the numbers are those of the counterexamples that found them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// 1: a unit acts only on a Grant that echoes a Renew of its own.
    GrantEchoesRenew,
    /// 2: a Grant names the Renew that it answers.
    GrantNamesRenew,
    /// 3: the acceptance makes the unit the holder, with its config fixed.
    AcceptanceFixesConfig,
    /// 4: `resume` is offered by stamp, not by the very next term.
    ResumeByStamp,
    /// 5: running configs of former holders compete.
    RunningCompete,
    /// 6: only a Proceed of a newer term makes the old Active reset.
    OnlyProceedResets,
    /// 7: stamps are compared on the line only.
    OnTheLine,
    /// 8: a unit without a lease sends Join beside its Renew.
    HolderJoins,
    /// 9: Confirm carries the counter that it confirms.
    ConfirmNamesCounter,
    /// 10: a repeated write is answered by Confirm.
    RepeatedWriteConfirmed,
    /// 11: messages to the arbiter have owners that resend.
    ArbiterResends,
    /// 12: the acceptance clears the register.
    AcceptanceClears,
    /// 14: a Line before BulkAccept is never applied nor answered.
    LineWaitsForAccept,
    /// 15: Join carries n, Proceed echoes it.
    JoinCarriesRound,
    /// Leaving hot clears the register before prompts return local.
    LeavingClears,
    /// The arbiter takes what the holder runs from its Renew and Release, not from its Hello alone.
    HolderSaysWhatItRuns,
    /// The arbiter takes what the holder runs from its writes of the register too.
    WritesSayWhatRuns,
    /// The arbiter knows the holder by what it says as such, though no Hello of it came.
    HolderIsKnown,
    /// An Offer names the LSN beyond which a config is off the line, and who went beyond it
    /// declines.
    OffersBound,
    /// The register is written only once the Standby has answered Hot.
    HotWaitsForAck,
    /// A session's name is never used again, and a chunk names its snapshot.
    SessionNamedOnce,
    /// A message of another session changes nothing.
    SessionChecked,
    /// A Line is applied only after the one before it.
    GapsWait,
    /// Nothing acknowledges a Line without saying what is missing.
    AppliedSaysMissing,
    /// A command is translated before it is executed: one that is refused leaves nothing.
    RefusedBeforeExecuted,
    /// Prompts that are held return `unknown` when the role is lost.
    LossAnswers,
    /// Join tells the ordered resets, and the greater count counts.
    JoinCarriesResets,
    /// A Save of another session is not stored.
    SaveOfSession,
    /// S1: a replica outlives its session: only the next swap replaces it.
    ReplicaOutlives,
    /// S2: a holder or Active that is superseded keeps its config as its replica.
    SupersededKeeps,
    /// S3: a replica stamp is off the line if a later term was cold.
    ReplicaWarm,
    /// S3: a replica stamp is off the line if a later term was taken over at a lesser LSN.
    ReplicaOnLine,
    /// S4: within a term the running config comes first.
    RunningFirst,
    /// S8: a replica that has declared itself is not taken over with.
    DeclaredDeclines,
    /// S8: a replica that policy turned away is dropped.
    PolicyDrops,
    /// The third origin: a replica is offered at all.
    StaleOffered,
    /// A Hello is taken only if its number is greater than that of the last one.
    HelloNumbered,
    /// A Hello that is older than the acceptance of the term that its unit is known to run is not
    /// taken.
    HelloOfItsTerm,
    /// A cold Offer names the Hello by which it was made, and a unit that says something else by
    /// now declines.
    ColdNamesHello,
    /// Q1: what waits in the queue is refused when the lease is over.
    LapseRefusesQueue,
    /// Q2: the queue of a unit that released has a deadline.
    QueueHasDeadline,
    /// Q3: a command leaves the queue in the step that answers it.
    AnsweredLeavesQueue,
    /// B1: every prompt that is held counts, whatever its words did.
    PromptsCount,
    /// B2: so too while a clear is not confirmed.
    PromptsCountInClearing,
    /// U2: a Standby says that a snapshot does not decode, and waits to be told; it does not join
    /// again by itself.
    UnreadableIsSaid,
    /// U3: a Standby that cannot read a Line may take over with all that came before it.
    UnreadableKeepsReplica,
    /// U4: the Active counts sessions that end before they were hot for long, up to `max_attempts`.
    AttemptsCount,
    /// U5: the Active answers no Join for a while after such an end.
    AttemptsPaced,
    /// A2: of the two oldest entries of the line beyond its bound one is left, with the lesser LSN.
    LineMerges,
    /// A6: an arbiter whose state may be an older one grants and offers nothing for a lease after a
    /// start.
    StartIsSilent,
    /// A3: an arbiter that lost its state offers nothing for a lease.
    LostIsSilent,
    /// A4: it uses no term again.
    TermsFromWorld,
    /// A5: until somebody accepts, only what is of the latest term that was seen is on the line.
    LatestWhileLost,
    /// A5: the terms of its own Offers since say nothing of that.
    OwnTermsAside,
    /// A5: what is of an earlier term then stays off the line.
    FloorKept,
    /// A5: of an arbiter whose state is lost, or may be an older one, only a unit counts as heard
    /// that knows a term of before.
    HeardKnows,
    /// A6: units say what they have seen of the arbiter's state, and an older one counts as lost.
    GenerationEchoed,
    /// A5: such an arbiter asks, and only a Hello that echoes it was said since.
    HeardEchoes,
}

impl Rule {
    /// Whether it says what becomes of what does not decode, of attempts that failed, or of an
    /// arbiter whose state is lost: numbers of rounds count, and messages are of use, as they are
    /// with it.
    pub(crate) const fn leaves_numbers(self) -> bool {
        matches!(
            self,
            Self::UnreadableIsSaid
                | Self::UnreadableKeepsReplica
                | Self::AttemptsCount
                | Self::AttemptsPaced
                | Self::LineMerges
                | Self::TermsFromWorld
                | Self::LostIsSilent
                | Self::LatestWhileLost
                | Self::OwnTermsAside
                | Self::FloorKept
                | Self::HeardKnows
                | Self::HeardEchoes
                | Self::GenerationEchoed
                | Self::StartIsSilent
        )
    }
}

/// What is no part of the state.
#[derive(Clone, Copy, Debug)]
pub struct Env<E> {
    /// The meaning of configs and changes.
    pub effects: E,
    /// In how many chunks a snapshot travels.
    pub chunks: u8,
    /// Both units run the same image: no dump, no diff.
    pub same_image: bool,
    /// How far the Standby may be behind when the pair becomes hot.
    pub hot_window: u16,
    /// How many Lines may be outstanding.
    pub line_window: u16,
    /// How many prompts may be held.
    pub max_prompts: u16,
    /// How many commands may wait unexecuted.
    pub max_queue: u16,
    /// Attempts before the pair comes up in rpr; none: they are not counted, nor paced.
    pub max_attempts: Option<u16>,
    /// How many entries the arbiter's line has at most.
    pub max_line: u16,
    /// Whether the arbiter counts what it tells.
    pub generations: bool,
    /// Whether its disk may go back to an older state.
    pub goes_back: bool,
    /// The rule that is taken away, if any.
    pub without: Option<Rule>,
}

impl<E> Env<E> {
    /// Whether `rule` is in force.
    pub fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

/// What an operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// The change is in two memories.
    Replicated {
        /// The change's LSN.
        lsn: u16,
    },
    /// The change is here only.
    Local {
        /// The change's LSN.
        lsn: u16,
        /// How it was asked for.
        durability: Durability,
    },
    /// It was so already; if the prompt was held, so it is in two memories or here only.
    Unchanged,
    /// Nothing changed.
    Refused,
    /// The role was lost while it waited.
    Unknown {
        /// The change's number.
        lsn: u16,
    },
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The parties after it.
    pub state: State,
    /// What was sent, in order.
    pub sent: Vec<Flight>,
    /// What operators were told, in order.
    pub answers: Vec<Answer>,
    /// The changes that were executed, in order.
    pub executed: Vec<Execution>,
    /// The commands that were refused after they had waited, in order.
    pub refused: Vec<u16>,
}

/// A change that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// By the unit in this slot.
    pub slot: Slot,
    /// The change.
    pub change: Change,
    /// The config after it.
    pub cfg: Cfg,
}

/// What a step puts out while it is made.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) slot: Slot,
    pub(crate) sent: Vec<Flight>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) executed: Vec<Execution>,
    pub(crate) refused: Vec<u16>,
}

impl Out {
    pub(crate) fn tell(&mut self, msg: Msg) {
        self.sent.push(Flight { from: self.slot, to: To::Arbiter, msg });
    }

    pub(crate) fn peer(&mut self, msg: Msg) {
        self.sent.push(Flight { from: self.slot, to: To::Unit(1 - self.slot), msg });
    }

    pub(crate) fn unit(&mut self, slot: Slot, msg: Msg) {
        self.sent.push(Flight { from: slot, to: To::Unit(slot), msg });
    }
}

/// What `action` makes of `state`; none: the protocol does not allow it there.
pub fn step<E: Effects>(env: &Env<E>, state: &State, action: &Action) -> Option<Step> {
    let before = state;
    let mut state = state.clone();
    let mut out = Out::default();
    match *action {
        Action::Arbiter(timer) => arbiter::on_timer(env, &mut state.arbiter, timer, &mut out)?,
        Action::ArbiterRecovered(world) => {
            arbiter::on_recovered(env, &mut state.arbiter, world);
        }
        Action::ArbiterLost => arbiter::on_lost(env, &mut state.arbiter),
        Action::Deliver(Flight { from, to: To::Arbiter, msg }) => {
            arbiter::on_message(env, &mut state.arbiter, from, msg, &mut out);
        }
        Action::Deliver(Flight { from, to: To::Unit(slot), msg })
        | Action::Fails(Flight { from, to: To::Unit(slot), msg }) => {
            out.slot = slot;
            let unit = &mut state.units[usize::from(slot)];
            see_generation(unit, msg);
            on_message(env, unit, from, msg, &mut out)?;
            if matches!(action, Action::Fails(_)) {
                declare(unit)?;
            }
        }
        Action::Fails(_) => return None,
        Action::AtHand(flight)
        | Action::Rejects(flight, ..)
        | Action::Disagrees(flight, _)
        | Action::Unread(flight) => {
            let To::Unit(slot) = flight.to else {
                return None;
            };
            out.slot = slot;
            on_judged(env, &mut state.units[usize::from(slot)], flight.msg, action, &mut out)?;
        }
        Action::Boot(slot)
        | Action::Crash(slot)
        | Action::DiskLost(slot)
        | Action::Timer(slot, _)
        | Action::Command(slot, ..)
        | Action::LeaseLapsed(slot)
        | Action::Switchover(slot)
        | Action::Forced(slot)
        | Action::Saved(slot)
        | Action::Paired(slot)
        | Action::Incompatible(slot)
        | Action::DrainOver(slot)
        | Action::Stored(slot, ..)
        | Action::Leaves(slot)
        | Action::Again(slot, _)
        | Action::Retry(slot)
        | Action::Declares(slot) => {
            out.slot = slot;
            on_input(env, &mut state.units[usize::from(slot)], action, &mut out)?;
        }
    }
    for (unit, before) in state.units.iter_mut().zip(&before.units) {
        if unit != before {
            say_what_changed(unit, before, &mut out);
        }
    }
    Some(Step {
        state,
        sent: out.sent,
        answers: out.answers,
        executed: out.executed,
        refused: out.refused,
    })
}

/// A message of which the action says what it came to.
fn on_judged<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    msg: Msg,
    action: &Action,
    out: &mut Out,
) -> Option<()> {
    match *action {
        Action::AtHand(_) => standby::on_at_hand(env, unit, msg, out),
        Action::Unread(_) => standby::on_unread(env, unit, msg, out),
        Action::Rejects(_, rejection, keeps) => active::does(env, unit, out, |active, out| {
            active::on_rejected(active, msg, (rejection, keeps), out)
        }),
        _ => active::does(env, unit, out, |active, out| {
            active::on_disagreement(env, active, action, out)
        }),
    }
}

fn on_message<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    from: Slot,
    msg: Msg,
    out: &mut Out,
) -> Option<()> {
    if let (Msg::Ask { boot, asked }, true) = (msg, unit.part != Role::Down) {
        if boot == unit.boot && asked > unit.asked {
            unit.asked = asked;
            hello(unit, out);
        }
        return Some(());
    }
    match &mut unit.part {
        Role::Down => return None,
        Role::Standby(_) => standby::on_message(env, unit, from, msg, out),
        Role::Holder(_) => holder::on_message(env, unit, msg, out),
        Role::Active(_) => active::on_message(env, unit, msg, out),
    }
    Some(())
}

fn on_input<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    action: &Action,
    out: &mut Out,
) -> Option<()> {
    match *action {
        Action::Boot(_) => boot(env, unit, out),
        Action::Crash(_) => crash(unit),
        Action::DiskLost(_) => lose_disk(unit),
        Action::Timer(_, timer) => on_timer(env, unit, timer, out),
        Action::Saved(_) => {
            let Role::Active(active) = &unit.part else {
                return None;
            };
            let stamp = Stamp { term: active.term, lsn: active.last };
            unit.startup = (stamp, active.cfg);
            Some(())
        }
        Action::Stored(_, stamp, cfg) => {
            unit.startup = (stamp, cfg);
            (unit.part != Role::Down).then_some(())
        }
        Action::Incompatible(_) => match &unit.part {
            Role::Standby(_) => standby::on_incompatible(unit, out),
            Role::Active(_) => active::on_incompatible(unit, out),
            Role::Down | Role::Holder(_) => None,
        },
        Action::Paired(_) => match &unit.part {
            Role::Standby(_) => standby::on_paired(unit, out),
            Role::Down | Role::Holder(_) | Role::Active(_) => {
                active::does(env, unit, out, active::on_paired)
            }
        },
        Action::Declares(_) => declare(unit),
        Action::Command(_, id, durability) => queue::on_command(env, unit, id, durability, out),
        Action::DrainOver(_) => {
            active::does(env, unit, out, |active, _| active::on_drain_over(active))
        }
        Action::Switchover(_) => {
            active::does(env, unit, out, |active, _| active::on_switchover(active))
        }
        Action::Leaves(_) => {
            active::does(env, unit, out, |active, out| active::on_policy_leave(env, active, out))
        }
        Action::Again(_, keeps) => {
            active::does(env, unit, out, |active, out| active::on_again(env, active, keeps, out))
        }
        Action::Retry(_) => {
            active::does(env, unit, out, |active, out| active::on_retry(env, active, out))
        }
        Action::LeaseLapsed(_) => active::lapse(env, unit, out),
        Action::Forced(_) => active::on_forced(env, unit, out),
        Action::Deliver(_)
        | Action::Fails(_)
        | Action::AtHand(_)
        | Action::Rejects(..)
        | Action::Disagrees(..)
        | Action::Unread(_)
        | Action::Arbiter(_)
        | Action::ArbiterRecovered(_)
        | Action::ArbiterLost => None,
    }
}

/// The Standby's replica is not ready any more.
fn declare(unit: &mut Unit) -> Option<()> {
    let Role::Standby(standby) = &mut unit.part else {
        return None;
    };
    let ready = |replica: &&mut Replica| !replica.declared;
    standby.replica.as_mut().filter(ready)?.declared = true;
    Some(())
}

fn boot<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    if unit.part != Role::Down {
        return None;
    }
    unit.n = 0;
    unit.since = 1;
    hello(unit, out);
    standby::join(env, unit, None, out);
    Some(())
}

fn crash(unit: &mut Unit) -> Option<()> {
    if unit.part == Role::Down {
        return None;
    }
    unit.part = Role::Down;
    unit.boot += 1;
    (unit.k, unit.since, unit.generation, unit.asked) = (0, 0, 0, 0);
    Some(())
}

/// The disk of a unit that is down is replaced by an empty one; its boots count on.
fn lose_disk(unit: &mut Unit) -> Option<()> {
    if unit.part != Role::Down {
        return None;
    }
    (unit.highest, unit.resets) = (0, 0);
    unit.startup = Default::default();
    Some(())
}

/// What the arbiter tells a unit is of a generation.
fn see_generation(unit: &mut Unit, msg: Msg) {
    if let Msg::Offer { generation, .. }
    | Msg::Grant { generation, .. }
    | Msg::Confirm { generation, .. } = msg
        && unit.part != Role::Down
    {
        unit.generation = unit.generation.max(generation);
    }
}

/// Says Hello.
pub(crate) fn hello(unit: &mut Unit, out: &mut Out) {
    let hello = next_hello(unit);
    out.tell(Msg::Hello { boot: unit.boot, hello });
}

/// Refuses a term, with a Hello.
pub(crate) fn decline(unit: &mut Unit, term: Term, out: &mut Out) {
    let hello = next_hello(unit);
    out.tell(Msg::Decline { boot: unit.boot, term, hello });
}

fn next_hello(unit: &mut Unit) -> Hello {
    unit.k += 1;
    let Unit { k, highest, generation, asked, .. } = *unit;
    Hello { k, highest, generation, asked, said: says(unit) }
}

/// What a unit says of its configs.
pub(crate) fn says(unit: &Unit) -> Said {
    Said { startup: unit.startup.0, running: runs(unit), replica: replica(unit) }
}

/// What is said at once when it is another: all but the LSN of what runs, which Renew says, and
/// that of a replica that is kept in step.
fn at_once(unit: &Unit) -> Said {
    let mut said = says(unit);
    let in_step = matches!(&unit.part, Role::Standby(standby)
        if standby.replica.is_some_and(|replica| replica.session.is_some()
            && replica.session == standby.seat.as_ref().map(|(session, _)| *session)));
    let unsaid = [(&mut said.running, true), (&mut said.replica, in_step)];
    for (stamp, unsaid) in unsaid {
        if let Some(stamp) = stamp.as_mut().filter(|_| unsaid) {
            stamp.lsn = 0;
        }
    }
    said
}

/// A unit that says something else than before this step says Hello at once.
fn say_what_changed(unit: &mut Unit, before: &Unit, out: &mut Out) {
    if unit.boot == before.boot && at_once(unit) != at_once(before) {
        hello(unit, out);
        unit.since = unit.k;
    } else if unit.boot == before.boot && replica(unit) != replica(before) {
        // The next Hello says it.
        unit.since = unit.k + 1;
    }
}

/// The replica that a unit may take over with, by its stamp.
pub(crate) fn replica(unit: &Unit) -> Option<Stamp> {
    let Role::Standby(standby) = &unit.part else {
        return None;
    };
    let ready = standby.replica.filter(|replica| !replica.declared);
    ready.map(|replica| replica.stamp())
}

/// The running config of a former or present holder.
pub(crate) fn runs(unit: &Unit) -> Option<Stamp> {
    let (term, lsn) = match &unit.part {
        Role::Holder(holder) if holder.runs => (holder.term, holder.lsn),
        Role::Active(active) => (active.term, active.last),
        Role::Down | Role::Standby(_) | Role::Holder(_) => return None,
    };
    Some(Stamp { term, lsn })
}

fn on_timer<E: Effects>(env: &Env<E>, unit: &mut Unit, timer: Timer, out: &mut Out) -> Option<()> {
    if timer == Timer::Hello {
        (unit.part != Role::Down).then(|| hello(unit, out))
    } else {
        match &unit.part {
            Role::Down => None,
            Role::Standby(_) => standby::on_timer(env, unit, timer, out),
            Role::Holder(_) => holder::on_timer(env, unit, timer, out),
            Role::Active(_) => active::on_timer(env, unit, timer, out),
        }
    }
}

/// The register's value for a session.
pub(crate) const fn eligible(session: crate::state::Session, slot: Slot, lsn: u16) -> Eligible {
    Eligible { session, slot, lsn }
}
