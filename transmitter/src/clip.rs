//! Checks clips from the wire.

use bytes::Bytes;
use corpus::{Identity, Modality, Origins, Sequence};
use proto::v1;
use proto::v1::content::Kind;
use schemes::scheme::ClipInput;
use std::collections::HashMap;
use wire::fault::ErrorCode;
use wire::{Delivery, Fault, convert};

/// Maximum length of a clip identifier in bytes. Every hop and the journal carry it.
const MAX_ID_BYTES: usize = 1024;
/// Maximum length of the caption in bytes; the rest is cut off.
const CAPTION_BYTES: usize = 1024;

/// A clip that satisfies the rules of the wire; whether the weights accept it is checked by the encoder.
#[derive(Debug)]
pub struct CheckedClip {
    /// The delivery key of the clip.
    pub delivery: Delivery,
    /// The content to encode.
    pub input: ClipInput,
    /// The media file, for the modalities that `input` lacks; `None` if the clip has none.
    pub media: Option<Bytes>,
    /// The burst, still without symbols, timings and payload.
    pub burst: v1::Burst,
    /// The payload of the burst, still without its transport format.
    pub payload: v1::BurstPayload,
}

/// Checks a clip for weights that were trained on features of the provenance `origins`.
///
/// # Errors
/// Fails with a fault that names the field, such as `audio.features.data`.
pub fn check(clip: v1::Clip, origins: &Origins) -> Result<CheckedClip, Fault> {
    let delivery = Delivery::from_wire(clip.delivery.as_ref())?;
    if clip.id.len() > MAX_ID_BYTES {
        let problem = format!("at most {MAX_ID_BYTES} bytes are accepted, got {}", clip.id.len());
        return Err(Fault::new(ErrorCode::TooLong, "id", problem));
    }
    check_label(clip.label)?;
    if let Some(conditions) = &clip.conditions {
        convert::conditions_from_wire(conditions).map_err(|fault| fault.within("conditions"))?;
    }
    let media = clip.media.map(file).transpose()?;
    let input = input(clip.modalities, origins)?;
    if media.is_none() && input == ClipInput::default() {
        return Err(Fault::new(ErrorCode::Empty, "clip", "a clip needs text, audio or visual content, got none"));
    }
    let said = clip.caption.as_deref().or(input.transcript.as_deref()).unwrap_or_default();
    let cut = (0..=CAPTION_BYTES.min(said.len())).rev().find(|&end| said.is_char_boundary(end)).unwrap_or(0);
    let caption = said[..cut].to_owned();
    let burst = v1::Burst {
        delivery: Some(delivery.to_wire()),
        noise: clip.noise,
        conditions: clip.conditions,
        ..v1::Burst::default()
    };
    let payload = v1::BurstPayload {
        transport: None,
        reference: Some(v1::Reference { clip_id: clip.id, label: clip.label, caption }),
        inspect: clip.inspect,
    };
    Ok(CheckedClip { delivery, input, media, burst, payload })
}

fn check_label(label: Option<f32>) -> Result<(), Fault> {
    match label {
        Some(label) if !label.is_finite() => {
            Err(Fault::new(ErrorCode::NotFinite, "label", format!("expected a label in [-3, 3], got {label}")))
        }
        Some(label) if label.abs() > 3.0 => {
            Err(Fault::new(ErrorCode::Malformed, "label", format!("expected a label in [-3, 3], got {label}")))
        }
        _ => Ok(()),
    }
}

/// The bytes of a media file. Fails if there are none, or not as many as announced.
fn file(media: v1::Media) -> Result<Bytes, Fault> {
    let got = media.data.len();
    match media.size {
        _ if got == 0 => Err(Fault::new(ErrorCode::Empty, "media.data", "the file is empty")),
        None => Ok(media.data),
        Some(size) if size == got as u64 => Ok(media.data),
        Some(size) => {
            let problem = format!("media.size announces {size} bytes, got {got}");
            Err(Fault::new(ErrorCode::Malformed, "media.data", problem))
        }
    }
}

