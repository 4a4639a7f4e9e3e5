//! The matched-filter reference as a curve over SNR, computed from the noiseless decisions so far.

use super::view::signs;
use metrics::{Binary, Fading, matched_filter};
use proto::v1::{ChannelKind, Snapshot};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The SNRs of the curve in dB: the range of the page's slider.
const SNRS_DB: std::ops::RangeInclusive<i32> = -20..=30;
/// Minimum number of different noiseless clips: fewer estimate the source too poorly.
const CLIPS_FROM: u64 = 30;
/// Least time between two computations of the curves; one takes some milliseconds.
const INTERVAL: Duration = Duration::from_secs(5);

/// The matched-filter reference over one kind of channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceView {
    kind: &'static str,
    /// SNR in dB, and Acc-2 Non0 (`pos`) as a fraction at this SNR.
    points: Vec<(i32, f64)>,
}

/// The last curves: when and from what they were computed (the noiseless confusion matrix, and whether AWGN and
/// Rayleigh are included), and the curves.
type Made = (Instant, (Binary, bool, bool), Arc<[ReferenceView]>);

/// Computes the matched-filter curves and keeps the last ones.
pub struct Reference {
    symbols: usize,
    made: Mutex<Option<Made>>,
}

impl Reference {
    /// The reference for bursts of `symbols` complex symbols. If bursts differ in length (0), there is no reference.
    pub fn new(symbols: usize) -> Self {
        Reference { symbols, made: Mutex::default() }
    }

    /// The curves for the kinds of channel in `snapshot` that have a closed form, AWGN and Rayleigh. Empty until there
    /// are enough noiseless clips to estimate the source.
    pub fn curves(&self, snapshot: &Snapshot) -> Arc<[ReferenceView]> {
        let of = |kind| snapshot.tallies.iter().filter(move |tally| tally.conditions.is_some_and(|c| c.kind() == kind));
        let noiseless = of(ChannelKind::None).find(|tally| tally.distinct_signed >= CLIPS_FROM).map(signs);
        let Some(noiseless) = noiseless.filter(|_| self.symbols > 0) else { return Arc::default() };
        let wanted = (noiseless, of(ChannelKind::Awgn).next().is_some(), of(ChannelKind::Rayleigh).next().is_some());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some((when, of, curves)) if *of == wanted || when.elapsed() < INTERVAL => curves.clone(),
            _ => {
                let curves = self.draw(&wanted);
                *made = Some((Instant::now(), wanted, curves.clone()));
                curves
            }
        }
    }

    fn draw(&self, (noiseless, awgn, rayleigh): &(Binary, bool, bool)) -> Arc<[ReferenceView]> {
        let Some(source) = noiseless.source() else { return Arc::default() };
        let kinds = [("awgn", Fading::None, awgn), ("rayleigh", Fading::Rayleigh, rayleigh)];
        let curve = |(kind, fading, _)| {
            let at = |snr| matched_filter(&source, self.symbols, f64::from(snr), fading);
            ReferenceView { kind, points: SNRS_DB.map(|snr| (snr, (at(snr) * 1e5).round() / 1e5)).collect() }
        };
        kinds.into_iter().filter(|(.., wanted)| **wanted).map(curve).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::v1::{Conditions, Tally};

    fn tally(kind: ChannelKind, clips: u64) -> Tally {
        let snr_db = (kind != ChannelKind::None).then_some(3.0);
        Tally {
            conditions: Some(Conditions { kind: kind.into(), snr_db, k_factor: None }),
            signed: 2 * clips,
            sign_correct: 2 * clips * 8 / 10,
            positive: clips,
            positive_correct: clips * 8 / 10,
            distinct_signed: clips,
            ..Tally::default()
        }
    }

    #[test]
    fn it_is_drawn_over_the_channels_that_are_there_from_enough_noiseless_clips() {
        let reference = Reference::new(25);
        let snapshot = |clips, kinds: &[ChannelKind]| {
            let tallies = kinds.iter().map(|kind| tally(*kind, clips)).collect();
            Snapshot { tallies, ..Snapshot::default() }
        };
        assert!(reference.curves(&snapshot(100, &[ChannelKind::Awgn])).is_empty());
        assert!(reference.curves(&snapshot(20, &[ChannelKind::None, ChannelKind::Awgn])).is_empty());
        let all = [ChannelKind::None, ChannelKind::Awgn, ChannelKind::Rayleigh, ChannelKind::Rician];
        assert!(Reference::new(0).curves(&snapshot(100, &all)).is_empty());
        let curves = reference.curves(&snapshot(100, &all));
        assert_eq!(curves.iter().map(|curve| curve.kind).collect::<Vec<_>>(), ["awgn", "rayleigh"]);
        let at = |curve: usize, snr| curves[curve].points.iter().find(|(x, _)| *x == snr).unwrap().1;
        // A source that is right in 80 of 100: at negligible noise this remains, and fading costs.
        assert!((at(0, 30) - 0.8).abs() < 1e-4 && at(1, 0) < at(0, 0) && at(0, -20) < at(0, -10));
        // P(error) of 25 antipodal symbols at −10 dB over AWGN is Q(√5).
        let error = 0.012_674;
        assert!((at(0, -10) - (0.8 - 0.6 * error)).abs() < 1e-4, "{}", at(0, -10));
        // Requested again soon, the kept curves are returned.
        assert!(Arc::ptr_eq(&curves, &reference.curves(&snapshot(200, &all))));
    }
}
