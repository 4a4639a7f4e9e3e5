//! The received and equalised symbols of a burst, for the acknowledgement of a burst that requests them.

use crate::burst::Reception;
use crate::journal::Answer;
use phy::{Equaliser, equalise};
use proto::v1::{ChannelReport, ReceivedSymbols};
use wire::convert::MAX_SHOWN_SYMBOLS;

/// The symbols of a burst and its channel report, kept until the burst's answer is known.
pub struct Shown {
    channel: ChannelReport,
    symbols: ReceivedSymbols,
}

impl Shown {
    /// The symbols of a burst before and after `equaliser`, the first [`MAX_SHOWN_SYMBOLS`] of each. `None` if the
    /// burst cannot be equalised; then it does not get a prediction either.
    pub fn of(reception: &Reception, equaliser: Equaliser) -> Option<Shown> {
        let reals = reception.symbols.reals();
        let first = &reals[..reals.len().min(2 * MAX_SHOWN_SYMBOLS)];
        let equalised = equalise(first, reception.h, reception.n0, equaliser).ok()?;
        let bytes = |reals: &[f32]| reals.iter().flat_map(|value| value.to_le_bytes()).collect();
        let symbols = ReceivedSymbols { received: bytes(first), equalised: bytes(&equalised.reals) };
        Some(Shown { channel: reception.channel, symbols })
    }

    /// The symbols, if `answer` is that to this burst; `None` if its channel report differs. This happens if the
    /// delivery key was answered before: the journal's answer may be that to an earlier transmission over another
    /// channel.
    pub fn behind(self, answer: &Answer) -> Option<ReceivedSymbols> {
        (answer.channel == self.channel).then_some(self.symbols)
    }
}
