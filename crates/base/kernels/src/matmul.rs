//! The matrix product, in which each output is summed over k in one fixed order.
//!
//! Each output is a single chain of fused multiply-adds over k = 0, 1, … Its bits depend neither on the number of rows,
//! nor on the tile of the output, nor on the width of the vector registers. Therefore the latent of a clip has the same
//! bits alone, in a batch of 64, in one process and over the wire.

/// A matrix operand: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    /// The elements of the matrix, in the order that the strides define.
    pub data: &'a [f32],
    /// The distance in `data` between neighbouring rows, in elements.
    pub row_stride: usize,
    /// The distance in `data` between neighbouring columns, in elements.
    pub col_stride: usize,
}

impl<'a> Operand<'a> {
    /// A row-major matrix with `cols` columns.
    pub fn rows(data: &'a [f32], cols: usize) -> Self {
        Operand { data, row_stride: cols, col_stride: 1 }
    }

    /// The transpose of a row-major matrix with `cols` columns.
    pub fn transposed(data: &'a [f32], cols: usize) -> Self {
        Operand { data, row_stride: 1, col_stride: cols }
    }
}

/// The values to which a matrix product is added.
#[derive(Clone, Copy, PartialEq)]
pub enum Start<'a> {
    /// The product is added to zero.
    Zero,
    /// The product is added to a bias, `[n]`, the same in each row.
    Bias(&'a [f32]),
    /// The product is added to the current values of the output.
    Accumulate,
}

/// The matrix product C = start + A · B, with A `[m, k]`, B `[k, n]` and C `[m, n]`. B and C are row-major, with the
/// distances `b_stride` and `c_stride` between their rows.
///
/// # Panics
/// If an operand is too short for its shape.
pub fn matmul(
    (m, k, n): (usize, usize, usize),
    a: Operand,
    b: &[f32],
    b_stride: usize,
    start: Start,
    c: &mut [f32],
    c_stride: usize,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(c.len() >= (m - 1) * c_stride + n, "C is too short");
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= n, "the bias is too short");
    }
    if k > 0 {
        assert!(a.data.len() > (m - 1) * a.row_stride + (k - 1) * a.col_stride, "A is too short");
        assert!(b.len() >= (k - 1) * b_stride + n, "B is too short");
    }
    #[cfg(target_arch = "x86_64")]
    match crate::simd::level() {
        // SAFETY: AVX-512 F was detected; the bounds were checked above.
        crate::simd::Level::Avx512 => return unsafe { avx512::run(m, k, n, a, b, b_stride, start, c, c_stride) },
        // SAFETY: AVX2 and FMA were detected; the bounds were checked above.
        crate::simd::Level::Avx2 => return unsafe { portable_avx2(m, k, n, a, b, b_stride, start, c, c_stride) },
        crate::simd::Level::Baseline => {}
    }
    portable(m, k, n, a, b, b_stride, start, c, c_stride);
}

