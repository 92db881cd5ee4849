//! Draws scenes: a few faults and entries that together make a race which single faults hardly ever
//! make. What was said before is heard after it is past: a Confirm once the next write is under
//! way, a write of the register once it was cleared, a Grant once the unit that it was for is out
//! of the arbiter's reach.

use skewsync::ids::Slot;
use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::{Anchor, Entry, Fault, FaultKind, Moment, Network, Place, Plan, What};

use super::{DrawOptions, Purpose, Rng, allowed};

/// Commands that are entered in a scene.
const COMMANDS: u64 = 4;
/// A Grant is played with once the pair can be hot.
const HOT_BY_MS: u64 = 5_000;

/// What a scene adds to a plan.
#[derive(Debug, Default)]
pub(super) struct Scenario {
    pub(super) faults: Vec<Fault>,
    pub(super) entries: Vec<Entry>,
}

impl Scenario {
    pub(super) fn strikes(&mut self, at: Anchor, kind: FaultKind) {
        self.faults.push(Fault { at, kind });
    }

    pub(super) fn enters(&mut self, at: Anchor, what: What) {
        self.entries.push(Entry { at, what });
    }
}

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Scenario {
    let mut rng = Rng::new(seed, Purpose::Scenes);
    if plan.network != Network::Links || !rng.chance(wishes.mix.scenes_percent()) {
        return Scenario::default();
    }
    let which = rng.below(3);
    // Most first Actives are in slot 0.
    let slot = u8::from(rng.chance(30));
    let from_ms = if rng.chance(50) { 0 } else { rng.below(plan.horizon_ms / 2) };
    let scene = match which {
        0 => stale_confirm(slot, from_ms, wishes, plan, &mut rng),
        1 => stale_write(slot, from_ms, wishes, plan, &mut rng),
        _ => stale_grant(slot, from_ms + HOT_BY_MS, &mut rng),
    };
    let wished = scene.faults.iter().all(|fault| allowed(wishes, fault.name()));
    if wished { scene } else { Scenario::default() }
}

fn next(moment: Moment, from_ms: u64, to: Address, kind: Kind) -> Anchor {
    Anchor::Next { moment, from_ms, to: Some(to), kind: Some(kind) }
}

/// The Active leaves while its write is being confirmed: the Confirm comes late, and the clearing
/// write is lost.
fn stale_confirm(
    slot: u8,
    from_ms: u64,
    wishes: &DrawOptions,
    plan: &Plan,
    rng: &mut Rng,
) -> Scenario {
    let (unit, arbiter) = (Place::unit(slot), Place::ARBITER);
    let late_ms = rng.among(200, 1_500);
    let cut_ms = late_ms + rng.among(200, 1_500);
    let at = |moment| next(moment, from_ms, Address::Arbiter, Kind::SetRegister);
    let mut scene = Scenario::default();
    scene.strikes(at(Moment::Before), FaultKind::Clog { from: arbiter, to: unit, for_ms: late_ms });
    scene.strikes(
        at(Moment::After),
        FaultKind::OneWayCut { from: unit, to: arbiter, for_ms: cut_ms },
    );
    scene.enters(at(Moment::After), What::ResetPeer);
    for text in batches(slot, wishes, plan, rng) {
        scene.enters(at(Moment::After), What::Config { text });
    }
    scene
}

/// A write of the register is heard again after the session that it names is over, while no other
/// begins.
fn stale_write(
    slot: u8,
    from_ms: u64,
    wishes: &DrawOptions,
    plan: &Plan,
    rng: &mut Rng,
) -> Scenario {
    let at = |moment| next(moment, from_ms, Address::Arbiter, Kind::SetRegister);
    let mut scene = Scenario::default();
    scene.strikes(at(Moment::Send), FaultKind::Hold { later_ms: rng.among(500, 4_000) });
    scene.strikes(at(Moment::After), FaultKind::Partition { for_ms: rng.among(4_000, 9_000) });
    scene.enters(at(Moment::After), What::ResetPeer);
    for text in batches(slot, wishes, plan, rng) {
        let ms = (from_ms + rng.among(1_000, 9_000)).min(plan.horizon_ms - 1);
        scene.enters(Anchor::Instant(ms), What::Config { text });
    }
    scene
}

/// A Grant is heard again by a unit whose Renews reach the arbiter no more.
fn stale_grant(slot: u8, from_ms: u64, rng: &mut Rng) -> Scenario {
    let to = Address::Unit(Slot(slot));
    let at = |moment| next(moment, from_ms, to, Kind::Grant);
    let mut scene = Scenario::default();
    scene.strikes(at(Moment::Send), FaultKind::Hold { later_ms: rng.among(1_500, 3_900) });
    scene.strikes(
        at(Moment::After),
        FaultKind::OneWayCut {
            from: Place::unit(slot),
            to: Place::ARBITER,
            for_ms: rng.among(8_000, 12_000),
        },
    );
    scene
}

fn batches(slot: u8, wishes: &DrawOptions, plan: &Plan, rng: &mut Rng) -> Vec<String> {
    let image = |slot: u8| &plan.units[usize::from(slot)].image;
    let (image, peer) = (image(slot), image(1 - slot));
    let mut entered = Vec::new();
    (0..COMMANDS).filter_map(|_| wishes.material.batch(image, peer, &mut entered, rng)).collect()
}

#[cfg(test)]
mod tests {
    use skewsync_sim::plan::FaultName;

    use super::*;

    #[test]
    fn every_scene_comes_up_and_only_of_wished_faults() {
        let all = DrawOptions::default();
        let kinds = |wishes: &DrawOptions| {
            let plans = (0..400).map(|seed| (seed, super::super::plan(seed, wishes)));
            let scenes = plans.map(|(seed, plan)| draw(seed, wishes, &plan));
            let names = scenes.flat_map(|scene| {
                let first = scene.faults.first().map(Fault::name);
                let second = scene.faults.get(1).map(Fault::name);
                first.zip(second)
            });
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let expected = [
            (FaultName::Hold, FaultName::Partition),
            (FaultName::Hold, FaultName::OneWayCut),
            (FaultName::Clog, FaultName::OneWayCut),
        ];
        assert!(kinds(&all).into_iter().eq(expected));
        let some = DrawOptions {
            only_faults: Some(vec![FaultName::Hold, FaultName::Partition]),
            ..DrawOptions::default()
        };
        assert!(kinds(&some).into_iter().eq([(FaultName::Hold, FaultName::Partition)]));
    }
}
