//! What a plan does and when: the events that wait for their anchors.

use crate::plan::{Anchor, Fault, FaultKind, MessageId, Moment, Plan, What};

use super::Job;

/// Something that a plan does.
#[derive(Clone, Debug)]
pub(super) enum PlannedEvent {
    /// A fault is injected.
    Fault(Fault),
    /// An operator enters something.
    Enter(What),
}

/// Anchors as they were met, each by the index of its event in the plan.
pub type Met = Vec<(usize, Anchor)>;

#[derive(Clone, Debug)]
struct Waiting {
    anchor: Anchor,
    event: PlannedEvent,
    met: Option<Anchor>,
}

/// All events of a plan: the faults first, in the plan's order, then the entries.
#[derive(Clone, Debug)]
pub(super) struct Triggers {
    all: Vec<Waiting>,
    faults: usize,
    /// Events that wait for a message, by index; those that were done are gone.
    open: Vec<usize>,
    stopped: bool,
}

impl Triggers {
    pub(super) fn new(plan: &Plan) -> Self {
        let faults = plan.faults.iter().map(|fault| Waiting {
            anchor: fault.at,
            event: PlannedEvent::Fault(fault.clone()),
            met: None,
        });
        let entries = plan.commands.iter().map(|entry| Waiting {
            anchor: entry.at,
            event: PlannedEvent::Enter(entry.what.clone()),
            met: None,
        });
        let all: Vec<Waiting> = faults.chain(entries).collect();
        let open = (0..all.len())
            .filter(|&index| !matches!(all[index].anchor, Anchor::Instant(_)))
            .collect();
        Self { all, faults: plan.faults.len(), open, stopped: false }
    }

    /// The events that wait for an instant.
    pub(super) fn instants(&self) -> impl Iterator<Item = (u64, Job)> {
        self.all.iter().enumerate().filter_map(|(index, waiting)| match waiting.anchor {
            Anchor::Instant(ms) => Some((ms * 1_000, Job::Due(index))),
            Anchor::Observed(..) | Anchor::Next { .. } | Anchor::Answered(..) => None,
        })
    }

    /// The events whose anchor this message is.
    pub(super) fn at(&self, moment: Moment, id: MessageId, now_us: u64) -> Vec<usize> {
        if self.stopped || self.open.is_empty() {
            return Vec::new();
        }
        let met = |index: &usize| self.all[*index].anchor.meets(moment, id, now_us);
        self.open.iter().copied().filter(met).collect()
    }

    /// The fault that is injected within the step that handles this message, and after how many
    /// outputs.
    pub(super) fn within(&mut self, id: MessageId, now_us: u64) -> Option<(usize, Fault)> {
        if self.stopped {
            return None;
        }
        let found = self.open.iter().copied().find_map(|index| {
            let waiting = &self.all[index];
            let moment = match waiting.anchor {
                Anchor::Observed(moment, _) | Anchor::Next { moment, .. } => moment,
                Anchor::Instant(_) | Anchor::Answered(..) => return None,
            };
            let Moment::Within(outputs) = moment else {
                return None;
            };
            waiting.anchor.meets(moment, id, now_us).then_some((index, moment, outputs))
        });
        let (index, moment, outputs) = found?;
        match self.take(index, Some((moment, id)))? {
            PlannedEvent::Fault(fault) => Some((usize::from(outputs), fault)),
            PlannedEvent::Enter(_) => None,
        }
    }

    /// The fault that the plan aims at this message as it is sent.
    pub(super) fn send(&mut self, id: MessageId, now_us: u64) -> Option<FaultKind> {
        let index = *self.at(Moment::Send, id, now_us).first()?;
        match self.take(index, Some((Moment::Send, id)))? {
            PlannedEvent::Fault(fault) => Some(fault.kind),
            PlannedEvent::Enter(_) => None,
        }
    }

    /// The events that wait for this answer.
    pub(super) fn answered(&self, term: u64, lsn: u64) -> Vec<usize> {
        let is = |index: &usize| match self.all[*index].anchor {
            Anchor::Answered(of, at) => of.0 == term && at.0 == lsn,
            Anchor::Instant(_) | Anchor::Observed(..) | Anchor::Next { .. } => false,
        };
        if self.stopped { Vec::new() } else { self.open.iter().copied().filter(is).collect() }
    }

    /// Takes an event: its anchor was met, here.
    pub(super) fn take(
        &mut self,
        index: usize,
        at: Option<(Moment, MessageId)>,
    ) -> Option<PlannedEvent> {
        if self.stopped || self.all[index].met.is_some() {
            return None;
        }
        self.open.retain(|open| *open != index);
        let waiting = &mut self.all[index];
        waiting.met = Some(at.map_or(waiting.anchor, |(moment, id)| Anchor::Observed(moment, id)));
        Some(waiting.event.clone())
    }

    /// Nothing is done any more.
    pub(super) const fn stop(&mut self) {
        self.stopped = true;
    }

    /// The anchors as they were met: of faults and of entries, each by its index in the plan.
    pub(super) fn met(&self) -> (Met, Met) {
        let met = |waiting: &Waiting| waiting.met;
        let of = |all: &[Waiting]| {
            all.iter().enumerate().filter_map(|(at, one)| met(one).map(|met| (at, met))).collect()
        };
        (of(&self.all[..self.faults]), of(&self.all[self.faults..]))
    }

    /// The anchors that were never met.
    pub(super) fn unmet(&self) -> Vec<String> {
        let unmet = self.all.iter().filter(|waiting| waiting.met.is_none());
        unmet.map(|waiting| waiting.anchor.to_string()).collect()
    }
}
