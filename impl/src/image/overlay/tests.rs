//! A small command set of our own, three releases of it, and what an overlay says of them.

use alloc::format;

use super::*;
use crate::config::Config;
use crate::disposition::{ActivePairing, pair_at_active, pair_at_standby};
use crate::dump::Dump;
use crate::image::bundled;
use crate::translate::{Listing, Lowering, Raising};

const FAMILY: &str = "family = 'o'\ncomponents = ['a']\nprofiles = ['plain', 'dense']\n\
                      [[release]]\nname = '1'\nlevels = { a = 1 }\n\
                      [[release]]\nname = '2'\nlevels = { a = 2 }\n\
                      [[release]]\nname = '3'\nlevels = { a = 3 }\n";

const OVERLAY: &str = "component = 'a'\n\
    [[lines]]\nmode = ['config', 'serv*']\nbegin = '''\n\
    hostname\nserver $host port\nserver $host route-map _ $way\n'''\n\
    [[lines]]\nmode = 'config'\nwhole = true\nlist = 'acl $name'\nbegin = '''\nacl $name\n'''\n\
    [[command]]\nmode = 'config'\nform = 'wrote by WORD$who'\n\
    [[dont_care]]\nmode = 'config'\nform = 'wrote by WORD$who'\nnever = true\nreason = 'own'\n\
    [[mode]]\nname = 'pim'\nparent = 'config'\nsince = 2\nenter = '[no] pim'\n\
    [[command]]\nmode = 'config'\nform = '[no] pim rp A.B.C.D$rp'\nkey = ['rp']\n\
    [[change]]\nlevel = 2\nwhy = 'a mode of its own'\nkey = ['rp']\n\
    old = [{ mode = 'config', form = '[no] pim rp A.B.C.D$rp' }]\n\
    new = [{ mode = 'pim', form = '[no] rp A.B.C.D$rp' }]\n\
    [[alias]]\nform = 'pim rp A.B.C.D$rp'\nmode = 'config'\nreads = ['pim: rp A.B.C.D$rp']\n\
    since = 2\n";

const PLAIN: &str = "component = 'a'\nprofile = 'plain'\n\
    [[command]]\nmode = 'config'\nform = '[no] policy'\ndefault = {}\n";
const DENSE: &str = "component = 'a'\nprofile = 'dense'\n\
    [[command]]\nmode = 'config'\nform = '[no] policy'\n";

fn overlay_of(text: &str, profile: Option<&str>) -> Family {
    let files =
        [("family.toml", FAMILY), ("a.toml", text), ("plain.toml", PLAIN), ("dense.toml", DENSE)];
    let (family, errors) = Family::read_profile(&files, profile);
    assert_eq!(errors, [], "{}", errors.first().map(ToString::to_string).unwrap_or_default());
    family.unwrap()
}

/// What each release has: mode, form.
fn set(release: &str) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("config", "hostname WORD"),
        ("config", "server WORD$h port (1-9)"),
        ("config", "no server WORD port [(1-9)]"),
        ("config", "server WORD route-map RMAP <in|out>"),
        ("config", "[no] acl WORD [seq (1-9)] <permit|deny> A.B.C.D"),
        ("config", "odd WORD"),
        ("config", "wrote by WORD"),
        ("config", "policy"),
        ("config", "no policy"),
    ];
    let own: &[_] = match release {
        "1" => &[("config", "pim rp A.B.C.D"), ("config", "no pim rp [A.B.C.D]")],
        "2" => &[
            ("config", "pim rp A.B.C.D$addr"),
            ("config", "no pim rp A.B.C.D"),
            ("config", "pim"),
            ("pim", "rp A.B.C.D"),
            ("pim", "no rp A.B.C.D"),
        ],
        _ => &[("config", "pim"), ("pim", "rp A.B.C.D"), ("pim", "no rp A.B.C.D")],
    };
    all.iter().chain(own).copied().collect()
}

fn over(overlay: &Family, release: &str, forms: &[(&str, &str)]) -> Overlaid {
    let forms: Vec<ImportedForm> = forms
        .iter()
        .map(|(mode, form)| ImportedForm {
            mode: (*mode).into(),
            form: (*form).into(),
            component: "a".into(),
        })
        .collect();
    let mode = |name: &str, parent: Option<&str>, enter: &[&str]| ImportedMode {
        name: name.into(),
        parent: parent.map(Into::into),
        enter: enter.iter().map(|form| (*form).into()).collect(),
    };
    let modes = [mode("config", None, &[]), mode("pim", Some("config"), &["pim"])];
    import_over(overlay, "set", release, &forms, &modes).unwrap()
}

