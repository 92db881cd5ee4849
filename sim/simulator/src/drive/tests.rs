//! Each lasting fault has effect in a run, and is undone when faults stop.

use std::sync::Arc;

use skewsync::ids::{Slot, WriteId};
use skewsync::message::{Address, Stamp};
use skewsync::unit::{Record, Timer};

use super::Cluster;
use crate::catalog::{self, Catalog};
use crate::history::Historian;
use crate::plan::{Anchor, Entry, Fault, FaultKind, FaultName, Plan, What, testing};
use crate::run::{Options, Verdict};
use crate::runner::Runner;
use crate::situation::Situation;
use crate::world::clock::Clock;

const SLOT: u8 = 0;

fn catalog() -> Arc<Catalog> {
    Arc::new(catalog::load(&[]).expect("the bundled family loads"))
}

/// A plan in which nothing goes wrong, with links of our own.
fn quiet() -> Plan {
    let mut plan = testing::quiet();
    plan.horizon_ms = 20_000;
    plan.commands.clear();
    plan
}

/// What each kind of lasting fault is like, of a unit that acts.
fn lasting() -> Vec<FaultKind> {
    let words = |of: [&str; 3]| of.map(|word| word.parse().expect("a link")).to_vec();
    let (slot, for_ms) = (SLOT, 9_000);
    vec![
        FaultKind::ClockRate { slot, ppm: 4_000, for_ms },
        FaultKind::ClockStep { slot, by_ms: 2_000 },
        FaultKind::SwizzleClog {
            links: words(["0->1", "1->0", "0->arbiter"]),
            freed: words(["1->0", "0->arbiter", "0->1"]),
            every_ms: 300,
            for_ms,
        },
        FaultKind::DiskFull { slot, for_ms },
        FaultKind::DiskSlow { slot, later_ms: 400, for_ms },
        FaultKind::UnitSlow { slot, step_ms: 60, for_ms },
        FaultKind::TornWrite { slot, down_ms: 700, bytes: 50 },
        FaultKind::BitRot { slot, down_ms: 700, both: false, bit: 1_000 },
    ]
}

/// A cluster whose units run.
fn cluster(plan: Plan) -> Cluster {
    let mut cluster = Cluster::new(Arc::new(plan), catalog(), Historian::default(), Vec::new())
        .expect("the plan fits");
    cluster.start(Address::Unit(Slot(0)));
    cluster.start(Address::Unit(Slot(1)));
    cluster.at(1_000);
    cluster
}

fn inject(cluster: &mut Cluster, kind: FaultKind) {
    let at = Anchor::Instant(1);
    cluster.inject(&Fault { at, kind });
}

#[test]
fn every_lasting_fault_has_effect_in_a_run_and_the_pair_converges_after_it() {
    let catalog = catalog();
    for kind in lasting() {
        let mut plan = quiet();
        let at = Anchor::Instant(8_000);
        plan.faults.push(Fault { at, kind });
        for ms in [8_500, 9_000] {
            plan.commands.push(Entry { at: Anchor::Instant(ms), what: What::Save });
        }
        let name = plan.faults[0].name();
        let report =
            Runner::new(&catalog, Options::default()).run(&Arc::new(plan)).expect("it runs");
        assert_eq!(report.verdict, Verdict::Passed, "{name}");
        let met = report.counts.by_kind();
        assert!(met.contains_key(&name), "{name} had no effect: {met:?}");
        // A store that does not read is told; what was torn is not the only store.
        let damaged = report.counts.situations.get(&Situation::StoreDamaged);
        let spoils = [FaultName::TornWrite, FaultName::BitRot].contains(&name);
        assert_eq!(damaged.is_some(), spoils, "{name}");
    }
}

#[test]
fn when_faults_stop_nothing_lasts() {
    for kind in lasting() {
        let (mut cluster, name) = (cluster(quiet()), format!("{kind:?}"));
        let clock = cluster.hosts[0].clock;
        inject(&mut cluster, kind);
        cluster.block(Address::Unit(Slot(0)), Address::Arbiter, 99);
        cluster.calm();
        let host = &mut cluster.hosts[0];
        assert_eq!(host.clock, clock, "{name}");
        assert_eq!((host.slow_us, host.disk_later_us), (0, 0), "{name}");
        assert!(host.degradations.is_empty(), "{name}");
        assert_eq!(host.tears, None, "{name}");
        assert!(host.disk.write(WriteId(900), store()).is_ok(), "{name}");
        assert!(cluster.links.barred().is_empty(), "{name}");
        // What a swizzle-clog would clog later it does not.
        cluster.block(Address::Unit(Slot(0)), Address::Arbiter, 99);
        assert!(cluster.links.barred().is_empty(), "{name}");
    }
}

