//! What kind of change a change is: derived from its two sides, never declared.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use strum::VariantArray;

use super::{Change, CommandDecl, DefaultValues, Family, Key, NoMeans, Side};
use crate::grammar::Form;

/// One thing that a change does. A change may do several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum ChangeKind {
    /// A form without a predecessor.
    New,
    /// A form without a successor.
    Removed,
    /// Words are other words.
    Rename,
    /// A keyword more stands between the same words.
    KeywordInserted,
    /// The same words in another order.
    ArgumentReorder,
    /// Values are spelled otherwise.
    ValueMap,
    /// A line says what the other side's `no` says.
    Polarity,
    /// A number is in another unit.
    Scale,
    /// A value is said by presence.
    BooleanToFlag,
    /// One line becomes several.
    Split,
    /// Several lines become one.
    Merge,
    /// A line of a group may be missing.
    OptionalHalf,
    /// A line of several words is a line each.
    LineEach,
    /// A line has a copy in each instance of a mode.
    CopyEach,
    /// Which line stands for a group depends on its values.
    Choice,
    /// The entry of a mode is named otherwise.
    ModeEntryRename,
    /// The line stands in another mode.
    ModeMove,
    /// A range takes fewer values.
    RangeNarrowed,
    /// A range takes more values.
    RangeWidened,
    /// Its siblings keep their order.
    OrderedList,
    /// The line itself is the default, so that its `no` is what travels.
    DefaultLine,
    /// An absent line says another thing on the two sides.
    ChangedDefault,
    /// What may be left out on one side must be said on the other.
    OptionalPart,
    /// `no` is a state that travels.
    NoState,
    /// The same words mean another thing.
    Revision,
    /// A value of a mode's entry is a line in the mode.
    KeyAndLeaf,
    /// Lines are there unless they are undone.
    FactoryLine,
    /// A function in Rust says what lines become.
    Function,
    /// Something of a group is lost on the other side, and kept.
    Loss,
}

impl ChangeKind {
    /// All of them, in their order.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;
}

/// A word of a form, as far as its place matters: a keyword, or the name of what is captured.
type Words = Vec<String>;