fn image(release: &str) -> Image {
    over(&overlay_of(OVERLAY, None), release, &set(release)).image
}

fn config(image: &Image, lines: &str) -> Config {
    let mut config = Config::factory(image.levels());
    config.execute(image, image.own(), lines).unwrap();
    config
}

/// What the Active sends of these lines, and what the Standby makes of that.
fn carried(active: &Image, standby: &Image, lines: &str) -> (String, String) {
    let dump = Dump::from_image(active).encode();
    let there = pair_at_standby(standby, dump.as_bytes()).unwrap();
    let here: ActivePairing = pair_at_active(active, there.diff_bytes()).unwrap();
    let lowering = Lowering::new(active, &here, &config(active, lines));
    let sent = String::from_utf8(lowering.wire_bytes()).unwrap();
    let w = Raising::read_w(standby, &there, sent.as_bytes()).unwrap();
    let (raising, _) = Raising::new(standby, &there, w, Listing::default());
    (sent, raising.config().render())
}

#[test]
fn keys_and_lists_are_those_of_the_overlay() {
    let image = image("1");
    let same = |lines: &str, rendered: &str| assert_eq!(config(&image, lines).render(), rendered);
    same("hostname a\nhostname b", "hostname b\n");
    same("server x port 1\nserver y port 2\nserver x port 3", "server x port 3\nserver y port 2\n");
    // Another direction is another line; the route map is a value.
    same(
        "server x route-map a in\nserver x route-map b out\nserver x route-map c in",
        "server x route-map c in\nserver x route-map b out\n",
    );
    // Of the rest nothing is known: the whole line tells it.
    same("odd a\nodd b", "odd a\nodd b\n");
    let entries = ["acl a permit 1.1.1.1\n", "acl a deny 2.2.2.2\n"];
    let list = |first: usize| config(&image, &format!("{}{}", entries[first], entries[1 - first]));
    assert_ne!(list(0).digest(), list(1).digest());
    let apart = |lines: &str| config(&image, lines).digest();
    assert_eq!(apart("server x port 1\nhostname a"), apart("hostname a\nserver x port 1"));
    assert_eq!(
        apart("acl a permit 1.1.1.1\nacl b permit 1.1.1.1"),
        apart("acl b permit 1.1.1.1\nacl a permit 1.1.1.1")
    );
}

#[test]
fn a_no_of_another_form_takes_away_what_its_keys_name() {
    let image = image("1");
    let same = |lines: &str, rendered: &str| assert_eq!(config(&image, lines).render(), rendered);
    same("server x port 1\nserver y port 1\nno server x port", "server y port 1\n");
    // What the absence says nobody knows: a `no` of nothing is a line, until it is said otherwise.
    same("no server x port", "no server x port\n");
    same("no server x port\nserver x port 2", "server x port 2\n");
}

#[test]
fn a_stated_form_stands_for_the_imported_ones_that_it_covers() {
    let overlaid = over(&overlay_of(OVERLAY, None), "1", &set("1"));
    let forms: Vec<&str> = overlaid.image.forms().map(|(_, decl)| decl.form.normal()).collect();
    assert!(forms.contains(&"[no] pim rp A.B.C.D") && !forms.contains(&"pim rp A.B.C.D"));
    // Its `no` may leave out more than the overlay says.
    assert!(forms.contains(&"no pim rp [A.B.C.D]"), "{forms:?}");
    assert_eq!(overlaid.unknown, 2);
    let lines = "pim rp 1.1.1.1\npim rp 2.2.2.2\nno pim rp 1.1.1.1";
    assert_eq!(config(&overlaid.image, lines).render(), "pim rp 2.2.2.2\n");
}

#[test]
fn a_keyword_is_no_value_though_a_placeholder_takes_it() {
    let text = "component = 'a'\n[[command]]\nmode = 'config'\nform = '[no] quiet WORD$who'\n\
                key = ['who']\n";
    let forms = [("config", "quiet <WORD|default>"), ("config", "no quiet WORD")];
    let overlaid = over(&overlay_of(text, None), "1", &forms);
    let forms: Vec<&str> = overlaid.image.forms().map(|(_, decl)| decl.form.normal()).collect();
    assert_eq!(forms, ["[no] quiet WORD", "quiet <WORD|default>"]);
    let made = config(&overlaid.image, "quiet a\nquiet default");
    let of: Vec<&str> =
        made.lines().map(|(key, _)| overlaid.image.form(key.form).form.normal()).collect();
    assert_eq!(of, ["[no] quiet WORD", "quiet <WORD|default>"]);
}

