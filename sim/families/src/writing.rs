//! Writings: how one level of a component writes its settings. A line says one setting, or several
//! that share it.

use std::collections::BTreeSet;
use std::slice::from_ref;

use crate::enter::text_of;
use crate::setting::{Kind, Setting, State, Value};

/// How a level of a component writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writing {
    /// The words that enter an instance of each scope, before its name. None: there is no such
    /// instance at this level. Only the first component writes scopes.
    pub(crate) entries: Vec<Option<Vec<String>>>,
    /// Per scope the words before the name, in a line of its own in the instance. None: the name
    /// stands in the entry.
    pub(crate) leaves: Vec<Option<Vec<String>>>,
    pub(crate) lines: Vec<Line>,
    pub(crate) aliases: Vec<Alias>,
}

/// Another way to say something, which is read and never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// Other words of a line.
    Line { line: Line, says: Says },
    /// Other words that enter a scope.
    Entry { scope: usize, words: Vec<String> },
}

/// What the line of an alias says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// What the line says that it stands for.
    Line,
    /// Its list is added to the list of that.
    Adds,
    /// Its list is taken from the list of that.
    Takes,
}

/// A mode without a name of its instance, into which lines move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roof {
    pub(crate) scope: Option<usize>,
    pub(crate) words: String,
    /// The level of its component from which it is there.
    pub(crate) since: usize,
}

impl Roof {
    /// Whether it stands in a scope at a level.
    pub(crate) fn is_at(&self, scope: Option<usize>, level: usize) -> bool {
        self.scope == scope && self.since <= level
    }
}

/// How settings are written on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Those that share it, of one scope and with equal keys.
    pub(crate) settings: Vec<usize>,
    pub(crate) shares: Shares,
    /// Where it stands: in the root, or in each instance of a scope.
    pub(crate) scope: Option<usize>,
    /// So many of the first fields tell one line of it from another: those of its key, or less.
    pub(crate) keys: usize,
    /// The first is a word.
    pub(crate) parts: Vec<Part>,
    /// The mode within the scope's in which it stands.
    pub(crate) roof: Option<usize>,
    /// The line says that the setting is off, and its `no` that it is on.
    pub(crate) is_not: bool,
    pub(crate) default: Default,
    /// Values that the line says by being there: (field of its only setting, value).
    pub(crate) implied: Vec<(usize, Value)>,
    /// Values that it has no place for, of which it goes without: (field of its only setting, what
    /// stands for the value).
    pub(crate) lost: Vec<(usize, Value)>,
    /// Which meaning its words have.
    pub(crate) revision: usize,
    /// The arguments may be left out after `no`.
    pub(crate) is_bare_no: bool,
    /// There is a line for each value of the last field.
    pub(crate) is_each: bool,
    /// It need not go to a peer below this level.
    pub(crate) dont_care: Option<usize>,
}

/// How several settings share a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shares {
    /// All are set, or none.
    All,
    /// The first is set, and any of the others.
    First,
    /// One is set: the first, if the first value is of this kind, else the second.
    One(Kind),
}

/// What an absent line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// What `no` says.
    Off,
    /// The line itself.
    Line,
    /// These values.
    Values(Vec<Value>),
    /// For the key in each of these, these values; for others what `no` says.
    Factory(Vec<Vec<Value>>),
    /// Neither what the line says nor what its `no` says.
    Neither,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Word(String),
    Slot(Slot),
    /// What a setting says that the line may be without. `flag`: the name of its presence, where
    /// it holds no value.
    Half {
        setting: usize,
        flag: Option<String>,
        parts: Vec<Self>,
    },
}

/// Where a line holds a value, and how it spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) setting: usize,
    pub(crate) field: usize,
    /// The keyword before an optional value.
    pub(crate) lead: Option<String>,
    /// The value that a line says by leaving the slot out; none: it has none that could be left
    /// out.
    pub(crate) unsaid: Option<Value>,
    /// The word of each value; none: this level has no word for it.
    pub(crate) words: Vec<Option<String>>,
    pub(crate) number: Number,
    /// What it takes here; it may be more than its field takes.
    pub(crate) takes: Kind,
}

