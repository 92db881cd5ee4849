//! The oracles: one file per property, each an observer of facts and of the history that folds
//! them. They know the protocol's words, and neither the engine's fields nor its code paths. The
//! lockstep alone is shown what is tapped.

pub mod answers;
pub mod available;
pub mod bounded;
pub mod bounded_attempts;
pub mod bounded_resets;
pub mod checkpoints;
pub mod commutes;
pub mod executes;
pub mod honest;
pub mod hot_is_served;
pub mod hot_means_equal;
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
pub mod reads_back;
pub mod reference;
pub mod refused_leaves_nothing;
pub mod replicated_is_kept;
pub mod round_trip;
pub mod same_meaning;
pub mod saved_survives;
pub mod single_active;
#[cfg(test)]
pub(crate) mod testing;
pub mod whole_or_startup;

use std::sync::Arc;

use skewsync::unit::ArbiterInput;
use skewsync_model::property::Property;
use strum::IntoEnumIterator;

use crate::catalog::Catalog;
use crate::history::{Fact, Observer, What};
use crate::observe::{Evidence, Violation};
use crate::plan::Plan;

/// The properties that a run is held to: those of the oracles, the model's (`lockstep`), and that
/// the pair converges. A pair has one role.
pub fn properties() -> impl Iterator<Item = Property> {
    Property::iter().filter(|property| *property != Property::OneRole)
}

/// All oracles of a run, but the lockstep.
pub fn all(plan: &Plan, catalog: &Arc<Catalog>) -> Vec<Box<dyn Observer>> {
    let checks: Vec<Box<dyn checkpoints::PairCheck>> = vec![
        Box::new(no_silent_drop::NoSilentDrop),
        Box::new(hot_means_equal::HotMeansEqual),
        Box::new(commutes::FromScratch),
        Box::new(reads_back::ReadsBack),
        Box::<same_meaning::SameMeaning>::default(),
        Box::new(listed_at_takeover::ListedAtTakeover),
        Box::<round_trip::RoundTrip>::default(),
    ];
    vec![
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
        Box::new(executes::Executes::default()),
        Box::new(no_stale::NoStale::default()),
        Box::new(whole_or_startup::WholeOrStartup::default()),
        Box::new(refused_leaves_nothing::RefusedLeavesNothing::default()),
        Box::new(saved_survives::SavedSurvives::default()),
        Box::new(bounded_resets::BoundedResets::default()),
        Box::new(bounded_attempts::BoundedAttempts::default()),
        Box::new(answers::Answers::default()),
        Box::new(available::Available::default()),
        Box::new(bounded::Bounded::default()),
    ]
}

/// A property that does not hold.
fn broken(property: Property, evidence: Evidence) -> Result<(), Violation> {
    Err(Violation { property, evidence: Box::new(evidence) })
}

/// Whether the fact is trouble that a bound in time must excuse.
fn is_trouble(fact: &Fact<'_>) -> bool {
    match fact.what {
        What::Sent { fault, .. } => fault.is_some(),
        What::Fault { effect, .. } => effect,
        What::ArbiterTook { input, .. } => starts(input),
        What::Undelivered { .. }
        | What::Ended { .. }
        | What::Started { .. }
        | What::Suspended { .. }
        | What::FaultsStopped => true,
        _ => false,
    }
}

/// Whether the arbiter starts again.
const fn starts(input: &ArbiterInput) -> bool {
    matches!(input, ArbiterInput::Recovered { .. } | ArbiterInput::StateLost { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::quiet;

    #[test]
    fn every_oracle_checks_a_property_that_is_named_and_the_other_way_round() {
        let catalog = crate::catalog::load(&[]).expect("the bundled images");
        let plan = quiet();
        let oracles = all(&plan, &Arc::new(catalog));
        let checked = oracles.iter().flat_map(|oracle| oracle.checked());
        let mut found: Vec<Property> = checked.map(|(property, _)| property).collect();
        // The run itself judges that the pair converges, and every step is held against the model.
        found.extend([Property::Converges, Property::Lockstep]);
        found.sort_unstable();
        found.dedup();
        let named: Vec<Property> = properties().collect();
        assert_eq!(found, named);
    }
}
