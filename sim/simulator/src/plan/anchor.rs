//! Where in a run something of a plan happens: at a protocol event, so that the same scenario is
//! met again at a later commit, or at an instant, which a run resolves to the event that it met.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Address, MessageKind as Kind};

/// Every kind of message, in the order of [`Kind`].
pub const KINDS: [Kind; 34] = [
    Kind::Join,
    Kind::Proceed,
    Kind::Have,
    Kind::Ready,
    Kind::Dump,
    Kind::Diff,
    Kind::Compatible,
    Kind::Incompatible,
    Kind::Config,
    Kind::ConfigChunk,
    Kind::BulkDone,
    Kind::BulkAccept,
    Kind::BulkReject,
    Kind::Line,
    Kind::Applied,
    Kind::Hot,
    Kind::HotAck,
    Kind::Leave,
    Kind::Left,
    Kind::Save,
    Kind::SaveChunk,
    Kind::Saved,
    Kind::Keepalive,
    Kind::Down,
    Kind::Hello,
    Kind::Renew,
    Kind::Decline,
    Kind::SetRegister,
    Kind::Release,
    Kind::Offer,
    Kind::Grant,
    Kind::Confirm,
    Kind::Unreadable,
    Kind::Ask,
];

/// The name of one message: the how-manieth of its kind on its link in its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// Its sender.
    pub from: Address,
    /// Its receiver.
    pub to: Address,
    /// Its kind.
    pub kind: Kind,
    /// The attempt of its session, or of the Join; 0 for the arbiter's messages.
    pub attempt: u32,
    /// Its number, from 1, among those of its link, kind and attempt.
    pub ordinal: u32,
}

/// When, in relation to a message's sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// As it is sent.
    Send,
    /// Before it is delivered.
    Before,
    /// In the step that handles it, once so many of the step's outputs are performed.
    Within(u8),
    /// After the step that handles it.
    After,
}

/// Where in a run something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// An instant of virtual time, in milliseconds.
    Instant(u64),
    /// A message's sight.
    Observed(Moment, MessageId),
    /// The first sight from an instant on, of a kind if one is named, to a place if one is named. A
    /// run resolves it to the [`Anchor::Observed`] that it met, which is what a written plan holds.
    Next {
        /// When, in relation to it.
        moment: Moment,
        /// Milliseconds of virtual time.
        from_ms: u64,
        /// The receiver.
        to: Option<Address>,
        /// The kind.
        kind: Option<Kind>,
    },
    /// After the outcome of this change was returned at a prompt.
    Answered(Term, Lsn),
}

impl Anchor {
    /// Whether this sight, at this moment and time, is what the anchor waits for.
    pub fn meets(&self, at: Moment, sight: MessageId, now_us: u64) -> bool {
        match *self {
            Self::Instant(_) | Self::Answered(..) => false,
            Self::Observed(moment, name) => moment == at && name == sight,
            Self::Next { moment, from_ms, to, kind } => {
                moment == at
                    && from_ms * 1_000 <= now_us
                    && to.is_none_or(|to| to == sight.to)
                    && kind.is_none_or(|kind| kind == sight.kind)
            }
        }
    }
}

/// A text that is no anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no anchor: `at 1200 ms`, `before deliver 0->1 Line 3, attempt 2` (or `after`, \
     `within 2 of`, \
     `send`), `next before deliver to 1 Line from 1200 ms`, `after answer (2, 41)`"
)]
pub struct AnchorError {
    /// The text.
    pub found: String,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (place(self.from), place(self.to));
        write!(f, "{from}->{to} {:?} {}, attempt {}", self.kind, self.ordinal, self.attempt)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send => f.write_str("send"),
            Self::Before => f.write_str("before deliver"),
            Self::Within(outputs) => write!(f, "within {outputs} of deliver"),
            Self::After => f.write_str("after deliver"),
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(ms) => write!(f, "at {ms} ms"),
            Self::Observed(moment, sight) => write!(f, "{moment} {sight}"),
            Self::Next { moment, from_ms, to, kind } => {
                write!(f, "next {moment}")?;
                if let Some(to) = to {
                    write!(f, " to {}", place(*to))?;
                }
                if let Some(kind) = kind {
                    write!(f, " {kind:?}")?;
                }
                write!(f, " from {from_ms} ms")
            }
            Self::Answered(term, lsn) => write!(f, "after answer ({term}, {lsn})"),
        }
    }
}

