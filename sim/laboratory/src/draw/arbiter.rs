//! Draws, in some seeds, an arbiter that loses its state, or whose disk goes back to an older one.
//! A rng of its own, so that it moves no other fault.

use skewsync_sim::plan::{Anchor, Fault, FaultKind, FaultName, Plan};

use super::{DrawOptions, Purpose, Rng, allowed};

/// Both kinds.
const KINDS: [FaultName; 2] = [FaultName::ArbiterLost, FaultName::ArbiterOlder];
/// How long it is down.
const DOWN_MS: (u64, u64) = (100, 8_000);
/// How long before its end an older state is from.
const BACK_MS: (u64, u64) = (200, 20_000);
/// The pair can be hot by then.
const HOT_BY_MS: u64 = 4_000;
/// How often it happens in one seed.
const TIMES: (u64, u64) = (1, 3);
/// In so many of a hundred cases a unit that may act is out of the arbiter's reach meanwhile.
const PARTED_PERCENT: u64 = 50;
/// For longer than a lease, and the arbiter's gathering.
const AWAY_MS: u64 = 6_000;

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Fault> {
    let mut rng = Rng::new(seed, Purpose::Arbiter);
    let on = rng.chance(wishes.mix.arbiter_percent());
    // Who asks for these kinds alone gets them in every seed.
    let asked = wishes.only_faults.is_some();
    let kinds = KINDS.into_iter().filter(|kind| allowed(wishes, *kind));
    let kinds: Vec<FaultName> = kinds.collect();
    if !(on || asked) || kinds.is_empty() {
        return Vec::new();
    }
    let least = HOT_BY_MS.min(plan.horizon_ms / 2);
    let parts = allowed(wishes, FaultName::ArbiterAway) && allowed(wishes, FaultName::Partition);
    let mut faults = Vec::new();
    for _ in 0..rng.among(TIMES.0, TIMES.1) {
        let ms = rng.among(least, plan.horizon_ms.max(least + 1) - 1);
        let slot = rng.below(2) as u8;
        let parted = rng.chance(PARTED_PERCENT) && parts;
        let down_ms = rng.among(DOWN_MS.0, DOWN_MS.1);
        let back_ms = rng.among(BACK_MS.0, BACK_MS.1);
        let kind = match *rng.pick(&kinds) {
            FaultName::ArbiterLost if parted => {
                faults.push((ms.saturating_sub(100), away(slot)));
                (ms, FaultKind::ArbiterLost { down_ms: 100 })
            }
            FaultName::ArbiterLost => (ms, FaultKind::ArbiterLost { down_ms }),
            _ if parted => {
                faults.extend(comes_back_parted(slot, ms));
                let back_ms = rng.among(6_500, 8_500);
                let kind = FaultKind::ArbiterOlder { down_ms: 100, back_ms };
                (ms + 7_500, kind)
            }
            _ => (ms, FaultKind::ArbiterOlder { down_ms, back_ms }),
        };
        faults.push(kind);
    }
    let within = |(ms, kind): (u64, FaultKind)| Fault {
        at: Anchor::Instant(ms.min(plan.horizon_ms - 1)),
        kind,
    };
    faults.into_iter().map(within).collect()
}

const fn away(slot: u8) -> FaultKind {
    let for_ms = AWAY_MS;
    FaultKind::ArbiterAway { slot, for_ms }
}

/// The unit's lease ends out of reach of both; the other takes over, and is out of the arbiter's
/// reach when the state of before comes back, in which the first one holds the lease.
fn comes_back_parted(slot: u8, ms: u64) -> [(u64, FaultKind); 3] {
    let for_ms = 3 * AWAY_MS;
    [(ms, away(slot)), (ms, FaultKind::Partition { for_ms }), (ms + 7_400, away(1 - slot))]
}

#[cfg(test)]
mod tests {
    use crate::draw::{DrawOptions, Mix, plan};

    #[test]
    fn some_seeds_of_a_swarm_have_an_arbiter_whose_state_is_lost_or_older_and_none_of_the_mix_none()
    {
        let has = |mix, name| {
            let wishes = DrawOptions { mix, ..DrawOptions::default() };
            let of = |seed: &u64| {
                let plan = plan(*seed, &wishes);
                plan.faults.iter().any(|fault| fault.name() == name)
            };
            (0..500).filter(of).count()
        };
        for kind in super::KINDS {
            let swarm = has(Mix::Swarm, kind);
            assert!((10..60).contains(&swarm), "{kind}: {swarm}");
            assert_eq!(has(Mix::None, kind), 0);
        }
    }
}
