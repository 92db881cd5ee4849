//! The laws of a rule, held against generated groups: what goes one way comes back as it was.
//!
//! For `image check` and tests. It claims nothing about groups that a guard keeps from going at
//! all.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::address::{self, Bindings};
use super::function::lines_of_sample;
use super::rule::{Direction, Each, Lines, Pattern, Rule, SideOf};
use super::{GroupKey, GroupStep, StuckCause};
use crate::config::{Config, EntryKind, Line, LineKey, Place};
use crate::grammar::{Form, Sign, Token, Words, split_words};
use crate::ids::Level;
use crate::image::{Grammar, Image};
use crate::parse;

/// A group that did not come back as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LawError {
    /// Going there and back gives another group.
    #[error("{} becomes {} and comes back as \
             {}", lines.join("; "), became.join("; "), back.join("; "))]
    NotInverse {
        /// The way it went first.
        direction: Direction,
        /// The lines of the group.
        lines: Vec<String>,
        /// What they became.
        became: Vec<String>,
        /// What these became; empty if they are stuck.
        back: Vec<String>,
    },
    /// What it becomes is read as something else.
    #[error("{} becomes `{line}`, which is read as {read}", lines.join("; "))]
    ReadAs {
        /// The way it went.
        direction: Direction,
        /// The lines of the group.
        lines: Vec<String>,
        /// One of the lines that they become.
        line: String,
        /// What it is read as.
        read: String,
    },
    /// A sample of a function does not go.
    #[error("the sample {} does not go: {why}", lines.join("; "))]
    Sample {
        /// The way.
        direction: Direction,
        /// Its lines.
        lines: Vec<String>,
        /// Why it does not.
        why: String,
    },
    /// No generated group goes at all.
    #[error("no group of this change can go: {}", why)]
    NeverGoes {
        /// The way.
        direction: Direction,
        /// Why the first did not.
        why: String,
    },
}

impl LawError {
    /// Whether another error has the same cause, as far as can be told.
    pub fn is_like(&self, other: &Self) -> bool {
        self.cause() == other.cause()
    }

    /// What it comes of: the law, the way, and what a line is read as.
    fn cause(&self) -> (u8, Direction, &str) {
        match self {
            Self::NotInverse { direction, .. } => (0, *direction, ""),
            Self::ReadAs { direction, read, .. } => (1, *direction, read),
            Self::NeverGoes { direction, .. } => (2, *direction, ""),
            Self::Sample { direction, .. } => (3, *direction, ""),
        }
    }
}

/// Checks one rule both ways on at most `limit` generated groups each.
///
/// # Shape
/// All that is broken; a way whose other side is empty is not asked.
pub fn check_inverse(image: &Image, rule: &Rule, limit: usize) -> Vec<LawError> {
    [Direction::Lower, Direction::Raise]
        .into_iter()
        .filter(|way| !rule.side(way.from()).is_empty() && !rule.side(way.to()).is_empty())
        .flat_map(|way| check_way(image, rule, way, limit))
        .collect()
}

