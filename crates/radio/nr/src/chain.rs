//! Bytes to symbols, through the channel and back.

use std::num::NonZero;

use crate::{Mcs, Transport, TransportError};
use fec::Demapping;
use phy::{
    Conditions, Equalised, Equaliser, EqualiserError, NoiseKey, Received, Symbols, SymbolsError, draw, equalise,
};

/// How long one h holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coherence {
    /// For all symbols of a clip.
    Whole,
    /// For so many symbols, then a new one: diversity for the code. Ours sends 25.
    Symbols(NonZero<usize>),
}

impl Coherence {
    /// A new h every 25 symbols, as often as a scheme of 25 symbols has one.
    pub const EVERY_25: Coherence = Coherence::Symbols(NonZero::new(25).unwrap());

    /// Symbols of each burst of a clip of `symbols` but perhaps the last.
    pub(crate) fn length(self, symbols: usize) -> usize {
        match self {
            Coherence::Whole => symbols.max(1),
            Coherence::Symbols(length) => length.get(),
        }
    }

    /// The key of burst k of the clip with `key`, whose own it is if there is but one. Rows below 2³² give no key twice.
    pub(crate) fn key(self, key: NoiseKey, burst: usize) -> NoiseKey {
        match self {
            Coherence::Whole => key,
            Coherence::Symbols(_) => NoiseKey { row: key.row ^ ((burst as u64 + 1) << 32), ..key },
        }
    }
}

/// One clip's transport block at one MCS.
#[derive(Clone, Debug)]
pub struct Link {
    mcs: Mcs,
    transport: Transport,
}

/// Bytes that cannot be sent or did not arrive.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// As the code has it; [`TransportError::CrcFailed`] if the clip did not arrive.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A burst that cannot be equalised.
    #[error(transparent)]
    Equaliser(#[from] EqualiserError),
    /// Symbols that are none.
    #[error(transparent)]
    Symbols(#[from] SymbolsError),
}

impl LinkError {
    /// Whether the clip was received and its check failed, for which the receiver answers with the best constant.
    pub fn is_lost(&self) -> bool {
        matches!(self, LinkError::Transport(TransportError::CrcFailed { .. }))
    }
}

impl Link {
    /// For clips of `bytes`.
    ///
    /// # Errors
    /// If there are none, or too few for the rate of `mcs` with a check behind them.
    pub fn new(bytes: usize, mcs: Mcs) -> Result<Link, LinkError> {
        Ok(Link { mcs, transport: Transport::with_mcs(8 * bytes, mcs)? })
    }

    /// Complex symbols that a clip of `bytes` takes at `mcs`, without building its transport block.
    ///
    /// # Errors
    /// Exactly where [`Link::new`] gives one.
    pub fn channel_uses_of(bytes: usize, mcs: Mcs) -> Result<usize, LinkError> {
        Ok(Transport::channel_uses_of(8 * bytes, mcs)?)
    }

    /// The MCS.
    pub fn mcs(&self) -> Mcs {
        self.mcs
    }

    /// The transport block.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Complex symbols a clip takes.
    pub fn channel_uses(&self) -> usize {
        self.transport.channel_uses()
    }

    /// The symbols of `bytes`, of unit mean power over all clips, each byte's first bit its most significant.
    ///
    /// # Errors
    /// If there are not as many bytes as constructed for.
    pub fn send(&self, bytes: &[u8]) -> Result<Symbols, LinkError> {
        let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |k| byte >> k & 1 == 1)).collect();
        Ok(self.transport.encode(&bits)?)
    }

    /// `symbols` in bursts of one h each, through the channel of `key`, whose row is below 2³².
    ///
    /// # Errors
    /// None for symbols that are symbols.
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

    /// The bytes of received bursts, in order: equalised by MMSE, demapped softly, decoded.
    ///
    /// # Errors
    /// [`LinkError::is_lost`] if the check fails; otherwise if the bursts are not all there or not finite.
    pub fn receive(&self, bursts: &[Received]) -> Result<Vec<u8>, LinkError> {
        let equalised = |burst: &Received| equalise(burst.symbols.reals(), burst.h, burst.n0, Equaliser::Mmse);
        self.receive_equalised(&bursts.iter().map(equalised).collect::<Result<Vec<_>, _>>()?)
    }

    /// The bytes of bursts that have been equalised by MMSE, in order.
    ///
    /// # Errors
    /// [`LinkError::is_lost`] if the check fails; otherwise if the bursts are not all there.
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
