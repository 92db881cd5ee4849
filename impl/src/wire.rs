//! Messages as bytes: versioned, bounded, checked (PROTOCOL.md, section 3). Called by the driver,
//! never by a machine.
//!
//! ```text
//! Join       magic 4 | layout 1 | checksum 4 | slot 1 | boot 8 | n 4 | flags 1 | highest term 8 |
//!            wire min 2 | wire max 2 | image 32 | ordered resets 4 |
//!            extensions (tag 2, length 2, bytes)*
//! the rest   magic 4 | wire version 2 | checksum 4 | sender 1 | kind 1 | fields
//! ```
//! Numbers are little endian; what is counted follows its count. The layout of `Join` is frozen for
//! ever: a reader skips extensions that it does not know. The checksum covers all other bytes of
//! the frame. A frame that does not decode counts as lost.

mod fields;

use alloc::vec::Vec;

use crate::ids::Slot;
use crate::message::{
    Address, Chunk, Eligible, Engine, FileId, FileKind, Hello, JoinCall, Message, Origin, Said,
    Stamp, ToArbiter, ToUnit, WireVersions,
};
use crate::unit::Limits;
use fields::{Field, Reader};

/// The most bytes of a frame; nothing longer is looked at.
pub const FRAME_BYTES_MAX: usize = 16 << 20;
/// The wire version that this engine writes.
pub const VERSION: u16 = WireVersions::OURS.max;

const MAGIC: [u8; 4] = *b"SKWS";
const JOIN_MAGIC: [u8; 4] = *b"SKWJ";
const JOIN_LAYOUT: u8 = 1;
/// Where the checksum of a frame begins: after magic and version.
const CHECKSUM_AT: usize = 6;
/// Where that of a Join begins: after magic and layout.
const JOIN_CHECKSUM_AT: usize = 5;
const CHECKSUM_BYTES: usize = 4;
/// How the arbiter names itself where units name their slot.
const ARBITER: u8 = u8::MAX;
/// The extension of a Join that names its engine; without it the engine is one that does not say.
const ENGINE: u16 = 1;
/// The extension of a Join that says what the unit takes at most; without it, what engines took at
/// first.
const BOUNDS: u16 = 2;
/// The flag of a unit that lost its disk.
const LOST_DISK: u8 = 1;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It is longer than any frame.
    #[error("{bytes} bytes are beyond the bound of {FRAME_BYTES_MAX} for a frame")]
    TooLong {
        /// How many bytes the frame has.
        bytes: usize,
    },
    /// It ends before what it announced.
    #[error("cut short: {missing} bytes are missing at byte {at}")]
    Short {
        /// The byte at which the frame ends.
        at: usize,
        /// How many, at least.
        missing: usize,
    },
    /// It does not begin as a frame does.
    #[error("not a frame: it begins with {found:02x?}")]
    Magic {
        /// How it begins.
        found: [u8; 4],
    },
    /// It is of a version that this engine does not read.
    #[error("wire version {found} is not read here")]
    Version {
        /// Its version.
        found: u16,
    },
    /// Its bytes are not those that were sent.
    #[error("checksum {found:08x} is not {expected:08x}")]
    Checksum {
        /// What the bytes give.
        expected: u32,
        /// What it says.
        found: u32,
    },
    /// A field holds what no such field holds.
    #[error("byte {at}: {value} is no {what}")]
    Value {
        /// Where the field ends.
        at: usize,
        /// What it was to be.
        what: &'static str,
        /// What was found.
        value: u64,
    },
    /// Bytes follow the last field.
    #[error("{bytes} bytes follow the last field")]
    Trailing {
        /// How many bytes follow.
        bytes: usize,
    },
}

/// A message and its sender as a frame.
pub fn encode(from: Address, message: &Message) -> Vec<u8> {
    let sender = match from {
        Address::Arbiter => ARBITER,
        Address::Unit(Slot(slot)) => slot,
    };
    assert!(from == Address::Arbiter || sender != ARBITER, "a slot that names the arbiter");
    let mut out = Vec::new();
    if let Message::Join(call) = message {
        encode_join(sender, call, &mut out);
        seal(&mut out, JOIN_CHECKSUM_AT);
    } else {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; CHECKSUM_BYTES]);
        out.push(sender);
        encode_message(message, &mut out);
        seal(&mut out, CHECKSUM_AT);
    }
    assert!(out.len() <= FRAME_BYTES_MAX, "a machine bounds what it sends");
    out
}

