//! The reference translation: what W and S of a config are, and which lines cannot go, stated a second
//! time. It uses grammar, image, parse and config, and nothing of transform, disposition or translate.
//!
//! Whole configs, one change at a time in the family's one order, down to the minima of both images' levels,
//! then up. A change is applied wherever its side matches, never because a parser refused; W is read by the
//! peer's parser at the end. Of images without history a line goes if and only if the peer's parser reads it
//! as the corresponding form.

mod change;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use skewsync::base::{FormId, Level};
use skewsync::config::{Config, Entry, Line, LineKey};
use skewsync::grammar::{Words, split_words};
use skewsync::image::{DontCare, FormDecl, Grammar, Image};
use skewsync::parse::{self, Place};

use change::{Change, Going};

/// What a config of the Active comes to at the Standby.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The wire config, in the Active's forms.
    pub wire: Config,
    /// The Standby's config.
    pub standby: Config,
    /// The lines and the mode instances that cannot go: the MCL. By words: the entry lines of the
    /// instances around, joined by ` / `, and the line.
    pub listed: BTreeSet<(String, String)>,
    /// What becomes of each line of the Active's config.
    pub lines: Vec<Fared>,
}

/// What becomes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// Where it stands, as in `listed`.
    pub path: String,
    /// The line.
    pub line: String,
    /// What becomes of it.
    pub way: Way,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is in these lines of the Standby's config.
    Goes(Vec<LineKey>),
    /// It need not go.
    DontCare,
    /// It cannot go, or not all of it.
    Listed,
}

/// One line of a config on its way, in the forms of one image.
#[derive(Clone, Debug)]
struct Carried {
    place: Place,
    form: FormId,
    words: Words,
    /// The lines that it was made of, by number.
    from: Vec<usize>,
}

/// A config between two changes.
#[derive(Clone, Debug, Default)]
struct Rung {
    levels: Vec<Level>,
    /// The lines; those of an ordered list in their order.
    lines: Vec<Carried>,
    /// The instances that were entered, each where it stands now; none: nowhere.
    entered: Vec<(usize, Option<Place>)>,
    /// Lines that came no further.
    ends: Vec<Carried>,
}

/// The translation between the units of two images.
#[derive(Debug)]
pub struct Reference<'a> {
    active: &'a Image,
    standby: &'a Image,
    /// The levels of W, by the Active's components; none for images that share no history.
    wire: Option<Vec<Level>>,
    /// The same by the Standby's.
    wire_there: Vec<Level>,
    grammar: Grammar,
    down: Vec<Change>,
    up: Vec<Change>,
}

impl<'a> Reference<'a> {
    /// The translation from an Active of the one image to a Standby of the other.
    pub fn of(active: &'a Image, standby: &'a Image) -> Self {
        let (here, there) = (active.declarations(), standby.declarations());
        let one_family = !here.imported && !there.imported && here.family == there.family;
        let minima = |own: &Image, peer: &Image| -> Vec<Level> {
            let level = |name: &str| {
                let of = peer.declarations().components.iter();
                of.filter(|component| component.name == name)
                    .map(|component| component.level)
                    .next()
                    .unwrap_or(0)
            };
            let own = own.declarations().components.iter();
            own.map(|component| Level(component.level.min(level(&component.name))))
                .collect()
        };
        let between = |image: &Image, wire: &[Level]| -> Vec<Change> {
            let mut changes = Change::all(image);
            changes.retain(|change| {
                let (component, level) = change.makes();
                wire[component].0 < level && level <= image.levels()[component].0
            });
            changes
        };
        if !one_family {
            return Self {
                active,
                standby,
                wire: None,
                wire_there: standby.levels().to_vec(),
                grammar: standby.own().clone(),
                down: Vec::new(),
                up: Vec::new(),
            };
        }
        let wire = minima(active, standby);
        let wire_there = minima(standby, active);
        Self {
            active,
            standby,
            grammar: standby.grammar(&wire_there),
            down: between(active, &wire),
            up: between(standby, &wire_there),
            wire: Some(wire),
            wire_there,
        }
    }

