//! Words in a mode, and whole configuration texts: which form each line is of, and where it stands.
//!
//! It executes nothing: what a line does to a config is the business of `config`.

mod alias;
mod mark;
mod opening;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::grammar::{Resolution, Sign, TEXT_BYTES_MAX, Token, Words};
use crate::grammar::{shown, split_strings, split_words};
use crate::ids::{FormId, ModeId};
use crate::image::{FormDecl, Grammar, Image, ListEdit, ROOT};
pub use alias::says as alias_says;
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
    /// It is another way to say a line, which does not take its words.
    #[error("`{form}` says {why}")]
    Alias {
        /// The form that it is of.
        form: String,
        /// What is wrong with what it says.
        why: String,
    },
    /// The image refuses it for what else is there.
    #[error("refused {} `{other}`: {why}", if *.without { "without" } else { "beside" })]
    Refused {
        /// The line that it does not stand beside, or not without.
        other: String,
        /// Whether it does not stand without it.
        without: bool,
        /// Why, as declared.
        why: String,
    },
    /// It would take away what another line needs.
    #[error("refused: `{line}` needs it: {why}")]
    Needed {
        /// The line that needs it.
        line: String,
        /// Why, as declared.
        why: String,
    },
    /// It opens a text that nothing ends: the rest is no command.
    #[error("the text that begins here never ends: no `{by}` follows")]
    Unending {
        /// What would end it.
        by: String,
    },
    /// The text that it opens is too long.
    #[error("{bytes} bytes are beyond the bound of {TEXT_BYTES_MAX} for a text")]
    TextTooLong {
        /// The text's length.
        bytes: usize,
    },
    /// Something stands behind the end of a text.
    #[error("`{words}` stands behind the end of the text")]
    BehindText {
        /// What stands there.
        words: String,
    },
    /// It opens a text over several lines, and no form takes it as one.
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
    /// What it does to a list of the line that is there; none: it is the line.
    pub list: Option<ListEdit>,
}

/// What the words are in an instance of `mode`. No line that is kept is one of an alias.
///
/// # Errors
/// See [`LineError`].
pub fn words(
    image: &Image,
    grammar: &Grammar,
    mode: ModeId,
    words: &[&str],
) -> Result<(FormId, Words), LineError> {
    let found = any_words(image, grammar, mode, words)?;
    if image.alias(found.0).is_some() {
        let word = shown(words.first().copied().unwrap_or("")).into_owned();
        return Err(LineError::NoMatch { mode: image.mode_name(mode).into(), at: 0, word });
    }
    Ok(found)
}

