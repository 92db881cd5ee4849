use std::collections::BTreeSet;

use skewsync::config::Config;
use skewsync::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::grammar::{Form, Sign};
use skewsync::image::{Family, FormDecl, Image, ImportedForm, ImportedMode, ROOT, bundled, import};
use skewsync::translate::{ListKey, Listing, Lowering, Raising};

use super::{Fared, Reference, Way};

const RELEASES: [&str; 6] = ["6.0", "6.1", "6.1-m4", "6.2", "7.0", "7.1"];

/// A family in which two lines become one, and that one another.
const HALVES: [(&str, &str); 2] = [
    ("family.toml", include_str!("../tests/halves/family.toml")),
    ("base.toml", include_str!("../tests/halves/base.toml")),
];

/// The engine's way between two images.
struct Engine<'a> {
    active: &'a Image,
    standby: &'a Image,
    at_active: ActivePairing,
    at_standby: StandbyPairing,
}

/// W, S, the MCL and what is not raised, as text.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    wire: String,
    standby: String,
    listed: BTreeSet<(String, String)>,
    unraised: BTreeSet<(String, String)>,
}

impl<'a> Engine<'a> {
    fn between(active: &'a Image, standby: &'a Image) -> Self {
        let (at_active, at_standby) = if active.digest() == standby.digest() {
            let there = StandbyPairing::equal(standby).unwrap();
            (ActivePairing::equal(active).unwrap(), there)
        } else {
            let dump = Dump::from_image(active).encode();
            let there = pair_at_standby(standby, dump.as_bytes()).unwrap();
            (pair_at_active(active, there.diff_bytes()).unwrap(), there)
        };
        Self { active, standby, at_active, at_standby }
    }

    fn translate(&self, a: &Config) -> Outcome {
        let lowering = Lowering::new(self.active, &self.at_active, a);
        let bytes = lowering.wire_bytes();
        let w = Raising::read_w(self.standby, &self.at_standby, &bytes).unwrap();
        let (raising, mismatches) =
            Raising::new(self.standby, &self.at_standby, w, Listing::default());
        assert_eq!(mismatches, []);
        let listed = lowering.listing().lines().keys();
        let said = |key: &ListKey| (key.path.to_string(), key.line.to_string());
        let unraised = raising.unraised(self.standby);
        assert_eq!(
            lowering.wire_digest(),
            raising.wire_config().digest(),
            "W is read as it was sent"
        );
        Outcome {
            wire: lowering.wire_config().render(),
            standby: raising.config().render(),
            listed: listed.map(said).collect(),
            unraised: unraised.iter().map(|each| said(&each.key)).collect(),
        }
    }
}

fn config(image: &Image, text: &str) -> Config {
    let mut config = Config::factory(image.levels());
    config.execute(image, image.own(), text).unwrap();
    config
}

fn by_reference(reference: &Reference<'_>, a: &Config) -> Outcome {
    let translated = reference.translate(a);
    Outcome {
        wire: translated.wire.render(),
        standby: translated.standby.render(),
        listed: translated.listed,
        unraised: translated.unraised,
    }
}

/// Both translate `a` to the same; what the Standby would hold is taken by its own parser as it
/// stands.
fn agree(reference: &Reference<'_>, engine: &Engine<'_>, a: &Config) {
    let (reference, engine_says) = (by_reference(reference, a), engine.translate(a));
    let pair = || format!("{} -> {}", engine.active.name(), engine.standby.name());
    assert_eq!(reference, engine_says, "{} of\n{}", pair(), a.render());
    let again = config(engine.standby, &reference.standby);
    assert_eq!(again.render(), reference.standby, "{}", pair());
}

/// Every pair of releases, both ways, and each with itself.
fn each_pair(check: impl Fn(&Reference<'_>, &Engine<'_>)) {
    let images: Vec<Image> =
        RELEASES.iter().map(|release| bundled::image(release).unwrap()).collect();
    for active in &images {
        for standby in &images {
            let reference = Reference::between(active, standby);
            check(&reference, &Engine::between(active, standby));
        }
    }
}

