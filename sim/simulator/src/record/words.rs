//! Inputs, outputs and messages in the protocol's words, each on one line.

use std::fmt::Debug;

use skewsync::digest::Shared;
use skewsync::message::{Eligible, Message, Origin, Stamp, ToArbiter, ToUnit};
use skewsync::unit::holder::Gap;
use skewsync::unit::{
    ArbiterEvent, ArbiterInput, Copies, Durability, Event, Input, LocalWhy, Outcome, Output,
    Refusal, Request,
};

use super::{Lane, Mark};
use crate::history::What;
use crate::observe::Fate;

/// Characters of a command, or of a value without words of its own, that are shown.
const SHOWN_MAX: usize = 160;

/// A text of several lines on one line: a mode, and what stands in it, parted by ` / `.
pub(super) fn one_line(text: &str) -> String {
    let text = text.replace('\t', " ");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    cut(lines.join(" / "))
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(SHOWN_MAX) {
        text.truncate(end);
        text.push_str("..");
    }
    text
}

fn brief(what: &dyn Debug) -> String {
    cut(format!("{what:?}"))
}

/// The LSN that a message carries.
pub(super) const fn lsn(message: &Message) -> Option<u64> {
    match message {
        Message::Config { lsn, .. }
        | Message::BulkDone { lsn, .. }
        | Message::BulkAccept { lsn, .. }
        | Message::BulkReject { lsn, .. }
        | Message::Line { lsn, .. }
        | Message::Applied { lsn, .. }
        | Message::Hot { lsn, .. }
        | Message::HotAck { lsn, .. }
        | Message::Keepalive { lsn, .. } => Some(lsn.0),
        Message::ToArbiter(ToArbiter::Renew { lsn, .. } | ToArbiter::Release { lsn, .. }) => {
            Some(lsn.0)
        }
        Message::ToArbiter(ToArbiter::SetRegister { value: Some(eligible), .. }) => {
            Some(eligible.lsn.0)
        }
        _ => None,
    }
}

/// A message: its kind, what it carries, its session.
pub(super) fn message(message: &Message) -> String {
    let kind = format!("{:?}", message.kind());
    let carries = match message {
        Message::Line { lsn, difference, .. } => {
            let text = String::from_utf8_lossy(difference);
            format!(" {lsn} \"{}\"", one_line(&text))
        }
        Message::Applied { lsn, missing, .. } | Message::BulkDone { lsn, missing, .. } => {
            let mismatches = missing.mismatches.len() as u64 + u64::from(missing.further);
            let mismatches = match mismatches {
                0 => String::new(),
                1 => ", 1 line mismatches".into(),
                many => format!(", {many} lines mismatch"),
            };
            let unraised = match missing.unraised.len() {
                0 => String::new(),
                1 => ", 1 line is not raised".into(),
                many => format!(", {many} lines are not raised"),
            };
            format!(" {lsn}{mismatches}{unraised}")
        }
        Message::Unreadable { lsn, why, .. } => format!(" {lsn}: {why}"),
        Message::BulkReject { lsn, verdict, .. } => format!(" {lsn}: {verdict:?}"),
        Message::BulkAccept { lsn, listed, .. } => format!(" {lsn}, {listed} listed"),
        Message::Leave { why, .. } | Message::Down { why, .. } => format!(": {why:?}"),
        Message::Saved { result, .. } => format!(": {result:?}"),
        Message::Keepalive { lsn, mode, held, .. } => format!(" {lsn}, {mode:?}, held by {held:?}"),
        Message::Join(call) => format!(" of boot {}, round {}", call.boot, call.n),
        Message::ToArbiter(of) => to_arbiter(of),
        Message::ToUnit(of) => to_unit(of),
        other => lsn(other).map_or_else(String::new, |lsn| format!(" {lsn}")),
    };
    match message.session() {
        Some(session) => format!("{kind}{carries} ({session})"),
        None => kind + &carries,
    }
}

fn to_arbiter(message: &ToArbiter) -> String {
    match message {
        ToArbiter::Hello { boot, hello } => match hello.said.running {
            Some(running) => {
                format!(" of boot {boot}, at (term {}, LSN {})", running.term, running.lsn)
            }
            None => format!(" of boot {boot}"),
        },
        ToArbiter::Renew { term, n, lsn, .. } => format!(" {n} of term {term}, at LSN {lsn}"),
        ToArbiter::Decline { term, .. } => format!(" term {term}"),
        ToArbiter::SetRegister { term, counter, value } => {
            format!(" {counter} of term {term}: {}", register(value.as_ref()))
        }
        ToArbiter::Release { term, lsn } => format!(" term {term} at LSN {lsn}"),
    }
}

