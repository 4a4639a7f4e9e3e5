//! The channel distribution that training draws from.

use anyhow::Result;
use nn::ops::Affine;
use nn::random::Stream;
use phy::{ChannelKind, Conditions, Equaliser, NoiseKey, SnrDb};
use serde::{Deserialize, Serialize};

/// Kinds of channel that a network is trained for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TrainChannel {
    /// One network for all channels: a random mix of noiseless, AWGN and Rayleigh.
    #[default]
    Mix,
    /// The noiseless channel only.
    None,
    /// The AWGN channel only.
    Awgn,
    /// The Rayleigh block fading channel only.
    Rayleigh,
}

/// Channel distribution of training: kinds of channel and range of SNRs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelLaw {
    /// The kinds of channel.
    pub channel: TrainChannel,
    /// Lowest and highest SNR, Es/N0 in dB.
    pub snr_db: (f64, f64),
    /// Exponent of the SNR distribution: SNRs are low + (high − low)·u^skew in dB, with u uniform. 1 is the uniform
    /// distribution; larger values favour low SNRs, where errors occur.
    pub skew: f64,
}

/// The realised channel of one burst in training, equalised.
pub struct Met {
    /// Channel and equaliser as one affine map on the burst.
    pub channel: Affine,
    /// ρ = |h|²/(|h|² + N0) of the burst, side information of the receiver.
    pub rho: f32,
}

/// Shares of the noiseless and of the AWGN channel in the mix; the rest is Rayleigh.
const MIX: (f64, f64) = (0.1, 0.45);

impl ChannelLaw {
    /// Names of the kinds of channel, such as `awgn`.
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

    /// Draws the channel of a burst of `reals` real channel dimensions: realisation and equaliser of the physical
    /// layer, as one affine map.
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
