//! Smaller families: what a cut takes away of a drawn one. The name of a family says its seed and
//! its cuts, so that it can be drawn again.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::draw::Drawn;
use crate::refuse::Refusal;
use crate::setting::{Kind, Value};
use crate::writing::{Alias, Default, Line, Writing};

/// Something that is taken away of a family. In a name it is a letter and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// A release of this number; levels that no release has go along, at either end.
    Release(usize),
    /// The last component.
    Component,
    /// A setting, with all that shares a line with it at some level.
    Setting(usize),
    /// All changes of a setting: it is written as at first.
    Changes(usize),
    /// What enters a scope changes no more.
    Entry(usize),
    /// The last scope, in which no line stands.
    Scope,
    /// The last mode of a component into which no line moves.
    Roof(usize),
    /// One of the words of a field: (setting, field, word).
    Word(usize, usize, usize),
    /// All aliases.
    Aliases,
    /// The last refusal of a component.
    Refusal(usize),
}

/// Why a name names no family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoFamily;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(release) => write!(f, "r{release}"),
            Self::Component => f.write_str("c"),
            Self::Setting(setting) => write!(f, "s{setting}"),
            Self::Changes(setting) => write!(f, "k{setting}"),
            Self::Entry(scope) => write!(f, "e{scope}"),
            Self::Scope => f.write_str("p"),
            Self::Roof(component) => write!(f, "m{component}"),
            Self::Word(setting, field, word) => write!(f, "w{setting}_{field}_{word}"),
            Self::Aliases => f.write_str("a"),
            Self::Refusal(component) => write!(f, "f{component}"),
        }
    }
}

impl FromStr for Cut {
    type Err = NoFamily;

    fn from_str(text: &str) -> Result<Self, NoFamily> {
        let (kind, rest) = text.split_at_checked(1).ok_or(NoFamily)?;
        let numbers: Vec<usize> = match rest {
            "" => Vec::new(),
            _ => rest
                .split('_')
                .map(|n| n.parse().map_err(|_| NoFamily))
                .collect::<Result<_, _>>()?,
        };
        Ok(match (kind, &*numbers) {
            ("r", [release]) => Self::Release(*release),
            ("c", []) => Self::Component,
            ("s", [setting]) => Self::Setting(*setting),
            ("k", [setting]) => Self::Changes(*setting),
            ("e", [scope]) => Self::Entry(*scope),
            ("p", []) => Self::Scope,
            ("m", [component]) => Self::Roof(*component),
            ("w", [setting, field, word]) => Self::Word(*setting, *field, *word),
            ("a", []) => Self::Aliases,
            ("f", [component]) => Self::Refusal(*component),
            _ => return Err(NoFamily),
        })
    }
}

impl FromStr for Drawn {
    type Err = NoFamily;

    /// The family of a name, as [`Drawn::name`] gives it.
    fn from_str(name: &str) -> Result<Self, NoFamily> {
        let mut parts = name.strip_prefix("drawn-").ok_or(NoFamily)?.split('.');
        let seed = parts.next().and_then(|seed| seed.parse().ok()).ok_or(NoFamily)?;
        let mut family = Self::from_seed(seed);
        for part in parts {
            family = family.less(part.parse()?).ok_or(NoFamily)?;
        }
        Ok(family)
    }
}

