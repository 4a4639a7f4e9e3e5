//! The streams of a service as its handlers see them: who is let in, what comes in, what goes out.

use crate::drain::Drain;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

/// How long a peer may take over the rest of a message that it has begun, and how long it may leave an answer unread. A
/// stream on which nothing is due may be quiet for good: pings tell whether its peer lives.
const INACTIVITY: Duration = Duration::from_secs(300);

/// Limits the live streams of a service; each holds a window of items in memory.
#[derive(Clone, Debug)]
pub struct Admission {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Admission {
    /// At most `limit` streams at a time.
    pub fn new(limit: usize) -> Self {
        Admission { free: Arc::new(Semaphore::new(limit)), limit }
    }

    /// A place, to be held as long as the stream lives.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED if all are taken; a [`crate::Hop`] tries again later.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| Status::resource_exhausted(format!("all {} streams are taken", self.limit));
        self.free.clone().try_acquire_owned().map_err(full)
    }
}

/// The incoming side of a stream, as a handler should read it.
pub struct Incoming<T> {
    stream: Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>,
    drain: Drain,
    inactivity: Duration,
}

impl<T: Send + 'static> Incoming<T> {
    /// Reads `stream` until the peer ends it or the drain starts.
    pub fn new(stream: impl Stream<Item = Result<T, Status>> + Send + 'static, drain: Drain) -> Self {
        Incoming { stream: Box::pin(stream), drain, inactivity: INACTIVITY }
    }

    /// The next message; `None` when the peer has sent its last or the process drains. Waits for it as long as the peer
    /// lives. Safe to cancel.
    ///
    /// # Errors
    /// What broke the stream.
    pub async fn next(&mut self) -> Result<Option<T>, Status> {
        tokio::select! {
            biased;
            () = self.drain.started() => Ok(None),
            next = self.stream.next() => next.transpose(),
        }
    }

    /// The next message where part of an item is here already: the peer owes the rest of it within five minutes, for what
    /// is here takes memory. With `part` false the same as [`Incoming::next`]. Safe to cancel.
    ///
    /// # Errors
    /// What broke the stream, DEADLINE_EXCEEDED if the rest did not come in time.
    pub async fn next_of(&mut self, part: bool) -> Result<Option<T>, Status> {
        if !part {
            return self.next().await;
        }
        let inactivity = self.inactivity;
        tokio::time::timeout(inactivity, self.next()).await.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded(format!("the next chunk did not come within {} s", inactivity.as_secs_f64())))
        })
    }

    /// What to end the outgoing side with once all that was taken is answered: nothing if the peer ended the stream,
    /// [`Drain::status`] if the process drains.
    pub fn ending(&self) -> Option<Status> {
        self.drain.has_started().then(Drain::status)
    }
}

/// How long a status may take to be read.
const ENDING: Duration = Duration::from_secs(5);
/// Messages between a handler and its connection.
const OUTGOING: usize = 32;

/// The outgoing side of a stream, as a handler should write it.
#[derive(Debug)]
pub struct Outgoing<T> {
    sender: mpsc::Sender<Result<T, Status>>,
    inactivity: Duration,
}

impl<T> Outgoing<T> {
    /// Both ends: what the handler writes to, and what it returns to the server.
    pub fn new() -> (Self, ReceiverStream<Result<T, Status>>) {
        let (sender, stream) = mpsc::channel(OUTGOING);
        (Outgoing { sender, inactivity: INACTIVITY }, ReceiverStream::new(stream))
    }

    /// Sends a message; waits while the peer does not read.
    ///
    /// # Errors
    /// CANCELLED if the peer is gone, DEADLINE_EXCEEDED if it has not read for five minutes.
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

    /// Returns once the peer is gone. Safe to cancel.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the stream with `status`. A peer that does not read it within five seconds sees a stream that just ends,
    /// which a [`crate::Hop`] takes for lost.
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
