//! Words in a mode, and whole configuration texts: which form each line is of, and where it stands.
//!
//! It executes nothing: what a line does to a config is the business of `config`.

mod mark;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::grammar::{Resolution, Sign, Token, Words, split_words};
use crate::ids::{FormId, ModeId};
use crate::image::{FormDecl, Grammar, Image, ROOT};
pub use mark::{Mark, OtherEncoding, after_mark};

/// The longest line that is read.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// A mode instance: the entry lines from the root to it.
///
/// # Shape
/// Each with its form; the root has none. An instance is told by its whole entry line. Ancestors
/// are ordered before what is in them.
#[derive(Clone, Default)]
pub struct Place(Option<Arc<Instances>>);

struct Instances {
    around: Place,
    all: Box<[(FormId, Words)]>,
    /// Bytes that are ordered as the instances are: places are compared more often than all else.
    rank: Box<[u8]>,
}

impl Place {
    /// The root.
    pub const fn root() -> Self {
        Self(None)
    }

    /// The instance that the line `words` of the form `entry` enters from here.
    pub fn child(&self, entry: FormId, words: Words) -> Self {
        debug_assert_eq!(words.sign(), Sign::Positive, "a negated line enters nothing");
        let mut rank = self.rank().to_vec();
        rank.extend(entry.0.to_be_bytes());
        words.rank(&mut rank);
        let all = self.instances().iter().cloned();
        Self(Some(Arc::new(Instances {
            around: self.clone(),
            all: all.chain([(entry, words)]).collect(),
            rank: rank.into(),
        })))
    }

    /// The entry lines, from the root.
    pub fn instances(&self) -> &[(FormId, Words)] {
        self.0.as_ref().map_or(&[], |instances| &instances.all)
    }

    /// Whether this is the root.
    pub const fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The form of the line that enters it; none for the root.
    pub fn entry_form(&self) -> Option<FormId> {
        self.instances().last().map(|(form, _)| *form)
    }

    /// The instance around it.
    pub fn parent(&self) -> Option<Self> {
        self.0.as_ref().map(|instances| instances.around.clone())
    }

    /// Itself and all around it but the root, from the outermost.
    pub fn and_ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        let mut all = Vec::with_capacity(self.instances().len());
        let mut next = self.clone();
        while let Some(around) = next.parent() {
            all.push(core::mem::replace(&mut next, around));
        }
        all.into_iter().rev()
    }

    /// Whether it is `other` or lies in it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.instances().starts_with(other.instances())
    }

    /// The mode that it is an instance of.
    pub fn mode(&self, image: &Image) -> ModeId {
        self.entry_form().and_then(|form| image.form(form).enters).unwrap_or(ModeId(0))
    }

    /// The entry lines, each ended by ` / `.
    pub fn path(&self) -> String {
        let instances = self.instances().iter();
        instances.fold(String::new(), |path, (_, words)| path + words.text() + " / ")
    }

    fn rank(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |instances| &instances.rank)
    }

    /// Whether both are one value: then they are equal without a look.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// By the instances alone: what is around them is a part of them.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.rank() == other.rank()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_same(other) {
            return Ordering::Equal;
        }
        let order = self.rank().cmp(other.rank());
        debug_assert_eq!(order, self.instances().cmp(other.instances()));
        order
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.instances().hash(state);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.instances()).finish()
    }
}

/// Whether a line that its mode does not know is tried in the modes around it, and the mode
/// changes.
///
/// Source: FRRouting's walk-up; routers write their files so. Only for text that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkUp {
    /// It is tried there.
    Yes,
    /// A line states its mode.
    No,
}

