//! What a campaign of some size must have met, and what it cannot meet, with the reason.
//! `sim/FAULTS.md` is [`document`], held equal by a test.

use std::fmt::{self, Write as _};

use skewsync_sim::plan::exemption::Exemption;
use skewsync_sim::plan::{EntryName, FaultName};
use skewsync_sim::run::Phase;
use skewsync_sim::run::bound::FORMULA;
use skewsync_sim::situation::Situation;
use strum::{EnumCount, IntoEnumIterator};

use super::Summary;

/// From so many seeds on, of plans drawn without restriction, a gap without a reason gives exit
/// code 6.
pub const ASKED_FROM: u64 = 10_000;

/// The entries of operators that must be met in every phase.
const ENTRIES_ASKED: [EntryName; 1] = [EntryName::Config];

/// How wide the document is.
const COLUMNS: usize = 100;

/// Why a fault that exempts a run is not met everywhere.
const FEW: &str = "few plans misapply a line, and a pair is in this phase only briefly while its \
                   Standby holds a config";

/// What the document says of outages.
const OUTAGES: &str = "\
    In three of a hundred seeds of `swarm`, `storm` and `fixed`, and in one of `lite`, something \
    is out of order for 20 s to five minutes (`sim/laboratory/src/draw/outage.rs`): the units do \
    not reach each other, the arbiter reaches one of them or neither, one unit or everybody is \
    alone, one direction of a link is cut or held up, one unit or the arbiter is down, or one \
    unit is suspended. Operators enter commands as it begins, during it and after it. All else is \
    drawn for the first minute of a plan; a plan with an outage goes on until it is over. The \
    situation `long-outage` counts the seeds in which one lasted for more than a minute.";

/// Why a payload of another engine is hardly ever met where no file is sent.
const SOON: &str = "its first payload is seldom sent in this short phase";

/// Cells of the table kind x phase that stay empty, or are met too seldom to count on, each with
/// its reason.
pub const EMPTY: &[(FaultName, Phase, &str)] = &[
    (
        FaultName::Stall,
        Phase::Vacant,
        "a stall outlasts a lease, and nobody acts on one in this phase",
    ),
    (
        FaultName::RefuseLine,
        Phase::Negotiation,
        "the Standby of a session that negotiates executes nothing",
    ),
    (
        FaultName::DiskRefuses,
        Phase::Drain,
        "a save and a drain exclude each other, and a hot pair writes nothing else but a count \
         that is forgotten",
    ),
    (
        FaultName::DiskFull,
        Phase::Vacant,
        "who saves acts, or sits in a session whose Active's lease ends in the milliseconds of one \
         message's way",
    ),
    (
        FaultName::DiskFull,
        Phase::Drain,
        "a save and a drain exclude each other, but for the last messages of a save that is given \
         up",
    ),
    (FaultName::MisapplyLine, Phase::Vacant, FEW),
    (FaultName::MisapplyLine, Phase::Joining, FEW),
    (
        FaultName::MisapplyLine,
        Phase::Negotiation,
        "the Standby of a session that negotiates holds no config",
    ),
    (
        FaultName::MisapplyLine,
        Phase::Bulk,
        "a Standby holds no config of the session before BulkAccept",
    ),
    (FaultName::MisapplyLine, Phase::Drain, FEW),
    (FaultName::MisapplyLine, Phase::Degraded, "a Standby in rpr holds no config of the session"),
    (
        FaultName::ForeignPayload,
        Phase::Vacant,
        "a payload is sent in a session, and it takes effect with the first one",
    ),
    (FaultName::ForeignPayload, Phase::Cold, SOON),
    (FaultName::ForeignPayload, Phase::Drain, SOON),
    (
        FaultName::ForeignPayload,
        Phase::Degraded,
        "in rpr a snapshot is empty and no line is sent: only a save is left",
    ),
    (
        FaultName::TornWrite,
        Phase::Drain,
        "a save and a drain exclude each other, but for the last messages of a save that is given \
         up",
    ),
    (
        FaultName::ArbiterOlder,
        Phase::Drain,
        "few plans bring an older state back, and a pair is in this phase only briefly",
    ),
];

/// Situations that are not met, each with its reason.
pub const NEVER: &[(Situation, &str)] = &[];

/// Something that a campaign did not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// No fault of this kind took effect in this phase.
    Fault(FaultName, Phase),
    /// Nothing of this sort was entered in this phase.
    Entry(EntryName, Phase),
    /// This situation.
    Situation(Situation),
    /// These images did not become hot with the Active in this slot.
    Pair(String, String, u8),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(kind, phase) => write!(f, "{} x {}", kind, phase.name()),
            Self::Entry(what, phase) => write!(f, "entered {} x {}", what, phase.name()),
            Self::Situation(situation) => write!(f, "situation {}", situation.name()),
            Self::Pair(active, standby, slot) => {
                write!(f, "hot {active} (slot {slot}) with {standby}")
            }
        }
    }
}

impl Gap {
    /// Why it stays so, if it does.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Fault(kind, phase) => EMPTY
                .iter()
                .find(|(name, at, _)| name == kind && at == phase)
                .map(|(_, _, reason)| *reason),
            Self::Situation(situation) => {
                NEVER.iter().find(|(never, _)| never == situation).map(|(_, reason)| *reason)
            }
            Self::Entry(..) | Self::Pair(..) => None,
        }
    }
}

