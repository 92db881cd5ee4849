//! Each row of the domain, by the lines that are in it.

use skewsync::image::Family;

use super::*;

const TABLE: &str = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n\
                     [[release]]\nname = '2'\nlevels = { a = 2 }\n";
const COMMAND: &str = "[[command]]\nmode = 'config'\nform = ";
const CHANGE: &str = "[[change]]\nlevel = 2\nwhy = 'w'\n";

/// The scenes of the first change on one way, each as its lines.
fn scenes(text: &str, way: Direction) -> (Vec<String>, Combined) {
    let text = format!("component = 'a'\n{text}");
    let read = Family::parse(&[("family.toml", TABLE), ("a.toml", &text)]);
    let family = read.unwrap_or_else(|errors| panic!("{}", errors[0]));
    let image = |release| family.image(release).expect("a release");
    let (old, new) = (image("1"), image("2"));
    let (active, standby) = match way {
        Direction::Raise => (&old, &new),
        Direction::Lower => (&new, &old),
    };
    let change = &new.declarations().changes[0];
    let domain = Domain::new(change, way, (active, standby)).expect("a domain");
    let (scenes, combined) = domain.scenes();
    let told = |scene: Scene| {
        let lines = scene.commands.iter().map(|line| line.place.path() + line.words.text());
        lines.collect::<Vec<_>>().join("; ")
    };
    (scenes.into_iter().map(told).collect(), combined)
}

fn change(old: &str, new: &str, more: &str) -> String {
    format!(
        "{COMMAND}'{old}'\n{CHANGE}{more}\nold = [{{ mode = 'config', form = '{old}' }}]\n\
         new = [{{ mode = 'config', form = '{new}' }}]\n"
    )
}

/// A change has these scenes on a way.
fn assert_has(text: &str, way: Direction, wanted: &[&str]) {
    let (scenes, _) = scenes(text, way);
    for wanted in wanted {
        assert!(scenes.iter().any(|scene| scene == wanted), "{wanted}: {scenes:#?}");
    }
}

#[test]
fn numbers_are_the_ends_of_both_sides_and_their_neighbours() {
    let text = change("[no] wait (10-20)$n", "[no] wait (1-99)$n", "");
    assert_has(&text, Direction::Raise, &["wait 10", "wait 15", "wait 20"]);
    let of_both = ["wait 1", "wait 99", "wait 9", "wait 10", "wait 20", "wait 21"];
    assert_has(&text, Direction::Lower, &of_both);
    let text = change("[no] wait (1-10)$s", "[no] wait (1-10000)$s", "scale = { s = 1000 }");
    assert_has(&text, Direction::Lower, &["wait 999", "wait 1000", "wait 1001", "wait 10000"]);
}

#[test]
fn words_fit_other_kinds_and_begin_keywords_of_the_other_side() {
    let text = change("[no] log WORD$x", "[no] log <A.B.C.D|inform|WORD>$x", "");
    let wanted = ["log Example", "log 192.0.2.1", "log 7", "log inform", "log infor"];
    assert_has(&text, Direction::Raise, &wanted);
}

#[test]
fn several_words_are_one_two_and_three_and_one_twice() {
    let text = change("[no] to (1-3)...$s", "[no] into (1-3)...$s", "");
    assert_has(&text, Direction::Raise, &["to 1", "to 1 2", "to 1 2 3", "to 1 1"]);
}

#[test]
fn a_text_has_equal_lines_and_commands() {
    let (scenes, _) = scenes(&change("[no] b ^TEXT^$t", "[no] c ^TEXT^$t", ""), Direction::Raise);
    assert!(scenes.iter().any(|scene| scene.matches("two").count() == 2), "{scenes:?}");
    assert!(scenes.iter().any(|scene| scene.contains("hostname")), "{scenes:?}");
}

#[test]
fn parts_are_there_and_not_and_each_two_of_a_set() {
    let text = change("[no] x <a|b>$p [c] {d|e|f}", "[no] y <a|b>$p [c] {d|e|f}", "");
    let wanted = ["x a d", "x b d", "x a c d", "x a d e", "x a d f", "x a e f"];
    assert_has(&text, Direction::Raise, &wanted);
}

#[test]
fn all_pairs_of_a_map_are_there_of_both_columns() {
    let map = "map = { l = { 0 = 'none', 1 = 'one' } }";
    let text = change("[no] log (0-7)$l", "[no] log <none|one|(2-7)>$l", map);
    assert_has(&text, Direction::Raise, &["log 0", "log 1", "log 2", "log 7"]);
    assert_has(&text, Direction::Lower, &["log none", "log one", "log 2", "log 7"]);
}

