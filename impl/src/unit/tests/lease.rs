//! Leases, offers, takeover, return.

use super::world::{A, B, World};
use crate::ids::{BootId, Lsn, Term, WriteId};
use crate::message::{
    Address, Hello, Message, MessageKind, Origin, Said, SaveResult, Stamp, ToArbiter, ToUnit,
};
use crate::unit::arbiter::Memory;
use crate::unit::{
    ArbiterInput, ArbiterOutput, ArbiterTimer, Copies, Event, Input, Outcome, Output, Record,
    Request, Role, Timer, Unit, arbiter,
};

/// Section 2: the holder of the register takes over with S.
#[test]
fn the_standby_takes_over_statefully_when_the_active_dies() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    world.crash(A);
    world.lease_over();
    assert_eq!(world.active_slot(), Some(B));
    assert_eq!(&*world.text(B), "hostname a\n");
    let stateful =
        |event: &Event| matches!(event, Event::Acts { origin: Origin::Stateful { .. }, .. });
    assert!(world.find(B, stateful));
    world.boot(A);
    world.rounds(5);
    assert!(world.is_hot());
    assert_eq!(world.text(A), world.text(B));
}

/// Section 2: an acknowledged command survives the Active.
#[test]
fn what_was_returned_replicated_is_in_the_successors_config() {
    let mut world = World::hot();
    let acked = world.command(A, "hostname a");
    world.settle();
    world.lose.insert(MessageKind::Line);
    let unanswered = world.command(A, "ntp server 192.0.2.1");
    world.settle();
    world.crash(A);
    world.lease_over();
    assert!(matches!(world.answers[&acked], Outcome::Done { place: Copies::Replicated, .. }));
    assert_eq!(world.answers.get(&unanswered), None);
    assert_eq!(&*world.text(B), "hostname a\n");
}

/// Section 10.2: an Active whose lease lapsed goes on exactly as it was when it is granted again.
#[test]
fn a_lapsed_active_goes_on_as_it_was() {
    let mut world = World::hot();
    world.lose.insert(MessageKind::Line);
    let id = world.command(A, "hostname a");
    world.step(A, Input::LeaseLapsed);
    assert_eq!(world.answers[&id], Outcome::Unknown);
    assert!(matches!(&world.unit(A).part, Role::Holder(holder) if holder.suspended.is_some()));
    world.lose.clear();
    world.rounds(3);
    assert_eq!(world.active_slot(), Some(A));
    assert_eq!(world.arbiter.term, Term(1), "the arbiter's lease was still running");
    assert!(world.is_hot());
    assert_eq!(&*world.text(B), "hostname a\n");
}

/// Section 2: both clocks ran out; without a register the greatest running stamp resumes.
#[test]
fn the_former_active_resumes_when_nobody_is_eligible() {
    let mut world = World::hot();
    world.crash(B);
    world.command(A, "hostname a");
    world.fire(A, Timer::Watchdog);
    world.settle();
    world.step(A, Input::LeaseLapsed);
    world.lease_over();
    world.rounds(2);
    assert_eq!(world.active_slot(), Some(A));
    assert_eq!(world.arbiter.term, Term(2));
    assert_eq!(&*world.text(A), "hostname a\n");
    let resumed = |event: &Event| matches!(event, Event::Acts { origin: Origin::Resume, .. });
    assert!(world.find(A, resumed));
}

/// Section 2: a unit acts only on a Grant that echoes a Renew of its own (counterexample 1).
#[test]
fn a_grant_that_echoes_no_renew_is_ignored() {
    let mut world = World::new(["6.2", "6.2"]);
    world.settle();
    world.lose.insert(MessageKind::Grant);
    world.fire_arbiter(ArbiterTimer::Gather);
    world.settle();
    let Role::Holder(holder) = &world.unit(A).part else { panic!("a holder") };
    let (term, n, boot) = (holder.term, holder.n_renew + 1, world.unit(A).own.boot);
    let before = world.units.clone();
    let unasked = ToUnit::Grant { generation: 0, boot, term, n };
    world.inject(super::world::Flight {
        from: Address::Arbiter,
        to: Address::Unit(A),
        message: Message::ToUnit(unasked),
    });
    assert_eq!(world.units, before);
}

