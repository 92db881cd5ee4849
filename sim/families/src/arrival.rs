//! What must arrive, and what must be listed. A setting arrives if each level on the way can say
//! it. What a level cannot say is from then on what absence says there.

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;

use crate::draw::Drawn;
use crate::meaning::{Instance, Item, Meaning, Said, Step};
use crate::read::with_more;
use crate::setting::{List, Scope, State, Value};
use crate::writing::{Line, Shares, Writing};

/// How each text up to a line that is `quit` begins.
const CERTIFICATE: &str = "\n  30820330";

/// A line with the entries around it, as text: (entries joined by ` / `, line).
pub type Place = (String, String);

/// What must be on the Standby, and what on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The config of the Standby.
    pub text: String,
    /// The ordered lists in it, each as its lines in order.
    pub lists: Vec<Vec<Place>>,
    /// What does not arrive: each as the Active writes it and, if another writing may be listed
    /// instead, as it travels.
    pub listed: BTreeSet<(Place, Place)>,
}

/// A step of one component to the next level, on the way to the level where it ends.
struct LevelStep {
    component: usize,
    starts: usize,
    from: usize,
    to: usize,
    ends: usize,
}

/// What ends on the way.
#[derive(Clone, Debug, Default)]
struct Lost {
    /// It is listed; each with the level at which it ends.
    gone: Vec<(Gone, usize)>,
    /// It need not go.
    cared_not: Vec<Gone>,
    /// What stayed behind before.
    held: Vec<Gone>,
}

/// Something that does not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gone {
    Setting { way: Vec<Step>, said: Said },
    Instance { way: Vec<Step> },
    Roof { way: Vec<Step>, roof: (usize, usize) },
}

/// A config as written: lines and places in order.
#[derive(Clone, Debug)]
enum Node {
    Line(String),
    Within(String, Vec<Self>),
}

/// How a Standby's config, and what is listed, are otherwise than they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Something that could arrive does not, and is listed.
    Listed(String),
    /// The Standby holds what was not meant, or lacks what is not listed.
    Wrong(String),
}

impl Arrival {
    /// The same as `differs`, by how grave it is; none: all is as it must be.
    pub fn otherwise(&self, config: &str, listed: &BTreeSet<Place>) -> Option<Otherwise> {
        let what = self.differs(config, listed)?;
        let lines = |text: &str| document(text).into_iter().collect::<BTreeSet<_>>();
        let (has, wants) = (lines(config), lines(&self.text));
        let is_of = |found: &Place| self.listed.iter().any(|(a, w)| a == found || w == found);
        let is_listed = |(a, w): &(Place, Place)| listed.contains(a) || listed.contains(w);
        let more_is_listed = listed.iter().any(|found| !is_of(found));
        let in_order = self.lists.iter().all(|list| {
            let found = document(config).into_iter().filter(|line| list.contains(line));
            let wanted = list.iter().filter(|line| has.contains(*line));
            found.collect::<Vec<_>>() == wanted.cloned().collect::<Vec<_>>()
        });
        let all_that_must = self.listed.iter().all(is_listed);
        let is_told = has.is_subset(&wants) && more_is_listed && all_that_must && in_order;
        Some(if is_told { Otherwise::Listed(what) } else { Otherwise::Wrong(what) })
    }

    /// What of a Standby's config, and of what is listed by either unit, is otherwise than it must
    /// be; none: nothing.
    pub fn differs(&self, config: &str, listed: &BTreeSet<Place>) -> Option<String> {
        let found = document(config);
        let lines = |places: &[Place]| places.iter().cloned().collect::<BTreeSet<_>>();
        let (has, wants) = (lines(&found), lines(&document(&self.text)));
        if has != wants {
            let extra: Vec<_> = has.difference(&wants).collect();
            let missing: Vec<_> = wants.difference(&has).collect();
            return Some(format!("it has {extra:?} and lacks {missing:?}; listed: {listed:?}"));
        }
        for list in &self.lists {
            let in_order: Vec<&Place> = found.iter().filter(|line| list.contains(line)).collect();
            if in_order != list.iter().collect::<Vec<_>>() {
                return Some(format!("its list {list:?} is {in_order:?}"));
            }
        }
        let is_of = |found: &Place| self.listed.iter().any(|(a, w)| a == found || w == found);
        if let Some(more) = listed.iter().find(|found| !is_of(found)) {
            return Some(format!("{more:?} is listed, and arrives"));
        }
        let is_listed = |(a, w): &&(Place, Place)| listed.contains(a) || listed.contains(w);
        let less = self.listed.iter().find(|each| !is_listed(each));
        less.map(|(place, _)| format!("{place:?} does not arrive, and is not listed"))
    }
}

