//! Who wrote which line: the configs of both units followed line by line, and held against each
//! other at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skewsync::config::{Config, Line, LineKey};
use skewsync::ids::{CommandId, Lsn, Slot, Term};
use skewsync::message::Origin;
use skewsync::unit::{Active, Event as Told, Input, Outcome, Output, Role, Unit};

use crate::catalog::{Catalog, Loaded};
use crate::observe::ClusterView;
use crate::oracle::reference::Reference;

/// Configs of Actives that are remembered, for a Standby that is behind.
const REMEMBERED: usize = 256;

/// Who wrote a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Writer {
    /// Term and LSN with which it came to stand here; none: it stood there as the unit started.
    pub change: Option<(u64, u64)>,
    /// The command that made the change, if it is known.
    pub command: Option<u64>,
}

impl Writer {
    /// The writer in words.
    pub fn words(&self) -> String {
        match (self.change, self.command) {
            (Some((term, lsn)), Some(id)) => format!("(term {term}, LSN {lsn}), command {id}"),
            (Some((term, lsn)), None) => format!("(term {term}, LSN {lsn})"),
            (None, _) => "startup".into(),
        }
    }
}

/// One line in which two configs differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineDiff {
    /// The path: the modes that the line stands in, joined by ` / `; empty at the top.
    pub path: String,
    /// The line that should stand there; none: no line should.
    pub wanted: Option<String>,
    /// Who wrote it at the Active, if that is known.
    pub wanted_by: Option<Writer>,
    /// The line that stands there; none: no line does.
    pub found: Option<String>,
    /// Who wrote it there.
    pub found_by: Option<Writer>,
}

/// How the configs of two units differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigDiff {
    /// Whose config is wanted, in words: unit, term, LSN.
    pub wanted: String,
    /// Whose config was found, in words.
    pub found: String,
    /// How many lines are alike.
    pub alike: usize,
    /// Those that are not.
    pub unlike: Vec<LineDiff>,
    /// Lines that cannot be at the other side, by translation: they are missing lawfully.
    pub listed: Vec<String>,
}

/// A config as a unit held it.
#[derive(Clone)]
struct Held {
    slot: Slot,
    term: Term,
    lsn: Lsn,
    config: Config,
    image: Arc<Loaded>,
}

/// The configs of both units, line by line.
pub(super) struct Ledger {
    catalog: Arc<Catalog>,
    commands: BTreeMap<(Term, Lsn), CommandId>,
    writers: [BTreeMap<String, Writer>; 2],
    seen: [Option<(Term, Lsn)>; 2],
    acted: BTreeMap<(Term, Lsn), Held>,
    /// What each unit holds now, or held last.
    now: [Option<Held>; 2],
    /// With what the latest Active began statefully, and of which (term, LSN).
    taken_over: Option<(Held, (Term, Lsn))>,
}

