//! What failed, by signature, and how often among the seeds.

use std::collections::BTreeMap;

use maud::{Markup, html};
use skewsync_sim::run::VerdictKind;

use super::counted;
use crate::campaign::{Failures, Summary};
use crate::interval::{percent, wilson};
use crate::report::plan_path;
use crate::signature::Signature;

/// Signatures that are shown at once; more are folded.
const SHOWN_MAX: usize = 8;

pub(super) fn section(summary: &Summary) -> Markup {
    let failed = summary.by_count();
    let (shown, folded) = failed.split_at(failed.len().min(SHOWN_MAX));
    html! {
        @if !failed.is_empty() {
            h2 { "Failures by property" }
            (by_property(summary))
            h2 { "Failures by signature" }
            (cards(summary, shown))
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " more signatures" }
                    (cards(summary, folded))
                }
            }
        }
        @if !summary.differing.is_empty() {
            h2 class="bad" { "Plans that do not repeat" }
            @for (seed, how) in &summary.differing {
                details open { summary { "seed " (seed) } pre { (how) } }
            }
        }
        @if !summary.harness.is_empty() {
            h2 class="bad" { "The harness failed" }
            pre { @for what in &summary.harness { (what) "\n" } }
        }
    }
}

/// How often each property fails.
fn by_property(summary: &Summary) -> Markup {
    let mut by: BTreeMap<VerdictKind, (u64, usize)> = BTreeMap::new();
    for (signature, of) in &summary.failed {
        let (seeds, signatures) = by.entry(signature.property).or_default();
        *seeds += of.seeds.count();
        *signatures += 1;
    }
    let all = summary.seeds();
    html! {
        div class="wide" { table {
            thead { tr {
                th { "property" } th class="num" { "seeds" } th class="num" { "share" }
                th class="num" { "with 95 % confidence" } th class="num" { "signatures" }
            } }
            tbody { @for (property, (seeds, signatures)) in by {
                @let (low, high) = wilson(seeds, all);
                tr {
                    td class="bad" { (property) }
                    td class="num" { (counted(seeds)) }
                    td class="num" { (percent(seeds as f64 / all.max(1) as f64)) }
                    td class="num" { (percent(low)) " to " (percent(high)) }
                    td class="num" { (signatures) }
                }
            } }
        } }
    }
}

fn cards(summary: &Summary, failed: &[(&Signature, &Failures)]) -> Markup {
    html! {
        div class="cards" {
            @for (signature, of) in failed {
                (card(summary, signature, of))
            }
        }
    }
}

fn card(summary: &Summary, signature: &Signature, of: &Failures) -> Markup {
    let (count, all) = (of.seeds.count(), summary.seeds());
    let (low, high) = wilson(count, all);
    let share = count as f64 / all.max(1) as f64;
    let first = &of.first;
    let plan = plan_path(std::path::Path::new(""), first.seed);
    let plan = plan.display();
    html! {
        section class="card" {
            h3 { span class="bad" { (signature.property) } " in phase " (signature.phase) }
            p class="soft" {
                @for slot in [0, 1] {
                    @if slot == 1 { ", " }
                    "slot " (slot) " " (signature.roles[slot]) " on " (signature.pair[slot])
                }
            }
            p { (first.seen) }
            p {
                b { (counted(count)) @if count == 1 { " seed" } @else { " seeds" } }
                " of " (counted(all)) ": " (percent(share)) ", with 95 % confidence "
                (percent(low)) " to " (percent(high)) ". "
                span class="soft" { "Seeds " (of.seeds) }
            }
            p {
                "First: seed " (first.seed) " at "
                (format!("{:.3}", first.virtual_us as f64 / 1e6)) " virtual s. "
                code { "skewlab replay " (plan) }
            }
        }
    }
}
