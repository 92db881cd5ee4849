//! The failure in one line, and the sentences that explain it: numbers of the violation's words
//! become commands, with their words, their answers and their times.

use skewsync_model::property::Property;

use skewsync_sim::record::{CommandRecord, Entry, EventKind, Mark, Recording};
use skewsync_sim::run::{Report, Verdict};

/// Sentences of a explanation, at most.
const EXPLANATION_MAX: usize = 6;

/// The failure in one line.
pub(super) fn of(report: &Report, recording: &Recording) -> String {
    if let Verdict::Violated(violation) = &report.verdict
        && violation.property == Property::NoAckedLoss
        && let Some(lost) = lost(&violation.what, recording)
    {
        return format!("{}: {lost}", violation.property);
    }
    report.verdict.words()
}

/// A command that was answered `replicated`, and the takeover without it.
fn lost(what: &str, recording: &Recording) -> Option<String> {
    let numbers = numbers_after(what, "LSN ");
    let lsn = *numbers.first()?;
    let asked = recording.asked.iter().rev().find(|asked| {
        let replicated = |(told, _): &(String, u64)| told.starts_with("replicated");
        asked.change.is_some_and(|(_, of)| of == lsn)
            && asked.answer.as_ref().is_some_and(replicated)
    })?;
    let (_, answered) = asked.answer.as_ref()?;
    let (entry, _) = takeover(recording)?;
    Some(format!(
        "{} was answered replicated at {}; {} took over at {} without it",
        named(asked),
        seconds(*answered),
        entry.spot,
        seconds(entry.at_us)
    ))
}

fn seconds(at_us: u64) -> String {
    format!("{:.3} s", at_us as f64 / 1e6)
}

fn named(asked: &CommandRecord) -> String {
    format!("command {} \"{}\"", asked.id, asked.text)
}

/// The last takeover: its entry, and how it is told.
fn takeover(recording: &Recording) -> Option<(&Entry, &str)> {
    recording.entries.iter().rev().find_map(|entry| {
        let acts = entry.marks.iter().find_map(|mark| match mark {
            Mark::Role { now } if now.starts_with("acts in term") => Some(now.as_str()),
            _ => None,
        });
        acts.map(|acts| (entry, acts))
    })
}

/// The numbers that follow a word.
fn numbers_after(text: &str, word: &str) -> Vec<u64> {
    let after = text.split(word).skip(1);
    let mut all: Vec<u64> = after
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
        .collect();
    all.dedup();
    all
}

/// The sentences that explain the headline.
pub(super) fn explanation(report: &Report, recording: &Recording) -> Vec<String> {
    let what = report.verdict.words();
    let mut explanation = Vec::new();
    let mut named_already = Vec::new();
    for lsn in numbers_after(&what, "LSN ") {
        let of = |asked: &&CommandRecord| asked.change.is_some_and(|(_, of)| of == lsn);
        for asked in recording.asked.iter().filter(of) {
            let (term, _) = asked.change.unwrap_or_default();
            explanation.push(format!("LSN {lsn} of term {term} is {}", told(asked)));
            named_already.push(asked.id);
        }
    }
    for id in numbers_after(&what, "command ") {
        let found = recording.asked.iter().find(|asked| asked.id == id);
        explanation.extend(found.filter(|asked| !named_already.contains(&asked.id)).map(told));
    }
    explanation.extend(broken_step(recording));
    if let Some((entry, acts)) = takeover(recording) {
        let (spot, at) = (entry.spot, seconds(entry.at_us));
        explanation.push(format!("at {at} {spot} {acts}"));
    }
    if let Some(contrast) = recording.contrast.as_ref().filter(|c| !c.unlike.is_empty()) {
        let many = contrast.unlike.len();
        let lines = if many == 1 { "line" } else { "lines" };
        let first = super::terminal::unlike(&contrast.unlike[0]);
        explanation.push(format!("{many} {lines} of the configs differ; the first: {first}"));
    }
    explanation.truncate(EXPLANATION_MAX);
    explanation
}

/// What was done in the step that broke the property, and when what it took was sent.
fn broken_step(recording: &Recording) -> Option<String> {
    let broken = recording.violated_at?;
    let is = |entry: &&Entry| entry.step == broken && entry.sort != EventKind::Answer;
    let entry = recording.entries.iter().find(is)?;
    let did = entry.words.split(": ").next().unwrap_or_default();
    let (spot, at) = (entry.spot, seconds(entry.at_us));
    let mut said = format!("step {broken}, at {at}: {spot} {did}");
    let mut causes = entry.after.iter().filter_map(|cause| recording.entries.get(*cause));
    if let Some(sent) = causes.find(|cause| cause.sort == EventKind::Sent) {
        said.push_str(&format!(", sent at {}", seconds(sent.at_us)));
        let fault = sent.message.as_ref().and_then(|message| message.fault.as_ref());
        if let Some(fault) = fault {
            said.push_str(&format!(" and met by the fault {fault}"));
        }
    }
    Some(said)
}

/// A command, when it was entered, and how it was answered.
fn told(asked: &CommandRecord) -> String {
    let entered = seconds(asked.entered_us);
    let answer = match &asked.answer {
        Some((answer, at)) => format!("answered {answer} at {}", seconds(*at)),
        None => "not answered".into(),
    };
    format!("{}, entered at {entered}, {answer}", named(asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewsync_sim::record::Lane;

    fn recording() -> Recording {
        let acts = Entry {
            marks: vec![Mark::Role { now: "acts in term 2 from LSN 6, statefully".into() }],
            ..Entry::new(9, 5_100_000, Lane::Unit1, EventKind::Step, String::new())
        };
        Recording {
            entries: vec![acts],
            asked: vec![CommandRecord {
                id: 3,
                text: "mtu 9000".into(),
                entered_us: 3_200_000,
                change: Some((1, 7)),
                answer: Some(("replicated (term 1, LSN 7)".into(), 3_204_000)),
            }],
            ..Recording::default()
        }
    }

    #[test]
    fn a_lost_command_is_named_with_its_answer_and_the_takeover() {
        let what = "LSN 7 of term 1 was replicated, and 6 is taken over";
        let lost = lost(what, &recording()).expect("it is there");
        assert_eq!(
            lost,
            "command 3 \"mtu 9000\" was answered replicated at 3.204 s; unit 1 took over at 5.100 \
             s without it"
        );
    }

    #[test]
    fn numbers_are_found_wherever_a_word_stands_before_them() {
        assert_eq!(numbers_after("LSN 7, then LSN 12 and LSN x", "LSN "), [7, 12]);
    }
}
