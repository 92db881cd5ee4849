//! A config as text, and edits as text: places as entry lines, lines as words, so that a unit with
//! other form ids reads them with its own forms.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Config, Edit, EntryKind, Item, Line, LineKey, Place};
use crate::grammar::{Sign, split_words};
use crate::ids::FormId;
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
    /// The config as text: in its order, one blank of indentation a level, explicit exits. A text
    /// over several lines stands as it was read.
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
        for item in self.items(place) {
            if let Some(key) = item.line_in(place) {
                put(depth, &self.body.lines[&key].line.words.written(), text);
            } else if let (Item::Place(_, entry), Some(inner)) = (item, item.place_in(place)) {
                put(depth, &entry.written(), text);
                self.render_in(&inner, depth + 1, text);
                put(depth + 1, "exit", text);
            }
        }
    }
}

/// Edits as text.
///
/// # Shape
/// One line an edit: a sign, the entry lines of the place, and the line, separated by tabs. Signs:
/// `-` a line goes (its form, empty where the whole line is the key; its key), `<` an instance
/// goes, `>` one is entered, `~` one is implied, `+` a line comes. What comes says at its end
/// behind which item of its place: a line as one that goes, an instance as an empty field and its
/// entry, or two empty fields: it is the first.
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
    // A key alone is no line, so its form is said. Where the whole line is the key, the reader
    // finds the form as it does for a line that comes: another image may write it otherwise.
    let form_of = |form: FormId| {
        let decl = image.form(form);
        decl.key.as_ref().map_or("", |_| decl.form.normal())
    };
    let behind = |after: &Option<Item>| match after {
        None => [String::new(), String::new()],
        Some(Item::Line(form, key)) => [form_of(*form).into(), key.text().into()],
        Some(Item::Place(_, entry)) => [String::new(), entry.text().into()],
    };
    for edit in edits {
        match edit {
            Edit::Unset(key) => put('-', &key.place, &[form_of(key.form), key.key.text()]),
            Edit::Leave(place) => put('<', place, &[]),
            Edit::Enter { place, entry, after } => {
                let sign = match entry {
                    EntryKind::Entered => '>',
                    EntryKind::Implied => '~',
                };
                let [form, key] = behind(after);
                put(sign, place, &[&form, &key]);
            }
            Edit::Set { line, to, after } => {
                let [form, key] = behind(after);
                put('+', &line.place, &[to.words.text(), &form, &key]);
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
        if fields.len() > DEPTH_MAX + 4 {
            return Err(shape());
        }
        let sign = fields.remove(0);
        let of_rest = match sign {
            "<" => 0,
            "-" | ">" | "~" => 2,
            "+" => 3,
            _ => return Err(shape()),
        };
        let of_place = fields.len().checked_sub(of_rest).ok_or_else(shape)?;
        let rest = fields.split_off(of_place);
        if fields.is_empty() && matches!(sign, "<" | ">" | "~") {
            return Err(shape());
        }
        let read = |trouble| EditsError::Line { number, trouble };
        let place = place_of(image, grammar, &fields).map_err(read)?;
        let item = |place: &Place, form: &str, key: &str| -> Result<Item, EditsError> {
            let found = item_of(image, grammar, place, form, key).map_err(read)?;
            found.ok_or_else(shape)
        };
        let behind = |place: &Place, form: &str, key: &str| match key {
            "" if form.is_empty() => Ok(None),
            key => item(place, form, key).map(Some),
        };
        edits.push(match (sign, &rest[..]) {
            ("<", _) => Edit::Leave(place),
            (">" | "~", [form, key]) => {
                let entry = if sign == ">" { EntryKind::Entered } else { EntryKind::Implied };
                let after = behind(&place.parent().unwrap_or_default(), form, key)?;
                Edit::Enter { place, entry, after }
            }
            ("+", [words, form, key]) => {
                let (line, to) = line_of(image, grammar, &place, words).map_err(read)?;
                let after = behind(&place, form, key)?;
                Edit::Set { line, to, after }
            }
            (_, [form, key]) => {
                Edit::Unset(item(&place, form, key)?.line_in(&place).ok_or_else(shape)?)
            }
            _ => return Err(shape()),
        });
    }
    Ok(edits)
}

/// The item of `place` that a form and a key name: see [`render_edits`]. None: there is no such
/// form, or the key is none of it.
fn item_of(
    image: &Image,
    grammar: &Grammar,
    place: &Place,
    form: &str,
    key: &str,
) -> Result<Option<Item>, LineError> {
    let mode = place.mode(image);
    if form.is_empty() {
        let given: Vec<&str> = split_words(key).collect();
        if let Ok((form, words)) = parse::words(image, grammar, mode, &given)
            && image.form(form).enters.is_some()
            && words.sign() == Sign::Positive
        {
            return Ok(Some(Item::Place(form, words)));
        }
        // The key of a `no` line that has no positive one is its words without `no`.
        let negated = || line_of(image, grammar, place, &alloc::format!("no {key}"));
        let found = line_of(image, grammar, place, key);
        let (line, _) = found.or_else(|trouble| negated().map_err(|_| trouble))?;
        return Ok(Some(Item::of_line(&line)));
    }
    let entry = image.forms().find(|(_, decl)| {
        let level = grammar.levels()[usize::from(decl.component.0)];
        decl.mode == mode && decl.form.normal() == form && decl.lives_at(level)
    });
    Ok(entry.and_then(|(form, decl)| {
        let key = decl.form.key_words(decl.key.as_deref(), key)?;
        Some(Item::Line(form, key))
    }))
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

/// A line by its words.
///
/// # Errors
/// [`LineError`] if the view does not take it.
pub(crate) fn line_of(
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
