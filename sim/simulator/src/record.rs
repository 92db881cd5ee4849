//! A run written down: what happened, entry by entry, each with its words, what it carried, what it
//! changed, and what it came of. Pictures, causal cones, traces on disk and comparisons are made
//! from it.

use crate::plan::{FaultName, MessageId, anchor};

pub mod compare;
pub mod cone;
pub mod perfetto;
pub mod provenance;
pub mod recorder;
mod watched;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};
use skewsync::ids::Slot;
use skewsync::message::{Address, MessageKind};

pub use provenance::{ConfigDiff, LineDiff, Writer};
pub use watched::PropertySpan;

/// Where something happened, in the order of a picture's columns.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// The operator's terminal.
    Terminal,
    /// The unit in slot 0.
    Unit0,
    /// The unit in slot 1.
    Unit1,
    /// The arbiter.
    Arbiter,
    /// Neither: the network, or the run as a whole.
    World,
}

impl Lane {
    /// The spot of a slot.
    pub const fn from_slot(slot: Slot) -> Self {
        if slot.0 == 0 { Self::Unit0 } else { Self::Unit1 }
    }

    /// The slot of a unit.
    pub const fn slot(self) -> Option<Slot> {
        match self {
            Self::Unit0 => Some(Slot(0)),
            Self::Unit1 => Some(Slot(1)),
            Self::Arbiter | Self::Terminal | Self::World => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unit0 => "unit 0",
            Self::Unit1 => "unit 1",
            Self::Arbiter => "arbiter",
            Self::Terminal => "terminal",
            Self::World => "world",
        }
    }
}

impl From<Address> for Lane {
    fn from(address: Address) -> Self {
        match address {
            Address::Unit(slot) => Self::from_slot(slot),
            Address::Arbiter => Self::Arbiter,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The sort of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A process started.
    Start,
    /// A machine made a step.
    Step,
    /// A message was sent.
    Sent,
    /// A message arrived at nobody, or did not decode.
    Undelivered,
    /// An operator entered something.
    Entered,
    /// An operator was answered.
    Answer,
    /// A process ended.
    End,
    /// A write became durable, or failed.
    Written,
    /// A unit was suspended, or runs again.
    Pause,
    /// A fault struck, or took effect.
    Fault,
    /// Faults and commands stopped.
    FaultsStopped,
}

/// A message, as an entry names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its number in the run; copies share it.
    pub number: u64,
    /// Its name, as anchors write it.
    pub sight: MessageId,
    /// Its sender.
    pub from: Lane,
    /// Its receiver.
    pub to: Lane,
    /// Its kind.
    #[serde(with = "kind_name")]
    pub kind: MessageKind,
    /// The session that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The LSN that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsn: Option<u64>,
    /// What befell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultName>,
}

impl Carried {
    /// Kind, LSN and session in a few characters.
    pub fn label(&self) -> String {
        let mut text = format!("{:?}", self.kind);
        if let Some(lsn) = self.lsn {
            text.push_str(&format!(" {lsn}"));
        }
        if let Some(session) = &self.session {
            text.push_str(&format!(" ({session})"));
        }
        text
    }
}

/// A kind of message is written as its name.
mod kind_name {
    use super::{Deserialize, MessageKind, anchor};

    pub(super) fn serialize<S: serde::Serializer>(
        kind: &MessageKind,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{kind:?}"))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<MessageKind, D::Error> {
        let word = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("`{word}` is no kind of message"));
        anchor::kind(&word).ok_or_else(unknown)
    }
}

