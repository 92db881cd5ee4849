//! Writes a run down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skewsync::ids::{BootId, CommandId, Lsn, Slot, Term, WriteId};
use skewsync::message::{Address, Eligible, Message};
use skewsync::unit::{Arbiter, ArbiterInput, ArbiterOutput, Input, Outcome, Output, Role, Unit};

use super::provenance::Ledger;
use super::watched::{Notes, Watched};
use super::{Carried, CommandRecord, Entry, EventKind, Lane, Mark, Recording, words};
use crate::catalog::Catalog;
use crate::observe::{ClusterView, Delivered, Event, Fate, Observed, Observer, Violation};
use crate::plan::fault::Befalls;
use crate::plan::{Fault, FaultName, MessageId};

/// Where a recorder writes to.
#[derive(Clone, Default)]
pub struct Book {
    recording: Arc<Mutex<Recording>>,
    notes: Notes,
}

impl Book {
    /// A recorder that writes here. `below`: the config path whose lines are told wherever they
    /// change.
    pub fn recorder(&self, catalog: &Arc<Catalog>, below: Option<String>) -> Box<dyn Observer> {
        Box::new(Recorder {
            book: self.clone(),
            entries: Vec::new(),
            last: BTreeMap::new(),
            sent: BTreeMap::new(),
            written: BTreeMap::new(),
            struck: BTreeMap::new(),
            asked: BTreeMap::new(),
            entered: BTreeMap::new(),
            outgoing: VecDeque::new(),
            shows: ["DOWN"; 2],
            register: None,
            ended: Vec::new(),
            below,
            state: Default::default(),
            ledger: Ledger::new(Arc::clone(catalog)),
        })
    }

    /// An oracle with somebody beside it who notes here when it looked.
    pub fn watch(&self, oracle: Box<dyn Observer>) -> Box<dyn Observer> {
        Box::new(Watched::new(oracle, &self.notes))
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
    pub fn close(self, violated_at: Option<u64>, images: [String; 2]) -> Recording {
        let mut recording = std::mem::take(&mut *self.lock());
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        recording.held = notes.values().cloned().collect();
        recording.violated_at = violated_at;
        recording.images = images;
        recording
    }
}

/// See the module.
struct Recorder {
    book: Book,
    entries: Vec<Entry>,
    /// The latest entry of each place.
    last: BTreeMap<Lane, usize>,
    sent: BTreeMap<u64, usize>,
    written: BTreeMap<(Slot, WriteId), usize>,
    /// The latest strike of each kind of fault.
    struck: BTreeMap<FaultName, usize>,
    asked: BTreeMap<CommandId, CommandRecord>,
    entered: BTreeMap<CommandId, usize>,
    /// What the latest step sent, in order, and the entry of the step.
    outgoing: VecDeque<(Option<String>, Option<u64>, usize)>,
    shows: [&'static str; 2],
    register: Option<Eligible>,
    /// Entries of what ended or was suspended since the latest fault: it was the fault that did it.
    ended: Vec<usize>,
    below: Option<String>,
    state: [Vec<String>; 2],
    ledger: Ledger,
}

impl Recorder {
    fn entry(&mut self, seen: &Observed<'_>, spot: Lane, sort: EventKind, words: String) -> usize {
        let after = self.last.get(&spot).copied();
        self.entries.push(Entry {
            after: after.into_iter().collect(),
            ..Entry::new(seen.number, seen.at_us, spot, sort, words)
        });
        let index = self.entries.len() - 1;
        if spot.slot().is_some() || spot == Lane::Arbiter {
            self.last.insert(spot, index);
        }
        index
    }

    fn comes_of(&mut self, index: usize, cause: Option<usize>) {
        if let Some(cause) = cause
            && cause != index
            && !self.entries[index].after.contains(&cause)
        {
            self.entries[index].after.push(cause);
        }
    }

    fn delivered(&mut self, index: usize, packet: Option<Delivered>, message: Option<&Message>) {
        let Some(packet) = packet else { return };
        let cause = self.sent.get(&packet.number).copied();
        self.comes_of(index, cause);
        let mut carried = carried(packet.sight, packet.number);
        if let Some(message) = message {
            carried.session = message.session().map(|session| session.to_string());
            carried.lsn = words::lsn(message);
        }
        if packet.copy > 0 {
            self.entries[index].words.push_str(" (a copy)");
        }
        self.entries[index].message = Some(carried);
    }

