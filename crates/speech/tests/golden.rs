//! The columns against COVAREP's own, and on real speech.

use std::path::PathBuf;

use latentlink_speech::{Features, Frontend};
use media::{Limits, Media};
use safetensors::SafeTensors;

fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LATENTLINK_SHARED").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test} needs LATENTLINK_SHARED");
    }
    folder
}

fn pcm(path: PathBuf) -> Vec<f32> {
    Media::open(path, &Limits::default()).unwrap().audio().unwrap().resampled().unwrap().pcm
}

/// COVAREP's answer for `speech-16k.wav`: names and columns.
struct Golden {
    names: Vec<String>,
    frames: Vec<f32>,
}

impl Golden {
    fn open(shared: &std::path::Path) -> Self {
        let file = std::fs::read(shared.join("golden/covarep-speech-16k.safetensors")).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&file).unwrap();
        let names = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["columns"]).unwrap();
        let tensors = SafeTensors::deserialize(&file).unwrap();
        let data = tensors.tensor("features").unwrap().data().chunks_exact(4);
        Self { names, frames: data.map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect() }
    }

    fn column(&self, name: &str) -> Vec<f32> {
        let at = self.names.iter().position(|n| n == name).unwrap();
        self.frames.chunks_exact(self.names.len()).map(|row| row[at]).collect()
    }
}

fn share(rows: impl Iterator<Item = bool>) -> f64 {
    let (hits, all) = rows.fold((0, 0), |(hits, all), hit| (hits + u32::from(hit), all + 1));
    f64::from(hits) / f64::from(all)
}

#[test]
fn pitch_and_voicing_agree_with_covarep() {
    let Some(shared) = shared("pitch_and_voicing_agree_with_covarep") else { return };
    let golden = Golden::open(&shared);
    let ours = Frontend::new().analyse(&pcm(shared.join("media/speech-16k.wav"))).unwrap();
    let (f0, golden_f0) = (ours.column("F0").unwrap(), golden.column("F0"));
    let (vuv, golden_vuv) = (ours.column("VUV").unwrap(), golden.column("VUV"));
    assert_eq!(f0.len(), golden_f0.len());
    let agree = share(vuv.iter().zip(&golden_vuv).map(|(a, b)| a == b));
    let both = (0..f0.len()).filter(|t| vuv[*t] == 1.0 && golden_vuv[*t] == 1.0);
    let near = share(both.map(|t| (f0[t] / golden_f0[t] - 1.0).abs() <= 0.05));
    println!("voicing agrees in {agree:.4} of rows, F0 within 5 % in {near:.4} of those both call voiced");
    assert!(agree >= 0.98 && near >= 0.95, "{agree} {near}");
}

#[test]
fn real_speech_gives_finite_and_plausible_columns() {
    let Some(shared) = shared("real_speech_gives_finite_and_plausible_columns") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(shared.join("data/emodb-dev/wav")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let features: Vec<Features> =
        files.into_iter().step_by(40).map(|f| Frontend::new().analyse(&pcm(f)).unwrap()).collect();
    assert!(features.len() >= 10);
    for features in &features {
        assert!(features.frames.iter().all(|x| x.is_finite()));
        let (f0, vuv) = (features.column("F0").unwrap(), features.column("VUV").unwrap());
        let voiced = share(vuv.iter().map(|v| *v == 1.0));
        let mut f0: Vec<f32> = f0.into_iter().zip(vuv).filter(|(_, v)| *v == 1.0).map(|(f, _)| f).collect();
        f0.sort_by(f32::total_cmp);
        println!("voiced {voiced:.2}, median F0 {}", f0[f0.len() / 2]);
        assert!((0.25..0.95).contains(&voiced), "{voiced}");
        assert!((70.0..450.0).contains(&f0[f0.len() / 2]));
    }
}
