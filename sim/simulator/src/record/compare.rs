//! Two recordings held against each other: the first entry that differs, and what stood around it.

use strum::VariantArray;

use super::{Entry, Lane};

/// Entries that are shown before the first that differs, and from it on.
const AROUND: (usize, usize) = (3, 3);

/// Where two recordings part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The index of the first entry that differs.
    pub index: usize,
    /// What both have before it, the latest few.
    pub shared: Vec<String>,
    /// What the one has from there on, the first few; nothing if it ended.
    pub one: Vec<String>,
    /// The same of the other.
    pub other: Vec<String>,
}

/// Where two recordings part; none if they are equal.
///
/// What happened is held against what happened; what it came of is not.
pub fn parting(one: &[Entry], other: &[Entry]) -> Option<Parting> {
    let same = |(one, other): (&Entry, &Entry)| told(one) == told(other);
    let index = one
        .iter()
        .zip(other)
        .position(|pair| !same(pair))
        .or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))?;
    let from = |entries: &[Entry]| lines(&entries[index..entries.len().min(index + AROUND.1)]);
    Some(Parting {
        index,
        shared: lines(&one[index.saturating_sub(AROUND.0)..index]),
        one: from(one),
        other: from(other),
    })
}

/// Where runs of two plans part: each place's entries are held against its own, since the order of
/// what happens at one instant in two places is the world's, and another one for every plan.
/// `around`: so many entries are shown before that time, and from it on.
pub fn parting_by_place(one: &[Entry], other: &[Entry], around: (usize, usize)) -> Option<Parting> {
    let at_us = parts_at_us(one, other)?;
    let start = |entries: &[Entry]| entries.partition_point(|entry| entry.at_us < at_us);
    let from = |entries: &[Entry]| {
        let start = start(entries);
        lines(&entries[start..entries.len().min(start + around.1)])
    };
    let index = start(one);
    Some(Parting {
        index,
        shared: lines(&one[index.saturating_sub(around.0)..index]),
        one: from(one),
        other: from(other),
    })
}

/// When a place first does something else, in microseconds of virtual time; none: nowhere.
pub fn parts_at_us(one: &[Entry], other: &[Entry]) -> Option<u64> {
    let at = |spot: &Lane| parts_at(&in_lane(one, *spot), &in_lane(other, *spot));
    Lane::VARIANTS.iter().filter_map(at).min()
}

/// The entries of one place, without their numbers in the run.
fn in_lane(entries: &[Entry], spot: Lane) -> Vec<Entry> {
    let there = entries.iter().filter(|entry| entry.spot == spot).cloned();
    there.map(|entry| Entry { step: 0, ..entry }).collect()
}

/// When two sequences part, in microseconds.
fn parts_at(one: &[Entry], other: &[Entry]) -> Option<u64> {
    let alike = one.iter().zip(other).take_while(|(one, other)| told(one) == told(other));
    let at = alike.count();
    let next = [one.get(at), other.get(at)];
    next.into_iter().flatten().map(|entry| entry.at_us).min()
}

fn lines(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(Entry::line).collect()
}

/// What of an entry is compared.
fn told(entry: &Entry) -> (u64, u64, Lane, super::EventKind, &str, Option<&str>) {
    let shows = entry.shows.as_deref();
    let words = entry.words.as_str();
    (entry.step, entry.at_us, entry.spot, entry.sort, words, shows)
}

impl Parting {
    /// The parting in words, for a terminal.
    pub fn words(&self, one: &str, other: &str) -> String {
        let mut text = String::new();
        let mut say = |mark: &str, lines: &[String]| {
            for line in lines {
                text.push_str(&format!("{mark} {line}\n"));
            }
            if lines.is_empty() && mark != " " {
                text.push_str(&format!("{mark} (it ends here)\n"));
            }
        };
        say(" ", &self.shared);
        say("-", &self.one);
        say("+", &self.other);
        format!("- {one}\n+ {other}\n{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EventKind, Lane};
    use super::*;

    fn entries(words: &[&str]) -> Vec<Entry> {
        let entry = |(at, words): (usize, &&str)| {
            let (step, at_us) = (at as u64 + 1, at as u64);
            Entry::new(step, at_us, Lane::Unit0, EventKind::Step, (*words).to_string())
        };
        words.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn the_first_entry_that_differs_is_found_with_what_stood_before_it() {
        let (one, other) = (entries(&["a", "b", "c"]), entries(&["a", "b", "d", "e"]));
        let found = parting(&one, &other).expect("they differ");
        assert_eq!(found.index, 2);
        assert_eq!(found.shared.len(), 2);
        assert!(found.one[0].ends_with('c') && found.other[0].ends_with('d'));
        assert_eq!(parting(&one, &one), None);
    }

    #[test]
    fn a_recording_that_ends_earlier_parts_where_it_ends() {
        let (one, other) = (entries(&["a", "b"]), entries(&["a"]));
        let found = parting(&one, &other).expect("they differ");
        assert_eq!((found.index, found.other.len()), (1, 0));
        assert!(found.words("x", "y").contains("it ends here"));
    }

    #[test]
    fn runs_of_two_plans_part_where_a_place_does_something_else() {
        let place = |words: &[(&str, Lane)]| -> Vec<Entry> {
            let of: Vec<&str> = words.iter().map(|(words, _)| *words).collect();
            let mut all = entries(&of);
            for (at, (entry, (_, spot))) in all.iter_mut().zip(words).enumerate() {
                (entry.spot, entry.at_us) = (*spot, at as u64 / 2);
            }
            all
        };
        let (a, b) = (("a", Lane::Unit0), ("b", Lane::Unit1));
        let (c, d) = (("c", Lane::Unit0), ("d", Lane::Unit1));
        let one = place(&[a, b, c, d]);
        // The order of one instant is no difference.
        assert_eq!(parting_by_place(&one, &place(&[b, a, d, c]), (1, 1)), None);
        let other = place(&[b, a, ("e", Lane::Unit0), d]);
        let found = parting_by_place(&one, &other, (1, 1)).expect("they part");
        assert_eq!((found.index, found.shared.len()), (2, 1));
        assert!(found.one[0].ends_with('c') && found.other[0].ends_with('e'));
    }
}
