//! NoZombie: what the config of a successor does not hold never comes back: no unit acts with a
//! config of a branch of history that was passed over, unless no other unit was in reach, and the
//! arbiter says so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Origin, Stamp};
use skewsync::unit::{ArbiterEvent, Event as Told};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Machine, Observer, Role, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoZombie {
    /// The terms in which a unit acted: the LSN that it went on from; none: its startup store.
    acted: BTreeMap<Term, Option<Lsn>>,
    /// The place in history of what each unit runs.
    runs: BTreeMap<Slot, Stamp>,
    /// The place in history of what each holder took up for its term.
    took_up: BTreeMap<Slot, (Term, Stamp)>,
    /// Stores of which the arbiter said that they are off the line.
    off_the_line: BTreeSet<Stamp>,
    /// Terms in which a unit acted though its disk had refused them; once its process ended it
    /// knows of them no more.
    unwritten: BTreeMap<Slot, Term>,
    forgotten: BTreeSet<Term>,
    /// The arbiter lost its state, or may have started with an older one.
    strayed: bool,
    /// What was passed over and came back with the line unknown, by the term in which it did.
    came_back: BTreeMap<Term, Stamp>,
    checked: u64,
}

impl NoZombie {
    /// The term that passed the config of this stamp over, if any did.
    fn passed_over(&self, stamp: Stamp, before: Term, origin: Origin) -> Option<Term> {
        let over = |from: &Option<Lsn>| match from {
            Some(lsn) => *lsn < stamp.lsn,
            None => matches!(origin, Origin::Resume | Origin::Stale { .. }),
        };
        let known = |term: &Term| !(self.strayed && self.forgotten.contains(term));
        // What began a config that came back is on the line again, and what passed it over is not.
        let begins = |of: &Stamp| {
            if stamp.term > of.term || stamp.lsn > of.lsn {
                return false;
            }
            let mut later =
                self.acted.range((Bound::Excluded(stamp.term), Bound::Included(of.term)));
            !later.any(|(_, from)| over(from))
        };
        let mut came_back = self.came_back.range(..before).rev();
        let from = match came_back.find(|(_, of)| begins(of)) {
            Some((since, _)) => Bound::Included(*since),
            None => Bound::Excluded(stamp.term),
        };
        let mut later = self.acted.range((from, Bound::Excluded(before)));
        later.find(|(term, from)| over(from) && known(term)).map(|(term, _)| *term)
    }

    /// A unit acts, with what it took up.
    fn acts(
        &mut self,
        slot: Slot,
        (stamp, origin): (Stamp, Origin),
        history: &History,
    ) -> Result<(), Violation> {
        self.checked += 1;
        let of = self.took_up.get(&slot).filter(|(term, _)| *term == stamp.term);
        if let Some((_, of)) = of.copied()
            && let Some(term) = self.passed_over(of, stamp.term, origin)
            && !(history.line.excuses(slot) || self.off_the_line.contains(&of))
        {
            return broken(Property::NoZombie, Evidence::Zombie { slot, with: of, by: term });
        }
        self.acted.insert(stamp.term, (origin != Origin::Cold).then_some(stamp.lsn));
        Ok(())
    }

    fn follow(&mut self, slot: Slot, machine: &Machine, history: &History) {
        if self.unwritten.get(&slot).is_some_and(|term| machine.durable >= *term) {
            self.unwritten.remove(&slot);
        }
        match &machine.role {
            Role::Holder(holding) => {
                let stamp = Stamp { term: holding.term, lsn: holding.lsn };
                let known = self.runs.insert(slot, stamp);
                let same = known.is_some_and(|known| known.term == holding.term);
                if !same {
                    let of = match holding.origin {
                        Origin::Cold => machine.store.stamp,
                        Origin::Resume => known.unwrap_or(stamp),
                        Origin::Stale { stamp: said } => holding.gap.map_or(said, |gap| gap.after),
                        Origin::Stateful { session, .. } => {
                            Stamp { term: session.term, lsn: holding.lsn }
                        }
                    };
                    self.took_up.insert(slot, (holding.term, of));
                    // It is on the line from here on, though its unit may never act.
                    if history.line.excuses(slot)
                        && self.passed_over(of, holding.term, holding.origin).is_some()
                    {
                        self.came_back.insert(holding.term, of);
                    }
                }
            }
            Role::Active(acting) => {
                self.runs.insert(slot, acting.stamp());
            }
            Role::Standby(_) => {
                self.runs.remove(&slot);
                self.took_up.remove(&slot);
            }
        }
    }
}

