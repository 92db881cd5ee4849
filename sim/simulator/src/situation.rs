//! Rare states of affairs that a campaign must have met. "0 failed" alone says nothing.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::Slot;
use skewsync::message::{Address, LeaveWhy, Message, Origin};
use skewsync::unit::{
    ArbiterEvent, ArbiterInput, Copies, Event as Told, Input, LocalWhy, Outcome, Refusal, Request,
};
use skewsync_model::property::Property;
use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr, VariantArray};

use crate::history::{Fact, History, What};
use crate::observe::Fate;

/// A state of affairs that a campaign must have met.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
    serde::Serialize,
    serde::Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Situation {
    /// A unit took over with the config that it held as a hot Standby.
    StatefulTakeover,
    /// A unit took over with a replica that had outlived its session, or its config of before.
    StaleTakeover,
    /// A unit took over with its startup store.
    ColdTakeover,
    /// A unit went on with the running config that it had kept.
    Resume,
    /// The pair became hot.
    Hot,
    /// The pair became hot with lines that the Standby does not hold.
    HotDegraded,
    /// A lease ran out before it was renewed.
    LeaseLapsed,
    /// Effects were dropped because the lease was over when the clock was read again.
    LateEffects,
    /// A unit died within a step, between two of its outputs.
    CutStep,
    /// A former Active met a newer one and stopped.
    Superseded,
    /// An offer was refused.
    Declined,
    /// A message of a session that was not the receiver's changed nothing.
    StaleMessage,
    /// A frame came to no machine, or did not decode.
    Undelivered,
    /// A session ended by the watchdog, a deadline or a limit, and another began.
    SecondAttempt,
    /// An acked command returned as replicated.
    Replicated,
    /// An acked command returned as local, because no Standby was hot.
    Local,
    /// A command's role was lost while it waited.
    UnknownOutcome,
    /// A command was refused by the parser.
    RefusedLine,
    /// A command was refused because the role had gone elsewhere.
    RefusedMoved,
    /// A planned switchover released the role.
    Released,
    /// A forced switchover handed the role over at once.
    Forced,
    /// A command waited in the queue of a planned switchover.
    Queued,
    /// A command waited because the Standby of a hot pair was a whole window behind.
    WindowFull,
    /// A Standby applied a line, or several at once.
    LineApplied,
    /// A planned switchover was refused or given up.
    SwitchoverRefused,
    /// A save wrote both startup stores.
    SavedBoth,
    /// A Standby began a counted reset.
    CountedReset,
    /// A Standby went to rpr.
    Degraded,
    /// A write to a disk failed.
    DiskFailed,
    /// A unit booted although a generation of its startup store did not read.
    StoreDamaged,
    /// A new Active's first event listed lines that it does not hold.
    ListedAtTakeover,
    /// A former Active found what was lost at the switchover.
    LostAtSwitchover,
    /// The arbiter passed over the unit that its register named.
    PassedOver,
    /// The arbiter started again while a lease ran.
    ArbiterRecovered,
    /// Two units changed places and back.
    ThereAndBack,
    /// Units did not reach each other or the arbiter, or did not run, for more than a minute; once
    /// a run.
    LongOutage,
    /// A payload came whole and did not decode.
    Unreadable,
    /// A pair came up in a lesser mode because something did not decode.
    DegradedUnread,
}

impl Situation {
    /// Its name, as reports write it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// The properties that it puts to the test.
    pub fn tests(self) -> impl Iterator<Item = Property> {
        Property::iter().filter(move |property| {
            witnesses(*property).is_ok_and(|witnesses| witnesses.contains(&self))
        })
    }
}