/// The same, of an alias too.
fn any_words(
    image: &Image,
    grammar: &Grammar,
    mode: ModeId,
    words: &[&str],
) -> Result<(FormId, Words), LineError> {
    let name = || image.mode_name(mode).into();
    match grammar.mode(mode).resolve(words) {
        Resolution::Match { id, words } => Ok((id, words)),
        Resolution::NoMatch { at } => {
            let word = shown(words.get(at).copied().unwrap_or("")).into_owned();
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
/// A statement for each line that is neither blank, a comment (`!`, `#`) nor navigation (`exit`,
/// `quit`, `end`, `exit-...`). Indentation means nothing. A text that a line opens belongs to it,
/// byte for byte; none of its lines is a statement. A line of an alias is what it says: a statement
/// for each line of these.
pub fn text(image: &Image, grammar: &Grammar, text: &[u8], walk_up: WalkUp) -> Vec<Statement> {
    let mut reader =
        Reader { image, grammar, walk_up, place: Place::root(), rest: Some(text), number: 0 };
    let mut statements = Vec::new();
    while reader.rest.is_some() {
        statements.extend(reader.line());
    }
    statements
}

struct Reader<'a> {
    image: &'a Image,
    grammar: &'a Grammar,
    walk_up: WalkUp,
    place: Place,
    /// What is not read yet, from the beginning of a line; none: all is read.
    rest: Option<&'a [u8]>,
    /// How many lines are read.
    number: usize,
}

impl Reader<'_> {
    /// Reads a line with the text that it opens.
    fn line(&mut self) -> Vec<Statement> {
        let Some(rest) = self.rest else { return Vec::new() };
        let number = self.number + 1;
        let line = first_line(rest);
        let skipped = readable(line).is_ok_and(|line| {
            let mut words = split_words(line);
            match (words.next(), words.next()) {
                (None, _) => true,
                (Some(first), None) if self.navigates(first) => true,
                (Some(first), _) => first.starts_with(['!', '#']),
            }
        });
        let (found, taken) = if skipped { (None, line.len()) } else { self.found(rest) };
        self.number += 1 + rest[..taken].iter().filter(|byte| **byte == b'\n').count();
        self.rest = rest.get(taken + 1..);
        found.map_or_else(Vec::new, |found| self.statements(number, found))
    }

    /// What a line says that was found in the present place; an entry is entered.
    fn statements(&mut self, number: usize, found: Found) -> Vec<Statement> {
        let place = self.place.clone();
        let mut list = None;
        let said = found.and_then(|(form, words)| match self.image.alias(form) {
            Some(alias) => {
                list.clone_from(&alias.list);
                alias_says(self.image, self.grammar, alias, &place, &words)
            }
            None => Ok(alloc::vec![(place.clone(), form, words)]),
        });
        let said = match said {
            Ok(said) => said,
            Err(trouble) => {
                return alloc::vec![Statement { number, place, found: Err(trouble), list }];
            }
        };
        let enters = |(_, form, words): &&(Place, FormId, Words)| {
            self.image.form(*form).enters.is_some() && words.sign() == Sign::Positive
        };
        if let Some((place, form, words)) = said.iter().find(enters) {
            self.place = place.child(*form, words.clone());
        }
        let said = said.into_iter();
        said.map(|(place, form, words)| Statement {
            number,
            place,
            found: Ok((form, words)),
            list: list.clone(),
        })
        .collect()
    }

    fn navigates(&mut self, only: &str) -> bool {
        let left = only.strip_prefix("exit-");
        let up = matches!(only, "exit" | "quit") || left.is_some_and(|left| self.leaves(left));
        if !(up || only == "end") {
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

    /// What the line at the beginning of `rest` is, here or in a mode around, and how many bytes of
    /// `rest` it takes.
    fn found(&mut self, rest: &[u8]) -> (Option<Found>, usize) {
        let mode = |place: &Place| place.mode(self.image);
        let first = line(self.image, self.grammar, mode(&self.place), rest);
        if first.is_final() || self.walk_up == WalkUp::No {
            return (Some(first.found), first.taken);
        }
        let mut around = self.place.parent();
        while let Some(place) = around {
            let said = line(self.image, self.grammar, mode(&place), rest);
            if said.is_final() {
                self.place = place;
                return (Some(said.found), said.taken);
            }
            around = place.parent();
        }
        (Some(first.found), first.taken)
    }
}

/// A form and its words, or why there is none.
type Found = Result<(FormId, Words), LineError>;

/// What the beginning of a text is in one mode.
struct Said {
    found: Found,
    /// How many bytes it is, without the line break behind it.
    taken: usize,
    /// Whether it opens a text.
    opens: bool,
}

impl Said {
    /// Whether no mode around is asked.
    const fn is_final(&self) -> bool {
        self.opens || self.found.is_ok()
    }
}

/// What the line at the beginning of `rest` is in `mode`, with the text that it opens.
fn line(image: &Image, grammar: &Grammar, mode: ModeId, rest: &[u8]) -> Said {
    let matcher = grammar.mode(mode);
    if let Some(opening) = opening::of_line(image, matcher, first_line(rest)) {
        let (text, taken) = opening.text(rest);
        let found = text.and_then(|text| {
            let mut given: Vec<&str> = opening.words.iter().map(|word| &**word).collect();
            given.push(&text);
            any_words(image, grammar, mode, &given)
        });
        return Said { found, taken, opens: true };
    }
    let first = first_line(rest);
    let found = readable(first).and_then(|line| {
        let strings = matcher.has_strings().then(|| split_strings(line)).flatten();
        if let Some(strings) = strings {
            let given: Vec<&str> = strings.iter().map(|word| &**word).collect();
            let found = any_words(image, grammar, mode, &given);
            if found.is_ok() {
                return found;
            }
            // Of a form that has strings, a quote is no part of a word.
            let given: Vec<&str> = split_words(line).collect();
            let plain = any_words(image, grammar, mode, &given);
            let has_strings = |form: FormId| {
                image.form(form).form.leaves().iter().any(|leaf| leaf.token == Token::String)
            };
            return plain.and_then(|read| if has_strings(read.0) { found } else { Ok(read) });
        }
        let given: Vec<&str> = split_words(line).collect();
        any_words(image, grammar, mode, &given)
    });
    Said { found, taken: first.len(), opens: false }
}

fn first_line(rest: &[u8]) -> &[u8] {
    let end = rest.iter().position(|byte| *byte == b'\n');
    &rest[..end.unwrap_or(rest.len())]
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
    given: &str,
    walk_up: WalkUp,
) -> Result<(FormId, Words), LineError> {
    let mode = if mode.is_empty() { ROOT } else { mode };
    let unknown = || LineError::UnknownMode { mode: mode.into() };
    let mut mode = image.mode(mode).ok_or_else(unknown)?;
    let given = given.as_bytes();
    let first = line(image, grammar, mode, given).found;
    while let (Err(LineError::NoMatch { .. }), WalkUp::Yes, Some(parent)) =
        (&first, walk_up, image.parent(mode))
    {
        mode = parent;
        let found = line(image, grammar, mode, given).found;
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

    /// An image with these forms in its root, and in the mode `interface IFNAME`.
    fn image_of(root: &[&str], within: &[&str]) -> Image {
        use crate::image::{ImportedForm, ImportedMode, import};
        let of = |mode: &str, form: &str| ImportedForm {
            mode: mode.into(),
            form: form.into(),
            component: "core".into(),
        };
        let mut forms: Vec<ImportedForm> = root.iter().map(|form| of("config", form)).collect();
        forms.push(of("config", "[no] interface IFNAME"));
        forms.extend(within.iter().map(|form| of("interface", form)));
        let mode = |name: &str, parent: Option<&str>, enter: &[&str]| ImportedMode {
            name: name.into(),
            parent: parent.map(Into::into),
            enter: enter.iter().map(|form| (*form).into()).collect(),
        };
        let modes = [
            mode("config", None, &[]),
            mode("interface", Some("config"), &["[no] interface IFNAME"]),
        ];
        let (image, rejected) = import("f", "1", &forms, &modes).unwrap();
        assert!(rejected.is_empty(), "{rejected:?}");
        image
    }

    fn shown(image: &Image, config: &str, walk_up: WalkUp) -> Vec<String> {
        let read = text(image, image.own(), config.as_bytes(), walk_up);
        let shown = read.iter().map(|statement| {
            let found = match &statement.found {
                Ok((_, words)) => statement.place.path() + &words.to_string(),
                Err(trouble) => trouble.to_string(),
            };
            alloc::format!("{} {found}", statement.number)
        });
        shown.collect()
    }

    #[test]
    fn no_line_of_a_text_is_a_command() {
        let forms = ["[no] banner motd ^TEXT^", "[no] cert WORD ^TEXT:quit^", "hostname WORD"];
        let image = image_of(&forms, &["shutdown"]);
        let config = "interface e0\n banner motd ^C\nhostname a\nend\n^C\n shutdown\ncert 1\n \
                      hostname b\n\n hostname b\n  quit\r\nhostname c\nno cert 1\nhostname d\n\
                      no banner motd\n";
        assert_eq!(
            shown(&image, config, WalkUp::Yes),
            [
                "1 interface e0",
                "2 banner motd ^C\\nhostname a\\nend\\n^C",
                "6 no such command in mode config, from word 1: `shutdown`",
                "7 cert 1\\n hostname b\\n\\n hostname b\\n  quit",
                "12 hostname c",
                "13 no cert 1",
                "14 hostname d",
                "15 no banner motd",
            ]
        );
    }

    #[test]
    fn a_text_that_does_not_end_well_says_where_it_began() {
        let image = image_of(&["banner motd ^TEXT^", "cert WORD ^TEXT:quit^", "x WORD"], &[]);
        let says = |config: &str| shown(&image, config, WalkUp::No);
        let never = "2 the text that begins here never ends: no `#` follows";
        assert_eq!(says("x 1\nbanner motd #a\nx 2\n"), ["1 x 1", never]);
        assert_eq!(
            says("cert 1\nx 2")[0],
            "1 the text that begins here never ends: no `quit` follows"
        );
        assert_eq!(says("cert 1")[0], "1 the text that begins here never ends: no `quit` follows");
        let behind = "1 `b  c` stands behind the end of the text";
        assert_eq!(says("banner motd #a\n# b  c \nx 2"), [behind, "3 x 2"]);
        let long = alloc::format!("banner motd #{}#\nx 2", "a\n".repeat(9_000));
        let bytes = "1 18002 bytes are beyond the bound of 16384 for a text";
        assert_eq!(says(&long), [bytes, "9002 x 2"]);
        let binary = text(&image, image.own(), b"banner motd #\na\xff#\nx 2", WalkUp::No);
        assert_eq!(binary[0].found, Err(LineError::Binary { byte: 0xff, column: 2 }));
        assert_eq!(binary.len(), 2);
    }

    #[test]
    fn a_keyword_goes_before_a_text_and_a_text_before_any_word() {
        let say = "say <^TEXT^|loud>";
        let forms = [say, "tell [WORD] ^TEXT^", "write [to] ^TEXT^", "[no] note WORD ^TEXT^"];
        let image = image_of(&forms, &[]);
        let config =
            "say loud\nsay #loud#\ntell #a b#\nwrite to #a#\nsay \u{3}\na\u{3}\nno note a\n";
        assert_eq!(
            shown(&image, config, WalkUp::No),
            [
                "1 say loud",
                "2 say #loud#",
                "3 tell #a b#",
                "4 write to #a#",
                "5 say \\u{3}\\na\\u{3}",
                "7 no note a",
            ]
        );
    }

    #[test]
    fn a_string_keeps_its_blanks_where_a_form_takes_one() {
        let image = image_of(&["a \"WORD\" [x]", "b LINE..."], &[]);
        let config = "a \"b  c\" x\na \"b\na d\nb \"c  d\"\na \"b\tc\"";
        assert_eq!(
            shown(&image, config, WalkUp::No),
            ["1 a \"b  c\" x", "2 a \"b", "3 a d", "4 b \"c d\"", "5 a \"b\\tc\""]
        );
    }

    #[test]
    fn no_quote_of_a_string_begins_a_text() {
        let image = image_of(&["collect \"WORD\" \"WORD\"", "cluster WORD WORD ^TEXT^"], &[]);
        let config = "c \"a b\" \"c  d\"\ncluster \"a b\" \"c  d\"\ncluster a b \"c\nd\"";
        assert_eq!(
            shown(&image, config, WalkUp::No),
            ["1 collect \"a b\" \"c  d\"", "2 cluster \"a b\" \"c  d\"", "3 cluster a b \"c\\nd\"",]
        );
    }
}
