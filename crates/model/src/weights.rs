//! The weights folder.

use crate::scheme::{ReceiverHalf, TransmitterHalf};
use std::path::Path;

/// Why weights cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WeightsError(String);

/// Loads the transmitter half from a weights folder or from the half itself.
///
/// # Errors
/// Names the file, tensor or field that is wrong.
pub fn load_transmitter(path: &Path) -> Result<Box<dyn TransmitterHalf>, WeightsError> {
    todo!("{path:?}")
}

/// Loads the receiver half from a weights folder or from the half itself.
///
/// # Errors
/// Names the file, tensor or field that is wrong.
pub fn load_receiver(path: &Path) -> Result<Box<dyn ReceiverHalf>, WeightsError> {
    todo!("{path:?}")
}
