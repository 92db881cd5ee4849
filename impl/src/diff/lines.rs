//! The difference of two dumps as plain text, unsorted: one line a form. Sets of lines, by hash and
//! one table; it does not know what the lines mean.

use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

/// The longest text that is taken: offsets are kept in 32 bits.
pub const TEXT_BYTES_MAX: usize = u32::MAX as usize;

/// Which lines stand on one side only.
///
/// # Shape
/// Byte ranges into the two texts, without line ends, each list in its text's own order. A line
/// that a text holds twice counts once, where it stands first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineDifference {
    /// Lines of `before` that `after` lacks.
    pub before_only: Vec<Range<u32>>,
    /// Lines of `after` that `before` lacks.
    pub after_only: Vec<Range<u32>>,
}

/// Why two texts cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineDifferenceError {
    /// A text is longer than [`TEXT_BYTES_MAX`].
    #[error("a dump of {bytes} bytes is beyond {TEXT_BYTES_MAX} bytes: compare it by components")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

struct Slot {
    hash: u64,
    start: u32,
    end: u32,
    shared: bool,
}

/// Compares two unsorted texts as sets of lines.
///
/// # Errors
/// [`LineDifferenceError::TooLong`] when either text is beyond [`TEXT_BYTES_MAX`].
///
/// Source: seed, step 260; the seed searches a sorted structure line by line, here one table is
/// filled from one dump and asked for each line of the other.
///
/// ```
/// use skewsync::diff::lines::difference;
/// let found = difference(b"ip route A.B.C.D/M A.B.C.D\nhostname WORD\n", b"hostname WORD\n")?;
/// assert_eq!(found.before_only, [0..26]);
/// assert!(found.after_only.is_empty());
/// # Ok::<(), skewsync::diff::lines::LineDifferenceError>(())
/// ```
pub fn difference(before: &[u8], after: &[u8]) -> Result<LineDifference, LineDifferenceError> {
    for text in [before, after] {
        if text.len() > TEXT_BYTES_MAX {
            return Err(LineDifferenceError::TooLong { bytes: text.len() });
        }
    }
    let count = memchr::memchr_iter(b'\n', before).count() + 1;
    let mut slots: Vec<Slot> = Vec::with_capacity(count);
    let mut table: HashTable<u32> = HashTable::with_capacity(count);
    for range in lines(before) {
        let line = at(before, &range);
        let hash = XxHash3_64::oneshot(line);
        let same = |&id: &u32| {
            let slot: &Slot = &slots[id as usize];
            slot.hash == hash && at(before, &(slot.start..slot.end)) == line
        };
        if table.find(hash, same).is_none() {
            let id = slots.len() as u32;
            slots.push(Slot { hash, start: range.start, end: range.end, shared: false });
            table.insert_unique(hash, id, |&id| slots[id as usize].hash);
        }
    }
    let mut found = LineDifference::default();
    let mut extra: HashTable<Range<u32>> = HashTable::new();
    for range in lines(after) {
        let line = at(after, &range);
        let hash = XxHash3_64::oneshot(line);
        let same = |&id: &u32| {
            let slot = &slots[id as usize];
            slot.hash == hash && at(before, &(slot.start..slot.end)) == line
        };
        if let Some(&id) = table.find(hash, same) {
            slots[id as usize].shared = true;
        } else if extra.find(hash, |known| at(after, known) == line).is_none() {
            let rehash = |known: &Range<u32>| XxHash3_64::oneshot(at(after, known));
            extra.insert_unique(hash, range.clone(), rehash);
            found.after_only.push(range);
        }
    }
    let alone = slots.iter().filter(|slot| !slot.shared);
    found.before_only.extend(alone.map(|slot| slot.start..slot.end));
    Ok(found)
}

/// The non-empty lines of `text`, in its order.
fn lines(text: &[u8]) -> impl Iterator<Item = Range<u32>> + '_ {
    let ends = memchr::memchr_iter(b'\n', text).chain(core::iter::once(text.len()));
    let mut start = 0usize;
    ends.filter_map(move |end| {
        let line = start as u32..end as u32;
        start = end + 1;
        (line.start < line.end).then_some(line)
    })
}

fn at<'a>(text: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    &text[range.start as usize..range.end as usize]
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn named<'a>(text: &'a [u8], ranges: &[Range<u32>]) -> Vec<&'a [u8]> {
        ranges.iter().map(|range| at(text, range)).collect()
    }

    #[test]
    fn equal_texts_in_another_order_do_not_differ() {
        let found = difference(b"a\nb\nc", b"c\nb\na\n").unwrap();
        assert_eq!(found, LineDifference::default());
    }

    #[test]
    fn a_line_held_twice_counts_once() {
        let found = difference(b"a\nx\nx\n", b"a\ny\ny\n").unwrap();
        assert_eq!(named(b"a\nx\nx\n", &found.before_only), [b"x"]);
        assert_eq!(named(b"a\ny\ny\n", &found.after_only), [b"y"]);
    }

    proptest! {
        #[test]
        fn it_is_the_difference_of_the_sets(
            before in proptest::collection::vec("[a-d]{0,2}", 0..40),
            after in proptest::collection::vec("[a-d]{0,2}", 0..40),
        ) {
            let set = |lines: &[String]| -> BTreeSet<String> {
                lines.iter().filter(|line| !line.is_empty()).cloned().collect()
            };
            let texts = (before.join("\n"), after.join("\n"));
            let found = difference(texts.0.as_bytes(), texts.1.as_bytes()).unwrap();
            let text_of = |text: &str, ranges: &[Range<u32>]| -> BTreeSet<String> {
                ranges.iter().map(|r| text[r.start as usize..r.end as usize].into()).collect()
            };
            let (first, second) = (set(&before), set(&after));
            prop_assert_eq!(
                text_of(&texts.0, &found.before_only),
                first.difference(&second).cloned().collect::<BTreeSet<_>>()
            );
            prop_assert_eq!(
                text_of(&texts.1, &found.after_only),
                second.difference(&first).cloned().collect::<BTreeSet<_>>()
            );
        }
    }
}
