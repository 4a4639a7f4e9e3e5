//! Rate matching of one code block: bit selection from the circular buffer with redundancy version 0, and bit
//! interleaving (TS 38.212, 5.4.2).

use fec::ldpc::Code;

/// The log-likelihood ratio of a filler bit, which is known to be 0: finite, and larger than any received ratio.
const FILLER_LLR: f64 = 1e6;

/// The rate matching of a code block: the bits of the codeword that are sent, and their order.
#[derive(Clone, Debug)]
pub(crate) struct RateMatching {
    word_bits: usize,
    /// The indices of the filler bits in the codeword, K′ … K − 1.
    filler: std::ops::Range<usize>,
    /// For each bit sent, in the order of transmission, its index in the codeword, `[E]`.
    order: Vec<usize>,
}

impl RateMatching {
    /// The rate matching of codewords of `code` with K′ = `block_bits` bits that are not filler to E = `sent_bits`
    /// bits, which are whole symbols of Q_m = `bits_per_symbol` bits.
    ///
    /// Bit selection (TS 38.212, 5.4.2.1, with k₀ = 0 and N_cb = N) takes the bits 2Z, 2Z + 1, … of the codeword
    /// without its filler bits, and starts again when all are sent. Bit interleaving (5.4.2.2) writes these bits e to
    /// Q_m rows and reads them column by column, f(i + j·Q_m) = e(i·E/Q_m + j).
    pub fn new(code: &Code, block_bits: usize, sent_bits: usize, bits_per_symbol: usize) -> Self {
        let filler = block_bits..code.info_bits();
        let buffer = (2 * code.lifting_size()..code.word_bits()).filter(|bit| !filler.contains(bit));
        let selected: Vec<usize> = buffer.cycle().take(sent_bits).collect();
        let columns = sent_bits / bits_per_symbol;
        let places = (0..columns).flat_map(|j| (0..bits_per_symbol).map(move |i| i * columns + j));
        let order = places.map(|place| selected[place]).collect();
        RateMatching { word_bits: code.word_bits(), filler, order }
    }

    /// The number of bits sent for the code block, E.
    pub fn sent_bits(&self) -> usize {
        self.order.len()
    }

    /// The bits of the codeword `word` to send, `[columns · Z]` to `[E]`, in the order of transmission.
    pub fn select<'a>(&'a self, word: &'a [bool]) -> impl Iterator<Item = bool> + 'a {
        self.order.iter().map(|&bit| word[bit])
    }

    /// The log-likelihood ratios of the codeword, `[columns · Z]`, from those of the bits sent, `[E]`. A bit sent
    /// several times has their sum, a bit not sent has 0, and a filler bit has [`FILLER_LLR`].
    pub fn combine(&self, llrs: &[f64]) -> Vec<f64> {
        let mut word = vec![0.0; self.word_bits];
        word[self.filler.clone()].fill(FILLER_LLR);
        self.order.iter().zip(llrs).for_each(|(&bit, llr)| word[bit] += llr);
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fec::ldpc::BaseGraph;

    /// Base graph 2 with Z = 2, K = 20 and K′ = 17: the buffer is bits 4 … 16 and 20 … 103, 97 bits.
    #[test]
    fn the_buffer_starts_behind_the_punctured_bits_skips_filler_and_wraps() {
        let code = Code::new(BaseGraph::Bg2, 2).unwrap();
        let matching = RateMatching::new(&code, 17, 100, 1);
        let buffer: Vec<usize> = (4..17).chain(20..104).collect();
        assert_eq!(matching.order[..97], buffer);
        assert_eq!(matching.order[97..], [4, 5, 6]);
        let llrs: Vec<f64> = (1..=100).map(f64::from).collect();
        let combined = matching.combine(&llrs);
        assert_eq!(combined[..4], [0.0; 4]);
        assert_eq!(combined[4..8], [1.0 + 98.0, 2.0 + 99.0, 3.0 + 100.0, 4.0]);
        assert_eq!(combined[17..20], [FILLER_LLR; 3]);
        assert_eq!(combined[103], 97.0);
    }

    #[test]
    fn interleaving_reads_rows_by_columns() {
        let code = Code::new(BaseGraph::Bg2, 2).unwrap();
        // The selected bits e are bits 4 … 15, in four rows of three.
        let matching = RateMatching::new(&code, 20, 12, 4);
        assert_eq!(matching.order, [4, 7, 10, 13, 5, 8, 11, 14, 6, 9, 12, 15]);
        let word: Vec<bool> = (0..104).map(|k| k % 3 == 0).collect();
        let sent: Vec<bool> = matching.select(&word).collect();
        let expected: Vec<bool> = matching.order.iter().map(|k| k % 3 == 0).collect();
        assert_eq!(sent, expected);
    }
}
