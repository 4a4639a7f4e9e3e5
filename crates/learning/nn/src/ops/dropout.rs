//! Dropout with a mask drawn from our own generator.

use super::{output, slice, tensor, with_slice};
use crate::random::Mask;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::sync::Mutex;

/// Each element times 0 or 1/(1 − p); the identity without a mask.
pub fn dropout(x: &Tensor, mask: Option<Mask>) -> Result<Tensor> {
    match mask {
        None => Ok(x.clone()),
        Some(mask) => x.contiguous()?.apply_op1(Dropout { mask, factors: Mutex::new(Vec::new()) }),
    }
}

struct Dropout {
    mask: Mask,
    factors: Mutex<Vec<f32>>,
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let factors = self.mask.factors(x.len());
        let y = x.iter().zip(&factors).map(|(x, f)| x * f).collect();
        *self.factors.lock().expect("no panic holds it") = factors;
        output(y, layout.shape().clone())
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let factors = self.factors.lock().expect("no panic holds it");
        let gx = with_slice(grad, |g| g.iter().zip(factors.iter()).map(|(g, f)| g * f).collect())?;
        Ok(Some(tensor(gx, grad.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{finite_differences, var};
    use super::*;
    use crate::random::Stream;

    #[test]
    fn gradient_matches_finite_differences() {
        let vars = [var(&[6, 5], 1)];
        finite_differences(&vars, 1e-3, &|| dropout(&vars[0], Some(Stream::new(3, &[]).mask(0.4))).unwrap());
    }

    #[test]
    fn keeps_the_mean_and_drops_the_stated_share() {
        let n = 100_000;
        let one = tensor(vec![1.0; n], n).unwrap();
        let y = dropout(&one, Some(Stream::new(1, &[]).mask(0.3))).unwrap().to_vec1::<f32>().unwrap();
        let dropped = y.iter().filter(|v| **v == 0.0).count() as f64 / n as f64;
        // 77/256; four standard deviations: false alarm 6e-5.
        let p = 77.0 / 256.0;
        assert!((dropped - p).abs() < 4.0 * (p * (1.0 - p) / n as f64).sqrt(), "{dropped}");
        let mean = y.iter().sum::<f32>() / n as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }
}
