//! Many runs on the cores there are, with one bar for all.

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

/// The cores that one of several runs has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(NonZeroUsize);

impl Share {
    /// Of `cores` for run `index` of `runs` that are taken up in order. A core each, but what is left over at the end, too
    /// few runs for all cores, shares them.
    fn of(index: usize, runs: usize, cores: NonZeroUsize) -> Self {
        let last = runs % cores;
        let among = if index >= runs - last { last } else { cores.get() };
        Share(NonZeroUsize::new(cores.get() / among.max(1)).unwrap_or(NonZeroUsize::MIN))
    }

    /// Threads to use.
    pub fn threads(self) -> NonZeroUsize {
        self.0
    }

    /// [`runs::ensure_trained`] on this share, shown on the board under `name`.
    ///
    /// # Errors
    /// As there, naming the run.
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

/// `work(0, share)`, `work(1, share)`, … side by side; results in order, or the first run's error.
///
/// # Errors
/// Those of the work.
pub fn run_all<T: Send>(runs: usize, work: impl Fn(usize, Share) -> Result<T> + Sync) -> Result<Vec<T>> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    parallel::map(runs, Some(cores), |index| work(index, Share::of(index, runs, cores)))
}

/// One bar of epochs for all runs; lines where there is no terminal.
pub struct Board(ProgressBar);

impl Board {
    /// For runs of `epochs` epochs together at most.
    ///
    /// # Errors
    /// If the bar's template is wrong.
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

    /// What a run does beside epochs.
    pub fn note(&self, line: String) {
        if self.0.is_hidden() {
            console::note(format_args!("{line}"));
        }
        self.0.set_message(line);
    }

    /// Epochs that will not come.
    pub fn skip(&self, epochs: usize) {
        self.0.inc(epochs as u64);
    }

    /// Takes the bar away.
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
