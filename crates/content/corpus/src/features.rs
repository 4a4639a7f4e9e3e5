//! Reading `features.safetensors`: one tensor per modality, rows as in `clips.csv`.
//!
//! Which frames of a row are the clip's:
//! * `[clips, width]`: the one row, unless `<name>_lengths` says 0.
//! * `[clips, time, width]` with `<name>_lengths`: the first so many frames.
//! * `[clips, time, width]` without: all frames up to the last that is not all zeros. Files in circulation pad with
//!   zeros and keep no lengths, and a network must not read padding as content. A row of zeros alone is a clip
//!   that lacks the modality. Who means a zero frame at the end to count gives lengths.
//!
//! A length of 0 means that the clip lacks the modality. Values that are NaN or ±∞ (also 64-bit ones
//! beyond the range of f32) become 0 and are counted, those in the padding excepted.

use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::values::Replaced;
use crate::{CorpusError, Modality, Sequence};

/// Names of the tensors in a features file, by [`Modality::index`]; the default is the corpus folder's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorNames(pub [String; 3]);

impl Default for TensorNames {
    fn default() -> Self {
        TensorNames(Modality::ALL.map(|modality| modality.name().to_owned()))
    }
}

/// What one modality holds: a sequence for each clip that has it.
pub(crate) struct ModalityFeatures {
    pub sequences: Vec<Option<Sequence>>,
    pub replaced: Replaced,
}

/// Reads the modalities that the file holds, by [`Modality::index`].
///
/// # Errors
/// If the file is not a whole safetensors file, holds none of the tensors or one of another name, or if a tensor has a wrong
/// type or shape, a number of rows other than `n_clips`, or lengths outside 0 … time.
pub(crate) fn read_features(
    path: &Path,
    names: &TensorNames,
    n_clips: usize,
) -> Result<[Option<ModalityFeatures>; 3], CorpusError> {
    // Sizes in the header are checked against the bytes that are there before anything is allocated by them.
    let bytes = std::fs::read(path).map_err(|source| CorpusError::io(path, source))?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| CorpusError::file(path, format!("not a whole safetensors file: {error}")))?;
    let TensorNames(names) = names;
    let lengths_names = names.each_ref().map(|name| format!("{name}_lengths"));
    for tensor in file.names() {
        // A misspelt name would otherwise drop a modality without a word.
        if !names.iter().chain(&lengths_names).any(|name| name == tensor) {
            return Err(CorpusError::tensor(
                path,
                tensor,
                format!("unknown name; expected {} or <name>_lengths", names.join(", ")),
            ));
        }
    }
    let mut features = [None, None, None];
    for index in 0..3 {
        let lengths = file.tensor(&lengths_names[index]).ok();
        match file.tensor(&names[index]) {
            Ok(tensor) => features[index] = Some(read_modality(path, &names[index], tensor, lengths, n_clips)?),
            Err(_) if lengths.is_some() => {
                return Err(CorpusError::tensor(
                    path,
                    &lengths_names[index],
                    format!("there is no tensor `{}`", names[index]),
                ));
            }
            Err(_) => {}
        }
    }
    if features.iter().all(Option::is_none) {
        return Err(CorpusError::file(path, format!("holds none of the tensors {}", names.join(", "))));
    }
    Ok(features)
}

