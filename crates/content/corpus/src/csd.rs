//! Reading the computational sequences (`.csd`, HDF5) of the CMU multimodal SDK.
//!
//! A file holds one group, named after the sequence, with `data/<video>/features` `[n, width]` and
//! `data/<video>/intervals` `[n, 2]`, start and end in seconds. The labels' intervals are the clips: clip number i (from 1)
//! of a video gets the id `<video>_<i>`, and the first column of the labels' features is its sentiment.
//!
//! A frame belongs to a clip if their intervals overlap by at least half of the shorter one. Words that belong are joined to
//! the transcript; `sp`, which marks a pause, is left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hdf5_pure::File;

use crate::values::Replaced;
use crate::{Clip, Corpus, CorpusError, LABEL_RANGE, Sequence, find_columns};

/// The files that make up a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsdSources {
    /// Sentiment of each segment.
    pub labels: PathBuf,
    /// Which video belongs to which split: a CSV file with the columns `video_id` and `split`, or the SDK's Python file
    /// of `standard_train_fold`, `standard_valid_fold` and `standard_test_fold`.
    pub folds: PathBuf,
    /// Words with their times, for the transcripts.
    pub words: Option<PathBuf>,
    /// Feature sequences by [`crate::Modality::index`].
    pub features: [Option<PathBuf>; 3],
}

/// A corpus from `.csd` files, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CsdImport {
    /// The clips, by video and segment.
    pub corpus: Corpus,
    /// Videos that have labels but no split.
    pub videos_without_split: Vec<String>,
    /// Segments of which neither a word nor a frame is known.
    pub empty_clips: Vec<String>,
}

/// Reads the labelled segments, and cuts words and features along them.
///
/// # Errors
/// If a file cannot be read, is not laid out as described, or holds a label outside [−3, 3]; or if nothing is left.
pub fn import(name: impl Into<String>, sources: &CsdSources) -> Result<CsdImport, CorpusError> {
    let splits = read_folds(&sources.folds)?;
    let labels = Csd::open(&sources.labels)?;
    let words = sources.words.as_deref().map(Csd::open).transpose()?;
    let mut features = [None, None, None];
    for (file, path) in features.iter_mut().zip(&sources.features) {
        *file = path.as_deref().map(Csd::open).transpose()?;
    }

    let mut replaced = [Replaced::default(); 3];
    let (mut clips, mut videos_without_split, mut empty_clips) = (Vec::new(), Vec::new(), Vec::new());
    for video in labels.videos()? {
        let Some(split) = splits.get(&video) else {
            videos_without_split.push(video);
            continue;
        };
        let segments = labels.frames(&video)?.ok_or_else(|| labels.wrong(&video, "no longer there"))?;
        let words = words.as_ref().map(|words| words.words(&video)).transpose()?.flatten();
        let mut sequences = [None, None, None];
        for (frames, file) in sequences.iter_mut().zip(&features) {
            *frames = file.as_ref().map(|file| file.frames(&video)).transpose()?.flatten();
        }
        for (index, segment) in segments.intervals.iter().enumerate() {
            let id = format!("{video}_{}", index + 1);
            let label = segments.values[index * segments.width] as f32;
            if !LABEL_RANGE.contains(&label) {
                return Err(
                    labels.wrong(&video, format!("segment {}: expected a label in [-3, 3], got {label}", index + 1))
                );
            }
            let text = words.as_ref().map_or(String::new(), |words| words.within(segment));
            let mut cut = [None, None, None];
            for index in 0..3 {
                cut[index] =
                    sequences[index].as_ref().and_then(|frames: &Frames| frames.within(segment, &mut replaced[index]));
            }
            if text.is_empty() && cut.iter().all(Option::is_none) {
                empty_clips.push(id);
                continue;
            }
            clips.push(Clip { id, video_id: video.clone(), split: split.clone(), label, text, features: cut });
        }
    }
    if clips.is_empty() {
        return Err(CorpusError::file(
            &sources.labels,
            format!(
                "no labelled segment is left: {} videos have no split in {}, {} segments have neither words nor features",
                videos_without_split.len(),
                sources.folds.display(),
                empty_clips.len()
            ),
        ));
    }
    let corpus = Corpus { replaced, ..Corpus::new(name, clips)? };
    Ok(CsdImport { corpus, videos_without_split, empty_clips })
}

