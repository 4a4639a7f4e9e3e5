//! Numeric kernels on slices of f32 whose every output is accumulated in one fixed order: the same bits whatever the
//! batch, the tile or the instruction set. Layers with gradients (`latentlink-model`) and pretrained extractors
//! (`latentlink-extract`) stand on them.

pub mod depthwise;
pub mod matmul;
pub mod simd;
