//! One change compiled for one image: its patterns, what identifies a group, and how values map.
//!
//! It evaluates one group in one direction, from the lines of a config. What to do with the result
//! is the ladder's business.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::address::{self, Bindings};
use super::function;
use super::{GroupKey, GroupStep, StuckCause};
use crate::config::{Config, Line, LineKey, Place};
use crate::digest::Shared;
use crate::grammar::{BuildError, Fit, Form, Sign, Token, Words};
use crate::ids::{ChangeId, ComponentId, FormId, Level, ModeId};
use crate::image::{Alone, Change, DefaultDecl, FormDecl, Function, Image, OneSide, Scale, Side};

/// The two ways through a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// One level down: from the new side to the old.
    Lower,
    /// One level up: from the old side to the new.
    Raise,
}

/// The two sides of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SideOf {
    /// How it was below the change's level.
    Old,
    /// How it is from that level on.
    New,
}

/// Capture -> [(old value, new value)].
type CompiledMaps = BTreeMap<Box<str>, Vec<(Box<str>, Box<str>)>>;

/// A change, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The change, in the family's order.
    pub change: ChangeId,
    /// The component that declares it.
    pub component: ComponentId,
    /// The level that it makes.
    pub level: Level,
    /// The forms below that level.
    pub old: Vec<Pattern>,
    /// The forms from that level on.
    pub new: Vec<Pattern>,
    /// How many instances deep the place is that all lines of a group share.
    pub depth: usize,
    /// The names that identify a group in that place: those in the address of every pattern.
    /// Sorted.
    pub key: Vec<Box<str>>,
    /// Values that are spelled otherwise: capture -> [(old value, new value)].
    maps: CompiledMaps,
    /// Captures whose numbers are in another unit.
    scales: BTreeMap<Box<str>, Scale>,
    /// Captures of the old side whose one value the new side says by its presence.
    implied: Vec<(Box<str>, Box<str>)>,
    /// Captures of which some values have no counterpart, on purpose.
    pub partial: Vec<Box<str>>,
    /// Captures that are lost on the other side, each with the value that is written on the way
    /// back; empty: none is.
    losses: BTreeMap<Box<str>, Box<str>>,
    /// What becomes of a part of a group.
    pub alone: Alone,
    /// The side of which one line stands for a group.
    pub one: Option<SideOf>,
    /// What the absence of all lines of a side says, old and new, where it is known: of lines
    /// without keys in one mode.
    absences: [Option<Vec<Words>>; 2],
    /// Whether it is written on the other side, lowered and raised.
    writes_absence: [bool; 2],
    /// Whether the same words mean another thing on the other side.
    pub revised: bool,
    /// Whether such lines have several values: one that stays is well beside one that does not.
    is_revised_as_a_whole: bool,
    /// Whether it names a mode's entry otherwise.
    pub(crate) is_entry: bool,
    /// Whether what is absent may be a part of a group, of the old and of the new side.
    may_be_silent: [bool; 2],
    /// What says how the lines of one side become those of the other.
    pub function: Option<Function>,
}

/// One form of one side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The form.
    pub form: FormId,
    /// The entry forms of the modes from below the place that all lines share down to its own.
    pub entries: Vec<FormId>,
    /// The entries of the same modes at the level of the other side.
    pub(crate) beyond: Vec<FormId>,
    /// Names of the address: the key captures of the instances on `path`, then those of the line.
    pub address: BTreeSet<Box<str>>,
    /// Of the address: the key captures of the line.
    pub keyed: Vec<Box<str>>,
    /// Whether what its lines carry always tells them apart.
    plain: bool,
    /// Whether a line says what its `no` says on the other side.
    pub not: bool,
    /// Whether a group may be without the line; its presence is the flag of this name, if that is
    /// not empty.
    pub optional: Option<Box<str>>,
    /// Of what a group has several lines.
    pub each: Option<Each>,
}

/// Of what a group has several lines of one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Each {
    /// One for each word of this capture, which is their key.
    Word(Box<str>),
    /// A copy in each instance of the mode, whatever these names of its entries say.
    Instance(Vec<Box<str>>),
}

/// The lines of a group on one side, by pattern.
pub(crate) type Lines = Vec<Vec<(LineKey, Line)>>;

/// Why a change makes no rule for an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The image has no such form at the level.
    #[error("mode {mode} has no form `{form}` at level {level}")]
    NoForm {
        /// The mode's name.
        mode: Box<str>,
        /// The form.
        form: Box<str>,
        /// The level.
        level: Level,
    },
    /// A mode has no entry at the level.
    #[error("mode {mode} cannot be entered at this level")]
    NoEntry {
        /// The mode's name.
        mode: Box<str>,
    },
    /// The change of a mode's entry has more than one other line.
    #[error("a change of a mode's entry has one line in the mode beside it at most, on one side")]
    Leaves,
    /// A function cannot say what becomes of these forms.
    #[error(
        "the function `{name}` reads and makes lines: there is one on each side, none enters a \
         mode, and where it says what tells lines apart, all of a side have one key"
    )]
    Function {
        /// Its name.
        name: &'static str,
    },
    /// A value map of a key is not one to one.
    #[error("the map of key `{name}` sends two values to one: groups would run together")]
    KeyMap {
        /// The capture.
        name: Box<str>,
    },
}

impl Direction {
    /// The side that is read.
    pub const fn from(self) -> SideOf {
        match self {
            Self::Lower => SideOf::New,
            Self::Raise => SideOf::Old,
        }
    }

    /// The other way.
    pub const fn back(self) -> Self {
        match self {
            Self::Lower => Self::Raise,
            Self::Raise => Self::Lower,
        }
    }

    /// The side that is written.
    pub const fn to(self) -> SideOf {
        match self {
            Self::Lower => SideOf::Old,
            Self::Raise => SideOf::New,
        }
    }
}

