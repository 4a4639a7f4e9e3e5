/// What a media file may cost. Whatever it holds, decoding ends with an error that names the limit it ran into.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Length of the sound in seconds.
    pub seconds: f64,
}

impl Default for Limits {
    /// 256 MiB and ten minutes.
    fn default() -> Self {
        Self { bytes: 256 << 20, seconds: 600.0 }
    }
}
