//! Threads of a run.

/// How many threads a run takes. Its result does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One for each data-parallel part of a step.
    OneAPart,
    /// One, for runs side by side.
    One,
}
