//! A picture of a run in space and time: a lane a place, time downward, messages across.

pub mod lanes;
pub mod svg;

use std::collections::{BTreeMap, BTreeSet};

use skewsync_sim::plan::FaultName;
use skewsync_sim::record::{Entry, EventKind, Lane, Mark};

/// The lanes, from left to right.
pub const LANES: [Lane; 4] = [Lane::Terminal, Lane::Unit0, Lane::Unit1, Lane::Arbiter];

/// A message from one row to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The row at which it was sent.
    pub from: usize,
    /// The row at which it was taken; none: it was not, as far as the picture goes.
    pub to: Option<usize>,
    /// The lane of the sender.
    pub sender: Lane,
    /// The lane of the receiver.
    pub receiver: Lane,
    /// Kind, LSN, session.
    pub label: String,
    /// What befell it.
    pub fault: Option<FaultName>,
}

/// What a unit shows, or a fault that lasts, from a row to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The lane; the world's is all of them.
    pub spot: Lane,
    /// The first row.
    pub from: usize,
    /// The row before which it ends.
    pub to: usize,
    /// What a unit shows, or the fault.
    pub what: String,
}

/// A picture, laid out by rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    /// The entries that have rows of their own, in order.
    pub rows: Vec<&'a Entry>,
    /// Messages.
    pub arrows: Vec<Arrow>,
    /// What units show.
    pub shows: Vec<Span>,
    /// Faults that last.
    pub faults: Vec<Span>,
    /// The row that broke a property.
    pub broken: Option<usize>,
}

impl<'a> Picture<'a> {
    /// The picture of some entries of a run. `broken`: the entry that broke a property.
    pub fn from_entries(
        entries: &'a [Entry],
        shown: &BTreeSet<usize>,
        broken: Option<usize>,
    ) -> Self {
        let mut rows = Vec::new();
        let mut row_of = BTreeMap::new();
        for index in shown.iter().filter(|index| **index < entries.len()) {
            let entry = &entries[*index];
            let step = entry.after.first().filter(|_| entry.sort == EventKind::Sent);
            // What a step sends begins at the row of the step.
            match step.and_then(|step| row_of.get(step).copied()) {
                Some(row) => {
                    row_of.insert(*index, row);
                }
                None => {
                    row_of.insert(*index, rows.len());
                    rows.push((*index, entry));
                }
            }
        }
        let arrows = arrows(entries, shown, &row_of);
        let last = rows.len();
        // The first row at or after an entry.
        let row_at = |index: usize| rows.partition_point(|(of, _)| *of < index);
        let shows = shows(entries, last, &row_at);
        let faults = faults(entries, &rows);
        Self {
            arrows,
            shows,
            faults,
            broken: broken.and_then(|index| row_of.get(&index).copied()),
            rows: rows.into_iter().map(|(_, entry)| entry).collect(),
        }
    }
}

fn arrows(
    entries: &[Entry],
    shown: &BTreeSet<usize>,
    row_of: &BTreeMap<usize, usize>,
) -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    let mut by_number: BTreeMap<u64, usize> = BTreeMap::new();
    for index in shown {
        let Some((entry, row)) = entries.get(*index).zip(row_of.get(index)) else {
            continue;
        };
        let Some(message) = &entry.message else {
            continue;
        };
        match entry.sort {
            EventKind::Sent => {
                by_number.insert(message.number, arrows.len());
                arrows.push(Arrow {
                    from: *row,
                    to: None,
                    sender: message.from,
                    receiver: message.to,
                    label: message.label(),
                    fault: message.fault,
                });
            }
            EventKind::Step => {
                let Some(at) = by_number.get(&message.number).copied() else {
                    continue;
                };
                let arrow = arrows[at].clone();
                if arrow.to.is_none() {
                    arrows[at].to = Some(*row);
                } else {
                    // A copy arrives too.
                    arrows.push(Arrow { to: Some(*row), ..arrow });
                }
            }
            EventKind::Start
            | EventKind::Undelivered
            | EventKind::Entered
            | EventKind::Answer
            | EventKind::End
            | EventKind::Written
            | EventKind::Pause
            | EventKind::Fault
            | EventKind::FaultsStopped => {}
        }
    }
    arrows
}

