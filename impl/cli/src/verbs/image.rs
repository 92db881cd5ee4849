//! `skewsync image`: build, check, try, import, list.

mod way;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Deserialize;
use skewsync::image::{Family, FamilyError, Image, ImportedForm, ImportedMode, bundled, import};

use crate::Exit;
use crate::input::{self, InputError};

/// The largest table that is read.
const TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What to do with images.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Prints the bundled images.
    List,
    /// Builds the image of one release of a family of TOML files.
    Build {
        /// The family's folder: family.toml and one file per component.
        family: PathBuf,
        /// The release.
        release: String,
        /// Where the image goes.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Proves what can be proved of a family before it is shipped; lists all errors at once.
    Check {
        /// The family's folder, or `meridian` for the bundled one.
        family: PathBuf,
    },
    /// Shows one line's way from release A to release B of a family and back, each rung of it.
    Try {
        /// The family's folder, or `meridian` for the bundled one.
        family: PathBuf,
        /// The release on which the line stands.
        a: String,
        /// The facing release.
        b: String,
        /// The line; the entry lines of its modes before it: `router pim / join-interval 60`.
        line: String,
    },
    /// Makes an image of a command set: one JSON object a line with `node`, `command`, `daemon`.
    ImportForms {
        /// The command set.
        forms: PathBuf,
        /// The modes: name -> parent and entering forms.
        #[arg(long)]
        nodes: PathBuf,
        /// The family's name.
        #[arg(long)]
        name: String,
        /// The release.
        #[arg(long)]
        release: String,
        /// Where the image goes.
        #[arg(short, long)]
        output: PathBuf,
    },
}

#[derive(Deserialize)]
struct FormRow {
    node: String,
    command: String,
    #[serde(default)]
    daemon: String,
}

#[derive(Deserialize)]
struct NodeRow {
    parent: Option<String>,
    #[serde(default)]
    enter: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(verb: &Verb, out: &mut dyn Write) -> Result<Exit, InputError> {
    match verb {
        Verb::List => {
            for image in bundled::images() {
                writeln!(
                    out,
                    "{}   {} forms   {}",
                    image.name(),
                    image.forms().count(),
                    image.digest()
                )?;
            }
            Ok(Exit::Ok)
        }
        Verb::Build {
            family,
            release,
            output,
        } => build(family, release, output, out),
        Verb::Check { family } => check(family, out),
        Verb::Try { family, a, b, line } => match read(family)? {
            Ok(family) => way::run(&family, [a, b], line, out),
            Err(errors) => refused(&errors, out),
        },
        Verb::ImportForms {
            forms,
            nodes,
            name,
            release,
            output,
        } => {
            let (image, report) = import_files(forms, nodes, name, release)?;
            write(&image, output)?;
            out.write_all(report.as_bytes())?;
            writeln!(
                out,
                "{}: {} forms -> {}",
                image.name(),
                image.forms().count(),
                output.display()
            )?;
            Ok(Exit::Ok)
        }
    }
}

/// The family in a folder, or the bundled one.
fn read(folder: &Path) -> Result<Result<Family, Vec<FamilyError>>, InputError> {
    if !folder.exists() && folder == Path::new("meridian") {
        return Ok(Family::parse(bundled::FILES));
    }
    let wrong = |error| InputError::File {
        path: folder.to_owned(),
        error,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, input::text(&path, TABLE_BYTES_MAX)?));
        }
    }
    files.sort();
    let named: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    Ok(Family::parse(&named))
}

fn refused(errors: &[FamilyError], out: &mut dyn Write) -> Result<Exit, InputError> {
    for error in errors {
        writeln!(out, "{error}")?;
    }
    writeln!(out, "{} errors", errors.len())?;
    Ok(Exit::NotSo)
}

fn check(folder: &Path, out: &mut dyn Write) -> Result<Exit, InputError> {
    let family = match read(folder)? {
        Ok(family) => family,
        Err(errors) => return refused(&errors, out),
    };
    let report = skewsync::check::family(&family);
    write!(out, "{report}")?;
    Ok(if report.findings.is_empty() {
        Exit::Ok
    } else {
        Exit::NotSo
    })
}

fn build(
    folder: &Path,
    release: &str,
    output: &PathBuf,
    out: &mut dyn Write,
) -> Result<Exit, InputError> {
    let family = match read(folder)? {
        Ok(family) => family,
        Err(errors) => return refused(&errors, out),
    };
    let Some(image) = family.image(release) else {
        let all = family.releases().collect::<Vec<_>>().join(", ");
        writeln!(out, "no release {release}; there are: {all}")?;
        return Ok(Exit::NotSo);
    };
    write(&image, output)?;
    writeln!(
        out,
        "{}: {} forms -> {}",
        image.name(),
        image.forms().count(),
        output.display()
    )?;
    Ok(Exit::Ok)
}

fn write(image: &Image, output: &PathBuf) -> Result<(), InputError> {
    let wrong = |error| InputError::File {
        path: output.clone(),
        error,
    };
    std::fs::write(output, image.encode()).map_err(wrong)
}

/// Imports a command set from its files: the image, and what was not taken, one line each.
///
/// # Errors
/// See [`InputError`].
pub fn import_files(
    forms: &PathBuf,
    nodes: &PathBuf,
    name: &str,
    release: &str,
) -> Result<(Image, String), InputError> {
    let row = |path: &PathBuf, line, message| InputError::Row {
        path: path.clone(),
        line,
        message,
    };
    let mut rows = Vec::new();
    for (at, line) in input::text(forms, TABLE_BYTES_MAX)?.lines().enumerate() {
        if !line.trim().is_empty() {
            let read: FormRow = serde_json::from_str(line)
                .map_err(|error| row(forms, at + 1, error.to_string()))?;
            rows.push(ImportedForm {
                mode: read.node,
                form: read.command,
                component: read.daemon,
            });
        }
    }
    let read: BTreeMap<String, NodeRow> =
        serde_json::from_str(&input::text(nodes, TABLE_BYTES_MAX)?)
            .map_err(|error| row(nodes, error.line(), error.to_string()))?;
    let modes: Vec<ImportedMode> = read
        .into_iter()
        .map(|(name, node)| ImportedMode {
            name,
            parent: node.parent,
            enter: node.enter,
        })
        .collect();
    let (image, rejected) =
        import(name, release, &rows, &modes).map_err(|error| row(forms, 0, error.to_string()))?;
    let mut report = String::new();
    for one in &rejected {
        let line = one.number + 1;
        report += &format!(
            "{}:{line}: not taken: {}: `{}`\n",
            forms.display(),
            one.why,
            one.form
        );
    }
    if !rejected.is_empty() {
        report += &format!(
            "{} of {} forms were not taken\n",
            rejected.len(),
            rows.len()
        );
    }
    Ok((image, report))
}
