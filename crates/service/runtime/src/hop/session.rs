//! One stream of a hop, and the window of unacknowledged items, which outlives the stream.

use super::{Delivered, Exchange, Held, HopConfig, Inbound, Task};
use crate::backoff::Backoff;
use crate::connect::is_transient;
use crate::observe::Counter;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::delivery::Delivery;

/// The capacity in messages of the queue between the task of a hop and its connection.
const OUTBOUND: usize = 32;

/// How one stream of a hop ended.
pub(super) enum End {
    /// All items are acknowledged, and the caller will send no more.
    Finished,
    /// The stream ended with a final status, which a retry would get again.
    Final(Status),
    /// The stream was lost or could not be opened, and is to be tried again.
    Lost(Status),
}

/// The unacknowledged items of a hop, in the order in which the caller sent them.
pub(super) struct Window<E: Exchange> {
    items: mpsc::Receiver<Held<E::Item>>,
    /// Whether the caller has sent its last item.
    closed: bool,
    pending: BTreeMap<u64, Held<E::Item>>,
    order: HashMap<Delivery, u64>,
    next: u64,
    /// The number of the first item that was not sent on any stream yet.
    unsent: u64,
}

impl<E: Exchange> Window<E> {
    pub(super) fn new(items: mpsc::Receiver<Held<E::Item>>) -> Self {
        Window { items, closed: false, pending: BTreeMap::new(), order: HashMap::new(), next: 0, unsent: 0 }
    }

    /// Whether all items are acknowledged and the caller will send no more.
    pub(super) fn is_finished(&mut self) -> bool {
        loop {
            match self.items.try_recv() {
                Ok(held) => self.insert(held),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.closed = true;
                    break;
                }
            }
        }
        self.closed && self.pending.is_empty()
    }

    fn insert(&mut self, held: Held<E::Item>) {
        let key = E::key(&held.item);
        if self.order.contains_key(&key) {
            tracing::debug!(%key, "already out");
            return;
        }
        self.order.insert(key, self.next);
        self.pending.insert(self.next, held);
        self.next += 1;
    }

    fn take(&mut self, response: &E::Response) -> Option<Held<E::Item>> {
        let taken = E::acknowledges(response)
            .and_then(|key| self.order.remove(&key))
            .and_then(|position| self.pending.remove(&position));
        if taken.is_none() {
            tracing::debug!("ignored a response to nothing that is out");
        }
        taken
    }
}

/// The sending side of one stream of a hop.
struct Outbound<E: Exchange> {
    /// The queue to the connection; `None` once the sending side of the stream is closed.
    sender: Option<mpsc::Sender<E::Request>>,
    /// The remaining messages of the item that is being sent.
    messages: VecDeque<E::Request>,
    /// The number of the first item that was not sent on this stream yet.
    position: u64,
}

impl<E: Exchange> Outbound<E> {
    /// Takes the messages of the next item if those of the last one are sent, and closes the sending side after the
    /// last item. `opened` is whether the peer has sent its response headers; only then items count as sent.
    fn refill(&mut self, window: &mut Window<E>, opened: bool, sent_again: &Counter) {
        if self.messages.is_empty()
            && let Some((&position, held)) = window.pending.range(self.position..).next()
        {
            E::requests(&held.item, &mut self.messages);
            self.position = position + 1;
            if position < window.unsent {
                sent_again.inc();
            }
        }
        if opened {
            window.unsent = window.unsent.max(self.position);
        }
        if self.messages.is_empty() && window.closed {
            self.sender = None;
        }
    }

    fn has_messages(&self) -> bool {
        self.sender.is_some() && !self.messages.is_empty()
    }

    /// Waits until the queue to the connection has a free place, then sends one message. Safe to cancel.
    async fn send(&mut self) {
        let Some(sender) = &self.sender else { return };
        let Ok(permit) = sender.reserve().await else {
            // The connection has closed the sending side; the status of the receiving side has the reason.
            self.sender = None;
            return;
        };
        if let Some(message) = self.messages.pop_front() {
            permit.send(message);
        }
    }
}

impl<E: Exchange> Task<E> {
    /// Opens a stream and runs it to its end. It sends items before the response headers arrive, because some gRPC
    /// servers send their headers only with their first response.
    pub(super) async fn session(&mut self, backoff: &mut Backoff) -> End {
        let Task { exchange, window, results, config, .. } = self;
        let (sender, requests) = mpsc::channel(OUTBOUND);
        if let Some(header) = exchange.header() {
            // The channel is empty.
            let _ = sender.try_send(header);
        }
        let mut outbound = Outbound::<E> { sender: Some(sender), messages: VecDeque::new(), position: 0 };
        let mut opening = pin!(exchange.open(ReceiverStream::new(requests)));
        let mut inbound: Option<Inbound<E::Response>> = None;
        // The stream is counted as open as long as this value lives.
        let mut _counted = None;
        let mut heard = Instant::now();
        let mut timer = pin!(sleep_until(heard + config.inactivity));
        loop {
            if window.closed && window.pending.is_empty() {
                return End::Finished;
            }
            outbound.refill(window, inbound.is_some(), &config.disconnection.meter().sent_again);
            let response = async {
                match &mut inbound {
                    None => opening.as_mut().await.map(Heard::Opened),
                    Some(inbound) => inbound.next().await.transpose().map(Heard::Message),
                }
            };
            tokio::select! {
                response = response => match response {
                    Ok(Heard::Opened(stream)) => {
                        inbound = Some(stream);
                        _counted = Some(config.disconnection.meter().opened());
                        if window.pending.is_empty() {
                            config.disconnection.end();
                        }
                    }
                    Ok(Heard::Message(Some(response))) => {
                        heard = Instant::now();
                        backoff.reset();
                        config.disconnection.end();
                        deliver::<E>(window, results, config, response);
                    }
                    Ok(Heard::Message(None)) => return End::Lost(Status::unavailable("the peer ended the stream")),
                    Err(status) => return ended(status),
                },
                () = outbound.send(), if outbound.has_messages() => {}
                held = window.items.recv(), if !window.closed => match held {
                    Some(held) => {
                        if window.pending.is_empty() {
                            // The time of inactivity starts with the first unacknowledged item.
                            heard = Instant::now();
                        }
                        window.insert(held);
                    }
                    None => window.closed = true,
                },
                () = &mut timer => {
                    let due = heard + config.inactivity;
                    if !window.pending.is_empty() && due <= Instant::now() {
                        return End::Lost(silent(config.inactivity));
                    }
                    timer.as_mut().reset(due.max(Instant::now() + config.inactivity / 4));
                }
            }
        }
    }
}

/// An event from the peer on one stream.
enum Heard<T> {
    /// The response headers arrived, and with them the stream of responses.
    Opened(Inbound<T>),
    /// A response arrived, or the stream ended (`None`).
    Message(Option<T>),
}

fn deliver<E: Exchange>(
    window: &mut Window<E>,
    results: &mpsc::Sender<Delivered<E>>,
    config: &HopConfig,
    response: E::Response,
) {
    if let Some(held) = window.take(&response) {
        config.disconnection.meter().round_trip.observe_since(held.since);
        // Never full, see `Hop::start`; closed only if the caller is gone, which ends the task.
        let delivered: Delivered<E> = Ok((held, response));
        let _ = results.try_send(delivered);
    }
}

fn silent(inactivity: Duration) -> Status {
    Status::deadline_exceeded(format!("nothing came for {} s", inactivity.as_secs_f64()))
}

fn ended(status: Status) -> End {
    match is_transient(&status) {
        true => End::Lost(status),
        false => End::Final(status),
    }
}
