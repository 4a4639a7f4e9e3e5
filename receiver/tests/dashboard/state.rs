//! Tests of the live state that watchers get.

use crate::Site;
use crate::common::burst;
use crate::http::{Events, get};
use serde_json::{Value, json};
use std::time::Instant;

fn near(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() - expected).abs() < 1e-5
}

#[tokio::test]
async fn a_state_comes_at_once_and_after_clips() {
    let site = Site::start(None, None).await;
    let mut events = Events::open(site.address).await;
    let empty = events.next().await.unwrap();
    assert_eq!(
        (&empty["clips"], &empty["model_id"], &empty["emulator"]),
        (&json!(0), &json!("the-model-id"), &json!("absent"))
    );
    assert_eq!((&empty["curve"], &empty["latest"]), (&json!([]), &json!([])));
    for field in ["conditions", "sweep", "latency", "constellation"] {
        assert!(empty[field].is_null(), "{field}: {empty}");
    }
    assert_eq!(empty["recent"], json!({"clips": 0, "acc2_pos": null, "acc2_nonneg": null, "acc7": null, "mae": null}));

    let mut talk = site.receiver.stream().await;
    for sequence in 0..10 {
        let mut burst = burst(sequence, 1.0, 0.8);
        let reference = burst.reference.as_mut().unwrap();
        reference.caption = format!("<b>words</b> {sequence}");
        // Eight of ten labels agree with the predictions.
        reference.label = Some(if sequence < 2 { -1.5 } else { 1.0 });
        talk.ask(burst).await;
    }
    let state = events.until(|state| state["clips"] == 10).await;
    let [point] = &state["curve"].as_array().unwrap()[..] else { panic!("{state}") };
    assert_eq!((&point["kind"], &point["snr_db"], &point["k_factor"]), (&json!("rayleigh"), &json!(3.0), &Value::Null));
    assert_eq!((&point["clips"], &point["labelled"]), (&json!(10), &json!(10)));
    // Wilson's interval of 8 in 10.
    for (name, of) in [("acc2_pos", point), ("acc2_nonneg", point), ("acc2_pos", &state["recent"])] {
        let estimate = &of[name];
        assert!(near(&estimate["value"], 0.8) && estimate["n"] == 10, "{estimate}");
        assert!(near(&estimate["low"], 0.490_162) && near(&estimate["high"], 0.943_318), "{estimate}");
    }
    // F1 of 8 true positives and 2 false ones: that of the class, 16/18, weighted with 8 of 10.
    assert!(near(&point["f1_pos"]["value"], 0.8 * 16.0 / 18.0), "{point}");
    // x̂ = ρ·x with ρ = h²/(h² + N0), decoded to a score of 4·p − 2.
    let rho: f64 = 0.64 / 1.14;
    let score = 4.0 / (1.0 + (-4.0 * rho * rho).exp()) - 2.0;
    let error = 0.8 * (score - 1.0).abs() + 0.2 * (score + 1.5);
    assert!(near(&point["mae"]["value"], error) && near(&state["recent"]["mae"]["value"], error), "{point}");

    let latest = state["latest"].as_array().unwrap();
    assert_eq!((latest.len(), &latest[0]["sequence"]), (10, &json!(9)));
    assert_eq!(latest[0]["caption"], "<b>words</b> 9");
    assert!(near(&latest[0]["score"], score) && latest[0]["classes"].as_array().unwrap().len() == 7);
    assert_eq!((&latest[0]["label"], &latest[9]["label"]), (&json!(1.0), &json!(-1.5)));
    assert_eq!(latest[0]["conditions"], json!({"kind": "rayleigh", "snr_db": 3.0, "k_factor": null}));
    assert_eq!((&latest[0]["realised_snr_db"], &latest[0]["timings"]["emulator_us"]), (&json!(2.5), &json!(0)));
    assert!(latest[0]["written_at_ms"].as_u64().unwrap() > 1_600_000_000_000);
    let quantiles = &state["latency"]["receiver"];
    assert!(quantiles["p50_us"].as_u64().unwrap() > 0 && quantiles["p99_us"].as_u64() >= quantiles["p50_us"].as_u64());
    let seen = &state["constellation"];
    let (received, equalised) = (&seen["received"][0], &seen["equalised"][0]);
    assert!(near(&received[0], 0.8) && near(&received[1], 0.0) && near(&equalised[0], rho), "{seen}");
    assert_eq!(seen["conditions"]["kind"], "rayleigh");

    // When no more clips arrive, the rate falls to 0, and then nothing changes any more.
    events.until(|state| state["clips_per_s"].as_f64() > Some(0.0)).await;
    let still = events.until(|state| state["clips_per_s"] == 0.0).await;
    assert_eq!(still["clips"], 10);
    let (state, info) = (get(site.address, "/api/state").await.json(), get(site.address, "/api/info").await.json());
    assert_eq!((&state["curve"], &state["latest"]), (&still["curve"], &still["latest"]));
    let about = json!({"model_id": "the-model-id", "symbols": 4, "equaliser": "mmse", "scheme": "",
        "training_snr_db": null, "emulator": null, "transmitter": null, "takes_text": null,
        "takes_media": null, "media_bytes": 67_108_864});
    assert_eq!(info, about);
    let history = get(site.address, "/api/history").await.json();
    let points = history["points"].as_array().unwrap();
    assert!(points.len() >= 2, "{history}");
    assert_eq!(points.iter().map(|point| point["clips"].as_u64().unwrap()).sum::<u64>(), 10);
    let busiest = points.iter().find(|point| point["clips"] != 0).unwrap();
    assert!(busiest["acc2_pos"].is_number() && busiest["clips_per_s"].as_f64() > Some(0.0), "{busiest}");
    site.receiver.stop().await;
}

#[tokio::test]
async fn watchers_get_five_states_a_second_and_hold_up_nobody() {
    let site = Site::start(None, None).await;
    // Watchers that never read.
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(Events::open(site.address).await);
    }
    let mut events = Events::open(site.address).await;
    let began = Instant::now();
    let mut talk = site.receiver.stream().await;
    let sending = async {
        for sequence in 0..3000 {
            talk.ask(burst(sequence, 1.0, 1.0)).await;
        }
    };
    let mut states = 0;
    let watching = async {
        while events.next().await.unwrap()["clips"] != 3000 {
            states += 1;
        }
    };
    tokio::join!(sending, watching);
    let most = began.elapsed().as_millis() / 200 + 3;
    assert!(states <= most, "{states} states, at most {most} expected");
    assert!(states > 0 || most < 6);
    site.receiver.stop().await;
}

#[tokio::test]
async fn streams_end_when_the_receiver_drains() {
    let site = Site::start(None, None).await;
    let mut events = Events::open(site.address).await;
    events.next().await.unwrap();
    site.receiver.drain.start();
    while events.next().await.is_some() {}
    site.receiver.stop().await;
}
