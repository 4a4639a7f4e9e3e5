//! Faults of messages: the error with which an invalid clip or burst is answered, while its stream goes on.

use proto::v1;
pub use proto::v1::ErrorCode;

/// Why a message is rejected, and which of its fields is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Fault {
    /// The kind of fault.
    pub code: ErrorCode,
    /// The path of the invalid field in the message, such as `audio.features.width`.
    pub field: String,
    /// The description of the fault for people: what was expected, and what was received.
    pub message: String,
}

impl Fault {
    /// A fault of the field with the path `field`.
    pub fn new(code: ErrorCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { code, field: field.into(), message: message.into() }
    }

    /// This fault with `outer` put in front of the path of its field: `outer.field`.
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
