//! The domain of a change: the lines on which it is tried, from one side of it.
//!
//! Values are those at which something may change: of each capture every alternative, the ends of
//! ranges on both sides with their neighbours, all pairs of maps. Groups are whole and in part,
//! alone and beside others.

mod pairs;
mod values;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use skewsync::config::Config;
use skewsync::grammar::{Form, Sign, Words, split_words};
use skewsync::ids::FormId;
use skewsync::image::{Change, FormDecl, Image, OneSide, Refusal, Side};
use skewsync::parse::{self, Place};
use skewsync::transform::Direction;
use skewsync_reference::Reference;

/// Combinations of values that are tried of a change and way; of more, all pairs are.
pub(crate) const COMBINATIONS_MAX: usize = 512;
/// Lines of a group that stand in each order, and of which each subset stands alone.
const ORDERED_MAX: usize = 4;
/// Lines of a form that show what it can say.
const EXAMPLES_MAX: usize = 64;
/// Groups beside one, for each name.
const BESIDE_MAX: usize = 3;

/// Values by name.
type Values<'a> = BTreeMap<&'a str, Cow<'a, str>>;

/// One command: a line, where it is entered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Command {
    pub(crate) place: Place,
    pub(crate) form: FormId,
    pub(crate) words: Words,
}

/// What a sequence of commands is of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// All lines of one group.
    Whole,
    /// A part of a group, several groups, or lines beside them.
    Other,
}

/// Commands in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scene {
    pub(crate) kind: Kind,
    pub(crate) commands: Vec<Command>,
}

/// Which combinations of values are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Combined {
    #[default]
    All,
    Pairs,
}

/// One line of the side that is read.
struct Pattern<'a> {
    side: &'a Side,
    form: FormId,
    decl: &'a FormDecl,
    /// The entries around it, from the root on.
    entries: Vec<FormId>,
}

/// One side of a change, in the image of the unit that has it.
pub(crate) struct Domain<'a> {
    image: &'a Image,
    other: &'a Image,
    change: &'a Change,
    /// All changes of the newer image.
    changes: &'a [Change],
    way: Direction,
    patterns: Vec<Pattern<'a>>,
    /// The forms of the other side, and of the entries around them.
    there: Vec<Form>,
    /// The lines of the other side: mode, form and revision.
    there_decls: Vec<(&'a str, &'a Form, u16)>,
    /// Keywords that stand beside the other side's.
    beside: Vec<String>,
    /// Where the other unit refuses a line of the other side for want of another.
    needs: Vec<&'a Refusal>,
    /// Entries that the same level names otherwise, each with the line in which the name stands.
    names: Vec<(FormId, FormId)>,
}

impl Command {
    pub(crate) fn new(place: Place, form: FormId, words: Words) -> Self {
        Self { place, form, words }
    }

    /// The text of the command, from the root on.
    pub(crate) fn text(&self) -> String {
        let around = self.place.instances().iter().map(|(_, words)| words.written());
        let lines: Vec<Cow<'_, str>> = around.chain([self.words.written()]).collect();
        lines.join("\n") + "\n"
    }

    /// The command that undoes it; none: there is none.
    pub(crate) fn undone(&self, image: &Image) -> Option<Self> {
        let form = &image.form(self.form).form;
        let values = form.values_of(&self.words);
        let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
        let sign = match self.words.sign() {
            Sign::Positive => Sign::No,
            Sign::No => Sign::Positive,
        };
        let words = form.build(sign, &values).ok()?;
        Some(Self { words, ..self.clone() })
    }
}

impl Scene {
    fn whole(commands: Vec<Command>) -> Self {
        Self { kind: Kind::Whole, commands }
    }

    pub(crate) fn other(commands: Vec<Command>) -> Self {
        Self { kind: Kind::Other, commands }
    }
}

