//! Tests that the dashboard follows and changes the emulator's live conditions.

use crate::Site;
use crate::http::{Events, call, get};
use crate::peers::{Emulator, conditions};
use proto::v1::ChannelKind;
use serde_json::json;

#[tokio::test]
async fn changes_by_anyone_show_and_our_own_are_made() {
    let emulator = Emulator::default();
    let peer = emulator.serve("127.0.0.1:0");
    let site = Site::start(Some(peer.url.clone()), None).await;
    let mut events = Events::open(site.address).await;
    let state = events.until(|state| state["emulator"] == "ok").await;
    let shown = json!({"kind": "rayleigh", "snr_db": 12.0, "k_factor": null});
    assert_eq!((&state["conditions"], &get(site.address, "/api/conditions").await.json()), (&shown, &shown));
    assert_eq!(get(site.address, "/api/info").await.json()["emulator"], peer.url.to_string());

    emulator.live.send_replace(conditions(ChannelKind::Awgn, -7.5));
    events.until(|state| state["conditions"] == json!({"kind": "awgn", "snr_db": -7.5, "k_factor": null})).await;

    let answer = call(site.address, "POST", "/api/conditions", r#"{"snr_db": 3}"#).await;
    let changed = json!({"kind": "awgn", "snr_db": 3.0, "k_factor": null});
    assert_eq!((answer.status, answer.json()), (200, changed.clone()));
    assert_eq!(*emulator.live.borrow(), conditions(ChannelKind::Awgn, 3.0));
    events.until(|state| state["conditions"] == changed).await;
    let rician = call(site.address, "POST", "/api/conditions", r#"{"kind": "rician", "k_factor": 4}"#).await.json();
    assert_eq!(rician, json!({"kind": "rician", "snr_db": 3.0, "k_factor": 4.0}));

    let before = emulator.set().len();
    for body in
        ["{}", "[]", r#"{"snr_db": 1e9}"#, r#"{"kind": "loud"}"#, r#"{"kind": "none", "snr_db": 1}"#, r#"{"snr": 1}"#]
    {
        let (status, sentence) = call(site.address, "POST", "/api/conditions", body).await.problem();
        assert!(status == 400 && sentence.ends_with('.'), "{body}: {sentence}");
    }
    assert_eq!(emulator.set().len(), before);
    site.receiver.stop().await;
}

#[tokio::test]
async fn an_emulator_that_was_away_is_found_again() {
    let emulator = Emulator::default();
    let peer = emulator.serve("127.0.0.1:0");
    let (url, address) = (peer.url.clone(), peer.address());
    let site = Site::start(Some(url), None).await;
    let mut events = Events::open(site.address).await;
    events.until(|state| state["emulator"] == "ok").await;
    drop(peer);
    let away = events.until(|state| state["emulator"] == "away").await;
    assert!(away["conditions"].is_null());
    for answer in [
        get(site.address, "/api/conditions").await,
        call(site.address, "POST", "/api/conditions", r#"{"snr_db": 3}"#).await,
        call(site.address, "POST", "/api/sweep", "{}").await,
    ] {
        let (status, sentence) = answer.problem();
        assert!(status == 503 && sentence.contains(&address), "{status} {sentence}");
    }
    emulator.live.send_replace(conditions(ChannelKind::Awgn, 6.0));
    let _peer = emulator.serve(&address);
    let back = events.until(|state| state["emulator"] == "ok").await;
    assert_eq!(back["conditions"]["snr_db"], 6.0);
    assert_eq!(call(site.address, "POST", "/api/conditions", r#"{"snr_db": 3}"#).await.status, 200);
    site.receiver.stop().await;
}

#[tokio::test]
async fn without_an_emulator_it_says_how_to_name_one() {
    let site = Site::start(None, None).await;
    for answer in [
        get(site.address, "/api/conditions").await,
        call(site.address, "POST", "/api/conditions", r#"{"snr_db": 3}"#).await,
        call(site.address, "POST", "/api/sweep", "").await,
    ] {
        let (status, sentence) = answer.problem();
        assert!(status == 503 && sentence.contains("--emulator"), "{status} {sentence}");
    }
    site.receiver.stop().await;
}
