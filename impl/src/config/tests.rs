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

/// The family of `text`, at release 1: its root takes banners, a mode notes and strings.
fn with_texts() -> Image {
    use crate::image::Family;
    let table = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n";
    let component = "component = 'a'\n\
        [[command]]\nmode = 'config'\nform = '[no] banner WORD$w ^TEXT^$t'\nkey = ['w']\n\
        [[mode]]\nname = 'm'\nparent = 'config'\nenter = '[no] m \"WORD\"$n'\n\
        [[command]]\nmode = 'm'\nform = '[no] cert ^TEXT:quit^$t'\n\
        [[command]]\nmode = 'm'\nform = '[no] say \"WORD\"...$s'\n\
        [[command]]\nmode = 'm'\nform = '[no] list \"WORD\"$s'\nkey = ['s']\nordered = true\n";
    let family = Family::parse(&[("family.toml", table), ("a.toml", component)]);
    family.unwrap_or_else(|errors| panic!("{}", errors[0])).image("1").unwrap()
}

/// Lines of a text: of blanks, equal ones, and such as commands and edits are.
const TEXT_LINE: &str = "[a-c ]{0,4}|no m \"x y\"|exit|end|\\+\ta|banner x";

proptest! {
    #[test]
    fn a_text_comes_back_to_the_byte(
        banner in "[a-c \t\r\n^\"\u{1a}\u{1}é]{0,30}",
        lines in proptest::collection::vec(TEXT_LINE, 0..6),
        string in "[a-c \t'é]{1,9}",
    ) {
        let image = with_texts();
        let cert = lines.iter().map(|line| alloc::format!("{line}\n")).collect::<String>();
        let banner = alloc::format!("banner x #{banner}#\n");
        let within = alloc::format!(
            "m \"x y\"\n say \"{string}\" b\n list \"{string}\"\n list b\n cert\n{cert} quit\n"
        );
        let mut typed = Config::factory(image.levels());
        let mut edits = run(&mut typed, &image, &within);
        edits.extend(run(&mut typed, &image, &banner));
        let text = typed.render();
        prop_assert!(text.ends_with(&banner), "{text}");
        prop_assert!(text.contains(&alloc::format!(" cert\n{cert} quit\n")), "{text}");
        prop_assert!(text.contains(&alloc::format!(" say \"{string}\" b\n")), "{text}");
        // As a whole.
        let mut read = Config::factory(image.levels());
        run(&mut read, &image, &text);
        prop_assert_eq!(&read, &typed);
        prop_assert_eq!(read.render(), text);
        // Line by line, and away again.
        let sent = render_edits(&image, &edits);
        prop_assert_eq!(sent.lines().count(), edits.len());
        let mut there = Config::factory(image.levels());
        for edit in read_edits(&image, image.own(), &sent).unwrap() {
            there.apply(&image, &edit);
        }
        prop_assert_eq!(&there, &typed);
        run(&mut there, &image, "no banner x\nno m \"x y\"\n");
        prop_assert!(there.is_empty());
    }
}

/// At release 1: lists of both kinds, with lines that add and take.
fn with_lists() -> Image {
    use crate::image::Family;
    let table = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n";
    let list = |form: &str, key: &str| {
        alloc::format!("[[command]]\nmode = 'config'\nform = '[no] {form}'\nkey = [{key}]\n")
    };
    let alias = |form: &str, reads: &str, edit: &str| {
        alloc::format!("[[alias]]\nform = '{form}'\nreads = ['{reads}']\n{edit} = 'l'\n")
    };
    let component = [
        "component = 'a'\n".into(),
        list("vlan WORD$w (1-40),...$l [tagged$t]", "'w'"),
        alias("vlan add WORD$w (1-40),...$l", "vlan WORD$w (1-40),...$l", "adds"),
        alias("vlan take WORD$w (1-40),...$l", "vlan WORD$w (1-40),...$l", "takes"),
        list("servers WORD...$l", ""),
        alias("servers-too WORD...$l", "servers WORD...$l", "adds"),
    ];
    let family = Family::parse(&[("family.toml", table), ("a.toml", &component.concat())]);
    family.unwrap_or_else(|errors| panic!("{}", errors[0])).image("1").unwrap()
}

#[test]
fn what_adds_to_a_list_keeps_the_rest_of_its_line() {
    let image = with_lists();
    let mut config = Config::factory(image.levels());
    run(&mut config, &image, "vlan a 3,1 tagged\nvlan add a 2\nvlan add b 7\nvlan take c 1\n");
    assert_eq!(config.render(), "vlan a 1-3 tagged\nvlan b 7\n");
    assert!(run(&mut config, &image, "vlan add a 1-2\nvlan take a 40\n").is_empty());
    let edits = run(&mut config, &image, "vlan take a 1-40\nno vlan add b 7\n");
    assert!(edits.iter().all(|edit| matches!(edit, Edit::Unset(_))) && config.is_empty());
    run(&mut config, &image, "servers s1\nservers-too s3 s2 s1\nno servers-too s1\n");
    assert_eq!(config.render(), "servers s3 s2\n");
}

#[test]
fn a_list_that_grows_beyond_what_is_read_as_a_line_is_refused() {
    let image = with_lists();
    let mut config = Config::factory(image.levels());
    let some =
        |from: u32| (from..from + 100).map(|n| alloc::format!(" server-{n}")).collect::<String>();
    run(&mut config, &image, &alloc::format!("servers{}", some(0)));
    run(&mut config, &image, &alloc::format!("servers-too{}", some(100)));
    let before = config.clone();
    let more = alloc::format!("servers-too{}", some(200));
    let refused = config.execute(&image, image.own(), &more).unwrap_err();
    assert!(matches!(refused.trouble, crate::parse::LineError::NoMatch { .. }), "{refused}");
    assert_eq!(config, before);
    let long = alloc::format!("servers-too {} {}", "a".repeat(5_000), "b".repeat(3_000));
    let refused = config.execute(&image, image.own(), &long).unwrap_err();
    assert!(matches!(refused.trouble, crate::parse::LineError::TooLong { .. }), "{refused}");
}

proptest! {
    #[test]
    fn a_list_in_parts_is_the_list_typed_whole(
        parts in proptest::collection::vec((any::<bool>(), 1..40u8, 0..6u8), 1..10),
    ) {
        let image = with_lists();
        let mut config = Config::factory(image.levels());
        let mut whole = alloc::collections::BTreeSet::new();
        for (adds, from, more) in parts {
            let to = from.saturating_add(more).min(40);
            let verb = if adds { "add" } else { "take" };
            run(&mut config, &image, &alloc::format!("vlan {verb} a {from}-{to}"));
            for vlan in from..=to {
                if adds { whole.insert(vlan); } else { whole.remove(&vlan); }
            }
        }
        let mut typed = Config::factory(image.levels());
        if !whole.is_empty() {
            let list = whole.iter().rev().map(|vlan| alloc::format!("{vlan}"));
            let list: Vec<String> = list.collect();
            run(&mut typed, &image, &alloc::format!("vlan a {}", list.join(",")));
        }
        prop_assert_eq!(&config, &typed);
        prop_assert_eq!(config.render(), typed.render());
    }
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
        let every = alloc::vec![true; image.forms().count()];
        let all = |config: &Config| Touched::from_config(config, &every);
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
