//! One transport block from payload bits to symbols and back (TS 38.212, 5.2.2 to 5.5, and TS 38.211, 5.1).
//!
//! Encoding is CRC, segmentation, LDPC, rate matching with redundancy version 0, concatenation and QAM. Decoding goes
//! from the log-likelihood ratios of the bits sent through message passing to payload bits or a failed check. There is
//! no scrambling, because the simulated channel does not need it.

use phy::Symbols;

use crate::error::TransportError;
use crate::rate_limit::MAX_CODE_RATE;
use crate::rate_matching::RateMatching;
use crate::{Mcs, Segmentation};
use fec::Qam;
use fec::ldpc::{CheckRule, Code, Decoder};

/// A transport block of fixed size, modulation and code rate: its encoder and decoder. To clone it takes much less time
/// than to decode once.
#[derive(Clone, Debug)]
pub struct Transport {
    payload_bits: usize,
    modulation: Qam,
    segmentation: Segmentation,
    code: Code,
    /// The rate matching of each code block, `[C]`.
    matchings: Vec<RateMatching>,
    decoder: Decoder,
}

impl Transport {
    /// A transport block of `payload_bits` bits in ⌈payload_bits/(code_rate · Q_m)⌉ complex symbols of `modulation`,
    /// where `code_rate` is payload bits over coded bits. This is the inverse of TS 38.214, 5.1.3.2, which goes from
    /// the number of symbols to the payload.
    ///
    /// # Errors
    /// If there are no payload bits, the rate is not between 0 and [`MAX_CODE_RATE`], or the rate with check bits
    /// exceeds [`MAX_CODE_RATE`].
    pub fn new(payload_bits: usize, modulation: Qam, code_rate: f64) -> Result<Self, TransportError> {
        let (segmentation, symbols) = sizes(payload_bits, modulation, code_rate)?;
        let width = modulation.bits_per_symbol();
        let code = Code::new(segmentation.graph, segmentation.lifting_size)?;
        let blocks = segmentation.blocks;
        let of_block = |block: usize| symbols_of_block(symbols, blocks, block);
        let matching = |block| RateMatching::new(&code, segmentation.block_bits, width * of_block(block), width);
        let matchings = (0..blocks).map(matching).collect();
        let decoder = Decoder { rule: CheckRule::ApproximateSumProduct, ..Decoder::default() };
        Ok(Transport { payload_bits, modulation, segmentation, code, matchings, decoder })
    }

    /// A transport block of `payload_bits` bits with the modulation and code rate of `mcs`.
    ///
    /// # Errors
    /// If there are no payload bits, or the code rate with check bits exceeds [`MAX_CODE_RATE`].
    pub fn with_mcs(payload_bits: usize, mcs: Mcs) -> Result<Self, TransportError> {
        Transport::new(payload_bits, mcs.modulation(), mcs.code_rate())
    }

    /// The number of complex channel uses of a transport block of `payload_bits` bits at `mcs`,
    /// ⌈payload_bits/(rate · Q_m)⌉, without building it: a few operations, whatever the size.
    ///
    /// # Errors
    /// If [`Transport::with_mcs`] fails for the same arguments.
    pub fn channel_uses_of(payload_bits: usize, mcs: Mcs) -> Result<usize, TransportError> {
        Ok(sizes(payload_bits, mcs.modulation(), mcs.code_rate())?.1)
    }

    /// This transport block with `decoder` in place of the default, [`CheckRule::ApproximateSumProduct`] in up to 30
    /// iterations.
    #[must_use]
    pub fn decoded_by(mut self, decoder: Decoder) -> Self {
        self.decoder = decoder;
        self
    }

    /// The number of payload bits.
    pub fn payload_bits(&self) -> usize {
        self.payload_bits
    }

    /// The constellation of the symbols.
    pub fn modulation(&self) -> Qam {
        self.modulation
    }

    /// The segmentation of the transport block into code blocks.
    pub fn segmentation(&self) -> &Segmentation {
        &self.segmentation
    }

    /// The number of coded bits sent for all code blocks, G of TS 38.212, 5.4.2.1.
    pub fn coded_bits(&self) -> usize {
        self.matchings.iter().map(RateMatching::sent_bits).sum()
    }

