//! The gRPC service of the transmitter.

use crate::encoder::Encoder;
use crate::extraction::Extraction;
use crate::feedback::Feedback;
use crate::meter::Meter;
use crate::reader::{ReadMedia, Reader};
use crate::relay::ToEmulator;
use crate::session::{Session, Ticket};
use corpus::Origins;
use proto::v1::transmitter_server::Transmitter;
use proto::v1::{GetModelRequest, GetModelResponse, Model, SendRequest, SendResponse};
use runtime::backoff::Disconnection;
use runtime::hop::HopConfig;
use runtime::observe::Held;
use runtime::serve::{Admission, Incoming, Outgoing};
use runtime::trace::Tracer;
use runtime::{Drain, Hop, Observer, PeerUrl};
use schemes::scheme::{ChannelKnowledge, Transmit};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// Maximum number of concurrent client streams.
const CLIENTS: usize = 64;

/// The gRPC service: takes the clips of many clients at once.
pub struct Service {
    half: Arc<dyn Transmit>,
    provenance: Arc<Origins>,
    model: Model,
    encoder: Encoder<Ticket>,
    extraction: Extraction,
    feedback: Option<Arc<Feedback>>,
    emulator: Channel,
    disconnection: Arc<Disconnection>,
    admission: Admission,
    drain: Drain,
    meter: Meter,
    tracer: Tracer,
}

impl Service {
    /// A service that encodes with `half`, described by `model`, and sends to the channel emulator at `emulator`. Media
    /// files become features by `reader`; its error is the reason with which they are refused. The metrics are
    /// registered with `observer`.
    ///
    /// # Errors
    /// Fails if the compute thread cannot be started.
    pub fn new(
        half: Arc<dyn Transmit>,
        model: Model,
        reader: Result<Reader, String>,
        emulator: &PeerUrl,
        drain: Drain,
        observer: &Observer,
    ) -> std::io::Result<Self> {
        let meter = Meter::register(observer);
        let disconnection = Disconnection::new(format!("channel emulator at {emulator}")).metered(meter.hop.clone());
        let channel = emulator.channel();
        let knowing = half.card().needs != ChannelKnowledge::Nothing;
        let reader = reader.map(|reader| Arc::new(reader) as Arc<dyn ReadMedia>);
        Ok(Service {
            feedback: knowing.then(|| Arc::new(Feedback::new(channel.clone(), emulator))),
            encoder: Encoder::start(half.clone(), meter.batch.clone())?,
            extraction: Extraction::new(reader, meter.clone()),
            provenance: Arc::new(half.card().provenance()),
            half,
            model,
            emulator: channel,
            disconnection: Arc::new(disconnection),
            admission: Admission::new(CLIENTS),
            drain,
            meter,
            tracer: observer.tracer(),
        })
    }
}

#[tonic::async_trait]
impl Transmitter for Service {
    type SendStream = ReceiverStream<Result<SendResponse, Status>>;

    async fn send(&self, request: Request<Streaming<SendRequest>>) -> Result<Response<Self::SendStream>, Status> {
        let place = (self.admission.admit()?, Held::of(&self.meter.streams, 1));
        let clips = Incoming::new(request.into_inner(), self.drain.clone());
        let config = HopConfig::new(self.disconnection.clone());
        let (outcomes, stream) = Outgoing::new();
        let session = Session {
            half: self.half.clone(),
            provenance: self.provenance.clone(),
            encoder: self.encoder.clone(),
            extraction: self.extraction.clone(),
            feedback: self.feedback.clone(),
            window: config.window,
            outcomes,
            in_flight: Mutex::new(HashSet::new()),
            meter: self.meter.clone(),
            tracer: self.tracer.clone(),
        };
        let hop = Hop::start(ToEmulator::new(self.emulator.clone(), &self.half.card().model_id), config);
        tokio::spawn(async move {
            session.run(clips, hop).await;
            drop(place);
        });
        Ok(Response::new(stream))
    }

    async fn get_model(&self, _: Request<GetModelRequest>) -> Result<Response<GetModelResponse>, Status> {
        Ok(Response::new(GetModelResponse { model: Some(self.model.clone()) }))
    }
}
