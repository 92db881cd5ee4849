//! Reading what was written: the meaning of a config in a release's words. It reads what this crate
//! writes, and asks no grammar.

use std::collections::BTreeSet;

use crate::arrival::{Place, lines_of};
use crate::draw::Drawn;
use crate::meaning::{Instance, Meaning, Step};
use crate::setting::{Kind, Setting, State, Value};
use crate::writing::{Line, Number, Part, Shares, Slot};

/// Where a line stands.
#[derive(Clone, Debug, Default)]
struct Around {
    way: Vec<Step>,
    /// The roof, as (component, number).
    roof: Option<(usize, usize)>,
    path: String,
}

impl Drawn {
    /// The meaning of a config of a release. `implied`: entries that stand there only for what is
    /// in them. None: a line is none that the release writes.
    pub fn read(&self, release: usize, text: &str, implied: &BTreeSet<Place>) -> Option<Meaning> {
        let levels = self.levels(release);
        let mut meaning = Meaning::default();
        let mut around = vec![Around::default()];
        for line in lines_of(text) {
            let words = line.trim_start_matches(' ');
            around.truncate(line.len() - words.len() + 1);
            if words == "exit" {
                continue;
            }
            let here = around.last().expect("the root is around all").clone();
            let place = (here.path.clone(), words.to_owned());
            let instance = meaning.root.enter(&here.way);
            if let Some(inner) = self.read_entry(&levels, &here, words) {
                match inner.roof {
                    Some(roof) if implied.contains(&place) => drop(instance.entered.remove(&roof)),
                    Some(roof) => drop(instance.entered.insert(roof)),
                    None => drop(meaning.root.enter(&inner.way)),
                }
                around.push(inner);
                continue;
            }
            if !self.read_line(&levels, &here, words, instance) {
                return None;
            }
        }
        Some(meaning)
    }

    /// Where one is behind this entry.
    fn read_entry(&self, levels: &[usize], here: &Around, line: &str) -> Option<Around> {
        let between = if here.path.is_empty() { "" } else { " / " };
        let path = format!("{}{between}{line}", here.path);
        if here.roof.is_some() {
            return None;
        }
        let scope = here.way.last().map(|(scope, _)| *scope);
        for (at, of) in self.scopes.iter().enumerate().filter(|(_, of)| of.parent == scope) {
            let Some((first, name)) = line.rsplit_once(' ') else { continue };
            let name = match of.names {
                Kind::Word(_) => {
                    self.names[at].iter().position(|word| word == name).map(Value::Word)
                }
                _ => Some(Value::Text(name.to_owned())),
            };
            let entry = self.components[0].levels[levels[0]].entries[at].as_ref();
            if let (Some(name), true) = (name, entry.is_some_and(|words| words.join(" ") == first))
            {
                let way = [&*here.way, &[(at, name)]].concat();
                return Some(Around { way, roof: None, path });
            }
        }
        self.read_roof(levels, scope, (line, true)).map(|roof| Around {
            roof: Some(roof),
            way: here.way.clone(),
            path,
        })
    }

    pub(crate) fn read_roof(
        &self,
        levels: &[usize],
        scope: Option<usize>,
        (line, in_full): (&str, bool),
    ) -> Option<(usize, usize)> {
        self.components.iter().zip(levels).enumerate().find_map(|(number, (component, level))| {
            let begins = |words: &str| words == line || !in_full && words.starts_with(line);
            let is_it = |roof: &&crate::writing::Roof| {
                roof.scope == scope && begins(&roof.words) && roof.since <= *level
            };
            let at = component.roofs.iter().position(|roof| is_it(&roof))?;
            Some((number, at))
        })
    }

    /// Takes a line in; false: it is none.
    fn read_line(
        &self,
        levels: &[usize],
        here: &Around,
        text: &str,
        instance: &mut Instance,
    ) -> bool {
        let scope = here.way.last().map(|(scope, _)| *scope);
        for (number, component) in self.components.iter().enumerate() {
            for line in &component.levels[levels[number]].lines {
                let is_here =
                    line.scope == scope && line.roof.map(|roof| (number, roof)) == here.roof;
                let Some(states) = line.read(&self.settings, text).filter(|_| is_here) else {
                    continue;
                };
                self.take_in(line, &states, instance);
                return true;
            }
        }
        false
    }
}

