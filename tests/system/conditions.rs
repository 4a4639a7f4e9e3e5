//! Tests of the channel's live conditions: the commands `set` and `get`, and their effect on clips.

use latentlink_tests::{Client, Finished, Process, Role, Stack, corpus_of};
use proto::v1::{ChannelKind, ChannelReport, Conditions};

use crate::SITE;

fn conditions(stack: &Stack, args: &[&str]) -> Finished {
    let url = stack.url(Role::Emulator);
    let verb = args[0];
    Process::run(SITE.binary(), &[&["channel-emulator", verb, "--emulator", &url], &args[1..]].concat())
}

/// The channel report of a clip that pins the given conditions, or none.
fn met(client: &Client, sequence: u64, pinned: Option<Conditions>) -> ChannelReport {
    let corpus = corpus_of(1, 1, 1);
    let mut clip = client.clip(sequence, &corpus.clips[2], Conditions::default());
    clip.conditions = pinned;
    client.send(vec![clip]).remove(0).channel.expect("a report")
}

#[test]
fn live_conditions_are_set_and_got_and_met() {
    let stack = Stack::up(&SITE, "conditions");
    let client = Client::connect(&stack.url(Role::Transmitter));

    conditions(&stack, &["set", "--channel", "awgn", "--snr", "-6"]).succeeded();
    let got = conditions(&stack, &["get"]).succeeded();
    assert!(got.stdout.contains("awgn") && got.stdout.contains("-6"), "{}", got.stdout);
    let report = met(&client, 0, None);
    let live = report.conditions.unwrap();
    assert_eq!((live.kind(), live.snr_db), (ChannelKind::Awgn, Some(-6.0)));
    assert!((f64::from(report.n0) - 10f64.powf(0.6)).abs() < 1e-5, "{report:?}");

    conditions(&stack, &["set", "--channel", "none"]).succeeded();
    assert!(conditions(&stack, &["get"]).succeeded().stdout.contains("none"));
    let report = met(&client, 1, None);
    assert_eq!((report.conditions.unwrap().kind(), report.n0), (ChannelKind::None, 0.0));

    let mut pinned = Conditions { snr_db: Some(12.0), ..Conditions::default() };
    pinned.set_kind(ChannelKind::Rayleigh);
    let report = met(&client, 2, Some(pinned));
    assert_eq!(report.conditions, Some(pinned), "pinned conditions win over live ones");
    assert_ne!(report.h_im, 0.0);
}

#[test]
fn bad_conditions_are_refused_and_change_nothing() {
    let stack = Stack::up(&SITE, "bad-conditions");
    conditions(&stack, &["set", "--channel", "awgn", "--snr", "3"]).succeeded();
    let refused = conditions(&stack, &["set", "--channel", "awgn", "--snr", "nan"]);
    assert!(
        refused.failed().to_lowercase().contains("nan") || refused.stderr.to_lowercase().contains("nan"),
        "{}",
        refused.stderr
    );
    let refused = conditions(&stack, &["set", "--channel", "rician", "--snr", "3"]);
    assert!(refused.stderr.to_lowercase().contains("k"), "{}", refused.stderr);
    refused.failed();
    let got = conditions(&stack, &["get"]).succeeded();
    assert!(got.stdout.contains("awgn") && got.stdout.contains('3'), "{}", got.stdout);
}
