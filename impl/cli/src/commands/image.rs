//! `skewsync image`: build, check, try, import, list.

pub mod forms;
pub mod vtysh;
mod way;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use skewsync::image::{Family, FamilyError, Image, bundled};

use crate::input::{self, InputError};
use crate::{Exit, counted};

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
    /// Shows the way of lines from release A to release B of a family and back, each rung of it.
    /// Exits with 1 when a line is stuck on one of the two ways, as `preview` finds it.
    Try {
        /// The family's folder, or `meridian` for the bundled one.
        family: PathBuf,
        /// The release on which the line stands.
        a: String,
        /// The facing release.
        b: String,
        /// The line; the entry lines of its modes before it: `router pim / join-interval 60`.
        /// Several make one config.
        #[arg(required = true)]
        lines: Vec<String>,
        /// One JSON array instead of text: the way there, and the way back.
        #[arg(long)]
        json: bool,
    },
    /// Makes an image of a command set: one JSON object a line with `node`, `command`, `daemon`.
    /// What cannot be taken is listed; exit code 1 if that is more than 0.5 % of the forms.
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
        /// How it is imported.
        #[command(flatten)]
        how: How,
    },
    /// Makes an image of a live system's command set.
    #[command(subcommand)]
    Import(Import),
}

/// Which live system.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// A FRRouting router, asked through its shell.
    Vtysh {
        /// The shell.
        #[arg(long, default_value = "vtysh")]
        vtysh: PathBuf,
        /// The folder of the daemons' sockets; by default the shell's own.
        #[arg(long)]
        sockets: Option<PathBuf>,
        /// The family's name.
        #[arg(long, default_value = "frr")]
        name: String,
        /// The release; by default what the router says.
        #[arg(long)]
        release: Option<String>,
        /// How it is imported.
        #[command(flatten)]
        how: How,
    },
}

/// How a command set is imported.
#[derive(Debug, clap::Args)]
pub struct How {
    /// What is known of the forms: the folder of an overlay, or `frr` for the bundled one.
    #[arg(long)]
    overlay: Option<PathBuf>,
    /// The overlay's profile; by default the first that it has.
    #[arg(long, requires = "overlay")]
    profile: Option<String>,
    /// Lists what the overlay says of forms that this release does not have.
    #[arg(long, short, requires = "overlay")]
    verbose: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Where the image goes.
    #[arg(short, long)]
    output: PathBuf,
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
        Verb::Build { family, release, output } => build(family, release, output, out),
        Verb::Check { family } => check(family, out),
        Verb::Try { family, a, b, lines, json } => match read(family)? {
            (Some(family), errors) if errors.is_empty() => {
                way::run(&family, [a, b], lines, *json, out)
            }
            (_, errors) => refused(&errors, out),
        },
        Verb::ImportForms { forms, nodes, name, release, how } => {
            finish(how, out, |overlay| forms::import_files(forms, nodes, name, release, overlay))
        }
        Verb::Import(Import::Vtysh { vtysh, sockets, name, release, how }) => {
            let router = vtysh::Shell::new(vtysh, sockets.as_deref()).router()?;
            finish(how, out, |overlay| router.import(vtysh, name, release.as_deref(), overlay))
        }
    }
}

/// Imports under the overlay that was asked for, and tells of it.
fn finish(
    how: &How,
    out: &mut dyn Write,
    import: impl FnOnce(Option<&Family>) -> Result<forms::Imported, InputError>,
) -> Result<Exit, InputError> {
    let overlay = match &how.overlay {
        None => None,
        Some(folder) => match read_profile(folder, how.profile.as_deref())? {
            (Some(family), errors) if errors.is_empty() => Some(family),
            (_, errors) => return refused(&errors, out),
        },
    };
    let imported = import(overlay.as_ref())?;
    write(&imported.image, &how.output)?;
    let shown = if how.json { Shown::Json } else { Shown::Text { verbose: how.verbose } };
    show(&imported, &how.output, shown, out)?;
    Ok(if imported.too_little { Exit::NotSo } else { Exit::Ok })
}

