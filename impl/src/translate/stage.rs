//! One stage of a ladder: from the config of one rung to that of the next, whole or by what was touched.
//!
//! Whole and incremental evaluation are one function. A group is evaluated anew as soon as one of its
//! lines, or the absence of one, was touched; what a stage makes of an untouched part stands as it is.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::touched::Touched;
use crate::base::{ChangeId, FormId};
use crate::config::{Config, Entry, Line, LineKey, Place};
use crate::disposition::ActivePairing;
use crate::image::Image;
use crate::transform::{Cause, Direction, Fate, GroupKey, Step, Tft};

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
}

/// What came of a stage beside its config.
#[derive(Default)]
pub(crate) struct Passed {
    /// What may differ in the next rung.
    pub(crate) touched: Touched,
    /// Lines of the rung read whose fate may have changed and is, or was, another than to go.
    pub(crate) unsettled: BTreeSet<LineKey>,
}

impl<'a> Stage<'a> {
    /// Brings `out`, the rung after this stage, in step with the rung before it.
    ///
    /// # Shape
    /// When `reads.before` is `None`, `out` is a copy of `reads.after`, and `touched` names at least
    /// everything that this stage does not leave as it is.
    pub(crate) fn advance(
        self,
        reads: Reads<'a>,
        mut touched: Touched,
        out: &mut Config,
    ) -> Passed {
        let left = self.left_alone(reads, &mut touched);
        let mut passed = match self {
            Self::Step { .. } => self.advance_lines(reads, &touched, out),
            Self::Gate(gate) => advance_gate(gate, reads, &touched, out),
        };
        self.settle_places(reads, &touched, out, &mut passed.touched);
        self.settle_lists(reads, &touched, out, &mut passed.touched);
        passed.touched.add(left);
        passed
    }

    /// Takes out of `touched` what stands in `out` already as this stage makes it: when everything is
    /// evaluated from nothing, the lines, entered instances and lists that no rule of the step is about.
    fn left_alone(self, reads: Reads<'a>, touched: &mut Touched) -> Touched {
        let (Self::Step { tft, step }, None) = (self, reads.before) else {
            return Touched::default();
        };
        let mut known: Option<(Place, bool)> = None;
        let mut stays = |place: &Place| match &known {
            Some((of, stays)) if of == place => *stays,
            Some(_) | None => {
                let stays = self.place_stays(reads, place);
                known = Some((place.clone(), stays));
                stays
            }
        };
        let unused = |form: FormId| tft.uses(step, form).next().is_none();
        touched.take(
            |key| unused(key.form) && stays(&key.place),
            |place| self.place_stays(reads, place),
            |(place, form)| unused(*form) && self.place_stays(reads, place),
        )
    }

    /// Whether an instance and all around it are entered, and stay so under their names.
    fn place_stays(self, reads: Reads<'a>, place: &Place) -> bool {
        let Self::Step { tft, step } = self else {
            return false;
        };
        let named = place.instances().iter();
        let mut named = named.map(|(entry, _)| *entry);
        if !named
            .all(|entry| tft.uses(step, entry).next().is_none() && !dies(reads.image, step, entry))
        {
            return false;
        }
        let mut at = Some(place.clone()).filter(|place| !place.is_root());
        while let Some(place) = at {
            if reads.after.entry(&place) != Some(Entry::Entered) {
                return false;
            }
            at = place.parent().filter(|place| !place.is_root());
        }
        true
    }

    /// Lines that pass, and groups.
    fn advance_lines(self, reads: Reads<'a>, touched: &Touched, out: &mut Config) -> Passed {
        let mut passed = Passed::default();
        let mut made: BTreeMap<LineKey, Line> = BTreeMap::new();
        let mut settle: BTreeSet<LineKey> = BTreeSet::new();
        for key in &touched.lines {
            if reads.before.is_none() {
                settle.insert(key.clone());
            }
            match self.passes_as(reads.image, key) {
                Some(key) => settle.extend([key]),
                // Its instance cannot be named there; what a rule reads is settled with its group.
                None => passed.unsettled.extend([key.clone()]),
            }
        }
        for group in self.groups(reads.image, touched) {
            if let Some(before) = reads.before {
                let was = self.made(reads.image, before, &group, &mut passed.unsettled);
                settle.extend(was.into_iter().map(|(key, _)| key));
            }
            let now = self.made(reads.image, reads.after, &group, &mut passed.unsettled);
            settle.extend(now.iter().map(|(key, _)| key.clone()));
            made.extend(now);
        }
        for key in settle {
            let now = made.get(&key).cloned();
            let now = now.or_else(|| self.passed(reads, &key).cloned());
            settle_line(reads.image, out, &key, now);
            passed.touched.lines.insert(key);
        }
        passed
    }

