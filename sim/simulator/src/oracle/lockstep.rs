//! The lockstep: every step of every machine is a step that the model can make, or a named stutter.
//!
//! After each step of the engine its state, as the model sees it (`abstraction`), must equal the
//! model's successor under the same action, and so must what was sent and what operators were told.
//! Where the model leaves something free (what policy decides, what a driver computed, how a
//! command executed) the engine's choice is taken, if it is one that the model has. Configs are
//! compared by the history that made them (`ledger`). Sends are compared whatever became of them:
//! the network is free to lose.
#![expect(clippy::disallowed_types, reason = "it reads the engine by the abstraction")]

mod arbiter;
mod config_ids;
mod effects;
mod interpretations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use skewsync::digest::ImageDigest;

use skewsync::ids::{CommandId, Slot, WriteId};
use skewsync::message::{Address, LeaveWhy, Message, Stamp};
use skewsync::translate::listing::ListingChange;
use skewsync::unit::standby::StandbyPhase as SeatPhase;
use skewsync::unit::{Boot, Event as Told, Input, Limits, Output, Record, Role, Unit};
use skewsync_model::action::{Action, Timer};
use skewsync_model::property::Property;
use skewsync_model::state::{self as model, Cfg, Flight, Msg, State, To};
use skewsync_model::step::{Env, step};

use super::broken;
use crate::abstraction::{self, Boots, CHANGED, Difference};
use crate::observe::{ClusterView, Departure, Event, Evidence, Observed, StepOf, Tap, Violation};
use crate::plan::FaultKind;
use config_ids::{Ledger, ending};
use effects::{VisibleEffects, agree_on_shown, came_to};
use interpretations::Interpretations;
pub use interpretations::Stutter;

/// See the module.
pub struct Lockstep {
    state: State,
    boots: Boots,
    ledger: Ledger,
    /// The configs in snapshots that were sent.
    snapshots: BTreeMap<(model::Session, model::Lsn), Cfg>,
    /// Stores that are being written.
    writes: BTreeMap<(Slot, WriteId), (model::Stamp, Cfg)>,
    /// Stores that a unit was writing when it ended.
    torn: [Vec<(model::Stamp, Cfg)>; 2],
    /// Units whose store rotted while they were down: they boot an older one, or none.
    rotten: [bool; 2],
    /// Commands that wait in a unit's queue. The model knows what each comes to when it is
    /// executed.
    queues: [Vec<CommandId>; 2],
    commands: BTreeSet<CommandId>,
    /// The image that each slot ran last.
    images: [Option<ImageDigest>; 2],
    /// The Proceed at hand is of a unit with the same image.
    same_image: bool,
    /// The term of each unit's last session, and the image of its Standby.
    served: [Option<(model::Term, ImageDigest)>; 2],
    /// What each Standby said last that it does not execute.
    held: [BTreeSet<String>; 2],
    /// Whether a unit refuses what would be put back in its config.
    refused_back: [bool; 2],
    /// The highest term that is on each disk for certain.
    durable: [model::Term; 2],
    /// Earlier states of the arbiter, if they may come back.
    arbiters: Vec<model::Arbiter>,
    /// Writes of the highest term that are under way.
    highest: BTreeMap<(Slot, WriteId), model::Term>,
    steps: u64,
    stutters: BTreeMap<Stutter, u64>,
    still: u64,
}

impl Default for Lockstep {
    fn default() -> Self {
        Self {
            state: State::cold(),
            boots: Boots::default(),
            ledger: Ledger::default(),
            snapshots: BTreeMap::new(),
            writes: BTreeMap::new(),
            torn: [Vec::new(), Vec::new()],
            rotten: [false; 2],
            queues: [Vec::new(), Vec::new()],
            commands: BTreeSet::new(),
            images: [None; 2],
            same_image: false,
            served: [None; 2],
            held: [BTreeSet::new(), BTreeSet::new()],
            refused_back: [false; 2],
            durable: [0; 2],
            arbiters: Vec::new(),
            highest: BTreeMap::new(),
            steps: 0,
            stutters: BTreeMap::new(),
            still: 0,
        }
    }
}

