use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use skewsync::ids::Term;
use skewsync_sim::observe::{Evidence, Violation};
use skewsync_sim::plan::EntryName;
use skewsync_sim::plan::exemption::Exemption;
use skewsync_sim::run::class::Class;
use skewsync_sim::run::counts::PairState;
use skewsync_sim::run::{Ending, Options, Phase};
use skewsync_sim::runner::HANGS_AFTER;
use strum::{IntoEnumIterator, VariantArray};

use super::*;
use crate::campaign::{self, Campaign, Ends, file};
use crate::draw::{self, CommandCorpus, DrawOptions};

static PLAN: LazyLock<Plan> = LazyLock::new(|| draw::plan(1, &DrawOptions::default()));

fn kind() -> Fingerprint {
    Fingerprint { code: "c0de".into(), asked: "mix swarm".into(), free: true, lockstep: true }
}

/// What one seed gave, and after how many ms of real time.
#[derive(Clone, Debug)]
struct Given {
    report: Report,
    plan: Plan,
    after_ms: u64,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Passed),
        1 => Just(Verdict::Stuck { pending: "x".into() }),
        1 => (1..3_u64).prop_map(|term| Verdict::Violated(Violation {
            property: Property::SingleActive,
            evidence: Box::new(Evidence::TermOfTwo { term: Term(term) }),
        })),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    let word = || prop::sample::select(&["ACTIVE", "STANDBY HOT", "DOWN"][..]);
    let phase = || prop::sample::select(Phase::iter().collect::<Vec<_>>());
    let situations = prop::sample::select(Situation::VARIANTS);
    let kinds = prop::sample::select(FaultName::iter().collect::<Vec<_>>());
    let entries = prop::sample::select(EntryName::iter().collect::<Vec<_>>());
    (
        prop::collection::btree_map((kinds, phase()), 1..9_u64, 0..3),
        prop::collection::btree_map((entries, phase()), 1..9_u64, 0..3),
        prop::collection::btree_map(situations, 1..5_u64, 0..3),
        prop::collection::btree_map((word(), word(), word()), 1..9_u64, 0..3),
        prop::collection::btree_map((word(), word(), phase()), 1..9_u64, 0..3),
    )
        .prop_map(|(faults, entries, situations, classes, pair_states)| Counts {
            faults,
            entries,
            situations,
            hot: BTreeMap::from([(("a".into(), "b".into(), 1), 2)]),
            classes: classes
                .into_iter()
                .map(|((role, session, input), count)| {
                    let [role, session, input] = [role, session, input].map(Into::into);
                    let class = Class { role, session, input };
                    (class, count)
                })
                .collect(),
            pair_states: pair_states
                .into_iter()
                .map(|((one, other, phase), count)| {
                    let standing = PairState {
                        images: vec!["a".into(), "b".into()],
                        roles: vec![one.into(), other.into()],
                        phase,
                    };
                    (standing, count)
                })
                .collect(),
            exempt: BTreeMap::from([(Exemption::MisappliedLine, 2)]),
            delivered: 3,
        })
}

fn given() -> impl Strategy<Value = Given> {
    let numbers = (any::<u64>(), 0..5_000_000_u64, 0..1_000_000_u64, 0..3_usize);
    (verdict(), counts(), numbers).prop_map(|(verdict, counts, (trace, us, after_ms, image))| {
        let mut plan = PLAN.clone();
        plan.units[0].image = ["a", "b", "c"][image].into();
        let phase = Phase::Hot;
        let report = Report {
            verdict,
            ending: Some(Ending {
                roles: vec!["ACTIVE", "DOWN"],
                images: vec!["a".into(), "b".into()],
                phase,
            }),
            virtual_us: us,
            settled_us: us.is_multiple_of(2).then_some(us / 4),
            messages: us / 7,
            steps: us / 3,
            trace,
            counts,
            checked: vec![(Property::Commutes, us / 9)],
            figures: vec![("lockstep: steps", us / 8)],
            met: plan.clone(),
            done: Default::default(),
            drift: Vec::new(),
            violated_at: None,
        };
        Given { report, plan, after_ms }
    })
}

/// The summary of some seeds.
fn summary(given: &BTreeMap<u64, Given>, of: impl Fn(u64) -> bool) -> Summary {
    let mut summary = Summary { kind: Some(kind()), ..Summary::default() };
    for (seed, one) in given.iter().filter(|(seed, _)| of(**seed)) {
        summary.add(*seed, &one.plan, &one.report);
        if let Some(failure) = Failure::from_report(*seed, one.report.clone(), &one.plan) {
            summary.fail(&failure);
        }
        summary.again += seed % 2;
        if seed % 5 == 0 {
            summary.differing.insert(*seed, "event 3".into());
            summary.harness.insert(format!("seed {}", seed + 1_000));
        }
        summary.cost.pace.end(Duration::from_millis(one.after_ms));
        summary.cost.wall_us += one.after_ms;
        summary.cost.busy_us += 1;
    }
    summary
}

