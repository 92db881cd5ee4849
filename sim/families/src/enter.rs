//! What a command does to a meaning: its lines are read as somebody may type them. It reads what
//! this crate draws, and asks no grammar.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::arrival::lines_of;
use crate::command::{edited, is_empty, less_one, with, without};
use crate::draw::Drawn;
use crate::meaning::{Instance, Meaning, Step};
use crate::read::call;
use crate::read::{Fit, Taken, keyword};
use crate::setting::{Kind, Setting, State, Value};
use crate::writing::{Alias, Line, Part, Says, Writing};

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// This is what is meant after it.
    Says(Meaning),
    /// The release has no such line, or refuses it for what else is there: nothing of the command
    /// is done.
    Refuses,
    /// Nobody knows.
    Unknown,
}

/// Where a line stands.
#[derive(Clone, Default, PartialEq)]
struct Here {
    way: Vec<Step>,
    /// The roof, as (component, number).
    roof: Option<(usize, usize)>,
}

/// What becomes of the name of an instance.
enum Named {
    /// This is its name; absent: it has none.
    As(Value),
    /// Nobody knows.
    Unknown,
}

/// What a line that was typed may be.
#[derive(Clone, PartialEq)]
enum Typed<'a> {
    /// It enters an instance, or a roof.
    Enters(Here),
    /// It takes that away.
    Leaves(Here),
    /// It says something, or takes that away.
    Says { line: &'a Line, says: Says, states: Vec<State>, no: bool },
}

/// Where a line stands, and all that is meant.
type Around<'a> = (&'a Here, &'a Instance);

/// What a line that was typed is.
enum Is<'a> {
    Typed(Typed<'a>),
    /// Nothing that the release has, or two things alike.
    Nothing,
    Unknown,
}

impl Drawn {
    /// What a command of one line or several does to a meaning on a unit of a release.
    pub fn execute(&self, release: usize, meaning: &Meaning, command: &str) -> Entered {
        let levels = self.levels(release);
        let mut meaning = meaning.clone();
        let mut around = vec![Here::default()];
        for line in lines_of(command) {
            let line = line.trim_matches([' ', '\t']);
            let line = one_blank(line);
            let here = around.last().expect("the root is around all").clone();
            match line.as_str() {
                "" => continue,
                "exit" => {
                    around.truncate((around.len() - 1).max(1));
                    continue;
                }
                _ => {}
            }
            match self.name_typed(&levels, &here, &line) {
                Some(Named::As(name)) => {
                    let ways = around.iter_mut().map(|here| &mut here.way);
                    call(&mut meaning, ways, &here.way, &name);
                    continue;
                }
                Some(Named::Unknown) => return Entered::Unknown,
                None => {}
            }
            match self.typed(&levels, (&here, &meaning.root), &line) {
                Is::Typed(Typed::Enters(inner)) => {
                    let instance = meaning.root.enter(&inner.way);
                    instance.entered.extend(inner.roof);
                    around.push(inner);
                }
                Is::Typed(Typed::Leaves(gone)) => {
                    let (true, Some((last, outer))) = (gone.roof.is_none(), gone.way.split_last())
                    else {
                        return Entered::Unknown;
                    };
                    meaning.root.enter(outer).leave(last);
                }
                Is::Typed(Typed::Says { line, says, states, no }) => {
                    let before = meaning.clone();
                    let instance = meaning.root.enter(&here.way);
                    instance.entered.extend(here.roof);
                    self.take((line, says), states, no, instance);
                    if self.is_refused(&levels, &before, &meaning) {
                        return Entered::Refuses;
                    }
                }
                Is::Nothing => return Entered::Refuses,
                Is::Unknown => return Entered::Unknown,
            }
        }
        Entered::Says(meaning)
    }

