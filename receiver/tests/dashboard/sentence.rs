//! Tests of sentences that a user sends.

use crate::Site;
use crate::http::{call, get};
use crate::peers::{Emulator, Encoder};
use serde_json::json;

#[tokio::test]
async fn a_sentence_is_sent_over_every_channel_with_the_same_noise() {
    let encoder = Encoder { takes_text: true, ..Encoder::default() };
    let peer = encoder.serve("127.0.0.1:0");
    let site = Site::start(None, Some(peer.url.clone())).await;
    let info = get(site.address, "/api/info").await.json();
    assert_eq!((&info["takes_text"], &info["transmitter"]), (&json!(true), &json!(peer.url.to_string())));
    let answer = call(site.address, "POST", "/api/sentence", r#"{"text": "what a wonderful film"}"#).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = answer.json();
    assert_eq!(said["text"], "what a wonderful film");
    assert_eq!(
        (&said["noiseless"]["sentiment"], &said["noiseless"]["conditions"]["kind"]),
        (&json!("positive"), &json!("none"))
    );
    assert_eq!((&said["live"]["sentiment"], &said["live"]["conditions"]["snr_db"]), (&json!("negative"), &json!(3.0)));
    assert_eq!(said["live"]["timings"], json!({"transmitter_us": 1, "emulator_us": 2, "receiver_us": 3}));
    let sweep = said["sweep"].as_array().unwrap();
    let snrs: Vec<f64> = sweep.iter().map(|at| at["conditions"]["snr_db"].as_f64().unwrap()).collect();
    assert_eq!(snrs, (0..12).map(|k| -12.0 + 3.0 * f64::from(k)).collect::<Vec<_>>());
    for at in sweep {
        let snr_db = at["conditions"]["snr_db"].as_f64().unwrap();
        assert_eq!((&at["conditions"]["kind"], &at["answer"]["conditions"]), (&json!("rayleigh"), &at["conditions"]));
        assert_eq!(at["answer"]["p_pos"].as_f64().map(|p| p as f32), Some(((snr_db + 20.0) / 50.0) as f32));
    }
    let clips = encoder.clips.lock().unwrap().clone();
    assert_eq!(clips.len(), 14);
    assert!(clips.iter().all(|clip| clip.noise.is_some() && clip.noise == clips[0].noise && clip.label.is_none()));
    assert_eq!(clips.iter().filter(|clip| clip.conditions.is_none()).count(), 1);
    // Another sentence is another run.
    call(site.address, "POST", "/api/sentence", r#"{"text": "no"}"#).await;
    let again = encoder.clips.lock().unwrap()[14].clone();
    assert_ne!(again.delivery.unwrap().run_id, clips[0].delivery.clone().unwrap().run_id);

    for (text, status, problem) in [
        (" ".to_owned(), 400, "empty"),
        ("é".repeat(2001), 400, "2001 characters"),
        ("too long".to_owned(), 400, "512 tokens"),
    ] {
        let body = json!({ "text": text }).to_string();
        let (got, sentence) = call(site.address, "POST", "/api/sentence", &body).await.problem();
        assert!(got == status && sentence.contains(problem), "{got} {sentence}");
    }
    assert_eq!(
        call(site.address, "POST", "/api/sentence", &json!({"text": "é".repeat(2000)}).to_string()).await.status,
        200
    );
    site.receiver.stop().await;
}

#[tokio::test]
async fn where_there_is_no_text_encoder_it_says_so() {
    let encoder = Encoder::default();
    let peer = encoder.serve("127.0.0.1:0");
    let (address, url) = (peer.address(), peer.url.clone());
    let site = Site::start(None, Some(url)).await;
    let say = async || call(site.address, "POST", "/api/sentence", r#"{"text": "well"}"#).await.problem();
    let (status, sentence) = say().await;
    assert!(status == 503 && sentence.contains("--text-encoder"), "{sentence}");
    assert_eq!(get(site.address, "/api/info").await.json()["takes_text"], false);
    drop(peer);
    let (status, sentence) = say().await;
    assert!(status == 503 && sentence.contains(&address), "{sentence}");
    // The transmitter's last answer is still known.
    assert_eq!(get(site.address, "/api/info").await.json()["takes_text"], false);
    let _peer = Encoder { takes_text: true, ..encoder }.serve(&address);
    assert_eq!(get(site.address, "/api/info").await.json()["takes_text"], true);
    site.receiver.stop().await;
}

#[tokio::test]
async fn without_a_transmitter_it_says_how_to_name_one() {
    let site = Site::start(None, None).await;
    let (status, sentence) = call(site.address, "POST", "/api/sentence", r#"{"text": "well"}"#).await.problem();
    assert!(status == 503 && sentence.contains("--transmitter"), "{sentence}");
    assert!(get(site.address, "/api/info").await.json()["takes_text"].is_null());
    site.receiver.stop().await;
}

#[tokio::test]
async fn an_emulator_that_is_away_is_named_at_once() {
    let encoder = Encoder { takes_text: true, ..Encoder::default() }.serve("127.0.0.1:0");
    let gone = Emulator::default().serve("127.0.0.1:0").url.clone();
    let site = Site::start(Some(gone.clone()), Some(encoder.url.clone())).await;
    let (status, sentence) = call(site.address, "POST", "/api/sentence", r#"{"text": "well"}"#).await.problem();
    assert!(status == 503 && sentence.contains(&format!("emulator at {gone}")), "{sentence}");
    site.receiver.stop().await;
}
