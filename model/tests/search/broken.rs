//! Meanings of changes that are wrong, for the properties that only they can break.

use skewsync_model::effects::{Effects, Executed, Meaning, Table};
use skewsync_model::state::{Cfg, Change, Keeps, Lsn, Missing, Rejection, Slot};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Lines are translated one by one: where one cannot go the former value stays.
    LineByLine,
    /// What cannot go is dropped without being listed or kept.
    Unlisted,
}

/// A table with a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken(pub(crate) Table, pub(crate) Wrong);

/// The bits of a config that stand somewhere; above them is what is listed.
const STANDING: u32 = 0xff;

impl Broken {
    fn drop_listed(&self, cfg: Cfg) -> Cfg {
        match self.1 {
            Wrong::LineByLine => cfg,
            Wrong::Unlisted => Cfg(cfg.0 & STANDING),
        }
    }
}

impl Effects for Broken {
    fn execute(&self, slot: Slot, cfg: Cfg, change: Change) -> Executed {
        self.0.execute(slot, cfg, change)
    }

    fn carry(&self, from: Slot, cfg: Cfg) -> Cfg {
        self.drop_listed(self.0.carry(from, cfg))
    }

    fn apply(&self, to: Slot, cfg: Cfg, change: Change) -> Cfg {
        let right = self.0.apply(to, cfg, change);
        let gone = right.0 & STANDING == 0 && cfg.0 & STANDING != 0;
        match self.1 {
            Wrong::LineByLine if gone => Cfg(right.0 | cfg.0 & STANDING),
            Wrong::LineByLine | Wrong::Unlisted => self.drop_listed(right),
        }
    }

    fn take(&self, to: Slot, cfg: Cfg) -> Cfg {
        self.0.take(to, cfg)
    }

    fn lacks(&self, to: Slot, lsn: Lsn, cfg: Cfg) -> Missing {
        self.0.lacks(to, lsn, cfg)
    }

    fn leaves(&self, id: u16) -> Option<Keeps> {
        self.0.leaves(id)
    }
}

impl Meaning for Broken {
    fn judges(&self, taken: Cfg) -> Option<Rejection> {
        self.0.judges(taken)
    }

    fn declares(&self, to: Slot, id: u16) -> bool {
        self.0.declares(to, id)
    }

    fn holds(&self, cfg: Cfg, id: u16) -> bool {
        self.0.holds(cfg, id)
    }

    fn listed(&self, cfg: Cfg) -> u32 {
        self.0.listed(cfg)
    }

    fn told(&self, missing: Missing) -> u32 {
        self.0.told(missing)
    }

    fn missing(&self, cfg: Cfg, other: Cfg) -> u32 {
        self.0.missing(cfg, other)
    }

    fn returns(&self, cfg: Cfg) -> Cfg {
        self.0.returns(cfg)
    }
}
