//! A seed makes a plan. One ChaCha rng per purpose, so that a new draw for one purpose does not
//! shift the others.

mod arbiter;
mod families;
mod faults;
mod foreign;
mod material;
mod mix;
mod out_of_bounds;
mod outage;
mod overload;
mod scenarios;
mod timed_faults;
mod upgrade;
mod waits;

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};
use skewsync_sim::plan::{
    Anchor, Entry, FORMAT, FaultName, Moment, Network, Noise, Plan, UnitPlan, What,
};

pub use families::Families;
pub(crate) use families::runs_on_drawn;
pub use material::{CommandCorpus, ImageCommands};
pub use mix::Mix;
pub use outage::OUTAGE_MS;

/// Length of a drawn safety phase without an outage.
pub const HORIZON_MS: u64 = 60_000;
/// Of so many plans in a hundred, each has a burst of commands.
const BURST_PERCENT: u64 = 5;
/// Commands in it, least and most: more than the window, and no more than a queue takes.
const BURST: (u64, u64) = (20, 40);
/// It comes when the pair may be hot.
const BURST_FROM_MS: u64 = 3_000;
/// Of so many plans, one goes over madsim's own sockets.
pub const SOCKETS_ONE_IN: u64 = 10;
/// Greatest drift that a plan draws; the engine's leases bear more.
pub const DRIFT_PPM_MAX: u64 = 5_000;

/// What the drawn plans are to be like; by default whatever the bundled family and drawn ones give.
#[derive(Clone, Debug, Default)]
pub struct DrawOptions {
    /// The images of slots 0 and 1.
    pub pair: Option<(String, String)>,
    /// Only these kinds of faults.
    pub only_faults: Option<Vec<FaultName>>,
    /// The planted defect.
    pub planted: Option<String>,
    /// The config in the startup store of slot 0, instead of one of the image's own.
    pub config: Option<String>,
    /// How much goes wrong.
    pub mix: Mix,
    /// Which families the plans run on.
    pub families: Families,
    /// What configs and commands are made of.
    pub material: Arc<CommandCorpus>,
}

impl DrawOptions {
    /// Whether they leave everything to the draw: any pair, any family, any fault, no defect, a
    /// swarm.
    pub const fn is_free(&self) -> bool {
        self.pair.is_none()
            && self.only_faults.is_none()
            && self.planted.is_none()
            && self.config.is_none()
            && matches!(self.mix, Mix::Swarm)
            && matches!(self.families, Families::Mixed)
    }
}

/// What a rng of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    Topology = 1,
    World = 2,
    Commands = 3,
    Faults = 4,
    Noise = 5,
    Scenes = 6,
    Burst = 7,
    Lasting = 8,
    Beyond = 9,
    Crowd = 10,
    Upgrade = 11,
    Dwell = 12,
    Weights = 13,
    Outage = 14,
    Foreign = 15,
    Arbiter = 16,
    Waits = 20,
    Families = 21,
}

/// One rng of random numbers.
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose as u64);
        Self(rng)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        self.0.next_u64() % bound
    }

    /// A number of `least..=most`.
    pub(crate) fn among(&mut self, least: u64, most: u64) -> u64 {
        assert!(least <= most, "a range runs forward");
        least + self.below(most - least + 1)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = self.below(of.len() as u64) as usize;
        &of[index]
    }
}

