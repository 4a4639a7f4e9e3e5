//! A panic in work on received bytes, kept from the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::Fault;
use wire::fault::ErrorCode;

/// What `work` gives.
///
/// # Errors
/// INTERNAL of `field`, if it panics. The panic hook has told the log where.
pub fn caught<T>(field: &str, work: impl FnOnce() -> T) -> Result<T, Fault> {
    let failed = |_| Fault::new(ErrorCode::Internal, field, "the receiver failed on it; its log says where");
    catch_unwind(AssertUnwindSafe(work)).map_err(failed)
}
