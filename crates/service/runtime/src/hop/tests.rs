//! Tests of the hop with real servers on loopback that stop, restart, reject and stop responding.

use super::*;
use crate::serve::{Services, Socket, serve};
use crate::{Drain, PeerUrl};
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::receiver_server::{Receiver, ReceiverServer};
use proto::v1::{Acknowledgement, Burst, DeliveryKey, ReceiveRequest, ReceiveResponse, WatchRequest, WatchResponse};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Request, Response, Streaming};
use uuid::Uuid;
use wire::chunks::Part;
use wire::{BurstRequest, BurstResponse, Message};

const RUN: Uuid = Uuid::from_u128(7);

struct ToReceiver(ReceiverClient<Channel>);

impl Exchange for ToReceiver {
    type Item = u64;
    type Request = ReceiveRequest;
    type Response = ReceiveResponse;

    fn header(&self) -> Option<ReceiveRequest> {
        Some(Message::header("m").into())
    }

    fn key(item: &u64) -> Delivery {
        Delivery { run: RUN, sequence: *item }
    }

    fn requests(item: &u64, out: &mut VecDeque<ReceiveRequest>) {
        let burst = Burst { delivery: Some(Self::key(item).to_wire()), ..Burst::default() };
        out.push_back(Part::Item(burst).into());
    }

