//! Complements on a way: at which rung each is put back, as lines of the own image.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::complement::{ByWords, Complement, ComplementKey, Complements};
use super::ladder::Way;
use super::stage::Stage;
use super::touched::Touched;
use crate::config::render::{line_of, place_of};
use crate::config::{Config, EntryKind, Item, Line, LineKey, ListId, Place};
use crate::grammar::Sign;
use crate::ids::{ComponentId, FormId, Level};
use crate::image::{FormDecl, Grammar, Image};
use crate::transform::{Direction, GroupKey, Step, Tft};

/// The complements of which a way knows where they belong, by the rung.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Restores {
    orphans: BTreeMap<usize, Vec<Orphan>>,
    groups: BTreeMap<usize, Vec<LostGroup>>,
}

/// A line, or an instance, that is put back where it stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Orphan {
    of: ComplementKey,
    /// The instance around it that stands on the other side, too.
    stands: Place,
    at: Restored,
    order: Order,
    /// It was the first of an ordered list.
    leads: bool,
}

/// Where among its siblings it is put.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Order {
    First,
    Behind(Item),
    /// Behind what nobody knows any more.
    Last,
}

/// What is put back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Restored {
    Line(LineKey, Line),
    Place(Place),
}

/// A group that is put back whole, in the place of what was made of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct LostGroup {
    of: ComplementKey,
    /// Sorted.
    made: Vec<(LineKey, Line)>,
    /// Sorted.
    lost: Vec<(LineKey, Line)>,
}

/// What was put into a rung.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PutBack {
    pub(crate) lines: BTreeSet<LineKey>,
    pub(crate) places: BTreeSet<Place>,
}

/// Whether orphans may stand in the first rung of a way: of what comes from another unit they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstRung {
    Own,
    Received,
}

/// The levels of each rung of a way.
pub(crate) fn levels_of(way: &Way<'_>) -> Vec<Vec<Level>> {
    let mut levels = way.from.to_vec();
    let mut all = alloc::vec![levels.clone()];
    for stage in &way.stages {
        if let Stage::Step { step, .. } = stage {
            levels[usize::from(step.component.0)] = reached(*step);
        }
        all.push(levels.clone());
    }
    all
}

/// Whether a rung of a way, of these levels, has the words of a complement.
fn has_words_of(way: &Way<'_>, levels: &[Vec<Level>], at: usize, of: &ComplementKey) -> bool {
    component_of(way.image, &of.component).is_some_and(|component| {
        let level = levels[at][usize::from(component.0)];
        way.image.words_began(component, level) == of.level
            && (at == 0 || matches!(way.stages[at - 1], Stage::Step { .. }))
    })
}

/// Whether the words of a complement are those of a later rung of the Active's way: down to them
/// the Active puts it back, if it fits, and its peer does not.
pub(crate) fn is_put_down(way: &Way<'_>, levels: &[Vec<Level>], of: &ComplementKey) -> bool {
    let has_words = |at: usize| has_words_of(way, levels, at, of);
    !has_words(0) && (1..levels.len()).any(has_words)
}

/// The level of its component that a step comes to.
fn reached(step: Step) -> Level {
    match step.direction {
        Direction::Lower => Level(step.level.0.saturating_sub(1)),
        Direction::Raise => step.level,
    }
}

/// A line by its words, in a view.
pub(crate) fn read_line(
    image: &Image,
    grammar: &Grammar,
    line: &ByWords,
) -> Option<(LineKey, Line)> {
    let place = read_path(image, grammar, &line.path)?;
    line_of(image, grammar, &place, &line.line).ok()
}

/// Whether a line is the entry of an instance.
pub(crate) fn enters(image: &Image, key: &LineKey, line: &Line) -> bool {
    image.form(key.form).enters.is_some() && line.sign == Sign::Positive
}

/// An instance by its entries, in a view.
pub(crate) fn read_place(image: &Image, grammar: &Grammar, entry: &ByWords) -> Option<Place> {
    let around = read_path(image, grammar, &entry.path)?;
    let mut path: Vec<&str> = entry.path.iter().map(|entry| &**entry).collect();
    path.push(&entry.line);
    place_of(image, grammar, &path).ok().filter(|place| place.is_within(&around))
}

