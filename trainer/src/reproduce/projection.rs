//! The transmitted bursts along their two first principal components.

use phy::Symbols;
use serde::{Deserialize, Serialize};

/// Bursts along their two first principal components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Share of the variance along each component, between 0 and 1.
    pub shares: [f64; 2],
    /// One element for each clip, in row order: first component, second component, label.
    pub clips: Vec<[f32; 3]>,
}

/// Maximum number of sweeps of the Jacobi method, which needs fewer than ten.
const SWEEPS: usize = 60;

impl Projection {
    /// The projection of bursts, each given with the label of its clip. The sign of each component is such that it
    /// grows with the label. `None` if there are fewer than two clips or if the bursts differ in length.
    pub fn of(sent: &[(f32, Symbols)]) -> Option<Projection> {
        let width = sent.first()?.1.reals().len();
        if sent.len() < 2 || width < 2 || sent.iter().any(|(_, burst)| burst.reals().len() != width) {
            return None;
        }
        let rows: Vec<Vec<f64>> = centred(sent.iter().map(|(_, burst)| burst.reals()), width);
        let (values, vectors) = eigen(covariance(&rows, width));
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let mean = sent.iter().map(|(label, _)| f64::from(*label)).sum::<f64>() / sent.len() as f64;
        let component = |which: usize| -> Vec<f64> {
            let along = |row: &Vec<f64>| row.iter().enumerate().map(|(i, v)| v * vectors[i][which]).sum::<f64>();
            let places: Vec<f64> = rows.iter().map(along).collect();
            let rising: f64 = places.iter().zip(sent).map(|(p, (label, _))| p * (f64::from(*label) - mean)).sum();
            let sign = if rising < 0.0 { -1.0 } else { 1.0 };
            places.into_iter().map(|p| sign * p).collect()
        };
        let (first, second) = (component(order[0]), component(order[1]));
        let total: f64 = values.iter().sum();
        let share = |which: usize| if total > 0.0 { values[which] / total } else { 0.0 };
        let clips = sent.iter().zip(first).zip(second).map(|(((label, _), x), y)| [x as f32, y as f32, *label]);
        Some(Projection { shares: [share(order[0]), share(order[1])], clips: clips.collect() })
    }
}

fn centred<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, width: usize) -> Vec<Vec<f64>> {
    let count = rows.clone().count() as f64;
    let mean: Vec<f64> = (0..width).map(|i| rows.clone().map(|row| f64::from(row[i])).sum::<f64>() / count).collect();
    rows.map(|row| row.iter().zip(&mean).map(|(v, m)| f64::from(*v) - m).collect()).collect()
}

fn covariance(rows: &[Vec<f64>], width: usize) -> Vec<Vec<f64>> {
    let entry = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>() / rows.len() as f64;
    (0..width).map(|i| (0..width).map(|j| entry(i.min(j), i.max(j))).collect()).collect()
}

/// Eigenvalues and eigenvectors (as columns) of a symmetric matrix, by Jacobi's rotations in a fixed order.
fn eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = a.len();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let scale: f64 = a.iter().flatten().map(|v| v * v).sum();
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        if off <= 1e-26 * scale {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), vectors)
}

/// Applies the Jacobi rotation after which `a[p][q]` is 0 to the symmetric matrix `a` and to the columns of `vectors`.
fn rotate(a: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut().chain(vectors.iter_mut()) {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    for k in 0..a.len() {
        (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::random::Stream;

    #[test]
    fn eigenpairs_satisfy_their_equation() {
        let n = 12;
        let noise = Stream::new(3, &[]).normals(n * n);
        let entry = |i: usize, j: usize| f64::from(noise[i.min(j) * n + i.max(j)]);
        let a: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        let (values, vectors) = eigen(a.clone());
        for k in 0..n {
            for i in 0..n {
                let product: f64 = (0..n).map(|j| a[i][j] * vectors[j][k]).sum();
                assert!((product - values[k] * vectors[i][k]).abs() < 1e-10, "pair {k}, row {i}");
            }
            let length: f64 = (0..n).map(|i| vectors[i][k].powi(2)).sum();
            assert!((length - 1.0).abs() < 1e-12);
        }
    }

    /// Bursts along (3, 4)/5 that rise with the label, and a little across it.
    #[test]
    fn the_first_component_is_where_bursts_vary_and_rises_with_the_label() {
        let burst = |i: usize| {
            let (label, across) = (i as f32 - 4.0, [0.1, -0.1][i % 2]);
            let reals = vec![-0.6 * label - 0.8 * across, -0.8 * label + 0.6 * across, 0.0, 0.0];
            (label, Symbols::new(reals).unwrap())
        };
        let sent: Vec<(f32, Symbols)> = (0..9).map(burst).collect();
        let projection = Projection::of(&sent).unwrap();
        assert!(projection.shares[0] > 0.99 && projection.shares[0] + projection.shares[1] > 1.0 - 1e-9);
        for (clip, (label, _)) in projection.clips.iter().zip(&sent) {
            assert!((clip[0] - label).abs() < 0.01 && clip[2] == *label, "{clip:?}");
            assert!((clip[1].abs() - 0.1).abs() < 0.02, "{clip:?}");
        }
        assert_eq!(Projection::of(&sent[..1]), None);
    }
}
