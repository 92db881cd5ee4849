//! What each property says, in one sentence, for whoever sees its name for the first time. Source:
//! PROTOCOL.md, section 8.

/// The sentence of a property.
pub(super) fn of(property: &str) -> &'static str {
    match property {
        "SingleActive" => "no two units act at the same instant, and terms go up",
        "NoSplitAck" => {
            "no command is answered `replicated` before the arbiter confirmed who may take over, \
             and no acked one `local` while somebody may"
        }
        "NoAckedLoss" => {
            "a command that was answered `replicated` is in the config with which the other unit \
             takes over"
        }
        "ReplicatedIsKept" => {
            "a command that was answered `replicated` is in every later Active's config, as long \
             as one unit remembers it"
        }
        "PlannedLosesNothing" => "a planned switchover loses no command that the Active executed",
        "HotIsServed" => "a unit shows STANDBY HOT only while the arbiter's register names it",
        "HotMeansEqual" => {
            "a Standby that may take over holds exactly the Active's config, translated to its own \
             commands"
        }
        "NoSilentDrop" => {
            "a line that cannot go to the Standby is on the list of what is missing there"
        }
        "ListedAtTakeover" => {
            "a unit that takes over says exactly which lines did not come with it"
        }
        "NoZombie" => "a line that a successor did not hold never comes back",
        "Honest" => "modes and states that units show are the true ones",
        "Commutes" => {
            "kept in step line by line or sent whole, the config that goes over the wire is the \
             same"
        }
        "NoForeignLine" => "no unit is sent a line that its commands do not know",
        "OrderOnce" => {
            "the Standby applies each change once, in order, and only after its bulk was accepted"
        }
        "NoStale" => "a message of another session changes nothing",
        "WholeOrStartup" => {
            "a unit begins to act with a whole config: what it applied, what it acted with last, \
             or its startup store"
        }
        "RefusedLeavesNothing" => "a command that is refused changes nothing and takes no LSN",
        "SavedSurvives" => "what was reported as saved is found at the next boot",
        "BoundedResets" => "resets ordered by the Active come to an end",
        "BoundedAttempts" => {
            "a session that fails is tried again so many times, each after a longer pause, and no \
             more"
        }
        "RoundTrip" => "after two switchovers without an edit the config is what it was",
        "Answers" => "every command is answered, once, in time",
        "Available" => "with nothing wrong, some unit acts",
        "Bounded" => "no queue, journal or buffer grows beyond its bound",
        "Converges" => "once faults stop, the pair becomes hot, or says why it does not",
        "lockstep" => "every step of the engine is a step that the model of the protocol can make",
        "Panic" => "no machine panics",
        "Hung" => "every run comes to an end",
        _ => "see PROTOCOL.md, section 8",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_property_has_a_sentence_of_its_own() {
        let all = crate::oracle::NAMES;
        let none: Vec<&str> =
            all.into_iter().filter(|name| super::of(name) == super::of("")).collect();
        assert_eq!(none, [""; 0]);
    }
}