impl Family {
    /// What a change of this family does; empty if its two sides are alike.
    ///
    /// # Panics
    /// When the change is of another family, and a form of it cannot be read.
    pub fn kinds(&self, change: &Change) -> BTreeSet<ChangeKind> {
        let mut kinds = BTreeSet::new();
        let declared = |side: &Side, level: u16| {
            self.commands().map(|(command, _)| command).find(|command| {
                (command.component, &command.mode, &command.form)
                    == (change.component, &side.mode, &side.form)
                    && command.since <= level
                    && command.until.is_none_or(|until| level < until)
            })
        };
        let below = change.level.saturating_sub(1);
        let old = change.old.iter().filter_map(|side| declared(side, below));
        let new = change.new.iter().filter_map(|side| declared(side, change.level));
        let (old, new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
        let defaults = |commands: &[&CommandDecl]| -> BTreeSet<Option<DefaultValues>> {
            commands.iter().map(|command| command.default.clone()).collect()
        };
        let turned = change.old.iter().chain(&change.new).any(|side| side.not);
        let both = !old.is_empty() && !new.is_empty() && !turned;
        if both && defaults(&old) != defaults(&new) {
            kinds.insert(ChangeKind::ChangedDefault);
        }
        // A value that tells lines apart on one side alone.
        let keys = |commands: &[&CommandDecl]| -> BTreeSet<String> {
            let captures = |command: &&CommandDecl| match &command.key {
                Key::Captures(captures) => captures.clone(),
                Key::Line => Vec::new(),
            };
            commands.iter().flat_map(captures).collect()
        };
        let is_one = old.len() == 1 && new.len() == 1 && change.rust.is_none();
        let each = change.old.iter().chain(&change.new).any(|side| side.each.is_some());
        if is_one && !turned && !each && keys(&old) != keys(&new) {
            kinds.insert(ChangeKind::KeyAndLeaf);
        }
        let revisions = |commands: &[&CommandDecl]| -> BTreeSet<u16> {
            commands.iter().map(|command| command.revision).collect()
        };
        if !old.is_empty() && !new.is_empty() && revisions(&old) != revisions(&new) {
            kinds.insert(ChangeKind::Revision);
        }
        for command in old.into_iter().chain(new) {
            if command.no == NoMeans::State {
                kinds.insert(ChangeKind::NoState);
            }
            if !command.factory.is_empty() {
                kinds.insert(ChangeKind::FactoryLine);
            }
            if command.enters.is_some() {
                kinds.insert(ChangeKind::ModeEntryRename);
            }
            if command.ordered || command.list.is_some() {
                kinds.insert(ChangeKind::OrderedList);
            }
            if command.default.as_ref().is_some_and(BTreeMap::is_empty) {
                kinds.insert(ChangeKind::DefaultLine);
            }
        }
        if !change.map.is_empty() {
            kinds.insert(ChangeKind::ValueMap);
        }
        if !change.loses.is_empty() {
            kinds.insert(ChangeKind::Loss);
        }
        if turned {
            kinds.insert(ChangeKind::Polarity);
        }
        for side in change.old.iter().chain(&change.new) {
            let own = |name: &str| Form::parse(&side.form).is_ok_and(|form| form.carries(name));
            let several = side.each.as_deref().map(|name| match own(name) {
                true => ChangeKind::LineEach,
                false => ChangeKind::CopyEach,
            });
            kinds.extend(several);
            kinds.extend(side.optional.as_ref().map(|_| ChangeKind::OptionalHalf));
        }
        kinds.extend(change.one.map(|_| ChangeKind::Choice));
        kinds.extend(change.rust.as_ref().map(|_| ChangeKind::Function));
        if !change.scale.is_empty() {
            kinds.insert(ChangeKind::Scale);
        }
        if !change.implied.is_empty() {
            kinds.insert(ChangeKind::BooleanToFlag);
        }
        let is_entry = kinds.contains(&ChangeKind::ModeEntryRename);
        match (&change.old[..], &change.new[..]) {
            ([_, _], [_]) | ([_], [_, _]) if is_entry => kinds.extend([ChangeKind::KeyAndLeaf]),
            ([], _) => kinds.extend([ChangeKind::New]),
            (_, []) => kinds.extend([ChangeKind::Removed]),
            ([old], [new]) => one_to_one(change, old, new, &mut kinds),
            ([_], _) => kinds.extend([ChangeKind::Split]),
            (_, _) => kinds.extend([ChangeKind::Merge]),
        }
        kinds
    }
}

fn one_to_one(change: &Change, old: &Side, new: &Side, kinds: &mut BTreeSet<ChangeKind>) {
    if old.mode != new.mode {
        kinds.insert(ChangeKind::ModeMove);
    }
    let read = |side: &Side| Form::parse(&side.form).expect("a form that was read");
    let (old, new) = (read(old), read(new));
    let implied = |name: &str| change.implied.contains_key(name);
    let (before, after) = (words(&old, implied), words(&new, implied));
    let inserted = before.len() < after.len() && is_within(&before, &after);
    if inserted {
        kinds.insert(ChangeKind::KeywordInserted);
    } else if before != after {
        let sorted = |words: &Words| {
            let mut words = words.clone();
            words.sort();
            words
        };
        let reordered = sorted(&before) == sorted(&after);
        let moved = captures(&before) != captures(&after);
        if reordered || moved {
            kinds.insert(ChangeKind::ArgumentReorder);
        }
        if !reordered {
            kinds.insert(ChangeKind::Rename);
        }
    }
    let optional = |name: &str| old.always_carries(name) != new.always_carries(name);
    if old.carried().any(|name| new.carries(name) && optional(name)) {
        kinds.insert(ChangeKind::OptionalPart);
    }
    for name in old.names() {
        let (Some(before), Some(after)) = (range(&old, name), range(&new, name)) else {
            continue;
        };
        if after.0 > before.0 || after.1 < before.1 {
            kinds.insert(ChangeKind::RangeNarrowed);
        }
        if after.0 < before.0 || after.1 > before.1 {
            kinds.insert(ChangeKind::RangeWidened);
        }
    }
}

fn words(form: &Form, implied: impl Fn(&str) -> bool) -> Words {
    let mut words = Words::new();
    for leaf in form.leaves() {
        let word = match leaf.name.as_deref() {
            Some(name) if implied(name) => continue,
            Some(name) => alloc::format!("${name}"),
            None => leaf.token.to_string(),
        };
        // The alternatives of one capture are one word.
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    words
}

/// The captures among these words, in their order.
fn captures(words: &Words) -> Vec<&String> {
    words.iter().filter(|word| word.starts_with('$')).collect()
}

/// Whether `part` comes out of `whole` by leaving words out.
fn is_within(part: &Words, whole: &Words) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|word| rest.any(|other| other == word))
}

