//! One stage of a ladder: from the config of one rung to that of the next, whole or by what was
//! touched.
//!
//! Whole and incremental evaluation are one function. A group is evaluated anew as soon as one of
//! its lines, or the absence of one, was touched; what a stage makes of an untouched part stands as
//! it is.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::touched::Touched;
use crate::config::{Config, EntryKind, Line, LineKey, Place};
use crate::disposition::ActivePairing;
use crate::ids::{ChangeId, FormId};
use crate::image::Image;
use crate::transform::{Direction, GroupKey, GroupStep, Step, StuckCause, Tft};

/// What a stage does.
#[derive(Clone, Copy)]
pub(crate) enum Stage<'a> {
    /// The changes of one component at one level, in one direction.
    Step {
        /// The table of all rules.
        tft: &'a Tft,
        /// Which of them.
        step: Step,
    },
    /// Lines that the peer does not take stay behind.
    Gate(&'a ActivePairing),
}

/// The rung that a stage reads, as it was and as it is.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    /// The own image, whose forms all rungs are in.
    pub(crate) image: &'a Image,
    /// The rung before the edits; `None` when everything is evaluated from nothing.
    pub(crate) before: Option<&'a Config>,
    /// The rung as it is now.
    pub(crate) after: &'a Config,
    /// Whether the next rung is a copy of this one as yet: what the stage leaves alone is right in
    /// it.
    pub(crate) copied: bool,
}

/// Lines of the rung read whose fate may have changed and is, or was, another than to go.
pub(crate) type Unsettled = BTreeSet<LineKey>;

impl<'a> Stage<'a> {
    /// Brings `out`, the rung after this stage, in step with the rung before it. `touched` becomes
    /// what may differ in `out`.
    ///
    /// # Shape
    /// When `reads.before` is `None`, `out` is a copy of `reads.after`, and `touched` names at
    /// least everything that this stage does not leave as it is.
    pub(crate) fn advance(
        self,
        reads: Reads<'a>,
        touched: &mut Touched,
        out: &mut Config,
    ) -> Unsettled {
        debug_assert!(reads.copied || reads.before.is_some());
        let here =
            if reads.copied { self.taken_up(reads, touched) } else { core::mem::take(touched) };
        if here.is_empty() {
            return Unsettled::new();
        }
        let mut next = Touched::default();
        let unsettled = match self {
            Self::Step { .. } => self.advance_lines(reads, &here, out, &mut next),
            Self::Gate(gate) => advance_gate(gate, reads, &here, out, &mut next),
        };
        self.settle_places(reads, &here, out, &mut next);
        self.settle_lists(reads, &here, out, &mut next);
        touched.add(next);
        unsettled
    }

    /// Takes out of `touched` what this stage is about, or may be: not the lines, entered instances
    /// and lists that no rule of the step reads, writes or names otherwise.
    fn taken_up(self, reads: Reads<'a>, touched: &mut Touched) -> Touched {
        let mut known: Option<(Place, bool)> = None;
        let mut stays = |place: &Place| match &known {
            Some((there, stays)) if there == place => *stays,
            Some(_) | None => {
                let stays = self.place_stays(reads, place);
                known = Some((place.clone(), stays));
                stays
            }
        };
        Touched {
            lines: touched
                .lines
                .extract_if(.., |key| self.treats(key.form) || !stays(&key.place))
                .collect(),
            places: touched
                .places
                .extract_if(.., |place| !self.place_stays(reads, place))
                .collect(),
            lists: touched
                .lists
                .extract_if(.., |(place, form)| {
                    self.treats(*form) || !self.place_stays(reads, place)
                })
                .collect(),
        }
    }

    /// Whether it may do anything about lines of `form`, or their instances if it enters a mode.
    fn treats(self, form: FormId) -> bool {
        match self {
            Self::Step { tft, step } => tft.uses(step, form).next().is_some(),
            Self::Gate(gate) => !gate.lets_pass(form),
        }
    }

    /// Whether a rule of the step reads the line: it is settled with its group.
    fn reads(self, image: &Image, key: &LineKey) -> bool {
        match self {
            Self::Step { tft, step } => tft
                .read_by(step, key.form)
                .is_some_and(|used| tft.rule(used.rule).tells(image, used.side, used.pattern, key)),
            Self::Gate(_) => false,
        }
    }

