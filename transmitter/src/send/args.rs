//! The options of `transmitter send`, and their combined meaning.

use super::pace::Rate;
use anyhow::{Result, bail};
use corpus::CorpusSpec;
use phy::{ChannelKind, ChannelList, Conditions, SnrList};
use runtime::PeerUrl;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Default number of draws at each point, the same as in `trainer evaluate`.
const DRAWS: u32 = 10;

/// Arguments of the command `transmitter send`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The transmitter, http://host:port.
    #[arg(long, value_name = "URL")]
    pub to: PeerUrl,
    /// Your own clips: media files (*.wav, *.mp4 and others), and all that --clips takes.
    #[arg(value_name = "PATH", conflicts_with_all = ["corpus", "clips", "split"])]
    pub paths: Vec<PathBuf>,
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder.
    #[arg(long, value_name = "CORPUS", required_unless_present_any = ["text", "clips", "paths"], conflicts_with_all = ["text", "clips"])]
    pub corpus: Option<CorpusSpec>,
    /// Split of the corpus to send.
    #[arg(long, default_value = "test", conflicts_with = "text")]
    pub split: String,
    /// Your own transcript instead of a corpus, or the transcript of the one media file.
    #[arg(long, value_name = "TRANSCRIPT", conflicts_with = "clips")]
    pub text: Option<String>,
    /// CSV file of transcripts, with columns id (a media file's name, with or without extension), text and, optionally,
    /// label.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "text"])]
    pub transcripts: Option<PathBuf>,
    /// Your own clips: a folder of media files, `*.json` (a clip each), `*.jsonl` (a clip a line) and `*.txt` (a
    /// transcript each), one such file, or `-` for JSON lines on standard input.
    #[arg(long, value_name = "PATH", conflicts_with = "split")]
    pub clips: Option<PathBuf>,
    /// Print outcomes as JSON lines. By default the outcomes of --text are printed as text, and those of your own clips
    /// as text if standard output is a terminal.
    #[arg(long, conflicts_with = "corpus")]
    pub jsonl: bool,
    /// Send the split repeatedly, with the next draws of the channel in every round, until SIGTERM or Ctrl-C.
    #[arg(long, conflicts_with_all = ["text", "clips", "paths", "predictions"])]
    pub forever: bool,
    /// Send at most this many clips per second.
    #[arg(long, value_name = "N")]
    pub rate: Option<Rate>,
    /// Channels to pin: none, awgn, rayleigh, rician:K (linear K factor), separated by commas. Without it clips pass
    /// the channel at the emulator's live conditions.
    #[arg(long, value_name = "LIST")]
    pub channel: Option<ChannelList>,
    /// Es/N0 per complex symbol in dB to pin: one value, a list -12,-6,0, or start:stop:step.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, requires = "channel")]
    pub snr: Option<SnrList>,
    /// Draws of the channel for every clip at every point, and with --forever in every round [default: 10; with
    /// --forever or --clips 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "draw")]
    pub draws: Option<u32>,
    /// Send a single draw, given by its number from 0.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(..i64::from(u32::MAX)))]
    pub draw: Option<u32>,
    /// Seed of the channel noise [default: 0; for --text, and for --clips under live conditions, the emulator's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the result records to this file, as a JSON array.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every prediction to this file, as CSV.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
}

/// The kind of input that the options select.
pub(super) enum What<'a> {
    /// A split of this corpus.
    Corpus(&'a CorpusSpec),
    /// One transcript, given on the command line.
    Transcript(&'a str),
    /// Clips from files, folders or standard input.
    Clips(Vec<&'a Path>),
}

impl Args {
    pub(super) fn what(&self) -> Result<What<'_>> {
        let paths: Vec<&Path> = self.clips.iter().chain(&self.paths).map(PathBuf::as_path).collect();
        match (&self.corpus, &self.text, paths.len()) {
            (Some(spec), None, 0) => Ok(What::Corpus(spec)),
            (None, Some(text), 0) => {
                self.check_alone()?;
                Ok(What::Transcript(text))
            }
            (None, Some(_), 1) | (None, None, 1..) => Ok(What::Clips(paths)),
            (None, Some(_), _) => bail!("--text is said in one file; use --transcripts for several"),
            _ => bail!("give one of --corpus, --clips, --text and files"),
        }
    }

    /// Fails if an option is given that has no meaning for a single transcript.
    fn check_alone(&self) -> Result<()> {
        let given = [
            ("--draws", self.draws.is_some()),
            ("--json", self.json.is_some()),
            ("--predictions", self.predictions.is_some()),
            ("--rate", self.rate.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => bail!("{option} does not go with --text alone; give a file or --clips"),
            None => Ok(()),
        }
    }

    /// The channel conditions to pin, each once; `None` for the emulator's live conditions.
    ///
    /// # Errors
    /// Fails if a channel lacks its SNR, or an SNR is given without a channel that has one.
    pub(super) fn points(&self) -> Result<Option<Vec<Conditions>>> {
        let Some(channels) = &self.channel else {
            if self.snr.is_some() {
                bail!("--snr needs --channel: say over which channel");
            }
            return Ok(None);
        };
        if self.snr.is_some() && channels.channels().iter().all(|channel| channel.kind() == ChannelKind::None) {
            bail!("--snr goes with a channel that has noise; --channel none has none");
        }
        let noisy = channels.channels().iter().find(|channel| channel.kind() != ChannelKind::None);
        match (noisy, &self.snr) {
            (_, Some(snrs)) => Ok(Some(phy::sweep(channels, snrs))),
            (None, None) => Ok(Some(vec![Conditions::None])),
            (Some(channel), None) => {
                bail!("--channel {channel} needs --snr in dB: one value, a list -12,-6,0, or start:stop:step")
            }
        }
    }

    pub(super) fn draws(&self) -> Range<u32> {
        match self.draw {
            Some(draw) => draw..draw.saturating_add(1),
            None => 0..self.draws.unwrap_or(if self.forever || self.corpus.is_none() { 1 } else { DRAWS }),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// The seed for the user's own clips; `None` leaves it to the emulator, if neither a channel nor a draw nor a seed
    /// is given.
    pub(super) fn clips_seed(&self) -> Option<u64> {
        let said = self.channel.is_some() || self.draw.is_some() || self.draws.is_some();
        self.seed.or(said.then_some(0))
    }
}
