//! Whether a change says what becomes of all that its lines carry: of each capture, of each part of
//! keywords, of each value of a map.

use std::borrow::Cow;
use std::collections::BTreeSet;

use skewsync::disposition::failing;
use skewsync::grammar::{Form, Leaf, Sign, Token};
use skewsync::image::{Change, FormDecl, Image};
use skewsync::transform::{Direction, Each, Pattern, Rule, SideOf};

/// Lines of a form that show what its captures can say.
const EXAMPLES_MAX: usize = 256;

/// Something that the lines of a change carry, and that the change says nothing of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum CarriedError {
    /// A capture, or a part of keywords, stands on one side only.
    #[error(
        "`{name}` stands on the {side} side only: give it a counterpart, name its one value in \
         `implied`, or name it in `partial` or `loses`"
    )]
    OneSided {
        /// The name, or the words of the part in brackets.
        name: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// The same keywords stand in two parts of a form.
    #[error("{words} stands twice in `{form}`: give the keywords names")]
    Alike {
        /// The words, in brackets.
        words: String,
        /// The form.
        form: String,
    },
    /// Of what a group has several lines is nothing of the line.
    #[error("`each = \"{name}\"` names no key of the line, and nothing of the entry of its mode")]
    NoEach {
        /// The name.
        name: String,
    },
    /// The order of the words of a line is that of several lines, which have none.
    #[error(
        "the words of `{name}` have an order, and the lines that each stands in have none: give \
         these `ordered = true`, or `list`; or say that the words are a `set`"
    )]
    Unordered {
        /// The name.
        name: String,
    },
    /// Nothing tells whether an optional line is meant.
    #[error("`{form}` is optional and says nothing of its own: name it, `optional = \"name\"`")]
    Unmeant {
        /// The form.
        form: String,
    },
    /// What an absent line says differs, and cannot be written.
    #[error(
        "an absent line says another thing on the two sides, and nothing tells where it is absent: \
         say one default on both sides, or change it within one mode, for a form without a key"
    )]
    Absence,
    /// A capture takes several words on one side, and one on the other.
    #[error(
        "`{name}` takes several words on the {side} side only: several are stuck; name it in \
         `partial`, or give each word a line with `each`"
    )]
    Several {
        /// The name.
        name: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// A line may be without a capture on one side, and not on the other.
    #[error(
        "a line may be without `{name}` on the {side} side only: such a line is stuck; name it in \
         `partial`, or say what it means with `default`"
    )]
    Absent {
        /// The name.
        name: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// What a line without an optional capture says is known on one side.
    #[error(
        "nothing says what a line without `{name}` means on the {side} side, and on the other it \
         has a default: give it a default on both"
    )]
    Unfilled {
        /// The name.
        name: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// A map or a scale names what is no capture.
    #[error(
        "the map or scale of `{name}` is of no capture of {}",
        if *.both { "both sides" } else { "a side" }
    )]
    NoCapture {
        /// The name.
        name: String,
        /// Whether neither side has it.
        both: bool,
    },
    /// A map names a value that its side does not take.
    #[error("the map of `{name}` has `{value}`, which the {side} side does not take")]
    NotTaken {
        /// The capture.
        name: String,
        /// The value.
        value: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// A map names a value twice in one column.
    #[error(
        "the map of `{name}` has `{value}` twice on the {side} side: one of them is stuck; name it \
         in `loses`"
    )]
    Twice {
        /// The capture.
        name: String,
        /// The value.
        value: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// What tells groups apart cannot be lost.
    #[error("`loses` names `{name}`, which tells lines or instances apart: two would be one")]
    LosesKey {
        /// The name.
        name: String,
    },
    /// Nothing of the capture is lost.
    #[error(
        "`loses` names `{name}`, of which nothing is lost: it has a place on both sides and a word \
         for each, or on none"
    )]
    LosesNothing {
        /// The name.
        name: String,
    },
    /// What stands for what was lost is no value.
    #[error("`loses` writes `{value}` for `{name}`, which the {side} side does not take")]
    LossNotTaken {
        /// The name.
        name: String,
        /// The value.
        value: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// Nothing stands for what was lost, and a line must have it.
    #[error(
        "`loses` leaves `{name}` out, and each line of the {side} side has it: say the value that \
         stands for what was lost"
    )]
    LossUnfilled {
        /// The name.
        name: String,
        /// `old` or `new`.
        side: &'static str,
    },
    /// With the names of two captures exchanged all would go, and so much does not.
    #[error(
        "`{one}` and `{other}` seem to have changed places: neither side takes all values of the \
         other, and with the two names exchanged each does; if it is meant so, name one in \
         `partial`"
    )]
    Exchanged {
        /// The one name.
        one: String,
        /// The other.
        other: String,
    },
    /// Both sides are the same, and the change says nothing else.
    #[error(
        "both sides are the same, and nothing else is said: leave the change out, or say what is \
         another, as with `default`, `key`, `ordered`, `map` or `revision`"
    )]
    Nothing,
    /// Values of a capture with a map have no counterpart.
    #[error(
        "the map of `{name}` gives {values} of the {side} side no counterpart: add pairs, or name \
         it in `partial`"
    )]
    Unmapped {
        /// The capture.
        name: String,
        /// The values.
        values: String,
        /// `old` or `new`.
        side: &'static str,
    },
}

