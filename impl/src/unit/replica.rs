//! The unit's view of images, configs and translation: the only file of this room that calls those
//! rooms. The machines move whole values of these types and ask for digests, never for lines.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::env::{Env, PairingKey, Side};
use crate::base::{Digest, ImageDigest, Shared};
use crate::message::{Bytes, Compatibility, Mismatch, Prc, Stamp};
use crate::policy::Cause;

/// The own image, as a unit needs it: loaded once, shared by all steps.
#[derive(Clone, Debug)]
pub struct Software {
    digest: ImageDigest,
    dump: Bytes,
}

impl Software {
    /// An image with this identity and CLI dump.
    pub fn new(digest: ImageDigest, dump: Bytes) -> Self {
        Self { digest, dump }
    }

    /// Identity of the image.
    pub const fn digest(&self) -> ImageDigest {
        self.digest
    }

    /// The image's CLI dump.
    pub const fn dump(&self) -> &Bytes {
        &self.dump
    }
}

/// What one side computed of the bytes that came.
#[derive(Clone, Debug)]
pub enum Pairing {
    /// The Standby's: what it answers.
    Standby {
        /// ADL, SDL and what else the diff says.
        diff: Bytes,
    },
    /// The Active's: its dispositions.
    Active {
        /// The verdict that operators know.
        compatibility: Compatibility,
        /// Diff entries that have neither transform nor don't-care entry.
        stuck: u32,
    },
}

impl Pairing {
    /// Computes the pairing that a unit asked for by `Output::Pair`; `None` if the bytes are no dump,
    /// or no diff.
    pub fn compute(_software: &Software, key: &PairingKey, _bytes: &[u8]) -> Option<Self> {
        Some(match key.side {
            Side::Standby => Self::Standby {
                diff: Shared::new(vec![]),
            },
            Side::Active => Self::Active {
                compatibility: Compatibility::Comp,
                stuck: 0,
            },
        })
    }
}

impl Pairing {
    /// What the Active's side says: the compatibility, and how many diff entries are stuck.
    pub fn verdict(&self) -> Option<(Compatibility, u32)> {
        match self {
            Self::Standby { .. } => None,
            Self::Active {
                compatibility,
                stuck,
            } => Some((*compatibility, *stuck)),
        }
    }
}

/// A running config of the own image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running {
    text: Shared<str>,
}

/// What executing a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executed {
    /// The config changed.
    Changed(Running, Edits),
    /// It was so already.
    Unchanged,
}

/// What a command changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits {
    text: Shared<str>,
}

impl Running {
    /// The image's factory default.
    pub fn factory(_software: &Software) -> Self {
        Self {
            text: Shared::text(""),
        }
    }

    /// The config that booting this text gives; what the image does not take is left out.
    pub fn boot(software: &Software, text: &str) -> Self {
        let mut running = Self::factory(software);
        for line in text.lines() {
            if let Ok(Executed::Changed(next, _)) = running.execute(software, line) {
                running = next;
            }
        }
        running
    }

    /// Executes a command, or a batch as a whole.
    ///
    /// # Errors
    /// The first line that the image does not take; nothing changed then.
    pub fn execute(&self, _software: &Software, text: &str) -> Result<Executed, Mismatch> {
        let mut lines: BTreeSet<&str> = self.text.lines().collect();
        for line in text.lines() {
            match line.split_once(' ') {
                _ if line.trim().is_empty() => return Err(mismatch(line, Prc::Incomplete)),
                Some(("no", rest)) => {
                    lines.remove(rest);
                }
                _ => {
                    lines.insert(line);
                }
            }
        }
        let after = joined(&lines);
        if *after == *self.text {
            return Ok(Executed::Unchanged);
        }
        Ok(Executed::Changed(
            Self { text: after.into() },
            Edits {
                text: Shared::text(text),
            },
        ))
    }

    /// The config in the own image's syntax.
    pub fn text(&self) -> Shared<str> {
        self.text.clone()
    }

