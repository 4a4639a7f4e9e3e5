//! A receiver in this process on a free port, its clients, and a receiver half small enough to check by hand.

use metrics::Prediction;
use phy::Equalised;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{
    self, BurstPayload, ChannelKind, ChannelReport, Conditions, DeliveryKey, Error, ReceiveRequest, ReceiveResponse,
    ReceivedSymbols, Reference, Snapshot, WatchRequest, WatchResponse, acknowledgement,
};
use receiver::App;
use runtime::Drain;
use schemes::scheme::{ChannelUses, InputError, InputErrorKind, ModelCard, Receive, ReceivedBurst};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};
use wire::chunks::Part;
use wire::convert::prediction_from_wire;
use wire::{Message, answer_from_wire, payload_to_wire};

pub const MODEL: &str = "the-model-id";
pub const SYMBOLS: usize = 4;
pub const RUN: &str = "0f6b7a52-6a0c-4a0e-9a55-0d6f1d1f3c11";

/// A receiver half for BPSK by repetition: the sign of the mean of I, with a certainty that grows with ρ. It fails on
/// means beyond ±1000, refuses those of 400 to 600 in magnitude, panics on 12 to 14, and gives NaN for others beyond
/// ±100.
pub struct Repetition(ModelCard);

impl Repetition {
    pub fn new(model_id: &str) -> Repetition {
        Repetition(ModelCard::new(model_id, "", ChannelUses::Fixed(SYMBOLS)))
    }
}

impl Receive for Repetition {
    fn card(&self) -> &ModelCard {
        &self.0
    }

    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
        bursts.iter().map(|burst| decode(&burst.equalised)).collect()
    }
}

pub fn decode(burst: &Equalised) -> Result<Prediction, InputError> {
    let mean = burst.reals.iter().step_by(2).sum::<f32>() / SYMBOLS as f32;
    if mean.abs() > 1000.0 {
        return Err(InputError::new(InputErrorKind::Internal, "symbols", "the mean is beyond 1000"));
    }
    if (400.0..600.0).contains(&mean.abs()) {
        return Err(InputError::new(InputErrorKind::Unsupported, "film", "start with --extractors"));
    }
    assert!(!(12.0..14.0).contains(&mean.abs()), "thirteen");
    let p_pos = if mean.abs() > 100.0 { f32::NAN } else { 1.0 / (1.0 + (-4.0 * burst.rho * mean).exp()) };
    let mut classes = [0.0; 7];
    (classes[1], classes[5]) = (1.0 - p_pos, p_pos);
    Ok(Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score: 4.0 * p_pos - 2.0 })
}

/// A running receiver in this process.
pub struct Running {
    pub url: String,
    pub drain: Drain,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub async fn start(journal: &Path) -> Running {
        Running::serving(journal, MODEL).await
    }

    pub async fn serving(journal: &Path, model_id: &'static str) -> Running {
        Running::showing(journal, model_id, receiver::http::Args::default()).await.0
    }

    /// Starts a receiver with a dashboard, if `dashboard` has an address; also returns the dashboard's address.
    pub async fn showing(
        journal: &Path,
        model_id: &'static str,
        dashboard: receiver::http::Args,
    ) -> (Running, Option<SocketAddr>) {
        let drain = Drain::default();
        let half = Arc::new(Repetition::new(model_id));
        let app = App::with(half, journal, "127.0.0.1:0", drain.clone()).await.unwrap();
        let app = app.with_dashboard(&dashboard).await.unwrap();
        let (url, dashboard) = (format!("http://{}", app.address()), app.dashboard());
        (Running { url, drain, running: tokio::spawn(app.run()) }, dashboard)
    }

    /// Starts a receiver with the given half, whose longest silence on a stream with bursts in work is `progress`.
    pub async fn with(journal: &Path, half: Arc<dyn Receive>, progress: Duration) -> Running {
        let drain = Drain::default();
        let app = App::with(half, journal, "127.0.0.1:0", drain.clone()).await.unwrap().with_progress(progress);
        Running { url: format!("http://{}", app.address()), drain, running: tokio::spawn(app.run()) }
    }

    pub async fn stop(self) {
        self.drain.start();
        self.running.await.unwrap().unwrap();
    }

    pub async fn client(&self) -> ReceiverClient<Channel> {
        // A small flow-control window for acknowledgements that nobody reads.
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap().initial_stream_window_size(16 * 1024);
        ReceiverClient::new(endpoint.connect().await.unwrap())
    }

    /// A stream of bursts whose header has the right model id.
    pub async fn stream(&self) -> Talk {
        self.open(MODEL).await.unwrap()
    }

