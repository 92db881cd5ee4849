//! Ids: the words that every room uses. It knows nothing of any of them.

use core::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

ids! {
    /// A form of one image: dense, numbered at load in canonical order. Never crosses to another
    /// image.
    FormId(u32);
    /// A mode of one image: dense, numbered at load in canonical order. `ModeId(0)` is the root,
    /// `config`.
    ModeId(u16);
    /// A component of one image: dense, in the order of the family's table.
    ComponentId(u16);
    /// A change of a family: its place in the family's one total order.
    ChangeId(u32);
    /// The integer version of one component's syntax.
    Level(u16);
    /// The place of a unit in the chassis. Messages are addressed to a slot, not to a boot.
    Slot(u8);
    /// One life of a unit: a counter whose increase was durable before anything was sent.
    BootId(u64);
    /// Fencing number: grows with every offer of a role by the arbiter.
    Term(u64);
    /// Number of a configuration change; (term, LSN) identifies it.
    Lsn(u64);
    /// The number n of the Join that a session answers; grows with each round of joining in a boot.
    Attempt(u32);
    /// One command as a terminal entered it; chosen by the terminal.
    CommandId(u64);
    /// One write to the disk; chosen by the unit, echoed by the driver.
    WriteId(u64);
}
