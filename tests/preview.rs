//! Which lines of a running config reach the facing image: real configs between real command sets,
//! and the bundled family's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use skewsync::diff::Diff;
use skewsync::dump::Dump;
use skewsync_cli::commands::preview::Preview;
use skewsync_cli::pair::Pair;

use crate::corpus::{corpus, imported};

/// Lines that real parsers refuse: (file, line) -> releases.
fn rejects(configs: &Path) -> BTreeMap<(String, usize), BTreeSet<String>> {
    let table = std::fs::read_to_string(configs.join("rejects.tsv")).expect("a readable table");
    let rows = table.lines().skip(1).map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        let line = fields[1].parse().expect("a line's number");
        let by = fields[2].split(',').map(str::to_owned).collect();
        ((fields[0].to_owned(), line), by)
    });
    rows.collect()
}

/// What a preview of all files says, against what the real parsers refuse.
#[derive(Debug, Default)]
struct Figures {
    looked_at: usize,
    listed: usize,
    /// Listed, and the facing release's parser takes them.
    listed_only: Vec<String>,
    /// Not listed, and the facing release's parser refuses them though the Active's does not.
    refused_only: Vec<String>,
    /// The Active's image does not take them.
    not_taken: usize,
    /// The Active's image does not take them, and its release's parser does.
    not_taken_only: Vec<String>,
}

fn figures(configs: &Path, active: &str, standby: &str) -> Figures {
    let frr = configs.parent().expect("the corpus");
    let image = |release: &str| Arc::new(imported(frr, release).0);
    let pair = Pair::new(image(active), image(standby)).expect("the two make a pair");
    let rejects = rejects(configs);
    let refuses = |file: &str, line: usize, release: &str| {
        rejects.get(&(file.to_owned(), line)).is_some_and(|by| by.contains(release))
    };
    let mut figures = Figures::default();
    for folder in ["7.5.1", "8.4.4"] {
        let entries = std::fs::read_dir(configs.join(folder)).expect("a readable folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().expect("a name").to_string_lossy();
            let file = format!("{folder}/{name}");
            let text = std::fs::read(&path).expect("a readable config");
            let preview = Preview::new(&pair, &file, &text);
            figures.looked_at += preview.lines;
            figures.listed += preview.stuck.len();
            figures.not_taken += preview.not_taken.len();
            for stuck in &preview.stuck {
                if !refuses(&file, stuck.line, standby) {
                    let said = format!("{file}:{}: {}: {}", stuck.line, stuck.text, stuck.why);
                    figures.listed_only.push(said);
                }
            }
            for line in &preview.not_taken {
                if !refuses(&file, line.line, active) {
                    let said = format!("{file}:{}: {}: {}", line.line, line.text, line.why);
                    figures.not_taken_only.push(said);
                }
            }
            let apart: BTreeSet<usize> = preview
                .stuck
                .iter()
                .map(|of| of.line)
                .chain(preview.not_taken.iter().map(|of| of.line))
                .collect();
            let lines = String::from_utf8_lossy(&text);
            for (at, line) in lines.lines().enumerate() {
                let number = at + 1;
                let refused = refuses(&file, number, standby) && !refuses(&file, number, active);
                if refused && !apart.contains(&number) {
                    let said = format!("{file}:{number}: {}", line.trim());
                    figures.refused_only.push(said);
                }
            }
        }
    }
    println!(
        "{active} facing {standby}: {} lines looked at; {} listed, {} of them taken there; {} \
         refused there and not listed; {} not taken here, {} of them by the real parser",
        figures.looked_at,
        figures.listed,
        figures.listed_only.len(),
        figures.refused_only.len(),
        figures.not_taken,
        figures.not_taken_only.len()
    );
    figures
}

