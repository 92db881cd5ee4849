//! How much goes wrong in the plans that are drawn.

use skewsync_sim::plan::FaultName;

use super::{DrawOptions, Purpose, Rng, allowed};

/// How kinds of faults and their rates are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mix {
    /// Each seed has its own kinds, at its own rates.
    #[default]
    Swarm,
    /// No faults and no noise.
    None,
    /// Few kinds, seldom.
    Lite,
    /// Most kinds, often.
    Storm,
    /// Every kind, at one rate that is the same for all seeds.
    Fixed,
}

impl Mix {
    /// Of a hundred seeds, in so many a given kind of fault is on.
    pub(super) const fn kind_percent(self) -> u64 {
        match self {
            Self::Swarm => 40,
            Self::None => 0,
            Self::Lite => 15,
            Self::Storm => 85,
            Self::Fixed => 100,
        }
    }

    /// Between what bounds a seed's greatest time between two faults is drawn, in ms.
    pub(super) const fn dwell_ms(self) -> (u64, u64) {
        match self {
            Self::Swarm | Self::None => (2_000, 20_000),
            Self::Lite => (15_000, 40_000),
            Self::Storm => (300, 3_000),
            Self::Fixed => (10_000, 10_000),
        }
    }

    /// Of a hundred seeds, so many have no noise at all.
    pub(super) const fn quiet_percent(self) -> u64 {
        match self {
            Self::Swarm => 33,
            Self::None => 100,
            Self::Lite => 66,
            Self::Storm | Self::Fixed => 0,
        }
    }

    /// The least and greatest rate of a kind of noise, whose greatest in a swarm is `most`, in per
    /// mille.
    pub(super) fn noise(self, most: u64) -> (u64, u64) {
        let middle = (most / 4).max(1);
        match self {
            Self::Swarm => (1, most),
            Self::None => (0, 0),
            Self::Lite => (1, middle),
            Self::Storm => (middle, most),
            Self::Fixed => (middle, middle),
        }
    }

    /// Faults of single messages that are aimed at named kinds of messages, beside the noise: least
    /// and most.
    pub(super) const fn aimed(self) -> (u64, u64) {
        match self {
            Self::Swarm => (0, 4),
            Self::None => (0, 0),
            Self::Lite => (0, 1),
            Self::Storm => (2, 8),
            Self::Fixed => (2, 2),
        }
    }

    /// Of a hundred planned switchovers, into so many a fault strikes.
    pub(super) const fn in_drain_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 66,
            Self::None => 0,
            Self::Lite => 20,
            Self::Storm => 90,
        }
    }

    /// Of a hundred plans, so many have a scene.
    pub(super) const fn scenes_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 25,
            Self::None => 0,
            Self::Lite => 10,
            Self::Storm => 40,
        }
    }

    /// How much oftener than another a kind of fault may come that is on, in one seed.
    const fn weight_max(self) -> u64 {
        match self {
            Self::Swarm | Self::Storm => 4,
            Self::None | Self::Lite | Self::Fixed => 1,
        }
    }

    /// Of a hundred seeds, in so many something is done under which the protocol does not promise
    /// everything.
    pub(super) const fn beyond_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Storm => 5,
            Self::Lite => 2,
            Self::None | Self::Fixed => 0,
        }
    }

    /// Of a hundred seeds, in so many the arbiter loses its state, or goes back to an older one.
    pub(super) const fn arbiter_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 8,
            Self::None => 0,
            Self::Lite => 4,
            Self::Storm => 15,
        }
    }

    /// Of a hundred seeds, in so many an engine writes what the other does not read.
    pub(super) const fn foreign_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 10,
            Self::None => 0,
            Self::Lite => 5,
            Self::Storm => 20,
        }
    }

    /// Of a hundred seeds, in so many many operators are at work at once.
    pub(super) const fn crowd_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 10,
            Self::None => 0,
            Self::Lite => 5,
            Self::Storm => 30,
        }
    }

    /// Of a hundred plans so many make commands wait for long.
    pub(super) const fn waits_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 8,
            Self::None => 0,
            Self::Lite => 4,
            Self::Storm => 15,
        }
    }

    /// Of a hundred seeds, in so many an upgrade is begun.
    pub(super) const fn upgrade_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Fixed => 10,
            Self::None => 0,
            Self::Lite => 5,
            Self::Storm => 20,
        }
    }

    /// Of a hundred seeds, so many have an outage.
    pub(super) const fn outage_percent(self) -> u64 {
        match self {
            Self::Swarm | Self::Storm | Self::Fixed => 3,
            Self::None => 0,
            Self::Lite => 1,
        }
    }

    /// Whether anything goes wrong.
    pub(super) const fn strikes(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// How long faults of one seed last, and how often each kind comes that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dwell {
    /// What lasts, least and most, in ms.
    pub(super) for_ms: (u64, u64),
    /// How long what ended is down, least and most, in ms.
    pub(super) down_ms: (u64, u64),
}