impl Drawn {
    /// The cuts that can be tried, what takes away most first.
    pub fn possible_cuts(&self) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = (0..self.releases.len()).map(Cut::Release).collect();
        cuts.push(Cut::Component);
        let groups: BTreeSet<usize> =
            (0..self.settings.len()).map(|setting| self.group(setting)[0]).collect();
        cuts.extend(groups.iter().copied().map(Cut::Setting));
        cuts.extend(groups.into_iter().map(Cut::Changes));
        cuts.extend((0..self.scopes.len()).map(Cut::Entry));
        cuts.push(Cut::Aliases);
        cuts.extend((0..self.components.len()).map(Cut::Refusal));
        cuts.extend((0..self.components.len()).map(Cut::Roof));
        cuts.push(Cut::Scope);
        for (setting, of) in self.settings.iter().enumerate() {
            for (field, of) in of.fields.iter().enumerate() {
                let count = if let Kind::Word(count) = of.kind { count } else { 0 };
                cuts.extend((0..count).map(|word| Cut::Word(setting, field, word)));
            }
        }
        cuts.retain(|cut| self.less(*cut).is_some());
        cuts
    }

    /// The family without it; none: nothing is taken away, or too much.
    pub fn less(&self, cut: Cut) -> Option<Self> {
        let mut less = self.clone();
        match cut {
            Cut::Release(release) => {
                if self.releases.len() < 2 || release >= self.releases.len() {
                    return None;
                }
                less.releases.remove(release);
            }
            Cut::Component => {
                if self.components.len() < 2 {
                    return None;
                }
                less.components.pop();
                let number = less.components.len();
                less.releases.iter_mut().for_each(|release| release.levels.truncate(number));
            }
            Cut::Setting(setting) => less.take_setting(setting),
            Cut::Changes(setting) => less.take_changes(setting)?,
            Cut::Entry(scope) => {
                for level in less.components[0].levels.iter_mut().skip(1) {
                    let first = self.components[0].levels[0].entries.get(scope)?;
                    level.entries[scope].clone_from(first);
                    level.leaves[scope].clone_from(&self.components[0].levels[0].leaves[scope]);
                    level.aliases.retain(|alias| !is_of_entry(alias, scope));
                }
            }
            Cut::Scope => less.take_scope()?,
            Cut::Roof(component) => less.take_roof(component)?,
            Cut::Word(setting, field, word) => less.take_word(setting, field, word)?,
            Cut::Aliases => {
                let levels = less.components.iter_mut().flat_map(|of| &mut of.levels);
                levels.for_each(|level| level.aliases.clear());
            }
            Cut::Refusal(component) => drop(less.components.get_mut(component)?.refusals.pop()?),
        }
        less.trim();
        let writes_all = |component: &crate::draw::Component| {
            component.levels.iter().all(|level| !level.lines.is_empty())
        };
        let is_less = less.components != self.components
            || less.releases != self.releases
            || less.scopes != self.scopes;
        less.cuts.push(cut);
        less.edits.clear();
        (is_less && less.components.iter().all(writes_all)).then_some(less)
    }

    /// How many forms it declares: lines that some level writes otherwise than the one before.
    pub fn forms(&self) -> usize {
        let of = |component: &crate::draw::Component| {
            let first = component.levels[0].lines.len();
            let later = component.levels.windows(2).map(|pair| {
                let is_new = |line: &&Line| !pair[0].lines.contains(line);
                pair[1].lines.iter().filter(is_new).count()
            });
            first + later.sum::<usize>()
        };
        self.components.iter().map(of).sum()
    }

    /// The settings that share a line with it at some level, itself too.
    fn group(&self, setting: usize) -> Vec<usize> {
        let mut group = BTreeSet::from([setting]);
        loop {
            let levels = self.components.iter().flat_map(|component| &component.levels);
            let lines = levels.flat_map(|level| &level.lines);
            let sharing = lines.filter(|line| line.settings.iter().any(|of| group.contains(of)));
            let all: BTreeSet<usize> = sharing.flat_map(|line| line.settings.clone()).collect();
            if all.is_subset(&group) {
                return group.into_iter().collect();
            }
            group.extend(all);
        }
    }

    fn levels_mut(&mut self) -> impl Iterator<Item = &mut Writing> {
        self.components.iter_mut().flat_map(|component| &mut component.levels)
    }

    fn take_setting(&mut self, setting: usize) {
        let group = self.group(setting);
        for level in self.levels_mut() {
            level.lines.retain(|line| !is_of(line, &group));
            level.aliases.retain(|alias| !is_alias_of(alias, &group));
        }
        for component in &mut self.components {
            let is_about =
                |one: &Refusal| group.contains(&one.first) || group.contains(&one.second);
            component.refusals.retain(|one| !is_about(one));
        }
    }

    /// Writes a setting at each level as at the first that has it; none: it is so.
    fn take_changes(&mut self, setting: usize) -> Option<()> {
        let group = self.group(setting);
        let mut is_less = false;
        for component in &mut self.components {
            let mut first: Vec<Line> = Vec::new();
            for level in &mut component.levels {
                let own = level.lines.iter().filter(|line| is_of(line, &group));
                let own: Vec<Line> = own.cloned().collect();
                if first.is_empty() {
                    first = own;
                } else if own != first {
                    is_less = true;
                    level.lines.retain(|line| !is_of(line, &group));
                    let entries = &level.entries;
                    let is_there = |line: &&Line| {
                        let entry = line.scope.and_then(|scope| entries.get(scope));
                        entry.is_none_or(Option::is_some)
                    };
                    level.lines.extend(first.iter().filter(is_there).cloned());
                    level.aliases.retain(|alias| !is_alias_of(alias, &group));
                }
            }
        }
        is_less.then_some(())
    }

    /// Takes the last scope away; none: something stands in it.
    fn take_scope(&mut self) -> Option<()> {
        let last = self.scopes.len().checked_sub(1)?;
        let mut lines = self.components.iter().flat_map(|of| &of.levels).flat_map(|of| &of.lines);
        let mut roofs = self.components.iter().flat_map(|component| &component.roofs);
        let is_used = lines.any(|line| line.scope == Some(last))
            || roofs.any(|roof| roof.scope == Some(last))
            || self.scopes.iter().any(|scope| scope.parent == Some(last));
        if is_used {
            return None;
        }
        self.scopes.truncate(last);
        self.names.truncate(last);
        for level in &mut self.components[0].levels {
            level.entries.truncate(last);
            level.leaves.truncate(last);
            level.aliases.retain(|alias| !is_of_entry(alias, last));
        }
        Some(())
    }

    /// Takes the last roof of a component away; none: a line stands in it.
    fn take_roof(&mut self, component: usize) -> Option<()> {
        let component = self.components.get_mut(component)?;
        let last = component.roofs.len().checked_sub(1)?;
        let mut lines = component.levels.iter().flat_map(|level| &level.lines);
        if lines.any(|line| line.roof == Some(last)) {
            return None;
        }
        component.roofs.truncate(last);
        Some(())
    }

    /// Takes a word of a field away at each level; none: too few are left, or a line needs it.
    fn take_word(&mut self, setting: usize, field: usize, word: usize) -> Option<()> {
        let name = self.settings.get(setting)?.fields.get(field)?.name.clone();
        let group = self.group(setting);
        let settings = self.settings.clone();
        let is_it = |setting: usize, field: usize| {
            group.contains(&setting) && settings[setting].fields[field].name == name
        };
        for level in self.levels_mut() {
            let aliases = level.aliases.iter_mut().filter_map(|alias| match alias {
                Alias::Line { line, .. } => Some(line),
                Alias::Entry { .. } => None,
            });
            for line in level.lines.iter_mut().chain(aliases) {
                let said = |(at, value): (usize, &Value)| {
                    *value == Value::Word(word) && line.settings.iter().any(|of| is_it(*of, at))
                };
                let implied = line.implied.iter().chain(&line.lost).map(|(at, value)| (*at, value));
                let defaults = match &line.default {
                    Default::Values(values) => values.iter().enumerate().collect(),
                    Default::Factory(all) => {
                        all.iter().flat_map(|values| values.iter().enumerate()).collect()
                    }
                    Default::Off | Default::Line | Default::Neither => Vec::new(),
                };
                let unsaid =
                    line.slots().filter_map(|slot| Some((slot.field, slot.unsaid.as_ref()?)));
                if implied.chain(defaults).chain(unsaid).any(said) {
                    return None;
                }
                for slot in line.slots_mut().filter(|slot| is_it(slot.setting, slot.field)) {
                    *slot.words.get_mut(word)? = None;
                    if slot.words.iter().flatten().count() < 2 {
                        return None;
                    }
                }
            }
        }
        Some(())
    }

    /// Takes away the levels that no release has, at either end of a component's history.
    fn trim(&mut self) {
        for (number, component) in self.components.iter_mut().enumerate() {
            let levels = self.releases.iter().map(|release| release.levels[number]);
            let (least, most) = (levels.clone().min(), levels.max());
            let (Some(least), Some(most)) = (least, most) else { continue };
            component.levels.truncate(most + 1);
            component.levels.drain(..least);
            for roof in &mut component.roofs {
                roof.since = roof.since.saturating_sub(least);
            }
            component.refusals.retain(|one| (least..=most).any(|level| one.holds_at(level)));
            for one in &mut component.refusals {
                one.since = one.since.saturating_sub(least);
                one.until =
                    one.until.map(|until| until - least).filter(|until| *until <= most - least);
            }
            for line in component.levels.iter_mut().flat_map(|level| &mut level.lines) {
                // At the first level nothing is new.
                line.dont_care = line.dont_care.filter(|from| *from > least + 1);
                line.dont_care = line.dont_care.map(|from| from - least);
            }
            for release in &mut self.releases {
                release.levels[number] -= least;
            }
        }
    }
}

