//! Bad input of the operator's tool: a clear error with its place each, the exit code, never a
//! panic.

use tempfile::TempDir;

/// A folder of files for one test; it goes with the value.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("a file for the test");
        path.display().to_string()
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }
}

/// Runs a verb; it must exit with `exit` and say each of `says`.
fn meets(args: &[&str], exit: u8, says: &[&str]) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let found = skewsync_cli::run(["skewsync"].iter().chain(args), &mut out, &mut err) as u8;
    let text = String::from_utf8([out, err].concat()).expect("text");
    for said in says {
        assert!(text.contains(said), "{args:?} says {text}");
    }
    assert_eq!(found, exit, "{args:?} says {text}");
}

#[test]
fn images_that_are_none() {
    let folder = Folder::new();
    let image = skewsync::image::bundled::image("6.2").expect("bundled").encode();
    let cut = folder.file("cut.image", &image.as_bytes()[..image.len() / 2]);
    meets(&["dump", &cut], 5, &["cut.image: truncated or damaged"]);
    let flipped = image.replacen("6.2", "6.3", 1);
    let flipped = folder.file("flipped.image", flipped);
    meets(&["diff", "meridian@6.2", &flipped], 5, &["flipped.image: truncated or damaged"]);
    let newer =
        folder.file("newer.image", image.replacen("skewsync-image 1", "skewsync-image 2", 1));
    meets(&["dump", &newer], 5, &["newer.image: an image of format 2", "reads format 1"]);
    let empty = folder.file("empty.image", "");
    meets(&["dump", &empty], 5, &["empty.image: not an image file", "skewsync image build"]);
    let config = folder.file("a.conf", "hostname r1\n");
    meets(&["preview", "meridian@6.2", &config, &config], 5, &["a.conf: not an image file"]);
    meets(&["dump", &folder.path()], 5, &[&folder.path()]);
    meets(&["dump", "meridian@9.9"], 5, &["meridian@9.9: no such bundled image", "image list"]);
}

#[test]
fn configs_that_are_none() {
    let folder = Folder::new();
    let binary = folder.file("binary.conf", b"hostname r1\nhost\x00name r2\nhost\xff\n");
    let says = "binary.conf:2: not a line of text: byte 0x00 at column 5";
    meets(&["parse", "meridian@6.2", &binary], 1, &[says]);
    let apart =
        [" 1 line\n", "not taken by meridian 6.2 itself", "binary.conf:3", "byte 0xff at column 5"];
    meets(&["preview", "meridian@6.2", "meridian@6.1", &binary], 2, &apart);
    meets(&["translate", "meridian@6.2", "meridian@6.1", &binary], 0, &["hostname r1\n"]);
    let empty = folder.file("empty.conf", "");
    let says = ["   0 lines", "empty.conf: there is no line in it"];
    meets(&["preview", "meridian@6.2", "meridian@6.1", &empty], 5, &says);
    let missing = folder.path() + "/missing.conf";
    meets(
        &["preview", "meridian@6.2", "meridian@6.1", &missing],
        5,
        &["missing.conf: No such file"],
    );
    let none = Folder::new();
    meets(
        &["preview", "meridian@6.2", "meridian@6.1", &none.path()],
        5,
        &["no file in this folder"],
    );
    meets(&["preview", "meridian@6.2", "meridian@6.1"], 5, &["required arguments"]);
}

#[test]
fn a_preview_names_what_a_later_line_overwrites_and_what_looks_like_a_text() {
    let folder = Folder::new();
    let text = "hostname r1\ninterface e0\n mtu 2000\n description to  the core\n mtu 9000\nexit\n\
                hostname r2\nlogging host 192.0.2.7\nno logging host 192.0.2.7\n\
                banner motd ^C\nhostname ^C\n";
    let file = folder.file("a.conf", text);
    let args = ["preview", "meridian@6.2", "meridian@6.2", &file];
    let says = [
        "overwritten, or taken away, by a later line:",
        "blanks in a row, which are kept as one",
        "what looks like a text up to `^C` in line 11: the lines between are taken as commands",
    ];
    meets(&args, 2, &says);
    let json = [
        r#"{"line":1,"text":"hostname r1","by_line":7,"by":"hostname r2"}"#,
        r#"{"line":3,"text":"interface e0 / mtu 2000","by_line":5,"by":"interface e0 / mtu 9000"}"#,
        r#""text":"logging host 192.0.2.7","by_line":9,"by":"no logging host 192.0.2.7"}"#,
    ];
    meets(&[&args[..], &["--json"]].concat(), 2, &json);
}

