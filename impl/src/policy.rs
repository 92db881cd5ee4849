//! Policy: what happens about a line that cannot go, or went wrong (PROTOCOL.md, section 6).
//!
//! Rules in order, the first match names the action. A pure look-up: it knows no session and counts
//! nothing.

use alloc::vec;
use alloc::vec::Vec;

use crate::digest::Shared;

/// In which phase the cause arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncPhase {
    /// Bulk sync.
    Bulk,
    /// Line-by-line sync.
    Line,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The form has no transform to the peer's level.
    NoTransform,
    /// The line's values cannot be said in the peer's syntax.
    GuardedValue,
    /// The Standby's parser returned another class than the Active's.
    Prc,
    /// The wire digests differ.
    Verification,
    /// A phase took too long, or a bound was exceeded.
    Limit,
}

/// What is done about it; the later in this list, the severer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The command is not executed at all. Legal for phase line, before execution.
    Refuse,
    /// Nothing is done.
    Ignore,
    /// The line is dropped and listed. Source: seed, Fig. 4, 445.
    DropAndWarn,
    /// The Standby is reset and joins again. Source: seed, Fig. 3A, 329.
    ResetStandby,
    /// The pair goes to rpr. Source: seed, step 450.
    Degrade,
    /// The Standby is held in INITIALIZATION.
    Simplex,
}

impl Action {
    /// Whether the session goes on with the line merely listed.
    pub const fn stays(self) -> bool {
        matches!(self, Self::Ignore | Self::DropAndWarn)
    }
}

/// One rule; `None` matches anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyRule {
    /// The phase.
    pub phase: Option<SyncPhase>,
    /// The cause.
    pub cause: Option<Cause>,
    /// The component's name.
    pub component: Option<Shared<str>>,
    /// The form's normal form.
    pub form: Option<Shared<str>>,
    /// What is done.
    pub action: Action,
}

/// What a rule is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The phase.
    pub phase: SyncPhase,
    /// The cause.
    pub cause: Cause,
    /// The component's name, if a line is the matter.
    pub component: Option<&'a str>,
    /// The form's normal form, if a line is the matter.
    pub form: Option<&'a str>,
}

impl Question<'_> {
    /// About the pair, and no single line.
    pub const fn new(phase: SyncPhase, cause: Cause) -> Self {
        Self { phase, cause, component: None, form: None }
    }
}

/// The rules of a unit, in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Policy {
    rules: Vec<PolicyRule>,
}

/// Why rules were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// `refuse` where the command was executed already.
    #[error(
        "rule {rule}: `refuse` is for phase line and the causes no-transform and guarded-value"
    )]
    RefuseTooLate {
        /// Place of the rule, from 1.
        rule: usize,
    },
}

impl Policy {
    /// Rules in order.
    ///
    /// # Errors
    /// `RefuseTooLate` if a rule refuses anything but a line before its execution.
    pub fn new(rules: Vec<PolicyRule>) -> Result<Self, PolicyError> {
        let late = rules.iter().position(|rule| {
            let early = matches!(rule.cause, Some(Cause::NoTransform | Cause::GuardedValue));
            rule.action == Action::Refuse && !(rule.phase == Some(SyncPhase::Line) && early)
        });
        match late {
            Some(at) => Err(PolicyError::RefuseTooLate { rule: at + 1 }),
            None => Ok(Self { rules }),
        }
    }

    /// The first match's action; without one, `DropAndWarn` for a line that cannot go and
    /// `ResetStandby` for what went wrong.
    pub fn action(&self, question: Question<'_>) -> Action {
        let matched = self.rules.iter().find(|rule| rule.matches(question));
        matched.map_or_else(
            || match question.cause {
                Cause::NoTransform | Cause::GuardedValue => Action::DropAndWarn,
                Cause::Prc | Cause::Verification | Cause::Limit => Action::ResetStandby,
            },
            |rule| rule.action,
        )
    }
}

impl Default for Policy {
    /// No rules: what cannot go is dropped and listed, what went wrong resets the Standby.
    fn default() -> Self {
        Self { rules: vec![] }
    }
}

impl PolicyRule {
    fn matches(&self, question: Question<'_>) -> bool {
        let names = |rule: &Option<Shared<str>>, asked: Option<&str>| {
            rule.as_ref().is_none_or(|name| asked == Some(&**name))
        };
        self.phase.is_none_or(|phase| phase == question.phase)
            && self.cause.is_none_or(|cause| cause == question.cause)
            && names(&self.component, question.component)
            && names(&self.form, question.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(phase: Option<SyncPhase>, cause: Option<Cause>, action: Action) -> PolicyRule {
        PolicyRule { phase, cause, component: None, form: None, action }
    }

    fn asked(phase: SyncPhase, cause: Cause) -> Question<'static> {
        Question { phase, cause, component: Some("bgp"), form: Some("neighbor A.B.C.D") }
    }

    #[test]
    fn the_first_match_decides() {
        let rules = vec![
            rule(Some(SyncPhase::Bulk), None, Action::Degrade),
            rule(None, Some(Cause::Prc), Action::Simplex),
        ];
        let policy = Policy::new(rules).unwrap();
        assert_eq!(policy.action(asked(SyncPhase::Bulk, Cause::Prc)), Action::Degrade);
        assert_eq!(policy.action(asked(SyncPhase::Line, Cause::Prc)), Action::Simplex);
        let missing = asked(SyncPhase::Line, Cause::NoTransform);
        assert_eq!(policy.action(missing), Action::DropAndWarn);
    }

    #[test]
    fn a_rule_of_a_component_matches_only_its_lines() {
        let mut of_ospf = rule(None, None, Action::Simplex);
        of_ospf.component = Some(Shared::text("ospf"));
        let policy = Policy::new(vec![of_ospf]).unwrap();
        let missing = asked(SyncPhase::Line, Cause::NoTransform);
        assert_eq!(policy.action(missing), Action::DropAndWarn);
    }

    #[test]
    fn refuse_after_execution_is_an_error() {
        let late = vec![rule(Some(SyncPhase::Bulk), Some(Cause::NoTransform), Action::Refuse)];
        assert_eq!(Policy::new(late), Err(PolicyError::RefuseTooLate { rule: 1 }));
        let executed = vec![rule(Some(SyncPhase::Line), Some(Cause::Prc), Action::Refuse)];
        assert_eq!(Policy::new(executed), Err(PolicyError::RefuseTooLate { rule: 1 }));
    }
}
