//! Small families that others would write, after public bug reports: what `image check` says of
//! them, what is sent, what the Standby holds, and what is listed. Each is a file in
//! `tests/families`. Where it is checked without a finding, runs with its images break nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::Deserialize;
use skewsync::config::Config;
use skewsync::disposition::{pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::ids::{Lsn, Term};
use skewsync::image::{Family, Image};
use skewsync::translate::complement::Complements;
use skewsync::translate::{Lowering, Raising};
use skewsync_check as check;
use skewsync_reference::{Beside, Reference};

/// One family, and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where somebody met it.
    #[expect(dead_code, reason = "for who reads the file")]
    source: String,
    /// The levels of its releases, which are named by them.
    levels: Vec<u16>,
    /// What its component declares.
    component: String,
    /// What a second component declares, of the same levels.
    beside: Option<String>,
    /// Each is a part of one thing that is wrong with it when it is read; none: it is read.
    #[serde(default)]
    refused: Vec<String>,
    /// Each is a part of a finding of `image check`; none: it finds nothing.
    #[serde(default)]
    finds: Vec<String>,
    /// Each is a part of what is known not to go.
    #[serde(default)]
    known: Vec<String>,
    #[serde(default, rename = "try")]
    tries: Vec<Try>,
}

/// A config on its way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Try {
    active: u16,
    standby: u16,
    config: String,
    /// What travels.
    sent: String,
    /// What the Standby holds.
    holds: String,
    /// What the Active lists: each line, a colon, and why.
    #[serde(default)]
    stuck: Vec<String>,
    /// What of it the Standby does not raise, and tells the Active: as in `stuck`.
    #[serde(default)]
    unraised: Vec<String>,
    /// What is executed on the Standby's config once it acts.
    between: Option<String>,
    /// What the former Active holds once it is its Standby; none: what it held.
    back: Option<String>,
}

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families");
    let files = fs::read_dir(&folder).expect("the folder of cases");
    let mut cases: Vec<(String, Case)> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("it reads");
            (name, toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
        })
        .collect();
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(cases.len() >= 6, "{}", cases.len());
    cases
}

/// The family; none: it is refused, as expected.
fn family(name: &str, case: &Case) -> Option<Family> {
    let texts = [("base", Some(&case.component)), ("beside", case.beside.as_ref())];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let names: Vec<&str> = texts.clone().map(|(name, _)| name).collect();
    let release = |level: &u16| {
        let levels: Vec<String> = names.iter().map(|name| format!("{name} = {level}")).collect();
        format!("[[release]]\nname = '{level}'\nlevels = {{ {} }}\n", levels.join(", "))
    };
    let releases: String = case.levels.iter().map(release).collect();
    let table = format!("family = 'acme'\ncomponents = {names:?}\n{releases}");
    let components: Vec<(String, String)> = texts
        .map(|(name, text)| (format!("{name}.toml"), format!("component = '{name}'\n{text}")))
        .collect();
    let components = components.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> =
        [("family.toml", table.as_str())].into_iter().chain(components).collect();
    match Family::parse(&files) {
        Ok(family) if case.refused.is_empty() => Some(family),
        Ok(_) => panic!("{name}: it was read, and not: {:?}", case.refused),
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(errors.len(), case.refused.len(), "{name}: {errors:#?}");
            for part in &case.refused {
                assert!(errors.iter().any(|error| error.contains(part)), "{name}: {errors:#?}");
            }
            None
        }
    }
}

#[test]
fn check_finds_what_is_wrong_with_a_family_and_nothing_else() {
    for (name, case) in cases() {
        let Some(family) = family(&name, &case) else { continue };
        let report = check::family(&family);
        let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        for part in &case.finds {
            assert!(found.iter().any(|found| found.contains(part)), "{name}: {part}: {report}");
        }
        for part in &case.known {
            let mut known = report.known.iter().map(ToString::to_string);
            assert!(known.any(|known| known.contains(part)), "{name}: {part}: {report}");
        }
        let more = found.iter().find(|found| !case.finds.iter().any(|part| found.contains(part)));
        assert_eq!(more, None, "{name}: {report}");
    }
}

#[test]
fn what_is_sent_what_is_held_and_what_is_listed() {
    for (name, case) in cases() {
        let Some(family) = family(&name, &case) else { continue };
        let image = |level: u16| -> Image { family.image(&level.to_string()).expect("a release") };
        for tried in &case.tries {
            let (active, standby) = (image(tried.active), image(tried.standby));
            let at_standby =
                pair_at_standby(&standby, Dump::from_image(&active).encode().as_bytes());
            let at_standby = at_standby.unwrap_or_else(|error| panic!("{name}: {error}"));
            let at_active = pair_at_active(&active, at_standby.diff_bytes()).expect("an answer");
            let mut config = Config::factory(active.levels());
            config.execute(&active, active.own(), &tried.config).expect("lines that A takes");
            let lowering = Lowering::new(&active, &at_active, &config);
            let w = Raising::read_w(&standby, &at_standby, &lowering.wire_bytes());
            let w = w.unwrap_or_else(|error| panic!("{name}: {error}"));
            let listing = lowering.listing().clone();
            let (raising, mismatches) = Raising::new(&standby, &at_standby, w, listing);
            let what = format!("{name}: {} to {}: {}", tried.active, tried.standby, tried.config);
            assert_eq!(lowering.wire_config().render().trim(), tried.sent.trim(), "{what}");
            assert_eq!(raising.config().render().trim(), tried.holds.trim(), "{what}");
            let listed = lowering.listing().lines().iter();
            let listed: Vec<String> =
                listed.map(|(key, listed)| format!("{}: {}", &*key.line, listed.cause)).collect();
            assert_eq!(listed, tried.stuck, "{what}");
            let unraised = raising.unraised(&standby).into_iter();
            let unraised: Vec<String> =
                unraised.map(|line| format!("{}: {}", line.text(), line.cause)).collect();
            assert_eq!(unraised, tried.unraised, "{what}");
            assert_eq!(mismatches, [], "{what}");
            assert_eq!(raising.wire_digest(&standby), lowering.wire_digest(), "{what}");
        }
    }
}

