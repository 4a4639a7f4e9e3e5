//! The hop from the transmitter to the channel emulator.

use crate::extraction::Reservation;
use crate::reader::Read;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::{Acknowledgement, Burst, RelayRequest};
use runtime::Exchange;
use runtime::hop::Inbound;
use runtime::trace::Span;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;
use wire::{Delivery, chunks};
use wire::{Message, acknowledgements, requests};

/// A burst that was handed to the hop, kept whole until it is acknowledged.
pub struct Sent {
    /// The delivery key of the burst, checked.
    pub delivery: Delivery,
    /// The client's identifier of the clip, which acknowledgements do not carry.
    pub clip_id: String,
    /// The trace span of the clip, which lasts until its outcome.
    pub span: Span,
    /// The result of reading the clip's media file; `None` if it has none or the client requests no inspection.
    pub read: Option<Arc<Read>>,
    /// The memory reservation for the burst of a video; `None` for other clips.
    pub _reservation: Option<Reservation>,
    /// Whether the client requests an inspection with the outcome.
    pub inspect: bool,
    /// The whole burst, not yet split into chunks.
    pub burst: Burst,
}

/// The exchange that streams bursts to the channel emulator.
pub struct ToEmulator {
    client: ChannelEmulatorClient<Channel>,
    model_id: String,
}

impl ToEmulator {
    /// An exchange over `channel` for the weights `model_id`, which its stream header names.
    pub fn new(channel: Channel, model_id: &str) -> Self {
        let client = ChannelEmulatorClient::new(channel).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        ToEmulator { client, model_id: model_id.into() }
    }
}

impl Exchange for ToEmulator {
    type Item = Sent;
    type Request = Message;
    type Response = Acknowledgement;

    fn header(&self) -> Option<Message> {
        Some(Message::header(&self.model_id))
    }

    fn key(item: &Sent) -> Delivery {
        item.delivery
    }

    fn requests(item: &Sent, out: &mut VecDeque<Message>) {
        out.extend(chunks::split(item.burst.clone()).map(Message::Part));
    }

    fn acknowledges(response: &Acknowledgement) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<Message>) -> Result<Inbound<Acknowledgement>, Status> {
        Ok(acknowledgements(self.client.relay(requests::<RelayRequest>(outbound)).await?))
    }
}
