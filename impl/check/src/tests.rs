use super::*;
use skewsync::image::bundled;

const TABLE: &str = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n\
                     [[release]]\nname = '2'\nlevels = { a = 2 }\n";

fn report(text: &str) -> Report {
    let text = String::from("component = 'a'\n") + text;
    let read = Family::parse(&[("family.toml", TABLE), ("a.toml", &text)]);
    let family = read.unwrap_or_else(|errors| panic!("{}", errors[0]));
    super::family(&family)
}

fn findings(text: &str) -> Vec<String> {
    report(text).findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_bundled_family_has_no_findings() {
    let report = family(&bundled::family());
    assert_eq!(report.findings, [], "{report}");
    assert!(report.lines > 1_000, "{report}");
    assert!(report.changes > 20 && !report.known.is_empty(), "{report}");
    assert!(report.groups > 2_000, "{report}");
}

#[test]
fn a_sound_family_is_silent() {
    let text = "[[command]]\nmode = 'config'\nform = '[no] ntp peer A.B.C.D$peer'\nkey = ['peer']\n\
                [[change]]\nlevel = 2\nwhy = 'w'\nkey = ['peer']\n\
                old = [{ mode = 'config', form = '[no] ntp peer A.B.C.D$peer' }]\n\
                new = [{ mode = 'config', form = '[no] time peer A.B.C.D$peer' }]\n";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn an_ambiguous_pair_is_found_with_both_places() {
    let text = "[[command]]\nmode = 'config'\nform = 'ntp (1-10)$a'\n\
                [[command]]\nmode = 'config'\nform = 'ntp (5-20)$b'\n";
    let found = findings(text);
    assert!(found[0].starts_with("a.toml:4:9: in 1 `ntp 10`"), "{found:?}");
    assert!(
        found[0].contains("is ambiguous: also `ntp (5-20)$b`, declared at a.toml:7:9"),
        "{found:?}"
    );
}

#[test]
fn a_report_counts_what_it_found_and_says_one_of_one() {
    let text = "[[command]]\nmode = 'config'\nform = 'ntp (1-10)$a'\n\
                [[command]]\nmode = 'config'\nform = 'ntp (5-20)$b'\n";
    let found = report(text);
    let ambiguous = found.findings.len();
    let says = format!(
        "{} of {} lines read back, {ambiguous} ambiguous; 2 pairs of forms overlap\n",
        found.lines - ambiguous,
        found.lines
    );
    let shown = found.to_string();
    assert!(ambiguous > 1 && shown.contains(&says), "{shown}");
    assert!(shown.ends_with(&format!("\n{ambiguous} errors\n")), "{shown}");
    let one = Report { lines: 1, overlaps: 1, changes: 1, ..Report::default() };
    let says = "1 line read back, none ambiguous; 1 pair of forms overlaps\n\
                0 groups of lines tried, all combinations of values\n\
                1 change goes there and comes back\nkinds of change: \n0 errors\n";
    assert_eq!(one.to_string(), says);
}

#[test]
fn a_form_that_hides_another_is_found() {
    let text = "[[command]]\nmode = 'config'\nform = 'speed <10|auto>$a'\n\
                [[command]]\nmode = 'config'\nform = 'speed (1-100)$b'\n";
    let found = findings(text);
    assert!(!found.is_empty());
}

#[test]
fn two_changes_of_one_level_that_meet_are_found() {
    let text = "[[command]]\nmode = 'config'\nform = 'x'\n\
                [[change]]\nlevel = 2\nwhy = 'w'\nold = [{ mode = 'config', form = 'x' }]\nnew = \
                [{ mode = 'config', form = 'y' }]\n\
                [[change]]\nlevel = 2\nwhy = 'w'\nnew = [{ mode = 'config', form = 'y' }]\n";
    let found = findings(text).join("\n");
    assert!(found.contains("touches this form at the same level"), "{found}");
    assert!(found.contains("mode config has this form already at level 2"), "{found}");
}

#[test]
fn a_level_that_no_release_has_is_found() {
    let text = "[[change]]\nlevel = 3\nwhy = 'w'\nnew = [{ mode = 'config', form = 'y' }]\n";
    assert_eq!(findings(text), ["a.toml:5:35: no release has a at level 3 or above: `y`"]);
}

#[test]
fn what_is_partial_excuses_itself_alone() {
    let text = |partial: &str| {
        format!(
            "[[command]]\nmode = 'config'\nform = 'log (0-9)$f level (0-9)$g'\n\
             [[change]]\nlevel = 2\nwhy = 'w'\npartial = ['{partial}']\n\
             map = {{ f = {{ 1 = '5' }}, g = {{ 1 = '5' }} }}\n\
             old = [{{ mode = 'config', form = 'log (0-9)$f level (0-9)$g' }}]\n\
             new = [{{ mode = 'config', form = 'log to (0-9)$f level (0-9)$g' }}]\n"
        )
    };
    for (partial, other) in [("f", "g"), ("g", "f")] {
        let found = findings(&text(partial)).join("\n");
        assert!(found.contains(&format!("the map of `{other}` gives")), "{found}");
        assert!(!found.contains(&format!("the map of `{partial}` gives")), "{found}");
    }
}

#[test]
fn a_map_that_sends_two_values_to_one_is_found() {
    let text = "[[command]]\nmode = 'config'\nform = 'log <a|b>$f'\n\
                [[change]]\nlevel = 2\nwhy = 'w'\nmap = { f = { a = 'c', b = 'c' } }\n\
                old = [{ mode = 'config', form = 'log <a|b>$f' }]\n\
                new = [{ mode = 'config', form = 'log c$f' }]\n";
    let found = findings(text).join("\n");
    assert!(found.contains("the map of `f` has `c` twice on the new side"), "{found}");
}

#[test]
fn what_is_read_is_checked_beside_what_is_not() {
    let text = "component = 'a'\n\
                [[command]]\nmode = 'config'\nform = 'addr A.B.C.D/24$a'\n\
                [[command]]\nmode = 'config'\nform = 'cos (0-7)$cos'\n\
                [[change]]\nlevel = 2\nwhy = 'w'\nmap = { cos = { 5 = 'sliver' } }\n\
                old = [{ mode = 'config', form = 'cos (0-7)$cos' }]\n\
                new = [{ mode = 'config', form = 'class <gold|silver>$cos' }]\n\
                [[change]]\nlevel = 2\nwhy = 'w'\n\
                old = [{ mode = 'config', form = 'gone' }]\n";
    let (family, unread) = Family::read(&[("family.toml", TABLE), ("a.toml", text)]);
    let report = family_but(&family.expect("the table reads"), unread);
    let lines = report.to_string();
    assert!(lines.contains("a.toml:4:14: expected `A.B.C.D`"), "{lines}");
    assert!(lines.contains("`sliver`, which the new side does not take"), "{lines}");
    assert!(lines.contains("no such form at a 1"), "{lines}");
    assert!(lines.ends_with("3 errors\n"), "{lines}");
    assert!(!report.is_sound());
}

/// A change of one line to another.
fn change(old: &str, new: &str, more: &str) -> String {
    format!(
        "[[command]]\nmode = 'config'\nform = '{old}'\n\
         [[change]]\nlevel = 2\nwhy = 'w'\n{more}\n\
         old = [{{ mode = 'config', form = '{old}' }}]\n\
         new = [{{ mode = 'config', form = '{new}' }}]\n"
    )
}

#[test]
fn a_word_that_is_read_as_a_keyword_cut_short_is_found() {
    let found = findings(&change("[no] policy WORD$p", "[no] policy <input|WORD>$p", ""));
    assert_eq!(found.len(), 1, "{found:?}");
    let says = "a 1 -> 2: `policy inpu` does not go: the facing image reads these words as another";
    assert!(found[0].contains(says), "{found:?}");
}

#[test]
fn a_change_of_which_nothing_goes_is_found_with_its_first_line() {
    let found =
        findings(&change("[no] log <a|b>$f", "[no] log <c|d>$f", "partial = ['f']")).join("\n");
    assert!(
        found.contains("a 2 -> 1: no group of this change can go: `log c`: f c: only a|b goes"),
        "{found}"
    );
    let found = findings(&change("[no] log (1-9)$f", "[no] log to WORD$g", "partial = ['f', 'g']"));
    assert!(
        found.iter().any(|found| found.contains("no group of this change can go")),
        "{found:?}"
    );
}

#[test]
fn a_list_of_which_the_first_value_is_gone_is_accepted_and_that_value_is_known() {
    let report = report(&change("[no] vlan (0-255),...$v", "[no] vlans (1-255),...$v", ""));
    assert_eq!(report.findings, [], "{report}");
    let known: Vec<String> = report.known.iter().map(ToString::to_string).collect();
    assert_eq!(known, ["1 -> 2  config / [no] vlan (0-255),...$v  stuck where v is 0"]);
}

#[test]
fn words_of_two_kinds_that_become_one_are_accepted() {
    let of = |form: &str| format!("[[command]]\nmode = 'config'\nform = '{form}'\nkey = ['x']\n");
    let text = of("[no] to A.B.C.D$x")
        + &of("[no] at X:X::X:X$x")
        + "[[change]]\nlevel = 2\nwhy = 'w'\nkey = ['x']\none = 'old'\n\
           old = [{ mode = 'config', form = '[no] to A.B.C.D$x' },\n\
                  { mode = 'config', form = '[no] at X:X::X:X$x' }]\n\
           new = [{ mode = 'config', form = '[no] via PATH$x' }]\n";
    let report = report(&text);
    assert_eq!(report.findings, [], "{report}");
    let tried = report.known.iter().any(|known| matches!(known.way, Shortfall::Tried { .. }));
    assert!(tried, "a word that is no address is stuck: {report}");
}

#[test]
fn what_waits_for_the_rest_of_its_group_is_known_on_the_way_up() {
    let text = "[[command]]\nmode = 'config'\nform = '[no] alpha (1-9)$a'\n\
                [[command]]\nmode = 'config'\nform = '[no] beta (1-9)$b'\n\
                [[change]]\nlevel = 2\nwhy = 'w'\n\
                old = [{ mode = 'config', form = '[no] alpha (1-9)$a' },\n\
                       { mode = 'config', form = '[no] beta (1-9)$b' }]\n\
                new = [{ mode = 'config', form = '[no] both (1-9)$a (1-9)$b' }]\n";
    let report = report(text);
    assert_eq!(report.findings, [], "{report}");
    let says = "1 -> 2  config / [no] beta (1-9)$b  stuck where only a part of its group is there";
    assert!(report.to_string().contains(says), "{report}");
}

/// What is checked of a family of two components.
fn report_of_two(table: &str, one: &str, other: &str) -> Report {
    let (one, other) = (format!("component = 'a'\n{one}"), format!("component = 'b'\n{other}"));
    let files = [("family.toml", table), ("a.toml", &one), ("b.toml", &other)];
    let read = Family::parse(&files);
    family(&read.unwrap_or_else(|errors| panic!("{}", errors[0])))
}

const TABLE_OF_TWO: &str = "family = 'f'\ncomponents = ['a', 'b']\n\
                            [[release]]\nname = '1'\nlevels = { a = 1, b = 1 }\n\
                            [[release]]\nname = '2'\nlevels = { a = 2, b = 2 }\n";

#[test]
fn a_level_that_the_next_component_builds_on_is_tried_beside_what_was_there_before() {
    // At level 1 of `a` there is no mode for what `b` has at level 2.
    let a = "[[mode]]\nname = 'm'\nparent = 'config'\nenter = '[no] m'\nsince = 2\n".to_owned()
        + &change("[no] log WORD$x", "[no] log to WORD$x", "");
    let b = "[[command]]\nmode = 'config'\nform = '[no] in (1-9)$n'\n\
             [[change]]\nlevel = 2\nwhy = 'w'\n\
             old = [{ mode = 'config', form = '[no] in (1-9)$n' }]\n\
             new = [{ mode = 'm', form = '[no] in (1-9)$n' }]\n";
    let report = report_of_two(TABLE_OF_TWO, &a, b);
    assert_eq!((&report.findings, &report.untried), (&Vec::new(), &Vec::new()), "{report}");
    let alone = report_of_two(TABLE_OF_TWO, &a, "").groups;
    assert!(alone > 0 && report.groups > alone, "{alone} of {report}");
}

#[test]
fn a_change_that_no_image_stands_on_both_sides_of_is_said_not_to_be_tried() {
    let wrong = "[[mode]]\nname = 'net'\nparent = 'config'\n\
                 enter = '[no] net A.B.C.D$net A.B.C.D$mask'\n\
                 [[change]]\nlevel = 2\nwhy = 'w'\nrust = 'prefix'\n\
                 old = [{ mode = 'config', form = '[no] net A.B.C.D$net A.B.C.D$mask' }]\n\
                 new = [{ mode = 'config', form = '[no] net A.B.C.D/M$prefix' }]\n";
    let sound = change("[no] log WORD$x", "[no] log to WORD$x", "");
    let table = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 2, b = 1 }\n\
                 [[release]]\nname = '2'\nlevels = { a = 2, b = 2 }\n";
    let report = report_of_two(table, wrong, &sound);
    let of_b = |untried: &&Untried| untried.from == ("b".to_owned(), 2);
    assert_eq!(report.untried.iter().filter(of_b).count(), 1, "{report}");
    assert!(report.to_string().contains("not tried, for want of an image"), "{report}");
}

#[test]
fn what_partial_says_goes_not_is_known_where_another_form_takes_it() {
    let form = "[no] policy <input|WORD>$p";
    let report = report(&change("[no] policy WORD$p", form, "partial = ['p']"));
    assert_eq!(report.findings, [], "{report}");
    let says = "stuck are such as `policy inpu`: the facing image reads these words as another";
    assert!(report.to_string().contains(says), "{report}");
}

#[test]
fn a_finding_names_the_word_that_would_declare_it() {
    let says = |text: &str, word: &str| {
        let found = findings(text).join("\n");
        assert!(found.contains(word), "{word}: {found}");
    };
    says(&change("[no] policy WORD$p", "[no] policy <input|WORD>$p", ""), "with `partial`");
    let ranges = change("[no] wait (1-10)$s", "[no] wait msec (1000-10000)$s", "");
    says(&ranges, "with `map` or `scale`");
    let choice = "[[command]]\nmode = 'config'\nform = '[no] host X:X::X:X$x'\n\
                  [[command]]\nmode = 'config'\nform = '[no] file WORD$x'\n\
                  [[change]]\nlevel = 2\nwhy = 'w'\n\
                  old = [{ mode = 'config', form = '[no] host X:X::X:X$x' },\n\
                         { mode = 'config', form = '[no] file WORD$x' }]\n\
                  new = [{ mode = 'config', form = '[no] log <A.B.C.D|X:X::X:X|WORD>$x' }]\n";
    says(choice, "with `one`");
}

#[test]
fn two_names_that_have_changed_places_are_found_where_their_kinds_tell_them_apart() {
    let exchanged = |old: &str, new: &str, more: &str| {
        let found = findings(&change(old, new, more)).join("\n");
        found.contains("`a` and `b` seem to have changed places")
    };
    let old = "[no] log WORD$a to A.B.C.D$b";
    let of_two = "[no] log to <A.B.C.D|WORD>$b from <A.B.C.D|WORD>$a";
    assert!(exchanged("[no] log WORD$a to \"WORD\"$b", "[no] to \"WORD\"$a WORD$b", ""));
    assert!(exchanged("[no] log (1-9)$a to (1-99)$b", "[no] to (1-99)$a (1-9)$b", ""));
    assert!(!exchanged(
        "[no] log (1-9)$a to (1-99)$b",
        "[no] to (1-99)$a (1-9)$b",
        "partial = ['a']"
    ));
    // What is wider on one side only, or might be either, is as it is said.
    assert!(!exchanged(old, of_two, ""));
    assert!(!exchanged("[no] log (1-9)$a to (1-9)$b", "[no] to (1-9)$a (1-9)$b", ""));
    assert!(!exchanged("[no] log (1-9)$a to (1-99)$b", "[no] to (1-50)$a (1-50)$b", ""));
}

#[test]
fn a_change_that_changes_nothing_is_found() {
    let form = "[no] log WORD$x";
    let says = "both sides are the same, and nothing else is said";
    let finds = |text: &str| findings(text).iter().any(|found| found.contains(says));
    assert!(finds(&change(form, form, "")));
    assert!(!finds(&change(form, form, "revision = 1\nmap = { x = { up = 'on' } }")));
    assert!(!finds(&change(form, form, "default = { x = 'none' }")));
    assert!(!finds(&change(form, form, "key = ['x']")));
}
