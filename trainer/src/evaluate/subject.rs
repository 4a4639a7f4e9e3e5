//! The weights that are scored, and the sweep that they are scored over.

use super::{BATCH, Evaluation, Request, Round, encode, evaluate};
use crate::parallel;
use anyhow::Result;
use corpus::{Corpus, Modality};
use indicatif::{ProgressBar, ProgressStyle};
use phy::{Conditions, Symbols};
use schemes::scheme::{Receive, Transmit};
use schemes::weights::{load, receiver_manifest};
use std::num::NonZeroUsize;
use std::path::Path;

/// Weights loaded from one folder: both halves of a model, with what the records state about them.
pub struct Subject {
    transmitter: Box<dyn Transmit>,
    receiver: Box<dyn Receive>,
    scheme: String,
    training_snr_db: Option<(f64, f64)>,
    training_seed: u64,
}

/// The clips and channels that weights are scored over.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// The corpus that the clips are taken from.
    pub corpus: &'a Corpus,
    /// Split of the corpus that is scored.
    pub split: &'a str,
    /// Points of the sweep: channels and SNRs.
    pub points: &'a [Conditions],
    /// Channel draws for every clip at every point.
    pub draws: u32,
    /// Seed of the channel.
    pub seed: u64,
}

impl Subject {
    /// Loads both halves of the weights in `folder`.
    ///
    /// # Errors
    /// If the weights are missing or cannot be used.
    pub fn load(folder: &Path) -> Result<Self> {
        let manifest = receiver_manifest(folder)?;
        let (transmitter, receiver) = load(folder)?;
        Ok(Subject {
            transmitter,
            receiver,
            training_snr_db: manifest.snr_range(),
            training_seed: manifest.training.seed,
            scheme: manifest.scheme_name(),
        })
    }

    /// Scores the weights over a sweep, with the modalities `without` dropped from every clip.
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn score(&self, sweep: &Sweep, without: &[Modality], threads: Option<NonZeroUsize>) -> Result<Evaluation> {
        Ok(evaluate(&self.request(sweep, without, threads, &|_| ()))?)
    }

    /// Scores the weights as [`Subject::score`] does, on all available threads and with a progress bar on the
    /// terminal.
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn score_shown(&self, sweep: &Sweep, without: &[Modality]) -> Result<Evaluation> {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} bursts, {eta} left")?;
        let bar = ProgressBar::new(self.request(sweep, without, None, &|_| ()).bursts()?);
        let bar = bar.with_style(style).with_message("evaluating");
        let evaluation = evaluate(&self.request(sweep, without, None, &|bursts| bar.inc(bursts)));
        bar.finish_and_clear();
        Ok(evaluation?)
    }

    /// Label and transmitted burst of every clip of the sweep's split, in row order. With CSIT the burst is that for
    /// the noiseless channel.
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn sent(&self, sweep: &Sweep, threads: Option<NonZeroUsize>) -> Result<Vec<(f32, Symbols)>> {
        let request = self.request(sweep, &[], threads, &|_| ());
        let clips = request.clips()?;
        let quiet = [Round { conditions: Conditions::None, draw: 0 }];
        let batches: Vec<_> = clips.chunks(BATCH).collect();
        let bursts = parallel::map(batches.len(), threads, |batch| encode(&request, batches[batch], &quiet))?;
        Ok(clips
            .iter()
            .map(|(_, clip)| clip.label)
            .zip(bursts.into_iter().flatten().map(|burst| burst.symbols))
            .collect())
    }

    fn request<'a>(
        &'a self,
        sweep: &Sweep<'a>,
        without: &'a [Modality],
        threads: Option<NonZeroUsize>,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Request<'a> {
        Request {
            transmitter: self.transmitter.as_ref(),
            receiver: self.receiver.as_ref(),
            scheme: &self.scheme,
            training_snr_db: self.training_snr_db,
            training_seed: Some(self.training_seed),
            corpus: sweep.corpus,
            split: sweep.split,
            without,
            points: sweep.points,
            draws: 0..sweep.draws,
            seed: sweep.seed,
            threads,
            progress,
        }
    }
}
