//! HotIsServed: a unit shows STANDBY HOT, and an Active shows its peer so, only in a session that the
//! arbiter's register holds, or within T after it stopped to be.

use std::collections::BTreeMap;

use skewsync::base::Slot;
use skewsync::message::{Eligible, Session};
use skewsync::unit::{Limits, Part, Shown, Unit};

use super::broken;
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "HotIsServed";

/// See the module.
#[derive(Debug, Default)]
pub struct HotIsServed {
    register: Option<Eligible>,
    wrong_since: BTreeMap<Slot, u64>,
    checked: u64,
}

/// lease x (1 + max_drift) + takeover_wait + 3 resends; and the watchdog, which is what ends a session
/// whose other side is gone.
fn bound_us(limits: &Limits) -> u64 {
    let silent = limits.watchdog_ms + 3 * limits.resend_ms;
    1_000 * (limits.arbiter_lease_ms() + limits.takeover_wait_ms + silent)
}

/// The session in which the unit shows that the pair is hot.
fn shown_hot(unit: &Unit) -> Option<Session> {
    match &unit.part {
        Part::Standby(standby) => {
            let seat = standby.seat.as_ref()?;
            (unit.shown() == Shown::StandbyHot).then_some(seat.session)
        }
        Part::Active(active) => {
            let current = active.peer.current.as_ref()?;
            (active.peer_shown() == Shown::StandbyHot).then_some(current.session)
        }
        Part::Holder(_) => None,
    }
}

impl Observer for HotIsServed {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        match seen.event {
            Event::Arbiter { arbiter, .. } => self.register = arbiter.register,
            Event::Paused { slot, .. } | Event::Ended { slot, .. } => {
                self.wrong_since.remove(&slot);
            }
            Event::Unit { slot, unit, .. } => {
                let shown = shown_hot(unit);
                let held = self.register.map(|eligible| eligible.session);
                if shown.is_none() || shown == held {
                    self.wrong_since.remove(&slot);
                    self.checked += u64::from(shown.is_some());
                    return Ok(());
                }
                let since = *self.wrong_since.entry(slot).or_insert(seen.at_us);
                let ms = (seen.at_us - since) / 1_000;
                if seen.at_us - since > bound_us(scene.limits()) {
                    return broken(
                        NAME,
                        format!("slot {slot} shows a hot Standby for {ms} ms that nobody serves"),
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::stage::{Pair, Stage, broken_property, eligible};

    fn shown_for_long(register: Option<Eligible>) -> Option<&'static str> {
        let (mut stage, oracle) = (Stage::new(), &mut HotIsServed::default());
        stage.register(oracle, register).unwrap();
        let standby = Pair::of(["6.2", "6.2"], "", 1).standby;
        stage.does(oracle, standby.clone(), &[]).unwrap();
        stage.at_us = bound_us(&stage.limits) + 1;
        broken_property(stage.does(oracle, standby, &[]))
    }

    #[test]
    fn hot_shown_beyond_the_bound_without_a_register_breaks_it() {
        assert_eq!(shown_for_long(None), Some(NAME));
    }

    #[test]
    fn hot_shown_while_the_register_names_the_session_breaks_nothing() {
        assert_eq!(shown_for_long(Some(eligible(1))), None);
    }
}
