//! The picture for a terminal: a line a row, each in the lane of its place.

use skewsync_sim::record::{Entry, Lane};

use super::{LANES, Picture, words};

/// Characters of a lane.
const LANE: usize = 26;
/// Characters of a line, time and lanes together.
const WIDTH: usize = 118;
/// Characters of the time before the lanes.
const TIME: usize = 11;

/// The picture as text.
pub fn text(picture: &Picture<'_>) -> String {
    let mut text = " ".repeat(TIME);
    for spot in LANES {
        text.push_str(&format!("{:<LANE$}", spot.name()));
    }
    text = text.trim_end().to_string() + "\n";
    for (row, entry) in picture.rows.iter().enumerate() {
        let broken = picture.broken == Some(row);
        text.push_str(&line(entry, taken(picture, row), broken));
        text.push('\n');
    }
    text
}

/// The message that arrives in this row.
fn taken<'a>(picture: &'a Picture<'_>, row: usize) -> Option<&'a super::Arrow> {
    picture.arrows.iter().find(|arrow| arrow.to == Some(row))
}

fn line(entry: &Entry, taken: Option<&super::Arrow>, broken: bool) -> String {
    let lane = LANES.iter().position(|spot| *spot == entry.spot);
    let mut said = words(entry);
    if let Some(arrow) = taken {
        let from = match arrow.sender {
            Lane::Arbiter => "arbiter",
            Lane::Unit0 => "0",
            _ => "1",
        };
        let more = if said.is_empty() { String::new() } else { format!("; {said}") };
        said = format!("<-{from} {}{more}", arrow.label);
    } else if said.is_empty() {
        said = entry.did().to_string();
    }
    let mark = if broken { "X" } else { "*" };
    let mut text = format!("{:>9.4} ", entry.at_us as f64 / 1e6);
    text.push(if broken { '!' } else { ' ' });
    match lane {
        Some(lane) => {
            for _ in 0..lane {
                text.push_str(&format!("{:<LANE$}", "|"));
            }
            text.push_str(&format!("{mark} {said}"));
        }
        None => text.push_str(&format!("-- {said}")),
    }
    cut(text)
}

fn cut(text: String) -> String {
    if text.chars().count() <= WIDTH {
        return text;
    }
    let kept: String = text.chars().take(WIDTH - 2).collect();
    kept + ".."
}
