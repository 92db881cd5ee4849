//! Units of different releases: what is lowered, raised, listed, refused.

use alloc::boxed::Box;
use alloc::vec;

use super::world::{A, B, World};
use crate::digest::Shared;
use crate::ids::Slot;
use crate::message::{LeaveWhy, Origin, Redundancy, Verdict};
use crate::policy::{Action, Cause, Policy, PolicyRule, SyncPhase};
use crate::unit::env::takes_all;
use crate::unit::{
    ArbiterTimer, Copies, Event, Input, Outcome, Refusal, Request, RfState, Role, Timer, Unit, peer,
};

fn skewed(active: &'static str, standby: &'static str) -> World {
    let mut world = World::new([active, standby]);
    world.bring_up(3);
    assert!(world.is_hot(), "{:?}", world.unit(B));
    world
}

fn rule(phase: SyncPhase, cause: Cause, action: Action) -> Policy {
    rule_of(Some(phase), cause, action)
}

/// A rule for every phase, or for one.
fn rule_of(phase: Option<SyncPhase>, cause: Cause, action: Action) -> Policy {
    let cause = Some(cause);
    Policy::new(vec![PolicyRule { phase, cause, component: None, form: None, action }])
        .expect("legal")
}

/// Section 1: a chain of levels, both ways.
#[test]
fn a_line_is_lowered_or_raised_by_the_newer_side() {
    for (active, standby, entered, there) in [
        ("6.2", "6.0", "irq affinity ff", "smp_affinity ff\n"),
        ("6.0", "6.2", "smp_affinity ff", "irq affinity ff\n"),
    ] {
        let mut world = skewed(active, standby);
        let id = world.command(A, entered);
        world.settle();
        let done = &world.answers[&id];
        assert!(matches!(done, Outcome::Done { place: Copies::Replicated, .. }), "{done:?}");
        assert_eq!(&*world.text(B), there);
    }
}

/// Section 1: `mtu 1500` was sent, `mtu 9216` cannot go: the Standby keeps neither; it is listed.
#[test]
fn a_value_that_cannot_go_takes_the_old_line_with_it() {
    let mut world = skewed("6.2", "6.0");
    world.command(A, "interface eth0\nmtu 1500");
    world.settle();
    assert!(world.text(B).contains("mtu 1500"));
    let id = world.command(A, "interface eth0\nmtu 9216");
    world.settle();
    assert!(!world.text(B).contains("mtu"), "{}", &*world.text(B));
    let line = Shared::text("interface eth0 / mtu 9216");
    let Outcome::Done { place: Copies::Replicated, listed, .. } = &world.answers[&id] else {
        panic!("{:?}", world.answers[&id]);
    };
    assert_eq!(*listed, vec![line.clone()]);
    world.crash(A);
    world.lease_over();
    let told =
        |event: &Event| matches!(event, Event::Acts { listed, .. } if *listed == [line.clone()]);
    assert!(world.find(B, told), "the new Active's first event lists what is missing");
}

/// Section 5: what is missing in a store is saved with it, and a cold takeover from it says so:
/// what the listing holds, and what this unit's own parser refused.
#[test]
fn a_cold_takeover_lists_what_was_missing_when_it_was_saved() {
    let mut world = skewed("6.2", "6.0");
    world.policy = rule(SyncPhase::Line, Cause::Prc, Action::DropAndWarn);
    world.refuse("speed");
    world.command(A, "interface eth0\nmtu 9216");
    world.command(A, "interface eth0\nspeed 100");
    world.settle();
    world.ask(A, Request::Save);
    world.settle();
    world.crash(A);
    world.crash(B);
    world.boot(B);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Lease);
    for _ in 0..2 {
        world.fire_arbiter(ArbiterTimer::TakeoverWait);
        world.rounds(3);
    }
    let told = |event: &Event| {
        matches!(event, Event::Acts { origin: Origin::Cold, listed, .. }
        if *listed == ["interface eth0 / mtu 9216", "interface eth0 / speed 100"].map(Shared::text))
    };
    assert!(world.find(B, told), "{:?}", world.events);
}

