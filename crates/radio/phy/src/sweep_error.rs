//! What is wrong with a channel, an SNR or a list of them as text.

use crate::{ConditionsError, SnrDb, SnrError};

/// The most points of a list of SNRs.
pub(crate) const MAX_POINTS: usize = 1000;
/// The least step of `start:stop:step` in dB.
pub(crate) const MIN_STEP_DB: f64 = 1e-9;
/// The largest step of `start:stop:step` in dB: from the lowest SNR to the highest.
pub(crate) const MAX_STEP_DB: f64 = 2.0 * SnrDb::LIMIT;
/// The most channels of a list.
pub(crate) const MAX_CHANNELS: usize = 100;

/// An option that makes no sweep.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// One of the numbers is no SNR.
    #[error(transparent)]
    Snr(#[from] SnrError),
    /// One of the channels is none.
    #[error(transparent)]
    Channel(#[from] ConditionsError),
    /// `start:stop:step` with other than three parts.
    #[error("expected start:stop:step such as -12:21:3, got `{0}`")]
    Parts(String),
    /// A step outside [`SnrList::MIN_STEP_DB`](crate::SnrList::MIN_STEP_DB) to [`SnrList::MAX_STEP_DB`](crate::SnrList::MAX_STEP_DB), or one that is not finite.
    #[error("the step of `{0}` must lie between {min:e} and {max} dB", min = MIN_STEP_DB, max = MAX_STEP_DB)]
    Step(String),
    /// A range that ends before it begins.
    #[error("`{0}` stops below its start")]
    Backwards(String),
    /// Too many points for a sweep that ends.
    #[error("`{text}` has {points} points, at most {max} are accepted", max = MAX_POINTS)]
    TooMany {
        /// What was given.
        text: String,
        /// How many points it makes.
        points: u64,
    },
    /// More channels than a sweep takes.
    #[error("{0} channels are given, at most {max} are accepted", max = MAX_CHANNELS)]
    TooManyChannels(usize),
    /// The same point twice, which would be counted twice.
    #[error("{0} is given twice")]
    Twice(String),
    /// A K factor that is no number.
    #[error("expected a K factor such as rician:4, got `{0}`")]
    KFactor(String),
    /// A K factor in the name of a channel and another value beside it.
    #[error("{name} names a K factor, and {beside} is given beside it")]
    KFactorTwice {
        /// The channel with its K factor.
        name: String,
        /// The linear K factor given beside it.
        beside: f64,
    },
}
