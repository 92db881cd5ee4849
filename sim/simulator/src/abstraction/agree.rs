//! Whether a machine of the engine is where the model's is: field by field, in the model's words.

use std::fmt;

use skewsync::message::{Session, Stamp};
use skewsync::unit::peer::{ActivePhase as PeerPhase, ActiveSession};
use skewsync::unit::queue::Queue;
use skewsync::unit::standby::{Readiness, StandbyPhase as SeatPhase, StandbySession};
use skewsync::unit::{Active, Arbiter, Command, Holder, Role, Standby, Unit};
use skewsync_model::action::Durability;
use skewsync_model::state as model;

use super::{Boots, CHANGED, Unmapped, keeps_at_leave, keeps_at_reject, rejection, stamp};

/// Where the two are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field, in the model's words.
    pub field: &'static str,
    /// What the engine has.
    pub engine: String,
    /// What the model has.
    pub model: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, engine, model } = self;
        write!(f, "{field} is {engine} in the engine, and {model} in the model")
    }
}

impl From<Unmapped> for Difference {
    fn from(Unmapped(what): Unmapped) -> Self {
        Self { field: "abstraction", engine: what, model: "no word for it".into() }
    }
}

fn same<T: PartialEq + fmt::Debug>(
    field: &'static str,
    engine: &T,
    model: &T,
) -> Result<(), Difference> {
    if engine == model {
        return Ok(());
    }
    Err(Difference { field, engine: format!("{engine:?}"), model: format!("{model:?}") })
}

fn number(field: &'static str, engine: u64, model: u16) -> Result<(), Difference> {
    same(field, &engine, &u64::from(model))
}

fn apart(field: &'static str, engine: impl fmt::Debug, model: impl fmt::Debug) -> Difference {
    Difference { field, engine: format!("{engine:?}"), model: format!("{model:?}") }
}

fn session(
    field: &'static str,
    engine: Option<Session>,
    model: Option<model::Session>,
    boots: &Boots,
) -> Result<(), Difference> {
    let engine = engine.map(|session| boots.session(session)).transpose()?;
    same(field, &engine, &model)
}

/// Whether the arbiter is where the model's is.
///
/// # Errors
/// The first field that differs.
pub fn arbiter(engine: &Arbiter, model: &model::Arbiter, boots: &Boots) -> Result<(), Difference> {
    number("arbiter term", engine.term.0, model.term)?;
    let offer = engine.offer.map(|offer| {
        Ok::<_, Unmapped>(model::Offer {
            term: super::term(offer.term)?,
            slot: offer.slot.0,
            boot: boots.boot(offer.boot)?,
            origin: boots.origin(offer.origin)?,
            bound: offer.bound.map(super::lsn).transpose()?,
            hello: super::small("Hello", offer.hello)?,
            held: super::term(offer.held)?,
        })
    });
    same("offer", &offer.transpose()?, &model.offer)?;
    let holder = engine.holder.map(|holder| {
        Ok::<_, Unmapped>(model::Grantee {
            slot: holder.slot.0,
            boot: boots.boot(holder.boot)?,
            term: super::term(holder.term)?,
            running: holder.lease == skewsync::unit::arbiter::Lease::Running,
        })
    });
    same("holder", &holder.transpose()?, &model.holder)?;
    let register = engine.register.map(|value| boots.eligible(value));
    same("register", &register.transpose()?, &model.register)?;
    number("register's counter", engine.counter.into(), model.counter)?;
    number("last cold term", engine.cold.0, model.cold)?;
    number("floor", engine.floor.0, model.floor)?;
    number("generation", engine.generation, model.generation)?;
    let lost = engine.lost.map(|lost| {
        let (began, seen) = (super::term(lost.began)?, super::term(lost.seen)?);
        Ok::<_, Unmapped>(model::Lost { began, seen })
    });
    same("lost", &lost.transpose()?, &model.lost)?;
    let found = engine.found.map(|found| {
        let (last, began) = (super::term(found.last)?, super::term(found.began)?);
        Ok::<_, Unmapped>(model::Found { last, began })
    });
    same("found", &found.transpose()?, &model.found)?;
    let asked = engine.asked.map(super::term);
    same("asked", &asked.transpose()?, &model.asked)?;
    let heard = engine.heard.iter().fold(0, |bits, slot| bits | 1 << slot.0);
    same("heard", &heard, &model.heard)?;
    same("silent", &engine.silent, &model.silent)?;
    let entries = engine.line.iter();
    let line = || entries.clone().map(|each| (each.term.0, each.from.0));
    let lines = model.line.iter();
    if !line().eq(lines.map(|(term, from)| (u64::from(*term), u64::from(*from)))) {
        return Err(apart("line", line().collect::<Vec<_>>(), &model.line));
    }
    for (slot, model) in (0u8..).zip(&model.known) {
        let known = engine.known.get(&skewsync::ids::Slot(slot)).map(|known| {
            Ok::<_, Unmapped>(model::Known {
                boot: boots.boot(known.boot)?,
                k: super::small("Hello", known.hello)?,
                said: known.said.map(super::said).transpose()?,
            })
        });
        same("known", &known.transpose()?, model)?;
    }
    same("gathering", &engine.gathering, &model.gathering)
}

