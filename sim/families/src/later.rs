//! Edits that are drawn once all levels are there, from numbers of their own: so what else a seed
//! gives stays what it was before there were such edits.

use crate::draw::Draft;
use crate::operator::{self, Edit, Operator};
use crate::rng::Rng;
use crate::setting::{Field, Kind, Setting};
use crate::writing::{Alias, Line, Writing};

/// The stream from which keys are drawn, and that of names of modes.
const KEYS: u64 = 11;
const NAMES: u64 = 12;
/// Of so many components in a hundred, a key of one setting is edited.
const KEY_PERCENT: usize = 25;

/// Of so many families with modes in a hundred, the name of one becomes a line.
const NAME_PERCENT: usize = 40;

/// Edits the levels of all components.
pub(crate) fn edit(draft: &mut Draft<'_>, seed: u64) -> Vec<Edit> {
    let mut rng = Rng::new(seed, KEYS);
    let components = 0..draft.components.len();
    let mut edits: Vec<Edit> =
        components.flat_map(|component| keys(draft, component, &mut rng)).collect();
    edits.extend(names(draft, &mut Rng::new(seed, NAMES)));
    edits
}

/// The name of the instances of some mode stands in a line within, at some levels: there is one
/// instance then.
fn names(draft: &mut Draft<'_>, rng: &mut Rng) -> Vec<Edit> {
    let fitting: Vec<usize> =
        (0..draft.scopes.len()).filter(|scope| name_may_change(draft, *scope)).collect();
    if fitting.is_empty() || !rng.chance(NAME_PERCENT) {
        return Vec::new();
    }
    let scope = *rng.pick(&fitting);
    let words = vec![draft.vocabulary.word()];
    let levels = &draft.components[0].levels;
    let there = levels.iter().filter(|level| level.entries[scope].is_some()).count();
    let (first, again) = switches(there, rng);
    let is_line_at_first = rng.chance(50);
    for (at, level) in draft.components[0].levels[..there].iter_mut().enumerate() {
        let is_line = (first..again).contains(&at) != is_line_at_first;
        level.leaves[scope] = is_line.then(|| words.clone());
    }
    let edited = [first, again].into_iter().filter(|at| *at < there);
    let made = |level: usize| {
        let after = &draft.components[0].levels[level];
        let was = &draft.components[0].levels[level - 1].leaves[scope];
        let mut so_far = after.clone();
        so_far.leaves[scope].clone_from(was);
        let contexts = operator::contexts(draft, 0, &so_far, after);
        Edit { operator: Operator::Leaf, component: 0, level, contexts }
    };
    edited.map(made).collect()
}

/// Of so many levels the first at which something is otherwise, and the one from which it is again
/// as it was.
fn switches(levels: usize, rng: &mut Rng) -> (usize, usize) {
    let first = 1 + rng.below(levels - 1);
    (first, if rng.chance(30) { first + 1 + rng.below(2) } else { levels })
}

/// Whether the name of a mode may become a line: two levels have the mode, no old words enter it,
/// and in it stands nothing that moves out of it or into it, nothing of another component, nothing
/// of which absence says another thing at another level (where the instance ends after that, nobody
/// keeps it), and nothing that need not go: of that the reference asks after a step what it was,
/// and the engine before it.
fn name_may_change(draft: &Draft<'_>, scope: usize) -> bool {
    let is_in = |of: Option<usize>| {
        let around = std::iter::successors(of, |at| draft.scopes[*at].parent);
        { around }.any(|at| at == scope)
    };
    let levels = &draft.components[0].levels;
    let is_alias = |alias: &Alias| matches!(alias, Alias::Entry { scope: of, .. } if *of == scope);
    let mut aliases = levels.iter().flat_map(|level| &level.aliases);
    let stays = |(at, of): (usize, &Setting)| {
        let all = draft.components.iter().flat_map(|component| &component.levels);
        let lines = all.filter_map(|level| level.line_of(at));
        let absent = lines.clone().next().map(Line::absent);
        let is_plain = |line: &Line| {
            let says_so = Some(line.absent()) == absent;
            line.scope == of.scope && line.dont_care.is_none() && says_so
        };
        { lines }.all(|line| is_plain(line) || !is_in(line.scope) && !is_in(of.scope))
            && (of.component == 0 || !is_in(of.scope))
    };
    levels.iter().filter(|level| level.entries[scope].is_some()).count() > 1
        && !aliases.any(is_alias)
        && draft.settings.iter().enumerate().all(stays)
}

/// The last value of the key of some setting tells one line from another at some levels alone.
fn keys(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Vec<Edit> {
    if !rng.chance(KEY_PERCENT) {
        return Vec::new();
    }
    let fitting: Vec<usize> =
        (0..draft.settings.len()).filter(|at| key_may_change(draft, component, *at)).collect();
    if fitting.is_empty() {
        return Vec::new();
    }
    let setting = *rng.pick(&fitting);
    let keys = draft.settings[setting].keys();
    let there: Vec<usize> = levels_with(draft, component, setting);
    // From some level on it is otherwise, and perhaps from a later one on as it was.
    let (first, again) = switches(there.len(), rng);
    let is_less_at_first = rng.chance(50);
    for (at, level) in there.iter().enumerate() {
        let is_less = (first..again).contains(&at) != is_less_at_first;
        let writing = &mut draft.components[component].levels[*level];
        for line in lines_mut(writing).filter(|line| line.settings == [setting]) {
            line.keys = keys - usize::from(is_less);
        }
    }
    let edited = [first, again].into_iter().filter_map(|at| there.get(at).copied());
    edited.map(|level| made(draft, component, level, setting)).collect()
}

/// The edit of a level at which a setting has another key.
fn made(draft: &Draft<'_>, component: usize, level: usize, setting: usize) -> Edit {
    let levels = &draft.components[component].levels;
    let mut before = levels[level].clone();
    let keys = levels[level - 1].line_of(setting).map(|line| line.keys);
    for line in before.lines.iter_mut().filter(|line| line.settings == [setting]) {
        line.keys = keys.unwrap_or(line.keys);
    }
    let contexts = operator::contexts(draft, component, &before, &levels[level]);
    Edit { operator: Operator::Key, component, level, contexts }
}

/// The levels that have a line of a setting.
fn levels_with(draft: &Draft<'_>, component: usize, setting: usize) -> Vec<usize> {
    let levels = draft.components[component].levels.iter().enumerate();
    levels.filter(|(_, level)| level.line_of(setting).is_some()).map(|(at, _)| at).collect()
}

/// All lines of a level, and those of its aliases.
fn lines_mut(writing: &mut Writing) -> impl Iterator<Item = &mut Line> {
    let aliases = writing.aliases.iter_mut().filter_map(|alias| match alias {
        Alias::Line { line, .. } => Some(line),
        Alias::Entry { .. } => None,
    });
    writing.lines.iter_mut().chain(aliases)
}

/// Whether the key of a setting may be another at some levels: it has one, its lines are no list,
/// each has it alone and stands where it stood, and several values are in none.
fn key_may_change(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let of = &draft.settings[setting];
    let is_several = |field: &Field| matches!(field.kind, Kind::Several(_) | Kind::Numbers);
    let levels = draft.components[component].levels.iter();
    let lines: Vec<&Line> = levels.filter_map(|level| level.line_of(setting)).collect();
    let is_plain = |line: &&Line| {
        line.settings.len() == 1 && line.scope == of.scope && line.dont_care.is_none()
    };
    of.component == component
        && of.keys() > 0
        && of.list.is_none()
        && !of.fields.iter().any(is_several)
        && lines.len() > 1
        && lines.iter().all(is_plain)
}