/// The plan of a seed.
///
/// # Panics
/// If the material has no image.
pub fn plan(seed: u64, wishes: &DrawOptions) -> Plan {
    let drawn = families::of_seed(seed, wishes);
    let wishes = drawn.as_ref().unwrap_or(wishes);
    let units = units(seed, wishes);
    let mut topology = Rng::new(seed, Purpose::World);
    let network =
        if topology.below(SOCKETS_ONE_IN) == 0 { Network::Sockets } else { Network::Links };
    let world = topology.word();
    let least = topology.among(1_000, 5_000);
    let most = least + topology.among(500, 15_000);
    let acked_percent = *topology.pick(&[100, 100, 70, 0]);
    // Up to three in a hundred, where messages may be lost at all.
    let loss = if allowed(wishes, FaultName::Lose) { (world % 4) as u32 * 10 } else { 0 };
    let mut plan = Plan {
        version: FORMAT,
        seed: Some(seed),
        commit: String::new(),
        world,
        planted: wishes.planted.clone(),
        reseed: None,
        network,
        loss: (network == Network::Sockets).then_some(loss),
        horizon_ms: HORIZON_MS,
        latency_us: (least, most),
        acked_percent,
        noise: noise(seed, network, wishes),
        units,
        commands: Vec::new(),
        faults: Vec::new(),
    };
    plan.commands = commands(seed, wishes, &plan);
    plan.faults = faults::draw(seed, wishes, &plan);
    plan.faults.extend(timed_faults::draw(seed, wishes, &plan));
    let scene = scenarios::draw(seed, wishes, &plan);
    plan.faults.extend(scene.faults);
    plan.commands.extend(scene.entries);
    plan.faults.extend(out_of_bounds::draw(seed, wishes, &plan));
    plan.faults.extend(arbiter::draw(seed, wishes, &plan));
    let foreign = foreign::draw(seed, wishes, &plan);
    plan.faults.extend(foreign.faults);
    plan.commands.extend(foreign.entries);
    let upgrade = upgrade::draw(seed, wishes, &plan);
    plan.faults.extend(upgrade.faults);
    plan.commands.extend(upgrade.entries);
    plan.commands.extend(burst(seed, wishes, &plan));
    plan.commands.extend(overload::draw(seed, wishes, &plan));
    let waits = waits::draw(seed, wishes, &plan);
    plan.faults.extend(waits.faults);
    plan.commands.extend(waits.entries);
    let (outage, until_ms) = outage::draw(seed, wishes, &plan);
    plan.faults.extend(outage.faults);
    plan.commands.extend(outage.entries);
    plan.horizon_ms = until_ms;
    in_order(&mut plan.commands);
    debug_assert_eq!(plan.check(), Ok(()), "a drawn plan fits together");
    plan
}

fn units(seed: u64, wishes: &DrawOptions) -> Vec<UnitPlan> {
    let mut rng = Rng::new(seed, Purpose::Topology);
    let names = wishes.material.names();
    assert!(!names.is_empty(), "there is an image to run");
    // Every ordered pair comes up in turn: a campaign of n * n seeds meets them all.
    let pairs = (names.len() * names.len()) as u64;
    let index = (seed % pairs) as usize;
    let (one, other) = (names[index / names.len()].clone(), names[index % names.len()].clone());
    let (one, other) = wishes.pair.clone().unwrap_or((one, other));
    let mut unit = |slot: u8, image: String| {
        let startup = match &wishes.config {
            Some(config) if slot == 0 => Some(config.clone()),
            Some(_) => None,
            None => wishes.material.config(&image, &mut rng),
        };
        // An empty store at slot 1 in half of the seeds: then slot 0 is the first Active.
        let startup = startup.filter(|_| slot == 0 || rng.chance(50));
        let drift = rng.below(2 * DRIFT_PPM_MAX + 1) as i32 - DRIFT_PPM_MAX as i32;
        let drift_ppm = if rng.chance(50) { drift } else { 0 };
        let disk_ms = rng.among(1, 20);
        UnitPlan { slot, image, digest: String::new(), drift_ppm, disk_ms, startup }
    };
    vec![unit(0, one), unit(1, other)]
}

fn allowed(wishes: &DrawOptions, name: FaultName) -> bool {
    let only = wishes.only_faults.as_ref();
    wishes.mix.strikes() && only.is_none_or(|only| only.contains(&name))
}

fn noise(seed: u64, network: Network, wishes: &DrawOptions) -> Noise {
    let mut rng = Rng::new(seed, Purpose::Noise);
    let mix = wishes.mix;
    let quiet = rng.chance(mix.quiet_percent()) || network == Network::Sockets;
    let mut rate = |name: FaultName, most: u64| {
        let (least, most) = mix.noise(most);
        let on = rng.chance(mix.kind_percent());
        let rate = rng.among(least, most) as u32;
        if on && !quiet && allowed(wishes, name) { rate } else { 0 }
    };
    let noise = Noise {
        lose: rate(FaultName::Lose, 150),
        duplicate: rate(FaultName::Duplicate, 150),
        delay: rate(FaultName::Delay, 200),
        corrupt: rate(FaultName::Corrupt, 40),
        hold: rate(FaultName::Hold, 30),
        reorder: rate(FaultName::Reorder, 100),
        late_ms_max: 0,
        hold_ms_max: 0,
    };
    let none = noise == Noise::default();
    let (late_ms_max, hold_ms_max) = (rng.among(20, 2_000), rng.among(1_000, 30_000));
    if none { noise } else { Noise { late_ms_max, hold_ms_max, ..noise } }
}

