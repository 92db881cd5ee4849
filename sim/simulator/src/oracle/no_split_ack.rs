//! NoSplitAck: no `acked` command is returned `local` while the register is set, and none
//! `replicated` unless the register was confirmed for its session.

use std::collections::BTreeSet;

use skewsync::ids::CommandId;
use skewsync::message::{Eligible, Session};
use skewsync::unit::{Copies, Durability, Input, Outcome};
use skewsync_model::property::Property;

use super::{broken, starts};
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoSplitAck {
    /// The arbiter starts in the step at hand.
    starts: bool,
    /// The register is as a state of the arbiter had it that it started with: what that holds it
    /// did not confirm last.
    older: bool,
    stored: BTreeSet<Session>,
    acked: BTreeSet<CommandId>,
    checked: u64,
}

impl NoSplitAck {
    fn returned(
        &mut self,
        command: CommandId,
        place: Copies,
        current: Option<Session>,
        register: Option<Eligible>,
    ) -> Result<(), Violation> {
        let acked = self.acked.contains(&command);
        self.checked += u64::from(acked);
        match place {
            Copies::Local(_) if acked => match register.filter(|_| !self.older) {
                Some(Eligible { session, .. }) => {
                    broken(Property::NoSplitAck, Evidence::LocalWhileSet { command, session })
                }
                None => Ok(()),
            },
            Copies::Replicated if !current.is_some_and(|it| self.stored.contains(&it)) => {
                let evidence = Evidence::ReplicatedUnregistered { command, session: current };
                broken(Property::NoSplitAck, evidence)
            }
            Copies::Local(_) | Copies::Replicated => Ok(()),
        }
    }
}

impl Observer for NoSplitAck {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match fact.what {
            What::ArbiterTook { input, .. } => self.starts = starts(input),
            What::RegisterWritten { now, .. } => {
                self.older = self.starts;
                self.stored.extend(now.map(|eligible| eligible.session));
            }
            What::Took { input: Input::Command(command), .. }
                if command.durability == Durability::Acked =>
            {
                self.acked.insert(command.id);
            }
            What::Answered {
                command,
                outcome: Outcome::Done { place, .. } | Outcome::Unchanged { place },
                fate: Fate::Done,
            } => {
                let acting = fact.slot().and_then(|slot| history.acting_in(slot));
                let current = acting.and_then(|acting| Some(acting.session.as_ref()?.session));
                return self.returned(command, *place, current, history.register);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::NoSplitAck, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::{Lsn, Slot, Term};
    use skewsync::unit::{LocalWhy, Output};

    use super::*;
    use crate::oracle::testing::{Pair, Stage, answer, broken_property, command, eligible};

    fn done(place: Copies) -> Output {
        let (term, lsn) = (Term(1), Lsn(1));
        let listed = Vec::new();
        answer(7, Outcome::Done { term, lsn, place, listed })
    }

    fn returned(register: Option<Eligible>, place: Copies) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoSplitAck::default());
        stage.register(oracle, register).unwrap();
        let active = Pair::with_releases(["6.2", "6.2"], "", 1).active;
        assert_eq!(active.own.slot, Slot(0));
        broken_property(stage.step(oracle, active, &command(7), &[done(place)]))
    }

    #[test]
    fn local_while_the_register_is_set_breaks_it() {
        let local = Copies::Local(LocalWhy::NoHotStandby);
        assert_eq!(returned(Some(eligible(1)), local), Some(Property::NoSplitAck));
        assert_eq!(returned(None, local), None);
    }

    #[test]
    fn replicated_without_a_register_breaks_it() {
        assert_eq!(returned(None, Copies::Replicated), Some(Property::NoSplitAck));
        assert_eq!(returned(Some(eligible(1)), Copies::Replicated), None);
    }
}
