//! What an engine's state and messages are in the model: the one place that knows both.
//!
//! A config's identity is nothing that the engine knows: it is compared by digest elsewhere
//! (`oracle::lockstep`). Everything else of the model's state is read off the engine, field by
//! field.
#![expect(clippy::disallowed_types, reason = "one of the two readers of the engine")]

mod agree;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use skewsync::ids::{BootId, Lsn, Slot, Term};
use skewsync::message::{
    Address, DumpAtHand, Eligible, FileKind, Hello, LeaveWhy, Message, Missing, Origin, RejectWhy,
    Said, Session, Stamp, ToArbiter, ToUnit, Verdict,
};
use skewsync_model::state as model;

use crate::hash::StableHasher;
pub use agree::{Difference, arbiter, unit};

/// The number in a change that says what its command came to (`oracle::lockstep::ledger`).
pub const CHANGED: u16 = 2;

/// A state or message of the engine that the model has no word for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped(pub String);

/// What a Standby says that it lacks, by its content.
pub fn missing(said: &Missing) -> model::Missing {
    if *said == Missing::default() {
        return model::Missing::default();
    }
    let mut hash = StableHasher::default();
    said.hash(&mut hash);
    model::Missing(hash.finish() as u32 | 1)
}

/// Boots as the model counts them: a unit that lost its disk has a boot that is no count.
#[derive(Clone, Debug, Default)]
pub struct Boots(BTreeMap<BootId, model::Boot>);

/// The most that a boot can be and still be a count.
const COUNTED: u64 = 1 << 15;

impl Boots {
    /// A boot begins; `next` is what the model counts it as if it is no count.
    pub fn begin(&mut self, boot: BootId, next: model::Boot) -> model::Boot {
        match self.boot(boot) {
            Ok(known) => known,
            Err(_) => *self.0.entry(boot).or_insert(next),
        }
    }

    /// The model's number of a boot.
    ///
    /// # Errors
    /// It never began.
    pub fn boot(&self, boot: BootId) -> Result<model::Boot, Unmapped> {
        if boot.0 < COUNTED {
            return Ok(boot.0 as model::Boot);
        }
        let known = self.0.get(&boot).copied();
        known.ok_or_else(|| Unmapped(format!("boot {boot} never began")))
    }

    /// A session.
    ///
    /// # Errors
    /// A number that the model cannot hold.
    pub fn session(&self, session: Session) -> Result<model::Session, Unmapped> {
        Ok(model::Session {
            term: term(session.term)?,
            active: self.boot(session.active)?,
            standby: self.boot(session.standby)?,
            attempt: small("attempt", session.attempt.0.into())?,
        })
    }

    /// What the register says.
    ///
    /// # Errors
    /// A number that the model cannot hold.
    pub fn eligible(&self, value: Eligible) -> Result<model::Eligible, Unmapped> {
        Ok(model::Eligible {
            session: self.session(value.session)?,
            slot: value.slot.0,
            lsn: lsn(value.lsn)?,
        })
    }

    /// Where a term's config comes from.
    ///
    /// # Errors
    /// A number that the model cannot hold.
    pub fn origin(&self, origin: Origin) -> Result<model::Origin, Unmapped> {
        Ok(match origin {
            Origin::Stateful { session, lsn: to } => {
                model::Origin::Stateful(self.session(session)?, lsn(to)?)
            }
            Origin::Cold => model::Origin::Cold,
            Origin::Resume => model::Origin::Resume,
            Origin::Stale { stamp: of } => model::Origin::Stale(stamp(of)?),
        })
    }

