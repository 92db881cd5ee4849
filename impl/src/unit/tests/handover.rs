//! Planned and forced switchover.

use super::world::{A, B, World};
use crate::ids::Term;
use crate::message::MessageKind;
use crate::unit::{ArbiterTimer, Copies, Outcome, Refusal, Request, Role, Timer};

/// Section 6: the drain, the second write, Release, and the return in the other direction.
#[test]
fn a_planned_switchover_loses_nothing() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    let held = world.command(A, "hostname a");
    world.settle();
    let id = world.ask(A, Request::Switchover);
    let queued = world.command(A, "hostname b");
    world.settle();
    assert_eq!(world.active_slot(), Some(A), "the drain waits for the Standby");
    world.lose.clear();
    world.rounds(6);
    assert!(matches!(world.answers[&held], Outcome::Done { place: Copies::Replicated, .. }));
    assert_eq!(world.answers[&id], Outcome::Released);
    assert_eq!(world.answers[&queued], Outcome::Refused(Refusal::Moved));
    assert_eq!(world.active_slot(), Some(B));
    assert_eq!(world.arbiter.term, Term(2));
    assert_eq!(&*world.text(B), "hostname a\n");
    assert!(world.is_hot());
    assert_eq!(world.text(A), world.text(B));
}

/// Section 6: on silence the role is offered back, with config and queue.
#[test]
fn the_role_comes_back_when_the_successor_is_gone() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    world.ask(A, Request::Switchover);
    world.lose.insert(MessageKind::Offer);
    world.settle();
    assert!(matches!(world.unit(A).part, Role::Holder(_)));
    let queued = world.command(A, "ntp server 192.0.2.1");
    assert_eq!(world.answers.get(&queued), None);
    world.crash(B);
    world.lose.clear();
    world.fire_arbiter(ArbiterTimer::TakeoverWait);
    world.rounds(3);
    assert_eq!(world.active_slot(), Some(A));
    assert!(matches!(world.answers[&queued], Outcome::Done { .. }));
    assert_eq!(&*world.text(A), "hostname a\nntp server 192.0.2.1\n");
}

/// Section 2: a holder that released takes no Grant of that term, however late it comes.
#[test]
fn a_released_holder_takes_no_late_grant() {
    let mut world = World::hot();
    world.fire(A, Timer::Renew);
    let renew = world.net.pop_front().expect("a Renew");
    world.inject(renew);
    let grant = world.net.pop_back().expect("its Grant");
    assert_eq!(grant.message.kind(), MessageKind::Grant);
    world.ask(A, Request::Switchover);
    world.lose.insert(MessageKind::Offer);
    world.settle();
    assert!(matches!(world.unit(A).part, Role::Holder(_)));
    world.inject(grant);
    assert!(matches!(world.unit(A).part, Role::Holder(_)));
}

#[test]
fn a_switchover_without_an_eligible_standby_is_refused() {
    let mut world = World::hot();
    world.crash(B);
    world.fire(A, Timer::Watchdog);
    world.settle();
    for request in [Request::Switchover, Request::ForcedSwitchover] {
        let id = world.ask(A, request);
        assert_eq!(world.answers[&id], Outcome::Refused(Refusal::NotEligible));
    }
}

/// Section 6: if the drain takes too long nothing was released, and what waited is executed.
#[test]
fn a_drain_that_takes_too_long_releases_nothing() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    world.command(A, "hostname a");
    let id = world.ask(A, Request::Switchover);
    let queued = world.command(A, "hostname b");
    world.fire(A, Timer::Drain);
    assert_eq!(world.answers[&id], Outcome::Refused(Refusal::DrainTimeout));
    world.lose.clear();
    world.rounds(2);
    assert!(matches!(world.answers[&queued], Outcome::Done { place: Copies::Replicated, .. }));
    assert_eq!(world.active_slot(), Some(A));
}

#[test]
fn a_forced_switchover_does_not_wait() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    let held = world.command(A, "hostname a");
    let id = world.ask(A, Request::ForcedSwitchover);
    assert_eq!(world.answers[&id], Outcome::Released);
    assert_eq!(world.answers[&held], Outcome::Unknown);
    world.rounds(5);
    assert_eq!(world.active_slot(), Some(B));
}

/// Section 10.2: the Standby restarts in a drain; its next session ends the drain with the one that
/// it was of.
#[test]
fn a_drain_ends_with_its_session() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    world.command(A, "hostname a");
    let id = world.ask(A, Request::Switchover);
    let queued = world.command(A, "hostname b");
    world.lose.clear();
    world.boot(B);
    world.settle();
    assert_eq!(world.answers[&id], Outcome::Refused(Refusal::LeftHot));
    assert!(matches!(world.answers[&queued], Outcome::Done { .. }));
    assert!(!world.active(A).drains());
}
