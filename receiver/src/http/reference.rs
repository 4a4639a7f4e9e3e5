//! The matched-filter reference as a curve, from the noiseless decisions so far.

use super::view::signs;
use metrics::{Binary, Fading, matched_filter};
use proto::v1::{ChannelKind, Snapshot};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where it is drawn, in dB: as far as the page's slider goes.
const SNRS_DB: std::ops::RangeInclusive<i32> = -20..=30;
/// Fewer different noiseless clips than this tell too little of the source.
const CLIPS_FROM: u64 = 30;
/// Least time between two curves: one takes some milliseconds.
const INTERVAL: Duration = Duration::from_secs(5);

/// The reference over one kind of channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceView {
    kind: &'static str,
    /// SNR in dB, and Acc-2 "pos" there.
    points: Vec<(i32, f64)>,
}

/// What a curve was made of.
type Made = (Instant, (Binary, bool, bool), Arc<[ReferenceView]>);

/// Keeps the last curves.
pub struct Reference {
    symbols: usize,
    made: Mutex<Option<Made>>,
}

impl Reference {
    /// Of bursts of so many symbols; where bursts differ in that (0), there is no reference.
    pub fn new(symbols: usize) -> Self {
        Reference { symbols, made: Mutex::default() }
    }

    /// The curves over the kinds of channel in `snapshot`, AWGN and Rayleigh, that have a closed form; none before there
    /// are enough noiseless clips to know the source by.
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
        // A source that is right in 80 of 100: that is kept where there is no noise to speak of, and fading costs.
        assert!((at(0, 30) - 0.8).abs() < 1e-4 && at(1, 0) < at(0, 0) && at(0, -20) < at(0, -10));
        // P(error) of 25 antipodal symbols at −10 dB over AWGN is Q(√5).
        let error = 0.012_674;
        assert!((at(0, -10) - (0.8 - 0.6 * error)).abs() < 1e-4, "{}", at(0, -10));
        // Made again soon, it is the one at hand.
        assert!(Arc::ptr_eq(&curves, &reference.curves(&snapshot(200, &all))));
    }
}
