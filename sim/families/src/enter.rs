//! What a command does to a meaning: its lines are read as somebody may type them. It reads what
//! this crate draws, and asks no grammar.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::arrival::lines_of;
use crate::command::{edited, is_empty, less_one, with, without};
use crate::draw::Drawn;
use crate::meaning::{Instance, Meaning, Step};
use crate::setting::{Kind, State, Value};
use crate::writing::{Alias, Line, Part, Says, Slot, Writing};

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// This is what is meant after it.
    Says(Meaning),
    /// The release has no such line: nothing of the command is done.
    Refuses,
    /// Nobody knows.
    Unknown,
}

/// Where a line stands.
#[derive(Clone, Default)]
struct Here {
    way: Vec<Step>,
    /// The roof, as (component, number).
    roof: Option<(usize, usize)>,
}

/// A line as it was typed: of which line it is, and what that says.
struct Typed<'a> {
    line: &'a Line,
    says: Says,
    states: Vec<State>,
    /// It takes that away.
    no: bool,
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
            // A keyword in full goes before one that is cut short.
            let in_full = [true, false].into_iter();
            let entry = |line: &str| {
                in_full.clone().find_map(|full| self.entry_typed(&levels, &here, line, full))
            };
            let is_full = |line: &str| self.entry_typed(&levels, &here, line, true).is_some();
            let is_line = !self.lines_typed(&levels, &here, &line, false).is_empty();
            if is_line && entry(&line).is_some() && !is_full(&line) {
                return Entered::Unknown;
            }
            // So does `no` before a keyword that it begins.
            let is_no = line.strip_prefix("no ").is_some_and(|gone| entry(gone).is_some());
            if let Some(inner) = entry(&line).filter(|_| is_full(&line) || !is_no) {
                let instance = meaning.root.enter(&inner.way);
                instance.entered.extend(inner.roof);
                around.push(inner);
                continue;
            }
            let gone = line.strip_prefix("no ");
            let gone = gone.filter(|gone| !is_line || is_full(gone));
            if let Some(gone) = gone.and_then(entry) {
                let (true, Some((last, outer))) = (gone.roof.is_none(), gone.way.split_last())
                else {
                    return Entered::Unknown;
                };
                meaning.root.enter(outer).leave(last);
                continue;
            }
            let found = in_full.map(|full| self.lines_typed(&levels, &here, &line, full));
            let Some(mut found) = { found }.find(|found| !found.is_empty()) else {
                // It may be what another keyword begins with, or a text with another delimiter.
                let is_no = line.starts_with("no ") || line.contains('^');
                let is_cut = |word: &str| {
                    self.keywords(&levels).iter().any(|full| full != word && full.starts_with(word))
                };
                let may_be = is_no || line.split_ascii_whitespace().any(is_cut);
                return if may_be { Entered::Unknown } else { Entered::Refuses };
            };
            if let [one, other] = &*found
                && is_ambiguous(one.line, other.line, &line)
            {
                return Entered::Refuses;
            }
            let (Some(typed), None) = (found.pop(), found.pop()) else {
                return Entered::Unknown;
            };
            let instance = meaning.root.enter(&here.way);
            instance.entered.extend(here.roof);
            self.take(typed, instance);
        }
        Entered::Says(meaning)
    }

    /// The instance that a line enters.
    fn entry_typed(
        &self,
        levels: &[usize],
        here: &Here,
        line: &str,
        in_full: bool,
    ) -> Option<Here> {
        if here.roof.is_some() {
            return None;
        }
        let scope = here.way.last().map(|(scope, _)| *scope);
        let typed: Vec<&str> = line.split(' ').collect();
        let writing = &self.components[0].levels[levels[0]];
        for (at, of) in self.scopes.iter().enumerate().filter(|(_, of)| of.parent == scope) {
            let Some(own) = &writing.entries[at] else { continue };
            let aliases = writing.aliases.iter().filter_map(|alias| match alias {
                Alias::Entry { scope, words } if *scope == at => Some(words),
                Alias::Entry { .. } | Alias::Line { .. } => None,
            });
            for words in std::iter::once(own).chain(aliases) {
                let (Some((name, first)), Some(kind)) = (typed.split_last(), Some(&of.names))
                else {
                    continue;
                };
                let begins = |(word, typed): (&String, &&str)| match in_full {
                    true => word == typed,
                    false => word.starts_with(typed),
                };
                if first.len() != words.len() || !words.iter().zip(first).all(begins) {
                    continue;
                }
                let name = match kind {
                    Kind::Word(_) => {
                        self.names[at].iter().position(|word| word == name).map(Value::Word)
                    }
                    kind => text_of(kind, name).map(Value::Text),
                };
                if let Some(name) = name {
                    let way = [&*here.way, &[(at, name)]].concat();
                    return Some(Here { way, roof: None });
                }
            }
        }
        self.read_roof(levels, scope, (line, in_full))
            .map(|roof| Here { way: here.way.clone(), roof: Some(roof) })
    }

    /// The lines of the release that a line is, here.
    fn lines_typed<'a>(
        &'a self,
        levels: &[usize],
        here: &Here,
        text: &str,
        in_full: bool,
    ) -> Vec<Typed<'a>> {
        let scope = here.way.last().map(|(scope, _)| *scope);
        let mut found = Vec::new();
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
                let is_here =
                    of.scope == scope && of.roof.map(|roof| (component, roof)) == here.roof;
                if let Some((states, no)) =
                    Some(line).filter(|_| is_here).and_then(|line| self.typed(line, text, in_full))
                {
                    found.push(Typed { line, says, states, no });
                }
            }
        }
        found
    }

    /// What a line says that is typed so, or what the line says that it takes away.
    fn typed(&self, line: &Line, text: &str, in_full: bool) -> Option<(Vec<State>, bool)> {
        let (no, rest) = match text.strip_prefix("no ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // The first keywords may be cut short.
        let (rest, text) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
        let mut words: Vec<&str> = rest.splitn(first_words(line) + 1, ' ').collect();
        for (word, part) in words.iter_mut().zip(&line.parts) {
            let Part::Word(full) = part else { break };
            if !in_full && full.starts_with(*word) && !word.is_empty() {
                *word = full;
            }
        }
        let rest = words.join(" ") + text;
        let states = line.read_typed(&self.settings, &rest, no)?;
        let of = line.settings.iter().zip(&states);
        let fits = { of }.all(|(setting, state)| self.fits(line, *setting, state));
        fits.then_some((states, no))
    }

    /// Whether each text of a state is of its kind.
    fn fits(&self, line: &Line, setting: usize, state: &State) -> bool {
        let State::Set(values) = state else { return true };
        let fields = &self.settings[setting].fields;
        let is_string =
            |slot: &Slot| self.settings[slot.setting].fields[slot.field].kind == Kind::Quoted;
        // Where a line has strings a quote is no part of a word.
        let has_strings = line.slots().any(is_string);
        let one = |kind: &Kind, value: &Value| match value {
            Value::Text(text) if has_strings && *kind == Kind::Text && text.contains('"') => false,
            Value::Text(text) => text_of(kind, text).is_some(),
            _ => true,
        };
        fields.iter().zip(values).enumerate().all(|(at, (field, value))| {
            let takes = line.slot_of(setting, at).and_then(|slot| slot.takes.as_ref());
            match (value, &field.kind) {
                (Value::Several(all), Kind::Several(of)) => all.iter().all(|value| one(of, value)),
                (value, kind) => one(takes.unwrap_or(kind), value),
            }
        })
    }

    fn take(&self, typed: Typed<'_>, instance: &mut Instance) {
        let Typed { line, says, states, no } = typed;
        let states: Vec<State> = states.iter().map(|state| self.as_kept(line, state)).collect();
        let keys = self.settings[line.settings[0]].keys();
        let said = states.iter().find_map(|state| match state {
            State::Set(values) => Some(values.clone()),
            State::Unset => None,
        });
        let key = said.as_ref().map(|values| values[..keys].to_vec()).unwrap_or_default();
        if let (Says::Adds | Says::Takes, Some(more)) = (says, &said) {
            let adds = (says == Says::Adds) != no;
            let there = match instance.said(line.settings[0], &key) {
                Some(State::Set(values)) => Some(values.clone()),
                Some(State::Unset) | None => None,
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
        } else if no {
            for setting in &line.settings {
                let rest = match (instance.said(*setting, &key), &said) {
                    (Some(State::Set(there)), Some(less)) if line.is_each => {
                        without_value(there, less)
                    }
                    _ => None,
                };
                instance.say(*setting, &key, rest.map(State::Set));
            }
        } else {
            self.take_in(line, &states, instance);
        }
    }

    /// A state with its values as a config keeps them.
    fn as_kept(&self, line: &Line, state: &State) -> State {
        let State::Set(values) = state else { return State::Unset };
        let mut values = values.clone();
        for slot in line.slots() {
            let kind = &self.settings[slot.setting].fields[slot.field].kind;
            if let (Kind::Address6 | Kind::Host, Some(Value::Text(text))) =
                (slot.takes.as_ref().unwrap_or(kind), values.get_mut(slot.field))
                && let Ok(address) = text.parse::<Ipv6Addr>()
            {
                *text = address.to_string();
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

/// Whether the first keyword that tells one line from another is cut short to what begins both.
fn is_ambiguous(one: &Line, other: &Line, typed: &str) -> bool {
    let words = typed.strip_prefix("no ").unwrap_or(typed).split(' ');
    let parts = one.parts.iter().zip(&other.parts).zip(words);
    let mut keywords = parts.map_while(|((one, other), typed)| match (one, other) {
        (Part::Word(one), Part::Word(other)) => Some((one, other, typed)),
        (Part::Slot(_) | Part::Half { .. }, _) | (_, Part::Slot(_) | Part::Half { .. }) => None,
    });
    let first = keywords.find(|(one, other, _)| one != other);
    first.is_some_and(|(one, other, typed)| one != typed && other != typed)
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
fn text_of(kind: &Kind, word: &str) -> Option<String> {
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
    /// The states of these words, or of a line that takes them away.
    fn read_typed(
        &self,
        settings: &[crate::setting::Setting],
        words: &str,
        no: bool,
    ) -> Option<Vec<State>> {
        if self.settings.iter().all(|setting| settings[*setting].is_flag()) {
            let plain = Self { is_not: false, ..self.clone() };
            return plain.read(settings, words);
        }
        let plain = Self { is_not: false, ..self.clone() };
        if let Some(states) = plain.read(settings, words) {
            return Some(states);
        }
        if !no {
            return None;
        }
        // A `no` has no text, and perhaps no arguments.
        let is_text = |part: &Part| match part {
            Part::Slot(slot) => settings[slot.setting].fields[slot.field].kind.is_text(),
            Part::Word(_) | Part::Half { .. } => false,
        };
        let bare = |parts: Vec<Part>| {
            let settings_of = self.settings.clone();
            Self { parts, settings: settings_of, ..plain.clone() }
        };
        let without_text = self.parts.iter().filter(|part| !is_text(part)).cloned().collect();
        let first = self.parts[..first_words(self)].to_vec();
        let mut ways = Vec::new();
        if self.parts.iter().any(is_text) {
            ways.push(bare(without_text));
        }
        if self.is_bare_no {
            ways.push(bare(first));
        }
        ways.iter().find_map(|line| line.read(settings, words))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
