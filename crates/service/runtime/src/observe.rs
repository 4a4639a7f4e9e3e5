//! The metrics of a process, on an HTTP page that Prometheus reads.
//!
//! [`Metrics`] are made once for a process, by its [`Observer`](crate::Observer). The parts of the process register
//! their metrics and keep the handles, so counting is an atomic addition without a lookup. [`crate::serve::serve`]
//! serves the page as `/metrics` on the port of the gRPC services; [`Metrics::router`] serves it on another port.
//!
//! Names begin with `latentlink_` and end with their base unit (seconds, bytes), counters with `_total`. Label values
//! come from fixed sets, so nothing that a peer sends makes the page longer.

mod faults;
mod histogram;
mod hop;
mod page;

pub use faults::{Faults, code_name};
pub use histogram::{BATCH_BOUNDS, Histogram, LATENCY_BOUNDS};
pub use hop::{Held, HopMeter};
pub use page::PATH as METRICS_PATH;
pub use prometheus_client::collector::Collector;
pub use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
pub use prometheus_client::metrics::counter::{ConstCounter, Counter};
pub use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A label of a metric and its value, both fixed in the code.
type Label = [(&'static str, &'static str); 1];

/// The metrics of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    /// The metrics of a process with the role `role`, such as `receiver`. They begin with its version and its start
    /// time.
    pub fn new(role: &'static str) -> Self {
        let metrics = Metrics { registry: Arc::default() };
        let build: Family<[(&str, &str); 2], Gauge> = Family::default();
        build.get_or_create(&[("process", role), ("version", env!("CARGO_PKG_VERSION"))]).set(1);
        metrics.lock().register("latentlink_build_info", "What runs, as labels; always 1", build);
        let began = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let help = "When the process began, since 1970";
        metrics.lock().register_with_unit("process_start_time", help, Unit::Seconds, ConstGauge::new(began));
        metrics
    }

    /// Registers a counter, a value that only grows, which the page shows as `NAME_total`.
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.lock().register(name, help, counter.clone());
        counter
    }

    /// Registers one counter for each of the `values` of `label`, which the page shows as `NAME_total{LABEL}`. The
    /// result is in the order of `values`.
    pub fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &'static str,
        values: [&'static str; N],
    ) -> [Counter; N] {
        let family: Family<Label, Counter> = Family::default();
        self.lock().register(name, help, family.clone());
        values.map(|value| family.get_or_create_owned(&[(label, value)]))
    }

    /// Registers a gauge, a value that rises and falls.
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.lock().register(name, help, gauge.clone());
        gauge
    }

    /// Registers one gauge for each of the `values` of `label`. The result is in the order of `values`.
    pub fn gauges<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &'static str,
        values: [&'static str; N],
    ) -> [Gauge; N] {
        let family: Family<Label, Gauge> = Family::default();
        self.lock().register(name, help, family.clone());
        values.map(|value| family.get_or_create_owned(&[(label, value)]))
    }

    /// Registers a histogram with buckets up to each of the ascending `bounds`, and one bucket for values above. `name`
    /// must include the unit.
    pub fn histogram(&self, name: &str, help: &str, bounds: &'static [f64]) -> Histogram {
        let histogram = Histogram::new(bounds);
        self.lock().register(name, help, histogram.clone());
        histogram
    }

    /// Registers a histogram of latencies in seconds with [`LATENCY_BOUNDS`], which the page shows as `NAME_seconds`.
    pub fn latency(&self, name: &str, help: &str) -> Histogram {
        let histogram = Histogram::new(LATENCY_BOUNDS);
        self.lock().register_with_unit(name, help, Unit::Seconds, histogram.clone());
        histogram
    }

    /// Registers a collector, which computes its metrics whenever the page is read.
    pub fn collect(&self, collector: impl Collector) {
        self.lock().register_collector(Box::new(collector));
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