/// Start and end in seconds.
type Interval = [f64; 2];

/// Whether two intervals share at least half of the shorter one; false where a time is NaN.
fn belongs(frame: &Interval, clip: &Interval) -> bool {
    // `min` and `max` pass over NaN, so order is asked for first.
    let ordered = frame[0] <= frame[1] && clip[0] <= clip[1];
    let overlap = frame[1].min(clip[1]) - frame[0].max(clip[0]);
    let shorter = (frame[1] - frame[0]).min(clip[1] - clip[0]);
    ordered && overlap >= 0.5 * shorter
}

/// The frames of one video.
struct Frames {
    width: usize,
    /// `[frames, width]`
    values: Vec<f64>,
    intervals: Vec<Interval>,
}

impl Frames {
    fn within(&self, clip: &Interval, replaced: &mut Replaced) -> Option<Sequence> {
        let frames = self.values.chunks_exact(self.width).zip(&self.intervals);
        let inside = frames.filter(|(_, interval)| belongs(interval, clip)).flat_map(|(values, _)| values);
        let values: Vec<f32> = inside.map(|value| replaced.finite(*value as f32)).collect();
        (!values.is_empty()).then(|| Sequence::new(self.width, values))
    }
}

/// The words of one video.
struct Words {
    words: Vec<String>,
    intervals: Vec<Interval>,
}

impl Words {
    fn within(&self, clip: &Interval) -> String {
        let words = self.words.iter().zip(&self.intervals).filter(|(_, interval)| belongs(interval, clip));
        let words = words.map(|(word, _)| word.trim()).filter(|word| !word.is_empty() && *word != "sp");
        words.collect::<Vec<_>>().join(" ")
    }
}

/// An open `.csd` file.
struct Csd {
    path: PathBuf,
    file: File,
    /// Path of the group of videos, `<sequence>/data`.
    data: String,
}

impl Csd {
    fn open(path: &Path) -> Result<Self, CorpusError> {
        // The library does not tell a missing file from a malformed one.
        std::fs::metadata(path).map_err(|source| CorpusError::io(path, source))?;
        let malformed = |error: hdf5_pure::Error| CorpusError::file(path, format!("not a readable HDF5 file: {error}"));
        let file = File::open_streaming(path).map_err(malformed)?;
        let groups = file.root().groups().map_err(malformed)?;
        let [sequence] = &groups[..] else {
            return Err(CorpusError::file(
                path,
                format!("expected one group, the computational sequence, got {}: {}", groups.len(), groups.join(", ")),
            ));
        };
        let data = format!("{sequence}/data");
        file.group(&data).map_err(|error| CorpusError::file(path, format!("group `{data}`: {error}")))?;
        Ok(Csd { path: path.to_owned(), data, file })
    }

    fn wrong(&self, video: &str, problem: impl std::fmt::Display) -> CorpusError {
        CorpusError::file(&self.path, format!("video `{video}`: {problem}"))
    }

    fn videos(&self) -> Result<Vec<String>, CorpusError> {
        let videos = self.file.group(&self.data).and_then(|data| data.groups());
        let mut videos =
            videos.map_err(|error| CorpusError::file(&self.path, format!("group `{}`: {error}", self.data)))?;
        videos.sort();
        Ok(videos)
    }

    /// Number of rows, width, and start and end of each row; `None` where the file lacks the video.
    fn shape(&self, video: &str) -> Result<Option<(usize, usize, Vec<Interval>)>, CorpusError> {
        let Ok(group) = self.file.group(&format!("{}/{video}", self.data)) else {
            return Ok(None);
        };
        let failed =
            |dataset: &str, error: hdf5_pure::Error| self.wrong(video, format!("dataset `{dataset}`: {error}"));
        let shape_of = |name: &str| group.dataset(name).and_then(|d| d.shape()).map_err(|error| failed(name, error));
        let (features, intervals) = (shape_of("features")?, shape_of("intervals")?);
        let (rows, width) = match features[..] {
            [rows] => (rows as usize, 1),
            [rows, width] if width > 0 => (rows as usize, width as usize),
            _ => {
                return Err(
                    self.wrong(video, format!("dataset `features`: expected shape [n, width], got {features:?}"))
                );
            }
        };
        if intervals != [rows as u64, 2] {
            return Err(
                self.wrong(video, format!("dataset `intervals`: expected shape [{rows}, 2], got {intervals:?}"))
            );
        }
        let times =
            group.dataset("intervals").and_then(|d| d.read_f64()).map_err(|error| failed("intervals", error))?;
        Ok(Some((rows, width, times.as_chunks().0.to_vec())))
    }