/// Whether a unit is where the model's is.
///
/// # Errors
/// The first field that differs.
pub fn unit(engine: &Unit, model: &model::Unit, boots: &Boots) -> Result<(), Difference> {
    match (&engine.part, &model.part) {
        (Role::Standby(engine), model::Role::Standby(model)) => standby(engine, model, boots)?,
        (Role::Holder(engine), model::Role::Holder(model)) => holder(engine, model, boots)?,
        (Role::Active(engine), model::Role::Active(model)) => active(engine, model, boots)?,
        (engine, model) => {
            let engine = match engine {
                Role::Standby(_) => "Standby",
                Role::Holder(_) => "Holder",
                Role::Active(_) => "Active",
            };
            return Err(Difference {
                field: "part",
                engine: engine.into(),
                model: format!("{model:?}"),
            });
        }
    }
    number("boot", boots.boot(engine.own.boot)?.into(), model.boot)?;
    number("highest", engine.own.highest.0, model.highest)?;
    number("n", engine.own.n.0.into(), model.n)?;
    number("Hello", engine.own.hello_k, model.k)?;
    number("said since", engine.own.said_since, model.since)?;
    number("asked", engine.own.asked.0, model.asked)?;
    same("startup", &stamp(engine.own.store.stamp)?, &model.startup.0)
}

fn standby(engine: &Standby, model: &model::Standby, boots: &Boots) -> Result<(), Difference> {
    let seat_of = engine.seat.as_ref().map(|seat| seat.session);
    session("session", seat_of, model.seat.as_ref().map(|(session, _)| *session), boots)?;
    if let (Some(seat), Some((_, phase))) = (&engine.seat, &model.seat) {
        phase_of_seat(seat, phase)?;
    }
    let received = engine.replica.as_ref().map(|replica| Held {
        stamp: replica.stamp(),
        session: Some(replica.session),
        readiness: replica.readiness,
    });
    // What a unit acted with before is a replica unless it is kept to be compared only.
    let former = engine.former.as_ref().map(|former| Held {
        stamp: former.stamp,
        session: None,
        readiness: former.readiness,
    });
    let former = former.filter(|former| former.readiness == Readiness::Ready);
    match (received.or(former), &model.replica) {
        (None, None) => Ok(()),
        (Some(engine), Some(model)) => {
            session("replica's session", engine.session, model.session, boots)?;
            same("replica", &stamp(engine.stamp)?, &model.stamp())?;
            let declared = engine.readiness == Readiness::Declared;
            same("declared", &declared, &model.declared)
        }
        (engine, model) => Err(apart("replica", engine.is_some(), model.is_some())),
    }
}

/// What a Standby can take over with.
struct Held {
    stamp: Stamp,
    session: Option<Session>,
    readiness: Readiness,
}

