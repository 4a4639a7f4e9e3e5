//! What the emulator stands between, in the tests: a receiver that answers with what it received, and a hop to it.

use channel_emulator::{App, ServeArgs, TraceArgs};
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::receiver_server::{Receiver, ReceiverServer};
use proto::v1::{
    Acknowledgement, Answer, Burst, DeliveryKey, Prediction, ReceiveRequest, ReceiveResponse, ReceivedSymbols,
    RelayRequest, ScorePrediction, WatchRequest, WatchResponse, acknowledgement,
};
use runtime::backoff::Disconnection;
use runtime::hop::Inbound;
use runtime::hop::{Exchange, Hop, HopConfig};
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, PeerUrl};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use wire::chunks::{Assembler, split};
use wire::{BurstRequest, BurstResponse, Message, acknowledgements, requests};
use wire::{Delivery, MAX_MESSAGE_BYTES};

pub const MODEL: &str = "the model";
pub const PATIENT: Duration = Duration::from_secs(30);
const RUN: Uuid = Uuid::from_u128(42);

pub fn key(sequence: u64) -> Option<DeliveryKey> {
    Some(Delivery { run: RUN, sequence }.to_wire())
}

/// How the test's receiver behaves.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Answers every stream with this.
    pub refuse: Option<Status>,
    /// Ends every stream in silence after so many bursts.
    pub end_after: Option<usize>,
    /// Answers every burst with these bytes.
    pub answer: Option<Vec<u8>>,
    /// Waits so long before each receipt.
    pub delay: Duration,
}

