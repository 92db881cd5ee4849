//! The order of a place: its lines and the instances in it are one sequence, kept in ranks with
//! room between them, so that an item comes or goes without a look at the others. Of lines in
//! lists the order is a part of what a config is, and the digest knows it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::iter::once;
use core::ops::Bound;

use rpds::RedBlackTreeMapSync;

use super::{Body, Config, LineKey, Place, hash};
use crate::digest::Shared;
use crate::grammar::Words;
use crate::ids::FormId;
use crate::image::{Image, List};

/// Room between two ranks that are given at one time.
const GAP: u64 = 1 << 32;

/// What stands in a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A line: its form and its key.
    Line(FormId, Words),
    /// An instance: the form of its entry, and its words.
    Place(FormId, Words),
}

/// Items by rank. Clones share what did not change.
pub(super) type Sequence = RedBlackTreeMapSync<u64, Item>;

/// A list of a place: lines of which the digest knows which stands behind which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListId {
    /// All of its lines.
    Place,
    /// Those of one form.
    Form(FormId),
    /// Those of the forms that name it so.
    Named(Shared<str>),
}

impl Item {
    /// The line of this key, in its place.
    pub fn of_line(key: &LineKey) -> Self {
        Self::Line(key.form, key.key.clone())
    }

    /// An instance, in the place around it; none for the root.
    pub fn of_place(place: &Place) -> Option<Self> {
        place.instances().last().map(|(form, words)| Self::Place(*form, words.clone()))
    }

    /// The line of `place` that it is; none: it is an instance.
    pub fn line_in(&self, place: &Place) -> Option<LineKey> {
        match self {
            Self::Line(form, key) => {
                Some(LineKey { place: place.clone(), form: *form, key: key.clone() })
            }
            Self::Place(..) => None,
        }
    }

    /// The instance in `place` that it is; none: it is a line.
    pub fn place_in(&self, place: &Place) -> Option<Place> {
        match self {
            Self::Place(form, words) => Some(place.child(*form, words.clone())),
            Self::Line(..) => None,
        }
    }
}

impl ListId {
    /// The list that a line of `form` stands in; none: its order means nothing.
    pub fn of(image: &Image, form: FormId, words: &Words) -> Option<Self> {
        match image.form(form).list.as_ref()? {
            List::Place => Some(Self::Place),
            List::Form => Some(Self::Form(form)),
            List::Named(name) => Some(Self::Named(name.of(&image.form(form).form, words))),
        }
    }
}

impl Config {
    /// What stands in `place`, in its order.
    pub fn items(&self, place: &Place) -> impl DoubleEndedIterator<Item = &Item> {
        self.body.sequences.get(place).into_iter().flat_map(Sequence::values)
    }

    /// How many items stand in `place`.
    pub(crate) fn count_in(&self, place: &Place) -> usize {
        self.body.sequences.get(place).map_or(0, Sequence::size)
    }

    /// The lines of `form` in `place`, in their order.
    pub fn list(&self, place: &Place, form: FormId) -> Vec<LineKey> {
        let lines = self.lines_of(place, form).map(|(key, _)| (self.body.lines[key].rank, key));
        let mut lines: Vec<(u64, LineKey)> = lines.map(|(rank, key)| (rank, key.clone())).collect();
        lines.sort_by_key(|(rank, _)| *rank);
        lines.into_iter().map(|(_, key)| key).collect()
    }

    /// The lists: each with its place and its lines, in their order.
    pub fn lists(&self) -> impl Iterator<Item = (&(Place, ListId), Vec<LineKey>)> {
        self.body.lists.iter().map(|(id, items)| {
            (id, items.values().filter_map(|item| item.line_in(&id.0)).collect())
        })
    }

    /// What stands in the ordered list of a line, in its order; nothing, if it stands in none.
    pub(crate) fn list_around(&self, image: &Image, key: &LineKey) -> impl Iterator<Item = &Item> {
        let words = self.body.lines.get(key).map(|of| &of.line.words);
        let list = words.and_then(|words| ListId::of(image, key.form, words));
        let list = list.and_then(|list| self.body.lists.get(&(key.place.clone(), list)));
        list.into_iter().flat_map(Sequence::values)
    }

