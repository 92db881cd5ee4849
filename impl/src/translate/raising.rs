//! The Standby's side: from what travels to its running config, and back again for the check.

#[cfg(any(test, feature = "faults"))]
mod faults;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::complement::{ComplementKey, Complements};
use super::keeping::Stood;
use super::ladder::{Advance, Ladder, LineTrace, Way};
use super::listing::{ListKey, Listing, ListingChange};
use super::lowering::{held_halves, list_key, place_key};
use super::restore::{FirstRung, PutBack, Restores, enters, is_in_words_of, read_line};
use super::stage::Stage;
use super::touched::Touched;
use crate::config::{Config, Edit, EntryKind, Item, Line, LineKey, Place, Prc, Refused};
use crate::digest::{Digest, Shared};
use crate::disposition::StandbyPairing;
use crate::grammar::{Sign, Words, split_words};
use crate::ids::{ComponentId, FormId};
use crate::image::{Grammar, Image};
use crate::parse::{self, LineError, WalkUp};
use crate::transform::{Direction, Step, StuckCause};

/// A translation from the wire config W to the Standby's config S, kept in step, with W' =
/// `lower(S)` beside it, by which it is verified. Cheap to clone and hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raising {
    /// W, whole.
    w: Config,
    /// W less what is held out .. S.
    up: Ladder,
    /// S .. W'.
    down: Ladder,
    /// Lines of W that the unit could not execute: their groups are kept out of S, whole.
    held: BTreeMap<LineKey, StuckCause>,
    /// Lines of W of which a part would go and a part not: they are kept out of S, whole.
    halves: Arc<BTreeMap<LineKey, StuckCause>>,
    /// Lines of W that no change could raise, or not yet.
    short: BTreeMap<LineKey, StuckCause>,
    /// Lines that W says by being absent, and that no change can raise.
    unsaid: BTreeSet<LineKey>,
    /// Instances of W that have no name in S, or whose mode ends on the way.
    nameless: Arc<BTreeMap<Place, StuckCause>>,
    listing: Listing,
    /// What would be put back, if it fits.
    due: Arc<Restores>,
    /// Nothing is put back, since the unit refuses a line of it.
    refuses_back: bool,
}

/// A line of W that is not in S, or not as it should be.
///
/// The unit refused its group, no change raises it, or what S is made of does not give it back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotRaised {
    /// The line, by words.
    pub key: ListKey,
    /// The component of its form.
    pub component: ComponentId,
    /// Its form.
    pub form: FormId,
    /// Why it is not in S.
    pub cause: StuckCause,
}

/// What one difference did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raised {
    /// What changed in S.
    pub edits: Vec<Edit>,
    /// What of this very difference did not execute as expected.
    pub mismatches: Vec<NotRaised>,
}

/// The unit's say about a line that is to be executed: the class of its parser's result if it
/// refuses.
pub type Refuses<'a> = &'a dyn Fn(&LineKey, &Line) -> Option<Prc>;

/// Why the bytes of a W cannot be read: a line is not the wire view's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {trouble}")]
pub struct ReadError {
    /// The line, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub trouble: LineError,
}

/// A unit that executes everything.
fn takes_all(_: &LineKey, _: &Line) -> Option<Prc> {
    None
}

impl Raising {
    /// Reads W as it travels in bulk, with the own forms that live in the wire's view.
    ///
    /// # Errors
    /// The first line that the view does not take.
    pub fn read_w(
        image: &Image,
        pairing: &StandbyPairing,
        bytes: &[u8],
    ) -> Result<Config, ReadError> {
        let mut w = Config::factory(pairing.levels());
        let mut edits = Vec::new();
        for statement in parse::text(image, pairing.grammar(), bytes, WalkUp::No) {
            let number = statement.number;
            let (form, words) = statement.found.map_err(|trouble| ReadError { number, trouble })?;
            w.execute_line(image, pairing.grammar(), &statement.place, form, words, &mut edits);
            edits.clear();
        }
        Ok(w)
    }

    /// Raises `w` from nothing. Beside it, the lines of W that did not execute as expected.
    pub fn new(
        image: &Image,
        pairing: &StandbyPairing,
        w: Config,
        listing: Listing,
    ) -> (Self, Vec<NotRaised>) {
        Self::new_executing(image, pairing, w, listing, &takes_all)
    }

