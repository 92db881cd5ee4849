//! The ordered lists of a config: which line of an ordered form stands behind which.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::order::Order;
use super::{Config, LineKey, Place, hash};
use crate::grammar::Words;
use crate::ids::FormId;

impl Config {
    /// The lines of an ordered form in `place`, in their order; of any other form, by key.
    pub fn list(&self, place: &Place, form: FormId) -> Vec<LineKey> {
        match self.order(place, form) {
            Some(order) => order
                .keys()
                .map(|key| LineKey { place: place.clone(), form, key: key.clone() })
                .collect(),
            None => self.lines_of(place, form).map(|(key, _)| key.clone()).collect(),
        }
    }

    /// Brings the lines of an ordered form into this order.
    ///
    /// # Panics
    /// When `keys` are not exactly the lines that are there.
    pub fn put_order(&mut self, place: &Place, form: FormId, keys: &[LineKey]) {
        let order = self.order(place, form).cloned().unwrap_or_default();
        let keys = keys.iter().map(|key| &key.key);
        if order.keys().eq(keys.clone()) {
            return;
        }
        let (mut now, mut there): (Vec<&Words>, Vec<&Words>) =
            (keys.clone().collect(), order.keys().collect());
        now.sort();
        there.sort();
        assert_eq!(now, there, "an order of other lines than are there");
        let sum = order_hash(place, keys.clone()).wrapping_sub(order_hash(place, order.keys()));
        let body = Arc::make_mut(&mut self.body);
        body.digest = body.digest.wrapping_add(sum);
        let order = Order::from_keys(keys.cloned());
        body.orders.insert_mut((place.clone(), form), order);
    }

    pub(super) fn order(&self, place: &Place, form: FormId) -> Option<&Order> {
        self.body.orders.get(&(place.clone(), form))
    }

    /// The sibling that a line of an ordered form stands behind, or would if it came last; none:
    /// first.
    pub(super) fn stands_behind(&self, key: &LineKey) -> Option<&Words> {
        let order = self.order(&key.place, key.form)?;
        if order.has(&key.key) { order.before(&key.key) } else { order.keys().next_back() }
    }

    /// Brings a line of an ordered form behind this sibling; behind one that is not there: last.
    pub(super) fn move_behind(&mut self, key: &LineKey, after: Option<&Words>) {
        if self.stands_behind(key) == after {
            return;
        }
        self.delist(key);
        let order = self.order(&key.place, key.form);
        let there = after.is_none_or(|after| order.is_some_and(|order| order.has(after)));
        let after = if there { after } else { order.and_then(|order| order.keys().next_back()) };
        self.enlist(key, after.cloned().as_ref());
    }

    /// Puts a new key into its list, behind one that is there; behind none: first.
    pub(super) fn enlist(&mut self, key: &LineKey, after: Option<&Words>) {
        let list = (key.place.clone(), key.form);
        let order = self.body.orders.get(&list);
        let next = order.and_then(|order| order.behind(after));
        let pairs = next.map(|next| (Some(&key.key), next));
        let came = order_facts(&key.place, pairs.into_iter().chain([(after, &key.key)]));
        let went = order_facts(&key.place, next.map(|next| (after, next)));
        let body = Arc::make_mut(&mut self.body);
        body.digest = body.digest.wrapping_add(came).wrapping_sub(went);
        if let Some(order) = body.orders.get_mut(&list) {
            order.insert(after, key.key.clone());
        } else {
            body.orders.insert_mut(list, Order::from_keys([key.key.clone()]));
        }
    }

    /// Takes a key out of its list.
    pub(super) fn delist(&mut self, key: &LineKey) {
        let list = (key.place.clone(), key.form);
        let order = self.body.orders.get(&list).expect("a line stands in its list");
        let (before, next) = (order.before(&key.key), order.behind(Some(&key.key)));
        let pairs = next.map(|next| (Some(&key.key), next));
        let went = order_facts(&key.place, pairs.into_iter().chain([(before, &key.key)]));
        let came = order_facts(&key.place, next.map(|next| (before, next)));
        let body = Arc::make_mut(&mut self.body);
        body.digest = body.digest.wrapping_add(came).wrapping_sub(went);
        let order = body.orders.get_mut(&list).expect("found above");
        order.remove(&key.key);
        if order.is_empty() {
            body.orders.remove_mut(&list);
        }
    }
}

/// The sum of the hashes of what an order is: which key stands behind which.
fn order_hash<'a>(place: &Place, keys: impl Iterator<Item = &'a Words>) -> u128 {
    let pairs = keys.scan(None, |before, key| Some((before.replace(key), key)));
    order_facts(place, pairs)
}

fn order_facts<'a>(
    place: &Place,
    pairs: impl IntoIterator<Item = (Option<&'a Words>, &'a Words)>,
) -> u128 {
    let hash = |(before, key): (Option<&Words>, &Words)| {
        hash(place, &["order", before.map_or("", Words::text), key.text()])
    };
    pairs.into_iter().map(hash).fold(0, u128::wrapping_add)
}