#[test]
fn a_default_is_that_of_the_profile() {
    let render = |profile: &str| {
        let image = over(&overlay_of(OVERLAY, Some(profile)), "1", &set("1")).image;
        assert_eq!(image.name(), format!("set-{profile}@1"));
        ["policy", "no policy"].map(|line| config(&image, line).render())
    };
    assert_eq!(render("plain"), ["", "no policy\n"]);
    assert_eq!(render("dense"), ["policy\n", ""]);
    let (_, errors) = Family::read_profile(&[("family.toml", FAMILY)], Some("thin"));
    assert!(errors[0].to_string().contains("`thin` is declared nowhere as a profile"));
}

#[test]
fn images_of_one_overlay_are_a_family_with_history() {
    let [one, two, three] = ["1", "2", "3"].map(image);
    let old = "hostname a\npim rp 1.1.1.1\nodd b\n";
    let new = "hostname a\npim\n rp 1.1.1.1\n exit\nodd b\n";
    for newer in [&two, &three] {
        let raised = "hostname a\npim\n rp 1.1.1.1\n exit\nodd b\n";
        assert_eq!(carried(&one, newer, old), (old.to_owned(), raised.to_owned()));
        assert_eq!(carried(newer, &one, new), (old.to_owned(), old.to_owned()));
    }
    assert_eq!(carried(&two, &three, new), (new.to_owned(), new.to_owned()));
    // The old words are read where the release still takes them, and nowhere else.
    assert_eq!(config(&two, "pim rp 1.1.1.1").render(), "pim\n rp 1.1.1.1\n exit\n");
    let mut config = Config::factory(three.levels());
    assert!(config.execute(&three, three.own(), "pim rp 1.1.1.1").is_err());
}

#[test]
fn what_names_its_own_unit_is_never_sent() {
    let [one, two] = ["1", "2"].map(image);
    let lines = "hostname a\nwrote by 7\n";
    assert_eq!(carried(&one, &two, lines), ("hostname a\n".into(), "hostname a\n".into()));
}

#[test]
fn a_release_that_is_not_known_has_the_levels_of_the_last_before_it() {
    let overlay = overlay_of(OVERLAY, None);
    let level = |release: &str| over(&overlay, release, &set("2")).image.levels()[0].0;
    assert_eq!([level("2"), level("2.7.1"), level("10")], [2, 2, 3]);
    let older = import_over(&overlay, "set", "0.9", &[], &[]).unwrap_err();
    assert_eq!(older.to_string(), "release 0.9 is older than all that the overlay knows: 1, 2, 3");
}

#[test]
fn a_change_of_what_a_release_does_not_have_is_left_out() {
    // A build of release 2 without the new mode: the old words are its own.
    let overlaid = over(&overlay_of(OVERLAY, None), "2", &set("1"));
    assert!(overlaid.image.declarations().changes.is_empty());
    assert_eq!(config(&overlaid.image, "pim rp 1.1.1.1").render(), "pim rp 1.1.1.1\n");
    let unsaid: Vec<String> = overlaid.unsaid.iter().map(ToString::to_string).collect();
    let has = |words: &str| unsaid.iter().any(|line| line.contains(words));
    assert!(has("a.toml:38:") && has("this release has none: [no] rp A.B.C.D$rp"), "{unsaid:?}");
}

#[test]
fn a_rule_that_is_none_is_an_error_with_its_place() {
    let errors = |lines: &str| {
        let text = format!("component = 'a'\n[[lines]]\nmode = 'config'\n{lines}");
        let files = [("family.toml", FAMILY), ("a.toml", &*text)];
        let (_, errors) = Family::read(&files);
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let [error] = &errors("begin = '''\nhostname\nserver WORD port\n'''\n")[..] else { panic!() };
    assert!(error.starts_with("a.toml:6:8: `WORD` is no word of a pattern"), "{error}");
    let [error] = &errors("list = 'l $b'\nbegin = 'x $a'\n")[..] else { panic!() };
    assert!(error.starts_with("a.toml:4:8: a list of each `b` needs `b` in `key`"), "{error}");
    let [error] = &errors("colour = 1\nbegin = 'x'\n")[..] else { panic!() };
    assert!(error.starts_with("a.toml:4:1: unknown field `colour`"), "{error}");
    assert!(errors("begin = 'x $a _ <in|out>'\n").is_empty());
}

#[test]
fn the_bundled_overlay_has_no_errors_in_any_profile() {
    for profile in ["traditional", "datacenter"] {
        let (family, errors) = Family::read_profile(bundled::FRR, Some(profile));
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, [""; 0]);
        assert!(family.unwrap().rules().len() > 200);
    }
}
