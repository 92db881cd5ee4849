//! One stage of a ladder: from the config of one rung to that of the next, whole or by what was
//! touched.
//!
//! Whole and incremental evaluation are one function. A group is evaluated anew as soon as one of
//! its lines, or the absence of one, was touched; what a stage makes of an untouched part stands as
//! it is.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::restore::Restores;
use super::touched::Touched;
use crate::config::{Config, EntryKind, Item, Line, LineKey, Place};
use crate::disposition::ActivePairing;
use crate::grammar::Words;
use crate::ids::{ChangeId, FormId, ModeId};
use crate::image::Image;
use crate::transform::{Direction, Each, GroupKey, GroupStep, Rule, Step, StuckCause, Tft, Use};
use crate::transform::{instances, made_leaves};

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
    /// What needs other lines comes behind them.
    Needs,
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
    /// What led to the rung before the edits, and to that as it is now.
    pub(crate) led: [Led<'a>; 2],
}

/// What led to a rung: the stages before it and what they read.
#[derive(Clone, Copy)]
pub(crate) struct Led<'a> {
    pub(crate) stages: &'a [Stage<'a>],
    pub(crate) rungs: &'a [Config],
    /// Lines that were kept out of the first rung.
    pub(crate) held: &'a BTreeSet<LineKey>,
    /// Complements that are put back on the way.
    pub(crate) restores: &'a Restores,
}

impl<'a> Led<'a> {
    /// Whether what is absent in the rung is so since it came no further: it says nothing.
    fn is_withheld(self, image: &Image, key: &LineKey) -> bool {
        let Some((stage, stages)) = self.stages.split_last() else {
            return self.held.contains(key);
        };
        let before = Led { stages, ..self };
        let config = &self.rungs[stages.len()];
        if stage.leaves_alone(key) {
            return match config.line(key) {
                Some(_) => matches!(stage, Stage::Gate(_)),
                None => before.is_withheld(image, key),
            };
        }
        stage.sources(image, config, key).iter().any(|source| match config.line(source) {
            None => before.is_withheld(image, source),
            Some(_) => match stage.fate(image, config, before, source) {
                LineStep::Passes(_) | LineStep::Becomes { .. } => false,
                LineStep::Pending | LineStep::Held | LineStep::Stuck(_) => true,
            },
        })
    }
}

