//! Metrics of the score itself.

/// Mean |prediction − label|; `None` of nothing. Pairs are (prediction, label).
pub fn mae(pairs: &[(f32, f32)]) -> Option<f64> {
    let sum: f64 = pairs.iter().map(|&(p, y)| (f64::from(p) - f64::from(y)).abs()).sum();
    (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
}

/// Pearson's correlation; `None` where either side is constant, or of nothing.
pub fn pearson(pairs: &[(f32, f32)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let mean_p = pairs.iter().map(|&(p, _)| f64::from(p)).sum::<f64>() / n;
    let mean_y = pairs.iter().map(|&(_, y)| f64::from(y)).sum::<f64>() / n;
    let (mut pp, mut yy, mut py) = (0.0, 0.0, 0.0);
    for &(p, y) in pairs {
        let (p, y) = (f64::from(p) - mean_p, f64::from(y) - mean_y);
        pp += p * p;
        yy += y * y;
        py += p * y;
    }
    // A constant is told by its values: its deviations from a rounded mean need not be exactly 0.
    let constant = |of: fn(&(f32, f32)) -> f32| pairs.windows(2).all(|w| of(&w[0]) == of(&w[1]));
    if constant(|pair| pair.0) || constant(|pair| pair.1) {
        return None;
    }
    Some((py / (pp.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let pairs = [(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)];
        assert!((mae(&pairs).unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert!((pearson(&pairs).unwrap() - 0.5).abs() < 1e-15);
        assert!((pearson(&[(1.0, -2.0), (2.0, -4.0), (4.0, -8.0)]).unwrap() + 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_constant_has_no_correlation() {
        assert_eq!(pearson(&[(0.1, 1.0), (0.1, 2.0), (0.1, 4.0)]), None);
        assert_eq!(pearson(&[(1.0, 0.3), (2.0, 0.3)]), None);
        assert_eq!(pearson(&[(1.0, 1.0)]), None);
        assert_eq!((mae(&[]), pearson(&[])), (None, None));
    }
}