    /// The number of complex channel uses, which is the number of symbols sent.
    pub fn channel_uses(&self) -> usize {
        self.coded_bits() / self.modulation.bits_per_symbol()
    }

    /// The range of symbols of each code block, `[C]`, in order; together they are 0 … [`Transport::channel_uses`].
    pub fn block_symbols(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let width = self.modulation.bits_per_symbol();
        self.matchings.iter().scan(0, move |start, matching| {
            let range = *start..*start + matching.sent_bits() / width;
            *start = range.end;
            Some(range)
        })
    }

    /// Encodes `payload`, `[payload_bits]`, to [`Transport::channel_uses`] complex symbols of unit mean energy.
    ///
    /// # Errors
    /// If `payload` has not [`Transport::payload_bits`] bits.
    pub fn encode(&self, payload: &[bool]) -> Result<Symbols, TransportError> {
        if payload.len() != self.payload_bits {
            return Err(TransportError::PayloadBits { expected: self.payload_bits, got: payload.len() });
        }
        let mut coded = Vec::with_capacity(self.coded_bits());
        for (mut block, matching) in self.segmentation.cut(payload).into_iter().zip(&self.matchings) {
            block.resize(self.code.info_bits(), false);
            coded.extend(matching.select(&self.code.encode(&block)?));
        }
        Ok(self.modulation.modulate(&coded)?)
    }

    /// Decodes the payload, `[payload_bits]`, from the log-likelihood ratios of the bits sent, `[coded_bits]`, as
    /// [`Qam::demap`] returns them. It stops at the first code block that fails.
    ///
    /// # Errors
    /// [`TransportError::CrcFailed`] if a code block does not decode or a CRC fails. Others if `llrs` has not
    /// [`Transport::coded_bits`] values, or one is not finite.
    pub fn decode(&self, llrs: &[f64]) -> Result<Vec<bool>, TransportError> {
        if llrs.len() != self.coded_bits() {
            return Err(TransportError::Llrs { expected: self.coded_bits(), got: llrs.len() });
        }
        let blocks = self.segmentation.blocks;
        let (mut decoded, mut rest) = (Vec::with_capacity(blocks), llrs);
        for (block, matching) in self.matchings.iter().enumerate() {
            let (own, behind) = rest.split_at(matching.sent_bits());
            rest = behind;
            let found = self.decoder.decode(&self.code, &matching.combine(own))?;
            let mut word = found.word;
            word.truncate(self.segmentation.block_bits);
            // A block of zeros passes any CRC, and LLRs of 0 decode to zeros: so the syndrome must be satisfied, too.
            if !found.converged || !self.segmentation.block_passes(&word) {
                return Err(TransportError::CrcFailed { block, blocks });
            }
            decoded.push(word);
        }
        let failed = TransportError::CrcFailed { block: blocks, blocks };
        let mut payload = self.segmentation.join(&decoded).ok_or(failed)?;
        payload.truncate(self.payload_bits);
        Ok(payload)
    }
}

/// The segmentation of a transport block of `payload_bits` bits, and the number of complex symbols it takes.
fn sizes(payload_bits: usize, modulation: Qam, code_rate: f64) -> Result<(Segmentation, usize), TransportError> {
    let segmentation = Segmentation::new(payload_bits, code_rate)?;
    let width = modulation.bits_per_symbol();
    let symbols = (payload_bits as f64 / (code_rate * width as f64)).ceil() as usize;
    let rate = segmentation.block_bits as f64 / (width * symbols_of_block(symbols, segmentation.blocks, 0)) as f64;
    match rate > MAX_CODE_RATE {
        true => Err(TransportError::TooShort { payload_bits, got: rate }),
        false => Ok((segmentation, symbols)),
    }
}

/// The number of symbols of code block number `block`, E_r/Q_m of TS 38.212, 5.4.2.1. If `symbols` is not divisible by
/// `blocks`, the last code blocks have one symbol more.
fn symbols_of_block(symbols: usize, blocks: usize, block: usize) -> usize {
    symbols / blocks + usize::from(block >= blocks - symbols % blocks)
}
