//! Weights that are scored, and over what.

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

/// Both halves of one folder.
pub struct Subject {
    transmitter: Box<dyn Transmit>,
    receiver: Box<dyn Receive>,
    scheme: String,
    training_snr_db: Option<(f64, f64)>,
    training_seed: u64,
}

/// The clips and channels that subjects are scored over.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// Where the clips are from.
    pub corpus: &'a Corpus,
    /// Which of its splits.
    pub split: &'a str,
    /// Channels and SNRs.
    pub points: &'a [Conditions],
    /// Draws for every clip at every point.
    pub draws: u32,
    /// The seed of the channel.
    pub seed: u64,
}

impl Subject {
    /// Loads the weights in `folder`.
    ///
    /// # Errors
    /// If they cannot be used.
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

    /// Scores it on clips without some modalities.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn score(&self, sweep: &Sweep, without: &[Modality], threads: Option<NonZeroUsize>) -> Result<Evaluation> {
        Ok(evaluate(&self.request(sweep, without, threads, &|_| ()))?)
    }

    /// The same with a bar on the terminal.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn score_shown(&self, sweep: &Sweep, without: &[Modality]) -> Result<Evaluation> {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} bursts, {eta} left")?;
        let bar = ProgressBar::new(self.request(sweep, without, None, &|_| ()).bursts()?);
        let bar = bar.with_style(style).with_message("evaluating");
        let evaluation = evaluate(&self.request(sweep, without, None, &|bursts| bar.inc(bursts)));
        bar.finish_and_clear();
        Ok(evaluation?)
    }

    /// Label and burst of every clip of the sweep's split, in row order; with feedback the one for no noise.
    ///
    /// # Errors
    /// See [`evaluate`].
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
