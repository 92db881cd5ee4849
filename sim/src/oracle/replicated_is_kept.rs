//! ReplicatedIsKept: a change that was returned `replicated` is in the config of every later
//! Active, or listed, while one memory of it is left. A *memory* is what a unit could act with and
//! does not have from its startup store: its running config, or the replica of one. A unit's memory
//! is lost by a restart, when policy turns it away or an operator throws it away, while the unit is
//! out of the arbiter's reach for `takeover_wait`, and when its config leaves the line; a later
//! memory does not revive what was lost.
//!
//! It keeps its own record of where in history each unit's config stands, from what units take and
//! say. That a replica is gone from a unit's state is no loss here: it is what the property
//! forbids.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::digest::ImageDigest;

use skewsync::config::Config;
use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Address, Message, Origin, RejectWhy, Stamp};
use skewsync::unit::standby::Readiness;
use skewsync::unit::{
    Active, ArbiterEvent, ArbiterInput, ArbiterOutput, Event as Told, Holder, Input, Output, Role,
    Unit,
};
use skewsync_model::property::Property;

use super::hot_means_equal::lines;
use super::line_unknown::LineUnknown;
use super::{begins, broken, parts_from_arbiter, replicated, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// Lines of a change that are said.
const SAID: usize = 3;

/// See the module. A change is told by its stamp.
#[derive(Debug, Default)]
pub struct ReplicatedIsKept {
    /// Changes that were returned `replicated`, and of which a memory is left.
    owed: BTreeSet<Stamp>,
    history: History,
    units: [Memory; 2],
    /// Offers by term.
    offers: BTreeMap<Term, Offered>,
    line_unknown: LineUnknown,
    /// What was owed when the latest term was accepted by its unit.
    accepted: Option<Accepted>,
    /// With what each unit acted before its present step.
    before: [Option<(Stamp, Config)>; 2],
    /// What each change did.
    written: BTreeMap<Stamp, Written>,
    checked: u64,
}

/// Where configs stand in the role's history.
#[derive(Debug, Default)]
struct History {
    /// Of each term that a unit accepted, the config that it took up.
    parents: BTreeMap<Term, Stamp>,
    /// Where each term that counts came from; none: a startup store.
    line: BTreeMap<Term, Option<Lsn>>,
    /// The same of terms that nobody acted in yet: a new Active is judged by what was on the line
    /// before it.
    next: BTreeMap<Term, Option<Lsn>>,
    /// What was held in an earlier term an arbiter that lost its state has put off the line.
    floor: Term,
}

/// What a unit remembers.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// The place in history of its running config, or of its replica.
    stamp: Option<Stamp>,
    /// Since when the arbiter and it do not reach each other.
    parted_since: Option<u64>,
    /// Since when nothing is known to have been lost between the arbiter and it.
    well_since: u64,
    /// Whether it is out of reach for `takeover_wait`: what it remembers does not count.
    away: bool,
}

/// An Offer.
#[derive(Clone, Copy, Debug)]
struct Offered {
    /// Whether it is by a startup store.
    cold: bool,
    /// Whether the arbiter must have known what each unit remembers.
    knows: [bool; 2],
}

/// A term that its unit accepted, and the state of affairs just before.
#[derive(Clone, Debug)]
struct Accepted {
    term: Term,
    slot: Slot,
    owed: BTreeSet<Stamp>,
    /// What each unit remembered, as long as it does.
    remembered: [Option<Stamp>; 2],
}

/// What one change did.
#[derive(Clone, Debug)]
struct Written {
    image: ImageDigest,
    before: Config,
    after: Config,
}

impl Written {
    /// The lines that it set.
    fn lines(&self) -> BTreeSet<String> {
        let before = lines(&self.before);
        let after = lines(&self.after);
        after.difference(&before).cloned().collect()
    }
}

impl History {
    /// Whether the config of this stamp has the change in its past.
    fn holds(&self, mut config: Stamp, change: Stamp) -> bool {
        while config.term > change.term {
            match self.parents.get(&config.term) {
                Some(parent) if parent.term < config.term => config = *parent,
                Some(_) | None => return false,
            }
        }
        config.term == change.term && config.lsn >= change.lsn
    }