/// The message of a frame and its sender.
///
/// # Errors
/// See [`WireError`]. Nothing is allocated that the frame does not hold.
pub fn decode(frame: &[u8]) -> Result<(Address, Message), WireError> {
    if frame.len() > FRAME_BYTES_MAX {
        return Err(WireError::TooLong { bytes: frame.len() });
    }
    let mut from = Reader::new(frame);
    match from.take::<4>()? {
        JOIN_MAGIC => decode_join(frame, from),
        MAGIC => {
            let found = u16::decode(&mut from)?;
            if found != VERSION {
                return Err(WireError::Version { found });
            }
            check(frame, CHECKSUM_AT, &mut from)?;
            let sender = match u8::decode(&mut from)? {
                ARBITER => Address::Arbiter,
                slot => Address::Unit(Slot(slot)),
            };
            let message = decode_message(&mut from)?;
            from.end()?;
            Ok((sender, message))
        }
        found => Err(WireError::Magic { found }),
    }
}

fn encode_join(slot: u8, call: &JoinCall, out: &mut Vec<u8>) {
    out.extend_from_slice(&JOIN_MAGIC);
    out.push(JOIN_LAYOUT);
    out.extend_from_slice(&[0; CHECKSUM_BYTES]);
    out.push(slot);
    call.boot.encode(out);
    call.n.encode(out);
    out.push(if call.lost_disk { LOST_DISK } else { 0 });
    call.highest.encode(out);
    call.wire.min.encode(out);
    call.wire.max.encode(out);
    call.image.encode(out);
    call.resets.encode(out);
    encode_extension(ENGINE, &call.engine, out);
    encode_extension(BOUNDS, &call.bounds, out);
}

/// One extension of a Join: tag, length, bytes.
fn encode_extension(tag: u16, value: &impl Field, out: &mut Vec<u8>) {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    tag.encode(out);
    u16::try_from(bytes.len()).expect("an extension is short").encode(out);
    out.extend(bytes);
}

fn decode_join(frame: &[u8], mut from: Reader<'_>) -> Result<(Address, Message), WireError> {
    let layout = u8::decode(&mut from)?;
    if layout != JOIN_LAYOUT {
        return Err(WireError::Version { found: u16::from(layout) });
    }
    check(frame, JOIN_CHECKSUM_AT, &mut from)?;
    let slot = u8::decode(&mut from)?;
    if slot == ARBITER {
        return Err(from.no("slot", u64::from(slot)));
    }
    let mut call = JoinCall {
        boot: Field::decode(&mut from)?,
        n: Field::decode(&mut from)?,
        lost_disk: u8::decode(&mut from)? & LOST_DISK != 0,
        highest: Field::decode(&mut from)?,
        wire: WireVersions { min: Field::decode(&mut from)?, max: Field::decode(&mut from)? },
        image: Field::decode(&mut from)?,
        resets: Field::decode(&mut from)?,
        engine: Engine::default(),
        bounds: Limits::DEFAULT.bounds(),
    };
    while !from.is_empty() {
        let tag = u16::decode(&mut from)?;
        let length = u16::decode(&mut from)?;
        let mut extension = Reader::new(from.bytes(usize::from(length))?);
        // A later engine may have more to say in an extension than this one reads.
        match tag {
            ENGINE => call.engine = Field::decode(&mut extension)?,
            BOUNDS => call.bounds = Field::decode(&mut extension)?,
            _ => {}
        }
    }
    Ok((Address::Unit(Slot(slot)), Message::Join(call)))
}

/// The checksum of all bytes but its own.
fn checksum(frame: &[u8], at: usize) -> u32 {
    let (head, tail) = (&frame[..at], &frame[at + CHECKSUM_BYTES..]);
    let of_head = twox_hash::XxHash3_64::oneshot(head);
    twox_hash::XxHash3_64::oneshot_with_seed(of_head, tail) as u32
}

fn seal(frame: &mut [u8], at: usize) {
    let sum = checksum(frame, at).to_le_bytes();
    frame[at..at + CHECKSUM_BYTES].copy_from_slice(&sum);
}

fn check(frame: &[u8], at: usize, from: &mut Reader<'_>) -> Result<(), WireError> {
    let found = u32::decode(from)?;
    let expected = checksum(frame, at);
    if found == expected { Ok(()) } else { Err(WireError::Checksum { expected, found }) }
}

/// Writes and reads the variants of an enum by their tags.
macro_rules! tagged {
    ($what:literal, $type:ident, $put:ident, $take:ident, [$($also:pat => $refused:expr),*],
     $($tag:literal $name:ident { $($field:ident),* })*) => {
        fn $put(message: &$type, out: &mut Vec<u8>) {
            match message {
                $($type::$name { $($field),* } => {
                    out.push($tag);
                    $($field.encode(out);)*
                })*
                $($also => $refused(out),)*
            }
        }

        fn $take(tag: u8, from: &mut Reader<'_>) -> Result<$type, WireError> {
            Ok(match tag {
                $($tag => $type::$name { $($field: Field::decode(from)?),* },)*
                _ => return Err(from.no($what, u64::from(tag))),
            })
        }
    };
}