    /// Raises `w` from nothing on a unit that may refuse lines of S.
    pub fn new_executing(
        image: &Image,
        pairing: &StandbyPairing,
        w: Config,
        listing: Listing,
        refuses: Refuses<'_>,
    ) -> (Self, Vec<NotRaised>) {
        let restores = restores(&way_up(image, pairing), pairing, &listing);
        let (raising, refused) = Self::anew(image, pairing, w, listing, restores, refuses);
        let mut raising = raising;
        let mut seen = raising.hold_refused(image, pairing, &refused);
        seen.extend(raising.unverified(raising.w.lines().map(|(key, _)| key)));
        let mismatches = raising.mismatches(image, seen);
        (raising, mismatches)
    }

    /// The way back from S, on which what raising loses is put back. What did not come by wire is
    /// held out of it: it could not go before.
    fn lowered(&self, image: &Image, pairing: &StandbyPairing) -> Ladder {
        let (there, back) = (way_up(image, pairing), way_down(image, pairing));
        let (up, w) = (&self.up, &self.w);
        let mut lost = up.losses(&there);
        lost.extend(self.gone_instances(&there));
        let lost = Restores::compile(&back, FirstRung::Own, &lost);
        let of_none =
            |key: &LineKey| up.origins(&there, key).iter().all(|origin| w.line(origin).is_none());
        let put = (0..=there.stages.len()).flat_map(|rung| {
            let lines = up.put_into(rung).lines.iter();
            lines.flat_map(|key| up.fate_from(&there, rung, key).out).collect::<Vec<_>>()
        });
        let put: BTreeSet<LineKey> = put.filter(of_none).collect();
        let mut s = up.last().clone();
        for key in &put {
            s.remove(image, key);
        }
        Ladder::build(&back, s, Arc::new(put), Arc::new(lost)).0
    }

    /// The lines of W that are not in S.
    fn out(&self) -> impl Iterator<Item = &LineKey> {
        self.held.keys().chain(self.halves.keys()).chain(self.short.keys())
    }

    /// The way back from all of S, but for what goes in part: a unit that acts holds it out.
    fn lowered_whole(&self, image: &Image, pairing: &StandbyPairing) -> Ladder {
        let back = way_down(image, pairing);
        let restores = Arc::clone(self.down.restores());
        let mut held: BTreeSet<LineKey> = BTreeSet::new();
        loop {
            let mut s = self.up.last().clone();
            for key in &held {
                s.remove(image, key);
            }
            let out = Arc::new(held.clone());
            let ladder = Ladder::build(&back, s, out, Arc::clone(&restores)).0;
            let is_half = |key: &LineKey| {
                let fate = ladder.fate(&back, key);
                !fate.out.is_empty() && (fate.pending || !fate.ends.is_empty())
            };
            let lines = ladder.first().lines().map(|(key, _)| key);
            let halves: Vec<LineKey> = lines.filter(|key| is_half(key)).cloned().collect();
            if halves.is_empty() {
                return ladder;
            }
            held.extend(halves);
        }
    }

    /// Raises `w` from nothing, with what is put back on the way; and the lines of S that the unit
    /// refuses. Nothing is put back that the unit refuses, or by which `lower(S)` is another W.
    fn anew(
        image: &Image,
        pairing: &StandbyPairing,
        w: Config,
        listing: Listing,
        restores: Arc<Restores>,
        refuses: Refuses<'_>,
    ) -> (Self, Vec<(LineKey, StuckCause)>) {
        let way_up = way_up(image, pairing);
        let (puts_back, due) = (!restores.is_empty(), Arc::clone(&restores));
        let (up, mut advance) = Ladder::build(&way_up, w.clone(), Arc::default(), restores);
        // Until it is known what of W is out.
        let down = up.clone();
        let (held, halves, short) = (BTreeMap::new(), Arc::default(), BTreeMap::new());
        let (unsaid, nameless) = (BTreeSet::new(), Arc::default());
        let refuses_back = false;
        let mut raising =
            Self { w, up, down, held, halves, short, unsaid, nameless, listing, due, refuses_back };
        raising.hold_halves(&way_up, &mut advance);
        raising.settle_nameless(&way_up, pairing);
        raising.settle_short(&way_up, &advance.affected);
        raising.down = raising.lowered(image, pairing);
        raising.hold_beside_others(image, pairing, None);
        let refused = raising.refused(image, pairing.grammar(), raising.config().lines(), refuses);
        let mut refused_back =
            refused.iter().filter(|(key, _)| raising.origins(&way_up, key).is_empty());
        let refuses_back = refused_back.any(|(_, cause)| matches!(cause, StuckCause::Peer(_)));
        if !puts_back {
            return (raising, refused);
        }
        let (w, listing) = (raising.w.clone(), raising.listing.clone());
        let (plain, refused_plain) =
            Self::anew(image, pairing, w, listing, Arc::default(), refuses);
        let fits = refused.iter().all(|(key, _)| !raising.origins(&way_up, key).is_empty())
            && (raising.up.restores().has_groups() || raising.has_lines_of(&plain, &way_up))
            && raising.config().refused(image, image.levels()).is_empty()
            && raising.wire_digest(image) == raising.w.digest()
            && raising.out().all(|key| plain.out().any(|out| out == key))
            && raising.nameless.keys().all(|place| plain.nameless.contains_key(place))
            && raising.down.is_within(&raising.lowered_whole(image, pairing));
        if !fits {
            return (Self { due: raising.due, refuses_back, ..plain }, refused_plain);
        }
        (raising, refused)
    }

