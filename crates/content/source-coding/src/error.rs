//! Content that cannot be coded, and the limits it is held to.

/// Most frames of a plane.
pub const MAX_FRAMES: usize = 1024;
/// Most bytes of a transcript.
pub const MAX_TRANSCRIPT: usize = 1 << 16;

/// Content that cannot be coded, or bytes that are no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// A plane that the source has no ranges for.
    #[error("there are no ranges for {0}")]
    NoRanges(&'static str),
    /// A plane of another width.
    #[error("expected {expected} columns of {modality}, got {got}")]
    Width {
        /// Of which modality.
        modality: &'static str,
        /// Columns of the ranges.
        expected: usize,
        /// Columns there were.
        got: usize,
    },
    /// No frame, or too many.
    #[error("expected 1 to {MAX_FRAMES} frames of {modality}, got {got}")]
    Frames {
        /// Of which modality.
        modality: &'static str,
        /// Frames there were.
        got: usize,
    },
    /// A transcript that is too long.
    #[error("a transcript has at most {MAX_TRANSCRIPT} bytes, got {0}")]
    Transcript(usize),
    /// Pictures or sound, in a build without the feature `video`.
    #[error("this build has no codecs for pictures and sound; build with --features video")]
    NoCodec,
    /// A video with neither sound nor pictures.
    #[error("a video with neither sound nor pictures")]
    EmptyVideo,
    /// A video that is too long.
    #[error("a video has at most {0} s")]
    VideoTooLong(u32),
    /// The encoder failed.
    #[error("{0}")]
    Encoder(String),
    /// Received bytes that are no clip.
    #[error("damaged: {0}")]
    Damaged(String),
}
