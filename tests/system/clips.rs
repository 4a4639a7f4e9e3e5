//! Tests of clips that no well-behaved client sends: each gets its error, and the stream goes on.

use latentlink_tests::{Client, Role, Stack, corpus_of};
use proto::v1::content::Kind;
use proto::v1::outcome::Result as Answer;
use proto::v1::{ChannelKind, Clip, Conditions, Content, ErrorCode, Features, Outcome, Prediction};

use crate::SITE;

fn pinned(kind: ChannelKind, snr_db: Option<f64>) -> Conditions {
    let mut conditions = Conditions { snr_db, ..Conditions::default() };
    conditions.set_kind(kind);
    conditions
}

fn features(frames: u32, width: u32, values: &[f32]) -> Content {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let features = Features { frames, width, data: data.into(), ..Features::default() };
    Content { kind: Some(Kind::Features(features)) }
}

/// The invalid clips: a description, the clip, the error code it must get, and the field that the error must name.
fn hostile(good: &dyn Fn() -> Clip) -> Vec<(&'static str, Clip, ErrorCode, &'static str)> {
    let (width, frame) = (74, vec![0.5f32; 74]);
    let with = |index: usize, value: f32| {
        let mut frame = frame.clone();
        frame[index] = value;
        features(1, width, &frame)
    };
    let put = |name: &str, content: Content| {
        let mut clip = good();
        clip.modalities.insert(name.into(), content);
        clip
    };
    let audio = |audio: Content| put("audio", audio);
    let long = vec![0.0f32; 20_000 * 35];
    let transcript = Content { kind: Some(Kind::Transcript("what a wonderful film".into())) };
    let nothing = Clip { modalities: [].into(), ..good() };
    vec![
        ("another width", audio(features(1, 73, &frame[..73])), ErrorCode::WrongWidth, "audio"),
        ("NaN", audio(with(3, f32::NAN)), ErrorCode::NotFinite, "audio"),
        ("infinity", audio(with(70, f32::INFINITY)), ErrorCode::NotFinite, "audio"),
        ("no frames", audio(features(0, width, &[])), ErrorCode::Empty, "audio"),
        ("no modality", nothing.clone(), ErrorCode::Empty, "clip"),
        ("too many frames", put("visual", features(20_000, 35, &long)), ErrorCode::TooLong, "visual"),
        ("bytes missing", audio(features(1, width, &frame[..70])), ErrorCode::Malformed, "audio"),
        ("more frames than bytes", audio(features(u32::MAX, width, &frame)), ErrorCode::Malformed, "audio"),
        ("width 0", audio(features(1, 0, &[])), ErrorCode::WrongWidth, "audio"),
        (
            "nothing but a transcript, without an encoder",
            Clip { modalities: [("text".into(), transcript.clone())].into(), ..nothing.clone() },
            ErrorCode::Unsupported,
            "text.transcript",
        ),
        ("a modality of another task", put("smell", features(1, 1, &[0.5])), ErrorCode::Unsupported, "modalities"),
        ("a transcript as audio", audio(transcript), ErrorCode::Unsupported, "audio.transcript"),
        (
            "no SNR",
            Clip { conditions: Some(pinned(ChannelKind::Awgn, None)), ..good() },
            ErrorCode::BadConditions,
            "conditions",
        ),
        (
            "SNR NaN",
            Clip { conditions: Some(pinned(ChannelKind::Awgn, Some(f64::NAN))), ..good() },
            ErrorCode::BadConditions,
            "conditions",
        ),
        (
            "unknown channel",
            Clip { conditions: Some(Conditions { kind: 99, ..Conditions::default() }), ..good() },
            ErrorCode::BadConditions,
            "conditions",
        ),
    ]
}

fn predicted(outcome: &Outcome) -> &Prediction {
    match outcome.result.as_ref() {
        Some(Answer::Prediction(prediction)) => prediction,
        other => panic!("expected a prediction, got {other:?}"),
    }
}

#[test]
fn each_hostile_clip_gets_its_error_and_the_stream_goes_on() {
    let stack = Stack::up(&SITE, "clips");
    let client = Client::connect(&stack.url(Role::Transmitter));
    let corpus = corpus_of(1, 1, 1);
    let none = pinned(ChannelKind::None, None);
    let good = || client.clip(0, &corpus.clips[2], none);
    let cases = hostile(&good);

    // Valid and invalid clips alternate in one stream.
    let clips = cases.iter().enumerate().flat_map(|(case, (_, bad, _, _))| {
        let key = |sequence: usize| client.clip(sequence as u64, &corpus.clips[2], none).delivery;
        [Clip { delivery: key(2 * case), ..good() }, Clip { delivery: key(2 * case + 1), ..bad.clone() }]
    });
    let outcomes = client.send(clips.collect());

    let first = predicted(&outcomes[0]);
    for (pair, (what, _, code, field)) in outcomes.chunks(2).zip(&cases) {
        assert_eq!(predicted(&pair[0]), first, "the good clip before '{what}'");
        match pair[1].result.as_ref() {
            Some(Answer::Error(error)) => {
                assert_eq!(error.code(), *code, "{what}: {error:?}");
                assert!(error.field.starts_with(field), "{what}: {error:?}");
                assert!(!error.message.is_empty(), "{what}");
            }
            other => panic!("{what}: expected an error, got {other:?}"),
        }
    }
    assert_eq!(stack.journal().len(), cases.len(), "a row for each good clip, none for the others");
}

#[test]
fn a_clip_without_a_valid_key_gets_its_error() {
    let stack = Stack::up(&SITE, "keys");
    let client = Client::connect(&stack.url(Role::Transmitter));
    let corpus = corpus_of(1, 1, 1);
    let good = client.clip(7, &corpus.clips[2], pinned(ChannelKind::None, None));
    let mut no_uuid = good.clone();
    no_uuid.delivery.as_mut().unwrap().run_id = "not a uuid".into();
    let no_key = Clip { delivery: None, ..good.clone() };
    let outcomes = client.send(vec![no_key, no_uuid, good]);
    let errors = outcomes.iter().filter_map(|o| match o.result.as_ref() {
        Some(Answer::Error(error)) => Some(error),
        _ => None,
    });
    let errors: Vec<_> = errors.collect();
    assert_eq!(errors.len(), 2, "{outcomes:?}");
    assert!(errors.iter().all(|e| e.code() == ErrorCode::BadKey && e.field.starts_with("delivery")), "{errors:?}");
    assert_eq!(stack.journal().len(), 1);
}
