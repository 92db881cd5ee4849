//! Fields of frames: how each type of the messages is written and read.

use alloc::vec::Vec;

use super::WireError;
use crate::digest::{Digest, ImageDigest, Shared};
use crate::ids::{Attempt, BootId, Lsn, Slot, Term};
use crate::message::{
    Bounds, Bytes, Compatibility, DumpAtHand, Engine, HeldBy, LeaveWhy, Mismatch, Missing,
    OnMismatch, Payload, Prc, Ranges, Redundancy, RejectWhy, SaveResult, Session, Unraised,
    Unreadable, Verdict,
};
use crate::policy::Cause;

/// A type that stands in frames.
pub(super) trait Field: Sized {
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// The rest of a frame.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(frame: &'a [u8]) -> Self {
        Self { rest: frame, at: 0 }
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut taken = [0; N];
        taken.copy_from_slice(self.bytes(N)?);
        Ok(taken)
    }

    /// The next `count` bytes, if the frame holds them.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(WireError::Short { at: self.at, missing: count - self.rest.len() });
        };
        self.rest = rest;
        self.at += count;
        Ok(taken)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) const fn end(&self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(WireError::Trailing { bytes }),
        }
    }

    pub(super) const fn no(&self, what: &'static str, value: u64) -> WireError {
        WireError::Value { at: self.at, what, value }
    }

    /// A count, of things that take at least `least` bytes each.
    fn count(&mut self, least: usize) -> Result<usize, WireError> {
        let count = u32::decode(self)? as usize;
        let bytes = count.saturating_mul(least);
        if bytes > self.rest.len() {
            return Err(WireError::Short { at: self.at, missing: bytes - self.rest.len() });
        }
        Ok(count)
    }
}

fn encode_count(count: usize, out: &mut Vec<u8>) {
    u32::try_from(count).expect("a machine bounds what it sends").encode(out);
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self::from_le_bytes(from.take()?))
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, u128);

macro_rules! newtypes {
    ($($type:ident),*) => {$(
        impl Field for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }

            fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self(Field::decode(from)?))
            }
        }
    )*};
}

newtypes!(Slot, BootId, Term, Lsn, Attempt, Digest);

macro_rules! choices {
    ($($type:ident: $what:literal { $($tag:literal $name:ident),* })*) => {$(
        impl Field for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(match self {
                    $(Self::$name => $tag,)*
                });
            }

            fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(match u8::decode(from)? {
                    $($tag => Self::$name,)*
                    other => return Err(from.no($what, u64::from(other))),
                })
            }
        }
    )*};
}

choices! {
    Cause: "cause" { 0 NoTransform, 1 GuardedValue, 2 Prc, 3 Verification, 4 Limit }
    Compatibility: "compatibility" { 0 Comp, 1 Dynamic, 2 Incomp }
    DumpAtHand: "say about the dump" { 0 SameImage, 1 AtHand, 2 Needed }
    HeldBy: "say about the register" { 0 Register, 1 Nobody }
    OnMismatch: "action on a mismatch" { 0 List, 1 LeaveHot }
    Prc: "parser return code" {
        0 Ok, 1 Unchanged, 2 NoMatch, 3 Ambiguous, 4 Incomplete, 5 Rejected
    }
    Redundancy: "mode of redundancy" { 0 Sso, 1 Rpr, 2 Simplex }
    RejectWhy: "reason to reject" { 0 Policy, 1 Limit }
    SaveResult: "result of a save" { 0 Ok, 1 Disk, 2 Unreadable, 3 NoAnswer, 4 TooLarge }
    Payload: "payload" { 0 Dump, 1 Diff, 2 Snapshot, 3 Listing, 4 Difference, 5 Save }
    Verdict: "verdict" { 0 Reset, 1 Rpr, 2 Simplex }
    LeaveWhy: "reason to leave" {
        0 Watchdog, 1 AckTimeout, 2 JournalFull, 3 Deadline, 4 DigestMismatch, 5 PrcMismatch,
        6 Stuck, 7 Degrade, 8 Incompatible, 9 Simplex, 10 Operator, 11 Over, 12 Retry,
        13 Unreadable, 14 Bound
    }
}

