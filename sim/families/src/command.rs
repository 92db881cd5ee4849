//! Commands in a release's words, each with what it does to the meaning.

use std::collections::BTreeSet;

use crate::draw::{Drawn, values};
use crate::meaning::{Instance, Meaning, Step};
use crate::rng::Rng;
use crate::setting::{Kind, State, Value};
use crate::writing::{Alias, Default, Line, Part, Says, Shares, Writing};

/// A line that an operator may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The entries around it, outermost first.
    pub entries: Vec<String>,
    /// The line, without `no`.
    pub line: String,
    /// The line that takes it away.
    pub negated: String,
    /// Whether it enters a mode.
    pub enters: bool,
    /// Lines of one number are written alike.
    pub form: usize,
}

/// Of so many commands in a hundred, the first keywords are cut short.
const CUT_PERCENT: usize = 15;
/// Of so many numbers in a hundred, each is at an end of what a level says.
const NEAR_PERCENT: usize = 30;
/// What stands between the words of a form.
const SEPARATORS: [char; 11] = [' ', '[', ']', '<', '>', '{', '}', '|', '!', '$', '.'];

/// Lines drawn of each form.
const EXAMPLES: usize = 4;
/// Further lines of each form, in other spellings.
const TYPED: usize = 2;

impl Drawn {
    /// Lines that a release takes: some of each form, in few instances.
    pub fn examples(&self, release: usize, rng: &mut Rng) -> Vec<Example> {
        let levels = self.levels(release);
        let entry = |step: &Step| self.entry(&levels, step).expect("this release enters it");
        let mut ways = vec![Vec::new()];
        let mut examples = Vec::new();
        for scope in self.scopes_at(&levels) {
            for _ in 0..2 {
                let way = self.way(&levels, scope, &ways, rng);
                let mut entries: Vec<String> = way.iter().map(entry).collect();
                if self.leaf(&levels, scope).is_some() {
                    let (entries, line) = (entries.clone(), self.some_name(&levels, scope, rng));
                    let negated = format!("no {line}");
                    let enters = false;
                    examples.push(Example { entries, line, negated, enters, form: scope });
                }
                let line = entries.pop().expect("not the root");
                let negated = format!("no {line}");
                examples.push(Example { entries, line, negated, enters: true, form: scope });
                ways.extend((1..=way.len()).map(|length| way[..length].to_vec()));
            }
        }
        let mut form = self.scopes.len();
        for (component, level) in self.components.iter().zip(&levels) {
            let writing = &component.levels[*level];
            let aliases = writing.aliases.iter().filter_map(|alias| match alias {
                Alias::Line { line, .. } => Some(line),
                Alias::Entry { .. } => None,
            });
            for line in writing.lines.iter().chain(aliases) {
                for number in 0..EXAMPLES + TYPED {
                    // An alias stands where the line stands that it says.
                    let of = writing.line_of(line.settings[0]).unwrap_or(line);
                    let way =
                        of.scope.map_or_else(Vec::new, |at| self.way(&levels, at, &ways, rng));
                    let entries = way.iter().map(entry);
                    let roof = of.roof.map(|roof| component.roofs[roof].words.clone());
                    let entries: Vec<String> = entries.chain(roof).collect();
                    let typed = number >= EXAMPLES;
                    for (text, negated) in self.positive(line, typed, rng) {
                        let text = if typed && !text.contains("  ") {
                            self.cut_short(&levels, line, vec![text], rng).remove(0)
                        } else {
                            text
                        };
                        let (entries, line) = (entries.clone(), text);
                        examples.push(Example { entries, line, negated, enters: false, form });
                    }
                }
                let of = writing.line_of(line.settings[0]).unwrap_or(line);
                let alike = examples.last().and_then(|like| {
                    let words = self.alike(&levels, of.scope, line, rng)?;
                    let rest = like.line.strip_prefix(first_word(line)?)?;
                    Some(Example { line: format!("{words}{rest}"), ..like.clone() })
                });
                // One keyword twice may be another one cut short.
                let known = self.keywords(&levels);
                let is_clear = |text: &String| {
                    let last = text.rsplit(' ').next().unwrap_or_default();
                    known.iter().filter(|word| word.starts_with(last)).count() < 2
                };
                // Of a line that the kind of a value tells apart, a word of no kind says nothing.
                let is_choice = matches!(line.shares, Shares::One(_));
                let like = examples.last().filter(|_| !is_choice);
                let text = like.and_then(|like| slip(&like.line, rng));
                if let Some(text) = text.filter(is_clear) {
                    let like = examples.last().expect("there is one").clone();
                    examples.push(Example { line: text, ..like });
                }
                examples.extend(alike);
                form += 1;
            }
        }
        examples
    }