    /// What a line is. From word to word what fits best is it; two keywords that are cut short
    /// alike are ambiguous.
    fn typed(&self, levels: &[usize], around: Around<'_>, text: &str) -> Is<'_> {
        let mut ways = self.ways_typed(levels, around, text);
        // A line before a text of lines that is one without it.
        let opening = text.split_once('\n').map(|(first, _)| first.trim_end());
        let opening = opening.filter(|line| !line.contains('^'));
        // Where a text begins, and whether quotes make a word, is decided before what the line is.
        let of = |way: &Typed<'_>| match way {
            Typed::Says { line, .. } => Some(std::ptr::from_ref(*line)),
            Typed::Enters(_) | Typed::Leaves(_) => None,
        };
        let lines: BTreeSet<_> = ways.iter().map(|(way, _)| of(way)).collect();
        let has_strings = |way: &Typed<'_>| match way {
            Typed::Says { line, .. } => line.has_strings(&self.settings),
            Typed::Enters(_) | Typed::Leaves(_) => false,
        };
        let is_text = text.contains(['^', '\n']);
        let is_line = opening.is_some_and(|line| !self.ways_typed(levels, around, line).is_empty());
        let are_strings = !lines.is_empty() && ways.iter().all(|(way, _)| has_strings(way));
        if is_text && (is_line || lines.len() != 1) || text.contains('"') && !are_strings {
            return Is::Unknown;
        }
        for at in 0.. {
            let best = ways.iter().filter_map(|(_, taken)| taken.get(at)).map(|taken| taken.fit);
            let Some(best) = best.min() else { break };
            ways.retain(|(_, taken)| taken.get(at).is_some_and(|taken| taken.fit == best));
            let differ = ways.iter().any(|(_, taken)| taken[at] != ways[0].1[at]);
            if differ && best == Fit::Cut {
                return Is::Nothing;
            }
        }
        match ways.split_first() {
            Some(((first, _), rest)) if rest.iter().all(|(other, _)| other == first) => {
                Is::Typed(first.clone())
            }
            Some(_) => Is::Unknown,
            None => Is::Nothing,
        }
    }

    /// What a line may be, with how its words are taken.
    fn ways_typed(
        &self,
        levels: &[usize],
        around: Around<'_>,
        text: &str,
    ) -> Vec<(Typed<'_>, Vec<Taken>)> {
        let mut ways = self.entries_typed(levels, around, text);
        ways.extend(self.lines_typed(levels, around.0, text));
        ways
    }

    /// What a line may enter, or take away with all that is in it.
    fn entries_typed<'a>(
        &self,
        levels: &[usize],
        around: Around<'_>,
        text: &str,
    ) -> Vec<(Typed<'a>, Vec<Taken>)> {
        if around.0.roof.is_some() {
            return Vec::new();
        }
        let entered = self.entered_by(levels, around, text).into_iter();
        let mut ways: Vec<_> =
            entered.map(|(inner, taken)| (Typed::Enters(inner), taken)).collect();
        let gone = text.strip_prefix("no ").map(|gone| self.entered_by(levels, around, gone));
        ways.extend(gone.into_iter().flatten().map(|(inner, taken)| {
            let taken = std::iter::once(Taken::in_full("no")).chain(taken).collect();
            (Typed::Leaves(inner), taken)
        }));
        ways
    }

    /// What a line may enter that begins with no `no`.
    fn entered_by(
        &self,
        levels: &[usize],
        (here, root): Around<'_>,
        text: &str,
    ) -> Vec<(Here, Vec<Taken>)> {
        let scope = here.way.last().map(|(scope, _)| *scope);
        let typed: Vec<&str> = text.split(' ').collect();
        let keywords = |full: &mut dyn Iterator<Item = &str>, typed: &[&str]| {
            let full: Vec<&str> = full.collect();
            let taken = full.iter().zip(typed).map(|(full, typed)| keyword(full, typed, true));
            (full.len() == typed.len()).then(|| taken.collect::<Option<Vec<_>>>()).flatten()
        };
        let mut ways = Vec::new();
        let writing = &self.components[0].levels[levels[0]];
        for (at, of) in self.scopes.iter().enumerate().filter(|(_, of)| of.parent == scope) {
            let Some(own) = &writing.entries[at] else { continue };
            let aliases = writing.aliases.iter().filter_map(|alias| match alias {
                Alias::Entry { scope, words } if *scope == at => Some(words),
                Alias::Entry { .. } | Alias::Line { .. } => None,
            });
            if self.leaf(levels, at).is_some() {
                let name = root.at(&here.way).and_then(|around| around.only(at));
                let name = name.cloned().unwrap_or(Value::Absent);
                for words in std::iter::once(own).chain(aliases) {
                    let taken = keywords(&mut words.iter().map(String::as_str), &typed);
                    let way = [&*here.way, &[(at, name.clone())]].concat();
                    ways.extend(taken.map(|taken| (Here { way, roof: None }, taken)));
                }
                continue;
            }
            let Some((name, first)) = typed.split_last() else { continue };
            let names: Vec<(Value, Taken)> = match &of.names {
                Kind::Word(_) => {
                    let names = self.names[at].iter().enumerate();
                    let named = |(at, word): (usize, &String)| {
                        Some((Value::Word(at), keyword(word, name, true)?))
                    };
                    names.filter_map(named).collect()
                }
                kind => {
                    let name = text_of(kind, name);
                    let named =
                        |name: String| (Value::Text(name.clone()), Taken::word(kind, &name));
                    name.map(named).into_iter().collect()
                }
            };
            for words in std::iter::once(own).chain(aliases) {
                let Some(taken) = keywords(&mut words.iter().map(String::as_str), first) else {
                    continue;
                };
                for (name, of_name) in &names {
                    let way = [&*here.way, &[(at, name.clone())]].concat();
                    let taken = taken.iter().chain([of_name]).cloned().collect();
                    ways.push((Here { way, roof: None }, taken));
                }
            }
        }
        for (number, (component, level)) in self.components.iter().zip(levels).enumerate() {
            let roofs = component.roofs.iter().enumerate();
            for (at, roof) in roofs.filter(|(_, roof)| roof.is_at(scope, *level)) {
                if let Some(taken) = keywords(&mut roof.words.split(' '), &typed) {
                    ways.push((Here { way: here.way.clone(), roof: Some((number, at)) }, taken));
                }
            }
        }
        ways
    }

    /// What a line does with the name of the instance in which it stands; none: nothing.
    fn name_typed(&self, levels: &[usize], here: &Here, line: &str) -> Option<Named> {
        let (scope, _) = here.way.last().filter(|_| here.roof.is_none())?;
        let words = self.leaf(levels, *scope)?;
        let (no, rest) = match line.strip_prefix("no ") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        if let Some(name) = self.read_name(levels, &here.way, rest) {
            return Some(Named::As(if no { Value::Absent } else { name }));
        }
        // It may be cut short.
        let typed = rest.split(' ');
        let begins = words.iter().zip(typed).all(|(word, typed)| word.starts_with(typed));
        begins.then_some(Named::Unknown)
    }

    /// The lines of the release that a line may be, here.
    fn lines_typed(
        &self,
        levels: &[usize],
        here: &Here,
        text: &str,
    ) -> Vec<(Typed<'_>, Vec<Taken>)> {
        let scope = here.way.last().map(|(scope, _)| *scope);
        let mut ways = Vec::new();
        for (component, history) in self.components.iter().enumerate() {
            let writing: &Writing = &history.levels[levels[component]];
            let own = writing.lines.iter().map(|line| (line, Says::Line));
            let aliases = writing.aliases.iter().filter_map(|alias| match alias {
                Alias::Line { line, says } => Some((line, *says)),
                Alias::Entry { .. } => None,
            });
            for (line, says) in own.chain(aliases) {
                // An alias stands where the line stands that it says.
                let of = writing.line_of(line.settings[0]).unwrap_or(line);
                if of.scope != scope || of.roof.map(|roof| (component, roof)) != here.roof {
                    continue;
                }
                for (states, no, taken) in line.read_typed(&self.settings, text) {
                    let of = line.settings.iter().zip(&states);
                    if { of }.all(|(setting, state)| self.fits(line, *setting, state)) {
                        ways.push((Typed::Says { line, says, states, no }, taken));
                    }
                }
            }
        }
        ways
    }

    /// Whether each text of a state is of its kind.
    fn fits(&self, line: &Line, setting: usize, state: &State) -> bool {
        let State::Set(values) = state else { return true };
        let fields = &self.settings[setting].fields;
        // Where a line has strings a quote is no part of a word.
        let has_strings = line.has_strings(&self.settings);
        let one = |kind: &Kind, value: &Value| match value {
            Value::Text(text) if has_strings && *kind == Kind::Text && text.contains('"') => false,
            Value::Text(text) => text_of(kind, text).is_some(),
            _ => true,
        };
        fields.iter().zip(values).enumerate().all(|(at, (field, value))| {
            let takes = line.slot_of(setting, at).map(|slot| &slot.takes);
            match (value, &field.kind) {
                (Value::Several(all), Kind::Several(of)) => all.iter().all(|value| one(of, value)),
                (value, kind) => one(takes.unwrap_or(kind), value),
            }
        })
    }

    fn take(
        &self,
        (line, says): (&Line, Says),
        states: Vec<State>,
        no: bool,
        instance: &mut Instance,
    ) {
        let states: Vec<State> = states.iter().map(|state| self.as_kept(line, state)).collect();
        let keys = self.settings[line.settings[0]].keys();
        let said = states.iter().find_map(|state| match state {
            State::Set(values) => Some(values.clone()),
            State::Unset | State::Not(_) => None,
        });
        let key = said.as_ref().map(|values| values[..keys].to_vec()).unwrap_or_default();
        if let (Says::Adds | Says::Takes, Some(more)) = (says, &said) {
            let adds = (says == Says::Adds) != no;
            let there = match instance.said(line.settings[0], &key) {
                Some(State::Set(values)) => Some(values.clone()),
                Some(State::Unset | State::Not(_)) | None => None,
            };
            let values = match (there, adds) {
                (None, true) => Some(more.clone()),
                (None, false) => None,
                (Some(there), true) => Some(edited(there, more, with)),
                (Some(there), false) => {
                    Some(edited(there, more, without)).filter(|all| !is_empty(all))
                }
            };
            let setting = line.settings[0];
            let state = values.map(|values| self.settings[setting].kept(State::Set(values)));
            instance.say(setting, &key, state);
            return;
        }
        let is_flag = line.settings.iter().all(|setting| self.settings[*setting].is_flag());
        if is_flag {
            let state = if no == line.is_not { State::Set(Vec::new()) } else { State::Unset };
            let states = vec![state; line.settings.len()];
            self.take_in(line, &states, instance);
        } else if no && line.keys < keys {
            instance.forget(line.settings[0], &key[..line.keys]);
        } else if no {
            for setting in &line.settings {
                let rest = match (instance.said(*setting, &key), &said) {
                    (Some(State::Set(there)), Some(less)) if line.is_each => {
                        without_value(there, less)
                    }
                    _ => None,
                };
                let rest = rest.map(State::Set).or_else(|| line.taken_away(&key));
                instance.say(*setting, &key, rest);
            }
        } else {
            self.take_in(line, &states, instance);
        }
    }

    /// A state with its values as a config keeps them.
    fn as_kept(&self, line: &Line, state: &State) -> State {
        let State::Set(values) = state else { return state.clone() };
        let mut values = values.clone();
        for slot in line.slots() {
            if let Some(Value::Text(text)) = values.get_mut(slot.field)
                && let Some(address) = slot.takes.canonical(text)
            {
                *text = address;
            }
        }
        State::Set(values)
    }
}

