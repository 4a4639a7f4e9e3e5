//! The NR chain: from the bytes of a clip to symbols, through the channel, and back to bytes.

use std::num::NonZero;

use crate::{Mcs, Transport, TransportError};
use fec::Demapping;
use phy::{
    Conditions, Equalised, Equaliser, EqualiserError, NoiseKey, Received, Symbols, SymbolsError, draw, equalise,
};

/// The coherence length of the channel: for how many symbols of a clip one channel coefficient h applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coherence {
    /// One h applies to all symbols of a clip.
    Whole,
    /// One h applies to this many complex symbols, then a new one is drawn, which gives the code diversity.
    Symbols(NonZero<usize>),
}

impl Coherence {
    /// A new h every 25 complex symbols, the length of the bursts of the learned schemes.
    pub const EVERY_25: Coherence = Coherence::Symbols(NonZero::new(25).unwrap());

    /// The number of complex symbols in each burst of a clip of `symbols` symbols; the last burst may be shorter.
    pub(crate) fn length(self, symbols: usize) -> usize {
        match self {
            Coherence::Whole => symbols.max(1),
            Coherence::Symbols(length) => length.get(),
        }
    }

    /// The noise key of the burst numbered `burst` of the clip with `key`; with [`Coherence::Whole`] it is `key`
    /// itself. Clips with rows below 2³² have no key in common.
    pub(crate) fn key(self, key: NoiseKey, burst: usize) -> NoiseKey {
        match self {
            Coherence::Whole => key,
            Coherence::Symbols(_) => NoiseKey { row: key.row ^ ((burst as u64 + 1) << 32), ..key },
        }
    }
}

/// The NR chain for clips of one size at one MCS: each clip is one transport block.
#[derive(Clone, Debug)]
pub struct Link {
    mcs: Mcs,
    transport: Transport,
}

/// Why bytes could not be sent over the NR chain, or did not arrive.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// The transport block is not possible, or its input is not valid; [`TransportError::CrcFailed`] if the clip did
    /// not arrive.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A received burst cannot be equalised.
    #[error(transparent)]
    Equaliser(#[from] EqualiserError),
    /// The symbols of a burst are not valid.
    #[error(transparent)]
    Symbols(#[from] SymbolsError),
}

impl LinkError {
    /// Whether the clip was received but its CRC failed. The receiver then predicts the best constant.
    pub fn is_lost(&self) -> bool {
        matches!(self, LinkError::Transport(TransportError::CrcFailed { .. }))
    }
}

impl Link {
    /// Makes the NR chain for clips of `bytes` bytes at `mcs`.
    ///
    /// # Errors
    /// If `bytes` is 0, or so small that with the check bits the code rate exceeds
    /// [`MAX_CODE_RATE`](crate::MAX_CODE_RATE).
    pub fn new(bytes: usize, mcs: Mcs) -> Result<Link, LinkError> {
        Ok(Link { mcs, transport: Transport::with_mcs(8 * bytes, mcs)? })
    }

    /// The number of complex channel uses of a clip of `bytes` bytes at `mcs`, without building its transport block.
    ///
    /// # Errors
    /// If [`Link::new`] fails for the same arguments.
    pub fn channel_uses_of(bytes: usize, mcs: Mcs) -> Result<usize, LinkError> {
        Ok(Transport::channel_uses_of(8 * bytes, mcs)?)
    }

    /// The MCS at which clips are sent.
    pub fn mcs(&self) -> Mcs {
        self.mcs
    }

    /// The transport block that a clip is sent as.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The number of complex channel uses of a clip.
    pub fn channel_uses(&self) -> usize {
        self.transport.channel_uses()
    }

    /// Encodes the bytes of a clip to [`Link::channel_uses`] complex symbols, of unit mean power over all clips. The
    /// most significant bit of each byte is sent first.
    ///
    /// # Errors
    /// If the number of bytes is not the one given to [`Link::new`].
    pub fn send(&self, bytes: &[u8]) -> Result<Symbols, LinkError> {
        let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |k| byte >> k & 1 == 1)).collect();
        Ok(self.transport.encode(&bits)?)
    }

    /// Sends `symbols` through the channel in bursts with one h each. The channel is drawn from `key`, whose row must
    /// be below 2³².
    ///
    /// # Errors
    /// Only if a burst is not valid as [`Symbols`], which does not happen, because `symbols` is.
    pub fn pass(
        symbols: &Symbols,
        conditions: &Conditions,
        coherence: Coherence,
        key: NoiseKey,
    ) -> Result<Vec<Received>, LinkError> {
        let bursts = symbols.reals().chunks(2 * coherence.length(symbols.len())).enumerate();
        let through = |(burst, reals): (usize, &[f32])| {
            let sent = Symbols::new(reals.to_vec())?;
            Ok(draw(coherence.key(key, burst), conditions, sent.len()).apply(&sent))
        };
        bursts.map(through).collect()
    }

    /// Decodes the bytes of a clip from all its received bursts, in order: MMSE equalisation, soft demapping, decoding.
    ///
    /// # Errors
    /// With [`LinkError::is_lost`] if the CRC fails; without it if bursts are missing or have values that are not
    /// finite.
    pub fn receive(&self, bursts: &[Received]) -> Result<Vec<u8>, LinkError> {
        let equalised = |burst: &Received| equalise(burst.symbols.reals(), burst.h, burst.n0, Equaliser::Mmse);
        self.receive_equalised(&bursts.iter().map(equalised).collect::<Result<Vec<_>, _>>()?)
    }

    /// Decodes the bytes of a clip from all its bursts, in order, which have been equalised by MMSE.
    ///
    /// # Errors
    /// With [`LinkError::is_lost`] if the CRC fails; without it if bursts are missing or have values that are not
    /// finite.
    pub fn receive_equalised(&self, bursts: &[Equalised]) -> Result<Vec<u8>, LinkError> {
        let mut llrs = Vec::with_capacity(self.transport.coded_bits());
        for equalised in bursts {
            let modulation = self.transport.modulation();
            let ratios = modulation.demap_equalised(equalised, Equaliser::Mmse, Demapping::Exact);
            llrs.extend(ratios.map_err(TransportError::from)?);
        }
        let bits = self.transport.decode(&llrs)?;
        let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit));
        Ok(bits.chunks_exact(8).map(byte).collect())
    }
}
