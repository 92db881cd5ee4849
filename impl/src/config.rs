//! A running config: the tree of mode instances and lines in a view. It knows how lines are
//! identified, ordered, digested, rendered and executed, and nothing of other images.

mod execute;
mod refuse;
pub mod render;
mod sequence;

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
pub use refuse::Refused;
use sequence::Sequence;
pub use sequence::{Item, ListId};

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
    /// A mode instance came, came to be of this kind, or moved.
    Enter {
        /// Which instance.
        place: Place,
        /// How it is there now.
        entry: EntryKind,
        /// Behind which item of the place around it; none: first.
        after: Option<Item>,
    },
    /// A line came, has other words, or moved.
    Set {
        /// Which line.
        line: LineKey,
        /// What it is now.
        to: Line,
        /// Behind which item of its place; none: first.
        after: Option<Item>,
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

/// A running config in a view: in each place one sequence of lines and instances, as they were
/// entered.
///
/// ```
/// use skewsync::config::Config;
/// use skewsync::image::bundled;
///
/// let image = bundled::image("6.2").expect("a bundled release");
/// let mut config = Config::factory(image.levels());
/// config.execute(&image, image.own(), "interface eth0\nmtu 1500\nno ip redirects")?;
/// config.execute(&image, image.own(), "interface eth0\nmtu 9000")?;
/// assert_eq!(config.render(), "interface eth0\n mtu 9000\n no ip redirects\n exit\n");
/// # Ok::<(), skewsync::config::BatchError>(())
/// ```
///
/// # Shape
/// Cloning shares everything. Equality, order and hash go by view and digests, which are kept per
/// edit; the order of lines is a part of them in lists only.
#[derive(Clone)]
pub struct Config {
    levels: Levels,
    body: Arc<Body>,
}

/// All of a config but its view: configs that nothing told apart share it whole.
#[derive(Clone, Default)]
struct Body {
    lines: RedBlackTreeMapSync<LineKey, Hashed>,
    entries: RedBlackTreeMapSync<Place, Entry>,
    /// What stands in each place.
    sequences: RedBlackTreeMapSync<Place, Sequence>,
    /// The lines of each list, by the ranks that they have in their place.
    lists: RedBlackTreeMapSync<(Place, ListId), Sequence>,
    /// What renders, but the order outside of lists.
    digest: u128,
    /// Which instances are implied: this does not render.
    implied: u128,
}

/// A line with the hash of the fact that it is there, and its rank in its place.
#[derive(Clone)]
struct Hashed {
    line: Line,
    hash: u128,
    rank: u64,
}

/// An instance, with its rank in the place around it.
#[derive(Clone, Copy)]
struct Entry {
    kind: EntryKind,
    rank: u64,
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
        self.body.entries.iter().map(|(place, entry)| (place, entry.kind))
    }

    /// How the instance came to be, if it is there.
    pub fn entry(&self, place: &Place) -> Option<EntryKind> {
        self.body.entries.get(place).map(|entry| entry.kind)
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

    /// Whether neither a line nor an instance lies in `place`.
    pub fn is_empty_place(&self, place: &Place) -> bool {
        self.count_in(place) == 0
    }

    /// Sets a line. A new one comes last in its place; one that is there keeps where it stands.
    pub fn put(&mut self, image: &Image, key: &LineKey, line: Line) {
        if self.line(key) != Some(&line) {
            let hash = line_hash(key, &line);
            self.put_hashed(image, key, Hashed { line, hash, rank: 0 });
        }
    }

    /// Makes the line of `key` what it is under `from` in another config.
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
        let item = Item::of_line(key);
        let before = body.lines.get(key).map(|before| before.hash);
        body.digest = body.digest.wrapping_sub(before.unwrap_or(0));
        body.digest = body.digest.wrapping_add(line.hash);
        // The facts of a list name its lines.
        let rank = body.take_out(image, &key.place, &item);
        body.lines.insert_mut(key.clone(), line);
        match rank {
            Some(rank) => body.put_at(image, &key.place, &item, rank),
            None => body.put_last(image, &key.place, &item),
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
        body.take_out(image, &key.place, &Item::of_line(key));
        body.lines.remove_mut(key);
    }

    /// Makes the instance one of this kind, or takes it away. A new one comes last in the place
    /// around it; one that is there keeps where it stands.
    pub fn put_entry(&mut self, image: &Image, place: &Place, entry: Option<EntryKind>) {
        let (Some(around), Some(item)) = (place.parent(), Item::of_place(place)) else {
            debug_assert!(false, "the root is always there");
            return;
        };
        let hash = entry_hash(place);
        let before = self.entry(place);
        let body = Arc::make_mut(&mut self.body);
        if before.is_some() {
            body.digest = body.digest.wrapping_sub(hash);
        }
        if before == Some(EntryKind::Implied) {
            body.implied = body.implied.wrapping_sub(hash);
        }
        if let Some(kind) = entry {
            body.digest = body.digest.wrapping_add(hash);
            if kind == EntryKind::Implied {
                body.implied = body.implied.wrapping_add(hash);
            }
            let rank = body.rank(&around, &item);
            body.entries.insert_mut(place.clone(), Entry { kind, rank: rank.unwrap_or(0) });
            if rank.is_none() {
                body.put_last(image, &around, &item);
            }
        } else if before.is_some() {
            body.take_out(image, &around, &item);
            body.entries.remove_mut(place);
        }
    }

    /// Does what an edit says.
    pub fn apply(&mut self, image: &Image, edit: &Edit) {
        match edit {
            Edit::Unset(key) => self.remove(image, key),
            Edit::Leave(place) => self.put_entry(image, place, None),
            Edit::Enter { place, entry, after } => {
                self.put_entry(image, place, Some(*entry));
                if let (Some(around), Some(item)) = (place.parent(), Item::of_place(place)) {
                    self.move_behind(image, &around, &item, after.as_ref());
                }
            }
            Edit::Set { line, to, after } => {
                self.put(image, line, to.clone());
                self.move_behind(image, &line.place, &Item::of_line(line), after.as_ref());
            }
        }
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
