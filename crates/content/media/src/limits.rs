/// What a media file may cost. Whatever it holds, decoding ends with an error that names the limit it ran into.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Length of the sound and of the pictures in seconds.
    pub seconds: f64,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Pictures in a track.
    pub pictures: u64,
    /// Pixels of all pictures of a track.
    pub all_pixels: u64,
    /// Seconds that may be spent decoding the pictures of a video in process.
    pub picture_seconds: f64,
    /// Seconds that may be spent waiting for an ffmpeg process, which decodes what is not decoded in process; 0 starts
    /// none.
    pub ffmpeg_seconds: f64,
}

impl Default for Limits {
    /// 256 MiB; ten minutes; 4096 × 2304 pixels; 72,000 pictures (120 a second) which together have no more pixels than
    /// ten minutes of 1920 × 1080 at 60 a second; five minutes for them; a minute for ffmpeg.
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            seconds: 600.0,
            pixels: 4096 * 2304,
            pictures: 72_000,
            all_pixels: 1920 * 1080 * 36_000,
            picture_seconds: 300.0,
            ffmpeg_seconds: 60.0,
        }
    }
}
