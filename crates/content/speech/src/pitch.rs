use std::ops::RangeInclusive;

use crate::HOP;
use crate::residual::Residual;
use crate::srh::{Candidate, FRAME, Srh};

/// Pitches looked at first, in Hz.
const HERTZ: RangeInclusive<usize> = 50..=500;
/// From here up a frame helps to find the speaker's range.
const SURE: f64 = 0.1;

/// Pitch and voicing of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pitch {
    /// 0 where no frame can be looked at.
    pub f0_hz: f64,
    pub voiced: bool,
}

/// Pitch and voicing `[rows]` by the summation of residual harmonics in two passes (Drugman and Alwan 2011, section 2):
/// the second looks only from half to twice the median pitch of the first's surest frames.
///
/// Frames of 100 ms begin every 10 ms. A row's pitch is the mean over the two frames around it, and it is voiced if one of
/// them is: COVAREP's way of bringing them to its rows. A frame that is not wholly inside the clip, or holds 25 ms
/// without sound, has no residual there and says nothing.
pub(crate) fn pitches(residual: &Residual, rows: usize) -> Vec<Pitch> {
    let mut srh = Srh::new();
    let first = candidates(&mut srh, residual, HERTZ);
    let mut sure: Vec<f64> = first.iter().flatten().filter(|c| c.srh > SURE).map(|c| c.f0_hz).collect();
    let frames = match median(&mut sure) {
        Some(f0_hz) => candidates(&mut srh, residual, around(f0_hz)),
        None => first,
    };
    let threshold = threshold(frames.iter().map(|c| c.map_or(0.0, |c| c.srh)));
    (0..rows)
        .map(|row| {
            // Frame i is centred at (i + 5) hops, the row at half a hop past `row`.
            let near = [5, 4].map(|back| row.checked_sub(back).and_then(|i| frames.get(i).copied().flatten()));
            let known = near.iter().flatten();
            let count = known.clone().count().max(1);
            Pitch {
                f0_hz: known.clone().map(|c| c.f0_hz).sum::<f64>() / count as f64,
                voiced: known.clone().any(|c| c.srh > threshold),
            }
        })
        .collect()
}

fn candidates(srh: &mut Srh, residual: &Residual, hertz: RangeInclusive<usize>) -> Vec<Option<Candidate>> {
    let frames = residual.signal.windows(FRAME).step_by(HOP);
    (0..)
        .step_by(HOP)
        .zip(frames)
        .map(|(start, frame)| match residual.lacks_sound(start, start + FRAME) {
            true => None,
            false => srh.best(frame, hertz.clone()),
        })
        .collect()
}

fn around(f0_hz: f64) -> RangeInclusive<usize> {
    let low = (0.5 * f0_hz).round() as usize;
    let high = (2.0 * f0_hz).round() as usize;
    low.max(*HERTZ.start())..=high.min(*HERTZ.end())
}

/// The paper's: 0.085 where SRH's standard deviation over the clip, zero where there is no sound, is above 0.05, else 0.07.
fn threshold(srh: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = srh.clone().count().max(1) as f64;
    let mean = srh.clone().sum::<f64>() / n;
    let variance = srh.map(|s| (s - mean).powi(2)).sum::<f64>() / n;
    if variance.sqrt() > 0.05 { 0.085 } else { 0.07 }
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    values.get(middle).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_stays_within_the_first() {
        assert_eq!(around(80.0), 50..=160);
        assert_eq!(around(300.0), 150..=500);
    }

    #[test]
    fn the_threshold_follows_the_spread() {
        assert_eq!(threshold([0.02, 0.2].into_iter()), 0.085);
        assert_eq!(threshold([0.02, 0.03].into_iter()), 0.07);
        assert_eq!(threshold(std::iter::empty()), 0.07);
    }
}
