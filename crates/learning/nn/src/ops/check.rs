//! Gradient checks shared by the tests of the operations.

use candle_core::{Tensor, Var};

/// Deterministic values in [−1, 1].
pub fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// A variable of deterministic values.
pub fn var(shape: &[usize], seed: u32) -> Var {
    let len = shape.iter().product();
    Var::from_tensor(&super::tensor(values(len, seed), shape).unwrap()).unwrap()
}

/// A fixed random projection of all elements to one number, in f64.
fn project(out: &Tensor) -> f64 {
    let flat: Vec<f32> = out.flatten_all().unwrap().to_vec1().unwrap();
    let weights = values(flat.len(), 99);
    flat.iter().zip(&weights).map(|(x, w)| *x as f64 * *w as f64).sum()
}

/// Gradients of the projection with respect to each variable.
pub fn gradients(vars: &[Var], f: &dyn Fn() -> Tensor) -> Vec<Vec<f32>> {
    let out = f().flatten_all().unwrap();
    let weights = super::tensor(values(out.elem_count(), 99), out.elem_count()).unwrap();
    let grads = (out * weights).unwrap().sum_all().unwrap().backward().unwrap();
    vars.iter()
        .map(|v| grads.get(v.as_tensor()).expect("a gradient").flatten_all().unwrap().to_vec1().unwrap())
        .collect()
}

/// Holds the gradients of `f` against central differences.
pub fn finite_differences(vars: &[Var], tolerance: f64, f: &dyn Fn() -> Tensor) {
    let step = 1e-2f32;
    for (index, (v, grad)) in vars.iter().zip(gradients(vars, f)).enumerate() {
        let shape = v.shape().clone();
        let base: Vec<f32> = v.flatten_all().unwrap().to_vec1().unwrap();
        for i in 0..base.len() {
            let at = |delta: f32| {
                let mut moved = base.clone();
                moved[i] += delta;
                v.set(&super::tensor(moved, shape.clone()).unwrap()).unwrap();
                project(&f())
            };
            // Richardson's extrapolation takes the step's own error to the fourth order.
            let coarse = (at(step) - at(-step)) / (2.0 * step as f64);
            let fine = (at(step / 2.0) - at(-step / 2.0)) / step as f64;
            let expected = (4.0 * fine - coarse) / 3.0;
            let error = (grad[i] as f64 - expected).abs();
            assert!(
                error < tolerance * (1.0 + expected.abs()),
                "variable {index}, element {i}: gradient {} but finite difference {expected}",
                grad[i]
            );
        }
        v.set(&super::tensor(base, shape).unwrap()).unwrap();
    }
}

/// Holds `f` and its gradients against the same function composed of candle's own operations.
pub fn composed(vars: &[Var], tolerance: f32, f: &dyn Fn() -> Tensor, g: &dyn Fn() -> Tensor) {
    let flat = |t: Tensor| -> Vec<f32> { t.flatten_all().unwrap().to_vec1().unwrap() };
    close(&flat(f()), &flat(g()), tolerance, "output");
    for (i, (a, b)) in gradients(vars, f).iter().zip(gradients(vars, g)).enumerate() {
        close(a, &b, tolerance, &format!("gradient of variable {i}"));
    }
}

fn close(a: &[f32], b: &[f32], tolerance: f32, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "{what}, element {i}: {x} against {y}");
    }
}
