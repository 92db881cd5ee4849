//! What the Standby cannot raise, for what stands beside it or does not: it is told, and listed at
//! both units (PROTOCOL.md, sections 1, 5 and 6).

use alloc::vec;
use alloc::vec::Vec;

use super::world::{A, B, World};
use crate::digest::Shared;
use crate::ids::CommandId;
use crate::image::Family;
use crate::message::{LeaveWhy, Message, MessageKind, Redundancy, Unraised};
use crate::policy::{Action, Cause, Policy, PolicyRule, SyncPhase};
use crate::unit::{ArbiterTimer, Copies, Event, Outcome, Request, Timer};

const FAMILY: &[(&str, &str)] = &[
    (
        "family.toml",
        r#"
family = "halves"
components = ["base"]
[[release]]
name = "1"
levels = { base = 1 }
[[release]]
name = "2"
levels = { base = 2 }
"#,
    ),
    (
        "base.toml",
        r#"
component = "base"
[[mode]]
name = "interface"
parent = "config"
enter = '[no] interface IFNAME$name'
key = ["name"]
[[command]]
mode = "interface"
form = '[no] rate (1-100)$rate'
[[command]]
mode = "interface"
form = '[no] burst (1-100)$burst'
[[command]]
mode = "config"
form = '[no] peer WORD$name'
key = ["name"]
[[command]]
mode = "config"
form = '[no] peer-timer (1-100)$seconds'
[[change]]
level = 2
why = "a burst means nothing without its rate"
old = [{ mode = "interface", form = '[no] rate (1-100)$rate' },
       { mode = "interface", form = '[no] burst (1-100)$burst' }]
new = [{ mode = "interface", form = '[no] police (1-100)$rate (1-100)$burst' }]
alone = "stuck"
[[change]]
level = 2
why = "there is one peer, and it has a timer"
old = [{ mode = "config", form = '[no] peer WORD$name' },
       { mode = "config", form = '[no] peer-timer (1-100)$seconds' }]
new = [{ mode = "config", form = '[no] neighbor WORD$name timer (1-100)$seconds' }]
alone = "stuck"
"#,
    ),
];

const RATE: &str = "interface e0 / rate 1";

/// The older release acts, the newer one stands by.
fn started() -> World {
    let family = Family::parse(FAMILY).unwrap_or_else(|errors| panic!("{}", errors[0]));
    World::from_images(["1", "2"].map(|release| family.image(release).expect("a release")))
}

fn hot() -> World {
    let mut world = started();
    world.bring_up(3);
    assert!(world.is_hot(), "{:?}", world.units);
    world
}

fn rule(phase: SyncPhase, action: Action) -> Policy {
    let (phase, cause) = (Some(phase), Some(Cause::GuardedValue));
    Policy::new(vec![PolicyRule { phase, cause, component: None, form: None, action }])
        .expect("legal")
}

/// The lines that the Active lists as told, each with the cause that policy is asked about.
fn told(world: &World) -> Vec<(&str, Option<Cause>)> {
    let current = world.active(A).peer().current().expect("in session");
    current.missing().unraised.iter().map(|each| (&*each.line, each.cause)).collect()
}