/// How a number is spelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    /// So many of the smallest unit are one here.
    pub(crate) per: i64,
    /// The least and the greatest, in this unit.
    pub(crate) range: (i64, i64),
    /// Words for the least and for those that follow it.
    pub(crate) names: Vec<String>,
}

/// How a slot spells a value.
pub(crate) type Spell<'a> = &'a mut dyn FnMut(&Slot, &Value) -> Result<String, Unsayable>;

/// The value, or the combination of settings, cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsayable;

impl Number {
    pub(crate) fn say(&self, value: i64) -> Result<String, Unsayable> {
        let (least, most) = self.range;
        let number = value / self.per;
        if value % self.per != 0 || number < least || number > most {
            return Err(Unsayable);
        }
        let name = self.names.get((number - least) as usize);
        Ok(name.cloned().unwrap_or_else(|| number.to_string()))
    }

    /// Numbers in one word: spans, ascending.
    fn say_all(&self, numbers: &BTreeSet<i64>) -> Result<String, Unsayable> {
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for number in numbers {
            self.say(*number)?;
            match spans.last_mut() {
                Some((_, last)) if *last + 1 == *number => *last = *number,
                Some(_) | None => spans.push((*number, *number)),
            }
        }
        let word = |(first, last): &(i64, i64)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        Ok(spans.iter().map(word).collect::<Vec<_>>().join(","))
    }

    fn form(&self) -> String {
        let (least, most) = self.range;
        let range = format!("({}-{most})", least + self.names.len() as i64);
        if self.names.is_empty() { range } else { format!("<{}|{range}>", self.names.join("|")) }
    }
}

impl Slot {
    /// The same where it can be left out by no line.
    pub(crate) fn bare(&self) -> Self {
        Self { lead: None, unsaid: None, ..self.clone() }
    }

    /// The words of a value; empty if it is absent, or said by leaving the slot out.
    pub(crate) fn say(&self, value: &Value) -> Result<String, Unsayable> {
        if self.unsaid.as_ref() == Some(value) {
            return Ok(String::new());
        }
        let said = match value {
            Value::Absent => return Ok(String::new()),
            Value::Word(index) => self.words[*index].clone().ok_or(Unsayable)?,
            Value::Flags(flags) => {
                let words = flags.iter().map(|flag| self.words[*flag].clone().ok_or(Unsayable));
                let mut words = words.collect::<Result<Vec<_>, _>>()?;
                words.sort();
                words.join(" ")
            }
            Value::Number(number) => self.number.say(*number)?,
            // A word that is spelled otherwise here would come back as another word.
            Value::Text(text) if self.takes.canonical(text).is_some_and(|own| own != *text) => {
                return Err(Unsayable);
            }
            // Of a choice by value the other line may take no word but an address.
            Value::Text(text) if text_of(&self.takes, text).is_none() => return Err(Unsayable),
            Value::Text(text) => text.clone(),
            Value::Several(values) => {
                let words = values.iter().map(|value| self.say(value));
                words.collect::<Result<Vec<_>, _>>()?.join(" ")
            }
            Value::Numbers(numbers) => self.number.say_all(numbers)?,
        };
        Ok(self.led(said))
    }

    /// A value behind its keyword, if it has one.
    pub(crate) fn led(&self, said: String) -> String {
        match &self.lead {
            Some(lead) => format!("{lead} {said}"),
            None => said,
        }
    }

