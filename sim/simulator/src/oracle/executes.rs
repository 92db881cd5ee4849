//! OrderOnce, of drawn families: what a command made of the Active's config is what it says, once;
//! and a unit refuses no line that its release has. What a command of a drawn family does is known
//! without the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::digest::Shared;
use skewsync::ids::{CommandId, Lsn, Slot, Term};
use skewsync::message::{Prc, Stamp};
use skewsync::unit::{Input, Outcome, Refusal};
use skewsync_families::{Drawn, Entered};
use skewsync_model::property::Property;

use super::broken;
use super::same_meaning::implied;
use crate::catalog::drawn;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct Executes {
    /// The family of an image that was asked for last, and its release.
    family: Option<(Arc<str>, Option<(Drawn, usize)>)>,
    /// Commands that were taken and not answered yet.
    entered: BTreeMap<CommandId, Shared<str>>,
    /// What each unit acted with when it was last seen.
    held: BTreeMap<Slot, (Term, Lsn, Config)>,
    checked: u64,
}

impl Executes {
    fn family(&mut self, image: &Arc<str>) -> Option<&(Drawn, usize)> {
        if self.family.as_ref().is_none_or(|(known, _)| known != image) {
            self.family = Some((Arc::clone(image), drawn::family(image)));
        }
        self.family.as_ref()?.1.as_ref()
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
        // What stands there for what is in it alone may go with that.
        if !implied(&before).is_empty() {
            return None;
        }
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
        let text = || self.entered.get(&command).map_or("", |text| text);
        match said {
            Entered::Unknown => Ok(()),
            Entered::Refuses => {
                let what = format!("{:?} is none of its release's lines", text());
                broken(Property::OrderOnce, Evidence::ExecutesOtherwise { at, command, what })
            }
            Entered::Says(meaning) => {
                let wanted = family.arrival(release, release, &meaning);
                let found = wanted.differs(&acting.config.render(), &Default::default());
                found.map_or(Ok(()), |found| {
                    let what = format!("after {:?} {found}", text());
                    broken(Property::OrderOnce, Evidence::ExecutesOtherwise { at, command, what })
                })
            }
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
