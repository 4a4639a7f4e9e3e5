//! The sender of one hop: keeps every item until it is acknowledged, and sends it again when the stream was lost.
//!
//! ```text
//! caller ─ HopSender::reserve ─ Slot::send ─▶ task ─▶ stream ─▶ peer
//! caller ◀─ HopReceiver::recv ── (item, response) ── task ◀─ stream ◀┘
//! ```
//!
//! **Window.** A slot is taken before an item is handed over and given back when the caller receives its response. All
//! queues inside are as long as the window, so nothing in here grows and nothing blocks but [`HopSender::reserve`]. The
//! caller must therefore receive while it sends.
//!
//! **Loss.** When the stream ends with a transient status ([`crate::connect::is_transient`]), or with none while items
//! are out, the task connects again with backoff and sends all unacknowledged items in their order. When it ends with a
//! final status, the caller gets that status and the hop is over. When items are out and nothing comes for
//! [`HopConfig::inactivity`], the stream is torn down and counts as lost; a dead peer is found sooner, by keepalive. A peer whose
//! work takes longer sends responses without a key meanwhile: they answer nothing, and show that the items are in work.
//!
//! **End.** When every [`HopSender`] and [`Slot`] is dropped, what is out is still acknowledged, then
//! [`HopReceiver::recv`] gives `None`. Dropping the [`HopReceiver`] stops everything at once.

mod session;

use crate::backoff::{Backoff, Outage};
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

/// What travels on a hop, and how its stream is opened.
pub trait Exchange: Send + 'static {
    /// What the caller hands over and gets back with the response.
    type Item: Send + 'static;
    /// The messages an item travels in.
    type Request: Send + 'static;
    /// What the peer answers.
    type Response: Send + 'static;

    /// The first message of every stream, if the service wants one.
    fn header(&self) -> Option<Self::Request>;

    /// The key that the response to an item will carry.
    fn key(item: &Self::Item) -> Delivery;

    /// Appends the messages of an item.
    fn requests(item: &Self::Item, out: &mut VecDeque<Self::Request>);

    /// The key of the item that a response answers; `None` if it has none that is valid.
    fn acknowledges(response: &Self::Response) -> Option<Delivery>;

    /// Calls the peer.
    fn open(
        &mut self,
        outbound: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Inbound<Self::Response>, Status>> + Send;
}

/// What a peer answers on one stream.
pub type Inbound<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The limits of a hop.
#[derive(Clone, Debug)]
pub struct HopConfig {
    /// Items out at most; at least 1.
    pub window: usize,
    /// How long items may be out with nothing coming back.
    pub inactivity: Duration,
    /// Names the peer and logs its absence; shared by all hops to that peer.
    pub outage: Arc<Outage>,
}

impl HopConfig {
    /// A window of 256 and an inactivity limit of two minutes, which is more than the slowest batch of a live peer takes.
    pub fn new(outage: Arc<Outage>) -> Self {
        HopConfig { window: 256, inactivity: Duration::from_secs(120), outage }
    }
}

/// An item and the response to it.
#[derive(Debug)]
pub struct Acknowledged<I, R> {
    /// As it was handed over.
    pub item: I,
    /// What the peer answered.
    pub response: R,
}

/// A hop that has no more use for items: it ended with a final status, which the receiver was given, or was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hop has ended")]
pub struct Ended;

/// A place in the window, which is free again when this is dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    _counted: Raised,
}

/// An item that holds its place in the window.
struct Held<I> {
    item: I,
    place: Place,
    /// When it was handed over.
    since: Instant,
}

type Delivered<E> = Result<(Held<<E as Exchange>::Item>, <E as Exchange>::Response), Status>;

/// Both ends of a running hop, for the caller to split.
pub struct Hop<E: Exchange> {
    /// Where items go in.
    pub sender: HopSender<E>,
    /// Where they come out again with their responses.
    pub receiver: HopReceiver<E>,
}

