mod kinds;
mod order;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use crate::config::Config;
use crate::config::render::{read_edits, render_edits};
use crate::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use crate::dump::Dump;
use crate::ids::{FormId, Lsn, Term};
use crate::image::{Image, bundled};

/// Two units of these releases, from a config of the Active to that of the Standby.
struct Pair {
    active: Image,
    standby: Image,
    at_active: ActivePairing,
    at_standby: StandbyPairing,
    lowering: Lowering,
    raising: Raising,
    lsn: u64,
}

impl Pair {
    fn new(active: &str, standby: &str, text: &str) -> Self {
        let image = |release| bundled::image(release).unwrap();
        Self::from_images(image(active), image(standby), text)
    }

    fn from_images(active: Image, standby: Image, text: &str) -> Self {
        let dump = Dump::from_image(&active).encode();
        let at_standby = pair_at_standby(&standby, dump.as_bytes()).unwrap();
        let at_active = pair_at_active(&active, at_standby.diff_bytes()).unwrap();
        let mut a = Config::factory(active.levels());
        a.execute(&active, active.own(), text).unwrap();
        let lowering = Lowering::new(&active, &at_active, &a);
        let w = Raising::read_w(&standby, &at_standby, &lowering.wire_bytes()).unwrap();
        let (raising, mismatches) =
            Raising::new(&standby, &at_standby, w, lowering.listing().clone());
        assert_eq!(mismatches, []);
        let pair = Self { active, standby, at_active, at_standby, lowering, raising, lsn: 0 };
        pair.check();
        pair
    }

    /// Executes a batch at the Active and applies what travels at the Standby.
    fn execute(&mut self, batch: &str) -> Lowered {
        let mut a = self.lowering.config().clone();
        let edits = a.execute(&self.active, self.active.own(), batch).unwrap();
        self.lsn += 1;
        let stamp = (Term(1), Lsn(self.lsn));
        let lowered = self.lowering.edit(&self.active, &self.at_active, &edits, stamp);
        assert_eq!(self.lowering.config(), &a);
        let text = render_edits(&self.active, &lowered.wire);
        let wire = read_edits(&self.standby, self.at_standby.grammar(), &text)
            .unwrap_or_else(|error| panic!("{error} in {text}"));
        let raised = self.raising.apply(&self.standby, &self.at_standby, &wire, &lowered.listing);
        assert_eq!(raised.mismatches, [], "after {batch}");
        self.check();
        lowered
    }

    /// Commutes, the wire digest, and the listing.
    fn check(&self) {
        let fresh = Lowering::new(&self.active, &self.at_active, self.lowering.config());
        assert_eq!(
            fresh.wire_config().render(),
            self.lowering.wire_config().render(),
            "W from {}",
            self.lowering.config().render()
        );
        assert_eq!(fresh.wire_config(), self.lowering.wire_config());
        let keys = |lowering: &Lowering| -> Vec<ListKey> {
            lowering.listing().lines().keys().cloned().collect()
        };
        assert_eq!(keys(&fresh), keys(&self.lowering));
        self.check_stuck();
        let w = self.raising.wire_config();
        assert_eq!(w.render(), self.lowering.wire_config().render());
        let (raised, _) =
            Raising::new(&self.standby, &self.at_standby, w.clone(), Listing::default());
        assert_eq!(raised.config().render(), self.raising.config().render());
        assert_eq!(raised.config(), self.raising.config());
        assert_eq!(self.lowering.wire_digest(), self.raising.wire_digest(&self.standby));
        assert_eq!(self.lowering.listing(), self.raising.listing());
        let mut read = Config::factory(self.standby.levels());
        let s = self.raising.config().render();
        read.execute(&self.standby, self.standby.own(), &s).unwrap();
        assert_eq!(read.digest(), self.raising.config().digest(), "S is its image's: {s}");
    }

    /// The listing says of each line what an explanation of all lines says.
    fn check_stuck(&self) {
        let explained = self.lowering.explain(&self.active, &self.at_active).into_iter();
        let explained = explained.filter_map(|line| match line.way {
            LineDisposition::Stuck(cause) => Some((line.key, line.form, cause)),
            LineDisposition::AsIs
            | LineDisposition::Lowered { .. }
            | LineDisposition::Raised
            | LineDisposition::DontCare { .. } => None,
        });
        let mut explained: Vec<(ListKey, FormId, StuckCause)> = explained.collect();
        explained.sort();
        let stuck = self.lowering.stuck();
        let stuck: Vec<(ListKey, FormId, StuckCause)> =
            stuck.map(|(key, form, cause)| (key.clone(), form, cause.clone())).collect();
        assert_eq!(stuck, explained);
    }

