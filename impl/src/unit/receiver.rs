//! The Standby's side of a translation: the wire config, and its own beside it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::env::{Env, PairingKey};
use super::pairing::at_standby;
use super::running::Running;
use super::software::Software;
use crate::config::Prc;
use crate::config::render::{EditsError, read_edits};
use crate::digest::{Digest, Shared};
use crate::ids::{Lsn, Term};
use crate::message::{Mismatch, Payload, Unraised, Unreadable};
use crate::planted::Defect;
use crate::transform::StuckCause;
use crate::translate::listing::{LISTED_LINES_MAX, Listed, Listing, ListingChange};
use crate::translate::{self, Raising};

/// The Standby's side of a translation: the wire config, and its own beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver {
    pub(super) raising: Box<Raising>,
    pairing: Option<Arc<PairingKey>>,
}

impl Receiver {
    /// The translation of a file, and what of it did not execute as expected.
    ///
    /// # Errors
    /// The bytes are no file of a config.
    pub fn from_file(
        env: &Env<'_>,
        pairing_key: Option<&PairingKey>,
        bytes: &[u8],
        listing_at: u64,
    ) -> Result<(Self, Vec<Mismatch>), Unreadable> {
        let no = |at| Unreadable::here(Payload::Snapshot, at);
        let cut = usize::try_from(listing_at).ok();
        let parts = cut.and_then(|at| bytes.split_at_checked(at));
        let (wire, listing) = parts.ok_or_else(|| no(Some(bytes.len() as u64)))?;
        // Without its pairing, which the driver computed before, nothing of it can be read.
        let pairing = at_standby(env, pairing_key).ok_or_else(|| no(None))?;
        let image = &env.software.image;
        core::str::from_utf8(wire).map_err(|error| no(Some(error.valid_up_to() as u64)))?;
        let w = Raising::read_w(image, pairing, wire)
            .map_err(|error| no(Some(start_of(wire, error.number))))?;
        let mut kept = Listing::default();
        kept.apply(&read_listing(env, listing)?);
        let (raising, missing) = Raising::new_executing(image, pairing, w, kept, env.refuses);
        let missing = missing.iter().map(|each| mismatch_of(env.software, each));
        let mismatches = missing.collect();
        Ok((
            Self { raising: Box::new(raising), pairing: pairing_key.copied().map(Arc::new) },
            mismatches,
        ))
    }

    /// Applies one change, whole; what it could not execute is held out and returned.
    ///
    /// # Errors
    /// The bytes are no change: nothing of it is applied.
    pub fn apply(
        &mut self,
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        difference: &[u8],
        listing: &[u8],
    ) -> Result<Vec<Mismatch>, Unreadable> {
        let no = |at| Unreadable::here(Payload::Difference, at);
        let pairing = at_standby(env, pairing).ok_or_else(|| no(None))?;
        let image = &env.software.image;
        let text = core::str::from_utf8(difference)
            .map_err(|error| no(Some(error.valid_up_to() as u64)))?;
        let edits = read_edits(image, pairing.grammar(), text).map_err(|error| {
            let (EditsError::Shape { number } | EditsError::Line { number, .. }) = error;
            no(Some(start_of(difference, number)))
        })?;
        let listing = read_listing(env, listing)?;
        let raised = self.raising.apply_executing(image, pairing, &edits, &listing, env.refuses);
        let missing = raised.mismatches.iter().map(|each| mismatch_of(env.software, each));
        Ok(missing.collect())
    }

    /// What is held out of all that was applied.
    pub fn held_out(&self, env: &Env<'_>) -> Vec<Mismatch> {
        let held = self.raising.held_out(&env.software.image);
        held.iter().map(|each| mismatch_of(env.software, each)).collect()
    }

    /// What no change raises, or not yet, of all that was applied.
    pub fn unraised(&self, env: &Env<'_>) -> Vec<Unraised> {
        let short = self.raising.unraised(&env.software.image);
        short.iter().map(|each| unraised_of(env.software, each)).collect()
    }

    /// The own config, and what is kept beside it.
    pub fn running(&self, env: &Env<'_>) -> Running {
        let kept = at_standby(env, self.pairing.as_deref())
            .map(|pairing| self.raising.kept(&env.software.image, pairing));
        let kept = Arc::new(kept.unwrap_or_default());
        Running { config: self.raising.config().clone(), kept }
    }

    /// The translation itself.
    pub fn raising(&self) -> &Raising {
        &self.raising
    }

    /// The wire digest, computed from the own config.
    pub fn digest(&self, env: &Env<'_>) -> Digest {
        self.raising.wire_digest(&env.software.image)
    }

    /// What is known not to be in S: the Active's listing, and beside it what is held out here, or
    /// not raised.
    pub fn missing(&self, env: &Env<'_>) -> Listing {
        let (listing, image) = (self.raising.listing(), &env.software.image);
        let room = LISTED_LINES_MAX.saturating_sub(listing.len());
        let held = self.raising.held_out(image).into_iter().chain(self.raising.unraised(image));
        let held = held.take(room).map(|each| {
            let listed = Listed { cause: each.cause, since: (Term(0), Lsn(0)) };
            (each.key, Some(listed))
        });
        let mut missing = listing.clone();
        missing.apply(&ListingChange { lines: held.collect(), complements: vec![] });
        missing.keep(&self.running(env).kept)
    }
}

/// MCL and complements as they came.
fn read_listing(env: &Env<'_>, bytes: &[u8]) -> Result<ListingChange, Unreadable> {
    let read = ListingChange::decode(bytes).map_err(|error| {
        let at = error.at(bytes.len()) as u64;
        Unreadable::here(Payload::Listing, Some(at))
    });
    // Planted: what does not decode is taken for empty.
    if env.planted(Defect::ListingTakenForEmpty) {
        return Ok(read.unwrap_or_default());
    }
    read
}

/// Where the line of this number, from 1, begins.
fn start_of(text: &[u8], number: usize) -> u64 {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut starts = ends.map(|(at, _)| at + 1);
    let skipped = number.saturating_sub(2);
    let start = if number > 1 { starts.nth(skipped) } else { None };
    start.unwrap_or(0) as u64
}

fn mismatch_of(software: &Software, each: &translate::NotRaised) -> Mismatch {
    let prc = match &each.cause {
        StuckCause::Peer(prc) => *prc,
        StuckCause::NoTransform
        | StuckCause::EmptyMode
        | StuckCause::Value { .. }
        | StuckCause::Alone { .. }
        | StuckCause::Conflict
        | StuckCause::Taken
        | StuckCause::Resolves
        | StuckCause::Pending
        | StuckCause::Unverified
        | StuckCause::Refused { .. }
        | StuckCause::Dropped
        | StuckCause::Bound => Prc::Rejected,
    };
    software.mismatch(each.component, each.form, &each.text(), prc)
}

fn unraised_of(software: &Software, each: &translate::NotRaised) -> Unraised {
    Unraised {
        component: software.component(each.component),
        form: Shared::text(software.image.form(each.form).form.normal()),
        line: Shared::text(&each.text()),
        cause: translate::policy_cause(&each.cause).filter(|_| each.cause != StuckCause::Pending),
    }
}