/// The part of a replicated change that is not on the Standby.
fn listed(world: &World, id: CommandId) -> Vec<&str> {
    match &world.answers[&id] {
        Outcome::Done { place: Copies::Replicated, listed, .. } => {
            listed.iter().map(|line| &**line).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Section 1: the half is kept in W and listed, and both go from there when the rest comes.
#[test]
fn half_of_a_merge_is_listed_until_the_rest_comes() {
    let mut world = hot();
    let id = world.command(A, "interface e0\nrate 1");
    world.settle();
    assert_eq!(listed(&world, id), [RATE]);
    assert_eq!(told(&world), [(RATE, None)]);
    assert_eq!(&*world.text(B), "interface e0\n exit\n");
    assert!(world.is_hot(), "to wait is no breach");
    let id = world.command(A, "interface e0\nburst 2");
    world.settle();
    assert_eq!(listed(&world, id), [""; 0]);
    assert_eq!(told(&world), []);
    assert_eq!(&*world.text(B), "interface e0\n police 1 2\n exit\n");
    // The other half goes: this one is listed again, by the change that made it one.
    let id = world.command(A, "interface e0\nno burst 2");
    world.settle();
    assert_eq!(listed(&world, id), [RATE]);
    world.command(A, "interface e0\nno rate 1");
    world.settle();
    assert_eq!(told(&world), []);
    assert!(world.is_hot());
}

/// BulkDone tells the whole of it; it outlives the session at neither unit.
#[test]
fn a_bulk_tells_what_is_not_raised() {
    let mut world = hot();
    world.command(A, "interface e0\nrate 1");
    world.boot(B);
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(told(&world), [(RATE, None)]);
    assert!(world.find(A, |event| *event == Event::Hot { listed: 1 }), "the Active counts it");
    world.boot(B);
    world.command(A, "interface e0\nburst 1");
    world.rounds(4);
    assert!(world.is_hot());
    assert_eq!(told(&world), []);
}

/// Section 2, Takeover: what is not raised is missing in the config that is taken over, and the
/// store says so, too.
#[test]
fn a_successor_lists_what_it_could_not_raise() {
    let acts = |world: &World| {
        let lists = |event: &Event| {
            matches!(event, Event::Acts { listed, .. }
            if listed.iter().map(|line| &**line).eq([RATE]))
        };
        world.find(B, lists)
    };
    let mut world = hot();
    world.command(A, "interface e0\nrate 1");
    world.settle();
    world.ask(A, Request::Switchover);
    world.rounds(4);
    assert_eq!(world.active_slot(), Some(B));
    assert!(acts(&world));
    let mut world = hot();
    world.command(A, "interface e0\nrate 1");
    world.settle();
    world.ask(A, Request::Save);
    world.settle();
    world.crash(A);
    world.boot(B);
    world.settle();
    world.fire_arbiter(ArbiterTimer::Lease);
    for _ in 0..2 {
        world.fire_arbiter(ArbiterTimer::TakeoverWait);
        world.rounds(3);
    }
    assert_eq!(world.active_slot(), Some(B));
    assert!(acts(&world));
}

/// An Applied that is lost is said again: a Keepalive acknowledges nothing by itself, since it
/// does not say what is missing. One that comes late changes nothing.
#[test]
fn what_is_missing_is_known_of_each_change_that_is_acknowledged() {
    let mut world = hot();
    world.lose.insert(MessageKind::Applied);
    let id = world.command(A, "interface e0\nrate 1");
    world.settle();
    world.fire(B, Timer::Keepalive);
    world.settle();
    assert!(!world.answers.contains_key(&id));
    world.lose.clear();
    world.fire(A, Timer::Resend);
    while world.net.front().is_some_and(|flight| flight.message.kind() != MessageKind::Applied) {
        world.deliver();
    }
    let late = world.net.front().expect("an answer").clone();
    assert!(matches!(&late.message, Message::Applied { missing, .. } if missing.count() == 1));
    world.settle();
    assert_eq!(listed(&world, id), [RATE]);
    world.command(A, "interface e0\nburst 2");
    world.settle();
    assert_eq!(told(&world), []);
    world.inject(late);
    assert_eq!(told(&world), [], "it is of a change before");
}

/// Section 6: what contradicts another line asks policy as a line that cannot go does at the
/// Active.
#[test]
fn a_contradiction_is_a_line_that_cannot_go() {
    let both = [("peer a", Some(Cause::GuardedValue)), ("peer b", Some(Cause::GuardedValue))];
    let enter = |world: &mut World| {
        world.command(A, "peer a\npeer-timer 5");
        world.settle();
        assert_eq!(&*world.text(B), "neighbor a timer 5\n");
        let id = world.command(A, "peer b");
        world.settle();
        id
    };
    let mut world = hot();
    let id = enter(&mut world);
    assert_eq!(told(&world)[..2], both);
    assert_eq!(listed(&world, id), ["peer a", "peer b", "peer-timer 5"]);
    assert!(world.is_hot(), "it is listed");
    for action in [Action::Degrade, Action::ResetStandby] {
        let mut world = hot();
        world.policy = rule(SyncPhase::Line, action);
        enter(&mut world);
        let why = if action == Action::Degrade { LeaveWhy::Degrade } else { LeaveWhy::Stuck };
        assert!(world.left(A, why), "{action:?}");
        world.rounds(6);
        assert_eq!(world.active(A).mode().redundancy(), Redundancy::Rpr, "no reset cures it");
    }
    // Each of them waited before.
    let mut world = hot();
    world.policy = rule(SyncPhase::Line, Action::Degrade);
    world.command(A, "peer a\npeer b");
    world.settle();
    assert_eq!(told(&world), both.map(|(line, _)| (line, None)));
    assert!(world.is_hot());
    world.command(A, "peer-timer 5");
    world.settle();
    assert!(world.left(A, LeaveWhy::Degrade));
    let mut world = hot();
    world.policy = rule(SyncPhase::Bulk, Action::Degrade);
    world.command(A, "peer a\npeer b\npeer-timer 5");
    world.settle();
    assert!(world.is_hot());
    world.boot(B);
    world.rounds(4);
    assert_eq!(world.active(A).mode().redundancy(), Redundancy::Rpr);
}

/// What waited, and is refused once it is raised, is a mismatch.
#[test]
fn a_half_that_is_refused_when_the_rest_comes_is_held_out() {
    let mut world = hot();
    let rule = |form: Option<&str>, action| PolicyRule {
        phase: None,
        cause: Some(Cause::Prc),
        component: None,
        form: form.map(Shared::text),
        action,
    };
    let of_rate = rule(Some("[no] rate (1-100)"), Action::ResetStandby);
    world.policy = Policy::new(vec![of_rate, rule(None, Action::DropAndWarn)]).expect("legal");
    world.command(A, "interface e0\nrate 1");
    world.settle();
    world.refuse("police");
    world.command(A, "interface e0\nburst 2");
    world.settle();
    assert!(world.left(A, LeaveWhy::PrcMismatch));
}

/// Section 3: beyond the bounds of the Active they are a number, which policy is asked about.
#[test]
fn lines_beyond_those_that_are_named_are_a_number() {
    let enter = |world: &mut World| {
        let (cause, action) = (Some(Cause::Prc), Action::DropAndWarn);
        let rule = PolicyRule { phase: None, cause, component: None, form: None, action };
        world.policy = Policy::new(vec![rule]).expect("legal");
        world.bring_up(3);
        for line in ["interface e0\nrate 1", "interface e1\nrate 1"] {
            world.command(A, line);
            world.settle();
        }
        let missing = world.active(A).peer().current().expect("in session").missing();
        let bytes: u64 = missing.unraised.iter().map(Unraised::size).sum();
        (missing.unraised.len(), missing.further, bytes)
    };
    let mut world = started();
    let (named, further, bytes) = enter(&mut world);
    assert_eq!((named, further), (2, 0));
    let bytes = u32::try_from(bytes).expect("short lines");
    for (max_listed, max_line, further) in [(1, bytes, 1), (2, bytes, 0), (2, bytes - 1, 1)] {
        let mut world = started();
        (world.limits.max_listed, world.limits.max_line) = (max_listed, max_line);
        let (named, beside, _) = enter(&mut world);
        assert_eq!((named, beside), (2 - further as usize, further));
        assert!(world.is_hot());
    }
}
