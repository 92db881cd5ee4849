//! The oracles: one file per property, each an observer of the tap. They know the protocol's words,
//! not the engine's code paths. Each keeps its own record of what happened.

pub mod answers;
pub mod available;
pub mod bounded;
pub mod bounded_attempts;
pub mod bounded_resets;
pub mod checkpoints;
pub mod commutes;
pub mod honest;
pub mod hot_is_served;
pub mod hot_means_equal;
mod line_unknown;
pub mod listed_at_takeover;
pub mod listed_in_store;
pub mod lockstep;
pub mod no_acked_loss;
pub mod no_foreign_line;
pub mod no_silent_drop;
pub mod no_split_ack;
pub mod no_stale;
pub mod no_zombie;
pub mod order_once;
pub mod pair_agrees;
pub mod planned_loses_nothing;
pub mod reference;
pub mod refused_leaves_nothing;
pub mod replicated_is_kept;
pub mod round_trip;
pub mod saved_survives;
pub mod single_active;
#[cfg(test)]
pub(crate) mod testing;
pub mod whole_or_startup;

use std::sync::Arc;

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Address, Origin};
use skewsync::unit::{ArbiterInput, Copies, Event as Told, Outcome, Output};
use skewsync_model::property::Property;
use strum::IntoEnumIterator;

use crate::catalog::Catalog;
use crate::observe::{ClusterView, Event, Fate, Observer, Violation};
use crate::plan::Plan;
use crate::plan::anchor::MessageId;
use crate::run::{Lockstep, Options};

/// The properties that a run is held to: those of the oracles, the model's (`lockstep`), and that
/// the pair converges. A pair has one role.
pub fn properties() -> impl Iterator<Item = Property> {
    Property::iter().filter(|property| *property != Property::OneRole)
}

/// All oracles of a run.
pub fn all(plan: &Arc<Plan>, catalog: &Arc<Catalog>, options: Options) -> Vec<Box<dyn Observer>> {
    let checks: Vec<Box<dyn checkpoints::PairCheck>> = vec![
        Box::new(no_silent_drop::NoSilentDrop),
        Box::new(hot_means_equal::HotMeansEqual),
        Box::new(commutes::FromScratch),
        Box::new(listed_at_takeover::ListedAtTakeover),
        Box::<round_trip::RoundTrip>::default(),
    ];
    let mut oracles: Vec<Box<dyn Observer>> = vec![
        Box::new(single_active::SingleActive::default()),
        Box::new(no_split_ack::NoSplitAck::default()),
        Box::new(no_acked_loss::NoAckedLoss::default()),
        Box::new(replicated_is_kept::ReplicatedIsKept::default()),
        Box::new(planned_loses_nothing::PlannedLosesNothing::default()),
        Box::new(hot_is_served::HotIsServed::default()),
        Box::new(checkpoints::Points::new(Arc::clone(catalog), plan.world, checks)),
        Box::new(listed_at_takeover::LostAtSwitchover::default()),
        Box::new(listed_in_store::ListedInStore::new(Arc::clone(catalog))),
        Box::new(no_zombie::NoZombie::default()),
        Box::new(honest::Honest::new(Arc::clone(catalog))),
        Box::new(commutes::Commutes::default()),
        Box::new(pair_agrees::PairAgrees::default()),
        Box::new(no_foreign_line::NoForeignLine::default()),
        Box::new(order_once::OrderOnce::default()),
        Box::new(no_stale::NoStale::default()),
        Box::new(whole_or_startup::WholeOrStartup::default()),
        Box::new(refused_leaves_nothing::RefusedLeavesNothing::default()),
        Box::new(saved_survives::SavedSurvives::default()),
        Box::new(bounded_resets::BoundedResets::default()),
        Box::new(bounded_attempts::BoundedAttempts::default()),
        Box::new(answers::Answers::default()),
        Box::new(available::Available::default()),
        Box::new(bounded::Bounded::default()),
    ];
    if options.lockstep == Lockstep::On {
        oracles.push(Box::new(lockstep::Lockstep::default()));
    }
    oracles
}

/// A property that does not hold.
fn broken(property: Property, what: String) -> Result<(), Violation> {
    Err(Violation { property, what })
}

