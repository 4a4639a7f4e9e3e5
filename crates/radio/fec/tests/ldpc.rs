//! Encoded codewords satisfy all parity checks, and decoding recovers them.

use latentlink_fec::ldpc::{BaseGraph, CheckRule, Code, Decoder, LdpcError, lifting_sizes};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const GRAPHS: [BaseGraph; 2] = [BaseGraph::Bg1, BaseGraph::Bg2];

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

#[test]
fn every_word_meets_every_check() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for graph in GRAPHS {
        for size in lifting_sizes() {
            let code = Code::new(graph, size).unwrap();
            let word = random_word(&mut rng, &code);
            let met = code.checks().all(|check| !check.iter().fold(false, |sum, &bit| sum ^ word[bit]));
            assert!(met, "{graph:?} {size}");
        }
    }
}

#[test]
fn rows_left_out_change_nothing_of_what_is_found() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for graph in GRAPHS {
        let code = Code::new(graph, 16).unwrap();
        let sent = code.info_bits() * 2 + 7;
        for rule in [CheckRule::NormalisedMinSum, CheckRule::SumProduct] {
            let word = random_word(&mut rng, &code);
            let llrs = llrs(&mut rng, &code, &word, 2.5, sent);
            let decoded = Decoder { rule, max_iterations: 40 }.decode(&code, &llrs).unwrap();
            assert!(decoded.converged && decoded.word[..code.info_bits()] == word[..code.info_bits()], "{graph:?}");
            // An LLR so small that it carries no information, but keeps every row in the decoder.
            let whispered: Vec<f64> = llrs.iter().map(|&llr| if llr == 0.0 { 1e-12 } else { llr }).collect();
            let all = Decoder { rule, max_iterations: 40 }.decode(&code, &whispered).unwrap();
            assert_eq!(all.word[..code.info_bits()], decoded.word[..code.info_bits()], "{graph:?} {rule:?}");
        }
    }
}

#[test]
fn nothing_received_is_no_word() {
    let code = Code::new(BaseGraph::Bg2, 7).unwrap();
    for rule in [CheckRule::NormalisedMinSum, CheckRule::SumProduct] {
        let decoded = Decoder { rule, max_iterations: 5 }.decode(&code, &vec![0.0; code.word_bits()]).unwrap();
        assert!(!decoded.converged && decoded.iterations == 5);
    }
}

#[test]
fn what_is_no_code_and_no_word_is_named() {
    for size in [0, 1, 17, 34, 385, 416, 512] {
        assert_eq!(Code::new(BaseGraph::Bg1, size).unwrap_err(), LdpcError::LiftingSize(size));
    }
    let code = Code::new(BaseGraph::Bg2, 2).unwrap();
    assert_eq!(code.encode(&[true; 3]).unwrap_err(), LdpcError::InfoBits { expected: 20, got: 3 });
    let decode = |llrs: &[f64]| Decoder::default().decode(&code, llrs).unwrap_err();
    assert_eq!(decode(&[1.0; 100]), LdpcError::Llrs { expected: 104, got: 100 });
    let mut llrs = [1.0; 104];
    llrs[3] = f64::NAN;
    assert_eq!(decode(&llrs), LdpcError::NotFinite { index: 3 });
}
