//! Commands that wait and prompts that are held: every one gets an outcome, and none is without a
//! bound.

use alloc::vec::Vec;

use super::world::{A, B, Flight, World};
use crate::digest::Shared;
use crate::ids::{CommandId, Term};
use crate::message::{Address, LeaveWhy, Message, MessageKind, Origin, ToUnit};
use crate::unit::{
    ArbiterTimer, Command, Copies, Durability, Input, LocalWhy, Outcome, Output, Refusal, Request,
    Role, Timer,
};

const NOT_ACTIVE: Outcome = Outcome::Refused(Refusal::NotActive);

/// A pair of which A has released the role, and nobody has taken it.
fn released() -> World {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Offer);
    world.ask(A, Request::Switchover);
    world.settle();
    assert!(matches!(world.unit(A).part, Role::Holder(_)));
    world
}

/// Nobody took the role: it is offered back, and A accepts.
fn handed_back(world: &mut World) {
    world.crash(B);
    world.lose = [MessageKind::Grant].into();
    world.fire_arbiter(ArbiterTimer::TakeoverWait);
    world.settle();
    assert_eq!(world.unit(A).term(), Some(Term(3)));
    world.lose.clear();
}

fn prompts(world: &World) -> usize {
    world.active(A).held()
}

/// Rule Q1: nothing of what waits was executed, and nobody knows when the unit acts again.
#[test]
fn a_lapse_refuses_what_waits() {
    let mut world = World::hot();
    world.cut.insert(B);
    let window = world.limits.hot_window;
    let pasted = |each| alloc::format!("hostname r{each}");
    let ids: Vec<_> = (0..window + 2).map(|each| world.command(A, &pasted(each))).collect();
    world.step(A, Input::LeaseLapsed);
    let (executed, waited) = ids.split_at(window as usize);
    assert!(executed.iter().all(|id| world.answers[id] == Outcome::Unknown));
    assert!(waited.iter().all(|id| world.answers[id] == NOT_ACTIVE));
    world.rounds(3);
    assert_eq!(
        world.active(A).last().0,
        u64::from(window),
        "it acts again, and executes nothing of it"
    );
}

/// Rule Q2: timer Queue runs from the first command that waits, and no later one arms it anew.
#[test]
fn the_first_command_that_waits_at_a_unit_that_released_arms_the_timer() {
    let mut world = released();
    let arms = |world: &World, id| {
        let command = Command {
            id: CommandId(id),
            text: Shared::text("hostname a"),
            durability: Durability::Acked,
        };
        let (_, out) = world.probe(A, world.unit(A), Input::Command(command));
        out.contains(&Output::SetTimer(Timer::Queue))
    };
    assert!(arms(&world, 91));
    world.command(A, "hostname a");
    assert!(!arms(&world, 92));
}

/// Rule Q2: a queue that was there at the Release has its deadline, too.
#[test]
fn a_release_arms_the_timer_for_what_waits() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Offer);
    world.lose.insert(MessageKind::Line);
    world.command(A, "hostname a");
    world.ask(A, Request::Switchover);
    let queued = world.command(A, "hostname b");
    world.fire(A, Timer::Queue);
    assert_eq!(world.answers.get(&queued), None, "in a drain it does not run");
    world.lose.remove(&MessageKind::Line);
    world.rounds(3);
    assert!(matches!(world.unit(A).part, Role::Holder(_)));
    world.fire(A, Timer::Queue);
    assert_eq!(world.answers[&queued], NOT_ACTIVE);
}

/// Rules Q2 and Q3: what the timer refused is never executed, and what comes later is refused at
/// once.
#[test]
fn what_waited_too_long_is_refused_and_never_executed() {
    let mut world = released();
    let queued = world.command(A, "hostname late");
    world.fire(A, Timer::Queue);
    assert_eq!(world.answers[&queued], NOT_ACTIVE);
    let later = world.command(A, "hostname later");
    assert_eq!(world.answers[&later], NOT_ACTIVE);
    handed_back(&mut world);
    world.rounds(3);
    assert_eq!(world.active_slot(), Some(A));
    assert_eq!(&*world.text(A), "");
    world.command(A, "hostname now");
    assert_eq!(&*world.text(A), "hostname now\n");
}

