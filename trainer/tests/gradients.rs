//! The whole objective of Algorithm 1: every variable gets a gradient, the gradient is exact, and reversal turns the
//! encoders against the discriminators.

mod support;

use candle_core::{Tensor, Var};
use corpus::{Modality, Sequence};
use network::batch::Batch;
use network::config::{Config, HeadKind, Preset, Widths};
use network::tdeepsc::Sizes;
use nn::ops::{tensor, with_slice};
use nn::params::Params;
use nn::random::Stream;
use schemes::scheme_kind::SchemeKind;
use std::collections::BTreeMap;
use support::{law, tiny, weights};
use trainer::chain::Chain;
use trainer::objective::{Step, Sums, Weights};

/// Labels of the nine clips. Most are above zero: in a balanced batch the bias of the L1 head has no gradient.
const LABELS: [f32; 9] = [-2.4, 1.0, 1.4, -0.6, 3.0, 1.2, 2.2, 2.0, 0.0];

/// Whether clip `i` of nine has the modality: the first five clips have all, the next three lack one each, the last
/// has all.
fn has(i: usize, modality: Modality) -> bool {
    i < 5 || i - 5 != modality.index()
}

fn batch(widths: &Widths, has: impl Fn(usize, Modality) -> bool) -> Batch {
    let mut stream = Stream::new(3, &[]);
    let mut clips: Vec<[Option<Sequence>; 3]> = Vec::new();
    for i in 0..LABELS.len() {
        let mut features = [None, None, None];
        for (modality, width) in widths.present().filter(|(m, _)| has(i, *m)) {
            let frames = 2 + stream.below(5);
            features[modality.index()] = Some(Sequence::new(width, stream.normals(frames * width)));
        }
        clips.push(features);
    }
    let clips: Vec<[Option<&Sequence>; 3]> = clips.iter().map(|c| c.each_ref().map(Option::as_ref)).collect();
    Batch::pack(widths, &[None, None, None], &clips).unwrap()
}

/// A network, a batch and the weights of the objective, for tests of gradients.
struct Trial {
    params: Params,
    network: Chain,
    batch: Batch,
    weights: Weights,
}

type Gradients = BTreeMap<String, Vec<f32>>;

impl Trial {
    fn new(config: &Config) -> Self {
        let params = Params::fresh(9);
        let scheme = if config.t_deepsc.is_some() { SchemeKind::TDeepSc } else { SchemeKind::Proposed };
        let network = Chain::new(&params.root(), scheme, config).unwrap();
        Trial { params, network, batch: batch(&config.widths, has), weights: weights() }
    }

    /// The objective of the whole batch, with the same dropout, noise and channels in each call.
    fn objective(&self, reversal: f32) -> (Tensor, Sums) {
        let stream = Stream::new(4, &[]);
        let step = Step { batch: &self.batch, labels: &LABELS, clips: LABELS.len(), reversal, stream };
        self.network.objective(&self.weights, &law(), step).unwrap()
    }

    fn loss(&self, reversal: f32) -> f64 {
        f64::from(self.objective(reversal).0.to_scalar::<f32>().unwrap())
    }

    /// Gradients by the name of the variable; empty where the objective does not depend on it.
    fn gradients(&self, reversal: f32) -> Gradients {
        let store = self.objective(reversal).0.backward().unwrap();
        let gradient = |var: &Var| store.get(var.as_tensor()).map(values).unwrap_or_default();
        self.params.vars().into_iter().map(|(name, var)| (name, gradient(&var))).collect()
    }