    fn acknowledges(response: &ReceiveResponse) -> Option<Delivery> {
        Delivery::from_wire(response.clone().acknowledgement().delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<ReceiveRequest>) -> Result<Inbound<ReceiveResponse>, Status> {
        Ok(Box::pin(self.0.receive(outbound).await?.into_inner()))
    }
}

/// The behaviour of a test server on a stream.
#[derive(Clone)]
enum Manner {
    /// The server acknowledges every item twice, and sends other responses between.
    Echo,
    /// The server acknowledges this number of items, then ends the stream with the status.
    FailAfter(u64, Status),
    /// The server acknowledges this number of items, then ends the stream without a status.
    EndAfter(u64),
    /// The server reads all items and never responds.
    Silent,
    /// The server sends its response headers with the first acknowledgement, as gRPC servers in other languages do.
    LateHeaders,
}

#[derive(Clone)]
struct Peer {
    manner: Manner,
    openings: Arc<AtomicU64>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Receiver for Peer {
    type ReceiveStream = Answers<ReceiveResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn receive(
        &self,
        request: Request<Streaming<ReceiveRequest>>,
    ) -> Result<Response<Self::ReceiveStream>, Status> {
        let mut bursts = request.into_inner();
        let Peer { manner, openings } = self.clone();
        let (sender, answers) = mpsc::channel(4);
        if let Manner::LateHeaders = manner {
            assert!(bursts.message().await?.is_some());
            openings.fetch_add(1, Ordering::SeqCst);
            let mut burst = bursts.message().await?.map(burst_of);
            let (first, begun) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                let mut first = Some(first);
                while let Some(Burst { delivery, .. }) = burst {
                    if sender.send(Ok(acknowledged(delivery))).await.is_err() {
                        break;
                    }
                    let _ = first.take().map(|first| first.send(()));
                    burst = bursts.message().await?.map(burst_of);
                }
                Ok::<_, Status>(())
            });
            let _ = begun.await;
            return Ok(Response::new(Box::pin(ReceiverStream::new(answers))));
        }
        tokio::spawn(async move {
            let first = bursts.message().await?.and_then(BurstRequest::message);
            assert_eq!(first, Some(Message::header("m")));
            openings.fetch_add(1, Ordering::SeqCst);
            let mut answered = 0;
            while let Some(burst) = bursts.message().await? {
                let receipt = acknowledged(burst_of(burst).delivery);
                let stray = acknowledged(Some(Delivery { run: Uuid::nil(), sequence: 1 }.to_wire()));
                let answers = match &manner {
                    Manner::Echo => vec![Ok(receipt.clone()), Ok(stray), Ok(ReceiveResponse::default()), Ok(receipt)],
                    Manner::FailAfter(after, status) if answered == *after => {
                        vec![Err(status.clone())]
                    }
                    Manner::EndAfter(after) if answered == *after => return Ok(()),
                    Manner::Silent => vec![],
                    _ => vec![Ok(receipt)],
                };
                answered += 1;
                for answer in answers {
                    if sender.send(answer).await.is_err() {
                        return Ok::<_, Status>(());
                    }
                }
            }
            Ok(())
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

fn burst_of(request: ReceiveRequest) -> Burst {
    match request.message() {
        Some(Message::Part(Part::Item(burst))) => burst,
        other => panic!("expected a burst, got {other:?}"),
    }
}

fn acknowledged(delivery: Option<DeliveryKey>) -> ReceiveResponse {
    let acknowledgement = Acknowledgement { delivery, ..Acknowledgement::default() };
    ReceiveResponse { acknowledgement: Some(acknowledgement) }
}

/// A test server on a runtime of its own. Dropping it closes all its connections, as the end of a process would.
struct Server {
    url: PeerUrl,
    openings: Arc<AtomicU64>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Starts a server on `port`; 0 selects a free one.
    fn start(port: u16, manner: Manner) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = format!("127.0.0.1:{port}");
        let socket = std::thread::scope(|scope| {
            scope.spawn(|| runtime.block_on(Socket::bind(&address))).join().unwrap().unwrap()
        });
        let url = format!("http://{}", socket.address()).parse().unwrap();
        let openings = Arc::new(AtomicU64::new(0));
        let services = Services::default().with(ReceiverServer::new(Peer { manner, openings: openings.clone() }));
        runtime.spawn(async move { serve(socket, services, &Drain::default()).await });
        Server { url, openings, runtime: Some(runtime) }
    }

    fn port(&self) -> u16 {
        self.url.to_string().rsplit(':').next().unwrap().parse().unwrap()
    }

    fn opened(&self) -> u64 {
        self.openings.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until the port is closed; a runtime must not be dropped inside another.
            let _ = std::thread::spawn(move || drop(runtime)).join();
        }
    }
}

fn hop(url: &PeerUrl, window: usize, inactivity: Duration) -> Hop<ToReceiver> {
    let disconnection = Arc::new(Disconnection::new(format!("receiver at {url}")));
    let config = HopConfig { window, inactivity, disconnection };
    Hop::start(ToReceiver(ReceiverClient::new(url.channel())), config)
}

const PATIENT: Duration = Duration::from_secs(30);

/// Sends the items 0..count and closes the hop. Returns the items in the order of their acknowledgements, and the final
/// status if there was one.
async fn exchange(hop: Hop<ToReceiver>, count: u64) -> (Vec<u64>, Option<Status>) {
    let Hop { sender, mut receiver } = hop;
    let send = async move {
        for item in 0..count {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    };
    let receive = async {
        let mut items = Vec::new();
        loop {
            match receiver.recv().await {
                Some(Ok(acknowledged)) => items.push(acknowledged.item),
                Some(Err(status)) => return (items, Some(status)),
                None => return (items, None),
            }
        }
    };
    let both = async { tokio::join!(send, receive).1 };
    tokio::time::timeout(PATIENT, both).await.expect("the hop hangs")
}

fn all_once(items: Vec<u64>, count: u64) {
    let mut sorted = items;
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(0..count), "{} items, {count} expected", sorted.len());
}

#[tokio::test]
async fn every_item_is_acknowledged_once_whatever_strays_come() {
    let server = Server::start(0, Manner::Echo);
    let (items, status) = exchange(hop(&server.url, 16, PATIENT), 1000).await;
    assert!(status.is_none());
    all_once(items, 1000);
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_lost_stream_is_opened_again_and_all_unacknowledged_is_sent_again() {
    let unavailable = Manner::FailAfter(7, Status::unavailable("for now"));
    for manner in [unavailable, Manner::EndAfter(7)] {
        let server = Server::start(0, manner);
        let (items, status) = exchange(hop(&server.url, 16, PATIENT), 50).await;
        assert!(status.is_none());
        all_once(items, 50);
        assert_eq!(server.opened(), 8, "seven items a stream, and one more stream for the last");
    }
}

#[tokio::test]
async fn a_server_may_die_in_mid_stream_and_start_after_its_client() {
    let first = Server::start(0, Manner::Silent);
    let (url, port) = (first.url.clone(), first.port());
    let running = tokio::spawn(exchange(hop(&url, 16, PATIENT), 300));
    while first.opened() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(first);
    // The port stays closed for a while: retries fail, but no item is lost.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = Server::start(port, Manner::Echo);
    let (items, status) = running.await.unwrap();
    assert!(status.is_none());
    all_once(items, 300);
    assert!(second.opened() >= 1);
}

#[tokio::test]
async fn a_final_status_ends_the_hop_and_reaches_the_caller() {
    let server = Server::start(0, Manner::FailAfter(3, Status::failed_precondition("other weights")));
    let hop = hop(&server.url, 4, PATIENT);
    let sender = hop.sender.clone();
    let (items, status) = exchange(hop, 100).await;
    assert_eq!(items, [0, 1, 2]);
    let status = status.unwrap();
    assert_eq!((status.code(), status.message()), (tonic::Code::FailedPrecondition, "other weights"));
    assert_eq!(sender.send(1).await, Err(Ended));
    assert_eq!(server.opened(), 1, "a final status is not retried");
}

#[tokio::test]
async fn silence_with_items_out_tears_the_stream_down() {
    let server = Server::start(0, Manner::Silent);
    let hop = hop(&server.url, 4, Duration::from_millis(60));
    hop.sender.send(1).await.unwrap();
    while server.opened() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_idle_stream_stays_open() {
    let server = Server::start(0, Manner::Echo);
    let mut hop = hop(&server.url, 4, Duration::from_millis(40));
    for item in 0..3 {
        hop.sender.send(item).await.unwrap();
        assert_eq!(hop.receiver.recv().await.unwrap().unwrap().item, item);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_peer_may_send_its_headers_with_its_first_answer_and_be_quiet_before() {
    let server = Server::start(0, Manner::LateHeaders);
    let mut hop = hop(&server.url, 4, Duration::from_millis(40));
    // No item is unacknowledged, so the silence does not count as inactivity.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for item in 0..9 {
        hop.sender.send(item).await.unwrap();
        let answer = tokio::time::timeout(PATIENT, hop.receiver.recv()).await.expect("both sides wait");
        assert_eq!(answer.unwrap().unwrap().item, item);
    }
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn the_window_holds_the_caller_back() {
    let server = Server::start(0, Manner::Silent);
    let hop = hop(&server.url, 4, PATIENT);
    for item in 0..4 {
        hop.sender.send(item).await.unwrap();
    }
    let fifth = tokio::time::timeout(Duration::from_millis(100), hop.sender.send(4)).await;
    assert!(fifth.is_err(), "a fifth item was taken into a window of four");
}

#[tokio::test]
async fn dropping_the_receiver_stops_the_task() {
    let server = Server::start(0, Manner::Silent);
    let Hop { sender, receiver } = hop(&server.url, 1, PATIENT);
    sender.send(0).await.unwrap();
    drop(receiver);
    let next = tokio::time::timeout(PATIENT, sender.send(1)).await.expect("the task lives on");
    assert_eq!(next, Err(Ended));
}

#[tokio::test]
async fn what_a_hop_does_is_counted() {
    let server = Server::start(0, Manner::FailAfter(7, Status::unavailable("for now")));
    let meter = crate::observe::HopMeter::register(&crate::Observer::new("test"), "receiver", true);
    let disconnection = Arc::new(Disconnection::new("receiver").metered(meter.clone()));
    let config = HopConfig { window: 16, inactivity: PATIENT, disconnection };
    let mut hop = Hop::start(ToReceiver(ReceiverClient::new(server.url.channel())), config);
    assert_eq!(meter.window.get(), 16);
    for item in 0..10 {
        hop.sender.send(item).await.unwrap();
    }
    // No item was received from the hop, so every item holds its place, acknowledged or not.
    assert_eq!(meter.out.get(), 10);
    for _ in 0..10 {
        hop.receiver.recv().await.unwrap().unwrap();
    }
    assert_eq!(meter.out.get(), 0);
    assert_eq!((meter.opened.get(), meter.lost.get(), meter.disconnections.get()), (2, 1, 1));
    assert_eq!(meter.round_trip.count(), 10);
    let again = meter.sent_again.get();
    assert!((1..=3).contains(&again), "{again} items sent again; seven of ten were answered");
    assert_eq!((meter.streams.get(), meter.waiting.get()), (1, 0));
    drop(hop);
    while meter.window.get() != 0 || meter.streams.get() != 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
