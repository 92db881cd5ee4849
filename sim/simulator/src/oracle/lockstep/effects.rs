//! What a step shows: what it sent, and what operators were told, in the model's words.

use skewsync::ids::{CommandId, Slot};
use skewsync::unit::prompts::PromptKind as Did;
use skewsync::unit::{Copies, LocalWhy, Outcome, Output, Role, Unit};
use skewsync_model::action;
use skewsync_model::state::{Flight, Msg};
use skewsync_model::step::Answer;

use super::config_ids::{REFUSED, UNCHANGED, WAITS};
use super::{Lockstep, apart};
use crate::abstraction::{self, CHANGED, Difference};

/// What a step showed that the model speaks of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct VisibleEffects {
    pub(super) sent: Vec<Flight>,
    pub(super) answers: Vec<Answer>,
}

impl VisibleEffects {
    /// Without what the engine's outputs do not say.
    pub(super) fn bare(&mut self) {
        self.sent.retain(|flight| !abstraction::is_file(&flight.msg));
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
    pub(super) fn shown(
        &self,
        slot: Slot,
        outputs: &[Output],
    ) -> Result<VisibleEffects, Difference> {
        let mut shown = VisibleEffects::default();
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
pub(super) fn agree_on_shown(
    shown: &VisibleEffects,
    made: &VisibleEffects,
    unit: &Unit,
) -> Result<(), Difference> {
    if shown.answers != made.answers {
        return Err(apart("answers", &shown.answers, &made.answers));
    }
    if shown.sent == made.sent {
        return Ok(());
    }
    // A Join waits until the count of ordered resets is durable.
    let counts = unit.own.writes.values();
    let waits = counts.into_iter().any(|write| *write == skewsync::unit::Write::Resets);
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
                Copies::Replicated => Answer::Replicated { lsn },
                Copies::Local(why) => Answer::Local {
                    lsn,
                    durability: match why {
                        LocalWhy::Async => action::Durability::Async,
                        LocalWhy::NoHotStandby | LocalWhy::ReSyncing { .. } => {
                            action::Durability::Acked
                        }
                    },
                },
            })
        }
        Outcome::Unchanged { .. } => Some(Answer::Unchanged),
        Outcome::Refused(_) => Some(Answer::Refused),
        Outcome::Unknown => Some(Answer::Unknown { lsn: 0 }),
        // Of a request that is no command.
        Outcome::Released | Outcome::Saved { .. } | Outcome::Taken => None,
    })
}

/// What a command came to in this step, as the engine says; if it was not executed, it waits.
pub(super) fn came_to(command: CommandId, outputs: &[Output], unit: &Unit) -> u16 {
    let answered = outputs.iter().find_map(|output| match output {
        Output::Answer { id, outcome } if *id == command => Some(outcome),
        _ => None,
    });
    match answered {
        Some(Outcome::Done { .. }) => CHANGED,
        Some(Outcome::Unchanged { .. }) => UNCHANGED,
        Some(_) => REFUSED,
        None => held(command, unit).unwrap_or(WAITS),
    }
}

/// What a command came to whose prompt is held.
fn held(id: CommandId, unit: &Unit) -> Option<u16> {
    let Role::Active(active) = &unit.part else {
        return None;
    };
    let mut prompts = active.prompts().held().values().flatten();
    let prompt = prompts.find(|prompt| prompt.id == id)?;
    Some(match prompt.change {
        Did::Made { .. } => CHANGED,
        Did::Nothing => UNCHANGED,
    })
}
