//! Places and links, as plans write them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use skewsync::ids::Slot;
use skewsync::message::Address;

/// A place: `0`, `1` or `arbiter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place(pub Address);

/// A link from one place to another: `0->arbiter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Link {
    /// The sender.
    pub from: Place,
    /// The receiver, another place.
    pub to: Place,
}

/// A word that is no place, or no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// It is no place.
    #[error("`{0}` is no place: there are `0`, `1` and `arbiter`")]
    Place(String),
    /// It is no link.
    #[error("`{0}` is no link: one is written `0->arbiter`, between two of `0`, `1` and `arbiter`")]
    Link(String),
}

impl Place {
    /// A unit's.
    pub const fn unit(slot: u8) -> Self {
        Self(Address::Unit(Slot(slot)))
    }

    /// The arbiter's.
    pub const ARBITER: Self = Self(Address::Arbiter);
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Address::Unit(slot) => write!(f, "{}", slot.0),
            Address::Arbiter => f.write_str("arbiter"),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.from, self.to)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(word: &str) -> Result<Self, NoPlace> {
        match word {
            "0" => Ok(Self::unit(0)),
            "1" => Ok(Self::unit(1)),
            "arbiter" => Ok(Self::ARBITER),
            _ => Err(NoPlace::Place(word.into())),
        }
    }
}

impl FromStr for Link {
    type Err = NoPlace;

    fn from_str(word: &str) -> Result<Self, NoPlace> {
        let ends = word.split_once("->").and_then(|(from, to)| {
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (from != to).then_some(Self { from, to })
        });
        ends.ok_or_else(|| NoPlace::Link(word.into()))
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        /// By its text: kept plans draw their lots by the hash of what they hold.
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.to_string().hash(state);
            }
        }

        impl From<$name> for String {
            fn from(it: $name) -> Self {
                it.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NoPlace;

            fn try_from(word: String) -> Result<Self, NoPlace> {
                word.parse()
            }
        }
    )*};
}

as_text!(Place, Link);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_as_it_is_written_and_others_are_named() {
        for word in ["0->1", "arbiter->0", "1->arbiter"] {
            assert_eq!(word.parse::<Link>().map(|link| link.to_string()), Ok(word.into()));
        }
        for word in ["0->0", "0->2", "0-1", "", "->"] {
            assert_eq!(word.parse::<Link>(), Err(NoPlace::Link(word.into())));
        }
        assert_eq!("2".parse::<Place>(), Err(NoPlace::Place("2".into())));
    }
}
