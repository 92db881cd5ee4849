//! The nodes: a task per machine, one timer per message, all on madsim's clock. Nothing here
//! decides anything; the driver does.
//!
//! Measured in madsim 0.2.34: a node that is restarted must be killed before; a sleep is a
//! millisecond or longer from when it is made, so that each message has its own, made when it is
//! sent.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use madsim::net::{Endpoint, NetSim};
use madsim::runtime::{Handle, NodeHandle, Runtime};
use madsim::task::NodeId;
use skewsync::ids::Slot;
use skewsync::message::Address;

use crate::drive::{Cluster, Job, Order};

/// How often the run is judged, in virtual time.
const TICK: Duration = Duration::from_millis(250);
/// The port of every machine on the world's own sockets.
const PORT: u16 = 700;
/// The largest datagram that is taken from a socket.
const DATAGRAM_MAX: usize = 256 * 1024;
/// The places of a pair.
const PLACES: [Address; 3] = [Address::Arbiter, Address::Unit(Slot(0)), Address::Unit(Slot(1))];

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

/// The world: the cluster, and the nodes that it gives orders to.
struct Shell {
    cluster: Option<Cluster>,
    base: Instant,
    nodes: BTreeMap<Address, NodeId>,
    net: Option<NodeHandle>,
    wakers: BTreeMap<Address, Waker>,
    endpoints: BTreeMap<Address, Arc<Endpoint>>,
}

#[derive(Clone)]
struct World(Arc<Mutex<Shell>>);

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
            madsim::time::sleep(TICK).await;
            let mut shell = world.lock();
            shell.tick();
            if let Some(verdict) = judge(shell.cluster()) {
                // What the shell holds of the tasks holds the tasks, which hold the shell.
                let cluster = shell.cluster.take().expect("a run ends once");
                shell.forget();
                return (cluster, verdict);
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
        let shell = Shell {
            cluster: Some(cluster),
            base,
            nodes: BTreeMap::new(),
            net: None,
            wakers: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        };
        let world = Self(Arc::new(Mutex::new(shell)));
        let net = handle.create_node().name("net").build();
        world.lock().net = Some(net);
        for place in PLACES {
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
            world.lock().nodes.insert(place, node.id());
        }
        let mut shell = world.lock();
        world.flush(&mut shell);
        drop(shell);
        world
    }

    fn lock(&self) -> MutexGuard<'_, Shell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shell, with its clock set; none once the run is over: madsim goes on with every task
    /// that is ready at the instant at which the run's own task ends, in an order of its own.
    fn now(&self) -> Option<MutexGuard<'_, Shell>> {
        let mut shell = self.lock();
        shell.cluster.is_some().then(|| {
            shell.tick();
            shell
        })
    }

    /// The life of one process.
    async fn live(self, place: Address, sockets: bool) {
        if sockets {
            let bound = Endpoint::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT)).await;
            let endpoint = Arc::new(bound.expect("a node binds its own port"));
            self.lock().endpoints.insert(place, Arc::clone(&endpoint));
            madsim::task::spawn(self.clone().listen(endpoint));
        }
        self.begin(place);
        Drive { world: self, place, armed: None }.await;
    }

    fn begin(&self, place: Address) {
        let Some(mut shell) = self.now() else { return };
        shell.cluster().start(place);
        self.flush(&mut shell);
    }

    async fn listen(self, endpoint: Arc<Endpoint>) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        while let Ok((length, _)) = endpoint.recv_from(1, &mut buffer).await {
            let Some(mut shell) = self.now() else { return };
            shell.cluster().socket(&buffer[..length]);
            self.flush(&mut shell);
        }
    }

    async fn later(self, delay_us: u64, job: Job) {
        madsim::time::sleep(Duration::from_micros(delay_us)).await;
        let Some(mut shell) = self.now() else { return };
        shell.cluster().job(job);
        self.flush(&mut shell);
    }

    /// Carries out what the driver wants done.
    fn flush(&self, shell: &mut Shell) {
        for (delay, job) in shell.cluster().take_later() {
            if let Some(net) = &shell.net {
                net.spawn(self.clone().later(delay, job));
            }
        }
        for order in shell.cluster().take_orders() {
            self.carry_out(shell, order);
        }
        for place in shell.cluster().take_wakes() {
            if let Some(waker) = shell.wakers.get(&place) {
                waker.wake_by_ref();
            }
        }
    }

    fn carry_out(&self, shell: &mut Shell, order: Order) {
        let handle = Handle::current();
        match order {
            Order::Kill(place) => {
                shell.wakers.remove(&place);
                shell.endpoints.remove(&place);
                handle.kill(shell.nodes[&place]);
            }
            Order::Restart(place) => handle.restart(shell.nodes[&place]),
            Order::Pause(place) => handle.pause(shell.nodes[&place]),
            Order::Resume(place) => handle.resume(shell.nodes[&place]),
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
            Order::Shift(numbers) => {
                for _ in 0..numbers {
                    let _: u64 = madsim::rand::random();
                }
            }
            Order::SocketsQuiet => {
                NetSim::current().update_config(|config| config.packet_loss_rate = 0.0);
            }
        }
    }
}

impl Shell {
    fn cluster(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("the run is not over")
    }

    fn forget(&mut self) {
        self.wakers.clear();
        self.endpoints.clear();
        self.net = None;
    }

    fn tick(&mut self) {
        let now = self.base.elapsed().as_micros() as u64;
        self.cluster().at(now);
    }
}

/// Does what is due in a place, whenever it is woken. It never ends by itself.
struct Drive {
    world: World,
    place: Address,
    armed: Option<u64>,
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let Some(mut shell) = world.now() else {
            return Poll::Pending;
        };
        let next = shell.cluster().work(self.place);
        shell.wakers.insert(self.place, cx.waker().clone());
        if let Some(due) = next
            && self.armed != Some(due)
        {
            self.armed = Some(due);
            let deadline = shell.base + Duration::from_micros(due);
            // Polled once: the timer wakes this task, and is not waited for in any other way.
            let mut sleep = std::pin::pin!(madsim::time::sleep_until(deadline));
            if sleep.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        world.flush(&mut shell);
        Poll::Pending
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
    use crate::draw::{self, DrawOptions, Mix};
    use crate::plan::{Anchor, Entry, What};

    #[test]
    fn what_is_due_at_the_instant_of_the_end_is_left_undone() {
        let wishes = DrawOptions { mix: Mix::Calm, ..DrawOptions::default() };
        let mut plan = draw::plan(3, &wishes);
        let due = Entry { at: Anchor::Instant(250), what: What::Save };
        plan.commands = vec![due; 40];
        let medium =
            Medium { seed: plan.world, sockets: false, latency_us: plan.latency_us, loss: 0 };
        let (catalog, _) = catalog::load(&[]).expect("the bundled family");
        let body = move || {
            let cluster = Cluster::new(Arc::new(plan), Arc::new(catalog), Vec::new());
            let (cluster, ()) = run(medium, cluster.expect("the catalog has all"), |_| Some(()));
            cluster.now_us()
        };
        #[expect(clippy::disallowed_methods, reason = "a run wants a fresh thread")]
        let ended = std::thread::spawn(body).join();
        assert_eq!(ended.expect("nothing panics"), 250_000);
    }
}
