//! What the protocol's parties know. Levels and forms do not exist here: a config is an identity.
//! `Hash` is state identity: everything is derived.

mod arbiter;

use crate::action::Durability;

pub use arbiter::{Arbiter, Eligible, Found, Grantee, Hello, Known, Lost, Offer, Origin, Said};

/// A unit's place in the chassis.
pub type Slot = u8;
/// One life of a unit.
pub type Boot = u16;
/// Fencing number.
pub type Term = u16;
/// Number of a configuration change.
pub type Lsn = u16;

/// A config's identity; what it means is the business of [`crate::effects::Effects`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cfg(pub u32);

impl Cfg {
    /// Pieces of two configs: no history makes it.
    pub const TORN: Self = Self(1 << 31);
}

/// (term, Active's boot, Standby's boot, attempt): every message but Join carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The Active's term.
    pub term: Term,
    /// The Active's boot.
    pub active: Boot,
    /// The Standby's boot.
    pub standby: Boot,
    /// The n of the Join that it answers.
    pub attempt: u16,
}

/// Up to which change a config goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The term in which it was held.
    pub term: Term,
    /// Its last change.
    pub lsn: Lsn,
}

/// One change: (term, LSN) identifies it, `id` says which command made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// The term in which it was made.
    pub term: Term,
    /// The change's LSN.
    pub lsn: Lsn,
    /// The command.
    pub id: u16,
}

/// One unit, running or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// Its boot; the next one while it is down.
    pub boot: Boot,
    /// The highest term it has seen.
    pub highest: Term,
    /// Its startup store.
    pub startup: (Stamp, Cfg),
    /// Its latest round of joining.
    pub n: u16,
    /// The number of its latest Hello; a Decline carries one.
    pub k: u16,
    /// The number of the first Hello that said what it says now.
    pub since: u16,
    /// The latest generation of the arbiter that it has seen in this boot.
    pub generation: u16,
    /// The latest Ask of the arbiter that it heard in this boot.
    pub asked: Term,
    /// Ordered resets that it counts; durable.
    pub resets: u16,
    /// What it is.
    pub part: Role,
}

/// What a unit is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It does not run.
    Down,
    /// Without a role.
    Standby(Standby),
    /// Of a term, without a lease.
    Holder(Holder),
    /// It acts.
    Active(Box<Active>),
}

/// A unit without a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standby {
    /// Its session; none while it joins.
    pub seat: Option<(Session, StandbyPhase)>,
    /// The config that it could take over with.
    pub replica: Option<Replica>,
}

/// How far the Standby is in its session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandbyPhase {
    /// Ready sent; the dump is needed or not.
    Ready(Have),
    /// The driver compares the dumps.
    Pairing,
    /// Diff sent; the dump had been at hand or not.
    Diffed(Have),
    /// Waits for the snapshot: its announcement, and which chunks are here.
    Config(Option<Snapshot>, u64),
    /// Executed and verified; Lines that came early.
    Shadow(Snapshot, Vec<Change>),
    /// Swapped in; Lines that came out of order, and a Hot that waits.
    Synced(Vec<Change>, Option<Lsn>),
    /// Cold standby.
    Rpr,
    /// Not served.
    Held,
    /// The snapshot, or the Line, of this number does not decode; it says so until it is answered.
    Unread(Lsn),
}

/// What a Standby has of the Active's dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Have {
    /// The dump is not at hand: it must be sent.
    Needed,
    /// Its answer from an earlier session.
    AtHand,
    /// Both run the same image.
    SameImage,
}

/// A config that is sent whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot {
    /// The last change in it.
    pub lsn: Lsn,
    /// The config, as it becomes on the other side.
    pub cfg: Cfg,
    /// In how many chunks it travels.
    pub chunks: u8,
}

/// What a Standby says that it lacks of what it was sent, beside what it was told to be missing: an
/// identity, as a config's; 0: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing(pub u32);

/// A config that was swapped in, or with which the unit acted before another one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica {
    /// The term in which its last change was made.
    pub term: Term,
    /// Of which session; none: the unit itself acted with it.
    pub session: Option<Session>,
    /// The last change applied.
    pub applied: Lsn,
    /// The config.
    pub cfg: Cfg,
    /// It has declared itself not ready.
    pub declared: bool,
}

