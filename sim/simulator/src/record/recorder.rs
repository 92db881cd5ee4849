//! Writes a run down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skewsync::ids::{CommandId, Slot};
use skewsync::message::{Address, Message};
use skewsync::unit::{ArbiterInput, Copies, Input, Outcome};

use super::provenance::Ledger;
use super::watched::{Notes, Watched};
use super::{Answered, Carried, CommandRecord, Entry, EventKind, Lane, Mark, Recording, words};
use crate::catalog::Catalog;
use crate::history::{Fact, FactId, History, Observer, Role, What};
use crate::observe::{Delivered, Fate, Tap, Violation};
use crate::plan::fault::Befalls;
use crate::plan::{EntryName, Fault, FaultName, MessageId};

/// What a slot shows in which no unit runs.
const DOWN: &str = "DOWN";

/// Takes a run down: its entries, and how long each property was seen to hold.
#[derive(Clone, Default)]
pub struct Recorder {
    recording: Arc<Mutex<Recording>>,
    notes: Notes,
}

impl Recorder {
    /// Who writes a run down here. `below`: the config path whose lines are told wherever they
    /// change.
    pub fn observer(&self, catalog: &Arc<Catalog>, below: Option<String>) -> Box<dyn Observer> {
        Box::new(EntryWriter {
            recorder: self.clone(),
            entries: Vec::new(),
            told: BTreeMap::new(),
            asked: BTreeMap::new(),
            entered: BTreeMap::new(),
            step: 0,
            outgoing: VecDeque::new(),
            shows: BTreeMap::new(),
            register: None,
            ended: Vec::new(),
            below,
            state: BTreeMap::new(),
            ledger: Ledger::new(Arc::clone(catalog)),
        })
    }

    /// An oracle with somebody beside it who notes here when it looked.
    pub fn watch(&self, oracle: Box<dyn Observer>) -> Box<dyn Observer> {
        Box::new(Watched::of_facts(oracle, &self.notes))
    }

    /// The same of the lockstep.
    pub fn watch_tap(&self, oracle: Box<dyn Tap>) -> Box<dyn Tap> {
        Box::new(Watched::of_taps(oracle, &self.notes))
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        let recording = self.recording.lock();
        recording.unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries that were written.
    pub fn into_entries(self) -> Vec<Entry> {
        std::mem::take(&mut self.lock().entries)
    }

    /// What was written. `violated_at`: the number of the event that broke a property; `images`:
    /// those at the end.
    pub fn close(self, violated_at: Option<u64>, images: Vec<String>) -> Recording {
        let mut recording = std::mem::take(&mut *self.lock());
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        recording.held = notes.values().cloned().collect();
        recording.violated_at = violated_at;
        recording.images = images;
        recording
    }
}

/// See the module.
struct EntryWriter {
    recorder: Recorder,
    entries: Vec<Entry>,
    /// The entry that tells each fact that others may be because of.
    told: BTreeMap<FactId, usize>,
    asked: BTreeMap<CommandId, CommandRecord>,
    entered: BTreeMap<CommandId, usize>,
    /// The entry of the step at hand.
    step: usize,
    /// What the latest step sent, in order: session and LSN.
    outgoing: VecDeque<(Option<String>, Option<u64>)>,
    /// What each unit shows.
    shows: BTreeMap<Slot, &'static str>,
    /// What the arbiter's register holds, if the step at hand wrote it.
    register: Option<Mark>,
    /// Entries of what ended or was suspended since the latest fault: it was the fault that did it.
    ended: Vec<usize>,
    below: Option<String>,
    /// The lines below the path, at each unit.
    state: BTreeMap<Slot, Vec<String>>,
    ledger: Ledger,
}

impl EntryWriter {
    /// Writes an entry, which came of what the fact came of.
    fn entry(&mut self, fact: &Fact<'_>, spot: Lane, sort: EventKind, words: String) -> usize {
        let mut after: Vec<usize> = Vec::new();
        for cause in fact.because.into_iter().flatten() {
            let cause = self.told.get(&cause).copied();
            after.extend(cause.filter(|cause| !after.contains(cause)));
        }
        self.entries.push(Entry { after, ..Entry::new(fact.event, fact.at_us, spot, sort, words) });
        let index = self.entries.len() - 1;
        self.told.insert(fact.id, index);
        index
    }

