//! The picture as SVG, in the colours of the page around it.

use maud::{Markup, html};
use skewsync_sim::plan::FaultName;
use skewsync_sim::record::{EventKind, Lane, Mark};

use super::{Arrow, LANES, Picture, Span, words};

/// Width of the column of times.
const TIME: f64 = 84.0;
/// Where each lane is, in the order of [`LANES`]: the words of unit 0 stand left of it, those of
/// all others right.
const LANE_X: [f64; 4] = [100.0, 396.0, 610.0, 900.0];
/// Width of the whole.
const WIDTH: f64 = 1_180.0;
/// Width of the words beside a lane.
const BESIDE: f64 = 280.0;
/// Height of a row.
const ROW: f64 = 26.0;
/// Height of the head.
const HEAD: f64 = 30.0;
/// Characters of a row's words that fit its lane.
const FITS: usize = 40;

/// What the picture's parts look like.
pub const STYLE: &str = "
.run text { font: 11px ui-monospace, Menlo, 'DejaVu Sans Mono', monospace; fill: var(--ink); }
.run .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.run .time { fill: var(--soft); }
.run .head { font-weight: 700; }
.run .label { font-size: 10px; fill: var(--accent); }
.run .life { stroke: var(--line); stroke-width: 2; }
.run .acts { stroke: var(--accent); stroke-width: 7; }
.run .hot { stroke: var(--good); stroke-width: 5; }
.run .cold { stroke: var(--soft); stroke-width: 3; }
.run .down { stroke: var(--line); stroke-width: 2; stroke-dasharray: 3 4; }
.run .message { stroke: var(--accent); stroke-width: 1.2; fill: none; }
.run .lost { stroke: var(--warn); stroke-width: 1.4; stroke-dasharray: 5 3; fill: none; }
.run .fault { fill: var(--warn); opacity: 0.13; }
.run .warn { fill: var(--warn); font-weight: 700; }
.run .broken { fill: var(--bad); opacity: 0.16; }
.run .bad { fill: var(--bad); font-weight: 700; }
.run .dot { fill: var(--ink); }
.run .tip { fill: var(--accent); }
";

/// The picture; `title` is read out where it cannot be seen.
pub fn markup(picture: &Picture<'_>, title: &str) -> Markup {
    let width = WIDTH;
    let height = HEAD + ROW * picture.rows.len() as f64 + 12.0;
    html! {
        div.wide {
            svg.run role="img" aria-label=(title) width=(width) height=(height)
                style=(format!("max-width: none; min-width: {width}px"))
                viewBox=(format!("0 0 {width} {height}")) {
                title { (title) }
                @for span in &picture.faults { (fault(span, width)) }
                @if let Some(row) = picture.broken {
                    rect.broken x="0" y=(top(row)) width=(width) height=(ROW) {}
                }
                @for spot in LANES {
                    line.life x1=(x(spot)) x2=(x(spot)) y1=(HEAD - 6.0) y2=(height) {}
                    text.head x=(x(spot)) y="14" text-anchor="middle" { (spot.name()) }
                }
                @for span in &picture.shows { (shows(span)) }
                @for arrow in &picture.arrows { (line(arrow)) }
                @for (index, arrow) in picture.arrows.iter().enumerate() { (label(index, arrow)) }
                @for (row, _) in picture.rows.iter().enumerate() { (self::row(picture, row)) }
            }
        }
    }
}

fn x(spot: Lane) -> f64 {
    let lane = LANES.iter().position(|of| *of == spot).unwrap_or(0);
    LANE_X[lane]
}

/// Whether the words of a lane stand left of it.
fn left_of(spot: Lane) -> bool {
    spot == Lane::Unit0
}

fn top(row: usize) -> f64 {
    HEAD + ROW * row as f64
}

fn middle(row: usize) -> f64 {
    top(row) + ROW / 2.0
}

fn fault(span: &Span, width: f64) -> Markup {
    let (left, wide) = match span.spot.slot() {
        Some(_) if left_of(span.spot) => (x(span.spot) - BESIDE, BESIDE + 20.0),
        Some(_) => (x(span.spot) - 20.0, BESIDE),
        None => (TIME, width - TIME),
    };
    let height = ROW * (span.to - span.from) as f64;
    html! {
        rect.fault x=(left) y=(top(span.from)) width=(wide) height=(height) {
            title { (span.what) }
        }
    }
}

