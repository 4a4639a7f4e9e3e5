//! The network that a run trains: that of scheme `proposed`, or T-DeepSC.

use crate::law::ChannelLaw;
use crate::objective::{self, Step, Sums, Weights};
use anyhow::Result;
use candle_core::Tensor;
use network::batch::Batch;
use network::config::Config;
use network::head::Head;
use network::proposed::{Network, Sends};
use network::tdeepsc::TDeepSc;
use nn::layers::Run;
use nn::params::{ParamError, Scope};
use schemes::scheme_kind::SchemeKind;

/// The network of a run: both halves, and what training needs in addition.
pub enum Chain {
    /// Network of scheme `proposed` and of the schemes that transmit its decisions.
    Proposed(Box<Network>),
    /// Network of T-DeepSC.
    TDeepSc(Box<TDeepSc>),
}

impl Chain {
    /// Builds the network of a scheme with all parameters of training, taken from `root`.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape.
    pub fn new(root: &Scope, scheme: SchemeKind, config: &Config) -> Result<Self, ParamError> {
        Ok(match scheme {
            SchemeKind::TDeepSc => Chain::TDeepSc(Box::new(TDeepSc::new(root, config)?)),
            _ => Chain::Proposed(Box::new(Network::new(root, config)?)),
        })
    }

    /// Sizes and options of the network.
    pub fn config(&self) -> &Config {
        match self {
            Chain::Proposed(network) => &network.config,
            Chain::TDeepSc(network) => &network.config,
        }
    }

    /// The channel-independent work of the deployed transmitter on a batch: tensors with one row for each clip, the
    /// input of [`Chain::send`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn digest(&self, batch: &Batch) -> candle_core::Result<Vec<Tensor>> {
        match self {
            Chain::Proposed(network) => network.transmitter.digest(batch),
            Chain::TDeepSc(network) => network.transmitter.digest(batch),
        }
    }

    /// Z `[clips, reals]` of unit power, as the deployed transmitter sends it. `rho` is ρ of each clip's channel
    /// realisation, which only a network with CSIT uses.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn send(&self, digest: &[Tensor], rho: &[f32]) -> candle_core::Result<Tensor> {
        match self {
            Chain::Proposed(network) => network.transmitter.send(digest, Some(rho)),
            Chain::TDeepSc(network) => network.transmitter.send(digest, Some(rho)),
        }
    }

    /// The input of the decision head in the deployed receiver, from Ẑ `[bursts, reals]` and ρ of each burst.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn latent(&self, received: &Tensor, rho: &[f32]) -> candle_core::Result<Tensor> {
        match self {
            Chain::Proposed(network) => network.receiver.mvib.mean(received, rho),
            Chain::TDeepSc(network) => network.receiver.latent(received, rho, &mut Run::evaluating()),
        }
    }

    /// The decision head of the receiver.
    pub fn head(&self) -> &Head {
        match self {
            Chain::Proposed(network) => &network.receiver.head,
            Chain::TDeepSc(network) => &network.receiver.head,
        }
    }

    /// The scheme's objective on one micro-batch, as its share of the mean over the step's clips, and the sums for the
    /// log. The gradients of a step's micro-batches sum to that of the step's mean.
    ///
    /// # Errors
    /// If the network does not fit the batch.
    pub fn objective(&self, weights: &Weights, law: &ChannelLaw, step: Step) -> Result<(Tensor, Sums)> {
        match self {
            Chain::Proposed(network) => objective::objective(network, weights, law, step),
            Chain::TDeepSc(network) => objective::tdeepsc::objective(network, weights, law, step),
        }
    }
}
