//! Element-wise functions that candle lacks or does without a gradient.

use super::simd::exp;
use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use kernels::multiversion;

/// The Gaussian error linear unit's two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeluForm {
    /// x·Φ(x).
    Erf,
    /// The approximation by tanh (`gelu_new`, `gelu_pytorch_tanh`).
    Tanh,
}

/// GELU of each element.
pub fn gelu(x: &Tensor, form: GeluForm) -> Result<Tensor> {
    let function = match form {
        GeluForm::Erf => Function::GeluErf,
        GeluForm::Tanh => Function::GeluTanh,
    };
    x.contiguous()?.apply_op1(function)
}

/// ln(1 + eˣ) of each element.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Function::Softplus)
}

#[derive(Clone, Copy)]
enum Function {
    GeluErf,
    GeluTanh,
    Softplus,
}

const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// erf(x) to 1.5e-7 (Abramowitz and Stegun, 7.1.26).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / 0.327_591_1f32.mul_add(a, 1.0);
    let mut p = 1.061_405_4f32;
    p = p.mul_add(t, -1.453_152);
    p = p.mul_add(t, 1.421_413_7);
    p = p.mul_add(t, -0.284_496_74);
    p = p.mul_add(t, 0.254_829_6);
    let y = 1.0 - p * t * exp(-a * a);
    if x < 0.0 { -y } else { y }
}

/// tanh(x), to the accuracy of [`exp`].
#[inline(always)]
fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// The argument of tanh in the tanh form, and its derivative.
#[inline(always)]
fn inner(x: f32) -> (f32, f32) {
    const C: f32 = 0.797_884_6;
    const A: f32 = 0.044_715;
    (C * (x + A * x * x * x), C * (1.0 + 3.0 * A * x * x))
}

multiversion! {
    fn gelu_erf(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = 0.5 * x * (1.0 + erf(x * INV_SQRT_2));
        }
    }
}

multiversion! {
    fn gelu_erf_backward(x: &[f32], g: &mut [f32]) {
        for (g, x) in g.iter_mut().zip(x) {
            let density = INV_SQRT_2PI * exp(-0.5 * x * x);
            *g *= 0.5 * (1.0 + erf(x * INV_SQRT_2)) + x * density;
        }
    }
}

multiversion! {
    fn gelu_tanh(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = 0.5 * x * (1.0 + tanh(inner(*x).0));
        }
    }
}

multiversion! {
    fn gelu_tanh_backward(x: &[f32], g: &mut [f32]) {
        for (g, x) in g.iter_mut().zip(x) {
            let (u, du) = inner(*x);
            let t = tanh(u);
            *g *= 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du;
        }
    }
}

multiversion! {
    fn softplus_backward(x: &[f32], g: &mut [f32]) {
        for (g, x) in g.iter_mut().zip(x) {
            *g /= 1.0 + exp(-x);
        }
    }
}

impl CustomOp1 for Function {
    fn name(&self) -> &'static str {
        match self {
            Function::GeluErf => "gelu",
            Function::GeluTanh => "gelu-tanh",
            Function::Softplus => "softplus",
        }
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let mut y = vec![0f32; x.len()];
        match self {
            Function::GeluErf => gelu_erf(x, &mut y),
            Function::GeluTanh => gelu_tanh(x, &mut y),
            // ln_1p keeps the small values that a σ close to zero is made of.
            Function::Softplus => y.iter_mut().zip(x).for_each(|(y, x)| *y = x.max(0.0) + (-x.abs()).exp().ln_1p()),
        }
        output(y, layout.shape().clone())
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut g = with_slice(grad, |g| g.to_vec())?;
        with_slice(x, |x| match self {
            Function::GeluErf => gelu_erf_backward(x, &mut g),
            Function::GeluTanh => gelu_tanh_backward(x, &mut g),
            Function::Softplus => softplus_backward(x, &mut g),
        })?;
        Ok(Some(tensor(g, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, var};
    use super::*;
    use candle_core::Var;

    #[test]
    fn functions_match_the_composed_forms_and_finite_differences() {
        let vars = [Var::from_tensor(&var(&[64], 1).affine(4.0, 0.0).unwrap()).unwrap()];
        let erf = || gelu(&vars[0], GeluForm::Erf).unwrap();
        let tanh = || gelu(&vars[0], GeluForm::Tanh).unwrap();
        let plus = || softplus(&vars[0]).unwrap();
        composed(&vars, 1e-5, &erf, &|| vars[0].gelu_erf().unwrap());
        composed(&vars, 1e-5, &tanh, &|| vars[0].gelu().unwrap());
        composed(&vars, 1e-5, &plus, &|| (vars[0].exp().unwrap() + 1.0).unwrap().log().unwrap());
        for f in [&erf as &dyn Fn() -> Tensor, &tanh, &plus] {
            finite_differences(&vars, 2e-3, f);
        }
    }

    #[test]
    fn softplus_neither_overflows_nor_vanishes() {
        let x = tensor(vec![-30.0, 0.0, 100.0], 3).unwrap();
        let y = softplus(&x).unwrap().to_vec1::<f32>().unwrap();
        assert!(y[0] > 0.0 && y[0] < 1e-12 && (y[1] - 2f32.ln()).abs() < 1e-7 && y[2] == 100.0);
    }
}