    /// The first word of a line cut short to what also begins another one in that scope; none:
    /// none begins alike.
    fn alike(
        &self,
        levels: &[usize],
        scope: Option<usize>,
        line: &Line,
        rng: &mut Rng,
    ) -> Option<String> {
        let own = first_word(line)?;
        let writings = self.components.iter().zip(levels);
        let lines = writings.flat_map(|(component, level)| &component.levels[*level].lines);
        let others = lines.filter(|other| other.scope == scope).filter_map(first_word);
        let both = |other: &str| {
            let alike = own.chars().zip(other.chars()).take_while(|(one, other)| one == other);
            alike.map(|(letter, _)| letter).collect::<String>()
        };
        let others = others.filter(|other| *other != own).map(both);
        let words: Vec<String> = others.filter(|both| !both.is_empty() && both != own).collect();
        (!words.is_empty()).then(|| rng.pick(&words).clone())
    }

    /// The scopes that can be entered at these levels.
    fn scopes_at(&self, levels: &[usize]) -> Vec<usize> {
        let entries = &self.components[0].levels[levels[0]].entries;
        (0..self.scopes.len()).filter(|scope| entries[*scope].is_some()).collect()
    }

    /// The line itself, with some values, each with the one that takes it away. `typed`: spelled
    /// as somebody may type it.
    fn positive(&self, line: &Line, typed: bool, rng: &mut Rng) -> Vec<(String, String)> {
        let states = match line.is_not {
            true => vec![State::Unset; line.settings.len()],
            false => self.some_states(line, rng),
        };
        let plain = line.text(&states).expect("this release says it");
        let lines = match typed {
            true => line.typed(&states, rng).expect("this release says it"),
            false => plain.clone(),
        };
        let negated = plain.iter().map(|text| line.negation(&self.settings, text));
        lines.into_iter().zip(negated.collect::<Vec<_>>()).collect()
    }

    /// Values that a line says of a setting. Of numbers some are, or are beside, the ends of what
    /// another level says.
    fn some_values(&self, line: &Line, setting: usize, rng: &mut Rng) -> Vec<Value> {
        let mut values = values(&self.settings, line, setting, rng);
        let levels = &self.components[self.settings[setting].component].levels;
        for (field, value) in values.iter_mut().enumerate() {
            let own = line.slot_of(setting, field);
            let (Value::Number(number), Some(own)) = (value, own) else { continue };
            if !rng.chance(NEAR_PERCENT) {
                continue;
            }
            let lines = levels.iter().filter_map(|level| level.line_of(setting));
            let slots = lines.filter_map(|line| line.slot_of(setting, field));
            let ends = slots.flat_map(|slot| {
                let (least, most) = slot.number.range;
                [least - 1, least, most, most + 1].map(|end| end * slot.number.per)
            });
            let said: Vec<i64> = ends.filter(|end| own.number.say(*end).is_ok()).collect();
            if !said.is_empty() {
                *number = *rng.pick(&said);
            }
        }
        values
    }

    /// States that a line says together: all that must be set are.
    fn some_states(&self, line: &Line, rng: &mut Rng) -> Vec<State> {
        let some = |setting: &usize, rng: &mut Rng| self.some_values(line, *setting, rng);
        match &line.shares {
            Shares::All => line.settings.iter().map(|of| State::Set(some(of, rng))).collect(),
            Shares::First => {
                let (first, rest) = line.settings.split_first().expect("a line has a setting");
                let first_values = some(first, rng);
                let keys = self.settings[*first].keys();
                let mut states = vec![State::Set(first_values.clone())];
                for setting in rest {
                    let mut values = some(setting, rng);
                    values.splice(..keys, first_values[..keys].to_vec());
                    let is_there = rng.chance(50);
                    states.push(if is_there { State::Set(values) } else { State::Unset });
                }
                states
            }
            Shares::One(_) => loop {
                let which = rng.below(line.settings.len());
                let mut states = vec![State::Unset; line.settings.len()];
                states[which] = State::Set(some(&line.settings[which], rng));
                if line.text(&states).is_ok() {
                    return states;
                }
            },
        }
    }