/// Lines of every form that lives in an image, each with the entries of its modes before it.
fn batches(image: &Image) -> Vec<String> {
    let alive = |decl: &&FormDecl| decl.lives_at(image.levels()[usize::from(decl.component.0)]);
    let positive = |form: &Form| -> Vec<String> {
        let examples = form.examples(8).into_iter();
        let positive = examples.filter(|words| words.sign() == Sign::Positive);
        positive.map(|words| words.written().into()).collect()
    };
    let mut batches = Vec::new();
    for decl in image.forms().map(|(_, decl)| decl).filter(alive) {
        let mut around = Vec::new();
        let mut mode = decl.mode;
        while let Some(parent) = image.parent(mode) {
            let mut entries = image.forms().map(|(_, decl)| decl).filter(alive);
            let entry = entries.find(|entry| entry.enters == Some(mode)).unwrap();
            around.insert(0, positive(&entry.form).remove(0));
            mode = parent;
        }
        for line in positive(&decl.form) {
            batches.push(format!("{}\n{line}\nend\n", around.join("\n")));
        }
    }
    batches
}

#[test]
fn the_engine_translates_the_example_configs_as_the_reference_does() {
    each_pair(|reference, engine| {
        let release = &engine.active.declarations().release;
        let text = bundled::config(release).unwrap();
        agree(reference, engine, &config(engine.active, text));
    });
}

#[test]
fn the_engine_translates_lines_of_every_form_as_the_reference_does() {
    each_pair(|reference, engine| {
        let all = batches(engine.active);
        // Neighbours together: what belongs to one mode, or one group, meets.
        for few in all.chunks(12) {
            let text = few.concat();
            agree(reference, engine, &config(engine.active, &text));
        }
        // Every other line and every third one: parts of groups alone.
        for step in [2, 3, 5] {
            let some: String = all.iter().step_by(step).map(String::as_str).collect();
            agree(reference, engine, &config(engine.active, &some));
        }
        agree(reference, engine, &config(engine.active, &all.concat()));
    });
}

#[test]
fn what_a_standby_took_over_is_translated_on_as_the_reference_does() {
    let images: Vec<Image> =
        RELEASES.iter().map(|release| bundled::image(release).unwrap()).collect();
    each_pair(|first, engine| {
        let text = bundled::config(&engine.active.declarations().release).unwrap();
        let more = "aaa radius\n timeout 600\n retransmit 3\n exit\nrouter pim\n join-interval \
                    30\n exit\n\
                    radius-server timeout 600\npim join-interval 60\n";
        let mut a = config(engine.active, text);
        for line in [more, "router pim\n join-interval 30\n", "radius-server timeout 600\n"] {
            // Each image takes some of it.
            let _ = a.execute(engine.active, engine.active.own(), line);
        }
        let taken_over = first.translate(&a).standby;
        for next in &images {
            let reference = Reference::between(engine.standby, next);
            agree(&reference, &Engine::between(engine.standby, next), &taken_over);
        }
    });
}

#[test]
fn an_instance_that_a_move_made_is_not_sent_when_nothing_in_it_goes() {
    let image = |release| bundled::image(release).unwrap();
    let (oldest, middle, newest) = (image("6.0"), image("7.0"), image("7.1"));
    let a = config(&oldest, "radius-server timeout 600\n");
    let taken_over = Reference::between(&oldest, &middle).translate(&a).standby;
    assert_eq!(taken_over.render(), "aaa radius\n timeout 600\n exit\n");
    let reference = Reference::between(&middle, &newest);
    agree(&reference, &Engine::between(&middle, &newest), &taken_over);
    assert_eq!(reference.translate(&taken_over).standby.render(), "");
}

/// What `text` on the one release comes to at the other: W, S, and what is listed.
fn said(active: &str, standby: &str, text: &str) -> (String, String, Vec<String>) {
    let (active, standby) = (bundled::image(active), bundled::image(standby));
    let (active, standby) = (active.unwrap(), standby.unwrap());
    let reference = Reference::between(&active, &standby);
    let translated = reference.translate(&config(&active, text));
    let listed = translated.listed.into_iter().map(|(path, line)| {
        let between = if path.is_empty() { "" } else { " / " };
        format!("{path}{between}{line}")
    });
    let (wire, standby) = (translated.wire.render(), translated.standby.render());
    (wire, standby, listed.collect())
}

