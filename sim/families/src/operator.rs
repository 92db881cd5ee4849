//! Operators: each edits how the next level of a component writes. What a person would declare
//! about the edit is in `declare`: it comes of the two writings alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;

use strum::{Display, EnumIter, IntoEnumIterator as _};

use crate::draw::Draft;
use crate::setting::{Kind, List, Setting, State};
use crate::writing::{Alias, Default, Line, Number, Part, Roof, Says, Shares, Slot, Writing};

/// An edit of a writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Operator {
    /// Other first words.
    Rename,
    /// One more keyword, or one less.
    Keyword,
    /// Its parts in another order.
    Reorder,
    /// Other words for values.
    Table,
    /// A word for a value that had none, or none for one that had.
    Word,
    /// Another unit.
    Unit,
    /// Other bounds of a number.
    Range,
    /// Words for the least numbers, or none.
    Ends,
    /// A value tells one line from another, or no longer does.
    Key,
    /// A value has no place, and the line goes without.
    Loses,
    /// The same words mean something else.
    Revision,
    /// A line is there for some keys unless it is taken away.
    Factory,
    /// Both a line and its `no` are said.
    State,
    /// Two lines do not stand together, or one needs the other.
    Refuse,
    /// A word is said by the line being there.
    Implied,
    /// The line says that it is off.
    Polarity,
    /// An absent line says another thing.
    Default,
    /// A value may be left out, must be said, or is another one where it is left out.
    Optional,
    /// Two lines become one, or one becomes two.
    Share,
    /// What had a line of its own is a part of another that the line may be without, or again has
    /// its own.
    Half,
    /// The kind of a value tells which line says it, or one line says both.
    Choice,
    /// Several values have a line each, or one line.
    Each,
    /// Each instance of a scope has a line of its own; before, one line held for all.
    Copies,
    /// Other first words, and the old ones are read, too.
    Alias,
    /// The line stands in another mode.
    Move,
    /// Other words enter a mode.
    Entry,
    /// The name of a mode's instance becomes a line in it, or again a part of its entry.
    Leaf,
    /// A setting that was not there.
    New,
    /// A setting that was not there, and need not go to whom it is new to.
    DontCare,
    /// A setting that is there no longer.
    Remove,
    /// A mode that is there no longer, with all that stands in it.
    Gone,
}

/// Where an edit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Context {
    /// In the root.
    Global,
    /// In a mode.
    InMode,
    /// Of lines that are told by a key.
    Keyed,
    /// Of an ordered list.
    Ordered,
    /// After two other levels at which the same was edited.
    ThirdInChain,
}

/// One edit of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What was done.
    pub operator: Operator,
    /// The component.
    pub component: usize,
    /// The index of the level that it makes.
    pub level: usize,
    /// To what: of several settings, all that holds of any.
    pub contexts: BTreeSet<Context>,
}

/// Of so many edits in a hundred, each is of what was edited most.
const CHAIN_PERCENT: usize = 40;
/// Edits of one level, at most.
const EDITS_MAX: usize = 4;

/// Those that are drawn once all levels are there.
const LATER: &[Operator] = &[
    Operator::Key,
    Operator::Leaf,
    Operator::Loses,
    Operator::Refuse,
    Operator::Revision,
    Operator::Factory,
    Operator::State,
];

/// Adds a level to a component: its last one, edited.
pub(crate) fn next_level(draft: &mut Draft<'_>, component: usize) -> Vec<Edit> {
    let before = draft.components[component].levels.last().expect("a first level").clone();
    let mut after = before.clone();
    // Old words are read for a time.
    after.aliases.retain(|alias| !is_of_old_words(alias) || draft.rng.chance(60));
    let level = draft.components[component].levels.len();
    // Of modes there are fewer than of lines.
    let more = [Operator::Entry, Operator::Default, Operator::Half, Operator::Optional];
    let is_first = |operator: &Operator| !LATER.contains(operator);
    let operators: Vec<Operator> = Operator::iter().filter(is_first).chain(more).collect();
    let mut made = Vec::new();
    let count = 1 + draft.rng.below(EDITS_MAX);
    let mut chosen: Vec<Operator> = (0..count).map(|_| *draft.rng.pick(&operators)).collect();
    // Nothing new stands in a mode that goes.
    chosen.sort_by_key(|operator| *operator == Operator::Gone);
    for operator in chosen {
        let so_far = after.clone();
        let is_made = apply(draft, component, operator, &before, &mut after);
        if is_made {
            let contexts = contexts(draft, component, &so_far, &after);
            made.push(Edit { operator, component, level, contexts });
        }
    }
    if (&after.lines, &after.entries) == (&before.lines, &before.entries) {
        let operator = match after.lines.first_mut() {
            Some(line) => {
                rename(draft, line);
                Operator::Rename
            }
            None => {
                after.lines.extend(draft.draw_lines(component));
                Operator::New
            }
        };
        let contexts = contexts(draft, component, &before, &after);
        made.push(Edit { operator, component, level, contexts });
    }
    settle(draft.components[component].levels.len() + 1, &before, &mut after);
    draft.draw_list_aliases(&mut after);
    draft.components[component].levels.push(after);
    made
}