/// The content to encode, from the modalities of a clip by name.
fn input(mut modalities: HashMap<String, v1::Content>, origins: &Origins) -> Result<ClipInput, Fault> {
    let mut input = ClipInput::default();
    for modality in Modality::ALL {
        match modalities.remove(modality.name()).and_then(|content| content.kind) {
            None => {}
            Some(Kind::Features(features)) => {
                let fields = format!("{}.features", modality.name());
                check_origin(features.provenance.as_deref(), origins.get(modality))
                    .map_err(|fault| fault.within(&fields))?;
                input.features[modality.index()] = Some(sequence(&features).map_err(|fault| fault.within(&fields))?);
            }
            Some(Kind::Transcript(text)) if modality == Modality::Text => {
                // A blank transcript counts as no text, as in a corpus.
                input.transcript = Some(text).filter(|text| !text.trim().is_empty());
            }
            Some(Kind::Transcript(_)) => {
                let field = format!("{}.transcript", modality.name());
                return Err(Fault::new(ErrorCode::Unsupported, field, "only the text modality has a transcript"));
            }
        }
    }
    // The first name in order, so that the same clip is always refused with the same message.
    if let Some(name) = modalities.into_keys().min() {
        let names = Modality::ALL.map(Modality::name).join(", ");
        let shown: String = name.chars().take(40).collect();
        let problem = format!("these weights take the modalities {names}, not `{}`", shown.escape_debug());
        return Err(Fault::new(ErrorCode::Unsupported, "modalities", problem));
    }
    Ok(input)
}

/// Checks the provenance of a clip's features, if they have one, against that of the training features, if it is known.
fn check_origin(provenance: Option<&str>, expected: Option<&Identity>) -> Result<(), Fault> {
    match (expected, provenance) {
        (Some(expected), Some(provenance)) if provenance != expected.id() => {
            let problem = format!("expected features of {expected}, whose id is {}, got {provenance}", expected.id());
            Err(Fault::new(ErrorCode::Unsupported, "provenance", problem))
        }
        _ => Ok(()),
    }
}

