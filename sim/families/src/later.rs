//! Edits that are drawn once all levels are there, from numbers of their own: so what else a seed
//! gives stays what it was before there were such edits.

use crate::draw::Draft;
use crate::operator::{self, Edit, Operator};
use crate::rng::Rng;
use crate::setting::{Field, Kind};
use crate::writing::{Alias, Line, Writing};

/// The stream from which keys are drawn.
const KEYS: u64 = 11;
/// Of so many components in a hundred, a key of one setting is edited.
const KEY_PERCENT: usize = 25;

/// Edits the levels of all components.
pub(crate) fn edit(draft: &mut Draft<'_>, seed: u64) -> Vec<Edit> {
    let mut rng = Rng::new(seed, KEYS);
    let components = 0..draft.components.len();
    components.flat_map(|component| keys(draft, component, &mut rng)).collect()
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
    let first = 1 + rng.below(there.len() - 1);
    let again = if rng.chance(30) { first + 1 + rng.below(2) } else { there.len() };
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