/// Section 6: `refuse` is asked before execution, and leaves nothing.
#[test]
fn a_command_that_policy_refuses_leaves_nothing() {
    let mut world = skewed("6.2", "6.0");
    world.policy = rule(SyncPhase::Line, Cause::GuardedValue, Action::Refuse);
    let before = world.units.clone();
    let id = world.command(A, "interface eth0\nmtu 9216");
    assert!(matches!(world.answers[&id], Outcome::Refused(Refusal::Policy { .. })));
    assert_eq!(world.units, before);
}

/// Seed, step 450: the pair degrades to rpr; section 6: it comes back when the line is gone.
#[test]
fn a_line_that_degrades_brings_rpr_until_it_is_gone() {
    let mut world = skewed("6.2", "6.0");
    world.policy = rule_of(None, Cause::GuardedValue, Action::Degrade);
    world.command(A, "interface eth0\nmtu 9216");
    world.rounds(4);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    assert_eq!(world.arbiter.register, None);
    // In rpr another such line changes nothing: no session is left for it, and no attempt counted.
    let attempts = world.active(A).mode().attempts();
    world.command(A, "interface eth1\nmtu 9216");
    world.settle();
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    assert_eq!(world.active(A).mode().attempts(), attempts);
    world.command(A, "interface eth1\nno mtu 9216");
    world.command(A, "interface eth0\nno mtu 9216");
    world.fire(A, Timer::Backoff);
    world.rounds(4);
    assert!(world.is_hot());
}

/// Section 6: a rule for single lines brought rpr, and its line is gone before the session in rpr
/// is judged; or the lease is over while the pause lasts.
#[test]
fn rpr_ends_whenever_its_last_line_goes() {
    for lapses in [false, true] {
        let mut world = skewed("6.2", "6.0");
        world.policy = rule(SyncPhase::Line, Cause::GuardedValue, Action::Degrade);
        world.command(A, "interface eth0\nmtu 9216");
        world.command(A, "interface eth0\nno mtu 9216");
        assert_eq!(world.active(A).mode().redundancy(), Redundancy::Rpr);
        world.rounds(4);
        assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
        if lapses {
            world.step(A, Input::LeaseLapsed);
            world.rounds(2);
            assert_eq!(world.active_slot(), Some(A));
        }
        world.fire(A, Timer::Backoff);
        world.rounds(4);
        assert!(world.is_hot(), "{lapses}");
    }
}

/// There: another line that matches the rule came meanwhile.
#[test]
fn rpr_stays_while_another_line_matches_the_rule() {
    for phase in [None, Some(SyncPhase::Line)] {
        let mut world = skewed("6.2", "6.0");
        world.policy = rule_of(phase, Cause::GuardedValue, Action::Degrade);
        world.command(A, "interface eth0\nmtu 9216");
        world.rounds(4);
        world.command(A, "interface eth1\nmtu 9216");
        world.command(A, "interface eth0\nno mtu 9216");
        world.settle();
        world.fire(A, Timer::Backoff);
        world.rounds(4);
        assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold, "{phase:?}");
        world.command(A, "interface eth1\nno mtu 9216");
        world.fire(A, Timer::Backoff);
        world.rounds(4);
        assert!(world.is_hot(), "{phase:?}");
    }
}

/// Section 6: with a cause that a restart cannot cure, one reset, then rpr (seed, 329).
#[test]
fn an_incurable_cause_resets_once_and_comes_up_in_rpr() {
    let mut world = skewed("6.2", "6.0");
    world.policy = rule(SyncPhase::Bulk, Cause::GuardedValue, Action::ResetStandby);
    world.command(A, "interface eth0\nmtu 9216");
    world.settle();
    world.boot(B);
    world.rounds(6);
    assert_eq!(world.unit(B).own.resets, 1);
    let phase = world.active(A).peer().phase();
    let rpr = matches!(phase, Some(peer::ActivePhase::Rejected { verdict: Verdict::Rpr, .. }));
    assert!(rpr, "{phase:?}");
}

