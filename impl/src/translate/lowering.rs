//! The Active's side: from its running config to what travels, and what is listed.

#[cfg(feature = "planted")]
mod planted;
mod whole;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::complement::{Complement, ComplementKey, Complements, discard};
use super::keeping::Stood;
use super::ladder::{Advance, Ladder, LineEnd, LineTrace, Way};
use super::listing::{Entries, ListKey, Listed, Listing, ListingChange};
use super::restore::{FirstRung, Restores, is_put_down, levels_of};
use super::stage::Stage;
use super::touched::Touched;
use crate::config::{Config, Edit, EntryKind, LineKey, Place};
use crate::digest::{Digest, Shared};
use crate::disposition::ActivePairing;
use crate::grammar::Words;
use crate::ids::{ComponentId, FormId, Lsn, Term};
use crate::image::{Grammar, Image};
use crate::planted::Defect;
use crate::transform::StuckCause;

pub(super) use whole::held_halves;

/// A translation from the Active's config A to the wire config W, kept in step. Cheap to clone and
/// hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lowering {
    /// A, whole.
    a: Config,
    /// A less what is held out .. W.
    ladder: Ladder,
    /// Lines of A of which a part would go and a part not: they are kept out of W, whole.
    halves: Arc<BTreeMap<LineKey, StuckCause>>,
    listing: Listing,
    /// Each line and instance that is listed: the listing itself is by words.
    stood: Arc<BTreeMap<ListKey, Stood>>,
    /// What A is kept beside, from before this unit acted.
    owed: Arc<Complements>,
}

/// What one edit of A did to W.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// From the W before to the W after; empty when nothing of it travels.
    pub wire: Vec<Edit>,
    /// What is listed anew, and what no more.
    pub listing: ListingChange,
    /// Of the lines listed anew: what policy asks about.
    pub causes: Vec<ListedCause>,
}

/// Why a line is listed, as policy rules ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListedCause {
    /// The component of the line's form.
    pub component: ComponentId,
    /// The line's form, as configured.
    pub form: FormId,
    /// What stands in its way.
    pub cause: StuckCause,
}

/// What becomes of one line, or one mode instance, of A: its disposition and where it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The line, by words.
    pub key: ListKey,
    /// Its form; of an instance, that of its entry.
    pub form: FormId,
    /// What becomes of it.
    pub way: LineDisposition,
    /// The lines of W that it is in, by words.
    pub out: Vec<ListKey>,
    /// The lines of A that contradict it where it is stuck, by words.
    pub beside: Vec<ListKey>,
}

/// One of the dispositions of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineDisposition {
    /// It goes as it is.
    AsIs,
    /// It goes lowered, by these changes; none: its mode instance is named otherwise.
    Lowered {
        /// The changes, in the order of the way.
        chain: Vec<crate::ids::ChangeId>,
    },
    /// It goes as it is, and the peer raises it.
    Raised,
    /// It need not go.
    DontCare {
        /// Why it need not be synchronised.
        reason: Shared<str>,
    },
    /// It cannot go.
    Stuck(StuckCause),
}

impl Lowering {
    /// Translates `a` from nothing. What it lists is stamped (0, 0).
    pub fn new(image: &Image, pairing: &ActivePairing, a: &Config) -> Self {
        Self::new_owing(image, pairing, a, &Arc::default(), (Term(0), Lsn(0)))
    }

    /// Translates `a` from nothing, beside which this is kept; what is listed is listed since
    /// `stamp`.
    pub fn new_owing(
        image: &Image,
        pairing: &ActivePairing,
        a: &Config,
        owed: &Arc<Complements>,
        stamp: (Term, Lsn),
    ) -> Self {
        let way = way_down(image, pairing);
        let owed = Arc::clone(owed);
        let (ladder, mut advance) = Ladder::build(&way, a.clone(), Arc::default(), Arc::default());
        let (halves, listing, stood) = (Arc::default(), Listing::default(), Arc::default());
        let mut lowering = Self { a: a.clone(), ladder, halves, listing, stood, owed };
        lowering.hold_halves(&way, pairing, &mut advance);
        lowering.put_back(&way, pairing, &mut advance);
        let listed = lowering.listed(&way, pairing, &advance.affected, &advance.places);
        let forgets = pairing.defect().is(Defect::MclForgotten);
        let listed = listed.into_iter().filter(|_| !forgets);
        let mut entries = Entries::default();
        let mut stood = BTreeMap::new();
        for (key, listed) in listed {
            if let Some((at, cause)) = listed {
                stood.insert(key.clone(), at);
                entries.lines.insert(key, Listed { cause, since: stamp });
            }
        }
        lowering.stood = Arc::new(stood);
        entries.complements = lowering.kept(&way);
        lowering.listing = Listing::new(entries);
        lowering
    }

