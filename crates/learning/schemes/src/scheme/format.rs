//! The transport format: what both ends know of a coded burst beside its symbols.

use super::{InputError, InputErrorKind};
use nr::Link;
use nr::Mcs;

/// What both ends of a scheme that codes its bits know of a burst beside its symbols: control information, taken to arrive
/// free of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransportFormat {
    /// Index of modulation and code, I_MCS of TS 38.214, table 5.1.3.1-1.
    pub mcs: u8,
    /// Bytes of the transport block.
    pub bytes: u32,
}

impl TransportFormat {
    /// The largest transport block, in bytes.
    pub const MAX_BYTES: u32 = 1 << 22;
    /// The longest transmission, in complex symbols.
    pub const MAX_CHANNEL_USES: usize = 1 << 22;

    /// The modulation and coding scheme.
    ///
    /// # Errors
    /// [`InputErrorKind::Unsupported`] of `transport.mcs` if the table has no such index.
    pub fn scheme(self) -> Result<Mcs, InputError> {
        Mcs::new(self.mcs).map_err(|error| InputError::new(InputErrorKind::Unsupported, "transport.mcs", error))
    }

    /// Complex symbols that a block of this format takes: ⌈8 · bytes/(R · Q_m)⌉. Arithmetic alone, so that a claim costs
    /// nothing before it is held against the symbols that came.
    ///
    /// # Errors
    /// [`InputErrorKind::TooLong`] of `transport.bytes` beyond [`TransportFormat::MAX_BYTES`], of `transport` beyond
    /// [`TransportFormat::MAX_CHANNEL_USES`]; [`InputErrorKind::Unsupported`] of `transport.mcs` or `transport` for what has
    /// no code.
    pub fn channel_uses(self) -> Result<usize, InputError> {
        if self.bytes > Self::MAX_BYTES {
            let message = format!("expected at most {} bytes, got {}", Self::MAX_BYTES, self.bytes);
            return Err(InputError::new(InputErrorKind::TooLong, "transport.bytes", message));
        }
        let uses = Link::channel_uses_of(self.bytes as usize, self.scheme()?)
            .map_err(|error| InputError::new(InputErrorKind::Unsupported, "transport", error))?;
        if uses > Self::MAX_CHANNEL_USES {
            let message = format!("{uses} symbols, a burst holds at most {}", Self::MAX_CHANNEL_USES);
            return Err(InputError::new(InputErrorKind::TooLong, "transport", message));
        }
        Ok(uses)
    }
}