    /// Its part of the form. `is_each`: a line has one of several values.
    pub(crate) fn form(&self, settings: &[Setting], is_each: bool) -> String {
        let field = &settings[self.setting].fields[self.field];
        let name = if field.is_named { format!("${}", field.name) } else { String::new() };
        let words: Vec<&str> = self.words.iter().flatten().map(|word| &**word).collect();
        let token = match &self.takes {
            Kind::Word(_) => format!("<{}>{name}", words.join("|")),
            Kind::Flags(1) => return format!("[{}{name}]", words[0]),
            Kind::Flags(_) => return format!("[{{{}}}]", words.join("|")),
            Kind::Several(of) => {
                let one = match **of {
                    Kind::Number => self.number.form(),
                    _ => of.placeholder().to_owned(),
                };
                format!("{one}{}{name}", if is_each { "" } else { "..." })
            }
            Kind::Numbers => format!("{},...{name}", self.number.form()),
            Kind::Number => format!("{}{name}", self.number.form()),
            other => format!("{}{name}", other.placeholder()),
        };
        let token = match &self.lead {
            Some(lead) => format!("{lead} {token}"),
            None => token,
        };
        let is_optional = field.is_optional || self.unsaid.is_some();
        if is_optional { format!("[{token}]") } else { token }
    }
}

impl Part {
    fn form(&self, settings: &[Setting], is_each: bool) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Slot(slot) => slot.form(settings, is_each),
            Self::Half { flag, parts, .. } => {
                let name = flag.as_ref().map(|name| format!("${name}")).unwrap_or_default();
                format!("[{}{name}]", forms(parts, settings, is_each).join(" "))
            }
        }
    }

    fn slots(&self) -> Vec<&Slot> {
        match self {
            Self::Word(_) => Vec::new(),
            Self::Slot(slot) => vec![slot],
            Self::Half { parts, .. } => parts.iter().flat_map(Self::slots).collect(),
        }
    }

    pub(crate) fn slots_mut(&mut self) -> Vec<&mut Slot> {
        match self {
            Self::Word(_) => Vec::new(),
            Self::Slot(slot) => vec![slot],
            Self::Half { parts, .. } => parts.iter_mut().flat_map(Self::slots_mut).collect(),
        }
    }
}

impl Line {
    /// The form of the line.
    pub(crate) fn form(&self, settings: &[Setting]) -> String {
        let parts = forms(&self.parts, settings, self.is_each);
        let arguments = self.parts.iter().position(|part| !matches!(part, Part::Word(_)));
        let left_out = match self.default {
            Default::Factory(_) | Default::Neither => {
                Some(self.head()).filter(|at| *at < parts.len())
            }
            _ => arguments.filter(|_| self.is_bare_no),
        };
        match left_out {
            Some(at) => {
                format!("[no] {} ![{}]", parts[..at].join(" "), parts[at..].join(" "))
            }
            None => format!("[no] {}", parts.join(" ")),
        }
    }

    /// How many of its parts end with the last value of its key, which stands before all others.
    pub(crate) fn head(&self) -> usize {
        let is_key = |part: &Part| matches!(part, Part::Slot(slot) if slot.field < self.keys);
        self.parts.iter().rposition(is_key).map_or(0, |at| at + 1)
    }

    /// What an absent line says of each of its settings.
    pub(crate) fn absent(&self) -> State {
        match (&self.default, self.is_not) {
            (Default::Off, false) | (Default::Line, true) => State::Unset,
            (Default::Off, true) | (Default::Line, false) => State::Set(Vec::new()),
            (Default::Values(values), _) => State::Set(values.clone()),
            (Default::Factory(_) | Default::Neither, _) => State::Unset,
        }
    }

    /// What an absent line of this key says of each of its settings.
    pub(crate) fn absent_of(&self, key: &[Value]) -> State {
        let Default::Factory(all) = &self.default else { return self.absent() };
        let own = all.iter().find(|values| values[..self.keys] == *key);
        own.map_or(State::Unset, |values| State::Set(values.clone()))
    }

    /// Whether an absent line says this state.
    pub(crate) fn says_by_absence(&self, state: &State) -> bool {
        *state == self.absent_of(state.key(self.keys).unwrap_or_default())
    }

    /// What is said once a line of this key was taken away; none: what absence says.
    pub(crate) fn taken_away(&self, key: &[Value]) -> Option<State> {
        let is_said = match self.default {
            Default::Factory(_) => matches!(self.absent_of(key), State::Set(_)),
            Default::Neither => true,
            Default::Off | Default::Line | Default::Values(_) => false,
        };
        is_said.then(|| State::Not(key.to_vec()))
    }

