//! Bulk translation of configs, by what becomes of their lines; parsed from text, and held already.
//!
//! `cargo bench --bench transform`

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skewsync::config::Config;
use skewsync::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::image::{Image, bundled};
use skewsync::translate::{Lowering, Raising};

/// Lines of each config, entry lines not counted: what a line costs must not grow with them.
const LINES: [usize; 2] = [1_200, 12_000];

/// A kind of line, and the pair of releases between which it becomes that.
struct Case {
    name: &'static str,
    active: &'static str,
    standby: &'static str,
    /// The Active's config of so many lines.
    text: fn(usize) -> String,
}

const CASES: [Case; 7] = [
    Case {
        name: "as they are",
        active: "7.1",
        standby: "6.0",
        text: |lines| {
            blocks(lines / 3, "interface eth", |text, _| {
                text.push_str(" description uplink\n load-interval 30\n bandwidth 100000\n");
            })
        },
    },
    Case {
        name: "lowered by one",
        active: "7.1",
        standby: "7.0",
        text: |lines| {
            blocks(lines / 3, "interface eth", |text, at| {
                for part in 0..3 {
                    writeln!(text, " ipv6 nd nat64 2001:db8:{at:x}:{part}::/64 lifetime 600")
                        .expect("a string takes all");
                }
            })
        },
    },
    Case {
        name: "lowered by three",
        active: "7.1",
        standby: "6.0",
        text: |lines| {
            blocks(lines, "router bgp ", |text, at| {
                writeln!(text, " bgp convergence-wait {}", at % 1800).expect("a string takes all");
            })
        },
    },
    Case {
        name: "of a split, lowered",
        active: "7.1",
        standby: "7.0",
        text: |lines| {
            blocks(lines / 2, "router bgp ", |text, _| {
                text.push_str(" log neighbor up\n log neighbor down\n");
            })
        },
    },
    Case {
        name: "split, raised",
        active: "7.0",
        standby: "7.1",
        text: |lines| {
            blocks(lines, "router bgp ", |text, _| {
                text.push_str(" log neighbor-changes\n");
            })
        },
    },
    Case {
        name: "mode-moved",
        active: "7.1",
        standby: "6.1",
        text: |lines| {
            let mut text = String::from("router pim\n");
            for at in 0..lines {
                writeln!(text, " rp 10.{}.{}.1", at / 250, at % 250).expect("a string takes all");
            }
            text
        },
    },
    Case {
        name: "of an ordered list",
        active: "7.1",
        standby: "6.0",
        text: |lines| {
            let mut text = String::from("ip as-path access-list transit\n");
            for at in 0..lines {
                writeln!(text, " entry permit ^{at}_").expect("a string takes all");
            }
            text
        },
    },
];

/// `count` mode instances, each with what `fill` writes for its number.
fn blocks(count: usize, entry: &str, fill: fn(&mut String, usize)) -> String {
    let mut text = String::new();
    for at in 1..=count {
        writeln!(text, "{entry}{at}").expect("a string takes all");
        fill(&mut text, at);
        text.push_str(" exit\n");
    }
    text
}

/// Two units before their first bulk.
struct Pair {
    active: Image,
    standby: Image,
    at_active: ActivePairing,
    at_standby: StandbyPairing,
}

impl Pair {
    fn from_case(case: &Case) -> Self {
        let image = |release| bundled::image(release).expect("a bundled release");
        let (active, standby) = (image(case.active), image(case.standby));
        let dump = Dump::from_image(&active).encode();
        let at_standby = pair_at_standby(&standby, dump.as_bytes()).expect("a dump of ours");
        let at_active = pair_at_active(&active, at_standby.diff_bytes()).expect("a diff of ours");
        Self { active, standby, at_active, at_standby }
    }

    fn parsed(&self, text: &str) -> Config {
        let mut config = Config::factory(self.active.levels());
        config.execute(&self.active, self.active.own(), text).expect("lines of the release");
        config
    }

    /// From the Active's config to the Standby's.
    fn translated(&self, config: &Config) -> (Lowering, Raising) {
        let lowering = Lowering::new(&self.active, &self.at_active, config);
        let listing = lowering.listing().clone();
        let w = Raising::read_w(&self.standby, &self.at_standby, &lowering.wire_bytes())
            .expect("a wire config of ours");
        let (raising, mismatches) = Raising::new(&self.standby, &self.at_standby, w, listing);
        assert!(mismatches.is_empty(), "all lines go");
        (lowering, raising)
    }
}

fn transform(c: &mut Criterion) {
    for case in &CASES {
        let pair = Pair::from_case(case);
        let mut group = c.benchmark_group(format!("transform {}", case.name));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        for lines in LINES {
            let text = (case.text)(lines);
            let config = pair.parsed(&text);
            assert_eq!(config.len(), lines, "{}", case.name);
            let (lowering, raising) = pair.translated(&config);
            assert_eq!(lowering.listing().len(), 0, "{}: all lines go", case.name);
            assert!(!raising.config().is_empty(), "{}", case.name);
            let wire = lowering.wire_bytes();
            let read = || Raising::read_w(&pair.standby, &pair.at_standby, black_box(&wire));
            let w = read().expect("a wire config of ours");
            let raise = |w: Config| {
                let listing = lowering.listing().clone();
                let raised = Raising::new(&pair.standby, &pair.at_standby, w, listing);
                raised.0.config().len()
            };
            let lower = |config: &Config| {
                let lowered = Lowering::new(&pair.active, &pair.at_active, config);
                lowered.wire_config().len()
            };
            let raises = case.name.ends_with("raised");
            group.throughput(Throughput::Elements(lines as u64));
            group.bench_function(BenchmarkId::new("held", lines), |b| {
                if raises {
                    b.iter(|| raise(black_box(&w).clone()));
                } else {
                    b.iter(|| lower(black_box(&config)));
                }
            });
            group.bench_function(BenchmarkId::new("parsed from text", lines), |b| {
                if raises {
                    b.iter(|| raise(read().expect("a wire config of ours")));
                } else {
                    b.iter(|| lower(&pair.parsed(black_box(&text))));
                }
            });
        }
        group.finish();
    }
}

criterion_group!(benches, transform);
criterion_main!(benches);