impl Drawn {
    /// Says what a line says; of several values the line may have one.
    pub(crate) fn take_in(&self, line: &Line, states: &[State], instance: &mut Instance) {
        let keys = self.settings[line.settings[0]].keys();
        let key = states.iter().find_map(|state| match state {
            State::Set(values) => Some(values[..keys].to_vec()),
            State::Unset => None,
        });
        let key = key.unwrap_or_default();
        for (setting, state) in line.settings.iter().zip(states) {
            let state = match (instance.said(*setting, &key), state) {
                (Some(State::Set(there)), State::Set(more)) if line.is_each => {
                    State::Set(with_more(there, more))
                }
                _ => state.clone(),
            };
            let state = self.settings[*setting].kept(state);
            instance.say(*setting, &key, Some(state).filter(|state| *state != line.absent()));
        }
    }
}

/// Values of which the last is several, with more of them behind.
pub(crate) fn with_more(there: &[Value], more: &[Value]) -> Vec<Value> {
    let mut values = there.to_vec();
    if let (Some(Value::Several(all)), Some(Value::Several(more))) =
        (values.last_mut(), more.last())
    {
        for value in more {
            if !all.contains(value) {
                all.push(value.clone());
            }
        }
    }
    values
}

impl Line {
    /// The states that a line says; none: it is no such line.
    pub(crate) fn read(&self, settings: &[Setting], text: &str) -> Option<Vec<State>> {
        let (no, text) = match text.strip_prefix("no ") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let words = words_of(text);
        let blank = |setting: &usize| {
            let fields = settings[*setting].fields.iter().map(|field| match field.kind {
                Kind::Flags(_) => Value::Flags(BTreeSet::new()),
                _ => Value::Absent,
            });
            fields.collect::<Vec<_>>()
        };
        let blank = || self.settings.iter().map(blank).collect();
        let mut found = Found { values: blank(), halves: BTreeSet::new() };
        for slot in self.slots() {
            let at = self.settings.iter().position(|setting| *setting == slot.setting);
            if let (Some(at), Some(value)) = (at, &slot.unsaid) {
                found.values[at][slot.field] = value.clone();
            }
        }
        for (field, value) in &self.implied {
            found.values[0][*field] = value.clone();
        }
        let parts: Vec<&Part> = self.parts.iter().collect();
        if !self.take(settings, &parts, &words, &mut found) {
            return None;
        }
        let is_set = no == self.is_not;
        if let Shares::One(first) = &self.shares {
            let at = match &found.values[0][0] {
                Value::Text(word) => usize::from(!first.fits(word)),
                _ => return None,
            };
            let values = found.values.swap_remove(0);
            let state = |of: usize| {
                if is_set && of == at { State::Set(values.clone()) } else { State::Unset }
            };
            return Some((0..self.settings.len()).map(state).collect());
        }
        let keys = settings[self.settings[0]].keys();
        let key = found.values[0][..keys].to_vec();
        let all = self.settings.iter().zip(found.values).enumerate();
        let state = |(at, (setting, mut values)): (usize, (&usize, Vec<Value>))| {
            let is_there = self.shares == Shares::All || at == 0 || found.halves.contains(setting);
            values.splice(..keys, key.clone());
            if is_set && is_there { State::Set(values) } else { State::Unset }
        };
        Some(all.map(state).collect())
    }

    /// Whether these parts take these words, all of them.
    fn take(
        &self,
        settings: &[Setting],
        parts: &[&Part],
        words: &[&str],
        found: &mut Found,
    ) -> bool {
        let Some((part, rest)) = parts.split_first() else {
            return words.is_empty();
        };
        let slot = match part {
            Part::Word(word) => {
                return words.first() == Some(&&**word)
                    && self.take(settings, rest, &words[1..], found);
            }
            Part::Half { setting, parts, .. } => {
                let all: Vec<&Part> = parts.iter().chain(rest.iter().copied()).collect();
                found.halves.insert(*setting);
                if self.take(settings, &all, words, found) {
                    return true;
                }
                found.halves.remove(setting);
                return self.take(settings, rest, words, found);
            }
            Part::Slot(slot) => slot,
        };
        let field = &settings[slot.setting].fields[slot.field];
        let at = self.settings.iter().position(|setting| *setting == slot.setting);
        let at = at.expect("a slot of its own settings");
        for (value, count) in slot.read(&field.kind, words, self.is_each) {
            let before = std::mem::replace(&mut found.values[at][slot.field], value);
            if self.take(settings, rest, &words[count..], found) {
                return true;
            }
            found.values[at][slot.field] = before;
        }
        let is_optional = field.is_optional || slot.unsaid.is_some();
        let may_be_absent = is_optional || matches!(field.kind, Kind::Flags(_));
        may_be_absent && self.take(settings, rest, words, found)
    }
}