/// The situations in which a property of the protocol is put to the test.
///
/// # Errors
/// The reason why a simulated pair is in none.
pub const fn witnesses(property: Property) -> Result<&'static [Situation], &'static str> {
    use Situation::{
        ColdTakeover, CountedReset, Declined, Degraded, Forced, Hot, HotDegraded, LeaseLapsed,
        LineApplied, ListedAtTakeover, Local, LostAtSwitchover, Queued, RefusedLine, Released,
        Replicated, Resume, SavedBoth, StaleMessage, StaleTakeover, StatefulTakeover, Superseded,
        ThereAndBack, UnknownOutcome, Unreadable, WindowFull,
    };
    Ok(match property {
        Property::SingleActive => &[LeaseLapsed, Superseded],
        Property::NoSplitAck => &[Replicated, Local],
        Property::NoAckedLoss => &[Replicated, StatefulTakeover, Declined],
        Property::ReplicatedIsKept => &[Replicated, StaleTakeover, Resume],
        Property::PlannedLosesNothing => &[Released],
        Property::HotIsServed => &[Hot],
        Property::HotMeansEqual => &[Hot, HotDegraded, WindowFull],
        Property::Commutes | Property::NoForeignLine | Property::OrderOnce => &[LineApplied],
        Property::NoSilentDrop => &[HotDegraded],
        Property::ListedAtTakeover => &[ListedAtTakeover],
        Property::NoStale => &[StaleMessage, Superseded],
        Property::WholeOrStartup => &[StatefulTakeover, StaleTakeover, ColdTakeover, Resume],
        Property::RefusedLeavesNothing => &[RefusedLine],
        Property::NoZombie => &[LostAtSwitchover],
        Property::SavedSurvives => &[SavedBoth, ColdTakeover],
        Property::RoundTrip => &[ThereAndBack],
        Property::BoundedResets => &[CountedReset],
        Property::BoundedAttempts => &[Unreadable, Degraded],
        Property::Converges | Property::Honest => &[Hot, Degraded],
        Property::Answers => &[UnknownOutcome],
        Property::Available => &[StatefulTakeover, Forced],
        Property::OneRole => {
            return Err("a pair has one role; it is a property of N units behind one Standby");
        }
        Property::Bounded => &[Queued, WindowFull],
        Property::Lockstep => return Err("every step of every run puts it to the test"),
    })
}

/// Finds situations in what happens.
#[derive(Debug, Default)]
pub struct Watcher {
    actives: Vec<Slot>,
    sessions: BTreeMap<u64, u32>,
    outages: Outages,
    /// The step at hand is met as one of these already.
    within: Within,
}

/// What a step is met as once, however many of its effects are so.
#[derive(Debug, Default)]
struct Within {
    late: bool,
    cut: bool,
    /// What the unit took.
    takes: Takes,
    passed_over: bool,
}

/// What a unit takes that is a situation with what comes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Takes {
    /// Nothing such.
    #[default]
    Other,
    /// A command.
    Command,
    /// A forced switchover.
    Forced,
}

impl Watcher {
    /// The situations that this fact brings about.
    pub fn met(&mut self, fact: &Fact<'_>, history: &History) -> Vec<Situation> {
        let mut met = Vec::new();
        let around = matches!(fact.what, What::LeaseIs { .. });
        if !around && self.outages.lasts(fact.at_us, history) {
            met.push(Situation::LongOutage);
        }
        match fact.what {
            What::Started { .. } => self.within = Within::default(),
            What::Took { input, .. } => {
                let takes = match input {
                    Input::Command(_) => Takes::Command,
                    Input::Operator { request: Request::ForcedSwitchover, .. } => Takes::Forced,
                    _ => Takes::Other,
                };
                self.within = Within { takes, ..Within::default() };
            }
            What::Sends { message, fate, .. } => {
                met.extend(self.fares(fate));
                if matches!(message, Message::Applied { .. }) {
                    met.push(Situation::LineApplied);
                }
            }
            What::Answered { outcome, fate, .. } => {
                met.extend(self.fares(fate));
                if fate == Fate::Done {
                    met.extend(answered(outcome));
                }
                let forced = self.within.takes == Takes::Forced;
                if forced && matches!(outcome, Outcome::Released) {
                    self.within.takes = Takes::Other;
                    met.push(Situation::Forced);
                }
            }
            What::WriteBegan { fate, .. } | What::Wants { fate, .. } => {
                met.extend(self.fares(fate));
            }
            What::Says { event, fate } => {
                met.extend(self.fares(fate));
                if let Some(slot) = fact.slot() {
                    self.told(slot, event, &mut met);
                }
            }
            What::Stepped => met.extend(self.waits(fact, history)),
            What::ArbiterTook { input, .. } => {
                self.within = Within::default();
                if matches!(input, ArbiterInput::Recovered { .. }) {
                    met.push(Situation::ArbiterRecovered);
                }
            }
            What::ArbiterSays { event: ArbiterEvent::PassedOver(_) } => {
                let once = !std::mem::replace(&mut self.within.passed_over, true);
                met.extend(once.then_some(Situation::PassedOver));
            }
            What::Undelivered { .. } => met.push(Situation::Undelivered),
            _ => {}
        }
        met
    }

