//! The Gaussian variational bottleneck, eq. (9): reparametrised samples and the closed-form divergence.

use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

/// A diagonal Gaussian for each row.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// Mean μ `[batch, width]`.
    pub mu: Tensor,
    /// Standard deviation σ > 0 `[batch, width]`.
    pub sigma: Tensor,
}

/// z = μ + σ ⊙ ε with ε `[batch, width]` standard normal.
pub fn sample(gaussian: &Gaussian, epsilon: &Tensor) -> Result<Tensor> {
    &gaussian.mu + (&gaussian.sigma * epsilon)?
}

/// KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² − 2 ln σ − 1) of each row, in nats: → `[batch]`.
pub fn kl(gaussian: &Gaussian) -> Result<Tensor> {
    gaussian.mu.contiguous()?.apply_op2(&gaussian.sigma.contiguous()?, Kl)
}

struct Kl;

impl CustomOp2 for Kl {
    fn name(&self) -> &'static str {
        "kl"
    }

    fn cpu_fwd(&self, mu: &CpuStorage, ml: &Layout, sigma: &CpuStorage, sl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, width) = ml.shape().dims2()?;
        let (mu, sigma) = (slice(mu, ml)?, slice(sigma, sl)?);
        let rows = mu.chunks_exact(width).zip(sigma.chunks_exact(width));
        let term = |(m, s): (&f32, &f32)| 0.5 * (m * m + s * s - 2.0 * s.ln() - 1.0);
        let kl = rows.map(|(mu, sigma)| mu.iter().zip(sigma).map(term).sum()).collect();
        output(kl, batch)
    }

    fn bwd(&self, mu: &Tensor, sigma: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (batch, width) = mu.dims2()?;
        let grad = grad.to_vec1::<f32>()?;
        let gmu = with_slice(mu, |mu| mu.iter().enumerate().map(|(i, m)| grad[i / width] * m).collect())?;
        let gsigma =
            with_slice(sigma, |s| s.iter().enumerate().map(|(i, s)| grad[i / width] * (s - 1.0 / s)).collect())?;
        Ok((Some(tensor(gmu, (batch, width))?), Some(tensor(gsigma, (batch, width))?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, var};
    use super::*;

    #[test]
    fn divergence_matches_the_composed_form_and_finite_differences() {
        let vars = [var(&[3, 4], 1), var(&[3, 4], 2)];
        let gaussian = || Gaussian { mu: vars[0].as_tensor().clone(), sigma: vars[1].affine(0.3, 1.0).unwrap() };
        let ours = || kl(&gaussian()).unwrap();
        let theirs = || {
            let Gaussian { mu, sigma } = gaussian();
            let terms = (mu.sqr().unwrap() + sigma.sqr().unwrap()).unwrap();
            let terms = (terms - (sigma.log().unwrap() * 2.0).unwrap()).unwrap();
            (((terms - 1.0).unwrap()).sum(1).unwrap() * 0.5).unwrap()
        };
        composed(&vars, 1e-5, &ours, &theirs);
        finite_differences(&vars, 2e-3, &ours);
    }

    #[test]
    fn samples_have_the_exact_reparametrised_gradient() {
        let vars = [var(&[2, 3], 1), var(&[2, 3], 2)];
        let epsilon = var(&[2, 3], 3);
        let draw = || {
            let gaussian = Gaussian { mu: vars[0].as_tensor().clone(), sigma: vars[1].as_tensor().clone() };
            sample(&gaussian, epsilon.as_tensor()).unwrap()
        };
        finite_differences(&vars, 1e-3, &draw);
    }
}
