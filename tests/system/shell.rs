//! Tests of completions and manual pages with the programs that read them.

use std::process::{Command, Stdio};

use latentlink_tests::Process;

use crate::{SITE, text};

/// Whether a program is installed; reports that `test` is skipped if not.
fn has(program: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !found {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs {program}");
    }
    found
}

#[test]
fn bash_accepts_its_completions_and_completes_with_them() {
    if !has("bash", "bash_accepts_its_completions_and_completes_with_them") {
        return;
    }
    let script = SITE.folder("completions").join("latentlink.bash");
    std::fs::write(&script, Process::run(SITE.binary(), &["completions", "bash"]).succeeded().stdout).unwrap();
    let checked = Command::new("bash").args(["-n", text(&script)]).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let ask = "source \"$0\"; COMP_WORDS=(latentlink transmitter send --pre); COMP_CWORD=3; \
               _latentlink latentlink --pre send; echo \"${COMPREPLY[@]}\"";
    let asked = Command::new("bash").args(["-c", ask, text(&script)]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), "--predictions", "{asked:?}");
}

#[test]
fn groff_has_nothing_to_say_against_the_manual_pages() {
    let out = SITE.folder("man").join("man1");
    Process::run(SITE.binary(), &["man", "--out", text(&out)]).succeeded();
    assert!(out.join("latentlink-transmitter-send.1").is_file());
    if !has("groff", "groff_has_nothing_to_say_against_the_manual_pages") {
        return;
    }
    for page in std::fs::read_dir(&out).unwrap() {
        let page = page.unwrap().path();
        let set = Command::new("groff").args(["-man", "-ww", "-Tutf8", "-z", text(&page)]).output().unwrap();
        let said = String::from_utf8_lossy(&set.stderr);
        assert!(set.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}