/// Rule Q2: to accept an Offer does not stop the timer; to act does.
#[test]
fn an_accepted_offer_does_not_stop_the_timer() {
    let mut world = released();
    let queued = world.command(A, "hostname late");
    handed_back(&mut world);
    let at_once = world.command(A, "hostname more");
    assert_eq!(world.answers[&at_once], NOT_ACTIVE, "it asks for the lease");
    world.fire(A, Timer::Queue);
    assert_eq!(world.answers[&queued], NOT_ACTIVE);
    world.rounds(3);
    assert_eq!(&*world.text(A), "");
}

#[test]
fn what_waits_is_executed_in_the_step_in_which_the_unit_acts() {
    let mut world = released();
    let queued = world.command(A, "hostname late");
    handed_back(&mut world);
    world.fire(A, Timer::Renew);
    world.settle();
    assert_eq!(world.active_slot(), Some(A));
    let local = Some(Copies::Local(LocalWhy::NoHotStandby));
    assert_eq!(place(&world.answers[&queued]), local);
    world.fire(A, Timer::Queue);
    assert_eq!(world.answers.len(), 2, "the switchover and the command");
}

fn place(outcome: &Outcome) -> Option<Copies> {
    match outcome {
        Outcome::Done { place, .. } | Outcome::Unchanged { place } => Some(*place),
        _ => None,
    }
}

/// Rule Q4: the config at which they were entered is gone.
#[test]
fn an_offer_of_another_config_refuses_what_waits() {
    let mut world = released();
    let queued = world.command(A, "hostname late");
    let offer = ToUnit::Offer {
        generation: 0,
        boot: world.unit(A).own.boot,
        term: Term(7),
        origin: Origin::Cold,
        bound: None,
        hello: world.unit(A).own.hello_k,
    };
    world.inject(Flight {
        from: Address::Arbiter,
        to: Address::Unit(A),
        message: Message::ToUnit(offer),
    });
    assert_eq!(world.unit(A).term(), Some(Term(7)));
    assert_eq!(world.answers[&queued], NOT_ACTIVE);
}

/// Rule Q5: a link that loses the clear and no Renew. The register may still be set.
#[test]
fn a_prompt_behind_an_unconfirmed_clear_ends_in_unknown() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::SetRegister);
    world.crash(B);
    let held = world.command(A, "hostname a");
    world.fire(A, Timer::Watchdog);
    let more = world.command(A, "hostname b");
    world.settle();
    assert!(world.answers.is_empty());
    world.fire(A, Timer::Ack);
    assert!(world.answers.is_empty(), "no Standby is waited for");
    world.fire(A, Timer::Prompt);
    assert_eq!(world.answers[&held], Outcome::Unknown);
    assert_eq!(world.answers[&more], Outcome::Unknown);
    let again = world.command(A, "hostname c");
    world.fire(A, Timer::Prompt);
    assert_eq!(world.answers[&again], Outcome::Unknown);
    let last = world.command(A, "hostname d");
    world.lose.clear();
    world.rounds(1);
    let local = Some(Copies::Local(LocalWhy::NoHotStandby));
    assert_eq!(place(&world.answers[&last]), local);
    assert_eq!(&*world.text(A), "hostname d\n");
}

