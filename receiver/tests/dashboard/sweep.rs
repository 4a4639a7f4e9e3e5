//! Tests of sweeps over the live conditions.

use crate::Site;
use crate::common::{Talk, burst};
use crate::http::{Events, call};
use crate::peers::{Emulator, Peer, conditions};
use proto::v1::{ChannelKind, Conditions};
use serde_json::json;
use tokio::task::JoinHandle;

/// Streams clips under the live conditions until the task is aborted.
fn stream(emulator: &Emulator, mut talk: Talk) -> JoinHandle<()> {
    let live = emulator.live.clone();
    tokio::spawn(async move {
        for sequence in 0.. {
            let mut burst = burst(sequence, 1.0, 1.0);
            burst.channel.as_mut().unwrap().conditions = Some(*live.borrow());
            talk.ask(burst).await;
        }
    })
}

async fn start() -> (Emulator, Peer, Site, Events) {
    let emulator = Emulator::default();
    let peer = emulator.serve("127.0.0.1:0");
    let site = Site::start(Some(peer.url.clone()), None).await;
    let mut events = Events::open(site.address).await;
    events.until(|state| state["emulator"] == "ok").await;
    (emulator, peer, site, events)
}

fn former() -> Conditions {
    conditions(ChannelKind::Rayleigh, 12.0)
}

#[tokio::test]
async fn a_sweep_visits_its_points_and_puts_back_what_it_found() {
    let (emulator, _peer, site, mut events) = start().await;
    let clips = stream(&emulator, site.receiver.stream().await);
    let plan = r#"{"channels": ["awgn", "none"], "snr": "-3,6", "clips": 20}"#;
    let answer = call(site.address, "POST", "/api/sweep", plan).await;
    assert_eq!(answer.status, 202);
    let first = json!({"running": true, "point": 1, "points": 3, "clips": 0, "wanted": 20, "waiting": false,
        "conditions": {"kind": "awgn", "snr_db": -3.0, "k_factor": null}});
    assert_eq!(answer.json(), first);
    let done = events.until(|state| state["sweep"].is_null() && state["curve"].as_array().unwrap().len() >= 3).await;
    let none = Conditions { kind: ChannelKind::None.into(), snr_db: None, k_factor: None };
    let visited = [conditions(ChannelKind::Awgn, -3.0), conditions(ChannelKind::Awgn, 6.0), none, former()];
    assert_eq!(emulator.set(), visited);
    let points = done["curve"].as_array().unwrap();
    let swept = points.iter().filter(|point| point["kind"] != "rayleigh");
    assert!(swept.clone().count() == 3 && swept.clone().all(|point| point["clips"].as_u64() >= Some(20)), "{done}");
    clips.abort();
    site.receiver.stop().await;
}

#[tokio::test]
async fn one_sweep_runs_at_a_time_and_waits_for_clips_until_it_is_stopped() {
    let (emulator, _peer, site, mut events) = start().await;
    assert_eq!(call(site.address, "POST", "/api/sweep", "").await.status, 202);
    let (status, sentence) = call(site.address, "POST", "/api/sweep", "{}").await.problem();
    assert!(status == 409 && sentence.contains("running"), "{sentence}");
    for (body, problem) in
        [(r#"{"clips": 0}"#, "clips"), (r#"{"channels": ["x"]}"#, "`x`"), (r#"{"snr": "1:0:1"}"#, "1:0:1")]
    {
        let (status, sentence) = call(site.address, "POST", "/api/sweep", body).await.problem();
        assert!(status == 400 && sentence.contains(problem), "{sentence}");
    }
    let waiting = events.until(|state| state["sweep"]["waiting"] == true).await;
    assert_eq!((&waiting["sweep"]["points"], &waiting["sweep"]["wanted"]), (&json!(24), &json!(200)));
    assert_eq!(waiting["conditions"], json!({"kind": "awgn", "snr_db": -12.0, "k_factor": null}));
    let stopped = call(site.address, "DELETE", "/api/sweep", "{}").await;
    assert_eq!((stopped.status, stopped.body.len()), (204, 0));
    assert_eq!(*emulator.live.borrow(), former());
    events.until(|state| state["sweep"].is_null()).await;
    assert_eq!(call(site.address, "DELETE", "/api/sweep", "{}").await.status, 204);
    site.receiver.stop().await;
}

#[tokio::test]
async fn who_changes_the_conditions_during_a_sweep_wins() {
    let (emulator, _peer, site, mut events) = start().await;
    call(site.address, "POST", "/api/sweep", "{}").await;
    events.until(|state| state["conditions"]["kind"] == "awgn").await;
    let theirs = conditions(ChannelKind::Awgn, 1.0);
    emulator.live.send_replace(theirs);
    events.until(|state| state["sweep"].is_null() && state["conditions"]["snr_db"] == 1.0).await;
    assert_eq!(*emulator.live.borrow(), theirs);
    assert_eq!(emulator.set().len(), 1);
    site.receiver.stop().await;
}

#[tokio::test]
async fn a_sweep_outlives_its_emulator_and_ends_with_its_receiver() {
    let (emulator, peer, site, mut events) = start().await;
    call(site.address, "POST", "/api/sweep", r#"{"snr": "0"}"#).await;
    events.until(|state| state["conditions"]["snr_db"] == 0.0).await;
    let address = peer.address();
    drop(peer);
    events.until(|state| state["emulator"] == "away").await;
    // The emulator comes back with the conditions that it was started with.
    emulator.live.send_replace(former());
    let _peer = emulator.serve(&address);
    events.until(|state| state["conditions"]["snr_db"] == 0.0 && !state["sweep"].is_null()).await;
    site.receiver.stop().await;
    assert_eq!(*emulator.live.borrow(), former());
}