const fn is_of_old_words(alias: &Alias) -> bool {
    match alias {
        Alias::Line { says, .. } => matches!(says, Says::Line),
        Alias::Entry { .. } => true,
    }
}

/// What is written otherwise than before has no alias of before, and must go.
fn settle(level: usize, before: &Writing, after: &mut Writing) {
    let Writing { entries, lines, aliases, .. } = after;
    aliases.retain(|alias| match alias {
        Alias::Line { line, says } => {
            let of = lines.iter().find(|of| of.settings == line.settings);
            let is_new = *says == Says::Line && !before.aliases.contains(alias);
            of.is_some_and(|of| match is_new {
                true => says_alike(line, of),
                false => before.lines.contains(of),
            })
        }
        Alias::Entry { .. } if !before.aliases.contains(alias) => true,
        Alias::Entry { scope, .. } => before.entries[*scope] == entries[*scope],
    });
    for line in lines.iter_mut().filter(|line| !before.lines.contains(line)) {
        line.dont_care = line.dont_care.filter(|from| *from == level);
    }
}

/// Whether two lines differ in words and order alone.
fn says_alike(one: &Line, other: &Line) -> bool {
    let spelled = |line: &Line| {
        let slots = line.slots().map(|slot| ((slot.setting, slot.field), slot.clone()));
        slots.collect::<BTreeMap<_, _>>()
    };
    let about = |line: &Line| (line.is_not, line.is_each, line.shares.clone());
    spelled(one) == spelled(other)
        && about(one) == about(other)
        && (&one.implied, &one.default) == (&other.implied, &other.default)
        && one.lost == other.lost
}

/// Where two writings differ.
pub(crate) fn contexts(
    draft: &Draft<'_>,
    component: usize,
    before: &Writing,
    after: &Writing,
) -> BTreeSet<Context> {
    let mut contexts = BTreeSet::new();
    let levels = draft.components[component].levels.windows(2);
    for scope in 0..after.entries.len() {
        let differ = |one: &Writing, other: &Writing| {
            (&one.entries[scope], &one.leaves[scope])
                != (&other.entries[scope], &other.leaves[scope])
        };
        if !differ(before, after) {
            continue;
        }
        contexts.insert(Context::InMode);
        let edits = levels.clone().filter(|pair| differ(&pair[0], &pair[1]));
        contexts.extend((edits.count() > 1).then_some(Context::ThirdInChain));
    }
    for (number, setting) in draft.settings.iter().enumerate() {
        let of = |writing: &Writing| writing.line_of(number).cloned();
        let (old, new) = (of(before), of(after));
        if setting.component != component || old == new {
            continue;
        }
        for line in old.iter().chain(&new) {
            let is_global = line.scope.is_none();
            contexts.insert(if is_global { Context::Global } else { Context::InMode });
        }
        contexts.extend((setting.keys() > 0).then_some(Context::Keyed));
        contexts.extend(setting.list.is_some().then_some(Context::Ordered));
        let edits = levels.clone().filter(|pair| of(&pair[0]) != of(&pair[1])).count();
        contexts.extend((edits > 1).then_some(Context::ThirdInChain));
    }
    contexts
}

