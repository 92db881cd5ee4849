//! A running config: the tree of mode instances and lines in a view. It knows how lines are
//! identified, ordered, digested, rendered and executed, and nothing of other images.

mod execute;
mod list;
mod order;
pub mod render;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Bound;

use rpds::RedBlackTreeMapSync;

use crate::digest::{Content, Digest, Shared};

use crate::grammar::{Sign, Words};
use crate::ids::{FormId, Level};
use crate::image::Image;
pub use crate::parse::Place;
pub use execute::{BatchError, Prc};
use order::Order;

/// Which line it is: where it stands, of which form, and what tells it from its siblings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey {
    /// The mode instance.
    pub place: Place,
    /// The form of the positive line.
    pub form: FormId,
    /// The words of its key captures; empty where there is one line of the form at most.
    pub key: Words,
}

/// A line as configured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// Whether it sets or negates.
    pub sign: Sign,
    /// All of its words.
    pub words: Words,
}

/// How a mode instance came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Its entry line was typed or read: it stays when it is empty.
    Entered,
    /// A move made it: it vanishes when it is empty.
    Implied,
}

/// What changed between two configs of one view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edit {
    /// A line went.
    Unset(LineKey),
    /// A mode instance went; what was in it went before.
    Leave(Place),
    /// A mode instance came, or came to be of this kind.
    Enter(Place, EntryKind),
    /// A line came, or has other words.
    Set {
        /// Which line.
        line: LineKey,
        /// What it is now.
        to: Line,
        /// In an ordered list: behind which sibling; none: first.
        after: Option<Words>,
    },
}

impl Line {
    /// The line `words` of `form` at `place`, with what identifies it.
    pub fn new(image: &Image, place: Place, form: FormId, words: Words) -> (LineKey, Self) {
        let key = match &image.form(form).key {
            None => words.without_no(),
            Some(leaves) => words.only(leaves),
        };
        (LineKey { place, form, key }, Self { sign: words.sign(), words })
    }
}

/// A view: the grammar that a config is written in.
pub type Levels = Shared<[Level]>;

impl Content for [Level] {
    fn digest(&self) -> Digest {
        let bytes: Vec<u8> = self.iter().flat_map(|level| level.0.to_le_bytes()).collect();
        Digest::compute(&bytes)
    }
}

/// The siblings of ordered forms, by place and form.
type Orders = RedBlackTreeMapSync<(Place, FormId), Order>;

/// A running config in a view.
///
/// ```
/// use skewsync::config::Config;
/// use skewsync::image::bundled;
///
/// let image = bundled::image("6.2").expect("a bundled release");
/// let mut config = Config::factory(image.levels());
/// config.execute(&image, image.own(), "interface eth0\nmtu 1500\nno ip redirects")?;
/// config.execute(&image, image.own(), "interface eth0\nmtu 9000")?;
/// assert_eq!(config.render(), "interface eth0\n no ip redirects\n mtu 9000\n exit\n");
/// # Ok::<(), skewsync::config::BatchError>(())
/// ```
///
/// # Shape
/// Cloning shares everything. Equality, order and hash go by view and digests, which are kept per
/// edit.
#[derive(Clone)]
pub struct Config {
    levels: Levels,
    body: Arc<Body>,
}

/// All of a config but its view: configs that nothing told apart share it whole.
#[derive(Clone, Default)]
struct Body {
    lines: RedBlackTreeMapSync<LineKey, Hashed>,
    entries: RedBlackTreeMapSync<Place, EntryKind>,
    orders: Orders,
    /// What renders: lines, instances, order.
    digest: u128,
    /// Which instances are implied: this does not render.
    implied: u128,
}

/// A line with the hash of the fact that it is there.
#[derive(Clone)]
struct Hashed {
    line: Line,
    hash: u128,
}

impl Config {
    /// An empty config: the factory default of every image.
    pub fn factory(levels: &[Level]) -> Self {
        Self { levels: Shared::new(levels), body: Arc::default() }
    }

    /// The same config, taken for one of another view: where a line of it lives is the caller's
    /// care.
    #[must_use]
    pub fn in_view(&self, levels: &Levels) -> Self {
        Self { levels: levels.clone(), body: Arc::clone(&self.body) }
    }

    /// The same config, taken for one of the view of another.
    pub(crate) fn in_view_of(&self, other: &Self) -> Self {
        self.in_view(&other.levels)
    }

