//! The label's model in closed form: how much can be known, and by whom.

use libm::erfc;

/// Bayes accuracy (family "pos") of the three modalities together.
const JOINT_ACC2: f64 = 0.85;
/// Variance of the noise through which a modality sees the common part.
pub(super) const VIEW_VARIANCE: f64 = 0.05;
/// Variance of each irrelevant factor that the modalities share, and of the noise through which they see it.
pub(super) const IRRELEVANT_VARIANCE: f64 = 0.4;
pub(super) const IRRELEVANT_VIEW_VARIANCE: f64 = 0.1;
/// How many irrelevant factors are shared.
pub(super) const IRRELEVANT: usize = 2;
/// Score of a latent of 1, and the grid of the scores.
const SCALE: f64 = 1.7;
const STEPS_PER_UNIT: f64 = 5.0;
/// Latents nearer to 0 than this have the label 0.
const ZERO_BAND: f64 = 0.5 / STEPS_PER_UNIT / SCALE;

/// What is true of a generated corpus, from its closed forms. All modalities are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Best possible Acc-2 (family "pos": clips with y = 0 dropped) from all three modalities.
    pub acc2_pos: f64,
    /// The same from any one modality.
    pub acc2_pos_of_one: f64,
    /// The same from any two modalities.
    pub acc2_pos_of_two: f64,
    /// Mutual information in nats between the label factors of any two modalities.
    pub shared_about_label_nats: f64,
    /// Mutual information in nats between the irrelevant factors of any two modalities.
    pub shared_irrelevant_nats: f64,
}

impl Truth {
    /// Mutual information in nats between any two modalities, given the number of frames (which they share).
    pub fn shared_nats(&self) -> f64 {
        self.shared_about_label_nats + self.shared_irrelevant_nats
    }
}

/// The Gaussian model of the label, see the [module](super) for the formulae.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelModel {
    /// R, variance of the common part s.
    pub common: f64,
    /// U, variance of each modality's own part u.
    pub unique: f64,
}

impl LabelModel {
    /// Solves for the variances that give [`JOINT_ACC2`].
    pub fn new(redundancy: f64) -> Self {
        let with = |k: f64| LabelModel { common: redundancy * k, unique: (1.0 - redundancy) * k };
        // Knowledge rises with k, and k = 1 is more than enough even at full redundancy.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let known = with(middle).known(3);
            if known < 1.0 && sign_accuracy(known) < JOINT_ACC2 { low = middle } else { high = middle }
        }
        with(low)
    }

    /// J: the share of the variance of ℓ that `modalities` of them explain.
    pub fn known(&self, modalities: usize) -> f64 {
        let n = modalities as f64;
        self.weight(n) * self.common + n * self.unique
    }

    /// R / (R + 0.05/n)
    fn weight(&self, n: f64) -> f64 {
        self.common / (self.common + VIEW_VARIANCE / n)
    }

    /// t, the mean of ℓ given (v_m, u_m) of some modalities.
    pub fn posterior_mean(&self, views: &[[f64; 2]]) -> f64 {
        let n = views.len() as f64;
        self.weight(n) * views.iter().map(|view| view[0]).sum::<f64>() / n
            + views.iter().map(|view| view[1]).sum::<f64>()
    }

    pub fn truth(&self) -> Truth {
        let nats = |signal: f64, noise: f64| {
            let correlation = signal / (signal + noise);
            -0.5 * (-correlation * correlation).ln_1p() + 0.0
        };
        Truth {
            acc2_pos: sign_accuracy(self.known(3)),
            acc2_pos_of_one: sign_accuracy(self.known(1)),
            acc2_pos_of_two: sign_accuracy(self.known(2)),
            shared_about_label_nats: nats(self.common, VIEW_VARIANCE),
            shared_irrelevant_nats: IRRELEVANT as f64 * nats(IRRELEVANT_VARIANCE, IRRELEVANT_VIEW_VARIANCE),
        }
    }
}

/// y of a latent ℓ.
pub(super) fn label(latent: f64) -> f64 {
    let steps = (latent * SCALE * STEPS_PER_UNIT).round() / STEPS_PER_UNIT;
    // Adding 0 turns −0 into 0.
    steps.clamp(-3.0, 3.0) + 0.0
}

/// P(sign t = sign ℓ | y ≠ 0) when t explains the share `known` of the variance of ℓ, by Simpson's rule.
pub(super) fn sign_accuracy(known: f64) -> f64 {
    let slope = (known / (1.0 - known)).sqrt();
    let integrand = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() * phi(slope * x);
    const INTERVALS: usize = 2000;
    const END: f64 = 9.0;
    let step = (END - ZERO_BAND) / INTERVALS as f64;
    let weight = |i: usize| {
        if i == 0 || i == INTERVALS {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let sum: f64 = (0..=INTERVALS).map(|i| weight(i) * integrand(ZERO_BAND + step * i as f64)).sum();
    sum * step / 3.0 / (1.0 - phi(ZERO_BAND))
}

/// The standard normal distribution function.
pub(super) fn phi(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// The inverse of [`phi`] to 1e-12, by bisection; probabilities beyond 9 standard deviations end there.
pub(super) fn quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    while high - low > 1e-12 {
        let middle = 0.5 * (low + high);
        if phi(middle) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
