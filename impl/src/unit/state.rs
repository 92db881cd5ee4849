//! What a unit is whatever its part, and how a step speaks.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::env::{Env, PairingKey};
use super::input::{Boot, Timer};
use super::output::{Event, Outcome, Output};
use super::store::{Record, Store};
use crate::digest::Shared;
use crate::ids::{Attempt, BootId, CommandId, Slot, Term, WriteId};
use crate::message::{
    Address, Engine, Hello, JoinCall, Message, MessageKind, Said, Session, Stamp, ToArbiter,
    WireVersions,
};
use crate::planted::Defect;

/// Pairings that a unit remembers having been told of.
const MAX_PAIRED: usize = 16;

/// What a unit is whatever its part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitState {
    /// Its place in the chassis.
    pub slot: Slot,
    /// Its boot.
    pub boot: BootId,
    /// Whether it lost its disk.
    pub lost_disk: bool,
    /// The highest term that it has seen.
    pub highest: Term,
    /// The highest term that is on its disk for certain.
    pub durable: Term,
    /// What it boots.
    pub store: Store,
    /// Ordered resets that it counts.
    pub resets: u32,
    /// Its latest round of joining.
    pub n: Attempt,
    /// Number of its latest Hello in this boot; a Decline carries one, too.
    pub hello_k: u64,
    /// Number of the first Hello that said what the unit says now.
    pub said_since: u64,
    /// The latest generation of the arbiter's state that it has seen in this boot.
    pub generation: u64,
    /// The latest Ask of the arbiter that it heard in this boot.
    pub asked: Term,
    /// Pairings that it was told of in this boot.
    pub paired: BTreeSet<PairingKey>,
    /// Writes under way.
    pub writes: BTreeMap<WriteId, Write>,
    /// The last write.
    pub last_write: WriteId,
}

/// What a write under way is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Write {
    /// The highest term; a holder does not act before it is written, or refused.
    Highest(Term),
    /// The ordered resets; the next Join waits for it.
    Resets,
    /// The startup store, for the unit's own operator.
    OwnSave(Store),
    /// The startup store, for the Active's operator.
    PeerSave {
        /// What is written.
        store: Store,
        /// The session that asked.
        session: Session,
        /// The number of the save.
        save: u32,
    },
}

impl UnitState {
    /// A unit that starts.
    pub(super) fn new(slot: Slot, boot: &Boot) -> Self {
        let nothing = || Shared::new(Vec::new());
        let factory = || Store {
            text: Shared::text(""),
            stamp: Stamp::default(),
            listing: nothing(),
            origin: nothing(),
        };
        let stored = boot.store.as_ref().map_or(Term(0), |store| store.stamp.term);
        // A store's term was seen, though its own write may have been lost.
        let highest = boot.highest.max(stored);
        Self {
            slot,
            boot: boot.boot,
            lost_disk: boot.lost_disk,
            highest,
            durable: highest,
            store: boot.store.clone().unwrap_or_else(factory),
            resets: boot.resets,
            n: Attempt(0),
            hello_k: 0,
            said_since: 1,
            generation: 0,
            asked: Term(0),
            paired: BTreeSet::new(),
            writes: BTreeMap::new(),
            last_write: WriteId(0),
        }
    }

    /// A newer term was seen.
    pub(super) fn see(&mut self, term: Term, cx: &mut Context<'_, '_>) {
        assert!(term >= self.highest, "the highest term grows");
        if term > self.highest {
            self.highest = term;
            self.write_highest(cx);
        }
    }

    fn write_highest(&mut self, cx: &mut Context<'_, '_>) {
        let term = self.highest;
        self.persist(Write::Highest(term), Record::Highest(term), cx);
    }

    /// Whether a term is being written: after a failure now nobody would know that it was seen.
    pub(super) fn is_writing_highest(&self) -> bool {
        let mut writes = self.writes.values();
        writes.any(|write| matches!(write, Write::Highest(_)))
    }

    /// What the disk refused is written again.
    pub(super) fn write_highest_again(&mut self, cx: &mut Context<'_, '_>) {
        if self.durable < self.highest && !self.is_writing_highest() {
            self.write_highest(cx);
        }
    }

    /// Starts a write.
    pub(super) fn persist(&mut self, write: Write, record: Record, cx: &mut Context<'_, '_>) {
        self.last_write = WriteId(self.last_write.0 + 1);
        self.writes.insert(self.last_write, write);
        cx.out.push(Output::Persist { write: self.last_write, record });
    }

    /// Counts an ordered reset.
    pub(super) fn count_reset(&mut self, cx: &mut Context<'_, '_>) {
        if !cx.env.planted(Defect::ResetsUncounted) {
            self.resets += 1;
        }
        self.persist(Write::Resets, Record::Resets(self.resets), cx);
    }