/// The lines of a rendered config, entries too, in order. A text is a part of its line.
pub fn document(text: &str) -> Vec<Place> {
    let mut path: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for line in lines_of(text) {
        let words = line.trim_start_matches(' ');
        path.truncate(line.len() - words.len());
        if words != "exit" {
            lines.push((path.join(" / "), words.to_owned()));
            path.push(words);
        }
    }
    lines
}

/// The lines of a config of a drawn family, each with the text that it opens: up to the next `^C`,
/// or, where the next line looks like one of a certificate, up to a line that is `quit`.
pub(crate) fn lines_of(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.find('\n').unwrap_or(rest.len());
        let mut end = first;
        if let Some(opens) = rest[..first].find("^C") {
            let closes = rest[opens + 2..].find("^C");
            end = closes.map_or(rest.len(), |closes| opens + 2 + closes + 2);
        } else if rest[first..].starts_with(CERTIFICATE) {
            let mut lines = rest[first + 1..].split_inclusive('\n');
            let length: usize =
                lines.by_ref().take_while(|line| line.trim() != "quit").map(str::len).sum();
            let last = rest[first + 1 + length..].lines().next();
            end = first + 1 + length + last.map_or(0, str::len);
        }
        lines.push(&rest[..end]);
        rest = &rest[end..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    lines
}

impl Drawn {
    /// The config that says a meaning in a release.
    pub fn write(&self, release: usize, meaning: &Meaning) -> String {
        self.render(&self.levels(release), meaning)
    }

    /// The entries of modes without a name that were entered themselves: they stay when they are
    /// empty.
    pub fn entered(&self, release: usize, meaning: &Meaning) -> BTreeSet<Place> {
        let levels = self.levels(release);
        let of_way = |way: Vec<Step>| {
            let path = self.path(&levels, &way).unwrap_or_default().join(" / ");
            let roofs = meaning.root.at(&way).into_iter().flat_map(|at| &at.entered);
            let words = roofs.map(|(of, roof)| self.components[*of].roofs[*roof].words.clone());
            words.map(|words| (path.clone(), words)).collect::<Vec<_>>()
        };
        meaning.root.ways().into_iter().flat_map(of_way).collect()
    }

    fn render(&self, levels: &[usize], meaning: &Meaning) -> String {
        let mut text = String::new();
        render(&self.nodes(levels, &meaning.root, None), 0, &mut text);
        text
    }

    /// What must arrive on a Standby of release `standby`, and what must be listed.
    pub fn arrival(&self, active: usize, standby: usize, meaning: &Meaning) -> Arrival {
        let (from, to) = (self.levels(active), self.levels(standby));
        let wire: Vec<usize> = from.iter().zip(&to).map(|(one, other)| *one.min(other)).collect();
        let (sent, mut lost) = self.travel_whole(&from, &wire, &meaning.root);
        // What travels and cannot be raised stays behind.
        let (mut root, short) = self.travel_whole(&wire, &to, &sent);
        lost.gone.extend(short.gone);
        self.hold_refused(&to, &mut root, &mut lost);
        let all: Vec<&Gone> = lost.gone.iter().map(|(one, _)| one).chain(&lost.cared_not).collect();
        let listed = lost.gone.iter().flat_map(|(one, _)| {
            let as_active = self.places_of(&from, &meaning.root, one, &all);
            let travels = self.places_of(&wire, &sent, one, &all);
            pairs(as_active, travels)
        });
        let listed = listed.collect();
        let lists = self.lists(&to, &root);
        Arrival { text: self.render(&to, &Meaning { root }), lists, listed }
    }

    /// What the Standby refuses for what else is there stays behind, and with it what needs it.
    fn hold_refused(&self, levels: &[usize], root: &mut Instance, lost: &mut Lost) {
        loop {
            let refused = self.refused(levels, root);
            if refused.is_empty() {
                return;
            }
            for (way, said) in refused {
                root.enter(&way).say(said.setting, &said.key, None);
                let level = levels[self.settings[said.setting].component];
                lost.gone.push((Gone::Setting { way, said }, level));
            }
        }
    }

    /// What of an instance gets from these levels to those, and what does not. A line goes whole or
    /// not at all: with what does not go stays what shares a line with it somewhere on the way.
    fn travel_whole(&self, from: &[usize], to: &[usize], root: &Instance) -> (Instance, Lost) {
        let mut less: Vec<(Gone, usize)> = Vec::new();
        loop {
            let held = less.iter().map(|(one, _)| one.clone()).collect();
            let mut lost = Lost { held, ..Lost::default() };
            let given = self.without(from, root, &less);
            let arrived = self.travel(from, to, &given, &mut lost);
            let before = less.len();
            // An instance goes or not whatever lines do; and later it has less of them.
            let is_first = before == 0;
            let is_new = |(one, _): &(Gone, usize)| {
                let may_be_new = is_first || matches!(one, Gone::Setting { .. });
                may_be_new && less.iter().all(|(other, _)| other != one)
            };
            let more: Vec<(Gone, usize)> = lost.gone.extract_if(.., |one| is_new(one)).collect();
            less.extend(more);
            self.with_partners(from, root, &mut less);
            if less.len() == before {
                return (arrived, Lost { gone: less, ..lost });
            }
        }
    }

    /// An instance less some settings.
    fn without(&self, levels: &[usize], root: &Instance, less: &[(Gone, usize)]) -> Instance {
        let mut root = root.clone();
        for (one, _) in less {
            if let Gone::Setting { way, said } = one {
                for way in self.ways_of(levels, &root, way, said) {
                    let there = root.at(&way).and_then(|at| at.said(said.setting, &said.key));
                    let rest = there.and_then(|there| less_values(there, &said.state));
                    let is_each = self.line(levels, said.setting).is_some_and(|line| line.is_each);
                    let rest = rest.filter(|_| is_each);
                    root.enter(&way).say(said.setting, &said.key, rest);
                }
            }
        }
        root
    }

    /// Where these levels say what is said elsewhere at another: there is one place, or a copy in
    /// each instance.
    fn ways_of(
        &self,
        levels: &[usize],
        root: &Instance,
        way: &[Step],
        said: &Said,
    ) -> Vec<Vec<Step>> {
        let Some(line) = self.line(levels, said.setting) else { return Vec::new() };
        let around = self.around(line.scope, way);
        let ways = match around {
            Some(around) => vec![around.to_vec()],
            None => below(root, way, line.scope),
        };
        let says = |way: &Vec<Step>| {
            root.at(way).is_some_and(|at| at.said(said.setting, &said.key).is_some())
        };
        ways.into_iter().filter(says).collect()
    }

    /// The line that says a setting at these levels.
    fn line(&self, levels: &[usize], setting: usize) -> Option<&Line> {
        let component = self.settings[setting].component;
        self.components[component].levels[levels[component]].line_of(setting)
    }

    /// The instance of a scope that is this one, or lies around it.
    fn around<'a>(&self, scope: Option<usize>, way: &'a [Step]) -> Option<&'a [Step]> {
        let Some(scope) = scope else { return Some(&[]) };
        let at = way.iter().position(|(of, _)| *of == scope)?;
        Some(&way[..=at])
    }

    /// An instance level by level.
    fn travel(&self, from: &[usize], to: &[usize], root: &Instance, lost: &mut Lost) -> Instance {
        let mut root = root.clone();
        for component in 0..from.len() {
            let mut level = from[component];
            while level != to[component] {
                let next = if level > to[component] { level - 1 } else { level + 1 };
                let (starts, ends) = (from[component], to[component]);
                let step = LevelStep { component, starts, from: level, to: next, ends };
                let copied = self.copy(&step, &root, lost);
                root = self.step(&step, &copied, &[], lost);
                level = next;
            }
        }
        root
    }

    /// What one level says once and the next in each instance, or the other way round.
    fn copy(&self, step: &LevelStep, root: &Instance, lost: &mut Lost) -> Instance {
        let levels = &self.components[step.component].levels;
        let (before, after) = (&levels[step.from], &levels[step.to]);
        let mut next = root.clone();
        for line in &before.lines {
            let setting = line.settings[0];
            let Some(target) = after.line_of(setting).filter(|of| of.scope != line.scope) else {
                continue;
            };
            // What both say by being absent is no line of which there could be a copy.
            let is_silent =
                |said: &Said| said.state == line.absent() && said.state == target.absent();
            for way in root.ways() {
                let here = root.at(&way).expect("a way of its own");
                let is_here = |scope| way.last().map(|(scope, _)| *scope) == scope;
                let spreads = is_here(line.scope) && !is_around(&self.scopes, target.scope, line);
                let gathers = is_here(target.scope) && is_around(&self.scopes, target.scope, line);
                if spreads {
                    for said in here.all_said().filter(|said| said.setting == setting) {
                        next.enter(&way).say(setting, &said.key, None);
                        if is_silent(said) {
                            continue;
                        }
                        let copies = below(root, &way, target.scope);
                        if target.say(from_ref(&said.state)).is_err() || copies.is_empty() {
                            self.lose(step, line, &way, said, lost);
                        } else {
                            for copy in copies {
                                next.enter(&copy).say(setting, &said.key, Some(said.state.clone()));
                            }
                        }
                    }
                } else if gathers {
                    let copies = below(root, &way, line.scope);
                    let all: Vec<(Vec<Step>, Said)> = copies
                        .iter()
                        .flat_map(|copy| {
                            let said = root.at(copy).into_iter().flat_map(Instance::all_said);
                            let own = said.filter(|said| said.setting == setting);
                            own.map(|said| (copy.clone(), said.clone()))
                        })
                        .collect();
                    for (copy, said) in &all {
                        next.enter(copy).say(setting, &said.key, None);
                        if is_silent(said) {
                            continue;
                        }
                        let alike = all.iter().filter(|(_, other)| other == said).count();
                        if alike == copies.len() && target.say(from_ref(&said.state)).is_ok() {
                            next.enter(&way).say(setting, &said.key, Some(said.state.clone()));
                        } else {
                            self.lose(step, line, copy, said, lost);
                        }
                    }
                }
            }
        }
        next
    }

    /// A setting ends at a line.
    fn lose(&self, step: &LevelStep, line: &Line, way: &[Step], said: &Said, lost: &mut Lost) {
        let gone = Gone::Setting { way: way.to_vec(), said: said.clone() };
        if step.to < step.from && self.is_dont_care(step, line) {
            lost.cared_not.push(gone);
        } else {
            lost.gone.push((gone, step.from));
        }
    }

    /// Whether something else is said of a setting with so many equal values first. What goes no
    /// further up by itself was not sent.
    fn is_met(&self, step: &LevelStep, instance: &Instance, said: &Said, keys: usize) -> bool {
        let is_met = |other: &Said| {
            let is_same = other.setting == said.setting && other.key[..keys] == said.key[..keys];
            let is_there = step.to < step.from || self.is_sent(step, other);
            is_same && other.key != said.key && is_there
        };
        instance.all_said().any(is_met)
    }

    /// Whether each level from here up says it, by itself.
    fn is_sent(&self, step: &LevelStep, said: &Said) -> bool {
        let component = self.settings[said.setting].component;
        if component != step.component {
            return true;
        }
        let mut levels = self.components[component].levels[step.from..=step.ends].iter();
        let State::Set(values) = &said.state else { return true };
        let mut state = said.state.clone();
        let mut before: Option<&Line> = None;
        levels.all(|level| {
            let Some(line) = level.line_of(said.setting) else { return false };
            let was = before.replace(line);
            match (&line.shares, &*line.settings) {
                (_, [_]) => {
                    state = line.less(&state);
                    let is_same = was.is_none_or(|was| !line.says_otherwise(was, &state));
                    is_same && line.say(from_ref(&state)).is_ok()
                }
                (Shares::One(_), _) => true,
                // What it lacks may come.
                (Shares::All | Shares::First, _) => {
                    let mut own = line.slots().filter(|slot| slot.setting == said.setting);
                    own.all(|slot| slot.say(&values[slot.field]).is_ok())
                }
            }
        })
    }

    /// Whether a line of this form need not go to the peer.
    fn is_dont_care(&self, step: &LevelStep, line: &Line) -> bool {
        let levels = &self.components[step.component].levels;
        let mut named = levels.iter().flat_map(|level| &level.lines);
        named.any(|of| {
            of.dont_care.is_some_and(|below| step.ends + 1 < below)
                && (of.scope, of.roof) == (line.scope, line.roof)
                && of.form(&self.settings) == line.form(&self.settings)
        })
    }

    /// Adds what shares a line with what does not go, at some level of the way up to where that
    /// ends: other settings, and the rest of several values.
    fn with_partners(&self, from: &[usize], root: &Instance, less: &mut Vec<(Gone, usize)>) {
        for (one, at) in less.clone() {
            let Gone::Setting { way, said } = one else { continue };
            let component = self.settings[said.setting].component;
            let (first, last) = (at.min(from[component]), at.max(from[component]));
            let levels = &self.components[component].levels[first..=last];
            let lines = levels.iter().filter_map(|level| level.line_of(said.setting));
            let lines: Vec<&Line> = lines.collect();
            let mut settings: BTreeSet<usize> =
                lines.iter().flat_map(|line| line.settings.clone()).collect();
            if lines.iter().all(|line| line.is_each) {
                settings.remove(&said.setting);
            }
            for setting in settings {
                let said = Said { setting, ..said.clone() };
                for way in self.ways_of(from, root, &way, &said) {
                    let state = root.at(&way).and_then(|at| at.said(setting, &said.key));
                    let state = state.expect("it is said there").clone();
                    let partner = Gone::Setting { way, said: Said { state, ..said.clone() } };
                    if less.iter().all(|(other, _)| *other != partner) {
                        less.push((partner, at));
                    }
                }
            }
        }
    }

    /// One instance at the next level of a component.
    fn step(
        &self,
        step: &LevelStep,
        instance: &Instance,
        way: &[Step],
        lost: &mut Lost,
    ) -> Instance {
        let LevelStep { component, starts, from, to, .. } = *step;
        let history = &self.components[component];
        let (before, after) = (&history.levels[from], &history.levels[to]);
        let mut next = Instance::default();
        for (number, roof) in &instance.entered {
            if *number == component && history.roofs[*roof].since > to {
                let gone = Gone::Roof { way: way.to_vec(), roof: (*number, *roof) };
                lost.gone.push((gone, from));
            } else {
                next.entered.insert((*number, *roof));
            }
        }
        let scope = way.last().map(|(scope, _)| *scope);
        for line in &before.lines {
            let setting = line.settings[0];
            let is_here = line.scope == scope && self.settings[setting].keys() == 0;
            let Some(target) = after.line_of(setting).filter(|_| is_here) else {
                continue;
            };
            let absent = line.absent();
            // What came no further is not absent: it says nothing.
            let is_withheld = |gone: &Gone| {
                matches!(gone, Gone::Setting { way: of, said }
                    if *of == way && said.setting == setting)
            };
            let mut withheld = lost.gone.iter().map(|(one, _)| one).chain(&lost.held);
            // Nor is what could not be said at all.
            let mut passed = history.levels[starts.min(from)..=starts.max(from)].iter();
            let could_be_said = passed.all(|level| level.line_of(setting).is_some());
            if could_be_said
                && absent != target.absent()
                && instance.said(setting, &[]).is_none()
                && !withheld.any(is_withheld)
            {
                next.say(setting, &[], Some(absent));
            }
        }
        let all = &instance.items;
        for item in all {
            match item {
                Item::Said(said) if self.settings[said.setting].component != component => {
                    next.items.push(item.clone());
                }
                Item::Said(said) => {
                    let target = after.line_of(said.setting);
                    let by_absence = target.is_some_and(|line| line.says_by_absence(&said.state));
                    let source = before.line_of(said.setting);
                    // A copy was made of what goes.
                    let is_copied = match (source, target) {
                        (Some(source), Some(target)) => source.scope != target.scope,
                        (_, None) | (None, _) => false,
                    };
                    if let (Some(source), Some(target)) = (source, target)
                        && source.is_each
                        && target.is_each
                    {
                        let (goes, stays) = parted(target, &said.state);
                        for state in stays {
                            self.lose(step, source, way, &Said { state, ..said.clone() }, lost);
                        }
                        next.say(said.setting, &said.key, goes);
                        continue;
                    }
                    // Lines that would be one are stuck, all of them.
                    if let (Some(source), Some(target)) = (source, target)
                        && target.keys < source.keys
                        && self.is_met(step, instance, said, target.keys)
                    {
                        self.lose(step, source, way, said, lost);
                        continue;
                    }
                    let is_another = source
                        .zip(target)
                        .is_some_and(|(one, other)| one.says_otherwise(other, &said.state));
                    let goes = !is_another && goes(before, after, instance, said);
                    if !is_copied && !by_absence && !goes {
                        let line = source.expect("what is said can be said");
                        self.lose(step, line, way, said, lost);
                        continue;
                    }
                    let state =
                        target.map_or_else(|| said.state.clone(), |of| of.less(&said.state));
                    next.say(said.setting, &said.key, Some(state));
                }
                Item::Within { scope, name, instance } => {
                    let way = [way, &[(*scope, name.clone())]].concat();
                    let is_gone = component == 0 && after.entries[*scope].is_none();
                    let has_no_name =
                        component == 0 && after.leaves[*scope] != before.leaves[*scope] && {
                            // Of several none goes; nor does one without a name.
                            let is_it = |item: &&Item| match item {
                                Item::Within { scope: of, .. } => of == scope,
                                Item::Said(_) => false,
                            };
                            *name == Value::Absent || all.iter().filter(is_it).nth(1).is_some()
                        };
                    if is_gone || has_no_name {
                        let mut gone = Vec::new();
                        all_gone(instance, &way, &mut gone);
                        lost.gone.extend(gone.into_iter().map(|one| (one, from)));
                        continue;
                    }
                    let instance = self.step(step, instance, &way, lost);
                    next.items.push(Item::Within { scope: *scope, name: name.clone(), instance });
                }
            }
        }
        next
    }

    /// The entry of an instance at these levels.
    pub(crate) fn entry(&self, levels: &[usize], step: &Step) -> Option<String> {
        let words = self.components[0].levels[levels[0]].entries[step.0].as_ref()?.join(" ");
        match (self.leaf(levels, step.0), &step.1) {
            (Some(_), _) => Some(words),
            (None, Value::Absent) => None,
            (None, _) => Some(format!("{words} {}", self.name_of(step))),
        }
    }

    /// The words of the line in which the name of a scope's instance stands; none: it stands in
    /// the entry.
    pub(crate) fn leaf(&self, levels: &[usize], scope: usize) -> Option<&[String]> {
        self.components[0].levels[levels[0]].leaves[scope].as_deref()
    }

    /// The line in which the name of an instance stands at these levels; none: it stands in the
    /// entry, or there is none.
    pub(crate) fn line_of_name(&self, levels: &[usize], step: &Step) -> Option<String> {
        let words = self.leaf(levels, step.0).filter(|_| step.1 != Value::Absent)?;
        Some(format!("{} {}", words.join(" "), self.name_of(step)))
    }

    /// The name of an instance as text.
    pub(crate) fn name_of(&self, (scope, name): &Step) -> String {
        match name {
            Value::Text(text) => text.clone(),
            Value::Word(index) => self.names[*scope][*index].clone(),
            other => unreachable!("{other:?} is no name"),
        }
    }

    /// The entries of a way at these levels, joined.
    fn path(&self, levels: &[usize], way: &[Step]) -> Option<Vec<String>> {
        way.iter().map(|step| self.entry(levels, step)).collect()
    }

    /// Where these levels write what does not arrive, and how.
    fn places_of(
        &self,
        levels: &[usize],
        root: &Instance,
        gone: &Gone,
        less: &[&Gone],
    ) -> Vec<Place> {
        let place = match gone {
            Gone::Instance { way } => {
                let Some(mut path) = self.path(levels, way) else { return Vec::new() };
                let step = way.last().expect("an instance is not the root");
                let name = self.line_of_name(levels, step).map(|name| (path.join(" / "), name));
                let line = path.pop().expect("an instance has an entry");
                return [(path.join(" / "), line)].into_iter().chain(name).collect();
            }
            Gone::Roof { way, roof } => self.place_of_roof(levels, root, (way, *roof), less),
            Gone::Setting { way, said } => {
                let ways = self.ways_of(levels, root, way, said);
                let lines = ways.iter().flat_map(|way| self.lines_of(levels, root, way, said));
                return lines.collect();
            }
        };
        place.into_iter().collect()
    }

    /// A roof of which nothing goes.
    fn place_of_roof(
        &self,
        levels: &[usize],
        root: &Instance,
        (way, (component, roof)): (&[Step], (usize, usize)),
        less: &[&Gone],
    ) -> Option<Place> {
        let history = &self.components[component];
        let roofed = |said: &&Said| {
            let writing = &history.levels[levels[component]];
            let line = writing.line_of(said.setting);
            self.settings[said.setting].component == component
                && line.is_some_and(|line| line.roof == Some(roof))
        };
        let is_gone = |said: Said| {
            less.iter().any(|gone| match gone {
                Gone::Setting { way: at, said: of } if *of == said => {
                    at == way || self.ways_of(levels, root, at, of).iter().any(|at| at == way)
                }
                Gone::Setting { .. } | Gone::Instance { .. } | Gone::Roof { .. } => false,
            })
        };
        let goes = |said: &Said| {
            let line = self.line(levels, said.setting);
            let each = each(&said.state);
            let mut each = each.into_iter().map(|state| is_gone(Said { state, ..said.clone() }));
            let is_each = each.len() > 0 && line.is_some_and(|line| line.is_each);
            !(is_gone(said.clone()) || is_each && each.all(|is_gone| is_gone))
        };
        if root.at(way)?.all_said().filter(roofed).any(goes) {
            return None;
        }
        let path = self.path(levels, way)?;
        Some((path.join(" / "), history.roofs[roof].words.clone()))
    }

    /// The lines that say it in an instance.
    fn lines_of(&self, levels: &[usize], root: &Instance, way: &[Step], said: &Said) -> Vec<Place> {
        let component = self.settings[said.setting].component;
        let line = self.line(levels, said.setting);
        let (Some(line), Some(mut path)) = (line, self.path(levels, way)) else {
            return Vec::new();
        };
        path.extend(line.roof.map(|roof| self.components[component].roofs[roof].words.clone()));
        let instance = root.at(way).expect("what is said is said somewhere");
        // Of several lines it may be one.
        let states = match line.is_each {
            true => vec![said.state.clone()],
            false => states(line, instance, &said.key),
        };
        let lines = line.say(&states).unwrap_or_default();
        lines.into_iter().map(|line| (path.join(" / "), line)).collect()
    }

    /// The nodes of an instance. With `only`, the lines of one list alone.
    fn nodes(&self, levels: &[usize], instance: &Instance, only: Option<&str>) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        for (component, roof) in &instance.entered {
            within(&mut nodes, &self.components[*component].roofs[*roof].words);
        }
        let mut written: BTreeSet<(usize, Vec<Value>)> = BTreeSet::new();
        for item in &instance.items {
            let said = match item {
                Item::Said(said) => said,
                Item::Within { scope, name, instance } => {
                    let step = (*scope, name.clone());
                    let entry = self.entry(levels, &step);
                    let entry = entry.expect("an instance that is there can be entered");
                    let name = self.line_of_name(levels, &step).map(Node::Line);
                    let within = self.nodes(levels, instance, None);
                    nodes.push(Node::Within(entry, name.into_iter().chain(within).collect()));
                    continue;
                }
            };
            let setting = &self.settings[said.setting];
            let writing = &self.components[setting.component].levels[levels[setting.component]];
            let line = writing.line_of(said.setting).expect("what is said can be said");
            let key = said.key.clone();
            if only.is_some_and(|list| self.list_of(said).as_deref() != Some(list))
                || !written.insert((line.settings[0], key))
            {
                continue;
            }
            let lines = line.say(&states(line, instance, &said.key));
            let lines = lines.expect("what is said can be said").into_iter().map(Node::Line);
            match line.roof {
                Some(roof) if lines.len() > 0 => {
                    let words = &self.components[setting.component].roofs[roof].words;
                    within(&mut nodes, words).extend(lines);
                }
                Some(_) | None => nodes.extend(lines),
            }
        }
        nodes
    }

    /// The list in which it stands.
    fn list_of(&self, said: &Said) -> Option<String> {
        match self.settings[said.setting].list.as_ref()? {
            List::Own => Some(format!("own {}", said.setting)),
            List::Shared(name) => Some(format!("{name} {:?}", said.key[0])),
        }
    }

    /// The ordered lists of a meaning, as these levels write them.
    fn lists(&self, levels: &[usize], root: &Instance) -> Vec<Vec<Place>> {
        let mut lists = BTreeMap::new();
        for way in root.ways() {
            let instance = root.at(&way).expect("a way of its own");
            let path = self.path(levels, &way).expect("an instance that is there can be entered");
            for list in instance.all_said().filter_map(|said| self.list_of(said)) {
                let mut text = String::new();
                let alone = Instance {
                    items: instance
                        .items
                        .iter()
                        .filter(|i| matches!(i, Item::Said(_)))
                        .cloned()
                        .collect(),
                    ..Instance::default()
                };
                render(&self.nodes(levels, &alone, Some(&list)), 0, &mut text);
                let lines = document(&text).into_iter().map(|(within, line)| {
                    let mut path = path.clone();
                    path.extend((!within.is_empty()).then_some(within));
                    (path.join(" / "), line)
                });
                lists.insert((path.clone(), list), lines.collect());
            }
        }
        lists.into_values().collect()
    }
}

