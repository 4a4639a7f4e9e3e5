//! A trace drives the live conditions, over real sockets.

use crate::common::{Emulator, Manner, PATIENT, TestReceiver, answer, burst, serve_args};
use channel_emulator::{TraceArgs, TraceStart};
use proto::v1::{ChannelKind, Conditions, SetConditionsRequest, WatchConditionsRequest};
use std::time::Duration;

async fn emulator(receiver_port: u16, text: &str, trace: TraceArgs) -> Emulator {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut args = serve_args(receiver_port);
    args.trace = TraceArgs { snr_trace: Some(file.path().to_owned()), ..trace };
    Emulator::with(args).await
}

/// The conditions of a watcher, until `enough` of them have come.
async fn watch(emulator: &Emulator, enough: usize) -> Vec<Conditions> {
    let watch = async {
        let request = WatchConditionsRequest { interval_ms: Some(1) };
        let mut watched = emulator.client().watch_conditions(request).await.unwrap().into_inner();
        let mut seen = Vec::new();
        while seen.len() < enough {
            seen.push(watched.message().await.unwrap().unwrap().conditions.unwrap());
        }
        seen
    };
    tokio::time::timeout(PATIENT, watch).await.expect("a step")
}

fn conditions(kind: ChannelKind, snr_db: f64) -> Conditions {
    Conditions { kind: kind.into(), snr_db: Some(snr_db), k_factor: None }
}

#[tokio::test]
async fn whoever_watches_sees_each_step_and_bursts_meet_it() {
    let receiver = TestReceiver::start(0, Manner::default());
    let text = "time_s,snr_db,channel\n0,5,awgn\n0.3,-6,\n0.6,9,rayleigh\n";
    let start = TraceArgs { snr_trace_start: TraceStart::FirstBurst, ..TraceArgs::default() };
    let emulator = emulator(receiver.port, text, start).await;
    let first = conditions(ChannelKind::Awgn, 5.0);
    let (seen, ()) = tokio::join!(watch(&emulator, 3), async {
        // Nothing moves before the first burst.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let receipts = emulator.relay(vec![burst(0, 25)]).await.unwrap();
        assert_eq!(answer(&receipts[0]).channel.unwrap().conditions, Some(first));
    });
    let last = conditions(ChannelKind::Rayleigh, 9.0);
    assert_eq!(seen, [first, conditions(ChannelKind::Awgn, -6.0), last]);
    let receipts = emulator.relay(vec![burst(1, 25)]).await.unwrap();
    assert_eq!(answer(&receipts[0]).channel.unwrap().conditions, Some(last), "the last step holds");
}

#[tokio::test]
async fn a_repeated_trace_of_milliseconds_goes_on() {
    let repeated = TraceArgs { snr_trace_loop: true, ..TraceArgs::default() };
    let emulator = emulator(9, "time_s,snr_db\n0,0\n0.005,1\n0.010,2\n0.015,0\n", repeated).await;
    emulator
        .client()
        .set_conditions(SetConditionsRequest {
            kind: Some(ChannelKind::None.into()),
            ..SetConditionsRequest::default()
        })
        .await
        .unwrap();
    let seen = watch(&emulator, 40).await;
    let snrs: Vec<f64> = seen.iter().filter_map(|conditions| conditions.snr_db).collect();
    assert!(snrs.len() >= 39, "the next step wins over what somebody set: {seen:?}");
    for snr in [0.0, 1.0, 2.0] {
        assert!(snrs.iter().filter(|&&seen| seen == snr).count() > 1, "{snr} comes again and again: {snrs:?}");
    }
}

#[tokio::test]
async fn a_bad_trace_is_named_by_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "time_s,snr_db\n0,1\n0.5,loud\n").unwrap();
    let mut args = serve_args(9);
    args.trace.snr_trace = Some(file.path().to_owned());
    let error = format!("{:#}", channel_emulator::App::new(&args).await.err().expect("a bad trace"));
    assert!(error.contains("line 3: snr_db: expected a number, got `loud`"), "{error}");
    assert!(error.contains(file.path().to_str().unwrap()), "{error}");
}
