use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::render::{read_edits, render_edits};
use super::*;
use crate::image::{Image, bundled};
use crate::translate::Touched;

fn run(config: &mut Config, image: &Image, batch: &str) -> Vec<Edit> {
    config.execute(image, image.own(), batch).unwrap()
}

#[test]
fn a_new_value_replaces_the_old_one() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "interface eth0\n mtu 1500\n");
    run(&mut config, &image, "interface eth0\n mtu 9000\n");
    assert_eq!(config.render(), "interface eth0\n mtu 9000\n exit\n");
    assert!(run(&mut config, &image, "interface eth0\n mtu 9000\n").is_empty());
}

#[test]
fn a_line_goes_from_an_image_that_writes_its_form_otherwise() {
    use crate::image::{ImportedForm, ImportedMode, import};
    let image = |release: &str, forms: &[&str]| {
        let forms: Vec<ImportedForm> = forms
            .iter()
            .map(|form| ImportedForm {
                mode: "config".into(),
                form: (*form).into(),
                component: "core".into(),
            })
            .collect();
        let mode = ImportedMode { name: "config".into(), parent: None, enter: Vec::new() };
        import("other", release, &forms, &[mode]).unwrap().0
    };
    let sender = image("1", &["distance (0-255)", "weight (1-9)", "no weight"]);
    let receiver = image("2", &["distance (1-255)", "weight (1-8)", "no weight"]);
    for line in ["distance 7", "no weight"] {
        let (mut here, mut there) =
            (Config::factory(sender.levels()), Config::factory(receiver.levels()));
        run(&mut there, &receiver, line);
        let mut edits = run(&mut here, &sender, line);
        let Some(Edit::Set { line: key, .. }) = edits.pop() else { panic!("{line} is set") };
        let text = render_edits(&sender, &[Edit::Unset(key)]);
        for edit in read_edits(&receiver, receiver.own(), &text).unwrap() {
            there.apply(&receiver, &edit);
        }
        assert!(there.is_empty(), "{line}: {text}");
    }
}

#[test]
fn a_no_line_is_stored_where_the_line_itself_is_the_default() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "interface eth0\n");
    let default = config.clone();
    let unchanged = run(&mut config, &image, "interface eth0\n ip redirects\n");
    assert!(unchanged.is_empty(), "the default is not written");
    let edits = run(&mut config, &image, "interface eth0\n no ip redirects\n");
    assert_eq!(edits.len(), 1);
    assert_ne!(config.digest(), default.digest());
    assert_eq!(config.render(), "interface eth0\n no ip redirects\n exit\n");
    let again = run(&mut config, &image, "interface eth0\n no ip redirects\n");
    assert!(again.is_empty());

    let text = render_edits(&image, &edits);
    assert_eq!(read_edits(&image, image.own(), &text).unwrap(), edits);
    let mut read = Config::factory(image.levels());
    run(&mut read, &image, &config.render());
    assert_eq!(read, config);

    run(&mut config, &image, "interface eth0\n ip redirects\n");
    assert_eq!(config, default);
}

#[test]
fn a_no_line_removes_where_the_default_is_a_value_or_nothing() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "router pim\n");
    let default = config.clone();
    run(&mut config, &image, "router pim\n join-interval 90\n");
    run(&mut config, &image, "router pim\n no join-interval 90\n");
    assert_eq!(config, default);
    assert!(run(&mut config, &image, "router pim\n no join-interval 90\n").is_empty());
}

#[test]
fn a_mode_takes_its_children_along() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    let empty = config.clone();
    run(
        &mut config,
        &image,
        "router bgp 65000\n address-family ipv4 unicast\n network 10.0.0.0/8\n",
    );
    assert_eq!(config.entries().count(), 2);
    run(&mut config, &image, "no router bgp 65000");
    assert_eq!(config, empty);
}

#[test]
fn a_refused_line_leaves_nothing_of_its_batch() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    let before = config.clone();
    let refused = config.execute(&image, image.own(), "hostname r1\nhostnme r2\n").unwrap_err();
    assert_eq!(refused.number, 2);
    assert_eq!(config, before);
}

