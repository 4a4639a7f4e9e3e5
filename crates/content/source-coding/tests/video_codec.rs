//! Videos to bytes and back: rate, likeness, and what is refused.

use latentlink_source_coding::video::{self, LARGEST, PICTURE_HZ, Rgb, SOUND_HZ};
use latentlink_source_coding::{Codec, SourceError};

type Pictures = Vec<Result<Rgb, SourceError>>;

/// Two tones that come and go.
fn sound(seconds: f64) -> Vec<f32> {
    let at = |n: usize| {
        let t = n as f64 / f64::from(SOUND_HZ);
        let tone = |hz: f64| (std::f64::consts::TAU * hz * t).sin();
        ((0.2 * tone(220.0) + 0.1 * tone(660.0)) * (0.6 + 0.4 * tone(2.0))) as f32
    };
    (0..(seconds * f64::from(SOUND_HZ)) as usize).map(at).collect()
}

/// A disc that wanders over a slope of grey.
fn pictures(count: usize, width: usize, height: usize) -> Pictures {
    let picture = |k: usize| {
        let (x0, y0) = (width as f64 * (0.3 + 0.02 * k as f64), height as f64 * 0.5);
        let pixel = |at: usize| {
            let (x, y) = ((at % width) as f64, (at / width) as f64);
            let inside = (x - x0).hypot(y - y0) < 0.2 * height as f64;
            if inside { [220, 150, 120] } else { [(40.0 + 100.0 * x / width as f64) as u8; 3] }
        };
        Ok(Rgb { width, height, rgb: (0..width * height).flat_map(pixel).collect() })
    };
    (0..count).map(picture).collect()
}

fn refused(bytes: &[u8]) -> String {
    match video::decode(bytes) {
        Ok(video) => video.pictures.into_iter().find_map(Result::err).expect("something is wrong with it").to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(feature = "video")]
#[test]
fn sound_comes_back_in_time_at_the_stated_rate() {
    let pcm = sound(3.01);
    let bytes = video::encode::<SourceError>(&pcm, std::iter::empty()).unwrap();
    let bps = 8.0 * bytes.len() as f64 / 3.01;
    println!("{bps:.0} bits a second");
    assert!(bps < 1.15 * f64::from(video::SOUND_BPS), "{bps}");
    let video::Video { sound, pictures } = video::decode(&bytes).unwrap();
    assert_eq!((sound.len(), pictures.count()), (pcm.len(), 0));
    // A delay of one sample would already cost this tone some of the correlation, one of ten most of it.
    let correlation = |shift: usize| {
        let (a, b) = (&pcm[2000..40_000], &sound[2000 + shift..40_000 + shift]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    assert!(correlation(0) > 0.9 && correlation(0) > correlation(10), "{} {}", correlation(0), correlation(10));
}

#[test]
fn a_video_with_neither_is_none_and_damage_is_told() {
    let none = video::encode::<SourceError>(&[], std::iter::empty()).unwrap_err();
    assert_eq!(none, SourceError::EmptyVideo);
    assert!(matches!(
        video::encode::<SourceError>(&vec![0.0; 601 * 16_000], std::iter::empty()),
        Err(SourceError::VideoTooLong(600))
    ));
    let huge = [&0u32.to_le_bytes()[..], &4000u16.to_le_bytes(), &4000u16.to_le_bytes(), &1u32.to_le_bytes(), &[0; 4]];
    assert!(refused(&huge.concat()).contains("4000 × 4000"));
    assert!(refused(&[255; 64]).contains("samples"));
    // The header of a video with neither, which no encoder writes.
    for length in 0..12 {
        assert!(video::decode(&[0; 12][..length]).is_err(), "{length}");
    }
    assert!(refused(&[0; 13]).contains("1 bytes behind"));
    let coded = video::encode::<SourceError>(&sound(0.5), std::iter::empty());
    if Codec::pictures().is_err() {
        assert_eq!(coded.unwrap_err(), SourceError::NoCodec);
        return;
    }
    let bytes = coded.unwrap();
    for length in 0..bytes.len() {
        assert!(video::decode(&bytes[..length]).is_err(), "{length}");
    }
    assert!(refused(&[&bytes[..], &[0]].concat()).contains("1 bytes behind"));
}

#[test]
fn pictures_come_back_alike_at_the_stated_rate() {
    const SECONDS: usize = 8;
    let sent = pictures(SECONDS * PICTURE_HZ as usize, 640, 360);
    let coded = video::encode(&[], sent.clone().into_iter());
    if Codec::pictures().is_err() {
        assert_eq!(coded.unwrap_err(), SourceError::NoCodec);
        return;
    }
    let bytes = coded.unwrap();
    let bps = 8.0 * bytes.len() as f64 / SECONDS as f64;
    println!("{bps:.0} bits a second");
    assert!(bps < 1.3 * f64::from(video::PICTURE_BPS), "{bps}");
    let got = video::decode(&bytes).unwrap().pictures.collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(got.len(), sent.len());
    for (k, (sent, got)) in sent.iter().zip(&got).enumerate() {
        assert_eq!((got.width, got.height), (LARGEST, 180));
        // The middle of each pixel that covers four.
        let sent = sent.as_ref().unwrap();
        let off = |at: usize| {
            let (x, y, channel) = (at / 3 % 320, at / 960, at % 3);
            f64::from(sent.rgb[3 * (2 * y * 640 + 2 * x) + channel]) - f64::from(got.rgb[at])
        };
        let rms = ((0..got.rgb.len()).map(|at| off(at).powi(2)).sum::<f64>() / got.rgb.len() as f64).sqrt();
        assert!(rms < 14.0, "picture {k}: {rms} levels");
    }
    // Every byte may be changed on the way by somebody who makes the check right again.
    for at in (14..bytes.len()).step_by(bytes.len() / 60) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        if let Ok(video) = video::decode(&flipped) {
            video.pictures.take(100).for_each(drop);
        }
    }
}
