//! A histogram over fixed buckets that is updated by atomic operations, without locks.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The upper bounds of the buckets for latencies, in seconds: 0.1 ms to 10 s.
pub const LATENCY_BOUNDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The upper bounds of the buckets for batch sizes, in items: 1 to 512.
pub const BATCH_BOUNDS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// A histogram of values over fixed buckets. Cheap to clone; clones share their counts.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    bounds: &'static [f64],
    /// The number of values in the bucket of each bound, and in a last one for values above, `[bounds + 1]`.
    buckets: Box<[AtomicU64]>,
    /// The sum of all values, as the bits of an `f64`.
    sum: AtomicU64,
}

impl Default for Histogram {
    /// An empty histogram of latencies in seconds, with [`LATENCY_BOUNDS`].
    fn default() -> Self {
        Histogram::new(LATENCY_BOUNDS)
    }
}

impl Histogram {
    /// An empty histogram with buckets up to each of the ascending `bounds`, and one for values above.
    pub fn new(bounds: &'static [f64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram(Arc::new(Counts { bounds, buckets, sum: AtomicU64::new(0f64.to_bits()) }))
    }

    /// Counts a value. NaN and infinity are not counted, as the sum could never recover from them.
    pub fn observe(&self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let bucket = self.0.bounds.partition_point(|&bound| bound < value);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // The closure always returns a value, so this never fails.
        let _ = self.0.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        self.0.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the seconds since `began`.
    pub fn observe_since(&self, began: Instant) {
        self.observe(began.elapsed().as_secs_f64());
    }

    /// The number of values counted.
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        // Computed from the buckets as read, so that it agrees with them whatever is counted meanwhile.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = f64::from_bits(self.0.sum.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    #[test]
    fn values_fall_into_buckets_that_include_their_upper_bound() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 2.0, 2.5, 100.0, f64::NAN, f64::INFINITY] {
            histogram.observe(value);
        }
        let mut registry = Registry::default();
        registry.register("h", "help", histogram);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in
            ["h_sum 107.5", "h_count 6", "h_bucket{le=\"1.0\"} 2", "h_bucket{le=\"2.0\"} 4", "h_bucket{le=\"+Inf\"} 6"]
        {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn threads_lose_no_count() {
        let histogram = Histogram::new(&[1.0]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| histogram.observe(0.5)));
            }
        });
        assert_eq!(histogram.count(), 40_000);
        assert_eq!(f64::from_bits(histogram.0.sum.load(Ordering::Relaxed)), 20_000.0);
    }
}
