//! Which lines of a form no form of the peer accepts: inclusion of languages, bounded.
//!
//! Both sides are walked together: a place in the form, and the set of places in the peers' forms
//! that the same words can have reached. Lines are taken as they are rendered: keywords in full.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::form::{Form, LeafId};
use super::matcher::{Op, Program};
use super::token::{Token, number};

/// Bounds of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResidueLimits {
    /// Pairs of places that may be looked at; beyond, the answer is `Undetermined`.
    pub states_max: u32,
}

impl Default for ResidueLimits {
    fn default() -> Self {
        Self { states_max: 20_000 }
    }
}

/// Closed intervals, ascending and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueSet(pub Vec<(i128, i128)>);

impl ValueSet {
    /// Whether `value` is in the set.
    pub fn contains(&self, value: i128) -> bool {
        self.0.iter().any(|(min, max)| (*min..=*max).contains(&value))
    }
}

/// What of a form's language the peers' forms do not accept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Residue {
    /// Nothing: every line goes.
    None,
    /// Everything: no line goes.
    Whole,
    /// The lines whose number at this place is in the set; all others go.
    Values {
        /// The place.
        leaf: LeafId,
        /// The values that fail.
        fail: ValueSet,
    },
    /// Some lines go and some do not, or the bound was met: ask line by line.
    Undetermined,
}

/// Forms of which one asks, for many others, what their union accepts: compiled once, and found by
/// the first keyword.
pub struct Peers<'a> {
    forms: Vec<&'a Form>,
    /// First keyword, a leading `no` aside -> forms, ascending.
    by_first: BTreeMap<Arc<str>, Vec<u32>>,
    /// Forms that a line of any first word may be of.
    open: Vec<u32>,
    places: Positions,
}

impl<'a> Peers<'a> {
    /// Compiles `forms`.
    pub fn new(forms: impl IntoIterator<Item = &'a Form>) -> Self {
        let mut peers = Self {
            forms: Vec::new(),
            by_first: BTreeMap::new(),
            open: Vec::new(),
            places: Positions::default(),
        };
        for form in forms {
            let number = peers.forms.len() as u32;
            match firsts(form.program()) {
                Some(keywords) => {
                    for keyword in keywords {
                        let list = peers.by_first.entry(keyword).or_default();
                        if list.last() != Some(&number) {
                            list.push(number);
                        }
                    }
                }
                None => peers.open.push(number),
            }
            peers.forms.push(form);
        }
        peers
    }

    /// What of `form` the union of these does not accept.
    ///
    /// # Shape
    /// As of [`residue`]. Beside the answer, what was learnt of these forms is kept for the next.
    pub fn residue(&mut self, form: &Form, limits: &ResidueLimits) -> Residue {
        let program = form.program();
        let near = self.near(program);
        let same = |number: &u32| self.forms[*number as usize].normal() == form.normal();
        if near.iter().any(same) {
            return Residue::None;
        }
        let mut walk = |only: Option<(LeafId, Interval)>| {
            let mut walk = Walk {
                form: program,
                peers: &self.forms,
                places: &mut self.places,
                only,
                cuts: BTreeMap::new(),
                seen: BTreeSet::new(),
                left: limits.states_max,
            };
            let seen = walk.run(&near)?;
            Some((seen, walk.cuts))
        };
        let Some((whole, cuts)) = walk(None) else {
            return Residue::Undetermined;
        };
        match (whole.accepted, whole.refused) {
            (_, false) => return Residue::None,
            (false, true) => return Residue::Whole,
            (true, true) => {}
        }
        for (leaf, starts) in cuts {
            let Token::Range { max, .. } = form.leaf(leaf).token else {
                continue;
            };
            let mut fail = Vec::new();
            let decided = intervals(&starts, max).into_iter().all(|interval| {
                match walk(Some((leaf, interval))) {
                    Some((seen, _)) if !seen.refused => true,
                    Some((seen, _)) if !seen.accepted => {
                        fail.push(interval);
                        true
                    }
                    Some(_) | None => false,
                }
            });
            if decided && !fail.is_empty() {
                let fail = ValueSet(joined(fail));
                return Residue::Values { leaf, fail };
            }
        }
        Residue::Undetermined
    }

