//! Which of many forms a line is of: look-ahead over all words, precedence of token kinds, the four
//! outcomes of a parser.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::form::{Form, LeafId, Node};
use super::token::{Fit, Token};
use super::words::Words;

/// The most words a line may have. Source: FRRouting's CMD_ARGC_MAX.
pub const WORDS_MAX: usize = 256;
/// The most steps that one form may take on one line; real forms take a few hundred.
const STEPS_MAX: u32 = 200_000;

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<Id> {
    /// A line of one form.
    Match {
        /// The form.
        id: Id,
        /// The line in canonical words.
        words: Words,
    },
    /// No form takes it.
    NoMatch {
        /// The first word that nothing takes.
        at: usize,
    },
    /// Two forms take it equally well.
    Ambiguous {
        /// Those forms.
        ids: Vec<Id>,
    },
    /// It is the beginning of a line.
    Incomplete,
}

/// Many forms, asked together.
#[derive(Clone, Debug)]
pub struct Matcher<Id> {
    forms: Vec<(Id, Form)>,
    /// First keywords, each with the number of a form that can begin so; ascending.
    by_first: Vec<(Arc<str>, u32)>,
    /// Forms that do not begin with a keyword.
    open: Vec<u32>,
    /// The kinds of texts that a line of them can end with.
    texts: BTreeSet<Token>,
    /// Whether a word of them can be a string in quotes.
    strings: bool,
    /// So many of the first go before the others, where both take a line equally well.
    stated: usize,
}

impl<Id: Copy + Ord> Matcher<Id> {
    /// Compiles `forms`. Of those that take a line equally well, as the same tokens, the earlier
    /// wins.
    pub fn from_forms<'a>(forms: impl IntoIterator<Item = (Id, &'a Form)>) -> Self {
        let mut matcher = Self {
            forms: Vec::new(),
            by_first: Vec::new(),
            open: Vec::new(),
            texts: BTreeSet::new(),
            strings: false,
            stated: 0,
        };
        for (id, form) in forms {
            let tokens = form.leaves().iter().map(|leaf| &leaf.token);
            matcher.texts.extend(tokens.clone().filter(|token| token.is_text()).cloned());
            matcher.strings |= tokens.clone().any(|token| *token == Token::String);
            let number = matcher.forms.len() as u32;
            match &form.program().first {
                Some(keywords) => {
                    let firsts = keywords.iter().map(|word| (Arc::clone(word), number));
                    matcher.by_first.extend(firsts);
                }
                None => matcher.open.push(number),
            }
            matcher.forms.push((id, form.clone()));
        }
        matcher.by_first.sort_unstable();
        matcher.by_first.dedup();
        matcher
    }

    /// The same, where the first `stated` forms go before the others: of those that take a line
    /// equally well, as other tokens, too.
    pub fn from_stated<'a>(stated: usize, forms: impl IntoIterator<Item = (Id, &'a Form)>) -> Self {
        Self { stated, ..Self::from_forms(forms) }
    }

    /// The ids of its forms, as they were given.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Id> {
        self.forms.iter().map(|(id, _)| *id)
    }

    /// The kinds of texts that a line of its forms can end with.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Token> {
        self.texts.iter()
    }

    /// Whether a word of its forms can be a string in quotes.
    pub(crate) const fn has_strings(&self) -> bool {
        self.strings
    }

    /// What the line of `words` is.
    pub fn resolve(&self, words: &[&str]) -> Resolution<Id> {
        let Some(first) = words.first() else {
            return Resolution::Incomplete;
        };
        if words.len() > WORDS_MAX {
            return Resolution::NoMatch { at: WORDS_MAX };
        }
        let numbers = self.candidates(first, words.get(1).copied());
        let mut walk = Walk::new(words);
        let mut found: Vec<Found<'_, Id>> = Vec::new();
        // A form that cannot have so many words is not asked until it is to be said what is wrong.
        for number in &numbers {
            let (id, form) = &self.forms[*number as usize];
            let program = form.program();
            if program.length.contains(&words.len()) {
                walk.run(program);
                let first = (*number as usize) < self.stated;
                let paths = walk.paths.drain(..);
                found.extend(paths.map(|path| Found { id: *id, program, path, first }));
            }
        }
        if !found.is_empty() {
            return choose(words, found);
        }
        let mut walk = Walk::new(words);
        for number in &numbers {
            walk.run(self.forms[*number as usize].1.program());
        }
        if walk.ended {
            Resolution::Incomplete
        } else {
            Resolution::NoMatch { at: walk.furthest.min(words.len() - 1) }
        }
    }

    /// The forms that can begin with these words, ascending.
    fn candidates(&self, first: &str, second: Option<&str>) -> Vec<u32> {
        let mut numbers = self.open.clone();
        let mut beginning_with = |word: &str| {
            let from = self.by_first.partition_point(|(first, _)| **first < *word);
            let firsts = self.by_first[from..].iter();
            numbers.extend(
                firsts.take_while(|(first, _)| first.starts_with(word)).map(|(_, number)| *number),
            );
        };
        beginning_with(first);
        // `no` is as a rule optional: what follows it is the better key.
        if first == "no"
            && let Some(second) = second
        {
            beginning_with(second);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// One way in which a form takes all words: each word's leaf.
type Path = Vec<LeafId>;

/// A form that takes a line, with one of the ways in which it does.
struct Found<'a, Id> {
    id: Id,
    program: &'a Program,
    path: Path,
    /// Whether the form goes before those that are not so.
    first: bool,
}

impl<Id> Found<'_, Id> {
    fn token(&self, at: usize) -> &Token {
        self.program.token(self.path[at])
    }
}