    /// What became of an effect.
    fn fares(&mut self, fate: Fate) -> Option<Situation> {
        let (met, situation) = match fate {
            Fate::Done => return None,
            Fate::Late | Fate::Unknown => (&mut self.within.late, Situation::LateEffects),
            Fate::Cut => (&mut self.within.cut, Situation::CutStep),
        };
        (!std::mem::replace(met, true)).then_some(situation)
    }

    /// What a command waits for.
    fn waits(&self, fact: &Fact<'_>, history: &History) -> Option<Situation> {
        let acting = fact.slot().and_then(|slot| history.acting_in(slot));
        let acting = acting.filter(|_| self.within.takes == Takes::Command)?;
        if acting.drains {
            return Some(Situation::Queued);
        }
        (!acting.queue.is_empty()).then_some(Situation::WindowFull)
    }

    fn told(&mut self, slot: Slot, event: &Told, met: &mut Vec<Situation>) {
        match event {
            Told::Acts { origin, listed, .. } => {
                met.push(match origin {
                    Origin::Stateful { .. } => Situation::StatefulTakeover,
                    Origin::Cold => Situation::ColdTakeover,
                    Origin::Resume => Situation::Resume,
                    Origin::Stale { .. } => Situation::StaleTakeover,
                });
                if !listed.is_empty() {
                    met.push(Situation::ListedAtTakeover);
                }
                if self.actives.last() != Some(&slot) {
                    self.actives.push(slot);
                }
                if self.actives.len() == 3 {
                    met.push(Situation::ThereAndBack);
                }
            }
            Told::Ignored { .. } => met.push(Situation::StaleMessage),
            Told::Lapsed { .. } => met.push(Situation::LeaseLapsed),
            Told::Superseded { .. } => met.push(Situation::Superseded),
            Told::SessionBegan(session) => {
                let attempts = self.sessions.entry(session.term.0).or_insert(0);
                *attempts += 1;
                if *attempts > 1 {
                    met.push(Situation::SecondAttempt);
                }
            }
            Told::SessionEnded { .. } | Told::FileConflict { .. } => {}
            Told::Reset { counted: true } => met.push(Situation::CountedReset),
            Told::Reset { counted: false } => {}
            Told::Degraded { why, .. } => {
                met.push(Situation::Degraded);
                if matches!(why, LeaveWhy::Unreadable) {
                    met.push(Situation::DegradedUnread);
                }
            }
            Told::Unreadable(_) => met.push(Situation::Unreadable),
            Told::Hot { listed: 0 } => met.push(Situation::Hot),
            Told::Hot { .. } => met.extend([Situation::Hot, Situation::HotDegraded]),
            Told::LostAtSwitchover { lines } => {
                if !lines.is_empty() {
                    met.push(Situation::LostAtSwitchover);
                }
            }
            Told::DiskFailed(_) | Told::TermUnwritten { .. } => met.push(Situation::DiskFailed),
            Told::Declined { .. } => met.push(Situation::Declined),
            Told::StoreDamaged => met.push(Situation::StoreDamaged),
            // A store whose checksum holds was written by a unit.
            Told::ListingUnread | Told::Discarded { .. } => {}
        }
    }
}

/// An outage is long beyond this.
const LONG_US: u64 = 60_000_000;
/// So often it is looked whether one lasts.
const LOOKS_US: u64 = 1_000_000;

/// What is out of order, and since when.
#[derive(Debug, Default)]
struct Outages {
    since: BTreeMap<Outage, u64>,
    looks_at: u64,
    told: bool,
}