    /// Whether all that lines of W became in the other S is in this.
    fn has_lines_of(&self, other: &Self, way: &Way<'_>) -> bool {
        let lines = other.config().lines();
        let mut of_w = lines.filter(|(key, _)| !other.origins(way, key).is_empty());
        of_w.all(|(key, line)| self.config().line(key) == Some(line))
    }

    /// Applies one difference of W, whole.
    pub fn apply(
        &mut self,
        image: &Image,
        pairing: &StandbyPairing,
        difference: &[Edit],
        listing: &ListingChange,
    ) -> Raised {
        self.apply_executing(image, pairing, difference, listing, &takes_all)
    }

    /// Applies one difference of W on a unit that may refuse lines of S.
    pub fn apply_executing(
        &mut self,
        image: &Image,
        pairing: &StandbyPairing,
        difference: &[Edit],
        listing: &ListingChange,
        refuses: Refuses<'_>,
    ) -> Raised {
        let way_up = way_up(image, pairing);
        self.listing.apply(listing);
        let idle = self.idle(difference);
        let before = self.config().clone();
        let mut touched = Touched::from_edits(image, &mut self.w, difference);
        if !listing.complements.is_empty() {
            self.due = restores(&way_up, pairing, &self.listing);
        }
        if !(self.due.is_empty() && self.up.restores().is_empty()) {
            return self.apply_anew(image, pairing, (before, touched, idle), refuses);
        }
        // A line that changes is tried anew.
        // So is one that was refused for what else is there.
        let is_tried = |(key, cause): &(&LineKey, &StuckCause)| {
            touched.lines.contains(key) || matches!(cause, StuckCause::Refused { .. })
        };
        let released: Vec<LineKey> =
            self.held.iter().filter(is_tried).map(|(key, _)| key.clone()).collect();
        for key in &released {
            self.held.remove(key);
        }
        touched.lines.extend(released);
        let of_w = touched.lines.clone();
        let mut in_s = self.carry(image, pairing, touched);
        in_s.add(self.hold_beside_others(image, pairing, Some(&in_s)));
        let executed: Vec<LineKey> = in_s
            .lines
            .iter()
            .filter(|key| self.config().line(key) != before.line(key))
            .cloned()
            .collect();
        let now = executed.iter();
        let now = now.filter_map(|key| Some((key, self.config().line(key)?)));
        let refused = self.refused(image, pairing.grammar(), now, refuses);
        let mut seen = self.hold_refused(image, pairing, &refused);
        in_s.lines.extend(executed);
        if !refused.is_empty() {
            // What was held out took other lines of its groups along.
            in_s.lines.extend(self.touched_since(&before, &in_s));
        }
        seen.extend(self.unverified(of_w.iter()));
        seen.extend(idle);
        let edits = in_s.difference(&before, self.config());
        Raised { edits, mismatches: self.mismatches(image, seen) }
    }