/// Makes the edit somewhere; false: there is no place for it.
fn apply(
    draft: &mut Draft<'_>,
    component: usize,
    operator: Operator,
    before: &Writing,
    after: &mut Writing,
) -> bool {
    match operator {
        Operator::New | Operator::DontCare => {
            let mut lines = draft.draw_lines(component);
            let level = draft.components[component].levels.len() + 1;
            let dont_care = (operator == Operator::DontCare).then_some(level);
            lines.iter_mut().for_each(|line| line.dont_care = dont_care);
            after.lines.extend(lines);
            return true;
        }
        Operator::Remove => {
            let mut at = draft.rng.below(after.lines.len());
            // Half of what goes is a part of what was one line.
            if draft.rng.chance(50) {
                let levels = &draft.components[component].levels;
                let was_shared = |line: &Line| {
                    let before = levels.iter().filter_map(|level| level.line_of(line.settings[0]));
                    line.settings.len() == 1 && { before }.any(|line| line.settings.len() > 1)
                };
                at = after.lines.iter().position(was_shared).unwrap_or(at);
            }
            let line = &after.lines[at];
            let is_same = before.lines.contains(line);
            // What is held out in a mode that another component names otherwise is kept in words
            // of both, and put back when one of them is reached.
            let is_named_alike = component == 0 || !is_renamed(draft, line.scope);
            if after.lines.len() > 3 && is_same && is_named_alike {
                after.lines.remove(at);
                return true;
            }
            return false;
        }
        Operator::Gone => return gone(draft, component, before, after),
        Operator::Entry => return entry(draft, before, after).is_some(),
        Operator::Alias if draft.rng.chance(30) => {
            let Some((scope, words)) = entry(draft, before, after) else {
                return false;
            };
            after.aliases.retain(|alias| !is_of_entry(alias, scope));
            after.aliases.push(Alias::Entry { scope, words });
            return true;
        }
        Operator::Share => return share(draft, before, after),
        Operator::Half => return half(draft, before, after),
        Operator::Choice => return choice(draft, before, after),
        _ => {}
    }
    let mut order: Vec<usize> = (0..after.lines.len()).collect();
    draft.rng.shuffle(&mut order);
    // Chains of changes are of what was changed before.
    if draft.rng.chance(CHAIN_PERCENT) {
        let levels = &draft.components[component].levels;
        let edits = |at: &usize| {
            let of = |level: &Writing| level.line_of(after.lines[*at].settings[0]).cloned();
            Reverse(levels.windows(2).filter(|pair| of(&pair[0]) != of(&pair[1])).count())
        };
        order.sort_by_cached_key(edits);
    }
    for at in order {
        let mut line = after.lines[at].clone();
        // What is new at this level has no writing before it; what is shared anew is one change.
        let Some(old) = before.lines.iter().find(|old| old.settings == line.settings) else {
            continue;
        };
        if edit(draft, component, operator, old, &mut line)
            && line != after.lines[at]
            && reads_clearly(draft, &line)
            && defaults_fit(draft, component, &line)
            && says_what_is_left_out(&line)
        {
            if operator == Operator::Alias {
                let line = Line { is_bare_no: false, dont_care: None, ..old.clone() };
                after.aliases.push(Alias::Line { line, says: Says::Line });
            }
            after.lines[at] = line;
            return true;
        }
    }
    false
}

const fn is_of_entry(alias: &Alias, scope: usize) -> bool {
    matches!(alias, Alias::Entry { scope: of, .. } if *of == scope)
}

/// Other words enter a mode: which, and the old words; none: there is no place for it.
fn entry(
    draft: &mut Draft<'_>,
    before: &Writing,
    after: &mut Writing,
) -> Option<(usize, Vec<String>)> {
    if after.entries.is_empty() {
        return None;
    }
    // Chains of changes are of what was changed before.
    let levels = &draft.components[0].levels;
    let edits = |at: &usize| {
        levels.windows(2).filter(|pair| pair[0].entries[*at] != pair[1].entries[*at]).count()
    };
    let most = (0..after.entries.len()).max_by_key(edits).filter(|at| edits(at) > 0);
    let is_chain = draft.rng.chance(2 * CHAIN_PERCENT);
    let there: Vec<usize> =
        (0..after.entries.len()).filter(|at| after.entries[*at].is_some()).collect();
    if there.is_empty() {
        return None;
    }
    let some = *draft.rng.pick(&there);
    let at = most.filter(|at| is_chain && there.contains(at)).unwrap_or(some);
    if after.entries[at] != before.entries[at] {
        return None;
    }
    let old = after.entries[at].replace(draft.words())?;
    Some((at, old))
}

/// A mode is entered no more, and nothing of it is said.
fn gone(draft: &mut Draft<'_>, component: usize, before: &Writing, after: &mut Writing) -> bool {
    let there = |at: &usize| after.entries[*at].is_some() && after.entries == before.entries;
    let there: Vec<usize> = (0..after.entries.len()).filter(there).collect();
    if component != 0 || there.is_empty() {
        return false;
    }
    let scope = *draft.rng.pick(&there);
    let is_in = |of: Option<usize>| {
        let around = std::iter::successors(of, |at| draft.scopes[*at].parent);
        { around }.any(|at| at == scope)
    };
    // What another component says there would need a mode of its own.
    let others = draft.components.iter().skip(1).flat_map(|of| &of.levels);
    let mut others = others.flat_map(|level| &level.lines);
    let (stay, go): (Vec<Line>, Vec<Line>) =
        after.lines.iter().cloned().partition(|line| !is_in(line.scope));
    let is_same = |line: &Line| before.lines.contains(line);
    if others.any(|line| is_in(line.scope)) || stay.len() < 3 || !go.iter().all(is_same) {
        return false;
    }
    // What came out of the mode at this level has a change of its own.
    let came = before.lines.iter().filter(|old| is_in(old.scope));
    if !{ came }.all(|old| go.contains(old)) {
        return false;
    }
    after.lines = stay;
    for (at, entry) in after.entries.iter_mut().enumerate().filter(|(at, _)| is_in(Some(*at))) {
        *entry = None;
        after.aliases.retain(|alias| !is_of_entry(alias, at));
    }
    after.aliases.retain(|alias| match alias {
        Alias::Line { line, .. } => !is_in(line.scope),
        Alias::Entry { .. } => true,
    });
    true
}

