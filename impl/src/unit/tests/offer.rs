//! What the arbiter offers by what it was told, and what a unit makes of an Offer that was made by less.

use super::world::{A, B, World};
use crate::base::{Attempt, BootId, Lsn, Slot, Term};
use crate::message::{Address, Eligible, Message, Origin, Session, Stamp, ToArbiter, ToUnit};
use crate::planted::Planted;
use crate::unit::{Arbiter, ArbiterInput, ArbiterOutput, ArbiterTimer, Event, Part, Request};

const BOOT: BootId = BootId(1);

/// The Offer that a step of the arbiter sends: to whom, and what.
fn step(arbiter: &mut Arbiter, input: ArbiterInput) -> Option<(Slot, Term, Origin, Option<Lsn>)> {
    let mut out = alloc::vec![];
    arbiter.step(&World::hot().limits, Planted::NONE, input, &mut out);
    out.into_iter().find_map(|output| match output {
        ArbiterOutput::Send {
            to,
            message:
                ToUnit::Offer {
                    term,
                    origin,
                    bound,
                    ..
                },
        } => Some((to, term, origin, bound)),
        _ => None,
    })
}

fn from(from: Slot, message: ToArbiter) -> ArbiterInput {
    ArbiterInput::Message { from, message }
}

fn hello(startup: Stamp, running: Option<Stamp>) -> ToArbiter {
    ToArbiter::Hello {
        boot: BOOT,
        startup,
        running,
    }
}

fn accepts(term: u64, lsn: u64) -> ToArbiter {
    ToArbiter::Renew {
        boot: BOOT,
        term: Term(term),
        n: 1,
        lsn: Lsn(lsn),
    }
}

/// An arbiter whose holder A, of a cold term, wrote the register for B at LSN 1.
fn written() -> (Arbiter, Session) {
    let mut arbiter = Arbiter::new();
    let cold = Stamp::default();
    step(&mut arbiter, from(A, hello(cold, None)));
    step(&mut arbiter, from(B, hello(cold, None)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    step(&mut arbiter, from(A, accepts(1, 0)));
    let session = Session {
        term: Term(1),
        active: BOOT,
        standby: BOOT,
        attempt: Attempt(1),
    };
    let value = Some(Eligible {
        session,
        slot: B,
        lsn: Lsn(1),
    });
    let write = ToArbiter::SetRegister {
        term: Term(1),
        counter: 1,
        value,
    };
    step(&mut arbiter, from(A, write));
    (arbiter, session)
}

/// Section 10.1: a write of the register says what the holder runs: its Release may come too late to say it.
#[test]
fn the_holder_that_wrote_the_register_is_offered_to_resume() {
    let (mut arbiter, session) = written();
    let lsn = Lsn(1);
    let stateful = Origin::Stateful { session, lsn };
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    assert_eq!(offered, Some((B, Term(2), stateful, None)));
    let offered = step(
        &mut arbiter,
        ArbiterInput::Timer(ArbiterTimer::TakeoverWait),
    );
    assert_eq!(offered, Some((A, Term(3), Origin::Resume, None)));
}

/// Section 10.1: the holder is known by what it says as such, though no Hello of it came.
#[test]
fn a_holder_whose_hello_never_came_is_offered_to_resume() {
    let (mut arbiter, _) = written();
    arbiter.known.remove(&B);
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, from(B, accepts(2, 2)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((B, Term(3), Origin::Resume, None)));
}

/// Section 10.1: after a takeover at LSN 1 an Offer by an older stamp names it as its bound, and who declines
/// its store is asked again what it has.
#[test]
fn an_offer_names_where_the_line_was_left() {
    let (mut arbiter, _) = written();
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, from(B, accepts(2, 1)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    let offered = step(
        &mut arbiter,
        ArbiterInput::Timer(ArbiterTimer::TakeoverWait),
    );
    let bound = Some(Lsn(1));
    assert_eq!(offered, Some((A, Term(4), Origin::Resume, bound)));
    let decline = |term| ToArbiter::Decline {
        boot: BOOT,
        term: Term(term),
    };
    let offered = step(&mut arbiter, from(A, decline(4)));
    assert_eq!(offered, Some((A, Term(5), Origin::Cold, bound)));
    assert_eq!(step(&mut arbiter, from(A, decline(5))), None);
    let saved = Stamp {
        term: Term(1),
        lsn: Lsn(2),
    };
    step(&mut arbiter, from(A, hello(saved, None)));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(
        offered,
        Some((A, Term(6), Origin::Cold, None)),
        "off the line"
    );
}

/// Section 10.2: a store that was saved since the Hello for which the Offer was made is not booted beyond it.
#[test]
fn a_store_beyond_the_bound_is_declined() {
    for (bound, declines) in [(Some(Lsn(0)), true), (Some(Lsn(1)), false), (None, false)] {
        let mut world = World::hot();
        world.command(A, "hostname a");
        world.settle();
        world.ask(A, Request::Save);
        world.settle();
        assert_eq!(world.unit(B).own.store.stamp.lsn, Lsn(1));
        let offer = ToUnit::Offer {
            boot: world.unit(B).own.boot,
            term: Term(2),
            origin: Origin::Cold,
            bound,
        };
        world.inject(super::world::Flight {
            from: Address::Arbiter,
            to: Address::Unit(B),
            message: Message::ToUnit(offer),
        });
        let declined = Event::Declined { term: Term(2) };
        assert_eq!(world.find(B, |event| *event == declined), declines);
        let holds = matches!(&world.unit(B).part, Part::Holder(holder) if holder.lsn == Lsn(1));
        assert_eq!(holds, !declines);
    }
}