/// A state of each of several values; none: it has no such.
fn each(state: &State) -> Vec<State> {
    let State::Set(values) = state else {
        return Vec::new();
    };
    let Some((Value::Several(all), rest)) = values.split_last() else {
        return Vec::new();
    };
    let one = |value: &Value| State::Set([rest, &[Value::Several(vec![value.clone()])]].concat());
    all.iter().map(one).collect()
}

/// What of several values a line can say, each in a line of its own, and what it cannot.
fn parted(line: &Line, state: &State) -> (Option<State>, Vec<State>) {
    let (goes, stays): (Vec<State>, Vec<State>) =
        each(state).into_iter().partition(|one| line.say(from_ref(one)).is_ok());
    let goes = goes.into_iter().reduce(|all, one| match (all, one) {
        (State::Set(all), State::Set(one)) => State::Set(with_more(&all, &one)),
        (all, _) => all,
    });
    (goes, stays)
}

/// Several values less some of them; none: none is left, or it is one value.
fn less_values(there: &State, less: &State) -> Option<State> {
    let (State::Set(values), State::Set(less)) = (there, less) else {
        return None;
    };
    let (Some((Value::Several(all), rest)), Some(Value::Several(less))) =
        (values.split_last(), less.last())
    else {
        return None;
    };
    let left: Vec<Value> = all.iter().filter(|value| !less.contains(value)).cloned().collect();
    let is_left = !left.is_empty();
    is_left.then(|| State::Set([rest, &[Value::Several(left)]].concat()))
}