impl Replica {
    /// Where it stands in the role's history.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.term, lsn: self.applied }
    }
}

/// Whether a Standby's replica outlives what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keeps {
    /// The session is over; the replica may still be taken over with.
    Replica,
    /// Policy turned the config away, or it is known to differ.
    Nothing,
}

/// A unit that accepted a term and has no lease.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The term.
    pub term: Term,
    /// Its latest Renew.
    pub renew: u16,
    /// The latest Renew that was granted.
    pub granted: u16,
    /// It released the role and asks for it no more.
    pub released: bool,
    /// Its config is a running one, not its startup store.
    pub runs: bool,
    /// Its config, fixed.
    pub cfg: Cfg,
    /// The last change in it.
    pub lsn: Lsn,
    /// The Active that it was in this very term.
    pub suspended: Option<Box<Active>>,
    /// Commands that wait for the role to come back, or to be gone.
    pub queue: Vec<Queued>,
    /// Timer Queue runs.
    pub timed: bool,
    /// Timer Queue has fired: commands are refused at once.
    pub refuses: bool,
}

/// A unit that acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Active {
    /// The term.
    pub term: Term,
    /// Its latest Renew.
    pub renew: u16,
    /// The latest Renew that was granted: its lease runs from there.
    pub granted: u16,
    /// The last change.
    pub last: Lsn,
    /// The config.
    pub cfg: Cfg,
    /// Its latest write of the register.
    pub register: Register,
    /// The offer of a session that stands.
    pub offered: Option<Session>,
    /// The session.
    pub current: Option<ActiveSession>,
    /// The session that it ends, and whether its Standby keeps its replica.
    pub leaving: Option<(Session, Keeps)>,
    /// The round of the session that ended last.
    pub ended: Option<(Boot, u16)>,
    /// Prompts that are held, in the order of the commands.
    pub prompts: Vec<Prompt>,
    /// Ordered resets, as counted here and told in Joins: the greater counts.
    pub resets: u16,
    /// The last change of an `acked` command that was returned local.
    pub unreplicated: Lsn,
    /// A planned switchover is under way.
    pub draining: bool,
    /// Commands that wait for the end of the drain, or for room.
    pub queue: Vec<Queued>,
    /// Sessions that ended before they were hot for long, since the count began anew.
    pub attempts: u16,
    /// After such an end no Join is answered until timer Pace.
    pub pacing: bool,
}

/// A command that waits and is not executed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queued {
    /// The command.
    pub id: u16,
    /// How its prompt is to return.
    pub durability: Durability,
}

/// A prompt that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prompt {
    /// The change that it waits for.
    pub lsn: Lsn,
    /// The command made that change; else its words stood there already.
    pub made: bool,
}

/// The Active's latest write of the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// Its counter; 0: none was written in this term.
    pub counter: u16,
    /// What it says.
    pub value: Option<Eligible>,
    /// It was sent and not confirmed.
    pub open: bool,
}

/// The Active's session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActiveSession {
    /// The session that the save belongs to.
    pub session: Session,
    /// How far it is.
    pub phase: Phase,
    /// Changes after the snapshot that are not acknowledged.
    pub journal: Vec<Change>,
    /// The last change that was acknowledged.
    pub acked: Lsn,
    /// What the Standby lacks at that change, as it said.
    pub missing: Missing,
    /// The last change at BulkAccept.
    pub hot_at: Lsn,
    /// Its end counts no more: it was hot for long, or it is counted already.
    pub counted: bool,
}

/// How far the Active is in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The dump is on its way.
    Dump,
    /// The diff is waited for.
    Diff,
    /// The driver computes dispositions.
    Pairing,
    /// Waits until the register is none.
    Config,
    /// The snapshot is on its way.
    Bulk(Snapshot),
    /// Accepted; Lines go.
    Cold,
    /// Hot sent; prompts are held from here.
    HotSent,
    /// Hot acknowledged.
    HotAcked,
    /// The register is written.
    Setting,
    /// The register says so.
    Hot,
    /// The snapshot was rejected.
    Rejected(Lsn, Rejection, Keeps),
    /// Not served.
    Held,
}

/// What the Standby does instead of taking a snapshot over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// It resets, and joins again.
    Reset,
    /// It stays, cold.
    Rpr,
    /// It is held.
    Simplex,
}

