//! The eligibility register, at the Active: how a pair reaches hot (PROTOCOL.md, section 2).

use super::state::Context;
use crate::message::Eligible;
use crate::planted::Defect;

/// The eligibility register, as its only writer knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// Counter of the latest write.
    counter: u32,
    /// What it wrote; at first what the acceptance of the term wrote: none.
    value: Option<Eligible>,
    written: Written,
}

/// Whether the arbiter confirmed a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Written {
    Sent,
    Confirmed,
}

impl Register {
    /// A register that is known to hold this, by a write of this counter.
    pub const fn confirmed(counter: u32, value: Option<Eligible>) -> Self {
        Self { counter, value, written: Written::Confirmed }
    }

    /// Begins a write; it counts when its Confirm comes.
    pub(super) const fn write(&mut self, value: Option<Eligible>) {
        *self = Self { counter: self.counter + 1, value, written: Written::Sent };
    }

    /// The arbiter confirms the write of this counter. Whether it is the one that is waited for.
    pub(super) fn confirm(&mut self, counter: u32, cx: &Context<'_, '_>) -> bool {
        let latest = counter == self.counter || cx.env.planted(Defect::ConfirmOfAnother);
        if !latest || !self.is_open() {
            return false;
        }
        self.written = Written::Confirmed;
        debug_assert!(self.counter > 0, "what is confirmed was written");
        true
    }

    /// Counter of the latest write.
    pub const fn counter(&self) -> u32 {
        self.counter
    }

    /// What the latest write wrote.
    pub const fn value(&self) -> Option<Eligible> {
        self.value
    }

    /// Whether the latest write is not confirmed.
    pub fn is_open(&self) -> bool {
        self.written == Written::Sent
    }

    /// Whether it is confirmed to hold nothing.
    pub fn is_clear(&self) -> bool {
        self.value.is_none() && !self.is_open()
    }

    /// Whether a write of none is not confirmed.
    pub fn is_clearing(&self) -> bool {
        self.value.is_none() && self.is_open()
    }

    /// Whether it is confirmed to name a session.
    pub fn is_set(&self) -> bool {
        self.value.is_some() && !self.is_open()
    }
}