/// Section 6: resets are bounded; no reload loop is reachable.
#[test]
fn a_standby_that_refuses_a_line_is_reset_only_so_often() {
    let mut world = skewed("6.2", "6.2");
    world.refuse("hostname");
    world.command(A, "hostname a");
    world.rounds(20);
    assert_eq!(world.unit(B).own.resets, world.limits.max_resets);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    let why =
        |event: &Event| matches!(event, Event::SessionEnded { why: LeaveWhy::PrcMismatch, .. });
    assert!(world.find(A, why), "the Standby declared itself not ready, and was left");
}

/// Section 6: an operator's retry forgives what was counted, at both units.
#[test]
fn an_operators_retry_lets_the_standby_be_reset_as_often_again() {
    let mut world = skewed("6.2", "6.2");
    world.refuse("hostname");
    world.command(A, "hostname a");
    world.rounds(20);
    let counted = |world: &World| {
        let reset = |(_, event): &&(Slot, Event)| *event == Event::Reset { counted: true };
        world.events.iter().filter(reset).count()
    };
    let before = counted(&world);
    world.ask(A, Request::RetrySso);
    world.rounds(20);
    assert_eq!(counted(&world), 2 * before);
    assert_eq!(world.unit(B).own.resets, world.limits.max_resets);
    // The line that was refused is taken now.
    world.refuses = Box::new(takes_all);
    world.ask(A, Request::RetrySso);
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(world.unit(B).own.resets, 0, "Proceed says it");
}

/// Section 6: the greater count stands at both units, durably, so that a takeover forgets no
/// ordered reset.
#[test]
fn a_standby_counts_on_from_what_the_active_counted() {
    let mut world = skewed("6.2", "6.2");
    let counted = world.limits.max_resets - 1;
    let Some(Unit { part: Role::Active(active), .. }) = &mut world.units[0] else {
        panic!("slot 0 acts")
    };
    let mut mode = active.mode().clone();
    mode.learn_resets(counted);
    active.put_mode(mode);
    world.boot(B);
    world.rounds(3);
    assert_eq!(world.unit(B).own.resets, counted, "Proceed says it");
    world.refuse("hostname");
    world.command(A, "hostname a");
    world.rounds(20);
    assert_eq!(world.unit(B).own.resets, world.limits.max_resets);
    world.boot(B);
    assert_eq!(world.unit(B).own.resets, world.limits.max_resets, "it is durable");
}

/// Section 5, `list`: the difference enters W, Applied advances, the group is held out.
#[test]
fn a_refused_line_is_held_out_and_listed_if_policy_says_so() {
    let mut world = skewed("6.2", "6.2");
    world.policy = rule(SyncPhase::Line, Cause::Prc, Action::DropAndWarn);
    world.refuse("hostname");
    let id = world.command(A, "hostname a");
    world.settle();
    assert!(matches!(world.answers[&id], Outcome::Done { place: Copies::Replicated, .. }));
    assert_eq!(&*world.text(B), "");
    let current = world.active(A).peer().current().expect("in session");
    assert_eq!(current.missing().count(), 1);
    assert!(world.is_hot());
}

/// Section 4: a Standby that misapplies is seen by the wire digest in its Keepalive.
#[test]
fn a_misapplied_line_is_seen_by_the_wire_digest() {
    let mut world = skewed("6.2", "6.2");
    world.misapply(B, "hostname wrong");
    world.fire(B, Timer::Keepalive);
    world.settle();
    assert!(world.left(A, LeaveWhy::DigestMismatch));
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(world.text(A), world.text(B));
}

/// Section 6: policy may ask for a lesser mode at a wire digest that is another.
#[test]
fn a_wire_digest_that_is_another_leads_to_what_policy_says() {
    let mut world = skewed("6.2", "6.2");
    world.policy = rule(SyncPhase::Line, Cause::Verification, Action::Degrade);
    world.misapply(B, "hostname wrong");
    world.fire(B, Timer::Keepalive);
    world.settle();
    assert!(world.left(A, LeaveWhy::Degrade));
    assert_eq!(world.active(A).mode().redundancy(), Redundancy::Rpr);
}
