//! Measures the table of block error rates that comes with this crate and prints it as CSV.
//!
//!     cargo run --release -p latentlink-nr --example bler > crates/radio/nr/src/bler/table.csv
//!
//! With MCS indices after `--` it measures these instead of the MCS set of link adaptation. The table depends neither
//! on the order of the measurements nor on the number of threads. Standard error shows for each curve how far its SNR
//! at a BLER of 1e-2 is from the normal approximation.

use std::sync::Mutex;

use fec::finite_length::normal_approximation_db;
use latentlink_nr::Mcs;
use latentlink_nr::bler::{BLOCK_BITS, Curve, Grid, Stop, Table, block_transport, measure_curve};

/// The SNRs to measure for a code block size in bits. The BLER of short blocks falls over 3 dB, that of long ones over
/// 0.5 dB.
fn grid(block_bits: usize) -> Grid {
    Grid { step_db: if block_bits < 1920 { 0.5 } else { 0.25 }, high: 0.95, low: 8e-3 }
}

const STOP: Stop = Stop { errors: 50, blocks: 1500 };
const SEED: u64 = 20;

fn main() {
    let asked: Vec<Mcs> = std::env::args().skip(1).map(|i| Mcs::new(i.parse().unwrap()).unwrap()).collect();
    let schemes = if asked.is_empty() { Mcs::LADDER.to_vec() } else { asked };
    let all = schemes.into_iter().flat_map(|mcs| BLOCK_BITS.map(|bits| (mcs, bits)));
    let mut left: Vec<(Mcs, usize)> = all.filter(|&(mcs, bits)| block_transport(mcs, bits).is_ok()).collect();
    left.sort_by_key(|&(_, bits)| bits);
    let (left, curves) = (Mutex::new(left), Mutex::new(Vec::new()));
    let work = || {
        while let Some((mcs, bits)) = { left.lock().unwrap().pop() } {
            let curve = measure_curve(mcs, bits, grid(bits), STOP, SEED).unwrap();
            say(&curve);
            curves.lock().unwrap().push(curve);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    print!("{}", Table::new(curves.into_inner().unwrap()).to_csv());
}

fn say(curve: &Curve) {
    let transport = block_transport(curve.mcs(), curve.block_bits()).unwrap();
    let (qam, bits, uses) = (curve.mcs().modulation(), transport.payload_bits(), transport.channel_uses());
    let (best, ours) = (normal_approximation_db(qam, bits, uses, 1e-2), curve.snr_db(1e-2));
    let gap = ours.map_or("?".into(), |ours| format!("{:.2}", ours - best));
    eprintln!("{}, {bits} payload bits: {gap} dB from the normal approximation at {best:.2} dB", curve.mcs());
}