fn phase_of_seat(seat: &StandbySession, model: &model::StandbyPhase) -> Result<(), Difference> {
    use model::{Have, StandbyPhase};
    use skewsync::message::DumpAtHand;
    let lines = |field, engine: &mut dyn Iterator<Item = u64>, model: &[model::Change]| {
        let engine: Vec<u64> = engine.collect();
        let model: Vec<u64> = model.iter().map(|change| change.lsn.into()).collect();
        same(field, &engine, &model)
    };
    match (&seat.phase, model) {
        (
            SeatPhase::Ready { have: DumpAtHand::SameImage, .. },
            StandbyPhase::Ready(Have::SameImage),
        )
        | (
            SeatPhase::Ready { have: DumpAtHand::Needed, .. } | SeatPhase::Dump(_),
            StandbyPhase::Ready(Have::Needed),
        )
        | (SeatPhase::Pairing, StandbyPhase::Pairing)
        | (SeatPhase::Diffed { at_hand: true, .. }, StandbyPhase::Diffed(Have::AtHand))
        | (SeatPhase::Diffed { at_hand: false, .. }, StandbyPhase::Diffed(Have::Needed))
        | (SeatPhase::Rpr, StandbyPhase::Rpr)
        | (SeatPhase::Held, StandbyPhase::Held) => Ok(()),
        (SeatPhase::Config { header, file }, StandbyPhase::Config(announced, have)) => {
            let engine = header.map(|header| header.lsn.0);
            let model = announced.map(|snapshot| u64::from(snapshot.lsn));
            same("announced snapshot", &engine, &model)?;
            let whole = file.as_ref().is_some_and(|file| file.whole().is_some());
            same("snapshot is whole", &whole, &(*have != 0))
        }
        (SeatPhase::Shadow(shadow), StandbyPhase::Shadow(snapshot, kept)) => {
            number("shadow", shadow.lsn.0, snapshot.lsn)?;
            lines("kept", &mut shadow.kept.keys().map(|lsn| lsn.0), kept)
        }
        (SeatPhase::Synced { kept: early, hot }, StandbyPhase::Synced(kept, waits)) => {
            lines("kept", &mut early.keys().map(|lsn| lsn.0), kept)?;
            same("h", &hot.map(|lsn| lsn.0), &waits.map(u64::from))
        }
        (SeatPhase::Unread { lsn, .. }, StandbyPhase::Unread(model)) => {
            number("unread", lsn.0, *model)
        }
        (engine, model) => {
            let engine = match engine {
                SeatPhase::Ready { .. } => "Ready",
                SeatPhase::Dump(_) => "Dump",
                SeatPhase::Pairing => "Pairing",
                SeatPhase::Diffed { .. } => "Diffed",
                SeatPhase::Config { .. } => "Config",
                SeatPhase::Shadow(_) => "Shadow",
                SeatPhase::Synced { .. } => "Synced",
                SeatPhase::Unread { .. } => "Unread",
                SeatPhase::Rpr => "Rpr",
                SeatPhase::Held => "Held",
            };
            Err(apart("Standby's phase", engine, model))
        }
    }
}

fn holder(engine: &Holder, model: &model::Holder, boots: &Boots) -> Result<(), Difference> {
    number("term", engine.term.0, model.term)?;
    number("Renew", engine.n_renew, model.renew)?;
    number("granted", engine.granted, model.granted)?;
    let released = engine.lease == skewsync::unit::holder::LeaseWait::Released;
    same("released", &released, &model.released)?;
    let runs = engine.suspended.is_some() || engine.origin != skewsync::message::Origin::Cold;
    same("runs", &runs, &model.runs)?;
    number("last", engine.lsn.0, model.lsn)?;
    let refuses = engine.queueing == skewsync::unit::holder::Queueing::Closed;
    same("refuses", &refuses, &model.refuses)?;
    queue(&engine.queue, &model.queue)?;
    match (&engine.suspended, &model.suspended) {
        (None, None) => Ok(()),
        (Some(engine), Some(model)) => active(engine, model, boots),
        (engine, model) => Err(apart("suspended", engine.is_some(), model.is_some())),
    }
}

fn active(engine: &Active, model: &model::Active, boots: &Boots) -> Result<(), Difference> {
    number("term", engine.term().0, model.term)?;
    let (renew, granted) = engine.renewals();
    number("Renew", renew, model.renew)?;
    number("granted", granted, model.granted)?;
    number("last", engine.last().0, model.last)?;
    let register = engine.register();
    number("counter", register.counter().into(), model.register.counter)?;
    let value = register.value().map(|value| boots.eligible(value));
    same("register", &value.transpose()?, &model.register.value)?;
    same("register is open", &register.is_open(), &model.register.open)?;
    let offered = engine.peer().offered().map(|offered| offered.session);
    session("offered", offered, model.offered, boots)?;
    let leaving = engine.peer().leaving();
    let of = leaving.map(|leaving| leaving.session);
    session("leaving", of, model.leaving.map(|(session, _)| session), boots)?;
    let keeps = leaving.map(|leaving| keeps_at_leave(leaving.why));
    same("leaving", &keeps, &model.leaving.map(|(_, keeps)| keeps))?;
    let ended = engine.peer().ended().map(|round| {
        let n = u16::try_from(round.n.0).map_err(|_| Unmapped(format!("attempt {}", round.n)));
        Ok::<_, Unmapped>((boots.boot(round.boot)?, n?))
    });
    same("ended", &ended.transpose()?, &model.ended)?;
    prompts(engine, model)?;
    number("unreplicated", engine.prompts().unreplicated().0, model.unreplicated)?;
    same("draining", &engine.drains(), &model.draining)?;
    queue(engine.queue(), &model.queue)?;
    number("attempts", engine.mode().attempts().into(), model.attempts)?;
    same("pacing", &engine.mode().is_pausing(), &model.pacing)?;
    let current_of = engine.peer().current().map(ActiveSession::session);
    let of_model = model.current.as_ref().map(|current| current.session);
    session("session", current_of, of_model, boots)?;
    match (engine.peer().current(), &model.current) {
        (Some(engine), Some(model)) => current(engine, model),
        _ => Ok(()),
    }
}