    /// Where a line of the rung read stands in the next, if the stage leaves it as it is.
    fn passes_as(self, image: &Image, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) => Some(key.clone()),
            Self::Step { tft, step } if tft.read_by(step, key.form).is_some() => None,
            Self::Step { tft, step } => {
                let place = tft.replaced(image, step, &key.place, step.direction)?;
                Some(LineKey {
                    place,
                    ..key.clone()
                })
            }
        }
    }

    /// Where a line of the next rung stood in the rung read, if the stage left it as it was.
    fn passed_from(self, image: &Image, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) => Some(key.clone()),
            Self::Step { tft, step } => {
                let place = tft.replaced(image, step, &key.place, step.direction.back())?;
                let from = LineKey {
                    place,
                    ..key.clone()
                };
                (self.passes_as(image, &from).as_ref() == Some(key)).then_some(from)
            }
        }
    }

    /// The line that stands in the next rung under `key` because it passed.
    fn passed(self, reads: Reads<'a>, key: &LineKey) -> Option<&'a Line> {
        let from = self.passed_from(reads.image, key)?;
        reads.after.line(&from)
    }

    /// The groups that touched lines are in.
    fn groups(self, image: &Image, touched: &Touched) -> BTreeSet<GroupKey> {
        let Self::Step { tft, step } = self else {
            return BTreeSet::new();
        };
        let of_line = |key: &LineKey| -> Vec<GroupKey> {
            let uses = tft.uses(step, key.form);
            uses.map(|of| tft.rule(of.rule).group_of(image, of.side, of.pattern, key))
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
            Fate::Made { out, .. } => {
                let moved = |(key, line): (LineKey, Line)| {
                    let place = tft.replaced(image, step, &key.place, step.direction)?;
                    Some((LineKey { place, ..key }, line))
                };
                out.into_iter().filter_map(moved).collect()
            }
            Fate::Pending | Fate::Stuck(_) => {
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
        let mut places: BTreeSet<Place> = BTreeSet::new();
        for place in touched
            .places
            .iter()
            .chain(touched.lines.iter().map(|key| &key.place))
        {
            if reads.before.is_none() {
                places.extend(place.and_ancestors());
            }
            let moved = self.place_passes_as(reads.image, place);
            places.extend(moved.iter().flat_map(Place::and_ancestors));
        }
        places.extend(next.lines.iter().flat_map(|key| key.place.and_ancestors()));
        // Deepest first: an instance is empty once what was in it has gone.
        for place in places.iter().rev().filter(|place| !place.is_root()) {
            let entered = self.entered(reads, place);
            let wanted = match self {
                _ if entered => Some(Entry::Entered),
                _ if out.is_empty_place(place) => None,
                // What is on the wire is read from text, where an instance is there or not.
                Self::Gate(_) => Some(Entry::Entered),
                Self::Step { .. } => Some(Entry::Implied),
            };
            if out.entry(place) != wanted {
                out.put_entry(place, wanted);
            }
            next.places.insert(place.clone());
        }
    }

    /// Whether the instance is entered in the next rung.
    fn entered(self, reads: Reads<'_>, place: &Place) -> bool {
        let image = reads.image;
        match self {
            // What was implied is there while something of it goes.
            Self::Gate(gate) => {
                reads.after.entry(place) == Some(Entry::Entered) && gate.place_goes(image, place)
            }
            Self::Step { tft, step } => {
                let from = tft.replaced(image, step, place, step.direction.back());
                from.is_some_and(|from| {
                    let stays = self.place_passes_as(image, &from).as_ref() == Some(place);
                    stays && reads.after.entry(&from) == Some(Entry::Entered)
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
        if let Some(of) = tft.written_by(step, key.form) {
            let rule = tft.rule(of.rule);
            let from = LineKey {
                place,
                ..key.clone()
            };
            let group = rule.group_of(image, of.side, of.pattern, &from);
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
                _ => LineStep::Passes(key.clone()),
            },
            Self::Step { tft, step } => match tft.read_by(step, key.form) {
                None => match self.passes_as(image, key) {
                    Some(key) => LineStep::Passes(key),
                    None => LineStep::Stuck(Cause::NoTransform),
                },
                Some(of) => {
                    let rule = tft.rule(of.rule);
                    let group = rule.group_of(image, of.side, of.pattern, key);
                    match rule.evaluate(image, step.direction, config, &group) {
                        Fate::Stuck(cause) => LineStep::Stuck(cause),
                        Fate::Pending => LineStep::Pending,
                        Fate::Made { .. } => {
                            let mut none = BTreeSet::new();
                            let out = self.made(image, config, &group, &mut none);
                            let out = out.into_iter().map(|(key, _)| key).collect();
                            LineStep::Becomes {
                                change: rule.change,
                                out,
                            }
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
        let list_of = |key: &LineKey| {
            image
                .form(key.form)
                .ordered
                .then(|| (key.place.clone(), key.form))
        };
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
                    let ranks = sources
                        .iter()
                        .map(|source| positions.rank(reads.after, source));
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
) -> Passed {
    let mut passed = Passed::default();
    let mut places: BTreeMap<&Place, bool> = BTreeMap::new();
    for key in &touched.lines {
        let now = reads.after.line(key);
        let goes = now.filter(|line| {
            *places
                .entry(&key.place)
                .or_insert_with(|| gate.place_goes(reads.image, &key.place))
                && gate.why_not(reads.image, key, line).is_none()
        });
        let was_held = reads
            .before
            .is_some_and(|before| before.line(key).is_some() && out.line(key).is_none());
        if was_held || goes.is_none() && now.is_some() {
            passed.unsettled.insert(key.clone());
        }
        settle_line(reads.image, out, key, goes.cloned());
        passed.touched.lines.insert(key.clone());
    }
    passed
}

/// Makes the line under `key` be `now`.
fn settle_line(image: &Image, out: &mut Config, key: &LineKey, now: Option<Line>) {
    if out.line(key) == now.as_ref() {
        return;
    }
    match now {
        Some(line) => out.put(image, key, line),
        None => out.remove(image, key),
    }
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
    Stuck(Cause),
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
        (
            key.place.clone(),
            key.form,
            positions.get(key).copied().unwrap_or(usize::MAX),
        )
    }
}
