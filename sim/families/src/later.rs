//! Edits that are drawn once all levels are there, from numbers of their own: so what else a seed
//! gives stays what it was before there were such edits.

use std::collections::BTreeSet;

use crate::draw::{Draft, values};
use crate::operator::{self, Edit, Operator};
use crate::refuse::Refusal;
use crate::rng::Rng;
use crate::setting::{Field, Kind, Setting, State, Value};
use crate::writing::{Alias, Default, Line, Part, Slot, Writing};

/// The streams: of keys, of names of modes, of losses, of refusals, of revisions, of what is there
/// from the beginning, of what is said by `no`.
const KEYS: u64 = 11;
const NAMES: u64 = 12;
const LOSSES: u64 = 13;
const REFUSALS: u64 = 14;
const REVISIONS: u64 = 15;
const FACTORIES: u64 = 16;
const STATES: u64 = 17;
/// Of so many components in a hundred, a key of one setting is edited.
const KEY_PERCENT: usize = 25;

/// Of so many families with modes in a hundred, the name of one becomes a line.
const NAME_PERCENT: usize = 40;

/// Of so many components in a hundred, a value of one setting has no place at some levels.
const LOSS_PERCENT: usize = 30;

/// Of so many components in a hundred, some levels refuse lines for what else is there.
const REFUSAL_PERCENT: usize = 25;

/// Of so many components in a hundred, the words of one line mean something else from some level
/// on.
const REVISION_PERCENT: usize = 25;
/// So many times as much is one of a number that means something else.
const TIMES: i64 = 10;

/// Of so many components in a hundred, lines of one setting are there from the beginning.
const FACTORY_PERCENT: usize = 30;

/// Of so many components in a hundred, the `no` of one line is a line itself.
const STATE_PERCENT: usize = 25;