/// What does not go is kept at the other unit, and comes back.
#[test]
fn what_was_held_is_held_again_after_a_way_there_and_back() {
    for (name, case) in cases() {
        let Some(family) = family(&name, &case) else { continue };
        let image = |level: u16| -> Image { family.image(&level.to_string()).expect("a release") };
        for tried in &case.tries {
            let what = format!("{name}: {} to {}: {}", tried.active, tried.standby, tried.config);
            let (here, there) = (image(tried.active), image(tried.standby));
            let pair = |active: &Image, standby: &Image| {
                let dump = Dump::from_image(active).encode();
                let at_standby = pair_at_standby(standby, dump.as_bytes()).expect("a pair");
                let at_active = pair_at_active(active, at_standby.diff_bytes()).expect("an answer");
                (at_active, at_standby)
            };
            let mut config = Config::factory(here.levels());
            config.execute(&here, here.own(), &tried.config).expect("lines that A takes");
            let (at_active, at_standby) = pair(&here, &there);
            let lowering = Lowering::new(&here, &at_active, &config);
            // The reference puts back what the engine does, and where the engine does.
            let raise = |(active, standby): (&Image, &Image),
                         pairing: &_,
                         lowering: &Lowering,
                         owed: &Complements| {
                let w = Raising::read_w(standby, pairing, &lowering.wire_bytes());
                let w = w.unwrap_or_else(|error| panic!("{what}: {error}"));
                let listing = lowering.listing().clone();
                let (raising, mismatches) = Raising::new(standby, pairing, w, listing);
                assert_eq!(mismatches, [], "{what}");
                let (puts_down, puts_back) = (lowering.puts_back(), raising.puts_back());
                let beside = Beside { owed: Some(owed), puts_down, puts_back, held: None };
                let reference = Reference::apart(active, standby);
                let translated = reference.translate_beside(lowering.config(), &beside);
                let [engine, reference] = [raising.config(), &translated.standby];
                assert_eq!(engine.render(), reference.render(), "{what}");
                raising
            };
            let raising = raise((&here, &there), &at_standby, &lowering, &Complements::new());
            let kept = Arc::new(raising.kept(&there, &at_standby));
            // The Standby takes over, and the former Active is its Standby.
            let (at_active, at_standby) = pair(&there, &here);
            let (stamp, acting) = ((Term(2), Lsn(0)), raising.config());
            let mut lowering = Lowering::new_owing(&there, &at_active, acting, &kept, stamp);
            let before = raise((&there, &here), &at_standby, &lowering, &kept);
            // Lines that are in no list may stand in another order; and an instance that a move
            // made is entered where it is read.
            let came_back = before.config();
            assert!(came_back.lines().eq(config.lines()), "{what}: {}", came_back.render());
            let Some(between) = &tried.between else { continue };
            let mut after = raising.config().clone();
            let edits = after.execute(&there, there.own(), between).expect("lines that S takes");
            lowering.edit(&there, &at_active, &edits, (Term(2), Lsn(1)));
            let mut owed = Complements::clone(&kept);
            // What rests on what was edited is owed no more.
            let listed = lowering.listing().complements();
            owed.retain(|key, _| listed.contains_key(key));
            let back = raise((&there, &here), &at_standby, &lowering, &owed);
            let wanted = tried.back.as_deref().expect("what comes back of an edit");
            assert_eq!(back.config().render().trim(), wanted.trim(), "{what}");
            // And there once more.
            let kept = Arc::new(back.kept(&here, &at_standby));
            let (at_active, at_standby) = pair(&here, &there);
            let (stamp, acting) = ((Term(3), Lsn(1)), back.config());
            let lowering = Lowering::new_owing(&here, &at_active, acting, &kept, stamp);
            let again = raise((&here, &there), &at_standby, &lowering, &kept);
            let again = again.config();
            assert!(again.lines().eq(after.lines()), "{what}: {}", again.render());
        }
    }
}

#[test]
fn a_family_without_a_finding_breaks_nothing_in_runs() {
    for (name, case) in cases().iter().filter(|(_, case)| case.finds.is_empty()) {
        let Some(family) = family(name, case) else { continue };
        let folder = tempfile::tempdir().expect("a folder");
        let written = |level: u16| -> PathBuf {
            let image = family.image(&level.to_string()).expect("a release");
            let path = folder.path().join(format!("{level}.img"));
            fs::write(&path, image.encode()).expect("it writes");
            path
        };
        for tried in &case.tries {
            let config = folder.path().join("a.conf");
            fs::write(&config, &tried.config).expect("it writes");
            let paths = [written(tried.active), written(tried.standby), config];
            let [active, standby, config] =
                paths.map(|path| path.to_str().expect("a path in UTF-8").to_owned());
            let words = ["skewlab", "run", "--active", &active, "--standby", &standby, "--config"];
            let mut words: Vec<String> = words.map(String::from).to_vec();
            words.extend([config, "--seeds".into(), "20".into(), "--no-shrink".into()]);
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let exit = skewsync_lab::commands::run(&words, &mut out, &mut err);
            let said = String::from_utf8_lossy(&out) + String::from_utf8_lossy(&err);
            assert_eq!(format!("{exit:?}"), format!("{:?}", ExitCode::SUCCESS), "{name}: {said}");
        }
    }
}