    /// A message; none: the model does not speak of it. `snapshot` knows the config in a snapshot.
    ///
    /// # Errors
    /// A number that the model cannot hold.
    pub fn message(
        &self,
        message: &Message,
        snapshot: &dyn Fn(model::Session, model::Lsn) -> Option<model::Cfg>,
    ) -> Result<Option<model::Msg>, Unmapped> {
        use model::Msg;
        let of = |session: &Session| self.session(*session);
        let taken = |session: &Session, at: &Lsn| {
            let (session, at) = (of(session)?, lsn(*at)?);
            let cfg = snapshot(session, at).unwrap_or_default();
            Ok::<_, Unmapped>((session, at, cfg))
        };
        Ok(Some(match message {
            Message::ToArbiter(message) => self.to_arbiter(*message)?,
            Message::ToUnit(message) => self.to_unit(*message)?,
            Message::Join(call) => Msg::Join {
                boot: self.boot(call.boot)?,
                n: small("attempt", call.n.0.into())?,
                same_image: false,
                resets: 0,
                other: false,
            },
            Message::Proceed { session, .. } => Msg::Proceed { session: of(session)? },
            Message::Ready { session, have, .. } => {
                Msg::Ready { session: of(session)?, have: have_of(*have) }
            }
            Message::Chunk { session, chunk } => match chunk.file.kind {
                FileKind::Dump => Msg::Dump { session: of(session)? },
                FileKind::Diff => Msg::Diff { session: of(session)? },
                FileKind::Config => {
                    let (session, lsn, cfg) = taken(session, &Lsn(chunk.file.ordinal))?;
                    Msg::Chunk { session, lsn, cfg, number: 0 }
                }
                FileKind::Save => return Ok(None),
            },
            Message::Compatible { session, .. } => Msg::Compatible { session: of(session)? },
            Message::Incompatible { session, .. } => Msg::Incompatible { session: of(session)? },
            Message::Config { session, lsn, .. } => {
                let (session, lsn, cfg) = taken(session, lsn)?;
                let snapshot = model::Snapshot { lsn, cfg, chunks: 1 };
                Msg::Config { session, snapshot }
            }
            Message::BulkDone { session, lsn: at, missing: said, .. } => {
                Msg::BulkDone { session: of(session)?, lsn: lsn(*at)?, missing: missing(said) }
            }
            Message::BulkAccept { session, lsn: at, .. } => {
                Msg::BulkAccept { session: of(session)?, lsn: lsn(*at)? }
            }
            Message::BulkReject { session, lsn: at, verdict, why } => Msg::BulkReject {
                session: of(session)?,
                lsn: lsn(*at)?,
                rejection: rejection(*verdict),
                keeps: keeps_at_reject(*why),
            },
            Message::Line { session, lsn: at, .. } => {
                let session = of(session)?;
                let change = model::Change { term: session.term, lsn: lsn(*at)?, id: CHANGED };
                Msg::Line { session, change }
            }
            Message::Applied { session, lsn: at, missing: said, .. } => {
                Msg::Applied { session: of(session)?, lsn: lsn(*at)?, missing: missing(said) }
            }
            Message::Hot { session, lsn: at } => Msg::Hot { session: of(session)?, lsn: lsn(*at)? },
            Message::HotAck { session, lsn: at } => {
                Msg::HotAck { session: of(session)?, lsn: lsn(*at)? }
            }
            Message::Unreadable { session, lsn: at, .. } => {
                Msg::Unreadable { session: of(session)?, lsn: lsn(*at)? }
            }
            Message::Leave { session, why } => {
                Msg::Leave { session: of(session)?, keeps: keeps_at_leave(*why) }
            }
            Message::Left { session } => Msg::Left { session: of(session)? },
            Message::Down { session, .. } => Msg::Down { session: of(session)? },
            Message::Have { .. }
            | Message::Save { .. }
            | Message::Saved { .. }
            | Message::Keepalive { .. } => return Ok(None),
        }))
    }

    fn to_arbiter(&self, message: ToArbiter) -> Result<model::Msg, Unmapped> {
        use model::Msg;
        Ok(match message {
            ToArbiter::Hello { boot, hello: said } => {
                Msg::Hello { boot: self.boot(boot)?, hello: hello(said)? }
            }
            ToArbiter::Renew { boot, term: of, n, lsn: at, generation } => Msg::Renew {
                boot: self.boot(boot)?,
                term: term(of)?,
                n: small("Renew", n)?,
                lsn: lsn(at)?,
                generation: small("generation", generation)?,
            },
            ToArbiter::Decline { boot, term: of, hello: said } => {
                Msg::Decline { boot: self.boot(boot)?, term: term(of)?, hello: hello(said)? }
            }
            ToArbiter::SetRegister { term: of, counter, value } => Msg::SetRegister {
                term: term(of)?,
                counter: small("counter", counter.into())?,
                value: value.map(|value| self.eligible(value)).transpose()?,
            },
            ToArbiter::Release { term: of, lsn: at } => {
                Msg::Release { term: term(of)?, lsn: lsn(at)? }
            }
        })
    }

