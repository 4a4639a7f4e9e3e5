//! The conventional schemes of equal budget: the transmitter decides, and its decision crosses as one of M words that
//! fill the same symbols as the proposed scheme's latent.
//!
//! The decision is that of the proposed chain without noise, which runs in the transmitter as a whole. What crosses is
//! its sign ([`Decides::Sign`], one bit, antipodal: the matched filter itself), its class ([`Decides::Class`], three
//! bits) or the nearest of 64 distributions over the score ([`Decides::Nearest`], six bits). The words are those of the
//! first-order Reed–Muller code of k bits, 2^k biorthogonal words of length 2^(k−1) (the basis of the small block code
//! of 3GPP TS 38.212, 5.3.3.3, up to six bits), repeated until the burst is full.
//!
//! The receiver decides nothing in between: it weighs all words by their likelihood and answers with the mixture of
//! what each stands for, which is the best that can be made of the burst.

use crate::halves::{ProposedTransmitter, check_lengths, repeated};
use crate::scheme::{
    ClipInput, Csit, InputError, InputErrorKind, ModelCard, Receive, ReceivedBurst, Transmission, Transmit, rounds,
    scatter,
};
use candle_core::Tensor;
use metrics::Prediction;
use network::config::Config;
use network::head::{CELLS, cells_of, from_cells};
use network::proposed::{Receiver, Transmitter};
use nn::ops::{tensor, with_slice};
use nn::params::{Init, ParamError, Params, Scope};
use phy::{Equalised, Equaliser, Symbols};
use std::collections::HashMap;

/// What is decided in the transmitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decides {
    /// Whether the score is positive.
    Sign,
    /// The most likely of the seven classes.
    Class,
    /// The nearest of the distributions that the words stand for.
    Nearest,
}

impl Decides {
    /// Bits of a decision.
    pub fn bits(self) -> u32 {
        match self {
            Decides::Sign => 1,
            Decides::Class => 3,
            Decides::Nearest => 6,
        }
    }

    /// Words in use.
    pub fn words(self) -> usize {
        match self {
            Decides::Class => 7,
            Decides::Sign | Decides::Nearest => 1 << self.bits(),
        }
    }
}

/// What each word stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Codebook {
    decides: Decides,
    /// Distribution over the cells that each word stands for.
    answers: Vec<[f64; CELLS]>,
    /// How often each is sent.
    prior: Vec<f64>,
}

/// First path component of its tensors.
pub const PREFIX: &str = "codebook.";

impl Codebook {
    /// Of words that stand for `answers` and are sent as often as `prior` says.
    ///
    /// # Panics
    /// If there is another number of words than decisions.
    pub fn new(decides: Decides, answers: Vec<[f64; CELLS]>, prior: Vec<f64>) -> Self {
        assert_eq!((answers.len(), prior.len()), (decides.words(), decides.words()), "words of {decides:?}");
        Codebook { decides, answers, prior }
    }

    /// From the parameters below `codebook`.
    ///
    /// # Errors
    /// If they are not to be had.
    pub fn read(root: &Scope, decides: Decides) -> Result<Self, ParamError> {
        let (scope, words) = (root.at("codebook"), decides.words());
        let answers = scope.get("answers", &[words, CELLS], Init::Constant(1.0 / CELLS as f32))?;
        let prior = scope.get("prior", &[words], Init::Constant(1.0 / words as f32))?;
        // Whatever the file holds, they are distributions from here on.
        let positive = |v: &f32| f64::from(v.max(0.0)) + 1e-12;
        let answers = with_slice(&answers, |v| {
            let rows = v.chunks_exact(CELLS);
            rows.map(|row| distribution(std::array::from_fn(|cell| positive(&row[cell])))).collect()
        })?;
        let prior: Vec<f64> = with_slice(&prior, |v| v.iter().map(positive).collect())?;
        let total: f64 = prior.iter().sum();
        Ok(Codebook { decides, answers, prior: prior.iter().map(|p| p / total).collect() })
    }