fn read_path(
    image: &Image,
    grammar: &Grammar,
    path: &[crate::digest::Shared<str>],
) -> Option<Place> {
    let path: Vec<&str> = path.iter().map(|entry| &**entry).collect();
    place_of(image, grammar, &path).ok()
}

/// The outermost `depth` instances of a place.
pub(crate) fn outer(place: &Place, depth: usize) -> Place {
    let instances = place.instances().iter().take(depth);
    instances.fold(Place::root(), |place, (form, words)| place.child(*form, words.clone()))
}

impl Restores {
    /// Where complements belong on `way`. What no rung of it has the words for stays out.
    pub(crate) fn compile(way: &Way<'_>, first: FirstRung, kept: &Complements) -> Self {
        let mut restores = Self::default();
        if kept.is_empty() {
            return restores;
        }
        let image = way.image;
        let levels = levels_of(way);
        let mut grammars: BTreeMap<usize, Grammar> = BTreeMap::new();
        let mut orphans: BTreeMap<usize, Vec<Orphan>> = BTreeMap::new();
        let is_due = |complement: &Complement| first == FirstRung::Own || complement.owed;
        for (of, complement) in kept.iter().filter(|(_, complement)| is_due(complement)) {
            let is_there = |at: usize| has_words_of(way, &levels, at, of);
            if first == FirstRung::Own && is_there(0) {
                continue;
            }
            let mut rungs = (0..levels.len()).filter(|at| is_there(*at));
            let mut read_by = |at: usize| {
                let grammar = grammars.entry(at);
                grammar.or_insert_with(|| image.grammar(&levels[at])).clone()
            };
            if complement.made.is_empty() {
                // The modes around it may come to their words later than it does.
                let found = rungs
                    .find_map(|at| Some((at, Orphan::read(image, &read_by(at), of, complement)?)));
                if let Some((at, orphan)) = found {
                    orphans.entry(at).or_default().push(orphan);
                }
            } else if let Some(stage) = rungs.next().and_then(|rung| rung.checked_sub(1)) {
                let grammars = [&read_by(stage), &read_by(stage + 1)];
                let group = LostGroup::read(image, grammars, of, complement);
                restores.groups.entry(stage).or_default().extend(group);
            }
        }
        for (rung, orphans) in orphans {
            restores.orphans.insert(rung, in_order(orphans));
        }
        restores
    }

    /// Whether it puts nothing back.
    pub(crate) fn is_empty(&self) -> bool {
        self.orphans.values().all(Vec::is_empty) && self.groups.values().all(Vec::is_empty)
    }

    /// Whether it puts groups back: other lines come in the place of those that stand there.
    pub(crate) fn has_groups(&self) -> bool {
        self.groups.values().any(|groups| !groups.is_empty())
    }

    /// The lines that a group of the rung which stage `stage` reads was made of, if it stands
    /// there as it was made; in the instances of that rung.
    pub(crate) fn lost(
        &self,
        stage: usize,
        tft: &Tft,
        (image, step): (&Image, Step),
        config: &Config,
        group: &GroupKey,
    ) -> Option<Vec<(LineKey, Line)>> {
        let groups = self.groups.get(&stage)?;
        let rule = tft.rule_of(group);
        let members = rule.members(image, step.direction.from(), config, group);
        let mut made: Vec<(LineKey, Line)> = members.iter().flatten().cloned().collect();
        made.sort();
        let found = groups.iter().find(|lost| lost.made == made)?;
        // The step may name the instances around them otherwise.
        let lost = found.lost.iter().map(|(key, line)| {
            let place = tft.renamed_from(image, step, config, &key.place)?;
            Some((LineKey { place, ..key.clone() }, line.clone()))
        });
        let lost: Vec<(LineKey, Line)> = lost.collect::<Option<_>>()?;
        let gives = rule.gives(image, step.direction.back(), config, group, &lost, &members);
        gives.then_some(lost)
    }

