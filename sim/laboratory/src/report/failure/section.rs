//! Further facts of a failure: how it was shrunk, how often it is met, when it became inevitable,
//! and the nearest plan that passes.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use maud::{Markup, html};
use skewsync_sim::catalog::drawn;
use skewsync_sim::plan::Plan;
use skewsync_sim::record::compare::{self, Parting};
use skewsync_sim::run::Options;
use skewsync_sim::runner::{Failed, Runner};

use crate::analysis::nearest_passing::NearestPassing;
use crate::analysis::point_of_no_return::{Curve, Moment};
use crate::interval::{percent, wilson};
use crate::loaded_plan::LoadedPlan;
use crate::shrink::Shrunk;

/// Entries of the passing run, and of the failing one, that are shown before they part, and from
/// there on.
const AROUND: (usize, usize) = (3, 10);

/// A further fact of a report.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// The fact in one line, for the first screen.
    pub line: String,
    /// The rest, for a terminal.
    pub text: String,
    /// The rest, for a page.
    pub page: Markup,
}

impl Section {
    fn line(heading: &str, line: String) -> Self {
        Self { heading: heading.into(), line, text: String::new(), page: html! {} }
    }

    /// How far the plan was shrunk.
    pub fn shrunk(shrunk: &Shrunk) -> Self {
        Self::line("shrunk", shrunk.words())
    }

    /// The drawn family on which the plan runs, and the folder in which it was written.
    pub fn family(plan: &Plan, folder: &Path) -> Self {
        let names = plan.images().join(" and ");
        let line = format!("{names}, written to {}", folder.display());
        let family = drawn::family(&plan.units[0].image).map(|(family, _)| family.files());
        let files = family.unwrap_or_default();
        let text = files.iter().map(|(name, text)| format!("== {name}\n{text}\n")).collect();
        let page = html! {
            @for (name, text) in &files {
                h3 { (name) }
                pre { (text) }
            }
        };
        Self { heading: "family".into(), line, text, page }
    }

    /// How often a failure of this signature was met among so many seeds.
    pub fn often(failed: u64, seeds: u64) -> Self {
        let (low, high) = wilson(failed, seeds);
        let line = format!(
            "{failed} of {seeds} seeds fail so: {} to {} of all (95 %)",
            percent(low),
            percent(high)
        );
        Self::line("often", line)
    }

    /// From when on the run fails, whatever the world draws.
    pub fn point_of_no_return(curve: &Curve) -> Self {
        Self {
            heading: "inevitable".into(),
            line: in_short(curve),
            page: chart(curve),
            text: curve.words(),
        }
    }

    /// The nearest plan that passes, and its run beside the failing one from where they part.
    ///
    /// # Errors
    /// What keeps one of the runs from being had, in words.
    pub fn nearest_passing(
        nearest: Option<&NearestPassing>,
        made: &LoadedPlan,
        options: Options,
        limit: Duration,
    ) -> Result<Self, String> {
        let Some(nearest) = nearest else {
            let line = "less any one fault or command it fails all the same";
            return Ok(Self::line("nearest that passes", line.into()));
        };
        let line = format!("the same plan without {}", nearest.without);
        let run = |made: &LoadedPlan| {
            let runner = Runner::new(&made.catalog, options).within(limit);
            runner.recorded(&made.plan, None).map_err(Failed::words)
        };
        let other = LoadedPlan {
            plan: std::sync::Arc::new(nearest.plan.clone()),
            catalog: std::sync::Arc::clone(&made.catalog),
        };
        let (one, other) = (run(made)?.1.entries, run(&other)?.1.entries);
        let parting = compare::parting_by_place(&one, &other, AROUND);
        let mut section = Self::line("nearest that passes", line);
        if let Some(parting) = parting {
            section.text = parting.words("this plan, which fails", "without it, which passes");
            section.page = beside(&parting);
        }
        Ok(section)
    }
}