impl Observer for NoZombie {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match (fact.what, fact.slot()) {
            (What::ArbiterSays { event: ArbiterEvent::OffTheLine { stamp } }, _) => {
                self.off_the_line.insert(*stamp);
            }
            (What::ArbiterSays { event: ArbiterEvent::LineUnknown }, _)
                if !history.line.is_astray() =>
            {
                return broken(Property::NoZombie, Evidence::LineUnknown);
            }
            (What::ArbiterStepped, _) => self.strayed |= history.line.is_astray(),
            (What::Says { event: Told::TermUnwritten { term }, .. }, Some(slot)) => {
                self.unwritten.insert(slot, *term);
            }
            (What::Says { event: Told::Acts { stamp, origin, .. }, .. }, Some(slot)) => {
                return self.acts(slot, (*stamp, *origin), history);
            }
            (What::Stepped, Some(slot)) => {
                if let Some(machine) = history.unit(slot).and_then(|unit| unit.machine.as_ref()) {
                    self.follow(slot, machine, history);
                }
            }
            (What::Ended { .. }, Some(slot)) => {
                self.forgotten.extend(self.unwritten.remove(&slot));
                self.runs.remove(&slot);
                self.took_up.remove(&slot);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::NoZombie, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{
        Stage, active, acts, broken_property, holder, idle, stamp, stateful,
    };
    use skewsync::ids::BootId;
    use skewsync::unit::arbiter::Offer;

    /// Slot 0 acts in term 1 up to LSN 6; slot 1 goes on in term 2 from LSN 4.
    fn passed_over() -> (Stage, NoZombie) {
        let (mut stage, mut oracle) = (Stage::new(), NoZombie::default());
        let cold = acts(stamp(1, 0), Origin::Cold, &[]);
        stage.does(&mut oracle, active(Slot(0), 1, 0, "6.2", ""), &[cold]).unwrap();
        stage.does(&mut oracle, active(Slot(0), 1, 6, "6.2", ""), &[]).unwrap();
        let next = acts(stamp(2, 4), stateful(4), &[]);
        stage.does(&mut oracle, active(Slot(1), 2, 4, "6.2", ""), &[next]).unwrap();
        (stage, oracle)
    }

    /// Then slot 0 acts in term 3 from `origin`.
    fn back_with(origin: Origin, store: Stamp, off: bool) -> Option<Property> {
        let (mut stage, mut oracle) = passed_over();
        let oracle = &mut oracle;
        let lsn = if origin == Origin::Cold { store.lsn.0 } else { 6 };
        let mut took_up = holder(Slot(0), 3, origin, lsn);
        took_up.own.store = crate::oracle::testing::store(store);
        if off {
            let says = [ArbiterEvent::OffTheLine { stamp: store }];
            stage.arbiter_says(oracle, None, None, &says).unwrap();
        }
        stage.does(oracle, took_up, &[]).unwrap();
        let again = acts(stamp(3, lsn), origin, &[]);
        broken_property(stage.does(oracle, active(Slot(0), 3, lsn, "6.2", ""), &[again]))
    }

    #[test]
    fn a_config_that_a_term_passed_over_breaks_it() {
        assert_eq!(back_with(Origin::Resume, stamp(0, 0), false), Some(Property::NoZombie));
        assert_eq!(back_with(Origin::Cold, stamp(1, 5), false), Some(Property::NoZombie));
    }

    /// Then slot 0 takes term 3 up with what term 1 left, and never acts in it; then it acts so in
    /// term 4, with the line known.
    fn taken_up_again(line_unknown: bool) -> Option<Property> {
        let (mut stage, mut oracle) = passed_over();
        let oracle = &mut oracle;
        let origin = Origin::Stale { stamp: stamp(1, 6) };
        if line_unknown {
            let offer = Offer {
                term: Term(3),
                slot: Slot(0),
                boot: BootId(1),
                origin,
                bound: None,
                hello: 0,
                held: Term(1),
            };
            let offered = ArbiterEvent::Offered(offer);
            let says = [ArbiterEvent::Lost, ArbiterEvent::LineUnknown, offered];
            stage.arbiter_says(oracle, None, None, &says).unwrap();
        }
        stage.does(oracle, holder(Slot(0), 3, origin, 6), &[]).unwrap();
        stage.does(oracle, idle(Slot(0), "6.2"), &[]).unwrap();
        stage.does(oracle, holder(Slot(0), 4, origin, 6), &[]).unwrap();
        let again = acts(stamp(4, 6), origin, &[]);
        broken_property(stage.does(oracle, active(Slot(0), 4, 6, "6.2", ""), &[again]))
    }

    #[test]
    fn what_is_taken_up_with_the_line_unknown_is_on_the_line_though_it_never_acts() {
        assert_eq!(taken_up_again(true), None);
        assert_eq!(taken_up_again(false), Some(Property::NoZombie));
    }

    #[test]
    fn a_store_on_the_line_or_one_that_the_arbiter_names_breaks_nothing() {
        assert_eq!(back_with(Origin::Cold, stamp(1, 4), false), None);
        assert_eq!(back_with(Origin::Cold, stamp(2, 9), false), None);
        assert_eq!(back_with(Origin::Cold, stamp(1, 5), true), None);
    }
}