    /// The value of `f` while the variables are moved by `scale` times `direction`.
    fn moved<T>(&self, direction: &Gradients, scale: f32, f: impl FnOnce() -> T) -> T {
        let vars = self.params.vars();
        let base: Vec<(&Var, Vec<f32>)> = direction.keys().map(|name| (&vars[name], values(&vars[name]))).collect();
        for ((var, base), by) in base.iter().zip(direction.values()) {
            let moved = base.iter().zip(by).map(|(v, d)| v + scale * d).collect();
            var.set(&tensor(moved, var.shape()).unwrap()).unwrap();
        }
        let result = f();
        base.into_iter().for_each(|(var, base)| var.set(&tensor(base, var.shape()).unwrap()).unwrap());
        result
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    with_slice(&tensor.contiguous().unwrap(), |v| v.to_vec()).unwrap()
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
}

/// Widths of the toy corpus for the modalities in `set`, a bit mask by `Modality::index()`.
fn only(set: usize) -> Widths {
    let keep = |m: Modality| support::WIDTHS.get(m).filter(|_| set & (1 << m.index()) > 0);
    Widths::from(Modality::ALL.map(keep))
}

#[test]
fn every_variable_of_every_preset_has_a_gradient() {
    for preset in [Preset::Paper, Preset::Small] {
        for head in [HeadKind::Distribution, HeadKind::L1] {
            // All seven selections of one, two or three modalities.
            for widths in (1..8).map(only) {
                for feedback in [false, true] {
                    let trial = Trial::new(&Config { head, feedback, ..Config::preset(preset, widths) });
                    for (name, gradient) in trial.gradients(0.4) {
                        let context = format!("`{name}`, {preset}, {head:?}, {widths:?}, feedback {feedback}");
                        assert!(gradient.iter().any(|g| *g != 0.0), "no gradient of {context}");
                        assert!(gradient.iter().all(|g| g.is_finite()), "not finite: {context}");
                    }
                }
            }
        }
    }
}

/// Sizes of T-DeepSC for the toy corpus.
const SIZES: Sizes = Sizes {
    visual: (12, 3),
    audio: (8, 2),
    layers: 2,
    decoder: (8, 2),
    feed_forward: 10,
    decoder_layers: 2,
    queries: 3,
    side_information: true,
};

#[test]
fn every_variable_of_t_deepsc_has_a_gradient() {
    for head in [HeadKind::Distribution, HeadKind::Mse] {
        for (side_information, widths) in [true, false].into_iter().flat_map(|s| (1..8).map(only).map(move |w| (s, w)))
        {
            // With one memory token attention has no choice, so the queries get no gradient.
            if !side_information && widths.present().count() == 1 {
                continue;
            }
            let t_deepsc = Some(Sizes { side_information, ..SIZES });
            let trial = Trial::new(&Config { head, t_deepsc, ..tiny(widths) });
            for (name, gradient) in trial.gradients(0.0) {
                let context = format!("`{name}`, {head:?}, {widths:?}");
                assert!(gradient.iter().any(|g| *g != 0.0), "no gradient of {context}");
                assert!(gradient.iter().all(|g| g.is_finite()), "not finite: {context}");
            }
        }
    }
}

/// In a micro-batch no clip or only one may have some modality, so that there is no pair.
#[test]
fn a_modality_that_no_clip_or_one_clip_has_does_no_harm() {
    let has: [&dyn Fn(usize, Modality) -> bool; 3] =
        [&|_, m| m != Modality::Audio, &|i, m| m != Modality::Visual || i == 2, &|_, _| false];
    for (has, pairs) in has.into_iter().zip([[0.0, 9.0, 0.0], [9.0, 0.0, 0.0], [0.0; 3]]) {
        let config = tiny(support::WIDTHS);
        let trial = Trial { batch: batch(&config.widths, has), ..Trial::new(&config) };
        let (loss, sums) = trial.objective(0.4);
        assert!(loss.to_scalar::<f32>().unwrap().is_finite());
        assert_eq!(sums.pair_clips, pairs);
        assert!(trial.gradients(0.4).values().flatten().all(|g| g.is_finite()));
    }
}

/// With a reversal of −1 no gradient is turned, so every gradient is that of the objective's value. Each variable's
/// gradient is compared with the slopes along the gradient and along a random direction.
#[test]
fn the_gradient_of_the_whole_objective_is_exact() {
    let base = tiny(support::WIDTHS);
    for (head, t_deepsc, feedback) in [
        (HeadKind::Distribution, None, false),
        (HeadKind::Distribution, None, true),
        (HeadKind::L1, None, false),
        (HeadKind::Mse, Some(SIZES), false),
        (HeadKind::Distribution, Some(SIZES), false),
    ] {
        let trial = Trial::new(&Config { head, t_deepsc, feedback, ..base });
        let gradients = trial.gradients(-1.0);
        assert_eq!(trial.loss(-1.0), trial.loss(0.5), "reversal is not of the value");
        let mut stream = Stream::new(6, &[]);
        for (name, gradient) in &gradients {
            let random = stream.normals(gradient.len());
            for direction in [gradient.clone(), random] {
                let length = norm(&direction) as f32;
                let unit: Vec<f32> = direction.iter().map(|d| d / length).collect();
                let expected: f64 = gradient.iter().zip(&unit).map(|(g, u)| f64::from(g * u)).sum();
                let along = Gradients::from([(name.clone(), unit)]);
                let slope = |step: f32| {
                    let at = |step| trial.moved(&along, step, || trial.loss(-1.0));
                    (at(step) - at(-step)) / (2.0 * f64::from(step))
                };
                // Small steps suffer from rounding of the loss, large ones may cross a kink: the best of several
                // counts.
                let errors = [1e-3, 2e-3, 4e-3, 8e-3, 16e-3].map(|step| (slope(step) - expected).abs());
                let error = errors.into_iter().fold(f64::INFINITY, f64::min);
                assert!(error < 0.01 * (norm(gradient) + 0.02), "`{name}`, {head:?}: {expected}, off by {errors:?}");
            }
        }
    }
}

/// What reversal adds to the gradients: −scale times the encoders' own gradient of the discriminators' loss.
fn reversed(trial: &Trial, reversal: f32) -> Gradients {
    let (with, without) = (trial.gradients(reversal), trial.gradients(0.0));
    let minus = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    with.iter().zip(without.values()).map(|((name, a), b)| (name.clone(), minus((a, b)))).collect()
}

fn of(gradients: &Gradients, prefixes: &[String]) -> Gradients {
    let named = gradients.iter().filter(|(name, _)| prefixes.iter().any(|p| name.starts_with(p)));
    named.map(|(name, g)| (name.clone(), g.clone())).collect()
}

#[test]
fn discriminators_descend_their_loss_and_both_encoders_of_a_pair_ascend_it() {
    // One pair at a time: each selection of two modalities.
    for set in [3, 5, 6] {
        let widths = only(set);
        let trial = Trial::new(&tiny(widths));
        let bce = || trial.objective(0.0).1.bce.iter().sum::<f64>();
        let before = bce();
        // A step of the optimiser goes against the gradient.
        let after_step = |gradients: &Gradients| {
            let length = gradients.values().map(|g| norm(g).powi(2)).sum::<f64>().sqrt() as f32;
            assert!(length > 1e-4, "no gradient of {:?}", gradients.keys());
            trial.moved(gradients, -0.05 / length, bce)
        };
        let after = after_step(&of(&trial.gradients(0.5), &["discriminator.".into()]));
        assert!(after < before - 1e-4, "the discriminator makes its loss {before} into {after}");
        let encoders = reversed(&trial, 0.5);
        for (modality, _) in widths.present() {
            let branch = [format!("extractor.{}.", modality.name()), format!("uvib.{}.", modality.name())];
            let after = after_step(&of(&encoders, &branch));
            assert!(after > before + 1e-4, "{} makes the discriminator's loss {before} into {after}", modality.name());
        }
    }
}

#[test]
fn reversal_scales_the_encoders_part_and_nothing_else() {
    let trial = Trial::new(&tiny(support::WIDTHS));
    let (half, one) = (reversed(&trial, 0.5), reversed(&trial, -1.0));
    for (name, half) in &half {
        let encoder = name.starts_with("extractor.") || (name.starts_with("uvib.") && !name.ends_with(".absent"));
        if !encoder {
            assert!(half.iter().all(|v| *v == 0.0), "reversal changes the gradient of `{name}`");
            continue;
        }
        let length = norm(&one[name]);
        assert!(length > 0.0, "`{name}`");
        let apart: Vec<f32> = half.iter().zip(&one[name]).map(|(h, o)| h + 0.5 * o).collect();
        assert!(norm(&apart) < 1e-3 * length + 1e-6, "`{name}`: {} of {length}", norm(&apart));
    }
}

/// With one-sided reversal, as equations (40)–(42) print it, the first encoder of a pair descends the discriminators'
/// loss.
#[test]
fn one_sided_reversal_turns_the_gradient_of_the_second_encoder_only() {
    for set in [3, 5, 6] {
        let widths = only(set);
        let both = Trial::new(&tiny(widths));
        let one = Trial { weights: Weights { one_sided: true, ..weights() }, ..Trial::new(&tiny(widths)) };
        let (both, one) = (reversed(&both, 0.5), reversed(&one, 0.5));
        for ((modality, _), sign) in widths.present().zip([1.0, -1.0]) {
            let branch = [format!("extractor.{}.", modality.name()), format!("uvib.{}.", modality.name())];
            for (name, both) in of(&both, &branch) {
                let off: Vec<f32> = both.iter().zip(&one[&name]).map(|(b, o)| o + sign * b).collect();
                assert!(norm(&off) <= 1e-3 * norm(&both) + 1e-6, "`{name}`: {} of {}", norm(&off), norm(&both));
            }
        }
    }
}

/// The objective of a micro-batch is its share of the mean over the step's clips: half as much if the step has twice
/// as many clips.
#[test]
fn a_part_counts_by_its_clips() {
    let config = tiny(only(1));
    let dropout = network::config::Dropout { attention: 0.0, relu: 0.0, residual: 0.0, embedding: 0.0, text: 0.0 };
    let trial = Trial::new(&Config { dropout, ..config });
    let share = |clips: usize| {
        let step = Step { batch: &trial.batch, labels: &LABELS, clips, reversal: 0.0, stream: Stream::new(4, &[]) };
        trial.network.objective(&trial.weights, &law(), step).unwrap().0.to_scalar::<f32>().unwrap()
    };
    assert!((share(9) - 2.0 * share(18)).abs() < 1e-5, "{} {}", share(9), share(18));
}