/// How many commands wait, and for what their prompts will; which they are is the lockstep's.
fn queue(engine: &Queue, model: &[model::Queued]) -> Result<(), Difference> {
    let waits = |command: &Command| match command.durability {
        skewsync::unit::Durability::Acked => Durability::Acked,
        skewsync::unit::Durability::Async => Durability::Async,
    };
    let engine: Vec<Durability> = engine.iter().map(waits).collect();
    let model: Vec<Durability> = model.iter().map(|queued| queued.durability).collect();
    same("queue", &engine, &model)
}

fn prompts(engine: &Active, model: &model::Active) -> Result<(), Difference> {
    let held = || {
        let all = engine.prompts().held().iter();
        all.flat_map(|(lsn, prompts)| {
            let made = |prompt: &skewsync::unit::prompts::Prompt| {
                matches!(prompt.change, skewsync::unit::prompts::PromptKind::Made { .. })
            };
            prompts.iter().map(move |prompt| (lsn.0, made(prompt)))
        })
    };
    let theirs = model.prompts.iter();
    if held().eq(theirs.map(|prompt| (u64::from(prompt.lsn), prompt.made))) {
        return Ok(());
    }
    Err(apart("prompts", held().collect::<Vec<_>>(), &model.prompts))
}

fn current(engine: &ActiveSession, model: &model::ActiveSession) -> Result<(), Difference> {
    phase_of_peer(engine.phase(), model.phase)?;
    number("acked", engine.acked().0, model.acked)?;
    same("missing", &super::missing(engine.missing()), &model.missing)?;
    number("h", engine.h().0, model.hot_at)?;
    same("counted", &engine.is_counted(), &model.counted)?;
    let journal = || engine.journal().lsns().map(|lsn| lsn.0);
    let theirs = model.journal.iter();
    let known = theirs.clone().all(|change| change.id == CHANGED);
    if known && journal().eq(theirs.map(|change| u64::from(change.lsn))) {
        return Ok(());
    }
    Err(apart("journal", journal().collect::<Vec<_>>(), &model.journal))
}

fn phase_of_peer(engine: &PeerPhase, model: model::Phase) -> Result<(), Difference> {
    use model::Phase;
    match (engine, model) {
        (PeerPhase::Dump(_), Phase::Dump)
        | (PeerPhase::Diff(_), Phase::Diff)
        | (PeerPhase::Pairing, Phase::Pairing)
        | (PeerPhase::Config, Phase::Config)
        | (PeerPhase::Cold, Phase::Cold)
        | (PeerPhase::HotSent, Phase::HotSent)
        | (PeerPhase::HotAcked, Phase::HotAcked)
        | (PeerPhase::Setting, Phase::Setting)
        | (PeerPhase::Hot, Phase::Hot)
        | (PeerPhase::Held, Phase::Held) => Ok(()),
        (PeerPhase::Bulk(bulk), Phase::Bulk(snapshot)) => {
            number("snapshot", bulk.lsn.0, snapshot.lsn)
        }
        (PeerPhase::Rejected { lsn, verdict, why }, Phase::Rejected(judged, rejected, keeps)) => {
            number("rejected snapshot", lsn.0, judged)?;
            let engine = (rejection(*verdict), keeps_at_reject(*why));
            same("rejection", &engine, &(rejected, keeps))
        }
        (engine, model) => {
            let engine = match engine {
                PeerPhase::Dump(_) => "Dump",
                PeerPhase::Diff(_) => "Diff",
                PeerPhase::Pairing => "Pairing",
                PeerPhase::Config => "Config",
                PeerPhase::Bulk(_) => "Bulk",
                PeerPhase::Cold => "Cold",
                PeerPhase::HotSent => "HotSent",
                PeerPhase::HotAcked => "HotAcked",
                PeerPhase::Setting => "Setting",
                PeerPhase::Hot => "Hot",
                PeerPhase::Rejected { .. } => "Rejected",
                PeerPhase::Held => "Held",
            };
            Err(apart("Active's phase", engine, model))
        }
    }
}
