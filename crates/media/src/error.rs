use std::path::PathBuf;

/// Why a media file gives no sound.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is not a byte in it.
    #[error("the file is empty")]
    Empty,
    /// It has more bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the file has more than {limit} bytes, the limit")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The sound goes on past [`Limits::seconds`](crate::Limits::seconds).
    #[error("the sound is longer than {limit} s, the limit")]
    TooLong {
        /// The limit in seconds.
        limit: f64,
    },
    /// No container of a known kind begins the file, whatever its name says.
    #[error("not a known media file: {0}")]
    Unknown(String),
    /// A known container that holds no sound, or none that can be decoded.
    #[error("no sound that can be decoded: {0}")]
    NoAudio(String),
    /// The file ends before the sound that it announces.
    #[error("the file is cut off: it announces {announced} samples a channel and holds {found}")]
    Truncated {
        /// Samples a channel by the container.
        announced: u64,
        /// Samples a channel that were there.
        found: u64,
    },
    /// What the container says about the sound contradicts itself.
    #[error("damaged: {0}")]
    Damaged(String),
    /// A rate that no recording of speech has.
    #[error("expected a sampling rate of 4000 to 192000 Hz, got {0}")]
    Rate(u32),
    /// More samples than a window of [`LogMel`](crate::LogMel) takes.
    #[error("expected at most {limit} samples for one window, got {got}")]
    Window {
        /// Samples in a window.
        limit: usize,
        /// Samples that came.
        got: usize,
    },
}
