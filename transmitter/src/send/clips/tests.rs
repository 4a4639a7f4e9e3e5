//! Tests of which clips of the user's own are valid, and of the delivery keys that they get.

use super::*;
use phy::ChannelKind;
use proto::v1::Clip;
use proto::v1::content::Kind;

fn clip(json: &str) -> OwnClip {
    OwnClip::from_json(json.as_bytes(), "standing in").unwrap()
}

fn content(clip: &Clip, modality: &str) -> Option<Kind> {
    clip.modalities.get(modality).and_then(|content| content.kind.clone())
}

fn features(clip: &Clip, modality: &str) -> (u32, u32, Vec<f32>) {
    let Some(Kind::Features(features)) = content(clip, modality) else { panic!() };
    let values = features.data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (features.frames, features.width, values)
}

#[test]
fn all_that_a_clip_may_hold_is_read() {
    let full = clip(
        r#"{"id": "a", "text": "what a \"film\"", "audio": [[0.5, 1], [-2, 3e1], [4, 5]], "visual": [0, -1, 2.25],
            "label": -1.5, "caption": "said", "conditions": {"channel": "rician", "snr_db": -6, "k_factor": 4}}"#,
    );
    let message = &full.message;
    assert_eq!((message.id.as_str(), message.caption.as_deref(), message.label), ("a", Some("said"), Some(-1.5)));
    let said = content(message, "text");
    assert_eq!(said, Some(Kind::Transcript("what a \"film\"".into())));
    assert_eq!(features(message, "audio"), (3, 2, vec![0.5, 1.0, -2.0, 30.0, 4.0, 5.0]));
    assert_eq!(features(message, "visual"), (1, 3, vec![0.0, -1.0, 2.25]));
    let pinned = full.conditions.unwrap();
    assert_eq!((pinned.kind(), pinned.k_factor()), (ChannelKind::Rician, Some(4.0)));

    let named = clip(r#"{"text": "so", "conditions": {"channel": "rician:4", "snr_db": -6}}"#);
    assert_eq!(named.conditions, full.conditions, "a channel has the names of the command line");

    let bare = clip(r#"{"text": [[1, 2]], "audio": null, "label": null}"#);
    assert_eq!((bare.message.id.as_str(), bare.message.label, bare.conditions), ("standing in", None, None));
    assert_eq!((features(&bare.message, "text"), content(&bare.message, "audio")), ((1, 2, vec![1.0, 2.0]), None));
    let said = content(&OwnClip::from_transcript(b" so \n".to_vec(), "stem").unwrap().message, "text");
    assert_eq!(said, Some(Kind::Transcript("so".into())));
}

#[test]
fn what_is_wrong_is_named_by_field_and_place() {
    for (json, parts) in [
        (r#"{"text": "so", "colour": 1, "id": "a", "size": []}"#, &["`colour`, `size`", "id, text, audio"][..]),
        (r#"{"audio": [[1, 2], [3]]}"#, &["audio: frame 1 has 1 values, those before have 2", "line 1 column"]),
        (r#"{"audio": [[1], 2]}"#, &["audio: a number among frames"]),
        (r#"{"visual": [1, [2]]}"#, &["visual: a frame among numbers"]),
        (r#"{"visual": [1, "2"]}"#, &["visual: invalid type: string \"2\""]),
        (r#"{"audio": [1, NaN]}"#, &["audio: expected value", "line 1 column 15"]),
        (r#"{"audio": [1e300]}"#, &["audio: ", "no 32-bit float"]),
        (r#"{"audio": []}"#, &["audio: no values"]),
        (r#"{"audio": [[], []]}"#, &["audio: no values"]),
        (r#"{"text": 3}"#, &["text: invalid type", "a transcript, a list of frames"]),
        (r#"{"label": "good"}"#, &["label: invalid type"]),
        (r#"{"text": "so", "text": "so"}"#, &["text: given twice"]),
        (r#"{"conditions": {"channel": "fog", "snr_db": 1}}"#, &["conditions: unknown variant `fog`"]),
        (r#"{"conditions": {"channel": "awgn"}}"#, &["conditions: "]),
        (r#"{"conditions": {"channel": "rician", "snr_db": 1}}"#, &["conditions: channel rician needs a K factor"]),
        (
            r#"{"conditions": {"channel": "rician:4", "snr_db": 1, "k_factor": 4}}"#,
            &["conditions: rician:4 names a K factor, and 4 is given beside it"],
        ),
        (r#"{"conditions": {"channel": "awgn", "snr_db": 0, "k": 1}}"#, &["conditions: unknown field `k`"]),
        ("[1, 2]", &["invalid type: sequence, expected a clip, an object"]),
        (r#"{"text": "so""#, &["EOF", "column 13"]),
        (r#"{"text": "so"} {"#, &["trailing"]),
    ] {
        let error = OwnClip::from_json(json.as_bytes(), "").unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{json}: no `{part}` in {error}");
        }
    }
    let deep = format!("{{\"other\": {}", "[".repeat(100_000));
    assert!(OwnClip::from_json(deep.as_bytes(), "").is_err(), "and no stack is overrun");
    assert!(OwnClip::from_transcript(vec![0xff], "").unwrap_err().contains("UTF-8"));
    // Two bytes of text make four on the wire.
    let wide = format!("{{\"audio\": [{}0]}}", "0,".repeat(5 << 20));
    assert!(OwnClip::from_json(wide.as_bytes(), "").unwrap_err().contains("a message holds 16777216 bytes"));
}

#[test]
fn a_clip_is_sent_at_what_it_pins_itself_or_else_at_every_point() {
    let numbering = |points: Option<Vec<Conditions>>| Numbering {
        part: Part::begin(),
        row: 0,
        points,
        draws: 3..5,
        seed: Some(7),
        pace: Pace::new(None),
    };
    let sent = |numbering: &Numbering, json: &str| {
        let plan = numbering.plan(clip(json), 9, "clips.jsonl:1".into());
        let met = |n: u64| (plan.message(n).conditions.and_then(|c| c.snr_db), plan.message(n).noise.unwrap());
        plan.numbers().map(met).map(|(snr, noise)| (snr, noise.draw, noise.row, noise.seed)).collect::<Vec<_>>()
    };
    let points: Vec<Conditions> = [-6.0, 3.0].map(|db| Conditions::Awgn(SnrDb::try_from(db).unwrap())).into();
    let swept = numbering(Some(points));
    let everywhere = [-6.0, 3.0].map(|snr| [(Some(snr), 3, 9, 7), (Some(snr), 4, 9, 7)]).concat();
    assert_eq!(sent(&swept, r#"{"text": "so"}"#), everywhere);
    let own = r#"{"text": "so", "conditions": {"channel": "rayleigh", "snr_db": 12}}"#;
    assert_eq!(sent(&swept, own), [(Some(12.0), 3, 9, 7), (Some(12.0), 4, 9, 7)]);
    assert_eq!(sent(&swept, r#"{"text": "so", "conditions": {"channel": "none"}}"#), [(None, 3, 9, 7)]);
    assert_eq!(sent(&numbering(None), r#"{"text": "so"}"#), [(None, 3, 9, 7), (None, 4, 9, 7)]);
}
