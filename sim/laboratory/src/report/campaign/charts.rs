//! Charts, coloured by the page's own style.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use poloto::build::{self, PlotIterator, Point};

use super::counted;
use crate::campaign::Summary;

/// Width and height of a chart, in the units in which its letters are 14 high.
const SIZE: [f64; 2] = [740.0, 430.0];
/// What of it is shown: `poloto` leaves room for a title and for names of plots, and there are
/// none.
const VIEW: &str = "15 85 605 340";
/// Spans of the histogram.
const SPANS: u64 = 30;
/// Lengths of a span, in ms: whole steps of the moments at which a run is judged.
const STEP_MS: u64 = 250;

/// How long runs took to converge.
pub(super) fn settled(summary: &Summary) -> Markup {
    let times = &summary.settled_ms;
    let all: u64 = times.values().sum();
    let (Some(most), true) = (times.keys().next_back(), all > 0) else {
        return html! { p class="soft" { "No run converged." } };
    };
    let span = (most / SPANS / STEP_MS + 1) * STEP_MS;
    let mut spans: BTreeMap<u64, u64> = (0..=most / span + 1).map(|index| (index, 0)).collect();
    for (ms, count) in times {
        *spans.entry(ms / span).or_insert(0) += count;
    }
    let points = spans.iter().map(|(index, count)| ((index * span) as f64 / 1e3, *count as f64));
    let plots = poloto::plots!(build::plot("").histogram(points), build::origin());
    let at = |share: f64| format!("{:.2} s", quantile(times, all, share) as f64 / 1e3);
    html! {
        p {
            "Of " (counted(all)) " runs half converged within " (at(0.5)) ", 95 % \
                within " (at(0.95))
            ", 99 % within " (at(0.99)) ", all within " (at(1.0)) " of virtual time."
        }
        (chart("How long runs took to converge", plots, "virtual s", "runs"))
    }
}

/// The least time within which such a share converged.
fn quantile(times: &BTreeMap<u64, u64>, all: u64, share: f64) -> u64 {
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    let reached = times.iter().find(|(_, count)| {
        seen += **count;
        seen >= wanted
    });
    reached.or_else(|| times.last_key_value()).map_or(0, |(ms, _)| *ms)
}

/// How many seeds ended a second.
pub(super) fn pace(summary: &Summary) -> Markup {
    let pace = &summary.cost.pace;
    let ended = pace.ended();
    // The last span is seldom whole.
    let Some((_, whole)) = ended.split_last().filter(|(_, whole)| whole.len() > 1) else {
        return html! { p class="soft" { "It was over too soon to tell." } };
    };
    let span = pace.span_seconds();
    let points = whole
        .iter()
        .enumerate()
        .map(|(index, count)| ((index as f64 + 0.5) * span, *count as f64 / span));
    let plots = poloto::plots!(build::plot("").line(points), build::origin());
    html! {
        p class="soft" {
            "In spans of " (span) " s; parts that were merged are drawn as if they had begun at \
                                   once."
        }
        (chart("Seeds a second", plots, "real s", "seeds/s"))
    }
}

/// A chart, with the names of its axes.
fn chart<P: Point<X = f64, Y = f64>>(
    title: &str,
    plots: impl PlotIterator<L = P>,
    across: &str,
    up: &str,
) -> Markup {
    let drawn = poloto::frame()
        .with_viewbox(SIZE)
        .with_tick_lines([false, true])
        .build()
        .data(plots)
        .build_and_label(("", across, up))
        .headless()
        .render_string();
    html! {
        @match drawn {
            Ok(inner) => {
                svg class="poloto" role="img" aria-label=(title) viewBox=(VIEW) {
                    (PreEscaped(inner))
                }
            }
            Err(_) => p class="bad" { "This chart cannot be drawn." }
        }
    }
}