/// Whether the entry of a scope, or of one around it, is not the same at all levels.
fn is_renamed(draft: &Draft<'_>, scope: Option<usize>) -> bool {
    let around = std::iter::successors(scope, |at| draft.scopes[*at].parent);
    let levels = &draft.components[0].levels;
    { around }.any(|at| levels.iter().any(|level| level.entries[at] != levels[0].entries[at]))
}

/// Whether no value of any word stands where a keyword may stand.
pub(crate) fn reads_clearly(draft: &Draft<'_>, line: &Line) -> bool {
    let mut may_be_keyword = false;
    line.parts.iter().all(|part| {
        let slot = match part {
            Part::Word(_) => {
                may_be_keyword = false;
                return true;
            }
            // It begins with a keyword.
            Part::Half { .. } => {
                may_be_keyword = true;
                return true;
            }
            Part::Slot(slot) => slot,
        };
        let field = &draft.settings[slot.setting].fields[slot.field];
        let is_any = slot.takes.is_any()
            || matches!(field.kind, Kind::Several(_) | Kind::Block | Kind::Lines);
        let is_optional = field.is_optional || slot.unsaid.is_some();
        let is_clear = !may_be_keyword || !is_any || is_optional;
        may_be_keyword =
            is_optional || (may_be_keyword && is_any) || matches!(field.kind, Kind::Flags(_));
        is_clear
    })
}

/// Whether at each level absence says that it is off. Where it says more, and copies of the line
/// are made on the way, a line that is back after two switchovers was not there before.
fn is_off_by_default(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut lines = levels.filter_map(|level| level.line_of(setting));
    lines.all(|line| line.absent() == State::Unset && !line.is_not)
}

/// Whether what absence says may change: the line stays where it was, and no level says the
/// setting on a line with another. What is said by absence between two lines, and stuck later,
/// nobody lists.
fn is_alone(draft: &Draft<'_>, component: usize, old: &Line, line: &Line) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut lines = levels.filter_map(|level| level.line_of(line.settings[0])).chain([old]);
    lines.all(|before| before.scope == line.scope && before.settings.len() == 1)
}

/// Whether each level of the component says what is the default at another.
fn defaults_fit(draft: &Draft<'_>, component: usize, line: &Line) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut lines: Vec<&Line> = levels
        .flat_map(|level| level.lines.iter().filter(|l| l.settings == line.settings))
        .collect();
    lines.push(line);
    let defaults: Vec<State> = lines.iter().map(|line| line.absent()).collect();
    let is_said = |line: &&Line, state: &State| {
        *state == State::Unset || line.settings.len() > 1 || line.text(from_ref(state)).is_ok()
    };
    lines.iter().all(|line| defaults.iter().all(|state| is_said(line, state)))
}

fn edit(
    draft: &mut Draft<'_>,
    component: usize,
    operator: Operator,
    old: &Line,
    line: &mut Line,
) -> bool {
    let is_flag = line.settings.iter().all(|setting| draft.settings[*setting].is_flag());
    let is_alone = line.settings.len() == 1;
    match operator {
        Operator::Rename => {
            rename(draft, line);
            true
        }
        Operator::Alias => {
            // What else is edited, the old words do not say.
            let is_same = line == old;
            rename(draft, line);
            is_same
        }
        Operator::Each => {
            let several = |slot: &Slot| {
                let kind = &draft.settings[slot.setting].fields[slot.field].kind;
                matches!(kind, Kind::Several(_))
            };
            let is_last = line.slots().last().is_some_and(several);
            line.is_each = !line.is_each;
            is_alone && is_last && line.is_each != old.is_each && line.scope == old.scope
        }
        Operator::Copies => copies(draft, component, old, line),
        Operator::Keyword => keyword(draft, line),
        Operator::Reorder => reorder(draft, line),
        Operator::Table | Operator::Word => words(draft, operator, old, line),
        Operator::Unit | Operator::Range | Operator::Ends => number(draft, operator, old, line),
        Operator::Implied => implied(draft, old, line),
        Operator::Polarity => {
            let stays = self::is_alone(draft, component, old, line);
            if !is_flag || !is_alone || !stays || line.is_not != old.is_not || line.roof != old.roof
            {
                return false;
            }
            line.is_not = !line.is_not;
            // Half of the time absence says the same on both sides.
            if draft.rng.chance(50) {
                line.default = match line.default {
                    Default::Off => Default::Line,
                    Default::Line | Default::Values(_) | Default::Factory(_) | Default::Neither => {
                        Default::Off
                    }
                };
            }
            rename(draft, line);
            line.roof.is_none() || line.absent() == old.absent()
        }
        Operator::Default => default(draft, component, is_flag && is_alone, old, line),
        Operator::Optional => optional(draft, component, old, line),
        Operator::Move => {
            let (scope, list) = (line.scope, draft.settings[line.settings[0]].list.clone());
            // A list that several settings share stays in one place.
            if matches!(list, Some(List::Shared(_)))
                || line.roof != old.roof
                || line.scope != old.scope
                || line.is_each != old.is_each
                || line.absent() != old.absent()
            {
                return false;
            }
            if line.roof.is_some() && draft.rng.chance(50) {
                line.roof = None;
                return true;
            }
            let level = draft.components[component].levels.len();
            let words = draft.vocabulary.word();
            let roofs = &mut draft.components[component].roofs;
            let there = roofs.iter().position(|roof| roof.scope == scope);
            let there = there.filter(|at| line.roof != Some(*at));
            line.roof = Some(there.unwrap_or_else(|| {
                roofs.push(Roof { scope, words, since: level });
                roofs.len() - 1
            }));
            true
        }
        Operator::Share
        | Operator::Half
        | Operator::Choice
        | Operator::Entry
        | Operator::Leaf
        | Operator::Key
        | Operator::Loses
        | Operator::Revision
        | Operator::Factory
        | Operator::State
        | Operator::Refuse
        | Operator::New
        | Operator::DontCare
        | Operator::Remove
        | Operator::Gone => false,
    }
}

