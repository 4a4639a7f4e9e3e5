//! Layered message passing decoding of the codes of TS 38.212, 5.3.2.

use std::f64::consts::LN_2;

use super::graph::Circulant;
use super::{Code, LdpcError};

/// The factor of check-to-variable messages in [`CheckRule::NormalisedMinSum`]. It is below 1, because the least
/// magnitude alone overestimates the message of the sum-product rule.
pub const MIN_SUM_FACTOR: f64 = 0.75;

/// The argument e at which the parabola of [`CheckRule::ApproximateSumProduct`] reaches 0: ln(1 + e^{−x}) is replaced
/// by ln 2 · (1 − x/e)² for 0 ≤ x ≤ e and by 0 above, with an error of at most 0.05. As e ≥ 4 ln 2, the approximation
/// never reverses the sign of a message.
pub const PARABOLA_END: f64 = 3.6;

/// The check-node update: how a check computes its message to each of its bits from the messages of its other bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CheckRule {
    /// Normalised min-sum: the product of the signs of the other bits' messages, times their least magnitude, times
    /// [`MIN_SUM_FACTOR`].
    #[default]
    NormalisedMinSum,
    /// Sum-product (belief propagation): 2·artanh of the product of tanh(m/2) over the messages m of the other bits.
    SumProduct,
    /// Sum-product with ln(1 + e^{−x}) replaced by a parabola that ends at [`PARABOLA_END`]. It takes a tenth of the
    /// time of [`CheckRule::SumProduct`], and at low rates, where checks have few bits, is up to half a dB better than
    /// [`CheckRule::NormalisedMinSum`].
    ApproximateSumProduct,
}

/// A layered decoder: it updates the rows of the base graph in turn, and each row uses the results of the rows before
/// it in the same iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// The check-node update.
    pub rule: CheckRule,
    /// The number of iterations, passes over all rows, after which the decoder gives up; 30 by default.
    pub max_iterations: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { rule: CheckRule::default(), max_iterations: 30 }
    }
}

/// The result of decoding one codeword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The hard decisions on the bits of the codeword, `[columns · Z]`.
    pub word: Vec<bool>,
    /// The number of iterations made, passes over all rows; 0 if the syndrome was satisfied before the first.
    pub iterations: usize,
    /// Whether the syndrome is satisfied: every information bit has an LLR other than 0, and every check that takes
    /// part in decoding is met.
    pub converged: bool,
}

impl Decoder {
    /// Decodes one codeword of `code` (TS 38.212, 5.3.2) from `llrs`, `[columns · Z]`, with 0 for bits that were not
    /// sent. It stops as soon as all checks are met. Extension rows whose parity column was not sent at all carry no
    /// information and are left out.
    ///
    /// # Errors
    /// If `llrs` has not [`Code::word_bits`] values, or one is not finite.
    pub fn decode(&self, code: &Code, llrs: &[f64]) -> Result<Decoded, LdpcError> {
        if llrs.len() != code.word_bits() {
            return Err(LdpcError::Llrs { expected: code.word_bits(), got: llrs.len() });
        }
        if let Some(index) = llrs.iter().position(|llr| !llr.is_finite()) {
            return Err(LdpcError::NotFinite { index });
        }
        let mut state = State::new(code, llrs);
        let mut iterations = 0;
        let mut converged = state.syndrome_satisfied();
        while !converged && iterations < self.max_iterations {
            state.pass(self.rule);
            iterations += 1;
            converged = state.syndrome_satisfied();
        }
        let word = state.posterior.iter().map(|&llr| llr < 0.0).collect();
        Ok(Decoded { word, iterations, converged })
    }
}