    /// Raises W anew, after what was touched in it: where anything is put back, it may go or come
    /// with any line.
    fn apply_anew(
        &mut self,
        image: &Image,
        pairing: &StandbyPairing,
        (before, mut touched, idle): (Config, Touched, BTreeMap<LineKey, StuckCause>),
        refuses: Refuses<'_>,
    ) -> Raised {
        let was_held = core::mem::take(&mut self.held);
        let (w, listing) = (self.w.clone(), self.listing.clone());
        let again = |key: &LineKey, line: &Line| {
            // What stands in S was executed.
            if before.line(key) == Some(line) {
                return None;
            }
            // What the unit refused it was not asked again.
            let known = was_held.get(key).filter(|_| !touched.lines.contains(key));
            match known {
                Some(StuckCause::Peer(prc)) => Some(*prc),
                Some(_) | None => refuses(key, line),
            }
        };
        let due = Arc::clone(&self.due);
        let (raising, refused) = Self::anew(image, pairing, w, listing, due, &again);
        *self = raising;
        let mut seen = self.hold_refused(image, pairing, &refused);
        seen.extend(self.unverified(touched.lines.iter()));
        seen.retain(|key, _| touched.lines.contains(key));
        seen.extend(idle);
        touched.add(Touched::of_all(&[&before, self.config()]));
        let edits = touched.difference(&before, self.config());
        Raised { edits, mismatches: self.mismatches(image, seen) }
    }

    /// The Standby's config S.
    pub fn config(&self) -> &Config {
        self.up.last()
    }

    /// The configs on the way up: W less what is held out, and what each step of the pairing makes.
    pub fn rungs(&self) -> &[Config] {
        self.up.rungs()
    }

    /// The wire config W, whole.
    pub fn wire_config(&self) -> &Config {
        &self.w
    }

    /// The digest of `lower(S)`, with the lines of pending and held-out groups taken from W.
    pub fn wire_digest(&self, image: &Image) -> Digest {
        let out: BTreeSet<&LineKey> = self.out().collect();
        let put = self.up.put_into(0);
        if out.is_empty()
            && self.nameless.is_empty()
            && self.unsaid.is_empty()
            && *put == PutBack::default()
        {
            return self.down.last().digest();
        }
        let mut wire = self.down.last().clone();
        // What was put back did not come by wire.
        put.undo(image, &mut wire);
        for key in &self.unsaid {
            wire.remove(image, key);
        }
        for place in self.nameless.keys().flat_map(Place::and_ancestors) {
            if wire.entry(&place).is_none() {
                wire.put_entry(image, &place, Some(EntryKind::Entered));
            }
        }
        for key in &out {
            let Some(line) = self.w.line(key) else {
                continue;
            };
            for place in key.place.and_ancestors() {
                if wire.entry(&place).is_none() {
                    wire.put_entry(image, &place, Some(EntryKind::Entered));
                }
            }
            wire.put(image, key, line.clone());
        }
        let listed = out.iter().filter(|key| image.form(key.form).list.is_some());
        let mut lists: BTreeSet<(&Place, Option<&Item>)> = BTreeSet::new();
        for key in listed {
            let first = self.w.list_around(image, key).next();
            if lists.insert((&key.place, first)) {
                self.order_as_in_w(image, key, &out, &mut wire);
            }
        }
        wire.digest()
    }

    /// Puts what was held out of the list of a line where it stands in W: behind what stands before
    /// it in the list.
    fn order_as_in_w(
        &self,
        image: &Image,
        key: &LineKey,
        out: &BTreeSet<&LineKey>,
        wire: &mut Config,
    ) {
        let place = &key.place;
        let mut before: Option<&Item> = None;
        for item in self.w.list_around(image, key) {
            let of_list = item.line_in(place).filter(|key| wire.line(key).is_some());
            let Some(key) = of_list else { continue };
            match before {
                _ if !out.contains(&key) => {}
                Some(_) => drop(wire.move_behind(image, place, item, before)),
                None => wire.lead_list(image, &key),
            }
            before = Some(item);
        }
    }

    /// The lines of S that no line of W became: what an absent line says in W, and not in S.
    pub fn said_by_absence(&self, image: &Image, pairing: &StandbyPairing) -> Vec<ListKey> {
        let way = way_up(image, pairing);
        let lines = self.config().lines().map(|(key, _)| key);
        let of_none = lines.filter(|key| self.up.origins(&way, key).is_empty());
        of_none.map(|key| list_key(self.config(), key)).collect()
    }

    /// Whether it puts nothing back since the unit refuses a line of that.
    pub const fn refuses_back(&self) -> bool {
        self.refuses_back
    }

    /// Whether it puts back what it is given for that.
    pub fn puts_back(&self) -> bool {
        !self.up.restores().is_empty()
    }

    /// What did not go, as the Active says.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The lines of W that are held out of S, each with what the unit said of its group.
    pub fn held_out(&self, image: &Image) -> Vec<NotRaised> {
        let mut held = self.held.clone();
        held.retain(|_, cause| !is_told(cause));
        self.mismatches(image, held)
    }