fn shows(span: &Span) -> Markup {
    let class = match span.what.as_str() {
        "ACTIVE" | "ACTIVE-DRAIN" => "acts",
        "STANDBY HOT" => "hot",
        "DOWN" => "down",
        _ => "cold",
    };
    let (at, from, to) = (x(span.spot), top(span.from), top(span.to));
    html! {
        line class=(class) x1=(at) x2=(at) y1=(from) y2=(to) {
            title { (span.spot) ": " (span.what) }
        }
    }
}

/// Where an arrow ends: at the row that takes it, or half way if none does.
fn end(arrow: &Arrow) -> (f64, f64) {
    match arrow.to {
        Some(row) => (x(arrow.receiver), middle(row)),
        None => {
            let (from, to) = (x(arrow.sender), x(arrow.receiver));
            (from + (to - from) * 0.45, middle(arrow.from) + ROW * 0.6)
        }
    }
}

fn line(arrow: &Arrow) -> Markup {
    let (x1, y1) = (x(arrow.sender), middle(arrow.from));
    let (x2, y2) = end(arrow);
    let class = if arrow.to.is_some() && arrow.fault.is_none() { "message" } else { "lost" };
    let back = if x2 > x1 { -7.0 } else { 7.0 };
    html! {
        line class=(class) x1=(x1) y1=(y1) x2=(x2) y2=(y2) {
            title { (arrow.label) @if let Some(fault) = &arrow.fault { ": " (fault) } }
        }
        @if arrow.to.is_some() {
            path.tip d=(format!("M{x2} {y2} l{back} -4 v8 z")) {}
        } @else if matches!(arrow.fault, Some(FaultName::Lose | FaultName::Corrupt)) {
            text.warn.halo x=(x2) y=(y2 + 4.0) text-anchor="middle" { "\u{d7}" }
        }
    }
}

/// The label of an arrow; those of neighbours stand at other shares of their ways.
fn label(index: usize, arrow: &Arrow) -> Markup {
    let (x1, x2) = (x(arrow.sender), end(arrow).0);
    let (y1, y2) = (middle(arrow.from), end(arrow).1);
    let share = [0.5, 0.34, 0.66][index % 3];
    let (at, anchor) = match arrow.to {
        Some(_) => (x1 + (x2 - x1) * share, "middle"),
        None if x2 > x1 => (x1 + 10.0, "start"),
        None => (x1 - 10.0, "end"),
    };
    let height = y1 + (y2 - y1) * share - 3.0;
    html! {
        text.label.halo x=(at) y=(height) text-anchor=(anchor) {
            (arrow.label)
            @if let Some(fault) = &arrow.fault { tspan.warn { " " (fault) } }
        }
    }
}

fn row(picture: &Picture<'_>, row: usize) -> Markup {
    let entry = picture.rows[row];
    let y = middle(row) + 4.0;
    let said = match entry.sort {
        // Its arrow says it.
        EventKind::Sent => String::new(),
        _ => words(entry),
    };
    let shown: String = if said.chars().count() > FITS {
        said.chars().take(FITS - 1).chain(['\u{2026}']).collect()
    } else {
        said
    };
    let fault = entry.sort == EventKind::Fault;
    let broken = picture.broken == Some(row);
    let class = match (broken, fault) {
        (true, _) => "bad halo",
        (false, true) => "warn halo",
        (false, false) => "halo",
    };
    let marks =
        entry.marks.iter().any(|mark| matches!(mark, Mark::Role { .. } | Mark::Register { .. }));
    let (left, radius) = match entry.spot {
        Lane::World => (TIME + 6.0, 0.0),
        spot => (x(spot), if marks { 5.0 } else { 3.0 }),
    };
    html! {
        g {
            title { "step " (entry.step) ", " (format!("{:.4} \
                s", entry.at_us as f64 / 1e6)) ": " (entry.words) }
            text.time x="0" y=(y) { (format!("{:.4} s", entry.at_us as f64 / 1e6)) }
            @if radius > 0.0 { circle.dot cx=(left) cy=(middle(row)) r=(radius) {} }
            @if left_of(entry.spot) {
                text class=(class) x=(left - 10.0) y=(y) text-anchor="end" { (shown) }
            } @else {
                text class=(class) x=(left + 10.0) y=(y) { (shown) }
            }
        }
    }
}
