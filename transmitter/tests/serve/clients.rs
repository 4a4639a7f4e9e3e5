//! Tests of what clients of a transmitter receive.

use crate::common::{Manner, PATIENT, Running, SYMBOLS, SignHalf, TestEmulator, clip, request, scored, shown};
use proto::v1::content::Kind;
use proto::v1::{Clip, ErrorCode, GetModelRequest, NoiseKey, Outcome, SendRequest, outcome};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use wire::payload_from_wire;

fn sign(sequence: u64) -> f32 {
    if sequence.is_multiple_of(3) { -1.0 } else { 1.0 }
}

fn clips(run: u128, count: u64) -> Vec<Clip> {
    (0..count).map(|sequence| clip(run, sequence, 0.5 * sign(sequence))).collect()
}

/// Asserts that every clip has exactly one outcome, with its own score.
fn check_all(outcomes: &[Outcome], count: u64) {
    let mut scores: Vec<_> = outcomes.iter().map(scored).collect();
    scores.sort_by_key(|(sequence, _)| *sequence);
    assert!(scores.into_iter().eq((0..count).map(|sequence| (sequence, sign(sequence)))));
}

async fn until(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENT, wait).await.expect("never came true");
}

#[tokio::test]
async fn every_clip_has_its_outcome_and_the_burst_all_that_belongs_to_it() {
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    let mut sent = clips(1, 600);
    sent[0].noise = Some(NoiseKey { seed: 1, draw: 2, row: 3 });
    let (outcomes, status) = transmitter.send(sent).await;
    assert!(status.is_none());
    check_all(&outcomes, 600);
    for outcome in &outcomes {
        let sequence = outcome.delivery.as_ref().unwrap().sequence;
        assert_eq!(outcome.clip_id, format!("clip {sequence}"));
        assert_eq!(outcome.model_id, "sign of the mean");
        let timings = outcome.timings.unwrap();
        assert_eq!((timings.emulator_us, timings.receiver_us), (5, 6));
        assert!(timings.transmitter_us > 0);
    }
    let model = transmitter.client.clone().get_model(GetModelRequest {}).await.unwrap().into_inner().model.unwrap();
    assert_eq!((model.model_id.as_str(), model.symbols), ("sign of the mean", Some(SYMBOLS as u32)));
    let Some(proto::v1::task::Kind::Score(score)) = model.task.unwrap().kind else { panic!("a score is predicted") };
    assert_eq!((score.low, score.high, score.anchors.len()), (-3.0, 3.0, 7));

    let bursts = emulator.bursts.lock().unwrap();
    assert_eq!(bursts[0].noise, Some(NoiseKey { seed: 1, draw: 2, row: 3 }));
    assert_eq!(payload_from_wire(&bursts[0]).unwrap().reference.unwrap().label, Some(1.0));
    assert_eq!(bursts.len(), 600);
}

#[tokio::test]
async fn a_clip_is_inspected_where_it_asks_for_it() {
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    let asking = Clip { inspect: true, ..clip(1, 1, -1.0) };
    let (mut outcomes, status) = transmitter.send(vec![clip(1, 0, 1.0), asking]).await;
    assert!(status.is_none());
    outcomes.sort_by_key(|outcome| outcome.delivery.as_ref().unwrap().sequence);
    assert_eq!(outcomes[0].inspection, None);
    let inspection = outcomes[1].inspection.clone().unwrap();
    let bursts = emulator.bursts.lock().unwrap();
    let burst = bursts.iter().find(|burst| payload_from_wire(burst).unwrap().inspect).unwrap();
    assert_eq!((&inspection.sent[..], inspection.sent.len()), (&burst.symbols[..], 8 * SYMBOLS));
    assert_eq!((inspection.symbols, inspection.media), (Some(shown(burst)), None));
}

