//! What was seen where a property does not hold: a variant a finding, with the ids of what it is
//! about. Its words are made here and nowhere else, and nothing reads them back.

use skewsync::config::Prc;
use skewsync::digest::Digest;
use skewsync::ids::{CommandId, Lsn, Slot, Term};
use skewsync::message::{Eligible, MessageKind, Origin, Redundancy, Session, Stamp, Unreadable};
use skewsync::unit::{PairingSide, RfState};

use crate::abstraction::Difference;

/// A line: its path, and its words.
pub type PlacedLine = (String, String);

/// What was seen. A `line` alone stands with its modes; beside a `path` it is the path's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each say what it is, and what its fields are")]
pub enum Evidence {
    #[error("command {command} was answered twice")]
    AnsweredTwice { command: CommandId },
    #[error("command {command} at slot {slot} {how}")]
    Unanswered { command: CommandId, slot: Slot, how: Unanswered },
    #[error("command {command} is returned local, and the register holds {session}")]
    LocalWhileSet { command: CommandId, session: Session },
    #[error("command {command} is returned replicated in {session:?}, never registered")]
    ReplicatedUnregistered { command: CommandId, session: Option<Session> },
    #[error("command {command} was refused and changed slot {slot}")]
    RefusedChanges { command: CommandId, slot: Slot },

