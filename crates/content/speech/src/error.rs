/// What cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sample is NaN or infinite.
    #[error("expected finite samples, got {value} at sample {index}")]
    NotFinite {
        /// Its place in the clip.
        index: usize,
        /// What it is.
        value: f32,
    },
}