/// From word to word the best fit wins; at equal fits two different tokens are ambiguous.
fn choose<Id: Copy + Ord>(words: &[&str], mut found: Vec<Found<'_, Id>>) -> Resolution<Id> {
    for (at, word) in words.iter().enumerate() {
        if found.len() == 1 {
            break;
        }
        let best = found.iter().filter_map(|found| found.token(at).fit(word)).min();
        found.retain(|found| found.token(at).fit(word) == best);
        let differs = |found: &[Found<'_, Id>]| {
            found.iter().any(|other| other.token(at) != found[0].token(at))
        };
        let goes_first = |found: &Found<'_, Id>| found.first && best != Some(Fit::Abbreviated);
        if differs(&found) && found.iter().any(goes_first) {
            found.retain(|found| found.first);
        }
        // Variables of different names accept the same words: they count as one token.
        if differs(&found) && best != Some(Fit::Any) {
            let mut ids: Vec<Id> = found.iter().map(|found| found.id).collect();
            ids.sort_unstable();
            ids.dedup();
            if ids.len() > 1 || best == Some(Fit::Abbreviated) {
                return Resolution::Ambiguous { ids };
            }
        }
    }
    // Those left take the same words as the same tokens: the form that was given first has them.
    let Found { id, program, path, .. } = &found[0];
    let canonical = words.iter().zip(path);
    let canonical =
        canonical.map(|(word, leaf)| (*leaf, program.token(*leaf).canonical(word))).collect();
    Resolution::Match { id: *id, words: Words::from_taken(canonical) }
}

/// A form compiled to steps.
#[derive(Clone, Debug)]
pub(super) struct Program {
    tokens: Box<[Token]>,
    pub(super) ops: Vec<Op>,
    /// The keywords with which a line can begin, a leading `no` aside; none if a placeholder can.
    pub(super) first: Option<Box<[Arc<str>]>>,
    /// How many words a line can have.
    length: RangeInclusive<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Takes one word, goes on behind.
    Word(LeafId),
    /// Takes one or more words.
    Words(LeafId),
    /// Takes one word; none in a line that begins with `no`.
    Text(LeafId),
    /// Goes on at each of these.
    Fork(Vec<u16>),
    /// Skips to the first only if the line begins with `no`; else goes on behind.
    SkipAfterNo(u16),
    Jump(u16),
    /// The head of `{..}`, which branches jump back to: each branch once, out after one at least.
    Unordered {
        loop_id: u8,
        branches: Vec<u16>,
        exit: u16,
    },
    End,
}

impl Op {
    /// What it takes a word, or words, as; none: it takes none.
    pub(super) const fn leaf(&self) -> Option<LeafId> {
        match self {
            Self::Word(leaf) | Self::Words(leaf) | Self::Text(leaf) => Some(*leaf),
            Self::Fork(_)
            | Self::SkipAfterNo(_)
            | Self::Jump(_)
            | Self::Unordered { .. }
            | Self::End => None,
        }
    }
}

impl Program {
    pub(super) fn from_form(form: &Form) -> Self {
        let tokens = form.leaves().iter().map(|leaf| leaf.token.clone()).collect();
        let mut program =
            Self { tokens, ops: Vec::new(), first: None, length: length(form, form.root()) };
        let mut loops = 0;
        program.compile(form, form.root(), &mut loops);
        program.ops.push(Op::End);
        program.first = program.first_keywords();
        program
    }