    #[error("the arbiter hears a unit for {ms} ms, and offers nothing")]
    OffersNothing { ms: u64 },
    #[error("nobody acts for {ms} ms, and nothing is wrong")]
    NobodyActs { ms: u64 },
    #[error("both units act within their leases at the same instant")]
    BothAct,
    #[error(
        "slot {slot} acts, and takes something else than its lease's end {ms} ms after that end"
    )]
    ActsBeyondLease { slot: Slot, ms: u64 },
    #[error("term {term} was granted to two units or boots")]
    TermOfTwo { term: Term },
    #[error("term {term} is acted in after term {after}")]
    TermBehind { term: Term, after: Term },

    #[error("{writes} writes under way")]
    Writes { writes: usize },
    #[error("slot {slot}: {buffer}: {found}, and the bound is {bound}")]
    Exceeds { slot: Slot, buffer: Buffer, found: usize, bound: u32 },
    #[error("{begun} sessions of one boot in sso, of {most}")]
    Attempts { begun: u32, most: u32 },
    #[error(
        "session {session} begins {ms} ms after attempt {failed} failed, and the pause is \
         {least_ms} ms"
    )]
    PauseTooShort { session: Session, ms: u64, failed: u32, least_ms: u64 },
    #[error("slot {slot} leaves its session by itself")]
    LeavesByItself { slot: Slot },
    #[error("{resets} ordered resets, and the bound is {most}")]
    Resets { resets: u32, most: u32 },

    #[error("the {whose:?}'s W at LSN {} is {found}; from scratch {wanted}", .at.lsn)]
    WireDiffers { whose: PairingSide, at: Stamp, found: Digest, wanted: Digest },
    #[error("the {whose:?}'s W at LSN {} is in another order than from scratch", .at.lsn)]
    WireOrderDiffers { whose: PairingSide, at: Stamp },
    #[error("LSN {} takes `{line}` away, which W never held", .change.lsn)]
    TakesNothingAway { change: Stamp, line: String },
    #[error("LSN {lsn}, now of session {session}, has wire digests {known} and {found}")]
    TwoDigests { lsn: Lsn, session: Session, known: Digest, found: Digest },

    #[error("{said} lines are said to be listed, and {listed} are")]
    ListedOtherwise { said: u32, listed: usize },
    #[error("for {ms} ms: {what}")]
    ShowsUntrue { ms: u64, what: Untrue },
    #[error("slot {slot} shows a hot Standby for {ms} ms that nobody serves")]
    HotUnserved { slot: Slot, session: Session, ms: u64 },

    #[error(
        "the Standby's config at LSN {} is not the Active's: {}", .at.lsn, unlike(.extra, .missing)
    )]
    ConfigDiffers { at: Stamp, extra: Vec<String>, missing: Vec<String> },
    #[error(
        "the Standby's config at LSN {} is in another order than from scratch: {}", .at.lsn,
        instead(.lines)
    )]
    StandbyOrderDiffers { at: Stamp, lines: Box<[String; 2]> },
    #[error("its own image reads the Standby's config at LSN {} otherwise: {what}", .at.lsn)]
    ReadsOtherwise { at: Stamp, what: String },
    #[error("the Standby's config at LSN {} does not say what the Active's means: {what}", .at.lsn)]
    MeansOtherwise { at: Stamp, what: String },
    #[error("command {}, LSN {}, does not do what it says: {what}", .command.0, .at.lsn)]
    ExecutesOtherwise { at: Stamp, command: CommandId, what: String },
    #[error("LSN {} was returned replicated, and the Standby has {has}", .change.lsn)]
    ReplicatedBeyond { change: Stamp, has: Lsn },
    #[error("{outstanding} LSNs are outstanding at LSN {}", .at.lsn)]
    Outstanding { outstanding: u64, at: Stamp },
    #[error(
        "the {whose:?} does not list {}, and lists {} beside", quoted(.missing), quoted(.extra)
    )]
    ListDiffers { whose: PairingSide, missing: Vec<PlacedLine>, extra: Vec<PlacedLine> },
    #[error("the Active does not know that `{path} {line}` is held out")]
    HeldOutUnknown { path: String, line: String },
    #[error(
        "the register names session {} at LSN {}, and slot {} holds {}",
        .named.session, .named.lsn, .named.slot, what_of_it(*.held)
    )]
    NamedHoldsLess { named: Eligible, held: Option<Lsn> },
    #[error(
        "`{path} {line}` is listed at the Active at LSN {}, and not at slot {slot}", .at.lsn
    )]
    ListedAtActiveAlone { path: String, line: String, at: Stamp, slot: Slot },

    #[error("slot {slot} lost lines that it never held")]
    LostUnheld { slot: Slot },
    #[error("`{line}` is missing, and is not listed")]
    MissingUnlisted { line: String },
    #[error("`{line}` is listed, and is not missing")]
    ListedUnmissed { line: String },
    #[error("`{path} {line}` does not go, and the {whose:?} does not list it")]
    UnlistedBy { whose: PairingSide, path: String, line: String },
    #[error("`{path} {line}` is neither at the Standby nor listed")]
    Dropped { path: String, line: String },
    #[error("it was received, and {why}")]
    ReceivedUnread { why: Unreadable },
    #[error("`{line}` was received and gives {prc:?}")]
    ReceivedForeign { line: String, prc: Prc },
    #[error("{kind:?} of another session moved slot {slot}")]
    StaleMoves { kind: MessageKind, slot: Slot },

    #[error(
        "LSN {} of term {} was replicated, and {taken} is taken over", .change.lsn, .change.term
    )]
    ReplicatedLost { change: Stamp, taken: Lsn },
    #[error("slot {slot} was passed over, and it was there all along")]
    PassedOver { slot: Slot },
    #[error("{taken} is taken over, and the register said {said}")]
    TakenBelowRegister { taken: Lsn, said: Lsn },
    #[error(
        "slot {slot} acts with the config of term {} at LSN {}, which term {by} passed over",
        .with.term, .with.lsn
    )]
    Zombie { slot: Slot, with: Stamp, by: Term },
    #[error("the arbiter says that the line is unknown, and has lost nothing")]
    LineUnknown,
    #[error(
        "term {} was released at LSN {}; slot {slot} acts {} from LSN {}",
        .released.term, .released.lsn, begins(.origin), .from.lsn
    )]
    ReleasedLost { released: Stamp, slot: Slot, origin: Origin, from: Stamp },
    #[error(
        "LSN {} of term {} was returned replicated, and slot {rememberer} remembered it when slot \
         {slot} took over; slot {slot} acts {} from LSN {} without it{}",
        .change.lsn, .change.term, begins(.origin), .from.lsn, its_lines(.lines.as_deref())
    )]
    ReplicatedGone {
        change: Stamp,
        rememberer: Slot,
        slot: Slot,
        origin: Origin,
        from: Stamp,
        lines: Option<Vec<String>>,
    },
    #[error(
        "slot {slot} took LSN {} of term {} over, and its line `{line}` is gone unlisted",
        .change.lsn, .change.term
    )]
    ReplicatedLineGone { change: Stamp, slot: Slot, line: String },
    #[error("slot {slot} acts, {}, from a config that it never held", begins(.origin))]
    ActsFromUnheld { slot: Slot, origin: Origin },
    #[error("slot {slot} saved {}, and boots {}", stamped(Some(.saved)), stamped(.boots.as_ref()))]
    SavedLost { slot: Slot, saved: Stamp, boots: Option<Stamp> },

    #[error("slot {slot} holds a config of {session} unheard")]
    HoldsUnheard { slot: Slot, session: Session },
    #[error("slot {slot} holds LSN {lsn} in session {session}, and its bulk was not accepted")]
    BulkUnaccepted { slot: Slot, session: Session, lsn: Lsn },
    #[error(
        "slot {slot} holds LSN {lsn} in session {session}, and a line between it and the accepted \
         bulk never came"
    )]
    LinesSkipped { slot: Slot, session: Session, lsn: Lsn },
    #[error(
        "slot {slot} goes from LSN {from} to LSN {to} in session {session}, and the line of LSN \
         {missing} never came"
    )]
    LineSkipped { slot: Slot, session: Session, from: Lsn, to: Lsn, missing: Lsn },
    #[error(
        "slot {slot} goes from LSN {from} to LSN {to} in session {session}, and that is no way \
         forward"
    )]
    GoesBack { slot: Slot, session: Session, from: Lsn, to: Lsn },

    #[error("`{line}` is back, and was not there before")]
    ComesBack { line: String },
    #[error("`{line}` went there and did not come back")]
    StaysAway { line: String },
    #[error("the order in `{path}` is another")]
    OrderDiffers { path: String },

    #[error("the engine left the model: {0}")]
    LeftModel(Departure),
}

