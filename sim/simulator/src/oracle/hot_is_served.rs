//! HotIsServed: a unit shows STANDBY HOT, and an Active whose lease runs shows its peer so, only in
//! a session that the arbiter's register holds, or within `watchdog` x (1 + max_drift) after the
//! later of two moments: the register stopped to hold it; the last message of it came that was sent
//! by then, or within a lease of then.
//!
//! Why no fixed time after the register alone: what ends a session whose other side is gone is the
//! watchdog, and each message arms it anew, also one that was long on its way. The arbiter clears
//! the register by itself only once no lease runs, or, its state lost, while the last one runs out:
//! from a lease later on nobody speaks in the session. Neither the lease nor an Offer adds to the
//! time beside that.

use std::collections::BTreeMap;

use skewsync::ids::Slot;
use skewsync::message::{Address, Eligible, Session};
use skewsync::unit::{Input, Limits, RfState};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, Role, Unit, What};
use crate::observe::{Delivered, Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct HotIsServed {
    /// When the register stopped to hold a session.
    stopped: BTreeMap<Session, u64>,
    /// When each frame between the units was sent, by its number.
    sent: BTreeMap<u64, u64>,
    /// The last message that each unit took of each session: its sending, and when it came.
    heard: BTreeMap<(Slot, Session), Heard>,
    /// When each unit ran on after it was suspended, or was so slow that it holds no bound in time.
    late: BTreeMap<Slot, u64>,
    checked: u64,
}

/// A message of a session that a unit took.
#[derive(Clone, Copy, Debug)]
struct Heard {
    sent_us: u64,
    came_us: u64,
}

/// A span by the slowest clock within drift.
fn slowest_us(limits: &Limits, ms: u64) -> u64 {
    let us = ms * 1_000;
    us + (us * u64::from(limits.max_drift_ppm)).div_ceil(1_000_000)
}

/// The session in which the unit shows that the pair is hot.
fn shown_hot(unit: &Unit, now_us: u64) -> Option<Session> {
    let machine = unit.machine.as_ref()?;
    let hot = |shown: RfState| shown == RfState::StandbyHot;
    match &machine.role {
        Role::Standby(waiting) => {
            waiting.seat.filter(|_| hot(machine.shows)).map(|seat| seat.session)
        }
        // An Active whose lease is over as it takes it up (a Grant that was long on its way) is
        // told so next.
        Role::Active(acting) => {
            let current = acting.session.as_ref()?;
            (hot(acting.shows_peer) && unit.acts_at(now_us)).then_some(current.session)
        }
        Role::Holder(_) => None,
    }
}

impl HotIsServed {
    fn hears(&mut self, slot: Slot, session: Session, packet: Delivered, now_us: u64) {
        let sent = self.sent.get(&packet.number);
        let heard = Heard { sent_us: sent.copied().unwrap_or(now_us), came_us: now_us };
        self.heard.insert((slot, session), heard);
    }

    /// Until when the unit may show this session as hot, though the register does not hold it.
    fn until_us(&self, slot: Slot, session: Session, limits: &Limits) -> u64 {
        let stopped = self.stopped.get(&session).copied().unwrap_or(0);
        let speaks = stopped + slowest_us(limits, limits.lease_ms);
        let in_time = |heard: &&Heard| heard.sent_us <= speaks;
        let heard = self.heard.get(&(slot, session)).filter(in_time);
        let heard = heard.map_or(0, |heard| heard.came_us);
        let late = self.late.get(&slot).copied().unwrap_or(0);
        stopped.max(heard).max(late) + slowest_us(limits, limits.watchdog_ms)
    }

    /// A step of a unit is whole.
    fn shows(&mut self, slot: Slot, unit: &Unit, history: &History) -> Result<(), Violation> {
        let now_us = history.now_us;
        if unit.suspended {
            self.late.insert(slot, now_us);
        }
        let Some(shown) = shown_hot(unit, now_us) else {
            return Ok(());
        };
        self.checked += 1;
        let held = history.register.is_some_and(|eligible| eligible.session == shown);
        if !held && now_us > self.until_us(slot, shown, &history.limits) {
            let stopped = self.stopped.get(&shown).copied().unwrap_or(0);
            let ms = (now_us - stopped) / 1_000;
            let evidence = Evidence::HotUnserved { slot, session: shown, ms };
            return broken(Property::HotIsServed, evidence);
        }
        Ok(())
    }
}

impl Observer for HotIsServed {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match (fact.what, fact.slot()) {
            (What::RegisterWritten { was, now }, _) => {
                let session = |of: Option<Eligible>| of.map(|eligible| eligible.session);
                let stopped = session(was).filter(|held| session(now) != Some(*held));
                self.stopped.extend(stopped.map(|held| (held, fact.at_us)));
            }
            (What::Sent { message, number, .. }, Some(_)) if message.to != Address::Arbiter => {
                self.sent.insert(number, fact.at_us);
            }
            (What::Suspended { .. }, Some(slot)) => {
                self.late.insert(slot, fact.at_us);
            }
            (What::Took { input, packet: Some(packet) }, Some(slot)) => {
                if let Input::Message { message, .. } = input
                    && let Some(session) = message.session()
                {
                    self.hears(slot, session, packet, fact.at_us);
                }
            }
            (What::Stepped, Some(slot)) => {
                if let Some(unit) = history.unit(slot) {
                    return self.shows(slot, unit, history);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::HotIsServed, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::message::{HeldBy, Message, MessageKind as Kind, Redundancy};
    use skewsync::unit::{Role, Standby, Unit};

    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{Pair, SESSION, Stage, broken_property, eligible};
    use crate::plan::MessageId;

    const NUMBER: u64 = 7;

    fn id() -> MessageId {
        MessageId {
            from: Address::Unit(Slot(0)),
            to: Address::Unit(Slot(1)),
            kind: Kind::Keepalive,
            attempt: 1,
            ordinal: 1,
        }
    }

    struct Play {
        stage: Stage,
        oracle: HotIsServed,
        standby: Unit,
    }

    impl Play {
        /// The register held the session of a hot Standby until now.
        fn new() -> Self {
            let (mut stage, mut oracle) = (Stage::new(), HotIsServed::default());
            let mut standby = Pair::with_releases(["6.2", "6.2"], "", 1).standby;
            if let Role::Standby(Standby { seat: Some(seat), .. }) = &mut standby.part {
                seat.told = (1, HeldBy::Register, Redundancy::Sso);
            }
            stage.register(&mut oracle, Some(eligible(1))).unwrap();
            stage.does(&mut oracle, standby.clone(), &[]).unwrap();
            let unit = stage.history().unit(Slot(1)).expect("a unit");
            assert_eq!(shown_hot(unit, 0), Some(SESSION));
            stage.register(&mut oracle, None).unwrap();
            Self { stage, oracle, standby }
        }

        fn shows(&mut self, at_us: u64) -> Option<Property> {
            self.stage.at_us = at_us;
            let standby = self.standby.clone();
            broken_property(self.stage.does(&mut self.oracle, standby, &[]))
        }

        fn sends(&mut self, at_us: u64) {
            self.stage.at_us = at_us;
            let sent = Event::Sent { message: id(), number: NUMBER, fault: None };
            self.stage.show(&mut self.oracle, sent).unwrap();
        }

        fn hears(&mut self, at_us: u64) -> Option<Property> {
            self.stage.at_us = at_us;
            let alive = Message::Keepalive {
                session: SESSION,
                lsn: skewsync::ids::Lsn(1),
                digest: skewsync::digest::Digest::default(),
                mode: Redundancy::Sso,
                held: HeldBy::Register,
                counter: 1,
            };
            let (id, number) = (id(), NUMBER);
            let event = Event::Unit {
                slot: Slot(1),
                input: &Input::Message { from: id.from, message: alive },
                packet: Some(Delivered { message: id, number, copy: 0 }),
                outputs: &[],
                fates: &[],
                unit: &self.standby,
            };
            broken_property(self.stage.show(&mut self.oracle, event))
        }
    }

    fn watchdog_us() -> u64 {
        slowest_us(&Limits::DEFAULT, Limits::DEFAULT.watchdog_ms)
    }

    #[test]
    fn hot_shown_beyond_the_watchdog_without_a_register_breaks_it() {
        assert_eq!(Play::new().shows(watchdog_us()), None);
        assert_eq!(Play::new().shows(watchdog_us() + 1), Some(Property::HotIsServed));
    }

    #[test]
    fn hot_shown_in_a_session_that_the_register_never_held_breaks_it() {
        let (mut stage, oracle) = (Stage::new(), &mut HotIsServed::default());
        stage.at_us = watchdog_us() + 1;
        let standby = Play::new().standby;
        assert_eq!(broken_property(stage.does(oracle, standby, &[])), Some(Property::HotIsServed));
    }

    #[test]
    fn hot_shown_while_the_register_names_the_session_breaks_nothing() {
        let mut play = Play::new();
        let register = play.stage.register(&mut play.oracle, Some(eligible(1)));
        register.unwrap();
        assert_eq!(play.shows(10 * watchdog_us()), None);
    }

    #[test]
    fn a_message_that_was_long_on_its_way_begins_the_watchdog_anew() {
        let came_us = watchdog_us() - 1;
        let mut play = Play::new();
        play.sends(0);
        assert_eq!(play.hears(came_us), None);
        assert_eq!(play.shows(came_us + watchdog_us()), None);
        assert_eq!(play.shows(came_us + watchdog_us() + 1), Some(Property::HotIsServed));
    }

    #[test]
    fn a_message_that_was_sent_a_lease_after_the_register_counts_for_nothing() {
        let lease_us = slowest_us(&Limits::DEFAULT, Limits::DEFAULT.lease_ms);
        let mut play = Play::new();
        play.sends(lease_us + 1);
        assert_eq!(play.hears(lease_us + 2), None);
        assert_eq!(play.shows(watchdog_us() + 1), Some(Property::HotIsServed));
    }

    #[test]
    fn an_active_whose_lease_is_over_shows_nothing_that_counts() {
        let shows = |lease_end: u64| {
            let mut play = Play::new();
            play.stage.lease_end[0] = Some(lease_end);
            play.stage.at_us = watchdog_us() + 1;
            let active = Pair::with_releases(["6.2", "6.2"], "", 1).active;
            broken_property(play.stage.does(&mut play.oracle, active, &[]))
        };
        assert_eq!(shows(0), None);
        assert_eq!(shows(u64::MAX), Some(Property::HotIsServed));
    }
}
