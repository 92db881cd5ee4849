//! A line as canonical words, each with the leaf of the form that took it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::{Form, LeafId};

/// Whether a line sets or negates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// The line as it is.
    Positive,
    /// The line begins with `no`.
    No,
}

/// A line of a form in canonical words.
///
/// # Shape
/// One [`LeafId`] a word. Keywords are written out, values in canonical spelling, the branches of
/// `{..}` in the form's order: two spellings of one line are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Words {
    text: Arc<str>,
    leaves: Arc<[LeafId]>,
}

impl Words {
    /// Puts words, each with its leaf, into canonical order.
    pub(super) fn of(mut taken: Vec<(LeafId, &str)>) -> Self {
        taken.sort_by_key(|(leaf, _)| *leaf);
        let mut text = String::with_capacity(taken.iter().map(|(_, word)| word.len() + 1).sum());
        for (at, (_, word)) in taken.iter().enumerate() {
            debug_assert!(!word.is_empty() && !word.contains(char::is_whitespace));
            if at > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
        Self {
            text: text.into(),
            leaves: taken.iter().map(|(leaf, _)| *leaf).collect(),
        }
    }

    /// No words: the key of what there is once.
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// The line, its words separated by single spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The words, each with the leaf that took it.
    pub fn iter(&self) -> impl Iterator<Item = (LeafId, &str)> {
        self.leaves.iter().copied().zip(self.text.split(' '))
    }

    /// The number of words.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Whether the line negates: its first word is `no`.
    pub fn sign(&self) -> Sign {
        if self.text.split(' ').next() == Some("no") {
            Sign::No
        } else {
            Sign::Positive
        }
    }

    /// The line without its leading `no`.
    pub fn without_no(&self) -> Self {
        match self.sign() {
            Sign::Positive => self.clone(),
            Sign::No => Self::of(self.iter().skip(1).collect()),
        }
    }

    /// The value of the capture `name`: the words of its leaves, joined.
    pub fn value(&self, form: &Form, name: &str) -> Option<Box<str>> {
        let leaves = form.capture(name);
        self.joined(|leaf| leaves.contains(&leaf))
    }

    /// Only the words of `leaves`, still with their leaves: a key.
    pub fn only(&self, leaves: &[LeafId]) -> Self {
        Self::of(
            self.iter()
                .filter(|(leaf, _)| leaves.contains(leaf))
                .collect(),
        )
    }

    /// The values of all tokens that are no keywords, by position.
    pub fn values(&self, form: &Form) -> Vec<&str> {
        self.iter()
            .filter(|(leaf, _)| !form.leaf(*leaf).token.is_keyword())
            .map(|(_, word)| word)
            .collect()
    }

    fn joined(&self, wanted: impl Fn(LeafId) -> bool) -> Option<Box<str>> {
        let mut value = String::new();
        for (_, word) in self.iter().filter(|(leaf, _)| wanted(*leaf)) {
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(word);
        }
        (!value.is_empty()).then(|| value.into())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The words of a line, in order.
pub fn split_words(line: &str) -> impl Iterator<Item = &str> {
    line.split_ascii_whitespace()
}
