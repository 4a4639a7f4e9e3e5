//! A table of measured block error rates, as CSV and looked up.

use phy::closed_form::q_function;

use crate::{Mcs, McsError, Segmentation};
use fec::ldpc::BaseGraph;

/// Code block sizes K′ to measure, check bits included: two to five in each base graph.
pub const BLOCK_BITS: [usize; 6] = [320, 800, 1920, 3840, 4400, 8448];

/// The first line of a table.
const HEADER: &str = "mcs,block_bits,snr_db,blocks,errors";

/// Blocks that failed at one SNR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Es/N0 per complex symbol.
    pub snr_db: f64,
    /// Blocks sent.
    pub blocks: u64,
    /// Blocks that did not come back as sent.
    pub errors: u64,
}

impl Point {
    /// (errors + ½)/(blocks + 1), never 0 nor 1.
    pub fn rate(&self) -> f64 {
        (self.errors as f64 + 0.5) / (self.blocks as f64 + 1.0)
    }
}

/// Block error rates of one MCS at one size of code blocks, SNRs ascending, at least two.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    mcs: Mcs,
    block_bits: usize,
    graph: BaseGraph,
    points: Vec<Point>,
    /// Q⁻¹ of each point's rate, made to rise.
    quantiles: Vec<f64>,
}

/// A table that cannot be read, or does not know what is asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A line that is no measurement.
    #[error("line {line} of the table: expected {HEADER}, got `{text}`")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is there.
        text: String,
    },
    /// An index beyond those there are.
    #[error(transparent)]
    Mcs(#[from] McsError),
    /// A size that no single code block has.
    #[error("no transport block of one code block has {0} bits")]
    BlockBits(usize),
    /// Too few SNRs or out of order.
    #[error(
        "a curve has at least two SNRs, ascending, and errors among its blocks: that of {mcs} at {block_bits} bits does not"
    )]
    Points {
        /// Of which MCS.
        mcs: Mcs,
        /// At which K′.
        block_bits: usize,
    },
    /// Nothing measured.
    #[error("the table has no curve of {mcs} in base graph {graph:?}")]
    Missing {
        /// Of which MCS.
        mcs: Mcs,
        /// Of which graph.
        graph: BaseGraph,
    },
}

impl Curve {
    /// From measurements.
    ///
    /// # Errors
    /// If there are less than two, if their SNRs do not ascend, or a block has a size that none has.
    pub fn new(mcs: Mcs, block_bits: usize, points: Vec<Point>) -> Result<Self, TableError> {
        let graph = single_block(block_bits, mcs).ok_or(TableError::BlockBits(block_bits))?.graph;
        let counted = points.iter().all(|p| p.errors <= p.blocks && p.snr_db.is_finite());
        if points.len() < 2 || !counted || !points.is_sorted_by(|a, b| a.snr_db < b.snr_db) {
            return Err(TableError::Points { mcs, block_bits });
        }
        let mut quantiles: Vec<f64> = points.iter().map(|p| q_inverse(p.rate())).collect();
        for k in 1..quantiles.len() {
            quantiles[k] = quantiles[k].max(quantiles[k - 1]);
        }
        Ok(Curve { mcs, block_bits, graph, points, quantiles })
    }

    /// The MCS.
    pub fn mcs(&self) -> Mcs {
        self.mcs
    }

    /// K′.
    pub fn block_bits(&self) -> usize {
        self.block_bits
    }

    /// What was measured, SNRs ascending.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Q⁻¹ of the rate at `snr_db`, beyond the measured SNRs along the line through the two outermost.
    fn quantile(&self, snr_db: f64) -> f64 {
        let last = self.points.len() - 2;
        let index = self.points[1..].partition_point(|p| p.snr_db <= snr_db).min(last);
        let (from, to) = (self.points[index].snr_db, self.points[index + 1].snr_db);
        let (low, high) = (self.quantiles[index], self.quantiles[index + 1]);
        low + (high - low) * (snr_db - from) / (to - from)
    }

    /// The block error rate at `snr_db`.
    pub fn rate(&self, snr_db: f64) -> f64 {
        q_function(self.quantile(snr_db))
    }