#[test]
fn a_chain_of_three_levels_is_gone_down_and_up() {
    let none: Vec<String> = Vec::new();
    let (old, new) = ("smp_affinity ff\n", "irq balance mask ff\n");
    assert_eq!(said("7.1", "6.0", new), (old.into(), old.into(), none.clone()));
    assert_eq!(said("6.0", "7.1", old), (old.into(), new.into(), none));
}

#[test]
fn half_a_split_cannot_go_down_and_the_whole_goes_up() {
    let old = "router ospf 1\n timers lsa 5\n exit\n";
    let new = "router ospf 1\n timers lsa arrival 5\n timers lsa generation 5\n exit\n";
    let half = "router ospf 1\n timers lsa arrival 5\n exit\n";
    let unlike = "router ospf 1\n timers lsa arrival 5\n timers lsa generation 6\n exit\n";
    assert_eq!(said("6.2", "7.0", old), (old.into(), new.into(), vec![]));
    assert_eq!(said("7.0", "6.2", new), (old.into(), old.into(), vec![]));
    let (_, standby, listed) = said("7.0", "6.2", half);
    assert_eq!(standby, "router ospf 1\n exit\n");
    assert_eq!(listed, ["router ospf 1 / timers lsa arrival 5"]);
    assert_eq!(said("7.0", "6.2", unlike).2.len(), 2);
}

/// Every subset of lines that are merged, of which some cannot go for their value at the first or
/// at a later step, and some for what stands beside them.
#[test]
fn parts_of_merges_are_sent_and_told_as_the_reference_says() {
    let family = Family::parse(&HALVES).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let images = ["1", "2", "3"].map(|release| family.image(release).expect("a release"));
    let lines = [
        "interface e0\n rate 6\n exit\n",
        "interface e0\n burst 5\n exit\n",
        "interface e1\n rate 60\n exit\n",
        "interface e1\n burst 600\n exit\n",
        "peer a\n",
        "peer b\n",
        "peer-timer 5\n",
    ];
    for standby in &images[1..] {
        let reference = Reference::between(&images[0], standby);
        let engine = Engine::between(&images[0], standby);
        for chosen in 0_u32..1 << lines.len() {
            let chosen = |at: &usize| chosen >> at & 1 == 1;
            let text: String = (0..lines.len()).filter(chosen).map(|at| lines[at]).collect();
            agree(&reference, &engine, &config(&images[0], &text));
        }
    }
}

#[test]
fn a_mode_move_empties_its_instance_and_an_empty_one_is_listed() {
    let (_, standby, listed) = said("6.2", "6.0", "router pim\n rp 192.0.2.1\n exit\n");
    assert_eq!((standby.as_str(), listed.len()), ("pim rp-address 192.0.2.1\n", 0));
    let (_, standby, listed) = said("6.2", "6.0", "router pim\n exit\n");
    assert_eq!((standby.as_str(), listed), ("", vec!["router pim".to_string()]));
}

#[test]
fn values_beyond_the_other_side_stay_behind_at_either_end() {
    let jumbo = "interface eth0\n mtu 9216\n exit\n";
    let (wire, _, listed) = said("6.1", "6.0", jumbo);
    assert_eq!(wire, "interface eth0\n exit\n");
    assert_eq!(listed, ["interface eth0 / mtu 9216"]);
    // The newer Standby would refuse it, so it is not sent.
    let long = "router bgp 65000\n update-delay 3600\n exit\n";
    let (wire, _, listed) = said("6.0", "7.1", long);
    assert_eq!(wire, "router bgp 65000\n exit\n");
    assert_eq!(listed, ["router bgp 65000 / update-delay 3600"]);
}

