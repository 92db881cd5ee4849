//! The unit's view of images, configs and translation: the only file of this room that calls those
//! rooms. The machines move whole values of these types and ask for digests, never for lines.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::env::{Env, PairingKey, Side};
use crate::config::render::{EditsError, read_edits, render_edits};
use crate::config::{Config, Edit, Prc};
use crate::digest::{Digest, ImageDigest, Shared};
use crate::disposition::{ActivePairing, OwnSide, PairError, StandbyPairing};
use crate::ids::{ComponentId, FormId, Lsn, Term};
use crate::image::Image;
use crate::message::{Bounds, Bytes, Compatibility, Mismatch, Payload, Stamp, Unreadable};
use crate::parse::{self, WalkUp};
use crate::planted::{Defect, Planted};
use crate::policy::Cause;
use crate::transform;
use crate::translate::listing::{LISTED_LINES_MAX, Listed, Listing, ListingChange};
use crate::translate::{self, Lowered, Lowering, Raising, WayOfLine};

/// The own image, as a unit needs it: loaded once, shared by all steps.
#[derive(Clone, Debug)]
pub struct Software {
    image: Arc<Image>,
    own: Arc<OwnSide>,
    dump: Bytes,
    same_at_active: Arc<ActivePairing>,
    same_at_standby: Arc<StandbyPairing>,
}

impl Software {
    /// What a unit needs of its image.
    ///
    /// # Errors
    /// [`PairError::Rule`]: a change of the image makes no rule.
    pub fn of(image: impl Into<Arc<Image>>) -> Result<Self, PairError> {
        let image = image.into();
        let own = Arc::new(OwnSide::of(&image)?);
        let same_at_active = Arc::new(ActivePairing::equal_by(&image, &own));
        let same_at_standby = Arc::new(StandbyPairing::equal_by(&image, &own));
        let dump = Shared::new(own.dump().encode().into_bytes());
        Ok(Self { image, own, dump, same_at_active, same_at_standby })
    }

    /// The image.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Identity of the image.
    pub fn digest(&self) -> ImageDigest {
        self.image.digest()
    }

    /// The image's CLI dump.
    pub const fn dump(&self) -> &Bytes {
        &self.dump
    }

    fn mismatch(&self, component: ComponentId, form: FormId, line: &str, prc: Prc) -> Mismatch {
        Mismatch {
            component: self.component(component),
            form: Shared::text(self.image.form(form).form.normal()),
            line: Shared::text(line),
            prc,
        }
    }

    fn component(&self, component: ComponentId) -> Shared<str> {
        let components = &self.image.declarations().components;
        Shared::text(&components[usize::from(component.0)].name)
    }
}

/// What one side computed of the bytes that came.
#[derive(Clone, Debug)]
pub enum Pairing {
    /// The Standby's: what it answers, and how it raises.
    Standby {
        /// ADL, SDL and what else the diff says.
        diff: Bytes,
        /// The way from W to S.
        pairing: Box<StandbyPairing>,
    },
    /// The Active's: its dispositions.
    Active(Box<ActivePairing>),
}

impl Pairing {
    /// Computes the pairing that a unit asked for by `Output::Pair`.
    ///
    /// # Errors
    /// [`PairError`] if the bytes are no dump, or no diff.
    pub fn compute(
        software: &Software,
        key: &PairingKey,
        bytes: &[u8],
        planted: Planted,
    ) -> Result<Self, PairError> {
        assert_eq!(key.own, software.digest(), "a pairing is of the own image");
        match key.side {
            Side::Standby => {
                let pairing = software.own.pair_at_standby(&software.image, bytes)?;
                let pairing = Box::new(pairing);
                let diff = Shared::new(pairing.diff_bytes().to_vec());
                Ok(Self::Standby { diff, pairing })
            }
            Side::Active => {
                let image = &software.image;
                let read = software.own.pair_at_active(image, bytes)?;
                let read = read.planted(image, planted);
                Ok(Self::Active(Box::new(read)))
            }
        }
    }

