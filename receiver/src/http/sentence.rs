//! A sentence of one's own, sent through the whole link: without noise, over a sweep, and at the live conditions.

use super::problem::Problem;
use super::view::{ConditionsView, PredictionView, TimingsView};
use axum::http::StatusCode;
use link::connect::UNARY_DEADLINE;
use link::convert::{conditions_from_wire, conditions_to_wire, prediction_from_wire};
use link::fault::ErrorCode;
use link::{Delivery, Fault, PeerUrl};
use phy::{Conditions, SnrList};
use proto::v1::modality::Content;
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{Clip, GetModelRequest, Modality, NoiseKey, Outcome, outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

/// Longest sentence, in characters.
const MOST_CHARACTERS: usize = 2000;
/// How long the answers may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the transmitter may take to say what it is, for the page that opens.
const SHORT_DEADLINE: Duration = Duration::from_secs(1);
/// Sentences at a time.
const PLACES: usize = 4;
/// The SNRs of the sweep.
const SWEEP: &str = "-12:21:3";

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    text: String,
}

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence {
    text: String,
    noiseless: Option<Answer>,
    live: Answer,
    sweep: Vec<AtPoint>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AtPoint {
    conditions: ConditionsView,
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Answer {
    sentiment: &'static str,
    #[serde(flatten)]
    prediction: PredictionView,
    conditions: ConditionsView,
    realised_snr_db: Option<f64>,
    timings: TimingsView,
}

/// One transmitter.
pub struct Transmitter {
    url: PeerUrl,
    /// As it is named in sentences.
    name: String,
    client: TransmitterClient<Channel>,
    /// Whether it takes text, as it said last.
    takes_text: Mutex<Option<bool>>,
    places: Semaphore,
}

impl Transmitter {
    /// The transmitter at `url`.
    pub fn new(url: PeerUrl) -> Self {
        let client = TransmitterClient::new(url.channel()).max_decoding_message_size(link::MAX_MESSAGE_BYTES);
        let name = format!("transmitter at {url}");
        Transmitter { url, name, client, takes_text: Mutex::default(), places: Semaphore::new(PLACES) }
    }

    /// Where it listens.
    pub fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// Whether its weights hold a text encoder; `None` if it was never reached.
    pub async fn takes_text(&self) -> Option<bool> {
        // An error leaves what is known.
        let _ = self.ask_model(SHORT_DEADLINE).await;
        *self.takes_text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_model(&self, deadline: Duration) -> Result<bool, Status> {
        let mut client = self.client.clone();
        let model = timeout(deadline, client.get_model(GetModelRequest {})).await.map_err(|_| late(deadline))??;
        let takes_text = model.get_ref().takes_text;
        *self.takes_text.lock().unwrap_or_else(PoisonError::into_inner) = Some(takes_text);
        Ok(takes_text)
    }

    /// Sends a sentence and gathers the answers.
    ///
    /// # Errors
    /// What is wrong with the sentence, or failed.
    pub async fn say(&self, Ask { text }: Ask) -> Result<Sentence, Problem> {
        let characters = text.chars().count();
        if text.trim().is_empty() {
            return Err(Problem::bad("Say something: the text is empty."));
        }
        if characters > MOST_CHARACTERS {
            let problem = format!("The text has {characters} characters; at most {MOST_CHARACTERS} are accepted.");
            return Err(Problem::bad(problem));
        }
        let busy = |_| Problem::unavailable(format!("{PLACES} sentences are on their way; try again."));
        let _place = self.places.try_acquire().map_err(busy)?;
        let failed = |status: Status| Problem::of_peer(&self.name, &status);
        if !self.ask_model(UNARY_DEADLINE).await.map_err(failed)? {
            return Err(Problem::unavailable(
                "These weights hold no text encoder: train with --text-encoder DIR (a folder with a BERT-family checkpoint), \
                 or mount weights that were trained so.",
            ));
        }
        let pinned = pinned();
        let clips = clips(&text, &pinned);
        let outcomes = timeout(DEADLINE, self.send(clips)).await.unwrap_or_else(|_| Err(late(DEADLINE)));
        let mut outcomes = outcomes.map_err(failed)?;
        let mut answer = |sequence: usize| match outcomes.remove(&(sequence as u64)) {
            Some(outcome) => answer(outcome),
            None => Err(Problem::new(StatusCode::BAD_GATEWAY, "An answer is missing.")),
        };
        let live = answer(pinned.len())?;
        let noiseless = Some(answer(0)?);
        let sweep = pinned[1..]
            .iter()
            .enumerate()
            .map(|(index, conditions)| Ok(AtPoint { conditions: conditions.into(), answer: answer(index + 1)? }));
        let sweep = sweep.collect::<Result<_, Problem>>()?;
        Ok(Sentence { text, noiseless, live, sweep })
    }

    /// The outcomes by sequence number.
    async fn send(&self, clips: Vec<Clip>) -> Result<BTreeMap<u64, Outcome>, Status> {
        let wanted = clips.len();
        let mut arriving = self.client.clone().send(tokio_stream::iter(clips)).await?.into_inner();
        let mut outcomes = BTreeMap::new();
        while outcomes.len() < wanted
            && let Some(outcome) = arriving.message().await?
        {
            let delivery = Delivery::from_wire(outcome.delivery.as_ref());
            let delivery = delivery.map_err(|fault| Status::internal(fault.to_string()))?;
            // A second answer to a clip is as good as the first, and there are no more keys than clips.
            if delivery.sequence < wanted as u64 {
                outcomes.insert(delivery.sequence, outcome);
            }
        }
        Ok(outcomes)
    }
}

fn late(deadline: Duration) -> Status {
    Status::deadline_exceeded(format!("{} s have passed", deadline.as_secs()))
}

/// Noiseless, then the sweep.
fn pinned() -> Vec<Conditions> {
    let snrs: SnrList = SWEEP.parse().expect("a constant");
    let noisy = snrs.values().iter().map(|snr_db| Conditions::Rayleigh(*snr_db));
    std::iter::once(Conditions::None).chain(noisy).collect()
}

/// A clip for each of the `pinned` conditions, then one for the live ones. All meet the same noise, scaled.
fn clips(text: &str, pinned: &[Conditions]) -> Vec<Clip> {
    let run = Uuid::new_v4();
    let noise = NoiseKey { seed: run.as_u64_pair().1, draw: 0, row: 0 };
    let conditions = pinned.iter().map(|conditions| Some(conditions_to_wire(conditions))).chain([None]);
    let clip = |(sequence, conditions)| Clip {
        delivery: Some(Delivery { run, sequence }.to_wire()),
        noise: Some(noise),
        id: "a sentence from the dashboard".into(),
        text: Some(Modality { content: Some(Content::Transcript(text.into())) }),
        conditions,
        ..Clip::default()
    };
    (0..).zip(conditions).map(clip).collect()
}

fn answer(outcome: Outcome) -> Result<Answer, Problem> {
    let broken = |what: String| Problem::new(StatusCode::BAD_GATEWAY, format!("The answer is none: {what}."));
    let prediction = match outcome.result {
        Some(outcome::Result::Prediction(prediction)) => prediction,
        Some(outcome::Result::Error(error)) => return Err(refused(&Fault::from(error))),
        None => return Err(broken("it holds neither prediction nor error".into())),
    };
    prediction_from_wire(&prediction).map_err(|fault| broken(fault.to_string()))?;
    let channel = outcome.channel.unwrap_or_default();
    let conditions = conditions_from_wire(&channel.conditions.unwrap_or_default());
    let conditions = conditions.map_err(|fault| broken(fault.to_string()))?;
    let prediction = PredictionView::from(prediction);
    Ok(Answer {
        sentiment: prediction.sentiment(),
        prediction,
        conditions: (&conditions).into(),
        realised_snr_db: channel.realised_snr_db,
        timings: outcome.timings.unwrap_or_default().into(),
    })
}

fn refused(fault: &Fault) -> Problem {
    let status = match fault.code {
        ErrorCode::TooLong | ErrorCode::Empty | ErrorCode::Malformed | ErrorCode::Unsupported => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::BAD_GATEWAY,
    };
    Problem::new(status, format!("The sentence was not predicted: {fault}."))
}
