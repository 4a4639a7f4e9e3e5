//! Refusals: why a burst gets no prediction.

use crate::journal::JournalError;
use tonic::Status;
use wire::Fault;
use wire::fault::ErrorCode;

/// Why a burst gets no prediction, and what happens to its stream.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// The burst is not accepted. Its acknowledgement carries this fault, and the stream goes on.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The receiver cannot answer, for the reason given. The stream ends with UNAVAILABLE, so that the sender keeps the
    /// burst and sends it again.
    #[error("{0}")]
    Unavailable(String),
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::OtherModel { .. } => Fault::new(ErrorCode::BadKey, "delivery", error.to_string()).into(),
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}

impl Refusal {
    /// The fault for the burst's acknowledgement.
    ///
    /// # Errors
    /// Returns the status that the stream is to end with, if the refusal is not about one burst.
    pub fn into_fault(self) -> Result<Fault, Status> {
        match self {
            Refusal::Fault(fault) => Ok(fault),
            Refusal::Unavailable(reason) => Err(Status::unavailable(reason)),
        }
    }
}
