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

/// A burst that is out. Kept whole until its receipt comes.
pub struct Sent {
    /// Of the burst, checked.
    pub delivery: Delivery,
    /// The client's name for the clip; receipts do not carry it.
    pub clip_id: String,
    /// Of the clip, to its outcome.
    pub span: Span,
    /// What was found in the clip's file, if it had one and the client wants to know.
    pub read: Option<Arc<Read>>,
    /// Memory for the burst of a video.
    pub _reservation: Option<Reservation>,
    /// Its symbols are wanted with its outcome.
    pub inspect: bool,
    /// The whole burst, not yet in chunks.
    pub burst: Burst,
}

/// Streams bursts to the emulator.
pub struct ToEmulator {
    client: ChannelEmulatorClient<Channel>,
    model_id: String,
}

impl ToEmulator {
    /// Over `channel`, for the weights `model_id`.
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
