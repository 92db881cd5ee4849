//! Threads that work at tasks, so many at once. A thread that hangs cannot be ended: it is given
//! up, another takes its place, and the work goes on.

mod assignments;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use assignments::Assignments;
pub use assignments::Outcome;

/// How often it is looked whether a task hangs.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is known of a task at which a worker works.
#[derive(Debug)]
pub struct Begun<P> {
    at: Instant,
    /// What the worker said that it has at hand.
    pub at_hand: Option<P>,
}

impl<P> Begun<P> {
    fn now(at_hand: Option<P>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
        let at = Instant::now();
        Self { at, at_hand }
    }

    /// For how long.
    pub fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}

/// How many work at once, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Workers.
    pub jobs: usize,
    /// A task that takes longer hangs.
    pub hangs_after: Duration,
}

/// Works at all tasks until `stop`; `end` is told of each as it ends. A task that panics is done,
/// with its panic.
///
/// `work` says what it has at hand; from then on its time counts anew.
pub fn run<I, P, R>(
    tasks: I,
    bounds: Bounds,
    stop: impl Fn() -> bool + Send + Sync + 'static,
    work: impl Fn(I::Item, &dyn Fn(P)) -> R + Send + Sync + 'static,
    end: impl FnMut(I::Item, Outcome<thread::Result<R>, Begun<P>>),
) where
    I: Iterator<Item: Copy + Send> + Send + 'static,
    P: Send + 'static,
    R: Send + 'static,
{
    let pool = Arc::new((Assignments::new(tasks), stop, work));
    let spawn = |worker| {
        let pool = Arc::clone(&pool);
        let body = move || {
            let (assignments, stop, work) = &*pool;
            assignments.run(
                worker,
                stop,
                || Begun::now(None),
                |task, note| {
                    let at_hand = |plan| note(Begun::now(Some(plan)));
                    catch_unwind(AssertUnwindSafe(|| work(task, &at_hand)))
                },
            );
        };
        #[expect(clippy::disallowed_methods, reason = "the pool's threads, outside of every run")]
        drop(thread::spawn(body));
    };
    let late = |begun: &Begun<P>| begun.elapsed() > bounds.hangs_after;
    let every = LOOK_EVERY.min(bounds.hangs_after);
    pool.0.oversee(bounds.jobs.max(1), every, spawn, late, end);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each task, and whether it hung.
    fn outcomes(
        jobs: usize,
        hangs: impl Fn(u64) -> bool + Send + Sync + 'static,
    ) -> Vec<(u64, bool)> {
        let bounds = Bounds { jobs, hangs_after: Duration::from_millis(300) };
        let each = move |task: u64, _: &dyn Fn(())| {
            while hangs(task) {
                thread::park();
            }
        };
        let mut seen = Vec::new();
        run(
            10..16,
            bounds,
            || false,
            each,
            |task, outcome| {
                seen.push((task, matches!(outcome, Outcome::Hung(_))));
            },
        );
        seen.sort_unstable();
        seen
    }

    #[test]
    fn a_task_that_hangs_is_told_and_the_others_are_done() {
        for jobs in [1, 3] {
            let expected: Vec<_> = (10..16).map(|task| (task, task == 12 || task == 15)).collect();
            assert_eq!(outcomes(jobs, |task| task == 12 || task == 15), expected);
        }
    }

    #[test]
    fn without_a_hang_each_task_is_done_once_and_a_panic_is_an_outcome() {
        let expected: Vec<_> = (10..16).map(|task| (task, false)).collect();
        assert_eq!(outcomes(2, |_| false), expected);
        let _quiet = crate::panic_hook::panics();
        let bounds = Bounds { jobs: 1, hangs_after: Duration::MAX };
        let mut panics = 0;
        let each = |task: u64, _: &dyn Fn(())| assert_ne!(task, 1);
        run(
            0..3,
            bounds,
            || false,
            each,
            |_, outcome| {
                panics += u32::from(matches!(outcome, Outcome::Done(Err(_))));
            },
        );
        assert_eq!(panics, 1);
    }
}
