//! Layer normalisation over the last dimension.

use super::simd::sum;
use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use kernels::multiversion;

/// y = γ·(x − mean)/√(var + eps) + β over each row of x `[rows, width]`; γ, β `[width]`. The variance is the mean squared
/// deviation, computed about the mean (not as E[x²] − E[x]²).
pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f32) -> Result<Tensor> {
    x.contiguous()?.apply_op3(gamma, beta, LayerNorm { eps })
}

struct LayerNorm {
    eps: f32,
}

/// Mean and 1/√(var + eps) of a row.
#[inline(always)]
fn moments(row: &[f32], eps: f32, centred: &mut [f32]) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = sum(row) / n;
    for (c, x) in centred.iter_mut().zip(row) {
        *c = x - mean;
    }
    let var = super::simd::dot(centred, centred) / n;
    (mean, 1.0 / (var + eps).sqrt())
}

multiversion! {
    fn forward(x: &[f32], gamma: &[f32], beta: &[f32], eps: f32, y: &mut [f32]) {
        let width = gamma.len();
        let mut centred = vec![0f32; width];
        for (row, out) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let (_, inv) = moments(row, eps, &mut centred);
            for j in 0..width {
                out[j] = (centred[j] * inv).mul_add(gamma[j], beta[j]);
            }
        }
    }
}

multiversion! {
    fn backward(x: &[f32], gamma: &[f32], eps: f32, g: &[f32], gx: &mut [f32], ggamma: &mut [f32], gbeta: &mut [f32]) {
        let width = gamma.len();
        let mut hat = vec![0f32; width];
        let mut scaled = vec![0f32; width];
        for ((row, g), out) in x.chunks_exact(width).zip(g.chunks_exact(width)).zip(gx.chunks_exact_mut(width)) {
            let (_, inv) = moments(row, eps, &mut hat);
            for j in 0..width {
                hat[j] *= inv;
                scaled[j] = g[j] * gamma[j];
                ggamma[j] += g[j] * hat[j];
                gbeta[j] += g[j];
            }
            let mean = sum(&scaled) / width as f32;
            let along = super::simd::dot(&scaled, &hat) / width as f32;
            for j in 0..width {
                out[j] = inv * (scaled[j] - mean - hat[j] * along);
            }
        }
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        gamma: &CpuStorage,
        gl: &Layout,
        beta: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = xl.shape().dims2()?;
        if gl.shape().dims1()? != width || bl.shape().dims1()? != width || width == 0 {
            candle_core::bail!("layer norm: x {:?}, gamma {:?}, beta {:?}", xl.shape(), gl.shape(), bl.shape());
        }
        let mut y = vec![0f32; rows * width];
        forward(slice(x, xl)?, slice(gamma, gl)?, slice(beta, bl)?, self.eps, &mut y);
        output(y, (rows, width))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        _beta: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, width) = x.dims2()?;
        let mut gx = vec![0f32; rows * width];
        let (mut ggamma, mut gbeta) = (vec![0f32; width], vec![0f32; width]);
        with_slice(x, |x| {
            with_slice(gamma, |gamma| {
                with_slice(grad, |g| backward(x, gamma, self.eps, g, &mut gx, &mut ggamma, &mut gbeta))
            })
        })???;
        Ok((Some(tensor(gx, (rows, width))?), Some(tensor(ggamma, width)?), Some(tensor(gbeta, width)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, var};
    use super::*;

    #[test]
    fn matches_the_composed_form_and_finite_differences() {
        let vars = [var(&[4, 21], 1), var(&[21], 2), var(&[21], 3)];
        let ours = || layer_norm(&vars[0], &vars[1], &vars[2], 1e-5).unwrap();
        composed(&vars, 1e-4, &ours, &|| candle_nn::ops::layer_norm_slow(&vars[0], &vars[1], &vars[2], 1e-5).unwrap());
        finite_differences(&vars, 2e-3, &ours);
    }

    #[test]
    fn keeps_its_accuracy_far_from_zero() {
        let x = tensor((0..16).map(|i| 1000.0 + i as f32 * 0.01).collect(), (1, 16)).unwrap();
        let (one, zero) = (tensor(vec![1.0; 16], 16).unwrap(), tensor(vec![0.0; 16], 16).unwrap());
        let y = layer_norm(&x, &one, &zero, 0.0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let variance = y.iter().map(|v| v * v).sum::<f32>() / 16.0;
        assert!((variance - 1.0).abs() < 1e-3, "{variance}");
    }
}