    /// Whether its `no` is a line itself, for some keys or for all.
    pub(crate) const fn has_not(&self) -> bool {
        matches!(self.default, Default::Factory(_) | Default::Neither)
    }

    /// What it says of a state: what it has no place for is lost.
    pub(crate) fn less(&self, state: &State) -> State {
        let State::Set(values) = state else { return state.clone() };
        let mut values = values.clone();
        for (field, value) in &self.lost {
            values[*field].clone_from(value);
        }
        State::Set(values)
    }

    /// Whether it says a state in the words of another line that mean something else there, and
    /// nothing says that they come to the same.
    pub(crate) fn says_otherwise(&self, other: &Self, state: &State) -> bool {
        self.revision != other.revision
            && !self.is_paired(other)
            && self.text(from_ref(state)) == other.text(from_ref(state))
    }

    /// Whether a change to a line of another revision has a pair of words for all that it says.
    pub(crate) fn is_paired(&self, other: &Self) -> bool {
        let words = |line: &Self| line.slots().map(|slot| slot.words.clone()).collect::<Vec<_>>();
        self.revision != other.revision && self.slots().count() == 1 && words(self) != words(other)
    }

    /// The lines that say these states, one a setting; none: their absence says them.
    pub(crate) fn say(&self, states: &[State]) -> Result<Vec<String>, Unsayable> {
        assert_eq!(states.len(), self.settings.len(), "a state for each setting");
        let lines = self.text(states)?;
        let is_absent = states.iter().all(|state| self.says_by_absence(state));
        Ok(if is_absent { Vec::new() } else { lines })
    }

    /// The words that make it so, be it the default or not; none: it is a line that is taken away.
    pub(crate) fn text(&self, states: &[State]) -> Result<Vec<String>, Unsayable> {
        self.text_spelled(states, &mut Slot::say)
    }

