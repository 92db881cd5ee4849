//! Where a line of a pattern stands, by names: from a line to the values of its address, and back.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::StuckCause;
use super::rule::{Pattern, cause_of};
use crate::config::{Line, LineKey, Place};
use crate::grammar::Sign;
use crate::ids::{FormId, Level, ModeId};
use crate::image::Image;

/// Values by the names that both sides of a change share.
pub type Bindings<'a> = BTreeMap<&'a str, Cow<'a, str>>;

/// What an entry form carries: an instance is its whole entry line.
pub(super) fn entry_names(image: &Image, entry: FormId) -> Vec<Box<str>> {
    image.form(entry).form.carried().map(Into::into).collect()
}

/// What identifies a line of `form`.
pub(super) fn key_names(image: &Image, form: FormId) -> Vec<Box<str>> {
    let decl = image.form(form);
    let keyed = decl.form.carried().filter(|name| match &decl.key {
        None => true,
        Some(leaves) => decl.form.capture(name).iter().any(|leaf| leaves.contains(leaf)),
    });
    keyed.map(Into::into).collect()
}

/// The entry form of `mode` that a side at `level` of `component` uses.
pub(super) fn entry_of(
    image: &Image,
    mode: ModeId,
    component: crate::ids::ComponentId,
    level: Level,
) -> Option<FormId> {
    let entries = image.forms().filter(|(_, decl)| decl.enters == Some(mode));
    let alive = |decl: &crate::image::FormDecl| {
        if decl.component == component { decl.lives_at(level) } else { decl.until.is_none() }
    };
    entries.filter(|(_, decl)| alive(decl)).map(|(id, _)| id).last()
}

/// The values of the address of a line below the first `depth` instances of its place.
pub(super) fn of_line<'a>(
    image: &'a Image,
    key: &'a LineKey,
    depth: usize,
    pattern: &Pattern,
) -> Bindings<'a> {
    let mut values = Bindings::new();
    for (entry, words) in key.place.instances().iter().skip(depth) {
        values.extend(image.form(*entry).form.values_of(words));
    }
    values.extend(image.form(key.form).form.values_of(&key.key));
    values.retain(|name, _| pattern.address.contains(*name));
    values
}

/// The place of a line of `pattern` below `at`.
pub(super) fn place(
    image: &Image,
    at: &Place,
    pattern: &Pattern,
    values: &Bindings<'_>,
) -> Result<Place, StuckCause> {
    let mut place = at.clone();
    for entry in &pattern.entries {
        let form = &image.form(*entry).form;
        let given = wanted(form, values);
        let words = form.build(Sign::Positive, &given).map_err(|error| cause_of(form, error))?;
        place = place.child(*entry, words);
    }
    Ok(place)
}

/// The key of the line of `pattern` below `at` that these values identify.
pub(super) fn line_key(
    image: &Image,
    at: &Place,
    pattern: &Pattern,
    values: &Bindings<'_>,
) -> Option<LineKey> {
    let place = place(image, at, pattern, values).ok()?;
    let decl = image.form(pattern.form);
    let key = match decl.key {
        None => decl.form.build(Sign::Positive, &wanted(&decl.form, values)).ok()?,
        Some(_) => {
            let names = pattern.keyed.iter();
            let keyed = names.filter_map(|name| values.get_key_value(&**name));
            let keyed: Vec<(&str, &str)> = keyed.map(|(name, value)| (*name, &**value)).collect();
            decl.form.part(&keyed)?
        }
    };
    Some(LineKey { place, form: pattern.form, key })
}

/// The line of `pattern` below `at` with these values.
pub(super) fn build(
    image: &Image,
    at: &Place,
    pattern: &Pattern,
    sign: Sign,
    values: &Bindings<'_>,
) -> Result<(LineKey, Line), StuckCause> {
    let place = place(image, at, pattern, values)?;
    let form = &image.form(pattern.form).form;
    let given = wanted(form, values);
    let words = form.build(sign, &given).map_err(|error| cause_of(form, error))?;
    Ok(Line::new(image, place, pattern.form, image.form(pattern.form).canonical(words)))
}

/// Those of `values` that `form` has a place for.
pub(super) fn wanted<'a>(
    form: &crate::grammar::Form,
    values: &'a Bindings<'_>,
) -> Vec<(&'a str, &'a str)> {
    let mine = values.iter().filter(|(name, _)| form.carries(name));
    mine.map(|(name, value)| (*name, &**value)).collect()
}

/// The first `depth` instances of a place.
pub(super) fn ancestor(place: &Place, depth: usize) -> Place {
    let around = depth.checked_sub(1).and_then(|at| place.and_ancestors().nth(at));
    around.unwrap_or_default()
}
