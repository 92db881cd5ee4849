//! HotMeansEqual, of drawn families: the Standby's config says in its release's words what the
//! Active's says in its own, and what of that cannot be said is listed. What a config of a drawn
//! family means is known without the engine, and without the reference.

use std::collections::BTreeSet;

use skewsync::config::{Config, EntryKind};
use skewsync::grammar::written;
use skewsync::transform::StuckCause;
use skewsync::translate::ListKey;
use skewsync_families::{Drawn, Place};
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use crate::catalog::drawn;
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct SameMeaning {
    /// The family that was asked for last, with its name.
    family: Option<(String, Drawn)>,
    checked: u64,
}

impl SameMeaning {
    /// The family of a pair of images, and their releases; none: they are of no one drawn family.
    fn family(&mut self, one: &str, other: &str) -> Option<(&Drawn, usize, usize)> {
        let (name, _) = one.split_once('@')?;
        if self.family.as_ref().is_none_or(|(known, _)| known != name) {
            self.family = Some((name.to_owned(), drawn::family(one)?.0));
        }
        let (_, family) = self.family.as_ref()?;
        let release = |image: &str| {
            let release = image.strip_prefix(name)?.strip_prefix('@')?;
            family.releases().iter().position(|one| one.name == release)
        };
        Some((family, release(one)?, release(other)?))
    }

    /// What of a Standby's config, or of what is listed, is otherwise than the Active's config
    /// means; none: nothing, or nobody knows what it means.
    fn differs(
        &mut self,
        (active, a): (&str, &Config),
        (standby, s): (&str, &Config),
        listed: &BTreeSet<Place>,
    ) -> Option<String> {
        let (family, from, to) = self.family(active, standby)?;
        let meaning = family.read(from, &a.render(), &implied(a))?;
        let arrival = family.arrival(from, to, &meaning);
        self.checked += 1;
        arrival.differs(&s.render(), listed)
    }
}

/// The entries that stand there only for what is in them.
pub fn implied(config: &Config) -> BTreeSet<Place> {
    let implied = config.entries().filter(|(_, kind)| *kind == EntryKind::Implied);
    let words = implied.filter_map(|(place, _)| {
        let mut words: Vec<&str> =
            place.instances().iter().map(|(_, words)| words.text()).collect();
        let entry = words.pop()?;
        Some((words.join(" / "), entry.to_owned()))
    });
    words.collect()
}

impl PairCheck for SameMeaning {
    fn property(&self) -> Property {
        Property::HotMeansEqual
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let (active, standby) = point.images;
        let Some(raising) = point.raising else {
            return Ok(());
        };
        let held = raising.held_out(standby.software().image());
        if held.iter().any(|each| matches!(each.cause, StuckCause::Peer(_))) {
            // The unit refuses what its release takes.
            return Ok(());
        }
        let place = |key: &ListKey| (key.path.to_string(), written(&key.line).into_owned());
        let lines = raising.listing().lines().keys().map(place);
        // What waits for the rest of its group is told by the Standby.
        let held = held.into_iter().chain(raising.unraised(standby.software().image()));
        let held = held.map(|not| place(&not.key));
        let listed: BTreeSet<Place> = lines.chain(held).collect();
        match self.differs((active.name(), point.a), (standby.name(), point.s), &listed) {
            // What is put back is no part of what the Active's config means: RoundTrip judges it.
            Some(_) if point.beside.owed.is_some_and(|owed| !owed.is_empty()) => Ok(()),
            Some(what) => {
                let at = point.stamp();
                broken(Property::HotMeansEqual, Evidence::MeansOtherwise { at, what })
            }
            None => Ok(()),
        }
    }

    fn checked(&self) -> Option<u64> {
        Some(self.checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::load;
    use skewsync_families::Rng;

    /// What is found where the Standby holds this of the meaning, and is to hold another.
    fn found(changes: fn(&str) -> String, listed: &[Place]) -> Option<String> {
        let family = Drawn::from_seed(3);
        let names = ["drawn-3@1".to_owned(), "drawn-3@2".to_owned()];
        let catalog = load(&names).expect("drawn images");
        let (mut meaning, mut rng) = (family.blank(), Rng::new(3, 0));
        for _ in 0..20 {
            family.command(0, &mut meaning, &mut rng);
        }
        let arrival = family.arrival(0, 1, &meaning);
        let config = |name: &str, text: &str| {
            let image = catalog.image(name).expect("a drawn image");
            let image = image.software().image();
            let mut config = Config::factory(image.levels());
            config.execute(image, image.own(), text).expect("its own words");
            config
        };
        let a = config(&names[0], &family.write(0, &meaning));
        let s = config(&names[1], &changes(&arrival.text));
        let mut all: BTreeSet<Place> = arrival.listed.into_iter().map(|(line, _)| line).collect();
        all.extend(listed.iter().cloned());
        SameMeaning::default().differs((&names[0], &a), (&names[1], &s), &all)
    }

    #[test]
    fn what_arrives_as_it_was_meant_breaks_nothing() {
        assert_eq!(found(|text| text.to_owned(), &[]), None);
    }

    #[test]
    fn a_line_less_or_a_line_listed_for_nothing_breaks_it() {
        let less = |text: &str| -> String {
            let lines: Vec<&str> = text.lines().collect();
            let depth = |line: &str| line.len() - line.trim_start().len();
            let is_alone = |at: &usize| {
                let is_deeper = |next: &&str| depth(next) > depth(lines[*at]);
                lines[*at].trim() != "exit" && !lines.get(at + 1).is_some_and(is_deeper)
            };
            let alone = (0..lines.len()).find(is_alone).expect("a line");
            let rest = lines.iter().enumerate().filter(|(at, _)| *at != alone);
            rest.map(|(_, line)| format!("{line}\n")).collect()
        };
        assert!(found(less, &[]).expect("it differs").contains("lacks"));
        let more = [(String::new(), "nothing".to_owned())];
        assert!(found(|text| text.to_owned(), &more).expect("it differs").contains("is listed"));
    }
}
