//! The network between two slots and the arbiter. Each message has a name. Its outcome and its
//! latency are drawn from the plan's `world` and that name, so that one fault less moves no other
//! message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use skewsync::message::{Address, MessageKind as Kind};

use crate::hash::mix;
use crate::plan::{FaultKind, FaultName, MessageId, Noise};

/// Messages that a clogged link holds at most; later ones are lost.
pub const CLOGGED_MAX: usize = 1_024;

/// Bytes on their way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The message's name.
    pub id: MessageId,
    /// Which copy: 0 is the message itself.
    pub copy: u8,
    /// Its number among all that was sent in the run, the same for all copies.
    pub number: u64,
    /// The fault that takes effect where this packet arrives.
    pub arrives_by: Option<FaultName>,
    /// The frame.
    pub bytes: Arc<[u8]>,
}

/// What became of a message as it was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkOutcome {
    /// The fault of the message.
    pub fault: Option<FaultName>,
    /// Whether a cut took it.
    pub cut: bool,
}

/// A cut or a clog of links: its number among all of the run.
pub type Barrier = u64;

/// All links.
#[derive(Debug)]
pub struct Links {
    world: u64,
    latency_us: (u64, u64),
    noise: Noise,
    sent: u64,
    ordinals: BTreeMap<(Address, Address, Kind, u32), u32>,
    cuts: BTreeMap<(Address, Address), Vec<Barrier>>,
    clogs: BTreeMap<(Address, Address), Vec<Barrier>>,
    /// The links with a cut or a clog.
    barred: BTreeSet<(Address, Address)>,
    /// The greatest number that arrived on each link.
    newest: BTreeMap<(Address, Address), u64>,
    waiting: BTreeMap<(Address, Address), VecDeque<Packet>>,
}

