//! What an edit touched in one rung: which lines, places and lists may differ from before.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::base::FormId;
use crate::config::{Config, Edit, LineKey, Place};
use crate::image::Image;

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
    pub(crate) fn of_config(image: &Image, config: &Config, concerned: &[bool]) -> Self {
        let mut touched = Self::default();
        let concerns = |form: FormId| concerned[form.0 as usize];
        let touches = |key: &LineKey| {
            concerns(key.form)
                || key
                    .place
                    .instances()
                    .iter()
                    .any(|(entry, _)| concerns(*entry))
        };
        for (key, _) in config.lines().filter(|(key, _)| touches(key)) {
            if image.form(key.form).ordered {
                touched.lists.insert((key.place.clone(), key.form));
            }
            touched.lines.insert(key.clone());
        }
        touched.places = config.entries().map(|(place, _)| place.clone()).collect();
        touched
    }

    /// Takes out what these choose.
    pub(crate) fn take(
        &mut self,
        line: impl FnMut(&LineKey) -> bool,
        place: impl FnMut(&Place) -> bool,
        list: impl FnMut(&(Place, FormId)) -> bool,
    ) -> Self {
        let (lines, places, lists) = (
            split(&mut self.lines, line),
            split(&mut self.places, place),
            split(&mut self.lists, list),
        );
        Self {
            lines,
            places,
            lists,
        }
    }

    /// Takes another one in.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.lines.append(&mut other.lines);
        self.places.append(&mut other.places);
        self.lists.append(&mut other.lists);
    }

    /// Applies `edits` to `config`, and says what they touched.
    pub(crate) fn of_edits(image: &Image, config: &mut Config, edits: &[Edit]) -> Self {
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

    /// The edits that turn `before` into `after`, which differ in nothing else, in canonical order: lines
    /// go, instances go (inner ones first), instances come, lines come.
    pub(crate) fn difference(&self, image: &Image, before: &Config, after: &Config) -> Vec<Edit> {
        let mut edits = Vec::new();
        let gone = |key: &&LineKey| before.line(key).is_some() && after.line(key).is_none();
        edits.extend(self.lines.iter().filter(gone).cloned().map(Edit::Unset));
        let left = |place: &&Place| before.entry(place).is_some() && after.entry(place).is_none();
        edits.extend(
            self.places
                .iter()
                .rev()
                .filter(left)
                .cloned()
                .map(Edit::Leave),
        );
        for place in &self.places {
            if let Some(entry) = after
                .entry(place)
                .filter(|_| after.entry(place) != before.entry(place))
            {
                edits.push(Edit::Enter(place.clone(), entry));
            }
        }
        let mut lists = self.lists.clone();
        for key in &self.lines {
            if image.form(key.form).ordered {
                lists.insert((key.place.clone(), key.form));
            } else if let Some(to) = after
                .line(key)
                .filter(|_| after.line(key) != before.line(key))
            {
                edits.push(Edit::Set {
                    line: key.clone(),
                    to: to.clone(),
                    after: None,
                });
            }
        }
        for (place, form) in lists {
            in_order(before, after, &place, form, &mut edits);
        }
        edits
    }
}

/// Takes the chosen ones out; often these are all of them, or none.
fn split<T: Ord>(of: &mut BTreeSet<T>, mut chosen: impl FnMut(&T) -> bool) -> BTreeSet<T> {
    let (taken, left) = core::mem::take(of).into_iter().partition(|one| chosen(one));
    *of = left;
    taken
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
            edits.push(Edit::Set {
                line: key.clone(),
                to: line.clone(),
                after: behind,
            });
        }
        behind = Some(key.key);
    }
}
