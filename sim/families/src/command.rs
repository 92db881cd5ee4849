//! Commands in a release's words, each with what it does to the meaning.

use crate::draw::{Drawn, values};
use crate::meaning::{Instance, Meaning, Step};
use crate::rng::Rng;
use crate::setting::{Kind, State, Value};
use crate::writing::Line;

/// A line that an operator may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The entries around it, outermost first.
    pub entries: Vec<String>,
    /// The line, without `no`.
    pub line: String,
    /// Whether it enters a mode.
    pub enters: bool,
    /// Lines of one number are written alike.
    pub form: usize,
}

/// Lines drawn of each form.
const EXAMPLES: usize = 4;

impl Drawn {
    /// Lines that a release takes: some of each form, in few instances.
    pub fn examples(&self, release: usize, rng: &mut Rng) -> Vec<Example> {
        let levels = self.levels(release);
        let entry = |step: &Step| self.entry(&levels, step).expect("this release enters it");
        let mut ways = vec![Vec::new()];
        let mut examples = Vec::new();
        for scope in 0..self.scopes.len() {
            for _ in 0..2 {
                let way = self.way(scope, &ways, rng);
                let mut entries: Vec<String> = way.iter().map(entry).collect();
                let line = entries.pop().expect("not the root");
                examples.push(Example { entries, line, enters: true, form: scope });
                ways.extend((1..=way.len()).map(|length| way[..length].to_vec()));
            }
        }
        let mut form = self.scopes.len();
        for (component, level) in self.components.iter().zip(&levels) {
            for line in &component.levels[*level].lines {
                let scope = self.settings[line.settings[0]].scope;
                for _ in 0..EXAMPLES {
                    let way = scope.map_or_else(Vec::new, |scope| self.way(scope, &ways, rng));
                    let entries = way.iter().map(entry);
                    let roof = line.roof.map(|roof| component.roofs[roof].words.clone());
                    let entries = entries.chain(roof).collect();
                    let text = self.positive(line, rng);
                    examples.push(Example { entries, line: text, enters: false, form });
                }
                form += 1;
            }
        }
        examples
    }

    /// The line itself, with some values.
    fn positive(&self, line: &Line, rng: &mut Rng) -> String {
        let states = line.settings.iter().map(|setting| match line.is_not {
            true => State::Unset,
            false => State::Set(values(&self.settings, line, *setting, rng)),
        });
        let text = line.text(&states.collect::<Vec<_>>()).expect("this release says it");
        text.expect("a line has a text")
    }

    /// The meaning of a unit that was told nothing.
    pub fn blank(&self) -> Meaning {
        Meaning::default()
    }

    /// A command of one line, and what it does.
    pub fn command(&self, release: usize, meaning: &mut Meaning, rng: &mut Rng) -> String {
        let levels = self.levels(release);
        let ways = meaning.root.ways();
        match rng.below(100) {
            0..8 if ways.len() > 1 => {
                let way = &ways[1 + rng.below(ways.len() - 1)];
                let (last, around) = way.split_last().expect("not the root");
                meaning.root.enter(around).leave(last);
                self.placed(&levels, around, None, |entries| format!("no {}", entries(last)))
            }
            8..30 if !self.scopes.is_empty() => {
                let way = self.way(rng.below(self.scopes.len()), &ways, rng);
                meaning.root.enter(&way);
                self.placed(&levels, &way, None, |_| String::new())
            }
            30..50 => {
                let said = |way: &Vec<Step>| {
                    let instance = meaning.root.at(way).expect("a way of its own");
                    let items = instance.all_said().cloned();
                    items.map(|said| (way.clone(), said)).collect::<Vec<_>>()
                };
                let all: Vec<_> = ways.iter().flat_map(said).collect();
                if all.is_empty() {
                    return self.set(&levels, meaning, &ways, rng);
                }
                let (way, said) = rng.pick(&all).clone();
                self.unset(&levels, meaning, &way, (said.setting, &said.key))
            }
            _ => self.set(&levels, meaning, &ways, rng),
        }
    }

