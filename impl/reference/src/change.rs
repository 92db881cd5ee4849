//! One declared change of a family, applied to a whole config: wherever one of its sides matches,
//! the other side is written in its place. What no line of the other side can say, ends here.

mod function;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use skewsync::grammar::{Fit, Form, Sign, Token, Words};
use skewsync::ids::{FormId, Level, ModeId};
use skewsync::image::{self, FormDecl, Function, Image, Key, NoMeans};
use skewsync::parse::Place;

use skewsync::translate::complement::{ByWords, Complement, ComplementKey, Complements};

use super::kept::{by_words, in_words_of, read};
use super::{Carried, Rung};

/// Values by the names that both sides share.
type Values = BTreeMap<String, String>;

/// Which way a change is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// From the new side to the old.
    Down,
    /// From the old side to the new.
    Up,
}

impl Going {
    /// The other way.
    const fn back(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }
}

/// A change, with its sides as forms of one image.
#[derive(Clone, Debug)]
pub(super) struct Change {
    declared: image::Change,
    old: Vec<FormId>,
    new: Vec<FormId>,
    /// Its number in the family's order.
    number: usize,
    /// The functions that say what lines become, if it has such.
    function: Option<Function>,
    /// How many instances deep the place is that all of its forms share.
    depth: usize,
    /// The names that tell one group of lines from another: each form has them in its key.
    key: Vec<String>,
    /// What the words of a line come to that mean another thing on the other side.
    revised: Revised,
}

/// Which lines of a change go, if the same words mean another thing on its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Revised {
    /// They mean the same.
    No,
    /// Nothing says what such words come to: none does.
    Unrelated,
    /// Those whose one value something relates.
    Value,
    /// Those that do not go word for word: they have several values.
    Whole,
}

impl Revised {
    fn of(image: &Image, declared: &image::Change, old: &[FormId], new: &[FormId]) -> Self {
        let image::Change { map, scale, implied, rust, .. } = declared;
        let is_not = declared.old.iter().chain(&declared.new).any(|side| side.not);
        let revision = |one: &&FormId| new.iter().any(|other| is_revision(image, **one, *other));
        match old.iter().find(revision) {
            None => Self::No,
            Some(_) if rust.is_some() => Self::Whole,
            Some(_) if !is_not && map.is_empty() && scale.is_empty() && implied.is_empty() => {
                Self::Unrelated
            }
            Some(one) if image.form(*one).form.carried().count() > 1 => Self::Whole,
            Some(_) => Self::Value,
        }
    }
}

/// Whether two forms are the same words in one mode that mean another thing.
fn is_revision(image: &Image, one: FormId, other: FormId) -> bool {
    let declared = |form: FormId| &image.declarations().commands[form.0 as usize];
    let [mine, theirs] = [one, other].map(|form| image.form(form));
    mine.form == theirs.form
        && mine.mode == theirs.mode
        && declared(one).revision != declared(other).revision
}

/// The lines that one application reads together.
#[derive(Default)]
struct Group {
    /// Which lines, by the form of the side read.
    members: Vec<Vec<usize>>,
}

impl Change {
    /// The changes of an image, in the family's one order.
    pub(super) fn all(image: &Image) -> Vec<Self> {
        let declared = image.declarations().changes.iter();
        let numbered = declared.enumerate();
        numbered.map(|(number, change)| Self::from_declared(image, number, change)).collect()
    }

    fn from_declared(image: &Image, number: usize, declared: &image::Change) -> Self {
        let side = |sides: &[image::Side], level: u16| -> Vec<FormId> {
            let find = |side: &image::Side| {
                let mode = image.mode(&side.mode).expect("a declared mode");
                let form = Form::parse(&side.form).expect("a declared form");
                let found = image.find(mode, &form, Level(level));
                found.expect("a side of a change lives at its level")
            };
            sides.iter().map(find).collect()
        };
        let old = side(&declared.old, declared.level - 1);
        let new = side(&declared.new, declared.level);
        let revised = Revised::of(image, declared, &old, &new);
        let declared = declared.clone();
        let function = image.function(number).copied();
        let (depth, key) = (0, Vec::new());
        let mut change = Self { declared, old, new, number, function, depth, key, revised };
        let forms: Vec<FormId> = change.old.iter().chain(&change.new).copied().collect();
        let paths: Vec<Vec<ModeId>> =
            forms.iter().map(|form| path(image, image.form(*form).mode)).collect();
        let shared = |depth: &usize| {
            let all = |path: &Vec<ModeId>| path.get(*depth) == paths[0].get(*depth);
            paths.iter().all(all) && *depth < paths[0].len()
        };
        change.depth = (0..).take_while(shared).count();
        let names: Vec<BTreeSet<String>> = forms
            .iter()
            .zip(&paths)
            .map(|(form, path)| change.address(image, *form, &path[change.depth..]))
            .collect();
        let common = |name: &&String| names.iter().all(|names| names.contains(*name));
        change.key = names
            .first()
            .map_or_else(Vec::new, |names| names.iter().filter(common).cloned().collect());
        change
    }

    /// Whether both are gone through in one step: of one component, to one level.
    pub(super) fn same_step(&self, other: &Self) -> bool {
        self.makes() == other.makes()
    }

    /// The levels at which this way through the change begins, where all else is of these.
    fn levels_before(&self, going: Going, levels: &[Level]) -> Vec<Level> {
        let (component, level) = self.makes();
        let mut levels = levels.to_vec();
        levels[component] = match going {
            Going::Down => Level(level),
            Going::Up => Level(level - 1),
        };
        levels
    }

    /// Whether it names instances otherwise.
    pub(super) fn is_of_entry(&self, image: &Image) -> bool {
        let enters =
            |side: &[FormId]| side.first().is_some_and(|form| image.form(*form).enters.is_some());
        enters(&self.old) && enters(&self.new)
    }

    /// The component, and the level that it makes.
    pub(super) const fn makes(&self) -> (usize, u16) {
        (self.declared.component as usize, self.declared.level)
    }

    /// Whether a line of `form` is one of its sides.
    pub(super) fn is_about(&self, form: FormId) -> bool {
        self.old.contains(&form) || self.new.contains(&form)
    }

    /// The names in the key of a form, and in the entries of the modes around it.
    fn address(&self, image: &Image, form: FormId, modes: &[ModeId]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for mode in modes {
            let entries = image.forms().filter(|(_, decl)| decl.enters == Some(*mode));
            for (_, entry) in entries {
                names.extend(entry.form.carried().map(String::from));
            }
        }
        match &image.declarations().commands[form.0 as usize].key {
            Key::Captures(key) => names.extend(key.iter().cloned()),
            Key::Line => names.extend(image.form(form).form.carried().map(String::from)),
        }
        names
    }

    fn sides(&self, going: Going) -> (&[FormId], &[FormId]) {
        match going {
            Going::Down => (&self.new, &self.old),
            Going::Up => (&self.old, &self.new),
        }
    }

    /// The value of a capture as the side gone to spells it; none: it has no such number.
    fn spelled(&self, going: Going, name: &str, value: &str) -> Option<String> {
        let map = self.declared.map.get(name).into_iter().flatten();
        let spelled = map.filter_map(|(old, new)| match going {
            Going::Down => (new == value).then_some(old),
            Going::Up => (old == value).then_some(new),
        });
        let spelled: Vec<&String> = spelled.collect();
        let declared = self.declared.loses.get(name).filter(|declared| spelled.contains(declared));
        if let Some(spelled) = declared.or(spelled.first().copied()) {
            return Some(spelled.clone());
        }
        let scale = self.declared.scale.get(name).map(ToString::to_string);
        let Some((scale, number)) = scale.zip(value.parse::<i128>().ok()) else {
            return Some(value.to_string());
        };
        let (times, over) = scale.split_once('/').unwrap_or((&scale, "1"));
        let (times, over): (i128, i128) = (times.parse().ok()?, over.parse().ok()?);
        let (times, over) = if matches!(going, Going::Up) { (times, over) } else { (over, times) };
        let whole = number.checked_mul(times).filter(|product| product % over == 0)?;
        Some((whole / over).to_string())
    }

