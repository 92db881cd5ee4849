//! The JSON of the operator's commands: which fields there are, and of which kind.

use serde_json::Value;
use skewsync_cli::commands::preview::{
    Absent, Changed, DontCare, NotTaken, Overwritten, Preview, Remark, Stuck,
};

/// The kinds of a value's parts; of a list, those of its first element.
fn schema(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(all) => format!("[{}]", all.first().map(schema).unwrap_or_default()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", schema(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Runs a command with `--json`; what it prints.
fn json(args: &[&str]) -> Value {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["skewsync"].iter().chain(args).chain(&["--json"]);
    skewsync_cli::run(args, &mut out, &mut err);
    serde_json::from_slice(&out).expect("one JSON value")
}

/// A preview with one entry in each list.
fn whole() -> Preview {
    let text = String::new;
    let (line, at) = (1, text());
    Preview {
        config: text(),
        byte_order_mark_skipped: false,
        active: text(),
        standby: text(),
        lines: 1,
        as_is: 1,
        said_again: 0,
        keys_unknown: false,
        unsaid_by_overlay: 0,
        stuck: vec![Stuck {
            line,
            at: at.clone(),
            text: text(),
            form: text(),
            why: text(),
            instead: Some(text()),
        }],
        lowered: vec![Changed {
            line,
            at: at.clone(),
            text: text(),
            into: vec![text()],
            steps: vec![text()],
        }],
        raised: Vec::new(),
        dont_care: vec![DontCare { line, at, text: text(), reason: text() }],
        absent: vec![Absent { text: text(), there: true }],
        not_taken: vec![NotTaken { line, text: text(), why: text() }],
        taken: 1,
        overwritten: vec![Overwritten { line, text: text(), by_line: 2, by: text() }],
        remarks: vec![Remark { line, text: text(), what: text() }],
    }
}

#[test]
fn a_preview_has_these_fields() {
    let mut preview = whole();
    preview.raised = preview.lowered.clone();
    let changed = "[{at: text, into: [text], line: number, steps: [text], text: text}]";
    let expected = [
        "{absent: [{text: text, there: bool}]",
        "active: text",
        "as_is: number",
        "byte_order_mark_skipped: bool",
        "config: text",
        "dont_care: [{at: text, line: number, reason: text, text: text}]",
        "keys_unknown: bool",
        "lines: number",
        &format!("lowered: {changed}"),
        "not_taken: [{line: number, text: text, why: text}]",
        "overwritten: [{by: text, by_line: number, line: number, text: text}]",
        &format!("raised: {changed}"),
        "remarks: [{line: number, text: text, what: text}]",
        "said_again: number",
        "standby: text",
        "stuck: [{at: text, form: text, instead: text, line: number, text: text, why: text}]",
        "taken: number",
        "unsaid_by_overlay: number}",
    ];
    let found = serde_json::to_value(&preview).expect("JSON");
    assert_eq!(schema(&found), expected.join(", "));
    // What is printed is that.
    let folder = tempfile::tempdir().expect("a folder for the test");
    let config = folder.path().join("a.conf");
    std::fs::write(&config, "hostname r1\n").expect("a file for the test");
    let printed = json(&["preview", "meridian@6.2", "meridian@6.1", &config.display().to_string()]);
    let names = |value: &Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(names(&printed), names(&found));
}

#[test]
fn a_way_has_these_fields() {
    let reasons = "[{line: text, why: text}]";
    let rewrites = "[{lines: [text], step: text, why: text}]";
    let fields = |lists: [&str; 8]| {
        let [dont_care, lowered, not_taken, on, raised, sent, stuck, arrived] = lists;
        format!(
            "{{arrived: {arrived}, dont_care: {dont_care}, from: text, lowered: {lowered}, \
             not_raised: [], not_taken: {not_taken}, on: {on}, other_steps: number, \
             raised: {raised}, sent: {sent}, stuck: {stuck}, to: text}}"
        )
    };
    let lines = [
        "logging host 192.0.2.7",
        "router pim / join-interval 30",
        "platform counters interval 10",
    ];
    let tried = json(&[&["image", "try", "meridian", "6.2", "6.1"], &lines[..]].concat());
    let ways = tried.as_array().expect("a list");
    assert_eq!(ways.len(), 2, "there and back");
    let texts = "[text]";
    let there = [reasons, rewrites, "null", texts, "[]", texts, reasons, texts];
    assert_eq!(schema(&ways[0]), fields(there));
    assert_eq!(schema(&ways[1]), fields(["[]", "[]", "null", texts, rewrites, texts, "[]", texts]));
    let refused = json(&["image", "try", "meridian", "6.2", "6.1", "no such line"]);
    let not_taken = "{line: text, why: text}";
    let nothing = ["[]", "[]", not_taken, "[]", "[]", "[]", "[]", "[]"];
    assert_eq!(schema(&refused[0]), fields(nothing));
}