    /// Its tensors by path.
    ///
    /// # Errors
    /// Candle's.
    pub fn tensors(&self) -> candle_core::Result<HashMap<String, Tensor>> {
        let words = self.decides.words();
        let answers = self.answers.iter().flatten().map(|p| *p as f32).collect();
        let prior = self.prior.iter().map(|p| *p as f32).collect();
        let named = |name: &str, tensor| (format!("{PREFIX}{name}"), tensor);
        Ok(HashMap::from([named("answers", tensor(answers, (words, CELLS))?), named("prior", tensor(prior, words)?)]))
    }

    /// The word sent for a decision of the proposed chain.
    pub fn word(&self, decision: &Prediction) -> usize {
        match self.decides {
            Decides::Sign => usize::from(decision.is_pos()),
            Decides::Class => (decision.class() + 3) as usize,
            Decides::Nearest => nearest(&self.answers, &cells_of(decision)),
        }
    }

    /// What is answered to a burst: the words' answers, each weighed by its probability.
    pub fn answer(&self, burst: &Equalised, equaliser: Equaliser) -> Prediction {
        let posterior = self.posterior(burst, equaliser);
        let mut mixture = [0f64; CELLS];
        for (weight, answer) in posterior.iter().zip(&self.answers) {
            mixture.iter_mut().zip(answer).for_each(|(m, p)| *m += weight * p);
        }
        from_cells(&mixture)
    }

    /// The probability of each word given x̂ = g·c + v: log p = ln prior + 2g⟨x̂, c⟩/E|v|², for all words have the same
    /// energy.
    pub fn posterior(&self, burst: &Equalised, equaliser: Equaliser) -> Vec<f64> {
        let factor = equaliser.llr_scale(burst.rho);
        let bits = self.decides.bits();
        let logs: Vec<f64> = (0..self.prior.len())
            .map(|word| {
                let product = |(k, x): (usize, &f32)| f64::from(x.clamp(-1e3, 1e3)) * chip(bits, word, k);
                let correlation: f64 = burst.reals.iter().enumerate().map(product).sum();
                self.prior[word].ln() + factor * correlation
            })
            .collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|l| (l - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }

    /// The burst of a word: `reals` values ±√½, unit power per complex symbol.
    pub fn burst(&self, word: usize, reals: usize) -> Vec<f32> {
        (0..reals).map(|k| chip(self.decides.bits(), word, k) as f32).collect()
    }
}

/// The `k`th real of a word of the repeated first-order Reed–Muller code: bit 0 of the word turns the whole sign, the
/// others pick the Walsh function.
fn chip(bits: u32, word: usize, k: usize) -> f64 {
    let walsh = (word >> 1) & (k % (1 << (bits - 1)));
    let odd = (word & 1) as u32 + walsh.count_ones();
    if odd % 2 == 1 { std::f64::consts::FRAC_1_SQRT_2 } else { -std::f64::consts::FRAC_1_SQRT_2 }
}

fn distribution(p: [f64; CELLS]) -> [f64; CELLS] {
    let total: f64 = p.iter().sum();
    p.map(|p| p / total)
}

/// The nearest answer by the Hellinger distance.
pub fn nearest(answers: &[[f64; CELLS]], p: &[f64; CELLS]) -> usize {
    let overlap = |answer: &[f64; CELLS]| answer.iter().zip(p).map(|(a, p)| (a * p).sqrt()).sum::<f64>();
    let mut best = (0, f64::NEG_INFINITY);
    for (word, answer) in answers.iter().enumerate() {
        let overlap = overlap(answer);
        if overlap > best.1 {
            best = (word, overlap);
        }
    }
    best.0
}

/// The transmitter half: the whole proposed chain, and the words.
pub struct CodebookTransmitter {
    /// The proposed transmitter, whose burst stays here.
    pub sender: ProposedTransmitter,
    /// The proposed receiver, that reads it without noise.
    pub decider: Receiver,
    /// The words.
    pub codebook: Codebook,
}

impl CodebookTransmitter {
    /// What the chain decides of each of its own transmissions, and the codeword of that decision.
    fn decide(&self, sent: &[Transmission]) -> Result<Vec<Result<Transmission, InputError>>, InputError> {
        let failed = |e: &dyn std::fmt::Display| InputError::new(InputErrorKind::Internal, "clip", e);
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let reals = self.sender.config.reals;
        let data = sent.iter().flat_map(|burst| burst.symbols.reals().iter().copied()).collect();
        let decisions = tensor(data, (sent.len(), reals))
            .and_then(|z| self.decider.forward(&z, &vec![1.0; sent.len()]))
            .map_err(|e| failed(&e))?;
        let word = |decision| Symbols::new(self.codebook.burst(self.codebook.word(decision), reals));
        let result = |decision| word(decision).map(Transmission::from).map_err(|e| failed(&e));
        Ok(decisions.iter().map(result).collect())
    }
}

impl Transmit for CodebookTransmitter {
    fn card(&self) -> &ModelCard {
        &self.sender.card
    }

