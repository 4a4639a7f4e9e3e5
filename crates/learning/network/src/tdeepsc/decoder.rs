//! The decoder: learned queries that look at each other and at the received parts, post-LN.

use super::{Built, Sizes};
use candle_core::{D, Result, Tensor};
use nn::layers::{LayerNorm, Linear, Run};
use nn::ops::{self, Activation, Offsets};
use nn::params::{Init, Scope};

/// What the receiver may be told of a burst beside its symbols.
const SIDE_INFORMATION: usize = 1;

/// Received parts → one vector a burst.
pub struct Decoder {
    /// One map a part of the burst, and how many reals it has.
    memory: Vec<(usize, Linear)>,
    side_information: Option<Linear>,
    queries: Tensor,
    layers: Vec<Layer>,
}

impl Decoder {
    /// For parts of these lengths.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(scope: &Scope, lengths: &[usize], sizes: &Sizes, dropout: f32) -> Built<Self> {
        let (width, heads) = sizes.decoder;
        let memory = |(i, reals): (usize, &usize)| {
            Ok((*reals, Linear::new(&scope.at("memory").at(i), *reals, width, Activation::Identity)?))
        };
        let side = || Linear::new(&scope.at("side"), SIDE_INFORMATION, width, Activation::Identity);
        Ok(Decoder {
            memory: lengths.iter().enumerate().map(memory).collect::<Built<_>>()?,
            side_information: sizes.side_information.then(side).transpose()?,
            queries: scope.get("queries", &[sizes.queries, width], Init::Normal(0.5))?,
            layers: (0..sizes.decoder_layers)
                .map(|i| Layer::new(&scope.at(i), width, heads, sizes.feed_forward, dropout))
                .collect::<Built<_>>()?,
        })
    }

    /// Ẑ `[bursts, reals]` → `[bursts, width]`, the mean over the queries.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, received: &Tensor, rho: &[f32], run: &mut Run) -> Result<Tensor> {
        let bursts = received.dim(0)?;
        let (mut at, mut tokens) = (0, Vec::with_capacity(self.memory.len() + 1));
        for (reals, linear) in &self.memory {
            tokens.push(linear.forward(&received.narrow(1, at, *reals)?)?.unsqueeze(1)?);
            at += reals;
        }
        if let Some(side) = &self.side_information {
            tokens.push(side.forward(&ops::tensor(rho.to_vec(), (bursts, SIDE_INFORMATION))?)?.unsqueeze(1)?);
        }
        let memory = Tensor::cat(&tokens, 1)?;
        let (queries, width) = self.queries.dims2()?;
        let offsets = Offsets::from_lengths(std::iter::repeat_n(queries, bursts));
        let mut x = self.queries.unsqueeze(0)?.broadcast_as((bursts, queries, width))?.contiguous()?;
        x = x.reshape((bursts * queries, width))?;
        for layer in &self.layers {
            x = layer.forward(&x, &offsets, &memory, run)?;
        }
        ops::mean_frames(&x, &offsets)
    }
}

struct Layer {
    qkv: Linear,
    out: Linear,
    norm: LayerNorm,
    query: Linear,
    key_value: Linear,
    cross_out: Linear,
    cross_norm: LayerNorm,
    up: Linear,
    down: Linear,
    last_norm: LayerNorm,
    heads: usize,
    dropout: f32,
}

impl Layer {
    fn new(scope: &Scope, width: usize, heads: usize, feed_forward: usize, dropout: f32) -> Built<Self> {
        let linear = |name: &str, inputs, outputs| Linear::new(&scope.at(name), inputs, outputs, Activation::Identity);
        let norm = |name: &str| LayerNorm::new(&scope.at(name), width, 1e-5);
        Ok(Layer {
            qkv: linear("qkv", width, 3 * width)?,
            out: linear("out", width, width)?,
            norm: norm("norm")?,
            query: linear("query", width, width)?,
            key_value: linear("key_value", width, 2 * width)?,
            cross_out: linear("cross_out", width, width)?,
            cross_norm: norm("cross_norm")?,
            up: Linear::new(&scope.at("up"), width, feed_forward, Activation::Relu)?,
            down: linear("down", feed_forward, width)?,
            last_norm: norm("last_norm")?,
            heads,
            dropout,
        })
    }

    fn forward(&self, x: &Tensor, offsets: &Offsets, memory: &Tensor, run: &mut Run) -> Result<Tensor> {
        let attended = ops::attention(&self.qkv.forward(x)?, offsets, self.heads, run.mask(self.dropout))?;
        let attended = ops::dropout(&self.out.forward(&attended)?, run.mask(self.dropout))?;
        let x = self.norm.forward(&(x + attended)?)?;
        let looked = ops::dropout(&self.look(&x, memory)?, run.mask(self.dropout))?;
        let x = self.cross_norm.forward(&(&x + looked)?)?;
        let inner = ops::dropout(&self.up.forward(&x)?, run.mask(self.dropout))?;
        let inner = ops::dropout(&self.down.forward(&inner)?, run.mask(self.dropout))?;
        self.last_norm.forward(&(x + inner)?)
    }

    /// Attention of the queries `[bursts · queries, width]` to the memory `[bursts, tokens, width]`. Each product is of one
    /// burst and one head, so its bits do not depend on the batch.
    fn look(&self, x: &Tensor, memory: &Tensor) -> Result<Tensor> {
        let (bursts, tokens, width) = memory.dims3()?;
        let (queries, head) = (x.dim(0)? / bursts, width / self.heads);
        let split = |t: Tensor, rows: usize| t.reshape((bursts, rows, self.heads, head))?.transpose(1, 2)?.contiguous();
        let query = split(self.query.forward(x)?, queries)?;
        let key_value = self.key_value.forward(&memory.reshape((bursts * tokens, width))?)?;
        let key = split(key_value.narrow(1, 0, width)?.contiguous()?, tokens)?;
        let value = split(key_value.narrow(1, width, width)?.contiguous()?, tokens)?;
        let scores = (query.matmul(&key.t()?.contiguous()?)? / (head as f64).sqrt())?;
        // The maximum only keeps the exponential in range; it cancels, so it needs no gradient.
        let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
        let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
        let looked = weights.matmul(&value)?.transpose(1, 2)?.contiguous()?;
        self.cross_out.forward(&looked.reshape((bursts * queries, width))?)
    }
}