#[test]
fn a_flag_says_one_value_and_no_other() {
    let (_, standby, listed) = said("7.0", "7.1", "system reboot-on-panic true\n");
    assert_eq!((standby.as_str(), listed.len()), ("system panic-reboot\n", 0));
    let (_, standby, listed) = said("7.0", "7.1", "system reboot-on-panic false\n");
    assert_eq!((standby.as_str(), listed.len()), ("", 1));
}

#[test]
fn a_renamed_entry_takes_its_lines_along_and_a_list_keeps_its_order() {
    let new = "policy-map type qos gold\n class voice\n  set precedence 5\n  exit\n exit\n";
    let old = "policy-map gold\n class voice\n  set precedence critical\n  exit\n exit\n";
    let at = |release, text| {
        let image = bundled::image(release).unwrap();
        config(&image, text).render()
    };
    let (_, standby, _) = said("7.0", "6.0", new);
    assert_eq!(standby, at("6.0", old));
    let (_, standby, _) = said("6.0", "7.0", old);
    assert_eq!(standby, at("7.0", new));
    let list = "ip as-path access-list own\n permit z\n deny a\n permit m\n exit\n";
    let entries =
        "ip as-path access-list own\n entry permit z\n entry deny a\n entry permit m\n exit\n";
    assert_eq!(said("6.0", "7.1", list).1, entries);
    assert_eq!(said("7.1", "6.0", entries).1, list);
}

#[test]
fn a_line_that_need_not_go_is_neither_sent_nor_listed() {
    let (active, standby) = (bundled::image("6.2"), bundled::image("6.1"));
    let (active, standby) = (active.unwrap(), standby.unwrap());
    let a = config(&active, "platform counters interval 5\n");
    let translated = Reference::between(&active, &standby).translate(&a);
    assert_eq!(translated.standby.render(), "");
    assert!(translated.listed.is_empty());
    let fared = Fared {
        path: String::new(),
        line: "platform counters interval 5".into(),
        way: Way::DontCare,
    };
    assert_eq!(translated.lines, [fared]);
}

/// An image without history: these forms in its root mode, and those in `box NAME`.
fn imported(release: &str, root: &[&str], inner: &[&str]) -> Image {
    let form = |mode: &str, form: &str| ImportedForm {
        mode: mode.into(),
        form: form.into(),
        component: String::new(),
    };
    let mut forms = vec![form(ROOT, "[no] box WORD$name")];
    forms.extend(root.iter().map(|text| form(ROOT, text)));
    forms.extend(inner.iter().map(|text| form("box", text)));
    let modes =
        [ImportedMode { name: "box".into(), parent: None, enter: vec!["[no] box WORD".into()] }];
    let (image, rejected) = import("other", release, &forms, &modes).unwrap();
    assert_eq!(rejected, []);
    image
}

#[test]
fn without_history_a_line_goes_if_the_peer_reads_it_as_it_stands() {
    let one = imported(
        "1",
        &["[no] log WORD$name", "[no] color <blue|red>$shade", "[no] size (1-9)$size", "[no] lamp"],
        &["[no] lid <open|shut>", "[no] depth (1-99)$depth"],
    );
    let other = imported(
        "2",
        &[
            "log <all|none>$what",
            "[no] color <red|green>$shade",
            "[no] size (1-5)$size",
            "lamp",
            "no lamp",
        ],
        &["[no] lid <shut|open>", "[no] depth (1-50)$depth", "[no] depth (40-60)$depth more"],
    );
    let text = "log none\nlog other\ncolor red\nsize 9\nsize 5\nlamp\nbox a\n lid open\n depth \
                60\n exit\n\
                box b\n depth 5\n exit\nno color blue\n";
    let a = config(&one, text);
    let reference = Reference::between(&one, &other);
    agree(&reference, &Engine::between(&one, &other), &a);
    let translated = reference.translate(&a);
    assert_eq!(
        translated.standby.render(),
        "log none\ncolor red\nsize 5\nlamp\nbox a\n lid open\n exit\nbox b\n depth 5\n exit\n"
    );
    let back = Reference::between(&other, &one);
    let there = config(&other, "lamp\nlog all\nsize 5\ncolor green\nbox a\n depth 50\n exit\n");
    agree(&back, &Engine::between(&other, &one), &there);
}
