//! Samples the symbols of a few bursts a second, before and after the equaliser, for people who watch.

use phy::Equalised;
use proto::v1::Conditions;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum number of received symbols that are kept, and of equalised symbols.
pub const POINTS: usize = 200;
/// Least time between two samples of the decoder's bursts.
const INTERVAL: Duration = Duration::from_millis(250);

/// Complex symbols as points in the plane: `[I, Q]` each.
pub type Points = Vec<[f32; 2]>;

/// Symbols of the newest sampled bursts, all received under the same channel conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constellation {
    /// Received symbols y, before the equaliser; oldest burst first, at most [`POINTS`].
    pub received: Points,
    /// Equalised symbols x̂: one for each of `received`, in the same order.
    pub equalised: Points,
    /// The channel conditions of these bursts.
    pub conditions: Conditions,
}

/// The newest sampled symbols, shared between the decoder and watchers. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tap(Arc<Mutex<VecDeque<Sample>>>);

/// The sampled symbols of one burst.
#[derive(Clone, Debug)]
struct Sample {
    received: Points,
    equalised: Points,
    conditions: Conditions,
}

impl Tap {
    /// The symbols that were sampled last; `None` before the first burst.
    pub fn constellation(&self) -> Option<Constellation> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let conditions = samples.back()?.conditions;
        let mut constellation = Constellation { conditions, ..Constellation::default() };
        for sample in samples {
            constellation.received.extend(sample.received);
            constellation.equalised.extend(sample.equalised);
        }
        Some(constellation)
    }

    fn add(&self, sample: Sample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.back().is_some_and(|last| last.conditions != sample.conditions) {
            samples.clear();
        }
        samples.push_back(sample);
        let mut points: usize = samples.iter().map(|sample| sample.received.len()).sum();
        while points > POINTS
            && let Some(oldest) = samples.pop_front()
        {
            points -= oldest.received.len();
        }
    }
}

/// A decoder thread's handle to a [`Tap`], which samples bursts at most once every 250 ms.
#[derive(Debug)]
pub struct Probe {
    tap: Tap,
    next: Instant,
}

impl Probe {
    /// A probe that adds its samples to `tap`.
    pub fn new(tap: Tap) -> Self {
        Probe { tap, next: Instant::now() }
    }

    /// Samples a batch of bursts, if the last sample is old enough. Each item is a burst's channel conditions, its
    /// received symbols as interleaved I/Q, and its equalised symbols. Between two samples it only reads the clock.
    pub fn see<'a>(&mut self, bursts: impl DoubleEndedIterator<Item = (Option<Conditions>, &'a [f32], &'a Equalised)>) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + INTERVAL;
        let mut newest: Vec<Sample> = Vec::new();
        let mut room = POINTS;
        for (conditions, received, equalised) in bursts.rev() {
            let conditions = conditions.unwrap_or_default();
            if room == 0 || newest.first().is_some_and(|first| first.conditions != conditions) {
                break;
            }
            let received = points(received, room);
            room -= received.len();
            newest.push(Sample { equalised: points(&equalised.reals, received.len()), received, conditions });
        }
        newest.into_iter().rev().for_each(|sample| self.tap.add(sample));
    }
}

/// The first `most` symbols of interleaved I/Q.
fn points(reals: &[f32], most: usize) -> Points {
    let (points, _) = reals.as_chunks::<2>();
    points[..points.len().min(most)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(probe: &mut Probe, bursts: &[(f64, f32)]) {
        probe.next = Instant::now();
        let bursts: Vec<(Conditions, Vec<f32>, Equalised)> = bursts
            .iter()
            .map(|&(snr_db, level)| {
                let conditions = Conditions { kind: 2, snr_db: Some(snr_db), k_factor: None };
                let equalised = Equalised { reals: [level / 2.0, -1.0].repeat(25), noise_var: 0.0, rho: 0.5 };
                (conditions, [level, -2.0].repeat(25), equalised)
            })
            .collect();
        probe.see(bursts.iter().map(|(conditions, y, x)| (Some(*conditions), y.as_slice(), x)));
    }

    #[test]
    fn the_newest_bursts_of_one_channel_are_kept_and_no_more() {
        let tap = Tap::default();
        let mut probe = Probe::new(tap.clone());
        assert_eq!(tap.constellation(), None);
        see(&mut probe, &[(3.0, 1.0), (6.0, 2.0), (6.0, 3.0)]);
        let seen = tap.constellation().unwrap();
        assert_eq!((seen.received.len(), seen.equalised.len(), seen.conditions.snr_db), (50, 50, Some(6.0)));
        assert_eq!((seen.received[0], seen.equalised[25]), ([2.0, -2.0], [1.5, -1.0]));
        // Eight bursts make 200 points.
        let many: Vec<(f64, f32)> = (0..100).map(|k| (6.0, k as f32)).collect();
        see(&mut probe, &many);
        let seen = tap.constellation().unwrap();
        assert_eq!((seen.received.len(), seen.received[0], seen.received[199]), (POINTS, [92.0, -2.0], [99.0, -2.0]));
        see(&mut probe, &[(9.0, 7.0)]);
        assert_eq!(tap.constellation().unwrap().received, [[7.0, -2.0]; 25]);
        // Not sampled: too soon after the last sample.
        probe.see([].into_iter());
        probe.next = Instant::now() + Duration::from_secs(60);
        let unseen = Equalised { reals: vec![0.0; 2], noise_var: 0.0, rho: 1.0 };
        probe.see([(None, &[0.0f32, 0.0][..], &unseen)].into_iter());
        assert_eq!(tap.constellation().unwrap().received.len(), 25);
    }

    #[test]
    fn a_long_burst_is_cut() {
        let tap = Tap::default();
        let long = Equalised { reals: vec![0.5; 4000], noise_var: 0.0, rho: 1.0 };
        Probe::new(tap.clone()).see([(None, &[1.0f32; 4000][..], &long)].into_iter());
        let seen = tap.constellation().unwrap();
        assert_eq!((seen.received.len(), seen.equalised.len()), (POINTS, POINTS));
    }
}