    /// A step begins.
    fn begins(&mut self, fact: &Fact<'_>, spot: Lane, sort: EventKind, words: String) -> usize {
        self.step = self.entry(fact, spot, sort, words);
        self.outgoing.clear();
        self.step
    }

    /// Something came of the step, in words.
    fn says(&mut self, words: Option<String>) {
        let Some(words) = words else { return };
        let entry = &mut self.entries[self.step];
        let between = if entry.took.is_some() { ", " } else { ": " };
        entry.took.get_or_insert(entry.words.len());
        entry.words.push_str(between);
        entry.words.push_str(&words);
    }

    fn marks(&mut self, mark: Option<Mark>) {
        self.entries[self.step].marks.extend(mark);
    }

    fn delivered(&mut self, packet: Option<Delivered>, message: Option<&Message>) {
        let Some(packet) = packet else { return };
        let mut carried = carried(packet.message, packet.number);
        if let Some(message) = message {
            carried.session = message.session().map(|session| session.to_string());
            carried.lsn = words::lsn(message);
        }
        let entry = &mut self.entries[self.step];
        if packet.copy > 0 {
            entry.words.push_str(" (a copy)");
        }
        entry.message = Some(carried);
    }

    fn takes(&mut self, fact: &Fact<'_>, slot: Slot, input: &Input, packet: Option<Delivered>) {
        let step = self.begins(fact, Lane::from_slot(slot), EventKind::Step, words::input(input));
        self.entries[step].timer = matches!(input, Input::Timer(_));
        let message = match input {
            Input::Message { message, .. } => Some(message),
            _ => None,
        };
        self.delivered(packet, message);
        if let Input::Command(command) = input
            && let Some(asked) = self.asked.get_mut(&command.id)
        {
            asked.text = words::one_line(&command.text);
            if let Some(entered) = self.entered.get(&command.id) {
                let words = format!("enters command {} \"{}\"", command.id, asked.text);
                self.entries[*entered].words = words;
            }
        }
    }

    fn arbiter_takes(&mut self, fact: &Fact<'_>, input: &ArbiterInput, packet: Option<Delivered>) {
        let step = self.begins(fact, Lane::Arbiter, EventKind::Step, words::arbiter_input(input));
        self.entries[step].timer = matches!(input, ArbiterInput::Timer(_));
        let message = match input {
            ArbiterInput::Message { message, .. } => Some(Message::ToArbiter(*message)),
            ArbiterInput::Recovered { .. }
            | ArbiterInput::StateLost { .. }
            | ArbiterInput::Timer(_) => None,
        };
        self.delivered(packet, message.as_ref());
    }

    /// What a unit shows after a step, and the lines below the path.
    fn stands(&mut self, slot: Slot, history: &History) {
        let unit = history.unit(slot);
        let Some(machine) = unit.and_then(|unit| unit.machine.as_ref()) else {
            return;
        };
        let shows = match machine.shows_replica {
            Some(replica) => format!("{}, {replica}", machine.shows.name()),
            None => machine.shows.name().to_string(),
        };
        self.entries[self.step].shows = Some(shows);
        self.shows(self.step, slot, machine.shows.name());
        let Some(below) = &self.below else { return };
        let Some(lines) = lines_below(&machine.role, below) else {
            return;
        };
        let state = self.state.entry(slot).or_default();
        if *state != lines {
            state.clone_from(&lines);
            self.marks(Some(Mark::State { lines }));
        }
    }

    fn shows(&mut self, index: usize, slot: Slot, now: &'static str) {
        let before = self.shows.insert(slot, now).unwrap_or(DOWN);
        if before != now {
            let (from, to) = (before.to_string(), now.to_string());
            self.entries[index].marks.push(Mark::Shows { from, to });
        }
    }

    fn answers(&mut self, fact: &Fact<'_>, id: CommandId, outcome: &Outcome) {
        let words = words::outcome(outcome);
        let text = format!("command {id} is answered {words}");
        self.entry(fact, Lane::Terminal, EventKind::Answer, text);
        if let Some(asked) = self.asked.get_mut(&id) {
            if let Outcome::Done { term, lsn, .. } = outcome {
                asked.change = Some((term.0, lsn.0));
            }
            let replicated = matches!(outcome, Outcome::Done { place: Copies::Replicated, .. });
            asked.answer = Some(Answered { words, at_us: fact.at_us, replicated });
        }
    }

