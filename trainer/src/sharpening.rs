//! How much a deployed encoder sharpens the sign, fitted on the clips that training is stopped on.

use crate::calibration;
use crate::validation::{Said, criterion};
use anyhow::Result;
use model::head::from_cells;

/// What is tried.
const GAINS: [f32; 7] = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// The gain with which training's own criterion is best over all channels, once what is said is calibrated. `said` says what
/// the network with a gain says.
///
/// # Errors
/// Those of `said`.
pub fn fit(said: impl Fn(f32) -> Result<Vec<Said>>) -> Result<f32> {
    let mut best = (1.0, f64::INFINITY);
    for gain in GAINS {
        let said = said(gain)?;
        let temperature = calibration::fit(&said);
        let predictions: Vec<_> = said.iter().map(|said| from_cells(&temperature.apply(&said.p, said.rho))).collect();
        let labels: Vec<f32> = said.iter().map(|said| said.label).collect();
        let value = criterion(&predictions, &labels);
        if value < best.1 {
            best = (gain, value);
        }
    }
    Ok(best.0)
}