    /// The lines of W that no change raises, or not yet, or that the own image would read as other
    /// lines or refuse for what else is there, each with the reason; and instances that have no
    /// name in S, if nothing in them goes.
    pub fn unraised(&self, image: &Image) -> Vec<NotRaised> {
        let mut short = self.held.clone();
        short.retain(|_, cause| is_told(cause));
        short.extend(BTreeMap::clone(&self.halves));
        short.extend(self.short.clone());
        let mut unraised = self.mismatches(image, short);
        let is_out = |key: &LineKey| {
            let Self { held, halves, short, .. } = self;
            held.contains_key(key) || halves.contains_key(key) || short.contains_key(key)
        };
        let stays = |place: &Place| self.w.lines_within(place).all(|(key, _)| is_out(key));
        // Where a mode ends the Active knows it.
        let known = |cause: &StuckCause| *cause == StuckCause::NoTransform;
        let nameless = self.nameless.iter();
        let told = nameless.filter(|(place, cause)| !known(cause) && stays(place));
        unraised.extend(told.filter_map(|(place, cause)| {
            let form = place.entry_form()?;
            let component = image.form(form).component;
            Some(NotRaised { component, form, key: place_key(place), cause: cause.clone() })
        }));
        unraised
    }

    /// Carries what was touched in W up to S and down again to W'.
    fn carry(&mut self, image: &Image, pairing: &StandbyPairing, touched: Touched) -> Touched {
        let way_up = way_up(image, pairing);
        // What was held out as it goes in part is tried anew, all of it.
        let mut touched = touched;
        touched.lines.extend(core::mem::take(&mut self.halves).keys().cloned());
        let lines = touched.lines.clone();
        let mut advance = self.replace(&way_up, touched);
        advance.affected.extend(lines);
        self.hold_halves(&way_up, &mut advance);
        let Advance { touched, mut affected, .. } = advance;
        affected.extend(self.short.keys().cloned().collect::<Vec<_>>());
        self.settle_short(&way_up, &affected);
        self.settle_nameless(&way_up, pairing);
        self.lower_again(image, pairing, touched.clone());
        touched
    }

    /// The lines of W from which a line of S came.
    fn origins(&self, way: &Way<'_>, key: &LineKey) -> BTreeSet<LineKey> {
        let mut origins = self.up.origins(way, key);
        origins.retain(|key| self.w.line(key).is_some());
        origins
    }

    /// What is kept for the way back, in S: what came and is not in it, and what of W is not.
    pub fn kept(&self, image: &Image, pairing: &StandbyPairing) -> Complements {
        let way = way_up(image, pairing);
        let mut kept = self.listing.complements().clone();
        if !kept.is_empty() {
            let all = Restores::compile(&way, FirstRung::Received, &kept);
            let here: Vec<ComplementKey> = all.realized(self.up.rungs()).cloned().collect();
            here.iter().for_each(|key| drop(kept.remove(key)));
            // Another line of its key came by wire since.
            let came = |(_, rung, key): &(&ComplementKey, usize, &LineKey)| {
                let mut out = self.up.fate_from(&way, *rung, key).out.into_iter();
                out.any(|key| !self.origins(&way, &key).is_empty())
            };
            let others = all.overtaken(self.up.rungs()).filter(came);
            let others: Vec<ComplementKey> = others.map(|(of, ..)| of.clone()).collect();
            others.iter().for_each(|key| drop(kept.remove(key)));
            // What is said in the words of W, or the own, is there, or another line of its key is
            // by now.
            let is_said_in = |of: &ComplementKey, config: &Config, grammar: &Grammar| {
                read_line(image, grammar, &of.line).is_some_and(|(key, line)| {
                    is_in_words_of(image, of, key.form, config.levels())
                        && !enters(image, &key, &line)
                        && config.line(&key).is_some()
                })
            };
            let is_said = |of: &ComplementKey| {
                is_said_in(of, &self.w, pairing.grammar())
                    || is_said_in(of, self.config(), image.own())
            };
            kept.retain(|of, _| !is_said(of));
            for complement in kept.values_mut() {
                *complement = self.up.carry_on(&way, pairing.grammar(), complement);
            }
        }
        kept.extend(self.up.losses(&way));
        kept.extend(self.gone_instances(&way));
        for key in self.out() {
            kept.extend(self.up.orphan(&way, (0, &self.w), &Stood::Line(key.clone())));
        }
        kept
    }

