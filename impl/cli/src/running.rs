//! A running config as it is read from a file: what it comes to, and which line of the text said
//! what.

use std::collections::BTreeMap;

use skewsync::digest::Shared;

use skewsync::config::{Config, Place};
use skewsync::grammar::Words;
use skewsync::ids::FormId;
use skewsync::image::Image;
use skewsync::parse::{self, LineError, WalkUp};
use skewsync::translate::ListKey;

use crate::unseen;

/// A config with the places in its text.
#[derive(Clone, Debug)]
pub struct Running {
    /// What the text comes to.
    pub config: Config,
    /// What each line, and each entry line of a mode instance, was said by.
    pub said: BTreeMap<ListKey, Said>,
    /// The lines that the image does not take.
    pub refused: Vec<Refused>,
    /// How many lines of the text the image took.
    pub taken: usize,
    /// What of these is not seen.
    pub remarks: Vec<Remark>,
}

/// What of a line that is taken an eye does not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line's number, from 1.
    pub number: usize,
    /// The line.
    pub line: String,
    /// What is not seen.
    pub what: String,
}

/// Where a line of a config stands in its text.
#[derive(Clone, Debug)]
pub struct Said {
    /// The line's number, from 1.
    pub number: usize,
    /// The mode instance.
    pub place: Place,
    /// Its form.
    pub form: FormId,
    /// The line.
    pub words: Words,
}

/// A line of a text that the image does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line's number, from 1.
    pub number: usize,
    /// The line, as far as it is text.
    pub line: String,
    /// Why it is not taken.
    pub trouble: LineError,
    /// What of it is not seen; empty if nothing.
    pub remark: String,
}

impl Refused {
    /// Why it is not taken, and what of it is not seen.
    pub fn why(&self) -> String {
        let between = if self.remark.is_empty() { "" } else { "; it has " };
        format!("{}{between}{}", self.trouble, self.remark)
    }
}

impl Running {
    /// Reads a text with an image. A line that the modes around it know is taken there, as routers
    /// write their files.
    pub fn read(image: &Image, text: &[u8]) -> Self {
        let mut running = Self {
            config: Config::factory(image.levels()),
            said: BTreeMap::new(),
            refused: Vec::new(),
            taken: 0,
            remarks: Vec::new(),
        };
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let mut edits = Vec::new();
        for statement in parse::text(image, image.own(), text, WalkUp::Yes) {
            let number = statement.number;
            let line = String::from_utf8_lossy(lines[number - 1]);
            let remark = unseen::remarks(&line).join("; ");
            let line = || line.trim().chars().filter(|c| !c.is_control()).collect();
            let (form, words) = match statement.found {
                Ok(found) => found,
                Err(trouble) => {
                    running.refused.push(Refused { number, line: line(), trouble, remark });
                    continue;
                }
            };
            running.taken += 1;
            if !remark.is_empty() {
                running.remarks.push(Remark { number, line: line(), what: remark });
            }
            let place = statement.place;
            let key = key_of(&place, words.text());
            let said = Said { number, place: place.clone(), form, words: words.clone() };
            // Of an instance that is entered again the first entry counts, of a line the last.
            if image.form(form).enters.is_some() {
                running.said.entry(key).or_insert(said);
            } else {
                running.said.insert(key, said);
            }
            let grammar = image.own();
            let config = &mut running.config;
            config.execute_line(image, grammar, &place, form, words, &mut edits);
            edits.clear();
        }
        running
    }
}

/// A line by words, as translations name it.
pub fn key_of(place: &Place, line: &str) -> ListKey {
    let entries: Vec<&str> = place.instances().iter().map(|(_, words)| words.text()).collect();
    ListKey { path: Shared::from(entries.join(" / ")), line: Shared::text(line) }
}

/// A line by words, for people: the entry lines before it.
pub fn shown(key: &ListKey) -> String {
    if key.path.is_empty() {
        key.line.to_string()
    } else {
        format!("{} / {}", &*key.path, &*key.line)
    }
}