    fn unit_step(
        &mut self,
        seen: &Observed<'_>,
        slot: Slot,
        input: &Input,
        packet: Option<Delivered>,
        (outputs, fates): (&[Output], &[Fate]),
        (unit, scene): (&Unit, &dyn ClusterView),
    ) {
        let index = self.entry(seen, Lane::of(slot), EventKind::Step, words::input(input));
        let message = match input {
            Input::Message { message, .. } => Some(message),
            _ => None,
        };
        self.delivered(index, packet, message);
        let cause = match input {
            Input::Command(command) => {
                let asked = self.asked.get_mut(&command.id);
                if let Some(asked) = asked {
                    asked.text = words::one_line(&command.text);
                    let text = asked.text.clone();
                    if let Some(entered) = self.entered.get(&command.id) {
                        let words = format!("enters command {} \"{text}\"", command.id);
                        self.entries[*entered].words = words;
                    }
                }
                self.entered.get(&command.id).copied()
            }
            Input::Operator { id, .. } => self.entered.get(id).copied(),
            Input::Persisted(write) | Input::PersistFailed(write) => {
                self.written.get(&(slot, *write)).copied()
            }
            _ => None,
        };
        self.comes_of(index, cause);
        self.came_out(index, outputs, fates);
        self.ledger.see(slot, Some(input), outputs, unit, scene);
        self.stands(index, slot, unit);
        self.answers(seen, index, outputs, fates);
    }

    /// What a unit's step put out: its words, its marks, and what is sent next.
    fn came_out(&mut self, index: usize, outputs: &[Output], fates: &[Fate]) {
        self.outgoing.clear();
        let mut said = Vec::new();
        for (output, fate) in outputs.iter().zip(fates) {
            said.extend(words::output(output, *fate));
            match output {
                Output::Event(event) => self.entries[index].marks.extend(words::mark(event)),
                Output::Send { message, .. } if *fate == Fate::Done => {
                    let session = message.session().map(|session| session.to_string());
                    let lsn = words::lsn(message);
                    self.outgoing.push_back((session, lsn, index));
                }
                _ => {}
            }
        }
        let entry = &mut self.entries[index];
        if !said.is_empty() {
            entry.words.push_str(": ");
            entry.words.push_str(&said.join(", "));
        }
    }

    /// What a unit shows after a step, and the lines below the path.
    fn stands(&mut self, index: usize, slot: Slot, unit: &Unit) {
        let at = usize::from(slot.0);
        let now = unit.rf_state().name();
        let before = std::mem::replace(&mut self.shows[at], now);
        let entry = &mut self.entries[index];
        entry.shows = Some(match unit.replica_shown() {
            Some(replica) => format!("{now}, {replica}"),
            None => now.to_string(),
        });
        if before != now {
            let (from, to) = (before.to_string(), now.to_string());
            entry.marks.push(Mark::Shows { from, to });
        }
        let Some(below) = &self.below else { return };
        let Some(lines) = lines_below(unit, below) else {
            return;
        };
        if self.state[at] != lines {
            self.state[at].clone_from(&lines);
            self.entries[index].marks.push(Mark::State { lines });
        }
    }

    fn answers(&mut self, seen: &Observed<'_>, index: usize, outputs: &[Output], fates: &[Fate]) {
        for (output, fate) in outputs.iter().zip(fates) {
            let (Output::Answer { id, outcome }, Fate::Done) = (output, fate) else {
                continue;
            };
            let told = words::outcome(outcome);
            let text = format!("command {id} is answered {told}");
            let answer = self.entry(seen, Lane::Terminal, EventKind::Answer, text);
            self.comes_of(answer, Some(index));
            if let Some(asked) = self.asked.get_mut(id) {
                if let Outcome::Done { term, lsn, .. } = outcome {
                    asked.change = Some((term.0, lsn.0));
                }
                asked.answer = Some((told, seen.at_us));
            }
        }
    }