/// The forms of one side: those of its lines, and of the entries that only this side has.
fn forms<'a>(image: &'a Image, rule: &Rule, side: SideOf) -> Vec<&'a Form> {
    let patterns = rule.side(side).iter();
    let ids = patterns.flat_map(|pattern| pattern.entries.iter().chain([&pattern.form]));
    ids.map(|form| &image.form(*form).form).collect()
}

/// What a change leaves unsaid.
pub(super) fn check(image: &Image, rule: &Rule, change: &Change) -> Vec<CarriedError> {
    if rule.old.is_empty() || rule.new.is_empty() {
        return Vec::new();
    }
    if rule.function.is_some() {
        // What becomes of it the function says, and the laws ask.
        return if rule.absence_is_known(image) { Vec::new() } else { vec![CarriedError::Absence] };
    }
    let mut errors = Vec::new();
    errors.extend(says_nothing(image, rule, change).then_some(CarriedError::Nothing));
    for side in [SideOf::Old, SideOf::New] {
        for form in forms(image, rule, side) {
            let alike = form.alike().map(|words| CarriedError::Alike {
                words: words.to_string(),
                form: form.text().to_string(),
            });
            errors.extend(alike);
        }
    }
    for pattern in rule.old.iter().chain(&rule.new) {
        errors.extend(several(image, rule, pattern));
    }
    let names = |side: SideOf| -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> =
            forms(image, rule, side).into_iter().flat_map(Form::carried).collect();
        for pattern in rule.side(side) {
            names.extend(pattern.optional.as_deref().filter(|flag| !flag.is_empty()));
            // Where a copy stands is no part of what it says.
            if let Some(Each::Instance(of)) = &pattern.each {
                names.retain(|name| !of.iter().any(|named| **named == **name));
            }
        }
        names
    };
    let (old, new) = (names(SideOf::Old), names(SideOf::New));
    let said = |name: &str| {
        change.partial.iter().any(|partial| partial == name)
            || change.implied.contains_key(name)
            || change.loses.contains_key(name)
    };
    for (side, here, there) in [("old", &old, &new), ("new", &new, &old)] {
        let unsaid = here.difference(there).filter(|name| !said(name));
        errors.extend(unsaid.map(|name| CarriedError::OneSided { name: (*name).into(), side }));
    }
    let flag = |name: &str| {
        let mut patterns = rule.old.iter().chain(&rule.new);
        patterns.any(|pattern| pattern.optional.as_deref() == Some(name))
    };
    for name in old.intersection(&new).filter(|name| !said(name) && !flag(name)) {
        errors.extend(shapes(image, rule, name));
    }
    let plain: Vec<&str> = old.intersection(&new).copied().collect();
    let plain = plain.into_iter().filter(|name| {
        let is_mapped = change.map.contains_key(*name) || change.scale.contains_key(*name);
        !said(name) && !flag(name) && !is_mapped
    });
    errors.extend(exchanged(image, rule, &plain.collect::<Vec<_>>()));
    errors.extend(maps(image, rule, change));
    errors.extend(losses(image, rule, change, (&old, &new)));
    if !rule.absence_is_known(image) {
        errors.push(CarriedError::Absence);
    }
    errors
}

