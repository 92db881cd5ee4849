//! Draws crowds: many operators at work at once, who enter whatever there is to enter within a
//! moment.

use super::{DrawOptions, Purpose, Stream};
use crate::plan::{Anchor, Entry, Plan, What};

/// What a crowd enters, least and most: more than may wait.
const ENTRIES: (u64, u64) = (15, 180);
/// Within how long.
const WITHIN_MS: (u64, u64) = (1, 3_000);
/// It comes when the pair may be hot.
const FROM_MS: u64 = 2_000;
/// Of a hundred entries so many are configuration.
const CONFIG_PERCENT: u64 = 60;

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Entry> {
    let mut stream = Stream::new(seed, Purpose::Crowd);
    if !stream.chance(wishes.mix.crowd_percent()) {
        return Vec::new();
    }
    let from_ms = stream.among(FROM_MS, plan.horizon_ms - 1);
    let within_ms = stream.among(WITHIN_MS.0, WITHIN_MS.1);
    let mut entered = [Vec::new(), Vec::new()];
    let mut entries = Vec::new();
    for _ in 0..stream.among(ENTRIES.0, ENTRIES.1) {
        let ms = (from_ms + stream.below(within_ms)).min(plan.horizon_ms - 1);
        let what = what(wishes, plan, &mut entered, &mut stream);
        let at = Anchor::Instant(ms);
        entries.extend(what.map(|what| Entry { at, what }));
    }
    entries
}

fn what(
    wishes: &DrawOptions,
    plan: &Plan,
    entered: &mut [Vec<usize>; 2],
    stream: &mut Stream,
) -> Option<What> {
    if !stream.chance(CONFIG_PERCENT) {
        let others = [
            What::Save,
            What::Save,
            What::Switchover,
            What::Switchover,
            What::ForcedSwitchover,
            What::Retry,
            What::ResetPeer,
        ];
        return Some(stream.pick(&others).clone());
    }
    let at = usize::from(stream.chance(30));
    let (side, peer) = (&plan.units[at].image, &plan.units[1 - at].image);
    let text = wishes.material.batch(side, peer, &mut entered[at], stream)?;
    Some(What::Config { text })
}
