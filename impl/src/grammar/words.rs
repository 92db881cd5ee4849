//! A line as canonical words, each with the leaf of the form that took it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::text::{shown, written};
use super::{Form, LeafId};

/// Whether a line sets or negates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// The line as it is.
    Positive,
    /// The line begins with `no`.
    No,
}

impl Sign {
    /// The other sign, if so said.
    #[must_use]
    pub const fn turned(self, not: bool) -> Self {
        match (self, not) {
            (Self::Positive, true) => Self::No,
            (Self::No, true) => Self::Positive,
            (sign, false) => sign,
        }
    }
}

/// A line of a form in canonical words.
///
/// # Shape
/// One [`LeafId`] a word. Keywords are written out, values in canonical spelling, the branches of
/// `{..}` in the form's order: two spellings of one line are equal. Clones share all; no words are
/// none.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Option<Arc<Parts>>);

#[derive(PartialEq, Eq)]
struct Parts {
    text: Box<str>,
    leaves: Box<[LeafId]>,
}

impl Words {
    /// Puts words, each with its leaf, into canonical order.
    pub(super) fn from_taken<T: AsRef<str>>(mut taken: Vec<(LeafId, T)>) -> Self {
        if taken.is_empty() {
            return Self(None);
        }
        taken.sort_by_key(|(leaf, _)| *leaf);
        let bytes = taken.iter().map(|(_, word)| word.as_ref().len() + 1).sum::<usize>() - 1;
        let mut text = String::with_capacity(bytes);
        for (at, (_, word)) in taken.iter().enumerate() {
            let word = word.as_ref();
            debug_assert!(!word.is_empty() && !word.contains(|c: char| c.is_ascii_whitespace()));
            if at > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        Self(Some(Arc::new(Parts {
            text: text.into(),
            leaves: taken.iter().map(|(leaf, _)| *leaf).collect(),
        })))
    }

    /// No words: the key of what there is once.
    pub const fn none() -> Self {
        Self(None)
    }

    /// The line, its words separated by single spaces.
    pub fn text(&self) -> &str {
        self.0.as_ref().map_or("", |parts| &parts.text)
    }

    /// The line as a config's text has it: of several lines, where it ends with a text.
    pub fn written(&self) -> Cow<'_, str> {
        written(self.text())
    }

    fn leaves(&self) -> &[LeafId] {
        self.0.as_ref().map_or(&[], |parts| &parts.leaves)
    }

    /// The words, each with the leaf that took it.
    pub fn iter(&self) -> impl Iterator<Item = (LeafId, &str)> {
        self.leaves().iter().copied().zip(self.text().split(' '))
    }

    /// The number of words.
    pub fn len(&self) -> usize {
        self.leaves().len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the line negates: its first word is `no`.
    pub fn sign(&self) -> Sign {
        match self.text().strip_prefix("no") {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => Sign::No,
            Some(_) | None => Sign::Positive,
        }
    }

    /// The line without its leading `no`.
    pub fn without_no(&self) -> Self {
        match self.sign() {
            Sign::Positive => self.clone(),
            Sign::No => Self::from_taken(self.iter().skip(1).collect()),
        }
    }

    /// The value of the capture `name`: the words of its leaves, joined.
    pub fn value(&self, form: &Form, name: &str) -> Option<Cow<'_, str>> {
        self.joined(&form.capture(name))
    }

    /// Only the words of `leaves`, still with their leaves: a key.
    pub fn only(&self, leaves: &[LeafId]) -> Self {
        Self::from_taken(self.iter().filter(|(leaf, _)| leaves.contains(leaf)).collect())
    }

    /// The values of all tokens that are no keywords, by position.
    pub fn values(&self, form: &Form) -> Vec<&str> {
        self.iter()
            .filter(|(leaf, _)| !form.leaf(*leaf).token.is_keyword())
            .map(|(_, word)| word)
            .collect()
    }

    /// Appends bytes that are ordered as words are, whatever follows them.
    pub(crate) fn rank(&self, rank: &mut Vec<u8>) {
        rank.extend(self.text().as_bytes());
        // Below all that a text holds: the beginning of another text comes before it.
        rank.push(0);
        // Equal texts have as many words.
        rank.extend(self.leaves().iter().flat_map(|leaf| leaf.0.to_be_bytes()));
    }

    /// The words of these leaves, joined.
    pub(super) fn joined(&self, leaves: &[LeafId]) -> Option<Cow<'_, str>> {
        let mut wanted = self.iter().filter(|(leaf, _)| leaves.contains(leaf));
        let (_, first) = wanted.next()?;
        let mut value = Cow::Borrowed(first);
        for (_, word) in wanted {
            let value = value.to_mut();
            value.push(' ');
            value.push_str(word);
        }
        Some(value)
    }
}

impl PartialOrd for Words {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By text, then by leaves; no words come first. What is shared is equal without a look.
impl Ord for Words {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) if Arc::ptr_eq(one, other) => Ordering::Equal,
            (Some(one), Some(other)) => {
                let texts = one.text.cmp(&other.text);
                texts.then_with(|| one.leaves.cmp(&other.leaves))
            }
            (one, other) => one.is_some().cmp(&other.is_some()),
        }
    }
}

/// By its content, whether it is shared or not.
impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
        self.leaves().hash(state);
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.text()))
    }
}

/// The words of a line, in order.
pub fn split_words(line: &str) -> impl Iterator<Item = &str> {
    line.split_ascii_whitespace()
}
