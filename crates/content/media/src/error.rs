use std::path::PathBuf;

/// Why a media file gives no sound or no pictures.
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
    /// A file that ends before the bytes that its own tables point to.
    #[error("the file is cut off: it wants {expected} bytes and has {found}")]
    CutOff {
        /// Bytes by the tables.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// An MP4 file in fragments, as for streaming.
    #[error("a fragmented MP4 file ({0}), which is not decoded in process")]
    Fragmented(String),
    /// A known container with something in it that is not decoded in process.
    #[error("not decoded in process: {0}")]
    Unsupported(String),
    /// A known container that holds no pictures, or none that can be decoded.
    #[error("no pictures that can be decoded: {0}")]
    NoVideo(String),
    /// The pictures go on past [`Limits::seconds`](crate::Limits::seconds).
    #[error("the video is longer than {limit} s, the limit")]
    VideoTooLong {
        /// The limit in seconds.
        limit: f64,
    },
    /// Pictures of more than [`Limits::pixels`](crate::Limits::pixels).
    #[error("pictures of {width} × {height} have more than {limit} pixels, the limit")]
    TooManyPixels {
        /// The limit.
        limit: u64,
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
    },
    /// The pictures took longer than [`Limits::picture_seconds`](crate::Limits::picture_seconds).
    #[error("decoding the pictures took longer than {limit} s, the limit")]
    PictureTime {
        /// The limit in seconds.
        limit: f64,
    },
    /// More of something than is taken.
    #[error("expected at most {limit} {what}, got {got}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What the file has.
        got: u64,
    },
    /// A rate at which no frames are given.
    #[error("expected a rate above 0 and at most 120 frames a second, got {0}")]
    FrameRate(f64),
    /// The ffmpeg process failed.
    #[error("ffmpeg: {0}")]
    Ffmpeg(String),
    /// The ffmpeg process was ended at [`Limits::ffmpeg_seconds`](crate::Limits::ffmpeg_seconds).
    #[error("ffmpeg took longer than {limit} s, the limit")]
    FfmpegTime {
        /// The limit in seconds.
        limit: f64,
    },
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