    /// The same, with each value spelled so.
    pub(crate) fn text_spelled(
        &self,
        states: &[State],
        spell: Spell<'_>,
    ) -> Result<Vec<String>, Unsayable> {
        if let [State::Not(key)] = states {
            let mut words = vec!["no".to_owned()];
            let states = [State::Set(key.clone())];
            self.say_parts(&self.parts[..self.head()], &states, spell, &mut words)?;
            return Ok(vec![joined(&words)]);
        }
        let is_set = self.is_set(states)?;
        if !is_set && !self.settings_are_flags() {
            return Ok(Vec::new());
        }
        for (field, value) in &self.implied {
            if states.iter().any(|state| matches!(state, State::Set(all) if all[*field] != *value))
            {
                return Err(Unsayable);
            }
        }
        let no = if is_set == self.is_not { vec!["no".to_owned()] } else { Vec::new() };
        if !self.is_each {
            let mut words = no;
            self.say_parts(&self.parts, states, spell, &mut words)?;
            return Ok(vec![joined(&words)]);
        }
        let mut lines: Vec<String> = Vec::new();
        for one in each(&states[0]) {
            let mut words = no.clone();
            self.say_parts(&self.parts, &[one], spell, &mut words)?;
            let line = joined(&words);
            // The value is the key of its line.
            if lines.contains(&line) {
                return Err(Unsayable);
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// Whether the line says that its settings are set.
    fn is_set(&self, states: &[State]) -> Result<bool, Unsayable> {
        let set: Vec<bool> = states.iter().map(|state| *state != State::Unset).collect();
        let (any, all) = (set.contains(&true), !set.contains(&false));
        let fits = match &self.shares {
            Shares::All => any == all,
            Shares::First => any == set[0],
            Shares::One(first) => {
                let is_it = |state: &State| match state {
                    State::Set(values) => {
                        matches!(&values[0], Value::Text(word) if first.fits(word))
                    }
                    State::Unset | State::Not(_) => false,
                };
                let says = |(at, state): (usize, &State)| is_it(state) == (at == 0);
                let mut there = states.iter().enumerate().filter(|(at, _)| set[*at]);
                there.clone().count() <= 1 && there.all(says)
            }
        };
        if fits { Ok(any) } else { Err(Unsayable) }
    }

    fn say_parts(
        &self,
        parts: &[Part],
        states: &[State],
        spell: Spell<'_>,
        words: &mut Vec<String>,
    ) -> Result<(), Unsayable> {
        let state = |setting: usize| {
            let at = self.settings.iter().position(|of| *of == setting);
            match self.shares {
                Shares::One(_) => states.iter().find(|state| **state != State::Unset),
                Shares::All | Shares::First => at.map(|at| &states[at]),
            }
        };
        for part in parts {
            match part {
                Part::Word(word) => words.push(word.clone()),
                Part::Slot(slot) => match state(slot.setting) {
                    Some(State::Set(values)) => words.push(spell(slot, &values[slot.field])?),
                    Some(State::Unset | State::Not(_)) | None => return Err(Unsayable),
                },
                Part::Half { setting, parts, .. } => {
                    if matches!(state(*setting), Some(State::Set(_))) {
                        self.say_parts(parts, states, spell, words)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The line that takes away one of these words. What is said by a `no` is taken away by the
    /// line itself; and a text stands behind no `no`.
    pub(crate) fn negation(&self, settings: &[Setting], text: &str) -> String {
        if let Some(line) = text.strip_prefix("no ") {
            return line.to_owned();
        }
        let ends = |slot: &&Slot| settings[slot.setting].fields[slot.field].kind.is_text();
        let text = match self.slots().find(ends) {
            Some(_) => {
                let at = text.find("^C").or_else(|| text.find('\n')).expect("a text is there");
                text[..at].trim_end()
            }
            None => text,
        };
        format!("no {text}")
    }

    /// Whether it has no value: what is on is said by the line being there.
    fn settings_are_flags(&self) -> bool {
        self.slots().next().is_none()
    }

    /// Its slots.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().flat_map(Part::slots)
    }

    /// Its slots, to be edited.
    pub(crate) fn slots_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.parts.iter_mut().flat_map(Part::slots_mut)
    }

    /// The slot that holds a field of one of its settings.
    pub(crate) fn slot_of(&self, setting: usize, field: usize) -> Option<&Slot> {
        let own = self.slots().find(|slot| (slot.setting, slot.field) == (setting, field));
        // What all share stands once, as the first's.
        let shared = |slot: &&Slot| {
            slot.setting == self.settings[0]
                && slot.field == field
                && !matches!(self.shares, Shares::All)
        };
        own.or_else(|| self.slots().find(shared))
    }

    /// The settings that it may be without.
    pub(crate) fn halves(&self) -> impl Iterator<Item = (usize, Option<&str>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Half { setting, flag, .. } => Some((*setting, flag.as_deref())),
            Part::Word(_) | Part::Slot(_) => None,
        })
    }
}

/// A state for each of several values.
fn each(state: &State) -> Vec<State> {
    let State::Set(values) = state else {
        return Vec::new();
    };
    let (last, rest) = values.split_last().expect("several values are the last field");
    let Value::Several(several) = last else {
        return Vec::new();
    };
    let one = |value: &Value| State::Set([rest, from_ref(value)].concat());
    several.iter().map(one).collect()
}

/// Words of a line. A text over lines begins at once.
fn joined(words: &[String]) -> String {
    let mut text = String::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        if !text.is_empty() && !word.starts_with('\n') {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn forms(parts: &[Part], settings: &[Setting], is_each: bool) -> Vec<String> {
    parts.iter().map(|part| part.form(settings, is_each)).collect()
}

impl Writing {
    /// The line that says this setting.
    pub(crate) fn line_of(&self, setting: usize) -> Option<&Line> {
        self.lines.iter().find(|line| line.settings.contains(&setting))
    }
}