    /// The instances of W that have no name in S, for the way back: each as it stood last. What
    /// left it before finds it again so.
    fn gone_instances(&self, way: &Way<'_>) -> Complements {
        let orphan = |place: &Place| {
            let (rung, place) = self.up.place_ends(way, place)?;
            self.up.orphan(way, (rung, &self.up.rungs()[rung]), &Stood::Place(place))
        };
        self.nameless.keys().filter_map(orphan).collect()
    }

    /// Puts W, less what is held out, on the first rung of the way up.
    fn replace(&mut self, way: &Way<'_>, touched: Touched) -> Advance {
        let mut first = self.w.clone();
        let held: BTreeSet<LineKey> = self.held.keys().chain(self.halves.keys()).cloned().collect();
        for key in &held {
            first.remove(way.image, key);
        }
        let restores = Arc::clone(self.up.restores());
        self.up.renew(way, first, touched, Arc::new(held), restores)
    }

    /// Carries what was touched in S down to W'.
    fn lower_again(&mut self, image: &Image, pairing: &StandbyPairing, touched: Touched) {
        let restores = !(self.nameless.is_empty() && self.down.restores().is_empty());
        if pairing.loses() || self.puts_back() || restores {
            self.down = self.lowered(image, pairing);
        } else {
            let s = self.up.last().clone();
            self.down.replace(&way_down(image, pairing), s, touched, Arc::default());
        }
    }

    /// Holds out the lines of W of which a part goes, and a part ends or waits, until there is
    /// none: a line goes whole or not at all.
    fn hold_halves(&mut self, way: &Way<'_>, advance: &mut Advance) {
        let mut tried = advance.affected.clone();
        loop {
            // What is put back may be a line that was held out.
            let stands = |key: &&LineKey| {
                self.w.line(key).is_some()
                    && self.up.first().line(key).is_some()
                    && !self.halves.contains_key(*key)
            };
            let listed = |key: &LineKey| {
                let fate = self.up.fate(way, key);
                let is_in = !fate.out.is_empty();
                Some((short_of(way, (key, self.w.line(key)), fate)?, is_in))
            };
            let tried_now = tried.iter().filter(stands);
            let halves = held_halves(tried_now.filter_map(|key| Some((key, listed(key)?))));
            if halves.is_empty() {
                return;
            }
            let lines: BTreeSet<LineKey> = halves.keys().cloned().collect();
            Arc::make_mut(&mut self.halves).extend(halves);
            let more = self.replace(way, Touched { lines, ..Touched::default() });
            tried.clone_from(&more.affected);
            advance.add(more);
        }
    }

    /// Which instances of W have no name in S now, or no mode.
    fn settle_nameless(&mut self, way: &Way<'_>, pairing: &StandbyPairing) {
        if !pairing.loses_instances() {
            return;
        }
        let places = self.w.entries().map(|(place, _)| place);
        let gone = places.filter_map(|place| Some((place.clone(), self.up.why_gone(way, place)?)));
        self.nameless = Arc::new(gone.collect());
    }

    /// Which of these lines of W no change can raise now.
    fn settle_short(&mut self, way: &Way<'_>, lines: &BTreeSet<LineKey>) {
        for key in lines {
            self.short.remove(key);
            self.unsaid.remove(key);
            let put = &self.up.put_into(0).lines;
            // What was put back is no line of W.
            if self.halves.contains_key(key) || put.contains(key) {
                continue;
            }
            let fate = self.up.fate(way, key);
            if self.up.first().line(key).is_none() {
                if fate.pending || !fate.ends.is_empty() {
                    self.unsaid.insert(key.clone());
                }
                continue;
            }
            if let Some(cause) = short_of(way, (key, self.w.line(key)), fate) {
                self.short.insert(key.clone(), cause);
            }
        }
    }

    /// Lines that a difference takes away and that are not there: the parser would say `unchanged`
    /// where the Active's said `ok`.
    fn idle(&self, difference: &[Edit]) -> BTreeMap<LineKey, StuckCause> {
        let idle = difference.iter().filter_map(|edit| match edit {
            Edit::Unset(key) if self.w.line(key).is_none() => Some(key.clone()),
            Edit::Unset(_) | Edit::Leave(_) | Edit::Enter { .. } | Edit::Set { .. } => None,
        });
        idle.map(|key| (key, StuckCause::Peer(Prc::Unchanged))).collect()
    }