fn read_modality(
    path: &Path,
    name: &str,
    tensor: TensorView,
    lengths: Option<TensorView>,
    n_clips: usize,
) -> Result<ModalityFeatures, CorpusError> {
    let wrong = |problem: String| CorpusError::tensor(path, name, problem);
    let shape = tensor.shape().to_vec();
    let (rows, time, width) = match shape[..] {
        [rows, width] => (rows, 1, width),
        [rows, time, width] => (rows, time, width),
        _ => {
            return Err(wrong(format!("expected shape [clips, width] or [clips, time, width], got {shape:?}")));
        }
    };
    if rows != n_clips {
        return Err(wrong(format!("has {rows} rows, but there are {n_clips} clips")));
    }
    if time == 0 || width == 0 {
        return Err(wrong(format!("has no values, its shape is {shape:?}")));
    }
    let floats = Floats::of(&tensor)
        .ok_or_else(|| wrong(format!("expected type F32, F64, F16 or BF16, got {:?}", tensor.dtype())))?;
    let lengths = lengths.map(|lengths| read_lengths(path, name, &lengths, n_clips, time)).transpose()?;

    let mut replaced = Replaced::default();
    let sequences = (0..rows).map(|row| {
        let start = row * time * width;
        let frames = match &lengths {
            Some(lengths) => lengths[row],
            None if shape.len() == 3 => frames_before_padding(floats, start, time, width),
            None => 1,
        };
        let values = (start..start + frames * width).map(|at| replaced.finite(floats.get(at))).collect();
        (frames > 0).then(|| Sequence::new(width, values))
    });
    Ok(ModalityFeatures { sequences: sequences.collect(), replaced })
}

/// The number of frames up to the last that is not all zeros.
fn frames_before_padding(floats: Floats, start: usize, time: usize, width: usize) -> usize {
    let is_content = |frame: &usize| (0..width).any(|at| floats.get(start + frame * width + at) != 0.0);
    (0..time).rev().find(is_content).map_or(0, |last| last + 1)
}

fn read_lengths(
    path: &Path,
    name: &str,
    tensor: &TensorView,
    n_clips: usize,
    time: usize,
) -> Result<Vec<usize>, CorpusError> {
    let name = format!("{name}_lengths");
    let wrong = |problem: String| CorpusError::tensor(path, &name, problem);
    if tensor.shape() != [n_clips] {
        return Err(wrong(format!("expected shape [{n_clips}], one length for each clip, got {:?}", tensor.shape())));
    }
    let values =
        integers(tensor).ok_or_else(|| wrong(format!("expected an integer type, got {:?}", tensor.dtype())))?;
    let checked = values.into_iter().enumerate().map(|(row, length)| {
        usize::try_from(length).ok().filter(|length| *length <= time).ok_or_else(|| CorpusError::TensorRow {
            path: path.to_owned(),
            tensor: name.clone(),
            row,
            problem: format!("expected a length from 0 to {time}, got {length}"),
        })
    });
    checked.collect()
}

/// Little-endian floats of any of the accepted types.
#[derive(Clone, Copy)]
enum Floats<'a> {
    F16(&'a [[u8; 2]]),
    Bf16(&'a [[u8; 2]]),
    F32(&'a [[u8; 4]]),
    F64(&'a [[u8; 8]]),
}

impl<'a> Floats<'a> {
    fn of(tensor: &TensorView<'a>) -> Option<Self> {
        let data = tensor.data();
        match tensor.dtype() {
            Dtype::F16 => Some(Floats::F16(data.as_chunks().0)),
            Dtype::BF16 => Some(Floats::Bf16(data.as_chunks().0)),
            Dtype::F32 => Some(Floats::F32(data.as_chunks().0)),
            Dtype::F64 => Some(Floats::F64(data.as_chunks().0)),
            _ => None,
        }
    }

    fn get(self, at: usize) -> f32 {
        match self {
            Floats::F16(data) => f16::from_le_bytes(data[at]).to_f32(),
            Floats::Bf16(data) => bf16::from_le_bytes(data[at]).to_f32(),
            Floats::F32(data) => f32::from_le_bytes(data[at]),
            Floats::F64(data) => f64::from_le_bytes(data[at]) as f32,
        }
    }
}

/// The values of a tensor of any integer type.
fn integers(tensor: &TensorView) -> Option<Vec<i128>> {
    macro_rules! read {
        ($type:ty) => {
            tensor.data().as_chunks().0.iter().map(|bytes| i128::from(<$type>::from_le_bytes(*bytes))).collect()
        };
    }
    Some(match tensor.dtype() {
        Dtype::I8 => read!(i8),
        Dtype::U8 => read!(u8),
        Dtype::I16 => read!(i16),
        Dtype::U16 => read!(u16),
        Dtype::I32 => read!(i32),
        Dtype::U32 => read!(u32),
        Dtype::I64 => read!(i64),
        Dtype::U64 => read!(u64),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