    fn arbiter_step(
        &mut self,
        seen: &Observed<'_>,
        input: &ArbiterInput,
        packet: Option<Delivered>,
        (outputs, fates): (&[ArbiterOutput], &[Fate]),
        arbiter: &Arbiter,
    ) {
        let index = self.entry(seen, Lane::Arbiter, EventKind::Step, words::arbiter_input(input));
        let message = match input {
            ArbiterInput::Message { message, .. } => Some(Message::ToArbiter(*message)),
            ArbiterInput::Recovered { .. }
            | ArbiterInput::StateLost { .. }
            | ArbiterInput::Timer(_) => None,
        };
        self.delivered(index, packet, message.as_ref());
        self.outgoing.clear();
        let mut said = Vec::new();
        for (output, fate) in outputs.iter().zip(fates) {
            said.extend(words::arbiter_output(output));
            match output {
                ArbiterOutput::Event(event) => {
                    self.entries[index].marks.push(words::arbiter_mark(event));
                }
                ArbiterOutput::Send { .. } if *fate == Fate::Done => {
                    self.outgoing.push_back((None, None, index));
                }
                _ => {}
            }
        }
        if !said.is_empty() {
            let entry = &mut self.entries[index];
            entry.words.push_str(": ");
            entry.words.push_str(&said.join(", "));
        }
        if self.register != arbiter.register {
            self.register = arbiter.register;
            let now = words::register(arbiter.register.as_ref());
            self.entries[index].marks.push(Mark::Register { now });
        }
    }

    fn sent(
        &mut self,
        seen: &Observed<'_>,
        sight: MessageId,
        number: u64,
        fault: Option<FaultName>,
    ) {
        let mut message = carried(sight, number);
        message.fault = fault;
        let (session, lsn, step) = match self.outgoing.pop_front() {
            Some((session, lsn, step)) => (session, lsn, Some(step)),
            None => (None, None, None),
        };
        (message.session, message.lsn) = (session, lsn);
        let mut text = format!("{} to {}", message.label(), message.to);
        if let Some(fault) = &message.fault {
            text.push_str(&format!(": {fault}"));
        }
        let spot = message.from;
        let last = self.last.get(&spot).copied();
        let index = self.entry(seen, spot, EventKind::Sent, text);
        // What is sent is no cause of what its sender does next.
        if let Some(last) = last {
            self.last.insert(spot, last);
        }
        self.entries[index].after = step.into_iter().collect();
        self.entries[index].message = Some(message);
        self.sent.insert(number, index);
    }

    fn fault(&mut self, seen: &Observed<'_>, kind: FaultName, effect: bool, of: Option<&Fault>) {
        if of.is_none() && kind.befalls() == Befalls::Message {
            // The entry of the message says it.
            return;
        }
        let text = match of {
            Some(fault) => format!("fault {} ({})", told(fault), fault.at),
            None => format!("fault {kind} takes effect"),
        };
        let spot = of.and_then(Fault::slot).map_or(Lane::World, |slot| Lane::of(Slot(slot)));
        let last = self.last.get(&spot).copied();
        let index = self.entry(seen, spot, EventKind::Fault, text);
        if let Some(last) = last {
            self.last.insert(spot, last);
        }
        self.entries[index].after.clear();
        self.entries[index].lasts_us = of.and_then(lasts_us);
        if of.is_some() {
            self.struck.insert(kind, index);
        } else {
            let struck = self.struck.get(&kind).copied();
            self.comes_of(index, struck);
        }
        for ended in std::mem::take(&mut self.ended) {
            if effect {
                self.comes_of(ended, Some(index));
            }
        }
    }

    fn ended(&mut self, seen: &Observed<'_>, slot: Slot, boot: BootId, lost: usize) {
        let mut text = format!("ends, boot {boot}");
        if lost > 0 {
            text.push_str(&format!(", {lost} writes lost"));
        }
        let index = self.entry(seen, Lane::of(slot), EventKind::End, text);
        let at = usize::from(slot.0);
        let before = std::mem::replace(&mut self.shows[at], "DOWN");
        let (from, to) = (before.to_string(), "DOWN".to_string());
        self.entries[index].marks.push(Mark::Shows { from, to });
        self.ended.push(index);
        self.ledger.ended(slot);
    }

