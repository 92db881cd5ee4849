//! What was lost of a config on its way to another release, kept for the way back.
//!
//! A *complement* is of a group that went with a declared loss: the lines of the group, and those
//! that were made of it. The way back takes the lines of the group while what was made of them
//! stands there unchanged. An *orphan* is a line that did not go at all, or an instance in which
//! nothing goes: nothing was made of it, and the way back puts it where it stood.
//!
//! Everything here is by words, since it crosses units of other images and their stores. A unit
//! that acts keeps the complements that it took over, and gives them on. It discards one with the
//! first edit of what it rests on.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::restore::{enters, is_in_words_of, read_line};
use crate::config::{Config, Edit, Item, LineKey, Place};
use crate::digest::Shared;
use crate::ids::Level;
use crate::image::Image;

/// A line, or the entry of an instance, by words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByWords {
    /// The entries of the instances around it, outermost first.
    pub path: Vec<Shared<str>>,
    /// Its words.
    pub line: Shared<str>,
}

/// What a complement is known by: whose words its lines are, and the first of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComplementKey {
    /// The component's name.
    pub component: Shared<str>,
    /// The level of the component that has these words.
    pub level: Level,
    /// The first line that was lost.
    pub line: ByWords,
}

/// A complement, or an orphan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Complement {
    /// The lines of the group, as they were.
    pub lost: Vec<ByWords>,
    /// The lines that were made of them; none: it is an orphan.
    pub made: Vec<ByWords>,
    /// Of an orphan: so many of the instances around it stand on the other side, too.
    pub stands: u16,
    /// Of an orphan: what it stood behind; none: it was the first in its place.
    pub behind: Option<Shared<str>>,
    /// Whether the peer may put it back: the unit that gives it on has it from before it acted, and
    /// its own way does not come to these words. What it could not say itself just now is not for
    /// the peer to put back.
    pub owed: bool,
    /// The lines and instances, in the words of the config that it is kept beside, that it rests
    /// on.
    pub rests_on: Vec<ByWords>,
}

/// Complements and orphans.
pub type Complements = BTreeMap<ComplementKey, Complement>;

impl ByWords {
    /// The line of this key; none: it is not there.
    pub(crate) fn of_line(config: &Config, key: &LineKey) -> Option<Self> {
        let line = Shared::text(config.line(key)?.words.text());
        Some(Self { path: entries(&key.place), line })
    }

    /// The entry of an instance; none: it is the root.
    pub(crate) fn of_place(place: &Place) -> Option<Self> {
        let mut path = entries(place);
        let line = path.pop()?;
        Some(Self { path, line })
    }

    /// An item of a place.
    pub(crate) fn of_item(config: &Config, place: &Place, item: &Item) -> Option<Self> {
        match item.line_in(place) {
            Some(key) => Self::of_line(config, &key),
            None => Self::of_place(&item.place_in(place)?),
        }
    }

    /// The line with the modes that it stands in, as one text.
    pub fn placed(&self) -> Shared<str> {
        let words: Vec<&str> = self.path.iter().chain([&self.line]).map(|words| &**words).collect();
        Shared::from(words.join(" / "))
    }

    /// Whether it is in this instance, or is its entry.
    fn is_within(&self, entries: &[Shared<str>]) -> bool {
        let mut words = self.path.iter().chain([&self.line]);
        entries.iter().all(|entry| words.next() == Some(entry))
    }
}

/// The entries of an instance and of those around it, outermost first.
fn entries(place: &Place) -> Vec<Shared<str>> {
    place.instances().iter().map(|(_, words)| Shared::text(words.text())).collect()
}

/// Takes out of `kept` what rests on lines and instances of `before` that `edits` change or take
/// away, and orphans in the own words that another line takes the place of.
///
/// # Shape
/// The complements that were discarded.
pub(crate) fn discard(
    kept: &mut Complements,
    image: &Image,
    before: &Config,
    edits: &[Edit],
) -> Complements {
    if kept.is_empty() {
        return Complements::new();
    }
    let mut lines: Vec<ByWords> = Vec::new();
    let mut places: Vec<Vec<Shared<str>>> = Vec::new();
    for edit in edits {
        match edit {
            Edit::Set { line, to, .. } if before.line(line) != Some(to) => {
                lines.extend(ByWords::of_line(before, line));
            }
            Edit::Unset(line) => lines.extend(ByWords::of_line(before, line)),
            Edit::Leave(place) => places.push(entries(place)),
            Edit::Set { .. } | Edit::Enter { .. } => {}
        }
    }
    let is_gone =
        |on: &ByWords| lines.contains(on) || places.iter().any(|entries| on.is_within(entries));
    let is_displaced = |of: &ComplementKey, complement: &Complement| {
        complement.made.is_empty()
            && read_line(image, image.own(), &of.line).is_some_and(|(key, line)| {
                let sets = |edit: &Edit| matches!(edit, Edit::Set { line, .. } if *line == key);
                is_in_words_of(image, of, key.form, before.levels())
                    && !enters(image, &key, &line)
                    && edits.iter().any(sets)
            })
    };
    let gone: Vec<ComplementKey> = kept
        .iter()
        .filter(|(of, complement)| {
            complement.rests_on.iter().any(is_gone) || is_displaced(of, complement)
        })
        .map(|(key, _)| key.clone())
        .collect();
    gone.into_iter().filter_map(|key| kept.remove_entry(&key)).collect()
}
