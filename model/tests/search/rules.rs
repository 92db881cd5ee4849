//! Each rule taken away breaks its property, and with the rule nothing fails in the same scope
//! (the numbers of the rules are those of `Rule`; the counterexamples are the shortest).

use skewsync_model::action::{Action, ArbiterTimer, Durability, Timer};
use skewsync_model::effects::{Effect, Table};
use skewsync_model::property::Property;
use skewsync_model::scope::{Begin, Budgets, Lead, Scope, plain};
use skewsync_model::state::{Cfg, Flight, Known, Msg, Origin, Rejection, Said, Stamp, State, To};
use skewsync_model::step::{Rule, step};

use crate::{from_hot, none, one_command, stuck, violation, without};

/// A change is saved where it was made and nowhere else; its unit dies, the other takes over
/// without it, and dies.
pub(crate) const BOTH_DOWN: &[Lead] = &[
    Lead::Acts(Action::Command(0, 0, Durability::Acked)),
    Lead::Acts(Action::Saved(0)),
    Lead::Acts(Action::Crash(0)),
    Lead::AllLost,
    Lead::Acts(Action::Arbiter(ArbiterTimer::Lease)),
    Lead::AllArrive,
    Lead::Acts(Action::Crash(1)),
    Lead::AllLost,
];

/// Both units die, slot 1 boots its store, and its Hello that it runs is lost: a hot pair whose
/// arbiter knows what the Active says by Renew, Release and writes of the register only.
const HOLDER_UNHEARD: &[Lead] = &[
    Lead::Acts(Action::Crash(0)),
    Lead::Acts(Action::Crash(1)),
    Lead::Acts(Action::Arbiter(ArbiterTimer::Lease)),
    Lead::Acts(Action::Arbiter(ArbiterTimer::TakeoverWait)),
    Lead::Acts(Action::Arbiter(ArbiterTimer::TakeoverWait)),
    Lead::Acts(Action::Boot(0)),
    Lead::AllLost,
    Lead::Acts(Action::Boot(1)),
    Lead::AllArrive,
    Lead::Acts(Action::Arbiter(ArbiterTimer::Gather)),
    Lead::Acts(Action::Deliver(Flight {
        from: 1,
        to: To::Unit(1),
        msg: Msg::Offer {
            boot: 2,
            term: 4,
            origin: Origin::Cold,
            bound: None,
            hello: 1,
            generation: 0,
        },
    })),
    Lead::Acts(Action::Deliver(Flight {
        from: 1,
        to: To::Arbiter,
        msg: Msg::Renew { boot: 2, term: 4, n: 1, lsn: 0, generation: 0 },
    })),
    Lead::Acts(Action::Deliver(Flight {
        from: 1,
        to: To::Unit(1),
        msg: Msg::Grant { boot: 2, term: 4, n: 1, generation: 0 },
    })),
    Lead::AllLost,
    Lead::Acts(Action::Timer(0, Timer::Hello)),
    Lead::Acts(Action::Timer(0, Timer::Join)),
    Lead::AllArrive,
];

fn with(effect: Effect, scope: Scope<Table>) -> Scope<Table> {
    let mut scope = scope;
    scope.env.effects = Table::from_effects(&[effect]);
    scope
}

/// Two lines that the Standby raises only together; the first of them comes.
fn halves() -> Scope<Table> {
    let mut scope = from_hot(one_command());
    scope.env.effects = Table { keys: [0, 1, 0, 1], ..Table::from_effects(&[Effect::Half; 2]) };
    scope
}

/// A session that is given up while its snapshot is on its way.
fn two_chunks() -> Scope<Table> {
    let mut scope = Scope { budgets: Budgets { give_ups: 1, ..one_command() }, ..plain() };
    scope.env.chunks = 2;
    scope
}

/// From hot, with a window of one change.
pub(crate) fn narrow(budgets: Budgets) -> Scope<Table> {
    let mut scope = from_hot(budgets);
    scope.env.hot_window = 1;
    scope
}

/// From hot, the same command again and again.
pub(crate) fn the_same_again(budgets: Budgets) -> Scope<Table> {
    Scope { script: [0; 4], ..from_hot(budgets) }
}

