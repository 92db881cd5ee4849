//! The points at which a pair is looked at whole, by the reference translation: the pair became
//! hot, a unit took over, the run ended, and one LSN in sixteen. What is looked at are properties
//! of whole configs, one file each; here is only when, and with what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::digest::Shared;

use skewsync::config::Config;
use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Eligible, Origin, Session, Stamp};
use skewsync::translate::complement::Complements;
use skewsync::translate::{Lowering, Raising};
use skewsync::unit::Event as Told;
use skewsync::unit::holder::Gap;
use skewsync_model::property::Property;
use skewsync_reference::{Beside, Reference, Translated};

use super::reference::{self, Digests};
use crate::catalog::{Catalog, Loaded};
use crate::history::{Acting, Fact, History, Observer, Replica, Role, Unit, What};
use crate::observe::Violation;

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
    /// The term in which the Active's config had it.
    pub term: Term,
    /// The Active's config at n.
    pub a: &'a Config,
    /// What the Active keeps beside it, and whether the Standby puts that back.
    pub beside: Beside<'a>,
    /// Whether the Standby puts nothing back since it refuses a line of it.
    pub refuses_back: bool,
    /// What it comes to, by the reference.
    pub digests: Arc<Digests>,
    /// The Standby's config, or that with which it took over.
    pub s: &'a Config,
    /// While it is a Standby: its translation.
    pub raising: Option<&'a Raising>,
    /// As it takes over: the lines that it says to be missing.
    pub told: Option<&'a [Shared<str>]>,
    /// The Active, if it acts still.
    pub active: Option<&'a Acting>,
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

/// A config that is looked at: of whom, since when another's, and up to where.
#[derive(Clone, Copy)]
struct Found<'a> {
    /// The unit that holds it.
    slot: Slot,
    /// The term in which it was another unit's.
    term: Term,
    /// The session that it came in; none: it outlived it.
    session: Option<Session>,
    /// The last change in it.
    n: Lsn,
    /// The config.
    s: &'a Config,
    /// Whose it is.
    seen_by: SeenBy<'a>,
}