fn check_way(image: &Image, rule: &Rule, way: Direction, limit: usize) -> Vec<LawError> {
    let mut broken = Vec::new();
    let mut went = false;
    let mut why = None;
    let grammar = grammar_of(image, rule, way.to());
    let own = grammar_of(image, rule, way.from());
    let at = place_of(image, rule);
    let absent = GroupKey { change: Some(rule.change), at: at.clone(), key: Vec::new() };
    let none = rule.writes_absence(way).then(Lines::new);
    let instances = instances_of(image, rule, &at);
    let samples = samples(image, rule, way, &at);
    broken.extend(samples.iter().filter_map(|lines| {
        let (pattern, (key, _)) = first_of(lines)?;
        let group = rule.group_of(image, way.from(), pattern, key);
        let config = config_of(image, &at, &instances, lines);
        let why = match rule.evaluate(image, way, &config, &group) {
            GroupStep::Stuck(cause) => cause.to_string(),
            GroupStep::Pending => StuckCause::Pending.to_string(),
            GroupStep::Made { .. } => return None,
        };
        Some(LawError::Sample { direction: way, lines: texts(lines.iter().flatten()), why })
    }));
    let undone = undone(image, rule, way, &at);
    let more = samples.into_iter().chain(undone).chain(none);
    for lines in groups(image, rule, way, limit).into_iter().chain(more) {
        // What nobody can write, and what no config keeps.
        let unwritten = |line: &(LineKey, Line)| {
            misread(image, &own, line).is_some()
                || image.form(line.0.form).says_absence(&line.1.words)
        };
        let told = |(pattern, of): (usize, &Vec<(LineKey, Line)>)| {
            of.iter().all(|(key, _)| rule.tells(image, way.from(), pattern, key))
        };
        // Nor does a line go whose key has no counterpart.
        if lines.iter().flatten().any(unwritten) || !lines.iter().enumerate().all(told) {
            continue;
        }
        let config = config_of(image, &at, &instances, &lines);
        let first = first_of(&lines);
        let group = first.map_or(absent.clone(), |(pattern, (key, _))| {
            rule.group_of(image, way.from(), pattern, key)
        });
        let out = match rule.evaluate(image, way, &config, &group) {
            GroupStep::Made { out, .. } => out,
            GroupStep::Pending => continue,
            GroupStep::Stuck(StuckCause::Unverified) => {
                let lines = if first.is_some() { lines } else { rule.absence(way.from(), &group) };
                let became = rule.make(image, way, &config, &group, &lines).unwrap_or_default();
                let back = rule.make(image, way.back(), &config, &group, &became);
                if is_partial(image, rule, &lines, &back) {
                    continue;
                }
                let back = back.unwrap_or_default();
                broken.push(LawError::NotInverse {
                    direction: way,
                    lines: texts(lines.iter().flatten()),
                    became: texts(became.iter().flatten()),
                    back: texts(back.iter().flatten()),
                });
                continue;
            }
            GroupStep::Stuck(cause) => {
                why.get_or_insert_with(|| cause.to_string());
                continue;
            }
        };
        went = true;
        if let Some((line, read)) = out.iter().find_map(|line| misread(image, &grammar, line)) {
            let lines = texts(lines.iter().flatten());
            broken.push(LawError::ReadAs { direction: way, lines, line, read });
            continue;
        }
        let there = config_of(image, &at, &instances, core::slice::from_ref(&out));
        let back = match rule.evaluate(image, way.back(), &there, &group) {
            GroupStep::Made { out, .. } => out,
            GroupStep::Pending | GroupStep::Stuck(_) => Vec::new(),
        };
        let again = config_of(image, &at, &instances, core::slice::from_ref(&back));
        let lost = || {
            let by_pattern = rule.members(image, way.from(), &again, &group);
            rule.differ_by_losses(image, &lines, &by_pattern)
        };
        let lines = || texts(lines.iter().flatten());
        if again.lines().ne(config.lines()) && !lost() {
            broken.push(LawError::NotInverse {
                direction: way,
                lines: lines(),
                became: texts(&out),
                back: texts(&back),
            });
        }
    }
    if let Some(why) = why.filter(|_| !went && !rule.revised) {
        broken.push(LawError::NeverGoes { direction: way, why });
    }
    broken
}

/// The first line of a group, and of which pattern it is.
fn first_of(lines: &Lines) -> Option<(usize, &(LineKey, Line))> {
    lines.iter().enumerate().find_map(|(pattern, lines)| Some((pattern, lines.first()?)))
}

/// Groups of one line that undo what a factory sets, and such that set its keys otherwise.
fn undone(image: &Image, rule: &Rule, way: Direction, at: &Place) -> Vec<Lines> {
    let [pattern] = rule.side(way.from()) else {
        return Vec::new();
    };
    let decl = image.form(pattern.form);
    let examples = decl.form.examples(EXAMPLES_MAX);
    let positive = || examples.iter().filter(|words| words.sign() == Sign::Positive);
    let otherwise = decl.factory.iter().flat_map(|line| {
        let key = line.only(decl.key.as_deref().unwrap_or_default());
        positive().filter_map(move |words| {
            let mut values = decl.form.values_of(words);
            let own = decl.form.values_of(&key).into_iter();
            values.extend(own.map(|(name, value)| (name, Cow::Owned(value.into_owned()))));
            let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
            decl.form.build(Sign::Positive, &values).ok()
        })
    });
    let lines = decl.undone().chain(otherwise);
    let place = |words: &Words| {
        // In an instance of a mode of its own, any one.
        let mut values = decl.form.values_of(words);
        for entry in &pattern.entries {
            complete(&image.form(*entry).form, Fill::All, &mut values);
        }
        address::place(image, at, pattern, &values).ok()
    };
    let lines = lines.filter_map(|words| {
        let line = Line::new(image, place(&words)?, pattern.form, words);
        Some(alloc::vec![alloc::vec![line]])
    });
    lines.collect()
}

