//! What `scripts/mmsa_to_corpus.py` writes is what the reader of corpus folders reads. Needs Python with numpy.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use latentlink_corpus::{Corpus, CorpusSpec, Modality, Sequence};

#[test]
fn mmsa_pickles_become_corpora() {
    let interpreter = std::env::var_os("LATENTLINK_PYTHON").unwrap_or_else(|| OsString::from("python3"));
    let numpy = Command::new(&interpreter).args(["-c", "import numpy"]).output();
    if !numpy.is_ok_and(|output| output.status.success()) {
        // Past the capture of the test harness: a skipped test is named in every log.
        let _ = writeln!(std::io::stderr(), "skipped: mmsa_pickles_become_corpora needs LATENTLINK_PYTHON with numpy");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../scripts/test_mmsa_to_corpus.py");
    let python = || {
        let mut command = Command::new(&interpreter);
        command.arg("-B").arg(&script);
        command
    };
    let tests = python().output().unwrap();
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stderr));

    let folder = tempfile::tempdir().unwrap();
    let made = python().arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let corpus = Corpus::load(&CorpusSpec::Folder(folder.path().join("unaligned"))).unwrap();
    assert_eq!(corpus.splits(), [("train", 3), ("valid", 1), ("test", 2)]);
    assert_eq!(corpus.widths, [Some(3), Some(2), Some(1)]);
    let frames =
        |row: usize, modality: Modality| corpus.clips[row].features[modality.index()].as_ref().map(Sequence::frames);
    assert_eq!(frames(1, Modality::Text), Some(3));
    assert_eq!(frames(4, Modality::Audio), None, "a length of 0");
    assert_eq!(frames(2, Modality::Visual), Some(3), "zeros at the end are padding");
    assert_eq!(corpus.replaced[1].infinite, 1);
    assert_eq!(corpus.clips[1].text, "clip, 1");
}
