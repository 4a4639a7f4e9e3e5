//! The front ends against answers of independent implementations.

use std::path::PathBuf;

use latentlink_media::{Limits, LogMel, Media};
use safetensors::SafeTensors;

fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test} needs the shared clips (LATENTLINK_SHARED is not set)");
    }
    folder
}

#[test]
fn mel_agrees_with_whisper() {
    let Some(shared) = shared("mel_agrees_with_whisper") else { return };
    let audio = Media::open(shared.join("media/speech-16k.wav"), &Limits::default()).unwrap().audio().unwrap();
    let mel = LogMel::new().window(&audio.resampled().unwrap().pcm).unwrap();
    let golden = std::fs::read(shared.join("golden/whisper-speech-16k.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&golden).unwrap();
    let golden = golden.tensor("mel").unwrap();
    assert_eq!(golden.shape(), [80, 3000]);
    let golden = golden.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    let worst = mel.iter().zip(golden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("largest difference {worst:.1e}");
    assert!(worst < 1e-4, "{worst}");
}