/// A line of each instance in the place of one around them.
fn copies(draft: &mut Draft<'_>, component: usize, old: &Line, line: &mut Line) -> bool {
    let setting = &draft.settings[line.settings[0]];
    // Modes of another component are entered as its last level does.
    if component != 0
        || !is_off_by_default(draft, component, line.settings[0])
        || line.settings.len() > 1
        || setting.list.is_some()
        || setting.is_set()
        || line.scope != old.scope
        || line.roof.is_some()
        || old.roof.is_some()
        || line.absent() != State::Unset
        || old.absent() != State::Unset
        // `image check` makes lines of both that no config keeps, and finds no group that goes.
        || line.implied != old.implied
        || !is_always_said(draft, component, line)
        || line.is_not
        || old.is_not
    {
        return false;
    }
    let last = draft.components[component].levels.last().expect("a first level");
    let within = draft
        .scopes
        .iter()
        .enumerate()
        .filter(|(at, scope)| scope.parent == line.scope && last.entries[*at].is_some());
    let mut to: Vec<Option<usize>> = within.map(|(at, _)| Some(at)).collect();
    to.extend(line.scope.map(|scope| draft.scopes[scope].parent));
    if to.is_empty() {
        return false;
    }
    line.scope = *draft.rng.pick(&to);
    true
}

fn rename(draft: &mut Draft<'_>, line: &mut Line) {
    let first = line.parts.iter().take_while(|part| matches!(part, Part::Word(_))).count();
    line.parts.drain(..first);
    let words: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
    line.parts.splice(0..0, words);
}

/// Where arguments begin.
fn arguments(line: &Line) -> usize {
    line.parts.iter().position(|part| !matches!(part, Part::Word(_))).unwrap_or(line.parts.len())
}

/// Whether the last part takes all words to the end.
fn ends_in_text(draft: &Draft<'_>, line: &Line) -> bool {
    line.slots()
        .last()
        .is_some_and(|slot| draft.settings[slot.setting].fields[slot.field].kind.takes_rest())
}

fn keyword(draft: &mut Draft<'_>, line: &mut Line) -> bool {
    let from = arguments(line);
    let later = (from..line.parts.len()).filter(|at| matches!(line.parts[*at], Part::Word(_)));
    let later: Vec<usize> = later.collect();
    if !later.is_empty() && draft.rng.chance(50) {
        line.parts.remove(*draft.rng.pick(&later));
        return true;
    }
    let ends = usize::from(ends_in_text(draft, line));
    let to = line.parts.len() - ends;
    let at = from + draft.rng.below(to.saturating_sub(from) + 1);
    let word = draft.vocabulary.word();
    line.parts.insert(at.min(line.parts.len()), Part::Word(word));
    true
}

fn reorder(draft: &mut Draft<'_>, line: &mut Line) -> bool {
    let from = arguments(line);
    let to = line.parts.len() - usize::from(ends_in_text(draft, line));
    if line.settings.len() > 1 || to < from + 2 {
        return false;
    }
    draft.rng.shuffle(&mut line.parts[from..to]);
    true
}

fn words(draft: &mut Draft<'_>, operator: Operator, old: &Line, line: &mut Line) -> bool {
    let default = line.default.clone();
    for slot in line.slots_mut() {
        let field = draft.settings[slot.setting].fields[slot.field].clone();
        let is_same = old.slots().any(|old| {
            (old.setting, old.field) == (slot.setting, slot.field) && old.words == slot.words
        });
        let narrows = operator == Operator::Word && matches!(default, Default::Values(_));
        if slot.words.len() < 2 || !field.is_named || !is_same || narrows {
            continue;
        }
        let at = draft.rng.below(slot.words.len());
        if operator == Operator::Table {
            match draft.rng.below(3) {
                // Two words change places: each says what the other said.
                0 if slot.words.iter().all(Option::is_some) => slot.words.swap(0, 1),
                _ => slot.words[at] = Some(draft.vocabulary.word()),
            }
        } else if slot.words[at].is_none() {
            slot.words[at] = Some(draft.vocabulary.word());
        } else if slot.words.iter().flatten().count() > 2 {
            slot.words[at] = None;
        } else {
            continue;
        }
        return true;
    }
    false
}

