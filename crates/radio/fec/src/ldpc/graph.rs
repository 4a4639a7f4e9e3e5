//! The two base graphs and their lifting sizes (TS 38.212, tables 5.3.2-1 to 5.3.2-3).

use super::{LdpcError, bg1, bg2};

/// Rows of the core, whose parity columns are solved together; each later row has a parity column of its own.
pub(super) const CORE_ROWS: usize = 4;

/// A base graph of TS 38.212, 5.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseGraph {
    /// 46 rows, 68 columns, rate ⅓ after puncturing (table 5.3.2-2).
    Bg1,
    /// 42 rows, 52 columns, rate ⅕ after puncturing (table 5.3.2-3).
    Bg2,
}

/// One circulant of a parity check matrix: its check r covers bit (r + `shift`) mod Z of `column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circulant {
    pub column: usize,
    pub shift: usize,
}

impl BaseGraph {
    /// Columns of information bits, 22 or 10.
    pub fn info_columns(self) -> usize {
        match self {
            BaseGraph::Bg1 => 22,
            BaseGraph::Bg2 => 10,
        }
    }

    /// Rows, 46 or 42.
    pub fn rows(self) -> usize {
        self.table().len()
    }

    /// Columns, 68 or 52, the first two of which are never sent.
    pub fn columns(self) -> usize {
        self.info_columns() + self.rows()
    }

    fn table(self) -> &'static [&'static [[u16; 9]]] {
        match self {
            BaseGraph::Bg1 => bg1::ROWS,
            BaseGraph::Bg2 => bg2::ROWS,
        }
    }

    /// The rows lifted to `lifting_size`, columns ascending (5.3.2): shifts are those of its set, modulo Z.
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

/// All 51 lifting sizes, ascending (table 5.3.2-1).
pub fn lifting_sizes() -> impl Iterator<Item = usize> {
    (2..=384).filter(|&size| set_index(size).is_some())
}

/// i_LS of table 5.3.2-1: the sets are the powers of two and the odd numbers 3 to 15 times such.
fn set_index(lifting_size: usize) -> Option<usize> {
    let odd = lifting_size.checked_shr(lifting_size.trailing_zeros()).unwrap_or(0);
    ((2..=384).contains(&lifting_size) && odd <= 15).then_some(odd / 2)
}
