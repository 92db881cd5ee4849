//! ACTIVE-DRAIN: a planned switchover under way (PROTOCOL.md, section 6).

use super::output::Outcome;
use super::state::Context;
use crate::ids::CommandId;

/// ACTIVE-DRAIN: new commands wait until the Standby has everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Drain {
    /// The operator's request.
    id: CommandId,
    second: SecondWrite,
}

/// The register's write of a drain. After it only one of Clear and Release may follow, never both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum SecondWrite {
    Unsent,
    Sent,
}

impl Drain {
    /// The drain that an operator asked for: the register is not written for it yet.
    pub(super) const fn new(id: CommandId) -> Self {
        Self { id, second: SecondWrite::Unsent }
    }

    /// The register is written to say that the Standby has everything: once in a drain.
    pub(super) fn write_second(&mut self) {
        assert_eq!(self.second, SecondWrite::Unsent, "nothing is executed in a drain");
        self.second = SecondWrite::Sent;
    }

    /// It is over: the operator is told what came of it.
    pub(super) fn end(self, outcome: Outcome, cx: &mut Context<'_, '_>) {
        cx.answer(self.id, outcome);
    }
}
