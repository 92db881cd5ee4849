//! Messages as frames and back: the only place of the laboratory that says what a frame is.

use std::hash::Hasher;

use skewsync::message::{Address, Message};

use crate::run::trace::Mixer;

/// The frames of a run. Until the engine has a wire room a frame is the number under which its message is
/// kept, and a checksum: cut, flipped or unknown bytes give no message.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<(Address, Message)>);

impl Frames {
    /// The frame of a message.
    pub(super) fn close(&mut self, from: Address, message: &Message) -> Vec<u8> {
        let number = (self.0.len() as u64).to_le_bytes();
        self.0.push((from, message.clone()));
        [number, checksum(&number).to_le_bytes()].concat()
    }

    /// The message of a frame; none if it does not decode, which counts as lost.
    pub(super) fn open(&self, bytes: &[u8]) -> Option<(Address, Message)> {
        let (number, sum) = bytes.split_first_chunk::<8>()?;
        if sum != checksum(number).to_le_bytes() {
            return None;
        }
        self.0
            .get(usize::try_from(u64::from_le_bytes(*number)).ok()?)
            .cloned()
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = Mixer::default();
    hasher.write(bytes);
    hasher.finish()
}

/// The attempt that a message's name carries: its session's, or its Join's; 0 for the arbiter's.
pub(super) fn attempt(message: &Message) -> u32 {
    match message {
        Message::Join(call) => call.n.0,
        other => other.session().map_or(0, |session| session.attempt.0),
    }
}