/// How a command has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each say what it is")]
pub enum Unanswered {
    #[error("got no outcome when the role was lost")]
    RoleLost,
    #[error("{0} and got no outcome in its bound")]
    InBound(Wait),
    #[error("has no outcome at the end")]
    AtEnd,
}

/// For what a command may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum Wait {
    /// It was executed: for the Standby, then for the Confirm of a clear.
    #[strum(to_string = "was executed and its prompt is held")]
    Held,
    /// It was not: for the Standby to come nearer, or for prompts to return.
    #[strum(to_string = "waits for room")]
    Room,
    /// It was not: for the end of a drain.
    #[strum(to_string = "waits for the end of a drain")]
    Drain,
    /// It was not: for the role that was released.
    #[strum(to_string = "waits at a unit that released the role")]
    Release,
    /// A planned switchover: for its own end.
    #[strum(to_string = "drains")]
    Switchover,
    /// Another request: for a `save` at both units.
    #[strum(to_string = "is under way")]
    Request,
}

/// What has a bound at a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
#[expect(missing_docs, reason = "each is named as what it is")]
pub enum Buffer {
    Journal,
    Queue,
    Prompts,
    #[strum(to_string = "holder's queue")]
    HolderQueue,
    #[strum(to_string = "lines kept")]
    LinesKept,
}

/// What two units show that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each say what it is")]
pub enum Untrue {
    #[error("the pair is hot; shown are {} and {}", .here.name(), .there.name())]
    Hot { here: RfState, there: RfState },
    #[error("one unit shows rpr: {} and {}", .here.name(), .there.name())]
    Cold { here: RfState, there: RfState },
    #[error("the mode shown is {mode:?}, and the register {register:?}")]
    Mode { mode: Redundancy, register: Option<Eligible> },
}

/// How the engine left the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {difference}")]
pub struct Departure {
    /// In which step.
    pub step: StepOf,
    /// What differs.
    pub difference: Difference,
}

/// A step of a machine; what it took, if no id names it, is told as it is debugged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the words of each say what it is")]
pub enum StepOf {
    #[error("slot {slot}, as it starts")]
    Start { slot: Slot },
    #[error("slot {slot}, as it takes {kind:?}")]
    Message { slot: Slot, kind: MessageKind },
    #[error("slot {slot}, as it takes command {command}")]
    Command { slot: Slot, command: CommandId },
    #[error("slot {slot}, as it takes {input}")]
    Unit { slot: Slot, input: String },
    #[error("the arbiter, as it takes {input}")]
    Arbiter { input: String },
}