    /// Whether no later term was taken over from before this running config or replica.
    fn is_on_line(&self, stamp: Stamp) -> bool {
        let later = (std::ops::Bound::Excluded(stamp.term), std::ops::Bound::Unbounded);
        let mut later = self.line.range(later);
        stamp.term >= self.floor && later.all(|(_, from)| from.is_some_and(|lsn| lsn >= stamp.lsn))
    }
}

/// Whether a message makes the unit drop its replica.
fn turns_away(message: &Message, outputs: &[Output]) -> bool {
    match message {
        Message::Leave { why, .. } => {
            let left = |output: &Output| {
                matches!(output, Output::Send { message: Message::Left { .. }, .. })
            };
            !why.keeps_replica() && outputs.iter().any(left)
        }
        Message::BulkReject { why, .. } => *why == RejectWhy::Policy,
        _ => false,
    }
}

impl ReplicatedIsKept {
    fn unit_mut(&mut self, slot: Slot) -> &mut Memory {
        &mut self.units[usize::from(slot.0)]
    }

    /// The unit remembers nothing any more.
    fn forgets(&mut self, slot: Slot) {
        self.unit_mut(slot).stamp = None;
        if let Some(accepted) = &mut self.accepted {
            accepted.remembered[usize::from(slot.0)] = None;
        }
    }

    /// What of the record is lost by now.
    fn settle(&mut self) {
        for (memory, at) in self.units.iter_mut().zip(0..) {
            let off = memory.stamp.is_some_and(|stamp| !self.history.is_on_line(stamp));
            if off {
                memory.stamp = None;
            }
            if memory.away
                && let Some(accepted) = &mut self.accepted
            {
                accepted.remembered[at] = None;
            }
        }
        let (units, history) = (&self.units, &self.history);
        let left = |change: &Stamp| {
            let stamps = units.iter().filter(|memory| !memory.away);
            let mut stamps = stamps.filter_map(|memory| memory.stamp);
            stamps.any(|stamp| history.holds(stamp, *change))
        };
        self.owed.retain(left);
    }

    /// Looks at whom the arbiter reaches.
    fn reaches(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) {
        let wait_us = 1_000 * scene.limits().takeover_wait_ms;
        let mut changed = false;
        for slot in [Slot(0), Slot(1)] {
            let parts = parts_from_arbiter(&seen.event, scene, slot);
            let (unit, arbiter) = (Address::Unit(slot), Address::Arbiter);
            let passes = scene.passes(unit, arbiter) && scene.passes(arbiter, unit);
            let memory = self.unit_mut(slot);
            if parts {
                memory.well_since = seen.at_us;
            }
            let parted = !passes || scene.paused(slot);
            memory.parted_since = parted.then(|| memory.parted_since.unwrap_or(seen.at_us));
            let away = memory.parted_since.is_some_and(|since| seen.at_us - since > wait_us);
            changed |= away != memory.away;
            memory.away = away;
        }
        if changed {
            self.settle();
        }
    }

    fn arbiter(
        &mut self,
        input: &ArbiterInput,
        outputs: &[ArbiterOutput],
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
    ) {
        let events = || {
            outputs.iter().filter_map(|output| match output {
                ArbiterOutput::Event(event) => Some(event),
                ArbiterOutput::Send { .. }
                | ArbiterOutput::SetTimer(_)
                | ArbiterOutput::CancelTimer(_) => None,
            })
        };
        // Hellos that came without a loss for so long say what the unit remembers.
        let heard_us = 2_000 * scene.limits().takeover_wait_ms;
        for event in events() {
            match event {
                ArbiterEvent::Offered(offer) => {
                    let next = std::mem::take(&mut self.history.next);
                    self.history.line.extend(next);
                    self.settle();
                    let knows = self.units.map(|memory| seen.at_us - memory.well_since > heard_us);
                    let offered = Offered { cold: offer.origin == Origin::Cold, knows };
                    self.offers.insert(offer.term, offered);
                }
                ArbiterEvent::Accepted(holder) => {
                    let ArbiterInput::Message {
                        message: skewsync::message::ToArbiter::Renew { lsn, .. },
                        ..
                    } = input
                    else {
                        continue;
                    };
                    let cold = self.offers.get(&holder.term).is_some_and(|offer| offer.cold);
                    let from = (!cold).then_some(*lsn);
                    self.history.next.insert(holder.term, from);
                }
                ArbiterEvent::OffTheLine { .. }
                | ArbiterEvent::PassedOver(_)
                | ArbiterEvent::LeaseOver(_)
                | ArbiterEvent::Lost
                | ArbiterEvent::Older { .. }
                | ArbiterEvent::LineUnknown => {}
            }
        }
    }

