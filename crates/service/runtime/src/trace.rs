//! Tracing: one trace per clip, through every process on its way.
//!
//! A clip may have a W3C `traceparent`. Without one the transmitter begins a trace whose identifier is derived from the
//! delivery key, so that a clip that is sent again after a reconnection stays in the same trace. Each process has one
//! [`Span`] per clip, a child of the span of the process before it, and passes its own on with the burst. When a span
//! ends, one line is logged at debug level under the target `latentlink::clip`, and with the cargo feature `otlp` the
//! span is exported.

#[cfg(feature = "otlp")]
mod otlp;
mod parent;

use crate::observe::Metrics;
use parent::Parent;
use rand::RngExt;
use std::fmt;
use std::time::Instant;
use wire::{Delivery, Fault};

/// The identifier of a trace, 128 bits that are not all 0, displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

impl TraceId {
    /// The trace of a clip that has no `traceparent`, derived from its delivery key. Two keys of one run have different
    /// traces.
    pub fn of(delivery: Delivery) -> Self {
        let (high, low) = delivery.run.as_u64_pair();
        // Each half is scrambled by a bijection of the sequence number, as samplers use the lower half as a random
        // number.
        let high = high ^ scramble(delivery.sequence);
        let low = low ^ scramble(delivery.sequence.wrapping_add(0x9e37_79b9_7f4a_7c15));
        TraceId(((u128::from(high) << 64) | u128::from(low)).max(1))
    }

    fn random() -> Self {
        TraceId(rand::rng().random::<u128>().max(1))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The finaliser of SplitMix64, a bijection of 64 bits that mixes them.
fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A span: the work of one process on one clip, from the arrival of the clip to the call of [`Tracer::end`].
#[derive(Clone, Copy, Debug)]
pub struct Span {
    trace_id: TraceId,
    id: u64,
    /// The identifier of the parent span; 0 if there is none.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    parent: u64,
    sampled: bool,
    began: Instant,
}

impl Span {
    /// The trace to which the span belongs.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The W3C `traceparent` to pass on, so that the span of the next process is a child of this one.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-{:02x}", self.trace_id, self.id, u8::from(self.sampled))
    }

    /// The time when the clip arrived.
    pub fn began(&self) -> Instant {
        self.began
    }
}

/// The tracer of a process, which begins and ends spans. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    #[cfg(feature = "otlp")]
    exporter: Option<std::sync::Arc<otlp::Exporter>>,
}

impl Tracer {
    /// The tracer of a process with the role `role`, which exports spans as the environment variables of OpenTelemetry
    /// request. Exported and dropped spans are counted in `metrics`.
    #[cfg(feature = "otlp")]
    pub(crate) fn from_environment(role: &'static str, metrics: &Metrics) -> Self {
        Tracer { exporter: otlp::Exporter::from_environment(role, metrics).map(std::sync::Arc::new) }
    }

    /// The tracer of a process without the cargo feature `otlp`, which exports no spans.
    #[cfg(not(feature = "otlp"))]
    pub(crate) fn from_environment(_: &'static str, _: &Metrics) -> Self {
        Tracer::default()
    }

    /// Begins the span of a clip that arrived at `began`: in the trace of `traceparent` if that is valid, else in the
    /// trace of its delivery key, else (`None`) in a random new trace.
    pub fn begin(&self, traceparent: &str, delivery: Option<Delivery>, began: Instant) -> Span {
        let parent = Parent::parse(traceparent);
        let trace_id = match (parent, delivery) {
            (Some(parent), _) => parent.trace_id,
            (None, Some(delivery)) => TraceId::of(delivery),
            (None, None) => TraceId::random(),
        };
        let sampled = self.samples(parent, trace_id);
        let id = rand::rng().random::<u64>().max(1);
        Span { trace_id, id, parent: parent.map_or(0, |parent| parent.span_id), sampled, began }
    }

    /// Ends a span: logs and exports it under the name `what`, with the delivery key of the clip and the fault with
    /// which it was rejected, where there is one.
    pub fn end(&self, span: &Span, what: &'static str, delivery: Option<Delivery>, fault: Option<&Fault>) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.end(span, what, delivery, fault);
        }
        let duration_us = span.began.elapsed().as_micros() as u64;
        let (trace_id, delivery) = (span.trace_id, delivery.map(tracing::field::display));
        match fault {
            None => tracing::debug!(target: "latentlink::clip", %trace_id, delivery, duration_us, "{what}"),
            Some(fault) => {
                tracing::debug!(target: "latentlink::clip", %trace_id, delivery, duration_us, %fault, "{what}: refused");
            }
        }
    }

    /// Waits up to two seconds for the export of the spans that are queued. No span is exported after that.
    pub async fn flush(&self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
    }

    /// Whether the spans of a trace are to be exported. Without an exporter in this process, it is the decision of the
    /// parent span, and false without a parent.
    fn samples(&self, parent: Option<Parent>, _trace_id: TraceId) -> bool {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            return exporter.samples(parent, _trace_id);
        }
        parent.is_some_and(|parent| parent.sampled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use uuid::Uuid;

    fn key(sequence: u64) -> Delivery {
        Delivery { run: Uuid::from_u128(0x9e10_7d9d_372b_4b0c_8f5e_0a5d_1f6f_1a11), sequence }
    }

    #[test]
    fn a_trace_goes_through_processes_as_a_chain_of_spans() {
        let tracer = Tracer::default();
        let first = tracer.begin("", Some(key(1)), Instant::now());
        let second = tracer.begin(&first.traceparent(), Some(key(1)), Instant::now());
        let third = tracer.begin(&second.traceparent(), None, Instant::now());
        assert_eq!([second.trace_id, third.trace_id], [first.trace_id; 2]);
        assert_eq!([first.parent, second.parent, third.parent], [0, first.id, second.id]);
        assert_ne!(first.id, second.id);
    }

    #[test]
    fn a_clip_without_a_trace_gets_that_of_its_key_and_one_without_a_key_its_own() {
        let tracer = Tracer::default();
        let begin = |traceparent: &str, delivery| tracer.begin(traceparent, delivery, Instant::now()).trace_id;
        assert_eq!(begin("", Some(key(1))), begin("no traceparent", Some(key(1))));
        assert_ne!(begin("", Some(key(1))), begin("", Some(key(2))));
        assert_ne!(begin("", None), begin("", None));
        let ids: HashSet<u128> = (0..10_000).map(|sequence| TraceId::of(key(sequence)).0).collect();
        assert_eq!(ids.len(), 10_000);
        // Half of the keys have each bit of the lower half set: 10,000 draws stay within 0.5 ± 0.03 but for 1e-8.
        for bit in 0..64 {
            let set = ids.iter().filter(|id| *id >> bit & 1 == 1).count();
            assert!((4700..5300).contains(&set), "bit {bit}: {set}");
        }
        assert_eq!(TraceId::of(key(0)).to_string().len(), 32);
    }
}
