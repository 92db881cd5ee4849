//! The arbiter of the role, and what units say to it of themselves.

use super::{Boot, Lsn, Session, Slot, Stamp, Term};

/// With what config a term is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The replica of a session, up to an LSN at least.
    Stateful(Session, Lsn),
    /// The startup store.
    Cold,
    /// The config with which the unit acted or was to act.
    Resume,
    /// The replica that outlived its session, of this stamp or a newer one.
    Stale(Stamp),
}

/// Who may take over statefully.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eligible {
    /// The session.
    pub session: Session,
    /// The Standby's slot.
    pub slot: Slot,
    /// Up to which change it has applied.
    pub lsn: Lsn,
}

/// The arbiter of the role; all of it is durable but `gathering` and `silent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arbiter {
    /// Last used by an offer.
    pub term: Term,
    /// The offer that nobody has accepted.
    pub offer: Option<Offer>,
    /// Who accepted the latest accepted term.
    pub holder: Option<Grantee>,
    /// Who may take over statefully.
    pub register: Option<Eligible>,
    /// Of the register's latest write in the holder's term.
    pub counter: u16,
    /// The last term that was accepted with a startup store.
    pub cold: Term,
    /// Where the other accepted terms came from, as far as it counts: the LSNs grow along it.
    pub line: Vec<(Term, Lsn)>,
    /// What was held in an earlier term is off the line.
    pub floor: Term,
    /// Its state was lost, and nobody has accepted a term since.
    pub lost: Option<Lost>,
    /// It has started with a state that may be an older one, and nobody has accepted a term since.
    pub found: Option<Found>,
    /// What a Hello is to echo that counts as heard since: a term that it never offers.
    pub asked: Option<Term>,
    /// Slots, one bit each, whose units it heard since, and that know a term of before.
    pub heard: u8,
    /// Counts what it told of durable changes; 0: generations are not counted.
    pub generation: u16,
    /// What each unit said last.
    pub known: [Option<Known>; 2],
    /// Timer Gather runs.
    pub gathering: bool,
    /// Timer Lease runs for whoever may hold a lease that it does not know of: nothing is granted,
    /// nothing offered.
    pub silent: bool,
}

/// What an arbiter goes by that started with a state that may be an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// The last term in that state.
    pub last: Term,
    /// Its own terms since the start are later; what lies between it used before.
    pub began: Term,
}

/// What an arbiter that has lost its state goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lost {
    /// Its own terms since the loss are later.
    pub began: Term,
    /// The greatest term up to that one that a unit says it has seen.
    pub seen: Term,
}

/// An offer that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The term.
    pub term: Term,
    /// The slot that is offered the role.
    pub slot: Slot,
    /// To which boot.
    pub boot: Boot,
    /// With what config.
    pub origin: Origin,
    /// The LSN beyond which such a config is off the line; none: there is no such LSN.
    pub bound: Option<Lsn>,
    /// The number of the Hello by which a startup store is offered; else 0.
    pub hello: u16,
    /// The term of the offered config's stamp, if it is made by an arbiter that lost its state;
    /// else 0.
    pub held: Term,
}

/// Who accepted a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grantee {
    /// The unit.
    pub slot: Slot,
    /// Its boot.
    pub boot: Boot,
    /// The term.
    pub term: Term,
    /// Whether its lease runs.
    pub running: bool,
}

/// What the arbiter knows of the unit in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Known {
    /// Its boot.
    pub boot: Boot,
    /// The number of the latest Hello of this boot; 0: none came.
    pub k: u16,
    /// What it said; none: it was forgotten, and the number was not.
    pub said: Option<Said>,
}

/// What a unit says of its configs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// Its startup store.
    pub startup: Stamp,
    /// Its running config, if it holds one as a former holder.
    pub running: Option<Stamp>,
    /// Its replica, if it holds one that it may take over with.
    pub replica: Option<Stamp>,
}

/// A Hello: of its own, or in a Decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hello {
    /// Its number within the boot.
    pub k: u16,
    /// The highest term that the unit has seen.
    pub highest: Term,
    /// The latest generation of the arbiter that the unit has seen in this boot.
    pub generation: u16,
    /// The latest Ask that the unit heard in this boot; 0: none.
    pub asked: Term,
    /// What the unit says.
    pub said: Said,
}
