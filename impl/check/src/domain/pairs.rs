//! Combinations in which each two values of two names stand together, where they can.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::values::Named;
use super::{COMBINATIONS_MAX, Values};

/// A value of a name, both by number.
type At = (usize, usize);

/// Combinations of which each pair of values of `named` is in one, if one builds with it. They are
/// `bases` with other values; at most so many as are tried.
pub(super) fn covering<'a>(
    named: &[Named<'a>],
    bases: &[Values<'a>],
    builds: &dyn Fn(&Values<'a>) -> bool,
) -> Vec<Values<'a>> {
    let mut open = all_pairs(named);
    let mut made: Vec<Values<'a>> = Vec::new();
    while let Some((one, other)) = open.pop_first() {
        if made.len() == COMBINATIONS_MAX {
            break;
        }
        let with_pair = bases.iter().find_map(|base| {
            let values = with(named, &with(named, base, one), other);
            builds(&values).then_some(values)
        });
        let Some(mut values) = with_pair else { continue };
        // The other names take what closes most pairs.
        let mut fixed = vec![one, other];
        for (name, (_, choices)) in named.iter().enumerate() {
            if fixed.iter().any(|(of, _)| *of == name) {
                continue;
            }
            let closes = |value: usize| {
                fixed.iter().filter(|of| open.contains(&ordered(**of, (name, value)))).count()
            };
            let best = (0..choices.len()).map(|value| (closes(value), value));
            let mut best: Vec<(usize, usize)> = best.filter(|(count, _)| *count > 0).collect();
            best.sort_by(|one, two| two.cmp(one));
            let fits = best.into_iter().find_map(|(_, value)| {
                let more = with(named, &values, (name, value));
                builds(&more).then_some((value, more))
            });
            if let Some((value, more)) = fits {
                values = more;
                fixed.push((name, value));
            }
        }
        for one in &fixed {
            for other in &fixed {
                open.remove(&ordered(*one, *other));
            }
        }
        made.push(values);
    }
    made
}

/// Each two values of two names.
fn all_pairs(named: &[Named<'_>]) -> BTreeSet<(At, At)> {
    let mut pairs = BTreeSet::new();
    for (one, (_, values)) in named.iter().enumerate() {
        for (other, (_, others)) in named.iter().enumerate().skip(one + 1) {
            for value in 0..values.len() {
                pairs.extend((0..others.len()).map(|of| ((one, value), (other, of))));
            }
        }
    }
    pairs
}

fn ordered(one: At, other: At) -> (At, At) {
    if one < other { (one, other) } else { (other, one) }
}

/// These values, but for one name.
fn with<'a>(named: &[Named<'a>], values: &Values<'a>, (name, value): At) -> Values<'a> {
    let (name, of) = &named[name];
    let mut values = values.clone();
    match &of[value] {
        Some(value) => drop(values.insert(name, Cow::Owned(value.clone()))),
        None => drop(values.remove(name)),
    }
    values
}
