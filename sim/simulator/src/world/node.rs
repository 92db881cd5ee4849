//! The nodes, and the one order of events. What is due stands in one queue; the clock that all see
//! is the due time of the item at hand. madsim carries the nodes, their ends and suspensions, the
//! passage of time and, where asked, the sockets. It decides no order: one task at a time has the
//! turn.
//!
//! Measured in madsim 0.2.34: a node that is restarted must be killed before; a sleep is a
//! millisecond or longer from when it is made, so that madsim's clock may be up to a millisecond
//! ahead of the run's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use madsim::net::{Endpoint, NetSim};
use madsim::runtime::{Handle, Runtime};
use madsim::task::NodeId;
use skewsync::message::Address;

use super::agenda::Agenda;
use super::due::Due;
use super::turn::{Next, Process};
use crate::drive::{Cluster, Order};

/// How often the run is judged, in microseconds of virtual time.
const TICK_US: u64 = 250_000;
/// The port of every machine on the world's own sockets.
const PORT: u16 = 700;
/// The largest datagram that is taken from a socket.
const DATAGRAM_MAX: usize = 256 * 1024;

/// What a run is made of beside its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medium {
    /// madsim's seed.
    pub seed: u64,
    /// Whether frames go over madsim's own sockets.
    pub sockets: bool,
    /// Latency of its sockets in microseconds.
    pub latency_us: (u64, u64),
    /// Loss on its sockets in per mille, until the liveness phase.
    pub loss: u32,
}

/// The world: the cluster, what is due, and the nodes that it gives orders to.
pub(super) struct Shell {
    pub(super) cluster: Option<Cluster>,
    pub(super) base: Instant,
    pub(super) agenda: Agenda<Due>,
    nodes: BTreeMap<Address, NodeId>,
    /// The processes that there are, and those of them that are suspended: one that cannot take
    /// its turn must not be given it.
    alive: BTreeSet<Address>,
    paused: BTreeSet<Address>,
    /// Whose turn it is; none: that of the next item.
    pub(super) turn: Option<Address>,
    pub(super) wakers: BTreeMap<Address, Waker>,
    /// Wakes who waits for the next item.
    pub(super) keeper: Option<Waker>,
    endpoints: BTreeMap<Address, Arc<Endpoint>>,
    /// What came over sockets.
    arrived: u64,
}

#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Shell>>);

/// Runs a pair until `judge`, which is asked four times a virtual second, has an answer.
pub fn run<T>(
    medium: Medium,
    cluster: Cluster,
    mut judge: impl FnMut(&mut Cluster) -> Option<T>,
) -> (Cluster, T) {
    let mut config = madsim::Config::default();
    let (least, most) = medium.latency_us;
    config.net.packet_loss_rate = f64::from(medium.loss) / 1000.0;
    config.net.send_latency = Duration::from_micros(least)..Duration::from_micros(most + 1);
    let runtime = Runtime::with_seed_and_config(medium.seed, config);
    runtime.block_on(async move {
        let world = World::build(cluster, medium.sockets);
        loop {
            let item = Next { world: world.clone(), armed: None }.await;
            let mut shell = world.lock();
            let now = shell.cluster().now_us();
            match item {
                Due::Start(place) => shell.give_turn(place),
                Due::Work(place) => {
                    if shell.alive.contains(&place) && !shell.paused.contains(&place) {
                        shell.give_turn(place);
                    }
                }
                Due::Socket(_, bytes) => shell.cluster().socket(&bytes),
                Due::Job(job) => shell.cluster().job(job),
                Due::Judge => {
                    if let Some(verdict) = judge(shell.cluster()) {
                        // What the shell holds of the tasks holds the tasks, which hold the shell.
                        let cluster = shell.cluster.take().expect("a run ends once");
                        shell.forget();
                        return (cluster, verdict);
                    }
                    shell.agenda.push(now + TICK_US, Due::Judge);
                }
            }
            world.flush(&mut shell);
        }
    })
}

