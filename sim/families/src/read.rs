//! Reading what was written: the meaning of a config in a release's words. It reads what this crate
//! writes, and asks no grammar.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::arrival::{Place, lines_of};
use crate::draw::Drawn;
use crate::enter::text_of;
use crate::meaning::{Instance, Meaning, Step};
use crate::setting::{Kind, Setting, State, Value};
use crate::writing::{Line, Number, Part, Roof, Shares, Slot};

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
            if let Some(name) = self.read_name(&levels, &here.way, words) {
                call(
                    &mut meaning,
                    around.iter_mut().map(|around| &mut around.way),
                    &here.way,
                    &name,
                );
                continue;
            }
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
            let entry = self.components[0].levels[levels[0]].entries[at].as_ref();
            if self.leaf(levels, at).is_some() {
                if entry.is_some_and(|words| words.join(" ") == line) {
                    let way = [&*here.way, &[(at, Value::Absent)]].concat();
                    return Some(Around { way, roof: None, path });
                }
                continue;
            }
            let Some((first, name)) = line.rsplit_once(' ') else { continue };
            let name = match of.names {
                Kind::Word(_) => {
                    self.names[at].iter().position(|word| word == name).map(Value::Word)
                }
                _ => Some(Value::Text(name.to_owned())),
            };
            if let (Some(name), true) = (name, entry.is_some_and(|words| words.join(" ") == first))
            {
                let way = [&*here.way, &[(at, name)]].concat();
                return Some(Around { way, roof: None, path });
            }
        }
        let roofs = self.components.iter().zip(levels).enumerate();
        let roof = { roofs }.find_map(|(number, (component, level))| {
            let is_it = |roof: &Roof| roof.is_at(scope, *level) && roof.words == line;
            component.roofs.iter().position(is_it).map(|at| (number, at))
        })?;
        Some(Around { way: here.way.clone(), roof: Some(roof), path })
    }

    /// The name that a line gives to the instance in which it stands; none: it is no such line.
    pub(crate) fn read_name(&self, levels: &[usize], way: &[Step], line: &str) -> Option<Value> {
        let scope = way.last()?.0;
        let words = self.leaf(levels, scope)?.join(" ");
        let name = line.strip_prefix(&words)?.strip_prefix(' ')?;
        match &self.scopes[scope].names {
            Kind::Word(_) => {
                self.names[scope].iter().position(|word| word == name).map(Value::Word)
            }
            kind => text_of(kind, name).map(Value::Text),
        }
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
        let key = states.iter().find_map(|state| state.key(keys)).unwrap_or_default().to_vec();
        for (setting, state) in line.settings.iter().zip(states) {
            let state = match (instance.said(*setting, &key), state) {
                (Some(State::Set(there)), State::Set(more)) if line.is_each => {
                    State::Set(with_more(there, more))
                }
                _ => state.clone(),
            };
            let state = self.settings[*setting].kept(state);
            // One line of it is there, and it replaces the one that was.
            if line.keys < keys && instance.said(*setting, &key).is_none() {
                instance.forget(*setting, &key[..line.keys]);
            }
            instance.say(*setting, &key, Some(state).filter(|state| !line.says_by_absence(state)));
        }
    }
}