impl Rule {
    /// Compiles `change`, the one of number `id` in the family's order.
    ///
    /// # Errors
    /// See [`RuleError`].
    pub fn compile(image: &Image, id: ChangeId, change: &Change) -> Result<Self, RuleError> {
        let level = Level(change.level);
        let below = Level(change.level.saturating_sub(1));
        let old = sides(image, &change.old, below)?;
        let new = sides(image, &change.new, level)?;
        let paths = old.iter().chain(&new).map(|side| side.path.as_slice());
        let depth = paths.reduce(shared);
        let depth = depth.map_or(0, <[ModeId]>::len);
        let component = ComponentId(change.component);
        let patterns = |side: Vec<SidePath<'_>>, at: Level, beyond: Level| {
            let compile = |SidePath { form, path, side }: SidePath<'_>| {
                let modes = || path[depth..].iter();
                let entries = modes().map(|mode| {
                    let none = || RuleError::NoEntry { mode: image.mode_name(*mode).into() };
                    address::entry_of(image, *mode, component, at).ok_or_else(none)
                });
                let entries = entries.collect::<Result<_, _>>()?;
                let beyond = modes().map(|mode| {
                    let entry = address::entry_of(image, *mode, component, beyond);
                    entry.or_else(|| address::entry_of(image, *mode, component, at))
                });
                let beyond = beyond.flatten().collect();
                Ok(Pattern::new(image, form, (entries, beyond), side))
            };
            side.into_iter().map(compile).collect::<Result<Vec<Pattern>, RuleError>>()
        };
        let (old, new) = (patterns(old, below, level)?, patterns(new, level, below)?);
        let mut key = old.iter().chain(&new).map(|pattern| pattern.address.clone());
        let key = key.next().map(|first| {
            key.fold(first, |names, more| names.intersection(&more).cloned().collect())
        });
        let mut key: Vec<Box<str>> = key.unwrap_or_default().into_iter().collect();
        let function = image.function(id.0 as usize).copied();
        if let Some(function) = &function {
            key = function::key_of(image, function, (&old, &new))?.unwrap_or(key);
        }
        let maps: CompiledMaps = change
            .map
            .iter()
            .map(|(name, map)| {
                let pairs = map.iter().map(|(old, new)| (old.as_str().into(), new.as_str().into()));
                (name.as_str().into(), pairs.collect())
            })
            .collect();
        for name in &key {
            let news: Vec<_> = maps.get(name).into_iter().flatten().map(|(_, new)| new).collect();
            if news.len() != news.iter().collect::<BTreeSet<_>>().len() {
                return Err(RuleError::KeyMap { name: name.clone() });
            }
        }
        let scales = change.scale.iter().map(|(name, scale)| (name.as_str().into(), *scale));
        let implied = change
            .implied
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        let absences = [&old, &new].map(|side| absence(image, side));
        let revised = old.iter().any(|old| {
            let decl = image.form(old.form);
            let same = |new: &Pattern| {
                let other = image.form(new.form);
                other.mode == decl.mode
                    && other.form == decl.form
                    && other.revision != decl.revision
            };
            new.iter().any(same)
        });
        let has_several = |of: &Pattern| image.form(of.form).form.carried().nth(1).is_some();
        let is_revised_as_a_whole = revised && old.iter().chain(&new).any(has_several);
        let mut rule = Self {
            change: id,
            component,
            level,
            old,
            new,
            depth,
            key,
            maps,
            scales: scales.collect(),
            implied: implied.collect(),
            partial: change.partial.iter().map(|name| name.as_str().into()).collect(),
            losses: change
                .loses
                .iter()
                .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
                .collect(),
            alone: change.alone,
            one: change.one.map(|side| match side {
                OneSide::Old => SideOf::Old,
                OneSide::New => SideOf::New,
            }),
            absences,
            writes_absence: [false; 2],
            revised,
            is_revised_as_a_whole,
            is_entry: false,
            may_be_silent: [false; 2],
            function,
        };
        let enters = |side: &[Pattern]| {
            side.first().is_some_and(|pattern| image.form(pattern.form).enters.is_some())
        };
        rule.is_entry = enters(&rule.old) && enters(&rule.new);
        if rule.is_entry && rule.old.len() + rule.new.len() > 3 {
            return Err(RuleError::Leaves);
        }
        rule.writes_absence =
            [Direction::Lower, Direction::Raise].map(|way| rule.absence_is_written(image, way));
        rule.may_be_silent = [SideOf::Old, SideOf::New].map(|side| {
            let said = |of: &Pattern| of.not || image.form(of.form).absent.is_some();
            rule.side(side).iter().any(said) || rule.absences[side as usize].is_some()
        });
        Ok(rule)
    }

    /// Captures that are lost on the other side, each with what is written on the way back.
    pub(super) const fn losses(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.losses
    }

    /// Whether the absence of all lines of the side read is written on the other side.
    pub(crate) const fn writes_absence(&self, direction: Direction) -> bool {
        self.writes_absence[direction as usize]
    }

    /// Whether what absence says means the same on both sides, or is written where it does not.
    pub fn absence_is_known(&self, image: &Image) -> bool {
        let says = |side: SideOf| {
            let patterns = self.side(side).iter();
            let mut says: Vec<(String, String)> = Vec::new();
            for pattern in patterns {
                let decl = image.form(pattern.form);
                let values = match &decl.default {
                    _ if is_unsaid(decl) => alloc::vec![(String::from(" "), String::new())],
                    DefaultDecl::None if pattern.not => alloc::vec![(String::new(), String::new())],
                    DefaultDecl::Line if !pattern.not => {
                        alloc::vec![(String::new(), String::new())]
                    }
                    DefaultDecl::None | DefaultDecl::Line => Vec::new(),
                    DefaultDecl::Values(values) => values
                        .iter()
                        .filter_map(|(leaf, value)| {
                            let leaf = decl.form.leaf(*leaf);
                            let name = leaf.name.as_deref().or(leaf.implied.as_deref())?;
                            // What an optional part says by being absent, a line says.
                            if !decl.form.always_carries(name) {
                                return None;
                            }
                            let value = match side {
                                SideOf::Old => self.mapped(Direction::Raise, name, value),
                                SideOf::New => Cow::Borrowed(&**value),
                            };
                            Some((name.to_string(), value.into_owned()))
                        })
                        .collect(),
                };
                says.extend(values);
            }
            says.sort();
            says.dedup();
            says
        };
        if !self.factories_agree(image) {
            return false;
        }
        let apart = says(SideOf::Old) != says(SideOf::New);
        !apart
            || self.absences.iter().all(Option::is_some) && {
                let at = GroupKey { change: Some(self.change), at: Place::root(), key: Vec::new() };
                [Direction::Lower, Direction::Raise].into_iter().all(|way| {
                    let lines = self.absence(way.from(), &at);
                    let none = Config::factory(image.levels());
                    self.there_and_back(image, way, &none, &at, &lines).is_ok()
                })
            }
    }

    /// Whether what a factory sets on one side is what it sets on the other.
    fn factories_agree(&self, image: &Image) -> bool {
        let patterns = || self.old.iter().chain(&self.new);
        if patterns().all(|pattern| image.form(pattern.form).factory.is_empty()) {
            return true;
        }
        // In which instances a line is absent differs on the two sides.
        if patterns().any(|pattern| !pattern.entries.is_empty()) {
            return false;
        }
        let none = Config::factory(image.levels());
        let agree = |way: Direction| {
            let side = self.side(way.from()).iter().enumerate();
            let mut groups: BTreeMap<GroupKey, Lines> = BTreeMap::new();
            for (number, pattern) in side {
                for words in &image.form(pattern.form).factory {
                    let line = Line::new(image, Place::root(), pattern.form, words.clone());
                    let group = self.group_of(image, way.from(), number, &line.0);
                    let empty = || alloc::vec![Vec::new(); self.side(way.from()).len()];
                    groups.entry(group).or_insert_with(empty)[number].push(line);
                }
            }
            groups.iter().all(|(group, lines)| {
                let out = self.there_and_back(image, way, &none, group, lines);
                let says = |(key, line): &(LineKey, Line)| says_absence(image, key, line);
                out.is_ok_and(|out| out.iter().flatten().all(says))
            })
        };
        [Direction::Lower, Direction::Raise].into_iter().all(agree)
    }

    fn absence_is_written(&self, image: &Image, way: Direction) -> bool {
        if self.absences.iter().any(Option::is_none) {
            return false;
        }
        let at = GroupKey { change: Some(self.change), at: Place::root(), key: Vec::new() };
        let lines = self.absence(way.from(), &at);
        let out = self.make(image, way, &Config::factory(image.levels()), &at, &lines);
        let says = |(key, line): &(LineKey, Line)| !says_absence(image, key, line);
        out.is_ok_and(|out| out.iter().flatten().any(says))
    }

    /// The lines that the absence of all lines of a side says, in the place of `group`; none: it is
    /// not known.
    pub(crate) fn absence(&self, side: SideOf, group: &GroupKey) -> Lines {
        let said = self.absences[side as usize].iter().flatten().zip(self.side(side));
        said.map(|(words, pattern)| {
            let key = LineKey { place: group.at.clone(), form: pattern.form, key: Words::none() };
            alloc::vec![(key, Line { sign: words.sign(), words: words.clone() })]
        })
        .collect()
    }

    /// Where the lines of a side would stand in the place of `group` that no key tells apart, also
    /// where nobody knows what their absence says.
    pub(crate) fn unsaid(&self, image: &Image, side: SideOf, group: &GroupKey) -> Vec<LineKey> {
        let unkeyed = self.side(side).iter().filter(|of| of.address.is_empty());
        let key = |of: &Pattern| {
            let place = of.entries.iter().try_fold(group.at.clone(), |place, entry| {
                let words = image.form(*entry).form.build(Sign::Positive, &[]).ok()?;
                Some(place.child(*entry, words))
            });
            Some(LineKey { place: place?, form: of.form, key: Words::none() })
        };
        unkeyed.filter_map(key).collect()
    }

    /// Whether more than each capture for itself decides what goes.
    pub(crate) fn decides_together(&self) -> bool {
        let mut patterns = self.old.iter().chain(&self.new);
        self.one.is_some()
            || self.function.is_some()
            || self.is_revised_as_a_whole
            || patterns.any(|of| of.each.is_some() || of.optional.is_some())
    }

    /// The patterns of one side.
    pub fn side(&self, side: SideOf) -> &[Pattern] {
        match side {
            SideOf::Old => &self.old,
            SideOf::New => &self.new,
        }
    }

    /// The group of the line `key`, which is of pattern `pattern` of `side`.
    pub fn group_of(&self, image: &Image, side: SideOf, pattern: usize, key: &LineKey) -> GroupKey {
        let pattern = &self.side(side)[pattern];
        let values = address::of_line(image, key, self.depth, pattern);
        let at = address::ancestor(&key.place, self.depth);
        if let Some(key) = self.function_group(side, &values) {
            return GroupKey { change: Some(self.change), at, key };
        }
        let value = |name: &str| {
            let value: &str = values.get(name).map_or("", |value| value);
            match side {
                SideOf::New => self.mapped(Direction::Lower, name, value),
                SideOf::Old => Cow::Borrowed(value),
            }
        };
        GroupKey {
            change: Some(self.change),
            at,
            key: self.key.iter().map(|name| value(name).into()).collect(),
        }
    }

    /// Whether the line `key` of pattern `pattern` is found again by its group. Where it is not,
    /// what it carries does not tell it from another line.
    pub(crate) fn tells(&self, image: &Image, side: SideOf, pattern: usize, key: &LineKey) -> bool {
        let at = &self.side(side)[pattern];
        let whole = self.says_whole_key(at);
        // What is spelled otherwise may have no counterpart.
        let spelled = |name: &str| self.maps.contains_key(name) || self.scales.contains_key(name);
        let is_spelled = self.function.is_some() || self.key.iter().any(|name| spelled(name));
        let plain = at.plain && !is_spelled;
        plain || !whole || {
            let group = self.group_of(image, side, pattern, key);
            self.keys(image, side, &group)[pattern].as_ref() == Some(key)
        }
    }

    /// The keys of the lines of `group` on one side, by pattern; `None` where the group's key does
    /// not say the whole of it.
    pub(super) fn keys(
        &self,
        image: &Image,
        side: SideOf,
        group: &GroupKey,
    ) -> Vec<Option<LineKey>> {
        if let Some(keys) = self.function_line_keys(image, side, group) {
            return keys;
        }
        let mut named = Bindings::new();
        // What a line does not have is a value of the key, too.
        let has = self.key.iter().zip(&group.key).filter(|(_, value)| !value.is_empty());
        for (name, value) in has {
            let value = match side {
                SideOf::New => self.mapped(Direction::Raise, name, value),
                SideOf::Old => Cow::Borrowed(&**value),
            };
            named.insert(&**name, value);
        }
        let whole = |pattern: &&Pattern| self.says_whole_key(pattern);
        let patterns = self.side(side).iter();
        patterns
            .map(|pattern| {
                Some(pattern)
                    .filter(whole)
                    .and_then(|pattern| address::line_key(image, &group.at, pattern, &named))
            })
            .collect()
    }

    /// The lines of `group` on one side in `config`, by pattern.
    pub fn members(
        &self,
        image: &Image,
        side: SideOf,
        config: &Config,
        group: &GroupKey,
    ) -> Vec<Vec<(LineKey, Line)>> {
        let keys = self.keys(image, side, group);
        let patterns = self.side(side).iter().enumerate().zip(keys);
        patterns
            .map(|((number, pattern), key)| {
                if self.says_whole_key(pattern) {
                    let found = key.and_then(|key| Some((key.clone(), config.line(&key)?.clone())));
                    return found.into_iter().collect();
                }
                let mine = |key: &LineKey| {
                    key.form == pattern.form && self.group_of(image, side, number, key) == *group
                };
                let found: Vec<(&LineKey, &Line)> = if pattern.entries.is_empty() {
                    let lines = config.lines_of(&group.at, pattern.form);
                    lines.filter(|(key, _)| mine(key)).collect()
                } else {
                    config.lines_within(&group.at).filter(|(key, _)| mine(key)).collect()
                };
                let mut found: Vec<(LineKey, Line)> =
                    found.into_iter().map(|(key, line)| (key.clone(), line.clone())).collect();
                if matches!(pattern.each, Some(Each::Word(_))) {
                    // Their words stand in their order.
                    found.sort_by_cached_key(|(key, _)| config.position(key));
                }
                found
            })
            .collect()
    }

    /// What becomes of `group` in `config`, going `direction`.
    pub fn evaluate(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        group: &GroupKey,
    ) -> GroupStep {
        let mut present = self.members(image, direction.from(), config, group);
        if present.iter().all(Vec::is_empty) {
            let is_place = group.at.is_root() || config.entry(&group.at).is_some();
            if !(is_place && self.writes_absence(direction)) {
                let silent = self.absence(direction.to(), group).into_iter().flatten();
                let silent = silent.map(|(key, _)| key).collect();
                return GroupStep::Made { out: Vec::new(), silent };
            }
            present = self.absence(direction.from(), group);
        } else if group.key.is_empty() {
            self.fill_absent(image, direction.from(), group, &mut present);
        }
        if self.side(direction.to()).is_empty() {
            return GroupStep::Stuck(match self.alone {
                Alone::Stuck => StuckCause::NoTransform,
                Alone::Drop => StuckCause::Dropped,
            });
        }
        if let Err(step) = self.is_whole(image, direction, &present) {
            return step;
        }
        let taken = self.members(image, direction.to(), config, group);
        if taken.iter().any(|lines| !lines.is_empty()) {
            return GroupStep::Stuck(StuckCause::Taken);
        }
        match self.there_and_back(image, direction, config, group, &present) {
            Ok(out) => {
                let mut out: Vec<(LineKey, Line)> = out.into_iter().flatten().collect();
                if out.is_empty() && direction == Direction::Raise {
                    // No instance is there that could have a copy.
                    return GroupStep::Pending;
                }
                // What an absent line says there is not written.
                let says = |(key, line): &mut (LineKey, Line)| says_absence(image, key, line);
                let silent: Vec<LineKey> = out.extract_if(.., says).map(|(key, _)| key).collect();
                if out.is_empty() && !self.comes_back(image, direction, config, group, &present) {
                    return GroupStep::Stuck(StuckCause::Unverified);
                }
                GroupStep::Made { out, silent }
            }
            Err(StuckCause::Pending) => GroupStep::Pending,
            Err(cause) => GroupStep::Stuck(cause),
        }
    }

    /// Whether lines that are said by absence on the other side are what is made of that absence.
    fn comes_back(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        group: &GroupKey,
        lines: &[Vec<(LineKey, Line)>],
    ) -> bool {
        let absent = lines.iter().flatten().all(|(key, line)| says_absence(image, key, line));
        absent
            || self.writes_absence(direction.back()) && {
                let absence = self.absence(direction.to(), group);
                let back = self.make(image, direction.back(), config, group, &absence);
                back.is_ok_and(|back| back == lines)
            }
    }

    /// The lines of a side that absence says beside those of a group that are there, or for all of
    /// it: by key.
    pub(crate) fn silent(
        &self,
        image: &Image,
        side: SideOf,
        config: &Config,
        group: &GroupKey,
    ) -> Vec<LineKey> {
        if !self.may_be_silent[side as usize] {
            return Vec::new();
        }
        let mut present = self.members(image, side, config, group);
        if present.iter().all(Vec::is_empty) {
            present = self.absence(side, group);
        } else if group.key.is_empty() {
            let there: Vec<bool> = present.iter().map(|lines| !lines.is_empty()).collect();
            self.fill_absent(image, side, group, &mut present);
            for (lines, _) in present.iter_mut().zip(there).filter(|(_, there)| *there) {
                lines.clear();
            }
        }
        present.into_iter().flatten().map(|(key, _)| key).collect()
    }

    /// Whether all lines of a group are there, and none twice.
    fn is_whole(
        &self,
        image: &Image,
        direction: Direction,
        present: &[Vec<(LineKey, Line)>],
    ) -> Result<(), GroupStep> {
        if self.function.is_some() {
            // It says itself what it needs.
            return Ok(());
        }
        let side = self.side(direction.from());
        let conflict = Err(GroupStep::Stuck(StuckCause::Conflict));
        if self.one == Some(direction.from()) {
            let there = present.iter().filter(|lines| !lines.is_empty()).count();
            return if there == 1 { Ok(()) } else { conflict };
        }
        let mut lines = present.iter().zip(side);
        let missing = lines.find(|(lines, of)| lines.is_empty() && of.optional.is_none());
        let mut lines = present.iter().zip(side);
        let twice = lines.any(|(lines, of)| lines.len() > 1 && of.each.is_none());
        match (missing, direction, self.alone) {
            (None, _, _) if twice => conflict,
            (None, _, _) => Ok(()),
            (Some((_, pattern)), Direction::Lower, Alone::Stuck) => {
                let missing = Shared::text(image.form(pattern.form).form.text());
                Err(GroupStep::Stuck(StuckCause::Alone { missing }))
            }
            (Some(_), Direction::Raise, Alone::Stuck) => Err(GroupStep::Pending),
            (Some(_), _, Alone::Drop) => Err(GroupStep::Stuck(StuckCause::Dropped)),
        }
    }

    /// Puts the lines that the absent ones of a group say beside those that are there.
    fn fill_absent(
        &self,
        image: &Image,
        side: SideOf,
        group: &GroupKey,
        present: &mut [Vec<(LineKey, Line)>],
    ) {
        for (lines, pattern) in present.iter_mut().zip(self.side(side)) {
            let decl = image.form(pattern.form);
            // What is off says what the others say by being on.
            let off = pattern.not && decl.default == DefaultDecl::None && !decl.no_is_state();
            let off = off.then(|| decl.form.build(Sign::No, &[]).ok()).flatten();
            let said = decl.absent.clone().or(off);
            if let Some(words) = said.filter(|_| lines.is_empty() && pattern.entries.is_empty()) {
                let (place, form) = (group.at.clone(), pattern.form);
                let key = LineKey { place, form, key: Words::none() };
                lines.push((key, Line { sign: words.sign(), words }));
            }
        }
    }

    /// The lines of the other side. A group goes only if these, taken back, are the group again:
    /// so no change makes one of two, whatever a family declares.
    fn there_and_back(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        group: &GroupKey,
        lines: &Lines,
    ) -> Result<Lines, StuckCause> {
        let out = self.make(image, direction, config, group, lines)?;
        let mine = |(pattern, lines): (usize, &Vec<(LineKey, Line)>)| {
            let of = |key: &LineKey| self.group_of(image, direction.to(), pattern, key) == *group;
            lines.iter().all(|(key, _)| of(key))
        };
        let keys: BTreeSet<&LineKey> = out.iter().flatten().map(|(key, _)| key).collect();
        let once = keys.len() == out.iter().map(Vec::len).sum::<usize>();
        let back = self.make(image, direction.back(), config, group, &out);
        // Where no copy was made, nothing is known of the way back.
        let none = out.iter().all(Vec::is_empty);
        let same =
            none || back.is_ok_and(|back| self.is_same(image, direction.from(), back, lines));
        if !(same && once && out.iter().enumerate().all(mine)) {
            return Err(StuckCause::Unverified);
        }
        if self.revised && self.function.is_none() {
            self.says_another_thing(image, direction, lines, &out)?;
        }
        Ok(out)
    }

    /// Whether these are the same lines of a side. Where no list keeps the order of several lines
    /// of a form, they are told apart by their keys.
    fn is_same(&self, image: &Image, side: SideOf, mut back: Lines, lines: &Lines) -> bool {
        if back == *lines {
            return true;
        }
        let mut given = lines.clone();
        let patterns = self.side(side).iter().zip(back.iter_mut().zip(&mut given));
        for (pattern, (back, given)) in patterns {
            let is_list = pattern.each.is_some() && image.form(pattern.form).list.is_some();
            if !is_list {
                back.sort();
                given.sort();
            }
        }
        back == given || self.differ_by_losses(image, &given, &back)
    }

    /// Of lines whose words mean another thing on the other side: that none goes word for word, but
    /// where pairs of maps say all of it.
    ///
    /// # Errors
    /// The value of one that does, by which it could say another thing.
    fn says_another_thing(
        &self,
        image: &Image,
        way: Direction,
        lines: &Lines,
        out: &Lines,
    ) -> Result<(), StuckCause> {
        for (key, line) in lines.iter().flatten() {
            let form = &image.form(key.form).form;
            let is_same = |(other, made): &&(LineKey, Line)| {
                image.form(other.form).form == *form && made.words.text() == line.words.text()
            };
            if out.iter().flatten().find(is_same).is_none() {
                continue;
            }
            let values = form.values_of(&line.words);
            let unpaired = values.iter().filter(|(name, of)| !self.is_paired(way, name, of));
            let unpaired: Vec<(&str, &str)> =
                unpaired.map(|(name, value)| (*name, &**value)).collect();
            if !values.is_empty() && unpaired.is_empty() {
                continue;
            }
            let of_map = unpaired.iter().find(|(name, _)| self.maps.contains_key(*name));
            let value = of_map.or_else(|| unpaired.first());
            let Some((name, value)) = value.filter(|_| self.relates()) else {
                return Err(StuckCause::NoTransform);
            };
            let pairs = self.maps.get(*name).into_iter().flatten();
            let paired: Vec<&str> = pairs
                .map(|(old, new)| match way {
                    Direction::Lower => &**new,
                    Direction::Raise => &**old,
                })
                .collect();
            return Err(StuckCause::Value {
                capture: Shared::text(name),
                value: Shared::text(value),
                allowed: Shared::from(paired.join("|")),
            });
        }
        Ok(())
    }

    /// Whether anything says what a line that means another thing on the other side comes to.
    pub(crate) fn relates(&self) -> bool {
        let turned = self.old.iter().chain(&self.new).any(|pattern| pattern.not);
        let by_function = self.function.is_some();
        turned
            || by_function
            || !self.maps.is_empty()
            || !self.scales.is_empty()
            || !self.implied.is_empty()
    }

    /// Whether a map has a pair for a value.
    pub(crate) fn is_paired(&self, way: Direction, name: &str, value: &str) -> bool {
        let mut pairs = self.maps.get(name).into_iter().flatten();
        pairs.any(|(old, new)| {
            let from = match way {
                Direction::Lower => new,
                Direction::Raise => old,
            };
            **from == *value
        })
    }

    /// The lines of the other side, by pattern, from the lines of each pattern of this side.
    pub(super) fn make(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        group: &GroupKey,
        lines: &[Vec<(LineKey, Line)>],
    ) -> Result<Lines, StuckCause> {
        if let Some(function) = &self.function {
            return self.make_by_function(image, direction, function, group, lines);
        }
        let from = self.side(direction.from());
        let first = lines.iter().zip(from).find_map(|(lines, of)| Some((lines.first()?, of)));
        let Some(((_, line), of)) = first else {
            return Err(StuckCause::NoTransform);
        };
        let sign = line.sign.turned(of.not);
        let says_all = lines.iter().flatten().any(|(_, line)| line.sign == Sign::Positive);
        let mut values = Bindings::new();
        for (lines, pattern) in lines.iter().zip(from) {
            self.read_lines(image, direction, pattern, sign, lines, &mut values)?;
        }
        if sign == Sign::Positive {
            self.imply(direction, &mut values)?;
        }
        self.take_losses(image, direction, sign, &mut values);
        let to = self.side(direction.to());
        if self.one == Some(direction.to()) {
            return self.make_one(image, group, to, sign, &values);
        }
        if says_all {
            self.check_said(image, to, &values)?;
        }
        let mut made = Lines::new();
        for pattern in to {
            let is_there = pattern.optional.is_none() || is_meant(image, to, pattern, &values);
            let sign = sign.turned(pattern.not);
            made.push(if is_there {
                self.write_lines(image, config, group, pattern, sign, &values)?
            } else {
                Vec::new()
            });
        }
        Ok(made)
    }

    /// What the lines of one pattern say, as the other side spells it.
    fn read_lines<'a>(
        &'a self,
        image: &'a Image,
        direction: Direction,
        pattern: &'a Pattern,
        sign: Sign,
        lines: &'a [(LineKey, Line)],
        values: &mut Bindings<'a>,
    ) -> Result<(), StuckCause> {
        let mut words: Vec<String> = Vec::new();
        for (key, line) in lines {
            if line.sign.turned(pattern.not) != sign {
                return Err(StuckCause::Conflict);
            }
            let mut all = address::of_line(image, key, self.depth, pattern);
            all.extend(image.form(key.form).form.values_of(&line.words));
            if line.sign == Sign::Positive {
                self.fill(image, direction.to(), key.form, &mut all);
            }
            for (name, value) in all {
                match &pattern.each {
                    Some(Each::Word(each)) if **each == *name => {
                        words.push(self.spelling(direction, name, &value)?.into_owned());
                        continue;
                    }
                    Some(Each::Instance(names)) if names.iter().any(|of| **of == *name) => continue,
                    Some(_) | None => {}
                }
                let value = self.spelling_of(direction, name, value)?;
                match values.get(name) {
                    Some(other) if *other != value => return Err(StuckCause::Conflict),
                    _ => values.insert(name, value),
                };
            }
        }
        if let Some(Each::Word(each)) = pattern.each.as_ref().filter(|_| !words.is_empty()) {
            values.insert(each, Cow::Owned(words.join(" ")));
        }
        let flag = pattern.optional.as_deref().filter(|flag| !flag.is_empty());
        if let Some(flag) = flag.filter(|_| !lines.is_empty()) {
            values.insert(flag, Cow::Borrowed(self.flag_word(image, direction.to(), flag)));
        }
        Ok(())
    }

    /// Adds what a line says by leaving an optional part out, where the other side has a place for
    /// it.
    fn fill<'a>(&self, image: &'a Image, to: SideOf, form: FormId, all: &mut Bindings<'a>) {
        let decl = image.form(form);
        for name in decl.form.carried() {
            let Some(value) = decl.filled(name).filter(|_| !all.contains_key(name)) else {
                continue;
            };
            let carries = |form: &FormId| image.form(*form).form.carries(name);
            let mut there = self.side(to).iter();
            if there.any(|of| of.entries.iter().chain([&of.form]).any(carries)) {
                all.insert(name, Cow::Borrowed(value));
            }
        }
    }

    /// The value of a flag: the keyword of that name on the other side.
    fn flag_word<'a>(&'a self, image: &'a Image, side: SideOf, flag: &'a str) -> &'a str {
        let forms = self.side(side).iter().map(|pattern| &image.form(pattern.form).form);
        let mut leaves = forms.flat_map(|form| {
            form.capture(flag).into_iter().map(|leaf| form.leaf(leaf)).collect::<Vec<_>>()
        });
        leaves
            .find_map(|leaf| match &leaf.token {
                Token::Keyword(word) => Some(&**word),
                _ => None,
            })
            .unwrap_or(flag)
    }

    /// The lines of one pattern that say what it has a place for.
    fn write_lines(
        &self,
        image: &Image,
        config: &Config,
        group: &GroupKey,
        pattern: &Pattern,
        sign: Sign,
        values: &Bindings<'_>,
    ) -> Result<Vec<(LineKey, Line)>, StuckCause> {
        let build = |values: &Bindings<'_>| address::build(image, &group.at, pattern, sign, values);
        match &pattern.each {
            None => Ok(alloc::vec![build(values)?]),
            Some(Each::Word(name)) => {
                let words = values.get(&**name).map_or("", |words| words).split(' ');
                let line = |word: &str| {
                    let mut one = values.clone();
                    one.insert(name, Cow::Owned(word.to_string()));
                    build(&one)
                };
                words.map(line).collect()
            }
            Some(Each::Instance(_)) => {
                let instances = config.entries_within(&group.at).filter(|place| {
                    let below = place.instances().get(self.depth..).unwrap_or_default();
                    pattern.is_mode_of(below)
                });
                let form = &image.form(pattern.form).form;
                let given = address::wanted(form, values);
                let words = form.build(sign, &given).map_err(|error| cause_of(form, error))?;
                let words = image.form(pattern.form).canonical(words);
                let copy =
                    |place: &Place| Line::new(image, place.clone(), pattern.form, words.clone());
                Ok(instances.map(copy).collect())
            }
        }
    }

    /// The one line that says all of a group: of those that do, the one that fits best, or that is
    /// first.
    fn make_one(
        &self,
        image: &Image,
        group: &GroupKey,
        to: &[Pattern],
        sign: Sign,
        values: &Bindings<'_>,
    ) -> Result<Lines, StuckCause> {
        let mut failed = None;
        let mut made = Vec::new();
        for (number, pattern) in to.iter().enumerate() {
            let said = self.check_said(image, core::slice::from_ref(pattern), values);
            let sign = sign.turned(pattern.not);
            match said.and_then(|()| address::build(image, &group.at, pattern, sign, values)) {
                Ok(line) => made.push((fit_of(image, pattern.form, &line.1.words), number, line)),
                Err(cause) => failed = failed.or(Some(cause)),
            }
        }
        let best = made.into_iter().min_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let Some((_, number, line)) = best else {
            return Err(failed.unwrap_or(StuckCause::NoTransform));
        };
        let mut lines = alloc::vec![Vec::new(); to.len()];
        lines[number].push(line);
        Ok(lines)
    }

    /// Every value must be said by some line of the other side: nothing is lost unsaid.
    fn check_said(
        &self,
        image: &Image,
        to: &[Pattern],
        values: &Bindings<'_>,
    ) -> Result<(), StuckCause> {
        let says = |form: FormId, name: &str| image.form(form).form.carries(name);
        let unsaid = values.iter().find(|(name, _)| {
            let said = |pattern: &Pattern| {
                says(pattern.form, name)
                    || pattern.entries.iter().any(|entry| says(*entry, name))
                    || pattern.optional.as_deref() == Some(**name)
            };
            !to.iter().any(said)
        });
        unsaid.map_or(Ok(()), |(name, value)| {
            Err(StuckCause::Value {
                capture: Shared::text(name),
                value: Shared::text(value),
                allowed: Shared::text(""),
            })
        })
    }

    /// The values of a capture that are spelled otherwise on a side, of both.
    pub fn spelled(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.maps.get(name).into_iter().flatten();
        pairs.flat_map(|(old, new)| [&**old, &**new])
    }

    /// How many times as large numbers of a capture are on the other side.
    pub fn scale(&self, direction: Direction, name: &str) -> Option<Scale> {
        let scale = *self.scales.get(name)?;
        Some(match direction {
            Direction::Raise => scale,
            Direction::Lower => scale.back(),
        })
    }

    /// What `value` of capture `name` is on the other side; itself where there is no such.
    pub fn mapped<'a>(&'a self, direction: Direction, name: &str, value: &'a str) -> Cow<'a, str> {
        self.spelling(direction, name, value).unwrap_or(Cow::Borrowed(value))
    }

    /// What a line says by being there: on its way down it gets the value, on its way up it says no
    /// other.
    ///
    /// # Errors
    /// It says another.
    pub(super) fn imply<'a>(
        &'a self,
        direction: Direction,
        values: &mut Bindings<'a>,
    ) -> Result<(), StuckCause> {
        for (name, value) in &self.implied {
            match direction {
                Direction::Lower => drop(values.insert(&**name, Cow::Borrowed(&**value))),
                Direction::Raise => {
                    if let Some(found) = values.remove(&**name).filter(|found| *found != **value) {
                        return Err(StuckCause::Value {
                            capture: Shared::text(name),
                            value: Shared::text(&found),
                            allowed: Shared::text(value),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether each value of a name is the same word on both sides.
    pub(super) fn is_spelled_alike(&self, name: &str) -> bool {
        !self.maps.contains_key(name) && !self.scales.contains_key(name)
    }

    /// What a value is on the other side; word by word, where each has a line there.
    fn spelling_of<'a>(
        &'a self,
        direction: Direction,
        name: &str,
        value: Cow<'a, str>,
    ) -> Result<Cow<'a, str>, StuckCause> {
        let is_word =
            |pattern: &Pattern| matches!(&pattern.each, Some(Each::Word(each)) if **each == *name);
        if self.side(direction.to()).iter().any(is_word) {
            let words = value.split(' ').map(|word| self.spelling(direction, name, word));
            let words: Vec<Cow<'_, str>> = words.collect::<Result<_, _>>()?;
            return Ok(Cow::Owned(words.join(" ")));
        }
        match value {
            Cow::Borrowed(value) => self.spelling(direction, name, value),
            Cow::Owned(value) => {
                Ok(Cow::Owned(self.spelling(direction, name, &value)?.into_owned()))
            }
        }
    }

    /// What `value` of capture `name` is on the other side.
    pub(crate) fn spelling<'a>(
        &'a self,
        direction: Direction,
        name: &str,
        value: &'a str,
    ) -> Result<Cow<'a, str>, StuckCause> {
        let pairs = self.maps.get(name).into_iter().flatten();
        let found = pairs.filter_map(|(old, new)| match direction {
            Direction::Lower => (**new == *value).then_some(old),
            Direction::Raise => (**old == *value).then_some(new),
        });
        // Of two words for one, that which is declared.
        let declared = self.losses.get(name);
        let is_other = |found: &&str| declared.is_some_and(|declared| **found != **declared);
        if let Some(found) = found.map(|found| &**found).min_by_key(is_other) {
            return Ok(Cow::Borrowed(found));
        }
        let Some((scale, number)) = self.scale(direction, name).zip(value.parse().ok()) else {
            return Ok(Cow::Borrowed(value));
        };
        let scaled = scale.of(number).ok_or_else(|| StuckCause::Value {
            capture: Shared::text(name),
            value: Shared::text(value),
            allowed: Shared::from(alloc::format!("a multiple of {}", scale.whole_of())),
        })?;
        Ok(Cow::Owned(scaled.to_string()))
    }
}

impl Pattern {
    fn new(
        image: &Image,
        form: FormId,
        (entries, beyond): (Vec<FormId>, Vec<FormId>),
        side: &Side,
    ) -> Self {
        let mut address = BTreeSet::new();
        for entry in &entries {
            address.extend(address::entry_names(image, *entry));
        }
        let keyed = address::key_names(image, form);
        address.extend(keyed.iter().cloned());
        let plain = entries.iter().chain([&form]).all(|form| image.form(*form).form.is_plain());
        let each = side.each.as_deref().map(|name| {
            let of_entries =
                || entries.iter().flat_map(|entry| address::entry_names(image, *entry));
            if of_entries().any(|named| *named == *name) {
                Each::Instance(of_entries().collect())
            } else {
                Each::Word(name.into())
            }
        });
        let optional = side.optional.as_deref().map(Into::into);
        Self { form, entries, beyond, address, keyed, plain, not: side.not, optional, each }
    }

    /// Whether the instances below the place of a group lead to the mode of its lines. They may be
    /// named as on the other side: the rung read is of one level, and its instances of the next
    /// may be called otherwise.
    fn is_mode_of(&self, below: &[(FormId, Words)]) -> bool {
        let entered = || below.iter().map(|(entry, _)| entry);
        entered().eq(&self.entries) || entered().eq(&self.beyond)
    }
}

/// Whether a group has an optional line: its flag is given, or something that no other line says.
fn is_meant(image: &Image, side: &[Pattern], pattern: &Pattern, values: &Bindings<'_>) -> bool {
    if let Some(flag) = pattern.optional.as_deref().filter(|flag| !flag.is_empty()) {
        return values.contains_key(flag);
    }
    let others = side.iter().filter(|other| other.form != pattern.form);
    let others: Vec<&Form> = others.map(|other| &image.form(other.form).form).collect();
    let own = image.form(pattern.form).form.carried();
    let mut own = own.filter(|name| !others.iter().any(|form| form.carries(name)));
    own.any(|name| values.contains_key(name))
}

/// How the words of a line fit its form, the worst first; the lesser fits better.
fn fit_of(image: &Image, form: FormId, words: &Words) -> Vec<Option<Fit>> {
    let form = &image.form(form).form;
    let values = form.values_of(words);
    let fit = |(name, value): (&&str, &Cow<'_, str>)| {
        let leaves = form.capture(name).into_iter();
        leaves.filter_map(|leaf| form.leaf(leaf).token.fit(value)).min()
    };
    let mut fits: Vec<Option<Fit>> = values.iter().map(fit).collect();
    fits.sort();
    fits.reverse();
    fits
}

/// Whether a line says what its absence says.
fn says_absence(image: &Image, key: &LineKey, line: &Line) -> bool {
    image.form(key.form).says_absence(&line.words)
}

/// Whether an absent line says nothing at all: it is neither on nor off. A default of an optional
/// part is what a line without the part says.
fn is_unsaid(decl: &FormDecl) -> bool {
    decl.no_is_state() && decl.default != DefaultDecl::Line && decl.absent.is_none()
}

/// What the absence of all lines of a side says; none: nobody knows.
fn absence(image: &Image, side: &[Pattern]) -> Option<Vec<Words>> {
    let here = |pattern: &Pattern| pattern.entries.is_empty() && pattern.address.is_empty();
    if side.is_empty() || !side.iter().all(here) {
        return None;
    }
    let decls = || side.iter().map(|pattern| image.form(pattern.form));
    if decls().any(|decl| decl.enters.is_some() || decl.key.is_none()) {
        return None;
    }
    if decls().any(is_unsaid) {
        return None;
    }
    if decls().all(|decl| decl.default == DefaultDecl::None) {
        return decls().map(|decl| decl.form.build(Sign::No, &[]).ok()).collect();
    }
    decls().map(|decl| decl.absent.clone()).collect()
}

/// A form of one side, with the modes from the root's child down to its own.
struct SidePath<'a> {
    form: FormId,
    path: Vec<ModeId>,
    side: &'a Side,
}

/// The forms of one side.
fn sides<'a>(
    image: &Image,
    sides: &'a [Side],
    level: Level,
) -> Result<Vec<SidePath<'a>>, RuleError> {
    sides
        .iter()
        .map(|side| {
            let none = || RuleError::NoForm {
                mode: side.mode.as_str().into(),
                form: side.form.as_str().into(),
                level,
            };
            let mode = image.mode(&side.mode).ok_or_else(none)?;
            let form = Form::parse(&side.form).map_err(|_| none())?;
            let form = image.find(mode, &form, level).ok_or_else(none)?;
            Ok(SidePath { form, path: path_of(image, mode), side })
        })
        .collect()
}

