//! What does not decode (PROTOCOL.md, sections 3 and 6): said, counted, paced, and nothing lost by
//! it.

use alloc::vec::Vec;

use super::world::{A, B, World};
use crate::digest::{Digest, Shared};
use crate::ids::Lsn;
use crate::message::{
    Bytes, Engine, FileKind, LeaveWhy, Message, MessageKind, Payload, RejectWhy, SaveResult,
    Verdict,
};
use crate::policy::{Action, Cause, Policy, PolicyRule, SyncPhase};
use crate::unit::peer::ActivePhase as Of;
use crate::unit::standby::Readiness;
use crate::unit::{Copies, Event, Outcome, Request, RfState, Role, Timer};

/// One byte is another one.
fn foreign(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    match bytes.first_mut() {
        Some(first) => *first = 0xff,
        None => bytes.push(0xff),
    }
    Shared::new(bytes)
}

/// The engine that sends it writes one byte of a snapshot as the other does not read it.
fn of_snapshots(message: &mut Message) {
    match message {
        Message::Config { digest, .. } => *digest = foreign_file(),
        Message::Chunk { chunk, .. } if chunk.file.kind == FileKind::Config => {
            chunk.bytes = foreign(&chunk.bytes);
            chunk.digest = chunk.bytes.digest();
            assert_eq!(chunk.digest, foreign_file(), "a file of one chunk");
        }
        _ => {}
    }
}

/// The digest of the config of [`with_line`] with its first byte another one.
fn foreign_file() -> Digest {
    foreign(b"hostname a\n").digest()
}

fn with_line() -> World {
    let mut world = World::new(["6.2", "6.2"]);
    world.settle();
    world.fire_arbiter(crate::unit::ArbiterTimer::Gather);
    world.lose.insert(MessageKind::Join);
    world.settle();
    world.command(A, "hostname a");
    world.lose.clear();
    world
}

fn of_listings(message: &mut Message) {
    if let Message::Line { listing, .. } = message {
        *listing = foreign(listing);
    }
}

fn of_differences(message: &mut Message) {
    if let Message::Line { difference, .. } = message {
        *difference = foreign(difference);
    }
}

fn sessions(world: &World) -> usize {
    let began = |(slot, event): &&(crate::ids::Slot, Event)| {
        *slot == A && matches!(event, Event::SessionBegan(_))
    };
    world.events.iter().filter(began).count()
}

/// A snapshot that never decodes: as many sessions as there are attempts, then rpr with the reason.
#[test]
fn a_snapshot_that_never_decodes_ends_in_rpr_with_the_reason() {
    let mut world = with_line();
    world.garble = Some(of_snapshots);
    world.rounds(40);
    let most = world.limits.max_attempts;
    assert_eq!(sessions(&world), most as usize);
    assert_eq!(world.active(A).mode().attempts(), most);
    let rpr = Of::Rejected { lsn: Lsn(1), verdict: Verdict::Rpr, why: RejectWhy::Limit };
    assert_eq!(world.active(A).peer().phase(), Some(&rpr));
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    let said = |event: &Event| {
        matches!(event, Event::Unreadable(why)
            if (why.what, why.offset, why.engine) == (Payload::Snapshot, Some(0), Engine::OURS))
    };
    assert!(world.find(A, said) && world.find(B, said));
    let why = |event: &Event| {
        matches!(event, Event::Degraded { why: LeaveWhy::Unreadable, own, peer }
            if (*own, *peer) == (Engine::OURS, Engine::OURS))
    };
    assert!(world.find(A, why), "{:?}", world.events);
    // Nothing but an operator, or another image or engine, begins the count anew.
    world.garble = None;
    world.fire(A, Timer::Backoff);
    world.rounds(4);
    assert!(!world.is_hot());
    world.ask(A, Request::RetrySso);
    world.rounds(4);
    assert!(world.is_hot());
}

