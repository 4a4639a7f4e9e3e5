//! What an audit found.

use metrics::{Interval, mean_sd};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// J of one kind of latent of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// J on held-out clips, nats, with its 95 % interval over clips.
    pub j: Interval,
    /// The mean J of auditors of shuffled pairs.
    pub null_mean: f64,
    /// The largest of them.
    pub null_max: f64,
}

impl Judged {
    /// From J of the auditors of the pairs and of those of shuffled pairs.
    pub fn new(j: Interval, null: &[Interval]) -> Self {
        let estimates: Vec<f64> = null.iter().map(|interval| interval.estimate).collect();
        let mean = mean_sd(&estimates).map_or(0.0, |(mean, _)| mean);
        Judged { j, null_mean: mean, null_max: estimates.into_iter().fold(f64::NEG_INFINITY, f64::max) }
    }
}

/// One pair of modalities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairAudit {
    /// Such as `text-audio`.
    pub pair: String,
    /// Of sampled latents, as training has them.
    pub z: Judged,
    /// Of means, standardised, as the deployed network has them.
    pub mu: Judged,
    /// Of the mean features before the network: what there is to be removed.
    pub features: Judged,
    /// Floor of J: J of the decisions of the two probes.
    pub decisions: f64,
    /// Floor of J for two decisions as right as these whose errors are independent given the label.
    pub accuracies: f64,
    /// Floor of the mutual information, nats.
    pub information: f64,
}

/// One modality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModalityAudit {
    /// Its name.
    pub modality: String,
    /// Accuracy of a linear probe of μ for the label's sign.
    pub latent_accuracy: f64,
    /// The same of the mean of the features before the network.
    pub features_accuracy: f64,
    /// The probe of μ's cross-entropy, nats.
    pub latent_cross_entropy: f64,
}

/// A whole audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Of the weights.
    pub model_id: String,
    /// The corpus.
    pub corpus: String,
    /// The split of the held-out clips.
    pub split: String,
    /// Clips that auditors and probes were trained on.
    pub train_clips: usize,
    /// Held-out clips.
    pub clips: usize,
    /// Auditors of the null, a pair and kind of latent.
    pub permutations: u32,
    /// Of the auditors.
    pub seed: u64,
    /// By pair.
    pub pairs: Vec<PairAudit>,
    /// By modality.
    pub modalities: Vec<ModalityAudit>,
}

/// As lines of text.
pub fn table(audit: &Audit) -> String {
    let mut out = format!(
        "{:<13} {:^41}  {:^41}  {:^41}  {:^17}\n{:<13} ",
        "", "sampled z", "standardised mu", "mean features", "floor of J", "pair"
    );
    for _ in 0..3 {
        _ = write!(out, "{:>25} {:>15}  ", "J [95 %]", "null");
    }
    _ = writeln!(out, "{:>9} {:>7}  {:>6}", "decisions", "label", "of MI");
    for pair in &audit.pairs {
        _ = write!(out, "{:<13} ", pair.pair);
        for Judged { j, null_mean, null_max } in [pair.z, pair.mu, pair.features] {
            let j = format!("{:.3} [{:.3}, {:.3}]", j.estimate, j.low, j.high);
            let null = format!("{null_mean:.3}, {null_max:.3}");
            _ = write!(out, "{j:>25} {null:>15}  ");
        }
        _ = writeln!(out, "{:>9.3} {:>7.3}  {:>6.3}", pair.decisions, pair.accuracies, pair.information);
    }
    out += "\nmodality  accuracy of a linear probe of mu, of the mean features\n";
    for m in &audit.modalities {
        _ = writeln!(out, "{:<9} {:.3}  {:.3}", m.modality, m.latent_accuracy, m.features_accuracy);
    }
    out + &format!(
        "\nJ = 2 ln 2 - BCE of fresh discriminators, trained on the latents of {} clips and held to {} of {} ({}), in nats; \
         1.386 at most.\nnull: mean and largest of {} auditors of shuffled pairs.\n\
         Floors, from the probes: J of their decisions, which no auditor's J lies below but by chance and weakness; J of decisions as \
         right\nas theirs with errors independent given the label; and of the mutual information. Mean features: what the same auditors tell \
         apart\nbefore the network.\n",
        audit.train_clips, audit.clips, audit.corpus, audit.split, audit.permutations
    )
}
