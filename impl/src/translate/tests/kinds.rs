//! Kinds of change that the bundled family lacks, or has at one level only.

use alloc::string::String;
use alloc::vec::Vec;

use super::Pair;
use crate::image::Family;

/// A small family of the kinds that the bundled one lacks, over three levels.
const KINDS: &[(&str, &str)] = &[
    (
        "family.toml",
        r#"
family = "kinds"
components = ["acl", "sys"]
[[release]]
name = "1"
levels = { acl = 1, sys = 1 }
[[release]]
name = "2"
levels = { acl = 2, sys = 1 }
[[release]]
name = "3"
levels = { acl = 3, sys = 2 }
[[release]]
name = "2s"
levels = { acl = 1, sys = 2 }
"#,
    ),
    (
        "acl.toml",
        r#"
component = "acl"
[[mode]]
name = "acl"
parent = "config"
enter = '[no] acl WORD$name'
[[command]]
mode = "acl"
form = '[no] rule <permit|deny>$action A.B.C.D/M$prefix'
key = ["prefix"]
ordered = true
[[change]]
level = 2
why = "the prefix first"
old = [{ mode = "acl", form = '[no] rule <permit|deny>$action A.B.C.D/M$prefix' }]
new = [{ mode = "acl", form = '[no] rule A.B.C.D/M$prefix <permit|deny>$action' }]
key = ["prefix"]
ordered = true
[[change]]
level = 3
why = "verdicts have other names"
old = [{ mode = "acl", form = '[no] rule A.B.C.D/M$prefix <permit|deny>$action' }]
new = [{ mode = "acl", form = '[no] entry A.B.C.D/M$prefix <accept|drop>$action' }]
map = { action = { permit = "accept", deny = "drop" } }
key = ["prefix"]
ordered = true
"#,
    ),
    (
        "sys.toml",
        r#"
component = "sys"
[[command]]
mode = "config"
form = '[no] reboot-on-panic <true|false>$on'
[[change]]
level = 2
why = "a flag says as much"
old = [{ mode = "config", form = '[no] reboot-on-panic <true|false>$on' }]
new = [{ mode = "config", form = '[no] panic-reboot' }]
implied = { on = "true" }
"#,
    ),
];

fn kinds(active: &str, standby: &str, text: &str) -> Pair {
    let family = Family::parse(KINDS).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let image = |release| family.image(release).unwrap();
    Pair::from_images(image(active), image(standby), text)
}

#[test]
fn an_ordered_list_keeps_its_order_through_two_changes() {
    let mut pair = kinds("3", "1", "acl a\n entry 10.2.0.0/16 drop\n entry 10.1.0.0/16 accept\n");
    let s = "acl a\n rule deny 10.2.0.0/16\n rule permit 10.1.0.0/16\n exit\n";
    assert_eq!(pair.s(), s);
    pair.execute("acl a\n entry 10.0.0.0/16 drop\n");
    pair.execute("acl a\n no entry 10.2.0.0/16 drop\n");
    pair.execute("acl a\n entry 10.2.0.0/16 accept\n");
    let s = "acl a\n rule permit 10.1.0.0/16\n rule deny 10.0.0.0/16\n \
             rule permit 10.2.0.0/16\n exit\n";
    assert_eq!(pair.s(), s);
    let back = kinds("1", "3", s);
    assert_eq!(back.s(), pair.a());
}

#[test]
fn a_flag_says_one_value_and_the_other_is_listed() {
    assert_eq!(kinds("1", "3", "reboot-on-panic true\n").s(), "panic-reboot\n");
    assert_eq!(kinds("3", "1", "panic-reboot\n").s(), "reboot-on-panic true\n");
    let mut pair = kinds("1", "3", "reboot-on-panic false\n");
    assert_eq!((pair.s(), pair.listed().len()), (String::new(), 1));
    pair.execute("reboot-on-panic true\n");
    assert_eq!((pair.s().as_str(), pair.listed().len()), ("panic-reboot\n", 0));
}

/// A newer form takes what an older one took as free text: W reads it, and S would not.
#[test]
fn what_the_peer_would_read_as_another_line_stays_behind() {
    let component = r#"
component = "a"
[[command]]
mode = "config"
form = '[no] note LINE...$text'
[[change]]
level = 2
why = "a note with an owner"
new = [{ mode = "config", form = '[no] note owner WORD$who' }]
"#;
    let table = r#"
family = "f"
components = ["a"]
[[release]]
name = "1"
levels = { a = 1 }
[[release]]
name = "2"
levels = { a = 2 }
"#;
    let family = Family::parse(&[("family.toml", table), ("a.toml", component)]);
    let family = family.unwrap_or_else(|errors| panic!("{}", errors[0]));
    let image = |release| family.image(release).unwrap();
    let mut pair = Pair::from_images(image("1"), image("2"), "note to whom it concerns\n");
    assert_eq!(pair.s(), "note to whom it concerns\n");
    let mut a = pair.lowering.config().clone();
    let edits = a.execute(&pair.active, pair.active.own(), "note owner bob\n").unwrap();
    let stamp = (crate::ids::Term(1), crate::ids::Lsn(1));
    let lowered = pair.lowering.edit(&pair.active, &pair.at_active, &edits, stamp);
    let raised =
        pair.raising.apply(&pair.standby, &pair.at_standby, &lowered.wire, &lowered.listing);
    assert_eq!(raised.mismatches, []);
    let causes: Vec<_> = pair.lowering.stuck().map(|(_, _, cause)| cause.clone()).collect();
    assert_eq!(causes, [crate::transform::StuckCause::Resolves]);
    assert_eq!(pair.s(), "");
}
