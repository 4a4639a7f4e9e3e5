//! One pre-norm transformer block of the encoder.

use super::Config;
use crate::checkpoint::{CheckpointError, Tensors};
use crate::layers::{LayerNorm, Linear, add, attention, gelu, identity};

pub(super) struct Block {
    heads: usize,
    width: usize,
    attention_norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    feed_forward_norm: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Block {
    pub(super) fn load(tensors: &Tensors, index: usize, config: &Config) -> Result<Block, CheckpointError> {
        let (width, hidden) = (config.d_model, config.hidden());
        let name = |part: &str| format!("model.encoder.layers.{index}.{part}");
        let square = |part: &str, biased| Linear::load(tensors, &name(part), (width, width), biased);
        Ok(Block {
            heads: config.encoder_attention_heads,
            width,
            attention_norm: LayerNorm::load(tensors, &name("self_attn_layer_norm"), width)?,
            query: square("self_attn.q_proj", true)?,
            key: square("self_attn.k_proj", false)?,
            value: square("self_attn.v_proj", true)?,
            out: square("self_attn.out_proj", true)?,
            feed_forward_norm: LayerNorm::load(tensors, &name("final_layer_norm"), width)?,
            up: Linear::load(tensors, &name("fc1"), (width, hidden), true)?,
            down: Linear::load(tensors, &name("fc2"), (hidden, width), true)?,
        })
    }

    /// x `[frames, width]`, in place.
    pub(super) fn forward(&self, x: &mut [f32]) {
        let normed = self.attention_norm.forward(x);
        let [q, k, v] = [&self.query, &self.key, &self.value].map(|l| l.forward(&normed, identity));
        add(x, &self.out.forward(&attention(&q, &k, &v, self.width, self.heads), identity));
        let normed = self.feed_forward_norm.forward(x);
        add(x, &self.down.forward(&self.up.forward(&normed, gelu), identity));
    }
}
