//! y = f(x·W + b), with the activation fused.

use super::matmul::{Operand, Start, matmul, transpose};
use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

/// What follows the affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// max(0, ·).
    Relu,
}

/// y = activation(x·W + b): x `[rows, inputs]`, W `[inputs, outputs]`, b `[outputs]` → `[rows, outputs]`.
///
/// W is stored inputs × outputs, the transpose of PyTorch's.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    // Only an input on the tape needs a gradient; features do not, and they are the widest operand there is.
    let input_gradient = x.track_op();
    x.contiguous()?.apply_op3(w, b, Linear { activation, input_gradient })
}

struct Linear {
    activation: Activation,
    input_gradient: bool,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = xl.shape().dims2()?;
        let (w_inputs, outputs) = wl.shape().dims2()?;
        if inputs != w_inputs || bl.shape().dims1()? != outputs {
            candle_core::bail!("linear: x {:?}, w {:?}, b {:?}", xl.shape(), wl.shape(), bl.shape());
        }
        let mut y = vec![0f32; rows * outputs];
        let x = Operand::rows(slice(x, xl)?, inputs);
        matmul((rows, inputs, outputs), x, slice(w, wl)?, outputs, Start::Bias(slice(b, bl)?), &mut y, outputs);
        if self.activation == Activation::Relu {
            y.iter_mut().for_each(|v| *v = v.max(0.0));
        }
        output(y, (rows, outputs))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, inputs) = x.dims2()?;
        let outputs = w.dim(1)?;
        let grad: Vec<f32> = with_slice(grad, |g| match self.activation {
            Activation::Identity => Ok(g.to_vec()),
            Activation::Relu => {
                with_slice(y, |y| g.iter().zip(y).map(|(g, y)| if *y > 0.0 { *g } else { 0.0 }).collect())
            }
        })??;
        let gx = if self.input_gradient {
            let mut wt = vec![0f32; inputs * outputs];
            with_slice(w, |w| transpose(w, inputs, outputs, &mut wt))?;
            let mut gx = vec![0f32; rows * inputs];
            let g = Operand::rows(&grad, outputs);
            matmul((rows, outputs, inputs), g, &wt, inputs, Start::Zero, &mut gx, inputs);
            Some(tensor(gx, (rows, inputs))?)
        } else {
            None
        };
        let gw = if w.track_op() {
            let mut gw = vec![0f32; inputs * outputs];
            with_slice(x, |x| {
                let xt = Operand::transposed(x, inputs);
                matmul((inputs, rows, outputs), xt, &grad, outputs, Start::Zero, &mut gw, outputs);
            })?;
            Some(tensor(gw, (inputs, outputs))?)
        } else {
            None
        };
        let gb = if b.track_op() {
            let mut gb = vec![0f32; outputs];
            for row in grad.chunks_exact(outputs.max(1)) {
                gb.iter_mut().zip(row).for_each(|(s, g)| *s += g);
            }
            Some(tensor(gb, outputs)?)
        } else {
            None
        };
        Ok((gx, gw, gb))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, var};
    use super::*;

    #[test]
    fn matches_the_composed_form_and_finite_differences() {
        let vars = [var(&[5, 7], 1), var(&[7, 3], 2), var(&[3], 3)];
        let ours = |activation| {
            let vars = vars.clone();
            move || linear(&vars[0], &vars[1], &vars[2], activation).unwrap()
        };
        let theirs = || vars[0].matmul(&vars[1]).unwrap().broadcast_add(&vars[2]).unwrap();
        composed(&vars, 1e-5, &ours(Activation::Identity), &theirs);
        composed(&vars, 1e-5, &ours(Activation::Relu), &|| theirs().relu().unwrap());
        finite_differences(&vars, 2e-3, &ours(Activation::Identity));
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let error = linear(&var(&[5, 7], 1), &var(&[6, 3], 2), &var(&[3], 3), Activation::Identity).unwrap_err();
        assert!(error.to_string().contains("[5, 7]"), "{error}");
    }
}
