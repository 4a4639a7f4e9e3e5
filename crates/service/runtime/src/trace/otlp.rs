//! Export of spans to an OpenTelemetry collector, over gRPC without TLS.
//!
//! Spans go to a bounded queue, from which a separate task exports them. While the collector is disconnected or slow,
//! the queue becomes full, and further spans are dropped and counted; clips never wait. The standard environment
//! variables apply: `OTEL_EXPORTER_OTLP_ENDPOINT` (without it nothing is exported), `OTEL_SERVICE_NAME`,
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and its `_ARG`, `OTEL_EXPORTER_OTLP_HEADERS` and `_TIMEOUT`,
//! `OTEL_SDK_DISABLED`.

use super::parent::Parent;
use super::{Span, TraceId};
use crate::backoff::Disconnection;
use crate::observe::{Counter, Metrics, code_name};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId as OtelTraceId, TraceState,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Config, SamplingDecision, ShouldSample, SpanData, SpanExporter as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use wire::{Delivery, Fault};

/// The capacity of the queue of spans that wait for export.
const QUEUE: usize = 2048;
/// The largest number of spans in one export.
const BATCH: usize = 512;
/// The pause between two exports, in which spans accumulate in the queue.
const GATHER: Duration = Duration::from_millis(200);
/// The time for which the end of the process waits for the last exports.
const FLUSH: Duration = Duration::from_secs(2);

/// The exporter of spans to an OpenTelemetry collector.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: mpsc::Sender<SpanData>,
    sampler: Box<dyn ShouldSample>,
    scope: InstrumentationScope,
    ending: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
    lost: Lost,
}

/// The counters of spans that are not exported, by reason: the queue was full, or the export failed.
#[derive(Clone, Debug)]
struct Lost {
    full: Counter,
    failed: Counter,
}

impl Exporter {
    /// The exporter of a process with the role `role`, as the environment variables request. `None` if they request no
    /// export, or one that is not supported or fails, which is logged.
    pub(super) fn from_environment(role: &'static str, metrics: &Metrics) -> Option<Self> {
        let set = |name: &str| std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let endpoint = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"))?;
        let disabled = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if disabled || set("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter == "none") {
            return None;
        }
        let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(protocol) = protocol.filter(|protocol| protocol != "grpc") {
            tracing::warn!("traces are not exported: expected the OTLP protocol grpc, got `{protocol}`");
            return None;
        }
        // The connection of the exporter needs a Tokio runtime.
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let mut exporter = match SpanExporter::builder().with_tonic().build() {
            Ok(exporter) => exporter,
            Err(error) => {
                tracing::warn!("traces are not exported to {endpoint}: {error}");
                return None;
            }
        };
        exporter.set_resource(&resource(role));
        tracing::info!(endpoint, "exporting traces");

        let exported = metrics.counter("latentlink_spans_exported", "Spans that the collector took");
        let [full, failed] = metrics.counters(
            "latentlink_spans_dropped",
            "Spans that the collector did not get: the queue was full, or the export failed",
            "reason",
            ["queue_full", "export_failed"],
        );
        let lost = Lost { full, failed };
        let (queue, spans) = mpsc::channel(QUEUE);
        let ending = Arc::new(Notify::new());
        let disconnection = Disconnection::new(format!("trace collector at {endpoint}"));
        let task =
            Task { exporter, spans, ending: ending.clone(), disconnection, exported, failed: lost.failed.clone() };
        Some(Exporter {
            queue,
            // The sampler that the SDK makes from the environment variables.
            sampler: Config::default().sampler,
            scope: InstrumentationScope::builder("latentlink").with_version(env!("CARGO_PKG_VERSION")).build(),
            ending,
            task: Mutex::new(Some(runtime.spawn(task.run()))),
            lost,
        })
    }

