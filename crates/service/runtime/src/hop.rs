//! The sender of one hop: it keeps every item until it is acknowledged, and sends it again when the stream is lost.
//!
//! ```text
//! caller ─ HopSender::reserve ─ Slot::send ─▶ task ─▶ stream ─▶ peer
//! caller ◀─ HopReceiver::recv ── (item, response) ── task ◀─ stream ◀┘
//! ```
//!
//! **Window.** A slot of the window is taken before an item is sent, and released when the caller receives its
//! response. All internal queues are as long as the window, so memory is bounded and only [`HopSender::reserve`] waits.
//! The caller must therefore receive while it sends.
//!
//! **Loss.** When the stream ends with a transient status ([`crate::connect::is_transient`]) or without a status, the
//! task reconnects with backoff and sends all unacknowledged items again, in their order. When it ends with a final
//! status, the caller gets that status and the hop ends. When items are unacknowledged and no message arrives for
//! [`HopConfig::inactivity`], the stream is closed and counts as lost; keepalive finds a dead peer sooner. A peer that
//! needs more time sends responses without a key meanwhile, which acknowledge nothing and show that it is working.
//!
//! **End.** When every [`HopSender`] and [`Slot`] is dropped, the remaining items are still acknowledged; then
//! [`HopReceiver::recv`] returns `None`. Dropping the [`HopReceiver`] stops the hop at once.

mod session;

use crate::backoff::{Backoff, Disconnection};
use crate::observe::{Gauge, Held as Raised};
use session::{End, Window};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::delivery::Delivery;

/// The protocol of a hop: the items and messages on it, and how its stream is opened.
pub trait Exchange: Send + 'static {
    /// An item, which the caller sends and gets back with its response.
    type Item: Send + 'static;
    /// A message to the peer; an item is sent as one or more.
    type Request: Send + 'static;
    /// A message from the peer.
    type Response: Send + 'static;

    /// The stream header, the first message of every stream; `None` if the service expects none.
    fn header(&self) -> Option<Self::Request>;

    /// The delivery key of an item, which its response has too.
    fn key(item: &Self::Item) -> Delivery;

    /// Appends the messages of an item to `out`, in order.
    fn requests(item: &Self::Item, out: &mut VecDeque<Self::Request>);

    /// The delivery key of the item that a response acknowledges; `None` if it has no valid key.
    fn acknowledges(response: &Self::Response) -> Option<Delivery>;

    /// Opens a stream to the peer, which sends the messages of `outbound`. Returns the stream of its responses once it
    /// has sent its response headers, or the status with which the call failed.
    fn open(
        &mut self,
        outbound: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Inbound<Self::Response>, Status>> + Send;
}

/// The responses of a peer on one stream; a status ends it.
pub type Inbound<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The limits of a hop, and its peer.
#[derive(Clone, Debug)]
pub struct HopConfig {
    /// The size of the window: the largest number of unacknowledged items; 0 counts as 1.
    pub window: usize,
    /// The time without a message from the peer after which a stream with unacknowledged items counts as lost.
    pub inactivity: Duration,
    /// The peer's name and the log of its disconnections, shared by all hops to that peer.
    pub disconnection: Arc<Disconnection>,
}

impl HopConfig {
    /// The defaults for the peer of `disconnection`: a window of 256 items, and an inactivity limit of two minutes,
    /// which is more than a working peer needs for its slowest batch.
    pub fn new(disconnection: Arc<Disconnection>) -> Self {
        HopConfig { window: 256, inactivity: Duration::from_secs(120), disconnection }
    }
}

/// An item of a hop with the response that acknowledges it.
#[derive(Debug)]
pub struct Acknowledged<I, R> {
    /// The item as it was sent.
    pub item: I,
    /// The response of the peer.
    pub response: R,
}

/// The error of sending on a hop that has ended: it got a final status, which [`HopReceiver::recv`] returns, or its
/// receiver was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hop has ended")]
pub struct Ended;

/// A place in the window of a hop, which is released when this is dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: Raised,
}

/// An unacknowledged item with its place in the window.
struct Held<I> {
    item: I,
    place: Place,
    /// The time when the caller sent the item.
    since: Instant,
}

type Delivered<E> = Result<(Held<<E as Exchange>::Item>, <E as Exchange>::Response), Status>;

/// Both ends of a running hop, which the caller can use apart from each other.
pub struct Hop<E: Exchange> {
    /// The end to which the caller sends items.
    pub sender: HopSender<E>,
    /// The end from which the caller receives the acknowledged items with their responses.
    pub receiver: HopReceiver<E>,
}

