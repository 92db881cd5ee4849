//! Makes plain: releases near to each other, small configs, short and round times, small numbers.

use serde_json::Value;
use skewsync_families::Drawn;
use skewsync_sim::plan::{Anchor, Fault, FaultKind, Plan};

use super::family::family;
use super::search::{Held, Search};

/// Numbers in a fault that are no size.
const NO_SIZE: [&str; 1] = ["slot"];
/// Worlds that are tried in the place of a drawn one.
const WORLDS: u64 = 4;
/// Latencies that are tried, in microseconds.
const LATENCIES_US: [u64; 2] = [1_000, 5_000];
/// The latency of a disk that no plan has to write.
const DISK_MS: u64 = 5;

impl Search<'_> {
    /// Brings the releases nearer to each other, and makes the configs smaller.
    pub(super) fn near_releases(&mut self) {
        self.stage("releases");
        loop {
            let base = self.best().clone();
            let names = family(&base).map_or_else(|| self.catalog().names(), |of| names(&of));
            let nearer = nearer(&base, &names);
            if self.first(Held::ButPair, nearer).is_none() {
                break;
            }
        }
        self.stage("startup configs");
        for slot in 0..self.best().units.len() {
            if self.one(|plan| plan.units[slot].startup = None) {
                continue;
            }
            self.leave_out_lines(&|plan| plan.units[slot].startup.as_mut());
        }
    }

    /// Makes times and sizes plain.
    pub(super) fn plain_values(&mut self) {
        self.stage("times and sizes");
        for latency in LATENCIES_US {
            if self.one(|plan| plan.latency_us = (latency, latency)) {
                break;
            }
        }
        let drawn = self.best().world;
        for world in (0..WORLDS).take_while(|world| *world < drawn) {
            if self.one(|plan| plan.world = world) {
                break;
            }
        }
        self.one(|plan| plan.acked_percent = 100);
        for slot in 0..self.best().units.len() {
            self.one(|plan| plan.units[slot].drift_ppm = 0);
            self.one(|plan| plan.units[slot].disk_ms = DISK_MS);
        }
        let mut at = 0;
        while at < self.best().faults.len() && !self.is_over() {
            self.plain_fault(at);
            at += 1;
        }
        self.plain_instants();
        let base = self.best().clone();
        let plainer = below(base.horizon_ms).chain(rounded(base.horizon_ms));
        let plainer = plainer.map(|horizon_ms| Plan { horizon_ms, ..base.clone() });
        self.first(Held::All, plainer);
    }

    /// The numbers of one fault, whatever its kind: they are read from its data.
    fn plain_fault(&mut self, at: usize) {
        for name in sizes(&self.best().faults[at]) {
            let base = self.best().clone();
            let Some(fault) = base.faults.get(at) else {
                return;
            };
            let plainer = plainer(fault, &name).into_iter().map(|fault| {
                let mut plan = base.clone();
                plan.faults[at] = fault;
                plan
            });
            self.first(Held::All, plainer);
        }
    }

    fn plain_instants(&mut self) {
        let all = self.best().faults.len() + self.best().commands.len();
        for at in 0..all {
            let mut base = self.best().clone();
            let Some(Anchor::Instant(ms)) = instant(&mut base, at).copied() else {
                continue;
            };
            let rounder = below(ms).chain(rounded(ms)).map(|ms| {
                let mut plan = base.clone();
                if let Some(anchor) = instant(&mut plan, at) {
                    *anchor = Anchor::Instant(ms);
                }
                plan
            });
            self.first(Held::All, rounder);
        }
    }
}

/// The images of a drawn family, in the order of its releases.
fn names(family: &Drawn) -> Vec<String> {
    let releases = family.releases().iter();
    releases.map(|release| format!("{}@{}", family.name(), release.name)).collect()
}

/// The anchor of a fault or, after them, of a command.
fn instant(plan: &mut Plan, at: usize) -> Option<&mut Anchor> {
    let faults = plan.faults.iter_mut().map(|fault| &mut fault.at);
    let entries = plan.commands.iter_mut().map(|entry| &mut entry.at);
    faults.chain(entries).nth(at)
}

/// The numbers of a fault, by name.
fn sizes(fault: &Fault) -> Vec<String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(fault) else {
        return Vec::new();
    };
    let sizes = fields
        .into_iter()
        .filter(|(name, value)| value.is_u64() && !NO_SIZE.contains(&name.as_str()));
    sizes.map(|(name, _)| name).collect()
}

/// The fault with a plainer number of this name, the plainest first.
fn plainer(fault: &Fault, name: &str) -> Vec<Fault> {
    let Ok(fields) = serde_json::to_value(fault) else {
        return Vec::new();
    };
    let Some(size) = fields.get(name).and_then(Value::as_u64) else {
        return Vec::new();
    };
    let faults = below(size).chain(rounded(size)).filter_map(|size| {
        let mut fields = fields.clone();
        fields[name] = size.into();
        serde_json::from_value(fields).ok()
    });
    faults.collect()
}

