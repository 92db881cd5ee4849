//! Draws what goes wrong: by default a swarm, in which each seed has its own kinds of faults, and
//! dwell times between them, so that runs are not all thrash.

use skewsync::ids::Slot;
use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::fault::Befalls;
use skewsync_sim::plan::{Anchor, Fault, FaultKind, FaultName, Moment, Network, Place, Plan, What};

use super::mix::{self, Dwell};
use super::{DrawOptions, Purpose, Rng, allowed};

/// The kinds that are drawn here: of machines and links, one at a time.
pub(super) const KINDS: [FaultName; 13] = [
    FaultName::Crash,
    FaultName::PowerLoss,
    FaultName::DiskLost,
    FaultName::Pause,
    FaultName::Stall,
    FaultName::ArbiterCrash,
    FaultName::Partition,
    FaultName::OneWayCut,
    FaultName::ArbiterAway,
    FaultName::Clog,
    FaultName::DiskRefuses,
    FaultName::RefuseLine,
    FaultName::ImageChange,
];
/// How soon after an operator asked for a switchover a fault is placed: a drain takes a round trip
/// or two.
const IN_DRAIN_MS_MAX: u64 = 30;
/// A parser that refuses so many lines goes on until the unit starts again.
const LINES_MANY: u32 = 1_000;
/// What faults are aimed at: everything that is resent or that an order depends on.
const AIMED_AT: [Kind; 22] = [
    Kind::Join,
    Kind::Proceed,
    Kind::Ready,
    Kind::Dump,
    Kind::Diff,
    Kind::Compatible,
    Kind::Config,
    Kind::ConfigChunk,
    Kind::BulkDone,
    Kind::BulkAccept,
    Kind::Line,
    Kind::Applied,
    Kind::Hot,
    Kind::HotAck,
    Kind::Leave,
    Kind::Left,
    Kind::Renew,
    Kind::Grant,
    Kind::SetRegister,
    Kind::Confirm,
    Kind::Release,
    Kind::Offer,
];

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Fault> {
    let mut rng = Rng::new(seed, Purpose::Faults);
    let mut weights = Rng::new(seed, Purpose::Weights);
    let kinds = mix::kinds(&KINDS, wishes, &mut rng, &mut weights);
    let lasts = Dwell::from_seed(seed, wishes.mix);
    let mut faults = Vec::new();
    let (least, most) = wishes.mix.dwell_ms();
    let dwell = rng.among(least, most);
    let mut ms = rng.among(50, dwell);
    while ms < plan.horizon_ms && !kinds.is_empty() {
        let name = *rng.pick(&kinds);
        if let Some(kind) = node_fault(name, lasts, plan, wishes, &mut rng) {
            faults.extend(clogged(&kind, ms, plan, wishes, &mut rng));
            let at = moment(&kind, ms, plan, &mut rng);
            faults.push(Fault { at, kind });
        }
        ms += rng.among(dwell / 4, dwell);
    }
    if plan.network == Network::Links {
        let (least, most) = wishes.mix.aimed();
        for _ in 0..rng.among(least, most) {
            faults.extend(aimed(plan, wishes, &mut rng));
        }
    }
    for entry in &plan.commands {
        let kind =
            FaultKind::DiskRefuses { slot: rng.below(2) as u8, for_ms: rng.among(20, 3_000) };
        let fault = Fault { at: entry.at, kind };
        // A disk that refuses is noticed only where something is written.
        if entry.what == What::Save && rng.chance(25) && allowed(wishes, fault.name()) {
            faults.push(fault);
        }
        if let (Anchor::Instant(ms), What::Switchover) = (entry.at, &entry.what) {
            faults.extend(in_drain(ms, (&kinds, lasts), plan, wishes, &mut rng));
        }
    }
    faults
}

/// A clog before a unit that refuses lines, in one of three: longer than a prompt waits and shorter
/// than the watchdog, so that the lines come when the Active has left the session and the Standby
/// has not.
fn clogged(
    kind: &FaultKind,
    ms: u64,
    plan: &Plan,
    wishes: &DrawOptions,
    rng: &mut Rng,
) -> Option<Fault> {
    let FaultKind::RefuseLine { slot, .. } = *kind else {
        return None;
    };
    let (comes, for_ms) = (rng.chance(33), rng.among(3_300, 4_900));
    let kind = FaultKind::Clog { from: Place::unit(1 - slot), to: Place::unit(slot), for_ms };
    let at = Anchor::Instant(ms);
    let fault = Fault { at, kind };
    let fits = comes && plan.network == Network::Links && allowed(wishes, fault.name());
    fits.then_some(fault)
}

/// A fault in the middle of a planned switchover, in so many as the mix says.
fn in_drain(
    ms: u64,
    (kinds, lasts): (&[FaultName], Dwell),
    plan: &Plan,
    wishes: &DrawOptions,
    rng: &mut Rng,
) -> Option<Fault> {
    let (soon, of_message, strikes) =
        (rng.among(1, IN_DRAIN_MS_MAX), rng.chance(40), rng.chance(wishes.mix.in_drain_percent()));
    if !strikes {
        return None;
    }
    if of_message && plan.network == Network::Links {
        let kind = message_fault(rng);
        let at = Anchor::Next { moment: Moment::Send, from_ms: ms, to: None, kind: None };
        let fault = Fault { at, kind };
        return allowed(wishes, fault.name()).then_some(fault);
    }
    if kinds.is_empty() {
        return None;
    }
    let name = *rng.pick(kinds);
    let kind = node_fault(name, lasts, plan, wishes, rng)?;
    let at = if matches!(kind, FaultKind::Stall { .. }) {
        moment(&kind, ms, plan, rng)
    } else {
        Anchor::Instant(ms + soon)
    };
    Some(Fault { at, kind })
}