    /// The unit took a term up: what it remembers from now on is what it will act with.
    fn accepts(&mut self, slot: Slot, unit: &Unit, holder: &Holder) {
        let remembered = self.units.map(|memory| memory.stamp.filter(|_| !memory.away));
        let own = self.units[usize::from(slot.0)].stamp;
        let taken_up = match holder.origin {
            Origin::Cold => Some(unit.own.store.stamp),
            Origin::Stateful { .. } | Origin::Resume | Origin::Stale { .. } => own,
        };
        let taken_up = taken_up.map(|stamp| Stamp { lsn: holder.lsn, ..stamp });
        self.accepted =
            Some(Accepted { term: holder.term, slot, owed: self.owed.clone(), remembered });
        self.history.parents.insert(holder.term, taken_up.unwrap_or_default());
    }

    /// Follows what the unit remembers.
    fn follow(&mut self, slot: Slot, unit: &Unit, input: Option<&Input>, outputs: &[Output]) {
        let before = self.units[usize::from(slot.0)].stamp;
        match &unit.part {
            Role::Active(active) => {
                let (term, lsn) = (active.term, active.last);
                self.unit_mut(slot).stamp = Some(Stamp { term, lsn });
            }
            Role::Holder(holder) => {
                if !self.history.parents.contains_key(&holder.term) {
                    self.accepts(slot, unit, holder);
                }
                let (term, lsn) = (holder.term, holder.lsn);
                self.unit_mut(slot).stamp = Some(Stamp { term, lsn });
            }
            Role::Standby(standby) => match &standby.replica {
                Some(replica) if replica.readiness == Readiness::Ready => {
                    let (term, lsn) = (replica.session.term, replica.applied);
                    self.unit_mut(slot).stamp = Some(Stamp { term, lsn });
                }
                // What it knows to differ is not to be chosen.
                Some(_) => self.forgets(slot),
                None => {}
            },
        }
        if let Some(Input::Message { message, .. }) = input
            && turns_away(message, outputs)
        {
            self.forgets(slot);
        }
        if self.units[usize::from(slot.0)].stamp != before {
            self.settle();
        }
    }

    /// Keeps what a change does.
    fn write(&mut self, active: &Active, before: Option<&(Stamp, Config)>, image: ImageDigest) {
        let (term, lsn) = (active.term, active.last);
        if let Some((was, config)) = before
            && was.term == term
            && was.lsn.0 + 1 == lsn.0
        {
            let written =
                Written { image, before: config.clone(), after: active.config.config().clone() };
            self.written.insert(Stamp { term, lsn }, written);
        }
    }

    /// The unit begins to act: it holds what was owed when it accepted its term, or nobody
    /// remembers it.
    fn acts(
        &mut self,
        slot: Slot,
        (stamp, origin, listed): (Stamp, &Origin, &BTreeSet<String>),
        active: &Active,
        image: ImageDigest,
    ) -> Result<(), Violation> {
        let accepted = self.accepted.take().filter(|of| of.term == stamp.term);
        let Some(Accepted { slot: by, owed, remembered, .. }) = accepted else {
            return Ok(());
        };
        assert_eq!(by, slot, "a term is its unit's");
        if self.line_unknown.excuses(slot) {
            return Ok(());
        }
        let offered = self.offers.get(&stamp.term);
        let knows = offered.map_or([false; 2], |offered| offered.knows);
        for change in owed {
            self.checked += 1;
            if self.history.holds(stamp, change) {
                self.has_lines(slot, change, (stamp, listed), active, image)?;
                continue;
            }
            // Who accepts knows what it remembers itself; of the other one the arbiter must have
            // heard.
            let who = [slot, Slot(1 - slot.0)].into_iter().find(|of| {
                let at = usize::from(of.0);
                let remembers = remembered[at].is_some_and(|one| self.history.holds(one, change));
                remembers && (*of == slot || knows[at])
            });
            if let Some(who) = who {
                let Stamp { term, lsn } = change;
                let mut what = format!(
                    "LSN {lsn} of term {term} was returned replicated, and slot {who} remembered \
                     it when slot {slot} \
                     took over; slot {slot} acts {} from LSN {} without it",
                    begins(origin),
                    stamp.lsn
                );
                if let Some(written) = self.written.get(&change) {
                    let lines: Vec<String> = written.lines().into_iter().take(SAID).collect();
                    what += &format!(": `{}`", lines.join("`, `"));
                }
                return broken(Property::ReplicatedIsKept, what);
            }
        }
        Ok(())
    }

