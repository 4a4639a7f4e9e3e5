//! The hop from the transmitter to the channel emulator.

use crate::reader::Read;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::{Burst, Opening, Receipt};
use runtime::Exchange;
use runtime::trace::Span;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use wire::{Delivery, chunks};

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
    /// Room for the burst of a film.
    pub _room: Option<OwnedSemaphorePermit>,
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
    type Request = Burst;
    type Response = Receipt;

    fn opening(&self) -> Option<Burst> {
        Some(Burst { opening: Some(Opening { model_id: self.model_id.clone() }), ..Burst::default() })
    }

    fn key(item: &Sent) -> Delivery {
        item.delivery
    }

    fn requests(item: &Sent, out: &mut VecDeque<Burst>) {
        out.extend(chunks::split(item.burst.clone()));
    }

    fn acknowledges(response: &Receipt) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<Burst>) -> Result<Streaming<Receipt>, Status> {
        Ok(self.client.relay(outbound).await?.into_inner())
    }
}
