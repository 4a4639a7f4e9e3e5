//! `trainer audit`: measures the dependence that redundancy reduction left between the modalities' latents. The
//! discriminators of training cannot measure it, for they may merely have failed to learn. So the encoders are frozen,
//! fresh discriminators (auditors) are trained on the latents of the training split, and their J on held-out clips is
//! reported beside a permutation null, the floor that the label imposes, and linear probes, which show whether a
//! modality collapsed.

mod auditor;
mod floor;
mod latents;
mod probe;
mod report;
mod standard;

use crate::parallel;
use anyhow::{Context, Result};
use auditor::{Effort, Pairs, Side, audit};
use clap::Args;
use corpus::{Corpus, CorpusSpec, Modality};
use files::PendingFile;
use indicatif::ProgressBar;
use latents::{Item, collect, modalities};
use metrics::Interval;
use network::discriminator::{PAIRS, pair_name};
use nn::random::Stream;
use probe::{Probed, probe};
use report::table;
use schemes::halves::ProposedTransmitter;
use standard::Standard;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

pub use report::{Audit, Judged, ModalityAudit, PairAudit};

/// Measure the dependence that is left between the modalities' latents of trained weights, with fresh discriminators.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// Weights folder with the transmitter half
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder; the auditors are trained on its training split
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// Split that the auditors are evaluated on
    #[arg(long, default_value = "test")]
    pub split: String,
    /// Auditors trained on shuffled pairs, for the permutation null
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub permutations: u32,
    /// Seed of the auditors
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

const EFFORT: Effort = Effort { restarts: 3, epochs: 40, patience: 6 };
/// Purpose of the random stream that shuffles pairs for the permutation null.
const SHUFFLE: u64 = 9;

/// Audits weights, prints the table, and writes the requested file.
///
/// # Errors
/// If weights, corpus or split cannot be used, or fewer than two modalities have enough clips.
pub fn run(args: &AuditArgs) -> Result<()> {
    let json = args.json.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let transmitter = schemes::weights::load_proposed_transmitter(&args.weights)?;
    let corpus = Corpus::load(&args.corpus)?;
    let bar: ProgressBar = crate::command::bar(0, "auditing", "auditors")?;
    let result = Request {
        transmitter: &transmitter,
        corpus: &corpus,
        split: &args.split,
        permutations: args.permutations,
        seed: args.seed,
        threads: None,
        progress: &|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    }
    .audit()?;
    bar.finish_and_clear();
    console::print(table(&result))?;
    if let Some(file) = json {
        file.commit(|out| {
            serde_json::to_writer_pretty(&mut *out, &result)?;
            out.write_all(b"\n")
        })?;
    }
    Ok(())
}

/// What to audit: a transmitter half and the clips whose latents are audited.
pub struct Request<'a> {
    /// The transmitter half, which computes the latents.
    pub transmitter: &'a ProposedTransmitter,
    /// The corpus; the auditors and probes are trained on its training split.
    pub corpus: &'a Corpus,
    /// Split of the held-out clips that auditors and probes are evaluated on.
    pub split: &'a str,
    /// Number of auditors trained on shuffled pairs, for the null of each pair and kind of latent.
    pub permutations: u32,
    /// Seed of the auditors.
    pub seed: u64,
    /// Threads to use; `None` takes all available ones. The result does not depend on it.
    pub threads: Option<NonZeroUsize>,
    /// Called after each auditor with the number of auditors done and their total number.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl Request<'_> {
    /// Trains auditors and probes on the training split, and evaluates them on the held-out split.
    ///
    /// # Errors
    /// If a split is missing, or fewer than two modalities have enough clips in both.
    pub fn audit(&self) -> Result<Audit> {
        let train = collect(self.transmitter, self.corpus, "train")?;
        let held_out = collect(self.transmitter, self.corpus, self.split)?;
        let there = modalities(&train, &held_out)?;
        let probes = there.iter().map(|m| probed(*m, &train, &held_out));
        let probes: Vec<ModalityAudit> = probes.collect::<Result<_>>()?;
        let pairs: Vec<(Modality, Modality)> =
            PAIRS.into_iter().filter(|(a, b)| there.contains(a) && there.contains(b)).collect();
        let judged = judge_all(&pairs, &train, &held_out, self)?;
        let floors = pairs.iter().map(|pair| floors(*pair, &train, &held_out));
        let floors: Vec<[f64; 3]> = floors.collect::<Result<_>>()?;
        let pairs = pairs.iter().zip(judged).zip(floors).map(
            |((pair, [z, mu, features]), [decisions, accuracies, information])| PairAudit {
                pair: pair_name(*pair),
                z,
                mu,
                features,
                decisions,
                accuracies,
                information,
            },
        );
        Ok(Audit {
            model_id: self.transmitter.card.model_id.clone(),
            corpus: self.corpus.name.clone(),
            split: self.split.to_owned(),
            train_clips: train.len(),
            clips: held_out.len(),
            permutations: self.permutations,
            seed: self.seed,
            pairs: pairs.collect(),
            modalities: probes,
        })
    }
}

/// The kind of input that the auditors of a pair get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Sampled latents z, as in training.
    Sampled,
    /// Means μ of the latents, as in the deployed network.
    Mean,
    /// The features before the network, averaged over the frames of a clip.
    Features,
}

const LOOKS: [Look; 3] = [Look::Sampled, Look::Mean, Look::Features];