/// What an entry changed that a reader wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "kebab-case")]
pub enum Mark {
    /// What a unit shows of itself.
    Shows {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// The eligibility register, at the arbiter.
    Register {
        /// Its value now, in words.
        now: String,
    },
    /// The role: offered, accepted, lapsed.
    Role {
        /// In words.
        now: String,
        /// A unit begins to act: the term, and the LSN that it goes on from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acts: Option<(u64, u64)>,
    },
    /// A session began or ended.
    Session {
        /// In words.
        now: String,
    },
    /// The lines below the path that was asked for, where they changed.
    State {
        /// The lines that stand there now.
        lines: Vec<String>,
    },
}

impl Mark {
    /// The mark in words.
    pub fn words(&self) -> String {
        match self {
            Self::Shows { from, to } => format!("{from} -> {to}"),
            Self::Register { now } => format!("register: {now}"),
            Self::Role { now, .. } | Self::Session { now } => now.clone(),
            Self::State { lines } if lines.is_empty() => "below the path: nothing".into(),
            Self::State { lines } => format!("below the path: {}", lines.join("; ")),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the event in the run, from 1. An answer shares that of the step that gave it.
    pub step: u64,
    /// Virtual time in microseconds.
    pub at_us: u64,
    /// Where.
    pub spot: Lane,
    /// Its sort.
    pub sort: EventKind,
    /// What happened, in the protocol's words.
    pub words: String,
    /// So many bytes of the words say what a step took; the others say what came of it. None:
    /// nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<usize>,
    /// Whether what a step took was a timer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timer: bool,
    /// What a unit shows of itself after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
    /// The message that it sent or took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Carried>,
    /// What it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Indices of the entries that it came of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
    /// For how long a fault lasts, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_us: Option<u64>,
}

impl Entry {
    /// An entry that carried and changed nothing, and came of nothing.
    pub const fn new(step: u64, at_us: u64, spot: Lane, sort: EventKind, words: String) -> Self {
        Self {
            step,
            at_us,
            spot,
            sort,
            words,
            took: None,
            timer: false,
            shows: None,
            message: None,
            marks: Vec::new(),
            after: Vec::new(),
            lasts_us: None,
        }
    }

    /// What happened, without what came of it.
    pub fn did(&self) -> &str {
        self.took.and_then(|took| self.words.get(..took)).unwrap_or(&self.words)
    }

    /// The entry on one line of a terminal.
    pub fn line(&self) -> String {
        let seconds = self.at_us as f64 / 1e6;
        let mut text = format!("{:>6} {seconds:>10.4} {:<8} {}", self.step, self.spot, self.words);
        for mark in &self.marks {
            text.push_str(&format!("  [{}]", mark.words()));
        }
        text
    }
}

/// A command as it was entered, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// Its number.
    pub id: u64,
    /// Its words.
    pub text: String,
    /// When it was entered, in microseconds.
    pub entered_us: u64,
    /// The change that it made.
    pub change: Option<(u64, u64)>,
    /// How it was answered.
    pub answer: Option<Answered>,
}

/// How a command was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// In words.
    pub words: String,
    /// When, in microseconds.
    pub at_us: u64,
    /// Whether a change was returned `replicated`.
    pub replicated: bool,
}

/// A run written down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// What operators entered, by number.
    pub asked: Vec<CommandRecord>,
    /// How long each property was seen to hold.
    pub held: Vec<PropertySpan>,
    /// How the configs of the two units differ at the end, if they can be held against each other.
    pub contrast: Option<ConfigDiff>,
    /// The images of the slots at the end.
    pub images: Vec<String>,
    /// The number of the event that broke a property.
    pub violated_at: Option<u64>,
}

/// Why a text is no recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no entry of a recording: {why}")]
pub struct RecordingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl Recording {
    /// The index of the entry that broke a property, or else of the last one.
    pub fn last_of_interest(&self) -> Option<usize> {
        let is = |entry: &Entry| Some(entry.step) == self.violated_at;
        let broke = self.entries.iter().position(is);
        broke.or_else(|| self.entries.len().checked_sub(1))
    }

    /// The entries as text, one JSON object a line.
    ///
    /// # Panics
    /// Never: every entry is representable.
    pub fn ndjson(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            text += &serde_json::to_string(entry).expect("every entry is representable");
            text.push('\n');
        }
        text
    }
}

