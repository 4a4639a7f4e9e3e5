//! All extractors together: from a media file to a clip's features.

use crate::{AudioExtractor, CheckpointError, NotFinite};
use corpus::{Modality, Origins, Sequence};
use media::Media;
use std::path::{Path, PathBuf};

/// Why a folder gives no extractors.
#[derive(Debug, thiserror::Error)]
pub enum ExtractorsError {
    /// The folder cannot be listed.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No pretrained network in it.
    #[error("{}: no pretrained extractor in it or in a folder below it: {WANTED}", .0.display())]
    Nothing(PathBuf),
    /// Two for the same modality.
    #[error("{} and {} are both extractors of {modality}; keep one of them there", first.display(), second.display())]
    Two {
        /// The modality's name.
        modality: &'static str,
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// One that is there and cannot be loaded.
    #[error("{}: {source}", path.display())]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
}

const WANTED: &str = "expected a Whisper encoder (config.json with num_mel_bins, model.safetensors)";

/// Why a media file gives no features.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// It cannot be decoded.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// Its sound is no sound.
    #[error(transparent)]
    Sound(#[from] NotFinite),
    /// There is neither sound nor a picture of what is extracted.
    #[error("nothing in it that these extractors ({0}) make features of")]
    Nothing(String),
}

/// What a media file gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// Features by [`Modality::index`]; text never.
    pub features: [Option<Sequence>; 3],
    /// Length of the sound in seconds; 0 without.
    pub seconds: f64,
    /// The largest magnitude in each of [`PEAKS_HZ`] parts of a second of the sound.
    pub peaks: Vec<f32>,
}

/// Peaks a second in [`Extracted::peaks`].
pub const PEAKS_HZ: usize = 25;

/// Pretrained extractors, at most one a modality.
pub struct Extractors {
    audio: Option<AudioExtractor>,
}

impl Extractors {
    /// Loads what `folder` and the folders right below it hold.
    ///
    /// # Errors
    /// If there is none, one is broken, or two are of the same modality.
    pub fn load(folder: &Path) -> Result<Extractors, ExtractorsError> {
        let [audio] = find(folder)?;
        let broken = |path: &Path| {
            let path = path.to_owned();
            |source| ExtractorsError::Checkpoint { path, source }
        };
        let audio = audio.map(|path| AudioExtractor::load(&path).map_err(broken(&path))).transpose()?;
        Ok(Extractors { audio })
    }

    /// Without those whose features `wanted` knows nothing of.
    #[must_use]
    pub fn only(self, wanted: &Origins) -> Extractors {
        Extractors { audio: self.audio.filter(|_| wanted.get(Modality::Audio).is_some()) }
    }

    /// Without those of other modalities.
    #[must_use]
    pub fn only_modalities(self, wanted: &[Modality]) -> Extractors {
        Extractors { audio: self.audio.filter(|_| wanted.contains(&Modality::Audio)) }
    }

    /// What the features will be made by.
    pub fn origins(&self) -> Origins {
        Origins::new([None, self.audio.as_ref().map(AudioExtractor::identity), None])
    }

    /// Makes features of what is heard. A modality that the file lacks has none.
    ///
    /// # Errors
    /// If the file cannot be decoded, or lacks all that these extractors read.
    pub fn extract(&self, media: &Media) -> Result<Extracted, ExtractError> {
        let (mut seconds, mut peaks, mut audio) = (0.0, Vec::new(), None);
        if let Some(extractor) = &self.audio
            && let Some(sound) = sound(media)?
        {
            seconds = sound.seconds();
            peaks = sound.pcm.chunks(sound.rate_hz as usize / PEAKS_HZ).map(peak).collect();
            let rows = extractor.extract(&sound.pcm)?;
            audio = (!rows.is_empty()).then(|| Sequence::new(extractor.identity().width, rows));
        }
        let features = [None, audio, None];
        if features.iter().all(Option::is_none) {
            let there: Vec<&str> =
                Modality::ALL.into_iter().filter(|m| self.origins().get(*m).is_some()).map(Modality::name).collect();
            return Err(ExtractError::Nothing(there.join(", ")));
        }
        Ok(Extracted { features, seconds, peaks })
    }
}

/// The sound at the rate of the front ends; `None` if the file has none.
fn sound(media: &Media) -> Result<Option<media::Audio>, media::Error> {
    match media.audio() {
        Ok(audio) => audio.resampled().map(Some),
        Err(media::Error::NoAudio(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, sample| most.max(sample.abs()))
}

/// The folders of the extractors: audio.
fn find(folder: &Path) -> Result<[Option<PathBuf>; 1], ExtractorsError> {
    let unreadable = |source| ExtractorsError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let below: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut folders = below.map_err(unreadable)?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.insert(0, folder.to_owned());
    let mut found = [None];
    for path in folders {
        let Some(modality) = kind(&path) else { continue };
        let place: &mut Option<PathBuf> = &mut found[modality.index() - Modality::Audio.index()];
        if let Some(first) = place.take() {
            return Err(ExtractorsError::Two { modality: modality.name(), first, second: path });
        }
        *place = Some(path);
    }
    match found.iter().all(Option::is_none) {
        true => Err(ExtractorsError::Nothing(folder.to_owned())),
        false => Ok(found),
    }
}

/// Which modality the extractor in a folder is of, if there is one, by its files.
fn kind(folder: &Path) -> Option<Modality> {
    let config = std::fs::read(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    config.get("num_mel_bins").map(|_| Modality::Audio)
}