/// Gives an instance another name, also in the ways that lead through it.
pub(crate) fn call<'a>(
    meaning: &mut Meaning,
    ways: impl Iterator<Item = &'a mut Vec<Step>>,
    way: &[Step],
    name: &Value,
) {
    meaning.root.call(way, name);
    for through in ways.filter(|through| through.starts_with(way)) {
        through[way.len() - 1].1 = name.clone();
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
        if no && self.has_not() {
            let head = Self { parts: self.parts[..self.head()].to_vec(), ..self.clone() };
            let way = head.ways_to_read(settings, (false, text), false).into_iter().next();
            let not = |state: State| Some(State::Not(state.key(self.keys)?.to_vec()));
            return way.and_then(|(states, _)| states.into_iter().map(not).collect());
        }
        let way = self.ways_to_read(settings, (no, text), false).into_iter().next();
        way.map(|(states, _)| states)
    }

    /// The states that a line may say, behind a `no` or without, each with how its words are taken.
    /// `may_cut`: its keywords may be cut short; else the first way is the only one.
    pub(crate) fn ways_to_read(
        &self,
        settings: &[Setting],
        (no, text): (bool, &str),
        may_cut: bool,
    ) -> Vec<(Vec<State>, Vec<Taken>)> {
        let words = words_of(text, self.has_strings(settings));
        let blank = |setting: &usize| {
            let fields = settings[*setting].fields.iter().map(|field| match field.kind {
                Kind::Flags(_) => Value::Flags(BTreeSet::new()),
                _ => Value::Absent,
            });
            fields.collect::<Vec<_>>()
        };
        let values = self.settings.iter().map(blank).collect();
        let mut found = Found { values, halves: BTreeSet::new(), taken: Vec::new() };
        for slot in self.slots() {
            let at = self.settings.iter().position(|setting| *setting == slot.setting);
            if let (Some(at), Some(value)) = (at, &slot.unsaid) {
                found.values[at][slot.field] = value.clone();
            }
        }
        for (field, value) in self.implied.iter().chain(&self.lost) {
            found.values[0][*field] = value.clone();
        }
        let parts: Vec<&Part> = self.parts.iter().collect();
        let mut all = Vec::new();
        self.take((settings, may_cut), &parts, &words, &mut found, &mut all);
        let said = |found: Found| {
            Some((self.said(settings, no, found.values, &found.halves)?, found.taken))
        };
        all.into_iter().filter_map(said).collect()
    }

    /// Whether some of its words are strings.
    pub(crate) fn has_strings(&self, settings: &[Setting]) -> bool {
        let is_string =
            |slot: &Slot| settings[slot.setting].fields[slot.field].kind == Kind::Quoted;
        self.slots().any(is_string)
    }

    /// The states that these values of its settings are.
    fn said(
        &self,
        settings: &[Setting],
        no: bool,
        mut values: Vec<Vec<Value>>,
        halves: &BTreeSet<usize>,
    ) -> Option<Vec<State>> {
        let is_set = no == self.is_not;
        if let Shares::One(first) = &self.shares {
            let at = match &values[0][0] {
                Value::Text(word) => usize::from(!first.fits(word)),
                _ => return None,
            };
            let values = values.swap_remove(0);
            let state = |of: usize| {
                if is_set && of == at { State::Set(values.clone()) } else { State::Unset }
            };
            return Some((0..self.settings.len()).map(state).collect());
        }
        let keys = settings[self.settings[0]].keys();
        let key = values[0][..keys].to_vec();
        let all = self.settings.iter().zip(values).enumerate();
        let state = |(at, (setting, mut values)): (usize, (&usize, Vec<Value>))| {
            let is_there = self.shares == Shares::All || at == 0 || halves.contains(setting);
            values.splice(..keys, key.clone());
            if is_set && is_there { State::Set(values) } else { State::Unset }
        };
        Some(all.map(state).collect())
    }

    /// Finds ways in which these parts take these words, all of them: the first, or all where
    /// keywords may be cut short.
    fn take(
        &self,
        (settings, may_cut): (&[Setting], bool),
        parts: &[&Part],
        words: &[&str],
        found: &mut Found,
        all: &mut Vec<Found>,
    ) {
        let how = (settings, may_cut);
        if !may_cut && !all.is_empty() {
            return;
        }
        let Some((part, rest)) = parts.split_first() else {
            if words.is_empty() {
                all.push(found.clone());
            }
            return;
        };
        let slot = match part {
            Part::Word(word) => {
                let taken = words.first().and_then(|typed| keyword(word, typed, may_cut));
                if let Some(taken) = taken {
                    found.taken.push(taken);
                    self.take(how, rest, &words[1..], found, all);
                    found.taken.pop();
                }
                return;
            }
            Part::Half { setting, parts, .. } => {
                let with: Vec<&Part> = parts.iter().chain(rest.iter().copied()).collect();
                found.halves.insert(*setting);
                self.take(how, &with, words, found, all);
                found.halves.remove(setting);
                self.take(how, rest, words, found, all);
                return;
            }
            Part::Slot(slot) => slot,
        };
        let field = &settings[slot.setting].fields[slot.field];
        let at = self.settings.iter().position(|setting| *setting == slot.setting);
        let at = at.expect("a slot of its own settings");
        for (value, taken) in slot.read(words, self.is_each, may_cut) {
            let before = std::mem::replace(&mut found.values[at][slot.field], value);
            let (length, count) = (found.taken.len(), taken.len());
            found.taken.extend(taken);
            self.take(how, rest, &words[count..], found, all);
            found.taken.truncate(length);
            found.values[at][slot.field] = before;
        }
        let is_optional = field.is_optional || slot.unsaid.is_some();
        if is_optional || matches!(field.kind, Kind::Flags(_)) {
            self.take(how, rest, words, found, all);
        }
    }
}

/// How well a word fits what takes it, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// An address, or a number in range.
    Value,
    /// A keyword in full.
    InFull,
    /// A keyword cut short.
    Cut,
    /// Any word.
    Any,
}

/// What took a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) fit: Fit,
    /// The keyword; empty: it is a value.
    pub(crate) keyword: String,
}

impl Taken {
    pub(crate) fn in_full(keyword: &str) -> Self {
        Self { fit: Fit::InFull, keyword: keyword.to_owned() }
    }

    const fn value(fit: Fit) -> Self {
        Self { fit, keyword: String::new() }
    }

    /// A word as a value of this kind.
    pub(crate) fn word(kind: &Kind, word: &str) -> Self {
        let is_value = match kind {
            Kind::Address | Kind::Prefix | Kind::Address6 | Kind::Number | Kind::Numbers => true,
            Kind::Host => word.parse::<IpAddr>().is_ok(),
            _ => false,
        };
        Self::value(if is_value { Fit::Value } else { Fit::Any })
    }
}

