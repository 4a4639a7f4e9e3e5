//! Layers made of the operations: parameters, shapes and initial values.

use crate::ops::{self, Activation, Gaussian, Offsets};
use crate::params::{Init, ParamError, Scope};
use crate::random::{Mask, Stream};
use candle_core::{Result, Tensor};

/// How a network is run: deterministic, or with noise and dropout from a stream.
pub struct Run {
    stream: Option<Stream>,
}

impl Run {
    /// No dropout; a bottleneck answers with its mean.
    pub fn evaluating() -> Self {
        Run { stream: None }
    }

    /// Dropout and bottleneck noise from `stream`.
    pub fn training(stream: Stream) -> Self {
        Run { stream: Some(stream) }
    }

    /// A dropout mask of probability `p`, when training.
    pub fn mask(&mut self, p: f32) -> Option<Mask> {
        self.stream.as_mut().filter(|_| p > 0.0).map(|stream| stream.mask(p))
    }

    /// A sample of the bottleneck when training, its mean else.
    ///
    /// # Errors
    /// Candle's.
    pub fn sample(&mut self, gaussian: &Gaussian) -> Result<Tensor> {
        match &mut self.stream {
            None => Ok(gaussian.mu.clone()),
            Some(stream) => {
                let epsilon = ops::tensor(stream.normals(gaussian.mu.elem_count()), gaussian.mu.shape())?;
                ops::sample(gaussian, &epsilon)
            }
        }
    }

    /// The stream, when training.
    pub fn stream(&mut self) -> Option<&mut Stream> {
        self.stream.as_mut()
    }
}

/// An affine map with an optional activation: `[rows, inputs]` → `[rows, outputs]`.
#[derive(Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
    activation: Activation,
}

impl Linear {
    /// Weights and bias uniform on ±1/√inputs.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(
        scope: &Scope,
        inputs: usize,
        outputs: usize,
        activation: Activation,
    ) -> std::result::Result<Self, ParamError> {
        let bound = Init::Uniform(1.0 / (inputs.max(1) as f32).sqrt());
        let weight = scope.get("weight", &[inputs, outputs], bound)?;
        Ok(Linear { weight, bias: scope.get("bias", &[outputs], bound)?, activation })
    }

    /// x `[rows, inputs]` → `[rows, outputs]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::linear(x, &self.weight, &self.bias, self.activation)
    }
}

/// Layer normalisation with scale and shift, eps 1e-5.
#[derive(Clone)]
pub struct LayerNorm {
    gamma: Tensor,
    beta: Tensor,
    eps: f32,
}

impl LayerNorm {
    /// Begins as plain normalisation.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, width: usize, eps: f32) -> std::result::Result<Self, ParamError> {
        let gamma = scope.get("weight", &[width], Init::Constant(1.0))?;
        Ok(LayerNorm { gamma, beta: scope.get("bias", &[width], Init::Constant(0.0))?, eps })
    }

    /// x `[rows, width]` → the same shape.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm(x, &self.gamma, &self.beta, self.eps)
    }
}

/// A 1-D convolution of kernel 3 with same padding over each sequence of a packed batch.
#[derive(Clone)]
pub struct Convolution(Linear);

impl Convolution {
    /// `inputs` to `outputs` channels.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, inputs: usize, outputs: usize) -> std::result::Result<Self, ParamError> {
        Ok(Convolution(Linear::new(scope, 3 * inputs, outputs, Activation::Identity)?))
    }

    /// x `[frames, inputs]` → `[frames, outputs]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, x: &Tensor, offsets: &Offsets) -> Result<Tensor> {
        self.0.forward(&ops::neighbours(x, offsets)?)
    }
}
