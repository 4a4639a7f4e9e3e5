//! All extractors together: from a media file to a clip's features.

use crate::classical::Classical;
use crate::face::FaceExtractor;
use crate::findings::{Findings, SIGHTINGS, Sighting, peaks};
use crate::{AudioExtractor, CheckpointError, FEATURE_RATE_HZ, NotFinite};
use corpus::{Identity, Modality, Origins, OtherOrigin, Sequence};
use media::{Frame, Frames, Media};
use std::path::{Path, PathBuf};
use std::thread;

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
    /// Another one than the weights were trained with.
    #[error("{}: {source}", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// What was expected and what is there.
        source: OtherOrigin,
    },
    /// Not all that the weights were trained with.
    #[error("{}: these weights need {wanted}, and not all of that is there", path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// All of it.
        wanted: String,
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

const WANTED: &str = "expected a Whisper encoder (config.json with num_mel_bins, model.safetensors) or the networks of \
                      face-api (tiny_face_detector_model-weights_manifest.json and the others)";

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

/// Extractors, at most one a modality.
#[derive(Default)]
pub struct Extractors {
    audio: Option<Audio>,
    visual: Option<FaceExtractor>,
}

enum Audio {
    Whisper(Box<AudioExtractor>),
    Classical(Classical),
}

impl Audio {
    fn identity(&self) -> Identity {
        match self {
            Audio::Whisper(extractor) => extractor.identity(),
            Audio::Classical(frontend) => frontend.identity(),
        }
    }

    fn extract(&self, pcm: &[f32]) -> Result<Vec<f32>, NotFinite> {
        match self {
            Audio::Whisper(extractor) => extractor.extract(pcm),
            Audio::Classical(frontend) => frontend.extract(pcm),
        }
    }
}

impl Extractors {
    /// Loads what `folder` and the folders right below it hold.
    ///
    /// # Errors
    /// If there is none, one is broken, or two are of the same modality.
    pub fn load(folder: &Path) -> Result<Extractors, ExtractorsError> {
        let [audio, visual] = find(folder)?;
        let broken = |path: PathBuf| |source| ExtractorsError::Checkpoint { path, source };
        let audio = audio.map(|path| {
            AudioExtractor::load(&path).map(|loaded| Audio::Whisper(Box::new(loaded))).map_err(broken(path))
        });
        let visual = visual.map(|path| FaceExtractor::load(&path).map_err(broken(path)));
        Ok(Extractors { audio: audio.transpose()?, visual: visual.transpose()? })
    }

    /// With the classical front end as the one of audio, which needs no files.
    #[must_use]
    pub fn classical(self) -> Extractors {
        Extractors { audio: Some(Audio::Classical(Classical::new())), ..self }
    }

    /// Those that make features of the origins `wanted`, as far as they are here; see [`Origins::check`].
    #[must_use]
    pub fn only(self, wanted: &Origins) -> Extractors {
        let classical = wanted.get(Modality::Audio).is_some_and(|identity| identity.network == Classical::NETWORK);
        let all = if classical { self.classical() } else { self };
        let known = Modality::ALL.into_iter().filter(|modality| wanted.get(*modality).is_some());
        all.only_modalities(&known.collect::<Vec<_>>())
    }

    /// Without those of other modalities.
    #[must_use]
    pub fn only_modalities(self, wanted: &[Modality]) -> Extractors {
        Extractors {
            audio: self.audio.filter(|_| wanted.contains(&Modality::Audio)),
            visual: self.visual.filter(|_| wanted.contains(&Modality::Visual)),
        }
    }

    /// Those that made what weights were trained on, out of `folder`; without one `None`, unless they need no files.
    ///
    /// # Errors
    /// If the folder has others, or not all of them.
    pub fn of_weights(folder: Option<&Path>, trained: &Origins) -> Result<Option<Extractors>, ExtractorsError> {
        let Some(folder) = folder else {
            let bare = Extractors::default().only(trained);
            return Ok((bare.origins() == *trained).then_some(bare));
        };
        let found = Extractors::load(folder)?.only(trained);
        let other = |source| ExtractorsError::Other { path: folder.to_owned(), source };
        trained.check(&found.origins()).map_err(other)?;
        match found.origins() == *trained {
            true => Ok(Some(found)),
            false => Err(ExtractorsError::Incomplete { path: folder.to_owned(), wanted: trained.to_string() }),
        }
    }

    /// What the features will be made by.
    pub fn origins(&self) -> Origins {
        let visual = self.visual.as_ref().map(FaceExtractor::identity);
        Origins::new([None, self.audio.as_ref().map(Audio::identity), visual])
    }

    /// Makes features of what is heard and seen, both at once. A modality that the file lacks has none.
    ///
    /// # Errors
    /// If the file cannot be decoded, or lacks all that these extractors read.
    pub fn extract(&self, media: &Media) -> Result<Findings, ExtractError> {
        self.extract_from(|| sound(media), || pictures(media))
    }