    /// Es/N0 in dB where the rate falls to `bler`, if it does between two measured SNRs.
    pub fn snr_db(&self, bler: f64) -> Option<f64> {
        let wanted = q_inverse(bler);
        let index = self.quantiles.windows(2).position(|q| q[0] < wanted && wanted <= q[1])?;
        let (from, to) = (&self.points[index], &self.points[index + 1]);
        let part = (wanted - self.quantiles[index]) / (self.quantiles[index + 1] - self.quantiles[index]);
        Some(from.snr_db + part * (to.snr_db - from.snr_db))
    }
}

/// Curves by MCS and size of code blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    curves: Vec<Curve>,
}

impl Table {
    /// The table that comes with this crate: [`Mcs::LADDER`] at [`BLOCK_BITS`], `Decoder::default()`. Made by
    /// `cargo run --release -p latentlink-fec --example bler`.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[allow(clippy::expect_used)]
    pub fn measured() -> Table {
        Table::from_csv(include_str!("table.csv")).expect("the table of this crate is one")
    }

    /// With these curves; one that is there twice is looked up in its first place.
    pub fn new(mut curves: Vec<Curve>) -> Self {
        curves.sort_by_key(|curve| (curve.mcs, curve.block_bits));
        Table { curves }
    }

    /// All curves, by MCS and size ascending.
    pub fn curves(&self) -> &[Curve] {
        &self.curves
    }

    /// The MCSs there are curves of, ascending.
    pub fn schemes(&self) -> Vec<Mcs> {
        let mut schemes: Vec<Mcs> = self.curves.iter().map(|curve| curve.mcs).collect();
        schemes.dedup();
        schemes
    }

    /// The rate of code blocks of K′ = `block_bits` at `snr_db`: between the sizes of the same base graph, below the smallest
    /// as the smallest (which is too good) and above the largest as the largest (which is too bad).
    ///
    /// # Errors
    /// If nothing of this MCS and base graph was measured.
    pub fn rate(&self, mcs: Mcs, graph: BaseGraph, block_bits: usize, snr_db: f64) -> Result<f64, TableError> {
        let of_graph = |curve: &&Curve| curve.mcs == mcs && curve.graph == graph;
        let (mut below, mut above) = (None, None);
        for curve in self.curves.iter().filter(of_graph) {
            if curve.block_bits <= block_bits {
                below = Some(curve);
            } else if above.is_none() {
                above = Some(curve);
            }
        }
        let quantile = match (below, above) {
            (Some(below), Some(above)) => {
                let root = |bits: usize| (bits as f64).sqrt();
                let (from, to) = (root(below.block_bits), root(above.block_bits));
                let part = (root(block_bits) - from) / (to - from);
                below.quantile(snr_db) + part * (above.quantile(snr_db) - below.quantile(snr_db))
            }
            (Some(curve), None) | (None, Some(curve)) => curve.quantile(snr_db),
            (None, None) => return Err(TableError::Missing { mcs, graph }),
        };
        Ok(q_function(quantile))
    }

    /// Lines of `mcs,block_bits,snr_db,blocks,errors` below that header.
    pub fn to_csv(&self) -> String {
        let lines = self.curves.iter().flat_map(|curve| {
            let line = |p: &Point| {
                let Point { snr_db, blocks, errors } = p;
                format!("{},{},{snr_db},{blocks},{errors}\n", curve.mcs.index(), curve.block_bits)
            };
            curve.points.iter().map(line)
        });
        format!("{HEADER}\n{}", lines.collect::<String>())
    }

    /// The inverse of [`Table::to_csv`]; the lines of a curve stand together.
    ///
    /// # Errors
    /// If a line is no measurement or a curve no curve.
    pub fn from_csv(text: &str) -> Result<Self, TableError> {
        let mut loose: Vec<(Mcs, usize, Vec<Point>)> = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let wrong = || TableError::Line { line: index + 1, text: text.chars().take(80).collect() };
            if index == 0 {
                if text != HEADER {
                    return Err(wrong());
                }
                continue;
            }
            let fields: Vec<&str> = text.split(',').collect();
            let [mcs, block_bits, snr_db, blocks, errors] = fields[..] else { return Err(wrong()) };
            let mcs = Mcs::new(mcs.parse().map_err(|_| wrong())?)?;
            let block_bits = block_bits.parse().map_err(|_| wrong())?;
            let point = Point {
                snr_db: snr_db.parse().map_err(|_| wrong())?,
                blocks: blocks.parse().map_err(|_| wrong())?,
                errors: errors.parse().map_err(|_| wrong())?,
            };
            match loose.last_mut().filter(|(m, b, _)| (*m, *b) == (mcs, block_bits)) {
                Some((_, _, points)) => points.push(point),
                None => loose.push((mcs, block_bits, vec![point])),
            }
        }
        let curves = loose.into_iter().map(|(mcs, block_bits, points)| Curve::new(mcs, block_bits, points));
        Ok(Table::new(curves.collect::<Result<_, _>>()?))
    }
}

