//! What must arrive, and what must be listed. A setting arrives if each level on the way can say
//! it. What a level cannot say is from then on what absence says there.

use std::collections::{BTreeMap, BTreeSet};

use crate::draw::Drawn;
use crate::meaning::{Instance, Item, Meaning, Said, Step};
use crate::setting::{List, State, Value};
use crate::writing::{Line, Writing};

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

impl Arrival {
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

/// The lines of a rendered config, entries too, in order.
pub fn document(text: &str) -> Vec<Place> {
    let mut path: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let words = line.trim_start();
        path.truncate(line.len() - words.len());
        if words != "exit" {
            lines.push((path.join(" / "), words.to_owned()));
            path.push(words);
        }
    }
    lines
}

impl Drawn {
    /// The config that says a meaning in a release.
    pub fn write(&self, release: usize, meaning: &Meaning) -> String {
        self.render(&self.levels(release), meaning)
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
        let mut gone = Vec::new();
        let sent = self.travel(&from, &wire, &meaning.root, &mut gone);
        // What travels and cannot be raised stays behind whole: with what shares a line with it.
        let mut less = Vec::new();
        let root = loop {
            let mut short = Vec::new();
            let root = self.travel(&wire, &to, &self.without(&sent, &less), &mut short);
            let before = less.len();
            less.extend(short.into_iter().filter(|one| !less.contains(one)).collect::<Vec<_>>());
            self.with_partners(&wire, &to, &sent, &mut less);
            if less.len() == before {
                break root;
            }
        };
        gone.extend(less);
        let listed = gone.iter().filter_map(|one| {
            let as_active = self.place_of(&from, &meaning.root, one, &gone)?;
            let travels = self.place_of(&wire, &sent, one, &gone);
            Some((as_active.clone(), travels.unwrap_or(as_active)))
        });
        let listed = listed.collect();
        let lists = self.lists(&to, &root);
        Arrival { text: self.render(&to, &Meaning { root }), lists, listed }
    }

    /// An instance less some settings.
    fn without(&self, root: &Instance, less: &[Gone]) -> Instance {
        let mut root = root.clone();
        for one in less {
            if let Gone::Setting { way, said } = one
                && root.at(way).is_some()
            {
                root.enter(way).say(said.setting, &said.key, None);
            }
        }
        root
    }

    /// An instance level by level.
    fn travel(
        &self,
        from: &[usize],
        to: &[usize],
        root: &Instance,
        gone: &mut Vec<Gone>,
    ) -> Instance {
        let mut root = root.clone();
        for component in 0..from.len() {
            let mut level = from[component];
            while level != to[component] {
                let next = if level > to[component] { level - 1 } else { level + 1 };
                root = self.step(component, level, next, &root, &[], gone);
                level = next;
            }
        }
        root
    }

    /// Adds what shares a line, at some level of the way up, with what does not go.
    fn with_partners(&self, from: &[usize], to: &[usize], root: &Instance, less: &mut Vec<Gone>) {
        for one in less.clone() {
            let Gone::Setting { way, said } = one else { continue };
            let component = self.settings[said.setting].component;
            let levels = &self.components[component].levels[from[component]..=to[component]];
            let lines = levels.iter().filter_map(|level| level.line_of(said.setting));
            for setting in lines.flat_map(|line| &line.settings) {
                let state = root.at(&way).and_then(|instance| instance.said(*setting, &said.key));
                let Some(state) = state else { continue };
                let said = Said { setting: *setting, state: state.clone(), ..said.clone() };
                let partner = Gone::Setting { way: way.clone(), said };
                if !less.contains(&partner) {
                    less.push(partner);
                }
            }
        }
    }

