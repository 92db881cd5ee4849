//! What a step shows: what it sent, and what operators were told, in the model's words.

use skewsync::base::{CommandId, Slot};
use skewsync::unit::active::Change as Did;
use skewsync::unit::{Command, Durability, LocalWhy, Outcome, Output, Part, Place, Refusal, Unit};
use skewsync_model::action::{self, Action};
use skewsync_model::state::{Flight, Msg};
use skewsync_model::step::Answer;

use super::ledger::{REFUSED, UNCHANGED};
use super::{Lockstep, apart};
use crate::abstraction::{self, CHANGED, Difference};

/// What a step showed that the model speaks of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) sent: Vec<Flight>,
    pub(super) answers: Vec<Answer>,
}

impl Shown {
    /// Without what the engine's outputs do not say.
    pub(super) fn bare(&mut self) {
        self.sent
            .retain(|flight| !abstraction::is_file(&flight.msg));
        for flight in &mut self.sent {
            flight.msg = abstraction::bare(flight.msg);
        }
        for answer in &mut self.answers {
            if let Answer::Unknown { lsn } = answer {
                *lsn = 0;
            }
        }
    }
}

impl Lockstep {
    /// What the step's outputs say in the model's words.
    pub(super) fn shown(&self, slot: Slot, outputs: &[Output]) -> Result<Shown, Difference> {
        let mut shown = Shown::default();
        for output in outputs {
            match output {
                Output::Send { to, message } => {
                    let msg = self.message(message)?;
                    if let Some(msg) = msg.filter(|msg| !abstraction::is_file(msg)) {
                        shown.sent.push(Flight {
                            from: slot.0,
                            to: abstraction::to(*to),
                            msg: abstraction::bare(msg),
                        });
                    }
                }
                Output::Answer { id, outcome } if self.commands.contains(id) => {
                    shown.answers.extend(answer(outcome)?);
                }
                _ => {}
            }
        }
        Ok(shown)
    }
}

/// What was sent and answered is what the model sends and answers, in order.
pub(super) fn agree_on_shown(shown: &Shown, made: &Shown, unit: &Unit) -> Result<(), Difference> {
    if shown.answers != made.answers {
        return Err(apart("answers", &shown.answers, &made.answers));
    }
    if shown.sent == made.sent {
        return Ok(());
    }
    // A Join waits until the count of ordered resets is durable.
    let counts = unit.own.writes.values();
    let waits = counts
        .into_iter()
        .any(|write| *write == skewsync::unit::Write::Resets);
    let without = |flight: &&Flight| !matches!(flight.msg, Msg::Join { .. });
    if waits && shown.sent.iter().eq(made.sent.iter().filter(without)) {
        return Ok(());
    }
    Err(apart("sent", &shown.sent, &made.sent))
}

/// What an operator was told, in the model's words; none: the model does not speak of it.
fn answer(outcome: &Outcome) -> Result<Option<Answer>, Difference> {
    Ok(match outcome {
        Outcome::Done { lsn, place, .. } => {
            let lsn = abstraction::lsn(*lsn)?;
            Some(match place {
                Place::Replicated => Answer::Replicated { lsn },
                Place::Local(why) => Answer::Local {
                    lsn,
                    durability: match why {
                        LocalWhy::Async => action::Durability::Async,
                        LocalWhy::NoHotStandby => action::Durability::Acked,
                    },
                },
            })
        }
        Outcome::Unchanged { .. } => Some(Answer::Unchanged),
        Outcome::Refused(
            Refusal::NotActive | Refusal::TooLarge | Refusal::Line(_) | Refusal::Policy { .. },
        ) => Some(Answer::Refused),
        Outcome::Unknown => Some(Answer::Unknown { lsn: 0 }),
        // Of a queue, or of a request that is no command.
        Outcome::Refused(_) | Outcome::Released | Outcome::Saved { .. } | Outcome::Taken => None,
    })
}

/// A command that was executed in this step, with what came of it.
pub(super) fn entered(
    slot: Slot,
    command: &Command,
    outputs: &[Output],
    unit: &Unit,
) -> Option<Action> {
    let answered = outputs.iter().find_map(|output| match output {
        Output::Answer { id, outcome } if *id == command.id => Some(outcome),
        _ => None,
    });
    let id = match answered {
        Some(Outcome::Done { .. }) => CHANGED,
        Some(Outcome::Unchanged { .. }) => UNCHANGED,
        Some(Outcome::Refused(Refusal::Moved | Refusal::QueueFull)) => return None,
        Some(_) => REFUSED,
        None => held(command.id, unit)?,
    };
    let durability = match command.durability {
        Durability::Acked => action::Durability::Acked,
        Durability::Async => action::Durability::Async,
    };
    Some(Action::Command(slot.0, id, durability))
}

/// What a command came to whose prompt is held.
fn held(id: CommandId, unit: &Unit) -> Option<u16> {
    let Part::Active(active) = &unit.part else {
        return None;
    };
    let mut prompts = active.prompts.values().flatten();
    let prompt = prompts.find(|prompt| prompt.id == id)?;
    Some(match prompt.change {
        Did::Made { .. } => CHANGED,
        Did::Nothing => UNCHANGED,
    })
}