/// Section 2, counterexamples 3 and 5: the acceptance fixes the config, before any Grant.
#[test]
fn an_accepted_takeover_keeps_its_config_without_a_grant() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    world.crash(A);
    world.lose.insert(MessageKind::Grant);
    world.fire_arbiter(ArbiterTimer::Lease);
    world.settle();
    assert!(matches!(world.unit(B).part, Role::Holder(_)));
    world.boot(A);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Lease);
    world.lose.clear();
    world.rounds(3);
    assert_eq!(world.active_slot(), Some(B), "resume, not A's startup store");
    assert_eq!(&*world.text(B), "hostname a\n");
}

/// Section 2: a unit that cannot decline is passed over after `takeover_wait`, and the register
/// goes.
#[test]
fn a_silent_standby_is_passed_over() {
    let mut world = World::hot();
    world.crash(A);
    world.crash(B);
    world.fire_arbiter(ArbiterTimer::Lease);
    assert!(world.arbiter.offer.is_some());
    world.boot(A);
    world.settle();
    world.fire_arbiter(ArbiterTimer::TakeoverWait);
    world.rounds(3);
    assert_eq!(world.active_slot(), Some(A));
    assert_eq!(world.arbiter.register, None);
}

/// Section 10.2: an Offer of a session that the Standby is not of is declined.
#[test]
fn a_restarted_standby_declines_a_stateful_offer() {
    let mut world = World::hot();
    world.crash(A);
    let Role::Standby(standby) = &world.unit(B).part else { panic!("a Standby") };
    let replica = standby.replica.as_ref().expect("a replica");
    let boot = world.unit(B).own.boot;
    let session = crate::message::Session { attempt: crate::ids::Attempt(77), ..replica.session };
    let origin = Origin::Stateful { session, lsn: replica.applied };
    let offer = ToUnit::Offer { generation: 0, boot, term: Term(2), origin, bound: None, hello: 0 };
    world.inject(super::world::Flight {
        from: Address::Arbiter,
        to: Address::Unit(B),
        message: Message::ToUnit(offer),
    });
    assert!(world.find(B, |event| matches!(event, Event::Declined { term: Term(2) })));
    assert!(matches!(world.unit(B).part, Role::Standby(_)));
}

/// Section 6: the former Active joins the new one and lists what differs.
#[test]
fn the_former_active_returns_and_lists_what_was_lost() {
    let mut world = World::hot();
    world.cut.insert(A);
    world.enter(A, "hostname lost", crate::unit::Durability::Async);
    world.settle();
    world.step(A, Input::LeaseLapsed);
    world.lease_over();
    assert_eq!(world.active_slot(), Some(B));
    world.cut.clear();
    world.rounds(6);
    assert!(world.is_hot());
    assert_eq!(&*world.text(A), "");
    let line = "hostname lost";
    let lost =
        |event: &Event| matches!(event, Event::LostAtSwitchover { lines } if &*lines[0] == line);
    assert!(world.find(A, lost));
}

/// There: a holder that never acted has nothing but its store, and loses nothing.
#[test]
fn a_holder_that_never_acted_has_nothing_to_lose() {
    let mut world = World::new(["6.2", "6.2"]);
    let proceed = loop {
        if let Some(Message::Proceed { .. }) = world.net.front().map(|flight| &flight.message) {
            break world.net[0].message.clone();
        }
        if !world.deliver() {
            world.fire_arbiter(ArbiterTimer::Gather);
            world.fire(B, Timer::Join);
        }
    };
    let (boot, unit) = (world.unit(B).own.boot, world.unit(B).clone());
    let offer = ToUnit::Offer {
        boot,
        term: Term(7),
        origin: Origin::Cold,
        bound: None,
        hello: u64::MAX,
        generation: 0,
    };
    let (holder, _) = world.probe(
        B,
        &unit,
        Input::Message { from: Address::Arbiter, message: Message::ToUnit(offer) },
    );
    assert!(matches!(holder.part, Role::Holder(_)));
    let mut newer = proceed;
    if let Message::Proceed { session, .. } = &mut newer {
        session.term = Term(8);
    }
    let came = Input::Message { from: Address::Unit(A), message: newer };
    let (after, _) = world.probe(B, &holder, came);
    assert!(matches!(&after.part, Role::Standby(standby) if standby.former.is_none()));
}