    /// Applies the change to a whole config, whose instances were these `places` when the step
    /// began. Of a line that waits for others it is asked whether the `later` changes have a place
    /// for its values.
    pub(super) fn apply(
        &self,
        image: &Image,
        going: Going,
        (places, later): (&mut BTreeSet<Place>, &[Self]),
        kept: &Complements,
        rung: &mut Rung,
    ) {
        let component = self.makes().0;
        rung.levels = self.levels_before(going.back(), &rung.levels);
        let mut kept = in_words_of(kept, image, (component, rung.levels[component]));
        kept.retain(|(_, complement)| !complement.made.is_empty());
        let (from, to) = self.sides(going);
        // What could not be said at all is not said by being absent, either.
        let is_unborn = from.is_empty() || from.iter().any(|form| rung.unborn.contains(form));
        if is_unborn {
            rung.unborn.extend(to);
        }
        let Some(first) = from.first() else {
            return;
        };
        if image.form(*first).enters.is_some() {
            self.rename_instances(image, going, *first, (places, later), rung);
            return;
        }
        let silent = match is_unborn {
            true => Vec::new(),
            false => self.silent_groups(image, going, places, rung),
        };
        let withheld: Vec<(Place, FormId)> =
            rung.withheld.extract_if(.., |(_, form)| from.contains(form)).collect();
        // Where nobody knows what absence says, what is withheld stays so.
        for (place, _) in &withheld {
            let at = outer(place, self.depth);
            if self.silence(image, from, &at).is_none() {
                self.withhold(image, going, &at, rung);
            }
        }
        let is_read = |line: &Carried| from.contains(&line.form);
        if silent.is_empty() && !rung.lines.iter().chain(&rung.silent).any(is_read) {
            return;
        }
        // What was said, and is said here by being absent.
        let (mine, others) = std::mem::take(&mut rung.silent).into_iter().partition(is_read);
        rung.silent = others;
        let mine: Vec<Carried> = mine;
        let lines = std::mem::take(&mut rung.lines);
        let groups = self.groups(image, going, &lines);
        let mut told: BTreeSet<Place> = BTreeSet::new();
        let is_withheld = |line: &Carried| withheld.contains(&(line.place.clone(), line.form));
        for mut members in silent {
            for line in &mut members {
                line.from = said_by(&mine, line);
            }
            if members.iter().any(is_withheld) {
                told.extend(members.first().map(|line| line.place.clone()));
                self.withhold(image, going, &members[0].place, rung);
                self.end_silent(image, going, later, &members, rung);
                continue;
            }
            told.extend(members.first().map(|line| line.place.clone()));
            let parts: Vec<Vec<&Carried>> = members.iter().map(|line| vec![line]).collect();
            match self.write_lines(image, going, places, &rung.levels, &parts) {
                Some(written) => self.take_up(image, written, rung),
                None => {
                    self.withhold(image, going, &members[0].place, rung);
                    self.end_silent(image, going, later, &members, rung);
                }
            }
        }
        let spoken: BTreeSet<Place> =
            groups.keys().map(|(place, _)| place.clone()).chain(told).collect();
        let (_, to) = self.sides(going);
        for line in mine.iter().filter(|line| !spoken.contains(&line.place)) {
            if to.is_empty() {
                rung.ends.push((line.clone(), Vec::new()));
                continue;
            }
            let silence = self.silence(image, to, &line.place).unwrap_or_default();
            let silence =
                silence.into_iter().map(|silent| Carried { from: line.from.clone(), ..silent });
            rung.silent.extend(silence);
        }
        let mut read: BTreeSet<usize> = BTreeSet::new();
        for group in groups.into_values() {
            let mut members: Vec<usize> = group.members.iter().flatten().copied().collect();
            members.sort_unstable();
            read.extend(&members);
            let at = members.first().map(|line| outer(&lines[*line].place, self.depth));
            // What absence says beside them, where that is a part of the group.
            let is_part = |line: &&Carried| {
                let none = || {
                    let part = from.iter().position(|form| *form == line.form);
                    part.is_some_and(|part| group.members[part].is_empty())
                };
                Some(&line.place) == at.as_ref()
                    && none()
                    && self.silent(image, line.form, &line.place).is_some()
            };
            let beside: Vec<Carried> = mine.iter().filter(is_part).cloned().collect();
            let made = self.write(
                image,
                going,
                places,
                &rung.levels,
                (&group, &beside, &withheld),
                &lines,
            );
            let made = made.map(|made| {
                let members: Vec<&Carried> = members.iter().map(|number| &lines[*number]).collect();
                self.whole_again(image, going, (places, rung), &kept, &members, made)
            });
            if let (None, Some(at)) = (&made, &at) {
                self.withhold(image, going, at, rung);
            }
            match made {
                Some(made) => self.take_up(image, made, rung),
                None if going == Going::Down => {
                    let ends = members.iter().map(|number| (lines[*number].clone(), Vec::new()));
                    rung.ends.extend(ends);
                    self.end_silent(image, going, later, &beside, rung);
                }
                None => {
                    self.end_silent(image, going, later, &beside, rung);
                    let alone = members.len() == 1 && from.len() == 1 && !self.decides_together();
                    for line in members.iter().map(|number| &lines[*number]) {
                        let mut values = self.values(image, line);
                        self.fill(image, going, line, &mut values);
                        let own = may_lack(image, line);
                        let names = self.unsayable(image, later, &own, &values);
                        if !line.free && (to.is_empty() || alone || !names.is_empty()) {
                            rung.ends.push((line.clone(), names));
                        } else {
                            rung.short.push(line.clone());
                        }
                    }
                }
            }
        }
        let others = lines.into_iter().enumerate().filter(|(number, _)| !read.contains(number));
        rung.lines.extend(others.map(|(_, line)| line));
    }

    /// The lines that a group was made of which lost something, if it stands there as it was made;
    /// else what is made of it now.
    fn whole_again(
        &self,
        image: &Image,
        going: Going,
        (places, rung): (&BTreeSet<Place>, &Rung),
        kept: &[(&ComplementKey, &Complement)],
        members: &[&Carried],
        made: Vec<Carried>,
    ) -> Vec<Carried> {
        let levels = &rung.levels[..];
        let (back, began) = (going.back(), self.levels_before(going, levels));
        let words: BTreeSet<ByWords> = members.iter().map(|line| by_words(line)).collect();
        // The words of what was made are those of where the step began.
        let there = image.grammar(&began);
        let as_now = |line: &ByWords| {
            let (place, form, words) = read(image, &there, line)?;
            let place = rung.named_now(&place);
            let line = Carried { place, form, words, from: Vec::new(), at: (0, 0), free: false };
            Some(by_words(&line))
        };
        let stands = |complement: &&Complement| {
            let made: Option<BTreeSet<ByWords>> = complement.made.iter().map(as_now).collect();
            made.as_ref() == Some(&words)
        };
        let Some(found) = kept.iter().map(|(_, complement)| *complement).find(stands) else {
            return made;
        };
        let (_, to) = self.sides(going);
        let grammar = image.grammar(levels);
        let lost: Option<Vec<_>> =
            found.lost.iter().map(|line| read(image, &grammar, line)).collect();
        let first = made.first().map_or((0, false), |line| (line.at.0, line.free));
        let mut from: Vec<usize> = members.iter().flat_map(|line| line.from.clone()).collect();
        from.sort_unstable();
        from.dedup();
        let carried = lost.into_iter().flatten().enumerate().map(|(copy, (place, form, words))| {
            let part = to.iter().position(|of| *of == form).unwrap_or(0);
            let at = (first.0, (self.number * SIDE_MAX + part) * SIDE_MAX + copy);
            Carried { place, form, words, from: from.clone(), at, free: first.1 }
        });
        let lost: Vec<Carried> = carried.collect();
        let parts: Vec<Vec<&Carried>> =
            to.iter().map(|form| lost.iter().filter(|line| line.form == *form).collect()).collect();
        let again = self.say(image, back, places, &began, &parts);
        let again: Option<BTreeSet<ByWords>> =
            again.map(|again| again.iter().flatten().map(by_words).collect());
        if lost.is_empty() || again != Some(words) {
            return made;
        }
        let keys: Vec<_> = lost.iter().map(|line| line.key(image)).collect();
        let silent = made
            .into_iter()
            .filter(|line| means_nothing(image, line) && !keys.contains(&line.key(image)));
        lost.iter().cloned().chain(silent).collect()
    }