/// The samples of a function that its forms have a place for.
fn samples(image: &Image, rule: &Rule, way: Direction, at: &Place) -> Vec<Lines> {
    let samples = rule.function.as_ref().map(|function| (function.samples)());
    let mine = samples.into_iter().flatten().filter(|of| SideOf::from(of.side) == way.from());
    mine.filter_map(|of| lines_of_sample(image, at, rule.side(way.from()), &of.lines)).collect()
}

/// Whether a group does not come back for values alone that have no counterpart on purpose.
fn is_partial(image: &Image, rule: &Rule, lines: &Lines, back: &Result<Lines, StuckCause>) -> bool {
    let named = |name: &str| rule.partial.iter().any(|partial| **partial == *name);
    match back {
        Err(StuckCause::Value { capture, .. }) => named(capture),
        Err(_) => false,
        Ok(back) => lines.iter().flatten().zip(back.iter().flatten()).all(|(line, again)| {
            let ((key, line), (_, again)) = (line, again);
            let form = &image.form(key.form).form;
            let (one, other) = (form.values_of(&line.words), form.values_of(&again.words));
            form.carried().all(|name| named(name) || one.get(name) == other.get(name))
        }),
    }
}

/// The forms that live beside those of one side.
fn grammar_of(image: &Image, rule: &Rule, side: SideOf) -> Grammar {
    let mut levels = image.levels().to_vec();
    levels[usize::from(rule.component.0)] = match side {
        SideOf::Old => Level(rule.level.0.saturating_sub(1)),
        SideOf::New => rule.level,
    };
    image.grammar(&levels)
}

/// The text of a line that is read as another, and as what; none: it is read as it was made.
fn misread(image: &Image, grammar: &Grammar, made: &(LineKey, Line)) -> Option<(String, String)> {
    let (key, line) = made;
    let words: Vec<&str> = split_words(line.words.text()).collect();
    let read = match parse::words(image, grammar, image.form(key.form).mode, &words) {
        Ok((form, words)) if form == key.form && words == line.words => return None,
        Ok((form, _)) => alloc::format!("`{}`", image.form(form).form.text()),
        Err(error) => error.to_string(),
    };
    Some((line.words.to_string(), read))
}

/// Whole groups of one side: every alternative and both ends of every range.
pub(super) fn groups(image: &Image, rule: &Rule, way: Direction, limit: usize) -> Vec<Lines> {
    if rule.one == Some(way.from()) {
        // One line is a group.
        let side = rule.side(way.from());
        let alone = side.iter().enumerate().flat_map(|(number, pattern)| {
            groups_of(image, rule, way, core::slice::from_ref(pattern), limit).into_iter().map(
                move |mut lines| {
                    let mut all = alloc::vec![Vec::new(); side.len()];
                    all[number] = lines.remove(0);
                    all
                },
            )
        });
        return alone.collect();
    }
    let side = rule.side(way.from());
    let whole = groups_of(image, rule, way, side, limit);
    let optional = side.iter().enumerate().filter(|(_, pattern)| pattern.optional.is_some());
    let without = optional.flat_map(|(number, _)| {
        whole.iter().take(1).map(move |lines| {
            let mut lines = lines.clone();
            lines[number].clear();
            lines
        })
    });
    let without: Vec<Lines> = without.collect();
    whole.into_iter().chain(without).collect()
}