fn to_unit(message: &ToUnit) -> String {
    match message {
        ToUnit::Offer { term, origin, .. } => format!(" term {term}, {}", origin_words(origin)),
        ToUnit::Grant { term, n, .. } => format!(" {n} of term {term}"),
        ToUnit::Confirm { term, counter, .. } => format!(" {counter} of term {term}"),
        ToUnit::Ask { asked, .. } => format!(" {asked}"),
    }
}

fn origin_words(origin: &Origin) -> String {
    match origin {
        Origin::Stateful { session, lsn } => {
            format!("statefully from LSN {lsn} on, of session {session}")
        }
        Origin::Cold => "cold, from the startup store".into(),
        Origin::Resume => "with what it holds".into(),
        Origin::Stale { stamp } => {
            format!("stale, with its replica of term {} at LSN {}", stamp.term, stamp.lsn)
        }
    }
}

/// The eligibility register.
pub(super) fn register(value: Option<&Eligible>) -> String {
    value.map_or_else(
        || "nobody".into(),
        |value| format!("slot {} at LSN {} ({})", value.slot, value.lsn, value.session),
    )
}

/// What an operator asks for beside a change.
pub(super) const fn request(request: Request) -> &'static str {
    match request {
        Request::Switchover => "switchover",
        Request::ForcedSwitchover => "forced-switchover",
        Request::Save => "save",
        Request::RetrySso => "retry",
        Request::ResetPeer => "reset-peer",
    }
}

/// What a unit takes in.
pub(super) fn input(input: &Input) -> String {
    match input {
        Input::Message { from, message: of } => {
            format!("takes {} from {}", message(of), Lane::from(*from))
        }
        Input::Timer(timer) => format!("timer {timer:?}"),
        Input::Command(command) => {
            let durability = match command.durability {
                Durability::Acked => "acked",
                Durability::Async => "async",
            };
            format!("takes command {} \"{}\" ({durability})", command.id, one_line(&command.text))
        }
        Input::Operator { id, request: of } => format!("takes command {id} {}", request(*of)),
        Input::LeaseLapsed => "its lease is over".into(),
        Input::Paired(_) => "a pairing is computed".into(),
        Input::Persisted(write) => format!("write {write} is durable"),
        Input::PersistFailed(write) => format!("write {write} failed"),
    }
}

/// What the arbiter takes in.
pub(super) fn arbiter_input(input: &ArbiterInput) -> String {
    match input {
        ArbiterInput::Recovered { .. } => "runs again, from its durable state".into(),
        ArbiterInput::StateLost { .. } => "runs again, and its state is lost".into(),
        ArbiterInput::Message { from, message: of } => {
            format!("takes {} from {}", message(&Message::ToArbiter(*of)), Lane::from_slot(*from))
        }
        ArbiterInput::Timer(timer) => format!("timer {timer:?}"),
    }
}

/// An answer at a prompt.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { term, lsn, place, listed } => {
            let mut text = format!("{} (term {term}, LSN {lsn})", place_words(*place));
            if !listed.is_empty() {
                text.push_str(&format!("; not on the Standby: {}", lines(listed)));
            }
            text
        }
        Outcome::Unchanged { place } => format!("unchanged, {}", place_words(*place)),
        Outcome::Refused(refusal) => format!("refused: {}", refused(refusal)),
        Outcome::Unknown => "unknown: the role was lost while it waited".into(),
        Outcome::Released => "released: the role went over".into(),
        Outcome::Saved { own, peer } => match peer {
            Some(peer) => format!("saved: here {own:?}, there {peer:?}"),
            None => format!("saved: here {own:?}, no Standby in session"),
        },
        Outcome::Taken => "taken".into(),
    }
}

const fn place_words(place: Copies) -> &'static str {
    match place {
        Copies::Replicated => "replicated",
        Copies::Local(LocalWhy::Async) => "local (async)",
        Copies::Local(LocalWhy::NoHotStandby) => "local (no hot Standby)",
        Copies::Local(LocalWhy::ReSyncing { .. }) => "local (re-syncing)",
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotActive => "this unit does not act".into(),
        Refusal::Moved => "the role went elsewhere".into(),
        Refusal::TooLarge => "the batch is too large".into(),
        Refusal::QueueFull => "the queue is full".into(),
        Refusal::Line(mismatch) => {
            format!("`{}` did not execute ({:?})", &*mismatch.line, mismatch.prc)
        }
        Refusal::Policy { line } => format!("policy refuses `{}`", &**line),
        Refusal::NotEligible => "no eligible Standby".into(),
        Refusal::Busy => "another one is under way".into(),
        Refusal::DrainTimeout => "the drain took too long".into(),
        Refusal::LeftHot => "the pair left hot".into(),
    }
}

fn lines(lines: &[Shared<str>]) -> String {
    let all: Vec<String> = lines.iter().map(|line| format!("`{}`", &**line)).collect();
    cut(all.join(", "))
}

