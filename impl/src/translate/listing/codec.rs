//! Listings and their changes as bytes, versioned by what carries them. A malformed input is an
//! error.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Entries, LISTED_LINES_MAX, ListKey, Listed, Listing, ListingChange};
use crate::config::Prc;
use crate::digest::Shared;
use crate::ids::{Level, Lsn, Term};
use crate::transform::StuckCause;
use crate::translate::complement::{ByWords, Complement, ComplementKey};

/// Instances around a line, at most.
const DEPTH_MAX: usize = 64;
/// The longest text of one field.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Why bytes are no listing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// They end before what they announce.
    #[error("cut short at byte {at}")]
    Short {
        /// The byte at which the input ends.
        at: usize,
    },
    /// They go on behind it.
    #[error("{extra} bytes too many")]
    Long {
        /// How many bytes follow.
        extra: usize,
    },
    /// A byte has no meaning where it stands.
    #[error("byte {at} is {byte:#04x}, which says nothing there")]
    Tag {
        /// The tag's place in the input.
        at: usize,
        /// The tag that was found.
        byte: u8,
    },
    /// A text is none.
    #[error("no text at byte {at}")]
    Text {
        /// The text's place in the input.
        at: usize,
    },
    /// A count is beyond its bound.
    #[error("{count} at byte {at} are beyond the bound of {max}")]
    TooMany {
        /// The count's place in the input.
        at: usize,
        /// The count that was found.
        count: usize,
        /// The bound.
        max: usize,
    },
}

impl ListingError {
    /// The first of so many bytes that says nothing.
    pub const fn at(&self, bytes: usize) -> usize {
        match self {
            Self::Short { at }
            | Self::Tag { at, .. }
            | Self::Text { at }
            | Self::TooMany { at, .. } => *at,
            Self::Long { extra } => bytes - *extra,
        }
    }
}

impl Listing {
    /// As bytes: the change that makes it from nothing.
    pub fn encode(&self) -> Vec<u8> {
        ListingChange::between(&Self::default(), self).encode()
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// See [`ListingError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ListingError> {
        let mut listing = Self::default();
        listing.apply(&ListingChange::decode(bytes)?);
        Ok(listing)
    }
}

impl ListingChange {
    /// As bytes; no change is no bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.is_empty() {
            return out;
        }
        encode_count(&mut out, self.lines.len());
        for (key, listed) in &self.lines {
            encode_key(&mut out, key);
            encode_option(&mut out, listed.as_ref(), encode_listed);
        }
        encode_count(&mut out, self.complements.len());
        for (key, kept) in &self.complements {
            encode_complement_key(&mut out, key);
            encode_option(&mut out, kept.as_ref(), encode_complement);
        }
        out
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// See [`ListingError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ListingError> {
        let mut change = Self::default();
        if bytes.is_empty() {
            return Ok(change);
        }
        let mut reader = Reader { bytes, at: 0 };
        for _ in 0..reader.count(LISTED_LINES_MAX)? {
            let key = reader.key()?;
            change.lines.push((key, reader.option(Reader::listed)?));
        }
        for _ in 0..reader.count(LISTED_LINES_MAX)? {
            let key = reader.complement_key()?;
            change.complements.push((key, reader.option(Reader::complement)?));
        }
        match bytes.len() - reader.at {
            0 => Ok(change),
            extra => Err(ListingError::Long { extra }),
        }
    }
}

/// The canonical bytes of entries, of which their digest is made.
pub(super) fn canonical(entries: &Entries) -> Vec<u8> {
    let mut out = Vec::new();
    encode_count(&mut out, entries.lines.len());
    for (key, listed) in &entries.lines {
        encode_key(&mut out, key);
        encode_listed(&mut out, listed);
    }
    for (key, kept) in &entries.complements {
        encode_complement_key(&mut out, key);
        encode_complement(&mut out, kept);
    }
    out
}

fn encode_count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("counts are bounded");
    out.extend_from_slice(&count.to_le_bytes());
}