impl Phase {
    /// Whether prompts of `acked` commands are held.
    pub const fn holds_prompts(self) -> bool {
        matches!(self, Self::HotSent | Self::HotAcked | Self::Setting | Self::Hot)
    }

    /// Whether Lines are sent.
    pub const fn sends_lines(self) -> bool {
        self.holds_prompts() || matches!(self, Self::Cold)
    }
}

/// All parties; messages stand beside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The units, by slot.
    pub units: [Unit; 2],
    /// The arbiter.
    pub arbiter: Arbiter,
}

impl State {
    /// Two units that were never started, and an arbiter that knows nobody.
    pub fn cold() -> Self {
        let unit = |boot| Unit {
            boot,
            highest: 0,
            startup: (Stamp::default(), Cfg::default()),
            n: 0,
            k: 0,
            since: 0,
            generation: 0,
            asked: 0,
            resets: 0,
            part: Role::Down,
        };
        Self { units: [unit(1), unit(1)], arbiter: Arbiter::default() }
    }

    /// The Active, if there is one.
    pub fn active(&self) -> Option<(Slot, &Active)> {
        self.units.iter().enumerate().find_map(|(slot, unit)| match &unit.part {
            Role::Active(active) => Some((slot as Slot, &**active)),
            Role::Down | Role::Standby(_) | Role::Holder(_) => None,
        })
    }
}

/// Whom a message is for: a slot, whatever boot is in it, or the arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum To {
    /// The unit in this slot.
    Unit(Slot),
    /// The arbiter.
    Arbiter,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    /// Who sent it: a unit's slot; the arbiter's messages have the receiver's.
    pub from: Slot,
    /// Whom it is for.
    pub to: To,
    /// What it says.
    pub msg: Msg,
}

/// The messages of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "PROTOCOL.md, sections 2 and 3, says what they are")]
pub enum Msg {
    Hello {
        boot: Boot,
        hello: Hello,
    },
    Renew {
        boot: Boot,
        term: Term,
        n: u16,
        lsn: Lsn,
        generation: u16,
    },
    Decline {
        boot: Boot,
        term: Term,
        hello: Hello,
    },
    SetRegister {
        term: Term,
        counter: u16,
        value: Option<Eligible>,
    },
    Release {
        term: Term,
        lsn: Lsn,
    },
    Offer {
        boot: Boot,
        term: Term,
        origin: Origin,
        bound: Option<Lsn>,
        hello: u16,
        generation: u16,
    },
    Grant {
        boot: Boot,
        term: Term,
        n: u16,
        generation: u16,
    },
    Confirm {
        term: Term,
        counter: u16,
        generation: u16,
    },
    Ask {
        boot: Boot,
        asked: Term,
    },
    Join {
        boot: Boot,
        n: u16,
        same_image: bool,
        resets: u16,
        /// Of another image or engine than the Active's last session.
        other: bool,
    },
    Proceed {
        session: Session,
    },
    Ready {
        session: Session,
        have: Have,
    },
    Dump {
        session: Session,
    },
    Diff {
        session: Session,
    },
    Compatible {
        session: Session,
    },
    Incompatible {
        session: Session,
    },
    Config {
        session: Session,
        snapshot: Snapshot,
    },
    Chunk {
        session: Session,
        lsn: Lsn,
        cfg: Cfg,
        number: u8,
    },
    BulkDone {
        session: Session,
        lsn: Lsn,
        missing: Missing,
    },
    BulkAccept {
        session: Session,
        lsn: Lsn,
    },
    BulkReject {
        session: Session,
        lsn: Lsn,
        rejection: Rejection,
        keeps: Keeps,
    },
    Line {
        session: Session,
        change: Change,
    },
    Applied {
        session: Session,
        lsn: Lsn,
        missing: Missing,
    },
    Hot {
        session: Session,
        lsn: Lsn,
    },
    HotAck {
        session: Session,
        lsn: Lsn,
    },
    Leave {
        session: Session,
        keeps: Keeps,
    },
    Left {
        session: Session,
    },
    Down {
        session: Session,
    },
    /// Standby: the snapshot, or the Line, of this number does not decode here.
    Unreadable {
        session: Session,
        lsn: Lsn,
    },
}