/// The messages while one codeword is decoded.
struct State<'a> {
    size: usize,
    info_bits: usize,
    rows: Vec<&'a [Circulant]>,
    /// The posterior LLR of each bit of the codeword, `[columns · Z]`.
    posterior: Vec<f64>,
    /// For each row its last check-to-variable messages, `[degree, Z]`.
    check_to_variable: Vec<Vec<f64>>,
    /// The variable-to-check messages of the current row, `[degree, Z]`.
    variable_to_check: Vec<f64>,
    /// Scratch space of the check-node update of one row, `[Z]`.
    running: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(code: &'a Code, llrs: &[f64]) -> Self {
        let size = code.lifting_size();
        let sent = |column: usize| llrs[column * size..][..size].iter().any(|&llr| llr != 0.0);
        let core = code.graph().info_columns() + super::graph::CORE_ROWS;
        let own = |row: &[Circulant]| row.last().map_or(0, |c| c.column);
        let rows = code.rows().iter().map(Vec::as_slice).filter(|row| own(row) < core || sent(own(row)));
        let rows: Vec<_> = rows.collect();
        let check_to_variable = rows.iter().map(|row| vec![0.0; row.len() * size]).collect();
        State {
            size,
            info_bits: code.info_bits(),
            rows,
            posterior: llrs.to_vec(),
            check_to_variable,
            variable_to_check: Vec::new(),
            running: Vec::new(),
        }
    }

    /// Whether the syndrome is satisfied: every information bit has an LLR other than 0, and every check is met.
    /// Without the first condition, LLRs that are all 0 would decode to the codeword of zeros.
    fn syndrome_satisfied(&self) -> bool {
        self.posterior[..self.info_bits].iter().all(|&llr| llr != 0.0) && self.rows.iter().all(|row| self.met(row))
    }

    fn met(&self, row: &[Circulant]) -> bool {
        let mut sum = vec![false; self.size];
        for circulant in row {
            let column = &self.posterior[circulant.column * self.size..][..self.size];
            let (late, early) = column.split_at(circulant.shift);
            sum.iter_mut().zip(early.iter().chain(late)).for_each(|(sum, &llr)| *sum ^= llr < 0.0);
        }
        !sum.contains(&true)
    }

    fn pass(&mut self, rule: CheckRule) {
        let size = self.size;
        for (row, check_to_variable) in self.rows.iter().zip(&mut self.check_to_variable) {
            self.variable_to_check.resize(check_to_variable.len(), 0.0);
            for (k, c) in row.iter().enumerate() {
                let rotated = &mut self.variable_to_check[k * size..][..size];
                rotated.copy_from_slice(&self.posterior[c.column * size..][..size]);
                rotated.rotate_left(c.shift);
                rotated
                    .iter_mut()
                    .zip(&check_to_variable[k * size..])
                    .for_each(|(message, check_to_variable)| *message -= check_to_variable);
            }
            match rule {
                CheckRule::NormalisedMinSum => min_sum(&self.variable_to_check, check_to_variable, size),
                CheckRule::SumProduct => sum_product(&self.variable_to_check, check_to_variable, size),
                CheckRule::ApproximateSumProduct => {
                    approximate(&self.variable_to_check, check_to_variable, size, &mut self.running)
                }
            }
            for (k, c) in row.iter().enumerate() {
                let column = &mut self.posterior[c.column * size..][..size];
                let now = self.variable_to_check[k * size..].iter().zip(&check_to_variable[k * size..]);
                column
                    .iter_mut()
                    .zip(now)
                    .for_each(|(llr, (message, check_to_variable))| *llr = message + check_to_variable);
                column.rotate_right(c.shift);
            }
        }
    }
}

/// The normalised min-sum update of one row: computes `check_to_variable` from `variable_to_check`, both of shape
/// `[degree, size]` with `size` = Z.
fn min_sum(variable_to_check: &[f64], check_to_variable: &mut [f64], size: usize) {
    let (mut least, mut second) = (vec![f64::INFINITY; size], vec![f64::INFINITY; size]);
    let mut sign = vec![1.0f64; size];
    for edge in variable_to_check.chunks_exact(size) {
        for r in 0..size {
            let magnitude = edge[r].abs();
            second[r] = second[r].min(least[r].max(magnitude));
            least[r] = least[r].min(magnitude);
            sign[r] = if edge[r] < 0.0 { -sign[r] } else { sign[r] };
        }
    }
    for (edge, check_to_variable) in variable_to_check.chunks_exact(size).zip(check_to_variable.chunks_exact_mut(size))
    {
        for r in 0..size {
            let magnitude = if edge[r].abs() == least[r] { second[r] } else { least[r] };
            let signed = if edge[r] < 0.0 { -sign[r] } else { sign[r] };
            check_to_variable[r] = MIN_SUM_FACTOR * signed * magnitude;
        }
    }
}

