//! Pictures as they leave the crate.

/// Frames a second that the visual front ends work at.
pub const FRAME_RATE_HZ: f64 = 5.0;

/// What is shown at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Seconds from the start of the video.
    pub time_s: f64,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Red, green and blue, `[height, width, 3]`.
    pub rgb: Vec<u8>,
}
