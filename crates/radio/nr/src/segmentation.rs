//! Segmentation of a transport block into code blocks, and the choice of their base graph and lifting size (TS 38.212,
//! 5.2.2, 7.2.1 and 7.2.2).

use crate::TransportError;
use fec::Crc;
use fec::ldpc::{BaseGraph, lifting_sizes};

/// The largest number of payload bits of transport blocks that have 16 check bits and may have base graph 2 at code
/// rates above ¼.
const SHORT_PAYLOAD: usize = 3824;

/// The segmentation of a transport block into code blocks of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation {
    /// The number of bits of the transport block, A: the payload, and zeros after it where code blocks would otherwise
    /// differ in length. The zeros are no part of TS 38.214, 5.1.3.2, which allows only sizes that divide; here a clip
    /// may have any size.
    pub transport_bits: usize,
    /// The CRC of the whole transport block.
    pub crc: Crc,
    /// The base graph of all code blocks.
    pub graph: BaseGraph,
    /// The number of code blocks, C. If there are several, each has 24 check bits of its own.
    pub blocks: usize,
    /// The number of bits of a code block, K′: check bits included, filler bits not.
    pub block_bits: usize,
    /// The lifting size Z_c: the smallest whose information bits can hold K′ bits.
    pub lifting_size: usize,
}

impl Segmentation {
    /// The segmentation of `payload_bits` payload bits at the nominal `code_rate`, payload bits over coded bits.
    ///
    /// # Errors
    /// If there are no payload bits, or the rate is not between 0 and 0.95, both excluded.
    pub fn new(payload_bits: usize, code_rate: f64) -> Result<Self, TransportError> {
        if payload_bits == 0 {
            return Err(TransportError::Empty);
        }
        if !(code_rate > 0.0 && code_rate < crate::rate_limit::MAX_CODE_RATE) {
            return Err(TransportError::CodeRate(code_rate));
        }
        let crc = if payload_bits <= SHORT_PAYLOAD { Crc::Crc16 } else { Crc::Crc24A };
        let graph = base_graph(payload_bits, code_rate);
        let most = match graph {
            BaseGraph::Bg1 => 8448,
            BaseGraph::Bg2 => 3840,
        };
        let checked = payload_bits + crc.width();
        let (blocks, own_check) = match checked <= most {
            true => (1, 0),
            false => (checked.div_ceil(most - Crc::Crc24B.width()), Crc::Crc24B.width()),
        };
        let checked = checked.next_multiple_of(blocks);
        let block_bits = checked / blocks + own_check;
        let columns = info_columns_used(graph, checked);
        let lifting_size = lifting_sizes().find(|size| columns * size >= block_bits);
        let lifting_size = lifting_size.ok_or(TransportError::CodeRate(code_rate))?;
        Ok(Segmentation { transport_bits: checked - crc.width(), crc, graph, blocks, block_bits, lifting_size })
    }

    /// The code blocks of the payload `bits`, `[C][K′]` (TS 38.212, 5.2.2): the payload with its zeros and check bits,
    /// cut into C parts, each with its own check bits if there are several.
    pub(crate) fn cut(&self, bits: &[bool]) -> Vec<Vec<bool>> {
        let mut block = bits.to_vec();
        block.resize(self.transport_bits, false);
        let checked = self.crc.append(&block);
        match self.blocks {
            1 => vec![checked],
            blocks => checked.chunks_exact(checked.len() / blocks).map(|part| Crc::Crc24B.append(part)).collect(),
        }
    }

    /// Whether a code block, `[K′]`, passes its CRC. If it is the only one, that is the CRC of the transport block.
    pub(crate) fn block_passes(&self, block: &[bool]) -> bool {
        let crc = if self.blocks > 1 { Crc::Crc24B } else { self.crc };
        crc.strip(block).is_ok_and(|bits| bits.is_some())
    }

    /// The bits of the transport block, `[A]`, from its code blocks, `[C][K′]`; `None` if the CRC of the transport
    /// block fails.
    pub(crate) fn join(&self, blocks: &[Vec<bool>]) -> Option<Vec<bool>> {
        let own_check = if self.blocks > 1 { Crc::Crc24B.width() } else { 0 };
        let checked: Vec<bool> =
            blocks.iter().flat_map(|block| &block[..self.block_bits - own_check]).copied().collect();
        self.crc.strip(&checked).ok().flatten().map(<[bool]>::to_vec)
    }
}

