//! A config as text, and edits as text: places as entry lines, lines as words, so that a unit with
//! other form ids reads them with its own forms.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Config, Edit, EntryKind, Line, LineKey, Place};
use crate::grammar::{Sign, split_words};
use crate::image::{Grammar, Image};
use crate::parse::{self, LineError};

/// How deep instances may nest in a text of edits.
const DEPTH_MAX: usize = 16;

/// Why a text of edits cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditsError {
    /// A line of it has no such shape.
    #[error("edit {number}: not an edit")]
    Shape {
        /// Its number, from 1.
        number: usize,
    },
    /// The view does not take a line of it.
    #[error("edit {number}: {trouble}")]
    Line {
        /// Its number, from 1.
        number: usize,
        /// What is wrong with the line.
        trouble: LineError,
    },
}

impl Config {
    /// The config as text: canonical order, one blank of indentation a level, explicit exits.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.render_in(&Place::root(), 0, &mut text);
        text
    }

    fn render_in(&self, place: &Place, depth: usize, text: &mut String) {
        let put = |depth: usize, line: &str, text: &mut String| {
            text.extend(core::iter::repeat_n(' ', depth));
            text.push_str(line);
            text.push('\n');
        };
        let mut listed = None;
        for (key, line) in self.lines_in(place) {
            match self.order(place, key.form) {
                Some(_) if listed == Some(key.form) => {}
                Some(order) => {
                    listed = Some(key.form);
                    for sibling in order.keys() {
                        let key = LineKey { key: sibling.clone(), ..key.clone() };
                        put(depth, self.body.lines[&key].line.words.text(), text);
                    }
                }
                None => put(depth, line.words.text(), text),
            }
        }
        for child in self.children(place) {
            let (_, entry) = child.instances().last().expect("a child has an entry line");
            put(depth, entry.text(), text);
            self.render_in(&child, depth + 1, text);
            put(depth + 1, "exit", text);
        }
    }
}

/// Edits as text.
///
/// # Shape
/// One line an edit: a sign, the entry lines of the place, and the line, separated by tabs. Signs:
/// `-` a line goes (its form, empty where the whole line is the key; its key), `<` an instance
/// goes, `>` one is entered, `~` one is implied, `+` a line comes (last field: `first` or the
/// sibling's key that it comes behind, if the form is ordered).
pub fn render_edits(image: &Image, edits: &[Edit]) -> String {
    let mut text = String::new();
    let mut put = |sign: char, place: &Place, rest: &[&str]| {
        text.push(sign);
        for (_, words) in place.instances() {
            text.push('\t');
            text.push_str(words.text());
        }
        for part in rest {
            text.push('\t');
            text.push_str(part);
        }
        text.push('\n');
    };
    for edit in edits {
        match edit {
            Edit::Unset(key) => {
                // A key alone is no line, so its form is said. Where the whole line is the key, the
                // reader finds the form as it does for a line that comes: another image may write
                // it otherwise.
                let decl = image.form(key.form);
                let form = decl.key.as_ref().map_or("", |_| decl.form.normal());
                put('-', &key.place, &[form, key.key.text()]);
            }
            Edit::Leave(place) => put('<', place, &[]),
            Edit::Enter(place, EntryKind::Entered) => put('>', place, &[]),
            Edit::Enter(place, EntryKind::Implied) => put('~', place, &[]),
            Edit::Set { line, to, after } => {
                let after = match (image.form(line.form).ordered, after) {
                    (false, Some(_) | None) => "",
                    (true, None) => "first",
                    (true, Some(key)) => key.text(),
                };
                put('+', &line.place, &[to.words.text(), after]);
            }
        }
    }
    text
}

/// Reads edits that were rendered with the same view.
///
/// # Errors
/// See [`EditsError`].
pub fn read_edits(image: &Image, grammar: &Grammar, text: &str) -> Result<Vec<Edit>, EditsError> {
    let mut edits = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let shape = || EditsError::Shape { number };
        let mut fields: Vec<&str> = line.split('\t').collect();
        if fields.len() > DEPTH_MAX + 3 {
            return Err(shape());
        }
        let sign = fields.remove(0);
        let rest = match sign {
            "-" | "+" if fields.len() >= 2 => fields.split_off(fields.len() - 2),
            "<" | ">" | "~" if !fields.is_empty() => Vec::new(),
            _ => return Err(shape()),
        };
        let read = |trouble| EditsError::Line { number, trouble };
        let place = place_of(image, grammar, &fields).map_err(read)?;
        edits.push(match (sign, &rest[..]) {
            ("<", _) => Edit::Leave(place),
            (">", _) => Edit::Enter(place, EntryKind::Entered),
            ("~", _) => Edit::Enter(place, EntryKind::Implied),
            ("+", [words, after]) => {
                let (line, to) = line_of(image, grammar, &place, words).map_err(read)?;
                let siblings = image.form(line.form);
                let after = match *after {
                    "" | "first" => None,
                    key => Some(
                        siblings.form.key_words(siblings.key.as_deref(), key).ok_or_else(shape)?,
                    ),
                };
                Edit::Set { line, to, after }
            }
            (_, ["", line]) => {
                // The key of a `no` line that has no positive one is its words without `no`.
                let negated = || line_of(image, grammar, &place, &alloc::format!("no {line}"));
                let found = line_of(image, grammar, &place, line);
                let (key, _) = found.or_else(|trouble| negated().map_err(|_| read(trouble)))?;
                Edit::Unset(key)
            }
            (_, [form, key]) => {
                let mode = place.mode(image);
                let entry = image.forms().find(|(_, decl)| {
                    let level = grammar.levels()[usize::from(decl.component.0)];
                    decl.mode == mode && decl.form.normal() == *form && decl.lives_at(level)
                });
                let (form, decl) = entry.ok_or_else(shape)?;
                let key = decl.form.key_words(decl.key.as_deref(), key).ok_or_else(shape)?;
                Edit::Unset(LineKey { place, form, key })
            }
            _ => return Err(shape()),
        });
    }
    Ok(edits)
}

/// The place that these entry lines lead to.
///
/// # Errors
/// [`LineError`] of the first entry line that the view does not take.
pub fn place_of(image: &Image, grammar: &Grammar, entries: &[&str]) -> Result<Place, LineError> {
    let mut place = Place::root();
    for entry in entries {
        let given: Vec<&str> = split_words(entry).collect();
        let mode = place.mode(image);
        let (form, words) = parse::words(image, grammar, mode, &given)?;
        if image.form(form).enters.is_none() || words.sign() == Sign::No {
            return Err(LineError::UnknownMode { mode: (*entry).into() });
        }
        place = place.child(form, words);
    }
    Ok(place)
}

fn line_of(
    image: &Image,
    grammar: &Grammar,
    place: &Place,
    line: &str,
) -> Result<(LineKey, Line), LineError> {
    let given: Vec<&str> = split_words(line).collect();
    let (form, words) = parse::words(image, grammar, place.mode(image), &given)?;
    let (mut key, line) = Line::new(image, place.clone(), form, words);
    if line.sign == Sign::No && image.form(form).key.is_none() {
        let positive = line.words.without_no();
        let given: Vec<&str> = split_words(positive.text()).collect();
        if let Ok((form, words)) = parse::words(image, grammar, place.mode(image), &given) {
            key = LineKey { place: place.clone(), form, key: words };
        }
    }
    Ok((key, line))
}