/// The rules whose absence breaks a property: with the rule nothing fails in the same scope.
#[test]
fn each_rule_taken_away_breaks_its_property() {
    use Property::{
        Answers, Bounded, BoundedResets, HotMeansEqual, NoAckedLoss, NoSilentDrop, NoSplitAck,
        NoStale, NoZombie, OrderOnce, PlannedLosesNothing, RefusedLeavesNothing, ReplicatedIsKept,
        SavedSurvives, SingleActive, WholeOrStartup,
    };
    let command = one_command();
    let crash_in_drain = Budgets { planned: 1, crashes: 1, ..command };
    let cold = |budgets| Scope { budgets, ..plain() };
    let refused_in_drain = from_hot(Budgets { planned: 1, crashes: 1, waits: 1, ..command });
    let cases = [
        (Rule::GrantEchoesRenew, cold(Budgets { early: 1, ..none() }), SingleActive, 8),
        (
            Rule::GrantNamesRenew,
            cold(Budgets { renewals: 2, losses: 1, ..none() }),
            SingleActive,
            18,
        ),
        (
            Rule::AcceptanceFixesConfig,
            from_hot(Budgets { crashes: 1, lapses: 1, ..command }),
            NoAckedLoss,
            15,
        ),
        (Rule::ResumeByStamp, from_hot(crash_in_drain), PlannedLosesNothing, 12),
        (Rule::RunningCompete, from_hot(crash_in_drain), PlannedLosesNothing, 12),
        (Rule::OnlyProceedResets, from_hot(crash_in_drain), PlannedLosesNothing, 18),
        (
            Rule::HolderSaysWhatItRuns,
            Scope {
                begin: Begin::After(HOLDER_UNHEARD),
                ..cold(Budgets { planned: 1, declares: 1, ..command })
            },
            PlannedLosesNothing,
            14,
        ),
        (
            Rule::WritesSayWhatRuns,
            Scope {
                begin: Begin::After(HOLDER_UNHEARD),
                ..cold(Budgets { planned: 1, lapses: 1, declares: 1, ..command })
            },
            PlannedLosesNothing,
            14,
        ),
        (
            Rule::OffersBound,
            from_hot(Budgets { saves: 1, lapses: 1, crashes: 1, ..command }),
            NoZombie,
            13,
        ),
        (Rule::ConfirmNamesCounter, cold(Budgets { give_ups: 1, ..command }), NoSplitAck, 21),
        (Rule::AcceptanceClears, from_hot(Budgets { crashes: 1, ..command }), NoSplitAck, 6),
        (Rule::LineWaitsForAccept, from_hot(Budgets { give_ups: 1, ..command }), HotMeansEqual, 17),
        (Rule::LeavingClears, from_hot(Budgets { give_ups: 1, ..command }), NoSplitAck, 2),
        (Rule::OnTheLine, Scope { begin: Begin::After(BOTH_DOWN), ..plain() }, NoZombie, 9),
        (Rule::HotWaitsForAck, cold(none()), HotMeansEqual, 15),
        (Rule::SessionNamedOnce, two_chunks(), HotMeansEqual, 25),
        (Rule::SessionChecked, from_hot(Budgets { holds: 1, give_ups: 1, ..command }), NoStale, 9),
        (Rule::GapsWait, from_hot(Budgets { commands: 2, ..none() }), OrderOnce, 3),
        (Rule::AppliedSaysMissing, halves(), NoSilentDrop, 3),
        (
            Rule::RefusedBeforeExecuted,
            with(Effect::Vetoed, from_hot(command)),
            RefusedLeavesNothing,
            1,
        ),
        (Rule::LossAnswers, from_hot(Budgets { lapses: 1, ..command }), Answers, 2),
        (
            Rule::SaveOfSession,
            from_hot(Budgets { saves: 2, crashes: 1, ..none() }),
            SavedSurvives,
            8,
        ),
        (
            Rule::StaleOffered,
            from_hot(Budgets { give_ups: 1, crashes: 1, ..command }),
            ReplicatedIsKept,
            13,
        ),
        (
            Rule::ReplicaOutlives,
            from_hot(Budgets { give_ups: 1, crashes: 1, ..command }),
            ReplicatedIsKept,
            13,
        ),
        (Rule::SupersededKeeps, from_hot(crash_in_drain), ReplicatedIsKept, 20),
        (Rule::ReplicaOnLine, from_hot(Budgets { lapses: 1, crashes: 1, ..command }), NoZombie, 17),
        (
            Rule::DeclaredDeclines,
            from_hot(Budgets { declares: 1, losses: 1, give_ups: 1, crashes: 1, ..none() }),
            WholeOrStartup,
            10,
        ),
        (
            Rule::PolicyDrops,
            from_hot(Budgets { disagrees: 1, crashes: 1, ..command }),
            WholeOrStartup,
            9,
        ),
        (
            Rule::JoinCarriesResets,
            Scope {
                booted: Cfg(1),
                ..with(
                    Effect::Fails { leaves: false, bulk: Some(Rejection::Reset) },
                    cold(Budgets { crashes: 1, ..none() }),
                )
            },
            BoundedResets,
            32,
        ),
        (Rule::LapseRefusesQueue, narrow(Budgets { commands: 2, lapses: 1, ..none() }), Answers, 3),
        (Rule::QueueHasDeadline, from_hot(Budgets { planned: 1, ..command }), Answers, 2),
        (Rule::AnsweredLeavesQueue, refused_in_drain, Answers, 3),
        (
            Rule::AnsweredLeavesQueue,
            Scope { asks: Some(RefusedLeavesNothing), ..refused_in_drain },
            RefusedLeavesNothing,
            9,
        ),
        (Rule::PromptsCount, the_same_again(Budgets { commands: 3, ..none() }), Bounded, 3),
        (
            Rule::PromptsCountInClearing,
            from_hot(Budgets { commands: 3, give_ups: 1, ..none() }),
            Bounded,
            4,
        ),
    ];
    for (rule, scope, property, steps) in cases {
        assert_eq!(violation(&scope), None, "{rule:?} in force");
        let asks = Some(property);
        assert_eq!(
            violation(&without(rule, Scope { asks, ..scope })),
            Some((property, steps)),
            "{rule:?}"
        );
    }
}

