//! A form: one command as syntax.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};
use core::ops::Range;

use once_cell::race::OnceBox;

use super::captures::Captures;
use super::list::Elements;
use super::matcher::Program;
use super::reader::{Raw, read};
use super::token::Token;
use super::words::{Words, split_words};

/// The longest text of a form.
pub const FORM_BYTES_MAX: usize = 16 * 1024;

/// A token's place in its form: its number in the form's normal order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafId(pub u16);

/// One token where it stands in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Which words it takes.
    pub token: Token,
    /// The token as it was declared: `IFNAME`, `(1-4094)`.
    pub text: Box<str>,
    /// Its name, where one was given by `$name`.
    pub name: Option<Box<str>>,
    /// The name that it has without: of a variable its text, else the preceding keyword.
    pub implied: Option<Box<str>>,
    /// Whether it takes all words to the end of the line.
    pub variadic: bool,
}

/// How a form can be negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Negation {
    /// It has no `no`.
    Never,
    /// It begins with `[no]`.
    Optional,
    /// It begins with `no`.
    Always,
}

/// A form's tree in normal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Leaf(LeafId),
    Sequence(Box<[Self]>),
    Choice(Box<[Self]>),
    Optional(Box<Self>),
    OptionalAfterNo(Box<Self>),
    Unordered(Box<[Self]>),
}

/// One command as syntax. Equal forms have equal normal texts. Clones share all.
///
/// ```
/// use skewsync::grammar::Form;
/// let form = Form::parse("[no] neighbor <A.B.C.D|X:X::X:X>$peer remote-as ASNUM$asn")?;
/// assert_eq!(form.normal(), "[no] neighbor <A.B.C.D|X:X::X:X> remote-as ASNUM");
/// assert_eq!(form.capture("peer").len(), 2);
/// # Ok::<(), skewsync::grammar::FormError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Form(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    text: Box<str>,
    normal: Box<str>,
    leaves: Box<[Leaf]>,
    root: Node,
    /// Compiled when it is first asked for: a function of the rest.
    program: OnceBox<Program>,
    /// What a line carries, collected when it is first asked for.
    captures: OnceBox<Captures>,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// [`FormError`], with the bytes of `text` that are wrong.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        if text.len() > FORM_BYTES_MAX {
            let span = FORM_BYTES_MAX..text.len();
            return Err(FormError { span, kind: FormErrorKind::TooLong { max: FORM_BYTES_MAX } });
        }
        let raw = read(text)?.ordered();
        let normal = raw.normal().into();
        let mut leaves = Vec::new();
        let mut preceding = None;
        let root = number(raw, &mut leaves, &mut preceding);
        Ok(Self(Arc::new(Parts {
            text: text.into(),
            normal,
            leaves: leaves.into(),
            root,
            program: OnceBox::new(),
            captures: OnceBox::new(),
        })))
    }

    /// The form as it was declared.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The normal form: names dropped, placeholders by kind, alternatives sorted, nesting flat.
    pub fn normal(&self) -> &str {
        &self.0.normal
    }

    /// The tokens, in normal order.
    pub fn leaves(&self) -> &[Leaf] {
        &self.0.leaves
    }

    /// The token at `id`.
    ///
    /// # Panics
    /// When `id` is of another form.
    pub fn leaf(&self, id: LeafId) -> &Leaf {
        &self.0.leaves[usize::from(id.0)]
    }

    /// The leaves that capture `name`: those named so, or, where none is, those that imply it. Of a
    /// part that is known by its words: the first of these.
    pub fn capture(&self, name: &str) -> Vec<LeafId> {
        if let Some(named) = self.captures().find(name) {
            return named.leaves.clone();
        }
        let ids = (0..self.0.leaves.len() as u16).map(LeafId);
        let implied = |leaf: &Leaf| leaf.name.is_none() && leaf.implied.as_deref() == Some(name);
        ids.filter(|id| implied(self.leaf(*id))).collect()
    }

    /// The names given by `$name`, each once, in normal order; not that of a leading `no`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.captures().named().map(|capture| &*capture.name).filter(|name| *name != "no")
    }

    /// All that tells one line of the form from another: the names, then the parts that are known
    /// by their words: which of `<in|out>`, whether there is `[bfd]`, which of `{a|b}`. A part that
    /// holds a capture is known by that. The name of such a part is its words in brackets.
    pub fn carried(&self) -> impl Iterator<Item = &str> {
        let all = self.captures().all().map(|capture| &*capture.name);
        all.filter(|name| *name != "no")
    }

    /// Whether a line of the form can carry `name`.
    pub fn carries(&self, name: &str) -> bool {
        self.captures().find(name).is_some_and(|_| name != "no")
    }

    /// Whether each line of the form that sets carries `name`.
    pub fn always_carries(&self, name: &str) -> bool {
        self.captures().always(name)
    }

    /// Parts that nothing tells from others of the form: the same words stand in two.
    pub fn alike(&self) -> impl Iterator<Item = &str> {
        self.captures().alike()
    }

    /// Whether a line of the form is told by what it carries: no part stands twice, and no name
    /// stands for two kinds of values.
    pub fn is_plain(&self) -> bool {
        self.captures().is_plain()
    }

    /// What a line carries.
    pub(super) fn captures(&self) -> &Captures {
        self.0.captures.get_or_init(|| Box::new(Captures::from_form(self)))
    }

    /// Placeholders without a name: what a form that stands in a change must not have.
    pub fn unnamed(&self) -> impl Iterator<Item = &Leaf> {
        self.0.leaves.iter().filter(|leaf| !leaf.token.is_keyword() && leaf.name.is_none())
    }

    /// Whether and how the form negates.
    pub fn negation(&self) -> Negation {
        let first = match &self.0.root {
            Node::Sequence(parts) => parts.first(),
            other => Some(other),
        };
        let is_no = |node: &Node| matches!(node, Node::Leaf(id) if self.leaf(*id).token.is_no());
        match first {
            Some(Node::Optional(inner)) if is_no(inner) => Negation::Optional,
            Some(node) if is_no(node) => Negation::Always,
            Some(_) | None => Negation::Never,
        }
    }

    /// The leaf of the capture `name` that lists values: `KIND,...`, or the words of `KIND...`.
    pub fn list(&self, name: &str) -> Option<LeafId> {
        let is_list = |id: &LeafId| {
            let leaf = self.leaf(*id);
            leaf.variadic || matches!(leaf.token, Token::List(_))
        };
        self.capture(name).into_iter().find(is_list)
    }

    /// The list `name` of the line `words` with the values that `more` has of it, or without them;
    /// none: nothing is left.
    pub fn list_edited(
        &self,
        words: &Words,
        name: &str,
        more: &Words,
        adds: bool,
    ) -> Option<String> {
        let leaf = self.list(name)?;
        let value = |words: &Words| words.joined(&[leaf]).map(Cow::into_owned).unwrap_or_default();
        let (now, more) = (value(words), value(more));
        if let Token::List(of) = &self.leaf(leaf).token {
            let read = |word: &str| Elements::read(of, word);
            let Some(more) = read(&more) else { return Some(now) };
            let now = match read(&now) {
                Some(now) if adds => now.with(more),
                Some(now) => now.without(&more),
                None if adds => more,
                None => return None,
            };
            return now.word();
        }
        let mut all: Vec<&str> = split_words(&now).collect();
        for word in split_words(&more) {
            let there = all.iter().position(|other| *other == word);
            match (adds, there) {
                (true, None) => all.push(word),
                (false, Some(at)) => drop(all.remove(at)),
                (true, Some(_)) | (false, None) => {}
            }
        }
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// Whether the leaf is the `no` with which a line of the form negates.
    pub fn is_sign(&self, id: LeafId) -> bool {
        id == LeafId(0) && self.leaf(id).token.is_no() && self.negation() != Negation::Never
    }

    pub(super) fn root(&self) -> &Node {
        &self.0.root
    }

    /// The form compiled for the matcher.
    pub(super) fn program(&self) -> &Program {
        let compile = || Box::new(Program::from_form(self));
        self.0.program.get_or_init(compile)
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.normal == other.0.normal
    }
}

