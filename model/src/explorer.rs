//! The same model for stateright: the cross-check of our own search, and its Explorer.

use stateright::{Model, Property};

use crate::effects::Meaning;
use crate::scope::{Bounded, Move, Scope};

/// A scope as stateright's model. All properties are folded into one: stateright 0.31 loses the
/// shortest counterexample when several are asked for.
#[derive(Clone, Debug)]
pub struct Explored<E>(pub Scope<E>);

impl<E: Meaning + Clone> Model for Explored<E> {
    type State = Bounded;
    type Action = Move;

    fn init_states(&self) -> Vec<Bounded> {
        let mut start = self.0.start();
        self.0.rename(&mut start);
        vec![start]
    }

    fn actions(&self, state: &Bounded, actions: &mut Vec<Move>) {
        self.0.moves(state, actions);
    }

    fn next_state(&self, last: &Bounded, action: Move) -> Option<Bounded> {
        let mut after = self.0.after(last, &action, &mut |_| {})?;
        self.0.rename(&mut after);
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("safe", |_, state: &Bounded| state.bad.is_none())]
    }
}
