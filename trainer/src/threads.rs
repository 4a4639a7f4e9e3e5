//! Number of threads that a run uses.

/// How many threads a training run uses. Its result does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One thread for each micro-batch of a step.
    OneAPart,
    /// One thread, for runs side by side.
    One,
}