/// Whether a scope is around that of a line.
fn is_around(scopes: &[Scope], scope: Option<usize>, line: &Line) -> bool {
    let mut inner = line.scope;
    while inner != scope {
        let Some(at) = inner else { return false };
        inner = scopes[at].parent;
    }
    true
}

/// The ways from the root to the instances of a scope below one.
fn below(root: &Instance, way: &[Step], scope: Option<usize>) -> Vec<Vec<Step>> {
    let is_it = |below: &Vec<Step>| {
        below.starts_with(way) && below.last().map(|(scope, _)| *scope) == scope
    };
    root.ways().into_iter().filter(is_it).collect()
}

/// Each line as the Active writes it with the lines that travel for it.
fn pairs(as_active: Vec<Place>, travels: Vec<Place>) -> Vec<(Place, Place)> {
    if travels.is_empty() {
        return as_active.into_iter().map(|place| (place.clone(), place)).collect();
    }
    if as_active.len() == travels.len() {
        return as_active.into_iter().zip(travels).collect();
    }
    let one = |place: &Place| {
        travels.iter().map(|travels| (place.clone(), travels.clone())).collect::<Vec<_>>()
    };
    as_active.iter().flat_map(one).collect()
}

/// The states of the settings of a line.
pub(crate) fn states(line: &Line, instance: &Instance, key: &[Value]) -> Vec<State> {
    let state = |setting: &usize| instance.said(*setting, key).cloned();
    let absent = || line.absent_of(key);
    line.settings.iter().map(|setting| state(setting).unwrap_or_else(absent)).collect()
}

