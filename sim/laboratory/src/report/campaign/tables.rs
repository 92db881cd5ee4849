//! Tables whose cells are shaded by what they count.

use std::collections::BTreeMap;

use maud::{Markup, html};
use skewsync_model::property::Property;
use skewsync_sim::run::class::Class;
use skewsync_sim::run::counts::PairState;
use skewsync_sim::run::{Phase, VerdictKind};
use skewsync_sim::situation::Situation;
use strum::IntoEnumIterator;

use super::counted;
use crate::campaign::Summary;
use crate::interval::percent;

/// What a class of steps is seldom: so many, at most, in the whole campaign.
const SELDOM: u64 = 10;

/// How strong a cell of a table is shaded, in percent; a tenth as much counts a step less.
fn shade(count: u64, most: u64) -> u64 {
    if count == 0 || most == 0 {
        return 0;
    }
    let share = (1.0 + count as f64).ln() / (1.0 + most as f64).ln();
    10 + (share * 45.0) as u64
}

fn cell(count: u64, most: u64) -> Markup {
    let style = format!("--heat:{}%", shade(count, most));
    html! {
        @if count == 0 { td class="num none" { "0" } }
        @else { td class="num heat" style=(style) { (counted(count)) } }
    }
}

fn phases() -> Markup {
    html! { @for phase in Phase::iter() { th class="num" { (phase.name()) } } }
}

/// Faults by phase, with the seeds in whose plan each kind is and in which it took effect.
pub(super) fn faults(summary: &Summary) -> Markup {
    let seeds = |kind| {
        let of = summary.kinds.get(&kind).copied().unwrap_or_default();
        Some([of.drawn, of.effect])
    };
    by_phase(&summary.counts.faults, seeds)
}

/// Counts by kind and phase. `seeds`: in how many seeds a kind was drawn and met, if that is known.
pub(super) fn by_phase<K>(
    cells: &BTreeMap<(K, Phase), u64>,
    seeds: impl Fn(K) -> Option<[u64; 2]>,
) -> Markup
where
    K: Copy + Ord + IntoEnumIterator + Into<&'static str>,
{
    let most = cells.values().copied().max().unwrap_or(0);
    html! {
        div class="wide" { table class="grid" {
            thead { tr {
                th { "kind" } (phases())
                @if K::iter().any(|kind| seeds(kind).is_some()) {
                    th class="num" { "drawn" } th class="num" { "with effect" }
                }
            } }
            tbody { @for kind in K::iter() {
                tr {
                    th { (kind.into()) }
                    @for phase in Phase::iter() {
                        (cell(cells.get(&(kind, phase)).copied().unwrap_or(0), most))
                    }
                    @if let Some([drawn, effect]) = seeds(kind) {
                        td class="num soft" { (counted(drawn)) " seeds" }
                        td class="num soft" { (counted(effect)) " seeds" }
                    }
                }
            } }
        } }
    }
}

/// Each situation, how often it was met, and by which seed first.
pub(super) fn situations(summary: &Summary) -> Markup {
    let met = |of: &Situation| summary.counts.situations.get(of).copied().unwrap_or(0);
    let mut all: Vec<Situation> = Situation::iter().collect();
    all.sort_by_key(|of| met(of));
    let most = all.last().map_or(0, met);
    let seeds = summary.seeds().max(1) as f64;
    html! {
        div class="wide" { table {
            thead { tr {
                th { "situation" } th class="num" { "times" } th class="num" { "a seed" }
                th { "" } th class="num" { "first seed" }
            } }
            tbody { @for of in all {
                @let count = met(&of);
                tr title=(of.meaning().trim()) {
                    td { (of.name()) }
                    td class="num" { (counted(count)) }
                    td class="num" { (rate(count as f64 / seeds)) }
                    td class="barred" {
                        @if count > 0 {
                            div class="bar" style=(format!("width:{}%", bar(count, most))) {}
                        }
                        @else { span class="warn" { "never" } }
                    }
                    td class="num soft" { @if let Some(seed) = summary.met_by.get(&of) { (seed) } }
                }
            } }
        } }
        p class="soft" { "Bars grow with the logarithm of the times." }
    }
}

fn rate(rate: f64) -> String {
    if rate >= 0.1 || rate == 0.0 {
        format!("{rate:.1}")
    } else {
        format!("1 in {:.0}", 1.0 / rate)
    }
}

fn bar(count: u64, most: u64) -> u64 {
    let share = (1.0 + count as f64).ln() / (1.0 + most as f64).ln();
    (share * 100.0).max(1.0) as u64
}