/// A listed line that the facing release takes is at most one in 200 of those looked at; one that
/// it refuses is listed, but for kinds that have a reason; the Active's own parser is met.
fn hold(figures: &Figures, explained: impl Fn(&str) -> bool) {
    assert!(figures.looked_at > 10_000, "{}", figures.looked_at);
    assert!(figures.listed > 50, "{}", figures.listed);
    let most = figures.looked_at / 200;
    assert!(figures.listed_only.len() <= most, "{:#?}", figures.listed_only);
    let unexplained = figures.refused_only.iter().filter(|line| !explained(line));
    assert_eq!(unexplained.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(figures.not_taken_only, [""; 0]);
}

#[test]
fn a_newer_release_takes_what_is_not_listed_and_refuses_what_is() {
    let Some(corpus) = corpus() else { return };
    hold(&figures(&corpus.join("configs"), "8.4.4", "10.3"), |_| false);
}

#[test]
fn an_older_release_takes_what_is_not_listed_and_refuses_what_is() {
    let Some(corpus) = corpus() else { return };
    let figures = figures(&corpus.join("configs"), "10.3", "7.5.1");
    // The command set of 7.5.1 holds these; the parser that was asked was built without VNC.
    hold(&figures, |line| line.contains(": rfp "));
}

#[test]
fn real_command_sets_differ_by_as_many_forms_as_ever() {
    let Some(corpus) = corpus() else { return };
    let pairs = [
        ("7.5.1", "8.4.4", 100, 597),
        ("8.0", "9.1", 41, 595),
        ("8.4.4", "10.3", 27, 643),
        ("10.0", "10.3", 12, 276),
        ("10.3", "7.5.1", 1191, 120),
    ];
    for (active, standby, adl, sdl) in pairs {
        let dump = |release: &str| Dump::from_image(&imported(&corpus, release).0);
        let diff = Diff::between(&dump(active), &dump(standby));
        assert_eq!((diff.adl.len(), diff.sdl.len()), (adl, sdl), "{active} {standby}");
    }
}

fn run(args: &[&str]) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = skewsync_cli::run(["skewsync"].iter().chain(args), &mut out, &mut err);
    let text = [out, err].concat();
    (exit as u8, String::from_utf8(text).expect("text"))
}

/// The bundled config of a release, as a file.
fn bundled_config(release: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("impl/families/meridian/configs");
    folder.join(format!("{release}.conf")).display().to_string()
}

#[test]
fn a_preview_counts_every_line_once_and_tries_what_would_go() {
    let config = bundled_config("6.2");
    let (exit, json) = run(&["preview", "meridian@6.2", "meridian@6.1", &config, "--json"]);
    assert_eq!(exit, 1, "{json}");
    let read: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
    let count = |list: &str| read[list].as_array().expect("a list").len() as u64;
    let lists = ["stuck", "lowered", "raised", "dont_care"].map(count);
    let as_is = read["as_is"].as_u64().expect("a count");
    assert_eq!(read["lines"], as_is + lists.iter().sum::<u64>());
    assert!(lists[1] > 10 && lists[3] == 1 && count("not_taken") == 0, "{json}");
    let stuck = &read["stuck"][0];
    assert_eq!(stuck["text"], "join-interval 30");
    assert_eq!(stuck["at"], "router pim");
    assert_eq!(stuck["instead"], "join-interval 60");
    assert!(stuck["why"].as_str().expect("text").contains("(60-600)"), "{json}");
    let line = stuck["line"].as_u64().expect("a number") as usize;
    let text = std::fs::read_to_string(&config).expect("the config");
    assert_eq!(text.lines().nth(line - 1).map(str::trim), Some("join-interval 30"));
}

#[test]
fn a_preview_that_lists_nothing_passes() {
    let config = bundled_config("6.2");
    let (exit, text) = run(&["preview", "meridian@6.2", "meridian@6.2", &config]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("0 lowered   0 raised   0 don't-care   0 stuck"), "{text}");
}

#[test]
fn what_is_translated_is_read_back_and_its_provenance_are_comments() {
    let config = bundled_config("6.2");
    let translate = ["translate", "meridian@6.2", "meridian@6.0", &config];
    let (exit, plain) = run(&translate);
    assert_eq!(exit, 0, "{plain}");
    let (_, explained) = run(&[&translate[..], &["--explain"]].concat());
    let lines = explained.lines().filter(|line| !line.trim_start().starts_with('!'));
    assert_eq!(lines.collect::<Vec<_>>(), plain.lines().collect::<Vec<_>>());
    assert!(explained.contains("(services 3 -> 2)"), "{explained}");
    assert!(explained.contains("! not sent:"), "{explained}");
    let absent = explained.matches("! no line says it\n ip igmp query-interval 125").count();
    assert_eq!(absent, explained.matches("no line says it").count(), "{explained}");
    assert!(absent > 0, "{explained}");
    // What travels to 6.0 is 6.0's own syntax.
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("wire.conf");
    std::fs::write(&path, &plain).expect("a file for the test");
    let (exit, text) = run(&["parse", "meridian@6.0", &path.display().to_string()]);
    assert_eq!(exit, 0, "{text}");
}