fn merged(one: &Summary, other: &Summary) -> Summary {
    let mut whole = one.clone();
    whole.merge(other).expect("they are disjoint");
    whole
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn summaries_form_a_commutative_monoid_and_parts_make_the_whole(
        given in prop::collection::btree_map(0..30_u64, given(), 0..12),
        parts in prop::collection::vec(0..3_u8, 30),
    ) {
        let part = |index: u8| summary(&given, |seed| parts[seed as usize] == index);
        let (a, b, c) = (part(0), part(1), part(2));
        let whole = summary(&given, |_| true);
        prop_assert_eq!(&merged(&merged(&a, &b), &c), &whole);
        prop_assert_eq!(&merged(&a, &merged(&b, &c)), &whole);
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(&merged(&a, &Summary::default()), &a);
        prop_assert_eq!(&merged(&Summary::default(), &a), &a);
    }

    #[test]
    fn a_summary_reads_as_it_was_written(
        given in prop::collection::btree_map(0..30_u64, given(), 0..6),
    ) {
        let whole = summary(&given, |_| true);
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("summary.json");
        file::write(&path, &whole).expect("it takes the summary");
        prop_assert_eq!(file::read(&path).expect("it is a summary"), whole);
    }
}

fn some(seeds: &[u64]) -> Summary {
    Summary {
        kind: Some(kind()),
        asked: seeds.iter().copied().collect(),
        ran: seeds.iter().copied().collect(),
        ..Summary::default()
    }
}

#[test]
fn seeds_that_both_have_other_runs_and_other_sources_are_not_added_up() {
    let mut one = some(&[1, 2, 3]);
    let before = one.clone();
    let error = one.merge(&some(&[3, 2, 9])).expect_err("2 and 3 are of both");
    assert_eq!(error.to_string(), "2 of its seeds are counted already: 2-3");
    let mut other = some(&[7]);
    other.kind.as_mut().expect("a kind").asked = "mix storm".into();
    let error = one.merge(&other).expect_err("other runs").to_string();
    assert!(error.contains("mix storm") && error.contains("mix swarm"), "{error}");
    other.kind.as_mut().expect("a kind").code = "0dd".into();
    let error = one.merge(&other).expect_err("other sources").to_string();
    assert!(error.contains("0dd") && error.contains("c0de"), "{error}");
    assert_eq!(one, before);
}

#[test]
fn a_file_that_is_no_summary_is_refused_and_said_why() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("summary.json");
    file::write(&path, &some(&[1, 2])).expect("it takes the summary");
    let good = std::fs::read_to_string(&path).expect("it is there");
    for (text, says) in [
        (String::new(), "no summary"),
        (good[..good.len() / 2].into(), "no summary"),
        (good.replace("\"format\":1", "\"format\":99"), "format 99"),
        (good.replace("\"ran\":[[1,2]]", "\"ran\":[[2,1]]"), "runs forward"),
        (good.replace("\"ran\":[[1,2]]", "\"ran\":[[1,9]]"), "nobody asked for: 3-9"),
        (good.replace("\"messages\"", "\"massages\""), "massages"),
        (good.replace("\"doubled\":0", "\"doubled\":63"), "pace"),
    ] {
        assert_ne!(text, good, "{says}");
        let mut file = std::fs::File::create(&path).expect("it is there");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("it takes the text");
        let error = file::read(&path).expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_campaign_in_shards_is_the_whole_campaign() {
    let catalog = skewsync_sim::catalog::load(&[]).expect("the bundled images");
    let material = CommandCorpus::from_catalog(&catalog);
    let catalog = Arc::new(catalog);
    let wishes = DrawOptions { material: Arc::new(material), ..DrawOptions::default() };
    let of = |seeds: Seeds, so_far: Summary| {
        let campaign = Campaign {
            seeds,
            lasts: None,
            limit: HANGS_AFTER,
            jobs: 1,
            wishes: wishes.clone(),
            options: Options::default(),
            ends: Ends::Never,
        };
        let ran = campaign::run(&campaign, &catalog, so_far, |_, _| {});
        Summary { cost: Cost::default(), ..ran.summary }
    };
    let seeds = Seeds::run(40, 11);
    let whole = of(seeds.clone(), Summary::default());
    assert_eq!((whole.seeds(), whole.again), (11, 1));
    assert!(!whole.counts.classes.is_empty() && !whole.counts.pair_states.is_empty());
    assert_eq!(whole.settled_ms.values().sum::<u64>(), 11);
    let parts = (1..=3).rev().map(|index| of(seeds.shard(index, 3), Summary::default()));
    let sum = parts.reduce(|one, other| merged(&one, &other));
    assert_eq!(sum.as_ref(), Some(&whole));
    // What was begun elsewhere is gone on with.
    let begun = of(seeds.shard(2, 3), Summary::default());
    let rest = seeds.without(&begun.ran);
    assert_eq!(of(rest, begun), whole);
}
