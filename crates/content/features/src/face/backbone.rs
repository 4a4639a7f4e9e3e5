//! The dense blocks that face-api's landmark and expression networks share, and the linear layer on top.

use super::convolution::{Convolution, Separable, relu};
use super::map::{Map, Padding};
use super::picture::{Picture, Place, Region};
use super::shards::Shards;
use crate::checkpoint::CheckpointError;
use crate::layers::{Linear, add, identity};

/// Pixels of the square that the networks see, a side.
pub(crate) const SIDE: usize = 112;
/// Width of what the backbone makes of a picture.
pub(crate) const FEATURES: usize = 256;
const MEAN_RGB: [f32; 3] = [122.782, 117.001, 104.298];

/// The convolution that a block begins with; it halves the map.
enum Entry {
    Full(Convolution),
    Separable(Separable),
}

/// A block: each convolution gets the sum of all before it.
struct Block {
    entry: Entry,
    rest: [Separable; 3],
}

impl Block {
    fn load(shards: &Shards, index: usize, inputs: usize, outputs: usize) -> Result<Block, CheckpointError> {
        let name = |i: usize| format!("dense{index}/conv{i}");
        let entry = match index {
            0 => Entry::Full(Convolution::load(shards, &name(0), 3, (inputs, outputs), (2, Padding::Same))?),
            _ => Entry::Separable(Separable::load(shards, &name(0), (inputs, outputs), 2)?),
        };
        let next = |i: usize| Separable::load(shards, &name(i), (outputs, outputs), 1);
        Ok(Block { entry, rest: [next(1)?, next(2)?, next(3)?] })
    }

    fn forward(&self, x: &Map) -> Map {
        let first = match &self.entry {
            Entry::Full(convolution) => convolution.forward(x, relu),
            Entry::Separable(convolution) => convolution.forward(x, relu),
        };
        let mut total = first.clone();
        let mut x = first;
        for convolution in &self.rest {
            add(&mut total.data, &convolution.forward(&x, identity).data);
            x.data.iter_mut().zip(&total.data).for_each(|(x, t)| *x = relu(*t));
        }
        x
    }
}

/// Four blocks, the mean over the map, a linear layer.
pub(crate) struct Network {
    blocks: Vec<Block>,
    output: Linear,
}

impl Network {
    /// With so many outputs.
    pub(crate) fn from_shards(shards: &Shards, outputs: usize) -> Result<Network, CheckpointError> {
        let widths = [3, FEATURES / 8, FEATURES / 4, FEATURES / 2, FEATURES];
        let block = |i: usize| Block::load(shards, i, widths[i], widths[i + 1]);
        let blocks = (0..4).map(block).collect::<Result<_, _>>()?;
        let weight = shards.get("fc/weights", &[FEATURES, outputs])?;
        let mut transposed = vec![0.0; weight.len()];
        kernels::matmul::transpose(&weight, FEATURES, outputs, &mut transposed);
        let output = Linear::new(&transposed, shards.get("fc/bias", &[outputs])?, FEATURES);
        Ok(Network { blocks, output })
    }

    /// A region of a picture → the features `[FEATURES]` and the outputs.
    pub(crate) fn forward(&self, picture: Picture, region: Region) -> (Vec<f32>, Vec<f32>) {
        let mut x = picture.square(region, Place::Middle, SIDE, MEAN_RGB);
        for block in &self.blocks {
            x = block.forward(&x);
        }
        let features = x.mean();
        let outputs = self.output.forward(&features, identity);
        (features, outputs)
    }
}
