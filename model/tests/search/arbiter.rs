//! A1 to A6: an arbiter whose state is lost, or older than what it told.

use skewsync_model::action::{Action, ArbiterTimer, Durability, Timer};
use skewsync_model::effects::Table;
use skewsync_model::property::{Property, Situation};
use skewsync_model::scope::{Begin, Budgets, Lead, Scope, plain};
use skewsync_model::state::{
    Arbiter, Flight, Hello, Known, Lost, Msg, Offer, Origin, Said, Stamp, State, Term, To,
};
use skewsync_model::step::{Rule, Step, says_line_unknown, step};
use skewsync_model::verdict::Verdict;

use crate::{from_hot, none, search, violation, without};

fn loses(budgets: Budgets) -> Scope<Table> {
    let budgets = Budgets { commands: 1, forgets: 1, ..budgets };
    Scope { most: 2, layered: true, ..from_hot(budgets) }
}

fn goes_back(budgets: Budgets) -> Scope<Table> {
    let budgets = Budgets { older: 2, ..budgets };
    let mut scope = Scope { most: 3, layered: true, ..from_hot(budgets) };
    (scope.env.generations, scope.env.goes_back) = (true, true);
    scope
}

fn lapses() -> Budgets {
    Budgets { lapses: 1, ..none() }
}

#[test]
fn an_arbiter_that_lost_its_state_is_survived() {
    let scope = loses(none());
    let report = search(&scope);
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
    assert_eq!(report.cycles, Verdict::Exhausted);
    assert!(report.met.contains_key(&Situation::ArbiterLost));
}

#[test]
fn an_older_state_of_the_arbiter_is_survived() {
    let scope = Scope { most: 2, ..goes_back(Budgets { commands: 1, ..none() }) };
    let report = search(&scope);
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
    assert_eq!(report.cycles, Verdict::Exhausted);
}

#[test]
fn each_rule_of_a_lost_state_taken_away_breaks_its_property() {
    use Property::SingleActive;
    let cases = [
        (Rule::LostIsSilent, loses(lapses()), 7),
        (Rule::TermsFromWorld, loses(lapses()), 11),
        (Rule::StartIsSilent, goes_back(lapses()), 10),
    ];
    for (rule, scope, steps) in cases {
        let asks = Some(SingleActive);
        let found = violation(&without(rule, Scope { asks, ..scope }));
        assert_eq!(found, Some((SingleActive, steps)), "{rule:?}");
    }
}

/// The Active goes on beyond its peer and loses its lease; the peer takes over.
const TAKEN_OVER: &[Lead] = &[
    Lead::Acts(Action::Command(0, 0, Durability::Acked)),
    Lead::Acts(Action::LeaseLapsed(0)),
    Lead::AllLost,
    Lead::Acts(Action::Arbiter(ArbiterTimer::Lease)),
    Lead::AllArrive,
];

/// And dies. An earlier state of the arbiter is kept.
const PASSED_OVER: &[Lead] =
    &[Lead::Keeps, Lead::All(TAKEN_OVER), Lead::Acts(Action::Crash(1)), Lead::AllLost];

/// And the arbiter starts with that state.
const PASSED_OVER_AND_BACK: &[Lead] =
    &[Lead::All(PASSED_OVER), Lead::GoesBack, Lead::Acts(Action::Arbiter(ArbiterTimer::Lease))];

/// And the arbiter loses its state; a Hello of the peer from before is still on its way.
const PASSED_OVER_AND_LATE: &[Lead] = &[
    Lead::Acts(Action::Timer(1, Timer::Hello)),
    Lead::Held,
    Lead::All(PASSED_OVER),
    Lead::Acts(Action::ArbiterLost),
    Lead::Acts(Action::Arbiter(ArbiterTimer::Lease)),
];

/// The peer lives, executes a change of its own, and goes on with it once the arbiter has lost its
/// state.
const PASSED_OVER_AND_LOST: &[Lead] = &[
    Lead::All(TAKEN_OVER),
    Lead::Acts(Action::Command(1, 1, Durability::Async)),
    Lead::AllLost,
    Lead::Acts(Action::ArbiterLost),
    Lead::Acts(Action::LeaseLapsed(1)),
    Lead::Acts(Action::Arbiter(ArbiterTimer::Lease)),
    Lead::Acts(Action::Timer(1, Timer::Hello)),
    Lead::AllArrive,
    Lead::Acts(Action::Arbiter(ArbiterTimer::Gather)),
    Lead::AllArrive,
];