/// The rules whose absence leaves states from which the pair never becomes hot.
#[test]
fn each_rule_taken_away_stops_convergence() {
    let cases = [
        (Rule::HolderJoins, from_hot(Budgets { lapses: 1, ..none() })),
        (
            Rule::RepeatedWriteConfirmed,
            Scope { budgets: Budgets { losses: 1, ..none() }, ..plain() },
        ),
        (Rule::ArbiterResends, Scope { budgets: Budgets { losses: 1, ..none() }, ..plain() }),
        (Rule::JoinCarriesRound, Scope { budgets: Budgets { give_ups: 1, ..none() }, ..plain() }),
    ];
    for (rule, scope) in cases {
        assert_eq!(stuck(&scope), 0, "{rule:?} in force");
        let asks = Some(Property::Converges);
        let off = Scope { asks, ..scope };
        assert!(stuck(&without(rule, off)) > 0, "{rule:?} taken away");
    }
}

/// 13 and 16: what the properties themselves must say.
#[test]
fn the_properties_need_their_wording() {
    use skewsync_model::action::Durability;
    let mut scope = from_hot(one_command());
    scope.durability = Durability::Async;
    assert_eq!(violation(&scope), None);
    scope.async_counts = true;
    assert_eq!(violation(&scope).map(|(property, _)| property), Some(Property::NoSplitAck));
    let mut scope = from_hot(Budgets { crashes: 1, early: 1, ..one_command() });
    assert_eq!(violation(&scope), None);
    scope.excuses = false;
    assert_eq!(violation(&scope).map(|(property, _)| property), Some(Property::NoAckedLoss));
}

/// With what config, and to whom, the arbiter offers the next term.
fn offered(
    without: Option<Rule>,
    line: &[(u16, Option<u16>)],
    said: [Said; 2],
) -> Option<(u8, Origin)> {
    let mut scope = plain();
    scope.env.without = without;
    let mut state = State::cold();
    state.arbiter.term = 9;
    for (term, from) in line {
        match from {
            Some(lsn) => state.arbiter.line.push((*term, *lsn)),
            None => state.arbiter.cold = *term,
        }
    }
    state.arbiter.gathering = true;
    state.arbiter.known = said.map(|said| Some(Known { boot: 1, k: 1, said: Some(said) }));
    let gathered = Action::Arbiter(ArbiterTimer::Gather);
    let made = step(&scope.env, &state, &gathered).expect("the timer runs");
    made.state.arbiter.offer.map(|offer| (offer.slot, offer.origin))
}

