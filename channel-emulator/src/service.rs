//! The gRPC service.

use crate::live::{ChangeError, Live, State};
use crate::meter::Meter;
use crate::onward::Onward;
use crate::record::Recorder;
use crate::relay::Relay;
use proto::v1;
use proto::v1::channel_emulator_server::ChannelEmulator;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{RelayRequest, RelayResponse};
use runtime::backoff::Disconnection;
use runtime::observe::Held;
use runtime::serve::{Admission, Incoming, Outgoing};
use runtime::trace::Tracer;
use runtime::{Drain, Observer, PeerUrl};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use wire::convert;
use wire::{Message, stream_header};

/// Relayed streams at a time.
const STREAMS: usize = 64;
/// Messages between a relay and the connection to the receiver.
const MESSAGES: usize = 32;
/// How long a stream may take to say what it is.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// Between two messages to one who watches the conditions, if it names no interval.
const WATCH_INTERVAL_MS: u32 = 100;

/// Relays streams and keeps the live conditions.
pub struct Service {
    live: Live,
    seed: u64,
    recorder: Option<Recorder>,
    receiver: ReceiverClient<Channel>,
    disconnection: Arc<Disconnection>,
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
        let disconnection = Arc::new(Disconnection::new(format!("receiver at {receiver}")).metered(meter.hop.clone()));
        let receiver = ReceiverClient::new(receiver.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        Service {
            live,
            seed,
            recorder: None,
            receiver,
            disconnection,
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
}

#[tonic::async_trait]
impl ChannelEmulator for Service {
    type RelayStream = ReceiverStream<Result<RelayResponse, Status>>;

    async fn relay(&self, request: Request<Streaming<RelayRequest>>) -> Result<Response<Self::RelayStream>, Status> {
        let place = (self.admission.admit()?, Held::of(&self.meter.streams, 1));
        let mut bursts = Incoming::new(request.into_inner(), self.drain.clone());
        let first = timeout(HEADER_DEADLINE, bursts.next())
            .await
            .map_err(|_| Status::deadline_exceeded("no header came"))??;
        if let (None, Some(status)) = (&first, bursts.ending()) {
            return Err(status);
        }
        let header = stream_header(first)?;
        let (outgoing, messages) = mpsc::channel(MESSAGES);
        let onward = Onward::new(Message::Header(header.clone()).into(), messages);
        let (receipts, stream) = Outgoing::new();
        let relay = Relay {
            live: self.live.clone(),
            seed: self.seed,
            tape: self.recorder.as_ref().map(|recorder| recorder.tape(&header.model_id, self.seed)),
            receiver: self.receiver.clone(),
            disconnection: self.disconnection.clone(),
            receipts,
            finished: AtomicBool::new(false),
            drain: self.drain.clone(),
            meter: self.meter.clone(),
            tracer: self.tracer.clone(),
        };
        // The receiver may send its response headers with its first answer only, for which it needs a burst, which the
        // transmitter may send on these headers only.
        tokio::spawn(async move {
            relay.run(bursts, outgoing, onward).await;
            drop(place);
        });
        Ok(Response::new(stream))
    }

    async fn get_conditions(
        &self,
        _: Request<v1::GetConditionsRequest>,
    ) -> Result<Response<v1::GetConditionsResponse>, Status> {
        let State { conditions, version } = self.live.state();
        let conditions = Some(convert::conditions_to_wire(&conditions));
        Ok(Response::new(v1::GetConditionsResponse { conditions, version }))
    }

    async fn set_conditions(
        &self,
        request: Request<v1::SetConditionsRequest>,
    ) -> Result<Response<v1::SetConditionsResponse>, Status> {
        let request = request.into_inner();
        let change = |current: &phy::Conditions| {
            convert::changed_conditions(current, &request).map_err(|fault| fault.to_string())
        };
        let State { conditions, version } =
            self.live.change(request.version, change).map_err(|error| match &error {
                ChangeError::Stale(_) => Status::aborted(error.to_string()),
                ChangeError::Invalid(_) => Status::invalid_argument(error.to_string()),
            })?;
        match self.live.is_driven() {
            false => tracing::info!(%conditions, "the live conditions changed"),
            true => tracing::info!(%conditions, "the live conditions changed, until the next step of the SNR trace"),
        }
        let conditions = Some(convert::conditions_to_wire(&conditions));
        Ok(Response::new(v1::SetConditionsResponse { conditions, version }))
    }

    type WatchConditionsStream = ReceiverStream<Result<v1::WatchConditionsResponse, Status>>;

    async fn watch_conditions(
        &self,
        request: Request<v1::WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        let place = self.watchers.admit()?;
        let interval_ms = request.get_ref().interval_ms.unwrap_or(WATCH_INTERVAL_MS);
        let interval = Duration::from_millis(interval_ms.into());
        let (outgoing, stream) = Outgoing::new();
        let (mut watch, drain) = (self.live.watch(), self.drain.clone());
        tokio::spawn(async move {
            loop {
                let State { conditions, version } = *watch.borrow_and_update();
                let conditions = Some(convert::conditions_to_wire(&conditions));
                if outgoing.send(v1::WatchConditionsResponse { conditions, version }).await.is_err() {
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