/// Whether a change has the same commands on both sides, and says nothing of what becomes of them.
fn says_nothing(image: &Image, rule: &Rule, change: &Change) -> bool {
    let is_same = |(old, new): (&Pattern, &Pattern)| {
        let (old, new) = (image.form(old.form), image.form(new.form));
        (old.mode, old.form.text(), old.enters, &old.key, &old.list)
            == (new.mode, new.form.text(), new.enters, &new.key, &new.list)
            && (old.revision, &old.default, &old.absent, old.no, &old.factory, &old.set)
                == (new.revision, &new.default, &new.absent, new.no, &new.factory, &new.set)
    };
    let is_plain = |of: &Pattern| !of.not && of.optional.is_none() && of.each.is_none();
    change.map.is_empty()
        && change.scale.is_empty()
        && change.implied.is_empty()
        && change.loses.is_empty()
        && change.one.is_none()
        && rule.old.len() == rule.new.len()
        && rule.old.iter().zip(&rule.new).all(is_same)
        && rule.old.iter().chain(&rule.new).all(is_plain)
}

/// Two of these names that have changed places: as they stand values of both sides are stuck, and
/// exchanged none is. Which of two alike is which, nobody can tell.
fn exchanged(image: &Image, rule: &Rule, names: &[&str]) -> Option<CarriedError> {
    if rule.one.is_some() {
        return None;
    }
    // The one form of a side that has both.
    let with_both = |side: SideOf, one: &str, other: &str| {
        let all = forms(image, rule, side);
        let mut mine = all.into_iter().filter(|form| form.carries(one) || form.carries(other));
        let form = mine.next().filter(|form| form.carries(one) && form.carries(other))?;
        mine.next().is_none().then_some(form)
    };
    let pairs = names
        .iter()
        .enumerate()
        .flat_map(|(number, one)| names[number + 1..].iter().map(move |other| (*one, *other)));
    pairs.into_iter().find_map(|(one, other)| {
        let old = with_both(SideOf::Old, one, other)?;
        let new = with_both(SideOf::New, one, other)?;
        let up = |here: &str, there: &str| values(old, here).iter().all(|v| takes(new, there, v));
        let down = |here: &str, there: &str| values(new, here).iter().all(|v| takes(old, there, v));
        let goes_up = up(one, one) && up(other, other);
        let goes_down = down(one, one) && down(other, other);
        let would_go = || up(one, other) && up(other, one) && down(one, other) && down(other, one);
        (!goes_up && !goes_down && would_go())
            .then(|| CarriedError::Exchanged { one: one.to_owned(), other: other.to_owned() })
    })
}

/// Values that show what a capture can say.
fn values(form: &Form, name: &str) -> BTreeSet<String> {
    let examples = form.examples(EXAMPLES_MAX);
    let lines = examples.iter().filter(|words| words.sign() == Sign::Positive);
    lines.filter_map(|words| words.value(form, name)).map(Cow::into_owned).collect()
}

/// What is wrong with a line that may be missing, or of which there may be several.
fn several(image: &Image, rule: &Rule, pattern: &Pattern) -> Vec<CarriedError> {
    let decl = image.form(pattern.form);
    let mut errors = Vec::new();
    if let Some(Each::Word(name)) = &pattern.each {
        if !pattern.keyed.contains(name) || rule.key.contains(name) {
            errors.push(CarriedError::NoEach { name: name.to_string() });
        } else if decl.list.is_none() && !is_set(image, rule, name) {
            errors.push(CarriedError::Unordered { name: name.to_string() });
        }
    }
    if pattern.optional.as_deref() == Some("") {
        let side = [&rule.old, &rule.new].into_iter().find(|side| side.contains(pattern));
        let others = side.into_iter().flatten().filter(|other| other.form != pattern.form);
        let others: Vec<&Form> = others.map(|other| &image.form(other.form).form).collect();
        let mut own = decl.form.carried();
        if !own.any(|name| !others.iter().any(|other| other.carries(name))) {
            errors.push(CarriedError::Unmeant { form: decl.form.text().to_string() });
        }
    }
    errors
}

