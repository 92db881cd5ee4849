//! Draws what makes commands wait for long: a unit that releases the role and hears of nobody for
//! longer than its queue waits; and one command that is entered more often than prompts may be
//! held.

use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::{Anchor, FaultKind, Moment, Network, Plan, What};

use super::scenarios::Scenario;
use super::{DrawOptions, Purpose, Rng, allowed};

/// It comes when the pair may be hot.
const FROM_MS: u64 = 5_000;
/// Commands that wait at the unit that released, least and most.
const QUEUED: (u64, u64) = (1, 6);
/// For how long it hears of nobody: more than its queue waits, or less.
const ALONE_MS: (u64, u64) = (8_000, 24_000);
/// How often one command is entered: more often than prompts may be held.
const AGAIN: (u64, u64) = (200, 420);

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Scenario {
    let mut rng = Rng::new(seed, Purpose::Waits);
    let mut scene = Scenario::default();
    let (percent, which) = (wishes.mix.waits_percent(), rng.below(2));
    if !rng.chance(percent) {
        return scene;
    }
    // Most first Actives are in slot 0.
    let slot = usize::from(rng.chance(30));
    let (side, peer) = (&plan.units[slot].image, &plan.units[1 - slot].image);
    let mut batches = batches(side, peer, wishes, &mut rng);
    let ms = rng.among(FROM_MS, plan.horizon_ms - 1);
    if which == 0 {
        let (count, text) = (rng.among(AGAIN.0, AGAIN.1), batches.pop());
        for text in std::iter::repeat_n(text, count as usize).flatten() {
            scene.enters(Anchor::Instant(ms), What::Config { text });
        }
        return scene;
    }
    let for_ms = rng.among(ALONE_MS.0, ALONE_MS.1);
    let kinds =
        [FaultKind::ArbiterAway { slot: slot as u8, for_ms }, FaultKind::Partition { for_ms }];
    let at = Anchor::Next {
        moment: Moment::After,
        from_ms: ms,
        to: Some(Address::Arbiter),
        kind: Some(Kind::Release),
    };
    for kind in kinds {
        scene.strikes(at, kind);
    }
    let mut faults = scene.faults.iter();
    if plan.network != Network::Links || !faults.all(|fault| allowed(wishes, fault.name())) {
        return Scenario::default();
    }
    scene.enters(Anchor::Instant(ms), What::Switchover);
    for text in batches {
        scene.enters(Anchor::Instant(ms), What::Config { text });
    }
    scene
}

fn batches(image: &str, peer: &str, wishes: &DrawOptions, rng: &mut Rng) -> Vec<String> {
    let mut entered = Vec::new();
    (0..rng.among(QUEUED.0, QUEUED.1))
        .filter_map(|_| wishes.material.batch(image, peer, &mut entered, rng))
        .collect()
}

#[cfg(test)]
mod tests {
    use skewsync_sim::plan::FaultName;

    use super::*;

    #[test]
    fn both_come_up_and_only_of_wished_faults() {
        let scenes = |wishes: &DrawOptions| {
            let plans = (0..400).map(|seed| (seed, super::super::plan(seed, wishes)));
            let scenes = plans.map(|(seed, plan)| draw(seed, wishes, &plan));
            scenes
                .filter(|scene| !scene.entries.is_empty())
                .map(|scene| (scene.faults.len(), scene.entries.len() > 100))
                .collect::<std::collections::BTreeSet<_>>()
        };
        let all = scenes(&DrawOptions::default());
        assert!(all.into_iter().eq([(0, true), (2, false)]));
        let only =
            DrawOptions { only_faults: Some(vec![FaultName::Partition]), ..DrawOptions::default() };
        assert!(scenes(&only).into_iter().eq([(0, true)]));
    }
}