    /// The meaning of a unit that was told nothing.
    pub fn blank(&self) -> Meaning {
        Meaning::default()
    }

    /// A command of one line that the release does not refuse, and what it does.
    pub fn command(&self, release: usize, meaning: &mut Meaning, rng: &mut Rng) -> String {
        loop {
            let mut next = meaning.clone();
            let command = self.any_command(release, &mut next, rng);
            if !self.is_refused(&self.levels(release), meaning, &next) {
                *meaning = next;
                return command;
            }
        }
    }

    /// A command of one line, and what it would do if nothing refused it.
    fn any_command(&self, release: usize, meaning: &mut Meaning, rng: &mut Rng) -> String {
        let levels = self.levels(release);
        let ways = meaning.root.ways();
        match rng.below(100) {
            0..8 if ways.len() > 1 => {
                let way = &ways[1 + rng.below(ways.len() - 1)];
                let (last, around) = way.split_last().expect("not the root");
                meaning.root.enter(around).leave(last);
                self.placed(&levels, around, None, rng, |entry| format!("no {}", entry(last)))
            }
            8..30 if !self.scopes_at(&levels).is_empty() => {
                let scope = *rng.pick(&self.scopes_at(&levels));
                let way = self.way(&levels, scope, &ways, rng);
                meaning.root.enter(&way);
                let line = self.named(&levels, &way, meaning, rng);
                self.placed(&levels, &way, None, rng, |_| line)
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
                self.unset(&levels, meaning, &way, (said.setting, &said.key), rng)
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
        let writing = &self.components[component].levels[levels[component]];
        let edits = writing.aliases.iter().filter_map(|alias| match alias {
            Alias::Line { line, says: says @ (Says::Adds | Says::Takes) } => Some((line, *says)),
            Alias::Line { .. } | Alias::Entry { .. } => None,
        });
        let edits: Vec<(&Line, Says)> = edits.collect();
        let line = rng.pick(&writing.lines);
        let edit = rng.chance(20).then_some(edits).filter(|edits| !edits.is_empty());
        let edit = edit.map(|edits| *rng.pick(&edits));
        let line = edit.map_or(line, |(line, _)| line);
        let way = line.scope.map_or_else(Vec::new, |scope| self.way(levels, scope, ways, rng));
        let instance = meaning.root.enter(&way);
        self.under_roof(component, line, instance);
        let lines = match edit {
            Some((line, says)) => {
                let lines = self.edit_list(line, says, instance, rng);
                self.cut_short(levels, line, lines, rng)
            }
            None => {
                let settings = &self.settings;
                let off = line.settings.iter().all(|setting| settings[*setting].is_flag());
                let states = match &line.default {
                    Default::Neither if rng.chance(40) => {
                        let values = self.some_values(line, line.settings[0], rng);
                        vec![State::Not(values[..line.keys].to_vec())]
                    }
                    Default::Factory(all) if rng.chance(40) => {
                        vec![State::Not(rng.pick(all)[..line.keys].to_vec())]
                    }
                    _ if off && rng.chance(30) => vec![State::Unset; line.settings.len()],
                    _ => self.some_states(line, rng),
                };
                self.take_in(line, &states, instance);
                let said_by = self.other_words(writing, line, rng);
                let lines = said_by.text(&states).expect("this release says it");
                self.cut_short(levels, said_by, lines, rng)
            }
        };
        self.placed(levels, &way, self.roof(component, line), rng, |_| lines.join("\n"))
    }

    /// A line, or an alias of it.
    fn other_words<'a>(&self, writing: &'a Writing, line: &'a Line, rng: &mut Rng) -> &'a Line {
        let aliases = writing.aliases.iter().filter_map(|alias| match alias {
            Alias::Line { line: of, says: Says::Line } if of.settings == line.settings => Some(of),
            Alias::Line { .. } | Alias::Entry { .. } => None,
        });
        let all: Vec<&Line> = std::iter::once(line).chain(aliases).collect();
        all[rng.below(all.len())]
    }

    /// The lines, now and then with their first keywords cut short: to what begins no other keyword
    /// of the release.
    fn cut_short(
        &self,
        levels: &[usize],
        line: &Line,
        mut lines: Vec<String>,
        rng: &mut Rng,
    ) -> Vec<String> {
        if !rng.chance(CUT_PERCENT) {
            return lines;
        }
        let known = self.keywords(levels);
        let first = line.parts.iter().map_while(|part| match part {
            Part::Word(word) => Some(word),
            Part::Slot(_) | Part::Half { .. } => None,
        });
        let first: Vec<&String> = first.collect();
        let full = first.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
        let short: Vec<String> = first.iter().map(|word| shortest(&known, word)).collect();
        for line in &mut lines {
            let no = if line.starts_with("no ") { "no " } else { "" };
            let rest = line.strip_prefix(no).and_then(|line| line.strip_prefix(&*full));
            *line = format!("{no}{}{}", short.join(" "), rest.expect("a line begins so"));
        }
        lines
    }

    /// All words of a release that are no values.
    pub(crate) fn keywords(&self, levels: &[usize]) -> BTreeSet<String> {
        let mut words: BTreeSet<String> =
            ["no", "exit", "end", "quit"].into_iter().map(str::to_owned).collect();
        words.extend(self.names.iter().flatten().cloned());
        for (component, level) in self.components.iter().zip(levels) {
            let writing = &component.levels[*level];
            let modes = writing.entries.iter().chain(&writing.leaves);
            words.extend(modes.flatten().flatten().cloned());
            words.extend(component.roofs.iter().map(|roof| roof.words.clone()));
            let mut lines: Vec<&Line> = writing.lines.iter().collect();
            for alias in &writing.aliases {
                match alias {
                    Alias::Line { line, .. } => lines.push(line),
                    Alias::Entry { words: entry, .. } => words.extend(entry.iter().cloned()),
                }
            }
            for line in lines {
                words.extend(line.form(&self.settings).split(SEPARATORS).map(str::to_owned));
            }
        }
        words
    }

    /// Adds some values to a list, or takes some of it.
    fn edit_list(
        &self,
        line: &Line,
        says: Says,
        instance: &mut Instance,
        rng: &mut Rng,
    ) -> Vec<String> {
        let states = self.some_states(line, rng);
        let [State::Set(more)] = &*states else { unreachable!("a list is set") };
        let setting = line.settings[0];
        let key = &more[..self.settings[setting].keys()];
        let mut lines = line.text(&states).expect("this release says it");
        // The `no` of what adds takes, and the other way round.
        let is_turned = rng.chance(20);
        if is_turned {
            lines = lines.iter().map(|line| format!("no {line}")).collect();
        }
        let there = match instance.said(setting, key) {
            Some(State::Set(values)) => Some(values.clone()),
            Some(State::Unset | State::Not(_)) | None => None,
        };
        let adds = (says == Says::Adds) != is_turned;
        let values = match (there, adds) {
            (None, true) => Some(more.clone()),
            (None, false) => None,
            (Some(there), true) => Some(edited(there, more, with)),
            (Some(there), false) => Some(edited(there, more, without)).filter(|all| !is_empty(all)),
        };
        let state = values.map(|values| self.settings[setting].kept(State::Set(values)));
        instance.say(setting, key, state);
        lines
    }

    /// Takes a line away.
    fn unset(
        &self,
        levels: &[usize],
        meaning: &mut Meaning,
        way: &[Step],
        (setting, key): (usize, &[Value]),
        rng: &mut Rng,
    ) -> String {
        let component = self.settings[setting].component;
        let writing = &self.components[component].levels[levels[component]];
        let line = writing.line_of(setting).expect("what is said can be said");
        let instance = meaning.root.enter(way);
        let states: Vec<State> = crate::arrival::states(line, instance, key);
        let said_by = self.other_words(writing, line, rng);
        if let [State::Not(_)] = &*states {
            // It is there again.
            let state = match line.absent_of(key) {
                State::Unset => {
                    let mut values = self.some_values(line, setting, rng);
                    values.splice(..line.keys, key.to_vec());
                    State::Set(values)
                }
                state => state,
            };
            self.take_in(line, std::slice::from_ref(&state), instance);
            self.under_roof(component, line, instance);
            let lines = line.text(&[state]).expect("this release says it");
            let text = self.cut_short(levels, line, lines, rng).remove(0);
            return self.placed(levels, way, self.roof(component, line), rng, |_| text);
        }
        let lines = said_by.text(&states).expect("it is said");
        let at = rng.below(lines.len());
        for setting in &line.settings {
            let rest = match instance.said(*setting, key) {
                Some(State::Set(values)) if line.is_each => less_one(values, at),
                _ => None,
            };
            let rest = rest.map(State::Set).or_else(|| line.taken_away(key));
            instance.say(*setting, key, rest);
        }
        self.under_roof(component, line, instance);
        let text = said_by.negation(&self.settings, &lines[at]);
        let text = self.cut_short(levels, said_by, vec![text], rng).remove(0);
        self.placed(levels, way, self.roof(component, line), rng, |_| text)
    }

    fn roof(&self, component: usize, line: &Line) -> Option<&str> {
        line.roof.map(|roof| &*self.components[component].roofs[roof].words)
    }

    fn under_roof(&self, component: usize, line: &Line, instance: &mut Instance) {
        instance.entered.extend(line.roof.map(|roof| (component, roof)));
    }

    /// A line that gives an instance a name, or takes it away, where that is a line; else empty.
    fn named(
        &self,
        levels: &[usize],
        way: &[Step],
        meaning: &mut Meaning,
        rng: &mut Rng,
    ) -> String {
        let Some((scope, _)) = way.last().filter(|(scope, _)| self.leaf(levels, *scope).is_some())
        else {
            return String::new();
        };
        if rng.chance(20) {
            return String::new();
        }
        let line = self.some_name(levels, *scope, rng);
        let name = self.read_name(levels, way, &line).expect("it is a name");
        let is_no = rng.chance(15);
        meaning.root.call(way, if is_no { &Value::Absent } else { &name });
        if is_no { format!("no {line}") } else { line }
    }

    /// A line that gives an instance of a scope some name.
    fn some_name(&self, levels: &[usize], scope: usize, rng: &mut Rng) -> String {
        let step = (scope, self.name_in(scope, rng));
        self.line_of_name(levels, &step).expect("the name is a line")
    }

    /// Some name of an instance of a scope.
    fn name_in(&self, scope: usize, rng: &mut Rng) -> Value {
        match &self.scopes[scope].names {
            Kind::Word(count) => Value::Word(rng.below(*count)),
            other => Value::Text((*rng.pick(other.texts())).to_owned()),
        }
    }

    /// A way to an instance of a scope: one that is there, or a new one.
    fn way(&self, levels: &[usize], scope: usize, ways: &[Vec<Step>], rng: &mut Rng) -> Vec<Step> {
        let there: Vec<&Vec<Step>> =
            ways.iter().filter(|way| way.last().is_some_and(|(last, _)| *last == scope)).collect();
        if !there.is_empty() && rng.chance(60) {
            return (*rng.pick(&there)).clone();
        }
        let mut way = match self.scopes[scope].parent {
            Some(parent) => self.way(levels, parent, ways, rng),
            None => Vec::new(),
        };
        // There is one that has no name in its entry.
        if self.leaf(levels, scope).is_some() {
            let is_it = |there: &&Vec<Step>| {
                there.split_last().is_some_and(|(last, around)| last.0 == scope && around == way)
            };
            let none = [&*way, &[(scope, Value::Absent)]].concat();
            return ways.iter().find(is_it).cloned().unwrap_or(none);
        }
        way.push((scope, self.name_in(scope, rng)));
        way
    }

    /// A line in its place: the entries before it, and an `exit` for each after it.
    fn placed(
        &self,
        levels: &[usize],
        way: &[Step],
        roof: Option<&str>,
        rng: &mut Rng,
        line: impl FnOnce(&dyn Fn(&Step) -> String) -> String,
    ) -> String {
        let in_old_words = rng.chance(30);
        let cuts = rng.chance(CUT_PERCENT);
        let entry = |step: &Step| {
            let aliases = self.components[0].levels[levels[0]].aliases.iter();
            let mut words = aliases.filter_map(|alias| match alias {
                Alias::Entry { scope, words } if *scope == step.0 => Some(words),
                Alias::Entry { .. } | Alias::Line { .. } => None,
            });
            let own = self.components[0].levels[levels[0]].entries[step.0].as_ref();
            let words = words.next().filter(|_| in_old_words).or(own);
            let words = words.expect("this release enters it");
            let known = if cuts { self.keywords(levels) } else { BTreeSet::new() };
            let word = |word: &String| if cuts { shortest(&known, word) } else { word.clone() };
            let words: Vec<String> = words.iter().map(word).collect();
            match self.leaf(levels, step.0) {
                None => format!("{} {}", words.join(" "), self.name_of(step)),
                Some(_) => words.join(" "),
            }
        };
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

/// A line as somebody mistypes it: some release may take it so, or none. None: it holds a text,
/// which would take what follows it.
fn slip(line: &str, rng: &mut Rng) -> Option<String> {
    if line.contains(['"', '\n', '^']) {
        return None;
    }
    let mut words: Vec<String> = line.split_ascii_whitespace().map(str::to_owned).collect();
    let numbers = words.iter().enumerate().filter(|(_, word)| word.parse::<i64>().is_ok());
    let numbers: Vec<usize> = numbers.map(|(at, _)| at).collect();
    match rng.below(5) {
        0 => words.push("bogus".to_owned()),
        1 if words.len() > 1 => drop(words.pop()),
        2 => {
            let last = words.last()?.clone();
            words.push(last);
        }
        _ if !numbers.is_empty() => {
            let at = *rng.pick(&numbers);
            let number: i64 = words[at].parse().ok()?;
            let ends = [7, 9, 60, 255, 3600];
            let end = ends.into_iter().find(|end| *end >= number).unwrap_or(number);
            words[at] = (*rng.pick(&[end, end + 1, 0, number + 1])).to_string();
        }
        _ => *words.last_mut()? = "bogus".to_owned(),
    }
    Some(words.join(" "))
}

/// The keyword that a line begins with.
fn first_word(line: &Line) -> Option<&str> {
    match line.parts.first()? {
        Part::Word(word) => Some(word),
        Part::Slot(_) | Part::Half { .. } => None,
    }
}

/// The shortest beginning of a keyword that begins no other one.
fn shortest(known: &BTreeSet<String>, word: &str) -> String {
    let ends = word.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let mut short = ends.map(|end| &word[..end]);
    let is_own =
        |short: &&str| known.iter().all(|other| other == word || !other.starts_with(short));
    short.find(is_own).unwrap_or(word).to_owned()
}

/// Values of which the last is edited by that of others.
pub(crate) fn edited(
    mut there: Vec<Value>,
    more: &[Value],
    by: fn(&mut Value, &Value),
) -> Vec<Value> {
    by(there.last_mut().expect("a list"), more.last().expect("a list"));
    there
}

pub(crate) fn with(list: &mut Value, more: &Value) {
    match (list, more) {
        (Value::Several(all), Value::Several(more)) => {
            for value in more {
                if !all.contains(value) {
                    all.push(value.clone());
                }
            }
        }
        (Value::Numbers(all), Value::Numbers(more)) => all.extend(more),
        (list, more) => unreachable!("{list:?} and {more:?} are no lists"),
    }
}

pub(crate) fn without(list: &mut Value, less: &Value) {
    match (list, less) {
        (Value::Several(all), Value::Several(less)) => {
            // Of a value that is there twice, one is left.
            for value in less {
                if let Some(at) = all.iter().position(|other| other == value) {
                    all.remove(at);
                }
            }
        }
        (Value::Numbers(all), Value::Numbers(less)) => all.retain(|value| !less.contains(value)),
        (list, less) => unreachable!("{list:?} and {less:?} are no lists"),
    }
}

pub(crate) fn is_empty(values: &[Value]) -> bool {
    match values.last() {
        Some(Value::Several(all)) => all.is_empty(),
        Some(Value::Numbers(all)) => all.is_empty(),
        _ => false,
    }
}

/// Values of which the last is several, less one of these; none: it was the only one.
pub(crate) fn less_one(values: &[Value], at: usize) -> Option<Vec<Value>> {
    let mut values = values.to_vec();
    if let Some(Value::Several(all)) = values.last_mut() {
        all.remove(at);
    }
    Some(values).filter(|values| !is_empty(values))
}