/// Two lines that become one, beside a line that no change speaks of.
fn merge() -> String {
    format!(
        "{COMMAND}'[no] alpha (1-2)$a key (1-2)$k'\n{COMMAND}'[no] beta (1-2)$b key (1-2)$k'\n\
         {COMMAND}'[no] host WORD$h'\n{CHANGE}\
         old = [{{ mode = 'config', form = '[no] alpha (1-2)$a key (1-2)$k' }},\n\
                {{ mode = 'config', form = '[no] beta (1-2)$b key (1-2)$k' }}]\n\
         new = [{{ mode = 'config', form = '[no] both (1-2)$a (1-2)$b key (1-2)$k' }}]\n"
    )
}

#[test]
fn groups_are_in_part_in_each_order_of_each_sign_and_contradict_themselves() {
    let (scenes, combined) = scenes(&merge(), Direction::Raise);
    assert_eq!(combined, Combined::All);
    // The first words of the lines of a scene, in their order.
    let begins = |wanted: &[&str]| {
        scenes.iter().any(|scene| {
            let lines: Vec<&str> = scene.split("; ").collect();
            lines.len() == wanted.len()
                && lines.iter().zip(wanted).all(|(line, word)| line.starts_with(word))
        })
    };
    assert!(begins(&["alpha"]) && begins(&["beta"]), "{scenes:?}");
    assert!(begins(&["alpha", "beta"]) && begins(&["beta", "alpha"]), "{scenes:?}");
    assert!(begins(&["no alpha", "beta"]) && begins(&["no alpha", "no beta"]), "{scenes:?}");
    assert!(begins(&["alpha", "host", "beta"]), "{scenes:?}");
    let contradicts = |scene: &String| {
        let last = |line: &str| line.rsplit(' ').next().map(str::to_owned);
        scene.split_once("; ").is_some_and(|(one, other)| last(one) != last(other))
    };
    assert!(scenes.iter().any(contradicts), "{scenes:?}");
}

#[test]
fn places_are_empty_and_two_and_keys_begin_each_other() {
    let text = format!(
        "[[mode]]\nname = 'if'\nparent = 'config'\nenter = '[no] interface IFNAME$n'\nkey = ['n']\n\
         [[command]]\nmode = 'if'\nform = '[no] peer WORD$p mtu (1-2)$m'\nkey = ['p']\n\
         {CHANGE}key = ['p']\n\
         old = [{{ mode = 'if', form = '[no] peer WORD$p mtu (1-2)$m' }}]\n\
         new = [{{ mode = 'if', form = '[no] neighbor WORD$p mtu (1-2)$m' }}]\n"
    );
    let (scenes, _) = scenes(&text, Direction::Raise);
    assert!(scenes.iter().any(|scene| scene == "interface Example"), "{scenes:?}");
    let both = |scene: &&String| {
        scene.contains("interface Example / peer") && scene.contains("interface Other-1 / peer")
    };
    assert!(scenes.iter().any(|scene| both(&scene)), "{scenes:?}");
    let begins = |scene: &String| {
        let peers =
            scene.split("; ").filter_map(|line| line.split("peer ").nth(1)?.split(' ').next());
        let peers: Vec<&str> = peers.collect();
        let of = |one: &str, two: &str| one != two && one.starts_with(two);
        matches!(&peers[..], [one, two] if of(one, two) || of(two, one))
    };
    assert!(scenes.iter().any(begins), "{scenes:?}");
}

#[test]
fn of_many_combinations_each_pair_is_there() {
    let form =
        |name: &str| format!("[no] {name} (1-900)$a (1-900)$b (1-900)$c <x|y|z|u>$d [p] [q] [r]");
    let (scenes, combined) = scenes(&change(&form("one"), &form("two"), ""), Direction::Raise);
    assert_eq!(combined, Combined::Pairs, "{} {scenes:?}", scenes.len());
    assert!(scenes.len() < 2 * COMBINATIONS_MAX, "{}", scenes.len());
    for (first, last) in [("1 ", " r"), ("900 ", "u"), ("1 ", "z p")] {
        let has = |scene: &String| {
            let one = format!("one {first}");
            scene.starts_with(&one) && scene.ends_with(last)
        };
        assert!(scenes.iter().any(has), "{first} {last}: {scenes:?}");
    }
}