#[tokio::test]
async fn a_bad_clip_gets_its_error_and_the_stream_goes_on() {
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    let mut wide = clip(1, 0, 1.0);
    if let Some(Kind::Features(features)) = &mut wide.modalities.get_mut("audio").unwrap().kind {
        (features.frames, features.width) = (1, 6);
    }
    let keyless = Clip { delivery: None, ..clip(1, 1, 1.0) };
    let nan = clip(1, 2, f32::NAN);
    // A clip that passes every check, and on which the encoder then fails; the rest of its batch is encoded.
    let unlucky = clip(1, 3, 13.0);
    let good = [clip(1, 4, 1.0), clip(1, 5, -1.0)];
    let sent = [wide, keyless, nan, good[0].clone(), unlucky, good[1].clone()].to_vec();
    let (outcomes, status) = transmitter.send(sent).await;
    assert!(status.is_none());
    let mut errors: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match &outcome.result {
            Some(outcome::Result::Error(error)) => Some((outcome.clip_id.as_str(), error.code(), error.field.as_str())),
            _ => None,
        })
        .collect();
    errors.sort_by_key(|(clip_id, ..)| *clip_id);
    assert_eq!(
        errors,
        [
            ("clip 0", ErrorCode::WrongWidth, "audio.features.width"),
            ("clip 1", ErrorCode::BadKey, "delivery"),
            ("clip 2", ErrorCode::NotFinite, "audio.features.data"),
            ("clip 3", ErrorCode::Internal, "clip"),
        ]
    );
    let mut scores: Vec<_> =
        outcomes.iter().filter(|o| matches!(o.result, Some(outcome::Result::Prediction(_)))).map(scored).collect();
    scores.sort_by_key(|(sequence, _)| *sequence);
    assert_eq!(scores, [(4, 1.0), (5, -1.0)]);
}

#[tokio::test]
async fn a_key_in_flight_is_refused_and_a_settled_one_is_not() {
    let gate = Arc::new(Semaphore::new(0));
    let half = Arc::new(SignHalf { gate: Some(gate.clone()), ..SignHalf::default() });
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(half, &emulator.url).await;
    let (sender, clips) = mpsc::channel(4);
    let mut stream = transmitter.client.clone().send(ReceiverStream::new(clips)).await.unwrap().into_inner();
    for _ in 0..2 {
        sender.send(request(clip(1, 0, 1.0))).await.unwrap();
    }
    let refused = stream.message().await.unwrap().unwrap().outcome.unwrap();
    let Some(outcome::Result::Error(error)) = refused.result else { panic!("{refused:?}") };
    assert_eq!((error.code(), error.field.as_str()), (ErrorCode::BadKey, "delivery"));
    gate.add_permits(1000);
    assert_eq!(scored(&stream.message().await.unwrap().unwrap().outcome.unwrap()), (0, 1.0));
    sender.send(request(clip(1, 0, 1.0))).await.unwrap();
    assert_eq!(scored(&stream.message().await.unwrap().unwrap().outcome.unwrap()), (0, 1.0));
    drop(sender);
    assert!(stream.message().await.unwrap().is_none());
}

#[tokio::test]
async fn clips_that_wait_are_encoded_in_batches_for_many_clients_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let half = Arc::new(SignHalf { gate: Some(gate.clone()), ..SignHalf::default() });
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(half.clone(), &emulator.url).await;
    let open = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        gate.add_permits(1000);
    };
    // Two clients that use the same keys do not disturb each other.
    let (a, b, c, ()) = tokio::join!(
        transmitter.send(clips(1, 400)),
        transmitter.send(clips(1, 400)),
        transmitter.send(clips(2, 400)),
        open
    );
    for (outcomes, status) in [a, b, c] {
        assert!(status.is_none());
        check_all(&outcomes, 400);
    }
    assert_eq!(half.encoded.load(Ordering::SeqCst), 1200);
    assert_eq!(half.largest.load(Ordering::SeqCst), 64);
}

