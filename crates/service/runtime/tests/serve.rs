//! Tests of what every process serves in addition to its own services, and of how it ends.

use futures::StreamExt;
use latentlink_runtime as runtime;
use proto::v1;
use proto::v1::channel_emulator_server::{ChannelEmulator, ChannelEmulatorServer};
use proto::v1::{GetConditionsRequest, RelayRequest, RelayResponse, WatchConditionsRequest};
use runtime::serve::{Admission, Services, Socket, serve};
use runtime::{Drain, PeerUrl};
use std::pin::Pin;
use std::time::Duration;
use tokio_stream::Stream;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

/// A channel emulator service that relays nothing: its streams stay open until the drain starts, or without one
/// forever.
struct Stubborn(Option<Drain>);

#[tonic::async_trait]
impl ChannelEmulator for Stubborn {
    type RelayStream = Pin<Box<dyn Stream<Item = Result<RelayResponse, Status>> + Send>>;

    async fn relay(&self, _: Request<Streaming<RelayRequest>>) -> Result<Response<Self::RelayStream>, Status> {
        let drain = self.0.clone();
        let end = async move {
            match drain {
                Some(drain) => drain.started().await,
                None => std::future::pending().await,
            }
            Err(Drain::status())
        };
        Ok(Response::new(Box::pin(futures::stream::once(end))))
    }

    async fn get_conditions(
        &self,
        _: Request<GetConditionsRequest>,
    ) -> Result<Response<v1::GetConditionsResponse>, Status> {
        Ok(Response::new(v1::GetConditionsResponse::default()))
    }

    async fn set_conditions(
        &self,
        _: Request<v1::SetConditionsRequest>,
    ) -> Result<Response<v1::SetConditionsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type WatchConditionsStream = tokio_stream::Empty<Result<v1::WatchConditionsResponse, Status>>;

    async fn watch_conditions(
        &self,
        _: Request<WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

const PATIENT: Duration = Duration::from_secs(30);

struct Running {
    url: PeerUrl,
    drain: Drain,
    task: tokio::task::JoinHandle<Result<(), runtime::serve::ServeError>>,
}

async fn start(obeys: bool) -> Running {
    let socket = Socket::bind("localhost:0").await.unwrap();
    let url = format!("http://{}", socket.address()).parse().unwrap();
    let drain = Drain::within(if obeys { PATIENT } else { Duration::from_millis(50) });
    let service = ChannelEmulatorServer::new(Stubborn(obeys.then(|| drain.clone())));
    let draining = drain.clone();
    let task = tokio::spawn(async move { serve(socket, Services::default().with(service), &draining).await });
    Running { url, drain, task }
}

const SERVICE: &str = "latentlink.v1.ChannelEmulator";

#[tokio::test]
async fn health_says_serving_and_while_draining_not_serving() {
    let Running { url, drain, task } = start(true).await;
    let mut client = HealthClient::new(url.channel());
    let mut watches = Vec::new();
    for service in ["", SERVICE] {
        let request = HealthCheckRequest { service: service.into() };
        let mut watch = client.watch(request).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving, "`{service}`");
        watches.push(watch);
    }
    let unknown = client.check(HealthCheckRequest { service: "latentlink.v1.Other".into() }).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    drain.start();
    for watch in &mut watches {
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    }
    drop((watches, client));
    tokio::time::timeout(PATIENT / 2, task).await.expect("the drain hangs").unwrap().unwrap();
}

#[tokio::test]
async fn reflection_lists_the_service_and_health() {
    let running = start(true).await;
    let mut client = ServerReflectionClient::new(running.url.channel());
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut stream = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let ServerReflectionResponse { message_response, .. } = stream.next().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = message_response else { panic!("{message_response:?}") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in [SERVICE, "grpc.health.v1.Health"] {
        assert!(names.iter().any(|listed| listed == name), "{name} is not among {names:?}");
    }
}

/// Opens a stream to a running server and returns its responses.
async fn open(running: &Running) -> Streaming<RelayResponse> {
    let mut client = proto::v1::channel_emulator_client::ChannelEmulatorClient::new(running.url.channel());
    client.relay(tokio_stream::pending()).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_stream_that_sees_the_drain_ends_it_at_once() {
    let running = start(true).await;
    let mut stream = open(&running).await;
    running.drain.start();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    drop(stream);
    tokio::time::timeout(PATIENT / 2, running.task).await.expect("it hangs").unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_that_does_not_is_cut_off_at_the_deadline() {
    let running = start(false).await;
    let _stream = open(&running).await;
    running.drain.start();
    tokio::time::timeout(PATIENT, running.task).await.expect("it hangs").unwrap().unwrap();
}

#[tokio::test]
async fn a_port_in_use_and_an_address_that_is_none_are_named() {
    let socket = Socket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.address().to_string();
    for (address, problem) in [(address.as_str(), "in use"), ("127.0.0.1", ""), ("127.0.0.1:port", "")] {
        let error = Socket::bind(address).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {address}: ")) && error.contains(problem), "{error}");
        assert!(!error.contains('\n'));
    }
}

#[test]
fn streams_beyond_the_limit_are_told_so_until_one_ends() {
    let admission = Admission::new(2);
    let (first, _second) = (admission.admit().unwrap(), admission.admit().unwrap());
    let status = admission.admit().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    drop(first);
    assert!(admission.admit().is_ok());
}
