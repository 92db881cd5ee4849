//! Declared losses: what a change drops of a group, on purpose.
//!
//! A group that loses something goes all the same: what is made of it, taken back, is the group but
//! for that. What was lost is kept as a complement (`translate::complement`).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::address::Bindings;
use super::rule::{Direction, Lines, Rule, SideOf};
use super::{GroupKey, StuckCause};
use crate::config::{Config, Line, LineKey};
use crate::grammar::Sign;
use crate::image::Image;

impl Rule {
    /// Whether the change loses anything of some groups.
    pub(crate) fn has_losses(&self) -> bool {
        !self.losses().is_empty()
    }

    /// Whether the capture may be lost: it has no place on one side, or one word there for several.
    pub(crate) fn may_lose(&self, name: &str) -> bool {
        self.losses().contains_key(name)
    }

    /// Whether something is written in the place of a capture that was lost.
    pub(crate) fn stands_for(&self, name: &str) -> bool {
        self.losses().get(name).is_some_and(|fill| !fill.is_empty())
    }

    /// Whether a side has a place for a capture.
    pub(crate) fn has_place(&self, image: &Image, side: SideOf, name: &str) -> bool {
        let forms = self.side(side).iter().flat_map(|of| of.entries.iter().chain([&of.form]));
        let flags = self.side(side).iter().filter_map(|of| of.optional.as_deref());
        forms.into_iter().any(|form| image.form(*form).form.carries(name))
            || flags.into_iter().any(|flag| flag == name)
    }

    /// Takes away what the side gone to has no place for, and adds what stands for what was lost
    /// on the way here.
    pub(super) fn take_losses<'a>(
        &'a self,
        image: &Image,
        direction: Direction,
        sign: Sign,
        values: &mut Bindings<'a>,
    ) {
        for (name, fill) in self.losses() {
            let here = self.has_place(image, direction.from(), name);
            let there = self.has_place(image, direction.to(), name);
            if here && !there {
                values.remove(&**name);
            } else if there && !here && sign == Sign::Positive && !fill.is_empty() {
                values.entry(name).or_insert(Cow::Borrowed(fill));
            }
        }
    }

    /// Whether two groups of one side say the same but for what may be lost.
    pub(crate) fn differ_by_losses(&self, image: &Image, one: &Lines, other: &Lines) -> bool {
        let same = |((key, line), (of, again)): (&(LineKey, Line), &(LineKey, Line))| {
            let form = &image.form(key.form).form;
            let (here, there) = (form.values_of(&line.words), form.values_of(&again.words));
            let mut names = form.carried().filter(|name| !self.may_lose(name));
            key == of
                && line.sign == again.sign
                && names.all(|name| here.get(name) == there.get(name))
        };
        self.has_losses()
            && one.iter().map(Vec::len).eq(other.iter().map(Vec::len))
            && one.iter().flatten().zip(other.iter().flatten()).all(same)
    }

    /// The lines of a group of which something is lost on the way, if anything is.
    pub(crate) fn lossy(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        group: &GroupKey,
    ) -> Result<Option<Lines>, StuckCause> {
        let lines = self.members(image, direction.from(), config, group);
        if !self.has_losses() || lines.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let made = self.make(image, direction, config, group, &lines)?;
        let back = self.make(image, direction.back(), config, group, &made)?;
        Ok((back != lines).then_some(lines))
    }
    /// Whether these lines of a group are what `wanted` came from, going `back`.
    pub(crate) fn gives(
        &self,
        image: &Image,
        back: Direction,
        config: &Config,
        group: &GroupKey,
        lines: &[(LineKey, Line)],
        wanted: &Lines,
    ) -> bool {
        let side = self.side(back.from()).iter().enumerate();
        let by_pattern = side.map(|(number, pattern)| {
            let mine = |(key, _): &&(LineKey, Line)| {
                key.form == pattern.form && self.group_of(image, back.from(), number, key) == *group
            };
            lines.iter().filter(mine).cloned().collect()
        });
        let by_pattern: Lines = by_pattern.collect();
        by_pattern.iter().map(Vec::len).sum::<usize>() == lines.len()
            && self.make(image, back, config, group, &by_pattern).is_ok_and(|made| made == *wanted)
    }
}