fn number(draft: &mut Draft<'_>, operator: Operator, old: &Line, line: &mut Line) -> bool {
    let default = line.default.clone();
    for slot in line.slots_mut() {
        let field = &draft.settings[slot.setting].fields[slot.field];
        let is_same = old.slots().any(|old| {
            (old.setting, old.field) == (slot.setting, slot.field) && old.number == slot.number
        });
        // What a default is must be sayable on both sides of each change.
        let narrows = operator == Operator::Unit && matches!(default, Default::Values(_));
        let is_list = match &field.kind {
            Kind::Several(of) => **of == Kind::Number,
            Kind::Numbers => true,
            _ => false,
        };
        let fits = field.kind == Kind::Number || (is_list && operator == Operator::Range);
        if !fits || !is_same || narrows {
            continue;
        }
        let number = &mut slot.number;
        let (least, most) = number.range;
        match operator {
            Operator::Range => {
                if most <= least + 3 {
                    continue;
                }
                // The least is what words stand for.
                let kinds = if number.names.is_empty() { 3 } else { 2 };
                number.range = match draft.rng.below(kinds) {
                    0 => (least, most * 2),
                    1 => (least, most - (most - least) / 2 + 1),
                    _ => (least + 1 - 2 * (least % 2), most),
                };
            }
            Operator::Unit if number.names.is_empty() => {
                let per = *draft.rng.pick(&[1, 8, 1000, 60]);
                let most = (most * number.per / per).min(100_000);
                let new = Number { per, range: (least, most), names: Vec::new() };
                if per == number.per || most < least + 3 || !meet(number, &new) {
                    continue;
                }
                *number = new;
            }
            Operator::Ends if number.names.is_empty() && most > least + 3 => {
                number.names = draft.vocabulary.words(1 + draft.rng.below(2));
            }
            Operator::Ends => number.names.clear(),
            _ => continue,
        }
        return true;
    }
    false
}

/// Whether each says an end, or the middle, of the other's range.
fn meet(one: &Number, other: &Number) -> bool {
    let says = |one: &Number, other: &Number| {
        let (least, most) = one.range;
        let values = [least, most, i64::midpoint(least, most)];
        values.iter().any(|number| other.say(number * one.per).is_ok())
    };
    says(one, other) && says(other, one)
}

fn implied(draft: &mut Draft<'_>, old: &Line, line: &mut Line) -> bool {
    let is_plain = line.implied.is_empty() && line.default == Default::Off;
    if line.settings.len() > 1 || !is_plain || line.scope != old.scope {
        return false;
    }
    let mut slots = line.parts.iter().enumerate();
    let found = slots.find_map(|(at, part)| match part {
        Part::Slot(slot) => {
            let field = &draft.settings[slot.setting].fields[slot.field];
            let is_one = match field.kind {
                Kind::Word(_) | Kind::Address | Kind::Address6 | Kind::Name | Kind::Host => true,
                Kind::Number => slot.number.names.is_empty(),
                _ => false,
            };
            let is_said = !field.is_optional && slot.unsaid.is_none();
            let fits = is_one && field.is_named && is_said && !field.is_key;
            fits.then_some((at, slot.clone()))
        }
        Part::Word(_) | Part::Half { .. } => None,
    });
    let Some((at, slot)) = found else { return false };
    if !old.slots().any(|old| *old == slot) {
        return false;
    }
    let value = draft.values(line, slot.setting).swap_remove(slot.field);
    line.parts.remove(at);
    line.implied.push((slot.field, value));
    true
}

fn default(
    draft: &mut Draft<'_>,
    component: usize,
    is_flag: bool,
    old: &Line,
    line: &mut Line,
) -> bool {
    let is_edited = line.default != old.default || line.is_not != old.is_not;
    // What absence says in a mode that the other side lacks, the engine cannot say there.
    if line.roof.is_some()
        || old.roof.is_some()
        || is_edited
        || !is_alone(draft, component, old, line)
    {
        return false;
    }
    match &line.default {
        Default::Values(_) => {
            let values = draft.values(line, line.settings[0]);
            line.default = Default::Values(values);
        }
        Default::Off if is_flag => line.default = Default::Line,
        Default::Line if is_flag => line.default = Default::Off,
        Default::Off | Default::Line | Default::Factory(_) | Default::Neither => return false,
    }
    true
}

