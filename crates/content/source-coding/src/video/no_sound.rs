//! The sound of a video in a build without the feature `video`: only that there is none crosses.

use crate::SourceError;

/// How many packets carry `samples` samples: 0 for a video without sound.
///
/// # Errors
/// [`SourceError::NoCodec`] if there is sound.
pub fn packets(samples: usize) -> Result<usize, SourceError> {
    if samples == 0 { Ok(0) } else { Err(SourceError::NoCodec) }
}

/// The packets that carry `pcm`: none for a video without sound.
///
/// # Errors
/// [`SourceError::NoCodec`] if there is sound.
pub fn encode(pcm: &[f32]) -> Result<Vec<Vec<u8>>, SourceError> {
    packets(pcm.len()).map(|_| Vec::new())
}

/// The samples that packets hold: none of a video without sound.
///
/// # Errors
/// [`SourceError::NoCodec`] if there is sound.
pub fn decode(_: &[&[u8]], samples: usize) -> Result<Vec<f32>, SourceError> {
    packets(samples).map(|_| Vec::new())
}