impl Ledger {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            commands: BTreeMap::new(),
            writers: Default::default(),
            seen: [None; 2],
            acted: BTreeMap::new(),
            now: [None, None],
            taken_over: None,
        }
    }

    /// The process of the slot ended: what it held is remembered, what comes next is new.
    pub(super) fn ended(&mut self, slot: Slot) {
        self.seen[usize::from(slot.0)] = None;
    }

    /// A unit made a step.
    pub(super) fn see(
        &mut self,
        slot: Slot,
        input: Option<&Input>,
        outputs: &[Output],
        unit: &Unit,
        scene: &dyn ClusterView,
    ) {
        for output in outputs {
            if let Output::Answer { id, outcome: Outcome::Done { term, lsn, .. } } = output {
                self.commands.insert((*term, *lsn), *id);
            }
        }
        match &unit.part {
            Role::Active(active) => {
                self.note_commands(active, input);
                self.note(slot, (active.term, active.last), scene, || {
                    active.config.config().clone()
                });
                self.take_over(slot, outputs, active, scene);
            }
            Role::Standby(standby) => {
                if let Some(replica) = &standby.replica {
                    self.note(slot, (replica.session.term, replica.applied), scene, || {
                        replica.receiver.raising().config().clone()
                    });
                }
            }
            Role::Holder(_) => {}
        }
    }

    fn note_commands(&mut self, active: &Active, input: Option<&Input>) {
        for (lsn, prompts) in active.prompts.held() {
            for prompt in prompts {
                if matches!(prompt.change, skewsync::unit::prompts::PromptKind::Made { .. }) {
                    self.commands.insert((active.term, *lsn), prompt.id);
                }
            }
        }
        let at = (active.term, active.last);
        if let Some(Input::Command(command)) = input
            && self.seen.iter().flatten().all(|seen| *seen != at)
        {
            self.commands.entry(at).or_insert(command.id);
        }
    }

    fn note(
        &mut self,
        slot: Slot,
        at: (Term, Lsn),
        scene: &dyn ClusterView,
        config: impl Fn() -> Config,
    ) {
        let index = usize::from(slot.0);
        if self.seen[index] == Some(at) {
            return;
        }
        let Ok(image) = self.catalog.image(scene.image(slot).1) else {
            return;
        };
        let config = config();
        let first = self.seen[index].is_none();
        let other = &self.writers[1 - index];
        let mut writers = BTreeMap::new();
        for text in texts(&config) {
            let known = self.writers[index].get(&text).or_else(|| other.get(&text));
            let writer = known.cloned().unwrap_or_else(|| Writer {
                change: (!first || at.1.0 > 0).then_some((at.0.0, at.1.0)),
                command: self.commands.get(&at).map(|id| id.0),
            });
            writers.insert(text, writer);
        }
        self.writers[index] = writers;
        self.seen[index] = Some(at);
        let held = Held { slot, term: at.0, lsn: at.1, config, image };
        self.now[index] = Some(held.clone());
        if matches!(scene.unit(slot).map(|unit| &unit.part), Some(Role::Active(_))) {
            self.acted.insert(at, held);
            if self.acted.len() > REMEMBERED {
                self.acted.pop_first();
            }
        }
    }

    fn take_over(
        &mut self,
        slot: Slot,
        outputs: &[Output],
        active: &Active,
        scene: &dyn ClusterView,
    ) {
        let acts = outputs.iter().find_map(|output| match output {
            Output::Event(Told::Acts { stamp, origin, .. }) => Some((stamp, origin)),
            _ => None,
        });
        let Some((stamp, origin)) = acts else { return };
        self.taken_over = None;
        let Origin::Stateful { session, .. } = origin else {
            return;
        };
        if let Ok(image) = self.catalog.image(scene.image(slot).1) {
            let held = Held {
                slot,
                term: active.term,
                lsn: stamp.lsn,
                config: active.config.config().clone(),
                image,
            };
            // The former Active's last config of the session's term, which may be beyond what was
            // taken over.
            let last =
                self.acted.range(..=(session.term, Lsn(u64::MAX))).next_back().map(|(at, _)| *at);
            self.taken_over = last.map(|last| (held, last));
        }
    }

    /// The configs held against each other: the Active's, and what the other holds of it; or, if
    /// there is no other, those of the former Active and of the unit that took over.
    pub(super) fn contrast(&self, scene: &dyn ClusterView) -> Option<ConfigDiff> {
        let pairs = [(Slot(0), Slot(1)), (Slot(1), Slot(0))];
        let in_step = pairs.into_iter().find_map(|(active, standby)| {
            let acts = scene.unit(active)?;
            let waits = scene.unit(standby)?;
            let (Role::Active(acts), Role::Standby(waits)) = (&acts.part, &waits.part) else {
                return None;
            };
            let replica = waits.replica.as_ref()?;
            let found = self.now[usize::from(standby.0)].as_ref()?;
            let at = (replica.session.term, replica.applied);
            (replica.session.term == acts.term).then_some(())?;
            Some((self.acted.get(&at)?, found))
        });
        let (wanted, found) = match (in_step, &self.taken_over) {
            (Some(pair), _) => pair,
            (None, Some((found, last))) => (self.acted.get(last)?, found),
            (None, None) => return None,
        };
        Some(self.between(wanted, found))
    }

    fn between(&self, wanted: &Held, found: &Held) -> ConfigDiff {
        let (from, to) = (wanted.image.software().image(), found.image.software().image());
        let reference = Reference::of(from, to);
        let translated = reference.translate_less(&wanted.config, &BTreeSet::new());
        let (unlike, alike) = differences(&translated.standby, &found.config);
        let at = |held: &Held| &self.writers[usize::from(held.slot.0)];
        let say = |(place, want, have): (String, Option<String>, Option<String>)| {
            let by = |held: &Held, line: &Option<String>| {
                let line = line.as_ref()?;
                at(held).get(&(place.clone() + line)).cloned()
            };
            LineDiff {
                wanted_by: by(wanted, &want),
                found_by: by(found, &have),
                path: place.trim_end_matches([' ', '/']).to_string(),
                wanted: want,
                found: have,
            }
        };
        let words = |held: &Held| {
            let (slot, term, lsn) = (held.slot, held.term, held.lsn);
            format!("unit {slot} ({}), term {term}, LSN {lsn}", held.image.name())
        };
        let joined = |(path, line): &(String, String)| {
            let between = if path.is_empty() { "" } else { " / " };
            format!("{path}{between}{line}")
        };
        ConfigDiff {
            wanted: words(wanted),
            found: words(found),
            alike,
            unlike: unlike.into_iter().map(say).collect(),
            listed: translated.listed.iter().map(joined).collect(),
        }
    }

    /// The command that made a change.
    pub(super) fn changes(&self) -> impl Iterator<Item = ((Term, Lsn), CommandId)> {
        self.commands.iter().map(|(at, id)| (*at, *id))
    }
}

fn path(key: &LineKey) -> String {
    key.place.path()
}

/// The lines of a config, each with its path before it.
fn texts(config: &Config) -> impl Iterator<Item = String> {
    let lines = config.lines();
    lines.map(|(key, line)| path(key) + line.words.text())
}

/// Path, wanted line, found line.
type Pair = (String, Option<String>, Option<String>);

/// The lines in which two configs differ, and how many do not.
fn differences(wanted: &Config, found: &Config) -> (Vec<Pair>, usize) {
    let text = |line: &Line| line.words.text().to_string();
    let mut unlike = Vec::new();
    let mut alike = 0;
    for (key, line) in wanted.lines() {
        let there = found.line(key);
        if there == Some(line) {
            alike += 1;
        } else {
            unlike.push((path(key), Some(text(line)), there.map(text)));
        }
    }
    for (key, line) in found.lines() {
        if wanted.line(key).is_none() {
            unlike.push((path(key), None, Some(text(line))));
        }
    }
    (unlike, alike)
}
