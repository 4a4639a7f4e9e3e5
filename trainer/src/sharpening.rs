//! Antipodal boosting: fits the gain with which the deployed encoder boosts the sign direction, on the held-out clips.

use crate::calibration;
use crate::validation::Said;
use anyhow::Result;
use network::head::from_cells;

/// Candidates for the gain of antipodal boosting; 1 boosts nothing.
const GAINS: [f32; 6] = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// The gain with the least share of wrong signs plus a sixth of the mean absolute error, over all channels and after
/// calibration. `said` returns the held-out predictions of the network with a gain.
///
/// # Errors
/// Those of `said`.
pub fn fit(said: impl Fn(f32) -> Result<Vec<Said>>) -> Result<f32> {
    let mut best = (1.0, f64::INFINITY);
    for gain in GAINS {
        let value = cost(&said(gain)?);
        if value < best.1 {
            best = (gain, value);
        }
    }
    Ok(best.0)
}

fn cost(said: &[Said]) -> f64 {
    let calibration = calibration::fit(said);
    let (mut wrong, mut signed, mut error) = (0.0, 0.0, 0.0);
    for said in said {
        let prediction = from_cells(&calibration.apply(said));
        error += f64::from((prediction.score - said.label).abs());
        if said.label != 0.0 {
            signed += 1.0;
            wrong += f64::from(u8::from(prediction.is_pos() != (said.label > 0.0)));
        }
    }
    wrong / f64::max(signed, 1.0) + error / 6.0 / f64::max(said.len() as f64, 1.0)
}