    pub(super) fn token(&self, leaf: LeafId) -> &Token {
        &self.tokens[usize::from(leaf.0)]
    }

    fn here(&self) -> u16 {
        self.ops.len() as u16
    }

    fn compile(&mut self, form: &Form, node: &Node, loops: &mut u8) {
        match node {
            Node::Leaf(id) if form.leaf(*id).variadic => self.ops.push(Op::Words(*id)),
            Node::Leaf(id) if form.leaf(*id).token.is_text() => self.ops.push(Op::Text(*id)),
            Node::Leaf(id) => self.ops.push(Op::Word(*id)),
            Node::Sequence(parts) => {
                parts.iter().for_each(|part| self.compile(form, part, loops));
            }
            Node::Choice(parts) => {
                let fork = self.ops.len();
                self.ops.push(Op::Fork(Vec::new()));
                let starts = self.branches(form, parts, loops, None);
                self.ops[fork] = Op::Fork(starts);
            }
            Node::Optional(part) => {
                let fork = self.ops.len();
                self.ops.push(Op::Fork(Vec::new()));
                self.compile(form, part, loops);
                self.ops[fork] = Op::Fork(alloc::vec![fork as u16 + 1, self.here()]);
            }
            Node::OptionalAfterNo(part) => {
                let skip = self.ops.len();
                self.ops.push(Op::SkipAfterNo(0));
                self.compile(form, part, loops);
                self.ops[skip] = Op::SkipAfterNo(self.here());
            }
            Node::Unordered(parts) => {
                let loop_id = *loops;
                *loops = loops.saturating_add(1);
                let head = self.ops.len();
                self.ops.push(Op::End);
                let branches = self.branches(form, parts, loops, Some(head as u16));
                self.ops[head] = Op::Unordered { loop_id, branches, exit: self.here() };
            }
        }
    }

    /// Compiles alternatives one behind the other; each ends with a jump to `back`, or behind all.
    fn branches(
        &mut self,
        form: &Form,
        parts: &[Node],
        loops: &mut u8,
        back: Option<u16>,
    ) -> Vec<u16> {
        let mut jumps = Vec::new();
        let mut starts = Vec::new();
        for part in parts {
            starts.push(self.here());
            self.compile(form, part, loops);
            jumps.push(self.ops.len());
            self.ops.push(Op::Jump(0));
        }
        let end = back.unwrap_or(self.here());
        for jump in jumps {
            self.ops[jump] = Op::Jump(end);
        }
        starts
    }

    /// The keywords with which a line can begin, a leading `no` aside; none if a placeholder can.
    fn first_keywords(&self) -> Option<Box<[Arc<str>]>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        let mut open = alloc::vec![0u16];
        let mut seen = alloc::vec![false; self.ops.len()];
        let mut behind_no = false;
        while let Some(at) = open.pop() {
            if core::mem::replace(&mut seen[usize::from(at)], true) {
                continue;
            }
            match &self.ops[usize::from(at)] {
                Op::Word(leaf) | Op::Words(leaf) | Op::Text(leaf) => {
                    let Token::Keyword(word) = self.token(*leaf) else {
                        return None;
                    };
                    found.push((&**word).into());
                    if **word == *"no" && !behind_no {
                        behind_no = true;
                        open.push(at + 1);
                    }
                }
                Op::Fork(to) => open.extend(to),
                Op::SkipAfterNo(to) => open.extend([*to, at + 1]),
                Op::Jump(to) => open.push(*to),
                Op::Unordered { branches, .. } => open.extend(branches),
                Op::End => {}
            }
        }
        Some(found.into())
    }
}

/// How many words a line of this part of a form can have.
fn length(form: &Form, node: &Node) -> RangeInclusive<usize> {
    let sum = |one: RangeInclusive<usize>, other: RangeInclusive<usize>| {
        one.start() + other.start()..=one.end().saturating_add(*other.end())
    };
    let any = |one: RangeInclusive<usize>, other: RangeInclusive<usize>| {
        *one.start().min(other.start())..=*one.end().max(other.end())
    };
    let part_length = |part: &Node| length(form, part);
    match node {
        Node::Leaf(id) if form.leaf(*id).variadic => 1..=usize::MAX,
        Node::Leaf(id) if form.leaf(*id).token.is_text() => 0..=1,
        Node::Leaf(_) => 1..=1,
        Node::Sequence(parts) => parts.iter().map(part_length).fold(0..=0, sum),
        Node::Choice(parts) => parts.iter().map(part_length).reduce(any).unwrap_or(0..=0),
        Node::Optional(part) | Node::OptionalAfterNo(part) => 0..=*part_length(part).end(),
        // One branch at least, each once at most.
        Node::Unordered(parts) => {
            let least = parts.iter().map(|part| *part_length(part).start()).min();
            least.unwrap_or(0)..=*parts.iter().map(part_length).fold(0..=0, sum).end()
        }
    }
}