    /// Whether a side has a place for a capture.
    fn carries(&self, image: &Image, going_from: Going, name: &str) -> bool {
        let (from, _) = self.sides(going_from);
        let modes = |form: &FormId| path(image, image.form(*form).mode).split_off(self.depth);
        let entries = |mode: ModeId| image.forms().filter(move |(_, of)| of.enters == Some(mode));
        let of_entries = from.iter().flat_map(modes).flat_map(entries);
        let mut forms =
            from.iter().map(|form| image.form(*form)).chain(of_entries.map(|(_, of)| of));
        forms.any(|decl| decl.form.carries(name))
            || self.declared_sides(going_from).iter().any(|of| of.optional.as_deref() == Some(name))
    }

    /// Takes away what is lost on the way, and says what stands for what was lost before.
    fn lose(&self, image: &Image, going: Going, sign: Sign, values: &mut Values) {
        let back = going.back();
        for (name, value) in &self.declared.loses {
            match (self.carries(image, going, name), self.carries(image, back, name)) {
                (true, false) => drop(values.remove(name)),
                (false, true) if sign == Sign::Positive && !value.is_empty() => {
                    values.entry(name.clone()).or_insert_with(|| value.clone());
                }
                _ => {}
            }
        }
    }

    /// Whether lines say what others do, but for what may be lost.
    fn same_less_losses(
        &self,
        image: &Image,
        one: &[Vec<&Carried>],
        other: &[Vec<Carried>],
    ) -> bool {
        let says = |line: &Carried| {
            let mut values = self.values(image, line);
            values.retain(|name, _| !self.declared.loses.contains_key(name));
            (line.place.clone(), line.form, line.words.sign() == Sign::No, values)
        };
        let one: Vec<_> =
            one.iter().map(|part| part.iter().map(|line| says(line)).collect::<Vec<_>>()).collect();
        let other: Vec<_> =
            other.iter().map(|part| part.iter().map(says).collect::<Vec<_>>()).collect();
        !self.declared.loses.is_empty() && one == other
    }

    /// What came no further is not absent on the other side: nothing says what it is there.
    fn withhold(&self, image: &Image, going: Going, at: &Place, rung: &mut Rung) {
        let (_, to) = self.sides(going);
        rung.withheld.extend(match self.silence(image, to, at) {
            Some(silence) => silence.into_iter().map(|line| (line.place, line.form)).collect(),
            None => self.unsaid(image, to, at, &rung.levels),
        });
    }

    /// Where lines of a side would stand that no key tells apart.
    fn unsaid(
        &self,
        image: &Image,
        side: &[FormId],
        at: &Place,
        levels: &[Level],
    ) -> Vec<(Place, FormId)> {
        let enter = |place: Place, mode: ModeId| {
            let lives = |decl: &FormDecl| decl.lives_at(levels[usize::from(decl.component.0)]);
            let mut entries =
                image.forms().filter(|(_, decl)| decl.enters == Some(mode) && lives(decl));
            let (entry, decl) = entries.next()?;
            Some(place.child(entry, decl.form.build(Sign::Positive, &[]).ok()?))
        };
        let place = |form: FormId| {
            let modes = path(image, image.form(form).mode);
            modes[self.depth..].iter().copied().try_fold(at.clone(), enter)
        };
        let unkeyed = side.iter().filter(|form| self.address(image, **form, &[]).is_empty());
        unkeyed.filter_map(|form| Some((place(*form)?, *form))).collect()
    }

    /// Whether it writes what absence says, where a line of `form` may be absent, or one of the
    /// `later` changes of what comes of it does.
    pub(super) fn tells_absence(&self, image: &Image, later: &[Self], form: FormId) -> bool {
        let at = Place::root();
        let at = path(image, image.form(form).mode).iter().take(self.depth).fold(at, |at, mode| {
            let mut entries = image.forms().filter(|(_, decl)| decl.enters == Some(*mode));
            let example = |form: &Form| {
                let lines = form.examples(2).into_iter();
                lines.into_iter().find(|words| words.sign() == Sign::Positive)
            };
            let entry = entries.find_map(|(entry, decl)| Some((entry, example(&decl.form)?)));
            entry.map_or(at.clone(), |(entry, words)| at.child(entry, words))
        });
        let here = || {
            let silence = self.silence(image, &self.old, &at)?;
            self.silence(image, &self.new, &at)?;
            let parts: Vec<Vec<&Carried>> = silence.iter().map(|line| vec![line]).collect();
            let (component, level) = self.makes();
            let mut levels = image.levels().to_vec();
            levels[component] = Level(level);
            let places = BTreeSet::from([at.clone()]);
            let written = self.write_lines(image, Going::Up, &places, &levels, &parts)?;
            Some(written.iter().any(|line| !means_nothing(image, line)))
        };
        here() == Some(true)
            || self.new.iter().any(|new| {
                let at = later.iter().position(|change| change.old.contains(new));
                at.is_some_and(|at| later[at].tells_absence(image, &later[at + 1..], *new))
            })
    }
    /// Whether lines of a form end on this way up, whatever they say: a change gives them up, or
    /// the mode in which they stand until then.
    pub(super) fn gives_up(image: &Image, up: &[Self], form: FormId) -> bool {
        let read = up.iter().position(|change| change.reads(form));
        let stays = |change: &&Self| read.is_none_or(|read| !change.same_step(&up[read]));
        let before = up[..read.unwrap_or(up.len())].iter().take_while(stays);
        if before.into_iter().any(|change| change.ends_mode(image, image.form(form).mode)) {
            return true;
        }
        let Some(read) = read else { return false };
        let (change, later) = (&up[read], &up[read + 1..]);
        if change.new.is_empty() {
            return true;
        }
        let ends = |form: &FormId| Self::gives_up(image, later, *form);
        if change.declared.one == Some(image::OneSide::New) {
            return change.new.iter().all(ends);
        }
        let mut new = change.new.iter().zip(&change.declared.new);
        new.any(|(form, side)| side.optional.is_none() && ends(form))
    }

    /// Whether it gives a mode up, or one around it.
    fn ends_mode(&self, image: &Image, mode: ModeId) -> bool {
        let ended = self.old.iter().filter_map(|form| image.form(*form).enters);
        let around = path(image, mode);
        self.new.is_empty() && ended.into_iter().any(|ended| around.contains(&ended))
    }

    /// Whether lines of `form` are read by the change, going up.
    pub(super) fn reads(&self, form: FormId) -> bool {
        self.old.contains(&form)
    }

    /// Takes lines up that were made: some are said by being absent.
    fn take_up(&self, image: &Image, made: Vec<Carried>, rung: &mut Rung) {
        for line in made {
            if !means_nothing(image, &line) {
                rung.lines.push(line);
            } else if !line.from.is_empty() {
                rung.silent.push(Carried { at: (0, 0), ..line });
            }
        }
    }

    /// What was said comes no further, where it is said by being absent.
    fn end_silent(
        &self,
        image: &Image,
        going: Going,
        later: &[Self],
        lines: &[Carried],
        rung: &mut Rung,
    ) {
        for line in lines.iter().filter(|line| !line.from.is_empty()) {
            let mut values = self.values(image, line);
            self.fill(image, going, line, &mut values);
            let names = match going {
                Going::Down => Vec::new(),
                Going::Up => {
                    let own = may_lack(image, line);
                    self.unsayable(image, later, &own, &values)
                }
            };
            if going == Going::Down || !line.free && !names.is_empty() {
                rung.ends.push((line.clone(), names));
            } else {
                rung.short.push(line.clone());
            }
        }
    }