/// A5, A6: the lapsed Active's config comes back without a word.
#[test]
fn what_a_lost_state_had_passed_over_stays_so() {
    let from = |begin, budgets: Budgets| Scope {
        most: 2,
        layered: true,
        begin: Begin::After(begin),
        ..from_hot(budgets)
    };
    let back = |begin, disks| {
        let budgets = Budgets { older: 1, disks, ..none() };
        let mut scope = from(begin, budgets);
        (scope.env.generations, scope.env.goes_back) = (true, true);
        scope
    };
    let lost = from(PASSED_OVER, Budgets { forgets: 1, ..none() });
    let late = |disks| from(PASSED_OVER_AND_LATE, Budgets { disks, ..none() });
    let crash = Budgets { crashes: 1, ..none() };
    let cases = [
        (Rule::LatestWhileLost, lost, 14),
        (Rule::HeardKnows, late(1), 13),
        (Rule::HeardKnows, back(PASSED_OVER_AND_BACK, 1), 13),
        (Rule::GenerationEchoed, back(PASSED_OVER_AND_BACK, 0), 12),
        (Rule::HeardEchoes, late(0), 7),
        (Rule::FloorKept, from(PASSED_OVER_AND_LOST, crash), 9),
    ];
    for (rule, scope, steps) in cases {
        let asks = Some(Property::NoZombie);
        let found = violation(&without(rule, Scope { asks, ..scope }));
        assert_eq!(found, Some((Property::NoZombie, steps)), "{rule:?}");
    }
    for scope in [late(0), late(1), from(PASSED_OVER_AND_LOST, crash)] {
        assert_eq!(violation(&scope), None);
    }
}

const fn stamp(term: Term, lsn: u16) -> Stamp {
    Stamp { term, lsn }
}

/// What an arbiter does that has lost its state in term 5, after a Hello of each of these units.
fn hears(without: Option<Rule>, hellos: &[(u8, Hello)]) -> (Arbiter, Offer) {
    let mut scope = plain();
    scope.env.without = without;
    let mut state = State::cold();
    state.arbiter.term = 5;
    let lost = step(&scope.env, &state, &Action::ArbiterLost).expect("it can be lost");
    let lease = Action::Arbiter(ArbiterTimer::Lease);
    let mut made = step(&scope.env, &lost.state, &lease).expect("it is silent for a lease");
    for (from, hello) in hellos {
        let (from, to) = (*from, To::Arbiter);
        let msg = Msg::Hello { boot: 1, hello: *hello };
        let came = Action::Deliver(Flight { from, to, msg });
        made = step(&scope.env, &made.state, &came).expect("it hears");
    }
    let gathered = Action::Arbiter(ArbiterTimer::Gather);
    let made = step(&scope.env, &made.state, &gathered).expect("the timer runs");
    let offer = made.state.arbiter.offer.expect("it offers");
    (made.state.arbiter, offer)
}

fn hello(highest: Term, said: Said) -> Hello {
    Hello { k: 1, highest, generation: 0, asked: 6, said }
}

/// A5. No property misses that the arbiter's own terms are put aside, but far from where a search
/// begins.
#[test]
fn while_lost_only_what_is_of_the_latest_term_that_was_seen_is_warm() {
    let none = Said::default();
    let ran = Said { running: Some(stamp(1, 4)), ..none };
    let stale = Said { replica: Some(stamp(1, 3)), ..none };
    // The other unit has seen a later term: what became of it nobody says.
    let heard = [(0, hello(1, ran)), (1, hello(2, none))];
    let (arbiter, offer) = hears(None, &heard);
    assert_eq!(offer.origin, Origin::Cold);
    assert!(says_line_unknown(&arbiter, offer));
    let off = Some(Rule::LatestWhileLost);
    assert_eq!(hears(off, &heard).1.origin, Origin::Resume);
    // Of the latest term the running config comes first, and nothing is unknown.
    let (arbiter, offer) = hears(None, &[(0, hello(1, ran)), (1, hello(1, stale))]);
    assert_eq!(offer.origin, Origin::Resume);
    assert!(!says_line_unknown(&arbiter, offer));
    // A unit that was not heard may know of a later one.
    let (arbiter, offer) = hears(None, &[(1, hello(1, stale))]);
    assert_eq!(offer.origin, Origin::Stale(stamp(1, 3)));
    assert!(says_line_unknown(&arbiter, offer));
    // Nor does one that may have been sent before the loss.
    let old = Hello { asked: 0, ..hello(1, stale) };
    let (arbiter, offer) = hears(None, &[(0, hello(1, ran)), (1, old)]);
    assert_eq!(offer.origin, Origin::Resume);
    assert!(says_line_unknown(&arbiter, offer));
    // The term of an Offer that it made since says nothing: only the stamp does.
    let declined = [(1, hello(7, stale))];
    assert_eq!(hears(None, &declined).1.origin, Origin::Stale(stamp(1, 3)));
    let counted = Some(Rule::OwnTermsAside);
    assert_eq!(hears(counted, &declined).1.origin, Origin::Cold);
}

