//! Layers with exact gradients, the blocks of the paper, and the two halves of every scheme.

pub mod bert;
pub mod layers;
pub mod ops;
pub mod params;
pub mod random;
pub mod scheme;
pub mod weights;