    /// Applies `edits` to A and carries them on to W: the difference is from `lower(A)` before to
    /// `lower(A)` after, whatever the edits are.
    pub fn edit(
        &mut self,
        image: &Image,
        pairing: &ActivePairing,
        edits: &[Edit],
        stamp: (Term, Lsn),
    ) -> Lowered {
        let way = way_down(image, pairing);
        let before = self.clone();
        let mut advance = self.advance(&way, pairing, edits);
        if pairing.steps().iter().any(|step| pairing.tft().leaves(*step).next().is_some()) {
            // Which instances have a name may hang on others.
            for config in [before.config(), self.config()] {
                advance.places.extend(config.entries().map(|(place, _)| place.clone()));
            }
        }
        #[cfg_attr(
            not(feature = "planted"),
            expect(unused_mut, reason = "only a defect changes it")
        )]
        let mut wire = advance.touched.difference(before.ladder.last(), self.ladder.last());
        #[cfg(feature = "planted")]
        self.plant(&way, pairing, &before, edits, &mut wire);
        let was = before.listed(&way, pairing, &advance.affected, &advance.places);
        let now = self.listed(&way, pairing, &advance.affected, &advance.places);
        let mut listing = ListingChange::default();
        let mut causes = Vec::new();
        let mut stood = Arc::clone(&self.stood);
        for key in was.keys().filter(|key| !now.contains_key(key)) {
            if self.listing.lines().contains_key(key) {
                listing.lines.push((key.clone(), None));
                Arc::make_mut(&mut stood).remove(key);
            }
        }
        for (key, listed) in now {
            let present = self.listing.lines().get(&key);
            match listed {
                None if present.is_some() => {
                    Arc::make_mut(&mut stood).remove(&key);
                    listing.lines.push((key, None));
                }
                None => {}
                Some((_, cause)) if present.is_some_and(|listed| listed.cause == cause) => {}
                Some((at, cause)) => {
                    let form = at.form().expect("a line or an instance has a form");
                    let component = image.form(form).component;
                    causes.push(ListedCause { component, form, cause: cause.clone() });
                    Arc::make_mut(&mut stood).insert(key.clone(), at);
                    listing.lines.push((key, Some(Listed { cause, since: stamp })));
                }
            }
        }
        self.stood = stood;
        let kept = Entries { complements: self.kept(&way), ..Entries::default() };
        let was = Entries { complements: self.listing.complements().clone(), ..Entries::default() };
        listing.complements =
            ListingChange::between(&Listing::new(was), &Listing::new(kept)).complements;
        self.listing.apply(&listing);
        Lowered { wire, listing, causes }
    }

    /// Applies edits to A, discards what rests on what they change, and carries them on.
    fn advance(&mut self, way: &Way<'_>, pairing: &ActivePairing, edits: &[Edit]) -> Advance {
        let mut owed = Complements::clone(&self.owed);
        if !discard(&mut owed, way.image, &self.a, edits).is_empty() {
            self.owed = Arc::new(owed);
        }
        let touched = Touched::from_edits(way.image, &mut self.a, edits);
        let mut advance = self.carry(way, pairing, touched, Arc::default());
        self.put_back(way, pairing, &mut advance);
        advance
    }

    /// Puts back what is owed on the way; nothing, if by it another line would not come back as it
    /// is.
    fn put_back(&mut self, way: &Way<'_>, pairing: &ActivePairing, advance: &mut Advance) {
        let restores = restores(way, &self.owed);
        if restores.is_empty() {
            return;
        }
        let without = self.clone();
        advance.add(self.carry(way, pairing, Touched::default(), restores));
        if !self.ladder.puts_back() {
            return;
        }
        let steps = pairing.steps_up();
        let stages = steps.map(|step| Stage::Step { tft: pairing.tft(), step }).collect();
        let (from, levels) = (pairing.levels(), way.image.levels());
        let back = Way { image: way.image, stages, from, levels, concerned: pairing.concerned() };
        let raise = |lowering: &Self| {
            let of_ladder = lowering.ladder.last();
            let mut w = of_ladder.clone();
            // What a unit that acts there would list is in the way of no other line.
            for (key, line) in of_ladder.lines() {
                let is_back = without.ladder.last().line(key) != Some(line);
                if is_back && !pairing.would_be_sent(way.image, key.form, line) {
                    w.remove(way.image, key);
                }
            }
            Ladder::build(&back, w, Arc::default(), Arc::default()).0
        };
        if !raise(&without).is_within(&raise(self)) {
            advance.add(self.carry(way, pairing, Touched::default(), Arc::default()));
        }
    }

    /// Whether it puts back, on the way, what is owed from before.
    pub fn puts_back(&self) -> bool {
        !self.ladder.restores().is_empty()
    }

    /// What is kept for the way back: of what does not go, of what goes with a loss, and what is
    /// owed from before.
    fn kept(&self, way: &Way<'_>) -> Complements {
        let mut kept = Complements::new();
        let levels = levels_of(way);
        if !self.owed.is_empty() {
            let on = |(of, owed): (&ComplementKey, &Complement)| {
                let carried = self.ladder.carry_on(way, way.image.own(), owed);
                (of.clone(), Complement { owed: !is_put_down(way, &levels, of), ..carried })
            };
            kept.extend(self.owed.iter().map(on));
        }
        kept.extend(self.ladder.losses(way));
        let mut grammars: BTreeMap<usize, Grammar> = BTreeMap::new();
        for stood in self.stood.values() {
            let ends = match stood {
                // It was held out of the first rung.
                Stood::Line(key) if self.halves.contains_key(key) => {
                    kept.extend(self.ladder.orphan(way, (0, &self.a), stood));
                    continue;
                }
                Stood::Line(key) => {
                    let fate = self.ladder.fate(way, key);
                    if !fate.out.is_empty() {
                        continue;
                    }
                    if fate.absent {
                        // A rung on the way said it by being absent: it is kept in its own words.
                        kept.extend(self.ladder.orphan(way, (0, &self.a), stood));
                        continue;
                    }
                    let ends = fate.ends.into_iter();
                    ends.map(|end| (end.rung, Stood::Line(end.line))).collect()
                }
                Stood::Place(place) => {
                    let end = self.ladder.place_ends(way, place);
                    end.map(|(rung, place)| (rung, Stood::Place(place))).into_iter().collect()
                }
            };
            let ends: Vec<(usize, Stood)> = ends;
            kept.extend(ends.iter().filter_map(|(rung, at)| {
                let grammar = grammars.entry(*rung);
                let grammar = grammar.or_insert_with(|| way.image.grammar(&levels[*rung]));
                let (at, rung) = match self.ladder.reads_as_stood(way, (*rung, grammar), at) {
                    true => (at, (*rung, &self.ladder.rungs()[*rung])),
                    // Its words say something else there.
                    false => (stood, (0, &self.a)),
                };
                self.ladder.orphan(way, rung, at)
            }));
        }
        kept
    }

    /// The Active's config.
    pub fn config(&self) -> &Config {
        &self.a
    }

    /// The wire config.
    pub fn wire_config(&self) -> &Config {
        self.ladder.last()
    }

    /// The configs on the way down: A less what is held out, what each step of the pairing makes,
    /// and W.
    pub fn rungs(&self) -> &[Config] {
        self.ladder.rungs()
    }

    /// The digest of the wire config.
    pub fn wire_digest(&self) -> Digest {
        self.ladder.last().digest()
    }

    /// What did not go.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The lines that are listed: each with its form, and what stands in its way.
    pub fn stuck(&self) -> impl ExactSizeIterator<Item = (&ListKey, FormId, &StuckCause)> {
        assert_eq!(self.stood.len(), self.listing.len(), "each line that is listed stands in A");
        let lines = self.listing.lines().iter().zip(self.stood.values());
        lines.map(|((key, listed), stood)| {
            let form = stood.form().expect("a line or an instance has a form");
            (key, form, &listed.cause)
        })
    }

    /// W as it travels in bulk: text.
    pub fn wire_bytes(&self) -> Vec<u8> {
        self.ladder.last().render().into_bytes()
    }

    /// What becomes of each line and each mode instance of A, in canonical order.
    pub fn explain(&self, image: &Image, pairing: &ActivePairing) -> Vec<Explained> {
        let way = way_down(image, pairing);
        let lines = self.config().lines().map(|(key, _)| self.explain_line(&way, pairing, key));
        let entries = self.config().entries();
        let places = entries.map(|(place, _)| self.explain_place(&way, pairing, place));
        places.chain(lines).collect()
    }

    fn explain_line(&self, way: &Way<'_>, pairing: &ActivePairing, key: &LineKey) -> Explained {
        let held = self.halves.contains_key(key);
        let fate = if held { LineTrace::default() } else { self.ladder.fate(way, key) };
        let raised = fate.out.iter().any(|key| pairing.raises(key.form));
        let way_of_line = match self.line_listed(way, pairing, key) {
            Arrival::DontCare(reason) => LineDisposition::DontCare { reason },
            Arrival::Listed(cause) => LineDisposition::Stuck(cause),
            Arrival::Goes if !fate.chain.is_empty() => {
                LineDisposition::Lowered { chain: fate.chain }
            }
            Arrival::Goes if raised => LineDisposition::Raised,
            Arrival::Goes => LineDisposition::AsIs,
        };
        let out = fate.out.iter().map(|key| list_key(self.wire_config(), key)).collect();
        let beside = match way_of_line {
            LineDisposition::Stuck(StuckCause::Conflict) => self.ladder.beside(way, key),
            _ => BTreeSet::new(),
        };
        let beside = beside.iter().map(|key| list_key(self.config(), key)).collect();
        let key_of_line = list_key(self.config(), key);
        Explained { key: key_of_line, form: key.form, way: way_of_line, out, beside }
    }

    fn explain_place(&self, way: &Way<'_>, pairing: &ActivePairing, place: &Place) -> Explained {
        let (form, _) = place.instances().last().expect("the root is no instance");
        let out = self.ladder.place_in_last(way, place);
        let way_of_line = match self.place_listed(way, pairing, place) {
            Arrival::DontCare(reason) => LineDisposition::DontCare { reason },
            Arrival::Listed(cause) => LineDisposition::Stuck(cause),
            Arrival::Goes if out.as_ref() == Some(place) => LineDisposition::AsIs,
            // Renamed, or told by what is in it.
            Arrival::Goes => LineDisposition::Lowered { chain: Vec::new() },
        };
        let out = out.iter().map(place_key).collect();
        let (key, beside) = (place_key(place), Vec::new());
        Explained { key, form: *form, way: way_of_line, out, beside }
    }

    /// Why the gate holds a line.
    fn why_held(&self, image: &Image, pairing: &ActivePairing, key: &LineKey) -> StuckCause {
        let line = self.ladder.before_last().line(key);
        let cause = pairing.why_place_not(image, &key.place);
        let cause = cause.or_else(|| pairing.why_not(image, key, line?));
        cause.unwrap_or(StuckCause::NoTransform)
    }

    /// Which of these lines and instances are listed, and why; `None`: not.
    fn listed(
        &self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        lines: &BTreeSet<LineKey>,
        places: &BTreeSet<Place>,
    ) -> BTreeMap<ListKey, Option<(Stood, StuckCause)>> {
        let config = self.config();
        let mut listed = BTreeMap::new();
        for key in lines.iter().filter(|key| config.line(key).is_some()) {
            let cause = match self.line_listed(way, pairing, key) {
                Arrival::Listed(cause) => Some((Stood::Line(key.clone()), cause)),
                Arrival::Goes | Arrival::DontCare(_) => None,
            };
            listed.insert(list_key(config, key), cause);
        }
        let around = lines.iter().map(|key| &key.place).chain(places);
        let places: BTreeSet<Place> = around.flat_map(Place::and_ancestors).collect();
        for place in &places {
            if place.is_root() {
                continue;
            }
            let cause = match self.place_listed(way, pairing, place) {
                Arrival::Listed(cause) => Some((Stood::Place(place.clone()), cause)),
                Arrival::Goes | Arrival::DontCare(_) => None,
            };
            listed.insert(place_key(place), cause);
        }
        listed
    }

    fn line_listed(&self, way: &Way<'_>, pairing: &ActivePairing, key: &LineKey) -> Arrival {
        match self.halves.get(key) {
            Some(cause) => Arrival::Listed(cause.clone()),
            None => self.arrival(way, pairing, key, &self.ladder.fate(way, key)),
        }
    }

    /// What the fate of a line on the ladder comes to.
    fn arrival(
        &self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        key: &LineKey,
        fate: &LineTrace,
    ) -> Arrival {
        let mut arrival = Arrival::Goes;
        for LineEnd { line: at, cause, .. } in &fate.ends {
            let reason = pairing.dont_care(at.form).or_else(|| pairing.dont_care(key.form));
            let here = match reason {
                Some(reason) => Arrival::DontCare(reason.clone()),
                None => Arrival::Listed(match cause {
                    Some(cause) => cause.clone(),
                    None => self.why_held(way.image, pairing, at),
                }),
            };
            if !matches!(arrival, Arrival::Listed(_)) {
                arrival = here;
            }
        }
        arrival
    }

    /// An instance is listed if it was entered, does not stand in W, and nothing in it goes; or if
    /// it stands there for what is in it alone, and ends on the peer's way.
    fn place_listed(&self, way: &Way<'_>, pairing: &ActivePairing, place: &Place) -> Arrival {
        let config = self.config();
        if config.entry(place) != Some(EntryKind::Entered) {
            return Arrival::Goes;
        }
        let in_wire = self.ladder.place_in_last(way, place);
        if in_wire.as_ref().is_some_and(|place| pairing.place_goes(way.image, place)) {
            return Arrival::Goes;
        }
        let empty = config.is_empty_place(place);
        // What an absent line says there goes as well.
        let goes = |key: &LineKey| {
            if self.halves.contains_key(key) {
                return false;
            }
            let fate = self.ladder.fate(way, key);
            !fate.out.is_empty() || (fate.ends.is_empty() && !fate.pending)
        };
        if in_wire.is_none() && !empty && config.lines_within(place).any(|(key, _)| goes(key)) {
            return Arrival::Goes;
        }
        let entry = place.entry_form();
        match entry.and_then(|entry| pairing.dont_care(entry)) {
            Some(reason) => Arrival::DontCare(reason.clone()),
            None => {
                let ends = || self.ladder.place_ends(way, place);
                let held = || pairing.why_place_not(way.image, &ends()?.1);
                let held = || held().filter(|cause| *cause != StuckCause::NoTransform);
                Arrival::Listed(match self.ladder.why_gone(way, place).or_else(held) {
                    Some(cause) => cause,
                    None if empty => StuckCause::EmptyMode,
                    None => StuckCause::NoTransform,
                })
            }
        }
    }
}