/// Several values less one of these; none: nothing is left.
fn without_value(there: &[Value], less: &[Value]) -> Option<Vec<Value>> {
    let (Some(Value::Several(all)), Some(Value::Several(less))) = (there.last(), less.last())
    else {
        return None;
    };
    let at = all.iter().position(|value| less.first() == Some(value));
    match at {
        Some(at) => less_one(there, at),
        None => Some(there.to_vec()),
    }
}

/// How many keywords a line begins with.
fn first_words(line: &Line) -> usize {
    line.parts.iter().take_while(|part| matches!(part, Part::Word(_))).count()
}

/// A line with one blank between its words, if it has neither strings nor texts.
fn one_blank(line: &str) -> String {
    if line.contains(['"', '\n', '^']) {
        return line.to_owned();
    }
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text that a word is of this kind; none: it is no such.
pub(crate) fn text_of(kind: &Kind, word: &str) -> Option<String> {
    let is_prefix = |word: &str| {
        let (address, length) = word.split_once('/')?;
        let length: u8 = length.parse().ok()?;
        (length <= 32 && address.parse::<Ipv4Addr>().is_ok()).then_some(())
    };
    let fits = match kind {
        Kind::Address => word.parse::<Ipv4Addr>().is_ok(),
        Kind::Address6 => word.parse::<Ipv6Addr>().is_ok(),
        Kind::Prefix => is_prefix(word).is_some(),
        Kind::Block => word.starts_with("^C"),
        Kind::Lines => word.starts_with('\n'),
        Kind::Quoted | Kind::Text => !word.is_empty(),
        _ => !word.is_empty() && !word.contains(' '),
    };
    fits.then(|| word.to_owned())
}

impl Line {
    /// The states that a line may say that is typed so, each with whether it takes them away, and
    /// with how its words are taken.
    fn read_typed(&self, settings: &[Setting], text: &str) -> Vec<(Vec<State>, bool, Vec<Taken>)> {
        let plain = Self { is_not: false, ..self.clone() };
        let ways = plain.ways_to_read(settings, (false, text), true).into_iter();
        let mut ways: Vec<_> = ways.map(|(states, taken)| (states, false, taken)).collect();
        let Some(words) = text.strip_prefix("no ") else {
            return ways;
        };
        let mut takes_away = |line: &Self| {
            for (states, taken) in line.ways_to_read(settings, (false, words), true) {
                let taken = std::iter::once(Taken::in_full("no")).chain(taken).collect();
                ways.push((states, true, taken));
            }
        };
        takes_away(&plain);
        // A `no` has no text, and perhaps no arguments.
        let is_text = |part: &Part| match part {
            Part::Slot(slot) => settings[slot.setting].fields[slot.field].kind.is_text(),
            Part::Word(_) | Part::Half { .. } => false,
        };
        if self.parts.iter().any(is_text) {
            let parts = self.parts.iter().filter(|part| !is_text(part)).cloned().collect();
            takes_away(&Self { parts, ..plain.clone() });
        }
        if self.has_not() {
            let parts = self.parts[..self.head()].to_vec();
            takes_away(&Self { parts, ..plain.clone() });
        }
        if self.is_bare_no {
            let parts = self.parts[..first_words(self)].to_vec();
            takes_away(&Self { parts, ..plain.clone() });
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn what_a_command_does_is_read_from_it() {
        let mut read = BTreeSet::new();
        for seed in 0..300 {
            let family = Drawn::from_seed(seed);
            let release = family.releases().len() - 1;
            let (mut meaning, mut rng) = (family.blank(), Rng::new(seed, 3));
            for _ in 0..20 {
                let before = meaning.clone();
                let command = family.command(release, &mut meaning, &mut rng);
                let Entered::Says(found) = family.execute(release, &before, &command) else {
                    panic!("{seed}: {command:?}: {:?}", family.execute(release, &before, &command));
                };
                let texts = [&found, &meaning].map(|meaning| family.write(release, meaning));
                assert_eq!(texts[0], texts[1], "{seed}: {command:?}");
                read.insert(command);
            }
        }
        assert!(read.len() > 3_000, "{}", read.len());
    }
}
