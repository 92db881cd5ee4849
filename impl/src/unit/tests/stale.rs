//! Takeovers with a replica that outlived its session (sections 2, 5, 8 and 10.2).

use alloc::string::ToString;

use super::world::{A, B, World};
use crate::ids::{Lsn, Slot, Term};
use crate::message::{LeaveWhy, MessageKind, Origin, Stamp};
use crate::unit::holder::Gap;
use crate::unit::{ArbiterTimer, Copies, Event, LocalWhy, Outcome, Request, RfState, Role, Timer};

const fn stamp(term: u64, lsn: u64) -> Stamp {
    Stamp { term: Term(term), lsn: Lsn(lsn) }
}

/// A hot pair with one command that was returned `replicated`.
fn replicated() -> World {
    let mut world = World::hot();
    let id = world.command(A, "hostname a");
    world.settle();
    let place = match &world.answers[&id] {
        Outcome::Done { place, .. } => *place,
        other => panic!("not done: {other:?}"),
    };
    assert_eq!(place, Copies::Replicated);
    world
}

/// The first event of the unit that acts.
fn acts(world: &World, slot: Slot) -> (Stamp, Origin, Option<Gap>) {
    let begun = world.events.iter().rev().find_map(|(at, event)| match event {
        Event::Acts { stamp, origin, gap, .. } if *at == slot => Some((*stamp, *origin, *gap)),
        _ => None,
    });
    begun.expect("the unit acts")
}

fn dies_and_is_succeeded(world: &mut World, slot: Slot) {
    world.crash(slot);
    world.fire_arbiter(ArbiterTimer::Lease);
    world.rounds(1);
    world.fire_arbiter(ArbiterTimer::Gather);
    world.settle();
    world.fire_arbiter(ArbiterTimer::TakeoverWait);
    world.settle();
    world.rounds(2);
}

/// Section 10.2: a Standby that has restarted has nothing to take over with, and the Active says so
/// at its Join.
#[test]
fn a_restart_of_the_standby_ends_what_it_could_take_over_with() {
    let mut world = replicated();
    world.lose.insert(MessageKind::Ready);
    world.boot(B);
    world.settle();
    let late = world.command(A, "hostname b");
    world.settle();
    world.fire(A, Timer::Ack);
    world.fire(A, Timer::Ack);
    world.settle();
    let Outcome::Done { place, .. } = world.answers[&late] else { panic!("executed") };
    assert_eq!(place, Copies::Local(LocalWhy::NoHotStandby));
}

#[test]
fn a_replica_outlives_its_session_and_is_taken_over_with() {
    let mut world = replicated();
    world.lose.insert(MessageKind::Line);
    let late = world.command(A, "hostname b");
    world.settle();
    // The Active gives the session up, and says from where a takeover would start.
    world.lose.insert(MessageKind::ConfigChunk);
    world.fire(A, Timer::Ack);
    world.fire(A, Timer::Ack);
    world.settle();
    assert!(world.left(A, LeaveWhy::AckTimeout));
    let from = stamp(1, 1);
    let Outcome::Done { place, .. } = world.answers[&late] else { panic!("executed") };
    assert_eq!(place, Copies::Local(LocalWhy::ReSyncing { from }));
    world.rounds(2);
    world.fire(A, Timer::Keepalive);
    world.settle();
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyColdConfig);
    let shown = world.unit(B).replica_shown().expect("a replica");
    assert_eq!(shown.to_string(), "replica of LSN 1, 1 behind");
    dies_and_is_succeeded(&mut world, A);
    let (at, origin, gap) = acts(&world, B);
    assert_eq!((at.lsn, origin), (Lsn(1), Origin::Stale { stamp: from }));
    let heard = Lsn(2);
    assert_eq!(gap, Some(Gap { after: from, heard }));
    assert_eq!(&*world.text(B), "hostname a\n");
}

#[test]
fn a_superseded_unit_keeps_what_it_acted_with_until_the_next_swap() {
    let mut world = replicated();
    world.lose.insert(MessageKind::ConfigChunk);
    world.ask(A, Request::Switchover);
    world.rounds(4);
    assert_eq!(world.active_slot(), Some(B));
    assert_eq!(world.unit(A).replica_stamp(), Some(stamp(1, 1)));
    dies_and_is_succeeded(&mut world, B);
    let (at, origin, _) = acts(&world, A);
    let stamp = stamp(1, 1);
    assert_eq!((at.lsn, origin), (Lsn(1), Origin::Stale { stamp }));
    assert_eq!(&*world.text(A), "hostname a\n");
}

#[test]
fn a_config_that_policy_turned_away_is_not_taken_over_with() {
    let mut world = replicated();
    world.ask(A, Request::ResetPeer);
    world.lose.insert(MessageKind::ConfigChunk);
    world.rounds(2);
    assert_eq!(world.unit(B).replica_stamp(), None);
    dies_and_is_succeeded(&mut world, A);
    assert_eq!(acts(&world, B).1, Origin::Cold);
}

#[test]
fn a_replica_that_declared_itself_is_not_taken_over_with() {
    let mut world = replicated();
    world.refuse("b");
    world.lose.insert(MessageKind::Applied);
    world.command(A, "hostname b");
    world.settle();
    let Role::Standby(standby) = &world.unit(B).part else { panic!("a Standby") };
    assert!(standby.replica.is_some());
    assert_eq!(world.unit(B).replica_stamp(), None);
    dies_and_is_succeeded(&mut world, A);
    assert_eq!(acts(&world, B).1, Origin::Cold);
}

#[test]
fn too_many_attempts_leave_the_replica() {
    let mut world = replicated();
    world.limits.max_attempts = 2;
    world.lose.extend([MessageKind::Line, MessageKind::ConfigChunk]);
    world.command(A, "hostname b");
    world.fire(A, Timer::Ack);
    world.fire(A, Timer::Ack);
    world.rounds(3);
    world.fire(A, Timer::Deadline);
    world.lose.clear();
    world.rounds(5);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    assert_eq!(world.unit(B).replica_stamp(), Some(stamp(1, 1)));
}

#[test]
fn a_resumed_unit_says_again_what_it_lacks() {
    let mut world = replicated();
    world.lose.insert(MessageKind::Line);
    world.enter(A, "hostname b", crate::unit::Durability::Async);
    world.settle();
    world.fire(A, Timer::Keepalive);
    world.settle();
    world.lose.extend([MessageKind::ConfigChunk, MessageKind::Grant]);
    world.fire(A, Timer::Watchdog);
    world.settle();
    dies_and_is_succeeded(&mut world, A);
    let Role::Holder(holder) = &world.unit(B).part else { panic!("a holder") };
    assert_eq!(holder.gap.map(|gap| gap.after), Some(stamp(1, 1)));
    // The Grant does not come, and the role is offered anew.
    world.lose.remove(&MessageKind::Grant);
    world.fire_arbiter(ArbiterTimer::Lease);
    world.rounds(3);
    let (_, origin, gap) = acts(&world, B);
    assert_eq!(origin, Origin::Resume);
    assert_eq!(gap.map(|gap| gap.after), Some(stamp(1, 1)));
}
