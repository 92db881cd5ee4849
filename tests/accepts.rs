//! Imported command sets against the verdicts of the real parsers (test data beside the checkout).

use std::path::{Path, PathBuf};

use skewsync::image::Image;
use skewsync::parse::{WalkUp, line_in};
use skewsync_cli::verbs::image::import_files;

/// The corpus, if it lies beside the checkout.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/frr");
    if !folder.exists() {
        println!("skipped: no command sets at ../shared/corpus/frr");
    }
    folder.exists().then_some(folder)
}

fn imported(corpus: &Path, release: &str) -> (Image, String) {
    let forms = corpus.join(format!("{release}.jsonl"));
    let nodes = corpus.join(format!("{release}.nodes.json"));
    import_files(&forms, &nodes, "frr", release).expect("the command set is readable")
}

#[test]
fn every_form_of_every_command_set_is_taken() {
    let Some(corpus) = corpus() else { return };
    for release in ["7.5.1", "8.0", "8.4.4", "9.1", "10.0", "10.3"] {
        let (image, report) = imported(&corpus, release);
        assert_eq!(report, "", "{release}");
        assert!(
            image.forms().count() > 2_600,
            "{release}: {}",
            image.forms().count()
        );
        let again = Image::decode(image.encode().as_bytes()).expect("what was written");
        assert_eq!(again.digest(), image.digest(), "{release}");
    }
}

/// Why our parser and the real one differ on a line, where the release's command set is not at fault.
fn explained(mode: &str, line: &str) -> Option<&'static str> {
    let line = line.strip_prefix("no ").unwrap_or(line);
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    if begins(&[
        "configuration ",
        "debug northbound",
        "yang module-translator",
    ]) {
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

#[test]
fn the_tools_meet_bad_input_with_its_place() {
    let folder = std::env::temp_dir().join(format!("skewsync-bad-input-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a file for the test");
        path.to_string_lossy().into_owned()
    };
    let run = |args: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["skewsync"].iter().chain(args);
        let exit = skewsync_cli::run(args, &mut out, &mut err);
        let text = [out, err].concat();
        (exit as u8, String::from_utf8(text).expect("text"))
    };
    let image = skewsync::image::bundled::image("6.2")
        .expect("bundled")
        .encode();
    let cut = file("cut.image", &image.as_bytes()[..image.len() / 2]);
    let binary = file("binary.conf", b"hostname r1\nhost\x00name r2\n");
    let rows = file(
        "rows.tsv",
        b"mode\tline\nnowhere\thostname r1\nconfig\thostname r1\n",
    );
    let form = file(
        "forms.jsonl",
        br#"{"node":"config","command":"a [b","daemon":"d"}"#,
    );
    let nodes = file("nodes.json", br#"{"config":{"parent":null}}"#);
    let to = folder.join("out.image").to_string_lossy().into_owned();
    let cases: [(&[&str], u8, &str); 6] = [
        (&["dump", &cut], 5, "truncated or damaged"),
        (&["dump", "meridian@9.9"], 5, "no such bundled image"),
        (
            &["parse", "meridian@6.2", &binary],
            1,
            "binary.conf:2: not a line of text: byte 0x00 at column 5",
        ),
        (
            &["accepts", "meridian@6.2", &rows],
            0,
            "nowhere\thostname r1\tno-match\nconfig\thostname r1\tmatch\n",
        ),
        (
            &[
                "image",
                "import-forms",
                &form,
                "--nodes",
                &nodes,
                "--name",
                "n",
                "--release",
                "1",
                "-o",
                &to,
            ],
            0,
            "forms.jsonl:1: not taken: column 3: the bracket that opens here is never closed",
        ),
        (&["parse", "meridian@6.2"], 5, "required arguments"),
    ];
    for (args, exit, says) in cases {
        let (found, text) = run(args);
        assert!(text.contains(says), "{args:?} says {text}");
        assert_eq!(found, exit, "{args:?} says {text}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