    /// Puts a line before the others of its ordered list, if it does not stand there.
    pub(crate) fn lead_list(&mut self, image: &Image, key: &LineKey) {
        let item = Item::of_line(key);
        let other = self.list_around(image, key).find(|other| **other != item);
        let first = other.filter(|first| self.stands_before(&key.place, first, &item));
        if let Some(after) = first.map(|first| self.before(&key.place, first).cloned()) {
            self.move_behind(image, &key.place, &item, after.as_ref());
        }
    }

    /// Whether the item stands in `place`.
    pub(crate) fn has(&self, place: &Place, item: &Item) -> bool {
        self.body.rank(place, item).is_some()
    }

    /// The items that stand before this one in `place`, the nearest first.
    pub(crate) fn items_before(
        &self,
        place: &Place,
        item: &Item,
    ) -> impl Iterator<Item = &Item> + use<'_> {
        let rank = self.body.rank(place, item).unwrap_or(0);
        let ranks = self.body.sequences.get(place).into_iter();
        ranks.flat_map(move |ranks| ranks.range(..rank).rev().map(|(_, before)| before))
    }

    /// Whether one item of `place` stands before another.
    pub(crate) fn stands_before(&self, place: &Place, one: &Item, other: &Item) -> bool {
        self.body.rank(place, one) < self.body.rank(place, other)
    }

    /// The item that another stands behind; none: it is the first, or not there.
    pub(crate) fn before(&self, place: &Place, item: &Item) -> Option<&Item> {
        self.items_before(place, item).next()
    }

    /// The last item of `place`.
    pub(super) fn last_in(&self, place: &Place) -> Option<&Item> {
        self.body.sequences.get(place)?.last().map(|(_, item)| item)
    }

    /// The item that another stands behind, or would if it came last; none: it is the first.
    pub(super) fn stands_behind(&self, place: &Place, item: &Item) -> Option<&Item> {
        match self.body.rank(place, item) {
            Some(_) => self.before(place, item),
            None => self.last_in(place),
        }
    }

    /// Whether a line of its form stands behind the line of this key.
    pub(super) fn has_sibling_behind(&self, key: &LineKey) -> bool {
        let rank_of = |key: &LineKey| self.body.lines.get(key).map(|line| line.rank);
        let rank = rank_of(key);
        rank.is_some() && self.lines_of(&key.place, key.form).any(|(key, _)| rank_of(key) > rank)
    }

    /// The first item of `place` whose rank is at least this one, with its rank.
    pub(crate) fn item_from(&self, place: &Place, rank: u64) -> Option<(u64, &Item)> {
        let ranks = self.body.sequences.get(place)?;
        ranks.range(rank..).next().map(|(rank, item)| (*rank, item))
    }

    /// The rank of the last item of `place`.
    pub(crate) fn last_rank(&self, place: &Place) -> Option<u64> {
        self.body.sequences.get(place)?.last().map(|(rank, _)| *rank)
    }

    /// Where a line stands in the document: the ranks of the instances around it and its own. What
    /// stands before has less. None: there is no such line.
    pub(crate) fn position(&self, key: &LineKey) -> Option<Vec<u64>> {
        let rank = self.body.lines.get(key)?.rank;
        let mut position = self.place_position(&key.place)?;
        position.push(rank);
        Some(position)
    }

    /// The same of an instance.
    pub(crate) fn place_position(&self, place: &Place) -> Option<Vec<u64>> {
        let rank = |place: Place| self.body.entries.get(&place).map(|entry| entry.rank);
        place.and_ancestors().map(rank).collect()
    }

    /// Brings an item behind this one; behind none: first; behind one that is not there: last.
    /// Whether it moved.
    pub(crate) fn move_behind(
        &mut self,
        image: &Image,
        place: &Place,
        item: &Item,
        after: Option<&Item>,
    ) -> bool {
        if self.before(place, item) == after || after == Some(item) {
            return false;
        }
        let body = Arc::make_mut(&mut self.body);
        if body.take_out(image, place, item).is_none() {
            return false;
        }
        let last = body.last_rank(place);
        let after = after.map_or(Some(0), |after| body.rank(place, after)).unwrap_or(last);
        body.put_behind(image, place, item, after);
        true
    }

    /// Brings the items of `place` into this order.
    ///
    /// # Panics
    /// When `items` are not exactly those that stand there.
    pub(crate) fn arrange(&mut self, image: &Image, place: &Place, items: Vec<Item>) {
        if self.items(place).eq(&items) {
            return;
        }
        let body = Arc::make_mut(&mut self.body);
        assert_eq!(
            body.sequences.get(place).map_or(0, Sequence::size),
            items.len(),
            "an order of other items than are there"
        );
        body.renumber(image, place, items);
    }
}