/// Looks for all ways in which forms take these words.
struct Walk<'a> {
    words: &'a [&'a str],
    path: Path,
    paths: Vec<Path>,
    furthest: usize,
    ended: bool,
    steps: u32,
}

/// Which branches of each `{..}` are used: a few loops of up to 64 branches.
type Used = Vec<(u8, u64)>;

impl<'a> Walk<'a> {
    const fn new(words: &'a [&'a str]) -> Self {
        Self { words, path: Vec::new(), paths: Vec::new(), furthest: 0, ended: false, steps: 0 }
    }

    /// Walks one form.
    fn run(&mut self, program: &Program) {
        self.steps = 0;
        self.step(program, 0, &Used::new());
        debug_assert!(self.path.is_empty(), "a walk comes back to its beginning");
    }

    fn step(&mut self, program: &Program, at: u16, used: &Used) {
        self.steps += 1;
        // A form that forks beyond this bound is taken for no match; `image check` names it.
        if self.steps > STEPS_MAX || self.paths.len() >= 64 {
            return;
        }
        self.furthest = self.furthest.max(self.path.len());
        match &program.ops[usize::from(at)] {
            Op::End => {
                if self.path.len() == self.words.len() {
                    self.paths.push(self.path.clone());
                }
            }
            Op::Jump(to) => self.step(program, *to, used),
            Op::Fork(to) => to.iter().for_each(|to| self.step(program, *to, used)),
            Op::SkipAfterNo(to) => {
                self.step(program, at + 1, used);
                if self.takes_away(program) {
                    self.step(program, *to, used);
                }
            }
            Op::Text(_) if self.takes_away(program) => self.step(program, at + 1, used),
            Op::Word(leaf) | Op::Text(leaf) => {
                if self.takes(program, *leaf) {
                    self.path.push(*leaf);
                    self.step(program, at + 1, used);
                    self.path.pop();
                }
            }
            Op::Words(leaf) => {
                let depth = self.path.len();
                while self.takes(program, *leaf) {
                    self.path.push(*leaf);
                    self.step(program, at + 1, used);
                }
                self.path.truncate(depth);
            }
            Op::Unordered { loop_id, branches, exit } => {
                self.branch(program, (*loop_id, branches, *exit), used);
            }
        }
    }

    fn branch(
        &mut self,
        program: &Program,
        (loop_id, branches, exit): (u8, &[u16], u16),
        used: &Used,
    ) {
        let without = || used.iter().filter(|(id, _)| *id != loop_id).copied();
        let mask = used.iter().find(|(id, _)| *id == loop_id);
        let mask = mask.map_or(0, |(_, mask)| *mask);
        if mask != 0 {
            self.step(program, exit, &without().collect());
        }
        for (number, branch) in branches.iter().enumerate().take(64) {
            if mask & (1 << number) == 0 {
                let next = [(loop_id, mask | (1 << number))];
                self.step(program, *branch, &without().chain(next).collect());
            }
        }
    }

    /// Whether the line begins with the form's own `no`.
    fn takes_away(&self, program: &Program) -> bool {
        self.path.first().is_some_and(|first| program.token(*first).is_no())
    }

    fn takes(&mut self, program: &Program, leaf: LeafId) -> bool {
        match self.words.get(self.path.len()) {
            Some(word) => program.token(leaf).fit(word).is_some(),
            None => {
                self.ended = true;
                false
            }
        }
    }
}

impl Form {
    /// Matches one line against this form alone, keywords in full or abbreviated.
    pub fn resolve(&self, words: &[&str]) -> Resolution<()> {
        Matcher::from_forms([((), self)]).resolve(words)
    }

    /// The line of this form that `text` is.
    pub fn words(&self, text: &str) -> Option<Words> {
        let words: Vec<&str> = super::split_words(text).collect();
        match self.resolve(&words) {
            Resolution::Match { words, .. } => Some(words),
            Resolution::NoMatch { .. } | Resolution::Ambiguous { .. } | Resolution::Incomplete => {
                None
            }
        }
    }

