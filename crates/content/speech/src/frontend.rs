use crate::cepstrum::MelCepstrum;
use crate::energy::levels_db;
use crate::pitch::pitches;
use crate::residual::Residual;
use crate::{Error, Features, HOP, RATE_HZ};

/// Columns of a row.
pub const WIDTH: usize = 28;

/// The columns, in order: `F0` in Hz, `VUV` (1 voiced, 0 not), `energy_db`, the level in dB re full scale, which COVAREP has
/// not, and the mel-cepstrum `MCEP_0` (level, in nepers) to `MCEP_24`.
pub const COLUMNS: [&str; WIDTH] = [
    "F0",
    "VUV",
    "energy_db",
    "MCEP_0",
    "MCEP_1",
    "MCEP_2",
    "MCEP_3",
    "MCEP_4",
    "MCEP_5",
    "MCEP_6",
    "MCEP_7",
    "MCEP_8",
    "MCEP_9",
    "MCEP_10",
    "MCEP_11",
    "MCEP_12",
    "MCEP_13",
    "MCEP_14",
    "MCEP_15",
    "MCEP_16",
    "MCEP_17",
    "MCEP_18",
    "MCEP_19",
    "MCEP_20",
    "MCEP_21",
    "MCEP_22",
    "MCEP_23",
    "MCEP_24",
];

/// What a row means, for models to name the features they were trained on. It changes whenever a column's values do.
pub const CONVENTION: &str = "classical 1: 100 Hz of 16 kHz; SRH pitch in Hz, voicing, level in dB, 25 mel-cepstra";

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
        let mut cepstrum = MelCepstrum::new();
        let mut frames = Vec::with_capacity(rows * WIDTH);
        for (row, (pitch, level)) in pitches.iter().zip(&levels).enumerate() {
            frames.extend([pitch.f0_hz as f32, f32::from(u8::from(pitch.voiced)), *level as f32]);
            let f0_hz = (pitch.voiced && pitch.f0_hz > 0.0).then_some(pitch.f0_hz);
            frames.extend(cepstrum.of(pcm, row, f0_hz).map(|c| c as f32));
        }
        Ok(Features { names: COLUMNS.to_vec(), frames, rate_hz: (RATE_HZ as usize / HOP) as f32 })
    }
}
