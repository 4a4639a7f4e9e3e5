//! The Whisper encoder against an independent implementation.

use latentlink_features::{AudioExtractor, CheckpointError, Whisper};
use media::{Limits, Media};
use safetensors::SafeTensors;
use std::path::PathBuf;

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: needs pretrained extractors (LATENTLINK_SHARED is not set)");
    }
    folder
}

fn floats(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let data = tensors.tensor(name).unwrap();
    data.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn the_encoder_answers_what_another_implementation_answers() {
    let Some(shared) = shared() else { return };
    let bytes = std::fs::read(shared.join("golden/whisper-speech-16k.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let names = golden.names();
    let of = |part: &str| names.iter().find(|n| n.contains(part)).unwrap_or_else(|| panic!("{names:?}")).to_string();
    let whisper = Whisper::load(&shared.join("models/whisper-tiny-en-encoder")).unwrap();
    let ours = whisper.encode(&floats(&golden, &of("mel")));
    let theirs = floats(&golden, &of("encoder"));
    assert_eq!(ours.len(), theirs.len());
    let mut least = 1f64;
    for (a, b) in ours.chunks_exact(384).zip(theirs.chunks_exact(384)) {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
        least = least.min(dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    }
    println!("least cosine of a frame: {least:.6}");
    assert!(least >= 0.9999, "least cosine of a frame: {least}");
}

#[test]
fn a_row_stands_for_each_fifth_of_a_second_of_sound() {
    let Some(shared) = shared() else { return };
    let extractor = AudioExtractor::load(&shared.join("models/whisper-tiny-en-encoder")).unwrap();
    let media = Media::open(shared.join("media/speech-16k.wav"), &Limits::default()).unwrap();
    let audio = media.audio().unwrap();
    let audio = audio.resampled().unwrap();
    let pcm = audio.pcm.as_slice();
    let rows = extractor.extract(pcm).unwrap();
    assert_eq!(rows.len() / 384, pcm.len().div_ceil(3200));
    assert_eq!(extractor.identity().width, 384);
    // Sound of the second window does not reach the first.
    let long: Vec<f32> = pcm.iter().copied().cycle().take(31 * 16_000).collect();
    let other: Vec<f32> = long.iter().enumerate().map(|(i, s)| if i < 30 * 16_000 { *s } else { 0.1 * s }).collect();
    let (a, b) = (extractor.extract(&long).unwrap(), extractor.extract(&other).unwrap());
    assert_eq!(a.len() / 384, 155);
    assert_eq!(a[..150 * 384], b[..150 * 384]);
    assert_ne!(a[150 * 384..], b[150 * 384..]);
    assert!(extractor.extract(&[]).unwrap().is_empty());
    assert_eq!(extractor.extract(&[0.0, f32::NAN]).unwrap_err().sample, 1);
}

#[test]
fn what_is_not_an_encoder_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = || Whisper::load(folder.path()).err().unwrap();
    assert!(matches!(error(), CheckpointError::Read { .. }), "{}", error());
    let config = folder.path().join("config.json");
    let sizes = |bins: usize| {
        format!(
            r#"{{"d_model":8,"encoder_layers":1,"encoder_attention_heads":2,"encoder_ffn_dim":16,"num_mel_bins":{bins},"max_source_positions":1500}}"#
        )
    };
    std::fs::write(&config, sizes(128)).unwrap();
    assert!(error().to_string().contains("num_mel_bins is 128"), "{}", error());
    std::fs::write(&config, sizes(80)).unwrap();
    let tensors = folder.path().join("model.safetensors");
    std::fs::write(&tensors, b"not tensors").unwrap();
    assert!(matches!(error(), CheckpointError::Format { .. }), "{}", error());
    std::fs::write(&tensors, b"\x02\0\0\0\0\0\0\0{}").unwrap();
    assert_eq!(error().to_string(), "tensor 'model.encoder.conv1.weight' is missing");
}