#[test]
fn a_line_is_shown_on_every_rung_there_and_back() {
    let line = "router pim / join-interval 60";
    let (exit, text) = run(&["image", "try", "meridian", "6.2", "6.0", line]);
    assert_eq!(exit, 0, "{text}");
    let found: Vec<&str> = text.lines().map(str::trim).collect();
    let at = |start: &str| found.iter().position(|line| line.starts_with(start));
    let order = ["6.2 -> 6.0", "pim 2 -> 1", "6.0 -> 6.2", "pim 1 -> 2"].map(at);
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{text}");
    let back = found.iter().filter(|row| row.starts_with("on 6.2") && row.ends_with(line));
    assert_eq!(back.count(), 2, "{text}");
    let (exit, text) =
        run(&["image", "try", "meridian", "6.2", "6.1", "router pim / join-interval 30"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("stuck") && text.contains("(60-600)"), "{text}");
    let (exit, text) = run(&["image", "try", "meridian", "6.2", "6.1", "no such line"]);
    assert_eq!(exit, 1, "{text}");
}

#[test]
fn several_lines_make_one_config_each_from_the_root() {
    let lines = ["router pim / join-interval 60", "logging host 192.0.2.7", "router pim / no bsr"];
    let (exit, text) = run(&[&["image", "try", "meridian", "6.2", "6.1"], &lines[..2]].concat());
    assert_eq!(exit, 0, "{text}");
    let both = "  on 6.2              logging host 192.0.2.7 + router pim / join-interval 60\n";
    assert_eq!(text.matches(both).count(), 2, "{text}");
    let (exit, text) = run(&[&["image", "try", "meridian", "6.2", "6.1"], &lines[..]].concat());
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("6.2 does not take `no bsr`"), "{text}");
    let (exit, text) = run(&["image", "try", "meridian", "6.2", "6.1"]);
    assert_eq!(exit, 5, "{text}");
}

/// A family of two releases, whose one component declares `base`.
fn family_of(base: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let releases = ["1", "2"].map(|release| {
        format!("[[release]]\nname = '{release}'\nlevels = {{ base = {release} }}\n")
    });
    let family = format!("family = 'f'\ncomponents = ['base']\n{}", releases.concat());
    for (name, text) in [("family.toml", &*family), ("base.toml", base)] {
        std::fs::write(folder.path().join(name), text).expect("a file for the test");
    }
    folder
}

fn side(form: &str) -> String {
    format!("{{ mode = 'config', form = '{form}' }}")
}

/// A rename into words that another command of the newer release begins with.
fn renamed_into_another_command() -> tempfile::TempDir {
    family_of(&format!(
        "component = 'base'\n[[command]]\nmode = 'config'\nform = 'log WORD$host'\n\
         key = ['host']\n[[change]]\nlevel = 2\nwhy = 'renamed'\nkey = ['host']\n\
         old = [{}]\nnew = [{}]\n[[change]]\nlevel = 2\nwhy = 'levels'\nnew = [{}]\n",
        side("log WORD$host"),
        side("log to WORD$host"),
        side("log to <debug|info>$level")
    ))
}

/// Two lines that become one.
fn two_lines_into_one() -> tempfile::TempDir {
    let (global, local) = ("[no] global (16-99)$from", "[no] local (16-99)$to");
    let command = |form| format!("[[command]]\nmode = 'config'\nform = '{form}'\n");
    family_of(&format!(
        "component = 'base'\n{}{}[[change]]\nlevel = 2\nwhy = 'one line'\nalone = 'stuck'\n\
         old = [{}, {}]\nnew = [{}]\n",
        command(global),
        command(local),
        side(global),
        side(local),
        side("[no] block (16-99)$from (16-99)$to")
    ))
}

