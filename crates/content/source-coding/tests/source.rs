//! Clips to bytes and back: what is lost, what is not, and what is refused.

use corpus::{Clip, Modality, Sequence};
use latentlink_source_coding::{Codec, Content, MAX_FRAMES, Ranges, Source, SourceError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TEXT: &str = "I thought the ending was, well, not what I hoped for – but the music! 映画";

/// Slow waves, another in each column, with some noise.
fn plane(rng: &mut ChaCha8Rng, frames: usize, width: usize) -> Sequence {
    let value = |k: usize| (((k / width) as f32 * 0.2) + (k % width) as f32).sin() * 3.0 + 5.0;
    Sequence::new(width, (0..frames * width).map(|k| value(k) + rng.random_range(-0.2..0.2)).collect())
}

fn clips() -> Vec<Clip> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let clip = |k: usize| {
        let text = Some(plane(&mut rng, 1, 8));
        let audio = (k != 2).then(|| plane(&mut rng, 30 + k, 74));
        let visual = (k != 3).then(|| plane(&mut rng, 17, 35));
        let name = |what: &str| format!("{what}{k}");
        Clip {
            id: name("clip"),
            video_id: name("video"),
            split: "train".into(),
            label: 0.0,
            text: if k == 4 { String::new() } else { TEXT.into() },
            features: [text, audio, visual],
        }
    };
    (0..6).map(clip).collect()
}

fn codecs() -> Vec<Codec> {
    vec![
        Codec::Deflate,
        #[cfg(feature = "video")]
        Codec::H264 { qp: 24 },
    ]
}

/// Root mean square error over root mean square deviation from the columns' means.
fn loss(sent: &Sequence, got: &Sequence) -> f64 {
    let square = |a: f32, b: f32| f64::from(a - b).powi(2);
    let error: f64 = sent.data().iter().zip(got.data()).map(|(a, b)| square(*a, *b)).sum();
    let mean =
        |column: usize| sent.data().iter().skip(column).step_by(sent.width()).sum::<f32>() / sent.frames() as f32;
    let means: Vec<f32> = (0..sent.width()).map(mean).collect();
    let spread: f64 = sent.data().iter().zip(means.iter().cycle()).map(|(a, b)| square(*a, *b)).sum();
    (error / spread).sqrt()
}

/// Eight bits lose half a step of a range of 6.4 at most, 0.6 % of the deviation; H.264 at QP 24 a step of 10 levels of 256, less
/// than 15 %.
#[test]
fn content_comes_back_and_what_is_absent_stays_so() {
    let clips = clips();
    for codec in codecs() {
        let source = Source::fit(clips.iter().map(|clip| &clip.features), codec).unwrap();
        for clip in &clips {
            let content = Content::of_clip(clip);
            let bytes = source.encode(&content).unwrap();
            assert_eq!(bytes, source.encode(&content).unwrap(), "not the same twice");
            let back = source.decode(&bytes).unwrap();
            assert_eq!(back.transcript, content.transcript);
            assert_eq!(content.transcript.is_none(), clip.text.is_empty());
            assert!(back.planes[Modality::Text.index()].is_none());
            for index in 1..3 {
                let (Some(sent), Some(got)) = (&clip.features[index], &back.planes[index]) else {
                    assert!(clip.features[index].is_none() && back.planes[index].is_none(), "{codec:?} {index}");
                    continue;
                };
                assert_eq!((sent.frames(), sent.width()), (got.frames(), got.width()));
                let most = if codec == Codec::Deflate { 0.01 } else { 0.15 };
                println!("{codec:?}: {} bytes, loss {:.4}", bytes.len(), loss(sent, got));
                assert!(loss(sent, got) < most, "{codec:?}: {}", loss(sent, got));
            }
        }
        let nothing = source.encode(&Content::default()).unwrap();
        assert_eq!((nothing.len(), source.decode(&nothing).unwrap()), (1, Content::default()));
    }
}

/// Cuts of every length, 2000 single damaged bits, and noise: an error or some content, but never a panic.
#[test]
fn hostile_bytes_are_errors() {
    let clips = clips();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for codec in codecs() {
        let source = Source::fit(clips.iter().map(|clip| &clip.features), codec).unwrap();
        let bytes = source.encode(&Content { transcript: None, ..Content::of_clip(&clips[0]) }).unwrap();
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 300) {
            assert!(source.decode(&bytes[..length]).is_err(), "{codec:?} cut to {length}");
        }
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            let place = rng.random_range(0..damaged.len());
            damaged[place] ^= 1 << rng.random_range(0..8u32);
            let _ = source.decode(&damaged);
        }
        let mut failed = 0;
        for length in (0..600).step_by(3) {
            let noise: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            failed += i32::from(source.decode(&noise).is_err());
        }
        assert!(failed > 190, "{codec:?}: {failed} of 200 refused");
    }
}

#[test]
fn what_cannot_be_coded_is_named() {
    let clips = clips();
    let source = Source::fit(clips.iter().map(|clip| &clip.features), Codec::Deflate).unwrap();
    let of = |index: usize, plane: Sequence| {
        let mut content = Content::default();
        content.planes[index] = Some(plane);
        source.encode(&content).unwrap_err().to_string()
    };
    assert_eq!(of(0, Sequence::new(8, vec![0.0; 8])), "there are no ranges for text");
    assert_eq!(of(1, Sequence::new(73, vec![0.0; 73])), "expected 74 columns of audio, got 73");
    assert_eq!(of(2, Sequence::new(35, vec![])), "expected 1 to 1024 frames of visual, got 0");
    assert!(of(2, Sequence::new(35, vec![0.0; 35 * (MAX_FRAMES + 1)])).ends_with("got 1025"));
    let long = Content { transcript: Some("x".repeat(70_000)), ..Content::default() };
    assert_eq!(source.encode(&long), Err(SourceError::Transcript(70_000)));
    let wide = Ranges::fit([&Sequence::new(3000, vec![0.0; 3000])].into_iter());
    assert!(matches!(Source::new([None, wide, None], Codec::Deflate), Err(SourceError::Width { got: 3000, .. })));
}
