//! The order of the lines of one ordered form in one place: kept in ranks with room between them,
//! so that a line comes or goes without a look at the others. It knows nothing of lines or digests.

use core::iter::once;
use core::ops::Bound;

use rpds::RedBlackTreeMapSync;

use crate::grammar::Words;

/// Room between two ranks that are given at one time.
const GAP: u64 = 1 << 32;

/// The keys of an ordered list, in their order. Clones share what did not change.
#[derive(Clone, Default)]
pub(super) struct Order {
    keys: RedBlackTreeMapSync<u64, Words>,
    ranks: RedBlackTreeMapSync<Words, u64>,
}

impl Order {
    /// The order of these keys.
    pub(super) fn from_keys(keys: impl IntoIterator<Item = Words>) -> Self {
        let mut order = Self::default();
        for (at, key) in (1..).zip(keys) {
            order.put(at * GAP, key);
        }
        order
    }

    /// The keys, in their order.
    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = &Words> {
        self.keys.values()
    }

    /// Whether there is no key.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &Words) -> bool {
        self.ranks.contains_key(key)
    }

    /// The key before this one; none for the first, and for one that is not there.
    pub(super) fn before(&self, key: &Words) -> Option<&Words> {
        let rank = self.ranks.get(key)?;
        let before = self.keys.range(..rank).next_back();
        before.map(|(_, key)| key)
    }

    /// The key behind this one; behind none: the first.
    pub(super) fn behind(&self, key: Option<&Words>) -> Option<&Words> {
        let rank = key.and_then(|key| self.ranks.get(key)).unwrap_or(&0);
        let mut behind = self.keys.range((Bound::Excluded(*rank), Bound::Unbounded));
        behind.next().map(|(_, key)| key)
    }

    /// Puts a new key behind one that is there; behind none: first.
    pub(super) fn insert(&mut self, after: Option<&Words>, key: Words) {
        debug_assert!(!self.has(&key), "a key stands in a list once");
        let from = after.and_then(|after| self.ranks.get(after)).unwrap_or(&0);
        let next = self.keys.range((Bound::Excluded(*from), Bound::Unbounded));
        let next = next.map(|(rank, _)| *rank).next();
        let rank = match next {
            Some(next) => from.midpoint(next),
            None => from.saturating_add(GAP),
        };
        if rank > *from && next.is_none_or(|next| rank < next) {
            self.put(rank, key);
            return;
        }
        // No room is left: all get new ranks.
        let above = (Bound::Excluded(*from), Bound::Unbounded);
        let (head, tail) = (self.keys.range(..=*from), self.keys.range(above));
        let (head, tail) = (head.map(|(_, key)| key), tail.map(|(_, key)| key));
        *self = Self::from_keys(head.chain(once(&key)).chain(tail).cloned());
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, key: &Words) {
        if let Some(rank) = self.ranks.get(key).copied() {
            self.ranks.remove_mut(key);
            self.keys.remove_mut(&rank);
        }
    }

    fn put(&mut self, rank: u64, key: Words) {
        self.keys.insert_mut(rank, key.clone());
        self.ranks.insert_mut(key, rank);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::grammar::Form;

    #[test]
    fn keys_stand_where_they_were_put_when_room_runs_out_too() {
        let form = Form::parse("permit (0-999)$n").unwrap();
        let key = |n: u32| form.words(&alloc::format!("permit {n}")).unwrap();
        let mut order = Order::from_keys([key(0), key(1)]);
        let mut plain = alloc::vec![0, 1];
        // Always at the same place: each halves what room there is.
        for n in 2..200 {
            order.insert(Some(&key(0)), key(n));
            plain.insert(1, n);
            if n % 3 == 0 {
                order.remove(&key(n - 1));
                plain.retain(|other| *other != n - 1);
            }
        }
        order.insert(None, key(500));
        plain.insert(0, 500);
        let plain: Vec<Words> = plain.into_iter().map(key).collect();
        assert!(order.keys().eq(&plain));
        assert_eq!(order.behind(None), Some(&plain[0]));
        assert_eq!(order.before(&plain[0]), None);
        for two in plain.windows(2) {
            assert_eq!(order.before(&two[1]), Some(&two[0]));
            assert_eq!(order.behind(Some(&two[0])), Some(&two[1]));
        }
    }
}
