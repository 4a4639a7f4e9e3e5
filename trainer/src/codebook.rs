//! Fits codebooks to held-out predictions: which distribution each codeword is decoded to, and how often it is sent.

use crate::validation::Said;
use network::head::{CELLS, cells_of, from_cells};
use schemes::codebook::{Codebook, Decides, nearest};

/// Number of iterations of the clustering.
const ROUNDS: usize = 50;

/// Weight of the mean over the noisy channels in a codeword's distribution, in clips.
const EARLIER: f64 = 2.0;

/// Fits a codebook to held-out predictions. For `Sign` and `Class`, the distribution of a codeword is the mean of the
/// noiseless predictions of the clips that send it; the mean of its noisy predictions counts as `EARLIER` further
/// clips. For `Nearest`, the distributions are the cluster means of the predictions over all channels.
pub fn fit(decides: Decides, said: &[Said]) -> Codebook {
    let words = decides.words();
    let start = match decides {
        Decides::Sign | Decides::Class => vec![[1.0 / CELLS as f64; CELLS]; words],
        Decides::Nearest => clusters(&said.iter().map(|said| said.p).collect::<Vec<_>>(), words),
    };
    let even = vec![1.0 / words as f64; words];
    let draft = Codebook::new(decides, start.clone(), even);
    let word = |said: &Said| draft.word(&from_cells(&said.p));
    let noiseless: Vec<&Said> = said.iter().filter(|said| said.rho == 1.0).collect();
    let mut sent = vec![1.0; words];
    noiseless.iter().for_each(|said| sent[word(said)] += 1.0);
    let total: f64 = sent.iter().sum();
    let prior = sent.iter().map(|n| n / total).collect();
    let answers = match decides {
        Decides::Nearest => start,
        Decides::Sign | Decides::Class => (0..words).map(|which| answer(decides, which, said, &word)).collect(),
    };
    Codebook::new(decides, answers, prior)
}

fn answer(decides: Decides, which: usize, said: &[Said], word: &impl Fn(&Said) -> usize) -> [f64; CELLS] {
    let mean = |noiseless: bool| {
        let (mut sum, mut n) = ([0f64; CELLS], 0.0);
        for said in said.iter().filter(|said| (said.rho == 1.0) == noiseless && word(said) == which) {
            sum.iter_mut().zip(said.p).for_each(|(s, p)| *s += p);
            n += 1.0;
        }
        (sum, n)
    };
    let ((clean, n), (noisy, earlier)) = (mean(true), mean(false));
    let fallback = if earlier > 0.0 { noisy.map(|p| p / earlier) } else { certain(decides, which) };
    std::array::from_fn(|cell| (clean[cell] + EARLIER * fallback[cell]) / (n + EARLIER))
}

/// The distribution of a codeword that no clip sends.
fn certain(decides: Decides, which: usize) -> [f64; CELLS] {
    let cell = match decides {
        Decides::Class => [0, 1, 2, 4, 6, 7, 8][which],
        _ => [2, 6][which % 2],
    };
    std::array::from_fn(|k| f64::from(u8::from(k == cell)))
}

/// Means of `count` clusters by the Hellinger distance, started from the points that are farthest from the centres
/// before them.
fn clusters(points: &[[f64; CELLS]], count: usize) -> Vec<[f64; CELLS]> {
    let overlap = |a: &[f64; CELLS], b: &[f64; CELLS]| a.iter().zip(b).map(|(a, b)| (a * b).sqrt()).sum::<f64>();
    let mut centres = vec![points[0]];
    let mut closest: Vec<f64> = points.iter().map(|p| overlap(p, &points[0])).collect();
    while centres.len() < count {
        let far = (0..points.len()).fold(0, |best, i| if closest[i] < closest[best] { i } else { best });
        centres.push(points[far]);
        closest.iter_mut().zip(points).for_each(|(c, p)| *c = c.max(overlap(p, &points[far])));
    }
    for _ in 0..ROUNDS {
        let mut sums = vec![([0f64; CELLS], 0.0); count];
        for point in points {
            let (sum, n) = &mut sums[nearest(&centres, point)];
            sum.iter_mut().zip(point).for_each(|(s, p)| *s += p);
            *n += 1.0;
        }
        for (centre, (sum, n)) in centres.iter_mut().zip(sums).filter(|(_, (_, n))| *n > 0.0) {
            *centre = sum.map(|s| s / n);
        }
    }
    // Converted as the decisions that select codewords are.
    centres.iter().map(|centre| cells_of(&from_cells(centre))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::head::probabilities;
    use nn::random::Stream;

    fn said(n: u64) -> Vec<Said> {
        let clip = |i: u64| {
            let p = probabilities(&Stream::new(23, &[i]).normals(CELLS));
            Said { p, rho: if i.is_multiple_of(3) { 1.0 } else { 0.4 }, soft_decision: 0.0, label: 0.0 }
        };
        (0..n).map(clip).collect()
    }

    #[test]
    fn a_word_answers_with_what_its_clips_say() {
        for decides in [Decides::Sign, Decides::Class, Decides::Nearest] {
            let codebook = fit(decides, &said(3000));
            let mut off = 0.0;
            for said in said(300) {
                let decision = from_cells(&said.p);
                let word = codebook.word(&decision);
                let burst = phy::Equalised { reals: codebook.burst(word, 50), noise_var: 0.0, rho: 1.0 };
                let answer = codebook.answer(&burst, phy::Equaliser::Mmse);
                match decides {
                    Decides::Sign => assert_eq!(answer.is_pos(), decision.is_pos()),
                    Decides::Class => assert_eq!(answer.class(), decision.class()),
                    Decides::Nearest => off += f64::from((answer.score - decision.score).abs()) / 300.0,
                }
            }
            // These distributions have no order, so 64 codewords cover them thinly; with the sign alone the error
            // would be 0.75.
            assert!(off < 0.45, "{off}");
        }
    }
}