    /// The same of what something else decodes: the sound at [`media::RATE_HZ`] and the frames at [`FEATURE_RATE_HZ`],
    /// `None` for what is not there. Neither is asked for if it is not extracted from.
    ///
    /// # Errors
    /// Those of `sound` and `pictures`, and if there is nothing that these extractors read.
    pub fn extract_from<F: Iterator<Item = Result<Frame, media::Error>>>(
        &self,
        sound: impl FnOnce() -> Result<Option<media::Audio>, media::Error>,
        pictures: impl FnOnce() -> Result<Option<F>, media::Error> + Send,
    ) -> Result<Findings, ExtractError> {
        let (seen, heard) = thread::scope(|scope| {
            let seen = scope.spawn(|| self.see(pictures));
            let heard = self.hear(sound);
            (seen.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), heard)
        });
        let (heard, seen) = (heard?, seen?);
        if heard.features.is_none() && seen.features.is_none() {
            let there: Vec<String> = self.origins().iter().map(|(modality, _)| modality.to_owned()).collect();
            return Err(ExtractError::Nothing(there.join(", ")));
        }
        Ok(Findings {
            features: [None, heard.features, seen.features],
            seconds: if heard.peaks.is_empty() { seen.seconds } else { heard.seconds },
            peaks: heard.peaks,
            faces: seen.faces,
        })
    }

    fn hear(&self, sound: impl FnOnce() -> Result<Option<media::Audio>, media::Error>) -> Result<Heard, ExtractError> {
        let Some(extractor) = &self.audio else { return Ok(Heard::default()) };
        let Some(sound) = sound()? else { return Ok(Heard::default()) };
        let features = sequence(extractor.identity().width, extractor.extract(&sound.pcm)?);
        Ok(Heard { features, seconds: sound.seconds(), peaks: peaks(&sound.pcm) })
    }

    fn see<F: Iterator<Item = Result<Frame, media::Error>>>(
        &self,
        pictures: impl FnOnce() -> Result<Option<F>, media::Error>,
    ) -> Result<Seen, ExtractError> {
        let mut seen = Seen::default();
        let Some(extractor) = &self.visual else { return Ok(seen) };
        let Some(frames) = pictures()? else { return Ok(seen) };
        let (mut video, mut rows) = (extractor.video(), Vec::new());
        for frame in frames {
            let frame = frame?;
            seen.seconds = frame.time_s + 1.0 / FEATURE_RATE_HZ as f64;
            // A frame without a face says nothing, and leaves no row that would have to be masked.
            let Some(row) = video.row(&frame) else { continue };
            if seen.faces.len() < SIGHTINGS {
                seen.faces.push(Sighting::new(&row, frame.width, frame.height));
            }
            rows.extend(row.values);
        }
        seen.features = sequence(extractor.identity().width, rows);
        Ok(seen)
    }
}

/// What [`Findings`] has of the sound.
#[derive(Default)]
struct Heard {
    features: Option<Sequence>,
    seconds: f64,
    peaks: Vec<[f32; 2]>,
}

/// What [`Findings`] has of the pictures.
#[derive(Default)]
struct Seen {
    features: Option<Sequence>,
    seconds: f64,
    faces: Vec<Sighting>,
}

/// Rows as a sequence, if there are any.
fn sequence(width: usize, rows: Vec<f32>) -> Option<Sequence> {
    (!rows.is_empty()).then(|| Sequence::new(width, rows))
}

/// The frames at the rate of the front ends; `None` if the file has none.
///
/// # Errors
/// If it cannot be decoded.
pub fn pictures(media: &Media) -> Result<Option<Frames>, media::Error> {
    match media.frames(FEATURE_RATE_HZ as f64) {
        Ok(frames) => Ok(Some(frames)),
        Err(media::Error::NoVideo(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The sound at the rate of the front ends; `None` if the file has none.
///
/// # Errors
/// If it cannot be decoded.
pub fn sound(media: &Media) -> Result<Option<media::Audio>, media::Error> {
    match media.audio() {
        Ok(audio) => audio.resampled().map(Some),
        Err(media::Error::NoAudio(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folders of the extractors of audio and visual.
fn find(folder: &Path) -> Result<[Option<PathBuf>; 2], ExtractorsError> {
    let unreadable = |source| ExtractorsError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let below: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut folders = below.map_err(unreadable)?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.insert(0, folder.to_owned());
    let mut found = [None, None];
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
    if folder.join("tiny_face_detector_model-weights_manifest.json").is_file() {
        return Some(Modality::Visual);
    }
    let config = std::fs::read(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    config.get("num_mel_bins").map(|_| Modality::Audio)
}
