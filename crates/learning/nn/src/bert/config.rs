//! The checkpoint's `config.json`.

use super::BertError;
use serde::Deserialize;

/// The non-linearity of the feed-forward layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum HiddenAct {
    /// x·Φ(x).
    #[serde(rename = "gelu", alias = "gelu_python")]
    Gelu,
    /// The approximation of GELU by tanh.
    #[serde(rename = "gelu_new", alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluTanh,
    /// max(0, ·).
    #[serde(rename = "relu")]
    Relu,
}

/// What the encoder needs of `config.json`, under the names it has there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Config {
    #[serde(default = "bert")]
    model_type: String,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    #[serde(default)]
    is_decoder: bool,
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of heads; divides the width.
    pub num_attention_heads: usize,
    /// Width between the two feed-forward maps.
    pub intermediate_size: usize,
    /// What follows the first of them.
    pub hidden_act: HiddenAct,
    /// The most tokens a sentence may have.
    pub max_position_embeddings: usize,
    /// Number of token types; a clip is one sentence, so only the first is used.
    pub type_vocab_size: usize,
    /// Added to the variance in layer normalisation.
    #[serde(default = "eps")]
    pub layer_norm_eps: f64,
    /// Dropout on the embeddings and on what each half of a layer adds, when training.
    #[serde(default = "dropout")]
    pub hidden_dropout_prob: f32,
    /// Dropout on the attention weights, when training.
    #[serde(default = "dropout")]
    pub attention_probs_dropout_prob: f32,
}

fn bert() -> String {
    "bert".into()
}

fn absolute() -> String {
    "absolute".into()
}

fn eps() -> f64 {
    1e-12
}

fn dropout() -> f32 {
    0.1
}

impl Config {
    /// Parses and checks the text of a `config.json`; `file` names it in errors.
    ///
    /// # Errors
    /// [`BertError::File`] for what is no config of this family, [`BertError::Setting`] for what is not implemented.
    pub fn parse(json: &str, file: &str) -> Result<Self, BertError> {
        // The family first: another one's config lacks fields of ours, and that is not what is wrong with it.
        #[derive(Deserialize)]
        struct Family {
            #[serde(default = "bert")]
            model_type: String,
        }
        let malformed = |e: serde_json::Error| BertError::File { file: file.into(), reason: e.to_string() };
        let family: Family = serde_json::from_str(json).map_err(malformed)?;
        expect(family.model_type == "bert", file, "model_type", "bert", &family.model_type)?;
        let config: Config = serde_json::from_str(json).map_err(malformed)?;
        config.check(file)?;
        Ok(config)
    }

    fn check(&self, file: &str) -> Result<(), BertError> {
        for architecture in self.architectures.iter().flatten() {
            expect(architecture.starts_with("Bert"), file, "architectures", "those of BERT", architecture)?;
        }
        let position = &self.position_embedding_type;
        expect(position == "absolute", file, "position_embedding_type", "absolute", position)?;
        expect(!self.is_decoder, file, "is_decoder", "false", "true")?;
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        for (field, size) in sizes {
            expect(size > 0, file, field, "at least 1", "0")?;
        }
        let divides = self.hidden_size.is_multiple_of(self.num_attention_heads);
        let expected = format!("a divisor of hidden_size {}", self.hidden_size);
        expect(divides, file, "num_attention_heads", &expected, &self.num_attention_heads.to_string())?;
        let eps = self.layer_norm_eps;
        expect(eps.is_finite() && eps >= 0.0, file, "layer_norm_eps", "at least 0", &eps.to_string())?;
        let dropouts = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
        ];
        for (field, p) in dropouts {
            expect((0.0..1.0).contains(&p), file, field, "0 to less than 1", &p.to_string())?;
        }
        Ok(())
    }
}

fn expect(holds: bool, file: &str, field: &'static str, expected: &str, got: &str) -> Result<(), BertError> {
    if holds {
        return Ok(());
    }
    Err(BertError::Setting { file: file.into(), field, expected: expected.into(), got: got.into() })
}