/// A value that each line says may be left out, where it is the one that is said so; or it must be
/// said again, or another value is said by leaving it out.
fn optional(draft: &mut Draft<'_>, component: usize, old: &Line, line: &mut Line) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut before = levels.filter_map(|level| level.line_of(line.settings[0]));
    let stays = before.all(|before| before.scope == line.scope);
    if line.settings.len() > 1 || line.default != Default::Off || line.is_bare_no || !stays {
        return false;
    }
    let setting = line.settings[0];
    let fits = |slot: &Slot| {
        let field = &draft.settings[setting].fields[slot.field];
        let is_one = match field.kind {
            Kind::Number => slot.number.names.is_empty(),
            Kind::Word(_)
            | Kind::Address
            | Kind::Address6
            | Kind::Prefix
            | Kind::Name
            | Kind::Host => true,
            _ => false,
        };
        is_one && field.is_named && !field.is_optional && !field.is_key
    };
    let is_same = |slot: &Slot| old.slots().any(|old| old == slot);
    let fields: Vec<usize> =
        line.slots().filter(|slot| fits(slot) && is_same(slot)).map(|slot| slot.field).collect();
    if fields.is_empty() {
        return false;
    }
    let field = *draft.rng.pick(&fields);
    let must_be_said = draft.rng.chance(60);
    let lead = draft.vocabulary.word();
    let value = draft.values(line, setting).swap_remove(field);
    let slot = line.slots_mut().find(|slot| slot.field == field).expect("it was found");
    match &mut slot.unsaid {
        Some(_) if must_be_said => {
            slot.unsaid = None;
            slot.lead = None;
        }
        unsaid @ Some(_) => *unsaid = Some(value),
        None => {
            slot.unsaid = Some(value);
            slot.lead = Some(lead);
        }
    }
    true
}

/// Whether a line can say each value that it may leave out.
fn says_what_is_left_out(line: &Line) -> bool {
    let mut unsaid = line.slots().filter_map(|slot| Some((slot, slot.unsaid.as_ref()?)));
    unsaid.all(|(slot, value)| slot.bare().say(value).is_ok())
}

/// Whether no level may leave a value of a line out.
fn is_always_said(draft: &Draft<'_>, component: usize, line: &Line) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut lines = levels.filter_map(|level| level.line_of(line.settings[0])).chain([line]);
    lines.all(says_all)
}

/// Whether no slot of a line can be left out.
fn says_all(line: &Line) -> bool {
    line.slots().all(|slot| slot.unsaid.is_none())
}

/// Two lines become one, or one becomes two.
fn share(draft: &mut Draft<'_>, before: &Writing, after: &mut Writing) -> bool {
    let is_same = |line: &Line| before.lines.contains(line);
    let is_double = |line: &Line| line.settings.len() > 1 && line.shares == Shares::All;
    let double = after.lines.iter().position(|line| is_double(line) && is_same(line));
    if let Some(at) = double {
        let line = after.lines.remove(at);
        for setting in &line.settings {
            let mut parts: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
            let slots = line.slots().filter(|slot| slot.setting == *setting);
            parts.extend(slots.cloned().map(Part::Slot));
            after.lines.push(Line { settings: vec![*setting], parts, ..line.clone() });
        }
        return true;
    }
    let fits = |line: &Line| {
        let setting = &draft.settings[line.settings[0]];
        line.settings.len() == 1
            && is_same(line)
            && setting.keys() == 0
            && line.default == Default::Off
            && !line.is_not
            && line.roof.is_none()
            && line.implied.is_empty()
            && says_all(line)
            && is_off_by_default(draft, setting.component, line.settings[0])
            && !line.is_each
            && !draft.choices.iter().any(|(one, other)| [*one, *other].contains(&line.settings[0]))
            && setting.fields.iter().all(|field| !field.kind.takes_rest())
    };
    let fitting: Vec<usize> = (0..after.lines.len()).filter(|at| fits(&after.lines[*at])).collect();
    let scope = |at: usize| after.lines[at].scope;
    for one in &fitting {
        for other in fitting.iter().filter(|other| **other > *one) {
            if scope(*one) == scope(*other) {
                let second = after.lines.remove(*other);
                let first = after.lines.remove(*one);
                let line = draft.shared(&first, &second);
                after.lines.push(line);
                return true;
            }
        }
    }
    false
}

