//! Tables of measured block error rates: lookup with interpolation, and CSV files.

use phy::closed_form::q_function;

use crate::{Mcs, McsError, Segmentation};
use fec::ldpc::BaseGraph;

/// The code block sizes K′ in bits, check bits included, of the table of this crate; an MCS has two to five of them in
/// each base graph.
pub const BLOCK_BITS: [usize; 6] = [320, 800, 1920, 3840, 4400, 8448];

/// The first line of a CSV table of block error rates.
const HEADER: &str = "mcs,block_bits,snr_db,blocks,errors";

/// The measurement of a block error rate at one SNR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The SNR, Es/N0 per complex symbol, in dB.
    pub snr_db: f64,
    /// The number of blocks sent.
    pub blocks: u64,
    /// The number of blocks whose decoded payload was not the one sent.
    pub errors: u64,
}

impl Point {
    /// The estimated block error rate, (errors + ½)/(blocks + 1), which is never 0 or 1.
    pub fn rate(&self) -> f64 {
        (self.errors as f64 + 0.5) / (self.blocks as f64 + 1.0)
    }
}

/// The block error rate over AWGN of one MCS at one code block size, as a function of the SNR, from at least two
/// points.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    mcs: Mcs,
    block_bits: usize,
    graph: BaseGraph,
    points: Vec<Point>,
    /// Q⁻¹ of the block error rate of each point, `[points]`, made non-decreasing by a running maximum.
    quantiles: Vec<f64>,
}

/// Why a table or curve of block error rates is not valid, or a lookup has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A line of a CSV table is not a measurement.
    #[error("line {line} of the table: expected {HEADER}, got `{text}`")]
    Line {
        /// The number of the line, counted from 1.
        line: usize,
        /// The line, at most 80 characters of it.
        text: String,
    },
    /// A line of a CSV table has an MCS index above 28.
    #[error(transparent)]
    Mcs(#[from] McsError),
    /// No transport block at the MCS consists of one code block of this many bits K′.
    #[error("no transport block of one code block has {0} bits")]
    BlockBits(usize),
    /// A curve has fewer than two points, its SNRs do not ascend, or a point has more errors than blocks.
    #[error(
        "a curve has at least two SNRs, ascending, and errors among its blocks: that of {mcs} at {block_bits} bits does not"
    )]
    Points {
        /// The MCS of the curve.
        mcs: Mcs,
        /// The code block size K′ of the curve in bits.
        block_bits: usize,
    },
    /// The table has no curve of the MCS and base graph of a lookup.
    #[error("the table has no curve of {mcs} in base graph {graph:?}")]
    Missing {
        /// The MCS of the lookup.
        mcs: Mcs,
        /// The base graph of the lookup.
        graph: BaseGraph,
    },
}

impl Curve {
    /// Makes the curve of `mcs` for code blocks of K′ = `block_bits` bits from measured points with ascending SNRs.
    ///
    /// # Errors
    /// If there are fewer than two points, their SNRs are not finite or do not ascend, a point has more errors than
    /// blocks, or no transport block consists of one code block of that size.
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

    /// The MCS of the curve.
    pub fn mcs(&self) -> Mcs {
        self.mcs
    }

    /// The code block size K′ in bits, check bits included.
    pub fn block_bits(&self) -> usize {
        self.block_bits
    }

    /// The measured points, at least two, SNRs ascending.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Q⁻¹ of the block error rate at `snr_db` dB, linear between measured SNRs. Beyond them it continues the line
    /// through the two outermost points.
    fn quantile(&self, snr_db: f64) -> f64 {
        let last = self.points.len() - 2;
        let index = self.points[1..].partition_point(|p| p.snr_db <= snr_db).min(last);
        let (from, to) = (self.points[index].snr_db, self.points[index + 1].snr_db);
        let (low, high) = (self.quantiles[index], self.quantiles[index + 1]);
        low + (high - low) * (snr_db - from) / (to - from)
    }

    /// The block error rate, 0 … 1, at an Es/N0 of `snr_db` dB, interpolated in Q⁻¹ or extrapolated.
    pub fn rate(&self, snr_db: f64) -> f64 {
        q_function(self.quantile(snr_db))
    }

    /// The Es/N0 in dB at which the block error rate falls to `bler`; `None` if it does not between the measured SNRs.
    pub fn snr_db(&self, bler: f64) -> Option<f64> {
        let wanted = q_inverse(bler);
        let index = self.quantiles.windows(2).position(|q| q[0] < wanted && wanted <= q[1])?;
        let (from, to) = (&self.points[index], &self.points[index + 1]);
        let part = (wanted - self.quantiles[index]) / (self.quantiles[index + 1] - self.quantiles[index]);
        Some(from.snr_db + part * (to.snr_db - from.snr_db))
    }
}

/// A table of block error rates over AWGN: a curve for each MCS and code block size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    curves: Vec<Curve>,
}

impl Table {
    /// The table of this crate, measured at [`Mcs::LADDER`] and [`BLOCK_BITS`] with the default decoder of
    /// [`Transport`](crate::Transport). It is the output of `cargo run --release -p latentlink-nr --example bler`.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[allow(clippy::expect_used)]
    pub fn measured() -> Table {
        Table::from_csv(include_str!("table.csv")).expect("the table of this crate is one")
    }

    /// Makes a table of these curves, in any order. There should be only one for each MCS and code block size.
    pub fn new(mut curves: Vec<Curve>) -> Self {
        curves.sort_by_key(|curve| (curve.mcs, curve.block_bits));
        Table { curves }
    }

    /// All curves of the table, ordered by MCS, then by code block size, ascending.
    pub fn curves(&self) -> &[Curve] {
        &self.curves
    }

    /// The MCSs that have at least one curve in the table, each once, ascending.
    pub fn schemes(&self) -> Vec<Mcs> {
        let mut schemes: Vec<Mcs> = self.curves.iter().map(|curve| curve.mcs).collect();
        schemes.dedup();
        schemes
    }

    /// The block error rate, 0 … 1, of code blocks of K′ = `block_bits` bits at an Es/N0 of `snr_db` dB, interpolated
    /// between the sizes that were measured in the same base graph. Blocks below the smallest size have its rate (which
    /// is too low), blocks above the largest size have its rate (which is too high).
    ///
    /// # Errors
    /// [`TableError::Missing`] if the table has no curve of this MCS and base graph.
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

    /// The table as CSV: the header `mcs,block_bits,snr_db,blocks,errors`, then a line for each point.
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

    /// Reads a table from the CSV of [`Table::to_csv`]. The lines of a curve must be consecutive.
    ///
    /// # Errors
    /// If the header is another one, a line is not a measurement, or [`Curve::new`] rejects the points of a curve.
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

/// The segmentation of the transport block at `mcs` whose only code block has K′ = `block_bits` bits; `None` if no such
/// transport block exists.
pub(super) fn single_block(block_bits: usize, mcs: Mcs) -> Option<Segmentation> {
    let of = |check: usize| Segmentation::new(block_bits.checked_sub(check)?, mcs.code_rate()).ok();
    [of(16), of(24)].into_iter().flatten().find(|s| s.blocks == 1 && s.block_bits == block_bits)
}

/// The inverse Q⁻¹ of the Gaussian tail probability, by bisection within ±8.
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
