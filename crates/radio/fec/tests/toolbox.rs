//! Compares the LDPC codes with those of ldpc-toolbox: parity check matrices, codewords, and decoding by iterations.

use clap::ValueEnum;
use latentlink_fec::ldpc::{BaseGraph, CheckRule, Code, Decoder, lifting_sizes};
use ldpc_toolbox::codes::nr5g;
use ldpc_toolbox::decoder::{arithmetic::Minstarapproxf64, arithmetic::Phif64, flooding, horizontal_layered};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const GRAPHS: [(BaseGraph, nr5g::BaseGraph); 2] =
    [(BaseGraph::Bg1, nr5g::BaseGraph::BG1), (BaseGraph::Bg2, nr5g::BaseGraph::BG2)];

fn random_word(rng: &mut ChaCha8Rng, code: &Code) -> Vec<bool> {
    let info: Vec<bool> = (0..code.info_bits()).map(|_| rng.random()).collect();
    code.encode(&info).unwrap()
}

/// LLRs of the codeword `word` sent as antipodal signals, at amplitude² over noise variance `snr`. Those of the first
/// 2Z bits and of the bits from index `sent` on, which are not sent, are 0.
fn llrs(rng: &mut ChaCha8Rng, code: &Code, word: &[bool], snr: f64, sent: usize) -> Vec<f64> {
    let ratio = |(k, &bit): (usize, &bool)| {
        let noise: f64 = rng.sample(StandardNormal);
        let silent = k < 2 * code.lifting_size() || k >= sent;
        if silent { 0.0 } else { 2.0 * snr * (if bit { -1.0 } else { 1.0 } + noise / snr.sqrt()) }
    };
    word.iter().enumerate().map(ratio).collect()
}

fn theirs(graph: nr5g::BaseGraph, size: usize) -> ldpc_toolbox::sparse::SparseMatrix {
    let sizes = nr5g::LiftingSize::value_variants();
    graph.h(*sizes.iter().find(|z| usize::from(**z) == size).unwrap())
}

#[test]
fn every_entry_of_every_matrix_is_that_of_the_toolbox() {
    let mut sizes: Vec<usize> = nr5g::LiftingSize::value_variants().iter().map(|&z| usize::from(z)).collect();
    sizes.sort_unstable();
    assert_eq!(lifting_sizes().collect::<Vec<_>>(), sizes);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (graph, their_graph) in GRAPHS {
        for &size in &sizes {
            let code = Code::new(graph, size).unwrap();
            let h = theirs(their_graph, size);
            assert_eq!((h.num_rows(), h.num_cols()), (graph.rows() * size, code.word_bits()));
            let word = random_word(&mut rng, &code);
            for (row, mut ours) in code.checks().enumerate() {
                let mut expected: Vec<usize> = h.iter_row(row).copied().collect();
                assert!(!expected.iter().fold(false, |sum, &bit| sum ^ word[bit]), "{graph:?} {size}: check {row}");
                ours.sort_unstable();
                expected.sort_unstable();
                assert_eq!(ours, expected, "{graph:?} {size}: check {row}");
            }
        }
    }
}

/// The sum-product decoder takes as many iterations as that of ldpc-toolbox and ends in the same codeword. Both update
/// the checks in the same order, and the checks of a row share no bit.
#[test]
fn sum_product_ends_where_that_of_the_toolbox_does() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (graph, their_graph) in GRAPHS {
        for size in [6, 26] {
            let code = Code::new(graph, size).unwrap();
            let mut reference = horizontal_layered::Decoder::new(theirs(their_graph, size), Phif64::new());
            let (mut failed, mut met) = (0, 0);
            for snr in [0.2, 0.5, 0.7, 1.0] {
                for max_iterations in [2, 8, 20] {
                    let word = random_word(&mut rng, &code);
                    let llrs = llrs(&mut rng, &code, &word, snr, word.len());
                    let decoder = Decoder { rule: CheckRule::SumProduct, max_iterations };
                    let ours = decoder.decode(&code, &llrs).unwrap();
                    let theirs = reference.decode(&llrs, max_iterations);
                    assert_eq!(ours.converged, theirs.is_ok(), "{graph:?} {size} {snr}");
                    met += usize::from(theirs.is_ok());
                    failed += usize::from(theirs.is_err());
                    let (Ok(theirs) | Err(theirs)) = theirs;
                    assert_eq!(ours.iterations, theirs.iterations, "{graph:?} {size} {snr}");
                    if ours.converged {
                        assert_eq!(ours.word, theirs.codeword.iter().map(|&bit| bit == 1).collect::<Vec<_>>());
                    }
                }
            }
            assert!(failed > 0 && met > 0, "{failed} failed, {met} met");
        }
    }
}

/// The min-sum decoder and the flooding decoder of ldpc-toolbox both decode the codeword that was sent.
#[test]
fn min_sum_finds_the_words_that_flooding_finds() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for (graph, their_graph) in GRAPHS {
        let code = Code::new(graph, 18).unwrap();
        let mut reference = flooding::Decoder::new(theirs(their_graph, 18), Minstarapproxf64::new());
        for _ in 0..10 {
            let word = random_word(&mut rng, &code);
            let llrs = llrs(&mut rng, &code, &word, 1.5, word.len());
            let ours = Decoder::default().decode(&code, &llrs).unwrap();
            let theirs = reference.decode(&llrs, 100).unwrap();
            assert!(ours.converged && ours.iterations > 0 && ours.word == word, "{graph:?}");
            assert_eq!(ours.word, theirs.codeword.iter().map(|&bit| bit == 1).collect::<Vec<_>>());
        }
    }
}