impl Field for ImageDigest {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self(from.take()?))
    }
}

impl Field for Engine {
    fn encode(&self, out: &mut Vec<u8>) {
        for part in self.version {
            part.encode(out);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut version = [0; 3];
        for part in &mut version {
            *part = Field::decode(from)?;
        }
        Ok(Self { version })
    }
}

impl Field for Bounds {
    fn encode(&self, out: &mut Vec<u8>) {
        self.file.encode(out);
        self.line.encode(out);
        self.listed.encode(out);
        self.mismatches.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            file: Field::decode(from)?,
            line: Field::decode(from)?,
            listed: Field::decode(from)?,
            mismatches: Field::decode(from)?,
        })
    }
}

impl Field for Unreadable {
    fn encode(&self, out: &mut Vec<u8>) {
        self.what.encode(out);
        self.offset.encode(out);
        self.engine.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            what: Field::decode(from)?,
            offset: Field::decode(from)?,
            engine: Field::decode(from)?,
        })
    }
}

impl Field for Session {
    fn encode(&self, out: &mut Vec<u8>) {
        self.term.encode(out);
        self.active.encode(out);
        self.standby.encode(out);
        self.attempt.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            term: Field::decode(from)?,
            active: Field::decode(from)?,
            standby: Field::decode(from)?,
            attempt: Field::decode(from)?,
        })
    }
}

impl Field for Bytes {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        out.extend_from_slice(self);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count(1)?;
        Ok(Self::new(from.bytes(count)?.to_vec()))
    }
}

impl Field for Shared<str> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count(1)?;
        let bytes = from.bytes(count)?;
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::text(text)),
            Err(error) => Err(from.no("text", u64::from(bytes[error.valid_up_to()]))),
        }
    }
}

impl Field for Ranges {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.as_slice().len(), out);
        for (start, end) in self.as_slice() {
            start.encode(out);
            end.encode(out);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count(16)?;
        let ranges = (0..count).map(|_| Ok((Field::decode(from)?, Field::decode(from)?)));
        let ranges = ranges.collect::<Result<Vec<(u64, u64)>, WireError>>()?;
        Self::from_ordered(ranges).ok_or_else(|| from.no("list of ranges", count as u64))
    }
}

impl Field for Shared<[Mismatch]> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        for Mismatch { component, form, line, prc } in self.iter() {
            component.encode(out);
            form.encode(out);
            line.encode(out);
            prc.encode(out);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count(13)?;
        let mut mismatches = Vec::with_capacity(count);
        for _ in 0..count {
            mismatches.push(Mismatch {
                component: Field::decode(from)?,
                form: Field::decode(from)?,
                line: Field::decode(from)?,
                prc: Field::decode(from)?,
            });
        }
        Ok(Self::new(mismatches))
    }
}

impl Field for Shared<[Unraised]> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        for Unraised { component, form, line, cause } in self.iter() {
            component.encode(out);
            form.encode(out);
            line.encode(out);
            cause.encode(out);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count(13)?;
        let mut unraised = Vec::with_capacity(count);
        for _ in 0..count {
            unraised.push(Unraised {
                component: Field::decode(from)?,
                form: Field::decode(from)?,
                line: Field::decode(from)?,
                cause: Field::decode(from)?,
            });
        }
        Ok(Self::new(unraised))
    }
}

impl Field for Missing {
    fn encode(&self, out: &mut Vec<u8>) {
        self.mismatches.encode(out);
        self.unraised.encode(out);
        self.further.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            mismatches: Field::decode(from)?,
            unraised: Field::decode(from)?,
            further: Field::decode(from)?,
        })
    }
}

impl<T: Field> Field for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match u8::decode(from)? {
            0 => Ok(None),
            1 => Ok(Some(Field::decode(from)?)),
            other => Err(from.no("presence", u64::from(other))),
        }
    }
}
