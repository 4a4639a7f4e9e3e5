//! Stand-ins for the channel emulator and the transmitter of the dashboard.

use proto::v1;
use proto::v1::channel_emulator_server::{ChannelEmulator, ChannelEmulatorServer};
use proto::v1::transmitter_server::{Transmitter, TransmitterServer};
use proto::v1::{ChannelKind, ChannelReport, Clip, Conditions, Outcome, Timings, outcome};
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, PeerUrl};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use wire::chunks::Assembler;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A gRPC server on a runtime of its own; dropping it stops it, as the death of its process would.
pub struct Peer {
    pub url: PeerUrl,
    runtime: Option<Runtime>,
}

impl Peer {
    fn serve(address: &str, services: Services) -> Peer {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = address.to_owned();
        let (sender, socket) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let socket = Socket::bind(&address).await.unwrap();
            sender.send(socket.address()).unwrap();
            serve(socket, services, &Drain::default()).await
        });
        let address = socket.recv().unwrap();
        Peer { url: format!("http://{address}").parse().unwrap(), runtime: Some(runtime) }
    }

    pub fn address(&self) -> String {
        self.url.to_string().trim_start_matches("http://").to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until the port is closed; a runtime must not be dropped inside another.
            let _ = std::thread::spawn(move || drop(runtime)).join();
        }
    }
}

pub fn conditions(kind: ChannelKind, snr_db: f64) -> Conditions {
    Conditions { kind: kind.into(), snr_db: Some(snr_db), k_factor: None }
}

/// A channel emulator that only has live conditions and relays nothing.
#[derive(Clone)]
pub struct Emulator {
    pub live: Arc<watch::Sender<Conditions>>,
    /// All conditions that clients have set, in order.
    pub set: Arc<Mutex<Vec<Conditions>>>,
}

impl Default for Emulator {
    fn default() -> Self {
        let live = watch::Sender::new(conditions(ChannelKind::Rayleigh, 12.0));
        Emulator { live: Arc::new(live), set: Arc::default() }
    }
}

impl Emulator {
    pub fn serve(&self, address: &str) -> Peer {
        Peer::serve(address, Services::default().with(ChannelEmulatorServer::new(self.clone())))
    }