fn shows(entries: &[Entry], last: usize, row_at: &dyn Fn(usize) -> usize) -> Vec<Span> {
    let mut spans = Vec::new();
    for spot in [Lane::Unit0, Lane::Unit1] {
        let mut since = (0, "DOWN".to_string());
        let mut close = |since: &(usize, String), to: usize| {
            if since.0 < to {
                let (from, what) = since.clone();
                spans.push(Span { spot, from, to, what });
            }
        };
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.spot == spot) {
            for mark in &entry.marks {
                let Mark::Shows { to, .. } = mark else {
                    continue;
                };
                let row = row_at(index);
                close(&since, row);
                since = (row, to.clone());
            }
        }
        close(&since, last);
    }
    spans
}

fn faults(entries: &[Entry], rows: &[(usize, &Entry)]) -> Vec<Span> {
    let lasting = entries.iter().filter(|entry| entry.sort == EventKind::Fault);
    lasting
        .filter_map(|entry| {
            let end = entry.at_us + entry.lasts_us?;
            let from = rows.partition_point(|(_, row)| row.step < entry.step);
            let to = rows.partition_point(|(_, row)| row.at_us < end);
            (from < to).then(|| Span { spot: entry.spot, from, to, what: entry.words.clone() })
        })
        .collect()
}

/// What a row says beside its arrow: of a step that a message made only what it changed.
pub(super) fn words(entry: &Entry) -> String {
    let marks: Vec<String> = entry.marks.iter().map(Mark::words).collect();
    let own = match entry.sort {
        EventKind::Step if entry.message.is_some() => "",
        EventKind::Step => entry.did(),
        _ => entry.words.as_str(),
    };
    let parts: Vec<&str> = std::iter::once(own)
        .chain(marks.iter().map(String::as_str))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use skewsync::message::MessageKind;
    use skewsync_sim::record::Carried;

    use super::*;

    fn entry(step: u64, spot: Lane, sort: EventKind) -> Entry {
        let message = matches!(sort, EventKind::Sent | EventKind::Step).then(|| Carried {
            number: 7,
            sight: "0->1 Line 1, attempt 1".parse().expect("a message's name"),
            from: Lane::Unit0,
            to: Lane::Unit1,
            kind: MessageKind::Line,
            session: Some("1/1-1/1".into()),
            lsn: Some(4),
            fault: None,
        });
        Entry {
            message,
            lasts_us: (sort == EventKind::Fault).then_some(15),
            ..Entry::new(step, step * 10, spot, sort, format!("entry {step}"))
        }
    }

    #[test]
    fn a_message_is_an_arrow_from_its_step_to_the_step_that_takes_it() {
        let mut entries = vec![
            entry(1, Lane::Unit0, EventKind::Entered),
            entry(2, Lane::Unit0, EventKind::Sent),
            entry(3, Lane::World, EventKind::Fault),
            entry(4, Lane::Unit1, EventKind::Step),
            entry(5, Lane::Unit1, EventKind::Step),
        ];
        entries[1].after = vec![0];
        let picture = Picture::from_entries(&entries, &(0..5).collect(), Some(4));
        assert_eq!(picture.rows.len(), 4, "what was sent has the row of its step");
        let ends: Vec<_> = picture.arrows.iter().map(|a| (a.from, a.to)).collect();
        assert_eq!(ends, [(0, Some(2)), (0, Some(3))], "a copy is an arrow too");
        assert_eq!(picture.arrows[0].label, "Line 4 (1/1-1/1)");
        assert_eq!((picture.faults[0].from, picture.faults[0].to), (1, 3));
        assert_eq!(picture.broken, Some(3));
    }

    #[test]
    fn a_message_that_nobody_takes_has_no_end() {
        let entries = [
            entry(1, Lane::Unit0, EventKind::Sent),
            entry(2, Lane::World, EventKind::FaultsStopped),
        ];
        let picture = Picture::from_entries(&entries, &(0..2).collect(), None);
        assert_eq!(picture.arrows[0].to, None);
        assert_eq!(picture.shows.len(), 2, "both units are down throughout");
    }
}
