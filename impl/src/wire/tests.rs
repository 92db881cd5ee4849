//! Round trips, and what becomes of every malformed frame.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::digest::{Digest, ImageDigest, Shared};
use crate::ids::{Attempt, BootId, Lsn, Term};
use crate::message::{
    Bounds, Compatibility, DumpAtHand, Engine, HeldBy, LeaveWhy, Mismatch, Missing, OnMismatch,
    Payload, Prc, Ranges, Redundancy, RejectWhy, SaveResult, Session, Unraised, Unreadable,
    Verdict,
};
use crate::policy::Cause;

/// One message of every kind, its fields made of `seed`.
fn of_every_kind(seed: u64) -> Vec<Message> {
    let small = seed as u32 & 0xffff;
    let session = Session {
        term: Term(seed),
        active: BootId(seed ^ 1),
        standby: BootId(seed.rotate_left(7)),
        attempt: Attempt(small),
    };
    let (lsn, digest, image) =
        (Lsn(seed >> 3), Digest(u128::from(seed) << 61), ImageDigest([seed as u8; 32]));
    let stamp = Stamp { term: Term(seed), lsn };
    let bytes: Shared<[u8]> = Shared::new(seed.to_le_bytes()[..(seed % 9) as usize].to_vec());
    let text = |text| Shared::text(text);
    let mismatch = Mismatch {
        component: text("bgp"),
        form: text("neighbor A.B.C.D"),
        line: text("router bgp 1 / neighbor 192.0.2.1"),
        prc: Prc::Rejected,
    };
    let unraised = Unraised {
        component: text("base"),
        form: text("global-block (16-99)"),
        line: text("global-block 16"),
        cause: [None, Some(Cause::GuardedValue), Some(Cause::Limit)][(seed % 3) as usize],
    };
    let missing = Missing {
        mismatches: Shared::new(vec![mismatch; (seed % 3) as usize]),
        unraised: Shared::new(vec![unraised; (seed % 4) as usize]),
        further: small,
    };
    let ranges = Ranges::from_ordered(vec![(0, 4), (7, 8 + (seed >> 8))]).expect("in order");
    let chunk = |kind| Message::Chunk {
        session,
        chunk: Chunk {
            file: FileId { kind, ordinal: seed },
            size: seed,
            digest,
            offset: seed >> 1,
            bytes: bytes.clone(),
        },
    };
    let eligible = Eligible { session, slot: Slot(1), lsn };
    let (boot, term, n) = (BootId(seed), Term(seed), seed);
    let engine = Engine { version: [small as u16, 2, 3] };
    let bounds = Bounds { file: seed, line: small, listed: 1, mismatches: 2 };
    let call = JoinCall {
        boot,
        n: Attempt(small),
        lost_disk: seed & 1 == 1,
        highest: term,
        wire: WireVersions::OURS,
        image,
        resets: small,
        engine,
        bounds,
    };
    let mut messages = vec![
        Message::Join(call),
        Message::Proceed {
            session,
            wire: 1,
            image,
            dump_size: seed,
            dump: digest,
            resets: small,
            engine,
            bounds,
        },
        Message::Have { session, file: FileId { kind: FileKind::Diff, ordinal: 0 }, ranges },
        Message::Ready {
            session,
            have: DumpAtHand::Needed,
            replica: (seed & 2 == 2).then_some(stamp),
        },
        Message::Compatible { session, compatibility: Compatibility::Dynamic },
        Message::Incompatible { session, stuck: small },
        Message::Config { session, lsn, size: seed, listing_at: seed >> 1, digest },
        Message::BulkDone { session, lsn, missing: missing.clone(), digest },
        Message::BulkAccept { session, lsn, listed: small },
        Message::BulkReject { session, lsn, verdict: Verdict::Rpr, why: RejectWhy::Limit },
        Message::Line {
            session,
            lsn,
            difference: bytes.clone(),
            on_mismatch: OnMismatch::LeaveHot,
            listing: bytes.clone(),
        },
        Message::Applied { session, lsn, digest, missing },
        Message::Unreadable {
            session,
            lsn,
            why: Unreadable {
                what: Payload::Listing,
                offset: (seed & 1 == 1).then_some(seed),
                engine,
            },
        },
        Message::Hot { session, lsn },
        Message::HotAck { session, lsn },
        Message::Leave { session, why: LeaveWhy::Deadline },
        Message::Left { session },
        Message::Save {
            session,
            save: small,
            stamp,
            size: seed,
            listing_at: 1,
            origin_at: 2,
            digest,
        },
        Message::Saved { session, save: small, result: SaveResult::Disk },
        Message::Keepalive {
            session,
            lsn,
            digest,
            mode: Redundancy::Sso,
            held: HeldBy::Register,
            counter: small,
        },
        Message::Down { session, why: LeaveWhy::Over },
    ];
    let files = [FileKind::Dump, FileKind::Diff, FileKind::Config, FileKind::Save];
    messages.extend(files.map(chunk));
    let hello = Hello {
        generation: 0,
        asked: term,
        k: n,
        highest: term,
        said: Said {
            startup: stamp,
            running: (seed & 2 == 2).then_some(stamp),
            replica: (seed & 4 == 4).then_some(stamp),
        },
    };
    let to_arbiter = [
        ToArbiter::Hello { boot, hello },
        ToArbiter::Renew { generation: 0, boot, term, n, lsn },
        ToArbiter::Decline { boot, term, hello },
        ToArbiter::SetRegister { term, counter: small, value: (seed & 2 == 2).then_some(eligible) },
        ToArbiter::Release { term, lsn },
    ];
    messages.extend(to_arbiter.map(Message::ToArbiter));
    let origins =
        [Origin::Stateful { session, lsn }, Origin::Cold, Origin::Resume, Origin::Stale { stamp }];
    for (origin, bound) in origins.into_iter().zip([None, Some(lsn), None, Some(lsn)]) {
        messages.push(Message::ToUnit(ToUnit::Offer {
            generation: 0,
            boot,
            term,
            origin,
            bound,
            hello: n,
        }));
    }
    messages.push(Message::ToUnit(ToUnit::Grant { generation: 0, boot, term, n }));
    messages.push(Message::ToUnit(ToUnit::Confirm { generation: 0, term, counter: small }));
    messages.push(Message::ToUnit(ToUnit::Ask { boot, asked: term }));
    messages
}

