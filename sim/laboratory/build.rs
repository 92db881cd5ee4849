//! Says from which sources the laboratory is built: two builds with one digest run every seed
//! alike, whatever the commits are called.

use std::path::{Path, PathBuf};

/// What a run depends on, beside this room's own sources.
const SOURCES: [&str; 7] = [
    "src",
    "../families/src",
    "../simulator/src",
    "../../impl/src",
    "../../impl/families",
    "../../model/src",
    "../../Cargo.lock",
];

fn main() -> Result<(), std::io::Error> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        gather(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        let bytes = std::fs::read_to_string(file).map(String::into_bytes)?;
        let name = file.to_string_lossy().replace('\\', "/");
        // Lengths keep names and contents apart.
        for part in [name.as_bytes(), &bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    let code = hasher.finalize().to_hex();
    println!("cargo::rustc-env=SKEWLAB_CODE={}", &code[..16]);
    Ok(())
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), std::io::Error> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        gather(&entry?.path(), files)?;
    }
    Ok(())
}