fn is_of(line: &Line, group: &[usize]) -> bool {
    line.settings.iter().any(|setting| group.contains(setting))
}

fn is_alias_of(alias: &Alias, group: &[usize]) -> bool {
    matches!(alias, Alias::Line { line, .. } if is_of(line, group))
}

const fn is_of_entry(alias: &Alias, scope: usize) -> bool {
    matches!(alias, Alias::Entry { scope: of, .. } if *of == scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_was_cut() {
        for seed in 0..40 {
            let mut family = Drawn::from_seed(seed);
            while let Some(cut) = family.possible_cuts().pop() {
                let less = family.less(cut).expect("a cut that is possible");
                let again: Drawn = less.name().parse().expect("its own name");
                assert_eq!(again.files(), less.files(), "{}", less.name());
                assert!(less.name().ends_with(&format!(".{cut}")));
                family = less;
            }
            // What is left is one release of one line.
            assert_eq!((family.releases().len(), family.forms()), (1, 1), "{}", family.name());
        }
    }

    #[test]
    fn what_is_no_name_names_no_family() {
        for name in ["meridian", "drawn-", "drawn-x", "drawn-1.q", "drawn-1.r99", "drawn-1.w1"] {
            assert_eq!(name.parse::<Drawn>().err(), Some(NoFamily), "{name}");
        }
    }
}
