//! How a head is turned, by its landmarks.

use super::landmarks::Landmarks;

/// Landmarks that neither speech nor expression moves much, and where they lie on a head, in mm: x to the right of the
/// picture, y down, z away from the camera. Rounded from what anthropometry has for adults, so a head's own shape is a bias
/// of some degrees, the same in each of its frames.
const HEAD: [(usize, [f64; 3]); 9] = [
    (36, [-45.0, 0.0, 0.0]),
    (39, [-16.5, 0.0, -9.0]),
    (42, [16.5, 0.0, -9.0]),
    (45, [45.0, 0.0, 0.0]),
    (27, [0.0, -2.0, -22.0]),
    (30, [0.0, 38.0, -46.0]),
    (31, [-13.0, 48.0, -26.0]),
    (33, [0.0, 51.0, -32.0]),
    (35, [13.0, 48.0, -26.0]),
];

/// Angles in radians, zero for a head that looks into the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Positive if it is turned to the right of the picture.
    pub yaw: f64,
    /// Positive if it looks up.
    pub pitch: f64,
    /// Positive if it is tilted clockwise in the picture.
    pub roll: f64,
}

impl Pose {
    /// The pose whose scaled orthographic projection fits best: with the centred landmarks L `[9, 2]` and points of the
    /// head X `[9, 3]`, M = Lᵀ·X·(Xᵀ·X)⁻¹ (DeMenthon and Davis 1995, the first step of POSIT), and the rotation's first two
    /// rows are the nearest orthonormal ones, (M·Mᵀ)^(−½)·M. It is R = R_z(roll)·R_y(−yaw)·R_x(−pitch). Not finite if the
    /// landmarks lie on one line.
    pub fn of(landmarks: &Landmarks) -> Pose {
        let seen = centred(HEAD.map(|(i, _)| landmarks.0[i]));
        let head = centred(HEAD.map(|(_, place)| place));
        let spread = inverse(products(&head, &head));
        let map = products(&seen, &head).map(|row| spread.map(|column| dot(row, column)));
        let [a, b] = orthonormal(map);
        // The third row is their cross product.
        let [right, up, away] = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
        // Rounding must not take it out of the sine's range.
        let yaw = libm::asin(right.clamp(-1.0, 1.0));
        Pose { yaw, pitch: -libm::atan2(up, away), roll: libm::atan2(b[0], a[0]) }
    }
}

/// Points less their mean.
fn centred<const D: usize, const N: usize>(points: [[f64; D]; N]) -> [[f64; D]; N] {
    let mean: [f64; D] = std::array::from_fn(|d| points.iter().map(|p| p[d]).sum::<f64>() / N as f64);
    points.map(|point| std::array::from_fn(|d| point[d] - mean[d]))
}

/// Aᵀ·B.
fn products<const A: usize, const B: usize>(a: &[[f64; A]], b: &[[f64; B]]) -> [[f64; B]; A] {
    std::array::from_fn(|i| std::array::from_fn(|j| a.iter().zip(b).map(|(a, b)| a[i] * b[j]).sum()))
}

fn dot<const N: usize>(a: [f64; N], b: [f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The inverse of a symmetric matrix, by its cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |i: usize, j: usize| {
        let (i1, i2, j1, j2) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[i1][j1] * m[i2][j2] - m[i1][j2] * m[i2][j1]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant))
}

/// A^(−½)·M with A = M·Mᵀ. For 2 × 2, A^½ = (A + √det·1) / √(trace + 2·√det).
fn orthonormal(m: [[f64; 3]; 2]) -> [[f64; 3]; 2] {
    let (a, b, c) = (dot(m[0], m[0]), dot(m[0], m[1]), dot(m[1], m[1]));
    let root = (a * c - b * b).sqrt();
    let scale = 1.0 / ((a + c + 2.0 * root).sqrt() * root);
    let (p, q, r) = ((c + root) * scale, -b * scale, (a + root) * scale);
    let mix = |x: f64, y: f64| std::array::from_fn(|d| x * m[0][d] + y * m[1][d]);
    [mix(p, q), mix(q, r)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::POINTS;
    use crate::face::geometry::tests::mirrored;

    /// The head in a pose, seen from afar.
    fn seen(pose: Pose) -> Landmarks {
        let mut landmarks = Landmarks([[0.0; 2]; POINTS]);
        for (i, [x, y, z]) in HEAD {
            let (s, c) = (-pose.pitch).sin_cos();
            let (y, z) = (c * y - s * z, s * y + c * z);
            let (s, c) = (-pose.yaw).sin_cos();
            let x = c * x + s * z;
            let (s, c) = pose.roll.sin_cos();
            landmarks.0[i] = [300.0 + 1.7 * (c * x - s * y), 200.0 + 1.7 * (s * x + c * y)];
        }
        landmarks
    }

    fn close(a: Pose, b: Pose) {
        let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll].map(f64::abs);
        assert!(off.iter().all(|d| *d < 1e-9), "{a:?}, expected {b:?}");
    }

    #[test]
    fn a_head_in_a_known_pose_has_that_pose() {
        for yaw in [-0.9, 0.0, 0.4] {
            for pitch in [-0.5, 0.0, 0.7] {
                for roll in [-2.0, 0.0, 0.3] {
                    let pose = Pose { yaw, pitch, roll };
                    close(Pose::of(&seen(pose)), pose);
                }
            }
        }
    }

    #[test]
    fn the_signs_are_as_documented() {
        let tip = |pose| {
            let face = seen(pose).0;
            [face[30][0] - (face[36][0] + face[45][0]) / 2.0, face[30][1] - (face[36][1] + face[45][1]) / 2.0]
        };
        let ahead = Pose { yaw: 0.0, pitch: 0.0, roll: 0.0 };
        assert!(tip(Pose { yaw: 0.3, ..ahead })[0] > tip(ahead)[0]);
        assert!(tip(Pose { pitch: 0.3, ..ahead })[1] < tip(ahead)[1]);
        let tilted = seen(Pose { roll: 0.3, ..ahead }).0;
        assert!(tilted[45][1] > tilted[36][1]);
    }

    #[test]
    fn turning_the_picture_turns_roll_alone_and_a_mirror_turns_yaw_and_roll() {
        // Not a head of that shape, so that the fit is not exact.
        let mut face = seen(Pose { yaw: 0.4, pitch: -0.2, roll: 0.1 });
        face.0.iter_mut().enumerate().for_each(|(i, p)| p[0] += (i as f64).sin() * 5.0);
        let pose = Pose::of(&face);
        let (s, c) = 0.5f64.sin_cos();
        let turned = Landmarks(face.0.map(|[x, y]| [c * x - s * y, s * x + c * y]));
        close(Pose::of(&turned), Pose { roll: pose.roll + 0.5, ..pose });
        close(Pose::of(&mirrored(&face)), Pose { yaw: -pose.yaw, pitch: pose.pitch, roll: -pose.roll });
    }

    #[test]
    fn points_on_a_line_have_no_pose() {
        let pose = Pose::of(&Landmarks(std::array::from_fn(|i| [i as f64, 0.0])));
        assert!(!(pose.yaw.is_finite() && pose.pitch.is_finite() && pose.roll.is_finite()), "{pose:?}");
    }
}