    fn to_unit(&self, message: ToUnit) -> Result<model::Msg, Unmapped> {
        use model::Msg;
        Ok(match message {
            ToUnit::Offer { boot, term: of, origin, bound, hello, generation } => Msg::Offer {
                boot: self.boot(boot)?,
                term: term(of)?,
                origin: self.origin(origin)?,
                bound: bound.map(lsn).transpose()?,
                hello: small("Hello", hello)?,
                generation: small("generation", generation)?,
            },
            ToUnit::Grant { boot, term: of, n, generation } => Msg::Grant {
                boot: self.boot(boot)?,
                term: term(of)?,
                n: small("Renew", n)?,
                generation: small("generation", generation)?,
            },
            ToUnit::Confirm { term: of, counter, generation } => Msg::Confirm {
                term: term(of)?,
                counter: small("counter", counter.into())?,
                generation: small("generation", generation)?,
            },
            ToUnit::Ask { boot, asked } => Msg::Ask { boot: self.boot(boot)?, asked: term(asked)? },
        })
    }
}

/// A number that the model holds in 16 bits.
///
/// # Errors
/// One that it cannot hold.
pub fn small(what: &str, number: u64) -> Result<u16, Unmapped> {
    u16::try_from(number).map_err(|_| Unmapped(format!("{what} {number} is beyond the model")))
}

/// A term.
///
/// # Errors
/// One that the model cannot hold.
pub fn term(term: Term) -> Result<model::Term, Unmapped> {
    small("term", term.0)
}

/// An LSN.
///
/// # Errors
/// One that the model cannot hold.
pub fn lsn(lsn: Lsn) -> Result<model::Lsn, Unmapped> {
    small("LSN", lsn.0)
}

/// A stamp.
///
/// # Errors
/// One that the model cannot hold.
pub fn stamp(stamp: Stamp) -> Result<model::Stamp, Unmapped> {
    Ok(model::Stamp { term: term(stamp.term)?, lsn: lsn(stamp.lsn)? })
}

/// What a unit says of its configs.
///
/// # Errors
/// A number that the model cannot hold.
pub fn said(said: Said) -> Result<model::Said, Unmapped> {
    Ok(model::Said {
        startup: stamp(said.startup)?,
        running: said.running.map(stamp).transpose()?,
        replica: said.replica.map(stamp).transpose()?,
    })
}

fn hello(hello: Hello) -> Result<model::Hello, Unmapped> {
    Ok(model::Hello {
        k: small("Hello", hello.k)?,
        highest: term(hello.highest)?,
        generation: small("generation", hello.generation)?,
        asked: term(hello.asked)?,
        said: said(hello.said)?,
    })
}

/// What becomes of a rejected snapshot.
pub const fn rejection(verdict: Verdict) -> model::Rejection {
    match verdict {
        Verdict::Reset => model::Rejection::Reset,
        Verdict::Rpr => model::Rejection::Rpr,
        Verdict::Simplex => model::Rejection::Simplex,
    }
}

/// Whether a Standby whose snapshot was rejected keeps its replica.
pub const fn keeps_at_reject(why: RejectWhy) -> model::Keeps {
    match why {
        RejectWhy::Policy => model::Keeps::Nothing,
        RejectWhy::Limit => model::Keeps::Replica,
    }
}

/// Whether a Standby whose session is left keeps its replica.
pub const fn keeps_at_leave(why: LeaveWhy) -> model::Keeps {
    if why.keeps_replica() { model::Keeps::Replica } else { model::Keeps::Nothing }
}

const fn have_of(have: DumpAtHand) -> model::Have {
    match have {
        DumpAtHand::SameImage => model::Have::SameImage,
        DumpAtHand::AtHand => model::Have::AtHand,
        DumpAtHand::Needed => model::Have::Needed,
    }
}

/// Whom a message is for.
pub const fn to(address: Address) -> model::To {
    match address {
        Address::Arbiter => model::To::Arbiter,
        Address::Unit(Slot(slot)) => model::To::Unit(slot),
    }
}

/// The message without what the engine's has not: a config's identity, how it travels, what a
/// change did beside.
pub const fn bare(msg: model::Msg) -> model::Msg {
    use model::Msg;
    match msg {
        Msg::Join { boot, n, .. } => {
            Msg::Join { boot, n, same_image: false, resets: 0, other: false }
        }
        Msg::Config { session, snapshot } => {
            Msg::Config { session, snapshot: model::Snapshot { cfg: model::Cfg(0), ..snapshot } }
        }
        Msg::Line { session, change } => {
            Msg::Line { session, change: model::Change { id: CHANGED, ..change } }
        }
        other => other,
    }
}

/// Whether the message stands for a file that travels in chunks: when its last chunk is sent is no
/// step of the model.
pub const fn is_file(msg: &model::Msg) -> bool {
    use model::Msg;
    matches!(msg, Msg::Dump { .. } | Msg::Diff { .. } | Msg::Chunk { .. })
}
