//! One trace a clip, through every process it meets.
//!
//! A clip may come with a W3C `traceparent`; without one the transmitter begins a trace whose id follows from the delivery
//! key, so that a clip which is sent again after a reconnect is in the trace it was in. Each process has one [`Span`] a
//! clip, the child of the one before it, and passes its own on with the burst. When the span ends, one line is logged at
//! debug level under the target `latentlink::clip`, and with the cargo feature `otlp` the span is exported.

#[cfg(feature = "otlp")]
mod otlp;
mod parent;

use crate::observe::Metrics;
use parent::Parent;
use rand::RngExt;
use std::fmt;
use std::time::Instant;
use wire::{Delivery, Fault};

/// A trace's id, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

impl TraceId {
    /// The trace of a clip that came with none. Two keys of one run never give the same.
    pub fn of(delivery: Delivery) -> Self {
        let (high, low) = delivery.run.as_u64_pair();
        // Each half is scrambled by a bijection of the sequence number: samplers take the lower one for random.
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

/// The finaliser of SplitMix64.
fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What one process does with one clip, from its arrival to the end of [`Tracer::end`].
#[derive(Clone, Copy, Debug)]
pub struct Span {
    trace_id: TraceId,
    id: u64,
    /// 0: none.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    parent: u64,
    sampled: bool,
    began: Instant,
}

impl Span {
    /// The trace it belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// What is passed on, so that the next process's span is a child of this one.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-{:02x}", self.trace_id, self.id, u8::from(self.sampled))
    }

    /// When the clip arrived.
    pub fn began(&self) -> Instant {
        self.began
    }
}

/// Begins and ends spans. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    #[cfg(feature = "otlp")]
    exporter: Option<std::sync::Arc<otlp::Exporter>>,
}

impl Tracer {
    /// Of a process that plays `role`, with what the environment asks for; what is exported and what is lost is counted
    /// in `metrics`.
    #[cfg(feature = "otlp")]
    pub(crate) fn from_environment(role: &'static str, metrics: &Metrics) -> Self {
        Tracer { exporter: otlp::Exporter::from_environment(role, metrics).map(std::sync::Arc::new) }
    }

    /// Without the feature `otlp` nothing is exported.
    #[cfg(not(feature = "otlp"))]
    pub(crate) fn from_environment(_: &'static str, _: &Metrics) -> Self {
        Tracer::default()
    }

    /// The span of a clip that arrived at `began`: in the trace of `traceparent` if that is valid, else in that of its
    /// delivery key, else in one of its own.
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

    /// Ends a span: `what` was done, and how it was refused, if it was.
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

    /// Gives the spans that wait to be exported a moment to leave. Nothing is exported after that.
    pub async fn flush(&self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
    }

    /// Whether the spans of a trace are to be exported. Without an exporter here, that is for the sender to say.
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
