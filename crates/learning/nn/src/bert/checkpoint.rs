//! A checkpoint folder as others publish it, turned into our parameters.

use super::{BertError, Config, Tokenizer};
use crate::params::{self, Init, ParamError, Params, Scope};
use candle_core::Tensor;
use std::collections::HashMap;
use std::path::Path;

/// Config, tokenizer and tensors of a checkpoint. The tensors have the paths and the layout that [`super::Bert`] asks for;
/// what else the file holds (pooler, heads) is left out.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    file: String,
    config: Config,
    config_json: String,
    tokenizer_json: String,
    tensors: HashMap<String, Tensor>,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` (F32, F16 or BF16, names with or without `bert.`).
    ///
    /// # Errors
    /// Names the file, field or tensor that is missing or wrong.
    pub fn read(folder: &Path) -> Result<Self, BertError> {
        let path = |name: &str| folder.join(name).display().to_string();
        let text = |name: &str| {
            let failed = |e: std::io::Error| BertError::File { file: path(name), reason: e.to_string() };
            std::fs::read_to_string(folder.join(name)).map_err(failed)
        };
        let config_json = text("config.json")?;
        let config = Config::parse(&config_json, &path("config.json"))?;
        let tokenizer_json = text("tokenizer.json")?;
        let file = path("model.safetensors");
        let tensors = params::read(&folder.join("model.safetensors"))?;
        let tensors = convert(&file, tensors, &config)?;
        let checkpoint = Checkpoint { file, config, config_json, tokenizer_json, tensors };
        checkpoint.tokenizer()?;
        Ok(checkpoint)
    }

    /// The parameters of the encoder, at the root; trainable ones are copies.
    pub fn params(&self, trainable: bool) -> Params {
        Params::from_tensors(&self.file, self.tensors.clone(), trainable)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// None after [`Checkpoint::read`], which has made it once.
    pub fn tokenizer(&self) -> Result<Tokenizer, BertError> {
        Tokenizer::parse(&self.tokenizer_json, &self.config)
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The text of `config.json`.
    pub fn config_json(&self) -> &str {
        &self.config_json
    }

    /// The text of `tokenizer.json`.
    pub fn tokenizer_json(&self) -> &str {
        &self.tokenizer_json
    }
}

/// The name without `bert.`, and with what the oldest checkpoints call gamma and beta under its later name.
fn canonical(name: &str) -> String {
    let name = name.strip_prefix("bert.").unwrap_or(name);
    name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
}

/// Takes what the config asks for out of the file's tensors: linear maps transposed to [inputs, outputs]; query, key and value
/// side by side as one map.
fn convert(
    file: &str,
    tensors: HashMap<String, Tensor>,
    config: &Config,
) -> Result<HashMap<String, Tensor>, ParamError> {
    let tensors = tensors.into_iter().map(|(name, tensor)| (canonical(&name), tensor)).collect();
    let params = Params::from_tensors(file, tensors, false);
    let mut to = Conversion { from: params.root(), to: HashMap::new() };
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    to.same("embeddings.word_embeddings.weight", &[config.vocab_size, hidden])?;
    to.same("embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden])?;
    to.same("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden])?;
    to.norm("embeddings.LayerNorm", hidden)?;
    for layer in 0..config.num_hidden_layers {
        let path = |name: &str| format!("encoder.layer.{layer}.{name}");
        let parts = ["query", "key", "value"].map(|name| path(&format!("attention.self.{name}")));
        to.linear(&parts, &path("attention.self.query_key_value"), hidden, hidden)?;
        for (name, inputs, outputs) in [
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", hidden, inner),
            ("output.dense", inner, hidden),
        ] {
            to.linear(&[path(name)], &path(name), inputs, outputs)?;
        }
        to.norm(&path("attention.output.LayerNorm"), hidden)?;
        to.norm(&path("output.LayerNorm"), hidden)?;
    }
    Ok(to.to)
}

struct Conversion<'a> {
    from: Scope<'a>,
    to: HashMap<String, Tensor>,
}

impl Conversion<'_> {
    fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, ParamError> {
        // Nothing is drawn: the source is a file.
        self.from.get(name, shape, Init::Constant(0.0))
    }

    fn same(&mut self, name: &str, shape: &[usize]) -> Result<(), ParamError> {
        let tensor = self.get(name, shape)?;
        self.to.insert(name.into(), tensor);
        Ok(())
    }

    fn norm(&mut self, path: &str, width: usize) -> Result<(), ParamError> {
        self.same(&format!("{path}.weight"), &[width])?;
        self.same(&format!("{path}.bias"), &[width])
    }

    fn linear(&mut self, from: &[String], to: &str, inputs: usize, outputs: usize) -> Result<(), ParamError> {
        let mut weights = Vec::new();
        let mut biases = Vec::new();
        for path in from {
            weights.push(self.get(&format!("{path}.weight"), &[outputs, inputs])?);
            biases.push(self.get(&format!("{path}.bias"), &[outputs])?);
        }
        self.to.insert(format!("{to}.weight"), Tensor::cat(&weights, 0)?.t()?.contiguous()?);
        self.to.insert(format!("{to}.bias"), Tensor::cat(&biases, 0)?);
        Ok(())
    }
}