/// Smaller numbers than this, the plainest first: powers of ten and twice and five times them, and
/// what is left of it with one digit.
fn below(size: u64) -> impl Iterator<Item = u64> {
    let powers = (0..6).map(|power| 10u64.pow(power));
    let ladder = powers.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
    let plain = std::iter::once(0).chain(ladder);
    let digit = 10u64.pow(size.checked_ilog10().unwrap_or(0));
    let ladder: Vec<u64> = plain.take_while(|plain| *plain < size).collect();
    let round = size / digit * digit;
    let known = ladder.contains(&round) || is_plain(size);
    ladder.into_iter().chain((!known && round < size).then_some(round))
}

/// Whether it is a power of ten, or twice or five times one.
fn is_plain(size: u64) -> bool {
    let digit = 10u64.pow(size.checked_ilog10().unwrap_or(0));
    [0, digit, 2 * digit, 5 * digit].contains(&size)
}

/// Rounder numbers than this, the roundest first.
fn rounded(ms: u64) -> impl Iterator<Item = u64> {
    [1_000, 100, 10].into_iter().flat_map(move |unit| {
        let down = ms / unit * unit;
        let round = down != ms;
        [down, down + unit].into_iter().filter(move |_| round)
    })
}

/// The plan with its releases nearer to each other in the order of `names`: the same release twice
/// first, then neighbours, and of these such as hold a release of the plan.
fn nearer(plan: &Plan, names: &[String]) -> Vec<Plan> {
    let place = |name: &String| names.iter().position(|other| other == name);
    let [Some(one), Some(other)] = [0, 1].map(|slot: usize| place(&plan.units[slot].image)) else {
        return Vec::new();
    };
    let apart = one.abs_diff(other);
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for left in 0..names.len() {
        pairs.extend((0..names.len()).map(|right| (left, right)));
    }
    // Which of the two is the newer release stays, unless they become the same.
    pairs.retain(|(left, right)| {
        left.abs_diff(*right) < apart && (left == right || (left < right) == (one < other))
    });
    pairs.sort_by_key(|(left, right)| {
        let changed = usize::from(*left != one) + usize::from(*right != other);
        (left.abs_diff(*right), changed, *left, *right)
    });
    let renamed = |(left, right): (usize, usize)| {
        let mut nearer = plan.clone();
        let new = |name: &String| match name {
            name if *name == plan.units[0].image => names[left].clone(),
            name if *name == plan.units[1].image => names[right].clone(),
            name => name.clone(),
        };
        for unit in &mut nearer.units {
            unit.image = new(&unit.image);
        }
        for fault in &mut nearer.faults {
            if let FaultKind::ImageChange { image, .. } = &mut fault.kind {
                *image = new(image);
            }
        }
        nearer
    };
    pairs.into_iter().map(renamed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{self, DrawOptions};

    #[test]
    fn plainer_numbers_are_smaller_and_end() {
        assert_eq!(below(7_221).last(), Some(7_000));
        assert_eq!(below(5_000).last(), Some(2_000));
        assert_eq!(below(0).count(), 0);
        for size in 1..2_000 {
            assert!(below(size).all(|plain| plain < size), "{size}");
        }
        assert_eq!(rounded(3_000).count(), 0);
        assert_eq!(rounded(3_394).next(), Some(3_000));
    }

    #[test]
    fn the_numbers_of_a_fault_are_found_by_its_data_and_no_slot_is_one() {
        let kind = FaultKind::PowerLoss { slot: 1, down_ms: 300, kept: 2 };
        let at = Anchor::Instant(3);
        let fault = Fault { at, kind };
        assert_eq!(sizes(&fault), ["down_ms", "kept"]);
        let plainest = plainer(&fault, "kept").remove(0);
        let kind = FaultKind::PowerLoss { slot: 1, down_ms: 300, kept: 0 };
        assert_eq!(plainest, Fault { at, kind });
    }

    #[test]
    fn releases_become_the_same_first_and_never_change_sides() {
        let names: Vec<String> = ["1", "2", "3", "4"].map(Into::into).to_vec();
        let mut plan = draw::plan(1, &DrawOptions::default());
        plan.units[0].image = "4".into();
        plan.units[1].image = "2".into();
        let pairs: Vec<[String; 2]> = nearer(&plan, &names)
            .iter()
            .map(|plan| [0, 1].map(|slot: usize| plan.units[slot].image.clone()))
            .collect();
        assert_eq!(pairs[0], ["2", "2"]);
        assert!(pairs.contains(&["4".into(), "3".into()]));
        assert!(pairs.iter().all(|[one, other]| one >= other), "{pairs:?}");
        assert!(!pairs.contains(&["4".into(), "2".into()]), "it is no nearer");
    }
}