    fn sent(&mut self, fact: &Fact<'_>, id: MessageId, number: u64, fault: Option<FaultName>) {
        let mut message = carried(id, number);
        message.fault = fault;
        let outgoing = self.outgoing.pop_front();
        let known = outgoing.is_some();
        (message.session, message.lsn) = outgoing.unwrap_or_default();
        let mut text = format!("{} to {}", message.label(), message.to);
        if let Some(fault) = &message.fault {
            text.push_str(&format!(": {fault}"));
        }
        let index = self.entry(fact, message.from, EventKind::Sent, text);
        let entry = &mut self.entries[index];
        if !known {
            entry.after.clear();
        }
        entry.message = Some(message);
    }

    fn fault(&mut self, fact: &Fact<'_>, kind: FaultName, effect: bool, of: Option<&Fault>) {
        if of.is_none() && kind.befalls() == Befalls::Message {
            // The entry of the message says it.
            return;
        }
        let text = match of {
            Some(fault) => format!("fault {} ({})", told(fault), fault.at),
            None => format!("fault {kind} takes effect"),
        };
        let spot = of.and_then(Fault::slot).map_or(Lane::World, |slot| Lane::from_slot(Slot(slot)));
        let index = self.entry(fact, spot, EventKind::Fault, text);
        self.entries[index].lasts_us = of.and_then(lasts_us);
        for ended in std::mem::take(&mut self.ended) {
            if effect {
                self.entries[ended].after.push(index);
            }
        }
    }

    fn enters(&mut self, fact: &Fact<'_>, id: CommandId, what: EntryName, to: Option<Slot>) {
        let to = to
            .map_or_else(|| "no unit runs".into(), |slot| format!("to {}", Lane::from_slot(slot)));
        let text = format!("enters command {id}: {what}, {to}");
        let index = self.entry(fact, Lane::Terminal, EventKind::Entered, text);
        self.entered.insert(id, index);
        let asked = CommandRecord {
            id: id.0,
            text: what.to_string(),
            entered_us: fact.at_us,
            change: None,
            answer: None,
        };
        self.asked.insert(id, asked);
    }

    /// A fact of a step of a unit, or of its start.
    fn see_unit(&mut self, fact: &Fact<'_>, slot: Slot, history: &History) {
        match fact.what {
            What::Started { boot } => {
                let image = history.unit(slot).map_or("?", |unit| &*unit.image.name);
                let text = format!("starts, boot {}, with {image}", boot.boot);
                self.begins(fact, Lane::from_slot(slot), EventKind::Start, text);
                self.stands(slot, history);
            }
            What::Took { input, packet } => self.takes(fact, slot, input, packet),
            What::Sends { message, fate, .. } => {
                self.says(words::effect(&fact.what));
                if fate == Fate::Done {
                    let session = message.session().map(|session| session.to_string());
                    self.outgoing.push_back((session, words::lsn(message)));
                }
            }
            What::Says { event, .. } => {
                self.says(words::effect(&fact.what));
                self.marks(words::mark(event));
            }
            What::WriteBegan { .. } => {
                self.says(words::effect(&fact.what));
                self.told.insert(fact.id, self.step);
            }
            What::Wants { .. } => self.says(words::effect(&fact.what)),
            What::Answered { command, outcome, fate: Fate::Done } => {
                self.answers(fact, command, outcome);
            }
            What::Stepped => self.stands(slot, history),
            What::Ended { boot: Some(boot), lost } => {
                let mut text = format!("ends, boot {boot}");
                if lost > 0 {
                    text.push_str(&format!(", {lost} writes lost"));
                }
                let index = self.entry(fact, Lane::from_slot(slot), EventKind::End, text);
                self.shows(index, slot, DOWN);
                self.ended.push(index);
            }
            What::WriteEnded { write, durable } => {
                let how = if durable { "is durable" } else { "failed" };
                let text = format!("write {write} {how}");
                self.entry(fact, Lane::from_slot(slot), EventKind::Written, text);
            }
            What::Suspended { suspended } => {
                let text = if suspended { "is suspended" } else { "runs on" };
                let index = self.entry(fact, Lane::from_slot(slot), EventKind::Pause, text.into());
                if suspended {
                    self.ended.push(index);
                }
            }
            _ => {}
        }
    }

