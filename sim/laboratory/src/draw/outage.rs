//! Draws outages: for up to five minutes units do not reach each other, or the arbiter, or do not
//! run. Everything else of a plan is drawn for its first minute, so that a plan with an outage is
//! another one from there on only.

use skewsync_sim::plan::fault::Befalls;
use skewsync_sim::plan::{Anchor, Fault, FaultKind, FaultName, Network, Place, Plan, What};
use strum::VariantArray;

use super::faults::{KINDS, node_fault};
use super::mix::Dwell;
use super::scenarios::Scenario;
use super::{DrawOptions, Purpose, Rng, allowed};

/// How long an outage lasts: longer than every timer of a pair that is served, and up to five
/// minutes.
pub const OUTAGE_MS: (u64, u64) = (20_000, 300_000);
/// When it begins: the pair may be hot by then, or in the thick of what else is drawn.
const FROM_MS: (u64, u64) = (2_000, 50_000);
/// What of it begins later begins within so long.
const STAGGERED_MS: u64 = 5_000;
/// The plan goes on after its end.
const AFTER_MS: (u64, u64) = (1_000, 20_000);
/// Commands are entered as it begins, within so long: they wait for what is out of reach.
const BEGINS_MS: u64 = 10_000;
/// What is entered as it begins, during it and after it, at most.
const ENTRIES: [u64; 3] = [6, 4, 4];
/// Faults of the common sort that strike in it and after it, at most.
const FURTHER: u64 = 3;

/// What is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, VariantArray)]
enum Outage {
    /// The units do not reach each other.
    Partition,
    /// The arbiter and one unit do not reach each other.
    ArbiterAway,
    /// The arbiter reaches neither unit.
    ArbiterParted,
    /// The arbiter does not run.
    ArbiterDown,
    /// One unit reaches nobody.
    Isolated,
    /// Nobody reaches anybody.
    AllParted,
    /// One direction of a link is cut.
    OneWay,
    /// One direction of a link is held up.
    Clogged,
    /// One unit is suspended.
    Paused,
    /// One unit is down.
    Down,
}

impl Outage {
    /// The faults of which it is made, each for so long. The first begins it.
    fn faults(self, slot: u8, for_ms: u64, rng: &mut Rng) -> Vec<FaultKind> {
        let partition = FaultKind::Partition { for_ms };
        let away = |slot| FaultKind::ArbiterAway { slot, for_ms };
        let places = [Place::unit(0), Place::unit(1), Place::ARBITER];
        let from = rng.below(3) as usize;
        let to = (from + 1 + rng.below(2) as usize) % 3;
        let (from, to) = (places[from], places[to]);
        match self {
            Self::Partition => vec![partition],
            Self::ArbiterAway => vec![away(slot)],
            Self::ArbiterParted => vec![away(slot), away(1 - slot)],
            Self::ArbiterDown => vec![FaultKind::ArbiterCrash { down_ms: for_ms }],
            Self::Isolated => vec![away(slot), partition],
            Self::AllParted => vec![away(slot), partition, away(1 - slot)],
            Self::OneWay => vec![FaultKind::OneWayCut { from, to, for_ms }],
            Self::Clogged => vec![FaultKind::Clog { from, to, for_ms }],
            Self::Paused => vec![FaultKind::Pause { slot, for_ms }],
            Self::Down => vec![FaultKind::Crash { slot, down_ms: for_ms }],
        }
    }
}

/// An outage, and until when a plan with it goes on.
pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> (Scenario, u64) {
    let mut rng = Rng::new(seed, Purpose::Outage);
    let on = rng.chance(wishes.mix.outage_percent());
    let which = *rng.pick(Outage::VARIANTS);
    // Most first Actives are in slot 0.
    let slot = u8::from(rng.chance(40));
    let from_ms = rng.among(FROM_MS.0, FROM_MS.1);
    let for_ms = rng.among(OUTAGE_MS.0, OUTAGE_MS.1);
    let kinds = which.faults(slot, for_ms, &mut rng);
    let mut scene = Scenario::default();
    for (at, kind) in kinds.into_iter().enumerate() {
        let later = if at == 0 || rng.chance(50) { 0 } else { rng.below(STAGGERED_MS) };
        scene.strikes(Anchor::Instant(from_ms + later), kind);
    }
    let fits = |fault: &Fault| {
        let of_links = fault.name().befalls() == Befalls::Links;
        allowed(wishes, fault.name()) && (plan.network == Network::Links || !of_links)
    };
    if !on || !scene.faults.iter().all(fits) {
        return (Scenario::default(), plan.horizon_ms);
    }
    let end_ms = from_ms + for_ms;
    let until_ms = (end_ms + rng.among(AFTER_MS.0, AFTER_MS.1)).max(plan.horizon_ms);
    let begins = (from_ms, (from_ms + BEGINS_MS).min(end_ms));
    let spans = [begins, (from_ms, end_ms), (end_ms, until_ms - 1)];
    for ((from_ms, to_ms), most) in spans.into_iter().zip(ENTRIES) {
        let mut entered = [Vec::new(), Vec::new()];
        for _ in 0..rng.among(1, most) {
            let ms = rng.among(from_ms, to_ms);
            if let Some(what) = entry(wishes, plan, &mut entered, &mut rng) {
                scene.enters(Anchor::Instant(ms), what);
            }
        }
    }
    further(seed, wishes, plan, (from_ms, until_ms - 1), &mut rng, &mut scene);
    (scene, until_ms)
}

