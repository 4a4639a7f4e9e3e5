//! One incoming stream and the outgoing stream that belongs to it.

use crate::channel::pass;
use crate::live::Live;
use crate::meter::Meter;
use crate::onward::Onward;
use crate::record::{Take, Tape};
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{Burst, DeliveryKey, ReceiveRequest, ReceiveResponse, RelayRequest, RelayResponse, Timings};
use runtime::Drain;
use runtime::backoff::{Backoff, Disconnection};
use runtime::connect::{is_transient, reason};
use runtime::serve::{Incoming, Outgoing};
use runtime::trace::{Span, Tracer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use wire::chunks::Part;
use wire::chunks::{Assembler, Rejected, SYMBOL_BYTES, split};
use wire::{BurstRequest, Message, misplaced};
use wire::{Delivery, Fault};

/// How long a stream waits for the receiver before it is ended with UNAVAILABLE; the transmitter then tries again.
const RECEIVER_DEADLINE: Duration = Duration::from_secs(10);
/// Bursts of more symbols are computed off the runtime, which other streams share.
const LONG_BURST: usize = 1 << 14;

/// An open pair of streams.
pub struct Relay {
    /// What bursts meet that pin nothing.
    pub live: Live,
    /// For bursts without a noise key.
    pub seed: u64,
    /// What the bursts are recorded to, if they are.
    pub tape: Option<Tape>,
    /// Where bursts go.
    pub receiver: ReceiverClient<Channel>,
    /// Names the receiver.
    pub disconnection: Arc<Disconnection>,
    /// Back to the transmitter.
    pub receipts: Outgoing<RelayResponse>,
    /// The transmitter has sent its last burst, or the process drains.
    pub finished: AtomicBool,
    pub drain: Drain,
    pub meter: Meter,
    pub tracer: Tracer,
}

impl Relay {
    /// Runs until either side ends. `bursts` is the rest of the incoming stream, after its header.
    pub async fn run(
        self,
        mut bursts: Incoming<RelayRequest>,
        outgoing: mpsc::Sender<ReceiveRequest>,
        onward: Onward<ReceiveRequest>,
    ) {
        // The two directions wait for different things and must not wait for each other: the receiver may answer the
        // call only when it has got a burst.
        let back = async {
            let mut incoming = self.reach(onward).await?;
            let _open = self.meter.hop.opened();
            self.back(&mut incoming).await
        };
        let both = async { tokio::try_join!(self.forward(&mut bursts, outgoing), back) };
        let done = tokio::select! {
            biased;
            () = self.receipts.closed() => return,
            done = both => done,
        };
        if let Some(status) = done.err().or_else(|| bursts.ending()) {
            tracing::debug!(%status, "ended a stream");
            self.receipts.end(status).await;
        }
    }

    /// Opens the outgoing stream. While the receiver is away and no burst has gone into a call, tries again with
    /// backoff, for [`RECEIVER_DEADLINE`]. A receiver that has been reached may take its time.
    async fn reach(&self, onward: Onward<ReceiveRequest>) -> Result<Streaming<ReceiveResponse>, Status> {
        let deadline = tokio::time::Instant::now() + RECEIVER_DEADLINE;
        let mut backoff = Backoff::default();
        loop {
            let mut receiver = self.receiver.clone();
            let status = match receiver.receive(onward.stream()).await {
                Ok(response) => {
                    self.disconnection.end();
                    return Ok(response.into_inner());
                }
                Err(status) if !is_transient(&status) => return Err(Status::new(status.code(), status.message())),
                Err(status) if onward.is_taken() => return Err(self.lost(&status)),
                Err(status) => status,
            };
            self.meter.hop.lost();
            self.disconnection.begin(&status);
            let next = tokio::time::Instant::now() + backoff.next_delay();
            if next >= deadline {
                let problem = format!("cannot reach the {}: {}", self.disconnection.peer(), reason(&status));
                return Err(Status::unavailable(problem));
            }
            tokio::select! {
                () = self.drain.started() => return Err(Drain::status()),
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Bursts to the receiver.
    async fn forward(
        &self,
        bursts: &mut Incoming<RelayRequest>,
        outgoing: mpsc::Sender<ReceiveRequest>,
    ) -> Result<(), Status> {
        let mut assembler = Assembler::default();
        // When the first chunk of the burst being assembled came.
        let mut began = Instant::now();
        while let Some(message) = bursts.next_of(assembler.is_partial()).await? {
            let part = match message.message() {
                Some(Message::Part(part)) => part,
                other => {
                    let span = self.begin("", None, Instant::now());
                    self.refuse(None, misplaced(other.as_ref()), &span).await?;
                    continue;
                }
            };
            if let Part::Item(_) = part {
                began = Instant::now();
            }
            for assembled in assembler.push(part) {
                let mut burst = match assembled {
                    Ok(burst) => burst,
                    Err(rejected) => {
                        let Rejected { delivery, fault } = *rejected;
                        let span = self.begin("", delivery.as_ref(), began);
                        self.refuse(delivery, fault, &span).await?;
                        continue;
                    }
                };
                let delivery = burst.delivery.clone();
                let take = self.tape.as_ref().map(|tape| tape.take(&burst));
                let parent = burst.traceparent.as_deref().unwrap_or_default();
                let span = self.begin(parent, delivery.as_ref(), began);
                burst.traceparent = Some(span.traceparent());
                match self.pass(burst).await? {
                    Ok(burst) => {
                        self.account(&burst, &span);
                        if !send(burst, began, &outgoing, take).await {
                            // The receiver has let go of the stream; `back` learns why.
                            return Ok(());
                        }
                    }
                    Err(fault) => self.refuse(delivery, fault, &span).await?,
                }
            }
        }
        self.finished.store(true, Ordering::Release);
        Ok(())
    }

    async fn pass(&self, burst: Burst) -> Result<Result<Burst, Fault>, Status> {
        let (live, seed) = (self.live.meet(), self.seed);
        if burst.symbols.len() <= LONG_BURST * SYMBOL_BYTES {
            return Ok(pass(burst, &live, seed));
        }
        tokio::task::spawn_blocking(move || pass(burst, &live, seed))
            .await
            .map_err(|_| Status::internal("the channel failed on this burst"))
    }

    /// The span of a burst that came in at `began`, or of the part of one that did.
    fn begin(&self, traceparent: &str, delivery: Option<&DeliveryKey>, began: Instant) -> Span {
        self.meter.bursts.inc();
        self.tracer.begin(traceparent, Delivery::from_wire(delivery).ok(), began)
    }

    /// Counts a burst that passed the channel and ends its span.
    fn account(&self, burst: &Burst, span: &Span) {
        let Meter { symbols, realised_snr_db, latency, .. } = &self.meter;
        symbols.inc_by((burst.symbols.len() / SYMBOL_BYTES) as u64);
        if let Some(db) = burst.channel.as_ref().and_then(|report| report.realised_snr_db) {
            realised_snr_db.observe(db);
        }
        latency.observe_since(span.began());
        self.tracer.end(span, "relay", Delivery::from_wire(burst.delivery.as_ref()).ok(), None);
    }

    /// Receipts to the transmitter.
    async fn back(&self, incoming: &mut Streaming<ReceiveResponse>) -> Result<(), Status> {
        loop {
            match incoming.message().await {
                Ok(Some(ReceiveResponse { acknowledgement })) => {
                    // Without a result it is a sign of work, and passes on as one.
                    if acknowledgement.as_ref().is_some_and(|acknowledgement| acknowledgement.result.is_some()) {
                        self.meter.receipts.inc();
                    }
                    self.receipts.send(RelayResponse { acknowledgement }).await?;
                }
                Ok(None) if self.finished.load(Ordering::Acquire) => return Ok(()),
                Ok(None) => return Err(self.lost(&Status::unavailable("it ended the stream"))),
                Err(status) => return Err(self.lost(&status)),
            }
        }
    }

    /// What the incoming stream ends with when the outgoing one ended with `status`. A final one passes as it is.
    fn lost(&self, status: &Status) -> Status {
        if !is_transient(status) {
            return Status::new(status.code(), status.message());
        }
        self.meter.hop.lost();
        self.disconnection.begin(status);
        Status::unavailable(format!("lost the {}: {}", self.disconnection.peer(), reason(status)))
    }

    async fn refuse(&self, delivery: Option<DeliveryKey>, fault: Fault, span: &Span) -> Result<(), Status> {
        self.meter.refused.count(fault.code);
        self.tracer.end(span, "relay", Delivery::from_wire(delivery.as_ref()).ok(), Some(&fault));
        let acknowledgement = Some(wire::refuse(delivery, fault));
        self.receipts.send(RelayResponse { acknowledgement }).await
    }
}

/// `false` if the stream is gone.
async fn send(
    mut burst: Burst,
    began: Instant,
    outgoing: &mpsc::Sender<ReceiveRequest>,
    take: Option<Take<'_>>,
) -> bool {
    let Ok(permit) = outgoing.reserve().await else {
        return false;
    };
    let timings = burst.timings.unwrap_or_default();
    burst.timings = Some(Timings { emulator_us: began.elapsed().as_micros() as u64, ..timings });
    let take = take.map(|take| (take, burst.clone()));
    let mut messages = split(burst).map(ReceiveRequest::from);
    if let Some(first) = messages.next() {
        permit.send(first);
    }
    for message in messages {
        if outgoing.send(message).await.is_err() {
            return false;
        }
    }
    if let Some((take, burst)) = take {
        // Afterwards, so that a slow disk holds back the next burst and not this one.
        take.keep(burst).await;
    }
    true
}
