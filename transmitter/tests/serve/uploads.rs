//! Tests that a failed upload releases its memory.

use crate::common::{Manner, PATIENT, Running, TestEmulator, clip, request};
use proto::v1::{Chunk, Clip, ErrorCode, Media, SendRequest, SendResponse, outcome};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use wire::chunks::{MAX_MEDIA_BYTES, Part};

/// Number of largest files that exceeds the memory budget, which four of them fill.
const MORE_THAN_FIT: usize = 6;

/// The first of two messages of a file of the largest size, with one byte of it.
fn first(sequence: u64) -> SendRequest {
    let media = Some(Media { data: vec![1].into(), size: Some(MAX_MEDIA_BYTES as u64) });
    request(Clip { chunks_following: 1, media, modalities: Default::default(), ..clip(1, sequence, 1.0) })
}

/// A later message of a file: the chunk `number`, with one byte.
fn later(number: u32) -> SendRequest {
    Part::Chunk(Chunk { number, data: vec![2].into() }).into()
}

async fn refused(outcomes: &mut Streaming<SendResponse>) -> (ErrorCode, String) {
    let next = tokio::time::timeout(PATIENT, outcomes.message()).await.expect("the memory budget is spent");
    match next.unwrap().expect("an outcome").outcome.unwrap().result {
        Some(outcome::Result::Error(error)) => (error.code(), error.field),
        other => panic!("{other:?}"),
    }
}

/// Each stream stays open and has one upload: some are refused in their second chunk, others by the rules of the wire
/// once they are complete.
#[tokio::test]
async fn a_refused_upload_gives_its_memory_back_at_once() {
    type Case = (fn(u64) -> [SendRequest; 2], ErrorCode, &'static str);
    let cases: [Case; 2] = [
        (|key| [first(key), later(7)], ErrorCode::Malformed, "chunk"),
        (|key| [first(key), later(1)], ErrorCode::Malformed, "media.data"),
    ];
    let emulator = TestEmulator::start(0, Manner::default());
    let transmitter = Running::start(Arc::default(), &emulator.url).await;
    let mut open = Vec::new();
    for (messages, code, field) in cases {
        for key in 0..MORE_THAN_FIT as u64 {
            let (sender, clips) = mpsc::channel(4);
            for message in messages(key) {
                sender.send(message).await.unwrap();
            }
            let mut outcomes = transmitter.client.clone().send(ReceiverStream::new(clips)).await.unwrap().into_inner();
            assert_eq!(refused(&mut outcomes).await, (code, field.to_owned()));
            open.push((sender, outcomes));
        }
    }
}