    fn transmit(&self, clips: &[ClipInput], csit: &[Option<Csit>]) -> Vec<Result<Transmission, InputError>> {
        let rounds = match rounds(clips.len(), csit.len()) {
            Ok(rounds) => rounds,
            Err(refused) => return refused,
        };
        let (mut sent, mut checked) = (Vec::new(), Vec::new());
        for result in self.sender.transmit(clips, &[]) {
            checked.push(result.map(|transmission| sent.push(transmission)));
        }
        repeated(scatter(checked, self.decide(&sent)), rounds)
    }
}

/// The receiver half: the words alone.
pub struct CodebookReceiver {
    /// What is known of the weights.
    pub card: ModelCard,
    /// The words.
    pub codebook: Codebook,
}

impl Receive for CodebookReceiver {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn receive(&self, bursts: &[ReceivedBurst]) -> Vec<Result<Prediction, InputError>> {
        let answer = |burst: &ReceivedBurst| self.codebook.answer(&burst.equalised, self.card.equaliser);
        let checked = check_lengths(&self.card, bursts).into_iter().zip(bursts);
        checked.map(|(checked, burst)| checked.map(|()| answer(burst))).collect()
    }
}

/// The parameters of a codebook's weights: those of the chain that decides, and the words.
///
/// # Errors
/// If the chain is not of these sizes.
pub fn with_codebook(chain: &Params, config: &Config, codebook: &Codebook) -> Result<Params, ParamError> {
    let mut tensors: HashMap<String, Tensor> = chain.tensors(&[""]).into_iter().collect();
    tensors.extend(codebook.tensors()?);
    let params = Params::from_tensors("codebook", tensors, false);
    // What is read is what will be saved.
    Transmitter::new(&params.root(), config)?;
    Receiver::new(&params.root(), config)?;
    Codebook::read(&params.root(), codebook.decides)?;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::random::Stream;

    const REALS: usize = 50;

    fn plain(decides: Decides) -> Codebook {
        let words = decides.words();
        let answer = |word: usize| {
            let p: [f64; CELLS] = std::array::from_fn(|cell| 1.0 + ((word * 7 + cell * 3) % 11) as f64);
            distribution(p)
        };
        Codebook::new(decides, (0..words).map(answer).collect(), vec![1.0 / words as f64; words])
    }

    #[test]
    fn words_have_unit_power_and_are_biorthogonal() {
        for decides in [Decides::Sign, Decides::Class, Decides::Nearest] {
            let codebook = plain(decides);
            let length = 1 << (decides.bits() - 1);
            for a in 0..1usize << decides.bits() {
                let first = codebook.burst(a, length);
                let power: f32 = first.iter().map(|v| v * v).sum::<f32>() / length as f32;
                assert!((power - 0.5).abs() < 1e-6);
                for b in 0..a {
                    let product: f32 = first.iter().zip(codebook.burst(b, length)).map(|(a, b)| a * b).sum();
                    let expected = if a ^ b == 1 { -(length as f32) / 2.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{decides:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn without_noise_the_word_is_certain() {
        for decides in [Decides::Sign, Decides::Class, Decides::Nearest] {
            let codebook = plain(decides);
            for word in 0..decides.words() {
                let reals = codebook.burst(word, REALS);
                for equaliser in [Equaliser::Mmse, Equaliser::ZeroForcing] {
                    let burst = Equalised { reals: reals.clone(), noise_var: 0.0, rho: 1.0 };
                    assert!(codebook.posterior(&burst, equaliser)[word] > 1.0 - 1e-12);
                    let answer = cells_of(&codebook.answer(&burst, equaliser));
                    assert!(answer.iter().zip(codebook.answers[word]).all(|(a, b)| (a - b).abs() < 1e-6));
                }
            }
        }
    }

    /// Sign errors over AWGN are Q(√(2nγ)) for n symbols: within four standard deviations of 40,000 bursts.
    #[test]
    fn a_repeated_sign_errs_as_the_matched_filter_does() {
        let codebook = plain(Decides::Sign);
        let gamma = 10f64.powf(-1.4);
        let n0 = 1.0 / gamma;
        let rho = 1.0 / (1.0 + n0);
        let (mut stream, bursts) = (Stream::new(5, &[]), 40_000);
        let mut errors = 0;
        for i in 0..bursts {
            let word = i % 2;
            let noise = stream.normals(REALS);
            let received = codebook.burst(word, REALS).into_iter().zip(noise);
            let reals = received.map(|(x, w)| (rho * (f64::from(x) + (n0 / 2.0).sqrt() * f64::from(w))) as f32);
            let burst = Equalised { reals: reals.collect(), noise_var: (rho * (1.0 - rho)) as f32, rho: rho as f32 };
            let posterior = codebook.posterior(&burst, Equaliser::Mmse);
            errors += usize::from((posterior[1] > posterior[0]) != (word == 1));
        }
        let expected = phy::closed_form::q_function((2.0 * 25.0 * gamma).sqrt());
        let sd = (expected * (1.0 - expected) / bursts as f64).sqrt();
        assert!(
            (errors as f64 / bursts as f64 - expected).abs() < 4.0 * sd,
            "{errors} of {bursts}, expected {expected}"
        );
    }

    /// The stated probabilities are those with which words were sent.
    #[test]
    fn the_posterior_is_calibrated() {
        let words = Decides::Class.words();
        let prior: Vec<f64> = (0..words).map(|w| (w + 1) as f64 / 28.0).collect();
        let codebook = Codebook { prior: prior.clone(), ..plain(Decides::Class) };
        let (rho, mut stream) = (0.08f64, Stream::new(9, &[]));
        let n0 = (1.0 - rho) / rho;
        let (mut stated, mut right, bursts) = (0.0, 0.0, 20_000);
        for _ in 0..bursts {
            let mut u = stream.uniform();
            let word = prior
                .iter()
                .position(|p| {
                    u -= p;
                    u < 0.0
                })
                .unwrap_or(words - 1);
            let noise = stream.normals(REALS);
            let received = codebook.burst(word, REALS).into_iter().zip(noise);
            let reals = received.map(|(x, w)| (f64::from(x) + (n0 / 2.0).sqrt() * f64::from(w)) as f32);
            let burst = Equalised { reals: reals.collect(), noise_var: n0 as f32, rho: rho as f32 };
            let posterior = codebook.posterior(&burst, Equaliser::ZeroForcing);
            let best = (0..words).fold(0, |best, w| if posterior[w] > posterior[best] { w } else { best });
            stated += posterior[best];
            right += f64::from(u8::from(best == word));
        }
        // A standard deviation of the difference is below 0.0036.
        assert!((stated - right).abs() / f64::from(bursts) < 0.0144, "{stated} stated, {right} right");
    }
}
