//! Layers with exact gradients, the blocks of the paper, and the two halves of every scheme.

pub mod scheme;
