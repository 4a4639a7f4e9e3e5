//! Measuring block error rates: real transport blocks over the real channel, until enough have failed.

use phy::{Complex, Conditions, Equaliser, NoiseKey, SnrDb, SnrError, draw, equalise};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::table::single_block;
use super::{Curve, Point, TableError};
use crate::{Mcs, Transport};
use fec::Demapping;
use fec::finite_length::normal_approximation_db;

/// When a point has been measured well enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// After so many errors …
    pub errors: u64,
    /// … or so many blocks.
    pub blocks: u64,
}

/// Which SNRs a curve is measured at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Step in dB; SNRs are multiples of it.
    pub step_db: f64,
    /// Downwards until the rate is at least this.
    pub high: f64,
    /// Upwards until the rate is at most this.
    pub low: f64,
}

/// The transport block of one code block of K′ = `block_bits`.
///
/// # Errors
/// If there is none, 3841 … 3848 bits for one, or the check bits leave no room for parity.
pub fn block_transport(mcs: Mcs, block_bits: usize) -> Result<Transport, TableError> {
    let segmentation = single_block(block_bits, mcs).ok_or(TableError::BlockBits(block_bits))?;
    Transport::with_mcs(segmentation.transport_bits, mcs).map_err(|_| TableError::BlockBits(block_bits))
}

/// Sends random payloads of `transport` over AWGN at `snr_db` until `stop`. Block k has the noise of
/// `NoiseKey { seed, draw: 0, row: k }` at every SNR. A block counts as failed unless exactly what was sent comes out.
///
/// # Errors
/// If `snr_db` is no SNR.
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

/// Measures one curve: from where the normal approximation is ½ down and up along `grid`.
///
/// # Errors
/// If no transport block of one code block has `block_bits`.
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
