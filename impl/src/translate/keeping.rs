//! What a way makes of a config and cannot take back: the complements of its groups that lose
//! something, and the orphans of what does not go.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::complement::{ByWords, Complement, ComplementKey, Complements};
use super::ladder::{Ladder, Way};
use super::restore::{enters, levels_of, outer, read_line, read_place};
use super::stage::Stage;
use crate::config::{Config, Item, LineKey, Place};
use crate::digest::Shared;
use crate::ids::{ComponentId, FormId, Level};
use crate::image::{Grammar, Image};
use crate::transform::GroupKey;

/// A line, or an instance, of a rung.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stood {
    Line(LineKey),
    Place(Place),
}

impl Stood {
    /// The form of the line, or of the instance's entry.
    pub(crate) fn form(&self) -> Option<FormId> {
        match self {
            Self::Line(key) => Some(key.form),
            Self::Place(place) => place.entry_form(),
        }
    }
}

impl Ladder {
    /// The complements of all groups that lose something on the way.
    pub(crate) fn losses(&self, way: &Way<'_>) -> Complements {
        let mut kept = Complements::new();
        let image = way.image;
        let mut levels = None;
        for (number, stage) in way.stages.iter().enumerate() {
            let Stage::Step { tft, step } = *stage else { continue };
            let from = step.direction.from();
            for rule in tft.losing(step) {
                let config = &self.rungs()[number];
                let of_line = |key: &LineKey| {
                    let pattern = rule.side(from).iter().position(|of| of.form == key.form)?;
                    Some(rule.group_of(image, from, pattern, key))
                };
                let groups: BTreeSet<GroupKey> =
                    config.lines().filter_map(|(key, _)| of_line(key)).collect();
                for group in groups {
                    let Ok(Some(lost)) = rule.lossy(image, step.direction, config, &group) else {
                        continue;
                    };
                    let Some(made) = self.made_of(way, number, &group) else { continue };
                    let next = &self.rungs()[number + 1];
                    let levels = levels.get_or_insert_with(|| levels_of(way));
                    let words = |config: &Config, keys: &mut dyn Iterator<Item = &LineKey>| {
                        keys.filter_map(|key| ByWords::of_line(config, key)).collect::<Vec<_>>()
                    };
                    let lost = words(config, &mut lost.iter().flatten().map(|(key, _)| key));
                    let rests_on =
                        made.iter().flat_map(|key| self.rests_on(way, number + 1, key)).collect();
                    let made = words(next, &mut made.iter());
                    let (Some(first), false) = (lost.first(), made.is_empty()) else { continue };
                    let at = levels[number][usize::from(step.component.0)];
                    let key = key_of(image, step.component, at, first);
                    let complement =
                        Complement { lost, made, stands: 0, behind: None, owed: false, rests_on };
                    kept.insert(key, complement);
                }
            }
        }
        kept
    }

    /// The lines of the next rung that a group is.
    fn made_of(&self, way: &Way<'_>, number: usize, group: &GroupKey) -> Option<Vec<LineKey>> {
        let made = way.stages[number].made_lines(
            way.image,
            &self.rungs()[number],
            self.led(&way.stages[..number]),
            group,
        );
        (!made.is_empty()).then_some(made)
    }

    /// Whether the forms of a rung read the words of what stands there as just that.
    pub(crate) fn reads_as_stood(
        &self,
        way: &Way<'_>,
        (rung, grammar): (usize, &Grammar),
        stood: &Stood,
    ) -> bool {
        let (image, config) = (way.image, &self.rungs()[rung]);
        match stood {
            Stood::Line(key) => ByWords::of_line(config, key)
                .and_then(|line| read_line(image, grammar, &line))
                .is_some_and(|(read, line)| read == *key && config.line(key) == Some(&line)),
            Stood::Place(place) => {
                let read = ByWords::of_place(place).and_then(|of| read_place(image, grammar, &of));
                read.as_ref() == Some(place)
            }
        }
    }

    /// What stood in this config, which is a rung or like it, and did not go further; kept for the
    /// way back.
    pub(crate) fn orphan(
        &self,
        way: &Way<'_>,
        (rung, config): (usize, &Config),
        stood: &Stood,
    ) -> Option<(ComplementKey, Complement)> {
        let image = way.image;
        let component = image.form(stood.form()?).component;
        let level = levels_of(way)[rung][usize::from(component.0)];
        let (line, around, item) = match stood {
            Stood::Line(key) => {
                (ByWords::of_line(config, key)?, key.place.clone(), Item::of_line(key))
            }
            Stood::Place(place) => {
                (ByWords::of_place(place)?, place.parent()?, Item::of_place(place)?)
            }
        };
        // In a list, what stands before it there; the first one keeps its place in the document.
        let in_list = match stood {
            Stood::Line(key) => {
                let before = config.list_around(image, key).take_while(|other| **other != item);
                before.last()
            }
            Stood::Place(_) => None,
        };
        let behind = in_list.or_else(|| config.before(&around, &item));
        let behind = behind.and_then(|item| ByWords::of_item(config, &around, item));
        let (stands, rests_on) = self.stands(way, rung, &around);
        let complement = Complement {
            lost: alloc::vec![line.clone()],
            made: Vec::new(),
            stands,
            behind: behind.map(|behind| behind.line),
            owed: false,
            rests_on: rests_on.into_iter().collect(),
        };
        Some((key_of(image, component, level, &line), complement))
    }

    /// How many of the instances of a place of a rung stand in the last, and the innermost that
    /// does.
    fn stands(&self, way: &Way<'_>, rung: usize, place: &Place) -> (u16, Option<ByWords>) {
        let depth = place.instances().len();
        let innermost = (1..=depth).rev().find_map(|depth| {
            let there = self.place_in_last_from(way, rung, &outer(place, depth))?;
            Some((depth as u16, ByWords::of_place(&there)))
        });
        innermost.unwrap_or((0, None))
    }

    /// What of the last rung a line of another rests on: the lines that it becomes, or where it
    /// would stand.
    fn rests_on(&self, way: &Way<'_>, rung: usize, key: &LineKey) -> Vec<ByWords> {
        let fate = self.fate_from(way, rung, key);
        let lines = fate.out.iter().filter_map(|key| ByWords::of_line(self.last(), key));
        let lines: Vec<ByWords> = lines.collect();
        if lines.is_empty() {
            self.stands(way, rung, &key.place).1.into_iter().collect()
        } else {
            lines
        }
    }

    /// What rests on lines and instances of the first rung, as it rests on the last.
    pub(crate) fn carry_on(
        &self,
        way: &Way<'_>,
        grammar: &Grammar,
        complement: &Complement,
    ) -> Complement {
        let image = way.image;
        let on = |on: &ByWords| -> Vec<ByWords> {
            match read_line(image, grammar, on) {
                Some((key, line)) if enters(image, &key, &line) => {
                    let place = read_place(image, grammar, on);
                    place.and_then(|place| self.stands(way, 0, &place).1).into_iter().collect()
                }
                Some((key, _)) => self.rests_on(way, 0, &key),
                None => Vec::new(),
            }
        };
        let rests_on: BTreeSet<ByWords> = complement.rests_on.iter().flat_map(on).collect();
        Complement { rests_on: rests_on.into_iter().collect(), ..complement.clone() }
    }
}

fn key_of(image: &Image, component: ComponentId, level: Level, line: &ByWords) -> ComplementKey {
    let name = &image.declarations().components[usize::from(component.0)].name;
    let level = image.words_began(component, level);
    ComplementKey { component: Shared::text(name), level, line: line.clone() }
}