    fn frames(&self, video: &str) -> Result<Option<Frames>, CorpusError> {
        let Some((rows, width, intervals)) = self.shape(video)? else {
            return Ok(None);
        };
        let dataset = self.file.dataset(&format!("{}/{video}/features", self.data));
        let values = dataset.and_then(|d| d.read_f64());
        let values = values.map_err(|error| self.wrong(video, format!("dataset `features`: {error}")))?;
        if values.len() != rows * width || intervals.len() != rows {
            return Err(self.wrong(video, format!("expected {rows} rows of {width}, got {} values", values.len())));
        }
        Ok(Some(Frames { width, values, intervals }))
    }

    fn words(&self, video: &str) -> Result<Option<Words>, CorpusError> {
        let Some((rows, _, intervals)) = self.shape(video)? else {
            return Ok(None);
        };
        let dataset = self.file.dataset(&format!("{}/{video}/features", self.data));
        let words = dataset.and_then(|d| d.read_string());
        let words = words.map_err(|error| self.wrong(video, format!("dataset `features`: {error}")))?;
        if words.len() != rows || intervals.len() != rows {
            return Err(self.wrong(video, format!("expected {rows} words, got {}", words.len())));
        }
        Ok(Some(Words { words, intervals }))
    }
}

/// Split by video.
fn read_folds(path: &Path) -> Result<BTreeMap<String, String>, CorpusError> {
    if path.extension().is_some_and(|extension| extension == "py") {
        return read_python_folds(path);
    }
    let malformed = |error: csv::Error| CorpusError::file(path, error.to_string());
    let file = std::fs::File::open(path).map_err(|source| CorpusError::io(path, source))?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(malformed)?.clone();
    let found = find_columns(header.iter(), &["video_id", "split"]);
    let found = found.map_err(|problem| CorpusError::file(path, problem))?;
    let (video, split) = (found[0], found[1]);
    let mut splits = BTreeMap::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(malformed)?;
        let line = record.position().map_or(0, |position| position.line());
        let (video, split) = (record[video].trim(), record[split].trim());
        let wrong = |field: &str, problem: String| CorpusError::Field {
            path: path.to_owned(),
            line,
            row,
            field: field.into(),
            problem,
        };
        if video.is_empty() || split.is_empty() {
            return Err(wrong(if video.is_empty() { "video_id" } else { "split" }, "is empty".into()));
        }
        if splits.insert(video.to_owned(), split.to_owned()).is_some_and(|other| other != split) {
            return Err(wrong("video_id", format!("`{video}` is in two splits")));
        }
    }
    Ok(splits)
}

/// The SDK's lists: `standard_train_fold=['video', …]` and so on. Nothing is executed.
fn read_python_folds(path: &Path) -> Result<BTreeMap<String, String>, CorpusError> {
    let source = std::fs::read_to_string(path).map_err(|source| CorpusError::io(path, source))?;
    let mut splits = BTreeMap::new();
    for split in ["train", "valid", "test"] {
        let name = format!("standard_{split}_fold");
        let list = source.split_once(&name).and_then(|(_, rest)| {
            let rest = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('[')?;
            Some(rest.split_once(']')?.0)
        });
        let list = list.ok_or_else(|| CorpusError::file(path, format!("no list `{name}`")))?;
        for video in list.split(',') {
            let video = video.trim().trim_matches(['\'', '"']);
            if !video.is_empty()
                && splits.insert(video.to_owned(), split.to_owned()).is_some_and(|other| other != split)
            {
                return Err(CorpusError::file(path, format!("video `{video}` is in two splits")));
            }
        }
    }
    Ok(splits)
}

#[cfg(test)]
#[path = "csd_tests.rs"]
mod tests;
