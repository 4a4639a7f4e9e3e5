//! Errors of parsing a channel, an SNR or a list of either from text.

use crate::{ConditionsError, SnrDb, SnrError};

/// The largest number of points in a list of SNRs.
pub(crate) const MAX_POINTS: usize = 1000;
/// The smallest step of a range `start:stop:step` of SNRs, in dB.
pub(crate) const MIN_STEP_DB: f64 = 1e-9;
/// The largest step of a range `start:stop:step` of SNRs, in dB: the distance from the lowest SNR to the highest.
pub(crate) const MAX_STEP_DB: f64 = 2.0 * SnrDb::LIMIT;
/// The largest number of channels in a list.
pub(crate) const MAX_CHANNELS: usize = 100;

/// Why the text of an option is not a channel, an SNR or a list of either.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// One of the numbers is not a valid SNR.
    #[error(transparent)]
    Snr(#[from] SnrError),
    /// One of the channels is unknown, or its conditions are incomplete or contradictory.
    #[error(transparent)]
    Channel(#[from] ConditionsError),
    /// The range, given here, does not have the three parts `start:stop:step`.
    #[error("expected start:stop:step such as -12:21:3, got `{0}`")]
    Parts(String),
    /// The step of the range, given here, is not finite, or is not between
    /// [`SnrList::MIN_STEP_DB`](crate::SnrList::MIN_STEP_DB) and [`SnrList::MAX_STEP_DB`](crate::SnrList::MAX_STEP_DB).
    #[error("the step of `{0}` must lie between {min:e} and {max} dB", min = MIN_STEP_DB, max = MAX_STEP_DB)]
    Step(String),
    /// The range `start:stop:step`, given here, has a `stop` below its `start`.
    #[error("`{0}` stops below its start")]
    Backwards(String),
    /// A list or range of SNRs has more points than [`SnrList::MAX_POINTS`](crate::SnrList::MAX_POINTS).
    #[error("`{text}` has {points} points, at most {max} are accepted", max = MAX_POINTS)]
    TooMany {
        /// The text of the list or range; of a list its beginning.
        text: String,
        /// The number of points in the list or range.
        points: u64,
    },
    /// The number of channels, given here, exceeds [`ChannelList::MAX_CHANNELS`](crate::ChannelList::MAX_CHANNELS).
    #[error("{0} channels are given, at most {max} are accepted", max = MAX_CHANNELS)]
    TooManyChannels(usize),
    /// The SNR or channel, given here in words, occurs twice in a list.
    #[error("{0} is given twice")]
    Twice(String),
    /// The channel, given here, has a `:` that is not followed by a number.
    #[error("expected a K factor such as rician:4, got `{0}`")]
    KFactor(String),
    /// A K factor is given both in the name of a channel and in a separate option.
    #[error("{name} names a K factor, and {beside} is given beside it")]
    KFactorTwice {
        /// The name of the channel, which includes its K factor.
        name: String,
        /// The linear K factor given in the separate option.
        beside: f64,
    },
}
