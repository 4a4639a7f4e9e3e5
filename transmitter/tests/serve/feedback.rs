//! Tests of CSIT: what the transmitter knows of the channel, and how it uses that.

use crate::common::{Manner, Running, SignHalf, TestEmulator, clip};
use phy::{NoiseKey, SnrDb};
use proto::v1;
use proto::v1::{ChannelKind, Clip, Conditions, GetModelRequest, outcome};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tonic::Code;

fn rayleigh(snr_db: f64) -> Conditions {
    Conditions { kind: ChannelKind::Rayleigh.into(), snr_db: Some(snr_db), k_factor: None }
}

fn told() -> Arc<SignHalf> {
    Arc::new(SignHalf { feedback: true, ..SignHalf::default() })
}

/// ρ of a burst over Rayleigh fading under this noise key, computed from `phy`.
fn rho(snr_db: f64, seed: u64, draw: u32, row: u64) -> f32 {
    let conditions = phy::Conditions::Rayleigh(SnrDb::try_from(snr_db).unwrap());
    let met = phy::draw(NoiseKey { seed, draw, row }, &conditions, 25);
    let gain = f64::from(met.h.re).powi(2) + f64::from(met.h.im).powi(2);
    (gain / (gain + f64::from(met.n0))) as f32
}

#[tokio::test]
async fn a_burst_is_made_for_the_channel_that_it_will_meet_and_says_so() {
    let emulator = TestEmulator::start(0, Manner { conditions: Some(rayleigh(-3.0)), ..Manner::default() });
    let transmitter = Running::start(told(), &emulator.url).await;
    let key = v1::NoiseKey { seed: 4, draw: 2, row: 11 };
    let pinned = |noise| Clip { noise, conditions: Some(rayleigh(6.0)), ..clip(1, 0, 1.0) };
    let live = |noise| Clip { noise, ..clip(1, 0, 1.0) };
    let kinds = [pinned(Some(key)), live(Some(key)), pinned(None), live(None)];
    let clips = kinds.into_iter().enumerate().map(|(i, of)| Clip { delivery: clip(1, i as u64, 1.0).delivery, ..of });
    let (outcomes, status) = transmitter.send(clips.collect()).await;
    assert!(status.is_none() && outcomes.len() == 4, "{status:?}");
    assert_eq!(emulator.asked.load(Ordering::SeqCst), 1, "pinned conditions need no question, and an answer holds");

    let mut bursts = emulator.bursts.lock().unwrap().clone();
    bursts.sort_by_key(|burst| burst.delivery.as_ref().unwrap().sequence);
    let zero = |row| v1::NoiseKey { seed: 0, draw: 0, row };
    let expected = [
        (rayleigh(6.0), key, rho(6.0, 4, 2, 11)),
        (rayleigh(-3.0), key, rho(-3.0, 4, 2, 11)),
        (rayleigh(6.0), zero(2), rho(6.0, 0, 0, 2)),
        (rayleigh(-3.0), zero(3), rho(-3.0, 0, 0, 3)),
    ];
    for (burst, (conditions, key, rho)) in bursts.iter().zip(expected) {
        assert_eq!((burst.conditions, burst.noise), (Some(conditions), Some(key)));
        assert_eq!(burst.symbols, [rho.to_le_bytes(); 50].concat(), "{conditions:?}, {key:?}");
    }
    assert!(transmitter.client.clone().get_model(GetModelRequest {}).await.unwrap().into_inner().model.unwrap().csit);
}

/// A transmitter without CSIT leaves both the conditions and the noise key to the emulator.
#[tokio::test]
async fn without_feedback_the_emulator_decides() {
    let emulator = TestEmulator::start(0, Manner { conditions: Some(rayleigh(-3.0)), ..Manner::default() });
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    transmitter.send(vec![clip(1, 0, 1.0)]).await;
    assert_eq!(emulator.asked.load(Ordering::SeqCst), 0);
    let burst = emulator.bursts.lock().unwrap()[0].clone();
    assert_eq!((burst.conditions, burst.noise), (None, None));
    assert!(!transmitter.client.clone().get_model(GetModelRequest {}).await.unwrap().into_inner().model.unwrap().csit);
}

#[tokio::test]
async fn a_batch_that_fails_is_tried_clip_by_clip_each_with_its_own_channel() {
    let emulator = TestEmulator::start(0, Manner { conditions: Some(rayleigh(0.0)), ..Manner::default() });
    let transmitter = Running::start(told(), &emulator.url).await;
    let clips = (0..40).map(|i| clip(1, i, if i == 20 { 13.0 } else { 1.0 })).collect();
    let (outcomes, _) = transmitter.send(clips).await;
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.result, Some(outcome::Result::Error(_))))
        .map(|outcome| outcome.clip_id.as_str())
        .collect();
    assert_eq!(failed, ["clip 20"]);
    let bursts = emulator.bursts.lock().unwrap();
    assert_eq!(bursts.len(), 39);
    for burst in bursts.iter() {
        let row = burst.delivery.as_ref().unwrap().sequence;
        assert_eq!(burst.symbols[..4], rho(0.0, 0, 0, row).to_le_bytes(), "clip {row}");
    }
}

#[tokio::test]
async fn an_emulator_that_never_tells_ends_the_stream() {
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(told(), &emulator.url).await;
    let (outcomes, status) = transmitter.send(vec![clip(1, 0, 1.0)]).await;
    assert!(outcomes.is_empty());
    assert_eq!(status.map(|status| status.code()), Some(Code::Unimplemented));
}