impl Led<'_> {
    /// Whether nothing could be said of a form somewhere on the way to the rung: no line of it, nor
    /// its absence.
    fn is_unborn(self, form: FormId) -> bool {
        let Some((stage, stages)) = self.stages.split_last() else {
            return false;
        };
        let before = Led { stages, ..self };
        let Stage::Step { tft, step } = *stage else {
            return before.is_unborn(form);
        };
        let Some(used) = tft.written_by(step, form) else {
            return before.is_unborn(form);
        };
        let from = tft.rule(used.rule).side(step.direction.from());
        from.is_empty() || from.iter().any(|of| before.is_unborn(of.form))
    }
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
        let mut here =
            if reads.copied { self.taken_up(reads, touched) } else { core::mem::take(touched) };
        self.take_what_moved(reads, &touched.moved, &mut here);
        self.take_what_is_renamed(reads, &mut here);
        // What is absent at the root is there from the beginning.
        let root = reads.before.is_none()
            && self.absent_groups(reads.image, &Place::root()).next().is_some();
        if here.is_empty() && !root {
            return Unsettled::new();
        }
        let mut next = Touched::default();
        let unsettled = match self {
            Self::Step { .. } => self.advance_lines(reads, &here, out, &mut next),
            Self::Gate(gate) => advance_gate(gate, reads, &here, out, &mut next),
            Self::Needs => self.advance_lines(reads, &here, out, &mut next),
        };
        self.settle_places(reads, &here, out, &mut next);
        match self {
            Self::Needs => settle_needs(reads, &here, out, &mut next),
            Self::Step { .. } | Self::Gate(_) => self.settle_order(reads, out, &mut next),
        }
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
                .extract_if(.., |key| self.treats(reads.image, key.form) || !stays(&key.place))
                .collect(),
            places: touched
                .places
                .extract_if(.., |place| !self.place_stays(reads, place))
                .collect(),
            moved: BTreeSet::new(),
        }
    }

    /// Of what moved with the instance that it is in: the lines of which this stage makes others,
    /// and those beside which it makes some, of what stands elsewhere.
    fn take_what_moved(self, reads: Reads<'_>, moved: &BTreeSet<Place>, here: &mut Touched) {
        let Self::Step { tft, step } = self else { return };
        let moved: Vec<Place> = moved.iter().chain(&here.moved).cloned().collect();
        if moved.is_empty() {
            return;
        }
        let written = reads.image.forms().filter(|(form, _)| tft.written_by(step, *form).is_some());
        let written: BTreeSet<ModeId> = written.map(|(_, decl)| decl.mode).collect();
        for place in moved {
            let lines = reads.after.lines_within(&place).map(|(key, _)| key);
            let concerned = lines.filter(|key| {
                tft.read_by(step, key.form).is_some()
                    || written.contains(&key.place.mode(reads.image))
            });
            here.lines.extend(concerned.cloned());
        }
    }

    /// Of instances whose name on the other side hangs on what is in them, or beside them: all that
    /// is in those that are named otherwise now.
    fn take_what_is_renamed(self, reads: Reads<'_>, here: &mut Touched) {
        let (Self::Step { tft, step }, Some(before)) = (self, reads.before) else {
            return;
        };
        let image = reads.image;
        for rule in tft.leaves(step) {
            let Some((side, leaf)) = rule.leaf() else { continue };
            let Some(entry) = rule.side(step.direction.from()).first().map(|of| of.form) else {
                continue;
            };
            let of_leaves =
                here.lines.iter().filter(|key| side == step.direction.from() && key.form == leaf);
            let of_leaves = of_leaves.filter_map(|key| key.place.parent());
            let of_places = here.places.iter().filter(|place| place.entry_form() == Some(entry));
            let around: BTreeSet<Place> =
                of_leaves.chain(of_places.filter_map(Place::parent)).collect();
            for around in &around {
                let all = [before, reads.after].map(|config| instances(config, around, entry));
                let all: BTreeSet<Place> =
                    all.into_iter().flatten().map(|(place, _)| place.clone()).collect();
                let was = |place: &Place| tft.renamed(image, step, before, place).ok();
                let is = |place: &Place| tft.renamed(image, step, reads.after, place).ok();
                for place in all.iter().filter(|place| was(place) != is(place)) {
                    for config in [before, reads.after] {
                        here.lines.extend(config.lines_within(place).map(|(key, _)| key.clone()));
                        here.places.extend(config.entries_within(place).cloned());
                    }
                    here.places.insert(place.clone());
                }
            }
        }
    }

    /// Whether it may do anything about lines of `form`, or their instances if it enters a mode.
    fn treats(self, image: &Image, form: FormId) -> bool {
        match self {
            Self::Step { tft, step } => {
                tft.uses(step, form).next().is_some()
                    || tft.enters_absences(step, image, form)
                    || tft.copies(step, form).next().is_some()
            }
            Self::Gate(gate) => !gate.lets_pass(form),
            Self::Needs => image
                .refusals_at(image.levels())
                .any(|refusal| refusal.without && refusal.is_about(form)),
        }
    }

    /// The groups that may say something though no line of them stands in `place`.
    fn absent_groups(self, image: &Image, place: &Place) -> impl Iterator<Item = GroupKey> {
        let rules = match self {
            Self::Step { tft, step } => Some(tft.absences(step, place.mode(image))),
            Self::Gate(_) | Self::Needs => None,
        };
        rules.into_iter().flatten().map(|rule| GroupKey {
            change: Some(rule.change),
            at: place.clone(),
            key: Vec::new(),
        })
    }

    /// Whether it makes no line of this form, nor names instances otherwise.
    fn leaves_alone(self, key: &LineKey) -> bool {
        match self {
            Self::Gate(_) | Self::Needs => true,
            Self::Step { tft, step } => {
                let back = Step { direction: step.direction.back(), ..step };
                let mut around = key.place.instances().iter().map(|(entry, _)| *entry);
                tft.written_by(step, key.form).is_none()
                    && !around.any(|entry| tft.read_by(back, entry).is_some())
            }
        }
    }

    /// Whether a rule of the step reads the line: it is settled with its group.
    fn reads(self, image: &Image, key: &LineKey) -> bool {
        match self {
            Self::Step { tft, step } => tft.read_by(step, key.form).is_some_and(|used| {
                let rule = tft.rule(used.rule);
                rule.is_entry || rule.tells(image, used.side, used.pattern, key)
            }),
            Self::Gate(_) | Self::Needs => false,
        }
    }

    /// Whether an instance and all around it are entered, and stay so under their names.
    fn place_stays(self, reads: Reads<'a>, place: &Place) -> bool {
        let dies = |entry: FormId| match self {
            Self::Step { step, .. } => dies(reads.image, step, entry),
            Self::Gate(_) | Self::Needs => false,
        };
        let mut named = place.instances().iter().map(|(entry, _)| *entry);
        if named.any(|entry| self.treats(reads.image, entry) || dies(entry)) {
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
        let renames = match self {
            Self::Step { tft, step } => tft.leaves(step).next().is_some(),
            Self::Gate(_) | Self::Needs => false,
        };
        for key in &touched.lines {
            if reads.copied {
                settle.push(key.clone());
            }
            if let Some(before) = reads.before.filter(|_| renames) {
                // It may have had another name, or none.
                let was = self.passes_as(image, before, key);
                unsettled.extend(was.is_none().then(|| key.clone()));
                settle.extend(was);
            }
            match self.passes_as(image, reads.after, key) {
                Some(key) => settle.push(key),
                None if self.reads(image, key) => {}
                // Its instance cannot be named there, or nothing tells it from another line.
                None => unsettled.extend([key.clone()]),
            }
        }
        let mut groups = self.groups(image, touched);
        for place in &touched.places {
            groups.extend(self.leaf_groups(place));
            groups.extend(self.absent_groups(image, place));
            for config in reads.before.into_iter().chain([reads.after]) {
                groups.extend(self.copied_groups(image, config, place));
            }
        }
        if reads.before.is_none() {
            groups.extend(self.absent_groups(image, &Place::root()));
        }
        for group in groups {
            if let Some(before) = reads.before {
                let was = self.made(image, before, reads.led[0], &group, &mut unsettled);
                settle.extend(was.lines.into_iter().map(|(key, _)| key));
                settle.extend(was.silent);
            }
            let now = self.made(image, reads.after, reads.led[1], &group, &mut unsettled);
            settle.extend(now.lines.iter().map(|(key, _)| key.clone()));
            settle.extend(now.silent);
            made.extend(now.lines);
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
                None => match self.passed_from(image, reads.after, key) {
                    Some(from) => out.copy_line(image, key, reads.after, &from),
                    None => out.remove(image, key),
                },
            }
        }
        next.lines = settle.into_iter().collect();
        unsettled
    }

    /// Where a line of the rung read stands in the next, if the stage leaves it as it is.
    fn passes_as(self, image: &Image, config: &Config, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) | Self::Needs => Some(key.clone()),
            Self::Step { tft, step } if tft.read_by(step, key.form).is_some() => None,
            Self::Step { tft, step } => {
                let place = tft.renamed(image, step, config, &key.place).ok()?;
                Some(LineKey { place, ..key.clone() })
            }
        }
    }

    /// Where a line of the next rung stood in the rung read, if the stage left it as it was.
    fn passed_from(self, image: &Image, config: &Config, key: &LineKey) -> Option<LineKey> {
        match self {
            Self::Gate(_) | Self::Needs => Some(key.clone()),
            Self::Step { tft, step } => {
                let place = tft.renamed_from(image, step, config, &key.place)?;
                let from = LineKey { place, ..key.clone() };
                (self.passes_as(image, config, &from).as_ref() == Some(key)).then_some(from)
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
            let group = |used: Use| {
                let rule = tft.rule(used.rule);
                if !rule.is_entry {
                    return Some(rule.group_of(image, used.side, used.pattern, key));
                }
                let at = key.place.parent()?;
                Some(GroupKey { change: Some(rule.change), at, key: Vec::new() })
            };
            uses.filter_map(group).collect()
        };
        touched.lines.iter().flat_map(of_line).collect()
    }

    /// The group of the leaves that are beside the one of an instance.
    fn leaf_groups(self, place: &Place) -> Option<GroupKey> {
        let Self::Step { tft, step } = self else {
            return None;
        };
        let used = tft.read_by(step, place.entry_form()?)?;
        let rule = tft.rule(used.rule);
        rule.leaf()?;
        Some(GroupKey { change: Some(rule.change), at: place.parent()?, key: Vec::new() })
    }

    /// The groups that have, or would have, a copy in an instance.
    fn copied_groups(self, image: &Image, config: &Config, place: &Place) -> BTreeSet<GroupKey> {
        let mut groups = BTreeSet::new();
        let (Self::Step { tft, step }, Some(entry)) = (self, place.entry_form()) else {
            return groups;
        };
        for rule in tft.copies(step, entry) {
            let around = rule.depth.checked_sub(1).and_then(|at| place.and_ancestors().nth(at));
            let side = step.direction.from();
            for (key, _) in config.lines_within(&around.unwrap_or_default()) {
                let pattern = rule.side(side).iter().position(|of| of.form == key.form);
                groups.extend(pattern.map(|pattern| rule.group_of(image, side, pattern, key)));
            }
        }
        groups
    }

    /// What a group makes in the next rung, lines and what is said there by being absent; the lines
    /// it is made of are unsettled if nothing.
    fn made(
        self,
        image: &Image,
        config: &Config,
        led: Led<'_>,
        group: &GroupKey,
        unsettled: &mut BTreeSet<LineKey>,
    ) -> Made {
        let Self::Step { tft, step } = self else {
            return Made::default();
        };
        let rule = tft.rule_of(group);
        if rule.is_entry {
            let lines = self.made_leaves(image, config, rule, &group.at, unsettled);
            return Made { lines, silent: Vec::new() };
        }
        match evaluate(image, tft, step, (config, led), group) {
            GroupStep::Made { out, silent } => {
                let moved = |key: LineKey| {
                    let place = tft.renamed(image, step, config, &key.place).ok()?;
                    Some(LineKey { place, ..key })
                };
                if rule.side(step.direction.to()).is_empty() {
                    // What absence said is said no more.
                    let was = rule.silent(image, step.direction.from(), config, group);
                    unsettled.extend(was);
                }
                let lines = out.into_iter();
                Made {
                    lines: lines.filter_map(|(key, line)| Some((moved(key)?, line))).collect(),
                    silent: silent.into_iter().filter_map(moved).collect(),
                }
            }
            GroupStep::Pending | GroupStep::Stuck(_) => {
                let members = rule.members(image, step.direction.from(), config, group);
                unsettled.extend(members.into_iter().flatten().map(|(key, _)| key));
                unsettled.extend(rule.silent(image, step.direction.from(), config, group));
                // What comes no further is not absent there: it says nothing.
                let withheld = rule.absence(step.direction.to(), group).into_iter().flatten();
                let silent = withheld.map(|(key, _)| key).collect();
                Made { lines: Vec::new(), silent }
            }
        }
    }

    /// The lines of the next rung that a group is.
    pub(crate) fn made_lines(
        self,
        image: &Image,
        config: &Config,
        led: Led<'_>,
        group: &GroupKey,
    ) -> Vec<LineKey> {
        let made = self.made(image, config, led, group, &mut Unsettled::new());
        made.lines.into_iter().map(|(key, _)| key).collect()
    }

    /// The leaves that the instances in `around` get in the next rung; those of the rung read that
    /// are no name there are unsettled.
    fn made_leaves(
        self,
        image: &Image,
        config: &Config,
        rule: &Rule,
        around: &Place,
        unsettled: &mut Unsettled,
    ) -> Vec<(LineKey, Line)> {
        let (Self::Step { tft, step }, Some((side, form))) = (self, rule.leaf()) else {
            return Vec::new();
        };
        if side == step.direction.from() {
            let leaves = config.lines_within(around).map(|(key, _)| key);
            let leaves = leaves.filter(|key| {
                key.form == form && tft.renamed(image, step, config, &key.place).is_err()
            });
            unsettled.extend(leaves.cloned());
            return Vec::new();
        }
        let made = made_leaves(image, rule, step.direction, config, around).into_iter();
        let moved = made.filter_map(|(place, (key, line))| {
            let place = tft.renamed(image, step, config, &place).ok()?;
            Some((LineKey { place, ..key }, line))
        });
        moved.collect()
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
            for config in reads.before.into_iter().chain([reads.after]) {
                let moved = self.place_passes_as(reads.image, config, place);
                places.extend(moved.iter().flat_map(Place::and_ancestors));
            }
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
                    Self::Step { .. } | Self::Needs => Some(EntryKind::Implied),
                }
            };
            if out.entry(place) != wanted {
                out.put_entry(reads.image, place, wanted);
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
                    && gate.place_is_read(image, place)
            }
            Self::Step { .. } | Self::Needs => self.place_from(reads, place).is_some_and(|from| {
                let moved = self.place_passes_as(image, reads.after, &from);
                let stays = moved.as_ref() == Some(place);
                stays && reads.after.entry(&from) == Some(EntryKind::Entered)
            }),
        }
    }

    /// Where an instance stands in the next rung, if its entry lives there.
    pub(crate) fn place_passes_as(
        self,
        image: &Image,
        config: &Config,
        place: &Place,
    ) -> Option<Place> {
        match self {
            Self::Gate(_) | Self::Needs => Some(place.clone()),
            Self::Step { tft, step } => {
                let entry = place.entry_form()?;
                let moved = tft.renamed(image, step, config, place).ok()?;
                let dies = tft.read_by(step, entry).is_none() && dies(image, step, entry);
                (!dies).then_some(moved)
            }
        }
    }
}

