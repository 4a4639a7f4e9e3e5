//! Tests that the accuracy "now" and over the last minutes is that of the current conditions.

use crate::Site;
use crate::common::{Burst, burst};
use crate::http::{Events, get};
use crate::peers::{Emulator, conditions};
use proto::v1::{ChannelKind, Conditions};
use serde_json::{Value, json};

/// A burst of one of four clips over the conditions `met`; it is decoded as positive.
fn met(sequence: u64, met: Conditions, label: f32) -> Burst {
    let mut burst = burst(sequence, 1.0, 1.0);
    burst.channel.as_mut().unwrap().conditions = Some(met);
    let reference = burst.reference.as_mut().unwrap();
    reference.clip_id = format!("clip-{}", sequence % 4);
    reference.label = Some(label);
    burst
}

fn near(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() - expected).abs() < 1e-9
}

#[tokio::test]
async fn clips_that_pinned_other_conditions_are_told_and_not_counted() {
    let emulator = Emulator::default();
    let peer = emulator.serve("127.0.0.1:0");
    let (current, pinned) = (conditions(ChannelKind::Rayleigh, 12.0), conditions(ChannelKind::Awgn, 9.0));
    let site = Site::start(Some(peer.url.clone()), None).await;
    let mut events = Events::open(site.address).await;
    events.until(|state| state["emulator"] == "ok").await;
    let mut talk = site.receiver.stream().await;
    // On the current channel half of the decisions are right, on the other one all.
    for n in 0..40 {
        talk.ask(met(n, current, if n % 2 == 0 { 1.0 } else { -1.0 })).await;
        for k in 0..3 {
            talk.ask(met(1000 + 3 * n + k, pinned, 1.0)).await;
        }
    }
    let state = events.until(|state| state["clips"] == 160).await;
    let estimate = &state["recent"]["acc2_pos"];
    assert_eq!((&state["recent"]["clips"], &estimate["n"], &estimate["distinct"]), (&json!(40), &json!(40), &json!(4)));
    // Wilson's interval of 2 in 4: each of four clips arrived ten times.
    let band = metrics::wilson(2, 4).unwrap();
    assert!(near(&estimate["value"], 0.5), "{estimate}");
    assert!(near(&estimate["low"], band.low) && near(&estimate["high"], band.high), "{estimate}");
    let arriving = &state["arriving"];
    assert_eq!(arriving["seconds"], 10);
    assert!(arriving["others"].as_u64() > arriving["here"].as_u64(), "{arriving}");
    for point in state["curve"].as_array().unwrap() {
        let (value, n) = if point["kind"] == "awgn" { (1.0, 120) } else { (0.5, 40) };
        assert!(near(&point["acc2_pos"]["value"], value) && point["acc2_pos"]["n"] == n, "{point}");
        assert_eq!(point["acc2_pos"]["distinct"], 4, "{point}");
    }

    let points = loop {
        let history = get(site.address, "/api/history").await.json();
        let points = history["points"].as_array().unwrap().clone();
        if points.iter().map(|point| point["clips"].as_u64().unwrap()).sum::<u64>() == 160 {
            break points;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let here = |point: &Value| point["here"].as_f64().unwrap();
    assert_eq!(points.iter().map(here).sum::<f64>(), 40.0);
    let right = points.iter().filter_map(|point| Some(here(point) * point["acc2_pos"].as_f64()?)).sum::<f64>();
    assert!((right - 20.0).abs() < 1e-9, "{right} of 40 were right");

    // Somebody else makes the other channel the current one.
    emulator.live.send_replace(pinned);
    let state = events.until(|state| state["conditions"]["kind"] == "awgn").await;
    assert!(state["recent"]["clips"] == 120 && near(&state["recent"]["acc2_pos"]["value"], 1.0), "{state}");
    site.receiver.stop().await;
}

#[tokio::test]
async fn the_reference_comes_with_the_noiseless_clips() {
    let site = Site::start(None, None).await;
    let mut talk = site.receiver.stream().await;
    let noiseless = Conditions { kind: ChannelKind::None.into(), ..Conditions::default() };
    for n in 0..40 {
        let mut quiet = met(n, noiseless, if n % 4 == 0 { -1.0 } else { 1.0 });
        quiet.reference.as_mut().unwrap().clip_id = format!("clip-{n}");
        talk.ask(quiet).await;
    }
    talk.ask(met(100, conditions(ChannelKind::Rayleigh, 3.0), 1.0)).await;
    let state = get(site.address, "/api/state").await.json();
    let [reference] = &state["reference"].as_array().unwrap()[..] else { panic!("{state}") };
    assert_eq!(reference["kind"], "rayleigh");
    // Every decision is positive, and right in three of four: the reference loses nothing at any SNR.
    for point in reference["points"].as_array().unwrap() {
        assert!((point[1].as_f64().unwrap() - 0.75).abs() < 1e-4, "{point}");
    }
    assert_eq!((&reference["points"][0][0], &reference["points"][50][0]), (&json!(-20), &json!(30)));
    site.receiver.stop().await;
}