/// Whether the words that several lines are on the other side are a set: without an order, too.
fn is_set(image: &Image, rule: &Rule, name: &str) -> bool {
    let patterns = rule.old.iter().chain(&rule.new);
    let mut decls = patterns.map(|pattern| image.form(pattern.form));
    decls.any(|decl| decl.set.iter().any(|set| **set == *name))
}

/// Whether both sides take as many words for a capture, and may do without it.
fn shapes(image: &Image, rule: &Rule, name: &str) -> Vec<CarriedError> {
    let of = |side: SideOf| -> Vec<&Form> {
        forms(image, rule, side).into_iter().filter(|form| form.carries(name)).collect()
    };
    // Words by blanks, or a list in one word.
    let all = |side: SideOf, is: fn(&Leaf) -> bool| {
        of(side).into_iter().all(|form| form.capture(name).iter().all(|leaf| is(form.leaf(*leaf))))
    };
    // A flag is given or not, as its line is.
    let decls = |side: SideOf| -> Vec<&FormDecl> {
        let patterns = rule.side(side).iter().filter(|pattern| pattern.optional.is_none());
        let ids = patterns.flat_map(|pattern| pattern.entries.iter().chain([&pattern.form]));
        ids.map(|form| image.form(*form)).filter(|decl| decl.form.carries(name)).collect()
    };
    let always = |side: SideOf| match rule.one == Some(side) {
        // One line stands for the group: each of them must have it.
        true => rule.side(side).iter().all(|pattern| {
            let mut forms = pattern.entries.iter().chain([&pattern.form]);
            forms.any(|form| image.form(*form).form.always_carries(name))
        }),
        false => decls(side).into_iter().any(|decl| decl.form.always_carries(name)),
    };
    let filled = |side: SideOf| decls(side).into_iter().any(|decl| decl.filled(name).is_some());
    let mut errors = Vec::new();
    let one_sided = |old: bool, new: bool| match (old, new) {
        (true, false) => Some("old"),
        (false, true) => Some("new"),
        (true, true) | (false, false) => None,
    };
    let word = |side: SideOf| {
        let is =
            |pattern: &Pattern| matches!(&pattern.each, Some(Each::Word(each)) if **each == *name);
        rule.side(side).iter().any(is)
    };
    let lists = |side: SideOf| all(side, |leaf| matches!(leaf.token, Token::List(_)));
    let words = |side: SideOf| all(side, |leaf| leaf.variadic) || word(side);
    let side = one_sided(words(SideOf::Old), words(SideOf::New))
        .or_else(|| one_sided(lists(SideOf::Old), lists(SideOf::New)));
    errors.extend(side.map(|side| CarriedError::Several { name: name.into(), side }));
    let may_lack = |side: SideOf| !always(side);
    let side = match (may_lack(SideOf::Old), may_lack(SideOf::New)) {
        (true, false) => Some("old").filter(|_| !filled(SideOf::Old)),
        (false, true) => Some("new").filter(|_| !filled(SideOf::New)),
        (true, true) | (false, false) => None,
    };
    errors.extend(side.map(|side| CarriedError::Absent { name: name.into(), side }));
    let side = one_sided(!filled(SideOf::Old), !filled(SideOf::New));
    let side = side.filter(|_| may_lack(SideOf::Old) && may_lack(SideOf::New));
    errors.extend(side.map(|side| CarriedError::Unfilled { name: name.into(), side }));
    errors
}