/// The Active answers no Join until the pause is over, which is longer after each attempt.
#[test]
fn each_attempt_that_fails_is_followed_by_a_longer_pause() {
    let mut world = with_line();
    world.garble = Some(of_snapshots);
    for failed in 1..world.limits.max_attempts {
        world.settle();
        while !world.active(A).mode().is_pausing() {
            for timer in [Timer::Join, Timer::Resend] {
                world.fire(B, timer);
                world.fire(A, timer);
            }
            world.settle();
        }
        assert_eq!(world.active(A).mode().attempts(), failed);
        for _ in 0..failed {
            assert_eq!(world.active(A).peer().current(), None, "attempt {failed}");
            world.fire(B, Timer::Join);
            world.settle();
            world.fire(A, Timer::Pace);
        }
        assert!(!world.active(A).mode().is_pausing());
    }
}

/// A new boot of the same engine gets one attempt; another engine as many as the first.
#[test]
fn a_new_boot_gets_one_attempt() {
    let mut world = with_line();
    world.garble = Some(of_snapshots);
    world.rounds(40);
    let before = sessions(&world);
    world.boot(B);
    world.rounds(10);
    assert_eq!(sessions(&world), before + 1);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    world.boot(B);
    world.garble = Some(of_another_engine);
    world.rounds(10);
    assert!(world.is_hot());
}

fn of_another_engine(message: &mut Message) {
    if let Message::Join(call) = message {
        call.engine.version[0] += 1;
    }
}

/// A Line that does not decode is not applied, and what came before it may take over.
#[test]
fn an_unreadable_line_leaves_the_replica_ready() {
    for garble in [of_listings, of_differences] {
        let mut world = World::hot();
        let kept = world.command(A, "hostname a");
        world.rounds(1);
        let replicated =
            |outcome: &Outcome| matches!(outcome, Outcome::Done { place: Copies::Replicated, .. });
        assert!(replicated(&world.answers[&kept]));
        world.garble = Some(garble);
        world.lose.insert(MessageKind::Unreadable);
        world.command(A, "hostname b");
        world.settle();
        let Role::Standby(standby) = &world.unit(B).part else {
            panic!("a Standby");
        };
        let replica = standby.replica.as_ref().expect("a replica");
        assert_eq!((replica.applied, replica.readiness), (Lsn(1), Readiness::Ready));
        assert_eq!(&*world.text(B), "hostname a\n");
        world.crash(A);
        world.lease_over();
        assert_eq!(world.active_slot(), Some(B));
        assert_eq!(&*world.text(B), "hostname a\n", "statefully, with what was acknowledged");
    }
}

/// It is said until it is answered, and the session is tried again.
#[test]
fn an_unreadable_line_is_said_until_the_session_is_left() {
    let mut world = World::hot();
    world.garble = Some(of_listings);
    world.lose.insert(MessageKind::Unreadable);
    let id = world.command(A, "hostname a");
    world.rounds(2);
    assert!(!world.answers.contains_key(&id));
    world.lose.clear();
    world.garble = None;
    world.rounds(6);
    assert!(world.left(A, LeaveWhy::Unreadable));
    assert!(world.left(B, LeaveWhy::Unreadable));
    assert!(world.is_hot());
    assert_eq!(world.text(A), world.text(B));
    assert_eq!(world.active(A).mode().attempts(), 1);
    world.fire(A, Timer::Stable);
    assert_eq!(world.active(A).mode().attempts(), 0, "hot for long");
}

/// A dump that does not decode holds the Standby; a diff that does not is tried again, then held.
#[test]
fn a_dump_that_does_not_decode_is_told_by_down() {
    let mut world = World::new(["6.0", "7.1"]);
    world.garble = Some(of_dumps);
    world.bring_up(4);
    assert_eq!(world.active(A).peer().phase(), Some(&Of::Held));
    let why = |event: &Event| matches!(event, Event::Degraded { why: LeaveWhy::Unreadable, .. });
    assert!(world.find(A, why) && world.find(B, why));
}

fn of_dumps(message: &mut Message) {
    match message {
        Message::Proceed { dump, dump_size, .. } => {
            (*dump, *dump_size) = (foreign(b"").digest(), 1);
        }
        Message::Chunk { chunk, .. } if chunk.file.kind == FileKind::Dump => {
            chunk.bytes = foreign(b"");
            chunk.size = 1;
            chunk.digest = chunk.bytes.digest();
        }
        _ => {}
    }
}

