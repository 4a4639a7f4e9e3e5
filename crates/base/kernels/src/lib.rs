//! Numeric kernels on slices of `f32`. Each output is accumulated in one fixed order, so it has the same bits whatever
//! the batch, the tile or the instruction set. Differentiable layers (`latentlink-nn`) and pretrained extractors
//! (`latentlink-features`) use them.

pub mod depthwise;
pub mod matmul;
pub mod simd;
