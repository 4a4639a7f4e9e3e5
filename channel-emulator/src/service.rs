//! The gRPC service.

use crate::live::Live;
use crate::meter::Meter;
use crate::record::Recorder;
use crate::relay::Relay;
use proto::v1::channel_emulator_server::ChannelEmulator;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{Burst, Conditions, GetConditionsRequest, Opening, Receipt, WatchConditionsRequest};
use runtime::backoff::{Backoff, Outage};
use runtime::connect::{is_transient, reason};
use runtime::observe::Held;
use runtime::serve::{Admission, Incoming, Outgoing};
use runtime::trace::Tracer;
use runtime::{Drain, Observer, PeerUrl};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use wire::convert;

/// Relayed streams at a time.
const STREAMS: usize = 64;
/// Messages between a relay and the connection to the receiver.
const MESSAGES: usize = 32;
/// How long a stream may take to say what it is.
const OPENING_DEADLINE: Duration = Duration::from_secs(10);
/// How long a stream waits for the receiver before it is ended with UNAVAILABLE; the transmitter then tries again.
const RECEIVER_DEADLINE: Duration = Duration::from_secs(10);

/// Between two messages to one who watches the conditions, if it names no interval.
const WATCH_INTERVAL_MS: u32 = 100;

/// Relays streams and keeps the live conditions.
pub struct Service {
    live: Live,
    seed: u64,
    recorder: Option<Recorder>,
    receiver: ReceiverClient<Channel>,
    outage: Arc<Outage>,
    admission: Admission,
    watchers: Admission,
    drain: Drain,
    meter: Meter,
    tracer: Tracer,
}

impl Service {
    /// Relays to `receiver`; `seed` is for bursts without a noise key; `observer` sees it.
    pub fn new(live: Live, seed: u64, receiver: PeerUrl, drain: Drain, observer: &Observer) -> Self {
        let meter = Meter::register(observer, live.clone());
        let outage = Arc::new(Outage::new(format!("receiver at {receiver}")).metered(meter.hop.clone()));
        let receiver = ReceiverClient::new(receiver.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        Service {
            live,
            seed,
            recorder: None,
            receiver,
            outage,
            admission: Admission::new(STREAMS),
            watchers: Admission::new(STREAMS),
            drain,
            meter,
            tracer: observer.tracer(),
        }
    }

    /// Records all that is relayed.
    #[must_use]
    pub fn recording(self, recorder: Option<Recorder>) -> Self {
        Service { recorder, ..self }
    }

    /// Opens the outgoing stream, with backoff while the receiver is away.
    async fn reach_receiver(&self, opening: &Opening) -> Result<(mpsc::Sender<Burst>, Streaming<Receipt>), Status> {
        let deadline = Instant::now() + RECEIVER_DEADLINE;
        let mut backoff = Backoff::default();
        loop {
            let (outgoing, messages) = mpsc::channel(MESSAGES);
            // The channel is empty.
            let _ = outgoing.try_send(Burst { opening: Some(opening.clone()), ..Burst::default() });
            let mut receiver = self.receiver.clone();
            let call = timeout_at(deadline, receiver.receive(ReceiverStream::new(messages)));
            let status = match call.await {
                Ok(Ok(response)) => {
                    self.outage.end();
                    return Ok((outgoing, response.into_inner()));
                }
                Ok(Err(status)) if !is_transient(&status) => return Err(status),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("it does not answer"),
            };
            self.meter.hop.lost();
            self.outage.begin(&status);
            let next = Instant::now() + backoff.next_delay();
            if next >= deadline {
                let problem = format!("cannot reach the {}: {}", self.outage.peer(), reason(&status));
                return Err(Status::unavailable(problem));
            }
            tokio::select! {
                () = self.drain.started() => return Err(Drain::status()),
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }
}

#[tonic::async_trait]
impl ChannelEmulator for Service {
    type RelayStream = ReceiverStream<Result<Receipt, Status>>;

    async fn relay(&self, request: Request<Streaming<Burst>>) -> Result<Response<Self::RelayStream>, Status> {
        let place = (self.admission.admit()?, Held::of(&self.meter.streams, 1));
        let mut bursts = Incoming::new(request.into_inner(), self.drain.clone());
        let first = timeout(OPENING_DEADLINE, bursts.next())
            .await
            .map_err(|_| Status::deadline_exceeded("no opening came"))??;
        if let (None, Some(status)) = (&first, bursts.ending()) {
            return Err(status);
        }
        let opening = first
            .and_then(|first| first.opening)
            .ok_or_else(|| Status::invalid_argument("the first message of a stream must carry an opening"))?;
        let (outgoing, incoming) = self.reach_receiver(&opening).await?;

        let (receipts, stream) = Outgoing::new();
        let relay = Relay {
            live: self.live.clone(),
            seed: self.seed,
            tape: self.recorder.as_ref().map(|recorder| recorder.tape(&opening.model_id, self.seed)),
            outage: self.outage.clone(),
            receipts,
            finished: AtomicBool::new(false),
            meter: self.meter.clone(),
            tracer: self.tracer.clone(),
        };
        let open = self.meter.hop.opened();
        tokio::spawn(async move {
            relay.run(bursts, outgoing, incoming).await;
            drop((open, place));
        });
        Ok(Response::new(stream))
    }

    async fn get_conditions(&self, _: Request<GetConditionsRequest>) -> Result<Response<Conditions>, Status> {
        Ok(Response::new(convert::conditions_to_wire(&self.live.get())))
    }

    async fn set_conditions(&self, request: Request<Conditions>) -> Result<Response<Conditions>, Status> {
        let conditions = convert::conditions_from_wire(request.get_ref())
            .map_err(|fault| Status::invalid_argument(fault.to_string()))?;
        self.live.set(conditions);
        match self.live.is_driven() {
            false => tracing::info!(%conditions, "the live conditions changed"),
            true => tracing::info!(%conditions, "the live conditions changed, until the next step of the SNR trace"),
        }
        Ok(Response::new(convert::conditions_to_wire(&conditions)))
    }

    type WatchConditionsStream = ReceiverStream<Result<Conditions, Status>>;

    async fn watch_conditions(
        &self,
        request: Request<WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        let place = self.watchers.admit()?;
        let interval_ms = request.get_ref().interval_ms;
        let interval = Duration::from_millis(if interval_ms == 0 { WATCH_INTERVAL_MS } else { interval_ms }.into());
        let (outgoing, stream) = Outgoing::new();
        let (mut watch, drain) = (self.live.watch(), self.drain.clone());
        tokio::spawn(async move {
            loop {
                let conditions = *watch.borrow_and_update();
                if outgoing.send(convert::conditions_to_wire(&conditions)).await.is_err() {
                    break;
                }
                let changed = async {
                    tokio::time::sleep(interval).await;
                    watch.changed().await
                };
                tokio::select! {
                    _ = changed => {}
                    () = outgoing.closed() => break,
                    () = drain.started() => {
                        outgoing.end(Drain::status()).await;
                        break;
                    }
                }
            }
            drop(place);
        });
        Ok(Response::new(stream))
    }
}
