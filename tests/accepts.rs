//! Imported command sets against the verdicts of the real parsers (test data beside the checkout).

use skewsync::image::Image;
use skewsync::parse::{WalkUp, line_in};

use crate::corpus::{corpus, imported};

#[test]
fn every_form_of_every_command_set_is_taken() {
    let Some(corpus) = corpus() else { return };
    for release in ["7.5.1", "8.0", "8.4.4", "9.1", "10.0", "10.3"] {
        let (image, report) = imported(&corpus, release);
        assert!(!report.contains("not taken"), "{release}: {report}");
        assert!(image.forms().count() > 2_600, "{release}: {}", image.forms().count());
        let again = Image::decode(image.encode().as_bytes()).expect("what was written");
        assert_eq!(again.digest(), image.digest(), "{release}");
    }
}

/// Why our parser and the real one differ on a line, where the release's command set is not at
/// fault.
fn explained(mode: &str, line: &str) -> Option<&'static str> {
    let line = line.strip_prefix("no ").unwrap_or(line);
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    if begins(&["configuration ", "debug northbound", "yang module-translator"]) {
        return Some("modules for sysrepo and transactions, which that build leaves out");
    }
    if begins(&["rfp ", "match script", "zebra on-rib-process"]) {
        return Some("options of the build: VNC and scripting");
    }
    if mode == "config" && begins(&["log", "banner motd", "service terminal-length", "debug "]) {
        return Some(
            "the shell has commands of its own for its terminal and logs, and asks them first",
        );
    }
    if begins(&["ip router-id", "router-id"]) {
        return Some("`no router-id` alone is an alias that the shell does not know");
    }
    if line.starts_with("bgp graceful-restart") || line.ends_with("extended-optional-parameters") {
        return Some("the shell's own table holds them there; the daemons' command sets do not");
    }
    match (mode, line) {
        ("isis_srv6", "interface foo") => Some("the mode came with a later release"),
        ("bgp", "neighbor foo peer-group") => Some("the shell's table spells its `no` otherwise"),
        ("sr_segment_list", line) if line.starts_with("index 1") => {
            Some("the shell wants more words than the daemon's form")
        }
        _ => None,
    }
}

#[test]
fn real_parsers_verdicts_are_met() {
    let Some(corpus) = corpus() else { return };
    let table = std::fs::read_to_string(corpus.join("accepts.tsv")).expect("a readable table");
    for (release, column) in [("7.5.1", 2), ("8.4.4", 3)] {
        let (image, _) = imported(&corpus, release);
        // Per verdict (`y`, `n`): lines that agree, lines in all.
        let mut counts = [(0usize, 0usize); 2];
        for row in table.lines().skip(1) {
            let fields: Vec<&str> = row.split('\t').collect();
            let (mode, line) = (fields[0], fields[1]);
            let found = line_in(&image, image.own(), mode, line, WalkUp::Yes).is_ok();
            let expected = fields[column] == "y";
            let (agree, all) = &mut counts[usize::from(!expected)];
            *all += 1;
            *agree += usize::from(found == expected);
            if found != expected {
                assert!(
                    explained(mode, line).is_some(),
                    "{release}: {mode} / {line}: {expected} by the real parser, {found} by ours"
                );
            }
        }
        let share = |(agree, all): (usize, usize)| agree as f64 / all as f64;
        println!("{release}: y {:?}, n {:?}", counts[0], counts[1]);
        assert!(share(counts[0]) >= 0.995, "{release}: {:?}", counts[0]);
        assert!(share(counts[1]) >= 0.965, "{release}: {:?}", counts[1]);
    }
}
