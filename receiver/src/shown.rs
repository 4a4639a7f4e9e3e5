//! The symbols of a burst for people who watch, where the burst asks for them.

use crate::burst::Reception;
use crate::journal::Answer;
use phy::{Equaliser, equalise};
use proto::v1::{ChannelReport, ReceivedSymbols};
use wire::convert::MAX_SHOWN_SYMBOLS;

/// What a burst brought, until its answer is known.
pub struct Shown {
    channel: ChannelReport,
    symbols: ReceivedSymbols,
}

impl Shown {
    /// Of a burst. None if it cannot be equalised; then it is not answered with a prediction either.
    pub fn of(reception: &Reception, equaliser: Equaliser) -> Option<Shown> {
        let reals = reception.symbols.reals();
        let first = &reals[..reals.len().min(2 * MAX_SHOWN_SYMBOLS)];
        let equalised = equalise(first, reception.h, reception.n0, equaliser).ok()?;
        let bytes = |reals: &[f32]| reals.iter().flat_map(|value| value.to_le_bytes()).collect();
        let symbols = ReceivedSymbols { received: bytes(first), equalised: bytes(&equalised.reals) };
        Some(Shown { channel: reception.channel, symbols })
    }

    /// The symbols, if `answer` was made of them. Of a key that was answered before, the journal has the answer; it may be
    /// that to a burst which met something else.
    pub fn behind(self, answer: &Answer) -> Option<ReceivedSymbols> {
        (answer.channel == self.channel).then_some(self.symbols)
    }
}
