//! Depthwise convolution with 3 × 3 kernels, in which each output is summed over the nine taps in one fixed order.

use crate::multiversion;

/// The number of channels that are computed at a time.
const LANES: usize = 16;

multiversion! {
    /// Convolves three rows of a feature map with a 3 × 3 kernel for each channel, without padding. `rows` are three
    /// rows of `[(columns − 1)·stride + 3, channels]` or more, `weights` is `[9, channels]`, and `out` is `[columns,
    /// channels]`. Each output is one chain of fused multiply-adds over the nine taps, starting from 0.
    ///
    /// # Panics
    /// If a row or the weights are too short.
    pub fn depthwise(rows: [&[f32]; 3], stride: usize, channels: usize, weights: &[f32], out: &mut [f32]) {
        for (column, out) in out.chunks_exact_mut(channels).enumerate() {
            let places = rows.map(|row| &row[column * stride * channels..][..3 * channels]);
            for (block, out) in out.chunks_mut(LANES).enumerate() {
                let mut sums = [0f32; LANES];
                for tap in 0..9 {
                    let values = &places[tap / 3][tap % 3 * channels + block * LANES..][..out.len()];
                    let weights = &weights[tap * channels + block * LANES..][..out.len()];
                    if out.len() == LANES {
                        for i in 0..LANES {
                            sums[i] = values[i].mul_add(weights[i], sums[i]);
                        }
                    } else {
                        for i in 0..out.len() {
                            sums[i] = values[i].mul_add(weights[i], sums[i]);
                        }
                    }
                }
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_chains_over_the_taps() {
        let noise = |len: usize, step: f32| (0..len).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
        for (columns, stride, channels) in [(5, 1, 16), (4, 2, 32), (3, 1, 5), (2, 2, 19), (1, 1, 1)] {
            let width = ((columns - 1) * stride + 3) * channels;
            let (map, weights) = (noise(3 * width, 0.37), noise(9 * channels, 0.73));
            let rows = [&map[..width], &map[width..2 * width], &map[2 * width..]];
            let mut out = vec![f32::NAN; columns * channels];
            depthwise(rows, stride, channels, &weights, &mut out);
            for (at, value) in out.iter().enumerate() {
                let (column, c) = (at / channels, at % channels);
                let tap = |sum: f32, tap: usize| {
                    let place = (column * stride + tap % 3) * channels + c;
                    rows[tap / 3][place].mul_add(weights[tap * channels + c], sum)
                };
                assert_eq!(
                    *value,
                    (0..9).fold(0.0, tap),
                    "{columns} columns, stride {stride}, channel {c} of {channels}"
                );
            }
        }
    }
}
