//! What an edit touched in one rung: which lines and places may differ from before, or stand
//! elsewhere.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::config::{Config, Edit, EntryKind, Item, LineKey, Place};
use crate::ids::FormId;
use crate::image::Image;

/// A set is merged into one that is at most so many times as large: a search costs as many steps.
const MERGE_SHARE: usize = 8;

/// Lines and mode instances that may differ between two states of one rung.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Lines that may have come, gone, changed or moved in their place.
    pub(crate) lines: BTreeSet<LineKey>,
    /// Mode instances that may have come, gone, moved, or become entered or implied.
    pub(crate) places: BTreeSet<Place>,
    /// Of the instances: those that moved. What is in them stands elsewhere in the document.
    pub(crate) moved: BTreeSet<Place>,
}

impl Touched {
    /// All of a config that some stage may do something about.
    pub(crate) fn from_config(config: &Config, concerned: &[bool]) -> Self {
        let concerns = |form: FormId| concerned[form.0 as usize];
        let around = |place: &Place| place.instances().iter().any(|(entry, _)| concerns(*entry));
        let touches = |key: &LineKey| concerns(key.form) || around(&key.place);
        let lines = config.lines().map(|(key, _)| key);
        let lines: BTreeSet<LineKey> = lines.filter(|key| touches(key)).cloned().collect();
        // What is implied is there while something is in it, whoever it concerns.
        let entries = config.entries();
        let places = entries.filter(|(place, entry)| *entry == EntryKind::Implied || around(place));
        let places = places.map(|(place, _)| place.clone()).collect();
        Self { lines, places, moved: BTreeSet::new() }
    }

    /// All lines and instances of these.
    pub(crate) fn of_all(configs: &[&Config]) -> Self {
        let lines = configs.iter().flat_map(|config| config.lines());
        let places = configs.iter().flat_map(|config| config.entries());
        Self {
            lines: lines.map(|(key, _)| key.clone()).collect(),
            places: places.map(|(place, _)| place.clone()).collect(),
            moved: BTreeSet::new(),
        }
    }

    /// Whether it names nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.places.is_empty()
    }

    /// Takes another one in.
    pub(crate) fn add(&mut self, other: Self) {
        join(&mut self.lines, other.lines);
        join(&mut self.places, other.places);
        join(&mut self.moved, other.moved);
    }

    /// Applies `edits` to `config`, and says what they touched.
    pub(crate) fn from_edits(image: &Image, config: &mut Config, edits: &[Edit]) -> Self {
        let mut touched = Self::default();
        for edit in edits {
            match edit {
                Edit::Set { line, .. } | Edit::Unset(line) => {
                    touched.lines.insert(line.clone());
                }
                // What was in an instance that is left went before.
                Edit::Leave(place) => {
                    touched.places.insert(place.clone());
                }
                Edit::Enter { place, after, .. } => {
                    if config.entry(place).is_some() && behind(config, place) != after.as_ref() {
                        touched.moved.insert(place.clone());
                    }
                    touched.places.insert(place.clone());
                }
            }
            config.apply(image, edit);
        }
        touched
    }

    /// The edits that turn `before` into `after`, which differ in nothing else: lines go, instances
    /// go (inner ones first); then what comes, changes or moves, as it stands in the document.
    pub(crate) fn difference(&self, before: &Config, after: &Config) -> Vec<Edit> {
        let mut edits = Vec::new();
        let gone = |key: &&LineKey| before.line(key).is_some() && after.line(key).is_none();
        edits.extend(self.lines.iter().filter(gone).cloned().map(Edit::Unset));
        let left = |place: &&Place| before.entry(place).is_some() && after.entry(place).is_none();
        edits.extend(self.places.iter().rev().filter(left).cloned().map(Edit::Leave));
        let lines = self
            .lines
            .iter()
            .map(|key| (after.position(key), key.place.clone(), Item::of_line(key)));
        let places = self.places.iter().filter_map(|place| {
            Some((after.place_position(place), place.parent()?, Item::of_place(place)?))
        });
        let stand = lines.chain(places).filter_map(|(at, place, item)| Some((at?, place, item)));
        let mut stand: Vec<(Vec<u64>, Place, Item)> = stand.collect();
        stand.sort();
        // Of what was touched: what stands still.
        let mut still: BTreeSet<(&Place, &Item)> = BTreeSet::new();
        let touched: BTreeSet<(&Place, &Item)> =
            stand.iter().map(|(_, place, item)| (place, item)).collect();
        for (_, place, item) in &stand {
            let is_still = |other: &&Item| {
                let at = (place, *other);
                after.has(place, other) && (!touched.contains(&at) || still.contains(&at))
            };
            let was_there = before.has(place, item);
            let moved = was_there
                && before.items_before(place, item).find(is_still)
                    != after.items_before(place, item).find(is_still);
            let comes = match (item.line_in(place), item.place_in(place)) {
                (Some(key), _) => {
                    let to =
                        after.line(&key).filter(|_| moved || after.line(&key) != before.line(&key));
                    to.map(|to| {
                        let after = after.before(place, item).cloned();
                        Edit::Set { line: key, to: to.clone(), after }
                    })
                }
                (None, Some(inner)) => {
                    let to = after.entry(&inner);
                    to.filter(|_| moved || to != before.entry(&inner)).map(|entry| {
                        let after = after.before(place, item).cloned();
                        Edit::Enter { place: inner, entry, after }
                    })
                }
                (None, None) => None,
            };
            if was_there && !moved {
                still.insert((place, item));
            }
            edits.extend(comes);
        }
        edits
    }
}

/// The item that an instance stands behind in the place around it.
fn behind<'a>(config: &'a Config, place: &Place) -> Option<&'a Item> {
    config.before(&place.parent()?, &Item::of_place(place)?)
}

/// Takes all of `more` in: one by one, or both merged where that is less.
fn join<T: Ord>(all: &mut BTreeSet<T>, mut more: BTreeSet<T>) {
    if more.len() * MERGE_SHARE < all.len() {
        all.extend(more);
    } else {
        all.append(&mut more);
    }
}