    /// Whether both share all but the view: then they are equal in it without a look.
    pub(crate) fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }

    /// The level of each component of its view.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The sum, modulo 2^128, of hashes of its facts: equal configs have equal digests. It finds
    /// accidents, not forgers.
    pub fn digest(&self) -> Digest {
        Digest(self.body.digest)
    }

    /// How many lines it has, entry lines not counted.
    pub fn len(&self) -> usize {
        self.body.lines.size()
    }

    /// Whether it has neither lines nor instances.
    pub fn is_empty(&self) -> bool {
        self.body.lines.is_empty() && self.body.entries.is_empty()
    }

    /// All lines, by place, form and key.
    pub fn lines(&self) -> impl Iterator<Item = (&LineKey, &Line)> {
        lines_of_map(self.body.lines.iter())
    }

    /// The line of this key.
    pub fn line(&self, key: &LineKey) -> Option<&Line> {
        self.body.lines.get(key).map(|hashed| &hashed.line)
    }

    /// The lines that stand in `place` itself.
    pub fn lines_in(&self, place: &Place) -> impl Iterator<Item = (&LineKey, &Line)> {
        let from = self.lines_from(place, FormId(0));
        from.take_while(move |(key, _)| key.place == *place)
    }

    /// The lines of `form` in `place`, by key.
    pub fn lines_of(&self, place: &Place, form: FormId) -> impl Iterator<Item = (&LineKey, &Line)> {
        let from = self.lines_from(place, form);
        from.take_while(move |(key, _)| key.form == form && key.place == *place)
    }

    /// All mode instances, those around before those within.
    pub fn entries(&self) -> impl Iterator<Item = (&Place, EntryKind)> {
        self.body.entries.iter().map(|(place, entry)| (place, *entry))
    }

    /// How the instance came to be, if it is there.
    pub fn entry(&self, place: &Place) -> Option<EntryKind> {
        self.body.entries.get(place).copied()
    }

    /// Whether no instance is implied.
    pub(crate) fn is_all_entered(&self) -> bool {
        self.body.implied == 0
    }

    /// The instances that are `place` or lie in it, those around before those within.
    pub fn entries_within(&self, place: &Place) -> impl Iterator<Item = &Place> {
        let from = (Bound::Included(place.clone()), Bound::Unbounded);
        let from = self.body.entries.range(from).map(|(inner, _)| inner);
        from.take_while(move |inner| inner.is_within(place))
    }

    /// The lines that stand in `place` or in an instance that lies in it.
    pub fn lines_within(&self, place: &Place) -> impl Iterator<Item = (&LineKey, &Line)> {
        let from = self.lines_from(place, FormId(0));
        from.take_while(move |(key, _)| key.place.is_within(place))
    }

    /// The instances that lie directly in `place`.
    pub fn children(&self, place: &Place) -> Vec<Place> {
        let depth = place.instances().len() + 1;
        let from = self.body.entries.range((Bound::Excluded(place.clone()), Bound::Unbounded));
        let within = from.take_while(|(child, _)| child.is_within(place));
        within
            .filter(|(child, _)| child.instances().len() == depth)
            .map(|(p, _)| p.clone())
            .collect()
    }

    /// Whether neither a line nor an instance lies in `place`.
    pub fn is_empty_place(&self, place: &Place) -> bool {
        let next =
            self.body.entries.range((Bound::Excluded(place.clone()), Bound::Unbounded)).next();
        self.lines_in(place).next().is_none()
            && next.is_none_or(|(child, _)| !child.is_within(place))
    }

    /// Sets a line. A new line of an ordered form comes last.
    pub fn put(&mut self, image: &Image, key: &LineKey, line: Line) {
        if self.line(key) != Some(&line) {
            let hash = line_hash(key, &line);
            self.put_hashed(image, key, Hashed { line, hash });
        }
    }

    /// Makes the line of `key` what it is under `from` in another config, where it stands by the
    /// same words.
    pub(crate) fn copy_line(&mut self, image: &Image, key: &LineKey, other: &Self, from: &LineKey) {
        match other.body.lines.get(from) {
            None => self.remove(image, key),
            Some(there) if self.line(key) == Some(&there.line) => {}
            Some(there) if from.place == key.place => self.put_hashed(image, key, there.clone()),
            Some(there) => self.put(image, key, there.line.clone()),
        }
    }

    fn put_hashed(&mut self, image: &Image, key: &LineKey, line: Hashed) {
        let body = Arc::make_mut(&mut self.body);
        let before = body.lines.get(key).map(|before| before.hash);
        body.digest = body.digest.wrapping_sub(before.unwrap_or(0));
        body.digest = body.digest.wrapping_add(line.hash);
        body.lines.insert_mut(key.clone(), line);
        if before.is_none() && image.form(key.form).ordered {
            let last = self.order(&key.place, key.form);
            let last = last.and_then(|order| order.keys().next_back()).cloned();
            self.enlist(key, last.as_ref());
        }
    }

    /// Removes a line, if it is there.
    pub fn remove(&mut self, image: &Image, key: &LineKey) {
        let Some(Hashed { hash, .. }) = self.body.lines.get(key) else {
            return;
        };
        let digest = self.body.digest.wrapping_sub(*hash);
        let body = Arc::make_mut(&mut self.body);
        body.digest = digest;
        body.lines.remove_mut(key);
        if image.form(key.form).ordered {
            self.delist(key);
        }
    }

    /// Makes the instance one of this kind, or takes it away.
    pub fn put_entry(&mut self, place: &Place, entry: Option<EntryKind>) {
        debug_assert!(!place.is_root(), "the root is always there");
        let hash = entry_hash(place);
        let before = self.entry(place);
        let body = Arc::make_mut(&mut self.body);
        if before.is_some() {
            body.digest = body.digest.wrapping_sub(hash);
        }
        if before == Some(EntryKind::Implied) {
            body.implied = body.implied.wrapping_sub(hash);
        }
        match entry {
            Some(entry) => {
                body.digest = body.digest.wrapping_add(hash);
                if entry == EntryKind::Implied {
                    body.implied = body.implied.wrapping_add(hash);
                }
                body.entries.insert_mut(place.clone(), entry);
            }
            None => {
                body.entries.remove_mut(place);
            }
        }
    }

    /// Does what an edit says.
    pub fn apply(&mut self, image: &Image, edit: &Edit) {
        match edit {
            Edit::Unset(key) => self.remove(image, key),
            Edit::Leave(place) => self.put_entry(place, None),
            Edit::Enter(place, entry) => self.put_entry(place, Some(*entry)),
            Edit::Set { line, to, after } => {
                self.put(image, line, to.clone());
                if image.form(line.form).ordered {
                    self.move_behind(line, after.as_ref());
                }
            }
        }
    }

    /// What makes `after` of this config, in canonical order: lines go, instances go (inner ones
    /// first), instances come, lines come.
    pub fn difference(&self, image: &Image, after: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let gone = self.lines().filter(|(key, _)| after.line(key).is_none());
        edits.extend(gone.map(|(key, _)| Edit::Unset(key.clone())));
        let left = self.entries().map(|(place, _)| place);
        let left: Vec<&Place> = left.filter(|place| after.entry(place).is_none()).collect();
        edits.extend(left.into_iter().rev().map(|place| Edit::Leave(place.clone())));
        let came = after.entries().filter(|(place, entry)| self.entry(place) != Some(*entry));
        edits.extend(came.map(|(place, entry)| Edit::Enter(place.clone(), entry)));
        for (key, line) in after.lines() {
            if !image.form(key.form).ordered && self.line(key) != Some(line) {
                edits.push(Edit::Set { line: key.clone(), to: line.clone(), after: None });
            }
        }
        for ((place, form), order) in after.body.orders.iter() {
            let was = self.order(place, *form);
            let kept = was.into_iter().flat_map(Order::keys);
            let kept = kept.filter(|key| order.has(key));
            let still = order.keys();
            let still = still.filter(|key| was.is_some_and(|was| was.has(key)));
            let same_order = kept.eq(still);
            let mut before: Option<&Words> = None;
            for key in order.keys() {
                let line = LineKey { place: place.clone(), form: *form, key: key.clone() };
                let to = after.line(&line).expect("an ordered key has its line").clone();
                if !same_order || self.line(&line) != Some(&to) {
                    edits.push(Edit::Set { line, to, after: before.cloned() });
                }
                before = Some(key);
            }
        }
        edits
    }

    /// The lines from the first of `form` in `place` on.
    fn lines_from(&self, place: &Place, form: FormId) -> impl Iterator<Item = (&LineKey, &Line)> {
        let first = LineKey { place: place.clone(), form, key: Words::none() };
        let from = (Bound::Included(first), Bound::Unbounded);
        lines_of_map(self.body.lines.range(from))
    }
}