/// Reads entries that [`Recording::ndjson`] wrote.
///
/// # Errors
/// The first line that is no entry.
pub fn read_ndjson(text: &str) -> Result<Vec<Entry>, RecordingError> {
    let read = |(at, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| RecordingError { line: at + 1, why: error.to_string() })
    };
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| !line.trim().is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use skewsync_model::property::Property;
    use std::sync::Arc;

    use super::*;
    use crate::catalog;
    use crate::plan::testing;
    use crate::run::{Options, Report};
    use crate::runner::Runner;

    fn recorded() -> (Report, Recording) {
        let plan = Arc::new(testing::quiet());
        let catalog = catalog::load(&[]).expect("the bundled family");
        let runner = Runner::new(&Arc::new(catalog), Options::default());
        runner.recorded(&plan, None).expect("the catalog has all")
    }

    #[test]
    fn a_run_that_is_written_down_is_the_same_run_and_reads_back() {
        let (report, recording) = recorded();
        let plan = Arc::new(testing::quiet());
        let catalog = catalog::load(&[]).expect("the bundled family");
        let plain = Runner::new(&Arc::new(catalog), Options::default()).run(&plan);
        assert_eq!(plain.map(|report| report.trace), Ok(report.trace));
        let read = read_ndjson(&recording.ndjson()).expect("it reads");
        assert_eq!(read, recording.entries);
        assert_eq!(compare::parting(&read, &recording.entries), None);
    }

    #[test]
    fn causes_come_before_what_came_of_them_and_messages_before_their_delivery() {
        let (_, recording) = recorded();
        let mut delivered = 0;
        for (index, entry) in recording.entries.iter().enumerate() {
            let ends = matches!(entry.sort, EventKind::End | EventKind::Pause);
            for cause in &entry.after {
                // A fault is told after what it ended.
                assert!(*cause < index || ends, "{index} comes of {cause}");
            }
            if let (EventKind::Step, Some(message)) = (entry.sort, &entry.message) {
                let sent = entry.after.iter().map(|cause| &recording.entries[*cause]);
                let mut sent = sent.filter(|cause| cause.sort == EventKind::Sent);
                let found = sent.any(|cause| {
                    let of = cause.message.as_ref();
                    of.is_some_and(|of| (&of.lsn, &of.session) == (&message.lsn, &message.session))
                });
                assert!(found, "{} was sent as it arrives", message.sight);
                delivered += 1;
            }
        }
        assert!(delivered > 100, "{delivered} were delivered");
    }

    #[test]
    fn every_answer_is_of_a_command_that_was_entered_and_properties_are_seen_to_hold() {
        let (_, recording) = recorded();
        let answered = recording.asked.iter().filter(|asked| asked.answer.is_some());
        assert!(answered.clone().count() > 0);
        for asked in answered {
            let answer = asked.answer.as_ref().expect("it was answered");
            assert!(asked.entered_us <= answer.at_us);
        }
        let held = recording.held.iter().find(|held| held.property == Property::SingleActive);
        assert!(held.is_some_and(|held| held.last.is_some() && held.broke.is_none()));
    }

    #[test]
    fn a_text_that_is_no_recording_is_refused_with_its_line() {
        let (_, recording) = recorded();
        let mut text = recording.ndjson();
        let lines = text.lines().count();
        text.push_str("{\"step\": 1}\n");
        let error = read_ndjson(&text).expect_err("the last line lacks all but the step");
        assert_eq!(error.line, lines + 1);
        let trace = perfetto::trace(&recording);
        let events = trace["traceEvents"].as_array().expect("events");
        let arrows = |ph: &str| events.iter().filter(|event| event["ph"] == ph).count();
        assert!(arrows("s") > 100 && arrows("s") == arrows("f"));
    }
}