/// J of every pair and kind of input, with its permutation null. The auditors run in parallel; the inner array is in
/// the order of [`LOOKS`].
fn judge_all(
    pairs: &[(Modality, Modality)],
    train: &[Item],
    held_out: &[Item],
    request: &Request,
) -> Result<Vec<[Judged; LOOKS.len()]>> {
    let runs = 1 + request.permutations as usize;
    let a_pair = LOOKS.len() * runs;
    let (jobs, done) = (pairs.len() * a_pair, AtomicU64::new(0));
    let js = parallel::map(jobs, request.threads, |job| -> Result<Interval> {
        let (pair, look, run) = (pairs[job / a_pair], LOOKS[job / runs % LOOKS.len()], job % runs);
        let standard = [pair.0, pair.1].map(|m| standard(train, m, look));
        let shuffled = |items: &[Item], purpose: u64| {
            let both = both(items, pair);
            let mut order: Vec<usize> = (0..both.len()).collect();
            if run > 0 {
                order = Stream::new(request.seed, &[SHUFFLE, purpose, run as u64]).permutation(both.len());
            }
            let b: Vec<&Item> = order.into_iter().map(|i| both[i]).collect();
            Pairs { a: side(&both, pair.0, &standard[0], look), b: side(&b, pair.1, &standard[1], look) }
        };
        let effort = if run == 0 { EFFORT } else { Effort { restarts: 1, ..EFFORT } };
        let j = audit(&shuffled(train, 0), &shuffled(held_out, 1), effort, request.seed);
        (request.progress)(1 + done.fetch_add(1, Ordering::Relaxed), jobs as u64);
        j.with_context(|| pair_name(pair))
    })?;
    let judged = |pair: &[Interval], look: usize| {
        let js = &pair[look * runs..(look + 1) * runs];
        Judged::new(js[0], &js[1..])
    };
    Ok(js.chunks(a_pair).map(|pair| [judged(pair, 0), judged(pair, 1), judged(pair, 2)]).collect())
}

/// The clips that have both modalities of a pair.
fn both(items: &[Item], (a, b): (Modality, Modality)) -> Vec<&Item> {
    items.iter().filter(|item| item.latents[a.index()].is_some() && item.latents[b.index()].is_some()).collect()
}

fn standard(train: &[Item], modality: Modality, look: Look) -> Standard {
    let all: Vec<&Item> = train.iter().collect();
    let side = rows(&all, modality, look);
    Standard::fit_sampled(&side.mu, &side.sigma)
}

fn side(items: &[&Item], modality: Modality, standard: &Standard, look: Look) -> Side {
    let Side { mu, sigma } = rows(items, modality, look);
    Side {
        mu: mu.iter().map(|row| standard.apply(row)).collect(),
        sigma: sigma.iter().map(|row| standard.scaled(row)).collect(),
    }
}

/// The audited values of one modality, not standardised, of those items that have it.
fn rows(items: &[&Item], modality: Modality, look: Look) -> Side {
    let latents = || items.iter().filter_map(|item| item.latents[modality.index()].as_ref());
    let row = |latent: &latents::Latent| match look {
        Look::Sampled | Look::Mean => latent.mu.clone(),
        Look::Features => latent.pooled.clone(),
    };
    let sigma = if look == Look::Sampled { latents().map(|latent| latent.sigma.clone()).collect() } else { Vec::new() };
    Side { mu: latents().map(row).collect(), sigma }
}

/// The rows that `row` takes from one modality, and whether each label is positive. Clips with label 0 and clips
/// without the modality are left out.
fn signed(
    items: &[Item],
    modality: Modality,
    row: impl Fn(&latents::Latent) -> Vec<f32>,
) -> (Vec<Vec<f32>>, Vec<bool>) {
    let kept = items.iter().filter(|item| item.label != 0.0);
    kept.filter_map(|item| Some((row(item.latents[modality.index()].as_ref()?), item.label > 0.0))).unzip()
}

fn read(train: &[Item], held_out: &[Item], m: Modality, row: fn(&latents::Latent) -> Vec<f32>) -> Result<Probed> {
    let ((x, y), (u, v)) = (signed(train, m, row), signed(held_out, m, row));
    probe((&x, &y), (&u, &v))
}

/// Accuracies of the linear probes on one modality's latent means and on its features before the network.
fn probed(modality: Modality, train: &[Item], held_out: &[Item]) -> Result<ModalityAudit> {
    let latent = read(train, held_out, modality, |latent| latent.mu.clone())?;
    let features = read(train, held_out, modality, |latent| latent.pooled.clone())?;
    Ok(ModalityAudit {
        modality: modality.name().to_owned(),
        latent_accuracy: latent.accuracy,
        features_accuracy: features.accuracy,
        latent_cross_entropy: latent.cross_entropy,
    })
}

/// The three floors of a pair, from linear probes on held-out clips that have both modalities: J of the probes'
/// decisions, J from their accuracies, and the floor of the mutual information in nats.
fn floors(pair: (Modality, Modality), train: &[Item], held_out: &[Item]) -> Result<[f64; 3]> {
    let owned = |items: &[Item]| both(items, pair).into_iter().cloned().collect::<Vec<Item>>();
    let (train, held_out) = (owned(train), owned(held_out));
    let mu = |latent: &latents::Latent| latent.mu.clone();
    let (a, b) = (read(&train, &held_out, pair.0, mu)?, read(&train, &held_out, pair.1, mu)?);
    let mut counts = [[0; 2]; 2];
    a.decisions.iter().zip(&b.decisions).for_each(|(a, b)| counts[usize::from(*a)][usize::from(*b)] += 1);
    let (_, signs) = signed(&held_out, pair.0, mu);
    let positives = signs.iter().filter(|positive| **positive).count() as f64 / signs.len().max(1) as f64;
    Ok([
        floor::of_decisions(counts),
        floor::of_accuracies(a.accuracy, b.accuracy),
        floor::of_information(positives, a.cross_entropy, b.cross_entropy),
    ])
}
