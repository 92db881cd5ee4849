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
use skewsync::message::{Address, Message, Origin, RejectWhy, Stamp, ToArbiter};
use skewsync::unit::{ArbiterEvent, ArbiterInput, Copies, Event as Told, Input, Outcome};
use skewsync_model::property::Property;

use super::broken;
use super::hot_means_equal::lines;
use crate::history::{Acting, Fact, History, Holding, Machine, Observer, Role, What};
use crate::observe::{Evidence, Fate, Violation};

/// Lines of a change that are said.
const SAID: usize = 3;

/// See the module. A change is told by its stamp.
#[derive(Debug, Default)]
pub struct ReplicatedIsKept {
    /// Changes that were returned `replicated`, and of which a memory is left.
    owed: BTreeSet<Stamp>,
    ancestry: Ancestry,
    units: BTreeMap<Slot, Memory>,
    /// Offers by term.
    offers: BTreeMap<Term, Offered>,
    /// What was owed when the latest term was accepted by its unit.
    accepted: Option<Accepted>,
    /// What each change did.
    written: BTreeMap<Stamp, Written>,
    step: Step,
    /// The LSN in the Renew that the arbiter takes, if it takes one.
    renewed: Option<Lsn>,
    /// Whether a unit was out of the arbiter's reach then.
    parted: bool,
    /// The event at which it was last looked at whom the arbiter reaches.
    event: u64,
    checked: u64,
}

/// Where configs stand in the role's history.
#[derive(Debug, Default)]
struct Ancestry {
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
    /// Whether it is out of reach for `takeover_wait`: what it remembers does not count.
    away: bool,
}

/// An Offer.
#[derive(Clone, Debug)]
struct Offered {
    /// Whether it is by a startup store.
    cold: bool,
    /// The units of which the arbiter must have known what they remember.
    knows: BTreeSet<Slot>,
}

/// A term that its unit accepted, and the state of affairs just before.
#[derive(Clone, Debug)]
struct Accepted {
    term: Term,
    slot: Slot,
    owed: BTreeSet<Stamp>,
    /// What each unit remembered, as long as it does.
    remembered: BTreeMap<Slot, Stamp>,
}

/// What one change did.
#[derive(Clone, Debug)]
struct Written {
    image: ImageDigest,
    before: Config,
    after: Config,
}

/// The step of a unit that is told.
#[derive(Debug, Default)]
struct Step {
    /// With what the unit acted before it.
    before: Option<(Stamp, Config)>,
    /// It takes a Leave that keeps no replica.
    leaves: bool,
    /// It makes the unit drop its replica.
    turns_away: bool,
    /// What it returns `replicated`.
    returned: BTreeSet<Stamp>,
}

/// A unit begins to act.
struct Begins<'a> {
    slot: Slot,
    stamp: Stamp,
    origin: &'a Origin,
    listed: BTreeSet<String>,
    acting: &'a Acting,
    image: ImageDigest,
}

impl Written {
    /// The lines that it set.
    fn lines(&self) -> BTreeSet<String> {
        let before = lines(&self.before);
        let after = lines(&self.after);
        after.difference(&before).cloned().collect()
    }
}

impl Ancestry {
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

    /// What the arbiter has put off the line.
    fn put_off(&mut self, history: &History) {
        if let Some(arbiter) = &history.arbiter {
            self.floor = self.floor.max(arbiter.floor);
        }
    }

    /// What was next is on the line.
    fn go_on(&mut self) {
        self.line.append(&mut self.next);
    }
}

impl Step {
    fn from_input(input: &Input, acting: Option<&Acting>) -> Self {
        let message = match input {
            Input::Message { message, .. } => Some(message),
            _ => None,
        };
        Self {
            before: acting.map(|acting| (acting.stamp(), acting.config.clone())),
            leaves: matches!(message, Some(Message::Leave { why, .. }) if !why.keeps_replica()),
            turns_away: matches!(message, Some(Message::BulkReject { why: RejectWhy::Policy, .. })),
            returned: BTreeSet::new(),
        }
    }
}