    /// One instance at the next level of a component.
    fn step(
        &self,
        component: usize,
        from: usize,
        to: usize,
        instance: &Instance,
        way: &[Step],
        gone: &mut Vec<Gone>,
    ) -> Instance {
        let history = &self.components[component];
        let (before, after) = (&history.levels[from], &history.levels[to]);
        let mut next = Instance::default();
        for (number, roof) in &instance.entered {
            if *number == component && history.roofs[*roof].since > to {
                gone.push(Gone::Roof { way: way.to_vec(), roof: (*number, *roof) });
            } else {
                next.entered.insert((*number, *roof));
            }
        }
        let scope = way.last().map(|(scope, _)| *scope);
        for line in &before.lines {
            let setting = line.settings[0];
            let is_here =
                self.settings[setting].scope == scope && self.settings[setting].keys() == 0;
            let Some(target) = after.line_of(setting).filter(|_| is_here) else {
                continue;
            };
            let absent = line.absent();
            if absent != target.absent() && instance.said(setting, &[]).is_none() {
                next.say(setting, &[], Some(absent));
            }
        }
        for item in &instance.items {
            match item {
                Item::Said(said) if self.settings[said.setting].component != component => {
                    next.items.push(item.clone());
                }
                Item::Said(said) => {
                    let target = after.line_of(said.setting);
                    let by_absence = target.is_some_and(|line| said.state == line.absent());
                    if !by_absence && !goes(before, after, instance, said) {
                        gone.push(Gone::Setting { way: way.to_vec(), said: said.clone() });
                        continue;
                    }
                    next.say(said.setting, &said.key, Some(said.state.clone()));
                }
                Item::Within { scope, name, instance } => {
                    let way = [way, &[(*scope, name.clone())]].concat();
                    if component == 0 && after.entries[*scope].is_none() {
                        all_gone(instance, &way, gone);
                        continue;
                    }
                    let instance = self.step(component, from, to, instance, &way, gone);
                    next.items.push(Item::Within { scope: *scope, name: name.clone(), instance });
                }
            }
        }
        next
    }

    /// The entry of an instance at these levels.
    pub(crate) fn entry(&self, levels: &[usize], step: &Step) -> Option<String> {
        let words = self.components[0].levels[levels[0]].entries[step.0].as_ref()?;
        Some(format!("{} {}", words.join(" "), self.name_of(step)))
    }

    /// The name of an instance as text.
    fn name_of(&self, (scope, name): &Step) -> String {
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

    fn place_of(
        &self,
        levels: &[usize],
        root: &Instance,
        gone: &Gone,
        less: &[Gone],
    ) -> Option<Place> {
        match gone {
            Gone::Instance { way } => {
                let mut path = self.path(levels, way)?;
                let line = path.pop().expect("an instance has an entry");
                Some((path.join(" / "), line))
            }
            Gone::Roof { way, roof: (component, roof) } => {
                let history = &self.components[*component];
                let roofed = |said: &&Said| {
                    let writing = &history.levels[levels[*component]];
                    let line = writing.line_of(said.setting);
                    self.settings[said.setting].component == *component
                        && line.is_some_and(|line| line.roof == Some(*roof))
                };
                let goes = |said: &Said| {
                    !less.contains(&Gone::Setting { way: way.clone(), said: said.clone() })
                };
                if root.at(way)?.all_said().filter(roofed).any(goes) {
                    return None;
                }
                let path = self.path(levels, way)?;
                Some((path.join(" / "), history.roofs[*roof].words.clone()))
            }
            Gone::Setting { way, said } => {
                let component = self.settings[said.setting].component;
                let line =
                    self.components[component].levels[levels[component]].line_of(said.setting)?;
                let mut path = self.path(levels, way)?;
                path.extend(
                    line.roof.map(|roof| self.components[component].roofs[roof].words.clone()),
                );
                let text = line.say(&states(line, root.at(way)?, &said.key)).ok()??;
                Some((path.join(" / "), text))
            }
        }
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
                    let entry = self.entry(levels, &(*scope, name.clone()));
                    let entry = entry.expect("an instance that is there can be entered");
                    nodes.push(Node::Within(entry, self.nodes(levels, instance, None)));
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
            let text = line.say(&states(line, instance, &said.key));
            let Some(text) = text.expect("what is said can be said") else {
                continue;
            };
            match line.roof {
                Some(roof) => {
                    let words = &self.components[setting.component].roofs[roof].words;
                    within(&mut nodes, words).push(Node::Line(text));
                }
                None => nodes.push(Node::Line(text)),
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

/// The states of the settings of a line.
pub(crate) fn states(line: &Line, instance: &Instance, key: &[Value]) -> Vec<State> {
    let state = |setting: &usize| instance.said(*setting, key).cloned();
    line.settings.iter().map(|setting| state(setting).unwrap_or_else(|| line.absent())).collect()
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
