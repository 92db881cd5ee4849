//! State x input: what each machine does with each input in each of its states, pinned.
//!
//! `H` it acts, or its state changes; `i` counted as ignored; `w` a sign of life of the session,
//! and no more; `-` nothing at all, not even a count. Messages are of the unit's own session and of
//! the other slot, and say little: the table pins who listens, the scripts beside it pin what is
//! done.
//!
//! Why a state does not listen:
//! - a Standby that is joining has no session, a holder none of its term: every message but Proceed
//!   and the arbiter's is stale by definition;
//! - what the other side of a session says is not a side's own to hear (`Applied` at a Standby,
//!   `Line` at an Active), and what the arbiter alone may say is no unit's;
//! - a phase that does not wait for a message has passed it or is not there yet: the sender repeats
//!   it for as long as it is wanted;
//! - timers of another part, or of what is not under way, were due when the part changed;
//! - a pairing or write that is not waited for is another session's; a link says nothing, the
//!   watchdog decides when a session is over.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::world::{A, B, World};
use crate::digest::{Digest, Shared};
use crate::ids::{BootId, CommandId, Lsn, Slot, Term, WriteId};
use crate::message::{
    Address, Chunk, Compatibility, Engine, FileId, FileKind, HeldBy, Hello, JoinCall, LeaveWhy,
    Message, Missing, OnMismatch, Origin, Payload, Ranges, Redundancy, RejectWhy, Said, SaveResult,
    Session, Stamp, ToArbiter, ToUnit, Unreadable, Verdict, WireVersions,
};
use crate::unit::holder::LeaseWait;
use crate::unit::peer::{ActivePhase as PeerPhase, ActiveSession};
use crate::unit::standby::{At, StandbyPhase as SeatPhase};
use crate::unit::{
    Arbiter, ArbiterInput, ArbiterTimer, Command, Durability, Event, Input, Limits, Output,
    PairingKey, PairingSide, Request, Role, Timer, Unit,
};

/// What the table looked like when it was last agreed to.
const PINNED: &str = include_str!("matrix.txt");

/// The states, in the order of the columns.
const STATES: [&str; 26] = [
    "Standby Joining",
    "Standby Ready",
    "Standby Dump",
    "Standby Pairing",
    "Standby Diffed",
    "Standby Config",
    "Standby Shadow",
    "Standby Synced",
    "Standby Unread",
    "Standby Rpr",
    "Standby Held",
    "Holder",
    "Holder suspended",
    "Holder released",
    "Active alone",
    "Active Dump",
    "Active Diff",
    "Active Pairing",
    "Active Config",
    "Active Bulk",
    "Active Cold",
    "Active HotSent",
    "Active HotAcked",
    "Active Setting",
    "Active Hot",
    "Active Rejected",
];

fn name(unit: &Unit) -> &'static str {
    match &unit.part {
        Role::Standby(standby) => match standby.seat.as_ref().map(|seat| &seat.phase) {
            None => "Standby Joining",
            Some(SeatPhase::Ready { .. }) => "Standby Ready",
            Some(SeatPhase::Dump(_)) => "Standby Dump",
            Some(SeatPhase::Pairing) => "Standby Pairing",
            Some(SeatPhase::Diffed { .. }) => "Standby Diffed",
            Some(SeatPhase::Config { .. }) => "Standby Config",
            Some(SeatPhase::Shadow(_)) => "Standby Shadow",
            Some(SeatPhase::Synced { .. }) => "Standby Synced",
            Some(SeatPhase::Unread { .. }) => "Standby Unread",
            Some(SeatPhase::Rpr) => "Standby Rpr",
            Some(SeatPhase::Held) => "Standby Held",
        },
        Role::Holder(holder) => match (&holder.lease, &holder.suspended) {
            (LeaseWait::Released, _) => "Holder released",
            (LeaseWait::Lease, Some(_)) => "Holder suspended",
            (LeaseWait::Lease, None) => "Holder",
        },
        Role::Active(active) => match active.peer().phase() {
            None => "Active alone",
            Some(PeerPhase::Dump(_)) => "Active Dump",
            Some(PeerPhase::Diff(_)) => "Active Diff",
            Some(PeerPhase::Pairing) => "Active Pairing",
            Some(PeerPhase::Config) => "Active Config",
            Some(PeerPhase::Bulk(_)) => "Active Bulk",
            Some(PeerPhase::Cold) => "Active Cold",
            Some(PeerPhase::HotSent) => "Active HotSent",
            Some(PeerPhase::HotAcked) => "Active HotAcked",
            Some(PeerPhase::Setting) => "Active Setting",
            Some(PeerPhase::Hot) => "Active Hot",
            Some(PeerPhase::Rejected { .. } | PeerPhase::Held) => "Active Rejected",
        },
    }
}

