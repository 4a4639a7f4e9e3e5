//! What an upload that comes to nothing leaves behind.

use crate::common::{Manner, PATIENT, Running, TestEmulator, clip};
use proto::v1::{Clip, ErrorCode, Media, Outcome, outcome};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use wire::chunks::MAX_MEDIA_BYTES;

/// Four of the largest files fill the memory budget.
const MORE_THAN_FIT: usize = 6;

/// The first message of the largest file in two, with a byte of it.
fn first(sequence: u64) -> Clip {
    let media = Some(Media { data: vec![1], size: MAX_MEDIA_BYTES as u64 });
    Clip { chunks: 2, media, audio: None, ..clip(1, sequence, 1.0) }
}

/// The second one.
fn second(chunk: u32) -> Clip {
    Clip { chunk, media: Some(Media { data: vec![2], size: 0 }), ..Clip::default() }
}

async fn refused(outcomes: &mut Streaming<Outcome>) -> (ErrorCode, String) {
    let next = tokio::time::timeout(PATIENT, outcomes.message()).await.expect("the memory budget is spent");
    match next.unwrap().expect("an outcome").result {
        Some(outcome::Result::Error(error)) => (error.code(), error.field),
        other => panic!("{other:?}"),
    }
}

/// On streams that stay open, one upload each: refused in its second chunk, and by the wire's rules when it is whole.
#[tokio::test]
async fn a_refused_upload_gives_its_memory_back_at_once() {
    type Case = (fn(u64) -> [Clip; 2], ErrorCode, &'static str);
    let cases: [Case; 2] = [
        (|key| [first(key), second(7)], ErrorCode::Malformed, "chunk"),
        (|key| [first(key), second(1)], ErrorCode::Malformed, "media.data"),
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
