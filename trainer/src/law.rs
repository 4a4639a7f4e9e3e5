//! The law that the channel of training is drawn from.

use anyhow::Result;
use nn::ops::Affine;
use nn::random::Stream;
use phy::{ChannelKind, Conditions, Equaliser, NoiseKey, SnrDb};
use serde::{Deserialize, Serialize};

/// Which channels a network is trained for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TrainChannel {
    /// One network for all: noiseless, AWGN and Rayleigh mixed.
    #[default]
    Mix,
    /// Noiseless only.
    None,
    /// AWGN only.
    Awgn,
    /// Rayleigh block fading only.
    Rayleigh,
}

/// Kinds of channel and range of SNRs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelLaw {
    /// The kinds.
    pub channel: TrainChannel,
    /// Least and largest SNR in dB.
    pub snr_db: (f64, f64),
    /// SNRs are low + (high − low)·u^skew with u uniform: 1 is uniform, more leans to the low end, where errors are made.
    pub skew: f64,
}

/// One burst's channel in training.
pub struct Met {
    /// Channel and equaliser together.
    pub channel: Affine,
    /// What the receiver is told.
    pub rho: f32,
}

/// Shares of noiseless and of AWGN in the mix; the rest is Rayleigh.
const MIX: (f64, f64) = (0.1, 0.45);

impl ChannelLaw {
    /// The names of the kinds.
    pub fn kinds(&self) -> Vec<String> {
        let kinds = match self.channel {
            TrainChannel::Mix => vec![ChannelKind::None, ChannelKind::Awgn, ChannelKind::Rayleigh],
            TrainChannel::None => vec![ChannelKind::None],
            TrainChannel::Awgn => vec![ChannelKind::Awgn],
            TrainChannel::Rayleigh => vec![ChannelKind::Rayleigh],
        };
        kinds.into_iter().map(|kind| kind.to_string()).collect()
    }

    fn conditions(&self, stream: &mut Stream) -> Result<Conditions> {
        let u = stream.uniform();
        let kind = match self.channel {
            TrainChannel::Mix if u < MIX.0 => ChannelKind::None,
            TrainChannel::Mix if u < MIX.0 + MIX.1 => ChannelKind::Awgn,
            TrainChannel::Mix | TrainChannel::Rayleigh => ChannelKind::Rayleigh,
            TrainChannel::None => ChannelKind::None,
            TrainChannel::Awgn => ChannelKind::Awgn,
        };
        let (low, high) = self.snr_db;
        let snr = SnrDb::try_from(low + (high - low) * stream.uniform().powf(self.skew))?;
        Ok(Conditions::new(kind, (kind != ChannelKind::None).then_some(snr), None)?)
    }

    /// A burst of `reals` through the physical layer's own realisation and equaliser, as one affine map.
    ///
    /// # Errors
    /// If the range of SNRs is not finite.
    pub fn draw(&self, stream: &mut Stream, reals: usize, equaliser: Equaliser) -> Result<Met> {
        let conditions = self.conditions(stream)?;
        let word = |stream: &mut Stream| (stream.uniform() * (1u64 << 53) as f64) as u64;
        let key = NoiseKey { seed: word(stream), draw: 0, row: word(stream) };
        let realisation = phy::draw(key, &conditions, reals / 2);
        let (h, n0) = (realisation.h, realisation.n0);
        let offset =
            if n0 == 0.0 { vec![0.0; reals] } else { phy::equalise(&realisation.noise, h, n0, equaliser)?.reals };
        let through = phy::equalise(&[h.re, h.im], h, n0, equaliser)?;
        Ok(Met { channel: Affine { gain: (through.reals[0], through.reals[1]), offset }, rho: through.rho })
    }
}

#[cfg(test)]
mod tests;