/// The same of these lines of a side.
fn groups_of(
    image: &Image,
    rule: &Rule,
    way: Direction,
    side: &[Pattern],
    limit: usize,
) -> Vec<Lines> {
    let Some(first) = side.first() else {
        return Vec::new();
    };
    let at = place_of(image, rule);
    // A line that is the default itself is never written, only its `no`.
    let sign = if image.form(first.form).default.is_line() { Sign::No } else { Sign::Positive };
    let sign = sign.turned(first.not);
    let examples = image.form(first.form).form.examples(limit);
    let positive = || examples.iter().filter(|words| words.sign() == Sign::Positive);
    let completed = |words, fill: Fill| {
        let mut values = image.form(first.form).form.values_of(words);
        for pattern in side {
            let entries = pattern.entries.iter().map(|entry| &image.form(*entry).form);
            for form in entries.chain([&image.form(pattern.form).form]) {
                complete(form, fill, &mut values);
            }
        }
        values
    };
    let whole: Vec<Bindings<'_>> = positive().map(|words| completed(words, Fill::All)).collect();
    // A part may be one that does not go.
    let bare = positive().map(|words| completed(words, Fill::Mandatory));
    let bare: Vec<Bindings<'_>> = bare.filter(|values| !whole.contains(values)).collect();
    let fullest = whole.iter().max_by_key(|values| values.len());
    let ends = ends_of(image, rule, way.to());
    let more = fullest.into_iter().flat_map(|values| {
        let words = words_beside(image, rule, way.to());
        let ends = ends.iter().filter(|(name, _)| values.contains_key(&**name));
        let ends = ends.map(|(name, end)| {
            let mut values = values.clone();
            values.insert(name, rule.mapped(way.back(), name, end));
            values
        });
        let ends: Vec<Bindings<'_>> = ends.collect();
        spelled(rule, values)
            .into_iter()
            .chain(ends)
            .chain(like_keywords(image, side, values, &words))
    });
    let more: Vec<Bindings<'_>> = more.take(limit).collect();
    let instances = instances_of(image, rule, &at);
    let several = (1..=SEVERAL_MAX)
        .filter(|count| *count == 1 || side.iter().any(|pattern| pattern.each.is_some()));
    let several: Vec<usize> = several.collect();
    let all: Vec<Bindings<'_>> = whole.into_iter().chain(more).chain(bare).collect();
    let mut groups = Vec::new();
    for count in several {
        groups.extend(all.iter().filter_map(|values| -> Option<Lines> {
            let lines = |pattern: &Pattern| {
                let sign = sign.turned(pattern.not);
                several_of(image, &at, &instances, pattern, sign, values, count)
            };
            side.iter().map(lines).collect()
        }));
    }
    groups
}

/// A group has so many lines of one form at most here.
const SEVERAL_MAX: usize = 3;

/// So many lines of a pattern, if a group may have several; else one.
fn several_of(
    image: &Image,
    at: &Place,
    instances: &[Place],
    pattern: &Pattern,
    sign: Sign,
    values: &Bindings<'_>,
    count: usize,
) -> Option<Vec<(LineKey, Line)>> {
    let build = |values: &Bindings<'_>| address::build(image, at, pattern, sign, values).ok();
    match &pattern.each {
        None => Some(alloc::vec![build(values)?]),
        Some(Each::Word(name)) => {
            let form = &image.form(pattern.form).form;
            let examples = form.examples(EXAMPLES_MAX);
            let words = examples.iter().filter_map(|words| words.value(form, name));
            let mut words: Vec<String> = words.map(Cow::into_owned).collect();
            words.sort();
            words.dedup();
            let line = |word: &String| {
                let mut one = values.clone();
                one.insert(name, Cow::Owned(word.clone()));
                build(&one)
            };
            words.iter().take(count).map(line).collect()
        }
        Some(Each::Instance(_)) => {
            let form = &image.form(pattern.form).form;
            let words = form.build(sign, &address::wanted(form, values)).ok()?;
            let copy = |place: &Place| Line::new(image, place.clone(), pattern.form, words.clone());
            Some(instances.iter().map(copy).collect())
        }
    }
}

/// Lines of a form that are looked at for values of a capture.
const EXAMPLES_MAX: usize = 32;

