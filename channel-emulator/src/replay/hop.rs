//! The hop to whom a recording is replayed.

use crate::record::names::Side;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::receiver_client::ReceiverClient;
use proto::v1::{Acknowledgement, Burst, ReceiveRequest, RelayRequest};
use runtime::hop::Inbound;
use runtime::{Exchange, PeerUrl};
use std::collections::VecDeque;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;
use wire::{Delivery, chunks};
use wire::{Message, acknowledgements, requests};

/// To whom.
#[derive(Clone, Debug)]
pub enum Target {
    /// What came out of the channel, to a receiver.
    Receiver(PeerUrl),
    /// What went in, to a channel emulator.
    Emulator(PeerUrl),
}

impl Target {
    /// The side of a recording that it gets.
    pub fn side(&self) -> Side {
        match self {
            Target::Receiver(_) => Side::Out,
            Target::Emulator(_) => Side::In,
        }
    }

    /// The hop's stream, opened for the weights `model_id`.
    pub fn exchange(&self, model_id: &str) -> Replay {
        let peer = match self {
            Target::Receiver(url) => {
                Peer::Receiver(ReceiverClient::new(url.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES))
            }
            Target::Emulator(url) => Peer::Emulator(
                ChannelEmulatorClient::new(url.channel()).max_decoding_message_size(wire::MAX_MESSAGE_BYTES),
            ),
        };
        Replay { peer, model_id: model_id.into() }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Receiver(url) => write!(f, "receiver at {url}"),
            Target::Emulator(url) => write!(f, "channel emulator at {url}"),
        }
    }
}

enum Peer {
    Receiver(ReceiverClient<Channel>),
    Emulator(ChannelEmulatorClient<Channel>),
}

/// Streams recorded bursts.
pub struct Replay {
    peer: Peer,
    model_id: String,
}

/// A burst that is out.
pub struct Item {
    pub delivery: Delivery,
    /// The whole burst, not yet in chunks.
    pub burst: Burst,
    /// Given back with it: bounds the bytes that are out.
    pub _room: OwnedSemaphorePermit,
}

impl Exchange for Replay {
    type Item = Item;
    type Request = Message;
    type Response = Acknowledgement;

    fn header(&self) -> Option<Message> {
        Some(Message::header(&self.model_id))
    }

    fn key(item: &Item) -> Delivery {
        item.delivery
    }

    fn requests(item: &Item, out: &mut VecDeque<Message>) {
        out.extend(chunks::split(item.burst.clone()).map(Message::Part));
    }

    fn acknowledges(response: &Acknowledgement) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<Message>) -> Result<Inbound<Acknowledgement>, Status> {
        match &mut self.peer {
            Peer::Receiver(client) => Ok(acknowledgements(client.receive(requests::<ReceiveRequest>(outbound)).await?)),
            Peer::Emulator(client) => Ok(acknowledgements(client.relay(requests::<RelayRequest>(outbound)).await?)),
        }
    }
}
