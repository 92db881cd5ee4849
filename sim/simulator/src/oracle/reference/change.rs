//! One declared change of a family, applied to a whole config: wherever one of its sides matches,
//! the other side is written in its place. What no line of the other side can say, ends here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use skewsync::grammar::{Form, Sign, Words};
use skewsync::ids::{FormId, Level, ModeId};
use skewsync::image::{self, Image, Key};
use skewsync::parse::Place;

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

/// A change, with its sides as forms of one image.
#[derive(Clone, Debug)]
pub(super) struct Change {
    declared: image::Change,
    old: Vec<FormId>,
    new: Vec<FormId>,
    /// Its number in the family's order.
    number: usize,
    /// How many instances deep the place is that all of its forms share.
    depth: usize,
    /// The names that tell one group of lines from another: each form has them in its key.
    key: Vec<String>,
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
        let declared = declared.clone();
        let mut change = Self { declared, old, new, number, depth: 0, key: Vec::new() };
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

    /// The component, and the level that it makes.
    pub(super) const fn makes(&self) -> (usize, u16) {
        (self.declared.component as usize, self.declared.level)
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
        let mut spelled = map.filter_map(|(old, new)| match going {
            Going::Down => (new == value).then_some(old),
            Going::Up => (old == value).then_some(new),
        });
        if let Some(spelled) = spelled.next() {
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

    /// Applies the change to a whole config. Of a line that waits for others it is asked whether
    /// the `later` changes have a place for its values.
    pub(super) fn apply(&self, image: &Image, going: Going, later: &[Self], rung: &mut Rung) {
        let (component, level) = self.makes();
        rung.levels[component] = match going {
            Going::Down => Level(level - 1),
            Going::Up => Level(level),
        };
        let (from, to) = self.sides(going);
        let Some(first) = from.first() else {
            return;
        };
        if image.form(*first).enters.is_some() {
            self.rename_instances(image, going, (*first, to.first().copied()), rung);
            return;
        }
        let silent = self.silent_groups(image, going, rung);
        if silent.is_empty() && !rung.lines.iter().any(|line| from.contains(&line.form)) {
            return;
        }
        let lines = std::mem::take(&mut rung.lines);
        let groups = self.groups(image, going, &lines);
        for members in silent {
            let written = self.write_lines(image, going, rung, &members.iter().collect::<Vec<_>>());
            rung.lines.extend(written.into_iter().flatten());
        }
        let mut read: BTreeSet<usize> = BTreeSet::new();
        for group in groups.into_values() {
            let mut members: Vec<usize> = group.members.iter().flatten().copied().collect();
            members.sort_unstable();
            read.extend(&members);
            match self.write(image, going, rung, &group, &lines) {
                Some(made) => rung.lines.extend(made),
                None if going == Going::Down => {
                    let ends = members.iter().map(|number| (lines[*number].clone(), Vec::new()));
                    rung.ends.extend(ends);
                }
                None => {
                    let alone = members.len() == 1 && from.len() == 1;
                    for line in members.iter().map(|number| &lines[*number]) {
                        let values = self.values(image, line);
                        let names = self.unsayable(image, later, line.form, &values);
                        if alone || !names.is_empty() {
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
                    Going::Down => {
                        self.spelled(going, name, value).unwrap_or_else(|| value.to_string())
                    }
                    Going::Up => value.to_string(),
                }
            });
            let group = groups.entry((outer(&line.place, self.depth), key.collect())).or_default();
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

    /// The names of values of a line, or of such that it lacks though its form `origin` may carry
    /// them, for which the new side has no place, whatever stands beside it; else those for which
    /// one of the `later` changes has none.
    fn unsayable(
        &self,
        image: &Image,
        later: &[Self],
        origin: FormId,
        values: &Values,
    ) -> Vec<String> {
        let modes = |form: &FormId| path(image, image.form(*form).mode).split_off(self.depth);
        let entries =
            |mode: ModeId| image.forms().filter(move |(_, decl)| decl.enters == Some(mode));
        let entries = self.new.iter().flat_map(modes).flat_map(entries).map(|(_, decl)| &decl.form);
        let forms = self.new.iter().map(|form| &image.form(*form).form);
        let forms: Vec<&Form> = forms.chain(entries).collect();
        let fits = |form: &Form, name: &str, word: &str| {
            let mut leaves = form.capture(name).into_iter().map(|leaf| &form.leaf(leaf).token);
            leaves.any(|token| token.fit(word).is_some() && token.canonical(word) == word)
        };
        let says = |(name, value): (&String, &String)| {
            if let Some(implied) = self.declared.implied.get(name) {
                return implied == value;
            }
            let Some(there) = self.spelled(Going::Up, name, value) else {
                return false;
            };
            let mut with = forms.iter().filter(|form| form.carries(name)).peekable();
            self.spelled(Going::Down, name, &there).is_some_and(|back| back == *value)
                && with.peek().is_some()
                && with.all(|form| fits(form, name, &there))
        };
        let lacks = |name: &str| {
            !values.contains_key(name) && forms.iter().any(|form| form.always_carries(name))
        };
        let unsaid = values.iter().filter(|value| !says(*value)).map(|(name, _)| name.as_str());
        let lacking = image.form(origin).form.carried().filter(|name| lacks(name));
        let unsayable: Vec<String> = unsaid.chain(lacking).map(String::from).collect();
        if !unsayable.is_empty() {
            return unsayable;
        }
        let next = |form: &FormId| {
            let at = later.iter().position(|change| change.old.contains(form))?;
            let carried = values.iter().filter(|(name, _)| image.form(*form).form.carries(name));
            let spelled = |(name, value): (&String, &String)| {
                Some((name.clone(), self.spelled(Going::Up, name, value)?))
            };
            let values = carried.filter_map(spelled).collect();
            Some(later[at].unsayable(image, &later[at + 1..], origin, &values))
        };
        self.new.iter().filter_map(next).flatten().collect()
    }

    /// The lines of the other side; none if it cannot say all that the group says, or if what is
    /// written says another group when it is taken back.
    fn write(
        &self,
        image: &Image,
        going: Going,
        rung: &Rung,
        group: &Group,
        lines: &[Carried],
    ) -> Option<Vec<Carried>> {
        let (from, _) = self.sides(going);
        let first = group.members.iter().flatten().next()?;
        let at = outer(&lines[*first].place, self.depth);
        let silent: Vec<Option<Carried>> =
            from.iter().map(|form| self.silent(image, *form, &at)).collect();
        let mut members: Vec<&Carried> = Vec::new();
        for (part, silent) in group.members.iter().zip(&silent) {
            members.push(match part[..] {
                [] => silent.as_ref()?,
                [number] => &lines[number],
                _ => return None,
            });
        }
        self.write_lines(image, going, rung, &members)
    }

    /// The lines of the other side that are not said by being absent; see `write`.
    fn write_lines(
        &self,
        image: &Image,
        going: Going,
        rung: &Rung,
        members: &[&Carried],
    ) -> Option<Vec<Carried>> {
        let mut written = self.say(image, going, &rung.levels, members)?;
        let (component, level) = self.makes();
        let mut levels = rung.levels.clone();
        let back = match going {
            Going::Down => {
                levels[component] = Level(level);
                Going::Up
            }
            Going::Up => {
                levels[component] = Level(level - 1);
                Going::Down
            }
        };
        let again = self.say(image, back, &levels, &written.iter().collect::<Vec<_>>())?;
        let same = |(one, other): (&&Carried, &Carried)| {
            (&one.place, one.form, &one.words) == (&other.place, other.form, &other.words)
        };
        if !members.iter().zip(&again).all(same) {
            return None;
        }
        written.retain(|line| !means_nothing(image, line));
        Some(written)
    }

    /// The line that an absent one of `form` says at `at`; none: it says nothing.
    fn silent(&self, image: &Image, form: FormId, at: &Place) -> Option<Carried> {
        let declared = &image.declarations().commands[form.0 as usize];
        let here = path(image, image.form(form).mode).len() == self.depth;
        let unkeyed = matches!(&declared.key, Key::Captures(key) if key.is_empty());
        let default = declared.default.as_ref().filter(|_| here && unkeyed)?;
        let syntax = &image.form(form).form;
        let mandatory = syntax.carried().filter(|name| syntax.always_carries(name));
        let mandatory: Vec<&str> = mandatory.collect();
        if mandatory.is_empty() != default.is_empty()
            || mandatory.iter().any(|name| !default.contains_key(*name))
        {
            return None;
        }
        let values: Vec<(&str, &str)> =
            default.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let words = syntax.build(Sign::Positive, &values).ok()?;
        Some(Carried { place: at.clone(), form, words, from: Vec::new(), at: (0, 0) })
    }

    /// What nothing says on the side gone from, in each instance of the mode where no line of it
    /// stands.
    fn silent_groups(&self, image: &Image, going: Going, rung: &Rung) -> Vec<Vec<Carried>> {
        let (from, to) = self.sides(going);
        let all_here = |form: &FormId| {
            path(image, image.form(*form).mode).len() == self.depth
                && self.address(image, *form, &[]).is_empty()
        };
        if to.is_empty() || !from.iter().chain(to).all(all_here) {
            return Vec::new();
        }
        let mode = image.form(from[0]).mode;
        let entered = rung.entered.iter().filter_map(|entered| entered.place.as_ref());
        let around = entered.chain(rung.lines.iter().map(|line| &line.place));
        let mut places: BTreeSet<Place> = around.flat_map(Place::and_ancestors).collect();
        places.insert(Place::root());
        for line in rung.lines.iter().filter(|line| from.contains(&line.form)) {
            places.remove(&line.place);
        }
        let defaults =
            |form: &FormId| image.declarations().commands[form.0 as usize].default.is_some();
        let off = |form: &FormId, at: &Place| {
            let words = image.form(*form).form.build(Sign::No, &[]).ok()?;
            let at = (at.clone(), *form);
            Some(Carried { place: at.0, form: at.1, words, from: Vec::new(), at: (0, 0) })
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

    /// What lines, one of each form of the side gone from, say on the other side; none if they do
    /// not agree, or the other side has no place for all of it.
    fn say(
        &self,
        image: &Image,
        going: Going,
        levels: &[Level],
        members: &[&Carried],
    ) -> Option<Vec<Carried>> {
        let (_, to) = self.sides(going);
        let (read, written) = match going {
            Going::Down => (&self.declared.new, &self.declared.old),
            Going::Up => (&self.declared.old, &self.declared.new),
        };
        let says_all = members.iter().any(|line| line.words.sign() == Sign::Positive);
        let signs = members.iter().zip(read);
        let mut signs = signs.map(|(line, side)| line.words.sign() == turned(Sign::Positive, side));
        let positive = signs.next()?;
        if to.is_empty() || signs.any(|other| other != positive) {
            return None;
        }
        let sign = if positive { Sign::Positive } else { Sign::No };
        let mut values = Values::new();
        for line in members {
            for (name, value) in self.values(image, line) {
                let value = self.spelled(going, &name, &value)?;
                if values.insert(name, value.clone()).is_some_and(|other| other != value) {
                    return None;
                }
            }
        }
        if sign == Sign::Positive {
            for (name, value) in &self.declared.implied {
                match going {
                    Going::Down => {
                        values.insert(name.clone(), value.clone());
                    }
                    Going::Up if values.remove(name).is_some_and(|said| said != *value) => {
                        return None;
                    }
                    Going::Up => {}
                }
            }
        }
        let at = outer(&members[0].place, self.depth);
        let mut from: Vec<usize> = members.iter().flat_map(|line| line.from.clone()).collect();
        from.sort_unstable();
        from.dedup();
        // It stands where the first of the lines stood that it is made of.
        let first = members.iter().map(|line| line.at.0).min()?;
        let mut said: BTreeSet<&str> = BTreeSet::new();
        let mut made = Vec::new();
        for (number, (form, side)) in to.iter().zip(written).enumerate() {
            let place = self.place(image, &at, *form, levels, &values, &mut said)?;
            let sign = turned(sign, side);
            let words = build(&image.form(*form).form, sign, &values, &mut said)?;
            let at = (first, self.number * SIDE_MAX + number);
            made.push(Carried { place, form: *form, words, from: from.clone(), at });
        }
        let all_said = values.keys().all(|name| said.contains(name.as_str()));
        (!says_all || all_said).then_some(made)
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
            let lives = |decl: &image::FormDecl| {
                decl.enters == Some(*mode) && decl.lives_at(levels[usize::from(decl.component.0)])
            };
            let (entry, decl) = image.forms().find(|(_, decl)| lives(decl))?;
            place = place.child(entry, build(&decl.form, Sign::Positive, values, said)?);
        }
        Some(place)
    }

    /// A change of a mode's entry: every instance is named anew, and what is in it goes along.
    fn rename_instances(
        &self,
        image: &Image,
        going: Going,
        (from, to): (FormId, Option<FormId>),
        rung: &mut Rung,
    ) {
        let renamed = |place: &Place| {
            let mut at = Place::root();
            for (form, words) in place.instances() {
                let (form, words) = if *form == from {
                    let values = image.form(from).form.values_of(words).into_iter();
                    let spelled = |(name, value): (&str, Cow<'_, str>)| {
                        Some((String::from(name), self.spelled(going, name, &value)?))
                    };
                    let values: Values = values.map(spelled).collect::<Option<_>>()?;
                    let form = to?;
                    let said = &mut BTreeSet::new();
                    (form, build(&image.form(form).form, Sign::Positive, &values, said)?)
                } else {
                    (*form, words.clone())
                };
                at = at.child(form, words);
            }
            Some(at)
        };
        for line in std::mem::take(&mut rung.lines) {
            match renamed(&line.place) {
                Some(place) => rung.lines.push(Carried { place, ..line }),
                None => rung.ends.push((line, Vec::new())),
            }
        }
        for entered in &mut rung.entered {
            entered.place = entered.place.as_ref().and_then(renamed);
        }
    }
}

/// More lines than a side has.
const SIDE_MAX: usize = 1 << 16;

/// Whether a line says what its absence says.
fn means_nothing(image: &Image, line: &Carried) -> bool {
    let declared = &image.declarations().commands[line.form.0 as usize];
    let positive = line.words.sign() == Sign::Positive;
    match (&declared.default, &declared.key) {
        (Some(default), _) if default.is_empty() => positive,
        (_, Key::Line) => false,
        (Some(default), Key::Captures(key)) if positive => {
            let form = &image.form(line.form).form;
            let values = form.values_of(&line.words);
            let mandatory = form.carried().any(|name| form.always_carries(name));
            key.is_empty()
                && mandatory
                && values.len() == default.len()
                && values
                    .iter()
                    .all(|(name, value)| default.get(*name).is_some_and(|said| *said == **value))
        }
        (_, Key::Captures(_)) => !positive,
    }
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

/// The first `depth` instances of a place.
fn outer(place: &Place, depth: usize) -> Place {
    let instances = place.instances().iter().take(depth);
    instances.fold(Place::root(), |place, (form, words)| place.child(*form, words.clone()))
}
