//! What a plan does and when: the events that wait for their anchors. Those that wait for the same
//! message are done in the plan's order, the faults first.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::hash::{StableHasher, mix};
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

/// Where a planned event was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Its index in the plan: among the faults, or among the commands.
    pub index: usize,
    /// Its anchor, as it was met.
    pub anchor: Anchor,
    /// When.
    pub at: Now,
}

/// A point of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Virtual time, in microseconds.
    pub us: u64,
    /// How many events were observed before it.
    pub events: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    anchor: Anchor,
    event: PlannedEvent,
    /// Which event it is, whatever else the plan holds.
    name: u64,
    met: Option<(Anchor, Now)>,
}

/// Names planned events: by anchor and content, and if these are alike by which of them it is.
#[derive(Default)]
struct Names(BTreeMap<u64, u64>);

impl Names {
    fn next(&mut self, anchor: Anchor, content: &impl Hash) -> u64 {
        let mut hasher = StableHasher::default();
        (anchor, content).hash(&mut hasher);
        let alike = self.0.entry(hasher.finish()).or_insert(0);
        *alike += 1;
        mix(hasher.finish() ^ mix(*alike))
    }
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
        let mut names = Names::default();
        let faults = plan.faults.iter().map(|fault| {
            (fault.at, PlannedEvent::Fault(fault.clone()), names.next(fault.at, &fault.kind))
        });
        let mut all: Vec<_> = faults.collect();
        all.extend(plan.commands.iter().map(|entry| {
            (entry.at, PlannedEvent::Enter(entry.what.clone()), names.next(entry.at, &entry.what))
        }));
        let waiting = |(anchor, event, name)| Waiting { anchor, event, name, met: None };
        let all: Vec<Waiting> = all.into_iter().map(waiting).collect();
        let open = (0..all.len())
            .filter(|&index| !matches!(all[index].anchor, Anchor::Instant(_)))
            .collect();
        Self { all, faults: plan.faults.len(), open, stopped: false }
    }

    /// The events that wait for an instant.
    pub(super) fn instants(&self) -> impl Iterator<Item = (u64, Job)> {
        self.all.iter().enumerate().filter_map(|(index, waiting)| match waiting.anchor {
            Anchor::Instant(ms) => Some((ms * 1_000, Job::Due { index, name: waiting.name })),
            Anchor::Observed(..) | Anchor::Next { .. } | Anchor::Answered(..) => None,
        })
    }

    /// The events whose anchor this message is.
    pub(super) fn at(&self, moment: Moment, id: MessageId, now: Now) -> Vec<usize> {
        if self.stopped || self.open.is_empty() {
            return Vec::new();
        }
        let met = |index: &usize| self.all[*index].anchor.meets(moment, id, now.us);
        self.open.iter().copied().filter(met).collect()
    }

    /// The fault that is injected within the step that handles this message, and after how many
    /// outputs.
    pub(super) fn within(&mut self, id: MessageId, now: Now) -> Option<(usize, Fault)> {
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
            waiting.anchor.meets(moment, id, now.us).then_some((index, moment, outputs))
        });
        let (index, moment, outputs) = found?;
        match self.take(index, Some((moment, id)), now)? {
            PlannedEvent::Fault(fault) => Some((usize::from(outputs), fault)),
            PlannedEvent::Enter(_) => None,
        }
    }

    /// The fault that the plan aims at this message as it is sent.
    pub(super) fn send(&mut self, id: MessageId, now: Now) -> Option<FaultKind> {
        let index = *self.at(Moment::Send, id, now).first()?;
        match self.take(index, Some((Moment::Send, id)), now)? {
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
        now: Now,
    ) -> Option<PlannedEvent> {
        if self.stopped || self.all[index].met.is_some() {
            return None;
        }
        self.open.retain(|open| *open != index);
        let waiting = &mut self.all[index];
        let anchor = at.map_or(waiting.anchor, |(moment, id)| Anchor::Observed(moment, id));
        waiting.met = Some((anchor, now));
        Some(waiting.event.clone())
    }

    /// Nothing is done any more.
    pub(super) const fn stop(&mut self) {
        self.stopped = true;
    }

    /// The events that were done: faults and entries.
    pub(super) fn met(&self) -> (Vec<Met>, Vec<Met>) {
        let of = |all: &[Waiting]| {
            let all = all.iter().enumerate();
            let met = all.filter_map(|(index, waiting)| {
                let (anchor, at) = waiting.met?;
                Some(Met { index, anchor, at })
            });
            met.collect()
        };
        (of(&self.all[..self.faults]), of(&self.all[self.faults..]))
    }

    /// The anchors that were never met.
    pub(super) fn unmet(&self) -> Vec<String> {
        let unmet = self.all.iter().filter(|waiting| waiting.met.is_none());
        unmet.map(|waiting| waiting.anchor.to_string()).collect()
    }
}
