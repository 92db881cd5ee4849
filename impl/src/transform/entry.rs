//! Mode entries that a change names otherwise. What is in an instance goes along. A value of the
//! entry may be a line in the instance on the other side: its leaf.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::address::{self, Bindings};
use super::rule::{Direction, Rule, SideOf, cause_of};
use super::{StuckCause, Tft};
use crate::config::{Config, Line, LineKey, Place};
use crate::digest::Shared;
use crate::grammar::{Form, Sign, Token, Words};
use crate::ids::FormId;
use crate::image::Image;

use super::tft::Step;

/// Where an instance comes to stand: its entry, and the leaf in it, if it has one there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Renamed {
    /// The entry.
    pub(crate) entry: (FormId, Words),
    /// The form of the leaf, and the line.
    pub(crate) leaf: Option<(FormId, Words)>,
}

impl Rule {
    /// The side on which a value of the entry is a line in the instance, and the line's form; none:
    /// it is no entry's change, or has none.
    pub(crate) fn leaf(&self) -> Option<(SideOf, FormId)> {
        self.is_entry.then_some(())?;
        [SideOf::Old, SideOf::New]
            .into_iter()
            .find_map(|side| Some((side, self.side(side).get(1)?.form)))
    }

    /// Whether an instance may have no name on the other side: it hangs on a line, or on what the
    /// entry says.
    pub(crate) fn may_be_nameless(&self, image: &Image, direction: Direction) -> bool {
        let sides = (self.side(direction.from()).first(), self.side(direction.to()).first());
        let (true, (Some(from), Some(to))) = (self.is_entry, sides) else { return false };
        let (from, to) = (&image.form(from.form).form, &image.form(to.form).form);
        let takes_all = |name: &str| {
            let tokens = |form: &Form| {
                let leaves = form.capture(name);
                leaves.into_iter().map(|leaf| form.leaf(leaf).token.clone()).collect::<Vec<_>>()
            };
            let there = tokens(to);
            let is_taken = |token: &Token| there.iter().any(|other| other.includes(token));
            self.is_spelled_alike(name) && tokens(from).iter().all(is_taken)
        };
        let names = |form: &Form| form.carried().map(String::from).collect::<BTreeSet<_>>();
        self.leaf().is_some() || names(from) != names(to) || !from.carried().all(takes_all)
    }

    /// The entry on the other side of the instance that `words` enter in `around`, in the config
    /// that is read.
    ///
    /// # Errors
    /// Why it has none: its leaf is missing, a value has no place there, or another instance comes
    /// to the same.
    pub(crate) fn renamed(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        around: &Place,
        (entry, words): (FormId, &Words),
    ) -> Result<Renamed, StuckCause> {
        let renamed = self.renamed_alone(image, direction, config, around, (entry, words))?;
        // Without a leaf, all that tells instances apart goes along.
        if self.leaf().is_some() {
            for (other, _) in instances(config, around, entry).filter(|(_, of)| *of != words) {
                let of = other.instances().last().map(|(_, words)| words);
                let same = of.and_then(|of| {
                    self.renamed_alone(image, direction, config, around, (entry, of)).ok()
                });
                if same.is_some_and(|same| same.entry == renamed.entry) {
                    return Err(StuckCause::Conflict);
                }
            }
        }
        Ok(renamed)
    }

    /// The same, whatever other instances there are.
    fn renamed_alone(
        &self,
        image: &Image,
        direction: Direction,
        config: &Config,
        around: &Place,
        (entry, words): (FormId, &Words),
    ) -> Result<Renamed, StuckCause> {
        let to = self.side(direction.to());
        let first = to.first().ok_or(StuckCause::NoTransform)?.form;
        let mut values = image.form(entry).form.values_of(words);
        if let Some(leaf) = self.side(direction.from()).get(1) {
            let place = around.child(entry, words.clone());
            let key = LineKey { place, form: leaf.form, key: Words::none() };
            let form = &image.form(leaf.form).form;
            let missing = || StuckCause::Alone { missing: Shared::text(form.text()) };
            let line = config.line(&key).filter(|line| line.sign == Sign::Positive);
            values.extend(form.values_of(&line.ok_or_else(missing)?.words));
        }
        self.imply(direction, &mut values)?;
        let mut spelled = Bindings::new();
        for (name, value) in &values {
            let there = self.mapped(direction, name, value);
            if self.mapped(direction.back(), name, &there) != *value {
                return Err(StuckCause::Unverified);
            }
            let carries = |form: FormId| image.form(form).form.carries(name);
            if !to.iter().any(|pattern| carries(pattern.form)) {
                return Err(StuckCause::Value {
                    capture: Shared::text(name),
                    value: Shared::text(value),
                    allowed: Shared::text(""),
                });
            }
            spelled.insert(name, Cow::Owned(there.into_owned()));
        }
        let build = |form: FormId| {
            let decl = &image.form(form).form;
            let words = decl.build(Sign::Positive, &address::wanted(decl, &spelled));
            words.map(|words| (form, words)).map_err(|error| cause_of(decl, error))
        };
        let leaf = to.get(1).map(|pattern| build(pattern.form)).transpose()?;
        Ok(Renamed { entry: build(first)?, leaf })
    }
}

