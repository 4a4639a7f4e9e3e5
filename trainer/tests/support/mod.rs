//! Small corpora and settings for the tests.
#![allow(dead_code, reason = "each test file uses a part")]

use corpus::{Clip, Corpus, Sequence};
use network::config::{Config, Preset, Widths};
use nn::random::Stream;
use schemes::scheme_kind::SchemeKind;
use trainer::adamw::USUAL_BETAS;
use trainer::config::RunConfig;
use trainer::config::Validation;
use trainer::data::Data;
use trainer::law::{ChannelLaw, TrainChannel};
use trainer::objective::Weights;
use trainer::reading::Readings;
use trainer::schedule::{END, Schedule};

/// Feature widths of the toy corpus.
pub const WIDTHS: Widths = Widths { text: Some(6), audio: Some(4), visual: Some(3) };

/// Network sizes with which an epoch takes milliseconds.
pub fn tiny(widths: Widths) -> Config {
    Config {
        width: 8,
        heads: 2,
        feed_forward: 12,
        hidden: 16,
        latent: 6,
        discriminator: 10,
        reals: 8,
        ..Config::preset(Preset::Small, widths)
    }
}

/// Weights of the objective with every term switched on.
pub fn weights() -> Weights {
    Weights {
        beta: 1e-3,
        gamma: 1e-3,
        auxiliary: 0.3,
        sign: 1.0,
        antipodal: 1.0,
        negatives: 2,
        realisations: 2,
        one_sided: false,
    }
}

/// Channel distribution of the tests: a mix of all channels, with SNRs uniform from −15 to 21 dB.
pub fn law() -> ChannelLaw {
    ChannelLaw { channel: TrainChannel::Mix, snr_db: (-15.0, 21.0), skew: 1.0 }
}

/// Settings of a run of six short epochs, in which gradient reversal begins and epochs become selectable.
pub fn settings() -> RunConfig {
    RunConfig {
        scheme: SchemeKind::Proposed,
        corpus: "toy".into(),
        text_encoder: None,
        tuning: None,
        preset: Preset::Small,
        seed: 1,
        network: tiny(WIDTHS),
        schedule: Schedule { epochs: 6, lambda_red: 0.4, warm_up: 1, ramp_end: 3, learning_rate: 5e-3, end: END },
        objective: weights(),
        law: law(),
        batch: 16,
        parts: 2,
        modality_dropout: 0.1,
        weight_decay: 0.02,
        betas: USUAL_BETAS,
        averaging: 0.9,
        patience: 10,
        validation: Validation::Split("valid".into()),
        calibrate: true,
        sharpen: true,
    }
}

/// A clip whose first column of each modality predicts the label. Of five clips in a row, three lack one modality
/// each.
pub fn clip(row: usize, split: &str) -> Clip {
    let mut stream = Stream::new(21, &[row as u64]);
    let label = (6.0 * stream.uniform() - 3.0) as f32;
    let mut features = [None, None, None];
    for (m, width) in [6, 4, 3].into_iter().enumerate() {
        if row % 5 == m {
            continue;
        }
        let frames = 1 + stream.below(6);
        let mut data = stream.normals(width * frames);
        data.iter_mut().step_by(width).for_each(|v| *v = 0.5 * *v + label);
        features[m] = Some(Sequence::new(width, data));
    }
    Clip {
        id: format!("clip {row}"),
        video_id: format!("video {}", row / 2),
        split: split.into(),
        label,
        text: String::new(),
        features,
    }
}

/// The toy corpus: 40 training clips and 15 held-out clips.
pub fn toy() -> Corpus {
    let clips = (0..55).map(|row| clip(row, if row < 40 { "train" } else { "valid" })).collect();
    Corpus::new("toy", clips).unwrap()
}

/// The data of a run on the toy corpus.
pub fn data() -> Data {
    Data::cut(&toy(), WIDTHS, &settings().validation, 1, &Readings::new()).unwrap()
}
