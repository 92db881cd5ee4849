//! What is put back of a config, stated a second time: orphans where they stood, and groups that
//! lost something whole, in the place of what was made of them.

use std::collections::BTreeSet;

use skewsync::config::{Line, LineKey, ListId};
use skewsync::grammar::{Sign, Words, split_words};
use skewsync::ids::{FormId, Level};
use skewsync::image::{Grammar, Image};
use skewsync::parse::{self, Place};
use skewsync::translate::complement::{ByWords, Complement, ComplementKey, Complements};

use super::{At, Carried, Entered, Rung};

/// A line, or an entry, as an image reads it.
pub(super) type Read = (Place, FormId, Words);

/// The complements in the words of a component at a level.
pub(super) fn in_words_of<'k>(
    kept: &'k Complements,
    image: &Image,
    (component, level): (usize, Level),
) -> Vec<(&'k ComplementKey, &'k Complement)> {
    let name = &image.declarations().components[component].name;
    let level = began(image, component, level);
    let is_of =
        |(key, _): &(&ComplementKey, &Complement)| *key.component == **name && key.level == level;
    kept.iter().filter(is_of).collect()
}

/// The level of the change that made the words of a component at a level; if none did, its first.
fn began(image: &Image, component: usize, level: Level) -> Level {
    let changes = image.declarations().changes.iter();
    let of = changes.filter(|change| usize::from(change.component) == component);
    let before = of.map(|change| Level(change.level)).filter(|made| *made <= level);
    before.max().unwrap_or_else(|| level.min(Level(1)))
}

/// What a view reads.
pub(super) fn read(image: &Image, grammar: &Grammar, line: &ByWords) -> Option<Read> {
    let words = |place: &Place, words: &str| {
        let given: Vec<&str> = split_words(words).collect();
        parse::words(image, grammar, place.mode(image), &given).ok()
    };
    let mut place = Place::root();
    for entry in &line.path {
        let (form, entry) = words(&place, entry)?;
        image.form(form).enters.filter(|_| entry.sign() == Sign::Positive)?;
        place = place.child(form, entry);
    }
    let (form, line) = words(&place, &line.line)?;
    Some((place, form, line))
}

/// What a line that was read is in its place.
fn item(image: &Image, (place, form, words): Read) -> Item {
    if image.form(form).enters.is_some() && words.sign() == Sign::Positive {
        return Item::Instance(place.child(form, words));
    }
    Item::Line(Line::new(image, place, form, words).0)
}

/// A line by words.
pub(super) fn by_words(line: &Carried) -> ByWords {
    let text = |words: &Words| skewsync::digest::Shared::text(words.text());
    let path = line.place.instances().iter().map(|(_, words)| text(words)).collect();
    ByWords { path, line: text(&line.words) }
}

/// Between two places of one line of the document so many others find room.
const ROOM: usize = 1 << 40;

/// What stands in a place.
#[derive(PartialEq, Eq)]
enum Item {
    Line(LineKey),
    Instance(Place),
}

/// What is to be put back on a way, until it is.
pub(super) struct Due<'k>(Vec<(&'k ComplementKey, &'k Complement)>);

impl<'k> Due<'k> {
    /// Of the Active's way, which begins with its own config.
    pub(super) fn down(kept: &'k Complements, image: &Image) -> Self {
        let is_due = |(key, complement): &(&ComplementKey, &Complement)| {
            complement.made.is_empty() && !is_said_at(image, key, image.levels())
        };
        Self(kept.iter().filter(is_due).collect())
    }

