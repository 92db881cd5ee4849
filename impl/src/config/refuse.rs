//! What an image refuses of a config for what else is there, and the order that needs ask for.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::{Config, Edit, Item, LineKey, ListId, Place};
use crate::digest::Shared;
use crate::ids::{Level, ModeId};
use crate::image::{Image, Refusal};

/// A line that an image refuses where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// The line.
    pub line: LineKey,
    /// What it does not stand beside, or not without; by words.
    pub other: Shared<str>,
    /// Whether it does not stand without the other.
    pub without: bool,
    /// Why, as declared.
    pub why: Shared<str>,
}

/// A line of a pattern, with the values that the other pattern shares.
type Found<'a> = (&'a LineKey, Vec<Option<String>>);

impl Config {
    /// All lines that the image refuses at these levels for what else is there.
    ///
    /// # Shape
    /// Of two that do not stand together: that of the second form, or of one form that of the
    /// greater key. In the order of the declarations and the config.
    pub fn refused(&self, image: &Image, levels: &[Level]) -> Vec<Refused> {
        let holding = image.refusals_at(levels);
        let of = holding.flat_map(|refusal| {
            let places = self.places_of(image, refusal.mode);
            places.into_iter().flat_map(|place| self.refused_by(refusal, &place))
        });
        of.collect()
    }

    /// The same of one mode instance.
    pub(super) fn refused_in(
        &self,
        image: &Image,
        levels: &[Level],
        place: &Place,
    ) -> Vec<Refused> {
        let mode = place.mode(image);
        let holding = image.refusals_at(levels).filter(|refusal| refusal.mode == mode);
        holding.flat_map(|refusal| self.refused_by(refusal, place)).collect()
    }

    fn places_of(&self, image: &Image, mode: ModeId) -> Vec<Place> {
        let root = [Place::root()];
        let all = root.into_iter().chain(self.entries().map(|(place, _)| place.clone()));
        all.filter(|place| place.mode(image) == mode).collect()
    }

    fn refused_by(&self, refusal: &Refusal, place: &Place) -> Vec<Refused> {
        let (first, second) = self.found(refusal, place);
        let mut by_shared: BTreeMap<&Vec<Option<String>>, Vec<&LineKey>> = BTreeMap::new();
        let others = if refusal.without { &second } else { &first };
        for (key, shared) in others {
            by_shared.entry(shared).or_default().push(key);
        }
        let text = |key: &LineKey| self.line(key).map_or("", |line| line.words.text());
        let refused = |key: &LineKey, other: Shared<str>| Refused {
            line: key.clone(),
            other,
            without: refusal.without,
            why: Shared::text(&refusal.why),
        };
        if refusal.without {
            let alone = first.iter().filter(|(_, shared)| !by_shared.contains_key(shared));
            return alone
                .map(|(key, _)| {
                    let words = self.line(key).map(|line| &line.words);
                    let values = words.and_then(|words| refusal.first.values(key.form, words));
                    let needed = refusal.second.line(&values.unwrap_or_default());
                    refused(key, Shared::text(&needed))
                })
                .collect();
        }
        let beside = second.iter().filter_map(|(key, shared)| {
            let mut others = by_shared.get(shared)?.iter();
            let is_other = |other: &&&LineKey| {
                **other != *key && (!refusal.is_of_one() || other.key < key.key)
            };
            let other = others.find(is_other)?;
            Some(refused(key, Shared::text(text(other))))
        });
        beside.collect()
    }

    /// The lines of both patterns in an instance, each with what they share.
    fn found<'a>(&'a self, refusal: &Refusal, place: &Place) -> (Vec<Found<'a>>, Vec<Found<'a>>) {
        let of = |pattern: &crate::image::LinePattern| -> Vec<Found<'a>> {
            let lines = pattern.forms().flat_map(|form| self.lines_of(place, form));
            let found = lines.filter_map(|(key, line)| {
                let values = pattern.values(key.form, &line.words)?;
                let shared = refusal.shared().map(|name| values.get(name).cloned());
                Some((key, shared.collect()))
            });
            found.collect()
        };
        (of(&refusal.first), of(&refusal.second))
    }

    /// Puts the lines of an instance behind what they need at these levels: of several lines that
    /// would do, the first may have gone. What moved is appended to `edits`.
    pub(super) fn settle_needs(
        &mut self,
        image: &Image,
        levels: &[Level],
        place: &Place,
        edits: &mut Vec<Edit>,
    ) {
        let mut needing = image.refusals_at(levels).filter(|refusal| refusal.without);
        if needing.all(|refusal| refusal.mode != place.mode(image)) {
            return;
        }
        let ordered = self.ordered_by_needs(image, levels, place);
        let mut behind: Option<Item> = None;
        for item in ordered {
            // All items but those that need others, or are in a list with such, stand among
            // themselves as they stood.
            let line = item.line_in(place).filter(|line| {
                let mut needing = image.refusals_at(levels).filter(|refusal| refusal.without);
                needing.any(|refusal| refusal.first.forms().any(|form| form == line.form))
                    || image.form(line.form).list.is_some()
            });
            if let Some(line) = line
                && self.before(place, &item) != behind.as_ref()
                && let Some(to) = self.line(&line).cloned()
            {
                self.move_behind(image, place, &item, behind.as_ref());
                edits.push(Edit::Set { line, to, after: behind });
            }
            behind = Some(item);
        }
    }

    /// The items of an instance, each behind what it needs at these levels: again and again the
    /// first whose needs were taken, and the line before it in its list. In a circle the order
    /// stays.
    pub(crate) fn ordered_by_needs(
        &self,
        image: &Image,
        levels: &[Level],
        place: &Place,
    ) -> Vec<Item> {
        let items: Vec<&Item> = self.items(place).collect();
        let mode = place.mode(image);
        let holding = image.refusals_at(levels);
        let mut needs: BTreeMap<&LineKey, BTreeSet<&LineKey>> = BTreeMap::new();
        let found: Vec<_> = holding
            .filter(|refusal| refusal.without && refusal.mode == mode)
            .map(|refusal| self.found(refusal, place))
            .collect();
        for (needy, needed) in &found {
            for (key, shared) in needy {
                let of = needed.iter().filter(|(other, with)| with == shared && other != key);
                needs.entry(key).or_default().extend(of.map(|(other, _)| *other));
            }
        }
        let mut left: Vec<(&Item, Option<LineKey>)> =
            items.into_iter().map(|item| (item, item.line_in(place))).collect();
        let mut last: BTreeMap<ListId, LineKey> = BTreeMap::new();
        let mut behind: BTreeMap<LineKey, LineKey> = BTreeMap::new();
        for key in left.iter().filter_map(|(_, key)| key.as_ref()) {
            let list = self.line(key).and_then(|line| ListId::of(image, key.form, &line.words));
            if let Some(before) = list.and_then(|list| last.insert(list, key.clone())) {
                behind.insert(key.clone(), before);
            }
        }
        let mut taken: BTreeSet<LineKey> = BTreeSet::new();
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_ready = |(_, key): &(&Item, Option<LineKey>)| {
                let before = key.as_ref().and_then(|key| behind.get(key));
                if before.is_some_and(|before| !taken.contains(before)) {
                    return false;
                }
                let needed = key.iter().filter_map(|key| needs.get(key)).flatten();
                // Any of them will do.
                let mut needed = needed.peekable();
                needed.peek().is_none() || needed.any(|needed| taken.contains(*needed))
            };
            let at = left.iter().position(is_ready).unwrap_or(0);
            let (item, key) = left.remove(at);
            taken.extend(key);
            ordered.push(item.clone());
        }
        ordered
    }
}