impl Body {
    /// The rank of an item of `place`, if it is there.
    pub(super) fn rank(&self, place: &Place, item: &Item) -> Option<u64> {
        match item {
            Item::Line(form, key) => {
                let key = LineKey { place: place.clone(), form: *form, key: key.clone() };
                self.lines.get(&key).map(|line| line.rank)
            }
            Item::Place(form, words) => {
                self.entries.get(&place.child(*form, words.clone())).map(|entry| entry.rank)
            }
        }
    }

    /// The rank of the last item of a place; 0 where there is none.
    fn last_rank(&self, place: &Place) -> u64 {
        let last = self.sequences.get(place).and_then(|ranks| ranks.last());
        last.map_or(0, |(rank, _)| *rank)
    }

    /// Puts an item that is there, and stands nowhere, behind all others.
    pub(super) fn put_last(&mut self, image: &Image, place: &Place, item: &Item) {
        let last = self.last_rank(place);
        self.put_behind(image, place, item, last);
    }

    /// Puts an item that is there, and stands nowhere, behind what has this rank; 0: first.
    fn put_behind(&mut self, image: &Image, place: &Place, item: &Item, after: u64) {
        let none = Sequence::default();
        let ranks = self.sequences.get(place).unwrap_or(&none);
        let mut behind = ranks.range((Bound::Excluded(after), Bound::Unbounded));
        let rank = match behind.next() {
            None => after.checked_add(GAP),
            Some((next, _)) => Some(after.midpoint(*next)).filter(|rank| *rank > after),
        };
        if let Some(rank) = rank {
            return self.put_at(image, place, item, rank);
        }
        // No room is left: all get new ranks.
        let head = ranks.range(..=after).map(|(_, item)| item);
        let tail = ranks.range((Bound::Excluded(after), Bound::Unbounded));
        let items = head.chain(once(item)).chain(tail.map(|(_, item)| item));
        let items = items.cloned().collect();
        self.renumber(image, place, items);
    }

    /// Gives the items of a place, which are there, new ranks in this order.
    fn renumber(&mut self, image: &Image, place: &Place, items: Vec<Item>) {
        let old = self.sequences.get(place).into_iter().flat_map(Sequence::values);
        for item in &old.cloned().collect::<Vec<_>>() {
            self.take_out(image, place, item);
        }
        for (at, item) in (1..).zip(&items) {
            self.put_at(image, place, item, at * GAP);
        }
    }

    /// Puts an item that is there, and stands nowhere, at a rank that is free.
    pub(super) fn put_at(&mut self, image: &Image, place: &Place, item: &Item, rank: u64) {
        match self.sequences.get_mut(place) {
            Some(ranks) => ranks.insert_mut(rank, item.clone()),
            None => {
                let ranks: Sequence = once((rank, item.clone())).collect();
                self.sequences.insert_mut(place.clone(), ranks);
            }
        }
        match item {
            Item::Line(form, key) => {
                let key = LineKey { place: place.clone(), form: *form, key: key.clone() };
                let line = self.lines.get_mut(&key).expect("a line that is there");
                line.rank = rank;
                if let Some(list) = ListId::of(image, *form, &line.line.words) {
                    self.enlist(place, list, rank, item);
                }
            }
            Item::Place(form, words) => {
                let place = place.child(*form, words.clone());
                self.entries.get_mut(&place).expect("an instance that is there").rank = rank;
            }
        }
    }