/// What a line was found to say.
struct Found {
    /// The values of each setting.
    values: Vec<Vec<Value>>,
    /// Those of the settings that it may be without which it has.
    halves: BTreeSet<usize>,
}

/// The words of a line: a string in quotes is one, and so is a text.
fn words_of(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_string = rest.starts_with('"');
        let end = match rest.find([' ', '\n']) {
            _ if rest.starts_with("^C") || rest.starts_with('\n') => rest.len(),
            _ if is_string => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            Some(at) => at,
            None => rest.len(),
        };
        words.push(&rest[..end]);
        rest = &rest[end..];
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    words
}

impl Slot {
    /// The values that the first words may be, each with how many words it takes.
    fn read(&self, kind: &Kind, words: &[&str], is_each: bool) -> Vec<(Value, usize)> {
        let words = match &self.lead {
            Some(lead) if words.first() == Some(&&**lead) => &words[1..],
            Some(_) => return Vec::new(),
            None => words,
        };
        let led = usize::from(self.lead.is_some());
        let Some(first) = words.first() else {
            return Vec::new();
        };
        let index = |word: &str| self.words.iter().position(|w| w.as_deref() == Some(word));
        match kind {
            Kind::Word(_) => {
                // Or it is cut short.
                let begins = |word: &Option<String>| {
                    word.as_ref().is_some_and(|word| word.starts_with(*first))
                };
                let one = self.words.iter().filter(|word| begins(word)).count() == 1;
                let short = || self.words.iter().position(begins).filter(|_| one);
                index(first)
                    .or_else(short)
                    .map(|index| (Value::Word(index), led + 1))
                    .into_iter()
                    .collect()
            }
            Kind::Flags(_) => {
                let mut flags: Vec<usize> = Vec::new();
                for flag in words.iter().map_while(|word| index(word)) {
                    // Each once.
                    if flags.contains(&flag) {
                        break;
                    }
                    flags.push(flag);
                }
                let taken = (1..=flags.len()).rev();
                taken.map(|n| (Value::Flags(flags[..n].iter().copied().collect()), n)).collect()
            }
            Kind::Number => {
                self.number.read(first).map(|n| (Value::Number(n), led + 1)).into_iter().collect()
            }
            Kind::Text => vec![(Value::Text(words.join(" ")), led + words.len())],
            Kind::Several(of) => {
                let of = |word: &&str| match **of {
                    Kind::Number => self.number.read(word).map(Value::Number),
                    _ => Some(Value::Text((*word).to_owned())),
                };
                let count = if is_each { 1 } else { words.len() };
                let values: Option<Vec<Value>> = words[..count].iter().map(of).collect();
                values.map(|all| (Value::Several(all), led + count)).into_iter().collect()
            }
            Kind::Numbers => {
                let all = self.number.read_all(first).map(Value::Numbers);
                all.map(|all| (all, led + 1)).into_iter().collect()
            }
            Kind::Address
            | Kind::Prefix
            | Kind::Address6
            | Kind::Name
            | Kind::Interface
            | Kind::Host
            | Kind::Path
            | Kind::Quoted
            | Kind::Block
            | Kind::Lines => vec![(Value::Text((*first).to_owned()), led + 1)],
        }
    }
}

impl Number {
    fn read(&self, word: &str) -> Option<i64> {
        let (least, most) = self.range;
        let named = self.names.iter().position(|name| name == word);
        let number = match named {
            Some(at) => least + at as i64,
            None => {
                // The least are words.
                let numbers = least + self.names.len() as i64..=most;
                word.parse::<i64>().ok().filter(|number| numbers.contains(number))?
            }
        };
        Some(number * self.per)
    }
    /// Numbers and spans in one word.
    fn read_all(&self, word: &str) -> Option<BTreeSet<i64>> {
        let mut all = BTreeSet::new();
        for span in word.split(',') {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            all.extend(self.read(first)?..=self.read(last)?);
        }
        Some(all)
    }
}