#[test]
fn a_diff_that_does_not_decode_is_tried_again_and_then_held() {
    let mut world = World::new(["6.0", "7.1"]);
    world.garble = Some(|message| {
        if let Message::Chunk { chunk, .. } = message
            && chunk.file.kind == FileKind::Diff
        {
            chunk.bytes = foreign(b"");
            chunk.size = 1;
            chunk.digest = chunk.bytes.digest();
        }
    });
    world.bring_up(60);
    assert!(world.left(A, LeaveWhy::Unreadable));
    assert_eq!(world.active(A).mode().attempts(), world.limits.max_attempts);
    assert_eq!(world.active(A).peer().phase(), Some(&Of::Held));
}

/// A save that does not decode is reported so.
#[test]
fn a_save_that_does_not_decode_is_reported() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    world.garble = Some(|message| match message {
        Message::Save { size, listing_at, origin_at, digest, .. } => {
            (*size, *listing_at, *origin_at) = (1, 1, 1);
            *digest = foreign(b"").digest();
        }
        Message::Chunk { chunk, .. } if chunk.file.kind == FileKind::Save => {
            chunk.bytes = foreign(b"");
            chunk.size = 1;
            chunk.digest = chunk.bytes.digest();
        }
        _ => {}
    });
    let id = world.ask(A, Request::Save);
    world.rounds(2);
    let saved = Outcome::Saved { own: SaveResult::Ok, peer: Some(SaveResult::Unreadable) };
    assert_eq!(world.answers[&id], saved);
}

/// What is more than the other unit takes is not sent: the pair comes up in rpr, until it is less
/// again.
#[test]
fn more_stuck_lines_than_the_standby_takes_end_in_rpr() {
    let mut world = World::new(["6.2", "6.0"]);
    world.limits.max_listed = 1;
    world.bring_up(6);
    assert!(world.is_hot(), "{:?}", world.units);
    world.command(A, "interface eth0\nmtu 9216");
    world.rounds(2);
    assert!(world.is_hot(), "as many as it takes");
    world.command(A, "interface eth1\nmtu 9216");
    world.rounds(10);
    assert!(world.left(A, LeaveWhy::Bound));
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    let why = |event: &Event| matches!(event, Event::Degraded { why: LeaveWhy::Bound, .. });
    assert!(world.find(A, why));
    assert!(sessions(&world) <= 2, "{}", sessions(&world));
    world.command(A, "interface eth1\nno mtu 9216");
    world.fire(A, Timer::Backoff);
    world.rounds(8);
    assert!(world.is_hot());
}

/// Section 6: a deadline asks policy.
#[test]
fn a_deadline_is_a_cause_that_policy_decides() {
    let limit = |action| {
        Policy::new(Vec::from([PolicyRule {
            phase: Some(SyncPhase::Bulk),
            cause: Some(Cause::Limit),
            component: None,
            form: None,
            action,
        }]))
        .expect("legal")
    };
    let after = |action| {
        let mut world = World::new(["6.2", "6.2"]);
        world.policy = limit(action);
        world.lose.insert(MessageKind::ConfigChunk);
        world.bring_up(2);
        world.fire(A, Timer::Deadline);
        world.lose.clear();
        world.rounds(6);
        (world.is_hot(), world.unit(B).rf_state())
    };
    assert_eq!(after(Action::ResetStandby), (true, RfState::StandbyHot));
    assert_eq!(after(Action::Degrade), (false, RfState::StandbyCold));
    assert_eq!(after(Action::Simplex), (false, RfState::Initialization));
}

/// Section 6: simplex does not end by a new boot of the same image.
#[test]
fn simplex_lasts_through_a_new_boot() {
    let mut world = World::new(["6.2", "6.2"]);
    world.policy = Policy::new(Vec::from([PolicyRule {
        phase: None,
        cause: Some(Cause::Limit),
        component: None,
        form: None,
        action: Action::Simplex,
    }]))
    .expect("legal");
    world.lose.insert(MessageKind::ConfigChunk);
    world.bring_up(2);
    world.fire(A, Timer::Deadline);
    world.lose.clear();
    world.boot(B);
    world.rounds(6);
    assert_eq!(world.unit(B).rf_state(), RfState::Initialization);
    world.ask(A, Request::RetrySso);
    world.rounds(6);
    assert!(world.is_hot());
}