    /// The forms that may have a line in common with that of `program`, ascending.
    fn near(&self, program: &Program) -> Vec<u32> {
        let mut near: Vec<u32> = match firsts(program) {
            Some(keywords) => {
                let found = keywords.iter().filter_map(|word| self.by_first.get(word));
                found.flatten().chain(&self.open).copied().collect()
            }
            None => (0..self.forms.len() as u32).collect(),
        };
        near.sort_unstable();
        near.dedup();
        near
    }
}

/// The keywords with which a line of a form goes on behind a leading `no`, or begins; none if that
/// does not tell it from others.
fn firsts(program: &Program) -> Option<Vec<Arc<str>>> {
    let keywords = program.first.iter().flatten();
    let keywords: Vec<Arc<str>> = keywords.filter(|word| ***word != *"no").cloned().collect();
    (!keywords.is_empty()).then_some(keywords)
}

/// What of `form` the union of `peers` does not accept.
///
/// # Shape
/// `Whole` and `None` are exact. `Values` is exact where one number alone decides.
pub fn residue(form: &Form, peers: &[&Form], limits: &ResidueLimits) -> Residue {
    Peers::new(peers.iter().copied()).residue(form, limits)
}

/// Whether some line of `form`, keywords in full, may be read as a line of `other` as well.
///
/// # Shape
/// `false` is exact; `true` is also the answer where the two are too many words to be compared.
pub fn may_share_a_line(form: &Form, other: &Form) -> bool {
    const STATES_MAX: usize = 4_096;
    let (one, two) = (form.program(), other.program());
    let start = (0, Used::new());
    let mut open = alloc::vec![(start.clone(), start, None::<bool>)];
    let mut seen = BTreeSet::new();
    while let Some((at, there, negated)) = open.pop() {
        let no = negated == Some(true);
        for at in closure(one, &at, no) {
            for there in closure(two, &there, no) {
                let (op, taker) = (&one.ops[usize::from(at.0)], &two.ops[usize::from(there.0)]);
                if matches!((op, taker), (Op::End, Op::End)) {
                    return true;
                }
                let Some((leaf, taken)) = op.leaf().zip(taker.leaf()) else {
                    continue;
                };
                let (token, taken) = (one.token(leaf), two.token(taken));
                if !meets(token, taken) {
                    continue;
                }
                let negated = negated.or(Some(token.is_no() && taken.is_no()));
                let next = |op: &Op, at: &Position| {
                    let again = matches!(op, Op::Words(_)).then(|| at.clone());
                    [(at.0 + 1, at.1.clone())].into_iter().chain(again).collect::<Vec<_>>()
                };
                for at in next(op, &at) {
                    for there in next(taker, &there) {
                        let state = (at.clone(), there, negated);
                        if seen.insert(state.clone()) {
                            open.push(state);
                        }
                    }
                }
                if seen.len() > STATES_MAX {
                    return true;
                }
            }
        }
    }
    false
}

/// A closed interval.
type Interval = (i128, i128);

/// Up to `max`, cut at `starts`, the first of which is the least value.
fn intervals(starts: &BTreeSet<i128>, max: i128) -> Vec<Interval> {
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([max]);
    starts.iter().copied().zip(ends).collect()
}

/// The numbers at which `token` begins or ceases to take words.
fn ends(token: &Token) -> Option<[i128; 2]> {
    match token {
        Token::Range { min, max } => Some([*min, max + 1]),
        Token::Asn => Some([1, 4_294_967_296]),
        Token::Keyword(word) => number(word).map(|number| [number, number + 1]),
        Token::Ipv4
        | Token::Ipv4Prefix
        | Token::Ipv6
        | Token::Ipv6Prefix
        | Token::Mac
        | Token::MacPrefix
        | Token::Variable
        | Token::String
        | Token::List(_)
        | Token::Text { .. } => None,
    }
}

