//! Tests of the messages of commands that fail: one line, which states each thing once.

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::Path;

use latentlink_tests::Process;

use crate::{SITE, text};

/// The line in which a command that must fail states the reason.
fn why(args: &[&str]) -> String {
    let ended = Process::run(SITE.binary(), args);
    let line = ended.stderr.lines().find(|line| line.starts_with("error: "));
    let said = line.unwrap_or_else(|| panic!("{args:?}: {}{}", ended.stdout, ended.stderr)).to_owned();
    ended.failed();
    said
}

/// The message of a command that must fail; asserts that no part of it is repeated.
fn says_nothing_twice(args: &[&str]) -> String {
    let said = why(args);
    let mut parts = HashSet::new();
    for part in said.split(": ").flat_map(|part| part.split("; ")) {
        assert!(parts.insert(part.trim()), "`{part}` is said twice: {said}");
    }
    assert!(said.matches("(os error ").count() <= 1, "{said}");
    said
}

#[test]
fn no_part_of_a_message_is_said_twice() {
    let folder = SITE.folder("messages");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let weights = text(SITE.weights());
    let path = |name: &str| folder.join(name).display().to_string();
    let (absent, journal) = (path("absent"), path("journal.sqlite"));
    std::fs::write(path("file"), "no folder").unwrap();
    std::fs::write(path("clips.csv"), "id,note\na,x\n").unwrap();
    std::fs::write(path("torn.csv"), "id,label\na\n").unwrap();
    std::fs::write(path("config.json"), "{").unwrap();

    let receiver = ["receiver", "serve", "--weights", weights, "--journal", &journal, "--listen"];
    let emulator = ["channel-emulator", "serve", "--receiver", "http://127.0.0.1:9", "--listen"];
    let transmitter = ["transmitter", "serve", "--weights", weights, "--emulator", "http://127.0.0.1:9", "--listen"];
    for service in [&receiver[..], &emulator, &transmitter] {
        let said = says_nothing_twice(&[service, &[address.as_str()]].concat());
        assert!(said.contains(&address) && said.contains("in use"), "{said}");
        let said = says_nothing_twice(&[service, &["127.0.0.1:port"]].concat());
        assert!(said.contains("127.0.0.1:port"), "{said}");
    }
    says_nothing_twice(&[&receiver[..], &["127.0.0.1:0", "--http", &address]].concat());

    let below = path("file/journal.sqlite");
    let commands: [(Vec<&str>, &str); 12] = [
        (vec!["trainer", "corpus", "inspect", "--corpus", &absent], "No such file"),
        (vec!["trainer", "train", "--corpus", &absent, "--out", "x"], "No such file"),
        (vec!["trainer", "evaluate", "--weights", &absent, "--corpus", "builtin"], "absent"),
        (vec!["trainer", "evaluate", "--weights", weights, "--corpus", &absent], "No such file"),
        (vec!["trainer", "audit", "--weights", &absent, "--corpus", "builtin"], "absent"),
        (vec!["trainer", "train", "--corpus", "builtin", "--text-encoder", &absent, "--out", "x"], "absent"),
        (vec!["transmitter", "send", "--to", "http://127.0.0.1:9", "--corpus", &absent], "No such file"),
        (vec!["transmitter", "send", "--to", "http://127.0.0.1:9", "--corpus", "builtin", "--json", &below], "file"),
        (vec!["receiver", "serve", "--weights", &absent, "--journal", &journal], "absent"),
        (vec!["receiver", "serve", "--weights", weights, "--journal", &below], "journal.sqlite"),
        (vec!["transmitter", "serve", "--weights", &absent, "--emulator", "http://127.0.0.1:9"], "absent"),
        (
            vec![
                "transmitter",
                "serve",
                "--weights",
                weights,
                "--emulator",
                "http://127.0.0.1:9",
                "--extractors",
                &absent,
            ],
            "absent",
        ),
    ];
    for (args, part) in commands {
        let said = says_nothing_twice(&args);
        assert!(said.contains(part), "{args:?}: {said}");
    }
    let (out, clips, torn) = (path("out"), path("clips.csv"), path("torn.csv"));
    let import = ["trainer", "corpus", "import"];
    for args in [
        &["csv", "--clips", &clips, "--out", &out][..],
        &["csv", "--clips", &absent, "--out", &out],
        &["csd", "--labels", &absent, "--folds", &absent, "--out", &out],
    ] {
        says_nothing_twice(&[&import[..], args].concat());
    }
    for labels in [&clips, &torn, &absent] {
        let extract = ["trainer", "corpus", "extract", "--classical", "--clips", &absent, "--labels", labels];
        says_nothing_twice(&[&extract[..], &["--out", &out]].concat());
    }
    let record = path("file/run");
    says_nothing_twice(&[&emulator[..], &["127.0.0.1:0", "--record", &record]].concat());
    says_nothing_twice(&[&emulator[..], &["127.0.0.1:0", "--snr-trace", &absent]].concat());
    assert!(!Path::new(&out).exists());
}

#[test]
fn a_demo_whose_ports_are_taken_says_so_before_it_trains() {
    let folder = SITE.folder("taken-ports");
    let out = folder.join("demo");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = says_nothing_twice(&["demo", "--live", "--http", &address, "--out", text(&out)]);
    assert!(said.contains(&address) && said.contains("--http says another"), "{said}");
    assert!(!out.exists(), "nothing was begun");
}

#[test]
fn folders_of_journals_recordings_and_results_are_made() {
    let folder = SITE.folder("made-folders");
    let (json, csv) = (folder.join("a/b/results.json"), folder.join("c/d/rows.csv"));
    let evaluate = ["trainer", "evaluate", "--weights", text(SITE.weights()), "--corpus", text(SITE.corpus())];
    let more = ["--channel", "none", "--json", text(&json), "--predictions", text(&csv)];
    Process::run(SITE.binary(), &[&evaluate[..], &more].concat()).succeeded();
    assert!(json.is_file() && csv.is_file());

    let (journal, record) = (folder.join("e/f/journal.sqlite"), folder.join("g/h/run"));
    let serve = ["receiver", "serve", "--weights", text(SITE.weights()), "--journal", text(&journal)];
    let args = [&serve[..], &["--listen", "127.0.0.1:0"]].concat();
    let receiver = Process::serve(SITE.binary(), &args, &folder.join("receiver.log"));
    assert!(journal.is_file());
    drop(receiver);
    let serve = ["channel-emulator", "serve", "--receiver", "http://127.0.0.1:9", "--record", text(&record)];
    let args = [&serve[..], &["--listen", "127.0.0.1:0"]].concat();
    let emulator = Process::serve(SITE.binary(), &args, &folder.join("emulator.log"));
    assert!(folder.join("g/h/run-in.sigmf-data").is_file());
    drop(emulator);
}