    /// Whether the sampler selects a trace for export; `parent` is the span of the sender, if there is one.
    pub(super) fn samples(&self, parent: Option<Parent>, trace_id: TraceId) -> bool {
        let context = parent.map(|parent| {
            let flags = TraceFlags::new(u8::from(parent.sampled));
            let (trace, span) = (otel_id(trace_id), SpanId::from_bytes(parent.span_id.to_be_bytes()));
            Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::default()))
        });
        let result =
            self.sampler.should_sample(context.as_ref(), otel_id(trace_id), "clip", &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    /// Queues a span that ends now for export if it is sampled; drops it if the queue is full or closed. Arguments are
    /// as in [`Tracer::end`](super::Tracer::end).
    pub(super) fn end(&self, span: &Span, what: &'static str, delivery: Option<Delivery>, fault: Option<&Fault>) {
        if !span.sampled {
            return;
        }
        let end_time = SystemTime::now();
        let mut attributes = Vec::new();
        if let Some(Delivery { run, sequence }) = delivery {
            attributes.push(KeyValue::new("latentlink.run_id", run.to_string()));
            // Attributes have no unsigned integers; the cast keeps all bits.
            attributes.push(KeyValue::new("latentlink.sequence", sequence as i64));
        }
        if let Some(fault) = fault {
            attributes.push(KeyValue::new("error.type", code_name(fault.code)));
        }
        let data = SpanData {
            span_context: SpanContext::new(
                otel_id(span.trace_id),
                SpanId::from_bytes(span.id.to_be_bytes()),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: SpanId::from_bytes(span.parent.to_be_bytes()),
            parent_span_is_remote: span.parent != 0,
            span_kind: SpanKind::Server,
            name: what.into(),
            start_time: end_time.checked_sub(span.began.elapsed()).unwrap_or(end_time),
            end_time,
            attributes,
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: fault.map_or(Status::Unset, |fault| Status::error(fault.to_string())),
            instrumentation_scope: self.scope.clone(),
        };
        if self.queue.try_send(data).is_err() {
            self.lost.full.inc();
        }
    }

    /// Closes the queue and waits at most two seconds for the export of the spans in it.
    pub(super) async fn flush(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        self.ending.notify_one();
        let waiting = tokio::time::timeout(FLUSH, &mut task).await.is_err();
        task.abort();
        let (full, failed) = (self.lost.full.get(), self.lost.failed.get());
        if waiting || full + failed > 0 {
            tracing::warn!(full, failed, waiting, "the trace collector did not get all spans");
        }
    }
}

fn otel_id(trace_id: TraceId) -> OtelTraceId {
    OtelTraceId::from_bytes(trace_id.0.to_be_bytes())
}

/// The description of the process in exports: the role is the name of the service, unless the environment sets a name.
fn resource(role: &'static str) -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty())
        || std::env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|all| all.contains("service.name="));
    let detected = Resource::builder();
    let builder = if named { detected } else { detected.with_service_name(role) };
    builder.with_attribute(KeyValue::new("latentlink.role", role)).build()
}

/// The task that exports the spans in the queue to the collector.
struct Task {
    exporter: SpanExporter,
    spans: mpsc::Receiver<SpanData>,
    ending: Arc<Notify>,
    disconnection: Disconnection,
    exported: Counter,
    failed: Counter,
}

impl Task {
    async fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            let taken = tokio::select! {
                taken = self.spans.recv_many(&mut batch, BATCH) => taken,
                () = self.ending.notified() => {
                    self.spans.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            match self.exporter.export(std::mem::take(&mut batch)).await {
                Ok(()) => {
                    self.exported.inc_by(taken as u64);
                    self.disconnection.end();
                }
                Err(error) => {
                    self.failed.inc_by(taken as u64);
                    self.disconnection.begin(&tonic::Status::unavailable(error.to_string()));
                }
            }
            if !self.spans.is_closed() {
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    () = self.ending.notified() => self.spans.close(),
                }
            }
        }
    }
}
