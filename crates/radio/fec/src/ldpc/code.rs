//! One code of TS 38.212, 5.3.2: a base graph at a lifting size, with its encoder.

use super::graph::{CORE_ROWS, Circulant};
use super::{BaseGraph, LdpcError};

/// An LDPC code of TS 38.212, 5.3.2: a base graph lifted by Z. Its codewords are `[columns · Z]` bits: K information
/// bits, then parity bits. They include the first 2Z bits, which are never sent.
#[derive(Clone, Debug)]
pub struct Code {
    graph: BaseGraph,
    lifting_size: usize,
    rows: Vec<Vec<Circulant>>,
}

impl Code {
    /// The code of `graph` at the lifting size Z (TS 38.212, 5.3.2).
    ///
    /// # Errors
    /// If Z is not one of [`lifting_sizes`](super::lifting_sizes).
    pub fn new(graph: BaseGraph, lifting_size: usize) -> Result<Self, LdpcError> {
        Ok(Code { graph, lifting_size, rows: graph.lifted(lifting_size)? })
    }

    /// The base graph of the code.
    pub fn graph(&self) -> BaseGraph {
        self.graph
    }

    /// The lifting size Z of the code (TS 38.212, 5.3.2).
    pub fn lifting_size(&self) -> usize {
        self.lifting_size
    }

    /// The number of information bits K (TS 38.212, 5.2.2), filler bits included: 22·Z or 10·Z.
    pub fn info_bits(&self) -> usize {
        self.graph.info_columns() * self.lifting_size
    }

    /// The number of bits of a codeword, 68·Z or 52·Z.
    pub fn word_bits(&self) -> usize {
        self.graph.columns() * self.lifting_size
    }

    pub(super) fn rows(&self) -> &[Vec<Circulant>] {
        &self.rows
    }

    /// The parity checks, `[rows · Z]`, each as the indices of the codeword bits that it sums, by column ascending.
    /// Check r of row i of the base graph is at i·Z + r (TS 38.212, 5.3.2).
    pub fn checks(&self) -> impl Iterator<Item = Vec<usize>> {
        let size = self.lifting_size;
        let check = move |row: &Vec<Circulant>, r: usize| {
            row.iter().map(|c| c.column * size + (r + c.shift) % size).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(move |row| (0..size).map(move |r| check(row, r)))
    }

    /// Encodes the information bits `info`, `[K]` with filler bits 0, to a codeword, `[columns · Z]` (TS 38.212,
    /// 5.3.2).
    ///
    /// The first parity column comes from the sum of the four core rows: in it the other parity columns occur twice and
    /// cancel, and one shift of the first remains. Each core row except the last then gives the next parity column, and
    /// each extension row its own.
    ///
    /// # Errors
    /// If `info` has not [`Code::info_bits`] bits.
    pub fn encode(&self, info: &[bool]) -> Result<Vec<bool>, LdpcError> {
        if info.len() != self.info_bits() {
            return Err(LdpcError::InfoBits { expected: self.info_bits(), got: info.len() });
        }
        let (size, first) = (self.lifting_size, self.graph.info_columns());
        let mut word = info.to_vec();
        word.resize(self.word_bits(), false);
        let sums: Vec<Vec<bool>> = self.rows[..CORE_ROWS].iter().map(|row| self.sum(row, &word)).collect();
        let shift = self.lone_shift(first);
        for r in 0..size {
            word[first * size + (r + shift) % size] = sums.iter().fold(false, |sum, row| sum ^ row[r]);
        }
        for (index, row) in self.rows.iter().enumerate() {
            // The parity column that row i gives: within the core the one after its own.
            let column = if index < CORE_ROWS { first + index + 1 } else { first + index };
            if index != CORE_ROWS - 1 {
                let parity = self.sum(row, &word);
                word[column * size..][..size].copy_from_slice(&parity);
            }
        }
        Ok(word)
    }

    /// The sums modulo 2 of the Z checks of `row` over the bits of `word`, `[columns · Z]` to `[Z]`.
    fn sum(&self, row: &[Circulant], word: &[bool]) -> Vec<bool> {
        let size = self.lifting_size;
        let mut sum = vec![false; size];
        for circulant in row {
            let bits = &word[circulant.column * size..][..size];
            let rotated = bits[circulant.shift..].iter().chain(&bits[..circulant.shift]);
            sum.iter_mut().zip(rotated).for_each(|(sum, bit)| *sum ^= bit);
        }
        sum
    }

    /// The shift of `column` that remains in the sum of the core rows. The column has three shifts in these rows; two
    /// are equal and cancel.
    fn lone_shift(&self, column: usize) -> usize {
        let core = self.rows[..CORE_ROWS].iter().flatten();
        let shifts: Vec<usize> = core.filter(|c| c.column == column).map(|c| c.shift).collect();
        debug_assert_eq!(shifts.len(), 3);
        shifts.iter().fold(0, |lone, shift| lone ^ shift)
    }
}
