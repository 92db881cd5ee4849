//! Files on their way: in a window out, in pieces in.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::limits::Limits;
use super::output::Event;
use super::state::Context;
use crate::digest::{Digest, Shared};
use crate::ids::Slot;
use crate::message::{Bytes, Chunk, FileId, Message, Ranges, Session};

/// A file that is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outgoing {
    /// The file that goes out.
    pub file: FileId,
    /// All of it.
    pub bytes: Bytes,
    /// What the receiver has named.
    pub named: Ranges,
    /// Where the window ends.
    pub sent_to: u64,
}

impl Outgoing {
    /// A file of which nothing was sent.
    pub fn new(file: FileId, bytes: Bytes) -> Self {
        Self { file, bytes, named: Ranges::new(), sent_to: 0 }
    }

    /// The chunks that fit into the window beyond what was sent. An empty file is one empty chunk.
    pub fn next(&mut self, limits: &Limits) -> Vec<Chunk> {
        let size = self.bytes.len() as u64;
        if size == 0 {
            return alloc::vec![self.chunk(0, 0)];
        }
        let step = u64::from(limits.max_chunk);
        let window = u64::from(limits.chunk_window) * step;
        let edge = self.named.as_slice().first().map_or(0, |&(start, end)| match start {
            0 => end,
            _ => 0,
        });
        let mut chunks = Vec::new();
        while self.sent_to < size && self.sent_to < edge + window {
            let end = size.min(self.sent_to + step);
            chunks.push(self.chunk(self.sent_to, end));
            self.sent_to = end;
        }
        chunks
    }

    /// The chunks that were sent and not named, and what the window admits beyond.
    pub fn again(&mut self, limits: &Limits) -> Vec<Chunk> {
        let step = u64::from(limits.max_chunk);
        let mut chunks = Vec::new();
        let mut at = 0;
        while at < self.sent_to {
            let end = self.sent_to.min(at + step);
            if !self.named.covers(at, end) {
                chunks.push(self.chunk(at, end));
            }
            at = end;
        }
        chunks.extend(self.next(limits));
        chunks
    }

    /// What the receiver has. The newest counts; one beyond the file's size does not.
    pub fn on_have(&mut self, ranges: Ranges) {
        let size = self.bytes.len() as u64;
        if ranges.as_slice().last().is_none_or(|&(_, end)| end <= size) {
            self.named = ranges;
        }
    }

    fn chunk(&self, start: u64, end: u64) -> Chunk {
        let (from, to) = (start as usize, end as usize);
        Chunk {
            file: self.file,
            size: self.bytes.len() as u64,
            digest: self.bytes.digest(),
            offset: start,
            bytes: Shared::new(self.bytes[from..to].to_vec()),
        }
    }
}

/// A file that is received. Its pieces are shared, so a state that holds it is cheap to compare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incoming {
    /// The file that comes in.
    pub file: FileId,
    /// Bytes of the whole.
    pub size: u64,
    /// Digest of the whole.
    pub digest: Digest,
    /// What came, by offset.
    pub pieces: BTreeMap<u64, Bytes>,
    /// What came, as ranges.
    pub received: Ranges,
    /// Chunks since the last Have, duplicates counted.
    pub unnamed: u32,
}

/// What a chunk did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is kept, or was there.
    Kept,
    /// The file is whole.
    Whole(Bytes),
    /// It contradicts what came before; the file is dropped.
    Conflict,
}

impl Incoming {
    /// A file of which nothing came.
    pub fn new(file: FileId, size: u64, digest: Digest) -> Self {
        let (pieces, received) = (BTreeMap::new(), Ranges::new());
        Self { file, size, digest, pieces, received, unnamed: 0 }
    }

    /// Takes a chunk of this file.
    pub fn take(&mut self, chunk: &Chunk) -> Taken {
        assert_eq!(chunk.file, self.file, "a chunk of this file");
        let end = chunk.offset.saturating_add(chunk.bytes.len() as u64);
        let same = chunk.size == self.size && chunk.digest == self.digest && end <= self.size;
        if !same {
            return self.conflict();
        }
        self.unnamed += 1;
        match self.pieces.get(&chunk.offset) {
            Some(piece) if *piece == chunk.bytes => return Taken::Kept,
            Some(_) => return self.conflict(),
            None => {}
        }
        let before = self.received.len();
        self.received.insert(chunk.offset, end);
        if self.received.len() - before != chunk.bytes.len() as u64 {
            return self.conflict();
        }
        self.pieces.insert(chunk.offset, chunk.bytes.clone());
        if self.received.len() < self.size {
            return Taken::Kept;
        }
        match self.whole() {
            Some(whole) => Taken::Whole(whole),
            None => self.conflict(),
        }
    }