impl Stage<'_> {
    /// The lines of the rung read from which the line `key` of the next came, or its absence: lines
    /// that are there, and such as are said by being absent.
    pub(crate) fn sources(self, image: &Image, config: &Config, key: &LineKey) -> Vec<LineKey> {
        // What is absent may have been said by being absent, too.
        let mut sources: Vec<LineKey> = self.passed_from(image, config, key).into_iter().collect();
        let Self::Step { tft, step } = self else {
            return sources;
        };
        let Some(place) = tft.renamed_from(image, step, config, &key.place) else {
            return sources;
        };
        if let Some(used) = tft.written_by(step, key.form) {
            let rule = tft.rule(used.rule);
            if rule.is_entry {
                // It is of the entry: of all that is in it.
                sources.extend(config.lines_within(&place).map(|(key, _)| key.clone()));
                return sources;
            }
            let from = LineKey { place, ..key.clone() };
            let group = rule.group_of(image, used.side, used.pattern, &from);
            let from = step.direction.from();
            let members = rule.members(image, from, config, &group);
            let mut of_group: Vec<LineKey> =
                members.into_iter().flatten().map(|(key, _)| key).collect();
            of_group.extend(rule.silent(image, from, config, &group));
            if of_group.is_empty() {
                // Absent, they may have been withheld.
                of_group = rule.unsaid(image, from, &group);
            }
            sources.extend(of_group);
        }
        sources
    }

    /// The lines of the rung read that are in one group with the line `key`.
    pub(crate) fn group_members(
        self,
        image: &Image,
        config: &Config,
        key: &LineKey,
    ) -> BTreeSet<LineKey> {
        let Self::Step { tft, step } = self else { return BTreeSet::new() };
        let Some(used) = tft.read_by(step, key.form) else { return BTreeSet::new() };
        let rule = tft.rule(used.rule);
        let group = rule.group_of(image, used.side, used.pattern, key);
        let members = rule.members(image, step.direction.from(), config, &group);
        members.into_iter().flatten().map(|(key, _)| key).collect()
    }

    /// What becomes of the line `key` of the rung read.
    pub(crate) fn fate(
        self,
        image: &Image,
        config: &Config,
        led: Led<'_>,
        key: &LineKey,
    ) -> LineStep {
        match self {
            Self::Gate(gate) => match config.line(key) {
                Some(line) if !gate.line_goes(image, key, line) => LineStep::Held,
                // What is said by being absent, of a form that the peer has not.
                None if gate.holds(key.form) => LineStep::Held,
                Some(_) | None => LineStep::Passes(key.clone()),
            },
            Self::Needs => LineStep::Passes(key.clone()),
            Self::Step { tft, step } => match tft.read_by(step, key.form) {
                None => match tft.renamed(image, step, config, &key.place) {
                    Ok(place) => LineStep::Passes(LineKey { place, ..key.clone() }),
                    Err(cause) => LineStep::Stuck(cause),
                },
                Some(used) if tft.rule(used.rule).is_entry => {
                    let change = tft.rule(used.rule).change;
                    match tft.renamed(image, step, config, &key.place) {
                        Ok(_) => LineStep::Becomes { change, out: Vec::new() },
                        Err(cause) => LineStep::Stuck(cause),
                    }
                }
                Some(_) if !self.reads(image, key) => LineStep::Stuck(StuckCause::Unverified),
                Some(used) => {
                    let rule = tft.rule(used.rule);
                    let group = rule.group_of(image, used.side, used.pattern, key);
                    let is_gone = rule.side(step.direction.to()).is_empty();
                    if config.line(key).is_none() && !is_gone {
                        // What is absent and no part of the group ends here: it is off there, too.
                        let from = step.direction.from();
                        let silent = rule.silent(image, from, config, &group);
                        let alone =
                            rule.members(image, from, config, &group).iter().all(Vec::is_empty);
                        if !alone && !silent.contains(key) {
                            return LineStep::Becomes { change: rule.change, out: Vec::new() };
                        }
                    }
                    match evaluate(image, tft, step, (config, led), &group) {
                        GroupStep::Stuck(cause) => LineStep::Stuck(cause),
                        GroupStep::Pending => LineStep::Pending,
                        GroupStep::Made { .. } if is_gone => {
                            LineStep::Stuck(StuckCause::NoTransform)
                        }
                        GroupStep::Made { .. } => {
                            let mut none = BTreeSet::new();
                            let made = self.made(image, config, led, &group, &mut none);
                            let out = made.lines.into_iter().map(|(key, _)| key);
                            let out = out.chain(made.silent).collect();
                            LineStep::Becomes { change: rule.change, out }
                        }
                    }
                }
            },
        }
    }

    /// Puts what this stage settled where it belongs in its place: each item by where in the rung
    /// read that stands which it came from first.
    fn settle_order(self, reads: Reads<'_>, out: &mut Config, next: &mut Touched) {
        let image = reads.image;
        let mut by_place: BTreeMap<Reverse<Place>, Vec<Item>> = BTreeMap::new();
        let mut settle = |place: &Place, item: Item| {
            by_place.entry(Reverse(place.clone())).or_default().push(item);
        };
        for key in next.lines.iter().filter(|key| out.line(key).is_some()) {
            // What passes through a copy stands where it stood.
            let passed = || self.passed_from(image, reads.after, key).as_ref() == Some(key);
            if !(reads.copied && reads.after.line(key).is_some() && passed()) {
                settle(&key.place, Item::of_line(key));
            }
        }
        for place in next.places.iter().filter(|place| out.entry(place).is_some()) {
            let stays = || self.place_from(reads, place).as_ref() == Some(place);
            if let (Some(around), Some(item)) = (place.parent(), Item::of_place(place))
                && !(reads.copied && self.entered(reads, place) && stays())
            {
                settle(&around, item);
            }
        }
        // Inner places first: an implied one stands where its first item does.
        for (Reverse(place), items) in by_place {
            let steps = out.count_in(&place).checked_ilog2().unwrap_or(0) as usize + 1;
            if items.len() * steps * SEARCH_SHARE < out.count_in(&place) {
                self.insert(reads, out, &place, items, next);
            } else {
                let all = out.items(&place);
                let mut all: Vec<(Standing, Item)> = all
                    .map(|item| (self.standing(reads, out, &place, item), item.clone()))
                    .collect();
                all.sort();
                let all: Vec<Item> = all.into_iter().map(|(_, item)| item).collect();
                let was = moved_places(out, &place);
                out.arrange(image, &place, all);
                let is = moved_places(out, &place);
                next.moved.extend(is.difference(&was).map(|(_, inner)| inner.clone()));
            }
        }
    }

    /// Puts these items of a place where they belong among the others, which stand right.
    fn insert(
        self,
        reads: Reads<'_>,
        out: &mut Config,
        place: &Place,
        items: Vec<Item>,
        next: &mut Touched,
    ) {
        let these: BTreeSet<Item> = items.iter().cloned().collect();
        let mut items: Vec<(Standing, Item)> =
            items.into_iter().map(|item| (self.standing(reads, out, place, &item), item)).collect();
        items.sort();
        let mut before: Option<(Option<Item>, Item)> = None;
        for (standing, item) in items {
            let found = self.last_before(reads, out, place, &these, &standing);
            let after = match &before {
                Some((of, last)) if *of == found => Some(last),
                Some(_) | None => found.as_ref(),
            };
            if out.move_behind(reads.image, place, &item, after)
                && let Some(inner) = item.place_in(place)
            {
                next.moved.insert(inner);
            }
            before = Some((found, item));
        }
    }

    /// The last item of a place, but for some, that stands before this.
    fn last_before(
        self,
        reads: Reads<'_>,
        out: &Config,
        place: &Place,
        but: &BTreeSet<Item>,
        standing: &Standing,
    ) -> Option<Item> {
        let mut found = None;
        let (mut from, mut to) = (0, out.last_rank(place)? + 1);
        while from < to {
            let middle = from.midpoint(to);
            let mut at = out.item_from(place, middle);
            while let Some((rank, _)) = at.filter(|(rank, item)| *rank < to && but.contains(item)) {
                at = out.item_from(place, rank + 1);
            }
            match at.filter(|(rank, _)| *rank < to) {
                Some((rank, item)) if self.standing(reads, out, place, item) < *standing => {
                    found = Some(item.clone());
                    from = rank + 1;
                }
                Some(_) | None => to = middle,
            }
        }
        found
    }

    /// Where an item of the next rung belongs.
    fn standing(self, reads: Reads<'_>, out: &Config, place: &Place, item: &Item) -> Standing {
        let (position, part) = self.comes_from(reads, out, place, item);
        let (Item::Line(_, words) | Item::Place(_, words)) = item;
        Standing { position, part, words: words.clone() }
    }

    /// Where in the rung read what an item first came from stands, and of which line of which
    /// change it is.
    fn comes_from(
        self,
        reads: Reads<'_>,
        out: &Config,
        place: &Place,
        item: &Item,
    ) -> (Vec<u64>, Part) {
        let image = reads.image;
        if let Some(inner) = item.place_in(place) {
            let from = self.place_from(reads, &inner).filter(|_| self.entered(reads, &inner));
            return match from.and_then(|from| reads.after.place_position(&from)) {
                Some(position) => (position, Part::default()),
                None => match out.items(&inner).next() {
                    Some(first) => self.comes_from(reads, out, &inner, first),
                    None => (Vec::new(), Part::default()),
                },
            };
        }
        let Some(key) = item.line_in(place) else {
            return (Vec::new(), Part::default());
        };
        let passed = self.passed_from(image, reads.after, &key);
        if let Some(position) = passed.and_then(|from| reads.after.position(&from)) {
            return (position, Part::default());
        }
        if let Self::Step { tft, step } = self
            && let Some(used) = tft.written_by(step, key.form)
            && tft.rule(used.rule).is_entry
        {
            // What the entry said stands first.
            return (Vec::new(), (used.rule, used.pattern, 0));
        }
        let sources = self.sources(image, reads.after, &key);
        let positions = sources.iter().filter_map(|source| reads.after.position(source));
        let part = match self {
            Self::Step { tft, step } => {
                tft.written_by(step, key.form).map_or(Part::default(), |used| {
                    (used.rule, used.pattern, self.word_of(tft.rule(used.rule), used, reads, &key))
                })
            }
            Self::Gate(_) | Self::Needs => Part::default(),
        };
        (positions.min().unwrap_or_default(), part)
    }

    /// Which of the words of one line a line of the next rung is made of; 0 if it is of no word.
    fn word_of(self, rule: &Rule, used: Use, reads: Reads<'_>, key: &LineKey) -> usize {
        let pattern = &rule.side(used.side)[used.pattern];
        let (Some(Each::Word(_)), Self::Step { tft, step }) = (&pattern.each, self) else {
            return 0;
        };
        let image = reads.image;
        let Some(place) = tft.renamed_from(image, step, reads.after, &key.place) else {
            return 0;
        };
        let from = LineKey { place, ..key.clone() };
        let group = rule.group_of(image, used.side, used.pattern, &from);
        let made = self.made(image, reads.after, reads.led[1], &group, &mut Unsettled::new());
        made.lines.iter().position(|(made, _)| made == key).unwrap_or(0)
    }

    /// Why an instance stands nowhere in the next rung; none: it does.
    pub(crate) fn why_gone(
        self,
        image: &Image,
        config: &Config,
        place: &Place,
    ) -> Option<StuckCause> {
        let Self::Step { tft, step } = self else {
            return None;
        };
        tft.renamed(image, step, config, place).err()
    }

    /// Where an instance of the next rung stood in the rung read.
    fn place_from(self, reads: Reads<'_>, place: &Place) -> Option<Place> {
        match self {
            Self::Gate(_) | Self::Needs => Some(place.clone()),
            Self::Step { tft, step } => tft.renamed_from(reads.image, step, reads.after, place),
        }
    }
}

