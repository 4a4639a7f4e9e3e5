//! The streams of a service for its handlers: their limit, their incoming messages, their outgoing messages.

use crate::drain::Drain;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// The time within which a peer must send the next chunk of an item that it has begun, and must read a response. A
/// stream on which nothing is due may be silent without limit; pings detect a dead peer.
const INACTIVITY: Duration = Duration::from_secs(300);

/// The limit of the open streams of a service, each of which holds a window of items in memory.
#[derive(Clone, Debug)]
pub struct Admission {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Admission {
    /// Allows at most `limit` streams at a time.
    pub fn new(limit: usize) -> Self {
        Admission { free: Arc::new(Semaphore::new(limit)), limit }
    }

    /// Takes a place for a stream, which is released when the returned permit is dropped.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED if all places are taken; a [`crate::Hop`] retries later.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| Status::resource_exhausted(format!("all {} streams are taken", self.limit));
        self.free.clone().try_acquire_owned().map_err(full)
    }
}

/// The incoming messages of a stream, which end when the peer ends the stream or the process drains.
pub struct Incoming<T> {
    stream: Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>,
    drain: Drain,
    inactivity: Duration,
}

impl<T: Send + 'static> Incoming<T> {
    /// Makes the incoming side of `stream`, which is read until the peer ends it or `drain` starts.
    pub fn new(stream: impl Stream<Item = Result<T, Status>> + Send + 'static, drain: Drain) -> Self {
        Incoming { stream: Box::pin(stream), drain, inactivity: INACTIVITY }
    }

    /// Waits for the next message, without a time limit; `None` when the peer has sent its last or the process drains.
    /// Safe to cancel.
    ///
    /// # Errors
    /// The status with which the stream broke.
    pub async fn next(&mut self) -> Result<Option<T>, Status> {
        tokio::select! {
            biased;
            () = self.drain.started() => Ok(None),
            next = self.stream.next() => next.transpose(),
        }
    }

    /// Waits for the next message like [`Incoming::next`]. If `part` is true, an incomplete item is held in memory, and
    /// the message must arrive within five minutes. Safe to cancel.
    ///
    /// # Errors
    /// The status with which the stream broke; DEADLINE_EXCEEDED if the message did not arrive in time.
    pub async fn next_of(&mut self, part: bool) -> Result<Option<T>, Status> {
        if !part {
            return self.next().await;
        }
        let inactivity = self.inactivity;
        tokio::time::timeout(inactivity, self.next()).await.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded(format!("the next chunk did not come within {} s", inactivity.as_secs_f64())))
        })
    }

    /// The status with which the handler should end the outgoing side once all items are answered: `None` if the peer
    /// ended the stream, [`Drain::status`] if the process drains.
    pub fn ending(&self) -> Option<Status> {
        self.drain.has_started().then(Drain::status)
    }
}

/// The time within which a peer must take the final status of a stream.
const ENDING: Duration = Duration::from_secs(5);
/// The capacity in messages of the queue between a handler and its connection.
const OUTGOING: usize = 32;

/// The outgoing messages of a stream, which a handler sends.
#[derive(Debug)]
pub struct Outgoing<T> {
    sender: mpsc::Sender<Result<T, Status>>,
    inactivity: Duration,
}

impl<T> Outgoing<T> {
    /// Makes both ends of the outgoing side: the one to which the handler sends, and the one that it returns to the
    /// server.
    pub fn new() -> (Self, ReceiverStream<Result<T, Status>>) {
        let (sender, stream) = mpsc::channel(OUTGOING);
        (Outgoing { sender, inactivity: INACTIVITY }, ReceiverStream::new(stream))
    }

    /// Sends a message. While the queue is full, it waits for the peer to read.
    ///
    /// # Errors
    /// CANCELLED if the peer has disconnected, DEADLINE_EXCEEDED if it has not read for five minutes.
    pub async fn send(&self, message: T) -> Result<(), Status> {
        let message = match self.sender.try_send(Ok(message)) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Full(message)) => message,
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Status::cancelled("the peer is gone")),
        };
        match tokio::time::timeout(self.inactivity, self.sender.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the peer is gone")),
            Err(_) => {
                Err(Status::deadline_exceeded(format!("nothing was read for {} s", self.inactivity.as_secs_f64())))
            }
        }
    }

    /// Waits until the peer has disconnected. Safe to cancel.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the stream with `status`. If it cannot be queued within five seconds, the stream ends without a status,
    /// which a [`crate::Hop`] treats as a lost stream.
    pub async fn end(self, status: Status) {
        let _ = tokio::time::timeout(ENDING, self.sender.send(Err(status))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_quiet_peer_keeps_its_stream_unless_it_owes_the_rest_of_an_item() {
        let (sender, messages) = mpsc::channel(4);
        let mut incoming = Incoming::new(ReceiverStream::new(messages), Drain::default());
        incoming.inactivity = Duration::from_millis(20);
        let later = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            sender.send(Ok(1)).await.unwrap();
        };
        let (next, ()) = tokio::join!(incoming.next_of(false), later);
        assert_eq!(next.unwrap(), Some(1));
        let status = incoming.next_of(true).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
        sender.send(Ok(2)).await.unwrap();
        assert_eq!(incoming.next_of(true).await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_holds_the_writer_back_and_is_given_up() {
        let (mut outgoing, mut stream) = Outgoing::new();
        outgoing.inactivity = Duration::from_millis(20);
        for message in 0..OUTGOING {
            outgoing.send(message).await.unwrap();
        }
        assert_eq!(outgoing.send(99).await.unwrap_err().code(), tonic::Code::DeadlineExceeded);
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
        outgoing.send(OUTGOING).await.unwrap();
        drop(stream);
        assert_eq!(outgoing.send(0).await.unwrap_err().code(), tonic::Code::Cancelled);
    }
}