/// What was not met, those with a reason too.
pub fn gaps(summary: &Summary) -> Vec<Gap> {
    let counts = &summary.counts;
    let mut gaps = Vec::new();
    for phase in Phase::iter() {
        let met = |kind: &FaultName| counts.faults.contains_key(&(*kind, phase));
        let kinds = FaultName::iter().filter(|kind| !met(kind));
        gaps.extend(kinds.map(|kind| Gap::Fault(kind, phase)));
        let entered = |what: &EntryName| counts.entries.contains_key(&(*what, phase));
        let entries = ENTRIES_ASKED.into_iter().filter(|what| !entered(what));
        gaps.extend(entries.map(|what| Gap::Entry(what, phase)));
    }
    let unmet = Situation::iter().filter(|one| !counts.situations.contains_key(one));
    gaps.extend(unmet.map(Gap::Situation));
    for (active, standby) in summary.pairs.keys() {
        for slot in [0, 1] {
            let pair = (active.clone(), standby.clone(), slot);
            if !counts.hot.contains_key(&pair) {
                gaps.push(Gap::Pair(pair.0, pair.1, slot));
            }
        }
    }
    gaps
}

/// What was not met and has no reason.
pub fn unexplained(summary: &Summary) -> Vec<Gap> {
    let gaps = gaps(summary);
    gaps.into_iter().filter(|gap| gap.reason().is_none()).collect()
}

/// The table kind x phase as a document: which cells a campaign fills, and why the others stay
/// empty.
pub fn document() -> String {
    let (table, notes) = table();
    let mut text = String::from("# Faults by protocol phase\n\n");
    paragraph(
        &mut text,
        "`skewlab run` counts each fault in the phase in which it took effect \
         (`sim/simulator/src/run/phase.rs`); a campaign of 10,000 seeds or more that leaves a cell \
         empty, other than those below, exits 6. This file is made from \
         `sim/laboratory/src/campaign/coverage.rs` and held equal by a test.",
    );
    paragraph(
        &mut text,
        "A cut or a clog takes effect with the first message that it takes or keeps, a disk that \
         refuses, is full or is slow with the first write that meets it, a parser that refuses \
         with the first line, a slow unit with the first input that waits for it, another engine \
         with the first payload that it sends. A message that comes twice, is held or is \
         reordered takes effect where the copy (the late message: behind a later one) arrives; \
         every other fault as it strikes. What strikes a machine that does not run has no effect.",
    );
    text.push_str(&table);
    text.push_str("\nEmpty, or met too seldom to count on, because:\n\n");
    for (number, note) in notes.iter().enumerate() {
        item(&mut text, &format!("{}. ", number + 1), note);
    }
    text.push_str("\n## Outages\n\n");
    paragraph(&mut text, OUTAGES);
    text.push_str("## Exempt runs\n\n");
    paragraph(
        &mut text,
        "Some plans do what the protocol does not promise to bear. Their runs are exempt from the \
         properties named here, and from no other: told from the plan alone \
         (`sim/simulator/src/plan/exemption.rs`), never from what a run showed; counted apart. \
         Panics, hangs and non-determinism are never exempt.",
    );
    for exemption in Exemption::iter() {
        let properties: Vec<&str> = exemption.properties().iter().map(Into::into).collect();
        let (name, reason) = (exemption.name(), exemption.reason());
        let words = format!("**{name}**: {reason}. Exempt from {}.", properties.join(", "));
        item(&mut text, "- ", &words);
    }
    text.push_str("\n## How long a pair may take to converge\n\n");
    paragraph(
        &mut text,
        "Once faults and commands have stopped the pair must be hot, or in the lesser mode that \
         the plan explains, within D and stay so (`sim/simulator/src/run/bound.rs`). Lengths are \
         those of the timers, the latency is the plan's greatest.",
    );
    let _ = write!(text, "```text\n{FORMULA}```\n");
    text
}

/// The table kind x phase, and the reasons of its empty cells.
fn table() -> (String, Vec<String>) {
    let mut text = String::from("| kind |");
    for phase in Phase::iter() {
        let _ = write!(text, " {} |", phase.name());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(Phase::COUNT));
    text.push('\n');
    let mut notes = Vec::new();
    for name in FaultName::iter() {
        let _ = write!(text, "| {name} |");
        for phase in Phase::iter() {
            let reason = EMPTY.iter().find(|(of, at, _)| *of == name && *at == phase);
            match reason {
                None => text.push_str(" met |"),
                Some((_, _, reason)) => {
                    notes.push(format!("{name} x {}: {reason}.", phase.name()));
                    let _ = write!(text, " ({}) |", notes.len());
                }
            }
        }
        text.push('\n');
    }
    (text, notes)
}

fn paragraph(text: &mut String, words: &str) {
    text.push_str(&textwrap::fill(words, COLUMNS));
    text.push_str("\n\n");
}

fn item(text: &mut String, mark: &str, words: &str) {
    let indent = " ".repeat(mark.len());
    let wrap = textwrap::Options::new(COLUMNS).initial_indent(mark).subsequent_indent(&indent);
    text.push_str(&textwrap::fill(words, wrap));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_table_of_reasons() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../FAULTS.md");
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, document(), "sim/FAULTS.md is not what the code says");
    }

    #[test]
    fn a_campaign_that_met_nothing_has_gaps_and_some_have_a_reason() {
        let summary = Summary::default();
        let all = gaps(&summary).len();
        assert_eq!(all - unexplained(&summary).len(), EMPTY.len() + NEVER.len());
        assert!(unexplained(&summary).contains(&Gap::Fault(FaultName::Lose, Phase::Drain)));
    }
}
