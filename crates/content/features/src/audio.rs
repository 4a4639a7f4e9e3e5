//! Sound to features: windows of 30 s, five rows a second.

use crate::CheckpointError;
use crate::whisper::{FRAMES, Whisper};
use corpus::Identity;
use media::{LogMel, RATE_HZ, WINDOW_SAMPLES};
use std::path::Path;

/// Rows a second, the rate of the pictures too.
pub const FEATURE_RATE_HZ: usize = 5;

const FRAMES_A_ROW: usize = 50 / FEATURE_RATE_HZ;
const SAMPLES_A_FRAME: usize = WINDOW_SAMPLES / FRAMES;
const SAMPLES_A_ROW: usize = RATE_HZ as usize / FEATURE_RATE_HZ;

/// A sample of a sound that is NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sample {sample} of the sound is not a finite number")]
pub struct NotFinite {
    /// Its index.
    pub sample: usize,
}

/// The audio extractor: windows of 30 s side by side, the last filled up with silence, each through the encoder by itself;
/// every ten frames of the encoder that hold sound become one row, their mean.
pub struct AudioExtractor {
    mel: LogMel,
    whisper: Whisper,
}

impl AudioExtractor {
    /// With the encoder in a folder.
    ///
    /// # Errors
    /// As [`Whisper::load`].
    pub fn load(folder: &Path) -> Result<AudioExtractor, CheckpointError> {
        Ok(AudioExtractor { mel: LogMel::new(), whisper: Whisper::load(folder)? })
    }

    /// Which network and convention.
    pub fn identity(&self) -> Identity {
        Identity {
            network: "whisper".to_owned(),
            sha256: self.whisper.sha256().to_owned(),
            convention: format!("windows of 30 s, means at {FEATURE_RATE_HZ} Hz"),
            width: self.whisper.width(),
        }
    }

    /// Samples `[time]` at [`RATE_HZ`] → rows `[rows, width]`, row by row: one for each 0.2 s begun.
    ///
    /// # Errors
    /// If a sample is NaN or infinite, with its index.
    pub fn extract(&self, pcm: &[f32]) -> Result<Vec<f32>, NotFinite> {
        if let Some(sample) = pcm.iter().position(|sample| !sample.is_finite()) {
            return Err(NotFinite { sample });
        }
        let width = self.whisper.width();
        let mut rows = Vec::with_capacity(pcm.len().div_ceil(SAMPLES_A_ROW) * width);
        for window in pcm.chunks(WINDOW_SAMPLES) {
            let frames = self.whisper.encode(&self.mel.window(window).expect("no longer than a window"));
            let heard = window.len().div_ceil(SAMPLES_A_FRAME);
            for group in frames[..heard * width].chunks(FRAMES_A_ROW * width) {
                let mut mean = vec![0.0f32; width];
                for frame in group.chunks_exact(width) {
                    mean.iter_mut().zip(frame).for_each(|(m, v)| *m += v);
                }
                let scale = width as f32 / group.len() as f32;
                rows.extend(mean.into_iter().map(|m| m * scale));
            }
        }
        Ok(rows)
    }
}