/// A state that comes of another by this.
type Craft = (&'static str, fn(&mut Unit));

/// A unit in each state: those that a pair goes through on its way to hot, and what comes of them.
fn states(world: &mut World) -> BTreeMap<&'static str, (Slot, Unit)> {
    let mut states = BTreeMap::new();
    let note = |world: &World, states: &mut BTreeMap<_, _>| {
        for slot in [A, B] {
            let unit = world.unit(slot).clone();
            states.entry(name(&unit)).or_insert((slot, unit));
        }
    };
    for round in 0..6 {
        note(world, &mut states);
        while world.deliver() {
            note(world, &mut states);
        }
        if round == 0 {
            world.fire_arbiter(ArbiterTimer::Gather);
        }
        for slot in [A, B] {
            for timer in [Timer::Join, Timer::Renew, Timer::Resend, Timer::Keepalive] {
                world.fire(slot, timer);
            }
        }
    }
    let crafted: [Craft; 11] = [
        ("Standby Synced", |unit| seat(unit, SeatPhase::Pairing)),
        ("Standby Synced", |unit| {
            let why = Unreadable::here(Payload::Snapshot, None);
            let (lsn, at) = (Lsn(0), At::Snapshot);
            seat(unit, SeatPhase::Unread { lsn, at, why });
        }),
        ("Standby Synced", |unit| seat(unit, SeatPhase::Rpr)),
        ("Standby Synced", |unit| seat(unit, SeatPhase::Held)),
        ("Active Hot", |unit| phase(unit, PeerPhase::Diff(None))),
        ("Active Hot", |unit| phase(unit, PeerPhase::Pairing)),
        // At rest: what is to be acknowledged first is not.
        ("Active Hot", |unit| {
            phase(unit, PeerPhase::HotAcked);
            if let Role::Active(active) = &mut unit.part {
                let mut prompts = active.prompts().clone();
                prompts.note_local(Lsn(9));
                active.put_prompts(prompts);
            }
        }),
        ("Active Hot", |unit| {
            let (lsn, verdict) = (Lsn(0), Verdict::Rpr);
            phase(unit, PeerPhase::Rejected { lsn, verdict, why: RejectWhy::Policy });
        }),
        ("Active Hot", |unit| phase(unit, PeerPhase::Config)),
        ("Active Hot", |unit| {
            if let Role::Active(active) = &mut unit.part {
                active.put_phase(PeerPhase::Cold, Lsn(9));
            }
        }),
        ("Holder", |unit| {
            if let Role::Holder(holder) = &mut unit.part {
                holder.lease = LeaseWait::Released;
            }
        }),
    ];
    for (from, craft) in crafted {
        let (slot, mut unit) = states[from].clone();
        craft(&mut unit);
        states.entry(name(&unit)).or_insert((slot, unit));
    }
    let (slot, active) = states["Active Hot"].clone();
    let (suspended, _) = world.probe(slot, &active, Input::LeaseLapsed);
    states.insert(name(&suspended), (slot, suspended));
    states
}

fn seat(unit: &mut Unit, phase: SeatPhase) {
    if let Role::Standby(standby) = &mut unit.part
        && let Some(seat) = &mut standby.seat
    {
        seat.phase = phase;
    }
}

fn phase(unit: &mut Unit, phase: PeerPhase) {
    if let Role::Active(active) = &mut unit.part
        && let Some(h) = active.peer().current().map(ActiveSession::h)
    {
        active.put_phase(phase, h);
    }
}

/// The session that a unit is in, or would be in.
fn session(unit: &Unit) -> Session {
    let joining = Session {
        term: Term(unit.own.highest.0.max(1)),
        active: BootId(1),
        standby: unit.own.boot,
        attempt: unit.own.n,
    };
    match &unit.part {
        Role::Standby(standby) => standby.seat.as_ref().map_or(joining, |seat| seat.session),
        Role::Holder(_) => joining,
        Role::Active(active) => {
            let current = active.peer().current().map(ActiveSession::session);
            current.unwrap_or(joining)
        }
    }
}

fn chunk(kind: FileKind) -> Chunk {
    let bytes = Shared::new(b"x".to_vec());
    Chunk { file: FileId { kind, ordinal: 0 }, size: 9, digest: Digest(9), offset: 0, bytes }
}

