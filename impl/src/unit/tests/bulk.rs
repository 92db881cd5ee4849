//! Joining, negotiation, bulk sync, up to hot.

use alloc::vec::Vec;

use super::world::{A, B, World};
use crate::message::{FileKind, LeaveWhy, Message, MessageKind, RejectWhy, Verdict};
use crate::unit::{ArbiterTimer, Event, Limits, RfState, Role, Timer, peer, standby};

#[test]
fn two_units_of_one_image_become_hot() {
    let world = World::hot();
    assert_eq!(world.active(A).peer_rf_state(), RfState::StandbyHot);
    assert!(world.delivered < 100, "{} messages", world.delivered);
    assert!(world.find(A, |event| matches!(event, Event::Hot { listed: 0 })));
}

/// Seed, steps 208-212 and 256-264: the dump goes over, the diff comes back.
#[test]
fn two_units_of_different_images_exchange_dump_and_diff() {
    let mut world = World::new(["6.0", "7.1"]);
    world.limits = Limits { max_chunk: 4_096, chunk_window: 3, ..Limits::DEFAULT };
    world.settle();
    world.fire_arbiter(ArbiterTimer::Gather);
    world.settle();
    world.command(A, "hostname a");
    world.rounds(8);
    assert!(world.is_hot(), "{:?}", world.units);
    assert_eq!(&*world.text(B), "hostname a\n");
    assert_eq!(world.unit(B).own.paired.len(), 1);
}

/// Section 3: a dump that was received before is not sent again.
/// Section 10.2: what the first Compatible said the repeated one says.
#[test]
fn a_lost_verdict_is_said_again_as_it_was() {
    for releases in [["6.2", "6.2"], ["6.2", "6.0"]] {
        let mut world = World::new(releases);
        let mut said = Vec::new();
        while world.deliver() {}
        world.fire_arbiter(ArbiterTimer::Gather);
        for _ in 0..400 {
            if let Some(flight) = world.net.front()
                && let Message::Compatible { compatibility, .. } = flight.message
            {
                said.push(compatibility);
                world.net.pop_front();
            }
            if said.len() == 3 {
                break;
            }
            if !world.deliver() {
                for (slot, timer) in [(B, Timer::Join), (A, Timer::Resend), (B, Timer::Resend)] {
                    world.fire(slot, timer);
                }
            }
        }
        assert_eq!(said.len(), 3, "{releases:?}");
        assert!(said.iter().all(|each| *each == said[0]), "{said:?}");
    }
}

#[test]
fn a_second_session_skips_the_dump() {
    let mut world = World::new(["6.0", "7.1"]);
    world.bring_up(4);
    assert!(world.is_hot());
    world.ask(A, crate::unit::Request::ResetPeer);
    world.lose.insert(MessageKind::Dump);
    world.rounds(4);
    assert!(world.is_hot(), "{:?}", world.units);
}

/// Section 3, the table: each message has an owner that sends it again.
#[test]
fn the_first_loss_of_any_kind_is_made_good() {
    let kinds = [
        MessageKind::Join,
        MessageKind::Proceed,
        MessageKind::Ready,
        MessageKind::Dump,
        MessageKind::Diff,
        MessageKind::Compatible,
        MessageKind::Config,
        MessageKind::ConfigChunk,
        MessageKind::BulkDone,
        MessageKind::BulkAccept,
        MessageKind::Line,
        MessageKind::Applied,
        MessageKind::Hot,
        MessageKind::HotAck,
        MessageKind::SetRegister,
        MessageKind::Confirm,
        MessageKind::Renew,
        MessageKind::Grant,
        MessageKind::Offer,
        MessageKind::Hello,
    ];
    for kind in kinds {
        let mut world = World::new(["6.0", "7.1"]);
        world.lose.insert(kind);
        world.bring_up(1);
        world.lose.clear();
        world.rounds(8);
        assert!(world.is_hot(), "{kind:?} lost: {:?}", world.units);
    }
}

/// Seed, step 330: the shadow is judged before anything is swapped (section 4).
#[test]
fn nothing_is_swapped_before_the_active_has_judged() {
    let mut world = World::new(["6.2", "6.2"]);
    world.lose.insert(MessageKind::BulkAccept);
    world.bring_up(2);
    let Role::Standby(waiting) = &world.unit(B).part else { panic!("a Standby") };
    assert_eq!(waiting.replica, None);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyColdFilesys);
    world.command(A, "hostname a");
    world.settle();
    let Role::Standby(waiting) = &world.unit(B).part else { panic!("a Standby") };
    assert_eq!(waiting.replica, None, "a line before BulkAccept is never applied");
    world.lose.clear();
    world.rounds(3);
    assert!(world.is_hot());
    assert_eq!(&*world.text(B), "hostname a\n");
}