impl Links {
    /// Links of a plan.
    pub fn new(world: u64, latency_us: (u64, u64), noise: Noise) -> Self {
        assert!(latency_us.0 >= 1_000, "madsim's timers are no finer than a millisecond");
        assert!(latency_us.0 <= latency_us.1, "a range runs forward");
        Self {
            world,
            latency_us,
            noise,
            sent: 0,
            ordinals: BTreeMap::new(),
            cuts: BTreeMap::new(),
            clogs: BTreeMap::new(),
            barred: BTreeSet::new(),
            newest: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Outcomes and latencies are drawn from another world from now on.
    pub const fn reseed(&mut self, world: u64) {
        self.world = world;
    }

    /// The name of the next message of this kind on this link.
    pub fn name(&mut self, from: Address, to: Address, kind: Kind, attempt: u32) -> MessageId {
        let ordinal = self.ordinals.entry((from, to, kind, attempt)).or_insert(0);
        *ordinal += 1;
        MessageId { from, to, kind, attempt, ordinal: *ordinal }
    }

    /// Sends a frame: the copies that will arrive, each with its delay in microseconds, and the
    /// outcome. `aimed` is the fault that the plan anchors at this very message.
    pub fn send(
        &mut self,
        id: MessageId,
        bytes: Vec<u8>,
        aimed: Option<&FaultKind>,
        out: &mut Vec<(u64, Packet)>,
    ) -> LinkOutcome {
        self.sent += 1;
        let number = self.sent;
        let cut = self.cuts.contains_key(&(id.from, id.to));
        if cut {
            return LinkOutcome { fault: None, cut };
        }
        let noise = aimed.is_none().then(|| self.noise_at(id)).flatten();
        let fault = aimed.or(noise.as_ref());
        let outcome = LinkOutcome { fault: fault.map(FaultName::from), cut };
        let latency = self.between(id, 1, self.latency_us.0, self.latency_us.1);
        let packet = |copy: u8, bytes: Vec<u8>| Packet {
            id,
            copy,
            number,
            arrives_by: None,
            bytes: bytes.into(),
        };
        match fault {
            None => out.push((latency, packet(0, bytes))),
            Some(FaultKind::Lose) => {}
            Some(FaultKind::Duplicate { later_ms } | FaultKind::Hold { later_ms }) => {
                let first = packet(0, bytes);
                out.push((
                    latency + later_ms * 1_000,
                    Packet { copy: 1, arrives_by: outcome.fault, ..first.clone() },
                ));
                out.push((latency, first));
            }
            Some(FaultKind::Delay { later_ms }) => {
                out.push((latency + later_ms * 1_000, packet(0, bytes)));
            }
            Some(FaultKind::Reorder { later_ms }) => {
                let late = Packet { arrives_by: outcome.fault, ..packet(0, bytes) };
                out.push((latency + later_ms * 1_000, late));
            }
            Some(FaultKind::Corrupt { bit }) => {
                let mut bytes = bytes;
                let bits = bytes.len() * 8;
                if bits > 0 {
                    let bit = *bit as usize % bits;
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                out.push((latency, packet(0, bytes)));
            }
            Some(other) => unreachable!("a plan aims no {other:?} at a message"),
        }
        outcome
    }

    /// A packet has arrived: true if it is to be delivered now, false if a clog keeps it.
    pub fn arrives(&mut self, packet: &Packet) -> bool {
        let link = (packet.id.from, packet.id.to);
        if !self.clogs.contains_key(&link) {
            return true;
        }
        let waiting = self.waiting.entry(link).or_default();
        if waiting.len() < CLOGGED_MAX {
            waiting.push_back(packet.clone());
        }
        false
    }

    /// Notes that a packet came to its receiver: whether one that was sent later on its link came
    /// before it.
    pub fn overtaken(&mut self, packet: &Packet) -> bool {
        let link = (packet.id.from, packet.id.to);
        let newest = self.newest.entry(link).or_insert(0);
        let overtaken = packet.number < *newest;
        *newest = packet.number.max(*newest);
        overtaken
    }

    /// Nothing passes on this link, from now on; cuts of one link add up.
    pub fn cut(&mut self, from: Address, to: Address, barrier: Barrier) {
        self.cuts.entry((from, to)).or_default().push(barrier);
        self.barred.insert((from, to));
    }

    /// Takes a cut away.
    pub fn heal(&mut self, from: Address, to: Address, barrier: Barrier) {
        take_away(&mut self.cuts, (from, to), barrier);
        self.opens((from, to));
    }

    /// A link is barred no more, if nothing bars it.
    fn opens(&mut self, link: (Address, Address)) {
        if !(self.cuts.contains_key(&link) || self.clogs.contains_key(&link)) {
            self.barred.remove(&link);
        }
    }

    /// What arrives on this link waits, from now on; clogs of one link add up.
    pub fn clog(&mut self, from: Address, to: Address, barrier: Barrier) {
        self.clogs.entry((from, to)).or_default().push(barrier);
        self.barred.insert((from, to));
    }

    /// The cuts and clogs of a link.
    pub fn barriers(&self, from: Address, to: Address) -> impl Iterator<Item = Barrier> + '_ {
        let on = |of: &BTreeMap<_, Vec<Barrier>>| of.get(&(from, to)).cloned().unwrap_or_default();
        on(&self.cuts).into_iter().chain(on(&self.clogs))
    }

    /// Takes a clog away: what waited, if it was the last.
    pub fn unclog(&mut self, from: Address, to: Address, barrier: Barrier) -> VecDeque<Packet> {
        take_away(&mut self.clogs, (from, to), barrier);
        self.opens((from, to));
        if self.clogs.contains_key(&(from, to)) {
            return VecDeque::new();
        }
        self.waiting.remove(&(from, to)).unwrap_or_default()
    }

    /// Messages have no faults from now on; what waited.
    pub fn quiet(&mut self) -> Vec<Packet> {
        self.noise = Noise::default();
        self.cuts.clear();
        self.clogs.clear();
        self.barred.clear();
        std::mem::take(&mut self.waiting).into_values().flatten().collect()
    }

    /// Messages sent in all.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// The links on which no frame passes and arrives now.
    pub const fn barred(&self) -> &BTreeSet<(Address, Address)> {
        &self.barred
    }

    /// The fault that the noise gives to the message of this name.
    pub fn noise_at(&self, id: MessageId) -> Option<FaultKind> {
        let noise = &self.noise;
        let rates = noise.rates();
        if rates.iter().all(|(_, rate)| *rate == 0) {
            return None;
        }
        let later_ms = self.between(id, 3, 1, noise.late_ms_max.max(1));
        let mut drawn = self.between(id, 2, 0, 999) as u32;
        for (name, rate) in rates {
            if drawn < rate {
                return Some(match name {
                    FaultName::Duplicate => FaultKind::Duplicate { later_ms },
                    FaultName::Delay => FaultKind::Delay { later_ms },
                    FaultName::Corrupt => FaultKind::Corrupt { bit: self.draw(id, 4) as u32 },
                    FaultName::Reorder => FaultKind::Reorder { later_ms },
                    FaultName::Hold => {
                        let later_ms = self.between(id, 5, 1, noise.hold_ms_max.max(1));
                        FaultKind::Hold { later_ms }
                    }
                    _ => FaultKind::Lose,
                });
            }
            drawn -= rate;
        }
        None
    }

    fn between(&self, id: MessageId, purpose: u64, least: u64, most: u64) -> u64 {
        least + self.draw(id, purpose) % (most - least + 1)
    }

    /// A number that only the world, the message's name and the purpose decide.
    fn draw(&self, id: MessageId, purpose: u64) -> u64 {
        let place = |address: Address| match address {
            Address::Arbiter => 255,
            Address::Unit(slot) => u64::from(slot.0),
        };
        let link = place(id.from) << 8 | place(id.to);
        let name = link << 16 | (id.kind as u64) << 8 | purpose;
        let count = u64::from(id.attempt) << 32 | u64::from(id.ordinal);
        mix(mix(self.world ^ mix(name)) ^ count)
    }
}

fn take_away(
    barriers: &mut BTreeMap<(Address, Address), Vec<Barrier>>,
    link: (Address, Address),
    barrier: Barrier,
) {
    if let Some(on) = barriers.get_mut(&link) {
        on.retain(|other| *other != barrier);
        if on.is_empty() {
            barriers.remove(&link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewsync::ids::Slot;

    const A: Address = Address::Unit(Slot(0));
    const B: Address = Address::Unit(Slot(1));

    fn links(noise: Noise) -> Links {
        Links::new(5, (1_000, 9_000), noise)
    }

    fn sent(links: &mut Links, aimed: Option<&FaultKind>) -> Vec<(u64, Packet)> {
        let id = links.name(A, B, Kind::Line, 1);
        let mut out = Vec::new();
        links.send(id, vec![0; 8], aimed, &mut out);
        out
    }

    #[test]
    fn a_message_arrives_once_after_a_millisecond_or_more() {
        let mut links = links(Noise::default());
        for ordinal in 1..100 {
            let out = sent(&mut links, None);
            assert_eq!(out.len(), 1);
            assert!((1_000..=9_000).contains(&out[0].0));
            assert_eq!(out[0].1.id.ordinal, ordinal);
        }
    }

    #[test]
    fn a_lost_message_does_not_arrive_and_a_duplicate_arrives_twice() {
        let mut links = links(Noise::default());
        assert!(sent(&mut links, Some(&FaultKind::Lose)).is_empty());
        assert_eq!(sent(&mut links, Some(&FaultKind::Duplicate { later_ms: 3 })).len(), 2);
    }

    #[test]
    fn a_corrupt_message_differs_in_one_bit() {
        let mut links = links(Noise::default());
        let out = sent(&mut links, Some(&FaultKind::Corrupt { bit: 11 }));
        let flipped: u32 = out[0].1.bytes.iter().map(|byte| byte.count_ones()).sum();
        assert_eq!(flipped, 1);
    }

    #[test]
    fn nothing_passes_a_cut_and_the_other_direction_works() {
        let mut links = links(Noise::default());
        links.cut(B, A, 1);
        assert_eq!(sent(&mut links, None).len(), 1);
        links.cut(A, B, 2);
        assert!(sent(&mut links, None).is_empty());
        links.heal(A, B, 2);
        assert_eq!(sent(&mut links, None).len(), 1);
    }

    #[test]
    fn a_clog_keeps_what_arrives_until_the_last_one_is_gone() {
        let mut links = links(Noise::default());
        let (_, packet) = sent(&mut links, None).remove(0);
        links.clog(A, B, 1);
        links.clog(A, B, 2);
        assert!(!links.arrives(&packet));
        assert!(links.unclog(A, B, 2).is_empty());
        assert_eq!(links.unclog(A, B, 1).len(), 1);
        assert!(links.arrives(&packet));
    }

    #[test]
    fn a_reordered_message_counts_once_a_later_one_came_before_it() {
        let mut links = links(Noise::default());
        let (_, late) = sent(&mut links, Some(&FaultKind::Reorder { later_ms: 50 })).remove(0);
        let (_, next) = sent(&mut links, None).remove(0);
        assert!(late.arrives_by.is_some() && next.arrives_by.is_none());
        assert!(!links.overtaken(&next));
        assert!(links.overtaken(&late));
    }

    #[test]
    fn the_outcome_of_a_message_does_not_depend_on_others() {
        let noise = Noise { lose: 500, ..Noise::default() };
        let mut one = links(noise.clone());
        let mut other = links(noise);
        let first = sent(&mut one, None).len();
        other.cut(B, A, 1);
        let id = other.name(B, A, Kind::Applied, 1);
        other.send(id, vec![1], None, &mut Vec::new());
        assert_eq!(sent(&mut other, None).len(), first);
    }
}