/// Whether the next level can say it, with all that a change takes together.
fn goes(before: &Writing, after: &Writing, instance: &Instance, said: &Said) -> bool {
    let mut group = vec![said.setting];
    loop {
        let lines = |writing: &Writing| {
            let touching = writing
                .lines
                .iter()
                .filter(|line| line.settings.iter().any(|setting| group.contains(setting)));
            touching.flat_map(|line| line.settings.clone()).collect::<Vec<_>>()
        };
        let mut all = [lines(before), lines(after)].concat();
        all.extend(&group);
        all.sort_unstable();
        all.dedup();
        if all.len() == group.len() {
            break;
        }
        group = all;
    }
    group.iter().all(|setting| {
        let source = before.line_of(*setting).expect("a group lives at both levels");
        after.line_of(*setting).is_some_and(|line| {
            let mut with = instance.clone();
            for setting in &line.settings {
                if with.said(*setting, &said.key).is_none() {
                    with.say(*setting, &said.key, Some(source.absent()));
                }
            }
            line.say(&states(line, &with, &said.key)).is_ok()
        })
    })
}

/// All of an instance that cannot be entered.
fn all_gone(instance: &Instance, way: &[Step], gone: &mut Vec<Gone>) {
    gone.push(Gone::Instance { way: way.to_vec() });
    let roofs = instance.entered.iter();
    gone.extend(roofs.map(|roof| Gone::Roof { way: way.to_vec(), roof: *roof }));
    for item in &instance.items {
        match item {
            Item::Said(said) => {
                gone.push(Gone::Setting { way: way.to_vec(), said: said.clone() });
            }
            Item::Within { scope, name, instance } => {
                all_gone(instance, &[way, &[(*scope, name.clone())]].concat(), gone);
            }
        }
    }
}

