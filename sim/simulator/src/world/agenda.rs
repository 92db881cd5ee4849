//! What is due, in one order: by the due time, then by rank, then by lot.
//!
//! The lot of an item is a hash of the plan's world, the due time and the item's name. It depends
//! on nothing else in the agenda: one item less moves no other. So two plans that differ by one
//! event share all that comes before it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::hash::{StableHasher, mix};

/// What goes before what at one instant; within a rank the lot decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A process starts.
    Start,
    /// Anything else.
    Common,
    /// Faults stop: what the plan does at this instant is done before.
    FaultsStopped,
    /// The run is judged.
    Judge,
}

/// An item of an agenda.
pub(super) trait Item {
    /// Its rank.
    fn rank(&self) -> Rank;

    /// Writes what tells it from all that may be due at one instant, whatever else is due.
    fn name(&self, to: &mut StableHasher);
}

/// The place of an item in the order. The last number is that of the push: it decides only between
/// items of one name.
type Place = (u64, Rank, u64, u64);

/// All that is due.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    world: u64,
    items: BTreeMap<Place, T>,
    pushed: u64,
}

impl<T: Item> Agenda<T> {
    /// An agenda on which nothing stands yet.
    pub(super) const fn new(world: u64) -> Self {
        Self { world, items: BTreeMap::new(), pushed: 0 }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, due_us: u64, item: T) {
        let lot = self.lot(due_us, &item);
        self.insert(due_us, lot, item);
    }

    fn insert(&mut self, due_us: u64, lot: u64, item: T) {
        self.pushed += 1;
        let former = self.items.insert((due_us, item.rank(), lot, self.pushed), item);
        debug_assert!(former.is_none(), "no two pushes have one number");
    }

    /// Adds an item, unless one of its name is due at that instant.
    pub(super) fn push_once(&mut self, due_us: u64, item: T) {
        let (rank, lot) = (item.rank(), self.lot(due_us, &item));
        let next = self.items.range((due_us, rank, lot, 0)..).next();
        if next.is_none_or(|((of, at, by, _), _)| (*of, *at, *by) != (due_us, rank, lot)) {
            self.insert(due_us, lot, item);
        }
    }

    /// When the next item is due, in microseconds.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.items.first_key_value().map(|((due_us, ..), _)| *due_us)
    }

    /// The next item, taken off.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.items.pop_first().map(|(_, item)| item)
    }

    /// The lots are those of another world from now on, for what stands here too.
    pub(super) fn reseed(&mut self, world: u64) {
        self.world = world;
        for ((due_us, ..), item) in std::mem::take(&mut self.items) {
            self.push(due_us, item);
        }
    }

    fn lot(&self, due_us: u64, item: &T) -> u64 {
        let mut hasher = StableHasher::default();
        (self.world, due_us).hash(&mut hasher);
        item.name(&mut hasher);
        mix(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Named(Rank, u64);

    impl Item for Named {
        fn rank(&self) -> Rank {
            self.0
        }

        fn name(&self, to: &mut StableHasher) {
            self.1.hash(to);
        }
    }

    fn order(world: u64, items: &[Named]) -> Vec<Named> {
        let mut agenda = Agenda::new(world);
        items.iter().for_each(|item| agenda.push(7, item.clone()));
        std::iter::from_fn(|| agenda.pop()).collect()
    }

    fn common() -> Vec<Named> {
        (0..20).map(|name| Named(Rank::Common, name)).collect()
    }

    #[test]
    fn the_order_of_what_is_due_at_one_instant_is_that_of_the_world_and_not_of_the_pushes() {
        let mut items = common();
        let (one, other) = (order(1, &items), order(2, &items));
        items.reverse();
        assert_eq!(order(1, &items), one);
        assert_ne!(one, other);
    }

    #[test]
    fn one_item_less_moves_no_other() {
        let all = order(1, &common());
        for without in common() {
            let mut less = common();
            less.retain(|item| *item != without);
            let expected: Vec<Named> =
                all.iter().filter(|item| **item != without).cloned().collect();
            assert_eq!(order(1, &less), expected);
        }
    }

    #[test]
    fn due_time_goes_before_rank_and_rank_before_lot() {
        let mut agenda = Agenda::new(3);
        for rank in [Rank::Judge, Rank::FaultsStopped, Rank::Common, Rank::Start] {
            (0..5).for_each(|name| agenda.push(7, Named(rank, name)));
        }
        agenda.push(6, Named(Rank::Judge, 9));
        assert_eq!((agenda.next_due(), agenda.pop()), (Some(6), Some(Named(Rank::Judge, 9))));
        let ranks: Vec<Rank> = std::iter::from_fn(|| agenda.pop()).map(|item| item.0).collect();
        assert_eq!(ranks.len(), 20);
        assert!(ranks.is_sorted());
    }

    #[test]
    fn an_item_that_may_stand_once_does_and_another_world_has_other_lots() {
        let mut agenda = Agenda::new(1);
        (0..3).for_each(|_| agenda.push_once(7, Named(Rank::Common, 4)));
        agenda.push_once(8, Named(Rank::Common, 4));
        assert_eq!(std::iter::from_fn(|| agenda.pop()).count(), 2);
        common().into_iter().for_each(|item| agenda.push(7, item));
        agenda.reseed(2);
        let reseeded: Vec<Named> = std::iter::from_fn(|| agenda.pop()).collect();
        assert_eq!(reseeded, order(2, &common()));
    }
}
