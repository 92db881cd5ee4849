//! The report of a failure as one self-contained page.

use maud::{Markup, PreEscaped, html};
use skewsync_sim::record::{Entry, Mark, PropertySpan, Writer};

use super::{Failure, terminal};
use crate::report::page;
use crate::report::picture::{Picture, svg};

/// Rows of the whole run that a page shows on demand, the latest: a page of more is slow to open.
const WHOLE_MAX: usize = 1_500;

/// The page; `path` is that of the plan, for the command that replays it.
pub fn page(failure: &Failure<'_>, path: &str) -> String {
    let picture = failure.picture(super::CONE_MAX);
    let body = html! {
        style { (PreEscaped(svg::STYLE)) }
        h1.bad { (failure.headline) }
        p.soft { "What should hold: " (failure.meaning) "." }
        @if !failure.explanation.is_empty() {
            ul { @for line in &failure.explanation { li { (line) } } }
        }
        p { b { "Model: " } (failure.model.words()) "." }
        @for section in &failure.more {
            p { b { (section.heading) ": " } (section.line) }
        }
        pre { (failure.command(path)) }
        (plan(failure))
        h2 { "What led to it" }
        p.soft {
            "The " (picture.rows.len()) " telling of the " (failure.cone.len()) " entries that it \
                came of; the run has "
            (failure.recording.entries.len()) ". Time runs downward. A lane is thick while its \
                                               unit acts, green while it \
            is hot, broken while it is down; shaded is a fault that lasts; a dashed arrow met a \
            fault or nobody; a large \
            dot changes a role or the register. A row's whole words show under the pointer."
        }
        (svg::markup(&picture, "What led to the failure"))
        (contrast(failure))
        @for section in &failure.more {
            h2 { (section.heading) }
            p { (section.line) }
            (section.page)
        }
        (held(&failure.recording.held))
        (whole(failure))
    };
    page::page(&failure.headline, body)
}

fn plan(failure: &Failure<'_>) -> Markup {
    html! {
        p { b { "Plan: " } (terminal::plan_words(failure)) "." }
        ul.mono { @for line in terminal::plan_lines(failure) { li { (line) } } }
        details {
            summary { "The whole plan" }
            pre { (failure.made.plan.write()) }
        }
    }
}

fn contrast(failure: &Failure<'_>) -> Markup {
    let Some(contrast) = &failure.recording.contrast else {
        return html! {};
    };
    let by = |writer: &Option<Writer>| writer.as_ref().map_or_else(String::new, Writer::words);
    html! {
        h2 { "The configs" }
        p {
            "Wanted is the config of " (contrast.wanted) ", translated; found is that \
                of " (contrast.found) ". "
            (contrast.alike) " lines are alike, " (contrast.unlike.len()) " are not."
        }
        @if !contrast.unlike.is_empty() {
            div.wide {
                table {
                    tr { th { "path" } th { "wanted" } th { "written \
                        by" } th { "found" } th { "written by" } }
                    @for line in &contrast.unlike {
                        tr {
                            td.mono { (line.path) }
                            td.mono { (line.wanted.as_deref().unwrap_or("nothing")) }
                            td { (by(&line.wanted_by)) }
                            td.mono.bad { (line.found.as_deref().unwrap_or("nothing")) }
                            td { (by(&line.found_by)) }
                        }
                    }
                }
            }
        }
        @if !contrast.listed.is_empty() {
            details {
                summary { (contrast.listed.len()) " lines cannot go over, and are listed as \
                    missing" }
                ul.mono { @for line in &contrast.listed { li { (line) } } }
            }
        }
    }
}

fn held(all: &[PropertySpan]) -> Markup {
    let when = |at: Option<(u64, u64)>| match at {
        Some((step, at)) => format!("{:.3} s (step {step})", at as f64 / 1e6),
        None => String::new(),
    };
    html! {
        h2 { "Which properties held until when" }
        div.wide {
            table {
                tr { th { "property" } th { "checked" } th { "last seen to hold" } th { "broke" } }
                @for held in all {
                    tr class=[held.broke.map(|_| "bad")] {
                        td { (held.property) }
                        td.num { (held.checked) }
                        td { @if held.checked == 0 { "never checked" } @else { (when(held.last)) } }
                        td { (when(held.broke)) }
                    }
                }
            }
        }
    }
}

fn whole(failure: &Failure<'_>) -> Markup {
    let entries = &failure.recording.entries;
    let from = entries.len().saturating_sub(WHOLE_MAX);
    let shown = (from..entries.len()).collect();
    let picture = Picture::from_entries(entries, &shown, failure.recording.last_of_interest());
    html! {
        h2 { "The whole run" }
        details {
            summary {
                "Every entry"
                @if from > 0 { ", the last " (WHOLE_MAX) " of " (entries.len()) " (skewlab replay \
                    --tell tells all)" }
            }
            (svg::markup(&picture, "The whole run"))
        }
        details {
            summary { "The same as a table" }
            div.wide { table { @for entry in &entries[from..] { (row(entry)) } } }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let marks: Vec<String> = entry.marks.iter().map(Mark::words).collect();
    html! {
        tr {
            td.num { (entry.step) }
            td.num { (format!("{:.4}", entry.at_us as f64 / 1e6)) }
            td { (entry.spot.name()) }
            td.mono { (entry.words) @if !marks.is_empty() { " [" (marks.join("; ")) "]" } }
        }
    }
}