fn joined(intervals: Vec<(i128, i128)>) -> Vec<(i128, i128)> {
    let mut all: Vec<(i128, i128)> = Vec::new();
    for (min, max) in intervals {
        match all.last_mut() {
            Some(last) if last.1 + 1 == min => last.1 = max,
            _ => all.push((min, max)),
        }
    }
    all
}

/// Used branches of each `{..}`, ascending by loop.
type Used = Vec<(u8, u64)>;
/// A place: the next step, and which branches are used.
type Position = (u16, Used);
/// A place in one of the peers, by number; see [`Positions`].
type PeerPosition = u32;

/// The places in the peers' forms, numbered as they are met, with what is reached from each without
/// a word: met again and again, so worked out once.
#[derive(Default)]
struct Positions {
    ids: BTreeMap<(u32, Position), PeerPosition>,
    all: Vec<(u32, Position)>,
    /// By place: what is reached in a line that did not, and in one that did, begin with `no`.
    closed: Vec<[Option<Arc<[PeerPosition]>>; 2]>,
    /// By place: the place behind its step.
    behind: Vec<Option<PeerPosition>>,
}

impl Positions {
    fn id(&mut self, peer: u32, place: Position) -> PeerPosition {
        let next = self.all.len() as PeerPosition;
        let id = *self.ids.entry((peer, place.clone())).or_insert(next);
        if id == next {
            self.all.push((peer, place));
            self.closed.push([None, None]);
            self.behind.push(None);
        }
        id
    }

    fn behind(&mut self, at: PeerPosition) -> PeerPosition {
        if let Some(known) = self.behind[at as usize] {
            return known;
        }
        let (peer, (step, used)) = self.all[at as usize].clone();
        let behind = self.id(peer, (step + 1, used));
        self.behind[at as usize] = Some(behind);
        behind
    }

    fn closure(&mut self, peers: &[&Form], at: PeerPosition, negated: bool) -> Arc<[PeerPosition]> {
        if let Some(known) = &self.closed[at as usize][usize::from(negated)] {
            return Arc::clone(known);
        }
        let (peer, place) = self.all[at as usize].clone();
        let reached = closure(peers[peer as usize].program(), &place, negated);
        let reached: Arc<[PeerPosition]> =
            reached.into_iter().map(|place| self.id(peer, place)).collect();
        self.closed[at as usize][usize::from(negated)] = Some(Arc::clone(&reached));
        reached
    }
}

#[derive(Clone, Copy, Default)]
struct Seen {
    accepted: bool,
    refused: bool,
}

/// Where a walk is: in the form, whether the line began with `no` if it began, and in the peers.
type State = (Position, Option<bool>, Vec<PeerPosition>);

struct Walk<'a, 'p> {
    form: &'a Program,
    peers: &'a [&'p Form],
    places: &'a mut Positions,
    only: Option<(LeafId, Interval)>,
    /// Where the peers tell numbers of a leaf apart.
    cuts: BTreeMap<LeafId, BTreeSet<i128>>,
    seen: BTreeSet<State>,
    left: u32,
}

/// The words that one token of the form stands for, as far as the peers can tell them apart.
#[derive(Clone)]
enum Class {
    Token(Token),
    Between(i128, i128),
    /// Strings with blanks inside.
    Blanks,
    /// Some of the words that a token takes: beside all of them, where a part may be taken.
    Some(Token),
}

