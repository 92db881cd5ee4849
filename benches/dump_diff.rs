//! Two unsorted dumps as text, 1 % different: ours beside the ways it could be done and the floor.
//!
//! `cargo bench --bench dump_diff`

use std::collections::{BTreeSet, HashSet};
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skewsync::diff::lines;
use twox_hash::XxHash3_64;

/// Two dumps of `forms` lines of about 64 bytes, in different orders; one line in a hundred
/// differs.
fn dumps(forms: u64) -> (Vec<u8>, Vec<u8>) {
    let line = |id: u64, side: char| {
        let side = if id % 100 == 7 { side } else { '=' };
        format!(
            "mode-{:03} [no] feature-{id:07} {side} option (0-{:08}) A.B.C.D$neighbor\n",
            id % 211,
            id * 37 % 99_999_999
        )
    };
    // A multiplier that is coprime to every size used walks all ids in another order.
    let scattered = |id: u64| id * 7_919 % forms;
    let first = (0..forms).map(|id| line(id, '-')).collect::<String>();
    let second = (0..forms).map(|id| line(scattered(id), '+')).collect::<String>();
    (first.into_bytes(), second.into_bytes())
}

fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// As in the seed: a binary tree of one dump, searched for each line of the other, both ways.
fn tree(before: &[u8], after: &[u8]) -> (usize, usize) {
    let one_way = |from: &[u8], to: &[u8]| {
        let known = split(to).collect::<BTreeSet<_>>();
        split(from).filter(|line| !known.contains(line)).count()
    };
    (one_way(before, after), one_way(after, before))
}

fn hash_set(before: &[u8], after: &[u8]) -> (usize, usize) {
    let first = split(before).collect::<HashSet<_>>();
    let second = split(after).collect::<HashSet<_>>();
    (first.difference(&second).count(), second.difference(&first).count())
}

fn sort_and_merge(before: &[u8], after: &[u8]) -> (usize, usize) {
    fn sorted(text: &[u8]) -> Vec<&[u8]> {
        let mut lines = split(text).collect::<Vec<_>>();
        lines.sort_unstable();
        lines
    }
    let (first, second) = (sorted(before), sorted(after));
    let (mut i, mut j, mut only) = (0, 0, (0, 0));
    while i < first.len() && j < second.len() {
        match first[i].cmp(second[j]) {
            std::cmp::Ordering::Less => (i, only.0) = (i + 1, only.0 + 1),
            std::cmp::Ordering::Greater => (j, only.1) = (j + 1, only.1 + 1),
            std::cmp::Ordering::Equal => (i, j) = (i + 1, j + 1),
        }
    }
    (only.0 + first.len() - i, only.1 + second.len() - j)
}

/// Reading both: line ends found, each line hashed, nothing kept.
fn floor(before: &[u8], after: &[u8]) -> u64 {
    let one = |text: &[u8]| {
        let mut start = 0;
        memchr::memchr_iter(b'\n', text).fold(0u64, |sum, end| {
            let line = &text[start..end];
            start = end + 1;
            sum.wrapping_add(XxHash3_64::oneshot(line))
        })
    };
    one(before) ^ one(after)
}

fn ours(before: &[u8], after: &[u8]) -> (usize, usize) {
    let found = lines::difference(before, after).expect("within the bound");
    (found.before_only.len(), found.after_only.len())
}

/// One way of comparing, with its name.
type Way = (&'static str, fn(&[u8], &[u8]) -> (usize, usize));

fn dump_diff(c: &mut Criterion) {
    let ways: [Way; 4] = [
        ("ours", ours),
        ("tree line by line", tree),
        ("hash set", hash_set),
        ("sort and merge", sort_and_merge),
    ];
    for forms in [10_000u64, 100_000, 1_000_000] {
        let (before, after) = dumps(forms);
        let expected = (forms as usize / 100, forms as usize / 100);
        let mut group = c.benchmark_group("dump_diff");
        group.throughput(Throughput::Bytes((before.len() + after.len()) as u64));
        group.sample_size(10).measurement_time(Duration::from_secs(3));
        for (name, way) in ways {
            assert_eq!(way(&before, &after), expected, "{name} counts otherwise");
            group.bench_function(BenchmarkId::new(name, forms), |b| {
                b.iter(|| way(black_box(&before), black_box(&after)));
            });
        }
        group.bench_function(BenchmarkId::new("floor", forms), |b| {
            b.iter(|| floor(black_box(&before), black_box(&after)));
        });
        group.finish();
    }
}

criterion_group!(benches, dump_diff);
criterion_main!(benches);