    fn a(&self) -> String {
        self.lowering.config().render()
    }

    fn w(&self) -> String {
        self.lowering.wire_config().render()
    }

    fn s(&self) -> String {
        self.raising.config().render()
    }

    fn listed(&self) -> Vec<String> {
        let lines = self.lowering.listing().lines().iter();
        lines
            .map(|(key, listed)| {
                let between = if key.path.is_empty() { "" } else { " / " };
                alloc::format!("{}{between}{}: {}", &*key.path, &*key.line, listed.cause)
            })
            .collect()
    }
}

#[test]
fn a_rename_goes_down_at_the_active_and_up_at_the_standby() {
    let bgp = "router bgp 65000\n update-delay 5\n exit\n";
    let wait = "router bgp 65000\n bgp convergence-wait 5\n exit\n";
    let up = Pair::new("6.0", "6.2", bgp);
    assert_eq!((up.w(), up.s()), (bgp.to_string(), wait.to_string()));
    let down = Pair::new("6.2", "6.0", wait);
    assert_eq!((down.w(), down.s()), (bgp.to_string(), bgp.to_string()));
    assert!(down.listed().is_empty());
}

#[test]
fn a_no_of_what_is_on_by_default_travels_both_ways_and_back() {
    let text = "interface eth0\n no ip icmp redirects\n no ip proxy-arp\n";
    let mut pair = Pair::new("7.1", "6.2", text);
    assert_eq!(pair.s(), "interface eth0\n no ip redirects\n no ip proxy-arp\n exit\n");
    pair.execute("interface eth0\n ip icmp redirects\n");
    assert_eq!(pair.s(), "interface eth0\n no ip proxy-arp\n exit\n");
    pair.execute("interface eth0\n no ip icmp redirects\n ip proxy-arp\n");
    assert_eq!(pair.s(), "interface eth0\n no ip redirects\n exit\n");
    assert!(pair.listed().is_empty());

    let mut back = Pair::new("6.2", "7.1", "interface eth0\n no ip redirects\n");
    assert_eq!(back.s(), "interface eth0\n no ip icmp redirects\n exit\n");
    back.execute("interface eth0\n ip redirects\n");
    assert_eq!(back.s(), "interface eth0\n exit\n");
}

#[test]
fn half_a_split_is_stuck_and_the_other_half_frees_it() {
    let mut pair = Pair::new("7.1", "7.0", "router bgp 65000\n log neighbor up\n");
    assert_eq!(pair.s(), "router bgp 65000\n exit\n");
    assert_eq!(
        pair.listed(),
        ["router bgp 65000 / log neighbor up: goes only together with `[no] log neighbor down`"]
    );
    let lowered = pair.execute("router bgp 65000\n log neighbor down\n");
    assert_eq!(pair.s(), "router bgp 65000\n log neighbor-changes\n exit\n");
    assert_eq!(lowered.listing.lines.len(), 1);
    let lowered = pair.execute("router bgp 65000\n no log neighbor up\n");
    assert_eq!(pair.s(), "router bgp 65000\n exit\n");
    assert_eq!(lowered.causes.len(), 1);
}

#[test]
fn a_guarded_value_takes_the_old_line_with_it() {
    let mut pair = Pair::new("6.1", "6.0", "interface eth0\n mtu 1500\n");
    assert_eq!(pair.s(), "interface eth0\n mtu 1500\n exit\n");
    pair.execute("interface eth0\n mtu 9216\n");
    assert_eq!(pair.s(), "interface eth0\n exit\n");
    assert_eq!(pair.listed(), ["interface eth0 / mtu 9216: bytes 9216: only (68-1500) goes"]);
    pair.execute("interface eth0\n no mtu 9216\n");
    assert!(pair.listed().is_empty());
}

#[test]
fn a_value_that_only_the_peers_step_refuses_is_listed_at_the_active() {
    let pair = Pair::new("6.0", "7.1", "router bgp 65000\n update-delay 3600\n");
    assert_eq!(pair.s(), "router bgp 65000\n exit\n");
    assert_eq!(pair.listed().len(), 1);
}

