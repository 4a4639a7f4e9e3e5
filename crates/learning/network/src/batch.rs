//! Clips on their way into the network: standardised and packed.

use crate::config::Widths;
use candle_core::{Result, Tensor};
use nn::ops::{Offsets, tensor};
use sequences::{Modality, Sequence};
use serde::{Deserialize, Serialize};

/// Standardised values are clipped here: acoustic columns have outliers of hundreds of standard deviations.
const CLIP: f32 = 8.0;

/// Standardisation of one modality's columns, fitted on the training split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardisation {
    /// Subtracted, `[width]`.
    pub mean: Vec<f32>,
    /// Multiplied, `[width]`: 1/sd, 0 for a column that never changes.
    pub scale: Vec<f32>,
}

impl Standardisation {
    /// Mean and deviation over all frames of all sequences.
    pub fn fit<'a>(width: usize, sequences: impl Iterator<Item = &'a Sequence> + Clone) -> Self {
        let frames = sequences.clone().map(Sequence::frames).sum::<usize>().max(1) as f64;
        let mut mean = vec![0f64; width];
        for row in sequences.clone().flat_map(|s| s.data().chunks_exact(width)) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += *v as f64 / frames);
        }
        let mut variance = vec![0f64; width];
        for row in sequences.flat_map(|s| s.data().chunks_exact(width)) {
            for j in 0..width {
                variance[j] += (row[j] as f64 - mean[j]).powi(2) / frames;
            }
        }
        let scale = variance.iter().zip(&mean).map(|(v, m)| {
            let sd = v.sqrt();
            // A constant column's deviation is rounding.
            if sd > 1e-6 * m.abs() && sd > 1e-12 { (1.0 / sd) as f32 } else { 0.0 }
        });
        Standardisation { scale: scale.collect(), mean: mean.iter().map(|m| *m as f32).collect() }
    }

    /// The same as for features that are read once, with its gradient: frames `[frames, width]` of a network's own.
    ///
    /// # Errors
    /// If the width is another.
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        let row = |values: &[f32]| tensor(values.to_vec(), (1, values.len()));
        let centred = frames.broadcast_sub(&row(&self.mean)?)?;
        centred.broadcast_mul(&row(&self.scale)?)?.clamp(-CLIP, CLIP)
    }

    fn apply(&self, sequence: &Sequence, into: &mut Vec<f32>) {
        for row in sequence.data().chunks_exact(self.mean.len()) {
            let values = row.iter().zip(self.mean.iter().zip(&self.scale));
            into.extend(values.map(|(v, (m, s))| ((v - m) * s).clamp(-CLIP, CLIP)));
        }
    }
}

/// One modality of a batch.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Standardised frames of all clips, `[frames, width]`.
    pub frames: Tensor,
    /// Where each clip's frames lie; none for a clip without the modality.
    pub offsets: Offsets,
}

impl Packed {
    /// 1 for each clip that has the modality, else 0.
    pub fn present(&self) -> Vec<f32> {
        self.offsets.ranges().map(|r| if r.is_empty() { 0.0 } else { 1.0 }).collect()
    }
}

/// A batch of clips, by modality.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Number of clips.
    pub size: usize,
    /// By `Modality::index()`; `None` for a modality that the network does without.
    pub modalities: [Option<Packed>; 3],
}

/// Standardisation by `Modality::index()`.
pub type Standardisations = [Option<Standardisation>; 3];

impl Batch {
    /// Packs the clips' features; those of a modality that the network does without are left out.
    ///
    /// # Errors
    /// Candle's.
    ///
    /// # Panics
    /// If a sequence has another width than its standardisation; check the clips first.
    pub fn pack(
        widths: &Widths,
        standardisations: &Standardisations,
        clips: &[[Option<&Sequence>; 3]],
    ) -> Result<Self> {
        let mut modalities = [None, None, None];
        for (modality, width) in widths.present() {
            let of = |clip: &[Option<&Sequence>; 3]| clip[modality.index()].map_or(0, Sequence::frames);
            let offsets = Offsets::from_lengths(clips.iter().map(of));
            let mut data = Vec::with_capacity(offsets.frames() * width);
            for sequence in clips.iter().filter_map(|clip| clip[modality.index()]) {
                assert_eq!(sequence.width(), width, "{} features", modality.name());
                match &standardisations[modality.index()] {
                    Some(standardisation) => standardisation.apply(sequence, &mut data),
                    None => data.extend_from_slice(sequence.data()),
                }
            }
            let frames = tensor(data, (offsets.frames(), width))?;
            modalities[modality.index()] = Some(Packed { frames, offsets });
        }
        Ok(Batch { size: clips.len(), modalities })
    }

    /// One modality.
    pub fn modality(&self, modality: Modality) -> Option<&Packed> {
        self.modalities[modality.index()].as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_columns_have_mean_0_and_deviation_1_and_constants_vanish() {
        let data: Vec<f32> = (0..60).flat_map(|i| [i as f32 * 3.0 + 7.0, 0.1]).collect();
        let sequence = Sequence::new(2, data);
        let fitted = Standardisation::fit(2, [&sequence].into_iter());
        let mut out = Vec::new();
        fitted.apply(&sequence, &mut out);
        let column: Vec<f32> = out.iter().copied().step_by(2).collect();
        let mean = column.iter().sum::<f32>() / 60.0;
        let var = column.iter().map(|v| v * v).sum::<f32>() / 60.0;
        assert!(mean.abs() < 1e-5 && (var - 1.0).abs() < 1e-4, "{mean} {var}");
        assert!(out.iter().skip(1).step_by(2).all(|v| *v == 0.0));
        let frames = tensor(sequence.data().to_vec(), (60, 2)).unwrap();
        let forward = fitted.forward(&frames).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(forward, out);
    }

    #[test]
    fn a_clip_without_a_modality_has_no_frames_of_it() {
        let a = Sequence::new(2, vec![1.0; 6]);
        let widths = Widths { text: Some(2), audio: None, visual: None };
        let batch = Batch::pack(&widths, &[None, None, None], &[[Some(&a), Some(&a), None], [None; 3]]).unwrap();
        let text = batch.modality(Modality::Text).unwrap();
        assert_eq!((text.present(), text.offsets.frames()), (vec![1.0, 0.0], 3));
        assert!(batch.modality(Modality::Audio).is_none());
    }
}