impl Eq for Form {}

impl PartialOrd for Form {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Form {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.normal.cmp(&other.0.normal)
    }
}

impl Hash for Form {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.normal.hash(state);
    }
}

/// Why a text is no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FormError {
    /// The bytes of the text that are wrong.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub kind: FormErrorKind,
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormErrorKind {
    /// There is no token.
    #[error("an empty form: write at least one keyword")]
    Empty,
    /// Nothing stands between `|` or brackets.
    #[error("an empty alternative: write what stands there, or use `[..]`")]
    EmptyAlternative,
    /// A bracket is not closed.
    #[error("the bracket that opens here is never closed: `{close}` is missing")]
    Unclosed {
        /// What would close it.
        close: char,
    },
    /// Something else was to stand here.
    #[error("expected {expected}, found `{found}`")]
    Expected {
        /// What was to stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// Not `(min-max)` with min <= max.
    #[error("`{found}` is no range: write (min-max), min not above max")]
    Range {
        /// What stands here.
        found: String,
    },
    /// Something follows a text.
    #[error("a text is the last of a form")]
    TextNotLast,
    /// Brackets nest too deep.
    #[error("brackets nest deeper than {max}")]
    TooDeep {
        /// The bound.
        max: usize,
    },
    /// The form is too long.
    #[error("longer than {max}")]
    TooLong {
        /// The bound.
        max: usize,
    },
}

fn number(raw: Raw, leaves: &mut Vec<Leaf>, preceding: &mut Option<Box<str>>) -> Node {
    let mut all = |parts: Vec<Raw>, preceding: &mut Option<Box<str>>, reset: bool| -> Box<[Node]> {
        let start = preceding.clone();
        let mut made = Vec::with_capacity(parts.len());
        for part in parts {
            if reset {
                preceding.clone_from(&start);
            }
            made.push(number(part, leaves, preceding));
        }
        made.into()
    };
    match raw {
        Raw::Token { token, text, name, variadic } => {
            let implied = match &token {
                Token::Keyword(keyword) => {
                    *preceding = Some(keyword.clone());
                    (**keyword == *"no" && leaves.is_empty()).then(|| "no".into())
                }
                Token::Variable if !matches!(&*text, "WORD" | "NAME") => {
                    Some(text.to_ascii_lowercase().replace('-', "_").into())
                }
                Token::Variable
                | Token::String
                | Token::List(_)
                | Token::Text { .. }
                | Token::Ipv4
                | Token::Ipv4Prefix
                | Token::Ipv6
                | Token::Ipv6Prefix
                | Token::Mac
                | Token::MacPrefix
                | Token::Asn
                | Token::Range { .. } => preceding.clone(),
            };
            let id = LeafId(leaves.len() as u16);
            leaves.push(Leaf { token, text, name, implied, variadic });
            Node::Leaf(id)
        }
        Raw::Sequence(parts) => Node::Sequence(all(parts, preceding, false)),
        Raw::Choice(parts) => Node::Choice(all(parts, preceding, true)),
        Raw::Unordered(parts) => Node::Unordered(all(parts, preceding, true)),
        Raw::Optional(part) => Node::Optional(Box::new(number(*part, leaves, preceding))),
        Raw::OptionalAfterNo(part) => {
            Node::OptionalAfterNo(Box::new(number(*part, leaves, preceding)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> FormErrorKind {
        Form::parse(text).unwrap_err().kind
    }

    #[test]
    fn a_renamed_placeholder_or_another_order_gives_the_same_normal_form() {
        let one = Form::parse("[no] match <ip|ipv6> address RMAP_NAME$name [{b|a}]").unwrap();
        let other = Form::parse("[no$no] match <ipv6|ip> address WORD [ {a|b} ]").unwrap();
        assert_eq!(one, other);
        assert_eq!(one.normal(), "[no] match <ip|ipv6> address WORD [{a|b}]");
        assert_eq!(one.negation(), Negation::Optional);
    }

    #[test]
    fn negative_ranges_are_read() {
        let form = Form::parse("offset (-12-12)$hours (1 - 4)").unwrap();
        assert_eq!(form.normal(), "offset (-12-12) (1-4)");
        assert_eq!(form.names().collect::<Vec<_>>(), ["hours"]);
    }

    #[test]
    fn an_error_says_where_and_what() {
        assert_eq!(kind("a [b <c|d>"), FormErrorKind::Unclosed { close: ']' });
        assert_eq!(Form::parse("a [b <c|d>").unwrap_err().span, 2..3);
        assert_eq!(kind("a (4-1)"), FormErrorKind::Range { found: "(4-1)".into() });
        assert_eq!(kind("a <b|>"), FormErrorKind::EmptyAlternative);
        assert_eq!(kind("  "), FormErrorKind::Empty);
        assert!(matches!(kind("a]"), FormErrorKind::Expected { .. }));
        assert!(matches!(kind("a A.B.C.D/24$a"), FormErrorKind::Expected { .. }));
        assert!(matches!(kind("VAR... b"), FormErrorKind::Expected { .. }));
        assert!(matches!(kind(&"[a ".repeat(40)), FormErrorKind::TooDeep { .. }));
    }

    #[test]
    fn a_text_stands_last_and_only_a_quoted_placeholder_is_a_string() {
        let form = Form::parse("[no] x <y ^TEXT:quit^$t|\"WORD\"$s|^NOTE^$n>").unwrap();
        assert_eq!(form.normal(), "[no] x <\"WORD\"|^TEXT^|y ^TEXT:quit^>");
        for text in ["x ^TEXT^ y", "x [^TEXT^] y", "x <^TEXT^|a> [b]", "x {a|b ^TEXT^}"] {
            assert_eq!(kind(text), FormErrorKind::TextNotLast, "{text}");
        }
        assert_eq!(Form::parse("x ^TEXT^$t y").unwrap_err().span, 11..12);
        for text in ["^TEXT^", "x ^TEXT", "x ^TEXT:^", "x \"WORD", "x \"WORD:a\"y z", "x ^TEXT^..."]
        {
            assert!(matches!(kind(text), FormErrorKind::Expected { .. }), "{text}");
        }
        // What a set of real commands may have stays a keyword.
        assert!(Form::parse("x ^ \" \"a\"").unwrap().leaves().iter().all(|l| l.token.is_keyword()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z A-Z<>\\[\\]{}|!$()0-9.:/-]{0,60}") {
            if let Ok(form) = Form::parse(&text) {
                let again = Form::parse(form.normal()).unwrap();
                prop_assert_eq!(again.normal(), form.normal());
            }
        }
    }
}