#[test]
fn a_mode_move_makes_its_instance_and_takes_it_away() {
    let mut up = Pair::new("6.1", "6.2", "pim join-interval 60\n");
    assert_eq!(up.s(), "router pim\n join-interval 60\n exit\n");
    up.execute("no pim join-interval 60\n");
    assert_eq!(up.s(), "");
    let mut down = Pair::new("6.2", "6.1", "router pim\n join-interval 60\n rp 192.0.2.1\n");
    assert_eq!(down.s(), "pim join-interval 60\npim rp-address 192.0.2.1\n");
    down.execute("router pim\n join-interval 30\n");
    assert_eq!(down.s(), "pim rp-address 192.0.2.1\n");
    assert_eq!(down.listed().len(), 1);
    down.execute("no router pim\n");
    assert_eq!((down.s(), down.listed().len()), (String::new(), 0));
    down.execute("router pim\n");
    assert_eq!((down.s(), down.listed().len()), (String::new(), 1));
    down.execute("router pim\n rp 192.0.2.1\n");
    assert_eq!(down.listed().len(), 0);
}

#[test]
fn an_instance_that_a_move_made_is_not_sent_when_nothing_in_it_goes() {
    let up = Pair::new("6.1", "7.0", "radius-server timeout 600\n");
    assert_eq!(up.s(), "aaa radius\n timeout 600\n exit\n");
    let on = Pair::new("7.0", "7.1", "");
    let lowering = Lowering::new(&on.active, &on.at_active, up.raising.config());
    assert_eq!(lowering.wire_config().render(), "");
    assert_eq!(lowering.listing().lines().len(), 1);
}

#[test]
fn a_renamed_mode_entry_takes_its_lines_along() {
    let new = "router bgp 65000\n address-family ipv4 rt-constraint\n  \
               neighbor 192.0.2.1 activate\n  exit\n exit\n";
    let old = new.replace("rt-constraint", "rtc");
    let mut pair = Pair::new("6.2", "6.1", new);
    assert_eq!(pair.s(), old);
    pair.execute("router bgp 65000\n no address-family ipv4 rt-constraint\n");
    assert_eq!(pair.s(), "router bgp 65000\n exit\n");
    assert_eq!(Pair::new("6.1", "6.2", &old).s(), new);
}

#[test]
fn values_are_mapped_both_ways() {
    let pair = Pair::new("6.2", "6.1", "logging facility auth\n");
    assert_eq!(pair.s(), "logging facility security\n");
    let pair = Pair::new("6.1", "6.2", "logging facility protocols\n");
    assert_eq!(pair.s(), "logging facility local7\n");
}

#[test]
fn components_skewed_in_opposite_directions_go_in_one_session() {
    let a = "router bgp 65000\n log neighbor down\n log neighbor up\n exit\n\
             router ospf 1\n graceful-restart helper-only\n exit\n";
    let pair = Pair::new("6.1-m4", "6.2", a);
    let s = "router bgp 65000\n log neighbor-changes\n exit\n\
             router ospf 1\n graceful-restart helper enable\n exit\n";
    assert_eq!(pair.s(), s);
}

/// Lines of every form of an image, as batches.
fn lines_of(image: &Image) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, decl) in image.forms() {
        if !decl.lives_at(image.levels()[usize::from(decl.component.0)]) {
            continue;
        }
        let mut entries = Vec::new();
        let mut mode = decl.mode;
        while let Some(parent) = image.parent(mode) {
            let entry = image
                .forms()
                .map(|(_, entry)| entry)
                .filter(|entry| entry.enters == Some(mode))
                .find(|entry| entry.lives_at(image.levels()[usize::from(entry.component.0)]));
            let Some(entry) = entry else { break };
            let examples = entry.form.examples(4);
            let positive = examples.iter().find(|words| !words.text().starts_with("no "));
            entries.insert(0, positive.unwrap().written().into());
            mode = parent;
        }
        for words in decl.form.examples(6) {
            let mut batch: Vec<String> = entries.clone();
            batch.push(words.written().into());
            lines.push(batch.join("\n"));
        }
    }
    lines
}

const RELEASES: [&str; 6] = ["6.0", "6.1", "6.1-m4", "6.2", "7.0", "7.1"];