impl<'a> Domain<'a> {
    /// The side of `change` that a unit of `image` has, on its way to one of `other`; none: it has
    /// no such side.
    pub(crate) fn new(
        change: &'a Change,
        way: Direction,
        (image, other): (&'a Image, &'a Image),
    ) -> Option<Self> {
        let (here, there, newer) = match way {
            Direction::Lower => (&change.new, &change.old, image),
            Direction::Raise => (&change.old, &change.new, other),
        };
        let changes = &newer.declarations().changes;
        let find = |image: &Image, side: &Side| {
            let mode = image.mode(&side.mode)?;
            let form = Form::parse(&side.form).ok()?;
            image.living(mode, &form)
        };
        let patterns = here.iter().map(|side| {
            let form = find(image, side)?;
            let decl = image.form(form);
            Some(Pattern { side, form, decl, entries: entries(image, decl)? })
        });
        let patterns: Vec<Pattern<'a>> = patterns.collect::<Option<_>>()?;
        let ids = there.iter().map(|side| find(other, side)).collect::<Option<Vec<_>>>()?;
        let beside = values::keywords_beside(other, &ids);
        let there_decls = ids.iter().map(|form| {
            let decl = other.form(*form);
            (other.mode_name(decl.mode), &decl.form, decl.revision)
        });
        let there_decls = there_decls.collect();
        let needs = other.refusals_at(other.levels()).filter(|refusal| {
            refusal.without && refusal.first.forms().any(|form| ids.contains(&form))
        });
        let needs = needs.collect();
        let is_beside = |of: &&Change| {
            (of.component, of.level) == (change.component, change.level) && *of != change
        };
        let names = changes.iter().filter(is_beside).filter_map(|of| {
            let side = if way == Direction::Lower { &of.new } else { &of.old };
            let [entry, name] = &**side else { return None };
            let entry = find(image, entry).filter(|form| image.form(*form).enters.is_some())?;
            Some((entry, find(image, name)?))
        });
        let names = names.collect();
        let there = ids.into_iter().flat_map(|form| {
            let around = entries(other, other.form(form)).unwrap_or_default().into_iter();
            around.chain([form]).map(|form| other.form(form).form.clone()).collect::<Vec<_>>()
        });
        let there = there.collect();
        (!patterns.is_empty()).then_some(Self {
            image,
            other,
            change,
            changes,
            way,
            patterns,
            there,
            there_decls,
            beside,
            needs,
            names,
        })
    }

    /// The sequences of commands on which the change is tried, each once.
    pub(crate) fn scenes(&self) -> (Vec<Scene>, Combined) {
        let (groups, combined) = self.combinations();
        let mut scenes = Vec::new();
        let is_one = self.is_one();
        for values in &groups {
            match is_one {
                false => {
                    let Some(group) = self.group(values) else { continue };
                    let needed = self.needed(&group, values);
                    if !needed.is_empty() {
                        scenes.push(Scene::whole([needed, group.clone()].concat()));
                    }
                    scenes.push(Scene::whole(group));
                }
                true => {
                    let lines = self.patterns.iter().filter_map(|of| self.line(of, values));
                    scenes.extend(lines.map(|line| Scene::whole(vec![line])));
                }
            }
        }
        let fullest = groups.iter().filter(|values| self.group(values).is_some());
        if let Some(typical) = fullest.max_by_key(|values| values.len()) {
            self.around(typical, &groups, &mut scenes);
        }
        for scene in scenes.iter_mut().filter(|_| !self.names.is_empty()) {
            scene.commands.splice(0..0, self.with_names(&scene.commands));
        }
        let mut seen = BTreeSet::new();
        scenes.retain(|scene| seen.insert(scene.commands.clone()));
        (scenes, combined)
    }