/// A keyword that takes a word.
pub(crate) fn keyword(full: &str, typed: &str, may_cut: bool) -> Option<Taken> {
    let fit = match full == typed {
        true => Fit::InFull,
        false if may_cut && !typed.is_empty() && full.starts_with(typed) => Fit::Cut,
        false => return None,
    };
    Some(Taken { fit, keyword: full.to_owned() })
}

/// What a line was found to say.
#[derive(Clone)]
struct Found {
    /// The values of each setting.
    values: Vec<Vec<Value>>,
    /// Those of the settings that it may be without which it has.
    halves: BTreeSet<usize>,
    /// How its words so far are taken.
    taken: Vec<Taken>,
}

/// The words of a line: a text is one, and so is a string in quotes where the line has strings.
fn words_of(text: &str, has_strings: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_string = has_strings && rest.starts_with('"');
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
    /// The values that the first words may be, each with how its words are taken.
    fn read(&self, words: &[&str], is_each: bool, may_cut: bool) -> Vec<(Value, Vec<Taken>)> {
        let (led, words) = match (&self.lead, words.split_first()) {
            (None, _) => (None, words),
            (Some(lead), Some((first, rest))) => match keyword(lead, first, may_cut) {
                Some(led) => (Some(led), rest),
                None => return Vec::new(),
            },
            (Some(_), None) => return Vec::new(),
        };
        let Some(first) = words.first() else {
            return Vec::new();
        };
        let said = |typed: &str| {
            let words = self.words.iter().enumerate();
            let said = words.filter_map(|(at, word)| {
                word.as_ref().and_then(|word| Some((at, keyword(word, typed, may_cut)?)))
            });
            said.collect::<Vec<_>>()
        };
        let any = |count: usize| {
            words[..count].iter().map(|word| Taken::word(&self.takes, word)).collect()
        };
        let found: Vec<(Value, Vec<Taken>)> = match &self.takes {
            Kind::Word(_) => {
                said(first).into_iter().map(|(at, taken)| (Value::Word(at), vec![taken])).collect()
            }
            Kind::Flags(_) => self.read_flags(words, may_cut),
            Kind::Number => self.number.read(first, may_cut),
            Kind::Text => vec![(Value::Text(words.join(" ")), any(words.len()))],
            Kind::Several(of) => {
                let count = if is_each { 1 } else { words.len() };
                let one = |word: &&str| match **of {
                    Kind::Number => self.number.read(word, may_cut).into_iter().next(),
                    _ => Some((Value::Text((*word).to_owned()), vec![Taken::word(of, word)])),
                };
                let all: Option<Vec<_>> = words[..count].iter().map(one).collect();
                let all = all.map(|all| all.into_iter().unzip::<_, _, Vec<_>, Vec<_>>());
                all.map(|(all, taken)| (Value::Several(all), taken.concat())).into_iter().collect()
            }
            Kind::Numbers => {
                let all = self.number.read_all(first).map(Value::Numbers);
                all.map(|all| (all, any(1))).into_iter().collect()
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
            | Kind::Lines => vec![(Value::Text((*first).to_owned()), any(1))],
        };
        let with_lead = |(value, taken)| (value, led.iter().cloned().chain(taken).collect());
        found.into_iter().map(with_lead).collect()
    }

    /// The flags that the first words may be, each once.
    fn read_flags(&self, words: &[&str], may_cut: bool) -> Vec<(Value, Vec<Taken>)> {
        let mut found = Vec::new();
        let mut open = vec![(BTreeSet::new(), Vec::new())];
        while let Some((flags, taken)) = open.pop() {
            let typed = words.get(taken.len());
            for (at, word) in self.words.iter().enumerate().filter(|(at, _)| !flags.contains(at)) {
                let (Some(word), Some(typed)) = (word, typed) else { continue };
                if let Some(one) = keyword(word, typed, may_cut) {
                    let (mut flags, mut taken) = (flags.clone(), taken.clone());
                    flags.insert(at);
                    taken.push(one);
                    found.push((Value::Flags(flags.clone()), taken.clone()));
                    open.push((flags, taken));
                }
            }
        }
        // As many as there are, before fewer.
        found.sort_by_key(|(_, taken): &(Value, Vec<Taken>)| std::cmp::Reverse(taken.len()));
        found
    }
}

impl Number {
    fn read(&self, word: &str, may_cut: bool) -> Vec<(Value, Vec<Taken>)> {
        let (least, most) = self.range;
        let said = self
            .names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((least + at as i64, keyword(name, word, may_cut)?)));
        let numbers = least + self.names.len() as i64..=most;
        let number = word.parse::<i64>().ok().filter(|number| numbers.contains(number));
        let number = number.map(|number| (number, Taken::value(Fit::Value)));
        let all = said.chain(number);
        all.map(|(number, taken)| (Value::Number(number * self.per), vec![taken])).collect()
    }

    /// Numbers and spans in one word.
    fn read_all(&self, word: &str) -> Option<BTreeSet<i64>> {
        let one = |word: &str| match self.read(word, false).pop() {
            Some((Value::Number(number), _)) => Some(number),
            Some(_) | None => None,
        };
        let mut all = BTreeSet::new();
        for span in word.split(',') {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            all.extend(one(first)?..=one(last)?);
        }
        Some(all)
    }
}
