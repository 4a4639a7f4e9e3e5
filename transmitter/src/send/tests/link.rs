//! A link in one process, served over a real socket: a scheme whose decisions can be checked by hand, and channels of
//! `phy`.

use corpus::{Clip as CorpusClip, Corpus, Sequence};
use metrics::Prediction;
use phy::{Conditions, Equaliser, NoiseKey, SnrDb, Symbols, draw, equalise, realised_snr_db};
use proto::v1::content::Kind;
use proto::v1::transmitter_server::{Transmitter, TransmitterServer};
use proto::v1::{
    Clip, ErrorCode, GetModelRequest, GetModelResponse, Model, Outcome, SendRequest, SendResponse, Timings, outcome,
    send_request,
};
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, PeerUrl};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use wire::MAX_MESSAGE_BYTES;
use wire::convert::{conditions_from_wire, noise_key_from_wire, prediction_to_wire, report_to_wire};

pub const SYMBOLS: usize = 25;

/// The outcome of a clip: the mean of its audio features (or the length of its transcript minus fifteen) is sent as a
/// constant, normalised to unit power, and the sign is decided from the mean of the equalised symbols. Levels beyond 9
/// are refused.
pub fn answer(clip: &Clip, live: Conditions) -> Outcome {
    let mut outcome = Outcome { delivery: clip.delivery.clone(), clip_id: clip.id.clone(), ..Outcome::default() };
    let content = |modality: &str| clip.modalities.get(modality).and_then(|content| content.kind.clone());
    let level = match (content("audio"), content("text")) {
        (Some(Kind::Features(features)), _) => {
            let bytes = features.data.as_chunks::<4>().0;
            bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).sum::<f32>() / bytes.len() as f32
        }
        (_, Some(Kind::Transcript(text))) => text.len() as f32 - 15.0,
        _ => f32::INFINITY,
    };
    if level > 9.0 {
        let message = "the level is beyond 9".to_owned();
        let error = proto::v1::Error { code: ErrorCode::TooLong.into(), field: "audio".into(), message };
        return Outcome { result: Some(outcome::Result::Error(error)), ..outcome };
    }
    let conditions = clip.conditions.as_ref().map_or(live, |pinned| conditions_from_wire(pinned).unwrap());
    let key = clip.noise.as_ref().map(noise_key_from_wire);
    let key = key.unwrap_or(NoiseKey { seed: 77, draw: 0, row: clip.delivery.as_ref().unwrap().sequence });
    let (prediction, report) = cross(level, key, &conditions);
    outcome.result = Some(outcome::Result::Prediction(prediction_to_wire(&prediction)));
    outcome.channel = Some(report);
    outcome.timings = Some(Timings { transmitter_us: 1500, emulator_us: 200, receiver_us: 2000 });
    outcome.model_id = "by-hand".into();
    outcome
}

pub fn cross(level: f32, key: NoiseKey, conditions: &Conditions) -> (Prediction, proto::v1::ChannelReport) {
    let burst = Symbols::new([level, 0.0].repeat(SYMBOLS)).unwrap().normalise();
    let realisation = draw(key, conditions, SYMBOLS);
    let received = realisation.apply(&burst);
    let equalised = equalise(received.symbols.reals(), received.h, received.n0, Equaliser::Mmse).unwrap();
    let mean = equalised.reals.iter().step_by(2).sum::<f32>() / SYMBOLS as f32;
    let p_pos = 1.0 / (1.0 + (-2.0 * mean).exp());
    let classes = [1.0 - p_pos, 0.0, 0.0, 0.0, 0.0, 0.0, p_pos];
    let prediction = Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score: 4.0 * p_pos - 2.0 };
    (prediction, report_to_wire(conditions, &received, realised_snr_db(&burst, &realisation)))
}

#[derive(Clone)]
pub struct Link {
    /// The live conditions, for clips that pin none.
    pub live: Conditions,
    /// Number of outcomes after which every stream ends without a status.
    pub end_after: usize,
    /// The status that every stream ends with; `None` to serve it.
    pub refuse: Option<Status>,
    /// The model identifier in every outcome.
    pub model_id: &'static str,
    pub streams: Arc<AtomicUsize>,
    pub received: Arc<Mutex<Vec<Clip>>>,
}

#[tonic::async_trait]
impl Transmitter for Link {
    type SendStream = ReceiverStream<Result<SendResponse, Status>>;

    async fn send(
        &self,
        request: tonic::Request<Streaming<SendRequest>>,
    ) -> Result<Response<Self::SendStream>, Status> {
        let mut clips = request.into_inner();
        let link = self.clone();
        let (sender, outcomes) = mpsc::channel(8);
        link.streams.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            if let Some(status) = link.refuse {
                let _ = sender.send(Err(status)).await;
                return;
            }
            for _ in 0..link.end_after {
                let Ok(Some(request)) = clips.message().await else { return };
                let Some(send_request::Message::Clip(clip)) = request.message else { panic!("whole clips are sent") };
                link.received.lock().unwrap().push(clip.clone());
                let outcome = Outcome { model_id: link.model_id.into(), ..answer(&clip, link.live) };
                if sender.send(Ok(SendResponse { outcome: Some(outcome) })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(outcomes)))
    }

    async fn get_model(&self, _: tonic::Request<GetModelRequest>) -> Result<Response<GetModelResponse>, Status> {
        let model = Model {
            model_id: "by-hand".into(),
            scheme: Some("repetition".into()),
            symbols: Some(SYMBOLS as u32),
            equaliser: Some("mmse".into()),
            training_snr_low_db: Some(-9.0),
            training_snr_high_db: Some(21.0),
            takes_text: false,
            training_seed: Some(11),
            ..Model::default()
        };
        Ok(Response::new(GetModelResponse { model: Some(model) }))
    }
}

pub fn snr(db: f64) -> SnrDb {
    SnrDb::try_from(db).unwrap()
}

pub fn good() -> Link {
    Link {
        live: Conditions::Awgn(snr(3.0)),
        end_after: usize::MAX,
        refuse: None,
        model_id: "by-hand",
        streams: Arc::default(),
        received: Arc::default(),
    }
}

pub async fn bound() -> (Socket, PeerUrl) {
    let socket = Socket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.address()).parse().unwrap();
    (socket, url)
}

pub fn start(link: &Link, socket: Socket) {
    let server = TransmitterServer::new(link.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    tokio::spawn(async move { serve(socket, Services::default().with(server), &Drain::default()).await });
}

/// A corpus whose clips have the level of their label as features; one clip in three is for training.
pub fn corpus(clips: usize) -> Corpus {
    let clip = |n: usize| CorpusClip {
        id: format!("clip {n}"),
        video_id: format!("video {}", n / 5),
        split: if n.is_multiple_of(3) { "train" } else { "test" }.into(),
        label: (n as f32 * 0.7).sin() * 3.0,
        text: String::new(),
        features: [None, Some(Sequence::new(2, vec![(n as f32 * 0.7).sin() * 3.0; 8])), None],
    };
    Corpus::new("toy", (0..clips).map(clip).collect()).unwrap()
}
