//! Which lines of a form no form of the peer accepts: inclusion of languages, bounded.
//!
//! Both sides are walked together: a place in the form, and the set of places in the peers' forms
//! that the same words can have reached. Lines are taken as they are rendered: keywords in full.

use alloc::collections::BTreeSet;
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
        self.0
            .iter()
            .any(|(min, max)| (*min..=*max).contains(&value))
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

/// What of `form` the union of `peers` does not accept.
///
/// # Shape
/// `Whole` and `None` are exact. `Values` is exact where one number alone decides.
pub fn residue(form: &Form, peers: &[&Form], limits: &ResidueLimits) -> Residue {
    if peers.iter().any(|peer| peer.normal() == form.normal()) {
        return Residue::None;
    }
    let walk = |only: Option<(LeafId, (i128, i128))>| {
        let left = limits.states_max;
        let mut walk = Walk {
            form: form.program(),
            peers: peers.iter().map(|peer| peer.program()).collect(),
            only,
            seen: BTreeSet::new(),
            left,
        };
        walk.run()
    };
    let Some(whole) = walk(None) else {
        return Residue::Undetermined;
    };
    match (whole.accepted, whole.refused) {
        (_, false) => return Residue::None,
        (false, true) => return Residue::Whole,
        (true, true) => {}
    }
    for (number, leaf) in form.leaves().iter().enumerate() {
        let Token::Range { min, max } = leaf.token else {
            continue;
        };
        let leaf = LeafId(number as u16);
        let cuts = cuts(min, max, peers);
        let mut fail = ValueSet::default();
        let mut mixed = false;
        for interval in cuts {
            match walk(Some((leaf, interval))) {
                Some(Seen { refused: false, .. }) => {}
                Some(Seen {
                    accepted: false, ..
                }) => fail.0.push(interval),
                _ => mixed = true,
            }
        }
        if !mixed && !fail.0.is_empty() {
            fail.0 = joined(fail.0);
            return Residue::Values { leaf, fail };
        }
    }
    Residue::Undetermined
}

/// `min..=max` cut at the ends of every range of the peers.
fn cuts(min: i128, max: i128, peers: &[&Form]) -> Vec<(i128, i128)> {
    let mut starts = BTreeSet::from([min]);
    for leaf in peers.iter().flat_map(|peer| peer.leaves()) {
        let ends = match &leaf.token {
            Token::Range { min, max } => [*min, max + 1],
            Token::Asn => [1, 4_294_967_296],
            Token::Keyword(word) => match number(word) {
                Some(number) => [number, number + 1],
                None => continue,
            },
            _ => continue,
        };
        starts.extend(ends.into_iter().filter(|start| (min..=max).contains(start)));
    }
    let starts: Vec<i128> = starts.into_iter().collect();
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([max]);
    starts.iter().copied().zip(ends).collect()
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
/// A place: the next step, and whether the line began with `no`.
type Place = (u16, Used);
/// A place in one of the peers.
type PeerPlace = (u16, Place);

#[derive(Clone, Copy, Default)]
struct Seen {
    accepted: bool,
    refused: bool,
}

struct Walk<'a> {
    form: &'a Program,
    peers: Vec<&'a Program>,
    only: Option<(LeafId, (i128, i128))>,
    seen: BTreeSet<(Place, bool, BTreeSet<PeerPlace>)>,
    left: u32,
}

/// The words that one token of the form stands for, as far as the peers can tell them apart.
#[derive(Clone)]
enum Class {
    Token(Token),
    Between(i128, i128),
}

