//! The encoder of OpenAI's Whisper (Radford et al. 2023), from a folder in the layout of the model hubs: `config.json`
//! and `model.safetensors` with tensors `model.encoder.…`; positions are its sinusoids.

mod block;

use crate::checkpoint::{CheckpointError, Tensors, digest, read};
use crate::layers::{LayerNorm, Linear, add, gelu};
use block::Block;
use media::{MEL_BANDS, MEL_FRAMES};
use serde::Deserialize;
use std::path::Path;

/// Encoder frames of a window of 30 s: 50 a second.
pub const FRAMES: usize = MEL_FRAMES / 2;

/// Sizes, by the names that `config.json` gives them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Config {
    d_model: usize,
    encoder_layers: usize,
    encoder_attention_heads: usize,
    /// Four times `d_model` where the file does not say.
    encoder_ffn_dim: Option<usize>,
    num_mel_bins: usize,
    max_source_positions: usize,
}

impl Config {
    fn hidden(&self) -> usize {
        self.encoder_ffn_dim.unwrap_or(4 * self.d_model)
    }

    fn check(&self) -> Result<(), String> {
        if self.num_mel_bins != MEL_BANDS {
            return Err(format!("num_mel_bins is {}, this build makes {MEL_BANDS}", self.num_mel_bins));
        }
        if self.max_source_positions != FRAMES {
            return Err(format!("max_source_positions is {}, expected {FRAMES}", self.max_source_positions));
        }
        let sane = (2..=4096).contains(&self.d_model) && self.d_model.is_multiple_of(2);
        let heads = self.encoder_attention_heads;
        if !sane || heads == 0 || !self.d_model.is_multiple_of(heads) {
            return Err(format!(
                "d_model {} does not divide into {heads} heads of an even width up to 4096",
                self.d_model
            ));
        }
        if self.encoder_layers == 0 || self.encoder_layers > 64 || !(1..=16_384).contains(&self.hidden()) {
            return Err(format!("{} layers of {} hidden units", self.encoder_layers, self.hidden()));
        }
        Ok(())
    }
}

/// A Whisper encoder.
pub struct Whisper {
    config: Config,
    convolutions: [Linear; 2],
    positions: Vec<f32>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    sha256: String,
}

impl Whisper {
    /// From a folder with `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// If a file is missing, or is not a Whisper encoder of 80 mel bands.
    pub fn load(folder: &Path) -> Result<Whisper, CheckpointError> {
        let (config_path, tensors_path) = (folder.join("config.json"), folder.join("model.safetensors"));
        let json = read(&config_path)?;
        let wrong = |reason: String| CheckpointError::Config { path: config_path.clone(), reason };
        let config: Config = serde_json::from_slice(&json).map_err(|e| wrong(e.to_string()))?;
        config.check().map_err(wrong)?;
        let bytes = read(&tensors_path)?;
        let tensors = Tensors::parse(&tensors_path, &bytes)?;
        let width = config.d_model;
        let convolutions = [convolution(&tensors, 1, MEL_BANDS, width)?, convolution(&tensors, 2, width, width)?];
        let blocks = (0..config.encoder_layers).map(|i| Block::load(&tensors, i, &config)).collect::<Result<_, _>>()?;
        let norm = LayerNorm::load(&tensors, "model.encoder.layer_norm", width)?;
        let sha256 = digest([json.as_slice(), bytes.as_slice()]);
        Ok(Whisper { positions: sinusoids(width), config, convolutions, blocks, norm, sha256 })
    }

    /// Values a frame.
    pub fn width(&self) -> usize {
        self.config.d_model
    }

    /// SHA-256 of the configuration and the tensors.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The log-mel spectrum `[MEL_BANDS, MEL_FRAMES]` of a window → `[FRAMES, width]`, row by row.
    ///
    /// # Panics
    /// If `mel` has another length.
    pub fn encode(&self, mel: &[f32]) -> Vec<f32> {
        assert_eq!(mel.len(), MEL_BANDS * MEL_FRAMES, "a window of 30 s");
        let mut frames = vec![0.0; mel.len()];
        kernels::matmul::transpose(mel, MEL_BANDS, MEL_FRAMES, &mut frames);
        let x = self.convolutions[0].forward(&neighbours(&frames, MEL_BANDS, 1), gelu);
        let mut x = self.convolutions[1].forward(&neighbours(&x, self.width(), 2), gelu);
        add(&mut x, &self.positions);
        for block in &self.blocks {
            block.forward(&mut x);
        }
        self.norm.forward(&x)
    }
}

/// A convolution over three frames as a product: `weight [outputs, inputs, 3]` becomes `[outputs, 3·inputs]`.
fn convolution(tensors: &Tensors, index: usize, inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
    let name = format!("model.encoder.conv{index}");
    let weight = tensors.get(&format!("{name}.weight"), &[outputs, inputs, 3])?;
    let bias = tensors.get(&format!("{name}.bias"), &[outputs])?;
    let mut taps = vec![0.0; weight.len()];
    for (from, to) in weight.chunks_exact(3 * inputs).zip(taps.chunks_exact_mut(3 * inputs)) {
        for (i, kernel) in from.chunks_exact(3).enumerate() {
            kernel.iter().enumerate().for_each(|(k, value)| to[k * inputs + i] = *value);
        }
    }
    Ok(Linear::new(&taps, bias, 3 * inputs))
}

/// Each `stride`-th frame beside the ones before and after it, zero beyond the ends:
/// `[frames, width]` → `[frames / stride, 3·width]`.
fn neighbours(x: &[f32], width: usize, stride: usize) -> Vec<f32> {
    let frames = x.len() / width;
    let mut out = vec![0.0; frames / stride * 3 * width];
    for (t, row) in out.chunks_exact_mut(3 * width).enumerate() {
        for (k, part) in row.chunks_exact_mut(width).enumerate() {
            if let Some(source) = (t * stride + k).checked_sub(1).filter(|s| *s < frames) {
                part.copy_from_slice(&x[source * width..][..width]);
            }
        }
    }
    out
}

/// Positions `[FRAMES, width]`: sines then cosines, timescales geometric from 1 to 10 000.
fn sinusoids(width: usize) -> Vec<f32> {
    let half = width / 2;
    let step = 10_000f64.ln() / (half.max(2) - 1) as f64;
    let angle = |t: usize, i: usize| t as f64 * (-step * i as f64).exp();
    let row = |t: usize| {
        let sines = (0..half).map(move |i| angle(t, i).sin());
        sines.chain((0..half).map(move |i| angle(t, i).cos()))
    };
    (0..FRAMES).flat_map(row).map(|v| v as f32).collect()
}
