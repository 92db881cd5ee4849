//! Honest: mode, state and out-of-sync that units show are the true ones: within a keepalive period
//! while nothing goes wrong; and what an Active says to be listed when the pair becomes hot is what
//! is listed.

use std::sync::Arc;

use skewsync::ids::Slot;
use skewsync::message::{Eligible, Redundancy};
use skewsync::unit::{Active, Event as Told, Limits, RfState, Role, Unit};
use skewsync_model::property::Property;

use super::reference;
use super::{broken, is_trouble, told};
use crate::catalog::Catalog;
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
pub struct Honest {
    catalog: Arc<Catalog>,
    register: Option<Eligible>,
    /// Since when nothing is wrong, and what is shown is not so.
    untrue_since: Option<u64>,
    checked: u64,
}

impl Honest {
    /// For a run with these images.
    pub const fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, register: None, untrue_since: None, checked: 0 }
    }

    /// What is said to be listed as the pair becomes hot.
    fn hot(
        &mut self,
        slot: Slot,
        active: &Active,
        said: u32,
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        let Some(current) = &active.peer.current else {
            return Ok(());
        };
        let here = self.catalog.image(scene.image(slot).1);
        // The session's peer: its slot may hold another image by now.
        let there = self.catalog.by_digest(current.image);
        let (Ok(here), Some(there)) = (here, there) else {
            return Ok(());
        };
        self.checked += 1;
        let (here, there) = (here.software().image(), there.software().image());
        let listed = reference::digests(here, there, active.config.config()).listed.len();
        let held = current.held_out.len();
        if said as usize != listed + held {
            let what = format!("{said} lines are said to be listed, and {} are", listed + held);
            return broken(Property::Honest, what);
        }
        Ok(())
    }
}

/// A keepalive period, and what a message and its answer may take.
const fn bound_us(limits: &Limits) -> u64 {
    1_000 * (limits.keepalive_ms + limits.renew_ms + 2 * limits.resend_ms)
}

/// What the two units of a session show that is not so.
fn untrue(active: &Active, standby: &Unit, register: Option<Eligible>) -> Option<String> {
    let current = active.peer.current.as_ref()?;
    let Role::Standby(seated) = &standby.part else {
        return None;
    };
    let seat = seated.seat.as_ref()?;
    if seat.session != current.session {
        return None;
    }
    let (here, there) = (active.peer_rf_state(), standby.rf_state());
    let hot = register.is_some_and(|eligible| eligible.session == current.session);
    let named = |shown: RfState| shown.name();
    if hot && (here != RfState::StandbyHot || there != RfState::StandbyHot) {
        let (here, there) = (named(here), named(there));
        return Some(format!("the pair is hot; shown are {here} and {there}"));
    }
    let cold = |shown: RfState| shown == RfState::StandbyCold;
    if cold(here) != cold(there) {
        let (here, there) = (named(here), named(there));
        return Some(format!("one unit shows rpr: {here} and {there}"));
    }
    let mode = active.redundancy();
    if hot != (mode == Redundancy::Sso) {
        return Some(format!("the mode shown is {mode:?}, and the register {register:?}"));
    }
    None
}

impl Observer for Honest {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        if let Event::Arbiter { arbiter, .. } = seen.event {
            self.register = arbiter.register;
        }
        if let Event::Unit { slot, unit, .. } = seen.event
            && let Role::Active(active) = &unit.part
        {
            for event in told(&seen.event) {
                if let Told::Hot { listed } = event {
                    self.hot(slot, active, *listed, scene)?;
                }
            }
        }
        if is_trouble(&seen.event) {
            self.untrue_since = None;
        }
        if !matches!(seen.event, Event::Unit { .. } | Event::Arbiter { .. }) {
            return Ok(());
        }
        let slots = [Slot(0), Slot(1)];
        let shown = slots.iter().find_map(|slot| {
            let other = scene.unit(Slot(1 - slot.0))?;
            match &scene.unit(*slot)?.part {
                Role::Active(active) => untrue(active, other, self.register),
                Role::Standby(_) | Role::Holder(_) => None,
            }
        });
        self.checked += 1;
        let paused = slots.iter().any(|slot| scene.paused(*slot));
        // An arbiter that starts without its state, or with one that may be older, does not know
        // what it told.
        let knows = scene.arbiter().is_some_and(|arbiter| !arbiter.silent);
        let Some(what) = shown.filter(|_| !paused && knows && scene.whole()) else {
            self.untrue_since = None;
            return Ok(());
        };
        let since = *self.untrue_since.get_or_insert(seen.at_us);
        if seen.at_us - since > bound_us(scene.limits()) {
            let ms = (seen.at_us - since) / 1_000;
            return broken(Property::Honest, format!("for {ms} ms: {what}"));
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Honest, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit::Output;

    use super::*;
    use crate::oracle::testing::{Pair, Stage, broken_property, catalog, eligible};

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn hot_saying(listed: u32) -> Option<Property> {
        let (mut stage, oracle) = (Stage::of(RELEASES), &mut Honest::new(catalog()));
        let active = Pair::of(RELEASES, "interface eth0\n mtu 9216\n", 4).active;
        let says = Output::Event(Told::Hot { listed });
        broken_property(stage.does(oracle, active, &[says]))
    }

    #[test]
    fn what_is_said_is_of_the_image_that_the_session_is_with() {
        let changed = ["6.1", "7.1"];
        let (mut stage, oracle) = (Stage::of(changed), &mut Honest::new(catalog()));
        let active = Pair::of(RELEASES, "interface eth0\n mtu 9216\n", 4).active;
        let says = Output::Event(Told::Hot { listed: 1 });
        assert_eq!(broken_property(stage.does(oracle, active, &[says])), None);
    }

    #[test]
    fn another_number_of_listed_lines_than_there_are_breaks_it() {
        assert_eq!(hot_saying(0), Some(Property::Honest));
        assert_eq!(hot_saying(1), None);
    }

    fn for_long(register: Option<Eligible>, prepare: impl Fn(&mut Pair)) -> Option<Property> {
        let (mut stage, oracle) = (Stage::of(RELEASES), &mut Honest::new(catalog()));
        let mut pair = Pair::of(RELEASES, "", 4);
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
            let current = pair.acting().peer.current.as_mut();
            current.expect("a session").phase = Phase::Cold;
        };
        assert_eq!(for_long(Some(eligible(4)), cold), Some(Property::Honest));
        assert_eq!(for_long(None, |_| {}), Some(Property::Honest));
    }

    #[test]
    fn a_hot_pair_that_shows_it_breaks_nothing() {
        assert_eq!(for_long(Some(eligible(4)), |_| {}), None);
    }
}