/// Who holds the config that is looked at.
#[derive(Clone, Copy)]
enum SeenBy<'a> {
    /// A Standby, with its translation.
    Standby(&'a Raising),
    /// The unit that took over, with what it says to be missing.
    Successor(&'a [Shared<str>]),
}

/// What an Active held.
struct Held {
    slot: Slot,
    config: Config,
    kept: Arc<Complements>,
    /// Whether it puts back of that, on its way down.
    puts_down: bool,
    image: Arc<Loaded>,
}

/// See the module.
pub struct Points {
    catalog: Arc<Catalog>,
    /// Which LSNs are looked at: those that leave this, divided by `ONE_IN`.
    rest: u64,
    checks: Vec<Box<dyn PairCheck>>,
    configs: BTreeMap<(Term, Lsn), Held>,
    applied: BTreeMap<Slot, Lsn>,
    /// Whether the Standby of a slot puts back what it is given, as of its last sight.
    puts_back: BTreeMap<Slot, bool>,
    /// The Standbys that put nothing back since they were made to refuse a line of it.
    refuse_back: BTreeSet<Slot>,
    /// In the step at hand the pair became hot.
    hot: bool,
    looked: u64,
}

impl Point<'_> {
    /// The place in history of the configs.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.term, lsn: self.n }
    }

    /// The translation of the Active, if it is this pair's.
    pub fn lowering(&self) -> Option<&Lowering> {
        self.active?.session.as_ref()?.lowering.as_ref()
    }

    /// The whole reference translation, less these lines of W: for what is to be said of a
    /// difference.
    pub fn reference_less(&self, held: &BTreeSet<(String, String)>) -> Translated {
        let (active, standby) = self.images;
        let (active, standby) = (active.software().image(), standby.software().image());
        let beside = Beside { held: Some(held), ..self.beside };
        Reference::between(active, standby).translate_beside(self.a, &beside)
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
            applied: BTreeMap::new(),
            puts_back: BTreeMap::new(),
            refuse_back: BTreeSet::new(),
            hot: false,
            looked: 0,
        }
    }

    /// Remembers what the Active holds.
    fn note(&mut self, slot: Slot, acting: &Acting, image: &str) {
        let at = (acting.term, acting.last);
        let lowering = acting.session.as_ref().and_then(|current| current.lowering.as_ref());
        let puts_down = lowering.is_some_and(Lowering::puts_back);
        if let Some(held) = self.configs.get_mut(&at) {
            if lowering.is_some() {
                held.puts_down = puts_down;
            }
            return;
        }
        if let Ok(image) = self.catalog.image(image) {
            let (config, kept) = (acting.config.clone(), Arc::clone(&acting.kept));
            self.configs.insert(at, Held { slot, config, kept, puts_down, image });
        }
        if self.configs.len() > REMEMBERED {
            self.configs.pop_first();
        }
    }

    /// Looks at the Standby that the register names.
    fn look(&mut self, history: &History) -> Result<(), Violation> {
        let Some(Eligible { session, slot, .. }) = history.register else {
            return Ok(());
        };
        let of = |replica: &&Replica| replica.session == session && replica.ready;
        let waiting = history.unit(slot).and_then(Unit::waiting);
        let Some(replica) = waiting.and_then(|waiting| waiting.replica.as_ref()).filter(of) else {
            return Ok(());
        };
        let found = Found {
            slot,
            term: session.term,
            session: Some(session),
            n: replica.applied,
            s: replica.config(),
            seen_by: SeenBy::Standby(&replica.raising),
        };
        self.look_at(found, history)
    }

    fn look_at(&mut self, found: Found<'_>, history: &History) -> Result<(), Violation> {
        let Found { slot, term, session, n, s, seen_by } = found;
        let (Some(held), Some(unit)) = (self.configs.get(&(term, n)), history.unit(slot)) else {
            return Ok(());
        };
        let Held { slot: from, config: a, kept, puts_down, image } = held;
        let Ok(there) = self.catalog.image(&unit.image.name) else {
            return Ok(());
        };
        if *from == slot {
            // It is its own config, and no translation of one.
            return Ok(());
        }
        self.looked += 1;
        let in_session = |acting: &&Acting| {
            let current = acting.session.as_ref().map(|current| current.session);
            session.is_some() && current == session
        };
        let mut acting = history.others(slot).filter_map(|(_, unit)| unit.acting());
        let puts_back = match seen_by {
            SeenBy::Standby(raising) => raising.puts_back(),
            SeenBy::Successor(_) => self.puts_back.get(&slot).copied().unwrap_or(false),
        };
        let beside = Beside { owed: Some(kept), puts_down: *puts_down, puts_back, held: None };
        let point = Point {
            images: (image, &there),
            n,
            term,
            a,
            beside,
            refuses_back: self.refuse_back.contains(&slot),
            digests: reference::digests(
                image.software().image(),
                there.software().image(),
                a,
                &beside,
            ),
            s,
            raising: match seen_by {
                SeenBy::Standby(raising) => Some(raising),
                SeenBy::Successor(_) => None,
            },
            told: match seen_by {
                SeenBy::Standby(_) => None,
                SeenBy::Successor(told) => Some(told),
            },
            active: acting.find(in_session),
            replicated: history.replicated.get(&term).copied(),
            hot_window: u64::from(history.limits.hot_window),
        };
        let mut checks = self.checks.iter_mut();
        checks.try_for_each(|whole| whole.look(&point))
    }

    /// A unit acts, and says with what.
    fn takes_over(
        &mut self,
        slot: Slot,
        (stamp, origin, gap): (Stamp, Origin, Option<Gap>),
        listed: &[Shared<str>],
        history: &History,
    ) -> Result<(), Violation> {
        let (term, session) = match origin {
            Origin::Stateful { session, .. } => (session.term, Some(session)),
            Origin::Stale { stamp } => (gap.map_or(stamp, |gap| gap.after).term, None),
            Origin::Cold | Origin::Resume => return Ok(()),
        };
        // What waited for the role may be executed in the very step that takes it up.
        let acting = history.acting_in(slot).filter(|acting| acting.last == stamp.lsn);
        let Some(acting) = acting else {
            return Ok(());
        };
        let seen_by = SeenBy::Successor(listed);
        let (n, s) = (stamp.lsn, &acting.config);
        self.look_at(Found { slot, term, session, n, s, seen_by }, history)
    }

    /// A unit made a step, and is this.
    fn follow(&mut self, slot: Slot, unit: &Unit, history: &History) -> Result<(), Violation> {
        match unit.role() {
            Some(Role::Active(acting)) => {
                self.note(slot, acting, &unit.image.name);
                Ok(())
            }
            Some(Role::Standby(waiting)) => {
                let Some(replica) = &waiting.replica else {
                    return Ok(());
                };
                self.puts_back.insert(slot, replica.raising.puts_back());
                if replica.raising.refuses_back() {
                    self.refuse_back.insert(slot);
                } else {
                    self.refuse_back.remove(&slot);
                }
                let last = self.applied.entry(slot).or_default();
                let before = std::mem::replace(last, replica.applied);
                if before == replica.applied || replica.applied.0 % ONE_IN != self.rest {
                    return Ok(());
                }
                self.look(history)
            }
            Some(Role::Holder(_)) | None => Ok(()),
        }
    }
}

impl Observer for Points {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some((slot, unit)) = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)))
        else {
            return Ok(());
        };
        match fact.what {
            What::Took { .. } => self.hot = false,
            What::Says { event: Told::Acts { stamp, origin, listed, gap }, .. } => {
                return self.takes_over(slot, (*stamp, *origin, *gap), listed, history);
            }
            What::Says { event: Told::Hot { .. }, .. } => self.hot = true,
            What::Stepped => {
                self.follow(slot, unit, history)?;
                if self.hot {
                    self.look(history)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, history: &History) -> Result<(), Violation> {
        self.look(history)
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        let each = self.checks.iter();
        each.map(|whole| (whole.property(), whole.checked().unwrap_or(self.looked))).collect()
    }
}
