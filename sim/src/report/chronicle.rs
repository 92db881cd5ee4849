//! A run told event by event, for whoever looks for a cause.

use std::sync::{Arc, Mutex, PoisonError};

use skewsync::message::{Address, Message};
use skewsync::unit::{ArbiterInput, ArbiterOutput, Input, Output};

use crate::plan::ENTRIES;
use crate::plan::anchor::place;
use crate::plan::fault::FAULT_KINDS;
use crate::tap::{Event, Fate, Observer, Scene, Seen, Violation};

/// Characters of one event that are shown.
const SHOWN_MAX: usize = 220;

/// Writes every event down.
pub struct Chronicle {
    out: Arc<Mutex<String>>,
}

impl Chronicle {
    /// A chronicle that is written to `out`.
    pub const fn new(out: Arc<Mutex<String>>) -> Self {
        Self { out }
    }
}

impl Observer for Chronicle {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        let Some(what) = told(&seen.event, scene) else {
            return Ok(());
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = seen.at_us as f64 / 1e6;
        out.push_str(&format!("{seconds:>10.4} {what}\n"));
        Ok(())
    }
}

fn told(event: &Event<'_>, scene: &dyn Scene) -> Option<String> {
    Some(match event {
        Event::Started {
            slot,
            boot,
            outputs,
            fates,
            ..
        } => {
            format!(
                "{slot} starts, boot {}{}",
                boot.boot,
                outcomes(outputs, fates)
            )
        }
        Event::Unit {
            slot,
            input,
            outputs,
            fates,
            unit,
            ..
        } => {
            let shown = unit.shown().name();
            format!(
                "{slot} [{shown}] <- {}{}",
                taken(input),
                outcomes(outputs, fates)
            )
        }
        Event::Arbiter { input, outputs, .. } => {
            let mut text = match input {
                ArbiterInput::Message { from, message } => {
                    format!("arbiter <- {from} {}", brief(message))
                }
                other => format!("arbiter <- {}", brief(other)),
            };
            for output in *outputs {
                text.push_str("\n             ");
                text.push_str(&match output {
                    ArbiterOutput::Send { to, message } => {
                        format!("-> {to} {}", brief(message))
                    }
                    other => brief(other),
                });
            }
            text
        }
        Event::Sent { fault: None, .. } => return None,
        Event::Sent {
            sight,
            fault: Some(kind),
            ..
        } => {
            format!("   {} befalls {sight}", FAULT_KINDS[*kind])
        }
        Event::Undelivered { sight, .. } => format!("   undelivered {sight}"),
        Event::Entered { id, what, slot } => format!("{} {id} at {slot:?}", ENTRIES[*what]),
        Event::Ended { slot, boot, lost } => {
            format!("{slot} ends, boot {boot}, {lost} writes lost")
        }
        Event::ArbiterEnded => "arbiter ends".into(),
        Event::Written { .. } => return None,
        Event::Paused { slot, paused } => format!("{slot} paused: {paused}"),
        Event::Fault { kind, effect, .. } => {
            format!("FAULT {} effect {effect}", FAULT_KINDS[*kind])
        }
        Event::Calm => {
            let images = (
                scene.image(skewsync::base::Slot(0)).1,
                scene.image(skewsync::base::Slot(1)).1,
            );
            format!("CALM {images:?}")
        }
    })
}

fn taken(input: &Input) -> String {
    match input {
        Input::Message { from, message } => format!("{} {}", place(*from), spoken(message)),
        other => brief(other),
    }
}

fn outcomes(outputs: &[Output], fates: &[Fate]) -> String {
    let mut text = String::new();
    for (output, fate) in outputs.iter().zip(fates) {
        let what = match output {
            Output::SetTimer(_) | Output::CancelTimer(_) => continue,
            Output::Send { to, message } => format!("-> {} {}", to_place(*to), spoken(message)),
            other => brief(other),
        };
        text.push_str("\n             ");
        text.push_str(&what);
        if *fate != Fate::Done {
            text.push_str(&format!("  ({fate:?})"));
        }
    }
    text
}

fn to_place(to: Address) -> String {
    place(to)
}

fn spoken(message: &Message) -> String {
    match message.session() {
        Some(session) => {
            let what = match message {
                Message::Line { lsn, .. }
                | Message::Applied { lsn, .. }
                | Message::Hot { lsn, .. }
                | Message::HotAck { lsn, .. }
                | Message::Config { lsn, .. } => format!(" {lsn}"),
                Message::Leave { why, .. } | Message::Down { why, .. } => format!(" {why:?}"),
                _ => String::new(),
            };
            format!("{:?}{what} ({session})", message.kind())
        }
        None => brief(message),
    }
}

fn brief(what: &dyn std::fmt::Debug) -> String {
    let mut text = format!("{what:?}");
    if let Some((end, _)) = text.char_indices().nth(SHOWN_MAX) {
        text.truncate(end);
        text.push_str("..");
    }
    text
}
