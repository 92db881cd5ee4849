//! The failure in one line, and the sentences that explain it: the ids of the violation's evidence
//! become commands, with their words, their answers and their times.

use skewsync::message::Stamp;
use skewsync_sim::observe::{Evidence, Violation};
use skewsync_sim::record::{CommandRecord, Entry, EventKind, Mark, Recording};
use skewsync_sim::run::{Report, Verdict};

/// Sentences of a explanation, at most.
const EXPLANATION_MAX: usize = 6;

/// The failure in one line.
pub(super) fn sentence(report: &Report, recording: &Recording) -> String {
    if let Verdict::Violated(Violation { property, evidence }) = &report.verdict
        && let Evidence::ReplicatedLost { change, .. } = &**evidence
        && let Some(lost) = lost(*change, recording)
    {
        return format!("{property}: {lost}");
    }
    report.verdict.words()
}

/// A command that was answered `replicated`, and the takeover without it.
fn lost(change: Stamp, recording: &Recording) -> Option<String> {
    let asked = recording.asked.iter().rev().find(|asked| {
        asked.change == Some((change.term.0, change.lsn.0))
            && asked.answer.as_ref().is_some_and(|answer| answer.replicated)
    })?;
    let answer = asked.answer.as_ref()?;
    let (entry, _) = takeover(recording)?;
    Some(format!(
        "{} was answered replicated at {}; {} took over at {} without it",
        named(asked),
        seconds(answer.at_us),
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
            Mark::Role { now, acts: Some(_) } => Some(now.as_str()),
            _ => None,
        });
        acts.map(|acts| (entry, acts))
    })
}

/// The sentences that explain the headline.
pub(super) fn explanation(report: &Report, recording: &Recording) -> Vec<String> {
    let mut explanation = Vec::new();
    if let Verdict::Violated(Violation { evidence, .. }) = &report.verdict {
        explanation.extend(named_by(evidence, recording));
    }
    explanation.extend(broken_step(recording));
    if let Some((entry, acts)) = takeover(recording) {
        let (spot, at) = (entry.spot, seconds(entry.at_us));
        explanation.push(format!("at {at} {spot} {acts}"));
    }
    if let Some(contrast) = recording.contrast.as_ref().filter(|c| !c.unlike.is_empty()) {
        let many = contrast.unlike.len();
        let lines = if many == 1 { "line differs" } else { "lines differ" };
        let first = super::terminal::unlike(&contrast.unlike[0]);
        explanation.push(format!("{many} {lines} between the configs; the first: {first}"));
    }
    explanation.truncate(EXPLANATION_MAX);
    explanation
}

/// The commands that the evidence names: by places in history, or by their numbers.
fn named_by(evidence: &Evidence, recording: &Recording) -> Vec<String> {
    let made = evidence.places().into_iter().filter_map(|Stamp { term, lsn }| {
        // What a unit holds as of a term may be of an earlier one.
        let of = |asked: &&CommandRecord| {
            asked.change.filter(|(in_term, at)| *at == lsn.0 && *in_term <= term.0)
        };
        let asked = recording.asked.iter().max_by_key(of)?;
        let (term, lsn) = of(&asked)?;
        Some(format!("LSN {lsn} of term {term} is {}", told(asked)))
    });
    let is = |asked: &&CommandRecord| Some(asked.id) == evidence.command().map(|id| id.0);
    let mut named: Vec<String> = made.chain(recording.asked.iter().filter(is).map(told)).collect();
    named.dedup();
    named
}

/// What was done in the step that broke the property, and when what it took was sent.
fn broken_step(recording: &Recording) -> Option<String> {
    let broken = recording.violated_at?;
    let is = |entry: &&Entry| entry.step == broken && entry.sort != EventKind::Answer;
    let entry = recording.entries.iter().find(is)?;
    let (spot, did, at) = (entry.spot, entry.did(), seconds(entry.at_us));
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
        Some(answer) => format!("answered {} at {}", answer.words, seconds(answer.at_us)),
        None => "not answered".into(),
    };
    format!("{}, entered at {entered}, {answer}", named(asked))
}

#[cfg(test)]
mod tests {
    use skewsync::ids::{CommandId, Lsn, Term};
    use skewsync_sim::record::{Answered, Lane};

    use super::*;

    fn recording() -> Recording {
        let acts = Entry {
            marks: vec![Mark::Role {
                now: "acts in term 2 from LSN 6, statefully".into(),
                acts: Some((2, 6)),
            }],
            ..Entry::new(9, 5_100_000, Lane::Unit1, EventKind::Step, String::new())
        };
        Recording {
            entries: vec![acts],
            asked: vec![CommandRecord {
                id: 3,
                text: "mtu 9000".into(),
                entered_us: 3_200_000,
                change: Some((1, 7)),
                answer: Some(Answered {
                    words: "replicated (term 1, LSN 7)".into(),
                    at_us: 3_204_000,
                    replicated: true,
                }),
            }],
            ..Recording::default()
        }
    }

    #[test]
    fn a_lost_command_is_named_with_its_answer_and_the_takeover() {
        let change = Stamp { term: Term(1), lsn: Lsn(7) };
        let lost = lost(change, &recording()).expect("it is there");
        assert_eq!(
            lost,
            "command 3 \"mtu 9000\" was answered replicated at 3.204 s; unit 1 took over at 5.100 \
             s without it"
        );
    }

    #[test]
    fn evidence_names_the_commands_of_its_changes_and_numbers() {
        let recording = recording();
        let change = |term| Stamp { term: Term(term), lsn: Lsn(7) };
        let lost = |change| Evidence::ReplicatedLost { change, taken: Lsn(6) };
        for term in [1, 2] {
            let [named] = &named_by(&lost(change(term)), &recording)[..] else {
                panic!("one command")
            };
            assert!(named.starts_with("LSN 7 of term 1 is command 3 "), "{named}");
        }
        assert_eq!(named_by(&lost(change(0)), &recording), [""; 0], "it was made later");
        let twice = Evidence::AnsweredTwice { command: CommandId(3) };
        assert_eq!(named_by(&twice, &recording), [told(&recording.asked[0])]);
    }
}