/// Transposes the row-major matrix `source`, `[rows, cols]`, into `target`, `[cols, rows]`.
pub fn transpose(source: &[f32], rows: usize, cols: usize, target: &mut [f32]) {
    const BLOCK: usize = 16;
    for r0 in (0..rows).step_by(BLOCK) {
        for c0 in (0..cols).step_by(BLOCK) {
            for r in r0..(r0 + BLOCK).min(rows) {
                for c in c0..(c0 + BLOCK).min(cols) {
                    target[c * rows + r] = source[r * cols + c];
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn portable_avx2(
    m: usize,
    k: usize,
    n: usize,
    a: Operand,
    b: &[f32],
    b_stride: usize,
    start: Start,
    c: &mut [f32],
    c_stride: usize,
) {
    portable(m, k, n, a, b, b_stride, start, c, c_stride);
}

const TILE_ROWS: usize = 4;
const TILE_COLS: usize = 16;

#[inline(always)]
fn portable(
    m: usize,
    k: usize,
    n: usize,
    a: Operand,
    b: &[f32],
    b_stride: usize,
    start: Start,
    c: &mut [f32],
    c_stride: usize,
) {
    for j0 in (0..n).step_by(TILE_COLS) {
        let cols = TILE_COLS.min(n - j0);
        for i0 in (0..m).step_by(TILE_ROWS) {
            let rows = TILE_ROWS.min(m - i0);
            let mut tile = [[0f32; TILE_COLS]; TILE_ROWS];
            for i in 0..rows {
                match start {
                    Start::Zero => {}
                    Start::Bias(bias) => tile[i][..cols].copy_from_slice(&bias[j0..j0 + cols]),
                    Start::Accumulate => {
                        let at = (i0 + i) * c_stride + j0;
                        tile[i][..cols].copy_from_slice(&c[at..at + cols]);
                    }
                }
            }
            for kk in 0..k {
                let mut row = [0f32; TILE_COLS];
                row[..cols].copy_from_slice(&b[kk * b_stride + j0..kk * b_stride + j0 + cols]);
                for i in 0..rows {
                    let x = a.data[(i0 + i) * a.row_stride + kk * a.col_stride];
                    for j in 0..TILE_COLS {
                        tile[i][j] = x.mul_add(row[j], tile[i][j]);
                    }
                }
            }
            for i in 0..rows {
                let at = (i0 + i) * c_stride + j0;
                c[at..at + cols].copy_from_slice(&tile[i][..cols]);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{Operand, Start};
    use std::arch::x86_64::*;

    /// The number of rows of a register tile; with four vectors of columns it occupies 24 of the 32 registers.
    const ROWS: usize = 6;

    /// The matrix product of [`super::matmul`] with AVX-512.
    ///
    /// # Safety
    /// The machine must have AVX-512 F, and the operands must be long enough for the shape.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn run(
        m: usize,
        k: usize,
        n: usize,
        a: Operand,
        b: &[f32],
        b_stride: usize,
        start: Start,
        c: &mut [f32],
        c_stride: usize,
    ) {
        let mut j0 = 0;
        while j0 < n {
            let cols = (n - j0).min(64);
            let vectors = cols.div_ceil(16);
            let last = cols - (vectors - 1) * 16;
            let mask: __mmask16 = if last == 16 { !0 } else { (1 << last) - 1 };
            let mut i0 = 0;
            while i0 < m {
                let rows = (m - i0).min(ROWS);
                let tile = Tile {
                    k,
                    a: a.data.as_ptr().wrapping_add(i0 * a.row_stride),
                    a_row: a.row_stride,
                    a_col: a.col_stride,
                    b: b.as_ptr().wrapping_add(j0),
                    b_stride,
                    bias: match start {
                        Start::Bias(bias) => bias[j0..].as_ptr(),
                        _ => std::ptr::null(),
                    },
                    accumulate: start == Start::Accumulate,
                    c: c.as_mut_ptr().wrapping_add(i0 * c_stride + j0),
                    c_stride,
                    mask,
                };
                // SAFETY: the tile lies inside the operands, whose lengths the caller checked.
                unsafe {
                    match vectors {
                        1 => rows_of::<1>(rows, &tile),
                        2 => rows_of::<2>(rows, &tile),
                        3 => rows_of::<3>(rows, &tile),
                        _ => rows_of::<4>(rows, &tile),
                    }
                }
                i0 += rows;
            }
            j0 += cols;
        }
    }

    struct Tile {
        k: usize,
        a: *const f32,
        a_row: usize,
        a_col: usize,
        b: *const f32,
        b_stride: usize,
        bias: *const f32,
        accumulate: bool,
        c: *mut f32,
        c_stride: usize,
        mask: __mmask16,
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn rows_of<const V: usize>(rows: usize, tile: &Tile) {
        // SAFETY: passed on from the caller.
        unsafe {
            match rows {
                1 => micro::<1, V>(tile),
                2 => micro::<2, V>(tile),
                3 => micro::<3, V>(tile),
                4 => micro::<4, V>(tile),
                5 => micro::<5, V>(tile),
                _ => micro::<6, V>(tile),
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn micro<const R: usize, const V: usize>(t: &Tile) {
        // SAFETY: passed on from the caller; masked lanes are not touched.
        unsafe {
            let full: __mmask16 = !0;
            let mask = |v: usize| if v + 1 == V { t.mask } else { full };
            let mut acc = [[_mm512_setzero_ps(); V]; R];
            if !t.bias.is_null() {
                for row in acc.iter_mut() {
                    for (v, x) in row.iter_mut().enumerate() {
                        *x = _mm512_maskz_loadu_ps(mask(v), t.bias.add(16 * v));
                    }
                }
            } else if t.accumulate {
                for (r, row) in acc.iter_mut().enumerate() {
                    for (v, x) in row.iter_mut().enumerate() {
                        *x = _mm512_maskz_loadu_ps(mask(v), t.c.add(r * t.c_stride + 16 * v));
                    }
                }
            }
            let mut b = t.b;
            let mut a = t.a;
            for _ in 0..t.k {
                let mut row = [_mm512_setzero_ps(); V];
                for (v, x) in row.iter_mut().enumerate() {
                    *x = _mm512_maskz_loadu_ps(mask(v), b.add(16 * v));
                }
                for (r, out) in acc.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(*a.add(r * t.a_row));
                    for v in 0..V {
                        out[v] = _mm512_fmadd_ps(x, row[v], out[v]);
                    }
                }
                b = b.wrapping_add(t.b_stride);
                a = a.wrapping_add(t.a_col);
            }
            for (r, row) in acc.iter().enumerate() {
                for (v, x) in row.iter().enumerate() {
                    _mm512_mask_storeu_ps(t.c.add(r * t.c_stride + 16 * v), mask(v), *x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    /// The matrix product by its definition: each output is one chain of fused multiply-adds over k.
    fn reference((m, k, n): (usize, usize, usize), a: &[f32], b: &[f32], bias: &[f32]) -> Vec<f32> {
        let mut c = vec![0f32; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] = (0..k).fold(bias[j], |s, l| a[i * k + l].mul_add(b[l * n + j], s));
            }
        }
        c
    }

    #[test]
    fn every_shape_and_version_gives_the_bits_of_the_definition() {
        for (m, k, n) in
            [(1, 1, 1), (3, 7, 5), (6, 50, 50), (13, 33, 64), (7, 3, 65), (32, 50, 200), (5, 0, 4), (2, 9, 130)]
        {
            let (a, b, bias) = (noise(m * k, 1), noise(k * n, 2), noise(n, 3));
            let expected = reference((m, k, n), &a, &b, &bias);
            let mut c = vec![f32::NAN; m * n];
            matmul((m, k, n), Operand::rows(&a, k), &b, n, Start::Bias(&bias), &mut c, n);
            assert_eq!(c, expected, "{m}x{k}x{n}");
            let mut c = vec![f32::NAN; m * n];
            portable(m, k, n, Operand::rows(&a, k), &b, n, Start::Bias(&bias), &mut c, n);
            assert_eq!(c, expected, "portable {m}x{k}x{n}");
            let mut at = vec![0f32; m * k];
            transpose(&a, m, k, &mut at);
            let mut c: Vec<f32> = bias.iter().copied().cycle().take(m * n).collect();
            matmul((m, k, n), Operand::transposed(&at, m), &b, n, Start::Accumulate, &mut c, n);
            assert_eq!(c, expected, "transposed {m}x{k}x{n}");
        }
    }

    #[test]
    fn a_row_has_the_same_bits_alone_and_in_a_batch() {
        let (m, k, n) = (64, 77, 50);
        let (a, b) = (noise(m * k, 4), noise(k * n, 5));
        let mut all = vec![0f32; m * n];
        matmul((m, k, n), Operand::rows(&a, k), &b, n, Start::Zero, &mut all, n);
        for i in 0..m {
            let mut one = vec![0f32; n];
            matmul((1, k, n), Operand::rows(&a[i * k..(i + 1) * k], k), &b, n, Start::Zero, &mut one, n);
            assert_eq!(one, all[i * n..(i + 1) * n]);
        }
    }
}
