//! Catches panics in work on received bytes, so that the process lives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::Fault;
use wire::fault::ErrorCode;

/// Runs `work` and returns its result.
///
/// # Errors
/// Fails with the fault INTERNAL of `field` if `work` panics. The panic hook logs where.
pub fn caught<T>(field: &str, work: impl FnOnce() -> T) -> Result<T, Fault> {
    let failed = |_| Fault::new(ErrorCode::Internal, field, "the receiver failed on it; its log says where");
    catch_unwind(AssertUnwindSafe(work)).map_err(failed)
}
