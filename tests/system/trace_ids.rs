//! Tests that a clip has one trace id: in its outcome and in the log of every process that it passes.

use std::time::Duration;

use latentlink_tests::{Client, Role, Stack, corpus_of, eventually};
use proto::v1::outcome::Result as Answer;
use proto::v1::{ChannelKind, Clip, Conditions};

use crate::SITE;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Waits for a line in a role's log that contains all of `parts`, and returns it.
fn line(stack: &mut Stack, role: Role, parts: &[&str]) -> String {
    let what = format!("{parts:?} in the log of the {}", role.name());
    eventually(&what, Duration::from_secs(60), || {
        let log = stack.process(role).log();
        log.lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
    })
}

#[test]
fn a_clip_has_one_trace_id_in_its_outcome_and_in_all_logs() {
    let stack = Stack::down(&SITE, "trace-ids", SITE.weights(), SITE.weights());
    let mut stack = stack.with("RUST_LOG", "info,latentlink::clip=debug").started();
    let client = Client::connect(&stack.url(Role::Transmitter));
    let corpus = corpus_of(1, 1, 1);
    let none = Conditions { kind: ChannelKind::None.into(), snr_db: None, k_factor: None };
    let clip = |sequence| client.clip(sequence, &corpus.clips[2], none);
    let traced = |sequence, traceparent: String| Clip { traceparent: Some(traceparent), ..clip(sequence) };
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");

    let refused = Clip { modalities: [].into(), ..traced(3, good.clone()) };
    let keyless = Clip { delivery: None, ..traced(4, good.clone()) };
    let hostile = traced(5, format!("00-{}", "f".repeat(100_000)));
    let outcomes = client.send(vec![traced(0, good), clip(1), refused, keyless, hostile]);
    let id = |sequence: Option<u64>| {
        let found = outcomes.iter().find(|outcome| outcome.delivery.as_ref().map(|key| key.sequence) == sequence);
        found.expect("an outcome").trace_id.clone()
    };
    for sequence in [Some(0), Some(3), None] {
        assert_eq!(id(sequence), TRACE, "{sequence:?}");
    }
    for sequence in [1, 5] {
        let id = id(Some(sequence));
        assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()) && id != TRACE, "{id}");
    }
    assert_ne!(id(Some(1)), id(Some(5)));

    // A clip that is sent again on another stream keeps its trace.
    let again = client.send(vec![clip(1)]);
    assert_eq!(again[0].trace_id, id(Some(1)));
    assert!(matches!(again[0].result, Some(Answer::Prediction(_))));

    for (role, what) in Role::ALL.into_iter().zip(["receive", "relay", "transmit"]) {
        for sequence in [0, 1, 5] {
            let (id, key) = (id(Some(sequence)), format!("/{sequence} "));
            let line = line(&mut stack, role, &[what, &format!("trace_id={id}"), "delivery=", &key]);
            assert!(line.contains("duration_us="), "{line}");
        }
    }
    let line = line(&mut stack, Role::Transmitter, &["refused", TRACE, "/3 "]);
    assert!(line.contains("clip: a clip needs text, audio or visual content"), "{line}");
}
