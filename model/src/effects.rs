//! What a command does to a config, here and on the other side. The model knows configs only by
//! identity; exploration supplies a table, the laboratory the history that made them.

use crate::state::{Cfg, Change, Keeps, Lsn, Missing, Rejection, Slot};

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
    /// What the config of the Active in `from` becomes on its way to the other side.
    fn carry(&self, from: Slot, cfg: Cfg) -> Cfg;
    /// The config on the other side once the change has been applied there.
    fn apply(&self, to: Slot, cfg: Cfg, change: Change) -> Cfg;
    /// What the unit in `to` makes of a snapshot: what it cannot execute it holds out.
    fn take(&self, _to: Slot, cfg: Cfg) -> Cfg {
        cfg
    }
    /// What the unit in `to`, with this config, says that it lacks of what it was sent up to `lsn`.
    fn lacks(&self, _to: Slot, _lsn: Lsn, _cfg: Cfg) -> Missing {
        Missing(0)
    }
    /// Whether the session ends at the command itself, since its line cannot go or a bound is
    /// reached, and what the Standby keeps then.
    fn leaves(&self, _id: u16) -> Option<Keeps> {
        None
    }
    /// Whether the Line of a change decodes at the unit in `to`.
    fn reads(&self, _to: Slot, _change: Change) -> bool {
        true
    }
    /// Whether a snapshot decodes at the unit in `to`.
    fn reads_whole(&self, _to: Slot, _cfg: Cfg) -> bool {
        true
    }
}

/// What the search asks beyond a step: what policy decides, and what is in a config.
pub trait Meaning: Effects {
    /// What policy makes of a snapshot, as it was taken on the other side; none: accepted.
    fn judges(&self, taken: Cfg) -> Option<Rejection>;
    /// Whether the unit in `to` declares itself not ready when it executes the line of a command.
    fn declares(&self, to: Slot, id: u16) -> bool;
    /// Whether the command stands in the config, or in what is kept beside it.
    fn holds(&self, cfg: Cfg, id: u16) -> bool;
    /// The commands whose lines a config lists as missing, in whole or in part, one bit each.
    fn listed(&self, cfg: Cfg) -> u32;
    /// The commands of which a Standby says that it lacks their lines, one bit each.
    fn told(&self, missing: Missing) -> u32;
    /// The commands of a config on one side that are not, or not whole, in `other`, the same config
    /// on the other side, but for don't-cares.
    fn missing(&self, cfg: Cfg, other: Cfg) -> u32;
    /// What of a config comes back after two switchovers.
    fn returns(&self, cfg: Cfg) -> Cfg;
    /// What the config of the Active in `from` is on the other side.
    fn becomes(&self, from: Slot, cfg: Cfg) -> Cfg {
        self.take(1 - from, self.carry(from, cfg))
    }
}

/// What becomes of one command's change on the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It goes.
    #[default]
    Carried,
    /// It goes but for a part, which is kept beside it and listed.
    WithLoss,
    /// It need not go.
    DontCare,
    /// It cannot go: it is listed. Policy may end the session, and do this at the next bulk.
    Listed(Option<Rejection>),
    /// Policy refuses it before it is executed.
    Vetoed,
    /// The unit in slot 1 cannot execute it, though it should: it is held out and listed there.
    Fails {
        /// `leave-hot`: the Standby declares itself not ready; else `list`.
        leaves: bool,
        /// What policy does where it is met in a bulk.
        bulk: Option<Rejection>,
    },
    /// It goes, and the unit in slot 1 raises it only together with all others of the table that
    /// are halves, too; else it keeps it beside its config, and says that it lacks it.
    Half,
    /// It goes, and the engine in slot 1 reads neither its Line nor a snapshot that holds it.
    Unreadable,
}

/// The commands of exploration: what becomes of each, and which key it sets. Commands of one key
/// overwrite each other.
///
/// # Shape
/// A config has four bits for each of two keys: the command that stands there, plus one; eight bits
/// above hold the commands that are listed, as one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The effect of each command.
    pub effects: [Effect; COMMANDS],
    /// The key of each command: 0 or 1.
    pub keys: [u8; COMMANDS],
}

/// How many commands a table has.
pub const COMMANDS: usize = 4;

/// The first bit of what is listed.
const LISTED: u32 = 8;

/// The bit of a command.
pub const fn bit(id: u16) -> u32 {
    1 << id
}

impl Table {
    /// Commands of the same key with these effects, in the order of their numbers.
    pub fn from_effects(effects: &[Effect]) -> Self {
        let mut table = Self::default();
        table.effects[..effects.len()].copy_from_slice(effects);
        table
    }