impl Walk<'_, '_> {
    /// `None` when the bound was met. With one interval only: cut short once both are seen.
    fn run(&mut self, near: &[u32]) -> Option<Seen> {
        let mut result = Seen::default();
        let start = (0, Used::new());
        let peers = near.iter().map(|peer| self.places.id(*peer, start.clone()));
        let peers = peers.collect();
        let mut open = alloc::vec![(start, None::<bool>, peers)];
        while let Some((place, negated, peers)) = open.pop() {
            let no = negated == Some(true);
            let mut reached = Vec::new();
            for at in peers {
                reached.extend_from_slice(&self.places.closure(self.peers, at, no));
            }
            reached.sort_unstable();
            reached.dedup();
            let at_end = |at: &PeerPosition| matches!(self.op(*at), Op::End);
            let peers_end = reached.iter().any(at_end);
            for place in closure(self.form, &place, no) {
                match &self.form.ops[usize::from(place.0)] {
                    Op::End if peers_end => result.accepted = true,
                    Op::End => result.refused = true,
                    Op::Word(leaf) => self.take(*leaf, &place, negated, &reached, &mut open)?,
                    Op::Words(leaf) | Op::Text(leaf) => {
                        self.take(*leaf, &place, negated, &reached, &mut open)?;
                    }
                    Op::Fork(_) | Op::SkipAfterNo(_) | Op::Jump(_) | Op::Unordered { .. } => {}
                }
            }
            if self.only.is_some() && result.accepted && result.refused {
                break;
            }
        }
        Some(result)
    }

    fn op(&self, at: PeerPosition) -> &Op {
        let (peer, place) = &self.places.all[at as usize];
        &self.peers[*peer as usize].program().ops[usize::from(place.0)]
    }

    /// All classes of words that `leaf` takes, each to where it leads.
    fn take(
        &mut self,
        leaf: LeafId,
        place: &Position,
        negated: Option<bool>,
        reached: &[PeerPosition],
        open: &mut Vec<State>,
    ) -> Option<()> {
        let (form, peers) = (self.form, self.peers);
        let token = form.token(leaf);
        let negated = negated.or(Some(token.is_no()));
        let takers: Vec<(PeerPosition, &Token, bool)> = reached
            .iter()
            .filter_map(|at| {
                let (peer, place) = &self.places.all[*at as usize];
                let program = peers[*peer as usize].program();
                match &program.ops[usize::from(place.0)] {
                    Op::Word(leaf) | Op::Text(leaf) => Some((*at, program.token(*leaf), false)),
                    Op::Words(leaf) => Some((*at, program.token(*leaf), true)),
                    Op::Fork(_)
                    | Op::SkipAfterNo(_)
                    | Op::Jump(_)
                    | Op::Unordered { .. }
                    | Op::End => None,
                }
            })
            .collect();
        let again = matches!(form.ops[usize::from(place.0)], Op::Words(_));
        for class in self.classes(leaf, token, &takers) {
            let mut to = Vec::new();
            for (at, token, again) in &takers {
                if class.within(token) {
                    to.push(self.places.behind(*at));
                    to.extend(again.then_some(*at));
                }
            }
            to.sort_unstable();
            to.dedup();
            let next = [(place.0 + 1, place.1.clone()), place.clone()];
            for next in next.into_iter().take(if again { 2 } else { 1 }) {
                let state = (next, negated, to.clone());
                if self.seen.insert(state.clone()) {
                    self.left = self.left.checked_sub(1)?;
                    open.push(state);
                }
            }
        }
        Some(())
    }

    fn classes(
        &mut self,
        leaf: LeafId,
        token: &Token,
        takers: &[(PeerPosition, &Token, bool)],
    ) -> Vec<Class> {
        let (mut min, mut max) = match *token {
            Token::Range { min, max } => (min, max),
            Token::String => return alloc::vec![Class::Token(Token::Variable), Class::Blanks],
            _ => {
                let partly = matches!(token, Token::List(_))
                    || takers.iter().any(|(_, taker, _)| matches!(taker, Token::List(_)));
                let some = partly.then(|| Class::Some(token.clone()));
                return [Class::Token(token.clone())].into_iter().chain(some).collect();
            }
        };
        if let Some((only, interval)) = self.only
            && only == leaf
        {
            (min, max) = interval;
        }
        let mut starts = BTreeSet::from([min]);
        let cuts = takers.iter().filter_map(|(_, token, _)| ends(token));
        starts.extend(cuts.flatten().filter(|start| (min..=max).contains(start)));
        let classes = intervals(&starts, max).into_iter();
        let classes = classes.map(|(min, max)| Class::Between(min, max)).collect();
        self.cuts.entry(leaf).or_default().extend(starts);
        classes
    }
}

