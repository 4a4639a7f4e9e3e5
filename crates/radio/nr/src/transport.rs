//! One transport block from payload bits to symbols and back (TS 38.212, 5.2.2 to 5.5, and TS 38.211, 5.1).
//!
//! CRC, segmentation, LDPC, rate matching with redundancy version 0, concatenation, QAM; and soft ratios of the sent bits
//! through belief propagation to payload bits or a failed check. There is no scrambling: the channel has no use for it.

use phy::Symbols;

use crate::error::TransportError;
use crate::rate_limit::MAX_CODE_RATE;
use crate::rate_matching::RateMatching;
use crate::{Mcs, Segmentation};
use fec::Qam;
use fec::ldpc::{CheckRule, Code, Decoder};

/// A transport block of fixed size, modulation and code rate. Cheap to clone next to one decoding.
#[derive(Clone, Debug)]
pub struct Transport {
    payload_bits: usize,
    modulation: Qam,
    segmentation: Segmentation,
    code: Code,
    /// Of each code block.
    matchings: Vec<RateMatching>,
    decoder: Decoder,
}

impl Transport {
    /// A block of `payload_bits` in ⌈payload/(rate · Q_m)⌉ symbols of `modulation`: TS 38.214, 5.1.3.2 the other way
    /// round, from the payload to the resources. `code_rate` is payload bits over coded bits.
    ///
    /// # Errors
    /// If there is no payload, no code of this rate, or if with the check bits the rate exceeds [`MAX_CODE_RATE`].
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

    /// [`Transport::new`] with the modulation and code rate of `mcs`.
    ///
    /// # Errors
    /// As [`Transport::new`].
    pub fn with_mcs(payload_bits: usize, mcs: Mcs) -> Result<Self, TransportError> {
        Transport::new(payload_bits, mcs.modulation(), mcs.code_rate())
    }

    /// Complex symbols that [`Transport::with_mcs`] takes for `payload_bits`, ⌈payload/(rate · Q_m)⌉, without building it: a few
    /// integer operations, whatever size is asked for.
    ///
    /// # Errors
    /// Exactly where [`Transport::with_mcs`] gives one.
    pub fn channel_uses_of(payload_bits: usize, mcs: Mcs) -> Result<usize, TransportError> {
        Ok(sizes(payload_bits, mcs.modulation(), mcs.code_rate())?.1)
    }

    /// With another decoder than [`CheckRule::ApproximateSumProduct`] in up to 30 passes.
    #[must_use]
    pub fn decoded_by(mut self, decoder: Decoder) -> Self {
        self.decoder = decoder;
        self
    }

    /// Payload bits, as constructed.
    pub fn payload_bits(&self) -> usize {
        self.payload_bits
    }

    /// The constellation.
    pub fn modulation(&self) -> Qam {
        self.modulation
    }

    /// How the block is cut.
    pub fn segmentation(&self) -> &Segmentation {
        &self.segmentation
    }

    /// G of 5.4.2.1: bits sent, of all code blocks.
    pub fn coded_bits(&self) -> usize {
        self.matchings.iter().map(RateMatching::sent_bits).sum()
    }

    /// Complex symbols sent.
    pub fn channel_uses(&self) -> usize {
        self.coded_bits() / self.modulation.bits_per_symbol()
    }

    /// The symbols of each code block, in order: `[C]` ranges within 0 … [`Transport::channel_uses`].
    pub fn block_symbols(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let width = self.modulation.bits_per_symbol();
        self.matchings.iter().scan(0, move |start, matching| {
            let range = *start..*start + matching.sent_bits() / width;
            *start = range.end;
            Some(range)
        })
    }

    /// `payload`, `[payload_bits]`, to [`Transport::channel_uses`] symbols of unit mean energy.
    ///
    /// # Errors
    /// If `payload` has not as many bits as constructed for.
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

    /// The payload, `[payload_bits]`, from the ratios of the bits sent, `[coded_bits]`, as [`Qam::demap`] gives them.
    /// Stops at the first code block that fails its check.
    ///
    /// # Errors
    /// [`TransportError::CrcFailed`] if a check fails; otherwise if the ratios are of another number or not finite.
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
            // Zeros pass any check, and nothing received is zeros: so the code's own checks count, too.
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

/// How a block of `payload_bits` is cut, and the complex symbols it takes.
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

/// E_r/Q_m of 5.4.2.1: the last code blocks have a symbol more if symbols do not divide.
fn symbols_of_block(symbols: usize, blocks: usize, block: usize) -> usize {
    symbols / blocks + usize::from(block >= blocks - symbols % blocks)
}
