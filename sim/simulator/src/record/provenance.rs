//! Who wrote which line: the configs of the units followed line by line, and held against each
//! other at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skewsync::config::{Config, Line, LineKey};
use skewsync::ids::{CommandId, Lsn, Slot, Term};
use skewsync::message::{Origin, Stamp};
use skewsync::unit::{Event as Told, Outcome};

use crate::catalog::{Catalog, Loaded};
use crate::history::{Fact, History, Role, Unit, Waiting, What};
use skewsync_reference::{Beside, Reference};

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

/// The configs of the units, line by line.
pub(super) struct Ledger {
    catalog: Arc<Catalog>,
    commands: BTreeMap<(Term, Lsn), CommandId>,
    writers: BTreeMap<Slot, BTreeMap<String, Writer>>,
    /// The place in history of what each unit that runs was seen to hold.
    seen: BTreeMap<Slot, (Term, Lsn)>,
    acted: BTreeMap<(Term, Lsn), Held>,
    /// What each unit holds now, or held last.
    now: BTreeMap<Slot, Held>,
    /// With what the latest Active began statefully, and of which (term, LSN).
    taken_over: Option<(Held, (Term, Lsn))>,
}

impl Ledger {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            commands: BTreeMap::new(),
            writers: BTreeMap::new(),
            seen: BTreeMap::new(),
            acted: BTreeMap::new(),
            now: BTreeMap::new(),
            taken_over: None,
        }
    }

    /// Follows a run.
    pub(super) fn see(&mut self, fact: &Fact<'_>, history: &History) {
        let Some(slot) = fact.slot() else { return };
        match fact.what {
            What::Answered { command, outcome: Outcome::Done { term, lsn, .. }, .. } => {
                self.commands.insert((*term, *lsn), command);
            }
            What::Executed { term, lsn, command: Some(command) } => {
                self.commands.insert((term, lsn), command);
            }
            What::Says { event: Told::Acts { stamp, origin, .. }, .. } => {
                self.takes_over(slot, *stamp, origin, history);
            }
            What::Started { .. } | What::Stepped => self.holds(slot, history),
            // What it held is remembered, what comes next is new.
            What::Ended { .. } => {
                self.seen.remove(&slot);
            }
            _ => {}
        }
    }

    /// Notes what a unit holds.
    fn holds(&mut self, slot: Slot, history: &History) {
        let Some(unit) = history.unit(slot) else {
            return;
        };
        let (at, config) = match unit.role() {
            Some(Role::Active(acting)) => (acting.stamp(), &acting.config),
            Some(Role::Standby(Waiting { replica: Some(replica), .. })) => {
                (replica.stamp(), replica.config())
            }
            Some(Role::Standby(_) | Role::Holder(_)) | None => return,
        };
        let at = (at.term, at.lsn);
        if self.seen.get(&slot) == Some(&at) {
            return;
        }
        let Some(held) = self.held(slot, unit, at, config) else {
            return;
        };
        let first = !self.seen.contains_key(&slot);
        let mut writers = BTreeMap::new();
        for text in texts(config) {
            let own = self.writers.get(&slot).and_then(|writers| writers.get(&text));
            let others = || self.writers.values().find_map(|writers| writers.get(&text));
            let writer = own.or_else(others).cloned().unwrap_or_else(|| Writer {
                change: (!first || at.1.0 > 0).then_some((at.0.0, at.1.0)),
                command: self.commands.get(&at).map(|id| id.0),
            });
            writers.insert(text, writer);
        }
        self.writers.insert(slot, writers);
        self.seen.insert(slot, at);
        self.now.insert(slot, held.clone());
        if unit.acting().is_some() {
            self.acted.insert(at, held);
            if self.acted.len() > REMEMBERED {
                self.acted.pop_first();
            }
        }
    }

    fn held(&self, slot: Slot, unit: &Unit, at: (Term, Lsn), config: &Config) -> Option<Held> {
        let image = self.catalog.image(&unit.image.name).ok()?;
        Some(Held { slot, term: at.0, lsn: at.1, config: config.clone(), image })
    }

    fn takes_over(&mut self, slot: Slot, stamp: Stamp, origin: &Origin, history: &History) {
        self.taken_over = None;
        let (Origin::Stateful { session, .. }, Some(unit)) = (origin, history.unit(slot)) else {
            return;
        };
        let held = unit
            .acting()
            .and_then(|acting| self.held(slot, unit, (acting.term, stamp.lsn), &acting.config));
        // The former Active's last config of the session's term, which may be beyond what was taken
        // over.
        let last = self.acted.range(..=(session.term, Lsn(u64::MAX))).next_back();
        self.taken_over = held.zip(last.map(|(at, _)| *at));
    }

    /// The configs held against each other: the Active's, and what the other holds of it; or, if
    /// there is no other, those of the former Active and of the unit that took over.
    pub(super) fn contrast(&self, history: &History) -> Option<ConfigDiff> {
        let in_step = history.active().and_then(|(slot, acting)| {
            history.others(slot).find_map(|(other, unit)| {
                let replica = unit.waiting()?.replica.as_ref()?;
                let of_term = replica.session.term == acting.term;
                let wanted = self.acted.get(&(replica.session.term, replica.applied));
                wanted.filter(|_| of_term).zip(self.now.get(&other))
            })
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
        let reference = Reference::between(from, to);
        let translated = reference.translate_beside(&wanted.config, &Beside::default());
        let (unlike, alike) = differences(&translated.standby, &found.config);
        let say = |(place, want, have): (String, Option<String>, Option<String>)| {
            let by = |held: &Held, line: &Option<String>| {
                let writers = self.writers.get(&held.slot)?;
                writers.get(&(place.clone() + line.as_ref()?)).cloned()
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
            listed: translated.listed.iter().chain(&translated.unraised).map(joined).collect(),
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