/// The lines alone.
fn lines_of_map<'a>(
    lines: impl Iterator<Item = (&'a LineKey, &'a Hashed)>,
) -> impl Iterator<Item = (&'a LineKey, &'a Line)> {
    lines.map(|(key, hashed)| (key, &hashed.line))
}

fn line_hash(key: &LineKey, line: &Line) -> u128 {
    hash(&key.place, &["line", line.words.text()])
}

fn entry_hash(place: &Place) -> u128 {
    hash(place, &["entry"])
}

/// The hash of one fact; keyed by what kind of fact it is.
fn hash(place: &Place, parts: &[&str]) -> u128 {
    let of_place = place.instances().iter();
    let of_place = of_place.map(|(_, words)| words.text().len() + 1).sum::<usize>();
    let bytes = of_place + parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut fact = Vec::with_capacity(bytes);
    for (_, words) in place.instances() {
        fact.extend_from_slice(words.text().as_bytes());
        fact.push(b'\n');
    }
    for part in parts {
        fact.push(b'\0');
        fact.extend_from_slice(part.as_bytes());
    }
    debug_assert_eq!(fact.len(), bytes, "a fact is made in one piece");
    Digest::compute(&fact).0
}

type Identity = (Digest, u128, u128);

impl Config {
    fn identity(&self) -> Identity {
        (self.levels.digest(), self.body.digest, self.body.implied)
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Config {}

impl PartialOrd for Config {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Config {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for Config {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({} lines, {})", self.len(), self.digest())
    }
}

#[cfg(test)]
mod tests;