fn within<'a>(nodes: &'a mut Vec<Node>, entry: &str) -> &'a mut Vec<Node> {
    let is_it = |node: &Node| matches!(node, Node::Within(words, _) if words == entry);
    let at = nodes.iter().position(is_it).unwrap_or_else(|| {
        nodes.push(Node::Within(entry.to_owned(), Vec::new()));
        nodes.len() - 1
    });
    match &mut nodes[at] {
        Node::Within(_, nodes) => nodes,
        Node::Line(_) => unreachable!("a place was found or made there"),
    }
}

fn render(nodes: &[Node], depth: usize, text: &mut String) {
    let indent = " ".repeat(depth);
    for node in nodes {
        match node {
            Node::Line(line) => text.push_str(&format!("{indent}{line}\n")),
            Node::Within(entry, nodes) => {
                text.push_str(&format!("{indent}{entry}\n"));
                render(nodes, depth + 1, text);
                text.push_str(&format!("{indent} exit\n"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, line: &str) -> Place {
        (path.to_owned(), line.to_owned())
    }

    #[test]
    fn what_is_otherwise_is_found() {
        let text = "a\nb\nc 1\n d\n exit\n".to_owned();
        let lists = vec![vec![place("", "a"), place("", "b")]];
        let gone = (place("", "e"), place("", "f"));
        let arrival = Arrival { text, lists, listed: [gone].into() };
        let listed: BTreeSet<Place> = [place("", "f")].into();
        let found = |config: &str, listed: &BTreeSet<Place>| arrival.differs(config, listed);
        assert_eq!(found("c 1\n d\n exit\na\nb\n", &listed), None);
        assert!(found("b\na\nc 1\n d\n exit\n", &listed).expect("order").contains("its list"));
        assert!(found("a\nb\nc 1\n exit\n", &listed).expect("a line").contains("lacks"));
        let none = found(&arrival.text, &BTreeSet::new()).expect("a list");
        assert!(none.contains("is not listed"), "{none}");
        let more = [place("", "e"), place("", "a")].into();
        assert!(found(&arrival.text, &more).expect("a list").contains("arrives"));
    }
}