    /// The lines in which instances around these commands have their names.
    fn with_names(&self, commands: &[Command]) -> Vec<Command> {
        let places: BTreeSet<Place> =
            commands.iter().flat_map(|command| command.place.and_ancestors()).collect();
        let named = places.into_iter().filter_map(|place| {
            let (_, name) = self.names.iter().find(|(of, _)| Some(*of) == place.entry_form())?;
            let examples = self.image.form(*name).form.examples(EXAMPLES_MAX);
            let words = examples.into_iter().find(|words| words.sign() == Sign::Positive)?;
            Some(Command::new(place, *name, words))
        });
        named.collect()
    }

    /// Whether the same words mean another thing on the other side.
    pub(crate) fn is_revised(&self) -> bool {
        let revision = |of: &Pattern<'_>| {
            let same = self.there_decls.iter().find(|(mode, form, _)| {
                **form == of.decl.form && *mode == self.image.mode_name(of.decl.mode)
            });
            same.is_some_and(|(_, _, revision)| *revision != of.decl.revision)
        };
        self.patterns.iter().any(revision)
    }

    /// The same of lines of several values.
    pub(crate) fn is_revised_as_a_whole(&self) -> bool {
        let has_several = |of: &Pattern<'_>| of.decl.form.carried().nth(1).is_some();
        self.is_revised() && self.patterns.iter().any(has_several)
    }

    /// Whether one line of the side stands for a group.
    fn is_one(&self) -> bool {
        match self.way {
            Direction::Lower => self.change.one == Some(OneSide::New),
            Direction::Raise => self.change.one == Some(OneSide::Old),
        }
    }

    /// The lines of a whole group with these values; none: one that must be there cannot be.
    fn group(&self, values: &Values<'_>) -> Option<Vec<Command>> {
        let mut lines = Vec::new();
        for of in &self.patterns {
            match self.line(of, values) {
                Some(line) => lines.push(line),
                None if of.side.optional.is_some() || self.is_one() => {}
                None => return None,
            }
        }
        (!lines.is_empty()).then_some(lines)
    }

    /// The lines without which the other unit refuses what a group becomes.
    fn needed(&self, group: &[Command], values: &Values<'_>) -> Vec<Command> {
        let values: BTreeMap<String, String> =
            values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let Some(place) = group.first().map(|command| &command.place) else { return Vec::new() };
        let needed = self.needs.iter().filter_map(|refusal| {
            let line = refusal.second.example(&values)?;
            let words: Vec<&str> = split_words(line.text()).collect();
            let mode = place.mode(self.image);
            match parse::words(self.image, self.image.own(), mode, &words) {
                Ok((form, words)) => Some(vec![Command::new(place.clone(), form, words)]),
                Err(_) => self.needed_otherwise(place, &line),
            }
        });
        needed.flatten().collect()
    }

    /// The lines of an instance that become this line of the other unit, which is in other words
    /// here.
    fn needed_otherwise(&self, place: &Place, line: &Words) -> Option<Vec<Command>> {
        let around = place.instances().iter().map(|(_, words)| words.written());
        let text: Vec<Cow<'_, str>> = around.chain([line.written()]).collect();
        let mut there = Config::factory(self.other.levels());
        there.execute(self.other, self.other.own(), &text.join("\n")).ok()?;
        let here = Reference::between(self.other, self.image).translate(&there).standby;
        let lines = here.lines().filter(|(key, _)| key.place == *place);
        Some(
            lines
                .map(|(key, line)| Command::new(place.clone(), key.form, line.words.clone()))
                .collect(),
        )
    }

    /// The line of a pattern with those of these values that it has a place for.
    fn line(&self, of: &Pattern<'_>, values: &Values<'_>) -> Option<Command> {
        self.signed(of, self.sign(of), values)
    }

    /// The sign of a line of a group: what says its absence is never written, only its `no`.
    fn sign(&self, of: &Pattern<'_>) -> Sign {
        let first = &self.patterns[0];
        let sign = if first.decl.default.is_line() { Sign::No } else { Sign::Positive };
        sign.turned(first.side.not).turned(of.side.not)
    }

    fn signed(&self, of: &Pattern<'_>, sign: Sign, values: &Values<'_>) -> Option<Command> {
        let words = of.decl.form.build(sign, &wanted(&of.decl.form, values)).ok()?;
        Some(Command::new(self.place(of, values)?, of.form, words))
    }

    /// The place of a line: the instances that its values name, else any.
    fn place(&self, of: &Pattern<'_>, values: &Values<'_>) -> Option<Place> {
        let mut place = Place::root();
        for entry in &of.entries {
            let form = &self.image.form(*entry).form;
            let examples = form.examples(EXAMPLES_MAX);
            let example = examples.iter().find(|words| words.sign() == Sign::Positive)?;
            let mut all = form.values_of(example);
            let named = values.iter().filter(|(name, _)| form.carries(name));
            all.extend(named.map(|(name, value)| (*name, value.clone())));
            let all: Vec<(&str, &str)> = all.iter().map(|(n, v)| (*n, &**v)).collect();
            place = place.child(*entry, form.build(Sign::Positive, &all).ok()?);
        }
        Some(place)
    }

    /// What stands around a typical group: parts of it, other signs, others beside it, and places.
    fn around(&self, typical: &Values<'a>, groups: &[Values<'a>], scenes: &mut Vec<Scene>) {
        let Some(whole) = self.group(typical) else { return };
        for part in subsets(&whole) {
            scenes.push(Scene::other(part));
        }
        if whole.len() <= ORDERED_MAX {
            scenes.extend(orders(&whole).into_iter().map(Scene::other));
        }
        self.other_signs(typical, scenes);
        let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
        let beside = groups.iter().filter_map(|values| {
            let name = only_difference(typical, values)?;
            Some((name, values))
        });
        let mut beside: Vec<(&str, &Values<'a>)> = beside.collect();
        // Those first of which one word begins the other.
        beside.sort_by_key(|(name, values)| {
            let begins = typical
                .get(name)
                .zip(values.get(name))
                .is_some_and(|(one, other)| one.starts_with(&**other) || other.starts_with(&**one));
            !begins
        });
        for (name, values) in beside {
            let Some(other) = self.group(values) else { continue };
            let count = by_name.entry(name).or_default();
            *count += 1;
            if *count > BESIDE_MAX {
                continue;
            }
            scenes.push(Scene::other([whole.clone(), other.clone()].concat()));
            scenes.push(Scene::other([other.clone(), whole.clone()].concat()));
            // Lines of two groups by turns, and a group of which one line says another thing.
            let by_turns = whole.iter().zip(&other).flat_map(|(one, two)| [one, two]);
            scenes.push(Scene::other(by_turns.cloned().collect()));
            if whole.len() == other.len() && whole.len() > 1 {
                for (number, line) in other.iter().enumerate() {
                    let mut lines = whole.clone();
                    lines[number] = line.clone();
                    scenes.push(Scene::other(lines));
                }
            }
        }
        self.several(typical, groups, scenes);
        self.places(typical, &whole, scenes);
    }

    /// Each line, and all, as their `no`.
    fn other_signs(&self, typical: &Values<'_>, scenes: &mut Vec<Scene>) {
        let no = |of: &Pattern<'_>| self.signed(of, self.sign(of).turned(true), typical);
        let off: Vec<Command> = self.patterns.iter().filter_map(no).collect();
        if off.len() > 1 {
            scenes.push(Scene::other(off));
        }
        for (number, of) in self.patterns.iter().enumerate() {
            let Some(off) = no(of) else { continue };
            scenes.push(Scene::other(vec![off.clone()]));
            let Some(mut lines) = self.group(typical) else { continue };
            if number < lines.len() && lines[number].form == of.form {
                lines[number] = off.clone();
                scenes.push(Scene::other(lines.clone()));
            }
            if let (Some(line), true) = (self.line(of, typical), of.decl.keeps_no()) {
                scenes.push(Scene::other(vec![line.clone(), off.clone()]));
                scenes.push(Scene::other(vec![off, line]));
            }
        }
    }

    /// Of what a group has several lines: one, two and three, in each order.
    fn several(&self, typical: &Values<'a>, groups: &[Values<'a>], scenes: &mut Vec<Scene>) {
        for of in &self.patterns {
            let Some(name) = of.side.each.as_deref() else { continue };
            let others =
                groups.iter().filter(|values| only_difference(typical, values) == Some(name));
            let all = std::iter::once(typical).chain(others);
            let lines: Vec<Command> =
                all.filter_map(|values| self.line(of, values)).take(BESIDE_MAX).collect();
            let whole = self.group(typical).unwrap_or_default();
            let rest: Vec<Command> =
                whole.into_iter().filter(|line| line.form != of.form).collect();
            for some in orders(&lines).into_iter().chain(subsets(&lines)) {
                scenes.push(Scene::other([rest.clone(), some].concat()));
            }
        }
    }

    /// Places with nothing, with the group in one or two of them, and with a line that no change
    /// speaks of beside it.
    fn places(&self, typical: &Values<'a>, whole: &[Command], scenes: &mut Vec<Scene>) {
        let enters = |place: &Place| {
            let ((entry, words), _) = place.instances().split_last()?;
            Some(Command::new(place.parent().unwrap_or_default(), *entry, words.clone()))
        };
        let mut places: Vec<Place> =
            whole.iter().flat_map(|line| line.place.and_ancestors()).collect();
        places.sort();
        places.dedup();
        let entered: Vec<Command> = places.iter().filter_map(enters).collect();
        let second = self.in_second_place(typical);
        for entry in &entered {
            scenes.push(Scene::other(vec![entry.clone()]));
            scenes.push(Scene::other([vec![entry.clone()], whole.to_vec()].concat()));
        }
        if let Some(second) = &second {
            scenes.push(Scene::other([whole, &second[..]].concat()));
            let entry = second.iter().find_map(|line| enters(&line.place));
            if let Some(entry) = entry {
                scenes.push(Scene::other([whole, std::slice::from_ref(&entry)].concat()));
                scenes.push(Scene::other([&[entry], whole].concat()));
            }
        }
        if let Some(line) = self.unrelated(whole) {
            let mut lines = whole.to_vec();
            lines.insert(1, line.clone());
            scenes.push(Scene::other(lines));
            scenes.push(Scene::other([&[line], whole].concat()));
        }
        for line in whole {
            if let Some(inner) = self.within(line) {
                scenes.push(Scene::other([whole, std::slice::from_ref(&inner)].concat()));
                scenes.push(Scene::other(vec![inner]));
            }
        }
    }

    /// The same group in another instance of the innermost mode around it.
    fn in_second_place(&self, typical: &Values<'a>) -> Option<Vec<Command>> {
        let entry = self.patterns.iter().find_map(|of| of.entries.last())?;
        let form = &self.image.form(*entry).form;
        let whole = self.group(typical)?;
        let examples = form.examples(EXAMPLES_MAX);
        let own = whole.iter().flat_map(|line| line.place.instances().last());
        let own: Vec<&Words> = own.map(|(_, words)| words).collect();
        let other =
            examples.iter().find(|words| words.sign() == Sign::Positive && !own.contains(words))?;
        let mut values = typical.clone();
        for (name, value) in form.values_of(other) {
            let name = form.carried().find(|carried| *carried == name)?;
            values.insert(self.name_of(*entry, name)?, Cow::Owned(value.into_owned()));
        }
        self.group(&values)
    }

    /// A name of a form of the image, as long as the image lives.
    fn name_of(&self, form: FormId, name: &str) -> Option<&'a str> {
        let image: &'a Image = self.image;
        image.form(form).form.carried().find(|carried| *carried == name)
    }

    /// A line beside the group that no change of its step speaks of.
    fn unrelated(&self, whole: &[Command]) -> Option<Command> {
        let line = whole.first()?;
        let decl = self.image.form(line.form);
        let mut forms = self.image.forms().filter(|(_, other)| {
            other.mode == decl.mode && other.enters.is_none() && self.is_unrelated(other)
        });
        forms.find_map(|(form, other)| {
            let words = other.form.examples(2).into_iter();
            let words = words.into_iter().find(|words| words.sign() == Sign::Positive)?;
            (!other.says_absence(&words)).then(|| Command::new(line.place.clone(), form, words))
        })
    }

    /// Whether a form lives, and no change speaks of it.
    fn is_unrelated(&self, decl: &FormDecl) -> bool {
        let mut sides = self.changes.iter().flat_map(|change| change.old.iter().chain(&change.new));
        decl.lives_at(self.image.levels()[usize::from(decl.component.0)])
            && !sides.any(|side| side.form == decl.form.text())
    }

    /// A line in the mode that a line enters.
    fn within(&self, line: &Command) -> Option<Command> {
        let mode = self.image.form(line.form).enters?;
        let place = line.place.child(line.form, line.words.clone());
        let mut inner =
            self.image.forms().filter(|(_, decl)| decl.mode == mode && self.is_unrelated(decl));
        inner.find_map(|(form, decl)| {
            let words = decl.form.examples(2).into_iter();
            let words = words.into_iter().find(|words| words.sign() == Sign::Positive)?;
            Some(Command::new(place.clone(), form, words))
        })
    }
}

