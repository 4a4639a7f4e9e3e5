//! Trains and scores many runs side by side on the available cores, with one progress bar for all.

use crate::command;
use crate::config::RunConfig;
use crate::material::Material;
use crate::parallel;
use crate::runs;
use crate::threads::Threads;
use crate::train::Progress;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use std::num::NonZeroUsize;
use std::path::Path;

/// Number of cores that one of several runs has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(NonZeroUsize);

impl Share {
    /// The share of run `index` out of `runs` that are taken up in order on `cores` cores. Each run has one core; the
    /// last runs, if they are fewer than the cores, share all cores.
    fn of(index: usize, runs: usize, cores: NonZeroUsize) -> Self {
        let last = runs % cores;
        let among = if index >= runs - last { last } else { cores.get() };
        Share(NonZeroUsize::new(cores.get() / among.max(1)).unwrap_or(NonZeroUsize::MIN))
    }

    /// Number of threads to use.
    pub fn threads(self) -> NonZeroUsize {
        self.0
    }

    /// Ensures that `folder` holds the trained run, as [`runs::ensure_trained`] does, with this share's threads. The
    /// board shows its progress under `name`.
    ///
    /// # Errors
    /// Those of [`runs::ensure_trained`], with the name of the run.
    pub fn ensure_trained(
        self,
        material: &Material,
        config: &RunConfig,
        folder: &Path,
        name: &str,
        board: &Board,
    ) -> Result<String> {
        let threads = if self.0.get() > 1 { Threads::OneAPart } else { Threads::One };
        let mut done = 0;
        let id = runs::ensure_trained(material, config, folder, threads, &mut |progress| {
            done += 1;
            board.epoch(name, &progress);
        });
        board.skip(config.schedule.epochs - done);
        id.with_context(|| name.to_owned())
    }
}

/// The results of `work(0, share)`, `work(1, share)`, … for all runs, in order. The runs are worked on side by side.
///
/// # Errors
/// The error of the first run that fails.
pub fn run_all<T: Send>(runs: usize, work: impl Fn(usize, Share) -> Result<T> + Sync) -> Result<Vec<T>> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    parallel::map(runs, Some(cores), |index| work(index, Share::of(index, runs, cores)))
}

/// A progress bar that counts the epochs of all runs; without a terminal it prints a line for each epoch.
pub struct Board(ProgressBar);

impl Board {
    /// A board for runs that together have at most this many epochs.
    ///
    /// # Errors
    /// If the template of the progress bar is invalid.
    pub fn new(epochs: usize) -> Result<Self> {
        Ok(Board(command::bar(epochs as u64, "training", "epochs")?))
    }

    fn epoch(&self, name: &str, progress: &Progress) {
        let line = format!("{name} {}/{}: {}", progress.epoch, progress.epochs, command::line(progress));
        self.0.inc(1);
        self.0.set_message(line.clone());
        if self.0.is_hidden() {
            console::note(format_args!("{line}"));
        }
    }

    /// Shows what a run does other than epochs.
    pub fn note(&self, line: String) {
        if self.0.is_hidden() {
            console::note(format_args!("{line}"));
        }
        self.0.set_message(line);
    }

    /// Counts epochs as done that will not be trained, after early stopping or of finished runs.
    pub fn skip(&self, epochs: usize) {
        self.0.inc(epochs as u64);
    }

    /// Removes the progress bar.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_runs_share_the_cores_that_would_idle() {
        let shares = |runs: usize, cores: usize| -> Vec<usize> {
            let cores = NonZeroUsize::new(cores).unwrap();
            (0..runs).map(|index| Share::of(index, runs, cores).threads().get()).collect()
        };
        assert_eq!(shares(5, 2), [1, 1, 1, 1, 2]);
        assert_eq!(shares(4, 2), [1; 4]);
        assert_eq!(shares(1, 8), [8]);
        assert_eq!(shares(3, 8), [2; 3]);
        assert_eq!(shares(3, 1), [1; 3]);
    }
}