fn store() -> Record {
    let image = catalog().image("meridian@6.2").expect("a bundled image");
    let store = image.store("hostname a\n");
    assert_eq!(store.stamp, Stamp::default());
    Record::Store(store)
}

#[test]
fn a_clock_at_another_rate_moves_timers_and_comes_back_by_itself() {
    let mut cluster = cluster(quiet());
    cluster.hosts[0].own_clock = Clock::new(0);
    cluster.hosts[0].clock = Clock::new(0);
    let due = |cluster: &Cluster| cluster.hosts[0].timers[&Timer::Join] - cluster.now_us;
    let before = due(&cluster);
    let (slot, for_ms) = (SLOT, 50);
    let half = FaultKind::ClockRate { slot, ppm: -500_000, for_ms };
    inject(&mut cluster, half);
    assert_eq!(due(&cluster), 2 * before);
    let ends = cluster.take_later();
    let (after, job) = ends.last().expect("it ends").clone();
    assert_eq!(after, 50_000);
    cluster.job(job);
    assert_eq!(due(&cluster), before);
    let by_ms = i64::try_from(before / 1_000).expect("a timer is short") - 1;
    inject(&mut cluster, FaultKind::ClockStep { slot, by_ms });
    assert!(due(&cluster) <= 1_000 + before % 1_000);
}

#[test]
fn a_full_disk_takes_terms_and_no_store() {
    let mut cluster = cluster(quiet());
    let (slot, for_ms) = (SLOT, 50);
    inject(&mut cluster, FaultKind::DiskFull { slot, for_ms });
    let disk = &mut cluster.hosts[0].disk;
    assert!(disk.write(WriteId(900), store()).is_err());
    assert!(disk.write(WriteId(901), Record::Resets(1)).is_ok());
}

#[test]
fn a_standby_that_misapplies_is_brought_back_and_the_run_is_exempt() {
    let mut plan = quiet();
    for unit in &mut plan.units {
        unit.image = "meridian@6.2".into();
        unit.startup = None;
    }
    let text = "hostname wrong\n".to_string();
    plan.faults.extend([0, 1].map(|slot| Fault {
        at: Anchor::Instant(10_000),
        kind: FaultKind::MisapplyLine { slot, text: text.clone() },
    }));
    let run =
        |plan: &Plan| Runner::new(&catalog(), Options::default()).run(&Arc::new(plan.clone()));
    let report = run(&plan).expect("it runs");
    assert_eq!(report.verdict, Verdict::Passed);
    let met = report.counts.by_kind();
    assert_eq!(met.get(&FaultName::MisapplyLine), Some(&1), "one is a Standby");
    assert_eq!(report.counts.exempt.values().sum::<u64>(), 1);
    let hot = |counts: &crate::run::Counts| counts.situations[&Situation::Hot];
    plan.faults.clear();
    let without = run(&plan).expect("it runs").counts;
    assert!(without.exempt.is_empty());
    assert_eq!(hot(&report.counts), hot(&without) + 1, "it was hot anew");
}

/// Commands that change nothing take no LSN, and their prompts count all the same: as many as may
/// be are held, as many as may wait do, and the others are told that the queue is full.
#[test]
fn thousands_of_equal_commands_in_a_partition_are_held_within_bounds() {
    let mut plan = quiet();
    plan.acked_percent = 100;
    plan.faults
        .push(Fault { at: Anchor::Instant(11_990), kind: FaultKind::Partition { for_ms: 8_000 } });
    let entered = |_| Entry {
        at: Anchor::Instant(12_000),
        what: What::Config { text: "hostname a\n".into() },
    };
    plan.commands.extend((0..6_000).map(entered));
    let report = Runner::new(&catalog(), Options::default()).run(&Arc::new(plan)).expect("it runs");
    assert_eq!(report.verdict, Verdict::Passed);
}