pub(super) fn node_fault(
    name: FaultName,
    lasts: Dwell,
    plan: &Plan,
    wishes: &DrawOptions,
    rng: &mut Rng,
) -> Option<FaultKind> {
    let slot = rng.below(2) as u8;
    let down_ms = rng.among(lasts.down_ms.0, lasts.down_ms.1);
    let for_ms = rng.among(lasts.for_ms.0, lasts.for_ms.1);
    let places = [Place::unit(0), Place::unit(1), Place::ARBITER];
    let from = rng.below(3) as usize;
    let to = (from + 1 + rng.below(2) as usize) % 3;
    let (from, to) = (places[from], places[to]);
    let kept = rng.below(3) as u8;
    let many = rng.chance(30);
    let images = wishes.material.names();
    let image = rng.pick(images).clone();
    let kind = match name {
        FaultName::Crash => FaultKind::Crash { slot, down_ms },
        FaultName::PowerLoss => FaultKind::PowerLoss { slot, down_ms, kept },
        FaultName::DiskLost => FaultKind::DiskLost { slot, down_ms },
        FaultName::Pause => FaultKind::Pause { slot, for_ms },
        FaultName::Stall => FaultKind::Stall { slot, beyond_ms: for_ms },
        FaultName::ArbiterCrash => FaultKind::ArbiterCrash { down_ms },
        FaultName::Partition => FaultKind::Partition { for_ms },
        FaultName::OneWayCut => FaultKind::OneWayCut { from, to, for_ms },
        FaultName::ArbiterAway => FaultKind::ArbiterAway { slot, for_ms },
        FaultName::Clog => FaultKind::Clog { from, to, for_ms },
        FaultName::DiskRefuses => FaultKind::DiskRefuses { slot, for_ms },
        FaultName::RefuseLine => {
            FaultKind::RefuseLine { slot, lines: if many { LINES_MANY } else { 1 } }
        }
        FaultName::ImageChange if wishes.pair.is_none() => {
            FaultKind::ImageChange { slot, image, down_ms }
        }
        _ => return None,
    };
    // Over madsim's sockets there are clogging and the nodes' own faults only.
    let cuts = name.befalls() == Befalls::Links && name != FaultName::Clog;
    (plan.network == Network::Links || !cuts).then_some(kind)
}

fn moment(kind: &FaultKind, ms: u64, plan: &Plan, rng: &mut Rng) -> Anchor {
    let outputs = rng.below(4) as u8;
    let aimed = rng.chance(60);
    let at = *rng.pick(&AIMED_AT);
    let moment = *rng.pick(&[Moment::Before, Moment::Within(outputs), Moment::After]);
    if plan.network == Network::Sockets {
        return Anchor::Instant(ms);
    }
    let kind_at = aimed.then_some(at);
    match *kind {
        FaultKind::Stall { slot, .. } => Anchor::Next {
            moment: Moment::Within(outputs),
            from_ms: ms,
            to: Some(Address::Unit(Slot(slot))),
            kind: kind_at.filter(|kind| goes_to_unit(*kind)),
        },
        FaultKind::Crash { slot, .. } | FaultKind::PowerLoss { slot, .. } => Anchor::Next {
            moment,
            from_ms: ms,
            to: Some(Address::Unit(Slot(slot))),
            kind: kind_at.filter(|kind| goes_to_unit(*kind)),
        },
        _ if aimed => {
            let moment = if moment == Moment::Before { moment } else { Moment::After };
            Anchor::Next { moment, from_ms: ms, to: None, kind: kind_at }
        }
        _ => Anchor::Instant(ms),
    }
}

const fn goes_to_unit(kind: Kind) -> bool {
    !matches!(kind, Kind::Renew | Kind::SetRegister | Kind::Release | Kind::Hello | Kind::Decline)
}

fn aimed(plan: &Plan, wishes: &DrawOptions, rng: &mut Rng) -> Option<Fault> {
    let early = rng.chance(40);
    let from_ms = rng.below(plan.horizon_ms);
    let from_ms = if early { 0 } else { from_ms };
    let kind = *rng.pick(&AIMED_AT);
    let what = message_fault(rng);
    let at = Anchor::Next { moment: Moment::Send, from_ms, to: None, kind: Some(kind) };
    let fault = Fault { at, kind: what };
    allowed(wishes, fault.name()).then_some(fault)
}

fn message_fault(rng: &mut Rng) -> FaultKind {
    let (later_ms, held_ms) = (rng.among(5, 3_000), rng.among(1_000, 30_000));
    let bit = rng.word() as u32;
    match rng.below(6) {
        0 => FaultKind::Lose,
        1 => FaultKind::Duplicate { later_ms },
        2 => FaultKind::Delay { later_ms },
        3 => FaultKind::Corrupt { bit },
        4 => FaultKind::Reorder { later_ms },
        _ => FaultKind::Hold { later_ms: held_ms },
    }
}