    /// Whether an instance and all around it are entered, and stay so under their names.
    fn place_stays(self, reads: Reads<'a>, place: &Place) -> bool {
        let dies = |entry: FormId| match self {
            Self::Step { step, .. } => dies(reads.image, step, entry),
            Self::Gate(_) => false,
        };
        let mut named = place.instances().iter().map(|(entry, _)| *entry);
        if named.any(|entry| self.treats(entry) || dies(entry)) {
            return false;
        }
        // What is implied vanishes with what is in it.
        let entered = |place: &Place| reads.after.entry(place) == Some(EntryKind::Entered);
        reads.after.is_all_entered() || place.and_ancestors().all(|place| entered(&place))
    }

    /// Lines that pass, and groups.
    fn advance_lines(
        self,
        reads: Reads<'a>,
        touched: &Touched,
        out: &mut Config,
        next: &mut Touched,
    ) -> Unsettled {
        let image = reads.image;
        let mut unsettled = Unsettled::new();
        let mut made: Vec<(LineKey, Line)> = Vec::new();
        let mut settle: Vec<LineKey> = Vec::with_capacity(touched.lines.len());
        for key in &touched.lines {
            if reads.copied {
                settle.push(key.clone());
            }
            match self.passes_as(image, key) {
                Some(key) => settle.push(key),
                None if self.reads(image, key) => {}
                // Its instance cannot be named there, or nothing tells it from another line.
                None => unsettled.extend([key.clone()]),
            }
        }
        for group in self.groups(image, touched) {
            if let Some(before) = reads.before {
                let was = self.made(image, before, &group, &mut unsettled);
                settle.extend(was.into_iter().map(|(key, _)| key));
            }
            let now = self.made(image, reads.after, &group, &mut unsettled);
            settle.extend(now.iter().map(|(key, _)| key.clone()));
            made.extend(now);
        }
        made.sort_by(|(one, _), (other, _)| one.cmp(other));
        // Old keys, then new ones, each sorted already: a sort that merges such runs is near
        // linear.
        settle.sort();
        settle.dedup();
        let mut made = made.into_iter().peekable();
        for key in &settle {
            let mut now = None;
            while let Some((_, line)) = made.next_if(|(made_key, _)| made_key == key) {
                now = Some(line);
            }
            match now {
                Some(line) => out.put(image, key, line),
                None => match self.passed_from(image, key) {
                    Some(from) => out.copy_line(image, key, reads.after, &from),
                    None => out.remove(image, key),
                },
            }
        }
        next.lines = settle.into_iter().collect();
        unsettled
    }

