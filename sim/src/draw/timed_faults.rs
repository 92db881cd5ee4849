//! Draws faults that last: clocks that run at another rate, disks that are full or slow, units that
//! are slow, links that are clogged in turn; and what befalls a startup store. A stream of its own,
//! so that they move no other fault.

use super::mix::{self, Dwell};
use super::{DRIFT_PPM_MAX, DrawOptions, Purpose, Stream};
use crate::plan::{Anchor, Fault, FaultKind, Plan, What};

/// The kinds that are drawn here.
const KINDS: [&str; 8] = [
    "clock-rate",
    "clock-step",
    "swizzle-clog",
    "disk-full",
    "disk-slow",
    "unit-slow",
    "bit-rot",
    "torn-write",
];
/// How much faster or slower than true time a clock is at most while its rate is changed: a little
/// less than engine and arbiter bear, since the rate is changed beside the plan's own drift.
const RATE_PPM_MAX: i32 = 9_500;
const _: () = assert!(RATE_PPM_MAX as u64 > DRIFT_PPM_MAX);
/// How far a clock is set forward.
const STEP_MS: (u64, u64) = (50, 6_000);
/// How long a slow unit is busy after a step.
const BUSY_MS: (u64, u64) = (1, 120);
/// By how much writes of a slow disk are late.
const WRITE_MS: (u64, u64) = (20, 4_000);
/// All links of a pair and its arbiter.
const LINKS: [&str; 6] = ["0->1", "1->0", "0->arbiter", "arbiter->0", "1->arbiter", "arbiter->1"];

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Fault> {
    let mut stream = Stream::new(seed, Purpose::Lasting);
    let mut weights = Stream::new(seed, Purpose::Weights);
    let kinds = mix::kinds(&KINDS, wishes, &mut stream, &mut weights);
    let lasts = Dwell::of(seed, wishes.mix);
    let (least, most) = wishes.mix.dwell_ms();
    let dwell = stream.among(least, most);
    let mut faults = Vec::new();
    let mut ms = stream.among(50, dwell);
    while ms < plan.horizon_ms && !kinds.is_empty() {
        let name = *stream.pick(&kinds);
        let kind = fault(name, lasts, plan, &mut stream);
        faults.extend(kind.map(|kind| Fault { at: Anchor::Instant(ms), kind }));
        ms += stream.among(dwell / 2, 2 * dwell);
    }
    // Of a disk nothing is noticed but where something is written.
    for entry in plan.commands.iter().filter(|one| one.what == What::Save) {
        let name = *stream.pick(&["disk-full", "disk-slow", "torn-write"]);
        let strikes = stream.chance(35) && kinds.contains(&name);
        let kind = fault(name, lasts, plan, &mut stream);
        faults.extend(kind.filter(|_| strikes).map(|kind| Fault { at: entry.at, kind }));
    }
    faults
}

fn fault(name: &str, lasts: Dwell, plan: &Plan, stream: &mut Stream) -> Option<FaultKind> {
    let slot = stream.below(2) as u8;
    let for_ms = stream.among(lasts.for_ms.0, lasts.for_ms.1);
    let total = stream.below(2 * RATE_PPM_MAX as u64 + 1) as i32 - RATE_PPM_MAX;
    let by_ms = stream.among(STEP_MS.0, STEP_MS.1) as i64;
    let step_ms = stream.among(BUSY_MS.0, BUSY_MS.1);
    let later_ms = stream.among(WRITE_MS.0, WRITE_MS.1);
    let every_ms = stream.among(20, 1_000);
    let links = shuffled(stream, &LINKS);
    let links = links[..stream.among(2, links.len() as u64) as usize].to_vec();
    let freed = shuffled(stream, &links);
    let down_ms = stream.among(lasts.down_ms.0, lasts.down_ms.1);
    let (both, bit, bytes) = (stream.chance(25), stream.word() as u32, stream.word() as u32);
    let drift = plan.units[usize::from(slot)].drift_ppm;
    Some(match name {
        "clock-rate" => FaultKind::ClockRate { slot, ppm: total - drift, for_ms },
        "clock-step" => FaultKind::ClockStep { slot, by_ms },
        "swizzle-clog" => FaultKind::SwizzleClog {
            links: links.into_iter().map(String::from).collect(),
            freed: freed.into_iter().map(String::from).collect(),
            every_ms,
            for_ms,
        },
        "disk-full" => FaultKind::DiskFull { slot, for_ms },
        "disk-slow" => FaultKind::DiskSlow { slot, later_ms, for_ms },
        "unit-slow" => FaultKind::UnitSlow { slot, step_ms, for_ms },
        "bit-rot" => FaultKind::BitRot { slot, down_ms, both, bit },
        "torn-write" => FaultKind::TornWrite { slot, down_ms, bytes },
        _ => return None,
    })
}

fn shuffled<'a>(stream: &mut Stream, of: &[&'a str]) -> Vec<&'a str> {
    let mut all = of.to_vec();
    for at in (1..all.len()).rev() {
        all.swap(at, stream.below(at as u64 + 1) as usize);
    }
    all
}
