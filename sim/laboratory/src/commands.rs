//! The commands of `skewlab`, one file each. Each is a library function, so that tests call it
//! in-process.

pub mod adopt;
pub mod check;
pub mod drawn;
pub mod families;
pub mod files;
mod fresh_process;
pub mod merge;
mod mistakes;
pub mod plan;
pub mod planted;
pub mod replay;
pub mod run;
pub mod show;
pub mod shrink;
pub mod situations;
pub mod why;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use skewsync_sim::exit;

/// The laboratory of skewsync: the engine in a deterministic world.
#[derive(Debug, Parser)]
#[command(name = "skewlab", version)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(Box<run::Args>),
    Merge(merge::Args),
    Plan(plan::Args),
    Families(families::Args),
    Check(check::Args),
    Replay(replay::Args),
    Show(show::Args),
    Shrink(shrink::Args),
    Why(why::Args),
    Adopt(adopt::Args),
    Situations(situations::Args),
    Planted(planted::Args),
}

/// Does what the arguments say; the first is the program's name.
pub fn run(args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            let helps = !error.use_stderr();
            let to: &mut dyn Write = if helps { out } else { err };
            let _ = write!(to, "{}", error.render());
            return ExitCode::from(if helps { exit::PASSED } else { exit::USAGE });
        }
    };
    let done = match args.verb {
        Verb::Run(args) => run::run(&args, out, err),
        Verb::Merge(args) => merge::run(&args, out, err),
        Verb::Plan(args) => plan::run(&args, out, err),
        Verb::Families(args) => families::run(&args, out, err),
        Verb::Check(args) => check::run(&args, out, err),
        Verb::Replay(args) => replay::run(&args, out, err),
        Verb::Show(args) => show::run(&args, out, err),
        Verb::Shrink(args) => shrink::run(&args, out, err),
        Verb::Why(args) => why::run(&args, out, err),
        Verb::Adopt(args) => adopt::run(&args, out, err),
        Verb::Situations(args) => situations::run(&args, out, err),
        Verb::Planted(args) => planted::run(&args, out, err),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(err, "skewlab: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}

#[cfg(test)]
mod tests {
    use skewsync_model::property::Property;
    use skewsync_sim::run::VerdictKind;

    use super::*;

    /// What the verb printed, and its exit code as `ExitCode` shows it.
    fn lab(words: &[&str]) -> (String, String, String) {
        let args: Vec<String> =
            std::iter::once("skewlab").chain(words.iter().copied()).map(Into::into).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&args, &mut out, &mut err);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (format!("{code:?}"), text(out), text(err))
    }

    fn code(code: u8) -> String {
        format!("{:?}", ExitCode::from(code))
    }

    /// A file with this text; it goes with the value.
    struct Input(tempfile::NamedTempFile);

    impl Input {
        fn from_text(text: &str) -> Self {
            Self::bytes(text.as_bytes())
        }

        fn bytes(bytes: &[u8]) -> Self {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            file.write_all(bytes).expect("it takes the bytes");
            Self(file)
        }

        fn path(&self) -> &str {
            self.0.path().to_str().expect("a path of text")
        }
    }

    #[test]
    fn a_campaign_without_faults_passes_and_says_what_was_met() {
        let (exit, out, _) = lab(&["run", "--seeds", "6", "--only-faults", "none", "--json"]);
        let object: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
        assert_eq!(exit, code(exit::PASSED), "{out}");
        assert_eq!(object["seeds"], 6);
        assert_eq!(object["failed"], 0);
        assert!(object["situations"]["hot"].as_u64() >= Some(6), "{out}");
        assert!(object["properties"]["SingleActive"].as_u64() > Some(0), "{out}");
    }

    #[test]
    fn a_family_is_written_with_what_arrives() {
        let dir = tempfile::tempdir().expect("a folder");
        let (exit, printed, _) = lab(&["families", "3"]);
        assert_eq!(exit, code(exit::PASSED));
        lab(&["families", "3", "--out", dir.path().to_str().expect("a path of text")]);
        for name in ["family.toml", "base.toml", "arrives-on-1.conf", "listed-facing-1.txt"] {
            let text = std::fs::read_to_string(dir.path().join(name)).expect("it is written");
            assert!(printed.contains(&format!("== {name}\n{text}\n")), "{name}");
        }
    }

    #[test]
    fn parts_of_a_campaign_are_added_up_and_gone_on_with() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str| dir.path().join(name).to_str().expect("text").to_string();
        let (one, two, whole) = (file("one"), file("two"), file("whole"));
        let runs = ["run", "--mix", "none", "--seeds", "6"];
        let part = |more: &[&str]| lab(&[&runs[..], more].concat());
        let lines = file("lines");
        part(&["--shard", "1/2", "--summary", &one, "--ndjson", &lines]);
        let text = std::fs::read_to_string(&lines).expect("lines");
        let seeds = text.lines().map(|line| {
            let ended: serde_json::Value = serde_json::from_str(line).expect("an object a line");
            assert_eq!(ended["verdict"], "passed");
            ended["seed"].as_u64().expect("a seed")
        });
        assert_eq!(seeds.collect::<std::collections::BTreeSet<_>>(), [0, 1, 2].into());
        part(&["--shard", "2/2", "--summary", &two]);
        let (exit, out, err) = lab(&["merge", &two, &one, "--summary", &whole, "--json"]);
        assert_eq!(exit, code(exit::PASSED), "{err}");
        let object: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
        let (_, out, _) = part(&["--json"]);
        let at_once: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
        assert_eq!((&object["seeds"], &object["traces"]), (&6.into(), &at_once["traces"]));

        let (exit, _, err) = lab(&["merge", &whole, &one]);
        assert_eq!(exit, code(exit::USAGE));
        assert!(err.contains(&one) && err.contains("3 of its seeds"), "{err}");
        let (exit, _, err) = lab(&["run", "--resume", &one]);
        assert_eq!(exit, code(exit::USAGE));
        assert!(err.contains(&one) && err.contains("other runs"), "{err}");
        let (exit, out, err) = part(&["--resume", &one, "--json"]);
        assert_eq!(exit, code(exit::PASSED), "{err}");
        let object: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
        assert_eq!((&object["seeds"], &object["traces"]), (&6.into(), &at_once["traces"]));
    }

    #[test]
    fn an_unknown_argument_fault_or_image_is_wrong_usage() {
        for words in [
            &["run", "--sedes", "3"][..],
            &["run", "--only-faults", "meteor"],
            &["run", "--pair", "6.0:9.9"],
            &["replay", "no-such-plan.toml"],
            &["run", "--jobs", "0"],
            &["run", "--seeds", "0"],
            &["run", "--for", "0"],
            &["run", "--from", "18446744073709551615", "--seeds", "2"],
            &["run", "--pair", "6.0:6.2", "--active", "a", "--standby", "b"],
            &["run", "--active", "meridian@6.0"],
            &["run", "--only-faults", ""],
            &["run", "--planted", "meteor"],
            &["run", "--shard", "3/2"],
            &["run", "--seeds", "1", "--summary", "/no/such/folder/file"],
            &["run", "--resume", "no-such-summary.json"],
            &["merge"],
            &["run", "--seeds", "1", "--ndjson", "/no/such/folder/file"],
            &["run", "--limit", "0"],
            &["merge", "no-such-summary.json"],
            &["merge", "Cargo.toml"],
            &["situations", "--seeds", "0"],
            &["run", "--config", "Cargo.toml"],
            &["replay", "no-such-plan.toml", "--limit", "0"],
        ] {
            let (exit, _, err) = lab(words);
            assert_eq!(exit, code(exit::USAGE), "{words:?}");
            assert!(!err.is_empty(), "{words:?} says why");
        }
    }

    #[test]
    fn lines_that_the_active_does_not_take_are_left_out_and_said() {
        let config = Input::from_text("hostname r1\nno such line\nmtu mtu\n");
        let words = ["--seeds", "1", "--pair", "6.0:6.2", "--config", config.path()];
        let (exit, out, err) = lab(&[&["run"], &words[..]].concat());
        assert_eq!(exit, code(exit::PASSED), "{out}");
        assert!(
            err.contains(
                "2 of 3 lines are not taken by meridian@6.0 and are left out; the first: line 2"
            ),
            "{err}"
        );
    }

    #[test]
    fn a_byte_order_mark_before_a_config_is_skipped_and_said() {
        let of = |text: &str| {
            let config = Input::from_text(text);
            let runs = ["run", "--seeds", "1", "--pair", "6.0:6.2", "--json", "--config"];
            let (exit, out, err) = lab(&[&runs[..], &[config.path()]].concat());
            assert_eq!(exit, code(exit::PASSED), "{out}{err}");
            let object: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
            (object["traces"].clone(), err)
        };
        let (marked, err) = of("\u{feff}hostname r1\nip routing\n");
        let said = "the byte order mark at the head of the file is skipped";
        assert!(err.contains(said) && !err.contains("not taken"), "{err}");
        assert_eq!(of("hostname r1\nip routing\n"), (marked, String::new()));
    }

    #[test]
    fn a_config_in_utf_16_is_refused() {
        let config = Input::bytes(b"\xff\xfeh\0o\0");
        let runs = ["run", "--seeds", "1", "--pair", "6.0:6.2", "--config"];
        let (exit, _, err) = lab(&[&runs[..], &[config.path()]].concat());
        assert_eq!(exit, code(exit::USAGE));
        assert!(err.contains(config.path()) && err.contains("iconv -f UTF-16"), "{err}");
    }

    #[test]
    fn a_plan_that_takes_too_long_is_given_up() {
        let catalog = skewsync_sim::catalog::load(&[]).expect("the bundled images");
        let plan = std::sync::Arc::new(crate::draw::plan(1, &crate::draw::DrawOptions::default()));
        let options = skewsync_sim::run::Options { lockstep: skewsync_sim::run::Lockstep::Off };
        let no_time = std::time::Duration::ZERO;
        let runner = skewsync_sim::runner::Runner::new(&catalog.into(), options).within(no_time);
        let ran = runner.run(&plan);
        let hung = skewsync_sim::run::Verdict::Hung { seconds: 0 };
        assert_eq!(ran.err(), Some(skewsync_sim::runner::Failed::Hung(hung)));
    }

    #[test]
    fn an_anchor_that_is_never_reached_is_drift() {
        let wishes =
            crate::draw::DrawOptions { only_faults: Some(Vec::new()), ..Default::default() };
        let mut plan = crate::draw::plan(1, &wishes);
        plan.commands.clear();
        (plan.network, plan.loss) = (skewsync_sim::plan::Network::Links, None);
        let at = "before deliver 0->1 Save 7, attempt 99".parse().expect("an anchor");
        let kind = skewsync_sim::plan::FaultKind::Crash { slot: 0, down_ms: 5 };
        plan.faults = vec![skewsync_sim::plan::Fault { at, kind }];
        let plan = Input::from_text(&plan.write());
        let (exit, out, err) = lab(&["replay", plan.path()]);
        assert_eq!(exit, code(exit::USAGE), "{out}{err}");
        assert!(err.contains("drift") && err.contains("Save 7"), "{err}");
    }

    #[test]
    fn a_plan_that_is_none_is_refused_with_its_file_and_what_is_wrong() {
        let wishes =
            crate::draw::DrawOptions { only_faults: Some(Vec::new()), ..Default::default() };
        // An empty list is written inline, and no table may follow it.
        let good = crate::draw::plan(2, &wishes).write().replacen("faults = []\n", "", 1);
        let fault = |text: &str| format!("{good}\n[[faults]]\n{text}\n");
        let crash = "kind = \"crash\"\ndown_ms = 5\n";
        for (name, text, says) in [
            ("empty", String::new(), "version"),
            ("version", good.replacen("version = 1", "version = 7", 1), "format version 7"),
            ("fault", fault("at = \"at 5 ms\"\nkind = \"meteor\""), "meteor"),
            ("anchor", fault(&format!("at = \"soon\"\nslot = 0\n{crash}")), "soon"),
            ("slot", fault(&format!("at = \"at 5 ms\"\nslot = 2\n{crash}")), "slot"),
            (
                "moment",
                fault("at = \"at 5 ms\"\nkind = \"lose\""),
                "a message fault (lose) needs an anchor",
            ),
            ("cut", good[..good.len() / 2].to_string() + "\n[", "line"),
        ] {
            let plan = Input::from_text(&text);
            let (exit, _, err) = lab(&["replay", plan.path()]);
            assert_eq!(exit, code(exit::USAGE), "{name}: {err}");
            assert!(err.contains(plan.path()) && err.contains(says), "{name}: {err}");
        }
    }

    #[test]
    fn adopt_says_what_is_wrong_with_its_name_its_words_its_folder_and_its_plan() {
        let folder = tempfile::tempdir().expect("a folder");
        let into = folder.path().to_str().expect("a path of text");
        files::write(&folder.path().join("taken.toml"), "").expect("it is written");
        let passes =
            Input::from_text(&crate::draw::plan(2, &crate::draw::DrawOptions::default()).write());
        let garbage = Input::from_text("version = 1\nwhat");
        let (plan, none) = (passes.path(), "no-such-folder");
        for (words, says) in [
            ([plan, "fresh", "why", into], "the plan passes"),
            ([plan, "taken", "why", into], "is there already"),
            ([plan, "Not/A name", "why", into], "small letters"),
            ([plan, "-hyphen", "why", into], "begins with no hyphen"),
            ([plan, "fresh", " ", into], "--why is empty"),
            ([plan, "fresh", "why", none], "no such folder"),
            (["no-such-plan.toml", "fresh", "why", into], "no-such-plan.toml"),
            ([garbage.path(), "fresh", "why", into], "line 2"),
        ] {
            let [plan, name, why, into] = words;
            let name = format!("--name={name}");
            let (exit, _, err) = lab(&["adopt", plan, &name, "--why", why, "--into", into]);
            assert_eq!(exit, code(exit::USAGE), "{words:?}: {err}");
            assert!(err.contains(says), "{words:?}: {err}");
        }
        let left = std::fs::read_dir(folder.path()).expect("it is readable");
        assert_eq!(left.count(), 1, "nothing was written");
    }

    #[test]
    fn what_does_not_fail_is_not_shrunk_and_nobody_asks_why() {
        let passes =
            Input::from_text(&crate::draw::plan(2, &crate::draw::DrawOptions::default()).write());
        for verb in ["shrink", "why"] {
            let (exit, _, err) = lab(&[verb, passes.path()]);
            assert_eq!(exit, code(exit::USAGE), "{err}");
            assert!(err.contains("the plan passes"), "{err}");
            let (exit, _, err) = lab(&[verb, passes.path(), "--for", "0"]);
            assert_eq!(exit, code(exit::USAGE), "{err}");
        }
    }

    #[test]
    fn all_kept_plans_are_told_in_a_table_and_another_verdict_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let into = folder.path().to_str().expect("a path of text");
        let (exit, _, err) = lab(&["replay", "--all", into]);
        assert_eq!(exit, code(exit::USAGE), "{err}");
        assert!(err.contains("no kept plan"), "{err}");
        let mut kept = crate::regression::Regression {
            what: "It passes.".into(),
            expect: crate::regression::Expect::passes(),
            plan: crate::draw::plan(2, &crate::draw::DrawOptions::default()),
        };
        kept.plan.faults.clear();
        kept.plan.commands.clear();
        let path = folder.path().join("one.toml");
        files::write(&path, &kept.write()).expect("it is written");
        let (exit, out, _) = lab(&["replay", "--all", into]);
        assert_eq!(exit, code(exit::PASSED), "{out}");
        assert!(out.contains("1 kept plans, 0 not as expected"), "{out}");
        kept.expect.sound = VerdictKind::Fails(Property::NoStale);
        files::write(&path, &kept.write()).expect("it is written");
        let (exit, out, _) = lab(&["replay", "--all", into]);
        assert_eq!(exit, code(exit::SAFETY), "{out}");
        assert!(out.contains("passed instead of NoStale"), "{out}");
    }

    #[test]
    fn a_plan_replays_without_its_seed() {
        let mut plan = crate::draw::plan(4, &crate::draw::DrawOptions::default());
        plan.seed = None;
        let plan = Input::from_text(&plan.write());
        let (_, one, _) = lab(&["replay", plan.path()]);
        let (_, other, _) = lab(&["replay", plan.path()]);
        assert!(one.contains("trace"), "{one}");
        assert_eq!(one, other);
    }

    #[test]
    fn the_plan_of_a_seed_is_written_and_makes_the_run_of_the_seed() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name).to_str().expect("a path of text").to_string();
        let (plan, seeds) = (at("plan.toml"), at("seeds.ndjson"));
        let drawn = ["--mix", "storm", "--only-faults", "crash,lose"];
        let (exit, out, err) = lab(&[&["plan", "5", "--out", &plan], &drawn[..]].concat());
        assert_eq!((exit, out), (code(exit::PASSED), String::new()), "{err}");
        let (_, printed, _) = lab(&[&["plan", "5"], &drawn[..]].concat());
        assert_eq!(files::text(plan.as_ref()), Ok(printed));
        let seed = ["run", "--from", "5", "--seeds", "1", "--ndjson", &seeds];
        assert_eq!(lab(&[&seed, &drawn[..]].concat()).0, code(exit::PASSED));
        let read = |text: &str| -> serde_json::Value {
            serde_json::from_str(text.trim()).expect("one JSON object")
        };
        let ran = read(&files::text(seeds.as_ref()).expect("a line"));
        let replayed = read(&lab(&["replay", &plan, "--json"]).1);
        assert_eq!(replayed["trace"], ran["trace"]);
        assert!(replayed["trace"].is_string());
        assert_eq!(lab(&["plan", "5", "--planted", "meteor"]).0, code(exit::USAGE));
    }

    #[test]
    fn a_seed_is_shown_whatever_it_established() {
        let dir = tempfile::tempdir().expect("a folder");
        let to = dir.path().to_str().expect("a path of text");
        let (exit, out, err) = lab(&["show", "3", "--rows", "20", "--out", to]);
        assert_eq!(exit, code(exit::PASSED), "{err}");
        assert!(out.contains("unit 0") && out.contains("passed"), "{out}");
        let page = std::fs::read_to_string(dir.path().join("show.html")).expect("the page");
        assert!(page.contains("<svg") && !page.contains("<script"));
        assert_eq!(lab(&["show", "no-such-plan.toml"]).0, code(exit::USAGE));
    }

    #[test]
    fn a_window_of_a_run_is_told_and_compared_with_a_trace() {
        let wishes = crate::draw::DrawOptions {
            mix: crate::draw::Mix::None,
            ..crate::draw::DrawOptions::default()
        };
        let mut plan = crate::draw::plan(3, &wishes);
        plan.commands.clear();
        let plan = Input::from_text(&plan.write());
        let dir = tempfile::tempdir().expect("a folder");
        let trace = dir.path().join("run.ndjson");
        let trace = trace.to_str().expect("a path of text");
        let (exit, out, err) =
            lab(&["replay", plan.path(), "--from", "10", "--to", "12", "--trace", trace]);
        assert_eq!(exit, code(exit::PASSED), "{err}");
        let told: Vec<&str> =
            out.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(told.starts_with(&["10"]) && !told.contains(&"13"), "{out}");
        let (_, out, _) = lab(&["replay", plan.path(), "--compare", trace]);
        assert!(out.contains("every step is as in"), "{out}");
        let text = std::fs::read_to_string(trace).expect("the trace");
        let other = Input::from_text(&text.replacen("takes Hello", "takes a Hello", 1));
        let (_, out, _) = lab(&["replay", plan.path(), "--compare", other.path()]);
        assert!(out.contains("\n- ") && out.contains("takes a Hello"), "{out}");
        for wrong in [
            &["--until", "NoSuchProperty"][..],
            &["--from", "5", "--to", "4"],
            &["--compare", plan.path()],
        ] {
            let words: Vec<&str> = ["replay", plan.path()].iter().chain(wrong).copied().collect();
            assert_eq!(lab(&words).0, code(exit::USAGE), "{wrong:?}");
        }
    }
}
