//! What is put back of a config, stated a second time: orphans where they stood, and groups that
//! lost something whole, in the place of what was made of them.

use std::collections::BTreeSet;

use skewsync::grammar::{Sign, Words, split_words};
use skewsync::ids::{FormId, Level};
use skewsync::image::{Grammar, Image};
use skewsync::parse::{self, Place};
use skewsync::translate::complement::{ByWords, Complement, ComplementKey, Complements};

use super::{At, Carried, Entered, Rung};

/// A line, or an entry, as an image reads it.
pub(super) type Read = (Place, FormId, Words);

/// The complements in the words of a component at a level.
pub(super) fn in_words_of<'k>(
    kept: &'k Complements,
    image: &Image,
    (component, level): (usize, Level),
) -> Vec<(&'k ComplementKey, &'k Complement)> {
    let name = &image.declarations().components[component].name;
    let is_of =
        |(key, _): &(&ComplementKey, &Complement)| *key.component == **name && key.level == level;
    kept.iter().filter(is_of).collect()
}

/// What a view reads.
pub(super) fn read(image: &Image, grammar: &Grammar, line: &ByWords) -> Option<Read> {
    let words = |place: &Place, words: &str| {
        let given: Vec<&str> = split_words(words).collect();
        parse::words(image, grammar, place.mode(image), &given).ok()
    };
    let mut place = Place::root();
    for entry in &line.path {
        let (form, entry) = words(&place, entry)?;
        image.form(form).enters.filter(|_| entry.sign() == Sign::Positive)?;
        place = place.child(form, entry);
    }
    let (form, line) = words(&place, &line.line)?;
    Some((place, form, line))
}

/// A line by words.
pub(super) fn by_words(line: &Carried) -> ByWords {
    let text = |words: &Words| skewsync::digest::Shared::text(words.text());
    let path = line.place.instances().iter().map(|(_, words)| text(words)).collect();
    ByWords { path, line: text(&line.words) }
}

/// Between two places of one line of the document so many others find room.
const ROOM: usize = 1 << 40;

impl Rung {
    /// Puts orphans back: an outer one before an inner one, and none before what it stood behind.
    pub(super) fn put_back(&mut self, image: &Image, mut due: Vec<(&ComplementKey, &Complement)>) {
        due.retain(|(_, complement)| complement.made.is_empty());
        due.sort_by_key(|(key, _)| key.line.path.len());
        let grammar = (!due.is_empty()).then(|| image.grammar(&self.levels));
        while let Some(grammar) = grammar.as_ref().filter(|_| !due.is_empty()) {
            let is_free = |(key, orphan): &(&ComplementKey, &Complement)| {
                let waits_for = |(other, _): &(&ComplementKey, &Complement)| {
                    other.line.path == key.line.path
                        && other != key
                        && orphan.behind.as_ref() == Some(&other.line.line)
                };
                !due.iter().any(waits_for)
            };
            let next = due.iter().position(is_free).unwrap_or(0);
            let (key, orphan) = due.remove(next);
            self.put_one_back(image, grammar, &key.line, orphan);
            self.put_together();
        }
    }

    fn put_one_back(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        line: &ByWords,
        orphan: &Complement,
    ) -> Option<()> {
        let (place, form, words) = read(image, grammar, line)?;
        let stands = place.instances().iter().take(orphan.stands.into());
        let stands = stands.fold(Place::root(), |at, (form, words)| at.child(*form, words.clone()));
        let places = self.places();
        if !stands.is_root() && !places.contains(&stands) {
            return None;
        }
        let behind = orphan.behind.as_ref().map(|behind| {
            let sibling = ByWords { path: line.path.clone(), line: behind.clone() };
            read(image, grammar, &sibling)
        });
        if image.form(form).enters.is_some() && words.sign() == Sign::Positive {
            let inner = place.child(form, words);
            if !places.contains(&inner) {
                let at = self.room(image, &place, behind);
                let number = usize::MAX - self.entered.len();
                self.entered.push(Entered { number, place: Some(inner), at });
            }
            return Some(());
        }
        let carried = Carried { place, form, words, from: Vec::new(), at: (0, 0), free: false };
        let key = carried.key(image);
        let there = self.lines.iter().position(|line| line.key(image) == key);
        if let Some(there) = there {
            if !self.lines[there].from.is_empty() {
                return None;
            }
            // What absence says gives way.
            self.lines.remove(there);
        }
        let at = self.room(image, &carried.place, behind);
        self.lines.push(Carried { at, ..carried });
        Some(())
    }