/// Instances of the modes in which a rule has copies, below `at`.
fn instances_of(image: &Image, rule: &Rule, at: &Place) -> Vec<Place> {
    let mut places = Vec::new();
    let patterns = rule.old.iter().chain(&rule.new);
    for pattern in patterns.filter(|pattern| matches!(pattern.each, Some(Each::Instance(_)))) {
        let mut below = alloc::vec![at.clone()];
        for entry in &pattern.entries {
            let examples = image.form(*entry).form.examples(EXAMPLES_MAX);
            let words = examples.iter().filter(|words| words.sign() == Sign::Positive);
            let words: Vec<_> = words.take(2).cloned().collect();
            let inner = below
                .iter()
                .flat_map(|place| words.iter().map(|words| place.child(*entry, words.clone())));
            below = inner.collect();
        }
        places.extend(below);
    }
    places
}

/// The ends of the ranges of a side, and what else its lines say: words of its kinds.
fn ends_of(image: &Image, rule: &Rule, side: SideOf) -> Vec<(Box<str>, String)> {
    let mut ends: Vec<(Box<str>, String)> = Vec::new();
    for pattern in rule.side(side) {
        for leaf in image.form(pattern.form).form.leaves() {
            let name = leaf.name.as_ref().or(leaf.implied.as_ref());
            let range = match &leaf.token {
                Token::List(of) => of.range(),
                token => token.range(),
            };
            if let (Some(name), Some((min, max))) = (name, range) {
                ends.extend([min, max].map(|end| (name.clone(), end.to_string())));
            }
        }
    }
    // Of lines that a value chooses, each has its own: another line's is stuck there by design.
    let is_chosen = rule.one.is_some_and(|one| one != side);
    for pattern in rule.side(side).iter().filter(|_| !is_chosen) {
        let form = &image.form(pattern.form).form;
        for words in form.examples(EXAMPLES_MAX) {
            for (name, value) in form.values_of(&words) {
                let said = (Box::from(name), value.into_owned());
                if !ends.contains(&said) {
                    ends.push(said);
                }
            }
        }
    }
    ends
}

/// The same group with each value of a map, of either column, and each implied one, in turn.
fn spelled<'a>(rule: &'a Rule, values: &Bindings<'a>) -> Vec<Bindings<'a>> {
    let mapped = values.keys().flat_map(|name| {
        let words = rule.spelled(name).chain(rule.implied_value(name));
        words.map(move |word| (*name, word))
    });
    let with = mapped.map(|(name, word)| {
        let mut values = values.clone();
        values.insert(name, Cow::Borrowed(word));
        values
    });
    with.collect()
}

/// The keywords that may stand where the other side has a word of any kind: those of the forms
/// beside it that begin as it does.
fn words_beside<'a>(image: &'a Image, rule: &Rule, side: SideOf) -> Vec<&'a str> {
    let mut words = Vec::new();
    for pattern in rule.side(side) {
        let own = image.form(pattern.form);
        let begins = |form: &Form| {
            form.leaves().iter().find(|leaf| !leaf.token.is_no()).map(|leaf| leaf.token.clone())
        };
        let first = begins(&own.form);
        let beside =
            image.forms().filter(|(_, decl)| decl.mode == own.mode && begins(&decl.form) == first);
        let leaves = beside.flat_map(|(_, decl)| decl.form.leaves());
        words.extend(leaves.filter_map(|leaf| match &leaf.token {
            Token::Keyword(word) => Some(&**word),
            _ => None,
        }));
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// The same group with each of these words in turn where its side takes any word.
fn like_keywords<'a>(
    image: &Image,
    side: &[Pattern],
    values: &Bindings<'a>,
    words: &[&'a str],
) -> Vec<Bindings<'a>> {
    let any = |name: &str| {
        let forms = side.iter().map(|pattern| &image.form(pattern.form).form);
        let mut leaves = forms.flat_map(|form| {
            form.capture(name).into_iter().map(|leaf| form.leaf(leaf)).collect::<Vec<_>>()
        });
        leaves.any(|leaf| matches!(leaf.token, Token::Variable | Token::String))
    };
    let names = values.keys().filter(|name| any(name));
    let with = names.flat_map(|name| {
        words.iter().map(|word| {
            let mut values = values.clone();
            values.insert(*name, Cow::Borrowed(*word));
            values
        })
    });
    with.collect()
}

