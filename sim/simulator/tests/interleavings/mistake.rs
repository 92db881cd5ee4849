//! Mistakes in the use of locks: which can be made where, and the one that is planted in this
//! process.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use loom::thread::ThreadId;

/// The environment variable that plants one, as [`Mistake::write`] writes it.
pub(crate) const PLANTED: &str = "PLANTED_MISTAKE";

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nobody is notified.
    NotifiesNobody,
    /// The notification goes out before the lock is taken under which the change is stored.
    NotifiesBeforeStore,
    /// Of all who wait one is notified.
    NotifiesOne,
    /// The lock is let go and taken again between a check and what is written upon it.
    UnlockedBeforeWrite,
    /// The lock is let go and taken again between a check and the wait.
    UnlockedBeforeWait,
}

const KINDS: [Kind; 5] = [
    Kind::NotifiesNobody,
    Kind::NotifiesBeforeStore,
    Kind::NotifiesOne,
    Kind::UnlockedBeforeWrite,
    Kind::UnlockedBeforeWait,
];

/// A mistake at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    pub(crate) kind: Kind,
    /// The line that locks.
    locks: u32,
    /// The line that notifies; 0 if the mistake is of another kind.
    notifies: u32,
}

thread_local! {
    /// Where each could be made, as far as the models came. A test is one thread.
    static POSSIBLE: RefCell<BTreeSet<Mistake>> = const { RefCell::new(BTreeSet::new()) };
    /// The line that locked last, by loom's threads.
    static LOCKED: RefCell<Vec<(ThreadId, u32)>> = const { RefCell::new(Vec::new()) };
}

static THIS: LazyLock<Option<Mistake>> =
    LazyLock::new(|| Mistake::read(&std::env::var(PLANTED).ok()?));

/// The mistake of this process.
pub(crate) fn planted() -> Option<Mistake> {
    *THIS
}

/// An interleaving begins.
pub(crate) fn begin() {
    LOCKED.with_borrow_mut(Vec::clear);
}

/// All that can be made where this thread's models came.
pub(crate) fn possible() -> BTreeSet<Mistake> {
    POSSIBLE.take()
}

/// Whether this mistake is to be made with what this line locked.
pub(crate) fn is_of_lock(kind: Kind, line: u32) -> bool {
    is_made(Mistake { kind, locks: line, notifies: 0 })
}

/// Whether this mistake is to be made with what this line notifies.
pub(crate) fn is_of_notification(kind: Kind, line: u32) -> bool {
    let this = loom::thread::current().id();
    let locked = LOCKED.with_borrow(|all| all.iter().find(|(thread, _)| *thread == this).copied());
    let locks = locked.map_or(0, |(_, line)| line);
    is_made(Mistake { kind, locks, notifies: line })
}

/// Whether the notification of this line is not to go out, or went out before.
pub(crate) fn silences(line: u32) -> bool {
    let kinds = [Kind::NotifiesNobody, Kind::NotifiesBeforeStore];
    kinds.map(|kind| is_of_notification(kind, line)).contains(&true)
}

/// A lock is to be taken: whether the notification that belongs after it is to go out now.
pub(crate) fn notifies_on_locking(line: u32) -> bool {
    let this = loom::thread::current().id();
    LOCKED.with_borrow_mut(|all| {
        all.retain(|(thread, _)| *thread != this);
        all.push((this, line));
    });
    let early = |of: Mistake| of.kind == Kind::NotifiesBeforeStore && of.locks == line;
    planted().is_some_and(early)
}

fn is_made(mistake: Mistake) -> bool {
    match planted() {
        Some(this) => this == mistake,
        None => {
            POSSIBLE.with_borrow_mut(|all| all.insert(mistake));
            false
        }
    }
}

impl Mistake {
    pub(crate) fn write(self) -> String {
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        format!("{kind} {} {}", self.locks, self.notifies)
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ').map(str::parse::<u32>);
        let mut next = || words.next()?.ok();
        let kind = *KINDS.get(next()? as usize)?;
        Some(Self { kind, locks: next()?, notifies: next()? })
    }

    /// In words, by the function in whose source it is made.
    pub(crate) fn words(self, source: &str) -> String {
        let before = source.lines().take(self.locks as usize).collect::<Vec<_>>();
        let name = before.iter().rev().find_map(|line| line.trim().split_once("fn "));
        let name = name.and_then(|(_, rest)| rest.split(['(', '<']).next()).unwrap_or("?");
        format!("{name} {}", self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::NotifiesNobody => "notifies nobody",
            Self::NotifiesBeforeStore => "notifies before it stores",
            Self::NotifiesOne => "notifies one of all",
            Self::UnlockedBeforeWrite => "lets the lock go before it writes",
            Self::UnlockedBeforeWait => "lets the lock go before it waits",
        })
    }
}
