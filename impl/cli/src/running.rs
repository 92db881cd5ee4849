//! A running config as it is read from a file: what it comes to, and which line of the text said
//! what.

use std::collections::BTreeMap;

use skewsync::digest::Shared;

use skewsync::config::{Config, Edit, LineKey, Place};
use skewsync::grammar::{self, Form, Words};
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
    /// Lines of which a later one left nothing, by their numbers.
    pub overwritten: Vec<Overwritten>,
}

/// A line of a text of which a later line left nothing: it sets another value, or takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwritten {
    /// Its number, from 1, and the line with the entries before it.
    pub line: (usize, String),
    /// The same of the later one.
    pub by: (usize, String),
}

/// Which lines of the text a line of the config came of, with the entries before them.
type SetBy = BTreeMap<LineKey, Vec<(usize, String)>>;

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
            overwritten: Vec::new(),
        };
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let mut edits = Vec::new();
        let mut set_by = SetBy::new();
        for statement in parse::text(image, image.own(), text, WalkUp::Yes) {
            let number = statement.number;
            let line = String::from_utf8_lossy(lines[number - 1]);
            let mut remarks = unseen::remarks(&line);
            let of_text = |(form, _): &(FormId, Words)| {
                image.form(*form).form.leaves().iter().any(|leaf| leaf.token.is_text())
            };
            if !statement.found.as_ref().is_ok_and(of_text) {
                remarks.extend(unseen::text_opened(&line, number, &lines));
            }
            if let Ok((form, words)) = &statement.found
                && joins_blanks(&image.form(*form).form, words, &line)
            {
                remarks.push("blanks in a row, which are kept as one".to_owned());
            }
            let remark = remarks.join("; ");
            let line = || line.trim().chars().filter(|c| !c.is_control()).collect();
            let (form, words) = match &statement.found {
                Ok((form, words)) => (*form, words.clone()),
                Err(trouble) => {
                    let trouble = trouble.clone();
                    running.refused.push(Refused { number, line: line(), trouble, remark });
                    continue;
                }
            };
            running.taken += 1;
            if !remark.is_empty() {
                running.remarks.push(Remark { number, line: line(), what: remark });
            }
            let place = &statement.place;
            let key = key_of(place, words.text());
            let said = Said { number, place: place.clone(), form, words: words.clone() };
            let text = shown(&key);
            let adds = statement.list.is_some();
            // Of an instance that is entered again the first entry counts, of a line the last. A
            // line that changes a list is none.
            if image.form(form).enters.is_some() {
                running.said.entry(key).or_insert(said);
            } else if !adds {
                running.said.insert(key, said);
            }
            let config = &mut running.config;
            let executed = config.execute_statement(image, image.own(), statement, &mut edits);
            if let Err(trouble) = executed {
                let remark = String::new();
                running.refused.push(Refused { number, line: text, trouble, remark });
                running.taken -= 1;
                continue;
            }
            for edit in edits.drain(..) {
                running.tell(&edit, (number, &text), adds, &mut set_by);
            }
        }
        running
    }

    /// Notes what an edit of the line `by` left of earlier ones.
    fn tell(&mut self, edit: &Edit, by: (usize, &str), adds: bool, set_by: &mut SetBy) {
        let (number, text) = by;
        let by = || (number, text.to_owned());
        let before = match edit {
            Edit::Set { line, to, .. } if adds => {
                let key = key_of(&line.place, to.words.text());
                let (place, form, words) = (line.place.clone(), line.form, to.words.clone());
                self.said.insert(key, Said { number, place, form, words });
                set_by.entry(line.clone()).or_default().push(by());
                return;
            }
            Edit::Set { line, .. } => set_by.insert(line.clone(), vec![by()]),
            Edit::Unset(line) => set_by.remove(line),
            Edit::Enter { .. } | Edit::Leave(_) => None,
        };
        let gone = before.into_iter().flatten();
        self.overwritten.extend(gone.map(|line| Overwritten { line, by: by() }));
    }
}

/// Whether words to the end of a line are kept with other blanks than it has.
fn joins_blanks(form: &Form, words: &Words, line: &str) -> bool {
    let Some(first) = words.iter().position(|(leaf, _)| form.leaf(leaf).variadic) else {
        return false;
    };
    let mut rest = line.trim();
    for _ in 0..first {
        rest = rest.find(char::is_whitespace).map_or("", |end| rest[end..].trim_start());
    }
    rest.contains("  ") || rest.contains('\t')
}

/// A line by words, as translations name it.
pub fn key_of(place: &Place, line: &str) -> ListKey {
    let entries: Vec<&str> = place.instances().iter().map(|(_, words)| words.text()).collect();
    ListKey { path: Shared::from(entries.join(" / ")), line: Shared::text(line) }
}

/// A line by words, for people: the entry lines before it.
pub fn shown(key: &ListKey) -> String {
    let line = grammar::shown(&key.line);
    if key.path.is_empty() {
        line.into_owned()
    } else {
        format!("{} / {line}", grammar::shown(&key.path))
    }
}