    /// Where a line of the rung read stands in the next, if the stage leaves it as it is.
    fn passes_as(self, image: &Image, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) => Some(key.clone()),
            Self::Step { tft, step } if tft.read_by(step, key.form).is_some() => None,
            Self::Step { tft, step } => {
                let place = tft.replaced(image, step, &key.place, step.direction)?;
                Some(LineKey { place, ..key.clone() })
            }
        }
    }

    /// Where a line of the next rung stood in the rung read, if the stage left it as it was.
    fn passed_from(self, image: &Image, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) => Some(key.clone()),
            Self::Step { tft, step } => {
                let place = tft.replaced(image, step, &key.place, step.direction.back())?;
                let from = LineKey { place, ..key.clone() };
                (self.passes_as(image, &from).as_ref() == Some(key)).then_some(from)
            }
        }
    }

    /// The groups that touched lines are in.
    fn groups(self, image: &Image, touched: &Touched) -> BTreeSet<GroupKey> {
        let Self::Step { tft, step } = self else {
            return BTreeSet::new();
        };
        let of_line = |key: &LineKey| -> Vec<GroupKey> {
            let uses = tft.uses(step, key.form);
            uses.map(|used| tft.rule(used.rule).group_of(image, used.side, used.pattern, key))
                .collect()
        };
        touched.lines.iter().flat_map(of_line).collect()
    }

    /// What a group makes in the next rung; the lines it is made of are unsettled if nothing.
    fn made(
        self,
        image: &Image,
        config: &Config,
        group: &GroupKey,
        unsettled: &mut BTreeSet<LineKey>,
    ) -> Vec<(LineKey, Line)> {
        let Self::Step { tft, step } = self else {
            return Vec::new();
        };
        let rule = tft.rule_of(group);
        match rule.evaluate(image, step.direction, config, group) {
            GroupStep::Made { out, .. } => {
                let moved = |(key, line): (LineKey, Line)| {
                    let place = tft.replaced(image, step, &key.place, step.direction)?;
                    Some((LineKey { place, ..key }, line))
                };
                out.into_iter().filter_map(moved).collect()
            }
            GroupStep::Pending | GroupStep::Stuck(_) => {
                let members = rule.members(image, step.direction.from(), config, group);
                unsettled.extend(members.into_iter().flatten().map(|(key, _)| key));
                Vec::new()
            }
        }
    }

    /// Instances: entered ones stay entered, others are there while something is in them.
    fn settle_places(
        self,
        reads: Reads<'_>,
        touched: &Touched,
        out: &mut Config,
        next: &mut Touched,
    ) {
        let mut places: Vec<Place> = Vec::new();
        let mut known = None;
        let of_lines = touched.lines.iter().map(|key| &key.place);
        for place in touched.places.iter().chain(of_lines) {
            if known.replace(place) == Some(place) {
                continue;
            }
            if reads.copied {
                places.extend(place.and_ancestors());
            }
            let moved = self.place_passes_as(reads.image, place);
            places.extend(moved.iter().flat_map(Place::and_ancestors));
        }
        known = None;
        for place in next.lines.iter().map(|key| &key.place) {
            if known.replace(place) != Some(place) {
                places.extend(place.and_ancestors());
            }
        }
        places.sort();
        places.dedup();
        // Deepest first: an instance is empty once what was in it has gone.
        for place in places.iter().rev() {
            let entered = self.entered(reads, place);
            let wanted = if entered {
                Some(EntryKind::Entered)
            } else if out.is_empty_place(place) {
                None
            } else {
                match self {
                    // What is on the wire is read from text, where an instance is there or not.
                    Self::Gate(_) => Some(EntryKind::Entered),
                    Self::Step { .. } => Some(EntryKind::Implied),
                }
            };
            if out.entry(place) != wanted {
                out.put_entry(place, wanted);
            }
        }
        next.places = places.into_iter().collect();
    }

    /// Whether the instance is entered in the next rung.
    fn entered(self, reads: Reads<'_>, place: &Place) -> bool {
        let image = reads.image;
        match self {
            // What was implied is there while something of it goes.
            Self::Gate(gate) => {
                reads.after.entry(place) == Some(EntryKind::Entered)
                    && gate.place_goes(image, place)
            }
            Self::Step { tft, step } => {
                let from = tft.replaced(image, step, place, step.direction.back());
                from.is_some_and(|from| {
                    let stays = self.place_passes_as(image, &from).as_ref() == Some(place);
                    stays && reads.after.entry(&from) == Some(EntryKind::Entered)
                })
            }
        }
    }

    /// Where an instance stands in the next rung, if its entry lives there.
    pub(crate) fn place_passes_as(self, image: &Image, place: &Place) -> Option<Place> {
        match self {
            Self::Gate(_) => Some(place.clone()),
            Self::Step { tft, step } => {
                let entry = place.entry_form()?;
                let moved = tft.replaced(image, step, place, step.direction)?;
                let dies = tft.read_by(step, entry).is_none() && dies(image, step, entry);
                (!dies).then_some(moved)
            }
        }
    }
}

