//! Measures block error rates: sends transport blocks over the simulated channel until enough have failed.

use phy::{Complex, Conditions, Equaliser, NoiseKey, SnrDb, SnrError, draw, equalise};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::table::single_block;
use super::{Curve, Point, TableError};
use crate::{Mcs, Transport};
use fec::Demapping;
use fec::finite_length::normal_approximation_db;

/// The stopping rule for one point: it is measured until one of the two counts is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The number of block errors after which a point is finished.
    pub errors: u64,
    /// The number of blocks sent after which a point is finished.
    pub blocks: u64,
}

/// The SNRs at which a curve is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The step in dB between SNRs, which are multiples of it.
    pub step_db: f64,
    /// The block error rate, 0 … 1, at which the measurement towards lower SNRs ends: the last point is at least this.
    pub high: f64,
    /// The block error rate, 0 … 1, at which the measurement towards higher SNRs ends: the last point is at most this.
    pub low: f64,
}

/// The transport block at `mcs` that consists of one code block of K′ = `block_bits` bits, check bits included.
///
/// # Errors
/// [`TableError::BlockBits`] if no such transport block exists, as for 3841 … 3848 bits, or if with its check bits its
/// code rate is above [`MAX_CODE_RATE`](crate::MAX_CODE_RATE).
pub fn block_transport(mcs: Mcs, block_bits: usize) -> Result<Transport, TableError> {
    let segmentation = single_block(block_bits, mcs).ok_or(TableError::BlockBits(block_bits))?;
    Transport::with_mcs(segmentation.transport_bits, mcs).map_err(|_| TableError::BlockBits(block_bits))
}

/// Measures one block error rate: sends random payloads of `transport` over AWGN at an Es/N0 of `snr_db` dB until
/// `stop`. Block k has the noise of `NoiseKey { seed, draw: 0, row: k }` at every SNR. A block counts as an error
/// unless exactly the payload that was sent is decoded.
///
/// # Errors
/// If `snr_db` is not finite or outside ±[`SnrDb::LIMIT`].
pub fn measure_point(transport: &Transport, snr_db: f64, stop: Stop, seed: u64) -> Result<Point, SnrError> {
    let conditions = Conditions::Awgn(SnrDb::try_from(snr_db)?);
    let mut point = Point { snr_db, blocks: 0, errors: 0 };
    while point.errors < stop.errors && point.blocks < stop.blocks {
        let key = NoiseKey { seed, draw: 0, row: point.blocks };
        point.errors += u64::from(!arrives(transport, key, &conditions));
        point.blocks += 1;
    }
    Ok(point)
}

fn arrives(transport: &Transport, key: NoiseKey, conditions: &Conditions) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(key.seed ^ key.row.rotate_left(32));
    let payload: Vec<bool> = (0..transport.payload_bits()).map(|_| rng.random()).collect();
    let through = |payload: &[bool]| {
        let symbols = transport.encode(payload).ok()?;
        let received = draw(key, conditions, symbols.len()).apply(&symbols);
        let equalised = equalise(received.symbols.reals(), Complex::ONE, received.n0, Equaliser::Mmse).ok()?;
        let llrs = transport.modulation().demap_equalised(&equalised, Equaliser::Mmse, Demapping::Exact).ok()?;
        transport.decode(&llrs).ok()
    };
    through(&payload).is_some_and(|arrived| arrived == payload)
}

/// Measures the block error rates of `mcs` for code blocks of K′ = `block_bits` bits over AWGN. It starts at the SNR
/// where the normal approximation is ½ and goes down (at most 40 steps) and up (at most 79 steps) along `grid`. Each
/// point is measured by [`measure_point`] with `stop` and `seed`.
///
/// # Errors
/// If [`block_transport`] fails for `mcs` and `block_bits`, or if fewer than two points were measured.
pub fn measure_curve(mcs: Mcs, block_bits: usize, grid: Grid, stop: Stop, seed: u64) -> Result<Curve, TableError> {
    let transport = block_transport(mcs, block_bits)?;
    let middle = normal_approximation_db(mcs.modulation(), transport.payload_bits(), transport.channel_uses(), 0.5);
    let first = (middle / grid.step_db).floor() as i32;
    let wrong = |_| TableError::Points { mcs, block_bits };
    let at = |step: i32| measure_point(&transport, f64::from(step) * grid.step_db, stop, seed).map_err(wrong);
    let mut points = Vec::new();
    for step in (first - 40..=first).rev() {
        points.push(at(step)?);
        if points[points.len() - 1].rate() >= grid.high {
            break;
        }
    }
    points.reverse();
    for step in first + 1..first + 80 {
        if points[points.len() - 1].rate() <= grid.low && points.len() > 1 {
            break;
        }
        points.push(at(step)?);
    }
    Curve::new(mcs, block_bits, points)
}
