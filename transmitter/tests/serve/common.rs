//! A small transmitter half, an emulator that decodes what it receives, and a client.

use phy::Symbols;
use proto::v1::channel_emulator_server::{ChannelEmulator, ChannelEmulatorServer};
use proto::v1::content::Kind;
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{
    self, Answer, Burst, Clip, Conditions, Content, Features, GetConditionsRequest, Outcome, Prediction,
    ReceivedSymbols, RelayRequest, RelayResponse, ScorePrediction, SendRequest, Timings, WatchConditionsRequest,
    outcome,
};
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, PeerUrl};
use schemes::scheme::{
    ChannelKnowledge, ChannelUses, ClipInput, Csit, InputError, InputErrorKind, ModelCard, Transmission, Transmit,
};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use transmitter::App;
use uuid::Uuid;
use wire::chunks::Assembler;
use wire::chunks::Part;
use wire::{BurstRequest, Message};
use wire::{Delivery, MAX_MESSAGE_BYTES};

pub const MODEL: &str = "sign of the mean";
pub const SYMBOLS: usize = 25;
pub const WIDTH: u32 = 3;
pub const PATIENT: Duration = Duration::from_secs(30);

/// A transmitter half that sends the sign of the mean of the audio features, repeated over all symbols. It panics on a
/// mean of exactly 13.
#[derive(Default)]
pub struct SignHalf {
    /// Number of clips encoded so far.
    pub encoded: AtomicUsize,
    pub largest: AtomicUsize,
    /// If there is a gate, encoding waits for a permit of it.
    pub gate: Option<Arc<Semaphore>>,
    /// Whether the half needs CSIT; it then sends ρ of the CSIT over all symbols.
    pub feedback: bool,
}

fn mean(clip: &ClipInput) -> f32 {
    let data = clip.features[1].as_ref().expect("a checked clip").data();
    data.iter().sum::<f32>() / data.len() as f32
}