/// What may be out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outage {
    /// Two places do not reach each other.
    Parted(Address, Address),
    /// A unit does not run, or is suspended.
    Stands(Slot),
    /// The arbiter does not run.
    NoArbiter,
}

impl Outages {
    /// Whether an outage came to be long. Once.
    fn lasts(&mut self, now_us: u64, history: &History) -> bool {
        if self.told || now_us < self.looks_at {
            return false;
        }
        self.looks_at = now_us + LOOKS_US;
        let parted = history.barred.iter().map(|(one, other)| {
            let (one, other) = (one.min(other), one.max(other));
            Outage::Parted(*one, *other)
        });
        let stands = history.slots().filter(|(_, unit)| unit.boot.is_none() || unit.suspended);
        let stands = stands.map(|(slot, _)| Outage::Stands(slot));
        let silent = history.arbiter.is_none().then_some(Outage::NoArbiter);
        let out: BTreeSet<Outage> = parted.chain(stands).chain(silent).collect();
        self.since.retain(|outage, _| out.contains(outage));
        for outage in out {
            self.since.entry(outage).or_insert(now_us);
        }
        self.told = self.since.values().any(|since| now_us - since > LONG_US);
        self.told
    }
}

fn answered(outcome: &Outcome) -> Option<Situation> {
    use skewsync::message::SaveResult;
    match outcome {
        Outcome::Done { place: Copies::Replicated, .. }
        | Outcome::Unchanged { place: Copies::Replicated } => Some(Situation::Replicated),
        Outcome::Done { place: Copies::Local(LocalWhy::NoHotStandby), .. } => {
            Some(Situation::Local)
        }
        Outcome::Done { .. } | Outcome::Unchanged { .. } | Outcome::Taken => None,
        Outcome::Unknown => Some(Situation::UnknownOutcome),
        Outcome::Released => Some(Situation::Released),
        Outcome::Saved { own: SaveResult::Ok, peer: Some(SaveResult::Ok) } => {
            Some(Situation::SavedBoth)
        }
        Outcome::Saved { .. } => None,
        Outcome::Refused(refusal) => match refusal {
            Refusal::Line(_) => Some(Situation::RefusedLine),
            Refusal::Moved => Some(Situation::RefusedMoved),
            Refusal::NotEligible | Refusal::DrainTimeout | Refusal::LeftHot => {
                Some(Situation::SwitchoverRefused)
            }
            Refusal::NotActive
            | Refusal::TooLarge
            | Refusal::QueueFull
            | Refusal::Policy { .. }
            | Refusal::Busy => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Arbiter;

    #[test]
    fn an_outage_is_long_once_it_lasted_a_minute_without_an_end() {
        let mut history = History { arbiter: Some(Arbiter::default()), ..History::default() };
        let mut outages = Outages::default();
        let mut looks = |second: u64, whole: bool| {
            let link = (Address::Unit(Slot(0)), Address::Arbiter);
            history.barred = (!whole).then_some(link).into_iter().collect();
            outages.lasts(second * 1_000_000, &history)
        };
        assert!(!looks(0, false) && !looks(59, false));
        // It ended, and another began.
        assert!(!looks(60, true) && !looks(61, false) && !looks(121, false));
        assert!(looks(122, false));
        assert!(!looks(123, false), "it is told once");
        history.barred.clear();
        history.arbiter = None;
        let mut outages = Outages::default();
        assert!(!outages.lasts(0, &history) && outages.lasts(61_000_000, &history));
    }

    #[test]
    fn every_property_of_the_protocol_has_its_situation_or_a_reason() {
        let protocol = include_str!("../../../impl/PROTOCOL.md");
        let (_, section) = protocol.split_once("## 8. What must hold").expect("section 8");
        let section = section.split("\n## ").next().unwrap_or(section);
        let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
        let named: Vec<&str> = rows
            .filter_map(|row| row.split(' ').next())
            .filter(|name| name.starts_with(char::is_uppercase))
            .collect();
        // The lockstep is no property of the protocol: it holds the engine against the model.
        let ours = Property::iter().filter(|property| *property != Property::Lockstep);
        let ours: Vec<&str> = ours.map(Into::into).collect();
        assert_eq!(ours, named);
    }
}