proptest! {
    #[test]
    fn every_message_comes_back_as_it_was(seed: u64, slot in 0_u8..255) {
        for message in of_every_kind(seed) {
            let from = Address::Unit(Slot(slot));
            prop_assert_eq!(decode(&encode(from, &message)), Ok((from, message)));
        }
    }

    #[test]
    fn bytes_at_random_are_an_error(mut bytes: Vec<u8>, version in 0..=VERSION) {
        prop_assert!(decode(&bytes).is_err());
        // Not even with a frame's head and a checksum that is right.
        let mut frame = [&MAGIC[..], &version.to_le_bytes(), &[0; CHECKSUM_BYTES]].concat();
        frame.append(&mut bytes);
        seal(&mut frame, CHECKSUM_AT);
        if let Ok((from, message)) = decode(&frame) {
            prop_assert_eq!(encode(from, &message), frame);
        }
    }
}

#[test]
fn every_kind_is_among_the_samples() {
    let kinds: BTreeSet<_> = of_every_kind(11).iter().map(Message::kind).collect();
    assert_eq!(kinds.len(), crate::message::MessageKind::Ask as usize + 1);
}

#[test]
fn a_frame_cut_at_any_byte_is_an_error() {
    for message in of_every_kind(0x0123_4567_89ab_cdef) {
        let frame = encode(Address::Unit(Slot(3)), &message);
        for end in 0..frame.len() {
            assert!(decode(&frame[..end]).is_err(), "{:?} cut at {end}", message.kind());
        }
    }
}