fn commands(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Entry> {
    let mut rng = Rng::new(seed, Purpose::Commands);
    let count = rng.among(5, 60);
    let mut entries = Vec::new();
    let mut entered = [Vec::new(), Vec::new()];
    for _ in 0..count {
        // Either unit may be the Active by then: its image's words come from either's material.
        let at = usize::from(!rng.chance(70));
        let (side, peer) = (&plan.units[at].image, &plan.units[1 - at].image);
        let batch = wishes.material.batch(side, peer, &mut entered[at], &mut rng);
        let Some(text) = batch else {
            continue;
        };
        let ms = rng.among(500, plan.horizon_ms - 1);
        entries.push(Entry { at: placed(&mut rng, ms, plan), what: What::Config { text } });
    }
    let others = [
        (What::Save, 60),
        (What::Switchover, 60),
        (What::Retry, 10),
        (What::ResetPeer, 10),
        (What::ForcedSwitchover, 20),
    ];
    for (what, percent) in others {
        while rng.chance(percent) {
            let ms = rng.among(2_000, plan.horizon_ms - 1);
            let at =
                if what == What::Save { placed(&mut rng, ms, plan) } else { Anchor::Instant(ms) };
            entries.push(Entry { at, what: what.clone() });
        }
    }
    in_order(&mut entries);
    entries
}

/// In some plans an operator pastes more than the window of a hot pair admits.
fn burst(seed: u64, wishes: &DrawOptions, plan: &Plan) -> Vec<Entry> {
    let mut rng = Rng::new(seed, Purpose::Burst);
    if !rng.chance(BURST_PERCENT) {
        return Vec::new();
    }
    let at = usize::from(rng.chance(30));
    let (side, peer) = (&plan.units[at].image, &plan.units[1 - at].image);
    let ms = rng.among(BURST_FROM_MS, plan.horizon_ms - 1);
    let mut entered = Vec::new();
    let mut entries = Vec::new();
    for _ in 0..rng.among(BURST.0, BURST.1) {
        let batch = wishes.material.batch(side, peer, &mut entered, &mut rng);
        entries.extend(
            batch.map(|text| Entry { at: Anchor::Instant(ms), what: What::Config { text } }),
        );
    }
    entries
}

/// By the time from which each may come; what waits for a named event is first.
fn in_order(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| match entry.at {
        Anchor::Instant(ms) | Anchor::Next { from_ms: ms, .. } => ms,
        Anchor::Observed(..) | Anchor::Answered(..) => 0,
    });
}

/// One command in three is placed into a phase of bulk sync or of a line's way, if there are link
/// anchors.
fn placed(rng: &mut Rng, ms: u64, plan: &Plan) -> Anchor {
    use skewsync::message::MessageKind as Kind;
    const INSIDE: [Kind; 12] = [
        Kind::Ready,
        Kind::Dump,
        Kind::Diff,
        Kind::Compatible,
        Kind::Config,
        Kind::ConfigChunk,
        Kind::BulkDone,
        Kind::BulkAccept,
        Kind::Hot,
        Kind::HotAck,
        Kind::Confirm,
        Kind::Applied,
    ];
    let (inside, kind) = (rng.chance(33), *rng.pick(&INSIDE));
    let moment = if rng.chance(50) { Moment::Before } else { Moment::After };
    // Bulk sync is at the start of a run, and after each fault.
    let from_ms = if rng.chance(50) { 0 } else { ms };
    if inside && plan.network == Network::Links {
        Anchor::Next { moment, from_ms, to: None, kind: Some(kind) }
    } else {
        Anchor::Instant(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan_twice_and_another_seed_another() {
        let wishes = DrawOptions::default();
        assert_eq!(plan(11, &wishes), plan(11, &wishes));
        assert_ne!(plan(11, &wishes).world, plan(12, &wishes).world);
    }

    #[test]
    fn every_drawn_plan_reads_back() {
        let wishes = DrawOptions::default();
        for seed in 0..200 {
            let plan = plan(seed, &wishes);
            assert_eq!(Plan::read(&plan.write()), Ok(plan));
        }
    }

    #[test]
    fn only_the_wished_faults_are_drawn() {
        let wishes =
            DrawOptions { only_faults: Some(vec![FaultName::Crash]), ..DrawOptions::default() };
        for seed in 0..100 {
            let plan = plan(seed, &wishes);
            assert_eq!(plan.noise, Noise::default());
            assert!(plan.faults.iter().all(|fault| fault.name() == FaultName::Crash));
        }
    }
}
