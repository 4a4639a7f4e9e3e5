//! The transmitter as the dashboard sees it: what it takes, and clips of one's own sent through the whole link behind it.

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

/// How long it may take to say what it is, for the page that opens.
const SHORT_DEADLINE: Duration = Duration::from_secs(1);
/// Modalities that a media file may give.
const MEDIA: [&str; 2] = ["audio", "visual"];

/// What clips may bring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// A transcript: the weights hold a text encoder.
    pub text: bool,
    /// A media file, of which these modalities are taken: `audio`, `visual`. Empty: none.
    pub media: Vec<&'static str>,
}

/// One transmitter.
pub struct Transmitter {
    url: PeerUrl,
    /// As it is named in sentences.
    name: String,
    client: TransmitterClient<Channel>,
    /// As it said last.
    takes: Mutex<Option<Takes>>,
}

impl Transmitter {
    /// The transmitter at `url`.
    pub fn new(url: PeerUrl) -> Self {
        let client = TransmitterClient::new(url.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        Transmitter { name: format!("transmitter at {url}"), url, client, takes: Mutex::default() }
    }

    /// Where it listens.
    pub fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// What it takes, as far as it is known soon; `None` if it was never reached.
    pub async fn known(&self) -> Option<Takes> {
        // An error leaves what is known.
        let _ = self.model(SHORT_DEADLINE).await;
        self.takes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it takes at present.
    ///
    /// # Errors
    /// That it does not answer.
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

    /// Sends the messages of clips with the sequence numbers `keys`; gives the outcomes by those.
    ///
    /// # Errors
    /// What failed, or that the outcomes took longer than `deadline`.
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
            // A second answer to a clip is as good as the first, and there are no more keys than clips.
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