/// The images of both releases.
fn built(family: &tempfile::TempDir) -> [String; 2] {
    let folder = family.path().display().to_string();
    ["1", "2"].map(|release| {
        let image = family.path().join(release).display().to_string();
        let (exit, text) = run(&["image", "build", &folder, release, "-o", &image]);
        assert_eq!(exit, 0, "{text}");
        image
    })
}

fn read(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("JSON")
}

/// No other value of a half would go in its place.
#[test]
fn half_of_a_merge_is_stuck_and_nothing_is_proposed_for_it() {
    let family = two_lines_into_one();
    let folder = family.path().display().to_string();
    let images = built(&family);
    let config = family.path().join("a.conf").display().to_string();
    let preview = |text: &str| {
        std::fs::write(&config, text).expect("a file for the test");
        run(&["preview", &images[0], &images[1], &config, "--json"])
    };
    let (exit, previewed) = preview("global 20\n");
    assert_eq!(exit, 1, "{previewed}");
    let stuck = &read(&previewed)["stuck"][0];
    assert_eq!(stuck["text"], "global 20");
    assert_eq!(stuck["why"], "the rest of its group is still to come");
    assert_eq!(stuck["instead"], serde_json::Value::Null);
    let (exit, tried) = run(&["image", "try", &folder, "1", "2", "global 20", "--json"]);
    assert_eq!(exit, 1, "{tried}");
    assert_eq!(read(&tried)[0]["not_raised"][0]["line"], "global 20");
    let (exit, previewed) = preview("global 20\nlocal 30\n");
    assert_eq!(exit, 0, "{previewed}");
}

/// What tells two lines apart is a value of one line on the other side.
#[test]
fn of_lines_that_would_be_one_each_names_the_other() {
    let form = "[no] route A.B.C.D $to [(1-255)$distance]".replace(" $", "$");
    let family = family_of(&format!(
        "component = 'base'\n[[command]]\nmode = 'config'\nform = '{form}'\nkey = ['to']\n\
         [[change]]\nlevel = 2\nwhy = 'one a distance'\nkey = ['to', 'distance']\n\
         old = [{}]\nnew = [{}]\n",
        side(&form),
        side(&form)
    ));
    let [older, newer] = built(&family);
    let config = family.path().join("a.conf").display().to_string();
    std::fs::write(&config, "route 192.0.2.1\nroute 192.0.2.2\nroute 192.0.2.1 9\n")
        .expect("a file for the test");
    let (exit, previewed) = run(&["preview", &newer, &older, &config, "--json"]);
    assert_eq!(exit, 1, "{previewed}");
    let stuck = read(&previewed)["stuck"].clone();
    let why = |at: usize| stuck[at]["why"].as_str().expect("a reason").to_owned();
    for (at, other) in [(0, "a.conf:3"), (1, "a.conf:1")] {
        assert!(why(at).starts_with("lines of one group contradict each other: "), "{stuck}");
        assert!(why(at).ends_with(other), "{stuck}");
    }
}

#[test]
fn a_line_that_arrives_as_another_is_stuck_as_a_preview_finds_it() {
    let family = renamed_into_another_command();
    let folder = family.path().display().to_string();
    let file = |name: &str| family.path().join(name).display().to_string();
    let (config, line) = (file("a.conf"), "log debug");
    std::fs::write(&config, line).expect("a file for the test");
    let images = built(&family);
    let (exit, previewed) = run(&["preview", &images[0], &images[1], &config, "--json"]);
    assert_eq!(exit, 1, "{previewed}");
    let (exit, tried) = run(&["image", "try", &folder, "1", "2", line, "--json"]);
    assert_eq!(exit, 1, "{tried}");
    let (previewed, tried) = (read(&previewed), read(&tried));
    let stuck = &tried[0]["not_raised"][0];
    assert_eq!(stuck["line"], previewed["stuck"][0]["text"]);
    assert_eq!(stuck["why"], previewed["stuck"][0]["why"]);
    assert_eq!(stuck["why"], "the facing image reads these words as another command");
}
