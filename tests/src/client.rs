//! A client of the wire's messages, which can also send what no well-behaved client sends.

use std::time::Duration;

use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{Clip, Conditions, Content, DeliveryKey, Features, Outcome, SendRequest, content, send_request};
use tonic::transport::{Channel, Endpoint};

/// A connection to a service, with a runtime for its calls and a run identifier of its own.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
    run_id: String,
}

impl Client {
    /// Connects to the service at `url`.
    ///
    /// # Panics
    /// Panics if the service cannot be reached.
    pub fn connect(url: &str) -> Client {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().connect_timeout(Duration::from_secs(10));
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Client { runtime, channel, run_id: uuid::Uuid::new_v4().to_string() }
    }

    /// The connection, for use with generated clients.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Runs a call to its end. Panics after a minute.
    pub fn block_on<T>(&self, call: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(Duration::from_secs(60), call).await };
        self.runtime.block_on(limited).expect("an answer within a minute")
    }

    /// The features of `clip` as a message with the sequence number `sequence` in this client's run, over the pinned
    /// `conditions`.
    pub fn clip(&self, sequence: u64, clip: &corpus::Clip, conditions: Conditions) -> Clip {
        let names = ["text", "audio", "visual"].into_iter().zip(&clip.features);
        let modalities = names.filter_map(|(name, sequence)| Some((name.to_owned(), features(sequence.as_ref()?))));
        Clip {
            delivery: Some(DeliveryKey { run_id: self.run_id.clone(), sequence }),
            id: clip.id.clone(),
            modalities: modalities.collect(),
            label: Some(clip.label),
            conditions: Some(conditions),
            ..Clip::default()
        }
    }

    /// Sends clips in one stream; returns one outcome for each, ordered by sequence number.
    ///
    /// # Panics
    /// Panics if the stream breaks or ends early.
    pub fn send(&self, clips: Vec<Clip>) -> Vec<Outcome> {
        let mut service = TransmitterClient::new(self.channel());
        let expected = clips.len();
        let requests: Vec<_> = clips.into_iter().map(request).collect();
        let mut outcomes = self.block_on(async {
            let mut stream = service.send(tokio_stream::iter(requests)).await.unwrap().into_inner();
            let mut outcomes = Vec::new();
            while let Some(answer) = stream.message().await.unwrap() {
                outcomes.push(answer.outcome.expect("an outcome"));
            }
            outcomes
        });
        outcomes.sort_by_key(|o| o.delivery.as_ref().map(|d| d.sequence));
        assert_eq!(outcomes.len(), expected, "{outcomes:?}");
        outcomes
    }
}

/// The request message that carries a whole clip.
pub fn request(clip: Clip) -> SendRequest {
    SendRequest { message: Some(send_request::Message::Clip(clip)) }
}

/// The features of a corpus as a modality of a message.
fn features(sequence: &corpus::Sequence) -> Content {
    let data: Vec<u8> = sequence.data().iter().flat_map(|v| v.to_le_bytes()).collect();
    let features = Features {
        frames: sequence.frames() as u32,
        width: sequence.width() as u32,
        data: data.into(),
        ..Features::default()
    };
    Content { kind: Some(content::Kind::Features(features)) }
}