    /// The lines of the side gone from, those together that one application reads.
    fn groups(
        &self,
        image: &Image,
        going: Going,
        lines: &[Carried],
    ) -> BTreeMap<(Place, Vec<String>), Group> {
        let (from, _) = self.sides(going);
        let mut groups: BTreeMap<(Place, Vec<String>), Group> = BTreeMap::new();
        for (number, line) in lines.iter().enumerate() {
            let Some(part) = from.iter().position(|form| *form == line.form) else {
                continue;
            };
            let values = self.values(image, line);
            let key = self.key.iter().map(|name| {
                let value = values.get(name).map_or("", String::as_str);
                match going {
                    // What has no counterpart is of no group of the other side.
                    Going::Down => {
                        let there = self.spelled(going, name, value);
                        let is_back = |there: &String| {
                            self.spelled(Going::Up, name, there).is_some_and(|back| back == value)
                        };
                        there.filter(is_back).unwrap_or_else(|| format!("\0{value}"))
                    }
                    Going::Up => value.to_string(),
                }
            });
            let key = self.key_by_function(image, going, line).unwrap_or_else(|| key.collect());
            let group = groups.entry((outer(&line.place, self.depth), key)).or_default();
            group.members.resize(from.len(), Vec::new());
            group.members[part].push(number);
        }
        groups
    }

    /// The captures of a line and of the entries of its own modes.
    fn values(&self, image: &Image, line: &Carried) -> Values {
        let mut values = Values::new();
        let entries = line.place.instances().iter().skip(self.depth);
        for (form, words) in entries.chain([&(line.form, line.words.clone())]) {
            let captured = image.form(*form).form.values_of(words).into_iter();
            values.extend(captured.map(|(name, value)| (name.into(), value.into_owned())));
        }
        values
    }