/// How a transport block is cut whose only code block has K′ = `block_bits`; `None` if there is none.
pub(super) fn single_block(block_bits: usize, mcs: Mcs) -> Option<Segmentation> {
    let of = |check: usize| Segmentation::new(block_bits.checked_sub(check)?, mcs.code_rate()).ok();
    [of(16), of(24)].into_iter().flatten().find(|s| s.blocks == 1 && s.block_bits == block_bits)
}

/// Q⁻¹ by bisection, within ±8.
fn q_inverse(probability: f64) -> f64 {
    let (mut low, mut high) = (-8.0f64, 8.0f64);
    while high - low > 1e-9 {
        let middle = 0.5 * (low + high);
        if q_function(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(mcs: u8, block_bits: usize, errors: [u64; 3]) -> Curve {
        let point = |(k, errors)| Point { snr_db: k as f64, blocks: 9999, errors };
        Curve::new(Mcs::new(mcs).unwrap(), block_bits, errors.into_iter().enumerate().map(point).collect()).unwrap()
    }

    #[test]
    fn rates_are_those_measured_and_lie_between() {
        let (small, large) = (curve(6, 400, [9000, 1000, 10]), curve(6, 900, [9900, 1000, 1]));
        let table = Table::new(vec![large.clone(), small.clone()]);
        let at = |bits, db| table.rate(Mcs::new(6).unwrap(), BaseGraph::Bg2, bits, db).unwrap();
        for (bits, curve) in [(100, &small), (400, &small), (900, &large), (3000, &large)] {
            for (db, point) in [0.0, 1.0, 2.0].into_iter().zip(curve.points()) {
                assert!((at(bits, db) / point.rate() - 1.0).abs() < 1e-6, "{bits} {db}");
            }
        }
        assert!(at(400, 0.5) > 0.1 && at(400, 0.5) < 0.9 && at(400, -1.0) > 0.99 && at(400, 3.0) < 1e-6);
        // √625 = 25 is in the middle of √400 and √900.
        let middle = 0.5 * (q_inverse(at(400, 2.0)) + q_inverse(at(900, 2.0)));
        assert!((q_inverse(at(625, 2.0)) - middle).abs() < 1e-6);
        assert!((small.rate(small.snr_db(0.01).unwrap()) - 0.01).abs() < 1e-8);
        assert_eq!(small.snr_db(1e-5), None);
        let missing = table.rate(Mcs::new(6).unwrap(), BaseGraph::Bg1, 5000, 0.0);
        assert!(missing.unwrap_err().to_string().contains("Bg1"));
    }

    #[test]
    fn csv_round_trips_and_damage_is_named() {
        let table = Table::new(vec![curve(0, 320, [9999, 500, 0]), curve(27, 8448, [9999, 5, 5])]);
        let text = table.to_csv();
        assert_eq!(Table::from_csv(&text).unwrap(), table);
        let error = |text: &str| Table::from_csv(text).unwrap_err().to_string();
        assert!(error("mcs,k\n").starts_with("line 1 of the table"));
        assert!(error(&text.replace("9999,500", "9999,x")).contains("line 3"));
        assert!(error(&text.replace("9999,500", "499,500")).contains("at 320 bits"));
        assert!(error(&text.replace("27,8448", "29,8448")).contains("0 to 28"));
        assert!(error(&text.replace("27,8448", "27,8449")).contains("8449 bits"));
    }

    #[test]
    fn sizes_between_the_two_checks_have_no_block() {
        let mcs = Mcs::new(6).unwrap();
        assert!((3841..3849).all(|bits| single_block(bits, mcs).is_none()));
        assert_eq!(single_block(3840, mcs).unwrap().graph, BaseGraph::Bg2);
        assert_eq!(single_block(3849, mcs).unwrap().graph, BaseGraph::Bg1);
        assert!(single_block(3849, Mcs::new(0).unwrap()).is_none());
    }
}
