//! Floors of the dependence between two latents: latents that both predict the label cannot be independent of each
//! other.

use std::f64::consts::LN_2;

/// J = 2·JSD, in nats, between the joint distribution of two decisions and the product of its margins. `counts[i][j]`
/// counts the clips with first decision i and second decision j; without clips J is 0. Decisions are functions of the
/// latents, so by data processing J of the latents is at least that of their decisions.
pub fn of_decisions(counts: [[u64; 2]; 2]) -> f64 {
    let n = counts.iter().flatten().sum::<u64>() as f64;
    if n == 0.0 {
        return 0.0;
    }
    let p = counts.map(|row| row.map(|count| count as f64 / n));
    let mut j = 0.0;
    for (i, row) in p.iter().enumerate() {
        for (k, joint) in row.iter().enumerate() {
            let product = (p[i][0] + p[i][1]) * (p[0][k] + p[1][k]);
            j += term(*joint, product) + term(product, *joint);
        }
    }
    j
}

/// p·ln(2p/(p + q)), one term of 2·JSD in nats; 0 at p = 0.
fn term(p: f64, q: f64) -> f64 {
    if p <= 0.0 { 0.0 } else { p * (2.0 * p / (p + q)).ln() }
}

/// J = 2·JSD, in nats, of two decisions that are right with probabilities `a` and `b` and whose errors are independent
/// of each other given a balanced label. Their signs correlate by c = (2a − 1)(2b − 1), whatever else the latents
/// hold. For example, J is 0.04 at a = b = 0.81.
pub fn of_accuracies(a: f64, b: f64) -> f64 {
    let c = (2.0 * a - 1.0) * (2.0 * b - 1.0);
    let (same, other) = ((1.0 + c) / 4.0, (1.0 - c) / 4.0);
    2.0 * (term(same, 0.25) + term(0.25, same) + term(other, 0.25) + term(0.25, other))
}

/// Lower bound, in nats, of the mutual information of two latents: I(Z^a; Z^b) ≥ I(Z^a; Y) + I(Z^b; Y) − I(Z^a, Z^b;
/// Y). The first two terms are bounded from below by the entropy of the label's sign, positive with probability
/// `positives`, less the probes' cross-entropies; the last is bounded from above by that entropy. 0 where the bound is
/// negative.
pub fn of_information(positives: f64, cross_entropy_a: f64, cross_entropy_b: f64) -> f64 {
    let entropy = entropy(positives);
    let informed = |cross_entropy: f64| (entropy - cross_entropy).max(0.0);
    (informed(cross_entropy_a) + informed(cross_entropy_b) - entropy).max(0.0)
}

/// Entropy H(Y), in nats, of a sign that is positive with probability p.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    (part(p) + part(1.0 - p)).min(LN_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_decisions_and_the_closed_form_agree() {
        for (a, b) in [(0.5, 0.9), (0.7, 0.8), (0.81, 0.81), (1.0, 1.0)] {
            // Of 10,000 clips, half positive, errors independent given the label.
            let share = |same: bool| if same { a * b + (1.0 - a) * (1.0 - b) } else { a * (1.0 - b) + b * (1.0 - a) };
            let count = |same: bool| (1e7f64 * share(same) / 2.0).round() as u64;
            let counts = [[count(true), count(false)], [count(false), count(true)]];
            assert!((of_decisions(counts) - of_accuracies(a, b)).abs() < 1e-6, "{a} {b}");
        }
        assert!((of_accuracies(0.81, 0.81) - 0.04).abs() < 0.002, "{}", of_accuracies(0.81, 0.81));
        assert_eq!(of_accuracies(0.5, 0.9), 0.0);
    }

    /// The joint distribution has two of the four cells, half each; the product a quarter in each of the four.
    #[test]
    fn decisions_that_always_agree() {
        let by_hand = 2.0 * (0.5 * (4.0f64 / 3.0).ln() + 0.25 * (2.0f64 / 3.0).ln() + 0.25 * 2f64.ln());
        assert!((of_decisions([[50, 0], [0, 50]]) - by_hand).abs() < 1e-12);
        assert_eq!(of_decisions([[25, 25], [25, 25]]), 0.0);
        assert_eq!(of_decisions([[0, 0], [0, 0]]), 0.0);
    }

    #[test]
    fn information_counts_once_both_know_more_than_half() {
        assert!((of_information(0.5, 0.1, 0.1) - (2.0 * (LN_2 - 0.1) - LN_2)).abs() < 1e-12);
        assert_eq!(of_information(0.5, 0.5, 0.5), 0.0);
        assert_eq!(of_information(0.5, 2.0, 2.0), 0.0);
    }
}