    /// Adds what a line says by leaving an optional part out.
    fn fill(&self, image: &Image, going: Going, line: &Carried, values: &mut Values) {
        if line.words.sign() == Sign::No {
            return;
        }
        let (_, to) = self.sides(going);
        let declared = &image.declarations().commands[line.form.0 as usize];
        let form = &image.form(line.form).form;
        for (name, value) in declared.default.iter().flatten() {
            let modes = |form: &FormId| path(image, image.form(*form).mode).split_off(self.depth);
            let of_entry = |form: &FormId| {
                modes(form).iter().any(|mode| {
                    let mut entries = image.forms().filter(|(_, decl)| decl.enters == Some(*mode));
                    entries.any(|(_, decl)| decl.form.carries(name))
                })
            };
            let is_there = |to: &FormId| image.form(*to).form.carries(name) || of_entry(to);
            if !form.always_carries(name) && to.iter().any(is_there) {
                values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    /// The names of values of a line, or of such that it lacks though it may carry them (`own`),
    /// for which the new side has no place, whatever stands beside it; else those for which one of
    /// the `later` changes has none.
    fn unsayable(
        &self,
        image: &Image,
        later: &[Self],
        own: &[&str],
        values: &Values,
    ) -> Vec<String> {
        let modes = |form: &FormId| path(image, image.form(*form).mode).split_off(self.depth);
        let entries =
            |mode: ModeId| image.forms().filter(move |(_, decl)| decl.enters == Some(mode));
        let entries = self.new.iter().flat_map(modes).flat_map(entries).map(|(_, decl)| &decl.form);
        let forms = self.new.iter().map(|form| &image.form(*form).form);
        let forms: Vec<&Form> = forms.chain(entries).collect();
        let fits = |form: &Form, name: &str, value: &str| {
            let fits = |token: &Token, word: &str| {
                token.fit(word).is_some() && token.canonical(word) == word
            };
            let mut leaves = form.capture(name).into_iter().map(|leaf| form.leaf(leaf));
            leaves.any(|leaf| {
                let each = || value.split(' ').all(|word| fits(&leaf.token, word));
                fits(&leaf.token, value) || leaf.variadic && each()
            })
        };
        let is_paired = |name: &String, value: &String| {
            let mut pairs = self.declared.map.get(name).into_iter().flatten();
            pairs.any(|(old, _)| old == value)
        };
        let says = |(name, value): (&String, &String)| {
            if self.revised == Revised::Unrelated {
                return false;
            }
            if let Some(implied) = self.declared.implied.get(name) {
                return implied == value;
            }
            let Some(there) = self.spelled(Going::Up, name, value) else {
                return false;
            };
            if self.revised == Revised::Value && there == *value && !is_paired(name, value) {
                return false;
            }
            let mut with = forms.iter().filter(|form| form.carries(name)).peekable();
            let may_lose = self.declared.loses.contains_key(name);
            if with.peek().is_none() && may_lose {
                return true;
            }
            (may_lose || self.spelled(Going::Down, name, &there).is_some_and(|back| back == *value))
                && with.peek().is_some()
                && with.all(|form| fits(form, name, &there))
        };
        let lacks = |name: &str| {
            !self.decides_together()
                && !values.contains_key(name)
                && self.declared.loses.get(name).is_none_or(String::is_empty)
                && forms.iter().any(|form| form.always_carries(name))
        };
        let values_of = values.iter().filter(|_| !self.decides_together());
        let unsaid = values_of.filter(|value| !says(*value)).map(|(name, _)| name.as_str());
        let lacking = own.iter().copied().filter(|name| lacks(name));
        let unsayable: Vec<String> = unsaid.chain(lacking).map(String::from).collect();
        if !unsayable.is_empty() {
            return unsayable;
        }
        if self.decides_together() {
            return Vec::new();
        }
        let next = |form: &FormId| {
            let at = later.iter().position(|change| change.old.contains(form))?;
            // The line that it goes on in has them, or another of its group.
            let carries = |name: &str| image.form(*form).form.carries(name);
            let own: Vec<&str> = own.iter().copied().filter(|name| carries(name)).collect();
            let carried = values.iter().filter(|(name, _)| carries(name));
            let spelled = |(name, value): (&String, &String)| {
                Some((name.clone(), self.spelled(Going::Up, name, value)?))
            };
            let values = carried.filter_map(spelled).collect();
            Some(later[at].unsayable(image, &later[at + 1..], &own, &values))
        };
        self.new.iter().filter_map(next).flatten().collect()
    }

    /// The lines of the other side; none if it cannot say all that the group says, or if what is
    /// written says another group when it is taken back.
    fn write(
        &self,
        image: &Image,
        going: Going,
        places: &BTreeSet<Place>,
        levels: &[Level],
        (group, beside, withheld): (&Group, &[Carried], &[(Place, FormId)]),
        lines: &[Carried],
    ) -> Option<Vec<Carried>> {
        let (from, _) = self.sides(going);
        let read = self.declared_sides(going);
        let first = group.members.iter().flatten().next()?;
        let at = outer(&lines[*first].place, self.depth);
        let with_source = |line: Carried| Carried { from: said_by(beside, &line), ..line };
        let silent: Vec<Option<Carried>> =
            from.iter().map(|form| self.silent(image, *form, &at).map(with_source)).collect();
        let one_of = self.one_of(going);
        if one_of && group.members.iter().flatten().count() != 1 {
            return None;
        }
        let mut parts: Vec<Vec<&Carried>> = Vec::new();
        for ((part, silent), side) in group.members.iter().zip(&silent).zip(read) {
            let part: Vec<&Carried> = part.iter().map(|number| &lines[*number]).collect();
            parts.push(match (part.len(), silent) {
                (0, Some(silent)) if withheld.contains(&(at.clone(), silent.form)) => return None,
                (0, Some(silent)) => vec![silent],
                _ if self.function.is_some() => part,
                (0, None) if one_of || side.optional.is_some() => part,
                (0, None) => return None,
                (1, _) => part,
                (_, _) if side.each.is_some() => part,
                (_, _) => return None,
            });
        }
        self.write_lines(image, going, places, levels, &parts)
    }

    /// The lines of the other side, those too that are said by being absent; see `write`.
    fn write_lines(
        &self,
        image: &Image,
        going: Going,
        places: &BTreeSet<Place>,
        levels: &[Level],
        parts: &[Vec<&Carried>],
    ) -> Option<Vec<Carried>> {
        let written = self.say(image, going, places, levels, parts)?;
        let (back, began) = (going.back(), self.levels_before(going, levels));
        let references: Vec<Vec<&Carried>> =
            written.iter().map(|part| part.iter().collect()).collect();
        let again = self.say(image, back, places, &began, &references)?;
        let told = |lines: &mut dyn Iterator<Item = &Carried>| -> Vec<(Place, FormId, Words)> {
            let lines = lines.map(|line| (line.place.clone(), line.form, line.words.clone()));
            let mut lines: Vec<_> = lines.collect();
            lines.sort();
            lines
        };
        let given = told(&mut parts.iter().flatten().copied());
        if given != told(&mut again.iter().flatten())
            && !self.same_less_losses(image, parts, &again)
        {
            return None;
        }
        if !self.keeps_its_key(image, going, parts, &written) {
            return None;
        }
        if self.is_unrelated(image, going, parts, &written) {
            return None;
        }
        let of_parts = || parts.iter().flatten().copied();
        if written.iter().flatten().all(|line| means_nothing(image, line))
            && !of_parts().all(|line| means_nothing(image, line))
        {
            // What is said by nothing there must come back of nothing.
            let (_, to) = self.sides(going);
            let at = outer(&parts.iter().flatten().next()?.place, self.depth);
            let silent = self.silence(image, to, &at)?;
            let silent: Vec<Vec<&Carried>> = silent.iter().map(|line| vec![line]).collect();
            let again = self.say(image, back, places, &began, &silent)?;
            if given != told(&mut again.iter().flatten()) {
                return None;
            }
        }
        let written: Vec<Carried> = written.into_iter().flatten().collect();
        let keys: BTreeSet<_> = written.iter().map(|line| line.key(image)).collect();
        // A line that stands twice would stand once, and a copy in no instance nowhere.
        if keys.len() < written.len() || written.is_empty() {
            return None;
        }
        Some(written)
    }

    /// What nothing says on a side, in a place; none: nobody knows.
    fn silence(&self, image: &Image, side: &[FormId], at: &Place) -> Option<Vec<Carried>> {
        let here = |form: &FormId| {
            path(image, image.form(*form).mode).len() == self.depth
                && self.address(image, *form, &[]).is_empty()
        };
        if !self.old.iter().chain(&self.new).all(here) {
            return None;
        }
        let declared = |form: &FormId| &image.declarations().commands[form.0 as usize];
        let off = |form: &FormId| {
            let words = image.form(*form).form.build(Sign::No, &[]).ok()?;
            Some(Carried {
                place: at.clone(),
                form: *form,
                words,
                from: Vec::new(),
                at: (0, 0),
                free: false,
            })
        };
        if side.iter().all(|form| declared(form).default.is_none()) {
            let is_off = |form: &FormId| declared(form).no == NoMeans::Undo;
            return side.iter().map(|form| off(form).filter(|_| is_off(form))).collect();
        }
        side.iter().map(|form| self.silent(image, *form, at)).collect()
    }

    /// Whether the same words mean another thing on the two sides, and a line goes word for word
    /// though no pair of a map says that it may.
    fn is_unrelated(
        &self,
        image: &Image,
        going: Going,
        parts: &[Vec<&Carried>],
        written: &[Vec<Carried>],
    ) -> bool {
        parts.iter().flatten().any(|line| {
            let form = &image.form(line.form).form;
            let mut same = written.iter().flatten().filter(|other| {
                is_revision(image, line.form, other.form) && other.words.text() == line.words.text()
            });
            let values = form.values_of(&line.words);
            let paired = |(name, value): (&&str, &Cow<'_, str>)| {
                let pairs = self.declared.map.get(*name).into_iter().flatten();
                pairs.into_iter().any(|(old, new)| match going {
                    Going::Down => **new == **value,
                    Going::Up => **old == **value,
                })
            };
            self.function.is_none()
                && same.next().is_some()
                && (values.is_empty() || !values.iter().all(paired))
        })
    }

    /// Whether more than each value for itself decides what goes: then the side that raises says
    /// what does not.
    fn decides_together(&self) -> bool {
        let mut sides = self.declared.old.iter().chain(&self.declared.new);
        self.declared.one.is_some()
            || self.function.is_some()
            || self.revised == Revised::Whole
            || sides.any(|side| side.each.is_some() || side.optional.is_some())
    }

    /// Whether one line of the side gone from is a whole group.
    fn one_of(&self, going: Going) -> bool {
        match self.declared.one {
            Some(image::OneSide::New) => going == Going::Down,
            Some(image::OneSide::Old) => going == Going::Up,
            None => false,
        }
    }

    /// The side gone from, as declared.
    fn declared_sides(&self, going: Going) -> &[image::Side] {
        match going {
            Going::Down => &self.declared.new,
            Going::Up => &self.declared.old,
        }
    }

    /// The line that an absent one of `form` says at `at`; none: it says nothing.
    fn silent(&self, image: &Image, form: FormId, at: &Place) -> Option<Carried> {
        let declared = &image.declarations().commands[form.0 as usize];
        let here = path(image, image.form(form).mode).len() == self.depth;
        let unkeyed = matches!(&declared.key, Key::Captures(key) if key.is_empty());
        let syntax = &image.form(form).form;
        if here && unkeyed && declared.default.is_none() && declared.no == NoMeans::Undo {
            // What is off, where the others say that it is not on.
            let sides = self.declared.old.iter().zip(&self.old);
            let sides = sides.chain(self.declared.new.iter().zip(&self.new));
            let is_not = sides.into_iter().any(|(side, of)| side.not && *of == form);
            let words = is_not.then(|| syntax.build(Sign::No, &[]).ok()).flatten()?;
            let place = at.clone();
            return Some(Carried { place, form, words, from: Vec::new(), at: (0, 0), free: false });
        }
        let default = declared.default.as_ref().filter(|_| here && unkeyed)?;
        let mandatory = syntax.carried().filter(|name| syntax.always_carries(name));
        let mandatory: Vec<&str> = mandatory.collect();
        if mandatory.is_empty() != default.is_empty()
            || mandatory.iter().any(|name| !default.contains_key(*name))
        {
            return None;
        }
        let values: Vec<(&str, &str)> =
            default.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let words = plainly(image, form, syntax.build(Sign::Positive, &values).ok()?);
        Some(Carried { place: at.clone(), form, words, from: Vec::new(), at: (0, 0), free: false })
    }

    /// What nothing says on the side gone from, in each instance of the mode where no line of it
    /// stands.
    fn silent_groups(
        &self,
        image: &Image,
        going: Going,
        places: &BTreeSet<Place>,
        rung: &Rung,
    ) -> Vec<Vec<Carried>> {
        let (from, to) = self.sides(going);
        let all_here = |form: &FormId| {
            path(image, image.form(*form).mode).len() == self.depth
                && self.address(image, *form, &[]).is_empty()
        };
        if to.is_empty() || !from.iter().chain(to).all(all_here) {
            return Vec::new();
        }
        let mode = image.form(from[0]).mode;
        let mut places = places.clone();
        places.insert(Place::root());
        for line in rung.lines.iter().filter(|line| from.contains(&line.form)) {
            places.remove(&line.place);
        }
        // What nothing says of them, where a default is no more than that of an optional part.
        let defaults = |form: &FormId| {
            let declared = &image.declarations().commands[form.0 as usize];
            let syntax = &image.form(*form).form;
            let of_line = |default: &BTreeMap<String, String>| {
                default.is_empty() || default.keys().any(|name| syntax.always_carries(name))
            };
            declared.default.as_ref().is_some_and(of_line)
        };
        let neither = |form: &FormId| {
            let declared = &image.declarations().commands[form.0 as usize];
            !defaults(form) && declared.no == NoMeans::State
        };
        if from.iter().chain(to).any(neither) {
            return Vec::new();
        }
        let off = |form: &FormId, at: &Place| {
            let words = image.form(*form).form.build(Sign::No, &[]).ok()?;
            let at = (at.clone(), *form);
            Some(Carried {
                place: at.0,
                form: at.1,
                words,
                from: Vec::new(),
                at: (0, 0),
                free: false,
            })
        };
        let says = |forms: &[FormId], at: &Place| -> Option<Vec<Carried>> {
            let lines = forms.iter();
            if forms.iter().any(defaults) {
                lines.map(|form| self.silent(image, *form, at)).collect()
            } else {
                lines.map(|form| off(form, at)).collect()
            }
        };
        // Where it is not known what silence says on the other side, nothing is written for it.
        if says(to, &Place::root()).is_none() {
            return Vec::new();
        }
        let here = places.into_iter().filter(|place| place.mode(image) == mode);
        here.filter_map(|place| says(from, &place)).collect()
    }

    /// What lines say on the other side, both by form; none if they do not agree, or the other side
    /// has no place for all of it.
    fn say(
        &self,
        image: &Image,
        going: Going,
        places: &BTreeSet<Place>,
        levels: &[Level],
        parts: &[Vec<&Carried>],
    ) -> Option<Vec<Vec<Carried>>> {
        if let Some(function) = &self.function {
            return self.say_by_function(image, going, (function, levels), parts);
        }
        let (_, to) = self.sides(going);
        let (read, written) = match going {
            Going::Down => (&self.declared.new, &self.declared.old),
            Going::Up => (&self.declared.old, &self.declared.new),
        };
        let members = || parts.iter().flatten();
        let says_all = members().any(|line| line.words.sign() == Sign::Positive);
        let signs = parts.iter().zip(read).flat_map(|(part, side)| {
            part.iter().map(move |line| line.words.sign() == turned(Sign::Positive, side))
        });
        let signs: BTreeSet<bool> = signs.collect();
        let [positive] = signs.into_iter().collect::<Vec<_>>()[..] else {
            return None;
        };
        if to.is_empty() {
            return None;
        }
        let sign = if positive { Sign::Positive } else { Sign::No };
        let mut values = Values::new();
        for (part, side) in parts.iter().zip(read) {
            self.take_in(image, going, side, part, &mut values)?;
        }
        if sign == Sign::Positive && !self.imply(going, &mut values) {
            return None;
        }
        self.lose(image, going, sign, &mut values);
        let at = outer(&members().next()?.place, self.depth);
        let mut from: Vec<usize> = members().flat_map(|line| line.from.clone()).collect();
        from.sort_unstable();
        from.dedup();
        let free = self.decides_together() || members().any(|line| line.free);
        // It stands where the first of the lines stood that it is made of.
        let first = members().map(|line| line.at.0).filter(|at| *at > 0).min().unwrap_or(0);
        let one_to = self.one_of(going.back());
        let mut said: BTreeSet<&str> = BTreeSet::new();
        let mut made: Vec<Vec<Carried>> = Vec::new();
        let mut choice: Vec<(Vec<Option<Fit>>, usize)> = Vec::new();
        for (number, (form, side)) in to.iter().zip(written).enumerate() {
            let mut said_here: BTreeSet<&str> = BTreeSet::new();
            let sign = turned(sign, side);
            let lines = if self.is_there(image, to, *form, side, &values) || one_to {
                self.lines(
                    image,
                    (&at, places),
                    levels,
                    (*form, side, sign),
                    &values,
                    &mut said_here,
                )
            } else {
                Some(Vec::new())
            };
            let whole = values.keys().all(|name| said_here.contains(name.as_str()));
            let lines = match lines {
                Some(lines) if one_to && (whole || !says_all) => {
                    let fit = lines.first().map(|(_, words)| fit(&image.form(*form).form, words));
                    choice.extend(fit.map(|fit| (fit, number)));
                    lines
                }
                _ if one_to => Vec::new(),
                lines => lines?,
            };
            said.extend(said_here);
            if let Some(flag) = side.optional.as_ref().filter(|_| !lines.is_empty()) {
                said.extend(values.get_key_value(flag).map(|(name, _)| name.as_str()));
            }
            let carried = lines.into_iter().enumerate().map(|(copy, (place, words))| {
                let at = (first, (self.number * SIDE_MAX + number) * SIDE_MAX + copy);
                Carried { place, form: *form, words, from: from.clone(), at, free }
            });
            made.push(carried.collect());
        }
        if one_to {
            let (_, best) = choice.into_iter().min()?;
            for (number, part) in made.iter_mut().enumerate() {
                if number != best {
                    part.clear();
                }
            }
            return Some(made);
        }
        let all_said = values.keys().all(|name| said.contains(name.as_str()));
        (!says_all || all_said).then_some(made)
    }

    /// Takes in what the lines of one form say, as the other side spells it.
    fn take_in(
        &self,
        image: &Image,
        going: Going,
        side: &image::Side,
        part: &[&Carried],
        values: &mut Values,
    ) -> Option<()> {
        let mut each: Vec<String> = Vec::new();
        for line in part {
            let mut own = self.values(image, line);
            self.fill(image, going, line, &mut own);
            if let Some(name) = &side.each {
                if self.in_path(image, line.form, name) {
                    // A copy: where it stands is no part of what it says.
                    let inner = line.place.instances().iter().skip(self.depth);
                    for (form, words) in inner {
                        own.retain(|name, _| {
                            !image.form(*form).form.values_of(words).contains_key(name.as_str())
                        });
                    }
                } else {
                    each.push(self.spelled(going, name, &own.remove(name)?)?);
                }
            }
            for (name, value) in own {
                let word_by_word = {
                    let written = match going {
                        Going::Down => &self.declared.old,
                        Going::Up => &self.declared.new,
                    };
                    written.iter().any(|side| side.each.as_ref() == Some(&name))
                };
                let value = if word_by_word {
                    let words = value.split(' ').map(|word| self.spelled(going, &name, word));
                    words.collect::<Option<Vec<_>>>()?.join(" ")
                } else {
                    self.spelled(going, &name, &value)?
                };
                if values.insert(name, value.clone()).is_some_and(|other| other != value) {
                    return None;
                }
            }
        }
        if let Some(name) = side.each.as_ref().filter(|_| !each.is_empty()) {
            values.insert(name.clone(), each.join(" "));
        }
        let flag = side.optional.as_ref().filter(|flag| !flag.is_empty() && !part.is_empty());
        if let Some(flag) = flag {
            // It is said by the keyword of that name.
            let (_, to) = self.sides(going);
            let keyword = to.iter().find_map(|form| {
                let form = &image.form(*form).form;
                let leaves = form.capture(flag).into_iter();
                leaves.map(|leaf| form.leaf(leaf)).find(|leaf| leaf.token.is_keyword())
            });
            let word = keyword.map_or(flag.as_str(), |leaf| &leaf.text);
            let word = word.split('$').next().unwrap_or(word).to_string();
            values.insert(flag.clone(), word);
        }
        Some(())
    }

    /// Whether `name` stands in the entry of a mode between the place of a group and that of a
    /// line.
    fn in_path(&self, image: &Image, form: FormId, name: &str) -> bool {
        let modes = path(image, image.form(form).mode);
        modes[self.depth..].iter().any(|mode| {
            let entries = image.forms().filter(|(_, decl)| decl.enters == Some(*mode));
            entries.into_iter().any(|(_, entry)| entry.form.carries(name))
        })
    }

    /// Whether a group has its line of this form, which may be optional.
    fn is_there(
        &self,
        image: &Image,
        to: &[FormId],
        form: FormId,
        side: &image::Side,
        values: &Values,
    ) -> bool {
        match side.optional.as_deref() {
            None => true,
            Some("") => {
                let others = to.iter().filter(|other| **other != form);
                let others: Vec<&Form> = others.map(|other| &image.form(*other).form).collect();
                let alone = |name: &&String| {
                    image.form(form).form.carries(name)
                        && !others.iter().any(|other| other.carries(name))
                };
                values.keys().any(|name| alone(&name))
            }
            Some(flag) => values.contains_key(flag),
        }
    }

    /// The lines of one form that say what it has a place for.
    fn lines<'v>(
        &self,
        image: &Image,
        (at, places): (&Place, &BTreeSet<Place>),
        levels: &[Level],
        (form, side, sign): (FormId, &image::Side, Sign),
        values: &'v Values,
        said: &mut BTreeSet<&'v str>,
    ) -> Option<Vec<(Place, Words)>> {
        let syntax = &image.form(form).form;
        let Some(name) = &side.each else {
            let place = self.place(image, at, form, levels, values, said)?;
            let words = build(syntax, sign, values, said)?;
            return Some(vec![(place, plainly(image, form, words))]);
        };
        if self.in_path(image, form, name) {
            let words = plainly(image, form, build(syntax, sign, values, said)?);
            let mode = image.form(form).mode;
            let copies =
                places.iter().filter(|place| place.mode(image) == mode && place.is_within(at));
            return Some(copies.map(|place| (place.clone(), words.clone())).collect());
        }
        let place = self.place(image, at, form, levels, values, said)?;
        let (name, words) = values.get_key_value(name)?;
        said.insert(name);
        let line = |word: &str| {
            let mut one = values.clone();
            one.insert(name.clone(), word.to_string());
            let mine: Vec<(&str, &str)> = one
                .iter()
                .filter(|(name, _)| syntax.carries(name))
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            Some((place.clone(), plainly(image, form, syntax.build(sign, &mine).ok()?)))
        };
        let lines: Vec<(Place, Words)> = words.split(' ').map(line).collect::<Option<_>>()?;
        said.extend(values.keys().filter(|name| syntax.carries(name)).map(String::as_str));
        Some(lines)
    }

    /// Where a line of `form` stands: `at`, and the instances below it that lead to its mode.
    fn place<'v>(
        &self,
        image: &Image,
        at: &Place,
        form: FormId,
        levels: &[Level],
        values: &'v Values,
        said: &mut BTreeSet<&'v str>,
    ) -> Option<Place> {
        let mut place = at.clone();
        for mode in &path(image, image.form(form).mode)[self.depth..] {
            let lives = |decl: &FormDecl| {
                decl.enters == Some(*mode) && decl.lives_at(levels[usize::from(decl.component.0)])
            };
            let (entry, decl) = image.forms().find(|(_, decl)| lives(decl))?;
            place = place.child(entry, build(&decl.form, Sign::Positive, values, said)?);
        }
        Some(place)
    }

    /// A change of a mode's entry: every instance is named anew, and what is in it goes along. A
    /// value of the entry may be a line in the instance on the other side.
    fn rename_instances(
        &self,
        image: &Image,
        going: Going,
        from: FormId,
        (places, later): (&mut BTreeSet<Place>, &[Self]),
        rung: &mut Rung,
    ) {
        let (read, to) = self.sides(going);
        let leaf = read.get(1).copied();
        let mut names: BTreeMap<Place, Name> = BTreeMap::new();
        for place in places.iter().filter(|place| place.entry_form() == Some(from)) {
            names.insert(place.clone(), self.name(image, going, place, rung));
        }
        let moves = self.old.len() + self.new.len() > 2;
        let twice = |place: &Place| {
            let Name::Is(form, words, _) = &names[place] else {
                return false;
            };
            let same = |(other, name): (&Place, &Name)| {
                let is = matches!(name, Name::Is(of, named, _) if of == form && named == words);
                is && other != place && other.parent() == place.parent()
            };
            moves && names.iter().any(same)
        };
        let twice: Vec<Place> = names.keys().filter(|place| twice(place)).cloned().collect();
        for place in twice {
            names.insert(place, Name::Waits);
        }
        let renamed = |place: &Place| -> Result<Place, bool> {
            let mut at = Place::root();
            let mut was = Place::root();
            for (form, words) in place.instances() {
                was = was.child(*form, words.clone());
                at = match names.get(&was) {
                    None => at.child(*form, words.clone()),
                    Some(Name::Is(form, words, _)) => at.child(*form, words.clone()),
                    Some(Name::Waits) => return Err(true),
                    Some(Name::Unsayable) => return Err(false),
                };
            }
            Ok(at)
        };
        for line in std::mem::take(&mut rung.lines) {
            match renamed(&line.place) {
                Ok(_) if Some(line.form) == leaf => {}
                Ok(place) => rung.lines.push(Carried { place, ..line }),
                Err(true) if going == Going::Up => Self::wait(image, later, line, rung),
                Err(_) => rung.ends.push((line, Vec::new())),
            }
        }
        for (place, name) in &names {
            if let (Ok(place), Name::Is(_, _, Some((form, words)))) = (renamed(place), name) {
                let (form, words) = (*form, words.clone());
                // What the entry said stands first.
                rung.lines.push(Carried {
                    place,
                    form,
                    words,
                    from: Vec::new(),
                    at: (0, 0),
                    free: false,
                });
            }
        }
        for line in std::mem::take(&mut rung.silent) {
            match renamed(&line.place) {
                Ok(place) => rung.silent.push(Carried { place, ..line }),
                Err(true) if going == Going::Up => Self::wait(image, later, line, rung),
                Err(_) => rung.ends.push((line, Vec::new())),
            }
        }
        rung.withheld = std::mem::take(&mut rung.withheld)
            .into_iter()
            .filter_map(|(place, form)| Some((renamed(&place).ok()?, form)))
            .collect();
        let named = names.keys().filter_map(|place| Some((place.clone(), renamed(place).ok()?)));
        rung.renamed.extend(named);
        *places = places.iter().filter_map(|place| renamed(place).ok()).collect();
        for entered in &mut rung.entered {
            let there = entered.place.as_ref().map(renamed);
            // What is given up travels for what leaves it before.
            entered.is_unsayable |= there == Some(Err(false)) && !to.is_empty();
            entered.place = there.and_then(Result::ok);
        }
    }

    /// What the old side says of the new side's lines being there; false: another value.
    fn imply(&self, going: Going, values: &mut Values) -> bool {
        self.declared.implied.iter().all(|(name, value)| match going {
            Going::Down => {
                values.insert(name.clone(), value.clone());
                true
            }
            Going::Up => values.remove(name).is_none_or(|said| said == *value),
        })
    }

    /// A line waits for what names its instance, unless no later change has a place for its values.
    fn wait(image: &Image, later: &[Self], line: Carried, rung: &mut Rung) {
        let next = later.iter().position(|change| change.old.contains(&line.form));
        let names = next.map_or_else(Vec::new, |at| {
            let change = &later[at];
            let mut values = change.values(image, &line);
            change.fill(image, Going::Up, &line, &mut values);
            let own = may_lack(image, &line);
            change.unsayable(image, &later[at + 1..], &own, &values)
        });
        if line.free || names.is_empty() {
            rung.short.push(line);
        } else {
            rung.ends.push((line, names));
        }
    }

    /// What an instance is named on the other side.
    fn name(&self, image: &Image, going: Going, place: &Place, rung: &Rung) -> Name {
        let (read, to) = self.sides(going);
        let (entry, words) = place.instances().last().expect("an instance has an entry");
        let mut values: Values = image
            .form(*entry)
            .form
            .values_of(words)
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.into_owned()))
            .collect();
        if let Some(leaf) = read.get(1) {
            let is_it = |line: &&Carried| {
                line.form == *leaf && line.place == *place && line.words.sign() == Sign::Positive
            };
            let Some(line) = rung.lines.iter().find(is_it) else {
                return Name::Waits;
            };
            let said = image.form(*leaf).form.values_of(&line.words).into_iter();
            values.extend(said.map(|(name, value)| (name.to_string(), value.into_owned())));
        }
        if !self.imply(going, &mut values) {
            return Name::Unsayable;
        }
        let spelled = |(name, value): (&String, &String)| {
            let there = self.spelled(going, name, value)?;
            let comes_back =
                self.spelled(going.back(), name, &there).is_some_and(|back| back == *value);
            let said = to.iter().any(|form| image.form(*form).form.carries(name));
            (comes_back && said).then_some((name.clone(), there))
        };
        let Some(values) = values.iter().map(spelled).collect::<Option<Values>>() else {
            return Name::Unsayable;
        };
        let is_missing = |form: &FormId| {
            let form = &image.form(*form).form;
            form.carried().any(|name| form.always_carries(name) && !values.contains_key(name))
        };
        if to.iter().any(is_missing) {
            return Name::Waits;
        }
        let made = |form: &FormId| {
            let words =
                build(&image.form(*form).form, Sign::Positive, &values, &mut BTreeSet::new())?;
            Some((*form, words))
        };
        let Some((form, words)) = to.first().and_then(made) else {
            return Name::Unsayable;
        };
        match to.get(1).map(made) {
            None => Name::Is(form, words, None),
            Some(Some(leaf)) => Name::Is(form, words, Some(leaf)),
            Some(None) => Name::Unsayable,
        }
    }
}

