//! Draws, in some seeds, an engine that writes a payload as the other does not read it: for a
//! while, or for good, since engines do not change. A rng of its own, so that it moves no other
//! fault.

use skewsync::ids::Slot;
use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::fault::Foreign;
use skewsync_sim::plan::{Anchor, FaultKind, FaultName, Moment, Network, Plan, What};

use super::scenarios::Scenario;
use super::{DrawOptions, Purpose, Rng, allowed};

/// What is drawn, the likelier the oftener it stands here.
const WHAT: [Foreign; 10] = [
    Foreign::Snapshot,
    Foreign::Snapshot,
    Foreign::Listing,
    Foreign::Listing,
    Foreign::Listing,
    Foreign::Difference,
    Foreign::Difference,
    Foreign::Dump,
    Foreign::Diff,
    Foreign::Save,
];
/// For how long an engine writes so that is to be replaced.
const LASTS_MS: (u64, u64) = (2_000, 20_000);
/// Lines are played with once the pair can be hot.
const HOT_BY_MS: u64 = 5_000;
/// Commands that are entered then.
const COMMANDS: u64 = 4;

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Scenario {
    let mut rng = Rng::new(seed, Purpose::Foreign);
    let mut scene = Scenario::default();
    let on = rng.chance(wishes.mix.foreign_percent());
    // Who asks for this kind alone gets it in every seed.
    let asked = wishes.only_faults.is_some();
    if !(on || asked) || !allowed(wishes, FaultName::ForeignPayload) {
        return scene;
    }
    // Most first Actives are in slot 0.
    let slot = u8::from(rng.chance(30));
    let what = *rng.pick(&WHAT);
    let for_ms = rng.among(LASTS_MS.0, LASTS_MS.1);
    let for_ms = rng.chance(60).then_some(for_ms);
    let early = rng.chance(50);
    let ms = rng.below(plan.horizon_ms / 2);
    let dies = rng.chance(40) && allowed(wishes, FaultName::Crash);
    if dies && plan.network == Network::Links {
        dies_with_it(slot, HOT_BY_MS + ms, wishes, plan, &mut rng, &mut scene);
        return scene;
    }
    let at = Anchor::Instant(if early { 0 } else { ms });
    scene.strikes(at, FaultKind::ForeignPayload { slot, what, for_ms });
    scene
}

/// A Line of a hot pair cannot be read, and the Active dies before it hears of it.
fn dies_with_it(
    slot: u8,
    from_ms: u64,
    wishes: &DrawOptions,
    plan: &Plan,
    rng: &mut Rng,
    scene: &mut Scenario,
) {
    let what = *rng.pick(&[Foreign::Difference, Foreign::Listing]);
    let for_ms = Some(rng.among(LASTS_MS.0, LASTS_MS.1));
    let kind = FaultKind::ForeignPayload { slot, what, for_ms };
    scene.strikes(Anchor::Instant(from_ms), kind);
    let at = Anchor::Next {
        moment: Moment::Before,
        from_ms,
        to: Some(Address::Unit(Slot(slot))),
        kind: Some(Kind::Unreadable),
    };
    let down_ms = rng.among(8_000, 15_000);
    scene.strikes(at, FaultKind::Crash { slot, down_ms });
    let image = |slot: u8| &plan.units[usize::from(slot)].image;
    let mut entered = Vec::new();
    for _ in 0..COMMANDS {
        let batch = wishes.material.batch(image(slot), image(1 - slot), &mut entered, rng);
        let ms = (from_ms + rng.among(1, 2_000)).min(plan.horizon_ms - 1);
        if let Some(text) = batch {
            scene.enters(Anchor::Instant(ms), What::Config { text });
        }
    }
}

#[cfg(test)]
mod tests {
    use skewsync_sim::plan::FaultName;

    use crate::draw::{DrawOptions, Mix, plan};

    #[test]
    fn some_seeds_of_a_swarm_have_an_engine_that_is_not_read_and_none_of_a_calm_mix() {
        let has = |mix| {
            let wishes = DrawOptions { mix, ..DrawOptions::default() };
            let of = |seed: &u64| {
                let plan = plan(*seed, &wishes);
                plan.faults.iter().any(|fault| fault.name() == FaultName::ForeignPayload)
            };
            (0..500).filter(of).count()
        };
        let swarm = has(Mix::Swarm);
        assert!((20..100).contains(&swarm), "{swarm}");
        assert_eq!(has(Mix::None), 0);
    }
}