fn encode_text(out: &mut Vec<u8>, text: &str) {
    encode_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn encode_key(out: &mut Vec<u8>, key: &ListKey) {
    encode_text(out, &key.path);
    encode_text(out, &key.line);
}

fn encode_option<T>(out: &mut Vec<u8>, value: Option<&T>, encode: fn(&mut Vec<u8>, &T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        encode(out, value);
    }
}

fn encode_listed(out: &mut Vec<u8>, listed: &Listed) {
    out.extend_from_slice(&listed.since.0.0.to_le_bytes());
    out.extend_from_slice(&listed.since.1.0.to_le_bytes());
    encode_cause(out, &listed.cause);
}

fn encode_complement_key(out: &mut Vec<u8>, key: &ComplementKey) {
    encode_text(out, &key.component);
    out.extend_from_slice(&key.level.0.to_le_bytes());
    encode_by_words(out, &key.line);
}

fn encode_complement(out: &mut Vec<u8>, kept: &Complement) {
    for lines in [&kept.lost, &kept.made, &kept.rests_on] {
        encode_count(out, lines.len());
        lines.iter().for_each(|line| encode_by_words(out, line));
    }
    out.extend_from_slice(&kept.stands.to_le_bytes());
    encode_option(out, kept.behind.as_ref(), |out, text| encode_text(out, text));
    out.push(u8::from(kept.owed));
}

fn encode_by_words(out: &mut Vec<u8>, line: &ByWords) {
    encode_count(out, line.path.len());
    line.path.iter().for_each(|entry| encode_text(out, entry));
    encode_text(out, &line.line);
}

fn encode_cause(out: &mut Vec<u8>, cause: &StuckCause) {
    match cause {
        StuckCause::NoTransform => out.push(0),
        StuckCause::Value { capture, value, allowed } => {
            out.push(1);
            for part in [capture, value, allowed] {
                encode_text(out, part);
            }
        }
        StuckCause::Alone { missing } => {
            out.push(2);
            encode_text(out, missing);
        }
        StuckCause::Conflict => out.push(3),
        StuckCause::Taken => out.push(4),
        StuckCause::Resolves => out.push(5),
        StuckCause::EmptyMode => out.push(6),
        StuckCause::Pending => out.push(7),
        StuckCause::Unverified => out.push(8),
        StuckCause::Bound => out.push(9),
        StuckCause::Dropped => out.push(12),
        StuckCause::Refused { other, without, why } => {
            out.push(11);
            encode_text(out, other);
            out.push(u8::from(*without));
            encode_text(out, why);
        }
        StuckCause::Peer(prc) => {
            out.push(10);
            out.push(match prc {
                Prc::Ok => 0,
                Prc::Unchanged => 1,
                Prc::NoMatch => 2,
                Prc::Ambiguous => 3,
                Prc::Incomplete => 4,
                Prc::Rejected => 5,
            });
        }
    }
}

/// Reads from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ListingError> {
        let part = self.bytes.get(self.at..self.at + N);
        let part = part.ok_or(ListingError::Short { at: self.at })?;
        self.at += N;
        Ok(part.try_into().expect("a slice of N"))
    }

    fn tag(&mut self) -> Result<u8, ListingError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn refused<T>(&self, byte: u8) -> Result<T, ListingError> {
        Err(ListingError::Tag { at: self.at - 1, byte })
    }

    fn count(&mut self, max: usize) -> Result<usize, ListingError> {
        let at = self.at;
        let count = u32::from_le_bytes(self.take()?) as usize;
        if count > max {
            return Err(ListingError::TooMany { at, count, max });
        }
        Ok(count)
    }

    fn text(&mut self) -> Result<Shared<str>, ListingError> {
        let bytes = self.count(TEXT_BYTES_MAX)?;
        let at = self.at;
        let part = self.bytes.get(at..at + bytes).ok_or(ListingError::Short { at })?;
        self.at += bytes;
        let text = core::str::from_utf8(part).map_err(|_| ListingError::Text { at })?;
        Ok(Shared::from(String::from(text)))
    }

    fn key(&mut self) -> Result<ListKey, ListingError> {
        Ok(ListKey { path: self.text()?, line: self.text()? })
    }

    fn option<T>(
        &mut self,
        read: fn(&mut Self) -> Result<T, ListingError>,
    ) -> Result<Option<T>, ListingError> {
        match self.tag()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            byte => self.refused(byte),
        }
    }

    fn listed(&mut self) -> Result<Listed, ListingError> {
        let term = Term(u64::from_le_bytes(self.take()?));
        let lsn = Lsn(u64::from_le_bytes(self.take()?));
        let cause = self.cause()?;
        Ok(Listed { cause, since: (term, lsn) })
    }

    fn complement_key(&mut self) -> Result<ComplementKey, ListingError> {
        let component = self.text()?;
        let level = Level(u16::from_le_bytes(self.take()?));
        Ok(ComplementKey { component, level, line: self.by_words()? })
    }

    fn complement(&mut self) -> Result<Complement, ListingError> {
        let lines = |reader: &mut Self| -> Result<Vec<ByWords>, ListingError> {
            let count = reader.count(LISTED_LINES_MAX)?;
            (0..count).map(|_| reader.by_words()).collect()
        };
        Ok(Complement {
            lost: lines(self)?,
            made: lines(self)?,
            rests_on: lines(self)?,
            stands: u16::from_le_bytes(self.take()?),
            behind: self.option(Self::text)?,
            owed: match self.tag()? {
                0 => false,
                1 => true,
                byte => return self.refused(byte),
            },
        })
    }

    fn by_words(&mut self) -> Result<ByWords, ListingError> {
        let count = self.count(DEPTH_MAX)?;
        let path = (0..count).map(|_| self.text()).collect::<Result<_, _>>()?;
        Ok(ByWords { path, line: self.text()? })
    }

    fn cause(&mut self) -> Result<StuckCause, ListingError> {
        Ok(match self.tag()? {
            0 => StuckCause::NoTransform,
            1 => StuckCause::Value {
                capture: self.text()?,
                value: self.text()?,
                allowed: self.text()?,
            },
            2 => StuckCause::Alone { missing: self.text()? },
            3 => StuckCause::Conflict,
            4 => StuckCause::Taken,
            5 => StuckCause::Resolves,
            6 => StuckCause::EmptyMode,
            7 => StuckCause::Pending,
            8 => StuckCause::Unverified,
            9 => StuckCause::Bound,
            12 => StuckCause::Dropped,
            10 => StuckCause::Peer(match self.tag()? {
                0 => Prc::Ok,
                1 => Prc::Unchanged,
                2 => Prc::NoMatch,
                3 => Prc::Ambiguous,
                4 => Prc::Incomplete,
                5 => Prc::Rejected,
                byte => return self.refused(byte),
            }),
            11 => StuckCause::Refused {
                other: self.text()?,
                without: match self.tag()? {
                    0 => false,
                    1 => true,
                    byte => return self.refused(byte),
                },
                why: self.text()?,
            },
            byte => return self.refused(byte),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ListingChange {
        let key =
            |line: &str| ListKey { path: Shared::text("router pim"), line: Shared::text(line) };
        let value = StuckCause::Value {
            capture: Shared::text("seconds"),
            value: Shared::text("30"),
            allowed: Shared::text("(60-600)"),
        };
        let listed = |cause| Listed { cause, since: (Term(3), Lsn(7)) };
        let by_words = |line: &str| ByWords {
            path: alloc::vec![Shared::text("router pim")],
            line: Shared::text(line),
        };
        let of = |line: &str| ComplementKey {
            component: Shared::text("pim"),
            level: Level(2),
            line: by_words(line),
        };
        let kept = Complement {
            lost: alloc::vec![by_words("join-interval 30")],
            made: alloc::vec![by_words("join")],
            stands: 1,
            behind: Some(Shared::text("rp 192.0.2.1")),
            owed: true,
            rests_on: alloc::vec![by_words("join")],
        };
        ListingChange {
            lines: alloc::vec![
                (key("join-interval 30"), Some(listed(value))),
                (key("join-interval 40"), Some(listed(StuckCause::Peer(Prc::Rejected)))),
                (key("join-interval 50"), None),
            ],
            complements: alloc::vec![(of("a"), Some(kept)), (of("b"), None)],
        }
    }

    #[test]
    fn a_change_comes_back_as_it_was_written() {
        let change = sample();
        assert_eq!(ListingChange::decode(&change.encode()), Ok(change));
        assert_eq!(ListingChange::decode(&[]), Ok(ListingChange::default()));
    }

    #[test]
    fn a_change_cut_at_any_byte_is_refused() {
        let bytes = sample().encode();
        for cut in 1..bytes.len() {
            assert!(ListingChange::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_change_flipped_at_any_bit_never_panics() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let _ = ListingChange::decode(&flipped).map(|change| change.encode());
        }
    }
}