#[tokio::test]
async fn the_emulator_may_start_last_die_and_end_streams_early() {
    let first = TestEmulator::start(0, Manner { silent: true, ..Manner::default() });
    let (port, taken) = (first.port(), first.bursts.clone());
    let transmitter = Running::start(Arc::default(), &first.url).await;
    let coming_and_going = async {
        until(|| taken.lock().unwrap().len() > 100).await;
        drop(first);
        tokio::time::sleep(Duration::from_millis(50)).await;
        TestEmulator::start(port, Manner { end_after: Some(150), ..Manner::default() })
    };
    let ((outcomes, status), _second) = tokio::join!(transmitter.send(clips(1, 500)), coming_and_going);
    assert!(status.is_none());
    check_all(&outcomes, 500);
}

#[tokio::test]
async fn a_refusal_downstream_ends_the_client_with_the_same_status() {
    let refuse = Some(Status::failed_precondition("model a, expected b"));
    let emulator = TestEmulator::start(0, Manner { refuse, ..Manner::default() });
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    // The refusal comes before the client has sent anything or ended its stream.
    let (_sender, clips) = mpsc::channel::<SendRequest>(1);
    let mut stream = transmitter.client.clone().send(ReceiverStream::new(clips)).await.unwrap().into_inner();
    let ended = tokio::time::timeout(PATIENT, stream.message()).await.expect("the stream hangs");
    let status = ended.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "model a, expected b"));

    // Once the receiver has the right weights, the next client is served.
    let port = emulator.port();
    drop(emulator);
    let _emulator = TestEmulator::start(port, Manner::default());
    let (outcomes, status) = transmitter.send(self::clips(1, 10)).await;
    assert!(status.is_none());
    check_all(&outcomes, 10);
}

#[tokio::test]
async fn a_client_that_disappears_leaves_nothing_and_is_served_when_it_returns() {
    let gate = Arc::new(Semaphore::new(0));
    let half = Arc::new(SignHalf { gate: Some(gate.clone()), ..SignHalf::default() });
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(half.clone(), &emulator.url).await;
    let (sender, requests) = mpsc::channel(600);
    let stream = transmitter.client.clone().send(ReceiverStream::new(requests)).await.unwrap();
    for clip in clips(1, 300) {
        sender.send(request(clip)).await.unwrap();
    }
    until(|| emulator.live.load(Ordering::SeqCst) == 1).await;
    drop((stream, sender));
    until(|| emulator.live.load(Ordering::SeqCst) == 0).await;
    gate.add_permits(1000);
    let (outcomes, status) = transmitter.send(clips(1, 300)).await;
    assert!(status.is_none());
    check_all(&outcomes, 300);
    // Of the disconnected client only the batch was encoded that was in work.
    let encoded = half.encoded.load(Ordering::SeqCst);
    assert!(encoded <= 300 + 64, "{encoded}");
}

#[tokio::test]
async fn a_drain_answers_what_was_taken_and_ends_in_order() {
    let gate = Arc::new(Semaphore::new(0));
    let half = Arc::new(SignHalf { gate: Some(gate.clone()), ..SignHalf::default() });
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(half, &emulator.url).await;
    let (sender, requests) = mpsc::channel(16);
    let mut stream = transmitter.client.clone().send(ReceiverStream::new(requests)).await.unwrap().into_inner();
    for clip in clips(1, 2) {
        sender.send(request(clip)).await.unwrap();
    }
    // A refusal comes back at once and shows that the clips before it were accepted.
    sender.send(request(Clip { delivery: None, ..clip(1, 9, 1.0) })).await.unwrap();
    assert!(stream.message().await.unwrap().unwrap().outcome.unwrap().delivery.is_none());
    transmitter.drain.start();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.add_permits(1000);
    let answers = [stream.message().await.unwrap().unwrap(), stream.message().await.unwrap().unwrap()];
    let outcomes = answers.map(|answer| answer.outcome.unwrap());
    check_all(&outcomes, 2);
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    let ended = tokio::time::timeout(Duration::from_secs(4), transmitter.task).await;
    ended.expect("the drain hangs").unwrap().unwrap();
}