    /// Puts the orphans of a rung back, and says in `touched` where; what it put. A line that is
    /// `of_absence` alone gives way.
    pub(crate) fn put_back(
        &self,
        image: &Image,
        rung: usize,
        out: &mut Config,
        touched: &mut Touched,
        of_absence: &dyn Fn(&LineKey) -> bool,
    ) -> PutBack {
        let mut put = PutBack::default();
        for orphan in self.orphans.get(&rung).into_iter().flatten() {
            let stands = orphan.stands.is_root() || out.entry(&orphan.stands).is_some();
            let (around, item) = match &orphan.at {
                Restored::Line(key, _) => (Some(key.place.clone()), Some(Item::of_line(key))),
                Restored::Place(place) => (place.parent(), Item::of_place(place)),
            };
            let (Some(around), Some(item)) = (around, item) else { continue };
            let gives_way = match &orphan.at {
                Restored::Line(key, _) => out.line(key).is_none_or(|_| of_absence(key)),
                Restored::Place(place) => out.entry(place).is_none(),
            };
            if !stands || !gives_way {
                continue;
            }
            for place in around.and_ancestors() {
                if out.entry(&place).is_none() && !place.is_root() {
                    out.put_entry(image, &place, Some(EntryKind::Implied));
                    put.places.insert(place);
                }
            }
            match &orphan.at {
                Restored::Line(key, line) => {
                    // What gives way leaves it no place.
                    out.remove(image, key);
                    out.put(image, key, line.clone());
                    put.lines.insert(key.clone());
                }
                Restored::Place(place) => {
                    out.put_entry(image, place, Some(EntryKind::Entered));
                    put.places.insert(place.clone());
                }
            }
            match &orphan.order {
                Order::First => out.move_behind(image, &around, &item, None),
                Order::Behind(behind) if out.has(&around, behind) => {
                    out.move_behind(image, &around, &item, Some(behind))
                }
                Order::Behind(_) | Order::Last => false,
            };
            if let Restored::Line(key, _) = &orphan.at
                && orphan.leads
            {
                out.lead_list(image, key);
            }
        }
        touched.lines.extend(put.lines.iter().cloned());
        touched.places.extend(put.places.iter().cloned());
        put
    }

    /// The complements of which the rungs hold what was lost.
    pub(crate) fn realized<'a>(
        &'a self,
        rungs: &'a [Config],
    ) -> impl Iterator<Item = &'a ComplementKey> {
        let orphans =
            self.orphans.iter().flat_map(|(rung, all)| all.iter().map(move |of| (*rung, of)));
        let orphans = orphans.filter(|(rung, orphan)| match &orphan.at {
            Restored::Line(key, line) => rungs[*rung].line(key) == Some(line),
            Restored::Place(place) => rungs[*rung].entry(place).is_some(),
        });
        let groups =
            self.groups.iter().flat_map(|(stage, all)| all.iter().map(move |of| (*stage + 1, of)));
        let groups = groups.filter(|(rung, group)| {
            group.lost.iter().all(|(key, line)| rungs[*rung].line(key) == Some(line))
        });
        orphans.map(|(_, orphan)| &orphan.of).chain(groups.map(|(_, group)| &group.of))
    }

    /// The complements of single lines for whose key a rung has another line, each with the rung
    /// and that key.
    pub(crate) fn overtaken<'a>(
        &'a self,
        rungs: &'a [Config],
    ) -> impl Iterator<Item = (&'a ComplementKey, usize, &'a LineKey)> {
        let orphans =
            self.orphans.iter().flat_map(|(rung, all)| all.iter().map(move |of| (*rung, of)));
        orphans.filter_map(|(rung, orphan)| match &orphan.at {
            Restored::Line(key, line) => {
                let is_other = rungs[rung].line(key).is_some_and(|there| there != line);
                is_other.then_some((&orphan.of, rung, key))
            }
            Restored::Place(_) => None,
        })
    }
}

impl PutBack {
    /// Takes what was put back out of a config again.
    pub(crate) fn undo(&self, image: &Image, out: &mut Config) {
        for key in &self.lines {
            out.remove(image, key);
        }
        for place in self.places.iter().rev() {
            if out.is_empty_place(place) {
                out.put_entry(image, place, None);
            }
        }
    }
}