#[test]
fn a_preview_says_by_its_exit_code_that_the_active_refuses_lines() {
    let folder = Folder::new();
    let preview = |name: &str, text: &str, exit: u8, says: &[&str]| {
        let file = folder.file(name, text);
        let args = ["preview", "meridian@6.2", "meridian@6.1", &file];
        meets(&args, exit, says);
        meets(&[&args[..], &["--json"]].concat(), exit, &[]);
    };
    let (goes, refused) = ("hostname r1\n", "no such line\nnor this\n");
    let stuck = "router pim\n join-interval 30\n";
    preview("goes.conf", goes, 0, &[" 0 stuck\n"]);
    preview("stuck.conf", stuck, 1, &[" 2 stuck\n"]);
    let apart = "not taken by meridian 6.2 itself, and in no count:";
    preview("refused.conf", &[goes, refused].concat(), 2, &[" 0 stuck\n", apart]);
    preview("both.conf", &[refused, stuck].concat(), 3, &[" 2 stuck\n", apart]);
    let none = "none.conf: meridian 6.2 takes none of its 2 lines\n";
    preview("none.conf", refused, 5, &[none]);
    preview("one.conf", "nor this\n", 5, &["one.conf: meridian 6.2 does not take its only line\n"]);
    preview("comments.conf", "! nothing\n\n", 5, &["comments.conf: there is no line in it\n"]);
    // Of several configs all are looked at before that is said.
    let all = ["preview", "meridian@6.2", "meridian@6.1", &folder.path()];
    meets(
        &all,
        5,
        &["7 configs: 6 lines, 4 stuck, 7 not taken\n", "stuck.conf:2", "comments.conf: "],
    );
}

#[test]
fn a_preview_names_what_is_easily_overlooked() {
    let folder = Folder::new();
    let text = "hostname \"\"\nlogging\u{a0}host 192.0.2.7\n\u{feff}ip routing\n";
    let file = folder.file("unseen.conf", text);
    let says = [
        "taken as written, with something that is easily overlooked:",
        "unseen.conf:1  hostname \"\"   an empty value, `\"\"`, at column 10",
        "`logging\u{a0}host`; it has a no-break space (U+00A0) at column 8",
        "`\u{feff}ip`; it has a byte order mark (U+FEFF) at column 1",
    ];
    meets(&["preview", "meridian@6.2", "meridian@6.1", &file], 2, &says);
    meets(&["parse", "meridian@6.2", &file], 1, &says[2..]);
    let json = r#""remarks":[{"line":1,"text":"hostname \"\"","what":"an empty value"#;
    meets(&["preview", "meridian@6.2", "meridian@6.1", &file, "--json"], 2, &[json]);
}