/// The modes from the root's child down to `mode`.
pub(crate) fn path_of(image: &Image, mode: ModeId) -> Vec<ModeId> {
    let mut path = Vec::new();
    let mut at = mode;
    while let Some(parent) = image.parent(at) {
        path.push(at);
        at = parent;
    }
    path.reverse();
    path
}

/// The beginning that two paths share.
fn shared<'a>(one: &'a [ModeId], other: &'a [ModeId]) -> &'a [ModeId] {
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    &one[..common]
}

/// The cause that a refused build is.
pub(super) fn cause_of(form: &Form, error: BuildError) -> StuckCause {
    let value = |capture: &str, value: &str, allowed: &str| StuckCause::Value {
        capture: Shared::text(capture),
        value: Shared::text(value),
        allowed: Shared::text(allowed),
    };
    match error {
        BuildError::Unfit { name, value: given, .. } => {
            let leaves = form.capture(&name);
            let kinds: Vec<String> =
                leaves.iter().map(|leaf| form.leaf(*leaf).token.to_string()).collect();
            value(&name, &given, &kinds.join("|"))
        }
        BuildError::Missing { name } => value(&name, "", ""),
        BuildError::Unused { name, value: given } => value(&name, &given, ""),
        BuildError::Sign => StuckCause::NoTransform,
    }
}

impl Rule {
    /// The one value of `name` that the new side says by its presence.
    pub fn implied_value(&self, name: &str) -> Option<&str> {
        self.implied.iter().find(|(implied, _)| **implied == *name).map(|(_, value)| &**value)
    }
}