/// The sum-product update of one row: computes `check_to_variable` from `variable_to_check`, both `[degree, size]` with
/// `size` = Z. A forward and a backward pass combine the messages before and after each edge.
fn sum_product(variable_to_check: &[f64], check_to_variable: &mut [f64], size: usize) {
    let degree = variable_to_check.len() / size;
    for r in 0..size {
        let mut before = f64::INFINITY;
        for k in 0..degree {
            check_to_variable[k * size + r] = before;
            before = box_plus(before, variable_to_check[k * size + r]);
        }
        let mut behind = f64::INFINITY;
        for k in (0..degree).rev() {
            check_to_variable[k * size + r] = box_plus(check_to_variable[k * size + r], behind);
            behind = box_plus(behind, variable_to_check[k * size + r]);
        }
    }
}

/// The approximate sum-product update of one row: computes `check_to_variable` from `variable_to_check`, both of shape
/// `[degree, size]` with `size` = Z and a degree of at least 2. It works like [`sum_product`], but on the Z checks of
/// the row at once; `running` is scratch space.
fn approximate(variable_to_check: &[f64], check_to_variable: &mut [f64], size: usize, running: &mut Vec<f64>) {
    let last = variable_to_check.len() - size;
    running.clear();
    running.extend_from_slice(&variable_to_check[..size]);
    for from in (size..=last).step_by(size) {
        check_to_variable[from..][..size].copy_from_slice(running);
        if from < last {
            running.iter_mut().zip(&variable_to_check[from..]).for_each(|(a, &b)| *a = approximate_box_plus(*a, b));
        }
    }
    running.copy_from_slice(&variable_to_check[last..]);
    for from in (size..last).step_by(size).rev() {
        let behind = check_to_variable[from..][..size].iter_mut().zip(&*running);
        behind.for_each(|(check_to_variable, &behind)| {
            *check_to_variable = approximate_box_plus(*check_to_variable, behind)
        });
        running.iter_mut().zip(&variable_to_check[from..]).for_each(|(a, &b)| *a = approximate_box_plus(*a, b));
    }
    check_to_variable[..size].copy_from_slice(running);
}

/// An approximation of [`box_plus`] of two finite LLRs, with ln(1 + e^{−x}) replaced by a parabola that ends at
/// [`PARABOLA_END`].
fn approximate_box_plus(a: f64, b: f64) -> f64 {
    let parabola = |x: f64| {
        let part = (PARABOLA_END - x.abs()).max(0.0);
        part * part
    };
    let sign = (a.to_bits() ^ b.to_bits()) & (1 << 63);
    let least = f64::from_bits(a.abs().min(b.abs()).to_bits() | sign);
    least + (LN_2 / (PARABOLA_END * PARABOLA_END)) * (parabola(a + b) - parabola(a - b))
}

/// The LLR of the sum modulo 2 of two bits with LLRs `a` and `b`: 2·artanh(tanh(a/2)·tanh(b/2)). An infinite LLR, of
/// either sign, is the neutral element.
fn box_plus(a: f64, b: f64) -> f64 {
    if a.is_infinite() {
        return b;
    }
    if b.is_infinite() {
        return a;
    }
    let least = a.signum() * b.signum() * a.abs().min(b.abs());
    least + (-(a + b).abs()).exp().ln_1p() - (-(a - b).abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parabola_is_near_and_turns_no_sign() {
        let values = (-80..=80).map(|k| f64::from(k) * 0.17);
        for (a, b) in values.clone().flat_map(|a| values.clone().map(move |b| (a, b))) {
            let (exact, near) = (box_plus(a, b), approximate_box_plus(a, b));
            assert!((exact - near).abs() < 0.1 && exact * near >= 0.0, "{a} {b}: {exact} {near}");
            assert!(a != 0.0 || near == 0.0, "{b}: {near}");
        }
    }

    #[test]
    fn a_row_is_answered_by_all_the_others() {
        let variable_to_check = [1.0, -7.0, 2.5, 0.5, -0.3, 4.0, 9.0, 0.0];
        for degree in 2..=4 {
            let mut check_to_variable = vec![0.0; 2 * degree];
            approximate(&variable_to_check[..2 * degree], &mut check_to_variable, 2, &mut Vec::new());
            for (k, check_to_variable) in check_to_variable.iter().enumerate() {
                let rest = (0..degree).filter(|&edge| edge != k / 2).map(|edge| variable_to_check[2 * edge + k % 2]);
                let expected = rest.fold(f64::INFINITY, |a, b| if a.is_infinite() { b } else { box_plus(a, b) });
                assert!((check_to_variable - expected).abs() < 0.15, "{degree} {k}: {check_to_variable} {expected}");
            }
        }
    }
}