/// Rule B1: a prompt counts, whatever its words did; then commands wait unexecuted, in their order.
#[test]
fn prompts_that_changed_nothing_count() {
    let mut world = World::hot();
    world.limits.max_prompts = 20;
    world.limits.max_queue = 3;
    world.cut.insert(B);
    world.command(A, "hostname a");
    for _ in 1..20 {
        world.command(A, "hostname a");
    }
    assert_eq!((prompts(&world), world.active(A).last().0), (20, 1));
    let waits = world.command(A, "hostname a");
    let asynchronous = world.enter(A, "hostname b", Durability::Async);
    let third = world.command(A, "hostname c");
    assert_eq!(world.active(A).queue().len(), 3);
    let full = world.command(A, "hostname d");
    assert_eq!(world.answers[&full], Outcome::Refused(Refusal::QueueFull));
    assert_eq!((prompts(&world), world.active(A).last().0), (20, 1));
    world.cut.clear();
    world.rounds(2);
    let replicated = Some(Copies::Replicated);
    assert_eq!(place(&world.answers[&waits]), replicated);
    let local = Some(Copies::Local(LocalWhy::Async));
    assert_eq!(place(&world.answers[&asynchronous]), local);
    assert_eq!(place(&world.answers[&third]), replicated);
    assert_eq!(world.active(A).last().0, 3);
}

/// Rule B2: so too while a clear is not confirmed; what waits for room then finds it when the
/// prompts return.
#[test]
fn prompts_count_while_a_clear_is_not_confirmed() {
    let mut world = World::hot();
    world.limits.max_prompts = 16;
    world.lose.insert(MessageKind::Confirm);
    world.crash(B);
    world.command(A, "hostname a");
    world.fire(A, Timer::Watchdog);
    for _ in 1..20 {
        world.command(A, "hostname a");
    }
    assert_eq!((prompts(&world), world.active(A).queue().len()), (16, 4));
    world.fire(A, Timer::Prompt);
    assert_eq!(world.answers.len(), 16);
    assert_eq!((prompts(&world), world.active(A).queue().len()), (4, 0));
    world.fire(A, Timer::Prompt);
    assert_eq!(world.answers.len(), 20);
    assert!(world.answers.values().all(|outcome| *outcome == Outcome::Unknown));
}

/// Section 4: a command waits for room for `ack_timeout` at most, even if the Standby goes on.
#[test]
fn a_standby_that_goes_on_slowly_keeps_no_command_waiting_for_long() {
    let mut world = World::hot();
    world.cut.insert(B);
    let window = world.limits.hot_window;
    let pasted = |each| alloc::format!("hostname r{each}");
    for each in 0..2 * window + 1 {
        world.enter(A, &pasted(each), Durability::Async);
    }
    assert_eq!(world.active(A).queue().len(), window as usize + 1);
    world.cut.clear();
    for ends in 0..2 {
        // One line is applied, and one command executed.
        let before = world.active(A).queue().len();
        world.net.clear();
        world.fire(A, Timer::Resend);
        world.deliver();
        let applied = world.net.pop_back().expect("an answer");
        world.inject(applied);
        assert_eq!(world.active(A).queue().len(), before - 1);
        assert!(!world.left(A, LeaveWhy::AckTimeout), "at end {ends}");
        world.fire(A, Timer::Ack);
    }
    assert!(world.left(A, LeaveWhy::AckTimeout));
    assert!(world.active(A).queue().is_empty());
}

/// Section 10.2: what a drain held back may have to wait for room after it, and has its deadline
/// there, too.
#[test]
fn what_a_drain_leaves_behind_has_a_deadline() {
    let mut world = World::hot();
    world.cut.insert(B);
    world.enter(A, "hostname a", Durability::Async);
    world.ask(A, Request::Switchover);
    let window = world.limits.hot_window;
    for each in 0..=window {
        world.enter(A, &alloc::format!("hostname r{each}"), Durability::Async);
    }
    world.fire(A, Timer::Drain);
    assert_eq!(world.active(A).queue().len(), 2);
    world.fire(A, Timer::Ack);
    assert!(world.left(A, LeaveWhy::AckTimeout));
    assert!(world.active(A).queue().is_empty());
}