/// The base graph for a number of payload bits and a code rate (TS 38.212, 7.2.2).
fn base_graph(payload_bits: usize, code_rate: f64) -> BaseGraph {
    match payload_bits <= 292 || (payload_bits <= SHORT_PAYLOAD && code_rate <= 0.67) || code_rate <= 0.25 {
        true => BaseGraph::Bg2,
        false => BaseGraph::Bg1,
    }
}

/// K_b of TS 38.212, 5.2.2: the number of columns that hold information, for `checked` = B bits, payload and check bits
/// of the transport block.
fn info_columns_used(graph: BaseGraph, checked: usize) -> usize {
    match (graph, checked) {
        (BaseGraph::Bg1, _) => 22,
        (BaseGraph::Bg2, 641..) => 10,
        (BaseGraph::Bg2, 561..) => 9,
        (BaseGraph::Bg2, 193..) => 8,
        (BaseGraph::Bg2, _) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload_bits: usize, code_rate: f64) -> (usize, BaseGraph, usize, usize, usize) {
        let s = Segmentation::new(payload_bits, code_rate).unwrap();
        (s.transport_bits, s.graph, s.blocks, s.block_bits, s.lifting_size)
    }

    /// The segmentation of examples that were computed by hand from TS 38.212, 5.2.2 and 7.2.2.
    #[test]
    fn blocks_are_those_of_the_standard() {
        assert_eq!(of(20, 0.5), (20, BaseGraph::Bg2, 1, 36, 6));
        assert_eq!(of(292, 0.9), (292, BaseGraph::Bg2, 1, 308, 40));
        assert_eq!(of(293, 0.9), (293, BaseGraph::Bg1, 1, 309, 15));
        assert_eq!(of(560, 0.5), (560, BaseGraph::Bg2, 1, 576, 64));
        assert_eq!(of(3824, 0.67), (3824, BaseGraph::Bg2, 1, 3840, 384));
        assert_eq!(of(3825, 0.67), (3825, BaseGraph::Bg1, 1, 3849, 176));
        assert_eq!(of(8424, 0.5), (8424, BaseGraph::Bg1, 1, 8448, 384));
        // 8425 + 24 bits do not fit one block: there are two, and one zero makes their lengths equal.
        assert_eq!(of(8425, 0.5), (8426, BaseGraph::Bg1, 2, 4249, 208));
        // (20000 + 24)/3816 is more than 5, so there are 6 blocks.
        assert_eq!(of(20_000, 0.2), (20_004, BaseGraph::Bg2, 6, 3362, 352));
    }

    #[test]
    fn what_is_cut_comes_together_and_damage_is_found() {
        for payload_bits in [1, 100, 3824, 3825, 8424, 8425, 30_001] {
            let bits: Vec<bool> = (0..payload_bits).map(|k| k * k % 7 < 3).collect();
            let segmentation = Segmentation::new(payload_bits, 0.5).unwrap();
            let mut blocks = segmentation.cut(&bits);
            assert_eq!(blocks.len(), segmentation.blocks);
            assert!(blocks.iter().all(|b| b.len() == segmentation.block_bits && segmentation.block_passes(b)));
            assert_eq!(segmentation.join(&blocks).unwrap()[..payload_bits], bits);
            blocks[0][payload_bits / 9] ^= true;
            assert!(segmentation.join(&blocks).is_none() && !segmentation.block_passes(&blocks[0]));
        }
    }

    #[test]
    fn what_has_no_code_is_named() {
        assert_eq!(Segmentation::new(0, 0.5), Err(TransportError::Empty));
        for rate in [0.0, -0.5, 0.95, 2.0] {
            assert_eq!(Segmentation::new(100, rate), Err(TransportError::CodeRate(rate)));
        }
        assert!(matches!(Segmentation::new(100, f64::NAN), Err(TransportError::CodeRate(_))));
    }
}
