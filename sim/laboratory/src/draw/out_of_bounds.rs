//! Draws, in few seeds, what the protocol does not promise to bear: clocks beyond its bound, and a
//! Standby that executes what it was not sent. Such runs are excused from some properties
//! (`plan::excuse`), and from no other.

use skewsync::ids::Slot;
use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::{Anchor, Fault, FaultKind, FaultName, Moment, Network, Plan};

use super::{DrawOptions, Purpose, Rng, allowed};

/// How often such a thing is done in one of these seeds, at most.
const TIMES_MAX: u64 = 12;
/// How much slower than its own drift a clock may be here.
const RATE_PPM: (u64, u64) = (20_000, 400_000);
/// How far a clock is set back here.
const BACK_MS: (u64, u64) = (50, 5_000);
/// For how long a clock is slow.
const LASTS_MS: (u64, u64) = (500, 15_000);

pub(super) fn draw(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Fault> {
    let mut rng = Rng::new(seed, Purpose::Beyond);
    let on = rng.chance(wishes.mix.beyond_percent());
    // Who asks for this kind alone gets it in every seed.
    let asked = wishes.only_faults.is_some() && allowed(wishes, FaultName::MisapplyLine);
    if !on && !asked {
        return Vec::new();
    }
    // One excuse a seed: the other properties are checked.
    let misapplies = asked || rng.chance(70);
    let mut faults = Vec::new();
    for _ in 0..rng.among(1, TIMES_MAX) {
        let fault =
            if misapplies { misapplied(wishes, plan, &mut rng) } else { clock(plan, &mut rng) };
        faults.extend(fault.filter(|fault| allowed(wishes, fault.name())));
    }
    faults
}

fn misapplied(wishes: &DrawOptions, plan: &Plan, rng: &mut Rng) -> Option<Fault> {
    // Most Standbys are in slot 1.
    let slot = u8::from(rng.chance(65));
    let of = |slot: u8| &plan.units[usize::from(slot)].image;
    let mut entered = Vec::new();
    let text = wishes.material.batch(of(slot), of(1 - slot), &mut entered, rng)?;
    let (from_ms, aimed) = (rng.among(500, plan.horizon_ms - 1), rng.chance(50));
    let kind = *rng.pick(&[Kind::Line, Kind::BulkAccept, Kind::Hot, Kind::Keepalive]);
    let at = if aimed && plan.network == Network::Links {
        Anchor::Next {
            moment: Moment::After,
            from_ms,
            to: Some(Address::Unit(Slot(slot))),
            kind: Some(kind),
        }
    } else {
        Anchor::Instant(from_ms)
    };
    let kind = FaultKind::MisapplyLine { slot, text };
    Some(Fault { at, kind })
}

fn clock(plan: &Plan, rng: &mut Rng) -> Option<Fault> {
    let slot = rng.below(2) as u8;
    let at = Anchor::Instant(rng.among(500, plan.horizon_ms - 1));
    let for_ms = rng.among(LASTS_MS.0, LASTS_MS.1);
    let ppm = -(rng.among(RATE_PPM.0, RATE_PPM.1) as i32);
    let by_ms = -(rng.among(BACK_MS.0, BACK_MS.1) as i64);
    let kind = if rng.chance(50) {
        FaultKind::ClockRate { slot, ppm, for_ms }
    } else {
        FaultKind::ClockStep { slot, by_ms }
    };
    Some(Fault { at, kind })
}

#[cfg(test)]
mod tests {
    use skewsync::unit::Limits;
    use skewsync_sim::plan::exemption::Exemption;

    use crate::draw::{DrawOptions, Mix, plan};

    #[test]
    fn few_seeds_of_a_swarm_are_exempt_and_none_of_a_fixed_mix() {
        let exempt = |mix| {
            let wishes = DrawOptions { mix, ..DrawOptions::default() };
            let of = |seed| Exemption::of_plan(&plan(seed, &wishes), &Limits::DEFAULT);
            (0..1_000).filter(|seed| !of(*seed).is_empty()).count()
        };
        let swarm = exempt(Mix::Swarm);
        assert!((20..80).contains(&swarm), "{swarm}");
        assert_eq!((exempt(Mix::Fixed), exempt(Mix::None)), (0, 0));
    }
}
