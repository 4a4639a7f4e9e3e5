//! Tests of the page of metrics on the port of the gRPC services.

use latentlink_runtime as runtime;
use proto::v1;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::channel_emulator_server::{ChannelEmulator, ChannelEmulatorServer};
use proto::v1::{Conditions, GetConditionsRequest, RelayRequest, RelayResponse, WatchConditionsRequest};
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, Observer, PeerUrl};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Request, Response, Status, Streaming};

/// A channel emulator service that counts how often its conditions are set.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

#[tonic::async_trait]
impl ChannelEmulator for Counting {
    type RelayStream = tokio_stream::Empty<Result<RelayResponse, Status>>;

    async fn relay(&self, _: Request<Streaming<RelayRequest>>) -> Result<Response<Self::RelayStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_conditions(
        &self,
        _: Request<GetConditionsRequest>,
    ) -> Result<Response<v1::GetConditionsResponse>, Status> {
        Ok(Response::new(v1::GetConditionsResponse::default()))
    }

    async fn set_conditions(
        &self,
        request: Request<v1::SetConditionsRequest>,
    ) -> Result<Response<v1::SetConditionsResponse>, Status> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let v1::SetConditionsRequest { snr_db, .. } = request.into_inner();
        let conditions = Some(v1::Conditions { snr_db, ..v1::Conditions::default() });
        Ok(Response::new(v1::SetConditionsResponse { conditions, version: 1 }))
    }

    type WatchConditionsStream = tokio_stream::Empty<Result<v1::WatchConditionsResponse, Status>>;

    async fn watch_conditions(
        &self,
        _: Request<WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn start(service: Counting, observer: Observer, drain: Drain) -> SocketAddr {
    let socket = Socket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.address();
    let services = Services::of(observer).with(ChannelEmulatorServer::new(service));
    tokio::spawn(async move { serve(socket, services, &drain).await });
    address
}

/// Sends the bytes of an HTTP request and returns all that is received until the connection ends.
async fn http(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn get(address: SocketAddr, headers: &str) -> String {
    http(address, format!("GET /metrics HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes()).await
}

#[tokio::test]
async fn the_page_is_read_over_http_1_beside_grpc_over_http_2() {
    let observer = Observer::new("test");
    let counter = observer.counter("latentlink_test_things", "Things");
    let drain = Drain::default();
    let address = start(Counting::default(), observer, drain.clone()).await;

    let url: PeerUrl = format!("http://{address}").parse().unwrap();
    let mut client = ChannelEmulatorClient::new(url.channel());
    let conditions = Conditions { snr_db: Some(3.0), ..Conditions::default() };
    let change = v1::SetConditionsRequest { snr_db: conditions.snr_db, ..v1::SetConditionsRequest::default() };
    assert_eq!(client.set_conditions(change).await.unwrap().into_inner().conditions, Some(conditions));
    counter.inc_by(7);

    // The page is read-only and may be read with any Host header.
    for host in ["localhost", "elsewhere.example:1"] {
        let plain = get(address, &format!("Host: {host}\r\n")).await;
        assert!(plain.starts_with("HTTP/1.1 200 OK\r\n"), "{plain}");
        assert!(plain.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{plain}");
        assert!(
            plain.contains("\n# TYPE latentlink_test_things_total counter\nlatentlink_test_things_total 7\n"),
            "{plain}"
        );
        assert!(plain.contains("\n# TYPE process_start_time_seconds gauge\n"), "{plain}");
    }
    let open = get(address, "Host: x\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n").await;
    assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{open}");
    assert!(open.contains("\n# TYPE latentlink_test_things counter\nlatentlink_test_things_total 7\n"), "{open}");
    assert!(open.trim_end().ends_with("# EOF"), "{open}");

    // gRPC calls still work; draining also ends connections that only read metrics.
    client.get_conditions(GetConditionsRequest {}).await.unwrap();
    drain.start();
}

#[tokio::test]
async fn http_1_reads_metrics_and_calls_nothing() {
    let service = Counting::default();
    let address = start(service.clone(), Observer::new("test"), Drain::default()).await;
    // The request that a page in a browser on this machine could send without a cross-origin check.
    let call = b"POST /latentlink.v1.ChannelEmulator/SetConditions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Content-Type: text/plain\r\nContent-Length: 7\r\n\r\n\0\0\0\0\x02\x08\x01";
    let answer = http(address, call).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert_eq!(service.0.load(Ordering::SeqCst), 0, "a browser can set the conditions");
    let answer = http(address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("/metrics"), "{answer}");
    let answer =
        http(address, b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn connections_and_their_bytes_are_counted() {
    let observer = Observer::new("test");
    let address = start(Counting::default(), observer.clone(), Drain::default()).await;
    let first = get(address, "Host: x\r\n").await;
    let page = observer.page();
    let value = |name: &str| -> u64 {
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{page}"))
    };
    assert_eq!(value("latentlink_server_connections_accepted_total"), 1);
    assert_eq!(value("latentlink_server_sent_bytes_total"), first.len() as u64);
    assert!(value("latentlink_server_received_bytes_total") > 30);
}