/// What becomes of a group: it goes if also the instances in which its lines stand have a name, and
/// if what is absent in it is so since somebody said so.
fn evaluate(
    image: &Image,
    tft: &Tft,
    step: Step,
    (config, led): (&Config, Led<'_>),
    group: &GroupKey,
) -> GroupStep {
    let rule = tft.rule_of(group);
    let mut made = rule.evaluate(image, step.direction, config, group);
    if let GroupStep::Made { out, silent } = &mut made
        && let Some(lost) = led.restores.lost(led.stages.len(), tft, (image, step), config, group)
    {
        silent.retain(|key| !lost.iter().any(|(lost, _)| lost == key));
        *out = lost;
    }
    let GroupStep::Made { out, silent } = &made else {
        return made;
    };
    if !out.is_empty() || !silent.is_empty() {
        let absent = rule.silent(image, step.direction.from(), config, group);
        if absent.iter().any(|key| led.is_withheld(image, key)) {
            return GroupStep::Stuck(StuckCause::Unverified);
        }
        // What was never to be said is not said by being absent.
        let from = step.direction.from();
        let is_absent = || rule.members(image, from, config, group).iter().all(Vec::is_empty);
        let unborn = || rule.side(from).iter().any(|of| led.is_unborn(of.form));
        let may_be_absent = !out.is_empty() && rule.writes_absence(step.direction);
        if may_be_absent && is_absent() && unborn() {
            return GroupStep::Stuck(StuckCause::Unverified);
        }
    }
    // Where the instance is not, nothing is said by being absent, either.
    let mut places = out.iter().map(|(key, _)| key).chain(silent).map(|key| &key.place);
    let nameless = places.find_map(|place| tft.renamed(image, step, config, place).err());
    nameless.map_or(made, GroupStep::Stuck)
}

/// What a group makes in the next rung.
#[derive(Default)]
struct Made {
    lines: Vec<(LineKey, Line)>,
    /// What is said there by being absent.
    silent: Vec<LineKey>,
}

/// Which part of what a change makes: the change, the line, the word.
type Part = (usize, usize, usize);

/// One place is searched for each item if that takes so many times fewer looks than to sort it.
const SEARCH_SHARE: usize = 4;

/// Where an item belongs among those of its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    /// The document position, in the rung read, of the first line that it came from.
    position: Vec<u64>,
    /// Of several from one, or from none: the change, which of its lines it is, and which of the
    /// words of one.
    part: Part,
    /// Then by words.
    words: Words,
}

