//! Operators: each edits how the next level of a component writes. What a person would declare
//! about the edit is in `declare`: it comes of the two writings alone.

use std::collections::BTreeSet;
use std::slice::from_ref;

use strum::{Display, EnumIter, IntoEnumIterator as _};

use crate::draw::Draft;
use crate::setting::{Kind, List, Setting, State, Value};
use crate::writing::{Default, Line, Number, Part, Roof, Writing};

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
    /// A word is said by the line being there.
    Implied,
    /// The line says that it is off.
    Polarity,
    /// An absent line says another thing.
    Default,
    /// Two lines become one, or one becomes two.
    Share,
    /// The line stands in another mode.
    Move,
    /// Other words enter a mode.
    Entry,
    /// A setting that was not there.
    New,
    /// A setting that is there no longer.
    Remove,
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
    /// To what: of several settings, all that holds of any.
    pub contexts: BTreeSet<Context>,
}

/// Edits of one level, at most.
const EDITS_MAX: usize = 4;

/// Adds a level to a component: its last one, edited.
pub(crate) fn next_level(draft: &mut Draft<'_>, component: usize) -> Vec<Edit> {
    let before = draft.components[component].levels.last().expect("a first level").clone();
    let mut after = before.clone();
    let operators: Vec<Operator> = Operator::iter().collect();
    let mut made = Vec::new();
    for _ in 0..1 + draft.rng.below(EDITS_MAX) {
        let operator = *draft.rng.pick(&operators);
        let so_far = after.clone();
        if apply(draft, component, operator, &before, &mut after) {
            made.push(Edit { operator, contexts: contexts(draft, component, &so_far, &after) });
        }
    }
    if after == before {
        rename(draft, &mut after.lines[0]);
        let contexts = contexts(draft, component, &before, &after);
        made.push(Edit { operator: Operator::Rename, contexts });
    }
    draft.components[component].levels.push(after);
    made
}

/// Where two writings differ.
fn contexts(
    draft: &Draft<'_>,
    component: usize,
    before: &Writing,
    after: &Writing,
) -> BTreeSet<Context> {
    let mut contexts = BTreeSet::new();
    if before.entries != after.entries {
        contexts.insert(Context::InMode);
    }
    for (number, setting) in draft.settings.iter().enumerate() {
        let of = |writing: &Writing| writing.line_of(number).cloned();
        let (old, new) = (of(before), of(after));
        if setting.component != component || old == new {
            continue;
        }
        let is_global = setting.scope.is_none();
        contexts.insert(if is_global { Context::Global } else { Context::InMode });
        contexts.extend((setting.keys() > 0).then_some(Context::Keyed));
        contexts.extend(setting.list.is_some().then_some(Context::Ordered));
        let levels = draft.components[component].levels.windows(2);
        let edits = levels.filter(|pair| of(&pair[0]) != of(&pair[1])).count();
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
        Operator::New => {
            let lines = draft.draw_lines(component);
            after.lines.extend(lines);
            return true;
        }
        Operator::Remove => {
            let at = draft.rng.below(after.lines.len());
            let is_same = before.lines.contains(&after.lines[at]);
            let setting = after.lines[at].settings[0];
            if after.lines.len() > 3 && is_same && is_off_by_default(draft, component, setting) {
                after.lines.remove(at);
                return true;
            }
            return false;
        }
        Operator::Entry => {
            if after.entries.is_empty() {
                return false;
            }
            let at = draft.rng.below(after.entries.len());
            if after.entries[at] != before.entries[at] {
                return false;
            }
            after.entries[at] = Some(draft.words());
            return true;
        }
        Operator::Share => return share(draft, component, before, after),
        _ => {}
    }
    let mut order: Vec<usize> = (0..after.lines.len()).collect();
    draft.rng.shuffle(&mut order);
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
        {
            after.lines[at] = line;
            return true;
        }
    }
    false
}

/// Whether no value of any word stands where a keyword may stand.
fn reads_clearly(draft: &Draft<'_>, line: &Line) -> bool {
    let mut may_be_keyword = false;
    line.parts.iter().all(|part| {
        let Part::Slot(slot) = part else {
            may_be_keyword = false;
            return true;
        };
        let field = &draft.settings[slot.setting].fields[slot.field];
        let is_any = matches!(field.kind, Kind::Name | Kind::Host | Kind::Interface | Kind::Text);
        let is_clear = !may_be_keyword || !is_any || field.is_optional;
        may_be_keyword =
            field.is_optional || (may_be_keyword && is_any) || matches!(field.kind, Kind::Flags(_));
        is_clear
    })
}

/// Whether at each level absence says that it is off. Where it says more, the engine lists an
/// explicit line on the way up and not on the way down.
fn is_off_by_default(draft: &Draft<'_>, component: usize, setting: usize) -> bool {
    let levels = draft.components[component].levels.iter();
    let mut lines = levels.filter_map(|level| level.line_of(setting));
    lines.all(|line| line.absent() == State::Unset)
}