    /// What the Active's side says: the compatibility by what is configured and by the seed's
    /// strict rule, and how many diff entries are stuck.
    pub fn verdict(&self) -> Option<(Compatibility, Compatibility, u32)> {
        match self {
            Self::Standby { .. } => None,
            Self::Active(pairing) => {
                let stuck = u32::try_from(pairing.unhandled().len()).unwrap_or(u32::MAX);
                Some((pairing.compatibility(), pairing.strict(), stuck))
            }
        }
    }
}

/// A running config of the own image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running {
    config: Config,
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
    edits: Vec<Edit>,
}

impl Running {
    /// The image's factory default.
    pub fn factory(software: &Software) -> Self {
        Self { config: Config::factory(software.image.levels()) }
    }

    /// The config that booting this text gives; what the image does not take is left out.
    pub fn boot(software: &Software, text: &str) -> Self {
        let mut config = Config::factory(software.image.levels());
        let grammar = software.image.own();
        let mut lines = Lines { image: &software.image, grammar, config: &mut config };
        lines.execute(text.as_bytes(), WalkUp::Yes);
        Self { config }
    }

    /// Executes a command, or a batch as a whole.
    ///
    /// # Errors
    /// The first line that the image does not take; nothing changed then.
    pub fn execute(&self, software: &Software, text: &str) -> Result<Executed, Mismatch> {
        let mut config = self.config.clone();
        let image = &software.image;
        let edits = config.execute(image, image.own(), text).map_err(|error| {
            let line = text.lines().nth(error.number - 1).unwrap_or("");
            unread(line, Prc::from(&error.trouble))
        })?;
        if config == self.config {
            return Ok(Executed::Unchanged);
        }
        Ok(Executed::Changed(Self { config }, Edits { edits }))
    }

    /// The config itself.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The config in the own image's syntax.
    pub fn text(&self) -> Shared<str> {
        Shared::from(self.config.render())
    }

    /// The lines that `self` has and `other` has not, with the modes that they stand in.
    pub fn lines_missing_in(&self, other: &Self) -> Vec<Shared<str>> {
        let gone = self.config.lines().filter(|(key, line)| other.config.line(key) != Some(line));
        gone.map(|(key, line)| Shared::from(key.place.path() + line.words.text())).collect()
    }

    /// The config's digest.
    pub fn digest(&self) -> Digest {
        self.config.digest()
    }
}

/// The Active's side of a translation: its config on its way to one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    lowering: Lowering,
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
    /// The translation of `running`; `pairing` is none for equal images. None if the catalog does
    /// not hold the pairing.
    pub fn of(
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        running: &Running,
        stamp: Stamp,
    ) -> Option<Self> {
        let pairing = at_active(env, pairing)?;
        let image = &env.software.image;
        let stamp = (stamp.term, stamp.lsn);
        let lowering = Lowering::of_stamped(image, pairing, &running.config, stamp);
        Some(Self { lowering })
    }

    /// The translation after `edits`. None if the catalog does not hold the pairing.
    pub fn edit(
        &self,
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        edits: &Edits,
        stamp: Stamp,
    ) -> Option<Step> {
        let pairing = at_active(env, pairing)?;
        let image = &env.software.image;
        let mut lowering = self.lowering.clone();
        let stamp = (stamp.term, stamp.lsn);
        let lowered = lowering.edit(image, pairing, &edits.edits, stamp);
        let difference = Shared::new(render_edits(image, &lowered.wire).into_bytes());
        let listing = Shared::new(carried(&lowered.listing, env.planted));
        let stuck = stuck_of(env.software, &lowered);
        Some(Step { sender: Self { lowering }, difference, listing, stuck })
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
    pub fn stuck(&self, env: &Env<'_>, pairing: Option<&PairingKey>) -> Vec<Stuck> {
        if self.lowering.listing().lines().is_empty() {
            return vec![];
        }
        let Some(pairing) = at_active(env, pairing) else {
            return vec![];
        };
        let software = env.software;
        let explained = self.lowering.explain(&software.image, pairing).into_iter();
        explained
            .filter_map(|line| {
                let WayOfLine::Stuck(cause) = &line.way else {
                    return None;
                };
                let component = software.image.form(line.form).component;
                let text = placed(&line.key.path, &line.key.line);
                Some(stuck(software, component, line.form, cause, text))
            })
            .collect()
    }
}

