//! A campaign's page: what was run, what failed and how often, what was met and how rare it is, how
//! fast it went.

mod charts;
mod failures;
mod tables;

use maud::{Markup, html};

use crate::campaign::{Summary, coverage};
use crate::interval::{percent, wilson};
use crate::report::page::page;

/// The name of the page in the folder that it is written to.
pub const FILE: &str = "campaign.html";

/// The page. Plans of failing seeds are beside it.
pub fn campaign_page(summary: &Summary) -> String {
    let title =
        format!("{} seeds, {} failed", counted(summary.seeds()), counted(summary.failures()));
    let body = html! {
        h1 { (title) }
        (head(summary))
        (failures::section(summary))
        h2 { "Faults with effect, by protocol phase" }
        (tables::faults(summary))
        h2 { "What operators entered, by protocol phase" }
        (tables::by_phase(&summary.counts.entries, |_| None))
        h2 { "Situations, rarest first" }
        (tables::situations(summary))
        h2 { "How pairs stood: images, roles, phases" }
        (tables::pair_states(summary))
        h2 { "From the last fault to convergence" }
        (charts::settled(summary))
        h2 { "Transition classes" }
        (tables::classes(summary))
        h2 { "Seeds a second" }
        (charts::pace(summary))
        (unmet(summary))
        h2 { "Properties" }
        (tables::properties(summary))
    };
    page(&title, body)
}

fn head(summary: &Summary) -> Markup {
    let wall = summary.wall().as_secs_f64();
    let hours = summary.virtual_us as f64 / 3.6e9;
    let missing = summary.missing().count();
    let asked = summary.kind.as_ref();
    html! {
        @if summary.failed.is_empty() && summary.seeds() > 0 {
            p class="good" {
                "Nothing failed: with 95 % confidence less than "
                (percent(wilson(0, summary.seeds()).1)) " of such seeds do."
            }
        }
        p {
            (format!("{hours:.1}")) " virtual hours in " (format!("{wall:.1}")) " s: "
            (format!("{:.0}", summary.seeds() as f64 / wall.max(1e-9))) " seeds/s, "
            (format!("{:.0}", summary.seeds_per_core())) " a core. "
            (counted(summary.messages)) " messages, " (counted(summary.steps)) " steps. "
            (counted(summary.again)) " seeds ran \
                                      twice, " (counted(summary.differing.len() as u64)) " \
                                          differed."
        }
        @if !summary.counts.exempt.is_empty() {
            p { "Exempt from some properties: "
                @for (index, (reason, runs)) in summary.counts.exempt.iter().enumerate() {
                    @if index > 0 { ", " }
                    (reason.name()) " " (counted(*runs))
                }
                " runs." }
        }
        @if let Some(kind) = asked {
            p class="soft" {
                (kind.asked) "; seeds " (summary.ran) "; sources " code { (kind.code) }
                "; traces " code { (format!("{:016x}", summary.traces)) }
            }
        }
        @if missing > 0 {
            p class="warn" {
                (counted(missing)) " seeds that were asked for are missing: " (summary.missing())
            }
        }
    }
}

fn unmet(summary: &Summary) -> Markup {
    let gaps = coverage::gaps(summary);
    let (explained, open): (Vec<_>, Vec<_>) = gaps.iter().partition(|gap| gap.reason().is_some());
    html! {
        h2 { "Not met" }
        @if open.is_empty() {
            p class="good" { "All that is asked for was met." }
        } @else {
            p class=(if summary.is_asked() { "bad" } else { "soft" }) {
                (open.len()) " without a reason"
                @if summary.is_asked() { ": exit code 6" } @else { "; they count from 10,000 \
                    freely drawn seeds on" }
            }
            p class="chips" { @for gap in &open { span class="chip" { (gap) } " " } }
        }
        @if !explained.is_empty() {
            details {
                summary { (explained.len()) " for a reason" }
                div class="wide" { table {
                    @for gap in &explained {
                        tr { td { (gap) } td class="soft" { (gap.reason().unwrap_or_default()) } }
                    }
                } }
            }
        }
    }
}

/// A count with its thousands apart.
fn counted(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