    /// The file, if all of it came and its digest is the announced one.
    pub fn whole(&self) -> Option<Bytes> {
        if self.received.len() < self.size || self.pieces.is_empty() {
            return None;
        }
        let mut whole = Vec::new();
        for piece in self.pieces.values() {
            whole.extend_from_slice(piece);
        }
        let whole: Bytes = Shared::new(whole);
        (whole.digest() == self.digest).then_some(whole)
    }

    /// Whether it is time to say what came.
    pub fn names_now(&mut self, limits: &Limits) -> bool {
        let due = self.unnamed >= (limits.chunk_window / 2).max(1);
        if due {
            self.unnamed = 0;
        }
        due
    }

    fn conflict(&mut self) -> Taken {
        self.pieces.clear();
        self.received = Ranges::new();
        Taken::Conflict
    }
}

/// Takes a chunk, says what came when it is time, and returns the file when it is whole.
pub(super) fn receive(
    file: &mut Incoming,
    chunk: &Chunk,
    session: Session,
    from: Slot,
    cx: &mut Context<'_, '_>,
) -> Option<Bytes> {
    match file.take(chunk) {
        Taken::Whole(bytes) => Some(bytes),
        Taken::Conflict => {
            cx.event(Event::FileConflict { from });
            None
        }
        Taken::Kept => {
            if file.names_now(cx.env.limits) {
                send_have(file, session, from, cx);
            }
            None
        }
    }
}

pub(super) fn send_have(file: &Incoming, session: Session, to: Slot, cx: &mut Context<'_, '_>) {
    let ranges = file.received.clone();
    cx.send(to, Message::Have { session, file: file.file, ranges });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::FileKind;

    fn limits() -> Limits {
        Limits { max_chunk: 3, chunk_window: 2, ..Limits::DEFAULT }
    }

    fn file(bytes: &[u8]) -> Outgoing {
        Outgoing::new(FileId { kind: FileKind::Dump, ordinal: 0 }, Shared::new(bytes.to_vec()))
    }

    #[test]
    fn a_file_crosses_in_windows_whatever_is_lost() {
        let mut out = file(b"configuration");
        let mut into = Incoming::new(out.file, 13, out.bytes.digest());
        let first = out.next(&limits());
        assert_eq!(first.len(), 2);
        assert_eq!(into.take(&first[1]), Taken::Kept);
        out.on_have(into.received.clone());
        let again = out.again(&limits());
        assert_eq!(again.len(), 1, "the window stands at the first byte that is missing");
        assert_eq!(into.take(&again[0]), Taken::Kept);
        out.on_have(into.received.clone());
        let rest: Vec<_> = out.next(&limits()).into_iter().map(|chunk| into.take(&chunk)).collect();
        assert_eq!(rest.len(), 2);
        out.on_have(into.received.clone());
        let last = out.next(&limits());
        assert_eq!(into.take(&last[0]), Taken::Whole(out.bytes.clone()));
    }

    #[test]
    fn other_bytes_at_a_written_offset_drop_the_file() {
        let mut out = file(b"abcdef");
        let chunks = out.next(&limits());
        let mut into = Incoming::new(out.file, 6, out.bytes.digest());
        into.take(&chunks[0]);
        let mut forged = chunks[0].clone();
        forged.bytes = Shared::new(b"xyz".to_vec());
        assert_eq!(into.take(&forged), Taken::Conflict);
        assert!(into.received.is_empty());
    }

    #[test]
    fn an_empty_file_is_one_empty_chunk() {
        let mut out = file(b"");
        let chunks = out.next(&limits());
        let mut into = Incoming::new(out.file, 0, out.bytes.digest());
        assert_eq!(into.take(&chunks[0]), Taken::Whole(out.bytes.clone()));
    }
}
