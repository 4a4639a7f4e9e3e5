//! The dashboard's client of the transmitter: reads which clips it accepts, and sends it clips from users.

use super::problem::Problem;
use futures::{Stream, StreamExt};
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{Clip, GetModelRequest, Outcome, SendRequest};
use runtime::PeerUrl;
use runtime::connect::UNARY_DEADLINE;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Channel;
use wire::Delivery;
use wire::chunks::Part;

/// How long the transmitter may take to describe its model, for a page that opens.
const SHORT_DEADLINE: Duration = Duration::from_secs(1);
/// The modalities that a media file may contain.
const MEDIA: [&str; 2] = ["audio", "visual"];

/// The kinds of input that the transmitter accepts in a clip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Whether it accepts a transcript: the weights have a text encoder.
    pub text: bool,
    /// The modalities that it takes from a media file: `audio`, `visual`. Empty if it accepts no files.
    pub media: Vec<&'static str>,
}

/// A client of one transmitter.
pub struct Transmitter {
    url: PeerUrl,
    /// The transmitter's name in messages for people, with its URL.
    name: String,
    client: TransmitterClient<Channel>,
    /// The last answer to which inputs it accepts; `None` if it was never reached.
    takes: Mutex<Option<Takes>>,
}

impl Transmitter {
    /// A client of the transmitter at `url`; connects at the first call.
    pub fn new(url: PeerUrl) -> Self {
        let client = TransmitterClient::new(url.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        Transmitter { name: format!("transmitter at {url}"), url, client, takes: Mutex::default() }
    }

    /// The transmitter's URL.
    pub fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// Which inputs the transmitter accepts, asked with a short deadline. If it does not answer, the last known answer;
    /// `None` if it was never reached.
    pub async fn known(&self) -> Option<Takes> {
        // On an error the last answer remains.
        let _ = self.model(SHORT_DEADLINE).await;
        self.takes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which inputs the transmitter accepts at present.
    ///
    /// # Errors
    /// Fails if the transmitter does not answer.
    pub async fn takes(&self) -> Result<Takes, Problem> {
        self.model(UNARY_DEADLINE).await.map_err(|status| Problem::of_peer(&self.name, &status))
    }

    async fn model(&self, deadline: Duration) -> Result<Takes, Status> {
        let mut client = self.client.clone();
        let model = timeout(deadline, client.get_model(GetModelRequest {})).await.map_err(|_| late(deadline))??;
        let model = model.into_inner().model.unwrap_or_default();
        let media = MEDIA.into_iter().filter(|name| model.takes_media && model.provenance.contains_key(*name));
        let takes = Takes { text: model.takes_text, media: media.collect() };
        *self.takes.lock().unwrap_or_else(PoisonError::into_inner) = Some(takes.clone());
        Ok(takes)
    }

    /// Sends the messages of clips with the sequence numbers `keys`; returns the outcomes by sequence number. The map
    /// lacks those that the transmitter did not send.
    ///
    /// # Errors
    /// Fails if the call fails or the outcomes take longer than `deadline`.
    pub async fn send(
        &self,
        clips: impl Stream<Item = Part<Clip>> + Send + 'static,
        keys: Range<u64>,
        deadline: Duration,
    ) -> Result<BTreeMap<u64, Outcome>, Problem> {
        let outcomes = timeout(deadline, self.outcomes(clips, keys)).await.unwrap_or_else(|_| Err(late(deadline)));
        outcomes.map_err(|status| Problem::of_peer(&self.name, &status))
    }

    async fn outcomes(
        &self,
        clips: impl Stream<Item = Part<Clip>> + Send + 'static,
        keys: Range<u64>,
    ) -> Result<BTreeMap<u64, Outcome>, Status> {
        let wanted = (keys.end - keys.start) as usize;
        let mut arriving = self.client.clone().send(clips.map(SendRequest::from)).await?.into_inner();
        let mut outcomes = BTreeMap::new();
        while outcomes.len() < wanted
            && let Some(answer) = arriving.message().await?
        {
            let outcome = answer.outcome.unwrap_or_default();
            let delivery = Delivery::from_wire(outcome.delivery.as_ref());
            let delivery = delivery.map_err(|fault| Status::internal(fault.to_string()))?;
            // A second outcome of a clip is as good as the first, and there are no more keys than clips.
            if keys.contains(&delivery.sequence) {
                outcomes.insert(delivery.sequence, outcome);
            }
        }
        Ok(outcomes)
    }
}

fn late(deadline: Duration) -> Status {
    Status::deadline_exceeded(format!("{} s have passed", deadline.as_secs()))
}
