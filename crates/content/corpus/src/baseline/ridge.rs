//! Ridge regression in closed form, by Cholesky of the smaller of the two normal matrices.

/// Design matrix and targets, with the products that every fit on a subset of the rows needs.
pub(super) struct Ridge {
    /// `[rows][columns]`
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    /// XᵀX `[columns]²` if there are no more columns than rows, else XXᵀ `[rows]²`.
    gram: Matrix,
    primal: bool,
}

/// A fitted line.
pub(super) struct Line {
    intercept: f64,
    weights: Vec<f64>,
}

impl Line {
    pub fn predict(&self, x: &[f64]) -> f64 {
        self.intercept + dot(&self.weights, x)
    }
}

impl Ridge {
    pub fn new(x: Vec<Vec<f64>>, y: Vec<f64>) -> Self {
        let columns = x.first().map_or(0, Vec::len);
        let primal = columns <= x.len();
        let gram = if primal { outer_products(&transposed(&x, columns)) } else { outer_products(&x) };
        Ridge { x, y, gram, primal }
    }

    /// Minimises Σ (y − b − w·x)² + penalty·n·|w|² over the given rows, b being their mean target (the columns are
    /// taken to be centred).
    pub fn fit(&self, rows: &[usize], penalty: f64) -> Line {
        let n = rows.len() as f64;
        let intercept = rows.iter().map(|row| self.y[*row]).sum::<f64>() / n;
        let residual: Vec<f64> = rows.iter().map(|row| self.y[*row] - intercept).collect();
        let weights = if self.primal {
            self.solve_primal(rows, &residual, penalty * n)
        } else {
            self.solve_dual(rows, &residual, penalty * n)
        };
        Line { intercept, weights }
    }

    /// Σ (y − ŷ)² over `held_out` of the fit on `kept`.
    pub fn squared_error(&self, kept: &[usize], held_out: &[usize], penalty: f64) -> f64 {
        let line = self.fit(kept, penalty);
        held_out.iter().map(|row| (self.y[*row] - line.predict(&self.x[*row])).powi(2)).sum()
    }

    /// (XᵀX + λI) w = Xᵀy, where XᵀX of the rows is that of all less that of the others.
    fn solve_primal(&self, rows: &[usize], residual: &[f64], penalty: f64) -> Vec<f64> {
        let mut normal = self.gram.clone();
        let mut keep = vec![false; self.x.len()];
        rows.iter().for_each(|row| keep[*row] = true);
        let others: Vec<Vec<f64>> =
            self.x.iter().zip(&keep).filter(|(_, keep)| !**keep).map(|(x, _)| x.clone()).collect();
        if !others.is_empty() {
            let less = outer_products(&transposed(&others, normal.n));
            normal.values.iter_mut().zip(&less.values).for_each(|(a, b)| *a -= b);
        }
        let mut right = vec![0.0; normal.n];
        for (row, y) in rows.iter().zip(residual) {
            right.iter_mut().zip(&self.x[*row]).for_each(|(sum, x)| *sum += x * y);
        }
        normal.solve_shifted(penalty, right)
    }

    /// w = Xᵀα, (XXᵀ + λI) α = y.
    fn solve_dual(&self, rows: &[usize], residual: &[f64], penalty: f64) -> Vec<f64> {
        let values = rows.iter().flat_map(|i| rows.iter().map(move |j| self.gram.at(*i, *j))).collect();
        let alpha = Matrix { n: rows.len(), values }.solve_shifted(penalty, residual.to_vec());
        let mut weights = vec![0.0; self.x[0].len()];
        for (row, alpha) in rows.iter().zip(alpha) {
            weights.iter_mut().zip(&self.x[*row]).for_each(|(w, x)| *w += alpha * x);
        }
        weights
    }
}

/// A symmetric matrix, `[n, n]`, row-major.
#[derive(Clone)]
struct Matrix {
    n: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n + j]
    }

    /// (A + shift·I)⁻¹ b for positive semi-definite A and positive shift.
    fn solve_shifted(mut self, shift: f64, mut b: Vec<f64>) -> Vec<f64> {
        let n = self.n;
        for i in 0..n {
            let (above, from_i) = self.values.split_at_mut(i * n);
            let row = &mut from_i[..n];
            row[i] += shift;
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            // The shift keeps the pivot positive but for rounding.
            row[i] = (row[i] - dot(&row[..i], &row[..i])).max(f64::MIN_POSITIVE).sqrt();
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
        for i in (0..n).rev() {
            b[i] /= self.at(i, i);
            let x = b[i];
            b[..i].iter_mut().zip(&self.values[i * n..i * n + i]).for_each(|(b, l)| *b -= x * l);
        }
        b
    }
}

/// All inner products of the vectors.
fn outer_products(vectors: &[Vec<f64>]) -> Matrix {
    let n = vectors.len();
    let mut values = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let product = dot(&vectors[i], &vectors[j]);
            values[i * n + j] = product;
            values[j * n + i] = product;
        }
    }
    Matrix { n, values }
}

fn transposed(x: &[Vec<f64>], columns: usize) -> Vec<Vec<f64>> {
    (0..columns).map(|column| x.iter().map(|row| row[column]).collect()).collect()
}

/// Inner product in eight interleaved sums, which the compiler turns into vector instructions.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_parts, a_rest) = a.as_chunks::<8>();
    let (b_parts, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_parts.iter().zip(b_parts) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix without structure, from a linear congruence.
    fn matrix(rows: usize, columns: usize) -> Vec<Vec<f64>> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
        };
        (0..rows).map(|_| (0..columns).map(|_| next()).collect()).collect()
    }

    /// At the minimum the gradient Xᵀ(y − b − Xw) − λw vanishes, whichever normal matrix was used, on all rows and on some.
    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        for (rows, columns) in [(30, 9), (9, 30), (20, 20)] {
            let x = matrix(rows, columns);
            let y: Vec<f64> = matrix(1, rows).remove(0);
            let ridge = Ridge::new(x.clone(), y.clone());
            for subset in [(0..rows).collect::<Vec<_>>(), (0..rows).step_by(2).collect()] {
                let n = subset.len() as f64;
                let line = ridge.fit(&subset, 0.02);
                for column in 0..columns {
                    let gradient: f64 =
                        subset.iter().map(|row| x[*row][column] * (y[*row] - line.predict(&x[*row]))).sum();
                    assert!((gradient - 0.02 * n * line.weights[column]).abs() < 1e-10, "{rows} by {columns}");
                }
                let mean = subset.iter().map(|row| y[*row]).sum::<f64>() / n;
                assert!((line.intercept - mean).abs() < 1e-12);
            }
        }
    }

    /// One centred column has the slope Σxy / (Σx² + λ).
    #[test]
    fn one_column_has_its_closed_form() {
        let x: Vec<Vec<f64>> = [-1.5, -0.5, 0.5, 1.5].iter().map(|x| vec![*x]).collect();
        let y = vec![1.0, 2.0, 4.0, 5.0];
        let line = Ridge::new(x, y).fit(&[0, 1, 2, 3], 0.25);
        assert!((line.weights[0] - 7.0 / 6.0).abs() < 1e-12 && (line.intercept - 3.0).abs() < 1e-12);
    }
}
