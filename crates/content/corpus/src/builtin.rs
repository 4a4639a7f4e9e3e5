//! The generated corpus `builtin`: as large as CMU-MOSI, drawn from a model whose posterior is known.
//!
//! # The label
//!
//! A clip's sentiment is a latent ℓ ~ N(0, 1), of which a part is common knowledge, each modality knows a part
//! of its own, and the rest e nobody knows:
//!
//! ```text
//! ℓ = s + u_text + u_audio + u_visual + e
//! s ~ N(0, R), R = redundancy·k        u_m ~ N(0, U), U = (1 − redundancy)·k        e ~ N(0, 1 − R − 3U)
//! y = clamp(0.2·round(1.7·ℓ / 0.2), −3, 3)
//! ```
//!
//! so that `redundancy` is the share of what a modality knows about the label that the others know too, and y lies
//! on MOSI's grid of 0.2, is 0 in 4.7 % of the clips, and fills all seven classes.
//!
//! # What a modality sees
//!
//! ```text
//! f_m = ( s + η_m,  u_m,  c₁ + κ_m1,  c₂ + κ_m2,  p_m1,  p_m2 )
//! ```
//!
//! with η ~ N(0, 0.05): each modality sees the common part through a little noise of its own (without it, the mutual
//! information would be infinite). c ~ N(0, 0.4) is shared but has nothing to do with the label, seen through
//! κ ~ N(0, 0.1); p ~ N(0, 0.5) is of the one modality and irrelevant.
//!
//! # The posterior
//!
//! All is jointly Gaussian. For the modalities in M, with v_m the first component of f_m:
//!
//! ```text
//! ℓ | f_M ~ N(t, 1 − J)      t = R / (R + 0.05/|M|)·mean_M(v_m) + Σ_M u_m      J = R² / (R + 0.05/|M|) + |M|·U
//! ```
//!
//! The prior and the grid are symmetric, so the Bayes decision on the sign is the sign of t, and among clips with y ≠ 0
//! it is right with probability ∫_{τ}^{∞} φ(ℓ) Φ(ℓ·√(J / (1 − J))) dℓ / (1 − Φ(τ)), τ = 0.1 / 1.7. k is
//! solved for such that this is 0.85 for all three together, whatever the redundancy.
//!
//! The components are Gaussian and independent of each other, so the mutual information of two modalities is
//! I(f_m; f_n) = −½ ln(1 − (R / (R + 0.05))²) − 2·½ ln(1 − 0.8²) nats: what they share about the label, and 1.02 nats
//! that have nothing to do with it. [`Truth`] holds these numbers.
//!
//! So that 686 clips are as good as many more, t and ℓ given t are stratified within a split: its clips lie on a
//! shuffled lattice of the probabilities of the two. Each clip alone has the law above, and the best accuracy
//! on the split itself is 0.85 to within 0.01 rather than within the 0.03 of independent clips.
//!
//! # The frames
//!
//! With Q_m an orthonormal basis of six random directions that belong to the corpus, and W the width,
//!
//! ```text
//! x_m(τ) = √W·Q_m·(f_m + j_m(τ)) + n_m(τ)
//! ```
//!
//! j is an autoregressive process that has mean zero over the clip: temporal structure that carries nothing. n is
//! white with variance ¼; the part of its mean over the clip that lies in the span of Q_m is taken out. So
//! Q_mᵀ·mean_τ x_m / √W = f_m exactly, nothing else in the frames depends on the label, and the posterior above is
//! that of the frames. Clips have 4 to 50 frames, 13 on average, the same number in each modality. Transcripts are empty.

mod frames;
mod truth;

use std::num::NonZero;

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::{Clip, Corpus, CorpusError, CorpusSpec, Modality};
use frames::{Directions, Draw, STRATA_STREAM};
use truth::LabelModel;
pub use truth::Truth;

/// Names and sizes of the splits, as CMU-MOSI has them.
pub const SPLITS: [(&str, usize); 3] = [("train", 1284), ("valid", 229), ("test", 686)];
/// Feature widths by [`Modality::index`].
pub const WIDTHS: [usize; 3] = [768, 74, 35];
/// Clips cut from one video, the last of a split excepted.
const CLIPS_PER_VIDEO: usize = 24;

