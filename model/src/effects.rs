//! What a command does to a config, here and on the other side. The model knows configs only by
//! identity; exploration supplies a table, the laboratory the reference translation.

use crate::state::{Cfg, Change, Slot};

/// What a command comes to where it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Executed {
    /// Nothing changed anywhere: no LSN.
    Refused,
    /// It is so already: no LSN.
    Unchanged,
    /// The config is now this one.
    Changed(Cfg),
}

/// The meaning of configs and changes.
pub trait Effects {
    /// Executes `change` on the config of the unit in `slot`.
    fn execute(&self, slot: Slot, cfg: Cfg, change: Change) -> Executed;
    /// What the config of the Active in `from` becomes on the other side.
    fn carry(&self, from: Slot, cfg: Cfg) -> Cfg;
    /// The config on the other side once the change has been applied there.
    fn apply(&self, to: Slot, cfg: Cfg, change: Change) -> Cfg;
}

/// What becomes of one command's change on the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It goes.
    #[default]
    Carried,
    /// It need not go.
    DontCare,
    /// Policy refuses it before it is executed.
    Refused,
}

/// The effects of exploration: a config is the set of the commands in it, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The effect of each command.
    pub effects: [Effect; 4],
}

/// The bit of a command.
pub const fn bit(id: u16) -> u32 {
    1 << id
}

impl Effects for Table {
    fn execute(&self, _slot: Slot, cfg: Cfg, change: Change) -> Executed {
        match self.effects[usize::from(change.id)] {
            Effect::Refused => Executed::Refused,
            Effect::Carried | Effect::DontCare if cfg.0 & bit(change.id) != 0 => {
                Executed::Unchanged
            }
            Effect::Carried | Effect::DontCare => Executed::Changed(Cfg(cfg.0 | bit(change.id))),
        }
    }

    fn carry(&self, _from: Slot, cfg: Cfg) -> Cfg {
        let stays = self
            .effects
            .iter()
            .enumerate()
            .filter(|(_, e)| **e == Effect::DontCare);
        Cfg(stays.fold(cfg.0, |cfg, (id, _)| cfg & !bit(id as u16)))
    }

    fn apply(&self, _to: Slot, cfg: Cfg, change: Change) -> Cfg {
        match self.effects[usize::from(change.id)] {
            Effect::DontCare | Effect::Refused => cfg,
            Effect::Carried => Cfg(cfg.0 | bit(change.id)),
        }
    }
}
