//! The gradient reversal layer, eq. (39).

use super::{output, slice};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// The identity forward; −scale times the gradient backward.
pub fn reverse_gradient(x: &Tensor, scale: f32) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Reversal(scale))
}

struct Reversal(f32);

impl CustomOp1 for Reversal {
    fn name(&self) -> &'static str {
        "gradient-reversal"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        output(slice(x, layout)?.to_vec(), layout.shape().clone())
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(grad.affine(-self.0 as f64, 0.0)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{gradients, var};
    use super::*;

    #[test]
    fn forward_is_the_identity_and_backward_the_scaled_opposite() {
        let vars = [var(&[3, 4], 1)];
        let plain = gradients(&vars, &|| vars[0].affine(2.0, 0.0).unwrap());
        let reversed = gradients(&vars, &|| reverse_gradient(&vars[0], 0.5).unwrap().affine(2.0, 0.0).unwrap());
        assert_eq!(
            reverse_gradient(&vars[0], 0.5).unwrap().to_vec2::<f32>().unwrap(),
            vars[0].to_vec2::<f32>().unwrap()
        );
        for (p, r) in plain[0].iter().zip(&reversed[0]) {
            assert_eq!(-0.5 * p, *r);
        }
    }
}