#[test]
fn a_byte_order_mark_is_skipped_and_said() {
    let folder = Folder::new();
    let marked = folder.file("marked.conf", "\u{feff}hostname r1\nip routing\n");
    let said = "marked.conf: the byte order mark at the head of the file is skipped";
    let first = "marked.conf:1: config: hostname r1";
    meets(&["parse", "meridian@6.2", &marked], 0, &[said, first]);
    let preview = ["preview", "meridian@6.2", "meridian@6.1", &marked];
    let says = [
        "marked.conf on meridian 6.2, facing 6.1:   2 lines\n",
        "  the byte order mark at the head of the file is skipped\n",
    ];
    meets(&preview, 0, &says);
    let json = |file: &str, field: &str| {
        let preview = ["preview", "meridian@6.2", "meridian@6.1", file, "--json"];
        meets(&preview, 0, &[field, r#""lines":2"#, r#""not_taken":[]"#]);
    };
    json(&marked, r#""byte_order_mark_skipped":true"#);
    let plain = folder.file("plain.conf", "hostname r1\nip routing\n");
    json(&plain, r#""byte_order_mark_skipped":false"#);
    let translate = |file: &str, more: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["skewsync", "translate", "meridian@6.2", "meridian@6.1", file];
        skewsync_cli::run(args.iter().chain(more), &mut out, &mut err);
        [out, err].map(|bytes| String::from_utf8(bytes).expect("text"))
    };
    // What is sent is a configuration: nothing stands in it but that.
    let [sent, note] = translate(&marked, &[]);
    assert_eq!([sent, String::new()], translate(&plain, &[]));
    assert!(note.contains(said), "{note}");
    let [explained, note] = translate(&marked, &["--explain"]);
    let (explained, line) = (explained.replace("marked", "plain"), "plain.conf:1  as it is");
    assert!(explained.contains(line) && note.contains(said), "{explained}{note}");
    assert_eq!([explained, String::new()], translate(&plain, &["--explain"]));
    // A mark that is not at the head is what it was: no text of a line.
    let later = folder.file("later.conf", "hostname r1\n\u{feff}ip routing\n");
    meets(&["parse", "meridian@6.2", &later], 1, &["later.conf:2: no such command"]);
}

#[test]
fn a_text_in_another_encoding_is_told_by_its_byte_order_mark() {
    let folder = Folder::new();
    let utf_16 = folder.file("wide.conf", b"\xff\xfeh\0o\0s\0t\0");
    let says = [
        "wide.conf: UTF-16 text, by its byte order mark; convert it first: iconv -f UTF-16 -t \
         UTF-8 ",
        "wide.conf\n",
    ];
    meets(&["parse", "meridian@6.2", &utf_16], 5, &says);
    let (a, b) = ("meridian@6.2", "meridian@6.1");
    meets(&["preview", a, b, &utf_16], 5, &says);
    meets(&["preview", a, b, &utf_16, "--json"], 5, &says);
    meets(&["translate", a, b, &utf_16], 5, &says);
    meets(&["accepts", a, &utf_16], 5, &says);
    let utf_32 = folder.file("wider.conf", b"\0\0\xfe\xff\0\0\0h");
    meets(&["preview", a, b, &utf_32], 5, &["wider.conf: UTF-32 text"]);
}

#[test]
fn tables_that_are_none() {
    let folder = Folder::new();
    let rows = folder.file("rows.tsv", "mode\tline\nnowhere\thostname r1\nconfig\thostname r1\n");
    let outcomes = "nowhere\thostname r1\tno-match\nconfig\thostname r1\tmatch\n";
    meets(&["accepts", "meridian@6.2", &rows], 0, &[outcomes]);
    let columns = folder.file("columns.tsv", "mode\tline\nconfig hostname r1\n");
    meets(&["accepts", "meridian@6.2", &columns], 5, &["columns.tsv:2: not `mode<TAB>line`"]);
    let empty = folder.file("empty.tsv", "");
    meets(&["accepts", "meridian@6.2", &empty], 5, &["empty.tsv:1: empty; a header row"]);
    let binary = folder.file("binary.tsv", b"mode\tline\nconfig\t\xff\n");
    meets(&["accepts", "meridian@6.2", &binary], 5, &["binary.tsv:2: not UTF-8 text"]);
}

#[test]
fn command_sets_that_are_none() {
    let folder = Folder::new();
    let to = folder.path() + "/out.image";
    let import = |forms: &str, nodes: &str, exit: u8, says: &[&str]| {
        let forms = folder.file("forms.jsonl", forms);
        let nodes = folder.file("nodes.json", nodes);
        let names = ["--name", "n", "--release", "1", "-o", &to];
        let args = [&["image", "import-forms", &forms, "--nodes", &nodes][..], &names].concat();
        meets(&args, exit, says);
    };
    let nodes = r#"{"config":{"parent":null}}"#;
    let forms =
        "{\"node\":\"config\",\"command\":\"a [b\"}\n\n{\"node\":\"nope\",\"command\":\"x\"}\n";
    let says = [
        "forms.jsonl:1: not taken: column 3: the bracket that opens here is never closed",
        "forms.jsonl:3: not taken: mode nope is declared nowhere: `x`",
        "2 of 2 forms were not taken",
    ];
    import(forms, nodes, 1, &says);
    let modes = concat!(
        r#"{"a":{"parent":"b","enter":["a <x"]},"c":{"parent":null,"enter":["m"]},"#,
        r#""d":{"parent":null,"enter":["m"]}}"#,
    );
    let says = [
        "nodes.json: a: left out: its parent is declared nowhere: it stands under config: `b`",
        "nodes.json: a: left out: column 3: ",
        "nodes.json: d: left out: it enters c already: `m`",
    ];
    import("", modes, 0, &says);
    let twice = "{\"a\":{\"parent\":null},\n\"a\":{\"parent\":null}}";
    import("", twice, 5, &["nodes.json:2: mode a stands here twice"]);
    import("{\"node\":\"config\"}\n", nodes, 5, &["forms.jsonl:1: missing field `command`"]);
    import("\nno json\n", nodes, 5, &["forms.jsonl:2: "]);
    import("", "{\"config\":", 5, &["nodes.json:1: EOF"]);
    import("", "", 5, &["nodes.json:1: EOF"]);
}

#[test]
fn families_list_all_their_errors_at_once() {
    let folder = Folder::new();
    meets(&["image", "check", &folder.path()], 1, &["family.toml is missing"]);
    folder.file("family.toml", "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n");
    let command =
        |mode: &str, form: &str| format!("[[command]]\nmode = '{mode}'\nform = '{form}'\n");
    let text = command("config", "x [y") + &command("nowhere", "z") + &command("config", "<a|b");
    folder.file("a.toml", format!("component = 'a'\n{text}"));
    let says = [
        "a.toml:4:11: the bracket that opens here is never closed: `]` is missing",
        "a.toml:6:8: `nowhere` is declared nowhere as a mode",
        "a.toml:10:9: the bracket that opens here is never closed: `>` is missing",
        "3 errors",
    ];
    meets(&["image", "check", &folder.path()], 1, &says);
    let to = folder.path() + "/out.image";
    meets(&["image", "build", &folder.path(), "1", "-o", &to], 1, &says);
    meets(&["image", "try", &folder.path(), "1", "1", "x"], 1, &says);
    folder.file("a.toml", "component = 'a'\n[[command]]\nmode = 'config'\nmode = 'x'\n");
    let says = ["a.toml:4:1: duplicate key: `mode`", "\n1 error\n"];
    meets(&["image", "check", &folder.path()], 1, &says);
    folder.file("a.toml", String::from("component = 'a'\n") + &command("config", "x"));
    meets(&["image", "build", &folder.path(), "2", "-o", &to], 1, &["no release 2; there are: 1"]);
    let nowhere = folder.path() + "/no/out.image";
    meets(
        &["image", "build", &folder.path(), "1", "-o", &nowhere],
        5,
        &["out.image: No such file"],
    );
    meets(&["image", "check", &nowhere], 5, &["out.image: No such file"]);
}
