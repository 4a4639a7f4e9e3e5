//! Sizes of T-DeepSC.

use serde::{Deserialize, Serialize};

/// Sizes of T-DeepSC beside those that every scheme has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Width and attention heads of the visual transformer.
    pub visual: (usize, usize),
    /// Width and attention heads of the audio transformer.
    pub audio: (usize, usize),
    /// Blocks of either.
    pub layers: usize,
    /// Width and attention heads of the decoder.
    pub decoder: (usize, usize),
    /// Inner width of the decoder's feed-forward parts.
    pub feed_forward: usize,
    /// Layers of the decoder.
    pub decoder_layers: usize,
    /// Learned queries.
    pub queries: usize,
    /// Whether the receiver is told ρ, as one more token of memory. The published one is not.
    pub side_information: bool,
}

impl Sizes {
    /// As published.
    pub const PUBLISHED: Sizes = Sizes {
        visual: (384, 6),
        audio: (128, 4),
        layers: 4,
        decoder: (128, 4),
        feed_forward: 512,
        decoder_layers: 2,
        queries: 25,
        side_information: false,
    };

    /// Quick on two cores.
    pub const SMALL: Sizes = Sizes {
        visual: (48, 4),
        audio: (32, 4),
        layers: 1,
        decoder: (48, 4),
        feed_forward: 96,
        decoder_layers: 1,
        queries: 9,
        side_information: false,
    };

    /// Whether the sizes make a network.
    ///
    /// # Errors
    /// Names the field that does not.
    pub fn check(&self) -> std::result::Result<(), String> {
        for (name, (width, heads)) in [("visual", self.visual), ("audio", self.audio), ("decoder", self.decoder)] {
            if width == 0 || heads == 0 || width > 1 << 16 || !width.is_multiple_of(heads) {
                return Err(format!(
                    "t_deepsc.{name}: expected a width and heads that divide it, got {width}, {heads}"
                ));
            }
        }
        for (name, size, most) in [
            ("layers", self.layers, 64),
            ("decoder_layers", self.decoder_layers, 64),
            ("feed_forward", self.feed_forward, 1 << 16),
            ("queries", self.queries, 1 << 10),
        ] {
            if size == 0 || size > most {
                return Err(format!("t_deepsc.{name}: expected 1 to {most}, got {size}"));
            }
        }
        Ok(())
    }
}