    /// A change that is the last one of what was taken over is there by its lines, too, if they are
    /// written alike.
    fn has_lines(
        &self,
        slot: Slot,
        change: Stamp,
        (stamp, listed): (Stamp, &BTreeSet<String>),
        active: &Active,
        image: ImageDigest,
    ) -> Result<(), Violation> {
        let parent = self.history.parents.get(&stamp.term);
        let Some(written) = self.written.get(&change).filter(|of| of.image == image) else {
            return Ok(());
        };
        if parent != Some(&change) || active.last != stamp.lsn {
            return Ok(());
        }
        let held = lines(active.config.config());
        let gone =
            written.lines().into_iter().find(|line| !held.contains(line) && !listed.contains(line));
        match gone {
            Some(line) => {
                let Stamp { term, lsn } = change;
                broken(
                    Property::ReplicatedIsKept,
                    format!(
                        "slot {slot} took LSN {lsn} of term {term} over, and its line `{line}` is \
                         gone unlisted"
                    ),
                )
            }
            None => Ok(()),
        }
    }
}

impl Observer for ReplicatedIsKept {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        self.reaches(seen, scene);
        self.line_unknown.see(&seen.event, scene);
        match seen.event {
            Event::Arbiter { input, outputs, arbiter, .. } => {
                self.history.floor = self.history.floor.max(arbiter.floor);
                self.arbiter(input, outputs, seen, scene);
            }
            Event::Ended { slot, .. } => {
                self.forgets(slot);
                self.before[usize::from(slot.0)] = None;
                self.settle();
            }
            Event::Started { slot, unit, outputs, .. } => self.follow(slot, unit, None, outputs),
            Event::Unit { slot, unit, input, outputs, .. } => {
                let image = scene.image(slot).0;
                let before = self.before[usize::from(slot.0)].take();
                if let Role::Active(active) = &unit.part {
                    self.write(active, before.as_ref(), image);
                    let (term, lsn) = (active.term, active.last);
                    let now = (Stamp { term, lsn }, active.config.config().clone());
                    self.before[usize::from(slot.0)] = Some(now);
                    for event in told(&seen.event) {
                        let Told::Acts { stamp, origin, listed, .. } = event else {
                            continue;
                        };
                        let listed = listed.iter().map(|line| line.to_string()).collect();
                        self.acts(slot, (*stamp, origin, &listed), active, image)?;
                        let next = std::mem::take(&mut self.history.next);
                        self.history.line.extend(next);
                        self.settle();
                    }
                }
                self.follow(slot, unit, Some(input), outputs);
                let new = replicated(&seen.event).map(|(term, lsn)| Stamp { term, lsn });
                self.owed.extend(new);
            }
            Event::Sent { .. }
            | Event::Undelivered { .. }
            | Event::Entered { .. }
            | Event::ArbiterEnded
            | Event::Written { .. }
            | Event::Paused { .. }
            | Event::Fault { .. }
            | Event::FaultsStopped => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::ReplicatedIsKept, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::BootId;
    use skewsync::message::{LeaveWhy, ToArbiter, Verdict};
    use skewsync::unit::arbiter::{Lease, LeaseHolder as Granted, Offer};
    use skewsync::unit::{Copies, Outcome};

    use super::*;
    use crate::oracle::testing::{
        Pair, SESSION, Stage, active, acts, answer, broken_property, holder, idle, stamp, stateful,
    };

    /// Long enough for the arbiter to have heard everybody.
    const LATER_US: u64 = 20_000_000;

    /// A pair in which LSN 5 of term 1 was returned `replicated`; slot 0 is the Active.
    struct Play {
        stage: Stage,
        oracle: ReplicatedIsKept,
    }

    impl Play {
        fn new() -> Self {
            let (stage, oracle) = (Stage::new(), ReplicatedIsKept::default());
            let mut play = Self { stage, oracle };
            play.takes_up(0, 1, Origin::Cold, 0);
            let mut pair = Pair::of(["6.2", "6.2"], "hostname r1\n", 5);
            let Pair { active: five, standby } = Pair::of(["6.2", "6.2"], "hostname r1\n", 5);
            let four = active(Slot(0), 1, 4, "6.2", "");
            play.does(four, &[acts(stamp(1, 0), Origin::Cold, &[])]);
            pair.acting().last = Lsn(5);
            play.does(five, &[]);
            play.does(standby, &[]);
            let (term, lsn, place) = (Term(1), Lsn(5), Copies::Replicated);
            let done = Outcome::Done { term, lsn, place, listed: Vec::new() };
            play.does(pair.active, &[answer(1, done)]);
            play.stage.at_us += LATER_US;
            play
        }

        fn does(&mut self, unit: Unit, outputs: &[Output]) {
            self.stage.does(&mut self.oracle, unit, outputs).unwrap();
        }

        fn hears(&mut self, message: Message, outputs: &[Output]) {
            let unit = idle(Slot(1), "6.2");
            let heard = self.stage.hears(&mut self.oracle, unit, message, outputs);
            heard.unwrap();
        }

        fn ends(&mut self, slot: u8) {
            let (slot, boot) = (Slot(slot), BootId(1));
            let ended = Event::Ended { slot, boot, lost: 0 };
            self.stage.show(&mut self.oracle, ended).unwrap();
        }

        /// The arbiter offers a term to a unit, which accepts it.
        fn takes_up(&mut self, slot: u8, term: u64, origin: Origin, lsn: u64) {
            let (slot, term, boot) = (Slot(slot), Term(term), BootId(1));
            let offer = Offer { term, slot, boot, origin, bound: None, hello: 0, held: Term(0) };
            let offered = [ArbiterEvent::Offered(offer)];
            let (stage, oracle) = (&mut self.stage, &mut self.oracle);
            stage.arbiter_says(oracle, None, None, &offered).unwrap();
            stage.does(oracle, holder(slot, term.0, origin, lsn), &[]).unwrap();
            let renew = ToArbiter::Renew { generation: 0, boot, term, n: 1, lsn: Lsn(lsn) };
            let lease = Lease::Running;
            let accepted = [ArbiterEvent::Accepted(Granted { slot, boot, term, lease })];
            let heard = Some((slot, renew));
            stage.arbiter_says(oracle, None, heard, &accepted).unwrap();
        }

        /// A unit acts in a term that it took up.
        fn acts(
            &mut self,
            slot: u8,
            term: u64,
            origin: Origin,
            lsn: u64,
            text: &str,
        ) -> Option<Property> {
            let says = [acts(stamp(term, lsn), origin, &[])];
            let unit = active(Slot(slot), term, lsn, "6.2", text);
            broken_property(self.stage.does(&mut self.oracle, unit, &says))
        }

        /// Slot 1 takes term 2 up from its startup store, and acts.
        fn boots_its_store(&mut self) -> Option<Property> {
            self.takes_up(1, 2, Origin::Cold, 0);
            self.acts(1, 2, Origin::Cold, 0, "")
        }
    }

    fn leave(why: LeaveWhy) -> (Message, [Output; 1]) {
        let session = SESSION;
        let left = Output::Send { to: Address::Unit(Slot(0)), message: Message::Left { session } };
        (Message::Leave { session, why }, [left])
    }

    #[test]
    fn a_store_that_is_booted_over_a_replica_breaks_it() {
        let mut play = Play::new();
        let (gives_up, left) = leave(LeaveWhy::AckTimeout);
        play.hears(gives_up, &left);
        play.ends(0);
        assert_eq!(play.boots_its_store(), Some(Property::ReplicatedIsKept));
    }

    #[test]
    fn a_successor_that_has_it_breaks_nothing() {
        let mut play = Play::new();
        play.ends(0);
        play.takes_up(1, 2, stateful(5), 5);
        let text = "hostname r1\n";
        assert_eq!(play.acts(1, 2, stateful(5), 5, text), None);
        // What it holds it has from term 1, and so has who goes on from there.
        play.takes_up(1, 3, Origin::Resume, 5);
        assert_eq!(play.acts(1, 3, Origin::Resume, 5, text), None);
        assert!(play.oracle.checked() >= vec![(Property::ReplicatedIsKept, 2)]);
    }

    #[test]
    fn a_successor_without_its_lines_breaks_it_whatever_its_stamp() {
        let mut play = Play::new();
        play.ends(0);
        play.takes_up(1, 2, stateful(5), 5);
        assert_eq!(play.acts(1, 2, stateful(5), 5, ""), Some(Property::ReplicatedIsKept));
    }

    #[test]
    fn nothing_is_owed_once_both_units_restarted() {
        let mut play = Play::new();
        play.ends(1);
        play.ends(0);
        assert_eq!(play.boots_its_store(), None);
    }

    #[test]
    fn what_policy_turned_away_is_not_owed() {
        for why in [LeaveWhy::PrcMismatch, LeaveWhy::Degrade, LeaveWhy::Operator] {
            let mut play = Play::new();
            let (turned_away, left) = leave(why);
            play.hears(turned_away, &left);
            play.ends(0);
            assert_eq!(play.boots_its_store(), None, "{why:?}");
        }
        let rejected =
            |why| Message::BulkReject { session: SESSION, lsn: Lsn(5), verdict: Verdict::Rpr, why };
        // A limit turns nothing away.
        let cases =
            [(RejectWhy::Policy, None), (RejectWhy::Limit, Some(Property::ReplicatedIsKept))];
        for (why, found) in cases {
            let mut play = Play::new();
            play.hears(rejected(why), &[]);
            play.ends(0);
            assert_eq!(play.boots_its_store(), found, "{why:?}");
        }
    }

    #[test]
    fn a_memory_out_of_reach_is_lost_and_a_later_one_revives_nothing() {
        let away = |for_ms: u64| {
            let mut play = Play::new();
            play.ends(0);
            play.stage.whole = false;
            play.does(idle(Slot(1), "6.2"), &[]);
            play.stage.at_us += for_ms * 1_000;
            play.does(idle(Slot(1), "6.2"), &[]);
            play.stage.whole = true;
            let again = Pair::of(["6.2", "6.2"], "hostname r1\n", 5).standby;
            play.does(again, &[]);
            play.does(idle(Slot(1), "6.2"), &[]);
            play.boots_its_store()
        };
        let wait_ms = skewsync::unit::Limits::DEFAULT.takeover_wait_ms;
        assert_eq!(away(wait_ms + 1), None);
        assert_eq!(away(wait_ms - 1), Some(Property::ReplicatedIsKept));
    }

    /// Slot 1 boots its store though slot 0, which lost its lease, is there.
    fn passes_over_the_former_active(heard: bool) -> Option<Property> {
        let mut play = Play::new();
        play.ends(1);
        play.does(holder(Slot(0), 1, Origin::Resume, 5), &[]);
        if !heard {
            play.stage.whole = false;
            play.does(holder(Slot(0), 1, Origin::Resume, 5), &[]);
            play.stage.whole = true;
        }
        play.boots_its_store()
    }

    #[test]
    fn the_arbiter_must_have_heard_of_what_another_unit_remembers() {
        assert_eq!(passes_over_the_former_active(true), Some(Property::ReplicatedIsKept));
        assert_eq!(passes_over_the_former_active(false), None);
    }

    #[test]
    fn a_config_that_left_the_line_is_no_memory() {
        let mut play = Play::new();
        // It went on by itself, and the successor goes on without that change.
        play.does(holder(Slot(0), 1, Origin::Resume, 6), &[]);
        play.takes_up(1, 2, stateful(5), 5);
        play.ends(1);
        play.takes_up(0, 3, Origin::Cold, 0);
        assert_eq!(play.acts(0, 3, Origin::Cold, 0, ""), None);
    }
}
