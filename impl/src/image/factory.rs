//! Lines that are there unless they are undone: what a factory sets for some keys of a command.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::FormDecl;
use crate::grammar::{Form, LeafId, Negation, Sign, Words};

/// Why a line is none that a factory sets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactoryError {
    /// The form has no such line.
    #[error("`{line}` is no line of the form")]
    NoLine {
        /// The line.
        line: String,
    },
    /// There is one line of the form in an instance at most.
    #[error("a line without a key that is there from the beginning is a default: write `default`")]
    NoKey,
    /// Nothing can undo the line.
    #[error("the form has no `no` that would undo `{line}`")]
    NoNo {
        /// The line.
        line: String,
    },
    /// Two lines of one key.
    #[error("`{line}` is of the same key as a line before it")]
    Twice {
        /// The line.
        line: String,
    },
}

/// Reads the lines that a factory sets of a form.
///
/// # Errors
/// See [`FactoryError`].
pub(super) fn compile(
    form: &Form,
    key: Option<&[LeafId]>,
    lines: &[String],
) -> Result<Vec<Words>, FactoryError> {
    let mut made: Vec<Words> = Vec::new();
    for line in lines {
        let line = || line.to_string();
        let words = form.words(&line()).filter(|words| words.sign() == Sign::Positive);
        let words = words.ok_or_else(|| FactoryError::NoLine { line: line() })?;
        let key = key.filter(|key| !key.is_empty()).ok_or(FactoryError::NoKey)?;
        if form.negation() != Negation::Optional {
            return Err(FactoryError::NoNo { line: line() });
        }
        if made.iter().any(|other| other.only(key) == words.only(key)) {
            return Err(FactoryError::Twice { line: line() });
        }
        made.push(words);
    }
    Ok(made)
}

impl FormDecl {
    /// The line that an absent one of the same key says, where a factory sets it.
    pub fn factory_line(&self, words: &Words) -> Option<&Words> {
        if self.factory.is_empty() {
            return None;
        }
        let key = self.key.as_deref()?;
        let own = words.only(key);
        self.factory.iter().find(|line| line.only(key) == own)
    }

    /// Whether a `no` of the key of these words is a line itself.
    pub fn keeps_no_of(&self, words: &Words) -> bool {
        self.no_is_state() || self.factory_line(words).is_some()
    }

    /// The lines that undo what a factory sets.
    pub(crate) fn undone(&self) -> impl Iterator<Item = Words> {
        self.factory.iter().filter_map(|line| {
            let key = line.only(self.key.as_deref()?);
            let values = self.form.values_of(&key);
            let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
            self.form.build(Sign::No, &values).ok()
        })
    }
}