impl Class {
    fn is(&self, token: &Token) -> bool {
        matches!(self, Self::Token(own) if own == token)
    }

    /// Whether `token` takes every word of this class.
    fn within(&self, token: &Token) -> bool {
        match (self, token) {
            (Self::Blanks, token) => *token == Token::String,
            (Self::Some(own), token) => meets(own, token),
            // A text goes as a text only.
            (Self::Token(Token::Text { .. }), token) => self.is(token),
            (_, Token::Variable | Token::String) => true,
            (Self::Token(Token::Keyword(word)), token) => match token {
                Token::Keyword(other) => word == other,
                token => token.fit(word).is_some(),
            },
            (Self::Token(own), list @ Token::List(_)) => list.includes(own),
            (Self::Token(_), token) => self.is(token),
            (Self::Between(low, high), Token::Range { min, max }) => min <= low && high <= max,
            (Self::Between(low, high), Token::Asn) => *low >= 1 && *high <= 4_294_967_295,
            (Self::Between(low, high), Token::Keyword(word)) => {
                low == high && number(word) == Some(*low)
            }
            (Self::Between(..), Token::List(of)) => self.within(of),
            (Self::Between(..), _) => false,
        }
    }
}

/// Whether some word that fits one may fit the other.
fn meets(one: &Token, other: &Token) -> bool {
    match (one, other) {
        (Token::Text { .. }, _) | (_, Token::Text { .. }) => one == other,
        (Token::List(one), other) => meets(one, other),
        (one, Token::List(other)) => meets(one, other),
        (Token::Keyword(word), token) | (token, Token::Keyword(word)) => token.fit(word).is_some(),
        (Token::Range { min, max }, Token::Range { min: low, max: high }) => {
            min <= high && low <= max
        }
        _ => true,
    }
}

