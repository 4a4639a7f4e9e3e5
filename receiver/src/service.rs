//! The gRPC service: takes streams of bursts, returns acknowledgements, and serves the live view.

use crate::burst::Reception;
use crate::caught::caught;
use crate::decoder::Decoder;
use crate::journal::Live;
use crate::meter::Meter;
use crate::shown::Shown;
use futures::future::{Fuse, FusedFuture};
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt, Stream, StreamExt};
use proto::v1;
use proto::v1::{Acknowledgement, Burst, DeliveryKey, ReceiveRequest, ReceiveResponse, WatchRequest, WatchResponse};
use runtime::Drain;
use runtime::observe::Held;
use runtime::serve::{Admission, Incoming, Outgoing};
use runtime::trace::{Span, Tracer};
use schemes::scheme::Receive;
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use wire::chunks::{Assembler, SYMBOL_BYTES};
use wire::{BurstRequest, Message, misplaced, stream_header};
use wire::{Delivery, Fault};

/// Maximum number of bursts of one stream that are in work or whose acknowledgements the peer has not taken. At this
/// number the stream is not read any further.
const WINDOW: usize = 256;
/// How long a new stream may take to send its stream header.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// Default interval between two snapshots in milliseconds, if the watcher names none.
const WATCH_INTERVAL_MS: u32 = 500;

/// The gRPC service of the receiver: the RPCs `Receive` and `Watch`.
#[derive(Clone)]
pub struct Service {
    /// Identifier of the weights being served; a stream header with another one is refused.
    pub model_id: String,
    /// The receiver half of the scheme; its model card says what a burst must look like.
    pub half: Arc<dyn Receive>,
    /// The decoder that bursts are sent to.
    pub decoder: Decoder,
    /// Longest silence on a stream whose bursts are in work: an acknowledgement without a key is sent at least this
    /// often.
    pub progress: Duration,
    /// The live accuracy and latest rows of the journal, for the RPC `Watch`.
    pub live: Live,
    /// The drain that ends all streams in order when the process stops.
    pub drain: Drain,
    /// Limits the number of concurrent streams of bursts.
    pub admission: Admission,
    /// Limits the number of concurrent streams of snapshots.
    pub watchers: Admission,
    /// The metrics that the service counts into.
    pub meter: Meter,
    /// The tracer that begins and ends the span of each burst.
    pub tracer: Tracer,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl v1::receiver_server::Receiver for Service {
    type ReceiveStream = ReceiverStream<Result<ReceiveResponse, Status>>;

    async fn receive(
        &self,
        request: Request<Streaming<ReceiveRequest>>,
    ) -> Result<Response<Self::ReceiveStream>, Status> {
        let place = (self.admission.admit()?, Held::of(&self.meter.streams, 1));
        let mut bursts = Incoming::new(request.into_inner(), self.drain.clone());
        let first = timeout(HEADER_DEADLINE, bursts.next());
        let first = first.await.map_err(|_| Status::deadline_exceeded("no header came"))??;
        let header = stream_header(first)?;
        if header.model_id != self.model_id {
            let theirs: String = header.model_id.chars().take(64).collect();
            return Err(Status::failed_precondition(format!(
                "the transmitter's weights are {}, the receiver's are {}",
                theirs.escape_debug(),
                self.model_id
            )));
        }
        let (receipts, answers) = Outgoing::new();
        let service = self.clone();
        tokio::spawn(async move {
            service.serve_stream(bursts, receipts).await;
            drop(place);
        });
        Ok(Response::new(answers))
    }

    type WatchStream = Answers<WatchResponse>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let place = self.watchers.admit()?;
        let WatchRequest { interval_ms, latest } = request.into_inner();
        let interval = Duration::from_millis(interval_ms.unwrap_or(WATCH_INTERVAL_MS).into());
        Ok(Response::new(watch(self.live.clone(), self.drain.clone(), interval, latest as usize, place).boxed()))
    }
}

impl Service {
    /// Serves one stream of bursts to its end.
    ///
    /// Back-pressure: while the peer takes no acknowledgements, at most [`WINDOW`] bursts are held here. Then nothing
    /// more is read and the peer's sending stalls. Bursts in work keep moving meanwhile, so a peer that stalls holds up
    /// no other.
    async fn serve_stream(self, bursts: Incoming<ReceiveRequest>, receipts: Outgoing<ReceiveResponse>) {
        if let Some(status) = self.relay(bursts, &receipts).await {
            receipts.end(status).await;
        }
    }

