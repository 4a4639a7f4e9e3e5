//! One code of TS 38.212, 5.3.2: a base graph at a lifting size, with its encoder.

use super::graph::{CORE_ROWS, Circulant};
use super::{BaseGraph, LdpcError};

/// A base graph lifted by Z. Its words are `[columns · Z]` bits: K information bits, then parity, the first 2Z bits that
/// are never sent among them.
#[derive(Clone, Debug)]
pub struct Code {
    graph: BaseGraph,
    lifting_size: usize,
    rows: Vec<Vec<Circulant>>,
}

impl Code {
    /// The code of `graph` at the lifting size Z (5.3.2).
    ///
    /// # Errors
    /// If table 5.3.2-1 has no such lifting size.
    pub fn new(graph: BaseGraph, lifting_size: usize) -> Result<Self, LdpcError> {
        Ok(Code { graph, lifting_size, rows: graph.lifted(lifting_size)? })
    }

    /// The base graph.
    pub fn graph(&self) -> BaseGraph {
        self.graph
    }

    /// Z of 5.3.2.
    pub fn lifting_size(&self) -> usize {
        self.lifting_size
    }

    /// K of 5.2.2, 22·Z or 10·Z, filler bits included.
    pub fn info_bits(&self) -> usize {
        self.graph.info_columns() * self.lifting_size
    }

    /// Bits of a word, 68·Z or 52·Z.
    pub fn word_bits(&self) -> usize {
        self.graph.columns() * self.lifting_size
    }

    pub(super) fn rows(&self) -> &[Vec<Circulant>] {
        &self.rows
    }

    /// The bits that each check sums, ascending by column: check r of row i is at i·Z + r (5.3.2).
    pub fn checks(&self) -> impl Iterator<Item = Vec<usize>> {
        let size = self.lifting_size;
        let check = move |row: &Vec<Circulant>, r: usize| {
            row.iter().map(|c| c.column * size + (r + c.shift) % size).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(move |row| (0..size).map(move |r| check(row, r)))
    }

    /// The word of `info`, `[K]`, filler bits 0 (5.3.2).
    ///
    /// The four core rows sum to one shift of the first parity column, for the others are there twice: that column
    /// first. Each core row but the last then gives the next column, each later row its own.
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
            // The unit column of row i, in the core the one that row i + 1 does not solve.
            let column = if index < CORE_ROWS { first + index + 1 } else { first + index };
            if index != CORE_ROWS - 1 {
                let parity = self.sum(row, &word);
                word[column * size..][..size].copy_from_slice(&parity);
            }
        }
        Ok(word)
    }

    /// The sums of the checks of `row` over `word`, `[Z]`.
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

    /// The shift of `column` that remains in the sum of the core rows: of its three, two are equal.
    fn lone_shift(&self, column: usize) -> usize {
        let core = self.rows[..CORE_ROWS].iter().flatten();
        let shifts: Vec<usize> = core.filter(|c| c.column == column).map(|c| c.shift).collect();
        debug_assert_eq!(shifts.len(), 3);
        shifts.iter().fold(0, |lone, shift| lone ^ shift)
    }
}
