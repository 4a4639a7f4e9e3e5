//! Link-to-system mapping: from the BLER over AWGN to the success probability over block fading, by mutual-information
//! effective SNR mapping (MIESM).
//!
//! The symbols of a code block fall into one or more fading blocks. With the mutual information C of [`Information`],
//! its block error rate is close to that over AWGN at
//!
//! γ_eff = C⁻¹(Σ_b w_b·C(|h_b|²·γ)),
//!
//! where w_b is the share of its symbols in fading block b (Brueninghaus et al., PIMRC 2005). With one h this is |h|²·γ
//! exactly. A transport block arrives if none of its code blocks fails. Given h they fail independently, because their
//! noise is independent.

use std::ops::Range;

use crate::bler::{Table, TableError};
use crate::{Mcs, Transport};
use fec::Qam;
use fec::finite_length::Information;

/// The link-to-system mapping: a table of block error rates over AWGN with the mutual information of the
/// constellations.
#[derive(Clone, Debug)]
pub struct LinkToSystem {
    table: Table,
    /// The mutual information of each constellation, in the order of [`Qam::ALL`].
    information: [Information; 3],
}

/// The instantaneous SNR over the symbols of a transport block: the k-th `symbols_per_block` symbols have `gammas[k]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fading<'a> {
    /// The instantaneous SNR |h_b|²·γ of each fading block b, as a linear ratio. The last value also applies to all
    /// symbols after its block.
    pub gammas: &'a [f64],
    /// The number of complex symbols in each fading block, at least 1; with one h, all symbols of the transport block.
    pub symbols_per_block: usize,
}

impl LinkToSystem {
    /// The mapping with the block error rates of `table`.
    pub fn new(table: Table) -> Self {
        LinkToSystem { table, information: Qam::ALL.map(Information::new) }
    }

    /// The table of block error rates over AWGN.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The effective SNR γ_eff in dB of the symbols in the range `symbols`, modulated by `qam`. It is the instantaneous
    /// SNR itself if they lie in one fading block, and −∞ if `fading` has none.
    pub fn effective_snr_db(&self, qam: Qam, symbols: Range<usize>, fading: Fading) -> f64 {
        let Some(last) = fading.gammas.len().checked_sub(1) else { return f64::NEG_INFINITY };
        let length = fading.symbols_per_block.max(1);
        let (first, end) = (symbols.start / length, symbols.end.saturating_sub(1) / length);
        if first >= last || first == end {
            return 10.0 * fading.gammas[first.min(last)].log10();
        }
        let index = Qam::ALL.iter().position(|&of| of == qam).unwrap_or(0);
        let information = &self.information[index];
        let share = |block: usize| {
            let behind = if block == last { symbols.end } else { ((block + 1) * length).min(symbols.end) };
            behind - (block * length).max(symbols.start)
        };
        let told = |block: usize| share(block) as f64 * information.at(fading.gammas[block]);
        let mean = (first..=end.min(last)).map(told).sum::<f64>() / symbols.len() as f64;
        information.inverse_db(mean)
    }

    /// The success probability, 0 … 1, of the transport block `transport` at `mcs`, given the channel coefficients in
    /// `fading`.
    ///
    /// # Errors
    /// If the table has no curve of `mcs` and the base graph of `transport`.
    pub fn delivery(&self, transport: &Transport, mcs: Mcs, fading: Fading) -> Result<f64, TableError> {
        let segmentation = transport.segmentation();
        let mut delivered = 1.0;
        for symbols in transport.block_symbols() {
            let snr_db = self.effective_snr_db(mcs.modulation(), symbols, fading);
            if snr_db == f64::NEG_INFINITY {
                return Ok(0.0);
            }
            delivered *= 1.0 - self.table.rate(mcs, segmentation.graph, segmentation.block_bits, snr_db)?;
        }
        Ok(delivered)
    }
}
