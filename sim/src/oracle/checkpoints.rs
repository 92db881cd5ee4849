//! The points at which a pair is looked at whole, by the reference translation: the pair became
//! hot, a unit took over, the run ended, and one LSN in sixteen. What is looked at are properties
//! of whole configs, one file each; here is only when, and with what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::digest::Shared;

use skewsync::config::Config;
use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Eligible, Origin, Session};
use skewsync::translate::{Lowering, Raising};
use skewsync::unit::standby::{Readiness, Replica};
use skewsync::unit::{Active, Event as Told, Role, Unit};
use skewsync_model::property::Property;

use super::reference::{self, Digests};
use super::{replicated, told};
use crate::catalog::{Catalog, Loaded};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// Of so many LSNs one is looked at.
const ONE_IN: u64 = 16;
/// Configs of the Active that are remembered; older ones are past every Standby.
const REMEMBERED: usize = 256;

/// A pair, looked at whole.
pub struct Point<'a> {
    /// The images of the Active and of the Standby.
    pub images: (&'a Loaded, &'a Loaded),
    /// The Standby's place in history.
    pub n: Lsn,
    /// The Active's config at n.
    pub a: &'a Config,
    /// What it comes to, by the reference.
    pub digests: Arc<Digests>,
    /// The Standby's config, or that with which it took over.
    pub s: &'a Config,
    /// While it is a Standby: its translation.
    pub raising: Option<&'a Raising>,
    /// As it takes over: the lines that it says to be missing.
    pub told: Option<&'a [Shared<str>]>,
    /// The Active, if it acts still.
    pub active: Option<&'a Active>,
    /// The greatest LSN that was returned `replicated` in the session's term.
    pub replicated: Option<Lsn>,
    /// LSNs that may be outstanding while the pair is hot.
    pub hot_window: u64,
}

/// A property of a pair that is looked at whole.
pub trait PairCheck: Send {
    /// Looks.
    ///
    /// # Errors
    /// The property, if it does not hold.
    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation>;

    /// The property.
    fn property(&self) -> Property;

    /// How often it was checked, if not at each point.
    fn checked(&self) -> Option<u64> {
        None
    }
}

/// Who holds the config that is looked at.
#[derive(Clone, Copy)]
enum SeenBy<'a> {
    /// A Standby, with its translation.
    Standby(&'a Raising),
    /// The unit that took over, with what it says to be missing.
    Successor(&'a [Shared<str>]),
}

/// See the module.
pub struct Points {
    catalog: Arc<Catalog>,
    /// Which LSNs are looked at: those that leave this, divided by `ONE_IN`.
    rest: u64,
    checks: Vec<Box<dyn PairCheck>>,
    configs: BTreeMap<(Term, Lsn), (Slot, Config, Arc<Loaded>)>,
    register: Option<Eligible>,
    replicated: BTreeMap<Term, Lsn>,
    applied: [Lsn; 2],
    looked: u64,
}

impl Point<'_> {
    /// The translation of the Active, if it is this pair's.
    pub fn lowering(&self) -> Option<&Lowering> {
        let sender = self.active?.peer.current.as_ref()?.sender.as_ref()?;
        Some(sender.lowering())
    }

    /// The whole reference translation, less these lines of W: for what is to be said of a
    /// difference.
    pub fn reference_less(&self, held: &BTreeSet<(String, String)>) -> reference::Translated {
        let (active, standby) = self.images;
        let (active, standby) = (active.software().image(), standby.software().image());
        reference::Reference::of(active, standby).translate_less(self.a, held)
    }
}

impl Points {
    /// Looks at these properties in a run whose plan has this `world`.
    pub fn new(catalog: Arc<Catalog>, world: u64, checks: Vec<Box<dyn PairCheck>>) -> Self {
        Self {
            catalog,
            rest: world % ONE_IN,
            checks,
            configs: BTreeMap::new(),
            register: None,
            replicated: BTreeMap::new(),
            applied: [Lsn(0); 2],
            looked: 0,
        }
    }

    /// Remembers what the Active holds.
    fn note(&mut self, slot: Slot, active: &Active, scene: &dyn ClusterView) {
        let at = (active.term, active.last);
        if self.configs.contains_key(&at) {
            return;
        }
        if let Ok(image) = self.catalog.image(scene.image(slot).1) {
            let config = active.config.config().clone();
            self.configs.insert(at, (slot, config, image));
        }
        if self.configs.len() > REMEMBERED {
            self.configs.pop_first();
        }
    }