    /// Those of these lines of S that the unit refuses, or that its parser would read as another
    /// line than was made.
    fn refused<'a>(
        &self,
        image: &Image,
        wire: &Grammar,
        lines: impl Iterator<Item = (&'a LineKey, &'a Line)>,
        refuses: Refuses<'_>,
    ) -> Vec<(LineKey, StuckCause)> {
        let cause = |key: &LineKey, line: &Line| {
            if let Some(prc) = refuses(key, line) {
                return Some(StuckCause::Peer(prc));
            }
            // What stands in W so was read by the forms that live there.
            let made = self.w.line(key) != Some(line);
            let others = made || !image.own().has_same(wire, key.place.mode(image));
            (others && !reads_as_made(image, key, line)).then_some(StuckCause::Resolves)
        };
        lines.filter_map(|(key, line)| Some((key.clone(), cause(key, line)?))).collect()
    }

    /// Holds the groups of lines of S out of it, whole, that the own image refuses for what else is
    /// there; what that touched in S. All of S may be refused if nothing says what of it changed.
    fn hold_beside_others(
        &mut self,
        image: &Image,
        pairing: &StandbyPairing,
        changed: Option<&Touched>,
    ) -> Touched {
        let way = way_up(image, pairing);
        let mut in_s = Touched::default();
        let concerns = |key: &LineKey| {
            image.refusals_at(image.levels()).any(|refusal| refusal.is_about(key.form))
        };
        if changed.is_some_and(|changed| !changed.lines.iter().any(concerns)) {
            return in_s;
        }
        loop {
            let mut touched = Touched::default();
            for refused in self.config().refused(image, image.levels()) {
                let Refused { line, other, without, why } = refused;
                for origin in self.origins(&way, &line) {
                    let (other, why) = (other.clone(), why.clone());
                    self.held.insert(origin.clone(), StuckCause::Refused { other, without, why });
                    touched.lines.insert(origin);
                }
            }
            // What nothing gave rise to stays: absence says it.
            if touched.lines.is_empty() {
                return in_s;
            }
            in_s.add(self.carry(image, pairing, touched));
        }
    }

    /// Holds the groups of refused lines of S out of it, whole.
    fn hold_refused(
        &mut self,
        image: &Image,
        pairing: &StandbyPairing,
        refused: &[(LineKey, StuckCause)],
    ) -> BTreeMap<LineKey, StuckCause> {
        let way = way_up(image, pairing);
        let mut seen = BTreeMap::new();
        for (key, cause) in refused {
            for origin in self.origins(&way, key) {
                seen.insert(origin, cause.clone());
            }
        }
        if seen.is_empty() {
            return seen;
        }
        self.held.extend(seen.clone());
        let mut touched = Touched::default();
        for key in seen.keys() {
            touched.lines.insert(key.clone());
        }
        self.carry(image, pairing, touched);
        seen.retain(|_, cause| !is_told(cause));
        seen
    }

    /// Those of these lines of W that `lower(S)` does not have so, though they were raised.
    fn unverified<'a>(
        &self,
        lines: impl Iterator<Item = &'a LineKey>,
    ) -> BTreeMap<LineKey, StuckCause> {
        if self.down.last().digest() == self.w.digest() {
            return BTreeMap::new();
        }
        let out = |key: &LineKey| {
            let held = [&self.held, &*self.halves, &self.short];
            held.iter().any(|held| held.contains_key(key)) || self.unsaid.contains(key)
        };
        let differ = |key: &&LineKey| self.down.last().line(key) != self.w.line(key);
        let unverified = lines.filter(|key| !out(key)).filter(differ);
        unverified.map(|key| (key.clone(), StuckCause::Unverified)).collect()
    }

    /// Lines of S that went or came although nothing touched them first: those of refused groups.
    fn touched_since(&self, before: &Config, known: &Touched) -> Vec<LineKey> {
        let gone = before.lines().map(|(key, _)| key);
        let gone = gone.filter(|key| !known.lines.contains(key));
        gone.filter(|key| self.config().line(key).is_none()).cloned().collect()
    }

    fn mismatches(&self, image: &Image, seen: BTreeMap<LineKey, StuckCause>) -> Vec<NotRaised> {
        let mismatch = |(key, cause): (LineKey, StuckCause)| NotRaised {
            component: image.form(key.form).component,
            form: key.form,
            key: list_key(&self.w, &key),
            cause,
        };
        seen.into_iter().map(mismatch).collect()
    }
}