    pub fn set(&self) -> Vec<Conditions> {
        self.set.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl ChannelEmulator for Emulator {
    type RelayStream = Answers<v1::RelayResponse>;
    type WatchConditionsStream = Answers<v1::WatchConditionsResponse>;

    async fn relay(&self, _: Request<Streaming<v1::RelayRequest>>) -> Result<Response<Self::RelayStream>, Status> {
        Err(Status::unimplemented("relays nothing"))
    }

    async fn get_conditions(
        &self,
        _: Request<v1::GetConditionsRequest>,
    ) -> Result<Response<v1::GetConditionsResponse>, Status> {
        Ok(Response::new(v1::GetConditionsResponse { conditions: Some(*self.live.borrow()), version: 1 }))
    }

    async fn set_conditions(
        &self,
        request: Request<v1::SetConditionsRequest>,
    ) -> Result<Response<v1::SetConditionsResponse>, Status> {
        let current = wire::convert::conditions_from_wire(&self.live.borrow()).unwrap();
        let changed = wire::convert::changed_conditions(&current, request.get_ref());
        let changed = changed.map_err(|fault| Status::invalid_argument(fault.to_string()))?;
        let conditions = wire::convert::conditions_to_wire(&changed);
        self.set.lock().unwrap().push(conditions);
        self.live.send_replace(conditions);
        Ok(Response::new(v1::SetConditionsResponse { conditions: Some(conditions), version: 1 }))
    }

    async fn watch_conditions(
        &self,
        _: Request<v1::WatchConditionsRequest>,
    ) -> Result<Response<Self::WatchConditionsStream>, Status> {
        Ok(Response::new(Box::pin(
            WatchStream::new(self.live.subscribe())
                .map(|conditions| Ok(v1::WatchConditionsResponse { conditions: Some(conditions), version: 1 })),
        )))
    }
}

/// A transmitter with the whole link behind it: the prediction is the more positive the higher the SNR.
#[derive(Clone, Default)]
pub struct Encoder {
    pub takes_text: bool,
    /// Whether it also accepts media files, for their sound. A file of the bytes "broken" cannot be read.
    pub takes_media: bool,
    /// All clips that arrived, in order.
    pub clips: Arc<Mutex<Vec<Clip>>>,
}

impl Encoder {
    pub fn serve(&self, address: &str) -> Peer {
        Peer::serve(address, Services::default().with(TransmitterServer::new(self.clone())))
    }
}

#[tonic::async_trait]
impl Transmitter for Encoder {
    type SendStream = Answers<v1::SendResponse>;

    async fn send(&self, request: Request<Streaming<v1::SendRequest>>) -> Result<Response<Self::SendStream>, Status> {
        let kept = self.clips.clone();
        let mut messages = request.into_inner();
        let mut assembler = Assembler::<Clip>::default();
        // Outcomes are returned in reverse order.
        let mut outcomes: Vec<Result<v1::SendResponse, Status>> = Vec::new();
        while let Some(message) = messages.message().await? {
            for clip in assembler.push(wire::clip_part(message).expect("a clip or a chunk")) {
                let clip = clip.expect("whole clips are sent");
                outcomes.insert(0, Ok(v1::SendResponse { outcome: Some(outcome(&clip)) }));
                kept.lock().unwrap().push(clip);
            }
        }
        Ok(Response::new(Box::pin(tokio_stream::iter(outcomes).throttle(Duration::from_millis(1)))))
    }

    async fn get_model(&self, _: Request<v1::GetModelRequest>) -> Result<Response<v1::GetModelResponse>, Status> {
        let Encoder { takes_text, takes_media, .. } = *self;
        let provenance = [("audio".to_owned(), "an id".to_owned())].into();
        let model = v1::Model { takes_text, takes_media, provenance, ..v1::Model::default() };
        Ok(Response::new(v1::GetModelResponse { model: Some(model) }))
    }
}

fn outcome(clip: &Clip) -> Outcome {
    let met = clip.conditions.unwrap_or(conditions(ChannelKind::Awgn, 3.0));
    let p_pos = met.snr_db.map_or(1.0, |db| ((db + 20.0) / 50.0) as f32);
    let said = match clip.modalities.get("text").and_then(|text| text.kind.as_ref()) {
        Some(v1::content::Kind::Transcript(text)) => text.as_str(),
        _ => "",
    };
    let error = |code: v1::ErrorCode, field: &str, message: &str| {
        outcome::Result::Error(v1::Error { code: code.into(), field: field.into(), message: message.into() })
    };
    let file = clip.media.as_ref().map_or(&[][..], |media| &media.data[..]);
    let result = match said {
        "too long" => error(v1::ErrorCode::TooLong, "text.transcript", "512 tokens at most"),
        _ if file == b"broken" => error(v1::ErrorCode::Malformed, "media", "not a known media file"),
        _ if file == b"strange" => error(v1::ErrorCode::Unsupported, "media", "not decoded in process"),
        _ => outcome::Result::Prediction(v1::Prediction {
            distribution: vec![0.0, 0.0, 0.0, 1.0 - p_pos, p_pos, 0.0, 0.0],
            score: Some(v1::ScorePrediction { median: p_pos, p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos }),
        }),
    };
    Outcome {
        delivery: clip.delivery.clone(),
        result: Some(result),
        channel: Some(ChannelReport { conditions: Some(met), realised_snr_db: met.snr_db, ..ChannelReport::default() }),
        timings: Some(Timings { transmitter_us: 1, emulator_us: 2, receiver_us: 3 }),
        inspection: clip.inspect.then(|| inspection(file)),
        ..Outcome::default()
    }
}

/// The inspection of a file with a second of sound and one face.
fn inspection(file: &[u8]) -> v1::Inspection {
    let face = v1::FaceDetection {
        time_s: 0.2,
        width: 0.5,
        height: 0.5,
        landmarks: vec![0.25; 136],
        ..v1::FaceDetection::default()
    };
    let media = v1::MediaAnalysis { duration_s: 1.0, peaks: vec![-0.5, 0.5], faces: vec![face] };
    let symbols = |value: f32| value.to_le_bytes().repeat(8);
    v1::Inspection {
        media: (!file.is_empty()).then_some(media),
        sent: symbols(1.0),
        symbols: Some(v1::ReceivedSymbols { received: symbols(0.5), equalised: symbols(0.75) }),
    }
}