impl Walk<'_> {
    /// `None` when the bound was met.
    fn run(&mut self) -> Option<Seen> {
        let mut result = Seen::default();
        let start = (0, Used::new());
        let peers: BTreeSet<PeerPlace> = (0..self.peers.len() as u16)
            .map(|peer| (peer, start.clone()))
            .collect();
        let mut open = alloc::vec![(start, None::<bool>, peers)];
        while let Some((place, negated, peers)) = open.pop() {
            let closed_form = closure(self.form, &place, negated);
            let peers: BTreeSet<PeerPlace> = peers
                .iter()
                .flat_map(|(peer, place): &PeerPlace| {
                    let all = closure(self.peers[usize::from(*peer)], place, negated);
                    all.into_iter().map(move |place| (*peer, place))
                })
                .collect();
            let peers_end = peers.iter().any(|(peer, place)| {
                matches!(
                    self.peers[usize::from(*peer)].ops[usize::from(place.0)],
                    Op::End
                )
            });
            for place in closed_form {
                match self.form.ops[usize::from(place.0)].clone() {
                    Op::End if peers_end => result.accepted = true,
                    Op::End => result.refused = true,
                    Op::Word(leaf) => self.take(leaf, &place, false, negated, &peers, &mut open)?,
                    Op::Words(leaf) => self.take(leaf, &place, true, negated, &peers, &mut open)?,
                    _ => {}
                }
            }
        }
        Some(result)
    }

    /// All classes of words that `leaf` takes, each to where it leads.
    fn take(
        &mut self,
        leaf: LeafId,
        place: &Place,
        again: bool,
        negated: Option<bool>,
        peers: &BTreeSet<PeerPlace>,
        open: &mut Vec<(Place, Option<bool>, BTreeSet<PeerPlace>)>,
    ) -> Option<()> {
        let token = self.form.token(leaf).clone();
        let is_no = token.is_no();
        let negated = negated.or(Some(is_no));
        for class in self.classes(leaf, &token, peers) {
            let mut to = BTreeSet::new();
            for (peer, at) in peers {
                let program = self.peers[usize::from(*peer)];
                let (Op::Word(taker) | Op::Words(taker)) = &program.ops[usize::from(at.0)] else {
                    continue;
                };
                if class.within(program.token(*taker)) {
                    to.insert((*peer, (at.0 + 1, at.1.clone())));
                    if matches!(program.ops[usize::from(at.0)], Op::Words(_)) {
                        to.insert((*peer, at.clone()));
                    }
                }
            }
            let next = [(place.0 + 1, place.1.clone()), place.clone()];
            for next in next.into_iter().take(if again { 2 } else { 1 }) {
                let key = (next.clone(), negated == Some(true), to.clone());
                if self.seen.insert(key) {
                    self.left = self.left.checked_sub(1)?;
                    open.push((next, negated, to.clone()));
                }
            }
        }
        Some(())
    }

    fn classes(&self, leaf: LeafId, token: &Token, peers: &BTreeSet<PeerPlace>) -> Vec<Class> {
        let (mut min, mut max) = match token {
            Token::Range { min, max } => (*min, *max),
            _ => return alloc::vec![Class::Token(token.clone())],
        };
        if let Some((only, interval)) = self.only
            && only == leaf
        {
            (min, max) = interval;
        }
        let mut starts = BTreeSet::from([min]);
        for (peer, at) in peers {
            let program = self.peers[usize::from(*peer)];
            let (Op::Word(taker) | Op::Words(taker)) = &program.ops[usize::from(at.0)] else {
                continue;
            };
            let ends = match program.token(*taker) {
                Token::Range { min, max } => [*min, max + 1],
                Token::Asn => [1, 4_294_967_296],
                Token::Keyword(word) => match number(word) {
                    Some(number) => [number, number + 1],
                    None => continue,
                },
                _ => continue,
            };
            starts.extend(ends.into_iter().filter(|start| (min..=max).contains(start)));
        }
        let starts: Vec<i128> = starts.into_iter().collect();
        let ends = starts.iter().skip(1).map(|start| start - 1).chain([max]);
        starts
            .iter()
            .zip(ends)
            .map(|(min, max)| Class::Between(*min, max))
            .collect()
    }
}

impl Class {
    /// Whether `token` takes every word of this class.
    fn within(&self, token: &Token) -> bool {
        match (self, token) {
            (_, Token::Variable) => true,
            (Self::Token(Token::Keyword(word)), token) => match token {
                Token::Keyword(other) => word == other,
                token => token.fit(word).is_some(),
            },
            (Self::Token(own), token) => own == token,
            (Self::Between(low, high), Token::Range { min, max }) => min <= low && high <= max,
            (Self::Between(low, high), Token::Asn) => *low >= 1 && *high <= 4_294_967_295,
            (Self::Between(low, high), Token::Keyword(word)) => {
                low == high && number(word) == Some(*low)
            }
            (Self::Between(..), _) => false,
        }
    }
}

/// All places that are reached from `place` without a word.
fn closure(program: &Program, place: &Place, negated: Option<bool>) -> Vec<Place> {
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
                if negated == Some(true) {
                    open.push((*to, used));
                }
            }
            Op::Unordered {
                loop_id,
                branches,
                exit,
            } => {
                let mask = used
                    .iter()
                    .find(|(id, _)| id == loop_id)
                    .map_or(0, |(_, mask)| *mask);
                let others: Used = used
                    .iter()
                    .filter(|(id, _)| id != loop_id)
                    .copied()
                    .collect();
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
            Op::Word(_) | Op::Words(_) | Op::End => found.push((at, used)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(form: &str, peers: &[&str]) -> Residue {
        let peers: Vec<Form> = peers
            .iter()
            .map(|peer| Form::parse(peer).unwrap())
            .collect();
        let peers: Vec<&Form> = peers.iter().collect();
        residue(
            &Form::parse(form).unwrap(),
            &peers,
            &ResidueLimits::default(),
        )
    }

    #[test]
    fn the_union_of_the_peers_forms_counts() {
        assert_eq!(
            of("[no] x (1-9)", &["x (1-9)", "no x (1-9)"]),
            Residue::None
        );
        assert_eq!(
            of("[no] x ![(1-9)]", &["x (1-9)", "no x [(1-9)]"]),
            Residue::None
        );
        assert_eq!(of("[no] x (1-9)", &["x (1-9)"]), Residue::Undetermined);
        assert_eq!(of("x <a|b>", &["x a", "x b c"]), Residue::Undetermined);
        assert_eq!(of("x y", &["x z"]), Residue::Whole);
    }

    #[test]
    fn a_narrowed_range_leaves_the_values_that_fail() {
        let Residue::Values { leaf, fail } = of("[no] t (1-600)$s", &["[no] t (60-600)"]) else {
            panic!("not decided by the values");
        };
        assert_eq!(leaf, LeafId(2));
        assert_eq!(fail, ValueSet(alloc::vec![(1, 59)]));
        assert!(fail.contains(59) && !fail.contains(60));
        assert_eq!(of("[no] t (60-600)", &["[no] t (1-600)"]), Residue::None);
        assert_eq!(of("acl (1-99) x", &["acl WORD x"]), Residue::None);
    }

    #[test]
    fn branches_in_any_order_are_compared_without_expanding_them() {
        let many = "x {a (1-9)|b (1-9)|c (1-9)|d (1-9)|e|f|g}";
        let more = "x {g|f|e|d (1-9)|c (1-9)|b (1-9)|a (1-9)|h}";
        assert_eq!(of(many, &[more]), Residue::None);
        assert_eq!(of(more, &[many]), Residue::Undetermined);
    }
}
