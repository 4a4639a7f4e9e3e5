//! Why a burst gets no prediction.

use crate::journal::JournalError;
use tonic::Status;
use wire::Fault;
use wire::fault::ErrorCode;

/// Why a burst gets no prediction, and what becomes of its stream.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// The burst cannot be taken. It gets this as its receipt, and the stream goes on.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The receiver cannot keep its promise. The stream ends with UNAVAILABLE, so that the sender keeps the burst.
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
    /// The fault for a receipt, or the status that the stream ends with.
    ///
    /// # Errors
    /// The status, if this is no matter of one burst.
    pub fn into_fault(self) -> Result<Fault, Status> {
        match self {
            Refusal::Fault(fault) => Ok(fault),
            Refusal::Unavailable(reason) => Err(Status::unavailable(reason)),
        }
    }
}
