//! δ^m: the extractor of one modality, features of any length to one vector a clip.

use crate::batch::Packed;
use crate::config::{Config, Dropout};
use candle_core::{Result, Tensor};
use nn::layers::{Convolution, LayerNorm, Linear, Run};
use nn::ops::{self, Activation, Offsets};
use nn::params::{ParamError, Scope};
use sequences::Modality;

/// The extractor of a modality.
pub struct Extractor {
    convolution: Convolution,
    transformer: Option<Transformer>,
    dropout: Dropout,
}

impl Extractor {
    /// Text: a convolution, for the text encoder has looked at the context already. Audio and visual: a convolution
    /// and a transformer.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(
        scope: &Scope,
        config: &Config,
        modality: Modality,
        inputs: usize,
    ) -> std::result::Result<Self, ParamError> {
        let transformer = match modality {
            Modality::Text => None,
            Modality::Audio | Modality::Visual => Some(Transformer::new(&scope.at("transformer"), config)?),
        };
        let convolution = Convolution::new(&scope.at("convolution"), inputs, config.width)?;
        Ok(Extractor { convolution, transformer, dropout: config.dropout })
    }

    /// Frames `[frames, inputs]` → X^m `[clips, width]`; zero for a clip without frames.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, packed: &Packed, run: &mut Run) -> Result<Tensor> {
        let offsets = &packed.offsets;
        match &self.transformer {
            None => {
                let frames = ops::dropout(&packed.frames, run.mask(self.dropout.text))?;
                ops::mean_frames(&self.convolution.forward(&frames, offsets)?, offsets)
            }
            Some(transformer) => {
                let x = self.convolution.forward(&packed.frames, offsets)?;
                ops::mean_frames(&transformer.forward(&x, offsets, run)?, offsets)
            }
        }
    }
}

/// A pre-LN transformer encoder with sinusoidal positions.
struct Transformer {
    blocks: Vec<Block>,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Transformer {
    fn new(scope: &Scope, config: &Config) -> std::result::Result<Self, ParamError> {
        let Config { width, heads, feed_forward, dropout, .. } = *config;
        let sizes = BlockSizes { width, heads, feed_forward, dropout };
        let blocks =
            (0..config.layers).map(|i| Block::new(&scope.at(i), &sizes)).collect::<std::result::Result<_, _>>()?;
        Ok(Transformer {
            blocks,
            norm: LayerNorm::new(&scope.at("norm"), config.width, 1e-5)?,
            dropout: config.dropout,
        })
    }

    /// x `[frames, width]` → the same shape.
    fn forward(&self, x: &Tensor, offsets: &Offsets, run: &mut Run) -> Result<Tensor> {
        let (frames, width) = x.dims2()?;
        let mut encoding = Vec::with_capacity(frames * width);
        offsets.ranges().for_each(|range| sinusoids(range.len(), width, &mut encoding));
        let embedded = (x * (width as f64).sqrt())?.add(&ops::tensor(encoding, (frames, width))?)?;
        let mut x = ops::dropout(&embedded, run.mask(self.dropout.embedding))?;
        for block in &self.blocks {
            x = block.forward(&x, offsets, run)?;
        }
        self.norm.forward(&x)
    }
}

/// Appends the sinusoidal embeddings of positions 1, 2, … `[frames, width]` to `into`: the first half of the columns sines, the second cosines.
pub fn sinusoids(frames: usize, width: usize, into: &mut Vec<f32>) {
    let half = width / 2;
    let step = -(10_000f64.ln()) / (half.max(2) - 1) as f64;
    for position in 1..=frames {
        let angle = |i: usize| position as f64 * (i as f64 * step).exp();
        into.extend((0..half).map(|i| angle(i).sin() as f32));
        into.extend((0..half).map(|i| angle(i).cos() as f32));
        into.extend(std::iter::repeat_n(0.0, width - 2 * half));
    }
}

/// Sizes of a [`Block`].
#[derive(Clone, Copy, Debug)]
pub struct BlockSizes {
    /// Values of a frame, d.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Inner width of the feed-forward part.
    pub feed_forward: usize,
    /// Probabilities of dropout in training.
    pub dropout: Dropout,
}

/// A block of a pre-LN transformer encoder.
pub struct Block {
    attention_norm: LayerNorm,
    qkv: Linear,
    out: Linear,
    norm: LayerNorm,
    up: Linear,
    down: Linear,
    heads: usize,
    dropout: Dropout,
}

impl Block {
    /// A block on the parameters at `scope`.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(scope: &Scope, sizes: &BlockSizes) -> std::result::Result<Self, ParamError> {
        let d = sizes.width;
        Ok(Block {
            attention_norm: LayerNorm::new(&scope.at("attention_norm"), d, 1e-5)?,
            qkv: Linear::new(&scope.at("qkv"), d, 3 * d, Activation::Identity)?,
            out: Linear::new(&scope.at("out"), d, d, Activation::Identity)?,
            norm: LayerNorm::new(&scope.at("norm"), d, 1e-5)?,
            up: Linear::new(&scope.at("up"), d, sizes.feed_forward, Activation::Relu)?,
            down: Linear::new(&scope.at("down"), sizes.feed_forward, d, Activation::Identity)?,
            heads: sizes.heads,
            dropout: sizes.dropout,
        })
    }

    /// Packed frames `[frames, width]` → `[frames, width]`; frames attend within their sequence alone.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, x: &Tensor, offsets: &Offsets, run: &mut Run) -> Result<Tensor> {
        let qkv = self.qkv.forward(&self.attention_norm.forward(x)?)?;
        let attended = ops::attention(&qkv, offsets, self.heads, run.mask(self.dropout.attention))?;
        let attended = self.out.forward(&attended)?;
        let x = (x + ops::dropout(&attended, run.mask(self.dropout.residual))?)?;
        let inner = self.up.forward(&self.norm.forward(&x)?)?;
        let inner = ops::dropout(&inner, run.mask(self.dropout.relu))?;
        let inner = self.down.forward(&inner)?;
        x + ops::dropout(&inner, run.mask(self.dropout.residual))?
    }
}
