//! A recording in Chrome's trace-event format, which Perfetto shows: one track a place, slices for
//! what a unit shows of itself, for lasting faults and for steps, arrows for messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strum::VariantArray;

use super::{Entry, EventKind, Lane, Mark, Recording};

/// The process under which all tracks stand.
const PROCESS: u32 = 1;

/// The recording as one JSON object.
pub fn trace(recording: &Recording) -> Value {
    let mut events = Vec::new();
    for &spot in Lane::VARIANTS {
        let (pid, tid) = (PROCESS, track(spot));
        let name = spot.name();
        let args = json!({"name": name});
        events.push(json!({
            "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": args,
        }));
    }
    let end = recording.entries.last().map_or(0, |entry| entry.at_us);
    events.extend(shown(&recording.entries, end));
    events.extend(recording.entries.iter().map(instant));
    events.extend(faults(&recording.entries));
    events.extend(arrows(&recording.entries));
    json!({"traceEvents": events, "displayTimeUnit": "ms"})
}

const fn track(spot: Lane) -> u32 {
    spot as u32 + 1
}

/// What each unit shows, from each change to the next.
fn shown(entries: &[Entry], end: u64) -> Vec<Value> {
    let mut since: BTreeMap<Lane, (u64, &str)> = BTreeMap::new();
    let mut slices = Vec::new();
    let slice = |spot: Lane, (from, name): (u64, &str), until: u64| {
        let (pid, tid) = (PROCESS, track(spot));
        let lasts = until - from;
        json!({
            "ph": "X", "name": name, "cat": "shows", "ts": from, "dur": lasts, "pid": pid,
            "tid": tid,
        })
    };
    for entry in entries {
        let shows = entry.marks.iter().find_map(|mark| match mark {
            Mark::Shows { to, .. } => Some(to.as_str()),
            _ => None,
        });
        if let Some(shows) = shows
            && let Some(before) = since.insert(entry.spot, (entry.at_us, shows))
        {
            slices.push(slice(entry.spot, before, entry.at_us));
        }
    }
    slices.extend(since.into_iter().map(|(spot, before)| slice(spot, before, end)));
    slices
}

/// A slice of a microsecond, so that arrows have something to begin and to end at.
fn instant(entry: &Entry) -> Value {
    let (pid, tid) = (PROCESS, track(entry.spot));
    let marks: Vec<String> = entry.marks.iter().map(Mark::words).collect();
    json!({
        "ph": "X", "dur": 1, "name": entry.words, "cat": entry.sort, "ts": entry.at_us,
        "pid": pid, "tid": tid, "args": {"step": entry.step, "shows": entry.shows, "marks": marks},
    })
}

fn faults(entries: &[Entry]) -> Vec<Value> {
    let mut slices = Vec::new();
    for entry in entries.iter().filter(|entry| entry.sort == EventKind::Fault) {
        let (pid, tid) = (PROCESS, track(entry.spot));
        let Some(lasts) = entry.lasts_us else {
            continue;
        };
        for (ph, ts) in [("b", entry.at_us), ("e", entry.at_us + lasts)] {
            let (name, id) = (&entry.words, entry.step);
            slices.push(json!({
                "ph": ph, "name": name, "cat": "fault", "id": id, "ts": ts, "pid": pid, "tid": tid,
            }));
        }
    }
    slices
}

fn arrows(entries: &[Entry]) -> Vec<Value> {
    let mut sent = BTreeMap::new();
    let mut arrows = Vec::new();
    for entry in entries {
        let Some(message) = &entry.message else {
            continue;
        };
        let (pid, tid) = (PROCESS, track(entry.spot));
        match entry.sort {
            EventKind::Sent => {
                sent.insert(message.number, entry);
            }
            EventKind::Step => {
                let Some(from) = sent.get(&message.number) else {
                    continue;
                };
                let (id, name) = (entry.step, message.label());
                let begins = track(from.spot);
                let arrow = |ph, ts, tid| {
                    json!({
                        "ph": ph, "name": name, "cat": "message", "id": id, "ts": ts, "pid": pid,
                        "tid": tid,
                    })
                };
                arrows.push(arrow("s", from.at_us, begins));
                let mut ends = arrow("f", entry.at_us, tid);
                ends["bp"] = json!("e");
                arrows.push(ends);
            }
            _ => {}
        }
    }
    arrows
}
