//! What is done to a burst after training so that the sign of every clip crosses with nearly all of the energy.

use candle_core::{Result, Tensor};
use nn::ops::{simd::dot, tensor, with_slice};
use nn::params::{ParamError, Scope};

/// Sharpens how a burst lies along the direction u that the sign is sent on: its cosine c becomes tanh(gain·artanh c), what is
/// left keeps its own direction, and the power stays. Clips trained on lie along ±u; of others many do not, for the network is
/// less sure of them, and half-hearted signs are what noise takes first. Gain 1 is the identity; no sign changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sharpening {
    /// Of unit length.
    direction: Vec<f32>,
    gain: f32,
}

impl Sharpening {
    /// Its place below `encoder`.
    pub const PLACE: &str = "sharpening";

    /// Along a direction of any length.
    pub fn new(direction: &[f32], gain: f32) -> Self {
        let length = dot(direction, direction).sqrt().max(f32::MIN_POSITIVE);
        Sharpening { direction: direction.iter().map(|v| v / length).collect(), gain }
    }

    /// That of deployed weights, if they have one.
    ///
    /// # Errors
    /// If its tensors have other shapes.
    pub fn find(scope: &Scope, reals: usize) -> std::result::Result<Option<Self>, ParamError> {
        let (direction, gain) = (scope.find("direction", &[reals])?, scope.find("gain", &[1])?);
        let Some((direction, gain)) = direction.zip(gain) else { return Ok(None) };
        let direction = with_slice(&direction, <[f32]>::to_vec)?;
        Ok(Some(Sharpening { direction, gain: with_slice(&gain, |v| v[0])? }))
    }

    /// Its tensors by path.
    ///
    /// # Errors
    /// Candle's.
    pub fn tensors(&self) -> Result<[(String, Tensor); 2]> {
        let named = |name: &str| format!("encoder.{}.{name}", Self::PLACE);
        let direction = tensor(self.direction.clone(), self.direction.len())?;
        Ok([(named("direction"), direction), (named("gain"), tensor(vec![self.gain], 1)?)])
    }

    /// Z `[bursts, reals]` of unit power to the same. Without a gradient.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let (bursts, reals) = z.dims2()?;
        let sharpened =
            with_slice(z, |z| z.chunks_exact(reals).flat_map(|row| self.sharpened(row)).collect::<Vec<_>>())?;
        tensor(sharpened, (bursts, reals))
    }

    fn sharpened(&self, row: &[f32]) -> Vec<f32> {
        let length = (row.len() as f64 / 2.0).sqrt();
        let c = (f64::from(dot(row, &self.direction)) / length).clamp(-1.0, 1.0);
        // tanh(g·artanh c) without what is infinite at ±1.
        let (plus, minus) = ((1.0 + c).powf(self.gain.into()), (1.0 - c).powf(self.gain.into()));
        let sharp = (plus - minus) / (plus + minus);
        let left = 1.0 - c * c;
        let keep = if left > 1e-9 { ((1.0 - sharp * sharp) / left).sqrt() } else { 1.0 };
        let along = (sharp - keep * c) * length;
        row.iter().zip(&self.direction).map(|(z, u)| (keep * f64::from(*z) + along * f64::from(*u)) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::ops::normalise_power;
    use nn::params::Params;
    use nn::random::Stream;
    use std::collections::HashMap;

    const REALS: usize = 50;

    fn bursts() -> Tensor {
        normalise_power(&tensor(Stream::new(4, &[]).normals(40 * REALS), (40, REALS)).unwrap()).unwrap()
    }

    fn cosine(row: &[f32], direction: &[f32]) -> f64 {
        let norm = |v: &[f32]| f64::from(dot(v, v)).sqrt();
        f64::from(dot(row, direction)) / norm(row) / norm(direction)
    }

    #[test]
    fn the_cosine_is_sharpened_and_power_and_the_rest_s_direction_are_kept() {
        let direction = Stream::new(5, &[]).normals(REALS);
        let z = bursts();
        for gain in [1.0f32, 2.0, 5.0] {
            let sharp = Sharpening::new(&direction, gain).forward(&z).unwrap();
            let rows = z.to_vec2::<f32>().unwrap().into_iter().zip(sharp.to_vec2::<f32>().unwrap());
            for (before, after) in rows {
                let power = dot(&after, &after) / (REALS as f32 / 2.0);
                assert!((power - 1.0).abs() < 1e-5, "{power}");
                let (c, got) = (cosine(&before, &direction), cosine(&after, &direction));
                assert!((got - (f64::from(gain) * c.atanh()).tanh()).abs() < 1e-5, "{gain}: {c} {got}");
                let unit = Sharpening::new(&direction, 1.0).direction;
                let rest = |row: &[f32]| -> Vec<f32> {
                    let along = dot(row, &unit);
                    row.iter().zip(&unit).map(|(z, u)| z - along * u).collect()
                };
                assert!(cosine(&rest(&before), &rest(&after)) > 1.0 - 1e-5);
                assert!(gain != 1.0 || before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-5));
            }
        }
    }

    #[test]
    fn a_burst_along_the_direction_stays_and_a_blank_one_is_finite() {
        let along = vec![0.5f32.sqrt(); REALS];
        let sharpening = Sharpening::new(&along, 3.0);
        let z =
            tensor([along.clone(), along.iter().map(|v| -v).collect(), vec![0.0; REALS]].concat(), (3, REALS)).unwrap();
        let got = sharpening.forward(&z).unwrap().to_vec2::<f32>().unwrap();
        assert!(
            got[0].iter().all(|v| (v - 0.5f32.sqrt()).abs() < 1e-6)
                && got[1].iter().all(|v| (v + 0.5f32.sqrt()).abs() < 1e-6)
        );
        assert!(got[2].iter().all(|v| v.is_finite()));
    }

    #[test]
    fn it_comes_back_from_its_tensors() {
        let sharpening = Sharpening::new(&Stream::new(6, &[]).normals(REALS), 2.5);
        let params = Params::from_tensors("test", HashMap::from(sharpening.tensors().unwrap()), false);
        let scope = params.root().at("encoder").at(Sharpening::PLACE);
        assert_eq!(Sharpening::find(&scope, REALS).unwrap(), Some(sharpening));
        assert!(Sharpening::find(&scope, REALS + 2).is_err());
        assert_eq!(Sharpening::find(&Params::fresh(1).root(), REALS).unwrap(), None);
    }
}
