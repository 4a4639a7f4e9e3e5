/// Autocorrelation r₀ … r_p of x.
pub(crate) fn autocorrelation<const P1: usize>(x: &[f64]) -> [f64; P1] {
    std::array::from_fn(|lag| x.iter().zip(x.iter().skip(lag)).map(|(a, b)| a * b).sum())
}

/// Predictor polynomial 1, a₁ … a_p by the Levinson–Durbin recursion, so that e[n] = Σ a_k x[n − k] has the least energy.
/// It ends early where prediction leaves nothing within rounding. r₀ must be positive.
pub(crate) fn levinson<const P1: usize>(r: &[f64; P1]) -> [f64; P1] {
    let mut a = [0.0; P1];
    a[0] = 1.0;
    let mut left = r[0];
    for order in 1..P1 {
        if left <= r[0] * 1e-13 {
            break;
        }
        let reflection = -(0..order).map(|k| a[k] * r[order - k]).sum::<f64>() / left;
        let before = a;
        for k in 1..=order {
            a[k] = before[k] + reflection * before[order - k];
        }
        left *= 1.0 - reflection * reflection;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_filter_is_found_again() {
        // Impulse response of 1/A(z): its autocorrelation determines A.
        let a = [1.0, -1.2, 0.9, -0.3];
        let mut h = vec![0.0; 4000];
        for n in 0..h.len() {
            let past: f64 = (1..a.len()).filter(|k| *k <= n).map(|k| a[k] * h[n - k]).sum();
            h[n] = f64::from(u8::from(n == 0)) - past;
        }
        let found = levinson::<6>(&autocorrelation(&h));
        for (k, f) in found.iter().enumerate() {
            assert!((f - a.get(k).copied().unwrap_or(0.0)).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn what_is_wholly_predicted_stays_finite() {
        assert_eq!(levinson(&[2.0, 2.0, 2.0, 2.0]), [1.0, -1.0, 0.0, 0.0]);
    }
}
