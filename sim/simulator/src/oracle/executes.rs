//! OrderOnce, of drawn families: what a command made of the Active's config is what it says, once;
//! and a unit refuses no line that its release has. What a command of a drawn family does is known
//! without the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::digest::Shared;
use skewsync::ids::{CommandId, Lsn, Slot, Term};
use skewsync::message::{Prc, Stamp};
use skewsync::unit::{Input, Outcome, Refusal};
use skewsync_families::{Drawn, Entered, Place};
use skewsync_model::property::Property;

use super::broken;
use super::same_meaning::implied;
use crate::catalog::drawn;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};

/// An image, and the drawn family that it is of, with its release.
#[derive(Debug)]
struct Known {
    image: Arc<str>,
    family: Option<(Drawn, usize)>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Executes {
    /// The family of an image that was asked for last, and its release.
    family: Option<Known>,
    /// Commands that were taken and not answered yet.
    entered: BTreeMap<CommandId, Shared<str>>,
    /// What each unit acted with when it was last seen.
    held: BTreeMap<Slot, (Term, Lsn, Config)>,
    checked: u64,
}

impl Executes {
    fn family(&mut self, image: &Arc<str>) -> Option<&(Drawn, usize)> {
        if self.family.as_ref().is_none_or(|known| known.image != *image) {
            self.family = Some(Known { image: Arc::clone(image), family: drawn::family(image) });
        }
        self.family.as_ref()?.family.as_ref()
    }

    /// What a command does to the config with which a unit acted before it.
    fn says(
        &mut self,
        slot: Slot,
        command: CommandId,
        history: &History,
    ) -> Option<(Drawn, usize, Entered)> {
        let text = self.entered.get(&command)?.clone();
        let (_, _, before) = self.held.get(&slot)?.clone();
        let image = Arc::clone(&history.unit(slot)?.image.name);
        let (family, release) = self.family(&image)?;
        let meaning = family.read(*release, &before.render(), &implied(&before))?;
        let said = family.execute(*release, &meaning, &text);
        Some((family.clone(), *release, said))
    }

    /// The config has one change more.
    fn executed(
        &mut self,
        slot: Slot,
        (at, command): (Stamp, CommandId),
        history: &History,
    ) -> Result<(), Violation> {
        let acting = history.acting_in(slot).filter(|acting| acting.last == at.lsn);
        let follows = self
            .held
            .get(&slot)
            .is_some_and(|(term, lsn, _)| (*term, lsn.0 + 1) == (at.term, at.lsn.0));
        let (Some(acting), true) = (acting, follows) else { return Ok(()) };
        let Some((family, release, said)) = self.says(slot, command, history) else {
            return Ok(());
        };
        self.checked += 1;
        let text = self.entered.get(&command).map_or("", |text| text);
        let config = (&*acting.config.render(), &implied(&acting.config));
        let found = otherwise(&said, (&family, release), config);
        found.map_or(Ok(()), |found| {
            let what = format!("{text:?}: {found}");
            broken(Property::OrderOnce, Evidence::ExecutesOtherwise { at, command, what })
        })
    }
}

/// How a config is otherwise than a command says that was executed; none: it is so, or nobody
/// knows.
///
/// # Shape
/// With the config: the entries that stand there only for what is in them.
fn otherwise(
    said: &Entered,
    (family, release): (&Drawn, usize),
    (config, implied): (&str, &BTreeSet<Place>),
) -> Option<String> {
    match said {
        Entered::Unknown => None,
        Entered::Refuses => Some("it is none of its release's lines".to_owned()),
        Entered::Says(meaning) => {
            let arrival = family.arrival(release, release, meaning);
            let entered = family.entered(release, meaning);
            let halfway = entered.intersection(implied).next();
            let halfway =
                halfway.map(|place| format!("{place:?} was entered, and goes when it is empty"));
            arrival.differs(config, &BTreeSet::new()).or(halfway)
        }
    }
}

impl Observer for Executes {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Took { input: Input::Command(command), .. } => {
                self.entered.insert(command.id, command.text.clone());
            }
            What::Executed { term, lsn, command: Some(command) } => {
                self.executed(slot, (Stamp { term, lsn }, command), history)?;
            }
            What::Answered { command, outcome, fate: Fate::Done } => {
                let unread = |outcome: &Outcome| {
                    matches!(outcome, Outcome::Refused(Refusal::Line(line))
                        if matches!(line.prc, Prc::NoMatch | Prc::Ambiguous | Prc::Incomplete))
                };
                if unread(outcome)
                    && let Some((_, _, Entered::Says(_))) = self.says(slot, command, history)
                {
                    let (term, lsn) =
                        self.held.get(&slot).map(|held| (held.0, held.1)).unwrap_or_default();
                    let text = self.entered.get(&command).map_or("", |text| text);
                    let what = format!("{text:?} is refused");
                    let at = Stamp { term, lsn };
                    let evidence = Evidence::ExecutesOtherwise { at, command, what };
                    return broken(Property::OrderOnce, evidence);
                }
                self.entered.remove(&command);
            }
            What::Stepped => match history.acting_in(slot) {
                Some(acting) => {
                    let held = (acting.term, acting.last, acting.config.clone());
                    self.held.insert(slot, held);
                }
                None => drop(self.held.remove(&slot)),
            },
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::OrderOnce, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewsync_families::Rng;

    #[test]
    fn what_a_command_does_not_do_is_found() {
        let family = Drawn::from_seed(3);
        let (mut meaning, mut rng) = (family.blank(), Rng::new(3, 0));
        let (mut right, mut wrong) = (0, 0);
        for _ in 0..40 {
            let (before, was) = (meaning.clone(), family.write(0, &meaning));
            let command = family.command(0, &mut meaning, &mut rng);
            let said = family.execute(0, &before, &command);
            let is = family.write(0, &meaning);
            let none = BTreeSet::new();
            let found = |config: &str| otherwise(&said, (&family, 0), (config, &none));
            assert_eq!(found(&is), None, "{command}");
            right += 1;
            // The config as it was, where the command changes it.
            wrong += usize::from(found(&was).is_some());
            assert!(otherwise(&Entered::Refuses, (&family, 0), (&is, &none)).is_some());
        }
        assert!(right == 40 && wrong > 10, "{right} {wrong}");
    }
    #[test]
    fn what_is_entered_and_goes_when_it_is_empty_is_found() {
        let mut found = 0;
        for seed in 0..20 {
            let family = Drawn::from_seed(seed);
            let release = family.releases().len() - 1;
            let (mut meaning, mut rng) = (family.blank(), Rng::new(seed, 0));
            for _ in 0..20 {
                family.command(release, &mut meaning, &mut rng);
            }
            let (is, said) = (family.write(release, &meaning), Entered::Says(meaning.clone()));
            let entered = family.entered(release, &meaning);
            let none = BTreeSet::new();
            let with = |implied| otherwise(&said, (&family, release), (&is, implied));
            assert_eq!(with(&none), None);
            assert_eq!(with(&entered).is_some(), !entered.is_empty());
            found += entered.len();
        }
        assert!(found > 0);
    }
}
