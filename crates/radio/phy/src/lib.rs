//! The physical layer: symbols, the channel and its keyed randomness, equalisers, modulation and closed forms.
//!
//! Conventions: the SNR is Es/N0 per complex symbol, a burst has mean power 1, fading is one coefficient per burst
//! (block fading), and every random number is derived from a [`NoiseKey`]. The path of a burst is
//! [`Symbols`] → [`draw`] → [`Realisation::apply`] → [`equalise`] → [`Equalised`].

#![forbid(unsafe_code)]

mod channel_name;
pub mod closed_form;
mod complex;
mod conditions;
mod draw;
mod equaliser;
mod modulation;
mod snr;
mod sweep;
mod sweep_error;
mod symbols;

pub use channel_name::ChannelName;
pub use complex::Complex;
pub use conditions::{ChannelKind, Conditions, ConditionsError, KFactor};
pub use draw::{NoiseKey, Realisation, Received, draw, realised_snr_db};
pub use equaliser::{Equalised, Equaliser, EqualiserError, UnknownEqualiser, ZF_FLOOR, equalise};
pub use modulation::Modulation;
pub use snr::{SnrDb, SnrError};
pub use sweep::{ChannelList, ChannelSpec, SnrList, sweep};
pub use sweep_error::SweepError;
pub use symbols::{POWER_EPSILON, Symbols, SymbolsError};