    /// Of the Standby's way, which begins with what the Active sent: but what the Active comes down
    /// to, by these steps, is for it to put back.
    pub(super) fn up<'a>(
        kept: &'k Complements,
        active: &Image,
        steps: impl Iterator<Item = (usize, u16)> + Clone + 'a,
    ) -> Self {
        let is_due = |(key, complement): &(&ComplementKey, &Complement)| {
            let mut reached = steps
                .clone()
                .filter(|(component, _)| component_of(active, key) == Some(*component));
            let comes_to = |(component, level): (usize, u16)| {
                began(active, component, Level(level)) == key.level
            };
            let puts_down = !is_said_at(active, key, active.levels()) && reached.any(comes_to);
            complement.made.is_empty() && !puts_down
        };
        Self(kept.iter().filter(is_due).collect())
    }

    /// Puts back what the rung has the words for, the modes around it too.
    pub(super) fn put_back(&mut self, image: &Image, rung: &mut Rung) {
        let levels = rung.levels.clone();
        let of_level = |key: &ComplementKey| is_said_at(image, key, &levels);
        if !self.0.iter().any(|(key, _)| of_level(key)) {
            return;
        }
        let grammar = image.grammar(&levels);
        let has_words = |(key, _): &mut (&ComplementKey, &Complement)| {
            of_level(key) && read(image, &grammar, &key.line).is_some()
        };
        let now: Vec<_> = self.0.extract_if(.., has_words).collect();
        rung.put_back(image, &grammar, now);
    }
}

/// Whether an image at these levels has the words of a complement.
fn is_said_at(image: &Image, key: &ComplementKey, levels: &[Level]) -> bool {
    let component = component_of(image, key);
    component.is_some_and(|component| began(image, component, levels[component]) == key.level)
}

/// The component that a complement is of.
fn component_of(image: &Image, key: &ComplementKey) -> Option<usize> {
    let mut components = image.declarations().components.iter();
    components.position(|component| component.name == *key.component)
}

/// A line to put back.
struct Orphan<'k> {
    line: &'k ByWords,
    complement: &'k Complement,
    /// It, and what it stood behind, if anything can read that.
    items: [Option<Item>; 2],
}

impl Rung {
    /// Puts orphans back: an outer one before an inner one, and none before what it stood behind.
    fn put_back(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        due: Vec<(&ComplementKey, &Complement)>,
    ) {
        let due = due.into_iter().map(|(key, complement)| (&key.line, complement));
        let mut due: Vec<(&ByWords, &Complement)> = due.collect();
        due.sort_by_key(|(line, _)| line.path.len());
        let item = |line: &ByWords| read(image, grammar, line).map(|read| item(image, read));
        let orphans = due.into_iter().map(|(line, complement)| {
            let behind = complement.behind.as_ref();
            let behind = behind.map(|words| ByWords { line: words.clone(), ..line.clone() });
            let items = [item(line), behind.as_ref().and_then(item)];
            Orphan { line, complement, items }
        });
        let mut orphans: Vec<Orphan<'_>> = orphans.collect();
        // Of several of one key the first is put back.
        let mut known: BTreeSet<LineKey> = BTreeSet::new();
        orphans.retain(|orphan| match &orphan.items[0] {
            Some(Item::Line(key)) => known.insert(key.clone()),
            Some(Item::Instance(_)) | None => true,
        });
        while !orphans.is_empty() {
            // From the first one back to what waits for nothing that is still to be put.
            let mut chain = vec![0];
            let last = |chain: &[usize]| *chain.last().expect("at least the first");
            while let Some(behind) = &orphans[last(&chain)].items[1]
                && let Some(next) =
                    orphans.iter().position(|orphan| orphan.items[0].as_ref() == Some(behind))
                && !chain.contains(&next)
            {
                chain.push(next);
            }
            let orphan = orphans.remove(last(&chain));
            self.put_one_back(image, grammar, &orphan);
            self.put_together();
        }
    }