impl ReplicatedIsKept {
    fn unit_mut(&mut self, slot: Slot) -> &mut Memory {
        self.units.entry(slot).or_default()
    }

    /// The unit remembers nothing any more.
    fn forgets(&mut self, slot: Slot) {
        self.unit_mut(slot).stamp = None;
        if let Some(accepted) = &mut self.accepted {
            accepted.remembered.remove(&slot);
        }
    }

    /// What of the record is lost by now.
    fn settle(&mut self) {
        let ancestry = &self.ancestry;
        for (slot, memory) in &mut self.units {
            memory.stamp = memory.stamp.filter(|stamp| ancestry.is_on_line(*stamp));
            if memory.away
                && let Some(accepted) = &mut self.accepted
            {
                accepted.remembered.remove(slot);
            }
        }
        let left = |change: &Stamp| {
            let stamps = self.units.values().filter(|memory| !memory.away);
            let mut stamps = stamps.filter_map(|memory| memory.stamp);
            stamps.any(|stamp| ancestry.holds(stamp, *change))
        };
        self.owed.retain(left);
    }

    /// Looks at whom the arbiter reaches.
    fn reaches(&mut self, history: &History) {
        let parts = !history.whole() || history.units.iter().any(|unit| unit.suspended);
        if !(parts || self.parted) {
            return;
        }
        self.parted = parts;
        let (now_us, wait_us) = (history.now_us, 1_000 * history.limits.takeover_wait_ms);
        let mut changed = false;
        for (slot, unit) in history.slots() {
            let connects = history.connects(Address::Unit(slot), Address::Arbiter);
            let parted = !connects || unit.suspended;
            let memory = self.unit_mut(slot);
            memory.parted_since = parted.then(|| memory.parted_since.unwrap_or(now_us));
            let away = memory.parted_since.is_some_and(|since| now_us - since > wait_us);
            changed |= away != memory.away;
            memory.away = away;
        }
        if changed {
            self.settle();
        }
    }

    /// Something happened at the arbiter, or at no unit.
    fn follow_arbiter(&mut self, what: What<'_>, history: &History) {
        match what {
            What::ArbiterTook { input, .. } => {
                self.renewed = match input {
                    ArbiterInput::Message { message: ToArbiter::Renew { lsn, .. }, .. } => {
                        Some(*lsn)
                    }
                    _ => None,
                };
            }
            What::ArbiterSays { event: ArbiterEvent::Offered(offer) } => {
                self.ancestry.put_off(history);
                self.ancestry.go_on();
                self.settle();
                // Hellos that came without a loss for so long say what the unit remembers.
                let heard_us = 2_000 * history.limits.takeover_wait_ms;
                let slots = history.slots().map(|(slot, _)| slot);
                let knows = slots.filter(|slot| history.in_reach_us(*slot) > heard_us).collect();
                let offered = Offered { cold: offer.origin == Origin::Cold, knows };
                self.offers.insert(offer.term, offered);
            }
            What::ArbiterSays { event: ArbiterEvent::Accepted(holder) } => {
                if let Some(lsn) = self.renewed {
                    let cold = self.offers.get(&holder.term).is_some_and(|offer| offer.cold);
                    self.ancestry.next.insert(holder.term, (!cold).then_some(lsn));
                }
            }
            What::ArbiterStepped => self.ancestry.put_off(history),
            _ => {}
        }
    }

