use skewsync_model::property::Property;
use skewsync_sim::run::VerdictKind;

use super::*;
use crate::campaign::{Failures, Fingerprint, First, Seeds};
use crate::signature::Signature;

fn summary() -> Summary {
    let signature = Signature {
        property: VerdictKind::Fails(Property::NoAckedLoss),
        roles: vec!["ACTIVE".into(), "STANDBY HOT".into()],
        pair: vec!["<one>".into(), "two".into()],
        phase: "hot".into(),
    };
    let first = First {
        seed: 4,
        seen: "command 7 \"mtu 9000\" & more".into(),
        virtual_us: 1_500_000,
        plan: String::new(),
    };
    let seeds: Seeds = [4, 9].into_iter().collect();
    Summary {
        kind: Some(Fingerprint {
            code: "c0de".into(),
            asked: "mix swarm".into(),
            free: true,
            lockstep: true,
        }),
        asked: Seeds::run(0, 1_300),
        ran: Seeds::run(0, 1_200),
        settled_ms: [(250, 3), (500, 1), (30_000, 1)].into(),
        failed: [(signature, Failures { seeds, first })].into(),
        ..Summary::default()
    }
}

#[test]
fn a_failure_is_told_with_its_share_its_interval_and_its_plan() {
    let page = campaign_page(&summary());
    assert!(page.contains("<h1>1,200 seeds, 2 failed</h1>"));
    assert!(page.contains("command 7 &quot;mtu 9000&quot; &amp; more"), "{page}");
    assert!(page.contains("&lt;one&gt;"));
    // Wilson's interval of 2 in 1200.
    assert!(page.contains("0.17 %, with 95 % confidence 0.046 % to 0.61 %"), "{page}");
    assert!(page.contains("skewlab replay seed-4.toml"));
    assert!(page.contains("100 seeds that were asked for are missing: 1200-1299"), "{page}");
}

#[test]
fn times_to_convergence_are_told_by_their_quantiles() {
    let page = campaign_page(&summary());
    assert!(page.contains("Of 5 runs half converged within 0.25 s, 95 % within 30.00 s"), "{page}");
    assert_eq!(page.matches("<svg").count(), 1, "there is no pace to draw");
}

#[test]
fn a_summary_of_nothing_has_a_page_that_fetches_nothing() {
    for summary in [Summary::default(), summary()] {
        let page = campaign_page(&summary);
        assert!(page.ends_with("</html>"));
        for fetches in ["http:", "https:", "url(", "src=", "<script"] {
            assert!(!page.contains(fetches), "{fetches}");
        }
    }
}

#[test]
fn thousands_stand_apart() {
    for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(counted(count), text);
    }
}