    /// Takes an item out of the sequence of its place; it is still there. Its rank; none: it is
    /// not there.
    pub(super) fn take_out(&mut self, image: &Image, place: &Place, item: &Item) -> Option<u64> {
        let rank = self.rank(place, item)?;
        if let Some(key) = item.line_in(place) {
            let words = &self.lines[&key].line.words;
            if let Some(list) = ListId::of(image, key.form, words) {
                self.delist(place, list, rank, item);
            }
        }
        let ranks = self.sequences.get_mut(place).expect("what is there stands in its place");
        ranks.remove_mut(&rank);
        if ranks.is_empty() {
            self.sequences.remove_mut(place);
        }
        Some(rank)
    }

    fn enlist(&mut self, place: &Place, list: ListId, rank: u64, item: &Item) {
        let id = (place.clone(), list);
        let none = Sequence::default();
        let [came, went] = self.facts(self.lists.get(&id).unwrap_or(&none), &id, rank, item);
        self.digest = self.digest.wrapping_add(came).wrapping_sub(went);
        match self.lists.get_mut(&id) {
            Some(ranks) => ranks.insert_mut(rank, item.clone()),
            None => self.lists.insert_mut(id, once((rank, item.clone())).collect()),
        }
    }

    fn delist(&mut self, place: &Place, list: ListId, rank: u64, item: &Item) {
        let id = (place.clone(), list);
        let ranks = self.lists.get_mut(&id).expect("a line stands in its list");
        ranks.remove_mut(&rank);
        let is_empty = ranks.is_empty();
        let [went, came] = self.facts(&self.lists[&id], &id, rank, item);
        self.digest = self.digest.wrapping_add(came).wrapping_sub(went);
        if is_empty {
            self.lists.remove_mut(&id);
        }
    }

    /// Of an item at a rank of a list that has it not: the hashes of what is true of the list with
    /// it only, and without it only.
    fn facts(
        &self,
        ranks: &Sequence,
        (place, list): &(Place, ListId),
        rank: u64,
        item: &Item,
    ) -> [u128; 2] {
        let text = |item| self.fact_text(place, list, item);
        let before = ranks.range(..rank).next_back().map_or("", |(_, before)| text(before));
        let next = ranks.range(rank..).next().map(|(_, next)| text(next));
        let item = text(item);
        let behind = |before: &str, item: &str| hash(place, &["order", before, item]);
        let [with, without] =
            next.map_or([0, 0], |next| [behind(item, next), behind(before, next)]);
        [behind(before, item).wrapping_add(with), without]
    }

    /// What tells an item of a list from its siblings.
    fn fact_text<'a>(&'a self, place: &Place, list: &ListId, item: &'a Item) -> &'a str {
        match item {
            Item::Line(_, key) if matches!(list, ListId::Form(_)) => key.text(),
            // The key alone does not say of which form it is.
            Item::Line(form, key) => {
                let key = LineKey { place: place.clone(), form: *form, key: key.clone() };
                self.lines[&key].line.words.text()
            }
            Item::Place(_, words) => words.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::image::bundled;

    #[test]
    fn items_stand_where_they_were_put_when_room_runs_out_too() {
        let image = bundled::image("6.2").unwrap();
        let mut config = Config::factory(image.levels());
        let name = |n: u32| format!("interface e{n}\n");
        let item = |n: u32| {
            let mut one = Config::factory(image.levels());
            one.execute(&image, image.own(), &name(n)).unwrap();
            one.items(&Place::root()).next().unwrap().clone()
        };
        for n in 0..200 {
            config.execute(&image, image.own(), &name(n)).unwrap();
        }
        let mut plain: Vec<u32> = (0..200).collect();
        // Always to the same place: each halves what room there is.
        for n in 2..200 {
            config.move_behind(&image, &Place::root(), &item(n), Some(&item(0)));
            plain.retain(|other| *other != n);
            plain.insert(1, n);
        }
        config.move_behind(&image, &Place::root(), &item(77), None);
        plain.retain(|other| *other != 77);
        plain.insert(0, 77);
        let plain: Vec<Item> = plain.into_iter().map(item).collect();
        assert!(config.items(&Place::root()).eq(&plain));
        for two in plain.windows(2) {
            assert_eq!(config.before(&Place::root(), &two[1]), Some(&two[0]));
        }
        assert_eq!(config.before(&Place::root(), &plain[0]), None);
    }
}
