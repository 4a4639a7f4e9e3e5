//! Compares the NR chain with the normal approximation for codes of its length, and with the decoder of ldpc-toolbox.

use clap::ValueEnum;
use fec::Qam;
use fec::finite_length::normal_approximation_db;
use fec::ldpc::{BaseGraph, CheckRule, Code, Decoder};
use latentlink_nr::Transport;
use latentlink_nr::bler::{Stop, measure_point};
use ldpc_toolbox::codes::nr5g;
use ldpc_toolbox::decoder::{arithmetic::Phif64, horizontal_layered};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The cases as payload bits, constellation and code rate: both base graphs, punctured and repeated, 1000 to 8424 bits.
const CASES: [(usize, Qam, f64); 6] = [
    (1900, Qam::Qpsk, 120.0 / 1024.0),
    (1000, Qam::Qpsk, 0.5),
    (3824, Qam::Qpsk, 308.0 / 1024.0),
    (8424, Qam::Qpsk, 0.5),
    (2000, Qam::Qam16, 553.0 / 1024.0),
    (4000, Qam::Qam64, 772.0 / 1024.0),
];

/// At 1 dB above the SNR where the normal approximation, for the payload without check bits, is 1e-2, at most 3 of 800
/// blocks fail. With a BLER of 1e-2 the count would be Poisson with mean 8, which is 3 or less once in 24 cases, and in
/// all six cases once in 10⁸. At 0.25 dB below that SNR at least 3 in 100 blocks fail: the approximation is close to a
/// bound.
#[test]
fn block_errors_of_1e_2_come_within_a_decibel_of_the_normal_approximation() {
    for (seed, (payload_bits, qam, rate)) in (1..).zip(CASES) {
        let transport = Transport::new(payload_bits, qam, rate).unwrap();
        let best = normal_approximation_db(qam, payload_bits, transport.channel_uses(), 1e-2);
        let above = measure_point(&transport, best + 1.0, Stop { errors: 4, blocks: 800 }, seed).unwrap();
        assert!(above.errors <= 3, "{payload_bits} {qam:?} {rate}: {above:?}, 1e-2 at {best:.2} dB at best");
        let below = measure_point(&transport, best - 0.25, Stop { errors: 3, blocks: 100 }, seed).unwrap();
        assert!(below.errors >= 3, "{payload_bits} {qam:?} {rate}: {below:?}, 1e-2 at {best:.2} dB at best");
    }
}

/// The approximate sum-product decoder and that of ldpc-toolbox decode the same 200 codewords in the waterfall region
/// with up to 30 iterations. Their numbers of failures differ by at most 10.
#[test]
fn the_approximate_rule_fails_about_as_often_as_that_of_the_toolbox() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let sizes = nr5g::LiftingSize::value_variants();
    let size = *sizes.iter().find(|z| usize::from(**z) == 16).unwrap();
    for (graph, theirs, snr) in
        [(BaseGraph::Bg1, nr5g::BaseGraph::BG1, 0.66), (BaseGraph::Bg2, nr5g::BaseGraph::BG2, 0.36)]
    {
        let code = Code::new(graph, 16).unwrap();
        let mut reference = horizontal_layered::Decoder::new(theirs.h(size), Phif64::new());
        let decoder = Decoder { rule: CheckRule::ApproximateSumProduct, max_iterations: 30 };
        let (mut ours_failed, mut theirs_failed) = (0, 0);
        for _ in 0..200 {
            let info: Vec<bool> = (0..code.info_bits()).map(|_| rng.random()).collect();
            let word = code.encode(&info).unwrap();
            let ratio = |(k, &bit): (usize, &bool)| {
                let noise: f64 = rng.sample(StandardNormal);
                let signed = if bit { -1.0 } else { 1.0 };
                if k < 32 { 0.0 } else { 2.0 * snr * (signed + noise / f64::sqrt(snr)) }
            };
            let llrs: Vec<f64> = word.iter().enumerate().map(ratio).collect();
            let ours = decoder.decode(&code, &llrs).unwrap();
            ours_failed += i32::from(!ours.converged || ours.word != word);
            theirs_failed += i32::from(reference.decode(&llrs, 30).is_err());
        }
        println!("{graph:?}: {ours_failed} of 200 failed, with the toolbox {theirs_failed}");
        assert!((10..190).contains(&theirs_failed), "{graph:?}: not in the waterfall, {theirs_failed} of 200");
        assert!((ours_failed - theirs_failed).abs() <= 10, "{graph:?}: {ours_failed} {theirs_failed}");
    }
}