    fn put_one_back(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        Orphan { line, complement, items: [_, behind] }: &Orphan<'_>,
    ) -> Option<()> {
        let (place, form, words) = read(image, grammar, line)?;
        let behind = complement.behind.as_ref().map(|_| behind.as_ref());
        let stands = place.instances().iter().take(complement.stands.into());
        let stands = stands.fold(Place::root(), |at, (form, words)| at.child(*form, words.clone()));
        let places = self.places();
        if !stands.is_root() && !places.contains(&stands) {
            return None;
        }
        if image.form(form).enters.is_some() && words.sign() == Sign::Positive {
            let inner = place.child(form, words);
            if !places.contains(&inner) {
                let at = self.room(image, &place, behind);
                let number = usize::MAX - self.entered.len();
                let place = Some(inner);
                self.entered.push(Entered { number, place, is_unsayable: false, at });
            }
            return Some(());
        }
        let carried = Carried { place, form, words, from: Vec::new(), at: (0, 0), free: false };
        let key = carried.key(image);
        let there = self.lines.iter().position(|line| line.key(image) == key);
        if let Some(there) = there {
            if !self.lines[there].from.is_empty() {
                return None;
            }
            // What absence says gives way.
            self.lines.remove(there);
        }
        let room = self.room(image, &carried.place, behind);
        // The first of an ordered list stays before the others.
        let list = |line: &Carried| ListId::of(image, line.form, &line.words);
        let of_behind = complement.behind.as_ref().and_then(|words| {
            let sibling = ByWords { line: words.clone(), ..(*line).clone() };
            let (_, form, words) = read(image, grammar, &sibling)?;
            ListId::of(image, form, &words)
        });
        let own = list(&carried).filter(|own| of_behind.as_ref() != Some(own));
        let others = self
            .lines
            .iter()
            .filter(|other| own.is_some() && other.place == carried.place && list(other) == own);
        let at = match others.map(|other| other.at).min() {
            Some((first, part)) if (first, part) < room => (first - 1, ROOM),
            Some(_) | None => room,
        };
        self.lines.push(Carried { at, ..carried });
        Some(())
    }

    /// Room in a place: at its beginning, right behind an item, or at its end if that is gone.
    fn room(&self, image: &Image, place: &Place, behind: Option<Option<&Item>>) -> At {
        let stands_in = |line: &&Carried| line.place == *place;
        let lines = self.lines.iter().filter(stands_in);
        let lines = lines.map(|line| (line.at, Item::Line(line.key(image))));
        let depth = place.instances().len() + 1;
        // An instance that nobody entered stands where the first of what is in it stands.
        let mut inner: Vec<(At, Item)> = Vec::new();
        let inside: BTreeSet<Place> = self
            .places()
            .into_iter()
            .filter(|inner| inner.instances().len() == depth && inner.is_within(place))
            .collect();
        for instance in inside {
            let entered = self.entered.iter().find(|of| of.place.as_ref() == Some(&instance));
            let first = || {
                let lines = self.lines.iter().filter(|line| line.place.is_within(&instance));
                let within = |of: &&Entered| {
                    of.place.as_ref().is_some_and(|place| place.is_within(&instance))
                };
                let entered = self.entered.iter().filter(within).map(|entered| entered.at);
                lines.map(|line| line.at).chain(entered).min()
            };
            let at = entered.map(|entered| entered.at).or_else(first);
            inner.extend(at.map(|at| (at, Item::Instance(instance))));
        }
        let mut items: Vec<(At, Item)> = lines.chain(inner).collect();
        items.sort_by_key(|(at, _)| *at);
        let found = behind.map(|behind| items.iter().position(|(_, item)| Some(item) == behind));
        let own = |place: &Place| {
            let entered = self.entered.iter().find(|of| of.place.as_ref() == Some(place));
            entered.map_or((0, 0), |entered| entered.at)
        };
        // A place that is made for it comes last in the one around it.
        let is_there = place.is_root() || self.places().contains(place);
        match found {
            _ if !is_there => (usize::MAX / 2, self.lines.len()),
            None => match items.first() {
                Some(((first, _), _)) => (first - 1, ROOM),
                None => (own(place).0, ROOM),
            },
            Some(Some(at)) => {
                let (line, part) = items[at].0;
                let inner = match &items[at].1 {
                    Item::Line(_) => line,
                    // Behind all that is in it.
                    Item::Instance(instance) => {
                        let within = self.lines.iter().filter(|of| of.place.is_within(instance));
                        within.map(|of| of.at.0).max().unwrap_or(line)
                    }
                };
                if inner == line { (line, part + 1) } else { (inner, ROOM) }
            }
            Some(None) if place.is_root() || !items.is_empty() => {
                (usize::MAX / 2, self.lines.len())
            }
            Some(None) => (own(place).0, ROOM),
        }
    }
}
