//! One task at a time has the turn: the one that takes the next item, or the process to which that
//! item hands it. So madsim's pick among the tasks that are ready has one to pick from.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use skewsync::message::Address;

use super::due::Due;
use super::node::World;

/// Waits for the next item that is due, while nobody has the turn.
pub(super) struct Next {
    pub(super) world: World,
    /// For when madsim's timer is set.
    pub(super) armed: Option<u64>,
}

impl Future for Next {
    type Output = Due;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Due> {
        let world = self.world.clone();
        let mut shell = world.lock();
        if shell.turn.is_none() {
            let due = match shell.next() {
                Ok(item) => return Poll::Ready(item),
                Err(due) => due,
            };
            if self.armed != Some(due) {
                self.armed = Some(due);
                let deadline = shell.base + Duration::from_micros(due);
                // Polled once: the timer wakes this task, and is not waited for in any other way.
                let mut sleep = std::pin::pin!(madsim::time::sleep_until(deadline));
                if sleep.as_mut().poll(cx).is_ready() {
                    cx.waker().wake_by_ref();
                }
            }
        }
        shell.keeper = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Starts the machine of a place at its first turn, and does what is due there at each further
/// one. It never ends by itself.
pub(super) struct Process {
    pub(super) world: World,
    pub(super) place: Address,
    pub(super) started: bool,
}

impl Future for Process {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let mut shell = world.lock();
        if shell.cluster.is_none() {
            return Poll::Pending;
        }
        let place = self.place;
        shell.wakers.insert(place, cx.waker().clone());
        if shell.turn != Some(place) {
            return Poll::Pending;
        }
        if std::mem::replace(&mut self.started, true) {
            let now = shell.cluster().now_us();
            // What is left due now is not done any more: a property is broken.
            if let Some(due) = shell.cluster().work(place).filter(|due| *due > now) {
                shell.agenda.push_once(due, Due::Work(place));
            }
        } else {
            shell.cluster().start(place);
        }
        shell.turn = None;
        world.flush(&mut shell);
        shell.wake_keeper();
        Poll::Pending
    }
}