#[test]
fn every_form_commutes_between_all_releases_one_line_after_the_other() {
    for active in RELEASES {
        let lines = lines_of(&bundled::image(active).unwrap());
        for standby in RELEASES {
            let mut pair = Pair::new(active, standby, "");
            for batch in &lines {
                let mut a = pair.lowering.config().clone();
                if a.execute(&pair.active, pair.active.own(), batch).is_ok() {
                    pair.execute(batch);
                }
            }
        }
    }
}

#[test]
fn a_line_that_the_unit_refuses_is_held_out_with_its_group() {
    let mut pair = Pair::new("7.0", "7.1", "");
    let refuses = |_: &crate::config::LineKey, line: &crate::config::Line| {
        (line.words.text() == "log neighbor down").then_some(crate::config::Prc::Rejected)
    };
    let mut a = pair.lowering.config().clone();
    let batch = "router bgp 65000\n log neighbor-changes\n bgp always-compare-med\n";
    let edits = a.execute(&pair.active, pair.active.own(), batch).unwrap();
    let lowered = pair.lowering.edit(&pair.active, &pair.at_active, &edits, (Term(1), Lsn(1)));
    let text = render_edits(&pair.active, &lowered.wire);
    let wire = read_edits(&pair.standby, pair.at_standby.grammar(), &text).unwrap();
    let raised = pair.raising.apply_executing(
        &pair.standby,
        &pair.at_standby,
        &wire,
        &lowered.listing,
        &refuses,
    );
    assert_eq!(raised.mismatches.len(), 1);
    assert_eq!(raised.mismatches[0].text(), "router bgp 65000 / log neighbor-changes");
    assert_eq!(pair.s(), "router bgp 65000\n bgp always-compare-med\n exit\n");
    assert_eq!(pair.lowering.wire_digest(), pair.raising.wire_digest(&pair.standby));
    assert_eq!(pair.raising.held_out(&pair.standby).len(), 1);
    pair.execute("router bgp 65000\n no log neighbor-changes\n");
    assert!(pair.raising.held_out(&pair.standby).is_empty());
}

#[test]
fn what_stands_is_not_executed_again_where_something_comes_back() {
    let there = Pair::new("6.1", "6.0", "interface eth0\n mtu 9216\n speed 10\n");
    let kept = there.raising.kept(&there.standby, &there.at_standby);
    let (active, standby) = (there.standby, there.active);
    let dump = Dump::from_image(&active).encode();
    let at_standby = pair_at_standby(&standby, dump.as_bytes()).unwrap();
    let at_active = pair_at_active(&active, at_standby.diff_bytes()).unwrap();
    let (mut a, stamp) = (there.raising.config().clone(), (Term(2), Lsn(0)));
    let mut lowering = Lowering::new_owing(&active, &at_active, &a, &kept.into(), stamp);
    let w = Raising::read_w(&standby, &at_standby, &lowering.wire_bytes()).unwrap();
    let (mut raising, _) = Raising::new(&standby, &at_standby, w, lowering.listing().clone());
    assert!(raising.puts_back(), "{}", raising.config().render());

    let edits = a.execute(&active, active.own(), "hostname r1\n").unwrap();
    let lowered = lowering.edit(&active, &at_active, &edits, (Term(2), Lsn(1)));
    let text = render_edits(&active, &lowered.wire);
    let wire = read_edits(&standby, at_standby.grammar(), &text).unwrap();
    let refuses = |_: &crate::config::LineKey, line: &crate::config::Line| {
        (line.words.text() != "hostname r1").then_some(crate::config::Prc::Rejected)
    };
    let listing = &lowered.listing;
    let raised = raising.apply_executing(&standby, &at_standby, &wire, listing, &refuses);
    assert_eq!(raised.mismatches, []);
    let wanted = "interface eth0\n mtu 9216\n speed 10\n exit\nhostname r1\n";
    assert_eq!(raising.config().render(), wanted);
}

#[test]
fn what_a_unit_misapplied_shows_in_the_wire_digest() {
    let mut pair = Pair::new("6.1", "6.2", "pim join-interval 60\nhostname r1\n");
    let mut s = pair.raising.config().clone();
    let edits = s.execute(&pair.standby, pair.standby.own(), "router pim\n join-interval 61\n");
    pair.raising.disturb(&pair.standby, &pair.at_standby, &edits.unwrap());
    assert_ne!(pair.lowering.wire_digest(), pair.raising.wire_digest(&pair.standby));
}

