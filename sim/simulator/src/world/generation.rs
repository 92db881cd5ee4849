//! A startup store as it lies on a disk: in a frame of its own, with a number that grows and a
//! checksum over all of it, so that a frame that was half written, or that rotted, does not read.

use skewsync::digest::Shared;

use skewsync::ids::{Lsn, Term};
use skewsync::message::Stamp;
use skewsync::unit::Store;

const CHECKSUM: usize = 32;

/// One place for a store: empty, or a frame.
///
/// # Shape
/// checksum 32 | number 8 | term 8 | LSN 8 | text, listing, origin: each its length 8 and its
/// bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Generation(Vec<u8>);

impl Generation {
    /// The frame of a store.
    pub(super) fn write(number: u64, store: &Store) -> Self {
        let mut bytes = vec![0; CHECKSUM];
        for word in [number, store.stamp.term.0, store.stamp.lsn.0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for part in [store.text.as_bytes(), &store.listing, &store.origin] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        let checksum = blake3::hash(&bytes[CHECKSUM..]);
        bytes[..CHECKSUM].copy_from_slice(checksum.as_bytes());
        Self(bytes)
    }

    /// The number and the store, if the frame reads.
    pub(super) fn read(&self) -> Option<(u64, Store)> {
        let (checksum, mut rest) = self.0.split_first_chunk::<CHECKSUM>()?;
        if blake3::hash(rest).as_bytes() != checksum {
            return None;
        }
        let number = word(&mut rest)?;
        let (term, lsn) = (Term(word(&mut rest)?), Lsn(word(&mut rest)?));
        let text = std::str::from_utf8(part(&mut rest)?).ok()?;
        let (listing, origin) = (part(&mut rest)?, part(&mut rest)?);
        let store = Store {
            text: Shared::text(text),
            stamp: Stamp { term, lsn },
            listing: Shared::new(listing.to_vec()),
            origin: Shared::new(origin.to_vec()),
        };
        rest.is_empty().then_some((number, store))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One bit flips: which, modulo the frame's length.
    pub(super) fn rot(&mut self, bit: u32) {
        let bits = self.0.len() * 8;
        if bits > 0 {
            let bit = bit as usize % bits;
            self.0[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// Only the first bytes of another frame came over this one: so many, modulo its length.
    pub(super) fn torn(&mut self, by: &Self, bytes: u32) {
        let came = bytes as usize % by.0.len().max(1);
        self.0.truncate(by.0.len());
        self.0.resize(by.0.len(), 0);
        self.0[..came].copy_from_slice(&by.0[..came]);
    }
}

fn word(rest: &mut &[u8]) -> Option<u64> {
    let (word, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_le_bytes(*word))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(word(rest)?).ok()?;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(text: &str) -> Store {
        Store {
            text: Shared::text(text),
            stamp: Stamp { term: Term(3), lsn: Lsn(7) },
            listing: Shared::new(vec![1, 2]),
            origin: Shared::new(vec![9]),
        }
    }

    #[test]
    fn a_store_reads_as_it_was_written() {
        let frame = Generation::write(4, &store("hostname a\n"));
        assert_eq!(frame.read(), Some((4, store("hostname a\n"))));
        assert_eq!(Generation::default().read(), None);
    }

    #[test]
    fn no_bit_of_a_frame_may_flip() {
        let frame = Generation::write(4, &store("hostname a\n"));
        for bit in 0..frame.0.len() as u32 * 8 {
            let mut rotten = frame.clone();
            rotten.rot(bit);
            assert_eq!(rotten.read(), None, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_that_came_in_part_does_not_read() {
        let (old, new) = (store("hostname old\n"), store("hostname new\n"));
        let new = Generation::write(5, &new);
        for bytes in 0..new.0.len() as u32 {
            let mut place = Generation::default();
            place.torn(&new, bytes);
            assert_eq!(place.read(), None, "{bytes} bytes over nothing");
            let mut place = Generation::write(3, &old);
            let before = place.read();
            place.torn(&new, bytes);
            let after = place.read();
            // What did not come may be as it was before.
            let whole = after == before || after == new.read();
            assert!(after.is_none() || whole, "{bytes} bytes");
        }
    }
}