    /// What `a` comes to.
    pub fn translate(&self, a: &Config) -> Translated {
        let given = Rung::of(self.active, a);
        if self.active.digest() == self.standby.digest() {
            return self.same(a, given);
        }
        let mut rung = given.clone();
        for change in self.down.iter().rev() {
            change.apply(self.active, Going::Down, &mut rung);
        }
        // What comes no further at the Standby is not sent.
        let mut unread = Unread::default();
        let (there, up) = loop {
            let there = self.read_by_peer(&rung, &mut unread);
            let mut up = there.clone();
            for change in &self.up {
                change.apply(self.standby, Going::Up, &mut up);
            }
            if up.ends.is_empty() {
                break (there, up);
            }
            for line in &up.ends {
                unread.lines.extend(line.from.iter().copied());
            }
        };
        let sent = |number: &usize| !unread.lines.contains(number);
        let (sent_lines, held): (Vec<_>, Vec<_>) = rung
            .lines
            .into_iter()
            .enumerate()
            .partition(|(number, _)| sent(number));
        let held = held.into_iter().map(|(_, line)| line);
        let ends: Vec<Carried> = rung.ends.into_iter().chain(held).collect();
        let made_of: BTreeMap<usize, Vec<usize>> = sent_lines
            .iter()
            .map(|(number, line)| (*number, line.from.clone()))
            .collect();
        let stands: BTreeSet<usize> = there.entered.iter().map(|(number, _)| *number).collect();
        let w = Rung {
            levels: self.wire.clone().unwrap_or_else(|| a.levels().to_vec()),
            lines: sent_lines.into_iter().map(|(_, line)| line).collect(),
            entered: rung
                .entered
                .into_iter()
                .filter(|(number, _)| stands.contains(number))
                .collect(),
            ends: Vec::new(),
        };
        let (lines, listed) = self.fares(&given, &ends, &up, &made_of, &stands);
        Translated {
            wire: w.config(self.active),
            standby: up.config(self.standby),
            listed,
            lines,
        }
    }

    /// Between equal images everything goes as it is.
    fn same(&self, a: &Config, given: Rung) -> Translated {
        let lines = given.lines.iter().map(|line| Fared {
            path: path(&line.place),
            line: line.words.text().to_string(),
            way: Way::Goes(vec![line.key(self.active)]),
        });
        Translated {
            lines: lines.collect(),
            wire: a.clone(),
            standby: a.clone(),
            listed: BTreeSet::new(),
        }
    }

    /// W as the peer reads it. Each line says by number of which line of `rung` it is.
    fn read_by_peer(&self, rung: &Rung, unread: &mut Unread) -> Rung {
        let mut there = Rung {
            levels: self.wire_there.clone(),
            ..Rung::default()
        };
        for (number, line) in rung.lines.iter().enumerate() {
            if unread.lines.contains(&number) {
                continue;
            }
            let read = self.place_at_peer(&line.place, unread).and_then(|place| {
                let (form, words) = self.at_peer(&place, line.form, &line.words)?;
                Some((place, form, words))
            });
            match read {
                Some((place, form, words)) => there.lines.push(Carried {
                    place,
                    form,
                    words,
                    from: vec![number],
                }),
                None => {
                    unread.lines.insert(number);
                }
            }
        }
        for (number, place) in &rung.entered {
            let place = place.as_ref();
            if let Some(place) = place.and_then(|place| self.place_at_peer(place, unread)) {
                there.entered.push((*number, Some(place)));
            }
        }
        there
    }

    /// Where the peer stands after these entry lines.
    fn place_at_peer(&self, place: &Place, unread: &mut Unread) -> Option<Place> {
        if let Some(known) = unread.places.get(place) {
            return known.clone();
        }
        let read = || {
            let mut at = Place::root();
            for (form, words) in place.instances() {
                let (form, words) = self.at_peer(&at, *form, words)?;
                at = at.child(form, words);
            }
            let same_mode = self.standby.mode_name(at.mode(self.standby))
                == self.active.mode_name(place.mode(self.active));
            same_mode.then_some(at)
        };
        let read = read();
        unread.places.insert(place.clone(), read.clone());
        read
    }

    /// The line as the peer's parser reads it, if it reads the corresponding form, word for word.
    fn at_peer(&self, at: &Place, form: FormId, words: &Words) -> Option<(FormId, Words)> {
        let given: Vec<&str> = split_words(words.text()).collect();
        let mode = at.mode(self.standby);
        let (found, read) = parse::words(self.standby, &self.grammar, mode, &given).ok()?;
        // Without history, the corresponding form is the one that reads the very same words.
        let corresponds =
            self.wire.is_none() || self.active.form(form).form == self.standby.form(found).form;
        (corresponds && read.text() == words.text()).then_some((found, read))
    }

