//! A running config of the own image, and what executing a command on it gives.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::software::Software;
use crate::config::{Config, Edit, EntryKind, Place, Prc};
use crate::digest::{Digest, Shared};
use crate::image::Image;
use crate::message::Mismatch;
use crate::parse::{self, WalkUp};
use crate::translate::complement::{Complements, discard};

/// A running config of the own image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running {
    pub(super) config: Config,
    /// What was lost of it on its way here, and is given back to a unit that has the words.
    pub(super) kept: Arc<Complements>,
}

/// What executing a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executed {
    /// The config changed.
    Changed(Running, Edits),
    /// It was so already.
    Unchanged,
}

/// What a command changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits {
    pub(super) edits: Vec<Edit>,
    /// What was kept and is no more: what it rests on changed.
    pub(super) discarded: Complements,
}

impl Running {
    /// The image's factory default.
    pub fn factory(software: &Software) -> Self {
        Self { config: Config::factory(software.image.levels()), kept: Arc::default() }
    }

    /// The config that booting this text gives; what the image does not take is left out.
    pub fn boot(software: &Software, text: &str) -> Self {
        let mut config = Config::factory(software.image.levels());
        let grammar = software.image.own();
        let mut lines = LineByLine { image: &software.image, grammar, config: &mut config };
        lines.execute(text.as_bytes(), WalkUp::Yes);
        let marked: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix(IMPLIED)).collect();
        let places: Vec<Place> = config.entries().map(|(place, _)| place.clone()).collect();
        // Inner ones first: what is empty goes.
        for place in places.iter().rev().filter(|place| marked.contains(&*by_words(place))) {
            let there = (!config.is_empty_place(place)).then_some(EntryKind::Implied);
            config.put_entry(&software.image, place, there);
        }
        Self { config, kept: Arc::default() }
    }

    /// The config with what is kept beside it.
    pub(super) fn keeping(self, kept: Complements) -> Self {
        Self { kept: Arc::new(kept), ..self }
    }

    /// Executes a command, or a batch as a whole.
    ///
    /// # Errors
    /// The first line that the image does not take; nothing changed then.
    pub fn execute(&self, software: &Software, text: &str) -> Result<Executed, Mismatch> {
        let mut config = self.config.clone();
        let image = &software.image;
        let edits = config.execute(image, image.own(), text).map_err(|error| {
            let line = text.lines().nth(error.number - 1).unwrap_or("");
            unread(line, Prc::from(&error.trouble))
        })?;
        if config == self.config {
            return Ok(Executed::Unchanged);
        }
        let mut kept = Arc::clone(&self.kept);
        let mut owed = Complements::clone(&kept);
        let discarded = discard(&mut owed, image, &self.config, &edits);
        if !discarded.is_empty() {
            kept = Arc::new(owed);
        }
        Ok(Executed::Changed(Self { config, kept }, Edits { edits, discarded }))
    }

    /// The config itself.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What is kept beside it for the way back.
    pub const fn kept(&self) -> &Arc<Complements> {
        &self.kept
    }

    /// The config in the own image's syntax. Which instances are there for what is in them alone
    /// stands behind it, as comments: a unit that boots this is the unit that wrote it.
    pub fn text(&self) -> Shared<str> {
        let implied = self.config.entries().filter(|(_, entry)| *entry == EntryKind::Implied);
        Shared::from(implied.fold(self.config.render(), |text, (place, _)| {
            alloc::format!("{text}{IMPLIED}{}\n", by_words(place))
        }))
    }

    /// The lines that `self` has and `other` has not, with the modes that they stand in.
    pub fn lines_missing_in(&self, other: &Self) -> Vec<Shared<str>> {
        let gone = self.config.lines().filter(|(key, line)| other.config.line(key) != Some(line));
        gone.map(|(key, line)| Shared::from(key.place.path() + line.words.text())).collect()
    }

    /// The config's digest.
    pub fn digest(&self) -> Digest {
        self.config.digest()
    }
}

/// How a comment begins that names an instance which nobody entered.
const IMPLIED: &str = "! implied: ";

/// The entry lines of an instance.
fn by_words(place: &Place) -> String {
    let words: Vec<&str> = place.instances().iter().map(|(_, words)| words.text()).collect();
    words.join(" / ")
}

/// A text that is executed line by line, whatever single lines give.
struct LineByLine<'a> {
    image: &'a Image,
    grammar: &'a crate::image::Grammar,
    config: &'a mut Config,
}

impl LineByLine<'_> {
    /// The lines that are none of the view.
    fn execute(&mut self, text: &[u8], walk_up: WalkUp) -> Vec<Mismatch> {
        let (mut failed, mut edits) = (vec![], vec![]);
        for statement in parse::text(self.image, self.grammar, text, walk_up) {
            let (image, grammar, number) = (self.image, self.grammar, statement.number);
            let executed = self.config.execute_statement(image, grammar, statement, &mut edits);
            edits.clear();
            if let Err(trouble) = executed {
                let line = text.split(|byte| *byte == b'\n').nth(number - 1);
                let line = String::from_utf8_lossy(line.unwrap_or_default());
                failed.push(unread(&line, Prc::from(&trouble)));
            }
        }
        failed
    }
}

/// A line that is none.
fn unread(line: &str, prc: Prc) -> Mismatch {
    let empty = Shared::text("");
    Mismatch { component: empty.clone(), form: empty, line: Shared::text(line.trim()), prc }
}