#[test]
fn equal_images_share_everything() {
    let image = bundled::image("7.1").unwrap();
    let (at_active, at_standby) =
        (ActivePairing::equal(&image).unwrap(), StandbyPairing::equal(&image).unwrap());
    let mut a = Config::factory(image.levels());
    a.execute(&image, image.own(), "interface eth0\n mtu 9000\n").unwrap();
    let lowering = Lowering::new(&image, &at_active, &a);
    assert_eq!(lowering.wire_config(), &a);
    let w = Raising::read_w(&image, &at_standby, &lowering.wire_bytes()).unwrap();
    let (raising, mismatches) = Raising::new(&image, &at_standby, w, Listing::default());
    assert_eq!((raising.config(), mismatches.len()), (&a, 0));
    assert_eq!(at_active.compatibility(), crate::disposition::Compatibility::Comp);
}

#[test]
fn every_line_is_explained_by_one_disposition() {
    let text =
        "interface eth0\n mtu 9216\n exit\nrouter pim\n join-interval 60\n exit\nhostname r1\n";
    let pair = Pair::new("6.2", "6.0", text);
    let explained = pair.lowering.explain(&pair.active, &pair.at_active);
    let find = |line: &str| {
        let found = explained.iter().find(|found| *found.key.line == *line).unwrap();
        (found.way.clone(), found.out.iter().map(|key| key.line.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(
        find("hostname r1"),
        (LineDisposition::AsIs, alloc::vec!["hostname r1".to_string()])
    );
    assert!(matches!(find("mtu 9216").0, LineDisposition::Stuck(_)));
    let (way, out) = find("join-interval 60");
    assert!(matches!(way, LineDisposition::Lowered { .. }));
    assert_eq!(out, ["pim join-interval 60"]);
}

/// Batches drawn from every form of an image: a few lines each, set or negated.
fn history(image: &Image) -> impl Strategy<Value = Vec<String>> + use<> {
    let lines = lines_of(image);
    let batch = proptest::collection::vec(proptest::sample::select(lines), 1..4);
    proptest::collection::vec(batch.prop_map(|lines| lines.join("\nend\n")), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn any_history_commutes_between_any_two_releases(
        seed in 0usize..36,
        picks in any::<[u8; 32]>(),
    ) {
        let (active, standby) = (RELEASES[seed / 6], RELEASES[seed % 6]);
        let strategy = history(&bundled::image(active).unwrap());
        let config = proptest::test_runner::Config::default();
        let rng = proptest::test_runner::TestRng::from_seed(
            proptest::test_runner::RngAlgorithm::ChaCha,
            &picks,
        );
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, rng);
        let batches = strategy.new_tree(&mut runner).unwrap().current();
        let mut pair = Pair::new(active, standby, "");
        for batch in &batches {
            let mut a = pair.lowering.config().clone();
            if a.execute(&pair.active, pair.active.own(), batch).is_ok() {
                pair.execute(batch);
            }
        }
    }
}

#[cfg(feature = "planted")]
mod planted {
    use super::*;
    use crate::planted::{Defect, Planted};

    fn pair(defect: Defect, active: &str, standby: &str, text: &str) -> Pair {
        let mut pair = Pair::new(active, standby, text);
        pair.at_active = pair.at_active.planted(&pair.active, Planted::defect(defect));
        pair
    }

    #[test]
    #[should_panic(expected = "W from")]
    fn a_guarded_value_that_leaves_the_old_line_is_seen() {
        pair(Defect::GuardedLeavesOld, "6.1", "6.0", "interface eth0\n mtu 1500\n")
            .execute("interface eth0\n mtu 9216\n");
    }

    #[test]
    #[should_panic(expected = "Peer(Unchanged)")]
    fn a_no_of_an_unsent_line_is_seen() {
        pair(Defect::NoOfUnsent, "6.1", "6.0", "interface eth0\n mtu 9216\n")
            .execute("interface eth0\n no mtu 9216\n");
    }

    #[test]
    #[should_panic(expected = "no such command")]
    fn a_way_that_ends_between_the_two_images_is_seen() {
        pair(Defect::AdlWithoutSdl, "6.2", "6.0", "router bgp 65000\n")
            .execute("router bgp 65000\n bgp convergence-wait 5\n");
    }
}
