//! What a line of a form carries beside its mandatory keywords: values by name, and which parts of
//! keywords alone were taken.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::form::{Form, LeafId, Node};
use super::token::Token;

/// What a form's lines carry.
#[derive(Debug)]
pub(super) struct Captures {
    /// Named by `$name`, in normal order; then parts that are known by their words.
    all: Vec<Capture>,
    /// How many are named.
    named: usize,
    /// The words of parts that stand in the form twice.
    alike: Vec<Box<str>>,
    plain: bool,
    /// What every line that sets carries.
    always: BTreeSet<Box<str>>,
}

/// A name, and the leaves that capture it.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) name: Box<str>,
    pub(super) leaves: Vec<LeafId>,
}

impl Captures {
    pub(super) fn from_form(form: &Form) -> Self {
        let mut all: Vec<Capture> = Vec::new();
        for (number, leaf) in form.leaves().iter().enumerate() {
            let (Some(name), id) = (&leaf.name, LeafId(number as u16)) else {
                continue;
            };
            match all.iter_mut().find(|capture| capture.name == *name) {
                Some(capture) => capture.leaves.push(id),
                None => all.push(Capture { name: name.clone(), leaves: alloc::vec![id] }),
            }
        }
        let named = all.len();
        let of_values = |capture: &Capture| {
            let leaves = capture.leaves.iter();
            leaves.filter(|leaf| !form.leaf(**leaf).token.is_keyword()).count()
        };
        let union = all.iter().any(|capture| of_values(capture) > 1);
        let mut parts = Parts { form, found: Vec::new() };
        parts.walk(form.root());
        let mandatory = parts.mandatory(form.root());
        let mut alike: Vec<Box<str>> = Vec::new();
        for (name, _) in &parts.found {
            if parts.found.iter().filter(|(other, _)| other == name).count() > 1 {
                alike.push(name.clone());
            }
        }
        let known = parts.found.into_iter().filter(|(name, _)| !alike.contains(name));
        all.extend(known.map(|(name, leaf)| Capture { name, leaves: alloc::vec![leaf] }));
        alike.sort();
        alike.dedup();
        let plain = alike.is_empty() && !union;
        let always = mandatory.into_iter().map(Into::into).collect();
        Self { all, named, alike, plain, always }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Capture> {
        self.all.iter()
    }

    pub(super) fn named(&self) -> impl Iterator<Item = &Capture> {
        self.all[..self.named].iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Capture> {
        self.all.iter().find(|capture| *capture.name == *name)
    }

    /// The part that is known by its words and begins with this keyword.
    pub(super) fn part_at(&self, leaf: LeafId) -> Option<&Capture> {
        self.all[self.named..].iter().find(|part| part.leaves[0] == leaf)
    }

    pub(super) fn alike(&self) -> impl Iterator<Item = &str> {
        self.alike.iter().map(|words| &**words)
    }

    pub(super) fn always(&self, name: &str) -> bool {
        self.always.contains(name)
    }

    pub(super) const fn is_plain(&self) -> bool {
        self.plain
    }
}

/// Looks for the parts of a form that are known by their words.
struct Parts<'a> {
    form: &'a Form,
    /// The words in brackets, and the leaf of the first.
    found: Vec<(Box<str>, LeafId)>,
}

impl<'a> Parts<'a> {
    fn walk(&mut self, node: &Node) {
        match node {
            Node::Leaf(_) => {}
            Node::Sequence(parts) => parts.iter().for_each(|part| self.walk(part)),
            Node::Optional(part) => {
                self.part(part, self.mandatory(part).is_empty());
                self.walk(part);
            }
            Node::OptionalAfterNo(part) => self.walk(part),
            Node::Unordered(parts) => {
                for part in parts {
                    self.part(part, self.mandatory(part).is_empty());
                    self.walk(part);
                }
            }
            Node::Choice(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    let others = parts.iter().enumerate().filter(|(other, _)| *other != number);
                    let others: BTreeSet<&str> =
                        others.flat_map(|(_, other)| self.names(other)).collect();
                    let own = self.mandatory(part);
                    self.part(part, own.is_subset(&others));
                    self.walk(part);
                }
            }
        }
    }

    /// A part that may be taken; `open`: no capture says whether it is.
    fn part(&mut self, part: &Node, open: bool) {
        let mut words = String::new();
        let mut first = None;
        self.keywords(part, &mut words, &mut first);
        if let Some(first) = first.filter(|_| open) {
            self.found.push((alloc::format!("[{words}]").into(), first));
        }
    }

    /// The keywords without a name that stand in the part wherever it stands.
    fn keywords(&self, node: &Node, words: &mut String, first: &mut Option<LeafId>) {
        match node {
            Node::Leaf(id) => {
                let leaf = self.form.leaf(*id);
                // The form's own `no` is the sign of a line.
                let sign = *id == LeafId(0) && leaf.token.is_no();
                if let (Token::Keyword(word), None, false) = (&leaf.token, &leaf.name, sign) {
                    first.get_or_insert(*id);
                    if !words.is_empty() {
                        words.push(' ');
                    }
                    words.push_str(word);
                }
            }
            Node::Sequence(parts) => {
                parts.iter().for_each(|part| self.keywords(part, words, first));
            }
            Node::Choice(_) | Node::Optional(_) | Node::OptionalAfterNo(_) | Node::Unordered(_) => {
            }
        }
    }