/// Section 5: a saved config is what a cold boot gives.
#[test]
fn a_saved_config_survives_the_crash_of_both() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    let id = world.ask(A, Request::Save);
    world.settle();
    let ok = SaveResult::Ok;
    assert_eq!(world.answers[&id], Outcome::Saved { own: ok, peer: Some(ok) });
    world.crash(A);
    world.crash(B);
    world.boot(B);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Lease);
    for _ in 0..2 {
        world.fire_arbiter(ArbiterTimer::TakeoverWait);
        world.rounds(3);
    }
    assert_eq!(world.active_slot(), Some(B));
    assert_eq!(&*world.text(B), "hostname a\n");
}

#[test]
fn a_save_on_a_full_disk_says_so() {
    let mut world = World::hot();
    world.persist = false;
    let id = world.ask(A, Request::Save);
    world.settle();
    let failed = SaveResult::Disk;
    assert_eq!(world.answers[&id], Outcome::Saved { own: failed, peer: Some(failed) });
}

/// Section 2: stamps are compared on the line only (counterexample 7).
#[test]
fn a_stamp_before_a_later_takeover_is_off_the_line() {
    let stamp = |term, lsn| Stamp { term: Term(term), lsn: Lsn(lsn) };
    let mut arbiter = crate::unit::Arbiter::new();
    arbiter.cold = Term(3);
    arbiter.line = alloc::vec![arbiter::Accepted { term: Term(2), from: Lsn(0) }];
    assert!(!arbiter.on_line(stamp(1, 1), Memory::Startup));
    assert!(arbiter.on_line(stamp(1, 0), Memory::Startup));
    assert!(!arbiter.on_line(stamp(2, 1), Memory::Running), "a later term was cold");
    assert!(arbiter.on_line(stamp(2, 1), Memory::Startup));
    assert!(arbiter.on_line(stamp(3, 1), Memory::Running));
    assert!(!arbiter.on_line(stamp(2, 1), Memory::Replica), "as a running one");
}

/// Section 10.1: all state is durable; a crash loses timers only.
#[test]
fn an_arbiter_that_recovers_waits_for_a_running_lease_in_full() {
    let mut world = World::hot();
    let mut out = alloc::vec![];
    let limits = world.limits.clone();
    let none = crate::planted::Planted::NONE;
    world.arbiter.step(&limits, none, ArbiterInput::Recovered { term: Term(0) }, &mut out);
    let lease = ArbiterOutput::SetTimer(ArbiterTimer::Lease);
    assert_eq!(out, alloc::vec![lease]);
}

