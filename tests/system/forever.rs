//! Tests of `transmitter send --forever`: rounds that go on over the restart of every process, until they are stopped.

use std::time::Duration;

use latentlink_tests::{Job, Role, Signal, Stack, eventually};
use serde_json::Value;

use crate::{SITE, text};

const LIMIT: Duration = Duration::from_secs(120);

/// Number of rounds that a client has reported.
fn rounds(stack: &Stack, name: &str) -> usize {
    let said = std::fs::read_to_string(stack.folder().join(format!("{name}.stderr"))).unwrap();
    said.lines().filter(|line| line.starts_with("round ")).count()
}

fn start(stack: &Stack, name: &str, more: &[&str]) -> Job {
    let args = [&["--corpus", text(SITE.corpus()), "--forever"], more].concat();
    Job::start(SITE.binary(), &stack.send_command(&args), stack.folder(), name)
}

#[test]
fn rounds_go_on_over_the_death_of_every_process_until_sigterm() {
    let mut stack = Stack::up(&SITE, "forever");
    let json = stack.folder().join("rounds.json");
    let job = start(&stack, "pinned", &["--channel", "awgn,rayleigh", "--snr", "-6,3", "--json", text(&json)]);
    let more = |stack: &Stack| {
        let seen = rounds(stack, "pinned");
        eventually("another round", LIMIT, || (rounds(stack, "pinned") > seen + 1).then_some(()));
    };
    more(&stack);
    for role in Role::ALL {
        stack.kill_9(role);
        stack.start(role);
        more(&stack);
    }
    job.signal(Signal::TERM);
    let ended = job.finish().succeeded();
    assert!(ended.stdout.contains("Acc-2 pos") && ended.stdout.contains("rayleigh"), "{}", ended.stdout);
    let records: Vec<Value> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|r| r["clips"] == 48 && r["draws"].as_u64().unwrap() >= 8), "{records:?}");

    // Every delivery has one row; the sequence numbers are consecutive.
    let rows = stack.journal().rows();
    assert!(rows.iter().all(|row| row.run_id == rows[0].run_id));
    assert!(rows.iter().map(|row| row.sequence).eq(0..rows.len() as i64), "a gap in {} rows", rows.len());
}

#[test]
fn live_conditions_and_a_rate_end_with_ctrl_c() {
    let stack = Stack::up(&SITE, "forever-live");
    let job = start(&stack, "live", &["--rate", "400"]);
    eventually("two rounds", LIMIT, || (rounds(&stack, "live") > 1).then_some(()));
    job.signal(Signal::INT);
    let ended = job.finish().succeeded();
    assert!(ended.stdout.contains("rayleigh"), "the emulator's default: {}", ended.stdout);
}

#[test]
fn a_client_that_waits_for_a_transmitter_can_be_stopped() {
    let stack = Stack::down(&SITE, "forever-waits", SITE.weights(), SITE.weights());
    let job = start(&stack, "waits", &[]);
    let log = stack.folder().join("waits.stderr");
    eventually("a line that says so", LIMIT, || {
        std::fs::read_to_string(&log).unwrap().contains("waiting for the transmitter").then_some(())
    });
    job.signal(Signal::TERM);
    job.finish().succeeded();
}