/// One message of each kind, of this session.
fn messages(unit: &Unit) -> Vec<Message> {
    let session = session(unit);
    let (boot, lsn) = (unit.own.boot, Lsn(0));
    let term = unit.term().unwrap_or(Term(unit.own.highest.0 + 1));
    let stamp = Stamp { term, lsn };
    let digest = Digest(9);
    let bytes = || Shared::new(Vec::new());
    let mut all = vec![
        Message::Join(JoinCall {
            boot: BootId(9),
            n: session.attempt,
            lost_disk: false,
            highest: Term(0),
            wire: WireVersions::OURS,
            image: crate::digest::ImageDigest([7; 32]),
            resets: 0,
            engine: Engine::OURS,
            bounds: Limits::DEFAULT.bounds(),
        }),
        Message::Proceed {
            session,
            wire: 1,
            image: crate::digest::ImageDigest([7; 32]),
            dump_size: 9,
            dump: digest,
            resets: 0,
            engine: Engine::OURS,
            bounds: Limits::DEFAULT.bounds(),
        },
        Message::Have {
            session,
            file: FileId { kind: FileKind::Dump, ordinal: 0 },
            ranges: Ranges::new(),
        },
        Message::Ready { session, have: crate::message::DumpAtHand::Needed, replica: None },
    ];
    for kind in [FileKind::Dump, FileKind::Diff, FileKind::Config, FileKind::Save] {
        let chunk = chunk(kind);
        all.push(Message::Chunk { session, chunk });
    }
    all.extend([
        Message::Compatible { session, compatibility: Compatibility::Dynamic },
        Message::Incompatible { session, stuck: 1 },
        Message::Config { session, lsn, size: 9, listing_at: 9, digest },
        Message::BulkDone { session, lsn, missing: Missing::default(), digest },
        Message::BulkAccept { session, lsn, listed: 0 },
        Message::BulkReject { session, lsn, verdict: Verdict::Rpr, why: RejectWhy::Policy },
        Message::Line {
            session,
            lsn: Lsn(1),
            difference: bytes(),
            on_mismatch: OnMismatch::List,
            listing: bytes(),
        },
        Message::Applied { session, lsn, digest, missing: Missing::default() },
        Message::Unreadable { session, lsn, why: Unreadable::here(Payload::Snapshot, None) },
        Message::Hot { session, lsn },
        Message::HotAck { session, lsn },
        Message::Leave { session, why: LeaveWhy::Operator },
        Message::Left { session },
        Message::Save { session, save: 1, stamp, size: 9, listing_at: 9, origin_at: 9, digest },
        Message::Saved { session, save: 1, result: SaveResult::Ok },
        Message::Keepalive {
            session,
            lsn,
            digest: Digest::default(),
            mode: Redundancy::Sso,
            held: HeldBy::Nobody,
            counter: 0,
        },
        Message::Down { session, why: LeaveWhy::Over },
        Message::ToUnit(ToUnit::Offer {
            generation: 0,
            boot,
            term: Term(unit.own.highest.0 + 1),
            origin: Origin::Cold,
            bound: None,
            hello: unit.own.hello_k,
        }),
        Message::ToUnit(ToUnit::Grant { generation: 0, boot, term, n: 1 }),
        Message::ToUnit(ToUnit::Confirm { generation: 0, term, counter: 1 }),
        Message::ToUnit(ToUnit::Ask { boot, asked: term }),
        // What is not the arbiter's to hear is no unit's to say.
        Message::ToArbiter(ToArbiter::Release { term, lsn }),
    ]);
    all
}

/// Every input, with its name.
fn inputs(slot: Slot, unit: &Unit) -> Vec<(String, Input)> {
    let other = Slot(1 - slot.0);
    let named = |message: Message| {
        let from = match message {
            Message::ToUnit(_) => Address::Arbiter,
            _ => Address::Unit(other),
        };
        let name = alloc::format!("{:?}", message.kind());
        (name, Input::Message { from, message })
    };
    let mut all: Vec<(String, Input)> = messages(unit).into_iter().map(named).collect();
    let timer = |timer: &Timer| (alloc::format!("timer {timer:?}"), Input::Timer(*timer));
    all.extend(Timer::ALL.iter().map(timer));
    let id = CommandId(u64::MAX);
    let key = PairingKey {
        side: PairingSide::Active,
        own: crate::digest::ImageDigest([7; 32]),
        peer: crate::digest::ImageDigest([8; 32]),
        received: Digest(9),
    };
    let text = Shared::text("hostname pinned");
    let durability = Durability::Acked;
    let command = Command { id, text, durability };
    let request = Request::Save;
    let rest = [
        ("Command", Input::Command(command)),
        ("Operator", Input::Operator { id, request }),
        ("LeaseLapsed", Input::LeaseLapsed),
        ("Paired of another", Input::Paired(key)),
        ("Persisted of another", Input::Persisted(WriteId(u64::MAX))),
        ("PersistFailed of another", Input::PersistFailed(WriteId(u64::MAX))),
    ];
    all.extend(rest.map(|(name, input)| (name.to_string(), input)));
    all
}