impl Orphan {
    fn read(
        image: &Image,
        grammar: &Grammar,
        of: &ComplementKey,
        complement: &Complement,
    ) -> Option<Self> {
        let line = &of.line;
        let (at, around) = match read_line(image, grammar, line)? {
            (key, read) if enters(image, &key, &read) => {
                let place = read_place(image, grammar, line)?;
                let around = place.parent()?;
                (Restored::Place(place), around)
            }
            (key, line) => {
                let around = key.place.clone();
                (Restored::Line(key, line), around)
            }
        };
        let list_of = |key: &LineKey, line: &Line| ListId::of(image, key.form, &line.words);
        let list = match &at {
            Restored::Line(key, line) => list_of(key, line),
            Restored::Place(_) => None,
        };
        let mut behind = None;
        let sibling = complement.behind.as_ref().and_then(|words| {
            let sibling = ByWords { path: line.path.clone(), line: words.clone() };
            let (key, line) = read_line(image, grammar, &sibling)?;
            behind = list_of(&key, &line);
            if enters(image, &key, &line) {
                return Item::of_place(&read_place(image, grammar, &sibling)?);
            }
            Some(Item::of_line(&key))
        });
        let order = match (&complement.behind, sibling) {
            (None, _) => Order::First,
            (Some(_), Some(sibling)) => Order::Behind(sibling),
            (Some(_), None) => Order::Last,
        };
        let stands = outer(&around, complement.stands.into());
        let leads = list.is_some() && list != behind;
        Some(Self { of: of.clone(), stands, at, order, leads })
    }

    fn place(&self) -> Place {
        match &self.at {
            Restored::Line(key, _) => key.place.clone(),
            Restored::Place(place) => place.parent().unwrap_or_default(),
        }
    }

    fn item(&self) -> Option<Item> {
        match &self.at {
            Restored::Line(key, _) => Some(Item::of_line(key)),
            Restored::Place(place) => Item::of_place(place),
        }
    }
}

/// Outer ones first, and what stands behind another after that.
fn in_order(mut orphans: Vec<Orphan>) -> Vec<Orphan> {
    orphans.sort_by_key(|orphan| orphan.place().instances().len());
    let mut left: BTreeMap<(Place, Item), Orphan> = BTreeMap::new();
    let mut order: Vec<(Place, Item)> = Vec::new();
    for orphan in orphans {
        if let Some(item) = orphan.item() {
            order.push((orphan.place(), item.clone()));
            // Of several of one key the first is put back.
            left.entry((orphan.place(), item)).or_insert(orphan);
        }
    }
    let mut sorted = Vec::new();
    for at in order {
        // From this one to the first of those that stand one behind the other.
        let mut chain = Vec::new();
        let mut next = Some(at);
        while let Some(orphan) = next.take().and_then(|at| left.remove(&at)) {
            if let Order::Behind(behind) = &orphan.order {
                next = Some((orphan.place(), behind.clone()));
            }
            chain.push(orphan);
        }
        sorted.extend(chain.into_iter().rev());
    }
    sorted
}

impl LostGroup {
    fn read(
        image: &Image,
        [below, above]: [&Grammar; 2],
        of: &ComplementKey,
        complement: &Complement,
    ) -> Option<Self> {
        let all = |grammar: &Grammar, lines: &[ByWords]| -> Option<Vec<(LineKey, Line)>> {
            let lines = lines.iter().map(|line| read_line(image, grammar, line));
            let mut lines: Vec<(LineKey, Line)> = lines.collect::<Option<_>>()?;
            lines.sort();
            Some(lines)
        };
        let (made, lost) = (all(below, &complement.made)?, all(above, &complement.lost)?);
        Some(Self { of: of.clone(), made, lost })
    }
}

/// Whether the words of a complement, read as a line of `form` at this level of its component, were
/// that at their own level, too.
pub(crate) fn is_in_words_of(
    image: &Image,
    of: &ComplementKey,
    form: FormId,
    levels: &[Level],
) -> bool {
    let decl = image.form(form);
    let level = levels[usize::from(decl.component.0)];
    if component_of(image, &of.component) != Some(decl.component) || of.level > level {
        return false;
    }
    // A form that is gone since may have taken them.
    let is_gone = |other: &FormDecl| other.lives_at(of.level) && !other.lives_at(level);
    let mut others = image.forms().filter(|(_, other)| other.mode == decl.mode);
    image.words_began(decl.component, level) == of.level
        || decl.lives_at(of.level) && !others.any(|(_, other)| is_gone(other))
}

/// The component of this name.
fn component_of(image: &Image, name: &str) -> Option<ComponentId> {
    let mut components = image.declarations().components.iter();
    components.position(|component| component.name == name).map(|at| ComponentId(at as u16))
}
