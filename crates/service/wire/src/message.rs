//! The messages of each stream: stream headers, items and their chunks, the payload of a burst and the answer to it,
//! which the channel emulator passes on unread, and acknowledgements.

use crate::chunks::Part;
use crate::fault::{ErrorCode, Fault};
use bytes::Bytes;
use prost::Message as _;
use proto::PROTOCOL_VERSION;
use proto::v1::{
    self, Acknowledgement, Answer, Burst, BurstPayload, Clip, DeliveryKey, ReceiveRequest, ReceiveResponse,
    RelayRequest, RelayResponse, SendRequest, StreamHeader, acknowledgement,
};
use std::pin::Pin;
use tokio_stream::{Stream, StreamExt};
use tonic::{Status, Streaming};

/// One message of a stream of bursts from a transmitter to a channel emulator, or from there to a receiver.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every message is a part, and a box would cost each an allocation"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The stream header: the first message of a stream of bursts, sent once.
    Header(StreamHeader),
    /// A burst, or a chunk of one: every message of the stream after its header.
    Part(Part<Burst>),
}

impl Message {
    /// The stream header of a transmitter whose weights have the identifier `model_id`.
    pub fn header(model_id: &str) -> Message {
        Message::Header(StreamHeader { protocol_version: PROTOCOL_VERSION, model_id: model_id.into() })
    }
}

/// A gRPC request that carries one message of a stream of bursts, to a channel emulator or to a receiver.
pub trait BurstRequest: From<Message> {
    /// The message in the request; `None` if it is of a kind that this version does not know.
    fn message(self) -> Option<Message>;
}

macro_rules! burst_request {
    ($request:ident, $kinds:ident) => {
        impl From<Message> for $request {
            fn from(message: Message) -> Self {
                let message = match message {
                    Message::Header(header) => v1::$kinds::Message::Header(header),
                    Message::Part(Part::Item(burst)) => v1::$kinds::Message::Burst(burst),
                    Message::Part(Part::Chunk(chunk)) => v1::$kinds::Message::Chunk(chunk),
                };
                $request { message: Some(message) }
            }
        }

        impl From<Part<Burst>> for $request {
            fn from(part: Part<Burst>) -> Self {
                Message::Part(part).into()
            }
        }

        impl BurstRequest for $request {
            fn message(self) -> Option<Message> {
                Some(match self.message? {
                    v1::$kinds::Message::Header(header) => Message::Header(header),
                    v1::$kinds::Message::Burst(burst) => Message::Part(Part::Item(burst)),
                    v1::$kinds::Message::Chunk(chunk) => Message::Part(Part::Chunk(chunk)),
                })
            }
        }
    };
}

burst_request!(RelayRequest, relay_request);
burst_request!(ReceiveRequest, receive_request);

impl From<Part<Clip>> for SendRequest {
    fn from(part: Part<Clip>) -> Self {
        let message = match part {
            Part::Item(clip) => v1::send_request::Message::Clip(clip),
            Part::Chunk(chunk) => v1::send_request::Message::Chunk(chunk),
        };
        SendRequest { message: Some(message) }
    }
}

/// The clip, or chunk of one, in a request to a transmitter; `None` if the message is of a kind that this version does
/// not know.
pub fn clip_part(request: SendRequest) -> Option<Part<Clip>> {
    Some(match request.message? {
        v1::send_request::Message::Clip(clip) => Part::Item(clip),
        v1::send_request::Message::Chunk(chunk) => Part::Chunk(chunk),
    })
}

/// The stream header in the first request of a stream of bursts; `None` stands for a stream without requests.
///
/// # Errors
/// INVALID_ARGUMENT if the first request is missing or is not a stream header, FAILED_PRECONDITION if the header has
/// another protocol version than [`PROTOCOL_VERSION`].
pub fn stream_header<R: BurstRequest>(first: Option<R>) -> Result<StreamHeader, Status> {
    match first.and_then(BurstRequest::message) {
        Some(Message::Header(header)) if header.protocol_version == PROTOCOL_VERSION => Ok(header),
        Some(Message::Header(StreamHeader { protocol_version, .. })) => Err(Status::failed_precondition(format!(
            "the peer speaks version {protocol_version} of the protocol, this service version {PROTOCOL_VERSION}"
        ))),
        _ => Err(Status::invalid_argument("the first message of a stream must be a header")),
    }
}

/// The fault of a message that is neither a burst nor a chunk where one is expected: a second stream header, or a
/// message of a kind that this version does not know (`None`).
pub fn misplaced(message: Option<&Message>) -> Fault {
    match message {
        Some(Message::Header(_)) => Fault::new(ErrorCode::Malformed, "header", "only the first message is a header"),
        _ => Fault::new(ErrorCode::Malformed, "message", "expected a burst or a chunk"),
    }
}

