//! Draws crowds: many operators at work at once, who enter whatever there is to enter within a
//! moment.

use skewsync_sim::plan::{Anchor, Entry, Plan, What};

use super::{DrawOptions, Purpose, Rng};

/// What a crowd enters, least and most: more than may wait.
const ENTRIES: (u64, u64) = (15, 180);
/// Within how long.
const WITHIN_MS: (u64, u64) = (1, 3_000);
/// It comes when the pair may be hot.
const FROM_MS: u64 = 2_000;
/// Of a hundred entries so many are configuration.
const CONFIG_PERCENT: u64 = 60;

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Entry> {
    let mut rng = Rng::new(seed, Purpose::Crowd);
    if !rng.chance(wishes.mix.crowd_percent()) {
        return Vec::new();
    }
    let from_ms = rng.among(FROM_MS, plan.horizon_ms - 1);
    let within_ms = rng.among(WITHIN_MS.0, WITHIN_MS.1);
    let mut entered = [Vec::new(), Vec::new()];
    let mut entries = Vec::new();
    for _ in 0..rng.among(ENTRIES.0, ENTRIES.1) {
        let ms = (from_ms + rng.below(within_ms)).min(plan.horizon_ms - 1);
        let what = what(wishes, plan, &mut entered, &mut rng);
        let at = Anchor::Instant(ms);
        entries.extend(what.map(|what| Entry { at, what }));
    }
    entries
}

fn what(
    wishes: &DrawOptions,
    plan: &Plan,
    entered: &mut [Vec<usize>; 2],
    rng: &mut Rng,
) -> Option<What> {
    if !rng.chance(CONFIG_PERCENT) {
        let others = [
            What::Save,
            What::Save,
            What::Switchover,
            What::Switchover,
            What::ForcedSwitchover,
            What::Retry,
            What::ResetPeer,
        ];
        return Some(rng.pick(&others).clone());
    }
    let at = usize::from(rng.chance(30));
    let (side, peer) = (&plan.units[at].image, &plan.units[1 - at].image);
    let text = wishes.material.batch(side, peer, &mut entered[at], rng)?;
    Some(What::Config { text })
}