    fn key(&self, id: u16) -> u32 {
        self.keys[usize::from(id)].into()
    }

    fn effect(&self, id: u16) -> Effect {
        self.effects[usize::from(id)]
    }

    /// The command that stands at a key.
    const fn top(cfg: Cfg, key: u32) -> Option<u16> {
        ((cfg.0 >> (4 * key) & 15) as u16).checked_sub(1)
    }

    const fn put(cfg: Cfg, key: u32, top: Option<u16>) -> Cfg {
        let value = match top {
            Some(id) => id as u32 + 1,
            None => 0,
        };
        Cfg(cfg.0 & !(15 << (4 * key)) | value << (4 * key))
    }

    const fn list(cfg: Cfg, id: u16) -> Cfg {
        Cfg(cfg.0 | bit(id) << LISTED)
    }

    const fn lists(cfg: Cfg, id: u16) -> bool {
        cfg.0 >> LISTED & bit(id) != 0
    }

    /// The config without what is listed of a key.
    fn unlist(&self, cfg: Cfg, key: u32) -> Cfg {
        let of_key = (0..COMMANDS as u16).filter(|id| self.key(*id) == key);
        Cfg(of_key.fold(cfg.0, |cfg, id| cfg & !(bit(id) << LISTED)))
    }

    /// The command as it stands on the other side.
    fn arrive(&self, cfg: Cfg, id: u16) -> Cfg {
        let key = self.key(id);
        match self.effect(id) {
            Effect::Carried | Effect::Half | Effect::Fails { .. } | Effect::Unreadable => {
                Self::put(cfg, key, Some(id))
            }
            Effect::WithLoss => Self::list(Self::put(cfg, key, Some(id)), id),
            Effect::DontCare | Effect::Vetoed => Self::put(cfg, key, None),
            Effect::Listed(_) => Self::list(Self::put(cfg, key, None), id),
        }
    }

    /// The halves as the unit in `to` raises them: all or none.
    fn raise_halves(&self, to: Slot, cfg: Cfg) -> Cfg {
        let halves = || (0..COMMANDS as u16).filter(|id| self.effect(*id) == Effect::Half);
        let has = |id: &u16| Self::top(cfg, self.key(*id)) == Some(*id) || Self::lists(cfg, *id);
        if to != 1 {
            return cfg;
        }
        let whole = halves().all(|id| has(&id));
        halves().filter(has).fold(cfg, |cfg, id| match whole {
            true => Self::put(Cfg(cfg.0 & !(bit(id) << LISTED)), self.key(id), Some(id)),
            false => Self::list(Self::put(cfg, self.key(id), None), id),
        })
    }

    /// The command as the unit in `to` executes it: held out if it cannot.
    fn execute_at(&self, to: Slot, cfg: Cfg, id: u16) -> Cfg {
        match self.effect(id) {
            Effect::Fails { .. } if to == 1 => Self::list(Self::put(cfg, self.key(id), None), id),
            _ => cfg,
        }
    }
}

impl Effects for Table {
    fn execute(&self, slot: Slot, cfg: Cfg, change: Change) -> Executed {
        let key = self.key(change.id);
        match self.effect(change.id) {
            Effect::Vetoed => Executed::Refused,
            Effect::Fails { .. } | Effect::Half if slot == 1 => Executed::Refused,
            _ if Self::top(cfg, key) == Some(change.id) => Executed::Unchanged,
            _ => Executed::Changed(Self::put(self.unlist(cfg, key), key, Some(change.id))),
        }
    }

    fn carry(&self, _from: Slot, cfg: Cfg) -> Cfg {
        let mut other = Cfg::default();
        for key in 0..2 {
            if let Some(id) = Self::top(cfg, key)
                && !Self::lists(cfg, id)
            {
                other = self.arrive(other, id);
            }
        }
        // What was kept beside the config goes back whole.
        for id in (0..COMMANDS as u16).filter(|id| Self::lists(cfg, *id)) {
            other = Self::put(other, self.key(id), Some(id));
        }
        other
    }

    fn apply(&self, to: Slot, cfg: Cfg, change: Change) -> Cfg {
        let cleared = self.unlist(cfg, self.key(change.id));
        let executed = self.execute_at(to, self.arrive(cleared, change.id), change.id);
        self.raise_halves(to, executed)
    }