impl Lockstep {
    fn env<'a>(ledger: &'a Ledger, same_image: bool, scene: &dyn ClusterView) -> Env<&'a Ledger> {
        let Limits {
            hot_window,
            line_window,
            max_prompts,
            max_queue,
            max_attempts,
            max_accepted,
            arbiter_may_go_back,
            ..
        } = *scene.limits();
        Env {
            effects: ledger,
            chunks: 1,
            same_image,
            hot_window: hot_window as u16,
            line_window: line_window as u16,
            max_prompts: max_prompts as u16,
            max_queue: max_queue as u16,
            max_attempts: Some(max_attempts as u16),
            max_line: max_accepted as u16,
            generations: true,
            goes_back: arbiter_may_go_back,
            without: None,
        }
    }

    /// A unit starts: what its disk held is free within what it may have kept.
    fn on_start(
        &mut self,
        slot: Slot,
        boot: &Boot,
        unit: &Unit,
        outputs: &[Output],
        scene: &dyn ClusterView,
    ) -> Result<(), Difference> {
        let at = usize::from(slot.0);
        let known = &mut self.state.units[at];
        let image = scene.image(slot).0;
        // The same text comes to another config on another image.
        let anew = self.images[at].replace(image) != Some(image);
        known.boot = self.boots.begin(boot.boot, known.boot);
        let highest = abstraction::term(boot.highest)?;
        if highest > known.highest {
            return Err(apart("highest at start", &boot.highest, &known.highest));
        }
        // A disk that is lost knows nothing; else what was written in time is there.
        if boot.lost_disk {
            self.durable[at] = 0;
        }
        if highest < self.durable[at] {
            return Err(apart("highest at start", &boot.highest, &self.durable[at]));
        }
        let seen =
            boot.store.as_ref().map_or(Ok(0), |store| abstraction::term(store.stamp.term))?;
        known.highest = highest.max(seen);
        self.highest.retain(|(of, _), _| *of != slot);
        let of = boot.store.as_ref().map_or(Stamp::default(), |store| store.stamp);
        let stamp = abstraction::stamp(of)?;
        let torn = std::mem::take(&mut self.torn[at]);
        let rotten = std::mem::take(&mut self.rotten[at]);
        let is_older = stamp <= known.startup.0 || torn.iter().any(|(of, _)| *of == stamp);
        if rotten && !is_older {
            return Err(apart("store at start", &stamp, &known.startup.0));
        }
        if anew || boot.lost_disk || rotten {
            known.startup = (stamp, self.ledger.fresh());
        } else if known.startup.0 != stamp {
            let kept = torn.into_iter().rfind(|(of, _)| *of == stamp);
            known.startup =
                kept.ok_or_else(|| apart("store at start", &stamp, &known.startup.0))?;
        }
        let shown = self.shown(slot, outputs)?;
        let boots = vec![vec![Action::Boot(slot.0)]];
        self.follow(slot, unit, &shown, (Vec::new(), boots), scene).map(|_| ())
    }

    fn on_end(&mut self, slot: Slot, scene: &dyn ClusterView) {
        let at = usize::from(slot.0);
        let env = Self::env(&self.ledger, false, scene);
        if let Some(made) = step(&env, &self.state, &Action::Crash(slot.0)) {
            self.state = made.state;
        }
        self.queues[at].clear();
        let writes = std::mem::take(&mut self.writes);
        for ((of, write), store) in writes {
            if of == slot {
                self.torn[at].push(store);
            } else {
                self.writes.insert((of, write), store);
            }
        }
    }

    fn on_unit(
        &mut self,
        slot: Slot,
        input: &Input,
        outputs: &[Output],
        unit: &Unit,
        scene: &dyn ClusterView,
    ) -> Result<(), Difference> {
        let at = usize::from(slot.0);
        if let Input::Command(command) = input {
            self.commands.insert(command.id);
        }
        self.same_image = matches!(input,
            Input::Message { message: Message::Proceed { image, .. }, .. }
                if *image == scene.image(slot).0);
        let shown = self.shown(slot, outputs)?;
        let before = &self.state.units[at].part;
        let mut readings = match input {
            Input::Message { from, message } => self.read_message(slot, *from, message, unit)?,
            Input::Command(command) => interpretations::command(slot, command, outputs, unit),
            Input::Persisted(write) if self.highest.contains_key(&(slot, *write)) => {
                if let Some(term) = self.highest.remove(&(slot, *write)) {
                    let durable = &mut self.durable[usize::from(slot.0)];
                    *durable = term.max(*durable);
                }
                self.term_written(slot, unit)?
            }
            Input::PersistFailed(write) if self.highest.remove(&(slot, *write)).is_some() => {
                self.term_written(slot, unit)?
            }
            Input::Persisted(write) => match self.writes.remove(&(slot, *write)) {
                Some((stamp, cfg)) => Interpretations {
                    actions: vec![vec![Action::Stored(slot.0, stamp, cfg)]],
                    stutter: None,
                },
                None => interpretations::input(input, slot.0, before, unit),
            },
            Input::PersistFailed(write) => {
                self.writes.remove(&(slot, *write));
                interpretations::input(input, slot.0, before, unit)
            }
            other => interpretations::input(other, slot.0, before, unit),
        };
        if let Some(term) = acts(outputs)
            && self.highest.keys().any(|(of, _)| *of == slot)
        {
            return Err(apart("term", &format!("it acts in {term}"), &"it is written first"));
        }
        self.extend(slot, outputs, &mut readings);
        let before = self.foreseen(slot, outputs, unit);
        let odd = self.is_odd(slot, outputs) || self.refuses_back(slot, unit);
        self.ledger.odd.set(odd);
        self.ledger.lacks.replace(lacks(&shown));
        self.ledger.unread.set(says_unread(outputs));
        if let Some(stutter) = readings.stutter
            && self.is_still(slot, unit, &shown)
        {
            *self.stutters.entry(stutter).or_insert(0) += 1;
            self.still += 1;
        } else {
            let moved = self.follow(slot, unit, &shown, (before, readings.actions), scene)?;
            self.still += u64::from(!moved);
        }
        let entered = match input {
            Input::Command(command) => Some(command.id),
            _ => None,
        };
        self.queue(slot, entered, unit)?;
        self.after(slot, outputs, unit, scene)
    }

    /// A term is on the disk, or the disk has refused it: a Grant that came meanwhile counts.
    fn term_written(&self, slot: Slot, unit: &Unit) -> Result<Interpretations, Difference> {
        let known = &self.state.units[usize::from(slot.0)];
        let (model::Role::Holder(holder), Role::Active(active)) = (&known.part, &unit.part) else {
            return Ok(Interpretations { actions: Vec::new(), stutter: Some(Stutter::Written) });
        };
        let msg = Msg::Grant {
            boot: known.boot,
            term: holder.term,
            n: abstraction::small("Renew", active.renewals().1)?,
            generation: known.generation,
        };
        let (from, to) = (slot.0, To::Unit(slot.0));
        Ok(Interpretations {
            actions: vec![vec![Action::Deliver(Flight { from, to, msg })]],
            stutter: None,
        })
    }

    /// The configs that the step left are what they were at their first sight, and what it began is
    /// noted.
    fn after(
        &mut self,
        slot: Slot,
        outputs: &[Output],
        unit: &Unit,
        scene: &dyn ClusterView,
    ) -> Result<(), Difference> {
        let at = usize::from(slot.0);
        let image = scene.image(slot).0;
        let mut sights = [None; 2];
        match (&unit.part, &mut self.state.units[at].part) {
            (Role::Active(active), model::Role::Active(of)) => {
                sights[0] = Some((of.cfg, active.config().digest()));
                if let Some(current) = active.peer().current() {
                    self.served[at] = Some((of.term, current.image()));
                }
                if let Some(model::ActiveSession {
                    session,
                    phase: model::Phase::Bulk(snapshot),
                    ..
                }) = &of.current
                {
                    self.snapshots.insert((*session, snapshot.lsn), snapshot.cfg);
                }
            }
            (Role::Holder(holder), model::Role::Holder(of)) => {
                sights[0] = Some((of.cfg, holder.config.digest()));
            }
            (Role::Standby(standby), model::Role::Standby(of)) => {
                let received = standby.replica.as_ref();
                let received = received.map(|of| of.receiver.raising().config().digest());
                let former = standby.former.as_ref().map(|of| of.config.digest());
                if let (Some(digest), Some(of)) = (received.or(former), &of.replica) {
                    sights[0] = Some((of.cfg, digest));
                }
                if self.ledger.odd.get()
                    && let Some((_, model::StandbyPhase::Shadow(shadow, _))) = &mut of.seat
                {
                    shadow.cfg = self.ledger.strange();
                }
            }
            _ => {}
        }
        for (cfg, digest) in sights.into_iter().flatten() {
            if let Err(engine) = self.ledger.sight(cfg, image, digest) {
                return Err(Difference {
                    field: "config",
                    engine,
                    model: "a config is the history that made it".into(),
                });
            }
        }
        for output in outputs {
            if let Output::Persist { write, record: Record::Highest(term) } = output {
                let term = abstraction::term(*term)?;
                self.highest.insert((slot, *write), term);
            }
            if let Output::Persist { write, record: Record::Store(store) } = output {
                let cfg = match &self.state.units[at].part {
                    model::Role::Active(active) => active.cfg,
                    // A Standby executes what it is to save beside what it runs.
                    _ => self.ledger.fresh(),
                };
                let stamp = abstraction::stamp(store.stamp)?;
                self.writes.insert((slot, *write), (stamp, cfg));
            }
        }
        Ok(())
    }

    /// The commands that wait are those that the model has there, in their order. `entered`: the
    /// command that came in this step.
    fn queue(
        &mut self,
        slot: Slot,
        entered: Option<CommandId>,
        unit: &Unit,
    ) -> Result<(), Difference> {
        let at = usize::from(slot.0);
        let waits = queue_of(&self.state.units[at].part).map_or(0, Vec::len);
        let queue = &mut self.queues[at];
        match waits.checked_sub(queue.len()) {
            Some(0) => {}
            // A queue that is longer has the command at its end.
            Some(_) => queue.extend(entered),
            // Commands leave it at its head.
            None => drop(queue.drain(..queue.len() - waits)),
        }
        let engine: Vec<CommandId> = match &unit.part {
            Role::Holder(holder) => holder.queue.iter().map(|command| command.id).collect(),
            Role::Active(active) => active.queue().iter().map(|command| command.id).collect(),
            Role::Standby(_) => Vec::new(),
        };
        if engine == *queue {
            return Ok(());
        }
        Err(apart("queue", &engine, queue))
    }

    /// The state before the step, with what the commands that wait came to in it, as the engine
    /// says; in each way in which one of them may have ended the session. Without such commands
    /// none.
    fn foreseen(&self, slot: Slot, outputs: &[Output], unit: &Unit) -> Vec<State> {
        let at = usize::from(slot.0);
        let ids: Vec<u16> = self.queues[at].iter().map(|id| came_to(*id, outputs, unit)).collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let with = |leaves: Option<usize>| {
            let mut state = self.state.clone();
            let queue = queue_of_mut(&mut state.units[at].part).into_iter().flatten();
            for (number, (queued, id)) in queue.zip(&ids).enumerate() {
                let ends = ended(outputs).filter(|_| leaves == Some(number));
                queued.id = ends.map_or(*id, ending);
            }
            state
        };
        let changes = (0..ids.len()).filter(|number| ids[*number] == CHANGED);
        let leaves = changes.filter(|_| ended(outputs).is_some()).map(Some);
        core::iter::once(None).chain(leaves).map(with).collect()
    }

    fn read_message(
        &self,
        slot: Slot,
        from: Address,
        message: &Message,
        unit: &Unit,
    ) -> Result<Interpretations, Difference> {
        let before = &self.state.units[usize::from(slot.0)].part;
        let from = match from {
            Address::Unit(from) => from.0,
            Address::Arbiter => slot.0,
        };
        let to = To::Unit(slot.0);
        if let Message::Keepalive { session, lsn, digest, .. } = message {
            let says = lsn.0 > 0 || *digest != skewsync::digest::Digest::default();
            if says {
                let (session, lsn) = (self.boots.session(*session)?, abstraction::lsn(*lsn)?);
                return Ok(interpretations::keepalive((from, slot.0), (session, lsn), before));
            }
        }
        let mut msg = self.message(message)?;
        if let (Some(Msg::Join { other, .. }), Message::Join(call), model::Role::Active(active)) =
            (&mut msg, message, before)
        {
            let served = self.served[usize::from(slot.0)];
            *other = served.is_some_and(|of| of.0 == active.term && of.1 != call.image);
        }
        self.note_line(message, unit)?;
        let flight = msg.map(|msg| Flight { from, to, msg });
        Ok(interpretations::message(message, flight, before, unit))
    }

    /// Whether the Line that comes decodes is told from its bytes.
    fn note_line(&self, message: &Message, unit: &Unit) -> Result<(), Difference> {
        let (Message::Line { session, lsn, difference, listing, .. }, Role::Standby(standby)) =
            (message, &unit.part)
        else {
            return Ok(());
        };
        if standby.seat.as_ref().is_none_or(|seat| seat.session != *session) {
            return Ok(());
        }
        let reads =
            std::str::from_utf8(difference).is_ok() && ListingChange::decode(listing).is_ok();
        let change = (abstraction::term(session.term)?, abstraction::lsn(*lsn)?);
        let mut foreign = self.ledger.foreign.borrow_mut();
        if reads {
            foreign.remove(&change);
        } else {
            foreign.insert(change);
        }
        Ok(())
    }

    /// Whether a Standby refuses what would be put back in its config, and did not before; or takes
    /// it again, be it in a later session or boot.
    fn refuses_back(&mut self, slot: Slot, unit: &Unit) -> bool {
        let Role::Standby(standby) = &unit.part else {
            return false;
        };
        let shadow = standby.seat.as_ref().and_then(|seat| match &seat.phase {
            SeatPhase::Shadow(shadow) => Some(&shadow.receiver),
            _ => None,
        });
        let replica = || standby.replica.as_ref().map(|replica| &replica.receiver);
        let Some(receiver) = shadow.or_else(replica) else {
            return false;
        };
        let refuses = receiver.raising().refuses_back();
        let before = &mut self.refused_back[usize::from(slot.0)];
        std::mem::replace(before, refuses) != refuses
    }

    /// Whether a Standby refused part of what it was sent, beyond what it said before.
    fn is_odd(&mut self, slot: Slot, outputs: &[Output]) -> bool {
        let held = &mut self.held[usize::from(slot.0)];
        let mut odd = false;
        for output in outputs {
            let Output::Send {
                message: Message::Applied { missing, .. } | Message::BulkDone { missing, .. },
                ..
            } = output
            else {
                continue;
            };
            let said: BTreeSet<String> =
                missing.mismatches.iter().map(|each| each.line.to_string()).collect();
            odd |= missing.further > 0 || !said.is_subset(held);
            *held = said;
        }
        odd
    }

    fn message(&self, message: &Message) -> Result<Option<Msg>, Difference> {
        let snapshot = |session, lsn| self.snapshots.get(&(session, lsn)).copied();
        Ok(self.boots.message(message, &snapshot)?)
    }

    /// What may follow within the same step: the session is left.
    fn extend(&self, slot: Slot, outputs: &[Output], readings: &mut Interpretations) {
        let at = usize::from(slot.0);
        let was_active = matches!(self.state.units[at].part, model::Role::Active(_));
        if was_active && let Some(why) = ended(outputs) {
            let give_up = match abstraction::keeps_at_leave(why) {
                model::Keeps::Replica => Action::Timer(slot.0, Timer::GiveUp),
                model::Keeps::Nothing => Action::Leaves(slot.0),
            };
            let left = readings
                .actions
                .iter()
                .filter(|actions| !actions.contains(&give_up))
                .map(|actions| [&actions[..], &[give_up]].concat());
            let left: Vec<_> = left.collect();
            readings.actions.extend(left);
        }
    }

    /// Whether the step is a stutter: nothing that the model knows has changed or was shown.
    fn is_still(&self, slot: Slot, unit: &Unit, shown: &VisibleEffects) -> bool {
        let known = &self.state.units[usize::from(slot.0)];
        *shown == VisibleEffects::default() && abstraction::unit(unit, known, &self.boots).is_ok()
    }

    /// Finds the reading under which the model comes to where the engine is, from the state or from
    /// another form of it. Whether anything moved.
    fn follow(
        &mut self,
        slot: Slot,
        unit: &Unit,
        shown: &VisibleEffects,
        (forms, readings): (Vec<State>, Vec<Vec<Action>>),
        scene: &dyn ClusterView,
    ) -> Result<bool, Difference> {
        let at = usize::from(slot.0);
        let env = Self::env(&self.ledger, self.same_image, scene);
        let mut first = None;
        let forms: Vec<&State> =
            if forms.is_empty() { vec![&self.state] } else { forms.iter().collect() };
        let each = |form| readings.iter().map(move |actions| (form, actions));
        for (before, actions) in forms.into_iter().flat_map(each) {
            let mut state = None;
            let mut made = VisibleEffects::default();
            let mut refused = None;
            for action in actions {
                let Some(next) = step(&env, state.as_ref().unwrap_or(before), action) else {
                    refused = Some(*action);
                    break;
                };
                made.sent.extend(next.sent);
                made.answers.extend(next.answers);
                state = Some(next.state);
            }
            let Some(state) = state.filter(|_| refused.is_none()) else {
                first.get_or_insert_with(|| apart("action", &"a step", &refused));
                continue;
            };
            made.bare();
            let agrees = abstraction::unit(unit, &state.units[at], &self.boots)
                .and_then(|()| agree_on_shown(shown, &made, unit));
            match agrees {
                Ok(()) => {
                    let moved =
                        *shown != VisibleEffects::default() || state.units[at] != before.units[at];
                    self.state = state;
                    return Ok(moved);
                }
                // The longest reading comes last: it says most of what went another way.
                Err(difference) => first = Some(difference),
            }
        }
        Err(first.unwrap_or_else(|| Difference {
            field: "step",
            engine: format!("{shown:?}, or a changed state"),
            model: "a stutter".into(),
        }))
    }
}

