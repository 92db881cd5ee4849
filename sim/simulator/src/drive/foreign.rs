//! A unit of another engine: one byte of a payload is not what the other engine reads, though the
//! frame, and the digest of its file, are as the sender makes them.

use skewsync::message::{Bytes, Chunk, FileKind, Message, Session};

use crate::catalog::Loaded;
use crate::observe::Unit;
use crate::plan::fault::Foreign;

/// The byte that says nothing where it stands: no text begins with it, and as the highest of a
/// count it is too much.
const BYTE: u8 = 0xff;
/// The highest byte of the count at the head of a listing.
const COUNT_HIGH: usize = 3;

/// A file that a unit sends: its session, what it holds, its ordinal.
pub(super) type File = (Session, FileKind, u64);

/// The file that a message announces or is a piece of.
pub(super) const fn file_of(message: &Message) -> Option<File> {
    match message {
        Message::Proceed { session, .. } => Some((*session, FileKind::Dump, 0)),
        Message::Config { session, lsn, .. } => Some((*session, FileKind::Config, lsn.0)),
        Message::Save { session, save, .. } => Some((*session, FileKind::Save, *save as u64)),
        Message::Chunk { session, chunk } => Some((*session, chunk.file.kind, chunk.file.ordinal)),
        _ => None,
    }
}

/// The message as a unit of another engine sends it; none: it is the same.
pub(super) fn garbled(
    message: &Message,
    unit: &Unit,
    image: &Loaded,
    what: Foreign,
) -> Option<Message> {
    let mut garbled = message.clone();
    match (&mut garbled, what) {
        (Message::Line { difference, .. }, Foreign::Difference) => {
            *difference = with_byte(difference, 0);
        }
        (Message::Line { listing, .. }, Foreign::Listing) => {
            *listing = with_byte(listing, COUNT_HIGH);
        }
        (Message::Proceed { dump, .. }, Foreign::Dump) => {
            *dump = with_byte(image.software().dump(), 0).digest();
        }
        (Message::Config { digest, .. } | Message::Save { digest, .. }, _) => {
            let kind = match message {
                Message::Save { .. } => FileKind::Save,
                _ => FileKind::Config,
            };
            let (whole, at) = file(unit, image, kind, what)?;
            *digest = with_byte(&whole, at).digest();
        }
        (Message::Chunk { chunk, .. }, _) => {
            let (whole, at) = file(unit, image, chunk.file.kind, what)?;
            *chunk = piece(chunk, &with_byte(&whole, at));
        }
        _ => return None,
    }
    Some(garbled)
}

/// The bytes with another one at a place, or one more if there is no such place.
fn with_byte(bytes: &[u8], at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    match bytes.get_mut(at) {
        Some(byte) => *byte = BYTE,
        None => bytes.push(BYTE),
    }
    Bytes::new(bytes)
}

/// The same piece of another file of the same size.
fn piece(of: &Chunk, whole: &Bytes) -> Chunk {
    let start = of.offset as usize;
    let end = start + of.bytes.len();
    Chunk { digest: whole.digest(), bytes: Bytes::new(whole[start..end].to_vec()), ..of.clone() }
}

/// The file that the unit sends, and the place of the byte in it; none if it sends none, or nothing
/// is in that part.
fn file(unit: &Unit, image: &Loaded, kind: FileKind, what: Foreign) -> Option<(Bytes, usize)> {
    let (whole, listing_at) = match (kind, what) {
        (FileKind::Dump, Foreign::Dump) => (image.software().dump().clone(), 0),
        (FileKind::Diff, Foreign::Diff)
        | (FileKind::Config, Foreign::Snapshot | Foreign::Listing)
        | (FileKind::Save, Foreign::Save) => unit.outgoing(kind)?,
        _ => return None,
    };
    let listing_at = usize::try_from(listing_at).ok()?;
    let at = if what == Foreign::Listing { listing_at + COUNT_HIGH } else { 0 };
    let in_text = !matches!(what, Foreign::Snapshot | Foreign::Save) || listing_at > 0;
    (in_text && at < whole.len()).then_some((whole, at))
}