    fn take(&self, to: Slot, cfg: Cfg) -> Cfg {
        let tops = [0, 1].map(|key| Self::top(cfg, key));
        let tops = tops.into_iter().flatten();
        let executed = tops.fold(cfg, |cfg, id| self.execute_at(to, cfg, id));
        self.raise_halves(to, executed)
    }

    fn lacks(&self, to: Slot, _lsn: Lsn, cfg: Cfg) -> Missing {
        let lacks = |id: &u16| {
            let there = matches!(self.effect(*id), Effect::Half | Effect::Fails { .. });
            to == 1 && there && Self::lists(cfg, *id)
        };
        Missing((0..COMMANDS as u16).filter(lacks).fold(0, |bits, id| bits | bit(id)))
    }

    fn leaves(&self, id: u16) -> Option<Keeps> {
        matches!(self.effect(id), Effect::Listed(Some(_))).then_some(Keeps::Nothing)
    }

    fn reads(&self, to: Slot, change: Change) -> bool {
        to != 1 || self.effect(change.id) != Effect::Unreadable
    }

    fn reads_whole(&self, to: Slot, cfg: Cfg) -> bool {
        let tops = [0, 1].map(|key| Self::top(cfg, key));
        let reads = |id: u16| self.effect(id) != Effect::Unreadable;
        to != 1 || tops.into_iter().flatten().all(reads)
    }
}

impl Meaning for Table {
    fn judges(&self, taken: Cfg) -> Option<Rejection> {
        let listed = (0..COMMANDS as u16).filter(|id| Self::lists(taken, *id));
        listed
            .filter_map(|id| match self.effect(id) {
                Effect::Listed(rejection) => rejection,
                Effect::Fails { bulk, .. } => bulk,
                Effect::Carried
                | Effect::Half
                | Effect::WithLoss
                | Effect::DontCare
                | Effect::Vetoed
                | Effect::Unreadable => None,
            })
            .max()
    }

    fn declares(&self, to: Slot, id: u16) -> bool {
        to == 1 && matches!(self.effect(id), Effect::Fails { leaves: true, .. })
    }

    fn holds(&self, cfg: Cfg, id: u16) -> bool {
        Self::top(cfg, self.key(id)) == Some(id) || Self::lists(cfg, id)
    }

    fn listed(&self, cfg: Cfg) -> u32 {
        cfg.0 >> LISTED
    }

    fn told(&self, missing: Missing) -> u32 {
        missing.0
    }

    fn missing(&self, cfg: Cfg, other: Cfg) -> u32 {
        let tops = [0, 1].into_iter().filter_map(|key| {
            let id = Self::top(cfg, key)?;
            let whole = Self::top(other, key) == Some(id) && !Self::lists(other, id);
            (!whole && self.effect(id) != Effect::DontCare).then_some(bit(id))
        });
        tops.fold(0, |bits, id| bits | id)
    }

    fn returns(&self, cfg: Cfg) -> Cfg {
        [0, 1].into_iter().fold(cfg, |cfg, key| match Self::top(cfg, key) {
            Some(id) if self.effect(id) == Effect::DontCare => Self::put(cfg, key, None),
            Some(_) | None => cfg,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Effect; 8] = [
        Effect::Unreadable,
        Effect::Carried,
        Effect::Half,
        Effect::WithLoss,
        Effect::DontCare,
        Effect::Listed(None),
        Effect::Vetoed,
        Effect::Fails { leaves: false, bulk: None },
    ];

    /// All configs that commands make at slot 0, with the same made line by line at slot 1.
    fn histories(table: Table) -> Vec<(Cfg, Cfg)> {
        let mut all = vec![(Cfg(0), Cfg(0))];
        for lsn in 1..=3 {
            for (here, there) in all.clone() {
                for id in 0..3 {
                    let change = Change { term: 1, lsn, id };
                    if let Executed::Changed(after) = table.execute(0, here, change) {
                        all.push((after, table.apply(1, there, change)));
                    }
                }
            }
        }
        all
    }

    #[test]
    fn lines_make_what_a_snapshot_makes_and_all_comes_back() {
        for first in ALL {
            for second in ALL {
                for keys in [[0, 0, 0, 0], [0, 1, 0, 0]] {
                    let table =
                        Table { effects: [first, second, Effect::Carried, Effect::Carried], keys };
                    for (here, there) in histories(table) {
                        assert_eq!(table.becomes(0, here), there, "{table:?} {here:?}");
                        assert_eq!(table.missing(here, there), table.listed(there));
                        assert_eq!(table.becomes(1, there), table.returns(here));
                    }
                }
            }
        }
    }
}