impl Dwell {
    /// All that ends before a session, a lease or a prompt gives up.
    const SHORT: Self = Self { for_ms: (50, 1_500), down_ms: (20, 800) };
    /// All that outlasts them.
    const LONG: Self = Self { for_ms: (3_000, 12_000), down_ms: (2_000, 8_000) };
    /// Either.
    const ANY: Self = Self { for_ms: (50, 12_000), down_ms: (20, 8_000) };

    /// A seed's.
    pub(super) fn from_seed(seed: u64, mix: Mix) -> Self {
        let mut rng = Rng::new(seed, Purpose::Dwell);
        let class = *rng.pick(&[Self::SHORT, Self::LONG, Self::ANY]);
        match mix {
            Mix::Swarm | Mix::None | Mix::Lite | Mix::Storm => class,
            Mix::Fixed => Self::ANY,
        }
    }
}

/// The kinds of faults that are on in a seed, each as often as it comes beside the others.
pub(super) fn kinds(
    of: &[FaultName],
    wishes: &DrawOptions,
    on: &mut Rng,
    weights: &mut Rng,
) -> Vec<FaultName> {
    let mut kinds = Vec::new();
    for &name in of {
        let is_on = on.chance(wishes.mix.kind_percent());
        let weight = weights.among(1, wishes.mix.weight_max());
        if is_on && allowed(wishes, name) {
            kinds.extend((0..weight).map(|_| name));
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use skewsync_sim::plan::FaultName;
    use skewsync_sim::plan::{Network, Noise, Plan};

    use super::Mix;
    use crate::draw::{DrawOptions, plan};

    fn plans(mix: Mix) -> Vec<Plan> {
        let wishes = DrawOptions { mix, ..DrawOptions::default() };
        (0..200).map(|seed| plan(seed, &wishes)).collect()
    }

    fn faults(mix: Mix) -> usize {
        plans(mix).iter().map(|plan| plan.faults.len()).sum()
    }

    #[test]
    fn nothing_goes_wrong_with_the_mix_none() {
        for plan in plans(Mix::None) {
            assert_eq!((plan.faults.len(), plan.noise), (0, Noise::default()));
            assert_eq!(plan.loss.unwrap_or(0), 0);
            assert!(!plan.commands.is_empty());
        }
    }

    #[test]
    fn a_storm_has_more_faults_than_a_swarm_and_a_lite_mix_fewer() {
        let (lite, swarm, storm) = (faults(Mix::Lite), faults(Mix::Swarm), faults(Mix::Storm));
        assert!(lite > 0 && lite < swarm && 2 * swarm < storm, "{lite} {swarm} {storm}");
    }

    #[test]
    fn a_fixed_mix_has_the_same_rates_in_every_seed_with_links() {
        for plan in plans(Mix::Fixed) {
            if plan.network == Network::Links {
                let noise = plan.noise;
                let rates = (noise.lose, noise.duplicate, noise.delay, noise.corrupt);
                assert_eq!(rates, (37, 37, 50, 10));
                assert_eq!((noise.hold, noise.reorder), (7, 25));
            }
        }
    }

    #[test]
    fn seeds_of_a_swarm_differ_in_kinds_rates_and_dwell_and_those_of_a_fixed_mix_do_not() {
        let drawn = |mix: Mix| {
            let wishes = DrawOptions { mix, ..DrawOptions::default() };
            let of = |seed: u64| {
                let mut on = super::Rng::new(seed, super::Purpose::Faults);
                let mut weights = super::Rng::new(seed, super::Purpose::Weights);
                let kinds = super::kinds(
                    &[FaultName::Crash, FaultName::Pause, FaultName::Clog],
                    &wishes,
                    &mut on,
                    &mut weights,
                );
                (kinds, super::Dwell::from_seed(seed, mix))
            };
            let all: Vec<_> = (0..60).map(of).collect();
            let first = &all[0];
            all.iter().filter(|one| *one != first).count()
        };
        assert!(drawn(Mix::Swarm) > 30, "{}", drawn(Mix::Swarm));
        assert_eq!(drawn(Mix::Fixed), 0);
    }

    #[test]
    fn only_a_swarm_leaves_everything_to_the_draw() {
        let of = |mix| DrawOptions { mix, ..DrawOptions::default() };
        assert!(of(Mix::Swarm).is_free());
        for mix in [Mix::None, Mix::Lite, Mix::Storm, Mix::Fixed] {
            assert!(!of(mix).is_free(), "{mix:?}");
        }
    }
}