/// Why a line is no line of its mode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum LineError {
    /// No form takes it.
    #[error("no such command in mode {mode}, from word {}: `{word}`", at + 1)]
    NoMatch {
        /// The mode.
        mode: String,
        /// The number of the first word that nothing takes.
        at: usize,
        /// That word.
        word: String,
    },
    /// Several forms take it.
    #[error("ambiguous in mode {mode}: {}", forms.join("; "))]
    Ambiguous {
        /// The mode.
        mode: String,
        /// Those forms.
        forms: Vec<String>,
    },
    /// It is the beginning of a command.
    #[error("incomplete in mode {mode}")]
    Incomplete {
        /// The mode.
        mode: String,
    },
    /// It is no text.
    #[error("not a line of text: byte {byte:#04x} at column {column}")]
    Binary {
        /// The byte.
        byte: u8,
        /// Its column, from 1.
        column: usize,
    },
    /// It is too long.
    #[error("{bytes} bytes are beyond the bound of {LINE_BYTES_MAX} for a line")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The mode is unknown.
    #[error("no such mode: {mode}")]
    UnknownMode {
        /// The mode.
        mode: String,
    },
    /// It opens a text over several lines.
    #[error("commands over several lines are not supported")]
    SeveralLines,
}

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its number in the text, from 1.
    pub number: usize,
    /// Where it matched.
    pub place: Place,
    /// Its form and canonical words, or why it has none.
    pub found: Result<(FormId, Words), LineError>,
}

/// What the words are in an instance of `mode`.
///
/// # Errors
/// See [`LineError`].
pub fn words(
    image: &Image,
    grammar: &Grammar,
    mode: ModeId,
    words: &[&str],
) -> Result<(FormId, Words), LineError> {
    let name = || image.mode_name(mode).into();
    match grammar.mode(mode).resolve(words) {
        Resolution::Match { id, words } => Ok((id, words)),
        Resolution::NoMatch { at } => {
            let word = words.get(at).copied().unwrap_or("").into();
            Err(LineError::NoMatch { mode: name(), at, word })
        }
        Resolution::Incomplete => Err(LineError::Incomplete { mode: name() }),
        Resolution::Ambiguous { ids } => {
            let forms = ids.iter().map(|id| image.form(*id).form.text().into()).collect();
            Err(LineError::Ambiguous { mode: name(), forms })
        }
    }
}

/// Reads a configuration text.
///
/// # Shape
/// One statement for each line that is neither blank, a comment (`!`, `#`) nor navigation (`exit`,
/// `quit`, `end`, `exit-...`). Indentation means nothing.
pub fn text(image: &Image, grammar: &Grammar, text: &[u8], walk_up: WalkUp) -> Vec<Statement> {
    let mut reader = Reader { image, grammar, walk_up, place: Place::root() };
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    lines.filter_map(|(at, line)| reader.line(at + 1, line)).collect()
}

struct Reader<'a> {
    image: &'a Image,
    grammar: &'a Grammar,
    walk_up: WalkUp,
    place: Place,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &[u8]) -> Option<Statement> {
        let found = match readable(line) {
            Ok(line) => {
                let words: Vec<&str> = split_words(line).collect();
                let first = *words.first()?;
                if first.starts_with(['!', '#']) || self.navigates(first, words.len()) {
                    return None;
                }
                self.found(&words)
            }
            Err(trouble) => Err(trouble),
        };
        let place = self.place.clone();
        if let Ok((form, words)) = &found
            && self.image.form(*form).enters.is_some()
            && words.sign() == Sign::Positive
        {
            self.place = place.child(*form, words.clone());
        }
        Some(Statement { number, place, found })
    }

    fn navigates(&mut self, first: &str, words: usize) -> bool {
        let left = first.strip_prefix("exit-");
        let up = matches!(first, "exit" | "quit") || left.is_some_and(|left| self.leaves(left));
        if words != 1 || !(up || first == "end") {
            return false;
        }
        self.place = if up { self.place.parent().unwrap_or_default() } else { Place::root() };
        true
    }

    /// Whether `exit-` and this leaves the present instance: not where it names another that can be
    /// entered, or the rest of the mode would be read elsewhere.
    fn leaves(&self, name: &str) -> bool {
        let named = |decl: &FormDecl| {
            let first = decl.form.leaves().iter().find(|leaf| !leaf.token.is_no());
            let keyword = matches!(first.map(|leaf| &leaf.token), Some(Token::Keyword(word))
                if **word == *name);
            decl.enters.is_some() && keyword
        };
        let here = self.place.entry_form();
        here.is_some_and(|form| named(self.image.form(form)))
            || !self.image.forms().any(|(_, decl)| named(decl))
    }

    fn found(&mut self, given: &[&str]) -> Result<(FormId, Words), LineError> {
        let first = words(self.image, self.grammar, self.place.mode(self.image), given);
        if first.is_ok() || self.walk_up == WalkUp::No {
            return first;
        }
        let mut around = self.place.parent();
        while let Some(place) = around {
            let found = words(self.image, self.grammar, place.mode(self.image), given);
            if found.is_ok() {
                self.place = place;
                return found;
            }
            around = place.parent();
        }
        first
    }
}