    /// Looks at the Standby that the register names.
    fn look(&mut self, scene: &dyn ClusterView) -> Result<(), Violation> {
        let Some(eligible) = self.register else {
            return Ok(());
        };
        let Some(Role::Standby(standby)) = scene.unit(eligible.slot).map(|unit| &unit.part) else {
            return Ok(());
        };
        let of = |replica: &&Replica| {
            replica.session == eligible.session && replica.readiness == Readiness::Ready
        };
        let Some(replica) = standby.replica.as_ref().filter(of) else {
            return Ok(());
        };
        let raising = replica.receiver.raising();
        let found = (replica.applied, raising.config(), SeenBy::Standby(raising));
        let Eligible { session, slot, .. } = eligible;
        self.look_at((slot, session.term, Some(session)), found, scene)
    }

    /// Looks at the config of a unit that was another's in this term, and is in this session.
    fn look_at(
        &mut self,
        (slot, term, session): (Slot, Term, Option<Session>),
        (n, s, seen_by): (Lsn, &Config, SeenBy<'_>),
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        let Some((from, a, image)) = self.configs.get(&(term, n)) else {
            return Ok(());
        };
        let Ok(there) = self.catalog.image(scene.image(slot).1) else {
            return Ok(());
        };
        if *from == slot {
            // It is its own config, and no translation of one.
            return Ok(());
        }
        self.looked += 1;
        let other = Slot(1 - slot.0);
        let active = scene.unit(other).and_then(|unit| match &unit.part {
            Role::Active(active) => Some(&**active),
            Role::Standby(_) | Role::Holder(_) => None,
        });
        let in_session = |active: &&Active| {
            let current = active.peer.current.as_ref();
            session.is_some() && current.map(|current| current.session) == session
        };
        let point = Point {
            images: (image, &there),
            n,
            a,
            digests: reference::digests(image.software().image(), there.software().image(), a),
            s,
            raising: match seen_by {
                SeenBy::Standby(raising) => Some(raising),
                SeenBy::Successor(_) => None,
            },
            told: match seen_by {
                SeenBy::Standby(_) => None,
                SeenBy::Successor(told) => Some(told),
            },
            active: active.filter(in_session),
            replicated: self.replicated.get(&term).copied(),
            hot_window: u64::from(scene.limits().hot_window),
        };
        let mut checks = self.checks.iter_mut();
        checks.try_for_each(|whole| whole.look(&point))
    }

    fn see_unit(
        &mut self,
        slot: Slot,
        unit: &Unit,
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        match &unit.part {
            Role::Active(active) => {
                self.note(slot, active, scene);
                Ok(())
            }
            Role::Standby(standby) => {
                let Some(replica) = &standby.replica else {
                    return Ok(());
                };
                let at = usize::from(slot.0);
                let before = std::mem::replace(&mut self.applied[at], replica.applied);
                if before == replica.applied || replica.applied.0 % ONE_IN != self.rest {
                    return Ok(());
                }
                self.look(scene)
            }
            Role::Holder(_) => Ok(()),
        }
    }
}

impl Observer for Points {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Arbiter { arbiter, .. } => self.register = arbiter.register,
            Event::Unit { slot, unit, .. } => {
                for event in told(&seen.event) {
                    let Told::Acts { stamp, origin, listed, gap } = event else {
                        continue;
                    };
                    let of = match origin {
                        Origin::Stateful { session, .. } => (session.term, Some(*session)),
                        Origin::Stale { stamp } => (gap.map_or(*stamp, |gap| gap.after).term, None),
                        Origin::Cold | Origin::Resume => continue,
                    };
                    if let Role::Active(active) = &unit.part
                        // What waited for the role may be executed in the very step that takes it
                        // up.
                        && active.last == stamp.lsn
                    {
                        let found = (stamp.lsn, active.config.config(), SeenBy::Successor(listed));
                        self.look_at((slot, of.0, of.1), found, scene)?;
                    }
                }
                self.see_unit(slot, unit, scene)?;
                for (term, lsn) in replicated(&seen.event) {
                    let most = self.replicated.entry(term).or_insert(lsn);
                    *most = lsn.max(*most);
                }
                if told(&seen.event).any(|event| matches!(event, Told::Hot { .. })) {
                    self.look(scene)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, scene: &dyn ClusterView) -> Result<(), Violation> {
        self.look(scene)
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        let each = self.checks.iter();
        each.map(|whole| (whole.property(), whole.checked().unwrap_or(self.looked))).collect()
    }
}