/// How often the pair came to each phase, by its images; by the roles of both slots, if one looks
/// closer.
pub(super) fn pair_states(summary: &Summary) -> Markup {
    let mut pairs: BTreeMap<&[String], Vec<(&PairState, u64)>> = BTreeMap::new();
    for (state, count) in &summary.counts.pair_states {
        let of = pairs.entry(&state.images).or_default();
        of.push((state, *count));
    }
    let rows: Vec<_> = pairs
        .iter()
        .map(|(images, of)| {
            let mut row: BTreeMap<Phase, u64> = BTreeMap::new();
            of.iter().for_each(|(state, count)| *row.entry(state.phase).or_insert(0) += count);
            (images.join(", "), row)
        })
        .collect();
    let by_role = by_roles(summary.counts.pair_states.iter().map(|(one, count)| (one, *count)));
    html! {
        p {
            "How often a pair came to stand so, by the images of slots 0 and 1: "
            (counted(summary.counts.pair_states.len() as u64)) " different ways to stand."
        }
        (grid("slots 0, 1", &rows))
        h3 { "By the roles of slots 0 and 1, of all images" }
        (grid("slots 0, 1", &by_role))
        details {
            summary { "By the roles of slots 0 and 1, for each pair of images" }
            @for (images, of) in &pairs {
                details {
                    summary { (images.join(", ")) ": " (of.len()) " ways" }
                    (grid("slots 0, 1", &by_roles(of.iter().copied())))
                }
            }
        }
    }
}

type Row = (String, BTreeMap<Phase, u64>);

fn by_roles<'a>(pair_states: impl Iterator<Item = (&'a PairState, u64)>) -> Vec<Row> {
    let mut rows: BTreeMap<String, BTreeMap<Phase, u64>> = BTreeMap::new();
    for (state, count) in pair_states {
        let row = rows.entry(state.roles.join(", ")).or_default();
        *row.entry(state.phase).or_insert(0) += count;
    }
    rows.into_iter().collect()
}

fn grid(title: &str, rows: &[Row]) -> Markup {
    let counts = rows.iter().flat_map(|(_, row)| row.values().copied());
    let most = counts.max().unwrap_or(0);
    html! {
        div class="wide" { table class="grid" {
            thead { tr { th { (title) } (phases()) } }
            tbody { @for (name, row) in rows {
                tr {
                    th { (name) }
                    @for phase in Phase::iter() {
                        (cell(row.get(&phase).copied().unwrap_or(0), most))
                    }
                }
            } }
        } }
    }
}

/// The inputs that came in each role and phase of a session.
pub(super) fn classes(summary: &Summary) -> Markup {
    let classes = &summary.counts.classes;
    let mut rows: BTreeMap<(&str, &str), Vec<(&Class, u64)>> = BTreeMap::new();
    for (class, count) in classes {
        let row = rows.entry((&class.role, &class.session)).or_default();
        row.push((class, *count));
    }
    let most = classes.values().copied().max().unwrap_or(0);
    let seldom = classes.values().filter(|count| **count <= SELDOM).count();
    html! {
        p {
            (counted(classes.len() as u64)) " classes of steps (role, phase of the session, input) \
                                             were visited, "
            (counted(seldom as u64)) " of them " (SELDOM) " times or less."
        }
        div class="wide" { table class="classes" {
            thead { tr { th { "role, session" } th { "inputs" } } }
            tbody { @for ((role, session), row) in &rows {
                tr {
                    th { (role) br; span class="soft" { (session) } }
                    td class="chips" { @for (class, count) in row {
                        span class=(if *count <= SELDOM { "chip heat rare" } else { "chip heat" })
                            style=(format!("--heat:{}%", shade(*count, most))) {
                            (class.input) " " b { (counted(*count)) }
                        } " "
                    } }
                }
            } }
        } }
    }
}

/// How often each property was checked.
pub(super) fn properties(summary: &Summary) -> Markup {
    let failed = |property: Property| -> u64 {
        let fails = VerdictKind::Fails(property);
        let of = summary.failed.iter().filter(|(of, _)| of.property == fails);
        of.map(|(_, of)| of.seeds.count()).sum()
    };
    let seeds = summary.seeds().max(1) as f64;
    html! {
        div class="wide" { table {
            thead { tr { th { "property" } th class="num" { "checked" } th class="num" { "seeds \
                that fail" } } }
            tbody { @for (property, count) in &summary.checked {
                @let failed = failed(*property);
                tr {
                    td { (property) } td class="num" { (counted(*count)) }
                    @if failed == 0 { td class="num soft" { "0" } }
                    @else { td class="num bad" { (counted(failed)) " \
                        (" (percent(failed as f64 / seeds)) ")" } }
                }
            } }
        } }
    }
}