/// Whether what absence says may change: it was there from the first level on, and absence said the
/// same at each. What is said by absence between two lines, and stuck later, nobody lists.
fn is_old(draft: &Draft<'_>, component: usize, line: &Line) -> bool {
    let mut levels = draft.components[component].levels.iter();
    let is_flag = draft.settings[line.settings[0]].is_flag();
    levels.all(|level| {
        let before = level.line_of(line.settings[0]);
        before.is_some_and(|before| !is_flag || before.absent() == line.absent())
    })
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
        Operator::Keyword => keyword(draft, line),
        Operator::Reorder => reorder(draft, line),
        Operator::Table | Operator::Word => words(draft, operator, old, line),
        Operator::Unit | Operator::Range | Operator::Ends => number(draft, operator, old, line),
        Operator::Implied => implied(draft, old, line),
        Operator::Polarity => {
            let is_old = is_old(draft, component, line);
            if !is_flag
                || !is_alone
                || !is_old
                || line.is_not != old.is_not
                || line.roof != old.roof
            {
                return false;
            }
            line.is_not = !line.is_not;
            // Half of the time absence says the same on both sides.
            if draft.rng.chance(50) {
                line.default = match line.default {
                    Default::Off => Default::Line,
                    Default::Line | Default::Values(_) => Default::Off,
                };
            }
            rename(draft, line);
            line.roof.is_none() || line.absent() == old.absent()
        }
        Operator::Default => default(draft, component, is_flag && is_alone, old, line),
        Operator::Move => {
            let Setting { scope, list, .. } = draft.settings[line.settings[0]].clone();
            // A list that several settings share stays in one place.
            if matches!(list, Some(List::Shared(_)))
                || line.roof != old.roof
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
        Operator::Share | Operator::Entry | Operator::New | Operator::Remove => false,
    }
}

fn rename(draft: &mut Draft<'_>, line: &mut Line) {
    let first = line.parts.iter().take_while(|part| matches!(part, Part::Word(_))).count();
    line.parts.drain(..first);
    let words: Vec<Part> = draft.words().into_iter().map(Part::Word).collect();
    line.parts.splice(0..0, words);
}

/// Where arguments begin.
fn arguments(line: &Line) -> usize {
    line.parts.iter().position(|part| matches!(part, Part::Slot(_))).unwrap_or(line.parts.len())
}

/// Whether the last part takes all words to the end.
fn ends_in_text(draft: &Draft<'_>, line: &Line) -> bool {
    line.slots()
        .last()
        .is_some_and(|slot| draft.settings[slot.setting].fields[slot.field].kind == Kind::Text)
}

fn keyword(draft: &mut Draft<'_>, line: &mut Line) -> bool {
    let from = arguments(line);
    let later = (from..line.parts.len()).filter(|at| matches!(line.parts[*at], Part::Word(_)));
    let later: Vec<usize> = later.collect();
    if !later.is_empty() && draft.rng.chance(50) {
        line.parts.remove(*draft.rng.pick(&later));
        return true;
    }
    let to = line.parts.len() - usize::from(ends_in_text(draft, line));
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
        let narrows = operator != Operator::Ends && matches!(default, Default::Values(_));
        // A key of which the other side has no whole number is lost without a word.
        let loses = operator == Operator::Unit && field.is_key;
        if field.kind != Kind::Number || !is_same || narrows || loses {
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
    if line.settings.len() > 1 || !line.implied.is_empty() || line.default != Default::Off {
        return false;
    }
    let mut slots = line.parts.iter().enumerate();
    let found = slots.find_map(|(at, part)| match part {
        Part::Slot(slot) => {
            let field = &draft.settings[slot.setting].fields[slot.field];
            let is_word = matches!(field.kind, Kind::Word(_));
            let fits = is_word && field.is_named && !field.is_optional && !field.is_key;
            fits.then_some((at, slot.clone()))
        }
        Part::Word(_) => None,
    });
    let Some((at, slot)) = found else { return false };
    if !old.slots().any(|old| *old == slot) {
        return false;
    }
    let said: Vec<usize> = (0..slot.words.len()).filter(|i| slot.words[*i].is_some()).collect();
    line.parts.remove(at);
    line.implied.push((slot.field, Value::Word(*draft.rng.pick(&said))));
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
    if line.roof.is_some() || old.roof.is_some() || is_edited || !is_old(draft, component, line) {
        return false;
    }
    match &line.default {
        Default::Values(_) => {
            let values = draft.values(line, line.settings[0]);
            line.default = Default::Values(values);
        }
        Default::Off if is_flag => line.default = Default::Line,
        Default::Line if is_flag => line.default = Default::Off,
        Default::Off | Default::Line => return false,
    }
    true
}

/// Two lines become one, or one becomes two.
fn share(draft: &mut Draft<'_>, component: usize, before: &Writing, after: &mut Writing) -> bool {
    let is_same = |line: &Line| before.lines.contains(line);
    let double = after.lines.iter().position(|line| line.settings.len() > 1 && is_same(line));
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
    // Of a line that becomes two, of which one waits for a third, the engine lets the other go.
    let was_shared = |setting: usize| {
        let mut levels = draft.components[component].levels.iter();
        levels.any(|level| level.line_of(setting).is_some_and(|line| line.settings.len() > 1))
    };
    let fits = |line: &Line| {
        let setting = &draft.settings[line.settings[0]];
        line.settings.len() == 1
            && is_same(line)
            && setting.keys() == 0
            && !was_shared(line.settings[0])
            && line.default == Default::Off
            && !line.is_not
            && line.roof.is_none()
            && line.implied.is_empty()
            && setting.fields.iter().all(|field| field.kind != Kind::Text)
    };
    let fitting: Vec<usize> = (0..after.lines.len()).filter(|at| fits(&after.lines[*at])).collect();
    let scope = |at: usize| draft.settings[after.lines[at].settings[0]].scope;
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