#[derive(Clone)]
struct Peer {
    manner: Manner,
    bursts: Arc<Mutex<Vec<Burst>>>,
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
        let mut messages = request.into_inner();
        let Peer { manner, bursts } = self.clone();
        let (sender, answers) = mpsc::channel(8);
        tokio::spawn(async move {
            let first = messages.message().await?.and_then(BurstRequest::message);
            assert_eq!(first, Some(Message::header(MODEL)), "the header is forwarded");
            if let Some(status) = manner.refuse {
                let _ = sender.send(Err(status)).await;
                return Ok(());
            }
            let (mut assembler, mut taken) = (Assembler::default(), 0);
            while let Some(message) = messages.message().await? {
                let Some(Message::Part(part)) = message.message() else { panic!("the emulator sends bursts") };
                for burst in assembler.push(part) {
                    if manner.end_after == Some(taken) {
                        return Ok(());
                    }
                    taken += 1;
                    let burst = burst.expect("the emulator sends whole bursts");
                    if !manner.delay.is_zero() {
                        tokio::time::sleep(manner.delay).await;
                    }
                    let prediction = Prediction { distribution: vec![0.0; 7], score: Some(ScorePrediction::default()) };
                    let payload = wire::payload_from_wire(&burst).unwrap_or_default();
                    let answer = Answer {
                        prediction: Some(prediction),
                        channel: burst.channel,
                        timings: burst.timings,
                        symbols: payload.inspect.then(|| shown(&burst)),
                    };
                    let acknowledgement = match &manner.answer {
                        None => wire::acknowledge(burst.delivery.clone(), &answer),
                        Some(answer) => Acknowledgement {
                            delivery: burst.delivery.clone(),
                            result: Some(acknowledgement::Result::Answer(answer.clone().into())),
                        },
                    };
                    let receipt = ReceiveResponse { acknowledgement: Some(acknowledgement) };
                    bursts.lock().unwrap().push(burst);
                    if sender.send(Ok(receipt)).await.is_err() {
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

/// As the receiver shows them, with an equaliser that makes nothing of them.
pub fn shown(burst: &Burst) -> ReceivedSymbols {
    ReceivedSymbols { received: burst.symbols.to_vec(), equalised: Vec::new() }
}

/// A receiver on a runtime of its own, whose end closes all its connections as the death of its process would.
pub struct TestReceiver {
    pub port: u16,
    pub bursts: Arc<Mutex<Vec<Burst>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl TestReceiver {
    /// On `port`, 0 for a free one.
    pub fn start(port: u16, manner: Manner) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = format!("127.0.0.1:{port}");
        let bind = || runtime.block_on(Socket::bind(&address)).unwrap();
        let socket = std::thread::scope(|scope| scope.spawn(bind).join().unwrap());
        let port = socket.address().port();
        let bursts = Arc::<Mutex<Vec<Burst>>>::default();
        let peer = Peer { manner, bursts: bursts.clone() };
        let server = ReceiverServer::new(peer).max_decoding_message_size(MAX_MESSAGE_BYTES);
        runtime.spawn(async move { serve(socket, Services::default().with(server), &Drain::default()).await });
        TestReceiver { port, bursts, runtime: Some(runtime) }
    }
}

impl Drop for TestReceiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until the port is closed; a runtime must not be dropped inside another.
            let _ = std::thread::spawn(move || drop(runtime)).join();
        }
    }
}

/// The arguments of an emulator in front of the receiver on a port.
pub fn serve_args(receiver_port: u16) -> ServeArgs {
    ServeArgs {
        receiver: format!("http://127.0.0.1:{receiver_port}").parse().unwrap(),
        listen: "127.0.0.1:0".into(),
        channel: phy::ChannelKind::Rayleigh.into(),
        snr: None,
        k_factor: None,
        seed: 3,
        record: None,
        trace: TraceArgs::default(),
    }
}

/// A running emulator in front of the receiver on a port.
pub struct Emulator {
    pub url: PeerUrl,
    pub drain: Drain,
    pub running: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Emulator {
    pub async fn start(receiver_port: u16) -> Self {
        Emulator::with(serve_args(receiver_port)).await
    }

    /// Started as `args` say.
    pub async fn with(args: ServeArgs) -> Self {
        let app = App::new(&args).await.unwrap();
        let url = format!("http://{}", app.address()).parse().unwrap();
        let drain = Drain::default();
        let running = tokio::spawn(app.run_until(drain.clone()));
        Emulator { url, drain, running }
    }

    pub fn client(&self) -> ChannelEmulatorClient<Channel> {
        ChannelEmulatorClient::new(self.url.channel())
    }

    /// Opens a stream, sends the bursts and ends it; what comes back until its end.
    pub async fn relay(&self, bursts: Vec<Burst>) -> Result<Vec<Acknowledgement>, Status> {
        let parts = bursts.into_iter().flat_map(split).map(Message::Part);
        let messages = std::iter::once(Message::header(MODEL)).chain(parts).collect();
        self.relay_raw(messages).await
    }

    pub async fn relay_raw(&self, messages: Vec<Message>) -> Result<Vec<Acknowledgement>, Status> {
        let mut client = self.client();
        let all = async {
            let mut stream = client.relay(requests::<RelayRequest>(tokio_stream::iter(messages))).await?.into_inner();
            let mut receipts = Vec::new();
            while let Some(receipt) = stream.message().await? {
                receipts.push(receipt.acknowledgement());
            }
            Ok(receipts)
        };
        tokio::time::timeout(PATIENT, all).await.expect("the stream hangs")
    }

    pub fn hop(&self) -> Hop<ToEmulator> {
        hop_to(&self.url)
    }
}

/// A hop that sends what [`burst`] makes of a sequence number.
pub struct ToEmulator(ChannelEmulatorClient<Channel>);

impl Exchange for ToEmulator {
    type Item = u64;
    type Request = Message;
    type Response = Acknowledgement;

    fn header(&self) -> Option<Message> {
        Some(Message::header(MODEL))
    }

    fn key(item: &u64) -> Delivery {
        Delivery { run: RUN, sequence: *item }
    }

    fn requests(item: &u64, out: &mut VecDeque<Message>) {
        out.extend(split(burst(*item, 25)).map(Message::Part));
    }

    fn acknowledges(response: &Acknowledgement) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<Message>) -> Result<Inbound<Acknowledgement>, Status> {
        self.0.relay(requests::<RelayRequest>(outbound)).await.map(acknowledgements)
    }
}

/// Started by its binary, as its own process; killed when dropped.
pub struct Process {
    pub child: std::process::Child,
    pub url: PeerUrl,
    _stdout: std::io::BufReader<std::process::ChildStdout>,
}

impl Process {
    /// Runs `command`, which must come to serve.
    pub fn serve(mut command: std::process::Command) -> Self {
        use std::io::BufRead;
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("the one line on stdout").parse().unwrap();
        Process { child, url, _stdout: stdout }
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop<ToEmulator> {
        hop_to(&self.url)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hop_to(url: &PeerUrl) -> Hop<ToEmulator> {
    let mut config = HopConfig::new(Arc::new(Disconnection::new("channel emulator")));
    config.window = 16;
    Hop::start(ToEmulator(ChannelEmulatorClient::new(url.channel())), config)
}

/// A burst of `symbols` symbols that differs from sequence number to sequence number.
pub fn burst(sequence: u64, symbols: usize) -> Burst {
    let value = |k: usize| ((sequence as f32 + 1.0) * 0.37 + k as f32 * 0.71).sin();
    let symbols = (0..2 * symbols).flat_map(|k| value(k).to_le_bytes()).collect::<Vec<u8>>().into();
    Burst { delivery: key(sequence), symbols, ..Burst::default() }
}

/// What a burst was answered.
pub fn answer(acknowledgement: &Acknowledgement) -> Answer {
    wire::answer_from_wire(acknowledgement.clone()).unwrap()
}

/// A burst with more for the receiver.
pub fn with_payload(burst: Burst, payload: &proto::v1::BurstPayload) -> Burst {
    Burst { payload: wire::payload_to_wire(payload), ..burst }
}
