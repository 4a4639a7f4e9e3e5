//! Draws of the model's factors, and the frames in which they are hidden.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::WIDTHS;
use super::truth::{
    IRRELEVANT, IRRELEVANT_VARIANCE, IRRELEVANT_VIEW_VARIANCE, LabelModel, VIEW_VARIANCE, label, quantile,
};
use crate::{Modality, Sequence};

/// Variance and number of the irrelevant factors that one modality alone has.
const PRIVATE_VARIANCE: f64 = 0.5;
const PRIVATE: usize = 2;
/// Factors a modality sees: common, own, shared irrelevant, private.
pub(super) const FACTORS: usize = 2 + IRRELEVANT + PRIVATE;
/// Standard deviation of the temporal structure, and its correlation from one frame to the next.
const JITTER: f64 = 0.5;
const JITTER_CORRELATION: f64 = 0.8;
/// Standard deviation of the white noise in each value.
const NOISE: f32 = 0.5;
/// Fewest and most frames of a clip.
pub(super) const FRAMES: std::ops::RangeInclusive<usize> = 4..=50;
/// Scale of the exponential law of the frames above the fewest; gives a mean of 13 after rounding down and clamping.
const FRAMES_SCALE: f64 = 9.57;

/// Streams of the seed: the clips by row, then the directions of the modalities, then the strata of the splits.
const DIRECTIONS_STREAM: u64 = 1 << 32;
pub(super) const STRATA_STREAM: u64 = 3 << 32;

/// The generator of a stream of the corpus seed.
pub(super) fn keyed(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

fn normal(rng: &mut impl Rng, variance: f64) -> f64 {
    let x: f64 = StandardNormal.sample(rng);
    x * variance.sqrt()
}

/// One clip of the model, before it is hidden in frames.
pub(super) struct Draw {
    pub frames: usize,
    pub label: f64,
    /// f_m by modality.
    pub factors: [[f64; FACTORS]; 3],
}

impl Draw {
    /// Draws a clip. `strata` are the probabilities below t and below ℓ given t: uniform on (0, 1), independent or stratified.
    pub fn new(model: &LabelModel, strata: [f64; 2], rng: &mut impl Rng) -> Self {
        let above: f64 = rng.sample(Exp1);
        let frames = (FRAMES.start() + (above * FRAMES_SCALE) as usize).min(*FRAMES.end());
        let common = normal(rng, model.common);
        let irrelevant: [f64; IRRELEVANT] = std::array::from_fn(|_| normal(rng, IRRELEVANT_VARIANCE));
        let factors = [(); 3].map(|()| {
            let mut factors = [0.0; FACTORS];
            factors[0] = common + normal(rng, VIEW_VARIANCE);
            factors[1] = normal(rng, model.unique);
            for i in 0..IRRELEVANT {
                factors[2 + i] = irrelevant[i] + normal(rng, IRRELEVANT_VIEW_VARIANCE);
            }
            factors[2 + IRRELEVANT..].fill_with(|| normal(rng, PRIVATE_VARIANCE));
            factors
        });
        let mut draw = Draw { frames, label: 0.0, factors };

        // Moving Gaussian factors along their covariance with t, which is R and U, makes them a draw given the wanted t.
        let known = model.known(3);
        let mean = known.sqrt() * quantile(strata[0]);
        let shift = (mean - model.posterior_mean(&draw.label_views())) / known;
        for factors in &mut draw.factors {
            factors[0] += model.common * shift;
            factors[1] += model.unique * shift;
        }
        draw.label = label(mean + (1.0 - known).sqrt() * quantile(strata[1]));
        draw
    }

    /// (v_m, u_m): what each modality knows of the label.
    pub fn label_views(&self) -> [[f64; 2]; 3] {
        self.factors.map(|factors| [factors[0], factors[1]])
    }
}

/// Q_m: the orthonormal directions in which a modality's factors lie.
pub(super) struct Directions {
    width: usize,
    /// `[FACTORS][width]`
    basis: Vec<Vec<f64>>,
}

impl Directions {
    pub fn new(seed: u64, modality: Modality) -> Self {
        let mut rng = keyed(seed, DIRECTIONS_STREAM + modality.index() as u64);
        let width = WIDTHS[modality.index()];
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(FACTORS);
        while basis.len() < FACTORS {
            let mut direction: Vec<f64> = (0..width).map(|_| normal(&mut rng, 1.0)).collect();
            // Twice is enough for orthogonality to rounding (Gram-Schmidt).
            for other in basis.iter().chain(&basis) {
                let along = dot(other, &direction);
                direction.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
            }
            let norm = dot(&direction, &direction).sqrt();
            direction.iter_mut().for_each(|x| *x /= norm);
            basis.push(direction);
        }
        Directions { width, basis }
    }

    /// x_m: the frames of a clip, `[frames, width]`.
    pub fn frames(&self, factors: &[f64; FACTORS], frames: usize, rng: &mut impl Rng) -> Sequence {
        let scale = (self.width as f64).sqrt();
        let mut jitter = [(); FACTORS].map(|()| jitter(frames, rng));
        let white = (0..frames * self.width).map(|_| NOISE * rng.sample::<f32, _>(StandardNormal));
        let mut data: Vec<f32> = white.collect();
        let noise_mean = self.mean(&data);
        for (factor, jitter) in jitter.iter_mut().enumerate() {
            let leak = dot(&self.basis[factor], &noise_mean);
            jitter.iter_mut().for_each(|x| *x = scale * (*x + factors[factor]) - leak);
        }
        for (frame, values) in data.chunks_exact_mut(self.width).enumerate() {
            for (direction, along) in self.basis.iter().zip(&jitter) {
                let along = along[frame];
                values.iter_mut().zip(direction).for_each(|(x, d)| *x += (along * d) as f32);
            }
        }
        Sequence::new(self.width, data)
    }

    /// f_m again: Q_mᵀ·mean_τ x_m / √W.
    #[cfg(test)]
    pub fn factors(&self, sequence: &Sequence) -> [f64; FACTORS] {
        let mean = self.mean(sequence.data());
        std::array::from_fn(|factor| dot(&self.basis[factor], &mean) / (self.width as f64).sqrt())
    }

    fn mean(&self, data: &[f32]) -> Vec<f64> {
        let mut mean = vec![0.0; self.width];
        for frame in data.chunks_exact(self.width) {
            mean.iter_mut().zip(frame).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let frames = (data.len() / self.width) as f64;
        mean.iter_mut().for_each(|sum| *sum /= frames);
        mean
    }
}

/// j: a stationary autoregressive process of which the mean over the clip is taken out.
fn jitter(frames: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut state = normal(rng, JITTER * JITTER);
    let innovation = JITTER * JITTER * (1.0 - JITTER_CORRELATION * JITTER_CORRELATION);
    let mut path: Vec<f64> = Vec::with_capacity(frames);
    for _ in 0..frames {
        path.push(state);
        state = JITTER_CORRELATION * state + normal(rng, innovation);
    }
    let mean = path.iter().sum::<f64>() / frames as f64;
    path.iter_mut().for_each(|x| *x -= mean);
    path
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