fn class(before: &Unit, after: &Unit, out: &[Output]) -> char {
    let ignored = |output: &Output| matches!(output, Output::Event(Event::Ignored { .. }));
    let armed = |output: &Output| *output == Output::SetTimer(Timer::Watchdog);
    if before != after || !out.iter().all(|output| ignored(output) || armed(output)) {
        'H'
    } else if out.iter().any(ignored) {
        'i'
    } else if out.iter().any(armed) {
        'w'
    } else {
        '-'
    }
}

#[test]
fn each_machine_does_in_each_state_what_the_table_says() {
    let mut world = World::new(["7.1", "7.0"]);
    world.limits.max_chunk = 4_096;
    let states = states(&mut world);
    let mut table = String::new();
    for (number, state) in STATES.iter().enumerate() {
        assert!(states.contains_key(state), "{state} is not met");
        let letter = char::from(b'a' + number as u8);
        writeln!(table, "{letter} {state}").expect("a string takes all");
    }
    let letters: String = (b'a'..).take(STATES.len()).map(char::from).collect();
    writeln!(table, "\n{:26}{letters}", "").expect("a string takes all");
    let rows = inputs(A, &states["Active Hot"].1).len();
    for row in 0..rows {
        let mut classes = String::new();
        let mut label = String::new();
        for state in STATES {
            let (slot, unit) = &states[state];
            let (name, input) = inputs(*slot, unit).swap_remove(row);
            let (after, out) = world.probe(*slot, unit, input);
            classes.push(class(unit, &after, &out));
            label = name;
        }
        writeln!(table, "{label:26}{classes}").expect("a string takes all");
    }
    table.push_str(&arbiter());
    assert_eq!(table, PINNED, "the table is now:\n{table}");
}

/// The arbiter's part of the table.
fn arbiter() -> String {
    let mut world = World::new(["6.2", "6.2"]);
    let waiting = world.arbiter.clone();
    world.settle();
    let known = world.arbiter.clone();
    world.fire_arbiter(ArbiterTimer::Gather);
    let offered = world.arbiter.clone();
    world.settle();
    let held = world.arbiter.clone();
    let world = World::hot();
    let registered = world.arbiter.clone();
    let mut over = held.clone();
    if let Some(holder) = &mut over.holder {
        holder.lease = crate::unit::arbiter::Lease::Over;
    }
    let states: [(&str, &Arbiter); 6] = [
        ("Arbiter waiting", &waiting),
        ("Arbiter knows units", &known),
        ("Arbiter offer open", &offered),
        ("Arbiter held", &held),
        ("Arbiter held, register set", &registered),
        ("Arbiter lease over", &over),
    ];
    let (boot, term, lsn) = (BootId(1), Term(1), Lsn(0));
    let hello =
        Hello { generation: 0, asked: Term(0), k: 2, highest: Term(0), said: Said::default() };
    let messages = [
        ToArbiter::Hello { boot: BootId(2), hello },
        ToArbiter::Renew { generation: 0, boot, term, n: 1, lsn },
        ToArbiter::Decline { boot, term, hello },
        ToArbiter::SetRegister { term, counter: 9, value: None },
        ToArbiter::Release { term, lsn },
    ];
    let mut inputs: Vec<(String, ArbiterInput)> = messages
        .into_iter()
        .map(|message| {
            let name = alloc::format!("{:?}", message.kind());
            (name, ArbiterInput::Message { from: A, message })
        })
        .collect();
    for timer in [
        ArbiterTimer::Gather,
        ArbiterTimer::TakeoverWait,
        ArbiterTimer::Lease,
        ArbiterTimer::Resend,
    ] {
        inputs.push((alloc::format!("timer {timer:?}"), ArbiterInput::Timer(timer)));
    }
    let term = Term(0);
    let generation = 0;
    inputs.push(("Recovered".into(), ArbiterInput::Recovered { term }));
    let lost = ArbiterInput::StateLost { term, generation };
    inputs.push(("StateLost".into(), lost));
    let mut table = String::from("\n");
    for (number, (state, _)) in states.iter().enumerate() {
        let letter = char::from(b'a' + number as u8);
        writeln!(table, "{letter} {state}").expect("a string takes all");
    }
    writeln!(table, "\n{:26}abcdef", "").expect("a string takes all");
    for (name, input) in inputs {
        let classes: String = states
            .iter()
            .map(|(_, state)| {
                let mut after = Arbiter::clone(state);
                let mut out = vec![];
                let none = crate::planted::Planted::NONE;
                after.step(&world.limits, none, input.clone(), &mut out);
                if after == **state && out.is_empty() { '-' } else { 'H' }
            })
            .collect();
        writeln!(table, "{name:26}{classes}").expect("a string takes all");
    }
    table
}