/// The curve in one line.
fn in_short(curve: &Curve) -> String {
    let share = |moments: &[Moment]| {
        let of = |each: fn(&Moment) -> u32| moments.iter().map(each).map(u64::from).sum::<u64>();
        let (failed, runs) = (of(|moment| moment.failed), of(|moment| moment.runs));
        percent(failed as f64 / runs.max(1) as f64)
    };
    let at = |us: u64| format!("{:.3} s", us as f64 / 1e6);
    if let Some(rises) = curve.rises_at_us {
        let (before, after) =
            curve.moments.split_at(curve.moments.partition_point(|moment| moment.at_us < rises));
        let what = after.first().map_or("", |moment| moment.what.as_str());
        return format!(
            "with other draws of the world from a moment on it fails in {} of the runs before {}, \
             and in {} after it: {what}",
            share(before),
            at(rises),
            share(after)
        );
    }
    match curve.inevitable_from_us {
        Some(0) => {
            "from the beginning: whatever the world draws it fails; the plan alone decides".into()
        }
        Some(from) => format!("from {} on every run fails; no single moment decides", at(from)),
        None => format!(
            "never for sure: {} of the runs fail, from whatever moment on",
            share(&curve.moments)
        ),
    }
}

/// Two runs side by side.
fn beside(parting: &Parting) -> Markup {
    html! {
        div.wide {
            table {
                tr { th { "this plan, which fails" } th { "without it, which passes" } }
                @for line in &parting.shared { tr { td.mono.soft colspan="2" { (line) } } }
                @for row in 0..parting.one.len().max(parting.other.len()) {
                    tr {
                        td.mono.bad { (parting.one.get(row).map_or("", String::as_str)) }
                        td.mono { (parting.other.get(row).map_or("", String::as_str)) }
                    }
                }
            }
        }
    }
}

/// Width and height of the chart of a curve, and its margins.
const CHART: (f64, f64, f64) = (640.0, 180.0, 34.0);

/// The curve: how often the run fails from each moment on, with its interval.
fn chart(curve: &Curve) -> Markup {
    let (width, height, margin) = CHART;
    let end = curve.moments.last().map_or(1, |moment| moment.at_us).max(1) as f64;
    let x = |at_us: u64| margin + (width - 2.0 * margin) * at_us as f64 / end;
    let y = |share: f64| height - margin - (height - 2.0 * margin) * share;
    let mut line = String::new();
    for moment in curve.moments.iter().filter(|moment| moment.runs > 0) {
        let share = moment.share().unwrap_or(0.0);
        let way = if line.is_empty() { 'M' } else { 'L' };
        let _ = write!(line, "{way}{:.1} {:.1} ", x(moment.at_us), y(share));
    }
    html! {
        div.wide {
            svg.run width=(width) height=(height) viewBox=(format!("0 0 {width} \
                {height}")) role="img"
                aria-label="How often the run fails from each moment on" {
                @for share in [0.0, 0.5, 1.0] {
                    line.life x1=(margin) x2=(width - margin) y1=(y(share)) y2=(y(share)) {}
                    text.time x=(margin - 4.0) y=(y(share) + 4.0) text-anchor="end" {
                        (format!("{:.0}%", share * 100.0))
                    }
                }
                @for moment in &curve.moments {
                    @let (low, high) = moment.interval();
                    line.cold x1=(x(moment.at_us)) x2=(x(moment.at_us)) y1=(y(low)) y2=(y(high)) {
                        title {
                            (format!("{:.3} s: ", moment.at_us as f64 / 1e6))
                            (moment.failed) " of " (moment.runs) " runs fail; " (moment.what)
                        }
                    }
                }
                path.message d=(line) {}
                @if let Some(rises) = curve.rises_at_us {
                    line.lost x1=(x(rises)) x2=(x(rises)) y1=(y(1.0)) y2=(y(0.0)) {}
                    @let late = x(rises) > width / 2.0;
                    @let (left, anchor) = if late { (-4.0, "end") } else { (4.0, "start") };
                    text.warn.halo x=(x(rises) + left) y=(y(0.0) - 6.0) text-anchor=(anchor) {
                        (format!("{:.3} s", rises as f64 / 1e6))
                    }
                }
                text.time x=(width - margin) y=(height - 8.0) text-anchor="end" {
                    (format!("{:.1} s", end / 1e6))
                }
            }
        }
        details {
            summary { "The moments" }
            div.wide {
                table {
                    tr { th { "from" } th { "fails" } th { "the last event before" } }
                    @for moment in &curve.moments {
                        tr {
                            td.num { (format!("{:.3} s", moment.at_us as f64 / 1e6)) }
                            td.num { (moment.failed) " of " (moment.runs) }
                            td.mono { (moment.what) }
                        }
                    }
                }
            }
        }
    }
}
