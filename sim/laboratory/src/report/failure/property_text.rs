//! What each property says, in one sentence, for whoever sees its name for the first time. Source:
//! PROTOCOL.md, section 8.

use skewsync_model::property::Property;
use skewsync_sim::run::VerdictKind;

/// The sentence of a verdict.
pub(super) const fn meaning(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Passed => "every property held, and the pair converged",
        VerdictKind::Fails(property) => property_says(property),
        VerdictKind::Panic => "no machine panics",
        VerdictKind::Hung => "every run comes to an end",
    }
}

const fn property_says(property: Property) -> &'static str {
    match property {
        Property::SingleActive => "no two units act at the same instant, and terms go up",
        Property::NoSplitAck => {
            "no command is answered `replicated` before the arbiter confirmed who may take over, \
             and no acked one `local` while somebody may"
        }
        Property::NoAckedLoss => {
            "a command that was answered `replicated` is in the config with which the other unit \
             takes over"
        }
        Property::ReplicatedIsKept => {
            "a command that was answered `replicated` is in every later Active's config, as long \
             as one unit remembers it"
        }
        Property::PlannedLosesNothing => {
            "a planned switchover loses no command that the Active executed"
        }
        Property::HotIsServed => {
            "a unit shows STANDBY HOT only while the arbiter's register names it"
        }
        Property::HotMeansEqual => {
            "a Standby that may take over holds exactly the Active's config, translated to its own \
             commands"
        }
        Property::NoSilentDrop => {
            "a line that cannot go to the Standby is on the list of what is missing there"
        }
        Property::ListedAtTakeover => {
            "a unit that takes over says exactly which lines did not come with it"
        }
        Property::NoZombie => "a line that a successor did not hold never comes back",
        Property::Honest => "modes and states that units show are the true ones",
        Property::Commutes => {
            "kept in step line by line or sent whole, the config that goes over the wire is the \
             same"
        }
        Property::NoForeignLine => "no unit is sent a line that its commands do not know",
        Property::OrderOnce => {
            "the Standby applies each change once, in order, and only after its bulk was accepted"
        }
        Property::NoStale => "a message of another session changes nothing",
        Property::WholeOrStartup => {
            "a unit begins to act with a whole config: what it applied, what it acted with last, \
             or its startup store"
        }
        Property::RefusedLeavesNothing => {
            "a command that is refused changes nothing and takes no LSN"
        }
        Property::SavedSurvives => "what was reported as saved is found at the next boot",
        Property::BoundedResets => "resets ordered by the Active come to an end",
        Property::BoundedAttempts => {
            "a session that fails is tried again so many times, each after a longer pause, and no \
             more"
        }
        Property::RoundTrip => "after two switchovers without an edit the config is what it was",
        Property::Answers => "every command is answered, once, in time",
        Property::Available => "with nothing wrong, some unit acts",
        Property::Bounded => "no queue, journal or buffer grows beyond its bound",
        Property::Converges => "once faults stop, the pair becomes hot, or says why it does not",
        Property::Lockstep => {
            "every step of the engine is a step that the model of the protocol can make"
        }
        Property::OneRole => "no unit holds two roles",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn every_property_has_a_sentence_of_its_own() {
        let said: BTreeSet<&str> = Property::iter().map(property_says).collect();
        assert_eq!(said.len(), Property::iter().count());
    }
}
