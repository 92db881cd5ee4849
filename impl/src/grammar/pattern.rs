//! Patterns: how forms begin, whatever a release calls their placeholders, and which of their words
//! tell one line from another.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::form::{Form, LeafId, Negation, Node};
use super::token::Token;

/// The beginning of forms: keywords, `<a|b>` for one of several, `$name` for words that are named,
/// `_` for any that are not. A keyword that must follow makes another command of it, but where the
/// pattern ends with `..`; values and optional words do not.
///
/// ```
/// use skewsync::grammar::{Form, Pattern};
/// let pattern = Pattern::read("neighbor $peer route-map _ $way").expect("a pattern");
/// let form = Form::parse("no neighbor <A.B.C.D|WORD> route-map [RMAP] <in|out>")?;
/// let named = pattern.name(&form).expect("it begins so");
/// assert_eq!(
///     named.text(),
///     "no neighbor <A.B.C.D$peer|WORD$peer> route-map [WORD] <in$way|out$way>"
/// );
/// assert!(pattern.name(&Form::parse("neighbor WORD shutdown")?).is_none());
/// # Ok::<(), skewsync::grammar::FormError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    words: Box<[Part]>,
    /// Whether anything may follow.
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// One of these keywords.
    Keywords(Box<[Box<str>]>),
    /// Words of this name; without a name none of them matters.
    Words(Option<Box<str>>),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The word that is none of a pattern.
    pub fn read(text: &str) -> Result<Self, &str> {
        let mut words = Vec::new();
        let mut open = false;
        for word in text.split_whitespace() {
            if open {
                return Err("..");
            }
            open = word == "..";
            if !open {
                words.push(Part::read(word).ok_or(word)?);
            }
        }
        if words.is_empty() {
            return Err("");
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { text: text.into(), words: words.into(), open })
    }

    /// The pattern as it was written, with one blank between words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names that it gives.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|part| match part {
            Part::Words(name) => name.as_deref(),
            Part::Keywords(_) => None,
        })
    }

    /// The form with these names, if it begins so, a leading `no` aside. Names of its own stay
    /// where they are no names of the pattern.
    pub fn name(&self, form: &Form) -> Option<Form> {
        let mut nodes = alloc::vec![form.root()];
        if let Node::Sequence(parts) = form.root() {
            let begins = usize::from(form.negation() != Negation::Never);
            nodes = parts[begins..].iter().collect();
        }
        let mut taken = Vec::new();
        if !self.align(form, &nodes, &self.words, &mut taken) {
            return None;
        }
        let mut names: BTreeMap<LeafId, &str> = BTreeMap::new();
        for (part, leaf) in taken {
            if let Part::Words(Some(name)) = part {
                names.insert(leaf, name);
            }
        }
        let given = |name: &str| self.names().any(|own| own == name);
        form.with_names(|id| {
            let own = form.leaf(id).name.as_deref().filter(|name| !given(name));
            names.get(&id).copied().or(own)
        })
    }

    /// Whether the words take what the nodes begin with; what each of them took.
    fn align<'p>(
        &self,
        form: &Form,
        nodes: &[&Node],
        words: &'p [Part],
        taken: &mut Vec<(&'p Part, LeafId)>,
    ) -> bool {
        let Some((word, more)) = words.split_first() else {
            return self.open
                || !nodes.iter().find_map(|node| must_begin(form, node)).unwrap_or(false);
        };
        let Some((node, rest)) = nodes.split_first() else {
            return false;
        };
        let before = taken.len();
        let went = match node {
            Node::Sequence(parts) => {
                let nodes: Vec<&Node> = parts.iter().chain(rest.iter().copied()).collect();
                self.align(form, &nodes, words, taken)
            }
            Node::Optional(part) | Node::OptionalAfterNo(part) => {
                let nodes: Vec<&Node> = [&**part].into_iter().chain(rest.iter().copied()).collect();
                let within = self.align(form, &nodes, words, taken);
                if !within {
                    taken.truncate(before);
                }
                within || self.align(form, rest, words, taken)
            }
            Node::Leaf(id) => {
                let fits = match (&form.leaf(*id).token, word) {
                    (Token::Keyword(keyword), Part::Keywords(words)) => words.contains(keyword),
                    (Token::Keyword(_), Part::Words(_)) | (_, Part::Keywords(_)) => false,
                    (_, Part::Words(_)) => true,
                };
                taken.push((word, *id));
                fits && self.align(form, rest, more, taken)
            }
            Node::Choice(parts) => {
                let fits = match word {
                    Part::Words(_) => true,
                    Part::Keywords(words) => parts.iter().all(|part| match part {
                        Node::Leaf(id) => match &form.leaf(*id).token {
                            Token::Keyword(keyword) => words.contains(keyword),
                            _ => false,
                        },
                        _ => false,
                    }),
                };
                parts.iter().for_each(|part| leaves(part, &mut |id| taken.push((word, id))));
                fits && self.align(form, rest, more, taken)
            }
            Node::Unordered(_) => false,
        };
        if !went {
            taken.truncate(before);
        }
        went
    }
}

