//! Messages as frames and back: the only place of the laboratory that calls the engine's wire room.

use skewsync::message::{Address, Message};
use skewsync::wire;

/// The frame of a message.
pub(super) fn close(from: Address, message: &Message) -> Vec<u8> {
    wire::encode(from, message)
}

/// The message of a frame; none if it does not decode, which counts as lost.
pub(super) fn open(bytes: &[u8]) -> Option<(Address, Message)> {
    wire::decode(bytes).ok()
}

/// The attempt that a message's name carries: its session's, or its Join's; 0 for the arbiter's.
pub(super) fn attempt(message: &Message) -> u32 {
    match message {
        Message::Join(call) => call.n.0,
        other => other.session().map_or(0, |session| session.attempt.0),
    }
}
