//! What lies between the two halves, for training: power normalisation and the equalised channel, with exact gradients.

use super::simd::dot;
use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// Keeps an all-zero burst finite.
const EPSILON: f32 = 1e-12;

/// Each row of x `[batch, reals]` scaled to unit mean power per complex symbol, Σx² = reals/2.
pub fn normalise_power(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(NormalisePower)
}

struct NormalisePower;

/// √(reals/2) and 1/√(Σx² + ε).
fn scales(row: &[f32]) -> (f32, f32) {
    ((row.len() as f32 / 2.0).sqrt(), 1.0 / (dot(row, row) + EPSILON).sqrt())
}

impl CustomOp1 for NormalisePower {
    fn name(&self) -> &'static str {
        "normalise-power"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, reals) = layout.shape().dims2()?;
        let mut y = Vec::with_capacity(batch * reals);
        for row in slice(x, layout)?.chunks_exact(reals) {
            let (target, inv) = scales(row);
            y.extend(row.iter().map(|v| v * inv * target));
        }
        output(y, (batch, reals))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, reals) = x.dims2()?;
        let mut gx = Vec::with_capacity(batch * reals);
        with_slice(x, |x| {
            with_slice(grad, |g| {
                for (row, g) in x.chunks_exact(reals).zip(g.chunks_exact(reals)) {
                    let (target, inv) = scales(row);
                    let along = dot(row, g) * inv * inv;
                    gx.extend(row.iter().zip(g).map(|(v, g)| target * inv * (g - v * along)));
                }
            })
        })??;
        Ok(Some(tensor(gx, (batch, reals))?))
    }
}

/// One burst's channel and equaliser together: ẑ = gain · z + offset, complex, symbol by symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Equaliser times h, (re, im).
    pub gain: (f32, f32),
    /// The equalised noise, interleaved I/Q.
    pub offset: Vec<f32>,
}

/// ẑ = gain · z + offset for each row of z `[batch, reals]`, complex numbers interleaved.
pub fn affine_channel(z: &Tensor, bursts: Vec<Affine>) -> Result<Tensor> {
    z.contiguous()?.apply_op1(AffineChannel(bursts))
}

struct AffineChannel(Vec<Affine>);

impl CustomOp1 for AffineChannel {
    fn name(&self) -> &'static str {
        "affine-channel"
    }

    fn cpu_fwd(&self, z: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, reals) = layout.shape().dims2()?;
        if batch != self.0.len() || self.0.iter().any(|b| b.offset.len() != reals) {
            candle_core::bail!("affine channel: {} bursts for z [{batch}, {reals}]", self.0.len());
        }
        let mut y = Vec::with_capacity(batch * reals);
        for (row, burst) in slice(z, layout)?.chunks_exact(reals).zip(&self.0) {
            let (re, im) = burst.gain;
            for (pair, offset) in row.chunks_exact(2).zip(burst.offset.chunks_exact(2)) {
                y.push(re * pair[0] - im * pair[1] + offset[0]);
                y.push(im * pair[0] + re * pair[1] + offset[1]);
            }
        }
        output(y, (batch, reals))
    }

    fn bwd(&self, z: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (batch, reals) = z.dims2()?;
        let mut gz = Vec::with_capacity(batch * reals);
        with_slice(grad, |g| {
            for (row, burst) in g.chunks_exact(reals).zip(&self.0) {
                let (re, im) = burst.gain;
                for pair in row.chunks_exact(2) {
                    gz.push(re * pair[0] + im * pair[1]);
                    gz.push(re * pair[1] - im * pair[0]);
                }
            }
        })?;
        Ok(Some(tensor(gz, (batch, reals))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, var};
    use super::*;

    #[test]
    fn power_is_one_and_the_gradient_exact() {
        let vars = [var(&[3, 10], 1)];
        let ours = || normalise_power(&vars[0]).unwrap();
        for row in ours().to_vec2::<f32>().unwrap() {
            let power = row.iter().map(|v| v * v).sum::<f32>() / 5.0;
            assert!((power - 1.0).abs() < 1e-5, "{power}");
        }
        let theirs = || {
            let norm = vars[0].sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
            (vars[0].broadcast_div(&norm).unwrap() * 5f64.sqrt()).unwrap()
        };
        composed(&vars, 1e-5, &ours, &theirs);
        finite_differences(&vars, 2e-3, &ours);
    }

    #[test]
    fn a_silent_burst_stays_finite() {
        let zero = tensor(vec![0.0; 4], (1, 4)).unwrap();
        assert_eq!(normalise_power(&zero).unwrap().to_vec2::<f32>().unwrap(), [[0.0; 4]]);
    }

    #[test]
    fn the_channel_is_a_complex_product_with_the_conjugate_gradient() {
        let vars = [var(&[2, 6], 1)];
        let burst = |re, im| Affine { gain: (re, im), offset: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6] };
        let ours = || affine_channel(&vars[0], vec![burst(0.5, -0.8), burst(1.0, 0.3)]).unwrap();
        let first = vars[0].to_vec2::<f32>().unwrap()[0].clone();
        let y = ours().to_vec2::<f32>().unwrap();
        assert!((y[0][0] - (0.5 * first[0] + 0.8 * first[1] + 0.1)).abs() < 1e-6);
        assert!((y[0][1] - (-0.8 * first[0] + 0.5 * first[1] + 0.2)).abs() < 1e-6);
        finite_differences(&vars, 1e-3, &ours);
    }
}
