//! The inspection of one clip as JSON: its media analysis and its symbols, checked, and rounded to what can be seen.

use super::answers::broken;
use super::problem::Problem;
use proto::v1;
use serde::Serialize;
use wire::convert::symbols_from_wire;

/// Number of landmarks of a face.
const LANDMARKS: usize = 68;

/// The inspection of one clip: its media analysis (sound and faces) and its symbols on both sides of the channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InspectionView {
    /// Whether the transmitter analysed the file; `false` if the scheme sends the video whole.
    looked: bool,
    /// Length of the sound in seconds; without sound, of the frames. 0 without an analysis.
    seconds: f64,
    /// The waveform: minimum and maximum of each of its sections, in [−1, 1].
    peaks: Vec<[f32; 2]>,
    faces: Vec<FaceView>,
    /// The transmitted symbols, `[I, Q]` each.
    sent: Vec<[f32; 2]>,
    /// The received symbols y, before the equaliser, `[I, Q]` each; empty if the receiver does not return them.
    received: Vec<[f32; 2]>,
    /// The equalised symbols x̂, `[I, Q]` each, as many as `received`.
    equalised: Vec<[f32; 2]>,
}

/// A detected face; its lengths are in widths and heights of the frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct FaceView {
    time_s: f64,
    /// The bounding box: left edge, upper edge, width, height, each in [0, 1].
    bounds: [f32; 4],
    score: f32,
    landmarks: Vec<[f32; 2]>,
}

impl TryFrom<v1::Inspection> for InspectionView {
    type Error = Problem;

    fn try_from(v1::Inspection { media, sent, symbols }: v1::Inspection) -> Result<Self, Problem> {
        let looked = media.is_some();
        let v1::MediaAnalysis { duration_s: seconds, peaks, faces } = media.unwrap_or_default();
        let v1::ReceivedSymbols { received, equalised } = symbols.unwrap_or_default();
        if !seconds.is_finite() {
            return Err(broken("its length is no number"));
        }
        let (received, equalised) = (points(&received)?, points(&equalised)?);
        if received.len() != equalised.len() {
            return Err(broken("there are not as many symbols received as equalised"));
        }
        let faces = faces.into_iter().map(FaceView::try_from).collect::<Result<_, Problem>>()?;
        Ok(InspectionView { looked, seconds, peaks: pairs(&peaks)?, faces, sent: points(&sent)?, received, equalised })
    }
}

impl TryFrom<v1::FaceDetection> for FaceView {
    type Error = Problem;

    fn try_from(face: v1::FaceDetection) -> Result<Self, Problem> {
        let v1::FaceDetection { time_s, x, y, width, height, score, landmarks } = face;
        let bounds = [x, y, width, height];
        let inside = bounds.iter().all(|length| (0.0..=1.0).contains(length));
        if !time_s.is_finite() || !inside || !score.is_finite() || landmarks.len() != 2 * LANDMARKS {
            return Err(broken("a face in it is none"));
        }
        Ok(FaceView { time_s, bounds: bounds.map(rounded), score: rounded(score), landmarks: pairs(&landmarks)? })
    }
}

/// Symbols as points `[I, Q]`, from bytes of the wire; no bytes give no points.
fn points(bytes: &[u8]) -> Result<Vec<[f32; 2]>, Problem> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let symbols = symbols_from_wire(bytes).map_err(broken)?;
    Ok(symbols.reals().as_chunks::<2>().0.to_vec())
}

fn pairs(values: &[f32]) -> Result<Vec<[f32; 2]>, Problem> {
    match values.as_chunks::<2>() {
        (pairs, []) if values.iter().all(|value| value.is_finite()) => {
            Ok(pairs.iter().map(|pair| pair.map(rounded)).collect())
        }
        _ => Err(broken("it holds numbers that are no pairs")),
    }
}

/// Rounds to a ten-thousandth of the frame, or of full scale.
fn rounded(value: f32) -> f32 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection() -> v1::Inspection {
        let face = v1::FaceDetection {
            width: 0.5,
            height: 0.25,
            landmarks: vec![0.123_456; 136],
            ..v1::FaceDetection::default()
        };
        let media = v1::MediaAnalysis { duration_s: 2.0, peaks: vec![-0.5, 0.5], faces: vec![face] };
        let symbols = v1::ReceivedSymbols { received: vec![0; 16], equalised: vec![0; 16] };
        v1::Inspection { media: Some(media), sent: 1.5f32.to_le_bytes().repeat(2), symbols: Some(symbols) }
    }

    #[test]
    fn what_makes_sense_is_shown() {
        let view = InspectionView::try_from(inspection()).unwrap();
        assert_eq!((view.peaks[0], view.sent[0], view.received.len()), ([-0.5, 0.5], [1.5, 1.5], 2));
        assert_eq!((view.faces[0].bounds, view.faces[0].landmarks[67]), ([0.0, 0.0, 0.5, 0.25], [0.1235, 0.1235]));
        let bare = v1::Inspection { media: None, symbols: None, ..inspection() };
        let view = InspectionView::try_from(bare).unwrap();
        assert!(!view.looked && view.peaks.is_empty() && view.faces.is_empty() && view.received.is_empty());
    }

    #[test]
    fn what_makes_none_is_not() {
        let cases: [fn(&mut v1::Inspection, &mut v1::MediaAnalysis); 7] = [
            |_, media| media.duration_s = f64::NAN,
            |_, media| media.peaks.truncate(1),
            |_, media| media.peaks[0] = f32::INFINITY,
            |_, media| media.faces[0].x = -0.1,
            |_, media| media.faces[0].landmarks.truncate(134),
            |inspection, _| inspection.sent.truncate(7),
            |inspection, _| inspection.symbols.as_mut().unwrap().equalised.clear(),
        ];
        for (case, change) in cases.into_iter().enumerate() {
            let mut broken = inspection();
            let mut media = broken.media.take().unwrap();
            change(&mut broken, &mut media);
            broken.media = Some(media);
            assert_eq!(InspectionView::try_from(broken).map_err(|problem| problem.status.as_u16()), Err(502), "{case}");
        }
    }
}
