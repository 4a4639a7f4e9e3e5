use crate::energy::levels_db;
use crate::pitch::pitches;
use crate::residual::Residual;
use crate::{Error, Features, HOP, RATE_HZ};

/// The columns, in order: `F0` in Hz, `VUV` (1 voiced, 0 not), and `energy_db`, the level in dB re full scale, which
/// COVAREP has not.
pub const COLUMNS: [&str; 3] = ["F0", "VUV", "energy_db"];

/// Turns speech into [`Features`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Frontend;

impl Frontend {
    /// A front end.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// The features of samples `[time]` at [`RATE_HZ`], full scale ±1: a row for each whole [`HOP`]. The same samples
    /// always give the same features.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if a sample is.
    pub fn analyse(&self, pcm: &[f32]) -> Result<Features, Error> {
        if let Some((index, value)) = pcm.iter().copied().enumerate().find(|(_, s)| !s.is_finite()) {
            return Err(Error::NotFinite { index, value });
        }
        let rows = pcm.len() / HOP;
        let pitches = pitches(&Residual::of(pcm), rows);
        let levels = levels_db(pcm, rows);
        let mut frames = Vec::with_capacity(rows * COLUMNS.len());
        for (pitch, level) in pitches.iter().zip(&levels) {
            frames.extend([pitch.f0_hz as f32, f32::from(u8::from(pitch.voiced)), *level as f32]);
        }
        Ok(Features { names: COLUMNS.to_vec(), frames, rate_hz: (RATE_HZ as usize / HOP) as f32 })
    }
}