    /// What became of each line, and what is listed.
    fn fares(
        &self,
        given: &Rung,
        ends: &[Carried],
        up: &Rung,
        made_of: &BTreeMap<usize, Vec<usize>>,
        stands: &BTreeSet<usize>,
    ) -> (Vec<Fared>, BTreeSet<(String, String)>) {
        let cares_not = self.cares_not();
        let mut goes: Vec<Vec<LineKey>> = vec![Vec::new(); given.lines.len()];
        for line in &up.lines {
            let sources = line.from.iter().flat_map(|number| &made_of[number]);
            for source in sources {
                goes[*source].push(line.key(self.standby));
            }
        }
        let mut ended: Vec<Option<Way>> = vec![None; given.lines.len()];
        for end in ends {
            for source in &end.from {
                let line = &given.lines[*source];
                let free = cares_not(end.form) || cares_not(line.form);
                if !free || ended[*source].is_none() {
                    ended[*source] = Some(if free { Way::DontCare } else { Way::Listed });
                }
            }
        }
        let mut listed = BTreeSet::new();
        let mut lines = Vec::new();
        let mut full: Vec<&Place> = Vec::new();
        for ((line, goes), ended) in given.lines.iter().zip(goes).zip(ended) {
            if !goes.is_empty() {
                full.push(&line.place);
            }
            let fared = Fared {
                path: path(&line.place),
                line: line.words.text().to_string(),
                way: ended.unwrap_or(Way::Goes(goes)),
            };
            if fared.way == Way::Listed {
                listed.insert((fared.path.clone(), fared.line.clone()));
            }
            lines.push(fared);
        }
        for (number, place) in &given.entered {
            let place = place
                .as_ref()
                .expect("an instance stands where it is given");
            let told = full.iter().any(|inner| inner.is_within(place));
            let ((entry, words), around) = place
                .instances()
                .split_last()
                .expect("the root is no instance");
            if !stands.contains(number) && !told && !cares_not(*entry) {
                listed.insert((joined(around), words.text().to_string()));
            }
        }
        (lines, listed)
    }

    /// Whether lines of a form need not go: a don't-care entry of either image names it, facing the other.
    fn cares_not(&self) -> impl Fn(FormId) -> bool + use<'_, 'a> {
        let holding = |own: &'a Image, peer: &Image| -> Vec<&'a DontCare> {
            let level = |component: u16| {
                let name = &own.declarations().components[usize::from(component)].name;
                let mut of = peer.declarations().components.iter();
                of.find(|component| component.name == *name)
                    .map_or(0, |component| component.level)
            };
            let below = |entry: &&DontCare| {
                let facing = level(entry.component);
                entry.facing_below.is_none_or(|below| facing < below)
            };
            own.declarations().dont_cares.iter().filter(below).collect()
        };
        let mut entries = holding(self.active, self.standby);
        entries.extend(holding(self.standby, self.active));
        move |form| {
            let decl: &FormDecl = self.active.form(form);
            let mode = self.active.mode_name(decl.mode);
            entries.iter().any(|entry| {
                entry.mode == mode
                    && skewsync::grammar::Form::parse(&entry.form)
                        .is_ok_and(|form| form == decl.form)
            })
        }
    }
}

/// What of W is not sent, and what of its places is known.
#[derive(Default)]
struct Unread {
    lines: BTreeSet<usize>,
    places: BTreeMap<Place, Option<Place>>,
}

impl Carried {
    fn key(&self, image: &Image) -> LineKey {
        Line::of(image, self.place.clone(), self.form, self.words.clone()).0
    }
}

impl Rung {
    /// A config as it is given.
    fn of(image: &Image, config: &Config) -> Self {
        let mut rung = Self {
            levels: config.levels().to_vec(),
            ..Self::default()
        };
        let mut listed: Option<(Place, FormId)> = None;
        let mut put = |key: &LineKey| {
            let words = config
                .line(key)
                .expect("a line of the config")
                .words
                .clone();
            rung.lines.push(Carried {
                place: key.place.clone(),
                form: key.form,
                words,
                from: vec![rung.lines.len()],
            });
        };
        for (key, _) in config.lines() {
            if !image.form(key.form).ordered {
                put(key);
                continue;
            }
            let list = (key.place.clone(), key.form);
            if listed.as_ref() != Some(&list) {
                config.list(&list.0, list.1).iter().for_each(&mut put);
                listed = Some(list);
            }
        }
        let entered = config
            .entries()
            .filter(|(_, entry)| *entry == Entry::Entered);
        let numbered = entered.map(|(place, _)| Some(place.clone())).enumerate();
        rung.entered = numbered.collect();
        rung
    }

    /// The config that this is: instances that were entered, and those in which lines stand.
    fn config(&self, image: &Image) -> Config {
        let mut config = Config::factory(&self.levels);
        for (_, place) in &self.entered {
            for place in place.iter().flat_map(Place::and_ancestors) {
                config.put_entry(&place, Some(Entry::Entered));
            }
        }
        for line in &self.lines {
            for place in line.place.and_ancestors() {
                if config.entry(&place).is_none() {
                    config.put_entry(&place, Some(Entry::Implied));
                }
            }
            let (key, line) = Line::of(image, line.place.clone(), line.form, line.words.clone());
            config.put(image, &key, line);
        }
        config
    }
}

fn path(place: &Place) -> String {
    joined(place.instances())
}

/// Entry lines, joined.
fn joined(instances: &[(FormId, Words)]) -> String {
    let words: Vec<&str> = instances.iter().map(|(_, words)| words.text()).collect();
    words.join(" / ")
}
