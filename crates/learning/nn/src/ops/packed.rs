//! Packed sequences: frames of all sequences one after the other, without padding.

use super::{output, slice, tensor, with_slice};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::sync::Arc;

/// Where each sequence of a packed batch begins: sequence i holds frames `bounds[i]..bounds[i + 1]`. May be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offsets(Arc<[usize]>);

impl Offsets {
    /// From the number of frames of each sequence.
    pub fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut bounds = vec![0];
        let mut total = 0;
        for length in lengths {
            total += length;
            bounds.push(total);
        }
        Offsets(bounds.into())
    }

    /// Number of sequences.
    pub fn sequences(&self) -> usize {
        self.0.len() - 1
    }

    /// Number of frames of all sequences.
    pub fn frames(&self) -> usize {
        self.0[self.0.len() - 1]
    }

    /// The frames of each sequence.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.0.windows(2).map(|pair| pair[0]..pair[1])
    }

    fn check(&self, frames: usize) -> Result<()> {
        if frames != self.frames() {
            candle_core::bail!("{frames} frames, but the offsets end at {}", self.frames());
        }
        Ok(())
    }
}

/// The mean over the frames of each sequence: `[frames, width]` → `[sequences, width]`; zero for an empty sequence.
pub fn mean_frames(x: &Tensor, offsets: &Offsets) -> Result<Tensor> {
    x.contiguous()?.apply_op1(MeanFrames(offsets.clone()))
}

struct MeanFrames(Offsets);

impl CustomOp1 for MeanFrames {
    fn name(&self) -> &'static str {
        "mean-frames"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (frames, width) = layout.shape().dims2()?;
        self.0.check(frames)?;
        let x = slice(x, layout)?;
        let mut y = vec![0f32; self.0.sequences() * width];
        for (range, out) in self.0.ranges().zip(y.chunks_exact_mut(width)) {
            let scale = 1.0 / range.len().max(1) as f32;
            for row in x[range.start * width..range.end * width].chunks_exact(width) {
                out.iter_mut().zip(row).for_each(|(s, v)| *s += v);
            }
            out.iter_mut().for_each(|s| *s *= scale);
        }
        output(y, (self.0.sequences(), width))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (frames, width) = x.dims2()?;
        let mut gx = vec![0f32; frames * width];
        with_slice(grad, |g| {
            for (range, g) in self.0.ranges().zip(g.chunks_exact(width)) {
                let scale = 1.0 / range.len().max(1) as f32;
                for row in gx[range.start * width..range.end * width].chunks_exact_mut(width) {
                    row.iter_mut().zip(g).for_each(|(o, g)| *o = g * scale);
                }
            }
        })?;
        Ok(Some(tensor(gx, (frames, width))?))
    }
}

/// Each frame beside its two neighbours, zero beyond the ends of its sequence: `[frames, width]` → `[frames, 3·width]`
/// (before, itself, after). Followed by a linear map this is a 1-D convolution of kernel 3 with same padding.
pub fn neighbours(x: &Tensor, offsets: &Offsets) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Neighbours(offsets.clone()))
}

struct Neighbours(Offsets);

impl CustomOp1 for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (frames, width) = layout.shape().dims2()?;
        self.0.check(frames)?;
        let x = slice(x, layout)?;
        let mut y = vec![0f32; frames * 3 * width];
        for range in self.0.ranges() {
            for t in range.clone() {
                let first = if t == range.start { t } else { t - 1 };
                let last = if t + 1 == range.end { t } else { t + 1 };
                let into = t * 3 * width + (first + 1 - t) * width;
                let from = &x[first * width..(last + 1) * width];
                y[into..into + from.len()].copy_from_slice(from);
            }
        }
        output(y, (frames, 3 * width))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (frames, width) = x.dims2()?;
        let mut gx = vec![0f32; frames * width];
        with_slice(grad, |g| {
            for range in self.0.ranges() {
                for t in range.clone() {
                    let first = if t == range.start { t } else { t - 1 };
                    let last = if t + 1 == range.end { t } else { t + 1 };
                    let from = t * 3 * width + (first + 1 - t) * width;
                    let into = &mut gx[first * width..(last + 1) * width];
                    let g = &g[from..from + into.len()];
                    into.iter_mut().zip(g).for_each(|(s, g)| *s += g);
                }
            }
        })?;
        Ok(Some(tensor(gx, (frames, width))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{composed, finite_differences, values, var};
    use super::*;

    #[test]
    fn mean_frames_is_the_mean_and_zero_where_there_is_none() {
        let offsets = Offsets::from_lengths([2, 0, 3]);
        let vars = [var(&[5, 4], 1)];
        let ours = || mean_frames(&vars[0], &offsets).unwrap();
        let theirs = || {
            let mean = |from, len| vars[0].narrow(0, from, len).unwrap().mean(0).unwrap();
            let zero = mean(0, 1).zeros_like().unwrap();
            Tensor::stack(&[mean(0, 2), zero, mean(2, 3)], 0).unwrap()
        };
        composed(&vars, 1e-6, &ours, &theirs);
        finite_differences(&vars, 1e-3, &ours);
    }

    #[test]
    fn neighbours_and_a_linear_map_are_a_convolution_of_each_sequence() {
        let lengths = [3, 1, 0, 4];
        let offsets = Offsets::from_lengths(lengths);
        let (width, out) = (5, 2);
        let vars = [var(&[8, width], 1), var(&[3 * width, out], 2)];
        let zero = tensor(vec![0.0; out], out).unwrap();
        let ours = || {
            let x = neighbours(&vars[0], &offsets).unwrap();
            super::super::linear(&x, &vars[1], &zero, super::super::Activation::Identity).unwrap()
        };
        let theirs = || {
            // [3·in, out] → candle's [out, in, 3]
            let kernel = vars[1].reshape((3, width, out)).unwrap().permute((2, 1, 0)).unwrap().contiguous().unwrap();
            let mut parts = Vec::new();
            for range in offsets.ranges().filter(|r| !r.is_empty()) {
                let x = vars[0].narrow(0, range.start, range.len()).unwrap().t().unwrap().unsqueeze(0).unwrap();
                let y = x.contiguous().unwrap().conv1d(&kernel, 1, 1, 1, 1).unwrap();
                parts.push(y.squeeze(0).unwrap().t().unwrap());
            }
            Tensor::cat(&parts, 0).unwrap()
        };
        // Candle's own convolution overflows in its backward pass for short sequences: its forward pass is the reference.
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (a, b) in flat(ours()).iter().zip(flat(theirs())) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        finite_differences(&vars, 2e-3, &ours);
        assert!(neighbours(&tensor(values(6, 1), (6, 1)).unwrap(), &offsets).is_err());
    }
}
