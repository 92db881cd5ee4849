//! Draws faults that last: clocks that run at another rate, disks that are full or slow, units that
//! are slow, links that are clogged in turn; and what befalls a startup store. A rng of its own,
//! so that they move no other fault.

use skewsync_sim::plan::{Anchor, Fault, FaultKind, FaultName, Link, Place, Plan, What};

use super::mix::{self, Dwell};
use super::{DRIFT_PPM_MAX, DrawOptions, Purpose, Rng};

/// The kinds that are drawn here.
const KINDS: [FaultName; 8] = [
    FaultName::ClockRate,
    FaultName::ClockStep,
    FaultName::SwizzleClog,
    FaultName::DiskFull,
    FaultName::DiskSlow,
    FaultName::UnitSlow,
    FaultName::BitRot,
    FaultName::TornWrite,
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
const LINKS: [Link; 6] = {
    let (one, other, arbiter) = (Place::unit(0), Place::unit(1), Place::ARBITER);
    [
        Link { from: one, to: other },
        Link { from: other, to: one },
        Link { from: one, to: arbiter },
        Link { from: arbiter, to: one },
        Link { from: other, to: arbiter },
        Link { from: arbiter, to: other },
    ]
};

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Fault> {
    let mut rng = Rng::new(seed, Purpose::Lasting);
    let mut weights = Rng::new(seed, Purpose::Weights);
    let kinds = mix::kinds(&KINDS, wishes, &mut rng, &mut weights);
    let lasts = Dwell::from_seed(seed, wishes.mix);
    let (least, most) = wishes.mix.dwell_ms();
    let dwell = rng.among(least, most);
    let mut faults = Vec::new();
    let mut ms = rng.among(50, dwell);
    while ms < plan.horizon_ms && !kinds.is_empty() {
        let name = *rng.pick(&kinds);
        let kind = fault(name, lasts, plan, &mut rng);
        faults.extend(kind.map(|kind| Fault { at: Anchor::Instant(ms), kind }));
        ms += rng.among(dwell / 2, 2 * dwell);
    }
    // Of a disk nothing is noticed but where something is written.
    for entry in plan.commands.iter().filter(|one| one.what == What::Save) {
        let name = *rng.pick(&[FaultName::DiskFull, FaultName::DiskSlow, FaultName::TornWrite]);
        let strikes = rng.chance(35) && kinds.contains(&name);
        let kind = fault(name, lasts, plan, &mut rng);
        faults.extend(kind.filter(|_| strikes).map(|kind| Fault { at: entry.at, kind }));
    }
    faults
}

fn fault(name: FaultName, lasts: Dwell, plan: &Plan, rng: &mut Rng) -> Option<FaultKind> {
    let slot = rng.below(2) as u8;
    let for_ms = rng.among(lasts.for_ms.0, lasts.for_ms.1);
    let total = rng.below(2 * RATE_PPM_MAX as u64 + 1) as i32 - RATE_PPM_MAX;
    let by_ms = rng.among(STEP_MS.0, STEP_MS.1) as i64;
    let step_ms = rng.among(BUSY_MS.0, BUSY_MS.1);
    let later_ms = rng.among(WRITE_MS.0, WRITE_MS.1);
    let every_ms = rng.among(20, 1_000);
    let links = shuffled(rng, &LINKS);
    let links = links[..rng.among(2, links.len() as u64) as usize].to_vec();
    let freed = shuffled(rng, &links);
    let down_ms = rng.among(lasts.down_ms.0, lasts.down_ms.1);
    let (both, bit, bytes) = (rng.chance(25), rng.word() as u32, rng.word() as u32);
    let drift = plan.units[usize::from(slot)].drift_ppm;
    Some(match name {
        FaultName::ClockRate => FaultKind::ClockRate { slot, ppm: total - drift, for_ms },
        FaultName::ClockStep => FaultKind::ClockStep { slot, by_ms },
        FaultName::SwizzleClog => FaultKind::SwizzleClog { links, freed, every_ms, for_ms },
        FaultName::DiskFull => FaultKind::DiskFull { slot, for_ms },
        FaultName::DiskSlow => FaultKind::DiskSlow { slot, later_ms, for_ms },
        FaultName::UnitSlow => FaultKind::UnitSlow { slot, step_ms, for_ms },
        FaultName::BitRot => FaultKind::BitRot { slot, down_ms, both, bit },
        FaultName::TornWrite => FaultKind::TornWrite { slot, down_ms, bytes },
        _ => return None,
    })
}

fn shuffled(rng: &mut Rng, of: &[Link]) -> Vec<Link> {
    let mut all = of.to_vec();
    for at in (1..all.len()).rev() {
        all.swap(at, rng.below(at as u64 + 1) as usize);
    }
    all
}