/// Whether maps are of captures, their values are taken, and each value has a counterpart.
fn maps(image: &Image, rule: &Rule, change: &Change) -> Vec<CarriedError> {
    let mut errors = Vec::new();
    for name in change.scale.keys() {
        let sides = [SideOf::Old, SideOf::New]
            .into_iter()
            .filter(|side| !forms(image, rule, *side).into_iter().any(|form| form.carries(name)));
        let missing = sides.count();
        if missing > 0 {
            errors.push(CarriedError::NoCapture { name: name.clone(), both: missing == 2 });
        }
    }
    let sides = [("old", SideOf::Old, Direction::Raise), ("new", SideOf::New, Direction::Lower)];
    for (name, pairs) in &change.map {
        let carrying = |side: SideOf| -> Vec<&Form> {
            forms(image, rule, side).into_iter().filter(|form| form.carries(name)).collect()
        };
        let missing = sides.iter().filter(|(_, side, _)| carrying(*side).is_empty()).count();
        if missing > 0 {
            errors.push(CarriedError::NoCapture { name: name.clone(), both: missing == 2 });
            continue;
        }
        let before = errors.len();
        let columns: [Vec<&String>; 2] = [pairs.keys().collect(), pairs.values().collect()];
        for ((side, of, _), column) in sides.into_iter().zip(columns) {
            let mut seen = BTreeSet::new();
            for value in column {
                let (name, value) = (name.clone(), value.clone());
                if !carrying(of).iter().all(|form| takes(form, &name, &value)) {
                    errors.push(CarriedError::NotTaken { name, value, side });
                } else if !seen.insert(value.clone()) && !change.loses.contains_key(&name) {
                    errors.push(CarriedError::Twice { name, value, side });
                }
            }
        }
        if errors.len() > before || change.partial.contains(name) {
            continue;
        }
        for (word, side, way) in sides {
            let fails = rule
                .side(side)
                .iter()
                .filter(|pattern| image.form(pattern.form).form.carries(name));
            let fails = fails.map(|pattern| failing(image, rule, way, pattern.form, name));
            let values: Vec<String> = fails.flat_map(|fails| fails.values()).collect();
            if !values.is_empty() {
                let (name, values) = (name.clone(), values.join(", "));
                errors.push(CarriedError::Unmapped { name, values, side: word });
            }
        }
    }
    errors
}

/// Whether what is lost is of one side, or has one word for several, and can be put back.
fn losses(
    image: &Image,
    rule: &Rule,
    change: &Change,
    (old, new): (&BTreeSet<&str>, &BTreeSet<&str>),
) -> Vec<CarriedError> {
    let mut errors = Vec::new();
    for (name, value) in &change.loses {
        let (here, there) = (old.contains(&**name), new.contains(&**name));
        let words = change.map.get(name).into_iter().flatten().map(|(_, new)| new);
        let words: Vec<&String> = words.collect();
        let merged = words.len() != words.iter().collect::<BTreeSet<_>>().len();
        let addresses = rule.old.iter().chain(&rule.new).any(|of| of.address.contains(&**name));
        if addresses {
            errors.push(CarriedError::LosesKey { name: name.clone() });
        } else if here == there && !(here && merged) {
            errors.push(CarriedError::LosesNothing { name: name.clone() });
        } else {
            let side = if here && !there || merged { SideOf::Old } else { SideOf::New };
            let taken = forms(image, rule, side);
            let mut taken = taken.into_iter().filter(|form| form.carries(name));
            let side = if side == SideOf::Old { "old" } else { "new" };
            if !value.is_empty() && !taken.all(|form| takes(form, name, value)) {
                let (name, value) = (name.clone(), value.clone());
                errors.push(CarriedError::LossNotTaken { name, value, side });
            } else if value.is_empty() && taken.any(|form| form.always_carries(name)) {
                errors.push(CarriedError::LossUnfilled { name: name.clone(), side });
            }
        }
    }
    errors
}

/// Whether the capture of a form takes a value.
fn takes(form: &Form, name: &str, value: &str) -> bool {
    form.capture(name).iter().any(|leaf| match &form.leaf(*leaf).token {
        Token::Keyword(word) => **word == *value,
        token => token.fit(value).is_some(),
    })
}