    /// Something happened at a unit.
    fn follow_unit(
        &mut self,
        slot: Slot,
        what: What<'_>,
        history: &History,
    ) -> Result<(), Violation> {
        let Some(unit) = history.unit(slot) else {
            return Ok(());
        };
        match (what, &unit.machine) {
            (What::Ended { .. }, _) => {
                self.forgets(slot);
                self.settle();
            }
            (What::Took { input, .. }, _) => self.step = Step::from_input(input, unit.acting()),
            (What::Executed { .. }, _) => {
                if let Some(acting) = unit.acting() {
                    self.write(acting, unit.image.digest);
                }
            }
            (What::Sends { message: Message::Left { .. }, .. }, _) => {
                self.step.turns_away |= self.step.leaves;
            }
            (
                What::Answered {
                    outcome: Outcome::Done { term, lsn, place: Copies::Replicated, .. },
                    fate: Fate::Done,
                    ..
                },
                _,
            ) => {
                self.step.returned.insert(Stamp { term: *term, lsn: *lsn });
            }
            (What::Says { event: Told::Acts { stamp, origin, listed, .. }, .. }, _) => {
                if let Some(acting) = unit.acting() {
                    let (stamp, image) = (*stamp, unit.image.digest);
                    let listed = listed.iter().map(|line| line.to_string()).collect();
                    let begun = Begins { slot, stamp, origin, listed, acting, image };
                    self.acts(&begun, history)?;
                    self.ancestry.go_on();
                    self.settle();
                }
            }
            (What::Stepped, Some(machine)) => {
                self.follow(slot, machine);
                self.owed.append(&mut self.step.returned);
            }
            _ => {}
        }
        Ok(())
    }

    /// The unit took a term up: what it remembers from now on is what it will act with.
    fn accepts(&mut self, slot: Slot, store: Stamp, holding: &Holding) {
        let remembers = |(slot, memory): (&Slot, &Memory)| {
            let stamp = memory.stamp.filter(|_| !memory.away);
            stamp.map(|stamp| (*slot, stamp))
        };
        let remembered = self.units.iter().filter_map(remembers).collect();
        let taken_up = match holding.origin {
            Origin::Cold => Some(store),
            Origin::Stateful { .. } | Origin::Resume | Origin::Stale { .. } => {
                self.unit_mut(slot).stamp
            }
        };
        let taken_up = taken_up.map(|stamp| Stamp { lsn: holding.lsn, ..stamp });
        let (term, owed) = (holding.term, self.owed.clone());
        self.accepted = Some(Accepted { term, slot, owed, remembered });
        self.ancestry.parents.insert(term, taken_up.unwrap_or_default());
    }

    /// Follows what the unit remembers.
    fn follow(&mut self, slot: Slot, machine: &Machine) {
        let before = self.unit_mut(slot).stamp;
        match &machine.role {
            Role::Active(acting) => self.unit_mut(slot).stamp = Some(acting.stamp()),
            Role::Holder(holding) => {
                let (term, lsn) = (holding.term, holding.lsn);
                if !self.ancestry.parents.contains_key(&term) {
                    self.accepts(slot, machine.store.stamp, holding);
                }
                self.unit_mut(slot).stamp = Some(Stamp { term, lsn });
            }
            Role::Standby(waiting) => match &waiting.replica {
                Some(replica) if replica.ready => {
                    self.unit_mut(slot).stamp = Some(replica.stamp());
                }
                // What it knows to differ is not to be chosen.
                Some(_) => self.forgets(slot),
                None => {}
            },
        }
        if self.step.turns_away {
            self.forgets(slot);
        }
        if self.unit_mut(slot).stamp != before {
            self.settle();
        }
    }

    /// Keeps what a change does, if it is the only one of its step.
    fn write(&mut self, acting: &Acting, image: ImageDigest) {
        let stamp = acting.stamp();
        if let Some((was, before)) = &self.step.before
            && was.term == stamp.term
            && was.lsn.0 + 1 == stamp.lsn.0
        {
            let (before, after) = (before.clone(), acting.config.clone());
            self.written.insert(stamp, Written { image, before, after });
        }
    }