impl<E: Exchange> Hop<E> {
    /// Starts the task of a hop, which connects at once.
    pub fn start(exchange: E, config: HopConfig) -> Hop<E> {
        let window = config.window.max(1);
        let slots = Arc::new(Semaphore::new(window));
        // Slots bound the items in each channel, so neither is ever full; one more place is for the final status.
        let (sender, items) = mpsc::channel(window);
        let (results, receiver) = mpsc::channel(window + 1);
        let out = config.disconnection.meter().out.clone();
        let places = Raised::of(&config.disconnection.meter().window, window as i64);
        let task =
            Task { exchange, window: Window::new(items), results, config, slots: slots.clone(), _places: places };
        tokio::spawn(task.run());
        Hop { sender: HopSender { slots, out, sender }, receiver: HopReceiver { receiver } }
    }
}

/// The end of a hop to which items are sent. Clones share the window.
pub struct HopSender<E: Exchange> {
    slots: Arc<Semaphore>,
    /// The number of places taken in all windows to the peer.
    out: Gauge,
    sender: mpsc::Sender<Held<E::Item>>,
}

impl<E: Exchange> Clone for HopSender<E> {
    fn clone(&self) -> Self {
        HopSender { slots: self.slots.clone(), out: self.out.clone(), sender: self.sender.clone() }
    }
}

impl<E: Exchange> HopSender<E> {
    /// Waits for a free place in the window and takes it. Safe to cancel.
    ///
    /// # Errors
    /// If the hop has ended.
    pub async fn reserve(&self) -> Result<Slot<E>, Ended> {
        let permit = self.slots.clone().acquire_owned().await.map_err(|_| Ended)?;
        let place = Place { _permit: permit, _counted: Raised::of(&self.out, 1) };
        Ok(Slot { place, sender: self.sender.clone() })
    }

    /// Waits for a free place in the window, then sends `item`.
    ///
    /// # Errors
    /// If the hop has ended.
    pub async fn send(&self, item: E::Item) -> Result<(), Ended> {
        self.reserve().await?.send(item)
    }
}

/// A reserved place in the window of a hop, from which one item can be sent.
pub struct Slot<E: Exchange> {
    place: Place,
    sender: mpsc::Sender<Held<E::Item>>,
}

impl<E: Exchange> Slot<E> {
    /// Sends `item` without waiting. If an item with the same delivery key is unacknowledged, `item` is dropped, as one
    /// response acknowledges both.
    ///
    /// # Errors
    /// If the hop has ended.
    pub fn send(self, item: E::Item) -> Result<(), Ended> {
        // Never full: there are as many places as slots.
        let held = Held { item, place: self.place, since: Instant::now() };
        self.sender.try_send(held).map_err(|_| Ended)
    }
}

/// The end of a hop from which acknowledged items are received, each exactly once.
pub struct HopReceiver<E: Exchange> {
    receiver: mpsc::Receiver<Delivered<E>>,
}

impl<E: Exchange> HopReceiver<E> {
    /// Waits for the next acknowledged item, in the order of the responses, and releases its place in the window.
    /// `None` after the last. Safe to cancel.
    ///
    /// # Errors
    /// The final status that ended the hop; after it comes `None`.
    pub async fn recv(&mut self) -> Option<Result<Acknowledged<E::Item, E::Response>, Status>> {
        let result = self.receiver.recv().await?;
        Some(result.map(|(held, response)| {
            drop(held.place);
            Acknowledged { item: held.item, response }
        }))
    }
}

/// The task that runs a hop.
struct Task<E: Exchange> {
    exchange: E,
    window: Window<E>,
    results: mpsc::Sender<Delivered<E>>,
    config: HopConfig,
    slots: Arc<Semaphore>,
    _places: Raised,
}

impl<E: Exchange> Task<E> {
    async fn run(mut self) {
        let results = self.results.clone();
        tokio::select! {
            biased;
            () = results.closed() => {}
            status = self.sessions() => if let Some(status) = status {
                // There is one place for it. An error means that the receiver was dropped.
                let _ = results.try_send(Err(status));
            }
        }
        self.slots.close();
    }

    /// Runs one stream after the other, until all items are acknowledged (`None`) or a stream ends with a final status.
    async fn sessions(&mut self) -> Option<Status> {
        let mut backoff = Backoff::default();
        while !self.window.is_finished() {
            let status = match self.session(&mut backoff).await {
                End::Finished => return None,
                End::Final(status) => return Some(status),
                End::Lost(status) => status,
            };
            self.config.disconnection.meter().lost();
            self.config.disconnection.begin(&status);
            tokio::time::sleep(backoff.next_delay()).await;
        }
        None
    }
}

#[cfg(test)]
mod tests;