impl Part {
    fn read(word: &str) -> Option<Self> {
        let is_word = |word: &str| {
            let mark = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let begins = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            word.starts_with(begins) && word.chars().all(mark)
        };
        if word == "_" {
            return Some(Self::Words(None));
        }
        if let Some(name) = word.strip_prefix('$') {
            return is_word(name).then(|| Self::Words(Some(name.into())));
        }
        let several = word.strip_prefix('<').map(|rest| rest.strip_suffix('>'));
        let words = several.unwrap_or(Some(word))?.split('|');
        let words: Option<Box<[Box<str>]>> =
            words.map(|word| is_word(word).then(|| word.into())).collect();
        words.map(Self::Keywords)
    }
}

/// Whether a line goes on with a keyword here; none: it may go on without a word of this node.
fn must_begin(form: &Form, node: &Node) -> Option<bool> {
    match node {
        Node::Leaf(id) => Some(form.leaf(*id).token.is_keyword()),
        Node::Sequence(parts) => parts.iter().find_map(|part| must_begin(form, part)),
        Node::Choice(_) | Node::Unordered(_) => Some(false),
        Node::Optional(_) | Node::OptionalAfterNo(_) => None,
    }
}

fn leaves(node: &Node, each: &mut impl FnMut(LeafId)) {
    match node {
        Node::Leaf(id) => each(*id),
        Node::Sequence(parts) | Node::Choice(parts) | Node::Unordered(parts) => {
            parts.iter().for_each(|part| leaves(part, each));
        }
        Node::Optional(part) | Node::OptionalAfterNo(part) => leaves(part, each),
    }
}

impl Form {
    /// The same form with these names of its tokens; none where it has a text that cannot be
    /// written so.
    fn with_names<'a>(&self, name: impl Fn(LeafId) -> Option<&'a str>) -> Option<Self> {
        let mut text = String::new();
        let mut rest = self.normal();
        for number in 0..self.leaves().len() {
            let begins = rest.find(|c| !is_punctuation(c))?;
            let token = &rest[begins..];
            let ends = token.find(|c| is_punctuation(c) && c != '!').unwrap_or(token.len());
            text.push_str(&rest[..begins + ends]);
            rest = &token[ends..];
            let id = LeafId(number as u16);
            if let Some(name) = name(id).filter(|_| !self.is_sign(id)) {
                text.push('$');
                text.push_str(name);
            }
        }
        text.push_str(rest);
        Self::parse(&text).ok().filter(|named| named == self)
    }

    /// What its lines that negate with no more words than they must are, as a form.
    pub(crate) fn negative(&self) -> Option<Self> {
        let rest = self.normal().strip_prefix("[no] ")?;
        let (mut text, mut depth) = (String::from("no "), None::<usize>);
        let mut marks = rest.chars().peekable();
        while let Some(c) = marks.next() {
            match (c, &mut depth) {
                ('!', None) if marks.peek() == Some(&'[') => depth = Some(0),
                (_, None) => text.push(c),
                ('[' | '<' | '{', Some(depth)) => *depth += 1,
                (']' | '>' | '}', Some(1)) => depth = None,
                (']' | '>' | '}', Some(depth)) => *depth -= 1,
                (_, Some(_)) => {}
            }
        }
        Self::parse(text.trim_end()).ok()
    }

    /// What its lines that do not negate are, as a form.
    pub(crate) fn positive(&self) -> Option<Self> {
        let rest = match self.negation() {
            Negation::Never => self.text(),
            Negation::Optional => self.normal().strip_prefix("[no] ")?,
            Negation::Always => return None,
        };
        // What only `no` may leave out is mandatory.
        let mut text = String::new();
        let mut closes = Vec::new();
        let mut after_mark = false;
        for c in rest.chars() {
            match c {
                '!' => after_mark = true,
                '[' => {
                    closes.push(after_mark);
                    text.push(if after_mark { '<' } else { '[' });
                    after_mark = false;
                }
                ']' => text.push(if closes.pop() == Some(true) { '>' } else { ']' }),
                c => text.push(c),
            }
        }
        Self::parse(&text).ok()
    }
}