tagged! { "kind", Message, encode_fields, decode_fields,
    [Message::Join(_) | Message::ToArbiter(_) | Message::ToUnit(_) =>
        |_: &mut Vec<u8>| unreachable!("they have a layout of their own")],
    1 Proceed { session, wire, image, dump_size, dump, resets, engine, bounds }
    2 Have { session, file, ranges }
    3 Ready { session, have, replica }
    4 Chunk { session, chunk }
    5 Compatible { session, compatibility }
    6 Incompatible { session, stuck }
    7 Config { session, lsn, size, listing_at, digest }
    8 BulkDone { session, lsn, missing, digest }
    9 BulkAccept { session, lsn, listed }
    10 BulkReject { session, lsn, verdict, why }
    11 Line { session, lsn, difference, on_mismatch, listing }
    12 Applied { session, lsn, digest, missing }
    13 Hot { session, lsn }
    14 HotAck { session, lsn }
    15 Leave { session, why }
    16 Left { session }
    17 Save { session, save, stamp, size, listing_at, origin_at, digest }
    18 Saved { session, save, result }
    19 Keepalive { session, lsn, digest, mode, held, counter }
    20 Down { session, why }
    21 Unreadable { session, lsn, why }
}

tagged! { "kind", ToArbiter, encode_to_arbiter, decode_to_arbiter, [],
    32 Hello { boot, hello }
    33 Renew { boot, term, n, lsn, generation }
    34 Decline { boot, term, hello }
    35 SetRegister { term, counter, value }
    36 Release { term, lsn }
}

tagged! { "kind", ToUnit, encode_to_unit, decode_to_unit, [],
    48 Offer { boot, term, origin, bound, hello, generation }
    49 Grant { boot, term, n, generation }
    50 Confirm { term, counter, generation }
    51 Ask { boot, asked }
}

fn encode_message(message: &Message, out: &mut Vec<u8>) {
    match message {
        Message::ToArbiter(message) => encode_to_arbiter(message, out),
        Message::ToUnit(message) => encode_to_unit(message, out),
        other => encode_fields(other, out),
    }
}

fn decode_message(from: &mut Reader<'_>) -> Result<Message, WireError> {
    let tag = u8::decode(from)?;
    match tag {
        32..=47 => decode_to_arbiter(tag, from).map(Message::ToArbiter),
        48..=63 => decode_to_unit(tag, from).map(Message::ToUnit),
        _ => decode_fields(tag, from),
    }
}

impl Field for Chunk {
    fn encode(&self, out: &mut Vec<u8>) {
        self.file.encode(out);
        self.size.encode(out);
        self.digest.encode(out);
        self.offset.encode(out);
        self.bytes.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            file: Field::decode(from)?,
            size: Field::decode(from)?,
            digest: Field::decode(from)?,
            offset: Field::decode(from)?,
            bytes: Field::decode(from)?,
        })
    }
}

impl Field for FileId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self.kind {
            FileKind::Dump => 0,
            FileKind::Diff => 1,
            FileKind::Config => 2,
            FileKind::Save => 3,
        });
        self.ordinal.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let kind = match u8::decode(from)? {
            0 => FileKind::Dump,
            1 => FileKind::Diff,
            2 => FileKind::Config,
            3 => FileKind::Save,
            other => return Err(from.no("kind of file", u64::from(other))),
        };
        Ok(Self { kind, ordinal: Field::decode(from)? })
    }
}

impl Field for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.term.encode(out);
        self.lsn.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { term: Field::decode(from)?, lsn: Field::decode(from)? })
    }
}

impl Field for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        self.startup.encode(out);
        self.running.encode(out);
        self.replica.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            startup: Field::decode(from)?,
            running: Field::decode(from)?,
            replica: Field::decode(from)?,
        })
    }
}

impl Field for Hello {
    fn encode(&self, out: &mut Vec<u8>) {
        self.k.encode(out);
        self.highest.encode(out);
        self.generation.encode(out);
        self.asked.encode(out);
        self.said.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            k: Field::decode(from)?,
            highest: Field::decode(from)?,
            generation: Field::decode(from)?,
            asked: Field::decode(from)?,
            said: Field::decode(from)?,
        })
    }
}

impl Field for Eligible {
    fn encode(&self, out: &mut Vec<u8>) {
        self.session.encode(out);
        self.slot.encode(out);
        self.lsn.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            session: Field::decode(from)?,
            slot: Field::decode(from)?,
            lsn: Field::decode(from)?,
        })
    }
}

impl Field for Origin {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Stateful { session, lsn } => {
                out.push(0);
                session.encode(out);
                lsn.encode(out);
            }
            Self::Cold => out.push(1),
            Self::Resume => out.push(2),
            Self::Stale { stamp } => {
                out.push(3);
                stamp.encode(out);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match u8::decode(from)? {
            0 => Self::Stateful { session: Field::decode(from)?, lsn: Field::decode(from)? },
            1 => Self::Cold,
            2 => Self::Resume,
            3 => Self::Stale { stamp: Field::decode(from)? },
            other => return Err(from.no("origin", u64::from(other))),
        })
    }
}

#[cfg(test)]
mod tests;