#[test]
fn a_frame_with_any_bit_flipped_is_an_error() {
    for message in of_every_kind(0x0123_4567_89ab_cdef) {
        let frame = encode(Address::Unit(Slot(3)), &message);
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped).is_err(), "{:?} flipped at bit {bit}", message.kind());
        }
    }
}

fn session_of_zeros() -> Session {
    Session { term: Term(0), active: BootId(0), standby: BootId(0), attempt: Attempt(0) }
}

/// Section 3: the layout of Join is frozen for ever.
#[test]
fn the_layout_of_join_is_frozen() {
    let call = JoinCall {
        boot: BootId(0x0807_0605_0403_0201),
        n: Attempt(2),
        lost_disk: true,
        highest: Term(3),
        wire: WireVersions { min: 1, max: 4 },
        image: ImageDigest([0xaa; 32]),
        resets: 5,
        engine: Engine { version: [1, 2, 3] },
        bounds: Bounds { file: 4, line: 5, listed: 6, mismatches: 7 },
    };
    let frame = encode(Address::Unit(Slot(9)), &Message::Join(call));
    let mut expected = b"SKWJ\x01".to_vec();
    expected.extend_from_slice(&frame[5..9]);
    expected.push(9);
    expected.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[1, 0, 4, 0]);
    expected.extend_from_slice(&[0xaa; 32]);
    expected.extend_from_slice(&[5, 0, 0, 0]);
    assert_eq!(expected.len(), 71);
    // Tag, length, bytes: the engine, then what the unit takes at most.
    expected.extend_from_slice(&[1, 0, 6, 0, 1, 0, 2, 0, 3, 0]);
    expected.extend_from_slice(&[2, 0, 20, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend_from_slice(&[5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(frame, expected);
    let mut first = frame[..71].to_vec();
    seal(&mut first, JOIN_CHECKSUM_AT);
    let of_old = JoinCall { engine: Engine::default(), bounds: Limits::DEFAULT.bounds(), ..call };
    assert_eq!(
        decode(&first),
        Ok((Address::Unit(Slot(9)), Message::Join(of_old))),
        "an engine that says neither"
    );
    let mut extended = frame;
    extended.extend_from_slice(&[7, 0, 2, 0, 0xff, 0xff]);
    seal(&mut extended, JOIN_CHECKSUM_AT);
    let read = decode(&extended);
    assert_eq!(read, Ok((Address::Unit(Slot(9)), Message::Join(call))), "it is skipped");
}

/// Section 3: an announced size is checked before anything is allocated.
#[test]
fn a_count_beyond_the_frame_is_short() {
    let session = session_of_zeros();
    let file = FileId { kind: FileKind::Dump, ordinal: 0 };
    let ranges = Ranges::new();
    let mut frame = encode(Address::Arbiter, &Message::Have { session, file, ranges });
    let count_at = frame.len() - 4;
    frame[count_at..].copy_from_slice(&u32::MAX.to_le_bytes());
    seal(&mut frame, CHECKSUM_AT);
    assert!(matches!(decode(&frame), Err(WireError::Short { .. })));
}

#[test]
fn ranges_that_overlap_are_an_error() {
    let session = session_of_zeros();
    let file = FileId { kind: FileKind::Dump, ordinal: 0 };
    let ranges = Ranges::from_ordered(vec![(0, 4), (8, 9)]).expect("in order");
    let mut frame = encode(Address::Arbiter, &Message::Have { session, file, ranges });
    let second = frame.len() - 16;
    frame[second] = 2;
    seal(&mut frame, CHECKSUM_AT);
    assert!(matches!(decode(&frame), Err(WireError::Value { what: "list of ranges", .. })));
}