/// The entries of the modes around a line, from the root on.
pub(crate) fn entries(image: &Image, decl: &FormDecl) -> Option<Vec<FormId>> {
    let levels = image.levels();
    let mut entries = Vec::new();
    let mut mode = decl.mode;
    while let Some(parent) = image.parent(mode) {
        let mut all = image.forms();
        let (entry, _) = all.find(|(_, entry)| {
            entry.enters == Some(mode) && entry.lives_at(levels[usize::from(entry.component.0)])
        })?;
        entries.push(entry);
        mode = parent;
    }
    entries.reverse();
    Some(entries)
}

/// Those of `values` that `form` has a place for.
fn wanted<'b>(form: &Form, values: &'b Values<'_>) -> Vec<(&'b str, &'b str)> {
    let mine = values.iter().filter(|(name, _)| form.carries(name));
    mine.map(|(name, value)| (*name, &**value)).collect()
}

/// The one name of which two groups have another value, or of which one has none.
fn only_difference<'b>(one: &Values<'b>, other: &Values<'b>) -> Option<&'b str> {
    let names: BTreeSet<&'b str> = one.keys().chain(other.keys()).copied().collect();
    let mut names = names.into_iter().filter(|name| one.get(name) != other.get(name));
    names.next().filter(|_| names.next().is_none())
}

/// Each part of a group of a few lines; of more, each without one line, and each line alone.
fn subsets(lines: &[Command]) -> Vec<Vec<Command>> {
    if lines.len() <= ORDERED_MAX {
        let parts = (1..1_usize << lines.len()).map(|part| {
            let is_in = |number: &usize| part >> number & 1 == 1;
            (0..lines.len()).filter(is_in).map(|number| lines[number].clone()).collect()
        });
        return parts.collect();
    }
    let without = (0..lines.len()).map(|missing| {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != missing);
        kept.map(|(_, line)| line.clone()).collect()
    });
    without.chain(lines.iter().map(|line| vec![line.clone()])).collect()
}

/// These lines in each order.
fn orders(lines: &[Command]) -> Vec<Vec<Command>> {
    if lines.len() < 2 {
        return vec![lines.to_vec()];
    }
    let first = (0..lines.len()).flat_map(|first| {
        let mut rest = lines.to_vec();
        let line = rest.remove(first);
        orders(&rest).into_iter().map(move |rest| [vec![line.clone()], rest].concat())
    });
    first.collect()
}

#[cfg(test)]
mod tests;
