//! A campaign's outcome for systems of continuous integration: JUnit's XML, and the lines that
//! become annotations.

use std::path::Path;

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};
use skewsync_model::property::Property;
use skewsync_sim::run::VerdictKind;

use crate::campaign::{Failures, Summary, coverage};
use crate::report::again;

/// One test case for each property, one for each signature of failures, and one each for what is
/// asked of the whole: that runs repeat, that the harness works, that everything is met.
///
/// # Errors
/// Never for text that XML can say; `quick_junit` drops what it cannot.
pub fn junit(summary: &Summary, dir: &Path) -> Result<String, SerializeError> {
    let asked = summary.kind.as_ref().map_or("", |kind| &kind.asked);
    let mut suite = TestSuite::new(format!("skewlab run ({asked})"));
    suite.set_time(summary.wall());
    let failed = |kind: &VerdictKind| summary.failed.keys().any(|of| of.property == *kind);
    let whole = [VerdictKind::Fails(Property::Converges), VerdictKind::Hung, VerdictKind::Panic];
    let checked = summary.checked.keys().copied().map(VerdictKind::Fails);
    for kind in checked.chain(whole).filter(|kind| !failed(kind)) {
        suite.add_test_case(case("properties", kind.name(), Vec::new()));
    }
    for (signature, of) in summary.by_count() {
        let mut case = case("failures", &signature.to_string(), vec![first(of)]);
        case.set_system_out(again(summary, dir, of.first.seed));
        suite.add_test_case(case);
    }
    let differing = summary.differing.iter().map(|(seed, how)| format!("seed {seed}: {how}"));
    suite.add_test_case(case("campaign", "a plan repeats", differing.collect()));
    let harness = summary.harness.iter().cloned().collect();
    suite.add_test_case(case("campaign", "the harness works", harness));
    if summary.is_asked() {
        let unmet = coverage::unexplained(summary);
        let unmet = unmet.iter().map(ToString::to_string).collect();
        suite.add_test_case(case("campaign", "everything is met", unmet));
    }
    let mut report = quick_junit::Report::new("skewlab");
    report.set_time(summary.wall());
    report.add_test_suite(suite);
    report.to_string()
}

fn case(class: &str, name: &str, troubles: Vec<String>) -> TestCase {
    let status = match troubles.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(first.lines().next().unwrap_or_default());
            status.set_description(troubles.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    case
}

/// One line for each signature of failures, each seed that did not repeat and each failure of the
/// harness, in the form that GitHub's runners read.
///
/// Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
pub fn annotations(summary: &Summary, dir: &Path) -> String {
    let mut text = String::new();
    let mut line = |title: &str, what: &str| {
        let title = escaped(title).replace(':', "%3A").replace(',', "%2C");
        text.push_str(&format!("::error title={title}::{}\n", escaped(what)));
    };
    for (signature, of) in summary.by_count() {
        line(
            &signature.to_string(),
            &format!("{}; {}", first(of), again(summary, dir, of.first.seed)),
        );
    }
    for (seed, how) in &summary.differing {
        line("a plan does not repeat", &format!("seed {seed}: {how}"));
    }
    for what in &summary.harness {
        line("the harness", what);
    }
    text
}

fn first(of: &Failures) -> String {
    let (count, first) = (of.seeds.count(), &of.first);
    let at = first.virtual_us as f64 / 1e6;
    let others = match count {
        1 => String::new(),
        _ => format!(" ({count} seeds: {})", of.seeds),
    };
    format!("seed {} at {at:.3} virtual s: {}{others}", first.seed, first.seen)
}

/// What ends a line or begins an escape, as the runner reads it back.
fn escaped(text: &str) -> String {
    text.trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{First, Seeds};
    use crate::signature::Signature;

    fn summary() -> Summary {
        let signature = Signature {
            property: VerdictKind::Fails(Property::NoAckedLoss),
            roles: vec!["ACTIVE".into(), "DOWN".into()],
            pair: vec!["a<b>".into(), "c".into()],
            phase: "hot".into(),
        };
        let first = First {
            seed: 4,
            seen: "100 % lost,\nthen: more".into(),
            virtual_us: 1_500_000,
            plan: String::new(),
        };
        let seeds: Seeds = [4, 9].into_iter().collect();
        Summary {
            ran: Seeds::run(0, 10),
            checked: [(Property::NoAckedLoss, 5), (Property::SingleActive, 7)].into(),
            failed: [(signature, Failures { seeds, first })].into(),
            ..Summary::default()
        }
    }

    #[test]
    fn each_failure_is_one_line_that_reads_back() {
        let mut summary = summary();
        summary.differing.insert(7, "event 3 is\n  here".into());
        let text = annotations(&summary, Path::new("out"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "::error title=NoAckedLoss in phase hot%3A slot 0 ACTIVE on a<b>%2C slot 1 DOWN on c::\
             seed 4 at 1.500 virtual s: 100 %25 lost,%0Athen: more (2 seeds: 4, 9); \
             again: skewlab replay out/seed-4.toml"
        );
        assert_eq!(
            lines[1..],
            ["::error title=a plan does not repeat::seed 7: event 3 is%0A  here"]
        );
    }

    #[test]
    fn what_holds_passes_and_each_signature_fails() {
        let text = junit(&summary(), Path::new("out")).expect("it is XML");
        let report = quick_junit::Report::deserialize_from_str(&text).expect("it reads back");
        assert_eq!((report.tests, report.failures), (7, 1), "{text}");
        let cases = &report.test_suites[0].test_cases;
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert!(names.contains(&"SingleActive") && !names.contains(&"NoAckedLoss"));
        assert!(text.contains("a&lt;b&gt;") && text.contains("seed-4.toml"), "{text}");
    }
}
