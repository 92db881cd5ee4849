//! Engines that take a change for another one: which lines of its domain show it.

use skewsync::image::Family;

use super::*;

const TABLE: &str = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n\
                     [[release]]\nname = '2'\nlevels = { a = 2 }\n";

fn family(text: &str) -> Family {
    let text = format!("component = 'a'\n{text}");
    let read = Family::parse(&[("family.toml", TABLE), ("a.toml", &text)]);
    read.unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// What is found of an engine that has `taken` for `meant`: the least lines of each cause.
fn found(meant: &str, taken: &str) -> Vec<String> {
    let (meant, taken) = (family(meant), family(taken));
    let image = |family: &Family, release: &str| family.image(release).expect("a release");
    let (old, new) = (image(&meant, "1"), image(&meant, "2"));
    let (old_taken, new_taken) = (image(&taken, "1"), image(&taken, "2"));
    let up = Way::mistaken((&old, &new), (&old_taken, &new_taken)).expect("a pair");
    let down = Way::mistaken((&new, &old), (&new_taken, &old_taken)).expect("a pair");
    let step = Step { up, down };
    let tried = step.tried(&new.declarations().changes[0]);
    assert!(tried.scenes > 0);
    tried.broken.into_iter().map(|(way, error, _)| format!("{way}: {error}")).collect()
}

/// A family with one change, as it is meant, and as it is taken: nothing is found of the one, and
/// of the other what has these words.
fn assert_found(meant: &str, (words, other): (&str, &str), says: &str) {
    assert!(meant.contains(words), "{words}");
    assert_eq!(found(meant, meant), [""; 0], "{meant}");
    let found = found(meant, &meant.replace(words, other));
    assert!(found.iter().any(|found| found.contains(says)), "{other}: {found:?}");
}

const COMMAND: &str = "[[command]]\nmode = 'config'\nform = ";
const CHANGE: &str = "[[change]]\nlevel = 2\nwhy = 'w'\n";

fn change(old: &str, new: &str, more: &str) -> String {
    format!(
        "{COMMAND}'{old}'\n{CHANGE}{more}\nold = [{{ mode = 'config', form = '{old}' }}]\n\
         new = [{{ mode = 'config', form = '{new}' }}]\n"
    )
}

#[test]
fn all_pairs_of_a_map_are_tried() {
    let map = "map = { f = { a = 'x', b = 'y', c = 'z', d = 'u' } }";
    let meant = change("[no] log <a|b|c|d>$f", "[no] log <x|y|z|u>$f", map);
    let other = ("c = 'z', d = 'u'", "c = 'u', d = 'z'");
    assert_found(&meant, other, "`log c` becomes `log u`, and by the reference `log z`");
    assert_found(&meant, other, "`log u` becomes `log c`, and by the reference `log d`");
}

#[test]
fn multiples_and_their_neighbours_are_tried() {
    let meant =
        change("[no] wait (1-10)$s", "[no] wait msec (1000-10000)$s", "scale = { s = 1000 }");
    assert_found(&meant, ("s = 1000 ", "s = 1001 "), "by the reference `wait msec 1000`");
}

#[test]
fn each_sign_is_tried() {
    let meant = "[[command]]\nmode = 'config'\nform = '[no] shutdown'\n\
                 [[change]]\nlevel = 2\nwhy = 'w'\ndefault = {}\n\
                 old = [{ mode = 'config', form = '[no] shutdown' }]\n\
                 new = [{ mode = 'config', form = '[no] enable', not = true }]\n";
    assert_found(meant, (", not = true", ""), "by the reference `no enable`");
}

#[test]
fn a_group_without_an_optional_line_is_tried() {
    let meant = format!(
        "{COMMAND}'[no] alpha (1-9)$a'\n{COMMAND}'[no] beta (1-9)$b'\n{CHANGE}\
         old = [{{ mode = 'config', form = '[no] alpha (1-9)$a' }},\n\
                {{ mode = 'config', form = '[no] beta (1-9)$b', optional = true }}]\n\
         new = [{{ mode = 'config', form = '[no] both (1-9)$a [beta (1-9)$b]' }}]\n"
    );
    let says = "becomes ``, and by the reference `both";
    assert_found(&meant, (", optional = true", ""), says);
}

#[test]
fn one_two_and_three_words_are_tried() {
    let meant = format!(
        "{COMMAND}'[no] servers WORD...$s'\n{CHANGE}key = ['s']\nordered = true\n\
         old = [{{ mode = 'config', form = '[no] servers WORD...$s' }}]\n\
         new = [{{ mode = 'config', form = '[no] server WORD$s', each = 's' }}]\n"
    );
    let found = found(&meant, &meant.replace(", each = 's'", ""));
    let is_of_several = |found: &String| found.contains("`servers ") && found.contains("; server ");
    assert!(found.iter().any(is_of_several), "{found:?}");
}

#[test]
fn a_value_that_chooses_between_lines_is_tried() {
    let meant = format!(
        "{COMMAND}'[no] log to WORD$x'\n{CHANGE}one = 'new'\n\
         old = [{{ mode = 'config', form = '[no] log to WORD$x' }}]\n\
         new = [{{ mode = 'config', form = '[no] log host A.B.C.D$x' }},\n\
                {{ mode = 'config', form = '[no] log file PATH$x' }}]\n"
    );
    assert_found(
        &meant,
        ("one = 'new'\n", ""),
        "`log to 7` becomes ``, and by the reference `log file 7`",
    );
}

#[test]
fn the_word_that_is_implied_is_tried() {
    let meant = change("[no] med <on|off|auto>$s", "[no] med-tlv", "implied = { s = 'on' }");
    assert_found(&meant, ("s = 'on'", "s = 'auto'"), "`med-tlv` becomes `med auto`");
}
