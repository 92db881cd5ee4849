//! The files of a family, as a person would write them: of each level what is new, and of each
//! edit a change. A change comes of two writings; it does not ask which operator made them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::draw::Drawn;
use crate::refuse::Refusal;
use crate::setting::{Field, Kind, List, State, Value};
use crate::writing::{Alias, Default, Line, Says, Shares, Slot, Writing};

impl Drawn {
    /// The files of the family: (name, text).
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![("family.toml".to_owned(), self.table())];
        for (number, component) in self.components.iter().enumerate() {
            files.push((format!("{}.toml", component.name), self.component(number)));
        }
        files
    }

    fn table(&self) -> String {
        let names = self.components.iter().map(|component| quoted(component.name));
        let names: Vec<String> = names.collect();
        let mut text = format!("family     = {}\n", quoted(&self.name()));
        line(&mut text, format_args!("components = [{}]", names.join(", ")));
        for release in &self.releases {
            let levels = self.components.iter().zip(&release.levels);
            let levels = levels.map(|(of, level)| format!("{} = {}", of.name, level + 1));
            let levels: Vec<String> = levels.collect();
            line(&mut text, format_args!("\n[[release]]\nname   = {}", quoted(&release.name)));
            line(&mut text, format_args!("levels = {{ {} }}", levels.join(", ")));
        }
        text
    }

    fn component(&self, number: usize) -> String {
        let component = &self.components[number];
        let mut text = format!("component = {}\n", quoted(component.name));
        let first = &component.levels[0];
        for (scope, of) in self.scopes.iter().enumerate().filter(|_| number == 0) {
            let Some(enter) = self.enter(first, scope) else { continue };
            line(&mut text, format_args!("\n[[mode]]\nname   = {}", quoted(&mode_of(Some(scope)))));
            line(&mut text, format_args!("parent = {}", quoted(&mode_of(of.parent))));
            line(&mut text, format_args!("enter  = '{enter}'"));
            match self.leaf_form(first, scope) {
                None => line(&mut text, format_args!("key    = [\"i{scope}\"]")),
                Some(form) => {
                    let mode = quoted(&mode_of(Some(scope)));
                    line(&mut text, format_args!("\n[[command]]\nmode = {mode}\nform = '{form}'"));
                }
            }
        }
        for (at, roof) in component.roofs.iter().enumerate() {
            let name = quoted(&format!("{}-roof-{at}", component.name));
            line(&mut text, format_args!("\n[[mode]]\nname   = {name}"));
            line(&mut text, format_args!("parent = {}", quoted(&mode_of(roof.scope))));
            line(&mut text, format_args!("enter  = '[no] {}'", roof.words));
            line(&mut text, format_args!("since  = {}", roof.since + 1));
        }
        for of in &first.lines {
            line(
                &mut text,
                format_args!("\n[[command]]\nmode = {}", quoted(&self.mode(number, of))),
            );
            line(&mut text, format_args!("form = '{}'", of.form(&self.settings)));
            text.push_str(&self.attributes(of));
        }
        for level in 1..component.levels.len() {
            self.changes(number, level, &mut text);
        }
        self.dont_cares(number, &mut text);
        self.aliases(number, &mut text);
        for refusal in &component.refusals {
            self.refusal(number, refusal, &mut text);
        }
        text
    }

    /// Forms that need not go to every peer.
    fn dont_cares(&self, component: usize, text: &mut String) {
        for (level, writing) in self.components[component].levels.iter().enumerate() {
            for of in writing.lines.iter().filter(|of| of.dont_care == Some(level + 1)) {
                let mode = quoted(&self.mode(component, of));
                line(text, format_args!("\n[[dont_care]]\nmode   = {mode}"));
                line(text, format_args!("form   = '{}'", of.form(&self.settings)));
                line(text, format_args!("facing = \"below {}\"", level + 1));
                line(text, format_args!("reason = \"older systems have nothing of the kind\""));
            }
        }
    }

    /// Each alias with the levels at which it is read.
    fn aliases(&self, component: usize, text: &mut String) {
        let levels = &self.components[component].levels;
        for (since, writing) in levels.iter().enumerate() {
            let is_there = |level: usize, alias: &Alias| levels[level].aliases.contains(alias);
            let begins = |alias: &&Alias| since == 0 || !is_there(since - 1, alias);
            for alias in writing.aliases.iter().filter(begins) {
                let until = (since..levels.len()).find(|level| !is_there(*level, alias));
                self.alias(component, (since, until), alias, text);
            }
        }
    }

    /// A refusal, once for all levels at which its lines are called alike.
    fn refusal(&self, number: usize, refusal: &Refusal, text: &mut String) {
        let component = &self.components[number];
        let called = |level: usize| {
            let writing = component.levels.get(level).filter(|_| refusal.holds_at(level))?;
            let form = |of: usize| {
                let line = writing.line_of(of)?;
                let form = line.form(&self.settings);
                let form = form.strip_prefix("[no] ")?;
                if !refusal.is_of_key {
                    return Some(form.to_owned());
                }
                let key = |of: usize| format!("${}", self.settings[of].fields[0].name);
                Some(form.replace(&key(of), &key(refusal.second)))
            };
            Some([form(refusal.first)?, form(refusal.second)?])
        };
        let mut since = 0;
        while since < component.levels.len() {
            let is_same = |level: &usize| called(*level) == called(since);
            let until = (since..).find(|level| *level == component.levels.len() || !is_same(level));
            let until = until.expect("the levels end");
            if let Some([first, second]) = called(since) {
                let line_of = component.levels[since].line_of(refusal.second);
                let mode = line_of.map(|line| self.mode(number, line)).unwrap_or_default();
                line(text, format_args!("\n[[refuse]]\nmode = {}", quoted(&mode)));
                if refusal.needs {
                    line(text, format_args!("line = '{second}'\nwithout = '{first}'"));
                    line(text, format_args!("why = \"it needs the other\""));
                } else {
                    line(text, format_args!("lines = [\n  '{first}',\n  '{second}',\n]"));
                    line(text, format_args!("why = \"not both\""));
                }
                if since > 0 {
                    line(text, format_args!("since = {}", since + 1));
                }
                if until < component.levels.len() {
                    line(text, format_args!("until = {}", until + 1));
                }
            }
            since = until;
        }
    }

    fn alias(
        &self,
        component: usize,
        (since, until): (usize, Option<usize>),
        alias: &Alias,
        text: &mut String,
    ) {
        let writing = &self.components[component].levels[since];
        let (form, mode, reads, list) = match alias {
            Alias::Line { line, says } => {
                let of = writing.line_of(line.settings[0]).expect("an alias is of a line");
                let last = of.slots().last().map(|slot| self.field_name(slot));
                let list = match says {
                    Says::Line => None,
                    Says::Adds => Some(("adds", last.expect("a list"))),
                    Says::Takes => Some(("takes", last.expect("a list"))),
                };
                let form = line.form(&self.settings);
                (form, self.mode(component, of), of.form(&self.settings), list)
            }
            Alias::Entry { scope, words } => {
                let reads = self.enter(writing, *scope).expect("an alias is of an entry");
                let form = self.enter_by(words, *scope);
                (form, mode_of(self.scopes[*scope].parent), reads, None)
            }
        };
        let form = form.strip_prefix("[no] ").expect("each form has its no");
        line(text, format_args!("\n[[alias]]\nform  = '{form}'"));
        line(text, format_args!("reads = [{{ mode = {}, form = '{reads}' }}]", quoted(&mode)));
        if let Some((what, name)) = list {
            line(text, format_args!("{what:5} = {}", quoted(&name)));
        }
        line(text, format_args!("since = {}", since + 1));
        if let Some(until) = until {
            line(text, format_args!("until = {}", until + 1));
        }
    }

    /// The form that enters a scope.
    fn enter(&self, writing: &Writing, scope: usize) -> Option<String> {
        let words = writing.entries[scope].as_ref()?;
        Some(match writing.leaves[scope] {
            None => self.enter_by(words, scope),
            Some(_) => format!("[no] {}", words.join(" ")),
        })
    }

    /// The form of the line in which the name of an instance stands.
    fn leaf_form(&self, writing: &Writing, scope: usize) -> Option<String> {
        writing.entries[scope].as_ref()?;
        Some(self.enter_by(writing.leaves[scope].as_ref()?, scope))
    }

    /// The form that enters a scope by these words.
    fn enter_by(&self, words: &[String], scope: usize) -> String {
        let words = words.join(" ");
        let token = match &self.scopes[scope].names {
            Kind::Word(_) => format!("<{}>", self.names[scope].join("|")),
            other => other.placeholder().to_owned(),
        };
        format!("[no] {words} {token}$i{scope}")
    }

    fn mode(&self, component: usize, of: &Line) -> String {
        match of.roof {
            Some(roof) => format!("{}-roof-{roof}", self.components[component].name),
            None => mode_of(of.scope),
        }
    }

    /// Key, list and default of a line.
    fn attributes(&self, of: &Line) -> String {
        let mut text = String::new();
        let setting = &self.settings[of.settings[0]];
        let of_each = |field: &&Field| of.is_each && matches!(field.kind, Kind::Several(_));
        let (keys, rest) = setting.fields.split_at(of.keys);
        let keys = keys.iter().chain(rest.iter().filter(of_each));
        let keys: Vec<&str> = keys.map(|field| &*field.name).collect();
        if !keys.is_empty() {
            let quoted: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
            line(&mut text, format_args!("key = [{}]", quoted.join(", ")));
        }
        // Several values in one line are no lines of a list.
        let is_list = of.is_each
            || !setting.fields.iter().any(|field| matches!(field.kind, Kind::Several(_)));
        match setting.list.as_ref().filter(|_| is_list) {
            Some(List::Own) => text.push_str("ordered = true\n"),
            Some(List::Shared(name)) => {
                line(&mut text, format_args!("list = \"{name} ${}\"", keys[0]));
            }
            None => {}
        }
        if setting.is_set() && !of.is_each {
            let last = setting.fields.last().expect("several values");
            line(&mut text, format_args!("set = [{}]", quoted(&last.name)));
        }
        if of.revision > 0 {
            line(&mut text, format_args!("revision = {}", of.revision));
        }
        match &of.default {
            Default::Off => text.push_str(&self.unsaid(of)),
            Default::Line => text.push_str("default = {}\n"),
            Default::Values(values) => {
                let said = of.slots().map(|slot| {
                    let said = slot.say(&values[slot.field]).expect("a default can be said");
                    (self.field_name(slot), said)
                });
                line(&mut text, format_args!("default = {}", table(said.collect())));
            }
            Default::Neither => {
                text.push_str(&self.unsaid(of));
                text.push_str("no = \"state\"\n");
            }
            Default::Factory(all) => {
                text.push_str(&self.unsaid(of));
                let said = all.iter().map(|values| {
                    let said = of.text(&[State::Set(values.clone())]);
                    format!("'{}'", said.expect("a factory says it").join(""))
                });
                let said: Vec<String> = said.collect();
                line(&mut text, format_args!("factory = [{}]", said.join(", ")));
            }
        }
        text
    }

    /// What a line says by leaving values out.
    fn unsaid(&self, of: &Line) -> String {
        let mut text = String::new();
        let unsaid = of.slots().filter_map(|slot| Some((slot, slot.unsaid.as_ref()?)));
        let said = unsaid.map(|(slot, value)| {
            let said = slot.bare().say(value).expect("what is left out can be said");
            (self.field_name(slot), said)
        });
        let said: Vec<(String, String)> = said.collect();
        if !said.is_empty() {
            line(&mut text, format_args!("default = {}", table(said)));
        }
        text
    }

    fn field_name(&self, slot: &Slot) -> String {
        self.settings[slot.setting].fields[slot.field].name.clone()
    }

    /// What a person declares of one level.
    fn changes(&self, component: usize, level: usize, text: &mut String) {
        let levels = &self.components[component].levels;
        let (before, after) = (&levels[level - 1], &levels[level]);
        for scope in 0..after.entries.len() {
            if let (Some(old), None) = (self.enter(before, scope), self.enter(after, scope)) {
                let mode = mode_of(self.scopes[scope].parent);
                head(text, level, "nobody enters it");
                line(text, format_args!("old = [{{ mode = \"{mode}\", form = '{old}' }}]"));
                if let Some(name) = self.leaf_form(before, scope) {
                    let mode = mode_of(Some(scope));
                    head(text, level, "nobody needs it");
                    line(text, format_args!("old = [{{ mode = \"{mode}\", form = '{name}' }}]"));
                }
            }
            if let (Some(old), Some(new)) = (self.enter(before, scope), self.enter(after, scope))
                && old != new
            {
                let mode = mode_of(self.scopes[scope].parent);
                let names = [before, after].map(|writing| self.leaf_form(writing, scope));
                let is_one = names[0].is_some() != names[1].is_some();
                head(
                    text,
                    level,
                    match &names {
                        [None, Some(_)] => "there is one, and its name is a line in it",
                        [Some(_), None] => "there may be several, each with its name",
                        _ => "a mode is called otherwise",
                    },
                );
                for ((side, enter), name) in [("old", old), ("new", new)].into_iter().zip(names) {
                    let inner = mode_of(Some(scope));
                    let name = name
                        .filter(|_| is_one)
                        .map(|name| format!(",\n       {{ mode = \"{inner}\", form = '{name}' }}"));
                    let name = name.unwrap_or_default();
                    let enter = format!("{{ mode = \"{mode}\", form = '{enter}' }}");
                    line(text, format_args!("{side} = [{enter}{name}]"));
                }
            }
        }
        let is_new = |of: &&Line| !before.lines.contains(of);
        let mut done: Vec<usize> = Vec::new();
        for line in after.lines.iter().filter(is_new) {
            if line.settings.iter().any(|setting| done.contains(setting)) {
                continue;
            }
            let touches = |other: &&Line| other.settings.iter().any(|s| line.settings.contains(s));
            let old: Vec<&Line> = before.lines.iter().filter(touches).collect();
            let of_old = |new: &&Line| {
                let mut settings = old.iter().flat_map(|old| &old.settings);
                settings.any(|setting| new.settings.contains(setting))
            };
            let mut new: Vec<&Line> = after.lines.iter().filter(of_old).collect();
            if new.is_empty() {
                new.push(line);
            }
            done.extend(new.iter().flat_map(|line| &line.settings));
            self.change(component, level, (&old, &new), text);
        }
        for old in &before.lines {
            if old.settings.iter().all(|setting| after.line_of(*setting).is_none()) {
                self.change(component, level, (&[old], &[]), text);
            }
        }
    }

    fn change(
        &self,
        component: usize,
        level: usize,
        (old, new): (&[&Line], &[&Line]),
        text: &mut String,
    ) {
        let keys = |side: &[&Line]| side.first().map(|line| line.keys);
        let lost = |side: &[&Line]| side.first().map(|line| line.lost.len());
        let revision = |side: &[&Line]| side.first().map(|line| line.revision);
        let why = match (old.len(), new.len()) {
            (0, _) => "it is new",
            (_, 0) => "nobody needs it",
            (1, 1) if keys(old) < keys(new) => "there may be several of it",
            (1, 1) if keys(old) > keys(new) => "there is one of it",
            (1, 1) if lost(old) > lost(new) => "it says more",
            (1, 1) if lost(old) < lost(new) => "nobody needs all of it",
            (1, 1) if revision(old) != revision(new) => "the same words mean something else",
            (1, 1) => "it is said otherwise",
            (1, _) => "each has a line of its own",
            _ => "they belong on one line",
        };
        head(text, level, why);
        for (name, side, other) in [("old", old, new), ("new", new, old)] {
            if side.is_empty() {
                continue;
            }
            let lines = side.iter().map(|of| {
                let (mode, form) = (self.mode(component, of), of.form(&self.settings));
                let more = self.said_of(of, other, name == "new");
                format!("{{ mode = \"{mode}\", form = '{form}'{more} }}")
            });
            line(text, format_args!("{name} = [{}]", lines.collect::<Vec<_>>().join(",\n       ")));
            let is_one = other.iter().any(|of| matches!(of.shares, Shares::One(_)));
            if is_one && side.len() > 1 {
                line(text, format_args!("one = {}", quoted(name)));
            }
        }
        if let Some(first) = new.first() {
            text.push_str(&self.attributes(first));
        }
        self.values(old, new, text);
    }

    /// What is to be said of a line of one side, facing the other.
    fn said_of(&self, of: &Line, other: &[&Line], is_new: bool) -> String {
        let mut more = String::new();
        let same = other.iter().find(|other| other.settings == of.settings);
        if is_new && same.is_some_and(|same| same.is_not != of.is_not) {
            more.push_str(", not = true");
        }
        let halves = other.iter().filter(|other| other.settings.len() > of.settings.len());
        let mut halves = halves.flat_map(|other| other.halves());
        if let Some((_, flag)) = halves.find(|(half, _)| *half == of.settings[0]) {
            let optional = flag.map_or_else(|| "true".to_owned(), quoted);
            more.push_str(&format!(", optional = {optional}"));
        }
        let Some(same) = same else { return more };
        if of.is_each && !same.is_each {
            let last = of.slots().last().expect("several values");
            more.push_str(&format!(", each = {}", quoted(&self.field_name(last))));
        }
        if let Some(scope) = of.scope.filter(|_| self.is_below(of.scope, same.scope)) {
            more.push_str(&format!(", each = \"i{scope}\""));
        }
        more
    }

    /// Whether a scope lies in another one.
    fn is_below(&self, scope: Option<usize>, around: Option<usize>) -> bool {
        let Some(at) = scope else { return false };
        let parent = self.scopes[at].parent;
        scope != around && (parent == around || self.is_below(parent, around))
    }

    /// Maps, scales, and what has no counterpart.
    fn values(&self, old: &[&Line], new: &[&Line], text: &mut String) {
        let (mut maps, mut scales, mut partial) = (Vec::new(), Vec::new(), Vec::new());
        let is_paired = matches!((old, new), ([old], [new]) if old.is_paired(new));
        for slot in old.iter().flat_map(|line| line.slots()) {
            let mut slots = new.iter().flat_map(|line| line.slots());
            let same = |new: &&Slot| (new.setting, new.field) == (slot.setting, slot.field);
            let Some(now) = slots.find(same) else { continue };
            let name = self.field_name(slot);
            let mut map = BTreeMap::new();
            for (was, is) in slot.words.iter().zip(&now.words) {
                match (was, is) {
                    (Some(was), Some(is)) if was != is || is_paired => {
                        map.insert(was.clone(), is.clone());
                    }
                    (Some(_), None) | (None, Some(_)) => partial.push(name.clone()),
                    (Some(_), Some(_)) | (None, None) => {}
                }
            }
            if slot.number.per == now.number.per {
                for at in 0..slot.number.names.len().max(now.number.names.len()) as i64 {
                    let value = Value::Number((slot.number.range.0 + at) * slot.number.per);
                    let said = |slot: &Slot| slot.bare().say(&value);
                    if let (Ok(was), Ok(is)) = (said(slot), said(now))
                        && was != is
                    {
                        map.insert(was, is);
                    }
                }
            } else {
                scales.push((name.clone(), ratio(slot.number.per, now.number.per)));
            }
            // What a word that stays comes to beside other values is for these to say.
            let stays = |(was, is): (&Option<String>, &Option<String>)| was.is_some() && was == is;
            let is_revised = old.iter().zip(new).any(|(old, new)| old.revision != new.revision);
            if is_revised && !map.is_empty() && !is_paired {
                let mut words = slot.words.iter().zip(&now.words);
                partial.extend(words.any(stays).then(|| name.clone()));
            }
            if !map.is_empty() {
                let pairs = map.into_iter().map(|(was, is)| format!("{was} = {}", quoted(&is)));
                maps.push((name, format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))));
            }
        }
        partial.dedup();
        let implied: Vec<(String, String)> = new
            .iter()
            .flat_map(|line| line.implied.iter().map(|implied| (line.settings[0], implied)))
            .filter_map(|(setting, (field, value))| {
                let mut slots = old.iter().flat_map(|line| line.slots());
                let slot = slots.find(|slot| (slot.setting, slot.field) == (setting, *field))?;
                Some((self.field_name(slot), slot.bare().say(value).expect("it was said before")))
            })
            .collect();
        let loses = self.losses(old, new);
        let raw = |pairs: Vec<(String, String)>| {
            let pairs = pairs.into_iter().map(|(name, value)| format!("{name} = {value}"));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        };
        if !maps.is_empty() {
            line(text, format_args!("map = {}", raw(maps)));
        }
        if !scales.is_empty() {
            line(text, format_args!("scale = {}", raw(scales)));
        }
        if !implied.is_empty() {
            let quoted = |(name, value): (String, String)| (name, quoted(&value));
            let implied = implied.into_iter().map(quoted).collect();
            line(text, format_args!("implied = {}", raw(implied)));
        }
        if !loses.is_empty() {
            line(text, format_args!("loses = {}", raw(loses)));
        }
        if !partial.is_empty() {
            let names: Vec<String> = partial.iter().map(|name| quoted(name)).collect();
            line(text, format_args!("partial = [{}]", names.join(", ")));
        }
    }
}