/// The bytes of a burst's payload for the receiver, for the field `payload` of [`Burst`].
pub fn payload_to_wire(payload: &BurstPayload) -> Bytes {
    payload.encode_to_vec().into()
}

/// Decodes the payload of a burst for the receiver.
///
/// # Errors
/// MALFORMED if the bytes in its field `payload` are not a [`BurstPayload`].
pub fn payload_from_wire(burst: &Burst) -> Result<BurstPayload, Fault> {
    let decoded = BurstPayload::decode(burst.payload.clone());
    decoded.map_err(|error| Fault::new(ErrorCode::Malformed, "payload", error.to_string()))
}

/// The acknowledgement of a burst that the receiver decoded, with its delivery key and the answer.
pub fn acknowledge(delivery: Option<DeliveryKey>, answer: &Answer) -> Acknowledgement {
    let answer = acknowledgement::Result::Answer(answer.encode_to_vec().into());
    Acknowledgement { delivery, result: Some(answer) }
}

/// The acknowledgement of a burst that is rejected, with its delivery key and the fault.
pub fn refuse(delivery: Option<DeliveryKey>, fault: Fault) -> Acknowledgement {
    Acknowledgement { delivery, result: Some(acknowledgement::Result::Error(fault.into())) }
}

/// The receiver's answer in the acknowledgement of a burst.
///
/// # Errors
/// The fault in the acknowledgement if the burst was rejected; INTERNAL if the acknowledgement has no result, or its
/// answer cannot be decoded.
pub fn answer_from_wire(acknowledgement: Acknowledgement) -> Result<Answer, Fault> {
    let internal = |message: String| Fault::new(ErrorCode::Internal, "result", message);
    match acknowledgement.result {
        Some(acknowledgement::Result::Answer(answer)) => {
            Answer::decode(answer).map_err(|error| internal(error.to_string()))
        }
        Some(acknowledgement::Result::Error(error)) => Err(error.into()),
        None => Err(internal("an answer with nothing in it".into())),
    }
}

/// A gRPC response that carries the acknowledgement of a burst, from a channel emulator or from a receiver.
pub trait BurstResponse {
    /// The acknowledgement in the response; an empty one, which acknowledges nothing, if it is missing.
    fn acknowledgement(self) -> Acknowledgement;
}

impl BurstResponse for RelayResponse {
    fn acknowledgement(self) -> Acknowledgement {
        self.acknowledgement.unwrap_or_default()
    }
}

impl BurstResponse for ReceiveResponse {
    fn acknowledgement(self) -> Acknowledgement {
        self.acknowledgement.unwrap_or_default()
    }
}

/// Wraps each message of a stream of bursts in a gRPC request.
pub fn requests<R: BurstRequest>(messages: impl Stream<Item = Message>) -> impl Stream<Item = R> {
    messages.map(R::from)
}

/// The stream of acknowledgements in the gRPC response to a stream of bursts. A status ends it.
pub fn acknowledgements<R>(
    responses: tonic::Response<Streaming<R>>,
) -> Pin<Box<dyn Stream<Item = Result<Acknowledgement, Status>> + Send>>
where
    R: BurstResponse + Send + 'static,
{
    Box::pin(responses.into_inner().map(|response| response.map(R::acknowledgement)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_with_a_header_of_our_version() {
        let first = |message: Message| stream_header(Some(ReceiveRequest::from(message)));
        assert_eq!(first(Message::header("m")).unwrap().model_id, "m");
        let later = Message::Header(StreamHeader { protocol_version: 2, model_id: "m".into() });
        assert_eq!(first(later).unwrap_err().code(), tonic::Code::FailedPrecondition);
        let burst = Message::Part(Part::Item(Burst::default()));
        assert_eq!(first(burst).unwrap_err().code(), tonic::Code::InvalidArgument);
        assert_eq!(stream_header::<RelayRequest>(None).unwrap_err().code(), tonic::Code::InvalidArgument);
        let unknown = RelayRequest { message: None };
        assert_eq!(stream_header(Some(unknown)).unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_payload_that_is_none_is_refused() {
        let burst = Burst { payload: vec![0xff].into(), ..Burst::default() };
        let fault = payload_from_wire(&burst).unwrap_err();
        assert_eq!((fault.code, fault.field.as_str()), (ErrorCode::Malformed, "payload"));
        let answer = Acknowledgement {
            result: Some(acknowledgement::Result::Answer(vec![0xff].into())),
            ..Acknowledgement::default()
        };
        assert_eq!(answer_from_wire(answer).unwrap_err().code, ErrorCode::Internal);
        assert_eq!(answer_from_wire(Acknowledgement::default()).unwrap_err().code, ErrorCode::Internal);
    }
}
