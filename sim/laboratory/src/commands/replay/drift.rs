//! Anchors that a run never met, and what was near them.

use skewsync::ids::{Lsn, Term};
use skewsync::message::{Address, MessageKind as Kind};
use skewsync_sim::plan::{Anchor, MessageId};
use skewsync_sim::record::{Lane, Recording};

/// Anchors that are named as near.
const NEAR: usize = 3;

/// Whether an anchor is an instant after this time.
pub(super) fn is_later(anchor: &str, than_us: u64) -> bool {
    matches!(anchor.parse(), Ok(Anchor::Instant(ms)) if ms * 1_000 > than_us)
}

/// What was near an anchor that was never reached, in words.
pub(super) fn near(anchor: &str, recording: &Recording) -> String {
    let end = recording.entries.last().map_or(0, |entry| entry.at_us);
    let ended = format!("the run ended at {:.3} s", end as f64 / 1e6);
    match anchor.parse() {
        Ok(Anchor::Observed(moment, sight)) => {
            let sights = sights_near(sight, recording);
            if sights.is_empty() {
                return format!("no {:?} was sent at all; {ended}", sight.kind);
            }
            let all: Vec<String> = sights
                .iter()
                .map(|sight| format!("`{}`", Anchor::Observed(moment, *sight)))
                .collect();
            format!("near it were {}", all.join(", "))
        }
        Ok(Anchor::Answered(term, lsn)) => {
            let answered = changes_near((term, lsn), recording);
            if answered.is_empty() {
                return format!("no change was answered at all; {ended}");
            }
            let name = |(term, lsn): &(u64, u64)| {
                format!("`{}`", Anchor::Answered(Term(*term), Lsn(*lsn)))
            };
            let all: Vec<String> = answered.iter().map(name).collect();
            format!("near it were {}", all.join(", "))
        }
        Ok(Anchor::Next { to, kind, .. }) => match last_of(to, kind, recording) {
            Some((at_us, sight)) => {
                let at = at_us as f64 / 1e6;
                format!("the last such message was `{sight}` at {at:.3} s; {ended}")
            }
            None => format!("no such message was sent at all; {ended}"),
        },
        Ok(Anchor::Instant(_)) | Err(_) => ended,
    }
}

/// The last message to a place, if one is named, and of a kind, if one is named.
fn last_of(
    to: Option<Address>,
    kind: Option<Kind>,
    recording: &Recording,
) -> Option<(u64, MessageId)> {
    recording.entries.iter().rev().find_map(|entry| {
        let message = entry.message.as_ref()?;
        let is = to.is_none_or(|to| message.to == Lane::from(to))
            && kind.is_none_or(|kind| message.kind == kind);
        is.then_some((entry.at_us, message.sight))
    })
}

/// The sights of the kind that were met, the nearest first: by link, attempt, number.
fn sights_near(wanted: MessageId, recording: &Recording) -> Vec<MessageId> {
    let carried = recording.entries.iter().filter_map(|entry| entry.message.as_ref());
    let sights = carried.map(|message| message.sight);
    let mut met: Vec<MessageId> = sights.filter(|sight| sight.kind == wanted.kind).collect();
    let far = |sight: &MessageId| {
        let link = (sight.from, sight.to) != (wanted.from, wanted.to);
        let (attempt, ordinal) = (sight.attempt, sight.ordinal);
        (link, attempt.abs_diff(wanted.attempt), ordinal.abs_diff(wanted.ordinal), *sight)
    };
    met.sort_by_key(far);
    met.dedup();
    met.truncate(NEAR);
    met
}

fn changes_near((term, lsn): (Term, Lsn), recording: &Recording) -> Vec<(u64, u64)> {
    let answered = recording.asked.iter().filter(|asked| asked.answer.is_some());
    let mut met: Vec<(u64, u64)> = answered.filter_map(|asked| asked.change).collect();
    met.sort_by_key(|at| (at.0.abs_diff(term.0), at.1.abs_diff(lsn.0)));
    met.truncate(NEAR);
    met
}

#[cfg(test)]
mod tests {
    use skewsync_sim::record::{Answered, Carried, CommandRecord, Entry, EventKind};

    use super::*;

    fn recording() -> Recording {
        let entry = |sight: &str, at_us| Entry {
            message: Some(Carried {
                number: 1,
                sight: sight.parse().expect("a message's name"),
                from: Lane::Unit0,
                to: Lane::Unit1,
                kind: Kind::Line,
                session: None,
                lsn: None,
                fault: None,
            }),
            ..Entry::new(1, at_us, Lane::Unit0, EventKind::Sent, String::new())
        };
        Recording {
            entries: vec![
                entry("0->1 Line 9, attempt 1", 10),
                entry("0->1 Line 3, attempt 2", 2_000_000),
            ],
            asked: vec![CommandRecord {
                id: 1,
                text: String::new(),
                entered_us: 0,
                change: Some((2, 40)),
                answer: Some(Answered { words: String::new(), at_us: 5, replicated: true }),
            }],
            ..Recording::default()
        }
    }

    #[test]
    fn anchors_near_the_one_that_was_missed_are_named_nearest_first() {
        let of = |anchor: &str| near(anchor, &recording());
        let seen = of("before deliver 0->1 Line 4, attempt 2");
        let (first, second) = seen.split_once(", `").expect("two are named");
        assert!(
            first.contains("Line 3, attempt 2") && second.contains("Line 9, attempt 1"),
            "{seen}"
        );
        assert!(of("send 0->1 Save 1, attempt 1").contains("no Save was sent at all"));
        assert!(of("after answer (2, 41)").contains("(2, 40)"));
        assert!(of("next send Line from 3000 ms").contains("Line 3, attempt 2` at 2.000 s"));
        assert!(of("at 9000 ms").contains("ended at 2.000 s"));
    }
}
