//! Rate matching of one code block: redundancy version 0 out of the circular buffer, and bit interleaving (TS 38.212,
//! 5.4.2).

use fec::ldpc::Code;

/// The ratio of a filler bit, known to be 0: above all that is received, and finite.
const FILLER_LLR: f64 = 1e6;

/// Which bits of a code's word are sent, in which order.
#[derive(Clone, Debug)]
pub(crate) struct RateMatching {
    word_bits: usize,
    /// Filler bits, K′ … K − 1 of the word.
    filler: std::ops::Range<usize>,
    /// By place among the bits sent, the bit of the word.
    order: Vec<usize>,
}

impl RateMatching {
    /// Of `code` with `block_bits` = K′ bits that are not filler, to E = `sent_bits`, whole symbols of Q_m =
    /// `bits_per_symbol` bits.
    ///
    /// 5.4.2.1 with k₀ = 0 and N_cb = N: bits 2Z, 2Z + 1, … of the word, filler bits left out, from the start again when
    /// all are sent. 5.4.2.2: these e in Q_m rows, sent column by column, f(i + j·Q_m) = e(i·E/Q_m + j).
    pub fn new(code: &Code, block_bits: usize, sent_bits: usize, bits_per_symbol: usize) -> Self {
        let filler = block_bits..code.info_bits();
        let buffer = (2 * code.lifting_size()..code.word_bits()).filter(|bit| !filler.contains(bit));
        let selected: Vec<usize> = buffer.cycle().take(sent_bits).collect();
        let columns = sent_bits / bits_per_symbol;
        let places = (0..columns).flat_map(|j| (0..bits_per_symbol).map(move |i| i * columns + j));
        let order = places.map(|place| selected[place]).collect();
        RateMatching { word_bits: code.word_bits(), filler, order }
    }

    /// E.
    pub fn sent_bits(&self) -> usize {
        self.order.len()
    }

    /// What is sent of `word`, `[columns · Z]` to `[E]`.
    pub fn select<'a>(&'a self, word: &'a [bool]) -> impl Iterator<Item = bool> + 'a {
        self.order.iter().map(|&bit| word[bit])
    }

    /// The ratios of the word, `[columns · Z]`, from those of the bits sent, `[E]`: a bit sent again has the sum, one not
    /// sent 0.
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

    /// BG2 with Z = 2: K = 20 of which K′ = 17, so the buffer is bits 4 … 16 and 20 … 103, 97 of them.
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
        // e = bits 4 … 15 in four rows of three.
        let matching = RateMatching::new(&code, 20, 12, 4);
        assert_eq!(matching.order, [4, 7, 10, 13, 5, 8, 11, 14, 6, 9, 12, 15]);
        let word: Vec<bool> = (0..104).map(|k| k % 3 == 0).collect();
        let sent: Vec<bool> = matching.select(&word).collect();
        let expected: Vec<bool> = matching.order.iter().map(|k| k % 3 == 0).collect();
        assert_eq!(sent, expected);
    }
}
