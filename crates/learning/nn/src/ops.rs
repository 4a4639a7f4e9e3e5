//! Differentiable operations on CPU tensors of f32, each with its exact gradient.
//!
//! Candle gives the tensor, the tape and element-wise operations; what it lacks a gradient for or does slowly is here,
//! as custom operations. A batch of sequences is *packed*: one tensor `[frames, width]` that holds the frames of all
//! sequences one after the other, and their [`Offsets`]. There is no padding, hence nothing to mask.

mod attention;
mod bottleneck;
mod channel;
mod dropout;
mod elementwise;
mod layer_norm;
mod linear;
mod packed;
mod reversal;

pub use attention::attention;
pub use bottleneck::{Gaussian, kl, sample};
pub use channel::{Affine, affine_channel, normalise_power};
pub use dropout::dropout;
pub use elementwise::{GeluForm, gelu, softplus};
pub use layer_norm::layer_norm;
pub use linear::{Activation, linear};
pub use packed::{Offsets, mean_frames, neighbours};
pub use reversal::reverse_gradient;

pub use kernels::{matmul, simd};

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, Tensor};

/// The elements of a contiguous f32 tensor, as a custom operation's forward pass gets it.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else { candle_core::bail!("the operand is not contiguous") };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// What a custom operation's forward pass returns.
fn output(data: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(data), shape.into()))
}

/// Calls `f` with the elements of a tensor, without a copy where it is contiguous.
pub fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(slice(storage, layout)?)),
        _ => candle_core::bail!("only CPU tensors are supported"),
    }
}

/// A CPU tensor from its elements.
pub fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}

#[cfg(any(test, feature = "check"))]
pub mod check;
