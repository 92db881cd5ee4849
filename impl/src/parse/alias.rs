//! What an alias's line says: lines of other forms, in its place or in one that its words name.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::{LineError, Place};
use crate::grammar::{Form, Sign, Words};
use crate::ids::{FormId, ModeId};
use crate::image::{Alias, Grammar, Image, Reading};

/// A line of a form, where it stands.
pub(crate) type Read = (Place, FormId, Words);

/// The lines that the line `words` of an alias in `place` says.
///
/// # Errors
/// Those of its lines that are not read there, and captures that are no list.
pub fn says(
    image: &Image,
    grammar: &Grammar,
    alias: &Alias,
    place: &Place,
    words: &Words,
) -> Result<Vec<Read>, LineError> {
    debug_assert!(!alias.reads.is_empty(), "an alias says something");
    let mut values = Vec::new();
    for (form, entry) in place.instances() {
        values.extend(values_of(&image.form(*form).form, entry));
    }
    values.extend(values_of(&alias.decl.form, words));
    // What is said nearer to the line counts.
    values.reverse();
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, value)| (&**name, &**value)).collect();
    let from = Line { image, grammar, place, sign: words.sign(), values: &values };
    let read = |reading| {
        let (place, form, words) = from.read(reading)?;
        let own = &image.form(form).form;
        match &alias.list {
            Some(edit) if own.list(edit.capture()).is_none() => {
                Err(alloc::format!("`{}`: `{}` is no list there", own.text(), edit.capture()))
            }
            Some(_) | None => Ok((place, form, words)),
        }
    };
    alias
        .reads
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|why| LineError::Alias { form: alias.decl.form.text().into(), why })
}

fn values_of<'a>(
    form: &'a Form,
    words: &'a Words,
) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
    form.values_of(words).into_iter()
}

/// An alias's line: what its words and those of the entries around it give.
struct Line<'a> {
    image: &'a Image,
    grammar: &'a Grammar,
    place: &'a Place,
    sign: Sign,
    values: &'a [(&'a str, &'a str)],
}

impl Line<'_> {
    fn read(&self, reading: &Reading) -> Result<Read, String> {
        let (image, mode) = (self.image, reading.mode);
        let place = self.place_of(mode)?;
        let said = self.build(&reading.form, self.sign.turned(reading.not))?;
        let given: Vec<&str> = said.iter().map(|(_, word)| word).collect();
        let read = super::words(image, self.grammar, mode, &given);
        let (form, words) = read.map_err(|error| alloc::format!("`{said}`: {error}"))?;
        Ok((place, form, words))
    }

    /// The line of `form`, of the values that it carries.
    fn build(&self, form: &Form, sign: Sign) -> Result<Words, String> {
        let given = |name| self.values.iter().find(|(given, _)| *given == name).copied();
        let own: Vec<(&str, &str)> = form.carried().filter_map(given).collect();
        form.build(sign, &own).map_err(|error| alloc::format!("`{}`: {error}", form.text()))
    }

    /// The instance of `mode` that is the line's own place, or lies around it, or within one of
    /// these by entries of the same values.
    fn place_of(&self, mode: ModeId) -> Result<Place, String> {
        let around = self.place.and_ancestors().chain([Place::root()]);
        if let Some(place) = around.into_iter().find(|place| place.mode(self.image) == mode) {
            return Ok(place);
        }
        let parent = self.image.parent(mode).ok_or("no such mode")?;
        let place = self.place_of(parent)?;
        let entries = self.image.forms().filter(|(_, decl)| decl.enters == Some(mode));
        let levels = self.grammar.levels();
        let mut alive =
            entries.filter(|(_, decl)| decl.lives_at(levels[usize::from(decl.component.0)]));
        let (entry, _) = alive.next().ok_or("a mode that cannot be entered at this level")?;
        let words = self.build(&self.image.form(entry).form, Sign::Positive)?;
        Ok(place.child(entry, words))
    }
}
