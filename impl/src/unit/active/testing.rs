//! What tests put into an Active, whatever led there.

use super::super::mode::Mode;
use super::super::peer::{ActivePhase, ActiveSession};
use super::super::prompts::Prompts;
use super::super::queue::Queue;
use super::super::register::Register;
use super::Active;
use crate::ids::Lsn;

impl Active {
    /// A session in the place of the current one.
    pub fn put_session(&mut self, session: ActiveSession) {
        self.peer.put(session);
    }

    /// The last LSN.
    pub const fn put_last(&mut self, last: Lsn) {
        self.last = last;
    }

    /// A phase of the current session, if there is one, and its h.
    pub fn put_phase(&mut self, phase: ActivePhase, h: Lsn) {
        if let Some(current) = self.peer.current_mut() {
            current.put(phase, h);
        }
    }

    /// What the register holds.
    pub const fn put_register(&mut self, register: Register) {
        self.register = register;
    }

    /// What was counted.
    pub fn put_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Prompts.
    pub fn put_prompts(&mut self, prompts: Prompts) {
        self.prompts = prompts;
    }

    /// Commands that wait.
    pub fn put_queue(&mut self, queue: Queue) {
        self.queue = queue;
    }
}
