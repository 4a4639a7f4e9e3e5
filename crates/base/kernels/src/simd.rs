//! Functions whose body is compiled for several instruction sets, of which one is selected at run time.
//!
//! A body must accumulate each output in an order that does not depend on the vector width, with fused multiply-adds,
//! so that all versions give the same bits.

/// An instruction set for which kernels are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// AVX-512 F, BW, DQ and VL, with AVX2 and FMA.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// The instructions that the compilation target guarantees.
    Baseline,
}

/// The best instruction set of this machine among those of [`Level`].
pub fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        use std::sync::OnceLock;
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let fma = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
            let wide = std::is_x86_feature_detected!("avx512f")
                && std::is_x86_feature_detected!("avx512bw")
                && std::is_x86_feature_detected!("avx512dq")
                && std::is_x86_feature_detected!("avx512vl");
            match (fma, wide) {
                (true, true) => Level::Avx512,
                (true, false) => Level::Avx2,
                _ => Level::Baseline,
            }
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    Level::Baseline
}

/// Defines a function whose body is compiled for every [`Level`](crate::simd::Level); a call runs the version for the
/// best one of this machine.
#[macro_export]
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::simd::level() {
                    // SAFETY: AVX-512 F, BW, DQ, VL, AVX2 and FMA were detected on this machine.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: AVX2 and FMA were detected on this machine.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            body($($arg),*)
        }
    };
}

/// Computes e^x with an error of about 2 ulp by the polynomial of Cephes, with x clamped to \[−87, 88\]. It has the
/// same bits on every instruction set, and loops over it are vectorised.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOG2E: f32 = std::f32::consts::LOG2_E;
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5·2²³ rounds to the nearest integer without a rounding instruction.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let n = x.mul_add(LOG2E, ROUND) - ROUND;
    let r = n.mul_add(-LN2_HI, x);
    let r = n.mul_add(-LN2_LO, r);
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 5e-1);
    let y = p.mul_add(r * r, r) + 1.0;
    let bits = ((n as i32) + 127) << 23;
    y * f32::from_bits(bits as u32)
}

/// The sum of `values`, in 16 interleaved partial sums. The order depends on positions only, so zeros at the end do not
/// change the result.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let mut chunks = values.chunks_exact(16);
    for chunk in &mut chunks {
        for i in 0..16 {
            lanes[i] += chunk[i];
        }
    }
    for (lane, value) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += value;
    }
    fold(lanes)
}

/// The dot product of `a` and `b`, which have the same length, in 16 interleaved partial sums as in [`sum`], with fused
/// multiply-adds.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let mut xs = a.chunks_exact(16);
    let mut ys = b.chunks_exact(16);
    for (x, y) in (&mut xs).zip(&mut ys) {
        for i in 0..16 {
            lanes[i] = x[i].mul_add(y[i], lanes[i]);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(xs.remainder().iter().zip(ys.remainder())) {
        *lane = x.mul_add(*y, *lane);
    }
    fold(lanes)
}

#[inline(always)]
fn fold(lanes: [f32; 16]) -> f32 {
    let mut l8 = [0f32; 8];
    for i in 0..8 {
        l8[i] = lanes[i] + lanes[i + 8];
    }
    let l4 = [l8[0] + l8[4], l8[1] + l8[5], l8[2] + l8[6], l8[3] + l8[7]];
    (l4[0] + l4[2]) + (l4[1] + l4[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_three_ulp_of_the_double_precision_value() {
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            let exact = (x as f64).exp();
            let error = (exp(x) as f64 - exact).abs() / exact;
            assert!(error < 3.0 * f32::EPSILON as f64, "exp({x}) off by {error:e}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) > 0.0 && exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn sums_do_not_see_trailing_zeros() {
        let values: Vec<f32> = (0..37).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut padded = values.clone();
        padded.resize(80, 0.0);
        assert_eq!(sum(&values).to_bits(), sum(&padded).to_bits());
        assert_eq!(dot(&values, &values).to_bits(), dot(&padded, &padded).to_bits());
    }
}
