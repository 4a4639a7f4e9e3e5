//! The outgoing stream of a relay: what it is fed with outlives a receiver that cannot be reached yet.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio_stream::Stream;

/// Messages for the receiver. A call is made with [`Onward::stream`]; if it fails before a message was taken out, the next
/// call gets all of them.
pub struct Onward<T> {
    header: T,
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    messages: Mutex<mpsc::Receiver<T>>,
    /// A message was taken out, so that the stream it went into cannot be replaced.
    taken: AtomicBool,
}

impl<T: Clone> Onward<T> {
    /// The messages that come out of `messages`, behind `header`.
    pub fn new(header: T, messages: mpsc::Receiver<T>) -> Self {
        let shared = Shared { messages: Mutex::new(messages), taken: AtomicBool::new(false) };
        Onward { header, shared: Arc::new(shared) }
    }

    /// The body of a call: the header, then the messages. One at a time.
    pub fn stream(&self) -> Body<T> {
        Body { header: Some(self.header.clone()), shared: self.shared.clone() }
    }

    /// Whether a message has gone into a call already.
    pub fn is_taken(&self) -> bool {
        self.shared.taken.load(Ordering::Acquire)
    }
}

/// See [`Onward::stream`].
pub struct Body<T> {
    header: Option<T>,
    shared: Arc<Shared<T>>,
}

impl<T: Unpin> Stream for Body<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(header) = self.header.take() {
            return Poll::Ready(Some(header));
        }
        let next = self.shared.messages.lock().unwrap_or_else(PoisonError::into_inner).poll_recv(cx);
        if let Poll::Ready(Some(_)) = next {
            self.shared.taken.store(true, Ordering::Release);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test]
    async fn what_no_call_took_goes_into_the_next_one() {
        let (sender, messages) = mpsc::channel(4);
        sender.send(1).await.unwrap();
        let onward = Onward::new(0, messages);
        let mut first = onward.stream();
        assert_eq!(first.next().await, Some(0));
        assert!(!onward.is_taken(), "each call has a header of its own");
        drop(first);
        let mut second = onward.stream();
        assert_eq!((second.next().await, second.next().await), (Some(0), Some(1)));
        assert!(onward.is_taken());
        drop(sender);
        assert_eq!(second.next().await, None);
    }
}
