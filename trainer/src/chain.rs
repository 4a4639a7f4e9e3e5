//! The network of a run: that of scheme `proposed`, or T-DeepSC's.

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

/// Both halves and what training needs beside them.
pub enum Chain {
    /// Of scheme `proposed`, and of those that send what it decides.
    Proposed(Box<Network>),
    /// Of T-DeepSC.
    TDeepSc(Box<TDeepSc>),
}

impl Chain {
    /// All parameters of training.
    ///
    /// # Errors
    /// If the parameters are not to be had.
    pub fn new(root: &Scope, scheme: SchemeKind, config: &Config) -> Result<Self, ParamError> {
        Ok(match scheme {
            SchemeKind::TDeepSc => Chain::TDeepSc(Box::new(TDeepSc::new(root, config)?)),
            _ => Chain::Proposed(Box::new(Network::new(root, config)?)),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &Config {
        match self {
            Chain::Proposed(network) => &network.config,
            Chain::TDeepSc(network) => &network.config,
        }
    }

    /// What the deployed transmitter does with a batch before the channel matters.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn digest(&self, batch: &Batch) -> candle_core::Result<Vec<Tensor>> {
        match self {
            Chain::Proposed(network) => network.transmitter.digest(batch),
            Chain::TDeepSc(network) => network.transmitter.digest(batch),
        }
    }

    /// Z `[clips, reals]` as the deployed transmitter sends it when the bursts are going to meet `rho`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn send(&self, digest: &[Tensor], rho: &[f32]) -> candle_core::Result<Tensor> {
        match self {
            Chain::Proposed(network) => network.transmitter.send(digest, Some(rho)),
            Chain::TDeepSc(network) => network.transmitter.send(digest, Some(rho)),
        }
    }

    /// What the deployed receiver's head reads of Ẑ `[bursts, reals]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn latent(&self, received: &Tensor, rho: &[f32]) -> candle_core::Result<Tensor> {
        match self {
            Chain::Proposed(network) => network.receiver.mvib.mean(received, rho),
            Chain::TDeepSc(network) => network.receiver.latent(received, rho, &mut Run::evaluating()),
        }
    }

    /// The decision head.
    pub fn head(&self) -> &Head {
        match self {
            Chain::Proposed(network) => &network.receiver.head,
            Chain::TDeepSc(network) => &network.receiver.head,
        }
    }

    /// The scheme's objective over one part of a batch, a share of the mean over the step's clips. The gradients of a
    /// step's parts sum to those of that mean.
    ///
    /// # Errors
    /// Candle's, if the network does not fit the batch.
    pub fn objective(&self, weights: &Weights, law: &ChannelLaw, step: Step) -> Result<(Tensor, Sums)> {
        match self {
            Chain::Proposed(network) => objective::objective(network, weights, law, step),
            Chain::TDeepSc(network) => objective::tdeepsc::objective(network, weights, law, step),
        }
    }
}