/// Edits the levels of all components.
pub(crate) fn edit(draft: &mut Draft<'_>, seed: u64) -> Vec<Edit> {
    let mut rng = Rng::new(seed, KEYS);
    let components = 0..draft.components.len();
    let mut edits: Vec<Edit> =
        components.flat_map(|component| keys(draft, component, &mut rng)).collect();
    edits.extend(names(draft, &mut Rng::new(seed, NAMES)));
    let mut rng = Rng::new(seed, LOSSES);
    let components = 0..draft.components.len();
    edits.extend(components.flat_map(|component| losses(draft, component, &mut rng)));
    let mut rng = Rng::new(seed, REFUSALS);
    let components = 0..draft.components.len();
    edits.extend(components.flat_map(|component| refusals(draft, component, &mut rng)));
    let mut rng = Rng::new(seed, REVISIONS);
    let components = 0..draft.components.len();
    edits.extend(components.flat_map(|component| revisions(draft, component, &mut rng)));
    let mut rng = Rng::new(seed, FACTORIES);
    let components = 0..draft.components.len();
    edits.extend(components.flat_map(|component| factories(draft, component, &mut rng)));
    let mut rng = Rng::new(seed, STATES);
    let components = 0..draft.components.len();
    edits.extend(components.flat_map(|component| states(draft, component, &mut rng)));
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

/// A value of some setting has no place at some levels: its line goes without.
fn losses(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Vec<Edit> {
    if !rng.chance(LOSS_PERCENT) {
        return Vec::new();
    }
    let settings = draft.settings.iter().enumerate();
    let all = settings.flat_map(|(at, of)| (0..of.fields.len()).map(move |field| (at, field)));
    let fitting: Vec<(usize, usize)> =
        all.filter(|(at, field)| may_be_lost(draft, component, *at, *field)).collect();
    if fitting.is_empty() {
        return Vec::new();
    }
    let (setting, field) = *rng.pick(&fitting);
    let there = levels_with(draft, component, setting);
    let full = draft.components[component].levels.clone();
    let Some(value) = stands_for(draft, &full, (setting, field), rng) else { return Vec::new() };
    let less = |writing: &Writing| {
        let mut writing = writing.clone();
        for line in lines_mut(&mut writing).filter(|line| line.settings == [setting]) {
            take_slot(line, field);
            line.lost.push((field, value.clone()));
        }
        writing
    };
    let (first, again) = switches(there.len(), rng);
    let is_less_at_first = rng.chance(60);
    let is_less = |at: usize| (first..again).contains(&at) != is_less_at_first;
    for (_, level) in there.iter().enumerate().filter(|(at, _)| is_less(*at)) {
        draft.components[component].levels[*level] = less(&full[*level]);
    }
    let edited = [first, again].into_iter().filter(|at| *at < there.len());
    let made = |at: usize| {
        let level = there[at];
        let before = if is_less(at - 1) { less(&full[level]) } else { full[level].clone() };
        let after = &draft.components[component].levels[level];
        let contexts = operator::contexts(draft, component, &before, after);
        Edit { operator: Operator::Loses, component, level, contexts }
    };
    edited.map(made).collect()
}

/// Some levels do not take lines of two settings together, or one of them without the other.
fn refusals(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Option<Edit> {
    if !rng.chance(REFUSAL_PERCENT) {
        return None;
    }
    let fitting: Vec<usize> =
        (0..draft.settings.len()).filter(|at| may_be_refused(draft, component, *at)).collect();
    let there = |of: usize| levels_with(draft, component, of);
    let levels = |(first, second): (usize, usize)| {
        let second = there(second);
        let both = there(first).into_iter().filter(|level| *level > 0 && second.contains(level));
        both.collect::<Vec<_>>()
    };
    let pairs =
        fitting.iter().flat_map(|first| fitting.iter().map(move |second| (*first, *second)));
    let scope = |of: usize| draft.settings[of].scope;
    let mut pairs: Vec<(usize, usize)> = pairs
        .filter(|(first, second)| first != second && scope(*first) == scope(*second))
        .filter(|(first, second)| !share_names(&draft.settings[*first], &draft.settings[*second]))
        .filter(|pair| !levels(*pair).is_empty())
        .collect();
    // Values that both have tell more.
    let key = |of: usize| draft.settings[of].fields.first().filter(|field| field.is_key);
    let of_key = |(first, second): &(usize, usize)| {
        let key = key(*first).zip(key(*second));
        key.is_some_and(|(one, other)| one.kind == other.kind && !one.kind.texts().is_empty())
    };
    if pairs.iter().any(of_key) && rng.chance(80) {
        pairs.retain(of_key);
    }
    if pairs.is_empty() {
        return None;
    }
    let pair = *rng.pick(&pairs);
    let level = *rng.pick(&levels(pair));
    let until = level + 1 + rng.below(2);
    let may_need = rng.chance(50);
    let is_of_key = of_key(&pair) && rng.chance(80);
    // Lines of a list keep their own order.
    let list = |of: usize| draft.settings[of].list.is_some();
    let is_one_list = list(pair.0) && list(pair.1);
    let refusal = Refusal {
        first: pair.0,
        second: pair.1,
        needs: may_need && !is_one_list,
        is_of_key,
        since: level,
        until: (until < draft.components[component].levels.len() && rng.chance(30))
            .then_some(until),
    };
    draft.components[component].refusals.push(refusal);
    // It changes no line, and is met where its lines are.
    let after = &draft.components[component].levels[level];
    let mut before = after.clone();
    before.lines.retain(|line| line.settings != [pair.0] && line.settings != [pair.1]);
    let contexts = operator::contexts(draft, component, &before, after);
    Some(Edit { operator: Operator::Refuse, component, level, contexts })
}

/// From some level on the words of a line mean something else: nobody knows what, or what other
/// words meant before, or as many of another unit.
fn revisions(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Option<Edit> {
    if !rng.chance(REVISION_PERCENT) {
        return None;
    }
    let settings = 0..draft.settings.len();
    let fitting = settings.filter(|at| may_be_revised(draft, component, *at));
    let levels = &draft.components[component].levels;
    let stays = |setting: usize| {
        let same = levels.windows(2).enumerate().filter(move |(_, pair)| {
            let lines = [&pair[0], &pair[1]].map(|level| level.line_of(setting));
            lines[0].is_some() && lines[0] == lines[1]
        });
        same.map(move |(at, _)| (setting, at + 1))
    };
    let places: Vec<(usize, usize)> = fitting.flat_map(stays).collect();
    if places.is_empty() {
        return None;
    }
    let (setting, level) = *rng.pick(&places);
    let before = levels[level].clone();
    let levels = draft.components[component].levels.iter();
    let lines: Vec<&Line> = levels.filter_map(|level| level.line_of(setting)).collect();
    let comes_to_another = |line: &&Line| {
        let is_other = |slot: &Slot| match &slot.takes {
            Kind::Word(_) => slot.words.iter().all(Option::is_some),
            Kind::Number => slot.number.range.0 > 0,
            _ => false,
        };
        line.slots().any(is_other)
    };
    let is_other = rng.chance(80) && lines.iter().all(comes_to_another);
    let turns = rng.chance(50);
    for later in &mut draft.components[component].levels[level..] {
        for line in later.lines.iter_mut().filter(|line| line.settings == [setting]) {
            line.revision = 1;
            for slot in line.slots_mut().filter(|_| is_other) {
                match &mut slot.words[..] {
                    [] => {}
                    words if turns => words.rotate_left(1),
                    words => words.swap(0, 1),
                }
                slot.number.per *= TIMES;
            }
        }
    }
    let after = &draft.components[component].levels[level];
    let contexts = operator::contexts(draft, component, &before, after);
    Some(Edit { operator: Operator::Revision, component, level, contexts })
}

/// Whether the words of a setting's line may mean something else: it has values, and no texts; each
/// level has it alone on its line, with all of its key and all that is said, where it stood, and
/// says nothing of it by an absence, nor in other words. In a mode whose name is a line somewhere
/// the engine does not list what of a list does not go.
fn may_be_revised(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let of = &draft.settings[setting];
    let is_word = |field: &Field| {
        let is_several = matches!(field.kind, Kind::Several(_) | Kind::Numbers | Kind::Flags(_));
        !is_several && !field.kind.is_text()
    };
    let is_plain = |line: &&Line| {
        let is_said = |slot: &Slot| slot.unsaid.is_none() && slot.number.names.is_empty();
        line.settings.len() == 1
            && (line.scope, line.keys) == (of.scope, of.keys())
            && line.dont_care.is_none()
            && line.default == Default::Off
            && !line.is_not
            && line.implied.is_empty()
            && line.lost.is_empty()
            && line.slots().all(is_said)
    };
    let levels = &draft.components[component].levels;
    let lines: Vec<&Line> = levels.iter().filter_map(|level| level.line_of(setting)).collect();
    let is_alias = |alias: &Alias| match alias {
        Alias::Line { line, .. } => line.settings.contains(&setting),
        Alias::Entry { .. } => false,
    };
    of.component == component
        && !of.is_flag()
        && of.fields.iter().all(is_word)
        && of.fields.iter().all(|field| field.is_named)
        && lines.iter().all(is_plain)
        && !levels.iter().any(|level| level.aliases.iter().any(is_alias))
}

/// Lines of some setting are there for one or two keys unless they are taken away, at each level
/// that has the setting. Each level that says them otherwise than the one before is an edit.
fn factories(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Vec<Edit> {
    let Some(setting) = some_keyed(draft, component, FACTORY_PERCENT, rng) else {
        return Vec::new();
    };
    let there = levels_with(draft, component, setting);
    let levels = &draft.components[component].levels;
    let lines: Vec<&Line> = there.iter().filter_map(|at| levels[*at].line_of(setting)).collect();
    let mut all: Vec<Vec<Value>> = Vec::new();
    for _ in 0..=rng.below(2) {
        let values = values(&draft.settings, lines[0], setting, rng);
        let said = State::Set(values.clone());
        let is_said = lines.iter().all(|line| line.text(std::slice::from_ref(&said)).is_ok());
        let keys = lines[0].keys;
        if is_said && all.iter().all(|other| other[..keys] != values[..keys]) {
            all.push(values);
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    by_absence(draft, component, setting, (Operator::Factory, &Default::Factory(all)))
}

/// The `no` of some line is a line itself, at each level that has it.
fn states(draft: &mut Draft<'_>, component: usize, rng: &mut Rng) -> Vec<Edit> {
    let Some(setting) = some_keyed(draft, component, STATE_PERCENT, rng) else {
        return Vec::new();
    };
    by_absence(draft, component, setting, (Operator::State, &Default::Neither))
}

/// So many times in a hundred a setting whose lines may be there from the beginning.
fn some_keyed(draft: &Draft<'_>, component: usize, percent: usize, rng: &mut Rng) -> Option<usize> {
    if !rng.chance(percent) {
        return None;
    }
    let settings = 0..draft.settings.len();
    let fitting: Vec<usize> = settings.filter(|at| may_be_there(draft, component, *at)).collect();
    (!fitting.is_empty()).then(|| *rng.pick(&fitting))
}

/// An absent line of a setting says this, at each level that has it.
fn by_absence(
    draft: &mut Draft<'_>,
    component: usize,
    setting: usize,
    (operator, says): (Operator, &Default),
) -> Vec<Edit> {
    let levels = &mut draft.components[component].levels;
    for line in levels.iter_mut().flat_map(|level| &mut level.lines) {
        if line.settings == [setting] {
            line.default.clone_from(says);
        }
    }
    let levels = &draft.components[component].levels;
    let line_at = |level: usize| levels[level].line_of(setting);
    let edited =
        (1..levels.len()).filter(|at| line_at(*at).is_some() && line_at(*at) != line_at(at - 1));
    let made = |level: usize| {
        let after = &levels[level];
        let mut before = after.clone();
        before.lines.retain(|line| line.settings != [setting]);
        let contexts = operator::contexts(draft, component, &before, after);
        Edit { operator, component, level, contexts }
    };
    edited.map(made).collect()
}

/// Whether lines of a setting may be there from the beginning: it has a key, and no list; each
/// level has it alone on its line, with all of its key before all else, where it stood and in no
/// mode without a name, in no other words, and says nothing of it by an absence; nothing refuses
/// it.
fn may_be_there(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let of = &draft.settings[setting];
    let is_word = |field: &Field| {
        let is_several = matches!(field.kind, Kind::Several(_) | Kind::Numbers);
        !is_several && !field.kind.is_text() && !matches!(field.kind, Kind::Text | Kind::Quoted)
    };
    let is_key = |part: &Part| matches!(part, Part::Slot(slot) if slot.field < of.keys());
    let is_plain = |line: &&Line| {
        let head = &line.parts[..line.head()];
        let before = head.iter().filter(|part| !matches!(part, Part::Word(_)));
        let rest = &line.parts[line.head()..];
        line.settings.len() == 1
            && (line.scope, line.roof, line.keys) == (of.scope, None, of.keys())
            && line.dont_care.is_none()
            && line.default == Default::Off
            && !(line.is_not || line.is_bare_no || line.is_each)
            && line.implied.is_empty()
            && line.lost.is_empty()
            && line.revision == 0
            && before.filter(|part| is_key(part)).count() == of.keys()
            && head.iter().all(|part| matches!(part, Part::Word(_)) || is_key(part))
            && !rest.iter().any(is_key)
    };
    let component_of = &draft.components[component];
    let levels = &component_of.levels;
    let lines: Vec<&Line> = levels.iter().filter_map(|level| level.line_of(setting)).collect();
    let is_alias = |alias: &Alias| match alias {
        Alias::Line { line, .. } => line.settings.contains(&setting),
        Alias::Entry { .. } => false,
    };
    let mut refusals = component_of.refusals.iter();
    of.component == component
        && of.keys() > 0
        && of.list.is_none()
        && of.fields.iter().all(is_word)
        && lines.iter().all(is_plain)
        && !levels.iter().any(|level| level.aliases.iter().any(is_alias))
        && !refusals.any(|one| one.first == setting || one.second == setting)
}

/// Whether values of two settings are called alike, which a refusal would compare.
fn share_names(one: &Setting, other: &Setting) -> bool {
    one.fields.iter().any(|field| other.fields.iter().any(|of| of.name == field.name))
}

/// Whether a line of a setting may be refused, or be what another needs: each level has it alone on
/// its line, with all of its key, where it stood and in no mode without a name, and no level says
/// it by an absence; and its line is a form without texts.
fn may_be_refused(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let of = &draft.settings[setting];
    let is_word = |field: &Field| {
        let is_several = matches!(field.kind, Kind::Several(_) | Kind::Numbers);
        !is_several && !field.kind.is_text()
    };
    let is_plain = |line: &Line| {
        line.settings.len() == 1
            && (line.scope, line.roof, line.keys) == (of.scope, None, of.keys())
            && line.dont_care.is_none()
            && line.default == Default::Off
            && !(line.is_not || line.is_bare_no)
    };
    let mut lines = draft.components[component].levels.iter().filter_map(|of| of.line_of(setting));
    of.component == component && of.fields.iter().all(is_word) && lines.all(is_plain)
}

/// A value that stands for one that was lost: each level says it, or the line may be without.
fn stands_for(
    draft: &Draft<'_>,
    levels: &[Writing],
    (setting, field): (usize, usize),
    rng: &mut Rng,
) -> Option<Value> {
    let of = &draft.settings[setting].fields[field];
    match of.kind {
        Kind::Flags(_) => return Some(Value::Flags(BTreeSet::new())),
        _ if of.is_optional && rng.chance(60) => return Some(Value::Absent),
        _ => {}
    }
    let lines: Vec<&Line> = levels.iter().filter_map(|level| level.line_of(setting)).collect();
    let value = values(&draft.settings, lines[0], setting, rng).swap_remove(field);
    let is_said =
        |line: &&Line| line.slot_of(setting, field).is_some_and(|of| of.say(&value).is_ok());
    lines.iter().all(is_said).then_some(value)
}

/// Takes the place of a field out of a line.
fn take_slot(line: &mut Line, field: usize) {
    line.parts.retain(|part| !matches!(part, Part::Slot(slot) if slot.field == field));
}

/// Whether a value of a setting may have no place at some levels: it is no key, and one value; each
/// level has a place for it and for another one, a name for it, and the setting alone on its line,
/// with all of its key, where it stood; and absence says no values.
fn may_be_lost(draft: &Draft<'_>, component: usize, setting: usize, field: usize) -> bool {
    let of = &draft.settings[setting];
    let one = &of.fields[field];
    let is_one = match one.kind {
        Kind::Word(_) => one.is_named,
        Kind::Flags(count) => count == 1,
        Kind::Number | Kind::Address | Kind::Address6 | Kind::Prefix | Kind::Name => true,
        _ => false,
    };
    let is_several = |field: &Field| matches!(field.kind, Kind::Several(_));
    let is_plain = |line: &&Line| {
        let mut less = (*line).clone();
        take_slot(&mut less, field);
        line.settings.len() == 1
            && (line.scope, line.keys) == (of.scope, of.keys())
            && line.dont_care.is_none()
            && line.default == Default::Off
            && line.slot_of(setting, field).is_some_and(|slot| slot.unsaid.is_none())
            && less.slots().next().is_some()
            && operator::reads_clearly(draft, &less)
    };
    let levels = draft.components[component].levels.iter();
    let lines: Vec<&Line> = levels.filter_map(|level| level.line_of(setting)).collect();
    of.component == component
        && is_one
        && !one.is_key
        && !of.fields.iter().any(is_several)
        && lines.len() > 1
        && lines.iter().all(is_plain)
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
