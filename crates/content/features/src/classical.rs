//! The classical front end as an extractor of audio, for models trained on columns of COVAREP's kind.

use crate::checkpoint::digest;
use crate::{FEATURE_RATE_HZ, NotFinite};
use corpus::Identity;
use speech::{CONVENTION, Error, Frontend, WIDTH};

/// Rows of the front end that become one.
const GROUP: usize = 100 / FEATURE_RATE_HZ;

/// Pitch, voicing, level and mel-cepstrum, 100 times a second, of which every fifth of a second leaves means and standard
/// deviations as a row.
pub(crate) struct Classical(Frontend);

impl Classical {
    /// As [`Identity::network`] has it.
    pub(crate) const NETWORK: &str = "classical";

    pub(crate) fn new() -> Classical {
        Classical(Frontend::new())
    }

    /// There are no files; the convention is all of it.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            network: Self::NETWORK.to_owned(),
            sha256: digest([CONVENTION.as_bytes()]),
            convention: format!("{CONVENTION}; means and deviations at {FEATURE_RATE_HZ} Hz"),
            width: 2 * WIDTH,
        }
    }

    /// Samples `[time]` at 16 kHz → rows `[rows, width]`, means then deviations: one for each 0.2 s begun with a whole 10 ms.
    pub(crate) fn extract(&self, pcm: &[f32]) -> Result<Vec<f32>, NotFinite> {
        let features = self.0.analyse(pcm).map_err(|error| match error {
            Error::NotFinite { index, .. } => NotFinite { sample: index },
        })?;
        Ok(features.frames.chunks(GROUP * WIDTH).flat_map(pooled).collect())
    }
}

/// Means and standard deviations of the columns of a few rows.
fn pooled(rows: &[f32]) -> Vec<f32> {
    let count = (rows.len() / WIDTH) as f64;
    let over = |column: usize, of: &dyn Fn(f64) -> f64| {
        rows.chunks_exact(WIDTH).map(|row| of(f64::from(row[column]))).sum::<f64>() / count
    };
    let means: Vec<f64> = (0..WIDTH).map(|column| over(column, &|value| value)).collect();
    let deviation = |column: usize| over(column, &|value| (value - means[column]).powi(2)).sqrt();
    let deviations = (0..WIDTH).map(deviation);
    means.iter().copied().chain(deviations).map(|value| value as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fifth_of_a_second_leaves_means_and_deviations() {
        let mut rows = [[1.0f32; WIDTH], [3.0; WIDTH]].concat();
        rows[0] = -1.0;
        let pooled = pooled(&rows);
        assert_eq!((pooled.len(), pooled[0], pooled[WIDTH]), (2 * WIDTH, 1.0, 2.0));
        assert_eq!((pooled[1], pooled[WIDTH + 1]), (2.0, 1.0));
        let pcm: Vec<f32> = (0..5 * 3200 + 800).map(|n| (n as f32 * 0.2).sin()).collect();
        let rows = Classical::new().extract(&pcm).unwrap();
        assert_eq!(rows.len(), 6 * 2 * WIDTH);
        assert!(rows.iter().all(|value| value.is_finite()));
        assert_eq!(Classical::new().extract(&[0.0, f32::NAN]).unwrap_err().sample, 1);
    }
}
