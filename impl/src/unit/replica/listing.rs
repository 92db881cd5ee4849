//! MCL and complements as bytes: what travels in bulk, with a line, and into a store.
//!
//! The layout is counts and lengths in little endian before what they count; a reader takes nothing
//! that it has not found.

use alloc::vec::Vec;

use crate::base::{Digest, Level, Lsn, Shared, Term};
use crate::config::Prc;
use crate::transform::Cause;
use crate::translate::listing::{KeptComplement, ListKey, Listed, ListingChange};

/// The bytes of a change; none for one that changes nothing.
pub(super) fn encode(change: &ListingChange) -> Vec<u8> {
    let mut out = Vec::new();
    if change.is_empty() {
        return out;
    }
    put_len(&mut out, change.lines.len());
    for (key, listed) in &change.lines {
        put_key(&mut out, key);
        out.push(u8::from(listed.is_some()));
        if let Some(Listed {
            cause,
            since,
            orphan,
        }) = listed
        {
            put_cause(&mut out, cause);
            out.extend_from_slice(&since.0.0.to_le_bytes());
            out.extend_from_slice(&since.1.0.to_le_bytes());
            out.push(u8::from(orphan.is_some()));
            put_text(&mut out, orphan.as_deref().unwrap_or(""));
        }
    }
    put_len(&mut out, change.complements.len());
    for (key, kept) in &change.complements {
        put_key(&mut out, key);
        out.push(u8::from(kept.is_some()));
        if let Some(KeptComplement {
            component,
            level,
            of,
            lost,
        }) = kept
        {
            put_text(&mut out, component);
            out.extend_from_slice(&level.0.to_le_bytes());
            out.extend_from_slice(&of.0.to_le_bytes());
            put_len(&mut out, lost.len());
            for line in lost {
                put_text(&mut out, line);
            }
        }
    }
    out
}

/// The change that was encoded; `None` if the bytes are none.
pub(super) fn decode(bytes: &[u8]) -> Option<ListingChange> {
    let mut change = ListingChange::default();
    if bytes.is_empty() {
        return Some(change);
    }
    let mut from = Reader { rest: bytes };
    for _ in 0..from.len()? {
        let key = from.key()?;
        let listed = match from.flag()? {
            false => None,
            true => {
                let cause = from.cause()?;
                let since = (Term(from.u64()?), Lsn(from.u64()?));
                let kept = from.flag()?;
                let orphan = Some(from.text()?).filter(|_| kept);
                Some(Listed {
                    cause,
                    since,
                    orphan,
                })
            }
        };
        change.lines.push((key, listed));
    }
    for _ in 0..from.len()? {
        let key = from.key()?;
        let kept = match from.flag()? {
            false => None,
            true => {
                let component = from.text()?;
                let level = Level(u16::from_le_bytes(from.take()?));
                let of = Digest(u128::from_le_bytes(from.take()?));
                let mut lost = Vec::new();
                for _ in 0..from.len()? {
                    lost.push(from.text()?);
                }
                Some(KeptComplement {
                    component,
                    level,
                    of,
                    lost,
                })
            }
        };
        change.complements.push((key, kept));
    }
    from.rest.is_empty().then_some(change)
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    let len = u32::try_from(len).expect("what is listed is bounded");
    out.extend_from_slice(&len.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_key(out: &mut Vec<u8>, key: &ListKey) {
    put_text(out, &key.path);
    put_text(out, &key.line);
}

fn put_cause(out: &mut Vec<u8>, cause: &Cause) {
    let (tag, texts): (u8, [&str; 3]) = match cause {
        Cause::NoTransform => (0, [""; 3]),
        Cause::Value {
            capture,
            value,
            allowed,
        } => (1, [&**capture, &**value, &**allowed]),
        Cause::Alone { missing } => (2, [&**missing, "", ""]),
        Cause::Conflict => (3, [""; 3]),
        Cause::Taken => (4, [""; 3]),
        Cause::Resolves => (5, [""; 3]),
        Cause::EmptyMode => (6, [""; 3]),
        Cause::Pending => (7, [""; 3]),
        Cause::Unverified => (8, [""; 3]),
        Cause::Bound => (9, [""; 3]),
        Cause::Peer(prc) => (10 + *prc as u8, [""; 3]),
    };
    out.push(tag);
    for text in texts {
        put_text(out, text);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take()?))
    }

    fn len(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take()?))
    }

    fn flag(&mut self) -> Option<bool> {
        let [flag] = self.take()?;
        (flag < 2).then_some(flag == 1)
    }

    fn text(&mut self) -> Option<Shared<str>> {
        let len = usize::try_from(self.len()?).ok()?;
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        core::str::from_utf8(head).ok().map(Shared::text)
    }

    fn key(&mut self) -> Option<ListKey> {
        Some(ListKey {
            path: self.text()?,
            line: self.text()?,
        })
    }

    fn cause(&mut self) -> Option<Cause> {
        let [tag] = self.take()?;
        let (one, two, three) = (self.text()?, self.text()?, self.text()?);
        Some(match tag {
            0 => Cause::NoTransform,
            1 => Cause::Value {
                capture: one,
                value: two,
                allowed: three,
            },
            2 => Cause::Alone { missing: one },
            3 => Cause::Conflict,
            4 => Cause::Taken,
            5 => Cause::Resolves,
            6 => Cause::EmptyMode,
            7 => Cause::Pending,
            8 => Cause::Unverified,
            9 => Cause::Bound,
            10 => Cause::Peer(Prc::Ok),
            11 => Cause::Peer(Prc::Unchanged),
            12 => Cause::Peer(Prc::NoMatch),
            13 => Cause::Peer(Prc::Ambiguous),
            14 => Cause::Peer(Prc::Incomplete),
            15 => Cause::Peer(Prc::Rejected),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> ListingChange {
        let text = Shared::text;
        let key = |line| ListKey {
            path: text("interface eth0"),
            line: text(line),
        };
        let value = Cause::Value {
            capture: text("bytes"),
            value: text("9216"),
            allowed: text(""),
        };
        let listed = |cause| Listed {
            cause,
            since: (Term(1), Lsn(7)),
            orphan: Some(text("mtu")),
        };
        let kept = KeptComplement {
            component: text("bgp"),
            level: Level(3),
            of: Digest(9),
            lost: alloc::vec![text("timers 1 3")],
        };
        ListingChange {
            lines: alloc::vec![
                (key("mtu 9216"), Some(listed(value))),
                (key("speed 10"), Some(listed(Cause::Peer(Prc::Rejected)))),
                (key("no shutdown"), None),
            ],
            complements: alloc::vec![(key("timers 1"), Some(kept)), (key("x"), None)],
        }
    }

    #[test]
    fn a_change_comes_back_as_it_was() {
        assert_eq!(decode(&encode(&change())), Some(change()));
        assert_eq!(decode(&[]), Some(ListingChange::default()));
    }

    #[test]
    fn a_change_cut_anywhere_is_none() {
        let bytes = encode(&change());
        for end in 1..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