/// S3, S4: rules of the order among configs. No property misses them in what was searched: units
/// say at once what is new.
#[test]
fn the_order_among_configs_is_that_of_its_rules() {
    let stamp = |term, lsn| Stamp { term, lsn };
    let none = Said::default();
    let running = Said { running: Some(stamp(1, 4)), ..none };
    let replica = |stamp| Said { replica: Some(stamp), ..none };
    let resumes = Some((0, Origin::Resume));
    let stale = |stamp| Some((1, Origin::Stale(stamp)));
    // A lapsed Active has gone on since its last Renew.
    let prefix = [running, replica(stamp(1, 5))];
    assert_eq!(offered(None, &[], prefix), resumes);
    let first = Some(Rule::RunningFirst);
    assert_eq!(offered(first, &[], prefix), stale(stamp(1, 5)));
    // A later term began from a startup store.
    let old = [none, replica(stamp(1, 5))];
    let line = [(1, None), (2, None)];
    assert_eq!(offered(None, &line, old), Some((0, Origin::Cold)));
    let warm = Some(Rule::ReplicaWarm);
    assert_eq!(offered(warm, &line, old), stale(stamp(1, 5)));
    // A later term is the greater one, whatever runs; of equal stamps the replica comes before the
    // store.
    let later = [running, replica(stamp(2, 1))];
    assert_eq!(offered(None, &[], later), stale(stamp(2, 1)));
    let saved = Said { startup: stamp(1, 5), ..replica(stamp(1, 5)) };
    assert_eq!(offered(None, &[], [none, saved]), stale(stamp(1, 5)));
}

/// U1 to U5: what does not decode, counted and paced.
mod unreadable {
    use super::*;
    use skewsync_model::property::Situation;
    use skewsync_model::verdict::Verdict;

    use crate::search;

    /// A pair whose Standby reads neither the second command's Line nor a snapshot that holds it.
    fn of_another_engine(budgets: Budgets) -> Scope<Table> {
        let mut scope = from_hot(budgets);
        scope.env.effects = Table::from_effects(&[Effect::Carried, Effect::Unreadable]);
        scope.env.max_attempts = Some(2);
        scope
    }

    fn two_commands() -> Budgets {
        Budgets { commands: 2, ..none() }
    }

    #[test]
    fn without_a_word_or_a_count_the_pair_goes_round_for_ever() {
        let scope = of_another_engine(two_commands());
        let report = search(&scope);
        assert_eq!(report.safety, Verdict::Exhausted);
        assert_eq!(report.convergence, Verdict::Exhausted);
        assert_eq!(report.cycles, Verdict::Exhausted);
        for met in [Situation::Unreadable, Situation::AttemptsUsedUp] {
            assert!(report.met.contains_key(&met), "{met:?}");
        }
        for (rule, stuck, goes_round) in
            [(Rule::UnreadableIsSaid, 956, 122), (Rule::AttemptsCount, 680, 186)]
        {
            let asks = Some(Property::Converges);
            let report = search(&without(rule, Scope { asks, ..scope }));
            let Verdict::Violated(found) = report.convergence else {
                panic!("{rule:?}: {:?}", report.convergence);
            };
            assert_eq!((found.states, found.steps.len()), (stuck, 2), "{rule:?}");
            let Verdict::Violated(found) = report.cycles else {
                panic!("{rule:?}: {:?}", report.cycles);
            };
            assert_eq!(found.states, goes_round, "{rule:?}");
        }
    }

    /// The model has no time: that a pause is kept is for the simulation to see.
    #[test]
    fn a_pause_changes_nothing_but_when() {
        let scope = of_another_engine(two_commands());
        let asks = Some(Property::Converges);
        let off = search(&without(Rule::AttemptsPaced, Scope { asks, ..scope }));
        assert_eq!(off.convergence, Verdict::Exhausted);
        assert_eq!(off.cycles, Verdict::Exhausted);
    }

    #[test]
    fn a_standby_that_cannot_read_a_line_may_take_over_with_what_it_has() {
        let scope = of_another_engine(Budgets { crashes: 1, ..two_commands() });
        assert_eq!(violation(&scope), None);
        assert_eq!(
            violation(&without(Rule::UnreadableKeepsReplica, scope)),
            Some((Property::NoAckedLoss, 15))
        );
    }
}