/// Whether one line arrives.
enum Arrival {
    Goes,
    DontCare(Shared<str>),
    Listed(StuckCause),
}

/// The Active's way: down to the wire's levels, then past the gate.
fn way_down<'a>(image: &'a Image, pairing: &'a ActivePairing) -> Way<'a> {
    let steps = pairing.steps().iter();
    let mut stages: Vec<Stage<'a>> =
        steps.map(|step| Stage::Step { tft: pairing.tft(), step: *step }).collect();
    if !pairing.is_equal() {
        stages.push(Stage::Gate(pairing));
    }
    let (from, levels) = (image.levels(), pairing.levels());
    Way { image, stages, from, levels, concerned: pairing.concerned() }
}

/// What is put back of this on the way down.
fn restores(way: &Way<'_>, owed: &Complements) -> Arc<Restores> {
    Arc::new(Restores::compile(way, FirstRung::Own, owed))
}

/// A line of `config` by words.
pub(crate) fn list_key(config: &Config, key: &LineKey) -> ListKey {
    let line = config.line(key).map_or("", |line| line.words.text());
    ListKey { path: path_text(key.place.instances()), line: Shared::text(line) }
}

/// A mode instance by words: its entry line.
pub(crate) fn place_key(place: &Place) -> ListKey {
    let ((_, words), around) = place.instances().split_last().expect("the root is no instance");
    ListKey { path: path_text(around), line: Shared::text(words.text()) }
}

/// The entry lines of the instances of a place, outermost first.
fn path_text(instances: &[(FormId, Words)]) -> Shared<str> {
    let words: Vec<&str> = instances.iter().map(|(_, words)| words.text()).collect();
    Shared::from(words.join(" / "))
}