/// Section 10.1: a store saved within the boot makes the stamp of the last Hello stale; the cold
/// holder is taken to have acted, declines to resume, and is offered its startup store next.
#[test]
fn a_declined_resume_is_not_offered_again() {
    let limits = World::hot().limits;
    let none = crate::planted::Planted::NONE;
    let mut arbiter = crate::unit::Arbiter::new();
    let mut step = |input| {
        let mut out = alloc::vec![];
        arbiter.step(&limits, none, input, &mut out);
        let mut offers = out.iter().rev().filter_map(|output| match output {
            ArbiterOutput::Send { message: ToUnit::Offer { term, origin, .. }, .. } => {
                Some((*term, *origin))
            }
            _ => None,
        });
        offers.next()
    };
    let from_b = |message| ArbiterInput::Message { from: B, message };
    let boot = BootId(1);
    let startup = Stamp::default();
    let hello = |k, highest, startup| Hello {
        generation: 0,
        asked: Term(0),
        k,
        highest: Term(highest),
        said: Said { startup, running: None, replica: None },
    };
    step(from_b(ToArbiter::Hello { boot, hello: hello(1, 0, startup) }));
    let offered = step(ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((Term(1), Origin::Cold)));
    // Its store was saved at LSN 4 after that Hello; no Grant arrives, and it never acts.
    step(from_b(ToArbiter::Renew { generation: 0, boot, term: Term(1), n: 1, lsn: Lsn(4) }));
    step(ArbiterInput::Timer(ArbiterTimer::Lease));
    let offered = step(ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((Term(2), Origin::Resume)));
    let saved = Stamp { term: Term(0), lsn: Lsn(4) };
    let offered =
        step(from_b(ToArbiter::Decline { boot, term: Term(2), hello: hello(2, 2, saved) }));
    assert_eq!(offered, None, "what changed elsewhere comes in first");
    let offered = step(ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((Term(3), Origin::Cold)));
}

/// A unit that was offered a term, with the write of that term, and its own Renew granted before
/// that write is done.
fn granted_while_its_term_is_written(world: &World) -> (Unit, WriteId) {
    let unit = world.unit(B).clone();
    let (boot, term) = (unit.own.boot, Term(unit.own.highest.0 + 1));
    let told =
        |message| Input::Message { from: Address::Arbiter, message: Message::ToUnit(message) };
    let offer = ToUnit::Offer {
        boot,
        term,
        origin: Origin::Cold,
        bound: None,
        hello: u64::MAX,
        generation: 9,
    };
    let (unit, out) = world.probe(B, &unit, told(offer));
    let write = out.iter().find_map(|output| match output {
        Output::Persist { write, .. } => Some(*write),
        _ => None,
    });
    let grant = ToUnit::Grant { boot, term, n: 1, generation: 9 };
    let (unit, out) = world.probe(B, &unit, told(grant));
    assert!(out.is_empty(), "{out:?}");
    (unit, write.expect("the term is written"))
}

/// Section 2, Lease: a unit acts in no term that nobody would know of after its restart.
#[test]
fn a_unit_acts_once_its_term_is_on_its_disk() {
    let world = World::hot();
    let (unit, write) = granted_while_its_term_is_written(&world);
    assert!(matches!(&unit.part, Role::Holder(holder) if holder.waits == Some(1)));
    let term = unit.own.highest;
    let (unit, out) = world.probe(B, &unit, Input::Persisted(write));
    assert!(matches!(unit.part, Role::Active(_)));
    assert!(out.contains(&Output::Lease { term, n: 1 }));
    assert_eq!(unit.own.durable, term);
    assert!(!out.contains(&Output::Event(Event::TermUnwritten { term })));
}

/// There: a disk that refuses the term does not keep the role from it, and that is said; the term
/// is written again.
#[test]
fn a_unit_whose_disk_refuses_its_term_acts_and_says_so() {
    let world = World::hot();
    let (unit, write) = granted_while_its_term_is_written(&world);
    let term = unit.own.highest;
    let (unit, out) = world.probe(B, &unit, Input::PersistFailed(write));
    assert!(matches!(unit.part, Role::Active(_)));
    assert!(out.contains(&Output::Event(Event::TermUnwritten { term })));
    let again = |unit: &Unit| {
        let (unit, out) = world.probe(B, unit, Input::Timer(Timer::Hello));
        let write = out.into_iter().find_map(|output| match output {
            Output::Persist { write, record: Record::Highest(written_term) } => {
                Some((write, written_term))
            }
            _ => None,
        });
        (unit, write)
    };
    let (unit, written) = again(&unit);
    let (write, written_term) = written.expect("it is written again");
    assert_eq!(written_term, term);
    assert_eq!(again(&unit).1, None, "one write at a time");
    let (unit, _) = world.probe(B, &unit, Input::Persisted(write));
    assert_eq!(again(&unit).1, None);
}
