//! The planted defects: known bugs, one site each, that show whether the laboratory sees them.
//!
//! Without the feature `planted` the question is answered by a constant, and no site is compiled
//! in.

use strum::VariantArray;

/// A known bug. Source: ours, to measure what the checks see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Defect {
    /// A `Line` of any session is taken.
    LineSessionUnchecked,
    /// A chunk of any session is taken.
    ChunkSessionUnchecked,
    /// A session counts as the current one whatever its attempt.
    AttemptUnchecked,
    /// A line is applied although the one before it is missing.
    GapAccepted,
    /// The shadow is swapped in when it is ready, before the Active has judged.
    SwapBeforeAccept,
    /// A line is answered when it comes and applied at the next input.
    AckBeforeApply,
    /// `Hot` counts without `HotAck`.
    HotWithoutAck,
    /// Hot is left without clearing the register.
    RegisterNotCleared,
    /// The arbiter stores a register write whatever its counter.
    CounterIgnored,
    /// The driver delivers what was queued before the timers that are due.
    TimersAfterQueue,
    /// The Active treats what is not on the ADL as executable on the Standby.
    AdlWithoutSdl,
    /// A guarded value that cannot go leaves the old line behind.
    GuardedLeavesOld,
    /// `no` of a line that was never sent is sent.
    NoOfUnsent,
    /// MCL and complements stay at the Active.
    MclNotCarried,
    /// The resend timer is not armed again after it fired once.
    ResendOnce,
    /// The arbiter makes no offer when the last holder is back.
    NoOfferOnRejoin,
    /// A line is applied before `BulkAccept`.
    LineBeforeAccept,
    /// A Confirm counts whatever its counter.
    ConfirmOfAnother,
    /// A Grant counts although it echoes no Renew of the unit.
    GrantUnasked,
    /// What waits in the queue when the role moves is not answered.
    MovedUnanswered,
    /// Ordered resets are not counted.
    ResetsUncounted,
    /// Of a batch that is refused the lines before the refused one stay.
    RefusedHalf,
    /// The driver boots a unit with the older generation of its startup store.
    OlderGeneration,
    /// A unit that resumes takes its startup config up.
    ResumeFromStartup,
    /// The arbiter takes every config for one on the line of history.
    OffLineOffered,
    /// A pair that becomes hot says that nothing is listed.
    ListedUncounted,
    /// A planned switchover releases the role before the Standby has all.
    DrainUnawaited,
    /// A Standby stays in its session whatever its watchdog says.
    WatchdogIgnored,
    /// What cannot go in a bulk sync is listed nowhere.
    MclForgotten,
    /// A new Active says that no line is missing.
    TakeoverUnlisted,
    /// A command waits however many wait already.
    QueueUnbounded,
    /// What waits in the queue stays there when the lease is over.
    LapseKeepsQueue,
    /// The queue of a unit that released has no deadline.
    QueueWithoutDeadline,
    /// What the deadline of a queue refuses stays in it.
    RefusedThenExecuted,
    /// Prompts are held however many are held already.
    PromptsUncounted,
    /// A Standby drops its replica when a new session is offered.
    ReplicaDropped,
    /// A unit that is superseded forgets the config with which it acted.
    SupersededForgets,
    /// A Standby keeps the replica that policy turned away.
    RejectedActs,
    /// The arbiter takes every replica for one on the line of history.
    OffLineReplica,
    /// A Standby that cannot read a snapshot joins again by itself.
    UnreadableRejoins,
    /// A listing that does not decode is taken for an empty one.
    ListingTakenForEmpty,
    /// A Standby that cannot read a line declares itself not ready.
    UnreadableLineDeclares,
    /// Attempts that failed are not counted.
    AttemptsUncounted,
    /// The Active answers a Join at once whatever failed before.
    AttemptsUnpaced,
    /// An arbiter that lost its state offers the role at once.
    LostNotSilent,
    /// An arbiter that lost its state takes its terms from what units say.
    TermsFromHellos,
    /// An arbiter whose disk may go back goes on from the state that it finds.
    OlderStateTrusted,
    /// A unit acts before its term is on its disk.
    ActsUnwritten,
    /// An arbiter that lost its state takes a unit for heard that knows no term.
    UnknowingHeard,
    /// The arbiter says of every Offer that the line is unknown.
    LineAlwaysUnknown,
}