/// How a unit begins to act, in a word.
const fn begins(origin: &Origin) -> &'static str {
    match origin {
        Origin::Stateful { .. } => "statefully",
        Origin::Cold => "cold",
        Origin::Resume => "with what it held",
        Origin::Stale { .. } => "with a replica that outlived its session",
    }
}

/// The outputs that were performed in a unit's step.
fn performed<'a>(event: &Event<'a>) -> impl Iterator<Item = &'a Output> + use<'a> {
    let (outputs, fates): (&[Output], &[Fate]) = match *event {
        Event::Unit { outputs, fates, .. } | Event::Started { outputs, fates, .. } => {
            (outputs, fates)
        }
        _ => (&[], &[]),
    };
    outputs.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Done).map(|(output, _)| output)
}

/// What a unit told in its step, whatever became of its effects.
fn told<'a>(event: &Event<'a>) -> impl Iterator<Item = &'a Told> + use<'a> {
    let outputs: &[Output] = match *event {
        Event::Unit { outputs, .. } | Event::Started { outputs, .. } => outputs,
        _ => &[],
    };
    outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event),
        _ => None,
    })
}

/// The changes that were returned `replicated` in a unit's step.
fn replicated<'a>(event: &Event<'a>) -> impl Iterator<Item = (Term, Lsn)> + use<'a> {
    performed(event).filter_map(|output| match output {
        Output::Answer {
            outcome: Outcome::Done { term, lsn, place: Copies::Replicated, .. },
            ..
        } => Some((*term, *lsn)),
        _ => None,
    })
}

/// Whether the event is trouble that a bound in time must excuse.
fn is_trouble(event: &Event<'_>) -> bool {
    match event {
        Event::Sent { fault, .. } => fault.is_some(),
        Event::Fault { effect, .. } => *effect,
        Event::Undelivered { .. }
        | Event::Ended { .. }
        | Event::ArbiterEnded
        | Event::Started { .. }
        | Event::Paused { .. }
        | Event::FaultsStopped => true,
        Event::Arbiter { input, .. } => starts(input),
        Event::Unit { .. } | Event::Entered { .. } | Event::Written { .. } => false,
    }
}

/// Whether the arbiter starts again.
const fn starts(input: &ArbiterInput) -> bool {
    matches!(input, ArbiterInput::Recovered { .. } | ArbiterInput::StateLost { .. })
}

/// Whether the arbiter and the unit may not have reached each other because of this event, or in
/// this scene.
fn parts_from_arbiter(event: &Event<'_>, scene: &dyn ClusterView, slot: Slot) -> bool {
    let unit = Address::Unit(slot);
    let between = |sight: &MessageId| {
        let ends = (sight.from, sight.to);
        ends == (Address::Arbiter, unit) || ends == (unit, Address::Arbiter)
    };
    let passes = scene.passes(Address::Arbiter, unit) && scene.passes(unit, Address::Arbiter);
    !passes
        || scene.paused(slot)
        || match event {
            Event::Sent { sight, fault, .. } => fault.is_some() && between(sight),
            Event::Undelivered { sight, .. } => between(sight),
            Event::Ended { slot: of, .. }
            | Event::Started { slot: of, .. }
            | Event::Paused { slot: of, .. } => *of == slot,
            Event::ArbiterEnded => true,
            Event::Arbiter { input, .. } => starts(input),
            Event::Unit { .. }
            | Event::Entered { .. }
            | Event::Written { .. }
            | Event::Fault { .. }
            | Event::FaultsStopped => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{self, DrawOptions};

    #[test]
    fn every_oracle_checks_a_property_that_is_named_and_the_other_way_round() {
        let (catalog, _) = crate::catalog::load(&[]).expect("the bundled images");
        let plan = Arc::new(draw::plan(1, &DrawOptions::default()));
        let oracles = all(&plan, &Arc::new(catalog), Options::default());
        let checked = oracles.iter().flat_map(|oracle| oracle.checked());
        let mut found: Vec<Property> = checked.map(|(property, _)| property).collect();
        // The run itself judges that the pair converges.
        found.push(Property::Converges);
        found.sort_unstable();
        found.dedup();
        let named: Vec<Property> = properties().collect();
        assert_eq!(found, named);
    }
}
