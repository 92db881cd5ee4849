//! A plan for tests: a pair over links of our own, ten commands, and nothing goes wrong.

use super::Plan;

/// See the module.
pub(crate) fn quiet() -> Plan {
    Plan::read(include_str!("fixture.toml")).expect("the plan reads")
}