/// The instances in a place, each with the item that it stands behind.
fn moved_places(config: &Config, place: &Place) -> BTreeSet<(Option<Item>, Place)> {
    let instances = config.items(place).filter_map(|item| {
        let inner = item.place_in(place)?;
        Some((config.before(place, item).cloned(), inner))
    });
    instances.collect()
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

/// Puts what needs others behind them, and all else as it stands in the rung read.
fn settle_needs(reads: Reads<'_>, here: &Touched, out: &mut Config, next: &mut Touched) {
    let image = reads.image;
    let of_lines = here.lines.iter().chain(&next.lines).map(|key| key.place.clone());
    let of_places = here.places.iter().chain(&next.places).chain(&here.moved);
    let around = of_places.filter_map(Place::parent);
    let places: BTreeSet<Place> = of_lines.chain(around).collect();
    let there = |place: &&Place| place.is_root() || out.entry(place).is_some();
    let places: Vec<&Place> = places.iter().filter(there).collect();
    for place in places {
        let was = moved_places(out, place);
        let mut items = reads.after.ordered_by_needs(image, image.levels(), place);
        // A unit that misapplied a line has another beside them, or one less.
        items.retain(|item| out.has(place, item));
        items.extend(out.items(place).filter(|item| !reads.after.has(place, item)).cloned());
        out.arrange(image, place, items);
        let is = moved_places(out, place);
        next.moved.extend(is.difference(&was).map(|(_, inner)| inner.clone()));
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
            *places.entry(&key.place).or_insert_with(|| gate.place_is_read(reads.image, &key.place))
                && gate.why_not(reads.image, key, line).is_none()
        });
        let was_held = match reads.before {
            // As long as the rungs were one, nothing was held.
            Some(before) => !reads.copied && before.line(key).is_some() && out.line(key).is_none(),
            None => false,
        };
        let is_held = now.is_some() || gate.holds(key.form);
        if was_held || !goes && is_held {
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
