//! The word of a family that would declare what was found.

use std::collections::BTreeMap;

use skewsync::config::{Config, Line, LineKey};
use skewsync::image::Image;
use skewsync::transform::StuckCause;

/// Both evaluations are ours: nothing that a family says makes them differ.
pub(crate) const REPORT: &str = "a fault of this program: please report it";
/// What is entered first makes a difference.
pub(crate) const ORDER: &str = "if their order counts, say it with `ordered` or `list`; what tells \
                                lines apart, with `key`";
/// Lists come back in another order.
const LISTS: &str = "give both sides `ordered = true`, or `list`";
/// A number comes back as another.
const NUMBERS: &str = "say the unit with `scale`, or what is one for another with `map`";
/// A value comes back as another.
const VALUES: &str = "say what is one for another with `map`, or what is lost with `loses`";
/// A value does not come back.
const LOST: &str = "say what is lost with `loses`, or what being absent says with `default`";
/// What was not there comes back.
const ABSENCE: &str = "say what being absent says with `default`, on both sides";
/// A value goes to more than one line.
pub(crate) const ONE: &str = "if a value says which line it is, say it with `one`";
/// Of several lines fewer come back.
const APART: &str =
    "say what tells lines apart with `key`, or of what there are several with `each`";

/// A word, as it stands behind a finding; nothing, where nothing is to be said.
pub(crate) fn after(words: Option<&str>) -> String {
    words.map(|words| format!("; {words}")).unwrap_or_default()
}

/// What is to be said of a line that is stuck.
pub(crate) const fn of_stuck(cause: &StuckCause) -> Option<&'static str> {
    match cause {
        StuckCause::Value { .. } => {
            Some("say its counterpart with `map` or `scale`, or that there is none with `partial`")
        }
        StuckCause::Resolves => Some("if that is meant, say it with `partial`"),
        StuckCause::Unverified => Some(
            "say what is one for another with `map`, what is lost with `loses`, or what does not \
             come back with `partial`",
        ),
        StuckCause::Alone { .. } | StuckCause::Pending => {
            Some("if a group may be without a line, say it with `optional`; or with `one`")
        }
        StuckCause::Conflict | StuckCause::Taken => Some(APART),
        StuckCause::NoTransform
        | StuckCause::EmptyMode
        | StuckCause::Peer(_)
        | StuckCause::Refused { .. }
        | StuckCause::Bound
        | StuckCause::Dropped => None,
    }
}

/// What is to be said where no line of a change goes.
pub(crate) const fn of_never(cause: &StuckCause) -> Option<&'static str> {
    match cause {
        StuckCause::Value { .. } => {
            Some("say what is one for another with `map` or `scale`, or give it another name")
        }
        cause => of_stuck(cause),
    }
}

/// What is to be said of lines that came back as others.
pub(crate) fn of_way_back(
    image: &Image,
    went: &[(LineKey, Line)],
    back: &Config,
) -> Option<&'static str> {
    let came: Vec<(LineKey, Line)> =
        back.lines().map(|(key, line)| (key.clone(), line.clone())).collect();
    let gone = went.iter().find(|line| !came.contains(line));
    let Some((key, line)) = gone else {
        // Nothing is gone: it stands in another order, or absence said something.
        return Some(if came.len() == went.len() { LISTS } else { ABSENCE });
    };
    let form = &image.form(key.form).form;
    let of_form = |lines: &[(LineKey, Line)]| -> usize {
        lines.iter().filter(|(other, _)| other.form == key.form).count()
    };
    if of_form(&came) < of_form(went) {
        return (of_form(went) > 1).then_some(APART);
    }
    let again = came.iter().find(|(other, _)| other == key);
    let again = again.or_else(|| came.iter().find(|(other, _)| other.form == key.form));
    let (_, again) = again?;
    let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (form.values_of(&line.words), form.values_of(&again.words));
    let name = form.carried().find(|name| one.get(name) != other.get(name))?;
    let is_number = |value: &str| value.parse::<i128>().is_ok();
    Some(match (one.get(name), other.get(name)) {
        (Some(one), Some(other)) if is_number(one) && is_number(other) => NUMBERS,
        (Some(_), Some(_)) => VALUES,
        _ => LOST,
    })
}
