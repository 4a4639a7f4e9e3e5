//! Lengths on a face that tell what mouth, brows and eyes do.

use super::landmarks::Landmarks;

/// What [`lengths`] measures, each in units of the distance between the eyes; left and right are those of the picture.
pub const LENGTHS: [&str; 16] = [
    // Between the inner edges of the lips, the mean of three places.
    "mouth_opening",
    // From corner to corner.
    "mouth_width",
    // Between the outer edges of the lips, in the middle.
    "lips_height",
    // How far a corner lies above the middle of the inner lips.
    "corner_lift_left",
    "corner_lift_right",
    // From the base of the nose to the upper lip and to the chin.
    "nose_to_lip",
    "nose_to_chin",
    // How far the ends and the middle of a brow lie above the centre of its eye.
    "brow_outer_left",
    "brow_middle_left",
    "brow_inner_left",
    "brow_inner_right",
    "brow_middle_right",
    "brow_outer_right",
    // Between the inner ends of the brows.
    "brow_gap",
    // Between the lids, the mean of two places.
    "eye_opening_left",
    "eye_opening_right",
];

/// Points of the eyes.
const EYES: [std::ops::Range<usize>; 2] = [36..42, 42..48];

type Point = [f64; 2];

/// The lengths on a face, in the order of [`LENGTHS`]. Heights are along the normal of the line through the eyes' centres
/// and lengths are between points, so neither where the face is nor its size or roll changes them. Not finite if the
/// eyes' centres are one point.
pub fn lengths(landmarks: &Landmarks) -> [f64; LENGTHS.len()] {
    let points = &landmarks.0;
    let [left, right] = EYES.map(|eye| centre(&points[eye]));
    let across = distance(left, right);
    let down = [(left[1] - right[1]) / across, (right[0] - left[0]) / across];
    let above = |a: Point, b: Point| ((b[0] - a[0]) * down[0] + (b[1] - a[1]) * down[1]) / across;
    let between = |pairs: &[(usize, usize)]| {
        let total: f64 = pairs.iter().map(|(a, b)| distance(points[*a], points[*b])).sum();
        total / pairs.len() as f64 / across
    };
    let middle = centre(&[points[62], points[66]]);
    [
        between(&[(61, 67), (62, 66), (63, 65)]),
        between(&[(48, 54)]),
        between(&[(51, 57)]),
        above(points[48], middle),
        above(points[54], middle),
        between(&[(33, 51)]),
        between(&[(33, 8)]),
        above(points[17], left),
        above(points[19], left),
        above(points[21], left),
        above(points[22], right),
        above(points[24], right),
        above(points[26], right),
        between(&[(21, 22)]),
        between(&[(37, 41), (38, 40)]),
        between(&[(43, 47), (44, 46)]),
    ]
}

fn centre(points: &[Point]) -> Point {
    let total = points.iter().fold([0.0; 2], |sum: Point, p| [sum[0] + p[0], sum[1] + p[1]]);
    total.map(|sum| sum / points.len() as f64)
}

fn distance(a: Point, b: Point) -> f64 {
    libm::hypot(a[0] - b[0], a[1] - b[1])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::face::POINTS;

    /// A face that is not symmetric, eyes 2 apart.
    fn face() -> Landmarks {
        let mut face = Landmarks(std::array::from_fn(|i| [(i as f64 * 0.37).sin(), (i as f64 * 0.91).cos()]));
        for (eye, x) in EYES.into_iter().zip([-1.0, 1.0]) {
            let corners = [[-0.4, 0.0], [-0.1, -0.2], [0.1, -0.2], [0.4, 0.0], [0.1, 0.2], [-0.1, 0.2]];
            eye.zip(corners).for_each(|(i, [dx, dy])| face.0[i] = [x + dx, dy]);
        }
        (face.0[48], face.0[54], face.0[62], face.0[66]) = ([-0.8, 1.8], [0.9, 2.2], [0.0, 1.9], [0.0, 2.1]);
        (face.0[17], face.0[21], face.0[22]) = ([-1.8, -0.6], [-0.5, -0.8], [0.5, -0.9]);
        face
    }

    fn moved(face: &Landmarks, f: impl Fn(Point) -> Point) -> Landmarks {
        Landmarks(face.0.map(f))
    }

    /// The same face in a mirror: points change places with their counterparts.
    pub(crate) fn mirrored(face: &Landmarks) -> Landmarks {
        let mut to: [usize; POINTS] = std::array::from_fn(|i| i);
        let swaps = (0..8).map(|i| (i, 16 - i)).chain((17..22).map(|i| (i, 43 - i))).chain([(31, 35), (32, 34)]);
        let eyes = [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)];
        let lips = [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)];
        swaps.chain(eyes).chain(lips).for_each(|(a, b)| to.swap(a, b));
        Landmarks(to.map(|i| [-face.0[i][0], face.0[i][1]]))
    }

    fn close(a: [f64; LENGTHS.len()], b: [f64; LENGTHS.len()]) {
        for ((a, b), name) in a.into_iter().zip(b).zip(LENGTHS) {
            assert!((a - b).abs() < 1e-12, "{name}: {a}, {b}");
        }
    }

    fn of(name: &str, lengths: [f64; LENGTHS.len()]) -> f64 {
        lengths[LENGTHS.iter().position(|n| *n == name).unwrap()]
    }

    #[test]
    fn lengths_are_in_distances_between_the_eyes() {
        let lengths = lengths(&face());
        for (name, expected) in [
            ("mouth_width", 1.7f64.hypot(0.4) / 2.0),
            ("corner_lift_left", 0.1),
            ("corner_lift_right", -0.1),
            ("brow_outer_left", 0.3),
            ("brow_inner_left", 0.4),
            ("brow_inner_right", 0.45),
            ("brow_gap", 1f64.hypot(0.1) / 2.0),
            ("eye_opening_left", 0.2),
        ] {
            let ours = of(name, lengths);
            assert!((ours - expected).abs() < 1e-12, "{name}: {ours}, expected {expected}");
        }
    }

    #[test]
    fn place_size_and_roll_change_no_length() {
        let face = face();
        for (angle, scale, shift) in [(0.3f64, 1.0, [0.0, 0.0]), (-1.2, 57.0, [311.0, -90.5]), (3.0, 0.01, [2.0, 1.0])]
        {
            let (s, c) = (scale * angle.sin(), scale * angle.cos());
            let turned = moved(&face, |[x, y]| [c * x - s * y + shift[0], s * x + c * y + shift[1]]);
            close(lengths(&turned), lengths(&face));
        }
    }

    #[test]
    fn a_mirror_swaps_left_and_right() {
        let (ours, theirs) = (lengths(&face()), lengths(&mirrored(&face())));
        let swapped = LENGTHS.map(|name| {
            let other = match name.rsplit_once('_') {
                Some((stem, "left")) => format!("{stem}_right"),
                Some((stem, "right")) => format!("{stem}_left"),
                _ => name.to_owned(),
            };
            of(&other, theirs)
        });
        close(ours, swapped);
        assert_eq!(mirrored(&mirrored(&face())), face());
    }

    #[test]
    fn eyes_in_one_place_have_no_unit() {
        assert!(lengths(&Landmarks([[1.0, 2.0]; POINTS])).iter().all(|v| !v.is_finite()));
    }
}