fn apart(
    field: &'static str,
    engine: &dyn std::fmt::Debug,
    model: &dyn std::fmt::Debug,
) -> Difference {
    Difference { field, engine: format!("{engine:?}"), model: format!("{model:?}") }
}

/// The commands that wait at a unit of the model.
const fn queue_of(part: &model::Role) -> Option<&Vec<model::Queued>> {
    match part {
        model::Role::Active(active) => Some(&active.queue),
        model::Role::Holder(holder) => Some(&holder.queue),
        model::Role::Down | model::Role::Standby(_) => None,
    }
}

const fn queue_of_mut(part: &mut model::Role) -> Option<&mut Vec<model::Queued>> {
    match part {
        model::Role::Active(active) => Some(&mut active.queue),
        model::Role::Holder(holder) => Some(&mut holder.queue),
        model::Role::Down | model::Role::Standby(_) => None,
    }
}

/// Why a session has ended in the step, if one has.
fn ended(outputs: &[Output]) -> Option<LeaveWhy> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Told::SessionEnded { why, .. }) => Some(*why),
        _ => None,
    })
}

/// The term in which the unit begins to act, if it does.
fn acts(outputs: &[Output]) -> Option<skewsync::ids::Term> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Told::Acts { stamp, .. }) => Some(stamp.term),
        _ => None,
    })
}

