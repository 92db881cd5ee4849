//! What would go in the place of a line that is stuck: lines near to it are tried, none is guessed.

use std::collections::BTreeSet;

use skewsync::config::render::{read_edits, render_edits};
use skewsync::config::{Edit, Line, LineKey};
use skewsync::grammar::{Token, Words, split_words};
use skewsync::ids::{Lsn, Term};
use skewsync::image::Image;
use skewsync::parse;
use skewsync::translate::{ListKey, Lowered, Lowering, Raising};

use super::Preview;
use crate::pair::Pair;
use crate::running::{Running, Said, key_of};

/// Lines that are tried for one that is stuck, at most.
const TRIED_MAX: usize = 200;
/// Values that are tried for one number, at most.
const VALUES_MAX: usize = 24;
/// Lines that are stuck for which others are tried, at most.
const STUCK_MAX: usize = 1_000;

/// Puts a line that would go beside each stuck one of which one is found.
pub(super) fn suggest(pair: &Pair, text: &[u8], preview: &mut Preview) {
    if preview.stuck.is_empty() {
        return;
    }
    let running = Running::read(&pair.active, text);
    let lowering = Lowering::new(&pair.active, &pair.at_active, &running.config);
    let w = Raising::read_w(&pair.standby, &pair.at_standby, &lowering.wire_bytes());
    let listing = lowering.listing().clone();
    let raise = |w| Raising::new(&pair.standby, &pair.at_standby, w, listing).0;
    let trial = Trial { pair, lowering, raising: w.ok().map(raise) };
    let numbers = Numbers::new([&pair.active, &pair.standby]);
    for stuck in preview.stuck.iter_mut().take(STUCK_MAX) {
        let key = ListKey {
            path: skewsync::digest::Shared::text(&stuck.at),
            line: skewsync::digest::Shared::text(&stuck.text),
        };
        let Some(said) = running.said.get(&key) else {
            continue;
        };
        let near = near(&pair.active, said, &numbers);
        let goes = |line: &&String| trial.goes(&key, said, line);
        stuck.instead = near.iter().take(TRIED_MAX).find(goes).cloned();
    }
}

/// A config on its way, in which one line after the other is tried in the place of one that is
/// stuck.
struct Trial<'a> {
    pair: &'a Pair,
    lowering: Lowering,
    /// What the facing unit makes of it; none: it does not read all of it.
    raising: Option<Raising>,
}

impl Trial<'_> {
    /// Whether `line` goes where the stuck one stands, in its stead, and is executed there.
    fn goes(&self, stuck: &ListKey, said: &Said, line: &str) -> bool {
        let Self { pair, lowering, .. } = self;
        let (image, grammar) = (&*pair.active, pair.active.own());
        let given: Vec<&str> = split_words(line).collect();
        let Ok((form, words)) = parse::words(image, grammar, said.place.mode(image), &given) else {
            return false;
        };
        let same_kind = image.form(form).enters == image.form(said.form).enters;
        if !same_kind || words.sign() != said.words.sign() {
            return false;
        }
        let mut config = lowering.config().clone();
        let mut edits = Vec::new();
        let (old, _) = Line::new(image, said.place.clone(), said.form, said.words.clone());
        unset(image, &mut config, old, &mut edits);
        let key = key_of(&said.place, words.text());
        let (known, _) = Line::new(image, said.place.clone(), form, words.clone());
        if lowering.config().line(&known).is_some_and(|line| line.words == words) {
            // It stands there already.
            return false;
        }
        config.execute_line(image, grammar, &said.place, form, words, &mut edits);
        let mut after = lowering.clone();
        let lowered = after.edit(image, &pair.at_active, &edits, (Term(0), Lsn(1)));
        let listed = after.listing().lines();
        key != *stuck
            && !listed.contains_key(&key)
            && listed.keys().all(|other| lowering.listing().lines().contains_key(other))
            && self.is_raised(&lowered)
    }

    /// Whether the facing unit executes all of a difference, and what it executed before.
    fn is_raised(&self, lowered: &Lowered) -> bool {
        let Pair { active, standby, at_standby, .. } = self.pair;
        let text = render_edits(active, &lowered.wire);
        let read = read_edits(standby, at_standby.grammar(), &text);
        let (Some(before), Ok(wire)) = (&self.raising, read) else {
            return false;
        };
        let mut raising = before.clone();
        let raised = raising.apply(standby, at_standby, &wire, &lowered.listing);
        let known: BTreeSet<_> = before.unraised(standby).into_iter().collect();
        let more = raising.unraised(standby).iter().any(|line| !known.contains(line));
        raised.mismatches.is_empty() && !more
    }
}

fn unset(
    image: &Image,
    config: &mut skewsync::config::Config,
    key: LineKey,
    edits: &mut Vec<Edit>,
) {
    if config.line(&key).is_some() {
        let edit = Edit::Unset(key);
        config.apply(image, &edit);
        edits.push(edit);
    }
}

/// Where ranges of numbers begin and end, in all forms of both images.
struct Numbers(BTreeSet<i128>);

impl Numbers {
    fn new(images: [&Image; 2]) -> Self {
        let forms = images.into_iter().flat_map(Image::forms);
        let leaves = forms.flat_map(|(_, decl)| decl.form.leaves());
        let ends = leaves.filter_map(|leaf| leaf.token.range());
        Self(ends.flat_map(|(min, max)| [min, max]).collect())
    }

    /// The ends nearest to `value` within `min..=max`, the nearest first.
    fn near(&self, value: i128, min: i128, max: i128) -> Vec<i128> {
        let below = self.0.range(min..=value).rev().take(VALUES_MAX);
        let above = self.0.range(value..=max).take(VALUES_MAX);
        let mut all: Vec<i128> = below.chain(above).copied().filter(|end| *end != value).collect();
        all.sort_by_key(|end| (end - value).abs());
        all.truncate(VALUES_MAX);
        all
    }
}

/// Lines near to one: other values first, then the same words in another order, then fewer words.
fn near(image: &Image, said: &Said, numbers: &Numbers) -> Vec<String> {
    let words: Vec<&str> = said.words.text().split(' ').collect();
    let mut lines = other_values(image, &said.words, said, numbers);
    let count = words.len();
    for from in 1..count {
        for to in (1..count).filter(|to| *to != from) {
            let mut moved = words.clone();
            let word = moved.remove(from);
            moved.insert(to, word);
            lines.push(moved.join(" "));
        }
    }
    for dropped in [1, 2] {
        for from in (1..(count + 1).saturating_sub(dropped)).rev() {
            let rest = words[..from].iter().chain(&words[from + dropped..]);
            lines.push(rest.copied().collect::<Vec<_>>().join(" "));
        }
    }
    lines
}

fn other_values(image: &Image, words: &Words, said: &Said, numbers: &Numbers) -> Vec<String> {
    let form = &image.form(said.form).form;
    let all: Vec<&str> = words.text().split(' ').collect();
    let mut lines = Vec::new();
    for (at, (leaf, word)) in words.iter().enumerate() {
        let (Token::Range { min, max }, Ok(value)) = (&form.leaf(leaf).token, word.parse()) else {
            continue;
        };
        for end in numbers.near(value, *min, *max) {
            let end = end.to_string();
            let mut other = all.clone();
            other[at] = &end;
            lines.push(other.join(" "));
        }
    }
    lines
}
