//! Real command sets, configs and verdicts: test data beside the checkout, where it is.

use std::path::{Path, PathBuf};

use skewsync::image::{Family, Image, bundled};
use skewsync_cli::commands::image::forms::import_files;

/// The corpus, if it lies beside the checkout.
pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/frr");
    if !folder.exists() {
        println!("skipped: no command sets at ../shared/corpus/frr");
    }
    folder.exists().then_some(folder)
}

/// The command set of a release as an image, and what of it was not taken.
pub(crate) fn imported(corpus: &Path, release: &str) -> (Image, String) {
    let forms = corpus.join(format!("{release}.jsonl"));
    let nodes = corpus.join(format!("{release}.nodes.json"));
    let imported = import_files(&forms, &nodes, "frr", release, None);
    let imported = imported.expect("the command set is readable");
    (imported.image, imported.report)
}

/// The same under the bundled overlay for FRRouting.
pub(crate) fn overlaid(corpus: &Path, release: &str) -> Image {
    let forms = corpus.join(format!("{release}.jsonl"));
    let nodes = corpus.join(format!("{release}.nodes.json"));
    let overlay = Family::parse(bundled::FRR).expect("the bundled overlay has no errors");
    let imported = import_files(&forms, &nodes, "frr", release, Some(&overlay));
    imported.expect("the command set is readable").image
}