    /// The unit begins to act: it holds what was owed when it accepted its term, or nobody
    /// remembers it.
    fn acts(&mut self, begun: &Begins<'_>, history: &History) -> Result<(), Violation> {
        let (slot, stamp) = (begun.slot, begun.stamp);
        let accepted = self.accepted.take().filter(|of| of.term == stamp.term);
        let Some(Accepted { slot: by, owed, remembered, .. }) = accepted else {
            return Ok(());
        };
        assert_eq!(by, slot, "a term is its unit's");
        if history.line.excuses(slot) {
            return Ok(());
        }
        let offered = self.offers.get(&stamp.term);
        // Who accepts knows what it remembers itself; of another one the arbiter must have heard.
        let known =
            |of: &Slot| *of == slot || offered.is_some_and(|offered| offered.knows.contains(of));
        for change in owed {
            self.checked += 1;
            if self.ancestry.holds(stamp, change) {
                self.has_lines(change, begun)?;
                continue;
            }
            let remembers =
                |of: &Slot| remembered.get(of).is_some_and(|one| self.ancestry.holds(*one, change));
            let others = history.others(slot).map(|(other, _)| other);
            let mut all = std::iter::once(slot).chain(others);
            if let Some(who) = all.find(|of| remembers(of) && known(of)) {
                let evidence = self.gone(change, who, begun);
                return broken(Property::ReplicatedIsKept, evidence);
            }
        }
        Ok(())
    }

    /// What is to be said of a change that is gone though another one remembered it.
    fn gone(&self, change: Stamp, rememberer: Slot, begun: &Begins<'_>) -> Evidence {
        let written = self.written.get(&change);
        let lines = written.map(|written| written.lines().into_iter().take(SAID).collect());
        let (slot, origin, from) = (begun.slot, *begun.origin, begun.stamp);
        Evidence::ReplicatedGone { change, rememberer, slot, origin, from, lines }
    }

    /// A change that is the last one of what was taken over is there by its lines, too, if they are
    /// written alike.
    fn has_lines(&self, change: Stamp, begun: &Begins<'_>) -> Result<(), Violation> {
        let Begins { slot, stamp, listed, acting, image, .. } = begun;
        let parent = self.ancestry.parents.get(&stamp.term);
        let Some(written) = self.written.get(&change).filter(|of| of.image == *image) else {
            return Ok(());
        };
        if parent != Some(&change) || acting.last != stamp.lsn {
            return Ok(());
        }
        let held = lines(&acting.config);
        let gone =
            written.lines().into_iter().find(|line| !held.contains(line) && !listed.contains(line));
        match gone {
            Some(line) => {
                let evidence = Evidence::ReplicatedLineGone { change, slot: *slot, line };
                broken(Property::ReplicatedIsKept, evidence)
            }
            None => Ok(()),
        }
    }
}

impl Observer for ReplicatedIsKept {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        if std::mem::replace(&mut self.event, fact.event) != fact.event {
            self.reaches(history);
        }
        match fact.slot() {
            Some(slot) => self.follow_unit(slot, fact.what, history),
            None => {
                self.follow_arbiter(fact.what, history);
                Ok(())
            }
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::ReplicatedIsKept, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::BootId;
    use skewsync::message::{LeaveWhy, Verdict};
    use skewsync::unit::arbiter::{Lease, LeaseHolder as Granted, Offer};
    use skewsync::unit::{Output, Unit};

    use super::*;
    use crate::observe::Event;
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
            let pair = Pair::with_releases(["6.2", "6.2"], "hostname r1\n", 5);
            let Pair { active: five, standby } =
                Pair::with_releases(["6.2", "6.2"], "hostname r1\n", 5);
            let four = active(Slot(0), 1, 4, "6.2", "");
            play.does(four, &[acts(stamp(1, 0), Origin::Cold, &[])]);
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
            play.stage.part();
            play.does(idle(Slot(1), "6.2"), &[]);
            play.stage.at_us += for_ms * 1_000;
            play.does(idle(Slot(1), "6.2"), &[]);
            play.stage.barred.clear();
            let again = Pair::with_releases(["6.2", "6.2"], "hostname r1\n", 5).standby;
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
            play.stage.part();
            play.does(holder(Slot(0), 1, Origin::Resume, 5), &[]);
            play.stage.barred.clear();
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
