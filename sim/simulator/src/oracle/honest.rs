//! Honest: mode, state and out-of-sync that units show are the true ones: within a keepalive period
//! while nothing goes wrong; and what an Active says to be listed when the pair becomes hot is what
//! is listed.

use std::sync::Arc;

use skewsync::ids::Slot;
use skewsync::message::Redundancy;
use skewsync::translate::Lowering;
use skewsync::unit::{Event as Told, Limits, RfState};
use skewsync_model::property::Property;
use skewsync_reference::Beside;

use super::reference;
use super::{broken, is_trouble};
use crate::catalog::Catalog;
use crate::history::{Acting, Fact, History, Observer, Unit, What};
use crate::observe::{Evidence, Untrue, Violation};

/// See the module.
pub struct Honest {
    catalog: Arc<Catalog>,
    /// Since when nothing is wrong, and what is shown is not so.
    untrue_since: Option<u64>,
    checked: u64,
}

/// A keepalive period, and what a message and its answer may take.
const fn bound_us(limits: &Limits) -> u64 {
    1_000 * (limits.keepalive_ms + limits.renew_ms + 2 * limits.resend_ms)
}

/// What the two units of a session show that is not so.
fn untrue(acting: &Acting, standby: &Unit, history: &History) -> Option<Untrue> {
    let session = acting.session.as_ref()?.session;
    if standby.waiting()?.seat?.session != session {
        return None;
    }
    let (here, there) = (acting.shows_peer, standby.machine.as_ref()?.shows);
    let register = history.register;
    let hot = register.is_some_and(|eligible| eligible.session == session);
    if hot && (here != RfState::StandbyHot || there != RfState::StandbyHot) {
        return Some(Untrue::Hot { here, there });
    }
    let cold = |shown: RfState| shown == RfState::StandbyCold;
    if cold(here) != cold(there) {
        return Some(Untrue::Cold { here, there });
    }
    let mode = acting.mode;
    if hot != (mode == Redundancy::Sso) {
        return Some(Untrue::Mode { mode, register });
    }
    None
}

/// The same of any two units, while all that could excuse it is well.
fn unexcused(history: &History) -> Option<Untrue> {
    let shown = history.slots().find_map(|(slot, unit)| {
        let acting = unit.acting()?;
        history.others(slot).find_map(|(_, other)| untrue(acting, other, history))
    });
    let suspended = history.units.iter().any(|unit| unit.suspended);
    // An arbiter that starts without its state, or with one that may be older, does not know what
    // it told.
    let knows = history.arbiter.as_ref().is_some_and(|arbiter| !arbiter.silent);
    shown.filter(|_| !suspended && knows && history.whole())
}

impl Honest {
    /// For a run with these images.
    pub const fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, untrue_since: None, checked: 0 }
    }

    /// What is said to be listed as the pair becomes hot.
    fn hot(&mut self, slot: Slot, said: u32, history: &History) -> Result<(), Violation> {
        let Some(unit) = history.unit(slot) else {
            return Ok(());
        };
        let session = unit.acting().and_then(|acting| Some((acting, acting.session.as_ref()?)));
        let Some((acting, current)) = session else {
            return Ok(());
        };
        let here = self.catalog.image(&unit.image.name);
        // The session's peer: its slot may hold another image by now.
        let there = self.catalog.by_digest(current.image);
        let (Ok(here), Some(there)) = (here, there) else {
            return Ok(());
        };
        self.checked += 1;
        let (here, there) = (here.software().image(), there.software().image());
        let puts_down = current.lowering.as_ref().is_some_and(Lowering::puts_back);
        let beside = Beside { owed: Some(&acting.kept), puts_down, ..Beside::default() };
        let listed = reference::digests(here, there, &acting.config, &beside).listed.len();
        let listed = listed + current.missing.count() as usize;
        if said as usize != listed {
            return broken(Property::Honest, Evidence::ListedOtherwise { said, listed });
        }
        Ok(())
    }

    /// A step is whole.
    fn stepped(&mut self, now_us: u64, history: &History) -> Result<(), Violation> {
        self.checked += 1;
        let Some(what) = unexcused(history) else {
            self.untrue_since = None;
            return Ok(());
        };
        let us = now_us - *self.untrue_since.get_or_insert(now_us);
        if us > bound_us(&history.limits) {
            return broken(Property::Honest, Evidence::ShowsUntrue { ms: us / 1_000, what });
        }
        Ok(())
    }
}

impl Observer for Honest {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        if is_trouble(fact) {
            self.untrue_since = None;
        }
        match (fact.what, fact.slot()) {
            (What::Says { event: Told::Hot { listed }, .. }, Some(slot)) => {
                self.hot(slot, *listed, history)
            }
            (What::Stepped | What::ArbiterStepped, _) => self.stepped(fact.at_us, history),
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Honest, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::message::Eligible;
    use skewsync::unit::Output;

    use super::*;
    use crate::oracle::testing::{Pair, Stage, broken_property, catalog, eligible};

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn hot_saying(listed: u32) -> Option<Property> {
        let (mut stage, oracle) = (Stage::with_releases(RELEASES), &mut Honest::new(catalog()));
        let active = Pair::with_releases(RELEASES, "interface eth0\n mtu 9216\n", 4).active;
        let says = Output::Event(Told::Hot { listed });
        broken_property(stage.does(oracle, active, &[says]))
    }

    #[test]
    fn what_is_said_is_of_the_image_that_the_session_is_with() {
        let changed = ["6.1", "7.1"];
        let (mut stage, oracle) = (Stage::with_releases(changed), &mut Honest::new(catalog()));
        let active = Pair::with_releases(RELEASES, "interface eth0\n mtu 9216\n", 4).active;
        let says = Output::Event(Told::Hot { listed: 1 });
        assert_eq!(broken_property(stage.does(oracle, active, &[says])), None);
    }

    #[test]
    fn another_number_of_listed_lines_than_there_are_breaks_it() {
        assert_eq!(hot_saying(0), Some(Property::Honest));
        assert_eq!(hot_saying(1), None);
    }

    fn for_long(register: Option<Eligible>, prepare: impl Fn(&mut Pair)) -> Option<Property> {
        let (mut stage, oracle) = (Stage::with_releases(RELEASES), &mut Honest::new(catalog()));
        let mut pair = Pair::with_releases(RELEASES, "", 4);
        prepare(&mut pair);
        stage.units = [Some(pair.active.clone()), Some(pair.standby.clone())];
        stage.register(oracle, register).unwrap();
        stage.at_us = bound_us(&stage.limits) + 1;
        broken_property(stage.does(oracle, pair.active, &[]))
    }

    #[test]
    fn a_state_that_is_not_so_for_longer_than_a_keepalive_breaks_it() {
        use skewsync::unit::peer::ActivePhase as Phase;
        let cold = |pair: &mut Pair| {
            pair.acting().put_phase(Phase::Cold, skewsync::ids::Lsn(4));
        };
        assert_eq!(for_long(Some(eligible(4)), cold), Some(Property::Honest));
        assert_eq!(for_long(None, |_| {}), Some(Property::Honest));
    }

    #[test]
    fn a_hot_pair_that_shows_it_breaks_nothing() {
        assert_eq!(for_long(Some(eligible(4)), |_| {}), None);
    }
}