fn sequence(features: &v1::Features) -> Result<Sequence, Fault> {
    let (frames, width) = (features.frames, features.width);
    if frames == 0 {
        return Err(Fault::new(ErrorCode::Empty, "frames", "features need at least one frame"));
    }
    if width == 0 {
        return Err(Fault::new(ErrorCode::WrongWidth, "width", "a frame needs at least one value"));
    }
    // The product of two u32 fits a u64, and 4 times that a u128.
    let expected = u128::from(u64::from(frames) * u64::from(width)) * 4;
    if features.data.len() as u128 != expected {
        let problem = format!("{frames} frames of {width} f32 take {expected} bytes, got {}", features.data.len());
        return Err(Fault::new(ErrorCode::Malformed, "data", problem));
    }
    let (values, _) = features.data.as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if let Some(position) = values.iter().position(|value| !value.is_finite()) {
        let (frame, column) = (position / width as usize, position % width as usize);
        let problem = format!("frame {frame}, value {column} is {}", values[position]);
        return Err(Fault::new(ErrorCode::NotFinite, "data", problem));
    }
    Ok(Sequence::new(width as usize, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(frames: u32, width: u32, values: &[f32]) -> v1::Content {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        v1::Content { kind: Some(Kind::Features(v1::Features { frames, width, data, provenance: None })) }
    }

    fn of_origin(clip: &mut v1::Clip, provenance: &str) {
        if let Some(Kind::Features(features)) = clip.modalities.get_mut("audio").and_then(|audio| audio.kind.as_mut()) {
            features.provenance = Some(provenance.into());
        }
    }

    fn transcript(text: &str) -> v1::Content {
        v1::Content { kind: Some(Kind::Transcript(text.into())) }
    }

    fn put(clip: &mut v1::Clip, name: &str, content: v1::Content) {
        clip.modalities.insert(name.into(), content);
    }

    fn good() -> v1::Clip {
        v1::Clip {
            delivery: Some(v1::DeliveryKey { run_id: "9e107d9d-372b-4b0c-8f5e-0a5d1f6f1a11".into(), sequence: 7 }),
            id: "a clip".into(),
            modalities: [
                ("text".into(), transcript("what a wonderful film")),
                ("audio".into(), features(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
            ]
            .into(),
            label: Some(-3.0),
            conditions: Some(v1::Conditions { kind: 2, snr_db: Some(-6.0), k_factor: None }),
            ..v1::Clip::default()
        }
    }

    #[test]
    fn a_good_clip_becomes_an_input_and_a_burst() {
        let checked = check(good(), &Origins::default()).unwrap();
        assert_eq!(checked.delivery.sequence, 7);
        assert_eq!(checked.input.transcript.as_deref(), Some("what a wonderful film"));
        let audio = checked.input.features[1].as_ref().unwrap();
        assert_eq!((audio.frames(), audio.width(), audio.data()[5]), (2, 3, 5.0));
        assert_eq!(checked.burst.conditions, good().conditions);
        let reference = checked.payload.reference.unwrap();
        assert_eq!((reference.label, reference.caption.as_str()), (Some(-3.0), "what a wonderful film"));
    }

    #[test]
    fn a_caption_stands_for_the_transcript_and_is_cut_between_characters() {
        let caption = |caption: String| {
            let clip = v1::Clip { caption: Some(caption), ..good() };
            check(clip, &Origins::default()).unwrap().payload.reference.unwrap().caption
        };
        assert_eq!(caption("other words".into()), "other words");
        assert_eq!(caption("€".repeat(400)), "€".repeat(341));
    }

    #[test]
    fn a_bad_clip_is_refused_by_field() {
        type Case = (fn(&mut v1::Clip), ErrorCode, &'static str);
        let identity = Identity { network: "n".into(), sha256: "00".into(), convention: "c".into(), width: 3 };
        let origins = Origins::new([None, Some(identity), None]);
        let cases: [Case; 21] = [
            (|clip| of_origin(clip, "another"), ErrorCode::Unsupported, "audio.features.provenance"),
            (|clip| put(clip, "smell", features(1, 1, &[0.0])), ErrorCode::Unsupported, "modalities"),
            (|clip| clip.media = Some(v1::Media::default()), ErrorCode::Empty, "media.data"),
            (
                |clip| clip.media = Some(v1::Media { data: vec![1].into(), size: Some(2) }),
                ErrorCode::Malformed,
                "media.data",
            ),
            (|clip| clip.delivery = None, ErrorCode::BadKey, "delivery"),
            (|clip| clip.delivery.as_mut().unwrap().run_id.clear(), ErrorCode::BadKey, "delivery.run_id"),
            (|clip| clip.id = "x".repeat(1025), ErrorCode::TooLong, "id"),
            (|clip| clip.label = Some(f32::NAN), ErrorCode::NotFinite, "label"),
            (|clip| clip.label = Some(3.1), ErrorCode::Malformed, "label"),
            (|clip| clip.conditions.as_mut().unwrap().kind = 77, ErrorCode::BadConditions, "conditions.kind"),
            (|clip| clip.conditions.as_mut().unwrap().snr_db = None, ErrorCode::BadConditions, "conditions.snr_db"),
            (|clip| clip.modalities.clear(), ErrorCode::Empty, "clip"),
            (|clip| clip.modalities = [("text".into(), transcript(" "))].into(), ErrorCode::Empty, "clip"),
            (|clip| put(clip, "visual", transcript("text")), ErrorCode::Unsupported, "visual.transcript"),
            (|clip| put(clip, "audio", features(0, 3, &[])), ErrorCode::Empty, "audio.features.frames"),
            (|clip| put(clip, "audio", features(3, 0, &[])), ErrorCode::WrongWidth, "audio.features.width"),
            (|clip| put(clip, "audio", features(2, 3, &[0.0; 5])), ErrorCode::Malformed, "audio.features.data"),
            (|clip| put(clip, "audio", features(2, 2, &[0.0; 5])), ErrorCode::Malformed, "audio.features.data"),
            (|clip| put(clip, "audio", features(u32::MAX, u32::MAX, &[])), ErrorCode::Malformed, "audio.features.data"),
            // The size 2^16 · 2^16 · 4 would wrap to 0 in 32 bits.
            (|clip| put(clip, "audio", features(1 << 16, 1 << 16, &[])), ErrorCode::Malformed, "audio.features.data"),
            (|clip| put(clip, "audio", features(1, 2, &[0.0, f32::NAN])), ErrorCode::NotFinite, "audio.features.data"),
        ];
        for (change, code, field) in cases {
            let mut clip = good();
            change(&mut clip);
            let fault = check(clip, &origins).expect_err(field);
            assert_eq!((fault.code, fault.field.as_str()), (code, field), "{fault}");
        }
    }
}
