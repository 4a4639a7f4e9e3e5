//! The client's hop to the transmitter.

use super::pace::Pace;
use super::plan::Plan;
use anyhow::{Context, Result, anyhow};
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{GetModelRequest, Model, Outcome, SendRequest, SendResponse};
use runtime::backoff::{Backoff, Disconnection};
use runtime::connect::{UNARY_DEADLINE, is_transient, reason};
use runtime::hop::Inbound;
use runtime::hop::{HopConfig, HopSender};
use runtime::{Drain, Exchange, Hop, PeerUrl};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::{Delivery, chunks};

/// One delivery of a plan. Its message is made only when it is sent.
pub(super) struct Item {
    pub plan: Arc<Plan>,
    pub sequence: u64,
    /// The clip's share of the memory budget, if there is one.
    _held: Option<Arc<OwnedSemaphorePermit>>,
}

pub(super) struct ToTransmitter(TransmitterClient<Channel>);

impl Exchange for ToTransmitter {
    type Item = Item;
    type Request = SendRequest;
    type Response = Outcome;

    fn header(&self) -> Option<SendRequest> {
        None
    }

    fn key(item: &Item) -> Delivery {
        item.plan.delivery(item.sequence)
    }

    fn requests(item: &Item, out: &mut VecDeque<SendRequest>) {
        out.extend(chunks::split(item.plan.message(item.sequence)).map(SendRequest::from));
    }

    fn acknowledges(response: &Outcome) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<SendRequest>) -> Result<Inbound<Outcome>, Status> {
        let outcome = |answer: SendResponse| answer.outcome.unwrap_or_default();
        let answers = self.0.send(outbound).await?.into_inner();
        Ok(Box::pin(answers.map(move |answer| answer.map(outcome))))
    }
}

/// A client of a transmitter, which need not be reachable yet.
pub(super) struct Client {
    transmitter: TransmitterClient<Channel>,
    disconnection: Arc<Disconnection>,
}

impl Client {
    pub fn new(to: &PeerUrl) -> Client {
        let disconnection = Arc::new(Disconnection::new(format!("transmitter at {to}")));
        Client { transmitter: TransmitterClient::new(to.channel()), disconnection }
    }

    /// Reads the description of the transmitter's model; waits while the transmitter cannot be reached.
    ///
    /// # Errors
    /// Fails if the transmitter refuses to answer.
    pub async fn model(&mut self) -> Result<Model> {
        let mut backoff = Backoff::default();
        loop {
            let mut request = Request::new(GetModelRequest {});
            request.set_timeout(UNARY_DEADLINE);
            let status = match self.transmitter.get_model(request).await {
                Ok(model) => {
                    self.disconnection.end();
                    return Ok(model.into_inner().model.unwrap_or_default());
                }
                Err(status) if is_transient(&status) => status,
                Err(status) => {
                    return Err(anyhow!(reason(&status)))
                        .with_context(|| format!("asking the {}", self.disconnection.peer()));
                }
            };
            self.disconnection.begin(&status);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }

    /// Sends all deliveries of `plan` at the rate of `pace`. `outcome` is called with each sequence number and its
    /// outcome, once each, in any order.
    ///
    /// # Errors
    /// Fails if the transmitter refuses the stream for good, or `outcome` fails.
    pub async fn exchange(
        &self,
        plan: &Arc<Plan>,
        mut pace: Pace,
        mut outcome: impl FnMut(u64, Outcome) -> Result<()>,
    ) -> Result<()> {
        let feed = async |feed: Feed| {
            feed.plan(plan, &mut pace, None).await;
            Ok(())
        };
        self.stream(None, feed, |item, answer| outcome(item.sequence, answer)).await
    }

    /// Sends the deliveries that `feed` hands over. `outcome` is called with each item and its outcome, once each, in
    /// any order. When `drain` starts, `feed` is dropped; deliveries already sent may still be answered until the
    /// drain's deadline.
    ///
    /// # Errors
    /// Fails if the transmitter refuses the stream for good, or `feed` or `outcome` fails.
    pub async fn stream(
        &self,
        drain: Option<&Drain>,
        feed: impl AsyncFnOnce(Feed) -> Result<()>,
        mut outcome: impl FnMut(Item, Outcome) -> Result<()>,
    ) -> Result<()> {
        let exchange = ToTransmitter(self.transmitter.clone());
        let Hop { sender, mut receiver } = Hop::start(exchange, HopConfig::new(self.disconnection.clone()));
        let started = async || match drain {
            Some(drain) => drain.started().await,
            None => std::future::pending().await,
        };
        let fed = async {
            tokio::select! {
                biased;
                () = started() => Ok(()),
                fed = feed(Feed(sender)) => fed,
            }
        };
        let collect = async {
            while let Some(acknowledged) = receiver.recv().await {
                let acknowledged = acknowledged
                    .map_err(|status| anyhow!(reason(&status)))
                    .with_context(|| format!("the {} ended the stream", self.disconnection.peer()))?;
                outcome(acknowledged.item, acknowledged.response)?;
            }
            Ok(())
        };
        let cut_off = async {
            started().await;
            tokio::time::sleep(drain.map_or(Duration::MAX, Drain::deadline)).await;
        };
        tokio::select! {
            done = async { tokio::try_join!(fed, collect) } => done.map(drop),
            () = cut_off => Ok(()),
        }
    }
}

/// The sending end of a [`Client`]'s stream, given to a feed. Dropping it ends the input.
pub(super) struct Feed(HopSender<ToTransmitter>);

impl Feed {
    /// Sends all deliveries of a plan; `false` if the hop has ended (the client's stream then fails with its status).
    /// `held` is kept until each delivery is answered.
    pub async fn plan(&self, plan: &Arc<Plan>, pace: &mut Pace, held: Option<Arc<OwnedSemaphorePermit>>) -> bool {
        for sequence in plan.numbers() {
            pace.wait().await;
            let item = Item { plan: plan.clone(), sequence, _held: held.clone() };
            if self.0.send(item).await.is_err() {
                return false;
            }
        }
        true
    }
}
