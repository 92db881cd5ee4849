//! An arbiter whose state is lost, or older than what it told (PROTOCOL.md, section 2, State lost).

use alloc::vec::Vec;

use super::{Arbiter, ArbiterEvent, ArbiterOutput, ArbiterTimer, Offer};
use crate::ids::{Slot, Term};
use crate::message::{Hello, Origin};
use crate::planted::{Defect, Planted};
use crate::unit::Limits;

/// What an arbiter goes by that started with a state that may be an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// The last term in that state.
    pub last: Term,
    /// Terms beyond this one are its own since the start; what lies between it used before.
    pub began: Term,
}

impl Found {
    /// What it goes by that starts with a state of this last term, while its world says that terms
    /// up to `began` were used. A state that was written before anybody accepted a term since an
    /// earlier start says no more of the terms that were unknown then.
    pub(super) fn again(earlier: Option<Self>, last: Term, began: Term) -> Self {
        match earlier {
            Some(earlier) if last == began => earlier,
            Some(earlier) => Self { last: earlier.last, began },
            None => Self { last, began },
        }
    }
}

/// What an arbiter that lost its state goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lost {
    /// Terms beyond this one are its own since the loss.
    pub began: Term,
    /// The greatest term up to that one of which a unit has said that it knows it.
    pub seen: Term,
}

impl Arbiter {
    /// Its state is lost, or older than what it told: whoever may hold a lease is waited for. Terms
    /// and generations go on beyond all that were used.
    pub(super) fn lose(&mut self, generation: u64, planted: Planted, out: &mut Vec<ArbiterOutput>) {
        for timer in [ArbiterTimer::Gather, ArbiterTimer::TakeoverWait, ArbiterTimer::Resend] {
            out.push(ArbiterOutput::CancelTimer(timer));
        }
        // Numbers of Hellos in an older state are none of later ones: what came late stays late.
        let mut known = core::mem::take(&mut self.known);
        known.values_mut().for_each(|known| known.said = None);
        *self = Self {
            term: self.term,
            generation,
            known,
            lost: Some(Lost { began: self.term, seen: Term(0) }),
            silent: !planted.is(Defect::LostNotSilent),
            ..Self::default()
        };
        self.ask();
        if self.silent {
            out.push(ArbiterOutput::SetTimer(ArbiterTimer::Lease));
        } else {
            out.push(ArbiterOutput::CancelTimer(ArbiterTimer::Lease));
            self.gather(out);
        }
        out.push(ArbiterOutput::Event(ArbiterEvent::Lost));
    }

    /// From here on only a Hello says what its unit knows *now* that was sent after this: numbers
    /// of Hellos are lost with the state, so that an old one cannot be told by its own.
    pub(super) fn ask(&mut self) {
        self.term = Term(self.term.0 + 1);
        self.asked = Some(self.term);
        self.heard.clear();
    }

    /// Whether a unit has seen what this state says nothing of.
    pub(super) fn is_older(
        &mut self,
        seen: u64,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) -> bool {
        let had = self.generation;
        let older = seen > had;
        if older {
            out.push(ArbiterOutput::Event(ArbiterEvent::Older { had, seen }));
            self.lose(seen, planted, out);
        }
        older
    }

    /// A unit knows a term that the state with which the arbiter started says nothing of, and that
    /// was used before.
    pub(super) fn note_later(
        &mut self,
        hello: &Hello,
        planted: Planted,
        out: &mut Vec<ArbiterOutput>,
    ) {
        let Some(Found { last, began }) = self.found else {
            return;
        };
        if terms(hello).any(|term| term > last && term <= began) {
            let had = self.generation;
            let seen = hello.generation;
            out.push(ArbiterOutput::Event(ArbiterEvent::Older { had, seen }));
            self.lose(had, planted, out);
        }
    }

    /// A Hello is taken. A unit that knows no term of before says nothing of what was taken over:
    /// its disk was lost, or it is new.
    pub(super) fn note_heard(&mut self, from: Slot, hello: &Hello) {
        let lost = self.lost.map(|lost| lost.began);
        let Some(began) = lost.or(self.found.map(|found| found.began)) else {
            return;
        };
        let latest = terms(hello).filter(|term| *term <= began).max();
        let latest = latest.unwrap_or_default();
        let since = self.asked.is_none_or(|asked| hello.asked >= asked);
        if latest > Term(0) && since {
            self.heard.insert(from);
        }
        if let Some(lost) = &mut self.lost {
            lost.seen = lost.seen.max(latest);
        }
    }

    /// Whether an Offer is made with the line unknown: the state was lost, and it is of a startup
    /// store, or the state was lost or may be an older one, and a unit was not heard since that
    /// knows a term of before.
    pub(super) fn is_line_unknown(&self, offer: Offer, limits: &Limits, planted: Planted) -> bool {
        let greeted = |slot| planted.is(Defect::UnknowingHeard) && self.known.contains_key(&slot);
        let heard = |slot| self.heard.contains(&slot) || greeted(slot);
        let all = (0..limits.units).map(Slot).all(heard);
        planted.is(Defect::LineAlwaysUnknown)
            || self.lost.is_some() && (offer.origin == Origin::Cold || !all)
            || self.found.is_some() && !all
    }
}

/// The terms that a Hello says its unit knows.
fn terms(hello: &Hello) -> impl Iterator<Item = Term> {
    let Hello { highest, said, .. } = *hello;
    let stamps = [Some(said.startup), said.running, said.replica];
    let of_stamps = stamps.into_iter().flatten().map(|stamp| stamp.term);
    of_stamps.chain([highest])
}
