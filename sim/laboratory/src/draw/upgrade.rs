//! Draws upgrades and downgrades in service: one unit starts again with another image; then the
//! role goes to it and the other unit follows, or it goes back to the image that it had, as often
//! as not before the pair was hot with the new one.

use skewsync_sim::plan::{Anchor, FaultKind, FaultName, Plan, What};

use super::scenarios::Scenario;
use super::{DrawOptions, Purpose, Rng, allowed};

/// How long a unit is down for a change of its image.
const DOWN_MS: (u64, u64) = (100, 3_000);
/// After how long it is taken back while the pair is in bulk sync, and after how long it is taken
/// on or back once it may be hot.
const HASTY_MS: (u64, u64) = (50, 1_500);
const PATIENT_MS: (u64, u64) = (4_000, 15_000);

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Scenario {
    let mut rng = Rng::new(seed, Purpose::Upgrade);
    let mut scene = Scenario::default();
    let on = rng.chance(wishes.mix.upgrade_percent());
    if !on || wishes.pair.is_some() || !allowed(wishes, FaultName::ImageChange) {
        return scene;
    }
    // Most Standbys are in slot 1, and they are upgraded first.
    let slot = u8::from(rng.chance(75));
    let image = rng.pick(wishes.material.names()).clone();
    let change = |scene: &mut Scenario, ms: u64, slot: u8, image: &str, down_ms: u64| {
        let image = image.to_string();
        let kind = FaultKind::ImageChange { slot, image, down_ms };
        scene.strikes(Anchor::Instant(ms), kind);
    };
    let down_ms = rng.among(DOWN_MS.0, DOWN_MS.1);
    let mut ms = rng.among(1_000, plan.horizon_ms / 2);
    change(&mut scene, ms, slot, &image, down_ms);
    let (hasty, aborts) = (rng.chance(40), rng.chance(50));
    let waits = if hasty && aborts { HASTY_MS } else { PATIENT_MS };
    ms += down_ms + rng.among(waits.0, waits.1);
    if aborts {
        let before = plan.units[usize::from(slot)].image.clone();
        change(&mut scene, ms, slot, &before, down_ms);
    } else {
        scene.enters(Anchor::Instant(ms), What::Switchover);
        ms += rng.among(HASTY_MS.0, PATIENT_MS.1);
        change(&mut scene, ms, 1 - slot, &image, down_ms);
    }
    scene
}

#[cfg(test)]
mod tests {
    use skewsync_sim::plan::FaultName;
    use skewsync_sim::plan::{Fault, FaultKind};

    use crate::draw::{DrawOptions, plan};

    #[test]
    fn upgrades_are_taken_on_and_taken_back() {
        let wishes = DrawOptions {
            only_faults: Some(vec![FaultName::ImageChange]),
            ..DrawOptions::default()
        };
        let (mut on, mut back) = (0, 0);
        for seed in 0..400 {
            let scene = super::draw(seed, &wishes, &plan(seed, &wishes));
            let of = |fault: &Fault| match &fault.kind {
                FaultKind::ImageChange { slot, image, .. } => Some((*slot, image.clone())),
                _ => None,
            };
            let changes: Vec<_> = scene.faults.iter().filter_map(of).collect();
            match changes.as_slice() {
                [] => assert!(scene.entries.is_empty()),
                [(one, to), (other, also)] if one != other => {
                    assert_eq!(to, also);
                    on += 1;
                }
                [(one, _), (_, before)] => {
                    assert_eq!(plan(seed, &wishes).units[usize::from(*one)].image, *before);
                    back += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(on > 0 && back > 0, "{on} {back}");
    }
}