impl World {
    fn build(cluster: Cluster, sockets: bool) -> Self {
        let handle = Handle::current();
        #[expect(clippy::disallowed_methods, reason = "inside a run: simulated time")]
        let base = Instant::now();
        let places = cluster.places();
        let shell = Shell {
            agenda: Agenda::new(cluster.world()),
            cluster: Some(cluster),
            base,
            nodes: BTreeMap::new(),
            alive: places.iter().copied().collect(),
            paused: BTreeSet::new(),
            turn: None,
            wakers: BTreeMap::new(),
            keeper: None,
            endpoints: BTreeMap::new(),
            arrived: 0,
        };
        let world = Self(Arc::new(Mutex::new(shell)));
        for place in places {
            // A weak reference: the runtime keeps `init` for as long as it lives.
            let weak = Arc::downgrade(&world.0);
            let node = handle
                .create_node()
                .name(crate::plan::anchor::place(place))
                .ip(ip(place))
                .init(move || {
                    let world = weak.upgrade().map(World);
                    async move {
                        if let Some(world) = world {
                            world.live(place, sockets).await;
                        }
                    }
                })
                .build();
            let mut shell = world.lock();
            shell.nodes.insert(place, node.id());
            shell.agenda.push(0, Due::Start(place));
        }
        let mut shell = world.lock();
        shell.agenda.push(TICK_US, Due::Judge);
        world.flush(&mut shell);
        drop(shell);
        world
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of one process.
    async fn live(self, place: Address, sockets: bool) {
        if sockets {
            let bound = Endpoint::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT)).await;
            let endpoint = Arc::new(bound.expect("a node binds its own port"));
            self.lock().endpoints.insert(place, Arc::clone(&endpoint));
            madsim::task::spawn(self.clone().listen(endpoint));
        }
        Process { world: self, place, started: false }.await;
    }

    /// What comes over a socket is due as it comes: madsim's network decides when that is.
    async fn listen(self, endpoint: Arc<Endpoint>) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        while let Ok((length, _)) = endpoint.recv_from(1, &mut buffer).await {
            let mut shell = self.lock();
            let elapsed = shell.elapsed_us();
            let Some(cluster) = &shell.cluster else { return };
            let due = cluster.now_us().max(elapsed);
            shell.arrived += 1;
            let item = Due::Socket(shell.arrived, buffer[..length].into());
            shell.agenda.push(due, item);
            shell.wake_keeper();
        }
    }

    /// Carries out what the driver wants done.
    pub(super) fn flush(&self, shell: &mut Shell) {
        let now = shell.cluster().now_us();
        for (delay, job) in shell.cluster().take_later() {
            shell.agenda.push(now + delay, Due::Job(job));
        }
        for order in shell.cluster().take_orders() {
            self.carry_out(shell, order);
        }
        for place in shell.cluster().take_wakes() {
            shell.agenda.push_once(now, Due::Work(place));
        }
    }

    fn carry_out(&self, shell: &mut Shell, order: Order) {
        let handle = Handle::current();
        match order {
            Order::Kill(place) => {
                shell.alive.remove(&place);
                shell.paused.remove(&place);
                shell.wakers.remove(&place);
                shell.endpoints.remove(&place);
                handle.kill(shell.nodes[&place]);
            }
            Order::Restart(place) => {
                let now = shell.cluster().now_us();
                handle.restart(shell.nodes[&place]);
                shell.alive.insert(place);
                shell.agenda.push(now, Due::Start(place));
            }
            Order::Pause(place) => {
                shell.paused.insert(place);
                handle.pause(shell.nodes[&place]);
            }
            Order::Resume(place) => {
                shell.paused.remove(&place);
                handle.resume(shell.nodes[&place]);
            }
            Order::Socket { from, to, bytes } => {
                // A handle that was made before a restart spawns into the former life.
                let node = handle.get_node(shell.nodes[&from]);
                let (Some(endpoint), Some(node)) = (shell.endpoints.get(&from).cloned(), node)
                else {
                    return;
                };
                node.spawn(async move {
                    // A datagram that cannot be sent is lost.
                    let _ = endpoint.send_to(SocketAddr::new(ip(to), PORT), 1, &bytes).await;
                });
            }
            Order::SocketClog(from, to, clog) => {
                let (from, to) = (shell.nodes[&from], shell.nodes[&to]);
                if clog {
                    NetSim::current().clog_link(from, to);
                } else {
                    NetSim::current().unclog_link(from, to);
                }
            }
            Order::SocketsQuiet => {
                NetSim::current().update_config(|config| config.packet_loss_rate = 0.0);
            }
        }
    }
}

impl Shell {
    pub(super) fn cluster(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("the run is not over")
    }

    fn forget(&mut self) {
        self.wakers.clear();
        self.endpoints.clear();
        self.keeper = None;
    }

    /// madsim's time, which may be ahead of the run's.
    fn elapsed_us(&self) -> u64 {
        self.base.elapsed().as_micros() as u64
    }

    /// The process of a place goes on, and nothing else does until it is through.
    fn give_turn(&mut self, place: Address) {
        assert!(self.turn.is_none(), "one has the turn");
        assert!(self.alive.contains(&place), "who has the turn can take it");
        self.turn = Some(place);
        if let Some(waker) = self.wakers.get(&place) {
            waker.wake_by_ref();
        }
    }

    pub(super) fn wake_keeper(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.wake_by_ref();
        }
    }

    /// The next item, once madsim's clock has reached its due time, to which the run's is set.
    pub(super) fn next(&mut self) -> Result<Due, u64> {
        let due = self.agenda.next_due().expect("the judge is always due");
        if due > self.elapsed_us() {
            return Err(due);
        }
        let cluster = self.cluster();
        let before = cluster.world();
        cluster.at(due);
        let world = cluster.world();
        if world != before {
            self.agenda.reseed(world);
        }
        Ok(self.agenda.pop().expect("something is due"))
    }
}

fn ip(place: Address) -> IpAddr {
    let last = match place {
        Address::Arbiter => 100,
        Address::Unit(slot) => slot.0 + 1,
    };
    Ipv4Addr::new(10, 0, 0, last).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::history::Historian;
    use crate::plan::testing::quiet;
    use crate::plan::{Anchor, Entry, What};

    #[test]
    fn the_run_is_judged_after_all_that_is_due_at_that_instant() {
        let mut plan = quiet();
        let due = Entry { at: Anchor::Instant(250), what: What::Save };
        plan.commands = vec![due; 40];
        plan.horizon_ms = 250;
        let medium =
            Medium { seed: plan.world, sockets: false, latency_us: plan.latency_us, loss: 0 };
        let catalog = catalog::load(&[]).expect("the bundled family");
        let body = move || {
            let historian = Historian::default();
            let cluster = Cluster::new(Arc::new(plan), Arc::new(catalog), historian, Vec::new());
            let (cluster, stopped) =
                run(medium, cluster.expect("the catalog has all"), |cluster| {
                    Some(cluster.is_calm())
                });
            let (_, entered) = cluster.met();
            (cluster.now_us(), entered.len(), stopped)
        };
        #[expect(clippy::disallowed_methods, reason = "a run wants a fresh thread")]
        let ended = std::thread::spawn(body).join();
        assert_eq!(ended.expect("nothing panics"), (250_000, 40, true));
    }
}