/// How a place is written: `0`, `1`, `arbiter`.
pub fn place(address: Address) -> String {
    match address {
        Address::Arbiter => "arbiter".into(),
        Address::Unit(slot) => slot.to_string(),
    }
}

fn read_place(word: &str) -> Option<Address> {
    if word == "arbiter" {
        return Some(Address::Arbiter);
    }
    word.parse().ok().map(|slot| Address::Unit(Slot(slot)))
}

/// The kind of this name.
pub fn kind(word: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| format!("{kind:?}") == word)
}

fn read_sight(words: &[&str]) -> Option<MessageId> {
    let [link, named, ordinal, "attempt", attempt] = words else {
        return None;
    };
    let (from, to) = link.split_once("->")?;
    Some(MessageId {
        from: read_place(from)?,
        to: read_place(to)?,
        kind: kind(named)?,
        attempt: attempt.parse().ok()?,
        ordinal: ordinal.strip_suffix(',')?.parse().ok()?,
    })
}

/// Reads a moment from the front of `words`.
fn read_moment(words: &mut &[&str]) -> Option<Moment> {
    let (moment, taken) = match *words {
        ["send", ..] => (Moment::Send, 1),
        ["before", "deliver", ..] => (Moment::Before, 2),
        ["after", "deliver", ..] => (Moment::After, 2),
        ["within", outputs, "of", "deliver", ..] => (Moment::Within(outputs.parse().ok()?), 4),
        _ => return None,
    };
    *words = &words[taken..];
    Some(moment)
}

fn read_next(mut words: &[&str]) -> Option<Anchor> {
    let moment = read_moment(&mut words)?;
    let mut to = None;
    if let ["to", word, rest @ ..] = words {
        to = Some(read_place(word)?);
        words = rest;
    }
    let (named, words) = match words {
        ["from", ..] => (None, words),
        [word, rest @ ..] => (Some(kind(word)?), rest),
        [] => return None,
    };
    let ["from", ms, "ms"] = words else {
        return None;
    };
    Some(Anchor::Next { moment, from_ms: ms.parse().ok()?, to, kind: named })
}

fn read_anchor(text: &str) -> Option<Anchor> {
    if let Some(inside) = text.strip_prefix("after answer (").and_then(|t| t.strip_suffix(')')) {
        let (term, lsn) = inside.split_once(',')?;
        return Some(Anchor::Answered(
            Term(term.trim().parse().ok()?),
            Lsn(lsn.trim().parse().ok()?),
        ));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = words.as_slice();
    match words {
        ["at", ms, "ms"] => return ms.parse().ok().map(Anchor::Instant),
        ["next", rest @ ..] => return read_next(rest),
        _ => {}
    }
    let moment = read_moment(&mut words)?;
    Some(Anchor::Observed(moment, read_sight(words)?))
}

impl FromStr for Anchor {
    type Err = AnchorError;
    fn from_str(text: &str) -> Result<Self, AnchorError> {
        read_anchor(text).ok_or_else(|| AnchorError { found: text.into() })
    }
}

impl FromStr for MessageId {
    type Err = AnchorError;
    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        read_sight(&words).ok_or_else(|| AnchorError { found: text.into() })
    }
}

impl Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Anchor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_read_as_they_are_written() {
        for text in [
            "at 1200 ms",
            "before deliver 0->1 ConfigChunk 3, attempt 2",
            "within 2 of deliver arbiter->0 Grant 1, attempt 0",
            "send 1->0 Applied 7, attempt 1",
            "next before deliver to 1 Line from 1200 ms",
            "next within 0 of deliver from 5 ms",
            "after answer (2, 41)",
        ] {
            assert_eq!(text.parse::<Anchor>().map(|anchor| anchor.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn an_unknown_kind_is_no_anchor() {
        assert!("send 0->1 Meteor 1, attempt 0".parse::<Anchor>().is_err());
        assert!("send 0->1 Line 1 attempt 0".parse::<Anchor>().is_err());
    }
}
