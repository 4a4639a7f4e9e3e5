//! What is wrong with a message: the error answer that a bad clip or burst gets while the stream goes on.

use proto::v1;
pub use proto::v1::ErrorCode;

/// A message that cannot be taken, with the field at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Fault {
    /// The kind of fault.
    pub code: ErrorCode,
    /// Such as `audio.features.width`.
    pub field: String,
    /// What was expected and what came.
    pub message: String,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(code: ErrorCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { code, field: field.into(), message: message.into() }
    }

    /// The same fault of a field inside `outer`.
    pub fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

impl From<Fault> for v1::Error {
    fn from(fault: Fault) -> Self {
        v1::Error { code: fault.code.into(), field: fault.field, message: fault.message }
    }
}

impl From<v1::Error> for Fault {
    fn from(error: v1::Error) -> Self {
        Fault { code: error.code(), field: error.field, message: error.message }
    }
}
