//! Tests of `latentlink watch` in a real terminal against real processes, and of its snapshot against the report of
//! `transmitter send`.

use latentlink_tests::{Job, Process, Role, Signal, Stack, Terminal, free_port};
use serde_json::Value;

use crate::{SITE, text};

fn emulator(stack: &Stack, args: &[&str]) -> String {
    let url = stack.url(Role::Emulator);
    let args = [&["channel-emulator", args[0], "--emulator", &url], &args[1..]].concat();
    Process::run(SITE.binary(), &args).succeeded().stdout
}

/// A number of a record with three decimals, as tables show it.
fn shown(record: &Value, field: &str) -> String {
    format!("{:.3}", record[field].as_f64().unwrap())
}

#[test]
fn a_terminal_shows_what_streams_follows_the_channel_and_is_left_as_it_was() {
    let mut stack = Stack::up(&SITE, "watch");
    let (receiver, channel) = (stack.url(Role::Receiver), stack.url(Role::Emulator));
    let args = ["watch", "--receiver", &receiver, "--emulator", &channel, "--interval", "100"];
    let Some(mut terminal) = Terminal::start("watch in a terminal", SITE.binary(), &args, 120, 40) else { return };
    terminal.shows(&["● live  0 clips", "current rayleigh 12 dB", "points: none yet"]);

    let results = stack.folder().join("results.json");
    let sweep = ["--channel", "awgn", "--snr", "-6,6", "--draws", "40", "--json", text(&results)];
    let send = [&["--corpus", text(SITE.corpus()), "--split", "test"], &sweep[..]].concat();
    let job = Job::start(SITE.binary(), &stack.send_command(&send), stack.folder(), "watched");
    terminal.shows(&["awgn          -6", "awgn           6", "latest 100 clips"]);

    // Conditions that another client sets while clips stream.
    emulator(&stack, &["set", "--channel", "awgn", "--snr", "-4"]);
    terminal.shows(&["current awgn -4 dB"]);
    // Several key presses become one change.
    terminal.press("\x1b[C\x1b[C\x1b[C");
    terminal.shows(&["current awgn -1 dB  emulator"]);
    assert!(emulator(&stack, &["get"]).contains("awgn -1 dB"));
    terminal.press("c");
    terminal.shows(&["current rayleigh -1 dB  emulator"]);

    job.finish().succeeded();
    // Two points of 40 draws each, and the noiseless pass that `send` adds for the reference.
    assert_eq!(SITE.test_clips() * (2 * 40 + 1), 3888);
    let all = "3 888 clips";
    terminal.shows(&[all]);
    let records: Vec<Value> = serde_json::from_slice(&std::fs::read(&results).unwrap()).unwrap();
    for record in &records {
        let (acc2, f1) = (shown(record, "acc2_pos"), shown(record, "f1_pos"));
        terminal.shows(&[&acc2, &f1, &shown(record, "acc7"), &shown(record, "mae")]);
    }

    terminal.press("m");
    terminal.shows(&["Acc-2 nonneg against SNR"]);
    terminal.press("?");
    terminal.shows(&["quit", "any key closes it"]);
    terminal.press("x");

    stack.kill_9(Role::Receiver);
    terminal.shows(&["waiting for the receiver at", "Acc-2 nonneg against SNR"]);
    stack.start(Role::Receiver);
    terminal.shows(&[&format!("● live  {all}")]);

    terminal.resize(40, 12);
    // The curve alone, with a double frame.
    terminal.shows(&["╔ Acc-2 nonneg against SNR"]);
    terminal.press("\t");
    terminal.shows(&["points", "awgn"]);
    terminal.press("q");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.is_restored();
}

#[test]
fn signals_end_it_and_leave_the_terminal_as_it_was() {
    let url = format!("http://127.0.0.1:{}", free_port());
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let args = ["watch", "--receiver", &url];
        let Some(mut terminal) = Terminal::start("watch and signals", SITE.binary(), &args, 80, 24) else { return };
        terminal.shows(&["waiting for the receiver at", "q quit"]);
        terminal.signal(signal);
        assert_eq!(terminal.ended().code(), Some(code));
        terminal.is_restored();
    }
    // In a raw terminal Ctrl-C is a key.
    let args = ["watch", "--receiver", &url];
    let Some(mut terminal) = Terminal::start("watch and Ctrl-C", SITE.binary(), &args, 80, 24) else { return };
    terminal.shows(&["waiting for the receiver at"]);
    terminal.press("\x03");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.is_restored();
}

#[test]
fn one_snapshot_equals_what_send_reports() {
    let stack = Stack::up(&SITE, "watch-once");
    let results = stack.folder().join("results.json");
    let sweep = ["--channel", "none,awgn,rayleigh", "--snr", "-9,3", "--draws", "1", "--json", text(&results)];
    stack.send(&[&["--corpus", text(SITE.corpus()), "--split", "test"], &sweep[..]].concat()).succeeded();
    let (receiver, channel) = (stack.url(Role::Receiver), stack.url(Role::Emulator));
    let once = ["watch", "--once", "--receiver", &receiver, "--emulator", &channel];

    let printed = Process::run(SITE.binary(), &[&once[..], &["--json"]].concat()).succeeded().stdout;
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["in_force"]["kind"], "rayleigh");
    assert_eq!(printed["clips"], SITE.test_clips() * 5);
    let sent: Vec<Value> = serde_json::from_slice(&std::fs::read(&results).unwrap()).unwrap();
    let records = printed["records"].as_array().unwrap();
    assert_eq!((sent.len(), records.len()), (5, 5));
    for sent in &sent {
        let same = |record: &&Value| record["channel"] == sent["channel"] && record["snr_db"] == sent["snr_db"];
        let record = records.iter().find(same).unwrap_or_else(|| panic!("no {sent} in {printed}"));
        assert_eq!(record["clips"], sent["clips"]);
        for field in ["acc2_pos", "acc2_nonneg", "f1_pos", "f1_nonneg", "acc7", "mae"] {
            let (one, other) = (record[field].as_f64().unwrap(), sent[field].as_f64().unwrap());
            assert!((one - other).abs() < 1e-9, "{field}: {one} is not {other} at {sent}");
        }
        let (low, high) = (&record["acc2_pos_interval"][0], &record["acc2_pos_interval"][1]);
        let estimate = sent["acc2_pos"].as_f64().unwrap();
        assert!(low.as_f64().unwrap() < estimate && high.as_f64().unwrap() > estimate, "{record}");
    }

    let table = Process::run(SITE.binary(), &once).succeeded().stdout;
    assert!(sent.iter().all(|record| table.contains(&shown(record, "acc2_pos"))), "{table}");
    assert!(table.contains("current conditions rayleigh 12 dB") && !table.contains('\u{1b}'), "{table}");
}

#[test]
fn without_a_terminal_or_a_receiver_it_says_what_to_do() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let refused = Process::run(SITE.binary(), &["watch", "--receiver", &nobody]);
    assert!(refused.failed().contains("watch --once") && refused.stdout.is_empty(), "{refused:?}");
    let refused = Process::run(SITE.binary(), &["watch", "--once", "--receiver", &nobody]);
    assert!(refused.failed().contains(&format!("the receiver at {nobody} did not answer")), "{refused:?}");
}