fn range(form: &Form, name: &str) -> Option<(i128, i128)> {
    let leaves = form.capture(name);
    let mut ranges = leaves.iter().filter_map(|leaf| form.leaf(*leaf).token.range());
    ranges.next()
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Removed => "removed",
            Self::Rename => "rename",
            Self::KeywordInserted => "keyword inserted",
            Self::ArgumentReorder => "argument reorder",
            Self::ValueMap => "value map",
            Self::Polarity => "polarity",
            Self::Scale => "scale",
            Self::BooleanToFlag => "boolean to flag",
            Self::Split => "split",
            Self::Merge => "merge",
            Self::OptionalHalf => "optional half",
            Self::LineEach => "words, a line each",
            Self::CopyEach => "global, a copy each",
            Self::Choice => "choice by value",
            Self::ModeEntryRename => "mode-entry rename",
            Self::ModeMove => "mode move",
            Self::RangeNarrowed => "range narrowed",
            Self::RangeWidened => "range widened",
            Self::OrderedList => "ordered list",
            Self::DefaultLine => "default line",
            Self::ChangedDefault => "changed default",
            Self::OptionalPart => "optional part",
            Self::NoState => "no as a state",
            Self::Revision => "other meaning",
            Self::KeyAndLeaf => "key and leaf",
            Self::FactoryLine => "factory line",
            Self::Function => "function",
            Self::Loss => "loss",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundled;
    use super::*;

    /// The kinds of the change of the bundled family that makes this form, or ends it.
    fn kinds(form: &str) -> Vec<ChangeKind> {
        let family = bundled::family();
        let concerns = |change: &&Change| {
            let made = change.new.iter().any(|side| side.form.contains(form));
            made || change.new.is_empty() && change.old.iter().any(|side| side.form.contains(form))
        };
        let change = family.changes().map(|(change, _)| change).find(concerns);
        family.kinds(change.unwrap()).into_iter().collect()
    }

    #[test]
    fn a_change_of_the_bundled_family_shows_each_kind() {
        for (form, expected) in [
            ("segment-routing on", &[ChangeKind::New][..]),
            ("service finger", &[ChangeKind::Removed]),
            ("bgp convergence-wait (0-3600)", &[ChangeKind::Rename]),
            ("prefix lifetime (0-65528)", &[ChangeKind::KeywordInserted]),
            ("range A.B.C.D/M$prefix area", &[ChangeKind::ArgumentReorder]),
            ("encapsulation <802.1q|802.1ad>", &[ChangeKind::ValueMap]),
            ("system panic-reboot", &[ChangeKind::Rename, ChangeKind::BooleanToFlag]),
            ("log neighbor down", &[ChangeKind::Split]),
            (
                "address-family ipv4 rt-constraint",
                &[ChangeKind::Rename, ChangeKind::ModeEntryRename],
            ),
            ("retransmit (0-100)", &[ChangeKind::Rename, ChangeKind::ModeMove]),
            ("bgp convergence-wait (0-1800)", &[ChangeKind::RangeNarrowed]),
            ("mtu (68-9216)", &[ChangeKind::RangeWidened]),
            ("entry <deny|permit>", &[ChangeKind::KeywordInserted, ChangeKind::OrderedList]),
            ("ip icmp redirects", &[ChangeKind::KeywordInserted, ChangeKind::DefaultLine]),
            (
                "auth-port (0-65535)$port host",
                &[ChangeKind::Rename, ChangeKind::ArgumentReorder, ChangeKind::ModeMove],
            ),
        ] {
            assert_eq!(kinds(form), expected, "{form}");
        }
    }

    #[test]
    fn each_kind_is_shown_by_the_bundled_family() {
        let family = bundled::family();
        let shown: BTreeSet<ChangeKind> =
            family.changes().flat_map(|(change, _)| family.kinds(change)).collect();
        let missing: Vec<&ChangeKind> =
            ChangeKind::ALL.iter().filter(|kind| !shown.contains(kind)).collect();
        assert_eq!(missing, Vec::<&ChangeKind>::new());
    }

    #[test]
    fn every_change_of_the_bundled_family_has_a_kind_and_a_no() {
        let family = bundled::family();
        for (change, at) in family.changes() {
            assert!(!family.kinds(change).is_empty(), "{at}");
            let mut sides = change.old.iter().chain(&change.new);
            let negates = |side: &Side| side.form.starts_with("[no] ");
            assert!(sides.all(negates), "{at}: the `no` form goes the same way");
        }
    }

    #[test]
    fn one_command_of_the_bundled_family_changes_at_three_levels() {
        let family = bundled::family();
        let chain = |ends: &str| {
            let mut levels = Vec::new();
            let mut form = String::from(ends);
            let all: Vec<&Change> = family.changes().map(|(change, _)| change).collect();
            for change in all.into_iter().rev() {
                if let ([old], [new]) = (&change.old[..], &change.new[..])
                    && new.form == form
                {
                    levels.push(change.level);
                    form = old.form.clone();
                }
            }
            levels
        };
        assert_eq!(chain("[no] bgp convergence-wait (0-1800)$seconds"), [4, 3, 2]);
        assert_eq!(chain("[no] irq balance mask WORD$mask"), [4, 3, 2]);
    }
}