fn stuck_of(software: &Software, lowered: &Lowered) -> Vec<Stuck> {
    let listed = lowered.listing.lines.iter().filter(|(_, listed)| listed.is_some());
    listed
        .zip(&lowered.causes)
        .map(|((key, _), of)| {
            let text = placed(&key.path, &key.line);
            stuck(software, of.component, of.form, &of.cause, text)
        })
        .collect()
}

fn stuck(
    software: &Software,
    component: ComponentId,
    form: FormId,
    cause: &transform::Cause,
    line: Shared<str>,
) -> Stuck {
    let cause = translate::policy_cause(cause);
    let form = Shared::text(software.image.form(form).form.normal());
    Stuck { cause, component: software.component(component), form, line }
}

/// MCL and complements as they travel.
fn carried(change: &ListingChange, planted: Planted) -> Vec<u8> {
    if planted.is(Defect::MclNotCarried) {
        return vec![];
    }
    change.encode()
}

/// The Standby's side of a translation: the wire config, and its own beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver {
    raising: Raising,
}

impl Receiver {
    /// The translation of a file, and what of it is not executed.
    ///
    /// # Errors
    /// The bytes are no file of a config.
    pub fn of(
        env: &Env<'_>,
        pairing: Option<&PairingKey>,
        bytes: &[u8],
        listing_at: u64,
    ) -> Result<(Self, Vec<Mismatch>), Unreadable> {
        let no = |at| Unreadable::here(Payload::Snapshot, at);
        let cut = usize::try_from(listing_at).ok();
        let parts = cut.and_then(|at| bytes.split_at_checked(at));
        let (wire, listing) = parts.ok_or_else(|| no(Some(bytes.len() as u64)))?;
        // Without its pairing, which the driver computed before, nothing of it can be read.
        let pairing = at_standby(env, pairing).ok_or_else(|| no(None))?;
        let image = &env.software.image;
        core::str::from_utf8(wire).map_err(|error| no(Some(error.valid_up_to() as u64)))?;
        let w = Raising::read_w(image, pairing, wire)
            .map_err(|error| no(Some(start_of(wire, error.number))))?;
        let mut kept = Listing::default();
        kept.apply(&read_listing(env, listing)?);
        let (raising, missing) = Raising::of_executing(image, pairing, w, kept, env.refuses);
        let missing = missing.iter().map(|each| mismatch_of(env.software, each));
        let mismatches = missing.collect();
        Ok((Self { raising }, mismatches))
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

    /// What is not executed of all that was applied.
    pub fn held_out(&self, env: &Env<'_>) -> Vec<Mismatch> {
        let held = self.raising.held_out(&env.software.image);
        held.iter().map(|each| mismatch_of(env.software, each)).collect()
    }

    /// What a unit that misapplies a line does: changes S without W.
    pub fn misapply(&mut self, env: &Env<'_>, pairing: Option<&PairingKey>, text: &str) {
        let Some(pairing) = at_standby(env, pairing) else {
            return;
        };
        let image = &env.software.image;
        let mut s = self.raising.config().clone();
        if let Ok(edits) = s.execute(image, image.own(), text) {
            self.raising.disturb(image, pairing, &edits);
        }
    }

    /// The own config.
    pub fn running(&self) -> Running {
        Running { config: self.raising.config().clone() }
    }

    /// The translation itself.
    pub const fn raising(&self) -> &Raising {
        &self.raising
    }

    /// The wire digest, computed from the own config.
    pub fn digest(&self, env: &Env<'_>) -> Digest {
        self.raising.wire_digest(&env.software.image)
    }

    /// What is known not to be in S: the Active's listing with what is held out here beside it.
    pub fn missing(&self, env: &Env<'_>) -> Listing {
        let listing = self.raising.listing();
        let room = LISTED_LINES_MAX.saturating_sub(listing.len());
        let held = self.raising.held_out(&env.software.image);
        let held = held.into_iter().take(room).map(|each| {
            let listed = Listed { cause: each.cause, since: (Term(0), Lsn(0)), orphan: None };
            (each.key, Some(listed))
        });
        let mut missing = listing.clone();
        missing.apply(&ListingChange { lines: held.collect(), complements: vec![] });
        missing
    }
}

/// The lines of a listing, each with the modes that it stands in, in the order of their words.
pub(super) fn listed(listing: &Listing) -> Vec<Shared<str>> {
    let keys = listing.lines().keys();
    let mut lines: Vec<Shared<str>> = keys.map(|key| placed(&key.path, &key.line)).collect();
    lines.sort_unstable_by(|a, b| str::cmp(a, b));
    lines
}

fn at_active<'e>(env: &Env<'e>, key: Option<&PairingKey>) -> Option<&'e ActivePairing> {
    let Some(key) = key else {
        return Some(&env.software.same_at_active);
    };
    match (env.pairings)(key)? {
        Pairing::Active(pairing) => Some(pairing),
        Pairing::Standby { .. } => None,
    }
}

