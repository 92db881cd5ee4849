//! Writings: how one level of a component writes its settings. A line says one setting, or several
//! that share it.

use crate::setting::{Kind, Setting, State, Value};

/// How a level of a component writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writing {
    /// The words that enter an instance of each scope, before its name. None: there is no such
    /// instance at this level. Only the first component writes scopes.
    pub(crate) entries: Vec<Option<Vec<String>>>,
    pub(crate) lines: Vec<Line>,
}

/// A mode without a name of its instance, into which lines move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roof {
    pub(crate) scope: Option<usize>,
    pub(crate) words: String,
    /// The level of its component from which it is there.
    pub(crate) since: usize,
}

/// How settings are written on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Those that share it, of one scope and with equal keys.
    pub(crate) settings: Vec<usize>,
    /// The first is a word.
    pub(crate) parts: Vec<Part>,
    /// The mode within the scope's in which it stands.
    pub(crate) roof: Option<usize>,
    /// The line says that the setting is off, and its `no` that it is on.
    pub(crate) is_not: bool,
    pub(crate) default: Default,
    /// Values that the line says by being there: (field of its only setting, value).
    pub(crate) implied: Vec<(usize, Value)>,
    /// The arguments may be left out after `no`.
    pub(crate) is_bare_no: bool,
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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Word(String),
    Slot(Slot),
}

/// Where a line holds a value, and how it spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) setting: usize,
    pub(crate) field: usize,
    /// The keyword before an optional value.
    pub(crate) lead: Option<String>,
    /// The word of each value; none: this level has no word for it.
    pub(crate) words: Vec<Option<String>>,
    pub(crate) number: Number,
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

    fn form(&self) -> String {
        let (least, most) = self.range;
        let range = format!("({}-{most})", least + self.names.len() as i64);
        if self.names.is_empty() { range } else { format!("<{}|{range}>", self.names.join("|")) }
    }
}

impl Slot {
    /// The words of a value; empty if it is absent.
    pub(crate) fn say(&self, value: &Value) -> Result<String, Unsayable> {
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
            Value::Text(text) => text.clone(),
        };
        Ok(match &self.lead {
            Some(lead) => format!("{lead} {said}"),
            None => said,
        })
    }

    /// Its part of the form.
    pub(crate) fn form(&self, settings: &[Setting]) -> String {
        let field = &settings[self.setting].fields[self.field];
        let name = if field.is_named { format!("${}", field.name) } else { String::new() };
        let words: Vec<&str> = self.words.iter().flatten().map(|word| &**word).collect();
        let token = match &field.kind {
            Kind::Word(_) => format!("<{}>{name}", words.join("|")),
            Kind::Flags(1) => return format!("[{}{name}]", words[0]),
            Kind::Flags(_) => return format!("[{{{}}}]", words.join("|")),
            Kind::Number => format!("{}${}", self.number.form(), field.name),
            other => format!("{}${}", other.placeholder(), field.name),
        };
        let token = match &self.lead {
            Some(lead) => format!("{lead} {token}"),
            None => token,
        };
        if field.is_optional { format!("[{token}]") } else { token }
    }
}

impl Line {
    /// The form of the line.
    pub(crate) fn form(&self, settings: &[Setting]) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Word(word) => word.clone(),
            Part::Slot(slot) => slot.form(settings),
        });
        let parts: Vec<String> = parts.collect();
        let arguments = self.parts.iter().position(|part| matches!(part, Part::Slot(_)));
        match arguments.filter(|_| self.is_bare_no) {
            Some(at) => {
                format!("[no] {} ![{}]", parts[..at].join(" "), parts[at..].join(" "))
            }
            None => format!("[no] {}", parts.join(" ")),
        }
    }

    /// What an absent line says of each of its settings.
    pub(crate) fn absent(&self) -> State {
        match (&self.default, self.is_not) {
            (Default::Off, false) | (Default::Line, true) => State::Unset,
            (Default::Off, true) | (Default::Line, false) => State::Set(Vec::new()),
            (Default::Values(values), _) => State::Set(values.clone()),
        }
    }

    /// The line that says these states, one a setting; none: its absence says them.
    pub(crate) fn say(&self, states: &[State]) -> Result<Option<String>, Unsayable> {
        assert_eq!(states.len(), self.settings.len(), "a state for each setting");
        let text = self.text(states)?;
        Ok(text.filter(|_| states.iter().any(|state| *state != self.absent())))
    }

    /// The words that make it so, be it the default or not; none: it is a line that is taken away.
    pub(crate) fn text(&self, states: &[State]) -> Result<Option<String>, Unsayable> {
        let set = states.iter().filter(|state| **state != State::Unset).count();
        if set != 0 && set != states.len() {
            return Err(Unsayable);
        }
        let mut words = Vec::new();
        if (set == 0) != self.is_not {
            words.push("no".to_owned());
        }
        if set == 0 && !self.settings_are_flags() {
            return Ok(None);
        }
        for (field, value) in &self.implied {
            if states.iter().any(|state| matches!(state, State::Set(all) if all[*field] != *value))
            {
                return Err(Unsayable);
            }
        }
        for part in &self.parts {
            words.push(match part {
                Part::Word(word) => word.clone(),
                Part::Slot(slot) => {
                    let at = self.settings.iter().position(|setting| *setting == slot.setting);
                    match &states[at.expect("a slot of its own settings")] {
                        State::Set(values) => slot.say(&values[slot.field])?,
                        State::Unset => return Err(Unsayable),
                    }
                }
            });
        }
        words.retain(|word| !word.is_empty());
        Ok(Some(words.join(" ")))
    }

    /// Whether it has no value: what is on is said by the line being there.
    fn settings_are_flags(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Slot(_)))
    }

    /// Its slots.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Word(_) => None,
        })
    }

    /// Its slots, to be edited.
    pub(crate) fn slots_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Word(_) => None,
        })
    }
}

impl Writing {
    /// The line that says this setting.
    pub(crate) fn line_of(&self, setting: usize) -> Option<&Line> {
        self.lines.iter().find(|line| line.settings.contains(&setting))
    }
}