impl Evidence {
    /// The command that it is about.
    pub const fn command(&self) -> Option<CommandId> {
        match self {
            Self::AnsweredTwice { command }
            | Self::Unanswered { command, .. }
            | Self::LocalWhileSet { command, .. }
            | Self::ReplicatedUnregistered { command, .. }
            | Self::RefusedChanges { command, .. }
            | Self::ExecutesOtherwise { command, .. }
            | Self::LeftModel(Departure { step: StepOf::Command { command, .. }, .. }) => {
                Some(*command)
            }
            _ => None,
        }
    }

    /// The places in history that it is about, in the order of its words.
    pub fn places(&self) -> Vec<Stamp> {
        let of = |session: &Session, lsn: &Lsn| Stamp { term: session.term, lsn: *lsn };
        match self {
            Self::WireDiffers { at, .. }
            | Self::WireOrderDiffers { at, .. }
            | Self::StandbyOrderDiffers { at, .. }
            | Self::ReadsOtherwise { at, .. }
            | Self::MeansOtherwise { at, .. }
            | Self::ExecutesOtherwise { at, .. }
            | Self::ConfigDiffers { at, .. }
            | Self::Outstanding { at, .. }
            | Self::ListedAtActiveAlone { at, .. }
            | Self::Zombie { with: at, .. }
            | Self::TakesNothingAway { change: at, .. }
            | Self::ReplicatedBeyond { change: at, .. }
            | Self::ReplicatedLost { change: at, .. }
            | Self::ReplicatedLineGone { change: at, .. } => vec![*at],
            Self::ReleasedLost { released: at, from, .. }
            | Self::ReplicatedGone { change: at, from, .. } => vec![*at, *from],
            Self::SavedLost { saved, boots, .. } => std::iter::once(*saved).chain(*boots).collect(),
            Self::TwoDigests { session, lsn, .. }
            | Self::BulkUnaccepted { session, lsn, .. }
            | Self::LinesSkipped { session, lsn, .. } => vec![of(session, lsn)],
            Self::NamedHoldsLess { named, held } => {
                std::iter::once(&named.lsn).chain(held).map(|lsn| of(&named.session, lsn)).collect()
            }
            Self::LineSkipped { session, from, to, missing, .. } => {
                [from, to, missing].map(|lsn| of(session, lsn)).into()
            }
            Self::GoesBack { session, from, to, .. } => {
                [from, to].map(|lsn| of(session, lsn)).into()
            }
            _ => Vec::new(),
        }
    }
}

/// How a unit begins to act.
const fn begins(origin: &Origin) -> &'static str {
    match origin {
        Origin::Stateful { .. } => "statefully",
        Origin::Cold => "cold",
        Origin::Resume => "with what it held",
        Origin::Stale { .. } => "with a replica that outlived its session",
    }
}

fn stamped(stamp: Option<&Stamp>) -> String {
    stamp.map_or_else(
        || "nothing".into(),
        |stamp| format!("(term {}, LSN {})", stamp.term, stamp.lsn),
    )
}

fn what_of_it(lsn: Option<Lsn>) -> String {
    lsn.map_or_else(|| "nothing of it".into(), |lsn| format!("LSN {lsn}"))
}

fn its_lines(lines: Option<&[String]>) -> String {
    lines.map_or_else(String::new, |lines| format!(": `{}`", lines.join("`, `")))
}

fn unlike(extra: &[String], missing: &[String]) -> String {
    let extra = extra.iter().map(|line| format!("extra `{line}`"));
    let missing = missing.iter().map(|line| format!("missing `{line}`"));
    let said: Vec<String> = extra.chain(missing).collect();
    said.join(", ")
}

/// Of what is rendered in two ways, the first line of each that is not the other's.
fn instead([found, wanted]: &[String; 2]) -> String {
    let told = |line: &String| if line.is_empty() { "its end".into() } else { format!("`{line}`") };
    format!("{} where {} belongs", told(found), told(wanted))
}

fn quoted(lines: &[(String, String)]) -> String {
    let lines: Vec<String> = lines.iter().map(|(path, line)| format!("`{path} {line}`")).collect();
    lines.join(", ")
}