/// Section 3: a message of another session changes nothing.
#[test]
fn a_stale_message_changes_nothing() {
    let mut world = World::new(["6.2", "6.2"]);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Gather);
    world.settle();
    world.fire(B, Timer::Join);
    let mut seen = alloc::vec![];
    for _ in 0..200 {
        if let Some(flight) = world.net.front() {
            seen.push(flight.clone());
        }
        if !world.deliver() {
            break;
        }
    }
    world.rounds(2);
    world.ask(A, crate::unit::Request::ResetPeer);
    world.rounds(4);
    assert!(world.is_hot());
    let before = world.units.clone();
    let mut stale = 0;
    for flight in seen {
        let of_a_session = flight.message.session().is_some();
        if of_a_session || flight.message.kind() == MessageKind::Join {
            stale += 1;
            world.inject(flight);
        }
    }
    assert!(stale > 8, "{stale} messages of the first session");
    assert_eq!(world.units, before);
}

/// Section 4: commands go on during bulk sync and are journalled.
#[test]
fn a_command_during_bulk_sync_follows_as_a_line() {
    let mut world = World::new(["6.2", "6.2"]);
    world.lose.insert(MessageKind::ConfigChunk);
    world.bring_up(1);
    assert!(matches!(world.active(A).peer().phase(), Some(peer::ActivePhase::Bulk(_))));
    world.command(A, "hostname a");
    world.command(A, "ntp server 192.0.2.1");
    world.lose.clear();
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(world.text(B), world.text(A));
}

/// Section 4: a journal that overflows ends the attempt, and a newer snapshot is taken.
#[test]
fn a_full_journal_ends_the_attempt() {
    let mut world = World::new(["6.2", "6.2"]);
    world.limits.max_journal = 2;
    world.lose.insert(MessageKind::ConfigChunk);
    world.bring_up(1);
    for host in ["hostname a", "hostname b", "hostname c"] {
        world.command(A, host);
    }
    assert!(world.left(A, LeaveWhy::JournalFull));
    world.lose.clear();
    world.rounds(5);
    assert!(world.is_hot());
    assert_eq!(world.text(B), world.text(A));
}

/// Section 4: attempts that fail are bounded; then the pair is in rpr, until an operator has it try
/// again.
#[test]
fn attempts_are_bounded_and_rpr_is_left_again() {
    let mut world = World::new(["6.2", "6.2"]);
    world.limits.max_attempts = 2;
    world.lose.insert(MessageKind::ConfigChunk);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Gather);
    for _ in 0..2 {
        world.rounds(3);
        world.fire(A, Timer::Deadline);
    }
    world.lose.clear();
    world.rounds(5);
    let rejected = peer::ActivePhase::Rejected {
        lsn: crate::ids::Lsn(0),
        verdict: Verdict::Rpr,
        why: RejectWhy::Limit,
    };
    assert_eq!(world.active(A).peer().phase(), Some(&rejected));
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    world.fire(A, Timer::Backoff);
    world.rounds(5);
    assert_eq!(world.unit(B).rf_state(), RfState::StandbyCold);
    world.ask(A, crate::unit::Request::RetrySso);
    world.rounds(5);
    assert!(world.is_hot());
}

/// Section 3: chunks of another snapshot are not mixed into the RCSF.
#[test]
fn a_chunk_of_another_snapshot_is_not_taken() {
    let mut world = World::new(["6.2", "6.2"]);
    world.lose.insert(MessageKind::ConfigChunk);
    world.bring_up(1);
    world.fire(A, Timer::Resend);
    let chunk = world.net.iter().find(|flight| flight.message.kind() == MessageKind::ConfigChunk);
    let mut forged = chunk.expect("a chunk is under way").clone();
    if let Message::Chunk { chunk, .. } = &mut forged.message {
        assert_eq!(chunk.file.kind, FileKind::Config);
        chunk.file.ordinal += 1;
    }
    world.inject(forged);
    let Role::Standby(standby) = &world.unit(B).part else { panic!("a Standby") };
    let seat = standby.seat.as_ref().expect("in session");
    let untouched = matches!(&seat.phase, standby::StandbyPhase::Config { file: None, .. });
    assert!(untouched, "{:?}", seat.phase);
}