impl Drawn {
    /// What one side has no place for, with what stands for it.
    fn losses(&self, old: &[&Line], new: &[&Line]) -> Vec<(String, String)> {
        let mut losses = Vec::new();
        for (side, other) in [(old, new), (new, old)] {
            for of in side {
                for (field, value) in &of.lost {
                    let slots = other.iter().find_map(|with| with.slot_of(of.settings[0], *field));
                    let Some(slot) = slots else { continue };
                    let is_named = self.settings[slot.setting].fields[*field].is_named;
                    let name = match is_named {
                        true => self.field_name(slot),
                        false => quoted(&slot.form(&self.settings, false)),
                    };
                    let said = Slot { lead: None, ..slot.bare() }.say(value);
                    losses.push((name, quoted(&said.expect("what stands for it can be said"))));
                }
            }
        }
        losses
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("a string takes all");
}

fn head(text: &mut String, level: usize, why: &str) {
    line(text, format_args!("\n[[change]]\nlevel = {}\nwhy = {}", level + 1, quoted(why)));
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// The mode of a scope.
fn mode_of(scope: Option<usize>) -> String {
    scope.map_or_else(|| "config".to_owned(), |scope| format!("scope-{scope}"))
}

/// An inline table; what is a number stands without quotes.
fn table(pairs: Vec<(String, String)>) -> String {
    let value = |word: &String| {
        if word.parse::<i64>().is_ok() { word.clone() } else { quoted(word) }
    };
    let pairs = pairs.iter().map(|(name, word)| format!("{name} = {}", value(word)));
    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
}

/// So many times as large is the new number.
fn ratio(old: i64, new: i64) -> String {
    let (mut one, mut other) = (old, new);
    while other != 0 {
        (one, other) = (other, one % other);
    }
    match (old / one, new / one) {
        (times, 1) => times.to_string(),
        (times, over) => format!("\"{times}/{over}\""),
    }
}