/// What is held out beyond what an answer names is counted, and goes when it is executed.
#[test]
fn mismatches_beyond_those_that_are_named_are_a_number() {
    let mut world = World::new(["6.2", "6.2"]);
    world.limits.max_mismatches = 1;
    world.policy = Policy::new(Vec::from([PolicyRule {
        phase: None,
        cause: Some(Cause::Prc),
        component: None,
        form: None,
        action: Action::DropAndWarn,
    }]))
    .expect("legal");
    world.bring_up(2);
    world.refuse("192.0.2.1");
    world.command(A, "ntp server 192.0.2.1\nntp server 192.0.2.2");
    world.rounds(1);
    let held = |world: &World| {
        let current = world.active(A).peer().current().expect("in session");
        (current.missing().lines().len(), current.missing().further)
    };
    assert_eq!(held(&world), (1, 0));
    world.refuse("192.0.2.3");
    world.command(A, "ntp server 192.0.2.3");
    world.rounds(1);
    assert_eq!(held(&world), (1, 1));
    world.command(A, "no ntp server 192.0.2.1");
    world.rounds(1);
    assert_eq!(held(&world), (1, 0), "a line that is gone is held out no more");
    world.command(A, "no ntp server 192.0.2.3");
    world.rounds(1);
    assert_eq!(held(&world), (0, 0));
}

fn of_results(message: &mut Message) {
    if let Message::BulkDone { digest, .. } = message {
        *digest = foreign_file();
    }
}

/// Once the ordered resets are used up, the event says what they were for.
#[test]
fn the_reason_for_rpr_after_ordered_resets_is_what_they_were_ordered_for() {
    let says = |world: &World, cause: LeaveWhy| {
        world.find(A, |event| matches!(event, Event::Degraded { why, .. } if *why == cause))
    };
    let mut world = with_line();
    world.limits.max_resets = 0;
    world.garble = Some(of_results);
    world.rounds(4);
    assert!(says(&world, LeaveWhy::DigestMismatch), "{:?}", world.events);
    let mut world = with_line();
    world.limits.max_resets = 0;
    world.refuse("a");
    world.rounds(4);
    assert!(says(&world, LeaveWhy::PrcMismatch), "{:?}", world.events);
}

/// Section 3: a message of a session that is over changes nothing, and is answered by nothing.
#[test]
fn a_session_that_is_over_is_not_answered() {
    let mut world = World::hot();
    let session = world.active(A).peer().current().expect("hot").session();
    let from = crate::message::Address::Unit(B);
    world.ask(A, Request::ResetPeer);
    let lsn = Lsn(0);
    let message = Message::HotAck { session, lsn };
    let input = crate::unit::Input::Message { from, message };
    let (after, out) = world.probe(A, world.unit(A), input);
    assert_eq!(&after, world.unit(A));
    let sent = |output: &crate::unit::Output| matches!(output, crate::unit::Output::Send { .. });
    assert!(!out.iter().any(sent));
}

/// Section 4: the Active compares the digests; what a Standby would see is in its own Keepalive,
/// too.
#[test]
fn a_standby_leaves_the_digests_to_the_active() {
    let world = World::hot();
    let session = world.active(A).peer().current().expect("hot").session();
    let alive = Message::Keepalive {
        session,
        lsn: Lsn(0),
        digest: Digest(1),
        mode: crate::message::Redundancy::Sso,
        held: crate::message::HeldBy::Register,
        counter: 9,
    };
    let from = crate::message::Address::Unit(A);
    let message = alive;
    let (after, _) = world.probe(B, world.unit(B), crate::unit::Input::Message { from, message });
    let Role::Standby(standby) = &after.part else {
        panic!("a Standby");
    };
    let seat = standby.seat.as_ref().expect("in session");
    assert!(matches!(seat.phase, crate::unit::standby::StandbyPhase::Synced { .. }));
}

/// Section 10.2: the term of what a unit booted was seen by it, whatever its disk says of the
/// highest term.
#[test]
fn a_unit_has_seen_the_term_of_its_store() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.ask(A, Request::Save);
    world.rounds(2);
    let term = world.active(A).term();
    world.forget_highest(B);
    world.boot(B);
    assert_eq!(world.unit(B).own.highest, term);
}