    fn see_event(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) {
        match seen.event {
            Event::Started { slot, boot, outputs, fates, unit } => {
                let text = format!("starts, boot {}, with {}", boot.boot, scene.image(slot).1);
                let index = self.entry(seen, Lane::of(slot), EventKind::Start, text);
                self.came_out(index, outputs, fates);
                self.ledger.see(slot, None, outputs, unit, scene);
                self.stands(index, slot, unit);
            }
            Event::Unit { slot, input, packet, outputs, fates, unit } => {
                self.unit_step(seen, slot, input, packet, (outputs, fates), (unit, scene));
            }
            Event::Arbiter { input, packet, outputs, fates, arbiter } => {
                self.arbiter_step(seen, input, packet, (outputs, fates), arbiter);
            }
            Event::Sent { sight, number, fault } => self.sent(seen, sight, number, fault),
            Event::Undelivered { sight, number } => {
                let text = format!("{sight} arrives at nobody, or does not decode");
                let index = self.entry(seen, Lane::World, EventKind::Undelivered, text);
                self.entries[index].message = Some(carried(sight, number));
                let cause = self.sent.get(&number).copied();
                self.comes_of(index, cause);
            }
            Event::Entered { id, what, slot } => {
                let to = slot.map_or_else(
                    || "no unit runs".to_string(),
                    |slot| format!("to {}", Lane::of(slot)),
                );
                let text = format!("enters command {id}: {what}, {to}");
                let index = self.entry(seen, Lane::Terminal, EventKind::Entered, text);
                self.entered.insert(id, index);
                self.asked.insert(
                    id,
                    CommandRecord {
                        id: id.0,
                        text: what.to_string(),
                        entered_us: seen.at_us,
                        change: None,
                        answer: None,
                    },
                );
            }
            Event::Ended { slot, boot, lost } => self.ended(seen, slot, boot, lost),
            Event::ArbiterEnded => {
                let index = self.entry(seen, Lane::Arbiter, EventKind::End, "ends".into());
                self.ended.push(index);
            }
            Event::Written { slot, write, durable } => {
                let how = if durable { "is durable" } else { "failed" };
                let text = format!("write {write} {how}");
                let last = self.last.get(&Lane::of(slot)).copied();
                let index = self.entry(seen, Lane::of(slot), EventKind::Written, text);
                if let Some(last) = last {
                    self.last.insert(Lane::of(slot), last);
                }
                self.written.insert((slot, write), index);
            }
            Event::Paused { slot, paused } => {
                let text = if paused { "is suspended" } else { "runs on" };
                let index = self.entry(seen, Lane::of(slot), EventKind::Pause, text.into());
                if paused {
                    self.ended.push(index);
                }
            }
            Event::Fault { kind, effect, of } => self.fault(seen, kind, effect, of),
            Event::FaultsStopped => {
                let text = "faults and commands stop: the liveness phase begins".into();
                self.entry(seen, Lane::World, EventKind::FaultsStopped, text);
            }
        }
    }
}

impl Observer for Recorder {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        self.see_event(seen, scene);
        // What a fault did follows at once: anything else was no fault's doing.
        if !matches!(
            seen.event,
            Event::Ended { .. } | Event::ArbiterEnded | Event::Paused { paused: true, .. }
        ) {
            self.ended.clear();
        }
        Ok(())
    }

    fn end(&mut self, scene: &dyn ClusterView) -> Result<(), Violation> {
        for ((term, lsn), id) in self.ledger.changes() {
            if let Some(asked) = self.asked.get_mut(&id) {
                let (term, lsn): (Term, Lsn) = (term, lsn);
                asked.change.get_or_insert((term.0, lsn.0));
            }
        }
        let contrast = self.ledger.contrast(scene);
        let mut recording = self.book.lock();
        recording.contrast = contrast;
        Ok(())
    }
}

/// What was seen is written wherever the run ends, in a panic too.
impl Drop for Recorder {
    fn drop(&mut self) {
        let mut recording = self.book.lock();
        recording.entries = std::mem::take(&mut self.entries);
        recording.asked = std::mem::take(&mut self.asked).into_values().collect();
    }
}

fn carried(sight: MessageId, number: u64) -> Carried {
    let (from, to): (Address, Address) = (sight.from, sight.to);
    Carried {
        number,
        sight: sight.to_string(),
        from: Lane::from(from),
        to: Lane::from(to),
        kind: format!("{:?}", sight.kind),
        session: None,
        lsn: None,
        fault: None,
    }
}

/// The lines of a unit's config that stand below a path, as the terminal would print them; none of
/// a unit whose config is not told: one without a role that holds nothing of an Active, or one that
/// waits for its lease.
fn lines_below(unit: &Unit, below: &str) -> Option<Vec<String>> {
    let config = match &unit.part {
        Role::Active(active) => active.config.config(),
        Role::Standby(standby) => standby.replica.as_ref()?.receiver.raising().config(),
        Role::Holder(_) => return None,
    };
    let lines = config.lines();
    let texts = lines.map(|(key, line)| key.place.path() + line.words.text());
    Some(texts.filter(|text| text.starts_with(below)).collect())
}

/// A fault's kind with its numbers, as a plan writes it.
pub(crate) fn told(fault: &Fault) -> String {
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
