//! One stream of a hop, and the window that outlives it.

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

/// Messages between the task and the connection.
const OUTBOUND: usize = 32;

/// How one stream ended.
pub(super) enum End {
    /// Everything is acknowledged and nothing more will come.
    Finished,
    /// With a status that trying again cannot change.
    Final(Status),
    /// To be tried again.
    Lost(Status),
}

/// The items that are out, in the order in which they came.
pub(super) struct Window<E: Exchange> {
    items: mpsc::Receiver<Held<E::Item>>,
    /// The caller has handed over its last item.
    closed: bool,
    pending: BTreeMap<u64, Held<E::Item>>,
    order: HashMap<Delivery, u64>,
    next: u64,
    /// The first item that was never sent on any stream.
    unsent: u64,
}

impl<E: Exchange> Window<E> {
    pub(super) fn new(items: mpsc::Receiver<Held<E::Item>>) -> Self {
        Window { items, closed: false, pending: BTreeMap::new(), order: HashMap::new(), next: 0, unsent: 0 }
    }

    /// Nothing is out and nothing more will come.
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

/// The sending side of one stream.
struct Outbound<E: Exchange> {
    /// `None` once our side of the stream is ended.
    sender: Option<mpsc::Sender<E::Request>>,
    /// Messages of the item that is being sent.
    messages: VecDeque<E::Request>,
    /// The first item that was not yet sent on this stream.
    position: u64,
}

impl<E: Exchange> Outbound<E> {
    /// Makes sure that there is a message to send if an item waits; ends our side after the last item. `opened`: the peer
    /// has answered, so that what was handed over did reach it.
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

    /// Sends one message, and as many more as there is room for. Safe to cancel.
    async fn send(&mut self) {
        let Some(sender) = &self.sender else { return };
        let Ok(permit) = sender.reserve().await else {
            // The connection has let go of our side; its own end of the stream says why.
            self.sender = None;
            return;
        };
        if let Some(message) = self.messages.pop_front() {
            permit.send(message);
        }
    }
}

impl<E: Exchange> Task<E> {
    /// Opens a stream and runs it to its end. Sends from the beginning: other stacks send their response headers with their
    /// first message, which may be the answer to what is sent here.
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
        // Counted as long as the session runs.
        let mut _counted = None;
        let mut heard = Instant::now();
        let mut timer = pin!(sleep_until(heard + config.inactivity));
        loop {
            if window.closed && window.pending.is_empty() {
                return End::Finished;
            }
            outbound.refill(window, inbound.is_some(), &config.outage.meter().sent_again);
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
                        _counted = Some(config.outage.meter().opened());
                        if window.pending.is_empty() {
                            config.outage.end();
                        }
                    }
                    Ok(Heard::Message(Some(response))) => {
                        heard = Instant::now();
                        backoff.reset();
                        config.outage.end();
                        deliver::<E>(window, results, config, response);
                    }
                    Ok(Heard::Message(None)) => return End::Lost(Status::unavailable("the peer ended the stream")),
                    Err(status) => return ended(status),
                },
                () = outbound.send(), if outbound.has_messages() => {}
                held = window.items.recv(), if !window.closed => match held {
                    Some(held) => {
                        if window.pending.is_empty() {
                            // The clock runs while something is out.
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

/// What comes from the peer.
enum Heard<T> {
    /// Its response headers.
    Opened(Inbound<T>),
    /// A message, or the end of the stream.
    Message(Option<T>),
}

fn deliver<E: Exchange>(
    window: &mut Window<E>,
    results: &mpsc::Sender<Delivered<E>>,
    config: &HopConfig,
    response: E::Response,
) {
    if let Some(held) = window.take(&response) {
        config.outage.meter().round_trip.observe_since(held.since);
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