/// Which captures that an example lacks are given a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// Each.
    All,
    /// Those that no line is without.
    Mandatory,
}

/// Adds the values of an example where the form has captures that are not given.
fn complete<'a>(form: &'a Form, fill: Fill, values: &mut Bindings<'a>) {
    let examples = form.examples(8);
    let full = examples.iter().filter(|words| words.sign() == Sign::Positive);
    let full = full.max_by_key(|words| words.len());
    let Some(full) = full else { return };
    let filled = |name: &&str| fill == Fill::All || form.always_carries(name);
    for name in form.carried().filter(filled) {
        let Some(value) = full.value(form, name).filter(|_| !values.contains_key(name)) else {
            continue;
        };
        let builds = |values: &Bindings<'_>| {
            form.build(Sign::Positive, &address::wanted(form, values)).is_ok()
        };
        let mut more = values.clone();
        more.insert(name, Cow::Owned(value.into_owned()));
        // Of two alternatives one is there.
        if builds(&more) || !builds(values) {
            *values = more;
        }
    }
}

/// A place in which groups of the rule can stand.
fn place_of(image: &Image, rule: &Rule) -> Place {
    let side = rule.old.iter().chain(&rule.new).next();
    let Some(pattern) = side else {
        return Place::root();
    };
    let mode = image.form(pattern.form).mode;
    let path = super::rule::path_of(image, mode);
    path.iter().take(rule.depth).fold(Place::root(), |place, mode| {
        let entry = image.forms().find(|(_, decl)| decl.enters == Some(*mode));
        let Some((entry, decl)) = entry else {
            return place;
        };
        let examples = decl.form.examples(2);
        let words = examples.into_iter().find(|words| words.sign() == Sign::Positive);
        words.map_or(place.clone(), |words| place.child(entry, words))
    })
}

fn config_of(
    image: &Image,
    at: &Place,
    around: &[Place],
    lines: &[Vec<(LineKey, Line)>],
) -> Config {
    let mut config = Config::factory(image.levels());
    let stand = lines.iter().flatten().map(|(key, _)| &key.place);
    for place in around.iter().chain([at]).chain(stand).flat_map(Place::and_ancestors) {
        config.put_entry(image, &place, Some(EntryKind::Entered));
    }
    for (key, line) in lines.iter().flatten() {
        config.put(image, key, line.clone());
    }
    config
}

fn texts<'a>(lines: impl IntoIterator<Item = &'a (LineKey, Line)>) -> Vec<String> {
    let lines = lines.into_iter().map(|(key, line)| key.place.path() + &line.words.to_string());
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { alloc::vec!["(absent)".to_string()] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Family, bundled};
    use crate::transform::Tft;

    #[test]
    fn every_change_of_the_bundled_family_is_its_own_inverse() {
        for image in bundled::images() {
            for rule in Tft::compile(&image).unwrap().rules() {
                assert_eq!(
                    check_inverse(&image, rule, 64),
                    [],
                    "{} {:?}",
                    image.name(),
                    rule.change
                );
            }
        }
    }

    #[test]
    fn a_map_of_two_values_to_one_breaks_the_law() {
        let family = Family::parse(&[
            (
                "family.toml",
                "family = \"f\"\ncomponents = [\"c\"]\n[[release]]\nname = \"2\"\nlevels = { c = 2 \
                 }\n",
            ),
            (
                "c.toml",
                "component = \"c\"\n[[command]]\nmode = \"config\"\nform = '[no] facility \
                 <a|b>$f'\n\
                 [[change]]\nlevel = 2\nwhy = \"one is enough\"\n\
                 old = [{ mode = \"config\", form = '[no] facility <a|b>$f' }]\n\
                 new = [{ mode = \"config\", form = '[no] facility <x|y>$f' }]\n\
                 map = { f = { a = \"x\", b = \"x\" } }\n",
            ),
        ])
        .unwrap_or_else(|errors| panic!("{}", errors[0]));
        let image = family.image("2").unwrap();
        let tft = Tft::compile(&image).unwrap();
        let broken = check_inverse(&image, &tft.rules()[0], 64);
        assert!(broken.iter().any(|error| matches!(error, LawError::NotInverse { .. })));
    }
}
