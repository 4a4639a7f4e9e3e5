//! The encoder: embeddings, then post-LN transformer layers, over packed sentences.

use super::{BertError, Config, HiddenAct, Tokenizer};
use crate::layers::{LayerNorm, Linear, Run};
use crate::ops::{self, Activation, GeluForm, Offsets};
use crate::params::{Init, ParamError, Scope};
use candle_core::{Device, Tensor};
use sequences::Sequence;

/// Tokens that go through the encoder at a time; the hidden states of so many stay in the cache.
const CHUNK_TOKENS: usize = 256;

/// A BERT encoder with its tokenizer. A sentence gives the same bits alone and in any batch.
///
/// Its parameters are either fixed (no gradient, no tape) or variables, as the [`Scope`] that it was built on has them. Linear
/// maps are [inputs, outputs], and query, key and value of a layer are one map.
pub struct Bert {
    config: Config,
    tokenizer: Tokenizer,
    words: Tensor,
    positions: Tensor,
    types: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

impl Bert {
    /// An encoder on the parameters at `scope`.
    ///
    /// # Errors
    /// If a parameter is not to be had.
    pub fn new(scope: &Scope, config: &Config, tokenizer: Tokenizer) -> Result<Self, BertError> {
        let hidden = config.hidden_size;
        let embeddings = scope.at("embeddings");
        let table = |name, rows| embeddings.at(name).get("weight", &[rows, hidden], Init::Normal(0.02));
        let layers = (0..config.num_hidden_layers).map(|i| Layer::new(&scope.at("encoder.layer").at(i), config));
        Ok(Bert {
            config: config.clone(),
            tokenizer,
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)?,
            types: table("token_type_embeddings", config.type_vocab_size)?,
            norm: norm(&embeddings.at("LayerNorm"), config)?,
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    /// Width of the hidden states.
    pub fn width(&self) -> usize {
        self.config.hidden_size
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The last hidden states of each text, [tokens, hidden], those of the special tokens included.
    ///
    /// # Errors
    /// [`BertError::Text`] if a text cannot be tokenised.
    pub fn encode<T: AsRef<str>>(&self, texts: &[T]) -> Result<Vec<Sequence>, BertError> {
        let ids = texts.iter().map(|text| self.ids(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Ok(self.encode_ids(&ids)?)
    }

    /// The token ids of a text, as [`Bert::encode_ids`] takes them.
    ///
    /// # Errors
    /// [`BertError::Text`] if it cannot be tokenised.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, BertError> {
        self.tokenizer.ids(text)
    }

    /// The same for sentences that are token ids already.
    ///
    /// # Errors
    /// As [`Bert::forward`].
    pub fn encode_ids(&self, ids: &[Vec<u32>]) -> candle_core::Result<Vec<Sequence>> {
        let width = self.width();
        let mut sequences = Vec::with_capacity(ids.len());
        let mut rest = ids;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(fitting(rest));
            rest = after;
            let (hidden, offsets) = self.forward(chunk, &mut Run::evaluating())?;
            ops::with_slice(&hidden, |hidden| {
                let rows = offsets.ranges().map(|r| hidden[r.start * width..r.end * width].to_vec());
                sequences.extend(rows.map(|data| Sequence::new(width, data)));
            })?;
        }
        Ok(sequences)
    }

    /// The last hidden states of packed sentences, given as token ids: [tokens of all sentences, hidden].
    ///
    /// # Errors
    /// If a token has no embedding or a sentence has more tokens than there are positions.
    pub fn forward(&self, sentences: &[Vec<u32>], run: &mut Run) -> candle_core::Result<(Tensor, Offsets)> {
        let offsets = Offsets::from_lengths(sentences.iter().map(Vec::len));
        let indices = |values: Vec<u32>| Tensor::from_vec(values, offsets.frames(), &Device::Cpu);
        let words = self.words.index_select(&indices(sentences.concat())?, 0)?;
        // A clip is one sentence: type 0 throughout.
        let types = self.types.index_select(&indices(vec![0; offsets.frames()])?, 0)?;
        let order = sentences.iter().flat_map(|s| 0..s.len() as u32).collect();
        let positions = self.positions.index_select(&indices(order)?, 0)?;
        let x = self.norm.forward(&((words + types)? + positions)?)?;
        let mut x = ops::dropout(&x, run.mask(self.config.hidden_dropout_prob))?;
        for layer in &self.layers {
            x = layer.forward(&x, &offsets, run)?;
        }
        Ok((x, offsets))
    }
}

/// How many of the first sentences make at most [`CHUNK_TOKENS`]; at least one.
fn fitting(sentences: &[Vec<u32>]) -> usize {
    let mut tokens = 0;
    let fit = sentences.iter().take_while(|ids| {
        tokens += ids.len();
        tokens <= CHUNK_TOKENS
    });
    fit.count().max(1)
}

fn norm(scope: &Scope, config: &Config) -> Result<LayerNorm, ParamError> {
    LayerNorm::new(scope, config.hidden_size, config.layer_norm_eps as f32)
}

struct Layer {
    heads: usize,
    attention_dropout: f32,
    dropout: f32,
    gelu: Option<GeluForm>,
    query_key_value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    fn new(scope: &Scope, config: &Config) -> Result<Self, ParamError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let linear = |name, inputs, outputs| Linear::new(&scope.at(name), inputs, outputs, Activation::Identity);
        let (activation, gelu) = match config.hidden_act {
            HiddenAct::Relu => (Activation::Relu, None),
            HiddenAct::Gelu => (Activation::Identity, Some(GeluForm::Erf)),
            HiddenAct::GeluTanh => (Activation::Identity, Some(GeluForm::Tanh)),
        };
        Ok(Layer {
            heads: config.num_attention_heads,
            attention_dropout: config.attention_probs_dropout_prob,
            dropout: config.hidden_dropout_prob,
            gelu,
            query_key_value: linear("attention.self.query_key_value", hidden, 3 * hidden)?,
            attention_output: linear("attention.output.dense", hidden, hidden)?,
            attention_norm: norm(&scope.at("attention.output.LayerNorm"), config)?,
            intermediate: Linear::new(&scope.at("intermediate.dense"), hidden, inner, activation)?,
            output: linear("output.dense", inner, hidden)?,
            output_norm: norm(&scope.at("output.LayerNorm"), config)?,
        })
    }

    /// x [tokens, hidden] → the same shape.
    fn forward(&self, x: &Tensor, offsets: &Offsets, run: &mut Run) -> candle_core::Result<Tensor> {
        let qkv = self.query_key_value.forward(x)?;
        let y = ops::attention(&qkv, offsets, self.heads, run.mask(self.attention_dropout))?;
        let y = ops::dropout(&self.attention_output.forward(&y)?, run.mask(self.dropout))?;
        let x = self.attention_norm.forward(&(y + x)?)?;
        let y = self.intermediate.forward(&x)?;
        let y = match self.gelu {
            Some(form) => ops::gelu(&y, form)?,
            None => y,
        };
        let y = ops::dropout(&self.output.forward(&y)?, run.mask(self.dropout))?;
        self.output_norm.forward(&(y + x)?)
    }
}