impl Tft {
    /// Where a place of the config that `step` reads is on the other side of it.
    ///
    /// # Errors
    /// Why an entry around it, or its own, has none.
    pub(crate) fn renamed(
        &self,
        image: &Image,
        step: Step,
        config: &Config,
        place: &Place,
    ) -> Result<Place, StuckCause> {
        let reads = |(entry, _): &(FormId, Words)| self.read_by(step, *entry).is_some();
        if !place.instances().iter().any(reads) {
            return Ok(place.clone());
        }
        let (mut from, mut to) = (Place::root(), Place::root());
        for (entry, words) in place.instances() {
            let there = match self.read_by(step, *entry) {
                None => (*entry, words.clone()),
                Some(used) => {
                    let rule = self.rule(used.rule);
                    let entry = (*entry, words);
                    rule.renamed(image, step.direction, config, &from, entry)?.entry
                }
            };
            from = from.child(*entry, words.clone());
            to = to.child(there.0, there.1);
        }
        Ok(to)
    }

    /// The place of the config that `step` reads which is this on the other side of it.
    pub(crate) fn renamed_from(
        &self,
        image: &Image,
        step: Step,
        config: &Config,
        place: &Place,
    ) -> Option<Place> {
        let back = Step { direction: step.direction.back(), ..step };
        let reads = |(entry, _): &(FormId, Words)| self.read_by(back, *entry).is_some();
        if !place.instances().iter().any(reads) {
            return Some(place.clone());
        }
        let mut from = Place::root();
        for (entry, words) in place.instances() {
            let (entry, words) = match self.read_by(back, *entry) {
                None => (*entry, words.clone()),
                Some(used) => {
                    let rule = self.rule(used.rule);
                    let own = rule.side(step.direction.from()).first()?.form;
                    if rule.leaf().is_none() {
                        let at = (*entry, words);
                        rule.renamed(image, back.direction, config, &from, at).ok()?.entry
                    } else {
                        let wanted = (*entry, words.clone());
                        let is_it = |words: &Words| {
                            let at = (own, words);
                            let there = rule.renamed(image, step.direction, config, &from, at);
                            there.is_ok_and(|there| there.entry == wanted)
                        };
                        let mut all = instances(config, &from, own);
                        let found = all.find(|(_, words)| is_it(words))?;
                        (own, found.1.clone())
                    }
                }
            };
            from = from.child(entry, words);
        }
        Some(from)
    }
}

/// The instances in `around` that a form enters, each with its words.
pub(crate) fn instances<'a>(
    config: &'a Config,
    around: &'a Place,
    entry: FormId,
) -> impl Iterator<Item = (&'a Place, &'a Words)> {
    let depth = around.instances().len() + 1;
    config.entries_within(around).filter_map(move |place| {
        let (form, words) = place.instances().last()?;
        (place.instances().len() == depth && *form == entry).then_some((place, words))
    })
}

/// The leaves that instances in `around` get on the other side, each with the instance.
pub(crate) fn made_leaves(
    image: &Image,
    rule: &Rule,
    direction: Direction,
    config: &Config,
    around: &Place,
) -> Vec<(Place, (LineKey, Line))> {
    let Some(entry) = rule.side(direction.from()).first().map(|pattern| pattern.form) else {
        return Vec::new();
    };
    let made = instances(config, around, entry).filter_map(|(place, words)| {
        let renamed = rule.renamed(image, direction, config, around, (entry, words)).ok()?;
        let (form, words) = renamed.leaf?;
        Some((place.clone(), Line::new(image, place.clone(), form, words)))
    });
    made.collect()
}
