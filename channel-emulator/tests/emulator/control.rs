//! The command line: conditions of a running emulator, and arguments that make none.

use crate::common::Emulator;
use channel_emulator::{Args, run};
use clap::Parser;
use proto::v1::{ChannelKind, Conditions, GetConditionsRequest, SetConditionsRequest, WatchConditionsRequest};

async fn play(line: &str) -> Result<(), String> {
    let args = Args::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
    run(args).await.map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn set_changes_what_is_given_and_get_shows_it() {
    let emulator = Emulator::start(9).await;
    let url = &emulator.url;
    let in_force = || async {
        let mut client = emulator.client();
        client.get_conditions(GetConditionsRequest {}).await.unwrap().into_inner().conditions.unwrap()
    };
    let rayleigh = ChannelKind::Rayleigh.into();
    assert_eq!(in_force().await, Conditions { kind: rayleigh, snr_db: Some(12.0), k_factor: None });
    play(&format!("channel-emulator set --emulator {url} --snr -6")).await.unwrap();
    assert_eq!(in_force().await, Conditions { kind: rayleigh, snr_db: Some(-6.0), k_factor: None });
    play(&format!("channel-emulator set --emulator {url} --channel rician --k-factor 4")).await.unwrap();
    let rician = Conditions { kind: ChannelKind::Rician.into(), snr_db: Some(-6.0), k_factor: Some(4.0) };
    assert_eq!(in_force().await, rician);
    play(&format!("channel-emulator get --emulator {url} --json")).await.unwrap();
    play(&format!("channel-emulator set --emulator {url} --channel rician:9")).await.unwrap();
    assert_eq!(in_force().await, Conditions { k_factor: Some(9.0), ..rician });
    play(&format!("channel-emulator set --emulator {url} --channel rayleigh")).await.unwrap();
    play(&format!("channel-emulator set --emulator {url} --channel rician:4")).await.unwrap();
    assert_eq!(in_force().await, rician, "no K factor was current, the name has it");
    play(&format!("channel-emulator set --emulator {url} --channel rician")).await.unwrap();
    assert_eq!(in_force().await, rician, "without K the current one stays");
    let twice = play(&format!("channel-emulator set --emulator {url} --channel rician:2 --k-factor 2")).await;
    assert!(twice.unwrap_err().contains("rician:2 names a K factor, and 2 is given beside it"));

    let error = play(&format!("channel-emulator set --emulator {url} --channel none --snr 3")).await.unwrap_err();
    assert!(error.contains("has no SNR"), "{error}");
    let change = SetConditionsRequest { k_factor: Some(-1.0), ..SetConditionsRequest::default() };
    let status = emulator.client().set_conditions(change).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().contains("k_factor"), "{status}");
    assert_eq!(in_force().await, rician, "what is refused changes nothing");
}

#[tokio::test]
async fn whoever_watches_sees_the_conditions_and_every_change() {
    let emulator = Emulator::start(9).await;
    let request = WatchConditionsRequest { interval_ms: Some(1) };
    let mut watched = emulator.client().watch_conditions(request).await.unwrap().into_inner();
    let rayleigh = Conditions { kind: ChannelKind::Rayleigh.into(), snr_db: Some(12.0), k_factor: None };
    assert_eq!(watched.message().await.unwrap().unwrap().conditions, Some(rayleigh));
    for snr_db in [-6.0, 3.0] {
        let changed = Conditions { snr_db: Some(snr_db), ..rayleigh };
        let change = SetConditionsRequest { snr_db: Some(snr_db), ..SetConditionsRequest::default() };
        let set = emulator.client().set_conditions(change).await.unwrap().into_inner();
        let seen = watched.message().await.unwrap().unwrap();
        assert_eq!((seen.conditions, seen.version), (Some(changed), set.version));
    }
}

#[tokio::test]
async fn of_two_changes_to_the_same_conditions_one_is_refused() {
    let emulator = Emulator::start(9).await;
    let read = emulator.client().get_conditions(GetConditionsRequest {}).await.unwrap().into_inner();
    let change = |snr_db| SetConditionsRequest {
        snr_db: Some(snr_db),
        version: Some(read.version),
        ..SetConditionsRequest::default()
    };
    let first = emulator.client().set_conditions(change(3.0)).await.unwrap().into_inner();
    let status = emulator.client().set_conditions(change(9.0)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Aborted);
    assert!(status.message().contains("rayleigh 3 dB"), "{status}");
    let current = emulator.client().get_conditions(GetConditionsRequest {}).await.unwrap().into_inner();
    assert_eq!((current.conditions, current.version), (first.conditions, first.version));
}

#[tokio::test]
async fn two_commands_at_once_lose_neither_change() {
    let emulator = Emulator::start(9).await;
    let url = &emulator.url;
    for round in 0..20 {
        let (snr, k) = (f64::from(round), f64::from(round + 1));
        play(&format!("channel-emulator set --emulator {url} --channel rician --k-factor 99 --snr 99")).await.unwrap();
        let (one, other) = (
            format!("channel-emulator set --emulator {url} --snr {snr}"),
            format!("channel-emulator set --emulator {url} --k-factor {k}"),
        );
        let (one, other) = tokio::join!(play(&one), play(&other));
        one.unwrap();
        other.unwrap();
        let current = emulator.client().get_conditions(GetConditionsRequest {}).await.unwrap().into_inner();
        let expected = Conditions { kind: ChannelKind::Rician.into(), snr_db: Some(snr), k_factor: Some(k) };
        assert_eq!(current.conditions, Some(expected), "round {round}");
    }
}

#[tokio::test]
async fn bad_arguments_are_named() {
    for (line, expected) in [
        ("channel-emulator set", "--channel"),
        ("channel-emulator set --snr loud", "loud"),
        ("channel-emulator set --snr nan", "finite"),
        ("channel-emulator set --snr -300", "200"),
        ("channel-emulator set --channel foggy", "foggy"),
        ("channel-emulator set --channel awgn:4", "channel awgn has no K factor, got 4"),
        ("channel-emulator set --channel rician:x", "expected a K factor such as rician:4"),
        ("channel-emulator serve --receiver http://127.0.0.1:1 --channel rician:-1", "at least 0, got -1"),
        ("channel-emulator serve --receiver http://127.0.0.1:1 --channel rician:4 --k-factor 4", "beside it"),
        ("channel-emulator serve --receiver 127.0.0.1:1", "scheme is missing"),
        ("channel-emulator serve --receiver http://127.0.0.1:1 --channel rician", "K factor"),
        ("channel-emulator serve --receiver http://127.0.0.1:1 --channel none --snr -6", "no SNR"),
        ("channel-emulator serve --receiver http://127.0.0.1:1 --listen nowhere", "cannot listen on nowhere"),
        ("channel-emulator get --emulator http://127.0.0.1:9", "http://127.0.0.1:9 did not answer"),
    ] {
        let error = play(line).await.unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let emulator = Emulator::start(9).await;
    let address = emulator.url.to_string().replace("http://", "");
    let line = format!("channel-emulator serve --receiver http://127.0.0.1:9 --listen {address}");
    let error = play(&line).await.unwrap_err();
    assert!(error.contains(&format!("cannot listen on {address}")) && error.contains("in use"), "{error}");
}
