//! NoSplitAck: no `acked` command is returned `local` while the register is set, and none
//! `replicated` unless the register was confirmed for its session.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::CommandId;
use skewsync::message::{Eligible, Session};
use skewsync::unit::{Copies, Durability, Input, Outcome, Output, Role};
use skewsync_model::property::Property;

use super::{broken, performed, starts};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoSplitAck {
    register: Option<Eligible>,
    /// The arbiter started with an older state, and the register is as it was in that.
    astray: bool,
    /// The register that it started with.
    older: Option<Eligible>,
    stored: BTreeSet<Session>,
    acked: BTreeMap<CommandId, Durability>,
    checked: u64,
}

impl NoSplitAck {
    fn returned(
        &mut self,
        id: CommandId,
        place: Copies,
        current: Option<Session>,
    ) -> Result<(), Violation> {
        let acked = self.acked.get(&id) == Some(&Durability::Acked);
        self.checked += u64::from(acked);
        match place {
            Copies::Local(_) if acked => match self.register {
                Some(Eligible { session, .. }) => broken(
                    Property::NoSplitAck,
                    format!("command {id} is returned local, and the register holds {session}"),
                ),
                None => Ok(()),
            },
            Copies::Replicated if !current.is_some_and(|it| self.stored.contains(&it)) => broken(
                Property::NoSplitAck,
                format!("command {id} is returned replicated in {current:?}, never registered"),
            ),
            Copies::Local(_) | Copies::Replicated => Ok(()),
        }
    }
}

impl Observer for NoSplitAck {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Arbiter { input, arbiter, .. } => {
                // What an older state of the arbiter holds it did not confirm last.
                let astray = starts(input) && arbiter.register != self.register;
                self.astray = astray || self.astray && arbiter.register == self.older;
                self.older = arbiter.register;
                self.register = arbiter.register.filter(|_| !self.astray);
                self.stored.extend(arbiter.register.map(|eligible| eligible.session));
            }
            Event::Unit { input, unit, .. } => {
                if let Input::Command(command) = input {
                    self.acked.insert(command.id, command.durability);
                }
                let current = match &unit.part {
                    Role::Active(active) => {
                        active.peer.current.as_ref().map(|current| current.session)
                    }
                    Role::Standby(_) | Role::Holder(_) => None,
                };
                for output in performed(&seen.event) {
                    if let Output::Answer { id, outcome } = output
                        && let Outcome::Done { place, .. } | Outcome::Unchanged { place } = outcome
                    {
                        self.returned(*id, *place, current)?;
                    }
                }
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
    use skewsync::unit::LocalWhy;

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
        let active = Pair::of(["6.2", "6.2"], "", 1).active;
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
