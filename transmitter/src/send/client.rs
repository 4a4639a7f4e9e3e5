//! The hop to the transmitter.

use super::plan::Plan;
use anyhow::{Context, Result, anyhow};
use link::backoff::{Backoff, Outage};
use link::connect::{UNARY_DEADLINE, is_transient, reason};
use link::hop::HopConfig;
use link::{Delivery, Exchange, Hop, PeerUrl};
use proto::v1::transmitter_client::TransmitterClient;
use proto::v1::{Clip, GetModelRequest, Model, Outcome};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

/// One delivery of a plan. Its message is made when it is sent.
pub(super) struct Item {
    plan: Arc<Plan>,
    sequence: u64,
}

struct ToTransmitter(TransmitterClient<Channel>);

impl Exchange for ToTransmitter {
    type Item = Item;
    type Request = Clip;
    type Response = Outcome;

    fn opening(&self) -> Option<Clip> {
        None
    }

    fn key(item: &Item) -> Delivery {
        item.plan.delivery(item.sequence)
    }

    fn requests(item: &Item, out: &mut VecDeque<Clip>) {
        out.push_back(item.plan.message(item.sequence));
    }

    fn acknowledges(response: &Outcome) -> Option<Delivery> {
        Delivery::from_wire(response.delivery.as_ref()).ok()
    }

    async fn open(&mut self, outbound: ReceiverStream<Clip>) -> Result<Streaming<Outcome>, Status> {
        Ok(self.0.send(outbound).await?.into_inner())
    }
}

/// A transmitter, whether it is there yet or not.
pub(super) struct Client {
    transmitter: TransmitterClient<Channel>,
    outage: Arc<Outage>,
}

impl Client {
    pub fn new(to: &PeerUrl) -> Client {
        let outage = Arc::new(Outage::new(format!("transmitter at {to}")));
        Client { transmitter: TransmitterClient::new(to.channel()), outage }
    }

    /// Asks which model it sends with; waits until it is there.
    ///
    /// # Errors
    /// If it refuses to say.
    pub async fn model(&mut self) -> Result<Model> {
        let mut backoff = Backoff::default();
        loop {
            let mut request = Request::new(GetModelRequest {});
            request.set_timeout(UNARY_DEADLINE);
            let status = match self.transmitter.get_model(request).await {
                Ok(model) => {
                    self.outage.end();
                    return Ok(model.into_inner());
                }
                Err(status) if is_transient(&status) => status,
                Err(status) => {
                    return Err(anyhow!(reason(&status))).with_context(|| format!("asking the {}", self.outage.peer()));
                }
            };
            self.outage.begin(&status);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }

    /// Sends all of `plan`. `outcome` gets each number with its outcome, once, in any order.
    ///
    /// # Errors
    /// If the transmitter refuses the stream for good, or `outcome` says so.
    pub async fn exchange(&self, plan: &Arc<Plan>, mut outcome: impl FnMut(u64, Outcome) -> Result<()>) -> Result<()> {
        let exchange = ToTransmitter(self.transmitter.clone());
        let Hop { sender, mut receiver } = Hop::start(exchange, HopConfig::new(self.outage.clone()));
        let feed = async move {
            for sequence in 0..plan.len() {
                if sender.send(Item { plan: plan.clone(), sequence }).await.is_err() {
                    // The receiver says why.
                    break;
                }
            }
            Ok(())
        };
        let collect = async {
            while let Some(acknowledged) = receiver.recv().await {
                let acknowledged = acknowledged
                    .map_err(|status| anyhow!(reason(&status)))
                    .with_context(|| format!("the {} ended the stream", self.outage.peer()))?;
                outcome(acknowledged.item.sequence, acknowledged.response)?;
            }
            Ok(())
        };
        tokio::try_join!(feed, collect).map(|_| ())
    }
}
