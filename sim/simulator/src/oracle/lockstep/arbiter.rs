//! The arbiter's steps.

use skewsync::message::Message;
use skewsync::unit::{Arbiter, ArbiterEvent, ArbiterInput, ArbiterOutput, ArbiterTimer};
use skewsync_model::action::{self, Action};
use skewsync_model::state::{self as model, Flight, To};
use skewsync_model::step::{says_line_unknown, step};

use super::interpretations::Stutter;
use super::{Lockstep, apart};
use crate::abstraction::{self, Difference};
use crate::observe::ClusterView;

impl Lockstep {
    /// The arbiter starts with the state that its disk has: the last one, or an earlier one.
    fn start_arbiter(&mut self, term: model::Term, arbiter: &Arbiter, scene: &dyn ClusterView) {
        let env = Self::env(&self.ledger, false, scene);
        let starts = |of: &model::Arbiter| {
            let mut state = self.state.clone();
            state.arbiter = of.clone();
            let made = step(&env, &state, &Action::ArbiterRecovered(term))?;
            abstraction::arbiter(arbiter, &made.state.arbiter, &self.boots).ok()?;
            Some(state.arbiter)
        };
        let known = std::iter::once(&self.state.arbiter).chain(self.arbiters.iter().rev());
        let found = known.into_iter().find_map(starts);
        if let Some(found) = found {
            let latest = std::mem::replace(&mut self.state.arbiter, found);
            if scene.limits().arbiter_may_go_back {
                self.arbiters.push(latest);
            }
        }
    }

    /// Whether the Offer that is made in a step is made with the line unknown.
    fn owes_line_unknown(&self, after: &model::Arbiter) -> bool {
        let made = after.offer.filter(|_| after.offer != self.state.arbiter.offer);
        made.is_some_and(|offer| says_line_unknown(after, offer))
    }

    pub(super) fn on_arbiter(
        &mut self,
        input: &ArbiterInput,
        outputs: &[ArbiterOutput],
        arbiter: &Arbiter,
        scene: &dyn ClusterView,
    ) -> Result<(), Difference> {
        let action = self.arbiter_takes(input, arbiter, scene)?;
        let mut sent = Vec::new();
        for output in outputs {
            if let Some((to, message)) = output.as_message()
                && let Some(msg) = self.message(&message)?
            {
                sent.push(Flight { from: to.0, to: To::Unit(to.0), msg });
            }
        }
        let env = Self::env(&self.ledger, false, scene);
        let made = step(&env, &self.state, &action);
        let timer = matches!(input, ArbiterInput::Timer(_));
        let known = made.as_ref().map_or(&self.state, |made| &made.state);
        if made.is_none() && !timer {
            return Err(apart("action", &"a step", &action));
        }
        abstraction::arbiter(arbiter, &known.arbiter, &self.boots)?;
        let expected = made.as_ref().map(|made| &made.sent[..]).unwrap_or_default();
        if sent != expected {
            return Err(apart("sent", &sent, &expected));
        }
        let says = outputs.contains(&ArbiterOutput::Event(ArbiterEvent::LineUnknown));
        let owes = made.as_ref().is_some_and(|made| self.owes_line_unknown(&made.state.arbiter));
        if says != owes {
            return Err(apart("line unknown", &says, &owes));
        }
        match made {
            Some(made) => {
                let still = made.state.arbiter == self.state.arbiter && sent.is_empty();
                self.still += u64::from(still);
                if scene.limits().arbiter_may_go_back && !still {
                    self.arbiters.push(self.state.arbiter.clone());
                }
                self.state = made.state;
            }
            None => {
                *self.stutters.entry(Stutter::Timer).or_insert(0) += 1;
                self.still += 1;
            }
        }
        Ok(())
    }

    /// The model's action of an input.
    fn arbiter_takes(
        &mut self,
        input: &ArbiterInput,
        arbiter: &Arbiter,
        scene: &dyn ClusterView,
    ) -> Result<Action, Difference> {
        Ok(match input {
            ArbiterInput::Recovered { term } => {
                let term = abstraction::term(*term)?;
                self.start_arbiter(term, arbiter, scene);
                Action::ArbiterRecovered(term)
            }
            ArbiterInput::StateLost { term, generation } => {
                if scene.limits().arbiter_may_go_back {
                    self.arbiters.push(self.state.arbiter.clone());
                }
                let of = &mut self.state.arbiter;
                of.term = abstraction::term(*term)?.max(of.term);
                of.generation = abstraction::small("generation", *generation)?;
                Action::ArbiterLost
            }
            ArbiterInput::Timer(timer) => Action::Arbiter(match timer {
                ArbiterTimer::Gather => action::ArbiterTimer::Gather,
                ArbiterTimer::TakeoverWait => action::ArbiterTimer::TakeoverWait,
                ArbiterTimer::Lease => action::ArbiterTimer::Lease,
                ArbiterTimer::Resend => action::ArbiterTimer::Resend,
            }),
            ArbiterInput::Message { from, message } => {
                let message = Message::ToArbiter(*message);
                let Some(msg) = self.message(&message)? else {
                    unreachable!("the model speaks of all that the arbiter hears");
                };
                Action::Deliver(Flight { from: from.0, to: To::Arbiter, msg })
            }
        })
    }
}
