//! Identities of configs: the history that made them. What the engine's digests were at the first
//! sight of an identity, each later sight must show again.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use skewsync::digest::{Digest, ImageDigest};
use skewsync::message::LeaveWhy;
use skewsync_model::effects::{Effects, Executed};
use skewsync_model::state::{Cfg, Change, Keeps, Lsn, Missing, Slot, Term};

use crate::abstraction::{CHANGED, keeps_at_leave};

/// The numbers in a change that say what its command came to: the engine's word is taken for it.
pub(super) const REFUSED: u16 = 0;
/// It stood there already.
pub(super) const UNCHANGED: u16 = 1;
/// It was not executed yet: a model that executes it is told that it is refused, and shows it.
pub(super) const WAITS: u16 = 3;
/// It changed something, and policy ended the session at it.
pub(super) const LEAVES: u16 = 4;
/// It changed something, and a bound ended the session at it.
pub(super) const GIVES_UP: u16 = 5;

/// The number of a change at which the session ended for this reason.
pub(super) const fn ending(why: LeaveWhy) -> u16 {
    match keeps_at_leave(why) {
        Keeps::Nothing => LEAVES,
        Keeps::Replica => GIVES_UP,
    }
}

/// The history that made a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// What a unit booted that nobody saved, by number.
    Fresh(u32),
    /// A config of the Active after its change.
    Made(Term, Lsn),
    /// Another config, as it becomes on the other side.
    Carried(Cfg),
    /// A config on the other side that refused part of what it was sent, by number.
    Odd(u32),
    /// Such a config, after a further change.
    After(Cfg, Term, Lsn),
}

/// All identities of a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    names: RefCell<(BTreeMap<Identity, Cfg>, Vec<Identity>)>,
    digests: BTreeMap<(Cfg, ImageDigest), Digest>,
    numbers: Cell<u32>,
    /// The step at hand refused part of what was sent.
    pub(super) odd: Cell<bool>,
    /// What the step at hand says that a Standby lacks, up to which change.
    pub(super) lacks: RefCell<BTreeMap<Lsn, Missing>>,
    /// The step at hand says that a snapshot, or a Line, does not decode.
    pub(super) unread: Cell<bool>,
    /// Changes whose Line came so that it does not decode.
    pub(super) foreign: RefCell<BTreeSet<(Term, Lsn)>>,
}

impl Ledger {
    fn name(&self, identity: Identity) -> Cfg {
        let (names, all) = &mut *self.names.borrow_mut();
        *names.entry(identity).or_insert_with(|| {
            all.push(identity);
            Cfg(all.len() as u32)
        })
    }

    fn identity(&self, cfg: Cfg) -> Option<Identity> {
        let at = (cfg.0 as usize).checked_sub(1)?;
        self.names.borrow().1.get(at).copied()
    }

    fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// A config of which nothing is known yet.
    pub(super) fn fresh(&self) -> Cfg {
        self.name(Identity::Fresh(self.number()))
    }

    /// A config that is not what it was sent.
    pub(super) fn strange(&self) -> Cfg {
        self.name(Identity::Odd(self.number()))
    }

    /// A sight of a config: the digest must be that of its first sight.
    pub(super) fn sight(
        &mut self,
        cfg: Cfg,
        image: ImageDigest,
        digest: Digest,
    ) -> Result<(), String> {
        let first = *self.digests.entry((cfg, image)).or_insert(digest);
        if first == digest {
            return Ok(());
        }
        let identity = self.identity(cfg);
        Err(format!("the config {identity:?} was {first} at its first sight and is {digest}"))
    }
}

impl Effects for &Ledger {
    fn execute(&self, _: Slot, _: Cfg, change: Change) -> Executed {
        match change.id {
            REFUSED | WAITS => Executed::Refused,
            UNCHANGED => Executed::Unchanged,
            CHANGED | LEAVES | GIVES_UP => {
                Executed::Changed(self.name(Identity::Made(change.term, change.lsn)))
            }
            other => unreachable!("no change is numbered {other}"),
        }
    }

    fn carry(&self, _: Slot, cfg: Cfg) -> Cfg {
        self.name(Identity::Carried(cfg))
    }

    fn leaves(&self, id: u16) -> Option<Keeps> {
        match id {
            LEAVES => Some(Keeps::Nothing),
            GIVES_UP => Some(Keeps::Replica),
            _ => None,
        }
    }

    fn reads(&self, _: Slot, change: Change) -> bool {
        !self.foreign.borrow().contains(&(change.term, change.lsn))
    }

    fn reads_whole(&self, _: Slot, _: Cfg) -> bool {
        !self.unread.get()
    }

    fn lacks(&self, _: Slot, lsn: Lsn, _: Cfg) -> Missing {
        self.lacks.borrow().get(&lsn).copied().unwrap_or_default()
    }

    fn apply(&self, _: Slot, cfg: Cfg, change: Change) -> Cfg {
        let (term, lsn) = (change.term, change.lsn);
        if self.odd.get() {
            return self.strange();
        }
        match self.identity(cfg) {
            Some(Identity::Carried(_)) => {
                let made = self.name(Identity::Made(term, lsn));
                self.name(Identity::Carried(made))
            }
            Some(_) | None => self.name(Identity::After(cfg, term, lsn)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_makes_what_a_snapshot_would() {
        let ledger = Ledger::default();
        let change = |lsn| Change { term: 3, lsn, id: CHANGED };
        let effects = &ledger;
        let Executed::Changed(first) = effects.execute(0, ledger.fresh(), change(1)) else {
            panic!("a change changes");
        };
        let Executed::Changed(second) = effects.execute(0, first, change(2)) else {
            panic!("a change changes");
        };
        let replica = effects.apply(1, effects.carry(0, first), change(2));
        assert_eq!(replica, effects.carry(0, second));
        ledger.odd.set(true);
        assert_ne!(effects.apply(1, effects.carry(0, first), change(2)), replica);
    }

    #[test]
    fn another_digest_of_the_same_config_is_an_error() {
        let mut ledger = Ledger::default();
        let cfg = ledger.fresh();
        let image = ImageDigest([0; 32]);
        assert!(ledger.sight(cfg, image, Digest(1)).is_ok());
        assert!(ledger.sight(cfg, image, Digest(1)).is_ok());
        assert!(ledger.sight(cfg, ImageDigest([1; 32]), Digest(2)).is_ok());
        assert!(ledger.sight(cfg, image, Digest(2)).is_err());
    }
}