/// All places that are reached from `place` without a word.
fn closure(program: &Program, place: &Position, negated: bool) -> Vec<Position> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = alloc::vec![place.clone()];
    while let Some((at, used)) = open.pop() {
        if !seen.insert((at, used.clone())) {
            continue;
        }
        match &program.ops[usize::from(at)] {
            Op::Jump(to) => open.push((*to, used)),
            Op::Fork(to) => open.extend(to.iter().map(|to| (*to, used.clone()))),
            Op::SkipAfterNo(to) => {
                open.push((at + 1, used.clone()));
                if negated {
                    open.push((*to, used));
                }
            }
            Op::Unordered { loop_id, branches, exit } => {
                let mask = used.iter().find(|(id, _)| id == loop_id).map_or(0, |(_, mask)| *mask);
                let others: Used = used.iter().filter(|(id, _)| id != loop_id).copied().collect();
                if mask != 0 {
                    open.push((*exit, others.clone()));
                }
                for (number, branch) in branches.iter().enumerate().take(64) {
                    if mask & (1 << number) == 0 {
                        let mut next = others.clone();
                        next.push((*loop_id, mask | (1 << number)));
                        next.sort_unstable();
                        open.push((*branch, next));
                    }
                }
            }
            Op::Text(_) if negated => open.push((at + 1, used)),
            Op::Word(_) | Op::Words(_) | Op::Text(_) | Op::End => found.push((at, used)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residue_of(form: &str, peers: &[&str]) -> Residue {
        let peers: Vec<Form> = peers.iter().map(|peer| Form::parse(peer).unwrap()).collect();
        let peers: Vec<&Form> = peers.iter().collect();
        residue(&Form::parse(form).unwrap(), &peers, &ResidueLimits::default())
    }

    #[test]
    fn the_union_of_the_peers_forms_counts() {
        assert_eq!(residue_of("[no] x (1-9)", &["x (1-9)", "no x (1-9)"]), Residue::None);
        assert_eq!(residue_of("[no] x ![(1-9)]", &["x (1-9)", "no x [(1-9)]"]), Residue::None);
        assert_eq!(residue_of("[no] x (1-9)", &["x (1-9)"]), Residue::Undetermined);
        assert_eq!(residue_of("x <a|b>", &["x a", "x b c"]), Residue::Undetermined);
        assert_eq!(residue_of("x y", &["x z"]), Residue::Whole);
    }

    #[test]
    fn a_narrowed_range_leaves_the_values_that_fail() {
        let Residue::Values { leaf, fail } = residue_of("[no] t (1-600)$s", &["[no] t (60-600)"])
        else {
            panic!("not decided by the values");
        };
        assert_eq!(leaf, LeafId(2));
        assert_eq!(fail, ValueSet(alloc::vec![(1, 59)]));
        assert!(fail.contains(59) && !fail.contains(60));
        assert_eq!(residue_of("[no] t (60-600)", &["[no] t (1-600)"]), Residue::None);
        assert_eq!(residue_of("acl (1-99) x", &["acl WORD x"]), Residue::None);
    }

    #[test]
    fn a_text_goes_as_its_kind_of_text_and_a_string_as_a_string() {
        assert_eq!(residue_of("[no] x ^TEXT^", &["[no] x ^NOTE^"]), Residue::None);
        assert_eq!(residue_of("x ^TEXT^", &["x WORD", "x LINE...", "x \"WORD\""]), Residue::Whole);
        assert_eq!(residue_of("x ^TEXT:quit^", &["x ^TEXT:end^", "x ^TEXT^"]), Residue::Whole);
        // What takes it away has no text.
        assert_eq!(residue_of("[no] x ^TEXT^", &["no x"]), Residue::Undetermined);
        assert_eq!(residue_of("no x", &["[no] x ^TEXT^"]), Residue::None);
        assert_eq!(residue_of("x <(1-9)|WORD|A.B.C.D>", &["x \"WORD\""]), Residue::None);
        assert_eq!(residue_of("x \"WORD\"", &["x WORD"]), Residue::Undetermined);
    }

    #[test]
    fn of_lists_the_elements_count() {
        assert_eq!(residue_of("x (1-9),...", &["x (1-20),..."]), Residue::None);
        assert_eq!(residue_of("x (1-20),...", &["x (1-9),..."]), Residue::Undetermined);
        assert_eq!(residue_of("x (1-9),...", &["x (10-20),..."]), Residue::Whole);
        assert_eq!(residue_of("x (1-9)", &["x (1-20),..."]), Residue::None);
        assert_eq!(residue_of("x (1-9),...", &["x (1-9)"]), Residue::Undetermined);
        assert_eq!(residue_of("x (1-9),...", &["x WORD"]), Residue::None);
        assert_eq!(residue_of("x WORD", &["x WORD,..."]), Residue::Undetermined);
        assert_eq!(residue_of("x WORD,...", &["x A.B.C.D,..."]), Residue::Undetermined);
    }

    #[test]
    fn branches_in_any_order_are_compared_without_expanding_them() {
        let many = "x {a (1-9)|b (1-9)|c (1-9)|d (1-9)|e|f|g}";
        let more = "x {g|f|e|d (1-9)|c (1-9)|b (1-9)|a (1-9)|h}";
        assert_eq!(residue_of(many, &[more]), Residue::None);
        assert_eq!(residue_of(more, &[many]), Residue::Undetermined);
    }
}