impl Stage<'_> {
    /// The lines of the rung read from which the line `key` of the next came.
    pub(crate) fn sources(self, image: &Image, config: &Config, key: &LineKey) -> Vec<LineKey> {
        let mut sources: Vec<LineKey> = self
            .passed_from(image, key)
            .filter(|from| config.line(from).is_some())
            .into_iter()
            .collect();
        let Self::Step { tft, step } = self else {
            return sources;
        };
        let Some(place) = tft.replaced(image, step, &key.place, step.direction.back()) else {
            return sources;
        };
        if let Some(used) = tft.written_by(step, key.form) {
            let rule = tft.rule(used.rule);
            let from = LineKey { place, ..key.clone() };
            let group = rule.group_of(image, used.side, used.pattern, &from);
            let members = rule.members(image, step.direction.from(), config, &group);
            sources.extend(members.into_iter().flatten().map(|(key, _)| key));
        }
        sources
    }

    /// What becomes of the line `key` of the rung read.
    pub(crate) fn fate(self, image: &Image, config: &Config, key: &LineKey) -> LineStep {
        match self {
            Self::Gate(gate) => match config.line(key) {
                Some(line) if !gate.line_goes(image, key, line) => LineStep::Held,
                Some(_) | None => LineStep::Passes(key.clone()),
            },
            Self::Step { tft, step } => match tft.read_by(step, key.form) {
                None => match self.passes_as(image, key) {
                    Some(key) => LineStep::Passes(key),
                    None => LineStep::Stuck(StuckCause::NoTransform),
                },
                Some(_) if !self.reads(image, key) => LineStep::Stuck(StuckCause::Unverified),
                Some(used) => {
                    let rule = tft.rule(used.rule);
                    let group = rule.group_of(image, used.side, used.pattern, key);
                    match rule.evaluate(image, step.direction, config, &group) {
                        GroupStep::Stuck(cause) => LineStep::Stuck(cause),
                        GroupStep::Pending => LineStep::Pending,
                        GroupStep::Made { .. } => {
                            let mut none = BTreeSet::new();
                            let out = self.made(image, config, &group, &mut none);
                            let out = out.into_iter().map(|(key, _)| key).collect();
                            LineStep::Becomes { change: rule.change, out }
                        }
                    }
                }
            },
        }
    }

    /// Brings the ordered lists of the next rung into the order of what they were made of.
    fn settle_lists(
        self,
        reads: Reads<'_>,
        touched: &Touched,
        out: &mut Config,
        next: &mut Touched,
    ) {
        let image = reads.image;
        let list_of =
            |key: &LineKey| image.form(key.form).ordered.then(|| (key.place.clone(), key.form));
        let mut lists: BTreeSet<(Place, FormId)> = next.lines.iter().filter_map(list_of).collect();
        for (place, form) in &touched.lists {
            for key in reads.after.list(place, *form) {
                match self.fate(image, reads.after, &key) {
                    LineStep::Passes(key) => lists.extend(list_of(&key)),
                    LineStep::Becomes { out, .. } => lists.extend(out.iter().filter_map(list_of)),
                    LineStep::Held | LineStep::Pending | LineStep::Stuck(_) => {}
                }
            }
        }
        let mut positions = Positions::default();
        for (place, form) in lists {
            let mut ranked: Vec<(Option<Rank>, LineKey)> = out
                .list(&place, form)
                .into_iter()
                .map(|key| {
                    let sources = self.sources(image, reads.after, &key);
                    let ranks = sources.iter().map(|source| positions.rank(reads.after, source));
                    (ranks.min(), key)
                })
                .collect();
            ranked.sort();
            let ordered: Vec<LineKey> = ranked.into_iter().map(|(_, key)| key).collect();
            out.put_order(&place, form, &ordered);
            next.lists.insert((place, form));
        }
    }
}

/// Whether a form lives on the side that the step reads only.
fn dies(image: &Image, step: Step, form: FormId) -> bool {
    let decl = image.form(form);
    decl.component == step.component
        && match step.direction {
            Direction::Lower => decl.since == step.level,
            Direction::Raise => decl.until == Some(step.level),
        }
}

/// Lets through what the peer takes.
fn advance_gate(
    gate: &ActivePairing,
    reads: Reads<'_>,
    touched: &Touched,
    out: &mut Config,
    next: &mut Touched,
) -> Unsettled {
    let mut unsettled = Unsettled::new();
    let mut places: BTreeMap<&Place, bool> = BTreeMap::new();
    for key in &touched.lines {
        let now = reads.after.line(key);
        let goes = now.is_some_and(|line| {
            *places.entry(&key.place).or_insert_with(|| gate.place_goes(reads.image, &key.place))
                && gate.why_not(reads.image, key, line).is_none()
        });
        let was_held = match reads.before {
            // As long as the rungs were one, nothing was held.
            Some(before) => !reads.copied && before.line(key).is_some() && out.line(key).is_none(),
            None => false,
        };
        if was_held || !goes && now.is_some() {
            unsettled.insert(key.clone());
        }
        if goes {
            out.copy_line(reads.image, key, reads.after, key);
        } else {
            out.remove(reads.image, key);
        }
    }
    next.lines = touched.lines.clone();
    unsettled
}

/// What one stage makes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineStep {
    /// It stands in the next rung, perhaps in an instance of another name.
    Passes(LineKey),
    /// A change makes these of its group.
    Becomes { change: ChangeId, out: Vec<LineKey> },
    /// The rest of its group is still to come.
    Pending,
    /// The gate holds it.
    Held,
    /// It cannot go.
    Stuck(StuckCause),
}

/// Where a line stands among all ordered lines of a rung.
type Rank = (Place, FormId, usize);

/// Positions in ordered lists, looked up list by list.
#[derive(Default)]
struct Positions(BTreeMap<(Place, FormId), BTreeMap<LineKey, usize>>);

impl Positions {
    fn rank(&mut self, config: &Config, key: &LineKey) -> Rank {
        let list = (key.place.clone(), key.form);
        let positions = self.0.entry(list).or_insert_with(|| {
            let keys = config.list(&key.place, key.form).into_iter().enumerate();
            keys.map(|(at, key)| (key, at)).collect()
        });
        (key.place.clone(), key.form, positions.get(key).copied().unwrap_or(usize::MAX))
    }
}
