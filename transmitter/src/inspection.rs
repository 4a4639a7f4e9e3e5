//! The inspection of a clip, for clients that request it: its media analysis and its symbols.

use features::{Findings, Sighting};
use proto::v1::{FaceDetection, Inspection, MediaAnalysis, ReceivedSymbols};
use wire::convert::shown_symbols;

/// The inspection of one clip: the analysis `media` of its file (`None` without a file, or if the video is sent whole),
/// the first transmitted symbols of `sent` (little-endian f32, I then Q), and the receiver's `symbols` if it returned
/// any.
pub fn inspection(media: Option<&Findings>, sent: &[u8], symbols: Option<ReceivedSymbols>) -> Inspection {
    Inspection { media: media.map(findings_to_wire), sent: shown_symbols(sent), symbols }
}

fn findings_to_wire(findings: &Findings) -> MediaAnalysis {
    MediaAnalysis {
        duration_s: findings.seconds,
        peaks: findings.peaks.iter().flatten().copied().collect(),
        faces: findings.faces.iter().map(face_to_wire).collect(),
    }
}

fn face_to_wire(sighting: &Sighting) -> FaceDetection {
    let [x, y, width, height] = sighting.bounds;
    let landmarks = sighting.landmarks.iter().flatten().copied().collect();
    FaceDetection { time_s: sighting.time_s, x, y, width, height, score: sighting.score, landmarks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_goes_to_the_wire_and_symbols_are_cut() {
        let landmarks = [[0.25, 0.75]; 68];
        let face = Sighting { time_s: 0.2, bounds: [0.1, 0.2, 0.3, 0.4], score: 0.9, landmarks };
        let findings = Findings { seconds: 1.5, peaks: vec![[-0.5, 0.5]; 2], faces: vec![face], ..Findings::default() };
        let whole = inspection(Some(&findings), &[7; 8 * 2000], None);
        assert_eq!((whole.sent, whole.symbols), (vec![7; 8 * 1024], None));
        let media = whole.media.unwrap();
        assert_eq!((media.duration_s, media.peaks), (1.5, vec![-0.5, 0.5, -0.5, 0.5]));
        let face = &media.faces[0];
        assert_eq!((face.time_s, face.x, face.y, face.width, face.height, face.score), (0.2, 0.1, 0.2, 0.3, 0.4, 0.9));
        assert_eq!((face.landmarks.len(), face.landmarks[0], face.landmarks[135]), (136, 0.25, 0.75));
        assert_eq!(inspection(None, &[7; 16], None).sent.len(), 16);
    }
}
