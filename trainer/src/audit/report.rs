//! Result of an audit, and its table.

use metrics::{Interval, mean_sd};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// J of one kind of latent of one pair of modalities, with its permutation null.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// J on held-out clips, nats, with its 95 % interval over clips.
    pub j: Interval,
    /// Mean J, in nats, of the auditors trained on shuffled pairs.
    pub null_mean: f64,
    /// Largest J, in nats, of the auditors trained on shuffled pairs.
    pub null_max: f64,
}

impl Judged {
    /// From J of the real pairs and from J of each auditor of shuffled pairs.
    pub fn new(j: Interval, null: &[Interval]) -> Self {
        let estimates: Vec<f64> = null.iter().map(|interval| interval.estimate).collect();
        let mean = mean_sd(&estimates).map_or(0.0, |(mean, _)| mean);
        Judged { j, null_mean: mean, null_max: estimates.into_iter().fold(f64::NEG_INFINITY, f64::max) }
    }
}

/// Audit of one pair of modalities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairAudit {
    /// Name of the pair, such as `text-audio`.
    pub pair: String,
    /// J of sampled latents z, as in training.
    pub z: Judged,
    /// J of standardised means μ, as in the deployed network.
    pub mu: Judged,
    /// J of the mean features before the network: the dependence that there is to remove.
    pub features: Judged,
    /// Floor of J in nats: J of the decisions of the pair's two linear probes.
    pub decisions: f64,
    /// Floor of J in nats: J of two decisions of the probes' accuracies whose errors are independent given the label.
    pub accuracies: f64,
    /// Floor of the mutual information of the pair's latents, in nats.
    pub information: f64,
}

/// Linear probes of one modality, which show whether its latent collapsed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModalityAudit {
    /// Name of the modality.
    pub modality: String,
    /// Accuracy of a linear probe of the latent means μ for the label's sign, between 0 and 1.
    pub latent_accuracy: f64,
    /// Accuracy of a linear probe of the mean features before the network for the label's sign, between 0 and 1.
    pub features_accuracy: f64,
    /// Cross-entropy of the linear probe of μ, in nats.
    pub latent_cross_entropy: f64,
}

/// Result of an audit: dependence of each pair of latents, and probes of each modality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Model id of the audited weights.
    pub model_id: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Split of the held-out clips.
    pub split: String,
    /// Number of clips that auditors and probes were trained on.
    pub train_clips: usize,
    /// Number of held-out clips.
    pub clips: usize,
    /// Number of auditors in the permutation null of each pair and kind of latent.
    pub permutations: u32,
    /// Seed of the auditors.
    pub seed: u64,
    /// One audit for each pair of modalities.
    pub pairs: Vec<PairAudit>,
    /// Probes of each modality.
    pub modalities: Vec<ModalityAudit>,
}

/// The result of an audit as tables for the terminal.
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
