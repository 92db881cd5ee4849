//! The Active's side of a translation: its config on its way to one peer.

use alloc::vec;
use alloc::vec::Vec;

use super::env::{Env, PairingKey};
use super::pairing::at_active;
use super::running::{Edits, Running};
use super::software::Software;
use crate::config::render::render_edits;
use crate::digest::{Digest, Shared};
use crate::ids::{ComponentId, FormId};
use crate::message::{Bounds, Bytes, Stamp};
use crate::planted::{Defect, Planted};
use crate::policy::Cause;
use crate::transform;
use crate::translate::listing::{Listing, ListingChange};
use crate::translate::{self, Lowered, Lowering};

/// The Active's side of a translation: its config on its way to one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    lowering: Lowering,
}

/// What one change is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireChange {
    /// The sender after it.
    pub sender: Sender,
    /// Difference of the wire config.
    pub difference: Bytes,
    /// Changes of MCL and complements.
    pub listing: Bytes,
    /// What of the change cannot go, and why.
    pub stuck: Vec<StuckLine>,
}

/// A line that cannot go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StuckLine {
    /// Why it cannot go, as policy asks; none: it need not, and policy is not asked.
    pub cause: Option<Cause>,
    /// The component's name.
    pub component: Shared<str>,
    /// The form's normal form.
    pub form: Shared<str>,
    /// The line.
    pub line: Shared<str>,
}

impl Sender {
    /// The translation of `running`; `pairing` is none for equal images. None if the catalog does
    /// not hold the pairing.
    pub fn new(
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        running: &Running,
        stamp: Stamp,
    ) -> Option<Self> {
        let pairing = at_active(env, pairing)?;
        let image = &env.software.image;
        let stamp = (stamp.term, stamp.lsn);
        let lowering = Lowering::new_owing(image, pairing, &running.config, &running.kept, stamp);
        Some(Self { lowering })
    }

    /// The translation after `edits`. None if the catalog does not hold the pairing.
    pub fn edit(
        &self,
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        edits: &Edits,
        stamp: Stamp,
    ) -> Option<WireChange> {
        let pairing = at_active(env, pairing)?;
        let image = &env.software.image;
        let mut lowering = self.lowering.clone();
        let stamp = (stamp.term, stamp.lsn);
        let lowered = lowering.edit(image, pairing, &edits.edits, stamp);
        let difference = Shared::new(render_edits(image, &lowered.wire).into_bytes());
        let listing = Shared::new(carried(&lowered.listing, env.planted));
        let stuck = stuck_of(env.software, &lowered);
        Some(WireChange { sender: Self { lowering }, difference, listing, stuck })
    }

    /// The wire digest.
    pub fn digest(&self) -> Digest {
        self.lowering.wire_digest()
    }

    /// The translation itself.
    pub const fn lowering(&self) -> &Lowering {
        &self.lowering
    }

    /// The wire config and the listing as one file, and where in it the listing begins.
    pub fn file(&self, planted: Planted) -> (Bytes, u64) {
        let mut bytes = self.lowering.wire_bytes();
        let at = bytes.len() as u64;
        let whole = ListingChange::between(&Listing::default(), self.lowering.listing());
        bytes.extend(carried(&whole, planted));
        (Shared::new(bytes), at)
    }

    /// Whether what is listed is no more than the other unit takes.
    pub fn fits(&self, bounds: Bounds) -> bool {
        let listing = self.lowering.listing();
        listing.len().max(listing.complements().len()) <= bounds.listed as usize
    }

    /// All lines that cannot go.
    pub fn stuck(&self, env: &Env<'_>) -> Vec<StuckLine> {
        let software = env.software;
        let lines = self.lowering.stuck().map(|(key, form, cause)| {
            let component = software.image.form(form).component;
            stuck(software, component, form, cause, placed(&key.path, &key.line))
        });
        lines.collect()
    }

    /// How many lines cannot go.
    pub fn stuck_len(&self) -> usize {
        self.lowering.listing().len()
    }
}

fn stuck_of(software: &Software, lowered: &Lowered) -> Vec<StuckLine> {
    let listed = lowered.listing.lines.iter().filter(|(_, listed)| listed.is_some());
    listed
        .zip(&lowered.causes)
        .map(|((key, _), caused)| {
            let text = placed(&key.path, &key.line);
            stuck(software, caused.component, caused.form, &caused.cause, text)
        })
        .collect()
}

fn stuck(
    software: &Software,
    component: ComponentId,
    form: FormId,
    cause: &transform::StuckCause,
    line: Shared<str>,
) -> StuckLine {
    let cause = translate::policy_cause(cause);
    let form = Shared::text(software.image.form(form).form.normal());
    StuckLine { cause, component: software.component(component), form, line }
}

/// MCL and complements as they travel.
fn carried(change: &ListingChange, planted: Planted) -> Vec<u8> {
    if planted.is(Defect::MclNotCarried) {
        return vec![];
    }
    change.encode()
}

/// The lines of a listing, each with the modes that it stands in, in the order of their words.
pub(super) fn listed(listing: &Listing) -> Vec<Shared<str>> {
    let keys = listing.lines().keys();
    let mut lines: Vec<Shared<str>> = keys.map(|key| placed(&key.path, &key.line)).collect();
    lines.sort_unstable_by(|a, b| str::cmp(a, b));
    lines
}

fn placed(path: &str, line: &str) -> Shared<str> {
    let between = if path.is_empty() { "" } else { " / " };
    Shared::from(alloc::format!("{path}{between}{line}"))
}
