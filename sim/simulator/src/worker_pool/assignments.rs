//! Which task is whose, which is given up, and when all is over: the core of the pool. It starts no
//! thread and reads no clock; its caller does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, lock, wait_for};

/// What became of a task. Of each task that was begun it is said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<R, N> {
    /// It was worked at to the end.
    Done(R),
    /// It was given up. The note is the last that was made of it.
    Hung(N),
}

/// What the overseer hears.
enum Heard<T, R> {
    /// A task is done.
    Done(T, R),
    /// Nothing, for a while.
    Nothing,
    /// All workers are over, and all is told.
    Over,
}

/// The tasks, as workers and overseer share them.
///
/// # Shape
/// `I`: the tasks. `R`: the result of one. `N`: a note of a task that is worked at, from which the
/// overseer sees whether it is late.
pub(crate) struct Assignments<I: Iterator, R, N> {
    state: Mutex<State<I, R, N>>,
    /// The overseer alone waits.
    news: Condvar,
}

struct State<I: Iterator, R, N> {
    /// Not begun.
    tasks: I,
    /// By worker.
    at_work: BTreeMap<usize, (I::Item, N)>,
    /// Done and not told.
    done: VecDeque<(I::Item, R)>,
    /// Workers that were spawned, less those that ended or were given up.
    running: usize,
    spawned: usize,
}

impl<I: Iterator<Item: Copy>, R, N> Assignments<I, R, N> {
    pub(crate) fn new(tasks: I) -> Self {
        let state = State {
            tasks,
            at_work: BTreeMap::new(),
            done: VecDeque::new(),
            running: 0,
            spawned: 0,
        };
        Self { state: Mutex::new(state), news: Condvar::new() }
    }

    /// Spawns so many workers, and one for each that is given up; tells `end` what became of each
    /// task; returns when all workers are over.
    ///
    /// `spawn` starts a thread that calls [`Self::run`] with the number. `late`: whether a task is
    /// to be given up; it is asked after each task that is done, and at least `every` so often.
    pub(crate) fn oversee(
        &self,
        workers: usize,
        every: Duration,
        spawn: impl Fn(usize),
        late: impl Fn(&N) -> bool,
        mut end: impl FnMut(I::Item, Outcome<R, N>),
    ) {
        for _ in 0..workers {
            spawn(self.count_in());
        }
        loop {
            match self.recv(every) {
                Heard::Done(task, result) => end(task, Outcome::Done(result)),
                Heard::Nothing => {}
                Heard::Over => return,
            }
            for (task, note) in self.give_up(&late) {
                end(task, Outcome::Hung(note));
                spawn(self.count_in());
            }
        }
    }

    /// The life of a worker: tasks, until there is none, `stop` says so, or it was given up.
    ///
    /// `work` gets what replaces the note of its task.
    pub(crate) fn run(
        &self,
        worker: usize,
        stop: impl Fn() -> bool,
        note: impl Fn() -> N,
        work: impl Fn(I::Item, &dyn Fn(N)) -> R,
    ) {
        while let Some(task) = self.next(worker, stop(), note()) {
            let result = work(task, &|note| self.replace_note(worker, note));
            if !self.finish(worker, result) {
                return;
            }
        }
    }

    /// A worker more: its number.
    fn count_in(&self) -> usize {
        let mut state = lock(&self.state);
        state.running += 1;
        state.spawned += 1;
        state.spawned
    }

    /// The worker's next task; none: it is over.
    fn next(&self, worker: usize, stop: bool, note: N) -> Option<I::Item> {
        let mut state = lock(&self.state);
        let task = if stop { None } else { state.tasks.next() };
        if let Some(task) = task {
            state.at_work.insert(worker, (task, note));
        } else {
            state.running -= 1;
            self.news.notify_one();
        }
        task
    }

    /// A worker that was given up has no task of which a note could be made.
    fn replace_note(&self, worker: usize, note: N) {
        if let Some((_, of)) = lock(&self.state).at_work.get_mut(&worker) {
            *of = note;
        }
    }

    /// Takes a result. False: the worker was given up, has a successor, and ends.
    fn finish(&self, worker: usize, result: R) -> bool {
        let mut state = lock(&self.state);
        let Some((task, _)) = state.at_work.remove(&worker) else {
            return false;
        };
        state.done.push_back((task, result));
        self.news.notify_one();
        true
    }

    /// Takes from their workers the tasks that are late, and counts these workers out.
    fn give_up(&self, late: impl Fn(&N) -> bool) -> Vec<(I::Item, N)> {
        let mut state = lock(&self.state);
        let workers = state.at_work.iter().filter(|(_, (_, note))| late(note));
        let workers: Vec<usize> = workers.map(|(worker, _)| *worker).collect();
        state.running -= workers.len();
        workers.iter().filter_map(|worker| state.at_work.remove(worker)).collect()
    }

    /// What is new, waited for once.
    fn recv(&self, most: Duration) -> Heard<I::Item, R> {
        let mut state = lock(&self.state);
        if state.done.is_empty() && state.running > 0 {
            state = wait_for(&self.news, state, most);
        }
        match state.done.pop_front() {
            Some((task, result)) => Heard::Done(task, result),
            None if state.running == 0 => Heard::Over,
            None => Heard::Nothing,
        }
    }
}
