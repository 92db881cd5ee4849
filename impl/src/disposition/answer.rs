//! What the Standby answers to the Active's dump, as bytes: all that the Active knows of its peer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::raisable::Fails;

/// The largest answer that is read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A form by words: it has another number in the peer's image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FormName {
    /// The mode's name.
    pub mode: String,
    /// The form, in normal form.
    pub form: String,
}

/// All forms of a mode that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeForms {
    /// The mode's name.
    pub mode: String,
    /// The Standby's forms in it.
    pub forms: Vec<String>,
    /// So many of the first go before the others, as in its own grammar.
    #[serde(default, skip_serializing_if = "is_none")]
    pub stated: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// What the Standby makes of a form that it takes only at a level below its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// The mode's name.
    pub mode: String,
    /// The form, in normal form.
    pub form: String,
    /// No line of it can be raised.
    pub stuck: bool,
    /// The values that cannot, by capture.
    pub fails: Vec<Fails>,
}

/// A form that need not be synchronised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerDontCare {
    /// The mode's name.
    pub mode: String,
    /// The form, in normal form.
    pub form: String,
    /// Why the form need not be synchronised.
    pub reason: String,
}

/// The Standby's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// ADL and SDL, and both sides' levels: the text of a [`crate::diff::Diff`].
    pub diff: String,
    /// Of the SDL: what has neither transform nor don't-care entry at the Standby.
    pub unhandled: Vec<FormName>,
    /// The Standby's forms in every mode in which the two differ.
    pub modes: Vec<ModeForms>,
    /// Where it reads W by other forms than its own, and they are not the Active's: these forms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wire: Vec<ModeForms>,
    /// What it can raise.
    pub raises: Vec<Raise>,
    /// Its don't-care list, as far as it holds facing this Active.
    pub dont_care: Vec<PeerDontCare>,
}

/// Why bytes are no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// There are too many.
    #[error("{bytes} bytes are beyond the bound of {ANSWER_BYTES_MAX} for a diff")]
    TooLarge {
        /// How many bytes follow.
        bytes: usize,
    },
    /// They are no text.
    #[error("a diff is text; byte {at} is not")]
    Binary {
        /// The first byte that is none.
        at: usize,
    },
    /// They are not what was written.
    #[error("not a diff: {message}")]
    Shape {
        /// What is wrong.
        message: String,
    },
}

impl Answer {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        toml::to_string(self).expect("an answer is plain tables and strings").into_bytes()
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AnswerError> {
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(AnswerError::TooLarge { bytes: bytes.len() });
        }
        let text = core::str::from_utf8(bytes)
            .map_err(|error| AnswerError::Binary { at: error.valid_up_to() })?;
        toml::from_str(text)
            .map_err(|error| AnswerError::Shape { message: error.message().to_string() })
    }
}