/// What is entered: mostly configuration.
fn entry(
    wishes: &DrawOptions,
    plan: &Plan,
    entered: &mut [Vec<usize>; 2],
    rng: &mut Rng,
) -> Option<What> {
    let at = usize::from(rng.chance(40));
    let (side, peer) = (&plan.units[at].image, &plan.units[1 - at].image);
    match rng.below(10) {
        0 => Some(What::Save),
        1 => Some(What::Switchover),
        _ => {
            let batch = wishes.material.batch(side, peer, &mut entered[at], rng);
            batch.map(|text| What::Config { text })
        }
    }
}

/// Faults of the common sort within a span.
fn further(
    seed: u64,
    wishes: &DrawOptions,
    plan: &Plan,
    (from_ms, to_ms): (u64, u64),
    rng: &mut Rng,
    scene: &mut Scenario,
) {
    let lasts = Dwell::from_seed(seed, wishes.mix);
    for _ in 0..rng.below(FURTHER + 1) {
        let (name, ms) = (*rng.pick(&KINDS), rng.among(from_ms, to_ms));
        let kind = node_fault(name, lasts, plan, wishes, rng);
        // A stall needs a message to strike at.
        let wished = name != FaultName::Stall && allowed(wishes, name);
        if let Some(kind) = kind.filter(|_| wished) {
            scene.strikes(Anchor::Instant(ms), kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::draw::{HORIZON_MS, Mix, plan};

    fn wishes(mix: Mix) -> DrawOptions {
        DrawOptions { mix, ..DrawOptions::default() }
    }

    fn drawn(seed: u64, wishes: &DrawOptions) -> (Scenario, u64) {
        let mut plan = plan(seed, wishes);
        plan.horizon_ms = HORIZON_MS;
        draw(seed, wishes, &plan)
    }

    /// The time of the longest fault that begins the outage of a plan.
    fn for_ms(scene: &Scenario) -> u64 {
        match scene.faults[0].kind {
            FaultKind::Partition { for_ms }
            | FaultKind::OneWayCut { for_ms, .. }
            | FaultKind::ArbiterAway { for_ms, .. }
            | FaultKind::Clog { for_ms, .. }
            | FaultKind::Pause { for_ms, .. } => for_ms,
            FaultKind::Crash { down_ms, .. } | FaultKind::ArbiterCrash { down_ms } => down_ms,
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_share_of_seeds_has_an_outage_and_its_plan_outlasts_it() {
        for mix in [Mix::Swarm, Mix::Storm] {
            let wishes = wishes(mix);
            let all: Vec<_> = (0..2_000).map(|seed| drawn(seed, &wishes)).collect();
            let on = all.iter().filter(|(scene, _)| !scene.faults.is_empty());
            let (mut count, mut longest, mut kinds) = (0, 0, BTreeSet::new());
            for (scene, until_ms) in on {
                let Anchor::Instant(from_ms) = scene.faults[0].at else {
                    panic!("an outage begins at an instant");
                };
                let for_ms = for_ms(scene);
                assert!((OUTAGE_MS.0..=OUTAGE_MS.1).contains(&for_ms), "{for_ms}");
                assert!(*until_ms > from_ms + for_ms && *until_ms >= HORIZON_MS);
                assert!(*until_ms <= skewsync_sim::plan::HORIZON_MS_MAX);
                count += 1;
                longest = longest.max(for_ms);
                kinds.insert(scene.faults[0].name());
            }
            assert!((30..=100).contains(&count), "{mix:?}: {count}");
            assert!(longest > 4 * OUTAGE_MS.1 / 5, "{mix:?}: {longest}");
            let expected = [
                FaultName::Crash,
                FaultName::Pause,
                FaultName::ArbiterCrash,
                FaultName::Partition,
                FaultName::OneWayCut,
                FaultName::ArbiterAway,
                FaultName::Clog,
            ];
            assert!(kinds.into_iter().eq(expected), "{mix:?}");
        }
    }

    #[test]
    fn a_plan_without_an_outage_ends_as_ever_and_one_without_faults_has_none() {
        let none = wishes(Mix::None);
        for seed in 0..500 {
            let (scene, until_ms) = drawn(seed, &none);
            assert!(scene.faults.is_empty() && scene.entries.is_empty());
            assert_eq!(until_ms, HORIZON_MS);
        }
    }

    #[test]
    fn an_outage_is_made_of_wished_faults_only() {
        let some = DrawOptions {
            only_faults: Some(vec![FaultName::Partition, FaultName::Crash]),
            ..DrawOptions::default()
        };
        let all = (0..2_000).flat_map(|seed| drawn(seed, &some).0.faults);
        let names: BTreeSet<_> = all.map(|fault| fault.name()).collect();
        assert!(names.into_iter().eq([FaultName::Crash, FaultName::Partition]));
    }
}
