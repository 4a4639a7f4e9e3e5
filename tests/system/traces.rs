//! Tests of the export of traces to a collector that speaks OTLP over gRPC. Compiled with the cargo feature `otlp`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use latentlink_tests::{Client, Role, Stack, corpus_of, eventually, free_port, http_get};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use proto::v1::{ChannelKind, Clip, Conditions};
use tonic::{Request, Response, Status};

use crate::SITE;

/// A collector on a runtime of its own, which keeps the spans it receives, each with the name of its service.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.0.lock().unwrap();
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let name = match name.and_then(|name| name.value?.value) {
                Some(Value::StringValue(name)) => name,
                other => panic!("service.name is {other:?}"),
            };
            let new = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(new.map(|span| (name.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts a collector on a free port; returns it, its URL, and the runtime, which must be kept while it serves.
    fn start() -> (Collector, String, tokio::runtime::Runtime) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let collector = Collector::default();
        let service = TraceServiceServer::new(collector.clone());
        runtime.spawn(tonic::transport::Server::builder().add_service(service).serve(address));
        (collector, format!("http://{address}"), runtime)
    }

    fn spans(&self) -> Vec<(String, Span)> {
        self.0.lock().unwrap().clone()
    }
}

fn stack(name: &str, endpoint: &str) -> Stack {
    Stack::down(&SITE, name, SITE.weights(), SITE.weights()).with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
}

/// Clips over the noiseless channel; the first one has the trace context `traceparent` of a client.
fn clips(client: &Client, count: u64, traceparent: &str) -> Vec<Clip> {
    let corpus = corpus_of(1, 1, 1);
    let none = Conditions { kind: ChannelKind::None.into(), snr_db: None, k_factor: None };
    let mut clips: Vec<Clip> = (0..count).map(|number| client.clip(number, &corpus.clips[2], none)).collect();
    clips[0].traceparent = Some(traceparent.into());
    clips
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const PATIENT: Duration = Duration::from_secs(60);

#[test]
fn the_spans_of_a_clip_are_a_chain_through_all_processes() {
    let (collector, endpoint, _runtime) = Collector::start();
    let stack = stack("traces", &endpoint).started();
    let client = Client::connect(&stack.url(Role::Transmitter));
    let outcomes = client.send(clips(&client, 2, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    let spans = eventually("six spans", PATIENT, || Some(collector.spans()).filter(|spans| spans.len() >= 6));
    assert_eq!(spans.len(), 6);
    for (outcome, client_span) in outcomes.iter().zip(["00f067aa0ba902b7", ""]) {
        let mine = spans.iter().filter(|(_, span)| hex(&span.trace_id) == outcome.trace_id);
        let by_service: HashMap<&str, &Span> = mine.map(|(service, span)| (service.as_str(), span)).collect();
        let [receive, relay, transmit] = Role::ALL.map(|role| by_service[role.name()]);
        assert_eq!(hex(&transmit.parent_span_id), client_span);
        assert_eq!(relay.parent_span_id, transmit.span_id);
        assert_eq!(receive.parent_span_id, relay.span_id);
        assert!(transmit.start_time_unix_nano <= transmit.end_time_unix_nano);
        let attributes: Vec<&str> = transmit.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(attributes, ["latentlink.run_id", "latentlink.sequence"]);
    }
    let (_, page) = http_get(&stack.url(Role::Transmitter), "/metrics").unwrap();
    assert!(page.contains("latentlink_spans_dropped_total{reason=\"queue_full\"} 0\n"), "{page}");
}

#[test]
fn what_waits_is_exported_when_the_process_ends_and_a_sampler_is_obeyed() {
    let (collector, endpoint, _runtime) = Collector::start();
    // Traces begun by the client are exported; traces that begin in the transmitter are not.
    let mut stack = stack("sampled", &endpoint).with("OTEL_TRACES_SAMPLER", "parentbased_always_off").started();
    let client = Client::connect(&stack.url(Role::Transmitter));
    client.send(clips(&client, 20, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    drop(client);
    for role in [Role::Transmitter, Role::Emulator, Role::Receiver] {
        stack.process(role).terminate();
        assert!(stack.process(role).ended().success());
    }
    let spans = collector.spans();
    assert_eq!(spans.len(), 3, "{spans:?}");
    assert!(spans.iter().all(|(_, span)| hex(&span.trace_id) == "4bf92f3577b34da6a3ce929d0e0e4736"));
}

#[test]
fn a_collector_that_is_away_or_silent_holds_up_nothing() {
    // One port that nobody listens on, and one where nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = [format!("http://127.0.0.1:{}", free_port()), format!("http://{}", silent.local_addr().unwrap())];
    for (name, endpoint) in ["away", "silent"].into_iter().zip(endpoints) {
        let mut stack = stack(name, &endpoint).started();
        let client = Client::connect(&stack.url(Role::Transmitter));
        // More spans than the queue holds.
        assert_eq!(client.send(clips(&client, 3000, "")).len(), 3000);
        drop(client);
        let (_, page) = http_get(&stack.url(Role::Transmitter), "/metrics").unwrap();
        let dropped: u64 = page
            .lines()
            .filter_map(|line| {
                line.strip_prefix("latentlink_spans_dropped_total{")?.split(' ').nth(1)?.parse::<u64>().ok()
            })
            .sum();
        assert!(dropped > 0, "{name}: {page}");
        for role in [Role::Transmitter, Role::Emulator, Role::Receiver] {
            stack.process(role).terminate();
            assert!(stack.process(role).ended().success(), "{name}: {}", stack.process(role).log());
        }
        assert!(stack.process(Role::Transmitter).log().contains("waiting") || name == "silent");
    }
}