    pub async fn open(&self, model_id: &str) -> Result<Talk, Status> {
        let (bursts, outbound) = mpsc::channel(1);
        bursts.send(Message::header(model_id).into()).await.unwrap();
        let mut client = self.client().await;
        let receipts = client.receive(ReceiverStream::new(outbound)).await?.into_inner();
        Ok(Talk { bursts, receipts, _client: client })
    }

    pub async fn watch(&self, interval_ms: u32, latest: u32) -> Watch {
        let request = WatchRequest { interval_ms: Some(interval_ms), latest };
        Watch(self.client().await.watch(request).await.unwrap().into_inner())
    }
}

/// A stream of snapshots of the journal's live view.
pub struct Watch(Streaming<WatchResponse>);

impl Watch {
    pub async fn message(&mut self) -> Result<Option<Snapshot>, Status> {
        Ok(self.0.message().await?.map(|watched| watched.snapshot.unwrap()))
    }
}

/// A burst together with its payload for the receiver, not yet encoded.
#[derive(Clone, Debug, Default)]
pub struct Burst {
    pub delivery: Option<DeliveryKey>,
    pub symbols: Vec<u8>,
    pub channel: Option<ChannelReport>,
    pub chunks_following: u32,
    pub reference: Option<Reference>,
    pub transport: Option<v1::TransportFormat>,
    pub inspect: bool,
}

impl From<Burst> for ReceiveRequest {
    fn from(burst: Burst) -> Self {
        let Burst { delivery, symbols, channel, chunks_following, reference, transport, inspect } = burst;
        let payload = payload_to_wire(&BurstPayload { transport, reference, inspect });
        let burst =
            v1::Burst { delivery, symbols: symbols.into(), channel, chunks_following, payload, ..v1::Burst::default() };
        Part::Item(burst).into()
    }
}

/// An acknowledgement: a burst's prediction or error, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    pub delivery: Option<DeliveryKey>,
    pub result: Result<Prediction, Error>,
    pub channel: Option<ChannelReport>,
    pub symbols: Option<ReceivedSymbols>,
}

impl From<ReceiveResponse> for Receipt {
    fn from(response: ReceiveResponse) -> Self {
        let acknowledgement = response.acknowledgement.expect("an acknowledgement");
        let delivery = acknowledgement.delivery.clone();
        if let Some(acknowledgement::Result::Error(error)) = acknowledgement.result {
            return Receipt { delivery, result: Err(error), channel: None, symbols: None };
        }
        let v1::Answer { prediction, channel, symbols, .. } = answer_from_wire(acknowledgement).unwrap();
        Receipt { delivery, result: Ok(prediction_from_wire(&prediction.unwrap()).unwrap()), channel, symbols }
    }
}

/// Both directions of a stream of bursts.
pub struct Talk {
    pub bursts: mpsc::Sender<ReceiveRequest>,
    pub receipts: Streaming<ReceiveResponse>,
    pub _client: ReceiverClient<Channel>,
}

impl Talk {
    pub async fn send(&self, burst: impl Into<ReceiveRequest>) {
        self.bursts.send(burst.into()).await.unwrap();
    }

    pub async fn receipt(&mut self) -> Receipt {
        self.receipts.message().await.unwrap().expect("a receipt").into()
    }

    pub async fn ask(&mut self, burst: impl Into<ReceiveRequest>) -> Receipt {
        self.send(burst).await;
        self.receipt().await
    }
}

/// A burst that received the constant `level` on I over a Rayleigh channel with h = `h` + 0j and N0 = ½.
pub fn burst(sequence: u64, level: f32, h: f32) -> Burst {
    let conditions = Some(Conditions { kind: ChannelKind::Rayleigh as i32, snr_db: Some(3.0), k_factor: None });
    Burst {
        delivery: Some(DeliveryKey { run_id: RUN.to_owned(), sequence }),
        symbols: [h * level, 0.0].map(f32::to_le_bytes).concat().repeat(SYMBOLS),
        reference: Some(Reference {
            clip_id: format!("clip-{sequence}"),
            label: Some(level.clamp(-3.0, 3.0)),
            caption: String::new(),
        }),
        channel: Some(ChannelReport { conditions, h_re: h, h_im: 0.0, n0: 0.5, realised_snr_db: Some(2.5) }),
        ..Burst::default()
    }
}

pub fn sequence(receipt: &Receipt) -> u64 {
    receipt.delivery.as_ref().unwrap().sequence
}

pub fn prediction(receipt: &Receipt) -> &Prediction {
    match &receipt.result {
        Ok(prediction) => prediction,
        other => panic!("{other:?}"),
    }
}

pub fn error(receipt: &Receipt) -> &Error {
    match &receipt.result {
        Err(error) => error,
        other => panic!("{other:?}"),
    }
}