/// An effect of a step, with what became of it; none for what a reader does not miss: timers, and
/// what a mark says.
pub(super) fn effect(what: &What<'_>) -> Option<String> {
    let (text, fate) = match what {
        What::Sends { to, message: of, fate } => {
            (format!("sends {} to {}", message(of), Lane::from(*to)), *fate)
        }
        What::ArbiterSends { to, message: of } => (
            format!("sends {} to {}", message(&Message::ToUnit(**of)), Lane::from_slot(*to)),
            Fate::Done,
        ),
        What::WriteBegan { write, fate, .. } => (format!("write {write} begins"), *fate),
        What::Says { event, fate } if mark(event).is_none() => (brief(event), *fate),
        What::Wants { output: Output::Lease { term, n }, fate } => {
            (format!("its lease of term {term} runs from Renew {n} on"), *fate)
        }
        What::Wants { output: Output::Pair { .. }, fate } => ("asks for a pairing".into(), *fate),
        _ => return None,
    };
    Some(match fate {
        Fate::Done => text,
        Fate::Late => text + " (dropped: the lease was over)",
        Fate::Unknown => text + " (told as `unknown`: the lease was over)",
        Fate::Cut => text + " (not done: the process ended)",
    })
}

/// What a unit told that changes its standing.
pub(super) fn mark(event: &Event) -> Option<Mark> {
    let role = |now: String| Some(Mark::Role { now, acts: None });
    let session = |now: String| Some(Mark::Session { now });
    match event {
        Event::Acts { stamp, origin, listed, gap } => {
            let mut now = format!(
                "acts in term {} from LSN {}, {}",
                stamp.term,
                stamp.lsn,
                origin_words(origin)
            );
            if !listed.is_empty() {
                now.push_str(&format!("; says to be missing: {}", lines(listed)));
            }
            if let Some(Gap { after, heard }) = gap {
                let Stamp { term, lsn } = after;
                now.push_str(&format!(
                    "; what was executed after LSN {lsn} of term {term} is missing, at least up \
                     to LSN {heard}"
                ));
            }
            Some(Mark::Role { now, acts: Some((stamp.term.0, stamp.lsn.0)) })
        }
        Event::Lapsed { term } => role(format!("its lease of term {term} is over")),
        Event::Superseded { term } => role(format!("gives way to term {term}")),
        Event::SessionBegan(of) => session(format!("session {of} begins")),
        Event::SessionEnded { session: of, why } => session(format!("session {of} ends: {why:?}")),
        Event::Hot { listed } => session(format!("hot, {listed} lines listed")),
        Event::Degraded { why, own, peer } => {
            session(format!("degraded: {why:?}; engines {own} here, {peer} there"))
        }
        Event::Unreadable(why) => session(format!("cannot be read: {why}")),
        Event::Reset { counted } => {
            session(format!("reset{}", if *counted { ", counted" } else { "" }))
        }
        Event::LostAtSwitchover { lines: lost } => {
            session(format!("lost at switchover: {}", lines(lost)))
        }
        Event::Discarded { lines: lost } => role(format!("kept no more: {}", lines(lost))),
        Event::TermUnwritten { term } => {
            role(format!("acts in term {term}, which its disk refused"))
        }
        Event::Ignored { .. }
        | Event::FileConflict { .. }
        | Event::ListingUnread
        | Event::StoreDamaged
        | Event::DiskFailed(_)
        | Event::Declined { .. } => None,
    }
}

/// What the arbiter told.
pub(super) fn arbiter_mark(event: &ArbiterEvent) -> Mark {
    let now = match event {
        ArbiterEvent::Offered(offer) => {
            format!(
                "offers term {} to slot {}, {}",
                offer.term,
                offer.slot,
                origin_words(&offer.origin)
            )
        }
        ArbiterEvent::OffTheLine { stamp } => {
            format!("what a unit holds, (term {}, LSN {}), is off the line", stamp.term, stamp.lsn)
        }
        ArbiterEvent::PassedOver(eligible) => {
            format!("passes over slot {}, that was eligible at LSN {}", eligible.slot, eligible.lsn)
        }
        ArbiterEvent::Accepted(holder) => {
            format!("slot {} holds term {}", holder.slot, holder.term)
        }
        ArbiterEvent::Lost => "has no state: it is silent for a lease".into(),
        ArbiterEvent::Older { had, seen } => format!(
            "has a state of generation {had}, and a unit has seen generation {seen}: it counts as \
             lost"
        ),
        ArbiterEvent::LineUnknown => {
            "offers with the line unknown: what was taken over may be missing, and what was passed \
             over may come back"
                .into()
        }
        ArbiterEvent::LeaseOver(holder) => {
            format!("the lease of slot {} in term {} is over", holder.slot, holder.term)
        }
    };
    Mark::Role { now, acts: None }
}