    /// Sets a setting that this release knows, somewhere.
    fn set(
        &self,
        levels: &[usize],
        meaning: &mut Meaning,
        ways: &[Vec<Step>],
        rng: &mut Rng,
    ) -> String {
        let component = rng.below(self.components.len());
        let lines = &self.components[component].levels[levels[component]].lines;
        let line = rng.pick(lines);
        let way = match self.settings[line.settings[0]].scope {
            Some(scope) => self.way(scope, ways, rng),
            None => Vec::new(),
        };
        let off = line.settings.iter().all(|setting| self.settings[*setting].is_flag());
        let states: Vec<State> = if off && rng.chance(30) {
            vec![State::Unset; line.settings.len()]
        } else {
            let all = line.settings.iter();
            all.map(|setting| State::Set(values(&self.settings, line, *setting, rng))).collect()
        };
        let setting = &self.settings[line.settings[0]];
        let key = match &states[0] {
            State::Set(values) => values[..setting.keys()].to_vec(),
            State::Unset => Vec::new(),
        };
        let text = line.text(&states).expect("this release says it");
        let text = text.expect("a flag has a line for each state");
        let instance = meaning.root.enter(&way);
        for (setting, state) in line.settings.iter().zip(states) {
            instance.say(*setting, &key, Some(state).filter(|state| *state != line.absent()));
        }
        self.under_roof(component, line, instance);
        self.placed(levels, &way, self.roof(component, line), |_| text)
    }

    /// Takes a line away.
    fn unset(
        &self,
        levels: &[usize],
        meaning: &mut Meaning,
        way: &[Step],
        (setting, key): (usize, &[Value]),
    ) -> String {
        let component = self.settings[setting].component;
        let line = self.components[component].levels[levels[component]].line_of(setting);
        let line = line.expect("what is said can be said");
        let instance = meaning.root.enter(way);
        let states: Vec<State> = crate::arrival::states(line, instance, key);
        let text = line.say(&states).expect("it is said").expect("and not by absence");
        for setting in &line.settings {
            instance.say(*setting, key, None);
        }
        self.under_roof(component, line, instance);
        // What is said by a `no` is taken away by the line itself.
        let text = match text.strip_prefix("no ") {
            Some(line) => line.to_owned(),
            None => format!("no {text}"),
        };
        self.placed(levels, way, self.roof(component, line), |_| text)
    }

    fn roof(&self, component: usize, line: &Line) -> Option<&str> {
        line.roof.map(|roof| &*self.components[component].roofs[roof].words)
    }

    fn under_roof(&self, component: usize, line: &Line, instance: &mut Instance) {
        instance.entered.extend(line.roof.map(|roof| (component, roof)));
    }

    /// A way to an instance of a scope: one that is there, or a new one.
    fn way(&self, scope: usize, ways: &[Vec<Step>], rng: &mut Rng) -> Vec<Step> {
        let there: Vec<&Vec<Step>> =
            ways.iter().filter(|way| way.last().is_some_and(|(last, _)| *last == scope)).collect();
        if !there.is_empty() && rng.chance(60) {
            return (*rng.pick(&there)).clone();
        }
        let mut way = match self.scopes[scope].parent {
            Some(parent) => self.way(parent, ways, rng),
            None => Vec::new(),
        };
        let name = match &self.scopes[scope].names {
            Kind::Word(count) => Value::Word(rng.below(*count)),
            other => Value::Text((*rng.pick(other.texts())).to_owned()),
        };
        way.push((scope, name));
        way
    }

    /// A line in its place: the entries before it, and an `exit` for each after it.
    fn placed(
        &self,
        levels: &[usize],
        way: &[Step],
        roof: Option<&str>,
        line: impl FnOnce(&dyn Fn(&Step) -> String) -> String,
    ) -> String {
        let entry = |step: &Step| self.entry(levels, step).expect("this release enters it");
        let mut text = String::new();
        let entries = way.iter().map(entry).chain(roof.map(str::to_owned));
        let entries: Vec<String> = entries.collect();
        for entry in &entries {
            text.push_str(&format!("{entry}\n"));
        }
        text.push_str(&line(&entry));
        text.push('\n');
        text.push_str(&"exit\n".repeat(entries.len()));
        text
    }
}