impl Defect {
    /// All of them, in the order in which they are listed.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The name by which it is chosen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LineSessionUnchecked => "line-session-unchecked",
            Self::ChunkSessionUnchecked => "chunk-session-unchecked",
            Self::AttemptUnchecked => "attempt-unchecked",
            Self::GapAccepted => "gap-accepted",
            Self::SwapBeforeAccept => "swap-before-accept",
            Self::AckBeforeApply => "ack-before-apply",
            Self::HotWithoutAck => "hot-without-ack",
            Self::RegisterNotCleared => "register-not-cleared",
            Self::CounterIgnored => "counter-ignored",
            Self::TimersAfterQueue => "timers-after-queue",
            Self::AdlWithoutSdl => "adl-without-sdl",
            Self::GuardedLeavesOld => "guarded-leaves-old",
            Self::NoOfUnsent => "no-of-unsent",
            Self::MclNotCarried => "mcl-not-carried",
            Self::ResendOnce => "resend-once",
            Self::NoOfferOnRejoin => "no-offer-on-rejoin",
            Self::LineBeforeAccept => "line-before-accept",
            Self::ConfirmOfAnother => "confirm-of-another",
            Self::GrantUnasked => "grant-unasked",
            Self::MovedUnanswered => "moved-unanswered",
            Self::ResetsUncounted => "resets-uncounted",
            Self::RefusedHalf => "refused-half",
            Self::OlderGeneration => "older-generation",
            Self::ResumeFromStartup => "resume-from-startup",
            Self::OffLineOffered => "off-line-offered",
            Self::ListedUncounted => "listed-uncounted",
            Self::DrainUnawaited => "drain-unawaited",
            Self::WatchdogIgnored => "watchdog-ignored",
            Self::MclForgotten => "mcl-forgotten",
            Self::TakeoverUnlisted => "takeover-unlisted",
            Self::QueueUnbounded => "queue-unbounded",
            Self::LapseKeepsQueue => "lapse-keeps-queue",
            Self::QueueWithoutDeadline => "queue-without-deadline",
            Self::RefusedThenExecuted => "refused-then-executed",
            Self::PromptsUncounted => "prompts-uncounted",
            Self::ReplicaDropped => "replica-dropped",
            Self::SupersededForgets => "superseded-forgets",
            Self::RejectedActs => "rejected-acts",
            Self::OffLineReplica => "off-line-replica",
            Self::UnreadableRejoins => "unreadable-rejoins",
            Self::ListingTakenForEmpty => "listing-taken-for-empty",
            Self::UnreadableLineDeclares => "unreadable-line-declares",
            Self::AttemptsUncounted => "attempts-uncounted",
            Self::AttemptsUnpaced => "attempts-unpaced",
            Self::LostNotSilent => "lost-not-silent",
            Self::TermsFromHellos => "terms-from-hellos",
            Self::OlderStateTrusted => "older-state-trusted",
            Self::ActsUnwritten => "acts-unwritten",
            Self::UnknowingHeard => "unknowing-heard",
            Self::LineAlwaysUnknown => "line-always-unknown",
        }
    }

    /// What it does, in a sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::LineSessionUnchecked => "A `Line` of any session is taken.",
            Self::ChunkSessionUnchecked => "A chunk of any session is taken.",
            Self::AttemptUnchecked => "A session counts as the current one whatever its attempt.",
            Self::GapAccepted => "A line is applied although the one before it is missing.",
            Self::SwapBeforeAccept => {
                "The shadow is swapped in when it is ready, before the Active has judged."
            }
            Self::AckBeforeApply => {
                "A line is answered when it comes and applied at the next input."
            }
            Self::HotWithoutAck => "`Hot` counts without `HotAck`.",
            Self::RegisterNotCleared => "Hot is left without clearing the register.",
            Self::CounterIgnored => "The arbiter stores a register write whatever its counter.",
            Self::TimersAfterQueue => {
                "The driver delivers what was queued before the timers that are due."
            }
            Self::AdlWithoutSdl => {
                "The Active treats what is not on the ADL as executable on the Standby."
            }
            Self::GuardedLeavesOld => "A guarded value that cannot go leaves the old line behind.",
            Self::NoOfUnsent => "`no` of a line that was never sent is sent.",
            Self::MclNotCarried => "MCL and complements stay at the Active.",
            Self::ResendOnce => "The resend timer is not armed again after it fired once.",
            Self::NoOfferOnRejoin => "The arbiter makes no offer when the last holder is back.",
            Self::LineBeforeAccept => "A line is applied before `BulkAccept`.",
            Self::ConfirmOfAnother => "A Confirm counts whatever its counter.",
            Self::GrantUnasked => "A Grant counts although it echoes no Renew of the unit.",
            Self::MovedUnanswered => "What waits in the queue when the role moves is not answered.",
            Self::ResetsUncounted => "Ordered resets are not counted.",
            Self::RefusedHalf => {
                "Of a batch that is refused the lines before the refused one stay."
            }
            Self::OlderGeneration => {
                "The driver boots a unit with the older generation of its startup store."
            }
            Self::ResumeFromStartup => "A unit that resumes takes its startup config up.",
            Self::OffLineOffered => {
                "The arbiter takes every config for one on the line of history."
            }
            Self::ListedUncounted => "A pair that becomes hot says that nothing is listed.",
            Self::DrainUnawaited => {
                "A planned switchover releases the role before the Standby has all."
            }
            Self::WatchdogIgnored => "A Standby stays in its session whatever its watchdog says.",
            Self::MclForgotten => "What cannot go in a bulk sync is listed nowhere.",
            Self::TakeoverUnlisted => "A new Active says that no line is missing.",
            Self::QueueUnbounded => "A command waits however many wait already.",
            Self::LapseKeepsQueue => "What waits in the queue stays there when the lease is over.",
            Self::QueueWithoutDeadline => "The queue of a unit that released has no deadline.",
            Self::RefusedThenExecuted => "What the deadline of a queue refuses stays in it.",
            Self::PromptsUncounted => "Prompts are held however many are held already.",
            Self::ReplicaDropped => "A Standby drops its replica when a new session is offered.",
            Self::SupersededForgets => {
                "A unit that is superseded forgets the config with which it acted."
            }
            Self::RejectedActs => "A Standby keeps the replica that policy turned away.",
            Self::OffLineReplica => {
                "The arbiter takes every replica for one on the line of history."
            }
            Self::UnreadableRejoins => {
                "A Standby that cannot read a snapshot joins again by itself."
            }
            Self::ListingTakenForEmpty => {
                "A listing that does not decode is taken for an empty one."
            }
            Self::UnreadableLineDeclares => {
                "A Standby that cannot read a line declares itself not ready."
            }
            Self::AttemptsUncounted => "Attempts that failed are not counted.",
            Self::AttemptsUnpaced => "The Active answers a Join at once whatever failed before.",
            Self::LostNotSilent => "An arbiter that lost its state offers the role at once.",
            Self::TermsFromHellos => {
                "An arbiter that lost its state takes its terms from what units say."
            }
            Self::OlderStateTrusted => {
                "An arbiter whose disk may go back goes on from the state that it finds."
            }
            Self::ActsUnwritten => "A unit acts before its term is on its disk.",
            Self::UnknowingHeard => {
                "An arbiter that lost its state takes a unit for heard that knows no term."
            }
            Self::LineAlwaysUnknown => "The arbiter says of every Offer that the line is unknown.",
        }
    }

    /// The defect of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|defect| defect.name() == name)
    }
}

/// The defect that is planted in a run, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Planted {
    #[cfg(feature = "planted")]
    defect: Option<Defect>,
}

impl Planted {
    /// No defect.
    pub const NONE: Self = Self {
        #[cfg(feature = "planted")]
        defect: None,
    };

    /// This defect.
    #[cfg(feature = "planted")]
    pub const fn defect(defect: Defect) -> Self {
        Self { defect: Some(defect) }
    }

    /// Whether it is this one.
    #[cfg(feature = "planted")]
    pub fn is(self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Whether it is this one: never.
    #[cfg(not(feature = "planted"))]
    pub const fn is(self, _: Defect) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_is_found_by_its_name() {
        for defect in Defect::ALL {
            assert_eq!(Defect::named(defect.name()), Some(*defect));
        }
        assert_eq!(Defect::named("none"), None);
    }

    #[cfg(not(feature = "planted"))]
    #[test]
    fn without_the_feature_no_defect_is_planted() {
        assert!(Defect::ALL.iter().all(|defect| !Planted::NONE.is(*defect)));
    }
}