/// Batches over lines that the bundled family takes at every release.
fn batches() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        (0..3u8).prop_map(|n| alloc::format!("hostname r{n}")),
        (0..3u8, 68..72u16).prop_map(|(n, mtu)| alloc::format!("interface eth{n}\nmtu {mtu}")),
        (0..3u8).prop_map(|n| alloc::format!("interface eth{n}\nno mtu 70")),
        (0..3u8).prop_map(|n| alloc::format!("no interface eth{n}")),
        (0..3u8).prop_map(|n| alloc::format!(
            "ip access-list extended a\n{} permit ip any any\nexit\n\
             ip access-list standard b\npermit 10.0.{n}.0/24",
            n + 1,
        )),
        (0..3u8).prop_map(|n| alloc::format!("ntp server 192.0.2.{n}")),
        (0..3u8).prop_map(|n| alloc::format!("ip access-list standard b\nno permit 10.0.{n}.0/24")),
        (0..3u8).prop_map(|n| alloc::format!("no ntp server 192.0.2.{n}")),
    ];
    proptest::collection::vec(line, 0..12)
}

proptest! {
    #[test]
    fn edits_and_texts_lead_to_the_same_config(first in batches(), second in batches()) {
        let image = bundled::image("6.2").unwrap();
        let grammar = image.own();
        let mut before = Config::factory(image.levels());
        first.iter().for_each(|batch| { run(&mut before, &image, batch); });
        let mut after = before.clone();
        let mut replayed = before.clone();
        for batch in &second {
            for edit in run(&mut after, &image, batch) {
                replayed.apply(&image, &edit);
            }
        }
        prop_assert_eq!(&replayed, &after);
        prop_assert_eq!(replayed.render(), after.render());
        let mut differed = before.clone();
        let all = |config: &Config| Touched::from_config(config, &alloc::vec![true; image.forms().count()]);
        let mut touched = all(&before);
        touched.add(all(&after));
        let text = render_edits(&image, &touched.difference(&before, &after));
        for edit in read_edits(&image, grammar, &text).unwrap() {
            differed.apply(&image, &edit);
        }
        prop_assert_eq!(&differed, &after);
        prop_assert_eq!(differed.render(), after.render());
        let mut read = Config::factory(image.levels());
        run(&mut read, &image, &after.render());
        prop_assert_eq!(&read, &after);
        prop_assert_eq!(read.render(), after.render());
    }
}

#[test]
fn what_is_typed_again_keeps_its_place_and_what_was_taken_away_comes_last() {
    let image = bundled::image("6.2").unwrap();
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "hostname a\ninterface eth0\nexit\nntp server 192.0.2.1\n");
    run(&mut config, &image, "hostname b\ninterface eth0\nmtu 70\n");
    assert_eq!(
        config.render(),
        "hostname b\ninterface eth0\n mtu 70\n exit\nntp server 192.0.2.1\n"
    );
    run(&mut config, &image, "no interface eth0\ninterface eth0\n");
    assert_eq!(config.render(), "hostname b\nntp server 192.0.2.1\ninterface eth0\n exit\n");
}

#[test]
fn an_imported_line_that_is_said_again_is_said_last() {
    use crate::image::{ImportedForm, ImportedMode, import};
    let form = |form: &str| ImportedForm {
        mode: "config".into(),
        form: form.into(),
        component: "core".into(),
    };
    let forms = ["hostname WORD", "[no] timers (1-9) (1-9)", "log WORD"].map(form);
    let mode = ImportedMode { name: "config".into(), parent: None, enter: Vec::new() };
    let image = import("other", "1", &forms, &[mode]).unwrap().0;
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "hostname zed\nlog x\nhostname abc\n");
    let before = config.digest();
    assert!(run(&mut config, &image, "hostname abc\n").is_empty());
    run(&mut config, &image, "hostname zed\n");
    assert_eq!(config.render(), "log x\nhostname abc\nhostname zed\n");
    assert_ne!(config.digest(), before, "the order is a part of what it says");
}