/// The lines that these were made of which are said by the absence of a line.
fn said_by(silent: &[Carried], absent: &Carried) -> Vec<usize> {
    let same = |line: &&Carried| line.form == absent.form && line.place == absent.place;
    let mut from: Vec<usize> =
        silent.iter().filter(same).flat_map(|line| line.from.clone()).collect();
    from.sort_unstable();
    from.dedup();
    from
}

/// What an instance is named on the other side of a change of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// This entry, and the line in it that holds a value of it, if one does.
    Is(FormId, Words, Option<(FormId, Words)>),
    /// Nothing as yet: a line or a value is missing, or another instance would be named so.
    Waits,
    /// Nothing: a value has no place there.
    Unsayable,
}

/// How the words of a line fit its form, the worst first.
fn fit(form: &Form, words: &Words) -> Vec<Option<Fit>> {
    let of = |(name, value): (&str, Cow<'_, str>)| {
        let leaves = form.capture(name).into_iter();
        leaves.filter_map(|leaf| form.leaf(leaf).token.fit(&value)).min()
    };
    let mut fits: Vec<Option<Fit>> = form.values_of(words).into_iter().map(of).collect();
    fits.sort_by(|one, other| other.cmp(one));
    fits
}

/// More lines than a side has.
const SIDE_MAX: usize = 1 << 12;

