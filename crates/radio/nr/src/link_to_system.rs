//! From the BLER over AWGN to delivery over block fading: mutual-information effective SNR mapping (MIESM).
//!
//! A code block sees the fading blocks that its symbols fall into. By the mutual information C of [`Information`] it
//! fails about as often as over AWGN at
//!
//! γ_eff = C⁻¹(Σ_b w_b·C(|h_b|²·γ)),
//!
//! with w_b the share of its symbols in fading block b (Brueninghaus et al., PIMRC 2005). With one h that is |h|²·γ exactly. A
//! transport block is delivered if none of its code blocks fails; given h they fail independently, for their noise is.

use std::ops::Range;

use crate::bler::{Table, TableError};
use crate::{Mcs, Transport};
use fec::Qam;
use fec::finite_length::Information;

/// A table of block error rates with the mutual information of the constellations.
#[derive(Clone, Debug)]
pub struct LinkToSystem {
    table: Table,
    /// By place in [`Qam::ALL`].
    information: [Information; 3],
}

/// Es/N0 as a transport block meets it: the k-th run of `symbols_per_block` symbols has `gammas[k]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fading<'a> {
    /// |h_b|²·γ, linear, by fading block; the last holds on.
    pub gammas: &'a [f64],
    /// Complex symbols in each fading block, at least 1; with one h all there are.
    pub symbols_per_block: usize,
}

impl LinkToSystem {
    /// With this table.
    pub fn new(table: Table) -> Self {
        LinkToSystem { table, information: Qam::ALL.map(Information::new) }
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// γ_eff in dB of `qam` in these `symbols`; with one γ that one, with no fading block −∞.
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

    /// The probability that `transport` at `mcs` is delivered, h being known.
    ///
    /// # Errors
    /// If the table has no curve of this MCS and base graph.
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
