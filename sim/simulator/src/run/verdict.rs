//! What a run established, whole and in one word.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use skewsync_model::property::Property;

use crate::exit;
use crate::observe::Violation;

/// What a run established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No property was seen to fail, and the pair converged.
    Passed,
    /// A safety property does not hold.
    Violated(Violation),
    /// The pair did not converge.
    Stuck {
        /// What it waits for.
        pending: String,
    },
    /// The run did not come back.
    Hung {
        /// After so many seconds of real time it was given up.
        seconds: u64,
    },
    /// A machine, or the laboratory, panicked.
    Panicked {
        /// The panic's words.
        words: String,
    },
}

impl Verdict {
    /// The verdict in plain words: the property, and what was seen.
    pub fn words(&self) -> String {
        match self {
            Self::Passed => VerdictKind::Passed.to_string(),
            Self::Violated(violation) => violation.to_string(),
            Self::Stuck { pending } => format!("{}: waits for {pending}", self.kind()),
            Self::Hung { seconds } => format!("hung: given up after {seconds} s of real time"),
            Self::Panicked { words } => format!("panic: {words}"),
        }
    }

    /// The verdict in one word.
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Passed => VerdictKind::Passed,
            Self::Violated(violation) => VerdictKind::Fails(violation.property),
            Self::Stuck { .. } => VerdictKind::Fails(Property::Converges),
            Self::Hung { .. } => VerdictKind::Hung,
            Self::Panicked { .. } => VerdictKind::Panic,
        }
    }

    /// The exit code of a single run.
    pub const fn code(&self) -> u8 {
        self.kind().code()
    }
}

/// A verdict in one word, as signatures, kept plans and summaries hold it: `passed`, the property
/// that does not hold, `Hung` for a run that did not come back, `Panic`.
///
/// ```
/// use skewsync_model::property::Property;
/// use skewsync_sim::run::VerdictKind;
/// let fails = VerdictKind::Fails(Property::NoZombie);
/// assert_eq!("NoZombie".parse(), Ok(fails));
/// assert_eq!(VerdictKind::Passed.to_string(), "passed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum VerdictKind {
    /// The run passed.
    Passed,
    /// The property does not hold.
    Fails(Property),
    /// The run did not come back.
    Hung,
    /// A machine, or the laboratory, panicked.
    Panic,
}

impl VerdictKind {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Fails(property) => property.into(),
            Self::Hung => "Hung",
            Self::Panic => "Panic",
        }
    }

    /// The exit code of a single run.
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => exit::PASSED,
            Self::Fails(Property::Converges) | Self::Hung => exit::LIVENESS,
            Self::Fails(_) => exit::SAFETY,
            Self::Panic => exit::PANIC,
        }
    }

    /// Whether the run passed.
    pub const fn passed(self) -> bool {
        matches!(self, Self::Passed)
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no verdict: neither `passed`, `Hung`, `Panic` nor a property")]
pub struct NoVerdict(String);

impl FromStr for VerdictKind {
    type Err = NoVerdict;

    fn from_str(word: &str) -> Result<Self, NoVerdict> {
        let others = [Self::Passed, Self::Hung, Self::Panic];
        let other = others.into_iter().find(|kind| kind.name() == word);
        let property = || word.parse().ok().map(Self::Fails);
        other.or_else(property).ok_or_else(|| NoVerdict(word.into()))
    }
}

impl From<VerdictKind> for String {
    fn from(kind: VerdictKind) -> Self {
        kind.name().into()
    }
}

impl TryFrom<String> for VerdictKind {
    type Error = NoVerdict;

    fn try_from(word: String) -> Result<Self, NoVerdict> {
        word.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_as_it_is_written_and_no_other_word_does() {
        use strum::IntoEnumIterator;
        let properties = Property::iter().map(VerdictKind::Fails);
        for kind in properties.chain([VerdictKind::Passed, VerdictKind::Hung, VerdictKind::Panic]) {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for word in ["", "-", "passes", "nozombie", "lockstep: steps"] {
            assert!(word.parse::<VerdictKind>().is_err(), "{word}");
        }
    }
}