    /// The lines that `self` has and `other` has not.
    pub fn lines_missing_in(&self, other: &Self) -> Vec<Shared<str>> {
        let has: BTreeSet<&str> = other.text.lines().collect();
        self.text
            .lines()
            .filter(|line| !has.contains(line))
            .map(Shared::text)
            .collect()
    }

    /// The config's digest.
    pub fn digest(&self) -> Digest {
        self.text.digest()
    }
}

/// The Active's side of a translation: its config on its way to one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    wire: Running,
}

/// What one change is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The sender after it.
    pub sender: Sender,
    /// Difference of the wire config.
    pub difference: Bytes,
    /// Changes of MCL and complements.
    pub listing: Bytes,
    /// What of the change cannot go, and why.
    pub stuck: Vec<Stuck>,
}

/// A line that cannot go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stuck {
    /// Why.
    pub cause: Cause,
    /// The component's name.
    pub component: Shared<str>,
    /// The form's normal form.
    pub form: Shared<str>,
    /// The line.
    pub line: Shared<str>,
}

impl Sender {
    /// The translation of `running`; `pairing` is none for equal images.
    pub fn of(_env: &Env<'_>, _pairing: Option<&PairingKey>, running: &Running) -> Option<Self> {
        Some(Self {
            wire: running.clone(),
        })
    }

    /// The translation after `edits` made `after` of the config.
    pub fn edit(
        &self,
        _env: &Env<'_>,
        _pairing: Option<&PairingKey>,
        after: &Running,
        edits: &Edits,
        _stamp: Stamp,
    ) -> Step {
        Step {
            sender: Self {
                wire: after.clone(),
            },
            difference: Shared::new(edits.text.as_bytes().to_vec()),
            listing: Shared::new(vec![]),
            stuck: vec![],
        }
    }

    /// The wire digest.
    pub fn digest(&self) -> Digest {
        self.wire.digest()
    }

    /// The wire config and the listing as one file, and where in it the listing begins.
    pub fn file(&self) -> (Bytes, u64) {
        let bytes = self.wire.text.as_bytes().to_vec();
        let at = bytes.len() as u64;
        (Shared::new(bytes), at)
    }

    /// All lines that cannot go.
    pub fn stuck(&self) -> Vec<Stuck> {
        vec![]
    }
}

/// The Standby's side of a translation: the wire config, and its own beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver {
    own: Running,
}

impl Receiver {
    /// The translation of a file; `None` if the bytes are no file of a config.
    pub fn of(
        env: &Env<'_>,
        _pairing: Option<&PairingKey>,
        bytes: &[u8],
        listing_at: u64,
    ) -> Option<(Self, Vec<Mismatch>)> {
        let wire = bytes.get(..usize::try_from(listing_at).ok()?)?;
        let text = core::str::from_utf8(wire).ok()?;
        Some((
            Self {
                own: Running::boot(env.software, text),
            },
            vec![],
        ))
    }

    /// Applies one change, whole; what it could not execute is held out and returned.
    pub fn apply(
        &mut self,
        env: &Env<'_>,
        _pairing: Option<&PairingKey>,
        difference: &[u8],
        _listing: &[u8],
    ) -> Vec<Mismatch> {
        let Ok(text) = core::str::from_utf8(difference) else {
            return vec![mismatch("", Prc::NoMatch)];
        };
        match self.own.execute(env.software, text) {
            Ok(Executed::Changed(own, _)) => {
                self.own = own;
                vec![]
            }
            Ok(Executed::Unchanged) => vec![],
            Err(mismatch) => vec![mismatch],
        }
    }

    /// The own config.
    pub const fn running(&self) -> &Running {
        &self.own
    }

    /// The wire digest, computed from the own config.
    pub fn digest(&self) -> Digest {
        self.own.digest()
    }

    /// MCL and orphans, as lines.
    pub fn listed(&self) -> Vec<Shared<str>> {
        vec![]
    }
}

fn joined(lines: &BTreeSet<&str>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn mismatch(line: &str, prc: Prc) -> Mismatch {
    let empty = Shared::text("");
    Mismatch {
        component: empty.clone(),
        form: empty,
        line: Shared::text(line),
        prc,
    }
}