impl SignHalf {
    fn check(clip: &ClipInput) -> Result<(), InputError> {
        match &clip.features[1] {
            None => Err(InputError::new(InputErrorKind::Unsupported, "audio", "audio features are needed")),
            Some(audio) if audio.width() != WIDTH as usize => {
                Err(InputError::new(InputErrorKind::WrongWidth, "audio.features.width", "expected 3"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Transmit for SignHalf {
    fn card(&self) -> &ModelCard {
        static CARDS: OnceLock<[ModelCard; 2]> = OnceLock::new();
        let knowing = |needs| ModelCard { needs, ..ModelCard::new(MODEL, "sign", ChannelUses::Fixed(SYMBOLS)) };
        let cards = CARDS.get_or_init(|| [ChannelKnowledge::Nothing, ChannelKnowledge::Csit].map(knowing));
        &cards[usize::from(self.feedback)]
    }

    fn transmit(&self, clips: &[ClipInput], csit: &[Option<Csit>]) -> Vec<Result<Transmission, InputError>> {
        assert_eq!(clips.len(), csit.len(), "the service gives each clip its own");
        if let Some(gate) = self.gate.as_ref().filter(|_| !self.feedback) {
            let _ = futures::executor::block_on(gate.acquire()).expect("never closed");
        }
        let good = || clips.iter().filter(|clip| SignHalf::check(clip).is_ok());
        assert!(good().all(|clip| mean(clip) != 13.0), "thirteen");
        if !self.feedback {
            self.encoded.fetch_add(good().count(), Ordering::SeqCst);
            self.largest.fetch_max(clips.len(), Ordering::SeqCst);
        }
        let burst = |(clip, csit): (&ClipInput, &Option<Csit>)| {
            SignHalf::check(clip)?;
            let value = if self.feedback { csit.expect("it needs to know").rho } else { mean(clip).signum() };
            Ok(Symbols::new(vec![value; 2 * SYMBOLS]).expect("finite").into())
        };
        clips.iter().zip(csit).map(burst).collect()
    }
}

/// The behaviour of a [`TestEmulator`].
#[derive(Clone, Debug, Default)]
pub struct Manner {
    pub refuse: Option<Status>,
    /// Number of bursts after which every stream ends without a status; `None` for never.
    pub end_after: Option<usize>,
    /// Whether bursts are accepted and never answered.
    pub silent: bool,
    /// The live conditions that clients can read; `None` refuses to return any.
    pub conditions: Option<Conditions>,
}

#[derive(Clone)]
struct Peer {
    manner: Manner,
    bursts: Arc<Mutex<Vec<Burst>>>,
    live: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ChannelEmulator for Peer {
    type RelayStream = Answers<RelayResponse>;

    async fn relay(&self, request: Request<Streaming<RelayRequest>>) -> Result<Response<Self::RelayStream>, Status> {
        let messages = request.into_inner();
        let peer = self.clone();
        let (sender, answers) = mpsc::channel(8);
        self.live.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            tokio::select! {
                _ = peer.answer(messages, &sender) => {}
                () = sender.closed() => {}
            }
            peer.live.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn get_conditions(
        &self,
        _: Request<GetConditionsRequest>,
    ) -> Result<Response<v1::GetConditionsResponse>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let conditions = self.manner.conditions.ok_or_else(|| Status::unimplemented("not here"))?;
        Ok(Response::new(v1::GetConditionsResponse { conditions: Some(conditions), version: 1 }))
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

impl Peer {
    async fn answer(
        &self,
        mut messages: Streaming<RelayRequest>,
        sender: &mpsc::Sender<Result<RelayResponse, Status>>,
    ) -> Result<(), Status> {
        let first = messages.message().await?.and_then(BurstRequest::message);
        assert_eq!(first, Some(Message::header(MODEL)));
        if let Some(status) = &self.manner.refuse {
            let _ = sender.send(Err(status.clone())).await;
            return Ok(());
        }
        let (mut assembler, mut taken) = (Assembler::default(), 0);
        while let Some(message) = messages.message().await? {
            let Some(Message::Part(part)) = message.message() else { panic!("the transmitter sends bursts") };
            for burst in assembler.push(part) {
                if self.manner.end_after == Some(taken) {
                    return Ok(());
                }
                taken += 1;
                let burst = burst.expect("the transmitter sends whole bursts");
                let symbols = Symbols::from_le_bytes(&burst.symbols).unwrap();
                assert_eq!(symbols.len(), SYMBOLS);
                let score = Some(ScorePrediction { median: symbols.reals()[0], ..ScorePrediction::default() });
                let answer = Answer {
                    prediction: Some(Prediction { score, ..Prediction::default() }),
                    channel: None,
                    timings: Some(Timings { emulator_us: 5, receiver_us: 6, ..Timings::default() }),
                    symbols: wire::payload_from_wire(&burst).unwrap().inspect.then(|| shown(&burst)),
                };
                let acknowledgement = Some(wire::acknowledge(burst.delivery.clone(), &answer));
                let receipt = RelayResponse { acknowledgement };
                self.bursts.lock().unwrap().push(burst);
                if !self.manner.silent {
                    let _ = sender.send(Ok(receipt)).await;
                }
            }
        }
        Ok(())
    }
}

/// The symbols of a burst as received without noise, equalised to zeros.
pub fn shown(burst: &Burst) -> ReceivedSymbols {
    ReceivedSymbols { received: burst.symbols.to_vec(), equalised: vec![0; burst.symbols.len()] }
}

/// A channel emulator, with the receiver behind it, on a runtime of its own. Dropping it closes all its connections as
/// the death of its process would.
pub struct TestEmulator {
    pub url: PeerUrl,
    pub bursts: Arc<Mutex<Vec<Burst>>>,
    /// Number of open streams.
    pub live: Arc<AtomicUsize>,
    /// Number of times the live conditions were read.
    pub asked: Arc<AtomicUsize>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl TestEmulator {
    /// Starts an emulator on `port`; 0 takes a free one.
    pub fn start(port: u16, manner: Manner) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = format!("127.0.0.1:{port}");
        let bind = || runtime.block_on(Socket::bind(&address)).unwrap();
        let socket = std::thread::scope(|scope| scope.spawn(bind).join().unwrap());
        let url = format!("http://{}", socket.address()).parse().unwrap();
        let (bursts, live) = (Arc::<Mutex<Vec<Burst>>>::default(), Arc::<AtomicUsize>::default());
        let asked = Arc::<AtomicUsize>::default();
        let peer = Peer { manner, bursts: bursts.clone(), live: live.clone(), asked: asked.clone() };
        let server = ChannelEmulatorServer::new(peer).max_decoding_message_size(MAX_MESSAGE_BYTES);
        runtime.spawn(async move { serve(socket, Services::default().with(server), &Drain::default()).await });
        TestEmulator { url, bursts, live, asked, runtime: Some(runtime) }
    }

    pub fn port(&self) -> u16 {
        self.url.to_string().rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for TestEmulator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until the port is closed; a runtime must not be dropped inside another.
            let _ = std::thread::spawn(move || drop(runtime)).join();
        }
    }
}

/// A running transmitter with a client.
pub struct Running {
    pub client: TransmitterClient<Channel>,
    pub drain: Drain,
    pub task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub async fn start(half: Arc<SignHalf>, emulator: &PeerUrl) -> Self {
        let socket = Socket::bind("127.0.0.1:0").await.unwrap();
        let app = App::with(socket, half, emulator.clone());
        let url: PeerUrl = format!("http://{}", app.address()).parse().unwrap();
        let drain = Drain::default();
        let task = tokio::spawn(app.run_until(drain.clone()));
        Running { client: TransmitterClient::new(url.channel()), drain, task }
    }

    /// Sends all clips and ends the stream; returns all outcomes until the stream's end, and the status it ended with.
    pub async fn send(&self, clips: Vec<Clip>) -> (Vec<Outcome>, Option<Status>) {
        let mut client = self.client.clone();
        let clips: Vec<_> = clips.into_iter().map(request).collect();
        let all = async {
            let mut stream = match client.send(tokio_stream::iter(clips)).await {
                Ok(stream) => stream.into_inner(),
                Err(status) => return (Vec::new(), Some(status)),
            };
            let mut outcomes = Vec::new();
            loop {
                match stream.message().await {
                    Ok(Some(answer)) => outcomes.push(answer.outcome.unwrap()),
                    Ok(None) => return (outcomes, None),
                    Err(status) => return (outcomes, Some(status)),
                }
            }
        };
        tokio::time::timeout(PATIENT, all).await.expect("the stream hangs")
    }
}

/// The request message that carries a whole clip.
pub fn request(clip: Clip) -> SendRequest {
    Part::Item(clip).into()
}

/// The clip `sequence` of the run `run`, whose audio features have the mean `mean`.
pub fn clip(run: u128, sequence: u64, mean: f32) -> Clip {
    let data = [mean; 2 * WIDTH as usize].iter().flat_map(|value| value.to_le_bytes()).collect();
    let features = Features { frames: 2, width: WIDTH, data, ..Features::default() };
    Clip {
        delivery: Some(Delivery { run: Uuid::from_u128(run), sequence }.to_wire()),
        id: format!("clip {sequence}"),
        modalities: [("audio".to_owned(), Content { kind: Some(Kind::Features(features)) })].into(),
        label: Some(1.0),
        ..Clip::default()
    }
}

/// The sequence number and the predicted score of an outcome.
pub fn scored(outcome: &Outcome) -> (u64, f32) {
    let sequence = outcome.delivery.as_ref().expect("a key").sequence;
    match &outcome.result {
        Some(outcome::Result::Prediction(prediction)) => (sequence, prediction.score.unwrap().median),
        other => panic!("clip {sequence}: {other:?}"),
    }
}
