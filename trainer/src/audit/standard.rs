//! Standardisation of columns to mean 0 and standard deviation 1 over training clips.

/// Normalisation statistics: mean and scale of each column.
pub struct Standard {
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Standard {
    /// Fits the statistics to rows `[clips][width]`. A column that does not vary is mapped to 0.
    pub fn fit(rows: &[Vec<f32>]) -> Self {
        Self::fit_sampled(rows, &[])
    }

    /// Fits the statistics to samples around `mu` with standard deviations `sigma`, both `[clips][width]`; an empty
    /// `sigma` fits them to `mu` itself. A column that does not vary is mapped to 0.
    pub fn fit_sampled(mu: &[Vec<f32>], sigma: &[Vec<f32>]) -> Self {
        let (n, width) = (mu.len().max(1) as f64, mu.first().map_or(0, Vec::len));
        let column = |rows: &[Vec<f32>], f: &dyn Fn(f64) -> f64, c: usize| {
            rows.iter().map(|row| f(f64::from(row[c]))).sum::<f64>() / n
        };
        let mean: Vec<f64> = (0..width).map(|c| column(mu, &|v| v, c)).collect();
        let variance = |c: usize| column(mu, &|v| (v - mean[c]).powi(2), c) + column(sigma, &|v| v * v, c);
        let scale = (0..width).map(|c| variance(c).sqrt()).map(|d| if d > 1e-6 { (1.0 / d) as f32 } else { 0.0 });
        Standard { scale: scale.collect(), mean: mean.iter().map(|m| *m as f32).collect() }
    }

    /// A standardised row, `[width]`.
    pub fn apply(&self, row: &[f32]) -> Vec<f32> {
        row.iter().zip(&self.mean).zip(&self.scale).map(|((v, m), s)| (v - m) * s).collect()
    }

    /// Standard deviations `[width]` on the scale of the standardised columns.
    pub fn scaled(&self, sigma: &[f32]) -> Vec<f32> {
        sigma.iter().zip(&self.scale).map(|(v, s)| v * s).collect()
    }
}