/// What a step says that a Standby lacks, up to which change.
fn lacks(shown: &VisibleEffects) -> BTreeMap<model::Lsn, model::Missing> {
    let said = shown.sent.iter().filter_map(|flight| match flight.msg {
        Msg::Applied { lsn, missing, .. } | Msg::BulkDone { lsn, missing, .. } => {
            Some((lsn, missing))
        }
        _ => None,
    });
    said.collect()
}

/// Whether a Standby says that a snapshot, or a Line, does not decode.
fn says_unread(outputs: &[Output]) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Send { message: Message::Unreadable { .. }, .. }))
}

impl Lockstep {
    fn holds(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        let (agrees, step) = match seen.event {
            Event::Started { slot, boot, outputs, unit, .. } => {
                self.steps += 1;
                let agrees = self.on_start(slot, boot, unit, outputs, scene);
                (agrees, StepOf::Start { slot })
            }
            Event::Unit { slot, input, outputs, unit, .. } => {
                self.steps += 1;
                match self.on_unit(slot, input, outputs, unit, scene) {
                    Ok(()) => return Ok(()),
                    agrees => (agrees, step_of(slot, input)),
                }
            }
            Event::Arbiter { input, outputs, arbiter, .. } => {
                self.steps += 1;
                match self.on_arbiter(input, outputs, arbiter, scene) {
                    Ok(()) => return Ok(()),
                    agrees => (agrees, StepOf::Arbiter { input: format!("{input:?}") }),
                }
            }
            Event::Ended { slot, .. } => {
                self.on_end(slot, scene);
                return Ok(());
            }
            Event::Fault { effect: true, of: Some(fault), .. } => {
                if let FaultKind::BitRot { slot, .. } = fault.kind {
                    self.rotten[usize::from(slot)] = true;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        match agrees {
            Ok(()) => Ok(()),
            Err(difference) => {
                let departure = Departure { step, difference };
                broken(Property::Lockstep, Evidence::LeftModel(departure))
            }
        }
    }
}

impl Tap for Lockstep {
    fn see(
        &mut self,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
        broken: &mut dyn FnMut(Violation),
    ) {
        if let Err(violation) = self.holds(seen, scene) {
            broken(violation);
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Lockstep, self.steps)]
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        vec![("lockstep: steps", self.steps), ("lockstep: stutters", self.still)]
    }
}

fn step_of(slot: Slot, input: &Input) -> StepOf {
    match input {
        Input::Message { message, .. } => StepOf::Message { slot, kind: message.kind() },
        Input::Command(command) => StepOf::Command { slot, command: command.id },
        other => StepOf::Unit { slot, input: format!("{other:?}") },
    }
}