/// A part that a line may be without gets a line of its own, or such a line becomes a part.
fn half(draft: &mut Draft<'_>, before: &Writing, after: &mut Writing) -> bool {
    let is_same = |line: &Line| before.lines.contains(line);
    let double = |line: &Line| line.shares == Shares::First && is_same(line);
    if let Some(at) = after.lines.iter().position(double) {
        let line = after.lines.remove(at);
        let [one, other] = [line.settings[0], line.settings[1]];
        let keys = draft.settings[one].keys();
        let mut own: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
        let mut half: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
        for slot in line.slots() {
            if slot.setting == one {
                own.push(Part::Slot(slot.clone()));
            }
            if slot.setting == other || slot.field < keys {
                half.push(Part::Slot(Slot { setting: other, ..slot.clone() }));
            }
        }
        for (setting, parts) in [(one, own), (other, half)] {
            let (settings, shares) = (vec![setting], Shares::All);
            after.lines.push(Line { settings, shares, parts, ..line.clone() });
        }
        return true;
    }
    let pairs = alone_together(draft, before, after);
    let keys = |line: &Line, setting: usize| {
        let keys = draft.settings[setting].keys();
        (0..keys).map(|key| line.slot_of(setting, key).cloned()).collect::<Vec<_>>()
    };
    let same_keys = |one: &Line, other: &Line| {
        let of_one = keys(one, one.settings[0]).into_iter().flatten();
        let of_other = keys(other, other.settings[0]).into_iter().flatten();
        of_one
            .map(|slot| (slot.words, slot.number))
            .eq(of_other.map(|slot| (slot.words, slot.number)))
    };
    let fits = |(one, other): &&(usize, usize)| {
        let (one, other) = (&after.lines[*one], &after.lines[*other]);
        let (first, second) =
            (&draft.settings[one.settings[0]], &draft.settings[other.settings[0]]);
        let names = |setting: &Setting| {
            let fields = setting.fields[..setting.keys()].iter();
            fields.map(|field| field.name.clone()).collect::<Vec<_>>()
        };
        let is_half = draft.halves.contains(&(one.settings[0], other.settings[0]));
        is_half && names(first) == names(second) && same_keys(one, other)
    };
    let Some((one, other)) = pairs.iter().find(fits).copied() else {
        return false;
    };
    let (first, second) = (after.lines[one].clone(), after.lines[other].clone());
    let line = draft.with_half(&first, &second);
    after.lines.retain(|line| line != &first && line != &second);
    after.lines.push(line);
    true
}

/// One line that says two settings, told by the kind of a value, becomes two, or two become one.
fn choice(draft: &mut Draft<'_>, before: &Writing, after: &mut Writing) -> bool {
    let is_same = |line: &Line| before.lines.contains(line);
    let is_choice = |line: &Line| matches!(line.shares, Shares::One(_)) && is_same(line);
    if let Some(at) = after.lines.iter().position(is_choice) {
        let line = after.lines.remove(at);
        for setting in &line.settings {
            let mut parts: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
            let fields = &draft.settings[*setting].fields;
            let slots = line.slots().map(|slot| Slot {
                setting: *setting,
                takes: fields[slot.field].kind.clone(),
                ..slot.clone()
            });
            parts.extend(slots.map(Part::Slot));
            let (settings, shares) = (vec![*setting], Shares::All);
            after.lines.push(Line { settings, shares, parts, ..line.clone() });
        }
        return true;
    }
    let pairs = alone_together(draft, before, after);
    let spelled = |line: &Line| {
        let slots = line.slots().map(|slot| (slot.field, slot.words.clone(), slot.number.clone()));
        let mut slots: Vec<_> = slots.collect();
        slots.sort_by_key(|slot| slot.0);
        slots
    };
    let fits = |(one, other): &&(usize, usize)| {
        let (one, other) = (&after.lines[*one], &after.lines[*other]);
        let is_choice = draft.choices.contains(&(one.settings[0], other.settings[0]));
        is_choice && spelled(one) == spelled(other)
    };
    let Some((one, other)) = pairs.iter().find(fits).copied() else {
        return false;
    };
    let (first, second) = (after.lines[one].clone(), after.lines[other].clone());
    let kind = draft.settings[first.settings[0]].fields[0].kind.clone();
    let line = draft.chosen(kind, &first, &second);
    after.lines.retain(|line| line != &first && line != &second);
    after.lines.push(line);
    true
}

/// Ordered pairs of lines of one setting each that are as before, in one place.
fn alone_together(draft: &Draft<'_>, before: &Writing, after: &Writing) -> Vec<(usize, usize)> {
    let is_plain = |line: &Line| {
        line.settings.len() == 1
            && before.lines.contains(line)
            && line.default == Default::Off
            && !line.is_not
            && line.implied.is_empty()
            && says_all(line)
            && {
                let setting = line.settings[0];
                is_off_by_default(draft, draft.settings[setting].component, setting)
            }
            && draft.settings[line.settings[0]].list.is_none()
    };
    let plain: Vec<usize> =
        (0..after.lines.len()).filter(|at| is_plain(&after.lines[*at])).collect();
    let mut pairs = Vec::new();
    for one in &plain {
        for other in plain.iter().filter(|other| *other != one) {
            let place = |at: usize| (after.lines[at].scope, after.lines[at].roof);
            if place(*one) == place(*other) {
                pairs.push((*one, *other));
            }
        }
    }
    pairs
}