/// How an import is told.
enum Shown {
    Json,
    Text { verbose: bool },
}

fn show(
    imported: &forms::Imported,
    output: &Path,
    how: Shown,
    out: &mut dyn Write,
) -> Result<(), InputError> {
    let image = &imported.image;
    let count = image.forms().count();
    let unsaid: Vec<String> = imported.unsaid.iter().map(ToString::to_string).collect();
    match how {
        Shown::Json => {
            let told = serde_json::json!({
                "image": image.name(),
                "forms": count,
                "unknown": imported.unknown,
                "not_taken": imported.report.lines().collect::<Vec<_>>(),
                "unsaid": unsaid,
            });
            writeln!(out, "{told}")?;
        }
        Shown::Text { verbose } => {
            out.write_all(imported.report.as_bytes())?;
            for line in unsaid.iter().filter(|_| verbose) {
                writeln!(out, "{line}")?;
            }
            writeln!(out, "{}: {count} forms -> {}", image.name(), output.display())?;
            if let Some(unknown) = imported.unknown.filter(|unknown| *unknown > 0) {
                let one = "form of which the overlay says";
                let forms = counted(unknown, one, "forms of which the overlay says");
                writeln!(out, "{forms} nothing: neither keys nor order nor defaults are known")?;
            }
        }
    }
    Ok(())
}

/// What can be read of the family in a folder, or of the bundled one, and what is wrong with the
/// rest.
fn read(folder: &Path) -> Result<(Option<Family>, Vec<FamilyError>), InputError> {
    read_profile(folder, None)
}

/// The same, in this profile.
fn read_profile(
    folder: &Path,
    profile: Option<&str>,
) -> Result<(Option<Family>, Vec<FamilyError>), InputError> {
    let bundled = [("meridian", bundled::FILES), ("frr", bundled::FRR)];
    let bundled = bundled.into_iter().find(|(name, _)| folder == Path::new(name));
    if let Some((_, files)) = bundled.filter(|_| !folder.exists()) {
        return Ok(Family::read_profile(files, profile));
    }
    let wrong = |error| InputError::File { path: folder.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, input::text(&path, TABLE_BYTES_MAX)?));
        }
    }
    files.sort();
    let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    Ok(Family::read_profile(&named, profile))
}

fn refused(errors: &[FamilyError], out: &mut dyn Write) -> Result<Exit, InputError> {
    for error in errors {
        writeln!(out, "{error}")?;
    }
    writeln!(out, "{}", counted(errors.len(), "error", "errors"))?;
    Ok(Exit::NotSo)
}

fn check(folder: &Path, out: &mut dyn Write) -> Result<Exit, InputError> {
    let (family, errors) = read(folder)?;
    let Some(family) = family else {
        return refused(&errors, out);
    };
    let report = skewsync_check::family_but(&family, errors);
    write!(out, "{report}")?;
    Ok(if report.is_sound() { Exit::Ok } else { Exit::NotSo })
}

fn build(
    folder: &Path,
    release: &str,
    output: &PathBuf,
    out: &mut dyn Write,
) -> Result<Exit, InputError> {
    let family = match read(folder)? {
        (Some(family), errors) if errors.is_empty() => family,
        (_, errors) => return refused(&errors, out),
    };
    let Some(image) = family.image(release) else {
        let all = family.releases().collect::<Vec<_>>().join(", ");
        writeln!(out, "no release {release}; there are: {all}")?;
        return Ok(Exit::NotSo);
    };
    write(&image, output)?;
    writeln!(out, "{}: {} forms -> {}", image.name(), image.forms().count(), output.display())?;
    Ok(Exit::Ok)
}

fn write(image: &Image, output: &PathBuf) -> Result<(), InputError> {
    let wrong = |error| InputError::File { path: output.clone(), error };
    std::fs::write(output, image.encode()).map_err(wrong)
}
