//! What an edit touched in one rung: which lines, places and lists may differ from before.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::config::{Config, Edit, EntryKind, LineKey, Place};
use crate::ids::FormId;
use crate::image::Image;

/// A set is merged into one that is at most so many times as large: a search costs as many steps.
const MERGE_SHARE: usize = 8;

/// Lines, mode instances and ordered lists that may differ between two states of one rung.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Lines that may have come, gone or changed.
    pub(crate) lines: BTreeSet<LineKey>,
    /// Mode instances that may have come, gone, or become entered or implied.
    pub(crate) places: BTreeSet<Place>,
    /// Ordered lists whose order may differ.
    pub(crate) lists: BTreeSet<(Place, FormId)>,
}

impl Touched {
    /// All of a config that some stage may do something about.
    pub(crate) fn from_config(image: &Image, config: &Config, concerned: &[bool]) -> Self {
        let concerns = |form: FormId| concerned[form.0 as usize];
        let around = |place: &Place| place.instances().iter().any(|(entry, _)| concerns(*entry));
        let touches = |key: &LineKey| concerns(key.form) || around(&key.place);
        let lines = config.lines().map(|(key, _)| key);
        let lines: BTreeSet<LineKey> = lines.filter(|key| touches(key)).cloned().collect();
        let ordered = lines.iter().filter(|key| image.form(key.form).ordered);
        let lists = ordered.map(|key| (key.place.clone(), key.form)).collect();
        // What is implied is there while something is in it, whoever it concerns.
        let entries = config.entries();
        let places = entries.filter(|(place, entry)| *entry == EntryKind::Implied || around(place));
        let places = places.map(|(place, _)| place.clone()).collect();
        Self { lines, places, lists }
    }

    /// Whether it names nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.places.is_empty() && self.lists.is_empty()
    }

    /// Takes another one in.
    pub(crate) fn add(&mut self, other: Self) {
        join(&mut self.lines, other.lines);
        join(&mut self.places, other.places);
        join(&mut self.lists, other.lists);
    }

    /// Applies `edits` to `config`, and says what they touched.
    pub(crate) fn from_edits(image: &Image, config: &mut Config, edits: &[Edit]) -> Self {
        let mut touched = Self::default();
        for edit in edits {
            match edit {
                Edit::Set { line, .. } | Edit::Unset(line) => {
                    if image.form(line.form).ordered {
                        touched.lists.insert((line.place.clone(), line.form));
                    }
                    touched.lines.insert(line.clone());
                }
                // What was in an instance that is left went before.
                Edit::Enter(place, _) | Edit::Leave(place) => {
                    touched.places.insert(place.clone());
                }
            }
            config.apply(image, edit);
        }
        touched
    }

    /// The edits that turn `before` into `after`, which differ in nothing else, in canonical order:
    /// lines go, instances go (inner ones first), instances come, lines come.
    pub(crate) fn difference(&self, image: &Image, before: &Config, after: &Config) -> Vec<Edit> {
        let mut edits = Vec::new();
        let gone = |key: &&LineKey| before.line(key).is_some() && after.line(key).is_none();
        edits.extend(self.lines.iter().filter(gone).cloned().map(Edit::Unset));
        let left = |place: &&Place| before.entry(place).is_some() && after.entry(place).is_none();
        edits.extend(self.places.iter().rev().filter(left).cloned().map(Edit::Leave));
        for place in &self.places {
            if let Some(entry) =
                after.entry(place).filter(|_| after.entry(place) != before.entry(place))
            {
                edits.push(Edit::Enter(place.clone(), entry));
            }
        }
        let mut lists = self.lists.clone();
        for key in &self.lines {
            if image.form(key.form).ordered {
                lists.insert((key.place.clone(), key.form));
            } else if let Some(to) = after.line(key).filter(|_| after.line(key) != before.line(key))
            {
                edits.push(Edit::Set { line: key.clone(), to: to.clone(), after: None });
            }
        }
        for (place, form) in lists {
            in_order(before, after, &place, form, &mut edits);
        }
        edits
    }
}

/// Takes all of `more` in: one by one, or both merged where that is less.
fn join<T: Ord>(all: &mut BTreeSet<T>, mut more: BTreeSet<T>) {
    if more.len() * MERGE_SHARE < all.len() {
        all.extend(more);
    } else {
        all.append(&mut more);
    }
}

/// The edits that bring an ordered list from what it was, less what went, to what it is.
fn in_order(before: &Config, after: &Config, place: &Place, form: FormId, edits: &mut Vec<Edit>) {
    let mut now = before.list(place, form);
    now.retain(|key| after.line(key).is_some());
    let mut behind = None;
    for (at, key) in after.list(place, form).into_iter().enumerate() {
        let line = after.line(&key).expect("what is in a list is a line");
        if now.get(at) != Some(&key) || before.line(&key) != Some(line) {
            now.retain(|other| *other != key);
            now.insert(at, key.clone());
            edits.push(Edit::Set { line: key.clone(), to: line.clone(), after: behind });
        }
        behind = Some(key.key);
    }
}
