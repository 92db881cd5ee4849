//! The pages in a browser: at 1280 and 400 pixels, light and dark, no script error, no request to
//! any network, nothing wider than the screen. Skipped with a message where there is no Chromium
//! (Debian: `apt install chromium`).

use std::process::Command;
use std::time::Duration;

use skewsync::ids::{Lsn, Term};
use skewsync::message::Stamp;
use skewsync_lab::commands;
use skewsync_lab::draw::{self, DrawOptions};
use skewsync_lab::loaded_plan::LoadedPlan;
use skewsync_lab::report::failure::{Failure, Section, html};
use skewsync_model::property::Property;
use skewsync_sim::observe::{Evidence, Violation};
use skewsync_sim::plan::Plan;
use skewsync_sim::run::{Options, Verdict};
use skewsync_sim::runner::Runner;

const LIMIT: Duration = Duration::from_secs(60);

/// The browser, if there is one.
fn browser() -> Option<&'static str> {
    let there = |name: &&str| {
        let found = Command::new(name).arg("--version").output();
        found.is_ok_and(|found| found.status.success())
    };
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there)
}

/// What a browser makes of a page.
#[derive(Debug)]
struct Seen {
    /// Width of what is laid out, in pixels.
    wide: u32,
    /// The colour of the paper.
    paper: String,
    /// What the browser's console says.
    console: Vec<String>,
    /// Addresses that the page asked for.
    asked: Vec<String>,
}

/// Shows the page in a frame of this width, and measures it.
fn look(browser: &str, page: &str, width: u32, dark: bool) -> Seen {
    let dir = tempfile::tempdir().expect("a folder");
    let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
    let around = format!(
        "<!DOCTYPE html><title>-</title><iframe id=f width={width} height=900 frameborder=0 \
         srcdoc=\"{escaped}\"></iframe>\
         <script>f.onload = () => {{ const d = f.contentDocument; const asked = \
         f.contentWindow.performance.getEntriesByType('resource').map(e => e.name); document.title \
         = 'measured ' + \
         d.documentElement.scrollWidth + '|' + getComputedStyle(d.body).backgroundColor + '|' + \
         asked.join(' ');
         }}</script>"
    );
    let file = dir.path().join("around.html");
    std::fs::write(&file, around).expect("the folder takes it");
    let mut command = Command::new(browser);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-default-apps",
        "--enable-logging=stderr",
        // The browser itself would ask its makers for this and that.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--virtual-time-budget=8000",
        "--dump-dom",
    ]);
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    command.arg(format!("--user-data-dir={}", dir.path().join("profile").display()));
    command.arg(format!("file://{}", file.display()));
    let output = command.output().expect("the browser starts");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let title = dom.split("<title>measured ").nth(1).and_then(|rest| rest.split("</title>").next());
    let title = title.unwrap_or_else(|| panic!("the page was laid out: {told}"));
    let measured: Vec<&str> = title.split('|').collect();
    let [wide, paper, asked] = measured[..] else { panic!("three values, not {title}") };
    Seen {
        wide: wide.parse().expect("a number of pixels"),
        paper: paper.to_string(),
        console: told.lines().filter(|line| line.contains("CONSOLE")).map(Into::into).collect(),
        asked: asked.split_whitespace().map(Into::into).collect(),
    }
}

/// A report of a failure that was made up, of a run that was not.
fn report() -> String {
    let plan: Plan = draw::plan(5, &DrawOptions::default());
    let made = LoadedPlan::load(plan).expect("the bundled family");
    let options = Options::default();
    let ran = Runner::new(&made.catalog, options).within(LIMIT).recorded(&made.plan, None);
    let (mut report, mut recording) = ran.expect("it comes back");
    let broken = recording.entries[recording.entries.len() / 2].step;
    report.verdict = Verdict::Violated(Violation {
        property: Property::NoAckedLoss,
        evidence: Box::new(Evidence::ReplicatedLost {
            change: Stamp { term: Term(1), lsn: Lsn(2) },
            taken: Lsn(1),
        }),
    });
    recording.violated_at = Some(broken);
    let mut failure = Failure::new(&made, &report, &recording, options, LIMIT);
    failure.more.push(Section {
        heading: "Often".into(),
        line: "3 of 1000 seeds".into(),
        text: String::new(),
        page: maud::html! { p { "<&>" } },
    });
    html::page(&failure, "a & b.toml")
}

/// The page that a verb writes to a folder.
fn written(words: &[&str], name: &str) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let to = dir.path().to_str().expect("a path of text");
    let words = std::iter::once("skewlab").chain(words.iter().copied()).chain(["--out", to]);
    let words: Vec<String> = words.map(Into::into).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    commands::run(&words, &mut out, &mut err);
    let at = dir.path().join(name);
    std::fs::read_to_string(at)
        .unwrap_or_else(|error| panic!("{name}: {error}: {}", String::from_utf8_lossy(&err)))
}

#[test]
fn pages_are_laid_out_at_both_widths_in_both_schemes_and_ask_nobody() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let pages = [
        ("report", report()),
        ("show", written(&["show", "5"], "show.html")),
        ("campaign", written(&["run", "--seeds", "20", "--jobs", "1"], "campaign.html")),
    ];
    for (name, page) in &pages {
        let mut papers = Vec::new();
        for width in [1280, 400] {
            for dark in [false, true] {
                let seen = look(browser, page, width, dark);
                assert!(seen.wide <= width, "{name} at {width}: {seen:?}");
                assert!(seen.console.is_empty(), "{name}: {seen:?}");
                assert!(seen.asked.is_empty(), "{name}: {seen:?}");
                papers.push(seen.paper);
            }
        }
        assert_eq!((&papers[0], &papers[1]), (&papers[2], &papers[3]), "{name}");
        assert_ne!(papers[0], papers[1], "{name} is dark where the reader's system is");
    }
}

#[test]
fn a_page_that_asks_the_network_or_is_too_wide_is_seen_to() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let page = "<!DOCTYPE html><body><img src='http://127.0.0.1:9/x.png'>\
                <div style='width:900px'>wide</div><script>nothing.there()</script></body>";
    let seen = look(browser, page, 400, false);
    assert!(seen.wide > 400, "{seen:?}");
    assert!(!seen.console.is_empty(), "{seen:?}");
    assert!(!seen.asked.is_empty(), "{seen:?}");
}