/// Who accepts, with what; and the arbiter after it.
fn accepts(without: Option<Rule>, line: &[(Term, u16)], lsn: u16, lost: Option<Lost>) -> Arbiter {
    let mut scope = plain();
    scope.env.without = without;
    scope.env.max_line = 2;
    let mut state = State::cold();
    state.arbiter = Arbiter {
        term: 9,
        offer: Some(Offer {
            term: 9,
            slot: 0,
            boot: 1,
            origin: Origin::Resume,
            bound: None,
            hello: 0,
            held: 3,
        }),
        line: line.to_vec(),
        lost,
        ..Arbiter::default()
    };
    let msg = Msg::Renew { boot: 1, term: 9, n: 1, lsn, generation: 0 };
    let (from, to) = (0, To::Arbiter);
    let Step { state, .. } = step(&scope.env, &state, &Action::Deliver(Flight { from, to, msg }))
        .expect("it is accepted");
    state.arbiter
}

/// A2, A5: what is off the line stays off it.
#[test]
fn the_line_is_bounded_and_forgets_nothing() {
    // An entry of an LSN that is no less says nothing more than the new one.
    let line = [(2, 3), (5, 7)];
    assert_eq!(accepts(None, &line, 3, None).line, [(9, 3)]);
    assert_eq!(accepts(None, &line, 5, None).line, [(2, 3), (9, 5)]);
    // Beyond the bound the two oldest become one, at the lesser LSN.
    let merged = accepts(None, &line, 8, None);
    assert_eq!(merged.line, [(5, 3), (9, 8)]);
    let on_line = skewsync_model::step::is_on_line;
    assert!(!on_line(&merged, stamp(1, 4)) && on_line(&merged, stamp(5, 8)));
    let dropped = accepts(Some(Rule::LineMerges), &line, 8, None);
    assert!(on_line(&dropped, stamp(1, 4)), "{dropped:?}");
    // What is older than what the first acceptance after a loss began from is off the line for
    // good.
    let lost = Some(Lost { began: 8, seen: 4 });
    let floored = accepts(None, &[], 8, lost);
    assert_eq!((floored.floor, floored.lost), (3, None));
    assert!(!on_line(&floored, stamp(2, 1)) && on_line(&floored, stamp(3, 1)));
    assert!(on_line(&accepts(Some(Rule::FloorKept), &[], 8, lost), stamp(2, 1)));
}

/// A6: a unit has seen a later state than the arbiter has.
#[test]
fn an_older_state_counts_as_lost() {
    let mut scope = plain();
    scope.env.generations = true;
    let mut state = State::cold();
    state.arbiter.generation = 3;
    state.arbiter.known[0] = Some(Known { boot: 1, k: 1, said: Some(Said::default()) });
    let said = Hello { generation: 4, ..hello(1, Said::default()) };
    let msg = Msg::Hello { boot: 1, hello: said };
    let (from, to) = (1, To::Arbiter);
    let came = Action::Deliver(Flight { from, to, msg });
    let after = |scope: &Scope<Table>| {
        let made = step(&scope.env, &state, &came).expect("it hears");
        made.state.arbiter
    };
    let lost = after(&scope);
    assert!(lost.silent && lost.lost.is_some());
    // What was said is forgotten, and its number is not: an earlier Hello comes too late.
    assert_eq!(lost.known[0], Some(Known { boot: 1, k: 1, said: None }));
    assert_eq!(lost.generation, 4);
    scope.env.without = Some(Rule::GenerationEchoed);
    assert_eq!(after(&scope).lost, None);
}