    /// The names of all captures in a part.
    fn names(&self, node: &Node) -> BTreeSet<&'a str> {
        match node {
            Node::Leaf(id) => self.form.leaf(*id).name.as_deref().into_iter().collect(),
            Node::Sequence(parts) | Node::Choice(parts) | Node::Unordered(parts) => {
                parts.iter().flat_map(|part| self.names(part)).collect()
            }
            Node::Optional(part) | Node::OptionalAfterNo(part) => self.names(part),
        }
    }

    /// The names of the captures that a line that sets has wherever the part stands.
    fn mandatory(&self, node: &Node) -> BTreeSet<&'a str> {
        match node {
            Node::Leaf(_) => self.names(node),
            Node::Sequence(parts) => parts.iter().flat_map(|part| self.mandatory(part)).collect(),
            Node::Choice(parts) => {
                let each = parts.iter().map(|part| self.mandatory(part));
                each.reduce(|one, other| &one & &other).unwrap_or_default()
            }
            // A line that sets has it.
            Node::OptionalAfterNo(part) => self.mandatory(part),
            Node::Optional(_) | Node::Unordered(_) => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::Sign;

    fn form(text: &str) -> Form {
        Form::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn carried(text: &str) -> Vec<String> {
        form(text).carried().map(String::from).collect()
    }

    #[test]
    fn a_part_of_keywords_is_carried_by_its_words() {
        assert_eq!(carried("[no] policy <in|out> WORD$map"), ["map", "[in]", "[out]"]);
        assert_eq!(carried("server A.B.C.D$a [{prefer|iburst}]"), ["a", "[iburst]", "[prefer]"]);
        assert_eq!(carried("peer WORD$p [no check]"), ["p", "[no check]"]);
        assert_eq!(carried("[no] log <console|file WORD$name>"), ["name", "[console]"]);
    }

    #[test]
    fn a_part_that_a_capture_tells_is_carried_by_that() {
        assert_eq!(carried("[no] cost [metric (1-9)$m]"), ["m"]);
        assert_eq!(carried("route <A.B.C.D$gw|dev IFNAME$dev>"), ["gw", "dev"]);
        assert_eq!(carried("level <debug|errors>$level"), ["level"]);
        // The value alone does not say which of these it is.
        assert_eq!(carried("to <host WORD$x|file WORD$x>"), ["x", "[file]", "[host]"]);
    }

    #[test]
    fn keywords_that_stand_in_two_parts_are_told_apart_by_nothing() {
        let form = form("acl <in|out> then <in|out>");
        assert_eq!(form.carried().count(), 0);
        assert_eq!(form.alike().collect::<Vec<_>>(), ["[in]", "[out]"]);
        assert!(!form.is_plain());
    }

    #[test]
    fn a_line_is_made_again_from_what_it_carries() {
        let forms = [
            "[no] policy <in|out> WORD$map",
            "[no] peer <A.B.C.D|X:X::X:X|WORD>$host [{bfd|passive}]",
            "[no] log <console|file WORD$name|to <host|file> WORD$x>",
            "a <b|c (1-9)$n> {x WORD$x|y A.B.C.D$y|z} [opt X:X::X:X/M$p] LINE...$rest",
            "route A.B.C.D/M$p <A.B.C.D$gw|IFNAME$dev> [blackhole|reject] [name WORD$n [keep]]",
        ];
        for text in forms {
            let form = form(text);
            for words in form.examples(200) {
                let carried = form.values_of(&words);
                let values: Vec<(&str, &str)> =
                    carried.iter().map(|(name, value)| (*name, &**value)).collect();
                let made = form.build(words.sign(), &values);
                assert_eq!(made.as_ref(), Ok(&words), "{text}: {words}");
            }
        }
    }

    #[test]
    fn a_key_is_read_back_as_it_was() {
        let form = form("[no] peer <A.B.C.D|X:X::X:X|WORD>$host [via (1-9)$n] key WORD$secret");
        let key: Vec<LeafId> = [form.capture("host"), form.capture("n")].concat();
        for line in ["peer 2001:db8::1 key a", "peer 192.0.2.1 via 7 key a", "peer 7 key 7"] {
            let words = form.words(line).unwrap().only(&key);
            assert_eq!(form.key_words(Some(&key), words.text()), Some(words), "{line}");
        }
        assert_eq!(form.key_words(Some(&key), "a b"), None);
    }

    #[test]
    fn alternatives_that_nothing_given_tells_apart_make_no_line() {
        let form = form("policy <in|out> WORD$map");
        assert!(form.build(Sign::Positive, &[("map", "m")]).is_err());
        let out = form.build(Sign::Positive, &[("map", "m"), ("[out]", "out")]).unwrap();
        assert_eq!(out.text(), "policy out m");
    }

    #[test]
    fn a_capture_of_one_word_takes_no_two() {
        let one = form("member WORD$m").build(Sign::Positive, &[("m", "a b")]);
        assert!(one.is_err(), "{one:?}");
        assert!(form("members WORD...$m").build(Sign::Positive, &[("m", "a b")]).is_ok());
    }
}