impl NotRaised {
    /// The line with its place, as one text.
    pub fn text(&self) -> String {
        let between = if self.key.path.is_empty() { "" } else { " / " };
        alloc::format!("{}{between}{}", &*self.key.path, &*self.key.line)
    }
}

/// Why a line of W, or a part of it, is not raised; none: it is.
fn short_of(way: &Way<'_>, line: (&LineKey, Option<&Line>), fate: LineTrace) -> Option<StuckCause> {
    let chosen = fate.chain.iter().any(|change| way.decides_together(*change));
    let stuck = fate.ends.into_iter().find_map(|end| Some((end.line, end.cause?)));
    let stuck = stuck.map(|(at, cause)| match cause {
        // Its values chose what has no place at the end; others go.
        StuckCause::NoTransform if chosen => ended_for(way.image, &at, line),
        cause => cause,
    });
    stuck.or(fate.pending.then_some(StuckCause::Pending))
}

/// The value of a line of W for which it ended as `at`.
fn ended_for(image: &Image, at: &LineKey, (key, line): (&LineKey, Option<&Line>)) -> StuckCause {
    let own = &image.form(key.form).form;
    let said = line.map(|line| own.values_of(&line.words)).unwrap_or_default();
    let mut names = image.form(at.form).form.carried();
    let said = names.find_map(|name| said.get_key_value(name));
    said.map_or(StuckCause::Unverified, |(name, value)| StuckCause::Value {
        capture: Shared::text(name),
        value: Shared::text(value),
        allowed: Shared::text(""),
    })
}

/// Whether what is held out for this is so on every such unit: it is told, and no mismatch.
const fn is_told(cause: &StuckCause) -> bool {
    matches!(cause, StuckCause::Resolves | StuckCause::Refused { .. })
}

/// Whether the own parser reads the words of a line, and those of the entries around it, as what
/// they were made.
fn reads_as_made(image: &Image, key: &LineKey, line: &Line) -> bool {
    let reads = |form: FormId, made: &Words| {
        let words: Vec<&str> = split_words(made.text()).collect();
        let read = parse::words(image, image.own(), image.form(form).mode, &words);
        read.is_ok_and(|(read, words)| {
            words == *made && (read == form || negates(image, read, made) == Some(form))
        })
    };
    let entries = key.place.instances().iter();
    reads(key.form, &line.words) && entries.into_iter().all(|(form, words)| reads(*form, words))
}

/// The form of the line that a `no` of another form denies: where nothing says what its absence
/// means, the `no` stands in the place of that line.
fn negates(image: &Image, form: FormId, made: &Words) -> Option<FormId> {
    let denies = made.sign() == Sign::No && image.form(form).keeps_no();
    let positive = made.without_no();
    let words: Vec<&str> = split_words(positive.text()).collect();
    let read = denies.then(|| parse::words(image, image.own(), image.form(form).mode, &words))?;
    read.ok().map(|(form, _)| form)
}

/// The Standby's way: up from the wire's levels to its own.
fn way_up<'a>(image: &'a Image, pairing: &'a StandbyPairing) -> Way<'a> {
    let steps = pairing.steps().iter();
    let stages = steps.map(|step| Stage::Step { tft: pairing.tft(), step: *step });
    let needs = image.refusals_at(image.levels()).any(|refusal| refusal.without);
    let stages = stages.chain(needs.then_some(Stage::Needs)).collect();
    let (from, levels) = (pairing.levels(), image.levels());
    Way { image, stages, from, levels, concerned: pairing.concerned() }
}

/// The same way back, for the check.
fn way_down<'a>(image: &'a Image, pairing: &'a StandbyPairing) -> Way<'a> {
    let steps = pairing.steps().iter().rev();
    let down = |step: &Step| Step { direction: Direction::Lower, ..*step };
    let stages = steps.map(|step| Stage::Step { tft: pairing.tft(), step: down(step) }).collect();
    let (from, levels) = (image.levels(), pairing.levels());
    Way { image, stages, from, levels, concerned: pairing.concerned() }
}

/// What is put back on the way up; between equal images nothing is.
fn restores(way: &Way<'_>, pairing: &StandbyPairing, listing: &Listing) -> Arc<Restores> {
    let kept = listing.complements();
    let restores = pairing.diff().map(|_| Restores::compile(way, FirstRung::Received, kept));
    Arc::new(restores.unwrap_or_default())
}
