//! Lists in one word: values and spans by commas, `1-5,7`. Of numbers they are sorted and merged,
//! of other words sorted, each once.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::token::{Fit, Token, number};

/// What a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Elements {
    /// Closed intervals, ascending and apart.
    Numbers(Vec<(i128, i128)>),
    /// Words in canonical spelling.
    Words(BTreeSet<String>),
}

/// How a list fits, by the element that fits worst; none: it is no list of these.
pub(super) fn fit(of: &Token, word: &str) -> Option<Fit> {
    if of.range().is_some() {
        return Elements::read(of, word).map(|_| Fit::Value);
    }
    let fits = |element: &str| of.fit(element).filter(|_| !element.is_empty());
    word.split(',').map(fits).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The numbers that a word lists, or the one that it is; none: it is no list of numbers.
pub(crate) fn spans(word: &str) -> Option<Vec<(i128, i128)>> {
    let any = Token::Range { min: i128::MIN, max: i128::MAX };
    match Elements::read(&any, word)? {
        Elements::Numbers(spans) => Some(spans),
        Elements::Words(_) => None,
    }
}

impl Elements {
    /// The elements of a list; none: it is no list of these.
    pub(super) fn read(of: &Token, word: &str) -> Option<Self> {
        let Some(range) = of.range() else {
            let fits = |element: &str| !element.is_empty() && of.fit(element).is_some();
            let words = word.split(',');
            let words = words.map(|word| fits(word).then(|| of.canonical(word).into_owned()));
            return words.collect::<Option<_>>().map(Self::Words);
        };
        let spans = word.split(',').map(|element| span(element, range));
        spans.collect::<Option<Vec<_>>>().map(|spans| Self::Numbers(merged(spans)))
    }

    /// The list in canonical spelling; none: it is empty.
    pub(super) fn word(&self) -> Option<String> {
        let parts: Vec<String> = match self {
            Self::Numbers(spans) => {
                let part = |(min, max): &(i128, i128)| {
                    if min == max { format!("{min}") } else { format!("{min}-{max}") }
                };
                spans.iter().map(part).collect()
            }
            Self::Words(words) => words.iter().cloned().collect(),
        };
        (!parts.is_empty()).then(|| parts.join(","))
    }

    /// The elements of both.
    pub(super) fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Numbers(one), Self::Numbers(other)) => {
                Self::Numbers(merged(one.into_iter().chain(other).collect()))
            }
            (Self::Words(mut one), Self::Words(other)) => {
                one.extend(other);
                Self::Words(one)
            }
            (one, _) => one,
        }
    }

    /// The elements that are not in the other.
    pub(super) fn without(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Numbers(mut open), Self::Numbers(others)) => {
                for (low, high) in others {
                    let rest = |(min, max): (i128, i128)| {
                        [(min, max.min(low - 1)), (min.max(high + 1), max)]
                    };
                    open =
                        open.into_iter().flat_map(rest).filter(|(min, max)| min <= max).collect();
                }
                Self::Numbers(open)
            }
            (Self::Words(one), Self::Words(other)) => Self::Words(&one - other),
            (one, _) => one,
        }
    }
}

/// A number, or two with a `-` between, within a range.
fn span(element: &str, (least, most): (i128, i128)) -> Option<(i128, i128)> {
    let single = number(element).map(|number| (number, number));
    let (min, max) = single.or_else(|| {
        // Both ends may be negative: the `-` between stands behind a digit.
        let bytes = element.as_bytes();
        let at =
            (1..bytes.len()).find(|at| bytes[*at] == b'-' && bytes[at - 1].is_ascii_digit())?;
        Some((number(&element[..at])?, number(&element[at + 1..])?))
    })?;
    (least <= min && min <= max && max <= most).then_some((min, max))
}

fn merged(mut spans: Vec<(i128, i128)>) -> Vec<(i128, i128)> {
    spans.sort_unstable();
    let mut all: Vec<(i128, i128)> = Vec::with_capacity(spans.len());
    for (min, max) in spans {
        match all.last_mut() {
            Some(last) if min <= last.1 + 1 => last.1 = last.1.max(max),
            Some(_) | None => all.push((min, max)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;

    use proptest::prelude::*;

    use super::*;

    const VLANS: Token = Token::Range { min: 1, max: 4094 };

    #[test]
    fn a_list_is_sorted_and_merged() {
        let list = Token::List(Box::new(VLANS));
        assert_eq!(list.canonical("7,1-3,4,007,2"), "1-4,7");
        assert_eq!(list.fit("1,10,20-30"), Some(Fit::Value));
        for word in ["", "1,", ",1", "0", "1-4095", "5-1", "1--3", "a", "1-", "-1", "1-2-3"] {
            assert_eq!(list.fit(word), None, "{word}");
        }
        let words = Token::List(Box::new(Token::Variable));
        assert_eq!(words.canonical("b,a,b"), "a,b");
        assert_eq!((words.fit("a,,b"), words.fit("a")), (None, Some(Fit::Any)));
        let low = Token::List(Box::new(Token::Range { min: -9, max: 9 }));
        assert_eq!(low.canonical("-3,-9--5,-4"), "-9--3");
    }

    fn lists() -> impl Strategy<Value = BTreeSet<i128>> {
        proptest::collection::btree_set(1..40i128, 1..12)
    }

    proptest! {
        #[test]
        fn lists_are_sets(one in lists(), other in lists()) {
            let read = |set: &BTreeSet<i128>| {
                let word: Vec<String> = set.iter().rev().map(|n| format!("{n}")).collect();
                Elements::read(&VLANS, &word.join(",")).unwrap()
            };
            prop_assert_eq!(read(&one).with(read(&other)), read(&(&one | &other)));
            let less = &one - &other;
            let rest = read(&one).without(&read(&other));
            prop_assert_eq!(rest.word().is_none(), less.is_empty());
            if !less.is_empty() {
                prop_assert_eq!(rest, read(&less));
            }
        }
    }
}
