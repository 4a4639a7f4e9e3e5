//! Decoded sound, folded to one channel.

use crate::{Audio, Error};

/// Rates that are taken, in Hz.
pub const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// What was decoded so far, folded to one channel.
pub struct Mono {
    audio: Option<Audio>,
    limit: f64,
}

impl Mono {
    pub fn new(limit: f64) -> Self {
        Self { audio: None, limit }
    }

    /// The rate, once something is known of it.
    pub fn rate_hz(&self) -> Option<u32> {
        self.audio.as_ref().map(|a| a.rate_hz)
    }

    pub fn finish(self) -> Option<Audio> {
        self.audio
    }

    /// # Errors
    ///
    /// [`Error::Rate`], [`Error::Damaged`] if the rate changes, and [`Error::TooLong`].
    pub fn extend(&mut self, interleaved: &[f32], channels: usize, rate_hz: u32) -> Result<(), Error> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(Error::Rate(rate_hz));
        }
        let audio = self.audio.get_or_insert(Audio { pcm: Vec::new(), rate_hz });
        if audio.rate_hz != rate_hz {
            return Err(Error::Damaged(format!("the rate changes from {} to {rate_hz} Hz", audio.rate_hz)));
        }
        let channels = channels.max(1);
        audio.pcm.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
        if audio.seconds() > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        Ok(())
    }
}