    /// A fact of the arbiter, of the network, of the terminals, or of the plan.
    fn see_else(&mut self, fact: &Fact<'_>) {
        match fact.what {
            What::ArbiterTook { input, packet } => self.arbiter_takes(fact, input, packet),
            What::ArbiterSends { message, .. } => {
                self.says(words::effect(&fact.what));
                self.outgoing.push_back((None, words::lsn(&Message::ToUnit(*message))));
            }
            What::ArbiterSays { event } => self.marks(Some(words::arbiter_mark(event))),
            What::RegisterWritten { now, .. } => {
                self.register = Some(Mark::Register { now: words::register(now.as_ref()) });
            }
            What::ArbiterStepped => {
                let register = self.register.take();
                self.marks(register);
            }
            What::Ended { boot: None, .. } => {
                let index = self.entry(fact, Lane::Arbiter, EventKind::End, "ends".into());
                self.ended.push(index);
            }
            What::Undelivered { message, number } => {
                let text = format!("{message} arrives at nobody, or does not decode");
                let index = self.entry(fact, Lane::World, EventKind::Undelivered, text);
                self.entries[index].message = Some(carried(message, number));
            }
            What::Entered { command, what, to } => self.enters(fact, command, what, to),
            What::Fault { kind, effect, of } => self.fault(fact, kind, effect, of),
            What::FaultsStopped => {
                let text = "faults and commands stop: the liveness phase begins".into();
                self.entry(fact, Lane::World, EventKind::FaultsStopped, text);
            }
            _ => {}
        }
    }
}

impl Observer for EntryWriter {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        self.ledger.see(fact, history);
        match (fact.what, fact.slot()) {
            (What::Sent { message, number, fault }, _) => self.sent(fact, message, number, fault),
            (_, Some(slot)) => self.see_unit(fact, slot, history),
            (_, None) => self.see_else(fact),
        }
        // What a fault did follows at once: anything else was no fault's doing.
        let of_fault = matches!(
            fact.what,
            What::Ended { .. } | What::Suspended { suspended: true } | What::LeaseIs { .. }
        );
        if !of_fault {
            self.ended.clear();
        }
        Ok(())
    }

    fn end(&mut self, history: &History) -> Result<(), Violation> {
        for ((term, lsn), id) in self.ledger.changes() {
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.change.get_or_insert((term.0, lsn.0));
            }
        }
        let contrast = self.ledger.contrast(history);
        let mut recording = self.recorder.lock();
        recording.contrast = contrast;
        Ok(())
    }
}

/// What was seen is written wherever the run ends, in a panic too.
impl Drop for EntryWriter {
    fn drop(&mut self) {
        let mut recording = self.recorder.lock();
        recording.entries = std::mem::take(&mut self.entries);
        recording.asked = std::mem::take(&mut self.asked).into_values().collect();
    }
}

fn carried(id: MessageId, number: u64) -> Carried {
    let (from, to): (Address, Address) = (id.from, id.to);
    Carried {
        number,
        sight: id,
        from: Lane::from(from),
        to: Lane::from(to),
        kind: id.kind,
        session: None,
        lsn: None,
        fault: None,
    }
}

/// The lines of a unit's config that stand below a path, as the terminal would print them; none of
/// a unit whose config is not told: one without a role that holds nothing of an Active, or one that
/// waits for its lease.
fn lines_below(role: &Role, below: &str) -> Option<Vec<String>> {
    let config = match role {
        Role::Active(acting) => &acting.config,
        Role::Standby(waiting) => waiting.replica.as_ref()?.config(),
        Role::Holder(_) => return None,
    };
    let lines = config.lines();
    let texts = lines.map(|(key, line)| key.place.path() + line.words.text());
    Some(texts.filter(|text| text.starts_with(below)).collect())
}

/// A fault's kind with its numbers, as a plan writes it.
pub fn told(fault: &Fault) -> String {
    let table = toml::Table::try_from(fault).unwrap_or_default();
    let each = |(name, value): (&String, &toml::Value)| match name.as_str() {
        "at" | "kind" => None,
        _ => Some(format!(" {name} {value}")),
    };
    let numbers: String = table.iter().filter_map(each).collect();
    format!("{}{numbers}", fault.name())
}

/// How long a fault lasts by its plan, in microseconds.
fn lasts_us(fault: &Fault) -> Option<u64> {
    let table = toml::Table::try_from(fault).ok()?;
    let long = ["for_ms", "down_ms", "beyond_ms", "later_ms"]
        .iter()
        .find_map(|name| table.get(*name)?.as_integer())?;
    u64::try_from(long).ok().map(|ms| ms * 1_000)
}