impl<E: Exchange> Hop<E> {
    /// Starts the task of a hop, which connects at once.
    pub fn start(exchange: E, config: HopConfig) -> Hop<E> {
        let window = config.window.max(1);
        let slots = Arc::new(Semaphore::new(window));
        // Slots bound what is in either channel, so neither is ever full; one more place for the final status.
        let (sender, items) = mpsc::channel(window);
        let (results, receiver) = mpsc::channel(window + 1);
        let out = config.outage.meter().out.clone();
        let places = Raised::of(&config.outage.meter().window, window as i64);
        let task =
            Task { exchange, window: Window::new(items), results, config, slots: slots.clone(), _places: places };
        tokio::spawn(task.run());
        Hop { sender: HopSender { slots, out, sender }, receiver: HopReceiver { receiver } }
    }
}

/// Where items go in. Clones share the window.
pub struct HopSender<E: Exchange> {
    slots: Arc<Semaphore>,
    /// Places taken in all windows to the peer.
    out: Gauge,
    sender: mpsc::Sender<Held<E::Item>>,
}

impl<E: Exchange> Clone for HopSender<E> {
    fn clone(&self) -> Self {
        HopSender { slots: self.slots.clone(), out: self.out.clone(), sender: self.sender.clone() }
    }
}

impl<E: Exchange> HopSender<E> {
    /// Waits for a place in the window. Safe to cancel.
    ///
    /// # Errors
    /// If the hop has ended.
    pub async fn reserve(&self) -> Result<Slot<E>, Ended> {
        let permit = self.slots.clone().acquire_owned().await.map_err(|_| Ended)?;
        let place = Place { _permit: permit, _counted: Raised::of(&self.out, 1) };
        Ok(Slot { place, sender: self.sender.clone() })
    }

    /// Waits for a place in the window and hands `item` over.
    ///
    /// # Errors
    /// If the hop has ended.
    pub async fn send(&self, item: E::Item) -> Result<(), Ended> {
        self.reserve().await?.send(item)
    }
}

/// A place in the window.
pub struct Slot<E: Exchange> {
    place: Place,
    sender: mpsc::Sender<Held<E::Item>>,
}

impl<E: Exchange> Slot<E> {
    /// Hands `item` over; never waits. An item whose key is already out is dropped, as one response answers both.
    ///
    /// # Errors
    /// If the hop has ended.
    pub fn send(self, item: E::Item) -> Result<(), Ended> {
        // Never full: there are as many places as slots.
        let held = Held { item, place: self.place, since: Instant::now() };
        self.sender.try_send(held).map_err(|_| Ended)
    }
}

/// Where items come out again, each exactly once.
pub struct HopReceiver<E: Exchange> {
    receiver: mpsc::Receiver<Delivered<E>>,
}

impl<E: Exchange> HopReceiver<E> {
    /// The next item that was answered, in the order of the answers. `None` after the last. Safe to cancel.
    ///
    /// # Errors
    /// The final status that ended the hop. Nothing comes after it.
    pub async fn recv(&mut self) -> Option<Result<Acknowledged<E::Item, E::Response>, Status>> {
        let result = self.receiver.recv().await?;
        Some(result.map(|(held, response)| {
            drop(held.place);
            Acknowledged { item: held.item, response }
        }))
    }
}

/// What runs a hop.
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
                // The one place that is left, or a receiver that is gone.
                let _ = results.try_send(Err(status));
            }
        }
        self.slots.close();
    }

    /// One stream after the other, until all is acknowledged (`None`) or the peer gives a final status.
    async fn sessions(&mut self) -> Option<Status> {
        let mut backoff = Backoff::default();
        while !self.window.is_finished() {
            let status = match self.session(&mut backoff).await {
                End::Finished => return None,
                End::Final(status) => return Some(status),
                End::Lost(status) => status,
            };
            self.config.outage.meter().lost();
            self.config.outage.begin(&status);
            tokio::time::sleep(backoff.next_delay()).await;
        }
        None
    }
}

#[cfg(test)]
mod tests;
