//! The two base graphs and their lifting sizes (TS 38.212, tables 5.3.2-1 to 5.3.2-3).

use super::{LdpcError, bg1, bg2};

/// The number of core rows of a base graph, whose parity columns are solved together. Each row after them, an extension
/// row, has a parity column of its own.
pub(super) const CORE_ROWS: usize = 4;

/// A base graph of TS 38.212, 5.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseGraph {
    /// Base graph 1: 46 rows, 68 columns, rate ⅓ after puncturing (TS 38.212, table 5.3.2-2).
    Bg1,
    /// Base graph 2: 42 rows, 52 columns, rate ⅕ after puncturing (TS 38.212, table 5.3.2-3).
    Bg2,
}

/// One circulant of a row of the parity check matrix: check r of the row covers bit (r + `shift`) mod Z of `column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circulant {
    pub column: usize,
    pub shift: usize,
}

impl BaseGraph {
    /// The number of columns of information bits: 22 for base graph 1, 10 for base graph 2.
    pub fn info_columns(self) -> usize {
        match self {
            BaseGraph::Bg1 => 22,
            BaseGraph::Bg2 => 10,
        }
    }

    /// The number of rows, which are parity checks before lifting: 46 for base graph 1, 42 for base graph 2.
    pub fn rows(self) -> usize {
        self.table().len()
    }

    /// The number of columns: 68 for base graph 1, 52 for base graph 2. The bits of the first two are never sent.
    pub fn columns(self) -> usize {
        self.info_columns() + self.rows()
    }

    fn table(self) -> &'static [&'static [[u16; 9]]] {
        match self {
            BaseGraph::Bg1 => bg1::ROWS,
            BaseGraph::Bg2 => bg2::ROWS,
        }
    }

    /// The rows lifted to `lifting_size` = Z (TS 38.212, 5.3.2), each with its circulants by column ascending. The
    /// shifts are those of the set of Z, modulo Z.
    pub(super) fn lifted(self, lifting_size: usize) -> Result<Vec<Vec<Circulant>>, LdpcError> {
        let set = set_index(lifting_size).ok_or(LdpcError::LiftingSize(lifting_size))?;
        let circulant = |entry: &[u16; 9]| Circulant {
            column: usize::from(entry[0]),
            shift: usize::from(entry[1 + set]) % lifting_size,
        };
        let row = |(index, entries): (usize, &&[[u16; 9]])| {
            let unit = (index >= CORE_ROWS).then_some(Circulant { column: self.info_columns() + index, shift: 0 });
            entries.iter().map(circulant).chain(unit).collect()
        };
        Ok(self.table().iter().enumerate().map(row).collect())
    }
}

/// All 51 lifting sizes Z, 2 to 384, ascending (TS 38.212, table 5.3.2-1).
pub fn lifting_sizes() -> impl Iterator<Item = usize> {
    (2..=384).filter(|&size| set_index(size).is_some())
}

/// The set index i_LS of a lifting size (TS 38.212, table 5.3.2-1), 0 … 7; `None` for other sizes. The sizes of set i
/// are the odd number 2i + 1 times powers of two.
fn set_index(lifting_size: usize) -> Option<usize> {
    let odd = lifting_size.checked_shr(lifting_size.trailing_zeros()).unwrap_or(0);
    ((2..=384).contains(&lifting_size) && odd <= 15).then_some(odd / 2)
}