/// Whether a line says what its absence says.
fn means_nothing(image: &Image, line: &Carried) -> bool {
    let declared = &image.declarations().commands[line.form.0 as usize];
    let positive = line.words.sign() == Sign::Positive;
    if let Some(there) = from_factory(image, line.form, &line.words) {
        return there == line.words;
    }
    match (&declared.default, &declared.key) {
        _ if !positive && declared.no == NoMeans::State => false,
        (Some(default), _) if default.is_empty() => positive,
        (_, Key::Line) => false,
        (Some(default), Key::Captures(key)) if positive => {
            let form = &image.form(line.form).form;
            let values = form.values_of(&line.words);
            let mandatory = form.carried().any(|name| form.always_carries(name));
            key.is_empty()
                && mandatory
                && values
                    .iter()
                    .all(|(name, value)| default.get(*name).is_some_and(|said| *said == **value))
        }
        (_, Key::Captures(_)) => !positive,
    }
}

/// The line that stands there for the same key from the beginning, until it is undone.
fn from_factory(image: &Image, form: FormId, words: &Words) -> Option<Words> {
    let declared = &image.declarations().commands[form.0 as usize];
    let syntax = &image.form(form).form;
    let Key::Captures(names) = &declared.key else {
        return None;
    };
    let lines = declared.factory.iter().filter_map(|line| syntax.words(line));
    let same = |line: &Words| {
        names.iter().all(|name| line.value(syntax, name) == words.value(syntax, name))
    };
    lines.into_iter().find(same).map(|line| plainly(image, form, line))
}