    /// What `words` carry, by name: see [`Form::carried`]. Of a part that is known by its words,
    /// the value is the first of them.
    pub fn values_of<'a>(&'a self, words: &'a Words) -> BTreeMap<&'a str, Cow<'a, str>> {
        let carried = self.captures().all().filter(|capture| *capture.name != *"no");
        carried
            .filter_map(|capture| Some((&*capture.name, words.joined(&capture.leaves)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn resolve(forms: &[&str], line: &str) -> Resolution<usize> {
        let forms: Vec<Form> = forms.iter().map(|text| Form::parse(text).unwrap()).collect();
        let words: Vec<&str> = line.split(' ').collect();
        Matcher::from_forms(forms.iter().enumerate()).resolve(&words)
    }

    fn matched(forms: &[&str], line: &str) -> Option<(usize, alloc::string::String)> {
        match resolve(forms, line) {
            Resolution::Match { id, words } => Some((id, words.text().into())),
            _ => None,
        }
    }

    #[test]
    fn a_keyword_matches_by_unique_prefix() {
        assert_eq!(matched(&["show version", "shutdown"], "shut"), Some((1, "shutdown".into())));
        assert_eq!(resolve(&["show", "shutdown"], "sh"), Resolution::Ambiguous { ids: vec![0, 1] });
        assert_eq!(matched(&["ip x", "ipv6 x"], "ip x"), Some((0, "ip x".into())));
    }

    #[test]
    fn no_is_said_in_full() {
        let forms = ["[no] neighbor", "[no] nat ![A.B.C.D]"];
        assert_eq!(matched(&forms, "n"), Some((0, "neighbor".into())));
        assert_eq!(matched(&forms, "no nat"), Some((1, "no nat".into())));
        assert_eq!(resolve(&forms[1..], "n"), Resolution::Incomplete);
        assert_eq!(resolve(&forms[1..], "na"), Resolution::Incomplete);
        assert_eq!(resolve(&forms, "n neighbor"), Resolution::NoMatch { at: 1 });
    }

    #[test]
    fn a_value_beats_a_keyword_beats_a_variable() {
        assert_eq!(matched(&["a WORD", "a (1-9)"], "a 4"), Some((1, "a 4".into())));
        assert_eq!(matched(&["a WORD", "a foo"], "a foo"), Some((1, "a foo".into())));
        assert_eq!(matched(&["a WORD", "a foo"], "a fo"), Some((1, "a foo".into())));
        assert_eq!(matched(&["a WORD", "a foo"], "a bar"), Some((0, "a bar".into())));
    }

    #[test]
    fn look_ahead_settles_what_one_word_leaves_open() {
        let forms = ["show ip bgp A.B.C.D", "show ipv6 bgp X:X::X:X"];
        assert_eq!(matched(&forms, "s i b 4.3.2.1").unwrap().1, "show ip bgp 4.3.2.1");
        assert_eq!(resolve(&forms, "s i b"), Resolution::Incomplete);
    }

    #[test]
    fn branches_in_any_order_are_put_into_form_order() {
        let form = ["timers {keep (1-9)|hold (1-99)|fast}"];
        assert_eq!(matched(&form, "timers hold 30 keep 5").unwrap().1, "timers hold 30 keep 5");
        assert_eq!(matched(&form, "timers keep 5 hold 30").unwrap().1, "timers hold 30 keep 5");
        assert_eq!(matched(&form, "timers keep 5 keep 6"), None);
        assert_eq!(resolve(&form, "timers"), Resolution::Incomplete);
    }

    #[test]
    fn a_part_is_optional_only_after_no() {
        let form = ["[no] mtu ![(68-9216)]"];
        assert_eq!(matched(&form, "no mtu"), Some((0, "no mtu".into())));
        assert_eq!(matched(&form, "no mtu 1500"), Some((0, "no mtu 1500".into())));
        assert_eq!(resolve(&form, "mtu"), Resolution::Incomplete);
        assert_eq!(resolve(&form, "mtu 9"), Resolution::NoMatch { at: 1 });
    }

    #[test]
    fn variadic_takes_the_rest() {
        let form = ["description LINE..."];
        assert_eq!(matched(&form, "desc to the core").unwrap().1, "description to the core");
        assert_eq!(resolve(&form, "description"), Resolution::Incomplete);
    }
}