fn readable(line: &[u8]) -> Result<&str, LineError> {
    if line.len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong { bytes: line.len() });
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let binary = |at: usize| LineError::Binary { byte: line[at], column: at + 1 };
    if let Some(at) = line.iter().position(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(binary(at));
    }
    let text = core::str::from_utf8(line).map_err(|error| binary(error.valid_up_to()))?;
    if text.trim_start().starts_with("banner ") && text.trim_end().ends_with(['^', '#', '~']) {
        return Err(LineError::SeveralLines);
    }
    Ok(text)
}

/// What a line is in the mode of this name, with the modes around it if asked for.
///
/// # Errors
/// See [`LineError`].
pub fn line_in(
    image: &Image,
    grammar: &Grammar,
    mode: &str,
    line: &str,
    walk_up: WalkUp,
) -> Result<(FormId, Words), LineError> {
    let mode = if mode.is_empty() { ROOT } else { mode };
    let unknown = || LineError::UnknownMode { mode: mode.into() };
    let mut mode = image.mode(mode).ok_or_else(unknown)?;
    let line = readable(line.as_bytes())?;
    let given: Vec<&str> = split_words(line).collect();
    let first = words(image, grammar, mode, &given);
    while let (Err(LineError::NoMatch { .. }), WalkUp::Yes, Some(parent)) =
        (&first, walk_up, image.parent(mode))
    {
        mode = parent;
        let found = words(image, grammar, mode, &given);
        if found.is_ok() {
            return found;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::image::bundled;

    #[test]
    fn a_text_is_read_with_its_places() {
        let image = bundled::image("6.2").unwrap();
        let lines = "interface eth0\n mtu 1500\nexit\n! comment\nrouter bgp 65000\n log \
                     neighbor-changes\nhostname r1\n";
        let read = text(&image, image.own(), lines.as_bytes(), WalkUp::Yes);
        let shown: Vec<String> =
            read.iter().map(|s| s.place.path() + s.found.as_ref().unwrap().1.text()).collect();
        assert_eq!(
            shown,
            [
                "interface eth0",
                "interface eth0 / mtu 1500",
                "router bgp 65000",
                "router bgp 65000 / log neighbor-changes",
                "hostname r1",
            ]
        );
        let strict = text(&image, image.own(), lines.as_bytes(), WalkUp::No);
        let trouble = strict[4].found.as_ref().unwrap_err().to_string();
        assert_eq!(trouble, "no such command in mode router-bgp, from word 1: `hostname`");
    }

    #[test]
    fn leaving_a_mode_by_another_ones_name_leaves_nothing() {
        let image = bundled::image("6.2").unwrap();
        let lines = "router bgp 65000\nexit-address-family\nlog neighbor-changes\n\
                     address-family ipv4 unicast\nexit-address-family\nlog neighbor-changes\n";
        let read = text(&image, image.own(), lines.as_bytes(), WalkUp::No);
        let shown: Vec<String> = read
            .iter()
            .map(|statement| match &statement.found {
                Ok((_, words)) => statement.place.path() + words.text(),
                Err(trouble) => trouble.to_string(),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "router bgp 65000",
                "no such command in mode router-bgp, from word 1: `exit-address-family`",
                "router bgp 65000 / log neighbor-changes",
                "router bgp 65000 / address-family ipv4 unicast",
                "router bgp 65000 / log neighbor-changes",
            ]
        );
    }

    #[test]
    fn a_binary_line_says_where() {
        let image = bundled::image("6.2").unwrap();
        let read = text(&image, image.own(), b"hostname \xff\x01\n", WalkUp::No);
        assert_eq!(read[0].found, Err(LineError::Binary { byte: 1, column: 11 }));
    }
}