/// The one writing of a line: parts that have their default are left out, and a `no` that is a
/// line has its key alone.
fn plainly(image: &Image, form: FormId, words: Words) -> Words {
    let declared = &image.declarations().commands[form.0 as usize];
    let syntax = &image.form(form).form;
    let mut said: Values = syntax
        .values_of(&words)
        .into_iter()
        .map(|(name, value)| (name.to_string(), value.into_owned()))
        .collect();
    for name in &declared.set {
        if let Some(value) = said.get_mut(name) {
            *value = without_order(value);
        }
    }
    let words = if declared.set.is_empty() {
        words
    } else {
        let named: Vec<(&str, &str)> = said.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        syntax.build(words.sign(), &named).unwrap_or(words)
    };
    let with = |left_out: &dyn Fn(&str) -> bool| {
        let values: Values = said
            .iter()
            .filter(|(name, _)| !left_out(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let named: Vec<(&str, &str)> =
            values.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let made = syntax.build(words.sign(), &named).ok()?;
        let again = syntax.values_of(&made);
        let whole = values
            .iter()
            .all(|(name, value)| again.get(name.as_str()).is_some_and(|v| **v == **value));
        whole.then_some(made)
    };
    if words.sign() == Sign::No {
        let keys = match &declared.key {
            Key::Captures(keys)
                if declared.no == NoMeans::State || from_factory(image, form, &words).is_some() =>
            {
                keys
            }
            Key::Captures(_) | Key::Line => return words,
        };
        return with(&|name| !keys.iter().any(|key| key == name)).unwrap_or(words);
    }
    let default = declared.default.iter().flatten();
    let usual: Vec<&String> = default
        .filter(|(name, value)| !syntax.always_carries(name) && said.get(*name) == Some(value))
        .map(|(name, _)| name)
        .collect();
    let all = with(&|name| usual.iter().any(|usual| *usual == name));
    let one = || {
        // As the form has them.
        let mut names = syntax.carried().filter(|name| usual.iter().any(|usual| *usual == name));
        names.find_map(|left| with(&|name| name == left))
    };
    all.or_else(one).unwrap_or(words)
}

/// The one writing of words whose order says nothing: each once, the least first; numbers as
/// numbers, where all are.
fn without_order(value: &str) -> String {
    let words: BTreeSet<&str> = value.split(' ').collect();
    let numbers: Option<BTreeSet<(u128, &str)>> =
        words.iter().map(|word| Some((word.parse().ok()?, *word))).collect();
    let in_order: Vec<&str> = match numbers {
        Some(numbers) => numbers.into_iter().map(|(_, word)| word).collect(),
        None => words.into_iter().collect(),
    };
    in_order.join(" ")
}

/// The sign that a line of this side has where the change says `sign`.
const fn turned(sign: Sign, side: &image::Side) -> Sign {
    match (sign, side.not) {
        (Sign::Positive, false) | (Sign::No, true) => Sign::Positive,
        (Sign::Positive, true) | (Sign::No, false) => Sign::No,
    }
}

/// The line of `form` with those of the values that it has a place for.
fn build<'v>(
    form: &Form,
    sign: Sign,
    values: &'v Values,
    said: &mut BTreeSet<&'v str>,
) -> Option<Words> {
    let mine: Vec<(&str, &str)> = values
        .iter()
        .filter(|(name, _)| form.carries(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    said.extend(mine.iter().map(|(name, _)| *name));
    form.build(sign, &mine).ok()
}

/// The modes from the root's child down to `mode`.
fn path(image: &Image, mode: ModeId) -> Vec<ModeId> {
    match image.parent(mode) {
        None => Vec::new(),
        Some(parent) => {
            let mut path = path(image, parent);
            path.push(mode);
            path
        }
    }
}

/// The names of which a line may lack the value: what stands behind no `no` it does not lack.
fn may_lack<'i>(image: &'i Image, line: &Carried) -> Vec<&'i str> {
    match line.words.sign() {
        Sign::No => Vec::new(),
        Sign::Positive => image.form(line.form).form.carried().collect(),
    }
}

/// The first `depth` instances of a place.
fn outer(place: &Place, depth: usize) -> Place {
    let instances = place.instances().iter().take(depth);
    instances.fold(Place::root(), |place, (form, words)| place.child(*form, words.clone()))
}
