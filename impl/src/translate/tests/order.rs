//! Order: what is sent, executed and held stands as it was entered; what is made takes the place of
//! what it came from. Each edit is compared, order included, with a translation from nothing.

use super::Pair;
use crate::image::Family;

const FAMILY: &[(&str, &str)] = &[
    (
        "family.toml",
        r#"
family = "order"
components = ["base"]
[[release]]
name = "1"
levels = { base = 1 }
[[release]]
name = "2"
levels = { base = 2 }
"#,
    ),
    (
        "base.toml",
        r#"
component = "base"
[[mode]]
name = "interface"
parent = "config"
enter = '[no] interface IFNAME$name'
key = ["name"]
[[mode]]
name = "router-pim"
parent = "config"
enter = '[no] router pim'
since = 2
[[mode]]
name = "acl"
parent = "config"
enter = '[no] acl WORD$name'
key = ["name"]
[[command]]
mode = "config"
form = '[no] hostname WORD$name'
[[command]]
mode = "config"
form = '[no] pim join-interval (1-600)$s'
[[command]]
mode = "config"
form = '[no] pim rp-address A.B.C.D$rp'
[[command]]
mode = "config"
form = '[no] block global (16-99)$a (16-99)$b'
[[command]]
mode = "config"
form = '[no] block local (16-99)$c (16-99)$d'
[[command]]
mode = "config"
form = '[no] log WORD$file [(1-9)$size]'
key = ["file"]
[[command]]
mode = "acl"
form = '[no] permit WORD$who'
key = ["who"]
list = "rules"
[[command]]
mode = "acl"
form = '[no] deny WORD$who'
key = ["who"]
list = "rules"
[[command]]
mode = "config"
form = '[no] trap WORD$name <0|1>$level'
key = ["name", "level"]
[[change]]
level = 2
why = "a mode of its own"
old = [{ mode = "config", form = '[no] pim join-interval (1-600)$s' }]
new = [{ mode = "router-pim", form = '[no] join-interval (1-600)$s' }]
[[change]]
level = 2
why = "a mode of its own"
old = [{ mode = "config", form = '[no] pim rp-address A.B.C.D$rp' }]
new = [{ mode = "router-pim", form = '[no] rp-address A.B.C.D$rp' }]
[[change]]
level = 2
why = "one line"
old = [{ mode = "config", form = '[no] block global (16-99)$a (16-99)$b' },
       { mode = "config", form = '[no] block local (16-99)$c (16-99)$d' }]
new = [{ mode = "config", form = '[no] blocks (16-99)$a (16-99)$b local (16-99)$c (16-99)$d' }]
[[change]]
level = 2
why = "another word"
old = [{ mode = "acl", form = '[no] deny WORD$who' }]
new = [{ mode = "acl", form = '[no] drop WORD$who' }]
key = ["who"]
list = "rules"
[[change]]
level = 2
why = "levels have names"
old = [{ mode = "config", form = '[no] trap WORD$name <0|1>$level' }]
new = [{ mode = "config", form = '[no] trap WORD$name <low|high>$level' }]
map = { level = { 0 = "low", 1 = "high" } }
key = ["name", "level"]
"#,
    ),
];

fn pair(active: &str, standby: &str, text: &str) -> Pair {
    let family = Family::parse(FAMILY).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let image = |release| family.image(release).unwrap();
    Pair::from_images(image(active), image(standby), text)
}

#[test]
fn an_implied_instance_moves_with_the_first_of_what_is_in_it() {
    let text = "pim join-interval 90\ninterface e0\nexit\npim rp-address 192.0.2.1\n";
    let mut pair = pair("1", "2", text);
    let both = "router pim\n join-interval 90\n rp-address 192.0.2.1\n exit\ninterface e0\n exit\n";
    assert_eq!(pair.s(), both);
    pair.execute("no pim join-interval 90\n");
    assert_eq!(pair.s(), "interface e0\n exit\nrouter pim\n rp-address 192.0.2.1\n exit\n");
    pair.execute("pim join-interval 60\n");
    let both = "interface e0\n exit\nrouter pim\n rp-address 192.0.2.1\n join-interval 60\n exit\n";
    assert_eq!(pair.s(), both);
}

#[test]
fn what_waited_and_goes_stands_where_its_first_line_stands() {
    let mut pair = pair("1", "2", "hostname a\n");
    pair.execute("no hostname a\nblock local 30 31\nhostname b\nblock global 16 23\n");
    assert_eq!(pair.s(), "blocks 16 23 local 30 31\nhostname b\n");
    pair.execute("block global 17 23\n");
    assert_eq!(pair.s(), "blocks 17 23 local 30 31\nhostname b\n");
    pair.execute("no block local 30 31\nblock local 30 31\n");
    assert_eq!(pair.s(), "hostname b\nblocks 17 23 local 30 31\n");
}

#[test]
fn a_list_of_two_forms_keeps_its_order_while_one_of_them_is_renamed() {
    let text = "acl a\n permit x\n deny y\n permit z\n exit\nhostname r\n";
    let mut down = pair("2", "1", &text.replace("deny", "drop"));
    assert_eq!(down.s(), text);
    let mut up = pair("1", "2", text);
    let digest = up.raising.config().digest();
    for (pair, drop) in [(&mut down, "drop"), (&mut up, "deny")] {
        pair.execute(&alloc::format!("acl a\n no {drop} y\n {drop} y\n"));
    }
    assert_eq!(down.s(), "acl a\n permit x\n permit z\n deny y\n exit\nhostname r\n");
    assert_eq!(up.s(), "acl a\n permit x\n permit z\n drop y\n exit\nhostname r\n");
    assert_ne!(up.raising.config().digest(), digest, "order in a list is a part of what it says");
}

#[test]
fn a_key_that_is_spelled_otherwise_keeps_its_place() {
    let mut pair = pair("1", "2", "trap a 0\nlog f\ntrap b 1\n");
    assert_eq!(pair.s(), "trap a low\nlog f\ntrap b high\n");
    pair.execute("log f 3\n");
    assert_eq!(pair.s(), "trap a low\nlog f 3\ntrap b high\n");
    pair.execute("no trap a 0\ntrap a 1\n");
    assert_eq!(pair.s(), "log f 3\ntrap b high\ntrap a high\n");
}

#[test]
fn many_lines_are_inserted_one_by_one_and_at_once_alike() {
    let lines = |range: core::ops::Range<u32>| -> alloc::string::String {
        range.map(|n| alloc::format!("trap t{n} {}\nlog f{n}\n", n % 2)).collect()
    };
    let mut pair = pair("1", "2", &lines(0..200));
    pair.execute("no trap t7 1\nno log f8\nlog f8\ntrap t7 0\n");
    pair.execute(&lines(200..230));
    pair.execute("no trap t3 1\n");
    assert!(pair.s().starts_with("trap t0 low\nlog f0\ntrap t1 high\nlog f1\ntrap t2 low\n"));
}
