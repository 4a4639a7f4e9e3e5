//! Tests that any process may die at any time, or be asked to stop: every clip still ends in one row and one outcome,
//! and the result is that of an undisturbed run.

use std::time::Duration;

use latentlink_tests::{Job, Role, Stack, eventually, rows_of};

use crate::{SITE, evaluate, sweep_args};

/// The options of a sweep that is long enough to be disturbed three times.
const SWEEP: [&str; 8] = ["--channel", "none,awgn,rayleigh", "--snr", "-12:21:3", "--draws", "5", "--seed", "3"];

/// Sends the sweep, disturbs each role once, each time when the journal has grown by another fifth, and compares the
/// predictions with those of `trainer evaluate`.
fn disturbed(name: &str, disturb: impl Fn(&mut Stack, Role)) {
    let mut stack = Stack::up(&SITE, name);
    // The noiseless channel has one draw.
    let total = SITE.test_clips() * (1 + 2 * 12 * 5);
    let (inside, outside) = (stack.folder().join("inside.csv"), stack.folder().join("outside.csv"));
    let send = stack.send_command(&sweep_args(&SWEEP, &outside));
    let mut send = Job::start(SITE.binary(), &send, stack.folder(), "send");
    for (part, role) in Role::ALL.into_iter().enumerate() {
        let rows = total * (part + 1) / 5;
        eventually("rows in the journal", Duration::from_secs(120), || (stack.journal().len() >= rows).then_some(()));
        disturb(&mut stack, role);
        assert!(send.is_running() && stack.journal().len() < total, "{role:?} was not disturbed in mid-stream");
        stack.start(role);
    }
    send.finish().succeeded();

    evaluate(&SWEEP, &inside);
    let rows = rows_of(&outside);
    assert_eq!(rows.len(), total, "one outcome for every clip");
    assert_eq!(rows, rows_of(&inside));
    let journal = stack.journal().rows();
    assert!(journal.iter().all(|row| row.run_id == journal[0].run_id));
    let sequences: Vec<i64> = journal.iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, (sequences[0]..sequences[0] + total as i64).collect::<Vec<_>>(), "one row for every clip");
}

#[test]
fn each_process_may_be_killed_in_mid_stream() {
    disturbed("kills", |stack, role| stack.kill_9(role));
}

#[test]
fn each_process_drains_on_sigterm_and_exits_0() {
    disturbed("drains", |stack, role| {
        let process = stack.process(role);
        process.terminate();
        let status = process.ended();
        assert_eq!(status.code(), Some(0), "{role:?}: {}", process.log());
    });
}