/// What stands between the tokens of a normal form.
fn is_punctuation(c: char) -> bool {
    " <>[]{}|!".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pattern: &str, form: &str) -> Option<String> {
        let form = Form::parse(form).unwrap();
        let named = Pattern::read(pattern).unwrap().name(&form)?;
        assert_eq!(named, form);
        Some(named.text().into())
    }

    #[test]
    fn a_pattern_finds_its_words_in_forms_of_other_shapes() {
        let is = |pattern: &str, form: &str, text: &str| {
            assert_eq!(named(pattern, form).as_deref(), Some(text));
        };
        is("x $a", "[no] x WORD$a (1-9)$a", "[no] x WORD$a (1-9)");
        is("x <in|out>", "x [seq (1-9)$s] in", "x [seq (1-9)$s] in");
        is("x $a", "x <std WORD|(1-9)>", "x <(1-9)$a|std$a WORD$a>");
        is("x $a", "no x [WORD]", "no x [WORD$a]");
        is("x $a ..", "x WORD y (1-9)", "x WORD$a y (1-9)");
    }

    #[test]
    fn a_form_that_begins_otherwise_has_no_names() {
        for (pattern, form) in [
            ("x $a", "x y"),
            ("x $a", "x"),
            ("x y", "x WORD"),
            ("x <a|b>", "x <a|b|c>"),
            ("x $a z", "x {WORD|y} z"),
            ("x $a", "x WORD y"),
            ("x", "x [WORD] y (1-9)"),
        ] {
            assert_eq!(named(pattern, form), None, "{pattern} {form}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_told() {
        assert_eq!(Pattern::read("x WORD"), Err("WORD"));
        assert_eq!(Pattern::read("x $"), Err("$"));
        assert_eq!(Pattern::read("x .. y"), Err(".."));
        assert_eq!(Pattern::read(".."), Err(""));
        assert_eq!(Pattern::read("x <a|B>"), Err("<a|B>"));
        assert_eq!(Pattern::read(" "), Err(""));
    }

    #[test]
    fn what_only_no_may_leave_out_is_mandatory_without_it() {
        let is = |form: &str, positive: &str| {
            assert_eq!(Form::parse(form).unwrap().positive().unwrap().normal(), positive);
        };
        is("[no] x ![(1-9)$n [y]]", "x (1-9) [y]");
        is("[no] x ![a|b] [c]", "x <a|b> [c]");
        is("x ^TEXT^", "x ^TEXT^");
        assert!(Form::parse("no x").unwrap().positive().is_none());
        let negative = |form: &str| Form::parse(form).unwrap().negative().unwrap();
        assert_eq!(negative("[no] x ![(1-9)$n [y]] z").normal(), "no x z");
        assert_eq!(negative("[no] x [WORD] ![a|<b|c>]").normal(), "no x [WORD]");
    }
}
