use std::f64::consts::TAU;

use crate::HOP;

/// 25 ms.
const WINDOW: usize = 400;
/// Lowest level told, in dB.
const FLOOR_DB: f64 = -100.0;

/// Level `[rows]` in dB re full scale: 10 log₁₀ of the mean square under a Hann window of 25 ms around each row's middle,
/// not below −100. A square wave at full scale has 0 dB. Outside the clip is silence.
pub(crate) fn levels_db(pcm: &[f32], rows: usize) -> Vec<f64> {
    let window: Vec<f64> = (0..WINDOW).map(|n| 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos()).collect();
    let total: f64 = window.iter().sum();
    (0..rows)
        .map(|row| {
            let start = (row * HOP + HOP / 2) as isize - (WINDOW / 2) as isize;
            let skip = start.min(0).unsigned_abs();
            let part = pcm.iter().skip(start.max(0).unsigned_abs()).map(|s| f64::from(*s));
            let power: f64 = part.zip(&window[skip..]).map(|(s, w)| s * s * w).sum();
            (10.0 * (power / total).log10()).max(FLOOR_DB)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_closed_form() {
        let square: Vec<f32> = (0..3200).map(|n| if n % 20 < 10 { 0.1 } else { -0.1 }).collect();
        let levels = levels_db(&square, 20);
        assert!(levels[2..18].iter().all(|l| (l + 20.0).abs() < 1e-6), "{levels:?}");
        // A row at the edge has its window cut.
        assert!(levels[0] < -20.0 && levels[0] > -23.1);
        assert_eq!(levels_db(&[0.0; 320], 2), [FLOOR_DB; 2]);
    }
}