/// Generates the corpus. It depends on the two numbers alone.
///
/// # Errors
/// If `redundancy` is outside [0, 1].
pub fn generate(redundancy: f64, seed: u64) -> Result<Corpus, CorpusError> {
    let generator = Generator::new(redundancy, seed)?;
    let rows = Generator::rows();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut clips: Vec<Option<Clip>> = vec![None; rows];
    std::thread::scope(|scope| {
        let part = rows.div_ceil(threads);
        for (index, part_of_clips) in clips.chunks_mut(part).enumerate() {
            let generator = &generator;
            scope.spawn(move || {
                for (offset, clip) in part_of_clips.iter_mut().enumerate() {
                    *clip = Some(generator.clip(index * part + offset));
                }
            });
        }
    });
    Corpus::new(CorpusSpec::Builtin { redundancy, seed }.to_string(), clips.into_iter().flatten().collect())
}

/// What is true of the corpus with this redundancy.
///
/// # Errors
/// If `redundancy` is outside [0, 1].
pub fn truth(redundancy: f64) -> Result<Truth, CorpusError> {
    Ok(LabelModel::new(checked(redundancy)?).truth())
}

/// The posterior means t of the latent sentiment of all clips by row, given all three modalities: the
/// sign of t is the best decision on the sign of the label that anyone can make.
///
/// # Errors
/// If `redundancy` is outside [0, 1].
pub fn posterior_means(redundancy: f64, seed: u64) -> Result<Vec<f64>, CorpusError> {
    let generator = Generator::new(redundancy, seed)?;
    Ok((0..Generator::rows()).map(|row| generator.model.posterior_mean(&generator.draw(row).0.label_views())).collect())
}

fn checked(redundancy: f64) -> Result<f64, CorpusError> {
    if (0.0..=1.0).contains(&redundancy) {
        return Ok(redundancy);
    }
    let spec = CorpusSpec::Builtin { redundancy, seed: 0 }.to_string();
    Err(CorpusError::Spec { spec, problem: format!("redundancy must be in [0, 1], got {redundancy}") })
}

/// In each split a lattice on the unit square, which fills it more evenly than independent points do,
/// shifted and shuffled at random.
fn strata(seed: u64) -> Vec<[f64; 2]> {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let mut strata = Vec::with_capacity(Generator::rows());
    for (index, (_, clips)) in SPLITS.into_iter().enumerate() {
        let mut rng = frames::keyed(seed, STRATA_STREAM + index as u64);
        let shift: [f64; 2] = rng.random();
        let start = strata.len();
        strata
            .extend((0..clips).map(|i| [(i as f64 + shift[0]) / clips as f64, (i as f64 * GOLDEN + shift[1]).fract()]));
        strata[start..].shuffle(&mut rng);
    }
    strata
}

/// Makes any clip of one corpus on its own, so that order and threads cannot matter.
struct Generator {
    model: LabelModel,
    directions: [Directions; 3],
    /// Probabilities below t and below ℓ given t, by row.
    strata: Vec<[f64; 2]>,
    seed: u64,
}

impl Generator {
    fn new(redundancy: f64, seed: u64) -> Result<Self, CorpusError> {
        let model = LabelModel::new(checked(redundancy)?);
        let directions = Modality::ALL.map(|modality| Directions::new(seed, modality));
        Ok(Generator { model, directions, strata: strata(seed), seed })
    }

    fn rows() -> usize {
        SPLITS.iter().map(|(_, clips)| clips).sum()
    }

    /// What the model draws for a row, and the generator left for its frames.
    fn draw(&self, row: usize) -> (Draw, rand_chacha::ChaCha8Rng) {
        let mut rng = frames::keyed(self.seed, row as u64);
        (Draw::new(&self.model, self.strata[row], &mut rng), rng)
    }

    fn clip(&self, row: usize) -> Clip {
        let (mut split, mut within) = (0, row);
        while within >= SPLITS[split].1 {
            within -= SPLITS[split].1;
            split += 1;
        }
        let split = SPLITS[split].0;
        let video_id = format!("{split}-{:02}", within / CLIPS_PER_VIDEO);
        let (draw, mut rng) = self.draw(row);
        let features = Modality::ALL.map(|modality| {
            Some(self.directions[modality.index()].frames(&draw.factors[modality.index()], draw.frames, &mut rng))
        });
        Clip {
            id: format!("{video_id}_{}", within % CLIPS_PER_VIDEO),
            video_id,
            split: split.to_owned(),
            label: draw.label as f32,
            text: String::new(),
            features,
        }
    }
}

#[cfg(test)]
#[path = "builtin/tests.rs"]
mod tests;