fn at_standby<'e>(env: &Env<'e>, key: Option<&PairingKey>) -> Option<&'e StandbyPairing> {
    let Some(key) = key else {
        return Some(&env.software.same_at_standby);
    };
    match (env.pairings)(key)? {
        Pairing::Standby { pairing, .. } => Some(pairing),
        Pairing::Active(_) => None,
    }
}

/// A text that is executed line by line, whatever single lines give.
struct Lines<'a> {
    image: &'a Image,
    grammar: &'a crate::image::Grammar,
    config: &'a mut Config,
}

impl Lines<'_> {
    /// The lines that are none of the view.
    fn execute(&mut self, text: &[u8], walk_up: WalkUp) -> Vec<Mismatch> {
        let (mut failed, mut edits) = (vec![], vec![]);
        for statement in parse::text(self.image, self.grammar, text, walk_up) {
            match statement.found {
                Ok((form, words)) => {
                    let place = &statement.place;
                    let (image, grammar) = (self.image, self.grammar);
                    self.config.execute_line(image, grammar, place, form, words, &mut edits);
                    edits.clear();
                }
                Err(trouble) => {
                    let line = text.split(|byte| *byte == b'\n').nth(statement.number - 1);
                    let line = String::from_utf8_lossy(line.unwrap_or_default());
                    failed.push(unread(&line, Prc::from(&trouble)));
                }
            }
        }
        failed
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

fn mismatch_of(software: &Software, each: &translate::Mismatch) -> Mismatch {
    let prc = match &each.cause {
        transform::Cause::Peer(prc) => *prc,
        transform::Cause::NoTransform | transform::Cause::EmptyMode => Prc::NoMatch,
        _ => Prc::Rejected,
    };
    software.mismatch(each.component, each.form, &each.text(), prc)
}

fn placed(path: &str, line: &str) -> Shared<str> {
    let between = if path.is_empty() { "" } else { " / " };
    Shared::from(alloc::format!("{path}{between}{line}"))
}

/// A line that is none.
fn unread(line: &str, prc: Prc) -> Mismatch {
    let empty = Shared::text("");
    Mismatch { component: empty.clone(), form: empty, line: Shared::text(line.trim()), prc }
}