    /// Answers the bursts of one stream until there are no more; returns the status that the stream is to end with, or
    /// `None` to end it without an error. Acknowledgements that were not delivered are in the journal; they are sent
    /// when their bursts are sent again.
    async fn relay(
        &self,
        mut bursts: Incoming<ReceiveRequest>,
        receipts: &Outgoing<ReceiveResponse>,
    ) -> Option<Status> {
        let mut assembler = Assembler::default();
        let mut working = FuturesUnordered::new();
        let mut ready = VecDeque::new();
        let mut sending = pin!(Fuse::terminated());
        let mut end = None;
        let mut reading = true;
        let mut quiet = interval(self.progress);
        quiet.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if sending.is_terminated()
                && let Some(receipt) = ready.pop_front()
            {
                quiet.reset();
                sending.set(receipts.send(ReceiveResponse { acknowledgement: Some(receipt) }).fuse());
            }
            if working.is_empty() {
                quiet.reset();
            }
            tokio::select! {
                sent = &mut sending, if !sending.is_terminated() => if let Err(status) = sent {
                    return Some(status);
                },
                Some(answer) = working.next(), if !working.is_empty() => match answer {
                    Ok(receipt) => ready.push_back(receipt),
                    Err(status) => return Some(status),
                },
                // An acknowledgement without a key answers no burst. It shows the hops behind the peer that their
                // bursts are in work; after too long a silence they would resend them.
                _ = quiet.tick(), if !working.is_empty() && sending.is_terminated() => ready.push_back(Acknowledgement::default()),
                message = bursts.next_of(assembler.is_partial()), if reading && working.len() + ready.len() < WINDOW => match message {
                    Ok(Some(message)) => match message.message() {
                        Some(Message::Part(part)) => for assembled in assembler.push(part) {
                            match assembled {
                                Ok(burst) => working.push(self.answer(burst)),
                                Err(rejected) => {
                                    let span = self.begin("", rejected.delivery.as_ref());
                                    ready.push_back(self.refuse(&span, rejected.delivery, rejected.fault));
                                }
                            }
                        },
                        other => {
                            let span = self.begin("", None);
                            ready.push_back(self.refuse(&span, None, misplaced(other.as_ref())));
                        }
                    },
                    Ok(None) => {
                        reading = false;
                        end = bursts.ending();
                    }
                    Err(status) => {
                        reading = false;
                        end = Some(status);
                    }
                },
                else => return end,
            }
        }
    }

    /// The acknowledgement of one burst, or the status that ends its stream.
    async fn answer(&self, mut burst: Burst) -> Result<Acknowledgement, Status> {
        let delivery = burst.delivery.take();
        let span = self.begin(burst.traceparent.as_deref().unwrap_or_default(), delivery.as_ref());
        self.meter.symbols.inc_by((burst.symbols.len() / SYMBOL_BYTES) as u64);
        // A panic on a peer's bytes must not end this task: the peer would open the stream again and send the same
        // bytes.
        let checked = caught("burst", || -> Result<_, Fault> {
            let card = self.half.card();
            let reception = Reception::check(delivery.as_ref(), burst, card)?;
            let shown = reception.inspect.then(|| Shown::of(&reception, card.equaliser)).flatten();
            Ok((reception, shown))
        });
        let refusal = match checked.and_then(|checked| checked) {
            Ok((reception, shown)) => {
                let key = reception.delivery;
                match self.decoder.answer(reception, span.began()).await {
                    Ok(answer) => {
                        self.meter.receipts.inc();
                        self.meter.latency.observe_since(span.began());
                        self.tracer.end(&span, "receive", Some(key), None);
                        let symbols = shown.and_then(|shown| shown.behind(&answer));
                        return Ok(wire::acknowledge(delivery, &v1::Answer { symbols, ..answer.to_wire() }));
                    }
                    Err(refusal) => refusal,
                }
            }
            Err(fault) => fault.into(),
        };
        Ok(self.refuse(&span, delivery, refusal.into_fault()?))
    }

    /// Counts a burst that has just arrived and begins its trace span.
    fn begin(&self, traceparent: &str, delivery: Option<&DeliveryKey>) -> Span {
        self.meter.bursts.inc();
        self.tracer.begin(traceparent, Delivery::from_wire(delivery).ok(), Instant::now())
    }

    /// Ends the span of a refused burst, counts the refusal, and returns the acknowledgement with the fault.
    fn refuse(&self, span: &Span, delivery: Option<DeliveryKey>, fault: Fault) -> Acknowledgement {
        self.meter.refused.count(fault.code);
        self.tracer.end(span, "receive", Delivery::from_wire(delivery.as_ref()).ok(), Some(&fault));
        wire::refuse(delivery, fault)
    }
}

/// A stream of snapshots: one at once, then one whenever there is something new, at most one per `interval`. A snapshot
/// is made when the watcher is ready to take it, so a slow watcher skips states and holds up no other.
fn watch(
    live: Live,
    drain: Drain,
    interval: Duration,
    latest: usize,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<WatchResponse, Status>> + Send {
    struct Watcher {
        live: Live,
        drain: Drain,
        next: Option<tokio::time::Instant>,
        ended: bool,
        /// The watcher's place among the limited number of streams, held until this stream is dropped.
        _place: OwnedSemaphorePermit,
    }
    let watcher = Watcher { live, drain, next: None, ended: false, _place: place };
    stream::unfold(watcher, move |mut watcher| async move {
        if watcher.ended {
            return None;
        }
        if let Some(next) = watcher.next {
            let news = async {
                let changed = watcher.live.changed().await;
                tokio::time::sleep_until(next).await;
                changed
            };
            let changed = tokio::select! {
                changed = news => changed,
                () = watcher.drain.started() => false,
            };
            if !changed {
                watcher.ended = true;
                return Some((Err(Drain::status()), watcher));
            }
        }
        watcher.next = Some(tokio::time::Instant::now() + interval);
        let snapshot = watcher.live.snapshot(latest);
        Some((Ok(WatchResponse { snapshot: Some(snapshot) }), watcher))
    })
}