    /// Room in a place: at its beginning, right behind an item, or at its end if that is gone.
    fn room(&self, image: &Image, place: &Place, behind: Option<Option<Read>>) -> At {
        let stands_in = |line: &&Carried| line.place == *place;
        let lines = self.lines.iter().filter(stands_in).map(|line| (line.at, Ok(line)));
        let depth = place.instances().len() + 1;
        // An instance that nobody entered stands where the first of what is in it stands.
        let mut inner: Vec<(At, Result<&Carried, Place>)> = Vec::new();
        let inside: BTreeSet<Place> = self
            .places()
            .into_iter()
            .filter(|inner| inner.instances().len() == depth && inner.is_within(place))
            .collect();
        for instance in inside {
            let entered = self.entered.iter().find(|of| of.place.as_ref() == Some(&instance));
            let first = || {
                let lines = self.lines.iter().filter(|line| line.place.is_within(&instance));
                lines.map(|line| line.at).min()
            };
            let at = entered.map(|entered| entered.at).or_else(first);
            inner.extend(at.map(|at| (at, Err(instance.clone()))));
        }
        let mut items: Vec<(At, Result<&Carried, Place>)> = lines.chain(inner).collect();
        items.sort_by_key(|(at, _)| *at);
        let found = match &behind {
            None => None,
            Some(behind) => {
                let is_it = |(_, item): &(At, Result<&Carried, Place>)| match (item, behind) {
                    (_, None) => false,
                    (Ok(line), Some((place, form, words))) => {
                        let sibling = (place.clone(), *form, words.clone());
                        let sibling = Carried {
                            place: sibling.0,
                            form: sibling.1,
                            words: sibling.2,
                            from: Vec::new(),
                            at: (0, 0),
                            free: false,
                        };
                        line.key(image) == sibling.key(image)
                    }
                    (Err(inner), Some((place, form, words))) => {
                        let last = inner.instances().last();
                        inner.parent().as_ref() == Some(place)
                            && last.is_some_and(|(entry, of)| entry == form && of == words)
                    }
                };
                Some(items.iter().position(is_it))
            }
        };
        let own = |place: &Place| {
            let entered = self.entered.iter().find(|of| of.place.as_ref() == Some(place));
            entered.map_or((0, 0), |entered| entered.at)
        };
        // A place that is made for it comes last in the one around it.
        let is_there = place.is_root() || self.places().contains(place);
        match found {
            _ if !is_there => (usize::MAX / 2, self.lines.len()),
            None => match items.first() {
                Some(((first, _), _)) => (first - 1, ROOM),
                None => (own(place).0, ROOM),
            },
            Some(Some(at)) => {
                let (line, part) = items[at].0;
                let inner = match &items[at].1 {
                    Ok(_) => line,
                    // Behind all that is in it.
                    Err(instance) => {
                        let within = self.lines.iter().filter(|of| of.place.is_within(instance));
                        within.map(|of| of.at.0).max().unwrap_or(line)
                    }
                };
                if inner == line { (line, part + 1) } else { (inner, ROOM) }
            }
            Some(None) if place.is_root() || !items.is_empty() => {
                (usize::MAX / 2, self.lines.len())
            }
            Some(None) => (own(place).0, ROOM),
        }
    }
}
