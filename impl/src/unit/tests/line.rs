//! Commands, lines, and how prompts return.

use alloc::vec::Vec;

use super::world::{A, B, World};
use crate::ids::Lsn;
use crate::message::{LeaveWhy, MessageKind};
use crate::unit::{Copies, Durability, LocalWhy, Outcome, Refusal, Timer};

fn place(outcome: &Outcome) -> Option<Copies> {
    match outcome {
        Outcome::Done { place, .. } | Outcome::Unchanged { place } => Some(*place),
        _ => None,
    }
}

/// Section 5: `replicated` means in two memories.
#[test]
fn a_prompt_returns_replicated_once_the_standby_has_applied() {
    let mut world = World::hot();
    let id = world.command(A, "hostname a");
    assert_eq!(world.answers.get(&id), None, "the prompt is held");
    world.settle();
    assert_eq!(world.answers.get(&id).and_then(place), Some(Copies::Replicated));
    assert_eq!(&*world.text(B), "hostname a\n");
    assert_eq!(world.active(A).last(), Lsn(1));
}

/// Section 5: a refused command leaves nothing.
#[test]
fn a_refused_command_leaves_nothing() {
    let mut world = World::hot();
    let before = world.units.clone();
    let id = world.command(A, "nonsense 1");
    assert!(matches!(world.answers[&id], Outcome::Refused(Refusal::Line(_))));
    assert_eq!(world.units, before);
    world.limits.max_batch = 4;
    let id = world.command(A, "hostname a");
    assert_eq!(world.answers[&id], Outcome::Refused(Refusal::TooLarge));
    assert_eq!(world.units, before);
}

#[test]
fn a_standby_refuses_commands() {
    let mut world = World::hot();
    let id = world.command(B, "hostname b");
    assert_eq!(world.answers[&id], Outcome::Refused(Refusal::NotActive));
}

/// Section 5: words that stand there already take no LSN, and wait as the last one does.
#[test]
fn an_unchanged_command_waits_as_the_last_change_does() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    let first = world.command(A, "hostname a");
    let again = world.command(A, "hostname a");
    world.settle();
    assert_eq!(world.answers.get(&again), None);
    world.lose.clear();
    world.rounds(1);
    assert_eq!(world.answers.get(&first).and_then(place), Some(Copies::Replicated));
    assert_eq!(world.answers[&again], Outcome::Unchanged { place: Copies::Replicated });
    assert_eq!(world.active(A).last(), Lsn(1));
}

#[test]
fn an_async_command_returns_at_once_while_hot() {
    let mut world = World::hot();
    let id = world.enter(A, "hostname a", Durability::Async);
    assert_eq!(place(&world.answers[&id]), Some(Copies::Local(LocalWhy::Async)));
}

/// Section 3: a gap is kept within the window, and closed by the resend.
#[test]
fn lines_out_of_order_are_applied_in_order() {
    let mut world = World::hot();
    world.command(A, "ntp server 192.0.2.9");
    let first = world.net.pop_front().expect("line 1");
    world.command(A, "no ntp server 192.0.2.9");
    world.settle();
    assert_eq!(&*world.text(B), "");
    assert_eq!(world.answers.len(), 0);
    world.inject(first);
    world.settle();
    assert_eq!(world.answers.len(), 2);
    assert_eq!(world.text(A), world.text(B));
}

/// Section 2, leaving hot: prompts return `local` only once the arbiter has confirmed.
#[test]
fn leaving_hot_clears_the_register_before_prompts_return_local() {
    let mut world = World::hot();
    world.crash(B);
    let id = world.command(A, "hostname a");
    world.settle();
    world.fire(A, Timer::Ack);
    assert!(world.answers.is_empty(), "one end of the timer is half of ack_timeout at most");
    world.lose.insert(MessageKind::Confirm);
    world.command(A, "hostname b");
    world.fire(A, Timer::Ack);
    world.settle();
    assert_eq!(world.answers.get(&id), None, "the clear is not confirmed");
    assert_eq!(world.arbiter.register, None);
    world.lose.clear();
    world.fire(A, Timer::Register);
    world.settle();
    let local = Copies::Local(LocalWhy::NoHotStandby);
    assert_eq!(place(&world.answers[&id]), Some(local));
    assert!(world.left(A, LeaveWhy::AckTimeout));
}

/// Section 2: a Confirm counts only with the counter of the latest write (counterexample 9).
#[test]
fn a_confirm_of_another_write_is_not_taken() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::SetRegister);
    let id = world.command(A, "hostname a");
    world.fire(A, Timer::Watchdog);
    world.settle();
    assert_eq!(world.active(A).register().counter(), 2);
    let confirm =
        crate::message::ToUnit::Confirm { generation: 0, term: world.arbiter.term, counter: 1 };
    world.inject(super::world::Flight {
        from: crate::message::Address::Arbiter,
        to: crate::message::Address::Unit(A),
        message: crate::message::Message::ToUnit(confirm),
    });
    assert_eq!(world.answers.get(&id), None);
}

/// Section 2: `Hot` goes out at once only with few changes outstanding, and steady change does not
/// keep the pair from hot.
#[test]
fn a_storm_of_changes_does_not_keep_the_pair_from_hot() {
    let mut world = World::new(["6.2", "6.2"]);
    world.settle();
    world.fire_arbiter(crate::unit::ArbiterTimer::Gather);
    for n in 0..200 {
        world.command(A, &alloc::format!("hostname h{n}"));
        world.deliver();
        world.deliver();
    }
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(world.text(A), world.text(B));
}

/// Section 5: while hot, a full window makes commands wait, `async` ones too; they go on as the
/// Standby does.
#[test]
fn commands_wait_while_the_window_of_a_hot_pair_is_full() {
    let mut world = World::hot();
    let window = u64::from(world.limits.hot_window);
    let pasted = |each| alloc::format!("hostname r{each}");
    let ids: Vec<_> =
        (0..window + 3).map(|each| world.enter(A, &pasted(each), Durability::Async)).collect();
    assert_eq!(world.active(A).last().0, window);
    assert_eq!(world.active(A).queue().len(), 3);
    assert!(!world.answers.contains_key(&ids[window as usize]));
    world.settle();
    assert_eq!(world.active(A).last().0, window + 3);
    assert!(ids.iter().all(|id| world.answers.contains_key(id)));
    assert!(world.is_hot());
}

/// Section 5: they wait for `ack_timeout` at most; then the pair leaves hot, and they are executed.
#[test]
fn a_window_that_stays_full_makes_the_pair_leave_hot() {
    let mut world = World::hot();
    world.cut.insert(B);
    let window = u64::from(world.limits.hot_window);
    for each in 0..=window {
        world.enter(A, &alloc::format!("hostname r{each}"), Durability::Async);
    }
    assert_eq!(world.active(A).queue().len(), 1);
    world.fire(A, Timer::Ack);
    assert_eq!(world.active(A).last().0, window + 1);
    assert!(!world.is_hot());
}