    /// Learns how many ordered resets the Active counts: a takeover forgets none, and revives none
    /// that were forgiven.
    pub(super) fn learn_resets(&mut self, counted: u32, cx: &mut Context<'_, '_>) {
        if counted != self.resets {
            self.resets = counted;
            self.persist(Write::Resets, Record::Resets(counted), cx);
        }
    }

    /// Forgets ordered resets.
    pub(super) fn forget_resets(&mut self, cx: &mut Context<'_, '_>) {
        self.learn_resets(0, cx);
    }

    /// Remembers that a pairing was computed for this unit.
    pub(super) fn remember(&mut self, key: PairingKey) {
        if self.paired.len() >= MAX_PAIRED {
            self.paired.pop_first();
        }
        self.paired.insert(key);
    }

    /// Asks every other slot for a session. Waits for the count of resets to be durable.
    pub(super) fn send_join(&self, cx: &mut Context<'_, '_>) {
        if self.writes.values().all(|write| *write != Write::Resets) {
            let call = JoinCall {
                boot: self.boot,
                n: self.n,
                lost_disk: self.lost_disk,
                highest: self.highest,
                wire: WireVersions::OURS,
                image: cx.env.software.digest(),
                resets: self.resets,
                engine: Engine::OURS,
                bounds: cx.env.limits.bounds(),
            };
            for slot in cx.env.limits.others(self.slot) {
                cx.send(slot, Message::Join(call));
            }
        }
        cx.set(Timer::Join);
    }

    /// Says that the unit is there, and what it has.
    pub(super) fn send_hello(&mut self, said: Said, cx: &mut Context<'_, '_>) {
        let (boot, hello) = (self.boot, self.next_hello(said));
        cx.tell(ToArbiter::Hello { boot, hello });
        cx.set(Timer::Hello);
    }

    /// Refuses a term, and says what the unit has.
    pub(super) fn decline(&mut self, term: Term, said: Said, cx: &mut Context<'_, '_>) {
        let (boot, hello) = (self.boot, self.next_hello(said));
        cx.tell(ToArbiter::Decline { boot, term, hello });
    }

    fn next_hello(&mut self, said: Said) -> Hello {
        self.hello_k += 1;
        let Self { hello_k: k, highest, generation, asked, .. } = *self;
        Hello { k, highest, generation, asked, said }
    }

    /// What the unit says of its configs, if it runs this one, or has this replica.
    pub(super) const fn says(&self, running: Option<Stamp>, replica: Option<Stamp>) -> Said {
        Said { startup: self.store.stamp, running, replica }
    }

    /// Whether `session` answers the round of joining that this unit is waiting with.
    pub(super) fn waits_for(&self, session: Session) -> bool {
        session.term >= self.highest && session.standby == self.boot && session.attempt == self.n
    }
}

/// Whether a message is of this session.
pub(super) fn is_of(ours: Session, message: &Message, cx: &Context<'_, '_>) -> bool {
    let Some(session) = message.session() else {
        return false;
    };
    let other_attempt = Session { attempt: ours.attempt, ..session } == ours;
    session == ours
        || (other_attempt && cx.env.planted(Defect::AttemptUnchecked))
        || (matches!(message, Message::Line { .. }) && cx.env.planted(Defect::LineSessionUnchecked))
        || (matches!(message, Message::Chunk { .. })
            && cx.env.planted(Defect::ChunkSessionUnchecked))
}

/// Whether a Grant echoes a Renew that was sent and not granted yet.
pub(super) fn echoes(granted: u64, n: u64, n_renew: u64, cx: &Context<'_, '_>) -> bool {
    (granted < n && n <= n_renew) || cx.env.planted(Defect::GrantUnasked)
}

/// A step's surroundings and its outputs.
pub(super) struct Context<'a, 'e> {
    pub(super) env: &'a Env<'e>,
    pub(super) out: &'a mut Vec<Output>,
}

impl Context<'_, '_> {
    /// To the unit in a slot.
    pub(super) fn send(&mut self, to: Slot, message: Message) {
        self.out.push(Output::Send { to: Address::Unit(to), message });
    }

    /// To the arbiter.
    pub(super) fn tell(&mut self, message: ToArbiter) {
        let message = Message::ToArbiter(message);
        self.out.push(Output::Send { to: Address::Arbiter, message });
    }

    pub(super) fn set(&mut self, timer: Timer) {
        self.out.push(Output::SetTimer(timer));
    }

    /// Arms the timer Resend once it has fired.
    pub(super) fn rearm_resend(&mut self) {
        if !self.env.planted(Defect::ResendOnce) {
            self.set(Timer::Resend);
        }
    }

    pub(super) fn cancel(&mut self, timers: &[Timer]) {
        self.out.extend(timers.iter().map(|timer| Output::CancelTimer(*timer)));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    pub(super) fn ignore(&mut self, kind: MessageKind) {
        self.out.push(Output::Event(Event::Ignored { kind }));
    }

    pub(super) fn answer(&mut self, id: CommandId, outcome: Outcome) {
        self.out.push(Output::Answer { id, outcome });
    }
}
